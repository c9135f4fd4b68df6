/* Goal: keys, text, reports and a store in virtual time; a protected title starts in as many round
 * trips as a clear one; a tape of all that plays back the same and tells no secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "cadmium/tape.h"
#include "drive/store.h"
#include "mock/mock_ingest.h"
#include "sim_title.h"

#define TRIP (100 * CAD_MS)
#define STARTS_MAX 256
#define TAPE_MAX (4u << 20)

/* So fast that only round trips count. */
static struct cad_trace_period fast_rows[] = {
    {3600 * CAD_SECOND, INT64_C(1000000000000), TRIP}};
static struct cad_trace_period plain_rows[] = {{3600 * CAD_SECOND, 5000000, 40 * CAD_MS}};
static const struct cad_trace fast = {fast_rows, 1}, plain = {plain_rows, 1};

struct request {
    cad_time start, end;
    enum cad_purpose purpose;
};

/* A title behind an origin that takes events and logs too. */
struct bench {
    struct sim_title title;
    struct mock_ingest ingest;
    struct cad_store store;
    struct cad_sim *sim;
    struct request requests[STARTS_MAX];
    uint32_t request_count;
    struct cad_sb licence;   /* the last answer of the licence service */
};

static int serve(void *ctx, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer)
{
    struct bench *b = ctx;
    cad_str path = request->path;
    ptrdiff_t query = cad_str_find_char(path, '?');
    if (query >= 0) path = cad_str_sub(path, 0, (size_t)query);
    int channel = mock_ingest_channel(path);
    if (channel < 0) {
        int err = mock_synth_ops()->serve(b->title.origin, request, answer);
        if (!err && cad_str_find(path, CAD_STR("license")) >= 0) {
            cad_sb_reset(&b->licence);
            cad_sb_put(&b->licence, cad_str_from_buf(answer->body));
        }
        return err;
    }
    cad_buf body = request->body;
    const struct mock_ingest_request ask = {
        .channel = (enum mock_ingest_channel)channel, .method = request->method,
        .target = request->path, .body = body,
        .gzip = body.n > 1 && body.p[0] == 0x1f && body.p[1] == 0x8b};
    struct mock_ingest_answer got;
    mock_ingest_serve(&b->ingest, &ask, &got);
    answer->status = got.status;
    answer->body = cad_buf_from_str(got.body);
    answer->body_size = (int64_t)got.body.n;
    return 0;
}

static void on_access(void *ctx, const struct cad_sim_access *access)
{
    struct bench *b = ctx;
    if (b->request_count == STARTS_MAX) return;
    b->requests[b->request_count++] =
        (struct request){access->start, access->end, access->purpose};
}

static void bench_init(struct bench *b, bool is_protected)
{
    struct cad_alloc alloc = cad_alloc_system();
    memset(b, 0, sizeof(*b));
    if (is_protected) sim_title_init_protected(&b->title, 20 * CAD_SECOND);
    else sim_title_init(&b->title, 20 * CAD_SECOND, 3600 * CAD_SECOND);
    mock_ingest_init(&b->ingest, &alloc);
    cad_sb_init(&b->licence, &alloc, CAD_MEM_OTHER, 65536);
    assert_int_equal(cad_store_memory_create(0, &alloc, &b->store), 0);
}

static void bench_deinit(struct bench *b)
{
    cad_sim_destroy(&b->sim);
    b->store.ops->destroy(b->store.self);
    mock_ingest_deinit(&b->ingest);
    cad_sb_deinit(&b->licence);
    sim_title_deinit(&b->title);
}

/* A simulation of the title; the config may have been changed before. */
static void bench_open(struct bench *b, const struct cad_sim_config *config,
                       const struct cad_trace *trace)
{
    static const struct cad_origin_ops ops = {.size = sizeof(ops), .serve = serve};
    assert_int_equal(cad_sim_create(config, &b->sim), 0);
    assert_int_equal(sim_title_attach(&b->title, b->sim, trace), 0);
    cad_sim_set_origin(b->sim, &ops, b);
    cad_sim_on_access(b->sim, on_access, b);
}

static struct cad_sim_config config_of(struct bench *b)
{
    struct cad_sim_config config;
    cad_sim_config_init(&config);
    config.engine.check = true;
    config.cdm = cad_cdm_clearkey();
    config.store = b->store;
    config.engine.telemetry.event_url = CAD_STR("http://cdn1/events");
    config.engine.telemetry.log_url = CAD_STR("http://cdn1/logblob");
    return config;
}

/* How many requests of the start had to wait for an answer, one behind the other: the longest
 * chain of those that were started before the first picture. */
static uint32_t chain_of(const struct bench *b, cad_time before)
{
    uint32_t depth[STARTS_MAX], most = 0;
    bool known[STARTS_MAX] = {false};
    for (uint32_t round = 0; round < b->request_count; round++) {
        uint32_t next = STARTS_MAX; /* in order of their starts */
        for (uint32_t i = 0; i < b->request_count; i++) {
            if (known[i] || b->requests[i].start >= before) continue;
            if (next == STARTS_MAX || b->requests[i].start < b->requests[next].start) next = i;
        }
        if (next == STARTS_MAX) break;
        known[next] = true;
        depth[next] = 1;
        for (uint32_t i = 0; i < b->request_count; i++) {
            bool waited = known[i] && i != next && b->requests[i].end <= b->requests[next].start;
            if (waited) depth[next] = CAD_MAX(depth[next], depth[i] + 1);
        }
        most = CAD_MAX(most, depth[next]);
    }
    return most;
}

/* Load to first picture; *chain: of requests. */
static cad_time start_of(bool is_protected, bool tls, uint32_t *chain)
{
    struct bench b;
    struct cad_engine_stats stats;
    bench_init(&b, is_protected);
    struct cad_sim_config config = config_of(&b);
    config.tls = tls;
    bench_open(&b, &config, &fast);
    assert_int_equal(sim_title_play(b.sim), 0);
    assert_int_equal(cad_sim_run(b.sim, 10 * CAD_SECOND), 0);
    cad_sim_stats(b.sim, &stats);
    assert_true(stats.startup != CAD_TIME_NONE);
    assert_int_equal(stats.services.licences, is_protected);
    *chain = chain_of(&b, stats.startup);
    bench_deinit(&b);
    return stats.startup;
}

static void test_protected_start_costs_no_more_round_trips(void **state)
{
    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        uint32_t clear_chain, chain;
        cad_time clear = start_of(false, tls, &clear_chain);
        cad_time with_keys = start_of(true, tls, &chain);
        assert_int_equal(with_keys / TRIP, clear / TRIP);
        assert_int_equal(chain, clear_chain);
        assert_true(chain >= 2); /* the manifest, and what it names */
    }
}

static void test_cdm_answers_after_its_latency(void **state)
{
    (void)state;
    struct bench b;
    struct cad_engine_stats stats;
    bench_init(&b, true);
    struct cad_sim_config config = config_of(&b);
    config.cdm_latency = 700 * CAD_MS; /* of the request, and again of the update */
    bench_open(&b, &config, &fast);
    assert_int_equal(sim_title_play(b.sim), 0);
    assert_int_equal(cad_sim_run(b.sim, 1300 * CAD_MS), 0);
    cad_sim_stats(b.sim, &stats);
    assert_true(stats.startup == CAD_TIME_NONE);
    assert_int_equal(stats.services.keys, CAD_KEY_PENDING);
    assert_int_equal(cad_sim_run(b.sim, 100 * CAD_SECOND), 1);
    cad_sim_stats(b.sim, &stats);
    assert_int_equal(stats.state, CAD_STATE_ENDED);
    assert_true(stats.startup >= 1400 * CAD_MS);
    bench_deinit(&b);
}

static void test_without_a_cdm_a_protected_title_fails(void **state)
{
    (void)state;
    struct bench b;
    struct cad_app_event event;
    struct cad_engine_stats stats;
    enum cad_error_code code = CAD_ERR_NONE;
    bench_init(&b, true);
    struct cad_sim_config config = config_of(&b);
    config.cdm = NULL;
    bench_open(&b, &config, &fast);
    assert_int_equal(sim_title_play(b.sim), 0);
    assert_int_equal(cad_sim_run(b.sim, 100 * CAD_SECOND), 1);
    while (cad_sim_poll(b.sim, &event) == 0) {
        if (event.type == CAD_APP_ERROR) code = event.error.code;
    }
    /* Nothing that it could play was offered to it. */
    assert_int_equal(code, CAD_ERR_MANIFEST_DENIED);
    cad_sim_stats(b.sim, &stats);
    assert_int_equal(stats.state, CAD_STATE_FAILED);
    bench_deinit(&b);
}

static void test_a_table_of_another_version_is_refused(void **state)
{
    (void)state;
    struct cad_sim *sim = NULL;
    struct cad_sim_config config;
    struct cad_cdm_ops ops = *cad_cdm_clearkey();
    cad_sim_config_init(&config);
    config.cdm = &ops;
    ops.abi++;
    assert_int_equal(cad_sim_create(&config, &sim), CAD_E_INVAL);
    ops.abi--;
    ops.size = sizeof(ops) - 1;
    assert_int_equal(cad_sim_create(&config, &sim), CAD_E_INVAL);
    ops.size = sizeof(ops);
    config.key_system = CAD_STR("org.example");
    assert_int_equal(cad_sim_create(&config, &sim), CAD_E_UNSUPPORTED);
    config.key_system = CAD_STR("org.w3.clearkey");
    config.cdm_latency = -1;
    assert_int_equal(cad_sim_create(&config, &sim), CAD_E_INVAL);
    config.cdm_latency = 0;
    config.store_latency = -1;
    assert_int_equal(cad_sim_create(&config, &sim), CAD_E_INVAL);
    assert_null(sim);
}

static void test_text_is_pulled_and_told(void **state)
{
    (void)state;
    struct bench b;
    struct cad_sim_text text;
    bench_init(&b, true);
    struct cad_sim_config config = config_of(&b);
    config.engine.text_language = CAD_STR("de");
    bench_open(&b, &config, &plain);
    assert_int_equal(sim_title_play(b.sim), 0);
    assert_int_equal(cad_sim_run(b.sim, 5 * CAD_SECOND), 0);
    cad_sim_text(b.sim, &text);
    assert_int_equal(text.documents, 1);
    assert_string_equal(text.lang, "de");
    struct cad_command off = {.type = CAD_COMMAND_TRACK, .rung = -1};
    off.title.start = CAD_TIME_NONE;
    assert_int_equal(cad_sim_command(b.sim, &off), 0);
    assert_int_equal(cad_sim_run(b.sim, 6 * CAD_SECOND), 0);
    cad_sim_text(b.sim, &text);
    assert_string_equal(text.lang, "");
    bench_deinit(&b);
}

/* Killed in mid-play and begun again with the same store: the service has two playbacks, each with
 * one start and one stop. */
static void test_events_come_once_over_a_kill(void **state)
{
    (void)state;
    struct bench b;
    struct cad_engine_stats stats;
    bench_init(&b, false);
    struct cad_sim_config config = config_of(&b);
    config.engine.report = true;
    config.store_latency = 20 * CAD_MS;
    bench_open(&b, &config, &plain);
    assert_int_equal(sim_title_play(b.sim), 0);
    assert_int_equal(cad_sim_run(b.sim, 8 * CAD_SECOND), 0);
    assert_int_equal(mock_ingest_events(&b.ingest, NULL, "start"), 1);
    assert_int_equal(mock_ingest_events(&b.ingest, NULL, "stop"), 0);
    cad_sim_destroy(&b.sim);
    config.wall_ms += 60000;
    config.seed = config.engine.seed = 2;
    bench_open(&b, &config, &plain);
    assert_int_equal(sim_title_play(b.sim), 0);
    assert_int_equal(cad_sim_run(b.sim, 100 * CAD_SECOND), 1);
    assert_int_equal(cad_sim_linger(b.sim, 200 * CAD_SECOND), 0);
    cad_sim_stats(b.sim, &stats);
    assert_int_equal(stats.services.events_waiting, 0);
    assert_int_equal(mock_ingest_events(&b.ingest, NULL, "start"), 2);
    assert_int_equal(mock_ingest_events(&b.ingest, NULL, "stop"), 2);
    bench_deinit(&b);
}

/* ---- tapes ------------------------------------------------------------------------------- */

static int keep(void *ctx, const uint8_t *p, size_t n)
{
    cad_sb_put(ctx, cad_str_from_buf((cad_buf){p, n}));
    return cad_sb_error(ctx);
}

static void absent(const struct cad_sb *tape, const void *p, size_t n)
{
    assert_true(n >= 8);
    assert_int_equal(cad_str_find(cad_sb_str(tape), cad_str_make(p, n)), -1);
}

static void record(struct bench *b, struct cad_sb *tape, bool full, struct cad_engine_stats *stats)
{
    static const uint8_t entropy[CAD_TAPE_ENTROPY_MIN] = {1, 2, 3};
    struct cad_tape_config config;
    struct cad_tape_recorder *recorder = NULL;
    cad_tape_config_init(&config);
    config.write = keep;
    config.ctx = tape;
    config.full = full;
    config.entropy = (cad_buf){entropy, sizeof(entropy)};
    assert_int_equal(cad_tape_recorder_create(&config, &recorder), 0);
    struct cad_sim_config sim = config_of(b);
    sim.tape = recorder;
    sim.engine.report = true;
    sim.engine.text_language = CAD_STR("en");
    bench_open(b, &sim, &plain);
    assert_int_equal(sim_title_play(b->sim), 0);
    assert_int_equal(cad_sim_run(b->sim, 100 * CAD_SECOND), 1);
    cad_sim_stats(b->sim, stats);
    assert_int_equal(cad_tape_recorder_end(recorder), 0);
    cad_sim_destroy(&b->sim);
    cad_tape_recorder_destroy(&recorder);
}

static void same_again(const struct cad_sb *tape, uint64_t hash)
{
    struct cad_tape_options options;
    struct cad_tape_replay *replay = NULL;
    struct cad_tape_result result;
    int rc;
    cad_tape_options_init(&options);
    options.check = true;
    cad_buf bytes = cad_buf_from_str(cad_sb_str(tape));
    assert_int_equal(cad_tape_replay_create(bytes, &options, &replay), 0);
    while ((rc = cad_tape_replay_step(replay)) == 1) {}
    assert_int_equal(rc, 0);
    cad_tape_replay_result(replay, &result);
    assert_int_equal(result.end, CAD_TAPE_WHOLE);
    assert_false(result.differs);
    assert_true(result.decision_hash == hash);
    cad_tape_replay_destroy(&replay);
}

/* Also a full tape: what opens a title is on none. */
static void test_a_tape_of_keys_text_and_reports(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    for (int full = 0; full < 2; full++) {
        struct bench b;
        struct cad_sb tape;
        struct cad_engine_stats stats;
        uint8_t key[16];
        char text[64];
        size_t n;
        bench_init(&b, true);
        cad_sb_init(&tape, &alloc, CAD_MEM_OTHER, TAPE_MAX);
        record(&b, &tape, full, &stats);
        assert_int_equal(stats.state, CAD_STATE_ENDED);
        assert_int_equal(stats.services.licences, 1);
        assert_true(stats.services.events_delivered >= 1);
        mock_synth_key(sim_title_kid, key);
        absent(&tape, key, sizeof(key));
        const unsigned how = CAD_BASE64_URL | CAD_BASE64_NO_PAD;
        assert_int_equal(cad_base64_encode((cad_buf){key, 16}, how, text, sizeof(text), &n), 0);
        absent(&tape, text, n);
        cad_str licence = cad_sb_str(&b.licence);
        assert_true(licence.n > 64);
        absent(&tape, licence.p + 32, 24);
        absent(&tape, CAD_STR("reqAttempt").p, 10); /* of what services are told */
        same_again(&tape, stats.decision_hash);
        cad_sb_deinit(&tape);
        bench_deinit(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_protected_start_costs_no_more_round_trips),
        cmocka_unit_test(test_cdm_answers_after_its_latency),
        cmocka_unit_test(test_without_a_cdm_a_protected_title_fails),
        cmocka_unit_test(test_a_table_of_another_version_is_refused),
        cmocka_unit_test(test_text_is_pulled_and_told),
        cmocka_unit_test(test_events_come_once_over_a_kill),
        cmocka_unit_test(test_a_tape_of_keys_text_and_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
