#include "samples.h"

#include <string.h>

#include "base/util.h"

#define BLOCK 16u
#define CLEAR_MAX 65535u      /* BytesOfClearData has 16 bits */
#define OBU_CLEAR 64u         /* of a frame's OBU: more than its headers take at these sizes */

/* ---- what is protected ------------------------------------------------------------------------*/

static int add_run(struct mux_plan *plan, size_t clear, size_t cipher)
{
    struct cad_cdm_subsample *last = plan->count ? &plan->runs[plan->count - 1] : NULL;
    /* Clear bytes go on with those of a run that has only such. */
    if (last && last->cipher_bytes == 0) {
        size_t room = CAD_MIN(CLEAR_MAX - last->clear_bytes, clear);
        last->clear_bytes += (uint32_t)room;
        clear -= room;
        if (clear == 0) {
            last->cipher_bytes = (uint32_t)cipher;
            return 0;
        }
    }
    while (clear > 0 || cipher > 0) {
        size_t part = CAD_MIN(clear, (size_t)CLEAR_MAX);
        clear -= part;
        if (plan->count == MUX_SUBSAMPLES_MAX) return CAD_E_LIMIT;
        plan->runs[plan->count++] =
            (struct cad_cdm_subsample){(uint32_t)part, clear == 0 ? (uint32_t)cipher : 0};
        if (clear == 0) break;
    }
    return 0;
}

/* A unit of which `clear` bytes at least are not protected. Of cenc what is protected is whole
 * blocks (23001-7 10.1); of cbcs it begins where slice data does (10.4). */
static int add_unit(const struct mux_rule *rule, struct mux_plan *plan, size_t clear, size_t size)
{
    size_t cipher = size - clear;
    if (rule->scheme == CAD_SCHEME_CENC) cipher -= cipher % BLOCK;
    if (cipher < BLOCK) cipher = 0;
    return add_run(plan, size - cipher, cipher);
}

static int plan_avc(struct mux_rule *rule, cad_buf sample, struct mux_plan *plan)
{
    size_t at = 0, prefix = rule->avc.length_size;
    while (at < sample.n) {
        size_t size = 0, clear = 0;
        if (sample.n - at < prefix) return CAD_E_DATA;
        for (size_t i = 0; i < prefix; i++) size = size << 8 | sample.p[at + i];
        if (size > sample.n - at - prefix) return CAD_E_DATA;
        int rc = mux_avc_clear(&rule->avc, (cad_buf){sample.p + at + prefix, size}, &clear);
        if (rc == 0) rc = add_unit(rule, plan, prefix + clear, prefix + size);
        if (rc < 0) return rc;
        at += prefix + size;
    }
    return 0;
}

static int leb128(cad_buf b, size_t *at, size_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (*at >= b.n) return CAD_E_DATA;
        uint8_t byte = b.p[(*at)++];
        *value |= (size_t)(byte & 127u) << (7 * i);
        if (byte < 128) return 0;
    }
    return CAD_E_DATA;
}

/* Of a frame or tile group what lies behind the headers; all else is clear. (The AV1 binding of
 * common encryption wants each tile's bytes exactly; who decrypts a sample does not see that.) */
static int plan_av1(const struct mux_rule *rule, cad_buf sample, struct mux_plan *plan)
{
    size_t at = 0;
    while (at < sample.n) {
        size_t start = at, size = 0;
        uint8_t head = sample.p[at++];
        unsigned type = head >> 3 & 15u;
        if (head & 4u) at++;
        if (head & 2u) {
            int rc = leb128(sample, &at, &size);
            if (rc < 0) return rc;
        } else if (at <= sample.n) {
            size = sample.n - at;
        }
        if (at > sample.n || size > sample.n - at) return CAD_E_DATA;
        bool coded = type == 4 || type == 6; /* OBU_TILE_GROUP, OBU_FRAME */
        size_t clear = coded ? CAD_MIN(size, (size_t)OBU_CLEAR) : size;
        int rc = add_unit(rule, plan, at - start + clear, at - start + size);
        if (rc < 0) return rc;
        at += size;
    }
    return 0;
}

int mux_plan(struct mux_rule *rule, cad_buf sample, struct mux_plan *out)
{
    out->count = 0;
    if (rule->whole) return 0;
    if (rule->codec == CAD_CODEC_AVC) return plan_avc(rule, sample, out);
    return plan_av1(rule, sample, out);
}

/* ---- ciphers ----------------------------------------------------------------------------------*/

/* One protected run of cbcs: it begins with the IV, and what is no whole block stays as it is. */
static int encrypt_cbcs(mbedtls_aes_context *aes, const uint8_t *constant_iv, bool pattern,
                        uint8_t *p, size_t n)
{
    uint8_t iv[CAD_CDM_IV_SIZE];
    memcpy(iv, constant_iv, sizeof iv);
    size_t blocks = n / BLOCK;
    while (blocks > 0) {
        size_t part = pattern ? CAD_MIN(blocks, (size_t)MUX_PATTERN_CRYPT) : blocks;
        if (mbedtls_aes_crypt_cbc(aes, MBEDTLS_AES_ENCRYPT, part * BLOCK, iv, p, p) != 0) {
            return CAD_E_IO;
        }
        p += part * BLOCK;
        blocks -= part;
        size_t skip = pattern ? CAD_MIN(blocks, (size_t)MUX_PATTERN_SKIP) : 0;
        p += skip * BLOCK;
        blocks -= skip;
    }
    return 0;
}

int mux_encrypt(struct mux_rule *rule, const uint8_t *iv, const struct mux_plan *plan,
                uint8_t *sample, size_t n)
{
    const struct cad_cdm_subsample whole = {0, (uint32_t)n};
    const struct cad_cdm_subsample *runs = plan->count ? plan->runs : &whole;
    uint32_t count = plan->count ? plan->count : 1;
    uint8_t counter[CAD_CDM_IV_SIZE], stream[BLOCK];
    size_t offset = 0, at = 0;
    memcpy(counter, iv, sizeof counter);
    for (uint32_t i = 0; i < count; i++) {
        int rc = 0;
        at += runs[i].clear_bytes;
        if (rule->scheme == CAD_SCHEME_CBCS) {
            rc = encrypt_cbcs(&rule->aes, iv, !rule->whole, sample + at, runs[i].cipher_bytes);
        } else if (mbedtls_aes_crypt_ctr(&rule->aes, runs[i].cipher_bytes, &offset, counter,
                                         stream, sample + at, sample + at) != 0) {
            rc = CAD_E_IO;
        }
        if (rc < 0) return rc;
        at += runs[i].cipher_bytes;
    }
    return 0;
}
