/* Goal: lines may break where the part of UAX #14 that layout knows says so, and nowhere else. */
#include "layout_support.h"

#include "base/utf8.h"
#include "timedtext/layout.h"

#define MOST 64

/* marked: text with "|" where a line may break. */
static void breaks_are(const char *marked, bool wrap)
{
    struct layout_char chars[MOST] = {{0}};
    struct cad_text_look look = {.wrap = wrap};
    struct layout_span span = {.look = &look};
    struct layout_text text = {.chars = chars};
    bool expected[MOST] = {false};
    cad_str rest = cad_str_from(marked);
    while (rest.n > 0) {
        uint32_t code = 0;
        int n = cad_utf8_decode(rest, &code);
        assert_true(n > 0);
        rest = cad_str_sub(rest, (size_t)n, rest.n);
        if (code == '|') {
            expected[text.count] = true;
            continue;
        }
        chars[text.count].span = &span;
        chars[text.count++].code = code;
        assert_true(text.count < MOST);
    }
    layout_breaks(&text);
    for (uint32_t i = 0; i < text.count; i++) {
        if (((chars[i].flags & LAYOUT_BREAK_BEFORE) != 0) == expected[i]) continue;
        fail_msg("%s: before character %u", marked, i);
    }
}

static void test_break_latin(void **state)
{
    (void)state;
    breaks_are("one |two  |three", true);
    breaks_are("well-|known", true);
    breaks_are("-Hello |-there", true); /* a dialogue's dash is no hyphen ... */
    breaks_are("3-4 |(a |b) |[c]", true);
    breaks_are("hello, |world! |No?", true);
    breaks_are("a\xc2\xa0" "b\xe2\x81\xa0" "c", true);
    breaks_are("a\xe2\x80\x94|b", true);
    breaks_are("a\xe2\x80\x8b|b", true);
    breaks_are("e\xcc\x81" "a |b", true);
    breaks_are("one two", false);
}

static void test_break_east_asia(void **state)
{
    (void)state;
    breaks_are("\xe6\x97\xa5|\xe6\x9c\xac|\xe8\xaa\x9e", true);
    breaks_are("\xe6\x97\xa5|a |b|\xe6\x97\xa5", true);
    /* A full stop does not begin a line, a bracket does not end it. */
    breaks_are("\xe6\x97\xa5\xe3\x80\x82|\xe3\x80\x8c\xe3\x81\x82\xe3\x80\x8d|\xe6\x97\xa5", true);
    breaks_are("\xe3\x81\x82\xe3\x81\x81\xe3\x83\xbc|\xe3\x81\x82", true);
    breaks_are("\xe3\x80\x82|a", true);
    breaks_are("\xea\xb0\x80|\xea\xb0\x80 |\xea\xb0\x80", true);
    breaks_are("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9|\xf0\x9f\x91\xa9", true);
}

static void test_break_classes(void **state)
{
    (void)state;
    assert_true(layout_is_space(' ') && layout_is_space(0x3000) && !layout_is_space(0xa0));
    assert_true(layout_is_attached(0x301) && layout_is_attached(0x202b));
    assert_false(layout_is_attached('a') || layout_is_attached(0x0e01));
    assert_true(layout_is_unspaced(0x0e01) && layout_is_unspaced(0x1780));
    assert_false(layout_is_unspaced(0x0e31));
    assert_true(layout_is_upright(0x4e00) && layout_is_upright(0x3001));
    assert_true(layout_is_upright(0x20000) && !layout_is_upright(0x10ffff));
    assert_false(layout_is_upright('a') || layout_is_upright(0xff71));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_break_latin),
        cmocka_unit_test(test_break_east_asia),
        cmocka_unit_test(test_break_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
