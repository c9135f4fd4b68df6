/*
 * cdm_contract.h - the contract of cadmium/cdm.h as checks over any CDM with a clear path.
 *
 * A CDM says how its init data and licences are written, and runs the checks:
 *
 *     int main(void) { return cdm_contract_run(&(struct cdm_kind){.name = "x", ...}); }
 *
 * The checks encrypt samples by themselves with the keys of the licences that they give.
 */
#ifndef CAD_TESTS_CDM_CONTRACT_H
#define CAD_TESTS_CDM_CONTRACT_H

#include "cadmium/cdm.h"

struct cdm_key {
    uint8_t kid[CAD_KEY_ID_SIZE], key[16];
};

struct cdm_kind {
    const char *name;
    const struct cad_cdm_ops *ops;
    cad_str key_system;
    /* Writes init data that asks for these keys; bytes written. */
    size_t (*init_data)(const struct cdm_key *keys, uint32_t n, enum cad_init_type *type,
                        uint8_t *out, size_t cap);
    /* Writes a licence with these keys; bytes written. */
    size_t (*licence)(const struct cdm_key *keys, uint32_t n, uint8_t *out, size_t cap);
};

/* Exit status of all checks; prints each. */
int cdm_contract_run(const struct cdm_kind *kind);
/* The first check that fails and why, in a static text of the caller's size; false: none does. */
bool cdm_contract_breach(const struct cdm_kind *kind, char *out, size_t cap);

/* Clear Key's init data (keyids) and licences, for CDMs that are made of it. */
size_t cdm_clearkey_init_data(const struct cdm_key *keys, uint32_t n, enum cad_init_type *type,
                              uint8_t *out, size_t cap);
size_t cdm_clearkey_licence(const struct cdm_key *keys, uint32_t n, uint8_t *out, size_t cap);

#endif
