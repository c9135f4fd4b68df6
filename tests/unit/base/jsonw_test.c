/* Goal: what the writer writes is JSON, reads back as it was meant, and misuse is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/utf8.h"
#include "base/util.h"
#include "support/failing_alloc.h"

static char text[2048];
static struct cad_sb sb;
static struct cad_jsonw w;

static int setup(void **state)
{
    (void)state;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    cad_jsonw_init(&w, &sb);
    return 0;
}

static void test_jsonw_writes_a_document(void **state)
{
    (void)state;
    cad_jsonw_object(&w);
    cad_jsonw_key_string(&w, "name", CAD_STR("x"));
    cad_jsonw_key_i64(&w, "n", -5);
    cad_jsonw_key_bool(&w, "on", true);
    cad_jsonw_key_seconds(&w, "t", 1500 * CAD_MS);
    cad_jsonw_key(&w, CAD_STR("list"));
    cad_jsonw_array(&w);
    cad_jsonw_u64(&w, UINT64_MAX);
    cad_jsonw_null(&w);
    cad_jsonw_object(&w);
    cad_jsonw_end(&w);
    cad_jsonw_array(&w);
    cad_jsonw_end(&w);
    cad_jsonw_raw(&w, CAD_STR("{\"a\":1}"));
    cad_jsonw_bool(&w, false);
    cad_jsonw_end(&w);
    assert_false(cad_jsonw_complete(&w));
    cad_jsonw_end(&w);
    assert_true(cad_jsonw_complete(&w));
    assert_int_equal(cad_jsonw_error(&w), 0);
    assert_string_equal(text, "{\"name\":\"x\",\"n\":-5,\"on\":true,\"t\":1.5,"
                              "\"list\":[18446744073709551615,null,{},[],{\"a\":1},false]}");
}

static void test_jsonw_commas_belong_to_their_container(void **state)
{
    (void)state;
    cad_jsonw_array(&w);
    for (int i = 0; i < 2; i++) {
        cad_jsonw_array(&w);
        cad_jsonw_i64(&w, i);
        cad_jsonw_end(&w);
        cad_jsonw_object(&w);
        cad_jsonw_key_i64(&w, "k", i);
        cad_jsonw_end(&w);
    }
    cad_jsonw_end(&w);
    assert_string_equal(text, "[[0],{\"k\":0},[1],{\"k\":1}]");
}

static void test_jsonw_escapes_and_repairs(void **state)
{
    (void)state;
    cad_jsonw_string(&w, (cad_str){"\"\\/\b\f\n\r\t\0\x1f\x7f", 11});
    assert_string_equal(text, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\"");
    setup(state);
    cad_jsonw_string(&w, CAD_STR("a\xff\xc3\xa9\xc3" "b\xed\xa0\x80\xf0\x9f\x98"));
    assert_string_equal(text, "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd" "b\xef\xbf\xbd\xef\xbf\xbd"
                              "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

static const char *fixed(int64_t v, int digits, bool trim)
{
    setup(NULL);
    if (trim) cad_jsonw_fixed_trim(&w, v, digits);
    if (!trim) cad_jsonw_fixed(&w, v, digits);
    return text;
}

static void test_jsonw_fixed_point(void **state)
{
    (void)state;
    assert_string_equal(fixed(1500, 3, false), "1.500");
    assert_string_equal(fixed(1500, 3, true), "1.5");
    assert_string_equal(fixed(2000, 3, true), "2");
    assert_string_equal(fixed(-5, 3, false), "-0.005");
    assert_string_equal(fixed(0, 3, true), "0");
    assert_string_equal(fixed(0, 3, false), "0.000");
    assert_string_equal(fixed(100, 0, true), "100");
    assert_string_equal(fixed(INT64_MAX, 18, false), "9.223372036854775807");
    assert_string_equal(fixed(INT64_MIN, 18, false), "-9.223372036854775808");
    assert_string_equal(fixed(1, 18, true), "0.000000000000000001");
}

static void test_jsonw_seconds(void **state)
{
    (void)state;
    cad_jsonw_array(&w);
    cad_jsonw_seconds(&w, 0);
    cad_jsonw_seconds(&w, CAD_SECOND);
    cad_jsonw_seconds(&w, -1);
    cad_jsonw_seconds(&w, CAD_TIME_MAX);
    cad_jsonw_seconds(&w, CAD_TIME_NONE);
    cad_jsonw_end(&w);
    assert_string_equal(text, "[0,1,-0.000000001,9223372036.854775807,null]");
}

static void test_jsonw_fixed_comes_back_through_the_reader(void **state)
{
    (void)state;
    struct cad_rng r;
    cad_rng_init(&r, 51);
    for (int i = 0; i < 20000; i++) {
        int64_t v = (int64_t)(cad_rng_u64(&r) >> (1 + cad_rng_below(&r, 62)));
        int digits = (int)cad_rng_below(&r, 19);
        int64_t back = 0;
        struct cad_json j;
        if (cad_rng_chance(&r, 1, 2)) v = -v;
        cad_json_init(&j, cad_str_from(fixed(v, digits, cad_rng_chance(&r, 1, 2))), NULL);
        assert_int_equal(cad_json_next(&j), CAD_JSON_NUMBER);
        assert_int_equal(cad_json_fixed(&j, digits, &back), 0);
        assert_true(v == back);
    }
}

static void test_jsonw_strings_come_back_through_the_reader(void **state)
{
    (void)state;
    struct cad_rng r;
    cad_rng_init(&r, 52);
    for (int i = 0; i < 5000; i++) {
        char in[64];
        char back[64];
        size_t n = 0;
        while (n < 60) {
            uint32_t cp = (uint32_t)cad_rng_below(&r, cad_rng_chance(&r, 1, 2) ? 0x90 : 0x110000);
            n += cad_utf8_encode(cp, in + n);
            if (cad_rng_chance(&r, 1, 20)) break;
        }
        setup(NULL);
        cad_jsonw_string(&w, (cad_str){in, n});
        struct cad_json j;
        cad_str s;
        cad_json_init(&j, cad_sb_str(&sb), NULL);
        assert_int_equal(cad_json_next(&j), CAD_JSON_STRING);
        assert_int_equal(cad_json_string(&j, back, sizeof(back), &s), 0);
        assert_true(cad_str_eq(s, (cad_str){in, n}));
        assert_int_equal(cad_json_next(&j), CAD_JSON_END);
    }
}

/* One call a letter; 'e' ends a container. */
static void perform(const char *calls)
{
    for (const char *p = calls; *p; p++) {
        if (*p == '{') cad_jsonw_object(&w);
        if (*p == '[') cad_jsonw_array(&w);
        if (*p == 'k') cad_jsonw_key(&w, CAD_STR("k"));
        if (*p == '1') cad_jsonw_i64(&w, 1);
        if (*p == 's') cad_jsonw_string(&w, CAD_STR("s"));
        if (*p == 'e') cad_jsonw_end(&w);
    }
}

static void test_jsonw_misuse_is_an_error_that_stays(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"{", "1"},  {"{", "{"},  {"{k", "k"}, {"{k", "e"},
                                           {"[", "k"},  {"1", "1"},  {"[e", "["}, {"{k1", "s"},
                                           {"{e", "e"}, {"1", "k"},  {"", "k"},   {"", "e"}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        setup(NULL);
        perform(cases[i][0]);
        assert_int_equal(cad_jsonw_error(&w), 0);
        size_t before = sb.n;
        perform(cases[i][1]);
        assert_int_equal(cad_jsonw_error(&w), CAD_E_INVAL);
        perform("e1k1{[ss");
        assert_int_equal(cad_jsonw_error(&w), CAD_E_INVAL);
        assert_int_equal(sb.n, before); /* nothing was written by it or after it */
        assert_false(cad_jsonw_complete(&w));
    }
}

static void test_jsonw_depth_limit(void **state)
{
    (void)state;
    for (int i = 0; i < CAD_JSONW_DEPTH_MAX; i++) cad_jsonw_array(&w);
    assert_int_equal(cad_jsonw_error(&w), 0);
    cad_jsonw_array(&w);
    assert_int_equal(cad_jsonw_error(&w), CAD_E_LIMIT);
    assert_int_equal(sb.n, CAD_JSONW_DEPTH_MAX);
    assert_false(cad_jsonw_complete(&w));
}

static void test_jsonw_passes_on_the_error_of_its_builder(void **state)
{
    (void)state;
    bool whole = false;
    for (uint64_t at = 1; !whole; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_sb heap;
        cad_sb_init(&heap, &alloc, CAD_MEM_OTHER, 5000);
        cad_jsonw_init(&w, &heap);
        cad_jsonw_array(&w);
        for (int i = 0; i < 100; i++) cad_jsonw_string(&w, CAD_STR("0123456789"));
        cad_jsonw_end(&w);
        whole = f.failed == 0;
        assert_int_equal(cad_jsonw_error(&w), whole ? 0 : CAD_E_NOMEM);
        assert_int_equal(cad_jsonw_complete(&w), whole);
        cad_sb_deinit(&heap);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
    }
    char small[8];
    cad_sb_init_fixed(&sb, small, sizeof(small));
    cad_jsonw_init(&w, &sb);
    cad_jsonw_string(&w, CAD_STR("0123456789"));
    assert_int_equal(cad_jsonw_error(&w), CAD_E_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_jsonw_writes_a_document),
        TEST(test_jsonw_commas_belong_to_their_container),
        TEST(test_jsonw_escapes_and_repairs),
        TEST(test_jsonw_fixed_point),
        TEST(test_jsonw_seconds),
        TEST(test_jsonw_fixed_comes_back_through_the_reader),
        TEST(test_jsonw_strings_come_back_through_the_reader),
        TEST(test_jsonw_misuse_is_an_error_that_stays),
        TEST(test_jsonw_depth_limit),
        TEST(test_jsonw_passes_on_the_error_of_its_builder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
