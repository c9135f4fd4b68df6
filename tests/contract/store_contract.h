/*
 * store_contract.h - the contract of cadmium/store.h as tests over any implementation.
 *
 *     int main(void) { return store_contract_run(&(struct store_kind){.name = "x", ...}); }
 */
#ifndef CAD_TESTS_STORE_CONTRACT_H
#define CAD_TESTS_STORE_CONTRACT_H

#include "cadmium/store.h"

struct store_kind {
    const char *name;
    /* A store without values that holds bytes_max of them, in a place of its own. */
    int (*create)(int64_t bytes_max, const struct cad_alloc *alloc, struct cad_store *out);
    /* The same place again after destroy; NULL: values die with the store. */
    int (*again)(int64_t bytes_max, const struct cad_alloc *alloc, struct cad_store *out);
};

int store_contract_run(const struct store_kind *kind);

/* The next answer, waited for up to 10 s; CAD_E_AGAIN: none came. */
int store_poll(struct cad_store *s, struct cad_store_done *done);
/* Order and answer in one, for further tests of one implementation; the result of the answer. */
int store_put(struct cad_store *s, const char *key, cad_buf value, uint32_t flags);
int store_get(struct cad_store *s, const char *key, cad_buf *value);
int store_del(struct cad_store *s, const char *key);
int store_list(struct cad_store *s, const char *prefix, const cad_str **keys, size_t *count);

#endif
