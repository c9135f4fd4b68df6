/*
 * Goal: a title that was prepared shows nothing and stops fetching by itself; loaded, it plays at
 * once out of what is there, and no byte of it is asked for again.
 */
#include "driver.h"

#include "base/str.h"

#define AHEAD (8 * CAD_SECOND) /* the goal of a prepared title, and a segment */

static void test_prepare_fetches_and_waits(void **state)
{
    struct drv *d = *state;
    drv_prepare(d, 3);
    assert_true(drv_until(d, CAD_APP_PREPARED, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_PREPARED)->ticket, 3);
    drv_play_for(d, 5 * CAD_SECOND);
    uint32_t requests = d->request_count;
    drv_play_for(d, 200 * CAD_SECOND); /* longer than any limit of a session that waits */
    assert_int_equal(d->request_count, requests);
    assert_int_equal(drv_count(d, CAD_APP_PREPARED), 1);
    assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 0);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    assert_int_equal(d->sink.configures, 0);
    assert_int_equal(d->sink.slot[CAD_SLOT_VIDEO].count, 0);
    assert_true(drv_stats(d).prepared);
    for (uint32_t slot = 0; slot < CAD_ENGINE_TRACKS; slot++) {
        assert_true(drv_slot_stats(d, slot).ahead >= 2 * CAD_SECOND);
        assert_true(drv_slot_stats(d, slot).ahead <= AHEAD);
    }
}

/* The driver asserts that no byte which is held is asked for again. */
static void test_prepare_then_load(void **state)
{
    struct drv *d = *state;
    drv_prepare(d, 3);
    assert_true(drv_until(d, CAD_APP_PREPARED, 5 * CAD_SECOND));
    drv_play_for(d, 5 * CAD_SECOND);
    uint32_t requests = d->request_count;
    cad_time at = d->now;
    drv_load(d, 4);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, CAD_SECOND));
    assert_true(drv_last(d, CAD_APP_FIRST_FRAME)->at - at <= 5 * DRV_TICK);
    assert_true(drv_stats(d).startup <= 5 * DRV_TICK);
    assert_int_equal(drv_requests_of(d, requests, CAD_PURPOSE_MANIFEST), 0);
    assert_int_equal(drv_last(d, CAD_APP_LOADED)->ticket, 4);
    assert_true(drv_until(d, CAD_APP_ENDED, 70 * CAD_SECOND));
    assert_int_equal(drv_stats(d).bytes_twice, 0);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

/* LOAD comes while the preparation is still under way: at every point of it. */
static void test_prepare_load_at_any_time(void **state)
{
    for (cad_time wait = 0; wait < 400 * CAD_MS; wait += DRV_TICK) {
        struct drv_options o;
        drv_options_init(&o);
        o.rate_bps = 4000000;
        struct drv *d = drv_renew(state, &o);
        drv_prepare(d, 3);
        drv_play_for(d, wait);
        drv_load(d, 4);
        assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
        assert_int_equal(d->manifests, 1);
        drv_play_for(d, 3 * CAD_SECOND);
        assert_int_equal(d->state, CAD_STATE_PLAYING);
    }
}

static void test_prepare_load_elsewhere(void **state)
{
    struct drv *d = *state;
    struct cad_title title = {
        .base = CAD_STR("http://svc"), .id = CAD_STR("900100"), .start = 31 * CAD_SECOND};
    drv_prepare(d, 3);
    assert_true(drv_until(d, CAD_APP_PREPARED, 5 * CAD_SECOND));
    drv_load_title(d, &title, 4);
    drv_play(d);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_int_equal(d->manifests, 1); /* of a prepared title this is kept, wherever it begins */
    assert_true(drv_stats(d).position >= 31 * CAD_SECOND);
}

static void test_prepare_then_another(void **state)
{
    struct drv *d = *state;
    drv_prepare(d, 3);
    assert_true(drv_until(d, CAD_APP_PREPARED, 5 * CAD_SECOND));
    drv_net_forget(d);
    drv_load_url(d, "http://h0/v1.mp4", 4);
    drv_play(d);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_false(drv_stats(d).prepared);
    assert_int_equal(drv_last(d, CAD_APP_LOADED)->ticket, 4);
}

static void test_prepare_stop(void **state)
{
    struct drv *d = *state;
    drv_prepare(d, 3);
    drv_play_for(d, 100 * CAD_MS);
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_play_for(d, 100 * CAD_MS);
    assert_int_equal(drv_open_requests(d), 0);
    assert_int_equal(d->state, CAD_STATE_STOPPED);
    assert_false(drv_stats(d).prepared);
}

static struct drv_answer refuse(struct drv *d, const struct drv_request *r)
{
    (void)d;
    if (!r->service) return (struct drv_answer){.fault = DRV_SERVE};
    return (struct drv_answer){.fault = DRV_STATUS, .value = 403};
}

/* A title that could not be prepared is loaded from the start. */
static void test_prepare_refused(void **state)
{
    struct drv *d = *state;
    d->script = refuse;
    drv_prepare(d, 3);
    assert_true(drv_until(d, CAD_APP_ERROR, 15 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->ticket, 3);
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_HTTP_REFUSED);
    d->script = NULL;
    drv_load(d, 4);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
}

/* What plays is not given up for what may be played later. */
static void test_prepare_busy(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    drv_prepare(d, 2);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.code, CAD_ERR_PREPARE_BUSY);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.cls, CAD_ERROR_DEGRADED);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->ticket, 2);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->manifests, 1);
    assert_true(drv_until(d, CAD_APP_ENDED, 70 * CAD_SECOND));
    drv_net_forget(d);
    drv_prepare(d, 3);
    assert_true(drv_until(d, CAD_APP_PREPARED, 5 * CAD_SECOND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_prepare_fetches_and_waits), DRV_TEST(test_prepare_then_load),
        DRV_TEST(test_prepare_load_at_any_time),  DRV_TEST(test_prepare_load_elsewhere),
        DRV_TEST(test_prepare_then_another),      DRV_TEST(test_prepare_stop),
        DRV_TEST(test_prepare_refused),           DRV_TEST(test_prepare_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
