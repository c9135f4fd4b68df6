/* Goal: every field of a recipe with its default and its clamps, and what makes a recipe bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/steer.h"

#include "base/str.h"
#include "support/failing_alloc.h"

#define MS CAD_MS
#define S CAD_SECOND

#define URLS "\"urls\":[{\"name\":\"a\",\"url\":\"https://a.test/p?data=5120\"}]"
#define PULSES "\"pulses\":2,\"pulse_delays\":[0,2000]"

static const char full[] =
    "{\"urls\":[{\"name\":\"a\",\"url\":\"https://a.test:444/p?x=1&data=5120\","
    "\"method\":\"https\"},"
    "{\"name\":\"cdn:12\",\"url\":\"http://[2001:db8::1]/q\"}],"
    "\"pulses\":3,\"pulse_delays\":[0,2000,70000],\"pulse_timeout\":700,\"next\":60000,"
    "\"logblob\":\"p.x-1\",\"ctx\":{\"ip\":\"2001:db8:7:8::1\",\"region\":\"eu\\u0041\",\"k\":-1.5,"
    "\"n\":null,\"a\":[\"s1\",22,{},true],\"zz\":[1],\"o\":{\"ip\":\"x\"}},"
    "\"name\":\"n\",\"type\":\"http_get\",\"unknown\":[[[{}]]]}";

static int parse(const char *json, struct cad_ftl_recipe **out)
{
    struct cad_alloc alloc = cad_alloc_system();
    return cad_ftl_recipe_parse(&alloc, cad_str_from(json), out);
}

static void drop(struct cad_ftl_recipe **recipe)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_ftl_recipe_destroy(&alloc, recipe);
    assert_null(*recipe);
}

static void assert_str(cad_str s, const char *text)
{
    if (!cad_str_eqz(s, text)) fail_msg("%.*s is not %s", CAD_STR_ARG(s), text);
}

/* A recipe of {URLS, pulses, delays and `members`}. */
static struct cad_ftl_recipe *with(const char *members)
{
    char json[8192];
    struct cad_ftl_recipe *recipe = NULL;
    (void)snprintf(json, sizeof(json), "{" URLS "," PULSES "%s%s}", *members ? "," : "", members);
    int err = parse(json, &recipe);
    if (err) fail_msg("%s: %d", json, err);
    return recipe;
}

static void test_recipe_reads_every_field(void **state)
{
    (void)state;
    struct cad_ftl_recipe *r = NULL;
    assert_int_equal(parse(full, &r), CAD_OK);
    assert_int_equal(r->target_count, 2);
    assert_str(r->targets[0].name, "a");
    assert_str(r->targets[0].url, "https://a.test:444/p?x=1&data=5120");
    assert_str(r->targets[0].host, "a.test");
    assert_str(r->targets[0].authority, "a.test:444");
    assert_int_equal(r->targets[0].data_bytes, 5120);
    assert_str(r->targets[1].name, "cdn:12");
    assert_str(r->targets[1].host, "2001:db8::1");
    assert_int_equal(r->targets[1].data_bytes, -1);
    assert_int_equal(r->pulses, 3);
    assert_true(r->delays[0] == 0 && r->delays[1] == 2 * S && r->delays[2] == 70 * S);
    assert_true(r->pulse_timeout == 700 * MS && r->next == 60 * S);
    assert_str(r->logblob, "p.x-1");
    assert_str(r->name, "n");
    assert_str(r->type, "http_get");
    assert_str(r->ctx, "{\"ip\":\"2001:db8:7:8::1\",\"region\":\"euA\",\"k\":-1.5}");
    assert_str(r->ctx_ip, "2001:db8:7::");
    assert_str(r->ctx_region, "euA");
    assert_int_equal(r->map_count, 2);
    assert_str(r->map[0].id, "s1");
    assert_str(r->map[1].id, "22");
    assert_int_equal(r->map[1].target, 0);
    assert_int_equal(r->dropped + r->warnings, 0);
    drop(&r);
}

static void test_recipe_defaults(void **state)
{
    (void)state;
    struct cad_ftl_recipe *r = with("");
    assert_true(r->pulse_timeout == 15 * S && r->next == 0);
    assert_str(r->logblob, "ftlProbe");
    assert_str(r->ctx, "{}");
    assert_int_equal(r->name.n + r->type.n + r->ctx_ip.n + r->map_count, 0);
    drop(&r);
}

static void test_recipe_clamps(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        cad_time timeout, next;
        uint32_t warnings;
    } rows[] = {
        {"\"pulse_timeout\":99", 100 * MS, 0, 0},
        {"\"pulse_timeout\":60001", 60 * S, 0, 0},
        {"\"pulse_timeout\":-5", 100 * MS, 0, 0},
        {"\"pulse_timeout\":\"7\"", 15 * S, 0, 1},
        {"\"pulse_timeout\":1.5", 15 * S, 0, 1},
        {"\"next\":9999", 15 * S, 10 * S, 0},
        {"\"next\":0", 15 * S, 0, 0},
        {"\"next\":-1", 15 * S, 0, 1},
        {"\"next\":true", 15 * S, 0, 1},
        {"\"next\":9007199254740992", 15 * S, 86400 * S, 0},
        {"\"next\":99999999999999999999", 15 * S, 0, 1},
        {"\"logblob\":\"bad name\"", 15 * S, 0, 1},
        {"\"logblob\":\"\"", 15 * S, 0, 1},
        {"\"logblob\":7", 15 * S, 0, 1},
        {"\"logblob\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
         15 * S, 0, 1},
        {"\"ctx\":[]", 15 * S, 0, 1},
        {"\"name\":{}", 15 * S, 0, 1},
        {"\"pulse_timeout\":200,\"pulse_timeout\":300", 200 * MS, 0, 0}}; /* the first counts */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cad_ftl_recipe *r = with(rows[i].members);
        assert_true(r->pulse_timeout == rows[i].timeout);
        assert_true(r->next == rows[i].next);
        assert_int_equal(r->warnings, rows[i].warnings);
        assert_str(r->logblob, "ftlProbe");
        drop(&r);
    }
}

static void test_recipe_pulses_and_delays(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
        uint32_t pulses;
        cad_time d0, d1, d2;
    } rows[] = {
        {"\"pulses\":1,\"pulse_delays\":[]", 0, 1, 0, 0, 0},
        {"\"pulses\":10,\"pulse_delays\":[5,6]", 0, 10, 5, 6, 0},
        {"\"pulses\":11,\"pulse_delay\":9", 0, 10, 0, 9, 9},
        {"\"pulses\":1e0,\"pulse_delay\":3600000", 0, 1, 0, 3600000, 3600000},
        {"\"pulses\":2,\"pulse_delay\":1,\"pulse_delays\":[7]", 0, 2, 7, 0, 0},
        {"\"pulses\":0,\"pulse_delay\":1", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulses\":-1,\"pulse_delay\":1", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulses\":\"3\",\"pulse_delay\":1", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulse_delay\":1", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulses\":1", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulses\":1,\"pulse_delay\":-1", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulses\":1,\"pulse_delay\":3600001", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulses\":1,\"pulse_delays\":[0,-1]", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulses\":1,\"pulse_delays\":[\"0\"]", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulses\":1,\"pulse_delays\":7,\"pulse_delay\":1", CAD_E_DATA, 0, 0, 0, 0},
        {"\"pulses\":1,\"pulse_delays\":[[]]", CAD_E_DATA, 0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char json[512];
        struct cad_ftl_recipe *r = NULL;
        (void)snprintf(json, sizeof(json), "{" URLS ",%s}", rows[i].text);
        assert_int_equal(parse(json, &r), rows[i].err);
        if (rows[i].err) {
            assert_null(r);
            continue;
        }
        assert_int_equal(r->pulses, rows[i].pulses);
        assert_true(r->delays[0] == rows[i].d0 * MS && r->delays[1] == rows[i].d1 * MS);
        assert_true(r->delays[2] == rows[i].d2 * MS);
        drop(&r);
    }
}

/* Single bad targets are dropped and counted; none left is no recipe. */
static void test_recipe_drops_bad_targets(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"name\":\"a\",\"url\":\"https://b.test/\"}", /* the name is taken */
        "{\"name\":\"b\"}", "{\"url\":\"https://b.test/\"}", "7", "[]", "null", "{}",
        "{\"name\":\"\",\"url\":\"https://b.test/\"}",
        "{\"name\":\"b c\",\"url\":\"https://b.test/\"}",
        "{\"name\":\"cdn:\",\"url\":\"https://b.test/\"}",
        "{\"name\":\"b\\u0000\",\"url\":\"https://b.test/\"}",
        "{\"name\":5,\"url\":\"https://b.test/\"}",
        "{\"name\":\"b\",\"url\":7}",
        "{\"name\":\"b\",\"url\":\"\"}",
        "{\"name\":\"b\",\"url\":\"/relative\"}",
        "{\"name\":\"b\",\"url\":\"//b.test/\"}",
        "{\"name\":\"b\",\"url\":\"ftp://b.test/\"}",
        "{\"name\":\"b\",\"url\":\"file:///etc/passwd\"}",
        "{\"name\":\"b\",\"url\":\"javascript:alert(1)\"}",
        "{\"name\":\"b\",\"url\":\"https:///nohost\"}",
        "{\"name\":\"b\",\"url\":\"https://user:pw@b.test/\"}",
        "{\"name\":\"b\",\"url\":\"https://b.test/#frag\"}",
        "{\"name\":\"b\",\"url\":\"https://b.test:99999/\"}",
        "{\"name\":\"b\",\"url\":\"https://b.test/\\r\\nX: y\"}",
        "{\"name\":\"b\",\"url\":\"https://b.test/\\ud800\"}",
        "{\"name\":\"b\",\"url\":\"https://b.test/\",\"method\":\"tcp\"}",
        "{\"name\":\"b\",\"url\":\"https://b.test/\",\"method\":1}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char json[1024];
        struct cad_ftl_recipe *r = NULL;
        (void)snprintf(json, sizeof(json),
                       "{\"urls\":[{\"name\":\"a\",\"url\":\"https://a.test/\"},%s]," PULSES "}",
                       bad[i]);
        if (parse(json, &r)) fail_msg("%s", json);
        if (r->target_count != 1 || r->dropped != 1) fail_msg("%s was taken", bad[i]);
        drop(&r);
        if (i == 0) continue;
        (void)snprintf(json, sizeof(json), "{\"urls\":[%s]," PULSES "}", bad[i]);
        assert_int_equal(parse(json, &r), CAD_E_DATA);
    }
}

static void test_recipe_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "x", "null", "[]", "7", "\"s\"", "{", "{}", "{" PULSES "}", "{" URLS "," PULSES "} x",
        "{\"urls\":{}," PULSES "}", "{\"urls\":[]," PULSES "}", "{\"urls\":\"a\"," PULSES "}",
        "{" URLS "," PULSES ",}", "{\"targets\":7," PULSES "}", "<html></html>",
        "{\"urls\":7,\"targets\":[{\"name\":\"a\",\"target\":\"https://a.test/\"}]," PULSES "}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cad_ftl_recipe *r = NULL;
        if (parse(bad[i], &r) != CAD_E_DATA || r) fail_msg("taken: %s", bad[i]);
    }
}

static void test_recipe_takes_the_other_form(void **state)
{
    (void)state;
    struct cad_ftl_recipe *r = NULL;
    assert_int_equal(parse("{\"targets\":[{\"name\":\"a\",\"target\":\"https://a.test/\","
                           "\"ctx\":{}}],\"pulses\":5,\"pulse_delay\":2000}", &r), CAD_OK);
    assert_str(r->targets[0].url, "https://a.test/");
    assert_true(r->delays[0] == 0 && r->delays[4] == 2 * S);
    drop(&r);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void test_recipe_target_and_url_limits(void **state)
{
    (void)state;
    static char json[CAD_FTL_RECIPE_BYTES_MAX + 64];
    struct cad_ftl_recipe *r = NULL;
    size_t n = (size_t)snprintf(json, sizeof(json), "{\"urls\":[");
    for (int i = 0; i < 18; i++) {
        n += (size_t)snprintf(json + n, sizeof(json) - n,
                              "%s{\"name\":\"t%d\",\"url\":\"https://t.test/\"}", i ? "," : "", i);
    }
    (void)snprintf(json + n, sizeof(json) - n, "]," PULSES "}");
    assert_int_equal(parse(json, &r), CAD_OK);
    assert_int_equal(r->target_count, CAD_FTL_TARGETS_MAX);
    assert_int_equal(r->dropped, 2);
    drop(&r);
    for (int over = 0; over < 2; over++) {
        char url[CAD_FTL_URL_MAX + 2];
        char name[CAD_FTL_NAME_MAX + 2];
        memset(url, 'u', sizeof(url));
        memcpy(url, "https://t.test/", 15);
        url[CAD_FTL_URL_MAX + over] = '\0';
        memset(name, 'n', sizeof(name));
        name[CAD_FTL_NAME_MAX] = '\0';
        (void)snprintf(json, sizeof(json),
                       "{\"urls\":[{\"name\":\"%s\",\"url\":\"%s\"}]," PULSES "}", name, url);
        assert_int_equal(parse(json, &r), over ? CAD_E_DATA : CAD_OK);
        if (!over) drop(&r);
        name[CAD_FTL_NAME_MAX] = 'n';
        name[CAD_FTL_NAME_MAX + 1] = '\0';
        (void)snprintf(json, sizeof(json),
                       "{\"urls\":[{\"name\":\"%s\",\"url\":\"https://a.test/\"}]," PULSES "}",
                       name);
        assert_int_equal(parse(json, &r), CAD_E_DATA);
    }
}

static void test_recipe_document_limits(void **state)
{
    (void)state;
    struct cad_ftl_recipe *r = NULL;
    struct cad_alloc alloc = cad_alloc_system();
    const char *small = "{" URLS "," PULSES "}";
    size_t max = CAD_FTL_RECIPE_BYTES_MAX;
    char *json = malloc(max + 1);
    assert_non_null(json);
    memset(json, ' ', max + 1);
    memcpy(json, small, strlen(small));
    assert_int_equal(cad_ftl_recipe_parse(&alloc, cad_str_make(json, max), &r), CAD_OK);
    drop(&r);
    assert_int_equal(cad_ftl_recipe_parse(&alloc, cad_str_make(json, max + 1), &r), CAD_E_LIMIT);
    free(json);
    assert_int_equal(parse("{" URLS "," PULSES ",\"u\":[[[[[[[]]]]]]]}", &r), CAD_OK);
    drop(&r);
    assert_int_equal(parse("{" URLS "," PULSES ",\"u\":[[[[[[[[]]]]]]]]}", &r), CAD_E_LIMIT);
}

/* What would make the context too long is left out; the rest of it stays. */
static void test_recipe_context_limits(void **state)
{
    (void)state;
    static char json[60000];
    struct cad_ftl_recipe *r = NULL;
    size_t n = (size_t)snprintf(json, sizeof(json), "{" URLS "," PULSES ",\"ctx\":{");
    for (int i = 0; i < 30; i++) {
        n += (size_t)snprintf(json + n, sizeof(json) - n, "\"k%d\":\"%01000d\",", i, 0);
    }
    n += (size_t)snprintf(json + n, sizeof(json) - n, "\"last\":1,\"a\":[");
    for (int i = 0; i < 100; i++) {
        n += (size_t)snprintf(json + n, sizeof(json) - n, "%s%d", i ? "," : "", i);
    }
    (void)snprintf(json + n, sizeof(json) - n, "]}}");
    assert_int_equal(parse(json, &r), CAD_OK);
    assert_true(r->ctx.n <= CAD_FTL_CTX_BYTES_MAX + 16);
    assert_non_null(strstr(r->ctx.p, "\"k0\":"));
    assert_null(strstr(r->ctx.p, "\"k29\":"));
    assert_true(cad_str_ends(r->ctx, CAD_STR("\"last\":1}")));
    assert_int_equal(r->map_count, CAD_FTL_MAP_MAX);
    drop(&r);
}

static void test_recipe_cuts_addresses(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"192.0.2.77", "192.0.2.0"},
                                          {"2001:db8::5", "2001:db8::"},
                                          {"fe80::1%eth0", "fe80::"}, {"", ""}, {"...", ""},
                                          {"1.2", "1.2.0"}, {"nonsense", ""}, {"::1", ""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char member[128];
        (void)snprintf(member, sizeof(member), "\"ctx\":{\"ip\":\"%s\"}", rows[i][0]);
        struct cad_ftl_recipe *r = with(member);
        assert_str(r->ctx_ip, rows[i][1]);
        drop(&r);
    }
}

static void test_recipe_every_truncation_is_refused(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    for (size_t n = 0; n < sizeof(full) - 1; n++) {
        struct cad_ftl_recipe *r = NULL;
        char *copy = malloc(n + 1); /* exact, so that a read past the end is seen */
        assert_non_null(copy);
        memcpy(copy, full, n);
        assert_int_equal(cad_ftl_recipe_parse(&alloc, cad_str_make(copy, n), &r), CAD_E_DATA);
        assert_null(r);
        free(copy);
    }
}

static void test_recipe_survives_failing_allocation(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        struct cad_failing failing;
        struct cad_ftl_recipe *r = NULL;
        cad_failing_init(&failing, at);
        struct cad_alloc alloc = cad_failing_alloc(&failing);
        int err = cad_ftl_recipe_parse(&alloc, cad_str_from(full), &r);
        assert_int_equal(err, failing.failed ? CAD_E_NOMEM : CAD_OK);
        cad_ftl_recipe_destroy(&alloc, &r);
        assert_int_equal(failing.live_blocks, 0);
        assert_int_equal(failing.mismatches, 0);
        if (!failing.failed) {
            assert_true(at > 3);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recipe_reads_every_field),
        cmocka_unit_test(test_recipe_defaults),
        cmocka_unit_test(test_recipe_clamps),
        cmocka_unit_test(test_recipe_pulses_and_delays),
        cmocka_unit_test(test_recipe_drops_bad_targets),
        cmocka_unit_test(test_recipe_is_refused),
        cmocka_unit_test(test_recipe_takes_the_other_form),
        cmocka_unit_test(test_recipe_target_and_url_limits),
        cmocka_unit_test(test_recipe_document_limits),
        cmocka_unit_test(test_recipe_context_limits),
        cmocka_unit_test(test_recipe_cuts_addresses),
        cmocka_unit_test(test_recipe_every_truncation_is_refused),
        cmocka_unit_test(test_recipe_survives_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
