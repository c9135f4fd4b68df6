/* Goal: time sums saturate and tick conversion is exact and rounds down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/base.h"

#include "base/rand.h"
#include "base/util.h"

static void test_time_sums_saturate_and_keep_none(void **state)
{
    (void)state;
    assert_true(cad_time_add(CAD_SECOND, 2 * CAD_MS) == INT64_C(1002000000));
    assert_true(cad_time_add(CAD_TIME_MAX, 1) == CAD_TIME_MAX);
    assert_true(cad_time_sub(-CAD_TIME_MAX, 1) == -CAD_TIME_MAX);
    assert_true(cad_time_add(-CAD_TIME_MAX, -1) == -CAD_TIME_MAX);
    assert_true(cad_time_add(CAD_TIME_NONE, 1) == CAD_TIME_NONE);
    assert_true(cad_time_add(1, CAD_TIME_NONE) == CAD_TIME_NONE);
    assert_true(cad_time_sub(CAD_TIME_NONE, 1) == CAD_TIME_NONE);
    assert_true(cad_time_sub(1, CAD_TIME_NONE) == CAD_TIME_NONE);
}

static void test_time_from_ticks_rounds_down(void **state)
{
    (void)state;
    assert_true(cad_time_from_ticks(1, 3) == INT64_C(333333333));
    assert_true(cad_time_from_ticks(-1, 3) == -INT64_C(333333334));
    assert_true(cad_time_from_ticks(1, 10000000) == 100); /* TTML ticks */
    assert_true(cad_time_from_ticks(90000, 90000) == CAD_SECOND);
    assert_true(cad_time_from_ticks(INT64_MAX, 1) == CAD_TIME_MAX);
    assert_true(cad_time_from_ticks(-INT64_MAX, 1) == -CAD_TIME_MAX);
    assert_true(cad_time_from_ticks(CAD_TIME_NONE, 90000) == CAD_TIME_NONE);
}

static void test_time_to_ticks_gives_the_last_tick_not_after(void **state)
{
    (void)state;
    assert_true(cad_time_to_ticks(CAD_SECOND - 1, 90000) == 89999);
    assert_true(cad_time_to_ticks(-1, 90000) == -1);
    assert_true(cad_time_to_ticks(CAD_TIME_NONE, 90000) == CAD_TIME_NONE);
    struct cad_rng r;
    cad_rng_init(&r, 2);
    for (int i = 0; i < 20000; i++) {
        uint32_t scale = (uint32_t)(1 + cad_rng_below(&r, 1000000000));
        cad_time t = cad_rng_range_i64(&r, -CAD_SECOND * 100000, CAD_SECOND * 100000);
        int64_t tick = cad_time_to_ticks(t, scale);
        assert_true(cad_time_from_ticks(tick, scale) <= t);
        assert_true(cad_time_from_ticks(tick + 1, scale) >= t);
    }
}

static void test_time_ticks_survive_the_way_there_and_back(void **state)
{
    (void)state;
    /* A timescale that divides a second loses nothing. */
    static const uint32_t scales[] = {1, 1000, 48000, 90000, 10000000, 1000000000};
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        if (1000000000 % scales[i] != 0) continue;
        for (int64_t ticks = -1000; ticks <= 1000; ticks += 7) {
            cad_time t = cad_time_from_ticks(ticks, scales[i]);
            assert_true(cad_time_to_ticks(t, scales[i]) == ticks);
        }
    }
}

static void test_time_earlier_passes_over_none(void **state)
{
    (void)state;
    assert_true(cad_time_earlier(3, 2) == 2);
    assert_true(cad_time_earlier(-1, 2) == -1);
    assert_true(cad_time_earlier(CAD_TIME_NONE, 2) == 2);
    assert_true(cad_time_earlier(3, CAD_TIME_NONE) == 3);
    assert_true(cad_time_earlier(CAD_TIME_NONE, CAD_TIME_NONE) == CAD_TIME_NONE);
}

static void test_time_version_is_made_of_its_numbers(void **state)
{
    (void)state;
    char text[32];
    snprintf(text, sizeof(text), "%d.%d.%d", CAD_VERSION_MAJOR, CAD_VERSION_MINOR,
             CAD_VERSION_PATCH);
    assert_string_equal(cad_version(), text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_sums_saturate_and_keep_none),
        cmocka_unit_test(test_time_from_ticks_rounds_down),
        cmocka_unit_test(test_time_to_ticks_gives_the_last_tick_not_after),
        cmocka_unit_test(test_time_ticks_survive_the_way_there_and_back),
        cmocka_unit_test(test_time_earlier_passes_over_none),
        cmocka_unit_test(test_time_version_is_made_of_its_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
