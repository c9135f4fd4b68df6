/*
 * A feed pulls no more than it may, keeps what comes early, passes over what is stale, counts what
 * is broken, and lets a decoder finish before another one is opened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "media/feed.h"
#include "track_data.h"

#define FRAME (40 * CAD_MS)

static void init(struct cad_feed *feed, bool raw, uint32_t threads)
{
    struct cad_feed_config config = {
        .alloc = cad_alloc_system(), .raw = raw, .threads = threads};
    cad_feed_init(feed, CAD_SLOT_VIDEO, &config);
}

static int next(struct cad_feed *feed, struct sample_source *source, uint32_t *work,
                struct cad_frame *frame)
{
    struct cad_sink_source edge = sample_source_edge(source);
    return cad_feed_next(feed, &edge, work, frame);
}

/* Takes frames until the feed says something else, which is the answer. */
static int drain(struct cad_feed *feed, struct sample_source *source, uint32_t *frames)
{
    struct cad_frame frame;
    uint32_t work = 100000;
    int rc;
    while ((rc = next(feed, source, &work, &frame)) == 0) {
        (*frames)++;
        cad_frame_unref(&frame);
    }
    return rc;
}

static void test_feed_stops_when_its_work_is_done(void **state)
{
    (void)state;
    struct track_data track;
    struct sample_source source;
    struct cad_feed feed;
    struct cad_frame frame;
    track_data_make(&track, CAD_MEDIA_VIDEO, 50, FRAME);
    sample_source_init(&source, &track, NULL);
    init(&feed, true, 0);
    cad_feed_reset(&feed, 1);
    uint32_t work = 3; /* the configuration and two access units */
    assert_int_equal(next(&feed, &source, &work, &frame), 0);
    assert_int_equal(frame.pts, 0);
    assert_int_equal(feed.end, FRAME);
    assert_int_equal(next(&feed, &source, &work, &frame), 0);
    assert_int_equal(frame.pts, FRAME);
    assert_int_equal(next(&feed, &source, &work, &frame), CAD_E_LIMIT);
    assert_int_equal(source.pulled[0], 2);
    uint32_t frames = 0;
    source.open[0] = 10;
    assert_int_equal(drain(&feed, &source, &frames), CAD_E_AGAIN);
    assert_int_equal(frames, 8);
    source.open[0] = SOURCE_ALL;
    assert_int_equal(drain(&feed, &source, &frames), CAD_E_END);
    assert_int_equal(drain(&feed, &source, &frames), CAD_E_END);
    assert_int_equal(frames, 48);
    assert_int_equal(feed.end, 50 * FRAME);
    cad_feed_deinit(&feed);
    assert_int_equal(sample_source_held(&source), 0);
    sample_source_deinit(&source);
    track_data_free(&track);
}

/* In order of decoding with reordered pts: the frames rise and tell how far the media goes. */
static void test_feed_puts_raw_frames_in_their_place(void **state)
{
    (void)state;
    static const int64_t order[] = {0, 3, 1, 2, 6, 4, 5};
    struct track_data track;
    struct sample_source source;
    struct cad_feed feed;
    struct cad_frame frame;
    uint32_t work = 100;
    track_data_make(&track, CAD_MEDIA_VIDEO, 7, FRAME);
    for (uint32_t i = 0; i < 7; i++) {
        track.items[i].pts = (order[i] + 1) * FRAME;
        track.items[i].dts = ((int64_t)i - 1) * FRAME;
    }
    sample_source_init(&source, &track, NULL);
    init(&feed, true, 0);
    cad_feed_reset(&feed, 1);
    for (uint32_t i = 0; i < 7; i++) {
        assert_int_equal(next(&feed, &source, &work, &frame), 0);
        assert_int_equal(frame.pts, (i + 1) * FRAME);
        assert_int_equal(feed.end, (i + 2) * FRAME);
    }
    cad_feed_deinit(&feed);
    sample_source_deinit(&source);
    track_data_free(&track);
}

static void test_feed_minds_epochs(void **state)
{
    (void)state;
    struct track_data track;
    struct sample_source source;
    struct cad_feed feed;
    uint32_t frames = 0;
    track_data_make(&track, CAD_MEDIA_VIDEO, 10, FRAME);
    sample_source_init(&source, &track, NULL);
    init(&feed, true, 0);
    /* The epoch before the wrap is older than the one after it. */
    cad_feed_reset(&feed, 0);
    source.epoch = UINT32_MAX;
    assert_int_equal(drain(&feed, &source, &frames), CAD_E_END);
    assert_int_equal(frames, 0);
    /* A newer one waits, and one access unit only is held. */
    cad_feed_reset(&feed, 1);
    sample_source_seek(&source, 2, 0);
    uint32_t before = source.pulled[0];
    assert_int_equal(drain(&feed, &source, &frames), CAD_E_AGAIN);
    assert_int_equal(drain(&feed, &source, &frames), CAD_E_AGAIN);
    assert_true(source.pulled[0] <= before + 1);
    cad_feed_reset(&feed, 2);
    assert_int_equal(drain(&feed, &source, &frames), CAD_E_END);
    assert_int_equal(frames, 10);
    cad_feed_deinit(&feed);
    sample_source_deinit(&source);
    track_data_free(&track);
}

/* CAD_FEED_ERRORS_MAX - 1 broken ones in a row pass, one more does not. */
static void test_feed_counts_errors_in_a_row(void **state)
{
    (void)state;
    struct track_data track;
    if (!track_data_load(&track, TEST_MEDIA_DIR "/h264.mp4")) skip();
    for (uint32_t broken = CAD_FEED_ERRORS_MAX - 1; broken <= CAD_FEED_ERRORS_MAX; broken++) {
        struct sample_source source;
        struct cad_feed feed;
        struct cad_frame frame;
        uint32_t work = 1000;
        uint32_t frames = 0;
        for (uint32_t i = 0; i < broken; i++) track.items[i].size = 0;
        sample_source_init(&source, &track, NULL);
        init(&feed, false, 1);
        cad_feed_reset(&feed, 1);
        int rc = drain(&feed, &source, &frames);
        if (broken < CAD_FEED_ERRORS_MAX) {
            assert_int_equal(rc, CAD_E_END);
            assert_true(frames > 70);
        } else {
            assert_int_equal(rc, CAD_E_IO);
            assert_int_equal(feed.fail.error, CAD_ERR_MEDIA_DECODE);
            assert_int_equal(next(&feed, &source, &work, &frame), CAD_E_IO);
        }
        cad_feed_deinit(&feed);
        assert_int_equal(sample_source_held(&source), 0);
        sample_source_deinit(&source);
    }
    track_data_free(&track);
}

/* A change of the rung alone keeps the decoder; of the stream opens another one, without loss. */
static void test_feed_reconfigures(void **state)
{
    (void)state;
    struct track_data big, same, small;
    if (!track_data_load(&big, TEST_MEDIA_DIR "/h264.mp4")) skip();
    assert_true(track_data_load(&same, TEST_MEDIA_DIR "/h264.mp4"));
    assert_true(track_data_load(&small, TEST_MEDIA_DIR "/h264-small.mp4"));
    same.config.rung = 1;
    small.config.rung = 2;
    struct sample_source source;
    struct cad_feed feed;
    struct cad_frame frame;
    uint32_t work = 1000;
    uint32_t seen[3] = {0};
    cad_time last = -1;
    sample_source_init(&source, &big, NULL);
    source.open[0] = 25;
    init(&feed, false, 2);
    cad_feed_reset(&feed, 1);
    const struct cad_decoder *decoder = NULL;
    for (;;) {
        int rc = next(&feed, &source, &work, &frame);
        if (rc == CAD_E_AGAIN && source.next[0] == 25) {
            decoder = feed.decoder;
            sample_source_switch(&source, CAD_SLOT_VIDEO, &same);
            source.open[0] = 50;
            continue;
        }
        if (rc == CAD_E_AGAIN && source.next[0] == 50) {
            assert_ptr_equal(feed.decoder, decoder);
            sample_source_switch(&source, CAD_SLOT_VIDEO, &small);
            source.open[0] = SOURCE_ALL;
            continue;
        }
        if (rc != 0) {
            assert_int_equal(rc, CAD_E_END);
            break;
        }
        assert_in_range(frame.rung, 0, 2);
        assert_int_equal(frame.width, frame.rung == 2 ? 160 : 322);
        assert_true(frame.pts > last);
        last = frame.pts;
        seen[frame.rung]++;
        cad_frame_unref(&frame);
    }
    assert_int_equal(seen[0], 25);
    assert_int_equal(seen[1], 25);
    assert_int_equal(seen[2], 50);
    cad_feed_deinit(&feed);
    sample_source_deinit(&source);
    track_data_free(&big);
    track_data_free(&same);
    track_data_free(&small);
}

/* After a skip the next frame is that of a sync sample; frames and skipped are all there were. */
static void test_feed_skips_to_a_sync_sample(void **state)
{
    (void)state;
    static const char *const paths[] = {TEST_MEDIA_DIR "/h264.mp4", TEST_MEDIA_DIR "/av1.mp4"};
    for (uint32_t n = 0; n < 2; n++) {
        struct track_data track;
        struct sample_source source;
        struct cad_feed feed;
        struct cad_frame frame;
        uint32_t work = 1000;
        uint32_t frames = 0;
        if (!track_data_load(&track, paths[n])) skip();
        sample_source_init(&source, &track, NULL);
        init(&feed, false, 1);
        cad_feed_reset(&feed, 1);
        cad_feed_skip(&feed, 0); /* nothing is open: no effect */
        for (; frames < 5; frames++) {
            assert_int_equal(next(&feed, &source, &work, &frame), 0);
            cad_frame_unref(&frame);
        }
        /* There is a sync sample at 1 s, which is too early, and one at 2 s. */
        cad_feed_skip(&feed, track.items[25].pts + 1);
        uint32_t inside = feed.skipped;
        cad_feed_skip(&feed, 0); /* under way: no effect */
        assert_int_equal(feed.skipped, inside);
        assert_int_equal(next(&feed, &source, &work, &frame), 0);
        assert_int_equal(frame.pts, track.items[50].pts);
        assert_true(track.items[25].sync && track.items[50].sync);
        assert_int_equal(feed.skipped, 45);
        cad_frame_unref(&frame);
        frames++;
        /* Before the end there is no other one: what is left is passed over, and it ends. */
        for (uint32_t i = 51; i < track.count; i++) track.items[i].sync = false;
        cad_feed_skip(&feed, 0);
        assert_int_equal(drain(&feed, &source, &frames), CAD_E_END);
        assert_int_equal(frames + feed.skipped, track.count);
        assert_int_equal(feed.end, track_data_end(&track));
        cad_feed_deinit(&feed);
        assert_int_equal(sample_source_held(&source), 0);
        sample_source_deinit(&source);
        track_data_free(&track);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_feed_stops_when_its_work_is_done),
        cmocka_unit_test(test_feed_puts_raw_frames_in_their_place),
        cmocka_unit_test(test_feed_minds_epochs),
        cmocka_unit_test(test_feed_counts_errors_in_a_row),
        cmocka_unit_test(test_feed_reconfigures),
        cmocka_unit_test(test_feed_skips_to_a_sync_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
