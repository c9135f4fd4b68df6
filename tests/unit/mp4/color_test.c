/* Colours of a visual sample entry: colr, mdcv, clli, VP9's own boxes; cut anywhere; in a stsd. */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "mp4/moov.h"

static struct build b;

static int read_boxes(struct cad_color *out)
{
    uint8_t *copy = build_copy(&b, b.n);
    int rc = cad_mp4_color_read((cad_buf){copy, b.n}, out);
    free(copy);
    return rc;
}

static void put_colr(const char *kind, uint16_t primaries, uint16_t transfer, uint16_t matrix)
{
    size_t at = build_open(&b, "colr");
    build_data(&b, kind, 4);
    build_u16(&b, primaries);
    build_u16(&b, transfer);
    build_u16(&b, matrix);
    if (strcmp(kind, "nclx") == 0) build_u8(&b, 0x80);
    build_close(&b, at);
}

/* P3 primaries on a screen of 1000 cd/m2, as they are in many titles. */
static void put_mdcv(void)
{
    static const uint16_t places[] = {13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450};
    size_t at = build_open(&b, "mdcv");
    for (unsigned i = 0; i < 8; i++) build_u16(&b, places[i]);
    build_u32(&b, 10000000);
    build_u32(&b, 50);
    build_close(&b, at);
}

static void put_clli(void)
{
    size_t at = build_open(&b, "clli");
    build_u16(&b, 993);
    build_u16(&b, 401);
    build_close(&b, at);
}

static void check_hdr10(const struct cad_color *c)
{
    assert_int_equal(c->primaries, 9);
    assert_int_equal(c->transfer, 16);
    assert_int_equal(c->matrix, 9);
    assert_true(c->full_range);
    assert_true(c->has_mastering);
    assert_int_equal(c->primary_x[0], 13250);
    assert_int_equal(c->primary_y[2], 16000);
    assert_int_equal(c->white_x, 15635);
    assert_int_equal(c->white_y, 16450);
    assert_int_equal(c->luminance_max, 10000000);
    assert_int_equal(c->luminance_min, 50);
    assert_true(c->has_light);
    assert_int_equal(c->light_max, 993);
    assert_int_equal(c->light_average, 401);
}

static void test_color_hdr10(void **state)
{
    (void)state;
    struct cad_color c = {.bit_depth = 10};
    build_init(&b);
    build_box(&b, "btrt", 12);
    put_clli();
    put_colr("nclx", 9, 16, 9);
    put_mdcv();
    assert_int_equal(read_boxes(&c), 0);
    check_hdr10(&c);
    assert_int_equal(c.bit_depth, 10); /* what no box tells is left */
}

static void test_color_kinds_of_colr(void **state)
{
    (void)state;
    struct cad_color c = {.primaries = 5, .full_range = true};
    build_init(&b);
    assert_int_equal(read_boxes(&c), 0); /* no box at all */
    assert_int_equal(c.primaries, 5);
    /* An ICC profile says nothing here; the next colr does. nclc has no range. */
    size_t at = build_open(&b, "colr");
    build_data(&b, "prof", 4);
    build_zeros(&b, 40);
    build_close(&b, at);
    put_colr("nclc", 1, 300, 1);
    assert_int_equal(read_boxes(&c), 0);
    assert_int_equal(c.primaries, 1);
    assert_int_equal(c.transfer, 2); /* 300 is no code point */
    assert_true(c.full_range);
    assert_false(c.has_mastering || c.has_light);
}

/* The same screen in the fractions of VP9's box; units of 0.00002 are reached by rounding. */
static void test_color_of_vp9(void **state)
{
    (void)state;
    /* 0.680 0.320, 0.265 0.690, 0.150 0.060, 0.3127 0.3290 of 65536 */
    static const uint16_t places[] = {44564, 20972, 17367, 45220, 9830, 3932, 20493, 21561};
    struct cad_color c = {0};
    build_init(&b);
    size_t at = build_full(&b, "SmDm", 0, 0);
    for (unsigned i = 0; i < 8; i++) build_u16(&b, places[i]);
    build_u32(&b, 1000u << 8);
    build_u32(&b, 82); /* 0.005 of 16384 */
    build_close(&b, at);
    at = build_full(&b, "CoLL", 0, 0);
    build_u16(&b, 993);
    build_u16(&b, 401);
    build_close(&b, at);
    assert_int_equal(read_boxes(&c), 0);
    assert_true(c.has_mastering && c.has_light);
    assert_int_equal(c.primary_x[2], 34000); /* red comes first in the box, last here */
    assert_int_equal(c.primary_y[2], 16000);
    assert_int_equal(c.primary_x[0], 13250);
    assert_int_equal(c.primary_y[0], 34500);
    assert_int_equal(c.primary_x[1], 7500);
    assert_int_equal(c.primary_y[1], 3000);
    assert_int_equal(c.white_x, 15635);
    assert_int_equal(c.white_y, 16450);
    assert_int_equal(c.luminance_max, 10000000);
    assert_int_equal(c.luminance_min, 50);
    assert_int_equal(c.light_max, 993);
}

/* A box of n bytes less than it needs is refused, and nothing of it is taken over. */
static void test_color_every_short_box_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        size_t least;
    } cases[] = {{"mdcv", 24}, {"clli", 4}, {"SmDm", 28}, {"CoLL", 8}};
    static const uint8_t colr[11] = {'n', 'c', 'l', 'x', 0, 9, 0, 16, 0, 9, 0x80};
    static const struct cad_color nothing;
    struct cad_color c = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t n = 0; n < cases[i].least; n++) {
            build_init(&b);
            build_box(&b, cases[i].type, n);
            assert_int_equal(read_boxes(&c), CAD_E_DATA);
            assert_memory_equal(&c, &nothing, sizeof c);
        }
        build_init(&b);
        build_box(&b, cases[i].type, cases[i].least);
        struct cad_color full = {0};
        assert_int_equal(read_boxes(&full), 0);
        assert_true(full.has_mastering || full.has_light);
    }
    for (size_t n = 0; n < sizeof colr; n++) {
        build_init(&b);
        build_box_of(&b, "colr", colr, n);
        assert_int_equal(read_boxes(&c), CAD_E_DATA);
        assert_int_equal(c.primaries, 0);
    }
}

/* Through the sample description; a colr counts more than vpcC. Cut anywhere: refused. */
static void test_color_in_a_sample_entry(void **state)
{
    (void)state;
    static const uint8_t vpcc[12] = {1, 0, 0, 0, 2, 51, 0xa2, 1, 1, 1, 0, 0};
    build_init(&b);
    build_u32(&b, 0);
    build_u32(&b, 1);
    size_t at = build_open(&b, "vp09");
    build_zeros(&b, 78);
    build_box_of(&b, "vpcC", vpcc, sizeof vpcc);
    size_t without = b.n;
    put_mdcv();
    put_colr("nclx", 9, 16, 9);
    put_clli();
    build_close(&b, at);
    struct cad_mp4_init init;
    memset(&init, 0, sizeof init);
    uint32_t handler = CAD_FOURCC('v', 'i', 'd', 'e');
    assert_int_equal(cad_mp4_stsd_read(build_view(&b), handler, &init), 0);
    check_hdr10(&init.color);
    assert_int_equal(init.color.bit_depth, 10);
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *copy = build_copy(&b, n);
        assert_int_equal(cad_mp4_stsd_read((cad_buf){copy, n}, handler, &init), CAD_E_DATA);
        free(copy);
    }
    b.n = without;
    build_close(&b, at);
    memset(&init, 0, sizeof init);
    assert_int_equal(cad_mp4_stsd_read(build_view(&b), handler, &init), 0);
    assert_int_equal(init.color.matrix, 1);
    assert_false(init.color.has_mastering);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_color_hdr10),
        cmocka_unit_test(test_color_kinds_of_colr),
        cmocka_unit_test(test_color_of_vp9),
        cmocka_unit_test(test_color_every_short_box_is_refused),
        cmocka_unit_test(test_color_in_a_sample_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
