/*
 * cdm_cipher.c - encryption for the checks, written from the rules one block at a time, apart from
 * the library's decryption.
 */
#include <string.h>

#include <mbedtls/aes.h>

#include "cdm_bench.h"

struct state {
    mbedtls_aes_context aes;
    uint8_t counter[16], stream[16], chain[16];
    size_t used;
    enum cad_scheme scheme;
};

/* The lower 64 bits count, and wrap without a carry. */
static void next_stream(struct state *s)
{
    (void)mbedtls_aes_crypt_ecb(&s->aes, MBEDTLS_AES_ENCRYPT, s->counter, s->stream);
    for (size_t i = 16; i-- > 8 && ++s->counter[i] == 0;) { }
    s->used = 0;
}

static void ctr_byte(struct state *s, uint8_t *p)
{
    if (s->used == 16) next_stream(s);
    *p ^= s->stream[s->used++];
}

static void block(struct state *s, uint8_t *p)
{
    if (s->scheme == CAD_SCHEME_CENS) {
        for (size_t i = 0; i < 16; i++) ctr_byte(s, p + i);
        return;
    }
    for (size_t i = 0; i < 16; i++) p[i] ^= s->chain[i];
    (void)mbedtls_aes_crypt_ecb(&s->aes, MBEDTLS_AES_ENCRYPT, p, p);
    memcpy(s->chain, p, 16);
}

static void run(struct state *s, const struct cad_cdm_sample *sample, uint8_t *p, size_t n)
{
    bool pattern = s->scheme == CAD_SCHEME_CENS || s->scheme == CAD_SCHEME_CBCS;
    uint32_t period = pattern ? sample->crypt_blocks + sample->skip_blocks : 0;
    if (s->scheme == CAD_SCHEME_CLEAR) return;
    if (s->scheme == CAD_SCHEME_CENC) {
        for (size_t i = 0; i < n; i++) ctr_byte(s, p + i);
        return;
    }
    if (s->scheme == CAD_SCHEME_CBCS) memcpy(s->chain, sample->iv, 16);
    for (size_t i = 0; i < n / 16; i++) {
        if (period == 0 || i % period < sample->crypt_blocks) block(s, p + i * 16);
    }
}

void cdm_cipher_make(struct cdm_cipher *c, enum cad_scheme scheme, const struct cdm_key *key,
                     uint32_t n)
{
    struct state s = {.used = 16, .scheme = scheme};
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < CIPHER_BYTES; i++) c->clear[i] = (uint8_t)(i * 7 + n * 13 + 1);
    memcpy(c->data, c->clear, CIPHER_BYTES);
    c->sample = (struct cad_cdm_sample){.size = sizeof c->sample, .scheme = scheme,
        .iv_size = n % 2 ? 8 : 16, .data = {c->data, CIPHER_BYTES}, .pts = CAD_TIME_NONE};
    memcpy(c->sample.kid, key->kid, 16);
    /* Of 16 bytes, the lower half is about to wrap. */
    memset(c->sample.iv, 0xff, c->sample.iv_size);
    c->sample.iv[0] = (uint8_t)n;
    if (c->sample.iv_size == 16) c->sample.iv[15] = 0xf0;
    if (scheme == CAD_SCHEME_CENS || scheme == CAD_SCHEME_CBCS) {
        c->sample.crypt_blocks = 1 + n % 2;
        c->sample.skip_blocks = n % 5 == 0 ? 0 : 9 - n % 4;
    }
    static const struct cad_cdm_subsample map[4] = {{5, 0}, {0, 333}, {60, 500}, {102, 0}};
    memcpy(c->subsamples, map, sizeof map);
    c->sample.subsample_count = n % 3 ? 4 : 0;
    c->sample.subsamples = n % 3 ? c->subsamples : NULL;
    mbedtls_aes_init(&s.aes);
    (void)mbedtls_aes_setkey_enc(&s.aes, key->key, 128);
    memcpy(s.counter, c->sample.iv, 16);
    memcpy(s.chain, c->sample.iv, 16);
    uint8_t *p = c->data;
    if (c->sample.subsample_count == 0) run(&s, &c->sample, p, CIPHER_BYTES);
    for (uint32_t i = 0; i < c->sample.subsample_count; i++) {
        run(&s, &c->sample, p + map[i].clear_bytes, map[i].cipher_bytes);
        p += map[i].clear_bytes + map[i].cipher_bytes;
    }
    mbedtls_aes_free(&s.aes);
}
