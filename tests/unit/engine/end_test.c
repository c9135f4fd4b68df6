/*
 * Goal: a title ends once, when its last sample has been shown, with every sample delivered exactly
 * once; afterwards it can be sought in and played again.
 */
#include "driver.h"

static void to_the_end(struct drv *d)
{
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 80 * CAD_SECOND));
}

static void test_end_once(void **state)
{
    struct drv *d = *state;
    to_the_end(d);
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_ENDED), 1);
    assert_int_equal(drv_last(d, CAD_APP_ENDED)->ticket, 1);
    assert_int_equal(d->state, CAD_STATE_ENDED);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    assert_int_equal(drv_count(d, CAD_APP_STALL_BEGIN), 0);
    assert_int_equal(drv_open_requests(d), 0);
    assert_int_equal(d->bytes_twice, 0);
    assert_in_range(drv_stats(d).position, 59 * CAD_SECOND, 60 * CAD_SECOND);
    /* every picture and every frame of sound, once */
    assert_int_equal(d->sink.slot[CAD_SLOT_VIDEO].count, 60 * 25);
    assert_int_equal(d->sink.slot[CAD_SLOT_AUDIO].count, 60 * 48000 / 1024);
    assert_int_equal(drv_stats(d).frames, 60 * 25);
    struct cad_sample sample;
    assert_int_equal(cad_engine_pull(d->engine, CAD_SLOT_VIDEO, &sample), CAD_E_END);
    assert_int_equal(cad_engine_pull(d->engine, CAD_SLOT_AUDIO, &sample), CAD_E_END);
}

/* It takes as long as the title is: the clock never ran ahead or stood. */
static void test_end_in_time(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_PLAYING, 5 * CAD_SECOND));
    cad_time began = d->now;
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 80 * CAD_SECOND));
    assert_in_range(d->now - began, 60 * CAD_SECOND - 50 * CAD_MS, 60 * CAD_SECOND + 200 * CAD_MS);
}

static void test_end_idle_afterwards(void **state)
{
    struct drv *d = *state;
    to_the_end(d);
    drv_play_for(d, CAD_SECOND);
    uint64_t turns = d->turns;
    drv_play_for(d, 30 * CAD_SECOND);
    assert_true(d->turns - turns <= 10);
}

static void test_end_then_play(void **state)
{
    struct drv *d = *state;
    to_the_end(d);
    drv_play(d);
    drv_play_for(d, 3 * CAD_SECOND);
    /* PLAY at the end stays at the end: an application seeks to begin again */
    assert_int_equal(d->state, CAD_STATE_ENDED);
    assert_int_equal(drv_count(d, CAD_APP_ENDED), 1);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
}

static void test_end_then_seek(void **state)
{
    struct drv *d = *state;
    to_the_end(d);
    drv_net_forget(d);
    drv_seek(d, 10 * CAD_SECOND, 9);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_in_range(drv_stats(d).position, 12 * CAD_SECOND, 14 * CAD_SECOND);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 60 * CAD_SECOND));
    assert_int_equal(drv_count(d, CAD_APP_ENDED), 2);
}

static void test_end_then_pause_then_seek(void **state)
{
    struct drv *d = *state;
    to_the_end(d);
    drv_pause(d);
    drv_net_forget(d);
    drv_seek(d, 55 * CAD_SECOND, 9);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    drv_play(d);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 10 * CAD_SECOND));
}

static void test_end_paused_just_before(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 59 * CAD_SECOND + 900 * CAD_MS);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    drv_pause(d);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(drv_count(d, CAD_APP_ENDED), 0);
    drv_play(d);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 2 * CAD_SECOND));
}

/* A title whose last segment is short. */
static void test_end_of_an_odd_length(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 7 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 20 * CAD_SECOND));
    assert_int_equal(d->sink.slot[CAD_SLOT_VIDEO].count, 7 * 25);
    assert_int_equal(drv_count(d, CAD_APP_ENDED), 1);
}

/* A title shorter than the start goal starts all the same. */
static void test_end_of_a_very_short_title(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 5 * CAD_SECOND));
    assert_int_equal(d->sink.slot[CAD_SLOT_VIDEO].count, 25);
    assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 1);
    assert_int_equal(drv_stats(d).stalls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_end_once),
        DRV_TEST(test_end_in_time),
        DRV_TEST(test_end_idle_afterwards),
        DRV_TEST(test_end_then_play),
        DRV_TEST(test_end_then_seek),
        DRV_TEST(test_end_then_pause_then_seek),
        DRV_TEST(test_end_paused_just_before),
        DRV_TEST(test_end_of_an_odd_length),
        DRV_TEST(test_end_of_a_very_short_title),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
