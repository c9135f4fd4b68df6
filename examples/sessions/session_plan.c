#include "sessions/session_plan.h"

#include <string.h>

#include "base/rand.h"
#include "base/util.h"

#define TITLE_MIN (600 * CAD_SECOND)
#define TITLE_MORE (60 * CAD_SECOND)
#define NEVER (100000 * CAD_SECOND) /* later than any session is over */

static cad_time seconds(struct cad_rng *rng, int64_t low, int64_t high)
{
    return cad_rng_range_i64(rng, low * 1000, high * 1000) * CAD_MS;
}

static bool one_in(struct cad_rng *rng, uint64_t n)
{
    return cad_rng_chance(rng, 1, n);
}

/* ---- the title and the links ---------------------------------------------------------------- */

static void draw_ladder(struct cad_rng *rng, struct plan *p)
{
    struct cad_ladder *l = &p->ladder;
    int64_t rate = cad_rng_range_i64(rng, 150000, 400000);
    l->segment_duration = (one_in(rng, 2) ? 2 : 4) * CAD_SECOND;
    l->rung_count = (uint32_t)cad_rng_range_i64(rng, 2, PLAN_RUNGS_MAX);
    l->segment_count = PLAN_SEGMENTS;
    l->segment_bytes = p->segment_bytes;
    for (uint32_t r = 0; r < l->rung_count; r++) {
        l->rate_bps[r] = rate;
        l->height[r] = 180 + 180 * r;
        rate = rate * cad_rng_range_i64(rng, 140, 220) / 100;
    }
    for (uint32_t s = 0; s < PLAN_SEGMENTS; s++) {
        int64_t percent = cad_rng_range_i64(rng, 60, 140); /* a scene is dear on every rung */
        for (uint32_t r = 0; r < l->rung_count; r++) {
            int64_t mean = l->rate_bps[r] / 8 * (l->segment_duration / CAD_SECOND);
            p->segment_bytes[s * l->rung_count + r] = (uint32_t)(mean * percent / 100);
        }
    }
}

static void draw_trace(struct cad_rng *rng, struct plan *p)
{
    int64_t mean = cad_rng_range_i64(rng, 600, 12000) * 1000;
    cad_time latency = cad_rng_range_i64(rng, 10, 150) * CAD_MS;
    p->trace.periods = p->periods;
    p->trace.count = (uint32_t)cad_rng_range_i64(rng, 1, PLAN_PERIODS_MAX);
    for (uint32_t i = 0; i < p->trace.count; i++) {
        struct cad_trace_period *period = &p->periods[i];
        bool dead = i > 0 && one_in(rng, 30);
        period->duration = dead ? seconds(rng, 1, 8) : seconds(rng, 2, 30);
        period->rate_bps = dead ? 0 : mean * cad_rng_range_i64(rng, 30, 170) / 100;
        period->latency = latency * cad_rng_range_i64(rng, 80, 200) / 100;
    }
    p->service_period = (struct cad_trace_period){1000000 * CAD_SECOND, 4000000,
                                                  cad_rng_range_i64(rng, 10, 300) * CAD_MS};
    p->service_trace = (struct cad_trace){&p->service_period, 1};
}

/* ---- what is done --------------------------------------------------------------------------- */

static void add(struct plan *p, const struct plan_step *step)
{
    if (p->step_count == PLAN_STEPS_MAX) return;
    uint32_t i = p->step_count++;
    for (; i > 0 && p->steps[i - 1].at > step->at; i--) p->steps[i] = p->steps[i - 1];
    p->steps[i] = *step;
}

/* A service is down from `at` on, for so long. */
static void add_fault(struct plan *p, const char *name, cad_time at, cad_time lasts)
{
    const struct plan_step down = {.at = at, .type = PLAN_SERVICE, .name = name, .up = false};
    const struct plan_step up = {.at = at + lasts, .type = PLAN_SERVICE, .name = name, .up = true};
    add(p, &down);
    add(p, &up);
}

static void draw_faults(struct cad_rng *rng, struct plan *p)
{
    static const char *const licence[] = {"licence", "licence-refused", "licence-garbage",
                                          "licence-cut", "licence-slow-800", "licence-slow-6000"};
    static const char *const others[] = {
        "events", "events-refused", "events-cut", "log", "log-refused", "log-cut", "probe",
        "probe-garbage", "probe-refused", "probe-cut", "events-slow-3000", "log-slow-9000",
        "probe-slow-400", "text", "manifest"};
    size_t kinds = CAD_ARRAY_LEN(others) - 1;
    if (p->is_protected && one_in(rng, 3)) {
        const char *name = licence[cad_rng_below(rng, CAD_ARRAY_LEN(licence))];
        add_fault(p, name, 0, one_in(rng, 4) ? NEVER : seconds(rng, 0, 15));
    }
    if (p->has_text && one_in(rng, 4)) {
        add_fault(p, "text", 0, one_in(rng, 3) ? NEVER : seconds(rng, 1, 60));
    }
    int64_t count = cad_rng_range_i64(rng, 0, 6);
    for (int64_t i = 0; i < count; i++) {
        bool manifest = one_in(rng, 40); /* most sessions are to begin */
        const char *name = others[manifest ? kinds : cad_rng_below(rng, kinds)];
        cad_time at = one_in(rng, 3) ? 0 : seconds(rng, 0, 500);
        add_fault(p, name, at, one_in(rng, 5) ? seconds(rng, 60, 900) : seconds(rng, 1, 60));
    }
}

static void draw_viewer(struct cad_rng *rng, struct plan *p)
{
    int64_t count = one_in(rng, 2) ? 0 : cad_rng_range_i64(rng, 1, 4);
    for (int64_t i = 0; i < count; i++) {
        struct plan_step step = {.at = seconds(rng, 5, 550)};
        switch (cad_rng_below(rng, 4)) {
        case 0:
            step.type = PLAN_PAUSE;
            add(p, &step);
            step.type = PLAN_PLAY;
            step.at += seconds(rng, 1, 40);
            break;
        case 1:
            step.type = PLAN_SEEK; /* not far ahead: a session is to be long */
            step.by = seconds(rng, -60, 8);
            break;
        case 2:
            step.type = PLAN_TEXT;
            step.name = one_in(rng, 2) ? "" : one_in(rng, 2) ? "de" : "en";
            break;
        default:
            step.type = PLAN_NETWORK;
            add(p, &step);
            step.up = true;
            step.at += seconds(rng, 1, 20);
            break;
        }
        add(p, &step);
    }
}

void plan_draw(uint64_t seed, struct plan *out)
{
    struct cad_rng rng;
    memset(out, 0, sizeof(*out));
    cad_rng_init(&rng, seed);
    out->seed = seed;
    draw_ladder(&rng, out);
    draw_trace(&rng, out);
    out->duration = TITLE_MIN + cad_rng_range_i64(&rng, 0, TITLE_MORE / CAD_SECOND) * CAD_SECOND;
    out->duration += TITLE_MORE; /* seeks ahead pass over some of it */
    out->hosts = (uint32_t)cad_rng_range_i64(&rng, 1, PLAN_HOSTS_MAX);
    out->is_protected = one_in(&rng, 2);
    out->has_text = one_in(&rng, 2);
    out->shows_text = one_in(&rng, 2);
    out->tls = one_in(&rng, 2);
    out->apart = one_in(&rng, 2);
    static const cad_time every[] = {0, 0, 120 * CAD_SECOND, 30 * CAD_SECOND};
    out->fault_every = every[cad_rng_below(&rng, CAD_ARRAY_LEN(every))];
    out->store_latency = one_in(&rng, 2) ? 0 : cad_rng_range_i64(&rng, 1, 60) * CAD_MS;
    out->cdm_latency = one_in(&rng, 2) ? 0 : cad_rng_range_i64(&rng, 1, 60) * CAD_MS;
    out->kill_at = one_in(&rng, 4) ? seconds(&rng, 1, 500) : CAD_TIME_NONE;
    out->away = seconds(&rng, 1, 600);
    draw_faults(&rng, out);
    draw_viewer(&rng, out);
}
