/*
 * licensed_streams.c - audio and video tracks and their streams (5.2, 5.3, 5.4).
 *
 * A stream that lacks what the tables require is dropped with a warning, a track without streams as
 * well. Encrypted streams are left out without a warning where the caller has no use for them.
 */
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/util.h"
#include "manifest/ladder.h"
#include "manifest/licensed.h"
#include "manifest/profiles.h"

#define BITRATE_KBPS_MAX INT64_C(100000000) /* 100 Gbit/s */
#define PICTURE_SIDE_MAX 65536              /* pixels */
#define FRAME_RATE_PART_MAX 1000000000      /* of either part of the fraction */
#define LANGUAGE_BYTES_MAX 35u              /* the longest tag RFC 5646 asks one to carry */

/* ---- header boxes ---------------------------------------------------------------------------- */

/* The bytes of a box inside the file; first -1 if it was not given or cannot be. */
static struct cad_range box_range(const struct cad_raw_box *box, int64_t size_bytes)
{
    struct cad_range none = {-1, -1};
    if (!box || box->offset < 0 || box->size <= 0) return none;
    int64_t end = box->offset + box->size; /* both are below 2^53 */
    if (size_bytes >= 0 && end > size_bytes) return none;
    return (struct cad_range){box->offset, end - 1};
}

static bool overlap(struct cad_range a, struct cad_range b)
{
    return a.first >= 0 && b.first >= 0 && a.first <= b.last && b.first <= a.last;
}

/*
 * moov, sidx and the length of the header. What is missing, lies past the end or overlaps is left
 * unknown: the reader of the file then looks for it.
 */
static void fill_header(struct cad_licensed *p, const struct cad_raw_stream *raw,
                        struct cad_representation *out)
{
    struct cad_range moov = box_range(raw->moov, out->size_bytes);
    struct cad_range sidx = box_range(raw->sidx, out->size_bytes);
    struct cad_range ssix = box_range(raw->ssix, out->size_bytes);
    if (overlap(moov, sidx)) {
        moov.first = -1;
        sidx.first = -1;
    }
    if (moov.first < 0 || sidx.first < 0) {
        cad_licensed_warn(p, "a stream without a usable moov or sidx", raw->id);
    }
    if (moov.first >= 0) out->init = moov;
    if (sidx.first >= 0) out->index = sidx;

    int64_t end = -1;
    if (moov.first >= 0 && sidx.first >= 0) {
        end = CAD_MAX(moov.last, sidx.last) + 1;
        if (ssix.first >= 0) end = CAD_MAX(end, ssix.last + 1);
    }
    out->header_bytes = end;
    if (raw->header_bytes == CAD_RAW_ABSENT) return;
    int64_t limit = out->size_bytes >= 0 ? out->size_bytes : INT64_MAX;
    if (raw->header_bytes <= 0 || raw->header_bytes < end || raw->header_bytes > limit) {
        cad_licensed_warn(p, "a startByteOffset that cannot be", raw->id);
    } else {
        out->header_bytes = raw->header_bytes;
    }
}

/* ---- one stream ------------------------------------------------------------------------------ */

struct stream_context {
    const struct cad_raw_track *track;
    enum cad_media_type type;
};

/* Why a stream cannot be used, or NULL. */
static const char *refuse(const struct cad_licensed *p, const struct stream_context *context,
                          const struct cad_raw_stream *raw, struct cad_profile *profile)
{
    bool video = context->type == CAD_MEDIA_VIDEO;
    if (!raw->id.p) return "a stream without downloadable_id";
    if (!raw->profile.p) return "a stream without content_profile";
    if (!cad_profile_parse(raw->profile, profile)) return "a stream of an unknown profile";
    if (profile->type != context->type) return "a stream whose profile is of another kind";
    if (raw->bitrate <= 0 || raw->bitrate > BITRATE_KBPS_MAX) return "a stream without bitrate";
    if (video && (raw->width <= 0 || raw->width > PICTURE_SIDE_MAX || raw->height <= 0 ||
                  raw->height > PICTURE_SIDE_MAX)) {
        return "a video stream without picture size";
    }
    if (cad_licensed_ids_has(&p->representation_ids, raw->id)) return "a downloadable_id again";
    return NULL;
}

static void fill_rate(struct cad_licensed *p, const struct cad_raw_stream *raw,
                      struct cad_representation *out)
{
    out->bandwidth_bps = raw->bitrate * 1000;
    out->peak_bps = out->bandwidth_bps * 2;
    if (raw->peak == CAD_RAW_ABSENT) return;
    if (raw->peak < raw->bitrate || raw->peak > BITRATE_KBPS_MAX) {
        cad_licensed_warn(p, "a peakBitrate that cannot be", raw->id);
    } else {
        out->peak_bps = raw->peak * 1000;
    }
}

static void fill_size(struct cad_licensed *p, const struct cad_raw_stream *raw,
                      struct cad_representation *out)
{
    out->size_bytes = raw->size > 0 ? raw->size : -1;
    if (out->size_bytes < 0) cad_licensed_warn(p, "a stream without size", raw->id);
}

/* True if both parts make a rate. */
static bool fill_frame_rate(int64_t value, int64_t scale, struct cad_representation *out)
{
    if (scale == CAD_RAW_ABSENT) scale = 1;
    if (value <= 0 || value > FRAME_RATE_PART_MAX) return false;
    if (scale <= 0 || scale > FRAME_RATE_PART_MAX) return false;
    out->frame_rate_num = (uint32_t)value;
    out->frame_rate_den = (uint32_t)scale;
    return true;
}

static void fill_video(const struct stream_context *context, const struct cad_raw_stream *raw,
                       struct cad_representation *out)
{
    out->width = (uint32_t)raw->width;
    out->height = (uint32_t)raw->height;
    if (!fill_frame_rate(raw->rate_value, raw->rate_scale, out)) {
        (void)fill_frame_rate(context->track->rate_value, context->track->rate_scale, out);
    }
}

static void fill_audio(const struct stream_context *context, const struct cad_raw_stream *raw,
                       const struct cad_profile *profile, struct cad_representation *out)
{
    out->channels = cad_channels_parse(raw->channels);
    if (out->channels == 0) out->channels = cad_channels_parse(context->track->channels);
    if (out->channels == 0) out->channels = profile->channels;
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* 1: it may stay; 0: not. */
static int admit_encryption(struct cad_licensed *p, const struct stream_context *context,
                            const struct cad_raw_stream *raw, struct cad_representation *out)
{
    if (raw->is_drm < 0) cad_licensed_warn(p, "a stream that does not tell isDrm", raw->id);
    if (raw->is_drm != 1) return 1;
    if (!p->options->allow_drm) {
        p->dropped_encrypted++;
        return 0;
    }
    if (!cad_licensed_find_key(context->track, raw->drm_header_id, &out->drm_header_id)) {
        cad_licensed_warn(p, "an encrypted stream without drmHeader", raw->id);
        return 0;
    }
    out->encrypted = true;
    return 1;
}

/* ---- a stream becomes a representation ------------------------------------------------------- */

static int keep_texts(struct cad_licensed *p, const struct cad_raw_stream *raw,
                      const struct cad_profile *profile, struct cad_representation *out)
{
    bool failed = false;
    out->id = cad_licensed_keep(p, raw->id, &failed);
    out->profile = cad_licensed_keep(p, raw->profile, &failed);
    out->codecs = cad_licensed_keep(p, cad_str_from(profile->codecs), &failed);
    out->drm_header_id = cad_licensed_keep(p, out->drm_header_id, &failed);
    return failed ? cad_licensed_fail_memory(p) : 1;
}

/* 1: kept; 0: dropped. */
static int build_stream(struct cad_licensed *p, const struct stream_context *context,
                        const struct cad_raw_stream *raw, struct cad_representation *out)
{
    struct cad_profile profile;
    const char *why = refuse(p, context, raw, &profile);
    if (why) {
        cad_licensed_warn(p, why, raw->id);
        return 0;
    }
    cad_representation_blank(out);
    int kept = admit_encryption(p, context, raw, out);
    if (kept <= 0) return kept;
    int rc = cad_licensed_locations(p, &raw->urls, &out->locations, &out->location_count);
    if (rc != 0) return rc;
    if (out->location_count == 0) {
        cad_licensed_warn(p, "a stream without usable URL", raw->id);
        return 0;
    }
    out->codec = profile.codec;
    out->vmaf_milli = (int32_t)cad_raw_clamp(raw->vmaf_milli, 0, 100000, -1);
    fill_rate(p, raw, out);
    fill_size(p, raw, out);
    fill_header(p, raw, out);
    if (context->type == CAD_MEDIA_VIDEO) fill_video(context, raw, out);
    else fill_audio(context, raw, &profile, out);
    if (out->encrypted) p->kept_encrypted = true;
    cad_licensed_ids_put(&p->representation_ids, raw->id);
    return keep_texts(p, raw, &profile, out);
}

/* ---- tracks ---------------------------------------------------------------------------------- */

/* A well-formed language tag by its outline: fields of 1 to 8 letters and digits, letters first. */
static bool is_language(cad_str tag)
{
    cad_str field;
    bool first = true;
    if (tag.n == 0 || tag.n > LANGUAGE_BYTES_MAX) return false;
    while (cad_str_split(&tag, '-', &field)) {
        if (field.n == 0 || field.n > 8 || (first && field.n == 1)) return false;
        for (size_t i = 0; i < field.n; i++) {
            if (!cad_is_alpha(field.p[i]) && (first || !cad_is_digit(field.p[i]))) return false;
        }
        first = false;
    }
    return true;
}

void cad_licensed_describe(struct cad_licensed *p, const struct cad_raw_track *raw,
                           struct cad_track *out, bool *failed)
{
    out->lang = cad_licensed_keep(p, is_language(raw->language) ? raw->language : CAD_STR("und"),
                                  failed);
    out->label = cad_licensed_keep(p, raw->description, failed);
    out->role = cad_licensed_keep(p, raw->track_type, failed);
    out->rank = (int32_t)cad_raw_clamp(raw->rank, INT32_MIN, INT32_MAX, INT32_MAX);
    out->is_none = raw->is_none == 1;
    out->is_forced = raw->is_forced == 1;
}

static int build_streams(struct cad_licensed *p, const struct stream_context *context,
                         struct cad_representation *items, uint32_t *count)
{
    uint32_t n = 0;
    const struct cad_raw_item *item = context->track->streams.first;
    for (; item; item = item->next) {
        int kept = build_stream(p, context, (const struct cad_raw_stream *)item, &items[n]);
        if (kept < 0) return kept;
        n += (uint32_t)kept;
    }
    *count = n;
    return CAD_OK;
}

int cad_licensed_av_track(struct cad_licensed *p, const struct cad_raw_track *raw,
                          enum cad_media_type type, struct cad_track *out)
{
    struct stream_context context = {raw, type};
    uint32_t given = raw->streams.count;
    uint32_t encrypted = p->dropped_encrypted;
    if (given == 0) {
        bool expected = raw->is_none == 1 || raw->hydrated == 0;
        if (!expected) cad_licensed_warn(p, "a track without streams", out->id);
        return 0;
    }
    int rc = cad_licensed_keys(p, raw, out);
    struct cad_representation *items = cad_arena_array(&p->scratch, struct cad_representation,
                                                       given);
    if (rc == 0 && !items) rc = cad_licensed_fail_memory(p);
    if (rc == 0) rc = build_streams(p, &context, items, &out->representation_count);
    if (rc != 0) return rc;
    if (out->representation_count == 0) {
        /* The streams were warned about one by one; those that are encrypted are no fault. */
        if (p->dropped_encrypted == encrypted) {
            cad_licensed_warn(p, "a track without usable streams", out->id);
        }
        return 0;
    }
    cad_ladder_arrange(items, out->representation_count);
    struct cad_representation *kept = cad_arena_array(
        &p->model->arena, struct cad_representation, out->representation_count);
    if (!kept) return cad_licensed_fail_memory(p);
    memcpy(kept, items, out->representation_count * sizeof(*kept));
    out->representations = kept;
    bool failed = false;
    cad_licensed_describe(p, raw, out, &failed);
    if (type == CAD_MEDIA_AUDIO) out->channels = cad_channels_parse(raw->channels);
    if (type == CAD_MEDIA_AUDIO && out->channels == 0) out->channels = kept[0].channels;
    return failed ? cad_licensed_fail_memory(p) : 1;
}
