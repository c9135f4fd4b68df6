/*
 * The decoders give every picture of real streams, in order and bit for bit what ffmpeg gives, take
 * broken input without harm, and keep their promises to callers who make mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/decode.h"

#include "track_data.h"

#define SUMS_MAX 512

struct sums {
    char text[SUMS_MAX][33];
    uint32_t count;
    cad_time last;
};

static int open_decoder(const struct cad_stream_config *config, uint32_t threads,
                        struct cad_decoder **out)
{
    struct cad_alloc alloc = cad_alloc_system();
    return cad_decoder_open(&alloc, config, threads, out);
}

static void path_of(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", TEST_MEDIA_DIR, name);
}

static bool load(struct track_data *track, const char *name)
{
    char path[512];
    path_of(path, sizeof(path), name);
    return track_data_load(track, path);
}

/* The last column of a framemd5 file. */
static bool load_sums(struct sums *sums, const char *name)
{
    char path[512];
    char line[256];
    path_of(path, sizeof(path), name);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    sums->count = 0;
    while (fgets(line, sizeof(line), file)) {
        if (line[0] == '#') continue;
        line[strcspn(line, "\r\n")] = '\0';
        size_t n = strlen(line);
        if (n < 32 || sums->count == SUMS_MAX) continue;
        memcpy(sums->text[sums->count++], line + n - 32, 33);
    }
    fclose(file);
    return true;
}

static void item_sample(const struct track_data *track, uint32_t i, struct cad_sample *out)
{
    const struct track_item *item = &track->items[i];
    *out = (struct cad_sample){
        .epoch = 1, .pts = item->pts, .dts = item->dts, .duration = item->duration,
        .flags = item->sync ? CAD_SAMPLE_SYNC : 0, .data = track->bytes + item->offset,
        .size = item->size};
}

static void take(struct cad_decoder *decoder, struct sums *sums)
{
    struct cad_frame frame;
    while (cad_decoder_receive(decoder, &frame) == 0) {
        assert_true(sums->count < SUMS_MAX);
        assert_true(frame.pts > sums->last);
        sums->last = frame.pts;
        cad_frame_md5(&frame, sums->text[sums->count++]);
        cad_frame_unref(&frame);
    }
}

/* An eager caller receives after every send, a lazy one only when it must. */
static void decode_all(struct cad_decoder *decoder, const struct track_data *track, bool eager,
                       struct sums *sums)
{
    sums->count = 0;
    sums->last = -1;
    for (uint32_t i = 0; i < track->count; i++) {
        struct cad_sample sample;
        item_sample(track, i, &sample);
        int rc = cad_decoder_send(decoder, &sample);
        if (rc == CAD_E_AGAIN) {
            take(decoder, sums);
            rc = cad_decoder_send(decoder, &sample);
        }
        assert_int_equal(rc, 0);
        if (eager) take(decoder, sums);
    }
    assert_int_equal(cad_decoder_drain(decoder), 0);
    take(decoder, sums);
    struct cad_frame frame;
    assert_int_equal(cad_decoder_receive(decoder, &frame), CAD_E_END);
}

static void check_sums(const char *media, const char *framemd5, uint32_t threads)
{
    struct track_data track;
    static struct sums expected, got;
    if (!load(&track, media) || !load_sums(&expected, framemd5)) skip();
    struct cad_decoder *decoder = NULL;
    assert_int_equal(open_decoder(&track.config, threads, &decoder), 0);
    for (int turn = 0; turn < 2; turn++) { /* the second time after a flush */
        decode_all(decoder, &track, turn == 0, &got);
        assert_int_equal(got.count, track.count);
        assert_int_equal(got.count, expected.count);
        for (uint32_t i = 0; i < got.count; i++) {
            assert_string_equal(got.text[i], expected.text[i]);
        }
        cad_decoder_flush(decoder);
    }
    cad_decoder_close(&decoder);
    assert_null(decoder);
    track_data_free(&track);
}

static void test_decode_h264_equals_ffmpeg(void **state)
{
    (void)state;
    check_sums("h264.mp4", "h264.framemd5", 1);
    check_sums("h264.mp4", "h264.framemd5", 3);
    check_sums("h264-small.mp4", "h264-small.framemd5", 0);
}

static void test_decode_av1_equals_ffmpeg(void **state)
{
    (void)state;
    check_sums("av1.mp4", "av1.framemd5", 1);
    check_sums("av1.mp4", "av1.framemd5", 3);
}

static void test_decode_hevc_equals_ffmpeg(void **state)
{
    (void)state;
    check_sums("hevc.mp4", "hevc.framemd5", 1);
    check_sums("hevc.mp4", "hevc.framemd5", 3);
}

static void test_decode_vp9_equals_ffmpeg(void **state)
{
    (void)state;
    check_sums("vp9.mp4", "vp9.framemd5", 1);
    check_sums("vp9.mp4", "vp9.framemd5", 3);
}

/* The sums are of yuv420p10le. */
static void test_decode_10_bit_equals_ffmpeg(void **state)
{
    (void)state;
    check_sums("hevc10.mp4", "hevc10.framemd5", 2);
    check_sums("vp9-10.mp4", "vp9-10.framemd5", 2);
    check_sums("av1-10.mp4", "av1-10.framemd5", 2);
}

/*
 * All samples that the access units hold, as 32-bit floats, against what the ffmpeg program wrote;
 * that left out `skip` samples at the beginning.
 */
static void check_pcm(const char *media, const char *pcm, uint32_t skip_samples, uint32_t channels)
{
    struct track_data track;
    char path[512];
    path_of(path, sizeof(path), pcm);
    FILE *file = fopen(path, "rb");
    if (!load(&track, media) || !file) skip();
    struct cad_decoder *decoder = NULL;
    assert_int_equal(open_decoder(&track.config, 0, &decoder), 0);
    static float want[8192 * 6];
    uint64_t count = 0;
    for (uint32_t i = 0; i <= track.count; i++) {
        struct cad_sample sample;
        struct cad_frame frame;
        if (i < track.count) {
            item_sample(&track, i, &sample);
            assert_int_equal(cad_decoder_send(decoder, &sample), 0);
        } else {
            assert_int_equal(cad_decoder_drain(decoder), 0);
        }
        while (cad_decoder_receive(decoder, &frame) == 0) {
            assert_int_equal(frame.channels, channels);
            assert_int_equal(frame.sample_rate_hz, 48000);
            assert_true(frame.samples <= 8192);
            uint32_t from = count < skip_samples ? (uint32_t)(skip_samples - count) : 0;
            assert_true(from < frame.samples);
            size_t n = (size_t)(frame.samples - from) * channels;
            assert_int_equal(fread(want, sizeof(float), n, file), n);
            assert_memory_equal(want, frame.pcm + (size_t)from * channels, n * sizeof(float));
            count += frame.samples;
            cad_frame_unref(&frame);
        }
    }
    assert_int_equal(fread(want, 1, 1, file), 0); /* not one more */
    fclose(file);
    cad_decoder_close(&decoder);
    track_data_free(&track);
}

static void test_decode_sound_equals_ffmpeg(void **state)
{
    (void)state;
    check_pcm("aac.mp4", "aac.f32", 0, 2);
    check_pcm("ac3.mp4", "ac3.f32", 0, 6);
    check_pcm("eac3.mp4", "eac3.f32", 0, 6);
    check_pcm("flac.mp4", "flac.f32", 0, 2);
    check_pcm("opus.mp4", "opus.f32", 312, 2); /* the pre-skip of libopus */
}

/* What x265 was told of the screen comes with the pictures; without words, the container counts. */
static void test_decode_tells_colours(void **state)
{
    (void)state;
    struct track_data track;
    if (!load(&track, "hevc10.mp4")) skip();
    struct cad_decoder *decoder = NULL;
    /* The container has them from ffmpeg's options. */
    assert_int_equal(track.config.color.primaries, 9);
    assert_int_equal(track.config.color.transfer, 16);
    assert_int_equal(track.config.color.matrix, 9);
    assert_int_equal(track.config.color.bit_depth, 10);
    track.config.color = (struct cad_color){.primaries = 1, .light_max = 5, .has_light = true};
    assert_int_equal(open_decoder(&track.config, 1, &decoder), 0);
    static struct sums sums;
    struct cad_frame frame = {0};
    for (uint32_t i = 0; i < track.count && !frame.release; i++) {
        struct cad_sample sample;
        item_sample(&track, i, &sample);
        assert_int_equal(cad_decoder_send(decoder, &sample), 0);
        (void)!cad_decoder_receive(decoder, &frame);
    }
    const struct cad_color *c = &frame.color;
    assert_int_equal(c->primaries, 9);
    assert_int_equal(c->transfer, 16);
    assert_int_equal(c->matrix, 9);
    assert_int_equal(c->bit_depth, 10);
    assert_int_equal(frame.color_matrix, 9);
    assert_true(c->has_mastering && c->has_light && !c->full_range);
    assert_int_equal(c->primary_x[0], 13250);
    assert_int_equal(c->primary_y[1], 3000);
    assert_int_equal(c->primary_x[2], 34000);
    assert_int_equal(c->white_y, 16450);
    assert_int_equal(c->luminance_max, 10000000);
    assert_int_equal(c->luminance_min, 50);
    assert_int_equal(c->light_max, 993);
    assert_int_equal(c->light_average, 401);
    cad_frame_unref(&frame);
    cad_decoder_close(&decoder);
    track_data_free(&track);
    if (!load(&track, "h264-small.mp4")) skip();
    track.config.color = (struct cad_color){
        .primaries = 9, .transfer = 18, .matrix = 9, .full_range = true, .has_mastering = true,
        .luminance_max = 77};
    assert_int_equal(open_decoder(&track.config, 1, &decoder), 0);
    decode_all(decoder, &track, true, &sums);
    cad_decoder_flush(decoder);
    for (uint32_t i = 0; i < track.count && !frame.release; i++) {
        struct cad_sample sample;
        item_sample(&track, i, &sample);
        assert_int_equal(cad_decoder_send(decoder, &sample), 0);
        (void)!cad_decoder_receive(decoder, &frame);
    }
    assert_int_equal(frame.color.transfer, 18);
    assert_int_equal(frame.color.luminance_max, 77);
    assert_int_equal(frame.color.bit_depth, 8);
    assert_true(frame.full_range && frame.color.full_range && frame.color.has_mastering);
    cad_frame_unref(&frame);
    cad_decoder_close(&decoder);
    track_data_free(&track);
}

/* Configurations of sound that are cut are refused or do without; never read past. */
static void test_decode_refuses_short_configurations(void **state)
{
    (void)state;
    static const enum cad_codec codecs[] = {CAD_CODEC_OPUS, CAD_CODEC_FLAC};
    static const size_t least[] = {11, 42};
    for (uint32_t c = 0; c < 2; c++) {
        for (size_t n = 1; n < least[c]; n++) {
            uint8_t *extra = calloc(1, n);
            assert_non_null(extra);
            struct cad_stream_config config = {.type = CAD_MEDIA_AUDIO, .codec = codecs[c],
                                               .extra = {extra, n}, .channels = 2};
            struct cad_decoder *decoder = NULL;
            assert_int_equal(open_decoder(&config, 0, &decoder), CAD_E_DATA);
            free(extra);
        }
    }
}

static void test_decode_aac_gives_sound(void **state)
{
    (void)state;
    struct track_data track;
    if (!load(&track, "aac.mp4")) skip();
    struct cad_decoder *decoder = NULL;
    assert_int_equal(open_decoder(&track.config, 0, &decoder), 0);
    assert_string_equal(cad_decoder_name(decoder), "libavcodec");
    uint32_t frames = 0;
    uint32_t loud = 0;
    for (uint32_t i = 0; i < track.count; i++) {
        struct cad_sample sample;
        struct cad_frame frame;
        item_sample(&track, i, &sample);
        assert_int_equal(cad_decoder_send(decoder, &sample), 0);
        while (cad_decoder_receive(decoder, &frame) == 0) {
            frames++;
            assert_int_equal(frame.channels, 2);
            assert_int_equal(frame.sample_rate_hz, 48000);
            assert_int_equal(frame.samples, 1024);
            assert_true(frame.duration > 0);
            for (uint32_t s = 0; s < 2 * frame.samples; s++) {
                assert_true(frame.pcm[s] >= -1.5f && frame.pcm[s] <= 1.5f);
                if (frame.pcm[s] > 0.05f) loud++;
            }
            cad_frame_unref(&frame);
        }
    }
    assert_int_equal(frames, track.count);
    assert_true(loud > 10000); /* a tone of 1/8 amplitude is heard most of the time */
    cad_decoder_close(&decoder);
    track_data_free(&track);
}

static void test_decode_frame_outlives_decoder(void **state)
{
    (void)state;
    static const char *const names[] = {"h264.mp4", "av1.mp4"};
    for (uint32_t n = 0; n < 2; n++) {
        struct track_data track;
        if (!load(&track, names[n])) skip();
        struct cad_decoder *decoder = NULL;
        struct cad_frame frame = {0};
        assert_int_equal(open_decoder(&track.config, 1, &decoder), 0);
        uint32_t i = 0;
        for (; i < track.count && !frame.release; i++) {
            struct cad_sample sample;
            item_sample(&track, i, &sample);
            assert_int_equal(cad_decoder_send(decoder, &sample), 0);
            (void)!cad_decoder_receive(decoder, &frame);
        }
        assert_true(i < 24); /* decoding begins with the first sample, not with the first segment */
        cad_decoder_close(&decoder);
        char before[33], after[33];
        cad_frame_md5(&frame, before);
        track_data_free(&track);
        cad_frame_md5(&frame, after);
        assert_string_equal(before, after);
        assert_int_equal(strlen(before), 32);
        cad_frame_unref(&frame);
        assert_null(frame.owner);
    }
}

static void test_decode_carries_what_belongs_to_a_sample(void **state)
{
    (void)state;
    struct track_data track;
    if (!load(&track, "h264.mp4")) skip();
    track.config.rung = 3;
    struct cad_decoder *decoder = NULL;
    assert_int_equal(open_decoder(&track.config, 1, &decoder), 0);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < track.count; i++) {
        struct cad_sample sample;
        struct cad_frame frame;
        item_sample(&track, i, &sample);
        sample.epoch = 9;
        if (sample.pts < CAD_SECOND) sample.flags |= CAD_SAMPLE_DECODE_ONLY;
        assert_int_equal(cad_decoder_send(decoder, &sample), 0);
        while (cad_decoder_receive(decoder, &frame) == 0) {
            assert_int_equal(frame.epoch, 9);
            assert_int_equal(frame.rung, 3);
            assert_int_equal(frame.width, 322);
            assert_int_equal(frame.height, 178);
            assert_int_equal(frame.decode_only, frame.pts < CAD_SECOND);
            assert_int_equal(frame.duration, 40 * CAD_MS);
            seen++;
            cad_frame_unref(&frame);
        }
    }
    assert_true(seen > track.count / 2);
    cad_decoder_close(&decoder);
    track_data_free(&track);
}

/* Bytes turned over at random never harm; results are only those that the header names. */
static void test_decode_takes_broken_input(void **state)
{
    (void)state;
    static const char *const names[] = {"h264.mp4", "av1.mp4", "aac.mp4", "hevc.mp4",
                                        "hevc10.mp4", "vp9.mp4", "ac3.mp4", "eac3.mp4",
                                        "opus.mp4", "flac.mp4"};
    uint32_t seed = 12345;
    for (uint32_t n = 0; n < 10; n++) {
        struct track_data track;
        if (!load(&track, names[n])) skip();
        struct cad_decoder *decoder = NULL;
        assert_int_equal(open_decoder(&track.config, 1, &decoder), 0);
        for (uint32_t i = 0; i < track.count; i++) {
            struct cad_sample sample;
            struct cad_frame frame;
            item_sample(&track, i, &sample);
            uint8_t *bytes = track.bytes + track.items[i].offset;
            for (size_t k = 0; k < sample.size; k += 37) {
                seed = seed * 1664525u + 1013904223u;
                bytes[k] = (uint8_t)(seed >> 24);
            }
            int rc = cad_decoder_send(decoder, &sample);
            assert_true(rc == 0 || rc == CAD_E_DATA || rc == CAD_E_AGAIN ||
                        rc == CAD_E_UNSUPPORTED);
            for (rc = 0; rc == 0;) {
                rc = cad_decoder_receive(decoder, &frame);
                if (rc == 0) cad_frame_unref(&frame);
            }
            assert_true(rc == CAD_E_AGAIN || rc == CAD_E_DATA || rc == CAD_E_UNSUPPORTED);
        }
        cad_decoder_close(&decoder);
        track_data_free(&track);
    }
}

static void test_decode_refuses_mistakes(void **state)
{
    (void)state;
    struct cad_decoder *decoder = NULL;
    struct cad_stream_config config = {.type = CAD_MEDIA_VIDEO, .codec = CAD_CODEC_TTML};
    assert_int_equal(open_decoder(&config, 0, &decoder), CAD_E_UNSUPPORTED);
    assert_null(decoder);
    assert_int_equal(open_decoder(NULL, 0, &decoder), CAD_E_INVAL);
    assert_int_equal(cad_decoder_open(NULL, &config, 0, &decoder), CAD_E_INVAL);
    config.codec = CAD_CODEC_AVC;
    uint8_t extra[8] = {0};
    config.extra = (cad_buf){extra, (64u << 10) + 1};
    assert_int_equal(open_decoder(&config, 0, &decoder), CAD_E_LIMIT);
    config.extra = (cad_buf){NULL, 0};
    assert_int_equal(open_decoder(&config, 0, &decoder), 0);
    struct cad_sample sample = {.flags = CAD_SAMPLE_HOLE, .size = 8};
    assert_int_equal(cad_decoder_send(decoder, &sample), CAD_E_INVAL);
    sample.flags = 0;
    assert_int_equal(cad_decoder_send(decoder, &sample), CAD_E_DATA);
    assert_int_equal(cad_decoder_drain(decoder), 0);
    sample.data = extra;
    assert_int_equal(cad_decoder_send(decoder, &sample), CAD_E_INVAL);
    cad_decoder_close(&decoder);
    cad_decoder_close(&decoder);
    for (uint32_t codec = CAD_CODEC_AVC; codec <= CAD_CODEC_FLAC; codec++) {
        assert_true(cad_decoder_codecs() & 1u << codec);
    }
    assert_false(cad_decoder_codecs() & 1u << CAD_CODEC_UNKNOWN);
    assert_false(cad_decoder_codecs() & 1u << CAD_CODEC_TTML);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode_h264_equals_ffmpeg),
        cmocka_unit_test(test_decode_av1_equals_ffmpeg),
        cmocka_unit_test(test_decode_hevc_equals_ffmpeg),
        cmocka_unit_test(test_decode_vp9_equals_ffmpeg),
        cmocka_unit_test(test_decode_10_bit_equals_ffmpeg),
        cmocka_unit_test(test_decode_sound_equals_ffmpeg),
        cmocka_unit_test(test_decode_tells_colours),
        cmocka_unit_test(test_decode_refuses_short_configurations),
        cmocka_unit_test(test_decode_aac_gives_sound),
        cmocka_unit_test(test_decode_frame_outlives_decoder),
        cmocka_unit_test(test_decode_carries_what_belongs_to_a_sample),
        cmocka_unit_test(test_decode_takes_broken_input),
        cmocka_unit_test(test_decode_refuses_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
