/*
 * ftl.h - inside of the probe: what its files share.
 *
 *   ftl_recipe.c   the recipe from its JSON
 *   ftl.c          the run: requests and pulses as they are due, holding, the end
 *   ftl_input.c    what comes in: heads, bytes, ends, and what they make of a pulse and the race
 *   ftl_budget.c   what an hour may cost
 *   ftl_report.c   the JSON of reports
 *   ftl_score.c    what is remembered of targets, and the scores made of it
 *
 * cadmium/steer.h is the face.
 */
#ifndef CAD_STEER_FTL_H
#define CAD_STEER_FTL_H

#include "cadmium/steer.h"

#include "base/arena.h"
#include "base/strbuf.h"

#define CAD_FTL_LOG_TYPE "ftlProbe"       /* of a report, where the recipe names none */
#define CAD_FTL_LOG_ERROR "ftlProbeError"
#define CAD_FTL_SERVER_PREFIX "cdn:"
#define CAD_FTL_HOST_MAX 256              /* bytes; a longer one is not found by its host */
#define CAD_FTL_REPORT_BYTES_MAX (2u << 20) /* 160 pulses, 4 escaped headers each: 1 MiB */

/* ---- what is remembered of a target ---------------------------------------------------------- */

struct ftl_sample {
    cad_time at;   /* when it was over */
    bool ok;
};

struct ftl_record {
    char name[CAD_FTL_NAME_MAX];
    size_t name_n;               /* 0: the place is free */
    char host[CAD_FTL_HOST_MAX];
    size_t host_n;
    int32_t port;
    struct ftl_sample samples[CAD_FTL_WINDOW]; /* oldest first */
    uint32_t sample_count;
    uint32_t warm;
    cad_time latency, jitter;    /* CAD_TIME_NONE: no answer yet; 0 */
    uint32_t streak;
    cad_time sent_last, sent_before; /* of the last two successes */
    uint32_t identity_failures;
};

struct ftl_scores {
    struct ftl_record records[CAD_FTL_SCORES_MAX];
};

/* The record of a target, made if need be in place of the one that was heard of longest ago. */
struct ftl_record *cad_ftl_record_of(struct ftl_scores *scores,
                                     const struct cad_ftl_target *target);
const struct ftl_record *cad_ftl_record_named(const struct ftl_scores *scores, cad_str name);
/* A pulse that was sent then is over. Not for those that we dropped ourselves. */
void cad_ftl_record_add(struct ftl_record *record, const struct cad_ftl_pulse *pulse,
                        cad_time sent);
/* False: there is no score, or it is too old. */
bool cad_ftl_record_score(const struct ftl_record *record, cad_time now,
                          struct cad_ftl_score *out);

/* ---- the run --------------------------------------------------------------------------------- */

enum ftl_state {
    FTL_IDLE,      /* nothing is to be done */
    FTL_SCHEDULED, /* a recipe will be asked for at begin_at */
    FTL_RECIPE,    /* it has been asked for */
    FTL_RUNNING,
    FTL_FAILED     /* no recipe: until the network changes */
};

enum probe_state {
    PROBE_WAIT,    /* its next pulse is due at `due` */
    PROBE_FLIGHT,
    PROBE_DONE,
    PROBE_DROPPED  /* farther in than it may be */
};

/* A request that is under way. */
struct ftl_flight {
    uint32_t id;         /* 0: none */
    cad_time sent;
    int32_t status;
    int64_t bytes;       /* of body so far */
    uint64_t entry;      /* of the budget */
    bool over;           /* the body is too long */
    bool refused;        /* the peer is farther in than it may be */
    enum cad_ftl_address address;
};

/* A target in the run. */
struct ftl_probe {
    enum probe_state state;
    uint32_t pulse;      /* the one that is due or under way; or how many are over */
    uint32_t told;       /* pulses that were told of */
    cad_time due;
    struct ftl_flight flight;
    char *url;           /* with room for the number of the pulse */
    size_t url_n;        /* bytes before that number */
    struct cad_ftl_pulse *pulses; /* CAD_FTL_PULSES_MAX of the run */
};

struct ftl_spent {
    cad_time at;
    int64_t bytes;
};

#define CAD_FTL_ACTIONS_MAX 64 /* a turn: 9 cancels, 32 pulses, 8 requests, the race, the report */

struct cad_ftl {
    struct cad_ftl_config config; /* its texts are in `texts` */
    struct cad_arena texts;
    enum ftl_state state;
    cad_time now;
    bool started;            /* cad_ftl_start was called, and no stop since */
    bool stopping;           /* the next turn drops what is under way */
    bool again;              /* and begins anew at begin_at */
    cad_time begin_at, played_at;
    uint32_t iter;           /* of the next recipe */
    uint32_t iter_run;       /* of the run */
    uint32_t id_last, connection_last;
    uint64_t network;
    uint32_t hold;
    cad_time hold_since;

    struct ftl_flight recipe_flight;
    struct cad_ftl_end recipe_end;
    bool recipe_over;        /* recipe_end is valid */
    struct cad_sb url;       /* of the recipe */
    struct cad_sb body;      /* of the recipe */
    struct cad_ftl_recipe *recipe;
    enum cad_ftl_address address_max;

    struct cad_arena arena;  /* of the run: URLs, pulses, headers */
    struct ftl_probe probes[CAD_FTL_TARGETS_MAX];
    cad_time began;          /* CAD_TIME_NONE: no run yet */
    cad_time limit;          /* when the run is over in any case */
    cad_time sent_last;      /* any probe */
    uint32_t connection_base;

    enum cad_ftl_race race;
    cad_time freeze_at;
    uint32_t winner;
    bool winner_told, order_told;
    uint32_t order[CAD_FTL_TARGETS_MAX];
    uint32_t order_count;

    struct ftl_spent spent[CAD_FTL_BUDGET_REQUESTS_MAX]; /* ring of the last hour */
    uint64_t spent_first, spent_end; /* numbers of the oldest, and after the newest */

    struct cad_ftl_action actions[CAD_FTL_ACTIONS_MAX];
    uint32_t action_at, action_count;
    struct cad_sb report;
    struct ftl_scores scores;
    struct cad_ftl_stats stats;
};

/* A pulse that is under way is over. */
void cad_ftl_probe_finish(struct cad_ftl *ftl, uint32_t target, const struct cad_ftl_end *end);
/* Follows the race to the time of the turn. */
void cad_ftl_race_turn(struct cad_ftl *ftl);

/* Entries of the budget that are older than an hour go. */
void cad_ftl_budget_prune(struct cad_ftl *ftl, cad_time now);
/* Whether a request of that many bytes may be made in this hour. */
bool cad_ftl_budget_allows(const struct cad_ftl *ftl, int64_t bytes);
/* Its entry. */
uint64_t cad_ftl_budget_spend(struct cad_ftl *ftl, int64_t bytes);
/* It comes to more than was thought: false where the hour does not carry that. */
bool cad_ftl_budget_grow(struct cad_ftl *ftl, uint64_t entry, int64_t bytes);
/* What it came to. */
void cad_ftl_budget_settle(struct cad_ftl *ftl, uint64_t entry, int64_t bytes);
/* When the oldest entry goes; CAD_TIME_NONE: there is none. */
cad_time cad_ftl_budget_wake(const struct cad_ftl *ftl);

/* Write the report of the run. The builder's error, if any. */
int cad_ftl_report_write(const struct cad_ftl *ftl, bool partial, struct cad_sb *out);
/* What went wrong with a recipe. ec: its class; d: how long it took. */
struct ftl_failure {
    int32_t status;
    const char *ec, *message;
    cad_time d;
};
int cad_ftl_report_failure(const struct cad_ftl *ftl, const struct ftl_failure *failure,
                           struct cad_sb *out);

#endif
