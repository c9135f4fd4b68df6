/* The clock runs by its rate, never goes back, never passes its limit, and follows a device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/clock.h"

#define S CAD_SECOND

static void test_clock_runs_by_its_rate(void **state)
{
    (void)state;
    struct cad_play_clock clock;
    cad_clock_reset(&clock, 10 * S);
    assert_int_equal(cad_clock_read(&clock, 100 * S, CAD_TIME_MAX), 10 * S);
    cad_clock_start(&clock, 100 * S, 65536);
    assert_int_equal(cad_clock_read(&clock, 101 * S, CAD_TIME_MAX), 11 * S);
    cad_clock_start(&clock, 102 * S, 2 * 65536);
    assert_int_equal(cad_clock_read(&clock, 103 * S, CAD_TIME_MAX), 14 * S);
    cad_clock_stop(&clock, 104 * S, CAD_TIME_MAX);
    assert_int_equal(cad_clock_read(&clock, 200 * S, CAD_TIME_MAX), 16 * S);
    assert_int_equal(cad_clock_when(&clock, 17 * S), CAD_TIME_NONE);
}

static void test_clock_keeps_below_its_limit(void **state)
{
    (void)state;
    struct cad_play_clock clock;
    cad_clock_reset(&clock, 0);
    cad_clock_start(&clock, 0, 65536);
    assert_int_equal(cad_clock_read(&clock, 5 * S, 3 * S), 3 * S);
    assert_int_equal(cad_clock_natural(&clock, 5 * S), 5 * S);
    /* A limit that shrinks does not take back what was read. */
    assert_int_equal(cad_clock_read(&clock, 5 * S, 2 * S), 3 * S);
    cad_clock_stop(&clock, 6 * S, 3 * S);
    cad_clock_start(&clock, 20 * S, 65536);
    assert_int_equal(cad_clock_read(&clock, 21 * S, CAD_TIME_MAX), 4 * S);
}

static void test_clock_follows_a_device(void **state)
{
    (void)state;
    struct cad_play_clock clock;
    cad_clock_reset(&clock, 0);
    cad_clock_start(&clock, 0, 65536);
    /* 8 ms behind: a part of it at a time. */
    cad_clock_discipline(&clock, S - 8 * CAD_MS, S);
    assert_int_equal(cad_clock_natural(&clock, S), S - CAD_MS);
    /* Far behind: at once, but what was read stays. */
    assert_int_equal(cad_clock_read(&clock, 2 * S, CAD_TIME_MAX), 2 * S - CAD_MS);
    cad_clock_discipline(&clock, S, 2 * S);
    assert_int_equal(cad_clock_natural(&clock, 2 * S), S);
    assert_int_equal(cad_clock_read(&clock, 2 * S, CAD_TIME_MAX), 2 * S - CAD_MS);
    assert_int_equal(cad_clock_read(&clock, 4 * S, CAD_TIME_MAX), 3 * S);
    /* Far ahead: followed at once. */
    cad_clock_discipline(&clock, 9 * S, 4 * S);
    assert_int_equal(cad_clock_read(&clock, 5 * S, CAD_TIME_MAX), 10 * S);
}

static void test_clock_says_when(void **state)
{
    (void)state;
    struct cad_play_clock clock;
    cad_clock_reset(&clock, 0);
    cad_clock_start(&clock, 7 * S, 65536 / 2);
    cad_time due = cad_clock_when(&clock, S);
    assert_int_equal(due, 9 * S + 1);
    assert_true(cad_clock_natural(&clock, due) >= S);
    cad_clock_set(&clock, 8 * S, 4 * S);
    assert_int_equal(cad_clock_natural(&clock, 8 * S), 4 * S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_runs_by_its_rate),
        cmocka_unit_test(test_clock_keeps_below_its_limit),
        cmocka_unit_test(test_clock_follows_a_device),
        cmocka_unit_test(test_clock_says_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
