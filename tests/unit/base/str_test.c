/* Goal: views compare, cut, split and read numbers exactly, at the edges of their ranges too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

#define S CAD_STR

static void test_str_from_null_is_empty(void **state)
{
    (void)state;
    assert_int_equal(cad_str_from(NULL).n, 0);
    assert_int_equal(cad_str_from("abc").n, 3);
    assert_true(cad_str_eq(cad_str_from(NULL), S("")));
}

static void test_str_compares_as_unsigned_bytes(void **state)
{
    (void)state;
    assert_true(cad_str_eq(S("ab"), S("ab")));
    assert_false(cad_str_eq(S("ab"), S("abc")));
    assert_true(cad_str_eqz(S("ab"), "ab"));
    assert_true(cad_str_cmp(S("a"), S("\xff")) < 0);
    assert_true(cad_str_cmp(S("ab"), S("a")) > 0);
    assert_true(cad_str_cmp(S("a"), S("ab")) < 0);
    assert_int_equal(cad_str_cmp(S(""), cad_str_from(NULL)), 0);
    assert_true(cad_str_ieq(S("CoNtent-1"), S("cOnTENT-1")));
    assert_false(cad_str_ieq(S("[a"), S("{a")));
    assert_false(cad_str_ieq(S("a"), S("ab")));
}

static void test_str_cuts_and_clamps(void **state)
{
    (void)state;
    assert_true(cad_str_starts(S("abc"), S("ab")));
    assert_true(cad_str_starts(S("abc"), S("")));
    assert_false(cad_str_starts(S("ab"), S("abc")));
    assert_true(cad_str_ends(S("abc"), S("bc")));
    assert_false(cad_str_ends(S("abc"), S("ab")));
    assert_true(cad_str_eq(cad_str_sub(S("hello"), 1, 3), S("ell")));
    assert_true(cad_str_eq(cad_str_sub(S("hello"), 3, SIZE_MAX), S("lo")));
    assert_int_equal(cad_str_sub(S("hello"), 9, 1).n, 0);
    assert_int_equal(cad_str_sub(cad_str_from(NULL), 1, 1).n, 0);
    assert_true(cad_str_eq(cad_str_trim(S(" \t\r\n\v\fx y\n ")), S("x y")));
    assert_int_equal(cad_str_trim(S(" \n ")).n, 0);
}

static void test_str_finds(void **state)
{
    (void)state;
    assert_int_equal(cad_str_find_char(S("abcb"), 'b'), 1);
    assert_int_equal(cad_str_rfind_char(S("abcb"), 'b'), 3);
    assert_int_equal(cad_str_find_char(S("abc"), 'x'), -1);
    assert_int_equal(cad_str_rfind_char(S(""), 'x'), -1);
    assert_int_equal(cad_str_find_char(cad_str_from(NULL), 'x'), -1);
    assert_int_equal(cad_str_find(S("aababc"), S("abc")), 3);
    assert_int_equal(cad_str_find(S("aabab"), S("abc")), -1);
    assert_int_equal(cad_str_find(S("abc"), S("")), 0);
    assert_int_equal(cad_str_find(S(""), S("a")), -1);
    assert_int_equal(cad_str_find(S("abc"), S("c")), 2);
}

static void test_str_splits_into_every_field(void **state)
{
    (void)state;
    cad_str rest = S("a,,b,");
    cad_str field;
    const char *const want[] = {"a", "", "b", ""};
    for (size_t i = 0; i < 4; i++) {
        assert_true(cad_str_split(&rest, ',', &field));
        assert_true(cad_str_eqz(field, want[i]));
    }
    assert_false(cad_str_split(&rest, ',', &field));
    rest = S("");
    assert_true(cad_str_split(&rest, ',', &field));
    assert_int_equal(field.n, 0);
    assert_false(cad_str_split(&rest, ',', &field));
}

static void test_str_reads_i64_and_u64_to_their_limits(void **state)
{
    (void)state;
    int64_t i = 77;
    uint64_t u = 77;
    assert_int_equal(cad_str_to_i64(S("9223372036854775807"), &i), 0);
    assert_true(i == INT64_MAX);
    assert_int_equal(cad_str_to_i64(S("-9223372036854775808"), &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(cad_str_to_i64(S("-0"), &i), 0);
    assert_true(i == 0);
    assert_int_equal(cad_str_to_i64(S("000000000000000000000000042"), &i), 0);
    assert_true(i == 42);
    assert_int_equal(cad_str_to_i64(S("9223372036854775808"), &i), CAD_E_LIMIT);
    assert_int_equal(cad_str_to_i64(S("-9223372036854775809"), &i), CAD_E_LIMIT);
    assert_true(i == 42);
    assert_int_equal(cad_str_to_u64(S("18446744073709551615"), &u), 0);
    assert_true(u == UINT64_MAX);
    assert_int_equal(cad_str_to_u64(S("18446744073709551616"), &u), CAD_E_LIMIT);
    assert_int_equal(cad_str_to_u64(S("99999999999999999999999999"), &u), CAD_E_LIMIT);
    assert_true(u == UINT64_MAX);
}

static void test_str_refuses_what_is_no_number(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "-",  "+1", " 1",   "1 ",  "1.0",
                                      "0x1", "--1", "1e3", "12a", "1-", "99999999999999999999x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t v = 5;
        assert_int_equal(cad_str_to_i64(cad_str_from(bad[i]), &v), CAD_E_DATA);
        assert_true(v == 5);
    }
    uint64_t u;
    assert_int_equal(cad_str_to_u64(S("-1"), &u), CAD_E_DATA);
}

static void test_str_copyz_cuts_at_characters(void **state)
{
    (void)state;
    char dst[8];
    assert_int_equal(cad_str_copyz(dst, sizeof(dst), S("abc")), 3);
    assert_string_equal(dst, "abc");
    /* "aé€" is 1 + 2 + 3 bytes: every capacity keeps whole characters only. */
    static const size_t kept[] = {0, 0, 1, 1, 3, 3, 3, 6};
    for (size_t cap = 1; cap < 8; cap++) {
        memset(dst, 'x', sizeof(dst));
        assert_int_equal(cad_str_copyz(dst, cap, S("a\xc3\xa9\xe2\x82\xac")), kept[cap]);
        assert_int_equal(strlen(dst), kept[cap]);
    }
    dst[0] = 'q';
    assert_int_equal(cad_str_copyz(dst, 0, S("abc")), 0);
    assert_int_equal(dst[0], 'q');
}

static void test_str_hash_depends_on_all_of_its_input(void **state)
{
    (void)state;
    uint8_t data[40] = {0};
    uint64_t base = cad_hash64(data, sizeof(data), 1);
    assert_true(base == cad_hash64(data, sizeof(data), 1));
    assert_true(base != cad_hash64(data, sizeof(data), 2));
    for (size_t n = 0; n < sizeof(data); n++) assert_true(cad_hash64(data, n, 1) != base);
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = 1;
        assert_true(cad_hash64(data, sizeof(data), 1) != base);
        data[i] = 0;
    }
    assert_true(cad_hash_u64(1) != cad_hash_u64(2));
}

static void test_str_hash_stays_what_it_is(void **state)
{
    (void)state;
    /* The order of tables is part of determinism: the value must be the same on every platform. */
    assert_true(cad_hash_u64(0) == 0);
    assert_true(cad_hash64("abcdefghij", 10, 7) == UINT64_C(0x845892a8dbc4b8a1));
}

static void test_str_classes_are_ascii_only(void **state)
{
    (void)state;
    int digits = 0;
    int letters = 0;
    int spaces = 0;
    int hex = 0;
    for (int c = 0; c < 256; c++) {
        digits += cad_is_digit((char)c);
        letters += cad_is_alpha((char)c);
        spaces += cad_is_space((char)c);
        hex += cad_hex_value((char)c) >= 0;
    }
    assert_int_equal(digits, 10);
    assert_int_equal(letters, 52);
    assert_int_equal(spaces, 6);
    assert_int_equal(hex, 22);
    assert_int_equal(cad_hex_value('F'), 15);
    assert_int_equal(cad_hex_value('a'), 10);
    assert_int_equal(cad_to_lower('Z'), 'z');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str_from_null_is_empty),
        cmocka_unit_test(test_str_compares_as_unsigned_bytes),
        cmocka_unit_test(test_str_cuts_and_clamps),
        cmocka_unit_test(test_str_finds),
        cmocka_unit_test(test_str_splits_into_every_field),
        cmocka_unit_test(test_str_reads_i64_and_u64_to_their_limits),
        cmocka_unit_test(test_str_refuses_what_is_no_number),
        cmocka_unit_test(test_str_copyz_cuts_at_characters),
        cmocka_unit_test(test_str_hash_depends_on_all_of_its_input),
        cmocka_unit_test(test_str_hash_stays_what_it_is),
        cmocka_unit_test(test_str_classes_are_ascii_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
