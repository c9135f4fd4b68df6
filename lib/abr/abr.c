/*
 * Around every controller: its configuration is checked before it, pins and caps are enforced after
 * it, and what it sees is only what it may choose.
 */
#include <string.h>

#include "cadmium/abr.h"

#include "abr/ladder.h"
#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

#define WAIT_MAX (60 * CAD_SECOND) /* a controller may not put a request off for longer */

struct cad_abr {
    struct cad_alloc alloc;
    const struct cad_abr_ops *ops;
    void *self;
    struct cad_abr_rung rungs[CAD_ABR_RUNGS_MAX]; /* what the controller is shown of this choice */
};

static const char *const reason_names[] = {
    [CAD_ABR_START] = "start",       [CAD_ABR_STEADY] = "steady", [CAD_ABR_UP] = "up",
    [CAD_ABR_DOWN] = "down",         [CAD_ABR_DWELL] = "dwell",   [CAD_ABR_PANIC] = "panic",
    [CAD_ABR_REBUFFER] = "rebuffer", [CAD_ABR_CAP] = "cap",       [CAD_ABR_PIN] = "pin",
    [CAD_ABR_ONLY] = "only",
};

const char *cad_abr_reason_name(enum cad_abr_reason reason)
{
    size_t i = (size_t)reason;
    return i < CAD_ARRAY_LEN(reason_names) ? reason_names[i] : "?";
}

void cad_abr_config_init(struct cad_abr_config *config)
{
    *config = (struct cad_abr_config){
        .size = sizeof(*config),
        .safety_permille = 700,
        .dwell = 10 * CAD_SECOND,
        .step_down_max = 2,
        .panic_buffer = 5 * CAD_SECOND,
        .start_rate_max_bps = 1500000,
        .rate_seed_bps = 0,
        .half_life_fast = 3 * CAD_SECOND,
        .half_life_slow = 8 * CAD_SECOND,
    };
}

static bool config_valid(const struct cad_abr_config *c)
{
    if (c->safety_permille < 1 || c->safety_permille > 1000) return false;
    if (c->step_down_max < 1) return false;
    if (c->dwell < 0 || c->panic_buffer < 0) return false;
    if (c->start_rate_max_bps < 0 || c->rate_seed_bps < 0) return false;
    return c->half_life_fast > 0 && c->half_life_slow > 0;
}

static bool ops_valid(const struct cad_abr_ops *ops)
{
    if (!ops || ops->size < sizeof(*ops) || !ops->name) return false;
    if (!ops->create || !ops->observe || !ops->note) return false;
    return ops->estimate_bps && ops->choose;
}

int cad_abr_create(const struct cad_alloc *alloc, const struct cad_abr_ops *ops,
                   const struct cad_abr_config *config, struct cad_abr **out)
{
    if (!alloc || !out || !ops_valid(ops)) return CAD_E_INVAL;
    struct cad_abr_config full;
    cad_abr_config_init(&full);
    if (config) {
        /* A caller built against an older header gives fewer fields: the rest keep defaults. */
        memcpy(&full, config, CAD_MIN(config->size, sizeof(full)));
        full.size = sizeof(full);
    }
    if (!config_valid(&full)) return CAD_E_INVAL;
    struct cad_abr *abr = cad_alloc_new(alloc, sizeof(*abr), CAD_MEM_SESSION);
    if (!abr) return CAD_E_NOMEM;
    abr->alloc = *alloc;
    abr->ops = ops;
    int err = ops->create(alloc, &full, &abr->self);
    if (err < 0) {
        cad_alloc_free(alloc, abr, sizeof(*abr), CAD_MEM_SESSION);
        return err;
    }
    *out = abr;
    return CAD_OK;
}

void cad_abr_destroy(struct cad_abr **abr)
{
    if (!abr || !*abr) return;
    struct cad_abr *a = *abr;
    if (a->ops->destroy) a->ops->destroy(a->self);
    struct cad_alloc alloc = a->alloc;
    cad_alloc_free(&alloc, a, sizeof(*a), CAD_MEM_SESSION);
    *abr = NULL;
}

void cad_abr_observe(struct cad_abr *abr, const struct cad_abr_transfer *transfer)
{
    abr->ops->observe(abr->self, transfer);
}

void cad_abr_note(struct cad_abr *abr, enum cad_abr_note note, cad_time now)
{
    abr->ops->note(abr->self, note, now);
}

int64_t cad_abr_estimate_bps(const struct cad_abr *abr, cad_time now)
{
    int64_t estimate = abr->ops->estimate_bps(abr->self, now);
    return CAD_MAX(estimate, 0);
}

/* What the caller gave, with the defaults of fields its header did not have. */
static void state_complete(const struct cad_abr_state *in, struct cad_abr_state *out)
{
    *out = (struct cad_abr_state){.rung_last = -1, .rung_pin = -1};
    memcpy(out, in, CAD_MIN(in->size, sizeof(*out)));
    out->size = sizeof(*out);
    if (out->rung_last >= (int32_t)out->rung_count) out->rung_last = -1;
}

/*
 * The rungs as the controller may use them: those above the cap are shown as not allowed, but the
 * lowest allowed one always stays. Returns whether the cap took any away.
 */
static bool apply_cap(struct cad_abr *abr, const struct cad_abr_state *s)
{
    struct cad_abr_ladder all;
    cad_abr_ladder_init(&all, s->rungs, s->rung_count);
    memcpy(abr->rungs, s->rungs, s->rung_count * sizeof(abr->rungs[0]));
    for (uint32_t i = 0; i < s->rung_count; i++) abr->rungs[i].allowed = false;
    bool capped = false;
    for (uint32_t i = 0; i < all.count; i++) {
        bool fits = s->rate_cap_bps <= 0 || cad_abr_ladder_rate(&all, i) <= s->rate_cap_bps;
        abr->rungs[all.place[i]].allowed = fits || i == 0;
        capped = capped || !(fits || i == 0);
    }
    return capped;
}

/* Puts the answer of a controller on an allowed rung; says so where the cap stands in the way. */
static void enforce(const struct cad_abr_state *shown, bool capped, struct cad_abr_choice *out)
{
    struct cad_abr_ladder ladder;
    cad_abr_ladder_init(&ladder, shown->rungs, shown->rung_count);
    bool wanted_more = out->rung > ladder.place[ladder.count - 1];
    if (out->rung >= shown->rung_count || !shown->rungs[out->rung].allowed) {
        out->rung = ladder.place[cad_abr_ladder_nearest(&ladder, out->rung)];
    }
    bool top = out->rung == ladder.place[ladder.count - 1];
    uint32_t next = out->rung + 1;
    bool carried = next < shown->rung_count && out->estimate_bps >= shown->rungs[next].rate_bps;
    if (capped && top && (wanted_more || carried) && out->reason != CAD_ABR_REBUFFER &&
        out->reason != CAD_ABR_PANIC) {
        out->reason = CAD_ABR_CAP;
    }
    out->wait = CAD_MIN(CAD_MAX(out->wait, 0), WAIT_MAX);
    out->estimate_bps = CAD_MAX(out->estimate_bps, 0);
}

void cad_abr_choose(struct cad_abr *abr, const struct cad_abr_state *state,
                    struct cad_abr_choice *out)
{
    struct cad_abr_state s;
    state_complete(state, &s);
    *out = (struct cad_abr_choice){.reason = CAD_ABR_ONLY};
    bool valid = s.rungs && s.rung_count > 0 && s.rung_count <= CAD_ABR_RUNGS_MAX;
    CAD_ASSERT(valid);
    if (!valid) return;
    if (s.rung_pin >= 0) {
        struct cad_abr_ladder ladder;
        cad_abr_ladder_init(&ladder, s.rungs, s.rung_count);
        out->rung = ladder.place[cad_abr_ladder_nearest(&ladder, (uint32_t)s.rung_pin)];
        out->reason = CAD_ABR_PIN;
        out->estimate_bps = cad_abr_estimate_bps(abr, s.now);
        return;
    }
    bool capped = apply_cap(abr, &s);
    s.rungs = abr->rungs;
    abr->ops->choose(abr->self, &s, out);
    enforce(&s, capped, out);
}

const struct cad_abr_ops *cad_abr_find(cad_str name)
{
    const struct cad_abr_ops *const all[] = {cad_abr_hybrid(), cad_abr_fixed()};
    for (size_t i = 0; i < CAD_ARRAY_LEN(all); i++) {
        if (cad_str_eqz(name, all[i]->name)) return all[i];
    }
    return NULL;
}
