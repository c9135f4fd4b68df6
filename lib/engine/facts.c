/*
 * What telemetry is told, and what it orders.
 *
 * A turn compares what is so with what was told: the playback, its title and tracks, its state.
 * What is over within a turn (a picture, a rung, a failure) is read off the application's events.
 */
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

#define EVENT_PRIORITY 4
#define LOG_PRIORITY 7
#define BUSY_AGAIN (100 * CAD_MS) /* an order that found no place */

/* ---- life ------------------------------------------------------------------------------------ */

static void if_empty(cad_str *text, cad_str other)
{
    if (text->n == 0) *text = cad_str_sub(other, 0, CAD_TELEMETRY_ID_MAX);
}

int facts_create(struct cad_engine *e)
{
    struct cad_telemetry_config config = e->config.telemetry;
    struct facts_part *f = &e->facts;
    f->ready_at = f->frames_at = CAD_TIME_NONE;
    f->address_max = CAD_ADDRESS_PUBLIC; /* of what a former process left, until a title tells */
    if (!e->config.report) return CAD_OK;
    config.alloc = e->alloc;
    config.seed = e->config.seed;
    config.logs_later = true;
    if_empty(&config.ui_name, e->config.app_name);
    if_empty(&config.ui_version, e->config.app_version);
    if_empty(&config.os_name, e->config.platform);
    if_empty(&config.languages, e->config.language);
    f->own_events = config.event_url.n > 0;
    f->own_logs = config.log_url.n > 0;
    return cad_telemetry_create(&config, &f->telemetry);
}

void facts_destroy(struct cad_engine *e)
{
    cad_telemetry_destroy(&e->facts.telemetry);
}

static void tell(struct cad_engine *e, struct cad_fact *fact)
{
    fact->at = e->now;
    if (fact->position == 0) fact->position = clock_position(e);
    (void)cad_telemetry_fact(e->facts.telemetry, fact); /* refused: there is no playback */
}

static void tell_simple(struct cad_engine *e, enum cad_fact_type type)
{
    struct cad_fact fact = {.type = type};
    tell(e, &fact);
}

/* ---- randomness and time --------------------------------------------------------------------- */

/* A little is kept for ids of playbacks; the rest is telemetry's, which keeps it. */
void facts_entropy(struct cad_engine *e, cad_buf bytes)
{
    struct facts_part *f = &e->facts;
    if (!f->telemetry || bytes.n == 0) return;
    size_t n = CAD_MIN(bytes.n, sizeof(f->xid_bytes) - f->xid_n);
    if (n) memcpy(f->xid_bytes + f->xid_n, bytes.p, n);
    f->xid_n += n;
    if (bytes.n > n) cad_telemetry_entropy(f->telemetry, (cad_buf){bytes.p + n, bytes.n - n});
}

void facts_wall(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    if (!f->telemetry || (f->has_wall && f->wall_offset_ms == e->wall_offset_ms)) return;
    f->has_wall = true;
    f->wall_offset_ms = e->wall_offset_ms;
    cad_telemetry_wall(f->telemetry, e->wall_offset_ms);
}

/* ---- a playback ------------------------------------------------------------------------------ */

static void tell_shown(struct cad_engine *e, uint32_t slot)
{
    const struct slot *s = &e->slots[slot];
    if (!s->present || s->rep_shown < 0 || !s->reps[s->rep_shown]) return;
    const struct rep *rep = s->reps[s->rep_shown];
    struct cad_fact fact = {.type = CAD_FACT_SHOWN};
    fact.u.shown.kind = slot == CAD_SLOT_VIDEO ? CAD_SHOWN_VIDEO : CAD_SHOWN_AUDIO;
    fact.u.shown.id = rep->model->id;
    fact.u.shown.rate_bps = rep->rate_bps;
    fact.u.shown.vmaf_milli = rep->model->vmaf_milli;
    fact.u.shown.top = s->rung_count &&
                       s->rung_rep[s->rung_count - 1] == (uint32_t)s->rep_shown;
    tell(e, &fact);
}

/* 64 random bits as the id of a playback that has none of its manifest's. */
static bool draw_xid(struct cad_engine *e, char out[17])
{
    static const char digits[] = "0123456789abcdef";
    struct facts_part *f = &e->facts;
    if (f->xid_n < sizeof(f->xid_bytes)) return false;
    for (size_t i = 0; i < f->xid_n; i++) {
        out[2 * i] = digits[f->xid_bytes[i] >> 4];
        out[2 * i + 1] = digits[f->xid_bytes[i] & 15];
    }
    out[2 * f->xid_n] = '\0';
    cad_wipe(f->xid_bytes, f->xid_n);
    f->xid_n = 0;
    return true;
}

/* A playback begins when somebody wants to see it, and not when it is only loaded. */
static bool is_played(const struct cad_engine *e)
{
    enum cad_state state = e->clock.state;
    if (!e->manifest.loaded || e->manifest.prepared || e->facts.over) return false;
    if (state == CAD_STATE_IDLE || state == CAD_STATE_STOPPED || state == CAD_STATE_ENDED) {
        return false;
    }
    return e->clock.want_play || e->clock.first_ever;
}

static void begin(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    const struct manifest_part *m = &e->manifest;
    char drawn[17] = "";
    if (f->playing || !is_played(e)) return;
    bool service = m->title.url.n == 0 && !f->again;
    if (service && !m->xid[0] && e->clock.state != CAD_STATE_FAILED) return; /* it will be drawn */
    bool own = !service || !m->xid[0];
    if (own && !draw_xid(e, drawn)) return;
    struct cad_fact fact = {.type = CAD_FACT_PLAY};
    fact.u.play.xid = cad_str_from(own ? drawn : m->xid);
    fact.u.play.title = m->title.id;
    tell(e, &fact);
    f->playing = f->retell = true;
    f->told = CAD_PLAY_STARTING;
    f->server[0] = '\0';
    f->ready_at = CAD_TIME_NONE;
    f->frames_base = e->clock.frames;
    f->dropped_base = e->clock.dropped;
    f->wasted_base = e->bytes_wasted;
    f->frames_at = cad_time_add(e->now, FACTS_FRAMES);
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) tell_shown(e, i);
}

static void tell_frames(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    struct cad_fact fact = {.type = CAD_FACT_FRAMES};
    fact.u.frames.shown = e->clock.frames - f->frames_base;
    fact.u.frames.dropped = e->clock.dropped - f->dropped_base;
    tell(e, &fact);
    f->frames_at = cad_time_add(e->now, FACTS_FRAMES);
}

/* `held`: bytes that will not be seen, though they are there. */
static void tell_wasted(struct cad_engine *e, uint64_t held)
{
    struct facts_part *f = &e->facts;
    struct cad_fact fact = {.type = CAD_FACT_WASTED};
    fact.u.count = held + (e->bytes_wasted - f->wasted_base);
    f->wasted_base = e->bytes_wasted;
    if (fact.u.count > 0) tell(e, &fact);
}

static void end(struct cad_engine *e, const char *reason)
{
    struct facts_part *f = &e->facts;
    uint64_t held = 0;
    if (!f->playing) return;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) held += queue_unspent(&e->slots[i]);
    tell_frames(e);
    tell_wasted(e, held);
    struct cad_fact fact = {.type = CAD_FACT_END};
    fact.u.end.reason = cad_str_from(reason);
    fact.u.end.error = (int32_t)f->fatal.code;
    fact.u.end.message = cad_str_from(f->fatal.message);
    tell(e, &fact);
    f->playing = false;
    f->over = true;
}

void facts_stop(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    if (!f->telemetry) return;
    f->fatal.code = CAD_ERR_NONE;
    f->fatal.message[0] = '\0';
    end(e, "stopped");
    f->over = f->again = false;
    f->text_track[0] = '\0';
}

void facts_title(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    const struct cad_presentation *p = e->manifest.presentation;
    if (!f->telemetry) return;
    f->retell = true;
    f->address_max = redirect_address_max(e, CAD_PURPOSE_EVENT);
    if (f->own_logs || p->links.logblob.n == 0) return;
    if (cad_telemetry_log_url(f->telemetry, p->links.logblob) != 0) {
        CAD_LOG(&e->config.log, WARN, e->now, "engine: the link for logs is too long");
    }
}

static void tell_title(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    const struct slot *video = &e->slots[CAD_SLOT_VIDEO], *audio = &e->slots[CAD_SLOT_AUDIO];
    const struct cad_presentation *p = e->manifest.presentation;
    bool news = f->retell || f->tracks_told != e->tracks_version;
    if (!f->playing || !p || !news || (!video->present && !audio->present)) return;
    f->retell = false;
    f->tracks_told = e->tracks_version;
    struct cad_fact fact = {.type = CAD_FACT_TITLE};
    fact.u.play.title = p->id;
    fact.u.play.link = p->links.events;
    if (video->present) fact.u.play.video = video->model->id;
    if (audio->present) fact.u.play.audio = audio->model->id;
    fact.u.play.text = cad_str_from(f->text_track);
    tell(e, &fact);
}

/* Where media comes from; of two places that of the picture. */
static void tell_server(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    const struct slot *video = &e->slots[CAD_SLOT_VIDEO];
    const struct slot *s = video->present ? video : &e->slots[CAD_SLOT_AUDIO];
    if (!f->playing || !s->present || s->server < 0) return;
    cad_str id = cad_steer_id(e->steer, (uint32_t)s->server);
    if (id.n == 0 || cad_str_eqz(id, f->server)) return;
    const char *reason = f->server[0] ? "steer" : "start";
    for (uint32_t i = 0; f->server[0] && i < cad_steer_count(e->steer); i++) {
        bool before = cad_str_eqz(cad_steer_id(e->steer, i), f->server);
        if (before && !cad_steer_healthy(e->steer, i, e->now)) reason = "fail";
    }
    struct cad_fact fact = {.type = CAD_FACT_SERVER};
    fact.u.server.from = cad_str_from(f->server);
    fact.u.server.to = id;
    fact.u.server.reason = cad_str_from(reason);
    tell(e, &fact);
    cad_str_copyz(f->server, sizeof(f->server), id);
}

/* A start and a seek last until it runs: the first picture may be out before that. */
static enum cad_play_state state_of(const struct cad_engine *e)
{
    const struct clock_part *c = &e->clock;
    if (c->state == CAD_STATE_PAUSED) return CAD_PLAY_PAUSED;
    bool waits = c->state == CAD_STATE_BUFFERING && !c->stalled;
    if (!c->first_ever || (waits && strcmp(c->reason, "start") == 0)) return CAD_PLAY_STARTING;
    if (c->seek_pending || (waits && strcmp(c->reason, "seek") == 0)) return CAD_PLAY_SEEKING;
    return c->state == CAD_STATE_PLAYING ? CAD_PLAY_PLAYING : CAD_PLAY_REBUFFERING;
}

static void tell_state(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    if (!f->playing) return;
    if (e->clock.state == CAD_STATE_FAILED) {
        end(e, "error");
        return;
    }
    if (e->clock.state == CAD_STATE_ENDED) {
        end(e, "ended");
        return;
    }
    enum cad_play_state state = state_of(e);
    bool waits = state == CAD_PLAY_REBUFFERING;
    enum cad_stall_reason reason = waits && keys_hold(e) ? CAD_STALL_KEY : CAD_STALL_NETWORK;
    uint32_t rate = clock_rate(e);
    if (state == f->told && reason == f->reason && rate == f->rate_q16) return;
    f->told = state;
    f->reason = reason;
    f->rate_q16 = rate;
    struct cad_fact fact = {.type = CAD_FACT_STATE};
    fact.u.state.state = state;
    fact.u.state.reason = reason;
    fact.u.state.rate_q16 = rate;
    tell(e, &fact);
}

/* ---- hooks ----------------------------------------------------------------------------------- */

static void tell_leg(struct cad_engine *e, enum cad_leg leg, cad_time from, cad_time to)
{
    if (from == CAD_TIME_NONE || to == CAD_TIME_NONE || to < from || to > e->now) return;
    struct cad_fact fact = {.type = CAD_FACT_LEG};
    fact.u.leg.leg = leg;
    fact.u.leg.begin = from;
    fact.u.leg.end = to;
    tell(e, &fact);
}

static void tell_legs(struct cad_engine *e, const struct cad_fetch_request *request,
                      const struct cad_http_end *http)
{
    static const enum cad_leg legs[] = {
        [CAD_PURPOSE_MANIFEST] = CAD_LEG_MANIFEST, [CAD_PURPOSE_HEADER] = CAD_LEG_HEADER,
        [CAD_PURPOSE_SEGMENT] = CAD_LEG_SEGMENT, [CAD_PURPOSE_LICENCE] = CAD_LEG_LICENCE};
    if (request->purpose > CAD_PURPOSE_LICENCE || request->purpose == CAD_PURPOSE_REFRESH) return;
    tell_leg(e, legs[request->purpose], request->started, e->now);
    if (http->reused) return;
    cad_time named = http->dns == CAD_TIME_NONE ? request->started : http->dns;
    tell_leg(e, CAD_LEG_DNS, request->started, http->dns);
    tell_leg(e, CAD_LEG_CONNECT, named, http->connect);
    tell_leg(e, CAD_LEG_TLS, http->connect, http->tls);
}

void facts_transfer(struct cad_engine *e, const struct cad_fetch_request *request,
                    const struct cad_http_end *http, enum cad_error_code error)
{
    if (!e->facts.telemetry) return;
    if (e->facts.playing && !e->clock.first_ever) tell_legs(e, request, http);
    struct cad_fact fact = {.type = CAD_FACT_TRANSFER};
    bool media = request->track >= 0 && request->server < cad_steer_count(e->steer);
    if (media) fact.u.transfer.server = cad_steer_id(e->steer, request->server);
    fact.u.transfer.purpose = cad_str_from(cad_purpose_name(request->purpose));
    fact.u.transfer.begin = request->started;
    fact.u.transfer.first_byte = request->first_byte;
    fact.u.transfer.end = e->now;
    fact.u.transfer.bytes = request->received;
    fact.u.transfer.status = request->status;
    fact.u.transfer.error = (int32_t)error;
    fact.u.transfer.attempt = request->attempts;
    tell(e, &fact);
    if (request->purpose != CAD_PURPOSE_LICENCE) return;
    fact = (struct cad_fact){.type = CAD_FACT_LICENCE};
    fact.u.note.severity = error ? CAD_SEVERITY_WARN : CAD_SEVERITY_INFO;
    fact.u.note.code = (int32_t)error;
    fact.u.note.where = CAD_STR("answer");
    tell(e, &fact);
}

void facts_chosen(struct cad_engine *e, int64_t from_bps, int64_t to_bps, const char *reason,
                  cad_time ahead)
{
    struct cad_fact fact = {.type = CAD_FACT_CHOSEN};
    if (!e->facts.playing || from_bps == to_bps) return;
    fact.u.chosen.from_bps = from_bps;
    fact.u.chosen.to_bps = to_bps;
    fact.u.chosen.reason = cad_str_from(reason);
    fact.u.chosen.buffer = ahead;
    fact.u.chosen.estimate_bps = cad_abr_estimate_bps(e->abr, e->now);
    tell(e, &fact);
}

void facts_seek(struct cad_engine *e, cad_time from, cad_time to)
{
    struct cad_fact fact = {.type = CAD_FACT_SEEK, .position = from};
    if (!e->facts.playing) return;
    fact.u.seek.from = from;
    fact.u.seek.to = to;
    tell(e, &fact);
}

void facts_report(struct cad_engine *e, cad_str type, cad_str json)
{
    struct cad_fact fact = {.type = CAD_FACT_REPORT};
    if (!e->facts.telemetry) return;
    fact.u.report.type = type;
    fact.u.report.json = json;
    tell(e, &fact);
}

/* ---- events of the turn ---------------------------------------------------------------------- */

static void note(struct cad_engine *e, enum cad_severity severity, const char *type,
                 const char *where, const struct cad_error *err)
{
    struct cad_fact fact = {.type = CAD_FACT_NOTE};
    fact.u.note.severity = severity;
    fact.u.note.type = cad_str_from(type);
    fact.u.note.where = cad_str_from(where);
    if (err) fact.u.note.code = (int32_t)err->code;
    if (err) fact.u.note.message = cad_str_from(err->message);
    tell(e, &fact);
}

static void on_error(struct cad_engine *e, const struct cad_error *err)
{
    bool fatal = err->cls == CAD_ERROR_FATAL;
    if (fatal) e->facts.fatal = *err;
    note(e, fatal ? CAD_SEVERITY_ERROR : CAD_SEVERITY_WARN, fatal ? "error" : "warn",
         cad_phase_name(err->phase), err);
}

static void on_track(struct cad_engine *e, const struct cad_app_event *app)
{
    struct facts_part *f = &e->facts;
    f->retell = true;
    if (app->slot != CAD_SLOT_TEXT) return;
    cad_str_copyz(f->text_track, sizeof(f->text_track), cad_str_from(app->text));
    struct cad_fact fact = {.type = CAD_FACT_SHOWN};
    fact.u.shown.kind = CAD_SHOWN_TEXT;
    fact.u.shown.id = cad_str_from(app->text);
    fact.u.shown.vmaf_milli = -1;
    tell(e, &fact);
}

/* What is still under way has done its part of the start. */
static void on_first_frame(struct cad_engine *e)
{
    for (uint32_t i = 0; e->facts.playing && cad_fetch_at(e->fetch, i); i++) {
        const struct cad_fetch_request *request = cad_fetch_at(e->fetch, i);
        bool runs = request->state == CAD_FETCH_IN_FLIGHT && request->first_byte != CAD_TIME_NONE;
        if (!runs || request->track < 0) continue;
        enum cad_leg leg =
            request->purpose == CAD_PURPOSE_HEADER ? CAD_LEG_HEADER : CAD_LEG_SEGMENT;
        tell_leg(e, leg, request->started, e->now);
    }
    tell_leg(e, CAD_LEG_DECODE, e->facts.ready_at, e->now);
    tell_simple(e, CAD_FACT_FIRST_FRAME);
}

static void on_event(struct cad_engine *e, const struct cad_app_event *app)
{
    switch (app->type) {
    case CAD_APP_FIRST_FRAME: on_first_frame(e); break;
    case CAD_APP_SEEK_DONE:
        tell_simple(e, CAD_FACT_FIRST_FRAME); /* of a title that is played once more */
        tell_simple(e, CAD_FACT_SEEK_DONE);
        break;
    case CAD_APP_TRACK: on_track(e, app); break;
    case CAD_APP_KEYS: note(e, CAD_SEVERITY_INFO, "keystatus", app->text, NULL); break;
    case CAD_APP_ERROR: on_error(e, &app->error); break;
    default: break;
    }
}

/* From when on somebody decodes: the sink has its configuration. */
static void note_ready(struct cad_engine *e)
{
    if (!e->facts.playing || e->facts.ready_at != CAD_TIME_NONE) return;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        if (s->present && s->rep_config >= 0) e->facts.ready_at = e->now;
    }
}

/* What is shown first is told before the first picture. */
static void look_at_events(struct cad_engine *e)
{
    size_t count = cad_ring_count(&e->actions);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < count; i++) {
            const struct cad_action *action = cad_ring_at(&e->actions, i);
            if (action->type != CAD_ACTION_APP_EVENT) continue;
            const struct cad_app_event *app = &action->u.app;
            if (pass == 1) on_event(e, app);
            else if (app->type == CAD_APP_RUNG) tell_shown(e, app->slot);
        }
    }
}

/* ---- orders ---------------------------------------------------------------------------------- */

/* 0: it is under way. CAD_E_AGAIN, CAD_E_LIMIT, CAD_E_NOMEM: later. CAD_E_INVAL: never. */
static int post(struct cad_engine *e, const struct facts_waiting *w)
{
    static const struct cad_header headers[] = {
        {CAD_STR_INIT("Content-Type"), CAD_STR_INIT("text/plain")},
        {CAD_STR_INIT("Content-Encoding"), CAD_STR_INIT("gzip")}};
    const struct facts_part *f = &e->facts;
    bool log = w->order.low_priority;
    bool late = e->now >= cad_time_add(w->since, FACTS_LOG_HELD);
    if (log && !late && !exchange_link_spare(e)) return CAD_E_LIMIT;
    struct exchange_ask ask = {
        .purpose = log ? CAD_PURPOSE_LOG : CAD_PURPOSE_EVENT, .owner = w->order.id,
        .url = w->order.url, .post = true, .body = w->order.body, .headers = headers,
        .header_count = w->order.gzip ? 2 : 1, .size_max = EXCHANGE_KEPT_MAX,
        .keep = log ? 0 : EXCHANGE_KEPT_MAX, .connect_timeout = w->order.connect_timeout,
        .timeout = w->order.timeout, .priority = log ? LOG_PRIORITY : EVENT_PRIORITY,
        .address_max = f->address_max};
    if (log ? f->own_logs : f->own_events) ask.address_max = CAD_ADDRESS_UNKNOWN;
    return exchange_start(e, &ask);
}

static void start_waiting(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    uint32_t left = 0;
    for (uint32_t i = 0; i < f->waiting_count; i++) {
        struct facts_waiting w = f->waiting[i];
        int rc = post(e, &w);
        if (rc == CAD_E_AGAIN) e->service_more = true;
        if (rc == CAD_E_INVAL) {
            struct cad_telemetry_answer refused = {.status = 400, .retry_after = CAD_TIME_NONE};
            (void)cad_telemetry_http_done(f->telemetry, w.order.id, &refused);
        } else if (rc != 0) {
            f->waiting[left++] = w;
        }
    }
    f->waiting_count = left;
}

static void order_store(struct cad_engine *e, const struct cad_telemetry_order *order)
{
    static const enum cad_store_call calls[] = {
        [CAD_TELEMETRY_STORE_LIST] = CAD_STORE_LIST, [CAD_TELEMETRY_STORE_GET] = CAD_STORE_GET,
        [CAD_TELEMETRY_STORE_PUT] = CAD_STORE_PUT, [CAD_TELEMETRY_STORE_DELETE] = CAD_STORE_DELETE};
    struct cad_action *action = engine_action(e, CAD_ACTION_STORE);
    if (!action) return;
    action->u.store = (struct cad_store_order){
        .call = calls[order->type], .id = order->id, .key = order->key, .value = order->value,
        .flags = order->durable ? CAD_STORE_DURABLE : 0};
}

static void carry_out(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    struct cad_telemetry_order order;
    while (f->waiting_count < FACTS_WAITING_MAX) {
        if (cad_ring_space(&e->actions) < EXCHANGE_ACTIONS) {
            e->service_more = true;
            return;
        }
        if (cad_telemetry_poll(f->telemetry, &order) != 0) return;
        switch (order.type) {
        case CAD_TELEMETRY_HTTP_POST:
            f->waiting[f->waiting_count++] = (struct facts_waiting){order, e->now};
            start_waiting(e);
            break;
        case CAD_TELEMETRY_ENTROPY: break; /* what there is was given: more comes with each POST */
        default: order_store(e, &order); break;
        }
    }
}

void facts_store(struct cad_engine *e, const struct cad_store_done *done)
{
    struct cad_telemetry *t = e->facts.telemetry;
    if (!t) return;
    if (done->call == CAD_STORE_LIST) {
        (void)cad_telemetry_store_listed(t, done->id, done->result, done->keys, done->count);
    } else {
        (void)cad_telemetry_store_done(t, done->id, done->result, done->value);
    }
}

void facts_answer(struct cad_engine *e, const struct exchange_answer *answer)
{
    struct facts_part *f = &e->facts;
    struct cad_telemetry_answer a = {
        .status = answer->end->cls == CAD_HTTP_OK ? answer->status : 0,
        .retry_after = answer->retry_after, .limits = answer->limits,
        .body = cad_str_from_buf(answer->body)};
    if (!f->telemetry) return;
    (void)cad_telemetry_http_done(f->telemetry, answer->owner, &a);
    f->unsure = true;
}

/* ---- the turn -------------------------------------------------------------------------------- */

/* The service wants this playback to stop: that is an input like the manifest's word. */
static void stop_if_asked(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    struct cad_telemetry_stop stop;
    if (!f->unsure) return;
    f->unsure = false;
    cad_telemetry_stop_asked(f->telemetry, &stop);
    if (!stop.asked || !f->playing || e->clock.state == CAD_STATE_FAILED) return;
    struct cad_error err;
    cad_error_init(&err, CAD_ERR_STREAMS_REFUSED);
    if (stop.message[0]) {
        cad_str_copyz(err.message, sizeof(err.message), cad_str_from(stop.message));
    }
    err.phase = CAD_PHASE_PLAY;
    engine_fail(e, &err);
}

void facts_turn(struct cad_engine *e)
{
    struct facts_part *f = &e->facts;
    if (!f->telemetry) return;
    if (e->has_wall) facts_wall(e);
    stop_if_asked(e);
    enum cad_state state = e->clock.state;
    bool runs = state == CAD_STATE_BUFFERING || state == CAD_STATE_PLAYING;
    if (f->over && (runs || state == CAD_STATE_PAUSED)) { /* back from the end */
        f->over = false;
        f->again = true;
    }
    f->fatal.code = CAD_ERR_NONE;
    f->fatal.message[0] = '\0';
    begin(e);
    tell_title(e);
    tell_server(e);
    note_ready(e);
    look_at_events(e);
    tell_state(e);
    if (f->playing && e->now >= f->frames_at) {
        tell_frames(e);
        tell_wasted(e, 0);
    }
    cad_telemetry_turn(f->telemetry, e->now);
    start_waiting(e);
    carry_out(e);
}

cad_time facts_next_wake(const struct cad_engine *e)
{
    const struct facts_part *f = &e->facts;
    if (!f->telemetry) return CAD_TIME_NONE;
    cad_time wake = cad_telemetry_next_wake(f->telemetry);
    bool full = f->waiting_count == FACTS_WAITING_MAX;
    if (full) wake = CAD_MAX(wake, cad_time_add(e->turned_at, BUSY_AGAIN));
    for (uint32_t i = 0; i < f->waiting_count; i++) {
        const struct facts_waiting *w = &f->waiting[i];
        cad_time late = cad_time_add(w->since, FACTS_LOG_HELD);
        bool held = w->order.low_priority && late > e->turned_at;
        wake = CAD_MIN(wake, held ? late : cad_time_add(e->turned_at, BUSY_AGAIN));
    }
    return wake == CAD_TIME_MAX ? CAD_TIME_NONE : wake;
}

void facts_figures(const struct cad_engine *e, struct cad_service_stats *out)
{
    struct cad_telemetry_stats stats = {.size = sizeof(stats)};
    if (!e->facts.telemetry) return;
    cad_telemetry_stats(e->facts.telemetry, &stats);
    out->events = stats.events;
    out->events_delivered = stats.events_delivered;
    out->events_waiting = stats.events_waiting;
    out->logs = stats.entries;
    for (int i = 0; i < CAD_SEVERITIES; i++) out->logs_dropped += stats.entries_dropped[i];
    out->batches_delivered = stats.batches_delivered;
}
