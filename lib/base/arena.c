#include "base/arena.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"
#include "base/util.h"

/* The chunk in front of the list is the one that is filled; chunks of a single large object are put
 * behind it, so that its free end is not lost. */
struct cad_arena_chunk {
    struct cad_arena_chunk *next;
    size_t size; /* bytes, this header included */
    size_t used; /* bytes, this header included */
};

void cad_arena_init(struct cad_arena *a, const struct cad_alloc *alloc, enum cad_mem_class cls,
                    size_t chunk_bytes, size_t limit_bytes)
{
    *a = (struct cad_arena){.alloc = *alloc, .cls = cls};
    a->chunk_bytes = CAD_MAX(chunk_bytes, CAD_ARENA_CHUNK_MIN);
    a->limit_bytes = limit_bytes ? limit_bytes : SIZE_MAX;
}

void cad_arena_deinit(struct cad_arena *a)
{
    struct cad_arena_chunk *chunk = a->chunks;
    while (chunk) {
        struct cad_arena_chunk *next = chunk->next;
        cad_alloc_free(&a->alloc, chunk, chunk->size, a->cls);
        chunk = next;
    }
    a->chunks = NULL;
    a->bytes_total = 0;
    a->error = 0;
}

static void *fail(struct cad_arena *a, int error)
{
    if (!a->error) a->error = error;
    return NULL;
}

/* n bytes at this alignment from the chunk's free end, or NULL when they do not fit. */
static void *take(struct cad_arena_chunk *chunk, size_t n, size_t align)
{
    uintptr_t at = (uintptr_t)chunk + chunk->used;
    size_t pad = (size_t)(-at & (align - 1));
    size_t space = chunk->size - chunk->used;
    if (pad > space || n > space - pad) return NULL;
    void *p = (uint8_t *)chunk + chunk->used + pad;
    chunk->used += pad + n;
    return p;
}

static struct cad_arena_chunk *add_chunk(struct cad_arena *a, size_t n, size_t align)
{
    size_t need;
    if (!cad_add_size(n, sizeof(struct cad_arena_chunk) + align - 1, &need)) {
        return fail(a, CAD_E_LIMIT);
    }
    size_t left = a->limit_bytes - a->bytes_total;
    if (need > left) return fail(a, CAD_E_LIMIT);
    bool own = need > a->chunk_bytes;
    size_t size = own ? need : CAD_MIN(a->chunk_bytes, left);
    struct cad_arena_chunk *chunk = cad_alloc_new(&a->alloc, size, a->cls);
    if (!chunk) return fail(a, CAD_E_NOMEM);
    chunk->size = size;
    chunk->used = sizeof(*chunk);
    a->bytes_total += size;
    if (own && a->chunks) {
        chunk->next = a->chunks->next;
        a->chunks->next = chunk;
    } else {
        chunk->next = a->chunks;
        a->chunks = chunk;
    }
    return chunk;
}

void *cad_arena_alloc(struct cad_arena *a, size_t n, size_t align)
{
    CAD_ASSERT(align > 0);
    CAD_ASSERT((align & (align - 1)) == 0);
    CAD_ASSERT(align <= CAD_ARENA_ALIGN_MAX);
    if (n == 0) n = 1; /* two objects never share an address */
    void *p = a->chunks ? take(a->chunks, n, align) : NULL;
    if (p) return p;
    struct cad_arena_chunk *chunk = add_chunk(a, n, align);
    return chunk ? take(chunk, n, align) : NULL;
}

void *cad_arena_alloc_array(struct cad_arena *a, size_t count, size_t size, size_t align)
{
    size_t n;
    if (!cad_mul_size(count, size, &n)) return fail(a, CAD_E_LIMIT);
    return cad_arena_alloc(a, n, align);
}

cad_str cad_arena_str(struct cad_arena *a, cad_str s)
{
    char *p = NULL;
    size_t n;
    if (cad_add_size(s.n, 1, &n)) p = cad_arena_alloc(a, n, 1);
    if (!p) return (cad_str){NULL, 0};
    if (s.n > 0) memcpy(p, s.p, s.n);
    return (cad_str){p, s.n}; /* the memory was zero: the NUL is there */
}

cad_buf cad_arena_buf(struct cad_arena *a, cad_buf b)
{
    uint8_t *p = cad_arena_alloc(a, b.n, 1);
    if (!p) return (cad_buf){NULL, 0};
    if (b.n > 0) memcpy(p, b.p, b.n);
    return (cad_buf){p, b.n};
}

size_t cad_arena_bytes(const struct cad_arena *a)
{
    return a->bytes_total;
}

int cad_arena_error(const struct cad_arena *a)
{
    return a->error;
}
