#include "steer/rank.h"

#include <string.h>

#include "base/checked.h"

#define PULSES_MIN 2        /* of a score that may move a server */
#define DOWNLOADS_MIN 3     /* real downloads that outweigh probes */
#define DISTANCE_US 10000   /* a smaller difference is noise */

void cad_rank_init(struct cad_rank *rank, uint32_t count)
{
    rank->count = count;
    for (uint32_t i = 0; i < count; i++) rank->inner[i] = rank->order[i] = (uint8_t)i;
}

/* A location; lowgrade servers are the last resort inside it. */
static bool same_level(const struct cad_rank_level *a, const struct cad_rank_level *b)
{
    return a->location_rank == b->location_rank && a->level == b->level &&
           a->lowgrade == b->lowgrade;
}

static bool counts(const struct cad_steer_result *result)
{
    return result->known && result->score.n >= PULSES_MIN;
}

/* Less than 0.7 of the other's cost, and by more than noise. */
static bool much_better(int64_t cost, int64_t than)
{
    if (cost == CAD_FTL_COST_NONE) return false;
    if (than == CAD_FTL_COST_NONE) return true;
    return cad_mul_sat_i64(cost, 10) < cad_mul_sat_i64(than, 7) && than - cost > DISTANCE_US;
}

/* Whether `behind` goes before the server in front of it. */
static bool passes(uint8_t behind, uint8_t front, const struct cad_steer_result *results)
{
    const struct cad_steer_result *b = &results[behind];
    const struct cad_steer_result *f = &results[front];
    /* Its throughput is known: cost says nothing against that. */
    if (f->downloads >= DOWNLOADS_MIN) return false;
    if (counts(b) && counts(f)) return much_better(b->score.cost_us, f->score.cost_us);
    if (b->place > 0 && f->place > 0 && b->place != f->place) return b->place < f->place;
    /* Without two scores, or a race, the manifest's order holds. */
    return behind < front;
}

static void swap(uint8_t *a, uint8_t *b)
{
    uint8_t t = *a;
    *a = *b;
    *b = t;
}

static void step_inside(struct cad_rank *rank, const struct cad_rank_level *levels,
                        const struct cad_steer_result *results)
{
    for (uint32_t i = 1; i < rank->count; i++) {
        uint8_t front = rank->inner[i - 1];
        uint8_t behind = rank->inner[i];
        if (!same_level(&levels[front], &levels[behind])) continue;
        if (!passes(behind, front, results)) continue;
        swap(&rank->inner[i - 1], &rank->inner[i]);
        i++; /* the one that was passed moves no further */
    }
}

/* ---- levels ---------------------------------------------------------------------------------- */

/* After the last server of the distance class that begins at `from` in the inner order. A lowgrade
 * server belongs to its level here. */
static uint32_t level_end(const struct cad_rank *rank, const struct cad_rank_level *levels,
                          uint32_t from)
{
    const struct cad_rank_level *first = &levels[rank->inner[from]];
    uint32_t i = from + 1;
    while (i < rank->count && levels[rank->inner[i]].location_rank == first->location_rank &&
           levels[rank->inner[i]].level == first->level) {
        i++;
    }
    return i;
}

/* Every server failed at least two of its last three pulses, and none gives media. */
static bool failing(const struct cad_rank *rank, uint32_t from, uint32_t to,
                    const struct cad_steer_result *results)
{
    for (uint32_t i = from; i < to; i++) {
        const struct cad_steer_result *r = &results[rank->inner[i]];
        if (!r->known || r->downloads >= DOWNLOADS_MIN) return false;
        if (r->score.last3_n < 3 || r->score.last3_ok * 2 >= r->score.last3_n) return false;
    }
    return true;
}

/* Some server is known to answer. */
static bool answering(const struct cad_rank *rank, uint32_t from, uint32_t to,
                      const struct cad_steer_result *results)
{
    for (uint32_t i = from; i < to; i++) {
        const struct cad_steer_result *r = &results[rank->inner[i]];
        if (r->known && r->score.last3_n > 0 && r->score.last3_ok * 2 >= r->score.last3_n) {
            return true;
        }
    }
    return false;
}

/* A failing level goes behind all others if a farther one is known to answer. */
static void order_levels(struct cad_rank *rank, const struct cad_rank_level *levels,
                         const struct cad_steer_result *results)
{
    uint8_t sunk[CAD_STEER_SERVERS_MAX];
    uint32_t sunk_count = 0;
    uint32_t count = 0;
    uint32_t end;
    for (uint32_t from = 0; from < rank->count; from = end) {
        end = level_end(rank, levels, from);
        bool sinks = failing(rank, from, end, results) &&
                     answering(rank, end, rank->count, results);
        uint8_t *to = sinks ? &sunk[sunk_count] : &rank->order[count];
        memcpy(to, &rank->inner[from], end - from);
        if (sinks) sunk_count += end - from;
        else count += end - from;
    }
    memcpy(&rank->order[count], sunk, sunk_count);
}

void cad_rank_step(struct cad_rank *rank, const struct cad_rank_level *levels,
                   const struct cad_steer_result *results)
{
    bool any = false;
    for (uint32_t i = 0; i < rank->count; i++) any = any || results[i].known || results[i].place;
    if (!any) {
        cad_rank_init(rank, rank->count);
        return;
    }
    step_inside(rank, levels, results);
    order_levels(rank, levels, results);
}

/* ---- a new list ------------------------------------------------------------------------------ */

static uint32_t place_of(const struct cad_rank *rank, int32_t server)
{
    uint32_t i = 0;
    while (i < rank->count && rank->inner[i] != server) i++;
    return i;
}

void cad_rank_keep(struct cad_rank *rank, const struct cad_rank_level *levels,
                   const struct cad_rank *old, const int32_t *was)
{
    for (uint32_t i = 1; i < rank->count; i++) {
        for (uint32_t at = i; at > 0; at--) {
            uint8_t front = rank->inner[at - 1];
            uint8_t behind = rank->inner[at];
            if (was[front] < 0 || was[behind] < 0 || was[front] > was[behind]) break;
            if (!same_level(&levels[front], &levels[behind])) break;
            if (place_of(old, was[front]) < place_of(old, was[behind])) break;
            swap(&rank->inner[at - 1], &rank->inner[at]);
        }
    }
    memcpy(rank->order, rank->inner, rank->count);
}
