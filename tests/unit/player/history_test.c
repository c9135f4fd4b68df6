/* The last minute: an entry a quarter of a second, the oldest goes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "history.h"

static struct cad_engine_stats stats_of(int64_t ahead_ms)
{
    struct cad_engine_stats stats = {.estimate_bps = 5000000, .state = CAD_STATE_PLAYING};
    stats.slot[CAD_SLOT_VIDEO] = (struct cad_slot_stats){
        .present = true, .ahead = ahead_ms * CAD_MS, .rate_bps = 3000000};
    stats.slot[CAD_SLOT_AUDIO] = (struct cad_slot_stats){
        .present = true, .ahead = 9000 * CAD_MS, .rate_bps = 128000};
    return stats;
}

static void test_history_keeps_a_minute(void **state)
{
    (void)state;
    struct history history;
    history_init(&history);
    for (int i = 0; i < HISTORY_COUNT + 10; i++) {
        struct cad_engine_stats stats = stats_of(i * 10);
        assert_true(history_add(&history, &stats, i * HISTORY_PERIOD));
        assert_false(history_add(&history, &stats, i * HISTORY_PERIOD + 1));
    }
    assert_int_equal(history.count, HISTORY_COUNT);
    assert_int_equal(history_entry(&history, 0)->buffer_ms, 100);
    assert_int_equal(history_entry(&history, HISTORY_COUNT - 1)->buffer_ms, 2490);
    assert_int_equal(history_entry(&history, 5)->rate_bps, 3128000);
    assert_int_equal(history_entry(&history, 5)->throughput_bps, 5000000);
}

/* The smaller buffer is what counts; a slot that is not there does not. */
static void test_history_takes_the_smaller_buffer(void **state)
{
    (void)state;
    struct history history;
    struct cad_engine_stats stats = stats_of(20000);
    history_init(&history);
    history_add(&history, &stats, 0);
    assert_int_equal(history_entry(&history, 0)->buffer_ms, 9000);
    stats.slot[CAD_SLOT_AUDIO].present = false;
    stats.state = CAD_STATE_BUFFERING;
    history_add(&history, &stats, CAD_SECOND);
    /* The entries between were missed: time goes on evenly. */
    assert_int_equal(history.count, 5);
    assert_int_equal(history_entry(&history, 3)->buffer_ms, 9000);
    assert_int_equal(history_entry(&history, 4)->buffer_ms, 20000);
    assert_true(history_entry(&history, 4)->stalled);
    stats.slot[CAD_SLOT_VIDEO].present = false;
    history_add(&history, &stats, 3600 * CAD_SECOND);
    assert_int_equal(history.count, HISTORY_COUNT);
    assert_int_equal(history_entry(&history, 0)->buffer_ms, 20000);
    assert_int_equal(history_entry(&history, HISTORY_COUNT - 1)->buffer_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history_keeps_a_minute),
        cmocka_unit_test(test_history_takes_the_smaller_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
