#include "drive/spsc.h"

#include "base/assert.h"
#include "base/mem.h"
#include "cadmium/unlock.h"

int cad_spsc_init(struct cad_spsc *ring, const struct cad_alloc *alloc, uint32_t capacity)
{
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->starved, false);
    atomic_init(&ring->stuffed, false);
    ring->alloc = *alloc;
    ring->items = NULL;
    ring->capacity = capacity;
    if (capacity == 0 || (capacity & (capacity - 1)) != 0) return CAD_E_INVAL;
    ring->items = cad_alloc_array(alloc, capacity, sizeof *ring->items, CAD_MEM_SESSION);
    return ring->items ? 0 : CAD_E_NOMEM;
}

void cad_spsc_deinit(struct cad_spsc *ring)
{
    if (!ring->items) return;
    const struct cad_spsc_item *item;
    while ((item = cad_spsc_peek(ring)) != NULL) {
        struct cad_sample sample = item->sample;
        cad_sample_release(&sample);
        (void)cad_spsc_pop(ring);
    }
    cad_alloc_free(&ring->alloc, ring->items, ring->capacity * sizeof *ring->items,
                   CAD_MEM_SESSION);
    ring->items = NULL;
}

/* The counters run on and wrap; only their difference counts. */
static uint32_t count(struct cad_spsc *ring)
{
    return atomic_load(&ring->tail) - atomic_load(&ring->head);
}

bool cad_spsc_full(struct cad_spsc *ring)
{
    if (count(ring) < ring->capacity) return false;
    /* The flag first, then a second look: a pop in between either is seen or sees the flag. */
    atomic_store(&ring->stuffed, true);
    return count(ring) >= ring->capacity;
}

int cad_spsc_push(struct cad_spsc *ring, const struct cad_spsc_item *item)
{
    if (cad_spsc_full(ring)) return CAD_E_LIMIT;
    uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    ring->items[tail & (ring->capacity - 1)] = *item;
    atomic_store(&ring->tail, tail + 1);
    return atomic_exchange(&ring->starved, false) ? 1 : 0;
}

const struct cad_spsc_item *cad_spsc_peek(struct cad_spsc *ring)
{
    if (count(ring) == 0) {
        /* As in cad_spsc_full, from the other side. */
        atomic_store(&ring->starved, true);
        if (count(ring) == 0) return NULL;
        atomic_store(&ring->starved, false);
    }
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    return &ring->items[head & (ring->capacity - 1)];
}

bool cad_spsc_pop(struct cad_spsc *ring)
{
    CAD_ASSERT(count(ring) > 0);
    uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    atomic_store(&ring->head, head + 1);
    if (count(ring) > ring->capacity / 2 || !atomic_load(&ring->stuffed)) return false;
    return atomic_exchange(&ring->stuffed, false);
}
