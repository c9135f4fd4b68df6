/* Goal: a protected title that is synthesized holds together from end to end, with our own parsers
 * on the other side: manifest and files name the same keys by the same init data, a CDM asks for
 * them, the licence service gives them, and subtitles are where the manifest says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "cadmium/manifest.h"
#include "mock/mock_synth.h"
#include "mp4/mp4.h"

#define NOW_MS INT64_C(1700000000500)
#define HEAD_BYTES 4096

static uint32_t sizes[] = {30000, 60000, 120000};
static struct cad_ladder ladder = {
    .segment_duration = 2 * CAD_SECOND, .rung_count = 3, .segment_count = 1,
    .rate_bps = {120000, 240000, 480000}, .height = {360, 576, 720}, .segment_bytes = sizes};

struct bench {
    struct cad_synth *synth;
    struct mock_synth *mock;
    struct cad_presentation *p;
    struct cad_origin_answer answer;
    struct cad_cdm *cdm;
    uint8_t message[4096];   /* of the CDM */
    size_t message_bytes;
    int done;                /* result of the last call */
};

static int32_t ask(struct bench *b, const char *method, cad_str path, cad_buf body)
{
    struct cad_origin_request request = {
        .method = cad_str_from(method), .host = CAD_STR("cdn1"), .path = path, .body = body,
        .range = {-1, -1}, .now_ms = NOW_MS};
    if (b->answer.release) b->answer.release(b->answer.token);
    memset(&b->answer, 0, sizeof b->answer);
    assert_int_equal(mock_synth_ops()->serve(b->mock, &request, &b->answer), 0);
    return b->answer.status;
}

/* Asks for the manifest and reads it. */
static void load(struct bench *b)
{
    static const char body[] =
        "{\"version\":2,\"url\":\"licensedManifest\",\"id\":1,\"params\":{\"type\":\"standard\","
        "\"viewableId\":7,\"profiles\":[\"playready-h264mpl40-dash\",\"heaac-2-dash\","
        "\"imsc1.1\"],\"flavor\":\"STANDARD\",\"xid\":\"x\"}}";
    struct cad_manifest_options options;
    struct cad_manifest_parser *parser = NULL;
    int rc;
    cad_manifest_options_init(&options);
    options.alloc = cad_alloc_system();
    options.base_url = CAD_STR("http://cdn1" MOCK_MANIFEST_PATH);
    options.now_ms = NOW_MS;
    options.allow_http = options.allow_drm = true;
    cad_buf bytes = cad_buf_from_str(cad_str_from(body));
    assert_int_equal(ask(b, "POST", CAD_STR(MOCK_MANIFEST_PATH), bytes), 200);
    assert_int_equal(cad_manifest_parser_create(&options, &parser), 0);
    do rc = cad_manifest_parser_step(parser, b->answer.body, 4096);
    while (rc == CAD_E_AGAIN);
    assert_int_equal(rc, 0);
    assert_int_equal(cad_manifest_parser_take(parser, &b->p), 0);
    cad_manifest_parser_destroy(&parser);
    assert_int_equal(b->p->warnings, 0);
    assert_int_equal(b->p->unknown_fields, 0);
}

static void make(struct bench *b, bool several_keys)
{
    static const char *const hosts[] = {"cdn1", "cdn2"};
    static const char texts[2][16] = {"en", "de"};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    config.ladder = &ladder;
    config.duration = 20 * CAD_SECOND;
    config.scheme = CAD_SCHEME_CBCS;
    config.kid[0] = 1;
    config.hd_kid[0] = several_keys ? 2 : 0;
    config.audio_kid[0] = several_keys ? 3 : 0;
    assert_int_equal(cad_synth_create(&alloc, &config, &b->synth), 0);
    struct cad_scenario_title title = {
        .id = CAD_STR("7"), .synth = b->synth, .hosts = hosts, .host_count = 2, .seed = 1,
        .url_life = 3600 * CAD_SECOND, .text = texts, .text_count = 2};
    assert_int_equal(mock_synth_create(&title, &b->mock), 0);
    load(b);
}

static int setup(void **state)
{
    *state = test_calloc(1, sizeof(struct bench));
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    if (b->answer.release) b->answer.release(b->answer.token);
    if (b->cdm) cad_cdm_clearkey()->destroy(b->cdm);
    cad_presentation_destroy(&b->p);
    mock_synth_destroy(&b->mock);
    cad_synth_destroy(&b->synth);
    test_free(b);
    return 0;
}

static const struct cad_track *track_of(const struct bench *b, enum cad_media_type type,
                                        const char *lang)
{
    const struct cad_period *period = &b->p->periods[0];
    for (uint32_t i = 0; i < period->track_count; i++) {
        const struct cad_track *track = &period->tracks[i];
        if (track->type == type && !track->is_none && cad_str_eqz(track->lang, lang)) return track;
    }
    return NULL;
}

/* What the header of stream i says; the init's views are into `head`. */
static void read_init(const struct bench *b, uint32_t i, uint8_t head[HEAD_BYTES],
                      struct cad_mp4_init *init, struct cad_cenc_pssh *pssh)
{
    struct cad_synth_stream info;
    size_t done = 0, end = 0, at = 0;
    assert_int_equal(cad_synth_stream_at(b->synth, i, &info), 0);
    assert_true(info.header_bytes <= HEAD_BYTES);
    struct cad_range range = {0, info.header_bytes - 1};
    assert_int_equal(cad_synth_read(b->synth, i, range, head, &done), 0);
    assert_int_equal(cad_mp4_init_read((cad_buf){head, done}, init, &end), 0);
    assert_true(init->encrypted && init->has_protection);
    assert_int_equal(init->scheme, CAD_FOURCC('c', 'b', 'c', 's'));
    assert_int_equal(init->protection.constant_iv.n, 16);
    assert_int_equal(init->protection.per_sample_iv_size, 0);
    assert_memory_equal(init->protection.kid, info.kid, CAD_KEY_ID_SIZE);
    assert_int_equal(info.scheme, CAD_SCHEME_CBCS);
    assert_int_equal(cad_mp4_pssh_next(init->moov, &at, pssh), 0);
}

/* A track's protection is that of its files: the same init data, the key of each rung its own. */
static void check_track(const struct bench *b, const struct cad_track *track, uint32_t first)
{
    uint8_t head[HEAD_BYTES];
    for (uint32_t i = 0; i < track->representation_count; i++) {
        const struct cad_representation *r = &track->representations[i];
        struct cad_mp4_init init;
        struct cad_cenc_pssh pssh;
        const struct cad_protection *own = NULL;
        read_init(b, first + i, head, &init, &pssh);
        assert_true(r->encrypted);
        for (uint32_t k = 0; k < track->protection_count; k++) {
            const struct cad_protection *p = &track->protections[k];
            assert_int_equal(p->init_data.n, pssh.box.n);
            assert_memory_equal(p->init_data.p, pssh.box.p, pssh.box.n);
            if (cad_str_eq(p->id, r->drm_header_id)) own = p;
        }
        assert_non_null(own);
        assert_true(own->has_key_id);
        assert_memory_equal(own->key_id, init.protection.kid, CAD_KEY_ID_SIZE);
    }
}

static void test_synth_manifest_and_files_name_the_same_keys(void **state)
{
    struct bench *b = *state;
    make(b, true);
    const struct cad_track *video = track_of(b, CAD_MEDIA_VIDEO, "und");
    const struct cad_track *audio = track_of(b, CAD_MEDIA_AUDIO, "en");
    assert_non_null(video);
    assert_non_null(audio);
    assert_int_equal(video->representation_count, 3);
    assert_int_equal(video->protection_count, 2);
    assert_int_equal(audio->protection_count, 1);
    check_track(b, video, 0);
    check_track(b, audio, 3);
    assert_int_equal(video->protections[0].key_id[0], 1);
    assert_int_equal(video->protections[1].key_id[0], 2);
    assert_int_equal(audio->protections[0].key_id[0], 3);
    assert_true(cad_str_eq(video->representations[1].drm_header_id, video->protections[0].id));
    assert_true(cad_str_eq(video->representations[2].drm_header_id, video->protections[1].id));
    assert_true(cad_str_starts(b->p->links.license, CAD_STR("http://cdn1/license?")));
}

static void test_synth_one_key_for_all(void **state)
{
    struct bench *b = *state;
    make(b, false);
    const struct cad_track *video = track_of(b, CAD_MEDIA_VIDEO, "und");
    const struct cad_track *audio = track_of(b, CAD_MEDIA_AUDIO, "en");
    assert_int_equal(video->protection_count, 1);
    check_track(b, video, 0);
    check_track(b, audio, 3);
    assert_memory_equal(video->protections[0].key_id, audio->protections[0].key_id, 16);
}

static int post(void *ctx, const struct cad_cdm_event *events)
{
    struct bench *b = ctx;
    for (; events; events = events->next) {
        if (events->type == CAD_CDM_EVENT_DONE) b->done = events->result;
        if (events->type != CAD_CDM_EVENT_MESSAGE) continue;
        if (events->data.n > sizeof b->message) return CAD_E_NOMEM;
        memcpy(b->message, events->data.p, events->data.n);
        b->message_bytes = events->data.n;
    }
    return 0;
}

/* A CDM asks with a track's init data, and has its keys from the answer. */
static void test_synth_licence_opens_a_track(void **state)
{
    struct bench *b = *state;
    const struct cad_cdm_ops *ops = cad_cdm_clearkey();
    struct cad_cdm_host host = {.size = sizeof host, .alloc = cad_alloc_system(), .ctx = b,
                                .post = post};
    struct cad_cdm_tag tag = {.session = 1, .epoch = 1, .op = 1};
    make(b, true);
    const struct cad_track *video = track_of(b, CAD_MEDIA_VIDEO, "und");
    assert_int_equal(ops->create(&host, CAD_STR("org.w3.clearkey"), &b->cdm), 0);
    assert_int_equal(ops->open(b->cdm, &tag, CAD_SESSION_TEMPORARY), 0);
    tag.op = 2;
    cad_buf init_data = video->protections[0].init_data;
    assert_int_equal(ops->request(b->cdm, &tag, CAD_INIT_CENC, init_data), 0);
    assert_int_equal(b->done, 0);
    cad_str target = cad_str_sub(b->p->links.license, strlen("http://cdn1"), SIZE_MAX);
    cad_buf message = {b->message, b->message_bytes};
    assert_int_equal(ask(b, "POST", target, message), 200);
    tag.op = 3;
    assert_int_equal(ops->update(b->cdm, &tag, b->answer.body), 0);
    assert_int_equal(b->done, 0);
    for (uint32_t k = 0; k < 2; k++) {
        const uint8_t *kid = video->protections[k].key_id;
        assert_int_equal(ops->key_ready(b->cdm, kid), CAD_KEY_USABLE);
    }
    const struct cad_track *audio = track_of(b, CAD_MEDIA_AUDIO, "en");
    assert_int_equal(ops->key_ready(b->cdm, audio->protections[0].key_id), CAD_KEY_UNKNOWN);
    assert_int_equal(mock_origin_licence(mock_synth_origin(b->mock))->counts.keys, 2);
}

static void test_synth_subtitles(void **state)
{
    struct bench *b = *state;
    uint8_t text[512];
    size_t done = 0;
    make(b, true);
    const struct cad_track *german = track_of(b, CAD_MEDIA_TEXT, "de");
    assert_non_null(track_of(b, CAD_MEDIA_TEXT, "en"));
    assert_non_null(german);
    assert_int_equal(german->representation_count, 1);
    const struct cad_representation *r = &german->representations[0];
    assert_int_equal(r->codec, CAD_CODEC_TTML);
    assert_false(r->encrypted);
    cad_str target = cad_str_sub(r->locations[0].url, strlen("http://cdn1"), SIZE_MAX);
    assert_int_equal(ask(b, "GET", target, (cad_buf){0}), 200);
    assert_string_equal(b->answer.content_type, "application/ttml+xml");
    assert_int_equal(b->answer.body_size, r->size_bytes);
    assert_int_equal(b->answer.read(b->answer.token, 0, sizeof text, text, &done), 0);
    assert_int_equal(done, sizeof text);
    cad_str start = cad_str_make((const char *)text, done);
    assert_true(cad_str_find(start, CAD_STR("xml:lang=\"de\"")) > 0);
    struct mock_origin *origin = mock_synth_origin(b->mock);
    assert_int_equal(mock_origin_service(origin, CAD_STR("text"), false), 0);
    assert_int_equal(ask(b, "GET", target, (cad_buf){0}), 404);
    assert_int_equal(mock_origin_service(origin, CAD_STR("text"), true), 0);
    assert_int_equal(ask(b, "GET", target, (cad_buf){0}), 200);
}

static void test_synth_licence_switches(void **state)
{
    static const struct { const char *name; int32_t status; } faults[] = {
        {"licence", 503}, {"licence-refused", 403}, {"licence-garbage", 200},
        {"licence-cut", 200}};
    struct bench *b = *state;
    make(b, true);
    struct mock_origin *origin = mock_synth_origin(b->mock);
    static const char body[] = "{\"kids\":[\"AQAAAAAAAAAAAAAAAAAAAA\"],\"type\":\"temporary\"}";
    cad_buf bytes = cad_buf_from_str(cad_str_from(body));
    for (size_t i = 0; i < CAD_ARRAY_LEN(faults); i++) {
        cad_str name = cad_str_from(faults[i].name);
        assert_int_equal(mock_origin_service(origin, name, false), 0);
        assert_int_equal(ask(b, "POST", CAD_STR("/license"), bytes), faults[i].status);
        assert_int_equal(mock_origin_service(origin, name, true), 0);
        assert_int_equal(ask(b, "POST", CAD_STR("/license"), bytes), 200);
    }
    assert_int_equal(mock_origin_service(origin, CAD_STR("licence-slow-800"), false), 0);
    assert_int_equal(ask(b, "POST", CAD_STR("/license"), bytes), 200);
    assert_int_equal(b->answer.think, 800 * CAD_MS);
    assert_int_equal(mock_origin_service(origin, CAD_STR("licence-slow-800"), true), 0);
    assert_int_equal(ask(b, "POST", CAD_STR("/license"), bytes), 200);
    assert_int_equal(b->answer.think, 0);
    assert_int_equal(mock_licence_withhold(mock_origin_licence(origin), bytes.p, true),
                     CAD_E_NOTFOUND);
    assert_int_equal(mock_origin_licence(origin)->counts.licences, 6);
    assert_int_equal(mock_origin_service(origin, CAD_STR("licence-slow-x"), false),
                     CAD_E_NOTFOUND);
    assert_int_equal(mock_origin_service(origin, CAD_STR("licence-lost"), false), CAD_E_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_synth_manifest_and_files_name_the_same_keys, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_synth_one_key_for_all, setup, teardown),
        cmocka_unit_test_setup_teardown(test_synth_licence_opens_a_track, setup, teardown),
        cmocka_unit_test_setup_teardown(test_synth_subtitles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_synth_licence_switches, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
