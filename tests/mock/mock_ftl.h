/*
 * mock_ftl.h - the probe service as a pure function: the recipe, and targets that behave by script.
 *
 *   GET {host}/api/ftl/probe?monotonic=true&device=NAME&iter=N   the recipe, JSON
 *   GET {host}/ftl/probe?data=N&pulse=I                          N bytes, as the script says
 *
 * A target is told by its host; the recipe may have a second path. A script says, for each pulse,
 * how long the answer takes and what is wrong with it. No socket, no clock, no randomness: what
 * must be decided by chance is drawn by the caller from his seed and written into the script. An
 * origin in the sense of sim.h.
 */
#ifndef MOCK_FTL_H
#define MOCK_FTL_H

#include "cadmium/sim.h"

#define MOCK_FTL_TARGETS_MAX 20   /* more than a client may take */
#define MOCK_FTL_PULSES_MAX 12
#define MOCK_FTL_RECIPE_PATH "/api/ftl/probe"
#define MOCK_FTL_PROBE_PATH "/ftl/probe"

/* What a target does with a pulse. */
enum mock_ftl_fault {
    MOCK_FTL_OK,
    MOCK_FTL_LOSS,      /* never answers: serve gives CAD_E_AGAIN */
    MOCK_FTL_RESET,     /* breaks before the head: serve gives CAD_E_IO */
    MOCK_FTL_STATUS,    /* value: the status, with an empty body */
    MOCK_FTL_SHORT,     /* value: so many bytes fewer */
    MOCK_FTL_LONG,      /* value: so many bytes more */
    MOCK_FTL_PORTAL     /* 200 with a page of HTML */
};

struct mock_ftl_step {
    cad_time think;     /* until the first byte, beside what the network takes */
    enum mock_ftl_fault fault;
    int64_t value;
};

struct mock_ftl_target {
    const char *name;
    const char *host;   /* host[:port] */
    struct mock_ftl_step steps[MOCK_FTL_PULSES_MAX]; /* of pulse 1.. */
    uint32_t step_count; /* the last one is repeated; 0: all is well */
};

struct mock_ftl_config {
    const char *scheme;         /* of targets' URLs; NULL: http */
    const struct mock_ftl_target *targets;
    uint32_t target_count;      /* 1 .. MOCK_FTL_TARGETS_MAX */
    int64_t pulses;
    const int64_t *delays_ms;
    uint32_t delay_count;
    int64_t timeout_ms, next_ms; /* 0: not in the recipe */
    int64_t data_bytes;         /* asked for by each URL */
    const char *extra;          /* members of the recipe, ",\"ctx\":{}" for one; NULL none */
    int32_t recipe_status;      /* 0: 200 */
    const char *recipe_path;    /* of the recipe too; NULL: MOCK_FTL_RECIPE_PATH alone */
};

/* What happens to requests for the recipe. */
struct mock_ftl_recipe_script {
    int32_t status;             /* 0: 200 */
    bool garbage;               /* 200, and a page of HTML for JSON */
    int64_t left;               /* requests that meet it; negative: all */
    cad_time think;             /* of every one */
};

struct mock_ftl;

/* The config is copied but for its texts, which are borrowed. CAD_E_INVAL, CAD_E_NOMEM. */
CAD_MUST_CHECK int mock_ftl_create(const struct mock_ftl_config *config, struct mock_ftl **out);
void mock_ftl_destroy(struct mock_ftl **mock);
const struct cad_origin_ops *mock_ftl_ops(void); /* ctx: the struct mock_ftl */

struct mock_ftl_counts {
    uint64_t recipes;
    int64_t iter;               /* of the last recipe request; -1 none */
    uint64_t pulses[MOCK_FTL_TARGETS_MAX];
    uint64_t bad;               /* requests that no client of ours should make */
};
void mock_ftl_counts(const struct mock_ftl *mock, struct mock_ftl_counts *out);
/* The step of a target's pulse, from 1, to be changed. NULL: there is none. */
struct mock_ftl_step *mock_ftl_step(struct mock_ftl *mock, uint32_t target, uint32_t pulse);
void mock_ftl_set_recipe(struct mock_ftl *mock, const struct mock_ftl_recipe_script *script);
/* Another plan, of the config's pulses, delays_ms, delay_count, timeout_ms, next_ms, data_bytes and
 * extra; the targets stay. CAD_E_INVAL, CAD_E_NOMEM. */
CAD_MUST_CHECK int mock_ftl_set_plan(struct mock_ftl *mock, const struct mock_ftl_config *plan);
/* The recipe as it is served; until the next call. */
cad_str mock_ftl_recipe(const struct mock_ftl *mock);

#endif
