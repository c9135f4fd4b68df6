/*
 * Timed text of a session: the wish, the documents, the slot.
 *
 * Documents lie beside the byte ceiling of media: at most two are held and one is given out, each
 * of WORDS_BYTES_MAX and no more than a segment may have. One is fetched at a time.
 */
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

static const struct cad_presentation *model_of(const struct cad_engine *e)
{
    return e->manifest.presentation;
}

/* ---- what can be shown ---- */

/* A document in one piece, in a language that is read here. stpp is TTML inside of MP4. */
static bool is_document(const struct cad_engine *e, const struct cad_representation *r)
{
    bool whole = r->addressing == CAD_ADDRESSING_SINGLE ||
                 model_of(e)->format == CAD_FORMAT_LICENSED;
    bool boxed = r->codecs.n >= 4 && cad_str_ieq(cad_str_sub(r->codecs, 0, 4), CAD_STR("stpp"));
    return whole && !boxed && !r->encrypted && r->codec == CAD_CODEC_TTML &&
           r->location_count > 0;
}

/* The best one, or the best behind `after`; NULL: there is none. */
static const struct cad_representation *document_of(const struct cad_engine *e,
                                                    const struct cad_track *track,
                                                    const struct cad_representation *after)
{
    uint32_t i = after ? (uint32_t)(after - track->representations) + 1 : 0;
    for (; i < track->representation_count; i++) {
        if (is_document(e, &track->representations[i])) return &track->representations[i];
    }
    return NULL;
}

bool words_playable(const struct cad_engine *e, const struct cad_track *track)
{
    bool taken = e->caps.text && (e->caps.codecs >> CAD_CODEC_TTML & 1) != 0;
    return taken && track->type == CAD_MEDIA_TEXT && !track->is_none && model_of(e) &&
           document_of(e, track, NULL) != NULL;
}

/* ---- which track ---- */

/* How well a track answers what was chosen; negative: not at all. */
static int32_t likeness(const struct words_part *w, const struct cad_track *track)
{
    char id[CAD_TRACK_ID_SIZE];
    cad_str_copyz(id, sizeof(id), track->id);
    if (!cad_str_ieq(track->lang, cad_str_from(w->lang))) return -1;
    int32_t score = track->is_default ? 1 : 0;
    if (track->is_forced == w->forced) score += 4;
    if (cad_str_ieq(track->role, cad_str_from(w->role))) score += 2;
    if (strcmp(id, w->id) == 0) score += 8;
    return score;
}

/* How well it answers the configuration. */
static int32_t fitness(const struct cad_engine *e, const struct cad_track *track)
{
    if (!track_speaks(track->lang, e->config.text_language)) return -1;
    return (track->is_forced ? 0 : 2) + (track->is_default ? 1 : 0);
}

/* What a period shows; NULL: nothing. */
static const struct cad_track *choose(const struct cad_engine *e, uint32_t at)
{
    const struct words_part *w = &e->words;
    const struct cad_period *period = &model_of(e)->periods[at];
    const struct cad_track *best = NULL;
    int32_t best_score = -1;
    for (uint32_t i = 0; i < period->track_count && w->wish != WORDS_OFF; i++) {
        const struct cad_track *track = &period->tracks[i];
        if (!words_playable(e, track)) continue;
        int32_t score = w->wish == WORDS_CHOSEN ? likeness(w, track) : fitness(e, track);
        if (score <= best_score) continue;
        best = track;
        best_score = score;
    }
    return best;
}

bool words_selected(const struct cad_engine *e, uint32_t period, const struct cad_track *track)
{
    return choose(e, period) == track;
}

/* Another wish: what was given up may be tried again. */
static void wish_for(struct cad_engine *e, enum words_wish wish, const char *id)
{
    struct words_part *w = &e->words;
    w->wish = wish;
    w->now.used = w->now.used && !w->now.lost;
    w->next.used = w->next.used && !w->next.lost;
    e->tracks_version++;
    engine_decide(e, "wish slot=%u id=%s", CAD_SLOT_TEXT, id);
}

/* A track of text by its id, or the entry that says "off". */
static const struct cad_track *track_of_id(const struct cad_engine *e,
                                           const struct cad_period *period, const char *name)
{
    for (uint32_t i = 0; i < period->track_count; i++) {
        const struct cad_track *track = &period->tracks[i];
        char id[CAD_TRACK_ID_SIZE];
        cad_str_copyz(id, sizeof(id), track->id);
        bool text = track->type == CAD_MEDIA_TEXT && (track->is_none || words_playable(e, track));
        if (text && strcmp(id, name) == 0) return track;
    }
    return NULL;
}

bool words_choose(struct cad_engine *e, const struct cad_command *command)
{
    struct words_part *w = &e->words;
    const struct cad_presentation *p = model_of(e);
    const struct cad_track *found = NULL;
    char name[CAD_TRACK_ID_SIZE];
    memcpy(name, command->track, sizeof(name));
    name[sizeof(name) - 1] = '\0';
    if (name[0] && !p) return false;
    uint32_t first = p ? period_at(p, clock_position(e)) : 0;
    for (uint32_t i = 0; name[0] && i < p->period_count && !found; i++) {
        found = track_of_id(e, &p->periods[(first + i) % p->period_count], name);
    }
    if (name[0] && !found) return false;
    if (!found || found->is_none) {
        wish_for(e, WORDS_OFF, "");
        return true;
    }
    memcpy(w->id, name, sizeof(w->id));
    cad_str_copyz(w->lang, sizeof(w->lang), found->lang);
    cad_str_copyz(w->role, sizeof(w->role), found->role);
    w->forced = found->is_forced;
    wish_for(e, WORDS_CHOSEN, w->id);
    return true;
}

/* ---- documents ---- */

static void document_drop(struct cad_engine *e, struct words_document *d)
{
    if (d->request) request_drop(e, d->request);
    cad_ref_unref(&d->ref);
    memset(d, 0, sizeof(*d));
}

static bool is_of(const struct words_document *d, uint32_t period, const struct cad_track *track)
{
    return d->used && d->period == period && d->track == track;
}

/* Who comes back to what is still shown has it. */
static void reuse(struct cad_engine *e, struct words_document *d)
{
    struct words_part *w = &e->words;
    char id[CAD_TRACK_ID_SIZE];
    cad_str_copyz(id, sizeof(id), d->track->id);
    if (!w->shown || w->shown_period != d->period || strcmp(id, w->shown_id) != 0) return;
    d->ref = cad_ref_ref(w->shown);
    d->have = cad_ref_size(d->ref);
    d->whole = true;
}

static void document_begin(struct cad_engine *e, struct words_document *d, uint32_t period,
                           const struct cad_track *track)
{
    document_drop(e, d);
    d->used = true;
    d->period = period;
    d->track = track;
    if (!track) return;
    d->model = document_of(e, track, NULL);
    e->words.open = true;
    reuse(e, d);
    engine_decide(e, "track slot=%u period=%u id=%.*s", CAD_SLOT_TEXT, period,
                  CAD_STR_ARG(track->id));
}

/* The period after `at` is near enough to be looked at. */
static bool next_is_near(const struct cad_engine *e, uint32_t at)
{
    const struct cad_presentation *p = model_of(e);
    if (at + 1 >= p->period_count) return false;
    return cad_time_sub(p->periods[at + 1].start, clock_position(e)) <= WORDS_AHEAD;
}

/* Which documents there should be. */
static void settle(struct cad_engine *e)
{
    struct words_part *w = &e->words;
    uint32_t at = period_at(model_of(e), clock_position(e));
    const struct cad_track *track = choose(e, at);
    if (!is_of(&w->now, at, track)) {
        if (is_of(&w->next, at, track)) {
            document_drop(e, &w->now);
            w->now = w->next;
            memset(&w->next, 0, sizeof(w->next));
        } else {
            document_begin(e, &w->now, at, track);
        }
    }
    if (!next_is_near(e, at)) {
        if (w->next.used) document_drop(e, &w->next);
        return;
    }
    track = choose(e, at + 1);
    if (!is_of(&w->next, at + 1, track)) document_begin(e, &w->next, at + 1, track);
}

static struct words_document *document_asked(struct cad_engine *e,
                                             const struct cad_fetch_request *request)
{
    if (e->words.now.request == request) return &e->words.now;
    return e->words.next.request == request ? &e->words.next : NULL;
}

static bool is_wanting(const struct words_document *d)
{
    return d->track && !d->whole && !d->lost;
}

bool words_wanting(const struct cad_engine *e)
{
    return is_wanting(&e->words.now) || is_wanting(&e->words.next);
}

static size_t bytes_limit(const struct cad_engine *e)
{
    return (size_t)CAD_MIN(segment_limit(e), WORDS_BYTES_MAX);
}

/* ---- asking ---- */

static bool can_ask(const struct cad_location *location)
{
    return location->server < CAD_STEER_SERVERS_MAX && location->url.n <= ENGINE_URL_MAX;
}

/* Bits of the servers that can still be asked for a document. */
static uint64_t servers_of(const struct words_document *d)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < d->model->location_count; i++) {
        const struct cad_location *location = &d->model->locations[i];
        if (can_ask(location)) bits |= UINT64_C(1) << location->server;
    }
    return bits & ~d->servers_lost;
}

static const struct cad_location *location_of(const struct words_document *d, uint32_t server)
{
    for (uint32_t i = 0; i < d->model->location_count; i++) {
        const struct cad_location *location = &d->model->locations[i];
        if (location->server == server && can_ask(location)) return location;
    }
    return NULL;
}

/* The request is over. */
static void document_close(struct cad_engine *e, struct words_document *d)
{
    struct target *target = request_target(d->request);
    redirect_forget(e, target);
    target->used = false;
    cad_fetch_end(e->fetch, d->request);
    d->request = NULL;
}

/* This file cannot be had, nothing of it is under way: the next best of the track, or none. */
static void document_lost(struct cad_engine *e, struct words_document *d, struct cad_error *err)
{
    document_close(e, d);
    cad_ref_unref(&d->ref);
    d->have = 0;
    d->servers_lost = 0;
    d->mismatches = 0;
    const struct cad_representation *other = document_of(e, d->track, d->model);
    engine_decide(e, "text lost id=%.*s other=%d", CAD_STR_ARG(d->model->id), other != NULL);
    e->more = true;
    if (other) {
        d->model = other;
        return;
    }
    d->lost = true;
    err->track = CAD_SLOT_TEXT;
    err->phase = e->clock.first_ever ? CAD_PHASE_PLAY : CAD_PHASE_START;
    engine_fail(e, err);
}

/* Headers have 0: then what a viewer waits for now; media; and what is for later. */
static void fill_start(struct cad_engine *e, const struct words_document *d, cad_str url,
                       struct cad_http_start *start)
{
    request_fill_start(e, d->request, start);
    start->url = url;
    start->range = (struct cad_range){-1, -1};
    start->size_max = (int64_t)bytes_limit(e);
    start->priority = d == &e->words.now ? 1 : 3;
}

/* CAD_E_AGAIN: no room in this turn. CAD_E_NOTFOUND: nobody can be asked. */
static int start_request(struct cad_engine *e, struct words_document *d)
{
    const struct slot *video = &e->slots[CAD_SLOT_VIDEO];
    const struct slot *s = video->present ? video : &e->slots[CAD_SLOT_AUDIO];
    uint64_t servers = servers_of(d);
    if (servers == 0) return CAD_E_NOTFOUND;
    if (cad_ring_space(&e->actions) < 16) return CAD_E_AGAIN;
    uint32_t server = request_pick_server(e, d->request, servers, s->present ? s->server : -1);
    const struct cad_location *location = location_of(d, server);
    if (!location) return CAD_E_NOTFOUND;
    char *text = engine_text(e, location->url);
    if (!text) return CAD_E_AGAIN;
    d->have = 0; /* of a document no part is of use */
    cad_fetch_start(e->fetch, d->request, server, e->now);
    struct target *target = request_target(d->request);
    redirect_forget(e, target);
    *target = (struct target){.used = true, .last = -1};
    struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_START);
    if (!action) return CAD_E_AGAIN;
    fill_start(e, d, cad_str_make(text, location->url.n), &action->u.start);
    redirect_begin(e, target, &action->u.start);
    warm_used(e, server);
    engine_decide(e, "request text id=%u period=%u server=%.*s attempt=%u", d->request->id,
                  d->period, CAD_STR_ARG(cad_steer_id(e->steer, server)), d->request->attempts);
    return CAD_OK;
}

static void fetch(struct cad_engine *e, struct words_document *d)
{
    if (!is_wanting(d)) return;
    if (!title_urls_usable(e) || !e->online) return;
    if (!d->request) {
        d->request = request_new(e, CAD_PURPOSE_TEXT, -1);
        if (!d->request) return;
        bool now = d == &e->words.now;
        d->request->deadline = now ? e->now : cad_time_add(e->now, WORDS_AHEAD);
    }
    if (d->request->state == CAD_FETCH_IN_FLIGHT) return;
    if (d->request->state == CAD_FETCH_WAITING && d->request->not_before > e->now) return;
    int rc = start_request(e, d);
    if (rc == CAD_OK) return;
    if (rc == CAD_E_AGAIN) {
        e->more = true;
        return;
    }
    struct cad_error err;
    cad_error_init(&err, CAD_ERR_TEXT_LOST);
    document_lost(e, d, &err);
}

/* ---- what the sink should have ---- */

static cad_time period_length(const struct cad_engine *e, uint32_t at)
{
    const struct cad_presentation *p = model_of(e);
    const struct cad_period *period = &p->periods[at];
    if (period->duration != CAD_TIME_NONE) return period->duration;
    cad_time end = at + 1 < p->period_count ? p->periods[at + 1].start : e->manifest.duration;
    return end == CAD_TIME_NONE ? 0 : CAD_MAX(cad_time_sub(end, period->start), 0);
}

/* Another track, or none, has taken effect. */
static void tell(struct cad_engine *e, const struct cad_track *track)
{
    struct words_part *w = &e->words;
    char id[CAD_TRACK_ID_SIZE] = "";
    if (track) cad_str_copyz(id, sizeof(id), track->id);
    if (strcmp(id, w->shown_id) == 0) return;
    memcpy(w->shown_id, id, sizeof(id));
    struct cad_app_event *app = engine_app(e, CAD_APP_TRACK);
    if (!app) return;
    app->slot = CAD_SLOT_TEXT;
    cad_str_copyz(app->text, sizeof(app->text), cad_str_from(id));
}

/* The old document goes on until the new one is whole, or it is known that there is none. */
static void show(struct cad_engine *e)
{
    struct words_part *w = &e->words;
    const struct words_document *d = &w->now;
    if (is_wanting(d)) return;
    struct cad_ref *ref = d->whole ? d->ref : NULL;
    if (w->shown != ref) {
        cad_ref_unref(&w->shown);
        w->pending = true;
        w->config_given = false;
        if (ref) {
            w->shown = cad_ref_ref(ref);
            w->shown_period = d->period;
            w->pts = model_of(e)->periods[d->period].start;
            w->duration = period_length(e, d->period);
            cad_str_copyz(w->shown_lang, sizeof(w->shown_lang), d->track->lang);
        }
    }
    tell(e, ref ? d->track : NULL);
}

void words_turn(struct cad_engine *e)
{
    struct words_part *w = &e->words;
    if (!model_of(e) || model_of(e)->format == CAD_FORMAT_MP4 || !e->has_caps) return;
    if (!e->slots[0].present && !e->slots[1].present) return; /* headers are asked for first */
    if (cad_ring_space(&e->actions) < 32) {
        e->more = true;
        return;
    }
    bool open = w->open;
    settle(e);
    fetch(e, &w->now);
    if (!is_wanting(&w->now)) fetch(e, &w->next);
    if (!e->manifest.prepared) show(e);
    if (open != w->open) e->more = true; /* the sink is to be told */
}

cad_time words_next_wake(const struct cad_engine *e)
{
    const struct words_part *w = &e->words;
    const struct cad_presentation *p = model_of(e);
    if (!p || !w->now.used || !w->open || e->clock.state != CAD_STATE_PLAYING) return CAD_TIME_NONE;
    if (w->now.period + 1 >= p->period_count) return CAD_TIME_NONE;
    cad_time at = p->periods[w->now.period + 1].start;
    if (!w->next.used) at = cad_time_sub(at, WORDS_AHEAD);
    cad_time left = CAD_MAX(cad_time_sub(at, clock_position(e)), 0);
    left = cad_muldiv_floor_i64(left, 65536, clock_rate(e));
    return cad_time_add(e->now, cad_time_add(left, CAD_MS));
}

void words_stop(struct cad_engine *e)
{
    struct words_part *w = &e->words;
    document_drop(e, &w->now);
    document_drop(e, &w->next);
    if (w->shown) {
        cad_ref_unref(&w->shown);
        w->pending = true;
    }
    w->wish = WORDS_BY_LANGUAGE;
    w->open = w->config_given = false;
    w->shown_id[0] = '\0';
}

/* ---- fresh URLs ---- */

static const struct cad_representation *representation_of_id(const struct cad_track *track,
                                                             cad_str id)
{
    for (uint32_t i = 0; i < track->representation_count; i++) {
        if (cad_str_eq(track->representations[i].id, id)) return &track->representations[i];
    }
    return NULL;
}

/* Where a document is found again in the fresh model; what is not there any more is dropped. */
static void rebind(struct cad_engine *e, struct words_document *d,
                   const struct cad_presentation *fresh)
{
    if (!d->used || !d->track) return;
    const struct cad_track *track = NULL;
    if (d->period < fresh->period_count) {
        const struct cad_period *period = &fresh->periods[d->period];
        for (uint32_t i = 0; i < period->track_count && !track; i++) {
            if (cad_str_eq(period->tracks[i].id, d->track->id)) track = &period->tracks[i];
        }
    }
    const struct cad_representation *model =
        track ? representation_of_id(track, d->model->id) : NULL;
    if (!model) {
        document_drop(e, d);
        return;
    }
    d->track = track;
    d->model = model;
    d->servers_lost = 0;
}

void words_rebind(struct cad_engine *e, const struct cad_presentation *fresh)
{
    rebind(e, &e->words.now, fresh);
    rebind(e, &e->words.next, fresh);
}

/* ---- bodies and ends ---- */

/* Space for one byte more. */
static int grow(struct cad_engine *e, struct words_document *d, size_t want)
{
    struct cad_ref *ref = NULL;
    int rc = cad_pool_get(e->pool, want, &ref);
    if (rc != 0) return rc;
    if (d->have > 0) memcpy(cad_ref_data(ref), cad_ref_data(d->ref), d->have);
    cad_ref_unref(&d->ref);
    d->ref = ref;
    return CAD_OK;
}

int words_lease(struct cad_engine *e, const struct cad_fetch_request *request, size_t want,
                uint8_t **data, size_t *capacity)
{
    struct words_document *d = document_asked(e, request);
    if (!d) return CAD_E_STALE;
    size_t limit = bytes_limit(e);
    int64_t told = request_target(request)->head_data.length;
    if (told > (int64_t)limit || d->have >= limit) return CAD_E_LIMIT;
    size_t room = d->ref ? cad_ref_size(d->ref) : 0;
    if (d->have >= room) {
        size_t goal = room ? room * 2 : WORDS_BYTES_GUESS;
        if (told > (int64_t)d->have) goal = (size_t)told;
        int rc = grow(e, d, CAD_MIN(goal, limit));
        if (rc != 0) return rc;
        room = cad_ref_size(d->ref);
    }
    *data = cad_ref_data(d->ref) + d->have;
    *capacity = CAD_MIN(want, room - d->have);
    return CAD_OK;
}

int words_commit(struct cad_engine *e, const struct cad_fetch_request *request, size_t n)
{
    struct words_document *d = document_asked(e, request);
    if (!d || !d->ref) return CAD_E_STALE;
    if (n > cad_ref_size(d->ref) - d->have) return CAD_E_INVAL;
    d->have += n;
    return CAD_OK;
}

/* How the attempt failed; COUNT: it did not. */
static enum cad_failure judge(const struct words_document *d, const struct cad_http_end *end)
{
    const struct target *target = request_target(d->request);
    int64_t told = target->head_data.length;
    int32_t status = d->request->status;
    if (end->cls != CAD_HTTP_OK || status / 100 != 2) return request_failure(end, status);
    if (told >= 0 && (int64_t)d->have != told) return CAD_FAIL_RESET;
    bool other = d->model->size_bytes > 0 && (int64_t)d->have != d->model->size_bytes;
    return d->have == 0 || status == 206 || other ? CAD_FAIL_CONTENT : CAD_FAIL_COUNT;
}

static void document_whole(struct cad_engine *e, struct words_document *d)
{
    cad_steer_report(e->steer, d->request->server, CAD_STEER_OK, e->now);
    document_close(e, d);
    d->whole = true;
    int rc = cad_ref_set_size(d->ref, d->have);
    CAD_ASSERT(rc == 0);
    (void)rc;
    engine_decide(e, "text period=%u bytes=%zu", d->period, d->have);
    e->more = true;
}

void words_end(struct cad_engine *e, struct cad_fetch_request *request,
               const struct cad_http_end *end)
{
    struct words_document *d = document_asked(e, request);
    if (!d) return;
    struct target *target = request_target(request);
    enum cad_failure failure = judge(d, end);
    if (failure == CAD_FAIL_COUNT) {
        facts_transfer(e, request, end, CAD_ERR_NONE);
        document_whole(e, d);
        return;
    }
    request_tell_steer(e, request, failure);
    uint64_t here = UINT64_C(1) << request->server;
    if (failure == CAD_FAIL_NOT_FOUND) d->servers_lost |= here;
    if (failure == CAD_FAIL_REFUSED && request_near_expiry(e, request)) failure = CAD_FAIL_EXPIRED;
    /* A body that is not what the manifest says is asked of one more server (5.4). */
    uint64_t left = servers_of(d);
    if (failure == CAD_FAIL_CONTENT && ++d->mismatches > 1) left = 0;
    struct cad_error err;
    cad_error_init(&err, CAD_ERR_TEXT_LOST);
    err.request = request->id;
    err.http_status = request->status;
    err.edge_code = end->edge_code;
    err.attempts = request->attempts;
    facts_transfer(e, request, end, CAD_ERR_TEXT_LOST);
    struct cad_verdict verdict =
        request_fail(e, request, failure, target->head_data.retry_after, left);
    target->elsewhere = verdict.kind == CAD_VERDICT_OTHER_SERVER && verdict.until <= e->now;
    if (verdict.kind == CAD_VERDICT_REFRESH) e->manifest.refresh_wanted = true;
    bool over = verdict.kind == CAD_VERDICT_LOWER_RUNG || verdict.kind == CAD_VERDICT_GIVE_UP;
    if (over || left == 0) document_lost(e, d, &err);
}

/* ---- the slot ---- */

/* A sink that was flushed shows none, and wants the document again. */
static void follow_epoch(struct cad_engine *e)
{
    struct words_part *w = &e->words;
    if (w->given_epoch == e->clock.epoch) return;
    w->given_epoch = e->clock.epoch;
    w->pending = w->shown != NULL;
    w->config_given = false;
}

int words_pull(struct cad_engine *e, struct cad_sample *out)
{
    struct words_part *w = &e->words;
    follow_epoch(e);
    if (!w->pending) return CAD_E_AGAIN;
    memset(out, 0, sizeof(*out));
    out->epoch = e->clock.epoch;
    if (w->shown && w->config_given) {
        out->flags = CAD_SAMPLE_SYNC;
        out->pts = out->dts = w->pts;
        out->duration = w->duration;
        out->data = cad_ref_data(w->shown);
        out->size = cad_ref_size(w->shown);
        out->ref = cad_ref_ref(w->shown);
        w->pending = w->config_given = false;
        return CAD_OK;
    }
    out->config.type = CAD_MEDIA_TEXT;
    out->config.codec = w->shown ? CAD_CODEC_TTML : CAD_CODEC_UNKNOWN;
    if (w->shown) memcpy(out->config.lang, w->shown_lang, sizeof(out->config.lang));
    w->config_given = w->pending = w->shown != NULL;
    return CAD_E_CONFIG;
}

bool words_present(const struct cad_engine *e)
{
    return e->words.open;
}

void words_figures(const struct cad_engine *e, struct cad_service_stats *out)
{
    memcpy(out->text_track, e->words.shown_id, sizeof(out->text_track));
}
