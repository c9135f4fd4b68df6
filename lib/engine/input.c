/*
 * Inputs: what is fed is copied at the door and taken, in its order, at the beginning of a turn.
 */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

#define RATE_MIN_Q16 32768u
#define RATE_MAX_Q16 131072u

/* ---- copies ---------------------------------------------------------------------------------- */

static bool names_title(const struct cad_event *event)
{
    return event->type == CAD_EVENT_COMMAND && (event->u.command.type == CAD_COMMAND_LOAD ||
                                                event->u.command.type == CAD_COMMAND_PREPARE);
}

static int copy_title(struct cad_engine *e, struct cad_title *t)
{
    if (t->url.n > ENGINE_URL_MAX || t->base.n > ENGINE_URL_MAX || t->id.n > ENGINE_URL_MAX) {
        return CAD_E_INVAL;
    }
    size_t n = t->url.n + t->base.n + t->id.n + 1;
    char *p = cad_alloc_new(&e->alloc, n, CAD_MEM_SESSION);
    if (!p) return CAD_E_NOMEM;
    cad_str *parts[] = {&t->url, &t->base, &t->id};
    char *at = p;
    for (size_t i = 0; i < CAD_ARRAY_LEN(parts); i++) {
        if (parts[i]->n) memcpy(at, parts[i]->p, parts[i]->n);
        parts[i]->p = at;
        at += parts[i]->n;
    }
    return CAD_OK;
}

/* Keys, data, URL and name of an event of the CDM, in one block that begins with the keys. */
static size_t cdm_bytes(const struct cad_cdm_event *ev)
{
    return ev->key_count * sizeof(*ev->keys) + ev->data.n + ev->url.n + ev->name.n;
}

/* What is too long to be kept goes, and the result says so: the event itself must come in, or all
 * those behind it wait for ever. */
static void bound_cdm(struct cad_cdm_event *ev)
{
    bool fits = ev->data.n <= KEYS_MESSAGE_MAX && ev->url.n <= ENGINE_URL_MAX &&
                ev->name.n <= ENGINE_URL_MAX;
    ev->next = NULL;
    ev->key_count = ev->type == CAD_CDM_EVENT_KEYS ? CAD_MIN(ev->key_count, KEYS_KIDS_MAX) : 0;
    if (fits) return;
    ev->data = (cad_buf){NULL, 0};
    ev->url = ev->name = CAD_STR("");
    ev->result = CAD_E_LIMIT;
}

static int copy_cdm(struct cad_engine *e, struct cad_cdm_event *ev)
{
    bound_cdm(ev);
    size_t keys = ev->key_count * sizeof(*ev->keys);
    size_t n = cdm_bytes(ev);
    if (n == 0) return CAD_OK;
    uint8_t *p = cad_alloc_new(&e->alloc, n, CAD_MEM_SESSION);
    if (!p) return CAD_E_NOMEM;
    if (keys) memcpy(p, ev->keys, keys);
    ev->keys = (const struct cad_cdm_key *)(const void *)p;
    p += keys;
    if (ev->data.n) memcpy(p, ev->data.p, ev->data.n);
    ev->data.p = p;
    p += ev->data.n;
    if (ev->url.n) memcpy(p, ev->url.p, ev->url.n);
    ev->url.p = (const char *)p;
    p += ev->url.n;
    if (ev->name.n) memcpy(p, ev->name.p, ev->name.n);
    ev->name.p = (const char *)p;
    return CAD_OK;
}

/* Value and keys of a store's answer: the keys' views first, then their bytes or the value. */
static size_t store_bytes(const struct cad_store_done *done)
{
    size_t n = done->value.n + done->count * sizeof(cad_str);
    for (size_t i = 0; i < done->count; i++) n += done->keys[i].n;
    return n;
}

static int copy_store(struct cad_engine *e, struct cad_store_done *done)
{
    if (done->count > CAD_STORE_KEYS_MAX || done->value.n > CAD_STORE_VALUE_MAX) {
        done->value = (cad_buf){NULL, 0}; /* as above */
        done->count = 0;
        done->result = CAD_E_LIMIT;
    }
    size_t n = store_bytes(done);
    if (n == 0) return CAD_OK;
    uint8_t *p = cad_alloc_new(&e->alloc, n, CAD_MEM_SESSION);
    if (!p) return CAD_E_NOMEM;
    cad_str *keys = (cad_str *)(void *)p;
    p += done->count * sizeof(*keys);
    for (size_t i = 0; i < done->count; i++) {
        keys[i] = (cad_str){(const char *)p, done->keys[i].n};
        if (keys[i].n) memcpy(p, done->keys[i].p, keys[i].n);
        p += keys[i].n;
    }
    if (done->value.n) memcpy(p, done->value.p, done->value.n);
    done->value.p = p;
    done->keys = keys;
    return CAD_OK;
}

static int copy_event(struct cad_engine *e, struct cad_event *event)
{
    if (names_title(event)) return copy_title(e, &event->u.command.title);
    if (event->type == CAD_EVENT_CDM) return copy_cdm(e, &event->u.cdm);
    if (event->type == CAD_EVENT_STORE_DONE) return copy_store(e, &event->u.store);
    return CAD_OK;
}

void input_release(struct cad_engine *e, struct cad_event *event)
{
    const void *p = NULL;
    size_t n = 0;
    if (names_title(event)) {
        const struct cad_title *t = &event->u.command.title;
        n = t->url.n + t->base.n + t->id.n + 1;
        p = t->url.p;
    } else if (event->type == CAD_EVENT_CDM) {
        n = cdm_bytes(&event->u.cdm);
        p = event->u.cdm.keys;
    } else if (event->type == CAD_EVENT_STORE_DONE) {
        n = store_bytes(&event->u.store);
        p = event->u.store.keys;
    }
    if (n) cad_alloc_free(&e->alloc, (void *)(uintptr_t)p, n, CAD_MEM_SESSION);
}

/* ---- the door -------------------------------------------------------------------------------- */

/* Is the event for the session itself, and not for what is around it? */
static bool is_session(const struct cad_engine *e, const struct cad_event *event)
{
    switch (event->type) {
    case CAD_EVENT_HTTP_HEAD: return !exchange_is(event->u.head.id);
    case CAD_EVENT_HTTP_END: return !exchange_is(event->u.end.id);
    case CAD_EVENT_ENTROPY: return e->entropy_n < ENGINE_ENTROPY_LOW; /* it may have waited */
    case CAD_EVENT_STORE_DONE: return false;
    default: return true;
    }
}

/*
 * What the session lacks goes to it; of the rest it gets half, and telemetry what is left, for its
 * request ids. So the session's share depends on nothing that telemetry does or is.
 */
static void take_entropy(struct cad_engine *e, cad_buf bytes)
{
    size_t lacks = ENGINE_ENTROPY_LOW - CAD_MIN(e->entropy_n, ENGINE_ENTROPY_LOW);
    size_t first = CAD_MIN(bytes.n, lacks);
    size_t n = CAD_MIN(first + (bytes.n - first) / 2, sizeof(e->entropy) - e->entropy_n);
    if (n) memcpy(e->entropy + e->entropy_n, bytes.p, n);
    e->entropy_n += n;
    facts_entropy(e, (cad_buf){bytes.p + n, bytes.n - n});
}

int cad_engine_feed(struct cad_engine *engine, const struct cad_event *event)
{
    if (!engine || !event || event->type > CAD_EVENT_STORE_DONE) return CAD_E_INVAL;
    if (is_session(engine, event)) engine->touched = true;
    /* These take effect at the door: a head decides where the body that follows goes, secrets are
     * never queued, and what a CDM can do is known before the first title. */
    if (event->type == CAD_EVENT_HTTP_HEAD) {
        if (exchange_is(event->u.head.id)) exchange_head(engine, &event->u.head);
        else request_head(engine, &event->u.head);
        return CAD_OK;
    }
    if (event->type == CAD_EVENT_ENTROPY) {
        take_entropy(engine, event->u.entropy);
        return CAD_OK;
    }
    if (event->type == CAD_EVENT_CDM_CAPS) {
        keys_caps(engine, event->u.cdm_caps);
        return CAD_OK;
    }
    struct cad_event copy = *event;
    if (cad_ring_space(&engine->inputs) == 0) return CAD_E_LIMIT;
    if (copy.type == CAD_EVENT_HTTP_END && exchange_is(copy.u.end.id)) {
        exchange_mark_end(engine, copy.u.end.id);
    } else if (copy.type == CAD_EVENT_HTTP_END) {
        request_mark_end(engine, copy.u.end.id);
    }
    int rc = copy_event(engine, &copy);
    if (rc != 0) return rc;
    return cad_ring_push(&engine->inputs, &copy);
}

/* ---- the beginning of a turn ----------------------------------------------------------------- */

static void take_rate(struct cad_engine *e, uint32_t rate_q16)
{
    e->clock.want_rate_q16 = CAD_MIN(CAD_MAX(rate_q16, RATE_MIN_Q16), RATE_MAX_Q16);
    engine_decide(e, "rate q16=%u", clock_rate(e));
}

static void take_command(struct cad_engine *e, const struct cad_command *c)
{
    switch (c->type) {
    case CAD_COMMAND_LOAD:
    case CAD_COMMAND_PREPARE: title_load(e, c); break;
    case CAD_COMMAND_PLAY: e->clock.want_play = true; break;
    case CAD_COMMAND_PAUSE: e->clock.want_play = false; break;
    case CAD_COMMAND_SEEK: clock_seek(e, c->position, c->ticket); break;
    case CAD_COMMAND_STOP:
        if (!e->manifest.loaded) break;
        title_stop(e);
        clock_begin(e, 0); /* nothing of the old epoch is shown any more */
        clock_halt(e);
        engine_set_state(e, CAD_STATE_STOPPED, "stop");
        break;
    case CAD_COMMAND_PIN: e->pin = c->rung; break;
    case CAD_COMMAND_TRACK:
        if (!words_choose(e, c)) lane_choose(e, c);
        break;
    case CAD_COMMAND_RATE: take_rate(e, c->rate_q16); break;
    }
}

static void take_sink_fail(struct cad_engine *e, const struct cad_sink_fail *fail)
{
    if (e->clock.state == CAD_STATE_FAILED || !e->manifest.loaded) return;
    struct cad_error err;
    cad_error_init(&err, fail->error);
    err.track = (int32_t)fail->slot;
    err.edge_code = fail->edge_code;
    err.phase = e->clock.first_ever ? CAD_PHASE_PLAY : CAD_PHASE_START;
    if (fail->message[0]) {
        cad_str_copyz(err.message, sizeof(err.message), cad_str_from(fail->message));
    }
    if (!keys_sink_fail(e, &err)) engine_fail(e, &err);
}

static void take_wall(struct cad_engine *e, int64_t offset_ms)
{
    if (e->wall_from_server) return; /* server time decides (licensed manifest 9) */
    if (offset_ms > INT64_C(1) << 52 || offset_ms < -(INT64_C(1) << 52)) return;
    e->wall_offset_ms = offset_ms;
    e->has_wall = true;
    facts_wall(e);
}

static void take_caps(struct cad_engine *e, const struct cad_sink_caps *caps)
{
    e->caps = *caps;
    e->has_caps = true;
    e->tracks_version++;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct slot *s = &e->slots[i];
        if (!s->present) continue;
        slots_ladder(e, i);
        if (s->lost.code == CAD_ERR_MEDIA_CODEC) s->lost.code = CAD_ERR_NONE;
        s->switching = true; /* another track may be the one wished for now */
    }
}

void inputs_take(struct cad_engine *e)
{
    struct cad_event event;
    while (cad_ring_pop(&e->inputs, &event)) {
        switch (event.type) {
        case CAD_EVENT_COMMAND: take_command(e, &event.u.command); break;
        case CAD_EVENT_HTTP_END:
            if (exchange_is(event.u.end.id)) exchange_end(e, &event.u.end);
            else request_end(e, &event.u.end);
            break;
        case CAD_EVENT_SINK_CAPS: take_caps(e, &event.u.caps); break;
        case CAD_EVENT_SINK_ANCHOR: clock_anchor(e, &event.u.anchor); break;
        case CAD_EVENT_SINK_LEVEL: clock_level(e, &event.u.level); break;
        case CAD_EVENT_SINK_FAIL: take_sink_fail(e, &event.u.fail); break;
        case CAD_EVENT_NET_CHANGE:
            e->online = event.u.net.online;
            cad_abr_note(e->abr, CAD_ABR_NOTE_NETWORK, e->now);
            probes_network(e);
            break;
        case CAD_EVENT_WALL_OFFSET: take_wall(e, event.u.wall.offset_ms); break;
        case CAD_EVENT_CDM: keys_take(e, &event.u.cdm); break;
        case CAD_EVENT_STORE_DONE: facts_store(e, &event.u.store); break;
        case CAD_EVENT_HTTP_HEAD:
        case CAD_EVENT_CDM_CAPS:
        case CAD_EVENT_ENTROPY: break; /* taken at the door */
        }
        input_release(e, &event);
        if (cad_ring_space(&e->actions) < ENGINE_ACTIONS_RESERVE) {
            e->more = cad_ring_count(&e->inputs) > 0;
            return;
        }
    }
}
