/*
 * Goal: a title may be the URL of a manifest, or of a bare fragmented MP4 with a sidx, of pictures
 * or of sound alone; any other scheme is refused before a request is made.
 */
#include "driver.h"

#include <string.h>

static void test_url_manifest(void **state)
{
    struct drv *d = *state;
    d->bare_manifest = true;
    drv_load_url(d, "http://svc/title.json", 5);
    drv_play(d);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    const struct drv_request *r = &d->requests[0];
    assert_string_equal(r->url, "http://svc/title.json");
    assert_false(r->post);
    assert_int_equal(drv_last(d, CAD_APP_LOADED)->ticket, 5);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

static void test_url_manifest_of_plain_servers(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.plain_http = true;
    struct drv *d = drv_renew(state, &o);
    d->bare_manifest = true;
    drv_load_url(d, "http://svc/title.json", 5);
    drv_play(d);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    for (uint32_t i = 1; i < d->request_count; i++) {
        /* without o= and t= the range goes into a header */
        assert_true(d->requests[i].range_in_header);
    }
    assert_int_equal(d->bytes_twice, 0);
}

static void play_bare(struct drv *d, const char *url)
{
    drv_load_url(d, url, 5);
    drv_play(d);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_LOADED), 1);
    assert_int_equal(drv_stats(d).duration, 60 * CAD_SECOND);
    assert_int_equal(d->bytes_twice, 0);
}

static void test_url_bare_video(void **state)
{
    struct drv *d = *state;
    play_bare(d, "http://h0/v1.mp4");
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).present);
    assert_false(drv_slot_stats(d, CAD_SLOT_AUDIO).present);
    assert_true(d->sink.config.video);
    assert_false(d->sink.config.audio);
    assert_int_equal(d->sink.slot[CAD_SLOT_AUDIO].count, 0);
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        assert_int_equal(r->stream, 1);
        assert_string_equal(r->url, "http://h0/v1.mp4");
    }
}

static void bare_rungs(struct drv *d)
{
    /* The driver knows samples by rung: a bare file is rung 0 of its own ladder. */
    for (uint32_t i = 0; i < d->sink.slot[0].count; i++) {
        assert_int_equal(d->sink.slot[0].samples[i].rung, 0);
    }
}

static void test_url_bare_video_lowest(void **state)
{
    struct drv *d = *state;
    play_bare(d, "http://h0/v0.mp4");
    bare_rungs(d);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 70 * CAD_SECOND));
    assert_int_equal(d->sink.slot[0].count, 60 * 25);
}

static void test_url_bare_file(void **state)
{
    struct drv *d = *state;
    play_bare(d, "file:///v0.mp4");
    assert_string_equal(d->requests[0].url, "file:///v0.mp4");
}

static void test_url_bare_audio(void **state)
{
    struct drv *d = *state;
    drv_load_url(d, "http://h0/v3.mp4", 5);
    drv_play(d);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_false(drv_slot_stats(d, CAD_SLOT_VIDEO).present);
    assert_true(drv_slot_stats(d, CAD_SLOT_AUDIO).present);
    assert_false(d->sink.config.video);
    assert_true(d->sink.config.audio);
    assert_int_equal(d->sink.slot[CAD_SLOT_VIDEO].count, 0);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 70 * CAD_SECOND));
    assert_int_equal(d->bytes_twice, 0);
    assert_int_equal(drv_count(d, CAD_APP_ENDED), 1);
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_AUDIO];
    assert_true(slot->samples[slot->count - 1].pts > 59 * CAD_SECOND);
}

static void refuse(void **state, const char *url, enum cad_error_code code)
{
    struct drv *d = drv_renew(state, NULL);
    drv_load_url(d, url, 6);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, code);
    assert_int_equal(drv_fatal(d)->domain, CAD_DOMAIN_USER);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->ticket, 6);
    assert_int_equal(d->request_count, 0);
}

static void test_url_refused_schemes(void **state)
{
    refuse(state, "ftp://svc/title.json", CAD_ERR_SCHEME_REFUSED);
    refuse(state, "javascript:alert(1)", CAD_ERR_SCHEME_REFUSED);
    refuse(state, "data:application/json,{}", CAD_ERR_SCHEME_REFUSED);
}

static void test_url_invalid_titles(void **state)
{
    refuse(state, "", CAD_ERR_TITLE_INVALID);
    refuse(state, "not a url", CAD_ERR_TITLE_INVALID);
}

static void test_url_http_not_allowed(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.set_engine = true;
    o.engine.allow_http = false;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    /* the service itself may be refused, or what its manifest lists */
    enum cad_error_code code = drv_fatal(d)->code;
    assert_true(code == CAD_ERR_SCHEME_REFUSED || code == CAD_ERR_MANIFEST_NO_MEDIA);
    assert_int_equal(drv_requests_on(d, 0, 0), 0);
}

static struct drv_answer no_file(struct drv *d, const struct drv_request *r)
{
    (void)d;
    (void)r;
    return (struct drv_answer){.fault = DRV_CLASS, .value = CAD_HTTP_NO_FILE};
}

static void test_url_missing_file(void **state)
{
    struct drv *d = *state;
    d->script = no_file;
    drv_load_url(d, "file:///v0.mp4", 6);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_FILE_NOT_FOUND);
    assert_int_equal(d->request_count, 1);
}

static void test_url_missing_manifest_file(void **state)
{
    struct drv *d = *state;
    d->script = no_file;
    drv_load_url(d, "file:///title.json", 6);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_FILE_NOT_FOUND);
}

static struct drv_answer garbage(struct drv *d, const struct drv_request *r)
{
    (void)d;
    (void)r;
    return (struct drv_answer){.fault = DRV_GARBAGE, .value = 0};
}

static void test_url_bare_garbage(void **state)
{
    struct drv *d = *state;
    d->script = garbage;
    d->strict_bytes = false;
    drv_load_url(d, "http://h0/v0.mp4", 6);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    enum cad_error_domain domain = drv_fatal(d)->domain;
    assert_true(domain == CAD_DOMAIN_MEDIA || domain == CAD_DOMAIN_MANIFEST);
}

static void test_url_bare_unsupported_codec(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.no_introduction = true;
    struct drv *d = drv_renew(state, &o);
    struct cad_event event = {.type = CAD_EVENT_SINK_CAPS};
    event.u.caps = (struct cad_sink_caps){.codecs = 1u << CAD_CODEC_AV1, .video = true,
                                          .audio = true};
    drv_feed(d, &event);
    drv_load_url(d, "http://h0/v0.mp4", 6);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_MEDIA_CODEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_url_manifest),
        DRV_TEST(test_url_manifest_of_plain_servers),
        DRV_TEST(test_url_bare_video_lowest),
        DRV_TEST(test_url_bare_video),
        DRV_TEST(test_url_bare_file),
        DRV_TEST(test_url_bare_audio),
        DRV_TEST(test_url_refused_schemes),
        DRV_TEST(test_url_invalid_titles),
        DRV_TEST(test_url_http_not_allowed),
        DRV_TEST(test_url_missing_file),
        DRV_TEST(test_url_missing_manifest_file),
        DRV_TEST(test_url_bare_garbage),
        DRV_TEST(test_url_bare_unsupported_codec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
