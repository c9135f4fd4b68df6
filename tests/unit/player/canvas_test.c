/* Shapes cover what they should to within a 255th, clips hold, and clean rows stay clean. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/util.h"
#include "text.h"

#define SIDE 64
#define WHITE 0xffffffffu

static struct canvas canvas;
static struct canvas_path path;

static void begin(void)
{
    canvas_init(&canvas);
    assert_true(canvas_resize(&canvas, SIDE, SIDE));
    canvas_clear(&canvas);
}

/* Area that is covered, in pixels. */
static double covered(void)
{
    double sum = 0;
    for (int i = 0; i < SIDE * SIDE; i++) sum += (double)(canvas.pixels[i] >> 24) / 255;
    return sum;
}

static bool near(double a, double b, double slack)
{
    return fabs(a - b) <= slack;
}

static void test_canvas_shapes_have_their_area(void **state)
{
    (void)state;
    begin();
    canvas_fill(&canvas, (struct canvas_rect){10, 10, 20, 5}, WHITE);
    assert_true(near(covered(), 100, 0.01));
    canvas_clear(&canvas);
    canvas_fill(&canvas, (struct canvas_rect){10.5f, 10, 20, 5}, WHITE); /* half pixels */
    assert_true(near(covered(), 100, 0.5));
    assert_in_range(canvas.pixels[12 * SIDE + 10] >> 24, 126, 129);
    canvas_clear(&canvas);
    canvas_shape(&canvas, (struct canvas_shape){.at = {12, 12, 40, 40}, .radius = 20}, WHITE);
    assert_true(near(covered(), 3.14159265 * 400, 4));
    canvas_clear(&canvas);
    canvas_shape(&canvas, (struct canvas_shape){.at = {12, 12, 40, 40}, .radius = 20, .line = 4},
                 WHITE);
    assert_true(near(covered(), 3.14159265 * (400 - 256), 4));
    canvas_deinit(&canvas);
}

static void test_canvas_paths_have_their_area(void **state)
{
    (void)state;
    begin();
    canvas_path_move(&path, 4.25f, 3.5f);
    canvas_path_line(&path, 44.25f, 3.5f);
    canvas_path_line(&path, 4.25f, 43.5f);
    canvas_path(&canvas, &path, WHITE);
    assert_true(near(covered(), 800, 0.5));
    assert_int_equal(path.count, 0);
    canvas_clear(&canvas);
    canvas_path_arc(&path, (struct canvas_arc){32, 32, 20, 0, 6.2831853f, 6});
    canvas_path(&canvas, &path, WHITE);
    assert_true(near(covered(), 2 * 3.14159265 * 20 * 6, 6));
    canvas_clear(&canvas);
    const float from[2] = {10, 10};
    const float to[2] = {40, 50};
    canvas_path_stroke(&path, from, to, 4);
    canvas_path(&canvas, &path, WHITE);
    assert_true(near(covered(), 50 * 4 + 3.14159265 * 4, 1)); /* with its round ends */
    canvas_clear(&canvas);
    /* What lies outside to the left covers what is right of it no more than it should. */
    canvas_path_move(&path, -100, 10);
    canvas_path_line(&path, 20, 10);
    canvas_path_line(&path, 20, 30);
    canvas_path_line(&path, -100, 30);
    canvas_path(&canvas, &path, WHITE);
    assert_true(near(covered(), 400, 0.5));
    canvas_deinit(&canvas);
}

static void test_canvas_lays_over(void **state)
{
    (void)state;
    uint32_t row[SIDE];
    begin();
    canvas_fill(&canvas, (struct canvas_rect){0, 0, 10, 10}, 0x80ff0000);
    canvas_row_straight(&canvas, 5, row);
    assert_int_equal(row[5], 0x80ff0000);
    canvas_fill(&canvas, (struct canvas_rect){0, 0, 10, 10}, 0xff0000ff);
    canvas_row_straight(&canvas, 5, row);
    assert_int_equal(row[5], 0xff0000ff);
    canvas.opacity = 128;
    canvas_fill(&canvas, (struct canvas_rect){20, 0, 10, 10}, 0xff00ff00);
    canvas_row_straight(&canvas, 5, row);
    assert_int_equal(row[25], 0x8000ff00);
    canvas_deinit(&canvas);
}

static void test_canvas_clips_and_remembers_rows(void **state)
{
    (void)state;
    begin();
    for (int y = 0; y < SIDE; y++) assert_true(canvas_row_changed(&canvas, y)); /* never shown */
    canvas_clear(&canvas);
    for (int y = 0; y < SIDE; y++) assert_false(canvas_row_changed(&canvas, y));
    canvas_clip(&canvas, (struct canvas_rect){8, 8, 8, 8});
    canvas_fill(&canvas, (struct canvas_rect){-1000, -1000, 5000, 5000}, WHITE);
    assert_true(near(covered(), 64, 0.01));
    assert_false(canvas_row_changed(&canvas, 7));
    assert_true(canvas_row_changed(&canvas, 8));
    canvas_clear(&canvas);
    assert_true(near(covered(), 0, 0));
    assert_true(canvas_row_changed(&canvas, 8)); /* it was drawn on before */
    canvas_clear(&canvas);
    assert_false(canvas_row_changed(&canvas, 8));
    assert_false(canvas_resize(&canvas, 0, 5));
    assert_false(canvas_resize(&canvas, 5, CANVAS_SIDE_MAX + 1));
    canvas_deinit(&canvas);
}

/* ---- text ----------------------------------------------------------------------------------- */

static void check_text(bool fonts)
{
    struct text *text = text_open(fonts);
    assert_non_null(text);
    struct text_style style = {.size = 16, .weight = TEXT_REGULAR, .color = WHITE};
    float one = text_width(text, &style, CAD_STR("Hello"));
    assert_in_range((int)one, 30, 64);
    assert_true(text_width(text, &style, CAD_STR("Hello, you")) > one * 1.5f);
    begin();
    const float box[3] = {2, 30, 60};
    float end = text_draw(text, &canvas, box, &style, CAD_STR("Hello"));
    assert_true(near((double)end, (double)(2 + one), 1));
    assert_in_range((int)covered(), 40, 400);
    canvas_clear(&canvas);
    end = text_draw_cut(text, &canvas, box, &style, CAD_STR("A longer line of text"));
    assert_true(end <= 62);
    assert_true(end > 30);
    /* Broken UTF-8 and control characters are shown as something, and nothing hangs. */
    text_draw(text, &canvas, box, &style, cad_str_make("\xff\xc3\x00\x01z", 5));
    for (int i = 0; i < 3000; i++) { /* more than the cache holds */
        char word[3] = {(char)(0xc4 + i / 640 % 4), (char)(0x80 + i % 64), 0};
        style.size = 8 + (float)(i % 50);
        text_draw(text, &canvas, box, &style, cad_str_from(word));
    }
    canvas_deinit(&canvas);
    text_close(&text);
    assert_null(text);
}

static void test_text_is_drawn_with_fonts(void **state)
{
    (void)state;
    check_text(true);
}

static void test_text_is_drawn_without_fonts(void **state)
{
    (void)state;
    check_text(false);
}

static void test_text_breaks_between_words(void **state)
{
    (void)state;
    struct text *text = text_open(false);
    struct text_style style = {.size = 10}; /* dots of one pixel: six a character */
    size_t skip = 0;
    assert_int_equal(text_line(text, &style, CAD_STR("one two three"), 6 * 8, &skip), 7);
    assert_int_equal(skip, 8);
    assert_int_equal(text_line(text, &style, CAD_STR("three"), 6 * 8, &skip), 5);
    assert_int_equal(skip, 5);
    assert_int_equal(text_line(text, &style, CAD_STR("one\ntwo"), 600, &skip), 3);
    assert_int_equal(skip, 4);
    assert_int_equal(text_line(text, &style, CAD_STR("averylongword x"), 6 * 4, &skip), 4);
    assert_int_equal(skip, 4);
    assert_int_equal(text_line(text, &style, CAD_STR("wide"), 1, &skip), 1); /* one at least */
    text_close(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canvas_shapes_have_their_area),
        cmocka_unit_test(test_canvas_paths_have_their_area),
        cmocka_unit_test(test_canvas_lays_over),
        cmocka_unit_test(test_canvas_clips_and_remembers_rows),
        cmocka_unit_test(test_text_is_drawn_with_fonts),
        cmocka_unit_test(test_text_is_drawn_without_fonts),
        cmocka_unit_test(test_text_breaks_between_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
