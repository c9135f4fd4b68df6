/*
 * The md5 of a picture is that of its visible planes packed in order: computed a second time over a
 * packed copy, whatever the strides and the odd halves are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libavutil/md5.h>

#include "cadmium/decode.h"

static uint8_t planes[3][64 * 64];

static struct cad_frame picture(enum cad_pixel_format format, uint32_t width, uint32_t height)
{
    struct cad_frame frame = {.format = format, .width = width, .height = height};
    for (uint32_t p = 0; p < 3; p++) {
        for (size_t i = 0; i < sizeof(planes[p]); i++) planes[p][i] = (uint8_t)(i * 7 + p);
        frame.plane[p] = planes[p];
        frame.stride[p] = 64;
    }
    return frame;
}

/* The same by hand: plane sizes in bytes and rows are given by the test. */
static void packed(const uint32_t sizes[3][2], char out[33])
{
    uint8_t bytes[3 * 64 * 64];
    size_t n = 0;
    for (uint32_t p = 0; p < 3; p++) {
        for (uint32_t y = 0; y < sizes[p][1]; y++) {
            memcpy(bytes + n, planes[p] + (size_t)y * 64, sizes[p][0]);
            n += sizes[p][0];
        }
    }
    uint8_t sum[16];
    av_md5_sum(sum, bytes, n);
    for (int i = 0; i < 16; i++) snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

static void check(const struct cad_frame *frame, const uint32_t sizes[3][2])
{
    char expected[33], got[33];
    packed(sizes, expected);
    cad_frame_md5(frame, got);
    assert_string_equal(got, expected);
}

static void test_md5_packs_every_format(void **state)
{
    (void)state;
    struct cad_frame frame = picture(CAD_PIXEL_I420, 33, 21);
    check(&frame, (const uint32_t[3][2]){{33, 21}, {17, 11}, {17, 11}});
    frame = picture(CAD_PIXEL_I420_10, 20, 10);
    check(&frame, (const uint32_t[3][2]){{40, 10}, {20, 5}, {20, 5}});
    frame = picture(CAD_PIXEL_I422, 32, 9);
    check(&frame, (const uint32_t[3][2]){{32, 9}, {16, 9}, {16, 9}});
    frame = picture(CAD_PIXEL_I444, 31, 9);
    check(&frame, (const uint32_t[3][2]){{31, 9}, {31, 9}, {31, 9}});
    frame = picture(CAD_PIXEL_GRAY, 31, 9);
    check(&frame, (const uint32_t[3][2]){{31, 9}, {0, 0}, {0, 0}});
}

/* Sound: the floats as they lie there, or the bytes of an access unit. */
static void test_md5_of_sound(void **state)
{
    (void)state;
    static const float pcm[6] = {0, 0.5f, -0.5f, 1, -1, 0.25f};
    struct cad_frame frame = {
        .type = CAD_MEDIA_AUDIO, .channels = 3, .samples = 2, .pcm = pcm};
    char got[33], want[33];
    uint8_t sum[16];
    cad_frame_md5(&frame, got);
    av_md5_sum(sum, (const uint8_t *)(const void *)pcm, sizeof(pcm));
    for (int i = 0; i < 16; i++) snprintf(want + 2 * i, 3, "%02x", sum[i]);
    assert_string_equal(got, want);
    frame = (struct cad_frame){
        .type = CAD_MEDIA_AUDIO, .data = (const uint8_t *)"abc", .size = 3};
    cad_frame_md5(&frame, got);
    assert_string_equal(got, "900150983cd24fb0d6963f7d28e17f72"); /* RFC 1321 A.5 */
}

static void test_md5_of_nothing_is_known(void **state)
{
    (void)state;
    struct cad_frame frame = {0};
    char got[33];
    cad_frame_md5(&frame, got);
    assert_string_equal(got, "d41d8cd98f00b204e9800998ecf8427e"); /* RFC 1321 A.5 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_md5_packs_every_format),
        cmocka_unit_test(test_md5_of_sound),
        cmocka_unit_test(test_md5_of_nothing_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
