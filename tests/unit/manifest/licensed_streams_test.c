/* Goal: streams by the table of 5.3: rates, header boxes, sizes, frame rates, quality, ids. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

/* Members that come first win over those of the small manifest's stream. */
static void assert_stream(const char *members, uint32_t warnings, bool kept)
{
    struct outcome o = parse_small(&(struct small){.stream = members});
    bool there = o.rc == 0 && rep_of(&o, "v");
    bool as_said = there == kept && (!there || o.presentation->warnings == warnings);
    if (!as_said) fail_msg("%s", members);
    if (!kept) assert_int_equal(o.error.code, CAD_ERR_MANIFEST_NO_MEDIA);
    outcome_free(&o);
}

static void test_streams_kept_or_dropped(void **state)
{
    (void)state;
    assert_stream("", 0, true);
    assert_stream("\"bitrate\":0,", 0, false);
    assert_stream("\"bitrate\":-1,", 0, false);
    assert_stream("\"bitrate\":100000000,", 0, true);
    assert_stream("\"bitrate\":100000001,", 0, false);
    assert_stream("\"bitrate\":9007199254740992,", 0, false);
    assert_stream("\"res_w\":0,", 0, false);
    assert_stream("\"res_h\":65536,", 0, true);
    assert_stream("\"res_h\":65537,", 0, false);
    assert_stream("\"content_profile\":\"heaac-2-dash\",", 0, false);
    assert_stream("\"content_profile\":\"imsc1.1\",", 0, false);
    assert_stream("\"content_profile\":\"h264\",", 0, false);
    assert_stream("\"urls\":[],", 0, false);
    assert_stream("\"peakBitrate\":999,", 1, true);
    assert_stream("\"peakBitrate\":1000,", 0, true);
    assert_stream("\"size\":0,", 1, true);
    assert_stream("\"size\":-5,", 1, true);
    assert_stream("\"isDrm\":null,", 1, true);
    assert_stream("\"isDrm\":true,", 0, false); /* no drmHeader */
}

static void test_streams_rates(void **state)
{
    (void)state;
    struct outcome o = parse_small(&(struct small){.stream = "\"peakBitrate\":1500,"});
    assert_int_equal(rep_of(&o, "v")->bandwidth_bps, 1000000);
    assert_int_equal(rep_of(&o, "v")->peak_bps, 1500000);
    assert_int_equal(rep_of(&o, "a")->peak_bps, 192000);
    outcome_free(&o);
}

struct header_case {
    const char *members;
    int64_t moov, sidx, header; /* first bytes, first bytes, length */
    uint32_t warnings;
};

static const struct header_case headers[] = {
    {"", 36, 836, 900, 0},
    {"\"ssix\":{\"offset\":900,\"size\":100},", 36, 836, 1000, 0},
    {"\"startByteOffset\":950,", 36, 836, 950, 0},
    {"\"startByteOffset\":899,", 36, 836, 900, 1},      /* inside the sidx */
    {"\"startByteOffset\":90000,", 36, 836, 90000, 0},
    {"\"startByteOffset\":90001,", 36, 836, 900, 1},    /* past the file */
    {"\"moov\":{\"offset\":36},", -1, 836, -1, 1},
    {"\"moov\":{\"offset\":36,\"size\":0},", -1, 836, -1, 1},
    {"\"moov\":{\"offset\":-1,\"size\":800},", -1, 836, -1, 1},
    {"\"moov\":{\"offset\":36,\"size\":801},", -1, -1, -1, 1}, /* into the sidx */
    {"\"moov\":{\"offset\":836,\"size\":64},", -1, -1, -1, 1},
    {"\"moov\":{\"offset\":900,\"size\":100},", 900, 836, 1000, 0}, /* the other order */
    {"\"sidx\":{\"offset\":89936,\"size\":64},", 36, 89936, 90000, 0},
    {"\"sidx\":{\"offset\":89937,\"size\":64},", 36, -1, -1, 1},
    {"\"sidx\":{\"offset\":9007199254740992,\"size\":9007199254740992},", 36, -1, -1, 1},
    {"\"sidx\":[],\"startByteOffset\":900,", 36, -1, 900, 1},
    {"\"ssix\":{\"offset\":89999,\"size\":2},", 36, 836, 900, 0}, /* cannot be: not counted */
};

static void test_streams_header_boxes(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(headers); i++) {
        const struct header_case *c = &headers[i];
        struct outcome o = parse_small(&(struct small){.stream = c->members});
        const struct cad_representation *r = rep_of(&o, "v");
        bool same = r && r->init.first == c->moov && r->index.first == c->sidx &&
                    r->header_bytes == c->header && o.presentation->warnings == c->warnings;
        if (!same) fail_msg("%s", c->members);
        outcome_free(&o);
    }
}

static void test_streams_frame_rate(void **state)
{
    (void)state;
    static const struct {
        const char *track, *stream;
        uint32_t num, den;
    } cases[] = {
        {"", "", 0, 1},
        {"", "\"framerate_value\":30000,\"framerate_scale\":1001,", 30000, 1001},
        {"", "\"framerate_value\":25,", 25, 1},
        {"\"max_framerate_value\":24,\"max_framerate_scale\":1,", "", 24, 1},
        {"\"max_framerate_value\":24,", "\"framerate_value\":0,", 24, 1},
        {"", "\"framerate_value\":25,\"framerate_scale\":0,", 0, 1},
        {"", "\"framerate_value\":-25,", 0, 1},
        {"", "\"framerate_value\":1000000001,", 0, 1},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct small parts = {.track = cases[i].track, .stream = cases[i].stream};
        struct outcome o = parse_small(&parts);
        assert_int_equal(rep_of(&o, "v")->frame_rate_num, cases[i].num);
        assert_int_equal(rep_of(&o, "v")->frame_rate_den, cases[i].den);
        outcome_free(&o);
    }
}

static void test_streams_vmaf(void **state)
{
    (void)state;
    static const struct {
        const char *stream;
        int32_t milli;
    } cases[] = {{"", -1}, {"\"vmaf\":0,", 0}, {"\"vmaf\":100,", 100000},
                 {"\"vmaf\":91.25,", 91250}, {"\"vmaf\":100.001,", -1},
                 {"\"vmaf\":-0.001,", -1}, {"\"vmaf\":9.1e1,", 91000},
                 {"\"vmaf\":\"91\",", -1}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct outcome o = parse_small(&(struct small){.stream = cases[i].stream});
        assert_int_equal(rep_of(&o, "v")->vmaf_milli, cases[i].milli);
        outcome_free(&o);
    }
}

/* A repeated id drops the later stream, also of another track. */
static void test_streams_repeated_ids(void **state)
{
    (void)state;
    cad_str document = test_read_golden("example-a.json");
    struct outcome o = parse_edited(document, "downloadable_id", 1, "\"1001\"");
    assert_int_equal(o.rc, 0);
    assert_int_equal(rep_of(&o, "1001")->bandwidth_bps, 375000);
    assert_null(rep_of(&o, "1002"));
    assert_int_equal(o.presentation->warnings, 1);
    outcome_free(&o);
    o = parse_edited(document, "downloadable_id", 2, "1001");
    assert_int_equal(o.rc, CAD_E_NOTFOUND); /* it was the only audio stream */
    outcome_free(&o);
    /* A dropped stream leaves its id free. */
    o = parse_edited(document, "downloadable_id", 0, "\"1002\"");
    assert_int_equal(rep_of(&o, "1002")->bandwidth_bps, 375000);
    outcome_free(&o);
    test_free_text(&document);
}

static void test_streams_languages(void **state)
{
    (void)state;
    static const struct {
        const char *value, *lang;
    } cases[] = {{"\"en\"", "en"}, {"\"pt-BR\"", "pt-BR"}, {"\"zh-Hant-TW\"", "zh-Hant-TW"},
                 {"\"\"", "und"}, {"\"e\"", "und"}, {"\"en_US\"", "und"}, {"\"en-\"", "und"},
                 {"\"12\"", "und"}, {"\"toolonglanguage\"", "und"}, {"null", "und"}};
    cad_str document = test_read_golden("example-a.json");
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct outcome o = parse_edited(document, "language", 0, cases[i].value);
        assert_str(track_of(&o, "A:2:1;2;en;1;0;")->lang, cases[i].lang);
        outcome_free(&o);
    }
    test_free_text(&document);
}

/* Track ids: new_track_id, else track_id, else id, else made up; a repeated one is dropped. */
static void test_streams_track_ids(void **state)
{
    (void)state;
    struct outcome o = parse_small(&(struct small){.track = "\"new_track_id\":null,"
                                                            "\"id\":\"i\",\"track_id\":5,"});
    assert_non_null(track_of(&o, "5"));
    outcome_free(&o);
    o = parse_small(&(struct small){.track = "\"new_track_id\":null,\"id\":\"i\","});
    assert_non_null(track_of(&o, "i"));
    outcome_free(&o);
    o = parse_small(&(struct small){.track = "\"new_track_id\":null,"});
    assert_non_null(track_of(&o, "V:0"));
    outcome_free(&o);
    o = parse_small(&(struct small){.track = "\"new_track_id\":\"A\","});
    assert_int_equal(o.rc, CAD_E_NOTFOUND); /* the audio track of that id was the only one */
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_kept_or_dropped),
        cmocka_unit_test(test_streams_rates),
        cmocka_unit_test(test_streams_header_boxes),
        cmocka_unit_test(test_streams_frame_rate),
        cmocka_unit_test(test_streams_vmaf),
        cmocka_unit_test(test_streams_repeated_ids),
        cmocka_unit_test(test_streams_languages),
        cmocka_unit_test(test_streams_track_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
