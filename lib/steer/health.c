#include "steer/health.h"

#include "base/util.h"

static const cad_time rests[CAD_STEER_RESTS] = {
    10 * CAD_SECOND,
    30 * CAD_SECOND,
    120 * CAD_SECOND,
    600 * CAD_SECOND,
};

cad_time cad_health_rest(uint32_t number)
{
    return rests[CAD_MIN(number, CAD_STEER_RESTS - 1)];
}

void cad_health_init(struct cad_health *h)
{
    *h = (struct cad_health){.rest_until = CAD_TIME_NONE, .rest_since = CAD_TIME_NONE,
                             .well_since = CAD_TIME_NONE};
}

bool cad_health_resting(const struct cad_health *h, cad_time now)
{
    return h->rest_until != CAD_TIME_NONE && now < h->rest_until;
}

bool cad_health_settled(const struct cad_health *h, cad_time now)
{
    return h->rest_until == CAD_TIME_NONE ||
           now >= cad_time_add(h->rest_until, CAD_STEER_SETTLE);
}

static void clear_counts(struct cad_health *h)
{
    h->connects = 0;
    h->resets = 0;
    h->errors = 0;
}

/* After a minute of health since its rest the ladder begins anew. */
static void forgive(struct cad_health *h, cad_time now)
{
    if (h->well_since == CAD_TIME_NONE) return;
    if (now >= cad_time_add(h->well_since, CAD_STEER_SETTLE)) h->rests = 0;
}

static void begin_rest(struct cad_health *h, cad_time now)
{
    forgive(h, now);
    h->rest_since = now;
    h->rest_until = cad_time_add(now, cad_health_rest(h->rests));
    if (h->rests < CAD_STEER_RESTS - 1) h->rests++;
    h->half_open = true;
    h->on_trial = false;
    h->well_since = CAD_TIME_NONE;
    clear_counts(h);
}

static void succeed(struct cad_health *h, cad_time now)
{
    clear_counts(h);
    if (cad_health_resting(h, now)) {
        /* A late answer of a request from before the rest proves nothing; one of a trial does. */
        if (!h->on_trial) return;
        h->rest_until = now;
    }
    h->on_trial = false;
    if (!h->half_open) {
        forgive(h, now);
        return;
    }
    h->half_open = false;
    h->well_since = now;
}

/* The third 5xx within the window. */
static bool count_error(struct cad_health *h, cad_time now)
{
    if (h->errors == CAD_STEER_5XX_MAX - 1) {
        if (cad_time_sub(now, h->error_at[0]) <= CAD_STEER_5XX_WINDOW) return true;
        for (uint32_t i = 1; i < h->errors; i++) h->error_at[i - 1] = h->error_at[i];
        h->errors--;
    }
    h->error_at[h->errors++] = now;
    return false;
}

/* Whether one more failure of this kind is too many for a healthy host. */
static bool count_failure(struct cad_health *h, enum cad_steer_outcome outcome, cad_time now)
{
    /* All but a failed connection prove that the host can be reached. */
    if (outcome != CAD_STEER_CONNECT) h->connects = 0;
    switch (outcome) {
    case CAD_STEER_OK: return false;
    case CAD_STEER_CONNECT: return ++h->connects >= CAD_STEER_CONNECTS_MAX;
    case CAD_STEER_TLS: return true;
    case CAD_STEER_STATUS_5XX: return count_error(h, now);
    case CAD_STEER_SILENT: return true;
    case CAD_STEER_RESET: return ++h->resets >= CAD_STEER_RESETS_MAX;
    }
    return false;
}

void cad_health_report(struct cad_health *h, enum cad_steer_outcome outcome, cad_time now)
{
    if (outcome == CAD_STEER_OK) {
        succeed(h, now);
        return;
    }
    if (cad_health_resting(h, now)) {
        /*
         * Failures of requests that ran when the rest began are the same failure. A trial that
         * failed begins the same rest anew, so that the next trial goes to another host; it does
         * not climb the ladder: when every host fails, the fault is most likely ours.
         */
        if (!h->on_trial) return;
        h->on_trial = false;
        uint32_t same = h->rests > 0 ? h->rests - 1 : 0;
        if (h->rest_until != CAD_TIME_NONE) {
            cad_time again = cad_time_add(now, cad_health_rest(same));
            h->rest_until = CAD_MAX(h->rest_until, again);
            h->rest_since = now;
        }
        return;
    }
    if (h->half_open || count_failure(h, outcome, now)) begin_rest(h, now);
}

void cad_health_probed(struct cad_health *h, cad_time since, cad_time now)
{
    if (cad_health_resting(h, now) && since >= h->rest_since) h->rest_until = now;
}
