#include "telemetry/retry.h"

#include "base/util.h"

enum tel_verdict tel_verdict_of(int32_t status)
{
    if (status >= 200 && status < 300) return TEL_DELIVERED;
    if (status < 400 || status >= 500) return TEL_RETRY;
    switch (status) {
    case 408:
    case 425:
    case 429: return TEL_RETRY;
    case 410: return TEL_GONE;
    case 413: return TEL_SPLIT;
    default: return TEL_REFUSED;
    }
}

cad_time tel_retry_wait(struct cad_rng *rng, uint32_t attempts, cad_time base, cad_time most,
                        cad_time retry_after)
{
    cad_time wait = base;
    for (uint32_t i = 1; i < attempts && wait < most; i++) wait *= 2;
    wait = CAD_MIN(wait, most);
    wait = cad_rng_range_i64(rng, wait - wait / 4, wait + wait / 4);
    /* CAD_TIME_NONE is less than any wait. */
    return CAD_MAX(wait, CAD_MIN(retry_after, TEL_RETRY_AFTER_MAX));
}
