/*
 * health.h - the health of one host: counts of failures, rests, and the way back.
 *
 * A host is healthy, resting (until a time) or half open (its rest is over, nothing has been
 * heard of it since). Failures of a healthy host are counted by kind and lead to a rest at the
 * limits of licensed manifest 5.6 rule 4; in a half-open host one is enough. Each rest is longer
 * than the one before, until the host has been healthy for a minute. Plain data, no allocation.
 */
#ifndef CAD_STEER_HEALTH_H
#define CAD_STEER_HEALTH_H

#include <stdbool.h>

#include "steer/steer.h"

#define CAD_STEER_RESTS 4                       /* 10, 30, 120, 600 s */
#define CAD_STEER_CONNECTS_MAX 2                /* in a row */
#define CAD_STEER_RESETS_MAX 2                  /* in a row */
#define CAD_STEER_5XX_MAX 3                     /* in CAD_STEER_5XX_WINDOW */
#define CAD_STEER_5XX_WINDOW (30 * CAD_SECOND)
#define CAD_STEER_SETTLE (60 * CAD_SECOND)      /* healthy so long: as if nothing had been */

struct cad_health {
    uint32_t connects;        /* failures in a row */
    uint32_t resets;          /* in a row */
    uint32_t errors;          /* entries of error_at in use */
    cad_time error_at[CAD_STEER_5XX_MAX - 1]; /* of the last 5xx answers, oldest first */
    uint32_t rests;           /* rests so far: the next one has this place on the ladder */
    cad_time rest_until;      /* of the last rest; CAD_TIME_NONE never rested */
    cad_time rest_since;      /* when the last rest began; CAD_TIME_NONE never rested */
    bool half_open;           /* a rest was begun and no whole answer came since it ended */
    bool on_trial;            /* used during its rest because every candidate rested */
    cad_time well_since;      /* first whole answer after a rest; CAD_TIME_NONE not yet */
};

void cad_health_init(struct cad_health *h);
void cad_health_report(struct cad_health *h, enum cad_steer_outcome outcome, cad_time now);
/* Two probes in a row succeeded, the first of them sent at `since`: a rest that began before ends.
 * The host stays half open. */
void cad_health_probed(struct cad_health *h, cad_time since, cad_time now);
bool cad_health_resting(const struct cad_health *h, cad_time now);
/* It never rested, or its last rest ended CAD_STEER_SETTLE ago or earlier. */
bool cad_health_settled(const struct cad_health *h, cad_time now);
/* The length of the rest number `rests` (0 the first). */
cad_time cad_health_rest(uint32_t rests);

#endif
