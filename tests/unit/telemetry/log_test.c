/*
 * Goal: logs are batched by age, size and severity, bounded, retried under one id, kept over a
 * kill, never in the way of media, free of secrets; the bytes of a batch are always the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "stage.h"
#include "telemetry/logring.h"

static void open_stage(struct stage *s)
{
    stage_init_system(s);
    s->config.event_url = CAD_STR("");
    assert_int_equal(stage_start(s), 0);
    assert_true(stage_run(s));
}

/* With a place for events as well. */
static void open_with_events(struct stage *s)
{
    stage_init_system(s);
    assert_int_equal(stage_start(s), 0);
    assert_true(stage_run(s));
}

static struct cad_fact note(enum cad_severity severity, int32_t code, const char *message)
{
    struct cad_fact f = stage_simple(CAD_FACT_NOTE);
    f.u.note.severity = severity;
    f.u.note.type = CAD_STR("warn");
    f.u.note.code = code;
    f.u.note.where = CAD_STR("here");
    f.u.note.message = cad_str_from(message);
    return f;
}

static void play(struct stage *s)
{
    assert_true(stage_fact(s, stage_play("x1")));
    s->now += CAD_SECOND;
    assert_true(stage_fact(s, stage_simple(CAD_FACT_FIRST_FRAME)));
    assert_true(stage_fact(s, stage_state(CAD_PLAY_PLAYING)));
    assert_true(stage_until(s, s->now + 10 * CAD_SECOND));
}

/* Entries wait for the place that is told later; without the wish for that there are none. */
static void test_log_waits_for_its_place(void **state)
{
    (void)state;
    static struct stage s;
    for (int later = 0; later < 2; later++) {
        stage_init_system(&s);
        s.config.event_url = s.config.log_url = CAD_STR("");
        s.config.logs_later = later;
        assert_int_equal(stage_start(&s), 0);
        play(&s);
        assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 1, "a")));
        assert_true(stage_until(&s, s.now + 100 * CAD_SECOND));
        assert_int_equal(s.posts, 0);
        assert_int_equal(stage_stats(&s).entries > 0, later);
        char url[2050];
        memset(url, 'x', sizeof(url));
        assert_int_equal(cad_telemetry_log_url(s.t, (cad_str){url, 2049}), CAD_E_INVAL);
        char place[] = "http://late.test/logblob";
        assert_int_equal(cad_telemetry_log_url(s.t, cad_str_from(place)), 0);
        memset(place, 'x', sizeof(place)); /* it was copied */
        assert_true(stage_until(&s, s.now + CAD_SECOND));
        assert_int_equal(s.posts > 0, later);
        if (later) assert_non_null(strstr(s.last_url, "http://late.test/logblob?reqAttempt=1"));
        assert_int_equal(s.spins, 0);
        stage_deinit(&s);
    }
}

static void test_log_takes_reports(void **state)
{
    (void)state;
    static struct stage s;
    static char large[CAD_TELEMETRY_REPORT_MAX + 2];
    open_stage(&s);
    struct cad_fact f = stage_simple(CAD_FACT_REPORT);
    f.u.report.type = CAD_STR("ftlProbe");
    f.u.report.json = CAD_STR(" {\"iter\":3,\"type\":\"http_get\"}");
    assert_true(stage_fact(&s, f)); /* without a playback */
    memset(large, ' ', sizeof(large));
    memcpy(large, "{\"a\":1}", 7);
    static const char *const bad[] = {"[1]", "{\"a\":", "{} {}", "7"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        f.u.report.json = cad_str_from(bad[i]);
        assert_true(stage_fact(&s, f));
    }
    large[sizeof(large) - 1] = '}';
    memcpy(large, "{\"a\":1 ", 7);
    f.u.report.json = (cad_str){large, sizeof(large)};
    assert_true(stage_fact(&s, f));
    f.u.report.json = CAD_STR("");
    f.at = s.now;
    assert_int_equal(cad_telemetry_fact(s.t, &f), CAD_E_INVAL);
    assert_int_equal(stage_stats(&s).entries_dropped[CAD_SEVERITY_INFO], 5);
    assert_int_equal(stage_stats(&s).entries, 1 + 5); /* each loss is told */
    cad_telemetry_flush(s.t);
    assert_true(stage_until(&s, s.now + CAD_SECOND));
    cad_str sent = cad_sb_str(&s.wire);
    assert_true(cad_str_find(sent, CAD_STR("\"type\":\"ftlProbe\"")) >= 0);
    assert_true(cad_str_find(sent, CAD_STR("\"report\":{\"iter\":3,\"type\":\"http_get\"}}")) >= 0);
    stage_deinit(&s);
}

static void test_log_batches_by_age(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    play(&s);
    uint32_t before = s.low_posts;
    assert_true(stage_fact(&s, note(CAD_SEVERITY_INFO, 1, "a")));
    s.now += 3 * CAD_SECOND;
    assert_true(stage_fact(&s, note(CAD_SEVERITY_WARN, 2, "b")));
    assert_true(stage_until(&s, s.now + 1999 * CAD_MS));
    assert_int_equal(s.low_posts, before);
    assert_true(stage_until(&s, s.now + CAD_MS)); /* 5 s after the first */
    assert_int_equal(s.low_posts, before + 1);
    assert_true(s.last_post.low_priority);
    assert_int_equal(s.ingest.items[s.ingest.count - 1].entries, 2);
    assert_true(stage_fact(&s, stage_state(CAD_PLAY_PAUSED)));
    assert_true(stage_fact(&s, note(CAD_SEVERITY_INFO, 3, "c")));
    assert_true(stage_until(&s, s.now + 59 * CAD_SECOND));
    assert_int_equal(s.low_posts, before + 1);
    assert_true(stage_until(&s, s.now + CAD_SECOND));
    assert_int_equal(s.low_posts, before + 2);
    stage_deinit(&s);
}

static void test_log_sends_errors_at_once(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    play(&s);
    uint32_t before = s.low_posts;
    assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 1, "a")));
    assert_int_equal(s.low_posts, before + 1);
    assert_true(stage_fact(&s, stage_end("ended")));
    assert_int_equal(s.low_posts, before + 2); /* endplay, too */
    assert_non_null(strstr(cad_sb_z(&s.wire), "\"type\":\"endplay\""));
    assert_non_null(strstr(cad_sb_z(&s.wire), "\"endreason\":\"ended\""));
    assert_int_equal(cad_telemetry_next_wake(s.t), CAD_TIME_MAX); /* nothing is left to do */
    stage_deinit(&s);
}

static void test_log_stays_behind_media(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    assert_true(stage_fact(&s, stage_play("x1")));
    assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 1, "a")));
    assert_true(stage_until(&s, s.now + 29 * CAD_SECOND));
    assert_int_equal(s.posts, 0); /* the viewer waits for a picture */
    assert_true(stage_until(&s, s.now + CAD_SECOND));
    assert_int_equal(s.posts, 1); /* but not for ever */
    stage_deinit(&s);
}

static void test_log_has_a_budget(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.config.log_rate = 100;
    assert_int_equal(stage_start(&s), 0);
    play(&s);
    size_t sent = 0;
    for (int i = 0; i < 2000; i++) {
        char text[400];
        for (size_t k = 0; k + 1 < sizeof(text); k++) {
            s.random = s.random * 6364136223846793005u + 1;
            text[k] = (char)(k % 8 ? 'a' + (s.random >> 60) : ' ');
        }
        text[sizeof(text) - 1] = '\0';
        struct cad_fact f = note(CAD_SEVERITY_INFO, i, text);
        uint32_t posts = s.low_posts;
        assert_true(stage_fact(&s, f));
        if (s.low_posts > posts) sent += s.last_post.body.n;
        assert_true(stage_until(&s, s.now + 100 * CAD_MS));
        if (s.low_posts > posts) sent += s.last_post.body.n;
    }
    /* 65,536 at once, 100 a second for 210 s, and one batch that went into debt. */
    assert_true(sent < 65536 + 21000 + 65536);
    assert_true(s.low_posts > 3);
    stage_deinit(&s);
}

static void test_log_retries_and_rests(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    play(&s);
    assert_true(stage_fact(&s, stage_state(CAD_PLAY_PAUSED)));
    uint32_t before = s.low_posts;
    s.status = 500;
    assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 1, "a")));
    assert_true(stage_until(&s, s.now + 250 * CAD_SECOND));
    assert_in_range(s.low_posts - before, 8, 10);
    assert_non_null(strstr(s.last_url, "&reqName=logblob&reqId="));
    assert_null(strstr(s.last_url, "mainContentViewableId"));
    assert_true(stage_until(&s, s.now + 400 * CAD_SECOND));
    s.status = 200;
    assert_true(stage_until(&s, s.now + 400 * CAD_SECOND));
    struct cad_telemetry_stats st = stage_stats(&s);
    assert_int_equal(st.batches_lost, 0); /* the store had it */
    assert_int_equal(s.spins, 0);
    assert_int_equal(s.ingest.duplicates, 0);
    assert_int_equal(mock_ingest_entries(&s.ingest), st.entries);
    assert_int_equal(s.count, 0);
    stage_deinit(&s);
}

static void test_log_is_taken_once_when_answers_are_lost(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    play(&s);
    s.lost_answers = true;
    assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 1, "a")));
    assert_true(stage_until(&s, s.now + 10 * CAD_SECOND));
    s.lost_answers = false;
    cad_telemetry_flush(s.t);
    assert_true(stage_until(&s, s.now + 100 * CAD_SECOND));
    assert_true(s.ingest.duplicates > 0);
    assert_int_equal(mock_ingest_entries(&s.ingest), stage_stats(&s).entries);
    stage_deinit(&s);
}

/* Killed anywhere: no entry under two ids, and what was stored comes. */
static void test_log_survives_a_kill_at_every_step(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        static struct stage s;
        open_stage(&s);
        s.kill_at = s.steps + at;
        bool lived = stage_fact(&s, note(CAD_SEVERITY_ERROR, 1, "first")) &&
                     stage_fact(&s, note(CAD_SEVERITY_ERROR, 2, "second")) &&
                     stage_until(&s, s.now + 100 * CAD_SECOND);
        s.kill_at = 0;
        assert_int_equal(stage_start(&s), 0);
        assert_true(stage_until(&s, s.now + 100 * CAD_SECOND));
        uint64_t entries = mock_ingest_entries(&s.ingest);
        assert_in_range(entries, 0, 2);
        if (lived) assert_int_equal(entries, 2);
        for (size_t i = 0; i < s.count; i++) assert_null(strstr(s.items[i].key, "lb-"));
        stage_deinit(&s);
        if (lived) break;
        assert_in_range(at, 1, 100);
    }
}

static void test_log_splits_what_is_too_large(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.status = 413;
    cad_telemetry_flush(s.t);
    struct cad_fact f = note(CAD_SEVERITY_INFO, 1, "a");
    f.at = s.now;
    for (int i = 0; i < 9; i++) {
        f.u.note.code = i;
        assert_int_equal(cad_telemetry_fact(s.t, &f), 0);
    }
    assert_true(stage_until(&s, s.now + 10 * CAD_SECOND));
    struct cad_telemetry_stats st = stage_stats(&s);
    assert_int_equal(st.batches_refused, 9); /* one a single entry */
    assert_int_equal(st.batches, 9);
    s.status = 200;
    f.u.note.code = 10;
    assert_true(stage_fact(&s, f));
    assert_int_equal(mock_ingest_entries(&s.ingest), 1);
    stage_deinit(&s);
}

static void test_log_ends_when_it_is_gone(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.status = 410;
    assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 1, "a")));
    assert_int_equal(s.posts, 1);
    assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 2, "b")));
    assert_true(stage_until(&s, s.now + 1000 * CAD_SECOND));
    assert_int_equal(s.posts, 1);
    assert_int_equal(s.count, 0);
    stage_deinit(&s);
}

static void test_log_obeys_the_service(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    s.limits = "~0=true~RL=0";
    assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 1, "a")));
    uint32_t posts = s.posts;
    assert_int_equal(posts, 1);
    assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 2, "b")));
    assert_true(stage_fact(&s, note(CAD_SEVERITY_INFO, 3, "c")));
    assert_true(stage_until(&s, s.now + 3590 * CAD_SECOND));
    assert_int_equal(s.posts, posts);
    assert_int_equal(stage_stats(&s).entries_dropped[CAD_SEVERITY_INFO], 1);
    s.limits = "~~=~RL=~RL=x~RL=-1~RL=99999999999999999999";
    assert_true(stage_until(&s, s.now + 100 * CAD_SECOND));
    assert_true(s.posts > posts);
    assert_true(stage_fact(&s, note(CAD_SEVERITY_INFO, 4, "d")));
    assert_int_equal(stage_stats(&s).entries_dropped[CAD_SEVERITY_INFO], 1);
    stage_deinit(&s);
}

static void test_log_bounds_a_flood(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    struct cad_fact f = note(CAD_SEVERITY_WARN, 0, "the same again");
    f.at = s.now;
    for (int i = 0; i < 1000000; i++) {
        f.u.note.code = i;
        assert_int_equal(cad_telemetry_fact(s.t, &f), 0);
    }
    struct cad_telemetry_stats st = stage_stats(&s);
    assert_int_equal(st.entries, 200); /* the burst */
    assert_int_equal(st.entries_dropped[CAD_SEVERITY_WARN], 1000000 - 200);
    s.now += 10 * CAD_SECOND;
    assert_true(stage_until(&s, s.now + 100 * CAD_SECOND));
    assert_non_null(strstr(cad_sb_z(&s.wire), "\"type\":\"telemetrydrop\""));
    assert_non_null(strstr(cad_sb_z(&s.wire), "\"n\":999800"));
    stage_deinit(&s);
}

static void test_log_tells_repetitions_once(void **state)
{
    (void)state;
    static struct stage s;
    open_stage(&s);
    for (int i = 0; i < 50; i++) {
        s.now += 100 * CAD_MS;
        assert_true(stage_fact(&s, note(CAD_SEVERITY_WARN, 7, "again")));
    }
    assert_int_equal(stage_stats(&s).entries, 1);
    s.now += 10 * CAD_SECOND;
    assert_true(stage_fact(&s, note(CAD_SEVERITY_WARN, 7, "again")));
    assert_int_equal(stage_stats(&s).entries, 2);
    assert_true(stage_until(&s, s.now + 100 * CAD_SECOND));
    assert_non_null(strstr(cad_sb_z(&s.wire), "\"count\":50"));
    stage_deinit(&s);
}

static void test_log_lets_nothing_secret_out(void **state)
{
    (void)state;
    static struct stage s;
    open_with_events(&s);
    play(&s);
    struct cad_fact f = stage_end("error");
    f.u.end.error = 200;
    f.u.end.message = CAD_STR("GET https://cdn.test/x?t=SECRET1 failed at 10.11.12.13");
    struct cad_fact engage = stage_simple(CAD_FACT_ENGAGE);
    engage.u.text = CAD_STR("token=SECRET2");
    struct cad_fact server = stage_simple(CAD_FACT_SERVER);
    server.u.server.to = CAD_STR("https://SECRET3.test/a");
    struct cad_fact transfer = stage_simple(CAD_FACT_TRANSFER);
    transfer.u.transfer.error = 300;
    transfer.u.transfer.server = CAD_STR("c1");
    transfer.u.transfer.purpose = CAD_STR("a?t=SECRET4");
    assert_true(stage_fact(&s, note(CAD_SEVERITY_ERROR, 1, "cookie: SECRET5; sc=SECRET6")));
    assert_true(stage_fact(&s, engage));
    assert_true(stage_fact(&s, server));
    assert_true(stage_fact(&s, transfer));
    assert_true(stage_fact(&s, f));
    assert_true(stage_until(&s, s.now + 200 * CAD_SECOND));
    assert_true(s.wire.n > 1000);
    assert_null(strstr(cad_sb_z(&s.wire), "SECRET"));
    assert_null(strstr(cad_sb_z(&s.wire), "10.11.12.13"));
    assert_int_equal(mock_ingest_events(&s.ingest, "x1", "stop"), 1);
    stage_deinit(&s);
}

/* ---- the ring ------------------------------------------------------------------------------ */

static void push(struct tel_ring *r, enum cad_severity severity, bool keep, uint64_t dropped[3])
{
    char text[100];
    memset(text, 'x', sizeof(text));
    struct tel_slot slot = {sizeof(text), severity, keep, 0};
    (void)tel_ring_push(r, text, &slot, dropped);
}

static void test_log_ring_drops_the_least(void **state)
{
    (void)state;
    struct tel_ring r;
    struct cad_alloc alloc = cad_alloc_system();
    uint64_t dropped[CAD_SEVERITIES] = {0};
    tel_ring_init(&r, &alloc, 1000, 100);
    push(&r, CAD_SEVERITY_INFO, true, dropped);
    push(&r, CAD_SEVERITY_ERROR, false, dropped);
    push(&r, CAD_SEVERITY_WARN, false, dropped);
    for (int i = 0; i < 7; i++) push(&r, CAD_SEVERITY_INFO, false, dropped);
    assert_int_equal(r.count, 10);
    for (int i = 0; i < 7; i++) push(&r, CAD_SEVERITY_WARN, false, dropped);
    assert_int_equal(dropped[CAD_SEVERITY_WARN], 0);
    assert_int_equal(dropped[CAD_SEVERITY_INFO], 7);
    for (int i = 0; i < 20; i++) push(&r, CAD_SEVERITY_ERROR, false, dropped);
    assert_int_equal(dropped[CAD_SEVERITY_WARN], 8);
    assert_true(dropped[CAD_SEVERITY_ERROR] > 0);
    push(&r, CAD_SEVERITY_INFO, false, dropped); /* nothing less important is there */
    assert_int_equal(dropped[CAD_SEVERITY_INFO], r.count == 10 ? 8 : 7);
    assert_true(r.slots[0].keep);
    assert_true(r.n <= 1000);
    tel_ring_pop(&r, 3);
    tel_ring_pop(&r, 1000);
    assert_int_equal(r.n, 0);
    tel_ring_deinit(&r);
}

/* ---- golden bytes -------------------------------------------------------------------------- */

/* Versions come and go: they stand as V in the golden files. */
static void hide_version(char *text)
{
    char *at;
    size_t n = strlen(cad_version());
    char quoted[64];
    snprintf(quoted, sizeof(quoted), "\"%s\"", cad_version());
    while ((at = strstr(text, quoted)) != NULL) {
        at[1] = 'V';
        memmove(at + 2, at + 1 + n, strlen(at + 1 + n) + 1);
    }
}

static void compare(const char *name, const char *text)
{
    char path[512];
    static char want[65536], got[65536];
    snprintf(got, sizeof(got), "%s", text);
    hide_version(got);
    snprintf(path, sizeof(path), "%s/tests/golden/telemetry/%s", CAD_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(want, 1, sizeof(want) - 2, file) : 0;
    if (file) fclose(file);
    want[n] = '\0';
    if (n != strlen(got) + 1 || strncmp(want, got, strlen(got)) != 0) {
        printf("%s should be:\n%s\n", path, got);
        fail();
    }
}

/* A small session gives these bytes, and only these, for ever. */
static void test_log_golden_bytes(void **state)
{
    (void)state;
    static struct stage s;
    open_with_events(&s);
    play(&s);
    compare("batch.json", cad_sb_z(&s.ingest.last));
    cad_sb_reset(&s.wire);
    assert_true(stage_fact(&s, stage_shown("d1", 1000000)));
    s.now += 10 * CAD_SECOND;
    assert_true(stage_fact(&s, stage_state(CAD_PLAY_PAUSED)));
    compare("pause.json", cad_sb_z(&s.ingest.last));
    compare("pause.url", s.last_url);
    stage_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_batches_by_age),
        cmocka_unit_test(test_log_sends_errors_at_once),
        cmocka_unit_test(test_log_stays_behind_media),
        cmocka_unit_test(test_log_has_a_budget),
        cmocka_unit_test(test_log_waits_for_its_place),
        cmocka_unit_test(test_log_takes_reports),
        cmocka_unit_test(test_log_retries_and_rests),
        cmocka_unit_test(test_log_is_taken_once_when_answers_are_lost),
        cmocka_unit_test(test_log_survives_a_kill_at_every_step),
        cmocka_unit_test(test_log_splits_what_is_too_large),
        cmocka_unit_test(test_log_ends_when_it_is_gone),
        cmocka_unit_test(test_log_obeys_the_service),
        cmocka_unit_test(test_log_bounds_a_flood),
        cmocka_unit_test(test_log_tells_repetitions_once),
        cmocka_unit_test(test_log_lets_nothing_secret_out),
        cmocka_unit_test(test_log_ring_drops_the_least),
        cmocka_unit_test(test_log_golden_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
