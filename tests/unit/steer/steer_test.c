/* Goal: the order of failover and return, and that health follows the host over new lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/str.h"
#include "steer/steer.h"
#include "support/failing_alloc.h"

#define S CAD_SECOND
#define ALL UINT64_MAX

#define SERVER(name, location)                                                                     \
    {.id = CAD_STR_INIT(name), .host = CAD_STR_INIT(name ".test:443"), .location_rank = (location)}

/* Two servers in the first location, two in the second, one in the third. */
static const struct cad_steer_server five[] = {
    SERVER("a", 1), SERVER("b", 1), SERVER("c", 2), SERVER("d", 2), SERVER("e", 3)};

static struct cad_steer *create(const struct cad_steer_server *servers, uint32_t count)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_steer *steer = NULL;
    assert_int_equal(cad_steer_create(&alloc, &steer), CAD_OK);
    assert_int_equal(cad_steer_count(steer), 0);
    assert_int_equal(cad_steer_set_servers(steer, servers, count), CAD_OK);
    assert_int_equal(cad_steer_count(steer), count);
    return steer;
}

static void test_steer_uses_the_first_healthy_one(void **state)
{
    (void)state;
    struct cad_steer *steer = create(five, 5);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, -1, 0), 0);
    assert_int_equal(cad_steer_pick(steer, 0x18, 0, -1, 0), 3);
    cad_steer_report(steer, 0, CAD_STEER_TLS, 0);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, -1, 0), 1);
    assert_false(cad_steer_healthy(steer, 0, 0));
    assert_int_equal(cad_steer_rest_until(steer, 0, 0), 10 * S);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, -1, 10 * S), 0);
    assert_true(cad_steer_rest_until(steer, 0, 10 * S) == CAD_TIME_NONE);
    cad_steer_destroy(&steer);
    assert_null(steer);
    cad_steer_destroy(&steer);
}

static void test_steer_passes_over_what_was_tried(void **state)
{
    (void)state;
    struct cad_steer *steer = create(five, 5);
    assert_int_equal(cad_steer_pick(steer, ALL, 0x1, 0, 0), 1);
    assert_int_equal(cad_steer_pick(steer, ALL, 0x3, 1, 0), 2);
    assert_int_equal(cad_steer_pick(steer, ALL, 0x1f, 4, 0), 0); /* all tried: from the top */
    assert_int_equal(cad_steer_pick(steer, 0x5, 0x1, -1, 0), 2);
    cad_steer_report(steer, 2, CAD_STEER_TLS, 0);
    assert_int_equal(cad_steer_pick(steer, 0x5, 0x1, -1, 0), 0); /* tried beats resting */
    cad_steer_destroy(&steer);
}

static void test_steer_fails_over_inside_the_location_first(void **state)
{
    (void)state;
    struct cad_steer *steer = create(five, 5);
    cad_steer_report(steer, 0, CAD_STEER_SILENT, 0);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 0, 0), 1);
    cad_steer_report(steer, 1, CAD_STEER_SILENT, 5 * S);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 1, 5 * S), 2);
    /* The first ones have had their rest, but are not taken by our own wish: the same location. */
    cad_steer_report(steer, 2, CAD_STEER_SILENT, 16 * S);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 2, 16 * S), 3);
    cad_steer_report(steer, 3, CAD_STEER_SILENT, 17 * S);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 3, 17 * S), 4); /* then the next location */
    cad_steer_report(steer, 4, CAD_STEER_SILENT, 18 * S);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 4, 18 * S), 0); /* then what is left */
    cad_steer_destroy(&steer);
}

static void test_steer_returns_a_minute_after_the_rest(void **state)
{
    (void)state;
    struct cad_steer *steer = create(five, 5);
    cad_steer_report(steer, 0, CAD_STEER_TLS, 0); /* rests until 10 s */
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 1, 20 * S), 1);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 1, 70 * S - 1), 1);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 1, 70 * S), 0);
    assert_int_equal(cad_steer_pick(steer, ALL, 0x1, 1, 70 * S), 1); /* not for this request */
    assert_int_equal(cad_steer_pick(steer, 0x1e, 0, 1, 70 * S), 1);  /* it does not have it */
    /* One that never rested takes over at once: after one lost request, or a new order. */
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 4, 20 * S), 1);
    cad_steer_destroy(&steer);
}

static void test_steer_in_use_and_without_this_stream(void **state)
{
    (void)state;
    struct cad_steer *steer = create(five, 5);
    assert_int_equal(cad_steer_pick(steer, 0x1d, 0, 1, 0), 0);
    assert_int_equal(cad_steer_pick(steer, 0x1c, 0, 1, 0), 2);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 77, 0), 0); /* gone with a refresh */
    cad_steer_destroy(&steer);
}

static void test_steer_all_resting_tries_the_soonest(void **state)
{
    (void)state;
    struct cad_steer *steer = create(five, 3);
    cad_steer_report(steer, 1, CAD_STEER_TLS, 0);
    cad_steer_report(steer, 0, CAD_STEER_TLS, S);
    cad_steer_report(steer, 2, CAD_STEER_TLS, S);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 0, 2 * S), 1);
    cad_steer_report(steer, 1, CAD_STEER_CONNECT, 2 * S); /* the trial failed: until 12 s */
    assert_int_equal(cad_steer_rest_until(steer, 1, 2 * S), 12 * S);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 1, 3 * S), 0); /* of two as soon, the first */
    cad_steer_report(steer, 0, CAD_STEER_OK, 4 * S);
    assert_true(cad_steer_healthy(steer, 0, 4 * S)); /* a ban is lifted */
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 0, 4 * S), 0);
    cad_steer_destroy(&steer);
}

static void test_steer_health_survives_a_new_list(void **state)
{
    (void)state;
    struct cad_steer *steer = create(five, 5);
    cad_steer_report(steer, 0, CAD_STEER_TLS, 0);
    cad_steer_report(steer, 1, CAD_STEER_CONNECT, 0);
    /* Another order, another id, another case of the host's name; c is gone, f is new. */
    static const struct cad_steer_server fresh[] = {
        SERVER("f", 1), SERVER("b", 1),
        {.id = CAD_STR_INIT("a2"), .host = CAD_STR_INIT("A.test:443"), .location_rank = 2}};
    assert_int_equal(cad_steer_set_servers(steer, fresh, 3), CAD_OK);
    assert_true(cad_steer_healthy(steer, 0, S));
    assert_false(cad_steer_healthy(steer, 2, S));
    assert_int_equal(cad_steer_rest_until(steer, 2, S), 10 * S);
    cad_steer_report(steer, 1, CAD_STEER_CONNECT, S); /* the second in a row */
    assert_false(cad_steer_healthy(steer, 1, S));
    assert_true(cad_str_eqz(cad_steer_id(steer, 2), "a2"));
    assert_int_equal(cad_steer_id(steer, 3).n, 0);
    cad_steer_report(steer, 3, CAD_STEER_TLS, S); /* of the old list: nothing happens */
    assert_false(cad_steer_healthy(steer, 3, S));
    assert_int_equal(cad_steer_set_servers(steer, NULL, 0), CAD_OK);
    assert_int_equal(cad_steer_count(steer), 0);
    cad_steer_destroy(&steer);
}

static void test_steer_servers_of_one_host_share_its_health(void **state)
{
    (void)state;
    static const struct cad_steer_server twins[] = {
        SERVER("x", 1), {.id = CAD_STR_INIT("y"), .host = CAD_STR_INIT("x.test:443")},
        SERVER("z", 1)};
    struct cad_steer *steer = create(twins, 3);
    cad_steer_report(steer, 1, CAD_STEER_TLS, 0);
    assert_false(cad_steer_healthy(steer, 0, 0));
    assert_int_equal(cad_steer_pick(steer, ALL, 0, -1, 0), 2);
    cad_steer_destroy(&steer);
}

static void test_steer_limit_of_servers(void **state)
{
    (void)state;
    struct cad_steer_server many[CAD_STEER_SERVERS_MAX + 1];
    char hosts[CAD_STEER_SERVERS_MAX + 1][2];
    for (uint32_t i = 0; i <= CAD_STEER_SERVERS_MAX; i++) {
        hosts[i][0] = (char)('0' + i / 10);
        hosts[i][1] = (char)('0' + i % 10);
        cad_str name = {hosts[i], 2};
        many[i] = (struct cad_steer_server){.id = name, .host = name};
    }
    struct cad_steer *steer = create(many, CAD_STEER_SERVERS_MAX);
    assert_int_equal(cad_steer_set_servers(steer, many, CAD_STEER_SERVERS_MAX + 1), CAD_E_LIMIT);
    assert_int_equal(cad_steer_set_servers(steer, NULL, 1), CAD_E_INVAL);
    assert_int_equal(cad_steer_count(steer), CAD_STEER_SERVERS_MAX);
    for (uint32_t i = 0; i < 63; i++) {
        cad_steer_report(steer, i, CAD_STEER_TLS, 0);
        assert_int_equal(cad_steer_pick(steer, ALL, 0, (int32_t)i, 0), i + 1);
    }
    cad_steer_destroy(&steer);
}

static void test_steer_pick_is_always_a_candidate(void **state)
{
    (void)state;
    struct cad_steer *steer = create(five, 5);
    struct cad_rng r;
    cad_rng_init(&r, 3);
    cad_time now = 0;
    for (int i = 0; i < 50000; i++) {
        now += cad_rng_range_i64(&r, 0, 3 * S);
        uint64_t candidates = 1 + cad_rng_below(&r, 31);
        uint64_t avoid = cad_rng_below(&r, 32);
        int32_t sticky = (int32_t)cad_rng_range_i64(&r, -1, 4);
        uint64_t good = 0;
        for (uint32_t k = 0; k < 5; k++) {
            if (cad_steer_healthy(steer, k, now)) good |= UINT64_C(1) << k;
        }
        uint32_t picked = cad_steer_pick(steer, candidates, avoid, sticky, now);
        uint64_t bit = UINT64_C(1) << picked;
        assert_true(candidates & bit);
        if (candidates & good) assert_true(good & bit);
        if (candidates & good & ~avoid) assert_false(avoid & bit);
        cad_steer_report(steer, picked, (enum cad_steer_outcome)cad_rng_below(&r, 6), now);
    }
    cad_steer_destroy(&steer);
}

static int fill(const struct cad_alloc *alloc, struct cad_steer **steer)
{
    int err = cad_steer_create(alloc, steer);
    if (err < 0) return err;
    err = cad_steer_set_servers(*steer, five, 2);
    if (err < 0) return err;
    return cad_steer_set_servers(*steer, five, 5);
}

static void test_steer_survives_failing_allocation(void **state)
{
    (void)state;
    static const uint32_t count_after[] = {0, 0, 2, 5}; /* the old list stays */
    uint64_t at = 1;
    for (;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_steer *steer = NULL;
        int err = fill(&alloc, &steer);
        assert_int_equal(err, f.failed ? CAD_E_NOMEM : CAD_OK);
        if (steer) assert_int_equal(cad_steer_count(steer), count_after[at - 1]);
        cad_steer_destroy(&steer);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
    assert_int_equal(at, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steer_uses_the_first_healthy_one),
        cmocka_unit_test(test_steer_passes_over_what_was_tried),
        cmocka_unit_test(test_steer_fails_over_inside_the_location_first),
        cmocka_unit_test(test_steer_returns_a_minute_after_the_rest),
        cmocka_unit_test(test_steer_in_use_and_without_this_stream),
        cmocka_unit_test(test_steer_all_resting_tries_the_soonest),
        cmocka_unit_test(test_steer_health_survives_a_new_list),
        cmocka_unit_test(test_steer_servers_of_one_host_share_its_health),
        cmocka_unit_test(test_steer_limit_of_servers),
        cmocka_unit_test(test_steer_pick_is_always_a_candidate),
        cmocka_unit_test(test_steer_survives_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
