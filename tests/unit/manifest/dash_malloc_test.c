/* Goal: when any allocation of a DASH parse or its dump fails, those of the XML library among them,
 * the parse says that memory ran out and nothing leaks into the next one. */
#include "manifest_support.h"

#include "base/mem.h"
#include "base/str.h"
#include "unit/base/failing_malloc.h"

static const char document[] =
    "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011' mediaPresentationDuration='PT9S'>"
    "<BaseURL>https://h.test/</BaseURL><Period><AdaptationSet mimeType='video/mp4'>"
    "<SegmentTemplate timescale='10' initialization='i' media='$Number$-$RepresentationID$'>"
    "<SegmentTimeline><S t='0' d='20' r='2'/><S d='30'/></SegmentTimeline></SegmentTemplate>"
    "<Representation id='a' bandwidth='1'/><Representation id='b' bandwidth='2'/></AdaptationSet>"
    "<AdaptationSet mimeType='audio/mp4' lang='en'><Label>English</Label>"
    "<SegmentTemplate duration='2' media='a$Number$'/>"
    "<Representation id='c' bandwidth='3'/></AdaptationSet></Period></MPD>";

/* The result, with the dump in *dump where it is 0. */
static int parse(cad_buf *dump, enum cad_error_code *code)
{
    struct cad_manifest_options options = test_options();
    struct cad_manifest_parser *parser = NULL;
    struct cad_presentation *presentation = NULL;
    struct cad_manifest_error error = {0};
    int rc = cad_manifest_parser_create(&options, &parser);
    if (rc != 0) error.code = CAD_ERR_OUT_OF_MEMORY;
    if (rc == 0) rc = CAD_E_AGAIN;
    while (rc == CAD_E_AGAIN) {
        rc = cad_manifest_parser_step(parser, cad_buf_from_str(CAD_STR(document)), 5);
        if (rc != CAD_E_AGAIN) cad_manifest_parser_error(parser, &error);
    }
    if (rc == 0) rc = cad_manifest_parser_take(parser, &presentation);
    if (rc == 0) {
        rc = cad_presentation_dump(presentation, &options.alloc, dump);
        if (rc != 0) error.code = CAD_ERR_OUT_OF_MEMORY;
    }
    *code = error.code;
    cad_manifest_parser_destroy(&parser);
    cad_presentation_destroy(&presentation);
    return rc;
}

static void test_dash_every_allocation_fails(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    uint64_t at = 1;
    for (;; at++) {
        cad_buf dump = {NULL, 0};
        enum cad_error_code code = CAD_ERR_NONE;
        failing_malloc_arm(at);
        int rc = parse(&dump, &code);
        uint64_t failed = failing_malloc_disarm();
        if (failed == 0) {
            assert_int_equal(rc, 0);
            assert_true(cad_str_find(cad_str_from_buf(dump), CAD_STR("4-b")) > 0);
        } else {
            assert_int_equal(rc, CAD_E_NOMEM);
            assert_int_equal(code, CAD_ERR_OUT_OF_MEMORY);
        }
        cad_alloc_free(&alloc, (void *)(uintptr_t)dump.p, dump.n, CAD_MEM_OTHER);
        if (failed == 0) break;
    }
    assert_true(at > 20);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
