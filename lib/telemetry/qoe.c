#include "telemetry/qoe.h"

#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/util.h"

#define PPM 1000000

/* ---- histograms ---------------------------------------------------------------------------- */

static uint32_t bucket_of(uint64_t v)
{
    if (v < 8) return (uint32_t)v;
    uint32_t top = 3; /* the highest bit */
    while (v >> (top + 1)) top++;
    return (top - 2) * 8 + (uint32_t)(v >> (top - 3) & 7);
}

/* The middle of what goes into a bucket. */
static int64_t middle_of(uint32_t bucket)
{
    if (bucket < 8) return bucket;
    uint32_t shift = bucket / 8 - 1;
    uint64_t low = (uint64_t)(8 + bucket % 8) << shift;
    return (int64_t)(low + ((UINT64_C(1) << shift) >> 1));
}

void tel_hist_add(struct tel_hist *h, int64_t v)
{
    if (v < 0) return;
    uint32_t b = bucket_of((uint64_t)v);
    CAD_ASSERT(b < TEL_HIST_BUCKETS);
    if (h->n[b] == UINT32_MAX) return;
    h->n[b]++;
    h->count++;
}

int64_t tel_hist_at(const struct tel_hist *h, uint32_t permille)
{
    if (h->count == 0) return -1;
    /* The rank of the value, from 1: a share of 0 is the least value. */
    uint64_t rank = (h->count * permille + 999) / 1000;
    if (rank == 0) rank = 1;
    uint64_t seen = 0;
    for (uint32_t b = 0; b < TEL_HIST_BUCKETS; b++) {
        seen += h->n[b];
        if (seen >= rank) return middle_of(b);
    }
    return -1;
}

/* ---- time ---------------------------------------------------------------------------------- */

void tel_play_begin(struct tel_play *p, cad_time at)
{
    memset(p, 0, sizeof(*p));
    p->q.size = sizeof(p->q);
    p->q.play_delay = -1;
    p->q.rate_start_bps = -1;
    p->q.time_to_top = -1;
    p->q.leg_critical = -1;
    for (uint32_t i = 0; i < CAD_LEGS; i++) p->q.leg_begin[i] = p->q.leg_end[i] = -1;
    p->state = CAD_PLAY_STARTING;
    p->rate_q16 = 65536;
    p->begun = p->last = at;
    p->first_frame = CAD_TIME_NONE;
    p->stall = -1;
    p->seek_at = CAD_TIME_NONE;
    for (uint32_t k = 0; k < CAD_SHOWN_KINDS; k++) p->now[k] = -1;
    p->vmaf_now = -1;
    p->server_now = -1;
}

static void add(cad_time *sum, cad_time dt)
{
    *sum = cad_add_sat_i64(*sum, dt);
}

static void advance_playing(struct tel_play *p, cad_time dt)
{
    cad_time media = cad_muldiv_floor_i64(dt, p->rate_q16, 65536);
    add(&p->q.rendered, media);
    for (uint32_t k = 0; k < CAD_SHOWN_KINDS; k++) {
        if (p->now[k] >= 0) add(&p->q.rungs[k][p->now[k]].shown, media);
    }
    if (p->vmaf_now >= 0) add(&p->vmaf_at[p->vmaf_now], media);
    if (p->server_now >= 0) add(&p->q.servers[p->server_now].shown, dt);
    add(&p->tick, dt);
    add(&p->midplay, dt);
}

void tel_play_advance(struct tel_play *p, cad_time now)
{
    if (now <= p->last) return;
    cad_time dt = cad_sub_sat_i64(now, p->last);
    p->last = now;
    add(&p->q.in_state[p->state], dt);
    if (p->state == CAD_PLAY_PLAYING) advance_playing(p, dt);
    if (p->state == CAD_PLAY_REBUFFERING && p->stall >= 0) add(&p->stall, dt);
    if (p->state == CAD_PLAY_PAUSED) {
        add(&p->paused_for, dt);
        add(&p->tick, dt);
    }
}

/* ---- states and stalls --------------------------------------------------------------------- */

/* A stall as short as this was not one: its time was playing. */
static bool close_stall(struct tel_play *p, cad_time *stall)
{
    cad_time length = p->stall;
    p->stall = -1;
    if (length < 0) return false;
    if (length <= TEL_STALL_MIN) {
        p->q.in_state[CAD_PLAY_REBUFFERING] -= length;
        p->q.in_state[CAD_PLAY_PLAYING] += length;
        return false;
    }
    p->q.rebuffers++;
    p->q.rebuffers_by[p->stall_reason]++;
    add(&p->q.rebuffer, length);
    add(&p->q.rebuffer_by[p->stall_reason], length);
    *stall = length;
    return true;
}

bool tel_play_state(struct tel_play *p, const struct cad_fact *fact, cad_time *stall)
{
    enum cad_play_state next = fact->u.state.state;
    bool closed = false;
    p->rate_q16 = fact->u.state.rate_q16 ? fact->u.state.rate_q16 : 65536;
    if (next == CAD_PLAY_REBUFFERING && p->stall < 0) {
        p->stall = 0;
        p->stall_reason = fact->u.state.reason;
    }
    /* A pause inside of a stall does not end it, and is no part of it. */
    if (next != CAD_PLAY_REBUFFERING && next != CAD_PLAY_PAUSED) closed = close_stall(p, stall);
    if (next == CAD_PLAY_PAUSED && p->state != CAD_PLAY_PAUSED) p->paused_for = 0;
    p->state = next;
    return closed;
}

/* ---- the start ----------------------------------------------------------------------------- */

/* Puts a span among the others, which stay rising and disjoint. */
static void cover(struct tel_play *p, cad_time begin, cad_time end)
{
    uint32_t first = 0;
    while (first < p->span_count && p->spans[first].end < begin) first++;
    uint32_t last = first; /* spans first..last-1 are swallowed */
    while (last < p->span_count && p->spans[last].begin <= end) {
        begin = CAD_MIN(begin, p->spans[last].begin);
        end = CAD_MAX(end, p->spans[last].end);
        last++;
    }
    if (last == first && p->span_count == TEL_SPANS_MAX) return;
    memmove(&p->spans[first + 1], &p->spans[last], (p->span_count - last) * sizeof(p->spans[0]));
    p->span_count += first + 1 - last;
    p->spans[first].begin = begin;
    p->spans[first].end = end;
}

void tel_play_leg(struct tel_play *p, enum cad_leg leg, cad_time begin, cad_time end)
{
    if (p->first_frame != CAD_TIME_NONE) return;
    begin = cad_sub_sat_i64(CAD_MAX(begin, p->begun), p->begun);
    end = cad_sub_sat_i64(CAD_MAX(end, p->begun), p->begun);
    struct cad_qoe *q = &p->q;
    if (q->leg_begin[leg] < 0 || begin < q->leg_begin[leg]) q->leg_begin[leg] = begin;
    if (end > q->leg_end[leg]) q->leg_end[leg] = end;
    cover(p, begin, end);
    if (q->leg_critical < 0 || q->leg_end[leg] >= q->leg_end[q->leg_critical]) {
        q->leg_critical = (int32_t)leg;
    }
}

void tel_play_first_frame(struct tel_play *p)
{
    if (p->first_frame != CAD_TIME_NONE) return;
    p->first_frame = p->last;
    p->q.play_delay = cad_sub_sat_i64(p->last, p->begun);
    cad_time covered = 0;
    for (uint32_t i = 0; i < p->span_count; i++) {
        cad_time end = CAD_MIN(p->spans[i].end, p->q.play_delay);
        if (end > p->spans[i].begin) covered += end - p->spans[i].begin;
    }
    p->q.leg_wait = p->q.play_delay - covered;
}

/* ---- what is shown ------------------------------------------------------------------------- */

/* The row of an id (and rate) among n rows; a new one if there is room; else the last. */
static uint32_t row_of(struct cad_qoe_rung *rows, uint32_t *n, uint32_t most, cad_str id,
                       int64_t rate_bps)
{
    struct cad_qoe_rung row = {.rate_bps = rate_bps};
    cad_str_copyz(row.id, sizeof(row.id), id);
    for (uint32_t i = 0; i < *n; i++) {
        if (rows[i].rate_bps == rate_bps && strcmp(rows[i].id, row.id) == 0) return i;
    }
    if (*n == most) return most - 1;
    rows[*n] = row;
    return (*n)++;
}

bool tel_play_shown(struct tel_play *p, const struct cad_fact *fact, int64_t *from_bps)
{
    struct cad_qoe *q = &p->q;
    enum cad_shown_kind kind = fact->u.shown.kind;
    int32_t before = p->now[kind];
    int64_t rate = CAD_MAX(fact->u.shown.rate_bps, 0);
    uint32_t row = row_of(q->rungs[kind], &q->rung_count[kind], CAD_TELEMETRY_RUNGS_MAX,
                          fact->u.shown.id, rate);
    /* What was rendered before anyone said what it was belongs to the first. */
    if (before < 0) q->rungs[kind][row].shown = q->rendered;
    p->now[kind] = (int32_t)row;
    if (kind != CAD_SHOWN_VIDEO) return false;
    int32_t vmaf = fact->u.shown.vmaf_milli;
    p->vmaf_now = vmaf < 0 ? -1 : CAD_MIN(vmaf / 1000, 100);
    if (fact->u.shown.top && q->time_to_top < 0) {
        q->time_to_top = p->first_frame == CAD_TIME_NONE ? 0 : p->last - p->first_frame;
    }
    if (before < 0) {
        q->rate_start_bps = rate;
        return false;
    }
    if ((uint32_t)before == row) return false;
    int64_t from = q->rungs[kind][before].rate_bps;
    q->switches++;
    add(&q->switch_bps, from > rate ? from - rate : rate - from);
    *from_bps = from;
    return true;
}

void tel_play_server(struct tel_play *p, cad_str id)
{
    p->server_now = (int32_t)row_of(p->q.servers, &p->q.server_count, CAD_TELEMETRY_SERVERS_MAX,
                                    id, 0);
}

void tel_play_transfer(struct tel_play *p, const struct cad_fact *fact)
{
    int64_t bytes = fact->u.transfer.bytes;
    if (bytes <= 0) return;
    p->q.bytes += (uint64_t)bytes;
    cad_time first = fact->u.transfer.first_byte;
    cad_time begin = first == CAD_TIME_NONE ? fact->u.transfer.begin : first;
    cad_time took = cad_sub_sat_i64(fact->u.transfer.end, begin);
    /* Small answers measure the round trip, not the rate. */
    if (bytes < 16384 || took <= 0 || fact->u.transfer.error != 0) return;
    tel_hist_add(&p->throughput, cad_muldiv_floor_i64(bytes, 8 * CAD_SECOND, took));
}

void tel_play_seek(struct tel_play *p)
{
    if (p->seek_at == CAD_TIME_NONE) p->seek_at = p->last;
}

void tel_play_seek_done(struct tel_play *p)
{
    if (p->seek_at == CAD_TIME_NONE) return;
    p->q.seeks++;
    tel_hist_add(&p->seeks, cad_sub_sat_i64(p->last, p->seek_at));
    p->seek_at = CAD_TIME_NONE;
}

/* ---- figures ------------------------------------------------------------------------------- */

static void video_figures(struct cad_qoe *q)
{
    cad_i128 sum = 0;
    cad_time all = 0;
    for (uint32_t i = 0; i < q->rung_count[CAD_SHOWN_VIDEO]; i++) {
        const struct cad_qoe_rung *r = &q->rungs[CAD_SHOWN_VIDEO][i];
        sum += (cad_i128)r->rate_bps * r->shown;
        add(&all, r->shown);
    }
    q->rate_mean_bps = all > 0 ? (int64_t)(sum / all) : 0;
}

static void vmaf_figures(const struct tel_play *p, struct cad_qoe *q)
{
    cad_i128 sum = 0;
    cad_time all = 0, seen = 0;
    q->vmaf_mean_milli = q->vmaf_p10_milli = -1;
    for (int i = 0; i <= 100; i++) {
        sum += (cad_i128)p->vmaf_at[i] * i * 1000;
        add(&all, p->vmaf_at[i]);
        if (i < TEL_VMAF_LOW) add(&q->vmaf_low, p->vmaf_at[i]);
    }
    if (all <= 0) return;
    q->vmaf_mean_milli = (int64_t)(sum / all);
    for (int i = 0; i <= 100 && q->vmaf_p10_milli < 0; i++) {
        seen += p->vmaf_at[i];
        if (seen > 0 && seen >= all / 10) q->vmaf_p10_milli = i * 1000;
    }
    if (q->rendered > 0) q->vmaf_cover_ppm = cad_muldiv_floor_i64(all, PPM, q->rendered);
}

void tel_play_figures(const struct tel_play *p, struct cad_qoe *out)
{
    struct tel_play end = *p;
    cad_time stall;
    close_stall(&end, &stall);
    struct cad_qoe *q = &end.q;
    cad_time both = cad_add_sat_i64(q->in_state[CAD_PLAY_PLAYING], q->rebuffer);
    q->rebuffer_ppm = both > 0 ? cad_muldiv_floor_i64(q->rebuffer, PPM, both) : 0;
    video_figures(q);
    vmaf_figures(p, q);
    q->seek_p50 = tel_hist_at(&p->seeks, 500);
    q->seek_p95 = tel_hist_at(&p->seeks, 950);
    q->throughput_p10_bps = tel_hist_at(&p->throughput, 100);
    q->throughput_p50_bps = tel_hist_at(&p->throughput, 500);
    q->size = out->size ? CAD_MIN(out->size, sizeof(*q)) : sizeof(*q);
    memcpy(out, q, q->size);
}
