/*
 * Goal: bytes held and bytes in flight stay under the ceiling whatever the ladder, old media leaves
 * by time and by need, and an allocation that fails now and then is survived.
 */
#include "driver.h"

#define MIB (INT64_C(1024) * 1024)

static struct drv *small(void **state, int64_t ceiling)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 120 * CAD_SECOND;
    o.set_engine = true;
    o.engine.ceiling_bytes = ceiling;
    struct drv *d = drv_renew(state, &o);
    d->strict_bytes = false; /* what was given up for room may be wanted again */
    return d;
}

static int64_t held(const struct drv *d)
{
    struct cad_engine_stats s = drv_stats(d);
    return s.slot[0].bytes_held + s.slot[1].bytes_held;
}

static void check_ceiling(const struct drv *d, int64_t ceiling)
{
    /* what is in flight has its buffer already: it counts as held in full */
    assert_true(held(d) <= ceiling);
    /* the session itself stays under 2 MiB beside the media */
    assert_true(d->failing.live_bytes <= ceiling + 2 * MIB);
}

/* 4 MiB hold some 35 s of the top rung, the goal is 60 s behind which 20 s are kept. */
static void test_memory_ceiling(void **state)
{
    struct drv *d = small(state, 4 * MIB);
    drv_pin(d, 2);
    drv_load(d, 1);
    for (int i = 0; i < 300; i++) {
        drv_play_for(d, 100 * CAD_MS);
        check_ceiling(d, 4 * MIB);
    }
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    /* the ceiling is used, too */
    assert_true(held(d) > 2 * MIB);
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead >= 10 * CAD_SECOND);
    assert_true(drv_slot_stats(d, CAD_SLOT_AUDIO).ahead >= 10 * CAD_SECOND);
}

static void test_memory_ceiling_to_the_end(void **state)
{
    struct drv *d = small(state, 4 * MIB);
    d->options.rate_bps = 3000000;
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 140 * CAD_SECOND));
    assert_int_equal(d->sink.slot[CAD_SLOT_VIDEO].count, 120 * 25);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_true(d->failing.peak_bytes <= 6 * MIB);
}

static void test_memory_ceiling_under_seeks(void **state)
{
    struct drv *d = small(state, 4 * MIB);
    drv_pin(d, 2);
    drv_load(d, 1);
    for (uint32_t i = 0; i < 60; i++) {
        drv_seek(d, (cad_time)(i * 41 % 118) * CAD_SECOND, 10 + i);
        for (int k = 0; k < 5; k++) {
            drv_play_for(d, 50 * CAD_MS);
            check_ceiling(d, 4 * MIB);
        }
    }
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

/* The back buffer: twenty seconds by default, given back beyond that. */
static void test_memory_back_buffer(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.set_engine = true;
    o.engine.buffer_behind = 4 * CAD_SECOND;
    o.engine.buffer_ahead = 6 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    drv_pin(d, 1);
    drv_load(d, 1);
    drv_play_for(d, 20 * CAD_SECOND);
    /* 4 s behind, 6 s ahead and a segment of slack at both ends, of 50 kB a second and sound */
    assert_true(held(d) <= 14 * (50000 + 12300) + 100000);
    uint32_t before = d->request_count;
    drv_seek(d, 17 * CAD_SECOND, 9);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, CAD_SECOND));
    for (uint32_t i = before; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        assert_true(drv_segment(d, r->stream, r->range.first).start > 17 * CAD_SECOND);
    }
    assert_int_equal(d->bytes_twice, 0);
}

static void test_memory_is_given_back_by_stop(void **state)
{
    struct drv *d = *state;
    int64_t before = d->failing.live_bytes;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_true(held(d) > 4 * MIB);
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_turns(d);
    assert_int_equal(held(d), 0);
    /* the pool may keep a quarter of the ceiling for the next title */
    assert_true(d->failing.live_bytes <= before + 16 * MIB);
}

/* An allocation in three fails, then one in twenty. */
static void failing_now_and_then(struct drv *d, uint64_t every)
{
    d->options.rate_bps = 3000000;
    d->strict_bytes = false;
    drv_load(d, 1);
    drv_play_for(d, 4 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    for (int i = 0; i < 300; i++) {
        if (d->failing.calls > d->failing.fail_at) d->failing.fail_at = d->failing.calls + every;
        drv_play_for(d, 100 * CAD_MS);
    }
    assert_true(d->failing.failed > 0);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

static void test_memory_fails_often(void **state)
{
    failing_now_and_then(*state, 3);
}

static void test_memory_fails_seldom(void **state)
{
    failing_now_and_then(*state, 20);
}

/* Nothing can be had any more: the buffer is played, then the error has its name. */
static void test_memory_is_gone(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 120 * CAD_SECOND;
    o.set_engine = true;
    o.engine.buffer_ahead = 10 * CAD_SECOND;
    o.engine.buffer_behind = 0;
    struct drv *d = drv_renew(state, &o);
    d->strict_bytes = false;
    drv_load(d, 1);
    drv_play_for(d, 4 * CAD_SECOND);
    d->failing.fail_after = true;
    d->failing.fail_at = d->failing.calls + 1;
    drv_play_for(d, 110 * CAD_SECOND);
    /* the pool had kept some; either it was enough, or the end is the named one */
    if (d->state == CAD_STATE_FAILED) {
        assert_int_equal(drv_fatal(d)->code, CAD_ERR_OUT_OF_MEMORY);
    } else {
        assert_int_equal(d->state, CAD_STATE_PLAYING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_memory_ceiling),
        DRV_TEST(test_memory_ceiling_to_the_end),
        DRV_TEST(test_memory_ceiling_under_seeks),
        DRV_TEST(test_memory_back_buffer),
        DRV_TEST(test_memory_is_given_back_by_stop),
        DRV_TEST(test_memory_fails_often),
        DRV_TEST(test_memory_fails_seldom),
        DRV_TEST(test_memory_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
