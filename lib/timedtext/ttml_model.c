/*
 * ttml_model.c - searching children by time, and the heap of boundaries.
 */
#include "timedtext/ttml_model.h"

#include <string.h>

#include "base/mem.h"
#include "base/util.h"

#define BOUNDARIES_FIRST 64u

/* ---- boundaries ------------------------------------------------------------------------------ */

static int grow(struct cad_text *text)
{
    size_t max = text->boundary_max > 0 ? text->boundary_max * 2 : BOUNDARIES_FIRST;
    size_t size = sizeof(*text->boundaries);
    if (max > SIZE_MAX / size) return CAD_E_LIMIT;
    cad_time *p = cad_alloc_resize(&text->alloc, text->boundaries, text->boundary_max * size,
                                   max * size, CAD_MEM_OTHER);
    if (!p) return CAD_E_NOMEM;
    text->boundaries = p;
    text->boundary_max = max;
    return CAD_OK;
}

static int push(struct cad_text *text, cad_time t)
{
    if (text->boundary_count == text->boundary_max) {
        int rc = grow(text);
        if (rc != 0) return rc;
    }
    size_t at = text->boundary_count++;
    for (; at > 0 && text->boundaries[(at - 1) / 2] < t; at = (at - 1) / 2) {
        text->boundaries[at] = text->boundaries[(at - 1) / 2];
    }
    text->boundaries[at] = t;
    return CAD_OK;
}

int ttml_model_note(struct cad_text *text, cad_time begin, cad_time end)
{
    if (begin >= end) return CAD_OK;
    int rc = push(text, begin);
    if (rc == 0 && end != CAD_TIME_MAX) rc = push(text, end);
    return rc;
}

void ttml_sort_init(struct ttml_sort *sort, const struct cad_text *text)
{
    sort->heap = sort->sorted = text->boundary_count;
}

/* The largest of `count` > 0 entries; the rest stays a heap. */
static cad_time take_largest(cad_time *heap, size_t count)
{
    cad_time largest = heap[0];
    cad_time moved = heap[--count];
    size_t at = 0;
    while (at * 2 + 1 < count) {
        size_t child = at * 2 + 1;
        if (child + 1 < count && heap[child + 1] > heap[child]) child++;
        if (heap[child] <= moved) break;
        heap[at] = heap[child];
        at = child;
    }
    if (count > 0) heap[at] = moved;
    return largest;
}

bool ttml_sort_step(struct ttml_sort *sort, struct cad_text *text, uint32_t work)
{
    cad_time *all = text->boundaries;
    for (; work > 0 && sort->heap > 0; work--) {
        cad_time largest = take_largest(all, sort->heap--);
        bool first = sort->sorted == text->boundary_count;
        if (first || all[sort->sorted] != largest) all[--sort->sorted] = largest;
    }
    if (sort->heap > 0) return false;
    text->boundary_count -= sort->sorted;
    if (text->boundary_count > 0) {
        memmove(all, all + sort->sorted, text->boundary_count * sizeof(*all));
    }
    sort->sorted = text->boundary_count;
    return true;
}

/* ---- children -------------------------------------------------------------------------------- */

int ttml_model_children(struct cad_text *text, struct ttml_node *node, struct ttml_node *first,
                        uint32_t count)
{
    struct ttml_child *children = cad_arena_array(&text->arena, struct ttml_child, count);
    if (!children) return cad_arena_error(&text->arena);
    uint32_t i = 0;
    cad_time last_end = 0;
    for (struct ttml_node *n = first; n && i < count; n = n->next, i++) {
        last_end = CAD_MAX(last_end, n->end);
        children[i].node = n;
        children[i].last_end = last_end;
    }
    cad_time first_begin = CAD_TIME_MAX;
    for (i = count; i > 0; i--) {
        first_begin = CAD_MIN(first_begin, children[i - 1].node->begin);
        children[i - 1].first_begin = first_begin;
    }
    if (node->kind == TTML_SPAN && count == 1) first->alone = first->kind == TTML_ANONYMOUS;
    node->children = children;
    node->child_count = count;
    return CAD_OK;
}

void ttml_model_search(const struct ttml_node *node, cad_time t, uint32_t *from, uint32_t *to)
{
    uint32_t low = 0;
    uint32_t high = node->child_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (node->children[middle].last_end <= t) low = middle + 1;
        else high = middle;
    }
    *from = low;
    high = node->child_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (node->children[middle].first_begin <= t) low = middle + 1;
        else high = middle;
    }
    *to = low;
}
