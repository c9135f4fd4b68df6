/* Goal: a DASH document becomes the model that is played: periods, tracks, representations in
 * rising bandwidth, timelines in media ticks, URLs; the same whatever the steps; what
 * fails says so and where. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/manifest.h"
#include "support/failing_alloc.h"

#define MPD_OPEN "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "

static const char big_document[] =
    "<?xml version=\"1.0\"?>\n"
    MPD_OPEN "mediaPresentationDuration=\"PT20S\" minBufferTime=\"PT1.5S\" profiles=\"a, b\">"
    "<BaseURL serviceLocation=\"x\">https://x.test/d/</BaseURL>"
    "<BaseURL serviceLocation=\"y\">https://y.test/e/</BaseURL>"
    "<Location>new.mpd</Location><UTCTiming schemeIdUri=\"s\" value=\"v\"/>"
    "<PatchLocation ttl=\"60\">p</PatchLocation>"
    "<ContentSteering defaultServiceLocation=\"x\" queryBeforeStart=\"true\">"
    "steer</ContentSteering>"
    "<ServiceDescription id=\"0\"><Latency target=\"3000\"/><PlaybackRate min=\"0.9\" max=\"1.1\"/>"
    "</ServiceDescription>"
    "<Period id=\"p0\" duration=\"PT8S\"><EventStream schemeIdUri=\"e\" timescale=\"10\">"
    "<Event id=\"1\" presentationTime=\"20\" duration=\"5\"/></EventStream>"
    "<AdaptationSet id=\"1\" mimeType=\"video/mp4\" frameRate=\"30000/1001\">"
    "<Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"main\"/>"
    "<ContentProtection schemeIdUri=\"urn:mpeg:dash:mp4protection:2011\" value=\"cenc\" "
    "cenc:default_KID=\"00112233-4455-6677-8899-AABBCCDDEEFF\"/>"
    "<ContentProtection schemeIdUri=\"urn:uuid:EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED\">"
    "<cenc:pssh> AAAA\n IHBzc2g= </cenc:pssh></ContentProtection>"
    "<SegmentTemplate timescale=\"1000\" presentationTimeOffset=\"500\" startNumber=\"3\" "
    "initialization=\"$RepresentationID$/i.mp4\" "
    "media=\"$RepresentationID$/$Time$-$Number%03d$.m4s\">"
    "<SegmentTimeline><S t=\"500\" d=\"2000\" r=\"1\"/><S d=\"3000\"/><S t=\"8000\" d=\"1000\"/>"
    "</SegmentTimeline></SegmentTemplate>"
    "<Representation id=\"hi\" bandwidth=\"900000\" codecs=\"avc1.4d401f\" width=\"1280\" "
    "height=\"720\"/>"
    "<Representation id=\"lo\" bandwidth=\"300000\" codecs=\"avc1.4d401e\" width=\"640\" "
    "height=\"360\"/></AdaptationSet>"
    "<AdaptationSet lang=\"en\" mimeType=\"audio/mp4\" codecs=\"mp4a.40.2\">"
    "<Label>English</Label><Accessibility schemeIdUri=\"urn:x\" value=\"1\"/>"
    "<Representation id=\"a\" bandwidth=\"64000\" audioSamplingRate=\"48000\">"
    "<AudioChannelConfiguration schemeIdUri=\"urn:mpeg:mpegB:cicp:ChannelConfiguration\" "
    "value=\"6\"/>"
    "<BaseURL>a.mp4</BaseURL><SegmentBase indexRange=\"800-999\">"
    "<Initialization range=\"0-799\"/></SegmentBase></Representation></AdaptationSet></Period>"
    "<Period id=\"p1\"><AdaptationSet mimeType=\"video/mp4\" codecs=\"avc1.4d401f\">"
    "<SegmentTemplate timescale=\"10\" duration=\"50\" media=\"n$Number$.m4s\"/>"
    "<Representation id=\"v\" bandwidth=\"500000\"/></AdaptationSet>"
    "<AdaptationSet mimeType=\"text/vtt\" lang=\"de\"><Representation id=\"t\" bandwidth=\"100\">"
    "<BaseURL>t.vtt</BaseURL></Representation></AdaptationSet>"
    "<AdaptationSet mimeType=\"audio/mp4\"><Representation id=\"l\" bandwidth=\"9\">"
    "<SegmentList timescale=\"1\" duration=\"6\"><Initialization sourceURL=\"i\" range=\"0-9\"/>"
    "<SegmentURL media=\"1\" mediaRange=\"10-19\"/><SegmentURL mediaRange=\"20-\"/></SegmentList>"
    "</Representation></AdaptationSet></Period></MPD>\n";

static void assert_url(const struct cad_representation *r, uint32_t location, int64_t index,
                       const char *expected, struct cad_range range)
{
    char memory[256];
    struct cad_sb url;
    struct cad_range bytes = {-7, -7};
    cad_sb_init_fixed(&url, memory, sizeof(memory));
    int rc = index < 0 ? cad_init_url(r, &r->locations[location], &url, &bytes)
                       : cad_segment_url(r, &r->locations[location], (uint32_t)index, &url, &bytes);
    assert_int_equal(rc, 0);
    assert_str(cad_sb_str(&url), expected);
    assert_int_equal(bytes.first, range.first);
    assert_int_equal(bytes.last, range.last);
}

static void test_dash_periods_and_tracks(void **state)
{
    (void)state;
    struct outcome o = test_parse_z(big_document);
    if (o.rc != 0) fail_msg("%u: %s", o.error.line, o.error.message);
    const struct cad_presentation *p = o.presentation;
    assert_int_equal(p->format, CAD_FORMAT_DASH);
    assert_false(p->live);
    assert_int_equal(p->duration, 20 * CAD_SECOND);
    assert_int_equal(p->period_count, 2);
    assert_int_equal(p->periods[0].start, 0);
    assert_int_equal(p->periods[0].duration, 8 * CAD_SECOND);
    assert_int_equal(p->periods[1].start, 8 * CAD_SECOND);
    assert_int_equal(p->periods[1].duration, 12 * CAD_SECOND);
    assert_int_equal(p->server_count, 2);
    assert_str(p->servers[0].id, "x");
    assert_str(p->servers[1].host, "y.test");
    assert_int_equal(p->periods[0].track_count, 2);
    const struct cad_track *video = &p->periods[0].tracks[0];
    assert_int_equal(video->type, CAD_MEDIA_VIDEO);
    assert_true(video->is_default);
    assert_str(video->id, "1");
    assert_str(video->role, "main");
    assert_int_equal(video->protection_count, 2);
    assert_true(video->protections[0].has_key_id);
    assert_int_equal(video->protections[0].key_id[15], 0xff);
    assert_str(video->protections[0].scheme, "cenc");
    assert_int_equal(video->protections[1].init_data.n, 8);
    assert_int_equal(video->protections[1].system_id[0], 0xed);
    const struct cad_track *audio = &p->periods[0].tracks[1];
    assert_str(audio->lang, "en");
    assert_str(audio->label, "English");
    assert_str(audio->id, "#1");
    assert_int_equal(audio->channels, 6);
    assert_int_equal(audio->accessibility_count, 1);
    assert_int_equal(p->periods[1].tracks[1].type, CAD_MEDIA_TEXT);
    assert_false(p->periods[1].tracks[1].is_default);
    assert_true(p->arena_bytes > sizeof(*p));
    outcome_free(&o);
}

static void test_dash_timeline_and_urls(void **state)
{
    (void)state;
    struct outcome o = test_parse_z(big_document);
    struct cad_segment s;
    const struct cad_range all = {-1, -1};
    const struct cad_track *video = &o.presentation->periods[0].tracks[0];
    const struct cad_representation *r = &video->representations[0];
    assert_str(r->id, "lo");
    assert_true(video->representations[1].bandwidth_bps > r->bandwidth_bps);
    assert_true(r->encrypted);
    assert_int_equal(r->codec, CAD_CODEC_AVC);
    assert_int_equal(r->frame_rate_num, 30000);
    assert_int_equal(r->addressing, CAD_ADDRESSING_SEGMENTS);
    assert_int_equal(r->timescale, 1000);
    assert_int_equal(r->time_offset_ticks, 500);
    assert_true(r->time_offset_known);
    assert_ptr_equal(r->timeline, video->representations[1].timeline);
    assert_int_equal(cad_index_count(r->timeline), 4);
    assert_int_equal(cad_index_at(r->timeline, 3, &s), 0);
    assert_int_equal(s.start_ticks, 8000);
    assert_int_equal(s.duration_ticks, 1000);
    assert_url(r, 0, 0, "https://x.test/d/lo/500-003.m4s", all);
    assert_url(r, 1, 3, "https://y.test/e/lo/8000-006.m4s", all);
    assert_url(r, 0, -1, "https://x.test/d/lo/i.mp4", all);

    r = rep_of(&o, "a");
    assert_int_equal(r->addressing, CAD_ADDRESSING_INDEXED);
    assert_int_equal(r->index.first, 800);
    assert_int_equal(r->init.last, 799);
    assert_int_equal(r->header_bytes, 1000);
    assert_null(r->urls);
    assert_str(r->locations[1].url, "https://y.test/e/a.mp4");

    const struct cad_period *second = &o.presentation->periods[1];
    r = &second->tracks[0].representations[0];
    assert_int_equal(cad_index_count(r->timeline), 3);
    assert_int_equal(cad_index_at(r->timeline, 2, &s), 0);
    assert_int_equal(s.start_ticks, 100);
    assert_int_equal(s.duration_ticks, 20);
    assert_url(r, 0, 2, "https://x.test/d/n3.m4s", all);
    assert_int_equal(second->tracks[1].representations[0].addressing, CAD_ADDRESSING_SINGLE);
    r = &second->tracks[2].representations[0];
    assert_url(r, 0, 0, "https://x.test/d/1", (struct cad_range){10, 19});
    assert_url(r, 0, 1, "https://x.test/d/", (struct cad_range){20, -1});
    assert_url(r, 0, -1, "https://x.test/d/i", (struct cad_range){0, 9});
    outcome_free(&o);
}

static void test_dash_url_refusals(void **state)
{
    (void)state;
    struct outcome o = test_parse_z(big_document);
    char memory[40];
    struct cad_sb url;
    struct cad_range bytes = {1, 2};
    const struct cad_representation *r = rep_of(&o, "lo");
    cad_sb_init_fixed(&url, memory, 20);
    cad_sb_putz(&url, "kept");
    assert_int_equal(cad_segment_url(r, r->locations, 4, &url, &bytes), CAD_E_NOTFOUND);
    assert_int_equal(cad_segment_url(r, r->locations, 0, &url, &bytes), CAD_E_INVAL);
    assert_str(cad_sb_str(&url), "kept");
    assert_int_equal(bytes.first, 1);
    r = rep_of(&o, "a");
    assert_int_equal(cad_segment_url(r, r->locations, 0, &url, &bytes), CAD_E_INVAL);
    assert_int_equal(cad_init_url(r, r->locations, &url, &bytes), CAD_E_NOTFOUND);
    assert_int_equal(cad_segment_url(NULL, NULL, 0, NULL, NULL), CAD_E_INVAL);
    assert_int_equal(cad_init_url(NULL, NULL, NULL, NULL), CAD_E_INVAL);
    outcome_free(&o);
}

static void test_dash_same_in_every_step(void **state)
{
    (void)state;
    cad_str text = CAD_STR(big_document);
    struct outcome whole = test_parse(text, NULL, 0);
    static const uint32_t steps[] = {1, 2, 3, 7, 64, 1000};
    for (size_t i = 0; i < CAD_ARRAY_LEN(steps); i++) {
        struct outcome o = test_parse(text, NULL, steps[i]);
        assert_int_equal(o.rc, 0);
        assert_int_equal(o.dump.n, whole.dump.n);
        assert_memory_equal(o.dump.p, whole.dump.p, whole.dump.n);
        outcome_free(&o);
    }
    outcome_free(&whole);
}

static void test_dash_every_truncation(void **state)
{
    (void)state;
    cad_str text = cad_str_trim(CAD_STR(big_document));
    for (size_t n = 0; n < text.n; n++) {
        struct outcome o = test_parse(cad_str_sub(text, 0, n), NULL, 0);
        assert_int_equal(o.rc, CAD_E_DATA);
        assert_int_equal(o.error.code, CAD_ERR_MANIFEST_BAD);
        assert_true(o.error.message[0] != '\0');
        outcome_free(&o);
    }
}

static void test_dash_no_memory(void **state)
{
    (void)state;
    cad_buf document = cad_buf_from_str(CAD_STR(big_document));
    struct cad_manifest_options options = test_options();
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        struct cad_manifest_parser *parser = NULL;
        struct cad_presentation *presentation = NULL;
        cad_failing_init(&f, at);
        options.alloc = cad_failing_alloc(&f);
        int rc = cad_manifest_parser_create(&options, &parser);
        if (rc == 0) rc = cad_manifest_parser_step(parser, document, UINT32_MAX);
        assert_int_equal(rc, f.failed > 0 ? CAD_E_NOMEM : 0);
        if (rc == 0) rc = cad_manifest_parser_take(parser, &presentation);
        if (parser && f.failed > 0) {
            struct cad_manifest_error error;
            cad_manifest_parser_error(parser, &error);
            assert_int_equal(error.code, CAD_ERR_OUT_OF_MEMORY);
        }
        cad_manifest_parser_destroy(&parser);
        cad_presentation_destroy(&presentation);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (f.failed == 0) break;
        assert_true(at < 1000);
    }
}

/* Encrypted media stays with those who ask for it; plain http and files do as well. */
static void test_dash_what_is_usable(void **state)
{
    (void)state;
    cad_str text = CAD_STR(big_document);
    struct cad_manifest_options options = test_options();
    options.allow_drm = false;
    struct outcome o = test_parse(text, &options, 0);
    assert_int_equal(o.rc, 0);
    assert_null(rep_of(&o, "lo"));
    assert_non_null(rep_of(&o, "a"));
    assert_true(cad_str_find(cad_str_from_buf(o.dump), CAD_STR("\"lo\"")) > 0);
    outcome_free(&o);

    static const struct {
        const char *base;
        bool allow_http;
        bool usable;
    } cases[] = {
        {"https://h.test/", false, true}, {"http://h.test/", true, true},
        {"http://h.test/", false, false}, {"file:///tmp/", true, false},
        {"https://u@h.test/", true, false}, {"ftp://h.test/", true, false},
        {"https://h.test:99999/", true, false},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        char memory[512];
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, memory, sizeof(memory));
        cad_sb_printf(&sb, MPD_OPEN "mediaPresentationDuration='PT1S'><BaseURL>%s</BaseURL><Period>"
                      "<AdaptationSet mimeType='video/mp4'><Representation id='r' bandwidth='1'/>"
                      "</AdaptationSet></Period></MPD>", cases[i].base);
        options.allow_http = cases[i].allow_http;
        o = test_parse(cad_sb_str(&sb), &options, 0);
        assert_int_equal(o.rc, 0);
        assert_int_equal(rep_of(&o, "r") != NULL, cases[i].usable);
        assert_true(o.presentation->server_count >= 1);
        outcome_free(&o);
    }
}

/* A file that names files beside it. */
static void test_dash_files(void **state)
{
    (void)state;
    struct cad_manifest_options options = test_options();
    options.base_url = CAD_STR("file:///films/a.mpd");
    struct outcome o = test_parse(CAD_STR(
        MPD_OPEN "mediaPresentationDuration='PT1S'><Period><AdaptationSet mimeType='video/mp4'>"
        "<Representation id='r' bandwidth='1'><BaseURL>a.mp4</BaseURL></Representation>"
        "</AdaptationSet></Period></MPD>"), &options, 0);
    assert_str(rep_of(&o, "r")->locations[0].url, "file:///films/a.mp4");
    outcome_free(&o);
}

/* Sets that the viewer cannot choose are told in the dump and are no tracks. */
static void test_dash_sets_left_out(void **state)
{
    (void)state;
    struct outcome o = test_parse_z(
        MPD_OPEN "mediaPresentationDuration='PT1S'><Period>"
        "<AdaptationSet mimeType='video/mp4'><EssentialProperty "
        "schemeIdUri='http://dashif.org/guidelines/trickmode' value='1'/>"
        "<Representation id='trick' bandwidth='1'/></AdaptationSet>"
        "<AdaptationSet mimeType='video/mp4'><EssentialProperty schemeIdUri='urn:unknown'/>"
        "<Representation id='unknown' bandwidth='1'/></AdaptationSet>"
        "<AdaptationSet mimeType='image/jpeg'><EssentialProperty "
        "schemeIdUri='http://dashif.org/guidelines/thumbnail_tile' value='5x4'/>"
        "<Representation id='tiles' bandwidth='1'/></AdaptationSet>"
        "<AdaptationSet mimeType='video/mp4'/></Period></MPD>");
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.presentation->periods[0].track_count, 1);
    assert_int_equal(o.presentation->periods[0].tracks[0].type, CAD_MEDIA_IMAGE);
    cad_str dump = cad_str_from_buf(o.dump);
    assert_true(cad_str_find(dump, CAD_STR("\"trick_mode\":true")) > 0);
    assert_true(cad_str_find(dump, CAD_STR("\"tiles\":{\"columns\":5,\"rows\":4}")) > 0);
    outcome_free(&o);
}

static void test_dash_live_is_marked(void **state)
{
    (void)state;
    struct cad_manifest_options options = test_options();
    options.now_ms = 100000;
    struct outcome o = test_parse(CAD_STR(
        "<MPD xmlns='u' type='dynamic' timeShiftBufferDepth='PT10S' "
        "availabilityStartTime='1970-01-01T00:00:05Z'><Period start='PT15S'>"
        "<AdaptationSet mimeType='video/mp4'><SegmentTemplate duration='3' startNumber='0' "
        "media='$Number$'/><Representation id='r' bandwidth='1'/></AdaptationSet></Period></MPD>"),
        &options, 0);
    assert_int_equal(o.rc, 0);
    assert_true(o.presentation->live);
    assert_int_equal(o.presentation->duration, CAD_TIME_NONE);
    assert_int_equal(o.presentation->periods[0].duration, CAD_TIME_NONE);
    /* rel = 100 - 5 - 15 = 80 s: complete are 0..25; the window of 10 s reaches into 23. */
    const struct cad_representation *r = rep_of(&o, "r");
    assert_int_equal(cad_index_count(r->timeline), 3);
    assert_url(r, 0, 0, "https://svc.test/23", (struct cad_range){-1, -1});
    outcome_free(&o);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_periods_and_tracks),
        cmocka_unit_test(test_dash_timeline_and_urls),
        cmocka_unit_test(test_dash_url_refusals),
        cmocka_unit_test(test_dash_same_in_every_step),
        cmocka_unit_test(test_dash_every_truncation),
        cmocka_unit_test(test_dash_no_memory),
        cmocka_unit_test(test_dash_what_is_usable),
        cmocka_unit_test(test_dash_files),
        cmocka_unit_test(test_dash_sets_left_out),
        cmocka_unit_test(test_dash_live_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
