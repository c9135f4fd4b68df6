/* Goal: what of a sample is protected is what 23001-7 says: slice headers in the clear, whole
 * blocks of cenc; and what is protected is decrypted by the ciphers of lib/drm as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/util.h"
#include "drm/decrypt.h"
#include "samples.h"

/*
 * An avcC of Main at level 3.
 * SPS: id 0, frame numbers of 4 bits, order type 2, one reference, 10 x 6 macroblocks, frames only:
 *     1 1 011 010 0 0001010 00110 1 1 0 0 and the stop bit.
 * PPS: CABAC, one reference in either list, no control of deblocking:
 *     1 1 1 0 1 1 1 0 00 1 1 1 0 0 0 and the stop bit.
 */
static const uint8_t config[] = {1, 77, 0, 30, 0xff, 0xe1, 0, 8, 0x67, 77, 0, 30, 0xda, 0x0a,
                                 0x36, 0x40, 1, 0, 4, 0x68, 0xee, 0x38, 0x80};

/* Bits by their text, "1 010" and so on, behind a NAL unit's first byte. */
static size_t write_nal(uint8_t *out, uint8_t head, const char *bits, size_t payload)
{
    uint32_t n = 0;
    memset(out, 0, 64);
    out[0] = head;
    for (; *bits; bits++) {
        if (*bits != '0' && *bits != '1') continue;
        if (*bits == '1') out[1 + n / 8] |= (uint8_t)(0x80u >> n % 8);
        n++;
    }
    size_t at = 1 + (n + 7) / 8;
    memset(out + at, 0x5a, payload);
    return at + payload;
}

static void open_config(struct mux_avc *avc)
{
    assert_int_equal(mux_avc_init(avc, (cad_buf){config, sizeof config}), 0);
    assert_int_equal(avc->length_size, 4);
    assert_true(avc->sps[0].known && avc->pps[0].known);
    assert_int_equal(avc->sps[0].frame_num_bits, 4);
    assert_int_equal(avc->sps[0].order_type, 2);
    assert_true(avc->sps[0].frame_mbs_only);
    assert_true(avc->pps[0].cabac);
    assert_false(avc->pps[0].deblocking_control);
}

static void assert_clear(struct mux_avc *avc, cad_buf nal, size_t want)
{
    size_t clear = SIZE_MAX;
    assert_int_equal(mux_avc_clear(avc, nal, &clear), 0);
    assert_int_equal(clear, want);
}

static void assert_no_header(struct mux_avc *avc, cad_buf nal)
{
    size_t clear = SIZE_MAX;
    assert_int_equal(mux_avc_clear(avc, nal, &clear), CAD_E_DATA);
}

/* An IDR picture: first_mb 0, slice type 7 (I), PPS 0, frame_num 0, idr_pic_id 0, two flags, qp. */
static void test_avc_header_of_an_idr_slice(void **state)
{
    (void)state;
    struct mux_avc avc;
    uint8_t nal[256];
    open_config(&avc);
    /* 1+7+1+4+1+2+1 bits = 17: three bytes behind the first. */
    size_t n = write_nal(nal, 0x65, "1 0001000 1 0000 1 00 1", 100);
    assert_clear(&avc, (cad_buf){nal, n}, 4);
    /* Any other unit is clear as a whole, and so is an empty one. */
    nal[0] = 6;
    assert_clear(&avc, (cad_buf){nal, n}, n);
    assert_clear(&avc, (cad_buf){nal, 0}, 0);
}

/* A P picture with a list change and references that are marked. */
static void test_avc_header_of_a_p_slice(void **state)
{
    (void)state;
    struct mux_avc avc;
    uint8_t nal[256];
    open_config(&avc);
    /* first_mb, type 5 (P), pps | frame_num 3 | override: 2 | change: 0 (1), 3 |
     * marking: 1 (2), 0 | cabac_init_idc 1, qp se(-1): 39 bits, 5 bytes */
    size_t n = write_nal(nal, 0x41, "1 00110 1 0011 1 010 1 1 010 00100 1 010 011 1 010 011", 100);
    assert_clear(&avc, (cad_buf){nal, n}, 6);
    /* Cut anywhere in its header, it is none. */
    for (size_t cut = 1; cut < 6; cut++) {
        assert_no_header(&avc, (cad_buf){nal, cut});
    }
    /* Of a parameter set that is not known. */
    n = write_nal(nal, 0x41, "1 00110 010 0011 0 0 0 1 1", 100);
    assert_no_header(&avc, (cad_buf){nal, n});
}

/* Bytes of emulation prevention count as bytes of the header. */
static void test_avc_header_with_emulation_prevention(void **state)
{
    (void)state;
    struct mux_avc avc;
    uint8_t nal[256];
    open_config(&avc);
    avc.sps[0].frame_num_bits = 16;
    /* Zeros of the frame number and of idr_pic_id, whose value ends behind the 3. */
    const uint8_t head[] = {0x65, 0x88, 0x80, 0x00, 0x00, 0x03, 0x48};
    memset(nal, 0x5a, sizeof nal);
    memcpy(nal, head, sizeof head);
    assert_clear(&avc, (cad_buf){nal, sizeof nal}, 8);
}

static void test_avc_config_is_read_to_its_end(void **state)
{
    (void)state;
    struct mux_avc avc;
    for (size_t n = 0; n < sizeof config; n++) {
        assert_int_equal(mux_avc_init(&avc, (cad_buf){config, n}), CAD_E_DATA);
    }
}

/* Runs cover the sample; of cenc what is protected is whole blocks, of cbcs all that follows. */
static void test_plan_of_a_picture(void **state)
{
    (void)state;
    struct mux_rule rule = {.scheme = CAD_SCHEME_CENC, .codec = CAD_CODEC_AVC};
    static uint8_t sample[70000];
    static struct mux_plan plan;
    open_config(&rule.avc);
    /* SEI of 20 bytes, a slice of 4 + 100, a slice of 4 + 10: too short to be protected. */
    cad_put_be32(sample, 20);
    memset(sample + 4, 6, 20);
    cad_put_be32(sample + 24, 104);
    assert_int_equal(write_nal(sample + 28, 0x65, "1 0001000 1 0000 1 00 1", 100), 104);
    cad_put_be32(sample + 132, 14);
    assert_int_equal(write_nal(sample + 136, 0x65, "1 0001000 1 0000 1 00 1", 10), 14);
    cad_buf whole = {sample, 150};
    assert_int_equal(mux_plan(&rule, whole, &plan), 0);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.runs[0].clear_bytes, 24 + 8 + 4);
    assert_int_equal(plan.runs[0].cipher_bytes, 96);
    assert_int_equal(plan.runs[1].clear_bytes, 18);
    assert_int_equal(plan.runs[1].cipher_bytes, 0);
    rule.scheme = CAD_SCHEME_CBCS;
    assert_int_equal(mux_plan(&rule, whole, &plan), 0);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.runs[0].clear_bytes, 24 + 8);
    assert_int_equal(plan.runs[0].cipher_bytes, 100);
    /* A length that goes past the end. */
    assert_int_equal(mux_plan(&rule, (cad_buf){sample, 149}, &plan), CAD_E_DATA);
    assert_int_equal(mux_plan(&rule, (cad_buf){sample, 2}, &plan), CAD_E_DATA);
    /* Clear bytes that one run cannot say. */
    memset(sample, 6, sizeof sample);
    cad_put_be32(sample, sizeof sample - 4);
    assert_int_equal(mux_plan(&rule, (cad_buf){sample, sizeof sample}, &plan), 0);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.runs[0].clear_bytes, 65535);
    assert_int_equal(plan.runs[1].clear_bytes, sizeof sample - 65535);
}

static void test_plan_of_av1(void **state)
{
    (void)state;
    struct mux_rule rule = {.scheme = CAD_SCHEME_CENC, .codec = CAD_CODEC_AV1};
    static struct mux_plan plan;
    uint8_t sample[512];
    memset(sample, 0x77, sizeof sample);
    const uint8_t head[] = {0x12, 0x00, 0x32, 0xc8, 0x01}; /* delimiter; a frame of 200 bytes */
    memcpy(sample, head, sizeof head);
    assert_int_equal(mux_plan(&rule, (cad_buf){sample, 205}, &plan), 0);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.runs[0].clear_bytes, 5 + 64 + 8);
    assert_int_equal(plan.runs[0].cipher_bytes, 128);
    assert_int_equal(mux_plan(&rule, (cad_buf){sample, 204}, &plan), CAD_E_DATA);
    assert_int_equal(mux_plan(&rule, (cad_buf){sample, 4}, &plan), CAD_E_DATA);
}

/* Against lib/drm, which has the inverse. */
static void test_ciphers_go_back(void **state)
{
    (void)state;
    static const uint8_t key[16] = {1, 2, 3}, iv[16] = {9, 8, 7, 6, 5, 4, 3, 2};
    static struct mux_plan plan;
    for (int k = 0; k < 4; k++) {
        struct mux_rule rule = {.scheme = k & 1 ? CAD_SCHEME_CBCS : CAD_SCHEME_CENC,
                                .whole = k & 2};
        uint8_t sample[500], out[500];
        mbedtls_aes_init(&rule.aes);
        assert_int_equal(mbedtls_aes_setkey_enc(&rule.aes, key, 128), 0);
        for (size_t i = 0; i < sizeof sample; i++) sample[i] = (uint8_t)(i * 7);
        plan.count = rule.whole ? 0 : 2;
        plan.runs[0] = (struct cad_cdm_subsample){10, 320};
        plan.runs[1] = (struct cad_cdm_subsample){10, 160};
        assert_int_equal(mux_encrypt(&rule, iv, &plan, sample, sizeof sample), 0);
        assert_int_not_equal(sample[20], 20 * 7);
        struct cad_cdm_sample s = {
            .size = sizeof s, .scheme = rule.scheme, .subsamples = plan.runs,
            .iv_size = rule.scheme == CAD_SCHEME_CENC ? 8 : 16,
            .subsample_count = plan.count, .data = {sample, sizeof sample}};
        memcpy(s.iv, iv, sizeof iv);
        if (rule.scheme == CAD_SCHEME_CBCS && !rule.whole) {
            s.crypt_blocks = MUX_PATTERN_CRYPT;
            s.skip_blocks = MUX_PATTERN_SKIP;
        }
        uint32_t code = 0;
        assert_int_equal(cad_drm_sample_decrypt(&s, key, out, &code), 0);
        for (size_t i = 0; i < sizeof out; i++) assert_int_equal(out[i], (uint8_t)(i * 7));
        mbedtls_aes_free(&rule.aes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_avc_header_of_an_idr_slice),
        cmocka_unit_test(test_avc_header_of_a_p_slice),
        cmocka_unit_test(test_avc_header_with_emulation_prevention),
        cmocka_unit_test(test_avc_config_is_read_to_its_end),
        cmocka_unit_test(test_plan_of_a_picture),
        cmocka_unit_test(test_plan_of_av1),
        cmocka_unit_test(test_ciphers_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
