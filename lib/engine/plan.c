/*
 * The plan: what should be in flight now. Every turn, for every slot: read what came, drop what is
 * behind, see whether media is short of its goal, and issue the difference. At most one media
 * request a slot is alive, plus one header fetched ahead of need.
 */
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/util.h"
#include "engine/session.h"

#define PREFETCH_BUFFER (10 * CAD_SECOND) /* headers ahead of need only with that much in hand */
#define SEGMENT_GUESS (4 * CAD_SECOND)    /* duration of a segment while no index is known */
#define AUDIO_LEAD (10 * CAD_SECOND)      /* sound may be that much further than the picture */
#define ROOM_STEP (20 * CAD_MS)
#define BLOCKED_RETRY (500 * CAD_MS)

/* ---- bytes ---- */

int64_t slot_held(const struct slot *s)
{
    int64_t held = 0;
    size_t count = queue_count(s);
    for (size_t i = 0; i < count; i++) {
        const struct segment *seg = queue_at(s, i);
        if (seg->ref && !seg->in_header) held += seg->size;
    }
    for (uint32_t i = 0; s->present && i < s->rep_count; i++) {
        const struct rep *rep = s->reps[i];
        if (rep && rep->header) held += (int64_t)cad_ref_capacity(rep->header);
    }
    return held;
}

/* Bytes of media buffers. */
static int64_t held_bytes(const struct cad_engine *e)
{
    int64_t held = 0;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) held += slot_held(&e->slots[i]);
    return held;
}

/* May `bytes` more be asked for? What is behind the viewer makes room first. */
static bool admit(struct cad_engine *e, struct slot *s, struct cad_fetch_request *request,
                  int64_t bytes)
{
    /* Held counts whole segments, also the part still to come of those in flight: what is booked on
     * requests is in it already. */
    int64_t held = held_bytes(e) - cad_fetch_in_flight_bytes(e->fetch);
    if (held < 0) held = 0;
    if (cad_fetch_admit(e->fetch, request, held, bytes)) return true;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present) queue_evict(e, &e->slots[i], clock_position(e) + ENGINE_REMAINDER);
    }
    held = CAD_MAX(held_bytes(e) - cad_fetch_in_flight_bytes(e->fetch), 0);
    if (cad_fetch_admit(e->fetch, request, held, bytes)) return true;
    s->blocked = true;
    s->decide_at = cad_time_add(e->now, BLOCKED_RETRY);
    return false;
}

void plan_no_memory(struct cad_engine *e, struct slot *s)
{
    s->decide_at = cad_time_add(e->now, ENGINE_MEMORY_RETRY);
    cad_pool_trim(e->pool, 0);
    if (++s->memory_failures < ENGINE_MEMORY_RETRIES) return;
    cad_error_init(&s->lost, CAD_ERR_OUT_OF_MEMORY);
    s->lost.track = (int32_t)(s - e->slots);
    s->lost.phase = e->clock.first_ever ? CAD_PHASE_PLAY : CAD_PHASE_START;
}

/* ---- choosing a representation ---- */

struct size_ctx {
    const struct slot *s;
    cad_time at; /* where the segment to choose begins */
};

/* The segment of a representation that covers t; rounding to nanoseconds is forgiven. */
static int segment_at(const struct rep *rep, cad_time t,
                      struct cad_segment *out)
{
    int rc = cad_index_find(rep->index, rep_ticks(rep, t), out);
    if (rc != 0) return rc;
    if (rep_time(rep, out->start_ticks + out->duration_ticks) > t + CAD_MS) return CAD_OK;
    return cad_index_at(rep->index, out->index + 1, out);
}

static int64_t size_of(const void *ctx, uint32_t ahead, uint32_t rung)
{
    const struct size_ctx *c = ctx;
    const struct rep *rep = c->s->reps[c->s->rung_rep[rung]];
    struct cad_segment seg;
    if (!rep->index || segment_at(rep, c->at, &seg) != 0) return -1;
    if (ahead && cad_index_at(rep->index, seg.index + ahead, &seg) != 0) return -1;
    if (seg.bytes.first < 0) return -1;
    return seg.bytes.last - seg.bytes.first + 1;
}

/* Beside video, sound is a fixed choice: the best that is cheap. Alone, the controller's. */
static uint32_t choose_audio(const struct slot *s)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < s->rung_count; i++) {
        if (s->reps[s->rung_rep[i]]->model->bandwidth_bps <= ENGINE_AUDIO_RATE_MAX) best = i;
    }
    return best;
}

static int32_t rung_of(const struct slot *s, int32_t rep)
{
    for (uint32_t i = 0; i < s->rung_count; i++) {
        if ((int32_t)s->rung_rep[i] == rep) return (int32_t)i;
    }
    return -1;
}

static cad_time next_duration(const struct slot *s, cad_time at,
                              uint32_t *left)
{
    struct cad_segment seg;
    *left = 0;
    for (uint32_t i = 0; i < s->rung_count; i++) {
        const struct rep *rep = s->reps[s->rung_rep[i]];
        if (!rep->index || segment_at(rep, at, &seg) != 0) continue;
        *left = cad_index_count(rep->index) - seg.index;
        return cad_time_from_ticks(seg.duration_ticks, cad_index_timescale(rep->index));
    }
    return SEGMENT_GUESS;
}

static enum cad_codec codec_at(const struct slot *s, uint32_t rung)
{
    return s->reps[s->rung_rep[rung]]->model->codec;
}

/*
 * Where the sink cannot change codecs unseen, there is one a title. A pin decides it, else what is
 * being played, else the codec with the most rungs (the lower rung's on a tie).
 */
static enum cad_codec codec_of(const struct cad_engine *e, const struct slot *s)
{
    if (s == &e->slots[CAD_SLOT_VIDEO] && e->pin >= 0) {
        return codec_at(s, CAD_MIN((uint32_t)e->pin, s->rung_count - 1));
    }
    if (s->rep_now >= 0) return s->reps[s->rep_now]->model->codec;
    uint32_t best = 0;
    uint32_t best_count = 0;
    for (uint32_t i = 0; i < s->rung_count; i++) {
        uint32_t count = 0;
        for (uint32_t k = 0; k < s->rung_count; k++) {
            if (codec_at(s, k) == codec_at(s, i)) count++;
        }
        if (count > best_count) {
            best = i;
            best_count = count;
        }
    }
    return codec_at(s, best);
}

/* May the sink be given this one after what it has? */
static bool change_allowed(const struct cad_engine *e, const struct slot *s,
                           const struct cad_representation *m)
{
    if (e->caps.fixed_codec && m->codec != codec_of(e, s)) return false;
    if (!e->caps.fixed_resolution || s->rep_now < 0 || queue_count(s) == 0) return true;
    return m->height == s->reps[s->rep_now]->model->height;
}

/* Of a segment that is a resource nobody knows the size beforehand: by its rate it must fit. */
static bool too_large(const struct cad_engine *e, const struct rep *rep)
{
    struct cad_segment seg;
    if (!rep_fetched_apart(rep) || cad_index_at(rep->index, 0, &seg) != 0) return false;
    cad_time duration = cad_time_from_ticks(seg.duration_ticks, cad_index_timescale(rep->index));
    return cad_muldiv_floor_i64(rep->rate_bps / 8, duration, CAD_SECOND) > segment_limit(e);
}

static void fill_rungs(const struct cad_engine *e, const struct slot *s, cad_time duration,
                       struct cad_abr_rung *rungs)
{
    int64_t speed = clock_rate(e); /* media that is played faster must come faster */
    int64_t last = 1;
    bool any = false;
    for (uint32_t i = 0; i < s->rung_count; i++) {
        const struct cad_representation *m = s->reps[s->rung_rep[i]]->model;
        int64_t rate = s->reps[s->rung_rep[i]]->rate_bps;
        if (speed != 65536) rate = cad_muldiv_floor_i64(rate, speed, 65536);
        rungs[i].rate_bps = CAD_MAX(rate, last);
        last = rungs[i].rate_bps;
        rungs[i].height = m->height;
        rungs[i].vmaf_milli = m->vmaf_milli;
        /* Two segments of twice the average rate must fit beside the sound. */
        int64_t bytes = cad_muldiv_floor_i64(rate / 2, duration, CAD_SECOND);
        rungs[i].allowed = bytes <= e->config.ceiling_bytes && change_allowed(e, s, m);
        if (too_large(e, s->reps[s->rung_rep[i]])) rungs[i].allowed = false;
        any |= rungs[i].allowed;
    }
    /* Better a rung that hardly fits, or of another codec, than none. */
    if (!any) rungs[0].allowed = true;
}

static int64_t rate_cap(const struct cad_engine *e)
{
    int64_t cap = e->manifest.presentation->overrides.rate_max_bps;
    int64_t start = e->manifest.presentation->overrides.startup_rate_max_bps;
    if (!e->clock.first_ever && start > 0 && (cap <= 0 || start < cap)) cap = start;
    return CAD_MAX(cap, 0);
}

static bool choose(struct cad_engine *e, struct slot *s, cad_time at)
{
    uint32_t slot = (uint32_t)(s - e->slots);
    if (s->decided == s->serial_next && rung_of(s, s->rep_now) >= 0) return true;
    if (slot == CAD_SLOT_AUDIO && e->slots[CAD_SLOT_VIDEO].present) {
        s->rep_now = (int32_t)s->rung_rep[choose_audio(s)];
        s->decided = s->serial_next;
        return true;
    }
    struct cad_abr_rung rungs[CAD_ABR_RUNGS_MAX];
    struct cad_abr_choice choice;
    struct size_ctx ctx = {s, at};
    struct cad_abr_state state = {.size = sizeof(state), .now = e->now, .rungs = rungs,
                                  .rung_count = s->rung_count, .rung_pin = -1};
    state.segment_duration = next_duration(s, at, &state.segments_left);
    fill_rungs(e, s, state.segment_duration, rungs);
    state.rung_last = rung_of(s, s->rep_now);
    state.buffer = clock_ahead(e, s);
    state.buffer_target = e->buffer_ahead;
    state.playing = e->clock.state == CAD_STATE_PLAYING;
    state.size_of = size_of;
    state.size_ctx = &ctx;
    state.rate_cap_bps = rate_cap(e);
    if (slot == CAD_SLOT_VIDEO && e->pin >= 0) {
        state.rung_pin = (int32_t)CAD_MIN((uint32_t)e->pin, s->rung_count - 1);
    }
    cad_abr_choose(e->abr, &state, &choice);
    CAD_ASSERT(choice.rung < s->rung_count);
    int64_t before = s->rep_now >= 0 ? s->reps[s->rep_now]->rate_bps : 0;
    s->rep_now = (int32_t)s->rung_rep[choice.rung];
    facts_chosen(e, before, s->reps[s->rep_now]->rate_bps, cad_abr_reason_name(choice.reason),
                 state.buffer);
    s->decided = s->serial_next;
    if (choice.wait > 0) s->decide_at = cad_time_add(e->now, choice.wait);
    engine_decide(e, "rung slot=%u rung=%u reason=%s buffer_ms=%" PRId64 " estimate_kbps=%" PRId64,
                  slot, choice.rung, cad_abr_reason_name(choice.reason), state.buffer / CAD_MS,
                  choice.estimate_bps / 1000);
    return choice.wait <= 0;
}

/* ---- starting requests ---- */

/* A request that failed waits for its time, and for URLs that are worth asking. */
static bool may_start(struct cad_engine *e, struct cad_fetch_request *request)
{
    if (request->state == CAD_FETCH_IN_FLIGHT) return false;
    if (request->state == CAD_FETCH_WAITING && request->not_before > e->now) return false;
    if (title_urls_usable(e) && e->online) return true;
    request->state = CAD_FETCH_WAITING;
    request->not_before = cad_time_add(e->now, BLOCKED_RETRY);
    return false;
}

static void start(struct cad_engine *e, struct slot *s, struct cad_fetch_request *request,
                  struct rep *rep, struct cad_range bytes)
{
    int rc = request_start_media(e, request, rep, bytes);
    if (rc == CAD_E_AGAIN) e->more = true; /* no room for actions or text this turn */
    if (rc == 0 || rc == CAD_E_AGAIN) return;
    struct cad_error err;
    engine_error(&err, CAD_ERR_MANIFEST_BAD, "a representation has no address that can be asked");
    err.track = (int32_t)(s - e->slots);
    rep_lost(e, (uint32_t)(s - e->slots), rep->at, &err);
}

int header_space(struct cad_engine *e, struct rep *rep, int64_t size)
{
    struct cad_ref *ref = NULL;
    if (rep->header && size <= rep->header_size) return CAD_OK;
    int rc = cad_pool_get(e->pool, (size_t)size, &ref);
    if (rc != 0) return rc;
    if (rep->header_have > 0) {
        memcpy(cad_ref_data(ref), cad_ref_data(rep->header), (size_t)rep->header_have);
    }
    cad_ref_unref(&rep->header);
    rep->header = ref;
    rep->header_size = size;
    return CAD_OK;
}

static void want_header(struct cad_engine *e, struct slot *s, struct rep *rep)
{
    if (!rep->request) {
        if (!title_urls_usable(e) || !e->online) return;
        int64_t goal = rep_header_goal(e, s, rep);
        if (goal <= rep->header_have) {
            struct cad_error err;
            cad_error_init(&err, CAD_ERR_MEDIA_NO_INDEX);
            err.phase = CAD_PHASE_HEADER;
            err.track = (int32_t)(s - e->slots);
            rep_lost(e, (uint32_t)(s - e->slots), rep->at, &err);
            e->more = true;
            return;
        }
        rep->request = request_new(e, CAD_PURPOSE_HEADER, (int32_t)(s - e->slots));
        if (!rep->request) return;
        bool fits = admit(e, s, rep->request, goal - rep->header_have);
        if (!fits || header_space(e, rep, goal) != 0) {
            request_drop(e, rep->request);
            rep->request = NULL;
            if (fits) plan_no_memory(e, s);
            return;
        }
        request_target(rep->request)->rep = rep;
        rep->request->deadline = e->now;
    }
    if (!may_start(e, rep->request)) return;
    struct cad_range bytes = {rep->header_have, rep->header_size - 1};
    if (rep_fetched_apart(rep)) bytes.last = -1; /* all of it */
    start(e, s, rep->request, rep, bytes);
}

static void want_segment_bytes(struct cad_engine *e, struct slot *s, struct segment *seg)
{
    struct rep *rep = s->reps[seg->rep];
    if (!seg->request) {
        if (!title_urls_usable(e) || !e->online) return;
        struct cad_fetch_request *request =
            request_new(e, CAD_PURPOSE_SEGMENT, (int32_t)(s - e->slots));
        if (!request) return;
        /* A segment that has its buffer is counted as held already. */
        bool counted = seg->ref && !seg->in_header;
        bool fits = admit(e, s, request, counted ? 0 : seg->size - seg->have);
        if (!fits || queue_space(e, seg) != 0) {
            request_drop(e, request);
            if (fits) plan_no_memory(e, s);
            return;
        }
        s->memory_failures = 0;
        request_target(request)->rep = rep;
        request_target(request)->serial = seg->serial;
        request->deadline = cad_time_add(e->now, clock_ahead(e, s));
        seg->request = request;
    }
    if (!may_start(e, seg->request)) return;
    struct cad_range bytes = {seg->first_byte + seg->have, seg->first_byte + seg->size - 1};
    if (rep_fetched_apart(rep)) bytes.last = -1;
    start(e, s, seg->request, rep, bytes);
}

/* ---- the next segment ---- */

static int find_next(const struct slot *s, const struct rep *rep, struct cad_segment *out)
{
    size_t count = queue_count(s);
    if (count == 0) {
        cad_time at = CAD_MAX(s->skip_until, rep->period_start); /* NONE is less than any */
        int rc = segment_at(rep, at, out);
        /* A position at or past the end shows the last segment. */
        uint32_t segments = cad_index_count(rep->index);
        return rc == CAD_E_NOTFOUND && segments ? cad_index_at(rep->index, segments - 1, out) : rc;
    }
    const struct segment *tail = queue_at(s, count - 1);
    bool cut = tail->show_until != CAD_TIME_NONE; /* it ends before its index says so */
    if (tail->rep == rep->at && !cut) return cad_index_at(rep->index, tail->index + 1, out);
    /* Where media ends before its period does, the next period begins behind a hole. */
    return segment_at(rep, CAD_MAX(tail->end, rep->period_start), out);
}

/* The segment of a representation that follows the queue. CAD_E_NOTFOUND: its period is over. */
static int next_segment(const struct slot *s, const struct rep *rep, struct cad_segment *out)
{
    int rc = find_next(s, rep, out);
    if (rc != 0 || rep->period_end == CAD_TIME_NONE) return rc;
    /* An index may go on behind its period: less than a millisecond of it is rounding. */
    cad_time start = rep_time(rep, out->start_ticks);
    bool outside = start > rep->period_end - CAD_MS;
    bool done = queue_count(s) && queue_at(s, queue_count(s) - 1)->end >= rep->period_end;
    return outside || done ? CAD_E_NOTFOUND : CAD_OK;
}

/*
 * The representation to go on with: the one wanted, or, where that ends earlier, the one before.
 * NULL: nothing follows in this lane.
 */
static struct rep *following(const struct slot *s, struct rep *wanted, struct cad_segment *out)
{
    if (next_segment(s, wanted, out) == 0) return wanted;
    size_t count = queue_count(s);
    if (count == 0) return NULL;
    struct rep *before = s->reps[queue_at(s, count - 1)->rep];
    bool same_lane = before != wanted && before->lane == wanted->lane;
    if (same_lane && before->state == REP_READY && next_segment(s, before, out) == 0) {
        return before;
    }
    return NULL;
}

/* How far a slot may fill. Sound stays near the picture, so that it does not take the link from a
 * picture that is short. */
static cad_time goal_of(struct cad_engine *e, const struct slot *s)
{
    struct slot *video = &e->slots[CAD_SLOT_VIDEO];
    cad_time most = e->buffer_ahead;
    if (e->manifest.prepared) most = CAD_MIN(most, ENGINE_PREPARE_AHEAD);
    if (s == video || !video->present || queue_at_end(video)) return most;
    /* While a viewer waits for the picture, sound takes no more link than the start needs. */
    bool starting = e->clock.state == CAD_STATE_LOADING || e->clock.state == CAD_STATE_BUFFERING;
    cad_time needs = e->clock.stalled ? e->config.resume_goal : e->config.start_goal;
    cad_time lead = starting ? CAD_MIN(needs + CAD_SECOND, AUDIO_LEAD) : AUDIO_LEAD;
    return CAD_MIN(most, clock_ahead(e, video) + lead);
}

/* Did the bytes behind the tail come with the header? They cost nothing any more. */
static bool in_hand(const struct slot *s)
{
    size_t count = queue_count(s);
    if (count == 0) return false;
    const struct segment *tail = queue_at(s, count - 1);
    const struct rep *rep = s->reps[tail->rep];
    bool unused = (int32_t)tail->rep == s->rep_now && rep->header && !rep->header_taken;
    return unused && tail->first_byte + tail->size < rep->header_size;
}

/* Is there room in time for a segment that ends at `end`? */
static bool has_room(struct cad_engine *e, struct slot *s, cad_time position, cad_time end)
{
    cad_time excess = end - position - goal_of(e, s);
    if (excess <= 0 || queue_count(s) == 0 || in_hand(s)) return true;
    /* A segment longer than the goal comes when half of the goal is used up. */
    if (queue_at(s, queue_count(s) - 1)->end - position < goal_of(e, s) / 2) return true;
    bool running = e->clock.state == CAD_STATE_PLAYING;
    s->blocked = true;
    /* The goal may move with the picture's buffer: look again, but not at every nanosecond. */
    s->room_at = running ? cad_time_add(e->now, CAD_MAX(excess, ROOM_STEP)) : CAD_TIME_NONE;
    return false;
}

/* The lane has no more segments: the next period follows, or nothing. */
static void lane_over(struct cad_engine *e, struct slot *s)
{
    bool was_over = queue_at_end(s);
    int rc = lane_advance(e, s);
    if (rc == CAD_E_END) s->over = true;
    else if (rc != CAD_OK) plan_no_memory(e, s);
    if (rc == CAD_OK || queue_at_end(s) != was_over) e->more = true; /* the clock waits for it */
}

static void push_next(struct cad_engine *e, struct slot *s, struct rep *rep)
{
    struct cad_segment next;
    cad_time position = clock_position(e);
    /* Segments that came with the header cost one push each, no request. */
    for (int i = 0; i < 8; i++) {
        rep = following(s, rep, &next);
        if (!rep) {
            lane_over(e, s);
            return;
        }
        cad_time end = rep_time(rep, next.start_ticks + next.duration_ticks);
        if (!has_room(e, s, position, end)) return;
        if (cad_ring_space(&s->queue) == 0) {
            queue_evict(e, s, position);
            if (cad_ring_space(&s->queue) == 0) {
                s->blocked = true;
                return;
            }
        }
        if (next.bytes.first >= 0 &&
            next.bytes.last - next.bytes.first + 1 > e->config.ceiling_bytes) {
            cad_error_init(&s->lost, CAD_ERR_LIMIT);
            return;
        }
        struct segment *seg = queue_push(s, rep->at, &next);
        if (!seg) return;
        s->decided = seg->serial + 1; /* the same choice for what is in the header already */
        if (!seg->in_header) {
            s->decided = 0;
            want_segment_bytes(e, s, seg);
            return;
        }
        if (!segment_whole(seg)) return;
    }
    e->more = true;
}

/* Media that is held and whose init is not: of the tail, or of segments before it. False: the queue
 * is another one now. */
static bool want_queued_headers(struct cad_engine *e, struct slot *s)
{
    size_t count = queue_count(s);
    for (size_t i = 0; i < count; i++) {
        struct rep *rep = s->reps[queue_at(s, i)->rep];
        if (rep->state == REP_NEW) want_header(e, s, rep);
        if (queue_count(s) != count) return false;
    }
    return true;
}

static bool near_end(const struct slot *s)
{
    size_t count = queue_count(s);
    if (count == 0) return false;
    return segment_last(s, queue_at(s, count - 1));
}

/* A header of a neighbouring rung, so that a switch needs no extra round trip and the controller
 * knows true sizes. Only with time in hand, one at a time. */
static void prefetch_header(struct cad_engine *e, struct slot *s)
{
    static const int order[] = {1, -1};
    if (e->clock.state != CAD_STATE_PLAYING || clock_ahead(e, s) < PREFETCH_BUFFER) return;
    int32_t now = rung_of(s, s->rep_now);
    if (now < 0 || near_end(s)) return;
    for (uint32_t i = 0; i < s->rep_count; i++) {
        struct rep *rep = s->reps[i];
        if (!rep || rep->lane != s->lane) continue;
        if ((int32_t)i != s->rep_now && rep->state == REP_NEW && rep->request) {
            want_header(e, s, rep);
            return;
        }
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(order); i++) {
        int32_t rung = now + order[i];
        if (rung < 0 || rung >= (int32_t)s->rung_count || e->pin >= 0) continue;
        struct rep *rep = s->reps[s->rung_rep[rung]];
        if (rep->state != REP_NEW || rep->prefetch_at > e->now) continue;
        want_header(e, s, rep);
        return;
    }
}

/* A broken fragment: what was not shown of this representation is dropped and another one tried. */
static void drop_bad(struct cad_engine *e, struct slot *s)
{
    struct segment *seg = queue_find(s, s->cursor);
    s->bad_media = false;
    if (!seg) return;
    uint32_t rep = seg->rep;
    while (queue_count(s) && queue_at(s, queue_count(s) - 1)->serial >= s->cursor) {
        queue_drop_tail(e, s);
    }
    struct cad_error err;
    cad_error_init(&err, CAD_ERR_MEDIA_BAD);
    err.track = (int32_t)(s - e->slots);
    err.phase = e->clock.first_ever ? CAD_PHASE_PLAY : CAD_PHASE_START;
    rep_lost(e, (uint32_t)(s - e->slots), rep, &err);
    lane_resume(e, s);
}

/* Samples whose protection data is malformed were passed over. */
static void tell_bad_crypt(struct cad_engine *e, struct slot *s)
{
    struct cad_error err;
    cad_error_init(&err, CAD_ERR_DRM_SAMPLE_BAD);
    err.track = (int32_t)(s - e->slots);
    err.phase = CAD_PHASE_PLAY;
    s->bad_crypt = false;
    engine_fail(e, &err);
}

/* A slot that can have no more media asks for none. */
static void drop_attempts(struct cad_engine *e, struct slot *s)
{
    for (uint32_t i = 0; i < s->rep_count; i++) {
        struct cad_fetch_request *request = s->reps[i] ? s->reps[i]->request : NULL;
        if (request && request->state != CAD_FETCH_IN_FLIGHT) request_drop(e, request);
    }
    size_t count = queue_count(s);
    struct cad_fetch_request *tail = count ? queue_at(s, count - 1)->request : NULL;
    if (tail && tail->state != CAD_FETCH_IN_FLIGHT) request_drop(e, tail);
}

/* Take in what has come; false: the slot is no longer this one. */
static bool take_stock(struct cad_engine *e, struct slot *s)
{
    if (s->bad_media) drop_bad(e, s);
    if (s->bad_crypt) tell_bad_crypt(e, s);
    lane_switch(e, s);
    lanes_prune(e, s);
    for (uint32_t i = 0; s->present && i < s->rep_count; i++) {
        struct rep *rep = s->reps[i];
        if (!rep) continue;
        if (rep->request) rep_header_progress(e, (uint32_t)(s - e->slots), rep);
        if (!s->present) return false; /* a bare file moved to the other slot */
        if (rep->header && !rep->header_settled) queue_sync_header(s, rep);
    }
    queue_evict(e, s, cad_time_sub(clock_position(e), e->config.buffer_behind));
    if (s->rung_count == 0 && s->lost.code == CAD_ERR_NONE && !s->switching) slot_barren(s);
    if (s->lost.code == CAD_ERR_NONE && s->rung_count > 0) return true;
    drop_attempts(e, s);
    return false;
}

static void plan_slot(struct cad_engine *e, uint32_t slot)
{
    struct slot *s = &e->slots[slot];
    if (!take_stock(e, s)) return;
    size_t count = queue_count(s);
    struct segment *tail = count ? queue_at(s, count - 1) : NULL;
    bool waiting = s->decide_at != CAD_TIME_NONE && s->decide_at > e->now;
    s->room_at = CAD_TIME_NONE;
    if (!waiting) s->blocked = false; /* else what blocked it still does */
    if (tail && !segment_whole(tail)) {
        if (!tail->in_header && !(waiting && !tail->request)) want_segment_bytes(e, s, tail);
        if (want_queued_headers(e, s)) prefetch_header(e, s);
        return;
    }
    if (!want_queued_headers(e, s)) return;
    if (tail && tail->request) return; /* all is there but the word that it is all */
    if (near_end(s) || waiting) return;
    struct rep *now = s->rep_now >= 0 ? s->reps[s->rep_now] : NULL;
    if (now && now->request && now->state == REP_NEW && !now->index) {
        want_header(e, s, now);
        return;
    }
    cad_time at = tail ? tail->end : CAD_MAX(s->skip_until, 0);
    uint32_t left;
    if (tail && !has_room(e, s, clock_position(e), at + next_duration(s, at, &left))) {
        prefetch_header(e, s);
        return;
    }
    if (!choose(e, s, at)) return;
    struct rep *rep = s->reps[s->rep_now];
    if (rep->state == REP_NEW) want_header(e, s, rep);
    /* Where segments have addresses of their own, the first is asked for beside the init; but not
     * on HTTP/1.1, where a connection more costs more round trips than it saves. */
    uint32_t version = e->manifest.http_version;
    bool beside = tail || version == 0 || version >= 20;
    if (!rep->index || rep->state == REP_LOST || (rep->state == REP_NEW && !beside)) return;
    push_next(e, s, rep);
}

static void settle_headers(struct cad_engine *e, struct slot *s)
{
    for (uint32_t i = 0; i < s->rep_count; i++) {
        struct rep *rep = s->reps[i];
        bool waiting = (int32_t)i == s->rep_now && queue_count(s) == 0;
        if (rep && !waiting) rep_header_settle(e, s, rep);
    }
}

/* A header that failed, whose time has come again and which this turn did not want any more. */
static void drop_unwanted_headers(struct cad_engine *e, struct slot *s)
{
    for (uint32_t i = 0; i < s->rep_count; i++) {
        struct cad_fetch_request *request = s->reps[i] ? s->reps[i]->request : NULL;
        if (!request || request->state != CAD_FETCH_WAITING) continue;
        if (request->not_before <= e->now) request_drop(e, request);
    }
}

void plan_turn(struct cad_engine *e)
{
    enum cad_state state = e->clock.state;
    if (state == CAD_STATE_FAILED || !e->manifest.presentation) return;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (!e->slots[i].present || e->clock.state == CAD_STATE_FAILED) continue;
        plan_slot(e, i);
        if (!e->slots[i].present) continue;
        settle_headers(e, &e->slots[i]);
        if (!e->more) drop_unwanted_headers(e, &e->slots[i]);
    }
}

cad_time plan_next_wake(const struct cad_engine *e)
{
    cad_time wake = CAD_TIME_NONE;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        if (!s->present || s->lost.code != CAD_ERR_NONE) continue;
        cad_time times[] = {s->room_at, s->decide_at};
        for (size_t k = 0; k < CAD_ARRAY_LEN(times); k++) {
            if (times[k] == CAD_TIME_NONE || times[k] <= e->now) continue;
            if (wake == CAD_TIME_NONE || times[k] < wake) wake = times[k];
        }
    }
    return wake;
}
