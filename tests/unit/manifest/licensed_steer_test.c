/* Goal: servers come in the order of 5.6 with every tie broken, and URLs by the rules of 5.5. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

static const char head[] =
    "{\"movieId\":7,\"playbackContextId\":\"C\",\"duration\":60000,\"expiration\":1772367600000,"
    "\"links\":{\"events\":{\"href\":\"/e\"}},";
static const char tail[] =
    "\"video_tracks\":[{\"new_track_id\":\"V\",\"streams\":[{\"downloadable_id\":\"v\","
    "\"content_profile\":\"h264mpl40-dash-clear\",\"bitrate\":1000,\"size\":90000,\"res_w\":640,"
    "\"res_h\":360,\"isDrm\":false,\"moov\":{\"offset\":36,\"size\":800},"
    "\"sidx\":{\"offset\":836,\"size\":64},\"urls\":";

/* The manifest with these servers, locations and URLs of its one stream. */
static struct outcome parse_with(const char *servers, const char *urls)
{
    static char memory[16384];
    struct cad_sb text;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    cad_sb_printf(&text, "%s%s,%s%s}]}]}", head, servers, tail, urls);
    assert_int_equal(cad_sb_error(&text), 0);
    return test_parse(cad_sb_str(&text), NULL, 0);
}

static void assert_server_order(const struct outcome *o, const char *expected)
{
    char memory[256];
    struct cad_sb sb;
    assert_int_equal(o->rc, 0);
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    for (uint32_t i = 0; i < o->presentation->server_count; i++) {
        if (i > 0) cad_sb_putc(&sb, ' ');
        cad_sb_put(&sb, o->presentation->servers[i].id);
    }
    assert_string_equal(cad_sb_z(&sb), expected);
}

static const char one_url[] = "[{\"cdn_id\":1,\"url\":\"https://h.test/\"}]";

static void test_steer_order(void **state)
{
    (void)state;
    /* By location rank, then lowgrade, then rank. */
    struct outcome o = parse_with(
        "\"locations\":[{\"key\":\"far\",\"rank\":2,\"level\":5},{\"key\":\"near\",\"rank\":1}],"
        "\"servers\":[{\"id\":1,\"key\":\"far\",\"rank\":1},{\"id\":2,\"key\":\"near\",\"rank\":9},"
        "{\"id\":3,\"key\":\"near\",\"rank\":1,\"lowgrade\":true},{\"id\":4,\"rank\":0},"
        "{\"id\":5,\"key\":\"near\",\"rank\":8},{\"id\":6,\"key\":\"nowhere\",\"rank\":-1}]",
        one_url);
    assert_server_order(&o, "5 2 3 1 6 4");
    assert_int_equal(o.presentation->servers[3].level, 5);
    assert_int_equal(o.presentation->servers[4].location_rank, INT32_MAX);
    outcome_free(&o);
}

static void test_steer_ties(void **state)
{
    (void)state;
    /* Equal ranks: the heavier location, then the lower id as a number. */
    struct outcome o = parse_with(
        "\"locations\":[{\"key\":\"l\",\"rank\":1,\"weight\":10},{\"key\":\"h\",\"rank\":1,"
        "\"weight\":20}],\"servers\":[{\"id\":10,\"key\":\"l\",\"rank\":1},"
        "{\"id\":9,\"key\":\"l\",\"rank\":1},{\"id\":\"b\",\"key\":\"h\",\"rank\":1},"
        "{\"id\":\"a\",\"key\":\"h\",\"rank\":1}]",
        one_url);
    /* The stream's cdn_id 1 names none of them: its host comes last. */
    assert_server_order(&o, "a b 9 10 1");
    assert_str(o.presentation->servers[4].host, "h.test");
    outcome_free(&o);
}

static void test_steer_bad_servers(void **state)
{
    (void)state;
    struct outcome o = parse_with("\"servers\":[{\"name\":\"n\"},{\"id\":1,\"rank\":99999999999},"
                                  "{\"id\":1},{\"id\":2,\"dns\":{\"host\":\"two.test\"}}]",
                                  one_url);
    assert_server_order(&o, "1 2");
    assert_int_equal(o.presentation->warnings, 2);
    assert_int_equal(o.presentation->servers[0].rank, INT32_MAX);
    assert_str(o.presentation->servers[0].host, "h.test"); /* from its first URL */
    assert_str(o.presentation->servers[1].host, "two.test");
    outcome_free(&o);
}

static void test_steer_locations_follow_servers(void **state)
{
    (void)state;
    struct outcome o = parse_with(
        "\"servers\":[{\"id\":1,\"rank\":3},{\"id\":2,\"rank\":2},{\"id\":3,\"rank\":1}]",
        "[{\"cdn_id\":9,\"url\":\"https://x.test/\"},{\"cdn_id\":1,\"url\":\"https://a.test/\"},"
        "{\"cdn_id\":3,\"url\":\"https://c.test/\"},{\"cdn_id\":2,\"url\":\"https://b.test/\"},"
        "{\"url\":\"https://C.test/2\"},{\"url\":\"https://y.test:81/\"},"
        "{\"cdn_id\":1,\"url\":\"https://a.test/\"}]");
    static const char *const urls[] = {"https://c.test/", "https://C.test/2", "https://b.test/",
                                       "https://a.test/", "https://x.test/", "https://y.test:81/"};
    assert_server_order(&o, "3 2 1 9 y.test:81");
    const struct cad_representation *r = rep_of(&o, "v");
    assert_int_equal(r->location_count, CAD_ARRAY_LEN(urls));
    for (uint32_t i = 0; i < r->location_count; i++) assert_str(r->locations[i].url, urls[i]);
    outcome_free(&o);
}

static void test_steer_hosts_in_order(void **state)
{
    (void)state;
    struct outcome o = parse_with("\"servers\":[]",
                                  "[{\"cdn_id\":7,\"url\":\"https://b.test/1\"},"
                                  "{\"cdn_id\":3,\"url\":\"https://a.test/1\"},"
                                  "{\"cdn_id\":7,\"url\":\"https://b.test/2\"}]");
    assert_server_order(&o, "7 3");
    assert_int_equal(o.presentation->warnings, 1);
    assert_int_equal(rep_of(&o, "v")->location_count, 3);
    assert_str(rep_of(&o, "v")->locations[1].url, "https://b.test/2");
    outcome_free(&o);
}

/* ---- URLs ------------------------------------------------------------------------------------ */

static void assert_refused(const char *url)
{
    char urls[256];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, urls, sizeof(urls));
    cad_sb_printf(&sb,
                  "[{\"cdn_id\":1,\"url\":\"%s\"},{\"cdn_id\":1,\"url\":\"https://ok.test/\"}]",
                  url);
    struct outcome o = parse_with("\"servers\":[{\"id\":1}]", urls);
    assert_int_equal(o.rc, 0);
    const struct cad_representation *r = rep_of(&o, "v");
    if (r->location_count != 1 || o.presentation->warnings != 1) fail_msg("%s was taken", url);
    assert_str(r->locations[0].url, "https://ok.test/");
    outcome_free(&o);
}

static void test_steer_refused_urls(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "", "ftp://h/", "file:///etc/passwd", "javascript:1", "https://", "https:///p",
        "https://u@h/", "https://u:p@h/", "https://h/#f", "https://h/?a#", "https://h/a\\\\b",
        "https://h/\\u0001", "https://h/a b", "https://h/\\n", "https://h/\\u0000",
        "https://h/\\u00e9", "https://h:0/", "https://h:65536/", "https://h:x/",
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(urls); i++) assert_refused(urls[i]);
}

/* http only where the caller allows it. */
static void test_steer_http(void **state)
{
    (void)state;
    static char memory[4096];
    struct cad_sb text;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    small_manifest(&(struct small){.urls = "[{\"cdn_id\":1,\"url\":\"http://h1.test/\"},"
                                           "{\"cdn_id\":1,\"url\":\"HTTPS://h1.test/\"}]"},
                   &text);
    struct cad_manifest_options options = test_options();
    for (int allow = 0; allow < 2; allow++) {
        options.allow_http = allow == 1;
        struct outcome o = test_parse(cad_sb_str(&text), &options, 0);
        assert_int_equal(o.rc, 0);
        assert_int_equal(rep_of(&o, "v")->location_count, allow + 1);
        outcome_free(&o);
    }
}

/* Relative references resolve against the document; without a base they are refused. */
static void test_steer_relative(void **state)
{
    (void)state;
    static char memory[4096];
    struct cad_sb text;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    small_manifest(&(struct small){.urls = "[{\"url\":\"v/a.mp4?q=%2B\"},"
                                           "{\"url\":\"//h1.test/b\"}]"},
                   &text);
    struct outcome o = test_parse(cad_sb_str(&text), NULL, 0);
    assert_int_equal(o.rc, 0);
    assert_str(rep_of(&o, "v")->locations[0].url, "https://h1.test/b");
    assert_str(rep_of(&o, "v")->locations[1].url, "https://svc.test/v/a.mp4?q=%2B");
    outcome_free(&o);
    struct cad_manifest_options options = test_options();
    static const char *const bases[] = {"", "file:///srv/title/manifest.json"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bases); i++) {
        options.base_url = cad_str_from(bases[i]);
        o = test_parse(cad_sb_str(&text), &options, 0);
        assert_int_equal(o.rc, CAD_E_NOTFOUND);
        outcome_free(&o);
    }
}

static void test_steer_range_style_and_expiry(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        bool in_path;
        int64_t expiry_ms;
    } cases[] = {
        {"?o=1&v=31&e=1772367549&t=T&sc=q", true, 1772367549000},
        {"?o=&t=", true, 1772367600000},
        {"?o=1", false, 1772367600000},
        {"?t=1", false, 1772367600000},
        {"?foo=1&got=2", false, 1772367600000},
        {"", false, 1772367600000},
        {"?e=0", false, 1772367600000},
        {"?e=-5", false, 1772367600000},
        {"?e=abc", false, 1772367600000},
        {"?e=99999999999999999999", false, 1772367600000},
        {"?e=1", false, 1000},
        {"?e=7&e=8", false, 7000},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        char urls[128];
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, urls, sizeof(urls));
        cad_sb_printf(&sb, "[{\"cdn_id\":1,\"url\":\"https://h.test/%s\"}]", cases[i].query);
        struct outcome o = parse_with("\"servers\":[{\"id\":1}]", urls);
        const struct cad_location *location = &rep_of(&o, "v")->locations[0];
        assert_int_equal(location->range_in_path, cases[i].in_path);
        assert_int_equal(location->expiry_ms, cases[i].expiry_ms);
        outcome_free(&o);
    }
}

/* The query is kept byte for byte. */
static void test_steer_query_untouched(void **state)
{
    (void)state;
    struct outcome o = parse_with("\"servers\":[{\"id\":1}]",
                                  "[{\"cdn_id\":1,\"url\":\"https:\\/\\/h.test/a/../b/?z=1&a=%2b"
                                  "%2B&e=&x==&&y\"}]");
    assert_str(rep_of(&o, "v")->locations[0].url, "https://h.test/a/../b/?z=1&a=%2b%2B&e=&x==&&y");
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steer_order),
        cmocka_unit_test(test_steer_ties),
        cmocka_unit_test(test_steer_bad_servers),
        cmocka_unit_test(test_steer_locations_follow_servers),
        cmocka_unit_test(test_steer_hosts_in_order),
        cmocka_unit_test(test_steer_refused_urls),
        cmocka_unit_test(test_steer_http),
        cmocka_unit_test(test_steer_relative),
        cmocka_unit_test(test_steer_range_style_and_expiry),
        cmocka_unit_test(test_steer_query_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
