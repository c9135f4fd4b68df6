/*
 * ref.h - the pool behind struct cad_ref (cadmium/base.h), and what a writer does with a buffer.
 *
 * One thread owns the pool: it calls create, get, trim and destroy. Any thread may take and drop
 * references. A writer gets a buffer, fills it, notes its holes, and only then lets others see it.
 *
 * Blocks come in size classes, four to an octave, each with a list of idle blocks guarded by a tiny
 * spin lock held for a few instructions. While the pool lives, the last unref only puts the block
 * on its list: the allocator is called by the owner alone, in get and trim, which keep the idle
 * bytes under the limit given. After cad_pool_destroy the pool lives on until the last reference is
 * dropped, and that unref frees on its own thread; the allocator must allow that.
 *
 * A hole is a range that has a length but no bytes (a virtual origin commits payload that way). The
 * contents of a new or recycled buffer are undefined.
 */
#ifndef CAD_BASE_REF_H
#define CAD_BASE_REF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#define CAD_REF_ALIGN 64               /* bytes; the alignment of the data */
#define CAD_REF_HOLES_MAX 64           /* ranges in one buffer after merging */
#define CAD_REF_SIZE_MAX (1u << 30)    /* bytes in one buffer */

struct cad_pool;

/* idle_limit_bytes: how much may lie idle; 0 keeps nothing. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_pool_create(const struct cad_alloc *alloc, size_t idle_limit_bytes,
                                   struct cad_pool **out);
/* Frees what is idle; buffers still referenced stay valid. Accepts NULL, leaves NULL. */
void cad_pool_destroy(struct cad_pool **pool);
/*
 * A buffer of size bytes with one reference and no holes. When the allocator refuses, everything
 * idle is given back and it is asked once more. CAD_E_NOMEM; CAD_E_LIMIT above CAD_REF_SIZE_MAX.
 */
CAD_MUST_CHECK int cad_pool_get(struct cad_pool *pool, size_t size, struct cad_ref **out);
/* Give idle blocks back until at most keep_bytes lie idle. */
void cad_pool_trim(struct cad_pool *pool, size_t keep_bytes);
/* Bytes lying idle, and bytes of all blocks in use, as charged. Any thread; a moment's truth. */
size_t cad_pool_idle_bytes(struct cad_pool *pool);
size_t cad_pool_used_bytes(struct cad_pool *pool);
/* What a buffer of this size costs: the whole block asked of the allocator; 0 over the limit. */
size_t cad_pool_class_size(size_t size);

uint8_t *cad_ref_data(struct cad_ref *ref);
size_t cad_ref_size(const struct cad_ref *ref);
/* Bytes that the block could hold, at least cad_ref_size. */
size_t cad_ref_capacity(const struct cad_ref *ref);
/* Another size up to the capacity (CAD_E_LIMIT); writer only, before publishing. */
CAD_MUST_CHECK int cad_ref_set_size(struct cad_ref *ref, size_t size);

/*
 * Note that [from, to) has no bytes; writer only, before that range is published, and not while
 * another thread asks cad_ref_is_hole of this buffer. Ranges that touch or overlap are merged; an
 * empty one is ignored. CAD_E_INVAL: beyond the size. CAD_E_LIMIT: more than CAD_REF_HOLES_MAX.
 */
CAD_MUST_CHECK int cad_ref_add_hole(struct cad_ref *ref, size_t from, size_t to);
/* True if any byte of [from, to) is a hole. */
bool cad_ref_is_hole(const struct cad_ref *ref, size_t from, size_t to);
uint32_t cad_ref_hole_count(const struct cad_ref *ref);

#endif
