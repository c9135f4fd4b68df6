/* Goal: only elements of the root's namespace count, wherever it comes from; what is not known is
 * passed over with all below it; errors say the line. */
#include "manifest_support.h"

#include "base/str.h"
#include "base/util.h"

static void assert_reads(const char *document, const char *part)
{
    struct outcome o = test_parse_z(document);
    if (o.rc != 0) fail_msg("%s: %s", document, o.error.message);
    cad_str dump = cad_str_from_buf(o.dump);
    if (cad_str_find(dump, cad_str_from(part)) < 0) {
        fail_msg("no %s in %.*s", part, CAD_STR_ARG(dump));
    }
    outcome_free(&o);
}

static void test_dash_read_namespaces(void **state)
{
    (void)state;
    static const char found[] = "\"periods\":[{\"id\":\"p\",\"start_s\":0,\"tracks\":[]}]";
    assert_reads("<MPD><Period id='p'/></MPD>", found);
    assert_reads("<MPD xmlns='urn:mpeg:DASH:schema:MPD:2011'><Period id='p'/></MPD>", found);
    assert_reads("<m:MPD xmlns:m='u'><m:Period id='p'/></m:MPD>", found);
    assert_reads("<m:MPD xmlns:m='u'><x:Period xmlns:x='u' id='p'/></m:MPD>", found);
    assert_reads("<foo:MPD><foo:Period id='p'/></foo:MPD>", found);
    assert_reads("<MPD xmlns='u'><Period xmlns='v' id='no'/><Period id='p'/></MPD>", found);
    assert_reads("<MPD xmlns='u'><x:Wrap xmlns:x='v'><Period id='no'/></x:Wrap>"
                 "<Period id='p'/></MPD>", found);
    assert_reads("<MPD xmlns='u'><Unknown><Period id='no'/></Unknown><Period id='p'/>"
                 "</MPD>", found);
    assert_reads("<MPD xmlns='u'><Period id='p' x:id='no' xmlns:x='w'/></MPD>", found);
}

/* Text in pieces, with entities and sections, is one text. */
static void test_dash_read_text(void **state)
{
    (void)state;
    assert_reads("<MPD><Location> a<!-- c -->&amp;<![CDATA[b]]>\n</Location><Period/></MPD>",
                 "\"locations\":[\"https://svc.test/a&b\"]");
    assert_reads("<MPD><Location>x<Other>no</Other>y</Location><Period/></MPD>",
                 "\"locations\":[\"https://svc.test/xy\"]");
}

static void test_dash_read_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *topic;
        uint32_t line;
    } cases[] = {
        {"<x/>", "root", 1},
        {"\n<x:MPDs/>", "root", 2},
        {"<MPD>\n\n", "xml", 3},
        {"<MPD>\n<Period>\n</MPD>", "xml", 3},
        {"<!DOCTYPE MPD><MPD/>", "xml", 1},
        {"<MPD><Period><AdaptationSet><SegmentTemplate>\n<SegmentTimeline>\n<S t='1'/>"
         "</SegmentTimeline></SegmentTemplate></AdaptationSet></Period></MPD>", "timeline", 3},
        {"<MPD>\n<Period>\n<AdaptationSet>\n<Representation bandwidth='x'/></AdaptationSet>"
         "</Period></MPD>", "attr", 4},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct outcome o = test_parse_z(cases[i].text);
        assert_int_equal(o.rc, CAD_E_DATA);
        assert_string_equal(o.error.topic, cases[i].topic);
        if (o.error.line != cases[i].line) fail_msg("%s: line %u", cases[i].text, o.error.line);
        outcome_free(&o);
    }
}

/* S outside of a timeline, and what is inside of an S, is nothing. */
static void test_dash_read_s(void **state)
{
    (void)state;
    assert_reads("<MPD><S/><Period id='p'><AdaptationSet><SegmentTemplate media='m'>"
                 "<SegmentTimeline><S d='1'><S/><Period/></S></SegmentTimeline></SegmentTemplate>"
                 "<Representation/></AdaptationSet></Period></MPD>",
                 "\"segments\":[{\"number\":1,\"start_s\":0,\"duration_s\":1,");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_read_namespaces),
        cmocka_unit_test(test_dash_read_text),
        cmocka_unit_test(test_dash_read_errors),
        cmocka_unit_test(test_dash_read_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
