/* The font: every printable character is there, no two look alike, and others have stand-ins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "font.h"

static void rows_of(uint32_t c, uint8_t rows[FONT_HEIGHT])
{
    for (int row = 0; row < FONT_HEIGHT; row++) rows[row] = font_row(c, row);
}

static void test_font_tells_characters_apart(void **state)
{
    (void)state;
    uint8_t a[FONT_HEIGHT], b[FONT_HEIGHT], none[FONT_HEIGHT];
    rows_of(1, none);
    for (uint32_t c = 32; c < 127; c++) {
        uint8_t dots = 0;
        rows_of(c, a);
        for (int row = 0; row < FONT_HEIGHT; row++) {
            assert_true(a[row] < 1 << FONT_WIDTH);
            dots |= a[row];
        }
        assert_true((dots != 0) == (c != ' '));
        assert_memory_not_equal(a, none, FONT_HEIGHT);
        for (uint32_t d = 32; d < c; d++) {
            rows_of(d, b);
            assert_memory_not_equal(a, b, FONT_HEIGHT);
        }
    }
    assert_int_equal(font_row('A', -1), 0);
    assert_int_equal(font_row('A', FONT_HEIGHT), 0);
}

/* What it lacks looks like what is nearest, or is a box. */
static void test_font_has_stand_ins(void **state)
{
    (void)state;
    static const struct { uint32_t c; char like; } near[] = {
        {0xd7, 'x'}, {0xe9, 'e'}, {0xc4, 'A'}, {0xff, 'y'}, {0x2212, '-'}, {0x2192, '>'}};
    for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
        for (int row = 0; row < FONT_HEIGHT; row++) {
            assert_int_equal(font_row(near[i].c, row), font_row((uint32_t)near[i].like, row));
        }
    }
    assert_int_equal(font_row(0x416, 0), 0x1f);
    assert_int_equal(font_row(0x416, 3), 0x11);
    assert_int_equal(font_row(0x416, FONT_BASE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_font_tells_characters_apart),
        cmocka_unit_test(test_font_has_stand_ins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
