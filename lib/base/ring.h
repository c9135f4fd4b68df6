/*
 * ring.h - a first-in, first-out queue of fixed capacity, for one thread.
 *
 * Elements are copied in and out by their size. Nothing is allocated after init.
 */
#ifndef CAD_BASE_RING_H
#define CAD_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

struct cad_ring {
    struct cad_alloc alloc;
    enum cad_mem_class cls;
    uint8_t *memory;   /* capacity * elem_size bytes, aligned for any object */
    size_t elem_size;  /* bytes */
    size_t capacity;   /* elements */
    size_t head;       /* index of the oldest, < capacity */
    size_t count;      /* elements, <= capacity */
};

/* elem_size and capacity > 0. CAD_E_NOMEM; CAD_E_LIMIT when the product overflows. */
CAD_MUST_CHECK int cad_ring_init(struct cad_ring *r, const struct cad_alloc *alloc,
                                 enum cad_mem_class cls, size_t elem_size, size_t capacity);
void cad_ring_deinit(struct cad_ring *r);
/* Copy one in at the end. CAD_E_LIMIT when full. */
CAD_MUST_CHECK int cad_ring_push(struct cad_ring *r, const void *elem);
/* A zeroed place at the end, already counted; NULL when full. Valid until it is popped. */
CAD_MUST_CHECK void *cad_ring_push_place(struct cad_ring *r);
/* Copy the oldest out and drop it; elem may be NULL. False when empty. */
bool cad_ring_pop(struct cad_ring *r, void *elem);
/* The oldest in place, NULL when empty; valid until it is popped. */
void *cad_ring_peek(const struct cad_ring *r);
/* The i-th from the oldest in place, NULL out of range. */
void *cad_ring_at(const struct cad_ring *r, size_t i);
size_t cad_ring_count(const struct cad_ring *r);
size_t cad_ring_space(const struct cad_ring *r);
void cad_ring_clear(struct cad_ring *r);

/* Take the newest element off, into elem unless NULL; false when empty. */
bool cad_ring_pop_back(struct cad_ring *r, void *elem);

#endif
