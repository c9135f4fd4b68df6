/* Goal: the MPD says of each asset what it is and where its index lies, its URLs work as they stand
 * in it, and an asset that cannot be described is refused rather than left out. */
#include "mock_fixture.h"

#include "base/util.h"

static void describe_all(struct fixture *f)
{
    for (uint32_t i = 0; i < f->config.asset_count; i++) {
        struct mock_asset *asset = &f->assets[i];
        bool audio = asset->type == CAD_MEDIA_AUDIO;
        (void)snprintf(asset->codecs, sizeof asset->codecs, "%s",
                       audio ? "mp4a.40.2" : i == 2 ? "av01.0.04M.08" : "avc1.4d4028");
        asset->timescale = audio ? 48000 : 12288;
        asset->sample_rate_hz = audio ? 48000 : 0;
    }
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    fixture_make(f);
    describe_all(f);
    fixture_start(f);
    *state = f;
    return 0;
}

static cad_str mpd_of(struct fixture *f, const char *base_url)
{
    cad_str text = {0};
    assert_int_equal(mock_origin_mpd(f->origin, base_url, FIXTURE_NOW_MS, &text), 0);
    return text;
}

static bool has(cad_str text, const char *needle)
{
    return cad_str_find(text, cad_str_from(needle)) >= 0;
}

static uint32_t count(cad_str text, const char *needle)
{
    uint32_t n = 0;
    for (;; n++) {
        ptrdiff_t at = cad_str_find(text, cad_str_from(needle));
        if (at < 0) return n;
        text = cad_str_sub(text, (size_t)at + 1, text.n);
    }
}

static void test_mpd_describes_every_asset(void **state)
{
    cad_str text = mpd_of(*state, ".");
    assert_true(has(text, "type=\"static\" mediaPresentationDuration=\"PT60S\""));
    assert_int_equal(count(text, "<Representation "), 4);
    assert_int_equal(count(text, "<AdaptationSet "), 3); /* AVC, AV1, sound */
    assert_true(has(text, "<Representation id=\"video-750\" codecs=\"avc1.4d4028\""
                          " bandwidth=\"1500000\" width=\"480\" height=\"270\" sar=\"1:1\""
                          " frameRate=\"24\">"));
    assert_true(has(text, "<BaseURL>video-750.mp4</BaseURL>"));
    assert_true(has(text, "<SegmentBase timescale=\"12288\" presentationTimeOffset=\"0\""
                          " indexRange=\"128-199\" indexRangeExact=\"true\">"));
    assert_int_equal(count(text, "<Initialization range=\"0-127\"/>"), 4);
    assert_true(has(text, "lang=\"en\""));
    assert_true(has(text, "ChannelConfiguration\" value=\"2\""));
}

static void test_mpd_gives_rates_and_lengths_exactly(void **state)
{
    struct fixture *f = *state;
    f->assets[0].frame_rate_num = 30000;
    f->assets[0].frame_rate_den = 1001;
    f->config.duration = 20 * CAD_SECOND + 12500 * CAD_US;
    fixture_restart(f);
    cad_str text = mpd_of(f, ".");
    assert_true(has(text, "frameRate=\"30000/1001\""));
    assert_true(has(text, "mediaPresentationDuration=\"PT20.0125S\""));
}

static void test_mpd_parts_languages_and_channels(void **state)
{
    struct fixture *f = *state;
    struct mock_asset *extra = &f->assets[0];
    *extra = f->assets[3];
    (void)snprintf(extra->id, sizeof extra->id, "audio-en_51");
    (void)snprintf(extra->profile, sizeof extra->profile, "ddplus-5.1-dash");
    (void)snprintf(extra->codecs, sizeof extra->codecs, "ec-3");
    extra->channels = 6;
    f->assets[1] = f->assets[3];
    (void)snprintf(f->assets[1].lang, sizeof f->assets[1].lang, "de");
    fixture_restart(f);
    cad_str text = mpd_of(f, ".");
    assert_int_equal(count(text, "contentType=\"audio\""), 3);
    assert_true(has(text, "audio_channel_configuration:2011\" value=\"F801\""));
    assert_int_equal(count(text, "lang=\"de\""), 1);
    assert_int_equal(count(text, "value=\"dub\""), 1);
    assert_int_equal(count(text, "value=\"main\""), 3);
}

static void test_mpd_escapes_what_it_is_given(void **state)
{
    cad_str text = mpd_of(*state, "http://h/a?b=1&c=<\">");
    assert_true(has(text, "<BaseURL>http://h/a?b=1&amp;c=&lt;&quot;&gt;/video-300.mp4</BaseURL>"));
}

static void test_mpd_signed_urls_work_until_they_expire(void **state)
{
    struct fixture *f = *state;
    static const cad_str front = CAD_STR_INIT("mock1\">http://127.0.0.1:1001");
    char url[512];
    size_t n = 0;
    cad_str text = mpd_of(f, NULL);
    assert_int_equal(count(text, "<BaseURL serviceLocation="), 16);
    ptrdiff_t at = cad_str_find(text, front);
    assert_true(at >= 0);
    text = cad_str_sub(text, (size_t)at + front.n, text.n);
    for (size_t i = 0; text.p[i] != '<'; i++) {
        url[n++] = text.p[i];
        if (text.p[i] == '&') i += strlen("amp;");
    }
    url[n] = 0;
    assert_int_equal(fixture_ask(f, "GET", url, ""), 200);
    assert_int_equal(f->answer.body_size, FIXTURE_ASSET_BYTES);
    f->now_ms += 600 * 1000;
    assert_int_equal(fixture_ask(f, "GET", url, ""), 403);
}

static void test_mpd_refuses_what_it_cannot_describe(void **state)
{
    struct fixture *f = *state;
    cad_str text = CAD_STR("as it was");
    assert_int_equal(mock_origin_mpd(f->origin, "", 0, &text), CAD_E_INVAL);
    f->assets[1].codecs[0] = 0;
    fixture_restart(f);
    assert_int_equal(mock_origin_mpd(f->origin, ".", 0, &text), CAD_E_INVAL);
    describe_all(f);
    f->assets[1].sidx = (struct cad_range){-1, -1};
    fixture_restart(f);
    assert_int_equal(mock_origin_mpd(f->origin, ".", 0, &text), CAD_E_INVAL);
    assert_true(cad_str_eqz(text, "as it was"));
}

static void test_mpd_tells_of_protection(void **state)
{
    struct fixture *f = *state;
    fixture_protect(f, 0, 0x01, "playready-h264mpl40-dash");
    fixture_protect(f, 1, 0x02, "playready-h264mpl40-dash");
    fixture_restart(f);
    cad_str text = mpd_of(f, ".");
    assert_true(has(text, "xmlns:cenc=\"urn:mpeg:cenc:2013\""));
    assert_int_equal(count(text, "<ContentProtection "), 4); /* two of the set, one of each rung */
    assert_int_equal(count(text, "value=\"cenc\""
                                 " cenc:default_KID=\"01010101-0101-0101-0101-010101010101\""), 2);
    assert_int_equal(count(text, "cenc:default_KID=\"02020202-"), 1);
    assert_true(has(text, "<cenc:pssh>AAAARHBzc2gBAAAAEHfv7MCyTQKs4zweUuL7SwAAAAIBAQEB"
                          "AQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAgAAAAA=</cenc:pssh>"));
    assert_true(has(text, "<dashif:Laurl>/license</dashif:Laurl>"));
    assert_true(has(mpd_of(f, NULL), "<dashif:Laurl>http://127.0.0.1:1001/license<"));
}

static void test_mpd_has_text_as_files(void **state)
{
    struct fixture *f = *state;
    assert_false(has(mpd_of(f, "."), "xmlns:cenc"));
    fixture_text_asset(f, 2, "text-de", "de");
    fixture_restart(f);
    cad_str text = mpd_of(f, ".");
    assert_true(has(text, "contentType=\"text\" mimeType=\"application/ttml+xml\" lang=\"de\">"));
    assert_true(has(text, "value=\"subtitle\"/>"));
    assert_true(has(text, "<BaseURL>text-de.ttml</BaseURL>\n      </Representation>"));
    assert_int_equal(count(text, "<SegmentBase"), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mpd_describes_every_asset, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_mpd_gives_rates_and_lengths_exactly, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_mpd_parts_languages_and_channels, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_mpd_escapes_what_it_is_given, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_mpd_signed_urls_work_until_they_expire, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_mpd_refuses_what_it_cannot_describe, setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_mpd_tells_of_protection, setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_mpd_has_text_as_files, setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
