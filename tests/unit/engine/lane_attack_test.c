/*
 * Goal: what broke periods, tracks and segments of their own once: media that is shorter than its
 * period, seeks over the border of one, tracks chosen at the end of one, headers that come late or
 * never, devices that change in the middle.
 */
#include "driver_mpd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Two servers. */
static void begin(struct mpd *m)
{
    mpd_begin(m, 60 * CAD_SECOND);
    mpd_put(m, "<BaseURL>http://h0/</BaseURL><BaseURL>http://h1/</BaseURL>");
}

static void set_begin(struct mpd *m, const char *kind, const char *codecs, const char *lang)
{
    mpd_put(m, "<AdaptationSet contentType=\"%s\" mimeType=\"%s/mp4\" codecs=\"%s\" lang=\"%s\">",
            kind, kind, codecs, lang);
}

static void set_end(struct mpd *m)
{
    mpd_put(m, "</AdaptationSet>");
}

static void rep_begin(struct mpd *m, const struct drv *d, uint32_t stream)
{
    mpd_put(m, "<Representation id=\"r%u\" bandwidth=\"%" PRId64 "\">", stream,
            d->stream[stream].rate_bps);
}

/* The file as it is. */
static void indexed(struct mpd *m, const struct drv *d, uint32_t stream, int64_t offset_ms)
{
    rep_begin(m, d, stream);
    mpd_indexed(m, d, stream, offset_ms);
    mpd_put(m, "</Representation>");
}

/* Segments of their own from `from_ms` on, `count` of them, at their own times. */
static void listed(struct mpd *m, const struct drv *d, uint32_t stream, int64_t offset_ms,
                   struct cad_range segments)
{
    rep_begin(m, d, stream);
    mpd_put(m, "<SegmentTemplate timescale=\"1000\" presentationTimeOffset=\"%" PRId64 "\" "
            "initialization=\"v%u-i.mp4\" media=\"v%u-t$Time$.m4s\"><SegmentTimeline>"
            "<S t=\"%" PRId64 "\" d=\"2000\" r=\"%" PRId64 "\"/></SegmentTimeline>"
            "</SegmentTemplate></Representation>",
            offset_ms, stream, stream, segments.first * 2000, segments.last - segments.first);
}

static void picture(struct mpd *m, const struct drv *d, int64_t offset_ms,
                    struct cad_range segments)
{
    set_begin(m, "video", "avc1.64001f", "und");
    listed(m, d, 0, offset_ms, segments);
    set_end(m);
}

static void sound(struct mpd *m, const struct drv *d, int64_t offset_ms)
{
    set_begin(m, "audio", "mp4a.40.2", "en");
    indexed(m, d, DRV_AUDIO, offset_ms);
    set_end(m);
    set_begin(m, "audio", "mp4a.40.2", "de");
    indexed(m, d, DRV_DUB, offset_ms);
    set_end(m);
}

static const struct cad_range all = {0, 29};

static struct cad_track_info track_of(const struct drv *d, enum cad_media_type type,
                                      const char *lang)
{
    struct cad_track_info list[8];
    uint32_t n = cad_engine_tracks(d->engine, list, 8);
    for (uint32_t i = 0; i < CAD_MIN(n, 8u); i++) {
        if (list[i].type == type && strcmp(list[i].lang, lang) == 0) return list[i];
    }
    fail_msg("no track of %s", lang);
    return list[0];
}

static uint32_t asked(const struct drv *d, uint32_t from, const char *part)
{
    uint32_t n = 0;
    for (uint32_t i = from; i < d->request_count; i++) {
        n += strstr(d->requests[i].url, part) != NULL;
    }
    return n;
}

/* Every picture of [from, to) is shown once in the epoch that is on, in order. */
/* ---- media shorter than its period ----------------------------------------------------------- */

/* Twelve seconds of nothing: what the next file has for times before its period is not fetched. */
static void test_lane_attack_hole_before_a_period(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.set_engine = true;
    o.engine.buffer_ahead = 10 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    static struct mpd m;
    begin(&m);
    mpd_period(&m, 0);
    picture(&m, d, 0, (struct cad_range){0, 3});
    mpd_put(&m, "</Period>");
    mpd_period(&m, 20000);
    set_begin(&m, "video", "avc1.64001f", "und");
    indexed(&m, d, 1, 20000);
    set_end(&m);
    mpd_put(&m, "</Period>");
    d->strict_time = false;
    mpd_serve(d, &m);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 70 * CAD_SECOND));
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    assert_int_equal(d->sink.flushes, 1);
    drv_check_pictures(d, 0, 8 * CAD_SECOND, false);
    drv_check_pictures(d, 20 * CAD_SECOND, 60 * CAD_SECOND, false);
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r->stream != 1 || r->range.first < d->stream[1].header_bytes) continue;
        first = CAD_MIN(first, r->range.first);
    }
    assert_int_equal(drv_segment(d, 1, first).start, 20 * CAD_SECOND);
}

/* Pictures begin four seconds after the sound. */
static void test_lane_attack_late_start(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.set_engine = true;
    o.engine.buffer_ahead = 20 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    static struct mpd m;
    begin(&m);
    mpd_period(&m, 0);
    picture(&m, d, 0, (struct cad_range){2, 29});
    sound(&m, d, 0);
    mpd_put(&m, "</Period>");
    mpd_serve(d, &m);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 70 * CAD_SECOND));
    drv_check_pictures(d, 4 * CAD_SECOND, 60 * CAD_SECOND, false);
    assert_int_equal(drv_stats(d).stalls, 0);
}

/* ---- seeks over a border --------------------------------------------------------------------- */

/* The segment that is held reaches over the border, but what lies before it is another period's. */
static void test_lane_attack_seek_to_before_the_border(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    begin(&m);
    mpd_period(&m, 0);
    picture(&m, d, 0, all);
    mpd_put(&m, "</Period>");
    mpd_period(&m, 21000);
    picture(&m, d, 21000, all);
    mpd_put(&m, "</Period>");
    mpd_serve(d, &m);
    drv_seek(d, 21500 * CAD_MS, 2);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    drv_seek(d, 20400 * CAD_MS, 3);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 20400 * CAD_MS);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 60 * CAD_SECOND));
    drv_check_pictures(d, 20400 * CAD_MS, 21000 * CAD_MS, false);
}

/* The chapter that plays is held to its end, and that of the wanted position looks just like it. */
static void test_lane_attack_seek_over_a_chapter(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    begin(&m);
    mpd_period(&m, 0);
    picture(&m, d, 0, all);
    mpd_put(&m, "</Period>");
    mpd_period(&m, 10000);
    picture(&m, d, 10000, all);
    sound(&m, d, 10000);
    mpd_put(&m, "</Period>");
    mpd_period(&m, 20000);
    picture(&m, d, 20000, all);
    mpd_put(&m, "</Period>");
    mpd_serve(d, &m);
    drv_play_for(d, 5 * CAD_SECOND);
    drv_seek(d, 40 * CAD_SECOND, 2);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 40 * CAD_SECOND);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 30 * CAD_SECOND));
    drv_check_pictures(d, 40 * CAD_SECOND, 60 * CAD_SECOND, false);
}

/* A seek to where nothing can be decoded goes on behind it. */
static void test_lane_attack_seek_to_what_cannot_be_played(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    begin(&m);
    mpd_period(&m, 0);
    picture(&m, d, 0, all);
    mpd_put(&m, "</Period>");
    mpd_period(&m, 20000);
    mpd_put(&m, "<AdaptationSet contentType=\"text\" mimeType=\"application/ttml+xml\" lang=\"en\">"
            "<Representation id=\"t\" bandwidth=\"1000\"><BaseURL>t.xml</BaseURL></Representation>"
            "</AdaptationSet></Period>");
    mpd_period(&m, 40000);
    picture(&m, d, 40000, all);
    mpd_put(&m, "</Period>");
    mpd_serve(d, &m);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    drv_seek(d, 30 * CAD_SECOND, 2);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 40 * CAD_SECOND);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 30 * CAD_SECOND));
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

/* ---- tracks ---------------------------------------------------------------------------------- */

/* The seam would lie where sound begins: that is a chapter, and not entered without its sound. */
static void test_lane_attack_choice_at_the_end_of_a_chapter(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    begin(&m);
    mpd_period(&m, 0);
    picture(&m, d, 0, all);
    mpd_put(&m, "</Period>");
    mpd_period(&m, 10000);
    picture(&m, d, 10000, all);
    sound(&m, d, 10000);
    mpd_put(&m, "</Period>");
    mpd_serve(d, &m);
    drv_play_for(d, 8800 * CAD_MS);
    assert_false(d->sink.config.audio);
    drv_choose(d, track_of(d, CAD_MEDIA_VIDEO, "und").id, 7);
    drv_play_for(d, 4 * CAD_SECOND);
    assert_true(d->sink.config.audio);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 60 * CAD_SECOND));
    drv_check_pictures(d, 10 * CAD_SECOND, 60 * CAD_SECOND, false);
}

/* Who chooses what is playing costs nothing, however far ahead is fetched. */
static void test_lane_attack_same_track_again(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    begin(&m);
    for (int64_t at = 0; at < 60000; at += 12000) {
        mpd_period(&m, at);
        picture(&m, d, at, all);
        sound(&m, d, at);
        mpd_put(&m, "</Period>");
    }
    mpd_serve(d, &m);
    drv_play_for(d, 6 * CAD_SECOND);
    assert_true(drv_stats(d).period > 1);
    drv_choose(d, track_of(d, CAD_MEDIA_AUDIO, "en").id, 7);
    drv_choose(d, track_of(d, CAD_MEDIA_VIDEO, "und").id, 7);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 60 * CAD_SECOND));
    drv_check_pictures(d, 0, 60 * CAD_SECOND, false);
    for (uint32_t i = 0; i < 30; i++) {
        char part[32];
        (void)snprintf(part, sizeof part, "/v0-t%u.", i * 2000);
        assert_int_equal(asked(d, 0, part), 1);
    }
    uint32_t again = 0;
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r->stream != DRV_AUDIO || r->range.first < d->stream[DRV_AUDIO].header_bytes) continue;
        for (uint32_t k = 0; k < i; k++) {
            const struct drv_request *before = &d->requests[k];
            again += before->stream == DRV_AUDIO && before->range.first == r->range.first;
        }
    }
    assert_in_range(again, 0, 4); /* four borders: what reaches over one is of two periods */
}

/* What is kept for seeking back is in the old language: it is not heard again. */
static void test_lane_attack_seek_back_behind_a_choice(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.dub = true;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    drv_play_for(d, 8 * CAD_SECOND);
    drv_choose(d, "A:2", 7);
    drv_play_for(d, 6 * CAD_SECOND);
    assert_string_equal(drv_last(d, CAD_APP_TRACK)->text, "A:2");
    d->strict_bytes = false;
    uint32_t tracks = drv_count(d, CAD_APP_TRACK);
    uint32_t requests = d->request_count;
    drv_seek(d, 3 * CAD_SECOND, 2);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    drv_play_for(d, 8 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_TRACK), tracks);
    for (uint32_t i = requests; i < d->request_count; i++) {
        assert_int_equal(d->requests[i].stream, DRV_DUB); /* the picture is still held */
    }
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 60 * CAD_SECOND));
}

/* The old track ended before the picture, and its end was pulled: the new one is heard at once. */
static void test_lane_attack_choice_after_the_end_of_sound(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    begin(&m);
    mpd_period(&m, 0);
    picture(&m, d, 0, all);
    set_begin(&m, "audio", "mp4a.40.2", "en");
    listed(&m, d, DRV_AUDIO, 0, (struct cad_range){0, 4});
    set_end(&m);
    set_begin(&m, "audio", "mp4a.40.2", "de");
    listed(&m, d, DRV_DUB, 0, all);
    set_end(&m);
    mpd_put(&m, "</Period>");
    mpd_serve(d, &m);
    drv_play_for(d, 20 * CAD_SECOND);
    assert_true(d->sink.slot[CAD_SLOT_AUDIO].ended);
    drv_choose(d, track_of(d, CAD_MEDIA_AUDIO, "de").id, 7);
    drv_play_for(d, CAD_SECOND);
    assert_true(d->sink.slot[CAD_SLOT_AUDIO].of_epoch > 0);
    assert_int_equal(asked(d, 0, "/v4-t10000."), 0); /* nobody hears that any more */
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 60 * CAD_SECOND));
    assert_int_equal(drv_stats(d).stalls, 0);
}

/* ---- headers --------------------------------------------------------------------------------- */

static struct drv_answer no_init_of_rung_1(struct drv *d, const struct drv_request *r)
{
    struct drv_answer answer = {.fault = DRV_SERVE};
    if (r->stream != 1 || r->segment != -1 || r->window.first < 0) return answer;
    if (d->script_value == 404) return (struct drv_answer){.fault = DRV_STATUS, .value = 404};
    if (d->script_value == 0) d->script_value = d->now + 6 * CAD_SECOND;
    if (d->now >= d->script_value) return answer;
    return (struct drv_answer){.fault = DRV_CLASS, .value = CAD_HTTP_CONNECT};
}

/* One segment of the second rung between others of the first, and its init in trouble. */
static void play_without_init(struct drv *d)
{
    static struct mpd m;
    begin(&m);
    mpd_period(&m, 0);
    set_begin(&m, "video", "avc1.64001f", "und");
    listed(&m, d, 0, 0, all);
    listed(&m, d, 1, 0, all);
    set_end(&m);
    mpd_put(&m, "</Period>");
    d->options.rate_bps = 2000000;
    d->script = no_init_of_rung_1;
    drv_pin(d, 0);
    mpd_serve(d, &m);
    drv_play_for(d, CAD_SECOND);
    drv_pin(d, 1);
    for (uint32_t i = 0; i < 200 && asked(d, 0, "/v1-t") == 0; i++) drv_play_for(d, 10 * CAD_MS);
    assert_int_equal(asked(d, 0, "/v1-t"), 1);
    drv_pin(d, 0);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 90 * CAD_SECOND));
    drv_check_pictures(d, 0, 60 * CAD_SECOND, false);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    assert_int_equal(d->sink.flushes, 1); /* nobody took the sink for stuck */
}

static void test_lane_attack_init_late(void **state)
{
    struct drv *d = *state;
    play_without_init(d);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
}

static void test_lane_attack_init_never(void **state)
{
    struct drv *d = *state;
    d->script_value = 404;
    play_without_init(d);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 1);
}

static struct drv_answer broken_behind_its_samples(struct drv *d, const struct drv_request *r)
{
    struct drv_answer answer = {.fault = DRV_SERVE};
    if (r->stream != 0 || r->segment != 0) return answer;
    if (!r->range_in_header && !d->script_value) {
        d->script_value = 1;
        return (struct drv_answer){.fault = DRV_CUT, .value = 49999};
    }
    return (struct drv_answer){.fault = DRV_STATUS, .value = 404};
}

/* Nearly all of the first segment was pulled when it was given up: what the sink has counts. */
static void test_lane_attack_first_segment_lost(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    begin(&m);
    mpd_period(&m, 0);
    set_begin(&m, "video", "avc1.64001f", "und");
    listed(&m, d, 0, 0, all);
    listed(&m, d, 1, 0, all);
    set_end(&m);
    mpd_put(&m, "</Period>");
    d->sink.pull_ahead = 4 * CAD_SECOND;
    d->options.latency = 100 * CAD_MS;
    d->script = broken_behind_its_samples;
    drv_pin(d, 0);
    mpd_serve(d, &m);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 80 * CAD_SECOND));
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 1);
    drv_check_pictures(d, 0, 60 * CAD_SECOND, false);
}

/* ---- servers --------------------------------------------------------------------------------- */

/* One server is down, the other one refuses: it is not asked without end. */
static void test_lane_attack_other_server_rests(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    d->strict_bytes = false;
    d->options.rate_bps = 1000000;
    drv_rule(d, 0, -1, DRV_CLASS, CAD_HTTP_CONNECT);
    drv_seek(d, 30 * CAD_SECOND, 2);
    drv_play_for(d, 2 * CAD_SECOND); /* the first one rests now */
    drv_rule(d, 1, -1, DRV_STATUS, 416);
    uint32_t before = d->request_count;
    drv_play_for(d, 5 * CAD_SECOND);
    assert_in_range(d->request_count - before, 2, 40);
}

/* ---- devices --------------------------------------------------------------------------------- */

static void set_codecs(struct drv *d, uint32_t codecs)
{
    struct cad_event event = {.type = CAD_EVENT_SINK_CAPS};
    event.u.caps = (struct cad_sink_caps){.codecs = codecs, .video = true, .audio = true};
    drv_feed(d, &event);
}

static void test_lane_attack_codec_is_lost(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.set_engine = true;
    o.engine.buffer_ahead = 10 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    set_codecs(d, 1u << CAD_CODEC_AAC);
    drv_play_for(d, 2 * CAD_SECOND);
    set_codecs(d, 1u << CAD_CODEC_AVC | 1u << CAD_CODEC_AAC);
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING); /* as if nothing had been */
    assert_int_equal(drv_stats(d).stalls, 0);
    set_codecs(d, 1u << CAD_CODEC_AAC);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 20 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_MEDIA_CODEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_lane_attack_hole_before_a_period),
        DRV_TEST(test_lane_attack_late_start),
        DRV_TEST(test_lane_attack_seek_to_before_the_border),
        DRV_TEST(test_lane_attack_seek_over_a_chapter),
        DRV_TEST(test_lane_attack_seek_to_what_cannot_be_played),
        DRV_TEST(test_lane_attack_choice_at_the_end_of_a_chapter),
        DRV_TEST(test_lane_attack_same_track_again),
        DRV_TEST(test_lane_attack_seek_back_behind_a_choice),
        DRV_TEST(test_lane_attack_choice_after_the_end_of_sound),
        DRV_TEST(test_lane_attack_init_late),
        DRV_TEST(test_lane_attack_init_never),
        DRV_TEST(test_lane_attack_first_segment_lost),
        DRV_TEST(test_lane_attack_other_server_rests),
        DRV_TEST(test_lane_attack_codec_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
