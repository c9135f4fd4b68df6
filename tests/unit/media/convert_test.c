/*
 * Pictures for an 8-bit screen: rounding equals swscale's within a level, a PQ ramp and HLG give
 * the values that docs/media.md promises, colours those of formulas written a second time here;
 * every format and odd sizes; not a byte outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <math.h>

#include <cmocka.h>
#include <libswscale/swscale.h>

#include "cadmium/decode.h"

#include "support/failing_alloc.h"

/* A frame of our own, and the result. */
struct board {
    struct cad_frame frame;
    uint8_t *in[3], *out[3];
    int32_t stride[3];
    struct cad_converter *converter;
};

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static uint32_t half(uint32_t n)
{
    return (n + 1) / 2;
}

/* Width and height of a plane in the frame. */
static void plane_size(const struct cad_frame *frame, uint32_t plane, uint32_t *w, uint32_t *h)
{
    *w = frame->width;
    *h = frame->height;
    if (plane == 0 || frame->format == CAD_PIXEL_I444) return;
    *w = half(*w);
    if (frame->format != CAD_PIXEL_I422) *h = half(*h);
}

/* Buffers are exactly as large as they must be: a sanitizer sees a byte too many. */
static void board_open(struct board *board, enum cad_pixel_format format, uint32_t width,
                       uint32_t height)
{
    struct cad_alloc alloc = cad_alloc_system();
    memset(board, 0, sizeof(*board));
    board->frame = (struct cad_frame){
        .type = CAD_MEDIA_VIDEO, .format = format, .width = width, .height = height};
    uint32_t bytes = format == CAD_PIXEL_I420_10 ? 2 : 1;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t w, h;
        plane_size(&board->frame, i, &w, &h);
        if (i == 0 || format != CAD_PIXEL_GRAY) {
            board->in[i] = calloc((size_t)w * h, bytes);
            board->frame.plane[i] = board->in[i];
            board->frame.stride[i] = (int32_t)(w * bytes);
        }
        board->stride[i] = (int32_t)(i > 0 ? half(width) : width);
        uint32_t rows = i > 0 ? half(height) : height;
        board->out[i] = malloc((size_t)board->stride[i] * rows);
        assert_non_null(board->out[i]);
        memset(board->out[i], 0xa5, (size_t)board->stride[i] * rows);
    }
    assert_int_equal(cad_converter_create(&alloc, &board->converter), 0);
}

static void board_close(struct board *board)
{
    cad_converter_destroy(&board->converter);
    assert_null(board->converter);
    for (uint32_t i = 0; i < 3; i++) {
        free(board->in[i]);
        free(board->out[i]);
    }
}

static int run(struct board *board)
{
    return cad_converter_run(board->converter, &board->frame, board->out, board->stride);
}

static void put(struct board *board, uint32_t plane, uint32_t i, uint32_t v)
{
    if (board->frame.format != CAD_PIXEL_I420_10) {
        board->in[plane][i] = (uint8_t)v;
        return;
    }
    board->in[plane][2 * i] = (uint8_t)v;
    board->in[plane][2 * i + 1] = (uint8_t)(v >> 8);
}

static const struct cad_color pq = {.primaries = 9, .transfer = 16, .matrix = 9};

/* ---- bits ----------------------------------------------------------------------------------- */

static void test_convert_depth_equals_swscale(void **state)
{
    (void)state;
    struct board board;
    board_open(&board, CAD_PIXEL_I420_10, 322, 178);
    for (uint32_t i = 0; i < 322 * 178; i++) put(&board, 0, i, 64 + draw(877));
    for (uint32_t i = 0; i < 161 * 89; i++) {
        put(&board, 1, i, 64 + draw(897));
        put(&board, 2, i, 64 + draw(897));
    }
    assert_int_equal(run(&board), CAD_CONVERT_DEPTH);
    struct SwsContext *sws = sws_getContext(322, 178, AV_PIX_FMT_YUV420P10LE, 322, 178,
                                            AV_PIX_FMT_YUV420P, SWS_POINT, NULL, NULL, NULL);
    assert_non_null(sws);
    uint8_t *want[4] = {malloc(322 * 178 + 64), malloc(161 * 89 + 64), malloc(161 * 89 + 64), NULL};
    int strides[4] = {322, 161, 161, 0};
    const uint8_t *in[4] = {board.in[0], board.in[1], board.in[2], NULL};
    int in_strides[4] = {644, 322, 322, 0};
    assert_int_equal(sws_scale(sws, in, in_strides, 0, 178, want, strides), 178);
    sws_freeContext(sws);
    for (uint32_t p = 0; p < 3; p++) {
        for (uint32_t i = 0; i < (p > 0 ? 161u * 89 : 322u * 178); i++) {
            uint32_t v = board.in[p][2 * i] | (uint32_t)board.in[p][2 * i + 1] << 8;
            int difference = board.out[p][i] - want[p][i];
            assert_in_range(difference + 1, 0, 2);
            assert_in_range(board.out[p][i] * 4u + 2 - v, 0, 4); /* the nearest */
        }
        free(want[p]);
    }
    board_close(&board);
}

static void test_convert_full_range_meets_both_ends(void **state)
{
    (void)state;
    struct board board;
    board_open(&board, CAD_PIXEL_I420_10, 1024, 2);
    board.frame.full_range = true;
    for (uint32_t i = 0; i < 1024; i++) put(&board, 0, i, i);
    assert_int_equal(run(&board), CAD_CONVERT_DEPTH);
    assert_int_equal(board.out[0][0], 0);
    assert_int_equal(board.out[0][1023], 255);
    for (uint32_t i = 0; i < 1024; i++) {
        double exact = i * 255.0 / 1023;
        assert_true(fabs(board.out[0][i] - exact) <= 0.5);
    }
    board_close(&board);
}

/* ---- formats -------------------------------------------------------------------------------- */

static void test_convert_every_format_and_odd_sizes(void **state)
{
    (void)state;
    static const struct {
        enum cad_pixel_format format;
        uint32_t steps;
    } cases[] = {
        {CAD_PIXEL_I420, 0},
        {CAD_PIXEL_I420_10, CAD_CONVERT_DEPTH},
        {CAD_PIXEL_I422, CAD_CONVERT_CHROMA},
        {CAD_PIXEL_I444, CAD_CONVERT_CHROMA},
        {CAD_PIXEL_GRAY, CAD_CONVERT_CHROMA},
    };
    for (uint32_t i = 0; i < 5; i++) {
        for (uint32_t size = 1; size < 6; size++) {
            struct board board;
            board_open(&board, cases[i].format, size, 6 - size);
            for (uint32_t p = 0; p < 3; p++) {
                uint32_t w, h;
                plane_size(&board.frame, p, &w, &h);
                uint32_t value = cases[i].format == CAD_PIXEL_I420_10 ? 400 : 100;
                for (uint32_t k = 0; board.in[p] && k < w * h; k++) put(&board, p, k, value);
            }
            assert_int_equal(cad_frame_convert_steps(&board.frame), cases[i].steps);
            assert_int_equal(run(&board), cases[i].steps);
            bool gray = cases[i].format == CAD_PIXEL_GRAY;
            for (uint32_t k = 0; k < size * (6 - size); k++) {
                assert_int_equal(board.out[0][k], 100);
            }
            for (uint32_t k = 0; k < half(size) * half(6 - size); k++) {
                assert_int_equal(board.out[1][k], gray ? 128 : 100);
                assert_int_equal(board.out[2][k], gray ? 128 : 100);
            }
            /* The same through the table; only that it stays inside and writes all counts here. */
            board.frame.color = pq;
            memset(board.out[0], 0, (size_t)size * (6 - size));
            assert_int_equal(run(&board),
                             cases[i].steps | CAD_CONVERT_HDR | CAD_CONVERT_GAMUT);
            for (uint32_t k = 0; k < size * (6 - size); k++) {
                assert_in_range(board.out[0][k], 16, 235);
            }
            board_close(&board);
        }
    }
}

static void test_convert_names_the_steps(void **state)
{
    (void)state;
    struct cad_frame frame = {.format = CAD_PIXEL_I420, .width = 2, .height = 2};
    assert_int_equal(cad_frame_convert_steps(&frame), 0);
    frame.color = (struct cad_color){.primaries = 1, .transfer = 1, .matrix = 1};
    assert_int_equal(cad_frame_convert_steps(&frame), 0);
    frame.color.matrix = 6;
    frame.color.primaries = 6; /* near enough to BT.709 */
    assert_int_equal(cad_frame_convert_steps(&frame), 0);
    frame.color.primaries = 12;
    assert_int_equal(cad_frame_convert_steps(&frame), CAD_CONVERT_GAMUT);
    frame.color = (struct cad_color){.matrix = 9};
    assert_int_equal(cad_frame_convert_steps(&frame), CAD_CONVERT_GAMUT);
    frame.color = (struct cad_color){.transfer = 18, .primaries = 1};
    assert_int_equal(cad_frame_convert_steps(&frame), CAD_CONVERT_HDR);
    frame.format = CAD_PIXEL_NONE;
    assert_int_equal(cad_frame_convert_steps(&frame), 0);
    assert_int_equal(cad_frame_convert_steps(NULL), 0);
}

/* ---- light ---------------------------------------------------------------------------------- */

/* Its table is made anew only where colours are of another kind. */
static struct cad_converter *kept;

static int set_up(void **state)
{
    struct cad_alloc alloc = cad_alloc_system();
    (void)state;
    return cad_converter_create(&alloc, &kept);
}

static int tear_down(void **state)
{
    (void)state;
    cad_converter_destroy(&kept);
    return 0;
}

/* One colour as a picture of 2 x 2. */
static void map_one(struct cad_color color, const uint32_t in[3], uint8_t out[3])
{
    struct board board;
    board_open(&board, CAD_PIXEL_I420_10, 2, 2);
    board.frame.color = color;
    for (uint32_t i = 0; i < 4; i++) put(&board, 0, i, in[0]);
    put(&board, 1, 0, in[1]);
    put(&board, 2, 0, in[2]);
    assert_true(cad_converter_run(kept, &board.frame, board.out, board.stride) >
                CAD_CONVERT_DEPTH);
    for (uint32_t i = 0; i < 3; i++) out[i] = board.out[i][0];
    assert_true(board.out[0][0] == board.out[0][1] && board.out[0][0] == board.out[0][3]);
    board_close(&board);
}

/* The table of docs/media.md: code of grey by its light, for three peaks. Within a level. */
static void test_convert_pq_ramp_gives_the_documented_values(void **state)
{
    (void)state;
    static const struct {
        uint32_t code; /* 10 bits, limited range, of that light */
        uint32_t nits;
        uint8_t at_400, at_1000, at_4000;
    } ramp[] = {
        {64, 0, 16, 16, 16},
        {195, 1, 40, 40, 40},
        {281, 5, 63, 63, 63},
        {327, 10, 79, 79, 79},
        {450, 50, 138, 138, 138},
        {509, 100, 179, 179, 179},
        {573, 203, 213, 211, 210},
        {609, 300, 226, 220, 219},
        {636, 400, 235, 224, 223},
        {674, 600, 235, 230, 227},
        {723, 1000, 235, 235, 231},
        {789, 2000, 235, 235, 233},
        {855, 4000, 235, 235, 235},
        {940, 10000, 235, 235, 235},
    };
    struct cad_color color = pq;
    color.has_light = true;
    const uint16_t peaks[] = {400, 1000, 4000};
    for (uint32_t k = 0; k < 3; k++) {
        color.light_max = peaks[k];
        for (size_t i = 0; i < sizeof ramp / sizeof ramp[0]; i++) {
            const uint32_t in[3] = {ramp[i].code, 512, 512};
            const uint8_t wants[] = {ramp[i].at_400, ramp[i].at_1000, ramp[i].at_4000};
            uint8_t out[3];
            map_one(color, in, out);
            assert_in_range(out[0] + 1 - wants[k], 0, 2);
            assert_in_range(out[1], 127, 129);
            assert_in_range(out[2], 127, 129);
        }
    }
}

/* Light rises with the code; nothing is ever darker than what was darker. */
static void test_convert_ramp_rises(void **state)
{
    (void)state;
    for (uint32_t transfer = 16; transfer <= 18; transfer += 2) {
        struct board board;
        board_open(&board, CAD_PIXEL_I420_10, 878, 2);
        board.frame.color = (struct cad_color){
            .primaries = 9, .transfer = (uint8_t)transfer, .matrix = 9};
        for (uint32_t i = 0; i < 878; i++) put(&board, 0, i, 63 + i);
        for (uint32_t i = 0; i < 439; i++) {
            put(&board, 1, i, 512);
            put(&board, 2, i, 512);
        }
        assert_true(run(&board) > 0);
        assert_int_equal(board.out[0][0], 16);
        assert_int_equal(board.out[0][877], 235);
        for (uint32_t i = 1; i < 878; i++) {
            assert_true(board.out[0][i] >= board.out[0][i - 1]);
            assert_true(board.out[0][i] - board.out[0][i - 1] <= 2); /* no step to be seen */
        }
        board_close(&board);
    }
}

/* Where the brightest is known from: light level, then the screen, then 1000. */
static void test_convert_peak_comes_from_the_title(void **state)
{
    (void)state;
    const uint32_t in[3] = {723, 512, 512}; /* 1000 cd/m2 */
    struct cad_color color = pq;
    uint8_t out[3];
    map_one(color, in, out);
    assert_int_equal(out[0], 235);
    color.has_mastering = true;
    color.luminance_max = 40000000;
    map_one(color, in, out);
    uint8_t by_screen = out[0];
    assert_true(by_screen < 234);
    color.has_light = true;
    map_one(color, in, out);
    assert_int_equal(out[0], by_screen); /* a light level of 0 is unknown */
    color.light_max = 1000;
    map_one(color, in, out);
    assert_int_equal(out[0], 235);
}

/* HLG: reference white is 75 % and 203 cd/m2 on a screen of 1000. */
static void test_convert_hlg_reference_white(void **state)
{
    (void)state;
    const struct cad_color hlg = {.primaries = 9, .transfer = 18, .matrix = 9};
    const uint32_t in[3] = {721, 512, 512};
    uint8_t white[3], same[3];
    map_one(hlg, in, white);
    const uint32_t of_pq[3] = {573, 512, 512}; /* 203 cd/m2 */
    map_one(pq, of_pq, same);
    assert_in_range(white[0] + 1 - same[0], 0, 2);
    assert_in_range(white[1], 127, 129);
}

/* ---- colours: the formulas a second time, from light to code --------------------------------- */

static double pq_code(double nits)
{
    double y = pow(nits / 10000, 0.1593017578125);
    return pow((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y), 78.84375);
}

static void check_colour(double r, double g, double b, double slack)
{
    double s[3] = {pq_code(r), pq_code(g), pq_code(b)};
    double y = 0.2627 * s[0] + 0.678 * s[1] + 0.0593 * s[2];
    const uint32_t in[3] = {(uint32_t)(64 + 876 * y + 0.5),
                            (uint32_t)(512 + 896 * (s[2] - y) / 1.8814 + 0.5),
                            (uint32_t)(512 + 896 * (s[0] - y) / 1.4746 + 0.5)};
    /* BT.2390-like order: the maximum is mapped, then the gamut. */
    double most = fmax(r, fmax(g, b)) / 203, t = 2 * most - 1, top = 2 * 1000.0 / 203 - 1;
    double mapped = most <= 0.5 ? most : 0.5 + 0.5 * (t + t * t / (top * top)) / (1 + t);
    double k = most > 0 ? fmin(mapped, 1) / most / 203 : 0;
    double l[3] = {r * k, g * k, b * k};
    double e[3] = {1.6605 * l[0] - 0.5876 * l[1] - 0.0728 * l[2],
                   -0.1246 * l[0] + 1.1329 * l[1] - 0.0083 * l[2],
                   -0.0182 * l[0] - 0.1006 * l[1] + 1.1187 * l[2]};
    for (int i = 0; i < 3; i++) e[i] = pow(fmin(fmax(e[i], 0), 1), 1 / 2.4);
    y = 0.2126 * e[0] + 0.7152 * e[1] + 0.0722 * e[2];
    double want[3] = {16 + 219 * y, 128 + 224 * (e[2] - y) / 1.8556,
                      128 + 224 * (e[0] - y) / 1.5748};
    uint8_t out[3];
    map_one(pq, in, out);
    for (int i = 0; i < 3; i++) {
        if (fabs(out[i] - want[i]) > slack) {
            print_message("%g %g %g: plane %d is %d, want %g\n", r, g, b, i, out[i], want[i]);
        }
        assert_true(fabs(out[i] - want[i]) <= slack);
    }
}

static void test_convert_colours_equal_the_formulas(void **state)
{
    (void)state;
    /* Inside of both gamuts. */
    check_colour(100, 100, 100, 1);
    check_colour(90, 60, 40, 2);   /* skin */
    check_colour(40, 60, 90, 2);
    check_colour(20, 40, 15, 2);
    check_colour(300, 280, 200, 2);
    check_colour(5, 4, 3, 2);
    check_colour(800, 700, 400, 3); /* where the curve is flat and white is near */
    /* At its border, where clipping bends what the table takes for straight. */
    check_colour(200, 20, 10, 8);
    check_colour(10, 200, 20, 8);
    check_colour(20, 10, 200, 8);
    for (int i = 0; i < 200; i++) {
        double grey = 2 + draw(700);
        check_colour(grey * (0.8 + draw(40) / 100.0), grey, grey * (0.8 + draw(40) / 100.0), 6);
    }
}

/* Wide colours of ordinary light: grey is what it was, and so is white. */
static void test_convert_wide_gamut_keeps_grey(void **state)
{
    (void)state;
    const struct cad_color wide = {.primaries = 9, .transfer = 14, .matrix = 9};
    for (uint32_t code = 64; code <= 940; code += 12) {
        const uint32_t in[3] = {code, 512, 512};
        uint8_t out[3];
        map_one(wide, in, out);
        assert_true(fabs(out[0] - code / 4.0) <= 1);
        assert_in_range(out[1], 127, 129);
        assert_in_range(out[2], 127, 129);
    }
}

/* ---- mistakes ------------------------------------------------------------------------------- */

static void test_convert_refuses_mistakes(void **state)
{
    (void)state;
    struct board board;
    struct cad_converter *none = NULL;
    assert_int_equal(cad_converter_create(NULL, &none), CAD_E_INVAL);
    cad_converter_destroy(&none);
    cad_converter_destroy(NULL);
    board_open(&board, CAD_PIXEL_I420, 4, 4);
    assert_int_equal(cad_converter_run(NULL, &board.frame, board.out, board.stride), CAD_E_INVAL);
    assert_int_equal(cad_converter_run(board.converter, NULL, board.out, board.stride),
                     CAD_E_INVAL);
    board.stride[1] = 1;
    assert_int_equal(run(&board), CAD_E_INVAL);
    board.stride[1] = 2;
    board.frame.plane[2] = NULL;
    assert_int_equal(run(&board), CAD_E_INVAL);
    board.frame.plane[2] = board.in[2];
    assert_int_equal(run(&board), 0);
    board.frame.format = CAD_PIXEL_NONE;
    assert_int_equal(run(&board), CAD_E_INVAL);
    board_close(&board);
}

/* Whatever fails, nothing leaks, and the next picture may succeed. */
static void test_convert_without_memory(void **state)
{
    (void)state;
    struct board board;
    board_open(&board, CAD_PIXEL_I420_10, 16, 16);
    board.frame.color = pq;
    for (uint64_t at = 1; at < 100; at++) {
        struct cad_failing failing;
        cad_failing_init(&failing, at);
        struct cad_alloc alloc = cad_failing_alloc(&failing);
        struct cad_converter *converter = NULL;
        int rc = cad_converter_create(&alloc, &converter);
        if (rc == 0) {
            rc = cad_converter_run(converter, &board.frame, board.out, board.stride);
            if (rc == CAD_E_NOMEM) {
                assert_true(cad_converter_run(converter, &board.frame, board.out,
                                              board.stride) > 0);
            }
        }
        cad_converter_destroy(&converter);
        assert_int_equal(failing.live_blocks, 0);
        assert_int_equal(failing.mismatches, 0);
        if (!failing.failed) {
            assert_true(rc > 0 && at > 3);
            board_close(&board);
            return;
        }
        assert_int_equal(rc, CAD_E_NOMEM);
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convert_depth_equals_swscale),
        cmocka_unit_test(test_convert_full_range_meets_both_ends),
        cmocka_unit_test(test_convert_every_format_and_odd_sizes),
        cmocka_unit_test(test_convert_names_the_steps),
        cmocka_unit_test(test_convert_pq_ramp_gives_the_documented_values),
        cmocka_unit_test(test_convert_ramp_rises),
        cmocka_unit_test(test_convert_peak_comes_from_the_title),
        cmocka_unit_test(test_convert_hlg_reference_white),
        cmocka_unit_test(test_convert_colours_equal_the_formulas),
        cmocka_unit_test(test_convert_wide_gamut_keeps_grey),
        cmocka_unit_test(test_convert_refuses_mistakes),
        cmocka_unit_test(test_convert_without_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
