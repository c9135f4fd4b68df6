/*
 * Goal: connections are made before they are needed: one beside a title's first request, one to the
 * server that would be next while there is time; seldom, and never where they serve nobody.
 */
#include "driver.h"

#include <string.h>

static void test_warm_title(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_turns(d);
    assert_int_equal(d->request_count, 1);
    assert_int_equal(d->warm_count, 1);
    assert_string_equal(d->warms[0].url, "http://svc/");
    assert_int_equal(d->warms[0].requests, 1); /* the request itself goes first */
    assert_int_equal(d->warms[0].address_max, CAD_ADDRESS_UNKNOWN);
}

/* Where there is a CDM, a licence may be asked for beside picture and sound. */
static void test_warm_title_licence(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_turns(d);
    assert_int_equal(d->warms[0].connections, 1);
    struct drv_options o;
    drv_options_init(&o);
    o.drm = true;
    d = drv_renew(state, &o);
    drv_load(d, 1);
    drv_turns(d);
    assert_int_equal(d->warm_count, 1);
    assert_int_equal(d->warms[0].connections, 2);
}

static void test_warm_title_url(void **state)
{
    struct drv *d = *state;
    drv_load_url(d, "https://svc:8443/a/title.json?t=SECRET#x", 1);
    drv_turns(d);
    assert_int_equal(d->warm_count, 1);
    assert_string_equal(d->warms[0].url, "https://svc:8443/");
}

/* One resource on one connection needs no second one; a file none at all. */
static void test_warm_not_for_files(void **state)
{
    struct drv *d = *state;
    drv_load_url(d, "http://h0/v1.mp4", 1);
    drv_play(d);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_true(d->request_count > 0);
    assert_int_equal(d->warm_count, 0);
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_load_url(d, "file:///title.json", 1);
    drv_turns(d);
    assert_int_equal(d->warm_count, 0);
}

static struct drv_answer never(struct drv *d, const struct drv_request *r)
{
    (void)d;
    (void)r;
    return (struct drv_answer){.fault = DRV_CLASS, .value = CAD_HTTP_CONNECT};
}

static void test_warm_not_for_retries(void **state)
{
    struct drv *d = *state;
    d->script = never;
    drv_load(d, 1);
    drv_play_for(d, 6 * CAD_SECOND);
    assert_true(d->request_count > 1);
    assert_int_equal(d->warm_count, 1);
}

static struct drv *play(void **state, uint32_t servers)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 240 * CAD_SECOND;
    o.servers = servers;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    return d;
}

/* Once there is time, then again before its connection is gone; only the one that is next. */
static void test_warm_next_server(void **state)
{
    struct drv *d = play(state, 3);
    drv_play_for(d, 200 * CAD_SECOND);
    assert_in_range(d->warm_count, 3, 5);
    for (uint32_t i = 1; i < d->warm_count; i++) {
        assert_string_equal(d->warms[i].url, "http://h1/");
        if (i > 1) assert_true(d->warms[i].at >= d->warms[i - 1].at + 60 * CAD_SECOND);
    }
    assert_int_equal(drv_requests_on(d, 0, 1) + drv_requests_on(d, 0, 2), 0);
}

/* Not before the viewer has ten seconds. */
static void test_warm_waits_for_media(void **state)
{
    struct drv *d = *state;
    drv_pin(d, 0);
    d->options.rate_bps = 600000; /* twice what the lowest rung and the sound take */
    drv_load(d, 1);
    for (int i = 0; i < 3000 && d->warm_count < 2; i++) {
        drv_play_for(d, DRV_TICK);
    }
    assert_int_equal(d->warm_count, 2);
    assert_in_range(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead, 9500 * CAD_MS, 13 * CAD_SECOND);
}

static void test_warm_nobody(void **state)
{
    struct drv *d = play(state, 1);
    drv_play_for(d, 100 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->warm_count, 1);
    d = play(state, 2);
    drv_play_for(d, CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, CAD_SECOND);
    uint32_t count = d->warm_count;
    drv_play_for(d, 100 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(d->warm_count, count);
}

/* The one that was left a moment ago has its connection still. */
static void test_warm_not_the_last(void **state)
{
    struct drv *d = play(state, 2);
    drv_play_for(d, 5 * CAD_SECOND);
    drv_rule(d, 0, -1, DRV_STATUS, 404);
    cad_time left = d->now;
    uint32_t count = d->warm_count;
    drv_play_for(d, 40 * CAD_SECOND);
    assert_true(drv_requests_on(d, 0, 1) > 0);
    for (uint32_t i = count; i < d->warm_count; i++) {
        assert_true(d->warms[i].at >= left + 30 * CAD_SECOND);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_warm_title),         DRV_TEST(test_warm_title_url),
        DRV_TEST(test_warm_title_licence),
        DRV_TEST(test_warm_not_for_files), DRV_TEST(test_warm_not_for_retries),
        DRV_TEST(test_warm_next_server),   DRV_TEST(test_warm_waits_for_media),
        DRV_TEST(test_warm_nobody),        DRV_TEST(test_warm_not_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
