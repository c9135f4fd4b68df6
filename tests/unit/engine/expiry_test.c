/*
 * Goal: URLs are renewed before they expire, at once when a server says that they have, and never
 * in a storm; while that goes on the buffer plays (licensed manifest 9).
 */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

/* URLs that live for 60 s, a buffer that holds 10. */
static struct drv *short_life(void **state, cad_time life)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 120 * CAD_SECOND;
    o.set_engine = true;
    o.engine.buffer_ahead = 10 * CAD_SECOND;
    o.url_life = life;
    return drv_renew(state, &o);
}

static struct drv_answer expiring(struct drv *d, const struct drv_request *r)
{
    if (r->stream < 0) {
        if (r->purpose == CAD_PURPOSE_REFRESH && d->script_value) {
            return (struct drv_answer){.fault = DRV_STATUS, .value = d->script_value};
        }
        return (struct drv_answer){.fault = DRV_SERVE};
    }
    const char *e = strstr(r->url, "&e=");
    int64_t expiry_s = e ? strtoll(e + 3, NULL, 10) : INT64_MAX;
    if (drv_server_ms(d) >= expiry_s * 1000) {
        return (struct drv_answer){.fault = DRV_STATUS, .value = 403};
    }
    return (struct drv_answer){.fault = DRV_SERVE};
}

static uint32_t refused(const struct drv *d)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->request_count; i++) {
        n += d->requests[i].stream >= 0 && d->requests[i].answer.fault == DRV_STATUS;
    }
    return n;
}

static void test_expiry_is_renewed_ahead(void **state)
{
    struct drv *d = short_life(state, 80 * CAD_SECOND);
    d->script = expiring;
    drv_load(d, 1);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 0);
    /* half of the rest: at 40 s */
    drv_play_for(d, 15 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 1);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_REFRESH), 1);
    assert_in_range(drv_last(d, CAD_APP_REFRESHED)->at, 138 * CAD_SECOND, 142 * CAD_SECOND);
    uint32_t before = d->request_count;
    drv_play_for(d, 20 * CAD_SECOND);
    for (uint32_t i = before; i < d->request_count; i++) {
        if (d->requests[i].stream >= 0) assert_int_equal(d->requests[i].generation, 2);
    }
    assert_true(d->request_count > before);
    assert_int_equal(refused(d), 0);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_stats(d).refreshes, 1);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(d->bytes_twice, 0);
    assert_int_equal(drv_count(d, CAD_APP_LOADED), 1);
}

/* 30 minutes of a long life, not half of it. */
static void test_expiry_lead_is_30_minutes(void **state)
{
    struct drv *d = short_life(state, INT64_C(4) * 3600 * CAD_SECOND);
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    cad_time wake = cad_engine_next_wake(d->engine);
    assert_true(wake != CAD_TIME_NONE);
    drv_play_for(d, 60 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 0);
}

static const char *param_of(const char *text, const char *key)
{
    const char *p = strstr(text, key);
    assert_non_null(p);
    return p + strlen(key);
}

static void test_expiry_refresh_request(void **state)
{
    struct drv *d = short_life(state, 60 * CAD_SECOND);
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_REFRESHED, 50 * CAD_SECOND));
    const struct drv_request *first = &d->requests[0], *again = NULL;
    for (uint32_t i = 1; i < d->request_count; i++) {
        if (d->requests[i].purpose == CAD_PURPOSE_REFRESH) again = &d->requests[i];
    }
    assert_non_null(again);
    assert_true(again->post);
    /* same title, same xid, same name, but another logical request */
    assert_int_equal(strncmp(param_of(first->body, "\"xid\":"), param_of(again->body, "\"xid\":"),
                             16), 0);
    assert_int_equal(strncmp(param_of(first->body, "\"viewableId\":"),
                             param_of(again->body, "\"viewableId\":"), 6), 0);
    assert_int_equal(strncmp(param_of(again->url, "reqName="), "licensedManifest&", 17), 0);
    assert_int_equal(strncmp(param_of(again->url, "reqAttempt="), "1&", 2), 0);
    assert_int_not_equal(strncmp(param_of(first->url, "reqId="), param_of(again->url, "reqId="),
                                 32), 0);
}

/* A server that says 403 while the URL is near its end: one refresh, then the new URLs. */
static void test_expiry_403_refreshes_at_once(void **state)
{
    struct drv *d = short_life(state, 200 * CAD_SECOND);
    drv_load(d, 1);
    drv_play_for(d, 10 * CAD_SECOND);
    drv_rule(d, -1, -1, DRV_STATUS, 403)->left = 2;
    cad_time at = d->now;
    assert_true(drv_until(d, CAD_APP_REFRESHED, 8 * CAD_SECOND));
    assert_true(d->now - at <= 8 * CAD_SECOND);
    uint32_t before = d->request_count;
    drv_play_for(d, 15 * CAD_SECOND);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_REFRESH), 1);
    for (uint32_t i = before; i < d->request_count; i++) {
        if (d->requests[i].stream >= 0) assert_int_equal(d->requests[i].generation, 2);
    }
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    /* a URL's fault is no server's fault */
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, "1");
}

/* Far from expiry one server's 403 sends the request to another; a second one means the URL. */
static void test_expiry_403_from_two_servers(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 2000000;
    drv_load(d, 1);
    drv_play_for(d, 6 * CAD_SECOND);
    drv_rule(d, 0, -1, DRV_STATUS, 403);
    drv_play_for(d, 6 * CAD_SECOND);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_REFRESH), 0);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    d->rules[0].server = -1;
    assert_true(drv_until(d, CAD_APP_REFRESHED, 10 * CAD_SECOND));
    d->rules[0].left = 0;
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_REFRESH), 1);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

/* One server that is gone and one that refuses are no two that refuse: the third is asked, and the
 * URLs are left as they are. */
static void test_expiry_403_beside_one_that_is_gone(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.servers = 3;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    drv_play_for(d, 35 * CAD_SECOND); /* far from a refresh, or what would count as one */
    drv_rule(d, 0, -1, DRV_CLASS, CAD_HTTP_CONNECT);
    drv_rule(d, 1, -1, DRV_STATUS, 403);
    drv_seek(d, 5 * CAD_SECOND, 2);
    d->strict_bytes = false;
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 10 * CAD_SECOND));
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->manifests, 1);
    assert_true(drv_stats(d).stall_time < 2 * CAD_SECOND);
}


/* A server that refuses for ever: at most one refresh in 30 s, five in a row, then it is over. */
static void test_expiry_403_for_ever_is_bounded(void **state)
{
    struct drv *d = short_life(state, 200 * CAD_SECOND);
    drv_load(d, 1);
    drv_play_for(d, 10 * CAD_SECOND);
    drv_rule(d, -1, -1, DRV_STATUS, 403);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 300 * CAD_SECOND));
    uint32_t count = 0;
    cad_time last = 0;
    for (uint32_t i = 0; i < d->request_count; i++) {
        if (d->requests[i].purpose != CAD_PURPOSE_REFRESH) continue;
        if (count) assert_true(d->requests[i].started - last >= 29 * CAD_SECOND);
        last = d->requests[i].started;
        count++;
    }
    assert_in_range(count, 1, 6);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 1);
    assert_true(d->request_count < 100);
}

/* The service does not answer: the buffer plays to its end, then MANIFEST_EXPIRED. */
static void test_expiry_refresh_fails(void **state)
{
    struct drv *d = short_life(state, 40 * CAD_SECOND);
    d->script = expiring;
    d->script_value = 503;
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 100 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_MANIFEST_EXPIRED);
    assert_int_equal(drv_fatal(d)->domain, CAD_DOMAIN_MANIFEST);
    assert_int_equal(drv_fatal(d)->phase, CAD_PHASE_REFRESH);
    /* up to the staleness of the URLs media came, and 10 s of it were held */
    assert_true(drv_stats(d).position >= 30 * CAD_SECOND);
    assert_true(d->now <= 100 * CAD_SECOND + 75 * CAD_SECOND);
    assert_true(drv_errors(d, CAD_ERROR_DEGRADED) >= 1);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 0);
}

/* It fails at first and succeeds before the old URLs are of no use: nobody notices. */
static void test_expiry_refresh_fails_once(void **state)
{
    struct drv *d = short_life(state, 160 * CAD_SECOND);
    d->script = expiring;
    d->script_value = 503;
    drv_load(d, 1);
    drv_play_for(d, 95 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 0);
    d->script_value = 0;
    drv_play_for(d, 20 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(refused(d), 0);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

/* Paused over the expiry: nothing is asked for meanwhile, and on resume the manifest comes
 * first. */
static void test_expiry_paused_over_it(void **state)
{
    struct drv *d = short_life(state, 60 * CAD_SECOND);
    d->script = expiring;
    drv_load(d, 1);
    drv_play_for(d, 10 * CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, 200 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_REFRESH), 0);
    uint32_t before = d->request_count;
    drv_play(d);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->requests[before].purpose, CAD_PURPOSE_REFRESH);
    assert_int_equal(refused(d), 0);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

/* A seek outside the buffer after the pause: the same. */
static void test_expiry_paused_then_seek(void **state)
{
    struct drv *d = short_life(state, 60 * CAD_SECOND);
    d->script = expiring;
    drv_load(d, 1);
    drv_play_for(d, 10 * CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, 200 * CAD_SECOND);
    drv_seek(d, 100 * CAD_SECOND, 9);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 10 * CAD_SECOND));
    assert_int_equal(refused(d), 0);
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 100 * CAD_SECOND);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
}

/* The device's clock is wrong by two hours either way: the server's time decides. */
static void test_expiry_by_server_time(void **state)
{
    static const int64_t errors_ms[] = {7200000, -7200000};
    for (int i = 0; i < 2; i++) {
        struct drv_options o;
        drv_options_init(&o);
        o.device_error_ms = errors_ms[i];
        o.url_life = 1800 * CAD_SECOND;
        struct drv *d = drv_renew(state, &o);
        d->script = expiring;
        d->options.rate_bps = 2000000;
        drv_load(d, 1);
        drv_play_for(d, 30 * CAD_SECOND);
        assert_int_equal(d->state, CAD_STATE_PLAYING);
        assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_REFRESH), 0);
        assert_int_equal(refused(d), 0);
        assert_int_equal(drv_stats(d).stalls, 0);
    }
}

/* And when the device's clock jumps later on, nothing happens either. */
static void test_expiry_clock_jump(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 2000000;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    struct cad_event event = {.type = CAD_EVENT_WALL_OFFSET};
    event.u.wall.offset_ms = DRV_EPOCH_MS + INT64_C(100) * 24 * 3600 * 1000;
    event.u.wall.error_ms = 1000;
    drv_feed(d, &event);
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_REFRESH), 0);
    assert_int_equal(drv_stats(d).stalls, 0);
}

/* The fresh manifest describes other files: playback goes on all the same, at the next fragment. */
static void test_expiry_streams_that_changed(void **state)
{
    struct drv *d = short_life(state, 60 * CAD_SECOND);
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    d->strange_sizes = true;
    d->strict_bytes = false; /* headers are read again */
    assert_true(drv_until(d, CAD_APP_REFRESHED, 50 * CAD_SECOND));
    drv_play_for(d, 20 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

static void test_expiry_stop_while_refreshing(void **state)
{
    struct drv *d = short_life(state, 60 * CAD_SECOND);
    drv_load(d, 1);
    while (drv_requests_of(d, 0, CAD_PURPOSE_REFRESH) == 0) {
        drv_play_for(d, DRV_TICK);
        assert_true(d->now < 200 * CAD_SECOND);
    }
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_STOPPED);
    assert_int_equal(drv_open_requests(d), 0);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_expiry_is_renewed_ahead),
        DRV_TEST(test_expiry_lead_is_30_minutes),
        DRV_TEST(test_expiry_refresh_request),
        DRV_TEST(test_expiry_403_refreshes_at_once),
        DRV_TEST(test_expiry_403_from_two_servers),
        DRV_TEST(test_expiry_403_beside_one_that_is_gone),
        DRV_TEST(test_expiry_403_for_ever_is_bounded),
        DRV_TEST(test_expiry_refresh_fails),
        DRV_TEST(test_expiry_refresh_fails_once),
        DRV_TEST(test_expiry_paused_over_it),
        DRV_TEST(test_expiry_paused_then_seek),
        DRV_TEST(test_expiry_by_server_time),
        DRV_TEST(test_expiry_clock_jump),
        DRV_TEST(test_expiry_streams_that_changed),
        DRV_TEST(test_expiry_stop_while_refreshing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
