/* Slots: which track plays, its ladder, and the headers of its representations. */
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

/* ---- what can be played ---- */

static bool decodable(const struct cad_engine *e, enum cad_codec codec)
{
    return codec == CAD_CODEC_UNKNOWN || (e->caps.codecs >> codec & 1) != 0;
}

static bool rep_usable(const struct cad_engine *e, const struct rep *rep)
{
    const struct cad_representation *m = rep->model;
    if (rep->state == REP_LOST || !decodable(e, m->codec)) return false;
    if (!keys_can_open(e, rep->track, m)) return false;
    if (e->caps.width_max && m->width > e->caps.width_max) return false;
    return !e->caps.height_max || m->height <= e->caps.height_max;
}

bool track_playable(const struct cad_engine *e, const struct cad_track *track)
{
    if (track->type == CAD_MEDIA_TEXT) return words_playable(e, track);
    for (uint32_t i = 0; i < track->representation_count; i++) {
        struct rep rep = {.model = &track->representations[i], .track = track};
        if (rep_usable(e, &rep)) return true;
    }
    return false;
}

static void rep_release(struct cad_engine *e, struct rep *rep)
{
    if (rep->request) request_drop(e, rep->request);
    cad_index_destroy(&rep->own_index);
    cad_ref_unref(&rep->header);
}

void rep_free(struct cad_engine *e, struct slot *s, uint32_t at)
{
    if (s->rep_config == (int32_t)at) s->rep_config = -1;
    if (s->rep_now == (int32_t)at) s->rep_now = -1;
    if (s->rep_shown == (int32_t)at) s->rep_shown = -1;
    if (s->locked_rep == at) s->locked = false;
    rep_release(e, s->reps[at]);
    cad_alloc_free(&e->alloc, s->reps[at], sizeof(struct rep), CAD_MEM_SESSION);
    s->reps[at] = NULL;
    while (s->rep_count && !s->reps[s->rep_count - 1]) s->rep_count--;
}

/* ---- opening, and entering a lane ---- */

int slot_open(struct cad_engine *e, uint32_t slot)
{
    struct slot *s = &e->slots[slot];
    struct cad_ring queue = s->queue;
    struct rep **reps =
        cad_alloc_array(&e->alloc, ENGINE_REPS_MAX, sizeof(struct rep *), CAD_MEM_SESSION);
    if (!reps) return CAD_E_NOMEM;
    memset(s, 0, sizeof(*s));
    s->queue = queue;
    s->present = true;
    s->reps = reps;
    s->rep_now = s->rep_config = s->rep_shown = s->server = -1;
    s->serial_next = s->cursor = 1;
    s->skip_until = e->clock.position;
    s->decide_at = s->shown_end = s->seam_end = CAD_TIME_NONE;
    if (!e->clock.first_ever) return CAD_OK;
    /* Another chapter of the title: the figures go on. */
    s->bytes_fetched = e->closed[slot].bytes_fetched;
    s->requests = e->closed[slot].requests;
    s->switches = e->closed[slot].switches;
    return CAD_OK;
}

static int rep_add(struct cad_engine *e, struct slot *s, const struct rep *from)
{
    uint32_t at = 0;
    while (at < s->rep_count && s->reps[at]) at++;
    if (at == ENGINE_REPS_MAX) return CAD_E_LIMIT;
    struct rep *rep = cad_alloc_new(&e->alloc, sizeof(*rep), CAD_MEM_SESSION);
    if (!rep) return CAD_E_NOMEM;
    *rep = *from;
    rep->at = at;
    rep->rate_bps = from->model->bandwidth_bps;
    if (rep_fetched_apart(rep)) {
        rep->index = rep->model->timeline;
        rep->index_base = rep->model->time_offset_ticks;
    }
    s->reps[at] = rep;
    s->rep_count = CAD_MAX(s->rep_count, at + 1);
    return CAD_OK;
}

static struct rep *rep_find(const struct slot *s, uint32_t period,
                            const struct cad_representation *model)
{
    for (uint32_t i = 0; i < s->rep_count; i++) {
        struct rep *rep = s->reps[i];
        if (rep && rep->period == period && rep->model == model) return rep;
    }
    return NULL;
}

int slot_enter(struct cad_engine *e, struct slot *s, uint32_t period,
               const struct cad_track *track)
{
    const struct cad_presentation *p = e->manifest.presentation;
    bool final = period + 1 >= p->period_count;
    struct rep from = {.lane = s->lane + 1, .period = period, .track = track, .final = final,
                       .period_start = p->periods[period].start,
                       .period_end = final ? CAD_TIME_NONE : p->periods[period + 1].start};
    int rc = CAD_OK;
    for (uint32_t i = 0; rc == 0 && i < track->representation_count; i++) {
        from.model = &track->representations[i];
        struct rep *known = rep_find(s, period, from.model);
        if (known) known->lane = from.lane; /* of a lane that was left a moment ago */
        else rc = rep_add(e, s, &from);
    }
    if (rc != 0) {
        s->lane = from.lane + 1; /* whose lane it is nobody knows: the plan tries again */
        s->switching = true;
        slots_ladder(e, (uint32_t)(s - e->slots));
        return rc;
    }
    s->lane = from.lane;
    s->period = period;
    s->model = track;
    s->provisional = p->format == CAD_FORMAT_MP4;
    s->rep_now = -1;
    s->decided = 0;
    s->over = s->blocked = false;
    s->room_at = CAD_TIME_NONE;
    slots_ladder(e, (uint32_t)(s - e->slots));
    e->tracks_version++;
    return CAD_OK;
}

void slot_tell_server(struct cad_engine *e, uint32_t slot)
{
    struct cad_app_event *app = engine_app(e, CAD_APP_SERVER);
    if (!app) return;
    app->slot = slot;
    cad_str id = cad_steer_id(e->steer, (uint32_t)e->slots[slot].server);
    cad_str_copyz(app->text, sizeof(app->text), id);
}

/* Places in the table are given again, so the order of the model has to be made anew. */
static void sort_rungs(struct slot *s)
{
    for (uint32_t i = 1; i < s->rung_count; i++) {
        uint32_t rep = s->rung_rep[i];
        uint32_t k = i;
        while (k > 0 && s->reps[s->rung_rep[k - 1]]->model > s->reps[rep]->model) {
            s->rung_rep[k] = s->rung_rep[k - 1];
            k--;
        }
        s->rung_rep[k] = rep;
    }
}

/* Which representations the controller may choose between. Runs when something about them
 * changed. */
void slots_ladder(struct cad_engine *e, uint32_t slot)
{
    struct slot *s = &e->slots[slot];
    s->rung_count = 0;
    for (int pass = 0; pass < 2 && s->rung_count == 0; pass++) {
        for (uint32_t i = 0; i < s->rep_count && s->rung_count < CAD_ABR_RUNGS_MAX; i++) {
            const struct rep *rep = s->reps[i];
            if (!rep || rep->lane != s->lane || !rep_usable(e, rep)) continue;
            /* Dominated and equal representations serve only when nothing better is left. */
            if (pass == 0 && (rep->model->dominated || rep->model->fallback)) continue;
            s->rung_rep[s->rung_count++] = i;
        }
    }
    sort_rungs(s);
}

void slot_close(struct cad_engine *e, struct slot *s)
{
    if (!s->present) return;
    queue_clear(e, s);
    for (uint32_t i = s->rep_count; i > 0; i--) {
        if (i <= s->rep_count && s->reps[i - 1]) rep_free(e, s, i - 1);
    }
    cad_alloc_free(&e->alloc, s->reps, ENGINE_REPS_MAX * sizeof(struct rep *), CAD_MEM_SESSION);
    struct cad_ring queue = s->queue;
    memset(s, 0, sizeof(*s));
    s->queue = queue;
}

void slots_clear(struct cad_engine *e)
{
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present) slot_figures(e, &e->slots[i], &e->closed[i]);
        slot_close(e, &e->slots[i]);
        e->closed[i].bytes_held = 0; /* what was is told on, what is held is gone */
        e->closed[i].ahead = 0;
    }
}

/* A bare file turned out to be sound: it moves to the audio slot. */
static struct slot *settle_provisional(struct cad_engine *e, enum cad_media_type type)
{
    struct slot *from = &e->slots[CAD_SLOT_VIDEO];
    from->provisional = false;
    if (type != CAD_MEDIA_AUDIO) return from;
    struct slot *to = &e->slots[CAD_SLOT_AUDIO];
    struct cad_ring queue = to->queue;
    *to = *from;
    memset(from, 0, sizeof(*from));
    from->queue = queue;
    for (uint32_t i = 0; i < to->rep_count; i++) {
        if (to->reps[i] && to->reps[i]->request) to->reps[i]->request->track = CAD_SLOT_AUDIO;
    }
    return to;
}

/* ---- losing a representation ---- */

static void drop_from(struct cad_engine *e, struct slot *s, uint64_t serial)
{
    const struct segment *first = queue_find(s, serial);
    /* The queue may end in an earlier period then: the plan goes back there. */
    if (first && s->reps[first->rep]->lane != s->lane) s->switching = true;
    while (queue_count(s) && queue_at(s, queue_count(s) - 1)->serial >= serial) {
        queue_drop_tail(e, s);
    }
}

/* What is held can be played on if its init was read; what is on the way is given up, and all that
 * follows with it. */
static void drop_useless(struct cad_engine *e, struct slot *s, const struct rep *r)
{
    for (size_t i = 0; i < queue_count(s); i++) {
        const struct segment *seg = queue_at(s, i);
        bool useless = seg->rep == r->at && (!segment_whole(seg) || r->header_end == 0);
        if (!useless || seg->serial < s->cursor) continue;
        drop_from(e, s, seg->serial);
        return;
    }
}

void slot_drop_unreadable(struct cad_engine *e, struct slot *s)
{
    for (size_t i = 0; i < queue_count(s); i++) {
        const struct segment *seg = queue_at(s, i);
        const struct rep *rep = s->reps[seg->rep];
        if (seg->serial < s->cursor || rep->state != REP_LOST || rep->header_end) continue;
        drop_from(e, s, seg->serial);
        return;
    }
}

void slot_barren(struct slot *s)
{
    cad_error_init(&s->lost, CAD_ERR_MEDIA_CODEC);
    for (uint32_t i = 0; i < s->rep_count; i++) {
        const struct rep *rep = s->reps[i];
        if (!rep || rep->lane != s->lane || rep->state != REP_LOST) continue;
        cad_error_init(&s->lost, rep->lost_by);
        return;
    }
}

void rep_drop(struct cad_engine *e, uint32_t slot, uint32_t rep, const struct cad_error *why)
{
    struct slot *s = &e->slots[slot];
    struct rep *r = s->reps[rep];
    r->state = REP_LOST;
    r->lost_by = why->code;
    if (r->request) request_drop(e, r->request);
    drop_useless(e, s, r);
    if (s->rep_now == (int32_t)rep) s->rep_now = -1;
    slots_ladder(e, slot);
    engine_decide(e, "lost slot=%u rep=%u why=%s rungs=%u", slot, rep, cad_error_name(why->code),
                  s->rung_count);
    e->tracks_version++;
    if (s->rung_count == 0 && r->lane == s->lane) s->lost = *why;
}

void rep_lost(struct cad_engine *e, uint32_t slot, uint32_t rep, const struct cad_error *why)
{
    const struct slot *s = &e->slots[slot];
    if (s->reps[rep]->state == REP_LOST) return;
    rep_drop(e, slot, rep, why);
    if (s->rung_count == 0 && s->reps[rep]->lane == s->lane) return;
    struct cad_error degraded = *why;
    degraded.cls = CAD_ERROR_DEGRADED;
    engine_fail(e, &degraded);
}

/* ---- headers ---- */

static void header_bad(struct cad_engine *e, uint32_t slot, struct rep *rep,
                       enum cad_error_code code)
{
    struct cad_error err;
    cad_error_init(&err, code);
    err.phase = CAD_PHASE_HEADER;
    err.track = (int32_t)slot;
    rep_lost(e, slot, rep->at, &err);
}

/* Media before the moov: a file that cannot be played from its beginning on. */
static bool media_comes_first(cad_buf b)
{
    size_t at = 0;
    for (int boxes = 0; boxes < 64 && at < b.n; boxes++) {
        struct cad_mp4_box box;
        cad_buf rest = {b.p + at, b.n - at};
        if (cad_mp4_box_read(rest, &box) != 0) return false;
        if (box.type == CAD_FOURCC('m', 'o', 'o', 'v')) return false;
        if (box.type == CAD_FOURCC('m', 'd', 'a', 't')) return true;
        if (box.size > b.n - at) return false;
        at += (size_t)box.size;
    }
    return false;
}

/* The sidx behind the moov. CAD_E_NOTFOUND: media begins before one was seen. */
static int find_index(struct rep *rep, cad_buf b, size_t from, struct cad_mp4_sidx *out,
                      uint64_t *end)
{
    uint64_t at = from;
    for (int boxes = 0; boxes < 64; boxes++) {
        rep->header_need = (int64_t)at + 16;
        if (at >= b.n) return CAD_E_AGAIN;
        cad_buf rest = {b.p + at, b.n - (size_t)at};
        struct cad_mp4_box box;
        int rc = cad_mp4_box_read(rest, &box);
        if (rc != 0) return rc;
        bool media = box.type == CAD_FOURCC('m', 'o', 'o', 'f') ||
                     box.type == CAD_FOURCC('m', 'd', 'a', 't');
        if (media || box.size > ENGINE_HEADER_MAX) return CAD_E_NOTFOUND;
        rep->header_need = (int64_t)(at + box.size);
        if (box.type == CAD_FOURCC('s', 'i', 'd', 'x')) {
            *end = at + box.size;
            return cad_mp4_sidx_read(rest, out);
        }
        at += box.size;
    }
    return CAD_E_NOTFOUND;
}

/* Media time of the start of the period, in ticks of another timescale (23009-1 5.3.9.2.2). */
static int64_t offset_ticks(const struct rep *rep, uint32_t timescale)
{
    const struct cad_representation *m = rep->model;
    if (m->timescale == 0 || m->time_offset_ticks == 0) return 0;
    return cad_muldiv_floor_i64(m->time_offset_ticks, timescale, m->timescale);
}

static int build_index(struct cad_engine *e, struct rep *rep, const struct cad_mp4_sidx *sidx,
                       uint64_t end)
{
    struct cad_index *index = NULL;
    uint64_t first = end + sidx->first_offset;
    if (sidx->count == 0 || sidx->timescale == 0) return CAD_E_DATA;
    if (first > INT64_MAX / 2 || sidx->earliest_time > INT64_MAX / 2) return CAD_E_DATA;
    int rc = cad_index_create(&e->alloc, sidx->timescale, (int64_t)first, &index);
    for (uint32_t i = 0; rc == 0 && i < sidx->count; i++) {
        struct cad_mp4_reference ref;
        cad_mp4_sidx_reference(sidx, i, &ref);
        if (ref.is_index) rc = CAD_E_NOTFOUND; /* of indexes: the one of segments is elsewhere */
        else if (ref.size_bytes == 0 || ref.duration_ticks == 0) rc = CAD_E_DATA;
        else rc = cad_index_add(index, (int64_t)sidx->earliest_time, ref.duration_ticks,
                                ref.size_bytes);
    }
    if (rc != 0) {
        cad_index_destroy(&index);
        return rc;
    }
    rep->index = rep->own_index = index;
    rep->index_base = (int64_t)sidx->earliest_time;
    if (rep->model->time_offset_known) {
        rep->index_base = offset_ticks(rep, sidx->timescale);
        return CAD_OK;
    }
    /* The index may count before or after the edit list; less than a second apart it is that. */
    int64_t earliest = cad_time_to_ticks(
        cad_time_from_ticks((int64_t)sidx->earliest_time, sidx->timescale), rep->init.timescale);
    int64_t apart = earliest - rep->init.edit_start_ticks;
    bool near = apart < (int64_t)rep->init.timescale && -apart < (int64_t)rep->init.timescale;
    rep->sample_base = near ? 0 : apart;
    return CAD_OK;
}

static enum cad_error_code init_problem(const struct cad_engine *e, const struct rep *rep)
{
    enum cad_error_code keys = keys_init_problem(e, rep);
    if (keys != CAD_ERR_NONE) return keys;
    if (!decodable(e, rep->init.codec) || rep->init.codec == CAD_CODEC_UNKNOWN) {
        return CAD_ERR_MEDIA_CODEC;
    }
    if (rep->init.timescale == 0) return CAD_ERR_MEDIA_BAD;
    return CAD_ERR_NONE;
}

static enum cad_error_code header_error(int rc)
{
    switch (rc) {
    case CAD_E_NOTFOUND: return CAD_ERR_MEDIA_NO_INDEX;
    case CAD_E_NOMEM: return CAD_ERR_OUT_OF_MEMORY;
    case CAD_E_LIMIT: return CAD_ERR_LIMIT;
    case CAD_E_UNSUPPORTED: return CAD_ERR_MEDIA_CODEC;
    default: return CAD_ERR_MEDIA_BAD;
    }
}

/* The mean rate of a file that nobody declared one for. */
static int64_t measured_rate(const struct rep *rep, cad_time duration)
{
    struct cad_segment first, last;
    uint32_t count = cad_index_count(rep->index);
    if (cad_index_at(rep->index, 0, &first) != 0) return 0;
    if (cad_index_at(rep->index, count - 1, &last) != 0 || duration <= 0) return 0;
    int64_t bytes = last.bytes.last + 1 - first.bytes.first;
    return cad_muldiv_floor_i64(bytes, 8 * CAD_SECOND, duration);
}

static void header_ready(struct cad_engine *e, uint32_t slot, struct rep *rep, uint64_t end)
{
    struct slot *s = &e->slots[slot];
    bool file = s->provisional;
    rep->state = REP_READY;
    rep->header_end = (int64_t)end;
    keys_header(e, rep);
    if (rep->model->time_offset_known) rep->sample_base = offset_ticks(rep, rep->init.timescale);
    if (file) {
        s = settle_provisional(e, rep->init.type);
        slot = (uint32_t)(s - e->slots);
    }
    cad_time duration = rep_time(rep, cad_index_end_ticks(rep->index));
    if (rep->period_end != CAD_TIME_NONE) duration = CAD_MIN(duration, rep->period_end);
    if (rep->rate_bps <= 0) rep->rate_bps = measured_rate(rep, duration);
    if (e->manifest.duration == CAD_TIME_NONE) e->manifest.duration = duration;
    e->manifest.media_end = CAD_MAX(e->manifest.media_end, duration);
    engine_decide(e, "header slot=%u rep=%u codec=%s segments=%u end=%" PRId64, slot,
                  rep->at, rep->init.codecs, cad_index_count(rep->index), end);
    if (!file) return;
    e->tracks_version++;
    (void)engine_app(e, CAD_APP_LOADED);
    slot_tell_server(e, slot);
}

/* Boxes that reach past every header there is, so that a moov cannot follow: not a media file. */
static bool moov_is_out_of_reach(cad_buf b)
{
    uint64_t at = 0;
    int rc = cad_mp4_find_box(b, CAD_FOURCC('m', 'o', 'o', 'v'), &at);
    return rc == CAD_E_AGAIN && at > ENGINE_HEADER_MAX;
}

void rep_header_progress(struct cad_engine *e, uint32_t slot, struct rep *rep)
{
    if (rep->state != REP_NEW || !rep->header || rep->header_have == 0) return;
    cad_buf b = {cad_ref_data(rep->header), (size_t)rep->header_have};
    size_t moov_end = 0;
    uint64_t end = 0;
    struct cad_mp4_sidx sidx;
    if (rep->header_need > rep->header_have) return; /* not enough for what is known to come */
    int rc = cad_mp4_init_read(b, &rep->init, &moov_end);
    if (rc == CAD_E_AGAIN && media_comes_first(b)) rc = CAD_E_NOTFOUND;
    if (rc == CAD_E_AGAIN && moov_is_out_of_reach(b)) rc = CAD_E_DATA;
    if (rc == CAD_E_AGAIN) return;
    enum cad_error_code problem = rc != 0 ? header_error(rc) : init_problem(e, rep);
    if (problem != CAD_ERR_NONE) {
        header_bad(e, slot, rep, problem);
        return;
    }
    if (rep_fetched_apart(rep)) {
        header_ready(e, slot, rep, moov_end);
        return;
    }
    rc = find_index(rep, b, moov_end, &sidx, &end);
    if (rc == 0) rc = build_index(e, rep, &sidx, end);
    if (rc == CAD_E_AGAIN) return;
    if (rc != 0) {
        header_bad(e, slot, rep, header_error(rc));
        return;
    }
    header_ready(e, slot, rep, end);
}

/* Media that came with the header lives on in its segments; the representation keeps the header. */
static void header_shrink(struct cad_engine *e, struct rep *rep)
{
    struct cad_ref *small = NULL;
    size_t n = (size_t)rep->header_end;
    size_t end;
    if (rep->state != REP_READY || cad_ref_capacity(rep->header) < 2 * n) return;
    if (cad_pool_get(e->pool, n, &small) != 0) return; /* the larger one serves as well */
    memcpy(cad_ref_data(small), cad_ref_data(rep->header), n);
    struct cad_mp4_init init;
    cad_buf b = {cad_ref_data(small), n};
    if (cad_mp4_init_read(b, &init, &end) != 0) {
        cad_ref_unref(&small);
        return;
    }
    rep->init = init;
    cad_ref_unref(&rep->header);
    rep->header = small;
    rep->header_have = rep->header_size = (int64_t)n;
}

void rep_header_closed(struct cad_engine *e, struct slot *s, struct rep *rep, bool short_file)
{
    uint32_t slot = (uint32_t)(s - e->slots);
    rep_header_progress(e, slot, rep);
    if (rep->state != REP_NEW || !short_file) return;
    /* The resource has no more bytes: a moov without an index, or not even a moov. */
    header_bad(e, slot, rep, rep->init.timescale ? CAD_ERR_MEDIA_NO_INDEX : CAD_ERR_MEDIA_BAD);
}

void rep_header_settle(struct cad_engine *e, struct slot *s, struct rep *rep)
{
    if (rep->state != REP_READY || rep->request || rep->header_settled) return;
    rep->header_settled = true;
    rep->header_taken = true;
    queue_settle_header(e, s, rep);
    header_shrink(e, rep);
    e->more = true; /* what is missing of a segment is asked for next */
}

/* Segment bytes that a first header request should ask for besides: about one fragment. */
static int64_t speculation(const struct cad_engine *e, const struct slot *s, const struct rep *rep)
{
    const struct cad_representation *m = rep->model;
    if (rep_fetched_apart(rep)) return 0;
    if (queue_count(s) || e->clock.position != 0 || m->header_bytes <= 0 || m->bandwidth_bps <= 0) {
        return 0;
    }
    /* The index has 12 bytes a segment (14496-12 8.16.3): its size tells how many there are. */
    int64_t segments = m->index.first >= 0 ? (m->index.last - m->index.first + 1 - 32) / 12 : 0;
    int64_t fragment = m->bandwidth_bps / 8 * 2;
    if (segments > 0 && m->size_bytes > m->header_bytes) {
        fragment = (m->size_bytes - m->header_bytes) / segments;
    }
    return CAD_MIN(fragment + fragment / 4, ENGINE_SPECULATE_MAX);
}

/* An init segment of its own: its range, or a guess that grows with what comes. */
static int64_t apart_goal(const struct rep *rep)
{
    const struct cad_range *init = &rep->model->init;
    int64_t goal = ENGINE_INIT_GUESS;
    if (init->first >= 0 && init->last >= init->first) goal = init->last - init->first + 1;
    goal = CAD_MAX(goal, rep->header_need);
    if (goal <= rep->header_have) goal = rep->header_have * 2;
    return CAD_MIN(goal, ENGINE_HEADER_MAX);
}

int64_t rep_header_goal(const struct cad_engine *e, const struct slot *s, const struct rep *rep)
{
    const struct cad_representation *m = rep->model;
    int64_t goal = m->header_bytes > 0 ? m->header_bytes : ENGINE_HEADER_GUESS;
    if (rep_fetched_apart(rep)) return apart_goal(rep);
    if (rep->header_have == 0) goal += speculation(e, s, rep);
    if (rep->header_need > goal) goal = rep->header_need;
    /* A header that is longer than it was said to be: ask on in steps that double. */
    if (goal <= rep->header_have) goal = rep->header_have * 2;
    if (m->size_bytes > 0) goal = CAD_MIN(goal, m->size_bytes);
    return CAD_MIN(goal, ENGINE_HEADER_MAX + ENGINE_SPECULATE_MAX);
}
