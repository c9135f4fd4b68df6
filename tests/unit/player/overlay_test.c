/* The figures are all there, and messages are broken between words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "overlay.h"

static void test_overlay_tells_the_figures(void **state)
{
    (void)state;
    struct cad_engine_stats stats = {
        .state = CAD_STATE_PLAYING, .position = 61 * CAD_SECOND, .duration = 3723 * CAD_SECOND,
        .estimate_bps = 8300000, .frames = 1000, .dropped = 7, .stalls = 2};
    stats.slot[0] = (struct cad_slot_stats){.present = true, .rung = 2, .rung_count = 4,
        .rate_bps = 1200000, .width = 1280, .height = 720, .ahead = 23400 * CAD_MS};
    memcpy(stats.slot[0].server, "cdn1", 5);
    char text[OVERLAY_TEXT_SIZE];
    overlay_figures(&stats, false, text, sizeof(text));
    static const char *const parts[] = {"playing", "1:01 / 1:02:03", "1200 kbit/s", "1280x720",
        "rung 3 of 4", "video 23.4 s", "8300 kbit/s", "cdn1", "7 of 1000", "stalls      2"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        assert_non_null(strstr(text, parts[i]));
    }
    /* A server's name keeps to its line. */
    memcpy(stats.slot[0].server, "c\n\xc2\x9b" "d", 6);
    overlay_figures(&stats, false, text, sizeof(text));
    assert_non_null(strstr(text, "server      c??d\n"));
    /* Sound alone has no size. */
    stats.slot[CAD_SLOT_AUDIO] = stats.slot[0];
    stats.slot[0].present = false;
    overlay_figures(&stats, false, text, sizeof(text));
    assert_non_null(strstr(text, "sound       1200 kbit/s  rung 3 of 4\n"));
    stats.position = stats.duration = CAD_TIME_NONE;
    overlay_figures(&stats, false, text, sizeof(text));
    assert_non_null(strstr(text, "-:-- / -:--"));
}

static void test_overlay_wraps_between_words(void **state)
{
    (void)state;
    char out[64];
    overlay_wrap("one two three", 7, out, sizeof(out));
    assert_string_equal(out, "one two\nthree");
    overlay_wrap("one\n\ntwo three four", 9, out, sizeof(out));
    assert_string_equal(out, "one\n\ntwo three\nfour");
    overlay_wrap("averylongword x", 4, out, sizeof(out));
    assert_string_equal(out, "averylongword\nx");
    overlay_wrap("cut off here", 40, out, 8);
    assert_string_equal(out, "cut off");
    overlay_wrap("", 40, out, sizeof(out));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlay_tells_the_figures),
        cmocka_unit_test(test_overlay_wraps_between_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
