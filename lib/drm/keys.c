/*
 * keys.c - a table under a split reference count.
 *
 * Readers are counted in where the current table is named (head) and counted out in the table
 * (refs, which goes below 0 while it is current). When a table is replaced, the readers counted in
 * are added to refs: it reaches 0 when the last of them is out, and stays above before.
 *
 * The count in head has 48 bits: at a million looks a second it would run over after 8 years
 * without any change of keys.
 */
#include "drm/keys.h"

#include <mbedtls/platform_util.h>
#include <string.h>

#include "base/mem.h"

enum { INDEX_SHIFT = 48 };

#define COUNT_MASK ((UINT64_C(1) << INDEX_SHIFT) - 1)

struct cad_key_table {
    _Atomic int64_t refs;
    _Atomic bool in_use;
    struct cad_key_row rows[CAD_KEYS_MAX];
};

static void wipe(struct cad_key_table *table)
{
    mbedtls_platform_zeroize(table->rows, sizeof table->rows);
    atomic_store_explicit(&table->in_use, false, memory_order_release);
}

static struct cad_key_table *table_of(const struct cad_keys *keys, uint64_t head)
{
    return keys->tables[head >> INDEX_SHIFT];
}

/* A table that nobody uses, made if need be. */
static int take_table(struct cad_keys *keys, size_t *index)
{
    for (size_t i = 0; i < CAD_KEYS_TABLES_MAX; i++) {
        struct cad_key_table *table = keys->tables[i];
        if (table == NULL) {
            table = cad_alloc_new(&keys->alloc, sizeof *table, CAD_MEM_SESSION);
            if (table == NULL) return CAD_E_NOMEM;
            keys->tables[i] = table;
        } else if (atomic_load_explicit(&table->in_use, memory_order_acquire)) {
            continue;
        }
        atomic_store_explicit(&table->refs, 0, memory_order_relaxed);
        atomic_store_explicit(&table->in_use, true, memory_order_relaxed);
        *index = i;
        return 0;
    }
    return CAD_E_AGAIN;
}

int cad_keys_init(struct cad_keys *keys, const struct cad_alloc *alloc)
{
    *keys = (struct cad_keys){.alloc = *alloc};
    /* Two, so that closing a session later on needs no memory. */
    size_t first = 0;
    size_t second = 0;
    int rc = take_table(keys, &first);
    if (rc == 0) rc = take_table(keys, &second);
    if (rc != 0) {
        cad_keys_deinit(keys);
        return rc;
    }
    wipe(keys->tables[second]);
    atomic_store_explicit(&keys->head, (uint64_t)first << INDEX_SHIFT, memory_order_release);
    return 0;
}

void cad_keys_deinit(struct cad_keys *keys)
{
    for (size_t i = 0; i < CAD_KEYS_TABLES_MAX; i++) {
        struct cad_key_table *table = keys->tables[i];
        if (table == NULL) continue;
        wipe(table);
        cad_alloc_free(&keys->alloc, table, sizeof *table, CAD_MEM_SESSION);
        keys->tables[i] = NULL;
    }
}

int cad_keys_replace(struct cad_keys *keys, const struct cad_key_row *rows, uint32_t n,
                     uint64_t *before)
{
    size_t index = 0;
    if (n > CAD_KEYS_MAX) return CAD_E_LIMIT;
    int rc = take_table(keys, &index);
    if (rc != 0) return rc;
    if (n > 0) memcpy(keys->tables[index]->rows, rows, n * sizeof *rows);
    *before = atomic_exchange_explicit(&keys->head, (uint64_t)index << INDEX_SHIFT,
                                       memory_order_acq_rel);
    return 0;
}

void cad_keys_settle(struct cad_keys *keys, uint64_t before)
{
    struct cad_key_table *table = table_of(keys, before);
    int64_t readers = (int64_t)(before & COUNT_MASK);
    int64_t out = atomic_fetch_add_explicit(&table->refs, readers, memory_order_acq_rel);
    if (out + readers == 0) wipe(table);
}

void cad_keys_undo(struct cad_keys *keys, uint64_t before)
{
    /* The old table is current again with the readers it had. */
    uint64_t undone = atomic_exchange_explicit(&keys->head, before, memory_order_acq_rel);
    cad_keys_settle(keys, undone);
}

/* All ones if both halves are the same, else 0, without a branch. */
static uint64_t same_mask(const uint64_t a[2], const uint64_t b[2])
{
    uint64_t differs = (a[0] ^ b[0]) | (a[1] ^ b[1]);
    return ((differs | (0 - differs)) >> 63) - 1;
}

int cad_keys_find(struct cad_keys *keys, const uint8_t kid[CAD_KEY_ID_SIZE],
                  uint8_t key[CAD_KEY_SIZE])
{
    uint64_t taken = atomic_fetch_add_explicit(&keys->head, 1, memory_order_acquire);
    struct cad_key_table *table = table_of(keys, taken);
    uint64_t found[2] = {0, 0};
    uint64_t status = 0;
    uint64_t want[2];
    memcpy(want, kid, sizeof want);
    for (size_t i = 0; i < CAD_KEYS_MAX; i++) {
        const struct cad_key_row *row = &table->rows[i];
        uint64_t id[2];
        uint64_t bytes[2];
        memcpy(id, row->kid, sizeof id);
        memcpy(bytes, row->key, sizeof bytes);
        uint64_t mask = same_mask(id, want);
        status |= row->status & mask;
        found[0] |= bytes[0] & mask;
        found[1] |= bytes[1] & mask;
    }
    int64_t left = atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) - 1;
    if (left == 0) wipe(table);
    if (key != NULL) memcpy(key, found, sizeof found);
    mbedtls_platform_zeroize(found, sizeof found);
    return (int)status;
}
