/* Goal: init data, requests and licences of Clear Key are read as the specification has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/cenc.h"
#include "base/str.h"
#include "base/util.h"
#include "drm/licence.h"

static struct cad_key_row rows[CAD_LICENCE_KEYS_MAX];

static int read_text(const char *text, uint32_t *n)
{
    size_t bytes = strlen(text);
    uint8_t *copy = malloc(bytes + 1); /* without the NUL in reach */
    assert_non_null(copy);
    memcpy(copy, text, bytes);
    int rc = cad_licence_read((cad_buf){copy, bytes}, rows, n);
    free(copy);
    return rc;
}

#define KEY(k, kid) "{\"kty\":\"oct\",\"k\":\"" k "\",\"kid\":\"" kid "\"}"
#define A "AAAAAAAAAAAAAAAAAAAAAA"
#define B "EBESExQVFhcYGRobHB0eHw"

/* The example of the specification, 9.1.4, with its own ids. */
static void test_licence_of_the_specification(void **state)
{
    (void)state;
    static const uint8_t key[16] = {0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17,
                                    0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f};
    uint32_t n = 0;
    const char *text = "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"" A "\",\"k\":\"" B "\","
                       "\"alg\":\"A128KW\",\"x\":[{}]}],\"type\":\"temporary\",\"more\":{\"a\":1}}";
    assert_int_equal(read_text(text, &n), 0);
    assert_int_equal(n, 1);
    assert_memory_equal(rows[0].key, key, 16);
    assert_int_equal(rows[0].kid[15], 0);
    assert_int_equal(rows[0].status, CAD_KEY_USABLE);
}

static void test_licence_forms_that_are_accepted(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{\"keys\":[" KEY(B, A) "]}", /* type may be missing */
        "{\"keys\":[" KEY(B "==", A "==") "]}",
        "{\"type\":\"temporary\",\"keys\":[" KEY("++++++++++++++++/////w", A) "]}",
        "{\"keys\":[" KEY("----------------_____w", A) "]}",
        "{\"keys\":[" KEY("short", A) "," KEY(B, A) "]}", /* what is unusable is passed over */
        "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"x\"}," KEY(B, A) "]}",
        "{\"ke\\u0079s\":[" KEY(B, A) "]}",
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(good); i++) {
        uint32_t n = 0;
        assert_int_equal(read_text(good[i], &n), 0);
        assert_int_equal(n, 1);
    }
}

/* Of a key id that comes twice the last counts. */
static void test_licence_last_key_wins(void **state)
{
    (void)state;
    uint32_t n = 0;
    assert_int_equal(read_text("{\"keys\":[" KEY(A, A) "," KEY(B, B) "," KEY(B, A) "]}", &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(rows[0].key[0], 0x10);
}

static void test_licence_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[]", "{}", "junk", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[1]}",
        "{\"keys\":[" KEY("", A) "]}", "{\"keys\":[" KEY(B, "AAAA") "]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" B "\"}]}",
        "{\"keys\":[{\"k\":\"" B "\",\"kid\":\"" A "\"}]}",
        "{\"keys\":[{\"kty\":\"oct\",\"k\":1,\"kid\":\"" A "\"}]}",
        "{\"keys\":[" KEY(B, A) "],\"type\":\"persistent-license\"}",
        "{\"keys\":[" KEY(B, A) "],\"type\":7}",
        "{\"keys\":[" KEY(B, A) "],\"keys\":[" KEY(B, A) "]}",
        "{\"keys\":[" KEY(B, A) "]}x", "{\"kids\":[\"" A "\"]}",
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        uint32_t n = 9;
        assert_int_equal(read_text(bad[i], &n), CAD_E_DATA);
        assert_int_equal(n, 0);
        for (size_t k = 0; k < CAD_LICENCE_KEYS_MAX; k++) assert_int_equal(rows[k].key[0], 0);
    }
    char deep[200] = "{\"keys\":";
    memset(deep + 8, '[', 100);
    uint32_t n = 0;
    assert_int_equal(read_text(deep, &n), CAD_E_DATA);
}

static void test_licence_truncated_everywhere(void **state)
{
    (void)state;
    const char *text = "{\"keys\":[" KEY(B, A) "," KEY(A, B) "],\"type\":\"temporary\"}";
    char cut[256];
    for (size_t n = 0; n < strlen(text); n++) {
        uint32_t count = 0;
        memcpy(cut, text, n);
        cut[n] = '\0';
        assert_int_equal(read_text(cut, &count), CAD_E_DATA);
    }
}

static void test_licence_limits(void **state)
{
    (void)state;
    static char text[CAD_LICENCE_BYTES_MAX + 2];
    for (unsigned count = CAD_LICENCE_KEYS_MAX; count <= CAD_LICENCE_KEYS_MAX + 1; count++) {
        size_t at = (size_t)snprintf(text, sizeof text, "{\"keys\":[");
        for (unsigned i = 0; i < count; i++) {
            at += (size_t)snprintf(text + at, sizeof text - at,
                                   "%s{\"kty\":\"oct\",\"k\":\"" B "\",\"kid\":\"%c%c" A "\"}",
                                   i ? "," : "", 'A' + (int)(i % 26), 'A' + (int)(i / 26));
            memmove(text + at - 4, text + at - 2, 3); /* 22 characters again */
            at -= 2;
        }
        (void)snprintf(text + at, sizeof text - at, "]}");
        uint32_t n = 0;
        int want = count > CAD_LICENCE_KEYS_MAX ? CAD_E_LIMIT : 0;
        assert_int_equal(read_text(text, &n), want);
        assert_int_equal(n, want == 0 ? CAD_LICENCE_KEYS_MAX : 0);
    }
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    uint32_t n = 0;
    assert_int_equal(read_text(text, &n), CAD_E_LIMIT);
}

/* ---- init data ---------------------------------------------------------------------------- */

static size_t put_pssh(uint8_t *p, uint8_t version, const uint8_t *system, uint8_t kid)
{
    size_t n = version == 1 ? 12 + 16 + 4 + 16 + 4 : 12 + 16 + 4;
    memset(p, 0, n);
    cad_put_be32(p, (uint32_t)n);
    memcpy(p + 4, "pssh", 4);
    p[8] = version;
    memcpy(p + 12, system, 16);
    if (version == 1) {
        p[31] = 1;
        p[32] = kid;
    }
    return n;
}

static void test_init_data_first_box_that_names_keys(void **state)
{
    (void)state;
    static const uint8_t widevine[16] = {0xed, 0xef};
    uint8_t bytes[512];
    struct cad_kid_list list = {.n = 0};
    size_t n = put_pssh(bytes, 1, widevine, 1);
    n += put_pssh(bytes + n, 0, cad_cenc_system_common, 0);
    assert_int_equal(cad_licence_init_kids(CAD_INIT_CENC, (cad_buf){bytes, n}, &list),
                     CAD_E_NOTFOUND);
    n += put_pssh(bytes + n, 2, cad_cenc_system_common, 2);
    n += put_pssh(bytes + n, 1, cad_cenc_system_clearkey, 3);
    n += put_pssh(bytes + n, 1, cad_cenc_system_common, 4);
    assert_int_equal(cad_licence_init_kids(CAD_INIT_CENC, (cad_buf){bytes, n}, &list), 0);
    assert_int_equal(list.n, 1);
    assert_int_equal(list.kids[0][0], 3);
    list.n = 0;
    assert_int_equal(cad_licence_init_kids(CAD_INIT_CENC, (cad_buf){bytes, 40}, &list),
                     CAD_E_DATA);
}

static int init_text(enum cad_init_type type, const char *text, struct cad_kid_list *list)
{
    list->n = 0;
    return cad_licence_init_kids(type, cad_buf_from_str(cad_str_from(text)), list);
}

static void test_init_data_keyids_and_webm(void **state)
{
    (void)state;
    struct cad_kid_list list;
    assert_int_equal(init_text(CAD_INIT_KEYIDS, "{\"x\":[],\"kids\":[\"" A "\",\"" B "\",\"" A
                                                "\"]}", &list), 0);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.kids[1][15], 0x1f);
    assert_int_equal(init_text(CAD_INIT_KEYIDS, "{\"kids\":[]}", &list), CAD_E_NOTFOUND);
    assert_int_equal(init_text(CAD_INIT_KEYIDS, "{}", &list), CAD_E_NOTFOUND);
    assert_int_equal(init_text(CAD_INIT_KEYIDS, "{\"kids\":[\"AA\"]}", &list), CAD_E_DATA);
    assert_int_equal(init_text(CAD_INIT_KEYIDS, "{\"kids\":[1]}", &list), CAD_E_DATA);
    assert_int_equal(init_text(CAD_INIT_KEYIDS, "{\"kids\":\"" A "\"}", &list), CAD_E_DATA);
    assert_int_equal(init_text(CAD_INIT_WEBM, "0123456789abcdef", &list), 0);
    assert_int_equal(list.kids[0][9], '9');
    assert_int_equal(init_text(CAD_INIT_WEBM, "0123456789abcde", &list), CAD_E_UNSUPPORTED);
    assert_int_equal(init_text(CAD_INIT_WEBM, "", &list), CAD_E_DATA);
    assert_int_equal(init_text(CAD_INIT_RAW, "x", &list), CAD_E_UNSUPPORTED);
}

static void test_request_text(void **state)
{
    (void)state;
    struct cad_kid_list list;
    char text[CAD_REQUEST_BYTES_MAX];
    struct cad_sb sb;
    assert_int_equal(init_text(CAD_INIT_KEYIDS, "{\"kids\":[\"" A "\",\"" B "\"]}", &list), 0);
    cad_sb_init_fixed(&sb, text, sizeof text);
    cad_licence_request(&sb, &list);
    assert_int_equal(cad_sb_error(&sb), 0);
    assert_string_equal(cad_sb_z(&sb), "{\"kids\":[\"" A "\",\"" B "\"],\"type\":\"temporary\"}");
    /* The most that may be asked for fits. */
    for (list.n = 0; list.n < CAD_LICENCE_KEYS_MAX; list.n++) {
        memset(list.kids[list.n], (int)list.n, CAD_KEY_ID_SIZE);
    }
    uint8_t other[16] = {0xff};
    assert_int_equal(cad_kid_list_add(&list, other), CAD_E_LIMIT);
    cad_sb_init_fixed(&sb, text, sizeof text);
    cad_licence_request(&sb, &list);
    assert_int_equal(cad_sb_error(&sb), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_licence_of_the_specification),
        cmocka_unit_test(test_licence_forms_that_are_accepted),
        cmocka_unit_test(test_licence_last_key_wins),
        cmocka_unit_test(test_licence_refused),
        cmocka_unit_test(test_licence_truncated_everywhere),
        cmocka_unit_test(test_licence_limits),
        cmocka_unit_test(test_init_data_first_box_that_names_keys),
        cmocka_unit_test(test_init_data_keyids_and_webm),
        cmocka_unit_test(test_request_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
