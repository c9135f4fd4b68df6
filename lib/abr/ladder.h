/*
 * ladder.h - the rungs of a state that may be chosen, lowest first.
 *
 * A controller thinks in places on this list (0 = lowest allowed) and answers with rung numbers, so
 * that a rung that is not allowed is never a special case. It lives on the stack for one choice
 * (under 300 bytes).
 */
#ifndef CAD_ABR_LADDER_H
#define CAD_ABR_LADDER_H

#include <stdint.h>

#include "cadmium/abr.h"

struct cad_abr_ladder {
    const struct cad_abr_rung *rungs;
    uint32_t place[CAD_ABR_RUNGS_MAX]; /* rung number of each place, rising */
    uint32_t count;                    /* places, >= 1 */
};

/* The allowed rungs; all of them if none is allowed. */
void cad_abr_ladder_init(struct cad_abr_ladder *l, const struct cad_abr_rung *rungs,
                         uint32_t count);
/* The highest place with a rate of at most limit_bps; place 0 if there is none. */
uint32_t cad_abr_ladder_highest(const struct cad_abr_ladder *l, int64_t limit_bps);
/* The highest place whose rung number is at most rung; place 0 if there is none. */
uint32_t cad_abr_ladder_at_or_below(const struct cad_abr_ladder *l, uint32_t rung);
/* The place whose rung number is nearest to rung; of two, the lower. */
uint32_t cad_abr_ladder_nearest(const struct cad_abr_ladder *l, uint32_t rung);
int64_t cad_abr_ladder_rate(const struct cad_abr_ladder *l, uint32_t place);

#endif
