/* Goal: every profile family of section 6 gives codec, level and channels; the rest is refused. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/manifest.h"
#include "manifest/profiles.h"

struct expected {
    const char *name;
    enum cad_media_type type;
    enum cad_codec codec;
    const char *codecs;
    uint32_t channels;
};

static const struct expected known[] = {
    {"playready-h264bpl30-dash", CAD_MEDIA_VIDEO, CAD_CODEC_AVC, "avc1.42c01e", 0},
    {"playready-h264mpl31-dash", CAD_MEDIA_VIDEO, CAD_CODEC_AVC, "avc1.4d401f", 0},
    {"playready-h264hpl40-dash", CAD_MEDIA_VIDEO, CAD_CODEC_AVC, "avc1.640028", 0},
    {"h264hpl31-dash-playready-prk-qc", CAD_MEDIA_VIDEO, CAD_CODEC_AVC, "avc1.64001f", 0},
    {"h264mpl30-dash-playready-live", CAD_MEDIA_VIDEO, CAD_CODEC_AVC, "avc1.4d401e", 0},
    {"h264mpl40-dash-clear", CAD_MEDIA_VIDEO, CAD_CODEC_AVC, "avc1.4d4028", 0},
    {"hevc-main10-L41-dash-cenc-prk-do", CAD_MEDIA_VIDEO, CAD_CODEC_HEVC, "hvc1.2.4.L123.B0", 0},
    {"hevc-hdr-main10-L30-dash-cenc", CAD_MEDIA_VIDEO, CAD_CODEC_HEVC, "hvc1.2.4.L90.B0", 0},
    {"hevc-dv5-main10-L50-dash-cenc", CAD_MEDIA_VIDEO, CAD_CODEC_HEVC, "", 0},
    {"vp9-profile0-L31-dash-cenc", CAD_MEDIA_VIDEO, CAD_CODEC_VP9, "vp09.00.31.08", 0},
    {"vp9-profile2-L50-dash-cenc-prk", CAD_MEDIA_VIDEO, CAD_CODEC_VP9, "vp09.02.50.10", 0},
    {"av1-main-L20-dash-cbcs-prk", CAD_MEDIA_VIDEO, CAD_CODEC_AV1, "av01.0.00M.08", 0},
    {"av1-main-L40-dash-clear", CAD_MEDIA_VIDEO, CAD_CODEC_AV1, "av01.0.08M.08", 0},
    {"av1-main-L51-dash-cbcs-prk", CAD_MEDIA_VIDEO, CAD_CODEC_AV1, "av01.0.13M.08", 0},
    {"heaac-2-dash", CAD_MEDIA_AUDIO, CAD_CODEC_AAC, "mp4a.40.5", 2},
    {"heaac-2hq-dash", CAD_MEDIA_AUDIO, CAD_CODEC_AAC, "mp4a.40.5", 2},
    {"xheaac-dash", CAD_MEDIA_AUDIO, CAD_CODEC_AAC, "mp4a.40.42", 0},
    {"ddplus-2.0-dash", CAD_MEDIA_AUDIO, CAD_CODEC_EAC3, "ec-3", 2},
    {"ddplus-5.1-dash", CAD_MEDIA_AUDIO, CAD_CODEC_EAC3, "ec-3", 6},
    {"ddplus-5.1hq-dash", CAD_MEDIA_AUDIO, CAD_CODEC_EAC3, "ec-3", 6},
    {"ddplus-atmos-dash", CAD_MEDIA_AUDIO, CAD_CODEC_EAC3, "ec-3", 0},
    {"opus-2-dash", CAD_MEDIA_AUDIO, CAD_CODEC_OPUS, "opus", 2},
    {"flac-2-dash", CAD_MEDIA_AUDIO, CAD_CODEC_FLAC, "flac", 2},
    {"imsc1.1", CAD_MEDIA_TEXT, CAD_CODEC_TTML, "", 0},
    {"dfxp-ls-sdh", CAD_MEDIA_TEXT, CAD_CODEC_TTML, "", 0},
    {"simplesdh", CAD_MEDIA_TEXT, CAD_CODEC_TTML, "", 0},
    {"webvtt-lssdh-ios8", CAD_MEDIA_TEXT, CAD_CODEC_WEBVTT, "", 0},
    {"nflx-cmisc", CAD_MEDIA_TEXT, CAD_CODEC_UNKNOWN, "", 0},
};

static void test_profiles_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(known); i++) {
        struct cad_profile p;
        if (!cad_profile_parse(cad_str_from(known[i].name), &p)) fail_msg("%s", known[i].name);
        assert_int_equal(p.type, known[i].type);
        assert_int_equal(p.codec, known[i].codec);
        assert_string_equal(p.codecs, known[i].codecs);
        assert_int_equal(p.channels, known[i].channels);
    }
}

static void test_profiles_unknown(void **state)
{
    (void)state;
    static const char *const names[] = {
        "", "-", "playready", "playready-", "future-codec-L99", "h264", "h264mpl", "h264mpl4",
        "h264mpl4x-dash", "h264xpl40-dash", "h264mpl400-dash", "hevc", "hevc-main10",
        "hevc-main10-L4", "hevc-L41-dash", "vp9-profile1-L31", "vp9-profile0", "av1-main",
        "av1-main-L80-dash", "av1-main-L44-dash", "av1-L40", "heaac", "heaac-", "heaac-x-dash",
        "heaac-99-dash", "ddplus", "opus-dash", "imsc1.2", "webvtt", "BIF240",
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        struct cad_profile p;
        memset(&p, 0x5a, sizeof(p));
        if (cad_profile_parse(cad_str_from(names[i]), &p)) fail_msg("%s", names[i]);
        assert_int_equal(((unsigned char *)&p)[0], 0x5a);
    }
}

/* No cut of a name makes trouble. */
static void test_profiles_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(known); i++) {
        cad_str name = cad_str_from(known[i].name);
        for (size_t n = 0; n < name.n; n++) {
            struct cad_profile p;
            if (!cad_profile_parse(cad_str_sub(name, 0, n), &p)) continue;
            assert_int_equal(p.type, known[i].type);
            assert_int_equal(p.codec, known[i].codec);
        }
    }
}

static void test_channels(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t count;
    } cases[] = {{"2.0", 2}, {"5.1", 6}, {"7.1", 8}, {"1.0", 1}, {"2", 2}, {"5.1.4", 10},
                 {"", 0},    {"x", 0},   {"2.x", 0}, {"-1", 0}, {".", 0}, {"64.1", 0},
                 {"64", 64}, {"65", 0},  {"2.0 ", 0}, {"99999999999", 0}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        assert_int_equal(cad_channels_parse(cad_str_from(cases[i].text)), cases[i].count);
    }
}

/* What a service is asked for, in this order, and the codec of each. */
static const struct {
    const char *name;
    enum cad_codec codec;
} asked[] = {
    {"h264bpl30-dash-clear", CAD_CODEC_AVC},    {"h264mpl30-dash-clear", CAD_CODEC_AVC},
    {"h264mpl31-dash-clear", CAD_CODEC_AVC},    {"h264mpl40-dash-clear", CAD_CODEC_AVC},
    {"h264hpl30-dash-clear", CAD_CODEC_AVC},    {"h264hpl31-dash-clear", CAD_CODEC_AVC},
    {"h264hpl40-dash-clear", CAD_CODEC_AVC},    {"av1-main-L40-dash-clear", CAD_CODEC_AV1},
    {"heaac-2-dash", CAD_CODEC_AAC},            {"ddplus-2.0-dash", CAD_CODEC_EAC3},
    {"ddplus-5.1-dash", CAD_CODEC_EAC3},        {"opus-2-dash", CAD_CODEC_OPUS},
    {"flac-2-dash", CAD_CODEC_FLAC},            {"imsc1.1", CAD_CODEC_TTML},
};

static void test_profiles_asked_for(void **state)
{
    (void)state;
    cad_str names[CAD_LICENSED_PROFILES_MAX + 1];
    uint32_t n = cad_licensed_profiles(UINT32_MAX, names, CAD_ARRAY_LEN(names));
    assert_int_equal(n, CAD_ARRAY_LEN(asked));
    assert_true(n <= CAD_LICENSED_PROFILES_MAX);
    for (uint32_t i = 0; i < n; i++) assert_true(cad_str_eqz(names[i], asked[i].name));
    assert_int_equal(cad_licensed_profiles(0, names, CAD_ARRAY_LEN(names)), 0);
    assert_int_equal(cad_licensed_profiles(1u << CAD_CODEC_VP9, names, CAD_ARRAY_LEN(names)), 0);
}

/* Each codec brings its own names and no other; the list ends where the room does. */
static void test_profiles_asked_for_by_codec(void **state)
{
    (void)state;
    for (uint32_t codec = 0; codec <= CAD_CODEC_WEBVTT; codec++) {
        cad_str names[CAD_LICENSED_PROFILES_MAX];
        uint32_t n = cad_licensed_profiles(1u << codec, names, CAD_ARRAY_LEN(names));
        uint32_t want = 0;
        for (size_t i = 0; i < CAD_ARRAY_LEN(asked); i++) {
            if (asked[i].codec != codec) continue;
            assert_true(want < n && cad_str_eqz(names[want], asked[i].name));
            want++;
        }
        assert_int_equal(n, want);
        assert_int_equal(cad_licensed_profiles(1u << codec, names, 2), CAD_MIN(want, 2u));
    }
}

/* What is protected has names of its own, of codecs that are asked for in the clear as well. */
static void test_profiles_asked_for_under_protection(void **state)
{
    (void)state;
    cad_str names[CAD_LICENSED_PROFILES_MAX + 1];
    uint32_t n = cad_licensed_profiles_protected(UINT32_MAX, names, CAD_ARRAY_LEN(names));
    assert_int_equal(n, 9);
    for (uint32_t i = 0; i < n; i++) {
        struct cad_profile profile;
        assert_true(cad_profile_parse(names[i], &profile));
        assert_int_equal(profile.type, CAD_MEDIA_VIDEO);
        for (size_t k = 0; k < CAD_ARRAY_LEN(asked); k++) {
            assert_false(cad_str_eqz(names[i], asked[k].name));
        }
    }
    n = cad_licensed_profiles_protected(1u << CAD_CODEC_AV1, names, CAD_ARRAY_LEN(names));
    assert_int_equal(n, 2);
    assert_true(cad_str_eqz(names[0], "av1-main-L40-dash-cbcs-prk"));
    assert_int_equal(cad_licensed_profiles_protected(1u << CAD_CODEC_AVC, names, 3), 3);
    assert_true(cad_str_eqz(names[0], "playready-h264bpl30-dash"));
    assert_int_equal(cad_licensed_profiles_protected(1u << CAD_CODEC_AAC, names, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_profiles_known),
        cmocka_unit_test(test_profiles_unknown),
        cmocka_unit_test(test_profiles_truncated),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_profiles_asked_for),
        cmocka_unit_test(test_profiles_asked_for_by_codec),
        cmocka_unit_test(test_profiles_asked_for_under_protection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
