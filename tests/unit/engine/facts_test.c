/*
 * Goal: events of record and logs of a session reach their service, exactly once, and what the
 * session decides and asks for is the same as without them.
 */
#include "services.h"

#include <string.h>

#include "base/rand.h"
#include "base/str.h"
#include "drive/store.h"
#include "engine/session.h"

static struct services stage;

static struct services *open_services(void)
{
    services_init(&stage);
    return &stage;
}

static void close_services(struct services *s, void **state)
{
    (void)drv_teardown(state);
    services_deinit(s);
}

static struct drv *open_driver(struct services *s, void **state)
{
    struct drv_options o;
    services_options(&o, true, false);
    return services_renew(s, state, &o);
}

/* A viewer: plays, pauses, seeks, and comes to the end. */
static void watch(struct drv *d)
{
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, 2 * CAD_SECOND);
    drv_play(d);
    drv_play_for(d, 2 * CAD_SECOND);
    drv_seek(d, 50 * CAD_SECOND, 2);
    drv_play_for(d, 15 * CAD_SECOND);
}

static const struct mock_ingest_item *item(const struct services *s, const char *name)
{
    for (size_t i = 0; i < s->ingest.count; i++) {
        if (strcmp(s->ingest.items[i].name, name) == 0) return &s->ingest.items[i];
    }
    return NULL;
}

static uint64_t entries_of(const struct services *s, const char *type)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->ingest.type_count; i++) {
        if (strcmp(s->ingest.types[i].name, type) != 0) continue;
        for (int k = 0; k < MOCK_INGEST_SEVERITIES; k++) n += s->ingest.types[i].counts[k];
    }
    return n;
}

static void test_facts_of_a_session(void **state)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    watch(d);
    assert_int_equal(d->state, CAD_STATE_ENDED);
    drv_play_for(d, 90 * CAD_SECOND);
    static const char *const once[] = {"start", "pause", "resume", "seek", "stop"};
    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
        assert_int_equal(mock_ingest_events(&s->ingest, NULL, once[i]), 1);
    }
    const struct mock_ingest_item *bad = NULL;
    assert_true(mock_ingest_in_order(&s->ingest, &bad));
    assert_int_equal(s->ingest.broken + s->ingest.duplicates + s->ingest.repeated, 0);
    const struct mock_ingest_item *stop = item(s, "events/stop");
    assert_string_equal(stop->context, "CTX");
    assert_string_equal(stop->reason, "ended");
    assert_string_equal(stop->xid, item(s, "events/start")->xid);
    assert_int_equal(strlen(stop->xid), 16);
    assert_in_range(stop->position_ms, 59000, 60000);
    assert_in_range(stop->rendered_ms, 16000, 18000); /* 7 s and 10 s */
    assert_in_range(item(s, "events/pause")->position_ms, 3000, 5000);
    static const char *const types[] = {"playdelay", "startplay", "rendstrmswitch", "cdnsel",
                                        "endplay"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (entries_of(s, types[i]) == 0) fail_msg("no entry %s", types[i]);
    }
    struct cad_service_stats stats = drv_stats(d).services;
    assert_int_equal(stats.events, 5);
    assert_int_equal(stats.events_delivered, 5);
    assert_int_equal(stats.events_waiting, 0);
    assert_int_equal(stats.logs, mock_ingest_entries(&s->ingest));
    assert_true(stats.batches_delivered > 0);
    close_services(s, state);
}

/* Plays 8 s, then does something else until the playback is over; bytes fetched and not seen. */
static uint64_t wasted_in(void **state, cad_time seek_to, bool stop)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    struct cad_qoe q = {.size = sizeof(q)};
    drv_load(d, 1);
    drv_play_for(d, 8 * CAD_SECOND);
    cad_telemetry_qoe(d->engine->facts.telemetry, &q);
    assert_int_equal(q.bytes_wasted, 0);
    if (seek_to != CAD_TIME_NONE) drv_seek(d, seek_to, 2);
    if (stop) drv_command(d, CAD_COMMAND_STOP, 3);
    drv_play_for(d, 60 * CAD_SECOND);
    assert_int_equal(d->state, stop ? CAD_STATE_STOPPED : CAD_STATE_ENDED);
    cad_telemetry_qoe(d->engine->facts.telemetry, &q);
    assert_true(q.bytes_wasted < q.bytes);
    close_services(s, state);
    return q.bytes_wasted;
}

static void test_facts_of_waste(void **state)
{
    uint64_t passed_over = wasted_in(state, 30 * CAD_SECOND, false);
    uint64_t left_over = wasted_in(state, CAD_TIME_NONE, true);
    assert_int_equal(wasted_in(state, CAD_TIME_NONE, false), 0);
    assert_int_equal(wasted_in(state, 2 * CAD_SECOND, false), 0); /* it is seen later */
    assert_true(passed_over > 0);
    assert_true(left_over > passed_over); /* all that was fetched ahead */
}

/* Each leg of a protected start is in the ledger, and nothing of it is a stall. */
static void test_facts_of_a_protected_start(void **state)
{
    static const char *const fragments[] = {
        "\"legs\":{\"manifest\":[0,", "\"header\":[", "\"licence\":[", "\"decode\":[",
        "\"rebuffers\":0", "\"type\":\"license\"", "\"where\":\"usable\""};
    for (size_t i = 0; i < sizeof(fragments) / sizeof(fragments[0]); i++) {
        struct services *s = open_services();
        struct drv_options o;
        services_options(&o, true, false);
        o.drm = true;
        o.rate_bps = 3000000;
        struct drv *d = services_renew(s, state, &o);
        d->cdm.opens = true;
        s->look_for = fragments[i];
        drv_load(d, 1);
        drv_play_for(d, 10 * CAD_SECOND);
        drv_seek(d, 50 * CAD_SECOND, 2);
        drv_play_for(d, 30 * CAD_SECOND);
        assert_int_equal(d->state, CAD_STATE_ENDED);
        if (s->found == 0) fail_msg("nobody told %s", fragments[i]);
        assert_int_equal(entries_of(s, "resumeplay"), 0);
        assert_int_equal(entries_of(s, "license"), 1);
        close_services(s, state);
    }
}

/* A wait for media is a stall, with its reason; what failed meanwhile is told. */
static void test_facts_of_stalls(void **state)
{
    struct services *s = open_services();
    s->look_for = "\"reason\":\"network\"";
    struct drv_options o;
    services_options(&o, true, false);
    o.rate_bps = 1000000;
    struct drv *d = services_renew(s, state, &o);
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    d->offline = true;
    assert_true(drv_until(d, CAD_APP_STALL_BEGIN, 60 * CAD_SECOND));
    drv_play_for(d, CAD_SECOND);
    d->offline = false;
    assert_true(drv_until(d, CAD_APP_STALL_END, 60 * CAD_SECOND));
    drv_play_for(d, 20 * CAD_SECOND);
    assert_int_equal(entries_of(s, "resumeplay"), 1);
    assert_int_equal(s->found, 1);
    assert_true(entries_of(s, "httperr") > 0); /* silences */
    close_services(s, state);
}

/* What the session decided and asked for. */
struct trace {
    uint64_t decisions, hash, turns;
    uint32_t requests;
    struct { char url[256]; cad_time at; struct cad_range range; } of[256];
    cad_time startup;
};

static void keep_trace(const struct drv *d, struct trace *t)
{
    struct cad_engine_stats stats = drv_stats(d);
    *t = (struct trace){.decisions = stats.decisions, .hash = stats.decision_hash,
                        .turns = stats.turns, .requests = d->request_count,
                        .startup = stats.startup};
    assert_true(d->request_count <= 256);
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        /* The ids of a service request are drawn anew each time. */
        cad_str_copyz(t->of[i].url, sizeof(t->of[i].url),
                      cad_str_from(r->service ? "service" : r->url));
        t->of[i].at = r->started;
        t->of[i].range = r->range;
    }
}

static struct trace plain, told;

static void compare_traces(void)
{
    assert_int_equal(plain.decisions, told.decisions);
    assert_true(plain.hash == told.hash);
    assert_int_equal(plain.turns, told.turns);
    assert_int_equal(plain.requests, told.requests);
    assert_int_equal(plain.startup, told.startup);
    for (uint32_t i = 0; i < plain.requests; i++) {
        assert_string_equal(plain.of[i].url, told.of[i].url);
        assert_int_equal(plain.of[i].at, told.of[i].at);
        assert_int_equal(plain.of[i].range.first, told.of[i].range.first);
    }
}

/* On a narrow link, with a bad server and stalls, so that there is something to decide. */
static void watch_hard(struct drv *d)
{
    drv_rule(d, 0, 1, DRV_CUT, 20000)->left = 3;
    watch(d);
    drv_seek(d, 5 * CAD_SECOND, 3);
    drv_play_for(d, 20 * CAD_SECOND);
    drv_command(d, CAD_COMMAND_STOP, 4);
    drv_play_for(d, CAD_SECOND);
}

static void test_facts_change_nothing(void **state)
{
    static const int64_t rates[] = {0, 900000, 450000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct services *s = open_services();
        struct drv_options o;
        for (int report = 0; report < 2; report++) {
            services_options(&o, report, false);
            o.rate_bps = rates[i];
            struct drv *d = services_renew(s, state, &o);
            d->strict_bytes = false;
            watch_hard(d);
            keep_trace(d, report ? &told : &plain);
        }
        assert_true(services_of(s, CAD_PURPOSE_EVENT) > 3);
        compare_traces();
        close_services(s, state);
    }
}

static void test_facts_change_nothing_when_services_fail(void **state)
{
    for (int mode = 0; mode < 4; mode++) {
        struct services *s = open_services();
        struct drv_options o;
        for (int report = 0; report < 2; report++) {
            services_options(&o, report, false);
            struct drv *d = services_renew(s, state, &o);
            d->strict_bytes = false;
            s->silent = mode == 0;
            if (mode == 1) s->ingest.scripts[MOCK_INGEST_EVENTS] =
                (struct mock_ingest_script){.fault = MOCK_INGEST_STATUS, .left = -1, .status = 500};
            if (mode == 2) cad_store_memory_fail(&s->store, CAD_E_IO);
            if (mode == 3) s->no_entropy = true;
            watch_hard(d);
            keep_trace(d, report ? &told : &plain);
        }
        compare_traces();
        close_services(s, state);
    }
}

static void test_facts_wait_for_no_answer(void **state)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    s->silent = true;
    drv_load(d, 1);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_STALL_BEGIN), 0);
    assert_true(s->cancels >= 3); /* time-outs of the start event */
    s->silent = false;
    drv_play_for(d, 29 * CAD_SECOND);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "start"), 1);
    close_services(s, state);
}

/* The process ends at any time; another one sends what is left, once. */
static void test_facts_survive_an_end_at_any_time(void **state)
{
    for (cad_time after = 100 * CAD_MS; after < 9 * CAD_SECOND; after += 330 * CAD_MS) {
        struct services *s = open_services();
        s->store_latency = 30 * CAD_MS;
        struct drv *d = open_driver(s, state);
        drv_load(d, 1);
        drv_play_for(d, after);
        bool shown = drv_count(d, CAD_APP_FIRST_FRAME) > 0;
        uint64_t events = drv_stats(d).services.events;
        d = open_driver(s, state);
        drv_load(d, 2);
        drv_play_for(d, 59 * CAD_SECOND);
        /* The first one's, if they were kept, and the second one's. */
        size_t starts = mock_ingest_events(&s->ingest, NULL, "start");
        size_t stops = mock_ingest_events(&s->ingest, NULL, "stop");
        assert_true(starts >= 1 && starts <= 1u + shown);
        assert_int_equal(stops, starts - 1);
        if (shown && events && s->ingest.arrivals == 0) fail_msg("nothing came");
        assert_int_equal(s->ingest.broken, 0);
        const struct mock_ingest_item *bad = NULL;
        assert_true(mock_ingest_in_order(&s->ingest, &bad));
        close_services(s, state);
    }
}

/* ---- any faults, any ends -------------------------------------------------------------------- */

static void draw_faults(struct services *s, struct cad_rng *rng)
{
    static const int32_t statuses[] = {500, 503, 429, 408};
    for (int channel = 0; channel < MOCK_INGEST_CHANNELS; channel++) {
        struct mock_ingest_script *script = &s->ingest.scripts[channel];
        *script = (struct mock_ingest_script){
            .fault = (enum mock_ingest_fault)cad_rng_range_i64(rng, 0, MOCK_INGEST_DROP),
            .left = cad_rng_range_i64(rng, 1, 6),
            .status = statuses[cad_rng_range_i64(rng, 0, 3)],
            .retry_after_s = (int32_t)cad_rng_range_i64(rng, 0, 3)};
    }
    s->latency = cad_rng_range_i64(rng, 1, 3000) * CAD_MS;
    s->store_latency = cad_rng_range_i64(rng, 0, 1500) * CAD_MS;
    s->silent = cad_rng_range_i64(rng, 0, 5) == 0;
}

static void live(struct drv *d, struct cad_rng *rng, uint32_t ticket)
{
    drv_load(d, ticket);
    for (int64_t steps = cad_rng_range_i64(rng, 1, 6); steps > 0; steps--) {
        switch (cad_rng_range_i64(rng, 0, 4)) {
        case 0: drv_pause(d); break;
        case 1: drv_seek(d, cad_rng_range_i64(rng, 0, 59) * CAD_SECOND, ticket + 100); break;
        case 2: drv_command(d, CAD_COMMAND_STOP, ticket + 200); break;
        default: drv_play(d); break;
        }
        drv_play_for(d, cad_rng_range_i64(rng, 10, 4000) * CAD_MS);
    }
}

/* Each playback that the service knows of has one start, then one stop, and both once. */
static void check_account(const struct services *s, uint64_t seed)
{
    const struct mock_ingest *m = &s->ingest;
    const struct mock_ingest_item *bad = NULL;
    if (!mock_ingest_in_order(m, &bad)) fail_msg("seed %d: %s", (int)seed, bad->name);
    if (m->broken + m->repeated) fail_msg("seed %d: broken", (int)seed);
    for (size_t i = 0; i < m->count; i++) {
        if (!mock_ingest_is_event(&m->items[i])) continue;
        const char *xid = m->items[i].xid;
        size_t starts = mock_ingest_events(m, xid, "start");
        size_t stops = mock_ingest_events(m, xid, "stop");
        if (starts != 1 || stops != 1) {
            fail_msg("seed %d: %s has %d starts, %d stops", (int)seed, xid, (int)starts,
                     (int)stops);
        }
    }
}

static void test_facts_soak(void **state)
{
    size_t playbacks = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct services *s = open_services();
        struct cad_rng rng;
        cad_rng_init(&rng, seed);
        for (uint32_t life = 0; life < 3; life++) {
            struct drv *d = open_driver(s, state);
            d->strict_bytes = d->strict_time = false;
            draw_faults(s, &rng);
            live(d, &rng, life + 1);
        }
        /* The last process plays nothing, and the service is well. */
        struct drv *d = open_driver(s, state);
        memset(s->ingest.scripts, 0, sizeof(s->ingest.scripts));
        s->silent = false;
        s->latency = s->store_latency = 0;
        drv_play_for(d, 120 * CAD_SECOND);
        assert_int_equal(drv_stats(d).services.events_waiting, 0);
        check_account(s, seed);
        playbacks += mock_ingest_events(&s->ingest, NULL, "stop");
        close_services(s, state);
    }
    assert_true(playbacks > 40);
}

static void test_facts_recover_a_stop(void **state)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    d = open_driver(s, state);
    drv_load(d, 2);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "start"), 2);
    assert_string_equal(item(s, "events/stop")->reason, "recovered");
    assert_string_equal(item(s, "events/stop")->xid, item(s, "events/start")->xid);
    assert_string_equal(item(s, "events/stop")->context, "CTX"); /* its own place */
    close_services(s, state);
}

static void test_facts_count_lost_answers_once(void **state)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    s->ingest.scripts[MOCK_INGEST_EVENTS] =
        (struct mock_ingest_script){.fault = MOCK_INGEST_DROP, .left = 3};
    watch(d);
    drv_play_for(d, 60 * CAD_SECOND);
    assert_true(s->ingest.duplicates >= 3);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, NULL), 5);
    assert_int_equal(drv_stats(d).services.events_delivered, 5);
    close_services(s, state);
}

static void test_facts_end_with_an_error(void **state)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    struct cad_event event = {.type = CAD_EVENT_SINK_FAIL};
    event.u.fail = (struct cad_sink_fail){.slot = 0, .error = CAD_ERR_SINK_FAILED};
    drv_feed(d, &event);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_FAILED);
    assert_string_equal(item(s, "events/stop")->reason, "error");
    assert_int_equal(entries_of(s, "error"), 1);
    assert_int_equal(entries_of(s, "endplay"), 1);
    close_services(s, state);
}

/* A title that never comes to a picture has no events, and a log. */
static void test_facts_of_a_start_that_fails(void **state)
{
    struct services *s = open_services();
    struct drv_options o;
    services_options(&o, true, false);
    o.engine.telemetry.log_url = CAD_STR("http://svc/logblob");
    struct drv *d = services_renew(s, state, &o);
    drv_load_url(d, "ftp://svc/title", 1);
    drv_play(d);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_FAILED);
    assert_int_equal(services_of(s, CAD_PURPOSE_EVENT), 0);
    assert_int_equal(entries_of(s, "endplay"), 1);
    assert_int_equal(entries_of(s, "error"), 1);
    close_services(s, state);
}

static void test_facts_stop_when_the_service_says_so(void **state)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    s->ingest.stop = (struct mock_ingest_stop){
        .code = "STREAMS", .message = "too many devices", .left = 1};
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 10 * CAD_SECOND));
    const struct cad_error *err = drv_fatal(d);
    assert_int_equal(err->code, CAD_ERR_STREAMS_REFUSED);
    assert_string_equal(err->message, "too many devices");
    drv_play_for(d, 5 * CAD_SECOND);
    assert_string_equal(item(s, "events/stop")->reason, "error");
    /* Another title may be played. */
    drv_net_forget(d);
    drv_load(d, 2);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 10 * CAD_SECOND));
    close_services(s, state);
}

static void test_facts_of_two_titles(void **state)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    for (uint32_t i = 1; i <= 2; i++) {
        drv_net_forget(d);
        drv_load(d, i);
        drv_play_for(d, 5 * CAD_SECOND);
    }
    drv_command(d, CAD_COMMAND_STOP, 3);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "start"), 2);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "stop"), 2);
    assert_string_equal(item(s, "events/stop")->reason, "stopped");
    assert_in_range(item(s, "events/stop")->position_ms, 3500, 5100);
    close_services(s, state);
}

/* Seen to the end and then from the beginning: two playbacks. */
static void test_facts_after_the_end(void **state)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    watch(d);
    assert_int_equal(d->state, CAD_STATE_ENDED);
    drv_seek(d, 45 * CAD_SECOND, 9);
    drv_play_for(d, 20 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_ENDED);
    drv_play_for(d, 20 * CAD_SECOND);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "start"), 2);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "stop"), 2);
    assert_int_equal(drv_stats(d).services.events_waiting, 0);
    close_services(s, state);
}

static void test_facts_of_a_bare_file(void **state)
{
    struct services *s = open_services();
    struct drv_options o;
    services_options(&o, true, false);
    o.engine.telemetry.event_url = CAD_STR("http://svc/events?own=1");
    struct drv *d = services_renew(s, state, &o);
    drv_load_url(d, "http://h0/v0.mp4", 1);
    drv_play(d);
    drv_play_for(d, 5 * CAD_SECOND);
    drv_command(d, CAD_COMMAND_STOP, 2);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "start"), 1);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "stop"), 1);
    assert_int_equal(services_first(s, CAD_PURPOSE_EVENT)->address_max, CAD_ADDRESS_UNKNOWN);
    assert_int_equal(services_of(s, CAD_PURPOSE_LOG), 0); /* nobody said where */
    close_services(s, state);
}

/* Loaded and not played is no playback; nor is one that is only prepared. */
static void test_facts_begin_with_the_wish_to_play(void **state)
{
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    drv_prepare(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(services_of(s, CAD_PURPOSE_EVENT), 0);
    assert_int_equal(drv_stats(d).services.logs, 0);
    drv_load(d, 2);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "start"), 1);
    close_services(s, state);
}

/* Logs leave the link to media: they go when there is enough, or after half a minute. */
static void test_facts_leave_the_link_to_media(void **state)
{
    struct services *s = open_services();
    struct drv_options o;
    services_options(&o, true, false);
    o.rate_bps = 330000; /* just enough for the lowest rung and sound */
    struct drv *d = services_renew(s, state, &o);
    d->strict_bytes = false;
    drv_load(d, 1);
    drv_play_for(d, 30 * CAD_SECOND);
    const struct service_request *event = services_first(s, CAD_PURPOSE_EVENT);
    const struct service_request *log = services_first(s, CAD_PURPOSE_LOG);
    assert_non_null(event);
    assert_int_equal(event->priority, 4);
    assert_true(drv_slot_stats(d, 0).ahead < 10 * CAD_SECOND);
    assert_null(log);
    drv_play_for(d, 25 * CAD_SECOND);
    log = services_first(s, CAD_PURPOSE_LOG);
    assert_non_null(log);
    assert_int_equal(log->priority, 7);
    close_services(s, state);
}

/* A store that answers more than a store holds: its answer comes in all the same, as a failure, for
 * who gives it would give it again for ever. */
static void test_facts_of_a_store_without_limits(void **state)
{
    static const uint8_t byte[1];
    struct services *s = open_services();
    struct drv *d = open_driver(s, state);
    struct cad_event event = {.type = CAD_EVENT_STORE_DONE};
    event.u.store = (struct cad_store_done){.call = CAD_STORE_GET, .id = 1,
                                            .value = {byte, CAD_STORE_VALUE_MAX + 1}};
    assert_int_equal(cad_engine_feed(d->engine, &event), 0);
    event.u.store = (struct cad_store_done){.call = CAD_STORE_LIST, .id = 1,
                                            .count = CAD_STORE_KEYS_MAX + 1};
    assert_int_equal(cad_engine_feed(d->engine, &event), 0);
    watch(d);
    assert_int_equal(mock_ingest_events(&s->ingest, NULL, "stop"), 1);
    close_services(s, state);
}

/* Whichever allocation fails: nothing leaks, the session plays, no event comes twice. */
static void test_facts_without_memory(void **state)
{
    uint64_t failures = 0;
    for (uint64_t at = 1;; at += 1 + at / 40) {
        struct services *s = open_services();
        struct drv_options o;
        services_options(&o, true, false);
        o.duration = 20 * CAD_SECOND;
        bool whole = services_play_failing(s, state, &o, at, 8 * CAD_SECOND);
        uint64_t starts = mock_ingest_events(&s->ingest, NULL, "start");
        assert_true(starts <= 1);
        if (whole) assert_int_equal(starts, 1);
        close_services(s, state);
        if (whole) break;
        failures++;
    }
    assert_true(failures > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_facts_of_a_session),
        DRV_TEST(test_facts_of_waste),
        DRV_TEST(test_facts_of_a_protected_start),
        DRV_TEST(test_facts_of_stalls),
        DRV_TEST(test_facts_change_nothing),
        DRV_TEST(test_facts_change_nothing_when_services_fail),
        DRV_TEST(test_facts_wait_for_no_answer),
        DRV_TEST(test_facts_survive_an_end_at_any_time),
        DRV_TEST(test_facts_soak),
        DRV_TEST(test_facts_recover_a_stop),
        DRV_TEST(test_facts_count_lost_answers_once),
        DRV_TEST(test_facts_end_with_an_error),
        DRV_TEST(test_facts_of_a_start_that_fails),
        DRV_TEST(test_facts_stop_when_the_service_says_so),
        DRV_TEST(test_facts_of_two_titles),
        DRV_TEST(test_facts_after_the_end),
        DRV_TEST(test_facts_of_a_bare_file),
        DRV_TEST(test_facts_begin_with_the_wish_to_play),
        DRV_TEST(test_facts_leave_the_link_to_media),
        DRV_TEST(test_facts_of_a_store_without_limits),
        DRV_TEST(test_facts_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
