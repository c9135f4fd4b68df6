/*
 * The desk between a CDM and the drive thread: events come out whole and in the order in which they
 * were posted, by whichever thread; a refused call is answered; what cannot be taken is refused as
 * a whole; nothing leaks.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "cdm_unruly.h"
#include "drive/cdm_host.h"
#include "drive/clock.h"
#include "support/failing_alloc.h"

static const char LICENCE[] =
    "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"AAECAwQFBgcICQoLDA0ODw\","
    "\"k\":\"Dw4NDAsKCQgHBgUEAwIBAA\"}]}";
static const char INIT[] = "{\"kids\":[\"AAECAwQFBgcICQoLDA0ODw\"]}";

static _Atomic int wakes, key_wakes;

static void count_wake(void *ctx)
{
    (void)ctx;
    wakes++;
}

static void count_keys(void *ctx)
{
    (void)ctx;
    key_wakes++;
}

static struct cad_cdm_desk_config config_of(const struct cad_cdm_ops *ops,
                                            const struct cad_alloc *alloc)
{
    wakes = key_wakes = 0;
    return (struct cad_cdm_desk_config){.alloc = *alloc,
                                        .ops = ops,
                                        .key_system = CAD_STR("org.w3.clearkey"),
                                        .wake = count_wake,
                                        .keys = count_keys};
}

static struct cad_cdm_call call_of(enum cad_cdm_call_type type, uint32_t op, const char *data)
{
    struct cad_cdm_call call = {.type = type, .tag = {3, 1, op}, .init_type = CAD_INIT_KEYIDS};
    if (data) call.data = cad_buf_from_str(cad_str_from(data));
    return call;
}

static void give(struct cad_cdm_desk *desk, enum cad_cdm_call_type type, uint32_t op,
                 const char *data)
{
    struct cad_cdm_call call = call_of(type, op, data);
    cad_cdm_desk_call(desk, &call);
}

/* The next event, waited for up to 5 s. A CDM that wants to be called later is called then. */
static const struct cad_cdm_event *await(struct cad_cdm_desk *desk)
{
    cad_time until = cad_time_add(cad_clock_now(), 5 * CAD_SECOND);
    cad_time timer = CAD_TIME_NONE;
    for (;;) {
        const struct cad_cdm_event *event = cad_cdm_desk_peek(desk);
        if (event && event->type != CAD_CDM_EVENT_TIMER) return event;
        if (event) {
            timer = event->time;
            cad_cdm_desk_pop(desk);
        }
        cad_time now = cad_clock_now();
        assert_true(now < until);
        if (timer == CAD_TIME_NONE || now < timer) continue;
        timer = CAD_TIME_NONE;
        give(desk, CAD_CDM_CALL_TIMER, 0, NULL);
    }
}

/* It is copied and popped: its views are gone. */
static struct cad_cdm_event next(struct cad_cdm_desk *desk)
{
    const struct cad_cdm_event *event = await(desk);
    struct cad_cdm_event copy = *event;
    assert_null(event->next);
    assert_int_equal(event->size, sizeof *event);
    cad_cdm_desk_pop(desk);
    return copy;
}

static void assert_done(struct cad_cdm_desk *desk, uint32_t op, int result)
{
    struct cad_cdm_event done = next(desk);
    assert_int_equal(done.type, CAD_CDM_EVENT_DONE);
    assert_int_equal(done.tag.session, 3);
    assert_int_equal(done.tag.epoch, 1);
    assert_int_equal(done.tag.op, op);
    assert_int_equal(done.result, result);
}

/* A whole life, with any CDM that keeps the contract. */
static void live(struct cad_cdm_desk *desk)
{
    uint8_t kid[CAD_KEY_ID_SIZE];
    for (size_t i = 0; i < sizeof kid; i++) kid[i] = (uint8_t)i;
    const struct cad_cdm_ops *ops = cad_cdm_desk_ops(desk);
    assert_null(cad_cdm_desk_peek(desk));
    give(desk, CAD_CDM_CALL_OPEN, 1, NULL);
    assert_done(desk, 1, 0);
    give(desk, CAD_CDM_CALL_REQUEST, 2, INIT);
    const struct cad_cdm_event *message = await(desk);
    assert_int_equal(message->type, CAD_CDM_EVENT_MESSAGE);
    cad_str text = {(const char *)message->data.p, message->data.n};
    assert_true(cad_str_find(text, CAD_STR("AAECAwQFBgcICQoLDA0ODw")) >= 0);
    cad_cdm_desk_pop(desk);
    assert_done(desk, 2, 0);
    assert_int_equal(key_wakes, 0);
    assert_int_equal(ops->key_ready(cad_cdm_desk_cdm(desk), kid), CAD_KEY_PENDING);
    give(desk, CAD_CDM_CALL_UPDATE, 3, LICENCE);
    message = await(desk);
    assert_int_equal(message->type, CAD_CDM_EVENT_KEYS);
    assert_int_equal(message->key_count, 1);
    assert_memory_equal(message->keys[0].kid, kid, sizeof kid);
    assert_int_equal(message->keys[0].status, CAD_KEY_USABLE);
    assert_int_equal(key_wakes, 1);
    assert_int_equal(ops->key_ready(cad_cdm_desk_cdm(desk), kid), CAD_KEY_USABLE);
    cad_cdm_desk_pop(desk);
    assert_done(desk, 3, 0);
    give(desk, CAD_CDM_CALL_TIMER, 0, NULL);
    give(desk, CAD_CDM_CALL_CLOSE, 4, NULL);
    assert_int_equal(next(desk).type, CAD_CDM_EVENT_CLOSED);
    assert_done(desk, 4, 0);
    assert_null(cad_cdm_desk_peek(desk));
    assert_true(wakes >= 4);
}

static void test_cdm_host_life(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_cdm_desk_config config = config_of(cad_cdm_clearkey(), &alloc);
    struct cad_cdm_desk *desk = NULL;
    assert_int_equal(cad_cdm_desk_create(&config, &desk), 0);
    live(desk);
    give(desk, CAD_CDM_CALL_OPEN, 5, NULL); /* what nobody took is dropped with it */
    cad_cdm_desk_destroy(&desk);
    assert_null(desk);
    cad_cdm_desk_destroy(&desk);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

/* Events come one by one, each when the CDM's timer is due. */
static void test_cdm_host_late(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_cdm_desk_config config = config_of(unruly_ops(UNRULY_LATE), &alloc);
    struct cad_cdm_desk *desk = NULL;
    assert_int_equal(cad_cdm_desk_create(&config, &desk), 0);
    live(desk);
    give(desk, CAD_CDM_CALL_OPEN, 5, NULL);
    cad_cdm_desk_destroy(&desk); /* with an event under way */
}

/* A refused call has one DONE, of ours; also where there is no memory, and in any number. */
static void test_cdm_host_refused(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_cdm_desk_config config = config_of(cad_cdm_clearkey(), &alloc);
    struct cad_cdm_desk *desk = NULL;
    assert_int_equal(cad_cdm_desk_create(&config, &desk), 0);
    f.fail_at = f.calls + 1;
    f.fail_after = true;
    for (int round = 0; round < 5; round++) {
        for (uint32_t op = 1; op <= 60; op++) give(desk, CAD_CDM_CALL_CLOSE, op, NULL);
        for (uint32_t op = 1; op <= 60; op++) assert_done(desk, op, CAD_E_NOTFOUND);
        assert_null(cad_cdm_desk_peek(desk));
    }
    give(desk, CAD_CDM_CALL_FEED_INIT, 9, INIT); /* the table has none, or no such session */
    struct cad_cdm_event done = next(desk);
    assert_int_equal(done.type, CAD_CDM_EVENT_DONE);
    assert_true(done.result < 0);
    give(desk, CAD_CDM_CALL_OPEN, 10, NULL);
    assert_done(desk, 10, CAD_E_NOMEM);
    assert_null(cad_cdm_desk_peek(desk));
    cad_cdm_desk_destroy(&desk);
    assert_int_equal(f.live_blocks, 0);
}

/* A CDM that is busy at every other call is asked again, in order; nobody hears of it. */
static void test_cdm_host_busy(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_cdm_desk_config config = config_of(unruly_ops(UNRULY_BUSY), &alloc);
    struct cad_cdm_desk *desk = NULL;
    assert_int_equal(cad_cdm_desk_create(&config, &desk), 0);
    assert_int_equal(cad_cdm_desk_turn(desk), CAD_TIME_NONE);
    char init[] = "{\"kids\":[\"AAECAwQFBgcICQoLDA0ODw\"]}";
    give(desk, CAD_CDM_CALL_OPEN, 1, NULL);
    give(desk, CAD_CDM_CALL_REQUEST, 2, init);
    memset(init, 'x', sizeof init - 1); /* it was copied */
    assert_null(cad_cdm_desk_peek(desk));
    cad_time wake = cad_cdm_desk_turn(desk);
    assert_true(wake != CAD_TIME_NONE && wake <= cad_clock_now() + CAD_CDM_BUSY_LOOK);
    while (cad_cdm_desk_turn(desk) != CAD_TIME_NONE) {
        assert_true(cad_clock_now() < wake + CAD_SECOND);
        usleep(1000);
    }
    assert_done(desk, 1, 0);
    assert_int_equal(next(desk).type, CAD_CDM_EVENT_MESSAGE);
    assert_done(desk, 2, 0);
    give(desk, CAD_CDM_CALL_CLOSE, 3, NULL); /* one that is kept at the end */
    for (uint32_t op = 4; op < 4 + CAD_CDM_HELD_MAX; op++) give(desk, CAD_CDM_CALL_CLOSE, op, NULL);
    assert_done(desk, 3 + CAD_CDM_HELD_MAX, CAD_E_AGAIN); /* too many to be kept */
    cad_cdm_desk_destroy(&desk);
    assert_int_equal(f.live_blocks, 0);
}

static int never(struct cad_cdm *cdm, const struct cad_cdm_tag *tag)
{
    (void)cdm;
    (void)tag;
    return CAD_E_AGAIN;
}

/* Not for ever: then that is its answer. */
static void test_cdm_host_busy_for_good(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_cdm_ops table = *cad_cdm_clearkey();
    table.close = never;
    struct cad_cdm_desk_config config = config_of(&table, &alloc);
    struct cad_cdm_desk *desk = NULL;
    assert_int_equal(cad_cdm_desk_create(&config, &desk), 0);
    cad_time from = cad_clock_now();
    give(desk, CAD_CDM_CALL_CLOSE, 1, NULL);
    while (cad_cdm_desk_turn(desk) != CAD_TIME_NONE) {
        assert_true(cad_clock_now() < from + 2 * CAD_CDM_BUSY_MAX);
        usleep(1000);
    }
    assert_true(cad_clock_now() >= from + CAD_CDM_BUSY_MAX);
    assert_done(desk, 1, CAD_E_AGAIN);
    cad_cdm_desk_destroy(&desk);
}

static void test_cdm_host_create_fails(void **state)
{
    (void)state;
    struct cad_alloc system = cad_alloc_system();
    struct cad_cdm_ops table = *cad_cdm_clearkey();
    struct cad_cdm_desk_config config = config_of(&table, &system);
    struct cad_cdm_desk *desk = NULL;
    config.key_system = CAD_STR("com.example.unknown");
    assert_int_equal(cad_cdm_desk_create(&config, &desk), CAD_E_UNSUPPORTED);
    config.key_system = CAD_STR("org.w3.clearkey");
    table.abi++;
    assert_int_equal(cad_cdm_desk_create(&config, &desk), CAD_E_UNSUPPORTED);
    table.abi--;
    table.key_ready = NULL;
    assert_int_equal(cad_cdm_desk_create(&config, &desk), CAD_E_INVAL);
    assert_null(desk);
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        config = config_of(cad_cdm_clearkey(), &alloc);
        int err = cad_cdm_desk_create(&config, &desk);
        assert_int_equal(err, f.failed ? CAD_E_NOMEM : 0);
        cad_cdm_desk_destroy(&desk);
        assert_int_equal(f.live_blocks, 0);
        if (!f.failed) break;
    }
}

/* ---- a CDM that gives the host away ---------------------------------------------------------- */

struct cad_cdm {
    struct cad_cdm_host host;
    uint32_t store_op;
    int store_result;
};

static struct cad_cdm bare;

static int bare_create(const struct cad_cdm_host *host, cad_str key_system, struct cad_cdm **out)
{
    (void)key_system;
    bare = (struct cad_cdm){.host = *host};
    *out = &bare;
    return 0;
}

static void bare_destroy(struct cad_cdm *cdm)
{
    (void)cdm;
}

static void bare_store_done(struct cad_cdm *cdm, uint32_t op, int result, cad_buf data)
{
    assert_int_equal(data.n, 0);
    cdm->store_op = op;
    cdm->store_result = result;
}

static struct cad_cdm_ops bare_ops(void)
{
    struct cad_cdm_ops ops = *cad_cdm_clearkey(); /* what else is required is never called */
    ops.create = bare_create;
    ops.destroy = bare_destroy;
    ops.store_done = bare_store_done;
    return ops;
}

static struct cad_cdm_event event_of(enum cad_cdm_event_type type, uint32_t op)
{
    return (struct cad_cdm_event){
        .size = sizeof(struct cad_cdm_event), .type = type, .tag = {3, 1, op}};
}

static struct cad_cdm_desk *bare_desk(struct cad_cdm_ops *ops)
{
    struct cad_alloc alloc = cad_alloc_system();
    *ops = bare_ops();
    struct cad_cdm_desk_config config = config_of(ops, &alloc);
    struct cad_cdm_desk *desk = NULL;
    assert_int_equal(cad_cdm_desk_create(&config, &desk), 0);
    return desk;
}

/* All of a chain or none of it; the limit of events and the one of bytes. */
static void test_cdm_host_limits(void **state)
{
    (void)state;
    struct cad_cdm_ops ops;
    struct cad_cdm_desk *desk = bare_desk(&ops);
    for (uint32_t i = 0; i < CAD_CDM_EVENTS_MAX - 1; i++) {
        struct cad_cdm_event e = event_of(CAD_CDM_EVENT_DONE, i);
        assert_int_equal(bare.host.post(bare.host.ctx, &e), 0);
    }
    struct cad_cdm_event b = event_of(CAD_CDM_EVENT_DONE, 901);
    struct cad_cdm_event a = event_of(CAD_CDM_EVENT_KEYS, 900);
    a.next = &b;
    assert_int_equal(bare.host.post(bare.host.ctx, &a), CAD_E_NOMEM);
    assert_int_equal(key_wakes, 0);
    assert_int_equal(bare.host.post(bare.host.ctx, &b), 0);
    assert_int_equal(bare.host.post(bare.host.ctx, &b), CAD_E_NOMEM);
    for (uint32_t i = 0; i < CAD_CDM_EVENTS_MAX - 1; i++) {
        assert_int_equal(next(desk).tag.op, i);
    }
    assert_int_equal(next(desk).tag.op, 901);
    assert_int_equal(bare.host.post(bare.host.ctx, &a), 0); /* there is room again */
    assert_int_equal(next(desk).tag.op, 900);
    assert_int_equal(next(desk).tag.op, 901);
    assert_int_equal(key_wakes, 1);
    static uint8_t big[CAD_CDM_EVENT_BYTES_MAX];
    a = event_of(CAD_CDM_EVENT_MESSAGE, 5);
    a.data = (cad_buf){big, sizeof big};
    assert_int_equal(bare.host.post(bare.host.ctx, &a), CAD_E_NOMEM);
    a.data.n = sizeof big / 2;
    assert_int_equal(bare.host.post(bare.host.ctx, &a), 0);
    assert_int_equal(bare.host.post(bare.host.ctx, &a), CAD_E_NOMEM);
    a.data.n = SIZE_MAX;
    assert_int_equal(bare.host.post(bare.host.ctx, &a), CAD_E_NOMEM);
    cad_cdm_desk_destroy(&desk);
}

/* An older CDM's event is shorter: what it does not have counts as unset. */
static void test_cdm_host_short_event(void **state)
{
    (void)state;
    struct cad_cdm_ops ops;
    struct cad_cdm_desk *desk = bare_desk(&ops);
    struct cad_cdm_event e = event_of(CAD_CDM_EVENT_DONE, 1);
    e.size = offsetof(struct cad_cdm_event, keys);
    e.keys = (const struct cad_cdm_key *)(uintptr_t)16; /* not to be looked at */
    e.key_count = 1000;
    e.data = (cad_buf){(const uint8_t *)"abc", 3};
    assert_int_equal(bare.host.post(bare.host.ctx, &e), 0);
    const struct cad_cdm_event *got = cad_cdm_desk_peek(desk);
    assert_non_null(got);
    assert_int_equal(got->key_count, 0);
    assert_int_equal(got->time, CAD_TIME_NONE);
    assert_memory_equal(got->data.p, "abc", 3);
    assert_true(got->data.p != e.data.p);
    cad_cdm_desk_destroy(&desk);
}

/* Nothing is kept for a CDM: it is told so, and the engine does not hear of it. */
static void test_cdm_host_store(void **state)
{
    (void)state;
    struct cad_cdm_ops ops;
    struct cad_cdm_desk *desk = bare_desk(&ops);
    struct cad_cdm_event get = event_of(CAD_CDM_EVENT_STORE_GET, 8);
    struct cad_cdm_event put = event_of(CAD_CDM_EVENT_STORE_PUT, 9);
    struct cad_cdm_event done = event_of(CAD_CDM_EVENT_DONE, 10);
    assert_int_equal(bare.host.post(bare.host.ctx, &get), 0);
    assert_int_equal(bare.store_op, 0); /* not from inside of post */
    assert_null(cad_cdm_desk_peek(desk));
    assert_int_equal(bare.store_op, 8);
    assert_int_equal(bare.store_result, CAD_E_NOTFOUND);
    put.next = &done;
    assert_int_equal(bare.host.post(bare.host.ctx, &put), 0);
    assert_int_equal(next(desk).tag.op, 10);
    assert_int_equal(bare.store_op, 9);
    assert_int_equal(bare.store_result, CAD_E_IO);
    cad_cdm_desk_destroy(&desk);
}

static void test_cdm_host_serves(void **state)
{
    (void)state;
    struct cad_cdm_ops ops;
    struct cad_cdm_desk *desk = bare_desk(&ops);
    uint8_t a[300] = {0}, b[300] = {0};
    assert_int_equal(bare.host.random(bare.host.ctx, a, sizeof a), 0);
    assert_int_equal(bare.host.random(bare.host.ctx, b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
    cad_time now = bare.host.now(bare.host.ctx);
    assert_true(now > 0 && now <= cad_clock_now());
    assert_true(bare.host.wall(bare.host.ctx) > INT64_C(1600000000) * CAD_SECOND);
    cad_cdm_desk_destroy(&desk);
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { THREADS = 3, POSTS = 2000 };

static void *post_many(void *arg)
{
    uint32_t who = (uint32_t)(uintptr_t)arg;
    for (uint32_t i = 0; i < POSTS;) {
        struct cad_cdm_event e = event_of(CAD_CDM_EVENT_EXPIRY, i);
        e.tag.session = who;
        if (bare.host.post(bare.host.ctx, &e) == 0) i++;
    }
    return NULL;
}

static void test_cdm_host_threads(void **state)
{
    (void)state;
    struct cad_cdm_ops ops;
    struct cad_cdm_desk *desk = bare_desk(&ops);
    pthread_t threads[THREADS];
    uint32_t seen[THREADS] = {0};
    for (uintptr_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, (void *)i), 0);
    }
    for (uint32_t n = 0; n < THREADS * POSTS; n++) {
        struct cad_cdm_event e = next(desk);
        assert_true(e.tag.session < THREADS);
        assert_int_equal(e.tag.op, seen[e.tag.session]++);
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_null(cad_cdm_desk_peek(desk));
    cad_cdm_desk_destroy(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cdm_host_life),         cmocka_unit_test(test_cdm_host_late),
        cmocka_unit_test(test_cdm_host_refused),      cmocka_unit_test(test_cdm_host_create_fails),
        cmocka_unit_test(test_cdm_host_limits),       cmocka_unit_test(test_cdm_host_short_event),
        cmocka_unit_test(test_cdm_host_store),        cmocka_unit_test(test_cdm_host_serves),
        cmocka_unit_test(test_cdm_host_threads),      cmocka_unit_test(test_cdm_host_busy),
        cmocka_unit_test(test_cdm_host_busy_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
