/*
 * qoe.h - the sums of one playback: states, start ledger, stalls, rungs, seeks.
 *
 * Pure: every call has its time. Time passes by tel_play_advance only, so that each nanosecond is
 * in exactly one state and what is rendered is counted once in the total and once in its rung.
 */
#ifndef CAD_TELEMETRY_QOE_H
#define CAD_TELEMETRY_QOE_H

#include "cadmium/telemetry.h"

#define TEL_HIST_BUCKETS 512        /* 8 an octave, linear inside */
#define TEL_STALL_MIN (50 * CAD_MS) /* what is not longer is no stall */
#define TEL_SPANS_MAX 32            /* disjoint spans of legs that are kept */
#define TEL_VMAF_LOW 70             /* below: low quality */

struct tel_hist {
    uint32_t n[TEL_HIST_BUCKETS];
    uint64_t count;
};

/* v >= 0. */
void tel_hist_add(struct tel_hist *h, int64_t v);
/* The value that permille of all are at or below, to the middle of its bucket; -1 without any. */
int64_t tel_hist_at(const struct tel_hist *h, uint32_t permille);

struct tel_play {
    struct cad_qoe q;                  /* figures as they accumulate */
    enum cad_play_state state;
    enum cad_stall_reason stall_reason;
    uint32_t rate_q16;                 /* > 0 */
    cad_time begun, last;              /* of the play command; of the latest advance */
    cad_time first_frame;              /* CAD_TIME_NONE: none yet */
    cad_time stall;                    /* length of the open stall; -1 none is open */
    cad_time seek_at;                  /* of the open seek; CAD_TIME_NONE none */
    cad_time tick;                     /* played or paused since the last keepAlive */
    cad_time midplay;                  /* played since the last midplay entry */
    cad_time paused_for;               /* of this pause */
    int32_t now[CAD_SHOWN_KINDS];      /* index in q.rungs; -1 none */
    int32_t vmaf_now;                  /* whole steps; -1 unknown */
    int32_t server_now;                /* index in q.servers; -1 none */
    cad_time vmaf_at[101];             /* time at each whole step */
    struct tel_hist seeks, throughput; /* ns; bit/s */
    struct { cad_time begin, end; } spans[TEL_SPANS_MAX]; /* rising, disjoint */
    uint32_t span_count;
};

void tel_play_begin(struct tel_play *p, cad_time at);
/* Let time pass; an earlier time than the last does nothing. */
void tel_play_advance(struct tel_play *p, cad_time now);
/* The calls below happen at p->last. True: a stall was closed by it, *stall is its length. */
bool tel_play_state(struct tel_play *p, const struct cad_fact *fact, cad_time *stall);
void tel_play_leg(struct tel_play *p, enum cad_leg leg, cad_time begin, cad_time end);
void tel_play_first_frame(struct tel_play *p);
/* True: the rung of the video changed on screen; *from_bps is what was before, 0 nothing. */
bool tel_play_shown(struct tel_play *p, const struct cad_fact *fact, int64_t *from_bps);
void tel_play_server(struct tel_play *p, cad_str id);
void tel_play_transfer(struct tel_play *p, const struct cad_fact *fact);
void tel_play_seek(struct tel_play *p);
void tel_play_seek_done(struct tel_play *p);
/* The figures with all that is derived from sums. */
void tel_play_figures(const struct tel_play *p, struct cad_qoe *out);

#endif
