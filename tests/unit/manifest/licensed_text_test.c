/* Goal: text tracks and trick play: order of choice, the older URL form, "off", what is dropped. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define URLS "\"urls\":[{\"cdn_id\":1,\"url\":\"https://h1.test/t\"}]"

static struct outcome parse_text(const char *tracks)
{
    static char top[4096];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, top, sizeof(top));
    cad_sb_printf(&sb, "\"timedtexttracks\":[%s],", tracks);
    assert_int_equal(cad_sb_error(&sb), 0);
    return parse_small(&(struct small){.top = top});
}

static void test_text_order_of_choice(void **state)
{
    (void)state;
    struct outcome o = parse_text(
        "{\"new_track_id\":\"T\",\"language\":\"de\",\"isForcedNarrative\":true,"
        "\"downloadableIds\":{\"imsc1.1\":77,\"simplesdh\":\"s\"},\"ttDownloadables\":{"
        "\"nflx-cmisc\":{\"isImage\":true,\"size\":900,\"midxOffset\":800,\"midxSize\":100,"
        "\"width\":640,\"height\":360," URLS "},"
        "\"webvtt-lssdh-ios8\":{" URLS "},\"simplesdh\":{\"size\":60000," URLS "},"
        "\"imsc1.1\":{\"isImage\":true," URLS "},\"dfxp-ls-sdh\":{" URLS "}}}");
    static const char *const ids[] = {"77", "T:dfxp-ls-sdh", "s", "T:webvtt-lssdh-ios8",
                                      "T:nflx-cmisc"};
    const struct cad_track *track = track_of(&o, "T");
    assert_non_null(track);
    assert_true(track->is_forced);
    assert_str(track->lang, "de");
    assert_int_equal(track->representation_count, CAD_ARRAY_LEN(ids));
    for (uint32_t i = 0; i < CAD_ARRAY_LEN(ids); i++) {
        assert_str(track->representations[i].id, ids[i]);
        assert_true(track->representations[i].bandwidth_bps > 0);
    }
    assert_int_equal(track->representations[0].codec, CAD_CODEC_UNKNOWN); /* pictures */
    assert_int_equal(track->representations[1].codec, CAD_CODEC_TTML);
    assert_int_equal(track->representations[2].bandwidth_bps, 8000); /* 60000 bytes in 60 s */
    assert_int_equal(track->representations[3].codec, CAD_CODEC_WEBVTT);
    assert_int_equal(track->representations[4].index.first, 800);
    assert_int_equal(track->representations[4].index.last, 899);
    assert_int_equal(track->representations[4].height, 360);
    assert_int_equal(o.presentation->warnings, 0);
    outcome_free(&o);
}

static void test_text_older_urls(void **state)
{
    (void)state;
    struct outcome o = parse_text("{\"new_track_id\":\"T\",\"ttDownloadables\":{\"imsc1.1\":{"
                                  "\"downloadUrls\":{\"5\":\"https://x.test/\","
                                  "\"1\":\"https://h1.test/\",\"1\":\"https://h1.test/2\"}}}}");
    const struct cad_representation *r = rep_of(&o, "T:imsc1.1");
    assert_int_equal(r->location_count, 2);
    assert_str(r->locations[0].url, "https://h1.test/");
    assert_str(r->locations[1].url, "https://x.test/");
    assert_int_equal(o.presentation->duplicate_keys, 1);
    outcome_free(&o);
}

/* "off" is kept without files; a track that lost its files goes, playback stays. */
static void test_text_none_and_dropped(void **state)
{
    (void)state;
    struct outcome o = parse_text(
        "{\"new_track_id\":\"off\",\"isNoneTrack\":true,\"ttDownloadables\":{}},"
        "{\"new_track_id\":\"empty\",\"ttDownloadables\":{}},"
        "{\"new_track_id\":\"later\",\"hydrated\":false},"
        "{\"new_track_id\":\"odd\",\"ttDownloadables\":{\"future\":{" URLS "}}},"
        "{\"new_track_id\":\"bare\",\"ttDownloadables\":{\"imsc1.1\":{\"urls\":[]}}}");
    assert_int_equal(o.rc, 0);
    assert_true(track_of(&o, "off")->is_none);
    assert_int_equal(track_of(&o, "off")->representation_count, 0);
    assert_null(track_of(&o, "empty"));
    assert_null(track_of(&o, "later"));
    assert_null(track_of(&o, "odd"));
    assert_null(track_of(&o, "bare"));
    /* empty 1, later 0, odd 2, bare 2 */
    assert_int_equal(o.presentation->warnings, 5);
    outcome_free(&o);
}

static void test_text_bad_midx(void **state)
{
    (void)state;
    static const char *const members[] = {
        "\"size\":900,\"midxOffset\":801,\"midxSize\":100,", "\"midxOffset\":-1,\"midxSize\":100,",
        "\"midxOffset\":1,\"midxSize\":0,", "\"midxOffset\":1,"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(members); i++) {
        char text[512];
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, text, sizeof(text));
        cad_sb_printf(&sb, "{\"new_track_id\":\"T\",\"ttDownloadables\":{\"nflx-cmisc\":{%s%s}}}",
                      members[i], URLS);
        struct outcome o = parse_text(text);
        assert_int_equal(rep_of(&o, "T:nflx-cmisc")->index.first, -1);
        outcome_free(&o);
    }
}

static void test_trickplay(void **state)
{
    (void)state;
    struct outcome o = parse_small(&(struct small){
        .top = "\"trickplays\":[{\"id\":\"i\",\"downloadable_id\":9,\"size\":60000,\"width\":240,"
               "\"height\":135,\"urls\":[\"https://h1.test/b\",{\"cdn_id\":4,"
               "\"url\":\"https://z.test/b\"}]},{\"downloadable_id\":10," URLS "},{" URLS "},"
               "{\"id\":\"k\",\"urls\":[\"ftp://h\"]},{\"id\":\"v\"," URLS "}],"});
    assert_int_equal(o.rc, 0);
    const struct cad_track *track = track_of(&o, "i");
    assert_int_equal(track->type, CAD_MEDIA_IMAGE);
    assert_false(track->is_default);
    const struct cad_representation *r = rep_of(&o, "9");
    assert_int_equal(r->bandwidth_bps, 8000);
    assert_int_equal(r->width, 240);
    assert_int_equal(r->location_count, 2);
    assert_int_equal(r->locations[0].server, 0); /* the published server of that host */
    assert_non_null(track_of(&o, "10"));
    assert_non_null(track_of(&o, "I:2"));
    assert_null(track_of(&o, "k"));
    assert_null(track_of(&o, "v")); /* the video stream has that id */
    assert_int_equal(o.presentation->warnings, 3);
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_order_of_choice),
        cmocka_unit_test(test_text_older_urls),
        cmocka_unit_test(test_text_none_and_dropped),
        cmocka_unit_test(test_text_bad_midx),
        cmocka_unit_test(test_trickplay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
