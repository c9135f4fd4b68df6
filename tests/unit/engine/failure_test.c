/*
 * Goal: a server, a connection or a resource that fails costs the viewer nothing while there is
 * another: what came is kept, only the rest is asked for, and what cannot be had at all ends in one
 * typed error after the buffer was played.
 */
#include "driver.h"

#include <string.h>

static const struct drv_request *media(const struct drv *d, uint32_t from, int32_t server)
{
    for (uint32_t i = from; i < d->request_count; i++) {
        if (d->requests[i].stream >= 0 && (server < 0 || d->requests[i].server == server)) {
            return &d->requests[i];
        }
    }
    return NULL;
}

static void no_harm(struct drv *d)
{
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    assert_int_equal(d->bytes_twice, 0);
}

static void playing(struct drv *d)
{
    d->options.rate_bps = 2000000;
    drv_load(d, 1);
    drv_play_for(d, 6 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

static void test_refused_at_the_start(void **state)
{
    struct drv *d = *state;
    drv_rule(d, 0, -1, DRV_CLASS, CAD_HTTP_CONNECT);
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_PLAYING, 2 * CAD_SECOND));
    drv_play_for(d, 5 * CAD_SECOND);
    no_harm(d);
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, "2");
    assert_string_equal(drv_last(d, CAD_APP_SERVER)->text, "2");
    /* two failures in a row and it rests: it is not asked for every segment again */
    assert_true(drv_requests_on(d, 0, 0) <= 4);
}

static void test_refused_in_mid_play(void **state)
{
    struct drv *d = *state;
    playing(d);
    uint32_t before = d->request_count;
    drv_rule(d, 0, -1, DRV_CLASS, CAD_HTTP_CONNECT);
    drv_play_for(d, 12 * CAD_SECOND);
    no_harm(d);
    assert_true(drv_requests_on(d, before, 0) <= 6);
    assert_true(drv_requests_on(d, before, 1) > 0);
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, "2");
}

static void test_dns_tls_and_certificate(void **state)
{
    static const enum cad_http_class classes[] = {
        CAD_HTTP_DNS, CAD_HTTP_TLS, CAD_HTTP_CERTIFICATE, CAD_HTTP_PROTOCOL, CAD_HTTP_TIMEOUT};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        struct drv *d = drv_renew(state, NULL);
        drv_rule(d, 0, -1, DRV_CLASS, classes[i]);
        drv_load(d, 1);
        drv_play_for(d, 5 * CAD_SECOND);
        no_harm(d);
        assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, "2");
    }
}

/* The rest only, on the next server. */
static void test_reset_in_mid_body(void **state)
{
    struct drv *d = *state;
    playing(d);
    uint32_t before = d->request_count;
    struct drv_rule *rule = drv_rule(d, 0, -1, DRV_CUT, 10000);
    rule->left = 1;
    drv_play_for(d, 4 * CAD_SECOND);
    no_harm(d);
    const struct drv_request *cut = NULL, *rest = NULL;
    for (uint32_t i = before; i < d->request_count && !rest; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r->answer.fault == DRV_CUT) cut = r;
        else if (cut && r->stream == cut->stream) rest = r;
    }
    assert_non_null(cut);
    assert_non_null(rest);
    assert_int_equal(cut->sent, 10000);
    assert_int_equal(rest->range.first, cut->range.first + 10000);
    assert_int_equal(rest->range.last, cut->range.last);
    assert_int_equal(rest->server, 1);
}

static void test_reset_of_the_header(void **state)
{
    struct drv *d = *state;
    struct drv_rule *rule = drv_rule(d, 0, 2, DRV_CUT, 500);
    rule->left = 1;
    drv_rule(d, 0, DRV_AUDIO, DRV_CUT, 20)->left = 1;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    no_harm(d);
}

/* The header was read, the media that come with it break off: the rest follows, and nothing
 * spins. */
static void test_reset_behind_the_header(void **state)
{
    static const enum drv_fault faults[] = {DRV_CUT, DRV_SILENT, DRV_SHORT};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct drv *d = drv_renew(state, NULL);
        drv_pin(d, 2);
        drv_rule(d, 0, 2, faults[i], 100000)->left = 1;
        drv_load(d, 1);
        drv_play_for(d, 12 * CAD_SECOND);
        no_harm(d);
        const struct drv_request *first = media(d, 0, 0), *rest = NULL;
        assert_int_equal(first->answer.fault, faults[i]);
        for (uint32_t k = 0; k < d->request_count && !rest; k++) {
            const struct drv_request *r = &d->requests[k];
            if (r != first && r->stream == first->stream) rest = r;
        }
        assert_non_null(rest);
        assert_int_equal(rest->range.first, first->sent);
    }
}

/* The same, and the viewer is elsewhere by then. */
static void test_reset_behind_the_header_after_a_seek(void **state)
{
    static const enum drv_fault faults[] = {DRV_CUT, DRV_SILENT};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct drv *d = drv_renew(state, NULL);
        d->options.rate_bps = 500000;
        drv_pin(d, 2);
        drv_rule(d, 0, 2, faults[i], 60000)->left = 1;
        drv_load(d, 1);
        assert_true(drv_until(d, CAD_APP_FIRST_FRAME, 10 * CAD_SECOND));
        assert_true(d->requests[1].open);
        drv_seek(d, 40 * CAD_SECOND, 9);
        drv_turns(d);
        /* its media are of no use to anybody now */
        assert_true(d->requests[1].cancelled);
        d->options.rate_bps = 0;
        drv_play_for(d, 12 * CAD_SECOND);
        assert_int_equal(d->state, CAD_STATE_PLAYING);
        assert_int_equal(drv_count(d, CAD_APP_SEEK_DONE), 1);
        assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    }
}

/* A head, then not a byte more, and the edge does not notice. */
static void test_silence_is_noticed(void **state)
{
    struct drv *d = *state;
    playing(d);
    uint32_t before = d->request_count;
    drv_rule(d, 0, -1, DRV_SILENT, 5000);
    drv_play_for(d, 12 * CAD_SECOND);
    no_harm(d);
    const struct drv_request *silent = media(d, before, 0);
    assert_non_null(silent);
    assert_true(silent->cancelled);
    const struct drv_request *next = media(d, before, 1);
    assert_non_null(next);
    assert_true(next->started - silent->started <= 8 * CAD_SECOND + 200 * CAD_MS);
}

static void test_silence_without_a_head(void **state)
{
    struct drv *d = *state;
    drv_rule(d, 0, -1, DRV_SILENT, -1);
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_PLAYING, 10 * CAD_SECOND));
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, "2");
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

static void test_5xx(void **state)
{
    struct drv *d = *state;
    playing(d);
    uint32_t before = d->request_count;
    drv_rule(d, 0, -1, DRV_STATUS, 500);
    drv_play_for(d, 12 * CAD_SECOND);
    no_harm(d);
    assert_true(drv_requests_on(d, before, 0) <= 8);
    assert_true(drv_requests_on(d, before, 1) > 0);
}

static void test_range_answers(void **state)
{
    static const enum drv_fault faults[] = {DRV_SHIFTED, DRV_WHOLE, DRV_SHORT};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct drv *d = drv_renew(state, NULL);
        playing(d);
        drv_rule(d, 0, -1, faults[i], 1000);
        drv_play_for(d, 12 * CAD_SECOND);
        assert_int_equal(d->state, CAD_STATE_PLAYING);
        assert_int_equal(drv_stats(d).stalls, 0);
        assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
        assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
        assert_true(drv_requests_on(d, 0, 1) > 0);
    }
}

/* The same from a plain server that is asked by a Range header. */
static void test_range_header_answers(void **state)
{
    static const enum drv_fault faults[] = {DRV_SHIFTED, DRV_WHOLE, DRV_SHORT};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct drv_options o;
        drv_options_init(&o);
        o.plain_http = true;
        struct drv *d = drv_renew(state, &o);
        playing(d);
        drv_rule(d, 0, -1, faults[i], 1000);
        drv_play_for(d, 12 * CAD_SECOND);
        assert_int_equal(d->state, CAD_STATE_PLAYING);
        assert_int_equal(drv_stats(d).stalls, 0);
        assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
        assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
        assert_true(drv_requests_on(d, 0, 1) > 0);
    }
}

/* 404 is about the file: that stream is taken off that server only. */
static void test_404_on_one_server(void **state)
{
    struct drv *d = *state;
    drv_pin(d, 1);
    playing(d);
    uint32_t before = d->request_count;
    drv_rule(d, 0, 1, DRV_STATUS, 404);
    drv_play_for(d, 12 * CAD_SECOND);
    no_harm(d);
    uint32_t asked = 0, sound = 0;
    for (uint32_t i = before; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        asked += r->stream == 1 && r->server == 0;
        sound += r->stream == DRV_AUDIO;
    }
    assert_int_equal(asked, 1);
    assert_true(sound > 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
}

/* On all servers: the rung is lost, another one plays, and the application hears of it once. */
static void test_404_on_all_servers(void **state)
{
    struct drv *d = *state;
    playing(d);
    uint32_t rung = drv_slot_stats(d, CAD_SLOT_VIDEO).rung;
    drv_rule(d, -1, (int32_t)rung, DRV_STATUS, 404);
    uint32_t before = d->request_count;
    drv_play_for(d, 15 * CAD_SECOND);
    no_harm(d);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 1);
    assert_int_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).rung_count, 2);
    uint32_t asked = 0;
    for (uint32_t i = before; i < d->request_count; i++) {
        asked += d->requests[i].stream == (int32_t)rung;
    }
    assert_true(asked <= 2);
    const struct cad_app_event *error = drv_last(d, CAD_APP_ERROR);
    assert_int_equal(error->error.http_status, 404);
    assert_int_equal(error->error.track, CAD_SLOT_VIDEO);
}

/* The only stream of a kind: the buffer plays on, then a fatal error. */
static void test_404_of_all_sound(void **state)
{
    struct drv *d = *state;
    playing(d);
    drv_rule(d, -1, DRV_AUDIO, DRV_STATUS, 404);
    cad_time ahead = drv_slot_stats(d, CAD_SLOT_AUDIO).ahead;
    assert_true(ahead > 2 * CAD_SECOND);
    drv_play_for(d, ahead - CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 10 * CAD_SECOND));
    const struct cad_error *error = drv_fatal(d);
    assert_int_equal(error->track, CAD_SLOT_AUDIO);
    assert_true(error->code == CAD_ERR_HTTP_NOT_FOUND || error->code == CAD_ERR_MEDIA_SEGMENT_LOST);
    assert_int_equal(error->http_status, 404);
}

static void test_404_of_everything_at_the_start(void **state)
{
    struct drv *d = *state;
    drv_rule(d, -1, -1, DRV_STATUS, 404);
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->http_status, 404);
    assert_int_equal(drv_fatal(d)->phase, CAD_PHASE_HEADER);
    assert_int_equal(drv_open_requests(d), 0);
}

/* Every server of a title refuses: within the time of the retry policy one typed error. */
static void test_all_refuse_at_the_start(void **state)
{
    struct drv *d = *state;
    drv_rule(d, -1, -1, DRV_CLASS, CAD_HTTP_CONNECT);
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 40 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_NET_CONNECT);
    assert_true(drv_fatal(d)->attempts >= 2);
}

/* All gone for ten seconds in mid-play with more than that held: nobody notices. */
static void test_all_refuse_for_a_while(void **state)
{
    struct drv *d = *state;
    d->options.rate_bps = 2500000;
    drv_load(d, 1);
    drv_play_for(d, 20 * CAD_SECOND);
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead >= 12 * CAD_SECOND);
    assert_true(drv_slot_stats(d, CAD_SLOT_AUDIO).ahead >= 12 * CAD_SECOND);
    struct drv_rule *rule = drv_rule(d, -1, -1, DRV_CLASS, CAD_HTTP_CONNECT);
    drv_play_for(d, 10 * CAD_SECOND);
    rule->left = 0;
    drv_play_for(d, 15 * CAD_SECOND);
    no_harm(d);
}

/* Sound and picture on different servers are no matter; sound follows the picture by default. */
static void test_sound_follows_the_picture(void **state)
{
    struct drv *d = *state;
    playing(d);
    drv_rule(d, 0, -1, DRV_CLASS, CAD_HTTP_CONNECT)->left = 2;
    drv_play_for(d, 12 * CAD_SECOND);
    no_harm(d);
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, "2");
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_AUDIO).server, "2");
}

/* 416 is about the stream, and no reason to ask for ever. */
static void test_416_drops_the_stream(void **state)
{
    struct drv *d = *state;
    playing(d);
    uint32_t rung = drv_slot_stats(d, CAD_SLOT_VIDEO).rung;
    drv_rule(d, -1, (int32_t)rung, DRV_STATUS, 416);
    uint32_t before = d->request_count;
    drv_play_for(d, 15 * CAD_SECOND);
    no_harm(d);
    uint32_t asked = 0;
    for (uint32_t i = before; i < d->request_count; i++) {
        asked += d->requests[i].stream == (int32_t)rung;
    }
    assert_true(asked <= 2);
}

/* A server that failed is asked again after its rest: ten seconds, and up again after sixty
 * more. */
static void test_server_comes_back(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 180 * CAD_SECOND;
    o.set_engine = true;
    o.engine.buffer_ahead = 10 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    playing(d);
    drv_rule(d, 0, -1, DRV_CLASS, CAD_HTTP_CONNECT)->left = 2;
    drv_play_for(d, 10 * CAD_SECOND);
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, "2");
    drv_play_for(d, 110 * CAD_SECOND);
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, "1");
    no_harm(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_refused_at_the_start),
        DRV_TEST(test_refused_in_mid_play),
        DRV_TEST(test_dns_tls_and_certificate),
        DRV_TEST(test_reset_in_mid_body),
        DRV_TEST(test_reset_of_the_header),
        DRV_TEST(test_reset_behind_the_header),
        DRV_TEST(test_reset_behind_the_header_after_a_seek),
        DRV_TEST(test_silence_is_noticed),
        DRV_TEST(test_silence_without_a_head),
        DRV_TEST(test_5xx),
        DRV_TEST(test_range_answers),
        DRV_TEST(test_range_header_answers),
        DRV_TEST(test_404_on_one_server),
        DRV_TEST(test_404_on_all_servers),
        DRV_TEST(test_404_of_all_sound),
        DRV_TEST(test_404_of_everything_at_the_start),
        DRV_TEST(test_all_refuse_at_the_start),
        DRV_TEST(test_all_refuse_for_a_while),
        DRV_TEST(test_sound_follows_the_picture),
        DRV_TEST(test_416_drops_the_stream),
        DRV_TEST(test_server_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
