/*
 * synth.c - the files of a title made from a ladder: true boxes, payloads that are holes.
 *
 * Where every segment starts is laid down at creation, the moofs are drawn when they are asked for:
 * a title of two hours in ten rungs costs some 0.5 MB and no time.
 */
#include <string.h>

#include "cadmium/sim.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"
#include "base/util.h"
#include "drive/synth_boxes.h"

#define VIDEO_TIMESCALE 90000u     /* every millisecond is a whole number of ticks */
#define AUDIO_RATE_HZ 48000u
#define AUDIO_FRAME 1024           /* ticks of an AAC frame */
#define AUDIO_CHANNELS 2u
#define SEGMENTS_MAX 65535u        /* references of one sidx */
#define FRAME_RATE_MAX 240u
#define SD_HEIGHT 576u             /* pictures above it may have a key of their own */
#define DURATION_MAX (INT64_C(7) * 24 * 3600 * CAD_SECOND)

struct stream {
    struct cad_synth_stream info;
    uint8_t *header;         /* ftyp, moov, sidx: header_cap bytes are allocated */
    size_t header_cap;
    int64_t *offsets;        /* segment_count + 1: where segments start, and the end */
};

struct cad_synth {
    struct cad_alloc alloc;
    const struct cad_ladder *ladder;
    cad_time duration;
    uint32_t frame_rate;
    int64_t audio_rate_bps;
    enum cad_scheme scheme;
    uint8_t audio_kid[CAD_KEY_ID_SIZE];
    uint8_t video_kids[2][CAD_KEY_ID_SIZE]; /* that are in use */
    uint32_t video_kid_count;
    uint32_t segment_count;
    uint32_t stream_count;
    struct stream streams[CAD_ABR_RUNGS_MAX + 1];
};

void cad_synth_config_init(struct cad_synth_config *config)
{
    *config = (struct cad_synth_config){
        .size = sizeof(*config), .duration = 60 * CAD_SECOND, .frame_rate = 24,
        .audio_rate_bps = 96000};
}

/* ---- where things are ---------------------------------------------------------------------- */

/* Presentation time at which segment i begins; the title's end for the one past the last. */
static cad_time segment_start(const struct cad_synth *s, uint32_t i)
{
    cad_time start = (cad_time)i * s->ladder->segment_duration;
    return CAD_MIN(start, s->duration);
}

static int64_t audio_frame_at(cad_time t)
{
    return cad_muldiv_floor_i64(t, AUDIO_RATE_HZ, CAD_SECOND * AUDIO_FRAME);
}

static int64_t audio_bytes_before(const struct cad_synth *s, int64_t frame)
{
    return cad_muldiv_floor_i64(frame * AUDIO_FRAME, s->audio_rate_bps, 8 * (int64_t)AUDIO_RATE_HZ);
}

static void audio_fragment(const struct cad_synth *s, uint32_t i, struct cad_synth_fragment *f)
{
    int64_t first = audio_frame_at(segment_start(s, i));
    int64_t last = audio_frame_at(segment_start(s, i + 1));
    f->type = CAD_MEDIA_AUDIO;
    f->start_ticks = first * AUDIO_FRAME;
    f->duration_ticks = (last - first) * AUDIO_FRAME;
    f->samples = (uint32_t)(last - first);
    f->payload = audio_bytes_before(s, last) - audio_bytes_before(s, first);
    f->payload = CAD_MAX(f->payload, (int64_t)f->samples);
}

static void video_fragment(const struct cad_synth *s, uint32_t rung, uint32_t i,
                           struct cad_synth_fragment *f)
{
    const struct cad_ladder *l = s->ladder;
    cad_time start = segment_start(s, i);
    cad_time end = segment_start(s, i + 1);
    f->type = CAD_MEDIA_VIDEO;
    f->start_ticks = cad_time_to_ticks(start, VIDEO_TIMESCALE);
    f->duration_ticks = cad_time_to_ticks(end, VIDEO_TIMESCALE) - f->start_ticks;
    int64_t samples = (f->duration_ticks * s->frame_rate + VIDEO_TIMESCALE / 2) / VIDEO_TIMESCALE;
    f->samples = (uint32_t)CAD_MAX(samples, 1);
    int64_t bytes = l->segment_bytes[(size_t)(i % l->segment_count) * l->rung_count + rung];
    if (end - start < l->segment_duration) {
        bytes = cad_muldiv_floor_i64(bytes, end - start, l->segment_duration);
    }
    f->payload = 0;
    f->payload = CAD_MAX(bytes - cad_synth_fragment_head(f), (int64_t)f->samples);
}

static void fragment_at(const struct cad_synth *s, uint32_t stream, uint32_t i,
                        struct cad_synth_fragment *f)
{
    f->index = i;
    if (s->streams[stream].info.type == CAD_MEDIA_AUDIO) {
        audio_fragment(s, i, f);
    } else {
        video_fragment(s, stream, i, f);
    }
}

/* The segment that holds a byte at or behind the header. */
static uint32_t segment_of(const struct stream *st, int64_t offset)
{
    uint32_t low = 0;
    uint32_t high = st->info.segment_count;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (st->offsets[mid] <= offset) {
            low = mid;
        } else {
            high = mid;
        }
    }
    return low;
}

/* ---- creation ------------------------------------------------------------------------------ */

/* Where a ladder does not say how tall its pictures are. */
static uint32_t guess_height(int64_t rate_bps)
{
    static const struct { int64_t rate_bps; uint32_t height; } steps[] = {
        {400000, 240}, {800000, 360}, {1600000, 480}, {3500000, 720}, {9000000, 1080}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(steps); i++) {
        if (rate_bps < steps[i].rate_bps) return steps[i].height;
    }
    return 2160;
}

/* The key of a stream, for its header and in what is told of it. */
static void protect(const struct cad_synth *s, struct cad_synth_stream *info,
                    struct cad_synth_header *header)
{
    bool audio = info->type == CAD_MEDIA_AUDIO;
    const uint8_t *kid = audio ? s->audio_kid : s->video_kids[0];
    if (s->scheme == CAD_SCHEME_CLEAR) return;
    if (!audio && s->video_kid_count > 1 && info->height > SD_HEIGHT) kid = s->video_kids[1];
    info->scheme = s->scheme;
    memcpy(info->kid, kid, CAD_KEY_ID_SIZE);
    header->kid = info->kid;
    header->pssh_kids = audio ? s->audio_kid : s->video_kids[0];
    header->pssh_count = audio ? 1 : s->video_kid_count;
}

static bool is_zero(const uint8_t *kid)
{
    static const uint8_t zeros[CAD_KEY_ID_SIZE];
    return memcmp(kid, zeros, CAD_KEY_ID_SIZE) == 0;
}

/* Which keys there are; of pictures those that some picture is of. */
static void choose_keys(struct cad_synth *s, const struct cad_synth_config *config)
{
    const uint8_t *hd = is_zero(config->hd_kid) ? config->kid : config->hd_kid;
    const uint8_t *audio = is_zero(config->audio_kid) ? config->kid : config->audio_kid;
    bool has_sd = false, has_hd = false;
    for (uint32_t i = 0; i < s->stream_count; i++) {
        has_sd = has_sd || s->streams[i].info.height <= SD_HEIGHT;
        has_hd = has_hd || s->streams[i].info.height > SD_HEIGHT;
    }
    s->scheme = config->scheme;
    memcpy(s->audio_kid, audio, CAD_KEY_ID_SIZE);
    if (has_sd) memcpy(s->video_kids[s->video_kid_count++], config->kid, CAD_KEY_ID_SIZE);
    if (has_sd && memcmp(hd, config->kid, CAD_KEY_ID_SIZE) == 0) return;
    if (has_hd) memcpy(s->video_kids[s->video_kid_count++], hd, CAD_KEY_ID_SIZE);
}

static int lay_out(struct cad_synth *s, uint32_t index)
{
    struct stream *st = &s->streams[index];
    struct cad_synth_stream *info = &st->info;
    bool audio = info->type == CAD_MEDIA_AUDIO;
    uint32_t timescale = audio ? AUDIO_RATE_HZ : VIDEO_TIMESCALE;
    st->header_cap = CAD_SYNTH_MOOV_BYTES_MAX + (size_t)cad_synth_sidx_bytes(info->segment_count);
    st->header = cad_alloc_new(&s->alloc, st->header_cap, CAD_MEM_OTHER);
    st->offsets = cad_alloc_array(&s->alloc, (size_t)info->segment_count + 1,
                                  sizeof(*st->offsets), CAD_MEM_OTHER);
    if (!st->header || !st->offsets) return CAD_E_NOMEM;
    struct cad_synth_fragment f;
    fragment_at(s, index, info->segment_count - 1, &f);
    struct cad_synth_header header = {
        .type = info->type, .timescale = timescale, .rate_bps = info->rate_bps,
        .duration_ticks = f.start_ticks + f.duration_ticks,
        .width = info->width, .height = info->height,
        .sample_rate_hz = AUDIO_RATE_HZ, .channels = AUDIO_CHANNELS};
    protect(s, info, &header);
    struct cad_window w = {st->header, 0, (int64_t)st->header_cap, 0};
    int64_t at = cad_synth_write_init(&w, &header, &info->moov);
    CAD_ASSERT(at <= CAD_SYNTH_MOOV_BYTES_MAX);
    info->sidx = (struct cad_range){at, at + cad_synth_sidx_bytes(info->segment_count) - 1};
    info->header_bytes = info->sidx.last + 1;
    cad_synth_write_sidx(&w, timescale, info->segment_count);
    st->offsets[0] = info->header_bytes;
    for (uint32_t i = 0; i < info->segment_count; i++) {
        fragment_at(s, index, i, &f);
        int64_t bytes = cad_synth_fragment_head(&f) + f.payload;
        cad_synth_write_reference(&w, bytes, f.duration_ticks);
        st->offsets[i + 1] = st->offsets[i] + bytes;
    }
    info->size_bytes = st->offsets[info->segment_count];
    return 0;
}

static int check_config(const struct cad_synth_config *c)
{
    if (!c || c->size < sizeof(*c) || !c->ladder || c->ladder->rung_count == 0) return CAD_E_INVAL;
    if (c->ladder->segment_count == 0 || c->ladder->segment_duration < CAD_MS) return CAD_E_INVAL;
    if (c->frame_rate == 0 || c->duration < CAD_MS || c->audio_rate_bps < 0) return CAD_E_INVAL;
    if (c->frame_rate > FRAME_RATE_MAX || c->duration > DURATION_MAX) return CAD_E_LIMIT;
    if (c->audio_rate_bps > INT64_C(10000000)) return CAD_E_LIMIT;
    if (c->scheme != CAD_SCHEME_CLEAR && c->scheme != CAD_SCHEME_CBCS) return CAD_E_UNSUPPORTED;
    if ((c->duration - 1) / c->ladder->segment_duration >= SEGMENTS_MAX) return CAD_E_LIMIT;
    return 0;
}

static int add_streams(struct cad_synth *s, const struct cad_synth_config *config)
{
    const struct cad_ladder *l = s->ladder;
    for (uint32_t r = 0; r < l->rung_count; r++) {
        struct cad_synth_stream *info = &s->streams[r].info;
        info->type = CAD_MEDIA_VIDEO;
        info->rate_bps = l->rate_bps[r];
        info->height = (l->height[r] ? l->height[r] : guess_height(l->rate_bps[r])) & ~1u;
        if (info->height < 2) info->height = 2;
        info->width = info->height * 16 / 9 & ~1u;
        info->segment_count = s->segment_count;
        s->stream_count++;
    }
    choose_keys(s, config);
    for (uint32_t r = 0; r < l->rung_count; r++) {
        int err = lay_out(s, r);
        if (err) return err;
    }
    if (s->audio_rate_bps == 0) return 0;
    struct cad_synth_stream *info = &s->streams[s->stream_count].info;
    info->type = CAD_MEDIA_AUDIO;
    info->rate_bps = s->audio_rate_bps;
    /* A last segment under one frame has no audio. */
    info->segment_count = s->segment_count;
    struct cad_synth_fragment f;
    audio_fragment(s, info->segment_count - 1, &f);
    if (f.samples == 0) info->segment_count--;
    if (info->segment_count == 0) return CAD_E_INVAL;
    s->stream_count++;
    return lay_out(s, s->stream_count - 1);
}

int cad_synth_create(const struct cad_alloc *alloc, const struct cad_synth_config *config,
                     struct cad_synth **out)
{
    if (!alloc || !out) return CAD_E_INVAL;
    int err = check_config(config);
    if (err) return err;
    struct cad_synth *s = cad_alloc_new(alloc, sizeof(*s), CAD_MEM_OTHER);
    if (!s) return CAD_E_NOMEM;
    s->alloc = *alloc;
    s->ladder = config->ladder;
    s->duration = config->duration;
    s->frame_rate = config->frame_rate;
    s->audio_rate_bps = config->audio_rate_bps;
    s->segment_count = (uint32_t)((s->duration - 1) / s->ladder->segment_duration) + 1;
    err = add_streams(s, config);
    if (err) {
        cad_synth_destroy(&s);
        return err;
    }
    *out = s;
    return 0;
}

void cad_synth_destroy(struct cad_synth **synth)
{
    if (!synth || !*synth) return;
    struct cad_synth *s = *synth;
    for (uint32_t i = 0; i < s->stream_count; i++) {
        struct stream *st = &s->streams[i];
        cad_alloc_free(&s->alloc, st->header, st->header_cap, CAD_MEM_OTHER);
        cad_alloc_free(&s->alloc, st->offsets,
                       ((size_t)st->info.segment_count + 1) * sizeof(*st->offsets), CAD_MEM_OTHER);
    }
    struct cad_alloc alloc = s->alloc;
    cad_alloc_free(&alloc, s, sizeof(*s), CAD_MEM_OTHER);
    *synth = NULL;
}

/* ---- reading ------------------------------------------------------------------------------- */

uint32_t cad_synth_stream_count(const struct cad_synth *synth)
{
    return synth->stream_count;
}

int cad_synth_stream_at(const struct cad_synth *synth, uint32_t i, struct cad_synth_stream *out)
{
    if (i >= synth->stream_count) return CAD_E_NOTFOUND;
    *out = synth->streams[i].info;
    return 0;
}

int cad_synth_segment_at(const struct cad_synth *synth, uint32_t i, int64_t offset,
                         struct cad_synth_segment *out)
{
    if (i >= synth->stream_count) return CAD_E_NOTFOUND;
    const struct stream *st = &synth->streams[i];
    if (offset < st->info.header_bytes || offset >= st->info.size_bytes) return CAD_E_NOTFOUND;
    uint32_t index = segment_of(st, offset);
    out->index = index;
    out->bytes = (struct cad_range){st->offsets[index], st->offsets[index + 1] - 1};
    out->start = segment_start(synth, index);
    out->duration = segment_start(synth, index + 1) - out->start;
    return 0;
}

int cad_synth_read(const struct cad_synth *synth, uint32_t i, struct cad_range bytes,
                   uint8_t *out, size_t *done)
{
    if (i >= synth->stream_count || bytes.first < 0) return CAD_E_INVAL;
    if (bytes.last < bytes.first) return CAD_E_INVAL;
    int64_t offset = bytes.first;
    size_t n = (size_t)(bytes.last - offset) + 1;
    const struct stream *st = &synth->streams[i];
    *done = 0;
    if (offset >= st->info.size_bytes) return 0;
    if (offset < st->info.header_bytes) {
        size_t left = (size_t)(st->info.header_bytes - offset);
        *done = CAD_MIN(n, left);
        memcpy(out, st->header + offset, *done);
        return 0;
    }
    uint32_t index = segment_of(st, offset);
    struct cad_synth_fragment f;
    fragment_at(synth, i, index, &f);
    int64_t at = offset - st->offsets[index];
    int64_t head = cad_synth_fragment_head(&f);
    if (at >= head) {
        size_t left = (size_t)(st->offsets[index + 1] - offset);
        *done = CAD_MIN(n, left);
        return 1;
    }
    size_t left = (size_t)(head - at);
    *done = CAD_MIN(n, left);
    struct cad_window w = {out, at, at + (int64_t)*done, 0};
    cad_synth_write_fragment(&w, &f);
    return 0;
}
