/*
 * Goal: periods and tracks. Over the seam of two periods, and of two languages, samples follow each
 * other without gap or repeat (the driver asserts it), nothing else is disturbed, and a seek finds
 * its way to any period.
 */
#include "driver_mpd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* How the segments of a period are addressed. */
enum way { INDEXED, NUMBER, TIMELINE };

static void put_way(struct mpd *m, const struct drv *d, uint32_t stream, enum way way,
                    int64_t offset_ms)
{
    int64_t segments = d->options.duration / DRV_SEGMENT;
    if (way == INDEXED) {
        mpd_indexed(m, d, stream, offset_ms);
        return;
    }
    mpd_put(m, "<SegmentTemplate timescale=\"1000\" presentationTimeOffset=\"%" PRId64 "\" "
            "initialization=\"/v%u-i.mp4\" ", offset_ms, stream);
    if (way == NUMBER) {
        mpd_put(m, "startNumber=\"%" PRId64 "\" duration=\"2000\" media=\"/v%u-n$Number$.m4s\"/>",
                offset_ms / 2000, stream);
        return;
    }
    mpd_put(m, "media=\"/v%u-t$Time$.m4s\"><SegmentTimeline><S t=\"0\" d=\"2000\" r=\"%" PRId64
            "\"/></SegmentTimeline></SegmentTemplate>", stream, segments - 1);
}

struct place {
    enum way way;
    int64_t from_ms;
};

/* The picture's rungs, or a stream of sound. */
static void put_set(struct mpd *m, const struct drv *d, const char *lang, uint32_t first,
                    struct place place)
{
    bool audio = first >= DRV_AUDIO;
    const char *kind = audio ? "audio" : "video";
    uint32_t last = audio ? first : DRV_RUNGS - 1;
    mpd_put(m, "<AdaptationSet contentType=\"%s\" mimeType=\"%s/mp4\" codecs=\"%s\"%s%s%s>",
            kind, kind, audio ? "mp4a.40.2" : "avc1.64001f",
            lang[0] ? " lang=\"" : "", lang, lang[0] ? "\"" : "");
    for (uint32_t i = first; i <= last; i++) {
        const struct cad_synth_stream *stream = &d->stream[i];
        mpd_put(m, "<Representation id=\"r%u\" bandwidth=\"%" PRId64 "\"", i, stream->rate_bps);
        if (!audio) mpd_put(m, " width=\"%u\" height=\"%u\"", stream->width, stream->height);
        mpd_put(m, ">");
        put_way(m, d, i, place.way, place.from_ms);
        mpd_put(m, "</Representation>");
    }
    mpd_put(m, "</AdaptationSet>");
}

/* A period of the title's files from `from` on: what it shows is what the files hold there. */
static void put_period(struct mpd *m, const struct drv *d, int64_t from_ms, enum way way,
                       bool sound)
{
    mpd_period(m, from_ms);
    struct place place = {way, from_ms};
    put_set(m, d, "", 0, place);
    if (sound) {
        put_set(m, d, "en", DRV_AUDIO, place);
        put_set(m, d, "de", DRV_DUB, place);
    }
    mpd_put(m, "</Period>");
}

static uint32_t requests_with(const struct drv *d, const char *part)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->request_count; i++) n += strstr(d->requests[i].url, part) != NULL;
    return n;
}

/* ---- periods --------------------------------------------------------------------------------- */

static void play_periods(struct drv *d, enum way way)
{
    static struct mpd m;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, way, true);
    put_period(&m, d, 20000, way, true);
    put_period(&m, d, 44000, way, true);
    mpd_serve(d, &m);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 70 * CAD_SECOND));
    drv_check_pictures(d, 0, 60 * CAD_SECOND, true);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_stats(d).period_count, 3);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
    assert_int_equal(d->sink.flushes, 1);
}

static void test_lane_periods_indexed(void **state)
{
    play_periods(*state, INDEXED);
}

static void test_lane_periods_number(void **state)
{
    play_periods(*state, NUMBER);
}

static void test_lane_periods_timeline(void **state)
{
    play_periods(*state, TIMELINE);
}

/* A period need not end where a segment does: what lies outside is not shown. */
static void test_lane_period_ends_in_a_segment(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, INDEXED, true);
    put_period(&m, d, 21000, INDEXED, true);
    put_period(&m, d, 39480, TIMELINE, true);
    mpd_serve(d, &m);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 70 * CAD_SECOND));
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
    uint8_t shown[1500] = {0};
    for (uint32_t i = 0; i < slot->count; i++) {
        if (!(slot->samples[i].flags & CAD_SAMPLE_DECODE_ONLY)) {
            shown[slot->samples[i].pts / (40 * CAD_MS)]++;
        }
    }
    for (uint32_t i = 0; i < 1500; i++) assert_int_equal(shown[i], 1);
    assert_int_equal(drv_stats(d).stalls, 0);
}

static void test_lane_seek_over_periods(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    d->options.rate_bps = 3000000;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, INDEXED, true);
    put_period(&m, d, 20000, NUMBER, true);
    put_period(&m, d, 44000, TIMELINE, true);
    mpd_serve(d, &m);
    static const int64_t to_s[] = {50, 3, 25, 19, 43, 0, 59, 20};
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    for (uint32_t i = 0; i < CAD_ARRAY_LEN(to_s); i++) {
        drv_seek(d, to_s[i] * CAD_SECOND, 10 + i);
        assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
        assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, to_s[i] * CAD_SECOND);
        drv_play_for(d, (cad_time)i * 300 * CAD_MS);
    }
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 50 * CAD_SECOND));
    drv_check_pictures(d, 20 * CAD_SECOND, 60 * CAD_SECOND, true);
}

/* Sound begins in the second period and ends with it: three chapters, each with its own slots. */
static void test_lane_chapters(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, NUMBER, false);
    put_period(&m, d, 10000, INDEXED, true);
    put_period(&m, d, 30000, TIMELINE, true);
    put_period(&m, d, 50000, INDEXED, false);
    mpd_serve(d, &m);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_false(d->sink.config.audio);
    drv_play_for(d, 10 * CAD_SECOND);
    assert_true(d->sink.config.audio);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 80 * CAD_SECOND));
    assert_false(d->sink.config.audio);
    assert_int_equal(d->sink.flushes, 3);
    assert_int_equal(drv_count(d, CAD_APP_LOADED), 1);
    assert_int_equal(drv_count(d, CAD_APP_ENDED), 1);
    assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 1);
    drv_check_pictures(d, 50 * CAD_SECOND, 60 * CAD_SECOND, true);
    drv_seek(d, 12 * CAD_SECOND, 9);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_true(d->sink.config.audio);
}

/* A first period need not start at 0: there is nothing before it to wait for. */
static void test_lane_first_period_starts_late(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 40000, INDEXED, true);
    put_period(&m, d, 50000, NUMBER, true);
    mpd_serve(d, &m);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_FIRST_FRAME)->position, 40 * CAD_SECOND);
    drv_play_for(d, 3 * CAD_SECOND);
    drv_seek(d, 0, 3);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 40 * CAD_SECOND);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 40 * CAD_SECOND));
    drv_check_pictures(d, 40 * CAD_SECOND, 60 * CAD_SECOND, true);
}

static void test_lane_live_is_refused(void **state)
{
    struct drv *d = *state;
    static const char live[] =
        "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"dynamic\" minBufferTime=\"PT2S\" "
        "availabilityStartTime=\"2026-02-28T00:00:00Z\" minimumUpdatePeriod=\"PT5S\">"
        "<Period start=\"PT0S\"><AdaptationSet mimeType=\"video/mp4\" codecs=\"avc1.64001f\">"
        "<SegmentTemplate duration=\"2\" media=\"$Number$.m4s\" initialization=\"i.mp4\"/>"
        "<Representation id=\"a\" bandwidth=\"100000\"/></AdaptationSet></Period></MPD>";
    d->manifest = drv_malloc(sizeof live);
    memcpy(d->manifest, live, sizeof live);
    drv_load_url(d, "http://h0/live.mpd", 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_MANIFEST_UNSUPPORTED);
    assert_non_null(strstr(drv_fatal(d)->message, "live"));
}

/* ---- segments of their own ------------------------------------------------------------------- */

/* Init segment and first segment are asked for in the turn that has the manifest. */
static void test_lane_init_beside_media(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, NUMBER, true);
    mpd_serve(d, &m);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    uint64_t turn = 0;
    uint32_t at_once = 0;
    for (uint32_t i = 0; i < d->request_count; i++) {
        if (d->requests[i].stream < 0) continue;
        if (turn == 0) turn = d->requests[i].turn;
        at_once += d->requests[i].turn == turn;
    }
    assert_int_equal(at_once, 4); /* two of picture, two of sound */
    assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 1);
}

/* An answer without a length, one that breaks off, and a server that ignores Range. */
static void test_lane_segments_of_unknown_size(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    drv_rule(d, -1, DRV_AUDIO, DRV_SHORT, 0);
    drv_rule(d, -1, 0, DRV_CUT, 30000)->left = 3;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, TIMELINE, true);
    mpd_serve(d, &m);
    drv_pin(d, 0);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 90 * CAD_SECOND));
    drv_check_pictures(d, 0, 60 * CAD_SECOND, true);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

static struct drv_answer cut_then_whole(struct drv *d, const struct drv_request *r)
{
    struct drv_answer answer = {.fault = DRV_SERVE};
    if (r->stream != 0 || r->segment < 3 || r->segment > 6) return answer;
    if (!r->range_in_header) return (struct drv_answer){.fault = DRV_CUT, .value = 20000};
    d->script_value++;
    return (struct drv_answer){.fault = DRV_WHOLE};
}

static void test_lane_server_without_ranges(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    d->script = cut_then_whole;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, NUMBER, true);
    mpd_serve(d, &m);
    drv_pin(d, 0);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 90 * CAD_SECOND));
    drv_check_pictures(d, 0, 60 * CAD_SECOND, true);
    assert_int_equal(d->script_value, 4);
}

/* ---- tracks ---------------------------------------------------------------------------------- */

static struct drv *with_dub(void **state, int64_t rate_bps)
{
    struct drv_options o;
    drv_options_init(&o);
    o.dub = true;
    o.rate_bps = rate_bps;
    return drv_renew(state, &o);
}

static uint32_t find_track(const struct drv *d, const char *lang, struct cad_track_info *out)
{
    struct cad_track_info list[8];
    uint32_t n = cad_engine_tracks(d->engine, list, 8);
    for (uint32_t i = 0; i < n; i++) {
        if (strcmp(list[i].lang, lang) == 0) *out = list[i];
    }
    return n;
}

/* The ladder rises, and counts what the figures count. */
static void check_rungs(const struct drv *d)
{
    struct cad_rung_info rungs[CAD_ABR_RUNGS_MAX];
    struct cad_engine_stats stats;
    cad_engine_stats(d->engine, &stats);
    uint32_t n = cad_engine_rungs(d->engine, rungs, CAD_ABR_RUNGS_MAX);
    const struct cad_slot_stats *video = &stats.slot[CAD_SLOT_VIDEO];
    assert_true(n > 1);
    assert_int_equal(n, video->rung_count);
    for (uint32_t i = 1; i < n; i++) assert_true(rungs[i].rate_bps > rungs[i - 1].rate_bps);
    assert_int_equal(rungs[video->rung].rate_bps, video->rate_bps);
    assert_int_equal(rungs[video->rung].height, video->height);
    assert_int_equal(cad_engine_rungs(d->engine, NULL, 0), n);
}

static void test_lane_list_of_tracks(void **state)
{
    struct drv *d = with_dub(state, 0);
    struct cad_track_info info;
    assert_int_equal(cad_engine_tracks(d->engine, &info, 1), 0);
    assert_int_equal(cad_engine_rungs(d->engine, NULL, 0), 0);
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    memset(&info, 0, sizeof info);
    assert_int_equal(find_track(d, "en", &info), 3);
    assert_string_equal(info.id, "A:1");
    assert_true(info.selected && info.playable && info.is_default);
    check_rungs(d);
    assert_int_equal(info.channels, 2);
    find_track(d, "de", &info);
    assert_string_equal(info.id, "A:2");
    assert_false(info.selected);
    uint32_t version = drv_stats(d).tracks_version;
    drv_choose(d, "A:2", 5);
    drv_play_for(d, CAD_SECOND);
    find_track(d, "de", &info);
    assert_true(info.selected);
    assert_true(drv_stats(d).tracks_version > version);
}

static void switch_language(struct drv *d)
{
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    drv_play_for(d, 12 * CAD_SECOND);
    uint32_t epoch = d->sink.epoch;
    uint32_t requests = d->request_count;
    drv_choose(d, "A:2", 5);
    assert_true(drv_until(d, CAD_APP_TRACK, 8 * CAD_SECOND));
    assert_string_equal(drv_last(d, CAD_APP_TRACK)->text, "A:2");
    assert_int_equal(drv_last(d, CAD_APP_TRACK)->slot, CAD_SLOT_AUDIO);
    for (uint32_t i = requests; i < d->request_count; i++) {
        assert_int_not_equal(d->requests[i].stream, DRV_AUDIO);
    }
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 70 * CAD_SECOND));
    assert_int_equal(d->sink.epoch, epoch);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(d->bytes_twice, 0);
    drv_check_pictures(d, 0, 60 * CAD_SECOND, true);
    assert_int_equal(d->sink.slot[CAD_SLOT_AUDIO].configs, 2);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
}

static void test_lane_language(void **state)
{
    switch_language(with_dub(state, 0));
}

static void test_lane_language_on_a_slow_link(void **state)
{
    switch_language(with_dub(state, 500000));
}

/* Back and forth as fast as a person can press a key; then what was chosen last is heard. */
static void test_lane_language_storm(void **state)
{
    struct drv *d = with_dub(state, 2000000);
    d->strict_bytes = false;
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    for (uint32_t i = 0; i < 31; i++) {
        drv_choose(d, i % 2 ? "A:1" : "A:2", i);
        drv_play_for(d, (cad_time)(i * 37 % 11) * 100 * CAD_MS);
    }
    drv_play_for(d, 8 * CAD_SECOND);
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_AUDIO).track, "A:2");
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 70 * CAD_SECOND));
    drv_check_pictures(d, 0, 60 * CAD_SECOND, true);
    assert_int_equal(drv_stats(d).stalls, 0);
}

static void test_lane_language_in_pause_and_before_a_seek(void **state)
{
    struct drv *d = with_dub(state, 2000000);
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    drv_pause(d);
    drv_play_for(d, 3 * CAD_SECOND);
    drv_choose(d, "A:2", 2);
    drv_play_for(d, 3 * CAD_SECOND);
    drv_seek(d, 30 * CAD_SECOND, 3);
    drv_play(d);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_AUDIO).track, "A:2");
    d->strict_bytes = false;
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 40 * CAD_SECOND));
}

static void test_lane_no_such_track(void **state)
{
    struct drv *d = with_dub(state, 0);
    drv_choose(d, "A:1", 3);
    drv_settle(d);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.code, CAD_ERR_NOTHING_LOADED);
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    drv_choose(d, "A:9", 4);
    drv_settle(d);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.code, CAD_ERR_NO_SUCH_TRACK);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->ticket, 4);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 70 * CAD_SECOND));
}

/* The language is kept over periods by what it is; each period calls its tracks as it likes. */
static void test_lane_language_over_periods(void **state)
{
    struct drv *d = *state;
    static struct mpd m;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, INDEXED, true);
    put_period(&m, d, 20000, NUMBER, true);
    put_period(&m, d, 40000, TIMELINE, true);
    mpd_serve(d, &m);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    struct cad_track_info info;
    assert_int_equal(find_track(d, "de", &info), 3);
    drv_choose(d, info.id, 2);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 80 * CAD_SECOND));
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_true(requests_with(d, "/v4-n") > 5);
    assert_int_equal(requests_with(d, "/v4-t20000."), 0);
    assert_true(requests_with(d, "/v4-t50000.") == 1);
    assert_int_equal(requests_with(d, "/v3-t"), 0);
    drv_check_pictures(d, 0, 60 * CAD_SECOND, true);
}

/* ---- speed ----------------------------------------------------------------------------------- */

static void set_rate(struct drv *d, uint32_t rate_q16)
{
    struct cad_event event = {.type = CAD_EVENT_COMMAND};
    event.u.command = (struct cad_command){.type = CAD_COMMAND_RATE, .rate_q16 = rate_q16};
    drv_feed(d, &event);
}

static void test_lane_rate(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    set_rate(d, 131072);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->sink.rate_q16, 65536); /* the sink has not said that it can */
    struct cad_event event = {.type = CAD_EVENT_SINK_CAPS};
    event.u.caps = (struct cad_sink_caps){.codecs = UINT32_MAX, .video = true, .audio = true,
                                          .rate_min_q16 = 32768, .rate_max_q16 = 98304};
    drv_feed(d, &event);
    drv_settle(d);
    assert_int_equal(d->sink.rate_q16, 98304);
    assert_int_equal(drv_stats(d).rate_q16, 98304);
    cad_time from = drv_stats(d).position;
    drv_play_for(d, 10 * CAD_SECOND);
    assert_in_range(drv_stats(d).position - from, 14900 * CAD_MS, 15100 * CAD_MS);
    set_rate(d, 1);
    drv_play_for(d, 10 * CAD_MS);
    from = drv_stats(d).position;
    drv_play_for(d, 4 * CAD_SECOND);
    assert_in_range(drv_stats(d).position - from, 1900 * CAD_MS, 2100 * CAD_MS);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 150 * CAD_SECOND));
    assert_int_equal(drv_stats(d).stalls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_lane_periods_indexed),
        DRV_TEST(test_lane_periods_number),
        DRV_TEST(test_lane_periods_timeline),
        DRV_TEST(test_lane_period_ends_in_a_segment),
        DRV_TEST(test_lane_seek_over_periods),
        DRV_TEST(test_lane_chapters),
        DRV_TEST(test_lane_first_period_starts_late),
        DRV_TEST(test_lane_live_is_refused),
        DRV_TEST(test_lane_init_beside_media),
        DRV_TEST(test_lane_segments_of_unknown_size),
        DRV_TEST(test_lane_server_without_ranges),
        DRV_TEST(test_lane_list_of_tracks),
        DRV_TEST(test_lane_language),
        DRV_TEST(test_lane_language_on_a_slow_link),
        DRV_TEST(test_lane_language_storm),
        DRV_TEST(test_lane_language_in_pause_and_before_a_seek),
        DRV_TEST(test_lane_no_such_track),
        DRV_TEST(test_lane_language_over_periods),
        DRV_TEST(test_lane_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
