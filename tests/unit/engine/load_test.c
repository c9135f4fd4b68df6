/*
 * Goal: a service's title is asked for as licensed manifest 2 and 3 say, asked again as they say,
 * and every way it can fail ends in one typed error within its time.
 */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

static const char *param(const char *url, const char *name, char *out, size_t cap)
{
    char key[64];
    (void)snprintf(key, sizeof key, "%s=", name);
    const char *p = strchr(url, '?');
    while (p) {
        p++;
        if (strncmp(p, key, strlen(key)) == 0) {
            p += strlen(key);
            size_t n = strcspn(p, "&");
            assert_true(n < cap);
            memcpy(out, p, n);
            out[n] = '\0';
            return out;
        }
        p = strchr(p, '&');
    }
    return NULL;
}

static void test_load_request_url(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.set_engine = true;
    o.engine.app_name = CAD_STR("my app&x");
    o.engine.app_version = CAD_STR("1.2 beta");
    o.engine.platform = CAD_STR("tv/os");
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    drv_turns(d);
    assert_int_equal(d->request_count, 1);
    const struct drv_request *r = &d->requests[0];
    assert_true(r->post);
    assert_int_equal(r->purpose, CAD_PURPOSE_MANIFEST);
    const char *path = "http://svc/msl/playapi/cadmium/licensedmanifest/1?";
    assert_int_equal(strncmp(r->url, path, strlen(path)), 0);
    char v[128];
    assert_string_equal(param(r->url, "reqAttempt", v, sizeof v), "1");
    const char *name = param(r->url, "reqName", v, sizeof v);
    assert_string_equal(name, "licensedManifest");
    assert_non_null(param(r->url, "reqId", v, sizeof v));
    assert_int_equal(strlen(v), 32);
    assert_int_equal(strspn(v, "0123456789abcdef"), 32);
    assert_string_equal(param(r->url, "mainContentViewableId", v, sizeof v), "900100");
    assert_string_equal(param(r->url, "clienttype", v, sizeof v), "cadmium-c");
    assert_string_equal(param(r->url, "browsername", v, sizeof v), "my%20app%26x");
    assert_string_equal(param(r->url, "uiversion", v, sizeof v), "1.2%20beta");
    assert_string_equal(param(r->url, "browserversion", v, sizeof v), cad_version());
    assert_string_equal(param(r->url, "osname", v, sizeof v), "tv%2Fos");
    assert_string_equal(r->content_type, "application/json");
    assert_int_equal(r->size_max, 8 * 1024 * 1024);
}

static bool has(const char *body, const char *text)
{
    return strstr(body, text) != NULL;
}

static void test_load_request_body(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_turns(d);
    const char *body = d->requests[0].body;
    assert_non_null(body);
    assert_true(has(body, "\"version\":2"));
    assert_true(has(body, "\"url\":\"licensedManifest\""));
    assert_true(has(body, "\"id\":"));
    assert_true(has(body, "\"languages\":["));
    assert_true(has(body, "\"params\":{"));
    assert_true(has(body, "\"type\":\"standard\""));
    assert_true(has(body, "\"manifestVersion\":\"v2\""));
    assert_true(has(body, "\"viewableId\":900100"));
    assert_true(has(body, "\"flavor\":\"STANDARD\""));
    assert_true(has(body, "\"profiles\":[\""));
    assert_true(has(body, "\"xid\":\""));
    assert_true(has(body, "h264mpl40-dash-clear"));
    /* never claim what the device cannot do: its sink knows neither */
    assert_false(has(body, "av1-"));
    assert_false(has(body, "hevc-"));
    assert_false(has(body, "opus"));
    struct cad_json j;
    cad_json_init(&j, cad_str_from(body), NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_OBJECT_BEGIN);
    assert_int_equal(cad_json_skip(&j), 0);
    assert_int_equal(cad_json_next(&j), CAD_JSON_END);
}

static struct drv_answer busy_twice(struct drv *d, const struct drv_request *r)
{
    (void)r;
    if (d->script_value-- > 0) return (struct drv_answer){.fault = DRV_STATUS, .value = 503};
    return (struct drv_answer){.fault = DRV_SERVE};
}

static void test_load_retries_on_503(void **state)
{
    struct drv *d = *state;
    d->script = busy_twice;
    d->script_value = 2;
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_LOADED, 10 * CAD_SECOND));
    assert_int_equal(drv_requests_of(d, 0, CAD_PURPOSE_MANIFEST), 3);
    char id[3][64], attempt[16];
    const char *expected[] = {"1", "2", "3"};
    for (int i = 0; i < 3; i++) {
        assert_non_null(param(d->requests[i].url, "reqId", id[i], 64));
        assert_string_equal(id[i], id[0]);
        assert_string_equal(param(d->requests[i].url, "reqAttempt", attempt, 16), expected[i]);
        /* one logical request: the same question, whatever its number */
        assert_string_equal(strstr(d->requests[i].body, "\"params\""),
                            strstr(d->requests[0].body, "\"params\""));
    }
    /* waits of 0.5 s and 2 s, 20 % either way, after an answer of 10 ms */
    cad_time first = d->requests[1].started - d->requests[0].started - d->options.latency;
    cad_time second = d->requests[2].started - d->requests[1].started - d->options.latency;
    assert_in_range(first, 400 * CAD_MS, 620 * CAD_MS);
    assert_in_range(second, 1600 * CAD_MS, 2420 * CAD_MS);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

static void test_load_gives_up_on_503(void **state)
{
    struct drv *d = *state;
    d->script = busy_twice;
    d->script_value = 100;
    drv_load(d, 9);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 12 * CAD_SECOND));
    assert_int_equal(d->request_count, 3);
    const struct cad_error *error = drv_fatal(d);
    assert_int_equal(error->code, CAD_ERR_HTTP_SERVER);
    assert_int_equal(error->http_status, 503);
    assert_int_equal(error->phase, CAD_PHASE_MANIFEST);
    assert_int_equal(error->attempts, 3);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->ticket, 9);
    assert_int_equal(drv_last(d, CAD_APP_STATE)->state, CAD_STATE_FAILED);
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(d->request_count, 3);
}

static struct drv_answer later(struct drv *d, const struct drv_request *r)
{
    (void)r;
    struct drv_answer answer = {.fault = DRV_SERVE};
    if (d->script_value-- > 0) {
        answer = (struct drv_answer){.fault = DRV_STATUS, .value = 429,
                                     .retry_after = 4 * CAD_SECOND};
    }
    return answer;
}

static void test_load_honours_retry_after(void **state)
{
    struct drv *d = *state;
    d->script = later;
    d->script_value = 1;
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_LOADED, 10 * CAD_SECOND));
    assert_int_equal(d->request_count >= 2, 1);
    cad_time wait = d->requests[1].started - d->requests[0].started;
    assert_in_range(wait, 4 * CAD_SECOND, 5 * CAD_SECOND);
}

static struct drv_answer status_of_value(struct drv *d, const struct drv_request *r)
{
    (void)r;
    return (struct drv_answer){.fault = DRV_STATUS, .value = d->script_value};
}

static struct drv_answer class_of_value(struct drv *d, const struct drv_request *r)
{
    (void)r;
    return (struct drv_answer){.fault = DRV_CLASS, .value = d->script_value};
}

static void test_load_404(void **state)
{
    struct drv *d = *state;
    d->script = status_of_value;
    d->script_value = 404;
    drv_load(d, 4);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(d->request_count, 1);
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_HTTP_NOT_FOUND);
    assert_int_equal(drv_fatal(d)->http_status, 404);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->ticket, 4);
}

static void test_load_edge_failures(void **state)
{
    static const struct { enum cad_http_class cls; enum cad_error_code code; } rows[] = {
        {CAD_HTTP_DNS, CAD_ERR_NET_DNS}, {CAD_HTTP_CONNECT, CAD_ERR_NET_CONNECT},
        {CAD_HTTP_TLS, CAD_ERR_NET_TLS}, {CAD_HTTP_CERTIFICATE, CAD_ERR_NET_CERTIFICATE},
        {CAD_HTTP_TIMEOUT, CAD_ERR_NET_TIMEOUT}, {CAD_HTTP_RESET, CAD_ERR_NET_RESET},
        {CAD_HTTP_PROTOCOL, CAD_ERR_NET_PROTOCOL}, {CAD_HTTP_TOO_LARGE, CAD_ERR_MANIFEST_LIMIT},
        {CAD_HTTP_NO_FILE, CAD_ERR_FILE_NOT_FOUND}, {CAD_HTTP_BAD_FILE, CAD_ERR_FILE_UNREADABLE},
        {CAD_HTTP_SCHEME, CAD_ERR_SCHEME_REFUSED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct drv *d = drv_renew(state, NULL);
        d->script = class_of_value;
        d->script_value = rows[i].cls;
        drv_load(d, 4);
        /* "within 5 s one typed error" is the certificate's; the network may take its 10 s
         * budget */
        assert_true(drv_until_state(d, CAD_STATE_FAILED, 12 * CAD_SECOND));
        assert_int_equal(drv_fatal(d)->code, rows[i].code);
        assert_int_equal(drv_fatal(d)->edge_code, 7);
        assert_int_equal(drv_count(d, CAD_APP_LOADED), 0);
    }
}

static void test_load_certificate_within_5_s(void **state)
{
    struct drv *d = *state;
    d->script = class_of_value;
    d->script_value = CAD_HTTP_CERTIFICATE;
    drv_load(d, 4);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
}

static void fails_with(struct drv *d, const char *manifest, enum cad_error_code code)
{
    free(d->manifest);
    d->manifest = drv_malloc(strlen(manifest) + 1);
    memcpy(d->manifest, manifest, strlen(manifest));
    drv_load(d, 4);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, code);
    assert_int_equal(drv_fatal(d)->cls, CAD_ERROR_FATAL);
    assert_int_equal(drv_open_requests(d), 0);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->ticket, 4);
}

static void test_load_malformed_manifest(void **state)
{
    fails_with(*state, "{\"movieId\":1,\n]", CAD_ERR_MANIFEST_BAD);
    const char *begin = "the manifest is broken in line 2: ";
    assert_memory_equal(drv_fatal(*state)->message, begin, strlen(begin));
}

static void test_load_empty_manifest(void **state)
{
    fails_with(*state, "", CAD_ERR_MANIFEST_BAD);
}

static void test_load_html_instead_of_a_manifest(void **state)
{
    fails_with(*state, "<html><body>Hello</body></html>",
               CAD_ERR_MANIFEST_BAD);
}

static void test_load_truncated_manifest(void **state)
{
    struct drv *d = *state;
    char *text = drv_manifest_text(d);
    text[strlen(text) / 2] = '\0';
    fails_with(d, text, CAD_ERR_MANIFEST_BAD);
    free(text);
}

static void test_load_manifest_without_media(void **state)
{
    fails_with(*state, "{\"movieId\":1,\"playbackContextId\":\"c\",\"duration\":1000,"
               "\"expiration\":"
               "1972367600000,\"servers\":[],\"locations\":[],\"links\":{},\"video_tracks\":[],"
               "\"audio_tracks\":[]}", CAD_ERR_MANIFEST_NO_MEDIA);
}

static void test_load_denied(void **state)
{
    struct drv *d = *state;
    fails_with(d, "{\"version\":2,\"result\":null,\"error\":{\"code\":7,\"subCode\":8,"
               "\"message\":\"not in your country\",\"retryable\":false}}",
               CAD_ERR_MANIFEST_DENIED);
    assert_non_null(strstr(drv_fatal(d)->message, "not in your country"));
    assert_int_equal(d->request_count, 1);
}

static void test_load_denied_but_retryable(void **state)
{
    struct drv *d = *state;
    const char *text = "{\"version\":2,\"result\":null,\"error\":{\"code\":7,\"message\":\"busy\","
                       "\"retryable\":true,\"retryAfterMs\":1000}}";
    d->manifest = drv_malloc(strlen(text) + 1);
    memcpy(d->manifest, text, strlen(text));
    drv_load(d, 4);
    drv_play_for(d, 500 * CAD_MS);
    assert_int_equal(d->state, CAD_STATE_LOADING);
    free(d->manifest);
    d->manifest = NULL;
    assert_true(drv_until(d, CAD_APP_LOADED, 5 * CAD_SECOND));
    assert_in_range(d->requests[1].started - d->requests[0].started, CAD_SECOND,
                    1500 * CAD_MS);
}

static void test_load_unsupported_codec(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.video_profile = "av1-main-L40-dash-clear";
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 4);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    enum cad_error_code code = drv_fatal(d)->code;
    assert_true(code == CAD_ERR_MEDIA_CODEC || code == CAD_ERR_MANIFEST_NO_MEDIA);
    assert_int_equal(drv_open_requests(d), 0);
}

static void test_load_second_load_replaces_the_first(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_turns(d);
    assert_int_equal(drv_open_requests(d), 1);
    uint32_t old = d->requests[0].id;
    drv_load(d, 2);
    drv_turns(d);
    assert_true(d->requests[0].cancelled);
    uint8_t *data = NULL;
    size_t capacity = 0;
    assert_int_equal(cad_engine_lease(d->engine, old, 10, &data, &capacity), CAD_E_STALE);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_LOADED)->ticket, 2);
    assert_int_equal(drv_count(d, CAD_APP_LOADED), 1);
    assert_int_equal(drv_last(d, CAD_APP_FIRST_FRAME)->ticket, 2);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

static void test_load_while_playing(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    drv_net_forget(d);
    drv_load(d, 2);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_FIRST_FRAME)->ticket, 2);
    assert_int_equal(drv_last(d, CAD_APP_FIRST_FRAME)->position, 0);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_in_range(drv_stats(d).position, CAD_SECOND / 2, 2 * CAD_SECOND);
}

static void test_load_after_stop(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    d->options.rate_bps = 2000000;
    drv_play_for(d, 3 * CAD_SECOND);
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_turns(d);
    assert_int_equal(d->state, CAD_STATE_STOPPED);
    assert_int_equal(drv_open_requests(d), 0);
    assert_int_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).bytes_held, 0);
    uint32_t before = d->request_count;
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->request_count, before);
    assert_int_equal(cad_engine_next_wake(d->engine), CAD_TIME_NONE);
    drv_net_forget(d);
    drv_load(d, 2);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_LOADED)->ticket, 2);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

static void test_load_after_failure(void **state)
{
    struct drv *d = *state;
    d->script = status_of_value;
    d->script_value = 404;
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    d->script = NULL;
    drv_load(d, 2);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 1);
}

static void test_load_stop_while_loading(void **state)
{
    struct drv *d = *state;
    drv_load(d, 1);
    drv_turns(d);
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_STOPPED);
    assert_true(d->requests[0].cancelled);
    assert_int_equal(d->request_count, 1);
    assert_int_equal(drv_count(d, CAD_APP_LOADED), 0);
}

/* Request ids come from entropy only: a title waits for it, and goes on when it is there. */
static void test_load_waits_for_entropy(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.no_introduction = true;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->request_count, 0);
    assert_int_equal(d->state, CAD_STATE_LOADING);
    drv_entropy(d, 64);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->request_count, 1);
}

/* Commands without a title change nothing and break nothing. */
static void test_load_commands_before_any_title(void **state)
{
    struct drv *d = *state;
    drv_play(d);
    drv_pause(d);
    drv_seek(d, 5 * CAD_SECOND, 1);
    drv_pin(d, 1);
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->request_count, 0);
    drv_pin(d, -1);
    drv_load(d, 2);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_FIRST_FRAME)->position, 0);
}

static void test_load_bookmark(void **state)
{
    struct drv *d = *state;
    char *text = drv_manifest_text(d);
    const char *at = strstr(text, "\"hasDrmStreams\"");
    d->manifest = drv_malloc(strlen(text) + 64);
    memcpy(d->manifest, text, (size_t)(at - text));
    strcpy(d->manifest + (at - text), "\"bookmark\":30000,");
    strcat(d->manifest, at);
    free(text);
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 5 * CAD_SECOND));
    assert_int_equal(drv_last(d, CAD_APP_FIRST_FRAME)->position, 30 * CAD_SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_load_request_url),
        DRV_TEST(test_load_request_body),
        DRV_TEST(test_load_retries_on_503),
        DRV_TEST(test_load_gives_up_on_503),
        DRV_TEST(test_load_honours_retry_after),
        DRV_TEST(test_load_404),
        DRV_TEST(test_load_edge_failures),
        DRV_TEST(test_load_certificate_within_5_s),
        DRV_TEST(test_load_malformed_manifest),
        DRV_TEST(test_load_empty_manifest),
        DRV_TEST(test_load_html_instead_of_a_manifest),
        DRV_TEST(test_load_truncated_manifest),
        DRV_TEST(test_load_manifest_without_media),
        DRV_TEST(test_load_denied),
        DRV_TEST(test_load_denied_but_retryable),
        DRV_TEST(test_load_unsupported_codec),
        DRV_TEST(test_load_second_load_replaces_the_first),
        DRV_TEST(test_load_while_playing),
        DRV_TEST(test_load_after_stop),
        DRV_TEST(test_load_after_failure),
        DRV_TEST(test_load_stop_while_loading),
        DRV_TEST(test_load_waits_for_entropy),
        DRV_TEST(test_load_commands_before_any_title),
        DRV_TEST(test_load_bookmark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
