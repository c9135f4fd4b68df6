#include "drive/sim_faults.h"

#include "base/util.h"

#define LASTS_MIN CAD_SECOND          /* how long a fault lasts */
#define LASTS_MAX (30 * CAD_SECOND)
#define RESET_BYTES_MAX 200000        /* where a body is cut at the latest */
#define RATE_MIN 50000                /* bit/s of a slow host */
#define RATE_MAX 500000

void cad_sim_faults_init(struct cad_sim_faults *faults, uint64_t seed, cad_time every)
{
    cad_rng_init(&faults->rng, seed);
    faults->every = every;
    faults->next = every > 0 ? cad_rng_range_i64(&faults->rng, 1, 2 * every) : CAD_TIME_NONE;
    for (size_t i = 0; i < CAD_ARRAY_LEN(faults->until); i++) faults->until[i] = CAD_TIME_NONE;
}

cad_time cad_sim_faults_next(const struct cad_sim_faults *faults)
{
    cad_time next = faults->next;
    for (size_t i = 0; i < CAD_ARRAY_LEN(faults->until); i++) {
        next = cad_time_earlier(next, faults->until[i]);
    }
    return next;
}

static void draw(struct cad_sim_faults *faults, struct cad_sim_change *out)
{
    static const int64_t statuses[] = {500, 502, 503};
    struct cad_rng *rng = &faults->rng;
    out->value = 0;
    switch (cad_rng_below(rng, 5)) {
    case 0: out->fault = CAD_HOST_REFUSE; break;
    case 1: out->fault = CAD_HOST_BLACKHOLE; break;
    case 2:
        out->fault = CAD_HOST_RESET_AT;
        out->value = cad_rng_range_i64(rng, 1, RESET_BYTES_MAX);
        break;
    case 3:
        out->fault = CAD_HOST_STATUS;
        out->value = statuses[cad_rng_below(rng, CAD_ARRAY_LEN(statuses))];
        break;
    default:
        out->fault = CAD_HOST_RATE;
        out->value = cad_rng_range_i64(rng, RATE_MIN, RATE_MAX);
        break;
    }
}

bool cad_sim_faults_take(struct cad_sim_faults *faults, cad_time now, uint32_t hosts,
                         struct cad_sim_change *out)
{
    for (uint32_t i = 0; i < CAD_ARRAY_LEN(faults->until); i++) {
        if (faults->until[i] == CAD_TIME_NONE || faults->until[i] > now) continue;
        faults->until[i] = CAD_TIME_NONE;
        *out = (struct cad_sim_change){.host = i, .fault = CAD_HOST_UP};
        return true;
    }
    if (faults->next == CAD_TIME_NONE || faults->next > now) return false;
    out->host = (uint32_t)cad_rng_below(&faults->rng, hosts);
    draw(faults, out);
    cad_time lasts = cad_rng_range_i64(&faults->rng, LASTS_MIN, LASTS_MAX);
    faults->until[out->host] = cad_time_add(now, lasts);
    faults->next = cad_time_add(now, cad_rng_range_i64(&faults->rng, 1, 2 * faults->every));
    return true;
}
