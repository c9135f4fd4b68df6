/* Goal: which element decides where segments are, what it inherits from the levels above, and what
 * of it reaches the model; BaseURLs of every level. */
#include "manifest_support.h"

#include "base/str.h"
#include "base/util.h"
#include "manifest/manifest.h"

#define TOP "mediaPresentationDuration='PT20S'"
#define REP(inner) "<Representation id='r' bandwidth='1'>" inner "</Representation>"

/* One representation with something at each level. */
static void assert_levels(const char *period, const char *set, const char *rep, const char *part)
{
    char memory[4096];
    struct cad_sb text;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    cad_sb_printf(&text, "<Period>%s<AdaptationSet mimeType='video/mp4'>%s" REP("%s")
                  "</AdaptationSet></Period>", period, set, rep);
    assert_int_equal(cad_sb_error(&text), 0);
    assert_mpd_dump(TOP, cad_sb_z(&text), part);
}

static void test_dash_segments_inheritance(void **state)
{
    (void)state;
    assert_levels("<SegmentTemplate timescale='10' duration='200' startNumber='7'/>",
                  "<SegmentTemplate initialization='i-$RepresentationID$'/>",
                  "<SegmentTemplate media='m-$Number$'/>",
                  "\"timescale\":10,\"init\":{\"url\":\"https://svc.test/i-r\"},\"segments\":[{"
                  "\"number\":7,\"start_s\":0,\"duration_s\":20,"
                  "\"url\":\"https://svc.test/m-7\"}]");
    /* The innermost level with any of the three decides; the other kinds above do not count. */
    assert_levels("<SegmentTemplate timescale='10' duration='100' media='no'/>", "",
                  "<SegmentBase indexRange='5-9'/>", "\"bandwidth\":1,\"mime\":\"video/mp4\","
                  "\"index_range\":\"5-9\",\"url\"");
    assert_levels("<SegmentBase indexRange='5-9'/>", "<SegmentTemplate media='m'/>", "",
                  "\"segments\":[{\"number\":1,\"start_s\":0,\"duration_s\":20,"
                  "\"url\":\"https://svc.test/m\"}]");
    /* Elements are taken as a whole: the list of the representation, not both. */
    assert_levels("", "<SegmentList duration='10'><Initialization sourceURL='i'/>"
                  "<SegmentURL media='a'/><SegmentURL media='b'/></SegmentList>",
                  "<SegmentList><SegmentURL media='c'/></SegmentList>",
                  "\"init\":{\"url\":\"https://svc.test/i\"},\"segments\":[{\"number\":1,"
                  "\"start_s\":0,\"duration_s\":10,\"url\":\"https://svc.test/c\"}]}]}]}]");
    assert_levels("", "<SegmentTemplate media='$Time$' duration='5'/>",
                  "<SegmentTemplate><SegmentTimeline><S d='20'/></SegmentTimeline>"
                  "</SegmentTemplate>", "\"segments\":[{\"number\":1,\"start_s\":0,"
                  "\"duration_s\":20,\"url\":\"https://svc.test/0\"}]");
}

static void test_dash_segments_one_resource(void **state)
{
    (void)state;
    assert_levels("", "", "<BaseURL>f</BaseURL>",
                  "\"url\":\"https://svc.test/f\",\"segments\":[{\"start_s\":0,\"duration_s\":20,"
                  "\"url\":\"https://svc.test/f\"}]");
    assert_levels("", "", "<SegmentBase timescale='9' presentationTimeOffset='18'>"
                  "<Initialization sourceURL='i' range='0-9'/><RepresentationIndex sourceURL='x' "
                  "range='1-'/></SegmentBase>",
                  "\"timescale\":9,\"presentation_time_offset_s\":2,\"init\":{\"url\":"
                  "\"https://svc.test/i\",\"byte_range\":\"0-9\"},\"index\":{\"url\":"
                  "\"https://svc.test/x\",\"byte_range\":\"1-\"},\"url\"");
    assert_levels("", "", "<SegmentBase><RepresentationIndex range='1-2'/></SegmentBase>",
                  "\"index\":{\"url\":\"https://svc.test/manifest\",\"byte_range\":\"1-2\"}");
    assert_levels("", "", "<SegmentTemplate media='m' index='$Number$.idx' duration='20'/>",
                  "\"index_template\":\"$Number$.idx\"");
}

static void assert_header(const char *segments, struct cad_range init, struct cad_range index,
                          int64_t header_bytes)
{
    struct outcome o = parse_set("mimeType='video/mp4'", segments);
    assert_int_equal(o.rc, 0);
    const struct cad_representation *r = rep_of(&o, "r");
    assert_int_equal(r->addressing, index.first >= 0 ? CAD_ADDRESSING_INDEXED
                                                     : CAD_ADDRESSING_SINGLE);
    assert_true(r->init.first == init.first && r->init.last == init.last);
    assert_true(r->index.first == index.first && r->index.last == index.last);
    assert_int_equal(r->header_bytes, header_bytes);
    assert_null(r->timeline);
    outcome_free(&o);
}

static void test_dash_segments_header(void **state)
{
    (void)state;
    const struct cad_range none = {-1, -1};
    assert_header(REP("<SegmentBase indexRange='100-199'><Initialization range='0-99'/>"
                      "</SegmentBase>"),
                  (struct cad_range){0, 99}, (struct cad_range){100, 199}, 200);
    assert_header(REP("<SegmentBase indexRange='0-99'><Initialization range='100-399'/>"
                      "</SegmentBase>"),
                  (struct cad_range){100, 399}, (struct cad_range){0, 99}, 400);
    assert_header(REP("<SegmentBase indexRange='100-199'/>"), none, (struct cad_range){100, 199},
                  200);
    assert_header(REP("<SegmentBase indexRange='100-'/>"), none, (struct cad_range){100, -1}, -1);
    assert_header(REP("<SegmentBase><Initialization range='0-99'/></SegmentBase>"),
                  (struct cad_range){0, 99}, none, -1);
    assert_header(REP(""), none, none, -1);
    assert_header(REP("<SegmentBase indexRange='100-199'><Initialization sourceURL='i'/>"
                      "</SegmentBase>"), none, (struct cad_range){100, 199}, 200);
}

static void test_dash_segments_availability(void **state)
{
    (void)state;
    assert_levels("<BaseURL availabilityTimeOffset='1.5'>a/</BaseURL>", "",
                  "<BaseURL availabilityTimeOffset='0.25'>b/</BaseURL>"
                  "<SegmentTemplate media='m' duration='20' availabilityTimeOffset='2' "
                  "availabilityTimeComplete='false'/>",
                  "\"availability_time_offset_s\":3.75,\"availability_time_complete\":false,");
    assert_levels("<BaseURL availabilityTimeOffset='INF'>a/</BaseURL>", "",
                  "<SegmentTemplate media='m' duration='20' availabilityTimeOffset='2'/>",
                  "\"availability_time_offset_s\":\"INF\",\"segments\"");
    assert_levels("", "<BaseURL availabilityTimeComplete='false'>a</BaseURL>", "",
                  "\"availability_time_complete\":false");
}

static void test_dash_segments_bases(void **state)
{
    (void)state;
    assert_levels("<BaseURL>../a/./b/</BaseURL>", "<BaseURL>/root/</BaseURL>",
                  "<BaseURL>d/e/</BaseURL><SegmentTemplate media='../s?x=1' duration='20'/>",
                  "\"url\":\"https://svc.test/root/d/s?x=1\"");
    assert_levels("<BaseURL serviceLocation='x'>https://x/</BaseURL><BaseURL>https://y/</BaseURL>",
                  "", "<BaseURL>1/</BaseURL><BaseURL serviceLocation='z'>2/</BaseURL>",
                  "\"service_location\":\"x\",\"base_urls\":[{\"url\":\"https://x/1/\","
                  "\"service_location\":\"x\"},{\"url\":\"https://x/2/\","
                  "\"service_location\":\"z\"},{\"url\":\"https://y/1/\"},"
                  "{\"url\":\"https://y/2/\",\"service_location\":\"z\"}]");
    struct outcome o = parse_mpd(TOP, "<BaseURL serviceLocation='x'>https://x/</BaseURL>"
        "<BaseURL>https://y:80/</BaseURL><BaseURL>https://x/</BaseURL><Period>"
        "<AdaptationSet mimeType='video/mp4'>" REP("") "</AdaptationSet></Period>");
    const struct cad_representation *r = rep_of(&o, "r");
    assert_int_equal(r->location_count, 2);
    assert_int_equal(r->locations[1].server, 1);
    assert_str(o.presentation->servers[0].id, "x");
    assert_str(o.presentation->servers[1].id, "y:80");
    outcome_free(&o);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_segments_inheritance),
        cmocka_unit_test(test_dash_segments_one_resource),
        cmocka_unit_test(test_dash_segments_header),
        cmocka_unit_test(test_dash_segments_availability),
        cmocka_unit_test(test_dash_segments_bases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
