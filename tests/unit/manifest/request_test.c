/* Goal: requests and range URLs are written byte for byte as the specification says. */
#include "manifest_support.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "base/util.h"
#include "manifest/manifest.h"

static char memory[4096];

static const cad_str profiles[] = {CAD_STR_INIT("h264mpl40-dash-clear"),
                                   CAD_STR_INIT("heaac-2-dash")};

static struct cad_licensed_request request(void)
{
    struct cad_licensed_request r;
    memset(&r, 0, sizeof(r));
    r.base = CAD_STR("https://svc.test:8443/");
    r.viewable_id = CAD_STR("900100");
    r.xid = CAD_STR("x\"1");
    r.req_id = CAD_STR("0123456789abcdef0123456789abcdef");
    r.attempt = 2;
    r.profiles = profiles;
    r.profile_count = CAD_ARRAY_LEN(profiles);
    r.app_name = CAD_STR("my app");
    r.app_version = CAD_STR("1.0+b");
    r.platform = CAD_STR("linux");
    r.id = 77;
    r.language = CAD_STR("en-US");
    return r;
}

static void test_request_url(void **state)
{
    (void)state;
    struct cad_licensed_request r = request();
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    assert_int_equal(cad_licensed_request_url(&r, &sb), 0);
    assert_string_equal(cad_sb_z(&sb),
                        "https://svc.test:8443/msl/playapi/cadmium/licensedmanifest/1?reqAttempt=2"
                        "&reqName=licensedManifest&reqId=0123456789abcdef0123456789abcdef"
                        "&mainContentViewableId=900100&clienttype=cadmium-c&uiversion=1.0%2Bb"
                        "&browsername=my%20app&browserversion=0.1.0&osname=linux");
}

static void test_request_url_prefetch_and_bare(void **state)
{
    (void)state;
    struct cad_licensed_request r = request();
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    r.prefetch = true;
    r.base = CAD_STR("http://127.0.0.1:8080/svc");
    r.app_name = r.app_version = r.platform = (cad_str){NULL, 0};
    assert_int_equal(cad_licensed_request_url(&r, &sb), 0);
    assert_string_equal(cad_sb_z(&sb),
                        "http://127.0.0.1:8080/svc/msl/playapi/cadmium/licensedmanifest/1"
                        "?reqAttempt=2&reqName=prefetch%2FlicensedManifest"
                        "&reqId=0123456789abcdef0123456789abcdef&mainContentViewableId=900100"
                        "&clienttype=cadmium-c&browserversion=0.1.0");
}

static void test_request_body(void **state)
{
    (void)state;
    struct cad_licensed_request r = request();
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    assert_int_equal(cad_licensed_request_body(&r, &sb), 0);
    assert_string_equal(
        cad_sb_z(&sb),
        "{\"version\":2,\"url\":\"licensedManifest\",\"id\":77,\"languages\":[\"en-US\"],"
        "\"params\":{\"type\":\"standard\",\"manifestVersion\":\"v2\",\"viewableId\":900100,"
        "\"profiles\":[\"h264mpl40-dash-clear\",\"heaac-2-dash\"],\"flavor\":\"STANDARD\","
        "\"useHttpsStreams\":true,\"supportsUnequalizedDownloadables\":true,\"xid\":\"x\\\"1\","
        "\"clientVersion\":\"0.1.0\",\"platform\":\"linux\",\"uiVersion\":\"1.0+b\"}}");
    cad_sb_reset(&sb);
    r.prefetch = true;
    r.base = CAD_STR("http://127.0.0.1");
    r.viewable_id = CAD_STR("bbb");
    r.language = (cad_str){NULL, 0};
    assert_int_equal(cad_licensed_request_body(&r, &sb), 0);
    cad_str text = cad_sb_str(&sb);
    assert_true(cad_str_find(text, CAD_STR("\"flavor\":\"PRE_FETCH\"")) > 0);
    assert_true(cad_str_find(text, CAD_STR("\"useHttpsStreams\":false")) > 0);
    assert_true(cad_str_find(text, CAD_STR("\"viewableId\":\"bbb\"")) > 0);
    assert_true(cad_str_find(text, CAD_STR("\"languages\":[]")) > 0);
}

/* A refresh looks like a first request; only the caller's reqId and xid tell. */
static void test_request_refresh_is_the_same(void **state)
{
    (void)state;
    char other[4096];
    struct cad_licensed_request r = request();
    struct cad_sb a;
    struct cad_sb b;
    cad_sb_init_fixed(&a, memory, sizeof(memory));
    cad_sb_init_fixed(&b, other, sizeof(other));
    assert_int_equal(cad_licensed_request_body(&r, &a), 0);
    r.refresh = true;
    assert_int_equal(cad_licensed_request_body(&r, &b), 0);
    assert_string_equal(cad_sb_z(&a), cad_sb_z(&b));
}

static void assert_refused(const struct cad_licensed_request *r, bool url_only)
{
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    assert_int_equal(cad_licensed_request_url(r, &sb), CAD_E_INVAL);
    if (!url_only) assert_int_equal(cad_licensed_request_body(r, &sb), CAD_E_INVAL);
    assert_int_equal(cad_sb_str(&sb).n, 0);
}

static void test_request_refuses(void **state)
{
    (void)state;
    struct cad_licensed_request r = request();
    r.req_id = CAD_STR("0123456789ABCDEF0123456789abcdef");
    assert_refused(&r, false);
    r.req_id = CAD_STR("0123456789abcdef");
    assert_refused(&r, false);
    r = request();
    r.attempt = 0;
    assert_refused(&r, false);
    r = request();
    r.profile_count = 0;
    assert_refused(&r, false);
    r = request();
    r.viewable_id = (cad_str){NULL, 0};
    assert_refused(&r, false);
    r = request();
    r.base = CAD_STR("ftp://svc.test");
    assert_refused(&r, true);
    r.base = CAD_STR("https://svc.test/?a=b");
    assert_refused(&r, true);
    r.base = CAD_STR("https://u@svc.test/");
    assert_refused(&r, true);
}

/* ---- ranges ------------------------------------------------------------------------------- */

/* Eight shapes of path and query; the query comes back byte for byte. */
static const char *const shapes[][2] = {
    {"https://h/?o=1&t=T", "https://h/range/0-4095?o=1&t=T"},
    {"https://h?o=1", "https://h/range/0-4095?o=1"},
    {"https://h/a/b?o=1&t=%2B", "https://h/a/b/range/0-4095?o=1&t=%2B"},
    {"https://h/a/b/?t=x==", "https://h/a/b/range/0-4095?t=x=="},
    {"https://h/a//?t=", "https://h/a/range/0-4095?t="},
    {"https://h:8443/v.mp4?t=a/b/?c", "https://h:8443/v.mp4/range/0-4095?t=a/b/?c"},
    {"https://h", "https://h/range/0-4095"},
    {"http://[::1]:80/a?", "http://[::1]:80/a/range/0-4095?"},
};

static void test_range_url_in_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(shapes); i++) {
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, memory, sizeof(memory));
        assert_int_equal(cad_range_url(cad_str_from(shapes[i][0]), true, 0, 4095, &sb), 0);
        assert_string_equal(cad_sb_z(&sb), shapes[i][1]);
    }
}

static void test_range_url_in_header(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(shapes); i++) {
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, memory, sizeof(memory));
        assert_int_equal(cad_range_url(cad_str_from(shapes[i][0]), false, 0, 4095, &sb), 0);
        assert_string_equal(cad_sb_z(&sb), shapes[i][0]);
    }
}

static void test_range_url_numbers(void **state)
{
    (void)state;
    cad_str url = CAD_STR("https://h/a?o=1");
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    assert_int_equal(cad_range_url(url, true, INT64_MAX, INT64_MAX, &sb), 0);
    assert_string_equal(cad_sb_z(&sb),
                        "https://h/a/range/9223372036854775807-9223372036854775807?o=1");
    cad_sb_reset(&sb);
    assert_int_equal(cad_range_url(url, true, 7, 7, &sb), 0);
    assert_string_equal(cad_sb_z(&sb), "https://h/a/range/7-7?o=1");
    cad_sb_reset(&sb);
    assert_int_equal(cad_range_url(url, true, 8, 7, &sb), CAD_E_INVAL);
    assert_int_equal(cad_range_url(url, false, 8, 7, &sb), CAD_E_INVAL);
    assert_int_equal(cad_range_url(url, true, -1, 7, &sb), CAD_E_INVAL);
    assert_int_equal(cad_range_url(url, true, 0, -1, &sb), CAD_E_INVAL);
    assert_int_equal(cad_range_url(CAD_STR("/a"), true, 0, 1, &sb), CAD_E_INVAL);
    assert_int_equal(cad_range_url(CAD_STR("https://h/a#f"), true, 0, 1, &sb), CAD_E_INVAL);
    assert_int_equal(cad_sb_str(&sb).n, 0);
    assert_int_equal(cad_range_url(url, false, 0, -1, &sb), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_url),
        cmocka_unit_test(test_request_url_prefetch_and_bare),
        cmocka_unit_test(test_request_body),
        cmocka_unit_test(test_request_refresh_is_the_same),
        cmocka_unit_test(test_request_refuses),
        cmocka_unit_test(test_range_url_in_path),
        cmocka_unit_test(test_range_url_in_header),
        cmocka_unit_test(test_range_url_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
