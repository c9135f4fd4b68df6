#include "stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

void stage_init(struct stage *s, const struct cad_alloc *alloc)
{
    struct cad_alloc system = cad_alloc_system();
    memset(s, 0, sizeof(*s));
    s->alloc = *alloc;
    s->now = STAGE_T0;
    s->random = 1;
    s->status = 200;
    s->retry_after = CAD_TIME_NONE;
    mock_ingest_init(&s->ingest, &system);
    cad_sb_init(&s->wire, &system, CAD_MEM_OTHER, 64u << 20);
    cad_telemetry_config_init(&s->config);
    s->config.alloc = *alloc;
    s->config.event_url = CAD_STR("http://log.test/msl/playapi/cadmium/event/1");
    s->config.log_url = CAD_STR("http://log.test/log/cadmium/logblob/1");
    s->config.ui_version = CAD_STR("1.0 test");
    s->config.ui_name = CAD_STR("cadmium-play");
    s->config.os_name = CAD_STR("Linux");
    s->config.os_version = CAD_STR("6");
    s->config.device = CAD_STR("DEV-1");
    s->config.languages = CAD_STR("de, en");
}

void stage_init_system(struct stage *s)
{
    struct cad_alloc alloc = cad_alloc_system();
    stage_init(s, &alloc);
}

static void drop(struct stage *s, size_t i)
{
    free(s->items[i].value);
    s->items[i] = s->items[--s->count];
}

void stage_deinit(struct stage *s)
{
    cad_telemetry_destroy(&s->t);
    while (s->count) drop(s, 0);
    mock_ingest_deinit(&s->ingest);
    cad_sb_deinit(&s->wire);
}

int stage_start(struct stage *s)
{
    cad_telemetry_destroy(&s->t);
    int err = cad_telemetry_create(&s->config, &s->t);
    if (err) return err;
    cad_telemetry_wall(s->t, STAGE_WALL);
    return 0;
}

struct cad_telemetry_stats stage_stats(const struct stage *s)
{
    struct cad_telemetry_stats out = {.size = 0};
    cad_telemetry_stats(s->t, &out);
    return out;
}

/* ---- the store ----------------------------------------------------------------------------- */

static struct stage_item *find(struct stage *s, cad_str key)
{
    for (size_t i = 0; i < s->count; i++) {
        if (cad_str_eqz(key, s->items[i].key)) return &s->items[i];
    }
    return NULL;
}

static int put(struct stage *s, cad_str key, cad_buf value)
{
    if (s->store_result) return s->store_result;
    struct stage_item *item = find(s, key);
    if (!item) {
        if (s->count == STAGE_KEYS) return CAD_E_LIMIT;
        item = &s->items[s->count++];
        memset(item, 0, sizeof(*item));
        cad_str_copyz(item->key, sizeof(item->key), key);
    }
    free(item->value);
    item->value = malloc(value.n ? value.n : 1);
    if (!item->value) abort();
    memcpy(item->value, value.p, value.n);
    item->n = value.n;
    return 0;
}

static int by_key(const void *a, const void *b)
{
    return cad_str_cmp(*(const cad_str *)a, *(const cad_str *)b);
}

static void list(struct stage *s, const struct cad_telemetry_order *o)
{
    cad_str keys[STAGE_KEYS];
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++) {
        cad_str key = cad_str_from(s->items[i].key);
        if (cad_str_starts(key, o->key)) keys[n++] = key;
    }
    qsort(keys, n, sizeof(keys[0]), by_key);
    if (cad_telemetry_store_listed(s->t, o->id, 0, keys, n) != 0) abort();
}

/* ---- orders -------------------------------------------------------------------------------- */

/* A half-step: the process may end here. */
static bool step(struct stage *s)
{
    s->steps++;
    if (s->kill_at == 0 || s->steps < s->kill_at) return true;
    cad_telemetry_destroy(&s->t);
    s->kill_at = 0;
    return false;
}

static bool post(struct stage *s, const struct cad_telemetry_order *o)
{
    struct cad_telemetry_answer a = {.status = s->status, .retry_after = s->retry_after};
    s->posts++;
    s->low_posts += o->low_priority;
    s->last_post = *o;
    cad_str_copyz(s->last_url, sizeof(s->last_url), o->url);
    if (s->status == 200) a.status = mock_ingest_post(&s->ingest, o->url, o->body, o->gzip);
    cad_sb_put(&s->wire, o->url);
    cad_sb_put(&s->wire, cad_sb_str(&s->ingest.last));
    if (s->status == 200 && s->lost_answers) a.status = 0;
    if (!o->low_priority) a.body = cad_str_from(s->answer_body);
    if (o->low_priority) a.limits = cad_str_from(s->limits);
    if (!step(s)) return false; /* the service has it, we are gone */
    if (cad_telemetry_http_done(s->t, o->id, &a) != 0) abort();
    return true;
}

static void entropy(struct stage *s, size_t n)
{
    uint8_t bytes[CAD_TELEMETRY_ENTROPY_MAX];
    for (size_t i = 0; i < n && i < sizeof(bytes); i++) {
        s->random = s->random * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(s->random >> 56);
    }
    if (!s->no_entropy) cad_telemetry_entropy(s->t, (cad_buf){bytes, CAD_MIN(n, sizeof(bytes))});
}

static bool perform(struct stage *s, const struct cad_telemetry_order *o)
{
    struct stage_item *item;
    int result = 0;
    if (!step(s)) return false; /* before it took effect */
    switch (o->type) {
    case CAD_TELEMETRY_ENTROPY: entropy(s, o->bytes); return true;
    case CAD_TELEMETRY_STORE_LIST: list(s, o); return true;
    case CAD_TELEMETRY_HTTP_POST: return post(s, o);
    case CAD_TELEMETRY_STORE_PUT:
        s->puts++;
        result = put(s, o->key, o->value);
        break;
    case CAD_TELEMETRY_STORE_GET:
        s->gets++;
        item = find(s, o->key);
        if (cad_telemetry_store_done(s->t, o->id, item ? 0 : CAD_E_NOTFOUND,
                                     item ? (cad_buf){item->value, item->n} : (cad_buf){0}) != 0) {
            abort();
        }
        return true;
    case CAD_TELEMETRY_STORE_DELETE:
        s->deletes++;
        item = find(s, o->key);
        if (item) drop(s, (size_t)(item - s->items));
        break;
    }
    if (!step(s)) return false; /* after it took effect, before we knew */
    if (cad_telemetry_store_done(s->t, o->id, result, (cad_buf){0}) != 0) abort();
    return true;
}

bool stage_run(struct stage *s)
{
    struct cad_telemetry_order o;
    if (!s->t) return false;
    cad_telemetry_turn(s->t, s->now);
    for (int i = 0; i < 10000 && cad_telemetry_poll(s->t, &o) == 0; i++) {
        if (!perform(s, &o)) return false;
        cad_telemetry_turn(s->t, s->now);
    }
    return true;
}

bool stage_fact(struct stage *s, struct cad_fact f)
{
    if (!s->t) return false;
    f.at = s->now;
    (void)cad_telemetry_fact(s->t, &f);
    return stage_run(s);
}

bool stage_until(struct stage *s, cad_time until)
{
    if (!stage_run(s)) return false;
    for (int i = 0; i < 100000; i++) {
        cad_time wake = cad_telemetry_next_wake(s->t);
        if (wake > until) break;
        s->spins += wake <= s->now;
        s->now = CAD_MAX(wake, s->now + CAD_MS);
        if (!stage_run(s)) return false;
    }
    s->now = until;
    return stage_run(s);
}

/* ---- facts --------------------------------------------------------------------------------- */

struct cad_fact stage_simple(enum cad_fact_type type)
{
    return (struct cad_fact){.type = type, .position = CAD_TIME_NONE};
}

struct cad_fact stage_play(const char *xid)
{
    struct cad_fact f = stage_simple(CAD_FACT_PLAY);
    f.u.play.xid = cad_str_from(xid);
    f.u.play.title = CAD_STR("80100200");
    f.u.play.link = CAD_STR("/events?playback=1");
    f.u.play.video = CAD_STR("V:1");
    f.u.play.audio = CAD_STR("A:1");
    f.u.play.text = CAD_STR("T:1");
    return f;
}

struct cad_fact stage_state(enum cad_play_state state)
{
    struct cad_fact f = stage_simple(CAD_FACT_STATE);
    f.u.state.state = state;
    return f;
}

struct cad_fact stage_shown(const char *id, int64_t rate_bps)
{
    struct cad_fact f = stage_simple(CAD_FACT_SHOWN);
    f.u.shown.kind = CAD_SHOWN_VIDEO;
    f.u.shown.id = cad_str_from(id);
    f.u.shown.rate_bps = rate_bps;
    f.u.shown.vmaf_milli = -1;
    return f;
}

struct cad_fact stage_end(const char *reason)
{
    struct cad_fact f = stage_simple(CAD_FACT_END);
    f.u.end.reason = cad_str_from(reason);
    return f;
}

bool stage_begin(struct stage *s, const char *xid)
{
    return stage_fact(s, stage_play(xid)) && stage_fact(s, stage_simple(CAD_FACT_FIRST_FRAME));
}

bool stage_begin_playing(struct stage *s, const char *xid)
{
    return stage_begin(s, xid) && stage_fact(s, stage_state(CAD_PLAY_PLAYING));
}

bool stage_session(struct stage *s, const char *xid)
{
    struct cad_fact seek = stage_simple(CAD_FACT_SEEK);
    seek.u.seek.from = 100 * CAD_SECOND;
    seek.u.seek.to = 500 * CAD_SECOND;
    if (!stage_fact(s, stage_play(xid))) return false;
    s->now += CAD_SECOND;
    if (!stage_fact(s, stage_shown("d1", 1000000))) return false;
    if (!stage_fact(s, stage_simple(CAD_FACT_FIRST_FRAME))) return false;
    if (!stage_fact(s, stage_state(CAD_PLAY_PLAYING))) return false;
    if (!stage_until(s, s->now + 130 * CAD_SECOND)) return false;
    if (!stage_fact(s, stage_state(CAD_PLAY_PAUSED))) return false;
    s->now += 10 * CAD_SECOND;
    if (!stage_fact(s, stage_state(CAD_PLAY_PLAYING))) return false;
    s->now += 5 * CAD_SECOND;
    if (!stage_fact(s, seek) || !stage_fact(s, stage_state(CAD_PLAY_SEEKING))) return false;
    s->now += CAD_SECOND;
    if (!stage_fact(s, stage_simple(CAD_FACT_SEEK_DONE))) return false;
    if (!stage_fact(s, stage_state(CAD_PLAY_PLAYING))) return false;
    s->now += 20 * CAD_SECOND;
    return stage_fact(s, stage_end("stopped"));
}
