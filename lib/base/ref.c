/*
 * ref.c - the pool of reference-counted buffers.
 *
 * A block is a header followed by the data at the next multiple of CAD_REF_ALIGN. Blocks of one
 * size class are alike, so any idle one serves. The pool counts one reference for its owner and one
 * for each buffer in use; whoever drops the last frees the pool itself.
 */
#include "base/ref.h"

#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/util.h"

#define CLASS_MIN_LOG2 10u /* the smallest block is 1 KiB */
#define CLASSES 84         /* four to an octave, up to 2 GiB */

struct hole {
    uint32_t from; /* first byte */
    uint32_t to;   /* after the last byte, > from */
};

struct cad_ref {
    atomic_uint refs;
    uint32_t size;         /* bytes the user asked for */
    uint32_t capacity;     /* bytes of data in the block */
    uint32_t size_class;   /* index into idle */
    struct cad_pool *pool; /* one of its references is ours while in use */
    struct cad_ref *next;  /* in the idle list */
    uint8_t *data;
    size_t block_bytes; /* what the allocator gave */
    uint32_t hole_count;
    struct hole holes[CAD_REF_HOLES_MAX]; /* sorted, apart from each other */
};

#define OVERHEAD (sizeof(struct cad_ref) + CAD_REF_ALIGN)

struct cad_pool {
    struct cad_alloc alloc;
    size_t idle_limit;
    atomic_uint refs;
    atomic_flag lock; /* guards all below; held for a few instructions */
    bool closed;      /* the owner is gone: blocks are freed, not kept */
    size_t idle_bytes;
    size_t used_bytes;
    struct cad_ref *idle[CLASSES];
};

static void lock(struct cad_pool *pool)
{
    while (atomic_flag_test_and_set_explicit(&pool->lock, memory_order_acquire)) {
    }
}

static void unlock(struct cad_pool *pool)
{
    atomic_flag_clear_explicit(&pool->lock, memory_order_release);
}

/* The class of blocks of at least this many bytes, and how large they are. */
static uint32_t class_of(size_t bytes, size_t *block_bytes)
{
    if (bytes <= (size_t)1 << CLASS_MIN_LOG2) {
        *block_bytes = (size_t)1 << CLASS_MIN_LOG2;
        return 0;
    }
    size_t last = bytes - 1;
    uint32_t log2 = CLASS_MIN_LOG2;
    while (last >> log2 > 1) log2++;
    size_t step = (size_t)1 << (log2 - 2);
    uint32_t quarter = (uint32_t)(last / step); /* 4..7 */
    *block_bytes = (quarter + 1) * step;
    return (log2 - CLASS_MIN_LOG2) * 4 + (quarter - 4) + 1;
}

size_t cad_pool_class_size(size_t size)
{
    size_t block_bytes;
    if (size > CAD_REF_SIZE_MAX) return 0;
    (void)class_of(size + OVERHEAD, &block_bytes);
    return block_bytes;
}

/*
 * ---- the pool ----------------------------------------------------------------------------------
 */

int cad_pool_create(const struct cad_alloc *alloc, size_t idle_limit_bytes, struct cad_pool **out)
{
    struct cad_pool *pool = cad_alloc_new(alloc, sizeof(*pool), CAD_MEM_SESSION);
    if (!pool) return CAD_E_NOMEM;
    pool->alloc = *alloc;
    pool->idle_limit = idle_limit_bytes;
    atomic_init(&pool->refs, 1);
    atomic_flag_clear(&pool->lock);
    *out = pool;
    return CAD_OK;
}

static void drop_pool(struct cad_pool *pool)
{
    if (atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1) return;
    struct cad_alloc alloc = pool->alloc;
    cad_alloc_free(&alloc, pool, sizeof(*pool), CAD_MEM_SESSION);
}

static void free_block(struct cad_pool *pool, struct cad_ref *ref)
{
    cad_alloc_free(&pool->alloc, ref, ref->block_bytes, CAD_MEM_MEDIA);
}

/* Take an idle block of the largest class that has one while more than keep_bytes are idle. */
static struct cad_ref *take_surplus(struct cad_pool *pool, size_t keep_bytes)
{
    struct cad_ref *ref = NULL;
    lock(pool);
    if (pool->idle_bytes > keep_bytes) {
        uint32_t c = CLASSES;
        while (!pool->idle[c - 1]) c--; /* idle bytes > 0: some list is not empty */
        ref = pool->idle[c - 1];
        pool->idle[c - 1] = ref->next;
        pool->idle_bytes -= ref->block_bytes;
    }
    unlock(pool);
    return ref;
}

void cad_pool_trim(struct cad_pool *pool, size_t keep_bytes)
{
    struct cad_ref *ref;
    while ((ref = take_surplus(pool, keep_bytes)) != NULL) free_block(pool, ref);
}

void cad_pool_destroy(struct cad_pool **pool)
{
    if (!pool || !*pool) return;
    struct cad_pool *p = *pool;
    *pool = NULL;
    lock(p);
    p->closed = true; /* from here on nobody adds to the lists */
    unlock(p);
    cad_pool_trim(p, 0);
    drop_pool(p);
}

size_t cad_pool_idle_bytes(struct cad_pool *pool)
{
    lock(pool);
    size_t bytes = pool->idle_bytes;
    unlock(pool);
    return bytes;
}

size_t cad_pool_used_bytes(struct cad_pool *pool)
{
    lock(pool);
    size_t bytes = pool->used_bytes;
    unlock(pool);
    return bytes;
}

static struct cad_ref *take_idle(struct cad_pool *pool, uint32_t size_class)
{
    lock(pool);
    struct cad_ref *ref = pool->idle[size_class];
    if (ref) {
        pool->idle[size_class] = ref->next;
        pool->idle_bytes -= ref->block_bytes;
    }
    unlock(pool);
    return ref;
}

/* A block straight from the allocator; its data stays as it came. */
static struct cad_ref *new_block(struct cad_pool *pool, size_t block_bytes)
{
    void *p = cad_alloc_resize(&pool->alloc, NULL, 0, block_bytes, CAD_MEM_MEDIA);
    if (!p) {
        cad_pool_trim(pool, 0);
        p = cad_alloc_resize(&pool->alloc, NULL, 0, block_bytes, CAD_MEM_MEDIA);
    }
    if (!p) return NULL;
    struct cad_ref *ref = p;
    memset(ref, 0, sizeof(*ref));
    uintptr_t after = (uintptr_t)p + sizeof(*ref);
    ref->data = (uint8_t *)p + sizeof(*ref) + (size_t)(-after & (CAD_REF_ALIGN - 1));
    ref->block_bytes = block_bytes;
    ref->capacity = (uint32_t)CAD_MIN(block_bytes - OVERHEAD, (size_t)CAD_REF_SIZE_MAX);
    ref->pool = pool;
    return ref;
}

int cad_pool_get(struct cad_pool *pool, size_t size, struct cad_ref **out)
{
    if (size > CAD_REF_SIZE_MAX) return CAD_E_LIMIT;
    size_t block_bytes;
    uint32_t size_class = class_of(size + OVERHEAD, &block_bytes);
    CAD_ASSERT(size_class < CLASSES);
    struct cad_ref *ref = take_idle(pool, size_class);
    cad_pool_trim(pool, pool->idle_limit);
    if (!ref) ref = new_block(pool, block_bytes);
    if (!ref) return CAD_E_NOMEM;
    ref->size = (uint32_t)size;
    ref->size_class = size_class;
    ref->hole_count = 0;
    ref->next = NULL;
    atomic_init(&ref->refs, 1);
    atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
    lock(pool);
    pool->used_bytes += block_bytes;
    unlock(pool);
    *out = ref;
    return CAD_OK;
}

/*
 * ---- references --------------------------------------------------------------------------------
 */

struct cad_ref *cad_ref_ref(struct cad_ref *ref)
{
    unsigned before = atomic_fetch_add_explicit(&ref->refs, 1, memory_order_relaxed);
    CAD_ASSERT(before > 0);
    CAD_ASSERT(before < UINT32_MAX);
    (void)before;
    return ref;
}

static void give_back(struct cad_ref *ref)
{
    struct cad_pool *pool = ref->pool;
    lock(pool);
    bool keep = !pool->closed;
    pool->used_bytes -= ref->block_bytes;
    if (keep) {
        ref->next = pool->idle[ref->size_class];
        pool->idle[ref->size_class] = ref;
        pool->idle_bytes += ref->block_bytes;
    }
    unlock(pool);
    if (!keep) free_block(pool, ref);
    drop_pool(pool);
}

void cad_ref_unref(struct cad_ref **ref)
{
    if (!ref || !*ref) return;
    struct cad_ref *r = *ref;
    *ref = NULL;
    unsigned before = atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel);
    CAD_ASSERT(before > 0);
    if (before == 1) give_back(r);
}

uint8_t *cad_ref_data(struct cad_ref *ref)
{
    return ref->data;
}

size_t cad_ref_size(const struct cad_ref *ref)
{
    return ref->size;
}

size_t cad_ref_capacity(const struct cad_ref *ref)
{
    return ref->capacity;
}

int cad_ref_set_size(struct cad_ref *ref, size_t size)
{
    if (size > ref->capacity) return CAD_E_LIMIT;
    ref->size = (uint32_t)size;
    return CAD_OK;
}

/*
 * ---- holes -------------------------------------------------------------------------------------
 */

/* Index of the first hole that ends at or after `at` (so that a hole ending there touches). */
static uint32_t first_hole_to(const struct cad_ref *ref, size_t at)
{
    uint32_t low = 0;
    uint32_t high = ref->hole_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ref->holes[middle].to < at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int cad_ref_add_hole(struct cad_ref *ref, size_t from, size_t to)
{
    if (from > to || to > ref->size) return CAD_E_INVAL;
    if (from == to) return CAD_OK;
    uint32_t i = first_hole_to(ref, from);
    uint32_t end = i; /* holes i..end-1 touch the new one */
    struct hole merged = {(uint32_t)from, (uint32_t)to};
    for (; end < ref->hole_count && ref->holes[end].from <= to; end++) {
        merged.from = CAD_MIN(merged.from, ref->holes[end].from);
        merged.to = CAD_MAX(merged.to, ref->holes[end].to);
    }
    if (end == i && ref->hole_count == CAD_REF_HOLES_MAX) return CAD_E_LIMIT;
    memmove(&ref->holes[i + 1], &ref->holes[end], (ref->hole_count - end) * sizeof(merged));
    ref->hole_count = ref->hole_count - (end - i) + 1;
    ref->holes[i] = merged;
    return CAD_OK;
}

bool cad_ref_is_hole(const struct cad_ref *ref, size_t from, size_t to)
{
    if (from >= to) return false;
    uint32_t i = first_hole_to(ref, from + 1);
    return i < ref->hole_count && ref->holes[i].from < to;
}

uint32_t cad_ref_hole_count(const struct cad_ref *ref)
{
    return ref->hole_count;
}
