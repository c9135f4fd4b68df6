/* Goal: references resolve as in RFC 3986, hostile ones are refused, no log shows a secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "support/failing_alloc.h"

/* RFC 3986 5.4.1 and 5.4.2 (strict), against this base. */
static const char rfc_base[] = "http://a/b/c/d;p?q";
static const char *const rfc_examples[][2] = {
    {"g:h", "g:h"},
    {"g", "http://a/b/c/g"},
    {"./g", "http://a/b/c/g"},
    {"g/", "http://a/b/c/g/"},
    {"/g", "http://a/g"},
    {"//g", "http://g"},
    {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q#s"},
    {"g#s", "http://a/b/c/g#s"},
    {"g?y#s", "http://a/b/c/g?y#s"},
    {";x", "http://a/b/c/;x"},
    {"g;x", "http://a/b/c/g;x"},
    {"g;x?y#s", "http://a/b/c/g;x?y#s"},
    {"", "http://a/b/c/d;p?q"},
    {".", "http://a/b/c/"},
    {"./", "http://a/b/c/"},
    {"..", "http://a/b/"},
    {"../", "http://a/b/"},
    {"../g", "http://a/b/g"},
    {"../..", "http://a/"},
    {"../../", "http://a/"},
    {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"},
    {"../../../../g", "http://a/g"},
    {"/./g", "http://a/g"},
    {"/../g", "http://a/g"},
    {"g.", "http://a/b/c/g."},
    {".g", "http://a/b/c/.g"},
    {"g..", "http://a/b/c/g.."},
    {"..g", "http://a/b/c/..g"},
    {"./../g", "http://a/b/g"},
    {"./g/.", "http://a/b/c/g/"},
    {"g/./h", "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/h"},
    {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {"g;x=1/../y", "http://a/b/c/y"},
    {"g?y/./x", "http://a/b/c/g?y/./x"},
    {"g?y/../x", "http://a/b/c/g?y/../x"},
    {"g#s/./x", "http://a/b/c/g#s/./x"},
    {"g#s/../x", "http://a/b/c/g#s/../x"},
    {"http:g", "http:g"},
};

static const char *resolve(const char *base, const char *ref)
{
    static char text[CAD_URI_BYTES_MAX + 1];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    int err = cad_uri_resolve(cad_str_from(base), cad_str_from(ref), &sb);
    return err ? cad_result_name(err) : text;
}

static void test_uri_resolves_every_rfc_example(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(rfc_examples); i++) {
        assert_string_equal(resolve(rfc_base, rfc_examples[i][0]), rfc_examples[i][1]);
    }
}

static void test_uri_resolves_beyond_the_examples(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"http://h", "g", "http://h/g"},
        {"http://h?q", "g", "http://h/g"},
        {"http://h?q", "", "http://h?q"},
        {"http://h?q#f", "", "http://h?q"},
        {"http://h?q", "?", "http://h?"},
        {"http://h/a", "..", "http://h/"},
        {"http://h/a/b", "../../../..", "http://h/"},
        {"http://h/a//b/c", "../d", "http://h/a//d"},
        {"http://h/a/", ".//b", "http://h/a//b"},
        {"https://u:p@h:8443/a/b", "c?x=1", "https://u:p@h:8443/a/c?x=1"},
        {"https://h/a", "//[2001:db8::1]:80/x", "https://[2001:db8::1]:80/x"},
        {"http://h/a", "http://k/b/../../c/./", "http://k/c/"},
        {"urn:a:b", "c", "urn:c"},
        {"file:///a/b", "../c", "file:///c"},
        {"file:///a/b", "//h/c", "file://h/c"},
        {"x:/a/b", "..//c", "E_DATA"}, /* would read as an authority */
        {"/a/b", "c", "E_DATA"},       /* a base must be absolute */
        {"http://h/", "1a:b", "E_DATA"},
        {"http://h/", "a b", "E_DATA"},
        {"http://h/", "http://h:x/", "E_DATA"},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        assert_string_equal(resolve(cases[i][0], cases[i][1]), cases[i][2]);
    }
}

static void test_uri_parse_takes_the_parts_apart(void **state)
{
    (void)state;
    struct cad_uri u;
    assert_int_equal(cad_uri_parse(CAD_STR("HTTPS://me:pw@Ex.Org:8443/a/b;c?x=1&y#top"), &u), 0);
    assert_true(cad_str_eqz(u.scheme, "HTTPS"));
    assert_true(cad_str_eqz(u.userinfo, "me:pw"));
    assert_true(cad_str_eqz(u.host, "Ex.Org"));
    assert_true(cad_str_eqz(u.port, "8443"));
    assert_true(cad_str_eqz(u.path, "/a/b;c"));
    assert_true(cad_str_eqz(u.query, "x=1&y"));
    assert_true(cad_str_eqz(u.fragment, "top"));
    assert_true(u.has_scheme && u.has_authority && u.has_userinfo && u.has_port);
    assert_true(u.has_query && u.has_fragment);
    assert_true(cad_uri_is_http(&u) && cad_uri_is_https(&u));
    assert_int_equal(cad_uri_port(&u), 8443);
    assert_int_equal(cad_uri_parse(CAD_STR("a/b"), &u), 0);
    assert_true(cad_str_eqz(u.path, "a/b"));
    assert_false(u.has_scheme || u.has_authority || u.has_query || u.has_fragment);
    assert_int_equal(cad_uri_parse(CAD_STR("http://h?#"), &u), 0);
    assert_true(u.has_query && u.has_fragment && u.query.n == 0 && u.fragment.n == 0);
    assert_int_equal(cad_uri_parse(CAD_STR("/p|{}[]:@x"), &u), 0); /* seen in the wild */
    assert_int_equal(cad_uri_parse(CAD_STR("http://[::1]/"), &u), 0);
    assert_true(cad_str_eqz(u.host, "[::1]"));
    assert_true(cad_str_eqz(cad_uri_host(&u), "::1"));
}

static void test_uri_write_gives_back_what_was_parsed(void **state)
{
    (void)state;
    static const char *const texts[] = {"",          "a",          "//h",      "//h:",   "?",
                                        "#",         "//u@h:1/?#", "x:",       "x:y?z",  "x://",
                                        "http://@h", "/a?b?c#d#e", "//[v1.a]", "x:/y//z"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(texts); i++) {
        struct cad_uri u;
        char text[64];
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, text, sizeof(text));
        assert_int_equal(cad_uri_parse(cad_str_from(texts[i]), &u), 0);
        cad_uri_write(&u, &sb);
        assert_string_equal(text, texts[i]);
    }
}

static void test_uri_parse_refuses_what_parsers_disagree_on(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "http://good.org\\@evil.org/", "http://a@b@c/",  "http://a:b:c/", "http://a:80x/",
        "http://[::1/",                "http://[::1]x/", "http://[]/",    "http://h\"/",
        "http://h<>/",                 "http://h\n/",    "http://h/\x01", "http://h/\xc3\xa9",
        "http://h/a b",                ":x",             "-a:b",          "http://h/\x7f",
        "http://a[b]/",                "http://a<b@h/", "http:\\\\h/x",
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        struct cad_uri u = {.has_query = true};
        if (cad_uri_parse(cad_str_from(bad[i]), &u) != CAD_E_DATA) fail_msg("%s", bad[i]);
        assert_true(u.has_query); /* untouched */
    }
}

static void test_uri_length_limit_is_exact(void **state)
{
    (void)state;
    static char text[CAD_URI_BYTES_MAX + 2];
    static char out[2 * CAD_URI_BYTES_MAX];
    struct cad_uri u;
    struct cad_sb sb;
    memset(text, 'a', sizeof(text));
    assert_int_equal(cad_uri_parse((cad_str){text, CAD_URI_BYTES_MAX}, &u), 0);
    assert_int_equal(cad_uri_parse((cad_str){text, CAD_URI_BYTES_MAX + 1}, &u), CAD_E_LIMIT);
    cad_sb_init_fixed(&sb, out, sizeof(out));
    cad_str ref = {text, CAD_URI_BYTES_MAX - strlen("http://h/")};
    assert_int_equal(cad_uri_resolve(CAD_STR("http://h/x"), ref, &sb), 0);
    assert_int_equal(sb.n, CAD_URI_BYTES_MAX);
    cad_sb_reset(&sb);
    ref.n++;
    assert_int_equal(cad_uri_resolve(CAD_STR("http://h/x"), ref, &sb), CAD_E_LIMIT);
    assert_int_equal(sb.n, 0);
}

static void test_uri_ports_and_origins(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        int32_t port;
        bool is_http;
    } cases[] = {{"http://h/", 80, true},      {"HTTPS://h/", 443, true},
                 {"https://h:/", 443, true},   {"http://h:65535/", 65535, true},
                 {"http://h:0/", -1, true},    {"http://h:65536/", -1, true},
                 {"http://h:99999999999999999999/", -1, true},
                 {"ftp://h/", 0, false},       {"http:/h", 80, false},
                 {"http:///p", 80, false},     {"/p", 0, false}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct cad_uri u;
        assert_int_equal(cad_uri_parse(cad_str_from(cases[i].url), &u), 0);
        assert_int_equal(cad_uri_port(&u), cases[i].port);
        assert_int_equal(cad_uri_is_http(&u), cases[i].is_http);
    }
    static const struct {
        const char *a, *b;
        bool same;
    } pairs[] = {{"http://H/a", "HTTP://h:80/b", true},  {"http://h", "https://h", false},
                 {"http://h", "http://h:81", false},     {"http://h", "http://g", false},
                 {"http://h:0", "http://h:0", false},    {"https://u@h", "https://h:443/x", true}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(pairs); i++) {
        struct cad_uri a;
        struct cad_uri b;
        assert_int_equal(cad_uri_parse(cad_str_from(pairs[i].a), &a), 0);
        assert_int_equal(cad_uri_parse(cad_str_from(pairs[i].b), &b), 0);
        assert_int_equal(cad_uri_same_origin(&a, &b), pairs[i].same);
    }
}

static void test_uri_percent_coding(void **state)
{
    (void)state;
    char text[1024];
    char back[1024];
    char all[256];
    struct cad_sb sb;
    struct cad_sb decoded;
    for (int i = 0; i < 256; i++) all[i] = (char)i;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    cad_uri_percent_encode((cad_str){all, sizeof(all)}, &sb);
    assert_int_equal(sb.n, 66 + 3 * (256 - 66)); /* 66 characters are unreserved */
    cad_sb_init_fixed(&decoded, back, sizeof(back));
    assert_int_equal(cad_uri_percent_decode(cad_sb_str(&sb), &decoded), 0);
    assert_int_equal(decoded.n, 256);
    assert_memory_equal(back, all, 256);
    cad_sb_reset(&sb);
    cad_uri_percent_encode(CAD_STR("a/b c+~"), &sb);
    assert_string_equal(text, "a%2Fb%20c%2B~");
    static const char *const bad[] = {"%", "a%4", "%4", "%zz", "%4g", "x%-1"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        cad_sb_reset(&decoded);
        cad_sb_putz(&decoded, "keep");
        assert_int_equal(cad_uri_percent_decode(cad_str_from(bad[i]), &decoded), CAD_E_DATA);
        assert_string_equal(back, "keep");
    }
}

static void test_uri_query_values(void **state)
{
    (void)state;
    cad_str q = CAD_STR("o=1&v=&t=abc%3D&t=2&flag&e=a=b&&T=3");
    assert_true(cad_str_eqz(cad_uri_query_value(q, CAD_STR("o")), "1"));
    assert_true(cad_str_eqz(cad_uri_query_value(q, CAD_STR("t")), "abc%3D"));
    assert_true(cad_str_eqz(cad_uri_query_value(q, CAD_STR("T")), "3"));
    assert_true(cad_str_eqz(cad_uri_query_value(q, CAD_STR("e")), "a=b"));
    assert_non_null(cad_uri_query_value(q, CAD_STR("v")).p);
    assert_int_equal(cad_uri_query_value(q, CAD_STR("v")).n, 0);
    assert_null(cad_uri_query_value(q, CAD_STR("flag")).p);
    assert_null(cad_uri_query_value(q, CAD_STR("none")).p);
    assert_null(cad_uri_query_value((cad_str){NULL, 0}, CAD_STR("o")).p);
}

static void test_uri_redact_hides_every_secret(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"https://u:p@h:1/range/0-9?o=1&v=2&e=1700000000&t=SECRET&sc=SECRET#SECRET",
         "https://h:1/range/0-9?o=1&v=2&e=1700000000&t=*&sc=*#*"},
        {"http://h/?Signature=SECRET&Policy=SECRET&Key-Pair-Id=SECRET&TOKEN=SECRET&sig=SECRET",
         "http://h/?Signature=*&Policy=*&Key-Pair-Id=*&TOKEN=*&sig=*"},
        {"http://h/?x=123456789012345678901234", "http://h/?x=123456789012345678901234"},
        {"http://h/?x=1234567890123456789012345", "http://h/?x=*"},
        {"http://h/?1234567890123456789012345", "http://h/?*"},
        {"http://h/?%74=SECRET&a=1;t=SECRET", "http://h/?%74=*&a=*"},
        {"http://h/a", "http://h/a"},
        {"/a?t=SECRET&b", "/a?t=*&b"},
        {"http://h/?", "http://h/?"},
        {"data:text/plain,SECRET", "data:*"},
        {"http://h/ SECRET", "(bad url)"},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        char text[256];
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, text, sizeof(text));
        assert_int_equal(cad_uri_redact(cad_str_from(cases[i][0]), &sb), 0);
        assert_string_equal(text, cases[i][1]);
        assert_null(strstr(text, "SECRET"));
    }
    char small[8];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, small, sizeof(small));
    assert_int_equal(cad_uri_redact(CAD_STR("http://h/"), &sb), CAD_E_LIMIT);
}

static void test_uri_resolve_survives_every_allocation_failure(void **state)
{
    (void)state;
    bool whole = false;
    for (uint64_t at = 1; !whole; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_sb sb;
        cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, CAD_URI_BYTES_MAX);
        int err = cad_uri_resolve(CAD_STR("http://host/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/"),
                                  CAD_STR("../../1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9?x#y"), &sb);
        whole = f.failed == 0;
        assert_int_equal(err, whole ? 0 : CAD_E_NOMEM);
        if (!whole) assert_int_equal(cad_sb_str(&sb).n, 0);
        cad_sb_deinit(&sb);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uri_resolves_every_rfc_example),
        cmocka_unit_test(test_uri_resolves_beyond_the_examples),
        cmocka_unit_test(test_uri_parse_takes_the_parts_apart),
        cmocka_unit_test(test_uri_write_gives_back_what_was_parsed),
        cmocka_unit_test(test_uri_parse_refuses_what_parsers_disagree_on),
        cmocka_unit_test(test_uri_length_limit_is_exact),
        cmocka_unit_test(test_uri_ports_and_origins),
        cmocka_unit_test(test_uri_percent_coding),
        cmocka_unit_test(test_uri_query_values),
        cmocka_unit_test(test_uri_redact_hides_every_secret),
        cmocka_unit_test(test_uri_resolve_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
