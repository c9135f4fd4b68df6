/* Goal: times, expiry, links, settings, markers, the default tracks, and "nothing playable". */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

static struct outcome with_top(const char *members)
{
    return parse_small(&(struct small){.top = members});
}

static void test_finish_bookmark_and_duration(void **state)
{
    (void)state;
    static const struct {
        const char *top;
        cad_time bookmark, duration;
        uint32_t warnings;
    } cases[] = {
        {"", CAD_TIME_NONE, 60 * CAD_SECOND, 0},
        {"\"bookmark\":-1,", CAD_TIME_NONE, 60 * CAD_SECOND, 0},
        {"\"bookmark\":60000,", 60 * CAD_SECOND, 60 * CAD_SECOND, 0},
        {"\"bookmark\":60001,", 0, 60 * CAD_SECOND, 0},
        {"\"duration\":0,\"bookmark\":5,", 5 * CAD_MS, CAD_TIME_NONE, 1},
        {"\"duration\":-1,", CAD_TIME_NONE, CAD_TIME_NONE, 1},
        {"\"duration\":9007199254740992,", CAD_TIME_NONE, CAD_TIME_NONE, 1},
        {"\"streamingType\":\"VOD\",", CAD_TIME_NONE, 60 * CAD_SECOND, 0},
        {"\"streamingType\":\"TAPE\",", CAD_TIME_NONE, 60 * CAD_SECOND, 1},
        {"\"manifestVersion\":\"v3\",", CAD_TIME_NONE, 60 * CAD_SECOND, 1},
        {"\"manifestVersion\":\"v2\",", CAD_TIME_NONE, 60 * CAD_SECOND, 0},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct outcome o = with_top(cases[i].top);
        assert_int_equal(o.rc, 0);
        assert_true(o.presentation->bookmark == cases[i].bookmark);
        assert_true(o.presentation->duration == cases[i].duration);
        assert_true(o.presentation->periods[0].duration == cases[i].duration);
        assert_int_equal(o.presentation->warnings, cases[i].warnings);
        outcome_free(&o);
    }
}

static void test_finish_live(void **state)
{
    (void)state;
    struct outcome o = with_top("\"streamingType\":\"LIVE\",");
    assert_int_equal(o.rc, CAD_E_DATA);
    assert_int_equal(o.error.code, CAD_ERR_MANIFEST_BAD);
    outcome_free(&o);
    o = with_top("\"streamingType\":\"LIVE\",\"liveMetadata\":[],");
    assert_int_equal(o.rc, CAD_E_DATA);
    outcome_free(&o);
    o = with_top("\"streamingType\":\"LIVE\",\"liveMetadata\":{},");
    assert_int_equal(o.rc, CAD_E_UNSUPPORTED);
    assert_int_equal(o.error.code, CAD_ERR_MANIFEST_UNSUPPORTED);
    outcome_free(&o);
}

/* expiration; else the earliest URL; else now + 1 h; and URLs without e follow it. */
static void test_finish_expiry(void **state)
{
    (void)state;
    struct outcome o = with_top("\"manifestExpirationDuration\":5000,");
    assert_int_equal(o.presentation->expiry_ms, 1772367600000);
    assert_int_equal(o.presentation->keep, 5 * CAD_SECOND);
    outcome_free(&o);
    o = with_top("");
    assert_int_equal(o.presentation->keep, (1772367600000 - TEST_NOW_MS) * CAD_MS);
    outcome_free(&o);
    o = with_top("\"serverTime\":1772367599000,");
    assert_int_equal(o.presentation->keep, CAD_SECOND);
    outcome_free(&o);
    o = with_top("\"serverTime\":1772367601000,");
    assert_int_equal(o.presentation->keep, 0);
    outcome_free(&o);
    o = with_top("\"expiration\":null,");
    assert_int_equal(o.presentation->expiry_ms, 1772367600000); /* the video URL's e */
    assert_int_equal(rep_of(&o, "a")->locations[0].expiry_ms, 1772367600000);
    assert_int_equal(o.presentation->warnings, 1);
    outcome_free(&o);
    o = parse_small(&(struct small){
        .top = "\"expiration\":0,",
        .urls = "[{\"cdn_id\":1,\"url\":\"https://h1.test/v\"}]"});
    assert_int_equal(o.presentation->expiry_ms, TEST_NOW_MS + 3600000);
    assert_int_equal(rep_of(&o, "v")->locations[0].expiry_ms, TEST_NOW_MS + 3600000);
    outcome_free(&o);
}

/* ---- links and settings ---------------------------------------------------------------------- */

static void assert_link(const char *href, const char *expected)
{
    char top[512];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, top, sizeof(top));
    cad_sb_printf(&sb, "\"links\":{\"events\":{\"href\":\"%s\"}},", href);
    struct outcome o = with_top(top);
    assert_int_equal(o.rc, 0);
    assert_str(o.presentation->links.events, expected);
    assert_int_equal(o.presentation->warnings, expected[0] == '\0' && href[0] != '\0');
    outcome_free(&o);
}

static void test_finish_links(void **state)
{
    (void)state;
    assert_link("/events?a=%2B", "https://svc.test/events?a=%2B");
    assert_link("https://svc.test:9/x", "https://svc.test:9/x");
    assert_link("https://SVC.test/x", "https://SVC.test/x");
    assert_link("http://svc.test/x", "http://svc.test/x"); /* test_options allow http */
    assert_link("https://other.test/x", "");
    assert_link("//other.test/x", "");
    assert_link("events", "");
    assert_link("?x", "");
    assert_link("ftp://svc.test/x", "");
    assert_link("https://u@svc.test/x", "");
    assert_link("/x#f", "");
    assert_link("/a b", "");
    assert_link("", "");
}

static void test_finish_links_missing(void **state)
{
    (void)state;
    struct outcome o = with_top("\"links\":{},");
    assert_int_equal(o.presentation->warnings, 1);
    outcome_free(&o);
    o = with_top("\"links\":{\"events\":{\"href\":\"/e\"},\"license\":{\"href\":\"/l\"},"
                 "\"ldl\":{\"href\":\"/m\"},\"logblob\":{\"href\":\"/n\"},\"probe\":{}},");
    assert_str(o.presentation->links.license, "https://svc.test/l");
    assert_str(o.presentation->links.license_limited, "https://svc.test/m");
    assert_str(o.presentation->links.logblob, "https://svc.test/n");
    assert_int_equal(o.presentation->unknown_fields, 0);
    outcome_free(&o);
    /* Encrypted streams, no licence link and none inline. */
    cad_str document = test_read_golden("example-a.json");
    o = parse_edited(document, "license", 0, NULL);
    assert_int_equal(o.presentation->warnings, 0); /* the track has one */
    outcome_free(&o);
    o = parse_edited(document, "license", 1, NULL);
    assert_int_equal(o.presentation->warnings, 0); /* the link is there */
    outcome_free(&o);
    test_free_text(&document);
}

static void test_finish_overrides(void **state)
{
    (void)state;
    static const struct {
        const char *members;
        int64_t rate, startup, timeout, buffer;
        uint32_t unknown;
    } cases[] = {
        {"", -1, -1, -1, -1, 0},
        {"\"maxBitrateKbps\":\"5000\",\"startupMaxKbps\":\"800\",\"connectTimeoutMs\":\"4000\","
         "\"bufferTargetSec\":\"60\",\"downloadReportDenominator\":\"5\"",
         5000000, 800000, 4000, 60000, 0},
        {"\"maxBitrateKbps\":5000,\"startupMaxKbps\":\"0\",\"connectTimeoutMs\":\"99\","
         "\"bufferTargetSec\":\"4\"",
         -1, -1, -1, -1, 0},
        {"\"connectTimeoutMs\":\"60000\",\"bufferTargetSec\":\"600\"", -1, -1, 60000, 600000, 0},
        {"\"connectTimeoutMs\":\"60001\",\"bufferTargetSec\":\"601\"", -1, -1, -1, -1, 0},
        {"\"connectTimeoutMs\":\"1e3\",\"bufferTargetSec\":\" 60\",\"danger\":\"1\"", -1, -1, -1,
         -1, 1},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        char top[512];
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, top, sizeof(top));
        cad_sb_printf(&sb, "\"steeringAdditionalInfo\":{\"streamingClientConfig\":{%s}},",
                      cases[i].members);
        struct outcome o = with_top(top);
        assert_int_equal(o.presentation->overrides.rate_max_bps, cases[i].rate);
        assert_int_equal(o.presentation->overrides.startup_rate_max_bps, cases[i].startup);
        assert_int_equal(o.presentation->overrides.connect_timeout_ms, cases[i].timeout);
        assert_int_equal(o.presentation->overrides.buffer_target_ms, cases[i].buffer);
        assert_int_equal(o.presentation->unknown_fields, cases[i].unknown);
        assert_int_equal(o.presentation->warnings, 0);
        outcome_free(&o);
    }
}

/* ---- markers --------------------------------------------------------------------------------- */

static void test_finish_markers(void **state)
{
    (void)state;
    struct outcome o = with_top(
        "\"timecodeAnnotations\":[{\"type\":\"intro\",\"startOffsetMs\":0,\"endOffsetMs\":1},"
        "{\"type\":\"x\",\"startOffsetMs\":5,\"endOffsetMs\":5},"
        "{\"type\":\"y\",\"startOffsetMs\":-1,\"endOffsetMs\":5},"
        "{\"type\":\"z\",\"startOffsetMs\":1},"
        "{\"type\":\"bonus\",\"startOffsetMs\":10,\"endOffsetMs\":99999}],"
        "\"creditsOffset\":59999,");
    assert_int_equal(o.presentation->marker_count, 3);
    assert_int_equal(o.presentation->warnings, 3);
    const struct cad_marker *m = o.presentation->markers;
    assert_str(m[0].type, "intro");
    assert_int_equal(m[0].end, CAD_MS);
    assert_str(m[1].type, "bonus");
    assert_str(m[2].type, "creditsOffset");
    assert_int_equal(m[2].start, 59999 * CAD_MS);
    assert_int_equal(m[2].end, 60 * CAD_SECOND);
    outcome_free(&o);
    static const char *const dropped[] = {"\"creditsOffset\":60000,", "\"creditsOffset\":-1,",
                                          "\"creditsOffset\":9007199254740992,",
                                          "\"creditsOffset\":5,\"duration\":0,"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(dropped); i++) {
        o = with_top(dropped[i]);
        assert_int_equal(o.presentation->marker_count, 0);
        outcome_free(&o);
    }
}

/* ---- the manifest's own choice --------------------------------------------------------------- */

#define AUDIO(id, more)                                                                            \
    "{" more "\"new_track_id\":\"" id "\",\"streams\":[{\"downloadable_id\":\"s" id "\","          \
    "\"content_profile\":\"heaac-2-dash\",\"bitrate\":96,\"size\":9000,\"isDrm\":false,"           \
    "\"moov\":{\"offset\":36,\"size\":800},\"sidx\":{\"offset\":836,\"size\":64},"                 \
    "\"urls\":[{\"cdn_id\":1,\"url\":\"https://h1.test/a\"}]}]}"
#define TEXT(id, more)                                                                             \
    "{" more "\"new_track_id\":\"" id "\",\"ttDownloadables\":{\"imsc1.1\":{"                      \
    "\"urls\":[{\"cdn_id\":1,\"url\":\"https://h1.test/t\"}]}}}"

/* Ids of the default tracks, in order. */
static void assert_defaults(const char *top, const char *expected)
{
    char memory[128];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    struct outcome o = with_top(top);
    assert_int_equal(o.rc, 0);
    const struct cad_period *period = &o.presentation->periods[0];
    for (uint32_t i = 0; i < period->track_count; i++) {
        if (!period->tracks[i].is_default) continue;
        cad_sb_put(&sb, period->tracks[i].id);
        cad_sb_putc(&sb, ' ');
    }
    assert_string_equal(cad_sb_z(&sb), expected);
    outcome_free(&o);
}

static void test_finish_defaults_by_rank(void **state)
{
    (void)state;
    assert_defaults("\"audio_tracks\":[" AUDIO("B", "\"rank\":2,") "," AUDIO("C", "\"rank\":1,")
                    "],", "V C ");
    assert_defaults("\"audio_tracks\":[" AUDIO("B", "") "," AUDIO("C", "\"isNative\":true,")
                    "," AUDIO("D", "\"isNative\":true,") "],", "V C ");
    /* Text without a rank is not turned on by itself; "off" may be. */
    assert_defaults("\"timedtexttracks\":[" TEXT("T", "") "],", "V A ");
    assert_defaults("\"timedtexttracks\":[" TEXT("T", "\"rank\":0,") "],", "V A T ");
    assert_defaults("\"timedtexttracks\":[" TEXT("T", "\"rank\":0,")
                    ",{\"new_track_id\":\"off\",\"isNoneTrack\":true,\"rank\":-1}],", "V A off ");
    assert_defaults("\"timedtexttracks\":[" TEXT("T", "")
                    ",{\"new_track_id\":\"off\",\"isNoneTrack\":true}],", "V A off ");
}

#define TRACKS                                                                                     \
    "\"audio_tracks\":[" AUDIO("B", "") "," AUDIO("C", "") "],\"timedtexttracks\":["               \
    TEXT("T", "\"rank\":0,") "," TEXT("U", "\"rank\":1,") "],"

static void test_finish_defaults_by_list(void **state)
{
    (void)state;
    assert_defaults(TRACKS "\"recommendedMedia\":{\"audioTrackId\":\"C\","
                           "\"timedTextTrackId\":\"U\",\"videoTrackId\":\"zz\"},", "V C U ");
    assert_defaults(TRACKS "\"recommendedMedia\":{\"audioTrackId\":\"C\"},"
                           "\"defaultTrackOrderList\":[{\"audioTrackId\":\"B\","
                           "\"subtitleTrackId\":\"U\"}],", "V B U ");
    assert_defaults(TRACKS "\"defaultTrackOrderList\":[{\"audioTrackId\":\"B\","
                           "\"preferenceOrder\":2},{\"audioTrackId\":\"C\",\"preferenceOrder\":1},"
                           "{\"audioTrackId\":\"gone\",\"preferenceOrder\":0}],", "V C T ");
    assert_defaults(TRACKS "\"defaultTrackOrderList\":[{\"audioTrackId\":\"C\","
                           "\"preferenceOrder\":1},{\"audioTrackId\":\"B\","
                           "\"preferenceOrder\":1}],", "V C T ");
    /* An id of another type is none. */
    assert_defaults(TRACKS "\"recommendedMedia\":{\"audioTrackId\":\"T\"},", "V B T ");
}

/* ---- nothing playable ------------------------------------------------------------------------ */

static void test_finish_no_media(void **state)
{
    (void)state;
    static const struct {
        const char *top;
        int rc;
    } cases[] = {
        {"\"audio_tracks\":[],", 0},                                /* video alone */
        {"\"video_tracks\":[],", 0},                                /* audio alone */
        {"\"audio_tracks\":[{\"isNoneTrack\":true}],", 0},          /* no more than a menu entry */
        {"\"video_tracks\":[],\"audio_tracks\":[],", CAD_E_NOTFOUND},
        {"\"audio_tracks\":[{\"streams\":[]}],", CAD_E_NOTFOUND},   /* listed and not playable */
        {"\"video_tracks\":[{\"streams\":[]}],", CAD_E_NOTFOUND},
        {"\"video_tracks\":[{\"hydrated\":false}],", CAD_E_NOTFOUND},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct outcome o = with_top(cases[i].top);
        assert_int_equal(o.rc, cases[i].rc);
        if (o.rc != 0) {
            assert_int_equal(o.error.code, CAD_ERR_MANIFEST_NO_MEDIA);
            assert_null(strstr(o.error.message, "encrypted"));
        }
        outcome_free(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finish_bookmark_and_duration),
        cmocka_unit_test(test_finish_live),
        cmocka_unit_test(test_finish_expiry),
        cmocka_unit_test(test_finish_links),
        cmocka_unit_test(test_finish_links_missing),
        cmocka_unit_test(test_finish_overrides),
        cmocka_unit_test(test_finish_markers),
        cmocka_unit_test(test_finish_defaults_by_rank),
        cmocka_unit_test(test_finish_defaults_by_list),
        cmocka_unit_test(test_finish_no_media),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
