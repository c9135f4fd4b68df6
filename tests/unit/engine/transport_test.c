/*
 * Goal: play, pause and pin do what they say from every state, as often as they are said.
 */
#include "driver.h"

static void test_pause_and_play(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    uint32_t epoch = d->sink.epoch;
    drv_pause(d);
    drv_play_for(d, 100 * CAD_MS);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(d->sink.config.rate_q16, 0);
    cad_time at = drv_stats(d).position;
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(drv_stats(d).position, at);
    drv_play(d);
    drv_play_for(d, 100 * CAD_MS);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->sink.config.rate_q16, 65536);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_in_range(drv_stats(d).position, at + CAD_SECOND, at + 3 * CAD_SECOND);
    /* nothing is flushed by a pause */
    assert_int_equal(d->sink.epoch, epoch);
    assert_int_equal(drv_stats(d).stalls, 0);
}

static void test_pause_twice_play_twice(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    uint32_t states = drv_count(d, CAD_APP_STATE);
    drv_pause(d);
    drv_pause(d);
    drv_play_for(d, CAD_SECOND);
    drv_play(d);
    drv_play(d);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_STATE), states + 2);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

static void test_pause_while_buffering(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 300000;
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_BUFFERING);
    drv_pause(d);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(d->sink.media, 0);
    drv_play(d);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

/* A pause goes on filling the buffer up to its goal. */
static void test_pause_keeps_filling(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 2000000;
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, 40 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead >= 50 * CAD_SECOND);
    assert_int_equal(d->bytes_twice, 0);
}

static void test_play_pause_in_one_turn(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    drv_pause(d);
    drv_play(d);
    drv_pause(d);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
}

/* Pins are absolute: every segment from then on, whatever the link does. */
static void test_pin_is_absolute(void **state)
{
    for (int32_t rung = 0; rung < DRV_RUNGS; rung++) {
        struct drv *d = drv_renew(state, NULL);
        d->options.rate_bps = 3000000;
        drv_pin(d, rung);
        drv_load(d, 1);
        drv_play_for(d, 10 * CAD_SECOND);
        const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
        assert_true(slot->count > 100);
        for (uint32_t i = 0; i < slot->count; i++) {
            assert_int_equal(slot->samples[i].rung, (uint32_t)rung);
        }
        for (uint32_t i = 0; i < d->request_count; i++) {
            if (d->requests[i].stream >= 0 && d->requests[i].stream != DRV_AUDIO) {
                assert_int_equal(d->requests[i].stream, rung);
            }
        }
        assert_int_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).switches, 0);
    }
}

/* The link does not carry it: it stalls rather than leave the pin. */
static void test_pin_over_the_link(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 600000;
    drv_pin(d, 2);
    drv_load(d, 1);
    drv_play_for(d, 30 * CAD_SECOND);
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
    assert_true(slot->count > 0);
    for (uint32_t i = 0; i < slot->count; i++) assert_int_equal(slot->samples[i].rung, 2);
}

static void test_pin_in_mid_play_and_free_again(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.set_engine = true;
    o.engine.buffer_ahead = 8 * CAD_SECOND;
    o.rate_bps = 6000000;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    drv_play_for(d, 4 * CAD_SECOND);
    drv_pin(d, 0);
    uint32_t before = d->request_count;
    drv_play_for(d, 4 * CAD_SECOND);
    uint32_t on_lowest = 0;
    for (uint32_t i = before + 1; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r->stream < 0 || r->stream == DRV_AUDIO) continue;
        assert_int_equal(r->stream, 0);
        on_lowest++;
    }
    assert_true(on_lowest > 0);
    assert_int_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).rung, 0);
    assert_int_equal(d->bytes_twice, 0);
    drv_pin(d, -1);
    drv_play_for(d, 20 * CAD_SECOND);
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).rung > 0);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->bytes_twice, 0);
}

static void test_pin_past_the_ladder(void **state)
{
    struct drv *d = *state;
    drv_pin(d, 77);
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

static void test_offline_and_back(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 2000000;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    struct cad_event event = {.type = CAD_EVENT_NET_CHANGE};
    event.u.net.online = false;
    drv_feed(d, &event);
    d->offline = true;
    uint32_t before = d->request_count;
    drv_play_for(d, 2 * CAD_SECOND);
    /* nothing new is asked of a network that is not there */
    assert_int_equal(d->request_count, before);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    d->offline = false;
    event.u.net.online = true;
    drv_feed(d, &event);
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    assert_true(d->request_count > before);
}

/* One rung that the device cannot show is left out; two are left. */
static void test_caps_limit_the_ladder(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.no_introduction = true;
    struct drv *d = drv_renew(state, &o);
    drv_entropy(d, 256);
    struct cad_event event = {.type = CAD_EVENT_SINK_CAPS};
    event.u.caps = (struct cad_sink_caps){
        .codecs = 1u << CAD_CODEC_AVC | 1u << CAD_CODEC_AAC, .height_max = 360, .width_max = 640,
        .video = true, .audio = true};
    drv_feed(d, &event);
    drv_load(d, 1);
    drv_play_for(d, 20 * CAD_SECOND);
    assert_int_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).rung_count, 2);
    for (uint32_t i = 0; i < d->request_count; i++) assert_int_not_equal(d->requests[i].stream, 2);
}

static void test_sink_failure_is_fatal(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    struct cad_event event = {.type = CAD_EVENT_SINK_FAIL};
    event.u.fail = (struct cad_sink_fail){
        .slot = CAD_SLOT_VIDEO, .error = CAD_ERR_SINK_FAILED, .edge_code = -5,
        .message = "the window is gone"};
    drv_feed(d, &event);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, CAD_SECOND));
    const struct cad_error *error = drv_fatal(d);
    assert_int_equal(error->code, CAD_ERR_SINK_FAILED);
    assert_int_equal(error->domain, CAD_DOMAIN_SINK);
    assert_int_equal(error->edge_code, -5);
    assert_string_equal(error->message, "the window is gone");
    assert_int_equal(error->phase, CAD_PHASE_PLAY);
    assert_int_equal(drv_open_requests(d), 0);
    struct cad_sample sample;
    assert_int_equal(cad_engine_pull(d->engine, CAD_SLOT_VIDEO, &sample), CAD_E_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_pause_and_play),
        DRV_TEST(test_pause_twice_play_twice),
        DRV_TEST(test_pause_while_buffering),
        DRV_TEST(test_pause_keeps_filling),
        DRV_TEST(test_play_pause_in_one_turn),
        DRV_TEST(test_pin_is_absolute),
        DRV_TEST(test_pin_over_the_link),
        DRV_TEST(test_pin_in_mid_play_and_free_again),
        DRV_TEST(test_pin_past_the_ladder),
        DRV_TEST(test_offline_and_back),
        DRV_TEST(test_caps_limit_the_ladder),
        DRV_TEST(test_sink_failure_is_fatal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
