#include "base/rand.h"

/* splitmix64: spreads any seed, 0 too, over the four words. */
static uint64_t splitmix(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t v, unsigned bits)
{
    return v << bits | v >> (64 - bits);
}

void cad_rng_init(struct cad_rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) r->s[i] = splitmix(&seed);
}

/* One step of xoshiro256**. */
uint64_t cad_rng_u64(struct cad_rng *r)
{
    uint64_t result = rotl(r->s[1] * 5, 7) * 9;
    uint64_t shifted = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= shifted;
    r->s[3] = rotl(r->s[3], 45);
    return result;
}

uint64_t cad_rng_below(struct cad_rng *r, uint64_t n)
{
    if (n < 2) return 0;
    /* Numbers under 2^64 mod n would make small results likelier: draw again. At most one in two
     * draws is refused, for any n. */
    uint64_t refuse = (0 - n) % n;
    uint64_t v;
    do {
        v = cad_rng_u64(r);
    } while (v < refuse);
    return v % n;
}

int64_t cad_rng_range_i64(struct cad_rng *r, int64_t lo, int64_t hi)
{
    if (lo >= hi) return lo;
    uint64_t width = (uint64_t)hi - (uint64_t)lo; /* results - 1 */
    uint64_t off = width == UINT64_MAX ? cad_rng_u64(r) : cad_rng_below(r, width + 1);
    /* lo + off is in range; the sum is made without sign, where wrapping is defined. */
    uint64_t sum = (uint64_t)lo + off;
    return sum <= INT64_MAX ? (int64_t)sum : -(int64_t)(UINT64_MAX - sum) - 1;
}

bool cad_rng_chance(struct cad_rng *r, uint64_t num, uint64_t den)
{
    if (den == 0) return false;
    return cad_rng_below(r, den) < num;
}
