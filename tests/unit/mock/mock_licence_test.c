/* Goal: the licence service gives the keys that were asked for and no others, in the form of the
 * request; each of its faults is what its name says; no request that is wrong passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/cenc.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "mock/mock_licence.h"

#define NOW_MS INT64_C(1700000000500)
/* Key ids of one byte repeated: 1 and 2 are known, 3 is not. */
#define KID_1 "AQEBAQEBAQEBAQEBAQEBAQ"
#define KID_2 "AgICAgICAgICAgICAgICAg"
#define KID_3 "AwMDAwMDAwMDAwMDAwMDAw"
#define KEY_1 "EREREREREREREREREREREQ"
#define KEY_2 "EhISEhISEhISEhISEhISEg"
#define ASK(kids) "{\"kids\":[" kids "],\"type\":\"temporary\"}"

struct bench {
    struct mock_licence service;
    struct cad_sb body;
    struct cad_origin_answer answer;
};

static int setup(void **state)
{
    struct bench *b = test_calloc(1, sizeof *b);
    struct mock_key keys[2];
    struct cad_alloc alloc = cad_alloc_system();
    for (uint8_t i = 0; i < 2; i++) {
        memset(keys[i].kid, i + 1, sizeof keys[i].kid);
        memset(keys[i].key, i + 0x11, sizeof keys[i].key);
    }
    assert_int_equal(mock_licence_init(&b->service, keys, 2), 0);
    cad_sb_init(&b->body, &alloc, CAD_MEM_OTHER, 65536);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    mock_licence_deinit(&b->service);
    cad_sb_deinit(&b->body);
    test_free(b);
    return 0;
}

static int32_t ask_by(struct bench *b, const char *method, const char *body)
{
    struct cad_origin_request request = {
        .method = cad_str_from(method), .path = CAD_STR(MOCK_LICENCE_PATH),
        .body = cad_buf_from_str(cad_str_from(body)), .range = {-1, -1}, .now_ms = NOW_MS};
    memset(&b->answer, 0, sizeof b->answer);
    cad_sb_reset(&b->body);
    mock_licence_serve(&b->service, &request, &b->body, &b->answer);
    return b->answer.status;
}

static int32_t ask(struct bench *b, const char *body)
{
    return ask_by(b, "POST", body);
}

/* The form of licensed manifests around a challenge. */
static int32_t ask_list(struct bench *b, const char *challenge)
{
    char text[512], body[1024];
    size_t n = 0;
    cad_buf bytes = cad_buf_from_str(cad_str_from(challenge));
    assert_int_equal(cad_base64_encode(bytes, 0, text, sizeof text, &n), 0);
    (void)snprintf(body, sizeof body,
                   "[{\"drmSessionId\":\"s\\u0031\",\"clientTime\":1772324400,"
                   "\"challengeBase64\":\"%.*s\",\"xid\":\"x1\"}]",
                   (int)n, text);
    return ask(b, body);
}

static bool has(const struct bench *b, const char *needle)
{
    return cad_str_find(cad_sb_str(&b->body), cad_str_from(needle)) >= 0;
}

/* All of it is one JSON value. */
static int json_error(const struct bench *b)
{
    struct cad_json j;
    cad_json_init(&j, cad_sb_str(&b->body), NULL);
    if (cad_json_next(&j) == CAD_JSON_OBJECT_BEGIN) {
        while (cad_json_next(&j) == CAD_JSON_KEY) {
            if (cad_json_skip(&j) < 0) break;
        }
    }
    if (cad_json_error(&j) < 0) return cad_json_error(&j);
    return cad_json_next(&j) == CAD_JSON_END ? 0 : CAD_E_DATA;
}

static void test_licence_keys_that_were_asked_for(void **state)
{
    struct bench *b = *state;
    assert_int_equal(ask(b, ASK("\"" KID_2 "\"")), 200);
    assert_true(cad_str_eqz(cad_sb_str(&b->body),
                            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" KEY_2 "\",\"kid\":\"" KID_2
                            "\"}],\"type\":\"temporary\"}"));
    assert_int_equal(ask(b, ASK("\"" KID_1 "\",\"" KID_2 "==\"")), 200);
    assert_true(has(b, KEY_1) && has(b, KEY_2));
    assert_int_equal(b->service.counts.licences, 2);
    assert_int_equal(b->service.counts.keys, 3);
    assert_int_equal(b->service.asked_count, 2);
    assert_int_equal(b->service.asked[1][0], 2);
}

static void test_licence_object(void **state)
{
    struct bench *b = *state;
    uint8_t set[512];
    size_t n = 0;
    static const cad_str mark = CAD_STR_INIT("\"licenseResponseBase64\":\"");
    assert_int_equal(ask_list(b, ASK("\"" KID_1 "\"")), 200);
    assert_int_equal(json_error(b), 0);
    assert_true(has(b, "{\"serverTime\":1700000000500,\"license\":{\"drmSessionId\":\"s1\","));
    cad_str text = cad_sb_str(&b->body);
    ptrdiff_t at = cad_str_find(text, mark);
    assert_true(at > 0);
    text = cad_str_sub(text, (size_t)at + mark.n, text.n);
    text = cad_str_sub(text, 0, (size_t)cad_str_find_char(text, '"'));
    assert_int_equal(cad_base64_decode(text, 0, set, sizeof set, &n), 0);
    cad_str want = CAD_STR("{\"keys\":[{\"kty\":\"oct\",\"k\":\"" KEY_1 "\",\"kid\":\"" KID_1
                           "\"}],\"type\":\"temporary\"}");
    assert_true(cad_str_eq(cad_str_make((const char *)set, n), want));
}

static void test_licence_unknown_key(void **state)
{
    struct bench *b = *state;
    assert_int_equal(ask(b, ASK("\"" KID_3 "\"")), 403);
    assert_true(has(b, "KEY_NOT_FOUND") && has(b, "\"retryable\":false"));
    assert_int_equal(ask_list(b, ASK("\"" KID_1 "\",\"" KID_3 "\"")), 403);
    assert_false(has(b, KEY_1));
    assert_int_equal(b->service.counts.licences, 0);
    assert_int_equal(b->service.counts.denied, 2);
}

static void test_licence_bad_requests(void **state)
{
    static const struct { const char *body, *member; } bad[] = {
        {"", "body"}, {"x", "body"}, {"7", "body"}, {"[]", "body"}, {"[7]", "body"},
        {"{}", "kids"}, {"{\"kids\":[],\"type\":\"temporary\"}", "kids"},
        {"{\"kids\":[7],\"type\":\"temporary\"}", "kids"},
        {"{\"kids\":[\"AQEB\"],\"type\":\"temporary\"}", "kids"},
        {"{\"kids\":[\"" KID_1 "\"]}", "type"},
        {"{\"kids\":[\"" KID_1 "\"],\"type\":\"persistent-license\"}", "type"},
        {ASK("\"" KID_1 "\"") "x", "body"},
        {"[{\"clientTime\":1,\"challengeBase64\":\"e30=\",\"xid\":\"x\"}]", "drmSessionId"},
        {"[{\"drmSessionId\":\"s\",\"challengeBase64\":\"e30=\",\"xid\":\"x\"}]", "clientTime"},
        {"[{\"drmSessionId\":\"s\",\"clientTime\":1,\"xid\":\"x\"}]", "challengeBase64"},
        {"[{\"drmSessionId\":\"s\",\"clientTime\":1,\"challengeBase64\":\"e30=\"}]", "xid"},
        {"[{\"drmSessionId\":\"s\",\"clientTime\":1,\"challengeBase64\":\"e30=\",\"xid\":\"x\"}]",
         "challengeBase64"}};
    struct bench *b = *state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        char sub_code[64];
        (void)snprintf(sub_code, sizeof sub_code, "\"subCode\":\"%s\"", bad[i].member);
        assert_int_equal(ask(b, bad[i].body), 400);
        assert_int_equal(json_error(b), 0);
        if (!has(b, sub_code)) print_message("%s: %s\n", bad[i].body, cad_sb_z(&b->body));
        assert_true(has(b, sub_code));
    }
    assert_int_equal(ask_by(b, "GET", ""), 405);
    assert_int_equal(b->service.counts.licences, 0);
}

static void test_licence_too_many_keys(void **state)
{
    struct bench *b = *state;
    char body[2048] = "{\"kids\":[";
    for (int i = 0; i < MOCK_KEYS_MAX + 1; i++) {
        size_t n = strlen(body);
        (void)snprintf(body + n, sizeof body - n, "%s\"" KID_1 "\"", i ? "," : "");
    }
    size_t n = strlen(body);
    (void)snprintf(body + n, sizeof body - n, "],\"type\":\"temporary\"}");
    assert_int_equal(ask(b, body), 400);
    struct mock_key many[MOCK_KEYS_MAX + 1];
    memset(many, 0, sizeof many);
    struct mock_licence other;
    assert_int_equal(mock_licence_init(&other, many, MOCK_KEYS_MAX + 1), CAD_E_LIMIT);
}

static void test_licence_faults(void **state)
{
    struct bench *b = *state;
    const char *good = ASK("\"" KID_1 "\"");
    b->service.delay = 7 * CAD_MS;
    b->service.fault = (struct mock_licence_fault){.mode = MOCK_LICENCE_DOWN, .times = 2};
    assert_int_equal(ask(b, good), 503);
    assert_true(has(b, "\"retryable\":true"));
    assert_int_equal(b->answer.think, 7 * CAD_MS);
    assert_int_equal(ask(b, good), 503);
    assert_int_equal(ask(b, good), 200); /* it was for two */
    b->service.fault =
        (struct mock_licence_fault){.mode = MOCK_LICENCE_REFUSED, .message = "not here"};
    assert_int_equal(ask(b, good), 403);
    assert_true(has(b, "\"message\":\"not here\""));
    b->service.fault = (struct mock_licence_fault){.mode = MOCK_LICENCE_STATUS, .status = 500};
    assert_int_equal(ask(b, good), 500);
    b->service.fault = (struct mock_licence_fault){.mode = MOCK_LICENCE_GARBAGE};
    assert_int_equal(ask(b, good), 200);
    assert_true(json_error(b) < 0);
    b->service.fault = (struct mock_licence_fault){.mode = MOCK_LICENCE_CUT};
    assert_int_equal(ask_list(b, good), 200);
    assert_true(json_error(b) < 0);
    assert_true(has(b, "{\"serverTime\":"));
    assert_int_equal(ask(b, "x"), 400); /* what is wrong with it is told all the same */
    assert_int_equal(b->service.counts.licences, 1);
    assert_int_equal(b->service.counts.failed, 5);
}

static void test_licence_withheld(void **state)
{
    struct bench *b = *state;
    uint8_t kid[CAD_KEY_ID_SIZE];
    memset(kid, 1, sizeof kid);
    assert_int_equal(mock_licence_withhold(&b->service, kid, true), 0);
    assert_int_equal(ask(b, ASK("\"" KID_1 "\",\"" KID_2 "\"")), 200);
    assert_true(has(b, KEY_2) && !has(b, KEY_1));
    assert_int_equal(ask(b, ASK("\"" KID_1 "\"")), 403);
    assert_true(has(b, "KEY_DENIED"));
    assert_int_equal(mock_licence_withhold(&b->service, kid, false), 0);
    assert_int_equal(ask(b, ASK("\"" KID_1 "\"")), 200);
    memset(kid, 3, sizeof kid);
    assert_int_equal(mock_licence_withhold(&b->service, kid, true), CAD_E_NOTFOUND);
}

static void test_pssh_names_its_keys(void **state)
{
    (void)state;
    uint8_t kids[2][CAD_KEY_ID_SIZE], box[MOCK_PSSH_BYTES(2)];
    struct cad_cenc_pssh pssh;
    size_t at = 0;
    memset(kids[0], 1, sizeof kids[0]);
    memset(kids[1], 2, sizeof kids[1]);
    mock_pssh_write((const uint8_t (*)[CAD_KEY_ID_SIZE])kids, 2, box);
    assert_int_equal(cad_cenc_pssh_next((cad_buf){box, sizeof box}, &at, &pssh), 0);
    assert_int_equal(at, sizeof box);
    assert_int_equal(pssh.version, 1);
    assert_int_equal(pssh.kid_count, 2);
    assert_memory_equal(pssh.kids.p, kids, sizeof kids);
    assert_memory_equal(pssh.system_id, cad_cenc_system_common, CAD_SYSTEM_ID_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_licence_keys_that_were_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_licence_object, setup, teardown),
        cmocka_unit_test_setup_teardown(test_licence_unknown_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_licence_bad_requests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_licence_too_many_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_licence_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_licence_withheld, setup, teardown),
        cmocka_unit_test(test_pssh_names_its_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
