/*
 * Fixed states of the controls, drawn over a picture of our own and compared region by region with
 * what they are to look like: mean colour, and how many edges there are. The same table holds at
 * 1280x720 and at 1920x1080, and, for the regions without words, with the bitmap font.
 * With a folder as its argument it writes the pictures there as PNG, to be looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "ui_shot.h"

#define COLOR_TOLERANCE 7  /* of each channel: fonts and scales differ a little */
#define EDGES_PERCENT 45   /* of the edges that are expected */
#define EDGES_LEAST 6      /* tenths: below, a region is plain */

struct expectation {
    enum shot_state state;
    const char *what;
    bool words;            /* it shows text */
    int region[4];         /* units of 1280 by 720 */
    struct shot_look look;
};

static const struct expectation expectations[] = {
    {SHOT_CONTROLS, "title", true, {40, 34, 240, 28}, {82, 87, 103, 206}},
    {SHOT_CONTROLS, "note about HDR", true, {978, 30, 262, 36}, {47, 46, 45, 168}},
    {SHOT_CONTROLS, "no panel in the middle of the film", false, {300, 200, 300, 200},
     {101, 88, 93, 0}},
    {SHOT_CONTROLS, "played part of the seek bar", false, {60, 633, 300, 6}, {255, 176, 31, 0}},
    {SHOT_CONTROLS, "knob", false, {380, 630, 12, 12}, {255, 255, 255, 0}},
    {SHOT_CONTROLS, "buffered part", false, {402, 633, 34, 6}, {159, 161, 165, 10}},
    {SHOT_CONTROLS, "rest of the bar", false, {460, 633, 160, 6}, {89, 93, 99, 1}},
    {SHOT_CONTROLS, "marker", false, {636, 631, 5, 10}, {156, 157, 159, 873}},
    {SHOT_CONTROLS, "time under the pointer", true, {814, 582, 92, 32}, {50, 53, 59, 144}},
    {SHOT_CONTROLS, "pause button", false, {43, 669, 18, 22}, {154, 156, 159, 374}},
    {SHOT_CONTROLS, "volume, and its knob at 70 percent", false, {144, 672, 90, 16},
     {73, 75, 79, 39}},
    {SHOT_CONTROLS, "position and duration", true, {262, 668, 140, 24}, {45, 48, 52, 200}},
    {SHOT_CONTROLS, "speed", true, {742, 668, 30, 24}, {32, 35, 39, 183}},
    {SHOT_CONTROLS, "sound menu button", true, {836, 666, 100, 28}, {42, 45, 48, 283}},
    {SHOT_CONTROLS, "quality menu button", true, {1050, 666, 126, 28}, {41, 44, 48, 209}},
    {SHOT_CONTROLS, "full screen button", false, {1216, 668, 24, 24}, {68, 71, 74, 278}},
    {SHOT_DRAG, "time at the knob", true, {655, 574, 90, 40}, {52, 54, 60, 114}},
    {SHOT_DRAG, "knob where it is dragged to", false, {694, 630, 12, 12}, {255, 255, 255, 0}},
    {SHOT_DRAG, "what was played is darker", false, {60, 633, 300, 6}, {217, 143, 15, 0}},
    {SHOT_DRAG, "from there to the knob", false, {400, 633, 230, 6}, {255, 176, 31, 0}},
    {SHOT_AUDIO, "panel", false, {722, 584, 320, 20}, {22, 25, 32, 0}},
    {SHOT_AUDIO, "row that is heard, with its mark", true, {736, 372, 300, 38}, {41, 43, 48, 113}},
    {SHOT_AUDIO, "row with the focus", true, {736, 418, 300, 38}, {235, 236, 238, 73}},
    {SHOT_AUDIO, "Greek", true, {766, 470, 90, 26}, {50, 53, 58, 259}},
    {SHOT_AUDIO, "Cyrillic", true, {766, 516, 90, 26}, {47, 50, 56, 226}},
    {SHOT_AUDIO, "row that cannot be had", true, {766, 560, 270, 30}, {31, 35, 42, 87}},
    {SHOT_AUDIO, "button of the open menu", true, {806, 660, 30, 40}, {48, 50, 54, 0}},
    {SHOT_QUALITY, "head", true, {930, 286, 140, 24}, {54, 57, 63, 173}},
    {SHOT_QUALITY, "row under the pointer", false, {1010, 420, 100, 36}, {55, 57, 62, 0}},
    {SHOT_QUALITY, "other row", false, {1010, 466, 100, 36}, {24, 26, 32, 0}},
    {SHOT_QUALITY, "rates", true, {1150, 376, 80, 220}, {39, 42, 48, 104}},
    {SHOT_SPEED, "speed that is not normal is in colour", true, {726, 666, 64, 28},
     {76, 67, 51, 92}},
    {SHOT_SPEED, "panel", true, {606, 240, 330, 360}, {41, 40, 45, 16}},
    {SHOT_TEXT, "head", true, {850, 470, 100, 26}, {47, 50, 57, 141}},
    {SHOT_TEXT, "none is chosen, with its mark", true, {846, 512, 90, 34}, {40, 41, 45, 83}},
    {SHOT_TEXT, "a track", true, {880, 562, 80, 26}, {49, 52, 58, 233}},
    {SHOT_TEXT, "button of the open menu", false, {986, 666, 28, 28}, {100, 102, 105, 199}},
    {SHOT_ERROR, "ground", false, {20, 20, 300, 600}, {14, 17, 22, 0}},
    {SHOT_ERROR, "sign", false, {602, 106, 76, 76}, {92, 68, 24, 93}},
    {SHOT_ERROR, "title", true, {390, 226, 500, 30}, {87, 90, 94, 188}},
    {SHOT_ERROR, "what happened and what to do", true, {376, 280, 530, 52}, {39, 42, 47, 206}},
    {SHOT_ERROR, "button with the focus", true, {446, 452, 178, 46}, {238, 164, 29, 53}},
    {SHOT_ERROR, "other button", true, {656, 452, 178, 46}, {47, 50, 55, 35}},
    {SHOT_ERROR, "code at the bottom", true, {430, 666, 420, 20}, {29, 33, 39, 155}},
    {SHOT_OVERLAY, "names", true, {60, 98, 90, 220}, {35, 38, 45, 113}},
    {SHOT_OVERLAY, "values", true, {188, 98, 330, 220}, {37, 39, 46, 129}},
    {SHOT_OVERLAY, "buffer graph: full", false, {70, 396, 100, 28}, {83, 64, 32, 0}},
    {SHOT_OVERLAY, "buffer graph: low", false, {270, 360, 40, 40}, {25, 27, 33, 0}},
    {SHOT_OVERLAY, "throughput graph: high", false, {70, 500, 110, 34}, {36, 54, 73, 0}},
    {SHOT_OVERLAY, "throughput graph: low", false, {240, 472, 60, 50}, {23, 25, 31, 0}},
    {SHOT_OVERLAY, "chosen rate while high", false, {70, 491, 100, 8}, {88, 103, 118, 4}},
    {SHOT_OVERLAY, "legends", true, {60, 446, 460, 14}, {40, 44, 50, 149}},
    {SHOT_OVERLAY, "services: names", true, {570, 98, 84, 150}, {31, 34, 41, 77}},
    {SHOT_OVERLAY, "services: keys, probes and report", true, {676, 98, 280, 150},
     {38, 41, 46, 136}},
    {SHOT_OVERLAY, "button of subtitles that are shown", false, {988, 668, 24, 24},
     {99, 73, 23, 214}},
    {SHOT_OVERLAY, "film beside it", false, {700, 300, 300, 300}, {101, 86, 81, 3}},
    {SHOT_BUSY, "ring", false, {602, 322, 76, 76}, {79, 66, 60, 27}},
    {SHOT_BUSY, "words about the connection", true, {430, 438, 420, 44}, {45, 48, 53, 122}},
    {SHOT_HELP, "head", true, {266, 160, 80, 26}, {77, 79, 84, 189}},
    {SHOT_HELP, "keys", true, {268, 212, 120, 284}, {45, 48, 53, 46}},
    {SHOT_HELP, "what they do", true, {408, 216, 200, 270}, {30, 33, 39, 63}},
    {SHOT_FOCUS, "ring around the button", false, {798, 655, 6, 50}, {118, 120, 122, 648}},
    {SHOT_FOCUS, "no ring around another one", false, {1186, 655, 6, 50}, {12, 15, 19, 1}},
    {SHOT_HIDDEN, "where the title was", false, {40, 34, 240, 28}, {49, 64, 106, 0}},
    {SHOT_HIDDEN, "where the seek bar was", false, {60, 630, 600, 12}, {58, 74, 94, 6}},
};

static bool differs(const struct shot_look *have, const struct shot_look *want)
{
    int slack = CAD_MAX(want->edges * EDGES_PERCENT / 100, EDGES_LEAST);
    return abs(have->red - want->red) > COLOR_TOLERANCE ||
           abs(have->green - want->green) > COLOR_TOLERANCE ||
           abs(have->blue - want->blue) > COLOR_TOLERANCE ||
           abs(have->edges - want->edges) > slack;
}

static int compare(const struct shot *shot, enum shot_state state, bool words)
{
    int failures = 0;
    for (size_t i = 0; i < CAD_ARRAY_LEN(expectations); i++) {
        const struct expectation *e = &expectations[i];
        if (e->state != state || (e->words && !words)) continue;
        struct shot_look have = shot_look(shot, e->region);
        if (!differs(&have, &e->look)) continue;
        print_error("%s %dx%d, %s: is {%d, %d, %d, %d}, not {%d, %d, %d, %d}\n", shot_name(state),
                    shot->width, shot->height, e->what, have.red, have.green, have.blue,
                    have.edges, e->look.red, e->look.green, e->look.blue, e->look.edges);
        failures++;
    }
    return failures;
}

static void check(int width, int height, bool fonts)
{
    static struct shot shot;
    int failures = 0;
    shot_open(&shot, width, height, fonts);
    if (fonts && strcmp(text_font_name(shot.text), "bitmap") == 0) {
        print_message("no fonts: scripts/install-deps.sh build\n");
        shot_close(&shot);
        skip();
    }
    for (int state = 0; state < SHOT_STATES; state++) {
        shot_draw(&shot, (enum shot_state)state);
        failures += compare(&shot, (enum shot_state)state, fonts);
    }
    shot_close(&shot);
    assert_int_equal(failures, 0);
}

static void test_draw_looks_as_expected_at_720(void **state)
{
    (void)state;
    check(1280, 720, true);
}

static void test_draw_looks_as_expected_at_1080(void **state)
{
    (void)state;
    check(1920, 1080, true);
}

static void test_draw_needs_no_fonts(void **state)
{
    (void)state;
    check(1280, 720, false);
}

/* Nothing lies over the film when the controls are gone, to the last pixel. */
static void test_draw_leaves_the_film_alone(void **state)
{
    (void)state;
    static struct shot shot;
    shot_open(&shot, 640, 360, false);
    shot_draw(&shot, SHOT_HIDDEN);
    for (int i = 0; i < 640 * 360; i++) assert_int_equal(shot.canvas.pixels[i], 0);
    shot_close(&shot);
}

/* The same state is the same picture; rows that nothing touched are not sent. */
static void test_draw_is_deterministic(void **state)
{
    (void)state;
    static struct shot shot;
    size_t bytes = sizeof(uint32_t) * 640 * 360;
    uint32_t *first = malloc(bytes);
    assert_non_null(first);
    shot_open(&shot, 640, 360, true);
    shot_draw(&shot, SHOT_OVERLAY);
    memcpy(first, shot.picture, bytes);
    shot_draw(&shot, SHOT_ERROR);
    assert_memory_not_equal(first, shot.picture, bytes);
    shot_draw(&shot, SHOT_OVERLAY);
    assert_memory_equal(first, shot.picture, bytes);
    shot_draw(&shot, SHOT_CONTROLS);
    shot_draw(&shot, SHOT_CONTROLS);
    assert_false(canvas_row_changed(&shot.canvas, 180));
    assert_true(canvas_row_changed(&shot.canvas, 340));
    shot_close(&shot);
    free(first);
}

/* In odd windows nothing is drawn out of bounds (the sanitizers look) and nothing hangs. */
static void test_draw_survives_any_window(void **state)
{
    (void)state;
    static const int sizes[][2] = {{320, 180}, {64, 400}, {1, 1}, {1000, 90}, {201, 333}};
    static struct shot shot;
    for (size_t i = 0; i < CAD_ARRAY_LEN(sizes); i++) {
        shot_open(&shot, sizes[i][0], sizes[i][1], true);
        for (int s = 0; s < SHOT_STATES; s++) shot_draw(&shot, (enum shot_state)s);
        shot_close(&shot);
    }
}

static int write_pictures(const char *folder)
{
    static const int sizes[][2] = {{1280, 720}, {1920, 1080}};
    static struct shot shot;
    for (size_t i = 0; i < CAD_ARRAY_LEN(sizes); i++) {
        shot_open(&shot, sizes[i][0], sizes[i][1], true);
        for (int state = 0; state < SHOT_STATES; state++) {
            char path[512];
            shot_draw(&shot, (enum shot_state)state);
            snprintf(path, sizeof(path), "%s/%s-%d.png", folder,
                     shot_name((enum shot_state)state), sizes[i][1]);
            if (!shot_write_png(&shot, path)) return 1;
            for (size_t k = 0; k < CAD_ARRAY_LEN(expectations); k++) {
                const struct expectation *e = &expectations[k];
                if ((int)e->state != state || i > 0) continue;
                struct shot_look look = shot_look(&shot, e->region);
                printf("%s, %s: {%d, %d, %d, %d}\n", shot_name(e->state), e->what, look.red,
                       look.green, look.blue, look.edges);
            }
        }
        shot_close(&shot);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draw_looks_as_expected_at_720),
        cmocka_unit_test(test_draw_looks_as_expected_at_1080),
        cmocka_unit_test(test_draw_needs_no_fonts),
        cmocka_unit_test(test_draw_leaves_the_film_alone),
        cmocka_unit_test(test_draw_is_deterministic),
        cmocka_unit_test(test_draw_survives_any_window),
    };
    if (argc > 1) return write_pictures(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
