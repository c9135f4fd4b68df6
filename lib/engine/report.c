/* What the session says: application events, the decision log, figures. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

CAD_DEFINE_NAME(cad_state_name, enum cad_state, CAD_STATE_LIST)
CAD_DEFINE_NAME(cad_app_event_name, enum cad_app_event_type, CAD_APP_EVENT_LIST)
CAD_DEFINE_NAME(cad_cdm_call_name, enum cad_cdm_call_type, CAD_CDM_CALL_LIST)
CAD_DEFINE_NAME(cad_http_class_name, enum cad_http_class, CAD_HTTP_CLASS_LIST)

/*
 * One line of the decision log. Every line enters the hash, so that two runs can be compared
 * without keeping their logs; it is formatted whether somebody listens or not.
 */
void engine_decide(struct cad_engine *e, const char *fmt, ...)
{
    char line[CAD_LOG_LINE_MAX];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (n < 0) return;
    size_t length = CAD_MIN((size_t)n, sizeof(line) - 1);
    e->decisions++;
    e->decision_hash = cad_hash64(&e->now, sizeof(e->now), e->decision_hash);
    e->decision_hash = cad_hash64(line, length, e->decision_hash);
    CAD_LOG(&e->config.log, INFO, e->now, "decide: %s", line);
}

struct cad_app_event *engine_app(struct cad_engine *e, enum cad_app_event_type type)
{
    struct cad_action *action = engine_action(e, CAD_ACTION_APP_EVENT);
    if (!action) return NULL;
    struct cad_app_event *app = &action->u.app;
    app->type = type;
    app->at = e->now;
    app->state = app->state_old = e->clock.state;
    app->position = clock_position(e);
    app->duration = e->manifest.duration;
    app->ticket = e->manifest.ticket;
    return app;
}

void engine_tell_tracks(struct cad_engine *e)
{
    bool open = e->slots[0].present || e->slots[1].present;
    if (!open || e->tracks_told == e->tracks_version) return;
    e->tracks_told = e->tracks_version;
    (void)engine_app(e, CAD_APP_TRACKS);
}

void engine_set_state(struct cad_engine *e, enum cad_state state, const char *reason)
{
    enum cad_state old = e->clock.state;
    if (old == state) return;
    e->clock.state = state;
    e->clock.reason = reason;
    engine_decide(e, "state %s -> %s reason=%s", cad_state_name(old), cad_state_name(state),
                  reason);
    struct cad_app_event *app = engine_app(e, CAD_APP_STATE);
    if (!app) return;
    app->state_old = old;
    cad_str_copyz(app->text, sizeof(app->text), cad_str_from(reason));
}

void engine_error(struct cad_error *err, enum cad_error_code code, const char *fmt, ...)
{
    cad_error_init(err, code);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->message, sizeof(err->message), fmt, ap);
    va_end(ap);
    if (n <= 0) cad_error_init(err, code);
}

void slot_figures(const struct cad_engine *e, const struct slot *s, struct cad_slot_stats *out)
{
    memset(out, 0, sizeof(*out));
    out->present = s->present;
    if (!s->present) return;
    out->rung_count = s->rung_count;
    cad_str_copyz(out->track, sizeof(out->track), s->model->id);
    if (s->rep_now >= 0) {
        const struct cad_representation *model = s->reps[s->rep_now]->model;
        for (uint32_t i = 0; i < s->rung_count; i++) {
            if (s->rung_rep[i] == (uint32_t)s->rep_now) out->rung = i;
        }
        out->rate_bps = s->reps[s->rep_now]->rate_bps;
        out->width = model->width;
        out->height = model->height;
    }
    cad_time end = CAD_TIME_NONE;
    size_t count = queue_count(s);
    for (size_t i = 0; i < count; i++) {
        const struct segment *seg = queue_at(s, i);
        if (!segment_whole(seg)) break;
        end = seg->end;
    }
    cad_time position = clock_position(e);
    out->ahead = end != CAD_TIME_NONE && end > position ? end - position : 0;
    out->bytes_held = slot_held(s);
    out->bytes_fetched = s->bytes_fetched;
    out->requests = (uint32_t)s->requests;
    out->switches = (uint32_t)s->switches;
    out->played_rate_bps = s->played_ms > 0 ? s->played_rate_sum / s->played_ms : 0;
    if (s->server >= 0) {
        cad_str id = cad_steer_id(e->steer, (uint32_t)s->server);
        cad_str_copyz(out->server, sizeof(out->server), id);
    }
}

uint32_t cad_engine_rungs(const struct cad_engine *engine, struct cad_rung_info *out, uint32_t max)
{
    if (!engine || !engine->slots[CAD_SLOT_VIDEO].present) return 0;
    const struct slot *s = &engine->slots[CAD_SLOT_VIDEO];
    for (uint32_t i = 0; i < s->rung_count && i < max && out; i++) {
        const struct rep *rep = s->reps[s->rung_rep[i]];
        out[i] = (struct cad_rung_info){.width = rep->model->width, .height = rep->model->height,
                                        .rate_bps = rep->rate_bps, .codec = rep->model->codec};
    }
    return s->rung_count;
}

void cad_engine_stats(const struct cad_engine *engine, struct cad_engine_stats *out)
{
    const struct cad_engine *e = engine;
    memset(out, 0, sizeof(*out));
    out->state = e->clock.state;
    out->position = clock_position(e);
    out->duration = e->manifest.duration;
    out->rate_q16 = clock_rate(e);
    out->tracks_version = e->tracks_version;
    if (e->manifest.presentation) out->period_count = e->manifest.presentation->period_count;
    for (int i = CAD_ENGINE_TRACKS - 1; i >= 0; i--) {
        if (e->slots[i].present) out->period = e->slots[i].period;
    }
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present) slot_figures(e, &e->slots[i], &out->slot[i]);
        else out->slot[i] = e->closed[i];
    }
    out->estimate_bps = cad_abr_estimate_bps(e->abr, e->now);
    out->frames = e->clock.frames;
    out->dropped = e->clock.dropped;
    out->stalls = e->clock.stalls;
    out->refreshes = e->refreshes;
    out->errors = e->errors;
    out->stall_time = e->clock.stall_time;
    if (e->clock.stalled) out->stall_time += e->now - e->clock.stall_since;
    out->startup = e->clock.startup;
    out->turns = e->turns;
    out->decisions = e->decisions;
    out->decision_hash = e->decision_hash;
    out->bytes_twice = e->bytes_twice;
    out->prepared = e->manifest.prepared && e->manifest.prepared_told;
    keys_figures(e, &out->services);
    words_figures(e, &out->services);
    probes_figures(e, &out->services);
    facts_figures(e, &out->services);
    out->memory_used = cad_budget_used(&e->budget) + (int64_t)cad_pool_used_bytes(e->pool);
    out->memory_peak = cad_budget_peak(&e->budget) + e->pool_peak;
}
