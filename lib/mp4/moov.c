/* The movie box: which track there is and what its samples look like (14496-12 8.2 to 8.8). */
#include "mp4/moov.h"

#include "base/checked.h"
#include "mp4/box.h"

/* What holds for all tracks. */
struct movie {
    uint32_t timescale;
    uint64_t fragment_duration; /* mehd, in movie ticks; 0 unknown */
    cad_buf mvex;               /* empty without */
};

/* One trak before it is turned into a cad_mp4_init. */
struct trak {
    uint32_t track_id;
    uint32_t timescale;
    uint64_t duration; /* mdhd; 0 unknown */
    uint32_t handler;
    cad_buf elst;
    cad_buf stsd;
    cad_buf sgpd; /* of type seig */
};

/* The version of a full box; the fields after version and flags are next. */
static uint8_t full_box(struct cad_mp4_wire *wire)
{
    uint8_t version = cad_mp4_wire_u8(wire);
    cad_mp4_wire_skip(wire, 3);
    return version;
}

/* A child that must be there. */
static int need_child(cad_buf container, uint32_t type, cad_buf *out)
{
    int rc = cad_mp4_child_find(container, type, out);
    return rc == CAD_E_NOTFOUND ? CAD_E_DATA : rc;
}

/* A child that may be missing: *out is empty then. */
static int may_child(cad_buf container, uint32_t type, cad_buf *out)
{
    int rc = cad_mp4_child_find(container, type, out);
    return rc == CAD_E_NOTFOUND ? 0 : rc;
}

/* A duration of 32 or 64 bits; all ones, and what no int64 holds, is unknown (8.3.2.3). */
static uint64_t read_duration(struct cad_mp4_wire *wire, uint8_t version)
{
    uint64_t value = cad_mp4_wire_uint(wire, version == 0 ? 4 : 8);
    if (version == 0 && value == UINT32_MAX) return 0;
    return value > INT64_MAX ? 0 : value;
}

/* The timescale and duration that mvhd and mdhd begin with. */
static int read_times(cad_buf body, uint32_t *timescale, uint64_t *duration)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(body);
    uint8_t version = full_box(&wire);
    cad_mp4_wire_skip(&wire, version == 0 ? 8 : 16);
    *timescale = cad_mp4_wire_u32(&wire);
    *duration = read_duration(&wire, version);
    return wire.failed || *timescale == 0 ? CAD_E_DATA : 0;
}

static int read_movie(cad_buf moov, struct movie *movie)
{
    cad_buf mvhd, mehd;
    uint64_t duration;
    int rc = need_child(moov, CAD_FOURCC('m', 'v', 'h', 'd'), &mvhd);
    if (rc == 0) rc = read_times(mvhd, &movie->timescale, &duration);
    if (rc == 0) rc = may_child(moov, CAD_FOURCC('m', 'v', 'e', 'x'), &movie->mvex);
    if (rc == 0) rc = may_child(movie->mvex, CAD_FOURCC('m', 'e', 'h', 'd'), &mehd);
    if (rc != 0) return rc;
    movie->fragment_duration = 0;
    if (mehd.p == NULL) return 0;
    struct cad_mp4_wire wire = cad_mp4_wire_of(mehd);
    movie->fragment_duration = read_duration(&wire, full_box(&wire));
    return wire.failed ? CAD_E_DATA : 0;
}

static int read_tkhd(cad_buf body, uint32_t *track_id)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(body);
    uint8_t version = full_box(&wire);
    cad_mp4_wire_skip(&wire, version == 0 ? 8 : 16);
    *track_id = cad_mp4_wire_u32(&wire);
    return wire.failed || *track_id == 0 ? CAD_E_DATA : 0;
}

static int read_hdlr(cad_buf body, uint32_t *handler)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(body);
    cad_mp4_wire_skip(&wire, 8);
    *handler = cad_mp4_wire_u32(&wire);
    return wire.failed ? CAD_E_DATA : 0;
}

static int read_trak(cad_buf body, struct trak *trak)
{
    cad_buf tkhd, edts, mdia, mdhd, hdlr, minf, stbl;
    int rc = need_child(body, CAD_FOURCC('t', 'k', 'h', 'd'), &tkhd);
    if (rc == 0) rc = read_tkhd(tkhd, &trak->track_id);
    if (rc == 0) rc = may_child(body, CAD_FOURCC('e', 'd', 't', 's'), &edts);
    if (rc == 0) rc = may_child(edts, CAD_FOURCC('e', 'l', 's', 't'), &trak->elst);
    if (rc == 0) rc = need_child(body, CAD_FOURCC('m', 'd', 'i', 'a'), &mdia);
    if (rc == 0) rc = need_child(mdia, CAD_FOURCC('m', 'd', 'h', 'd'), &mdhd);
    if (rc == 0) rc = read_times(mdhd, &trak->timescale, &trak->duration);
    if (rc == 0) rc = need_child(mdia, CAD_FOURCC('h', 'd', 'l', 'r'), &hdlr);
    if (rc == 0) rc = read_hdlr(hdlr, &trak->handler);
    if (rc == 0) rc = need_child(mdia, CAD_FOURCC('m', 'i', 'n', 'f'), &minf);
    if (rc == 0) rc = need_child(minf, CAD_FOURCC('s', 't', 'b', 'l'), &stbl);
    if (rc == 0) rc = need_child(stbl, CAD_FOURCC('s', 't', 's', 'd'), &trak->stsd);
    if (rc == 0) rc = cad_mp4_seig_find(stbl, CAD_FOURCC('s', 'g', 'p', 'd'), &trak->sgpd);
    return rc == CAD_E_NOTFOUND ? 0 : rc;
}

/*
 * Movie ticks (>= 0) in media ticks, to the nearest one: writers cut the movie's ticks, which are
 * the coarser, and whole media ticks come back this way. INT64_MAX: too large.
 */
static int64_t to_media_ticks(int64_t ticks, uint32_t timescale, uint32_t movie_timescale)
{
    int64_t whole = cad_muldiv_floor_i64(ticks, timescale, movie_timescale);
    if (whole == INT64_MAX) return whole;
    /* The rest is below 2^32, so that it survives arithmetic modulo 2^64. */
    uint64_t rest = (uint64_t)ticks * timescale - (uint64_t)whole * movie_timescale;
    return rest * 2 >= movie_timescale ? whole + 1 : whole;
}

/*
 * Where presentation begins in media ticks (8.6.6): the media_time of the first edit that shows
 * media, moved back by the empty edits before it, which delay the track. Later edits are not
 * followed: a CMAF track has one (23000-19 7.5.13).
 */
static int read_edits(cad_buf elst, const struct movie *movie, uint32_t timescale, int64_t *start)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(elst);
    uint8_t version = full_box(&wire);
    uint32_t count = cad_mp4_wire_u32(&wire);
    unsigned width = version == 0 ? 4 : 8;
    if (wire.failed || count > wire.b.n / (2 * width + 4)) return CAD_E_DATA;
    int64_t delay = 0;
    int64_t media_time = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = cad_mp4_wire_uint(&wire, width);
        int64_t duration;
        if (!cad_u64_to_i64(word, &duration)) return CAD_E_DATA;
        word = cad_mp4_wire_uint(&wire, width);
        media_time = version == 0 ? (int64_t)(int32_t)(uint32_t)word : (int64_t)word;
        if (media_time < -1) return CAD_E_DATA;
        if (media_time >= 0) break;
        media_time = 0;
        if (!cad_add_i64(delay, duration, &delay)) return CAD_E_DATA;
        cad_mp4_wire_skip(&wire, 4);
    }
    delay = to_media_ticks(delay, timescale, movie->timescale);
    if (delay == INT64_MAX) return CAD_E_DATA;
    return cad_sub_i64(media_time, delay, start) ? 0 : CAD_E_DATA;
}

/* The defaults of a track's samples; zeros without a trex of its own (8.8.3). */
static int read_trex(cad_buf mvex, struct cad_mp4_init *out)
{
    struct cad_mp4_child child;
    size_t at = 0;
    int rc;
    while ((rc = cad_mp4_child_next(mvex, &at, &child)) == 0) {
        if (child.type != CAD_FOURCC('t', 'r', 'e', 'x')) continue;
        struct cad_mp4_wire wire = cad_mp4_wire_of(child.body);
        (void)full_box(&wire);
        uint32_t track_id = cad_mp4_wire_u32(&wire);
        uint32_t description = cad_mp4_wire_u32(&wire);
        uint32_t duration = cad_mp4_wire_u32(&wire);
        uint32_t size = cad_mp4_wire_u32(&wire);
        uint32_t flags = cad_mp4_wire_u32(&wire);
        if (wire.failed) return CAD_E_DATA;
        if (track_id != out->track_id) continue;
        out->default_description = description;
        out->default_duration = duration;
        out->default_size = size;
        out->default_flags = flags;
    }
    return rc == CAD_E_END ? 0 : rc;
}

static int read_track(cad_buf body, const struct movie *movie, struct cad_mp4_init *out)
{
    struct trak trak = {0};
    *out = (struct cad_mp4_init){.type = CAD_MEDIA_OTHER};
    int rc = read_trak(body, &trak);
    if (rc != 0) return rc;
    out->track_id = trak.track_id;
    out->timescale = trak.timescale;
    out->duration_ticks = (int64_t)trak.duration;
    if (movie->fragment_duration > 0) {
        out->duration_ticks = to_media_ticks((int64_t)movie->fragment_duration, trak.timescale,
                                             movie->timescale);
    }
    if (trak.elst.p != NULL) {
        rc = read_edits(trak.elst, movie, trak.timescale, &out->edit_start_ticks);
    }
    if (rc == 0) rc = read_trex(movie->mvex, out);
    out->sgpd = trak.sgpd;
    return rc != 0 ? rc : cad_mp4_stsd_read(trak.stsd, trak.handler, out);
}

int cad_mp4_moov_track(cad_buf moov, uint32_t n, struct cad_mp4_init *out)
{
    struct movie movie = {0};
    struct cad_mp4_child child;
    size_t at = 0;
    int rc = read_movie(moov, &movie);
    if (rc != 0) return rc;
    while ((rc = cad_mp4_child_next(moov, &at, &child)) == 0) {
        if (child.type != CAD_FOURCC('t', 'r', 'a', 'k') || n-- > 0) continue;
        return read_track(child.body, &movie, out);
    }
    return rc == CAD_E_END ? CAD_E_NOTFOUND : rc;
}

/* How well a track serves as the one of the file: higher is better. */
static int worth(const struct cad_mp4_init *track, int rc)
{
    bool is_av = track->type == CAD_MEDIA_VIDEO || track->type == CAD_MEDIA_AUDIO;
    return (rc == 0 ? 4 : 0) + (is_av ? 2 : 0) + 1;
}

/* The best track of a moov. CAD_E_UNSUPPORTED: *out is the best of what is not understood. */
static int read_moov(cad_buf moov, struct cad_mp4_init *out)
{
    struct movie movie = {0};
    struct cad_mp4_child child;
    int best = 0;
    int result = CAD_E_UNSUPPORTED;
    size_t at = 0;
    int rc = read_movie(moov, &movie);
    *out = (struct cad_mp4_init){.type = CAD_MEDIA_OTHER};
    while (rc == 0 && (rc = cad_mp4_child_next(moov, &at, &child)) == 0) {
        if (child.type != CAD_FOURCC('t', 'r', 'a', 'k')) continue;
        struct cad_mp4_init track;
        int answer = read_track(child.body, &movie, &track);
        if (answer != 0 && answer != CAD_E_UNSUPPORTED) return answer;
        if (worth(&track, answer) <= best) continue;
        best = worth(&track, answer);
        result = answer;
        *out = track;
    }
    return rc == CAD_E_END ? result : rc;
}

int cad_mp4_init_read(cad_buf b, struct cad_mp4_init *out, size_t *end)
{
    uint64_t at = 0;
    struct cad_mp4_box box;
    int rc = cad_mp4_find_box(b, CAD_FOURCC('m', 'o', 'o', 'v'), &at);
    if (rc == CAD_E_NOTFOUND) return CAD_E_DATA;
    if (rc != 0) return rc;
    cad_buf rest = {b.p + at, b.n - (size_t)at};
    rc = cad_mp4_box_read(rest, &box);
    if (rc != 0) return rc;
    /* One that runs to the end of the file is never known to be whole, and no media follows it. */
    if (box.size == CAD_MP4_NONE) return CAD_E_DATA;
    if (box.size > CAD_MP4_MOOV_BYTES_MAX) return CAD_E_LIMIT;
    if (box.size > rest.n) return CAD_E_AGAIN;
    struct cad_mp4_init init;
    cad_buf moov = {rest.p + box.header, (size_t)box.size - box.header};
    rc = read_moov(moov, &init);
    if (rc != 0 && rc != CAD_E_UNSUPPORTED) return rc;
    init.moov = moov;
    *out = init;
    *end = (size_t)at + (size_t)box.size;
    return rc;
}
