#include "base/heap.h"

#include "base/assert.h"
#include "base/mem.h"

int cad_heap_init(struct cad_heap *h, const struct cad_alloc *alloc, enum cad_mem_class cls,
                  size_t capacity)
{
    CAD_ASSERT(capacity > 0);
    struct cad_heap_entry *entries = cad_alloc_array(alloc, capacity, sizeof(*entries), cls);
    if (!entries) return CAD_E_NOMEM;
    *h = (struct cad_heap){
        .alloc = *alloc, .cls = cls, .entries = entries, .capacity = capacity};
    return CAD_OK;
}

void cad_heap_deinit(struct cad_heap *h)
{
    cad_alloc_free(&h->alloc, h->entries, h->capacity * sizeof(*h->entries), h->cls);
    *h = (struct cad_heap){.alloc = h->alloc, .cls = h->cls};
}

static bool before(const struct cad_heap_entry *a, const struct cad_heap_entry *b)
{
    return a->key != b->key ? a->key < b->key : a->id < b->id;
}

/* Put e where it belongs, on the way from the hole at i to the root. */
static void sift_up(struct cad_heap *h, size_t i, struct cad_heap_entry e)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (!before(&e, &h->entries[parent])) break;
        h->entries[i] = h->entries[parent];
        i = parent;
    }
    h->entries[i] = e;
}

/* Put e where it belongs, on the way from the hole at i to the leaves. */
static void sift_down(struct cad_heap *h, size_t i, struct cad_heap_entry e)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= h->count) break;
        if (child + 1 < h->count && before(&h->entries[child + 1], &h->entries[child])) child++;
        if (!before(&h->entries[child], &e)) break;
        h->entries[i] = h->entries[child];
        i = child;
    }
    h->entries[i] = e;
}

int cad_heap_push(struct cad_heap *h, cad_time key, uint64_t id, uint64_t value)
{
    if (h->count == h->capacity) return CAD_E_LIMIT;
    sift_up(h, h->count++, (struct cad_heap_entry){key, id, value});
    return CAD_OK;
}

static void remove_at(struct cad_heap *h, size_t i)
{
    struct cad_heap_entry last = h->entries[--h->count];
    if (i == h->count) return;
    if (i > 0 && before(&last, &h->entries[(i - 1) / 2])) {
        sift_up(h, i, last);
    } else {
        sift_down(h, i, last);
    }
}

bool cad_heap_pop(struct cad_heap *h, struct cad_heap_entry *out)
{
    if (h->count == 0) return false;
    if (out) *out = h->entries[0];
    remove_at(h, 0);
    return true;
}

bool cad_heap_peek(const struct cad_heap *h, struct cad_heap_entry *out)
{
    if (h->count == 0) return false;
    *out = h->entries[0];
    return true;
}

bool cad_heap_remove(struct cad_heap *h, uint64_t id)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->entries[i].id == id) {
            remove_at(h, i);
            return true;
        }
    }
    return false;
}

size_t cad_heap_count(const struct cad_heap *h)
{
    return h->count;
}

void cad_heap_clear(struct cad_heap *h)
{
    h->count = 0;
}
