/*
 * ladder.c - the ladder rules of the licensed manifest, section 5.3.
 */
#include <stdint.h>

#include "manifest/ladder.h"

/* True if a goes before b. Not total by itself: the sort is stable and keeps document order. */
static bool goes_before(const struct cad_representation *a, const struct cad_representation *b)
{
    if (a->bandwidth_bps != b->bandwidth_bps) return a->bandwidth_bps < b->bandwidth_bps;
    if (a->vmaf_milli != b->vmaf_milli) return a->vmaf_milli > b->vmaf_milli;
    return a->height > b->height;
}

/* Stable; ladders have at most 64 rungs, so an insertion sort does. */
static void sort(struct cad_representation *items, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct cad_representation item = items[i];
        uint32_t at = i;
        for (; at > 0 && goes_before(&item, &items[at - 1]); at--) items[at] = items[at - 1];
        items[at] = item;
    }
}

/* A rung among those before it, which cost less or as much. */
static void judge(struct cad_representation *items, uint32_t at)
{
    struct cad_representation *rung = &items[at];
    for (uint32_t i = 0; i < at; i++) {
        const struct cad_representation *other = &items[i];
        if (other->codec != rung->codec || other->encrypted != rung->encrypted) continue;
        if (other->bandwidth_bps == rung->bandwidth_bps) {
            rung->fallback = true;
        } else if (rung->vmaf_milli >= 0 && other->vmaf_milli > rung->vmaf_milli) {
            rung->dominated = true;
        }
    }
}

void cad_ladder_arrange(struct cad_representation *items, uint32_t count)
{
    bool any_encrypted = false;
    for (uint32_t i = 0; i < count; i++) any_encrypted = any_encrypted || items[i].encrypted;
    sort(items, count);
    for (uint32_t i = 0; i < count; i++) {
        judge(items, i);
        if (any_encrypted && !items[i].encrypted) items[i].fallback = true;
    }
}
