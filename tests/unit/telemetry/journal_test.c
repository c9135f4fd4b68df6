/*
 * Goal: events of record arrive exactly once and in order, whatever is lost, refused, late or
 * killed; a stop comes for every start.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "stage.h"
#include "support/failing_alloc.h"

static void open_stage(struct stage *s)
{
    stage_init_system(s);
    assert_int_equal(stage_start(s), 0);
}

/* Nobody says where events and logs go. */
static void open_without_places(struct stage *s)
{
    stage_init_system(s);
    s->config.event_url = s->config.log_url = CAD_STR("");
    assert_int_equal(stage_start(s), 0);
}

/* The last stop that the service took. */
static const struct mock_ingest_item *stop_of(const struct stage *s)
{
    const struct mock_ingest_item *stop = NULL;
    for (size_t i = 0; i < s->ingest.count; i++) {
        if (strcmp(s->ingest.items[i].name, "events/stop") == 0) stop = &s->ingest.items[i];
    }
    return stop;
}

static void assert_session(const struct stage *s, const char *xid)
{
    static const char *const types[] = {"start", "pause", "resume", "seek", "stop"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(mock_ingest_events(&s->ingest, xid, types[i]), 1);
    }
    assert_true(mock_ingest_in_order(&s->ingest, NULL));
}

static size_t journals_in(const struct stage *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) n += strncmp(s->items[i].key, "pb-", 3) == 0;
    return n;
}

/* Without a place in the configuration events go where their playback's link says, also when
 * another process sends them. */
static void test_journal_goes_where_the_link_says(void **state)
{
    (void)state;
    static struct stage s;
    open_without_places(&s);
    assert_true(stage_fact(&s, stage_play("x1"))); /* its link is no URL */
    struct cad_fact title = stage_simple(CAD_FACT_TITLE);
    title.u.play.link = CAD_STR("http://one.test/events?playbackContextId=A");
    title.u.play.video = CAD_STR("V:9");
    assert_true(stage_fact(&s, title));
    assert_true(stage_fact(&s, stage_simple(CAD_FACT_FIRST_FRAME)));
    assert_true(stage_fact(&s, stage_state(CAD_PLAY_PLAYING)));
    assert_true(stage_until(&s, s.now + 5 * CAD_SECOND));
    assert_non_null(strstr(s.last_url, "http://one.test/events?playbackContextId=A&reqAttempt=1"));
    assert_non_null(strstr(cad_sb_str(&s.ingest.last).p, "\"videoTrackId\":\"V:9\""));
    assert_int_equal(stage_start(&s), 0);
    assert_true(stage_until(&s, s.now + 5 * CAD_SECOND));
    assert_non_null(strstr(s.last_url, "http://one.test/events?playbackContextId=A&reqAttempt="));
    assert_non_null(strstr(s.last_url, "&reqName=events/stop&"));
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "stop"), 1);
    assert_int_equal(s.spins, 0);
    stage_deinit(&s);
}

static void test_journal_without_a_link_tells_nothing(void **state)
{
    (void)state;
    static struct stage s;
    char link[CAD_TELEMETRY_LINK_MAX + 2];
    open_without_places(&s);
    assert_true(stage_fact(&s, stage_play("x1")));
    memset(link, 'a', sizeof(link)); /* too long to be kept: none */
    memcpy(link, "http://one.test/", 16);
    struct cad_fact title = stage_simple(CAD_FACT_TITLE);
    title.u.play.link = (cad_str){link, sizeof(link) - 1};
    assert_true(stage_fact(&s, title));
    assert_true(stage_fact(&s, stage_simple(CAD_FACT_FIRST_FRAME)));
    assert_true(stage_fact(&s, stage_end("ended")));
    assert_true(stage_until(&s, s.now + 60 * CAD_SECOND));
    assert_int_equal(s.posts, 0);
    assert_int_equal(stage_stats(&s).events, 0);
    assert_int_equal(s.spins, 0);
    stage_deinit(&s);
}

/* A picture that is shown in pause: the pause begins with it. */
static void test_journal_begins_in_pause(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    assert_true(stage_fact(&s, stage_play("x1")));
    assert_true(stage_fact(&s, stage_state(CAD_PLAY_PAUSED)));
    assert_true(stage_fact(&s, stage_simple(CAD_FACT_FIRST_FRAME)));
    assert_true(stage_fact(&s, stage_state(CAD_PLAY_PLAYING)));
    assert_true(stage_until(&s, s.now + CAD_SECOND));
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "start"), 1);
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "pause"), 1);
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "resume"), 1);
    stage_deinit(&s);
}

static void test_journal_tells_a_session(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    assert_true(stage_session(&s, "x1"));
    assert_true(stage_until(&s, s.now + 60 * CAD_SECOND));
    assert_session(&s, "x1");
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "keepAlive"), 2);
    assert_int_equal(mock_ingest_events(&s.ingest, NULL, NULL), STAGE_SESSION_EVENTS);
    assert_int_equal(s.ingest.duplicates, 0);
    assert_int_equal(journals_in(&s), 0);
    struct cad_telemetry_stats st = stage_stats(&s);
    assert_int_equal(st.events, STAGE_SESSION_EVENTS);
    assert_int_equal(st.events_delivered, STAGE_SESSION_EVENTS);
    assert_int_equal(st.events_waiting, 0);
    assert_int_equal(s.spins, 0);
    const struct mock_ingest_item *stop = stop_of(&s);
    assert_non_null(stop);
    assert_string_equal(stop->reason, "stopped");
    assert_int_equal(stop->rendered_ms, 130000 + 5000 + 20000);
    stage_deinit(&s);
}

static void test_journal_sends_nothing_without_a_picture(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    assert_true(stage_fact(&s, stage_play("x1")));
    s.now += 5 * CAD_SECOND;
    assert_true(stage_fact(&s, stage_state(CAD_PLAY_PAUSED)));
    assert_true(stage_fact(&s, stage_end("error")));
    assert_true(stage_until(&s, s.now + 300 * CAD_SECOND));
    assert_int_equal(mock_ingest_events(&s.ingest, NULL, NULL), 0);
    assert_int_equal(journals_in(&s), 0);
    stage_deinit(&s);
}

/* The process ends at every half-step; the next one brings all to its end. */
static void kill_everywhere(uint64_t second_after, bool lost_answers)
{
    uint64_t at;
    for (at = 1;; at++) {
        static struct stage s;
        open_stage(&s);
        s.lost_answers = lost_answers;
        s.kill_at = at;
        bool lived = stage_session(&s, "x1") && stage_until(&s, s.now + 400 * CAD_SECOND);
        s.kill_at = 0;
        if (second_after && !lived) {
            /* And once more while the first death is made good. */
            s.kill_at = s.steps + second_after;
            assert_int_equal(stage_start(&s), 0);
            s.now += CAD_SECOND;
            (void)stage_until(&s, s.now + 100 * CAD_SECOND);
            s.kill_at = 0;
        }
        s.lost_answers = false;
        assert_int_equal(stage_start(&s), 0);
        s.now += CAD_SECOND;
        assert_true(stage_until(&s, s.now + 2000 * CAD_SECOND));
        size_t starts = mock_ingest_events(&s.ingest, "x1", "start");
        size_t stops = mock_ingest_events(&s.ingest, "x1", "stop");
        assert_true(starts <= 1);
        assert_int_equal(stops, starts);
        assert_true(mock_ingest_in_order(&s.ingest, NULL));
        for (size_t i = 0; i < s.ingest.count; i++) {
            for (size_t k = i + 1; k < s.ingest.count; k++) {
                const struct mock_ingest_item *a = &s.ingest.items[i], *b = &s.ingest.items[k];
                bool events = a->xid[0] && b->xid[0];
                assert_false(events && a->seq == b->seq); /* nothing twice under two ids */
            }
        }
        assert_int_equal(journals_in(&s), 0);
        assert_int_equal(stage_stats(&s).records_broken, 0);
        if (lived) assert_session(&s, "x1");
        stage_deinit(&s);
        if (lived) break;
        assert_in_range(at, 1, 2000);
    }
    print_message("killed at each of %d half-steps\n", (int)at - 1);
}

static void test_journal_survives_a_kill_at_every_step(void **state)
{
    (void)state;
    kill_everywhere(0, false);
    kill_everywhere(0, true);
}

static void test_journal_survives_two_kills(void **state)
{
    (void)state;
    for (uint64_t after = 1; after < 24; after += 3) kill_everywhere(after, after % 2 == 0);
}

static void test_journal_recovers_a_stop(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    assert_true(stage_begin_playing(&s, "x1"));
    assert_true(stage_until(&s, s.now + 150 * CAD_SECOND));
    cad_telemetry_destroy(&s.t); /* killed */
    assert_int_equal(journals_in(&s), 1);
    assert_int_equal(stage_start(&s), 0);
    assert_true(stage_until(&s, s.now + 10 * CAD_SECOND));
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "stop"), 1);
    const struct mock_ingest_item *stop = stop_of(&s);
    assert_non_null(stop);
    assert_string_equal(stop->reason, "recovered");
    assert_int_equal(stop->position_ms, 120000); /* of the last keepAlive */
    assert_int_equal(stop->rendered_ms, 120000);
    assert_int_equal(stage_stats(&s).events_recovered, 1);
    assert_int_equal(journals_in(&s), 0);
    stage_deinit(&s);
}

static void test_journal_retries_under_one_id(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.status = 500;
    assert_true(stage_begin(&s, "x1"));
    assert_true(stage_until(&s, s.now + 4 * CAD_SECOND));
    assert_int_equal(s.posts - s.low_posts, 3); /* fast ones */
    assert_non_null(strstr(s.last_url, "reqAttempt=3&reqName=events/start&reqId="));
    assert_true(s.last_post.timeout == 4 * CAD_SECOND);
    assert_true(stage_until(&s, s.now + 600 * CAD_SECOND));
    uint32_t tries = s.posts - s.low_posts;
    assert_in_range(tries, 8, 12);
    s.status = 200;
    assert_true(stage_until(&s, s.now + 400 * CAD_SECOND));
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "start"), 1);
    assert_int_equal(s.ingest.duplicates, 0);
    stage_deinit(&s);
}

static void test_journal_honours_retry_after(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.status = 429;
    s.retry_after = 120 * CAD_SECOND;
    assert_true(stage_begin(&s, "x1"));
    assert_true(stage_until(&s, s.now + 119 * CAD_SECOND));
    assert_int_equal(s.posts - s.low_posts, 1);
    assert_true(stage_until(&s, s.now + 2 * CAD_SECOND));
    assert_int_equal(s.posts - s.low_posts, 2);
    stage_deinit(&s);
}

static void test_journal_drops_what_is_refused(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.status = 400;
    assert_true(stage_session(&s, "x1"));
    assert_true(stage_until(&s, s.now + 60 * CAD_SECOND));
    assert_int_equal(stage_stats(&s).events_refused, STAGE_SESSION_EVENTS);
    assert_int_equal(journals_in(&s), 0);
    stage_deinit(&s);
}

static void test_journal_is_offline_for_hours(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.status = 0;
    assert_true(stage_session(&s, "x1"));
    for (int i = 0; i < 5; i++) assert_true(stage_until(&s, s.now + 3600 * CAD_SECOND));
    assert_int_equal(stage_stats(&s).events_waiting, STAGE_SESSION_EVENTS - 1); /* collapsed */
    assert_int_equal(s.spins, 0);
    s.status = 200;
    assert_true(stage_until(&s, s.now + 600 * CAD_SECOND));
    assert_session(&s, "x1");
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "keepAlive"), 1);
    s.status = 0;
    assert_true(stage_session(&s, "x2"));
    assert_true(stage_until(&s, s.now + 25 * 3600 * CAD_SECOND));
    assert_int_equal(stage_stats(&s).events_waiting, 0); /* nobody wants them after a day */
    assert_int_equal(stage_stats(&s).events_expired, STAGE_SESSION_EVENTS - 1);
    assert_int_equal(journals_in(&s), 0);
    stage_deinit(&s);
}

static void test_journal_does_not_wait_for_a_broken_store(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.store_result = CAD_E_IO;
    assert_true(stage_session(&s, "x1"));
    assert_true(stage_until(&s, s.now + 60 * CAD_SECOND));
    assert_session(&s, "x1");
    assert_true(stage_stats(&s).store_failures > 0);
    assert_int_equal(s.spins, 0);
    stage_deinit(&s);
    open_stage(&s);
    s.config.store = false;
    assert_int_equal(stage_start(&s), 0);
    assert_true(stage_session(&s, "x1"));
    assert_true(stage_until(&s, s.now + 60 * CAD_SECOND));
    assert_session(&s, "x1");
    assert_int_equal(s.puts + s.gets + s.deletes, 0);
    stage_deinit(&s);
}

static void test_journal_waits_for_a_store_that_is_slow(void **state)
{
    (void)state;
    static struct stage s;
    struct cad_telemetry_order o;
    open_stage(&s);
    assert_true(stage_fact(&s, stage_play("x1")));
    struct cad_fact f = stage_simple(CAD_FACT_FIRST_FRAME);
    f.at = s.now;
    assert_int_equal(cad_telemetry_fact(s.t, &f), 0);
    uint32_t id = 0;
    while (cad_telemetry_poll(s.t, &o) == 0) {
        assert_int_not_equal(o.type, CAD_TELEMETRY_HTTP_POST);
        if (o.type == CAD_TELEMETRY_STORE_PUT && o.durable) id = o.id;
    }
    assert_int_not_equal(id, 0);
    assert_true(cad_telemetry_next_wake(s.t) <= s.now + 2 * CAD_SECOND);
    cad_telemetry_turn(s.t, s.now + 2 * CAD_SECOND);
    assert_int_equal(cad_telemetry_poll(s.t, &o), 0);
    assert_int_equal(o.type, CAD_TELEMETRY_HTTP_POST);
    assert_false(o.low_priority);
    assert_int_equal(cad_telemetry_store_done(s.t, id + 1000, 0, (cad_buf){0}), CAD_E_STALE);
    stage_deinit(&s);
}

static void test_journal_limits_what_waits(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.status = 0;
    assert_true(stage_begin(&s, "x1"));
    for (int i = 0; i < 200; i++) {
        s.now += CAD_SECOND;
        assert_true(stage_fact(&s, stage_state(i % 2 ? CAD_PLAY_PLAYING : CAD_PLAY_PAUSED)));
    }
    assert_true(stage_fact(&s, stage_end("stopped")));
    struct cad_telemetry_stats st = stage_stats(&s);
    assert_int_equal(st.events_waiting, CAD_TELEMETRY_EVENTS_MAX);
    assert_int_equal(st.events_lost, 202 - CAD_TELEMETRY_EVENTS_MAX);
    s.status = 200;
    assert_true(stage_until(&s, s.now + 1000 * CAD_SECOND));
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "start"), 1);
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "stop"), 1);
    stage_deinit(&s);
}

static void test_journal_waits_for_entropy(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.no_entropy = true;
    assert_true(stage_begin(&s, "x1"));
    assert_int_equal(s.posts, 0);
    uint8_t bytes[256];
    memset(bytes, 9, sizeof(bytes));
    cad_telemetry_entropy(s.t, (cad_buf){bytes, sizeof(bytes)});
    assert_true(stage_run(&s));
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "start"), 1);
    stage_deinit(&s);
}

static void test_journal_hears_the_service_stop_it(void **state)
{
    (void)state;
    static struct stage s;
    struct cad_telemetry_stop stop;
    open_stage(&s);
    s.answer_body = "{\"a\":[1],\"stop\":{\"code\":\"LIMIT\",\"message\":\"too many \\u0041\"}}";
    assert_true(stage_begin(&s, "x1"));
    cad_telemetry_stop_asked(s.t, &stop);
    assert_true(stop.asked);
    assert_string_equal(stop.code, "LIMIT");
    assert_string_equal(stop.message, "too many A");
    assert_true(stage_fact(&s, stage_play("x2")));
    cad_telemetry_stop_asked(s.t, &stop);
    assert_false(stop.asked);
    s.answer_body = "{\"stop\":{\"code\":";
    assert_true(stage_fact(&s, stage_simple(CAD_FACT_FIRST_FRAME)));
    cad_telemetry_stop_asked(s.t, &stop);
    assert_false(stop.asked);
    stage_deinit(&s);
}

/* A failing allocation anywhere: the session goes on, nothing comes twice, and nothing leaks. */
static void test_journal_survives_failing_memory(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        static struct stage s;
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        stage_init(&s, &alloc);
        int err = stage_start(&s);
        assert_true(err == 0 || err == CAD_E_NOMEM);
        if (err == 0) {
            assert_true(stage_session(&s, "x1"));
            assert_true(stage_until(&s, s.now + 120 * CAD_SECOND));
            assert_session(&s, "x1"); /* what could not be made at once was made later */
            assert_int_equal(stage_stats(&s).events_lost, 0);
        }
        stage_deinit(&s);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
        assert_in_range(at, 1, 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_journal_tells_a_session),
        cmocka_unit_test(test_journal_goes_where_the_link_says),
        cmocka_unit_test(test_journal_without_a_link_tells_nothing),
        cmocka_unit_test(test_journal_begins_in_pause),
        cmocka_unit_test(test_journal_sends_nothing_without_a_picture),
        cmocka_unit_test(test_journal_survives_a_kill_at_every_step),
        cmocka_unit_test(test_journal_survives_two_kills),
        cmocka_unit_test(test_journal_recovers_a_stop),
        cmocka_unit_test(test_journal_retries_under_one_id),
        cmocka_unit_test(test_journal_honours_retry_after),
        cmocka_unit_test(test_journal_drops_what_is_refused),
        cmocka_unit_test(test_journal_is_offline_for_hours),
        cmocka_unit_test(test_journal_does_not_wait_for_a_broken_store),
        cmocka_unit_test(test_journal_waits_for_a_store_that_is_slow),
        cmocka_unit_test(test_journal_limits_what_waits),
        cmocka_unit_test(test_journal_waits_for_entropy),
        cmocka_unit_test(test_journal_hears_the_service_stop_it),
        cmocka_unit_test(test_journal_survives_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
