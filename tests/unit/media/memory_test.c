/*
 * Memory of decoders and sinks: all of it comes from the allocator given; wherever that fails there
 * is a typed result, no leak and no crash; and a stream in its stride allocates nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/decode.h"

#include "media/presenter.h"
#include "support/failing_alloc.h"
#include "track_data.h"

#define AT_MAX 400    /* far more allocations than any of these makes */
#define STEPS_MAX 2000
#define SAMPLES 12    /* access units that a failing decoder is given */
#define STRIDE 30     /* access units after which nothing more is allocated */

static const char *const clips[] = {"h264.mp4", "av1.mp4", "aac.mp4", "hevc.mp4",
                                    "vp9.mp4",  "ac3.mp4", "opus.mp4", "flac.mp4"};
#define CLIPS (sizeof(clips) / sizeof(clips[0]))

static bool load(struct track_data *track, const char *name)
{
    char path[512] = TEST_MEDIA_DIR "/";
    strncat(path, name, 64);
    return track_data_load(track, path);
}

static bool is_typed(int rc)
{
    return rc == 0 || rc == CAD_E_AGAIN || rc == CAD_E_END || rc == CAD_E_NOMEM;
}

static int send(struct cad_decoder *decoder, const struct track_data *track, uint32_t i)
{
    const struct track_item *item = &track->items[i];
    struct cad_sample sample = {
        .epoch = 1, .pts = item->pts, .dts = item->dts, .duration = item->duration,
        .flags = item->sync ? CAD_SAMPLE_SYNC : 0, .data = track->bytes + item->offset,
        .size = item->size};
    return cad_decoder_send(decoder, &sample);
}

static uint32_t take(struct cad_decoder *decoder, bool *refused)
{
    uint32_t frames = 0;
    struct cad_frame frame;
    for (;;) {
        int rc = cad_decoder_receive(decoder, &frame);
        assert_true(is_typed(rc));
        if (rc == CAD_E_NOMEM) {
            *refused = true;
            continue;
        }
        if (rc != 0) return frames;
        frames++;
        cad_frame_unref(&frame);
    }
}

/* Open a decoder, let it decode a few access units, and drain it. True: something was refused. */
static bool decode_some(const struct cad_alloc *alloc, const struct track_data *track)
{
    struct cad_decoder *decoder = NULL;
    bool refused = false;
    int rc = cad_decoder_open(alloc, &track->config, 1, &decoder);
    if (rc != 0) {
        assert_int_equal(rc, CAD_E_NOMEM);
        assert_null(decoder);
        return true;
    }
    uint32_t frames = 0;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        assert_true(is_typed(send(decoder, track, i)));
        frames += take(decoder, &refused);
    }
    assert_int_equal(cad_decoder_drain(decoder), 0);
    frames += take(decoder, &refused);
    cad_decoder_close(&decoder);
    assert_in_range(frames, SAMPLES - (refused ? 1 : 0), SAMPLES);
    return refused;
}

static void test_memory_decoder_survives_every_failure(void **state)
{
    (void)state;
    for (size_t n = 0; n < CLIPS; n++) {
        struct track_data track;
        if (!load(&track, clips[n])) skip();
        uint64_t at = 1;
        for (;; at++) {
            struct cad_failing f;
            cad_failing_init(&f, at);
            struct cad_alloc alloc = cad_failing_alloc(&f);
            bool refused = decode_some(&alloc, &track);
            assert_int_equal(f.live_blocks, 0);
            assert_int_equal(f.mismatches, 0);
            assert_int_equal(refused, f.failed > 0);
            if (!f.failed) break;
            assert_true(at < AT_MAX);
        }
        assert_true(at > 4); /* decoder, backend, shells and the first owner at least */
        track_data_free(&track);
    }
}

/* ---- sinks -------------------------------------------------------------------------------- */

struct outcome {
    bool drained, failed, created;
    struct cad_sink_fail fail;
    uint64_t frames;
};

typedef int (*create_fn)(const struct cad_sink_options *options, struct cad_sink **out);

static void step(struct cad_sink *sink, struct outcome *outcome)
{
    struct cad_sink_report report;
    (void)sink->ops->step(sink, 0);
    sink->ops->report(sink, 0, &report);
    if (report.has_fail) {
        outcome->failed = true;
        outcome->fail = report.fail;
    }
    if (!report.has_level) return;
    outcome->drained = report.level.drained;
    outcome->frames = report.level.frames;
}

/* Plays to the end or to the failure, as fast as it can. */
static struct outcome play(const struct cad_alloc *alloc, create_fn create,
                           const struct track_data *video, const struct track_data *audio)
{
    struct outcome outcome = {0};
    struct cad_sink *sink = NULL;
    struct sample_source source;
    struct cad_sink_options options;
    cad_sink_options_init(&options);
    options.alloc = *alloc;
    options.threads = 1;
    options.as_fast_as_possible = true;
    int rc = create(&options, &sink);
    if (rc != 0) {
        assert_int_equal(rc, CAD_E_NOMEM);
        assert_null(sink);
        return outcome;
    }
    outcome.created = true;
    sample_source_init(&source, video, audio);
    sink->source = sample_source_edge(&source);
    struct cad_sink_config wish = {
        .epoch = 1, .rate_q16 = 65536, .video = video != NULL, .audio = audio != NULL};
    sink->ops->configure(sink, &wish, 0);
    for (uint32_t i = 0; i < STEPS_MAX && !outcome.drained && !outcome.failed; i++) {
        step(sink, &outcome);
    }
    sink->ops->destroy(sink);
    assert_int_equal(sample_source_held(&source), 0);
    sample_source_deinit(&source);
    return outcome;
}

static void survive(create_fn create, struct track_data *video, struct track_data *audio)
{
    uint32_t pictures = 0;
    uint64_t at = 1;
    if (video) {
        video->count = 2 * SAMPLES;
        pictures = video->count;
    }
    if (audio) audio->count = 2 * SAMPLES;
    for (;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct outcome outcome = play(&alloc, create, video, audio);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) {
            assert_true(outcome.drained && !outcome.failed);
            assert_int_equal(outcome.frames, pictures);
            break;
        }
        /* Refused at birth, or told with its cause; never silent. */
        assert_false(outcome.drained);
        assert_int_equal(outcome.failed, outcome.created);
        if (outcome.failed) {
            assert_int_equal(outcome.fail.error, CAD_ERR_OUT_OF_MEMORY);
            assert_int_equal(outcome.fail.edge_code, CAD_E_NOMEM);
            assert_true(outcome.fail.message[0] != '\0');
        }
        assert_true(at < AT_MAX);
    }
    assert_true(at > 3);
}

static void test_memory_sink_survives_every_failure(void **state)
{
    (void)state;
    for (size_t n = 0; n < CLIPS; n++) {
        struct track_data video, audio;
        if (!load(&video, clips[n]) || !load(&audio, "aac.mp4")) skip();
        bool sound = video.config.type == CAD_MEDIA_AUDIO;
        survive(cad_sink_decode_create, sound ? NULL : &video, &audio);
        track_data_free(&video);
        track_data_free(&audio);
    }
}

/* Sound is passed on, so that only its owners are memory of ours. */
static int create_passthrough(const struct cad_sink_options *options, struct cad_sink **out)
{
    struct cad_sink_options own = *options;
    own.passthrough = 1u << CAD_CODEC_EAC3;
    return cad_sink_decode_create(&own, out);
}

static void test_memory_passthrough_survives_every_failure(void **state)
{
    (void)state;
    struct track_data audio;
    if (!load(&audio, "eac3.mp4")) skip();
    survive(create_passthrough, NULL, &audio);
    /* And in its stride it takes none: all that is played are the same few owners. */
    struct cad_failing f;
    uint64_t calls[2];
    for (uint32_t i = 0; i < 2; i++) {
        cad_failing_init(&f, 0);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        audio.count = i == 0 ? 2 * SAMPLES : 8 * SAMPLES;
        assert_true(play(&alloc, create_passthrough, NULL, &audio).drained);
        calls[i] = f.calls;
    }
    assert_in_range(calls[1], calls[0], calls[0] + CAD_PRESENTER_DEPTH_DEFAULT);
    track_data_free(&audio);
}

static void test_memory_null_sink_survives_every_failure(void **state)
{
    (void)state;
    struct track_data video, audio;
    track_data_make(&video, CAD_MEDIA_VIDEO, 100, 40 * CAD_MS);
    track_data_make(&audio, CAD_MEDIA_AUDIO, 200, 20 * CAD_MS);
    survive(cad_sink_null_create, &video, &audio);
    track_data_free(&video);
    track_data_free(&audio);
}

/* ---- in its stride -------------------------------------------------------------------------- */

static void test_memory_decoder_allocates_nothing_in_its_stride(void **state)
{
    (void)state;
    for (size_t n = 0; n < CLIPS; n++) {
        struct track_data track;
        if (!load(&track, clips[n])) skip();
        struct cad_failing f;
        cad_failing_init(&f, 0);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_decoder *decoder = NULL;
        bool refused = false;
        uint64_t calls = 0;
        assert_int_equal(cad_decoder_open(&alloc, &track.config, 1, &decoder), 0);
        for (uint32_t turn = 0; turn < 2; turn++) { /* the second one after a flush: none at all */
            for (uint32_t i = 0; i < track.count; i++) {
                if (turn == 0 && i == STRIDE) calls = f.calls;
                assert_int_equal(send(decoder, &track, i), 0);
                (void)take(decoder, &refused);
            }
            cad_decoder_flush(decoder);
        }
        assert_true(track.count > STRIDE && calls > 0);
        assert_int_equal(f.calls, calls);
        cad_decoder_close(&decoder);
        assert_int_equal(f.live_blocks, 0);
        track_data_free(&track);
    }
}

/* A frame that outlives its decoder gives its memory back to the same allocator. */
static void test_memory_of_a_frame_outlives_the_decoder(void **state)
{
    (void)state;
    for (size_t n = 0; n < CLIPS; n++) {
        struct track_data track;
        if (!load(&track, clips[n])) skip();
        struct cad_failing f;
        cad_failing_init(&f, 0);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_decoder *decoder = NULL;
        struct cad_frame frames[2] = {{0}, {0}};
        uint32_t got = 0;
        assert_int_equal(cad_decoder_open(&alloc, &track.config, 1, &decoder), 0);
        for (uint32_t i = 0; i < track.count && got < 2; i++) {
            assert_int_equal(send(decoder, &track, i), 0);
            while (got < 2 && cad_decoder_receive(decoder, &frames[got]) == 0) got++;
        }
        assert_int_equal(got, 2);
        cad_frame_unref(&frames[0]);
        cad_decoder_close(&decoder);
        assert_true(f.live_blocks >= 2); /* the owner of the other one, and its pool */
        cad_frame_unref(&frames[1]);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        track_data_free(&track);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_decoder_survives_every_failure),
        cmocka_unit_test(test_memory_sink_survives_every_failure),
        cmocka_unit_test(test_memory_passthrough_survives_every_failure),
        cmocka_unit_test(test_memory_null_sink_survives_every_failure),
        cmocka_unit_test(test_memory_decoder_allocates_nothing_in_its_stride),
        cmocka_unit_test(test_memory_of_a_frame_outlives_the_decoder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
