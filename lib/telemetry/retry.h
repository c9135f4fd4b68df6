/*
 * retry.h - what an answer means, and how long to wait before the next attempt.
 */
#ifndef CAD_TELEMETRY_RETRY_H
#define CAD_TELEMETRY_RETRY_H

#include "base/rand.h"
#include "cadmium/telemetry.h"

#define TEL_RETRY_AFTER_MAX (300 * CAD_SECOND)

enum tel_verdict {
    TEL_DELIVERED, /* 2xx */
    TEL_RETRY,     /* no answer, 1xx, 3xx, 408, 425, 429, 5xx */
    TEL_SPLIT,     /* 413: the same in smaller pieces */
    TEL_GONE,      /* 410: the service does not want any of it */
    TEL_REFUSED    /* every other 4xx */
};
enum tel_verdict tel_verdict_of(int32_t status);

/*
 * Duration before the next attempt: base doubled for each attempt after the first, at most `most`,
 * +-25 %; not less than what the service asked for (at most 300 s). attempts >= 1.
 */
cad_time tel_retry_wait(struct cad_rng *rng, uint32_t attempts, cad_time base, cad_time most,
                        cad_time retry_after);

#endif
