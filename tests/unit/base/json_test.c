/* Goal: exactly RFC 8259 passes, every prefix and limit is refused by name, values are exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "support/failing_alloc.h"

/* One mark per token, with the raw text of keys, strings and numbers. */
static const char *trace(const char *text, size_t n)
{
    static char out[4096];
    static const char marks[] = "!${}[]ksntf0";
    struct cad_sb sb;
    struct cad_json j;
    cad_sb_init_fixed(&sb, out, sizeof(out));
    cad_json_init(&j, (cad_str){text, n}, NULL);
    for (;;) {
        enum cad_json_type type = cad_json_next(&j);
        assert_int_equal(type, cad_json_type(&j));
        cad_sb_putc(&sb, marks[type]);
        if (type == CAD_JSON_KEY || type == CAD_JSON_STRING || type == CAD_JSON_NUMBER) {
            cad_sb_put(&sb, cad_json_raw(&j));
            cad_sb_putc(&sb, ' ');
        }
        if (type == CAD_JSON_ERROR || type == CAD_JSON_END) break;
    }
    assert_int_equal(cad_sb_error(&sb), 0);
    assert_int_equal(cad_json_error(&j) == 0, out[sb.n - 1] == '$');
    return out;
}

static void test_json_token_streams(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "{}$"},
        {"[]", "[]$"},
        {" [ ] ", "[]$"},
        {"\t\r\n null \n", "0$"},
        {"true", "t$"},
        {"false", "f$"},
        {"\"\"", "s $"},
        {"-0.5e+10", "n-0.5e+10 $"},
        {"{\"a\":1,\"b\":[true,false,null,\"x\"],\"\":{}}", "{ka n1 kb [tf0sx ]k {}}$"},
        {"[[[]],[{}],[[1]]]", "[[[]][{}][[n1 ]]]$"},
        {"[ 1 , 2 ]", "[n1 n2 ]$"},
        {"{ \"a\" : { \"a\" : 1 } , \"a\" : 2 }", "{ka {ka n1 }ka n2 }$"},
        {"[\"a\\\"b\\\\\"]", "[sa\\\"b\\\\ ]$"},
        {"\"\x7f\xc2\x80\xf4\x8f\xbf\xbf\"", "s\x7f\xc2\x80\xf4\x8f\xbf\xbf $"},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        assert_string_equal(trace(cases[i][0], strlen(cases[i][0])), cases[i][1]);
    }
}

static void test_json_refuses_what_the_grammar_does_not_have(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[1,]",      "[,1]",      "[1,,2]",   "[1 2]",     "{\"a\":1,}", "{,}",
        "{\"a\"}",   "{\"a\" 1}", "{a:1}",    "{'a':1}",   "{1:1}",      "{\"a\":}",
        "[}",        "{]",        "[1}",      "{\"a\":1]", "]",          "}",
        ",",         ":",         "1 2",      "{} {}",     "null,",      "[]]",
        "01",        "-01",       "1.e1",     ".5",        "+1",         "1.5.5",
        "1e+e",      "-a",        "0x10",     "1a",        "NaN",        "Infinity",
        "-Infinity", "True",      "nul1",     "truefalse", "'a'",        "\"a\nb\"",
        "\"\t\"",    "\"\\a\"",   "\"\\'\"",  "\"\\u12g4\"", "\"\\U0041\"", "\"\\x41\"",
        "\"\x80\"",  "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xff\"",
        "\"\xe2\x82\"", "/**/1",  "1//",      "#\n1",      "\f1",        "\v1",
        "\xef\xbb\xbf{}", "\xc2\xa0[]", "[1]\x01", "{\"a\":1 \"b\":2}", "[\"a\":1]",
        "1E400x",    "--1",       "- 1",      "1 .5",      "{\"a\"::1}", "\"a\" \"b\"",
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        struct cad_json j;
        cad_json_init(&j, cad_str_from(bad[i]), NULL);
        enum cad_json_type type;
        do {
            type = cad_json_next(&j);
        } while (type != CAD_JSON_ERROR && type != CAD_JSON_END);
        if (type != CAD_JSON_ERROR) fail_msg("passed: %s", bad[i]);
        assert_int_equal(cad_json_error(&j), CAD_E_DATA);
        if (cad_json_truncated(&j)) fail_msg("called truncated: %s", bad[i]);
        assert_int_equal(cad_json_next(&j), CAD_JSON_ERROR); /* it stays */
        assert_int_equal(cad_json_skip(&j), CAD_E_DATA);
    }
    assert_string_equal(trace("[1\0]", 4), "[n1 !"); /* a NUL is a byte like others */
}

static const char whole_document[] =
    "{\"name\":\"caf\xc3\xa9 \\u00e9\\ud83d\\ude00\\n\",\"list\":[0,-1.5e-3,true,false,null,[],{}],"
    "\"deep\":{\"a\":{\"b\":[[\"\xf0\x9f\x98\x80\"]]}} } ";

static void test_json_every_truncation_is_said_to_be_one(void **state)
{
    (void)state;
    size_t n = sizeof(whole_document) - 1;
    size_t end = n - 1; /* a space follows the last bracket */
    for (size_t cut = 0; cut < end; cut++) {
        /* A copy of exactly that size, so that ASan sees a read beyond it. */
        struct cad_alloc alloc = cad_alloc_system();
        struct cad_arena arena;
        cad_arena_init(&arena, &alloc, CAD_MEM_OTHER, 0, 0);
        cad_buf copy = cad_arena_buf(&arena, (cad_buf){(const uint8_t *)whole_document, cut});
        assert_non_null(copy.p);
        struct cad_json j;
        cad_json_init(&j, cad_str_from_buf(copy), NULL);
        while (cad_json_next(&j) != CAD_JSON_ERROR) assert_int_not_equal(j.type, CAD_JSON_END);
        assert_int_equal(cad_json_error(&j), CAD_E_DATA);
        assert_true(cad_json_truncated(&j));
        assert_int_equal(cad_json_offset(&j), cut);
        cad_arena_deinit(&arena);
    }
    assert_non_null(strchr(trace(whole_document, n), '$'));
    assert_non_null(strchr(trace(whole_document, end), '$'));
    static const char *const cut_words[] = {"tru", "f",  "nul", "-",     "1.",
                                            "1e",  "1e-", "\"\\", "\"\\u00"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(cut_words); i++) {
        struct cad_json j;
        cad_json_init(&j, cad_str_from(cut_words[i]), NULL);
        assert_int_equal(cad_json_next(&j), CAD_JSON_ERROR);
        assert_true(cad_json_truncated(&j));
    }
}

static void test_json_every_changed_byte_is_survived(void **state)
{
    (void)state;
    size_t n = sizeof(whole_document) - 1;
    char text[sizeof(whole_document)];
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < 256; c += 3) {
            memcpy(text, whole_document, n);
            text[i] = (char)c;
            const char *marks = trace(text, n);
            assert_non_null(strpbrk(marks, "!$"));
        }
    }
}

static int depth_error(uint32_t depth, uint32_t depth_max)
{
    char text[256];
    struct cad_json j;
    struct cad_json_limits limits = {.depth_max = depth_max};
    for (uint32_t i = 0; i < depth; i++) {
        text[i] = '[';
        text[2 * depth - 1 - i] = ']';
    }
    cad_json_init(&j, (cad_str){text, 2 * depth}, &limits);
    enum cad_json_type type;
    do {
        type = cad_json_next(&j);
    } while (type != CAD_JSON_ERROR && type != CAD_JSON_END);
    return cad_json_error(&j);
}

static void test_json_depth_limit_is_exact(void **state)
{
    (void)state;
    assert_int_equal(depth_error(1, 1), 0);
    assert_int_equal(depth_error(2, 1), CAD_E_LIMIT);
    assert_int_equal(depth_error(CAD_JSON_DEPTH_DEFAULT, 0), 0);
    assert_int_equal(depth_error(CAD_JSON_DEPTH_DEFAULT + 1, 0), CAD_E_LIMIT);
    assert_int_equal(depth_error(CAD_JSON_DEPTH_MAX, CAD_JSON_DEPTH_MAX), 0);
    assert_int_equal(depth_error(CAD_JSON_DEPTH_MAX + 1, CAD_JSON_DEPTH_MAX), CAD_E_LIMIT);
    assert_int_equal(depth_error(CAD_JSON_DEPTH_MAX + 1, 1000), CAD_E_LIMIT);
}

static void test_json_nesting_remembers_each_kind(void **state)
{
    (void)state;
    /* Random nests of both kinds to the full depth: the bits must not leak between levels. */
    struct cad_rng r;
    cad_rng_init(&r, 41);
    for (int round = 0; round < 300; round++) {
        char text[1024];
        bool object[CAD_JSON_DEPTH_MAX];
        int deepest = CAD_JSON_DEPTH_MAX - 1; /* leaves room for the innermost siblings */
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, text, sizeof(text));
        for (int d = 0; d < deepest; d++) {
            object[d] = cad_rng_chance(&r, 1, 2);
            cad_sb_putz(&sb, object[d] ? "{\"k\":" : "[");
        }
        cad_sb_putz(&sb, "1");
        for (int d = deepest; d > 0; d--) {
            cad_sb_putz(&sb, object[d - 1] ? ",\"z\":[]}" : ",{}]");
        }
        struct cad_json j;
        struct cad_json_limits limits = {.depth_max = CAD_JSON_DEPTH_MAX};
        cad_json_init(&j, cad_sb_str(&sb), &limits);
        int level = 0;
        while (cad_json_next(&j) != CAD_JSON_END) {
            assert_int_not_equal(j.type, CAD_JSON_ERROR);
            level += j.type == CAD_JSON_OBJECT_BEGIN || j.type == CAD_JSON_ARRAY_BEGIN;
            level -= j.type == CAD_JSON_OBJECT_END || j.type == CAD_JSON_ARRAY_END;
            assert_int_equal(cad_json_depth(&j), level);
        }
        /* The wrong closing bracket is refused at every level. */
        size_t n = sb.n - (size_t)cad_rng_below(&r, 20);
        if (text[n - 1] != ']' && text[n - 1] != '}') continue;
        text[n - 1] = text[n - 1] == ']' ? '}' : ']';
        assert_non_null(strchr(trace(text, n), '!'));
    }
}

static void test_json_string_and_number_limits_are_exact(void **state)
{
    (void)state;
    struct cad_json j;
    struct cad_json_limits limits = {.string_bytes_max = 5};
    cad_json_init(&j, CAD_STR("[\"12345\",\"123456\"]"), &limits);
    assert_int_equal(cad_json_next(&j), CAD_JSON_ARRAY_BEGIN);
    assert_int_equal(cad_json_next(&j), CAD_JSON_STRING);
    assert_int_equal(cad_json_next(&j), CAD_JSON_ERROR);
    assert_int_equal(cad_json_error(&j), CAD_E_LIMIT);
    cad_json_init(&j, CAD_STR("{\"123456\":1}"), &limits);
    assert_int_equal(cad_json_next(&j), CAD_JSON_OBJECT_BEGIN);
    assert_int_equal(cad_json_next(&j), CAD_JSON_ERROR);
    assert_int_equal(cad_json_error(&j), CAD_E_LIMIT);
    char digits[CAD_JSON_NUMBER_BYTES_MAX + 1];
    memset(digits, '7', sizeof(digits));
    cad_json_init(&j, (cad_str){digits, sizeof(digits) - 1}, NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_NUMBER);
    cad_json_init(&j, (cad_str){digits, sizeof(digits)}, NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_ERROR);
    assert_int_equal(cad_json_error(&j), CAD_E_LIMIT);
}

static void test_json_undoes_escapes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"\"plain\"", "plain"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac"},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
        {"\"\\uDBFF\\uDFFF\"", "\xf4\x8f\xbf\xbf"},
        {"\"a\\u0062c\"", "abc"},
        {"\"\\ud7ff\\ue000\\uffff\"", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct cad_json j;
        char buf[64];
        cad_str s;
        cad_json_init(&j, cad_str_from(cases[i][0]), NULL);
        assert_int_equal(cad_json_next(&j), CAD_JSON_STRING);
        assert_int_equal(cad_json_string(&j, buf, sizeof(buf), &s), 0);
        assert_true(cad_str_eqz(s, cases[i][1]));
        assert_true(cad_json_key_is(&j, cases[i][1]));
        size_t need = s.n;
        bool escaped = s.p == buf;
        assert_int_equal(escaped, i != 0);
        for (size_t cap = 0; escaped && cap < need; cap++) {
            assert_int_equal(cad_json_string(&j, buf, cap, &s), CAD_E_LIMIT);
        }
        assert_int_equal(cad_json_string(&j, buf, need, &s), 0);
    }
    struct cad_json j;
    char buf[4];
    cad_str s;
    cad_json_init(&j, CAD_STR("\"\\u0000\""), NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_STRING);
    assert_int_equal(cad_json_string(&j, buf, sizeof(buf), &s), 0);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.p[0], 0);
}

static void test_json_lone_surrogates_are_data_errors(void **state)
{
    (void)state;
    static const char *const bad[] = {"\"\\ud800\"",       "\"\\udc00\"",  "\"\\ud800x\"",
                                      "\"\\ud800\\n\"",    "\"\\udbff\\ud800\"",
                                      "\"\\ud800\\u0041\"", "\"\\udfff\\ud800\""};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        struct cad_json j;
        struct cad_failing f;
        cad_failing_init(&f, 0);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_arena arena;
        char buf[64];
        cad_str s = CAD_STR("kept");
        cad_arena_init(&arena, &alloc, CAD_MEM_OTHER, 0, 0);
        cad_json_init(&j, cad_str_from(bad[i]), NULL);
        assert_int_equal(cad_json_next(&j), CAD_JSON_STRING); /* the grammar allows them */
        assert_int_equal(cad_json_string(&j, buf, sizeof(buf), &s), CAD_E_DATA);
        assert_int_equal(cad_json_string_arena(&j, &arena, &s), CAD_E_DATA);
        assert_true(cad_str_eqz(s, "kept"));
        assert_false(cad_json_key_is(&j, "x"));
        assert_int_equal(cad_json_next(&j), CAD_JSON_END); /* not sticky */
        cad_arena_deinit(&arena);
        assert_int_equal(f.live_blocks, 0);
    }
}

static void test_json_key_is_compares_with_escapes_undone(void **state)
{
    (void)state;
    struct cad_json j;
    cad_json_init(&j, CAD_STR("{\"s\\u0069ze\":1,\"size\":2}"), NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_OBJECT_BEGIN);
    assert_false(cad_json_key_is(&j, "size"));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cad_json_next(&j), CAD_JSON_KEY);
        assert_true(cad_json_key_is(&j, "size"));
        assert_false(cad_json_key_is(&j, "siz"));
        assert_false(cad_json_key_is(&j, "sizes"));
        assert_false(cad_json_key_is(&j, ""));
        assert_false(cad_json_key_is(&j, "sixe"));
        assert_int_equal(cad_json_skip(&j), 0);
    }
    assert_int_equal(cad_json_next(&j), CAD_JSON_OBJECT_END);
}

static void test_json_arena_strings_survive_every_allocation_failure(void **state)
{
    (void)state;
    bool whole = false;
    for (uint64_t at = 1; !whole; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_arena arena;
        struct cad_json j;
        int err = 0;
        cad_arena_init(&arena, &alloc, CAD_MEM_MANIFEST, 256, 0);
        cad_json_init(&j, CAD_STR("[\"\\u20ac\",\"\",\"0123456789\"]"), NULL);
        assert_int_equal(cad_json_next(&j), CAD_JSON_ARRAY_BEGIN);
        while (!err && cad_json_next(&j) == CAD_JSON_STRING) {
            for (int copies = 0; !err && copies < 40; copies++) {
                cad_str s = {NULL, 0};
                err = cad_json_string_arena(&j, &arena, &s);
                if (!err) assert_int_equal(s.p[s.n], '\0');
                if (!err) assert_true(cad_json_key_is(&j, s.p));
            }
        }
        whole = f.failed == 0;
        assert_int_equal(err, whole ? 0 : CAD_E_NOMEM);
        cad_arena_deinit(&arena);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
    }
}

static int read_i64(const char *text, int64_t *out)
{
    struct cad_json j;
    cad_json_init(&j, cad_str_from(text), NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_NUMBER);
    return cad_json_i64(&j, out);
}

static void test_json_i64_takes_exact_integers_in_any_notation(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t want;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"10", 10},
                {"-7", -7},
                {"1e3", 1000},
                {"1E+3", 1000},
                {"10.0", 10},
                {"1.5e1", 15},
                {"1500e-2", 15},
                {"0.0000e99999999999999999", 0},
                {"0e-99999999999999999999", 0},
                {"9007199254740992", INT64_C(9007199254740992)},
                {"-9007199254740992", -INT64_C(9007199254740992)},
                {"900719925474099.20e1", INT64_C(9007199254740992)},
                {"0.000000000000000000000000000000000000000000000000001e51", 1}};
    static const char *const bad[] = {"0.5",    "1e-1",  "15e-1", "9007199254740993", "1e16",
                                      "1e400",  "1e-400", "-9007199254740993",
                                      "99999999999999999999", "1e99999999999999999999",
                                      "9007199254740992.5", "9223372036854775808"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(good); i++) {
        int64_t v = -99;
        assert_int_equal(read_i64(good[i].text, &v), 0);
        if (v != good[i].want) fail_msg("%s", good[i].text);
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        int64_t v = -99;
        if (read_i64(bad[i], &v) != CAD_E_DATA) fail_msg("%s", bad[i]);
        assert_true(v == -99);
    }
}

static void test_json_fixed_rounds_half_away_from_zero(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int digits;
        int err;
        int64_t want;
    } cases[] = {{"1.5", 9, 0, INT64_C(1500000000)},
                 {"2.002", 3, 0, 2002},
                 {"0.5", 0, 0, 1},
                 {"-0.5", 0, 0, -1},
                 {"0.49999999999999999999999", 0, 0, 0},
                 {"0.05", 0, 0, 0},
                 {"0.09", 0, 0, 0},
                 {"9.5", 0, 0, 10},
                 {"-99.95", 1, 0, -1000},
                 {"1e-9", 9, 0, 1},
                 {"4e-10", 9, 0, 0},
                 {"5e-10", 9, 0, 1},
                 {"1.0", 18, 0, INT64_C(1000000000000000000)},
                 {"9223372036.854775807", 9, 0, INT64_MAX},
                 {"-9223372036.854775807", 9, 0, -INT64_MAX},
                 {"9223372036.854775808", 9, CAD_E_LIMIT, 0},
                 {"9223372036.8547758074", 9, 0, INT64_MAX},
                 {"9223372036.8547758075", 9, CAD_E_LIMIT, 0},
                 {"1e300", 0, CAD_E_LIMIT, 0},
                 {"1e-300", 18, 0, 0},
                 {"0e300", 18, 0, 0}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct cad_json j;
        int64_t v = 0;
        cad_json_init(&j, cad_str_from(cases[i].text), NULL);
        assert_int_equal(cad_json_next(&j), CAD_JSON_NUMBER);
        assert_int_equal(cad_json_fixed(&j, cases[i].digits, &v), cases[i].err);
        if (v != cases[i].want) fail_msg("%s", cases[i].text);
    }
}

static void test_json_skip_leaves_the_reader_after_the_value(void **state)
{
    (void)state;
    struct cad_json j;
    cad_json_init(&j, CAD_STR("{\"a\":{\"x\":[1,{\"y\":[]}]},\"b\":7,\"c\":[[],2],\"d\":1}"), NULL);
    assert_int_equal(cad_json_skip(&j), CAD_E_INVAL); /* nothing read yet */
    assert_int_equal(cad_json_next(&j), CAD_JSON_OBJECT_BEGIN);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cad_json_next(&j), CAD_JSON_KEY);
        assert_int_equal(cad_json_skip(&j), 0);
        assert_int_equal(cad_json_depth(&j), 1);
    }
    assert_int_equal(cad_json_type(&j), CAD_JSON_ARRAY_END);
    assert_int_equal(cad_json_next(&j), CAD_JSON_KEY);
    assert_true(cad_json_key_is(&j, "d"));
    assert_int_equal(cad_json_next(&j), CAD_JSON_NUMBER);
    assert_int_equal(cad_json_skip(&j), 0);
    assert_int_equal(cad_json_next(&j), CAD_JSON_OBJECT_END);
    assert_int_equal(cad_json_skip(&j), CAD_E_INVAL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_END);
    assert_int_equal(cad_json_skip(&j), CAD_E_INVAL);
    cad_json_init(&j, CAD_STR("[[1,2"), NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_ARRAY_BEGIN);
    assert_int_equal(cad_json_skip(&j), CAD_E_DATA);
    assert_true(cad_json_truncated(&j));
}

static void test_json_values_of_other_types_are_caller_mistakes(void **state)
{
    (void)state;
    struct cad_json j;
    int64_t v = 3;
    bool b = false;
    cad_str s;
    char buf[8];
    cad_json_init(&j, CAD_STR("[true,1,\"x\"]"), NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_ARRAY_BEGIN);
    assert_int_equal(cad_json_i64(&j, &v), CAD_E_INVAL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_TRUE);
    assert_int_equal(cad_json_fixed(&j, 0, &v), CAD_E_INVAL);
    assert_int_equal(cad_json_string(&j, buf, sizeof(buf), &s), CAD_E_INVAL);
    assert_int_equal(cad_json_bool(&j, &b), 0);
    assert_true(b);
    assert_int_equal(cad_json_next(&j), CAD_JSON_NUMBER);
    assert_int_equal(cad_json_bool(&j, &b), CAD_E_INVAL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_STRING);
    assert_int_equal(cad_json_i64(&j, &v), CAD_E_INVAL);
    assert_int_equal(v, 3);
}

static void test_json_says_where_an_error_is(void **state)
{
    (void)state;
    struct cad_json j;
    cad_json_init(&j, CAD_STR("{\n \"a\": 1,\n \"b\": x}"), NULL);
    while (cad_json_next(&j) != CAD_JSON_ERROR) {
        if (j.type == CAD_JSON_KEY) assert_int_equal(cad_json_line(&j), j.raw.p[0] - 'a' + 2);
    }
    assert_int_equal(cad_json_line(&j), 3);
    assert_int_equal(cad_json_offset(&j), 17);
}

static void test_json_a_copy_continues_alone(void **state)
{
    (void)state;
    struct cad_json j;
    cad_json_init(&j, CAD_STR("[1,[2],3]"), NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_ARRAY_BEGIN);
    assert_int_equal(cad_json_next(&j), CAD_JSON_NUMBER);
    struct cad_json mark = j;
    while (cad_json_next(&j) != CAD_JSON_END) assert_int_not_equal(j.type, CAD_JSON_ERROR);
    assert_int_equal(cad_json_next(&mark), CAD_JSON_ARRAY_BEGIN);
    assert_int_equal(cad_json_skip(&mark), 0);
    assert_int_equal(cad_json_next(&mark), CAD_JSON_NUMBER);
    assert_true(cad_str_eqz(cad_json_raw(&mark), "3"));
}

static void test_json_type_names(void **state)
{
    (void)state;
    for (int i = CAD_JSON_ERROR; i <= CAD_JSON_NULL; i++) {
        assert_string_not_equal(cad_json_type_name((enum cad_json_type)i), "?");
    }
    assert_string_equal(cad_json_type_name((enum cad_json_type)99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_token_streams),
        cmocka_unit_test(test_json_refuses_what_the_grammar_does_not_have),
        cmocka_unit_test(test_json_every_truncation_is_said_to_be_one),
        cmocka_unit_test(test_json_every_changed_byte_is_survived),
        cmocka_unit_test(test_json_depth_limit_is_exact),
        cmocka_unit_test(test_json_nesting_remembers_each_kind),
        cmocka_unit_test(test_json_string_and_number_limits_are_exact),
        cmocka_unit_test(test_json_undoes_escapes),
        cmocka_unit_test(test_json_lone_surrogates_are_data_errors),
        cmocka_unit_test(test_json_key_is_compares_with_escapes_undone),
        cmocka_unit_test(test_json_arena_strings_survive_every_allocation_failure),
        cmocka_unit_test(test_json_i64_takes_exact_integers_in_any_notation),
        cmocka_unit_test(test_json_fixed_rounds_half_away_from_zero),
        cmocka_unit_test(test_json_skip_leaves_the_reader_after_the_value),
        cmocka_unit_test(test_json_values_of_other_types_are_caller_mistakes),
        cmocka_unit_test(test_json_says_where_an_error_is),
        cmocka_unit_test(test_json_a_copy_continues_alone),
        cmocka_unit_test(test_json_type_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
