/*
 * Goal: over every change of rung the samples follow each other without gap or repeat, a
 * configuration comes first (the driver asserts both for each sample), and what is told of it adds
 * up.
 */
#include "driver.h"

#include <string.h>

static uint32_t changes(const struct drv_slot *slot)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < slot->count; i++) {
        n += slot->samples[i].rung != slot->samples[i - 1].rung;
    }
    return n;
}

/* Every picture of the title once, at its time. */
static void check_pictures(const struct drv *d)
{
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
    assert_int_equal(slot->count, d->options.duration / (40 * CAD_MS));
    for (uint32_t i = 0; i < slot->count; i++) {
        assert_int_equal(slot->samples[i].pts, (cad_time)i * 40 * CAD_MS);
        assert_int_equal(slot->samples[i].dts, slot->samples[i].pts);
        /* a rung begins with a picture that needs no other */
        if (i && slot->samples[i].rung != slot->samples[i - 1].rung) {
            assert_true(slot->samples[i].flags & CAD_SAMPLE_SYNC);
        }
        assert_int_equal((slot->samples[i].flags & CAD_SAMPLE_SYNC) != 0, i % 50 == 0);
        assert_false(slot->samples[i].flags & CAD_SAMPLE_DECODE_ONLY);
    }
}

static struct drv *shallow(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 120 * CAD_SECOND;
    o.set_engine = true;
    o.engine.buffer_ahead = 12 * CAD_SECOND;
    return drv_renew(state, &o);
}

static void test_switch_by_the_link(void **state)
{
    struct drv *d = shallow(state);
    d->options.rate_bps = 3000000;
    drv_load(d, 1);
    drv_play_for(d, 20 * CAD_SECOND);
    assert_int_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).rung, 2);
    d->options.rate_bps = 700000;
    drv_play_for(d, 30 * CAD_SECOND);
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).rung < 2);
    d->options.rate_bps = 3000000;
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 90 * CAD_SECOND));
    check_pictures(d);
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
    assert_true(changes(slot) >= 2);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(d->bytes_twice, 0);
    assert_int_equal(drv_stats(d).bytes_twice, 0);
    /* sound has one rung and never changes */
    assert_int_equal(changes(&d->sink.slot[CAD_SLOT_AUDIO]), 0);
    assert_int_equal(d->sink.slot[CAD_SLOT_AUDIO].configs, 1);
    assert_int_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).switches, changes(slot));
    assert_int_equal(slot->configs, changes(slot) + 1);
    uint32_t told = 0;
    for (uint32_t i = 0; i < d->event_count; i++) {
        told += d->events[i].type == CAD_APP_RUNG && d->events[i].slot == CAD_SLOT_VIDEO;
    }
    assert_int_equal(told, changes(slot) + 1);
}

static void test_switch_mean_rate(void **state)
{
    struct drv *d = shallow(state);
    d->options.rate_bps = 2000000;
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 130 * CAD_SECOND));
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
    int64_t sum = 0;
    for (uint32_t i = 0; i < slot->count; i++) sum += d->stream[slot->samples[i].rung].rate_bps;
    int64_t mean = sum / slot->count;
    int64_t told = drv_slot_stats(d, CAD_SLOT_VIDEO).played_rate_bps;
    assert_in_range(told, mean * 98 / 100, mean * 102 / 100);
}

/* As often as a person can press a key. */
static void test_switch_by_pins(void **state)
{
    struct drv *d = shallow(state);
    drv_load(d, 1);
    for (int32_t i = 0; d->state != CAD_STATE_ENDED; i++) {
        drv_pin(d, i * 7 % 5 % DRV_RUNGS);
        drv_play_for(d, 700 * CAD_MS);
        assert_true(i < 300);
    }
    check_pictures(d);
    assert_true(changes(&d->sink.slot[CAD_SLOT_VIDEO]) >= 10);
    assert_int_equal(d->bytes_twice, 0);
    assert_int_equal(drv_stats(d).stalls, 0);
}

/* A sink that takes everything at once sees the same. */
static void test_switch_with_a_hungry_sink(void **state)
{
    struct drv *d = shallow(state);
    d->sink.hungry = true;
    d->options.rate_bps = 3000000;
    drv_load(d, 1);
    for (int32_t i = 0; d->state != CAD_STATE_ENDED; i++) {
        if (i % 5 == 4) drv_pin(d, i % DRV_RUNGS);
        drv_play_for(d, CAD_SECOND);
        assert_true(i < 200);
    }
    check_pictures(d);
    assert_int_equal(d->bytes_twice, 0);
}

/* Switches and seeks together: after each seek an epoch of its own, in order. */
static void test_switch_and_seek(void **state)
{
    struct drv *d = shallow(state);
    d->strict_bytes = false;
    d->options.rate_bps = 4000000;
    drv_load(d, 1);
    for (uint32_t i = 0; i < 25; i++) {
        drv_pin(d, (int32_t)(i * 5 % DRV_RUNGS));
        drv_play_for(d, CAD_SECOND + 300 * CAD_MS);
        drv_seek(d, (cad_time)(i * 29 % 110) * CAD_SECOND + 120 * CAD_MS, 100 + i);
        assert_true(drv_until(d, CAD_APP_SEEK_DONE, 8 * CAD_SECOND));
        assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->ticket, 100 + i);
        cad_time shown = drv_last(d, CAD_APP_SEEK_DONE)->position;
        assert_int_equal(shown, (cad_time)(i * 29 % 110) * CAD_SECOND + 120 * CAD_MS);
    }
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    assert_int_equal(drv_stats(d).stalls, 0);
}

/* The declared sample rate and picture size of each configuration are those of its rung. */
static void test_switch_configurations(void **state)
{
    for (int32_t rung = 0; rung < DRV_RUNGS; rung++) {
        struct drv *d = drv_renew(state, NULL);
        drv_pin(d, rung);
        drv_load(d, 1);
        drv_play_for(d, CAD_SECOND);
        const struct cad_stream_config *video = &d->sink.slot[CAD_SLOT_VIDEO].config;
        assert_int_equal(video->codec, CAD_CODEC_AVC);
        assert_int_equal(video->width, d->stream[rung].width);
        assert_int_equal(video->height, d->stream[rung].height);
        assert_int_equal(video->rate_bps, d->stream[rung].rate_bps);
        assert_int_equal(video->rung, (uint32_t)rung);
        assert_int_equal(strncmp(video->codecs, "avc1.", 5), 0);
        const struct cad_stream_config *audio = &d->sink.slot[CAD_SLOT_AUDIO].config;
        assert_int_equal(audio->codec, CAD_CODEC_AAC);
        assert_int_equal(audio->sample_rate_hz, 48000);
        assert_int_equal(audio->channels, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_switch_by_the_link),
        DRV_TEST(test_switch_mean_rate),
        DRV_TEST(test_switch_by_pins),
        DRV_TEST(test_switch_with_a_hungry_sink),
        DRV_TEST(test_switch_and_seek),
        DRV_TEST(test_switch_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
