/*
 * idmap.c - linear probing over slot numbers.
 *
 * The table is at most half full. Removal moves later entries of the run back (no tombstones), so
 * that lookups stay short however long a session lasts.
 */
#include "base/idmap.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

struct cad_idmap_slot {
    uint64_t id;
    union cad_idmap_value value;
    uint32_t next_free; /* slot number + 1, 0 none; only while free */
    bool used;
};

int cad_idmap_init(struct cad_idmap *m, const struct cad_alloc *alloc, enum cad_mem_class cls,
                   uint32_t limit)
{
    if (limit == 0 || limit > CAD_IDMAP_LIMIT_MAX) return CAD_E_INVAL;
    uint32_t table_size = 4;
    while (table_size < 2 * limit) table_size *= 2;
    struct cad_idmap_slot *slots = cad_alloc_array(alloc, limit, sizeof(*slots), cls);
    if (!slots) return CAD_E_NOMEM;
    uint32_t *table = cad_alloc_array(alloc, table_size, sizeof(*table), cls);
    if (!table) {
        cad_alloc_free(alloc, slots, limit * sizeof(*slots), cls);
        return CAD_E_NOMEM;
    }
    *m = (struct cad_idmap){.alloc = *alloc,
                            .cls = cls,
                            .slots = slots,
                            .table = table,
                            .table_size = table_size,
                            .limit = limit};
    return CAD_OK;
}

void cad_idmap_deinit(struct cad_idmap *m)
{
    cad_alloc_free(&m->alloc, m->slots, m->limit * sizeof(*m->slots), m->cls);
    cad_alloc_free(&m->alloc, m->table, m->table_size * sizeof(*m->table), m->cls);
    *m = (struct cad_idmap){.alloc = m->alloc, .cls = m->cls};
}

static uint32_t home_of(const struct cad_idmap *m, uint64_t id)
{
    return (uint32_t)cad_hash_u64(id) & (m->table_size - 1);
}

/* Where id is in the table, or the empty place where it would go. */
static uint32_t find(const struct cad_idmap *m, uint64_t id)
{
    uint32_t at = home_of(m, id);
    while (m->table[at] != 0 && m->slots[m->table[at] - 1].id != id) {
        at = (at + 1) & (m->table_size - 1);
    }
    return at;
}

static struct cad_idmap_slot *slot_of(const struct cad_idmap *m, uint64_t id)
{
    uint32_t number = m->table_size ? m->table[find(m, id)] : 0;
    return number ? &m->slots[number - 1] : NULL;
}

static int put(struct cad_idmap *m, uint64_t id, union cad_idmap_value value)
{
    uint32_t at = find(m, id);
    if (m->table[at] != 0) {
        m->slots[m->table[at] - 1].value = value;
        return CAD_OK;
    }
    if (m->count == m->limit) return CAD_E_LIMIT;
    uint32_t number = m->free_head;
    if (number != 0) {
        m->free_head = m->slots[number - 1].next_free;
    } else {
        number = ++m->high;
    }
    m->slots[number - 1] = (struct cad_idmap_slot){.id = id, .value = value, .used = true};
    m->table[at] = number;
    m->count++;
    return CAD_OK;
}

int cad_idmap_put(struct cad_idmap *m, uint64_t id, uint64_t value)
{
    return put(m, id, (union cad_idmap_value){.u = value});
}

int cad_idmap_put_ptr(struct cad_idmap *m, uint64_t id, void *p)
{
    return put(m, id, (union cad_idmap_value){.p = p});
}

bool cad_idmap_get(const struct cad_idmap *m, uint64_t id, uint64_t *value)
{
    const struct cad_idmap_slot *slot = slot_of(m, id);
    if (!slot) return false;
    if (value) *value = slot->value.u;
    return true;
}

void *cad_idmap_get_ptr(const struct cad_idmap *m, uint64_t id)
{
    const struct cad_idmap_slot *slot = slot_of(m, id);
    return slot ? slot->value.p : NULL;
}

/* Fill the hole at `hole` with later entries of its run that may live there. */
static void close_gap(struct cad_idmap *m, uint32_t hole)
{
    uint32_t mask = m->table_size - 1;
    uint32_t at = hole;
    for (;;) {
        at = (at + 1) & mask;
        if (m->table[at] == 0) break;
        uint32_t home = home_of(m, m->slots[m->table[at] - 1].id);
        /* An entry may move back to the hole unless its home lies after the hole. */
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            m->table[hole] = m->table[at];
            hole = at;
        }
    }
    m->table[hole] = 0;
}

bool cad_idmap_remove(struct cad_idmap *m, uint64_t id)
{
    uint32_t at = find(m, id);
    uint32_t number = m->table[at];
    if (number == 0) return false;
    close_gap(m, at);
    m->slots[number - 1] = (struct cad_idmap_slot){.next_free = m->free_head};
    m->free_head = number;
    m->count--;
    return true;
}

uint32_t cad_idmap_count(const struct cad_idmap *m)
{
    return m->count;
}

void cad_idmap_clear(struct cad_idmap *m)
{
    if (!m->table) return;
    memset(m->table, 0, m->table_size * sizeof(*m->table));
    memset(m->slots, 0, m->high * sizeof(*m->slots));
    m->count = 0;
    m->high = 0;
    m->free_head = 0;
}

bool cad_idmap_next(const struct cad_idmap *m, uint32_t *cursor, uint64_t *id,
                    union cad_idmap_value *value)
{
    while (*cursor < m->high) {
        const struct cad_idmap_slot *slot = &m->slots[(*cursor)++];
        if (!slot->used) continue;
        if (id) *id = slot->id;
        if (value) *value = slot->value;
        return true;
    }
    return false;
}
