/*
 * Goal: a clock that stands for want of media is a stall with a beginning and an end; a clock that
 * stands for no reason ends in recovery steps and a typed error, never in silence.
 */
#include "driver.h"

static void test_stall_begins_and_ends(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 1500000;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    d->offline = true; /* the device does not notice: transfers just stand */
    assert_true(drv_until(d, CAD_APP_STALL_BEGIN, 40 * CAD_SECOND));
    cad_time began = d->now;
    assert_int_equal(d->state, CAD_STATE_BUFFERING);
    assert_int_equal(d->sink.config.rate_q16, 0);
    const struct cad_app_event *begin = drv_last(d, CAD_APP_STALL_BEGIN);
    assert_true(begin->position <= d->sink.media + 100 * CAD_MS);
    assert_true(begin->position >= d->sink.media - 100 * CAD_MS);
    drv_play_for(d, 3 * CAD_SECOND);
    d->strict_bytes = false; /* what hung was given up; the same bytes are asked for elsewhere */
    d->offline = false;
    assert_true(drv_until(d, CAD_APP_STALL_END, 20 * CAD_SECOND));
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    const struct cad_app_event *end = drv_last(d, CAD_APP_STALL_END);
    cad_time lasted = d->now - began;
    assert_in_range(end->duration, lasted - 200 * CAD_MS, lasted + 200 * CAD_MS);
    assert_int_equal(drv_stats(d).stalls, 1);
    assert_int_equal(drv_stats(d).stall_time, end->duration);
    assert_int_equal(drv_count(d, CAD_APP_STALL_BEGIN), 1);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    /* it resumes with the larger goal; the figure counts whole segments only */
    cad_time ahead = drv_slot_stats(d, CAD_SLOT_VIDEO).ahead;
    assert_true(ahead >= 4 * CAD_SECOND - DRV_SEGMENT);
    assert_true(ahead <= 8 * CAD_SECOND);
}

/* By hand: an anchor that says underrun is enough. */
static void test_stall_by_anchor(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 600000;
    drv_load(d, 1);
    drv_play_for(d, 8 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    d->offline = true;
    d->sink.mute_clock = true;
    drv_anchor(d, d->sink.media, 0, true);
    drv_turns(d);
    assert_int_equal(d->state, CAD_STATE_BUFFERING);
    assert_int_equal(drv_count(d, CAD_APP_STALL_BEGIN), 1);
}

/* Pausing is no stall, and a stall that is paused ends with the pause. */
static void test_stall_then_pause(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 1500000;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    d->offline = true;
    assert_true(drv_until(d, CAD_APP_STALL_BEGIN, 40 * CAD_SECOND));
    drv_pause(d);
    d->strict_bytes = false;
    d->offline = false;
    drv_play_for(d, 20 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(drv_count(d, CAD_APP_STALL_END), 1);
    assert_int_equal(drv_stats(d).stalls, 1);
}

static void test_stall_then_seek(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 1500000;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    d->offline = true;
    assert_true(drv_until(d, CAD_APP_STALL_BEGIN, 40 * CAD_SECOND));
    d->strict_bytes = false;
    d->offline = false;
    drv_seek(d, 50 * CAD_SECOND, 9);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 15 * CAD_SECOND));
    assert_int_equal(drv_count(d, CAD_APP_STALL_END), 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_stats(d).stalls, 1);
}

/* The sink takes samples but its clock does not move: it is flushed, then given up. */
static void test_stuck_sink(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    uint32_t flushes = d->sink.flushes;
    d->sink.mute_clock = true;
    cad_time began = d->now;
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 60 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_SINK_STUCK);
    assert_true(d->sink.flushes > flushes);
    assert_true(d->now - began >= 3 * CAD_SECOND);
    assert_true(d->now - began <= 30 * CAD_SECOND);
    assert_int_equal(drv_open_requests(d), 0);
}

static void test_stuck_sink_that_takes_nothing(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    d->sink.stuck = true;
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 60 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_SINK_STUCK);
}

/* A sink that never shows anything from the start. */
static void test_stuck_sink_from_the_start(void **state)
{
    struct drv *d = *state;
    d->sink.stuck = true;
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 60 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_SINK_STUCK);
    assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 0);
}

/* After the end was pulled as well. */
static void test_stuck_sink_at_the_end(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 59 * CAD_SECOND + 500 * CAD_MS);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    d->sink.stuck = true;
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 60 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_SINK_STUCK);
}

static void test_stuck_sink_recovers(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    cad_time at = d->sink.media;
    d->sink.mute_clock = true;
    drv_play_for(d, 4 * CAD_SECOND);
    d->sink.mute_clock = false;
    drv_play_for(d, 20 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    assert_true(d->sink.media > at + 15 * CAD_SECOND);
    assert_int_equal(d->bytes_twice, 0);
}

/* Nothing ever arrives: buffering ends in a typed error of the network. */
static void test_nothing_arrives_at_the_start(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_LOADED, CAD_SECOND));
    d->offline = true;
    d->strict_bytes = false;
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 200 * CAD_SECOND));
    enum cad_error_domain domain = drv_fatal(d)->domain;
    assert_true(domain == CAD_DOMAIN_NETWORK || drv_fatal(d)->code == CAD_ERR_STUCK);
}

/* A device that slept did not play on: who wakes first, the engine or the sink, changes nothing. */
static void test_stall_sleep_is_no_progress(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 10 * CAD_SECOND);
    cad_time before = drv_stats(d).position;
    uint32_t flushes = d->sink.flushes;
    d->now += 30 * CAD_SECOND;
    drv_turns(d);
    assert_int_equal(d->sink.flushes, flushes);
    assert_in_range(drv_stats(d).position, before, before + 3 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_stall_begins_and_ends),
        DRV_TEST(test_stall_by_anchor),
        DRV_TEST(test_stall_then_pause),
        DRV_TEST(test_stall_then_seek),
        DRV_TEST(test_stuck_sink),
        DRV_TEST(test_stuck_sink_that_takes_nothing),
        DRV_TEST(test_stuck_sink_from_the_start),
        DRV_TEST(test_stuck_sink_at_the_end),
        DRV_TEST(test_stuck_sink_recovers),
        DRV_TEST(test_nothing_arrives_at_the_start),
        DRV_TEST(test_stall_sleep_is_no_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
