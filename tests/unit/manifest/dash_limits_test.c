/* Goal: every limit of a DASH parse holds at n and refuses n + 1. */
#include "manifest_support.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"

#define TEXT_BYTES_MAX (32u << 20)
#define HEAD "<MPD mediaPresentationDuration='PT2S'>"

static struct cad_sb text; /* the document under test */

static int setup(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    cad_sb_init(&text, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cad_sb_deinit(&text);
    return 0;
}

static void assert_text(const struct cad_manifest_options *given, bool fits)
{
    struct cad_manifest_options options = test_options();
    struct cad_manifest_parser *parser = NULL;
    struct cad_manifest_error error;
    if (given) options = *given;
    assert_int_equal(cad_sb_error(&text), 0);
    assert_int_equal(cad_manifest_parser_create(&options, &parser), 0);
    int rc = cad_manifest_parser_step(parser, cad_buf_from_str(cad_sb_str(&text)), UINT32_MAX);
    cad_manifest_parser_error(parser, &error);
    if (fits && rc != 0) fail_msg("%s", error.message);
    if (!fits) {
        assert_int_equal(rc, CAD_E_LIMIT);
        assert_int_equal(error.code, CAD_ERR_MANIFEST_LIMIT);
    }
    cad_manifest_parser_destroy(&parser);
}

/* before, n times each, after; %u in each is its number. */
static void repeat(const char *before, const char *each, uint32_t n, const char *after)
{
    cad_str format = cad_str_from(each);
    ptrdiff_t at = cad_str_find(format, CAD_STR("%u"));
    cad_sb_reset(&text);
    cad_sb_putz(&text, before);
    for (uint32_t i = 0; i < n; i++) {
        cad_sb_put(&text, at < 0 ? format : cad_str_sub(format, 0, (size_t)at));
        if (at < 0) continue;
        cad_sb_u64(&text, i);
        cad_sb_put(&text, cad_str_sub(format, (size_t)at + 2, format.n));
    }
    cad_sb_putz(&text, after);
}

static void assert_repeats(const char *before, const char *each, uint32_t most, const char *after)
{
    repeat(before, each, most, after);
    assert_text(NULL, true);
    repeat(before, each, most + 1, after);
    assert_text(NULL, false);
}

static void test_dash_limits_counts(void **state)
{
    (void)state;
    assert_repeats(HEAD "<Period>", "<AdaptationSet/>", CAD_DASH_SETS_MAX, "</Period></MPD>");
    assert_repeats(HEAD "<Period><AdaptationSet>", "<Representation id='%u' bandwidth='1'/>",
                   CAD_DASH_REPRESENTATIONS_MAX, "</AdaptationSet></Period></MPD>");
    /* MPD, Period and the roles. */
    assert_repeats(HEAD "<Period>", "<Role/>", CAD_DASH_NODES_MAX - 2, "</Period></MPD>");
    assert_repeats(HEAD "<Period><AdaptationSet mimeType='video/mp4'>",
                   "<Representation bandwidth='1'><BaseURL>https://h%u.test/</BaseURL>"
                   "</Representation>",
                   CAD_DASH_SERVERS_MAX, "</AdaptationSet></Period></MPD>");
}

/* Of BaseURLs the first 64 combinations count; more are no error. */
static void test_dash_limits_bases(void **state)
{
    (void)state;
    repeat(HEAD, "<BaseURL>https://h.test/%u/</BaseURL>", 9,
           "<Period><BaseURL>a/</BaseURL><BaseURL>b/</BaseURL><BaseURL>c/</BaseURL>"
           "<BaseURL>d/</BaseURL><BaseURL>e/</BaseURL><BaseURL>f/</BaseURL><BaseURL>g/</BaseURL>"
           "<BaseURL>h/</BaseURL><AdaptationSet mimeType='video/mp4'>"
           "<Representation id='r' bandwidth='1'/></AdaptationSet></Period></MPD>");
    struct outcome o = test_parse(cad_sb_str(&text), NULL, 0);
    assert_int_equal(o.rc, 0);
    const struct cad_representation *r = rep_of(&o, "r");
    assert_int_equal(r->location_count, CAD_DASH_BASES_MAX);
    assert_str(r->locations[0].url, "https://h.test/0/a/");
    assert_str(r->locations[9].url, "https://h.test/1/b/");
    outcome_free(&o);
}

static void test_dash_limits_options(void **state)
{
    (void)state;
    struct cad_manifest_options options = test_options();
    options.limits.depth = 4;
    repeat(HEAD "<Period><AdaptationSet>", "<Representation bandwidth='1'/>", 1,
           "</AdaptationSet></Period></MPD>");
    assert_text(&options, true);
    options.limits.depth = 3;
    assert_text(&options, false);
    options = test_options();
    options.limits.document_bytes = (uint32_t)cad_sb_str(&text).n;
    assert_text(&options, true);
    options.limits.document_bytes--;
    assert_text(&options, false);
    options = test_options();
    options.limits.string_bytes = 60;
    repeat(HEAD "<Location>", "x", 60, "</Location><Period/></MPD>");
    assert_text(&options, true);
    repeat(HEAD "<Location>", "x", 61, "</Location><Period/></MPD>");
    assert_text(&options, false);
    repeat(HEAD "<Period id='", "x", 61, "'/></MPD>");
    assert_text(&options, false);
}

/* Many representations with a long URL each for every BaseURL: the model has a ceiling. */
static void test_dash_limits_model(void **state)
{
    (void)state;
    char each[4096];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, each, sizeof(each));
    cad_sb_putz(&sb, "<Representation bandwidth='1'><BaseURL>");
    for (int i = 0; i < 3000; i++) cad_sb_putc(&sb, 'u');
    cad_sb_putz(&sb, "</BaseURL></Representation>");
    const char *bases =
        HEAD "<BaseURL>https://a/</BaseURL><BaseURL>https://b/</BaseURL>"
        "<BaseURL>https://c/</BaseURL><BaseURL>https://d/</BaseURL>"
        "<BaseURL>https://e/</BaseURL><BaseURL>https://f/</BaseURL>"
        "<Period><BaseURL>1/</BaseURL><BaseURL>2/</BaseURL><BaseURL>3/</BaseURL>"
        "<BaseURL>4/</BaseURL><BaseURL>5/</BaseURL><BaseURL>6/</BaseURL><AdaptationSet>";
    repeat(bases, each, 500, "</AdaptationSet></Period></MPD>");
    assert_text(NULL, true);
    repeat(bases, each, 1000, "</AdaptationSet></Period></MPD>");
    assert_text(NULL, false);
}

/* One long timeline, read with as many clocks as there are representations. */
static void test_dash_limits_timelines(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb head;
    cad_sb_init(&head, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
    cad_sb_putz(&head, HEAD "<Period><AdaptationSet><SegmentTemplate media='m'><SegmentTimeline>");
    for (uint32_t i = 0; i < 20000; i++) cad_sb_printf(&head, "<S d='%u'/>", i % 2 + 1);
    cad_sb_putz(&head, "</SegmentTimeline></SegmentTemplate>");
    const char *each = "<Representation bandwidth='1'><SegmentTemplate timescale='100%u'/>"
                       "</Representation>";
    repeat(cad_sb_z(&head), each, 10, "</AdaptationSet></Period></MPD>");
    assert_text(NULL, true);
    repeat(cad_sb_z(&head), each, 100, "</AdaptationSet></Period></MPD>");
    assert_text(NULL, false);
    cad_sb_deinit(&head);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_limits_counts),
        cmocka_unit_test(test_dash_limits_bases),
        cmocka_unit_test(test_dash_limits_options),
        cmocka_unit_test(test_dash_limits_model),
        cmocka_unit_test(test_dash_limits_timelines),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
