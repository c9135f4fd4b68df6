/* Goal: the parser's contract: arguments, slices, truncations, limits, failing allocations. */
#include "text_support.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "support/failing_alloc.h"

static const char rich[] = TT("xml:lang='en'",
    "<styling><initial tts:color='lime'/><style xml:id='a' style='b' tts:fontFamily='x, y'/>"
    "<style xml:id='b' tts:textShadow='1rh 1rh, 1rh 2rh red'/></styling>"
    "<layout><region xml:id='r' tts:backgroundColor='red'><style tts:padding='1%'/></region>"
    "<region xml:id='s'/></layout>",
    "<body xml:lang='de'><div region='r' tts:backgroundColor='red'><p begin='1s' style='a b'>"
    "<set begin='1s' tts:color='red'/>a<span tts:backgroundColor='blue' tts:unicodeBidi='embed'>b"
    "</span><br/><span tts:ruby='container'><span tts:ruby='base'>c</span><span tts:ruby='text'>d"
    "</span></span>e<span>f</span></p></div><div region='s'><image src='i.png'/></div></body>");

static int dump_of(const struct cad_text_options *options, size_t slice, cad_buf *out)
{
    struct cad_text *text = NULL;
    int rc = text_parse(options, CAD_STR(rich), slice, &text);
    if (rc == 0) rc = cad_text_dump(text, out);
    cad_text_destroy(&text);
    return rc;
}

static void drop(const struct cad_text_options *options, cad_buf *b)
{
    cad_alloc_free(&options->alloc, (void *)(uintptr_t)b->p, b->n, CAD_MEM_OTHER);
}

static void test_ttml_slices_do_not_matter(void **state)
{
    struct cad_text_options options;
    cad_buf whole = {NULL, 0};
    (void)state;
    cad_text_options_init(&options);
    assert_int_equal(dump_of(&options, sizeof(rich), &whole), 0);
    for (size_t slice = 1; slice < 40; slice += 3) {
        cad_buf part = {NULL, 0};
        assert_int_equal(dump_of(&options, slice, &part), 0);
        assert_true(cad_str_eq(cad_str_from_buf(part), cad_str_from_buf(whole)));
        drop(&options, &part);
    }
    drop(&options, &whole);
}

static void test_ttml_every_truncation_is_refused(void **state)
{
    struct cad_text_options options;
    (void)state;
    cad_text_options_init(&options);
    for (size_t n = 0; n + 1 < sizeof(rich); n++) {
        struct cad_text *text = NULL;
        assert_int_equal(text_parse(&options, cad_str_make(rich, n), 64, &text), CAD_E_DATA);
    }
}

static void test_ttml_every_allocation_fails(void **state)
{
    uint64_t at = 1;
    (void)state;
    for (;; at++) {
        struct cad_failing failing;
        struct cad_text_options options;
        cad_buf out = {NULL, 0};
        cad_failing_init(&failing, at);
        cad_text_options_init(&options);
        options.alloc = cad_failing_alloc(&failing);
        int rc = dump_of(&options, 50, &out);
        assert_int_equal(rc, failing.failed > 0 ? CAD_E_NOMEM : 0);
        drop(&options, &out);
        assert_int_equal(failing.live_blocks, 0);
        assert_int_equal(failing.mismatches, 0);
        if (failing.failed == 0) break;
    }
    assert_true(at > 15);
}

static void limited(const struct cad_text_limits *limits, const char *document, int expected)
{
    struct cad_text_options options;
    struct cad_text *text = NULL;
    cad_text_options_init(&options);
    options.limits = *limits;
    assert_int_equal(text_parse(&options, cad_str_from(document), 16, &text), expected);
    cad_text_destroy(&text);
}

static void test_ttml_limits(void **state)
{
    static const char three[] = TT("", "<styling><style xml:id='a'/><style xml:id='b'/></styling>"
                                       "<layout><region xml:id='a'/><region xml:id='b'/></layout>",
                                   "<body><div><p>a</p></div></body>");
    (void)state;
    limited(&(struct cad_text_limits){.document_bytes = sizeof(three) - 1}, three, 0);
    limited(&(struct cad_text_limits){.document_bytes = sizeof(three) - 2}, three, CAD_E_LIMIT);
    limited(&(struct cad_text_limits){.depth = 4}, three, 0);
    limited(&(struct cad_text_limits){.depth = 3}, three, CAD_E_LIMIT);
    limited(&(struct cad_text_limits){.elements = 11}, three, 0);
    limited(&(struct cad_text_limits){.elements = 10}, three, CAD_E_LIMIT);
    limited(&(struct cad_text_limits){.regions = 2}, three, 0);
    limited(&(struct cad_text_limits){.regions = 1}, three, CAD_E_LIMIT);
    limited(&(struct cad_text_limits){.styles = 2}, three, 0);
    limited(&(struct cad_text_limits){.styles = 1}, three, CAD_E_LIMIT);
    limited(&(struct cad_text_limits){.memory_bytes = 32768}, three, 0);
    limited(&(struct cad_text_limits){.memory_bytes = 1024}, three, CAD_E_LIMIT);
}

static void test_ttml_depth_has_a_ceiling(void **state)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb sb;
    (void)state;
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 1 << 16);
    cad_sb_putz(&sb, TT_OPEN "><body><div><p>");
    for (size_t i = 0; i < 124; i++) cad_sb_putz(&sb, "<span tts:backgroundColor='red'>");
    cad_sb_putz(&sb, "a");
    for (size_t i = 0; i < 124; i++) cad_sb_putz(&sb, "</span>");
    cad_sb_putz(&sb, "</p></div></body></tt>");
    struct cad_text_options options;
    struct cad_text *text = NULL;
    cad_text_options_init(&options);
    options.limits.depth = 100000;
    assert_int_equal(text_parse(&options, cad_sb_str(&sb), 4096, &text), 0);
    struct cad_text_isd *isd = isd_of(text, 0);
    assert_int_equal(first_run(isd)->look.background_count, 124);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
    limited(&(struct cad_text_limits){.depth = 127}, cad_sb_z(&sb), CAD_E_LIMIT);
    cad_sb_deinit(&sb);
}

static void test_ttml_arguments_and_order(void **state)
{
    struct cad_text_options options;
    struct cad_text_parser *parser = NULL;
    struct cad_text *text = NULL;
    struct cad_text_error error;
    (void)state;
    cad_text_options_init(&options);
    assert_int_equal(cad_text_parser_create(NULL, &parser), CAD_E_INVAL);
    options.size = sizeof(options) + 1;
    assert_int_equal(cad_text_parser_create(&options, &parser), CAD_E_INVAL);
    options.size = sizeof(options);
    assert_int_equal(cad_text_parser_create(&options, &parser), 0);
    assert_int_equal(cad_text_parser_finish(parser, 1, &text), CAD_E_INVAL);
    assert_int_equal(cad_text_parser_feed(parser, cad_buf_from_str(CAD_STR("\n\n<x/>")), true),
                     CAD_E_DATA);
    assert_int_equal(cad_text_parser_feed(parser, (cad_buf){NULL, 0}, true), CAD_E_DATA);
    assert_int_equal(cad_text_parser_finish(parser, 1, &text), CAD_E_DATA);
    cad_text_parser_error(parser, &error);
    assert_int_equal(error.line, 3);
    assert_string_equal(error.message, "not a TTML document");
    cad_text_parser_destroy(&parser);
    assert_int_equal(cad_text_parser_create(&options, &parser), 0);
    assert_int_equal(cad_text_parser_feed(parser, cad_buf_from_str(CAD_STR(rich)), true), 0);
    assert_int_equal(cad_text_parser_feed(parser, (cad_buf){NULL, 0}, true), CAD_E_INVAL);
    assert_int_equal(cad_text_parser_finish(parser, 0, &text), CAD_E_INVAL);
    assert_int_equal(cad_text_parser_finish(parser, 1000, &text), 0);
    struct cad_text *again = NULL;
    assert_int_equal(cad_text_parser_finish(parser, 1000, &again), CAD_E_INVAL);
    cad_text_parser_destroy(&parser);
    cad_text_parser_destroy(&parser);
    cad_text_destroy(&text);
    cad_text_destroy(&text);
    cad_text_destroy(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ttml_slices_do_not_matter),
        cmocka_unit_test(test_ttml_every_truncation_is_refused),
        cmocka_unit_test(test_ttml_every_allocation_fails),
        cmocka_unit_test(test_ttml_limits),
        cmocka_unit_test(test_ttml_depth_has_a_ceiling),
        cmocka_unit_test(test_ttml_arguments_and_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
