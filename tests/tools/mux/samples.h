/*
 * samples.h - one sample of the muxer: what of it is protected, and the ciphers (23001-7 9, 10).
 */
#ifndef MUX_SAMPLES_H
#define MUX_SAMPLES_H

#include <mbedtls/aes.h>

#include "avc.h"
#include "cadmium/cdm.h"
#include "cadmium/types.h"

#define MUX_SUBSAMPLES_MAX 1024 /* of one sample */
#define MUX_PATTERN_CRYPT 1u
#define MUX_PATTERN_SKIP 9u

/* The runs of a sample. None: all of it is protected. */
struct mux_plan {
    struct cad_cdm_subsample runs[MUX_SUBSAMPLES_MAX];
    uint32_t count;
};

/* How samples of a codec are parted. */
struct mux_rule {
    enum cad_scheme scheme;
    enum cad_codec codec;
    bool whole;              /* no subsamples: sound */
    mbedtls_aes_context aes; /* has the key */
    struct mux_avc avc;
};

/* CAD_E_DATA: it is no sample of the codec. CAD_E_LIMIT: too many runs. */
CAD_MUST_CHECK int mux_plan(struct mux_rule *rule, cad_buf sample, struct mux_plan *out);

/* Encrypts in place. iv: CAD_CDM_IV_SIZE bytes. cbcs: a pattern unless the rule says whole. */
CAD_MUST_CHECK int mux_encrypt(struct mux_rule *rule, const uint8_t *iv,
                               const struct mux_plan *plan, uint8_t *sample, size_t n);

#endif
