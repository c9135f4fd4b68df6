/*
 * Goal: of several keys each counts for what it opens. A picture whose key is missing, refused or
 * taken away gives way to the next that can be opened, without an end of playback; a key that only
 * samples name is asked for; sessions that nobody needs make room.
 */
#include "driver.h"

#include <string.h>

#include "base/str.h"
#include "engine/session.h"

/* A title whose best rung has a key of its own. buffer_ahead: 0 the default. */
static struct drv *hd_ahead(void **state, enum cad_key_status status, cad_time buffer_ahead)
{
    struct drv_options o;
    drv_options_init(&o);
    o.drm = o.hd_key = true;
    if (buffer_ahead) {
        cad_engine_config_init(&o.engine);
        o.engine.buffer_ahead = buffer_ahead;
        o.set_engine = true;
    }
    struct drv *d = drv_renew(state, &o);
    d->cdm.hd_status = status;
    d->strict_bytes = false; /* what is lost with its key is asked for again, of another rung */
    drv_load(d, 1);
    return d;
}

static struct drv *hd(void **state, enum cad_key_status status)
{
    return hd_ahead(state, status, 0);
}

static void plays_for(struct drv *d, cad_time duration)
{
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    drv_play_for(d, duration);
}

/* All keys were given, and it has played for a while. */
static struct drv *hd_played(void **state, cad_time duration)
{
    struct drv *d = hd(state, CAD_KEY_USABLE);
    plays_for(d, duration);
    return d;
}

static void told_once(const struct drv *d, enum cad_error_code code)
{
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 1);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.code, code);
}

/* The rung of the last sample that was taken. */
static uint32_t rung_of(const struct drv *d)
{
    const struct drv_slot *s = &d->sink.slot[CAD_SLOT_VIDEO];
    return s->samples[s->count - 1].rung;
}

/* ---- a key for the best pictures ------------------------------------------------------------- */

static void test_keys_many_all_given(void **state)
{
    struct drv *d = hd(state, CAD_KEY_USABLE);
    assert_true(drv_until(d, CAD_APP_ENDED, 70 * CAD_SECOND));
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    assert_int_equal(rung_of(d), DRV_RUNGS - 1);
}

static void plays_below(struct drv *d, enum cad_error_code why)
{
    assert_true(drv_until(d, CAD_APP_ENDED, 70 * CAD_SECOND));
    told_once(d, why);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.cls, CAD_ERROR_DEGRADED);
    assert_int_equal(rung_of(d), DRV_RUNGS - 2);
    assert_int_equal(drv_stats(d).stalls, 0);
}

/* The licence names the others only. */
static void test_keys_many_missing(void **state)
{
    plays_below(hd(state, CAD_KEY_UNKNOWN), CAD_ERR_DRM_NO_KEY);
}

static void test_keys_many_restricted(void **state)
{
    plays_below(hd(state, CAD_KEY_OUTPUT_RESTRICTED), CAD_ERR_DRM_OUTPUT);
}

static void test_keys_many_denied(void **state)
{
    plays_below(hd(state, CAD_KEY_ERROR), CAD_ERR_DRM_KEY_DENIED);
}

/* The output loses its protection while the best picture is shown: what the sink has of it is
 * flushed, and at once the next one is shown where it was. */
static void test_keys_many_restricted_in_play(void **state)
{
    struct drv *d = hd_played(state, 20 * CAD_SECOND);
    assert_int_equal(rung_of(d), DRV_RUNGS - 1);
    cad_time position = drv_stats(d).position;
    cad_time at = d->now;
    d->cdm.hd_status = CAD_KEY_OUTPUT_RESTRICTED;
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), 1);
    drv_cdm_keys(d, DRV_KID, CAD_KEY_USABLE);
    drv_turns(d);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 1);
    assert_true(d->sink.flush_position >= position);
    assert_true(d->sink.flush_position < position + CAD_SECOND / 2);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_true(rung_of(d) < DRV_RUNGS - 1);
    assert_true(drv_stats(d).position > position + CAD_SECOND);
    assert_true(d->now - at <= 2 * CAD_SECOND);
    /* Behind there is what nobody can read any more, and in front of it what can be. */
    drv_seek(d, CAD_SECOND, 2);
    assert_true(drv_until(d, CAD_APP_ENDED, 70 * CAD_SECOND));
    told_once(d, CAD_ERR_DRM_OUTPUT);
}

/* The cable is back: so are the pictures, when it has been for 10 s. */
static void test_keys_many_back(void **state)
{
    /* So little ahead that it is asked for all the time. */
    struct drv *d = hd_ahead(state, CAD_KEY_USABLE, 6 * CAD_SECOND);
    plays_for(d, 5 * CAD_SECOND);
    for (int i = 0; i < 3; i++) { /* it flaps */
        d->cdm.hd_status = i == 1 ? CAD_KEY_USABLE : CAD_KEY_OUTPUT_RESTRICTED;
        drv_cdm_keys(d, DRV_KID, CAD_KEY_USABLE);
        drv_play_for(d, 3 * CAD_SECOND);
    }
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 1);
    uint32_t seen = d->sink.slot[CAD_SLOT_VIDEO].count;
    d->cdm.hd_status = CAD_KEY_USABLE;
    drv_cdm_keys(d, DRV_KID, CAD_KEY_USABLE);
    cad_time until = d->now + KEYS_BACK_AFTER;
    drv_play_for(d, KEYS_BACK_AFTER - CAD_SECOND);
    const struct drv_slot *s = &d->sink.slot[CAD_SLOT_VIDEO];
    for (uint32_t i = seen; i < s->count; i++) assert_true(s->samples[i].rung < DRV_RUNGS - 1);
    assert_true(d->now < until);
    assert_true(drv_until(d, CAD_APP_ENDED, 70 * CAD_SECOND));
    assert_int_equal(rung_of(d), DRV_RUNGS - 1);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 1);
}

/* The only key goes: nothing can be shown, and that is said at once. */
static void test_keys_many_all_lost(void **state)
{
    struct drv *d = hd_played(state, 5 * CAD_SECOND);
    d->cdm.hd_status = CAD_KEY_ERROR;
    drv_cdm_keys(d, DRV_KID, CAD_KEY_ERROR);
    drv_turns(d);
    assert_int_equal(d->state, CAD_STATE_FAILED);
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_DRM_KEY_DENIED);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 1);
}

/* ---- a key that only samples name ------------------------------------------------------------ */

static const uint8_t rotated[CAD_KEY_ID_SIZE] = {0x77};

/* A sample of the representation that plays was pulled, under another key than its header's. */
static void give(struct drv *d, cad_time pts)
{
    keys_given(d->engine, &d->engine->slots[CAD_SLOT_VIDEO], rotated, pts);
}

/* A session for it is opened without anything else happening, and playback goes on. */
static void test_keys_many_rotated(void **state)
{
    struct drv *d = hd_played(state, 10 * CAD_SECOND);
    uint32_t opened = drv_cdm_calls(d, CAD_CDM_CALL_OPEN);
    uint32_t licences = drv_requests_of(d, 0, CAD_PURPOSE_LICENCE);
    give(d, drv_stats(d).position + 4 * CAD_SECOND);
    give(d, drv_stats(d).position + 5 * CAD_SECOND);
    assert_true(cad_engine_next_wake(d->engine) <= d->now + CAD_MS);
    drv_play_for(d, 30 * CAD_MS);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), opened + 1);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), licences + 1);
}

/* Its licence has come and does not name it: the representation is of no use, the next may be. */
static void test_keys_many_rotated_in_vain(void **state)
{
    struct drv *d = hd_played(state, 10 * CAD_SECOND);
    give(d, drv_stats(d).position + 3 * CAD_SECOND);
    drv_play_for(d, 2 * CAD_SECOND); /* what comes before it is shown */
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    drv_play_for(d, CAD_SECOND);
    told_once(d, CAD_ERR_DRM_NO_KEY);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.cls, CAD_ERROR_DEGRADED);
    /* The others are under it as well. */
    for (int i = 0; i < DRV_RUNGS - 1 && d->state != CAD_STATE_FAILED; i++) {
        drv_play_for(d, CAD_SECOND);
        if (d->state != CAD_STATE_FAILED) give(d, drv_stats(d).position);
        drv_play_for(d, CAD_SECOND);
    }
    assert_int_equal(d->state, CAD_STATE_FAILED);
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_DRM_NO_KEY);
}

/* The clock stands and is to move, with a key missing: that is buffering, however much was shown
 * before, and it has an end. */
static void test_keys_many_stands_for_one(void **state)
{
    struct drv *d = hd_played(state, 5 * CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    d->cdm.silent = true;
    give(d, CAD_TIME_NONE);
    drv_play(d);
    drv_turns(d);
    assert_int_equal(d->state, CAD_STATE_BUFFERING);
    drv_play_for(d, 9 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_BUFFERING);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    drv_play_for(d, 2 * CAD_SECOND);
    told_once(d, CAD_ERR_DRM_NO_KEY);
    assert_int_equal(d->state, CAD_STATE_PLAYING); /* the next one is not under it */
}

/* A new key every few seconds: the sessions of old ones make room, those in use stay. */
static void test_keys_many_sessions_make_room(void **state)
{
    struct drv *d = hd_played(state, 10 * CAD_SECOND);
    drv_pause(d);
    drv_settle(d);
    for (uint8_t i = 0; i < 20; i++) {
        uint8_t kid[CAD_KEY_ID_SIZE] = {0x80, i};
        keys_need_kid(d->engine, kid);
        drv_feed(d, &(struct cad_event){.type = CAD_EVENT_NET_CHANGE, .u.net = {.online = true}});
        drv_turns(d);
        assert_non_null(keys_session_of_kid(d->engine, kid));
    }
    uint8_t kid[CAD_KEY_ID_SIZE];
    memset(kid, DRV_KID, sizeof kid);
    assert_non_null(keys_session_of_kid(d->engine, kid));
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN) - drv_cdm_calls(d, CAD_CDM_CALL_CLOSE),
                     KEYS_SESSIONS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_keys_many_all_given),
        DRV_TEST(test_keys_many_missing),
        DRV_TEST(test_keys_many_restricted),
        DRV_TEST(test_keys_many_denied),
        DRV_TEST(test_keys_many_restricted_in_play),
        DRV_TEST(test_keys_many_back),
        DRV_TEST(test_keys_many_all_lost),
        DRV_TEST(test_keys_many_rotated),
        DRV_TEST(test_keys_many_rotated_in_vain),
        DRV_TEST(test_keys_many_stands_for_one),
        DRV_TEST(test_keys_many_sessions_make_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
