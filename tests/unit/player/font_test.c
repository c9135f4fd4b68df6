/* The font: every printable character is there, no two look alike, and text is measured right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "font.h"

static void rows_of(char c, uint8_t rows[FONT_HEIGHT])
{
    for (int row = 0; row < FONT_HEIGHT; row++) rows[row] = font_row(c, row);
}

static void test_font_tells_characters_apart(void **state)
{
    (void)state;
    uint8_t a[FONT_HEIGHT], b[FONT_HEIGHT], none[FONT_HEIGHT];
    rows_of('\x01', none);
    for (char c = 32; c < 127; c++) {
        uint8_t dots = 0;
        rows_of(c, a);
        for (int row = 0; row < FONT_HEIGHT; row++) {
            assert_true(a[row] < 1 << FONT_WIDTH);
            dots |= a[row];
        }
        assert_true((dots != 0) == (c != ' '));
        assert_memory_not_equal(a, none, FONT_HEIGHT);
        for (char d = 32; d < c; d++) {
            rows_of(d, b);
            assert_memory_not_equal(a, b, FONT_HEIGHT);
        }
    }
    assert_int_equal(font_row('A', -1), 0);
    assert_int_equal(font_row('A', FONT_HEIGHT), 0);
}

static void test_font_measures(void **state)
{
    (void)state;
    int columns = 0, lines = 0;
    font_measure("ab\nabc\n", &columns, &lines);
    assert_int_equal(columns, 3);
    assert_int_equal(lines, 3);
    font_measure("", &columns, &lines);
    assert_int_equal(columns, 0);
    assert_int_equal(lines, 1);
}

/* What is drawn are the dots of the table, scaled. */
static void test_font_draws_its_dots(void **state)
{
    (void)state;
    SDL_Surface *surface = SDL_CreateRGBSurfaceWithFormat(0, 64, 64, 32, SDL_PIXELFORMAT_ARGB8888);
    SDL_Renderer *renderer = SDL_CreateSoftwareRenderer(surface);
    assert_non_null(renderer);
    SDL_SetRenderDrawColor(renderer, 255, 255, 255, 255);
    font_draw(renderer, 2, 4, 2, "R\ng");
    SDL_RenderPresent(renderer);
    const uint32_t *pixels = surface->pixels;
    for (int y = 0; y < 64; y++) {
        for (int x = 0; x < 64; x++) {
            int column = (x - 2) / 2;
            bool inside = x >= 2 && y >= 4 && column < FONT_WIDTH;
            int line = inside ? (y - 4) / 2 / FONT_LINE : 2;
            int row = inside ? (y - 4) / 2 % FONT_LINE : 0;
            uint8_t dots = line == 0 ? font_row('R', row) : line == 1 ? font_row('g', row) : 0;
            bool lit = inside && (dots & 0x10 >> column);
            uint32_t pixel = pixels[y * surface->pitch / 4 + x];
            assert_int_equal((pixel & 0xffffff) != 0, lit);
        }
    }
    SDL_DestroyRenderer(renderer);
    SDL_FreeSurface(surface);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_font_tells_characters_apart),
        cmocka_unit_test(test_font_measures),
        cmocka_unit_test(test_font_draws_its_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
