/* Goal: a session plays back from its tape to the same decisions; a tape that is cut, changed or
 * hostile is told and harms nobody; a recording that fails costs the session nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "cadmium/tape.h"
#include "drive/tape.h"
#include "sim_title.h"
#include "support/failing_alloc.h"

#define TAPE_MAX (4u << 20)

static struct cad_trace_period rows[] = {{3600 * CAD_SECOND, 5000000, 40 * CAD_MS}};
static const struct cad_trace trace = {rows, 1};
static const uint8_t entropy[CAD_TAPE_ENTROPY_MIN] = {1, 2, 3};

/* A tape in memory, which may break. */
struct store {
    struct cad_sb sb;
    uint64_t writes, fail_at; /* the n-th write fails, from 1; 0 none */
};

static int keep(void *ctx, const uint8_t *p, size_t n)
{
    struct store *s = ctx;
    if (++s->writes == s->fail_at) return -1;
    cad_sb_put(&s->sb, cad_str_from_buf((cad_buf){p, n}));
    return cad_sb_error(&s->sb);
}

static void store_init(struct store *s)
{
    struct cad_alloc alloc = cad_alloc_system();
    memset(s, 0, sizeof(*s));
    cad_sb_init(&s->sb, &alloc, CAD_MEM_OTHER, TAPE_MAX);
}

static cad_buf tape_of(const struct store *s)
{
    return cad_buf_from_str(cad_sb_str(&s->sb));
}

/* The decisions of a session of `duration`, recorded by tape (or NULL). */
static uint64_t play(struct cad_tape_recorder *tape, cad_time duration, cad_time faults)
{
    struct sim_title title;
    struct cad_sim_config config;
    struct cad_sim *sim = NULL;
    struct cad_engine_stats stats;
    sim_title_init(&title, duration, 3600 * CAD_SECOND);
    cad_sim_config_init(&config);
    config.tape = tape;
    config.fault_every = faults;
    config.engine.check = true;
    assert_int_equal(cad_sim_create(&config, &sim), 0);
    assert_int_equal(sim_title_attach(&title, sim, &trace), 0);
    assert_int_equal(sim_title_play(sim), 0);
    assert_int_equal(cad_sim_run(sim, 600 * CAD_SECOND), 1);
    cad_sim_stats(sim, &stats);
    cad_sim_destroy(&sim);
    sim_title_deinit(&title);
    return stats.decision_hash;
}

static struct cad_tape_recorder *recorder(struct store *s)
{
    struct cad_tape_config config;
    struct cad_tape_recorder *tape = NULL;
    cad_tape_config_init(&config);
    config.write = keep;
    config.ctx = s;
    config.entropy = (cad_buf){entropy, sizeof(entropy)};
    assert_int_equal(cad_tape_recorder_create(&config, &tape), 0);
    return tape;
}

static uint64_t record(struct store *s, cad_time duration, cad_time faults)
{
    store_init(s);
    struct cad_tape_recorder *tape = recorder(s);
    uint64_t hash = play(tape, duration, faults);
    assert_int_equal(cad_tape_recorder_end(tape), 0);
    cad_tape_recorder_destroy(&tape);
    assert_null(tape);
    return hash;
}

/* To its end; the result of create. */
static int replay(cad_buf bytes, const struct cad_tape_options *options,
                  struct cad_tape_result *result)
{
    struct cad_tape_options plain;
    struct cad_tape_replay *r = NULL;
    cad_tape_options_init(&plain);
    plain.check = true;
    int rc = cad_tape_replay_create(bytes, options ? options : &plain, &r);
    if (rc != 0) return rc;
    do {
        rc = cad_tape_replay_step(r);
    } while (rc == 1);
    cad_tape_replay_result(r, result);
    cad_tape_replay_destroy(&r);
    return rc;
}

static void test_tape_plays_back_to_the_same_decisions(void **state)
{
    CAD_UNUSED(state);
    for (cad_time faults = 0; faults <= 20 * CAD_SECOND; faults += 10 * CAD_SECOND) {
        struct store s;
        struct cad_tape_result result;
        uint64_t hash = record(&s, 60 * CAD_SECOND, faults);
        assert_true(hash == play(NULL, 60 * CAD_SECOND, faults)); /* a recorder changes nothing */
        assert_int_equal(replay(tape_of(&s), NULL, &result), 0);
        assert_int_equal(result.end, CAD_TAPE_WHOLE);
        assert_false(result.differs);
        assert_true(result.decision_hash == hash);
        assert_true(result.checkpoints >= 1 && result.turns > 100);
        assert_int_equal(result.offset, tape_of(&s).n);
        assert_false(result.other_version || result.full);
        cad_sb_deinit(&s.sb);
    }
}

static void test_tape_cut_off_plays_up_to_its_end(void **state)
{
    CAD_UNUSED(state);
    struct store s;
    struct cad_tape_result result;
    (void)record(&s, 6 * CAD_SECOND, 0);
    cad_buf whole = tape_of(&s);
    uint64_t turns = 0;
    for (size_t n = 0; n < whole.n; n += n < 1500 ? 1 : 37) {
        /* In memory of its own size, so that nothing past the end can be read unseen. */
        uint8_t *exact = test_malloc(n ? n : 1);
        memcpy(exact, whole.p, n);
        int rc = replay((cad_buf){exact, n}, NULL, &result);
        test_free(exact);
        if (rc != 0) {
            assert_int_equal(rc, CAD_E_DATA);
            assert_true(n < 1500); /* within the header */
            continue;
        }
        assert_int_equal(result.end, CAD_TAPE_CUT);
        assert_false(result.differs);
        assert_true(result.turns >= turns);
        turns = result.turns;
    }
    assert_true(turns > 50);
    cad_sb_deinit(&s.sb);
}

static void test_tape_with_a_changed_byte_is_told(void **state)
{
    CAD_UNUSED(state);
    struct store s;
    struct cad_tape_result result;
    (void)record(&s, 4 * CAD_SECOND, 0);
    cad_buf whole = tape_of(&s);
    for (size_t i = 0; i < whole.n; i += i < 1500 ? 3 : 41) {
        s.sb.p[i] = (char)(s.sb.p[i] ^ 1 << (i % 8));
        int rc = replay(whole, NULL, &result);
        s.sb.p[i] = (char)(s.sb.p[i] ^ 1 << (i % 8));
        if (rc != 0) {
            assert_int_equal(rc, CAD_E_DATA);
            continue;
        }
        /* A size that grew past the end looks like a cut. */
        assert_true(result.end == CAD_TAPE_BROKEN || result.end == CAD_TAPE_CUT);
        assert_true(result.offset <= i);
        assert_false(result.differs);
    }
    cad_sb_deinit(&s.sb);
}

/* The tape with another text in its header, and the right CRC for it. */
static cad_buf with_header(const struct store *s, const char *from, const char *to,
                           struct cad_sb *out)
{
    struct tape_reader r = {tape_of(s).p + 8, tape_of(s).n - 8, false};
    cad_buf json = tape_get_bytes(&r, (size_t)tape_get_u64(&r));
    cad_str text = cad_str_from_buf(json);
    ptrdiff_t at = cad_str_find(text, cad_str_from(from));
    assert_true(at >= 0);
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb head;
    cad_sb_init(&head, &alloc, CAD_MEM_OTHER, TAPE_MAX);
    cad_sb_init(out, &alloc, CAD_MEM_OTHER, TAPE_MAX);
    tape_put_u64(&head, text.n - strlen(from) + strlen(to));
    cad_sb_put(&head, cad_str_sub(text, 0, (size_t)at));
    cad_sb_putz(&head, to);
    cad_sb_put(&head, cad_str_sub(text, (size_t)at + strlen(from), text.n));
    tape_put_crc(&head);
    cad_sb_putz(out, CAD_TAPE_MAGIC);
    cad_sb_put(out, cad_sb_str(&head));
    cad_sb_deinit(&head);
    tape_put_bytes(out, r.p + 4, r.n - 4);
    return cad_buf_from_str(cad_sb_str(out));
}

static void test_tape_names_the_first_turn_that_differs(void **state)
{
    CAD_UNUSED(state);
    struct store s;
    struct cad_sb other;
    struct cad_tape_result result;
    (void)record(&s, 60 * CAD_SECOND, 0);
    /* An engine that begins later decides otherwise, and not from the beginning on. */
    cad_buf bytes = with_header(&s, "\"start_goal_ns\":2000000000", "\"start_goal_ns\":6000000000",
                                &other);
    assert_int_equal(replay(bytes, NULL, &result), 0);
    assert_true(result.differs);
    assert_true(result.differs_turn > 3 && result.differs_turn < result.turns);
    assert_true(result.differs_at > 0 && result.differs_at < 20 * CAD_SECOND);
    cad_sb_deinit(&other);
    bytes = with_header(&s, "\"library\":\"", "\"library\":\"9", &other);
    assert_int_equal(replay(bytes, NULL, &result), 0);
    assert_true(result.other_version);
    assert_false(result.differs);
    cad_sb_deinit(&other);
    bytes = with_header(&s, "\"hybrid\"", "\"nobody\"", &other);
    assert_int_equal(replay(bytes, NULL, &result), CAD_E_UNSUPPORTED);
    cad_sb_deinit(&other);
    cad_sb_deinit(&s.sb);
}

static uint64_t inputs, actions;

static void count_input(void *ctx, cad_time now, cad_str line)
{
    CAD_UNUSED(ctx);
    CAD_UNUSED(now);
    assert_true(line.n > 0);
    inputs++;
}

static void count_action(void *ctx, cad_time now, const struct cad_action *action)
{
    CAD_UNUSED(ctx);
    CAD_UNUSED(now);
    CAD_UNUSED(action);
    actions++;
}

static void test_tape_stops_where_it_is_asked_to(void **state)
{
    CAD_UNUSED(state);
    struct store s;
    struct cad_tape_result result;
    struct cad_tape_options options;
    (void)record(&s, 20 * CAD_SECOND, 0);
    cad_tape_options_init(&options);
    options.until = 5 * CAD_SECOND;
    options.on_input = count_input;
    options.on_action = count_action;
    assert_int_equal(replay(tape_of(&s), &options, &result), 0);
    assert_int_equal(result.end, CAD_TAPE_UNTIL);
    assert_true(result.now - result.begin <= 5 * CAD_SECOND);
    assert_true(result.now - result.begin > 4 * CAD_SECOND);
    assert_true(inputs > 50 && actions > 5);
    cad_sb_deinit(&s.sb);
}

/* The session goes on whatever becomes of its recording; what was written plays back. */
static void test_tape_that_cannot_be_written(void **state)
{
    CAD_UNUSED(state);
    uint64_t hash = play(NULL, 6 * CAD_SECOND, 0);
    for (uint64_t at = 1;; at += at < 10 ? 1 : 23) {
        struct store s;
        struct cad_tape_result result;
        store_init(&s);
        s.fail_at = at;
        struct cad_tape_recorder *tape = recorder(&s);
        assert_true(play(tape, 6 * CAD_SECOND, 0) == hash);
        int rc = cad_tape_recorder_end(tape);
        cad_tape_recorder_destroy(&tape);
        assert_int_equal(rc, s.writes >= at ? CAD_E_IO : 0);
        if (at > 2) {
            assert_int_equal(replay(tape_of(&s), NULL, &result), 0);
            assert_int_equal(result.end, rc ? CAD_TAPE_CUT : CAD_TAPE_WHOLE);
            assert_false(result.differs);
        }
        cad_sb_deinit(&s.sb);
        if (rc == 0) break;
    }
}

static void test_tape_without_memory(void **state)
{
    CAD_UNUSED(state);
    uint64_t hash = play(NULL, 4 * CAD_SECOND, 0);
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        struct store s;
        struct cad_tape_config config;
        struct cad_tape_recorder *tape = NULL;
        cad_failing_init(&f, at);
        store_init(&s);
        cad_tape_config_init(&config);
        config.alloc = cad_failing_alloc(&f);
        config.write = keep;
        config.ctx = &s;
        config.entropy = (cad_buf){entropy, sizeof(entropy)};
        int rc = cad_tape_recorder_create(&config, &tape);
        if (rc == 0) {
            assert_true(play(tape, 4 * CAD_SECOND, 0) == hash);
            rc = cad_tape_recorder_end(tape);
            cad_tape_recorder_destroy(&tape);
        }
        assert_int_equal(rc, f.failed ? CAD_E_NOMEM : 0);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        cad_sb_deinit(&s.sb);
        if (!f.failed) break;
    }
}

static void test_tape_replay_without_memory(void **state)
{
    CAD_UNUSED(state);
    struct store s;
    (void)record(&s, 2 * CAD_SECOND, 0);
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        struct cad_tape_options options;
        struct cad_tape_result result;
        cad_failing_init(&f, at);
        cad_tape_options_init(&options);
        options.alloc = cad_failing_alloc(&f);
        options.check = true;
        int rc = replay(tape_of(&s), &options, &result);
        assert_true(rc == 0 || rc == CAD_E_NOMEM);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
    cad_sb_deinit(&s.sb);
}

static void feed(struct cad_tape_recorder *tape, struct cad_engine *engine,
                 const struct cad_event *event)
{
    assert_int_equal(cad_tape_feed(tape, engine, event), 0);
}

static void commit(struct cad_tape_recorder *tape, struct cad_engine *engine, uint32_t id,
                   cad_str bytes)
{
    struct cad_tape_lease lease = {.id = id, .want = bytes.n};
    assert_int_equal(cad_tape_lease(tape, engine, &lease), 0);
    assert_true(lease.capacity >= bytes.n);
    memcpy(lease.data, bytes.p, bytes.n);
    assert_int_equal(cad_tape_commit(tape, engine, id, bytes.n, 1), 0);
}

/* A session whose every text has a secret in it; its manifest comes in two pieces that part one. */
static void whisper(struct cad_tape_recorder *tape)
{
    static const char body[] = "{\"result\":{\"esn\":\"a-SECRET-b\",\"x\":\"http://h/?t=SECRET\"}}";
    struct cad_engine *engine = NULL;
    struct cad_engine_config config;
    struct cad_action action;
    uint32_t id = 0;
    cad_engine_config_init(&config);
    assert_int_equal(cad_engine_create(&config, &engine), 0);
    cad_tape_begin(tape, &config);
    struct cad_event event = {.type = CAD_EVENT_COMMAND};
    event.u.command.type = CAD_COMMAND_LOAD;
    event.u.command.title.url = CAD_STR("http://me:SECRET@h/m?t=SECRET&e=1");
    event.u.command.title.start = CAD_TIME_NONE;
    feed(tape, engine, &event);
    event = (struct cad_event){.type = CAD_EVENT_SINK_FAIL, .u.fail = {
        .slot = 0, .error = CAD_ERR_MEDIA_DECODE, .message = "at http://h/?sc=SECRET"}};
    feed(tape, engine, &event);
    event = (struct cad_event){.type = CAD_EVENT_COMMAND, .u.command.type = CAD_COMMAND_TRACK};
    memcpy(event.u.command.track, "?t=SECRET", 10);
    feed(tape, engine, &event);
    event = (struct cad_event){.type = CAD_EVENT_COMMAND, .u.command = {
        .type = CAD_COMMAND_LOAD,
        .title = {.url = CAD_STR("https://h/m?t=SECRET"), .start = CAD_TIME_NONE}}};
    feed(tape, engine, &event);
    for (int i = 0; i < 4; i++) {
        assert_true(cad_tape_run(tape, engine, 1 + i) >= 0);
        while (cad_tape_poll(tape, engine, &action) == 0) {
            if (action.type == CAD_ACTION_HTTP_START) id = action.u.start.id;
        }
    }
    assert_true(id != 0);
    event = (struct cad_event){.type = CAD_EVENT_HTTP_HEAD, .u.head = {
        .id = id, .status = 200, .length = -1, .range = {-1, -1}, .total = -1,
        .retry_after = CAD_TIME_NONE, .location = CAD_STR("/there?sc=SECRET")}};
    feed(tape, engine, &event);
    size_t half = (size_t)(strstr(body, "SECRET") - body) + 3;
    commit(tape, engine, id, cad_str_make(body, half));
    assert_true(cad_tape_run(tape, engine, 10) >= 0);
    commit(tape, engine, id, cad_str_from(body + half));
    cad_engine_destroy(&engine);
}

static void test_tape_tells_no_secret(void **state)
{
    CAD_UNUSED(state);
    for (int full = 0; full < 2; full++) {
        struct store s;
        struct cad_tape_config config;
        struct cad_tape_recorder *tape = NULL;
        struct cad_tape_result result;
        store_init(&s);
        cad_tape_config_init(&config);
        config.write = keep;
        config.ctx = &s;
        config.entropy = (cad_buf){entropy, sizeof(entropy)};
        config.full = full == 1;
        assert_int_equal(cad_tape_recorder_create(&config, &tape), 0);
        whisper(tape);
        assert_int_equal(cad_tape_recorder_end(tape), 0);
        cad_tape_recorder_destroy(&tape);
        cad_str text = cad_sb_str(&s.sb);
        if (full) assert_true(cad_str_find(text, CAD_STR("SECRET")) >= 0);
        else assert_true(cad_str_find(text, CAD_STR("SECRET")) < 0);
        assert_true(cad_str_find(text, CAD_STR("{\"result\":{\"esn\":\"")) >= 0);
        assert_int_equal(replay(tape_of(&s), NULL, &result), 0);
        assert_int_equal(result.end, CAD_TAPE_WHOLE);
        assert_false(result.differs);
        cad_sb_deinit(&s.sb);
    }
}

static void test_tape_refuses_wrong_calls(void **state)
{
    CAD_UNUSED(state);
    struct store s;
    struct cad_tape_config config;
    struct cad_tape_recorder *tape = NULL;
    struct cad_engine_config engine;
    struct cad_tape_result result;
    store_init(&s);
    cad_tape_config_init(&config);
    assert_int_equal(cad_tape_recorder_create(&config, &tape), CAD_E_INVAL);
    config.write = keep;
    config.ctx = &s;
    config.entropy = (cad_buf){entropy, CAD_TAPE_ENTROPY_MIN - 1};
    assert_int_equal(cad_tape_recorder_create(&config, &tape), CAD_E_INVAL);
    config.full = true; /* needs none */
    assert_int_equal(cad_tape_recorder_create(&config, &tape), 0);
    cad_engine_config_init(&engine);
    cad_tape_begin(tape, &engine);
    cad_tape_begin(tape, &engine); /* a tape is of one engine */
    assert_int_equal(cad_tape_recorder_end(tape), CAD_E_INVAL);
    cad_tape_recorder_destroy(&tape);
    cad_tape_recorder_destroy(&tape);
    assert_int_equal(replay(tape_of(&s), NULL, &result), 0);
    assert_int_equal(result.end, CAD_TAPE_CUT);
    assert_true(result.full);
    cad_tape_begin(NULL, &engine);
    assert_int_equal(replay((cad_buf){NULL, 0}, NULL, &result), CAD_E_DATA);
    cad_sb_deinit(&s.sb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape_plays_back_to_the_same_decisions),
        cmocka_unit_test(test_tape_cut_off_plays_up_to_its_end),
        cmocka_unit_test(test_tape_with_a_changed_byte_is_told),
        cmocka_unit_test(test_tape_names_the_first_turn_that_differs),
        cmocka_unit_test(test_tape_stops_where_it_is_asked_to),
        cmocka_unit_test(test_tape_that_cannot_be_written),
        cmocka_unit_test(test_tape_without_memory),
        cmocka_unit_test(test_tape_replay_without_memory),
        cmocka_unit_test(test_tape_tells_no_secret),
        cmocka_unit_test(test_tape_refuses_wrong_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
