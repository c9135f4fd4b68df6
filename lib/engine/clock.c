/*
 * The session's state and the sink's clock: when media may run, when it must wait, when it is over.
 *
 * The engine does not own the playing position: it extrapolates the sink's last anchor. What the
 * sink should do (epoch, rate) is worked out every turn and sent when it differs from what was
 * sent.
 */
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

#define ANCHOR_NUDGES_MAX 3 /* recovery steps for a sink whose clock stands */

cad_time clock_position(const struct cad_engine *e)
{
    const struct clock_part *c = &e->clock;
    if (!c->has_anchor) return c->position;
    const struct cad_sink_anchor *a = &c->anchor;
    /* An anchor is believed for as long as a sink may be silent: who slept did not play on. */
    cad_time passed = CAD_MIN(CAD_MAX(cad_time_sub(e->now, a->at), 0), ENGINE_ANCHOR_LIMIT);
    cad_time moved = passed;
    if (a->rate_q16 != 65536) moved = cad_muldiv_floor_i64(passed, a->rate_q16, 65536);
    cad_time position = cad_time_add(a->media, moved);
    cad_time end = CAD_MAX(e->manifest.duration, e->manifest.media_end);
    return end > 0 && position > end ? end : position;
}

uint32_t clock_rate(const struct cad_engine *e)
{
    const struct cad_sink_caps *caps = &e->caps;
    if (!caps->rate_max_q16) return 65536;
    return CAD_MIN(CAD_MAX(e->clock.want_rate_q16, caps->rate_min_q16), caps->rate_max_q16);
}

cad_time clock_ahead(struct cad_engine *e, struct slot *s)
{
    cad_time position = clock_position(e);
    cad_time end = queue_buffered_end(s, position, e->clock.state != CAD_STATE_PLAYING);
    return CAD_MAX(end - position, 0);
}

/* ---- a new epoch ---- */

void clock_begin(struct cad_engine *e, cad_time position)
{
    struct clock_part *c = &e->clock;
    c->position = position;
    c->epoch++;
    c->has_anchor = c->first_frame = c->drained = false;
    c->anchor_seen = c->progress_at = e->now;
    struct cad_action *action = engine_action(e, CAD_ACTION_SINK_FLUSH);
    if (action) {
        action->u.flush.epoch = c->epoch;
        action->u.flush.position = position;
    }
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present) queue_seek(e, &e->slots[i], position);
    }
}

static void end_stall(struct cad_engine *e)
{
    struct clock_part *c = &e->clock;
    if (!c->stalled) return;
    c->stalled = false;
    cad_time lasted = e->now - c->stall_since;
    c->stall_time = cad_time_add(c->stall_time, lasted);
    struct cad_app_event *app = engine_app(e, CAD_APP_STALL_END);
    if (app) app->duration = lasted;
}

void clock_seek(struct cad_engine *e, cad_time position, uint32_t ticket)
{
    struct clock_part *c = &e->clock;
    if (!e->manifest.loaded || c->state == CAD_STATE_FAILED) {
        struct cad_error err;
        cad_error_init(&err, CAD_ERR_NOTHING_LOADED);
        struct cad_app_event *app = engine_app(e, CAD_APP_ERROR);
        if (!app) return;
        app->ticket = ticket;
        app->error = err;
        return;
    }
    cad_time end = e->manifest.duration;
    position = CAD_MIN(CAD_MAX(position, 0), ENGINE_POSITION_MAX); /* NONE is less than 0 */
    if (end != CAD_TIME_NONE && position >= end) position = CAD_MAX(end - CAD_MS, 0);
    const struct cad_presentation *p = e->manifest.presentation;
    if (p) position = CAD_MAX(position, p->periods[0].start); /* 23009-1: it need not be 0 */
    end_stall(e);
    c->seek_pending = true;
    c->seek_ticket = ticket;
    c->anchor_nudges = 0;
    engine_decide(e, "seek to_ms=%" PRId64, position / CAD_MS);
    facts_seek(e, clock_position(e), position);
    if (!lanes_fit(e, position)) {
        slots_clear(e);
        e->more = true;
    }
    clock_begin(e, position);
    cad_abr_note(e->abr, CAD_ABR_NOTE_SEEK, e->now);
    if (c->state != CAD_STATE_LOADING) engine_set_state(e, CAD_STATE_BUFFERING, "seek");
}

/* ---- what the sink reports ---- */

void clock_anchor(struct cad_engine *e, const struct cad_sink_anchor *anchor)
{
    struct clock_part *c = &e->clock;
    if (anchor->epoch != c->epoch || !e->manifest.loaded || anchor->media == CAD_TIME_NONE) return;
    struct cad_sink_anchor a = *anchor;
    if (a.at > e->now || a.at < 0) a.at = e->now;
    a.media = CAD_MAX(a.media, c->has_anchor ? c->anchor.media : c->position); /* never back */
    bool moved = a.media > (c->has_anchor ? c->anchor.media : c->position);
    if (moved || c->state != CAD_STATE_PLAYING) {
        c->anchor_seen = e->now;
        if (moved && c->state == CAD_STATE_PLAYING) c->anchor_nudges = 0;
    }
    c->anchor = a;
    c->has_anchor = true;
}

void clock_level(struct cad_engine *e, const struct cad_sink_level *level)
{
    struct clock_part *c = &e->clock;
    c->frames = CAD_MAX(c->frames, level->frames);
    c->dropped = CAD_MAX(c->dropped, level->dropped);
    if (level->epoch != c->epoch || !e->manifest.loaded) return;
    c->drained = level->drained;
    if (!level->first_frame || c->first_frame) return;
    c->first_frame = true;
    if (!c->first_ever) {
        c->first_ever = true;
        c->startup = e->now - c->loaded_at;
        struct cad_app_event *app = engine_app(e, CAD_APP_FIRST_FRAME);
        if (app) app->position = level->first_frame_pts;
        engine_decide(e, "first-frame pts_ms=%" PRId64, level->first_frame_pts / CAD_MS);
    }
    if (!c->seek_pending) return;
    c->seek_pending = false;
    struct cad_app_event *app = engine_app(e, CAD_APP_SEEK_DONE);
    if (!app) return;
    app->ticket = c->seek_ticket;
    app->position = level->first_frame_pts;
}

/* ---- what the viewer reached ---- */

/* The viewer has reached another track than before. */
static void tell_track(struct cad_engine *e, struct slot *s, const struct cad_track *track)
{
    const struct cad_track *before = s->track_shown;
    s->track_shown = track;
    if (!before || before == track || cad_str_eq(before->id, track->id)) return;
    struct cad_app_event *app = engine_app(e, CAD_APP_TRACK);
    if (!app) return;
    app->slot = (uint32_t)(s - e->slots);
    cad_str_copyz(app->text, sizeof(app->text), track->id);
}

static void show_segment(struct cad_engine *e, struct slot *s, const struct segment *seg)
{
    const struct rep *rep = s->reps[seg->rep];
    int64_t ms = (seg->end - seg->start) / CAD_MS;
    s->counted = seg->serial;
    s->played_ms += ms;
    s->played_rate_sum += cad_mul_sat_i64(rep->rate_bps, ms);
    tell_track(e, s, rep->track);
    if (s->rep_shown == (int32_t)seg->rep) return;
    s->rep_shown = (int32_t)seg->rep;
    bool same = s->rate_shown == rep->rate_bps && s->height_shown == rep->init.height;
    if (same && s->rate_shown > 0) return; /* the same rung of another period */
    if (s->rate_shown > 0) s->switches++;
    s->rate_shown = rep->rate_bps;
    s->height_shown = rep->init.height;
    struct cad_app_event *app = engine_app(e, CAD_APP_RUNG);
    if (!app) return;
    app->slot = (uint32_t)(s - e->slots);
    app->rate_bps = rep->rate_bps;
    app->width = rep->init.width;
    app->height = rep->init.height;
    for (uint32_t i = 0; i < s->rung_count; i++) {
        if (s->rung_rep[i] == seg->rep) app->rung = i;
    }
    cad_str_copyz(app->text, sizeof(app->text), cad_str_from(rep->init.codecs));
}

static void follow_viewer(struct cad_engine *e, struct slot *s)
{
    cad_time position = clock_position(e);
    for (int i = 0; i < ENGINE_SEGMENTS_MAX && cad_ring_space(&e->actions) > 64; i++) {
        struct segment *seg = queue_find(s, s->shown);
        if (!seg) {
            /* Evicted or not there yet: go on with the first that is held, if it lies ahead. */
            if (queue_count(s) == 0 || queue_at(s, 0)->serial <= s->shown) return;
            s->shown = queue_at(s, 0)->serial;
            continue;
        }
        if (seg->start > position) return;
        seg->spent = true;
        if (s->counted != seg->serial) show_segment(e, s, seg);
        if (seg->end > position) return;
        s->shown++;
    }
}

/* ---- states ---- */

/* Whole segments ahead: what a slot still has when nothing more will come. */
static cad_time whole_ahead(struct cad_engine *e, struct slot *s)
{
    cad_time position = clock_position(e);
    cad_time ahead = queue_buffered_end(s, position, false) - position;
    return ahead > ENGINE_REMAINDER ? ahead : 0;
}

/* Enough media to run: the goal, the end of the title, or all that can be had. */
static bool slot_ready(struct cad_engine *e, struct slot *s, cad_time goal)
{
    if (s->lost.code != CAD_ERR_NONE) return whole_ahead(e, s) > 0;
    cad_time ahead = clock_ahead(e, s);
    if ((ahead >= goal && ahead > 0) || queue_at_end(s)) return true;
    bool no_more = s->blocked || (!title_urls_usable(e) && e->manifest.refresh_failures > 0);
    return no_more && whole_ahead(e, s) > 0;
}

static bool session_ready(struct cad_engine *e)
{
    cad_time goal = e->clock.stalled ? e->config.resume_goal : e->config.start_goal;
    uint32_t rate = clock_rate(e); /* media that is played faster lasts less long */
    if (rate > 65536) goal = cad_muldiv_floor_i64(goal, rate, 65536);
    goal = CAD_MIN(goal, e->buffer_ahead / 2);
    bool any = false;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct slot *s = &e->slots[i];
        if (!s->present) continue;
        any = true;
        if (s->provisional || !slot_ready(e, s, goal)) return false;
    }
    return any;
}

static bool all_at_end(const struct cad_engine *e)
{
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present && !queue_at_end(&e->slots[i])) return false;
    }
    return true;
}

/* Fresh URLs were refused for good, or asked for in vain for too long. */
static bool refresh_hopeless(const struct cad_engine *e)
{
    const struct manifest_part *m = &e->manifest;
    if (m->refresh_failures == 0 || title_urls_usable(e)) return false;
    enum cad_error_domain domain = m->refresh_error.domain;
    bool refused = domain == CAD_DOMAIN_MANIFEST || domain == CAD_DOMAIN_HTTP;
    if (m->refresh_error.code == CAD_ERR_HTTP_SERVER) refused = false;
    return refused || m->refresh_failures >= ENGINE_REFRESHES_HOPELESS;
}

/* A track that can have no more media ends the session when the viewer has seen what there was. */
static bool fail_if_lost(struct cad_engine *e)
{
    const struct clock_part *c = &e->clock;
    bool running = c->state == CAD_STATE_PLAYING && c->has_anchor && !c->anchor.underrun;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct slot *s = &e->slots[i];
        if (!s->present) continue;
        struct cad_error err = s->lost;
        bool expired = refresh_hopeless(e) && !queue_at_end(s);
        if (err.code == CAD_ERR_NONE && !expired) continue;
        if (running || e->clock.state == CAD_STATE_PAUSED) continue;
        if (whole_ahead(e, s) > 0) continue;
        if (err.code == CAD_ERR_NONE) {
            err = e->manifest.refresh_error;
            struct cad_error gone;
            cad_error_init(&gone, CAD_ERR_MANIFEST_EXPIRED);
            err.code = gone.code;
            err.domain = gone.domain;
            err.cls = gone.cls;
        }
        err.track = i;
        if (err.message[0] == '\0') engine_error(&err, err.code, "%s", cad_error_text(err.code));
        engine_fail(e, &err);
        return true;
    }
    return false;
}

static void begin_stall(struct cad_engine *e)
{
    struct clock_part *c = &e->clock;
    c->stalled = true;
    c->stalls++;
    c->stall_since = c->has_anchor ? c->anchor.at : e->now;
    c->progress_at = e->now;
    engine_set_state(e, CAD_STATE_BUFFERING, "stall");
    struct cad_app_event *app = engine_app(e, CAD_APP_STALL_BEGIN);
    if (app) app->at = c->stall_since;
    cad_abr_note(e->abr, CAD_ABR_NOTE_STALL, e->now);
}

static void start_running(struct cad_engine *e)
{
    struct clock_part *c = &e->clock;
    end_stall(e);
    c->anchor_seen = e->now;
    c->anchor.underrun = false;
    engine_set_state(e, CAD_STATE_PLAYING, "ready");
    cad_abr_note(e->abr, CAD_ABR_NOTE_PLAY, e->now);
}

static bool nothing_ahead(struct cad_engine *e)
{
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct slot *s = &e->slots[i];
        if (s->present && !queue_at_end(s) && whole_ahead(e, s) == 0) return true;
    }
    return false;
}

/* A clock that should move and does not: flush and begin again where it stands, then give up. */
static void watch_sink(struct cad_engine *e)
{
    struct clock_part *c = &e->clock;
    if (e->now - c->anchor_seen < ENGINE_ANCHOR_LIMIT) return;
    if (nothing_ahead(e)) {
        begin_stall(e); /* it has nothing to show: no fault of the sink */
        return;
    }
    struct cad_error err;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        err = e->slots[i].lost;
        if (!e->slots[i].present || err.code == CAD_ERR_NONE) continue;
        engine_fail(e, &err); /* what cannot come is why it stands */
        return;
    }
    if (c->anchor_nudges++ < ANCHOR_NUDGES_MAX) {
        engine_decide(e, "recover step=flush nudge=%u", c->anchor_nudges);
        clock_begin(e, clock_position(e));
        return;
    }
    if (!keys_blamed(e, &err)) cad_error_init(&err, CAD_ERR_SINK_STUCK);
    err.phase = CAD_PHASE_PLAY;
    engine_fail(e, &err);
}

static void watch_buffering(struct cad_engine *e)
{
    struct cad_error err;
    if (e->now - e->clock.progress_at < ENGINE_STUCK_LIMIT) return;
    cad_error_init(&err, CAD_ERR_STUCK);
    /* What has been failing all the time says more than that nothing came of it. */
    if (e->last_failure_at != CAD_TIME_NONE && e->last_failure_at >= e->clock.progress_at) {
        err = e->last_failure;
    }
    if (!e->online) engine_error(&err, CAD_ERR_NET_CONNECT, "the device is offline");
    err.cls = CAD_ERROR_FATAL;
    err.phase = e->clock.first_ever ? CAD_PHASE_PLAY : CAD_PHASE_START;
    engine_fail(e, &err);
}

/* The sink's clock is beyond everything that was fetched: times in the media lied. */
static bool past_end(const struct cad_engine *e)
{
    const struct cad_sink_anchor *a = &e->clock.anchor;
    if (!e->clock.has_anchor || a->rate_q16 == 0) return false;
    cad_time passed = CAD_MAX(cad_time_sub(e->now, a->at), 0);
    cad_time media = cad_time_add(a->media, cad_muldiv_floor_i64(passed, a->rate_q16, 65536));
    return media > cad_time_add(e->manifest.media_end, ENGINE_PAST_END);
}

/* Other kinds of tracks follow: what was played is over, the next period begins anew. */
static void next_chapter(struct cad_engine *e, cad_time start)
{
    engine_decide(e, "chapter at_ms=%" PRId64, start / CAD_MS);
    slots_clear(e);
    clock_begin(e, start);
    engine_set_state(e, CAD_STATE_BUFFERING, "period");
    e->more = true;
}

static void step_playing(struct cad_engine *e)
{
    struct clock_part *c = &e->clock;
    cad_time chapter;
    if (all_at_end(e) && (c->drained || past_end(e)) && lanes_next_chapter(e, &chapter)) {
        next_chapter(e, chapter);
    } else if (all_at_end(e) && (c->drained || past_end(e))) {
        engine_set_state(e, CAD_STATE_ENDED, "end");
        (void)engine_app(e, CAD_APP_ENDED);
    } else if (!c->want_play) {
        engine_set_state(e, CAD_STATE_PAUSED, "pause");
    } else if (c->has_anchor && c->anchor.underrun && !all_at_end(e)) {
        begin_stall(e);
    } else if (keys_hold(e) && (!c->has_anchor || c->anchor.rate_q16 == 0)) {
        engine_set_state(e, CAD_STATE_BUFFERING, "key");
        e->more = true; /* its time is counted from the next turn on */
    } else {
        watch_sink(e);
    }
}

/* The title that is prepared could start at once. */
static void tell_prepared(struct cad_engine *e)
{
    struct manifest_part *m = &e->manifest;
    e->clock.progress_at = e->now;
    if (m->prepared_told || keys_awaited(e)) return;
    m->prepared_told = true;
    (void)engine_app(e, CAD_APP_PREPARED);
}

static void step_state(struct cad_engine *e)
{
    struct clock_part *c = &e->clock;
    switch (c->state) {
    case CAD_STATE_LOADING:
        if (e->slots[0].present || e->slots[1].present) {
            c->progress_at = e->now;
            engine_set_state(e, CAD_STATE_BUFFERING, "start");
        } else {
            watch_buffering(e);
        }
        break;
    case CAD_STATE_BUFFERING:
        if (!session_ready(e)) {
            watch_buffering(e);
        } else if (e->manifest.prepared) {
            tell_prepared(e);
        } else if (keys_hold(e)) {
            break; /* keys.c counts the time */
        } else if (c->want_play) {
            start_running(e);
        } else {
            end_stall(e);
            engine_set_state(e, CAD_STATE_PAUSED, "ready");
        }
        break;
    case CAD_STATE_PLAYING: step_playing(e); break;
    case CAD_STATE_PAUSED:
        if (!c->want_play) break;
        if (session_ready(e)) {
            start_running(e);
        } else {
            c->progress_at = e->now;
            engine_set_state(e, CAD_STATE_BUFFERING, "resume");
        }
        break;
    case CAD_STATE_IDLE:
    case CAD_STATE_ENDED:
    case CAD_STATE_FAILED:
    case CAD_STATE_STOPPED: break;
    }
}

static void tell_sink(struct cad_engine *e)
{
    struct clock_part *c = &e->clock;
    const struct slot *video = &e->slots[CAD_SLOT_VIDEO];
    const struct slot *audio = &e->slots[CAD_SLOT_AUDIO];
    if (e->manifest.prepared) return;
    if ((!video->present && !audio->present) || video->provisional) return;
    struct cad_sink_config want = {.epoch = c->epoch,
                                   .rate_q16 = c->state == CAD_STATE_PLAYING ? clock_rate(e) : 0,
                                   .position = c->position,
                                   .video = video->present,
                                   .audio = audio->present,
                                   .text = words_present(e)};
    const struct cad_sink_config *sent = &c->sent;
    if (c->sent_any && want.epoch == sent->epoch && want.rate_q16 == sent->rate_q16 &&
        want.position == sent->position && want.video == sent->video &&
        want.audio == sent->audio && want.text == sent->text) {
        return;
    }
    struct cad_action *action = engine_action(e, CAD_ACTION_SINK_CONFIG);
    if (!action) return;
    action->u.sink = want;
    c->sent = want;
    c->sent_any = true;
}

void clock_halt(struct cad_engine *e)
{
    struct clock_part *c = &e->clock;
    if (!c->sent_any || (c->sent.rate_q16 == 0 && c->sent.epoch == c->epoch)) return;
    struct cad_action *action = engine_action(e, CAD_ACTION_SINK_CONFIG);
    if (!action) return;
    c->sent.epoch = c->epoch;
    c->sent.rate_q16 = 0;
    c->sent.position = c->position;
    action->u.sink = c->sent;
}

void clock_slept(struct cad_engine *e)
{
    engine_decide(e, "slept");
    e->clock.anchor_seen = e->now;
    e->clock.progress_at = e->now;
}

/* There is more of a slot whose end was pulled (another track was chosen): who was told that
 * nothing follows does not ask again in this epoch. */
static bool goes_on_after_end(const struct cad_engine *e)
{
    if (e->clock.state == CAD_STATE_ENDED) return false;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        if (s->present && s->end_pulled && !s->switching && !queue_at_end(s)) return true;
    }
    return false;
}

void clock_turn(struct cad_engine *e)
{
    if (!e->manifest.loaded || e->clock.state == CAD_STATE_FAILED) return;
    if (fail_if_lost(e)) return;
    if (goes_on_after_end(e)) clock_begin(e, clock_position(e));
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present && e->clock.first_frame) follow_viewer(e, &e->slots[i]);
    }
    enum cad_state before;
    int steps = 0;
    do {
        before = e->clock.state;
        step_state(e);
    } while (e->clock.state != before && ++steps < 4);
    if (e->clock.state != CAD_STATE_FAILED) tell_sink(e);
}

cad_time clock_next_wake(const struct cad_engine *e)
{
    const struct clock_part *c = &e->clock;
    if (c->state == CAD_STATE_PLAYING) return cad_time_add(c->anchor_seen, ENGINE_ANCHOR_LIMIT);
    if (c->state == CAD_STATE_BUFFERING || c->state == CAD_STATE_LOADING) {
        return cad_time_add(c->progress_at, ENGINE_STUCK_LIMIT);
    }
    return CAD_TIME_NONE;
}
