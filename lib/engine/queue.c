/*
 * The queue of a slot: segments held or being fetched, contiguous in time, and the samples in them.
 *
 * A segment is one buffer; samples are views into it. The queue changes at its ends only: plan.c
 * pushes at the tail, eviction takes from the head, a seek outside drops it whole.
 */
#include <string.h>

#include "base/assert.h"
#include "base/cenc.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/util.h"
#include "engine/session.h"

struct segment *queue_at(const struct slot *s, size_t i)
{
    return cad_ring_at(&s->queue, i);
}

size_t queue_count(const struct slot *s)
{
    return s->present ? cad_ring_count(&s->queue) : 0;
}

/* Serials rise by one along the queue: a serial is found by arithmetic. */
struct segment *queue_find(const struct slot *s, uint64_t serial)
{
    size_t count = queue_count(s);
    if (count == 0) return NULL;
    uint64_t first = queue_at(s, 0)->serial;
    if (serial < first || serial - first >= count) return NULL;
    return queue_at(s, (size_t)(serial - first));
}

bool segment_whole(const struct segment *seg)
{
    return seg->sized && seg->have == seg->size;
}

bool rep_fetched_apart(const struct rep *rep)
{
    return rep->model->addressing == CAD_ADDRESSING_SEGMENTS && rep->model->timeline;
}

int64_t segment_limit(const struct cad_engine *e)
{
    return e->config.ceiling_bytes / ENGINE_SEGMENT_SHARE;
}

/* ---- time ---- */

cad_time rep_time(const struct rep *rep, int64_t ticks)
{
    cad_time t = cad_time_from_ticks(ticks - rep->index_base, cad_index_timescale(rep->index));
    return cad_time_add(t, rep->period_start);
}

int64_t rep_ticks(const struct rep *rep, cad_time t)
{
    cad_time in = cad_time_sub(t, rep->period_start);
    return cad_time_to_ticks(in, cad_index_timescale(rep->index)) + rep->index_base;
}

/* Presentation time of a sample, edit list applied. */
static cad_time sample_time(const struct rep *rep, int64_t ticks)
{
    cad_time t = cad_time_from_ticks(ticks - rep->sample_base, rep->init.timescale);
    return cad_time_add(t, rep->period_start);
}

/* ---- the ends of the queue ---- */

/* Bytes of a segment whose size nobody told: its rate, and some more. */
static int64_t size_guess(const struct rep *rep, const struct segment *seg)
{
    int64_t bytes = cad_muldiv_floor_i64(CAD_MAX(rep->rate_bps, 64000) / 8,
                                         CAD_MAX(seg->end - seg->start, CAD_SECOND), CAD_SECOND);
    return CAD_MIN(bytes + bytes / 4 + 4096, INT32_MAX);
}

/* Bytes of the segment in its resource, or what is known of them before it is asked for. */
static void place_bytes(struct segment *seg, const struct rep *r, const struct cad_segment *from)
{
    seg->sized = from->bytes.first >= 0;
    if (seg->sized) {
        seg->first_byte = from->bytes.first;
        seg->size = from->bytes.last - from->bytes.first + 1;
    } else {
        seg->size = size_guess(r, seg);
    }
}

struct segment *queue_push(struct slot *s, uint32_t rep,
                           const struct cad_segment *from)
{
    struct segment *seg = cad_ring_push_place(&s->queue);
    if (!seg) return NULL;
    struct rep *r = s->reps[rep];
    memset(seg, 0, sizeof(*seg));
    seg->serial = s->serial_next++;
    seg->rep = rep;
    seg->index = from->index;
    seg->start = CAD_MAX(rep_time(r, from->start_ticks), r->period_start);
    seg->end = CAD_MAX(rep_time(r, from->start_ticks + from->duration_ticks), seg->start);
    seg->media = seg->start;
    place_bytes(seg, r, from);
    seg->scanned = CAD_TIME_NONE;
    seg->show_from = CAD_TIME_NONE;
    seg->show_until = CAD_TIME_NONE;
    if (r->period_end != CAD_TIME_NONE && seg->end > r->period_end) {
        seg->end = r->period_end;
        seg->show_until = r->period_end;
    }
    size_t before = cad_ring_count(&s->queue) - 1;
    if (before) {
        /* The queue has no seam: a segment that begins before its predecessor's end is shown from
         * there on. Rounding to nanoseconds is not an overlap. */
        cad_time seam = queue_at(s, before - 1)->end;
        seg->anew = queue_at(s, before - 1)->show_until != CAD_TIME_NONE;
        if (seg->start < seam - CAD_MS) seg->show_from = CAD_MAX(seg->show_from, seam);
        seg->start = seam;
        seg->end = CAD_MAX(seg->end, seam);
    } else if (s->skip_until >= 0) {
        seg->start = CAD_MIN(seg->start, s->skip_until); /* the first there is from there on */
    }
    seg->media = CAD_MAX(seg->media, seg->start);
    cad_mp4_reader_init(&seg->scan, &r->init);
    seg->scan.origin = (uint64_t)seg->first_byte; /* and base, when that is known */
    /* What the header request covers too is there, or coming, without a request of its own. */
    bool there = r->header && seg->sized && !rep_fetched_apart(r);
    if (there && seg->first_byte < r->header_size && !r->header_taken) {
        seg->ref = cad_ref_ref(r->header);
        seg->ref_offset = (size_t)seg->first_byte;
        seg->in_header = true;
        queue_sync_header(s, r);
    }
    return seg;
}

/* Bytes that nobody has seen. What lies in a header's buffer may be of use yet. */
static uint64_t segment_unspent(const struct segment *seg)
{
    return seg->spent || seg->in_header ? 0 : (uint64_t)seg->have;
}

static void segment_release(struct cad_engine *e, struct segment *seg)
{
    if (seg->request) request_drop(e, seg->request);
    seg->request = NULL;
    e->bytes_wasted += segment_unspent(seg);
    cad_ref_unref(&seg->ref);
}

uint64_t queue_unspent(struct slot *s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < queue_count(s); i++) {
        n += segment_unspent(queue_at(s, i));
        queue_at(s, i)->spent = true;
    }
    return n;
}

void queue_clear(struct cad_engine *e, struct slot *s)
{
    struct segment seg;
    while (queue_count(s)) {
        segment_release(e, queue_at(s, 0));
        (void)cad_ring_pop(&s->queue, &seg);
    }
    s->cursor = s->serial_next;
    s->shown = s->serial_next;
    cad_mp4_reader_init(&s->reader, NULL);
    s->reader_serial = 0;
    /* Media that came with a header is not remembered past this: it would be fetched in order. */
    for (uint32_t i = 0; i < s->rep_count; i++) {
        struct rep *rep = s->reps[i];
        if (!rep || rep_fetched_apart(rep)) continue;
        if (rep->header) rep->header_taken = true;
        if (rep->state == REP_READY && rep->request) request_drop(e, rep->request);
    }
}

void queue_drop_tail(struct cad_engine *e, struct slot *s)
{
    size_t count = queue_count(s);
    if (count == 0) return;
    /* An empty queue begins again where the dropped segment did, not where the viewer began. */
    if (count == 1) s->skip_until = CAD_MAX(s->skip_until, queue_at(s, 0)->start);
    segment_release(e, queue_at(s, count - 1));
    (void)cad_ring_pop_back(&s->queue, NULL);
    /* The serial is given again: the queue stays dense, and nobody pulled past an unfinished tail
     * whose samples are now gone unless the reader says so. */
    s->serial_next--;
    if (s->reader_serial != s->serial_next) return;
    s->reader_serial = 0;
    s->skip_until = CAD_MAX(s->skip_until, s->pulled_end); /* nothing is shown twice */
}

void queue_evict(struct cad_engine *e, struct slot *s, cad_time before)
{
    while (queue_count(s) > 1) {
        struct segment *seg = queue_at(s, 0);
        if (seg->end > before || seg->serial >= s->cursor || seg->request || !segment_whole(seg)) {
            return;
        }
        segment_release(e, seg);
        (void)cad_ring_pop(&s->queue, NULL);
    }
}

/* Move to a position: inside the queue without losing a byte, outside by dropping it. */
void queue_seek(struct cad_engine *e, struct slot *s, cad_time position)
{
    s->pulled_end = position;
    s->shown_end = CAD_TIME_NONE;
    s->over = s->bad_media = s->end_pulled = false;
    s->rep_config = -1; /* the decoder starts anew */
    s->reader_serial = 0;
    s->locked = s->skip_sync = false;
    lane_drop_others(e, s, position);
    s->skip_until = position;
    size_t count = queue_count(s);
    for (size_t i = 0; i < count; i++) {
        struct segment *seg = queue_at(s, i);
        const struct rep *rep = s->reps[seg->rep];
        bool its_own = rep->period_end == CAD_TIME_NONE || position < rep->period_end;
        bool last_of_title = i + 1 == count && queue_at_end(s) && its_own;
        if (position < seg->start && i == 0) break;
        if (rep->state == REP_LOST && rep->header_end == 0) break; /* nobody can read it */
        if (position < seg->end || last_of_title) {
            s->cursor = seg->serial;
            s->shown = seg->serial;
            slot_drop_unreadable(e, s);
            return;
        }
    }
    /* Right behind the queue: what comes next is what is wanted, and the tail stays for seeking
     * back. */
    if (count && queue_at(s, count - 1)->end == position) {
        s->cursor = s->shown = s->serial_next;
        return;
    }
    queue_clear(e, s);
    lane_move(e, s, position);
}

cad_time queue_cut(struct cad_engine *e, struct slot *s, cad_time at)
{
    for (;;) {
        size_t count = queue_count(s);
        if (count == 0) {
            s->skip_until = CAD_MAX(s->skip_until, at);
            return at;
        }
        struct segment *tail = queue_at(s, count - 1);
        bool read = tail->serial < s->cursor || s->reader_serial == tail->serial;
        if (read && !segment_whole(tail)) return CAD_TIME_NONE;
        if (segment_whole(tail) && tail->media < at) {
            /* A viewer may be beyond it: media that ended early, or went on behind its index. */
            cad_time reached = CAD_MAX(s->shown_end, clock_position(e));
            tail->end = CAD_MAX(tail->end, CAD_MIN(reached, at));
            if (tail->end >= at) tail->end = tail->show_until = at;
            tail->last = false;
            return tail->end;
        }
        if (read) return tail->end; /* it was pulled to its end: the seam is there */
        queue_drop_tail(e, s);
    }
}

/* ---- space ---- */

/* Copy n bytes that are partly holes, run by run. */
static int copy_with_holes(struct cad_ref *from, size_t at, size_t n, struct cad_ref *to)
{
    for (size_t i = 0; i < n;) {
        bool hole = cad_ref_is_hole(from, at + i, at + i + 1);
        size_t run = 1;
        while (i + run < n && cad_ref_is_hole(from, at + i + run, at + i + run + 1) == hole) run++;
        if (hole) {
            int rc = cad_ref_add_hole(to, i, i + run);
            if (rc != 0) return rc;
        } else {
            memcpy(cad_ref_data(to) + i, cad_ref_data(from) + at + i, run);
        }
        i += run;
    }
    return CAD_OK;
}

/* A buffer for a segment; bytes that came with a header move over, so that none is fetched
 * twice. */
int queue_space(struct cad_engine *e, struct segment *seg)
{
    struct cad_ref *ref = NULL;
    if (seg->ref && !seg->in_header) return CAD_OK;
    size_t size = (size_t)seg->size;
    int rc = cad_pool_get(e->pool, size, &ref);
    if (rc != 0) return rc;
    if (seg->in_header && seg->have > 0) {
        size_t have = (size_t)seg->have;
        if (!cad_ref_is_hole(seg->ref, seg->ref_offset, seg->ref_offset + have)) {
            memcpy(cad_ref_data(ref), cad_ref_data(seg->ref) + seg->ref_offset, have);
        } else {
            rc = copy_with_holes(seg->ref, seg->ref_offset, have, ref);
        }
    }
    if (rc != 0) {
        cad_ref_unref(&ref);
        return rc;
    }
    cad_ref_unref(&seg->ref);
    seg->ref = ref;
    seg->ref_offset = 0;
    seg->in_header = false;
    return CAD_OK;
}

int queue_grow(struct cad_engine *e, struct segment *seg, int64_t n)
{
    struct cad_ref *ref = NULL;
    if (n > segment_limit(e)) return CAD_E_LIMIT;
    if (seg->ref && n <= (int64_t)cad_ref_size(seg->ref)) return CAD_OK;
    int rc = cad_pool_get(e->pool, (size_t)n, &ref);
    if (rc == 0 && seg->have > 0) rc = copy_with_holes(seg->ref, 0, (size_t)seg->have, ref);
    if (rc != 0) {
        cad_ref_unref(&ref);
        return rc;
    }
    cad_ref_unref(&seg->ref);
    seg->ref = ref;
    return CAD_OK;
}

/* Bytes of the header's buffer that belong to segments have moved on: tell the segments. */
void queue_sync_header(struct slot *s, struct rep *rep)
{
    size_t count = queue_count(s);
    for (size_t i = 0; i < count; i++) {
        struct segment *seg = queue_at(s, i);
        if (!seg->in_header || seg->rep != rep->at) continue;
        int64_t have = rep->header_have - seg->first_byte;
        seg->have = CAD_MAX(seg->have, CAD_MIN(CAD_MAX(have, 0), seg->size));
    }
}

void queue_settle_header(struct cad_engine *e, struct slot *s, struct rep *rep)
{
    queue_sync_header(s, rep);
    size_t count = queue_count(s);
    uint64_t waste = 0;
    for (size_t i = 0; i < count; i++) {
        struct segment *seg = queue_at(s, i);
        if (!seg->in_header || seg->rep != rep->at) continue;
        if (segment_whole(seg)) {
            seg->in_header = false; /* a view into a buffer that it now shares */
        } else if (queue_space(e, seg) != 0) {
            /* No memory to keep the part: it will be asked for again. */
            waste += (uint64_t)seg->have;
            cad_ref_unref(&seg->ref);
            seg->in_header = false;
            seg->have = 0;
        }
    }
    e->bytes_twice += waste;
}

/* ---- how far media reaches ---- */

/* Bytes of the whole segment, as the reader wants them. */
static uint64_t segment_total(const struct segment *seg)
{
    return seg->sized ? (uint64_t)seg->size : UINT64_MAX;
}

/* Look at more samples of the segment, so that a part of it counts before all of it is there. */
static void scan(struct slot *s, struct segment *seg)
{
    const struct rep *rep = s->reps[seg->rep];
    if (!seg->ref || seg->have == 0 || seg->scan_done || rep->state != REP_READY) return;
    cad_buf b = {cad_ref_data(seg->ref) + seg->ref_offset, (size_t)seg->have};
    struct cad_mp4_sample sample;
    cad_time end = CAD_TIME_NONE;
    for (int i = 0; i < ENGINE_SCAN_SAMPLES; i++) {
        int rc = cad_mp4_reader_next(&seg->scan, b, segment_total(seg), &sample);
        if (rc != 0) {
            seg->scan_done = rc != CAD_E_AGAIN;
            break;
        }
        /* Decoding order: the time that is surely covered is that of decoding. */
        end = sample_time(rep, sample.dts_ticks + (int64_t)sample.duration_ticks);
    }
    if (end != CAD_TIME_NONE) seg->scanned = CAD_MIN(end, seg->end);
}

/* The first segment to come whose init is not there; NULL: all can be read. */
static const struct segment *unreadable(const struct slot *s)
{
    size_t count = queue_count(s);
    for (size_t i = 0; i < count; i++) {
        const struct segment *seg = queue_at(s, i);
        if (seg->serial >= s->cursor && s->reps[seg->rep]->header_end == 0) return seg;
    }
    return NULL;
}

/* The queue is contiguous and whole but for its tail, so its ends tell all. */
cad_time queue_buffered_end(struct slot *s, cad_time from, bool look)
{
    size_t count = queue_count(s);
    if (count == 0) return from;
    /* Tracks may begin a little after zero; anything larger is a hole in time, but for what the
     * sink has already of a segment that was given up. */
    cad_time held = CAD_MAX(from, s->pulled_end);
    if (queue_at(s, 0)->start > cad_time_add(held, CAD_SECOND)) return from;
    struct segment *tail = queue_at(s, count - 1);
    const struct segment *closed = unreadable(s);
    if (closed) return CAD_MAX(from, closed->start);
    if (segment_whole(tail)) return CAD_MAX(from, tail->end);
    cad_time end = count > 1 ? CAD_MAX(from, tail->start) : from;
    if (!look) return end;
    scan(s, tail);
    return CAD_MAX(end, tail->scanned); /* CAD_TIME_NONE is less than any time */
}

bool segment_last(const struct slot *s, const struct segment *seg)
{
    const struct rep *rep = s->reps[seg->rep];
    if (!rep->final || s->switching) return false;
    if (seg->last) return true;
    if (seg->show_until != CAD_TIME_NONE) return false; /* it was cut: the same may follow */
    return rep->lane == s->lane && rep->index && seg->index + 1 == cad_index_count(rep->index);
}

bool queue_at_end(const struct slot *s)
{
    size_t count = queue_count(s);
    if (count == 0) return s->present && s->over && !s->switching;
    const struct segment *tail = queue_at(s, count - 1);
    return segment_whole(tail) && segment_last(s, tail) && !unreadable(s);
}

/* ---- samples ---- */

static int pull_config(struct slot *s, const struct segment *seg, struct cad_sample *out)
{
    const struct rep *rep = s->reps[seg->rep];
    const struct cad_mp4_init *init = &rep->init;
    memset(out, 0, sizeof(*out));
    struct cad_stream_config *c = &out->config;
    c->type = init->type;
    c->codec = init->codec;
    memcpy(c->codecs, init->codecs, sizeof(c->codecs));
    c->extra = init->config;
    c->width = init->width;
    c->height = init->height;
    c->channels = init->channels;
    c->sample_rate_hz = init->sample_rate_hz;
    c->timescale = init->timescale;
    c->color = init->color;
    for (uint32_t i = 0; i < s->rung_count; i++) {
        if (s->rung_rep[i] == seg->rep) c->rung = i;
    }
    c->rate_bps = rep->rate_bps;
    out->ref = cad_ref_ref(rep->header);
    s->rep_config = (int32_t)seg->rep;
    return CAD_E_CONFIG;
}

/* Where a segment's samples begin and cease to be shown: at a seam, or where its period does. */
static cad_time shown_from(const struct slot *s, const struct segment *seg)
{
    const struct rep *rep = s->reps[seg->rep];
    return rep->period_start > 0 ? CAD_MAX(seg->show_from, rep->period_start) : seg->show_from;
}

static cad_time shown_until(const struct slot *s, const struct segment *seg)
{
    const struct rep *rep = s->reps[seg->rep];
    cad_time until = seg->show_until == CAD_TIME_NONE ? INT64_MAX : seg->show_until;
    return rep->period_end == CAD_TIME_NONE ? until : CAD_MIN(until, rep->period_end);
}

/* Does a sample belong to what comes before or after its segment? Of two frames that both hold the
 * seam the earlier one is heard or seen: a seam is a gap of less than a frame, no overlap. What was
 * shown counts, not what an index said of it; less than a millisecond of sound is rounding. */
static bool outside_seams(const struct slot *s, const struct segment *seg, cad_time pts,
                          cad_time end)
{
    if (pts >= shown_until(s, seg)) return true;
    cad_time from = shown_from(s, seg);
    if (from != CAD_TIME_NONE && end <= from) return true;
    if (s->seam_end == CAD_TIME_NONE) return false;
    cad_time slack = s->model->type == CAD_MEDIA_AUDIO ? CAD_MS : (end - pts) / 2;
    return pts < s->seam_end - slack;
}

static void fill_sample(struct slot *s, const struct segment *seg, const struct rep *rep,
                        const struct cad_mp4_sample *sample, struct cad_sample *out)
{
    memset(out, 0, offsetof(struct cad_sample, config));
    out->pts = sample_time(rep, sample->pts_ticks);
    out->dts = sample_time(rep, sample->dts_ticks);
    out->duration = cad_time_from_ticks(sample->duration_ticks, rep->init.timescale);
    out->size = sample->size;
    size_t at = seg->ref_offset + (size_t)sample->offset;
    out->data = cad_ref_data(seg->ref) + at;
    out->ref = cad_ref_ref(seg->ref);
    if (sample->sync) out->flags |= CAD_SAMPLE_SYNC;
    /* One tick of rounding must not make a frame that ends at the position look like one that
     * shows. */
    cad_time end = sample_time(rep, sample->pts_ticks + (int64_t)sample->duration_ticks);
    if (end <= s->skip_until || outside_seams(s, seg, out->pts, end)) {
        out->flags |= CAD_SAMPLE_DECODE_ONLY;
    } else {
        s->shown_end = CAD_MAX(s->shown_end, end);
    }
    s->pulled_end = CAD_MAX(s->pulled_end, end);
    if (sample->size && cad_ref_is_hole(seg->ref, at, at + sample->size)) {
        out->flags |= CAD_SAMPLE_HOLE;
    }
}

/* Does the first sample say that these are the bytes of another segment? A fragment may differ from
 * the index by a little (licensed manifest 7), not by a segment. */
static bool out_of_place(const struct segment *seg,
                         const struct rep *rep, const struct cad_mp4_sample *first)
{
    struct cad_segment want;
    if (!rep->index || cad_index_at(rep->index, seg->index, &want) != 0) return false;
    cad_time start = rep_time(rep, want.start_ticks);
    cad_time at = sample_time(rep, first->dts_ticks);
    cad_time off = cad_time_sub(at, start);
    /* Segments of a template with a duration may be off by half of it (23009-1 5.3.9.2.1). */
    cad_time half = rep_time(rep, want.start_ticks + want.duration_ticks / 2) - start;
    cad_time limit = CAD_MAX(ENGINE_OUT_OF_PLACE, half);
    return off > limit || off < -limit;
}

/* What is decoded at or behind a seam is shown behind it: nobody needs it. Sound before one is of
 * no use but for the little that a decoder needs to run in; pictures are, to those that refer to
 * them. */
static bool beyond_seam(const struct slot *s, const struct segment *seg, const struct rep *rep,
                        const struct cad_mp4_sample *sample)
{
    if (sample_time(rep, sample->dts_ticks) >= shown_until(s, seg)) return true;
    cad_time from = shown_from(s, seg);
    if (s->model->type != CAD_MEDIA_AUDIO || from == CAD_TIME_NONE) return false;
    return sample_time(rep, sample->pts_ticks) < from - ENGINE_AUDIO_PREROLL;
}

/* ---- encrypted samples ----------------------------------------------------------------------- */

/* What the CDM must know of a sample, in a buffer of its own. */
static int fill_crypt(struct cad_engine *e, const struct cad_mp4_sample_crypt *crypt,
                      struct cad_sample *out)
{
    enum cad_scheme scheme;
    struct cad_ref *ref = NULL;
    uint32_t count = cad_cenc_subsample_count(crypt->subsamples);
    if (cad_mp4_scheme(crypt->scheme, &scheme) != 0) return CAD_E_DATA;
    size_t size = sizeof(struct cad_cdm_sample) + count * sizeof(struct cad_cdm_subsample);
    int rc = cad_pool_get(e->pool, size, &ref);
    if (rc != 0) return rc;
    struct cad_cdm_sample *c = (struct cad_cdm_sample *)(void *)cad_ref_data(ref);
    struct cad_cdm_subsample *subsamples = (struct cad_cdm_subsample *)(void *)(c + 1);
    memset(c, 0, sizeof(*c));
    c->size = sizeof(*c);
    c->scheme = scheme;
    memcpy(c->kid, crypt->protection.kid, sizeof(c->kid));
    memcpy(c->iv, crypt->iv.p, CAD_MIN(crypt->iv.n, sizeof(c->iv)));
    c->iv_size = (uint32_t)CAD_MIN(crypt->iv.n, sizeof(c->iv));
    c->crypt_blocks = crypt->protection.crypt_byte_block;
    c->skip_blocks = crypt->protection.skip_byte_block;
    for (uint32_t i = 0; i < count; i++) subsamples[i] = cad_cenc_subsample(crypt->subsamples, i);
    c->subsamples = subsamples;
    c->subsample_count = count;
    c->data = (cad_buf){out->data, out->size};
    c->pts = out->pts;
    out->crypt = c;
    out->crypt_ref = ref;
    return CAD_OK;
}

/* 0: it may go out, with all that it takes to open it. CAD_E_AGAIN: not now. CAD_E_DATA: what is
 * said of it is wrong, it must not go out. */
static int protect(struct cad_engine *e, struct slot *s, cad_buf b,
                   const struct cad_mp4_sample *sample, struct cad_sample *out)
{
    struct cad_mp4_sample_crypt crypt;
    int rc = cad_mp4_crypt_next(&s->crypt, &s->reader, b, sample, &crypt);
    if (rc == CAD_E_AGAIN) return rc;
    if (rc != 0) return CAD_E_DATA;
    if (!crypt.protection.is_protected) return CAD_OK;
    rc = fill_crypt(e, &crypt, out);
    return rc == CAD_E_NOMEM ? CAD_E_AGAIN : rc;
}

/* A sample that nobody can open correctly: pictures are passed over up to the next one that
 * decoding can begin at (cdm 6). */
static void bad_sample(struct cad_engine *e, struct slot *s)
{
    if (s->skip_sync) return;
    s->skip_sync = s->model->type == CAD_MEDIA_VIDEO;
    s->bad_crypt = true;
    CAD_LOG(&e->config.log, WARN, e->now, "engine: malformed protection data slot=%u",
            (unsigned)(s - e->slots));
}

/* A fragment that breaks off or contradicts itself ends the session's use of its representation. */
static int bad_segment(struct cad_engine *e, struct slot *s, const struct segment *seg)
{
    CAD_LOG(&e->config.log, WARN, e->now, "engine: bad segment slot=%u rep=%u index=%u",
            (unsigned)(s - e->slots), seg->rep, seg->index);
    s->bad_media = true;
    return CAD_E_AGAIN;
}

static int with_epoch(const struct cad_engine *e, int result, struct cad_sample *out)
{
    out->epoch = e->clock.epoch;
    return result;
}

/* The sample that the reader has come to. CAD_E_AGAIN: not now, the reader is where it was.
 * CAD_E_STALE: it does not go out. */
static int give_sample(struct cad_engine *e, struct slot *s, const struct segment *seg,
                       const struct cad_mp4_sample *sample, struct cad_sample *out)
{
    const struct rep *rep = s->reps[seg->rep];
    if (s->skip_sync && !sample->sync) return CAD_E_STALE;
    cad_time shown_end = s->shown_end, pulled_end = s->pulled_end;
    fill_sample(s, seg, rep, sample, out);
    int rc = CAD_OK;
    if (rep->init.encrypted) {
        cad_buf b = {cad_ref_data(seg->ref) + seg->ref_offset, (size_t)seg->have};
        rc = protect(e, s, b, sample, out);
    }
    if (rc == 0) {
        s->skip_sync = false;
        /* Until something is shown the sink stands, wherever the first sample lies. */
        cad_time pts = shown_end == CAD_TIME_NONE ? CAD_TIME_NONE : out->pts;
        if (out->crypt) keys_given(e, s, out->crypt->kid, pts);
        return rc;
    }
    cad_ref_unref(&out->ref);
    s->shown_end = shown_end;
    s->pulled_end = pulled_end;
    if (rc == CAD_E_AGAIN) return rc;
    bad_sample(e, s);
    return CAD_E_STALE;
}

int queue_pull(struct cad_engine *e, struct slot *s, struct cad_sample *out)
{
    for (;;) {
        struct segment *seg = queue_find(s, s->cursor);
        if (!seg) {
            size_t count = queue_count(s);
            bool past = count == 0 || s->cursor > queue_at(s, count - 1)->serial;
            if (past && queue_at_end(s)) s->end_pulled = true;
            return past && queue_at_end(s) ? CAD_E_END : CAD_E_AGAIN;
        }
        if (!seg->ref || seg->have == 0 || s->bad_media) return CAD_E_AGAIN;
        const struct rep *rep = s->reps[seg->rep];
        if (rep->header_end == 0) return CAD_E_AGAIN; /* its init segment is on the way */
        if (seg->anew || s->rep_config != (int32_t)seg->rep) {
            seg->anew = false;
            return with_epoch(e, pull_config(s, seg, out), out);
        }
        if (s->reader_serial != seg->serial) {
            cad_mp4_reader_init(&s->reader, &rep->init);
            s->reader.origin = (uint64_t)(seg->base + seg->first_byte);
            s->reader_serial = seg->serial;
            s->reader_placed = false;
            memset(&s->crypt, 0, sizeof(s->crypt));
            s->seam_end = s->shown_end;
        }
        struct cad_mp4_sample sample;
        cad_buf b = {cad_ref_data(seg->ref) + seg->ref_offset, (size_t)seg->have};
        struct cad_mp4_reader before = s->reader;
        int rc = cad_mp4_reader_next(&s->reader, b, segment_total(seg), &sample);
        if (rc == 0 && !s->reader_placed) {
            if (out_of_place(seg, rep, &sample)) return bad_segment(e, s, seg);
            s->reader_placed = true;
        }
        if (rc == 0 && beyond_seam(s, seg, rep, &sample)) continue;
        if (rc == 0) {
            rc = give_sample(e, s, seg, &sample, out);
            if (rc == CAD_E_STALE) continue;
            if (rc == CAD_E_AGAIN) s->reader = before;
            return with_epoch(e, rc, out);
        }
        if (rc == CAD_E_AGAIN && !segment_whole(seg)) return CAD_E_AGAIN;
        if (rc != CAD_E_END) return bad_segment(e, s, seg);
        s->cursor++;
    }
}
