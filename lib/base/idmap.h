/*
 * idmap.h - a map from 64-bit ids to 64-bit values or pointers, of fixed capacity.
 *
 * Entries live in slots 0..limit-1 that do not move; the hash table beside them holds slot numbers,
 * so that iteration follows slots and never depends on pointers or hashes. A freed slot is used
 * again, last freed first: the same calls give the same order everywhere. Nothing is allocated
 * after init. Any id is allowed.
 */
#ifndef CAD_BASE_IDMAP_H
#define CAD_BASE_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#define CAD_IDMAP_LIMIT_MAX (1u << 24) /* entries that one map may be asked to hold */

union cad_idmap_value {
    uint64_t u;
    void *p;
};

struct cad_idmap_slot;

struct cad_idmap {
    struct cad_alloc alloc;
    enum cad_mem_class cls;
    struct cad_idmap_slot *slots; /* limit of them */
    uint32_t *table;              /* slot number + 1, 0 empty; table_size of them */
    uint32_t table_size;          /* a power of two, at least 2 * limit */
    uint32_t limit;               /* entries */
    uint32_t count;               /* entries in use */
    uint32_t high;                /* slots ever used: iteration ends here */
    uint32_t free_head;           /* slot number + 1 of the last freed, 0 none */
};

/* 0 < limit <= CAD_IDMAP_LIMIT_MAX (CAD_E_INVAL). CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_idmap_init(struct cad_idmap *m, const struct cad_alloc *alloc,
                                  enum cad_mem_class cls, uint32_t limit);
void cad_idmap_deinit(struct cad_idmap *m);
/* Set or replace. CAD_E_LIMIT when full. */
CAD_MUST_CHECK int cad_idmap_put(struct cad_idmap *m, uint64_t id, uint64_t value);
CAD_MUST_CHECK int cad_idmap_put_ptr(struct cad_idmap *m, uint64_t id, void *p);
/* False (and *value as it was) when there is none. value may be NULL. */
bool cad_idmap_get(const struct cad_idmap *m, uint64_t id, uint64_t *value);
/* NULL when there is none. Only for ids that were put with cad_idmap_put_ptr. */
void *cad_idmap_get_ptr(const struct cad_idmap *m, uint64_t id);
bool cad_idmap_remove(struct cad_idmap *m, uint64_t id);
uint32_t cad_idmap_count(const struct cad_idmap *m);
void cad_idmap_clear(struct cad_idmap *m);
/*
 * Walk in slot order: start with *cursor 0, go on until false. The entry just returned may be
 * removed during the walk; id and value may be NULL.
 */
bool cad_idmap_next(const struct cad_idmap *m, uint32_t *cursor, uint64_t *id,
                    union cad_idmap_value *value);

#endif
