/*
 * Lanes: which track of which period a slot fetches from, and how it comes from one to the next.
 *
 * A period that has the same kinds of tracks as the one before is entered without a seam: the queue
 * goes on with representations of the new lane. Where the kinds differ (sound begins or ends), the
 * periods are different chapters: the first is played to its end, then the next one begins anew.
 *
 * What a viewer chose, or what was played first, is remembered by what it is (language, role,
 * channels, codec), so that it can be found again in every other period.
 */
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

static const enum cad_media_type slot_type[CAD_ENGINE_TRACKS] = {CAD_MEDIA_VIDEO, CAD_MEDIA_AUDIO};

static const struct cad_presentation *model_of(const struct cad_engine *e)
{
    return e->manifest.presentation;
}

/* ---- periods ---- */

uint32_t period_at(const struct cad_presentation *p, cad_time position)
{
    uint32_t low = 0;
    uint32_t high = p->period_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (p->periods[middle].start <= position) low = middle;
        else high = middle;
    }
    return low;
}

/* ---- choosing a track ---- */

static const struct cad_representation *best_of(const struct cad_track *track)
{
    uint32_t n = track->representation_count;
    if (n && track->type == CAD_MEDIA_TEXT) return track->representations; /* best first */
    return n ? &track->representations[n - 1] : NULL;
}

static enum cad_codec codec_of_track(const struct cad_track *track)
{
    const struct cad_representation *best = best_of(track);
    return best ? best->codec : CAD_CODEC_UNKNOWN;
}

static bool is_choice(const struct cad_engine *e, const struct cad_track *track,
                      enum cad_media_type type)
{
    return track->type == type && !track->is_none && !track->is_trick &&
           track_playable(e, track);
}

bool track_speaks(cad_str lang, cad_str wanted)
{
    if (wanted.n == 0 || lang.n < wanted.n) return false;
    if (lang.n > wanted.n && lang.p[wanted.n] != '-') return false;
    return cad_str_ieq(cad_str_sub(lang, 0, wanted.n), wanted);
}

/* How well a track answers a wish, or, before there is one, the configuration; more is better. */
static int32_t likeness(const struct cad_engine *e, const struct track_wish *wish,
                        const struct cad_track *track)
{
    int32_t score = track->is_default ? 1 : 0;
    if (!wish->set) {
        bool audio = track->type == CAD_MEDIA_AUDIO;
        return score + (audio && track_speaks(track->lang, e->config.audio_language) ? 2 : 0);
    }
    char id[CAD_TRACK_ID_SIZE];
    cad_str_copyz(id, sizeof(id), track->id);
    bool lang = cad_str_ieq(track->lang, cad_str_from(wish->lang));
    bool role = cad_str_ieq(track->role, cad_str_from(wish->role));
    if (lang) score += 32;
    if (role) score += 16;
    if (track->channels == wish->channels) score += 8;
    if (codec_of_track(track) == wish->codec) score += 4;
    if (lang && strcmp(id, wish->id) == 0) score += 64;
    return score;
}

/* Of the tracks that can be played the one most like the wish; without one the manifest's default,
 * else the first. */
static const struct cad_track *choose_track(const struct cad_engine *e,
                                            const struct cad_period *period,
                                            enum cad_media_type type,
                                            const struct track_wish *wish)
{
    const struct cad_track *best = NULL;
    int32_t best_score = -1;
    for (uint32_t i = 0; i < period->track_count; i++) {
        const struct cad_track *track = &period->tracks[i];
        if (!is_choice(e, track, type)) continue;
        int32_t score = likeness(e, wish, track);
        if (score <= best_score) continue;
        best = track;
        best_score = score;
    }
    return best;
}

static bool is_listed(const struct cad_period *period, enum cad_media_type type)
{
    for (uint32_t i = 0; i < period->track_count; i++) {
        const struct cad_track *track = &period->tracks[i];
        if (track->type == type && !track->is_none && !track->is_trick) return true;
    }
    return false;
}

static void wish_for(struct track_wish *wish, const struct cad_track *track)
{
    memset(wish, 0, sizeof(*wish));
    wish->set = true;
    cad_str_copyz(wish->id, sizeof(wish->id), track->id);
    cad_str_copyz(wish->lang, sizeof(wish->lang), track->lang);
    cad_str_copyz(wish->role, sizeof(wish->role), track->role);
    wish->channels = track->channels;
    wish->codec = codec_of_track(track);
}

/* What the slots would play of a period; NULL where there is nothing. */
static void choose_tracks(const struct cad_engine *e, const struct cad_period *period,
                          const struct cad_track *chosen[CAD_ENGINE_TRACKS])
{
    const bool wanted[CAD_ENGINE_TRACKS] = {e->caps.video, e->caps.audio};
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        chosen[i] = wanted[i] ? choose_track(e, period, slot_type[i], &e->wishes[i]) : NULL;
    }
}

static const struct cad_track *wished(const struct cad_engine *e, const struct slot *s,
                                      uint32_t period)
{
    uint32_t slot = (uint32_t)(s - e->slots);
    return choose_track(e, &model_of(e)->periods[period], slot_type[slot], &e->wishes[slot]);
}

/* Where the next segment of a slot will begin. */
static cad_time queue_end(const struct slot *s)
{
    size_t count = queue_count(s);
    return count ? queue_at(s, count - 1)->end : CAD_MAX(s->skip_until, 0);
}

/* ---- the first lanes ---- */

static int open_slots(struct cad_engine *e, uint32_t period,
                      const struct cad_track *const chosen[CAD_ENGINE_TRACKS])
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (!chosen[i]) continue;
        struct slot *s = &e->slots[i];
        int rc = slot_open(e, i);
        if (rc == 0) rc = slot_enter(e, s, period, chosen[i]);
        if (rc != 0) slot_close(e, s);
        if (rc != 0) return rc;
        if (!e->wishes[i].set && chosen[i]->type == slot_type[i]) {
            wish_for(&e->wishes[i], chosen[i]);
        }
        engine_decide(e, "track slot=%u id=%.*s reps=%u rungs=%u", i, CAD_STR_ARG(chosen[i]->id),
                      chosen[i]->representation_count, s->rung_count);
    }
    return CAD_OK;
}

/* A bare file has one track, whose kind of media its header tells later. */
static int select_file(struct cad_engine *e)
{
    const struct cad_period *period = &model_of(e)->periods[0];
    const struct cad_track *chosen[CAD_ENGINE_TRACKS] = {&period->tracks[0], NULL};
    return open_slots(e, 0, chosen);
}

int lanes_select(struct cad_engine *e)
{
    const struct cad_presentation *p = model_of(e);
    if (p->format == CAD_FORMAT_MP4) return select_file(e);
    bool again = e->clock.first_ever; /* another chapter of a title that is loaded */
    uint32_t first = period_at(p, e->clock.position);
    uint32_t at = first;
    const struct cad_track *chosen[CAD_ENGINE_TRACKS];
    choose_tracks(e, &p->periods[at], chosen);
    /* Where there is nothing that this device plays, what follows is played. */
    while (!chosen[0] && !chosen[1] && at + 1 < p->period_count) {
        choose_tracks(e, &p->periods[++at], chosen);
    }
    if (!chosen[0] && !chosen[1]) at = first;
    const struct cad_period *period = &p->periods[at];
    bool video = is_listed(period, CAD_MEDIA_VIDEO);
    if (!chosen[0] && !chosen[1]) {
        bool listed = video || is_listed(period, CAD_MEDIA_AUDIO);
        return listed ? CAD_E_UNSUPPORTED : CAD_E_NOTFOUND;
    }
    /* Sound alone is no substitute for a picture that cannot be decoded. */
    if (e->caps.video && video && !chosen[0]) return CAD_E_UNSUPPORTED;
    if (at != first) clock_begin(e, period->start);
    int rc = open_slots(e, at, chosen);
    if (rc == 0 && !again) (void)engine_app(e, CAD_APP_LOADED);
    return rc;
}

/* ---- from period to period ---- */

/* Does a period have the kinds of tracks that are being played? */
static bool same_kinds(const struct cad_engine *e, uint32_t period)
{
    const struct cad_track *chosen[CAD_ENGINE_TRACKS];
    choose_tracks(e, &model_of(e)->periods[period], chosen);
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present != (chosen[i] != NULL)) return false;
    }
    return true;
}

bool lanes_fit(const struct cad_engine *e, cad_time position)
{
    const struct cad_presentation *p = model_of(e);
    if (!p || p->format == CAD_FORMAT_MP4) return true;
    if (!e->slots[0].present && !e->slots[1].present) return true;
    return same_kinds(e, period_at(p, position));
}

/* Go on in another lane near the rate of the last one. */
static void keep_rate(struct slot *s, int32_t before)
{
    if (before < 0 || !s->reps[before]) return;
    int64_t rate = s->reps[before]->rate_bps;
    for (uint32_t i = 0; i < s->rung_count; i++) {
        if (i == 0 || s->reps[s->rung_rep[i]]->rate_bps <= rate) {
            s->rep_now = (int32_t)s->rung_rep[i];
        }
    }
}

static int enter(struct cad_engine *e, struct slot *s, uint32_t period,
                 const struct cad_track *track)
{
    int32_t before = s->rep_now;
    int rc = slot_enter(e, s, period, track);
    if (rc != 0) return rc;
    keep_rate(s, before);
    if (s->rung_count > 0) s->lost.code = CAD_ERR_NONE;
    engine_decide(e, "lane slot=%u period=%u id=%.*s rungs=%u", (unsigned)(s - e->slots), period,
                  CAD_STR_ARG(track->id), s->rung_count);
    return CAD_OK;
}

int lane_advance(struct cad_engine *e, struct slot *s)
{
    const struct cad_presentation *p = model_of(e);
    uint32_t next = s->period + 1;
    size_t count = queue_count(s);
    if (next < p->period_count && same_kinds(e, next)) {
        return enter(e, s, next, wished(e, s, next));
    }
    if (count) {
        struct segment *tail = queue_at(s, count - 1);
        tail->last = true;
        s->reps[tail->rep]->final = true;
    }
    return CAD_E_END;
}

void lane_move(struct cad_engine *e, struct slot *s, cad_time position)
{
    const struct cad_presentation *p = model_of(e);
    if (!p || p->format == CAD_FORMAT_MP4) return;
    uint32_t at = period_at(p, position);
    const struct cad_track *track = wished(e, s, at);
    if (!track || (at == s->period && track == s->model)) return;
    if (enter(e, s, at, track) != 0) s->switching = true; /* memory: tried again by the plan */
}

void lane_resume(struct cad_engine *e, struct slot *s)
{
    const struct cad_presentation *p = model_of(e);
    if (!p || p->format == CAD_FORMAT_MP4) return;
    uint32_t at = period_at(p, queue_end(s));
    if (at >= s->period) return;
    const struct cad_track *track = wished(e, s, at);
    if (!track || enter(e, s, at, track) != 0) s->switching = true;
}

bool lanes_next_chapter(struct cad_engine *e, cad_time *start)
{
    const struct cad_presentation *p = model_of(e);
    uint32_t last = 0;
    if (p->format == CAD_FORMAT_MP4) return false;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present) last = CAD_MAX(last, e->slots[i].period);
    }
    for (uint32_t i = last + 1; i < p->period_count; i++) {
        const struct cad_track *chosen[CAD_ENGINE_TRACKS];
        choose_tracks(e, &p->periods[i], chosen);
        if (!chosen[0] && !chosen[1]) continue; /* nothing that this device plays */
        *start = p->periods[i].start;
        return true;
    }
    return false;
}

/* ---- another track ---- */

static const struct cad_track *track_named(const struct cad_engine *e,
                                           const struct cad_period *period, const char *name)
{
    for (uint32_t i = 0; i < period->track_count; i++) {
        const struct cad_track *track = &period->tracks[i];
        char id[CAD_TRACK_ID_SIZE];
        cad_str_copyz(id, sizeof(id), track->id);
        if (strcmp(id, name) != 0) continue;
        for (uint32_t slot = 0; slot < CAD_ENGINE_TRACKS; slot++) {
            if (is_choice(e, track, slot_type[slot])) return track;
        }
    }
    return NULL;
}

static uint32_t period_listed(const struct cad_engine *e)
{
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present) return e->slots[i].period;
    }
    return period_at(model_of(e), e->clock.position);
}

void lane_choose(struct cad_engine *e, const struct cad_command *command)
{
    const struct cad_presentation *p = model_of(e);
    const struct cad_track *track = NULL;
    char name[CAD_TRACK_ID_SIZE];
    memcpy(name, command->track, sizeof(name));
    name[sizeof(name) - 1] = '\0';
    if (p) track = track_named(e, &p->periods[period_listed(e)], name);
    for (uint32_t i = 0; p && !track && i < p->period_count; i++) {
        track = track_named(e, &p->periods[i], name);
    }
    if (!track) {
        struct cad_app_event *app = engine_app(e, CAD_APP_ERROR);
        if (!app) return;
        app->ticket = command->ticket;
        cad_error_init(&app->error, p ? CAD_ERR_NO_SUCH_TRACK : CAD_ERR_NOTHING_LOADED);
        return;
    }
    uint32_t slot = track->type == CAD_MEDIA_AUDIO ? CAD_SLOT_AUDIO : CAD_SLOT_VIDEO;
    wish_for(&e->wishes[slot], track);
    engine_decide(e, "wish slot=%u id=%.*s", slot, CAD_STR_ARG(track->id));
    e->slots[slot].switching = e->slots[slot].present;
    e->tracks_version++;
}

/* How long what is held of the old sound should go on, so that the new one comes in time. */
static cad_time lead_of(const struct cad_engine *e, const struct slot *s,
                        const struct cad_track *track)
{
    int64_t estimate = cad_abr_estimate_bps(e->abr, e->now);
    cad_time in_hand = cad_time_sub(s->pulled_end, clock_position(e));
    const struct cad_representation *best = best_of(track);
    int64_t rate = best ? CAD_MIN(best->bandwidth_bps, ENGINE_AUDIO_RATE_MAX) : 0;
    cad_time needs = CAD_SECOND;
    /* A header and a segment of some seconds, twice over. */
    if (estimate > 0) needs += cad_muldiv_floor_i64(rate, 12 * CAD_SECOND, estimate);
    return CAD_MIN(CAD_MAX(needs - CAD_MAX(in_hand, 0), 0), ENGINE_SWITCH_LEAD_MAX);
}

/* Where the old track should end: sound anywhere behind what was pulled, pictures at a segment. */
static cad_time seam_of(const struct cad_engine *e, const struct slot *s,
                        const struct cad_track *track)
{
    cad_time position = clock_position(e);
    if (s->model->type == CAD_MEDIA_AUDIO) {
        cad_time pulled = CAD_MAX(s->pulled_end, position);
        bool running = e->clock.state == CAD_STATE_PLAYING;
        return running ? cad_time_add(pulled, lead_of(e, s, track)) : pulled;
    }
    const struct segment *seg = queue_find(s, s->cursor);
    if (!seg) return queue_count(s) ? queue_at(s, queue_count(s) - 1)->end : position;
    bool begun = s->reader_serial == seg->serial;
    return begun ? seg->end : seg->start;
}

/* The first segment that ends behind `at` and is of a track that is not wished for; NULL: none. */
static const struct segment *other_behind(const struct cad_engine *e, const struct slot *s,
                                          cad_time at)
{
    size_t count = queue_count(s);
    for (size_t i = 0; i < count; i++) {
        const struct segment *seg = queue_at(s, i);
        const struct rep *rep = s->reps[seg->rep];
        if (seg->end > at && rep->track != wished(e, s, rep->period)) return seg;
    }
    return NULL;
}

void lane_drop_others(struct cad_engine *e, struct slot *s, cad_time position)
{
    const struct cad_presentation *p = model_of(e);
    if (!p || p->format == CAD_FORMAT_MP4) return;
    const struct segment *other = other_behind(e, s, position);
    if (!other) return;
    uint64_t from = other->serial;
    while (queue_count(s) && queue_at(s, queue_count(s) - 1)->serial >= from) queue_drop_tail(e, s);
    s->cursor = CAD_MIN(s->cursor, s->serial_next);
    s->switching = true;
}

/* Is what lies behind `at`, and what is fetched next, as the wish has it? */
static bool is_as_wished(const struct cad_engine *e, const struct slot *s, cad_time at)
{
    return !other_behind(e, s, at) && s->rung_count > 0 && s->model == wished(e, s, s->period) &&
           period_at(model_of(e), queue_end(s)) >= s->period;
}

void lane_switch(struct cad_engine *e, struct slot *s)
{
    const struct cad_presentation *p = model_of(e);
    if (!s->switching || p->format == CAD_FORMAT_MP4) return;
    const struct cad_track *track = wished(e, s, s->period);
    cad_time at = seam_of(e, s, track ? track : s->model);
    if (!track || is_as_wished(e, s, at)) {
        s->switching = false;
        e->more = true; /* the clock took it for unfinished */
        return;
    }
    at = queue_cut(e, s, at);
    if (at == CAD_TIME_NONE) return; /* when the fragment that is being played is whole */
    uint32_t period = period_at(p, at);
    track = wished(e, s, period);
    int rc = CAD_E_END;
    if (period > s->period) rc = lane_advance(e, s); /* or its chapter is over */
    else if (track) rc = enter(e, s, period, track);
    if (rc != CAD_OK && rc != CAD_E_END) {
        plan_no_memory(e, s);
        return;
    }
    engine_decide(e, "switch slot=%u at_ms=%" PRId64, (unsigned)(s - e->slots), at / CAD_MS);
    s->switching = false;
    e->more = true;
}

/* ---- letting go ---- */

static bool is_queued(const struct slot *s, uint32_t rep)
{
    size_t count = queue_count(s);
    for (size_t i = 0; i < count; i++) {
        if (queue_at(s, i)->rep == rep) return true;
    }
    return false;
}

void lanes_prune(struct cad_engine *e, struct slot *s)
{
    for (uint32_t i = 0; i < s->rep_count; i++) {
        const struct rep *rep = s->reps[i];
        if (!rep || rep->lane == s->lane || is_queued(s, i)) continue;
        rep_free(e, s, i);
    }
}

/* ---- fresh URLs ---- */

static const struct cad_representation *find_rep(const struct cad_track *track, cad_str id)
{
    for (uint32_t i = 0; i < track->representation_count; i++) {
        if (cad_str_eq(track->representations[i].id, id)) return &track->representations[i];
    }
    return NULL;
}

static const struct cad_track *find_track(const struct cad_presentation *p, uint32_t period,
                                          cad_str id)
{
    if (period >= p->period_count) return NULL;
    for (uint32_t i = 0; i < p->periods[period].track_count; i++) {
        const struct cad_track *track = &p->periods[period].tracks[i];
        if (cad_str_eq(track->id, id)) return track;
    }
    return NULL;
}

static bool same_layout(const struct cad_representation *a, const struct cad_representation *b)
{
    return a->addressing == b->addressing && a->size_bytes == b->size_bytes &&
           a->init.first == b->init.first && a->init.last == b->init.last &&
           a->index.first == b->index.first && a->index.last == b->index.last &&
           a->timescale == b->timescale && a->time_offset_ticks == b->time_offset_ticks;
}

static int32_t map_server(const struct cad_presentation *from, const struct cad_presentation *to,
                          int32_t server)
{
    if (server < 0 || (uint32_t)server >= from->server_count) return -1;
    for (uint32_t i = 0; i < to->server_count; i++) {
        if (cad_str_eq(from->servers[server].host, to->servers[i].host)) return (int32_t)i;
    }
    return -1;
}

/* A track with media, for what is gone to point at; there is one: the parser sees to it. */
static const struct cad_track *any_track(const struct cad_presentation *p)
{
    for (uint32_t k = 0; k < p->period_count; k++) {
        for (uint32_t i = 0; i < p->periods[k].track_count; i++) {
            const struct cad_track *track = &p->periods[k].tracks[i];
            if (track->representation_count) return track;
        }
    }
    return NULL;
}

static void rebind_rep(struct cad_engine *e, struct slot *s, struct rep *rep,
                       const struct cad_presentation *fresh)
{
    struct cad_error gone;
    cad_error_init(&gone, CAD_ERR_MEDIA_SEGMENT_LOST);
    gone.phase = CAD_PHASE_REFRESH;
    const struct cad_track *track = find_track(fresh, rep->period, rep->track->id);
    const struct cad_representation *m = track ? find_rep(track, rep->model->id) : NULL;
    bool unused = rep->state == REP_NEW && !rep->header && !rep->request && !rep->index;
    bool same = m && (unused || same_layout(m, rep->model));
    if (!same) rep_lost(e, (uint32_t)(s - e->slots), rep->at, &gone);
    rep->track = track && m ? track : any_track(fresh);
    rep->model = m ? m : rep->track->representations;
    if (!rep->own_index) rep->index = same ? rep->model->timeline : NULL;
    rep->servers_lost = 0;
}

static void rebind_slot(struct cad_engine *e, struct slot *s, const struct cad_presentation *fresh)
{
    for (uint32_t i = 0; i < s->rep_count; i++) {
        if (s->reps[i]) rebind_rep(e, s, s->reps[i], fresh);
    }
    const struct cad_track *track = find_track(fresh, s->period, s->model->id);
    s->model = track ? track : any_track(fresh);
    s->track_shown = NULL;
    s->server = map_server(model_of(e), fresh, s->server);
}

void lanes_rebind(struct cad_engine *e, const struct cad_presentation *fresh)
{
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (e->slots[i].present) rebind_slot(e, &e->slots[i], fresh);
    }
    e->tracks_version++;
    for (uint32_t i = 0;; i++) {
        struct cad_fetch_request *request = cad_fetch_at(e->fetch, i);
        if (!request) break;
        int32_t server = map_server(model_of(e), fresh, (int32_t)request->server);
        request->server = server < 0 ? 0 : (uint32_t)server;
        request->tried = 0;
        if (request->state == CAD_FETCH_WAITING) request->not_before = e->now;
    }
}

/* ---- what there is, for the application ---- */

static bool is_selected(const struct cad_engine *e, uint32_t period, const struct cad_track *track)
{
    if (track->type == CAD_MEDIA_TEXT) return words_selected(e, period, track);
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (slot_type[i] != track->type || !e->slots[i].present) continue;
        const struct cad_period *p = &model_of(e)->periods[period];
        return choose_track(e, p, slot_type[i], &e->wishes[i]) == track;
    }
    return false;
}

static void describe(const struct cad_engine *e, uint32_t period, const struct cad_track *track,
                     struct cad_track_info *out)
{
    memset(out, 0, sizeof(*out));
    cad_str_copyz(out->id, sizeof(out->id), track->id);
    cad_str_copyz(out->lang, sizeof(out->lang), track->lang);
    cad_str_copyz(out->label, sizeof(out->label), track->label);
    cad_str_copyz(out->role, sizeof(out->role), track->role);
    out->type = track->type;
    out->channels = track->channels;
    out->is_default = track->is_default;
    out->is_forced = track->is_forced;
    out->playable = track_playable(e, track);
    out->selected = out->playable && is_selected(e, period, track);
    const struct cad_representation *best = best_of(track);
    if (!best) return;
    cad_str_copyz(out->codecs, sizeof(out->codecs), best->codecs);
    out->codec = best->codec;
    out->rate_bps = best->bandwidth_bps;
    if (!out->channels) out->channels = best->channels;
    for (uint32_t i = 0; i < track->representation_count; i++) {
        out->width = CAD_MAX(out->width, track->representations[i].width);
        out->height = CAD_MAX(out->height, track->representations[i].height);
    }
}

/* What a bare file is only its header says. */
static void describe_file(const struct cad_engine *e, struct cad_track_info *out)
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        if (!s->present || s->provisional || s->rung_count == 0) continue;
        const struct rep *rep = s->reps[s->rung_rep[0]];
        out->type = slot_type[i];
        out->codec = rep->init.codec;
        memcpy(out->codecs, rep->init.codecs, sizeof(out->codecs));
        out->width = rep->init.width;
        out->height = rep->init.height;
        out->channels = rep->init.channels;
        out->rate_bps = rep->rate_bps;
        out->playable = out->selected = true;
    }
}

uint32_t cad_engine_tracks(const struct cad_engine *engine, struct cad_track_info *out,
                           uint32_t max)
{
    const struct cad_engine *e = engine;
    if (!e || !model_of(e)) return 0;
    uint32_t at = period_listed(e);
    const struct cad_period *period = &model_of(e)->periods[at];
    uint32_t n = 0;
    for (uint32_t i = 0; i < period->track_count && n < CAD_TRACK_LIST_MAX; i++) {
        const struct cad_track *track = &period->tracks[i];
        if (track->is_none || track->is_trick) continue;
        if (n < max && out) describe(e, at, track, &out[n]);
        if (n < max && out && model_of(e)->format == CAD_FORMAT_MP4) describe_file(e, &out[n]);
        n++;
    }
    return n;
}
