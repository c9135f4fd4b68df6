/*
 * Goal: a seek inside the buffer asks for nothing, one outside drops what is of no use; each begins
 * an epoch and is answered with its ticket; nothing of an older epoch ever comes out again.
 */
#include "driver.h"

#include <string.h>

static void playing(struct drv *d, cad_time for_time)
{
    drv_load(d, 1);
    drv_play_for(d, for_time);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

/* Seeks and waits for the answer. */
static const struct cad_app_event *seek(struct drv *d, cad_time to, uint32_t ticket)
{
    drv_seek(d, to, ticket);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    const struct cad_app_event *done = drv_last(d, CAD_APP_SEEK_DONE);
    assert_int_equal(done->ticket, ticket);
    return done;
}

/* First sample of this epoch, and the first that is shown. */
static void check_epoch_start(const struct drv *d, cad_time target)
{
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
    assert_true(slot->of_epoch > 0);
    const struct drv_sample *s = &slot->samples[slot->count - slot->of_epoch];
    assert_true(s->flags & CAD_SAMPLE_SYNC);
    assert_true(s->pts <= target);
    for (uint32_t i = 0; i < slot->of_epoch; i++) {
        bool before = s[i].pts + s[i].duration <= target;
        assert_int_equal((s[i].flags & CAD_SAMPLE_DECODE_ONLY) != 0, before);
    }
}

static void test_seek_inside_the_buffer_forward(void **state)
{
    struct drv *d = *state;
    playing(d, 5 * CAD_SECOND);
    uint32_t requests = d->request_count, epoch = d->sink.epoch;
    const struct cad_app_event *done = seek(d, 21 * CAD_SECOND, 9);
    assert_int_equal(done->position, 21 * CAD_SECOND);
    assert_int_equal(d->request_count, requests);
    assert_true(d->sink.epoch > epoch);
    assert_int_equal(d->sink.flush_position, 21 * CAD_SECOND);
    /* 21 s lies in the middle of a segment: half of it is decoded and not shown */
    check_epoch_start(d, 21 * CAD_SECOND);
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
    assert_int_equal(slot->samples[slot->count - slot->of_epoch].pts, 20 * CAD_SECOND);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_in_range(drv_stats(d).position, 22 * CAD_SECOND, 23 * CAD_SECOND + CAD_SECOND / 2);
    assert_int_equal(d->request_count, requests);
    assert_int_equal(d->bytes_twice, 0);
    assert_int_equal(drv_stats(d).stalls, 0);
}

static void test_seek_inside_the_buffer_back(void **state)
{
    struct drv *d = *state;
    playing(d, 15 * CAD_SECOND);
    uint32_t requests = d->request_count;
    const struct cad_app_event *done = seek(d, 3 * CAD_SECOND, 9);
    assert_int_equal(done->position, 3 * CAD_SECOND);
    assert_int_equal(d->request_count, requests);
    check_epoch_start(d, 3 * CAD_SECOND);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->request_count, requests);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

static void test_seek_between_pictures(void **state)
{
    struct drv *d = *state;
    playing(d, 5 * CAD_SECOND);
    /* pictures stand for 40 ms: the one that begins at 20.480 is on the screen at 20.500 */
    cad_time target = 20 * CAD_SECOND + 500 * CAD_MS;
    const struct cad_app_event *done = seek(d, target, 9);
    assert_int_equal(done->position, 20 * CAD_SECOND + 480 * CAD_MS);
    check_epoch_start(d, target);
}

static void test_seek_to_a_segment_start(void **state)
{
    struct drv *d = *state;
    playing(d, 5 * CAD_SECOND);
    const struct cad_app_event *done = seek(d, 20 * CAD_SECOND, 9);
    assert_int_equal(done->position, 20 * CAD_SECOND);
    check_epoch_start(d, 20 * CAD_SECOND);
}

/* A slow link, so that 40 s is far outside of what is held. */
static void playing_slowly(struct drv *d)
{
    d->options.rate_bps = 2000000;
    playing(d, 5 * CAD_SECOND);
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead < 25 * CAD_SECOND);
}

static void test_seek_outside_the_buffer(void **state)
{
    struct drv *d = *state;
    playing_slowly(d);
    uint32_t before = d->request_count;
    assert_true(drv_open_requests(d) > 0);
    uint32_t old = 0;
    for (uint32_t i = 0; i < before; i++) {
        if (d->requests[i].open) old = d->requests[i].id;
    }
    drv_seek(d, 40 * CAD_SECOND, 9);
    drv_turns(d);
    for (uint32_t i = 0; i < before; i++) assert_false(d->requests[i].open);
    assert_int_equal(d->state, CAD_STATE_BUFFERING);
    assert_true(drv_open_requests(d) > 0);
    for (uint32_t i = before; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        struct cad_synth_segment s = drv_segment(d, r->stream, r->range.last);
        assert_in_range(s.start, 38 * CAD_SECOND, 44 * CAD_SECOND);
    }
    /* late answers to the old request die in one place */
    uint8_t *data = NULL;
    size_t capacity = 0;
    assert_int_equal(cad_engine_lease(d->engine, old, 100, &data, &capacity), CAD_E_STALE);
    assert_int_equal(cad_engine_commit(d->engine, old, 100, d->now), CAD_E_STALE);
    assert_int_equal(cad_engine_commit_hole(d->engine, old, 100, d->now), CAD_E_STALE);
    struct cad_event event = {.type = CAD_EVENT_HTTP_HEAD};
    event.u.head = (struct cad_http_head){.id = old, .status = 404, .length = 0,
                                          .range = {-1, -1}, .total = -1,
                                          .retry_after = CAD_TIME_NONE};
    drv_feed(d, &event);
    event = (struct cad_event){.type = CAD_EVENT_HTTP_END};
    event.u.end = (struct cad_http_end){.id = old, .cls = CAD_HTTP_RESET};
    drv_feed(d, &event);
    drv_net_forget(d); /* what was dropped may be asked for again, once */
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->ticket, 9);
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 40 * CAD_SECOND);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 1);
}

/* Anchors and levels of an epoch that is over say nothing any more. */
static void test_seek_ignores_the_old_epoch(void **state)
{
    struct drv *d = *state;
    playing_slowly(d);
    uint32_t epoch = d->sink.epoch;
    drv_seek(d, 40 * CAD_SECOND, 9);
    drv_turns(d);
    struct cad_event event = {.type = CAD_EVENT_SINK_LEVEL};
    event.u.level = (struct cad_sink_level){
        .epoch = epoch, .first_frame = true, .first_frame_pts = CAD_SECOND, .drained = true};
    drv_feed(d, &event);
    event = (struct cad_event){.type = CAD_EVENT_SINK_ANCHOR};
    event.u.anchor = (struct cad_sink_anchor){
        .epoch = epoch, .media = 5 * CAD_SECOND, .at = d->now, .underrun = true};
    drv_feed(d, &event);
    drv_turns(d);
    assert_int_equal(drv_count(d, CAD_APP_SEEK_DONE), 0);
    assert_int_equal(drv_count(d, CAD_APP_STALL_BEGIN), 0);
    assert_int_equal(drv_stats(d).position, 40 * CAD_SECOND);
}

static void test_seek_storm(void **state)
{
    struct drv *d = *state;
    d->strict_bytes = false;
    playing_slowly(d);
    uint32_t requests = d->request_count;
    for (uint32_t i = 0; i < 100; i++) {
        drv_seek(d, (cad_time)(i * 37 % 59) * CAD_SECOND, 100 + i);
        if (i % 3) drv_turns(d);
        if (i % 10 == 9) drv_play_for(d, 30 * CAD_MS);
    }
    drv_net_forget(d);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->ticket, 199);
    assert_true(drv_open_requests(d) <= 4);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    assert_int_equal(drv_stats(d).stalls, 0);
    /* a few requests a seek at most */
    assert_true(d->request_count - requests <= 400);
    assert_true(drv_count(d, CAD_APP_SEEK_DONE) <= 100);
}

/* Many in one turn: one flush is enough, the last one counts. */
static void test_seek_many_in_a_turn(void **state)
{
    struct drv *d = *state;
    playing(d, 5 * CAD_SECOND);
    for (uint32_t i = 0; i < 50; i++) drv_seek(d, (cad_time)i * CAD_SECOND, 100 + i);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->ticket, 149);
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 49 * CAD_SECOND);
}

static void test_seek_before_the_manifest(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_turns(d);
    drv_seek(d, 30 * CAD_SECOND, 9);
    drv_turns(d);
    assert_int_equal(d->state, CAD_STATE_LOADING);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->ticket, 9);
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 30 * CAD_SECOND);
    assert_int_equal(drv_last(d, CAD_APP_FIRST_FRAME)->position, 30 * CAD_SECOND);
    drv_play_for(d, CAD_SECOND);
    assert_true(drv_stats(d).position > 30 * CAD_SECOND);
}

static void test_seek_before_the_header(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 200000;
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_LOADED, 5 * CAD_SECOND));
    d->options.rate_bps = 0;
    drv_seek(d, 30 * CAD_SECOND, 9);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 30 * CAD_SECOND);
}

static void check_end(struct drv *d, cad_time to)
{
    playing(d, 5 * CAD_SECOND);
    const struct cad_app_event *done = seek(d, to, 9);
    assert_in_range(done->position, 59 * CAD_SECOND, 60 * CAD_SECOND);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 3 * CAD_SECOND));
    assert_int_equal(drv_count(d, CAD_APP_ENDED), 1);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    assert_int_equal(drv_stats(d).stalls, 0);
}

static void test_seek_to_the_end(void **state)
{
    check_end(*state, 60 * CAD_SECOND);
}

static void test_seek_past_the_end(void **state)
{
    check_end(*state, 1000 * CAD_SECOND);
}

static void test_seek_below_zero(void **state)
{
    struct drv *d = *state;
    playing(d, 5 * CAD_SECOND);
    assert_int_equal(seek(d, -CAD_SECOND, 9)->position, 0);
    assert_int_equal(seek(d, CAD_TIME_MAX, 10)->ticket, 10);
}

static void test_seek_while_paused(void **state)
{
    struct drv *d = *state;
    playing(d, 5 * CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    const struct cad_app_event *done = seek(d, 20 * CAD_SECOND, 9);
    assert_int_equal(done->position, 20 * CAD_SECOND);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(d->sink.media, 20 * CAD_SECOND);
    assert_int_equal(drv_stats(d).position, 20 * CAD_SECOND);
    drv_play(d);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_in_range(drv_stats(d).position, 21 * CAD_SECOND, 23 * CAD_SECOND);
}

static void test_seek_outside_while_paused(void **state)
{
    struct drv *d = *state;
    playing_slowly(d);
    drv_pause(d);
    drv_play_for(d, 100 * CAD_MS);
    drv_seek(d, 50 * CAD_SECOND, 9);
    drv_turns(d);
    drv_net_forget(d);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->position, 50 * CAD_SECOND);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(d->sink.config.rate_q16, 0);
}

/* The way a viewer searches: each next seek before the last is answered. */
static void test_seek_superseded(void **state)
{
    struct drv *d = *state;
    playing_slowly(d);
    drv_seek(d, 40 * CAD_SECOND, 9);
    drv_turns(d);
    drv_seek(d, 50 * CAD_SECOND, 10);
    drv_turns(d);
    drv_net_forget(d);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_SEEK_DONE), 1);
    assert_int_equal(drv_last(d, CAD_APP_SEEK_DONE)->ticket, 10);
}

static void test_seek_to_where_it_is(void **state)
{
    struct drv *d = *state;
    playing(d, 5 * CAD_SECOND);
    uint32_t requests = d->request_count;
    seek(d, drv_stats(d).position, 9);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->request_count, requests);
}

/* What a seek waits for is no stall. */
static void test_seek_is_no_stall(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 1200000;
    playing(d, 5 * CAD_SECOND);
    for (uint32_t i = 0; i < 5; i++) {
        drv_seek(d, (cad_time)(50 - 7 * i) * CAD_SECOND, 10 + i);
        drv_turns(d);
        drv_net_forget(d);
        assert_true(drv_until(d, CAD_APP_SEEK_DONE, 10 * CAD_SECOND));
        assert_true(drv_until_state(d, CAD_STATE_PLAYING, 10 * CAD_SECOND));
    }
    assert_int_equal(drv_count(d, CAD_APP_STALL_BEGIN), 0);
    assert_int_equal(drv_stats(d).stall_time, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_seek_inside_the_buffer_forward),
        DRV_TEST(test_seek_inside_the_buffer_back),
        DRV_TEST(test_seek_between_pictures),
        DRV_TEST(test_seek_to_a_segment_start),
        DRV_TEST(test_seek_outside_the_buffer),
        DRV_TEST(test_seek_ignores_the_old_epoch),
        DRV_TEST(test_seek_storm),
        DRV_TEST(test_seek_many_in_a_turn),
        DRV_TEST(test_seek_before_the_manifest),
        DRV_TEST(test_seek_before_the_header),
        DRV_TEST(test_seek_to_the_end),
        DRV_TEST(test_seek_past_the_end),
        DRV_TEST(test_seek_below_zero),
        DRV_TEST(test_seek_while_paused),
        DRV_TEST(test_seek_outside_while_paused),
        DRV_TEST(test_seek_superseded),
        DRV_TEST(test_seek_to_where_it_is),
        DRV_TEST(test_seek_is_no_stall),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
