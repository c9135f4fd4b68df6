/* Goal: what MPD says of the whole presentation, the times of its periods and its events. */
#include "manifest_support.h"

#include "base/str.h"

#define PERIOD "<Period/>"
#define STATIC "mediaPresentationDuration='PT20S'"

static void assert_mpd_fails(const char *attributes, const char *inner, const char *topic)
{
    struct outcome o = parse_mpd(attributes, inner);
    if (o.rc != CAD_E_DATA) fail_msg("%s %s: %d", attributes, inner, o.rc);
    assert_int_equal(o.error.code, CAD_ERR_MANIFEST_BAD);
    assert_string_equal(o.error.topic, topic);
    assert_int_equal(o.error.line, 1);
    outcome_free(&o);
}

static void test_dash_head_times(void **state)
{
    (void)state;
    assert_mpd_dump(STATIC " profiles='urn:a, urn:b ,' minBufferTime='PT1.5S' "
                    "publishTime='2024-01-01T00:00:00Z' "
                    "availabilityStartTime='2024-01-01T01:00:00+01:00' "
                    "availabilityEndTime='2024-01-01T00:00:01.5Z' maxSegmentDuration='PT2S'",
                    PERIOD,
                    "\"profiles\":[\"urn:a\",\"urn:b\"],\"publish_time_s\":1704067200,"
                    "\"availability_start_s\":1704067200,\"availability_end_s\":1704067201.5,"
                    "\"min_buffer_s\":1.5,\"max_segment_s\":2,\"duration_s\":20,\"periods\"");
    assert_mpd_dump("type='dynamic' timeShiftBufferDepth='PT1M' minimumUpdatePeriod='PT2S' "
                    "suggestedPresentationDelay='PT3S'", PERIOD,
                    "\"type\":\"live\",\"time_shift_depth_s\":60,\"suggested_delay_s\":3,"
                    "\"min_update_s\":2,\"periods\":[{\"start_s\":0,\"tracks\"");
    /* Those that timing does not need count as absent when they are unreadable. */
    assert_mpd_dump(STATIC " minBufferTime='x' timeShiftBufferDepth='x' minimumUpdatePeriod='x' "
                    "suggestedPresentationDelay='x' maxSegmentDuration='x' publishTime='x' "
                    "availabilityEndTime='x'", PERIOD, "\"type\":\"vod\",\"duration_s\":20,");
    assert_mpd_fails("mediaPresentationDuration='x'", PERIOD, "attr");
    assert_mpd_fails("availabilityStartTime='2024'", PERIOD, "attr");
}

static void test_dash_head_children(void **state)
{
    (void)state;
    assert_mpd_dump(STATIC, "<Location> a.mpd </Location><Location>//h/b</Location>" PERIOD,
                    "\"locations\":[\"https://svc.test/a.mpd\",\"https://h/b\"]");
    assert_mpd_dump(STATIC, "<PatchLocation ttl='60.5'>p?a=b</PatchLocation>" PERIOD,
                    "\"patch_locations\":[{\"url\":\"https://svc.test/p?a=b\",\"ttl_s\":60.5}]");
    assert_mpd_dump(STATIC, "<UTCTiming schemeIdUri='s' value='v'/>" PERIOD,
                    "\"utc_timing\":[{\"scheme\":\"s\",\"value\":\"v\"}]");
    assert_mpd_dump(STATIC, "<ContentSteering defaultServiceLocation='a' queryBeforeStart='true' "
                    "proxyServerURL='/p'>s.json</ContentSteering>" PERIOD,
                    "\"steering\":{\"url\":\"https://svc.test/s.json\",\"default\":\"a\","
                    "\"query_before_start\":true,\"proxy_url\":\"https://svc.test/p\"}");
    assert_mpd_dump(STATIC, "<ContentSteering>s</ContentSteering>" PERIOD,
                    "\"steering\":{\"url\":\"https://svc.test/s\",\"query_before_start\":false}");
    assert_mpd_dump(STATIC, "<ServiceDescription id='1'><Scope/><Latency target='3000' min='1' "
                    "max='5000'/><PlaybackRate min='0.95' max='1.05'/></ServiceDescription>"
                    "<ServiceDescription/>" PERIOD,
                    "\"service_descriptions\":[{\"id\":\"1\",\"latency\":{\"target_ms\":3000,"
                    "\"min_ms\":1,\"max_ms\":5000},\"playback_rate\":{\"min\":0.95,"
                    "\"max\":1.05}},{}]");
}

/* "start+duration ..." in seconds; a duration that is not known is "?". */
static void assert_periods(const char *attributes, const char *inner, const char *expected)
{
    char memory[256];
    struct cad_sb text;
    struct outcome o = parse_mpd(attributes, inner);
    if (o.rc != 0) fail_msg("%s: %s", inner, o.error.message);
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    for (uint32_t i = 0; i < o.presentation->period_count; i++) {
        const struct cad_period *period = &o.presentation->periods[i];
        if (i > 0) cad_sb_putc(&text, ' ');
        cad_sb_i64(&text, period->start / CAD_SECOND);
        cad_sb_putc(&text, '+');
        if (period->duration == CAD_TIME_NONE) cad_sb_putc(&text, '?');
        else cad_sb_i64(&text, period->duration / CAD_SECOND);
    }
    if (!cad_str_eqz(cad_sb_str(&text), expected)) {
        fail_msg("%s: %s, not %s", inner, cad_sb_z(&text), expected);
    }
    outcome_free(&o);
}

static void test_dash_head_periods(void **state)
{
    (void)state;
    assert_periods(STATIC, PERIOD, "0+20");
    assert_periods(STATIC, "<Period start='PT3S'/>", "3+17");
    assert_periods(STATIC, "<Period duration='PT4S'/><Period/>", "0+4 4+16");
    assert_periods(STATIC, "<Period duration='PT9S'/><Period start='PT6S' duration='PT1S'/>",
                   "0+6 6+14");
    assert_periods("", "<Period duration='PT9S'/><Period duration='PT2S'/>", "0+9 9+2");
    assert_periods("", PERIOD, "0+?");
    assert_periods("type='dynamic'", "<Period start='PT5S' duration='PT4S'/><Period/>", "5+4 9+?");
    /* A period of no length is told and not played. */
    assert_periods(STATIC, "<Period start='PT2S'/><Period start='PT2S'/>", "2+18");
    assert_periods(STATIC, "<Period start='PT30S'/>", "");
    assert_mpd_dump(STATIC, "<Period start='PT2S'/><Period start='PT2S'/>",
                    "[{\"start_s\":2,\"duration_s\":0,\"tracks\":[]},");
    assert_mpd_dump("", "<Period duration='PT9S'/>", "\"duration_s\":9,\"periods\"");
    assert_mpd_dump(STATIC, "<Period id='' xlink:href='more'/>",
                    "\"id\":\"\",\"start_s\":0,\"duration_s\":20,"
                    "\"xlink\":\"https://svc.test/more\"");
}

static void test_dash_head_period_errors(void **state)
{
    (void)state;
    assert_mpd_fails(STATIC, "", "period");
    assert_mpd_fails(STATIC, "<Period xlink:href='urn:mpeg:dash:resolve-to-zero:2013'/>", "period");
    assert_mpd_fails(STATIC, "<Period start='PT5S'/><Period start='PT4S'/>", "period");
    assert_mpd_fails(STATIC, "<Period/><Period/>", "period");
    assert_mpd_fails(STATIC, "<Period start='x'/>", "attr");
    assert_mpd_fails(STATIC, "<Period duration='x'/>", "attr");
    assert_mpd_fails(STATIC, "<Period start='PT9000000000S'/><Period start='PT9000000000S' "
                     "duration='PT9000000000S'/><Period/>", "period");
    assert_periods(STATIC, "<Period xlink:href='urn:mpeg:dash:resolve-to-zero:2013' "
                   "duration='PT3S'/><Period/>", "0+20");
}

static void test_dash_head_events(void **state)
{
    (void)state;
    assert_mpd_dump(STATIC, "<Period start='PT3S'><EventStream schemeIdUri='s' value='v' "
                    "timescale='10' presentationTimeOffset='5'><Event presentationTime='25' "
                    "duration='5' id='7'/><Event/></EventStream><EventStream schemeIdUri='t'>"
                    "<Event presentationTime='2'>x</Event></EventStream></Period>",
                    "\"event_streams\":[{\"scheme\":\"s\",\"value\":\"v\",\"timescale\":10,"
                    "\"events\":[{\"id\":\"7\",\"start_s\":5,\"duration_s\":0.5},"
                    "{\"start_s\":2.5}]},{\"scheme\":\"t\",\"events\":[{\"start_s\":5}]}]");
    assert_mpd_dump(STATIC, "<Period><EventStream schemeIdUri='s' timescale='0'/></Period>",
                    "[{\"scheme\":\"s\",\"timescale\":0}]");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_head_times),
        cmocka_unit_test(test_dash_head_children),
        cmocka_unit_test(test_dash_head_periods),
        cmocka_unit_test(test_dash_head_period_errors),
        cmocka_unit_test(test_dash_head_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
