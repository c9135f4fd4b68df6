/* Goal: exactly the scalar values pass, in their shortest form, and cuts keep characters whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/utf8.h"

static void test_utf8_every_scalar_value_round_trips(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x110010; cp++) {
        char text[4];
        uint32_t back = 0;
        bool scalar = cp <= 0x10FFFF && (cp < 0xD800 || cp > 0xDFFF);
        size_t n = cad_utf8_encode(cp, text);
        if (!scalar) {
            assert_int_equal(n, 0);
            continue;
        }
        if (cad_utf8_decode((cad_str){text, n}, &back) != (int)n || back != cp) {
            fail_msg("U+%X does not come back", cp);
        }
        for (size_t cut = 1; cut < n; cut++) {
            assert_int_equal(cad_utf8_decode((cad_str){text, cut}, &back), CAD_E_AGAIN);
        }
    }
}

/* The definition, written the long way: decode by arithmetic, then check the shortest form. */
static bool is_valid_by_definition(const uint8_t *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    while (n > 0) {
        size_t length = p[0] < 0x80       ? 1
                        : p[0] >> 5 == 6  ? 2
                        : p[0] >> 4 == 14 ? 3
                        : p[0] >> 3 == 30 ? 4
                                          : 0;
        if (length == 0 || length > n) return false;
        uint32_t v = length == 1 ? p[0] : p[0] & (0xFFu >> (length + 1));
        for (size_t i = 1; i < length; i++) {
            if (p[i] >> 6 != 2) return false;
            v = v << 6 | (p[i] & 0x3Fu);
        }
        if (v < least[length] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF)) return false;
        p += length;
        n -= length;
    }
    return true;
}

static void test_utf8_validity_agrees_with_the_definition(void **state)
{
    (void)state;
    /* All pairs of bytes, followed by each of a few tails that complete or break longer forms. */
    static const char *const tails[] = {"", "\x80", "\xBF\xBF", "\x80\x41"};
    for (int a = 0; a < 256; a++) {
        for (int b = 0; b < 256; b++) {
            for (size_t t = 0; t < 4; t++) {
                char text[8] = {(char)a, (char)b};
                size_t n = 2 + cad_str_copyz(text + 2, 6, cad_str_from(tails[t]));
                bool want = is_valid_by_definition((const uint8_t *)text, n);
                if (cad_utf8_valid((cad_str){text, n}) != want) {
                    fail_msg("%02x %02x tail %zu", (unsigned)a, (unsigned)b, t);
                }
            }
        }
    }
}

static void test_utf8_empty(void **state)
{
    (void)state;
    uint32_t cp;
    assert_true(cad_utf8_valid(CAD_STR("")));
    assert_true(cad_utf8_valid(cad_str_from(NULL)));
    assert_int_equal(cad_utf8_decode(CAD_STR(""), &cp), CAD_E_AGAIN);
    assert_int_equal(cad_utf8_decode(CAD_STR("\x80"), &cp), CAD_E_DATA);
}

static void test_utf8_cut_keeps_characters_whole(void **state)
{
    (void)state;
    cad_str s = CAD_STR("a\xF0\x9F\x98\x80z");
    static const size_t want[] = {0, 1, 1, 1, 1, 5, 6, 6};
    for (size_t max = 0; max < 8; max++) assert_int_equal(cad_utf8_cut(s, max), want[max]);
    assert_int_equal(cad_utf8_cut(CAD_STR("\x80\x80\x80\x80\x80\x80\x80"), 6), 6);
    assert_int_equal(cad_utf8_cut(CAD_STR("\x80\x80\x80"), 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_every_scalar_value_round_trips),
        cmocka_unit_test(test_utf8_validity_agrees_with_the_definition),
        cmocka_unit_test(test_utf8_empty),
        cmocka_unit_test(test_utf8_cut_keeps_characters_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
