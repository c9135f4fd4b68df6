/*
 * licensed_finish.c - what stands above the tracks: the envelope and required fields before them
 * (cad_licensed_head), the manifest's own choice, markers, links and times after them.
 */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/checked.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "manifest/licensed.h"

#define EXPIRY_DEFAULT_MS INT64_C(3600000) /* 5.1: now + 1 h where nothing tells */
#define DURATION_MS_MAX (INT64_MAX / CAD_MS)

/* ---- before the tracks ----------------------------------------------------------------------- */

/* Controls become spaces: the text is shown to people and logged. */
static void set_message(struct cad_licensed *p, cad_str text)
{
    size_t n = cad_str_copyz(p->error->message, sizeof(p->error->message), text);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p->error->message[i];
        if (c < 0x20 || c == 0x7f) p->error->message[i] = ' ';
    }
}

/* Section 3: the service refused. */
static int fail_denied(struct cad_licensed *p, const struct cad_raw_error *error)
{
    int rc = cad_licensed_fail(p, CAD_E_NOTFOUND, CAD_ERR_MANIFEST_DENIED,
                               cad_error_text(CAD_ERR_MANIFEST_DENIED));
    cad_str text = error->message.n > 0 ? error->message : error->display_message;
    if (text.n == 0) text = error->code;
    if (text.n > 0) set_message(p, text);
    int8_t retryable = error->retryable;
    if (retryable < 0 && error->data) retryable = error->data->retryable;
    p->error->retryable = retryable == 1;
    int64_t wait = cad_raw_clamp(error->retry_after_ms, 0, DURATION_MS_MAX, -1);
    if (wait >= 0) p->error->retry_after = wait * CAD_MS;
    return rc;
}

static int fail_bad(struct cad_licensed *p, const char *text)
{
    return cad_licensed_fail(p, CAD_E_DATA, CAD_ERR_MANIFEST_BAD, text);
}

static int check_streaming_type(struct cad_licensed *p)
{
    const struct cad_raw_manifest *m = p->manifest;
    if (!m->streaming_type.p || cad_str_eqz(m->streaming_type, "VOD")) return CAD_OK;
    if (!cad_str_eqz(m->streaming_type, "LIVE")) {
        cad_licensed_warn(p, "an unknown streamingType, taken as VOD", m->streaming_type);
        return CAD_OK;
    }
    if (m->live_metadata != 1) return fail_bad(p, "a live manifest without liveMetadata");
    return cad_licensed_fail(p, CAD_E_UNSUPPORTED, CAD_ERR_MANIFEST_UNSUPPORTED,
                             "live licensed manifests are not supported");
}

static void fill_times(struct cad_licensed *p)
{
    const struct cad_raw_manifest *m = p->manifest;
    struct cad_presentation *out = &p->model->presentation;
    int64_t duration = cad_raw_clamp(m->duration, 1, DURATION_MS_MAX, 0);
    if (duration > 0) out->duration = duration * CAD_MS;
    else cad_licensed_warn(p, "no duration", m->movie_id);
    int64_t bookmark = cad_raw_clamp(m->bookmark, 0, CAD_JSON_EXACT_MAX, -1);
    if (bookmark < 0) return;
    out->bookmark = duration > 0 && bookmark > duration ? 0 : cad_mul_sat_i64(bookmark, CAD_MS);
}

int cad_licensed_head(struct cad_licensed *p)
{
    if (p->root->error) return fail_denied(p, p->root->error);
    struct cad_raw_manifest *m = p->root->result ? p->root->result : p->root;
    struct cad_presentation *out = &p->model->presentation;
    p->manifest = m;
    if (m->movie_id.n == 0) return fail_bad(p, "no movieId");
    if (m->context_id.n == 0) return fail_bad(p, "no playbackContextId");
    int rc = check_streaming_type(p);
    if (rc != 0) return rc;
    if (m->version.p && !cad_str_eqz(m->version, "v2")) {
        cad_licensed_warn(p, "another manifestVersion than v2", m->version);
    }
    bool failed = false;
    out->format = CAD_FORMAT_LICENSED;
    out->id = cad_licensed_keep(p, m->movie_id, &failed);
    out->context_id = cad_licensed_keep(p, m->context_id, &failed);
    out->server_time_ms = cad_raw_clamp(p->root->server_time, 1, CAD_JSON_EXACT_MAX, 0);
    fill_times(p);
    return failed ? cad_licensed_fail_memory(p) : CAD_OK;
}

/* ---- the manifest's own choice --------------------------------------------------------------- */

static cad_str choice_of(const struct cad_raw_choice *choice, enum cad_media_type type)
{
    if (type == CAD_MEDIA_VIDEO) return choice->video;
    return type == CAD_MEDIA_AUDIO ? choice->audio : choice->text;
}

/* The track of a type with this id; -1 none. */
static int64_t find_track(const struct cad_licensed *p, enum cad_media_type type, cad_str id)
{
    for (uint32_t i = 0; id.n > 0 && i < p->track_count; i++) {
        if (p->tracks[i].type == type && cad_str_eq(p->tracks[i].id, id)) return i;
    }
    return -1;
}

/* By defaultTrackOrderList: the lowest preferenceOrder whose track is there; ties: the earlier. */
static int64_t listed_choice(const struct cad_licensed *p, enum cad_media_type type)
{
    int64_t found = -1;
    int64_t order = 0;
    for (const struct cad_raw_item *item = p->manifest->choices.first; item; item = item->next) {
        const struct cad_raw_choice *choice = (const struct cad_raw_choice *)item;
        int64_t mine = choice->order == CAD_RAW_ABSENT ? INT64_MAX : choice->order;
        if (found >= 0 && mine >= order) continue;
        int64_t track = find_track(p, type, choice_of(choice, type));
        if (track < 0) continue;
        found = track;
        order = mine;
    }
    return found;
}

/* A text track is not turned on merely for being there: without a rank only "off" is chosen. */
static bool may_rank(const struct cad_track *track)
{
    return track->type != CAD_MEDIA_TEXT || track->is_none || track->rank != INT32_MAX;
}

/* By rank; ties: the original language of sound, then the earlier. */
static int64_t ranked_choice(const struct cad_licensed *p, enum cad_media_type type)
{
    int64_t found = -1;
    for (uint32_t i = 0; i < p->track_count; i++) {
        const struct cad_track *track = &p->tracks[i];
        if (track->type != type || !may_rank(track)) continue;
        if (found < 0 || track->rank < p->tracks[found].rank) {
            found = i;
            continue;
        }
        bool native = p->raws[i]->is_native == 1 && p->raws[found]->is_native != 1;
        if (track->rank == p->tracks[found].rank && type == CAD_MEDIA_AUDIO && native) found = i;
    }
    return found;
}

static void choose_defaults(struct cad_licensed *p)
{
    static const enum cad_media_type types[] = {CAD_MEDIA_VIDEO, CAD_MEDIA_AUDIO, CAD_MEDIA_TEXT};
    const struct cad_raw_choice *recommended = p->manifest->recommended;
    for (size_t i = 0; i < CAD_ARRAY_LEN(types); i++) {
        int64_t track = listed_choice(p, types[i]);
        if (track < 0 && recommended) {
            track = find_track(p, types[i], choice_of(recommended, types[i]));
        }
        if (track < 0) track = ranked_choice(p, types[i]);
        if (track >= 0) p->tracks[track].is_default = true;
    }
}

/* ---- markers --------------------------------------------------------------------------------- */

static int add_marker(struct cad_licensed *p, struct cad_marker *markers, struct cad_marker marker)
{
    bool failed = false;
    marker.type = cad_licensed_keep(p, marker.type, &failed);
    markers[p->model->presentation.marker_count++] = marker;
    return failed ? cad_licensed_fail_memory(p) : CAD_OK;
}

/* 1: good. */
static bool annotation_times(const struct cad_raw_annotation *raw, struct cad_marker *out)
{
    if (raw->start_ms < 0 || raw->end_ms <= raw->start_ms) return false;
    if (raw->end_ms > DURATION_MS_MAX) return false;
    out->type = raw->type;
    out->start = raw->start_ms * CAD_MS;
    out->end = raw->end_ms * CAD_MS;
    return true;
}

/* creditsOffset becomes a marker of that name up to the end. */
static bool credits_marker(const struct cad_licensed *p, struct cad_marker *out)
{
    cad_time duration = p->model->presentation.duration;
    int64_t offset = cad_raw_clamp(p->manifest->credits_offset, 0, DURATION_MS_MAX, -1);
    if (offset < 0 || duration == CAD_TIME_NONE || offset * CAD_MS >= duration) return false;
    *out = (struct cad_marker){CAD_STR("creditsOffset"), offset * CAD_MS, duration};
    return true;
}

static int build_markers(struct cad_licensed *p)
{
    struct cad_marker marker;
    uint32_t most = p->manifest->annotations.count + 1;
    struct cad_marker *markers = cad_arena_array(&p->model->arena, struct cad_marker, most);
    if (!markers) return cad_licensed_fail_memory(p);
    p->model->presentation.markers = markers;
    const struct cad_raw_item *item = p->manifest->annotations.first;
    for (; item; item = item->next) {
        if (!annotation_times((const struct cad_raw_annotation *)item, &marker)) {
            cad_licensed_warn(p, "a timecodeAnnotation without length",
                              ((const struct cad_raw_annotation *)item)->type);
            continue;
        }
        int rc = add_marker(p, markers, marker);
        if (rc != 0) return rc;
    }
    return credits_marker(p, &marker) ? add_marker(p, markers, marker) : CAD_OK;
}

/* ---- links and settings ---------------------------------------------------------------------- */

/* 5.9: absolute or starting with "/"; http(s) and on the host that gave the manifest. */
static bool link_is_safe(const struct cad_licensed *p, cad_str href, cad_str absolute)
{
    struct cad_uri ref;
    struct cad_uri base;
    struct cad_uri link;
    if (cad_uri_parse(href, &ref) != 0 || cad_uri_parse(absolute, &link) != 0) return false;
    if (cad_uri_parse(p->options->base_url, &base) != 0) return false;
    if (!ref.has_scheme && href.p[0] != '/') return false;
    if (!cad_uri_is_https(&link) && !(p->options->allow_http && cad_uri_is_http(&link))) {
        return false;
    }
    if (link.has_userinfo || link.has_fragment || cad_uri_port(&link) < 0) return false;
    return cad_str_ieq(link.host, base.host);
}

/* *out stays empty where there is no such service. Without a base URL no link can be judged. */
static int build_link(struct cad_licensed *p, const struct cad_raw_link *raw, cad_str *out)
{
    *out = CAD_STR("");
    if (!raw || raw->href.n == 0 || p->options->base_url.n == 0) return CAD_OK;
    struct cad_sb sb;
    bool failed = false;
    cad_sb_init(&sb, &p->options->alloc, CAD_MEM_MANIFEST, CAD_URI_BYTES_MAX);
    int rc = cad_uri_resolve(p->options->base_url, raw->href, &sb);
    if (rc == 0 && link_is_safe(p, raw->href, cad_sb_str(&sb))) {
        *out = cad_licensed_keep(p, cad_sb_str(&sb), &failed);
    } else if (rc != CAD_E_NOMEM) {
        cad_licensed_warn(p, "a link that may not be used", CAD_STR(""));
    }
    cad_sb_deinit(&sb);
    return failed || rc == CAD_E_NOMEM ? cad_licensed_fail_memory(p) : CAD_OK;
}

/* The licence that came along (5.7 use 2): the first that a track has. */
static int build_license(struct cad_licensed *p)
{
    const struct cad_raw_license *license = NULL;
    if (!p->options->allow_drm) return CAD_OK;
    for (uint32_t i = 0; i < p->track_count && !license; i++) {
        const struct cad_raw_track *raw = p->raws[i];
        if (raw && raw->license && raw->license->response.n > 0) license = raw->license;
    }
    if (!license) return CAD_OK;
    size_t cap = cad_base64_decoded_max(license->response.n);
    uint8_t *bytes = cad_arena_alloc(&p->model->arena, cap + 1, 1);
    size_t n = 0;
    if (!bytes) return cad_licensed_fail_memory(p);
    if (cad_base64_decode(license->response, 0, bytes, cap, &n) != 0 || n == 0) {
        cad_licensed_warn(p, "a licence that is no base64", CAD_STR(""));
        return CAD_OK;
    }
    p->model->presentation.licence = (cad_buf){bytes, n};
    return CAD_OK;
}

static int build_links(struct cad_licensed *p)
{
    static const struct cad_raw_links none;
    const struct cad_raw_links *raw = p->manifest->links ? p->manifest->links : &none;
    struct cad_presentation *out = &p->model->presentation;
    int rc = build_link(p, raw->license, &out->links.license);
    if (rc == 0) rc = build_link(p, raw->ldl, &out->links.license_limited);
    if (rc == 0) rc = build_link(p, raw->events, &out->links.events);
    if (rc == 0) rc = build_link(p, raw->logblob, &out->links.logblob);
    if (rc == 0) rc = build_link(p, raw->probe, &out->links.probe);
    if (rc == 0) rc = build_license(p);
    if (rc != 0) return rc;
    if (!raw->events) cad_licensed_warn(p, "no events link", CAD_STR(""));
    if (p->kept_encrypted && !raw->license && out->licence.n == 0) {
        cad_licensed_warn(p, "encrypted streams and no licence", CAD_STR(""));
    }
    return CAD_OK;
}

/* A whole number in text form within low..high, else -1: out of range is ignored (5.6). */
static int64_t setting(cad_str text, int64_t low, int64_t high)
{
    int64_t value = 0;
    if (text.n == 0 || cad_str_to_i64(text, &value) != 0) return -1;
    return cad_raw_clamp(value, low, high, -1);
}

static int64_t times_1000(int64_t value)
{
    return value < 0 ? -1 : value * 1000;
}

static void build_overrides(struct cad_licensed *p)
{
    const struct cad_raw_steering *steering = p->manifest->steering;
    if (!steering || !steering->config) return;
    const struct cad_raw_config *c = steering->config;
    struct cad_presentation *out = &p->model->presentation;
    out->overrides.rate_max_bps = times_1000(setting(c->max_kbps, 1, 100000000));
    out->overrides.startup_rate_max_bps = times_1000(setting(c->startup_max_kbps, 1, 100000000));
    out->overrides.connect_timeout_ms = setting(c->connect_timeout_ms, 100, 60000);
    out->overrides.buffer_target_ms = times_1000(setting(c->buffer_target_s, 5, 600));
}

/* ---- expiry ---------------------------------------------------------------------------------- */

static void set_url_expiry(struct cad_licensed *p, int64_t expiry_ms)
{
    for (uint32_t t = 0; t < p->track_count; t++) {
        for (uint32_t r = 0; r < p->tracks[t].representation_count; r++) {
            const struct cad_representation *rep = &p->tracks[t].representations[r];
            /* The model is still ours alone: its const is a promise to readers to come. */
            struct cad_location *locations = (struct cad_location *)(uintptr_t)rep->locations;
            for (uint32_t i = 0; i < rep->location_count; i++) {
                if (locations[i].expiry_ms == 0) locations[i].expiry_ms = expiry_ms;
            }
        }
    }
}

static void settle_expiry(struct cad_licensed *p)
{
    const struct cad_raw_manifest *m = p->manifest;
    struct cad_presentation *out = &p->model->presentation;
    int64_t now = out->server_time_ms > 0 ? out->server_time_ms : p->options->now_ms;
    out->expiry_ms = cad_raw_clamp(m->expiration, 1, CAD_JSON_EXACT_MAX, 0);
    if (out->expiry_ms == 0) {
        cad_licensed_warn(p, "no expiration", m->movie_id);
        out->expiry_ms = p->first_expiry_ms;
        if (out->expiry_ms == 0 && now > 0) {
            out->expiry_ms = cad_add_sat_i64(now, EXPIRY_DEFAULT_MS);
        }
        set_url_expiry(p, out->expiry_ms);
    }
    int64_t keep = cad_raw_clamp(m->keep_ms, 0, CAD_JSON_EXACT_MAX, -1);
    if (keep < 0 && out->expiry_ms > 0 && now > 0) {
        keep = out->expiry_ms > now ? out->expiry_ms - now : 0;
    }
    if (keep >= 0) out->keep = cad_mul_sat_i64(keep, CAD_MS);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Tracks that say "none" are entries of a menu, not media. */
static uint32_t listed(const struct cad_raw_list *tracks)
{
    uint32_t count = 0;
    for (const struct cad_raw_item *item = tracks->first; item; item = item->next) {
        if (((const struct cad_raw_track *)item)->is_none != 1) count++;
    }
    return count;
}

static int check_media(struct cad_licensed *p)
{
    uint32_t video = listed(&p->manifest->video);
    uint32_t audio = listed(&p->manifest->audio);
    const char *lacks = NULL;
    if (audio > 0 && p->playable[CAD_MEDIA_AUDIO] == 0) lacks = "audio";
    if (video > 0 && p->playable[CAD_MEDIA_VIDEO] == 0) lacks = "video";
    if (video == 0 && audio == 0) lacks = "video or audio";
    if (!lacks) return CAD_OK;
    char text[CAD_ERROR_MESSAGE_SIZE];
    if (p->dropped_encrypted > 0) {
        (void)snprintf(text, sizeof(text), "no playable %s: %u streams are encrypted", lacks,
                       (unsigned)p->dropped_encrypted);
    } else {
        (void)snprintf(text, sizeof(text), "no playable %s among the tracks", lacks);
    }
    return cad_licensed_fail(p, CAD_E_NOTFOUND, CAD_ERR_MANIFEST_NO_MEDIA, text);
}

static int seal_tracks(struct cad_licensed *p)
{
    struct cad_presentation *out = &p->model->presentation;
    struct cad_track *tracks = cad_arena_array(&p->model->arena, struct cad_track, p->track_count);
    struct cad_period *period = cad_arena_new(&p->model->arena, struct cad_period);
    if (!tracks || !period) return cad_licensed_fail_memory(p);
    memcpy(tracks, p->tracks, p->track_count * sizeof(*tracks));
    period->id = CAD_STR("");
    period->duration = out->duration;
    period->tracks = tracks;
    period->track_count = p->track_count;
    out->periods = period;
    out->period_count = 1;
    return CAD_OK;
}

int cad_licensed_finish(struct cad_licensed *p)
{
    int rc = check_media(p);
    if (rc != 0) return rc;
    choose_defaults(p);
    build_overrides(p);
    settle_expiry(p);
    rc = build_markers(p);
    if (rc == 0) rc = build_links(p);
    if (rc == 0) rc = cad_licensed_seal_servers(p);
    if (rc == 0) rc = seal_tracks(p);
    if (rc == 0) cad_model_seal(p->model);
    return rc;
}
