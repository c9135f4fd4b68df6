/* Words for people: languages, sizes, rates, times, tracks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/util.h"
#include "labels.h"

static char out[LABEL_SIZE];

static void test_labels_name_languages(void **state)
{
    (void)state;
    static const struct { const char *tag, *name; } names[] = {
        {"en", "English"}, {"eng", "English"}, {"ger", "German"}, {"deu", "German"},
        {"pt-BR", "Portuguese (BR)"}, {"EL", "Greek"}, {"zh-Hant", "Chinese (Hant)"},
        {"und", "Unknown"}, {"", "Unknown"}, {"tlh", "tlh"}, {"x\x1b[2J", "x?[2J"}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        label_language(names[i].tag, out, sizeof(out));
        assert_string_equal(out, names[i].name);
    }
}

static void test_labels_compare_languages(void **state)
{
    (void)state;
    assert_true(label_language_fits("de", "de"));
    assert_true(label_language_fits("de", "ger"));
    assert_true(label_language_fits("deu", "de-AT"));
    assert_true(label_language_fits("pt-BR", "PT-br"));
    assert_false(label_language_fits("pt-BR", "pt-PT"));
    assert_false(label_language_fits("pt-BR", "pt"));
    assert_false(label_language_fits("de", "en"));
    assert_true(label_language_fits("tlh", "tlh-x"));
    assert_false(label_language_fits("tlh", "qya"));
}

static void test_labels_write_figures(void **state)
{
    (void)state;
    label_size(1920, 1080, out, sizeof(out));
    assert_string_equal(out, "1080p");
    label_size(1920, 800, out, sizeof(out)); /* wider than 16:9 */
    assert_string_equal(out, "1080p");
    label_size(854, 480, out, sizeof(out));
    assert_string_equal(out, "480p");
    label_size(160, 90, out, sizeof(out));
    assert_string_equal(out, "90p");
    label_size(333, 222, out, sizeof(out));
    assert_string_equal(out, "333 \xc3\x97 222");
    label_size(0, 0, out, sizeof(out));
    assert_string_equal(out, "");
    label_rate(850000, out, sizeof(out));
    assert_string_equal(out, "850 kbit/s");
    label_rate(5849000, out, sizeof(out));
    assert_string_equal(out, "5.8 Mbit/s");
    label_rate(3016000000, out, sizeof(out));
    assert_string_equal(out, "3016 Mbit/s");
    label_rate(0, out, sizeof(out));
    assert_string_equal(out, "");
    label_time(3723 * CAD_SECOND, out, sizeof(out));
    assert_string_equal(out, "1:02:03");
    label_time(61 * CAD_SECOND + 1, out, sizeof(out));
    assert_string_equal(out, "1:01");
    label_time(CAD_TIME_NONE, out, sizeof(out));
    assert_string_equal(out, "-:--");
    static const struct { uint32_t q16; const char *text; } speeds[] = {
        {65536, "1\xc3\x97"}, {81920, "1.25\xc3\x97"}, {98304, "1.5\xc3\x97"},
        {49152, "0.75\xc3\x97"}, {131072, "2\xc3\x97"}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(speeds); i++) {
        label_speed(speeds[i].q16, out, sizeof(out));
        assert_string_equal(out, speeds[i].text);
    }
}

static void test_labels_describe_tracks(void **state)
{
    (void)state;
    struct cad_track_info track = {.type = CAD_MEDIA_AUDIO, .codec = CAD_CODEC_EAC3, .channels = 6,
                                   .lang = "fr", .role = "main"};
    label_track(&track, out, sizeof(out));
    assert_string_equal(out, "French");
    label_track_note(&track, out, sizeof(out));
    assert_string_equal(out, "5.1 \xc2\xb7 Dolby Digital Plus");
    memcpy(track.role, "commentary", 11);
    memcpy(track.label, "Le r\xc3\xa9" "al\n", 9);
    label_track(&track, out, sizeof(out));
    assert_string_equal(out, "Le r\xc3\xa9" "al?");
    label_track_note(&track, out, sizeof(out));
    assert_string_equal(out, "5.1 \xc2\xb7 Dolby Digital Plus \xc2\xb7 commentary");
    track.channels = 0;
    track.codec = CAD_CODEC_UNKNOWN;
    label_track_note(&track, out, sizeof(out));
    assert_string_equal(out, "commentary");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_name_languages),
        cmocka_unit_test(test_labels_compare_languages),
        cmocka_unit_test(test_labels_write_figures),
        cmocka_unit_test(test_labels_describe_tracks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
