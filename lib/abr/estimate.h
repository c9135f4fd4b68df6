/*
 * estimate.h - how fast the link is: a pair of exponential averages over transfer time.
 *
 * A sample is a rate and the time it was seen for. It decays everything before it by
 * 2^-(time / half life), so that a long transfer weighs more than a short one and idle time weighs
 * nothing. The fast average follows a fall, the slow one does not believe a peak: the estimate is
 * the lower of the two. An average starts at nothing with weight nothing and is divided by the
 * weight it has gathered, so that the first samples count in full. All of it is integers: rates in
 * bit/s with 8 binary places, weights in Q32. About 80 bytes, one per controller.
 */
#ifndef CAD_ABR_ESTIMATE_H
#define CAD_ABR_ESTIMATE_H

#include <stdint.h>

#include "cadmium/abr.h"

#define CAD_ABR_SAMPLE_BYTES_MIN (16 * 1024)          /* smaller ones tell about latency only */
#define CAD_ABR_SAMPLE_TIME_MIN CAD_MS                /* shorter ones are taken for this long */
#define CAD_ABR_RATE_MAX_BPS INT64_C(1000000000000)   /* samples above are cut: 1 Tbit/s */

struct cad_abr_average {
    cad_time half_life;  /* > 0, in transfer time */
    int64_t sum_q8;      /* weighted rate, bit/s with 8 binary places */
    int64_t weight_q32;  /* 0 .. 2^32, of all samples so far */
};

struct cad_abr_estimate {
    struct cad_abr_average fast, slow;
    cad_time ttfb;       /* average time to the first byte; CAD_TIME_NONE none seen */
    int64_t seed_bps;    /* stands until the first sample; 0 none */
};

void cad_abr_estimate_init(struct cad_abr_estimate *e, const struct cad_abr_config *config);
/* Forget the link: another network. The seed was for the old one and goes too. */
void cad_abr_estimate_reset(struct cad_abr_estimate *e);
void cad_abr_estimate_add(struct cad_abr_estimate *e, const struct cad_abr_transfer *transfer);
/* bit/s; 0 none yet. */
int64_t cad_abr_estimate_get(const struct cad_abr_estimate *e);
/* Average time from the request to the first byte; 0 unknown. */
cad_time cad_abr_estimate_ttfb(const struct cad_abr_estimate *e);

/*
 * The rate that one transfer tells and for how long (both > 0), or 0 if it tells nothing. Time to
 * the first byte is left out, except where nearly all of it was that: a body that came in one burst
 * says little about the rate, so it is spread over the whole transfer. Where streams shared the
 * link, all of their bytes count, or this stream's own rate if that is higher: both are lower
 * bounds.
 */
int64_t cad_abr_sample_bps(const struct cad_abr_transfer *transfer, cad_time *duration);

/* 2^-(t / half_life) in Q32: 2^32 for t <= 0, 0 for more than 32 half lives. half_life > 0. */
uint64_t cad_abr_decay_q32(cad_time t, cad_time half_life);

#endif
