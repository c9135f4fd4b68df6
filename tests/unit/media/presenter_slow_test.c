/*
 * A decoder that stays too slow: the presenter goes on to the next sync sample, so that pictures
 * catch up with the sound; every picture is shown or counted as dropped. Time is given by hand: a
 * decoder made for this says what each picture costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/util.h"
#include "media/presenter.h"
#include "track_data.h"

#define FRAME (40 * CAD_MS)
#define SOUND (20 * CAD_MS)
#define PICTURES 250        /* 10 s with a sync sample each second */
#define DELAY 3             /* pictures that the decoder holds back */
#define TURNS_MAX 100000

/* What the decoder made for this did; it is one for all slots. */
static struct {
    cad_time cost;          /* of a picture */
    cad_time spent;         /* since the driver looked */
    uint32_t sent, flushes; /* of pictures */
    bool fresh;             /* flushed: a sync sample must come */
} work;

struct slow {
    struct cad_alloc alloc;
    enum cad_media_type type;
    cad_time pts[DELAY + 1];
    uint32_t count;
    bool draining;
};

static int slow_open(const struct cad_alloc *alloc, const struct cad_stream_config *config,
                     uint32_t threads, void **self)
{
    struct slow *slow = cad_alloc_new(alloc, sizeof(*slow), CAD_MEM_OTHER);
    if (!slow) return CAD_E_NOMEM;
    assert_true(threads > 0);
    slow->alloc = *alloc;
    slow->type = config->type;
    *self = slow;
    return 0;
}

static int slow_send(void *self, const struct cad_sample *sample)
{
    struct slow *slow = self;
    if (slow->count > DELAY) return CAD_E_AGAIN;
    if (slow->type == CAD_MEDIA_VIDEO) {
        assert_true(!work.fresh || sample->flags & CAD_SAMPLE_SYNC);
        work.fresh = false;
        work.sent++;
        work.spent += work.cost;
    }
    slow->pts[slow->count++] = sample->pts;
    return 0;
}

static int slow_receive(void *self, struct cad_frame *out)
{
    struct slow *slow = self;
    if (slow->count <= DELAY && !slow->draining) return CAD_E_AGAIN;
    if (slow->count == 0) return CAD_E_END;
    out->pts = slow->pts[0];
    slow->count--;
    memmove(slow->pts, slow->pts + 1, slow->count * sizeof(slow->pts[0]));
    return 0;
}

static int slow_drain(void *self)
{
    struct slow *slow = self;
    slow->draining = true;
    return 0;
}

static void slow_flush(void *self)
{
    struct slow *slow = self;
    slow->count = 0;
    slow->draining = false;
    if (slow->type != CAD_MEDIA_VIDEO) return;
    work.flushes++;
    work.fresh = true;
}

static void slow_close(void *self)
{
    struct slow *slow = self;
    struct cad_alloc alloc = slow->alloc;
    cad_alloc_free(&alloc, slow, sizeof(*slow), CAD_MEM_OTHER);
}

static const struct cad_decoder_ops slow_ops = {
    .size = sizeof(slow_ops), .name = "slow", .codecs = 1u << CAD_CODEC_AVC | 1u << CAD_CODEC_AAC,
    .open = slow_open, .send = slow_send, .receive = slow_receive, .drain = slow_drain,
    .flush = slow_flush, .close = slow_close};

/* ---- a desk with an output that counts ----------------------------------------------------- */

struct desk {
    struct track_data video, audio;
    struct sample_source source;
    struct cad_sink *sink;
    struct cad_sink_level level;
    cad_time now;
    bool running;
    cad_time heard, at;        /* where the device is, and when that was */
    uint32_t shown;
    cad_time last;             /* pts of the newest picture */
    cad_time behind;           /* the most that it was behind the device or the clock */
};

static uint32_t put_picture(void *ctx, struct cad_frame *frame)
{
    struct desk *desk = ctx;
    assert_true(frame->pts > desk->last);
    desk->last = frame->pts;
    desk->shown++;
    return 0;
}

static int put_sound(void *ctx, const struct cad_frame *frame)
{
    const struct desk *desk = ctx;
    return frame->pts > desk->heard + 200 * CAD_MS ? CAD_E_AGAIN : 0;
}

static bool read_clock(void *ctx, cad_time *media, cad_time *at)
{
    const struct desk *desk = ctx;
    *media = desk->heard;
    *at = desk->at;
    return desk->running;
}

static void run(void *ctx, bool running)
{
    struct desk *desk = ctx;
    if (running) desk->at = desk->now;
    desk->running = running;
}

static const struct cad_output_ops with_sound = {
    .picture = put_picture, .sound = put_sound, .clock = read_clock, .run = run};
static const struct cad_output_ops silent = {.picture = put_picture, .run = run};

static void no_frame(void *ctx, const struct cad_frame *frame)
{
    (void)ctx;
    (void)frame;
}

static void desk_open(struct desk *desk, const struct cad_output_ops *output, cad_time cost,
                      bool count_all)
{
    static const struct cad_sink_ops ops = {.name = "test", CAD_PRESENTER_OPS};
    struct cad_presenter_config config;
    memset(desk, 0, sizeof(*desk));
    memset(&work, 0, sizeof(work));
    memset(&config, 0, sizeof(config));
    work.cost = cost;
    desk->last = -1;
    track_data_make(&desk->video, CAD_MEDIA_VIDEO, PICTURES, FRAME);
    track_data_make(&desk->audio, CAD_MEDIA_AUDIO, 2 * PICTURES, SOUND);
    sample_source_init(&desk->source, &desk->video, &desk->audio);
    cad_sink_options_init(&config.options);
    config.options.decoder = &slow_ops;
    if (count_all) config.options.on_frame = no_frame;
    config.output = output;
    config.ctx = desk;
    assert_int_equal(cad_presenter_create(&config, &ops, &desk->sink), 0);
    desk->sink->source = sample_source_edge(&desk->source);
    struct cad_sink_config wish = {.epoch = 1, .rate_q16 = 65536, .video = true, .audio = true};
    cad_presenter_configure(desk->sink, &wish, 0);
}

static void desk_close(struct desk *desk)
{
    cad_presenter_destroy(desk->sink);
    assert_int_equal(sample_source_held(&desk->source), 0);
    sample_source_deinit(&desk->source);
    track_data_free(&desk->video);
    track_data_free(&desk->audio);
}

static void pass(struct desk *desk, cad_time time)
{
    desk->now += time;
    if (!desk->running) return;
    desk->heard += time;
    desk->at = desk->now;
}

/* One step, the time that it took, and the time to the next one. */
static void turn(struct desk *desk)
{
    struct cad_sink_report report;
    work.spent = 0;
    cad_time wake = cad_presenter_step(desk->sink, desk->now);
    cad_presenter_report(desk->sink, desk->now, &report);
    assert_false(report.has_fail);
    if (report.has_level) desk->level = report.level;
    pass(desk, work.spent);
    cad_time wait = wake == CAD_TIME_NONE ? CAD_MS : wake - desk->now;
    if (wait > 0) pass(desk, CAD_MIN(wait, 10 * CAD_MS));
    cad_time behind = desk->heard - desk->last;
    if (desk->heard < PICTURES * FRAME && behind > desk->behind) desk->behind = behind;
}

/* Plays until the position, or to the end. */
static void play(struct desk *desk, cad_time until)
{
    for (uint32_t i = 0; i < TURNS_MAX && !desk->level.drained && desk->heard < until; i++) {
        turn(desk);
    }
}

/* ---- tests ---------------------------------------------------------------------------------- */

/* Twice too slow for its time: it shows what it can, never far behind what is heard. */
static void test_slow_pictures_catch_up_with_the_device(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, &with_sound, 2 * FRAME, false);
    play(&desk, CAD_TIME_MAX);
    assert_true(desk.level.drained);
    assert_true(work.flushes >= 2);
    /* A second between sync samples, half of one until it is seen, and a step's work. */
    assert_in_range(desk.behind, CAD_PRESENTER_SKIP_LAG, 2500 * CAD_MS);
    assert_true(desk.shown > 20 && work.sent < PICTURES);
    assert_int_equal(desk.shown + desk.level.dropped, PICTURES);
    /* Sound was never kept waiting: it took the time that it takes. */
    assert_in_range(desk.now, PICTURES * FRAME, PICTURES * FRAME + CAD_SECOND);
    desk_close(&desk);
}

/* So slow that nothing helps: some picture is seen after each leap, and the end is reached. */
static void test_slow_pictures_are_seen_at_any_speed(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, &with_sound, 400 * CAD_MS, false);
    play(&desk, CAD_TIME_MAX);
    assert_true(desk.level.drained);
    assert_true(work.flushes >= 2);
    assert_true(desk.shown >= work.flushes);
    /* Half a second, one between sync samples, four pictures' work and the step before. */
    assert_true(desk.behind <= CAD_PRESENTER_SKIP_LAG + CAD_SECOND + 10 * 400 * CAD_MS);
    assert_int_equal(desk.shown + desk.level.dropped, PICTURES);
    desk_close(&desk);
}

static void test_slow_enough_skips_nothing(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, &with_sound, FRAME / 2, false);
    play(&desk, CAD_TIME_MAX);
    assert_true(desk.level.drained);
    assert_int_equal(work.flushes, 0);
    assert_int_equal(work.sent, PICTURES);
    assert_true(desk.shown > PICTURES * 9 / 10);
    assert_int_equal(desk.shown + desk.level.dropped, PICTURES);
    desk_close(&desk);
}

/* Who counts every picture gets every picture, however late. */
static void test_slow_loses_nothing_when_all_count(void **state)
{
    (void)state;
    for (int device = 0; device < 2; device++) {
        struct desk desk;
        desk_open(&desk, device ? &with_sound : &silent, 2 * FRAME, true);
        play(&desk, CAD_TIME_MAX);
        assert_true(desk.level.drained);
        assert_int_equal(work.flushes, 0);
        assert_int_equal(desk.shown, PICTURES);
        assert_int_equal(desk.level.dropped, 0);
        desk_close(&desk);
    }
}

/* Without a device the clock waits once; when that does not help, pictures are skipped. */
static void test_slow_pictures_catch_up_with_the_clock(void **state)
{
    (void)state;
    struct desk desk;
    desk_open(&desk, &silent, 2 * FRAME, false);
    for (uint32_t i = 0; i < TURNS_MAX && work.flushes == 0; i++) turn(&desk);
    assert_in_range(desk.now, 2 * CAD_PRESENTER_LAG_MAX, 5 * CAD_SECOND);
    play(&desk, CAD_TIME_MAX);
    assert_true(desk.level.drained);
    assert_true(desk.shown > 20 && work.sent < PICTURES);
    assert_int_equal(desk.shown + desk.level.dropped, PICTURES);
    assert_in_range(desk.now, PICTURES * FRAME, PICTURES * FRAME + 2 * CAD_SECOND);
    desk_close(&desk);
}

/* The device plays the 200 ms that it has, and is dry. */
static void nap_for(struct desk *desk, cad_time time)
{
    desk->heard += 200 * CAD_MS;
    desk->at = desk->now + 200 * CAD_MS;
    desk->now += time;
}

/* A driver that slept is no slow decoder: the clock waits, and goes on where it was. */
static void test_slow_driver_skips_nothing(void **state)
{
    (void)state;
    static const cad_time sleeps[] = {2 * CAD_SECOND, 20 * CAD_SECOND};
    for (uint32_t i = 0; i < 4; i++) {
        struct desk desk;
        desk_open(&desk, i < 2 ? &silent : &with_sound, 0, false);
        for (int nap = 0; nap < 3; nap++) {
            play(&desk, desk.heard + CAD_SECOND);
            if (nap == 0 || i > 0) nap_for(&desk, sleeps[i % 2]);
        }
        play(&desk, CAD_TIME_MAX);
        assert_true(desk.level.drained);
        assert_int_equal(work.flushes, 0);
        assert_int_equal(work.sent, PICTURES);
        desk_close(&desk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slow_pictures_catch_up_with_the_device),
        cmocka_unit_test(test_slow_pictures_are_seen_at_any_speed),
        cmocka_unit_test(test_slow_enough_skips_nothing),
        cmocka_unit_test(test_slow_loses_nothing_when_all_count),
        cmocka_unit_test(test_slow_pictures_catch_up_with_the_clock),
        cmocka_unit_test(test_slow_driver_skips_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
