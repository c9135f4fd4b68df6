/*
 * session_plan.h - what happens in a drawn session: everything follows from its seed.
 */
#ifndef SESSION_PLAN_H
#define SESSION_PLAN_H

#include "cadmium/sim.h"

#define PLAN_RUNGS_MAX 6
#define PLAN_SEGMENTS 24       /* rows of the ladder, which begins again */
#define PLAN_PERIODS_MAX 40    /* of the trace */
#define PLAN_STEPS_MAX 32
#define PLAN_HOSTS_MAX 3       /* of media */

enum plan_step_type {
    PLAN_SERVICE,              /* `name` goes down or up */
    PLAN_PAUSE, PLAN_PLAY, PLAN_SEEK, PLAN_TEXT, PLAN_NETWORK
};

/* Something that is done at a time. */
struct plan_step {
    cad_time at;
    enum plan_step_type type;
    const char *name;          /* SERVICE; TEXT: language, "" off */
    bool up;                   /* SERVICE, NETWORK */
    cad_time by;               /* SEEK: from where it is */
};

struct plan {
    uint64_t seed;
    struct cad_ladder ladder;
    uint32_t segment_bytes[PLAN_SEGMENTS * PLAN_RUNGS_MAX];
    struct cad_trace trace, service_trace;
    struct cad_trace_period periods[PLAN_PERIODS_MAX], service_period;
    cad_time duration;         /* of the title: 600 s at least */
    uint32_t hosts;
    bool is_protected, has_text, shows_text;
    bool tls;
    bool apart;                /* probes and reports go to hosts and a link that media do not use */
    cad_time fault_every;      /* of hosts; 0 none */
    cad_time store_latency, cdm_latency;
    cad_time kill_at;          /* the process dies then; CAD_TIME_NONE: it does not */
    cad_time away;             /* and begins again after that long */
    struct plan_step steps[PLAN_STEPS_MAX]; /* by time */
    uint32_t step_count;
};

/* Draws the plan; *out must not move afterwards. */
void plan_draw(uint64_t seed, struct plan *out);

#endif
