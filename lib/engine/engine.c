/* The engine's surface: create, feed, one turn, poll. The phases of a turn live in their own
 * files. */
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

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
    config->key_wait = 10 * CAD_SECOND;
    cad_telemetry_config_init(&config->telemetry);
    cad_ftl_config_init(&config->ftl);
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
    if (config->key_wait < CAD_SECOND) return CAD_E_INVAL;
    return CAD_OK;
}

/* Keep the configuration's strings: one block, views into it. */
static int copy_names(struct cad_engine *e)
{
    /* The licence stands first: it is wiped with the block. */
    cad_str licence = {(const char *)e->config.licence.p, e->config.licence.n};
    cad_str *names[] = {&licence, &e->config.app_name, &e->config.app_version, &e->config.platform,
                        &e->config.language, &e->config.audio_language, &e->config.text_language,
                        &e->config.licence_url, &e->config.ftl.endpoint, &e->config.ftl.device};
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
    e->config.licence = (cad_buf){(const uint8_t *)licence.p, licence.n};
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
    if (rc == 0) rc = facts_create(e);
    if (rc == 0) rc = probes_create(e);
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
    e->session_wake = CAD_TIME_NONE;
    e->buffer_ahead = e->config.buffer_ahead;
    keys_init(e);
    rc = create_parts(e);
    if (rc != 0) {
        cad_engine_destroy(&e);
        return rc;
    }
    *out = e;
    return CAD_OK;
}

void cad_engine_destroy(struct cad_engine **engine)
{
    if (!engine || !*engine) return;
    struct cad_engine *e = *engine;
    *engine = NULL;
    struct cad_event event;
    while (e->inputs.memory && cad_ring_pop(&e->inputs, &event)) input_release(e, &event);
    if (e->fetch) title_stop(e);
    probes_destroy(e);
    facts_destroy(e);
    exchanges_drop(e);
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) cad_ring_deinit(&e->slots[i].queue);
    cad_alloc_free(&e->alloc, e->text, ENGINE_TEXT_BYTES, CAD_MEM_SESSION);
    cad_ring_deinit(&e->actions);
    cad_ring_deinit(&e->inputs);
    cad_abr_destroy(&e->abr);
    cad_steer_destroy(&e->steer);
    cad_fetch_destroy(&e->fetch);
    cad_pool_destroy(&e->pool);
    if (e->names) cad_wipe(e->names, e->config.licence.n);
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
    keys_stop(e);
    words_stop(e);
    if (e->manifest.request) request_drop(e, e->manifest.request);
    clock_halt(e);
    engine_set_state(e, CAD_STATE_FAILED, cad_error_name(err->code));
}

/* ---- the turn ---- */

/* Of what is played. */
static cad_time session_next_wake(const struct cad_engine *e)
{
    if (!e->manifest.loaded || e->clock.state == CAD_STATE_FAILED) return CAD_TIME_NONE;
    cad_time wake = cad_fetch_next_wake(e->fetch, cad_abr_estimate_bps(e->abr, e->now));
    /* A request that is due and that the last turn left alone waits for something else: whoever
     * drives the engine must not spin for it. */
    if (wake != CAD_TIME_NONE && wake <= e->now) wake = cad_time_add(e->now, ENGINE_LEFT_ALONE);
    wake = cad_time_earlier(wake, title_next_wake(e));
    wake = cad_time_earlier(wake, keys_next_wake(e));
    wake = cad_time_earlier(wake, words_next_wake(e));
    wake = cad_time_earlier(wake, plan_next_wake(e));
    wake = cad_time_earlier(wake, clock_next_wake(e));
    return wake == CAD_TIME_NONE ? wake : CAD_MAX(wake, cad_time_add(e->now, CAD_MS));
}

static void session_turn(struct cad_engine *e)
{
    if (!e->manifest.loaded || e->clock.state == CAD_STATE_FAILED) return;
    request_silences(e);
    title_turn(e);
    keys_turn(e);
    clock_turn(e);
    plan_turn(e);
    words_turn(e);
    warm_turn(e);
}

/* Probes, events and logs see every turn; they move nothing of the session. */
static void service_turn(struct cad_engine *e)
{
    exchange_turn(e);
    probes_turn(e);
    engine_tell_tracks(e);
    facts_turn(e);
}

/*
 * A turn that the session has no part in (nothing was told to it, and its time has not come) is for
 * what is around it alone: not even `now` moves for the session, so that it decides the same at the
 * same times whether there are probes and logs or not.
 */
int cad_engine_run(struct cad_engine *engine, cad_time now)
{
    struct cad_engine *e = engine;
    if (!e || now < 0) return CAD_E_INVAL;
    if (cad_ring_count(&e->actions) > 0) return 1; /* views of the last turn are still in use */
    cad_time before = e->now;
    e->now = e->turned_at = CAD_MAX(now, e->turned_at);
    bool due = e->session_wake != CAD_TIME_NONE && e->session_wake <= e->now;
    bool session = due || e->touched;
    e->text_used = 0;
    e->text_full = e->service_more = false;
    if (session) {
        if (e->clock.state == CAD_STATE_PLAYING && e->now - before > ENGINE_SLEPT) clock_slept(e);
        e->turns++;
        e->more = false;
    }
    inputs_take(e);
    if (session) session_turn(e);
    service_turn(e);
    e->pool_peak = CAD_MAX(e->pool_peak, (int64_t)cad_pool_used_bytes(e->pool));
    if (e->config.check) {
        const char *broken = engine_check(e);
        if (broken) {
            CAD_LOG(&e->config.log, ERROR, e->now, "engine: invariant broken: %s", broken);
            __builtin_trap();
        }
    }
    if (session) {
        e->touched = e->more || e->text_full;
        e->session_wake = session_next_wake(e);
    } else {
        e->service_more = e->service_more || cad_ring_count(&e->inputs) > 0;
        e->now = before;
    }
    return e->touched || e->service_more ? 1 : 0;
}

int cad_engine_poll(struct cad_engine *engine, struct cad_action *out)
{
    if (!engine || !out) return CAD_E_INVAL;
    return cad_ring_pop(&engine->actions, out) ? CAD_OK : CAD_E_AGAIN;
}

cad_time cad_engine_next_wake(const struct cad_engine *engine)
{
    const struct cad_engine *e = engine;
    cad_time wake = cad_time_earlier(exchange_next_wake(e), probes_next_wake(e));
    wake = cad_time_earlier(wake, facts_next_wake(e));
    wake = cad_time_earlier(wake, e->session_wake);
    /* A time that has come already is served by the turn that has just been; never spin on it. */
    return wake == CAD_TIME_NONE ? wake : CAD_MAX(wake, cad_time_add(e->turned_at, CAD_MS));
}

int cad_engine_pull(struct cad_engine *engine, uint32_t slot, struct cad_sample *out)
{
    if (!engine || !out || slot >= CAD_ENGINE_SLOTS) return CAD_E_INVAL;
    if (engine->manifest.prepared) return CAD_E_AGAIN;
    if (slot == CAD_SLOT_TEXT) return words_pull(engine, out);
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
