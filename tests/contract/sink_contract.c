#include "sink_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ONE 65536u
#define FRAME (40 * CAD_MS)   /* of the video in make-media.sh */
#define WAIT (3 * CAD_SECOND) /* for what must come soon */

/* What the tests share: the kind, and four seconds of video and of sound. */
struct suite {
    const struct sink_kind *kind;
    struct track_data video, small, audio;
    struct track_data other; /* AV1; empty where it could not be made */
    struct track_data third; /* HEVC; the same */
    struct track_data surround; /* AC-3 5.1 */
};

static struct suite *suite_of(void **state)
{
    return *state;
}

static cad_time tolerance_of(const struct suite *suite)
{
    return suite->kind->tolerance;
}

/* Rules 2 and 4: the first picture comes although the rate is 0, and the clock stands. */
static void test_sink_shows_first_picture_while_it_stands(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, 0);
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    assert_int_equal(bench.level.first_frame_pts, suite->video.items[0].pts);
    bench_run(&bench, CAD_SECOND / 2);
    assert_int_equal(bench.anchor.rate_q16, 0);
    assert_int_equal(bench.anchor.media, 0);
    assert_false(bench.level.drained);
    bench_close(&bench);
}

/* Rule 4: without video the first sound is it. */
static void test_sink_first_sound_counts_without_video(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, NULL, &suite->audio);
    bench_rate(&bench, 0);
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    assert_int_equal(bench.anchor.rate_q16, 0);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    bench_close(&bench);
}

/* Rule 2: not before every slot has its first sample. */
static void test_sink_waits_for_every_slot(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench.source.open[CAD_SLOT_VIDEO] = 0;
    bench_rate(&bench, ONE);
    bench_run(&bench, CAD_SECOND / 2);
    assert_false(bench_is_running(&bench));
    assert_false(bench_is_first_out(&bench));
    assert_int_equal(bench.anchor.media, 0);
    bench.source.open[CAD_SLOT_VIDEO] = SOURCE_ALL;
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    assert_true(bench_is_first_out(&bench));
    bench_close(&bench);
}

/* Rule 3: a second is a second. sink_bench.c checks every anchor against the one before. */
static void test_sink_clock_follows_the_rate(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    cad_time media = bench.anchor.media;
    cad_time at = bench.anchor.at;
    uint32_t anchors = bench.anchors;
    bench_run(&bench, 3 * CAD_SECOND / 2);
    cad_time drift = (bench.anchor.media - media) - (bench.anchor.at - at);
    assert_true(drift <= tolerance_of(suite) && drift >= -tolerance_of(suite));
    assert_true(bench.anchors >= anchors + 10); /* at least every 150 ms */
    assert_true(bench.level.frames >= 30);
    bench_close(&bench);
}

static void test_sink_pauses_and_resumes(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, ONE);
    bench_run(&bench, CAD_SECOND);
    bench_rate(&bench, 0);
    bench_step(&bench);
    cad_time media = bench.anchor.media;
    assert_int_equal(bench.anchor.rate_q16, 0);
    assert_false(bench.anchor.underrun);
    bench_run(&bench, CAD_SECOND);
    assert_int_equal(bench.anchor.media, media);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    bench_run(&bench, CAD_SECOND / 2);
    cad_time moved = bench.anchor.media - media;
    assert_true(moved > CAD_SECOND / 4 && moved <= CAD_SECOND / 2 + tolerance_of(suite));
    bench_close(&bench);
}

/* Rule 2: it stands at the end of what it has, says so, and goes on when there is more. */
static void test_sink_stands_at_the_end_of_what_it_has(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench.source.open[CAD_SLOT_VIDEO] = 25;
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_underrun, WAIT));
    assert_int_equal(bench.anchor.rate_q16, 0);
    assert_true(bench.anchor.media <= 25 * FRAME);
    cad_time media = bench.anchor.media;
    bench_run(&bench, CAD_SECOND);
    assert_int_equal(bench.anchor.media, media);
    assert_false(bench.level.drained);
    bench.source.open[CAD_SLOT_VIDEO] = SOURCE_ALL;
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    assert_false(bench.anchor.underrun);
    assert_true(bench.anchor.media >= media && bench.anchor.media < media + CAD_SECOND / 2);
    bench_close(&bench);
}

/* Rule 6: drained after the last picture, not before, and every picture counted. */
static void test_sink_drains(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    assert_true(bench_until(&bench, bench_is_drained, 6 * CAD_SECOND));
    cad_time end = track_data_end(&suite->video);
    assert_true(bench.anchor.media >= end - FRAME);
    assert_true(bench.anchor.media <= end + CAD_SECOND / 4);
    assert_int_equal(bench.anchor.rate_q16, 0);
    assert_false(bench.anchor.underrun);
    assert_int_equal(bench.level.frames, suite->video.count);
    assert_int_equal(bench.level.dropped, 0);
    bench_close(&bench);
}

/* Rules 1 and 4: a flush forgets; the next epoch begins with its own first picture. */
static void test_sink_flush_begins_an_epoch(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, ONE);
    bench_run(&bench, CAD_SECOND / 2);
    cad_time position = 2 * CAD_SECOND + CAD_SECOND / 2;
    bench_seek(&bench, 2, position);
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    assert_true(bench.level.first_frame_pts + FRAME > position);
    assert_true(bench.level.first_frame_pts < position + 5 * FRAME);
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    assert_true(bench.anchor.media >= position);
    assert_true(bench.anchor.media < position + CAD_SECOND / 2);
    bench_seek(&bench, 3, 0);
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    assert_int_equal(bench.level.first_frame_pts, suite->video.items[0].pts);
    assert_true(bench_until(&bench, bench_is_drained, 6 * CAD_SECOND));
    bench_close(&bench);
}

/* A seek while it stands shows its picture. */
static void test_sink_flush_while_it_stands(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, 0);
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    bench_seek(&bench, 2, 3 * CAD_SECOND);
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    assert_true(bench.level.first_frame_pts >= 3 * CAD_SECOND);
    bench_run(&bench, CAD_SECOND / 4);
    assert_int_equal(bench.anchor.media, 3 * CAD_SECOND);
    bench_close(&bench);
}

/* Rule 1: what the source still gives of an older epoch is passed over. */
static void test_sink_passes_over_stale_samples(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, 0);
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    /* The flush is there before the source has turned. */
    bench.config.epoch = 2;
    bench.config.position = 3 * CAD_SECOND;
    bench.sink->ops->flush(bench.sink, 2, 3 * CAD_SECOND, bench.now);
    bench_rate(&bench, 0);
    bench.source.open[CAD_SLOT_VIDEO] = bench.source.next[CAD_SLOT_VIDEO] + 3;
    bench_run(&bench, CAD_SECOND / 4);
    assert_false(bench_is_first_out(&bench));
    assert_int_equal(bench.anchor.media, 3 * CAD_SECOND);
    sample_source_seek(&bench.source, 2, 3 * CAD_SECOND);
    bench.source.open[CAD_SLOT_VIDEO] = SOURCE_ALL;
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    assert_true(bench.level.first_frame_pts >= 3 * CAD_SECOND);
    bench_close(&bench);
}

/* The other way round: samples that come before their flush are not lost. */
static void test_sink_keeps_samples_that_come_early(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench.source.open[CAD_SLOT_VIDEO] = bench.source.open[CAD_SLOT_AUDIO] = 25;
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_underrun, WAIT));
    sample_source_seek(&bench.source, 2, 3 * CAD_SECOND);
    bench.source.open[CAD_SLOT_VIDEO] = bench.source.open[CAD_SLOT_AUDIO] = SOURCE_ALL;
    bench_run(&bench, CAD_SECOND / 4);
    bench.config.epoch = 2;
    bench.config.position = 3 * CAD_SECOND;
    bench.sink->ops->flush(bench.sink, 2, 3 * CAD_SECOND, bench.now);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    assert_int_equal(bench.level.first_frame_pts, 3 * CAD_SECOND);
    assert_true(bench_until(&bench, bench_is_drained, WAIT));
    bench_close(&bench);
}

/* Rule 4: DECODE_ONLY is decoded and not shown. */
static void test_sink_does_not_show_decode_only(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench.source.flags = CAD_SAMPLE_DECODE_ONLY;
    bench.source.open[CAD_SLOT_VIDEO] = bench.source.open[CAD_SLOT_AUDIO] = 50;
    bench_rate(&bench, ONE);
    bench_run(&bench, CAD_SECOND / 2);
    assert_false(bench_is_first_out(&bench));
    assert_false(bench_is_running(&bench));
    bench_close(&bench);
}

/* Rules 5 and 7: little is held, and nothing after a flush without new samples. */
static void test_sink_holds_little_and_lets_go(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, 0);
    bench_run(&bench, CAD_SECOND);
    assert_in_range(bench.source.pulled[CAD_SLOT_VIDEO], 1, suite->kind->depth);
    assert_in_range(bench.source.pulled[CAD_SLOT_AUDIO], 1, suite->kind->depth);
    bench.source.open[CAD_SLOT_VIDEO] = bench.source.open[CAD_SLOT_AUDIO] = 0;
    bench.config.epoch = 2;
    bench.sink->ops->flush(bench.sink, 2, 0, bench.now);
    bench_rate(&bench, 0);
    bench_run(&bench, CAD_SECOND / 4);
    assert_int_equal(sample_source_held(&bench.source), 0);
    bench_close(&bench);
}

/* Another picture size in mid-stream: no picture is lost and none is repeated. */
static void test_sink_takes_another_configuration(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench.source.open[CAD_SLOT_VIDEO] = 25;
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    bench_run(&bench, CAD_SECOND / 4);
    /* Both have a sync sample at 25: let the sink come to it. */
    while (bench.source.next[CAD_SLOT_VIDEO] < 25) bench_run(&bench, 100 * CAD_MS);
    sample_source_switch(&bench.source, CAD_SLOT_VIDEO, &suite->small);
    bench.source.open[CAD_SLOT_VIDEO] = SOURCE_ALL;
    assert_true(bench_until(&bench, bench_is_drained, 6 * CAD_SECOND));
    assert_int_equal(bench.level.frames, suite->video.count);
    assert_int_equal(bench.level.dropped, 0);
    assert_int_equal(bench.fails, 0);
    bench_close(&bench);
}

/*
 * Rule 3 at every rate that it names, changed while it plays: media time per monotonic time is the
 * rate. sink_bench.c checks every anchor against the one before on top.
 */
static void test_sink_plays_at_other_rates(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    struct cad_sink_caps caps;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench.sink->ops->caps(bench.sink, &caps);
    if (caps.rate_max_q16 == 0) {
        bench_close(&bench);
        skip();
    }
    assert_true(caps.rate_min_q16 <= ONE && caps.rate_max_q16 >= ONE);
    const uint32_t rates[] = {ONE, caps.rate_min_q16, ONE + ONE / 2, caps.rate_max_q16, ONE};
    for (uint32_t i = 0; i < 5; i++) {
        if (rates[i] > caps.rate_max_q16) continue;
        bench_rate(&bench, rates[i]);
        assert_true(bench_until(&bench, bench_is_running, WAIT));
        bench_run(&bench, 200 * CAD_MS);
        struct cad_sink_anchor from = bench.anchor;
        bench_run(&bench, 400 * CAD_MS);
        assert_int_equal(bench.anchor.rate_q16, rates[i]);
        cad_time want = (cad_time)((double)(bench.anchor.at - from.at) * rates[i] / ONE);
        cad_time drift = bench.anchor.media - from.media - want;
        assert_true(drift <= tolerance_of(suite) && drift >= -tolerance_of(suite));
    }
    /* It waits and goes on at a rate that was set while it stood; a seek keeps it. */
    bench_rate(&bench, 0);
    bench_run(&bench, 100 * CAD_MS);
    bench_rate(&bench, caps.rate_max_q16);
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    assert_int_equal(bench.anchor.rate_q16, caps.rate_max_q16);
    bench_seek(&bench, 2, 0);
    cad_time began = bench.now;
    assert_true(bench_until(&bench, bench_is_drained, 6 * CAD_SECOND));
    cad_time most = track_data_end(&suite->video) / 2 + CAD_SECOND / 2 + tolerance_of(suite);
    if (caps.rate_max_q16 == 2 * ONE) assert_true(bench.now - began <= most);
    assert_int_equal(bench.fails, 0);
    bench_close(&bench);
}

/*
 * Rule 8: other sizes, up and down, and other codecs in the middle of a stream, without a wait:
 * every picture is shown, and the clock does not stand.
 */
static void test_sink_takes_changes_in_mid_stream(void **state)
{
    struct suite *suite = suite_of(state);
    const struct track_data *other = suite->other.count > 0 ? &suite->other : &suite->video;
    const struct track_data *third = suite->third.count > 0 ? &suite->third : &suite->video;
    const struct source_change changes[] = {
        {&suite->small, 25, 25}, {other, 50, 50}, {third, 75, 75}};
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    for (uint32_t i = 0; i < 3; i++) sample_source_plan(&bench.source, CAD_SLOT_VIDEO, &changes[i]);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_drained, 6 * CAD_SECOND));
    assert_int_equal(bench.level.frames, suite->video.count);
    assert_int_equal(bench.fails, 0);
    if (!suite->kind->real_time) {
        assert_int_equal(bench.level.dropped, 0);
        assert_int_equal(bench.underruns, 0);
    }
    bench_close(&bench);
}

/* Rule 8: another sound with other times, and back: pictures and clock go on. */
static void test_sink_takes_another_sound_in_mid_stream(void **state)
{
    struct suite *suite = suite_of(state);
    if (suite->surround.count == 0) skip();
    uint32_t there = track_data_at(&suite->audio, CAD_SECOND);
    uint32_t back = track_data_at(&suite->surround, 2 * CAD_SECOND);
    const struct source_change changes[] = {
        {&suite->surround, there, track_data_at(&suite->surround, CAD_SECOND)},
        {&suite->audio, back, track_data_at(&suite->audio, 2 * CAD_SECOND)}};
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    for (uint32_t i = 0; i < 2; i++) sample_source_plan(&bench.source, CAD_SLOT_AUDIO, &changes[i]);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_drained, 6 * CAD_SECOND));
    assert_int_equal(bench.level.frames, suite->video.count);
    assert_int_equal(bench.fails, 0);
    if (!suite->kind->real_time) {
        assert_int_equal(bench.level.dropped, 0);
        assert_int_equal(bench.underruns, 0);
    }
    bench_close(&bench);
}

/* ---- text ------------------------------------------------------------------------------------ */

static bool shows(const struct bench *bench, const char *lang)
{
    return strcmp(bench->kind->text(bench->sink), lang) == 0;
}

/* Rule 9: it comes at once, also while the clock stands; what came last counts. */
static void test_sink_shows_text_while_it_stands(void **state)
{
    struct suite *suite = suite_of(state);
    if (!suite->kind->text) skip();
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, 0);
    assert_true(bench_until(&bench, bench_is_first_out, WAIT));
    assert_true(shows(&bench, ""));
    sample_source_write(&bench.source, "en", "<tt>one</tt>");
    bench_run(&bench, CAD_SECOND / 10);
    assert_true(shows(&bench, "en"));
    sample_source_write(&bench.source, "de", "<tt>two</tt>");
    bench_run(&bench, CAD_SECOND / 10);
    assert_true(shows(&bench, "de"));
    sample_source_write(&bench.source, NULL, NULL);
    bench_run(&bench, CAD_SECOND / 10);
    assert_true(shows(&bench, ""));
    assert_int_equal(bench.anchor.media, 0);
    assert_int_equal(bench.fails, 0);
    bench_close(&bench);
}

/* Rule 9: a flush forgets it; what is of an older epoch is passed over, what is early kept. */
static void test_sink_flush_forgets_text(void **state)
{
    struct suite *suite = suite_of(state);
    if (!suite->kind->text) skip();
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    sample_source_write(&bench.source, "en", "<tt>one</tt>");
    bench_rate(&bench, ONE);
    bench_run(&bench, CAD_SECOND / 4);
    assert_true(shows(&bench, "en"));
    sample_source_write(&bench.source, "fr", "<tt>stale</tt>");
    bench_seek(&bench, 2, CAD_SECOND);
    assert_true(shows(&bench, ""));
    bench_run(&bench, CAD_SECOND / 10);
    assert_true(shows(&bench, ""));
    sample_source_write(&bench.source, "en", "<tt>one</tt>");
    bench_run(&bench, CAD_SECOND / 10);
    assert_true(shows(&bench, "en"));
    /* The source has turned before the flush is there. */
    sample_source_seek(&bench.source, 3, 2 * CAD_SECOND);
    sample_source_write(&bench.source, "de", "<tt>early</tt>");
    bench_run(&bench, CAD_SECOND / 10);
    assert_true(shows(&bench, "en"));
    bench_seek(&bench, 3, 2 * CAD_SECOND);
    assert_true(shows(&bench, ""));
    bench_run(&bench, CAD_SECOND / 10);
    assert_true(shows(&bench, "de"));
    bench_close(&bench);
}

/* Rule 9: nothing waits for text that does not come, and none is taken that was not told of. */
static void test_sink_waits_for_no_text(void **state)
{
    struct suite *suite = suite_of(state);
    if (!suite->kind->text) skip();
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    assert_true(bench_until(&bench, bench_is_drained, 6 * CAD_SECOND));
    bench.config.text = false;
    sample_source_write(&bench.source, "en", "<tt>one</tt>");
    bench_seek(&bench, 2, 0);
    bench_run(&bench, CAD_SECOND / 4);
    assert_int_equal(bench.source.words_next, 0);
    bench.config.text = true;
    bench.source.words[0].epoch = bench.source.words[1].epoch = 2;
    bench_rate(&bench, ONE);
    bench_run(&bench, CAD_SECOND / 4);
    assert_true(shows(&bench, "en"));
    bench_close(&bench);
}

static void fail_with(struct suite *suite, const struct track_data *video, uint32_t flags,
                      enum cad_error_code error)
{
    struct bench bench;
    bench_open(&bench, suite->kind, video, &suite->audio);
    bench.source.flags = flags;
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_has_failed, WAIT));
    assert_int_equal(bench.fail.slot, CAD_SLOT_VIDEO);
    assert_int_equal(bench.fail.error, error);
    assert_true(strlen(bench.fail.message) > 0);
    bench_run(&bench, CAD_SECOND / 4);
    assert_int_equal(bench.fails, 1);
    assert_false(bench_is_running(&bench));
    /* It can begin again. */
    bench.source.flags = 0;
    bench.source.track[CAD_SLOT_VIDEO] = &suite->video;
    bench_seek(&bench, 2, 0);
    assert_true(bench_until(&bench, bench_is_running, WAIT));
    bench_close(&bench);
}

/* Another codec after it, and nothing but it: no picture is lost there either. */
static void test_sink_takes_another_codec(void **state)
{
    struct suite *suite = suite_of(state);
    if (suite->other.count == 0) skip();
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->other, NULL);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_drained, 6 * CAD_SECOND));
    assert_int_equal(bench.level.frames, suite->other.count);
    assert_int_equal(bench.level.dropped, 0);
    bench.source.track[CAD_SLOT_VIDEO] = &suite->video;
    bench_seek(&bench, 2, 0);
    assert_true(bench_until(&bench, bench_is_drained, 6 * CAD_SECOND));
    assert_int_equal(bench.level.frames, suite->other.count + suite->video.count);
    assert_int_equal(bench.fails, 0);
    bench_close(&bench);
}

static void test_sink_says_what_it_cannot_decode(void **state)
{
    struct suite *suite = suite_of(state);
    if (!suite->kind->decodes) skip();
    struct track_data other = suite->video;
    other.config.codec = CAD_CODEC_TTML;
    fail_with(suite, &other, 0, CAD_ERR_MEDIA_CODEC);
}

static void test_sink_says_that_a_stream_is_broken(void **state)
{
    struct suite *suite = suite_of(state);
    if (!suite->kind->decodes) skip();
    struct track_data broken = suite->video;
    struct track_item items[64];
    uint8_t zeros[64] = {0};
    for (uint32_t i = 0; i < 64; i++) {
        items[i] = suite->video.items[i];
        items[i].offset = 0;
        items[i].size = sizeof(zeros);
    }
    broken.bytes = zeros;
    broken.items = items;
    broken.count = 64;
    fail_with(suite, &broken, 0, CAD_ERR_MEDIA_DECODE);
    fail_with(suite, &suite->video, CAD_SAMPLE_HOLE, CAD_ERR_SINK_FAILED);
}

/* A few broken access units are no reason to stop. */
static void test_sink_lives_with_some_broken_samples(void **state)
{
    struct suite *suite = suite_of(state);
    if (!suite->kind->decodes) skip();
    struct track_data flawed = suite->video;
    struct track_item items[128];
    assert_true(suite->video.count <= 128);
    memcpy(items, suite->video.items, suite->video.count * sizeof(*items));
    for (uint32_t i = 30; i < 34; i++) items[i].size = 5;
    flawed.items = items;
    struct bench bench;
    bench_open(&bench, suite->kind, &flawed, &suite->audio);
    bench_rate(&bench, ONE);
    assert_true(bench_until(&bench, bench_is_drained, 8 * CAD_SECOND));
    assert_int_equal(bench.fails, 0);
    assert_in_range(bench.level.frames, suite->video.count - 20, suite->video.count);
    bench_close(&bench);
}

static void test_sink_can_be_dropped_at_any_time(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_close(&bench);
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, ONE);
    bench_step(&bench);
    bench_close(&bench);
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    bench_rate(&bench, ONE);
    bench_run(&bench, CAD_SECOND / 4);
    bench_close(&bench);
}

static void test_sink_tells_what_it_takes(void **state)
{
    struct suite *suite = suite_of(state);
    struct bench bench;
    struct cad_sink_caps caps;
    bench_open(&bench, suite->kind, &suite->video, &suite->audio);
    assert_int_equal(bench.sink->ops->size, sizeof(struct cad_sink_ops));
    assert_string_equal(bench.sink->ops->name, suite->kind->name);
    bench.sink->ops->caps(bench.sink, &caps);
    assert_true(caps.video && caps.audio);
    assert_int_equal(caps.text, suite->kind->text != NULL);
    if (caps.text) assert_true(caps.codecs & 1u << CAD_CODEC_TTML);
    assert_true(caps.codecs & 1u << CAD_CODEC_AVC);
    assert_true(caps.codecs & 1u << CAD_CODEC_AAC);
    assert_int_equal(caps.passthrough & ~caps.codecs, 0);
    assert_false(caps.fixed_codec || caps.fixed_resolution); /* of the sinks here; see rule 8 */
    assert_true(caps.rate_min_q16 <= caps.rate_max_q16);
    /* Before it is configured it does nothing. */
    assert_int_equal(bench.sink->ops->step(bench.sink, bench.now), CAD_TIME_NONE);
    assert_int_equal(bench.source.pulled[CAD_SLOT_VIDEO], 0);
    bench_close(&bench);
}

static bool load(struct suite *suite)
{
    if (!suite->kind->decodes) {
        track_data_make(&suite->video, CAD_MEDIA_VIDEO, 100, FRAME);
        track_data_make(&suite->small, CAD_MEDIA_VIDEO, 100, FRAME);
        track_data_make(&suite->audio, CAD_MEDIA_AUDIO, 200, 20 * CAD_MS);
        track_data_make(&suite->surround, CAD_MEDIA_AUDIO, 125, 32 * CAD_MS);
        return true;
    }
    if (!track_data_load(&suite->other, TEST_MEDIA_DIR "/av1.mp4")) suite->other.count = 0;
    if (!track_data_load(&suite->third, TEST_MEDIA_DIR "/hevc.mp4")) suite->third.count = 0;
    if (!track_data_load(&suite->surround, TEST_MEDIA_DIR "/ac3.mp4")) suite->surround.count = 0;
    return track_data_load(&suite->video, TEST_MEDIA_DIR "/h264.mp4") &&
           track_data_load(&suite->small, TEST_MEDIA_DIR "/h264-small.mp4") &&
           track_data_load(&suite->audio, TEST_MEDIA_DIR "/aac.mp4");
}

int sink_contract_run(const struct sink_kind *kind)
{
    struct suite suite = {.kind = kind};
    if (!load(&suite)) {
        printf("no media at %s: fixture/media makes it where the ffmpeg program is\n",
               TEST_MEDIA_DIR);
        return 77;
    }
#define WITH_SUITE(test) cmocka_unit_test_prestate(test, &suite)
    const struct CMUnitTest tests[] = {
        WITH_SUITE(test_sink_tells_what_it_takes),
        WITH_SUITE(test_sink_shows_first_picture_while_it_stands),
        WITH_SUITE(test_sink_first_sound_counts_without_video),
        WITH_SUITE(test_sink_waits_for_every_slot),
        WITH_SUITE(test_sink_clock_follows_the_rate),
        WITH_SUITE(test_sink_pauses_and_resumes),
        WITH_SUITE(test_sink_stands_at_the_end_of_what_it_has),
        WITH_SUITE(test_sink_drains),
        WITH_SUITE(test_sink_flush_begins_an_epoch),
        WITH_SUITE(test_sink_flush_while_it_stands),
        WITH_SUITE(test_sink_passes_over_stale_samples),
        WITH_SUITE(test_sink_keeps_samples_that_come_early),
        WITH_SUITE(test_sink_does_not_show_decode_only),
        WITH_SUITE(test_sink_holds_little_and_lets_go),
        WITH_SUITE(test_sink_takes_another_configuration),
        WITH_SUITE(test_sink_takes_another_codec),
        WITH_SUITE(test_sink_plays_at_other_rates),
        WITH_SUITE(test_sink_takes_changes_in_mid_stream),
        WITH_SUITE(test_sink_takes_another_sound_in_mid_stream),
        WITH_SUITE(test_sink_shows_text_while_it_stands),
        WITH_SUITE(test_sink_flush_forgets_text),
        WITH_SUITE(test_sink_waits_for_no_text),
        WITH_SUITE(test_sink_says_what_it_cannot_decode),
        WITH_SUITE(test_sink_says_that_a_stream_is_broken),
        WITH_SUITE(test_sink_lives_with_some_broken_samples),
        WITH_SUITE(test_sink_can_be_dropped_at_any_time),
    };
    int failed = cmocka_run_group_tests_name(kind->name, tests, NULL, NULL);
    track_data_free(&suite.video);
    track_data_free(&suite.small);
    track_data_free(&suite.audio);
    track_data_free(&suite.other);
    track_data_free(&suite.third);
    track_data_free(&suite.surround);
    return failed;
}
