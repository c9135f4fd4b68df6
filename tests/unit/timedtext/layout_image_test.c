/* Goal: coverage is put together, turned, cut and blurred pixel by pixel as it should be. */
#include "layout_support.h"

/* Every glyph: two pixels side by side on the base line, the left one weak. */
static int two_pixels(void *ctx, const struct cad_font_picture *want, struct cad_font_bitmap *out)
{
    static const uint8_t bytes[2] = {10, 200};
    (void)ctx;
    (void)want;
    *out = (struct cad_font_bitmap){.coverage = bytes, .width = 2, .height = 1, .stride = 2,
                                    .left = 0, .top = 1};
    return 0;
}

static const struct cad_text_image *image_of(struct laid *laid, const char *document)
{
    static struct cad_font_ops ops;
    laid_prepare(laid, document);
    ops = *laid->options.fonts.ops;
    ops.picture = two_pixels;
    laid->options.fonts.ops = &ops;
    assert_int_equal(cad_text_layout(laid->isd, &laid->options, &laid->picture), 0);
    assert_int_equal(laid->picture->image_count, 1);
    return laid->picture->images;
}

static void test_image_upright(void **state)
{
    struct laid laid;
    (void)state;
    const struct cad_text_image *image = image_of(&laid, REGION("", "<p>ab</p>"));
    images_are(&laid, "100,114 12x1 ffffffff*");
    static const uint8_t row[12] = {10, 200, 0, 0, 0, 0, 0, 0, 0, 0, 10, 200};
    assert_memory_equal(image->coverage, row, sizeof(row));
    laid_free(&laid);
}

static void test_image_turned(void **state)
{
    struct laid laid;
    (void)state;
    /* Clockwise: what was left is above; on the base line, ten right of the line's left edge. */
    const struct cad_text_image *image =
        image_of(&laid, REGION("tts:writingMode='tbrl'", "<p>a</p>"));
    images_are(&laid, "285,100 1x2 ffffffff*");
    assert_int_equal(image->coverage[0], 10);
    assert_int_equal(image->coverage[image->stride], 200);
    laid_free(&laid);
}

static void test_image_overlap(void **state)
{
    struct laid laid;
    (void)state;
    /* Two marks of no width at one place: 1 - (1 - a)(1 - b) of both. */
    const struct cad_text_image *image = image_of(&laid, REGION("", "<p>\xcc\x81\xcc\x81</p>"));
    images_are(&laid, "100,114 2x1 ffffffff*");
    assert_int_equal(image->coverage[0], 20);
    assert_int_equal(image->coverage[1], 243);
    laid_free(&laid);
}

static void test_image_cut(void **state)
{
    struct laid laid;
    (void)state;
    /* The region ends behind the first pixel. */
    const struct cad_text_image *image =
        image_of(&laid, TT("tts:extent='640px 320px'",
                           "<layout><region xml:id='r' tts:origin='0px 0px' tts:extent='1px 20px'/>"
                           "</layout>",
                           "<body region='r' tts:fontSize='20px'><div><p>a</p></div></body>"));
    images_are(&laid, "0,14 1x1 ffffffff*");
    assert_int_equal(image->coverage[0], 10);
    laid_free(&laid);
    /* It begins with the second: what is cut off on the left is not shown. */
    image = image_of(&laid, TT("tts:extent='640px 320px'",
                               "<layout><region xml:id='r' tts:origin='5px 0px' "
                               "tts:extent='9px 20px'/></layout>",
                               "<body region='r' tts:fontSize='20px'><div><p "
                               "tts:textAlign='end'>a</p></div></body>"));
    images_are(&laid, "5,14 1x1 ffffffff*");
    assert_int_equal(image->coverage[0], 200);
    laid_free(&laid);
}

static void test_image_blur(void **state)
{
    struct laid laid;
    uint32_t sum = 0;
    (void)state;
    laid_make(&laid, REGION("tts:padding='20px'",
                            "<p><span tts:fontSize='2px' tts:color='#00000000' "
                            "tts:textShadow='0px 0px 4px red'>a</span></p>"));
    const struct cad_text_image *image = laid.picture->images;
    /* One pixel becomes a tent of nine by nine, as heavy as before but for rounding. */
    assert_int_equal(laid.picture->image_count, 1);
    assert_int_equal(image->width, 9);
    assert_int_equal(image->height, 9);
    for (uint32_t y = 0; y < 9; y++) {
        for (uint32_t x = 0; x < 9; x++) {
            uint8_t at = image->coverage[y * image->stride + x];
            assert_int_equal(at, image->coverage[x * image->stride + y]);
            assert_int_equal(at, image->coverage[(8 - y) * image->stride + 8 - x]);
            assert_true(at <= image->coverage[4 * image->stride + 4]);
            sum += at;
        }
    }
    assert_in_range(sum, 235, 275);
    laid_free(&laid);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_upright), cmocka_unit_test(test_image_turned),
        cmocka_unit_test(test_image_overlap), cmocka_unit_test(test_image_cut),
        cmocka_unit_test(test_image_blur),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
