/*
 * One rung for ever: the highest allowed one not above rate_seed_bps. For tests, for measurements
 * of one rung, and as the smallest example of a controller. It still watches the link, so that
 * figures about it are to be had.
 */
#include "abr/estimate.h"
#include "abr/ladder.h"
#include "base/mem.h"
#include "base/util.h"

struct fixed {
    struct cad_alloc alloc;
    int64_t rate_bps;
    struct cad_abr_estimate estimate;
};

static int fixed_create(const struct cad_alloc *alloc, const struct cad_abr_config *config,
                        void **self)
{
    struct fixed *f = cad_alloc_new(alloc, sizeof(*f), CAD_MEM_SESSION);
    if (!f) return CAD_E_NOMEM;
    f->alloc = *alloc;
    f->rate_bps = config->rate_seed_bps;
    cad_abr_estimate_init(&f->estimate, config);
    cad_abr_estimate_reset(&f->estimate); /* here the seed is an order, not a guess at the link */
    *self = f;
    return CAD_OK;
}

static void fixed_destroy(void *self)
{
    struct fixed *f = self;
    struct cad_alloc alloc = f->alloc;
    cad_alloc_free(&alloc, f, sizeof(*f), CAD_MEM_SESSION);
}

static void fixed_observe(void *self, const struct cad_abr_transfer *transfer)
{
    struct fixed *f = self;
    cad_abr_estimate_add(&f->estimate, transfer);
}

static void fixed_note(void *self, enum cad_abr_note note, cad_time now)
{
    struct fixed *f = self;
    CAD_UNUSED(now);
    if (note == CAD_ABR_NOTE_NETWORK) cad_abr_estimate_reset(&f->estimate);
}

static int64_t fixed_estimate_bps(const void *self, cad_time now)
{
    const struct fixed *f = self;
    CAD_UNUSED(now);
    return cad_abr_estimate_get(&f->estimate);
}

static void fixed_choose(void *self, const struct cad_abr_state *state, struct cad_abr_choice *out)
{
    struct fixed *f = self;
    struct cad_abr_ladder ladder;
    cad_abr_ladder_init(&ladder, state->rungs, state->rung_count);
    out->rung = ladder.place[cad_abr_ladder_highest(&ladder, f->rate_bps)];
    out->reason = ladder.count == 1 ? CAD_ABR_ONLY : CAD_ABR_STEADY;
    out->estimate_bps = cad_abr_estimate_get(&f->estimate);
    out->wait = 0;
}

static const struct cad_abr_ops fixed_ops = {
    .size = sizeof(struct cad_abr_ops),
    .name = "fixed",
    .create = fixed_create,
    .destroy = fixed_destroy,
    .observe = fixed_observe,
    .note = fixed_note,
    .estimate_bps = fixed_estimate_bps,
    .choose = fixed_choose,
};

const struct cad_abr_ops *cad_abr_fixed(void)
{
    return &fixed_ops;
}
