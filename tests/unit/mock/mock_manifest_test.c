/* The manifest service: what a request must have, and what the answer says. */
#include "base/json.h"
#include "unit/mock/mock_fixture.h"

static void check_json(cad_str text)
{
    struct cad_json j;
    cad_json_init(&j, text, NULL);
    enum cad_json_type type = cad_json_next(&j);
    assert_int_equal(type, CAD_JSON_OBJECT_BEGIN);
    while (type != CAD_JSON_END && type != CAD_JSON_ERROR) type = cad_json_next(&j);
    assert_int_equal(type, CAD_JSON_END);
}

static uint32_t count_of(const struct fixture *f, const char *needle)
{
    cad_str text = fixture_text(f);
    uint32_t count = 0;
    ptrdiff_t at;
    while ((at = cad_str_find(text, cad_str_from(needle))) >= 0) {
        text = cad_str_sub(text, (size_t)at + 1, text.n);
        count++;
    }
    return count;
}

static void test_envelope(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_ask_manifest(f, "reqAttempt=1", FIXTURE_ALL, "x1"), 200);
    check_json(fixture_text(f));
    assert_string_equal(f->answer.content_type, "application/json");
    assert_true(fixture_has(f, "{\"id\":41,\"version\":2,\"serverTime\":1700000000500,"
                               "\"result\":{\"movieId\":900100,"));
    assert_true(fixture_has(f, "\"from\":\"playapi\"}"));
    assert_true(fixture_has(f, "\"expiration\":1700000600000,"));
    assert_true(fixture_has(f, "\"urlExpirationDuration\":600000,"));
    assert_true(fixture_has(f, "\"duration\":60000,"));
}

static void test_bare(void **state)
{
    struct fixture *f = *state;
    f->config.bare_manifest = true;
    fixture_restart(f);
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL, "x1"), 200);
    check_json(fixture_text(f));
    assert_true(cad_str_starts(fixture_text(f), CAD_STR("{\"movieId\":900100,")));
    assert_false(fixture_has(f, "serverTime"));
}

static void test_servers_and_urls(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL, "x1"), 200);
    assert_int_equal(count_of(f, "\"level\":"), 2);
    assert_int_equal(count_of(f, "\"cdn_id\":"), 16);
    assert_int_equal(count_of(f, "\"cdn_id\":11,\"url\":\"http://127.0.0.1:1001/?o=1&v=1&e="), 4);
    assert_int_equal(count_of(f, "\"cdn_id\":12,\"url\":\"http://127.0.0.1:1002/"), 4);
    assert_int_equal(count_of(f, "\"cdn_id\":21,\"url\":\"http://127.0.0.1:1003/"), 4);
    assert_int_equal(count_of(f, "\"cdn_id\":22,\"url\":\"http://127.0.0.1:1004/"), 4);
    assert_int_equal(count_of(f, "\"ipv4\":\"127.0.0.1\""), 4);
    f->config.host_count = 2;
    f->config.scheme = "https";
    fixture_restart(f);
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL, "x1"), 200);
    assert_int_equal(count_of(f, "\"level\":"), 1);
    assert_int_equal(count_of(f, "\"url\":\"https://127.0.0.1:1002/"), 4);
}

static void test_streams(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL, "x1"), 200);
    assert_int_equal(count_of(f, "\"new_track_id\":"), 2);
    assert_true(fixture_has(f, "\"video_tracks\":[{\"new_track_id\":\"V:1\""));
    assert_true(fixture_has(f, "\"content_profile\":\"av1-main-L40-dash-clear\""));
    assert_true(fixture_has(f, "{\"new_track_id\":\"A:en:2:heaac-2-dash\""));
    assert_true(fixture_has(f, "\"maxWidth\":640,\"maxHeight\":360,"));
    assert_true(fixture_has(
        f, "{\"downloadable_id\":\"video-750\",\"content_profile\":\"h264mpl40-dash-clear\","
           "\"bitrate\":750,\"peakBitrate\":1500,\"size\":1000,\"res_w\":480,\"res_h\":270,"
           "\"pix_w\":1,\"pix_h\":1,\"framerate_value\":24,\"framerate_scale\":1,\"isDrm\":false,"
           "\"moov\":{\"offset\":28,\"size\":100},\"sidx\":{\"offset\":128,\"size\":72},"
           "\"startByteOffset\":200,\"urls\":["));
    assert_true(fixture_has(f, "\"channels\":\"2.0\",\"isDrm\":false,"));
    assert_true(fixture_has(f, "\"recommendedMedia\":{\"videoTrackId\":\"V:1\","
                               "\"audioTrackId\":\"A:en:2:heaac-2-dash\"}"));
}

static void test_profile_filter(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_ask_manifest(
                         f, "", "\"unknown\",\"heaac-2-dash\",\"h264mpl40-dash-clear\"", "x1"),
                     200);
    check_json(fixture_text(f));
    assert_int_equal(count_of(f, "\"downloadable_id\":"), 3);
    assert_false(fixture_has(f, "av1"));
    assert_int_equal(fixture_ask_manifest(
                         f, "", "\"av1-main-L40-dash-clear\",\"heaac-2-dash\"", "x1"), 200);
    assert_int_equal(count_of(f, "\"downloadable_id\":"), 2);
    assert_true(fixture_has(f, "\"videoTrackId\":\"V:1\""));
    assert_int_equal(fixture_ask_manifest(f, "", "\"av1-main-L40-dash-clear\"", "x1"), 200);
    check_json(fixture_text(f));
    assert_true(fixture_has(f, "\"result\":null,\"error\":{\"code\":\"NO_STREAMS\""));
    assert_true(fixture_has(f, "\"retryable\":false"));
    assert_int_equal(fixture_ask_manifest(f, "", "", "x1"), 200);
    assert_true(fixture_has(f, "\"code\":\"NO_STREAMS\""));
}

static void test_unknown_title(void **state)
{
    struct fixture *f = *state;
    f->config.title = "900200";
    fixture_restart(f);
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL, "x1"), 404);
    check_json(fixture_text(f));
    assert_true(fixture_has(f, "\"result\":null,\"error\":{\"code\":\"TITLE_NOT_FOUND\""));
    assert_true(fixture_has(f, "\"retryable\":false"));
}

static void test_service_down(void **state)
{
    struct fixture *f = *state;
    struct mock_origin_counts counts;
    assert_int_equal(mock_origin_service(f->origin, CAD_STR("weather"), false), CAD_E_NOTFOUND);
    assert_int_equal(mock_origin_service(f->origin, CAD_STR("manifest"), false), 0);
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL, "x1"), 503);
    assert_true(fixture_has(f, "\"retryable\":true"));
    assert_int_equal(mock_origin_service(f->origin, CAD_STR("manifest"), true), 0);
    assert_int_equal(fixture_ask_manifest(f, "reqAttempt=2", FIXTURE_ALL, "x1"), 200);
    mock_origin_counts(f->origin, &counts);
    assert_int_equal(counts.manifests, 1);
    assert_int_equal(counts.denied, 1);
    assert_int_equal(counts.refreshes, 0);
}

static void test_refreshes_and_retries(void **state)
{
    struct fixture *f = *state;
    struct mock_origin_counts counts;
    assert_int_equal(fixture_ask_manifest(f, "reqAttempt=1&reqId=aa", FIXTURE_ALL, "x1"), 200);
    assert_int_equal(fixture_ask_manifest(f, "reqAttempt=2&reqId=aa", FIXTURE_ALL, "x1"), 200);
    assert_int_equal(fixture_ask_manifest(f, "reqAttempt=1&reqId=bb", FIXTURE_ALL, "x1"), 200);
    assert_int_equal(fixture_ask_manifest(f, "reqAttempt=1&reqId=cc", FIXTURE_ALL, "x2"), 200);
    mock_origin_counts(f->origin, &counts);
    assert_int_equal(counts.manifests, 4);
    assert_int_equal(counts.retries, 1);
    assert_int_equal(counts.refreshes, 1);
    for (int i = 0; i < 2 * MOCK_XIDS_MAX; i++) { /* the oldest attempts are forgotten */
        char xid[16];
        (void)snprintf(xid, sizeof xid, "y%d", i);
        assert_int_equal(fixture_ask_manifest(f, "reqId=dd", FIXTURE_ALL, xid), 200);
    }
    mock_origin_counts(f->origin, &counts);
    assert_int_equal(counts.refreshes, 1);
}

/* A session keeps its context over a refresh; another one has another. */
static void test_sessions(void **state)
{
    struct fixture *f = *state;
    char first[600];
    fixture_look_up(f, "video-300");
    memcpy(first, f->url, sizeof f->url);
    fixture_look_up(f, "video-300");
    assert_string_equal(first, f->url);
    f->now_ms += 5000;
    fixture_look_up(f, "video-300");
    assert_string_not_equal(first, f->url);
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL, "x2"), 200);
    const char *token = strstr(f->url, "&t=");
    assert_non_null(token);
    assert_false(fixture_has(f, token));
}

static void test_bad_requests(void **state)
{
    struct fixture *f = *state;
#define GOOD                                                                                       \
    "\"type\":\"standard\",\"viewableId\":900100,\"profiles\":[],\"flavor\":\"STANDARD\","         \
    "\"xid\":\"x\""
    static const struct {
        const char *body, *member;
    } bad[] = {
        {"", "body"},
        {"[]", "body"},
        {"{\"version\":2,\"url\":\"licensedManifest\",\"params\":{" GOOD "}", "body"},
        {"{\"version\":2,\"url\":\"licensedManifest\",\"params\":{" GOOD "}} x", "body"},
        {"{\"version\":1,\"url\":\"licensedManifest\",\"params\":{" GOOD "}}", "version"},
        {"{\"version\":2,\"url\":\"manifest\",\"params\":{" GOOD "}}", "url"},
        {"{\"version\":2,\"url\":\"licensedManifest\"}", "params"},
        {"{\"version\":2,\"url\":\"licensedManifest\",\"params\":[1,{}]}", "params"},
        {"{\"version\":2,\"url\":\"licensedManifest\",\"params\":{}}", "params.type"},
        {"{\"version\":2,\"url\":\"licensedManifest\",\"params\":{\"type\":\"standard\"}}",
         "params.viewableId"},
        {"{\"version\":2,\"url\":\"licensedManifest\",\"params\":{\"type\":\"offline\","
         "\"viewableId\":1}}", "params.profiles"},
        {"{\"version\":2,\"url\":\"licensedManifest\",\"params\":{\"type\":\"offline\","
         "\"viewableId\":1,\"profiles\":[\"a\",1]}}", "params.profiles"},
        {"{\"version\":2,\"url\":\"licensedManifest\",\"params\":{\"type\":\"standard\","
         "\"viewableId\":\"1\",\"profiles\":[]}}", "params.flavor"},
        {"{\"version\":2,\"url\":\"licensedManifest\",\"params\":{\"type\":\"standard\","
         "\"viewableId\":1,\"profiles\":[],\"flavor\":\"PRE_FETCH\"}}", "params.xid"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char sub_code[64];
        assert_int_equal(fixture_ask(f, "POST", MOCK_MANIFEST_PATH, bad[i].body), 400);
        check_json(fixture_text(f));
        (void)snprintf(sub_code, sizeof sub_code, "\"subCode\":\"%s\"", bad[i].member);
        assert_true(fixture_has(f, sub_code));
    }
    assert_int_equal(fixture_ask_manifest(f, "reqAttempt=0", FIXTURE_ALL, "x1"), 400);
    assert_int_equal(fixture_ask_manifest(f, "reqAttempt=two", FIXTURE_ALL, "x1"), 400);
    assert_int_equal(fixture_ask(f, "GET", MOCK_MANIFEST_PATH, ""), 405);
#undef GOOD
}

static void test_manifest_for_a_file(void **state)
{
    struct fixture *f = *state;
    cad_str text = {0}, again = {0};
    char copy[8192];
    static const char base[] = "http://127.0.0.1:8081/files";
    assert_int_equal(mock_origin_manifest(f->origin, "", &text), CAD_E_INVAL);
    assert_int_equal(mock_origin_manifest(f->origin, base, &text), 0);
    check_json(text);
    f->answer.body = cad_buf_from_str(text);
    assert_true(fixture_has(f, "\"url\":\"http://127.0.0.1:8081/files/video-1000.mp4\""));
    assert_true(fixture_has(f, "\"host\":\"127.0.0.1:8081\""));
    assert_true(fixture_has(f, "\"expiration\":4102444800000"));
    assert_int_equal(count_of(f, "\"cdn_id\":11"), 4);
    assert_int_equal(count_of(f, "\"cdn_id\":"), 4);
    assert_false(fixture_has(f, "sc="));
    size_t n = cad_str_copyz(copy, sizeof copy, text);
    assert_int_equal(mock_origin_manifest(f->origin, base, &again), 0);
    assert_true(cad_str_eq(again, cad_str_make(copy, n)));
    f->answer.body = (cad_buf){0};
}

#define PROTECTED "\"playready-h264mpl40-dash\",\"heaac-2-dash\""

static void test_protection(void **state)
{
    struct fixture *f = *state;
    fixture_protect(f, 0, 0x01, "playready-h264mpl40-dash");
    fixture_protect(f, 1, 0x02, "playready-h264mpl40-dash");
    fixture_protect(f, 3, 0x03, "heaac-2-dash");
    fixture_restart(f);
    assert_int_equal(fixture_ask_manifest(f, "", PROTECTED, "x1"), 200);
    check_json(fixture_text(f));
    assert_true(fixture_has(f, "\"drmType\":\"clearkey\",\"drmVersion\":1,"
                               "\"hasDrmProfile\":true,\"hasDrmStreams\":true,"
                               "\"hasClearProfile\":false,\"hasClearStreams\":false"));
    assert_true(fixture_has(f, "\"license\":{\"href\":\"/license?licenseType=standard&"
                               "playbackContextId=CTX-900100-"));
    /* The init data of either header of the pictures names both keys. */
    assert_int_equal(count_of(f, "\"bytes\":\"AAAARHBzc2gBAAAAEHfv7MCyTQKs4zweUuL7SwAAAAIBAQEB"
                                 "AQEBAQEBAQEBAQEBAgICAgICAgICAgICAgICAgAAAAA=\""), 2);
    assert_true(fixture_has(f, "\"drmHeaderId\":\"01010101010101010101010101010101\","
                               "\"keyId\":\"AQEBAQEBAQEBAQEBAQEBAQ==\","
                               "\"resolution\":{\"width\":320,\"height\":180}}"));
    assert_int_equal(count_of(f, "\"prkDrmHeaders\":[{"), 1);
    assert_int_equal(count_of(f, "\"isDrm\":true,\"drmHeaderId\":\"0202"), 1);
    assert_int_equal(count_of(f, "\"isDrm\":true,\"drmHeaderId\":\"0303"), 1);
    assert_int_equal(count_of(f, "\"isDrm\":false"), 0);
}

/* A title in part clear says both; what is not asked for takes its headers with it. */
static void test_protection_in_part(void **state)
{
    struct fixture *f = *state;
    fixture_protect(f, 1, 0x02, "playready-h264mpl40-dash");
    fixture_restart(f);
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL "," PROTECTED, "x1"), 200);
    assert_int_equal(count_of(f, "\"drmHeader\":{"), 1);
    assert_int_equal(count_of(f, "\"prkDrmHeaders\""), 0);
    assert_true(fixture_has(f, "\"hasDrmStreams\":true,\"hasClearProfile\":true"));
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL, "x1"), 200);
    assert_int_equal(count_of(f, "\"drmHeader"), 0);
    assert_true(fixture_has(f, "\"hasDrmStreams\":false"));
}

static void test_text_tracks(void **state)
{
    struct fixture *f = *state;
    fixture_text_asset(f, 2, "text-de", "de");
    fixture_restart(f);
    /* Who names no profile of text is told of all; who names one has to name this one. */
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL, "x1"), 200);
    check_json(fixture_text(f));
    assert_true(fixture_has(f, "\"new_track_id\":\"T:none\""));
    assert_true(fixture_has(f, "\"downloadableIds\":{\"imsc1.1\":\"text-de\"},"
                               "\"ttDownloadables\":{\"imsc1.1\":{\"size\":1000,\"isImage\":false,"
                               "\"urls\":[{\"cdn_id\":11,\"url\":\"http://127.0.0.1:1001/?o="));
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL ",\"imsc1.1\"", "x1"), 200);
    assert_int_equal(count_of(f, "\"new_track_id\":\"T:"), 2);
    assert_int_equal(fixture_ask_manifest(f, "", FIXTURE_ALL ",\"simplesdh\"", "x1"), 200);
    assert_int_equal(count_of(f, "\"new_track_id\":\"T:"), 0);
    cad_str text;
    assert_int_equal(mock_origin_manifest(f->origin, "http://h/files", &text), 0);
    assert_true(cad_str_find(text, CAD_STR("\"http://h/files/text-de.ttml\"")) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_envelope, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bare, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_servers_and_urls, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_streams, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_profile_filter, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_unknown_title, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_service_down, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_refreshes_and_retries, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_sessions, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bad_requests, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_manifest_for_a_file, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_protection, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_protection_in_part, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_text_tracks, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
