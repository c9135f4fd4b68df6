/*
 * mock_fixture.h - a small title for the tests of the mock origin, and how to ask for it.
 *
 * Every asset is 1000 bytes; byte i of asset k is (i * 7 + k) mod 251, so that a test can work out
 * what it must get.
 */
#ifndef MOCK_FIXTURE_H
#define MOCK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "mock/mock_origin.h"

#define FIXTURE_NOW_MS INT64_C(1700000000500)
#define FIXTURE_ASSET_BYTES 1000
#define FIXTURE_ALL                                                                                \
    "\"h264mpl40-dash-clear\",\"av1-main-L40-dash-clear\",\"heaac-2-dash\""

struct fixture {
    struct mock_asset assets[4];
    struct mock_origin_config config;
    struct mock_origin *origin;
    struct cad_origin_answer answer;
    int64_t now_ms;
    char url[512];       /* path and query of the URL that was looked up last */
};

static inline uint8_t fixture_byte(uint32_t asset, int64_t i)
{
    return (uint8_t)((i * 7 + asset) % 251);
}

static inline int fixture_read(void *ctx, int64_t offset, size_t n, uint8_t *out, size_t *done)
{
    const struct mock_asset *asset = ctx;
    for (size_t i = 0; i < n; i++) out[i] = fixture_byte(asset->index, offset + (int64_t)i);
    *done = n;
    return 0;
}

static inline void fixture_asset(struct fixture *f, uint32_t i, const char *id, const char *profile)
{
    struct mock_asset *asset = &f->assets[i];
    (void)snprintf(asset->id, sizeof asset->id, "%s", id);
    (void)snprintf(asset->profile, sizeof asset->profile, "%s", profile);
    asset->type = CAD_MEDIA_VIDEO;
    asset->rate_kbps = 300 + 450 * (int64_t)i;
    asset->peak_kbps = asset->rate_kbps * 2;
    asset->width = 320 + 160 * i;
    asset->height = 180 + 90 * i;
    asset->frame_rate_num = 24;
    asset->frame_rate_den = 1;
    asset->size_bytes = FIXTURE_ASSET_BYTES;
    asset->moov = (struct cad_range){28, 127};
    asset->sidx = (struct cad_range){128, 199};
    asset->header_bytes = 200;
    asset->read = fixture_read;
    asset->ctx = asset;
    asset->index = i;
}

static inline void fixture_make(struct fixture *f)
{
    fixture_asset(f, 0, "video-300", "h264mpl40-dash-clear");
    fixture_asset(f, 1, "video-750", "h264mpl40-dash-clear");
    fixture_asset(f, 2, "video-1000", "av1-main-L40-dash-clear");
    fixture_asset(f, 3, "audio-en", "heaac-2-dash");
    f->assets[3].type = CAD_MEDIA_AUDIO;
    f->assets[3].channels = 2;
    (void)snprintf(f->assets[3].lang, sizeof f->assets[3].lang, "en");
    f->config = (struct mock_origin_config){
        .title = "900100", .duration = 60 * CAD_SECOND, .assets = f->assets, .asset_count = 4,
        .hosts = {"127.0.0.1:1001", "127.0.0.1:1002", "127.0.0.1:1003", "127.0.0.1:1004"},
        .host_count = 4, .scheme = "http", .url_life = 600 * CAD_SECOND, .seed = 7,
    };
    f->now_ms = FIXTURE_NOW_MS;
}

/* Puts an asset under protection by a key whose id is one byte, repeated. */
static inline void fixture_protect(struct fixture *f, uint32_t i, uint8_t kid, const char *profile)
{
    struct mock_asset *asset = &f->assets[i];
    (void)snprintf(asset->scheme, sizeof asset->scheme, "cenc");
    memset(asset->kid, kid, sizeof asset->kid);
    (void)snprintf(asset->profile, sizeof asset->profile, "%s", profile);
}

/* Makes an asset a file of timed text. */
static inline void fixture_text_asset(struct fixture *f, uint32_t i, const char *id,
                                      const char *lang)
{
    struct mock_asset *asset = &f->assets[i];
    fixture_asset(f, i, id, "imsc1.1");
    asset->type = CAD_MEDIA_TEXT;
    asset->moov = asset->sidx = (struct cad_range){-1, -1};
    asset->header_bytes = 0;
    (void)snprintf(asset->lang, sizeof asset->lang, "%s", lang);
}

static inline void fixture_start(struct fixture *f)
{
    assert_int_equal(mock_origin_create(&f->config, &f->origin), 0);
}

static inline void fixture_drop_answer(struct fixture *f)
{
    if (f->answer.release) f->answer.release(f->answer.token);
    memset(&f->answer, 0, sizeof f->answer);
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    fixture_make(f);
    fixture_start(f);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    fixture_drop_answer(f);
    mock_origin_destroy(&f->origin);
    test_free(f);
    return 0;
}

/* The same title under another configuration. */
static inline void fixture_restart(struct fixture *f)
{
    fixture_drop_answer(f);
    mock_origin_destroy(&f->origin);
    fixture_start(f);
}

/* Asks, and returns the status. */
static inline int32_t fixture_ask(struct fixture *f, const char *method, const char *path,
                                  const char *body)
{
    struct cad_origin_request request = {
        .method = cad_str_from(method), .host = CAD_STR("127.0.0.1:1001"),
        .path = cad_str_from(path), .body = cad_buf_from_str(cad_str_from(body)),
        .range = {-1, -1}, .now_ms = f->now_ms,
    };
    fixture_drop_answer(f);
    assert_int_equal(mock_origin_ops()->serve(f->origin, &request, &f->answer), 0);
    return f->answer.status;
}

static inline int32_t fixture_ask_manifest(struct fixture *f, const char *query,
                                           const char *profiles, const char *xid)
{
    char path[256], body[512];
    (void)snprintf(path, sizeof path, MOCK_MANIFEST_PATH "?%s", query);
    (void)snprintf(body, sizeof body,
                   "{\"version\":2,\"url\":\"licensedManifest\",\"id\":41,\"languages\":[\"en\"],"
                   "\"params\":{\"type\":\"standard\",\"manifestVersion\":\"v2\","
                   "\"viewableId\":900100,\"profiles\":[%s],\"flavor\":\"STANDARD\","
                   "\"xid\":\"%s\"}}",
                   profiles, xid);
    return fixture_ask(f, "POST", path, body);
}

/* The body of the last answer, which is text. */
static inline cad_str fixture_text(const struct fixture *f)
{
    return cad_str_from_buf(f->answer.body);
}

static inline bool fixture_has(const struct fixture *f, const char *needle)
{
    return cad_str_find(fixture_text(f), cad_str_from(needle)) >= 0;
}

/*
 * Puts path and query of the first URL of an asset on its best host into f->url, taken from a
 * manifest that is asked for now.
 */
static inline void fixture_look_up(struct fixture *f, const char *asset)
{
    char mark[64];
    static const cad_str host = CAD_STR_INIT("\"http://127.0.0.1:1001");
    assert_int_equal(fixture_ask_manifest(f, "reqAttempt=1", FIXTURE_ALL, "x1"), 200);
    cad_str text = fixture_text(f);
    (void)snprintf(mark, sizeof mark, "\"downloadable_id\":\"%s\"", asset);
    ptrdiff_t at = cad_str_find(text, cad_str_from(mark));
    assert_true(at >= 0);
    text = cad_str_sub(text, (size_t)at, text.n);
    at = cad_str_find(text, host);
    assert_true(at >= 0);
    text = cad_str_sub(text, (size_t)at + host.n, text.n);
    at = cad_str_find_char(text, '"');
    assert_true(at > 0);
    cad_str_copyz(f->url, sizeof f->url, cad_str_sub(text, 0, (size_t)at));
}

/* The URL looked up last with "range/RANGE" put before its query. */
static inline void fixture_ranged(const struct fixture *f, const char *range, char out[600])
{
    const char *query = strchr(f->url, '?');
    assert_non_null(query);
    size_t n = (size_t)(query - f->url);
    const char *slash = n > 1 ? "/" : "";
    (void)snprintf(out, 600, "%.*s%srange/%s%s", (int)n, f->url, slash, range, query);
}

#endif
