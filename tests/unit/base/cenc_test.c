/* Goal: pssh boxes and packed subsamples are read exactly or refused, at every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/cenc.h"
#include "base/util.h"

/* Writes a pssh box; returns its size. */
static size_t put_pssh(uint8_t *p, uint8_t version, const uint8_t *system, uint32_t kids,
                       uint32_t data)
{
    size_t at = 8;
    memcpy(p + 4, "pssh", 4);
    cad_put_be32(p + at, (uint32_t)version << 24);
    memcpy(p + at + 4, system, CAD_SYSTEM_ID_SIZE);
    at += 20;
    if (version == 1) {
        cad_put_be32(p + at, kids);
        at += 4;
        for (uint32_t i = 0; i < kids; i++, at += 16) memset(p + at, (int)(0xa0 + i), 16);
    }
    cad_put_be32(p + at, data);
    at += 4;
    memset(p + at, 0xdd, data);
    at += data;
    cad_put_be32(p, (uint32_t)at);
    return at;
}

static void test_cenc_pssh_versions_in_a_row(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t n = put_pssh(bytes, 0, cad_cenc_system_clearkey, 0, 3);
    size_t first = n;
    n += put_pssh(bytes + n, 1, cad_cenc_system_common, 2, 0);
    struct cad_cenc_pssh pssh;
    size_t at = 0;
    assert_int_equal(cad_cenc_pssh_next((cad_buf){bytes, n}, &at, &pssh), 0);
    assert_int_equal(at, first);
    assert_int_equal(pssh.version, 0);
    assert_int_equal(pssh.kid_count, 0);
    assert_int_equal(pssh.data.n, 3);
    assert_int_equal(pssh.data.p[2], 0xdd);
    assert_memory_equal(pssh.system_id, cad_cenc_system_clearkey, 16);
    assert_int_equal(cad_cenc_pssh_next((cad_buf){bytes, n}, &at, &pssh), 0);
    assert_int_equal(pssh.kid_count, 2);
    assert_int_equal(pssh.kids.n, 32);
    assert_int_equal(pssh.kids.p[31], 0xa1);
    assert_int_equal(pssh.box.n, n - first);
    assert_int_equal(cad_cenc_pssh_next((cad_buf){bytes, n}, &at, &pssh), CAD_E_END);
}

/* A later version is passed over, so that what stands behind it can be found. */
static void test_cenc_pssh_of_a_later_version(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t n = put_pssh(bytes, 2, cad_cenc_system_common, 0, 0);
    struct cad_cenc_pssh pssh;
    size_t at = 0;
    assert_int_equal(cad_cenc_pssh_next((cad_buf){bytes, n}, &at, &pssh), CAD_E_UNSUPPORTED);
    assert_int_equal(at, n);
    assert_int_equal(pssh.version, 2);
}

static void test_cenc_pssh_truncated_everywhere(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t n = put_pssh(bytes, 1, cad_cenc_system_common, 2, 5);
    for (size_t cut = 1; cut < n; cut++) {
        uint8_t *copy = malloc(cut);
        assert_non_null(copy);
        memcpy(copy, bytes, cut);
        struct cad_cenc_pssh pssh;
        size_t at = 0;
        assert_int_equal(cad_cenc_pssh_next((cad_buf){copy, cut}, &at, &pssh), CAD_E_DATA);
        assert_int_equal(at, 0);
        /* The same with a size that admits it. */
        if (cut >= 4) cad_put_be32(copy, (uint32_t)cut);
        assert_int_equal(cad_cenc_pssh_next((cad_buf){copy, cut}, &at, &pssh), CAD_E_DATA);
        free(copy);
    }
}

static void test_cenc_pssh_counts_that_overflow(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct cad_cenc_pssh pssh;
    size_t at = 0;
    size_t n = put_pssh(bytes, 1, cad_cenc_system_common, 1, 0);
    const uint32_t counts[] = {2, 0x10000000, 0x10000001, UINT32_MAX};
    for (size_t i = 0; i < CAD_ARRAY_LEN(counts); i++) {
        cad_put_be32(bytes + 28, counts[i]);
        assert_int_equal(cad_cenc_pssh_next((cad_buf){bytes, n}, &at, &pssh), CAD_E_DATA);
    }
    n = put_pssh(bytes, 0, cad_cenc_system_common, 0, 4);
    cad_put_be32(bytes + 28, UINT32_MAX);
    assert_int_equal(cad_cenc_pssh_next((cad_buf){bytes, n}, &at, &pssh), CAD_E_DATA);
    memcpy(bytes + 4, "free", 4);
    assert_int_equal(cad_cenc_pssh_next((cad_buf){bytes, n}, &at, &pssh), CAD_E_DATA);
}

static void test_cenc_subsamples_unpack_and_cover(void **state)
{
    (void)state;
    const uint8_t packed[] = {0x00, 0x05, 0, 0, 0, 16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    cad_buf view = {packed, sizeof packed};
    struct cad_cdm_subsample out[2] = {{7, 7}, {7, 7}};
    assert_int_equal(cad_cenc_unpack(view, out, 1), CAD_E_LIMIT);
    assert_int_equal(out[0].clear_bytes, 7);
    assert_int_equal(cad_cenc_unpack(view, out, 2), 2);
    assert_int_equal(out[0].clear_bytes, 5);
    assert_int_equal(out[0].cipher_bytes, 16);
    assert_int_equal(out[1].clear_bytes, 65535);
    assert_true(out[1].cipher_bytes == UINT32_MAX);
    uint64_t sum = 21 + UINT64_C(65535) + UINT32_MAX;
    assert_true(cad_cenc_covers(view, sum));
    assert_false(cad_cenc_covers(view, sum - 1));
    assert_false(cad_cenc_covers(view, (uint32_t)sum)); /* what 32 bits would make of it */
    assert_true(cad_cenc_covers((cad_buf){NULL, 0}, 99));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cenc_pssh_versions_in_a_row),
        cmocka_unit_test(test_cenc_pssh_of_a_later_version),
        cmocka_unit_test(test_cenc_pssh_truncated_everywhere),
        cmocka_unit_test(test_cenc_pssh_counts_that_overflow),
        cmocka_unit_test(test_cenc_subsamples_unpack_and_cover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
