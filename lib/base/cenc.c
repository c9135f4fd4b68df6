#include "base/cenc.h"

#include "base/assert.h"
#include "base/bytes.h"

enum {
    BOX_BYTES = 8,
    FULL_BOX_BYTES = 12,
    PSSH_TYPE = 0x70737368,
};

const uint8_t cad_cenc_system_common[CAD_SYSTEM_ID_SIZE] = {
    0x10, 0x77, 0xef, 0xec, 0xc0, 0xb2, 0x4d, 0x02, 0xac, 0xe3, 0x3c, 0x1e, 0x52, 0xe2, 0xfb, 0x4b};
const uint8_t cad_cenc_system_clearkey[CAD_SYSTEM_ID_SIZE] = {
    0xe2, 0x71, 0x9d, 0x58, 0xa9, 0x85, 0xb3, 0xc9, 0x78, 0x1a, 0xb0, 0x30, 0xaf, 0x78, 0xd3, 0x0e};

/* The fields behind version and flags. */
static int read_fields(cad_buf body, struct cad_cenc_pssh *out)
{
    if (body.n < CAD_SYSTEM_ID_SIZE) return CAD_E_DATA;
    out->system_id = body.p;
    size_t at = CAD_SYSTEM_ID_SIZE;
    if (out->version == 1) {
        if (body.n - at < 4) return CAD_E_DATA;
        out->kid_count = cad_be32(body.p + at);
        at += 4;
        if (out->kid_count > (body.n - at) / CAD_KEY_ID_SIZE) return CAD_E_DATA;
        out->kids = (cad_buf){body.p + at, (size_t)out->kid_count * CAD_KEY_ID_SIZE};
        at += out->kids.n;
    }
    if (body.n - at < 4) return CAD_E_DATA;
    uint32_t size = cad_be32(body.p + at);
    at += 4;
    if (size > body.n - at) return CAD_E_DATA;
    out->data = (cad_buf){body.p + at, size};
    return 0;
}

int cad_cenc_pssh_next(cad_buf init_data, size_t *at, struct cad_cenc_pssh *out)
{
    CAD_ASSERT(*at <= init_data.n);
    size_t left = init_data.n - *at;
    if (left == 0) return CAD_E_END;
    const uint8_t *p = init_data.p + *at;
    if (left < FULL_BOX_BYTES || cad_be32(p + 4) != PSSH_TYPE) return CAD_E_DATA;
    /* No pssh needs the 64-bit form, and size 0 is for the top level of a file. */
    uint32_t size = cad_be32(p);
    if (size < FULL_BOX_BYTES || size > left) return CAD_E_DATA;
    struct cad_cenc_pssh pssh = {.version = p[BOX_BYTES], .box = {p, size}};
    int rc = CAD_E_UNSUPPORTED;
    if (pssh.version <= 1) {
        rc = read_fields((cad_buf){p + FULL_BOX_BYTES, size - FULL_BOX_BYTES}, &pssh);
        if (rc != 0) return rc;
    }
    *at += size;
    *out = pssh;
    return rc;
}

struct cad_cdm_subsample cad_cenc_subsample(cad_buf packed, uint32_t i)
{
    CAD_ASSERT(i < cad_cenc_subsample_count(packed));
    const uint8_t *p = packed.p + (size_t)i * CAD_CENC_SUBSAMPLE_BYTES;
    return (struct cad_cdm_subsample){.clear_bytes = cad_be16(p), .cipher_bytes = cad_be32(p + 2)};
}

int cad_cenc_unpack(cad_buf packed, struct cad_cdm_subsample *out, uint32_t max)
{
    if (packed.n / CAD_CENC_SUBSAMPLE_BYTES > max) return CAD_E_LIMIT;
    uint32_t count = cad_cenc_subsample_count(packed);
    for (uint32_t i = 0; i < count; i++) out[i] = cad_cenc_subsample(packed, i);
    return (int)count;
}

bool cad_cenc_covers(cad_buf packed, uint64_t size)
{
    if (packed.n == 0) return true;
    uint32_t count = cad_cenc_subsample_count(packed);
    uint64_t sum = 0; /* below 2^65 / 6: no view has so many */
    for (uint32_t i = 0; i < count; i++) {
        struct cad_cdm_subsample s = cad_cenc_subsample(packed, i);
        sum += (uint64_t)s.clear_bytes + s.cipher_bytes;
    }
    return sum == size;
}
