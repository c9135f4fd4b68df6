/* Goal: which segments there are, when and under which number, for every rule of a timeline; and
 * the errors that a timeline can have. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/urls.h"

#define NOW_MS INT64_C(100000)

/* A presentation of 20 s with one representation that has this SegmentTemplate. */
static struct outcome parse(const char *mpd, const char *period, const char *segments)
{
    static char memory[8192];
    struct cad_sb sb;
    struct cad_manifest_options options = test_options();
    options.now_ms = NOW_MS;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    cad_sb_printf(&sb, "<MPD %s><Period %s><AdaptationSet mimeType='video/mp4'>"
                  "<Representation id='r' bandwidth='1'>%s</Representation></AdaptationSet>"
                  "</Period></MPD>", mpd, period, segments);
    assert_int_equal(cad_sb_error(&sb), 0);
    return test_parse(cad_sb_str(&sb), &options, 0);
}

#define STATIC_20 "mediaPresentationDuration='PT20S'"
#define LIVE "type='dynamic' availabilityStartTime='1970-01-01T00:00:00Z'"

/* "number:start+duration ..." of the published timeline, behind the offset, in ticks. */
static void assert_segments(const char *mpd, const char *period, const char *segments,
                            const char *expected)
{
    char memory[1024];
    struct cad_sb text;
    struct outcome o = parse(mpd, period, segments);
    if (o.rc != 0) fail_msg("%s: %s", segments, o.error.message);
    const struct cad_representation *r = rep_of(&o, "r");
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    for (uint32_t i = 0; r && i < r->urls->count; i++) {
        struct cad_url_segment at;
        struct cad_segment s;
        assert_int_equal(cad_urls_at(r->urls, i, &at), 0);
        assert_int_equal(cad_index_at(r->timeline, i, &s), 0);
        cad_sb_printf(&text, "%s%lld:%lld+%lld", i > 0 ? " " : "", (long long)at.number,
                      (long long)(at.start - r->time_offset_ticks), (long long)s.duration_ticks);
    }
    if (!cad_str_eqz(cad_sb_str(&text), expected)) {
        fail_msg("%s\n  is       %s\n  expected %s", segments, cad_sb_z(&text), expected);
    }
    outcome_free(&o);
}

static void assert_fails(const char *mpd, const char *segments, int rc, const char *topic)
{
    struct outcome o = parse(mpd, "", segments);
    if (o.rc != rc) fail_msg("%s: %d", segments, o.rc);
    assert_string_equal(o.error.topic, topic);
    assert_int_equal(o.error.line, 1);
    outcome_free(&o);
}

#define T(attributes, s)                                                                           \
    "<SegmentTemplate media='m' " attributes "><SegmentTimeline>" s "</SegmentTimeline>"           \
    "</SegmentTemplate>"
#define D(attributes) "<SegmentTemplate media='m' " attributes "/>"

static void test_dash_timeline_runs(void **state)
{
    (void)state;
    assert_segments(STATIC_20, "", T("", "<S t='0' d='5' r='1'/><S d='10'/>"),
                    "1:0+5 2:5+5 3:10+10");
    assert_segments(STATIC_20, "", T("", "<S d='5'/>"), "1:0+5");
    assert_segments(STATIC_20, "", T("startNumber='7'", "<S d='5' r='1'/><S n='20' d='5'/>"),
                    "7:0+5 8:5+5 20:10+5");
    assert_segments(STATIC_20, "", T("", "<S t='0' d='4'/><S t='6' d='4'/>"), "1:0+4 2:6+4");
    assert_segments(STATIC_20, "", T("", "<S t='0' d='4'/><S t='3' d='4'/>"), "1:0+4 2:3+4");
    assert_segments(STATIC_20, "", T("endNumber='2'", "<S d='5' r='3'/>"), "1:0+5 2:5+5");
    assert_segments(STATIC_20, "", T("timescale='10'", "<S d='100'/><S d='99'/>"),
                    "1:0+100 2:100+99");
}

static void test_dash_timeline_negative_repeat(void **state)
{
    (void)state;
    assert_segments(STATIC_20, "", T("", "<S t='0' d='7' r='-1'/>"), "1:0+7 2:7+7 3:14+7");
    assert_segments(STATIC_20, "", T("", "<S t='0' d='5' r='-1'/><S t='10' d='10'/>"),
                    "1:0+5 2:5+5 3:10+10");
    assert_segments(STATIC_20, "", T("", "<S t='12' d='5' r='-9'/><S t='12' d='4'/>"), "1:12+4");
    assert_segments(LIVE, "start='PT90S'", T("", "<S t='0' d='4' r='-1'/>"), "1:0+4 2:4+4");
    assert_segments(LIVE, "start='PT90S' duration='PT5S'", T("", "<S d='4' r='-1'/>"),
                    "1:0+4 2:4+4");
    assert_segments(LIVE, "start='PT900S'", T("", "<S t='0' d='4' r='-1'/>"), "");
    assert_segments("type='static'", "", T("endNumber='3'", "<S d='4' r='-1'/>"),
                    "1:0+4 2:4+4 3:8+4");
    assert_segments("type='static'", "", T("", "<S d='4' r='-1'/>"), "");
}

static void test_dash_timeline_outside_of_the_period(void **state)
{
    (void)state;
    assert_segments(STATIC_20, "", T("presentationTimeOffset='10'", "<S t='0' d='5' r='9'/>"),
                    "3:0+5 4:5+5 5:10+5 6:15+5");
    assert_segments(STATIC_20, "", T("presentationTimeOffset='7'", "<S t='0' d='5' r='9'/>"),
                    "2:-2+5 3:3+5 4:8+5 5:13+5 6:18+5");
    assert_segments(STATIC_20, "duration='PT3S'", T("presentationTimeOffset='50'", "<S d='5'/>"),
                    "");
    assert_segments(LIVE, "", T("presentationTimeOffset='10'", "<S t='0' d='5' r='2'/>"), "3:0+5");
    /* A period of no length has no segments. */
    assert_segments("mediaPresentationDuration='PT0S'", "", T("", "<S t='0' d='5'/>"), "");
}

static void test_dash_timeline_durations(void **state)
{
    (void)state;
    assert_segments(STATIC_20, "", D("duration='8'"), "1:0+8 2:8+8 3:16+4");
    assert_segments(STATIC_20, "", D("duration='20'"), "1:0+20");
    assert_segments(STATIC_20, "", D("duration='30'"), "1:0+20");
    assert_segments(STATIC_20, "", D("duration='10' presentationTimeOffset='3' startNumber='0'"),
                    "0:0+10 1:10+10");
    assert_segments(STATIC_20, "", D("duration='2' startNumber='5' endNumber='6'"), "5:0+2 6:2+2");
    assert_segments(STATIC_20, "", D("duration='2' startNumber='5' endNumber='4'"), "");
    assert_segments("mediaPresentationDuration='PT117.12S'", "",
                    D("timescale='50' duration='2928'"), "1:0+2928 2:2928+2928");
    assert_segments("mediaPresentationDuration='PT10.0000000000000001S'", "", D("duration='5'"),
                    "1:0+5 2:5+5 3:10+1");
    assert_segments(STATIC_20, "", D(""), "1:0+20");
    assert_segments("type='static'", "", D("duration='2' endNumber='2'"), "1:0+2 2:2+2");
    assert_segments("type='static'", "", D("duration='2'"), "");
}

static void test_dash_timeline_live_durations(void **state)
{
    (void)state;
    assert_segments(LIVE " timeShiftBufferDepth='PT10S'", "", D("duration='5'"),
                    "19:90+5 20:95+5");
    assert_segments(LIVE " timeShiftBufferDepth='PT9S'", "start='PT80S'", D("duration='6'"),
                    "2:6+6 3:12+6");
    assert_segments(LIVE, "start='PT80S'", D("duration='9'"), "1:0+9 2:9+9");
    assert_segments(LIVE, "start='PT80S' duration='PT10S'", D("duration='9'"), "1:0+9 2:9+1");
    assert_segments(LIVE, "start='PT100S'", D("duration='9'"), "");
    assert_segments(LIVE, "start='PT200S'", D("duration='9'"), "");
    assert_segments("type='dynamic'", "start='PT80S'", D("duration='9'"), "1:0+9 2:9+9");
}

static void test_dash_timeline_lists(void **state)
{
    (void)state;
    assert_segments(STATIC_20, "", "<SegmentList duration='6'><SegmentURL/><SegmentURL/>"
                    "</SegmentList>", "1:0+6 2:6+6");
    assert_segments(STATIC_20, "", "<SegmentList><SegmentURL media='x'/></SegmentList>", "1:0+20");
    assert_segments(STATIC_20, "", "<SegmentList duration='15' startNumber='9'><SegmentURL/>"
                    "<SegmentURL/><SegmentURL/></SegmentList>", "9:0+15 10:15+5");
    assert_segments(STATIC_20, "", "<SegmentList><SegmentTimeline><S d='3' r='5'/>"
                    "</SegmentTimeline><SegmentURL/><SegmentURL/></SegmentList>", "1:0+3 2:3+3");
    assert_segments("type='static'", "", "<SegmentList duration='6'><SegmentURL/><SegmentURL/>"
                    "</SegmentList>", "1:0+6 2:6+6");
    assert_segments(STATIC_20, "", "<SegmentList duration='6'/>", "");
}

static void test_dash_timeline_errors(void **state)
{
    (void)state;
    assert_fails(STATIC_20, T("", "<S t='0'/>"), CAD_E_DATA, "timeline");
    assert_fails(STATIC_20, T("", "<S d='0'/>"), CAD_E_DATA, "timeline");
    assert_fails(STATIC_20, T("", "<S d='5' t='-1'/>"), CAD_E_DATA, "timeline");
    assert_fails(STATIC_20, T("", "<S d='5' r='x'/>"), CAD_E_DATA, "timeline");
    assert_fails(STATIC_20, T("", "<S d='5' n='x'/>"), CAD_E_DATA, "timeline");
    assert_fails(STATIC_20, T("", "<S d='5' r='-1'/><S d='5'/>"), CAD_E_DATA, "timeline");
    assert_fails(STATIC_20, T("timescale='0'", "<S d='5'/>"), CAD_E_DATA, "attr");
    assert_fails(STATIC_20, T("timescale='4294967296'", "<S d='5'/>"), CAD_E_DATA, "attr");
    assert_fails(STATIC_20, D("duration='0'"), CAD_E_DATA, "attr");
    assert_fails(STATIC_20, D("duration='x'"), CAD_E_DATA, "attr");
    assert_fails(STATIC_20, D("duration='5' startNumber='x'"), CAD_E_DATA, "attr");
    assert_fails(STATIC_20, D("duration='5' endNumber='x'"), CAD_E_DATA, "attr");
    assert_fails(STATIC_20, D("duration='5' presentationTimeOffset='x'"), CAD_E_DATA, "attr");
    assert_fails(STATIC_20, D("duration='5' availabilityTimeOffset='x'"), CAD_E_DATA, "attr");
    assert_fails(STATIC_20, "<SegmentList><SegmentURL/><SegmentURL/></SegmentList>", CAD_E_DATA,
                 "timeline");
    assert_fails(STATIC_20, "<SegmentBase indexRange='5'/>", CAD_E_DATA, "attr");
    assert_fails(STATIC_20, "<SegmentList duration='1'><SegmentURL mediaRange='-5'/></SegmentList>",
                 CAD_E_DATA, "attr");
    /* Times that no 64 bits hold. */
    assert_fails("type='static'", T("", "<S t='9223372036854775807' d='5'/>"), CAD_E_DATA,
                 "timeline");
    assert_fails("type='static'", T("", "<S t='9223372036854775800' d='5' r='4'/>"), CAD_E_DATA,
                 "timeline");
    assert_fails("type='static'",
                 T("startNumber='9223372036854775807'", "<S d='5' r='4'/><S d='6'/>"), CAD_E_DATA,
                 "timeline");
}

static void test_dash_timeline_limits(void **state)
{
    (void)state;
    struct outcome o = parse("mediaPresentationDuration='PT2000000S'", "", D("duration='1'"));
    assert_int_equal(o.rc, 0);
    assert_int_equal(cad_index_count(rep_of(&o, "r")->timeline), 2000000);
    assert_true(cad_index_bytes(rep_of(&o, "r")->timeline) < 1024);
    outcome_free(&o);
    assert_fails("mediaPresentationDuration='PT2000001S'", D("duration='1'"), CAD_E_LIMIT, "limit");
    assert_fails(STATIC_20, T("", "<S d='5' r='2000000'/>"), CAD_E_LIMIT, "limit");
    assert_fails(STATIC_20, T("", "<S d='5' r='1999999'/><S d='5'/>"), CAD_E_LIMIT, "limit");
    assert_fails(STATIC_20, T("", "<S t='0' d='1' r='-1'/><S t='9999999' d='5'/>"), CAD_E_LIMIT,
                 "limit");
}

/* Representations of a set share what they have in common. */
static void test_dash_timeline_shared(void **state)
{
    (void)state;
    struct outcome o = test_parse_z(
        "<MPD mediaPresentationDuration='PT20S'><Period><AdaptationSet mimeType='video/mp4'>"
        "<SegmentTemplate media='$Number$'><SegmentTimeline><S d='5' r='-1'/></SegmentTimeline>"
        "</SegmentTemplate><Representation id='a' bandwidth='1'/>"
        "<Representation id='b' bandwidth='2'><SegmentTemplate startNumber='5'/></Representation>"
        "<Representation id='c' bandwidth='3'><SegmentTemplate startNumber='5'/></Representation>"
        "</AdaptationSet></Period></MPD>");
    assert_int_equal(o.rc, 0);
    assert_ptr_not_equal(rep_of(&o, "a")->timeline, rep_of(&o, "b")->timeline);
    assert_ptr_equal(rep_of(&o, "b")->timeline, rep_of(&o, "c")->timeline);
    outcome_free(&o);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_timeline_runs),
        cmocka_unit_test(test_dash_timeline_negative_repeat),
        cmocka_unit_test(test_dash_timeline_outside_of_the_period),
        cmocka_unit_test(test_dash_timeline_durations),
        cmocka_unit_test(test_dash_timeline_live_durations),
        cmocka_unit_test(test_dash_timeline_lists),
        cmocka_unit_test(test_dash_timeline_errors),
        cmocka_unit_test(test_dash_timeline_limits),
        cmocka_unit_test(test_dash_timeline_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
