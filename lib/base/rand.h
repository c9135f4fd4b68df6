/*
 * rand.h - the seeded generator: the same numbers from the same seed on every platform.
 *
 * For policy only (jitter, faults, tie-breaks in tests). Secrets never come from here. The state is
 * that of xoshiro256**, filled by splitmix64.
 */
#ifndef CAD_BASE_RAND_H
#define CAD_BASE_RAND_H

#include <stdbool.h>
#include <stdint.h>

struct cad_rng {
    uint64_t s[4]; /* never all zero */
};

void cad_rng_init(struct cad_rng *r, uint64_t seed);
uint64_t cad_rng_u64(struct cad_rng *r);
/* 0..n-1 without bias; n 0 gives 0. */
uint64_t cad_rng_below(struct cad_rng *r, uint64_t n);
/* lo..hi, both included; lo > hi gives lo. */
int64_t cad_rng_range_i64(struct cad_rng *r, int64_t lo, int64_t hi);
/* True in num of den cases; den 0 gives false. */
bool cad_rng_chance(struct cad_rng *r, uint64_t num, uint64_t den);

#endif
