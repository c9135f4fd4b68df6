/*
 * rank.h - the order in which servers are tried: the manifest's, unless probes say otherwise.
 *
 * Servers are indexes in the manifest's order; those of one level lie together there. Plain data.
 */
#ifndef CAD_STEER_RANK_H
#define CAD_STEER_RANK_H

#include <stdbool.h>

#include "steer/steer.h"

/* Servers may pass each other only where all of this is equal. */
struct cad_rank_level {
    int32_t location_rank;
    int32_t level;
    bool lowgrade;
};

struct cad_rank {
    uint32_t count;
    uint8_t inner[CAD_STEER_SERVERS_MAX]; /* each level in its own order, levels as published */
    uint8_t order[CAD_STEER_SERVERS_MAX]; /* the same, with failing levels behind */
};

/* The manifest's order. */
void cad_rank_init(struct cad_rank *rank, uint32_t count);
/* One iteration: each server moves by one place at most inside its level. */
void cad_rank_step(struct cad_rank *rank, const struct cad_rank_level *levels,
                   const struct cad_steer_result *results);
/* After cad_rank_init: what old's servers had passed each other stays so where the manifest still
 * has them in the same order. was[i]: the index that server i had, or -1. */
void cad_rank_keep(struct cad_rank *rank, const struct cad_rank_level *levels,
                   const struct cad_rank *old, const int32_t *was);

#endif
