/* Goal: images go onto a canvas as their colours and coverage say, and not beyond. */
#include "text_support.h"

#include "cadmium/draw.h"

static void test_blend_places(void **state)
{
    static const uint8_t coverage[4] = {255, 128, 0, 99};
    struct cad_text_image above = {.x = 1, .y = 0, .width = 2, .height = 1, .color = 0x0000ffff,
                                   .coverage = coverage, .stride = 4};
    struct cad_text_image below = {.next = &above, .x = -1, .y = -1, .width = 3, .height = 9,
                                   .color = 0xff000080};
    struct cad_text_image named = {.next = &below, .width = 4, .height = 4, .color = 0xffffffff,
                                   .src = CAD_STR_INIT("a.png")};
    struct cad_text_picture picture = {.images = &named};
    uint8_t pixels[2][16] = {{0}};
    struct cad_text_canvas canvas = {pixels[0], 3, 2, 16};
    (void)state;
    pixels[1][4] = pixels[1][5] = pixels[1][6] = pixels[1][7] = 255;
    cad_text_blend(&picture, &canvas);
    static const uint8_t first[16] = {128, 0, 0, 128, 0, 0, 255, 255, 0, 0, 128, 128};
    static const uint8_t second[16] = {128, 0, 0, 128, 255, 127, 127, 255};
    assert_memory_equal(pixels[0], first, sizeof(first));
    assert_memory_equal(pixels[1], second, sizeof(second));
}

/* Against a division, for all alphas and coverages. */
static void test_blend_rounds(void **state)
{
    (void)state;
    for (uint32_t a = 0; a < 256; a++) {
        for (uint32_t c = 0; c < 256; c++) {
            uint8_t coverage = (uint8_t)c;
            uint8_t pixel[4] = {200, 100, 7, 255};
            struct cad_text_image image = {.width = 1, .height = 1, .color = 0x1180fe00u | a,
                                           .coverage = &coverage, .stride = 1};
            struct cad_text_picture picture = {.images = &image};
            struct cad_text_canvas canvas = {pixel, 1, 1, 4};
            uint32_t alpha = (2 * a * c + 255) / 510;
            cad_text_blend(&picture, &canvas);
            assert_int_equal(pixel[0], (2 * 0x11 * alpha + 255) / 510 +
                                           (2 * 200 * (255 - alpha) + 255) / 510);
            assert_int_equal(pixel[1], (2 * 0x80 * alpha + 255) / 510 +
                                           (2 * 100 * (255 - alpha) + 255) / 510);
            assert_int_equal(pixel[2], (2 * 0xfe * alpha + 255) / 510 +
                                           (2 * 7 * (255 - alpha) + 255) / 510);
            assert_int_equal(pixel[3], 255);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blend_places),
        cmocka_unit_test(test_blend_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
