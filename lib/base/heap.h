/*
 * heap.h - a binary min-heap of timers: what is due first.
 *
 * Entries are ordered by (key, id), so the order is total as long as ids differ. Capacity is fixed
 * at init and nothing is allocated later. Finding an id is a walk over the entries: heaps here hold
 * dozens.
 */
#ifndef CAD_BASE_HEAP_H
#define CAD_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

struct cad_heap_entry {
    cad_time key;
    uint64_t id;
    uint64_t value;
};

struct cad_heap {
    struct cad_alloc alloc;
    enum cad_mem_class cls;
    struct cad_heap_entry *entries; /* entries[0] is the smallest */
    size_t count;
    size_t capacity;
};

/* capacity > 0. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_heap_init(struct cad_heap *h, const struct cad_alloc *alloc,
                                 enum cad_mem_class cls, size_t capacity);
void cad_heap_deinit(struct cad_heap *h);
/* CAD_E_LIMIT when full. */
CAD_MUST_CHECK int cad_heap_push(struct cad_heap *h, cad_time key, uint64_t id, uint64_t value);
/* The smallest, taken or only looked at; false when empty. out may be NULL for pop. */
bool cad_heap_pop(struct cad_heap *h, struct cad_heap_entry *out);
bool cad_heap_peek(const struct cad_heap *h, struct cad_heap_entry *out);
/* Take out the entry with this id (the first found, if ids repeat); false when there is none. */
bool cad_heap_remove(struct cad_heap *h, uint64_t id);
size_t cad_heap_count(const struct cad_heap *h);
void cad_heap_clear(struct cad_heap *h);

#endif
