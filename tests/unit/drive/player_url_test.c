/* What a person types, as an absolute URL. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "drive/player_impl.h"

static char url[256];

static int to_url(const char *text)
{
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, url, sizeof url);
    url[0] = '\0';
    return cad_player_title_url(cad_str_from(text), &sb);
}

static void test_player_url_urls(void **state)
{
    (void)state;
    static const char *const same[] = {"http://a/b?c=d#e", "HTTPS://a", "file:///a%20b", "file:/a",
                                       "ftp://a", "x-y.z+1://a"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_int_equal(to_url(same[i]), 0);
        assert_string_equal(url, same[i]);
    }
}

static void test_player_url_absolute(void **state)
{
    (void)state;
    assert_int_equal(to_url("/a b/c#d?e%41.mp4"), 0);
    assert_string_equal(url, "file:///a%20b/c%23d%3Fe%2541.mp4");
    assert_int_equal(to_url("/"), 0);
    assert_string_equal(url, "file:///");
    assert_int_equal(to_url("/\xc3\xa4"), 0);
    assert_string_equal(url, "file:///%C3%A4");
}

static void test_player_url_relative(void **state)
{
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(to_url("a/b.mp4"), 0);
    assert_string_equal(url, "file:///a/b.mp4");
    assert_int_equal(chdir("/usr"), 0);
    assert_int_equal(to_url("./b c.mp4"), 0);
    assert_string_equal(url, "file:///usr/./b%20c.mp4");
    /* A colon alone makes no URL. */
    assert_int_equal(to_url("Part 1: a.mp4"), 0);
    assert_string_equal(url, "file:///usr/Part%201%3A%20a.mp4");
    assert_int_equal(to_url("a:b"), 0);
    assert_string_equal(url, "file:///usr/a%3Ab");
    assert_int_equal(to_url("1http://a"), 0);
    assert_string_equal(url, "file:///usr/1http%3A//a");
    assert_int_equal(chdir(before), 0);
}

static void test_player_url_limits(void **state)
{
    (void)state;
    char longest[512];
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(to_url(""), CAD_E_INVAL);
    assert_int_equal(to_url(longest), CAD_E_LIMIT);
    longest[249] = '\0'; /* 249 + 7 = 256: one too many with the NUL */
    assert_int_equal(to_url(longest), CAD_E_LIMIT);
    longest[248] = '\0';
    assert_int_equal(to_url(longest), 0);
    assert_int_equal(strlen(url), 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_player_url_urls),
        cmocka_unit_test(test_player_url_absolute),
        cmocka_unit_test(test_player_url_relative),
        cmocka_unit_test(test_player_url_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
