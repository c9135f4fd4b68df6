/* The segment index in both versions, cut and contradicting itself. */
#include "build.h"

#include <stdlib.h>

#include "base/bytes.h"

static struct build b;

/* References: i-th has size 1000 + i, duration 90 * (i + 1); every third is an index. */
static void build_sidx(uint8_t version, uint16_t count)
{
    build_init(&b);
    size_t at = build_full(&b, "sidx", version, 0);
    build_u32(&b, 7);
    build_u32(&b, 90000);
    build_uint(&b, version == 0 ? 4 : 8, version == 0 ? 0xfffffff0u : UINT64_C(0x123456789a));
    build_uint(&b, version == 0 ? 4 : 8, version == 0 ? 0x80000000u : UINT64_C(0xabcdef0123));
    build_u16(&b, 0);
    build_u16(&b, count);
    for (uint32_t i = 0; i < count; i++) {
        build_u32(&b, (i % 3 == 2 ? 0x80000000u : 0) | (1000 + i));
        build_u32(&b, 90 * (i + 1));
        build_u32(&b, (i % 2 == 0 ? 0x80000000u : 0) | (i % 7) << 28 | i);
    }
    build_close(&b, at);
}

static void check_sidx(const struct cad_mp4_sidx *sidx, uint8_t version, uint32_t count)
{
    assert_int_equal(sidx->reference_id, 7);
    assert_int_equal(sidx->timescale, 90000);
    assert_int_equal(sidx->earliest_time, version == 0 ? 0xfffffff0u : 0x123456789a);
    assert_int_equal(sidx->first_offset, version == 0 ? 0x80000000u : 0xabcdef0123);
    assert_int_equal(sidx->count, count);
    assert_int_equal(sidx->references.n, count * 12);
    for (uint32_t i = 0; i < count; i++) {
        struct cad_mp4_reference ref;
        cad_mp4_sidx_reference(sidx, i, &ref);
        assert_int_equal(ref.is_index, i % 3 == 2);
        assert_int_equal(ref.size_bytes, 1000 + i);
        assert_int_equal(ref.duration_ticks, 90 * (i + 1));
        assert_int_equal(ref.starts_with_sap, i % 2 == 0);
        assert_int_equal(ref.sap_type, i % 7);
        assert_int_equal(ref.sap_delta_ticks, i);
    }
}

static void test_sidx_versions_and_counts(void **state)
{
    (void)state;
    const uint16_t counts[] = {0, 1, 5, 65535};
    for (uint8_t version = 0; version < 2; version++) {
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            struct cad_mp4_sidx sidx;
            build_sidx(version, counts[i]);
            assert_int_equal(cad_mp4_sidx_read(build_view(&b), &sidx), 0);
            check_sidx(&sidx, version, counts[i]);
        }
    }
}

static void test_sidx_every_prefix_asks_for_more(void **state)
{
    (void)state;
    for (uint8_t version = 0; version < 2; version++) {
        build_sidx(version, 5);
        for (size_t n = 0; n < b.n; n++) {
            struct cad_mp4_sidx sidx = {.count = 99};
            uint8_t *copy = build_copy(&b, n);
            assert_int_equal(cad_mp4_sidx_read((cad_buf){copy, n}, &sidx), CAD_E_AGAIN);
            assert_int_equal(sidx.count, 99);
            free(copy);
        }
    }
}

/* A box whose size was cut contradicts its count. */
static void test_sidx_every_shorter_box_is_refused(void **state)
{
    (void)state;
    for (uint8_t version = 0; version < 2; version++) {
        build_sidx(version, 5);
        for (uint32_t n = 8; n < b.n; n++) {
            struct cad_mp4_sidx sidx;
            uint8_t *copy = build_copy(&b, n);
            cad_put_be32(copy, n);
            assert_int_equal(cad_mp4_sidx_read((cad_buf){copy, n}, &sidx), CAD_E_DATA);
            free(copy);
        }
    }
}

static void test_sidx_bytes_behind_the_references_are_passed(void **state)
{
    (void)state;
    struct cad_mp4_sidx sidx;
    build_sidx(0, 2);
    build_zeros(&b, 5);
    cad_put_be32(b.bytes, (uint32_t)b.n);
    assert_int_equal(cad_mp4_sidx_read(build_view(&b), &sidx), 0);
    check_sidx(&sidx, 0, 2);
}

static void test_sidx_refusals(void **state)
{
    (void)state;
    struct cad_mp4_sidx sidx;
    build_sidx(0, 2);
    cad_put_be32(b.bytes + 16, 0); /* timescale */
    assert_int_equal(cad_mp4_sidx_read(build_view(&b), &sidx), CAD_E_DATA);
    build_sidx(0, 2);
    b.bytes[8] = 2; /* version */
    assert_int_equal(cad_mp4_sidx_read(build_view(&b), &sidx), CAD_E_UNSUPPORTED);
    build_sidx(0, 2);
    b.bytes[4] = 'S'; /* another box */
    assert_int_equal(cad_mp4_sidx_read(build_view(&b), &sidx), CAD_E_DATA);
    build_sidx(0, 2);
    cad_put_be32(b.bytes, 0); /* to the end of the file */
    assert_int_equal(cad_mp4_sidx_read(build_view(&b), &sidx), CAD_E_DATA);
    build_sidx(0, 2);
    cad_put_be32(b.bytes, CAD_MP4_SIDX_BYTES_MAX);
    assert_int_equal(cad_mp4_sidx_read(build_view(&b), &sidx), CAD_E_AGAIN);
    cad_put_be32(b.bytes, CAD_MP4_SIDX_BYTES_MAX + 1);
    assert_int_equal(cad_mp4_sidx_read(build_view(&b), &sidx), CAD_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sidx_versions_and_counts),
        cmocka_unit_test(test_sidx_every_prefix_asks_for_more),
        cmocka_unit_test(test_sidx_every_shorter_box_is_refused),
        cmocka_unit_test(test_sidx_bytes_behind_the_references_are_passed),
        cmocka_unit_test(test_sidx_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
