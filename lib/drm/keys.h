/*
 * keys.h - the table of keys that decode threads read while the control thread replaces it.
 *
 * Readers wait for nobody: one atomic addition takes the table that is current and counts the
 * reader in, one subtraction counts it out. A table that was replaced is wiped by whoever is the
 * last to let go of it. Readers copy the key they want and hold a table for that long only.
 *
 *     cad_keys_init(&keys, &alloc)
 *     rc = cad_keys_replace(&keys, rows, n, &before);   control thread; readers see it from now on
 *     cad_keys_settle(&keys, before);                   ... for good, or
 *     cad_keys_undo(&keys, before);                     ... as it was
 *     status = cad_keys_find(&keys, kid, key);          any thread
 *     cad_keys_deinit(&keys)                            no reader is left
 */
#ifndef CAD_DRM_KEYS_H
#define CAD_DRM_KEYS_H

#include <stdatomic.h>

#include "cadmium/cdm.h"

#define CAD_KEYS_MAX 64       /* rows of a table */
#define CAD_KEYS_TABLES_MAX 8 /* the current one and those that readers still hold */
#define CAD_KEY_SIZE 16       /* AES-128 */

/* A key. Unused rows of a table are zeros: their status is UNKNOWN. */
struct cad_key_row {
    uint8_t kid[CAD_KEY_ID_SIZE];
    uint8_t key[CAD_KEY_SIZE]; /* zeros unless the status is USABLE */
    uint32_t status;           /* enum cad_key_status */
};

struct cad_key_table;

struct cad_keys {
    struct cad_alloc alloc;
    /* Index of the current table << 48 | readers that took it since it became current. */
    _Atomic uint64_t head;
    struct cad_key_table *tables[CAD_KEYS_TABLES_MAX]; /* made when first needed, then kept */
};

/* An empty table is current. CAD_E_NOMEM: nothing is held. The struct must not move afterwards. */
CAD_MUST_CHECK int cad_keys_init(struct cad_keys *keys, const struct cad_alloc *alloc);
void cad_keys_deinit(struct cad_keys *keys);

/*
 * Make n rows current, no key id twice. It must be settled or undone before the next one.
 * CAD_E_LIMIT: above CAD_KEYS_MAX. CAD_E_AGAIN: readers hold all tables. CAD_E_NOMEM.
 */
CAD_MUST_CHECK int cad_keys_replace(struct cad_keys *keys, const struct cad_key_row *rows,
                                    uint32_t n, uint64_t *before);
void cad_keys_settle(struct cad_keys *keys, uint64_t before);
void cad_keys_undo(struct cad_keys *keys, uint64_t before);

/*
 * enum cad_key_status of a key id; the key is written if it is USABLE, else zeros. key may be NULL.
 * Takes the same steps whatever it finds.
 */
int cad_keys_find(struct cad_keys *keys, const uint8_t kid[CAD_KEY_ID_SIZE],
                  uint8_t key[CAD_KEY_SIZE]);

#endif
