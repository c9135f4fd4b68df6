/* Goal: references resolve as browsers do it, templates are filled in as 23009-1 5.3.9.4.4 says,
 * and a timeline is looked up without being written out. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/urls.h"

#define ALL ((struct cad_range){-1, -1})

static void assert_resolves(const char *base, const char *ref, const char *expected)
{
    char memory[512];
    struct cad_sb out;
    cad_sb_init_fixed(&out, memory, sizeof(memory));
    int rc = cad_urls_resolve(cad_str_from(base), cad_str_from(ref), &out);
    if (!expected) {
        assert_true(rc < 0);
        assert_int_equal(out.n, 0);
        return;
    }
    assert_int_equal(rc, 0);
    assert_string_equal(cad_sb_z(&out), expected);
}

static void test_urls_resolve(void **state)
{
    (void)state;
    assert_resolves("https://h/a/b?q", "c", "https://h/a/c");
    assert_resolves("https://h/a/b?q", " \n c d\t", "https://h/a/c%20d");
    assert_resolves("https://h/a/b?q", "", "https://h/a/b?q");
    assert_resolves("https://h/a/b?q", "?k=v", "https://h/a/b?k=v");
    assert_resolves("https://h/a/b", "../../../x", "https://h/x");
    assert_resolves("https://h/a/b", "//o/p", "https://o/p");
    assert_resolves("https://h/", "\"<>\\^`{|}\x7f", "https://h/%22%3C%3E%5C%5E%60%7B%7C%7D%7F");
    assert_resolves("https://h/", "\xc3\xa9%20%zz", "https://h/%C3%A9%20%zz");
    assert_resolves("https://h", "x", "https://h/x");
    assert_resolves("https://h/", "ftp://o/x", "ftp://o/x");
}

/* Without the document's own URL, paths stay relative to it. */
static void test_urls_resolve_relative(void **state)
{
    (void)state;
    assert_resolves("", "a/b.mp4", "a/b.mp4");
    assert_resolves("a/b.mp4", "c.mp4", "a/c.mp4");
    assert_resolves("/a/b", "c", "/a/c");
    assert_resolves("a/b", "/c", "/c");
    assert_resolves("a/b", "//h/c", "//h/c");
    assert_resolves("a/b", "https://h/./c", "https://h/c");
    assert_resolves("", "", "");
}

static void test_urls_too_long(void **state)
{
    (void)state;
    static char text[9001];
    static char memory[20000];
    struct cad_sb out;
    memset(text, 'a', sizeof(text) - 1);
    cad_sb_init_fixed(&out, memory, sizeof(memory));
    assert_true(cad_urls_resolve(CAD_STR("https://h/"), cad_str_from(text), &out) < 0);
    assert_int_equal(out.n, 0);
    text[8000] = '\0';
    assert_int_equal(cad_urls_resolve(CAD_STR("https://h/"), cad_str_from(text), &out), 0);
}

static const struct cad_url_run runs[] = {
    {1000, 10, 5, 0, 0},
    {2000, 20, 100, 3, 7},
};

static void assert_media(const char *media, uint32_t index, const char *expected)
{
    char memory[512];
    struct cad_sb out;
    struct cad_range bytes = {5, 5};
    struct cad_segment_urls urls = {.id = CAD_STR_INIT("v $1"),
                                    .bandwidth = 500000,
                                    .media = cad_str_from(media),
                                    .runs = runs,
                                    .run_count = CAD_ARRAY_LEN(runs),
                                    .count = 5};
    struct cad_representation r = {.addressing = CAD_ADDRESSING_SEGMENTS, .urls = &urls};
    struct cad_location location = {.url = CAD_STR_INIT("https://h/")};
    cad_sb_init_fixed(&out, memory, sizeof(memory));
    assert_int_equal(cad_segment_url(&r, &location, index, &out, &bytes), 0);
    assert_string_equal(cad_sb_z(&out), expected);
    assert_int_equal(bytes.first, -1);
}

static void test_urls_templates(void **state)
{
    (void)state;
    assert_media("$Number$", 0, "https://h/5");
    assert_media("$Number$", 4, "https://h/101");
    assert_media("$Time$-$Number%05d$", 2, "https://h/1020-00007");
    assert_media("$Time%06d$", 3, "https://h/002000");
    assert_media("$Bandwidth$/$Bandwidth%08d$", 0, "https://h/500000/00500000");
    assert_media("$RepresentationID$.m4s", 0, "https://h/v%20$1.m4s");
    assert_media("$$$Number$$$", 0, "https://h/$5$");
    assert_media("$Foo$-$Number%5d$-$Number%0d$-$Number%05x$-$number$", 0,
                 "https://h/$Foo$-$Number%5d$-$Number%0d$-$Number%05x$-$number$");
    assert_media("$RepresentationID%05d$", 0, "https://h/$RepresentationID%05d$");
    assert_media("$Number", 0, "https://h/$Number");
    assert_media("$Number%099d$", 0, "https://h/00000000000000000005");
    assert_media("plain", 4, "https://h/plain");
    assert_media("$", 4, "https://h/$");
}

/* Neither number nor time in the address of an initialisation segment. */
static void test_urls_init(void **state)
{
    (void)state;
    char memory[128];
    struct cad_sb out;
    struct cad_range bytes;
    struct cad_segment_urls urls = {.id = CAD_STR_INIT("r"), .has_init = true,
                                    .init = CAD_STR_INIT("$RepresentationID$-$Number$"),
                                    .init_bytes = {-1, -1}};
    struct cad_representation r = {.urls = &urls};
    struct cad_location location = {.url = CAD_STR_INIT("https://h/")};
    cad_sb_init_fixed(&out, memory, sizeof(memory));
    assert_int_equal(cad_init_url(&r, &location, &out, &bytes), 0);
    assert_string_equal(cad_sb_z(&out), "https://h/r-$Number$");
    urls.has_init = false;
    assert_int_equal(cad_init_url(&r, &location, &out, &bytes), CAD_E_NOTFOUND);
}

static void test_urls_at(void **state)
{
    (void)state;
    struct cad_segment_urls urls = {.runs = runs, .run_count = 2, .count = 5};
    struct cad_url_segment at;
    assert_int_equal(cad_urls_at(&urls, 2, &at), 0);
    assert_true(at.start == 1020 && at.duration == 10 && at.number == 7 && at.item == 2);
    assert_int_equal(cad_urls_at(&urls, 3, &at), 0);
    assert_true(at.start == 2000 && at.duration == 20 && at.number == 100 && at.item == 7);
    assert_int_equal(cad_urls_at(&urls, 5, &at), CAD_E_NOTFOUND);
    assert_int_equal(cad_urls_at(NULL, 0, &at), CAD_E_INVAL);
    urls.run_count = 0;
    assert_int_equal(cad_urls_at(&urls, 0, &at), CAD_E_NOTFOUND);
}

/* A list that is shorter than its timeline says it has the location itself for the rest. */
static void test_urls_items(void **state)
{
    (void)state;
    char memory[128];
    struct cad_sb out;
    struct cad_range bytes = ALL;
    static const struct cad_url_item items[] = {{CAD_STR_INIT("a"), {1, 2}},
                                                {CAD_STR_INIT(""), {3, -1}}};
    struct cad_segment_urls urls = {.items = items, .item_count = 2, .runs = runs, .run_count = 1,
                                    .count = 3};
    struct cad_representation r = {.addressing = CAD_ADDRESSING_SEGMENTS, .urls = &urls};
    struct cad_location location = {.url = CAD_STR_INIT("https://h/b")};
    static const char *const expected[] = {"https://h/a", "https://h/b", "https://h/b"};
    for (uint32_t i = 0; i < 3; i++) {
        cad_sb_init_fixed(&out, memory, sizeof(memory));
        assert_int_equal(cad_segment_url(&r, &location, i, &out, &bytes), 0);
        assert_string_equal(cad_sb_z(&out), expected[i]);
        assert_int_equal(bytes.first, i < 2 ? items[i].bytes.first : -1);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_resolve),
        cmocka_unit_test(test_urls_resolve_relative),
        cmocka_unit_test(test_urls_too_long),
        cmocka_unit_test(test_urls_templates),
        cmocka_unit_test(test_urls_init),
        cmocka_unit_test(test_urls_at),
        cmocka_unit_test(test_urls_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
