/*
 * Goal: the corners of the four schemes that whole files rarely reach. Samples are encrypted here
 * from the text of the rules, a block at a time with AES alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/aes.h>

#include "drm/decrypt.h"

enum { BYTES = 160 };

static const uint8_t key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};

static void aes(const uint8_t in[16], uint8_t out[16])
{
    mbedtls_aes_context ctx;
    mbedtls_aes_init(&ctx);
    assert_int_equal(mbedtls_aes_setkey_enc(&ctx, key, 128), 0);
    assert_int_equal(mbedtls_aes_crypt_ecb(&ctx, MBEDTLS_AES_ENCRYPT, in, out), 0);
    mbedtls_aes_free(&ctx);
}

static void fill(uint8_t *p)
{
    for (size_t i = 0; i < BYTES; i++) p[i] = (uint8_t)(i * 3 + 1);
}

static struct cad_cdm_sample sample_of(enum cad_scheme scheme, const uint8_t *data, size_t n)
{
    return (struct cad_cdm_sample){.size = sizeof(struct cad_cdm_sample), .scheme = scheme,
                                   .iv_size = 16, .data = {data, n}};
}

static void check(const struct cad_cdm_sample *sample, const uint8_t *clear)
{
    uint8_t out[BYTES] = {0};
    uint32_t code = 0;
    assert_int_equal(cad_drm_sample_check(sample, out), 0);
    assert_int_equal(cad_drm_sample_decrypt(sample, key, out, &code), 0);
    assert_memory_equal(out, clear, sample->data.n);
}

/* The counter passes 2^64 in mid-sample, from every place: bytes 0 to 7 of the IV stay. */
static void test_decrypt_counter_wraps_without_carry(void **state)
{
    (void)state;
    for (unsigned back = 0; back <= 12; back++) {
        uint8_t clear[BYTES];
        uint8_t data[BYTES];
        fill(clear);
        struct cad_cdm_sample s = sample_of(CAD_SCHEME_CENC, data, BYTES);
        memset(s.iv, 0xee, 8);
        uint64_t low = 0 - (uint64_t)back;
        for (size_t i = 0; i < 8; i++) s.iv[15 - i] = (uint8_t)(low >> (8 * i));
        for (size_t b = 0; b < BYTES / 16; b++, low++) {
            uint8_t counter[16];
            uint8_t stream[16];
            memset(counter, 0xee, 8);
            for (size_t i = 0; i < 8; i++) counter[15 - i] = (uint8_t)(low >> (8 * i));
            aes(counter, stream);
            for (size_t i = 0; i < 16; i++) data[b * 16 + i] = clear[b * 16 + i] ^ stream[i];
        }
        check(&s, clear);
        /* The same bytes as runs of 7, which end inside of blocks. */
        struct cad_cdm_subsample runs[BYTES / 7 + 1];
        uint32_t n = 0;
        for (size_t at = 0; at < BYTES; at += 7, n++) {
            runs[n] = (struct cad_cdm_subsample){0, (uint32_t)(BYTES - at < 7 ? BYTES - at : 7)};
        }
        s.subsamples = runs;
        s.subsample_count = n;
        check(&s, clear);
    }
}

/* A CBC row of blocks, chained from chain on. */
static void cbc(uint8_t *p, size_t blocks, uint8_t chain[16])
{
    for (; blocks > 0; blocks--, p += 16) {
        for (size_t i = 0; i < 16; i++) p[i] ^= chain[i];
        uint8_t in[16];
        memcpy(in, p, 16);
        aes(in, p);
        memcpy(chain, p, 16);
    }
}

/* cbcs begins anew with each subsample, cbc1 chains through; part blocks are clear in both. */
static void test_decrypt_chains(void **state)
{
    (void)state;
    static const struct cad_cdm_subsample runs[] = {{3, 37}, {0, 15}, {5, 100}};
    for (int cbcs = 0; cbcs < 2; cbcs++) {
        uint8_t clear[BYTES];
        uint8_t data[BYTES];
        uint8_t chain[16] = {1, 2, 3};
        fill(clear);
        memcpy(data, clear, BYTES);
        struct cad_cdm_sample s =
            sample_of(cbcs ? CAD_SCHEME_CBCS : CAD_SCHEME_CBC1, data, BYTES);
        memcpy(s.iv, chain, 16);
        s.subsamples = runs;
        s.subsample_count = 3;
        cbc(data + 3, 2, chain);
        if (cbcs) memcpy(chain, s.iv, 16);
        cbc(data + 60, 6, chain);
        check(&s, clear);
    }
}

/* 2 of every 3 blocks, the last run cut short: the whole block that is left is ciphered. */
static void test_decrypt_pattern_cut_short(void **state)
{
    (void)state;
    uint8_t clear[BYTES];
    uint8_t data[BYTES];
    uint8_t chain[16] = {7};
    fill(clear);
    memcpy(data, clear, BYTES);
    struct cad_cdm_sample s = sample_of(CAD_SCHEME_CBCS, data, 4 * 16 + 5);
    memcpy(s.iv, chain, 16);
    s.crypt_blocks = 2;
    s.skip_blocks = 1;
    cbc(data, 2, chain);
    cbc(data + 48, 1, chain);
    check(&s, clear);
    /* A pattern that ciphers nothing, and no byte at all. */
    s.crypt_blocks = 0;
    memcpy(data, clear, BYTES);
    check(&s, clear);
    s.data.n = 0;
    check(&s, clear);
}

static void test_decrypt_refuses(void **state)
{
    (void)state;
    uint8_t data[64] = {0};
    struct cad_cdm_sample s = sample_of(CAD_SCHEME_CBCS, data, 32);
    assert_int_equal(cad_drm_sample_check(&s, data), 0);
    assert_int_equal(cad_drm_sample_check(&s, data + 31), CAD_E_INVAL);
    assert_int_equal(cad_drm_sample_check(&s, data + 32), 0);
    assert_int_equal(cad_drm_sample_check(&s, NULL), CAD_E_INVAL);
    s.crypt_blocks = 16;
    assert_int_equal(cad_drm_sample_check(&s, data), CAD_E_DATA);
    s.crypt_blocks = 1;
    s.subsample_count = 1;
    assert_int_equal(cad_drm_sample_check(&s, data), CAD_E_INVAL);
    s.size--;
    assert_int_equal(cad_drm_sample_check(&s, data), CAD_E_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decrypt_counter_wraps_without_carry),
        cmocka_unit_test(test_decrypt_chains),
        cmocka_unit_test(test_decrypt_pattern_cut_short),
        cmocka_unit_test(test_decrypt_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
