/*
 * Goal: an exchange is a request with an id of its own kind, bounded in bytes and in time, told to
 * nobody but its owner; what is stale dies at the door; a turn's room is kept for the session.
 */
#include "driver.h"

#include <string.h>

#include "base/str.h"
#include "engine/session.h"

#define URL "http://svc/exchange"

static int ask_for(struct cad_engine *e, enum cad_purpose purpose, uint32_t owner, int64_t size_max,
                   size_t keep)
{
    struct exchange_ask ask = {
        .purpose = purpose, .owner = owner, .url = CAD_STR(URL), .size_max = size_max,
        .keep = keep, .connect_timeout = CAD_SECOND, .timeout = 4 * CAD_SECOND, .priority = 5,
        .group = 9, .address_max = CAD_ADDRESS_PRIVATE};
    return exchange_start(e, &ask);
}

static uint32_t count_actions(struct cad_engine *e, enum cad_action_type type, uint32_t *last_id)
{
    struct cad_action action;
    uint32_t n = 0;
    while (cad_engine_poll(e, &action) == 0) {
        if (action.type != type) continue;
        n++;
        if (type == CAD_ACTION_HTTP_START) *last_id = action.u.start.id;
        if (type == CAD_ACTION_HTTP_CANCEL) *last_id = action.u.cancel.id;
    }
    return n;
}

static struct drv *idle(void **state)
{
    struct drv *d = *state;
    drv_turns(d);
    return d;
}

static void feed_end(struct drv *d, uint32_t id)
{
    struct cad_event event = {.type = CAD_EVENT_HTTP_END};
    event.u.end = (struct cad_http_end){
        .id = id, .dns = CAD_TIME_NONE, .connect = CAD_TIME_NONE, .tls = CAD_TIME_NONE,
        .first_byte = CAD_TIME_NONE, .last_byte = CAD_TIME_NONE};
    assert_int_equal(cad_engine_feed(d->engine, &event), 0);
}

static void test_exchange_starts(void **state)
{
    struct drv *d = idle(state);
    struct cad_action action;
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_EVENT, 1, 100, 0), 0);
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_PROBE, 1, 100, 0), 0);
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_LOG, 2, 100, 0), 0);
    static const uint32_t ids[] = {EXCHANGE_BIT | 1, EXCHANGE_BIT | EXCHANGE_PROBE_BIT | 1,
                                   EXCHANGE_BIT | 2};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(cad_engine_poll(d->engine, &action), 0);
        const struct cad_http_start *start = &action.u.start;
        assert_int_equal(action.type, CAD_ACTION_HTTP_START);
        assert_int_equal(start->id, ids[i]);
        assert_true(exchange_is(start->id));
        assert_int_equal(start->id & CAD_ENGINE_ID_FREE, 0); /* the driver's own */
        assert_true(cad_str_eqz(start->url, URL));
        assert_int_equal(start->range.first, -1);
        assert_int_equal(start->size_max, 100);
        assert_int_equal(start->priority, 5);
        assert_int_equal(start->group, 9);
        assert_int_equal(start->silence_timeout, 4 * CAD_SECOND);
        assert_int_equal(start->address_max, CAD_ADDRESS_PRIVATE);
    }
    /* A media request is none of them. */
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    for (uint32_t i = 0; i < d->request_count; i++) assert_false(exchange_is(d->requests[i].id));
}

static void test_exchange_refuses(void **state)
{
    struct drv *d = idle(state);
    static char longest[ENGINE_URL_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "http://svc/", 11);
    const cad_str urls[] = {CAD_STR(""), CAD_STR("file:///etc/passwd"), CAD_STR("ftp://svc/x"),
                            CAD_STR("/relative"), {longest, ENGINE_URL_MAX + 1}};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct exchange_ask ask = {.purpose = CAD_PURPOSE_EVENT, .owner = 1, .url = urls[i],
                                   .size_max = 1, .timeout = CAD_SECOND};
        assert_int_equal(exchange_start(d->engine, &ask), CAD_E_INVAL);
    }
    uint32_t id = 0;
    assert_int_equal(count_actions(d->engine, CAD_ACTION_HTTP_START, &id), 0);
}

static void test_exchange_places_are_limited(void **state)
{
    struct drv *d = idle(state);
    uint32_t id = 0;
    for (uint32_t i = 1; i <= ENGINE_EXCHANGES_MAX; i++) {
        assert_int_equal(ask_for(d->engine, CAD_PURPOSE_LOG, i, 10, 0), 0);
    }
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_LOG, 99, 10, 0), CAD_E_LIMIT);
    assert_int_equal(count_actions(d->engine, CAD_ACTION_HTTP_START, &id), ENGINE_EXCHANGES_MAX);
    feed_end(d, id);
    assert_int_equal(cad_engine_run(d->engine, d->now), 0);
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_LOG, 99, 10, 0), 0);
}

/* Actions and texts of a turn are the session's first. */
static void test_exchange_leaves_room_in_a_turn(void **state)
{
    struct drv *d = idle(state);
    struct cad_engine *e = d->engine;
    uint32_t id = 0;
    e->text_used = ENGINE_TEXT_BYTES - sizeof(URL);
    assert_int_equal(ask_for(e, CAD_PURPOSE_LOG, 1, 10, 0), CAD_E_AGAIN);
    assert_false(e->text_full);
    e->text_used = 0;
    while (cad_ring_space(&e->actions) >= EXCHANGE_ACTIONS) {
        assert_non_null(engine_action(e, CAD_ACTION_SINK_FLUSH));
    }
    assert_int_equal(ask_for(e, CAD_PURPOSE_LOG, 1, 10, 0), CAD_E_AGAIN);
    assert_int_equal(count_actions(e, CAD_ACTION_HTTP_START, &id), 0);
    assert_int_equal(ask_for(e, CAD_PURPOSE_LOG, 1, 10, 0), 0);
}

/* Bytes up to `keep` stay, the others are counted, more than size_max is refused. */
static void test_exchange_bodies_are_bounded(void **state)
{
    struct drv *d = idle(state);
    uint8_t *data = NULL;
    size_t capacity = 0, got = 0;
    uint32_t id = 0;
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_EVENT, 1, 5000, 1500), 0);
    (void)count_actions(d->engine, CAD_ACTION_HTTP_START, &id);
    while (got < 5000) {
        assert_int_equal(cad_engine_lease(d->engine, id, 9000, &data, &capacity), 0);
        assert_true(capacity >= 1 && got + capacity <= 5000);
        if (got < 1500) assert_true(got + capacity <= 1500);
        memset(data, 'b', capacity);
        assert_int_equal(cad_engine_commit(d->engine, id, capacity, d->now), 0);
        got += capacity;
    }
    assert_int_equal(cad_engine_lease(d->engine, id, 1, &data, &capacity), CAD_E_LIMIT);
    assert_int_equal(cad_engine_commit(d->engine, id, 1, d->now), CAD_E_INVAL);
    assert_int_equal(cad_engine_commit_hole(d->engine, id, 1, d->now), CAD_E_INVAL);
}

static void test_exchange_stale_answers_die(void **state)
{
    struct drv *d = idle(state);
    uint8_t *data = NULL;
    size_t capacity = 0;
    uint32_t id = 0;
    assert_int_equal(cad_engine_lease(d->engine, EXCHANGE_BIT | 7, 1, &data, &capacity),
                     CAD_E_STALE); /* before there was any */
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_EVENT, 1, 100, 100), 0);
    (void)count_actions(d->engine, CAD_ACTION_HTTP_START, &id);
    feed_end(d, id); /* it waits for the turn: nothing may follow */
    assert_int_equal(cad_engine_lease(d->engine, id, 1, &data, &capacity), CAD_E_STALE);
    assert_int_equal(cad_engine_commit(d->engine, id, 0, d->now), CAD_E_STALE);
    assert_int_equal(cad_engine_run(d->engine, d->now), 0);
    assert_int_equal(cad_engine_lease(d->engine, id, 1, &data, &capacity), CAD_E_STALE);
    struct cad_event event = {.type = CAD_EVENT_HTTP_HEAD};
    event.u.head = (struct cad_http_head){.id = id, .status = 200};
    assert_int_equal(cad_engine_feed(d->engine, &event), 0);
    feed_end(d, id);
    assert_int_equal(cad_engine_run(d->engine, d->now), 0);
}

static void test_exchange_ends_in_time(void **state)
{
    struct drv *d = idle(state);
    uint32_t id = 0, cancelled = 0;
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_EVENT, 1, 100, 100), 0);
    (void)count_actions(d->engine, CAD_ACTION_HTTP_START, &id);
    cad_time wake = cad_engine_next_wake(d->engine);
    assert_int_equal(wake, d->now + 4 * CAD_SECOND);
    assert_int_equal(cad_engine_run(d->engine, wake - 1), 0);
    assert_int_equal(count_actions(d->engine, CAD_ACTION_HTTP_CANCEL, &cancelled), 0);
    assert_int_equal(cad_engine_run(d->engine, wake), 0);
    assert_int_equal(count_actions(d->engine, CAD_ACTION_HTTP_CANCEL, &cancelled), 1);
    assert_int_equal(cancelled, id);
    assert_int_equal(cad_engine_next_wake(d->engine), CAD_TIME_NONE);
    feed_end(d, id); /* crosses the cancel */
    assert_int_equal(cad_engine_run(d->engine, wake), 0);
}

static void test_exchange_cancels_for_its_owner(void **state)
{
    struct drv *d = idle(state);
    uint32_t id = 0;
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(ask_for(d->engine, CAD_PURPOSE_PROBE, i, 10, 0), 0);
    }
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_EVENT, 2, 10, 0), 0);
    (void)count_actions(d->engine, CAD_ACTION_HTTP_START, &id);
    exchange_cancel(d->engine, CAD_PURPOSE_PROBE, 2);
    assert_int_equal(count_actions(d->engine, CAD_ACTION_HTTP_CANCEL, &id), 1);
    assert_int_equal(id, EXCHANGE_BIT | EXCHANGE_PROBE_BIT | 2);
    exchange_cancel(d->engine, CAD_PURPOSE_PROBE, 2); /* it is gone */
    assert_int_equal(count_actions(d->engine, CAD_ACTION_HTTP_CANCEL, &id), 0);
    exchange_cancel(d->engine, CAD_PURPOSE_PROBE, 0);
    assert_int_equal(count_actions(d->engine, CAD_ACTION_HTTP_CANCEL, &id), 2);
    assert_int_not_equal(cad_engine_next_wake(d->engine), CAD_TIME_NONE); /* the event's */
}

/* A turn for an exchange does not move the session: neither its time nor its decisions. */
static void test_exchange_turns_are_not_the_sessions(void **state)
{
    struct drv *d = idle(state);
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    struct cad_engine_stats before = drv_stats(d);
    cad_time now = d->engine->now;
    uint32_t id = 0;
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_EVENT, 1, 100, 100), 0);
    (void)count_actions(d->engine, CAD_ACTION_HTTP_START, &id);
    feed_end(d, id);
    assert_int_equal(cad_engine_run(d->engine, d->now + CAD_MS), 0);
    struct cad_engine_stats after = drv_stats(d);
    assert_int_equal(after.turns, before.turns);
    assert_int_equal(after.decisions, before.decisions);
    assert_int_equal(d->engine->now, now);
    drv_play_for(d, CAD_SECOND); /* and the session goes on */
    assert_true(drv_stats(d).turns > before.turns);
}

static void test_exchange_knows_a_spare_link(void **state)
{
    struct drv *d = idle(state);
    assert_true(exchange_link_spare(d->engine)); /* nothing is played */
    d->options.rate_bps = 2000000;
    drv_load(d, 1);
    drv_turns(d);
    assert_false(exchange_link_spare(d->engine));
    assert_true(drv_until_state(d, CAD_STATE_PLAYING, 10 * CAD_SECOND));
    assert_false(exchange_link_spare(d->engine)); /* hardly anything is in hand */
    drv_play_for(d, 25 * CAD_SECOND);
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead > EXCHANGE_AHEAD);
    assert_true(exchange_link_spare(d->engine));
    d->offline = true;
    drv_play_for(d, drv_slot_stats(d, CAD_SLOT_VIDEO).ahead - 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_false(exchange_link_spare(d->engine));
    drv_pause(d);
    drv_play_for(d, CAD_SECOND);
    assert_true(exchange_link_spare(d->engine));
}

static void test_exchange_without_memory(void **state)
{
    struct drv *d = idle(state);
    uint8_t *data = NULL;
    size_t capacity = 0;
    uint32_t id = 0;
    d->failing.fail_at = d->failing.calls + 1;
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_EVENT, 1, 100, 100), CAD_E_NOMEM);
    assert_int_equal(ask_for(d->engine, CAD_PURPOSE_EVENT, 1, 100, 100), 0);
    (void)count_actions(d->engine, CAD_ACTION_HTTP_START, &id);

    d->failing.fail_at = d->failing.calls + 1;
    assert_int_equal(cad_engine_lease(d->engine, id, 10, &data, &capacity), CAD_E_NOMEM);
    assert_int_equal(cad_engine_lease(d->engine, id, 10, &data, &capacity), 0);
    assert_int_equal(cad_engine_commit(d->engine, id, capacity, d->now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_exchange_starts),
        DRV_TEST(test_exchange_refuses),
        DRV_TEST(test_exchange_places_are_limited),
        DRV_TEST(test_exchange_leaves_room_in_a_turn),
        DRV_TEST(test_exchange_bodies_are_bounded),
        DRV_TEST(test_exchange_stale_answers_die),
        DRV_TEST(test_exchange_ends_in_time),
        DRV_TEST(test_exchange_cancels_for_its_owner),
        DRV_TEST(test_exchange_turns_are_not_the_sessions),
        DRV_TEST(test_exchange_knows_a_spare_link),
        DRV_TEST(test_exchange_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
