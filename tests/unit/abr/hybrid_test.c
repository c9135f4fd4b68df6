/* Goal: every step of the plain rule, worked by hand, and what must hold for any history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "cadmium/abr.h"

#define RUNGS 6
static const struct cad_abr_rung rungs[RUNGS] = {
    {200000, 240, -1, true},   {500000, 360, -1, true},   {1000000, 480, -1, true},
    {2000000, 720, -1, true},  {4000000, 1080, -1, true}, {8000000, 2160, -1, true},
};

/* A controller that takes the link for `estimate_bps`, exactly; 0 does not know it. */
static struct cad_abr *knowing(int64_t estimate_bps)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_abr_config config;
    cad_abr_config_init(&config);
    config.rate_seed_bps = estimate_bps;
    struct cad_abr *abr = NULL;
    assert_int_equal(cad_abr_create(&alloc, cad_abr_hybrid(), &config, &abr), CAD_OK);
    return abr;
}

/* Playing with `buffer` of 60 s, at rung `last`. */
static struct cad_abr_state state_at(cad_time now, cad_time buffer, int32_t last)
{
    return (struct cad_abr_state){
        .size = sizeof(struct cad_abr_state), .now = now, .rungs = rungs, .rung_count = RUNGS,
        .rung_last = last, .buffer = buffer, .buffer_target = 60 * CAD_SECOND,
        .segment_duration = 2 * CAD_SECOND, .playing = true, .rung_pin = -1};
}

static void expect(struct cad_abr *abr, const struct cad_abr_state *s, uint32_t rung,
                   enum cad_abr_reason reason)
{
    struct cad_abr_choice choice;
    cad_abr_choose(abr, s, &choice);
    assert_string_equal(cad_abr_reason_name(choice.reason), cad_abr_reason_name(reason));
    assert_int_equal(choice.rung, rung);
    assert_int_equal(choice.wait, 0);
}

/* One choice of a controller that has no history. */
static void expect_once(int64_t estimate_bps, struct cad_abr_state s, uint32_t rung,
                        enum cad_abr_reason reason)
{
    struct cad_abr *abr = knowing(estimate_bps);
    expect(abr, &s, rung, reason);
    cad_abr_destroy(&abr);
}

static void test_hybrid_starts_low_without_an_estimate(void **state)
{
    (void)state;
    struct cad_abr_state s = state_at(0, 0, -1);
    s.playing = false;
    expect_once(0, s, 2, CAD_ABR_START); /* 1 Mbit/s is the last below 1.5 Mbit/s */
    s.rung_last = 0;
    expect_once(0, s, 0, CAD_ABR_START); /* and not above what was chosen before */
    s.rung_last = 5;
    expect_once(0, s, 2, CAD_ABR_START);
    s.buffer = 30 * CAD_SECOND;
    expect_once(0, s, 5, CAD_ABR_START); /* a rich buffer keeps what it has */
}

static void test_hybrid_starts_by_the_margin_with_an_estimate(void **state)
{
    (void)state;
    struct cad_abr_state s = state_at(0, 0, -1);
    s.playing = false;
    expect_once(10000000, s, 4, CAD_ABR_START);
    expect_once(100000, s, 0, CAD_ABR_START);
}

static void test_hybrid_is_strictly_below_the_margin_while_poor(void **state)
{
    (void)state;
    /* 0.7 of 2857143 is 2000000: not strictly above 2 Mbit/s; one more is. */
    struct cad_abr_state s = state_at(0, 20 * CAD_SECOND, -1);
    expect_once(2857143, s, 2, CAD_ABR_START);
    expect_once(2857145, s, 3, CAD_ABR_START);
    s.buffer = 30 * CAD_SECOND; /* half the target is rich: equal is enough */
    expect_once(2857143, s, 3, CAD_ABR_START);
    expect_once(2857142, s, 2, CAD_ABR_START);
}

static void test_hybrid_holds_up_to_the_estimate_while_rich(void **state)
{
    (void)state;
    struct cad_abr_state s = state_at(0, 30 * CAD_SECOND, 3);
    expect_once(2000000, s, 3, CAD_ABR_STEADY);
    expect_once(1999999, s, 2, CAD_ABR_DOWN);
    s.buffer -= 1;
    expect_once(2000000, s, 2, CAD_ABR_DOWN);
}

static void test_hybrid_goes_down_two_rungs_at_most(void **state)
{
    (void)state;
    expect_once(300000, state_at(0, 40 * CAD_SECOND, 5), 3, CAD_ABR_DOWN);
    expect_once(300000, state_at(0, 5 * CAD_SECOND, 5), 3, CAD_ABR_DOWN);
    expect_once(300000, state_at(0, 40 * CAD_SECOND, 1), 0, CAD_ABR_DOWN);
    /* Nearly empty: all the way, although the margin would allow more. */
    expect_once(2000000, state_at(0, 5 * CAD_SECOND - 1, 5), 0, CAD_ABR_PANIC);
    /* After a seek no picture has to be kept steady and no clock runs. */
    struct cad_abr_state s = state_at(0, 0, 5);
    s.playing = false;
    expect_once(2000000, s, 2, CAD_ABR_DOWN);
}

static void test_hybrid_panics_once_the_buffer_had_been_filled(void **state)
{
    (void)state;
    struct cad_abr *abr = knowing(20000000);
    cad_abr_note(abr, CAD_ABR_NOTE_PLAY, 0);
    struct cad_abr_state s = state_at(0, 4 * CAD_SECOND, 2);
    expect(abr, &s, 5, CAD_ABR_UP); /* filling: the link is good */
    s = state_at(20 * CAD_SECOND, 5 * CAD_SECOND, 2);
    expect(abr, &s, 5, CAD_ABR_UP);
    s = state_at(21 * CAD_SECOND, 5 * CAD_SECOND - 1, 2);
    expect(abr, &s, 0, CAD_ABR_PANIC); /* draining: whatever the estimate says */
    s.playing = false;
    expect(abr, &s, 5, CAD_ABR_UP); /* paused: nothing drains */
    cad_abr_note(abr, CAD_ABR_NOTE_SEEK, 22 * CAD_SECOND);
    s = state_at(40 * CAD_SECOND, 4 * CAD_SECOND, 5);
    expect(abr, &s, 5, CAD_ABR_STEADY); /* filling again */
    cad_abr_destroy(&abr);
}

static void test_hybrid_panic_yields_to_a_small_target(void **state)
{
    (void)state;
    /* With 6 s as the whole buffer, nearly empty is 3 s. */
    struct cad_abr *abr = knowing(20000000);
    struct cad_abr_state s = state_at(0, 4 * CAD_SECOND, 3);
    s.buffer_target = 6 * CAD_SECOND;
    expect(abr, &s, 5, CAD_ABR_UP);
    s.buffer = 3 * CAD_SECOND;
    expect(abr, &s, 5, CAD_ABR_UP);
    s.buffer = 3 * CAD_SECOND - 1;
    expect(abr, &s, 0, CAD_ABR_PANIC);
    cad_abr_destroy(&abr);
}

static void test_hybrid_takes_the_lowest_after_a_stall(void **state)
{
    (void)state;
    struct cad_abr *abr = knowing(20000000);
    cad_abr_note(abr, CAD_ABR_NOTE_STALL, 50 * CAD_SECOND);
    struct cad_abr_state s = state_at(50 * CAD_SECOND, 0, 4);
    s.playing = false;
    expect(abr, &s, 0, CAD_ABR_REBUFFER);
    expect(abr, &s, 0, CAD_ABR_REBUFFER); /* asking again in a later turn changes nothing */
    /* What was asked for before the stall, or is audio, or broke off does not end it. */
    struct cad_abr_transfer t = {.start = 49 * CAD_SECOND, .first_byte = CAD_TIME_NONE,
                                 .end = 51 * CAD_SECOND, .complete = true};
    cad_abr_observe(abr, &t);
    t.start = 50 * CAD_SECOND;
    t.audio = true;
    cad_abr_observe(abr, &t);
    t.audio = false;
    t.complete = false;
    cad_abr_observe(abr, &t);
    expect(abr, &s, 0, CAD_ABR_REBUFFER);
    t.complete = true;
    cad_abr_observe(abr, &t);
    s.rung_last = 0;
    expect(abr, &s, 5, CAD_ABR_UP);
    /* The clock starting again ends it too. */
    cad_abr_note(abr, CAD_ABR_NOTE_STALL, 60 * CAD_SECOND);
    expect(abr, &s, 0, CAD_ABR_REBUFFER);
    cad_abr_note(abr, CAD_ABR_NOTE_PLAY, 61 * CAD_SECOND);
    expect(abr, &s, 5, CAD_ABR_UP);
    cad_abr_destroy(&abr);
}

static void test_hybrid_waits_between_upward_changes(void **state)
{
    (void)state;
    struct cad_abr *abr = knowing(3500000);
    struct cad_abr_state s = state_at(0, 20 * CAD_SECOND, 0);
    expect(abr, &s, 3, CAD_ABR_UP);
    s.now = CAD_SECOND;
    expect(abr, &s, 3, CAD_ABR_UP); /* the first was not acted upon: it does not count */
    s = state_at(3 * CAD_SECOND, 20 * CAD_SECOND, 3);
    expect(abr, &s, 3, CAD_ABR_STEADY); /* it was asked for at 1 s */
    s = state_at(5 * CAD_SECOND, 20 * CAD_SECOND, 1);
    expect(abr, &s, 1, CAD_ABR_DWELL);
    s.now = 11 * CAD_SECOND - 1;
    expect(abr, &s, 1, CAD_ABR_DWELL);
    s.now = 11 * CAD_SECOND;
    expect(abr, &s, 3, CAD_ABR_UP);
    cad_abr_destroy(&abr);
}

static int64_t size_by_table(const void *ctx, uint32_t ahead, uint32_t rung)
{
    assert_int_equal(ahead, 0);
    const int64_t *sizes = ctx;
    return sizes[rung];
}

static void test_hybrid_goes_up_only_if_the_segment_arrives_in_time(void **state)
{
    (void)state;
    /* 2 s of 4 Mbit/s at 7 Mbit/s take 1.14 s: too long for 1.5 s of buffer; 3/4 of it count. */
    expect_once(10000000, state_at(0, 1500 * CAD_MS, 2), 3, CAD_ABR_UP);
    expect_once(10000000, state_at(0, 1600 * CAD_MS, 2), 4, CAD_ABR_UP);
    /* A segment that is larger than its rate says. */
    static const int64_t sizes[RUNGS] = {50000, 125000, 250000, 500000, 7000000, 2000000};
    struct cad_abr_state s = state_at(0, 10 * CAD_SECOND, 2);
    s.size_of = size_by_table;
    s.size_ctx = sizes;
    expect_once(10000000, s, 3, CAD_ABR_UP); /* 56 Mbit take 8 s of 7.5 s */
    s.buffer = 11 * CAD_SECOND;
    expect_once(10000000, s, 4, CAD_ABR_UP);
    /* It never makes a rung worse than the one in use. */
    static const int64_t huge[RUNGS] = {9000000, 9000000, 9000000, 9000000, 9000000, 9000000};
    s.size_ctx = huge;
    s.buffer = CAD_SECOND;
    expect_once(10000000, s, 2, CAD_ABR_STEADY);
}

static void test_hybrid_counts_the_wait_for_first_bytes(void **state)
{
    (void)state;
    /* 2 Mbit/s, but half a second of every two is spent waiting: 1.05 Mbit/s are usable. */
    struct cad_abr *abr = knowing(0);
    struct cad_abr_transfer t = {.first_byte = 500 * CAD_MS, .end = 2500 * CAD_MS,
                                 .bytes = 500000, .complete = true, .busy = 2500 * CAD_MS,
                                 .bytes_all = 500000};
    cad_abr_observe(abr, &t);
    struct cad_abr_state s = state_at(3 * CAD_SECOND, 20 * CAD_SECOND, -1);
    expect(abr, &s, 2, CAD_ABR_START);
    s.segment_duration = CAD_SECOND; /* of one: 0.7 */
    expect(abr, &s, 1, CAD_ABR_START);
    cad_abr_destroy(&abr);
}

static void test_hybrid_forgets_the_link_with_the_network(void **state)
{
    (void)state;
    struct cad_abr *abr = knowing(10000000);
    cad_abr_note(abr, CAD_ABR_NOTE_NETWORK, 0);
    assert_int_equal(cad_abr_estimate_bps(abr, 0), 0);
    struct cad_abr_state s = state_at(0, 20 * CAD_SECOND, 4);
    expect(abr, &s, 2, CAD_ABR_START);
    s.buffer = 40 * CAD_SECOND;
    expect(abr, &s, 4, CAD_ABR_START);
    cad_abr_destroy(&abr);
}

static void test_hybrid_with_one_rung_has_no_choice(void **state)
{
    (void)state;
    struct cad_abr_state s = state_at(0, 0, -1);
    s.rung_count = 1;
    expect_once(0, s, 0, CAD_ABR_ONLY);
    expect_once(1, s, 0, CAD_ABR_ONLY);
}

/* A state drawn at random, the same for the same generator. */
static struct cad_abr_state any_state(struct cad_rng *r)
{
    cad_time buffer = cad_rng_range_i64(r, 0, 60 * CAD_SECOND);
    int32_t last = (int32_t)cad_rng_range_i64(r, -1, RUNGS - 1);
    struct cad_abr_state s = state_at(cad_rng_range_i64(r, 0, CAD_SECOND), buffer, last);
    s.playing = cad_rng_chance(r, 3, 4);
    return s;
}

static void test_hybrid_is_monotone_in_the_rate(void **state)
{
    (void)state;
    struct cad_rng r;
    cad_rng_init(&r, 11);
    for (int i = 0; i < 4000; i++) {
        struct cad_abr_state s = any_state(&r);
        int64_t low = cad_rng_range_i64(&r, 1, 12000000);
        int64_t high = low + cad_rng_range_i64(&r, 0, 4000000);
        struct cad_abr *a = knowing(low);
        struct cad_abr *b = knowing(high);
        struct cad_abr_choice x, y;
        cad_abr_choose(a, &s, &x);
        cad_abr_choose(b, &s, &y);
        assert_true(x.rung <= y.rung);
        cad_abr_destroy(&a);
        cad_abr_destroy(&b);
    }
}

/* Follows a history and checks after each choice what must hold of any. */
struct walk {
    cad_time now, raised_at;
    int32_t last;
    bool filled;
};

static void walk_step(struct cad_abr *abr, struct cad_rng *r, struct walk *w)
{
    w->now += cad_rng_range_i64(r, 0, 4 * CAD_SECOND);
    struct cad_abr_state s = any_state(r);
    s.now = w->now;
    s.rung_last = w->last;
    if (s.playing && s.buffer >= 5 * CAD_SECOND) w->filled = true;
    struct cad_abr_choice c;
    cad_abr_choose(abr, &s, &c);
    bool up = w->last >= 0 && (int32_t)c.rung > w->last;
    if (up && w->raised_at != CAD_TIME_NONE) {
        assert_true(w->now - w->raised_at >= 10 * CAD_SECOND);
    }
    if (up && c.estimate_bps > 0) assert_true(rungs[c.rung].rate_bps * 10 <= c.estimate_bps * 7);
    if (w->filled && s.playing && s.buffer < 5 * CAD_SECOND) assert_int_equal(c.rung, 0);
    bool steady = s.buffer >= 5 * CAD_SECOND && c.estimate_bps > 0;
    if (steady && c.reason == CAD_ABR_DOWN) assert_true(w->last - (int32_t)c.rung <= 2);
    if (rungs[0].rate_bps > c.estimate_bps && c.estimate_bps > 0 && w->last <= 0) {
        assert_int_equal(c.rung, 0); /* nothing fits */
    }
    if (up) w->raised_at = w->now;
    w->last = (int32_t)c.rung;
    int64_t rate = cad_rng_range_i64(r, 50000, 12000000);
    struct cad_abr_transfer t = {.start = w->now, .first_byte = w->now + 20 * CAD_MS,
                                 .end = w->now + 20 * CAD_MS + CAD_SECOND, .bytes = rate / 8,
                                 .complete = true};
    cad_abr_observe(abr, &t);
}

static void test_hybrid_keeps_its_rules_in_any_history(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct cad_rng r;
        cad_rng_init(&r, seed);
        struct cad_abr *abr = knowing(0);
        struct walk w = {.raised_at = CAD_TIME_NONE, .last = -1};
        for (int i = 0; i < 200; i++) walk_step(abr, &r, &w);
        cad_abr_destroy(&abr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hybrid_starts_low_without_an_estimate),
        cmocka_unit_test(test_hybrid_starts_by_the_margin_with_an_estimate),
        cmocka_unit_test(test_hybrid_is_strictly_below_the_margin_while_poor),
        cmocka_unit_test(test_hybrid_holds_up_to_the_estimate_while_rich),
        cmocka_unit_test(test_hybrid_goes_down_two_rungs_at_most),
        cmocka_unit_test(test_hybrid_panics_once_the_buffer_had_been_filled),
        cmocka_unit_test(test_hybrid_panic_yields_to_a_small_target),
        cmocka_unit_test(test_hybrid_takes_the_lowest_after_a_stall),
        cmocka_unit_test(test_hybrid_waits_between_upward_changes),
        cmocka_unit_test(test_hybrid_goes_up_only_if_the_segment_arrives_in_time),
        cmocka_unit_test(test_hybrid_counts_the_wait_for_first_bytes),
        cmocka_unit_test(test_hybrid_forgets_the_link_with_the_network),
        cmocka_unit_test(test_hybrid_with_one_rung_has_no_choice),
        cmocka_unit_test(test_hybrid_is_monotone_in_the_rate),
        cmocka_unit_test(test_hybrid_keeps_its_rules_in_any_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
