/*
 * dash_build.c - from the tree to the model: a period, a set and a representation at a time.
 *
 * The side structure keeps every period, set and representation of the document in its order. The
 * model gets what can be played: sets that are media of their own, with representations that have a
 * usable URL and segments, in rising bandwidth.
 */
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"
#include "manifest/ladder.h"

#define SETS_CHECKED_MAX 64u /* '#' in front of an id that is not unique */

/* ---- periods --------------------------------------------------------------------------------- */

static int open_period(struct cad_dash *p)
{
    const struct cad_dash_node *node = p->period_nodes[p->period_at];
    struct cad_dash_period *period = &p->periods[p->period_at];
    uint32_t sets = cad_dash_count(node, CAD_DASH_ADAPTATION_SET);
    cad_str href = cad_dash_attr(node, CAD_DASH_AT_XLINK_HREF);
    bool failed = false;
    if (sets > CAD_DASH_SETS_MAX) return cad_dash_fail_limit(p, node, "too many adaptation sets");
    period->id = cad_dash_keep(p, cad_dash_attr(node, CAD_DASH_AT_ID), &failed);
    p->tracks = cad_arena_array(&p->model->arena, struct cad_dash_track, sets + 1);
    p->model_tracks = cad_arena_array(&p->model->arena, struct cad_track, sets + 1);
    if (failed || !p->tracks || !p->model_tracks) return cad_dash_fail_memory(p);
    int rc = cad_dash_bases(p, node, &p->mpd_bases, &p->period_bases);
    if (rc == 0 && href.n > 0) {
        rc = cad_dash_resolve(p, p->mpd_bases.items[0].url, href, &period->xlink);
    }
    if (rc == 0) rc = cad_dash_events(p, node, period);
    p->set = cad_dash_child(node, CAD_DASH_ADAPTATION_SET);
    p->track_at = 0;
    p->model_track_count = 0;
    p->period_open = true;
    p->timeline.source = NULL;
    return rc;
}

static bool has_role(const struct cad_track *track, const char *role)
{
    for (uint32_t i = 0; i < track->role_count; i++) {
        if (cad_str_eqz(track->roles[i], role)) return true;
    }
    return false;
}

/* The track to start with: by selectionPriority, then the main one, then the first. */
static void choose_default(struct cad_dash *p, enum cad_media_type type)
{
    struct cad_track *best = NULL;
    for (uint32_t i = 0; i < p->model_track_count; i++) {
        struct cad_track *track = &p->model_tracks[i];
        if (track->type != type) continue;
        bool better = !best || track->rank < best->rank ||
                      (track->rank == best->rank && has_role(track, "main") &&
                       !has_role(best, "main"));
        if (better) best = track;
    }
    if (best) best->is_default = true;
}

static int close_period(struct cad_dash *p)
{
    struct cad_dash_period *period = &p->periods[p->period_at];
    period->tracks = p->tracks;
    period->track_count = p->track_at;
    choose_default(p, CAD_MEDIA_VIDEO);
    choose_default(p, CAD_MEDIA_AUDIO);
    p->period_open = false;
    p->period_at++;
    cad_time duration = cad_dash_to_time(period->duration);
    if (duration == 0) {
        cad_dash_warn(p, "a period without length", period->id);
        return CAD_OK;
    }
    p->model_periods[p->model->presentation.period_count++] = (struct cad_period){
        .id = period->id,
        .start = cad_dash_to_time(period->start),
        .duration = duration,
        .tracks = p->model_tracks,
        .track_count = p->model_track_count,
    };
    return CAD_OK;
}

/* ---- a set becomes a track ------------------------------------------------------------------- */

static int open_set(struct cad_dash *p)
{
    const struct cad_dash_node *set = p->set;
    struct cad_dash_track *track = &p->tracks[p->track_at];
    uint32_t reps = cad_dash_count(set, CAD_DASH_REPRESENTATION);
    if (reps > CAD_DASH_REPRESENTATIONS_MAX) {
        return cad_dash_fail_limit(p, set, "too many representations");
    }
    p->reps = cad_arena_array(&p->model->arena, struct cad_dash_rep, reps + 1);
    if (!p->reps) return cad_dash_fail_memory(p);
    track->reps = p->reps;
    p->rep = cad_dash_child(set, CAD_DASH_REPRESENTATION);
    p->rep_at = 0;
    int rc = cad_dash_describe_track(p, set, track);
    if (rc == 0) rc = cad_dash_bases(p, set, &p->period_bases, &p->set_bases);
    return rc;
}

static bool is_usable(struct cad_dash *p, const struct cad_dash_rep *rep)
{
    const struct cad_representation *r = &rep->r;
    if (r->encrypted && !p->options->allow_drm) return false;
    if (r->location_count == 0) return false;
    return r->addressing != CAD_ADDRESSING_SEGMENTS || cad_index_count(r->timeline) > 0;
}

/* A rate is required; without one a representation is taken for the cheapest. */
static struct cad_representation with_rate(struct cad_dash *p, const struct cad_dash_rep *rep)
{
    struct cad_representation r = rep->r;
    if (r.bandwidth_bps == 0) {
        cad_dash_warn(p, "a representation without bandwidth", rep->id);
        r.bandwidth_bps = 1;
        r.peak_bps = 2;
    }
    return r;
}

/* The keys of the set for CDMs: those that name a system or a key. */
static int fill_protections(struct cad_dash *p, const struct cad_dash_track *from,
                            struct cad_track *out)
{
    uint32_t n = 0;
    if (!p->options->allow_drm || from->protections.count == 0) return CAD_OK;
    struct cad_protection *items = cad_arena_array(&p->model->arena, struct cad_protection,
                                                   from->protections.count);
    if (!items) return cad_dash_fail_memory(p);
    for (uint32_t i = 0; i < from->protections.count; i++) {
        int rc = cad_dash_protection(p, &from->protections.items[i], &items[n]);
        if (rc < 0) return rc;
        n += (uint32_t)rc;
    }
    for (uint32_t i = 0; i < n; i++) items[i].is_default = i == 0;
    out->protections = items;
    out->protection_count = n;
    return CAD_OK;
}

/* The id as published if it is the only one of its name in the period, else its place: "#2". */
static int name_track(struct cad_dash *p, const struct cad_dash_track *from, struct cad_track *out)
{
    char memory[SETS_CHECKED_MAX + 24];
    struct cad_sb text;
    bool failed = false;
    cad_str id = from->id;
    for (uint32_t tries = 0; tries < SETS_CHECKED_MAX; tries++) {
        bool taken = id.n == 0;
        for (uint32_t i = 0; i < p->model_track_count && !taken; i++) {
            taken = cad_str_eq(p->model_tracks[i].id, id);
        }
        if (!taken) break;
        cad_sb_init_fixed(&text, memory, sizeof(memory));
        for (uint32_t i = 0; i <= tries; i++) cad_sb_putc(&text, '#');
        cad_sb_u64(&text, p->track_at);
        id = cad_sb_str(&text);
    }
    out->id = cad_dash_keep(p, id, &failed);
    return failed ? cad_dash_fail_memory(p) : CAD_OK;
}

static int fill_track(struct cad_dash *p, const struct cad_dash_track *from, struct cad_track *out)
{
    int64_t priority = from->selection_priority == INT64_MIN ? 1 : from->selection_priority;
    out->type = from->type;
    out->lang = from->lang.n > 0 ? from->lang : CAD_STR("und");
    out->label = from->label;
    out->role = from->roles.count > 0 ? from->roles.items[0] : CAD_STR("");
    out->roles = from->roles.items;
    out->role_count = from->roles.count;
    out->accessibility = from->accessibility.items;
    out->accessibility_count = from->accessibility.count;
    out->rank = INT32_MAX - (int32_t)CAD_MIN(priority, INT32_MAX);
    out->is_forced = has_role(out, "forced-subtitle") || has_role(out, "forced_subtitle");
    if (out->representation_count > 0 && out->type == CAD_MEDIA_AUDIO) {
        out->channels = out->representations[0].channels;
    }
    int rc = name_track(p, from, out);
    if (rc == 0) rc = fill_protections(p, from, out);
    return rc;
}

/* Not for the viewer to choose: trick play, and what an unknown property makes unusable. */
static bool is_playable(const struct cad_dash_node *set, const struct cad_dash_track *track)
{
    return !track->trick_mode && !cad_dash_has_unknown_essential(set);
}

static int close_set(struct cad_dash *p)
{
    const struct cad_dash_node *set = p->set;
    struct cad_dash_track *track = &p->tracks[p->track_at];
    struct cad_track *out = &p->model_tracks[p->model_track_count];
    uint32_t n = 0;
    track->rep_count = p->rep_at;
    struct cad_representation *items = cad_arena_array(&p->model->arena, struct cad_representation,
                                                       p->rep_at + 1);
    if (!items) return cad_dash_fail_memory(p);
    bool playable = is_playable(set, track);
    for (uint32_t i = 0; i < p->rep_at && playable; i++) {
        if (is_usable(p, &p->reps[i])) items[n++] = with_rate(p, &p->reps[i]);
    }
    if (n > 0) {
        cad_ladder_arrange(items, n);
        *out = (struct cad_track){.representations = items, .representation_count = n};
        int rc = fill_track(p, track, out);
        if (rc != 0) return rc;
        p->model_track_count++;
    } else if (p->rep_at > 0) {
        cad_dash_warn(p, "a set without usable representations", track->id);
    }
    p->set = cad_dash_next(set);
    p->track_at++;
    p->reps = NULL;
    return CAD_OK;
}

/* ---- a representation ------------------------------------------------------------------------ */

/* The id as published if it is the only one of its name in the set, else its place: "#2.0". */
static int name_rep(struct cad_dash *p, struct cad_dash_rep *rep)
{
    char memory[32];
    struct cad_sb text;
    bool failed = false;
    bool taken = rep->id.n == 0;
    for (uint32_t i = 0; i < p->rep_at && !taken; i++) taken = cad_str_eq(p->reps[i].id, rep->id);
    rep->r.id = rep->id;
    if (!taken) return CAD_OK;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    cad_sb_putc(&text, '#');
    cad_sb_u64(&text, p->track_at);
    cad_sb_putc(&text, '.');
    cad_sb_u64(&text, p->rep_at);
    rep->r.id = cad_dash_keep(p, cad_sb_str(&text), &failed);
    return failed ? cad_dash_fail_memory(p) : CAD_OK;
}

static int build_rep(struct cad_dash *p)
{
    const struct cad_dash_node *node = p->rep;
    struct cad_dash_rep *rep = &p->reps[p->rep_at];
    int rc = cad_dash_describe_rep(p, node, rep);
    if (rc == 0) rc = name_rep(p, rep);
    if (rc == 0) rc = cad_dash_bases(p, node, &p->set_bases, &rep->bases);
    if (rc == 0) rc = cad_dash_locate(p, rep);
    if (rc == 0) rc = cad_dash_segments(p, node, rep);
    if (rc != 0) return rc;
    p->rep = cad_dash_next(node);
    p->rep_at++;
    return CAD_OK;
}

int cad_dash_build(struct cad_dash *p)
{
    if (!p->period_open) {
        if (p->period_at == p->side->period_count) return 1;
        return open_period(p);
    }
    if (!p->set) return close_period(p);
    if (!p->reps) return open_set(p);
    return p->rep ? build_rep(p) : close_set(p);
}
