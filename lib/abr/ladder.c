#include "abr/ladder.h"

#include "base/assert.h"
#include "base/util.h"

void cad_abr_ladder_init(struct cad_abr_ladder *l, const struct cad_abr_rung *rungs,
                         uint32_t count)
{
    CAD_ASSERT(count > 0);
    CAD_ASSERT(count <= CAD_ABR_RUNGS_MAX);
    l->rungs = rungs;
    l->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (rungs[i].allowed) l->place[l->count++] = i;
    }
    if (l->count > 0) return;
    for (uint32_t i = 0; i < count; i++) l->place[l->count++] = i;
}

uint32_t cad_abr_ladder_highest(const struct cad_abr_ladder *l, int64_t limit_bps)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < l->count; i++) {
        if (cad_abr_ladder_rate(l, i) <= limit_bps) best = i;
    }
    return best;
}

uint32_t cad_abr_ladder_at_or_below(const struct cad_abr_ladder *l, uint32_t rung)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < l->count && l->place[i] <= rung; i++) best = i;
    return best;
}

uint32_t cad_abr_ladder_nearest(const struct cad_abr_ladder *l, uint32_t rung)
{
    uint32_t below = cad_abr_ladder_at_or_below(l, rung);
    if (l->place[below] >= rung || below + 1 == l->count) return below;
    return l->place[below + 1] - rung < rung - l->place[below] ? below + 1 : below;
}

int64_t cad_abr_ladder_rate(const struct cad_abr_ladder *l, uint32_t place)
{
    CAD_ASSERT(place < l->count);
    return l->rungs[l->place[place]].rate_bps;
}
