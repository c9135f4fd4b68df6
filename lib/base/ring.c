#include "base/ring.h"

#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"

int cad_ring_init(struct cad_ring *r, const struct cad_alloc *alloc, enum cad_mem_class cls,
                  size_t elem_size, size_t capacity)
{
    CAD_ASSERT(elem_size > 0);
    CAD_ASSERT(capacity > 0);
    size_t bytes;
    if (!cad_mul_size(elem_size, capacity, &bytes)) return CAD_E_LIMIT;
    uint8_t *memory = cad_alloc_new(alloc, bytes, cls);
    if (!memory) return CAD_E_NOMEM;
    *r = (struct cad_ring){.alloc = *alloc,
                           .cls = cls,
                           .memory = memory,
                           .elem_size = elem_size,
                           .capacity = capacity};
    return CAD_OK;
}

void cad_ring_deinit(struct cad_ring *r)
{
    cad_alloc_free(&r->alloc, r->memory, r->elem_size * r->capacity, r->cls);
    *r = (struct cad_ring){.alloc = r->alloc, .cls = r->cls};
}

/* The place of the i-th from the oldest, which may be the first free one; i < capacity. */
static uint8_t *place(const struct cad_ring *r, size_t i)
{
    size_t index = r->head;
    index = i < r->capacity - index ? index + i : i - (r->capacity - index);
    return r->memory + index * r->elem_size;
}

int cad_ring_push(struct cad_ring *r, const void *elem)
{
    if (r->count == r->capacity) return CAD_E_LIMIT;
    memcpy(place(r, r->count), elem, r->elem_size);
    r->count++;
    return CAD_OK;
}

void *cad_ring_push_place(struct cad_ring *r)
{
    if (r->count == r->capacity) return NULL;
    uint8_t *p = place(r, r->count);
    memset(p, 0, r->elem_size);
    r->count++;
    return p;
}

bool cad_ring_pop(struct cad_ring *r, void *elem)
{
    if (r->count == 0) return false;
    if (elem) memcpy(elem, place(r, 0), r->elem_size);
    r->head = r->head + 1 == r->capacity ? 0 : r->head + 1;
    r->count--;
    return true;
}

void *cad_ring_peek(const struct cad_ring *r)
{
    return cad_ring_at(r, 0);
}

void *cad_ring_at(const struct cad_ring *r, size_t i)
{
    return i < r->count ? place(r, i) : NULL;
}

size_t cad_ring_count(const struct cad_ring *r)
{
    return r->count;
}

size_t cad_ring_space(const struct cad_ring *r)
{
    return r->capacity - r->count;
}

void cad_ring_clear(struct cad_ring *r)
{
    r->head = 0;
    r->count = 0;
}

bool cad_ring_pop_back(struct cad_ring *r, void *elem)
{
    if (r->count == 0) return false;
    if (elem) memcpy(elem, cad_ring_at(r, r->count - 1), r->elem_size);
    r->count--;
    return true;
}
