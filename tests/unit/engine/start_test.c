/*
 * Goal: a start takes one media round trip and no byte twice (licensed manifest 10), goes through
 * its states and events in order with the ticket of the load, and waits for the start goal.
 */
#include "driver.h"

#include <string.h>

/* The first request of a stream; NULL none. */
static const struct drv_request *first_of(const struct drv *d, bool audio)
{
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r->stream >= 0 && (r->stream == DRV_AUDIO) == audio) return r;
    }
    return NULL;
}

static void test_start_headers_in_one_turn(void **state)
{
    struct drv *d = *state;
    drv_load(d, 7);
    while (d->manifests == 0 || !first_of(d, true)) {
        assert_true(d->now < 110 * CAD_SECOND);
        drv_play_for(d, DRV_TICK);
    }
    const struct drv_request *video = first_of(d, false), *audio = first_of(d, true);
    assert_non_null(video);
    assert_true(video < audio);
    assert_int_equal(video->turn, audio->turn);
    assert_int_equal(video->purpose, CAD_PURPOSE_HEADER);
    assert_int_equal(audio->purpose, CAD_PURPOSE_HEADER);
    assert_int_equal(video->server, 0);
    assert_int_equal(audio->server, 0);
    assert_false(video->range_in_header);
}

static void test_start_first_range_covers_header_and_fragment(void **state)
{
    struct drv *d = *state;
    drv_load(d, 7);
    drv_play_for(d, 30 * CAD_MS);
    const struct drv_request *r[2] = {first_of(d, false), first_of(d, true)};
    for (int i = 0; i < 2; i++) {
        assert_non_null(r[i]);
        assert_int_equal(r[i]->range.first, 0);
        const struct cad_synth_stream *s = &d->stream[r[i]->stream];
        struct cad_synth_segment first = drv_segment(d, r[i]->stream, s->header_bytes);
        /* "sidx and the first fragment": the whole of it where its size is near its rate. */
        int64_t half = (first.bytes.first + first.bytes.last) / 2;
        assert_true(r[i]->range.last >= half);
        /* and not the whole title */
        assert_true(r[i]->range.last < s->size_bytes / 4);
    }
}

static void test_start_conservative_rung(void **state)
{
    struct drv *d = *state;
    drv_load(d, 7);
    drv_play_for(d, 30 * CAD_MS);
    const struct drv_request *video = first_of(d, false);
    assert_non_null(video);
    assert_true(d->stream[video->stream].rate_bps <= 1500000);
}

static void test_start_events_in_order(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 2000000;
    drv_load(d, 7);
    assert_true(drv_until_state(d, CAD_STATE_PLAYING, 5 * CAD_SECOND));
    const struct cad_app_event *loaded = drv_first(d, CAD_APP_LOADED);
    const struct cad_app_event *first = drv_first(d, CAD_APP_FIRST_FRAME);
    const struct cad_app_event *rung = drv_first(d, CAD_APP_RUNG);
    const struct cad_app_event *server = drv_first(d, CAD_APP_SERVER);
    assert_non_null(loaded);
    assert_non_null(rung);
    assert_non_null(server);
    assert_int_equal(loaded->ticket, 7);
    assert_int_equal(loaded->duration, 60 * CAD_SECOND);
    assert_int_equal(first->ticket, 7);
    assert_int_equal(first->position, 0);
    assert_true(drv_index(d, loaded) < drv_index(d, first));
    assert_true(drv_index(d, server) < drv_index(d, first));
    assert_int_equal(rung->slot, CAD_SLOT_VIDEO);
    assert_int_equal(rung->rate_bps, d->stream[rung->rung].rate_bps);
    assert_int_equal(rung->height, d->stream[rung->rung].height);
    assert_int_equal(rung->width, d->stream[rung->rung].width);
    /* cdn_id of h0 */
    assert_string_equal(server->text, "1");
    enum cad_state order[] = {CAD_STATE_LOADING, CAD_STATE_BUFFERING, CAD_STATE_PLAYING};
    uint32_t seen = 0;
    for (uint32_t i = 0; i < d->event_count; i++) {
        if (d->events[i].type != CAD_APP_STATE) continue;
        assert_true(seen < 3);
        assert_int_equal(d->events[i].state, order[seen]);
        assert_int_equal(d->events[i].ticket, 7);
        seen++;
    }
    assert_int_equal(seen, 3);
    assert_int_equal(drv_count(d, CAD_APP_LOADED), 1);
    assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 1);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    struct cad_engine_stats stats = drv_stats(d);
    assert_int_equal(stats.startup, first->at - 100 * CAD_SECOND);
    assert_int_equal(stats.duration, 60 * CAD_SECOND);
    assert_int_equal(stats.stalls, 0);
}

static void test_start_goal_is_waited_for(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 400000;
    drv_load(d, 7);
    while (d->state != CAD_STATE_PLAYING) {
        assert_true(d->now < 130 * CAD_SECOND);
        assert_int_equal(d->sink.config.rate_q16, 0);
        drv_play_for(d, DRV_TICK);
    }
    assert_int_equal(d->sink.config.rate_q16, 65536);
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead >= 2 * CAD_SECOND);
    assert_true(drv_slot_stats(d, CAD_SLOT_AUDIO).ahead >= 2 * CAD_SECOND);
    /* but not much longer than that takes */
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead <= 6 * CAD_SECOND);
}

static void test_start_first_frame_before_the_clock(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 400000;
    drv_load(d, 7);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 20 * CAD_SECOND));
    /* a picture stands on the screen while the buffer fills */
    assert_int_equal(d->state, CAD_STATE_BUFFERING);
    assert_int_equal(d->sink.media, 0);
}

/* Steady: audio and video apart, ranges aligned with the sidx, whole segments, nothing twice. */
static void test_start_ranges_follow_the_sidx(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 4000000;
    drv_load(d, 7);
    drv_play_for(d, 30 * CAD_SECOND);
    int64_t next[DRV_STREAMS];
    memset(next, 0, sizeof next);
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r->stream < 0) continue;
        if (r->range.last >= d->stream[r->stream].header_bytes && r->range.first > 0) {
            struct cad_synth_segment last = drv_segment(d, r->stream, r->range.last);
            assert_int_equal(last.bytes.last, r->range.last);
            /* begins with a segment, or goes on where the speculation ended */
            int64_t first = r->range.first;
            bool aligned = first < d->stream[r->stream].header_bytes ||
                           drv_segment(d, r->stream, first).bytes.first == first;
            assert_true(aligned || first == next[r->stream]);
            /* a join is at most 2 MiB or 10 s for video, 512 KiB for sound */
            assert_true(r->range.last - first + 1 <= 2 * 1024 * 1024);
            if (r->stream == DRV_AUDIO) assert_true(r->range.last - first + 1 <= 512 * 1024);
        }
        next[r->stream] = r->range.last + 1;
    }
    assert_int_equal(d->bytes_twice, 0);
    assert_int_equal(drv_stats(d).bytes_twice, 0);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(d->cancels, 0);
}

static void test_start_speculation_rest_is_kept(void **state)
{
    struct drv *d = *state;
    drv_load(d, 7);
    drv_play_for(d, CAD_SECOND);
    const struct drv_request *first = first_of(d, false);
    int64_t expected = first->range.last + 1;
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r == first || r->stream != first->stream) continue;
        assert_int_equal(r->range.first, expected);
        break;
    }
}

static void test_start_rest_of_the_header_in_a_second_trip(void **state)
{
    /* The manifest says nothing of moov and sidx: the first range cannot cover for certain what it
     * does not know, and still no byte comes twice. */
    struct drv_options o;
    drv_options_init(&o);
    o.no_boxes = true;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 7);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->bytes_twice, 0);
}

static void test_start_at_a_position(void **state)
{
    struct drv *d = *state;
    struct cad_title title = {.base = {"http://svc", 10}, .id = {"900100", 6},
                              .start = 20 * CAD_SECOND};
    drv_load_title(d, &title, 3);
    drv_play(d);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    const struct cad_app_event *first = drv_last(d, CAD_APP_FIRST_FRAME);
    assert_int_equal(first->position, 20 * CAD_SECOND);
    assert_int_equal(first->ticket, 3);
    drv_play_for(d, CAD_SECOND);
    assert_in_range(drv_stats(d).position, 20 * CAD_SECOND, 22 * CAD_SECOND);
    /* nothing of the first 20 seconds of pictures but what the speculation brought */
    const struct drv_request *header = first_of(d, false);
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r == header || r->stream != header->stream) continue;
        assert_true(drv_segment(d, r->stream, r->range.first).start >= 20 * CAD_SECOND);
    }
}

static void test_start_paused(void **state)
{
    struct drv *d = *state;
    struct cad_title title = {.base = {"http://svc", 10}, .id = {"900100", 6},
                              .start = CAD_TIME_NONE};
    drv_pause(d);
    drv_load_title(d, &title, 3);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(d->sink.media, 0);
    assert_int_equal(drv_stats(d).stalls, 0);
    drv_play(d);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_true(drv_stats(d).position > CAD_SECOND / 2);
}

static void test_start_buffer_goal(void **state)
{
    struct drv *d = *state;
    drv_load(d, 7);
    drv_play_for(d, 5 * CAD_SECOND);
    /* An instant network; the default goal of 60 s covers the whole title. */
    assert_int_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead,
                     60 * CAD_SECOND - drv_stats(d).position);
    assert_int_equal(drv_open_requests(d), 0);
}

static void test_start_buffer_goal_bounds(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.set_engine = true;
    o.engine.buffer_ahead = 10 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 7);
    drv_play_for(d, 20 * CAD_SECOND);
    for (int i = 0; i < 100; i++) {
        drv_play_for(d, 100 * CAD_MS);
        for (uint32_t slot = 0; slot < CAD_ENGINE_TRACKS; slot++) {
            assert_true(drv_slot_stats(d, slot).ahead <= 20 * CAD_SECOND);
            assert_true(drv_slot_stats(d, slot).ahead >= 6 * CAD_SECOND);
        }
    }
    assert_int_equal(d->bytes_twice, 0);
}

static void test_start_priorities(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 3000000;
    drv_load(d, 7);
    drv_play_for(d, 20 * CAD_SECOND);
    uint32_t header = 8, manifest = 8, deep = 0;
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r->purpose == CAD_PURPOSE_MANIFEST) manifest = r->priority;
        if (r->purpose == CAD_PURPOSE_HEADER && header == 8) header = r->priority;
        if (r->purpose == CAD_PURPOSE_SEGMENT) deep = r->priority;
        assert_true(r->silence_timeout > 0 && r->silence_timeout <= 8 * CAD_SECOND);
        assert_true(r->connect_timeout > 0);
    }
    /* what a start waits for is at least as urgent as what fills a buffer of 20 seconds */
    assert_true(manifest <= deep);
    assert_true(header <= deep);
}

static void test_start_video_only_title(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.no_audio = true;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 7);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_true(d->sink.config.video);
    assert_false(d->sink.config.audio);
    assert_false(drv_slot_stats(d, CAD_SLOT_AUDIO).present);
    assert_int_equal(d->sink.slot[CAD_SLOT_AUDIO].count, 0);
}

/* A sink without sound: the track is not even asked for. */
static void test_start_unwanted_audio(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.no_introduction = true;
    struct drv *d = drv_renew(state, &o);
    drv_entropy(d, 64);
    struct cad_event event = {.type = CAD_EVENT_SINK_CAPS};
    event.u.caps = (struct cad_sink_caps){.codecs = 1u << CAD_CODEC_AVC, .video = true};
    drv_feed(d, &event);
    drv_load(d, 7);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_false(d->sink.config.audio);
    assert_null(first_of(d, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_start_headers_in_one_turn),
        DRV_TEST(test_start_first_range_covers_header_and_fragment),
        DRV_TEST(test_start_conservative_rung),
        DRV_TEST(test_start_events_in_order),
        DRV_TEST(test_start_goal_is_waited_for),
        DRV_TEST(test_start_first_frame_before_the_clock),
        DRV_TEST(test_start_ranges_follow_the_sidx),
        DRV_TEST(test_start_speculation_rest_is_kept),
        DRV_TEST(test_start_rest_of_the_header_in_a_second_trip),
        DRV_TEST(test_start_at_a_position),
        DRV_TEST(test_start_paused),
        DRV_TEST(test_start_buffer_goal),
        DRV_TEST(test_start_buffer_goal_bounds),
        DRV_TEST(test_start_priorities),
        DRV_TEST(test_start_video_only_title),
        DRV_TEST(test_start_unwanted_audio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
