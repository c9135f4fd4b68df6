/*
 * The presenter beyond the sinks' contract: late pictures, checks that lose none, time that jumps,
 * an output with a clock of its own, sound that is cut, rates that an output can or cannot play.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "media/presenter.h"
#include "track_data.h"

#define FRAME (40 * CAD_MS)
#define SOUND (20 * CAD_MS)

/* An output that writes down what it was told. */
struct output {
    uint32_t pictures, sounds, flushes, destroyed;
    uint32_t room;             /* runs of sound that it takes */
    bool running;
    bool heard;
    cad_time media, at;
    cad_time last;             /* pts of the newest picture */
    uint32_t rate_q16, rates;  /* newest, and how often it was told */
};

static uint32_t put_picture(void *ctx, struct cad_frame *frame)
{
    struct output *output = ctx;
    output->pictures++;
    output->last = frame->pts;
    return 0;
}

static int put_sound(void *ctx, const struct cad_frame *frame)
{
    struct output *output = ctx;
    (void)frame;
    if (output->sounds >= output->room) return CAD_E_AGAIN;
    output->sounds++;
    return 0;
}

static bool read_clock(void *ctx, cad_time *media, cad_time *at)
{
    struct output *output = ctx;
    *media = output->media;
    *at = output->at;
    return output->heard;
}

static void run(void *ctx, bool running)
{
    struct output *output = ctx;
    output->running = running;
}

static void flush(void *ctx)
{
    struct output *output = ctx;
    output->flushes++;
}

static void rate(void *ctx, uint32_t rate_q16)
{
    struct output *output = ctx;
    output->rate_q16 = rate_q16;
    output->rates++;
}

static void destroy(void *ctx)
{
    struct output *output = ctx;
    output->destroyed++;
}

static const struct cad_output_ops output_ops = {
    .picture = put_picture, .sound = put_sound, .clock = read_clock, .run = run, .flush = flush,
    .destroy = destroy};

struct desk {
    struct track_data video, audio;
    struct sample_source source;
    struct output output;
    struct cad_sink *sink;
    uint32_t shown;            /* by on_frame */
};

static void count_frame(void *ctx, const struct cad_frame *frame)
{
    struct desk *desk = ctx;
    (void)frame;
    desk->shown++;
}

static void desk_open(struct desk *desk, struct cad_presenter_config *config)
{
    static const struct cad_sink_ops ops = {.name = "test", CAD_PRESENTER_OPS};
    memset(desk, 0, sizeof(*desk));
    track_data_make(&desk->video, CAD_MEDIA_VIDEO, 100, FRAME);
    track_data_make(&desk->audio, CAD_MEDIA_AUDIO, 200, SOUND);
    sample_source_init(&desk->source, &desk->video, &desk->audio);
    desk->output.room = UINT32_MAX;
    config->raw = true;
    if (config->options.on_frame) config->options.ctx = desk;
    config->ctx = &desk->output;
    assert_int_equal(cad_presenter_create(config, &ops, &desk->sink), 0);
    desk->sink->source = sample_source_edge(&desk->source);
    struct cad_sink_config wish = {.epoch = 1, .rate_q16 = 65536, .video = true, .audio = true};
    cad_presenter_configure(desk->sink, &wish, 0);
}

static void desk_close(struct desk *desk)
{
    cad_presenter_destroy(desk->sink);
    sample_source_deinit(&desk->source);
    track_data_free(&desk->video);
    track_data_free(&desk->audio);
}

static struct cad_sink_report report(struct desk *desk, cad_time now)
{
    struct cad_sink_report out;
    cad_presenter_report(desk->sink, now + CAD_SECOND, &out); /* later, so that one is due */
    assert_true(out.has_level && out.has_anchor);
    return out;
}

static struct cad_presenter_config plain(void)
{
    struct cad_presenter_config config;
    memset(&config, 0, sizeof(config));
    cad_sink_options_init(&config.options);
    return config;
}

static void test_presenter_drops_what_is_late(void **state)
{
    (void)state;
    for (int lossless = 0; lossless < 2; lossless++) {
        struct desk desk;
        struct cad_presenter_config config = plain();
        config.late_max = 100 * CAD_MS;
        if (lossless) config.options.on_frame = count_frame;
        desk_open(&desk, &config);
        for (int i = 0; i < 3; i++) cad_presenter_step(desk.sink, 0);
        /* The driver sleeps for half a second; 16 runs of sound, 320 ms, were had before that. */
        cad_presenter_step(desk.sink, CAD_SECOND / 2);
        cad_presenter_step(desk.sink, CAD_SECOND / 2);
        struct cad_sink_report got = report(&desk, CAD_SECOND / 2);
        if (lossless) {
            assert_int_equal(got.level.dropped, 0);
            assert_true(desk.shown >= 9);
        } else {
            assert_true(got.level.dropped >= 3);
        }
        desk_close(&desk);
    }
}

static void test_presenter_jumps_when_told(void **state)
{
    (void)state;
    struct desk desk;
    struct cad_presenter_config config = plain();
    config.options.as_fast_as_possible = true;
    config.options.on_frame = count_frame;
    desk_open(&desk, &config);
    uint32_t steps = 0;
    for (; steps < 200 && desk.shown < 100; steps++) cad_presenter_step(desk.sink, 0);
    assert_true(steps < 100);
    cad_presenter_step(desk.sink, 0);
    struct cad_sink_report got = report(&desk, 0);
    assert_true(got.level.drained);
    assert_int_equal(got.level.dropped, 0);
    assert_int_equal(desk.shown, 100);
    desk_close(&desk);
}

/* The device says where it is: the clock follows, and never goes back. */
static void test_presenter_follows_the_device(void **state)
{
    (void)state;
    struct desk desk;
    struct cad_presenter_config config = plain();
    config.output = &output_ops;
    desk_open(&desk, &config);
    cad_presenter_step(desk.sink, 0);
    assert_true(desk.output.running);
    assert_true(desk.output.sounds > 0); /* ahead of its time */
    for (cad_time now = 0; now <= CAD_SECOND; now += 20 * CAD_MS) {
        /* It began 200 ms late and runs as it should. */
        desk.output.heard = now >= 200 * CAD_MS;
        desk.output.media = now - 200 * CAD_MS;
        desk.output.at = now;
        cad_presenter_step(desk.sink, now);
    }
    /* The picture that is seen belongs to the sound that is heard. */
    assert_true(desk.output.last >= 760 * CAD_MS && desk.output.last <= 800 * CAD_MS);
    struct cad_sink_config wish = {.epoch = 1, .rate_q16 = 0, .video = true, .audio = true};
    cad_presenter_configure(desk.sink, &wish, CAD_SECOND);
    assert_false(desk.output.running);
    uint32_t flushes = desk.output.flushes;
    cad_presenter_flush(desk.sink, 2, 0, CAD_SECOND);
    assert_int_equal(desk.output.flushes, flushes + 1);
    desk_close(&desk);
    assert_int_equal(desk.output.destroyed, 1);
}

/* A full device keeps sound waiting, loses none, and is asked again soon. */
static void test_presenter_waits_for_the_device(void **state)
{
    (void)state;
    struct desk desk;
    struct cad_presenter_config config = plain();
    config.output = &output_ops;
    desk_open(&desk, &config);
    desk.output.room = 4;
    for (int i = 0; i < 5; i++) cad_presenter_step(desk.sink, 0);
    cad_time wake = cad_presenter_step(desk.sink, 0);
    assert_int_equal(desk.output.sounds, 4);
    assert_true(wake > 0 && wake <= CAD_PRESENTER_SOUND_WAIT);
    uint32_t pulled = desk.source.pulled[CAD_SLOT_AUDIO];
    for (int i = 0; i < 10; i++) cad_presenter_step(desk.sink, 0);
    assert_true(desk.source.pulled[CAD_SLOT_AUDIO] <= pulled + CAD_PRESENTER_DEPTH_DEFAULT);
    desk.output.room = 200;
    for (int i = 0; i < 200; i++) cad_presenter_step(desk.sink, 0);
    assert_int_equal(desk.output.sounds, 200);
    desk_close(&desk);
}

static void test_presenter_checks_its_options(void **state)
{
    (void)state;
    struct cad_sink *sink = NULL;
    struct cad_sink_options options;
    cad_sink_options_init(&options);
    options.depth = 0;
    assert_int_equal(cad_sink_null_create(&options, &sink), CAD_E_INVAL);
    options.depth = CAD_PRESENTER_DEPTH_MAX + 1;
    assert_int_equal(cad_sink_decode_create(&options, &sink), CAD_E_INVAL);
    options.depth = 1;
    options.size = 0;
    assert_int_equal(cad_sink_null_create(&options, &sink), CAD_E_INVAL);
    assert_int_equal(cad_sink_null_create(NULL, &sink), CAD_E_INVAL);
    assert_null(sink);
}

/* Without a way to play sound at another pace, other rates are neither offered nor taken. */
static void test_presenter_offers_what_the_output_can(void **state)
{
    (void)state;
    struct cad_output_ops able = output_ops;
    able.rate = rate;
    for (int can = 0; can < 2; can++) {
        struct desk desk;
        struct cad_presenter_config config = plain();
        config.output = can ? &able : &output_ops;
        desk_open(&desk, &config);
        struct cad_sink_caps caps;
        cad_presenter_caps(desk.sink, &caps);
        assert_int_equal(caps.rate_min_q16, can ? 32768 : 0);
        assert_int_equal(caps.rate_max_q16, can ? 131072 : 0);
        for (int i = 0; i < 3; i++) cad_presenter_step(desk.sink, 0);
        struct cad_sink_config wish = {
            .epoch = 1, .rate_q16 = 131072, .video = true, .audio = true};
        cad_presenter_configure(desk.sink, &wish, CAD_SECOND / 10);
        cad_presenter_step(desk.sink, CAD_SECOND / 10);
        assert_int_equal(report(&desk, CAD_SECOND / 10).anchor.rate_q16, can ? 131072 : 65536);
        assert_int_equal(desk.output.rate_q16, can ? 131072 : 0);
        uint32_t told = desk.output.rates;
        wish.rate_q16 = 0; /* a pause is no pace */
        cad_presenter_configure(desk.sink, &wish, CAD_SECOND / 5);
        assert_int_equal(desk.output.rates, told);
        desk_close(&desk);
    }
}

/* ---- sound that is cut: a decoder made for this gives 20 samples of 1 ms an access unit ------ */

struct plain_decoder {
    struct cad_alloc alloc;
    cad_time pts;
    bool full, draining;
};

static float zeros[SOUND / CAD_MS];

static int plain_open(const struct cad_alloc *alloc, const struct cad_stream_config *config,
                      uint32_t threads, void **self)
{
    (void)config;
    (void)threads;
    struct plain_decoder *decoder = cad_alloc_new(alloc, sizeof(*decoder), CAD_MEM_OTHER);
    if (!decoder) return CAD_E_NOMEM;
    decoder->alloc = *alloc;
    *self = decoder;
    return 0;
}

static int plain_send(void *self, const struct cad_sample *sample)
{
    struct plain_decoder *decoder = self;
    if (decoder->full) return CAD_E_AGAIN;
    decoder->pts = sample->pts;
    decoder->full = true;
    return 0;
}

static int plain_receive(void *self, struct cad_frame *out)
{
    struct plain_decoder *decoder = self;
    if (!decoder->full) return decoder->draining ? CAD_E_END : CAD_E_AGAIN;
    decoder->full = false;
    out->pts = decoder->pts;
    out->channels = 1;
    out->sample_rate_hz = 1000;
    out->samples = SOUND / CAD_MS;
    out->pcm = zeros;
    return 0;
}

static int plain_drain(void *self)
{
    struct plain_decoder *decoder = self;
    decoder->draining = true;
    return 0;
}

static void plain_flush(void *self)
{
    struct plain_decoder *decoder = self;
    decoder->full = decoder->draining = false;
}

static void plain_close(void *self)
{
    struct plain_decoder *decoder = self;
    struct cad_alloc alloc = decoder->alloc;
    cad_alloc_free(&alloc, decoder, sizeof(*decoder), CAD_MEM_OTHER);
}

static const struct cad_decoder_ops plain_ops = {
    .size = sizeof(plain_ops), .name = "plain", .codecs = 1u << CAD_CODEC_AAC, .open = plain_open,
    .send = plain_send, .receive = plain_receive, .drain = plain_drain, .flush = plain_flush,
    .close = plain_close};

struct heard {
    cad_time pts[256];
    uint32_t samples[256];
    uint32_t count;
};

static void hear(void *ctx, const struct cad_frame *frame)
{
    struct heard *heard = ctx;
    assert_true(heard->count < 256 && frame->pcm >= zeros);
    assert_true(frame->pcm + frame->samples == zeros + SOUND / CAD_MS); /* the front is cut */
    heard->pts[heard->count] = frame->pts;
    heard->samples[heard->count++] = frame->samples;
}

/* Plays a track of sound from a position on; another one goes on behind its tenth access unit. */
static void hear_track(struct track_data *track, struct track_data *other, cad_time position,
                       struct heard *heard)
{
    struct cad_sink_options options;
    struct sample_source source;
    struct cad_sink *sink = NULL;
    memset(heard, 0, sizeof(*heard));
    cad_sink_options_init(&options);
    options.decoder = &plain_ops;
    options.on_sound = hear;
    options.ctx = heard;
    options.as_fast_as_possible = true;
    assert_int_equal(cad_sink_decode_create(&options, &sink), 0);
    sample_source_init(&source, NULL, track);
    if (other) {
        struct source_change change = {other, 10, 10};
        other->config.sample_rate_hz = 7; /* another stream */
        sample_source_plan(&source, CAD_SLOT_AUDIO, &change);
    }
    sink->source = sample_source_edge(&source);
    struct cad_sink_config wish = {
        .epoch = 1, .rate_q16 = 65536, .audio = true, .position = position};
    sink->ops->configure(sink, &wish, 0);
    for (int i = 0; i < 200; i++) sink->ops->step(sink, 0);
    sink->ops->destroy(sink);
    sample_source_deinit(&source);
}

static void test_presenter_cuts_sound(void **state)
{
    (void)state;
    struct track_data track, other;
    static struct heard heard;
    track_data_make(&track, CAD_MEDIA_AUDIO, 20, SOUND);
    track_data_make(&other, CAD_MEDIA_AUDIO, 20, SOUND);
    /* From the middle of the third on. */
    hear_track(&track, NULL, 53 * CAD_MS, &heard);
    assert_int_equal(heard.count, 18);
    assert_int_equal(heard.pts[0], 53 * CAD_MS);
    assert_int_equal(heard.samples[0], 7);
    assert_int_equal(heard.samples[1], 20);
    /* Times that writers have rounded are none of an overlap; 5 ms are. */
    for (uint32_t i = 0; i < 20; i++) track.items[i].pts += i % 2 ? -CAD_MS : CAD_MS / 2;
    track.items[15].pts -= 5 * CAD_MS;
    hear_track(&track, NULL, 0, &heard);
    assert_int_equal(heard.count, 20);
    for (uint32_t i = 0; i < 20; i++) {
        assert_in_range(heard.samples[i], i == 15 ? 13 : 20, i == 15 ? 15 : 20);
    }
    /* At a seam each sample counts: 8 ms are there twice, then a whole run, then a hole of 8. */
    for (uint32_t i = 0; i < 20; i++) track.items[i].pts = i * SOUND;
    static const cad_time shifts[] = {-8 * CAD_MS, -SOUND - 8 * CAD_MS, 8 * CAD_MS, -CAD_MS};
    static const uint32_t first[] = {12, 12, 20, 19};
    for (uint32_t k = 0; k < 4; k++) {
        for (uint32_t i = 0; i < 20; i++) other.items[i].pts = i * SOUND + shifts[k];
        hear_track(&track, &other, 0, &heard);
        assert_int_equal(heard.count, k == 1 ? 19 : 20);
        assert_int_equal(heard.samples[10], first[k]);
        assert_int_equal(heard.pts[10], 10 * SOUND + (k == 2 ? 8 * CAD_MS : 0));
    }
    track_data_free(&track);
    track_data_free(&other);
}

/* The least depth still plays everything. */
static void test_presenter_plays_with_depth_one(void **state)
{
    (void)state;
    struct desk desk;
    struct cad_presenter_config config = plain();
    config.options.depth = 1;
    config.options.on_frame = count_frame;
    desk_open(&desk, &config);
    for (cad_time now = 0; now < 5 * CAD_SECOND; now += 5 * CAD_MS) {
        cad_presenter_step(desk.sink, now);
    }
    struct cad_sink_report got = report(&desk, 5 * CAD_SECOND);
    assert_true(got.level.drained);
    assert_int_equal(desk.shown, 100);
    desk_close(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presenter_drops_what_is_late),
        cmocka_unit_test(test_presenter_jumps_when_told),
        cmocka_unit_test(test_presenter_follows_the_device),
        cmocka_unit_test(test_presenter_waits_for_the_device),
        cmocka_unit_test(test_presenter_checks_its_options),
        cmocka_unit_test(test_presenter_plays_with_depth_one),
        cmocka_unit_test(test_presenter_offers_what_the_output_can),
        cmocka_unit_test(test_presenter_cuts_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
