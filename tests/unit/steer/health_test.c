/* Goal: when a host is sent to rest, for how long, and what brings it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "steer/health.h"

#define S CAD_SECOND

static struct cad_health fresh(void)
{
    struct cad_health h;
    cad_health_init(&h);
    return h;
}

static void test_health_limits_of_each_kind_of_failure(void **state)
{
    (void)state;
    static const struct { enum cad_steer_outcome outcome; uint32_t limit; } kinds[] = {
        {CAD_STEER_CONNECT, 2}, {CAD_STEER_TLS, 1}, {CAD_STEER_STATUS_5XX, 3},
        {CAD_STEER_SILENT, 1},  {CAD_STEER_RESET, 2}};
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        struct cad_health h = fresh();
        for (uint32_t i = 1; i <= kinds[k].limit; i++) {
            assert_false(cad_health_resting(&h, 5 * S));
            cad_health_report(&h, kinds[k].outcome, 5 * S);
        }
        assert_true(cad_health_resting(&h, 5 * S));
        assert_int_equal(h.rest_until, 15 * S);
        assert_false(cad_health_resting(&h, 15 * S));
    }
}

static void test_health_success_clears_the_counts(void **state)
{
    (void)state;
    struct cad_health h = fresh();
    for (int i = 0; i < 20; i++) {
        cad_health_report(&h, CAD_STEER_CONNECT, i * S);
        cad_health_report(&h, CAD_STEER_OK, i * S);
        cad_health_report(&h, CAD_STEER_RESET, i * S);
        cad_health_report(&h, CAD_STEER_OK, i * S);
        cad_health_report(&h, CAD_STEER_STATUS_5XX, i * S);
        cad_health_report(&h, CAD_STEER_OK, i * S);
        assert_false(cad_health_resting(&h, i * S));
    }
    /* An answer of any kind proves that the host can be reached. */
    cad_health_report(&h, CAD_STEER_CONNECT, 30 * S);
    cad_health_report(&h, CAD_STEER_STATUS_5XX, 30 * S);
    cad_health_report(&h, CAD_STEER_CONNECT, 30 * S);
    assert_false(cad_health_resting(&h, 30 * S));
}

static void test_health_5xx_count_within_30_s(void **state)
{
    (void)state;
    struct cad_health h = fresh();
    cad_health_report(&h, CAD_STEER_STATUS_5XX, 0);
    cad_health_report(&h, CAD_STEER_STATUS_5XX, 20 * S);
    cad_health_report(&h, CAD_STEER_STATUS_5XX, 30 * S + 1); /* the first is too long ago */
    assert_false(cad_health_resting(&h, 30 * S + 1));
    cad_health_report(&h, CAD_STEER_STATUS_5XX, 50 * S); /* 20, 30, 50 */
    assert_true(cad_health_resting(&h, 50 * S));
}

static void test_health_rests_grow_while_half_open_fails(void **state)
{
    (void)state;
    static const cad_time rests[] = {10 * S, 30 * S, 120 * S, 600 * S, 600 * S, 600 * S};
    struct cad_health h = fresh();
    cad_time now = 0;
    cad_health_report(&h, CAD_STEER_TLS, now);
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        assert_int_equal(h.rest_until - now, rests[i]);
        assert_int_equal(cad_health_rest((uint32_t)i), rests[i]);
        now = h.rest_until;
        assert_false(cad_health_resting(&h, now)); /* every rest ends */
        cad_health_report(&h, CAD_STEER_CONNECT, now); /* one is enough now */
        assert_true(cad_health_resting(&h, now));
    }
}

static void test_health_ladder_begins_anew_after_a_minute(void **state)
{
    (void)state;
    struct cad_health h = fresh();
    cad_health_report(&h, CAD_STEER_TLS, 0);
    cad_health_report(&h, CAD_STEER_OK, 20 * S);
    cad_health_report(&h, CAD_STEER_CONNECT, 30 * S); /* no longer half open: two it takes */
    assert_false(cad_health_resting(&h, 30 * S));
    cad_health_report(&h, CAD_STEER_CONNECT, 79 * S);
    assert_int_equal(h.rest_until, 109 * S); /* well for 59 s only: the second rest */
    cad_health_report(&h, CAD_STEER_OK, 110 * S);
    cad_health_report(&h, CAD_STEER_TLS, 170 * S);
    assert_int_equal(h.rest_until, 180 * S); /* well for 60 s: the first again */
}

static void test_health_late_reports_change_no_rest(void **state)
{
    (void)state;
    struct cad_health h = fresh();
    cad_health_report(&h, CAD_STEER_SILENT, 0);
    cad_health_report(&h, CAD_STEER_SILENT, S); /* the same failure, of a parallel request */
    cad_health_report(&h, CAD_STEER_OK, 2 * S); /* of a request from before */
    assert_int_equal(h.rest_until, 10 * S);
    assert_true(cad_health_resting(&h, 9 * S));
    cad_health_report(&h, CAD_STEER_CONNECT, 10 * S); /* and it is half open still */
    assert_int_equal(h.rest_until, 40 * S);
}

static void test_health_trial_during_a_rest(void **state)
{
    (void)state;
    struct cad_health h = fresh();
    cad_health_report(&h, CAD_STEER_TLS, 0);
    h.on_trial = true;
    cad_health_report(&h, CAD_STEER_CONNECT, 4 * S);
    assert_int_equal(h.rest_until, 14 * S); /* the same rest anew, no longer one */
    assert_false(h.on_trial);
    h.on_trial = true;
    cad_health_report(&h, CAD_STEER_OK, 5 * S);
    assert_false(cad_health_resting(&h, 5 * S));
    assert_false(h.half_open);
}

static void test_health_settles_a_minute_after_its_rest(void **state)
{
    (void)state;
    struct cad_health h = fresh();
    assert_true(cad_health_settled(&h, 0));
    cad_health_report(&h, CAD_STEER_TLS, 0);
    assert_false(cad_health_settled(&h, 0));
    assert_false(cad_health_settled(&h, 70 * S - 1));
    assert_true(cad_health_settled(&h, 70 * S));
}

static void test_health_never_rests_longer_than_the_ladder(void **state)
{
    (void)state;
    struct cad_rng r;
    cad_rng_init(&r, 5);
    struct cad_health h = fresh();
    cad_time now = 0;
    for (int i = 0; i < 100000; i++) {
        now += cad_rng_range_i64(&r, 0, 20 * S);
        h.on_trial = cad_rng_chance(&r, 1, 10);
        bool rested = cad_health_resting(&h, now);
        cad_time until = h.rest_until;
        cad_health_report(&h, (enum cad_steer_outcome)cad_rng_below(&r, 6), now);
        if (cad_health_resting(&h, now)) assert_true(h.rest_until - now <= 600 * S);
        if (rested && cad_health_resting(&h, now)) assert_true(h.rest_until >= until);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_health_limits_of_each_kind_of_failure),
        cmocka_unit_test(test_health_success_clears_the_counts),
        cmocka_unit_test(test_health_5xx_count_within_30_s),
        cmocka_unit_test(test_health_rests_grow_while_half_open_fails),
        cmocka_unit_test(test_health_ladder_begins_anew_after_a_minute),
        cmocka_unit_test(test_health_late_reports_change_no_rest),
        cmocka_unit_test(test_health_trial_during_a_rest),
        cmocka_unit_test(test_health_settles_a_minute_after_its_rest),
        cmocka_unit_test(test_health_never_rests_longer_than_the_ladder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
