/* Goal: secrets are found wherever they hide, get the same pseudonym everywhere and no other
 * length; what is no secret stays as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/tape_names.h"
#include "support/failing_alloc.h"

#define TEXT_SIZE 1024

struct bench {
    struct tape_names names;
    struct cad_alloc alloc;
};

static void init(struct bench *b, const char *entropy)
{
    b->alloc = cad_alloc_system();
    tape_names_init(&b->names, &b->alloc, cad_buf_from_str(cad_str_from(entropy)));
}

static void deinit(struct bench *b)
{
    tape_names_deinit(&b->names);
}

static const char entropy_one[] = "0123456789abcdef", entropy_two[] = "0123456789abcdeg";

/* The text as it goes onto a tape; its length is the same. */
static const char *text_of(struct bench *b, const char *text)
{
    static char out[4][TEXT_SIZE];
    static int next;
    char *p = out[next++ % 4];
    (void)snprintf(p, TEXT_SIZE, "%s", text);
    tape_names_text(&b->names, p, strlen(p));
    assert_int_equal(strlen(p), strlen(text));
    return p;
}

static const char *body_of(struct bench *b, const char *text)
{
    static char out[4][TEXT_SIZE];
    static int next;
    char *p = out[next++ % 4];
    (void)snprintf(p, TEXT_SIZE, "%s", text);
    assert_int_equal(tape_names_body(&b->names, p, strlen(p)), 0);
    assert_int_equal(strlen(p), strlen(text));
    return p;
}

static void test_tape_hash_is_siphash(void **state)
{
    CAD_UNUSED(state);
    /* Of the paper, appendix A: key 00..0f, message 00..0e; its first eight bytes are `extra`. */
    const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    static const char rest[] = {8, 9, 10, 11, 12, 13, 14};
    uint64_t h = tape_names_hash(key, 0x0706050403020100u, cad_str_make(rest, sizeof(rest)));
    assert_true(h == 0xa129ca6149be45e5u);
}

static void test_tape_urls_lose_their_secrets_only(void **state)
{
    CAD_UNUSED(state);
    struct bench b;
    init(&b, entropy_one);
    static const char *const kept[] = {
        "https://cdn1:8443/range/0-99?o=1&v=31&e=1772367549",
        "http://h/?e=17723675491772367549177236754917723675",
        "/video-3/range/100-200?x=short#part", "file:///a/b.mp4", "A:en:2:heaac-2-dash", "why? so",
        "https://h/a@b.mp4"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(kept); i++) {
        assert_string_equal(text_of(&b, kept[i]), kept[i]);
    }
    const char *url = text_of(&b, "https://h/p?o=1&e=17&t=aB9-_cD&sc=0123456789abcdef#t=Zz12345");
    assert_memory_equal(url, "https://h/p?o=1&e=17&t=", 23);
    assert_null(strstr(url, "aB9"));
    assert_null(strstr(url, "0123456789"));
    assert_null(strstr(url, "Zz12345"));
    assert_true(url[26] == '-' && url[27] == '_'); /* of a kind: a token stays one */
    const char *other =
        text_of(&b, "http://u:pw123@h/a?any=abcdefghijklmnopqrstuvwxyz&k=v%2Fw%40x");
    assert_null(strstr(other, "pw123"));
    assert_null(strstr(other, "abcdefghij"));
    assert_null(strstr(other, "v%2Fw%40x"));
    assert_non_null(strstr(other, "@h/a?any="));
    deinit(&b);
}

static void test_tape_pseudonyms_are_the_same_and_keyed(void **state)
{
    CAD_UNUSED(state);
    struct bench b, c;
    init(&b, entropy_one);
    init(&c, entropy_two);
    static const char one[] = "http://h/?t=TheSameToken1&x=1", two[] = "/?sc=TheSameToken1";
    const char *first = text_of(&b, one), *second = text_of(&b, two), *third = text_of(&c, one);
    assert_memory_equal(first + 12, second + 5, 13);
    assert_true(memcmp(first + 12, third + 12, 13) != 0);
    assert_true(memcmp(first + 12, text_of(&b, "http://h/?t=TheSameToken2") + 12, 8) != 0);
    deinit(&b);
    deinit(&c);
}

static void test_tape_escapes_stay_escapes(void **state)
{
    CAD_UNUSED(state);
    struct bench b;
    init(&b, entropy_one);
    const char *url = text_of(&b, "http://h/?t=a%2Fb%C3%A9c");
    assert_true(url[13] == '%' && cad_hex_value(url[14]) >= 0 && cad_hex_value(url[15]) >= 0);
    assert_true(url[17] == '%' && url[20] == '%');
    deinit(&b);
}

/* The string under a key, its escapes undone. */
static cad_str value_of(const char *json, const char *key, char *memory, size_t size)
{
    struct cad_json j;
    cad_str out = {NULL, 0};
    cad_json_init(&j, cad_str_from(json), NULL);
    for (enum cad_json_type t = cad_json_next(&j); t != CAD_JSON_END; t = cad_json_next(&j)) {
        assert_int_not_equal(t, CAD_JSON_ERROR);
        if (t != CAD_JSON_KEY || !cad_json_key_is(&j, key)) continue;
        assert_int_equal(cad_json_next(&j), CAD_JSON_STRING);
        assert_int_equal(cad_json_string(&j, memory, size, &out), 0);
    }
    return out;
}

static void test_tape_json_is_searched_behind_its_escapes(void **state)
{
    CAD_UNUSED(state);
    struct bench b;
    init(&b, entropy_one);
    char memory[2][256];
    const char *json = body_of(&b,
        "{\"a\":\"https:\\/\\/h\\/?e=1\\u0026t=Tok\\u0065n-12\",\"b\":\"https://h/?t=Token-12\","
        "\"note\":\"caf\\u00e9 \\ud83d\\ude00\"}");
    assert_null(strstr(json, "Tok"));
    assert_null(strstr(json, "n-12"));
    cad_str a = value_of(json, "a", memory[0], 256), c = value_of(json, "b", memory[1], 256);
    assert_true(cad_str_starts(a, CAD_STR("https://h/?e=1&t=")));
    assert_true(cad_str_eq(cad_str_sub(a, 17, 8), cad_str_sub(c, 13, 8)));
    assert_non_null(strstr(json, "caf\\u00e9 \\ud83d\\ude00"));
    deinit(&b);
}

static void test_tape_json_members_of_secret_names(void **state)
{
    CAD_UNUSED(state);
    struct bench b;
    init(&b, entropy_one);
    static const char *const secret[] = {
        "{\"x\":{\"ESN\":\"SECRET-1\"}}", "{\"xid\":SECRET-1}", "{\"userEmail\":\"SECRET-1\"}",
        "{\"Authorization\":\"SECRET-1\"}", "{\"cookies\":{\"a\":[\"SECRET-1\"]},\"b\":1}",
        "{\"masterToken\":{\"tokendata\":\"SECRET-1\"}}", "{\"contact\":\"SECRET-1@host.example\"}",
        "{\"licenseResponseBase64\":\"SECRET-1\"}", "{\"playbackContextId\":\"SECRET-1\"}",
        "{\"xid\":\"SECR\\u0045T-1\"}", "{\"xid\":\"caf\\u00e9 \\ud83d\\ude00 SECRET-1\"}",
        "  [{\"x\":\"\",\"xid\":\"SECRET-1\""};
    for (size_t i = 0; i < CAD_ARRAY_LEN(secret); i++) {
        const char *json = body_of(&b, secret[i]);
        if (i != 1) assert_null(strstr(json, "SECR"));
        if (i == 10) assert_null(strstr(json, "\\u00e9 \\ud83d\\ude00"));
        struct cad_json j;
        cad_json_init(&j, cad_str_from(json), NULL);
        enum cad_json_type t = cad_json_next(&j);
        while (t != CAD_JSON_END && t != CAD_JSON_ERROR) t = cad_json_next(&j);
        if (i != 1 && i != 11) assert_int_equal(t, CAD_JSON_END);
    }
    static const char kept[] =
        "{\"movieId\":900100,\"key\":\"loc-1\",\"bitrate\":[1,2.5e3],\"t\":\"v\","
        "\"cookieless\":true,\"cookie\":[],\"after\":\"kept\",\"xids\":{},\"empty\":\"\"}";
    assert_string_equal(body_of(&b, kept), kept);
    const char *number = body_of(&b, "{\"xid\":17000012345678,\"n\":17000012345678}");
    assert_null(strstr(number, "\"xid\":17000012345678"));
    assert_non_null(strstr(number, "\"n\":17000012345678"));
    assert_true(number[7] >= '1' && number[7] <= '9');
    deinit(&b);
}

static void test_tape_secrets_that_were_learnt_are_found_everywhere(void **state)
{
    CAD_UNUSED(state);
    struct bench b;
    init(&b, entropy_one);
    tape_names_learn_url(&b.names, CAD_STR("https://h/p?reqAttempt=1&reqId=aabbccdd00112233&x=1"));
    static const char request[] = "{\"params\":{\"xid\":\"ffee9988\",\"x\":\"notsecret\"}}";
    assert_int_equal(tape_names_learn_json(&b.names, cad_str_from(request)), 0);
    const char *json = body_of(&b, "{\"m\":\"for aabbccdd00112233 and ffee9988, notsecret\"}");
    assert_null(strstr(json, "aabbccdd"));
    assert_null(strstr(json, "ffee9988"));
    assert_non_null(strstr(json, "notsecret"));
    const char *xml = body_of(&b, "<MPD a='ffee9988'><BaseURL>http://h/?e=1&amp;t=Tok12&amp;x=2"
                                  "</BaseURL></MPD>");
    assert_null(strstr(xml, "ffee9988"));
    assert_null(strstr(xml, "Tok12"));
    assert_non_null(strstr(xml, "&amp;x=2</BaseURL></MPD>"));
    xml = body_of(&b, "<a>http://h/?x=1&#38;t=Tok1&#x26;sc=Tok2&#38;y=2;Tok3</a>");
    assert_null(strstr(xml, "Tok"));
    assert_non_null(strstr(xml, "?x=1&#38;t="));
    /* The oldest goes when there are too many. */
    for (int i = 0; i < TAPE_LEARNT_MAX; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "learnt-%08d", i);
        tape_names_learn(&b.names, cad_str_from(text));
    }
    assert_string_equal(text_of(&b, "ffee9988"), "ffee9988");
    assert_null(strstr(text_of(&b, "learnt-00000000"), "00000000"));
    tape_names_learn(&b.names, CAD_STR("short"));
    assert_string_equal(text_of(&b, "short"), "short");
    deinit(&b);
}

/* Any prefix, and any byte changed: the length stays, nothing is read past the end. */
static void test_tape_json_that_is_broken(void **state)
{
    CAD_UNUSED(state);
    struct bench b;
    init(&b, entropy_one);
    static const char whole[] =
        "{\"xid\":\"a\\u00e9\\ud83d\\ude00\\\\\\\"z\",\"u\":\"http://u@h/?t=1#x\"}";
    for (size_t n = 0; n <= sizeof(whole) - 1; n++) {
        char *exact = test_malloc(n ? n : 1);
        memcpy(exact, whole, n);
        assert_int_equal(tape_names_body(&b.names, exact, n), 0);
        test_free(exact);
    }
    for (size_t i = 0; i < sizeof(whole) - 1; i++) {
        static const char with[] = {'\\', '"', 'u', 'd', '{', '}', (char)0xc3, 0};
        for (size_t k = 0; k < sizeof(with); k++) {
            char copy[sizeof(whole)];
            memcpy(copy, whole, sizeof(whole));
            copy[i] = with[k];
            assert_int_equal(tape_names_body(&b.names, copy, sizeof(whole) - 1), 0);
        }
    }
    deinit(&b);
}

static void test_tape_names_without_memory(void **state)
{
    CAD_UNUSED(state);
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        struct tape_names names;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        tape_names_init(&names, &alloc, cad_buf_from_str(cad_str_from(entropy_one)));
        static char text[9000];
        memset(text, 'a', sizeof(text));
        memcpy(text, "{\"xid\":\"b\",\"y\":\"", 16);
        int rc = tape_names_body(&names, text, sizeof(text));
        assert_int_equal(rc, f.failed ? CAD_E_NOMEM : 0);
        tape_names_deinit(&names);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape_hash_is_siphash),
        cmocka_unit_test(test_tape_urls_lose_their_secrets_only),
        cmocka_unit_test(test_tape_pseudonyms_are_the_same_and_keyed),
        cmocka_unit_test(test_tape_escapes_stay_escapes),
        cmocka_unit_test(test_tape_json_is_searched_behind_its_escapes),
        cmocka_unit_test(test_tape_json_members_of_secret_names),
        cmocka_unit_test(test_tape_secrets_that_were_learnt_are_found_everywhere),
        cmocka_unit_test(test_tape_json_that_is_broken),
        cmocka_unit_test(test_tape_names_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
