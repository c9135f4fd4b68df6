/*
 * Goal: creation refuses what cannot work, the queues have limits and keep them, turns are cheap
 * when nothing is to be done and deterministic when something is.
 */
#include "driver.h"

#include <string.h>

#include "base/util.h"

static struct cad_engine_config config_of(struct cad_failing *failing)
{
    struct cad_engine_config config;
    cad_engine_config_init(&config);
    cad_failing_init(failing, 0);
    config.alloc = cad_failing_alloc(failing);
    config.check = true;
    return config;
}

static void test_create_defaults(void **state)
{
    (void)state;
    struct cad_engine_config config;
    memset(&config, 0xFF, sizeof config);
    cad_engine_config_init(&config);
    assert_int_equal(config.size, sizeof config);
    assert_int_equal(config.seed, 1);
    assert_int_equal(config.ceiling_bytes, INT64_C(64) * 1024 * 1024);
    assert_int_equal(config.buffer_ahead, 60 * CAD_SECOND);
    assert_int_equal(config.buffer_behind, 20 * CAD_SECOND);
    assert_int_equal(config.start_goal, 2 * CAD_SECOND);
    assert_int_equal(config.resume_goal, 4 * CAD_SECOND);
    assert_true(config.allow_http);
    assert_null(config.abr);
}

static void test_create_and_destroy(void **state)
{
    (void)state;
    struct cad_failing failing;
    struct cad_engine_config config = config_of(&failing);
    struct cad_engine *engine = NULL;
    assert_int_equal(cad_engine_create(&config, &engine), 0);
    assert_non_null(engine);
    assert_int_equal(cad_engine_next_wake(engine), CAD_TIME_NONE);
    struct cad_engine_stats stats;
    cad_engine_stats(engine, &stats);
    assert_int_equal(stats.state, CAD_STATE_IDLE);
    assert_int_equal(stats.startup, CAD_TIME_NONE);
    struct cad_action action;
    assert_int_equal(cad_engine_poll(engine, &action), CAD_E_AGAIN);
    struct cad_sample sample;
    for (uint32_t slot = 0; slot < CAD_ENGINE_TRACKS; slot++) {
        int rc = cad_engine_pull(engine, slot, &sample);
        assert_true(rc == CAD_E_AGAIN || rc == CAD_E_END);
    }
    cad_engine_destroy(&engine);
    assert_null(engine);
    cad_engine_destroy(&engine);
    cad_engine_destroy(NULL);
    assert_int_equal(failing.live_blocks, 0);
}

static void refuse(const struct cad_engine_config *config)
{
    struct cad_engine *engine = NULL;
    int rc = cad_engine_create(config, &engine);
    assert_true(rc == CAD_E_INVAL || rc == CAD_E_LIMIT);
    assert_null(engine);
}

static void test_create_bad_configs(void **state)
{
    (void)state;
    struct cad_failing failing;
    struct cad_engine_config good = config_of(&failing), config = good;
    config.size = 8;
    refuse(&config);
    config = good;
    config.alloc.fn = NULL;
    refuse(&config);
    config = good;
    config.ceiling_bytes = 4 * 1024 * 1024 - 1;
    refuse(&config);
    config = good;
    config.buffer_ahead = 2 * CAD_SECOND - 1;
    refuse(&config);
    config = good;
    config.buffer_behind = -1;
    refuse(&config);
    config = good;
    config.start_goal = -1;
    refuse(&config);
    config = good;
    config.resume_goal = -1;
    refuse(&config);
    refuse(NULL);
    struct cad_engine_config smallest = good;
    smallest.ceiling_bytes = 4 * 1024 * 1024;
    smallest.buffer_ahead = 2 * CAD_SECOND;
    smallest.buffer_behind = 0;
    struct cad_engine *engine = NULL;
    assert_int_equal(cad_engine_create(&smallest, &engine), 0);
    cad_engine_destroy(&engine);
    assert_int_equal(failing.live_blocks, 0);
}

static void test_create_allocation_failures(void **state)
{
    (void)state;
    uint64_t at = 1;
    for (;; at++) {
        struct cad_failing failing;
        struct cad_engine_config config = config_of(&failing);
        failing.fail_at = at;
        struct cad_engine *engine = NULL;
        int rc = cad_engine_create(&config, &engine);
        if (failing.failed) {
            assert_int_equal(rc, CAD_E_NOMEM);
            assert_null(engine);
        } else {
            assert_int_equal(rc, 0);
        }
        cad_engine_destroy(&engine);
        assert_int_equal(failing.live_blocks, 0);
        assert_int_equal(failing.mismatches, 0);
        if (!failing.failed) break;
    }
    assert_true(at > 1);
}

static void test_feed_limit(void **state)
{
    (void)state;
    struct cad_failing failing;
    struct cad_engine_config config = config_of(&failing);
    struct cad_engine *engine = NULL;
    assert_int_equal(cad_engine_create(&config, &engine), 0);
    struct cad_event event = {.type = CAD_EVENT_COMMAND};
    event.u.command.type = CAD_COMMAND_PLAY;
    for (uint32_t i = 0; i < CAD_ENGINE_INPUTS_MAX; i++) {
        assert_int_equal(cad_engine_feed(engine, &event), 0);
    }
    assert_int_equal(cad_engine_feed(engine, &event), CAD_E_LIMIT);
    int rc = 1;
    for (int i = 0; i < 100 && rc == 1; i++) {
        struct cad_action action;
        rc = cad_engine_run(engine, CAD_SECOND);
        while (cad_engine_poll(engine, &action) == 0) {}
    }
    assert_int_equal(rc, 0);
    assert_int_equal(cad_engine_feed(engine, &event), 0);
    cad_engine_destroy(&engine);
    assert_int_equal(failing.live_blocks, 0);
}

static void test_feed_bad_arguments(void **state)
{
    struct drv *d = *state;
    struct cad_event event = {.type = (enum cad_event_type)999};
    assert_int_equal(cad_engine_feed(d->engine, &event), CAD_E_INVAL);
    assert_int_equal(cad_engine_feed(d->engine, NULL), CAD_E_INVAL);
    event = (struct cad_event){.type = CAD_EVENT_COMMAND};
    event.u.command.type = (enum cad_command_type)77;
    int rc = cad_engine_feed(d->engine, &event);
    assert_true(rc == CAD_E_INVAL || rc == 0);
    d->due = true;
    drv_settle(d);
    assert_int_equal(d->state, CAD_STATE_IDLE);
    struct cad_sample sample;
    assert_true(cad_engine_pull(d->engine, CAD_ENGINE_TRACKS, &sample) < 0);
}

/* Actions that wait to be polled stop the engine: a turn then does nothing. */
static void test_run_waits_for_polls(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    int rc = 1;
    for (int i = 0; i < 20; i++) rc = cad_engine_run(d->engine, d->now);
    struct cad_engine_stats one = drv_stats(d);
    for (int i = 0; i < 20; i++) rc = cad_engine_run(d->engine, d->now + i * CAD_SECOND);
    assert_true(rc >= 0);
    struct cad_engine_stats two = drv_stats(d);
    assert_int_equal(one.decision_hash, two.decision_hash);
    struct cad_action action;
    uint32_t starts = 0;
    while (cad_engine_poll(d->engine, &action) == 0) starts += action.type == CAD_ACTION_HTTP_START;
    assert_int_equal(starts, 1);
    cad_engine_destroy(&d->engine);
}

static void test_run_idle_is_idle(void **state)
{
    struct drv *d = *state;
    drv_settle(d);
    assert_int_equal(cad_engine_next_wake(d->engine), CAD_TIME_NONE);
    struct cad_engine_stats before = drv_stats(d);
    for (int i = 0; i < 50; i++) {
        d->now += CAD_SECOND;
        assert_int_equal(cad_engine_run(d->engine, d->now), 0);
        struct cad_action action;
        assert_int_equal(cad_engine_poll(d->engine, &action), CAD_E_AGAIN);
    }
    struct cad_engine_stats after = drv_stats(d);
    assert_int_equal(before.decisions, after.decisions);
    assert_int_equal(before.memory_used, after.memory_used);
}

/* With the buffer full and the clock standing there is nothing to wake for within a second. */
static void test_run_paused_and_full_is_idle(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, CAD_SECOND);
    uint64_t turns = d->turns;
    drv_play_for(d, 10 * CAD_SECOND);
    assert_true(d->turns - turns <= 10);
}

/* Steady playback costs turns by anchors, not by spinning: 10 anchors a second. */
static void test_run_playing_does_not_spin(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    uint64_t turns = d->turns;
    drv_play_for(d, 10 * CAD_SECOND);
    assert_true(d->turns - turns <= 10 * 10 * 3);
}

/* Steady playback allocates nothing but media. */
static void test_run_steady_allocates_nothing(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(drv_open_requests(d), 0);
    uint64_t calls = d->failing.calls;
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(d->failing.calls, calls);
}

static void test_run_next_wake_makes_progress(void **state)
{
    struct drv *d = *state;
    d->script_value = 0;
    drv_load(d, 1);
    drv_turns(d);
    /* The manifest's answer never comes: every wake must lie ahead, and after at most a few of them
     * the engine must have done something about it. */
    d->offline = true;
    uint32_t wakes = 0;
    while (d->state == CAD_STATE_LOADING) {
        cad_time wake = cad_engine_next_wake(d->engine);
        assert_true(wake != CAD_TIME_NONE);
        assert_true(wake > d->now);
        d->now = wake;
        drv_turns(d);
        assert_true(++wakes < 50);
    }
    assert_int_equal(d->state, CAD_STATE_FAILED);
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_NET_TIMEOUT);
    assert_true(d->now <= 100 * CAD_SECOND + 60 * CAD_SECOND);
}

static void play_some(struct drv *d)
{
    d->options.rate_bps = 1500000;
    drv_load(d, 1);
    drv_play_for(d, 15 * CAD_SECOND);
    drv_seek(d, 40 * CAD_SECOND, 2);
    drv_play_for(d, 10 * CAD_SECOND);
}

static void test_run_is_deterministic(void **state)
{
    struct drv *d = *state;
    play_some(d);
    struct cad_engine_stats one = drv_stats(d);
    uint32_t requests = d->request_count;
    d = drv_renew(state, NULL);
    play_some(d);
    struct cad_engine_stats two = drv_stats(d);
    assert_int_equal(one.decision_hash, two.decision_hash);
    assert_int_equal(one.decisions, two.decisions);
    assert_int_equal(one.turns, two.turns);
    assert_int_equal(one.memory_peak, two.memory_peak);
    assert_int_equal(requests, d->request_count);
    assert_true(one.decisions > 0);
    /* and the hash is one of what happened */
    d = drv_renew(state, NULL);
    d->options.rate_bps = 1500000;
    drv_load(d, 1);
    drv_play_for(d, 15 * CAD_SECOND);
    assert_int_not_equal(one.decision_hash, drv_stats(d).decision_hash);
}

/* Time that goes back is not followed. */
static void test_run_time_never_goes_back(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    cad_time position = drv_stats(d).position;
    int rc = cad_engine_run(d->engine, d->now - CAD_SECOND);
    assert_true(rc == 0 || rc == 1 || rc == CAD_E_INVAL);
    assert_true(drv_stats(d).position >= position);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

static void test_names_are_never_null(void **state)
{
    (void)state;
    assert_string_equal(cad_state_name(CAD_STATE_BUFFERING), "buffering");
    assert_string_equal(cad_app_event_name(CAD_APP_SEEK_DONE), "seek_done");
    assert_non_null(cad_state_name((enum cad_state)99));
    assert_non_null(cad_app_event_name((enum cad_app_event_type)99));
}

/* The names are in logs and in the text of tapes, the values on tapes: neither may move. */
static void test_names_of_http_classes(void **state)
{
    CAD_UNUSED(state);
    static const char *const names[] = {
        "ok", "dns", "connect", "tls", "certificate", "timeout", "reset", "protocol", "too-large",
        "no-file", "bad-file", "scheme", "address"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        assert_string_equal(cad_http_class_name((enum cad_http_class)i), names[i]);
    }
    assert_int_equal(CAD_HTTP_ADDRESS, CAD_ARRAY_LEN(names) - 1);
    assert_string_equal(cad_http_class_name((enum cad_http_class)CAD_ARRAY_LEN(names)), "?");
    assert_string_equal(cad_http_class_name((enum cad_http_class)-1), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_defaults),
        cmocka_unit_test(test_create_and_destroy),
        cmocka_unit_test(test_create_bad_configs),
        cmocka_unit_test(test_create_allocation_failures),
        cmocka_unit_test(test_feed_limit),
        DRV_TEST(test_feed_bad_arguments),
        DRV_TEST(test_run_waits_for_polls),
        DRV_TEST(test_run_idle_is_idle),
        DRV_TEST(test_run_paused_and_full_is_idle),
        DRV_TEST(test_run_playing_does_not_spin),
        DRV_TEST(test_run_steady_allocates_nothing),
        DRV_TEST(test_run_next_wake_makes_progress),
        DRV_TEST(test_run_is_deterministic),
        DRV_TEST(test_run_time_never_goes_back),
        cmocka_unit_test(test_names_are_never_null),
        cmocka_unit_test(test_names_of_http_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
