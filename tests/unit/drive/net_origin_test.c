/* What is remembered of an origin, for how long, and who is forgotten first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/util.h"
#include "drive/net_origin.h"

static uint64_t key(const char *url)
{
    struct cad_uri uri;
    assert_int_equal(cad_uri_parse(cad_str_from(url), &uri), 0);
    return cad_net_origin_key(&uri);
}

static void test_net_origin_key(void **state)
{
    CAD_UNUSED(state);
    assert_true(key("https://a.example/x?y") == key("HTTPS://A.Example:443/z"));
    assert_true(key("http://a.example") == key("http://a.example:80/"));
    static const char *const urls[] = {"https://a.example", "http://a.example",
                                       "https://a.example:444", "https://b.example",
                                       "https://a.exampl", "http://a.example:443"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(urls); i++) {
        assert_true(key(urls[i]) != 0);
        for (size_t k = 0; k < i; k++) assert_true(key(urls[i]) != key(urls[k]));
    }
}

static void test_net_origin_remembers(void **state)
{
    CAD_UNUSED(state);
    struct cad_net_origins origins = {0};
    assert_int_equal(cad_net_origin_version(&origins, 7), 0);
    assert_false(cad_net_origin_multiplexes(&origins, 7, 0));
    cad_net_origin_heard(&origins, 7, 11, CAD_SECOND);
    cad_net_origin_heard(&origins, 8, 20, CAD_SECOND);
    assert_int_equal(cad_net_origin_version(&origins, 7), 11);
    assert_int_equal(cad_net_origin_version(&origins, 8), 20);
    assert_false(cad_net_origin_multiplexes(&origins, 7, CAD_SECOND));
    assert_true(cad_net_origin_multiplexes(&origins, 8, CAD_SECOND));
    assert_true(cad_net_origin_multiplexes(&origins, 8, CAD_NET_ORIGIN_OPEN));
    assert_false(cad_net_origin_multiplexes(&origins, 8, CAD_SECOND + CAD_NET_ORIGIN_OPEN));
    cad_net_origin_heard(&origins, 8, 11, 2 * CAD_SECOND); /* it may change */
    assert_int_equal(cad_net_origin_version(&origins, 8), 11);
}

static void test_net_origin_limit(void **state)
{
    CAD_UNUSED(state);
    struct cad_net_origins origins = {0};
    for (uint64_t i = 1; i <= CAD_NET_ORIGINS_MAX; i++) {
        cad_net_origin_heard(&origins, i, 20, (cad_time)i * CAD_SECOND);
    }
    cad_net_origin_heard(&origins, 1, 20, 100 * CAD_SECOND); /* now 2 is the oldest */
    cad_net_origin_heard(&origins, 99, 20, 101 * CAD_SECOND);
    assert_int_equal(cad_net_origin_version(&origins, 2), 0);
    assert_int_equal(cad_net_origin_version(&origins, 99), 20);
    for (uint64_t i = 1; i <= CAD_NET_ORIGINS_MAX; i++) {
        if (i != 2) assert_int_equal(cad_net_origin_version(&origins, i), 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_origin_key),
        cmocka_unit_test(test_net_origin_remembers),
        cmocka_unit_test(test_net_origin_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
