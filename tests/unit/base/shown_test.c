/* Nothing that a terminal obeys, or that turns what is read, passes; all the rest does, whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/utf8.h"
#include "base/util.h"

static void test_shown_knows_the_controls(void **state)
{
    (void)state;
    static const struct { uint32_t first, last; } ranges[] = {
        {0x00, 0x1f}, {0x7f, 0x9f}, {0x61c, 0x61c}, {0x200e, 0x200f}, {0x2028, 0x202e},
        {0x2066, 0x2069}};
    uint32_t hidden = 0;
    for (uint32_t cp = 0; cp < 0x3000; cp++) {
        if (!cad_shown(cp)) hidden++;
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(ranges); i++) {
        for (uint32_t cp = ranges[i].first; cp <= ranges[i].last; cp++) {
            assert_false(cad_shown(cp));
            hidden--;
        }
    }
    assert_int_equal(hidden, 0);
    assert_true(cad_shown(0x10FFFF));
}

static void check_copy(const char *text, size_t cap, const char *expected)
{
    char out[64];
    memset(out, 'x', sizeof(out));
    assert_int_equal(cad_shown_copyz(out, cap, cad_str_from(text)), strlen(expected));
    assert_string_equal(out, expected);
    assert_int_equal(out[cap], 'x');
}

static void test_shown_copy_replaces(void **state)
{
    (void)state;
    check_copy("", 8, "");
    check_copy("plain", 8, "plain");
    check_copy("\x1b[2J\x07", 16, "?[2J?");
    check_copy("a\xc2\x9b" "31mb", 16, "a?31mb");
    check_copy("\xe2\x80\xae" "gpj.exe", 16, "?gpj.exe");
    check_copy("\xe2\x81\xa6x\xe2\x81\xa9", 16, "?x?");
    check_copy("\xff\xc3", 16, "??");
    check_copy("\xc3\xa9t\xc3\xa9 \xf0\x9f\x8e\xac", 16, "\xc3\xa9t\xc3\xa9 \xf0\x9f\x8e\xac");
}

static void test_shown_copy_is_cut_between_characters(void **state)
{
    (void)state;
    check_copy("plain", 3, "pl");
    check_copy("\xc3\xa9\xc3\xa9", 4, "\xc3\xa9");
    check_copy("ab\x01", 3, "ab");
    check_copy("ab\x01", 4, "ab?");
    check_copy("abc", 1, "");
    char none = 'x';
    assert_int_equal(cad_shown_copyz(&none, 0, CAD_STR("a")), 0);
    assert_int_equal(none, 'x');
}

static void test_shown_run_says_what_is_next(void **state)
{
    (void)state;
    size_t bad = 9;
    assert_int_equal(cad_shown_run(CAD_STR("ab\xc2\x85" "c"), &bad), 2);
    assert_int_equal(bad, 2);
    assert_int_equal(cad_shown_run(CAD_STR("ab\xe2\x80"), &bad), 2);
    assert_int_equal(bad, 1);
    assert_int_equal(cad_shown_run(CAD_STR("ab"), &bad), 2);
    assert_int_equal(bad, 0);
    assert_int_equal(cad_shown_run(CAD_STR(""), &bad), 0);
    assert_int_equal(bad, 0);
}

static void test_shown_json_means_the_same(void **state)
{
    (void)state;
    char text[128];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    cad_shown_json(&sb,
                   CAD_STR("{\n \"a\":\"\xc2\x9b\xe2\x80\xae\xc3\xa9\x7f\",\t\"b\":\"\xfe\"}"));
    assert_int_equal(cad_sb_error(&sb), 0);
    assert_string_equal(cad_sb_z(&sb),
                        "{\n \"a\":\"\\u009b\\u202e\xc3\xa9\\u007f\",\t\"b\":\"\\ufffd\"}");
    cad_sb_init_fixed(&sb, text, 8);
    cad_shown_json(&sb, CAD_STR("\"123\xc2\x9b\""));
    assert_int_equal(cad_sb_error(&sb), CAD_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shown_knows_the_controls),
        cmocka_unit_test(test_shown_copy_replaces),
        cmocka_unit_test(test_shown_copy_is_cut_between_characters),
        cmocka_unit_test(test_shown_run_says_what_is_next),
        cmocka_unit_test(test_shown_json_means_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
