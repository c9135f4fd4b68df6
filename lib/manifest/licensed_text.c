/*
 * licensed_text.c - text tracks and trick play (5.4 and section 8): whole files, one GET each.
 */
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "manifest/licensed.h"
#include "manifest/profiles.h"

#define PICTURE_SIDE_MAX 65536 /* pixels */

/* bit/s of a whole file spread over the presentation; 1 where that is unknown or less. */
static int64_t file_rate(const struct cad_licensed *p, int64_t size_bytes)
{
    cad_time duration = p->model->presentation.duration;
    if (size_bytes <= 0 || duration <= 0) return 1;
    int64_t rate = cad_muldiv_floor_i64(size_bytes, 8 * CAD_SECOND, duration);
    return rate > 0 ? rate : 1;
}

static void fill_file(const struct cad_licensed *p, int64_t size, struct cad_representation *out)
{
    out->size_bytes = size > 0 ? size : -1;
    out->bandwidth_bps = file_rate(p, out->size_bytes);
    out->peak_bps = cad_mul_sat_i64(out->bandwidth_bps, 2);
}

/* ---- text ------------------------------------------------------------------------------------ */

struct text_choice {
    struct cad_representation representation;
    uint32_t choice; /* our order, 0 first */
};

/* The older form, a map of cdn id to URL, as the list of the newer one. */
static int urls_of(struct cad_licensed *p, const struct cad_raw_text_file *raw,
                   struct cad_raw_list *out)
{
    *out = raw->urls;
    if (out->count > 0) return CAD_OK;
    for (const struct cad_raw_item *item = raw->download_urls.first; item; item = item->next) {
        struct cad_raw_url *url = cad_arena_new(&p->scratch, struct cad_raw_url);
        if (!url) return cad_licensed_fail_memory(p);
        url->cdn_id = item->key;
        url->url = ((const struct cad_raw_text *)item)->value;
        if (out->last) out->last->next = &url->item;
        else out->first = &url->item;
        out->last = &url->item;
        out->count++;
    }
    return CAD_OK;
}

/* The published id of a file, or "track:profile"; in scratch. p NULL when memory ran out. */
static cad_str file_id(struct cad_licensed *p, const struct cad_raw_track *track,
                       const struct cad_track *out, cad_str profile)
{
    for (const struct cad_raw_item *item = track->file_ids.first; item; item = item->next) {
        const struct cad_raw_text *id = (const struct cad_raw_text *)item;
        if (id->value.n > 0 && cad_str_eq(item->key, profile)) return id->value;
    }
    size_t n = out->id.n + 1 + profile.n;
    char *text = cad_arena_array(&p->scratch, char, n);
    if (!text) return (cad_str){NULL, 0};
    memcpy(text, out->id.p, out->id.n);
    text[out->id.n] = ':';
    memcpy(text + out->id.n + 1, profile.p, profile.n);
    return cad_str_make(text, n);
}

static void fill_text(const struct cad_licensed *p, const struct cad_raw_text_file *raw,
                      const struct cad_profile *profile, struct cad_representation *out)
{
    fill_file(p, raw->size, out);
    out->codec = raw->is_image == 1 ? CAD_CODEC_UNKNOWN : profile->codec;
    out->width = (uint32_t)cad_raw_clamp(raw->width, 1, PICTURE_SIDE_MAX, 0);
    out->height = (uint32_t)cad_raw_clamp(raw->height, 1, PICTURE_SIDE_MAX, 0);
    int64_t end = out->size_bytes >= 0 ? out->size_bytes : INT64_MAX;
    if (raw->midx_offset < 0 || raw->midx_size <= 0) return;
    if (raw->midx_size > end - raw->midx_offset) return;
    out->index.first = raw->midx_offset;
    out->index.last = raw->midx_offset + raw->midx_size - 1;
}

/* 1: kept; 0: dropped. */
static int build_file(struct cad_licensed *p, const struct cad_raw_track *track,
                      const struct cad_raw_text_file *raw, const struct cad_track *owner,
                      struct text_choice *out)
{
    struct cad_profile profile;
    struct cad_representation *r = &out->representation;
    cad_str name = raw->item.key;
    if (!cad_profile_parse(name, &profile) || profile.type != CAD_MEDIA_TEXT) {
        cad_licensed_warn(p, "a text file of an unknown profile", name);
        return 0;
    }
    cad_str id = file_id(p, track, owner, name);
    if (!id.p) return cad_licensed_fail_memory(p);
    if (cad_licensed_ids_has(&p->representation_ids, id)) {
        cad_licensed_warn(p, "a downloadable_id again", id);
        return 0;
    }
    cad_representation_blank(r);
    struct cad_raw_list urls;
    int rc = urls_of(p, raw, &urls);
    if (rc == 0) rc = cad_licensed_locations(p, &urls, &r->locations, &r->location_count);
    if (rc != 0) return rc;
    if (r->location_count == 0) {
        cad_licensed_warn(p, "a text file without usable URL", id);
        return 0;
    }
    fill_text(p, raw, &profile, r);
    out->choice = profile.text_choice;
    cad_licensed_ids_put(&p->representation_ids, id);
    bool failed = false;
    r->id = cad_licensed_keep(p, id, &failed);
    r->profile = cad_licensed_keep(p, name, &failed);
    r->codecs = CAD_STR("");
    r->drm_header_id = CAD_STR("");
    return failed ? cad_licensed_fail_memory(p) : 1;
}

/* Each file goes where our order of choice puts it. */
static int build_files(struct cad_licensed *p, const struct cad_raw_track *raw,
                       const struct cad_track *owner, struct text_choice *items, uint32_t *count)
{
    uint32_t n = 0;
    for (const struct cad_raw_item *item = raw->files.first; item; item = item->next) {
        struct text_choice file;
        memset(&file, 0, sizeof(file));
        int kept = build_file(p, raw, (const struct cad_raw_text_file *)item, owner, &file);
        if (kept < 0) return kept;
        if (kept == 0) continue;
        uint32_t at = n++;
        for (; at > 0 && items[at - 1].choice > file.choice; at--) items[at] = items[at - 1];
        items[at] = file;
    }
    *count = n;
    return CAD_OK;
}

int cad_licensed_text_track(struct cad_licensed *p, const struct cad_raw_track *raw,
                            struct cad_track *out)
{
    bool none = raw->is_none == 1;
    struct text_choice *items = cad_arena_array(&p->scratch, struct text_choice,
                                                (size_t)raw->files.count + 1);
    if (!items) return cad_licensed_fail_memory(p);
    uint32_t n = 0;
    int rc = none ? CAD_OK : build_files(p, raw, out, items, &n);
    if (rc != 0) return rc;
    if (n == 0 && !none) {
        if (raw->hydrated != 0) cad_licensed_warn(p, "a text track without usable files", out->id);
        return 0;
    }
    bool failed = false;
    cad_licensed_describe(p, raw, out, &failed);
    if (failed) return cad_licensed_fail_memory(p);
    if (n == 0) return 1;
    struct cad_representation *kept = cad_arena_array(&p->model->arena,
                                                      struct cad_representation, n);
    if (!kept) return cad_licensed_fail_memory(p);
    for (uint32_t i = 0; i < n; i++) kept[i] = items[i].representation;
    out->representations = kept;
    out->representation_count = n;
    return 1;
}

/* ---- trick play ------------------------------------------------------------------------------ */

int cad_licensed_trickplay(struct cad_licensed *p, const struct cad_raw_trickplay *raw,
                           struct cad_track *out)
{
    cad_str id = raw->downloadable_id.n > 0 ? raw->downloadable_id : out->id;
    if (cad_licensed_ids_has(&p->representation_ids, id)) {
        cad_licensed_warn(p, "a downloadable_id again", id);
        return 0;
    }
    struct cad_representation *r = cad_arena_new(&p->model->arena, struct cad_representation);
    if (!r) return cad_licensed_fail_memory(p);
    cad_representation_blank(r);
    int rc = cad_licensed_locations(p, &raw->urls, &r->locations, &r->location_count);
    if (rc != 0) return rc;
    if (r->location_count == 0) {
        cad_licensed_warn(p, "trick play without usable URL", id);
        return 0;
    }
    fill_file(p, raw->size, r);
    r->width = (uint32_t)cad_raw_clamp(raw->width, 1, PICTURE_SIDE_MAX, 0);
    r->height = (uint32_t)cad_raw_clamp(raw->height, 1, PICTURE_SIDE_MAX, 0);
    bool failed = false;
    r->id = cad_licensed_keep(p, id, &failed);
    if (failed) return cad_licensed_fail_memory(p);
    r->profile = CAD_STR("");
    r->codecs = CAD_STR("");
    r->drm_header_id = CAD_STR("");
    cad_licensed_ids_put(&p->representation_ids, r->id);
    out->lang = CAD_STR("und");
    out->label = CAD_STR("");
    out->role = CAD_STR("");
    out->rank = INT32_MAX;
    out->representations = r;
    out->representation_count = 1;
    return 1;
}
