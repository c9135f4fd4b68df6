/* The engine's surface: create, feed, one turn, poll. The phases of a turn live in their own
 * files. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

#define RATE_MIN_Q16 32768u
#define RATE_MAX_Q16 131072u

void cad_engine_config_init(struct cad_engine_config *config)
{
    memset(config, 0, sizeof(*config));
    config->size = sizeof(*config);
    config->alloc = cad_alloc_system();
    config->seed = 1;
    config->ceiling_bytes = 64 * 1024 * 1024;
    config->buffer_ahead = 60 * CAD_SECOND;
    config->buffer_behind = 20 * CAD_SECOND;
    config->start_goal = 2 * CAD_SECOND;
    config->resume_goal = 4 * CAD_SECOND;
    config->allow_http = true;
    cad_abr_config_init(&config->abr_config);
    config->app_name = CAD_STR("libcadmium");
    config->app_version = cad_str_from(cad_version());
    config->platform = CAD_STR("generic");
    config->language = CAD_STR("en");
}

static int config_check(const struct cad_engine_config *config)
{
    if (!config || config->size != sizeof(*config) || !config->alloc.fn) return CAD_E_INVAL;
    if (config->ceiling_bytes < 4 * 1024 * 1024) return CAD_E_INVAL;
    if (config->buffer_ahead < 2 * CAD_SECOND || config->buffer_behind < 0) return CAD_E_INVAL;
    if (config->start_goal < 0 || config->resume_goal < 0) return CAD_E_INVAL;
    return CAD_OK;
}

/* Keep the configuration's strings: one block, views into it. */
static int copy_names(struct cad_engine *e)
{
    cad_str *names[] = {&e->config.app_name, &e->config.app_version, &e->config.platform,
                        &e->config.language, &e->config.audio_language};
    size_t total = 1;
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) total += names[i]->n;
    e->names = cad_alloc_new(&e->alloc, total, CAD_MEM_SESSION);
    if (!e->names) return CAD_E_NOMEM;
    e->names_size = total;
    size_t at = 0;
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        if (names[i]->n) memcpy(e->names + at, names[i]->p, names[i]->n);
        names[i]->p = e->names + at;
        at += names[i]->n;
    }
    return CAD_OK;
}

static int create_parts(struct cad_engine *e)
{
    const struct cad_engine_config *c = &e->config;
    int rc = copy_names(e);
    if (rc == 0) {
        rc = cad_pool_create(&c->alloc, (size_t)CAD_MIN(c->ceiling_bytes / 4, 64 << 20), &e->pool);
    }
    if (rc == 0) rc = cad_fetch_create(&e->alloc, c->seed, c->ceiling_bytes, &e->fetch);
    if (rc == 0) rc = cad_steer_create(&e->alloc, &e->steer);
    if (rc == 0) {
        rc = cad_abr_create(&e->alloc, c->abr ? c->abr : cad_abr_hybrid(), &c->abr_config, &e->abr);
    }
    if (rc == 0) {
        rc = cad_ring_init(&e->inputs, &e->alloc, CAD_MEM_SESSION, sizeof(struct cad_event),
                           CAD_ENGINE_INPUTS_MAX);
    }
    if (rc == 0) {
        rc = cad_ring_init(&e->actions, &e->alloc, CAD_MEM_SESSION, sizeof(struct cad_action),
                           CAD_ENGINE_ACTIONS_MAX);
    }
    if (rc == 0) {
        e->text = cad_alloc_new(&e->alloc, ENGINE_TEXT_BYTES, CAD_MEM_SESSION);
        if (!e->text) rc = CAD_E_NOMEM;
    }
    for (int i = 0; rc == 0 && i < CAD_ENGINE_TRACKS; i++) {
        rc = cad_ring_init(&e->slots[i].queue, &e->alloc, CAD_MEM_SESSION, sizeof(struct segment),
                           ENGINE_SEGMENTS_MAX);
    }
    return rc;
}

int cad_engine_create(const struct cad_engine_config *config, struct cad_engine **out)
{
    int rc = config_check(config);
    if (rc != 0 || !out) return CAD_E_INVAL;
    struct cad_engine *e = cad_alloc_new(&config->alloc, sizeof(*e), CAD_MEM_SESSION);
    if (!e) return CAD_E_NOMEM;
    e->config = *config;
    cad_budget_init(&e->budget, &config->alloc, config->ceiling_bytes + ENGINE_MEMORY_OVERHEAD);
    e->alloc = cad_budget_alloc(&e->budget);
    e->now = 0;
    e->pin = -1;
    e->online = true;
    e->decision_hash = 0xcbf29ce484222325u;
    e->clock.position = 0;
    e->clock.startup = CAD_TIME_NONE;
    e->clock.reason = "";
    e->clock.want_rate_q16 = 65536;
    e->manifest.refresh_at = CAD_TIME_NONE;
    e->manifest.refreshed_at = CAD_TIME_NONE;
    e->manifest.duration = CAD_TIME_NONE;
    e->last_failure_at = CAD_TIME_NONE;
    e->buffer_ahead = e->config.buffer_ahead;
    rc = create_parts(e);
    if (rc != 0) {
        cad_engine_destroy(&e);
        return rc;
    }
    *out = e;
    return CAD_OK;
}

/* Strings of an event that was fed and not handled yet are copies of ours. */
static void release_event(struct cad_engine *e, struct cad_event *event)
{
    if (event->type == CAD_EVENT_COMMAND && event->u.command.type == CAD_COMMAND_LOAD) {
        const struct cad_title *t = &event->u.command.title;
        size_t n = t->url.n + t->base.n + t->id.n + 1;
        cad_alloc_free(&e->alloc, (void *)(uintptr_t)t->url.p, n, CAD_MEM_SESSION);
    }
}

void cad_engine_destroy(struct cad_engine **engine)
{
    if (!engine || !*engine) return;
    struct cad_engine *e = *engine;
    *engine = NULL;
    struct cad_event event;
    while (e->inputs.memory && cad_ring_pop(&e->inputs, &event)) release_event(e, &event);
    if (e->fetch) title_stop(e);
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) cad_ring_deinit(&e->slots[i].queue);
    cad_alloc_free(&e->alloc, e->text, ENGINE_TEXT_BYTES, CAD_MEM_SESSION);
    cad_ring_deinit(&e->actions);
    cad_ring_deinit(&e->inputs);
    cad_abr_destroy(&e->abr);
    cad_steer_destroy(&e->steer);
    cad_fetch_destroy(&e->fetch);
    cad_pool_destroy(&e->pool);
    cad_alloc_free(&e->alloc, e->names, e->names_size, CAD_MEM_SESSION);
    struct cad_alloc parent = e->config.alloc;
    cad_alloc_free(&parent, e, sizeof(*e), CAD_MEM_SESSION);
}

/* ---- small services ---- */

char *engine_text(struct cad_engine *e, cad_str s)
{
    if (s.n >= ENGINE_TEXT_BYTES - e->text_used) {
        e->text_full = true;
        return NULL;
    }
    char *p = e->text + e->text_used;
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    e->text_used += s.n + 1;
    return p;
}

struct cad_header *engine_headers(struct cad_engine *e, uint32_t count)
{
    size_t align = _Alignof(struct cad_header);
    size_t at = (e->text_used + align - 1) / align * align;
    size_t size = count * sizeof(struct cad_header);
    if (at > ENGINE_TEXT_BYTES || size > ENGINE_TEXT_BYTES - at) {
        e->text_full = true;
        return NULL;
    }
    e->text_used = at + size;
    return (struct cad_header *)(void *)(e->text + at);
}

struct cad_action *engine_action(struct cad_engine *e, enum cad_action_type type)
{
    struct cad_action *action = cad_ring_push_place(&e->actions);
    CAD_ASSERT(action);
    if (!action) return NULL;
    memset(action, 0, sizeof(*action));
    action->type = type;
    return action;
}

bool engine_draw(struct cad_engine *e, size_t n, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    if (e->entropy_n < n) return false;
    e->entropy_n -= n;
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = e->entropy[e->entropy_n + i];
        e->entropy[e->entropy_n + i] = 0;
        hex[2 * i] = digits[byte >> 4];
        hex[2 * i + 1] = digits[byte & 15];
    }
    hex[2 * n] = '\0';
    return true;
}

int64_t engine_wall_ms(const struct cad_engine *e)
{
    return e->has_wall ? e->now / CAD_MS + e->wall_offset_ms : 0;
}

void engine_fail(struct cad_engine *e, const struct cad_error *err)
{
    struct cad_app_event *app = engine_app(e, CAD_APP_ERROR);
    if (app) app->error = *err;
    e->errors++;
    if (err->cls != CAD_ERROR_FATAL) return;
    engine_decide(e, "fail code=%s phase=%s", cad_error_name(err->code),
                  cad_phase_name(err->phase));
    slots_clear(e);
    if (e->manifest.request) request_drop(e, e->manifest.request);
    clock_halt(e);
    engine_set_state(e, CAD_STATE_FAILED, cad_error_name(err->code));
}

/* ---- inputs ---- */

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

static void take_entropy(struct cad_engine *e, cad_buf bytes)
{
    size_t n = CAD_MIN(bytes.n, sizeof(e->entropy) - e->entropy_n);
    if (n) memcpy(e->entropy + e->entropy_n, bytes.p, n);
    e->entropy_n += n;
}

int cad_engine_feed(struct cad_engine *engine, const struct cad_event *event)
{
    if (!engine || !event || event->type > CAD_EVENT_ENTROPY) return CAD_E_INVAL;
    /* Two inputs take effect at the door: a head decides where the body that follows goes, and
     * secrets are never queued. */
    if (event->type == CAD_EVENT_HTTP_HEAD) {
        request_head(engine, &event->u.head);
        return CAD_OK;
    }
    if (event->type == CAD_EVENT_ENTROPY) {
        take_entropy(engine, event->u.entropy);
        return CAD_OK;
    }
    struct cad_event copy = *event;
    if (cad_ring_space(&engine->inputs) == 0) return CAD_E_LIMIT;
    if (copy.type == CAD_EVENT_HTTP_END) request_mark_end(engine, copy.u.end.id);
    if (copy.type == CAD_EVENT_COMMAND && copy.u.command.type == CAD_COMMAND_LOAD) {
        int rc = copy_title(engine, &copy.u.command.title);
        if (rc != 0) return rc;
    }
    return cad_ring_push(&engine->inputs, &copy);
}

static void take_rate(struct cad_engine *e, uint32_t rate_q16)
{
    e->clock.want_rate_q16 = CAD_MIN(CAD_MAX(rate_q16, RATE_MIN_Q16), RATE_MAX_Q16);
    engine_decide(e, "rate q16=%u", clock_rate(e));
}

static void take_command(struct cad_engine *e, const struct cad_command *c)
{
    switch (c->type) {
    case CAD_COMMAND_LOAD: title_load(e, c); break;
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
    case CAD_COMMAND_TRACK: lane_choose(e, c); break;
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
    engine_fail(e, &err);
}

static void take_wall(struct cad_engine *e, int64_t offset_ms)
{
    if (e->wall_from_server) return; /* server time decides (licensed manifest 9) */
    if (offset_ms > INT64_C(1) << 52 || offset_ms < -(INT64_C(1) << 52)) return;
    e->wall_offset_ms = offset_ms;
    e->has_wall = true;
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

static void take_inputs(struct cad_engine *e)
{
    struct cad_event event;
    while (cad_ring_pop(&e->inputs, &event)) {
        switch (event.type) {
        case CAD_EVENT_COMMAND: take_command(e, &event.u.command); break;
        case CAD_EVENT_HTTP_END: request_end(e, &event.u.end); break;
        case CAD_EVENT_SINK_CAPS: take_caps(e, &event.u.caps); break;
        case CAD_EVENT_SINK_ANCHOR: clock_anchor(e, &event.u.anchor); break;
        case CAD_EVENT_SINK_LEVEL: clock_level(e, &event.u.level); break;
        case CAD_EVENT_SINK_FAIL: take_sink_fail(e, &event.u.fail); break;
        case CAD_EVENT_NET_CHANGE:
            e->online = event.u.net.online;
            cad_abr_note(e->abr, CAD_ABR_NOTE_NETWORK, e->now);
            break;
        case CAD_EVENT_WALL_OFFSET: take_wall(e, event.u.wall.offset_ms); break;
        case CAD_EVENT_HTTP_HEAD:
        case CAD_EVENT_ENTROPY: break; /* taken at the door */
        }
        release_event(e, &event);
        if (cad_ring_space(&e->actions) < ENGINE_ACTIONS_RESERVE) {
            e->more = cad_ring_count(&e->inputs) > 0;
            return;
        }
    }
}

/* ---- the turn ---- */

int cad_engine_run(struct cad_engine *engine, cad_time now)
{
    struct cad_engine *e = engine;
    if (!e || now < 0) return CAD_E_INVAL;
    if (cad_ring_count(&e->actions) > 0) return 1; /* views of the last turn are still in use */
    cad_time before = e->now;
    if (now > e->now) e->now = now;
    if (e->clock.state == CAD_STATE_PLAYING && e->now - before > ENGINE_SLEPT) clock_slept(e);
    e->turns++;
    e->more = false;
    e->text_used = 0;
    e->text_full = false;
    take_inputs(e);
    if (e->manifest.loaded && e->clock.state != CAD_STATE_FAILED) {
        request_silences(e);
        title_turn(e);
        clock_turn(e);
        plan_turn(e);
        warm_turn(e);
    }
    engine_tell_tracks(e);
    e->pool_peak = CAD_MAX(e->pool_peak, (int64_t)cad_pool_used_bytes(e->pool));
    if (e->config.check) {
        const char *broken = engine_check(e);
        if (broken) {
            CAD_LOG(&e->config.log, ERROR, e->now, "engine: invariant broken: %s", broken);
            __builtin_trap();
        }
    }
    return e->more || e->text_full ? 1 : 0;
}

int cad_engine_poll(struct cad_engine *engine, struct cad_action *out)
{
    if (!engine || !out) return CAD_E_INVAL;
    return cad_ring_pop(&engine->actions, out) ? CAD_OK : CAD_E_AGAIN;
}

cad_time cad_engine_next_wake(const struct cad_engine *engine)
{
    const struct cad_engine *e = engine;
    if (!e->manifest.loaded || e->clock.state == CAD_STATE_FAILED) return CAD_TIME_NONE;
    cad_time wake = cad_fetch_next_wake(e->fetch, cad_abr_estimate_bps(e->abr, e->now));
    /* A request that is due and that the last turn left alone waits for something else: whoever
     * drives the engine must not spin for it. */
    if (wake != CAD_TIME_NONE && wake <= e->now) wake = cad_time_add(e->now, ENGINE_LEFT_ALONE);
    wake = cad_time_earlier(wake, title_next_wake(e));
    wake = cad_time_earlier(wake, plan_next_wake(e));
    wake = cad_time_earlier(wake, clock_next_wake(e));
    /* A time that has come already is served by the turn that has just been; never spin on it. */
    return wake == CAD_TIME_NONE ? wake : CAD_MAX(wake, cad_time_add(e->now, CAD_MS));
}

int cad_engine_pull(struct cad_engine *engine, uint32_t slot, struct cad_sample *out)
{
    if (!engine || !out || slot >= CAD_ENGINE_TRACKS) return CAD_E_INVAL;
    struct slot *s = &engine->slots[slot];
    if (!s->present) {
        /* A bare file's kind of media is in its header: until then its slot may become this one.
         * Between two chapters there are no slots at all. */
        bool none = !engine->slots[0].present && !engine->slots[1].present;
        bool open = engine->clock.state == CAD_STATE_LOADING ||
                    (none && engine->clock.state == CAD_STATE_BUFFERING);
        for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
            open = open || (engine->slots[i].present && engine->slots[i].provisional);
        }
        return open ? CAD_E_AGAIN : CAD_E_END;
    }
    return queue_pull(engine, s, out);
}
