#include "cdm_bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/str.h"

/* ---- memory: counted, failing on request, searched for keys when it is given back --------- */

struct block {
    size_t n;
    struct block *before, *next; /* of those that are out */
    size_t unused;               /* keeps what follows aligned */
};

static void search_keys(struct cdm_bench *bench, const uint8_t *p, size_t n)
{
    for (size_t k = 0; k < BENCH_TEST_KEYS; k++) {
        for (size_t i = 0; i + 16 <= n; i++) {
            if (memcmp(p + i, bench->keys[k].key, 16) != 0) continue;
            bench_breach(bench, "a key lies open: in an event, or in memory that was given back");
            return;
        }
    }
}

static void give_back(struct cdm_bench *bench, uint8_t *p, size_t old_bytes)
{
    struct block *block = (struct block *)(void *)(p - sizeof *block);
    if (block->n != old_bytes) bench_breach(bench, "memory is given back with another size");
    search_keys(bench, p, block->n);
    bench->live_blocks--;
    if (block->next) block->next->before = block->before;
    if (block->before) block->before->next = block->next;
    else bench->blocks = block->next;
    free(block);
}

static void *bench_alloc(void *ctx, void *p, size_t old_bytes, size_t new_bytes,
                         enum cad_mem_class cls)
{
    struct cdm_bench *bench = ctx;
    (void)cls;
    uint8_t *out = NULL;
    pthread_mutex_lock(&bench->lock);
    if (new_bytes > 0 && ++bench->allocs != bench->fail_at) {
        struct block *block = malloc(sizeof *block + new_bytes);
        if (block != NULL) {
            block->n = new_bytes;
            out = (uint8_t *)(block + 1);
            block->before = NULL;
            block->next = bench->blocks;
            if (block->next) block->next->before = block;
            bench->blocks = block;
            bench->live_blocks++;
            if (p != NULL) memcpy(out, p, old_bytes < new_bytes ? old_bytes : new_bytes);
        }
    }
    if (p != NULL && (new_bytes == 0 || out != NULL)) give_back(bench, p, old_bytes);
    pthread_mutex_unlock(&bench->lock);
    return out;
}

/* ---- events ------------------------------------------------------------------------------- */

static void record(struct cdm_bench *bench, const struct cad_cdm_event *event)
{
    if (event->type == CAD_CDM_EVENT_TIMER) {
        bench->timer = event->time;
        return;
    }
    if (bench->event_count == BENCH_EVENTS_MAX) {
        bench_breach(bench, "events without end");
        return;
    }
    struct cdm_record *r = &bench->events[bench->event_count++];
    *r = (struct cdm_record){.type = event->type, .tag = event->tag, .result = event->result,
                             .data_size = event->data.n, .key_count = event->key_count};
    if (event->key_count > BENCH_KEYS_MAX) {
        bench_breach(bench, "more keys than there can be");
        r->key_count = 0;
    }
    if (r->key_count > 0) memcpy(r->keys, event->keys, r->key_count * sizeof r->keys[0]);
    search_keys(bench, event->data.p, event->data.n);
}

static int bench_post(void *ctx, const struct cad_cdm_event *events)
{
    struct cdm_bench *bench = ctx;
    int rc = 0;
    pthread_mutex_lock(&bench->lock);
    if (bench->is_gone) bench_breach(bench, "an event of destroy, or after it");
    if (bench->post_fails) rc = CAD_E_NOMEM;
    for (; events != NULL && rc == 0; events = events->next) record(bench, events);
    pthread_mutex_unlock(&bench->lock);
    return rc;
}

static cad_time bench_now(void *ctx)
{
    struct cdm_bench *bench = ctx;
    return bench->now;
}

static cad_time bench_wall(void *ctx)
{
    (void)ctx;
    return CAD_TIME_NONE;
}

static int bench_random(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(i * 31 + 7);
    return 0;
}

/* ---- life --------------------------------------------------------------------------------- */

void bench_init(struct cdm_bench *bench, const struct cdm_kind *kind)
{
    memset(bench, 0, sizeof *bench);
    bench->kind = kind;
    bench->timer = CAD_TIME_NONE;
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&bench->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    for (size_t k = 0; k < BENCH_TEST_KEYS; k++) {
        for (size_t i = 0; i < 16; i++) {
            bench->keys[k].kid[i] = (uint8_t)(k * 16 + i);
            bench->keys[k].key[i] = (uint8_t)(0x5a ^ (k * 41 + i * 29));
        }
    }
}

void bench_deinit(struct cdm_bench *bench)
{
    if (bench->live_blocks != 0) bench_breach(bench, "memory was not given back");
    /* What a CDM leaked is its breach, and no leak of the test. */
    while (bench->blocks != NULL) {
        struct block *block = bench->blocks;
        bench->blocks = block->next;
        free(block);
    }
    pthread_mutex_destroy(&bench->lock);
}

int bench_create(struct cdm_bench *bench)
{
    struct cad_cdm_host host = {
        .size = sizeof host, .alloc = {bench_alloc, bench}, .ctx = bench, .post = bench_post,
        .now = bench_now, .wall = bench_wall, .random = bench_random};
    bench->is_gone = false;
    return bench->kind->ops->create(&host, bench->kind->key_system, &bench->cdm);
}

void bench_destroy(struct cdm_bench *bench)
{
    bench->is_gone = true; /* nothing is told by destroy itself either */
    bench->kind->ops->destroy(bench->cdm);
    bench->cdm = NULL;
}

void bench_breach(struct cdm_bench *bench, const char *fmt, ...)
{
    pthread_mutex_lock(&bench->lock);
    if (bench->breach[0] == '\0') {
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(bench->breach, sizeof bench->breach, fmt, args);
        va_end(args);
    }
    pthread_mutex_unlock(&bench->lock);
}

bool bench_is_good(const struct cdm_bench *bench)
{
    return bench->breach[0] == '\0';
}

/* ---- calls -------------------------------------------------------------------------------- */

static int call_once(struct cdm_bench *bench, enum bench_call call, const struct cad_cdm_tag *tag,
                     uint32_t which)
{
    const struct cad_cdm_ops *ops = bench->kind->ops;
    const struct cdm_key *keys = &bench->keys[which >> 8];
    uint8_t bytes[4096];
    enum cad_init_type type = CAD_INIT_CENC;
    size_t n = 0;
    switch (call) {
    case CALL_OPEN: return ops->open(bench->cdm, tag, CAD_SESSION_TEMPORARY);
    case CALL_REQUEST:
        n = bench->kind->init_data(keys, which & 0xff, &type, bytes, sizeof bytes);
        return ops->request(bench->cdm, tag, type, (cad_buf){bytes, n});
    case CALL_REQUEST_JUNK:
        return ops->request(bench->cdm, tag, CAD_INIT_CENC, (cad_buf){(const uint8_t *)"junk", 4});
    case CALL_UPDATE:
        n = bench->kind->licence(keys, which & 0xff, bytes, sizeof bytes);
        return ops->update(bench->cdm, tag, (cad_buf){bytes, n});
    case CALL_UPDATE_JUNK:
        return ops->update(bench->cdm, tag, (cad_buf){(const uint8_t *)"junk", 4});
    case CALL_REMOVE: return ops->remove(bench->cdm, tag);
    case CALL_CLOSE: return ops->close(bench->cdm, tag);
    }
    return CAD_E_INVAL;
}

/* Lets time pass as long as the CDM wants it. */
static void run_timers(struct cdm_bench *bench)
{
    for (int i = 0; i < 100 && bench->timer != CAD_TIME_NONE; i++) {
        if (bench->timer > bench->now) bench->now = bench->timer;
        bench->timer = CAD_TIME_NONE;
        bench->kind->ops->timer(bench->cdm, bench->now);
        bench->post_fails = false;
    }
}

static const struct cdm_record *last_event(const struct cdm_bench *bench)
{
    return bench->event_count > 0 ? &bench->events[bench->event_count - 1] : NULL;
}

/* What every call must obey: one DONE, last, with its tag; or none and no event at all. */
static int check_call(struct cdm_bench *bench, const struct cad_cdm_tag *tag, int rc)
{
    if (rc != 0) {
        BENCH_CHECK(bench, bench->event_count == 0);
        return rc;
    }
    size_t done = 0;
    for (size_t i = 0; i < bench->event_count; i++) {
        const struct cdm_record *r = &bench->events[i];
        if (r->type == CAD_CDM_EVENT_DONE) done++;
        BENCH_CHECK(bench, r->tag.session == tag->session);
        BENCH_CHECK(bench, r->tag.epoch == tag->epoch);
        BENCH_CHECK(bench, r->tag.op == tag->op || r->tag.op == 0);
    }
    const struct cdm_record *last = last_event(bench);
    BENCH_CHECK(bench, done == 1);
    BENCH_CHECK(bench, last != NULL && last->type == CAD_CDM_EVENT_DONE);
    BENCH_CHECK(bench, last != NULL && last->tag.op == tag->op);
    return last != NULL ? last->result : 0;
}

int bench_call(struct cdm_bench *bench, enum bench_call call, uint32_t session, uint32_t epoch,
               uint32_t keys)
{
    struct cad_cdm_tag tag = {.session = session, .epoch = epoch, .op = ++bench->last_op};
    int rc = CAD_E_AGAIN;
    bench->event_count = 0;
    for (int i = 0; i < 3 && rc == CAD_E_AGAIN; i++) rc = call_once(bench, call, &tag, keys);
    run_timers(bench);
    return check_call(bench, &tag, rc);
}

bool bench_was_refused(const struct cdm_bench *bench)
{
    return bench->event_count == 0;
}

const struct cdm_record *bench_find(const struct cdm_bench *bench, enum cad_cdm_event_type type)
{
    for (size_t i = 0; i < bench->event_count; i++) {
        if (bench->events[i].type == type) return &bench->events[i];
    }
    return NULL;
}

int bench_ready(struct cdm_bench *bench, uint32_t key)
{
    return bench->kind->ops->key_ready(bench->cdm, bench->keys[key].kid);
}

/* ---- Clear Key's words -------------------------------------------------------------------- */

static void put_id(char *out, size_t cap, const uint8_t *id)
{
    size_t n = 0;
    size_t at = strlen(out);
    unsigned flags = CAD_BASE64_URL | CAD_BASE64_NO_PAD;
    if (cad_base64_encode((cad_buf){id, 16}, flags, out + at, cap - at - 1, &n) == 0) {
        out[at + n] = '\0';
    }
}

static void put(char *out, size_t cap, const char *text)
{
    size_t at = strlen(out);
    (void)snprintf(out + at, cap - at, "%s", text);
}

size_t cdm_clearkey_init_data(const struct cdm_key *keys, uint32_t n, enum cad_init_type *type,
                              uint8_t *out, size_t cap)
{
    char *text = (char *)out;
    *type = CAD_INIT_KEYIDS;
    text[0] = '\0';
    put(text, cap, "{\"kids\":[");
    for (uint32_t i = 0; i < n; i++) {
        put(text, cap, i > 0 ? ",\"" : "\"");
        put_id(text, cap, keys[i].kid);
        put(text, cap, "\"");
    }
    put(text, cap, "]}");
    return strlen(text);
}

size_t cdm_clearkey_licence(const struct cdm_key *keys, uint32_t n, uint8_t *out, size_t cap)
{
    char *text = (char *)out;
    text[0] = '\0';
    put(text, cap, "{\"keys\":[");
    for (uint32_t i = 0; i < n; i++) {
        put(text, cap, i > 0 ? ",{\"kty\":\"oct\",\"k\":\"" : "{\"kty\":\"oct\",\"k\":\"");
        put_id(text, cap, keys[i].key);
        put(text, cap, "\",\"kid\":\"");
        put_id(text, cap, keys[i].kid);
        put(text, cap, "\"}");
    }
    put(text, cap, "],\"type\":\"temporary\"}");
    return strlen(text);
}
