/* Goal: the parser's life, the choice of format, and errors that say what they should. */
#include "manifest_support.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

static void test_sniff(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        size_t n;
        int rc;
        enum cad_manifest_format format;
    } cases[] = {
        {"{", 1, 0, CAD_FORMAT_LICENSED},
        {" \r\n\t{", 5, 0, CAD_FORMAT_LICENSED},
        {"<MPD", 4, 0, CAD_FORMAT_DASH},
        {"\xef\xbb\xbf<MPD", 7, 0, CAD_FORMAT_DASH},
        {"\xff\xfe<\0", 4, 0, CAD_FORMAT_DASH},
        {"\xfe\xff\0<", 4, 0, CAD_FORMAT_DASH},
        {"#EXTM3U", 7, 0, CAD_FORMAT_HLS},
        {"\0\0\0\x1c" "ftyp", 8, 0, CAD_FORMAT_MP4},
        {"\0\0\0\x20" "styp", 8, 0, CAD_FORMAT_MP4},
        {"", 0, CAD_E_AGAIN, CAD_FORMAT_HLS},
        {"   ", 3, CAD_E_AGAIN, CAD_FORMAT_HLS},
        {"\0\0\0\x1c" "fty", 7, CAD_E_AGAIN, CAD_FORMAT_HLS},
        {"hello, world", 12, CAD_E_DATA, CAD_FORMAT_HLS},
        {"[1,2,3,4,5]", 11, CAD_E_DATA, CAD_FORMAT_HLS},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        enum cad_manifest_format format = CAD_FORMAT_HLS;
        cad_buf head = {(const uint8_t *)cases[i].head, cases[i].n};
        assert_int_equal(cad_manifest_sniff(head, &format), cases[i].rc);
        assert_int_equal(format, cases[i].format);
    }
}

static void assert_error(const char *document, int rc, enum cad_error_code code, uint32_t line)
{
    struct outcome o = test_parse_z(document);
    assert_int_equal(o.rc, rc);
    assert_int_equal(o.error.code, code);
    assert_int_equal(o.error.line, line);
    assert_true(o.error.message[0] != '\0');
    assert_null(o.presentation);
    outcome_free(&o);
}

static void test_parser_other_formats(void **state)
{
    (void)state;
    assert_error("<MPD/>", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 1);
    assert_error("#EXTM3U\n", CAD_E_UNSUPPORTED, CAD_ERR_MANIFEST_UNSUPPORTED, 0);
    assert_error("zzzzftypisom", CAD_E_UNSUPPORTED, CAD_ERR_MANIFEST_UNSUPPORTED, 0);
    assert_error("", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 0);
    assert_error("   ", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 0);
    assert_error("nothing known", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 0);
}

static void test_parser_broken_json(void **state)
{
    (void)state;
    assert_error("{", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 1);
    assert_error("{\n\"a\":1,\n}", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 3);
    assert_error("{}\n\n{}", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 3);
    assert_error("\xef\xbb\xbf{}", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 1);
    assert_error("{\"a\":\"\xff\"}", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 1);
    assert_error("{}", CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 0);
}

static void test_parser_create_refuses(void **state)
{
    (void)state;
    struct cad_manifest_parser *parser = NULL;
    struct cad_manifest_options options = test_options();
    assert_int_equal(cad_manifest_parser_create(NULL, &parser), CAD_E_INVAL);
    assert_int_equal(cad_manifest_parser_create(&options, NULL), CAD_E_INVAL);
    options.size = 0;
    assert_int_equal(cad_manifest_parser_create(&options, &parser), CAD_E_INVAL);
    options.size = sizeof(options) + 1;
    assert_int_equal(cad_manifest_parser_create(&options, &parser), CAD_E_INVAL);
    options = test_options();
    options.alloc.fn = NULL;
    assert_int_equal(cad_manifest_parser_create(&options, &parser), CAD_E_INVAL);
    assert_null(parser);
}

/* Zero limits mean the defaults. */
static void test_parser_zero_limits(void **state)
{
    (void)state;
    struct cad_manifest_options options = test_options();
    memset(&options.limits, 0, sizeof(options.limits));
    cad_str text = test_read_golden("example-b.json");
    struct outcome o = test_parse(text, &options, 0);
    assert_int_equal(o.rc, 0);
    outcome_free(&o);
    test_free_text(&text);
}

static void test_parser_calls_out_of_order(void **state)
{
    (void)state;
    struct cad_manifest_options options = test_options();
    struct cad_manifest_parser *parser = NULL;
    struct cad_presentation *p = NULL;
    cad_str text = test_read_golden("example-b.json");
    cad_buf document = cad_buf_from_str(text);
    assert_int_equal(cad_manifest_parser_create(&options, &parser), 0);
    assert_int_equal(cad_manifest_parser_take(parser, &p), CAD_E_INVAL);
    assert_int_equal(cad_manifest_parser_step(parser, document, 0), CAD_E_INVAL);
    assert_int_equal(cad_manifest_parser_step(NULL, document, 1), CAD_E_INVAL);
    assert_int_equal(cad_manifest_parser_step(parser, document, 1), CAD_E_AGAIN);
    cad_buf shorter = {document.p, document.n - 1};
    assert_int_equal(cad_manifest_parser_step(parser, shorter, 1), CAD_E_INVAL);
    assert_int_equal(cad_manifest_parser_take(parser, &p), CAD_E_INVAL);
    assert_int_equal(cad_manifest_parser_step(parser, document, UINT32_MAX), 0);
    assert_int_equal(cad_manifest_parser_step(parser, document, 1), 0);
    assert_int_equal(cad_manifest_parser_take(parser, &p), 0);
    struct cad_presentation *again = NULL;
    assert_int_equal(cad_manifest_parser_take(parser, &again), CAD_E_INVAL);
    cad_manifest_parser_destroy(&parser);
    /* The model outlives the parser and the document. */
    test_free_text(&text);
    assert_str(p->id, "900200");
    assert_str(p->periods[0].tracks[0].representations[0].profile, "h264mpl40-dash-clear");
    cad_presentation_destroy(&p);
    cad_manifest_parser_destroy(&parser);
    cad_manifest_parser_destroy(NULL);
}

/* A failed parser answers the same for ever, and has no result. */
static void test_parser_failure_stays(void **state)
{
    (void)state;
    struct cad_manifest_options options = test_options();
    struct cad_manifest_parser *parser = NULL;
    struct cad_presentation *p = NULL;
    cad_buf document = cad_buf_from_str(CAD_STR("{\"movieId\":1}"));
    assert_int_equal(cad_manifest_parser_create(&options, &parser), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cad_manifest_parser_step(parser, document, 100), CAD_E_DATA);
        assert_int_equal(cad_manifest_parser_take(parser, &p), CAD_E_INVAL);
    }
    cad_manifest_parser_destroy(&parser);
}

/* Half a parse is given up without a leak. */
static void test_parser_abandoned(void **state)
{
    (void)state;
    struct cad_manifest_options options = test_options();
    cad_str text = test_read_golden("example-a.json");
    for (uint32_t tokens = 1; tokens < 900; tokens += 13) {
        struct cad_manifest_parser *parser = NULL;
        assert_int_equal(cad_manifest_parser_create(&options, &parser), 0);
        int rc = cad_manifest_parser_step(parser, cad_buf_from_str(text), tokens);
        assert_true(rc == CAD_E_AGAIN || rc == 0);
        cad_manifest_parser_destroy(&parser);
    }
    test_free_text(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sniff),
        cmocka_unit_test(test_parser_other_formats),
        cmocka_unit_test(test_parser_broken_json),
        cmocka_unit_test(test_parser_create_refuses),
        cmocka_unit_test(test_parser_zero_limits),
        cmocka_unit_test(test_parser_calls_out_of_order),
        cmocka_unit_test(test_parser_failure_stays),
        cmocka_unit_test(test_parser_abandoned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
