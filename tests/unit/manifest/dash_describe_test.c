/* Goal: what a track and a representation are, from every place an MPD may say it. */
#include "manifest_support.h"

#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"

#define REP "<Representation id='r' bandwidth='1'/>"

static void test_dash_describe_codec(void **state)
{
    (void)state;
    static const struct {
        const char *codecs, *mime;
        enum cad_codec codec;
    } cases[] = {
        {"avc1.640028", "video/mp4", CAD_CODEC_AVC}, {"avc3.640028", "", CAD_CODEC_AVC},
        {"hvc1.1.6.L93.B0", "", CAD_CODEC_HEVC},     {"hev1.1.6.L93.B0", "", CAD_CODEC_HEVC},
        {"dvh1.05.06", "", CAD_CODEC_HEVC},          {"av01.0.04M.08", "", CAD_CODEC_AV1},
        {"vp09.00.10.08", "", CAD_CODEC_VP9},        {"vp9", "", CAD_CODEC_VP9},
        {"mp4a.40.2", "", CAD_CODEC_AAC},            {"mp4a.a5", "", CAD_CODEC_AC3},
        {"MP4A.A6", "", CAD_CODEC_EAC3},             {"ac-3", "", CAD_CODEC_AC3},
        {"ec-3", "", CAD_CODEC_EAC3},                {"opus", "", CAD_CODEC_OPUS},
        {"Opus", "", CAD_CODEC_OPUS},                {"fLaC", "", CAD_CODEC_FLAC},
        {"stpp.ttml.im1t", "", CAD_CODEC_TTML},      {"wvtt", "", CAD_CODEC_WEBVTT},
        {" avc1.640028, mp4a.40.2", "", CAD_CODEC_AVC},
        {"", "text/vtt", CAD_CODEC_WEBVTT},          {"", "application/ttml+xml", CAD_CODEC_TTML},
        {"ac-4.02.01.01", "audio/mp4", CAD_CODEC_UNKNOWN}, {"", "video/mp4", CAD_CODEC_UNKNOWN},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        enum cad_codec codec = cad_dash_codec(cad_str_from(cases[i].codecs),
                                              cad_str_from(cases[i].mime));
        if (codec != cases[i].codec) fail_msg("%s %s", cases[i].codecs, cases[i].mime);
    }
}

static void test_dash_describe_type(void **state)
{
    (void)state;
    static const struct {
        const char *content, *codecs, *mime;
        enum cad_media_type type;
    } cases[] = {
        {"audio", "avc1", "video/mp4", CAD_MEDIA_AUDIO}, {"", "stpp", "video/mp4", CAD_MEDIA_TEXT},
        {"application", "wvtt", "", CAD_MEDIA_TEXT},     {"", "", "video/mp4", CAD_MEDIA_VIDEO},
        {"", "avc1", "audio/mp4", CAD_MEDIA_AUDIO},      {"", "", "image/jpeg", CAD_MEDIA_IMAGE},
        {"", "", "text/vtt", CAD_MEDIA_TEXT},  {"", "", "application/ttml+xml", CAD_MEDIA_TEXT},
        {"", "", "application/mp4", CAD_MEDIA_OTHER},    {"", "", "", CAD_MEDIA_OTHER},
        {"font", "", "video/mp4", CAD_MEDIA_VIDEO},      {"", "", "/mp4", CAD_MEDIA_OTHER},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        enum cad_media_type type = cad_dash_type(cad_str_from(cases[i].content),
                                                 cad_str_from(cases[i].codecs),
                                                 cad_str_from(cases[i].mime));
        if (type != cases[i].type) fail_msg("case %zu", i);
    }
}

static void test_dash_describe_inheritance(void **state)
{
    (void)state;
    assert_set_dump("mimeType='video/mp4' codecs='a' width='2' height='1' "
                    "frameRate='24000/1001'", REP,
                    "\"mime\":\"video/mp4\",\"codecs\":\"a\",\"width\":2,\"height\":1,"
                    "\"frame_rate\":23.976024");
    assert_set_dump("codecs='a' audioSamplingRate='48000'",
                    "<Representation mimeType='audio/mp4' codecs='b' audioSamplingRate='44100'/>",
                    "\"type\":\"audio\",\"representations\":[{\"mime\":\"audio/mp4\","
                    "\"codecs\":\"b\",\"sample_rate\":44100");
    assert_set_dump("", "<ContentComponent contentType='audio' lang='fr'/>" REP,
                    "\"type\":\"audio\",\"lang\":\"fr\"");
    assert_set_dump("", "<ContentComponent contentType='audio'/><ContentComponent "
                    "contentType='video'/>" REP, "\"type\":\"other\"");
    /* Two rates, or one that is no number, are no rate. */
    assert_set_dump("audioSamplingRate='22050 48000' width='x'", REP,
                    "[{\"id\":\"r\",\"bandwidth\":1,\"url\"");
}

static void test_dash_describe_track_texts(void **state)
{
    (void)state;
    assert_set_dump("id='7' lang='en-GB'", "<Label>  A &amp; B </Label>" REP,
                    "\"id\":\"7\",\"type\":\"other\",\"lang\":\"en-GB\",\"label\":\"A & B\"");
    assert_set_dump("", "<Role schemeIdUri='urn:mpeg:dash:role:2011' value='main'/>"
                    "<Role schemeIdUri='urn:mpeg:dash:role' value='no'/>"
                    "<Role schemeIdUri='urn:mpeg:dash:role:2011' value='dub'/>" REP,
                    "\"roles\":[\"main\",\"dub\"]");
    assert_set_dump("", "<Accessibility schemeIdUri='a' value='1'/>"
                    "<Accessibility schemeIdUri='b'/>" REP,
                    "\"accessibility\":[{\"scheme\":\"a\",\"value\":\"1\"},{\"scheme\":\"b\"}]");
    assert_set_dump("selectionPriority='5'", "<InbandEventStream schemeIdUri='i' value='2'/>" REP,
                    "\"selection_priority\":5,\"inband_events\":[{\"scheme\":\"i\","
                    "\"value\":\"2\"}]");
    assert_set_dump("", "<SupplementalProperty value='2, 3,' "
                    "schemeIdUri='urn:mpeg:dash:adaptation-set-switching:2016'/>" REP,
                    "\"switchable_with\":[\"2\",\"3\"]");
    assert_set_dump("xlink:href='more.xml'", "", "\"xlink\":\"https://svc.test/more.xml\"");
}

static void test_dash_describe_rep_texts(void **state)
{
    (void)state;
    assert_set_dump("", "<Representation id='r' bandwidth='5' qualityRanking='3' dependencyId='a  "
                    "b'/>",
                    "\"bandwidth\":5,\"quality_ranking\":3,\"dependency_ids\":[\"a\",\"b\"]");
    assert_set_dump("", "<Representation id=''/>", "[{\"id\":\"\",\"url\"");
    struct outcome o = parse_set("", "<Representation id='r' bandwidth='x'/>");
    assert_int_equal(o.rc, CAD_E_DATA);
    assert_string_equal(o.error.topic, "attr");
    assert_string_equal(o.error.message, "unreadable bandwidth");
    outcome_free(&o);
}

static void assert_channels(const char *scheme, const char *value, uint32_t channels)
{
    char memory[512];
    struct cad_sb text;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    cad_sb_printf(&text, "<AudioChannelConfiguration schemeIdUri='%s' value='%s'/>" REP, scheme,
                  value);
    struct outcome o = parse_set("mimeType='audio/mp4'", cad_sb_z(&text));
    assert_int_equal(o.rc, 0);
    if (rep_of(&o, "r")->channels != channels) fail_msg("%s %s", scheme, value);
    outcome_free(&o);
}

static void test_dash_describe_channels(void **state)
{
    (void)state;
    static const char mpeg[] = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011";
    static const char cicp[] = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
    static const char dolby[] = "tag:dolby.com,2014:dash:audio_channel_configuration:2011";
    static const char dts[] = "tag:dts.com,2014:dash:audio_channel_configuration:2012";
    assert_channels(mpeg, "2", 2);
    assert_channels(mpeg, "6", 6);
    assert_channels(mpeg, "7", 8);
    assert_channels(mpeg, "0", 0);
    assert_channels(mpeg, "x", 0);
    assert_channels(cicp, "1", 1);
    assert_channels(cicp, "7", 8);
    assert_channels(cicp, "9", 3);
    assert_channels(cicp, "13", 24);
    assert_channels(cicp, "20", 14);
    assert_channels(cicp, "21", 0);
    assert_channels(dolby, "A000", 2);
    assert_channels(dolby, "F801", 6);
    assert_channels(dolby, "FA01", 8);
    assert_channels(dolby, "4000", 1);
    assert_channels("urn:dolby:dash:audio_channel_configuration:2011", "f801", 6);
    assert_channels(dolby, "F80", 0);
    assert_channels(dolby, "F80Z", 0);
    assert_channels("tag:dolby.com,2015:dash:audio_channel_configuration:2015", "0000C7", 0);
    assert_channels(dts, "6", 6);
    assert_channels("urn:dts:dash:audio_channel_configuration:2012", "2", 2);
    assert_channels("urn:unknown", "2", 0);
}

static void test_dash_describe_properties(void **state)
{
    (void)state;
    struct outcome o = parse_set("mimeType='video/mp4'",
        "<EssentialProperty schemeIdUri='urn:mpeg:mpegB:cicp:ColourPrimaries' value='9'/>"
        "<SupplementalProperty schemeIdUri='urn:mpeg:mpegB:cicp:TransferCharacteristics' "
        "value='16'/>"
        "<Representation id='r' bandwidth='1'>"
        "<SupplementalProperty schemeIdUri='urn:mpeg:mpegB:cicp:MatrixCoefficients' value='9'/>"
        "<SupplementalProperty schemeIdUri='urn:mpeg:mpegB:cicp:VideoFullRangeFlag' value='1'/>"
        "</Representation>");
    const struct cad_representation *r = rep_of(&o, "r");
    assert_int_equal(r->color.primaries, 9);
    assert_int_equal(r->color.transfer, 16);
    assert_int_equal(r->color.matrix, 9);
    assert_true(r->color.full_range);
    outcome_free(&o);
    static const char *const bad[] = {"5", "x4", "5x", "0x4", "5x70000", "axb"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        char memory[256];
        struct cad_sb text;
        cad_sb_init_fixed(&text, memory, sizeof(memory));
        cad_sb_printf(&text, "<EssentialProperty schemeIdUri='http://dashif.org/guidelines/"
                      "thumbnail_tile' value='%s'/>" REP, bad[i]);
        o = parse_set("mimeType='image/jpeg'", cad_sb_z(&text));
        assert_int_equal(o.rc, 0);
        assert_true(cad_str_find(cad_str_from_buf(o.dump), CAD_STR("tiles")) < 0);
        outcome_free(&o);
    }
}

/* The choice of the start: priority before role before order; ids stay unique. */
static void test_dash_describe_defaults(void **state)
{
    (void)state;
    struct outcome o = parse_mpd("mediaPresentationDuration='PT1S'",
        "<Period><AdaptationSet id='a' mimeType='audio/mp4'>" REP "</AdaptationSet>"
        "<AdaptationSet id='a' mimeType='audio/mp4'>"
        "<Role schemeIdUri='urn:mpeg:dash:role:2011' value='main'/>" REP "</AdaptationSet>"
        "<AdaptationSet id='#1' mimeType='audio/mp4' selectionPriority='2'>" REP
        "</AdaptationSet></Period><Period start='PT0.5S'><AdaptationSet mimeType='audio/mp4'>" REP
        "</AdaptationSet><AdaptationSet id='m' mimeType='audio/mp4'>"
        "<Role schemeIdUri='urn:mpeg:dash:role:2011' value='main'/>"
        "<Representation bandwidth='2'/><Representation bandwidth='1'/></AdaptationSet></Period>");
    assert_int_equal(o.rc, 0);
    const struct cad_track *tracks = o.presentation->periods[0].tracks;
    assert_str(tracks[0].id, "a");
    assert_str(tracks[1].id, "#1");
    assert_str(tracks[2].id, "#2");
    assert_false(tracks[0].is_default || tracks[1].is_default);
    assert_true(tracks[2].is_default);
    tracks = o.presentation->periods[1].tracks;
    assert_true(tracks[1].is_default);
    assert_str(tracks[1].representations[0].id, "#1.1");
    assert_int_equal(tracks[1].representations[0].bandwidth_bps, 1);
    outcome_free(&o);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_describe_codec),
        cmocka_unit_test(test_dash_describe_type),
        cmocka_unit_test(test_dash_describe_inheritance),
        cmocka_unit_test(test_dash_describe_track_texts),
        cmocka_unit_test(test_dash_describe_rep_texts),
        cmocka_unit_test(test_dash_describe_channels),
        cmocka_unit_test(test_dash_describe_properties),
        cmocka_unit_test(test_dash_describe_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
