#include "abr/estimate.h"

#include "base/checked.h"
#include "base/util.h"

#define ONE_Q32 (INT64_C(1) << 32)
#define TTFB_SHARE 4   /* a new time to first byte counts one in four */
#define BURST_SHARE 8  /* less than this part of a transfer with bytes moving: a burst */

/* 2^-(1/2), 2^-(1/4) ... 2^-(1/65536) in Q32: one factor for each bit of a fraction in Q16. */
static const uint32_t root_q32[16] = {
    0xb504f334u, 0xd744fccbu, 0xeac0c6e8u, 0xf5257d15u, 0xfa83b2dbu, 0xfd3e0c0du,
    0xfe9e115cu, 0xff4ecb59u, 0xffa75652u, 0xffd3a752u, 0xffe9d2b3u, 0xfff4e91cu,
    0xfffa747fu, 0xfffd3a3bu, 0xfffe9d1du, 0xffff4e8eu,
};

uint64_t cad_abr_decay_q32(cad_time t, cad_time half_life)
{
    CAD_ASSERT(half_life > 0);
    if (t <= 0) return (uint64_t)ONE_Q32;
    int64_t x_q16 = cad_muldiv_floor_i64(t, 65536, half_life);
    if (x_q16 >= 32 * 65536) return 0;
    uint64_t v = (uint64_t)ONE_Q32;
    for (uint32_t bit = 0; bit < 16; bit++) {
        if (x_q16 & (0x8000 >> bit)) v = (v * root_q32[bit]) >> 32;
    }
    return v >> (x_q16 >> 16);
}

static void average_add(struct cad_abr_average *a, int64_t rate_bps, cad_time duration)
{
    int64_t keep = (int64_t)cad_abr_decay_q32(duration, a->half_life);
    int64_t take = ONE_Q32 - keep;
    a->sum_q8 = cad_muldiv_floor_i64(a->sum_q8, keep, ONE_Q32) +
                cad_muldiv_floor_i64(rate_bps * 256, take, ONE_Q32);
    a->weight_q32 = cad_muldiv_floor_i64(a->weight_q32, keep, ONE_Q32) + take;
}

static int64_t average_get(const struct cad_abr_average *a)
{
    if (a->weight_q32 <= 0) return 0;
    return cad_muldiv_floor_i64(a->sum_q8, ONE_Q32, a->weight_q32) / 256;
}

static int64_t rate_of(int64_t bytes, cad_time duration)
{
    int64_t bits = cad_mul_sat_i64(bytes, 8);
    return CAD_MIN(cad_muldiv_floor_i64(bits, CAD_SECOND, duration), CAD_ABR_RATE_MAX_BPS);
}

int64_t cad_abr_sample_bps(const struct cad_abr_transfer *t, cad_time *duration)
{
    if (t->bytes < CAD_ABR_SAMPLE_BYTES_MIN || t->first_byte == CAD_TIME_NONE) return 0;
    cad_time whole = cad_time_sub(t->end, t->start);
    cad_time moving = cad_time_sub(t->end, t->first_byte);
    if (whole < 0 || moving < 0 || moving > whole) return 0;
    if (moving < whole / BURST_SHARE) moving = whole;
    moving = CAD_MAX(moving, CAD_ABR_SAMPLE_TIME_MIN);
    int64_t own = rate_of(t->bytes, moving);
    *duration = moving;
    if (!t->shared || t->busy <= 0) return own;
    *duration = CAD_MAX(t->busy, CAD_ABR_SAMPLE_TIME_MIN);
    return CAD_MAX(own, rate_of(CAD_MAX(t->bytes_all, t->bytes), *duration));
}

void cad_abr_estimate_init(struct cad_abr_estimate *e, const struct cad_abr_config *config)
{
    *e = (struct cad_abr_estimate){
        .fast = {.half_life = config->half_life_fast},
        .slow = {.half_life = config->half_life_slow},
        .ttfb = CAD_TIME_NONE,
        .seed_bps = config->rate_seed_bps,
    };
}

void cad_abr_estimate_reset(struct cad_abr_estimate *e)
{
    e->fast.sum_q8 = e->fast.weight_q32 = 0;
    e->slow.sum_q8 = e->slow.weight_q32 = 0;
    e->ttfb = CAD_TIME_NONE;
    e->seed_bps = 0;
}

void cad_abr_estimate_add(struct cad_abr_estimate *e, const struct cad_abr_transfer *transfer)
{
    if (transfer->first_byte != CAD_TIME_NONE) {
        cad_time ttfb = cad_time_sub(transfer->first_byte, transfer->start);
        if (ttfb >= 0 && e->ttfb == CAD_TIME_NONE) {
            e->ttfb = ttfb;
        } else if (ttfb >= 0) {
            e->ttfb += cad_time_sub(ttfb, e->ttfb) / TTFB_SHARE;
        }
    }
    cad_time duration = 0;
    int64_t rate = cad_abr_sample_bps(transfer, &duration);
    if (rate <= 0) return;
    average_add(&e->fast, rate, duration);
    average_add(&e->slow, rate, duration);
}

int64_t cad_abr_estimate_get(const struct cad_abr_estimate *e)
{
    if (e->fast.weight_q32 == 0) return e->seed_bps;
    int64_t fast = average_get(&e->fast);
    int64_t slow = average_get(&e->slow);
    int64_t lower = CAD_MIN(fast, slow);
    return CAD_MAX(lower, 1); /* 0 would mean that nothing is known */
}

cad_time cad_abr_estimate_ttfb(const struct cad_abr_estimate *e)
{
    return e->ttfb == CAD_TIME_NONE ? 0 : e->ttfb;
}
