/*
 * Goal: what comes in at the door is taken for what it is: too many bytes, bytes of nobody, answers
 * twice, reports of a sink that make no sense. Nothing of it breaks the session.
 */
#include "driver.h"

#include <string.h>

/* A request of the plan in flight, its head not answered yet. */
static struct drv_request *waiting(struct drv *d)
{
    d->options.rate_bps = 2000000;
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    d->offline = true;
    d->strict_bytes = false; /* ends are fed by hand: the driver's map does not know of them */
    for (uint32_t i = 0; i < d->request_count; i++) {
        struct drv_request *r = &d->requests[i];
        if (r->open && r->purpose == CAD_PURPOSE_SEGMENT && r->head_sent) return r;
    }
    fail_msg("nothing is in flight");
    return NULL;
}

static void goes_on(struct drv *d)
{
    d->offline = false;
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

static void test_door_lease_arguments(void **state)
{
    struct drv *d = *state;
    struct drv_request *r = waiting(d);
    uint8_t *data = NULL;
    size_t capacity = 0;
    assert_int_equal(cad_engine_lease(d->engine, 0, 10, &data, &capacity), CAD_E_STALE);
    assert_int_equal(cad_engine_lease(d->engine, 4000000000u, 10, &data, &capacity), CAD_E_STALE);
    assert_int_equal(cad_engine_lease(d->engine, r->id, 0, &data, &capacity), CAD_E_INVAL);
    assert_int_equal(cad_engine_lease(d->engine, r->id, 10, NULL, &capacity), CAD_E_INVAL);
    assert_int_equal(cad_engine_lease(d->engine, r->id, 10, &data, NULL), CAD_E_INVAL);
    assert_int_equal(cad_engine_lease(d->engine, r->id, 10, &data, &capacity), 0);
    assert_in_range(capacity, 1, 10);
    /* nothing committed: the same space again */
    uint8_t *again = NULL;
    assert_int_equal(cad_engine_lease(d->engine, r->id, 10, &again, &capacity), 0);
    assert_ptr_equal(data, again);
    goes_on(d);
}

/* One byte more than was asked for has no place. */
static void test_door_more_than_asked(void **state)
{
    struct drv *d = *state;
    struct drv_request *r = waiting(d);
    uint8_t *data = NULL;
    size_t capacity = 0;
    int64_t left = r->total - r->sent;
    assert_true(left > 1);
    assert_int_equal(cad_engine_lease(d->engine, r->id, (size_t)left + 1000, &data, &capacity), 0);
    assert_true(capacity <= (size_t)left);
    assert_true(cad_engine_commit_hole(d->engine, r->id, (size_t)left + 1, d->now) < 0);
    assert_int_equal(cad_engine_commit_hole(d->engine, r->id, (size_t)left, d->now), 0);
    assert_int_equal(cad_engine_lease(d->engine, r->id, 1, &data, &capacity), CAD_E_LIMIT);
    r->sent = r->total;
    goes_on(d);
}

static void test_door_answers_twice(void **state)
{
    struct drv *d = *state;
    struct drv_request *r = waiting(d);
    struct cad_event head = {.type = CAD_EVENT_HTTP_HEAD};
    head.u.head = (struct cad_http_head){.id = r->id, .status = 200, .length = r->total,
                                         .range = {-1, -1}, .total = -1,
                                         .retry_after = CAD_TIME_NONE};
    drv_feed(d, &head);
    struct cad_event end = {.type = CAD_EVENT_HTTP_END};
    end.u.end = (struct cad_http_end){.id = r->id, .cls = CAD_HTTP_RESET,
                                      .first_byte = CAD_TIME_NONE, .last_byte = CAD_TIME_NONE};
    drv_feed(d, &end);
    drv_feed(d, &end);
    drv_turns(d);
    drv_feed(d, &end);
    drv_feed(d, &head);
    drv_turns(d);
    r->open = false;
    goes_on(d);
}

static void test_door_bytes_after_the_end(void **state)
{
    struct drv *d = *state;
    struct drv_request *r = waiting(d);
    struct cad_event end = {.type = CAD_EVENT_HTTP_END};
    end.u.end = (struct cad_http_end){.id = r->id, .cls = CAD_HTTP_RESET,
                                      .first_byte = CAD_TIME_NONE, .last_byte = CAD_TIME_NONE};
    drv_feed(d, &end);
    drv_turns(d);
    uint8_t *data = NULL;
    size_t capacity = 0;
    assert_int_equal(cad_engine_lease(d->engine, r->id, 1, &data, &capacity), CAD_E_STALE);
    assert_int_equal(cad_engine_commit_hole(d->engine, r->id, 1, d->now), CAD_E_STALE);
    r->open = false;
    goes_on(d);
}

/* Statuses and lengths that no server sends. */
static void test_door_strange_heads(void **state)
{
    static const int32_t statuses[] = {0,   -1,  99,  100,       199,      299,
                                       304, 600, 999, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct drv *d = drv_renew(state, NULL);
        struct drv_request *r = waiting(d);
        struct cad_event event = {.type = CAD_EVENT_HTTP_HEAD};
        event.u.head = (struct cad_http_head){
            .id = r->id, .status = statuses[i], .length = i % 2 ? INT64_MAX : INT64_MIN,
            .range = {INT64_MAX, INT64_MIN}, .total = INT64_MIN, .date_ms = INT64_MIN,
            .retry_after = i % 2 ? CAD_TIME_MAX : -CAD_SECOND};
        drv_feed(d, &event);
        event = (struct cad_event){.type = CAD_EVENT_HTTP_END};
        event.u.end = (struct cad_http_end){
            .id = r->id, .cls = CAD_HTTP_OK, .first_byte = CAD_TIME_MAX, .last_byte = -CAD_SECOND,
            .dns = CAD_TIME_MAX, .connect = 0, .tls = CAD_TIME_MAX};
        drv_feed(d, &event);
        drv_turns(d);
        r->open = false;
        goes_on(d);
    }
}

static void anchor(struct drv *d, uint32_t epoch, cad_time media, cad_time at, uint32_t rate)
{
    struct cad_event event = {.type = CAD_EVENT_SINK_ANCHOR};
    event.u.anchor = (struct cad_sink_anchor){
        .epoch = epoch, .media = media, .at = at, .rate_q16 = rate};
    drv_feed(d, &event);
    drv_turns(d);
}

/* Positions that are told stay inside the title and never go back within an epoch. */
static void test_door_strange_anchors(void **state)
{
    static const cad_time times[] = {CAD_TIME_NONE, CAD_TIME_MAX, -1, 0, CAD_TIME_MAX / 2,
                                     -CAD_TIME_MAX};
    static const uint32_t rates[] = {0, 1, 65536, UINT32_MAX};
    for (size_t i = 0; i < 6 * 6 * 4; i++) {
        struct drv *d = *state;
        if (i % 24 == 0) {
            d = drv_renew(state, NULL);
            drv_load(d, 1);
            drv_play_for(d, 3 * CAD_SECOND);
        }
        cad_time before = drv_stats(d).position;
        anchor(d, d->sink.epoch, times[i % 6], times[i / 6 % 6], rates[i / 36]);
        cad_time position = drv_stats(d).position;
        assert_true(position >= before);
        assert_true(position <= 60 * CAD_SECOND + CAD_SECOND);
        assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    }
}

static void test_door_anchors_of_a_later_epoch(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    anchor(d, d->sink.epoch + 1, 50 * CAD_SECOND, d->now, 65536);
    assert_true(drv_stats(d).position < 4 * CAD_SECOND);
    anchor(d, UINT32_MAX, 50 * CAD_SECOND, d->now, 65536);
    assert_true(drv_stats(d).position < 4 * CAD_SECOND);
    goes_on(d);
}

/* A sink that says it is done in the middle of the title is not believed. */
static void test_door_drained_too_early(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 1500000;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    struct cad_event event = {.type = CAD_EVENT_SINK_LEVEL};
    event.u.level = (struct cad_sink_level){
        .epoch = d->sink.epoch, .first_frame = true, .drained = true, .frames = 1000};
    drv_feed(d, &event);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_ENDED), 0);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

static void test_door_strange_wall_clocks(void **state)
{
    static const int64_t offsets[] = {INT64_MIN, INT64_MAX, 0, -1, INT64_C(1) << 60};
    for (size_t i = 0; i < 5; i++) {
        struct drv_options o;
        drv_options_init(&o);
        o.no_introduction = true;
        struct drv *d = drv_renew(state, &o);
        struct cad_event event = {.type = CAD_EVENT_WALL_OFFSET};
        event.u.wall.offset_ms = offsets[i];
        event.u.wall.error_ms = INT64_MAX;
        drv_feed(d, &event);
        event = (struct cad_event){.type = CAD_EVENT_SINK_CAPS};
        event.u.caps = (struct cad_sink_caps){
            .codecs = UINT32_MAX, .video = true, .audio = true};
        drv_feed(d, &event);
        drv_entropy(d, 256);
        drv_load(d, 1);
        drv_play_for(d, 3 * CAD_SECOND);
        assert_int_equal(d->state, CAD_STATE_PLAYING);
    }
}

/* Time that jumps by days between two turns, as on a device that slept. */
static void test_door_time_jumps(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, CAD_SECOND);
    d->now += INT64_C(3) * 24 * 3600 * CAD_SECOND;
    drv_turns(d);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    drv_play(d);
    d->strict_bytes = false;
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    /* and to the end of all times without a word of harm */
    assert_true(cad_engine_run(d->engine, CAD_TIME_MAX) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_door_lease_arguments),
        DRV_TEST(test_door_more_than_asked),
        DRV_TEST(test_door_answers_twice),
        DRV_TEST(test_door_bytes_after_the_end),
        DRV_TEST(test_door_strange_heads),
        DRV_TEST(test_door_strange_anchors),
        DRV_TEST(test_door_anchors_of_a_later_epoch),
        DRV_TEST(test_door_drained_too_early),
        DRV_TEST(test_door_strange_wall_clocks),
        DRV_TEST(test_door_time_jumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
