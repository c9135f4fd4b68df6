/*
 * mem.c - allocation helpers and the budget.
 *
 * The budget reserves before it asks its parent and gives the reservation back if the parent fails,
 * so that the ceiling holds even when two threads allocate at once.
 */
#include "base/mem.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"

void *cad_alloc_new(const struct cad_alloc *a, size_t n, enum cad_mem_class cls)
{
    if (n == 0) n = 1;
    void *p = a->fn(a->ctx, NULL, 0, n, cls);
    if (p) memset(p, 0, n);
    return p;
}

void *cad_alloc_array(const struct cad_alloc *a, size_t count, size_t size, enum cad_mem_class cls)
{
    size_t n;
    if (!cad_mul_size(count, size, &n)) return NULL;
    return cad_alloc_new(a, n, cls);
}

void *cad_alloc_resize(const struct cad_alloc *a, void *p, size_t old_bytes, size_t new_bytes,
                       enum cad_mem_class cls)
{
    CAD_ASSERT(p || old_bytes == 0);
    if (p && old_bytes == 0) old_bytes = 1;
    if (new_bytes == 0) new_bytes = 1;
    return a->fn(a->ctx, p, old_bytes, new_bytes, cls);
}

void cad_alloc_free(const struct cad_alloc *a, void *p, size_t n, enum cad_mem_class cls)
{
    if (!p) return;
    (void)a->fn(a->ctx, p, n ? n : 1, 0, cls);
}

/* ---- budget -------------------------------------------------------------------------------- */

static void raise_peak(_Atomic int64_t *peak, int64_t value)
{
    int64_t seen = atomic_load_explicit(peak, memory_order_relaxed);
    while (seen < value && !atomic_compare_exchange_weak_explicit(
                               peak, &seen, value, memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* Count n bytes more; false, and nothing counted, over the ceiling. */
static bool reserve(struct cad_budget *b, size_t n, enum cad_mem_class cls)
{
    int64_t add;
    int64_t total;
    if (!cad_size_to_i64(n, &add)) return false;
    int64_t used = atomic_load_explicit(&b->used, memory_order_relaxed);
    do {
        if (!cad_add_i64(used, add, &total)) return false;
        if (b->ceiling_bytes > 0 && total > b->ceiling_bytes) return false;
    } while (!atomic_compare_exchange_weak_explicit(&b->used, &used, total, memory_order_relaxed,
                                                    memory_order_relaxed));
    raise_peak(&b->peak, total);
    int64_t of_class = atomic_fetch_add_explicit(&b->used_class[cls], add, memory_order_relaxed);
    raise_peak(&b->peak_class[cls], of_class + add);
    return true;
}

static void release(struct cad_budget *b, size_t n, enum cad_mem_class cls)
{
    int64_t before = atomic_fetch_sub_explicit(&b->used, (int64_t)n, memory_order_relaxed);
    int64_t of_class =
        atomic_fetch_sub_explicit(&b->used_class[cls], (int64_t)n, memory_order_relaxed);
    CAD_ASSERT(before >= (int64_t)n);
    CAD_ASSERT(of_class >= (int64_t)n);
    (void)before;
    (void)of_class;
}

static void count_failure(struct cad_budget *b)
{
    atomic_fetch_add_explicit(&b->failures, 1, memory_order_relaxed);
}

static void *budget_fn(void *ctx, void *p, size_t old_bytes, size_t new_bytes,
                       enum cad_mem_class cls)
{
    struct cad_budget *b = ctx;
    if (new_bytes == 0) {
        if (!p) return NULL;
        (void)b->parent.fn(b->parent.ctx, p, old_bytes, 0, cls);
        release(b, old_bytes, cls);
        return NULL;
    }
    size_t more = new_bytes > old_bytes ? new_bytes - old_bytes : 0;
    if (more > 0 && !reserve(b, more, cls)) {
        count_failure(b);
        return NULL;
    }
    void *q = b->parent.fn(b->parent.ctx, p, old_bytes, new_bytes, cls);
    if (!q) {
        if (more > 0) release(b, more, cls);
        count_failure(b);
        return NULL;
    }
    if (new_bytes < old_bytes) release(b, old_bytes - new_bytes, cls);
    return q;
}

void cad_wipe(void *p, size_t n)
{
    volatile uint8_t *at = p;
    for (size_t i = 0; p && i < n; i++) at[i] = 0;
}

void cad_budget_init(struct cad_budget *b, const struct cad_alloc *parent, int64_t ceiling_bytes)
{
    b->parent = *parent;
    b->ceiling_bytes = ceiling_bytes;
    atomic_init(&b->used, 0);
    atomic_init(&b->peak, 0);
    atomic_init(&b->failures, 0);
    for (int i = 0; i < CAD_MEM_CLASSES; i++) {
        atomic_init(&b->used_class[i], 0);
        atomic_init(&b->peak_class[i], 0);
    }
}

struct cad_alloc cad_budget_alloc(struct cad_budget *b)
{
    return (struct cad_alloc){budget_fn, b};
}

int64_t cad_budget_used(const struct cad_budget *b)
{
    return atomic_load_explicit(&b->used, memory_order_relaxed);
}

int64_t cad_budget_used_class(const struct cad_budget *b, enum cad_mem_class cls)
{
    return atomic_load_explicit(&b->used_class[cls], memory_order_relaxed);
}

int64_t cad_budget_peak(const struct cad_budget *b)
{
    return atomic_load_explicit(&b->peak, memory_order_relaxed);
}

int64_t cad_budget_peak_class(const struct cad_budget *b, enum cad_mem_class cls)
{
    return atomic_load_explicit(&b->peak_class[cls], memory_order_relaxed);
}

int64_t cad_budget_failures(const struct cad_budget *b)
{
    return atomic_load_explicit(&b->failures, memory_order_relaxed);
}

int cad_budget_charge(struct cad_budget *b, size_t bytes, enum cad_mem_class cls)
{
    if (reserve(b, bytes, cls)) return CAD_OK;
    count_failure(b);
    return CAD_E_NOMEM;
}

void cad_budget_uncharge(struct cad_budget *b, size_t bytes, enum cad_mem_class cls)
{
    release(b, bytes, cls);
}
