/*
 * decrypt.c - cenc, cens, cbc1 and cbcs (ISO/IEC 23001-7 9, 10).
 *
 * What the four have in common: a sample is a row of clear and protected runs; clear runs are
 * passed on. In a protected run cenc ciphers every byte, the others whole blocks only: what is less
 * than a block at its end is clear. cens and cbcs cipher crypt blocks of every crypt + skip; where
 * the end of a run leaves fewer than crypt, the whole blocks that are left are ciphered.
 */
#include "drm/decrypt.h"

#include <mbedtls/aes.h>
#include <mbedtls/platform_util.h>
#include <string.h>

#include "base/bytes.h"
#include "base/util.h"

enum {
    BLOCK = 16,
    KEY_BITS = 128,
    PATTERN_MAX = 15,
};

struct cipher {
    const struct cad_cdm_sample *sample;
    mbedtls_aes_context aes;
    uint8_t iv[BLOCK];     /* of the sample */
    uint8_t chain[BLOCK];  /* CBC: the block before; CTR: the counter */
    uint8_t stream[BLOCK]; /* CTR: what the last counter gave */
    size_t used;           /* CTR: bytes used of it */
};

static bool is_ctr(enum cad_scheme scheme)
{
    return scheme == CAD_SCHEME_CENC || scheme == CAD_SCHEME_CENS;
}

/*
 * Counter mode whose counter is the lower half alone (9.3): it wraps to 0 without a carry, while
 * mbedTLS counts with all 128 bits. So a call ends where the counter wraps, and the upper half is
 * put back.
 */
static int ctr(struct cipher *c, uint8_t *p, size_t n)
{
    while (n > 0) {
        uint64_t blocks = 0 - cad_be64(c->chain + 8); /* 0: 2^64 of them */
        size_t part = n;
        size_t kept = (BLOCK - c->used) % BLOCK;
        if (blocks != 0 && blocks < SIZE_MAX / (2 * BLOCK)) {
            part = CAD_MIN(n, kept + (size_t)blocks * BLOCK);
        }
        int rc = mbedtls_aes_crypt_ctr(&c->aes, part, &c->used, c->chain, c->stream, p, p);
        if (rc != 0) return rc;
        memcpy(c->chain, c->iv, 8);
        p += part;
        n -= part;
    }
    return 0;
}

/* Whole blocks. */
static int crypt_blocks(struct cipher *c, uint8_t *p, size_t n)
{
    if (n == 0) return 0;
    if (is_ctr(c->sample->scheme)) return ctr(c, p, n);
    return mbedtls_aes_crypt_cbc(&c->aes, MBEDTLS_AES_DECRYPT, n, c->chain, p, p);
}

static int crypt_pattern(struct cipher *c, uint8_t *p, size_t n)
{
    size_t crypt = (size_t)c->sample->crypt_blocks * BLOCK;
    size_t skip = (size_t)c->sample->skip_blocks * BLOCK;
    n -= n % BLOCK;
    if (skip == 0) return crypt_blocks(c, p, n); /* 0:0 as well: every whole block */
    if (crypt == 0) return 0;
    while (n > 0) {
        size_t part = CAD_MIN(crypt, n);
        int rc = crypt_blocks(c, p, part);
        if (rc != 0) return rc;
        size_t step = CAD_MIN(part + skip, n);
        p += step;
        n -= step;
    }
    return 0;
}

/* A protected run. */
static int crypt_run(struct cipher *c, uint8_t *p, size_t n)
{
    switch (c->sample->scheme) {
    case CAD_SCHEME_CENC: return ctr(c, p, n);
    case CAD_SCHEME_CENS: return crypt_pattern(c, p, n);
    case CAD_SCHEME_CBC1: return crypt_blocks(c, p, n - n % BLOCK);
    case CAD_SCHEME_CBCS:
        memcpy(c->chain, c->iv, BLOCK); /* each subsample begins anew (10.4.1) */
        return crypt_pattern(c, p, n);
    case CAD_SCHEME_CLEAR: break;
    }
    return 0;
}

static int crypt_sample(struct cipher *c, uint8_t *p)
{
    const struct cad_cdm_sample *s = c->sample;
    int rc = s->subsample_count == 0 ? crypt_run(c, p, s->data.n) : 0;
    for (uint32_t i = 0; i < s->subsample_count && rc == 0; i++) {
        p += s->subsamples[i].clear_bytes;
        rc = crypt_run(c, p, s->subsamples[i].cipher_bytes);
        p += s->subsamples[i].cipher_bytes;
    }
    return rc;
}

static bool is_overlap(cad_buf in, const uint8_t *out)
{
    uintptr_t a = (uintptr_t)in.p;
    uintptr_t b = (uintptr_t)out;
    if (a == b) return false;
    return a < b ? b - a < in.n : a - b < in.n;
}

int cad_drm_sample_check(const struct cad_cdm_sample *s, const uint8_t *out)
{
    if (s->size < sizeof *s) return CAD_E_INVAL;
    if (s->data.n > 0 && (s->data.p == NULL || out == NULL)) return CAD_E_INVAL;
    if (is_overlap(s->data, out)) return CAD_E_INVAL;
    if ((uint32_t)s->scheme > CAD_SCHEME_CBCS) return CAD_E_UNSUPPORTED;
    if (s->scheme == CAD_SCHEME_CLEAR) return 0;
    if (s->subsample_count > CAD_CDM_SUBSAMPLES_MAX) return CAD_E_LIMIT;
    if (s->subsample_count > 0 && s->subsamples == NULL) return CAD_E_INVAL;
    if (s->iv_size != 8 && s->iv_size != BLOCK) return CAD_E_DATA;
    if (s->crypt_blocks > PATTERN_MAX || s->skip_blocks > PATTERN_MAX) return CAD_E_DATA;
    uint64_t sum = s->subsample_count == 0 ? s->data.n : 0;
    for (uint32_t i = 0; i < s->subsample_count; i++) {
        sum += (uint64_t)s->subsamples[i].clear_bytes + s->subsamples[i].cipher_bytes;
    }
    return sum == s->data.n ? 0 : CAD_E_DATA;
}

int cad_drm_sample_decrypt(const struct cad_cdm_sample *s, const uint8_t key[16], uint8_t *out,
                           uint32_t *system_code)
{
    if (s->data.n == 0) return 0;
    if (out != s->data.p) memcpy(out, s->data.p, s->data.n);
    if (s->scheme == CAD_SCHEME_CLEAR) return 0;
    struct cipher c = {.sample = s};
    memcpy(c.iv, s->iv, s->iv_size);
    memcpy(c.chain, c.iv, BLOCK);
    mbedtls_aes_init(&c.aes);
    int rc = is_ctr(s->scheme) ? mbedtls_aes_setkey_enc(&c.aes, key, KEY_BITS)
                               : mbedtls_aes_setkey_dec(&c.aes, key, KEY_BITS);
    if (rc == 0) rc = crypt_sample(&c, out);
    mbedtls_aes_free(&c.aes);
    mbedtls_platform_zeroize(&c, sizeof c);
    if (rc == 0) return 0;
    *system_code = (uint32_t)-rc;
    return CAD_E_IO;
}

void cad_drm_decrypt_prepare(void)
{
    static const uint8_t zeros[BLOCK];
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    (void)mbedtls_aes_setkey_dec(&aes, zeros, KEY_BITS);
    mbedtls_aes_free(&aes);
}
