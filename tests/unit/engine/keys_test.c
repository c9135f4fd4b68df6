/*
 * Goal: a protected title plays with a licence that was asked for beside its first media; whatever
 * goes wrong with it ends in the error that says what, and nothing but the sink waits for a key.
 */
#include "driver.h"

#include <string.h>

#include "base/str.h"
#include "engine/keys.h"

static struct drv_options drm_options(void)
{
    struct drv_options o;
    drv_options_init(&o);
    o.drm = true;
    return o;
}

static struct drv *drm(void **state)
{
    struct drv_options o = drm_options();
    return drv_renew(state, &o);
}

/* The manifest does not say where licences are given: the application gives one, or says where. */
static struct drv *configured(void **state, cad_str url, const char *licence)
{
    struct drv_options o = drm_options();
    o.no_licence_link = o.set_engine = true;
    cad_engine_config_init(&o.engine);
    if (url.n) o.engine.licence_url = url;
    if (licence) o.engine.licence = cad_buf_from_str(cad_str_from(licence));
    return drv_renew(state, &o);
}

static void load_and_play(struct drv *d)
{
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
}

static void fails_with(struct drv *d, enum cad_error_code code, cad_time limit)
{
    assert_true(drv_until_state(d, CAD_STATE_FAILED, limit));
    assert_int_equal(drv_fatal(d)->code, code);
}

static void load_and_fail(struct drv *d, enum cad_error_code code, cad_time limit)
{
    drv_load(d, 1);
    fails_with(d, code, limit);
}

static const struct drv_request *first_of(const struct drv *d, enum cad_purpose purpose)
{
    for (uint32_t i = 0; i < d->request_count; i++) {
        if (d->requests[i].purpose == purpose) return &d->requests[i];
    }
    return NULL;
}

static const struct drv_request *licence_request(const struct drv *d)
{
    return first_of(d, CAD_PURPOSE_LICENCE);
}

/* ---- as it should be ------------------------------------------------------------------------- */

static void test_keys_play(void **state)
{
    struct drv *d = drm(state);
    load_and_play(d);
    assert_true(drv_until(d, CAD_APP_ENDED, 70 * CAD_SECOND));
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_stats(d).bytes_twice, 0);
    /* One init data, one session, one licence. */
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), 1);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_UPDATE), 1);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 1);
    assert_int_equal(drv_stats(d).services.licences, 1);
    assert_true(drv_stats(d).services.is_protected);
    assert_int_equal(drv_stats(d).services.keys, CAD_KEY_USABLE);
    assert_string_equal(drv_first(d, CAD_APP_KEYS)->text, "pending");
    assert_string_equal(drv_last(d, CAD_APP_KEYS)->text, "usable");
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_turns(d);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_CLOSE), 1);
}

/* In the turn of the header requests, with the highest priority, in the service's own form. */
static void test_keys_asked_beside_headers(void **state)
{
    struct drv *d = drm(state);
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_LOADED, CAD_SECOND));
    drv_turns(d);
    const struct drv_request *r = licence_request(d);
    assert_non_null(r);
    assert_ptr_equal(first_of(d, CAD_PURPOSE_SEGMENT), NULL);
    assert_int_equal(r->started, first_of(d, CAD_PURPOSE_HEADER)->started);
    assert_true(r->post);
    assert_int_equal(r->priority, 0);
    assert_string_equal(r->url, "http://svc/license?a=1");
    assert_string_equal(r->content_type, "application/json");
    assert_non_null(strstr(r->body, "\"challengeBase64\":\"YSBjaGFsbGVuZ2U=\""));
    assert_non_null(strstr(r->body, "\"drmSessionId\":\"s"));
    assert_non_null(strstr(r->body, "\"xid\":\""));
    assert_non_null(strstr(r->body, "\"clientTime\":1772324"));
}

static cad_time slow_licence(void **state, cad_time delay, cad_time *first)
{
    struct drv *d = drm(state);
    d->cdm.silent = true; /* the licence is answered by hand */
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_LOADED, CAD_SECOND));
    cad_time from = d->now;
    drv_play_for(d, delay);
    assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 0);
    assert_int_equal(drv_count(d, CAD_APP_STALL_BEGIN), 0);
    assert_int_equal(d->state, CAD_STATE_BUFFERING);
    /* Media have come meanwhile, as far as they may. */
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead >= 2 * CAD_SECOND);
    d->cdm.silent = false;
    struct cad_cdm_call open = d->cdm.calls[0];
    drv_cdm_call(d, &open);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, CAD_SECOND));
    *first = d->now - from;
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_STALL_BEGIN), 0);
    return delay;
}

/* A start that waits for its key alone is no stall, and goes on in the turn that it comes. */
static void test_keys_late(void **state)
{
    cad_time first = 0;
    cad_time delay = slow_licence(state, 6 * CAD_SECOND, &first);
    assert_true(first - delay <= 100 * CAD_MS);
}

static void test_keys_inline(void **state)
{
    struct drv_options o = drm_options();
    o.inline_licence = DRV_LICENCE;
    struct drv *d = drv_renew(state, &o);
    load_and_play(d);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 0);
}

/* A session that was lost gets it again. */
static void test_keys_inline_again(void **state)
{
    struct drv_options o = drm_options();
    o.no_licence_link = true;
    o.inline_licence = DRV_LICENCE;
    struct drv *d = drv_renew(state, &o);
    load_and_play(d);
    drv_cdm_tell(d, CAD_CDM_EVENT_CLOSED, 0);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_UPDATE), 2);
}

/* One that is of no use here: the service is asked after all. */
static void test_keys_inline_useless(void **state)
{
    struct drv_options o = drm_options();
    o.inline_licence = "something else";
    struct drv *d = drv_renew(state, &o);
    load_and_play(d);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 1);
}

static void test_keys_configured(void **state)
{
    struct drv *d = configured(state, CAD_STR(""), DRV_LICENCE);
    load_and_play(d);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 0);
}

/* The service's address may be the application's; the body is then the challenge itself. */
static void test_keys_configured_url(void **state)
{
    struct drv *d = configured(state, CAD_STR("http://keys.example/get"), NULL);
    d->cdm.answer = DRV_LICENCE;
    load_and_play(d);
    assert_string_equal(licence_request(d)->url, "http://keys.example/get");
    assert_string_equal(licence_request(d)->body, "a challenge");
}

static struct drv_answer from_inside(struct drv *d, const struct drv_request *r)
{
    bool first = d->script_value == 0;
    bool licence = r->purpose == CAD_PURPOSE_LICENCE;
    if (!licence) return (struct drv_answer){.address = CAD_ADDRESS_PUBLIC};
    d->script_value++;
    return (struct drv_answer){.fault = first ? DRV_STATUS : DRV_SERVE, .value = 307,
                               .location = "http://other.example/get",
                               .address = CAD_ADDRESS_PRIVATE};
}

/* The application may name a service farther in than the manifest could; where that one sends us
 * to is no farther in than it is itself. */
static void test_keys_configured_inside(void **state)
{
    struct drv *d = configured(state, CAD_STR("http://keys.example/get"), NULL);
    d->cdm.answer = DRV_LICENCE;
    d->script = from_inside;
    load_and_play(d);
    const struct drv_request *r = licence_request(d);
    assert_int_equal(first_of(d, CAD_PURPOSE_HEADER)->address_max, CAD_ADDRESS_PUBLIC);
    assert_int_equal(r->address_max, CAD_ADDRESS_UNKNOWN);
    while ((++r)->purpose != CAD_PURPOSE_LICENCE) assert_true(r < d->requests + d->request_count);
    assert_string_equal(r->url, "http://other.example/get");
    assert_int_equal(r->address_max, CAD_ADDRESS_PRIVATE);
}

/* ---- refused, late, garbage ------------------------------------------------------------------ */

static struct drv_answer licence_status(struct drv *d, const struct drv_request *r)
{
    if (r->purpose != CAD_PURPOSE_LICENCE) return (struct drv_answer){.fault = DRV_SERVE};
    return (struct drv_answer){.fault = DRV_STATUS, .value = d->script_value};
}

static void test_keys_refused(void **state)
{
    struct drv *d = drm(state);
    d->script = licence_status;
    d->script_value = 403;
    load_and_fail(d, CAD_ERR_DRM_LICENCE_DENIED, 5 * CAD_SECOND);
    assert_int_equal(drv_fatal(d)->http_status, 403);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 1);
    assert_int_equal(drv_open_requests(d), 0);
}

/* Five attempts, 0.5, 1, 2 and 4 s apart, then the error that says what was missing. */
static void test_keys_service_broken(void **state)
{
    struct drv *d = drm(state);
    d->script = licence_status;
    d->script_value = 500;
    load_and_fail(d, CAD_ERR_DRM_LICENCE_NET, 15 * CAD_SECOND);
    assert_int_equal(drv_fatal(d)->attempts, 5);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 5);
    assert_int_equal(drv_count(d, CAD_APP_STALL_BEGIN), 0);
}

static struct drv_answer licence_silent(struct drv *d, const struct drv_request *r)
{
    (void)d;
    bool licence = r->purpose == CAD_PURPOSE_LICENCE;
    return (struct drv_answer){.fault = licence ? DRV_SILENT : DRV_SERVE, .value = -1};
}

static struct drv_answer licence_large(struct drv *d, const struct drv_request *r)
{
    (void)d;
    bool licence = r->purpose == CAD_PURPOSE_LICENCE;
    return (struct drv_answer){.fault = licence ? DRV_CLASS : DRV_SERVE,
                               .value = CAD_HTTP_TOO_LARGE};
}

/* More than any licence is: it was an answer, and no licence. */
static void test_keys_too_large(void **state)
{
    struct drv *d = drm(state);
    d->script = licence_large;
    load_and_fail(d, CAD_ERR_DRM_LICENCE_BAD, 2 * CAD_SECOND);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 1);
}

/* Nobody answers: the wait has an end. */
static void test_keys_service_silent(void **state)
{
    struct drv *d = drm(state);
    d->script = licence_silent;
    drv_load(d, 1);
    cad_time from = d->now;
    fails_with(d, CAD_ERR_DRM_LICENCE_NET, 15 * CAD_SECOND);
    assert_true(d->now - from >= 9 * CAD_SECOND);
    assert_int_equal(drv_open_requests(d), 0);
}

static void test_keys_garbage(void **state)
{
    static const char *const answers[] = {
        "", "{", "[]", "{\"license\":{}}", "{\"licenseResponseBase64\":\"!\"}", "null",
        "{\"licenseResponseBase64\":\"\"}", "{\"licenseResponseBase64\":\"c29tZXRoaW5nIGVsc2U=\"}"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct drv *d = drm(state);
        d->cdm.answer = answers[i];
        load_and_fail(d, CAD_ERR_DRM_LICENCE_BAD, 5 * CAD_SECOND);
    }
}

/* ---- what the CDM says ----------------------------------------------------------------------- */

static void test_keys_without_cdm(void **state)
{
    struct drv_options o = drm_options();
    o.no_cdm = true;
    struct drv *d = drv_renew(state, &o);
    load_and_fail(d, CAD_ERR_MANIFEST_NO_MEDIA, 5 * CAD_SECOND);
}

/* A licence with another key than the one that is needed. */
static void test_keys_other_key(void **state)
{
    struct drv *d = drm(state);
    d->cdm.kid = 0x77;
    load_and_fail(d, CAD_ERR_DRM_NO_KEY, 5 * CAD_SECOND);
}

static void check_status(void **state, enum cad_key_status status, enum cad_error_code code)
{
    struct drv *d = drm(state);
    d->cdm.status = status;
    load_and_fail(d, code, 15 * CAD_SECOND);
}

static void test_keys_statuses(void **state)
{
    check_status(state, CAD_KEY_EXPIRED, CAD_ERR_DRM_KEY_EXPIRED);
    check_status(state, CAD_KEY_RELEASED, CAD_ERR_DRM_KEY_DENIED);
    check_status(state, CAD_KEY_ERROR, CAD_ERR_DRM_KEY_DENIED);
    check_status(state, CAD_KEY_OUTPUT_RESTRICTED, CAD_ERR_DRM_OUTPUT);
    check_status(state, CAD_KEY_FUTURE, CAD_ERR_DRM_NO_KEY);  /* after key_wait */
    check_status(state, CAD_KEY_PENDING, CAD_ERR_DRM_NO_KEY);
}

static void test_keys_cdm_refuses(void **state)
{
    struct drv *d = drm(state);
    d->cdm.open = CAD_E_IO;
    load_and_fail(d, CAD_ERR_DRM_INIT, 5 * CAD_SECOND);
    d = drm(state);
    d->cdm.request = CAD_E_DATA;
    load_and_fail(d, CAD_ERR_DRM_INIT_DATA, 5 * CAD_SECOND);
}

/* Init data that names no key for a system that wants one: the known key ids are named instead. */
static void test_keys_by_key_ids(void **state)
{
    struct drv *d = drm(state);
    d->cdm.request = CAD_E_NOTFOUND;
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_REQUEST), 2);
    assert_int_equal(d->cdm.calls[1].init_type, CAD_INIT_CENC);
    assert_int_equal(d->cdm.calls[2].init_type, CAD_INIT_KEYIDS);
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_DRM_INIT_DATA);
}

/* A CDM that never answers: nothing hangs. */
static void test_keys_cdm_silent(void **state)
{
    struct drv *d = drm(state);
    d->cdm.silent = true;
    load_and_fail(d, CAD_ERR_DRM_NO_KEY, 15 * CAD_SECOND);
}

/* A session that was lost is opened again, three times; nothing is fetched anew for it. */
static void test_keys_session_lost(void **state)
{
    struct drv *d = drm(state);
    load_and_play(d);
    for (uint32_t i = 0; i < 3; i++) {
        drv_cdm_tell(d, CAD_CDM_EVENT_CLOSED, 0);
        drv_play_for(d, 2 * CAD_SECOND);
        assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), 2 + i);
        assert_int_equal(d->state, CAD_STATE_PLAYING);
    }
    d->cdm.opens = false;
    drv_cdm_tell(d, CAD_CDM_EVENT_CLOSED, 0);
    fails_with(d, CAD_ERR_DRM_RESET, 30 * CAD_SECOND);
    assert_int_equal(drv_stats(d).bytes_twice, 0);
}

/* Events of a title that is gone, of sessions that never were, twice: nobody minds. */
static void test_keys_strange_events(void **state)
{
    struct drv *d = drm(state);
    load_and_play(d);
    struct cad_cdm_tag tag = d->cdm.session;
    for (int type = CAD_CDM_EVENT_DONE; type <= CAD_CDM_EVENT_STORE_DELETE; type++) {
        d->cdm.session = (struct cad_cdm_tag){tag.session + 7, tag.epoch, 0};
        drv_cdm_tell(d, (enum cad_cdm_event_type)type, 0);
        d->cdm.session = (struct cad_cdm_tag){tag.session, tag.epoch + 1, 0};
        drv_cdm_tell(d, (enum cad_cdm_event_type)type, CAD_E_DATA);
    }
    d->cdm.session = tag;
    drv_cdm_tell(d, CAD_CDM_EVENT_DONE, CAD_E_DATA);
    drv_cdm_tell(d, CAD_CDM_EVENT_MESSAGE, 0);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
}

/* More time is asked for before the keys end; playback does not notice. */
static void test_keys_renewed(void **state)
{
    struct drv *d = drm(state);
    d->cdm.expiry = (DRV_EPOCH_MS + 140 * 1000) * CAD_MS; /* 40 s from here */
    load_and_play(d);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 1);
    d->cdm.expiry = (DRV_EPOCH_MS + 1000 * 1000) * CAD_MS;
    drv_play_for(d, 9 * CAD_SECOND);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 2);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
}

/* The key goes in mid-play: what is held cannot be opened any more. */
static void test_keys_revoked(void **state)
{
    struct drv *d = drm(state);
    load_and_play(d);
    drv_play_for(d, 3 * CAD_SECOND);
    d->cdm.status = CAD_KEY_EXPIRED;
    drv_cdm_keys(d, DRV_KID, CAD_KEY_EXPIRED);
    fails_with(d, CAD_ERR_DRM_KEY_EXPIRED, CAD_SECOND);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 2); /* once more, in vain */
}

/* A key whose time is over is asked for again, and playback goes on. */
static void test_keys_expired_and_back(void **state)
{
    struct drv *d = drm(state);
    load_and_play(d);
    for (int i = 0; i < 2; i++) {
        drv_play_for(d, 3 * CAD_SECOND);
        drv_cdm_keys(d, DRV_KID, CAD_KEY_EXPIRED);
    }
    assert_true(drv_until(d, CAD_APP_ENDED, 70 * CAD_SECOND));
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 3);
}

/* Asking for more time in vain is no error while there is some left: it is asked for again. */
static void test_keys_renewed_late(void **state)
{
    struct drv *d = drm(state);
    d->cdm.expiry = (DRV_EPOCH_MS + 1000 * 1000) * CAD_MS; /* 900 s from here */
    load_and_play(d);
    drv_pause(d);
    drv_play_for(d, 800 * CAD_SECOND);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 1);
    d->script = licence_status;
    d->script_value = 500;
    drv_play_for(d, 90 * CAD_SECOND); /* five attempts, 30 s, five attempts */
    uint32_t asked = drv_requests_of(d, 0, CAD_PURPOSE_LICENCE);
    assert_int_equal(asked, 11);
    d->script = NULL;
    d->cdm.expiry = (DRV_EPOCH_MS + 5000 * 1000) * CAD_MS;
    drv_play_for(d, 40 * CAD_SECOND);
    asked = drv_requests_of(d, 0, CAD_PURPOSE_LICENCE);
    drv_play(d);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), asked);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
}

/* The sink says that it stands for a key: that alone ends nothing. */
static void test_keys_sink_stands(void **state)
{
    struct drv *d = drm(state);
    struct cad_event ev = {.type = CAD_EVENT_SINK_FAIL};
    load_and_play(d);
    ev.u.fail = (struct cad_sink_fail){.error = CAD_ERR_DRM_OUTPUT};
    drv_feed(d, &ev);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
    /* But it does not move again, and the CDM never said why. */
    d->sink.stuck = true;
    fails_with(d, CAD_ERR_DRM_OUTPUT, 20 * CAD_SECOND);
}

/* A sample that could not be decrypted is dropped and told; the third in a while is the end. */
static void test_keys_decrypt_fails(void **state)
{
    struct drv *d = drm(state);
    struct cad_event ev = {.type = CAD_EVENT_SINK_FAIL};
    load_and_play(d);
    ev.u.fail = (struct cad_sink_fail){.error = CAD_ERR_DRM_DECRYPT};
    for (int i = 0; i < 4; i++) {
        drv_feed(d, &ev);
        drv_play_for(d, 6 * CAD_SECOND);
        assert_int_equal(d->state, CAD_STATE_PLAYING);
    }
    assert_int_equal(drv_count(d, CAD_APP_ERROR), 4);
    uint32_t opened = drv_cdm_calls(d, CAD_CDM_CALL_OPEN);
    for (int i = 0; i < 3; i++) drv_feed(d, &ev);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), opened + 1); /* with a new licence */
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    for (int i = 0; i < 3; i++) drv_feed(d, &ev);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 20 * CAD_SECOND));
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), opened + 1);
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_DRM_DECRYPT);
}

/* A message beyond the limit ends its session by that error, and holds up nothing. */
static void test_keys_message_too_long(void **state)
{
    static uint8_t bytes[KEYS_MESSAGE_MAX + 1];
    for (size_t n = KEYS_MESSAGE_MAX; n <= sizeof(bytes); n++) {
        struct drv *d = drm(state);
        memset(bytes, 'm', sizeof(bytes));
        d->cdm.message = (cad_buf){bytes, n};
        drv_load(d, 1);
        drv_play_for(d, 2 * CAD_SECOND);
        bool fits = n == KEYS_MESSAGE_MAX;
        assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), fits ? 1 : 0);
        assert_int_equal(d->state, fits ? CAD_STATE_PLAYING : CAD_STATE_FAILED);
        if (!fits) assert_int_equal(drv_fatal(d)->code, CAD_ERR_DRM_LIMIT);
    }
}

static void test_keys_url_too_long(void **state)
{
    static char url[70000] = "http://svc/license?a=";
    memset(url + strlen(url), 'x', sizeof(url) - strlen(url));
    struct drv *d = configured(state, (cad_str){url, sizeof(url)}, NULL);
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_FAILED);
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_DRM_LICENCE_NET);
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_LICENCE), 0);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void test_keys_prepared(void **state)
{
    struct drv *d = drm(state);
    drv_prepare(d, 1);
    assert_true(drv_until(d, CAD_APP_PREPARED, 5 * CAD_SECOND));
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_UPDATE), 1);
    uint32_t requests = d->request_count;
    cad_time at = d->now;
    drv_load(d, 2);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, CAD_SECOND));
    assert_true(d->now - at <= 100 * CAD_MS);
    assert_int_equal(drv_requests_of(d, requests, CAD_PURPOSE_LICENCE), 0);
}

/* Stopped at every moment of the start. */
static void test_keys_stopped(void **state)
{
    for (cad_time wait = 0; wait < 300 * CAD_MS; wait += DRV_TICK) {
        struct drv_options o = drm_options();
        o.rate_bps = 4000000;
        struct drv *d = drv_renew(state, &o);
        drv_load(d, 1);
        drv_play_for(d, wait);
        drv_command(d, CAD_COMMAND_STOP, 0);
        drv_turns(d);
        assert_int_equal(drv_open_requests(d), 0);
        assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), drv_cdm_calls(d, CAD_CDM_CALL_CLOSE));
        drv_net_forget(d);
        drv_load(d, 2);
        assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    }
}

/* The answer of the licence request that nobody answered, and what follows it into one turn. */
static void answer_licence(struct drv *d)
{
    static const char body[] = "{\"licenseResponseBase64\":\"YSBsaWNlbmNl\"}";
    const struct drv_request *r = licence_request(d);
    struct cad_event e = {.type = CAD_EVENT_HTTP_HEAD};
    uint8_t *data = NULL;
    size_t room = 0;
    assert_non_null(r);
    e.u.head = (struct cad_http_head){.id = r->id, .status = 200, .length = sizeof body - 1,
                                      .range = {-1, -1}, .total = -1,
                                      .retry_after = CAD_TIME_NONE};
    drv_feed(d, &e);
    assert_int_equal(cad_engine_lease(d->engine, r->id, sizeof body - 1, &data, &room), 0);
    assert_int_equal(room, sizeof body - 1);
    memcpy(data, body, room);
    assert_int_equal(cad_engine_commit(d->engine, r->id, room, d->now), 0);
    e = (struct cad_event){.type = CAD_EVENT_HTTP_END};
    e.u.end = (struct cad_http_end){.id = r->id, .cls = CAD_HTTP_OK, .dns = CAD_TIME_NONE,
                                    .connect = CAD_TIME_NONE, .tls = CAD_TIME_NONE,
                                    .first_byte = d->now, .last_byte = d->now};
    drv_feed(d, &e);
}

/* A licence and the end of its session in one turn: no call shows what is gone by then. */
static void test_keys_stopped_with_licence(void **state)
{
    struct drv *d = drm(state);
    d->script = licence_silent;
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    answer_licence(d);
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_turns(d);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_UPDATE), 0);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_CLOSE), 1);

    d = drm(state);
    d->script = licence_silent;
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    answer_licence(d);
    drv_cdm_tell(d, CAD_CDM_EVENT_FAILED, CAD_E_IO);
    drv_turns(d);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_UPDATE), 0);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_CLOSE), 1);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), 2);
}

/* After its end nothing is asked of a CDM, and nothing that it says counts. */
static void test_keys_cdm_gone(void **state)
{
    struct drv *d = drm(state);
    load_and_play(d);
    uint32_t calls = d->cdm.call_count;
    d->cdm.session.session = 0;
    d->cdm.expiry = d->now + CAD_SECOND; /* of the timer */
    drv_cdm_tell(d, CAD_CDM_EVENT_TIMER, 0);
    drv_cdm_tell(d, CAD_CDM_EVENT_FAILED, CAD_E_LOST);
    d->cdm.opens = false;
    fails_with(d, CAD_ERR_DRM_CRASHED, 10 * CAD_SECOND);
    drv_cdm_tell(d, CAD_CDM_EVENT_TIMER, 0);
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->cdm.call_count, calls);
    assert_int_equal(d->cdm.timers, 0);
}

/* A session that is of no use is given back: a CDM has room for so many. */
static void test_keys_refused_closes(void **state)
{
    struct drv *d = drm(state);
    d->script = licence_status;
    d->script_value = 403;
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    drv_turns(d);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), 1);
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_CLOSE), 1);
}

static void test_keys_seek(void **state)
{
    struct drv *d = drm(state);
    load_and_play(d);
    drv_seek(d, 40 * CAD_SECOND, 9);
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    drv_seek(d, 2 * CAD_SECOND, 10);
    d->strict_bytes = false;
    assert_true(drv_until(d, CAD_APP_SEEK_DONE, 5 * CAD_SECOND));
    assert_int_equal(drv_cdm_calls(d, CAD_CDM_CALL_OPEN), 1);
}

static void test_keys_allocations(void **state)
{
    uint64_t failures = 0;
    for (uint64_t at = 1;; at++) {
        struct drv_options o = drm_options();
        o.duration = 20 * CAD_SECOND;
        o.fail_at = at;
        struct drv *d = drv_renew(state, &o);
        failures++;
        if (!d) continue;
        d->strict_bytes = false;
        drv_load(d, 1);
        drv_play_for(d, 14 * CAD_SECOND);
        if (d->fatal) {
            assert_int_equal(d->fatal, CAD_E_NOMEM);
        } else if (d->state == CAD_STATE_FAILED) {
            enum cad_error_code code = drv_fatal(d)->code;
            assert_true(code == CAD_ERR_OUT_OF_MEMORY || code == CAD_ERR_DRM_NO_KEY);
            assert_int_equal(drv_open_requests(d), 0);
        } else {
            assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 1);
        }
        if (!d->failing.failed) break;
    }
    assert_true(failures > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_keys_play),           DRV_TEST(test_keys_asked_beside_headers),
        DRV_TEST(test_keys_late),           DRV_TEST(test_keys_inline),
        DRV_TEST(test_keys_inline_useless), DRV_TEST(test_keys_configured),
        DRV_TEST(test_keys_configured_url), DRV_TEST(test_keys_refused),
        DRV_TEST(test_keys_service_broken), DRV_TEST(test_keys_service_silent),
        DRV_TEST(test_keys_too_large),      DRV_TEST(test_keys_configured_inside),
        DRV_TEST(test_keys_garbage),        DRV_TEST(test_keys_without_cdm),
        DRV_TEST(test_keys_other_key),      DRV_TEST(test_keys_statuses),
        DRV_TEST(test_keys_cdm_refuses),    DRV_TEST(test_keys_by_key_ids),
        DRV_TEST(test_keys_cdm_silent),     DRV_TEST(test_keys_session_lost),
        DRV_TEST(test_keys_strange_events), DRV_TEST(test_keys_renewed),
        DRV_TEST(test_keys_revoked),        DRV_TEST(test_keys_prepared),
        DRV_TEST(test_keys_stopped),        DRV_TEST(test_keys_stopped_with_licence),
        DRV_TEST(test_keys_refused_closes), DRV_TEST(test_keys_seek),
        DRV_TEST(test_keys_cdm_gone),       DRV_TEST(test_keys_expired_and_back),
        DRV_TEST(test_keys_renewed_late),   DRV_TEST(test_keys_sink_stands),
        DRV_TEST(test_keys_decrypt_fails),  DRV_TEST(test_keys_allocations),
        DRV_TEST(test_keys_url_too_long),   DRV_TEST(test_keys_message_too_long),
        DRV_TEST(test_keys_inline_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
