/*
 * arena.h - many small things that die in one stroke.
 *
 * init, then cad_arena_new / _array / _str as often as needed, then deinit. Memory is zeroed.
 * Chunks come from the allocator; something larger than a chunk gets one of its own. The byte limit
 * counts whole chunks, that is what the arena costs. NULL means CAD_E_NOMEM or CAD_E_LIMIT:
 * cad_arena_error says which one came first.
 */
#ifndef CAD_BASE_ARENA_H
#define CAD_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#define CAD_ARENA_CHUNK_MIN 256 /* bytes; smaller chunk sizes are raised to it */
#define CAD_ARENA_ALIGN_MAX 64  /* bytes; the largest alignment that may be asked for */

struct cad_arena_chunk;

struct cad_arena {
    struct cad_alloc alloc;
    enum cad_mem_class cls;
    size_t chunk_bytes; /* usual size of a chunk, its header included */
    size_t limit_bytes; /* bytes_total never exceeds it */
    size_t bytes_total; /* all chunks with their headers */
    struct cad_arena_chunk *chunks; /* newest ordinary chunk first, then all others */
    int error;                      /* the first failure, 0 none */
};

/* Empty; takes no memory yet. limit_bytes 0: no limit but the allocator's. */
void cad_arena_init(struct cad_arena *a, const struct cad_alloc *alloc, enum cad_mem_class cls,
                    size_t chunk_bytes, size_t limit_bytes);
/* Give everything back; the arena may be used again. Accepts a zeroed struct. */
void cad_arena_deinit(struct cad_arena *a);

/* n zeroed bytes at a multiple of align (a power of two, at most CAD_ARENA_ALIGN_MAX), or NULL. */
CAD_MUST_CHECK void *cad_arena_alloc(struct cad_arena *a, size_t n, size_t align);
/* count * size zeroed bytes; NULL also when the product overflows (CAD_E_LIMIT). */
CAD_MUST_CHECK void *cad_arena_alloc_array(struct cad_arena *a, size_t count, size_t size,
                                           size_t align);
#define cad_arena_new(a, type) ((type *)cad_arena_alloc((a), sizeof(type), _Alignof(type)))
#define cad_arena_array(a, type, count)                                                            \
    ((type *)cad_arena_alloc_array((a), (count), sizeof(type), _Alignof(type)))

/* A copy with a NUL after it. p is NULL on failure only: the copy of an empty view is "". */
CAD_MUST_CHECK cad_str cad_arena_str(struct cad_arena *a, cad_str s);
CAD_MUST_CHECK cad_buf cad_arena_buf(struct cad_arena *a, cad_buf b);

/* What the arena costs now, in bytes. */
size_t cad_arena_bytes(const struct cad_arena *a);
/* The first failure since init: 0, CAD_E_NOMEM or CAD_E_LIMIT. */
int cad_arena_error(const struct cad_arena *a);

#endif
