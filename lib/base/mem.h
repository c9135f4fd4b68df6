/*
 * mem.h - calling a struct cad_alloc, and the accountant that puts a ceiling over one.
 *
 * Sizes are always given back on resize and free, so that an allocator needs no header of its own.
 * struct cad_budget wraps a parent allocator: it counts bytes per class, keeps the peak, and
 * refuses what would pass the ceiling. Its counters are atomic because the last reference to a
 * buffer may be dropped on another thread; it is as thread-safe as its parent.
 */
#ifndef CAD_BASE_MEM_H
#define CAD_BASE_MEM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

/* n zeroed bytes (n 0 is taken as 1 by allocation and by cad_alloc_free), or NULL. */
CAD_MUST_CHECK void *cad_alloc_new(const struct cad_alloc *a, size_t n, enum cad_mem_class cls);
/* count * size zeroed bytes, NULL also when the product overflows. Free with the product. */
CAD_MUST_CHECK void *cad_alloc_array(const struct cad_alloc *a, size_t count, size_t size,
                                     enum cad_mem_class cls);
/*
 * p with another size; new bytes are not zeroed; p may be NULL with old_bytes 0. On NULL p stays.
 */
CAD_MUST_CHECK void *cad_alloc_resize(const struct cad_alloc *a, void *p, size_t old_bytes,
                                      size_t new_bytes, enum cad_mem_class cls);
/* Give back p of n bytes; p may be NULL. */
void cad_alloc_free(const struct cad_alloc *a, void *p, size_t n, enum cad_mem_class cls);

/* Overwrite n bytes of a secret with zeros, also where nobody reads them again. p may be NULL. */
void cad_wipe(void *p, size_t n);

struct cad_budget {
    struct cad_alloc parent;
    int64_t ceiling_bytes;
    _Atomic int64_t used; /* bytes, all classes; never above the ceiling */
    _Atomic int64_t peak; /* highest used */
    _Atomic int64_t used_class[CAD_MEM_CLASSES]; /* bytes */
    _Atomic int64_t peak_class[CAD_MEM_CLASSES]; /* bytes */
    _Atomic int64_t failures; /* refusals by the ceiling or the parent */
};

/* ceiling_bytes <= 0 means no ceiling. The struct must not move afterwards. */
void cad_budget_init(struct cad_budget *b, const struct cad_alloc *parent, int64_t ceiling_bytes);
/* The allocator to hand out; b must outlive everything allocated from it. */
struct cad_alloc cad_budget_alloc(struct cad_budget *b);

int64_t cad_budget_used(const struct cad_budget *b);
int64_t cad_budget_used_class(const struct cad_budget *b, enum cad_mem_class cls);
int64_t cad_budget_peak(const struct cad_budget *b);
int64_t cad_budget_peak_class(const struct cad_budget *b, enum cad_mem_class cls);
int64_t cad_budget_failures(const struct cad_budget *b);

/*
 * Count bytes that a library took behind the allocator's back (at a stated factor), without taking
 * any; cad_budget_uncharge gives them back. CAD_E_NOMEM: over the ceiling, nothing was counted.
 */
CAD_MUST_CHECK int cad_budget_charge(struct cad_budget *b, size_t bytes, enum cad_mem_class cls);
void cad_budget_uncharge(struct cad_budget *b, size_t bytes, enum cad_mem_class cls);

#endif
