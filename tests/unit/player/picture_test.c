/* A picture keeps its shape in any window, and every pixel format comes out in its colours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "picture.h"

static void check_place(SDL_Rect place, int x, int y, int w, int h)
{
    assert_int_equal(place.x, x);
    assert_int_equal(place.y, y);
    assert_int_equal(place.w, w);
    assert_int_equal(place.h, h);
}

static void test_picture_is_letterboxed(void **state)
{
    (void)state;
    check_place(picture_place(16, 9, 1600, 900), 0, 0, 1600, 900);
    check_place(picture_place(16, 9, 1600, 1200), 0, 150, 1600, 900);
    check_place(picture_place(4, 3, 1600, 900), 200, 0, 1200, 900);
    check_place(picture_place(0, 9, 100, 50), 0, 0, 100, 50);
}

static uint8_t planes[3][16 * 16 * 2];

/* A picture of one colour: luma 100, chroma 90 and 170, in the given format. */
static struct cad_frame plain(enum cad_pixel_format format)
{
    static const uint8_t values[3] = {100, 90, 170};
    struct cad_frame frame = {.format = format, .width = 16, .height = 16, .color_matrix = 6};
    bool deep = format == CAD_PIXEL_I420_10;
    for (uint32_t p = 0; p < 3; p++) {
        for (size_t i = 0; i < sizeof(planes[p]); i++) {
            uint32_t value = (uint32_t)values[p] << 2;
            planes[p][i] = !deep ? values[p] : (uint8_t)(i % 2 ? value >> 8 : value);
        }
        frame.plane[p] = planes[p];
        frame.stride[p] = deep ? 32 : 16;
    }
    return frame;
}

static void test_picture_shows_every_format(void **state)
{
    (void)state;
    static const enum cad_pixel_format formats[] = {CAD_PIXEL_I420, CAD_PIXEL_I420_10,
                                                    CAD_PIXEL_I422, CAD_PIXEL_I444};
    SDL_Surface *surface = SDL_CreateRGBSurfaceWithFormat(0, 32, 16, 32, SDL_PIXELFORMAT_ARGB8888);
    SDL_Renderer *renderer = SDL_CreateSoftwareRenderer(surface);
    struct picture picture;
    picture_init(&picture, renderer);
    uint32_t first = 0;
    for (size_t i = 0; i < 4; i++) {
        struct cad_frame frame = plain(formats[i]);
        assert_true(picture_set(&picture, &frame));
        SDL_SetRenderDrawColor(renderer, 0, 0, 0, 255);
        SDL_RenderClear(renderer);
        picture_draw(&picture, 32, 16);
        SDL_RenderPresent(renderer);
        const uint32_t *row = (const uint32_t *)surface->pixels + 8 * surface->pitch / 4;
        assert_int_equal(row[2] & 0xffffff, 0); /* the bars are black */
        assert_int_equal(row[29] & 0xffffff, 0);
        uint32_t pixel = row[16] & 0xffffff;
        if (i == 0) first = pixel;
        assert_int_equal(pixel, first);
        /* BT.601: R = 1.164 (Y - 16) + 1.596 (V - 128), B = 1.164 (Y - 16) + 2.018 (U - 128) */
        assert_in_range(pixel >> 16 & 255, 160, 170);
        assert_in_range(pixel & 255, 16, 26);
    }
    struct cad_frame none = {0};
    assert_false(picture_set(&picture, &none));
    picture_deinit(&picture);
    SDL_DestroyRenderer(renderer);
    SDL_FreeSurface(surface);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picture_is_letterboxed),
        cmocka_unit_test(test_picture_shows_every_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
