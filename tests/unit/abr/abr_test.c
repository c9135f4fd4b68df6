/* Goal: whatever a controller answers, pins, caps and allowed rungs hold; creation is checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/str.h"
#include "cadmium/abr.h"
#include "support/failing_alloc.h"

static const struct cad_abr_rung four[] = {
    {200000, 0, -1, true}, {500000, 0, -1, true}, {1000000, 0, -1, true}, {2000000, 0, -1, true}};

/* A controller that answers what the test has put here, sensible or not. */
struct stubborn {
    struct cad_abr_choice answer;
    struct cad_abr_config config;
    uint32_t chosen, observed, noted;
    bool seen_allowed[CAD_ABR_RUNGS_MAX];
    int err;
};
static struct stubborn stub;

static int stub_create(const struct cad_alloc *alloc, const struct cad_abr_config *config,
                       void **self)
{
    (void)alloc;
    stub.config = *config;
    *self = &stub;
    return stub.err;
}
static void stub_observe(void *self, const struct cad_abr_transfer *transfer)
{
    (void)transfer;
    ((struct stubborn *)self)->observed++;
}
static void stub_note(void *self, enum cad_abr_note note, cad_time now)
{
    (void)note;
    (void)now;
    ((struct stubborn *)self)->noted++;
}
static int64_t stub_estimate(const void *self, cad_time now)
{
    (void)now;
    return ((const struct stubborn *)self)->answer.estimate_bps;
}
static void stub_choose(void *self, const struct cad_abr_state *state, struct cad_abr_choice *out)
{
    struct stubborn *s = self;
    s->chosen++;
    for (uint32_t i = 0; i < state->rung_count; i++) s->seen_allowed[i] = state->rungs[i].allowed;
    *out = s->answer;
}
static const struct cad_abr_ops stub_ops = {sizeof(struct cad_abr_ops), "stubborn", stub_create,
                                            NULL, stub_observe, stub_note, stub_estimate,
                                            stub_choose};

static struct cad_abr *create(void)
{
    struct cad_alloc alloc = cad_alloc_system();
    stub = (struct stubborn){.answer = {.reason = CAD_ABR_STEADY}};
    struct cad_abr *abr = NULL;
    assert_int_equal(cad_abr_create(&alloc, &stub_ops, NULL, &abr), CAD_OK);
    return abr;
}

static struct cad_abr_state state_of(const struct cad_abr_rung *rungs, uint32_t count)
{
    return (struct cad_abr_state){.size = sizeof(struct cad_abr_state), .rungs = rungs,
                                  .rung_count = count, .rung_last = -1,
                                  .buffer_target = 60 * CAD_SECOND,
                                  .segment_duration = 2 * CAD_SECOND, .rung_pin = -1};
}

static void test_abr_find_knows_the_controllers(void **state)
{
    (void)state;
    assert_ptr_equal(cad_abr_find(CAD_STR("hybrid")), cad_abr_hybrid());
    assert_ptr_equal(cad_abr_find(CAD_STR("fixed")), cad_abr_fixed());
    assert_null(cad_abr_find(CAD_STR("hybri")));
    assert_null(cad_abr_find((cad_str){NULL, 0}));
    assert_string_equal(cad_abr_reason_name(CAD_ABR_DWELL), "dwell");
    assert_string_equal(cad_abr_reason_name(CAD_ABR_ONLY), "only");
    assert_string_equal(cad_abr_reason_name((enum cad_abr_reason)99), "?");
    for (int r = CAD_ABR_START; r <= CAD_ABR_ONLY; r++) {
        assert_non_null(cad_abr_reason_name((enum cad_abr_reason)r));
    }
}

static void expect_invalid(const struct cad_abr_config *config)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_abr *abr = NULL;
    assert_int_equal(cad_abr_create(&alloc, cad_abr_hybrid(), config, &abr), CAD_E_INVAL);
    assert_null(abr);
}

#define EXPECT_INVALID(field, value)                                                               \
    do {                                                                                           \
        struct cad_abr_config c_;                                                                  \
        cad_abr_config_init(&c_);                                                                  \
        c_.field = (value);                                                                        \
        expect_invalid(&c_);                                                                       \
    } while (0)

static void test_abr_create_checks_its_configuration(void **state)
{
    (void)state;
    EXPECT_INVALID(safety_permille, 0);
    EXPECT_INVALID(safety_permille, 1001);
    EXPECT_INVALID(step_down_max, 0);
    EXPECT_INVALID(dwell, -1);
    EXPECT_INVALID(panic_buffer, -1);
    EXPECT_INVALID(start_rate_max_bps, -1);
    EXPECT_INVALID(rate_seed_bps, -1);
    EXPECT_INVALID(half_life_fast, 0);
    EXPECT_INVALID(half_life_slow, 0);
    struct cad_abr_config c;
    cad_abr_config_init(&c);
    assert_int_equal(c.safety_permille, 700);
    assert_int_equal(c.dwell, 10 * CAD_SECOND);
    assert_int_equal(c.step_down_max, 2);
    assert_int_equal(c.panic_buffer, 5 * CAD_SECOND);
}

static void test_abr_create_takes_a_shorter_configuration(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_abr_config c;
    cad_abr_config_init(&c);
    c.safety_permille = 500;
    c.half_life_slow = -1; /* beyond the end of the older struct */
    c.size = offsetof(struct cad_abr_config, half_life_fast);
    stub = (struct stubborn){.err = 0};
    struct cad_abr *abr = NULL;
    assert_int_equal(cad_abr_create(&alloc, &stub_ops, &c, &abr), CAD_OK);
    assert_int_equal(stub.config.safety_permille, 500);
    assert_int_equal(stub.config.half_life_slow, 8 * CAD_SECOND);
    assert_int_equal(stub.config.size, sizeof(c));
    cad_abr_destroy(&abr);
}

static void test_abr_create_checks_the_controller(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_abr *abr = NULL;
    assert_int_equal(cad_abr_create(&alloc, NULL, NULL, &abr), CAD_E_INVAL);
    struct cad_abr_ops ops = stub_ops;
    ops.choose = NULL;
    assert_int_equal(cad_abr_create(&alloc, &ops, NULL, &abr), CAD_E_INVAL);
    ops = stub_ops;
    ops.size--;
    assert_int_equal(cad_abr_create(&alloc, &ops, NULL, &abr), CAD_E_INVAL);
    stub.err = CAD_E_NOMEM;
    assert_int_equal(cad_abr_create(&alloc, &stub_ops, NULL, &abr), CAD_E_NOMEM);
    assert_null(abr);
}

static void test_abr_passes_everything_on(void **state)
{
    (void)state;
    struct cad_abr *abr = create();
    struct cad_abr_transfer t = {.first_byte = CAD_TIME_NONE};
    cad_abr_observe(abr, &t);
    cad_abr_note(abr, CAD_ABR_NOTE_SEEK, 0);
    stub.answer.estimate_bps = -7;
    assert_int_equal(cad_abr_estimate_bps(abr, 0), 0);
    assert_int_equal(stub.observed, 1);
    assert_int_equal(stub.noted, 1);
    struct cad_abr_state s = state_of(four, 4);
    struct cad_abr_choice c;
    stub.answer.wait = -1;
    cad_abr_choose(abr, &s, &c);
    assert_int_equal(c.wait, 0);
    stub.answer.wait = CAD_TIME_MAX;
    cad_abr_choose(abr, &s, &c);
    assert_int_equal(c.wait, 60 * CAD_SECOND);
    cad_abr_destroy(&abr);
    cad_abr_destroy(&abr);
    cad_abr_destroy(NULL);
}

static void expect_choice(struct cad_abr *abr, const struct cad_abr_state *s, uint32_t rung,
                          enum cad_abr_reason reason)
{
    struct cad_abr_choice c;
    cad_abr_choose(abr, s, &c);
    assert_int_equal(c.rung, rung);
    assert_string_equal(cad_abr_reason_name(c.reason), cad_abr_reason_name(reason));
}

static void test_abr_cap_is_enforced_and_named(void **state)
{
    (void)state;
    struct cad_abr *abr = create();
    struct cad_abr_state s = state_of(four, 4);
    s.rate_cap_bps = 1000000;
    stub.answer.rung = 3; /* it does not heed what it was shown */
    expect_choice(abr, &s, 2, CAD_ABR_CAP);
    assert_true(stub.seen_allowed[2]);
    assert_false(stub.seen_allowed[3]);
    stub.answer.rung = 2; /* it heeds it, and the link carries no more */
    stub.answer.estimate_bps = 1500000;
    expect_choice(abr, &s, 2, CAD_ABR_STEADY);
    stub.answer.estimate_bps = 2000000; /* the link carries more: the cap it is */
    expect_choice(abr, &s, 2, CAD_ABR_CAP);
    stub.answer.rung = 1;
    expect_choice(abr, &s, 1, CAD_ABR_STEADY);
    s.rate_cap_bps = 1; /* under everything: the lowest stays */
    stub.answer.rung = 3;
    expect_choice(abr, &s, 0, CAD_ABR_CAP);
    s.rate_cap_bps = 0;
    expect_choice(abr, &s, 3, CAD_ABR_STEADY);
    stub.answer.rung = 77;
    expect_choice(abr, &s, 3, CAD_ABR_STEADY);
    cad_abr_destroy(&abr);
}

static void test_abr_pin_is_absolute(void **state)
{
    (void)state;
    struct cad_abr *abr = create();
    struct cad_abr_rung rungs[4] = {four[0], four[1], four[2], four[3]};
    struct cad_abr_state s = state_of(rungs, 4);
    s.rate_cap_bps = 1;
    s.rung_pin = 3;
    expect_choice(abr, &s, 3, CAD_ABR_PIN); /* above the cap */
    rungs[3].allowed = false;
    expect_choice(abr, &s, 2, CAD_ABR_PIN); /* the nearest that can be played */
    rungs[1].allowed = false;
    s.rung_pin = 1;
    expect_choice(abr, &s, 0, CAD_ABR_PIN); /* of two as near, the lower */
    s.rung_pin = 40;
    expect_choice(abr, &s, 2, CAD_ABR_PIN);
    assert_int_equal(stub.chosen, 0);
    cad_abr_destroy(&abr);
}

/* A ladder of 1 .. 64 rungs, some allowed, some equal in rate. */
static uint32_t any_ladder(struct cad_rng *r, struct cad_abr_rung *rungs)
{
    uint32_t count = (uint32_t)cad_rng_range_i64(r, 1, CAD_ABR_RUNGS_MAX);
    int64_t rate = cad_rng_range_i64(r, 1, 400000);
    for (uint32_t i = 0; i < count; i++) {
        rungs[i] = (struct cad_abr_rung){rate, 0, -1, cad_rng_chance(r, 2, 3)};
        rate += cad_rng_range_i64(r, 0, 300000);
    }
    rungs[cad_rng_below(r, count)].allowed = true;
    return count;
}

static uint32_t lowest_allowed(const struct cad_abr_rung *rungs)
{
    uint32_t i = 0;
    while (!rungs[i].allowed) i++;
    return i;
}

static void test_abr_limits_hold_for_any_controller(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    const struct cad_abr_ops *all[] = {cad_abr_hybrid(), cad_abr_fixed(), &stub_ops};
    struct cad_rng r;
    cad_rng_init(&r, 7);
    for (uint32_t i = 0; i < 6000; i++) {
        struct cad_abr_rung rungs[CAD_ABR_RUNGS_MAX];
        struct cad_abr_state s = state_of(rungs, any_ladder(&r, rungs));
        struct cad_abr_config config;
        cad_abr_config_init(&config);
        config.rate_seed_bps = cad_rng_range_i64(&r, 0, 20000000);
        stub = (struct stubborn){.answer = {(uint32_t)cad_rng_below(&r, 100), CAD_ABR_UP, 1, 0}};
        struct cad_abr *abr = NULL;
        assert_int_equal(cad_abr_create(&alloc, all[i % 3], &config, &abr), CAD_OK);
        s.buffer = cad_rng_range_i64(&r, 0, 60 * CAD_SECOND);
        s.playing = cad_rng_chance(&r, 1, 2);
        s.rung_last = (int32_t)cad_rng_range_i64(&r, -1, 70); /* a ladder may have shrunk */
        s.rate_cap_bps = cad_rng_chance(&r, 1, 2) ? cad_rng_range_i64(&r, 1, 15000000) : 0;
        s.rung_pin = cad_rng_chance(&r, 1, 4) ? (int32_t)cad_rng_below(&r, s.rung_count) : -1;
        struct cad_abr_choice c;
        cad_abr_choose(abr, &s, &c);
        assert_true(c.rung < s.rung_count);
        assert_true(rungs[c.rung].allowed);
        bool over = s.rate_cap_bps > 0 && rungs[c.rung].rate_bps > s.rate_cap_bps;
        if (s.rung_pin < 0 && over) assert_int_equal(c.rung, lowest_allowed(rungs));
        if (s.rung_pin >= 0) {
            assert_int_equal(c.reason, CAD_ABR_PIN);
            if (rungs[s.rung_pin].allowed) assert_int_equal(c.rung, s.rung_pin);
        }
        cad_abr_destroy(&abr);
    }
}

static void test_abr_create_survives_failing_allocation(void **state)
{
    (void)state;
    const struct cad_abr_ops *all[] = {cad_abr_hybrid(), cad_abr_fixed()};
    for (uint32_t i = 0; i < 2; i++) {
        uint64_t at = 1;
        for (;; at++) {
            struct cad_failing f;
            cad_failing_init(&f, at);
            struct cad_alloc alloc = cad_failing_alloc(&f);
            struct cad_abr *abr = NULL;
            int err = cad_abr_create(&alloc, all[i], NULL, &abr);
            assert_int_equal(err, f.failed ? CAD_E_NOMEM : CAD_OK);
            cad_abr_destroy(&abr);
            assert_int_equal(f.live_blocks, 0);
            assert_int_equal(f.mismatches, 0);
            if (!f.failed) break;
        }
        assert_int_equal(at, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_abr_find_knows_the_controllers),
        cmocka_unit_test(test_abr_create_checks_its_configuration),
        cmocka_unit_test(test_abr_create_takes_a_shorter_configuration),
        cmocka_unit_test(test_abr_create_checks_the_controller),
        cmocka_unit_test(test_abr_passes_everything_on),
        cmocka_unit_test(test_abr_cap_is_enforced_and_named),
        cmocka_unit_test(test_abr_pin_is_absolute),
        cmocka_unit_test(test_abr_limits_hold_for_any_controller),
        cmocka_unit_test(test_abr_create_survives_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
