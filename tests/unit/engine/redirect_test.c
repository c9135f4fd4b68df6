/*
 * Goal: an answer that names another place is followed there, in place of the request that got it,
 * as often and as far as the rules let it, and no farther.
 */
#include "driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

#define HOPS_MAX 8

/* What is answered to requests for the manifest, in order; then the manifest itself. */
struct way {
    uint32_t count;
    struct drv_answer answers[HOPS_MAX];
    struct drv_answer last;
    uint32_t asked;
};

static struct drv_answer moved(int32_t status, const char *location)
{
    return (struct drv_answer){.fault = DRV_STATUS, .value = status, .location = location};
}

static struct drv_answer on_way(struct drv *d, const struct drv_request *r)
{
    struct way *way = d->script_ctx;
    if (!r->service) return (struct drv_answer){.fault = DRV_SERVE};
    return way->asked < way->count ? way->answers[way->asked++] : way->last;
}

static void load_by(struct drv *d, struct way *way, const char *url)
{
    d->script = on_way;
    d->script_ctx = way;
    d->bare_manifest = true;
    drv_load_url(d, url, 5);
    drv_play(d);
    drv_play_for(d, 3 * CAD_SECOND);
}

static void check_refused(struct drv *d, uint32_t requests)
{
    assert_int_equal(d->state, CAD_STATE_FAILED);
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_HTTP_REDIRECT);
    assert_int_equal(drv_fatal(d)->attempts, 1); /* asking again would lead to the same place */
    assert_int_equal(d->request_count, requests);
    assert_int_equal(d->manifests, 0);
}

static void check_played(const struct drv *d, uint32_t hops, const char *url)
{
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->manifests, 1);
    assert_string_equal(d->requests[hops].url, url);
    assert_int_equal(d->requests[hops].purpose, CAD_PURPOSE_MANIFEST);
    for (uint32_t i = 0; i < hops; i++) {
        assert_true(d->requests[i].ended_ok);
        assert_int_not_equal(d->requests[i].id, d->requests[hops].id);
    }
}

static void test_redirect_relative(void **state)
{
    static const struct {
        const char *location, *url;
    } rows[] = {
        {"/b/real.json", "http://svc/b/real.json"},
        {"real.json", "http://svc/a/real.json"},
        {"../real.json?y=2", "http://svc/real.json?y=2"},
        {"?y=2", "http://svc/a/title.json?y=2"},
        {"//other/real.json", "http://other/real.json"},
        {"http://other:8080/real.json", "http://other:8080/real.json"},
        {"https://other/real.json#part", "https://other/real.json"},
        {"real.json#part", "http://svc/a/real.json"},
    };
    static const int32_t statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < CAD_ARRAY_LEN(rows); i++) {
        struct drv *d = drv_renew(state, NULL);
        int32_t status = statuses[i % CAD_ARRAY_LEN(statuses)];
        struct way way = {.count = 1, .answers = {moved(status, rows[i].location)}};
        load_by(d, &way, "http://svc/a/title.json?x=1");
        check_played(d, 1, rows[i].url);
    }
}

/* Each place is told from where the last one was. */
static void test_redirect_chain(void **state)
{
    struct drv *d = *state;
    struct way way = {.count = 5, .answers = {
        moved(302, "/one/"), moved(301, "two/"), moved(307, "three"), moved(308, "//h9/x/four"),
        moved(303, "five")}};
    load_by(d, &way, "http://svc/title.json");
    check_played(d, 5, "http://h9/x/five");
    assert_string_equal(d->requests[2].url, "http://svc/one/two/");
    assert_string_equal(d->requests[3].url, "http://svc/one/two/three");
}

static void test_redirect_too_many(void **state)
{
    struct drv *d = *state;
    struct way way = {.last = moved(302, "next")};
    load_by(d, &way, "http://svc/title.json");
    check_refused(d, 6);
}

static void test_redirect_loop(void **state)
{
    struct drv *d = *state;
    struct way way = {.last = moved(301, "http://svc/title.json")};
    load_by(d, &way, "http://svc/title.json");
    check_refused(d, 6);
}

/* From http up to https, but never down again. */
static void test_redirect_downgrade(void **state)
{
    struct drv *d = *state;
    struct way way = {.count = 2, .answers = {moved(302, "https://svc/a"),
                                              moved(302, "http://svc/b")}};
    load_by(d, &way, "http://svc/title.json");
    check_refused(d, 2);
    d = drv_renew(state, NULL);
    way = (struct way){.count = 1, .answers = {moved(302, "HTTP://svc/b")}};
    load_by(d, &way, "https://svc/title.json");
    check_refused(d, 1);
    d = drv_renew(state, NULL);
    way = (struct way){.count = 1, .answers = {moved(302, "//svc/b")}};
    load_by(d, &way, "https://svc/title.json");
    check_played(d, 1, "https://svc/b");
}

static void test_redirect_nowhere(void **state)
{
    static char longest[8300];
    memset(longest, 'a', sizeof longest - 1);
    memcpy(longest, "http://svc/", 11);
    const char *const places[] = {
        NULL, "", "file:///etc/passwd", "ftp://svc/a", "javascript:alert(1)", "data:,x",
        "http://", "http://name:word@svc/a", "http://svc:99999/a", "http://svc/a b", "http:a",
        "\\\\svc\\a", longest};
    for (size_t i = 0; i < CAD_ARRAY_LEN(places); i++) {
        struct drv *d = drv_renew(state, NULL);
        struct way way = {.last = moved(302, places[i])};
        load_by(d, &way, "http://svc/title.json");
        check_refused(d, 1);
    }
    /* Not every 3xx names a place to go to. */
    static const int32_t statuses[] = {300, 304, 305, 306, 309, 399};
    for (size_t i = 0; i < CAD_ARRAY_LEN(statuses); i++) {
        struct drv *d = drv_renew(state, NULL);
        struct way way = {.last = moved(statuses[i], "/a")};
        load_by(d, &way, "http://svc/title.json");
        check_refused(d, 1);
    }
}

/* A URL too long to keep: absolute places can be gone to, relative ones cannot. */
static void test_redirect_long_base(void **state)
{
    static char url[600];
    static char deep[1200];
    snprintf(url, sizeof url, "http://svc/%0*d?t=1", 500, 7);
    snprintf(deep, sizeof deep, "http://svc/%0*d", 1100, 7);
    struct drv *d = *state;
    struct way way = {.count = 1, .answers = {moved(302, "/b")}};
    load_by(d, &way, url);
    check_played(d, 1, "http://svc/b");
    static char path[700];
    snprintf(path, sizeof path, "/%0*d", 600, 7);
    d = drv_renew(state, NULL);
    way = (struct way){.count = 2, .answers = {moved(302, path), moved(302, "c")}};
    load_by(d, &way, "http://svc/title.json");
    check_played(d, 2, "http://svc/c");
}

/* 307 and 308 are asked with the same method and body; the others would make a GET of it. */
static void test_redirect_post(void **state)
{
    static const int32_t statuses[] = {301, 302, 303, 307, 308};
    for (size_t i = 0; i < CAD_ARRAY_LEN(statuses); i++) {
        struct drv *d = drv_renew(state, NULL);
        struct way way = {.count = 1, .answers = {moved(statuses[i], "https://svc2/api?x=1")}};
        d->script = on_way;
        d->script_ctx = &way;
        drv_load(d, 1);
        drv_play_for(d, 3 * CAD_SECOND);
        if (statuses[i] < 307) {
            check_refused(d, 1);
            continue;
        }
        check_played(d, 1, "https://svc2/api?x=1");
        const struct drv_request *first = &d->requests[0];
        const struct drv_request *second = &d->requests[1];
        assert_true(first->post && second->post);
        assert_string_equal(second->content_type, first->content_type);
        assert_int_equal(second->size_max, first->size_max);
        /* The same request: of its numbers only that of the envelope differs. */
        const char *params = strstr(first->body, "\"params\"");
        assert_non_null(params);
        assert_non_null(strstr(second->body, params));
    }
}

/* ---- headers --------------------------------------------------------------------------------- */

#define PUT(name, value) {CAD_STR_INIT(name), CAD_STR_INIT(value)}
static const struct cad_header of_ours[] = {
    PUT("content-type", "application/json"), PUT("Authorization", "Bearer abc"),
    PUT("ACCEPT", "*/*"), PUT("Cookie", "")};

/* `count` of them, as an engine would ask with them: the turn's memory is another's afterwards. */
static void begin_with(struct drv *d, struct target *target, const char *url, uint32_t count)
{
    struct cad_header headers[CAD_ARRAY_LEN(of_ours)];
    char texts[CAD_ARRAY_LEN(of_ours)][2][32];
    for (uint32_t i = 0; i < count; i++) {
        memcpy(texts[i][0], of_ours[i].name.p, of_ours[i].name.n);
        memcpy(texts[i][1], of_ours[i].value.p, of_ours[i].value.n);
        headers[i].name = cad_str_make(texts[i][0], of_ours[i].name.n);
        headers[i].value = cad_str_make(texts[i][1], of_ours[i].value.n);
    }
    struct cad_http_start start = {.url = cad_str_from(url), .headers = headers,
                                   .header_count = count};
    redirect_begin(d->engine, target, &start);
    memset(texts, '!', sizeof texts);
    memset(headers, 0, sizeof headers);
    assert_null(target->redirect.start.headers);
}

static void send_on(struct drv *d, struct target *target, const char *location)
{
    struct cad_fetch_request request = {.owner = target};
    struct cad_http_head head = {.status = 302, .location = cad_str_from(location)};
    redirect_note(d->engine, &request, &head);
}

/* What goes along is those of of_ours that the mask tells, and to the letter. */
static void check_headers(struct drv *d, const struct target *target, uint32_t mask)
{
    struct cad_http_start start = {.id = 1};
    assert_int_equal(redirect_give(d->engine, &target->redirect.headers, &start), 0);
    uint32_t at = 0;
    for (uint32_t i = 0; i < CAD_ARRAY_LEN(of_ours); i++) {
        if (!(mask >> i & 1)) continue;
        assert_true(at < start.header_count);
        assert_true(cad_str_eq(start.headers[at].name, of_ours[i].name));
        assert_true(cad_str_eq(start.headers[at].value, of_ours[i].value));
        at++;
    }
    assert_int_equal(start.header_count, at);
}

static void test_redirect_headers(void **state)
{
    static char longest[1200];
    snprintf(longest, sizeof longest, "https://svc/%0*d", 1100, 7);
    const struct {
        const char *url, *location;
        uint32_t mask;
    } rows[] = {
        {"https://svc/a", "b", 15},
        {"https://svc/a", "https://SVC:443/b", 15},
        {"https://svc/a", "https://other/a", 5},
        {"https://svc/a", "//other/a", 5},
        {"https://svc/a", "https://svc:8443/a", 5},
        {"http://svc/a", "https://svc/a", 5},
        {longest, "https://svc/a", 5}, /* nobody knows any more where it was */
    };
    struct drv *d = *state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(rows); i++) {
        struct target target = {.used = true};
        begin_with(d, &target, rows[i].url, CAD_ARRAY_LEN(of_ours));
        check_headers(d, &target, 15);
        send_on(d, &target, rows[i].location);
        assert_true(target.redirect.wanted);
        check_headers(d, &target, rows[i].mask);
        redirect_forget(d->engine, &target);
    }
}

/* What was dropped does not come back with the first origin; a new attempt has it again. */
static void test_redirect_headers_there_and_back(void **state)
{
    struct drv *d = *state;
    struct target target = {.used = true};
    begin_with(d, &target, "https://svc/a", 2);
    check_headers(d, &target, 3);
    send_on(d, &target, "https://other/a");
    check_headers(d, &target, 1);
    send_on(d, &target, "https://svc/a");
    check_headers(d, &target, 1);
    begin_with(d, &target, "https://svc/a", 2);
    check_headers(d, &target, 3);
    redirect_forget(d->engine, &target);
}

static void test_redirect_headers_limits(void **state)
{
    static const char text[ENGINE_KEPT_BYTES_MAX] = {'n'};
    struct cad_header headers[ENGINE_KEPT_HEADERS_MAX + 1] = {
        {{text, 1}, {text, ENGINE_KEPT_BYTES_MAX - 1}}};
    struct target target = {.used = true};
    struct cad_http_start start = {.url = CAD_STR("https://svc/a"), .headers = headers};
    struct drv *d = *state;
    for (int more = 0; more < 2; more++) {
        headers[0].name.n = more ? 2 : 1;
        start.header_count = 1;
        redirect_begin(d->engine, &target, &start);
        assert_int_equal(target.redirect.headers.count, 1 - more);
        send_on(d, &target, "b");
        assert_true(target.redirect.wanted == !more);
    }
    headers[0].value.n = 1;
    for (uint32_t n = ENGINE_KEPT_HEADERS_MAX; n <= ENGINE_KEPT_HEADERS_MAX + 1; n++) {
        bool fits = n == ENGINE_KEPT_HEADERS_MAX;
        start.header_count = n;
        redirect_begin(d->engine, &target, &start);
        assert_int_equal(target.redirect.headers.count, fits ? n : 0);
        send_on(d, &target, "b");
        assert_true(target.redirect.wanted == fits);
    }
    redirect_forget(d->engine, &target);
}

/* No room in a turn is said, and nothing is half done. */
static void test_redirect_headers_in_a_full_turn(void **state)
{
    struct drv *d = *state;
    struct target target = {.used = true};
    begin_with(d, &target, "https://svc/a", 3);
    size_t need = 3 * sizeof(struct cad_header);
    for (int i = 0; i < 3; i++) need += of_ours[i].name.n + of_ours[i].value.n + 2;
    for (size_t left = 0; left <= 200; left++) {
        struct cad_http_start start = {.id = 1};
        d->engine->text_used = ENGINE_TEXT_BYTES - left;
        int rc = redirect_give(d->engine, &target.redirect.headers, &start);
        assert_true(d->engine->text_used <= ENGINE_TEXT_BYTES);
        bool fits = left / _Alignof(struct cad_header) * _Alignof(struct cad_header) >= need;
        assert_int_equal(rc, fits ? CAD_OK : CAD_E_AGAIN);
        assert_int_equal(start.header_count, rc == 0 ? 3 : 0);
    }
    d->engine->text_used = 0;
    redirect_forget(d->engine, &target);
}

/* Where the manifest was found in the end is what its own references start from. */
static void test_redirect_base(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.plain_http = true;
    o.servers = 1;
    struct drv *d = drv_renew(state, &o);
    d->bare_manifest = true;
    char *text = drv_manifest_text(d);
    for (char *p; (p = strstr(text, "http://h0/v")) != NULL;) {
        memmove(p, p + strlen("http://h0/"), strlen(p + strlen("http://h0/")) + 1);
    }
    d->manifest = text;
    struct way way = {.count = 2, .answers = {moved(302, "https://h7/gone"),
                                              moved(302, "https://h0/title.json?k=1")}};
    load_by(d, &way, "http://svc/a/title.json");
    check_played(d, 2, "https://h0/title.json?k=1");
    for (uint32_t i = 3; i < d->request_count; i++) {
        assert_memory_equal(d->requests[i].url, "https://h0/v", 12);
    }
}

/* ---- media ----------------------------------------------------------------------------------- */

/* Everything that h0 is asked for is on h3, under the same path. */
static struct drv_answer elsewhere(struct drv *d, const struct drv_request *r)
{
    static char places[16][640]; /* as many as are under way */
    char *place = places[d->request_count % CAD_ARRAY_LEN(places)];
    if (r->server != 0) return (struct drv_answer){.fault = DRV_SERVE};
    snprintf(place, sizeof places[0], "//h3%s", strchr(r->url + 7, '/'));
    return moved(302, place);
}

static void test_redirect_media(void **state)
{
    for (int plain = 0; plain < 2; plain++) {
        struct drv_options o;
        drv_options_init(&o);
        o.plain_http = plain != 0;
        struct drv *d = drv_renew(state, &o);
        d->script = elsewhere;
        drv_load(d, 1);
        drv_play_for(d, 10 * CAD_SECOND);
        assert_int_equal(d->state, CAD_STATE_PLAYING);
        assert_int_equal(d->bytes_twice, 0);
        assert_int_equal(drv_stats(d).stalls, 0);
        assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
        uint32_t asked = drv_requests_on(d, 0, 0);
        assert_true(asked > 5);
        assert_int_equal(drv_requests_on(d, 0, 3), asked);
        assert_int_equal(drv_requests_on(d, 0, 1), 0); /* h0 did nothing wrong */
    }
}

static void test_redirect_bare_file(void **state)
{
    struct drv *d = *state;
    d->script = elsewhere;
    drv_load_url(d, "http://h0/v1.mp4", 5);
    drv_play(d);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(d->bytes_twice, 0);
}

static struct drv_answer round_and_round(struct drv *d, const struct drv_request *r)
{
    CAD_UNUSED(d);
    if (r->server != 0) return (struct drv_answer){.fault = DRV_SERVE};
    return moved(302, r->url);
}

/* A server that leads in circles is left for another one. */
static void test_redirect_media_loop(void **state)
{
    struct drv *d = *state;
    d->script = round_and_round;
    drv_load(d, 1);
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    assert_true(drv_requests_on(d, 0, 1) > 0);
    assert_int_equal(d->bytes_twice, 0);
}

/* Cancelled between the answer and its end, and after it: nothing is left behind. */
static void test_redirect_stop(void **state)
{
    for (cad_time wait = 0; wait < 100 * CAD_MS; wait += 5 * CAD_MS) {
        struct drv *d = drv_renew(state, NULL);
        struct way way = {.last = moved(302, "next")};
        d->script = on_way;
        d->script_ctx = &way;
        drv_load_url(d, "http://svc/title.json", 5);
        drv_play_for(d, wait);
        drv_command(d, CAD_COMMAND_STOP, 0);
        drv_settle(d);
        assert_int_equal(drv_open_requests(d), 0);
    }
}

/* ---- addresses ------------------------------------------------------------------------------- */

static struct drv_answer at_address(struct drv_answer answer, enum cad_address_class address)
{
    answer.address = address;
    return answer;
}

/* The title's own URL may be anywhere; its media not farther in than its manifest was. */
static void test_redirect_address_of_media(void **state)
{
    static const enum cad_address_class rows[][2] = {
        {CAD_ADDRESS_PUBLIC, CAD_ADDRESS_PUBLIC},
        {CAD_ADDRESS_PRIVATE, CAD_ADDRESS_PRIVATE},
        {CAD_ADDRESS_LOOPBACK, CAD_ADDRESS_UNKNOWN},
        {CAD_ADDRESS_UNKNOWN, CAD_ADDRESS_UNKNOWN},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(rows); i++) {
        struct drv *d = drv_renew(state, NULL);
        struct way way = {.last = {.fault = DRV_SERVE, .address = rows[i][0]}};
        load_by(d, &way, "http://svc/title.json");
        check_played(d, 0, "http://svc/title.json");
        assert_int_equal(d->requests[0].address_max, CAD_ADDRESS_UNKNOWN);
        assert_true(d->request_count > 3);
        for (uint32_t k = 1; k < d->request_count; k++) {
            assert_int_equal(d->requests[k].address_max, rows[i][1]);
        }
    }
}

/* Who is outside cannot send us inside, not even by way of somebody else. */
static void test_redirect_address_inwards(void **state)
{
    struct drv *d = *state;
    struct way way = {.count = 1,
                      .answers = {at_address(moved(302, "http://in/a"), CAD_ADDRESS_PUBLIC)},
                      .last = {.fault = DRV_SERVE, .address = CAD_ADDRESS_PRIVATE}};
    load_by(d, &way, "http://svc/title.json");
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_NET_ADDRESS);
    assert_int_equal(d->requests[1].address_max, CAD_ADDRESS_PUBLIC);
    assert_int_equal(d->manifests, 0);
    d = drv_renew(state, NULL);
    way = (struct way){.count = 2,
                       .answers = {at_address(moved(302, "http://out/a"), CAD_ADDRESS_LOOPBACK),
                                   at_address(moved(302, "http://in/a"), CAD_ADDRESS_PUBLIC)},
                       .last = {.fault = DRV_SERVE, .address = CAD_ADDRESS_LOOPBACK}};
    load_by(d, &way, "http://svc/title.json");
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_NET_ADDRESS);
    assert_int_equal(d->requests[1].address_max, CAD_ADDRESS_UNKNOWN);
}

static struct drv_answer first_inside(struct drv *d, const struct drv_request *r)
{
    CAD_UNUSED(d);
    enum cad_address_class inside = CAD_ADDRESS_PRIVATE;
    if (r->service || r->server == 1) inside = CAD_ADDRESS_PUBLIC;
    return (struct drv_answer){.fault = DRV_SERVE, .address = inside};
}

/* A public manifest that lists a server in the house: the other one is used. */
static void test_redirect_address_of_a_server(void **state)
{
    struct drv *d = *state;
    d->script = first_inside;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_true(drv_requests_on(d, 0, 0) > 0);
    for (uint32_t i = 0; i < d->request_count; i++) {
        if (d->requests[i].server == 0) assert_false(d->requests[i].head_sent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_redirect_relative),        DRV_TEST(test_redirect_chain),
        DRV_TEST(test_redirect_too_many),        DRV_TEST(test_redirect_loop),
        DRV_TEST(test_redirect_downgrade),       DRV_TEST(test_redirect_nowhere),
        DRV_TEST(test_redirect_long_base),       DRV_TEST(test_redirect_post),
        DRV_TEST(test_redirect_headers),         DRV_TEST(test_redirect_headers_limits),
        DRV_TEST(test_redirect_headers_there_and_back),
        DRV_TEST(test_redirect_headers_in_a_full_turn),
        DRV_TEST(test_redirect_base),            DRV_TEST(test_redirect_media),
        DRV_TEST(test_redirect_bare_file),       DRV_TEST(test_redirect_media_loop),
        DRV_TEST(test_redirect_stop),            DRV_TEST(test_redirect_address_of_media),
        DRV_TEST(test_redirect_address_inwards), DRV_TEST(test_redirect_address_of_a_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
