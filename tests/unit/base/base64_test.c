/* Goal: base64 and hex come back as they went in, and what is not canonical is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/util.h"

static void test_base64_rfc_4648_examples(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"", ""},         {"f", "Zg=="},     {"fo", "Zm8="},
                                           {"foo", "Zm9v"},  {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(pairs); i++) {
        char text[16];
        uint8_t bytes[16];
        size_t n = 99;
        cad_str plain = cad_str_from(pairs[i][0]);
        assert_int_equal(cad_base64_encode(cad_buf_from_str(plain), 0, text, sizeof(text), &n), 0);
        assert_true(cad_str_eqz((cad_str){text, n}, pairs[i][1]));
        assert_int_equal(n, cad_base64_encoded_size(plain.n));
        assert_int_equal(cad_base64_decode(cad_str_from(pairs[i][1]), 0, bytes, sizeof(bytes), &n),
                         0);
        assert_true(cad_str_eq((cad_str){(char *)bytes, n}, plain));
    }
}

static int decode(const char *text, unsigned flags)
{
    uint8_t bytes[64];
    size_t n = 99;
    int err = cad_base64_decode(cad_str_from(text), flags, bytes, sizeof(bytes), &n);
    if (err) assert_int_equal(n, 99);
    return err ? err : (int)n;
}

static void test_base64_refuses_what_is_not_canonical(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z",     "Zg=",   "Zg===", "Zg==Zg==", "Zh==",  "Zm9=",
                                      "=",     "====",  "Z===",  "Zm9v=",    "Zm9v==", "Zm8=v",
                                      "Zm 9v", "Zm9v\n", "Zm9*",  "Zm9vY",    "Zm-_",   "Z=g="};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        assert_int_equal(decode(bad[i], 0), CAD_E_DATA);
    }
    assert_int_equal(decode("Zg", 0), 1); /* padding is optional... */
    assert_int_equal(decode("Zm8", 0), 2);
}

static void test_base64_alphabets_and_spaces(void **state)
{
    (void)state;
    assert_int_equal(decode("-_-_", CAD_BASE64_URL), 3);
    assert_int_equal(decode("+/+/", CAD_BASE64_URL), CAD_E_DATA);
    assert_int_equal(decode("+/+/", 0), 3);
    assert_int_equal(decode("+/-_", CAD_BASE64_ANY), 3);
    assert_int_equal(decode(" Z\tm\r\n9v ", CAD_BASE64_SKIP_SPACE), 3);
    assert_int_equal(decode("Zg =\n=", CAD_BASE64_SKIP_SPACE), 1);
    char text[8];
    size_t n;
    static const uint8_t bytes[] = {0xfb, 0xff, 0xbf, 0xfb};
    assert_int_equal(cad_base64_encode((cad_buf){bytes, 4}, CAD_BASE64_URL | CAD_BASE64_NO_PAD,
                                       text, sizeof(text), &n), 0);
    assert_true(cad_str_eqz((cad_str){text, n}, "-_-_-w"));
}

static void test_base64_sizes_are_checked(void **state)
{
    (void)state;
    char text[8];
    uint8_t bytes[8];
    size_t n;
    static const uint8_t in[4] = {1, 2, 3, 4};
    assert_int_equal(cad_base64_encode((cad_buf){in, 4}, 0, text, 7, &n), CAD_E_LIMIT);
    assert_int_equal(cad_base64_encode((cad_buf){in, 4}, CAD_BASE64_NO_PAD, text, 5, &n),
                     CAD_E_LIMIT);
    assert_int_equal(cad_base64_encode((cad_buf){in, 4}, CAD_BASE64_NO_PAD, text, 6, &n), 0);
    for (size_t cap = 0; cap < 4; cap++) {
        assert_int_equal(cad_base64_decode(CAD_STR("AQIDBA"), 0, bytes, cap, &n), CAD_E_LIMIT);
    }
    assert_int_equal(cad_base64_decode(CAD_STR("AQIDBA"), 0, bytes, 4, &n), 0);
    assert_true(cad_base64_encoded_size(SIZE_MAX) == SIZE_MAX);
}

static void test_base64_random_round_trips(void **state)
{
    (void)state;
    struct cad_rng r;
    cad_rng_init(&r, 7);
    for (size_t size = 0; size < 40; size++) {
        for (unsigned flags = 0; flags < 16; flags++) {
            uint8_t in[40];
            uint8_t back[60];
            char text[60];
            size_t n;
            size_t got;
            for (size_t i = 0; i < size; i++) in[i] = (uint8_t)cad_rng_u64(&r);
            assert_int_equal(cad_base64_encode((cad_buf){in, size}, flags, text, 60, &n), 0);
            assert_true(cad_base64_decoded_max(n) >= size);
            assert_int_equal(cad_base64_decode((cad_str){text, n}, flags, back,
                                               cad_base64_decoded_max(n), &got), 0);
            assert_int_equal(got, size);
            if (size > 0) assert_memory_equal(in, back, size);
        }
    }
}

static void test_base64_hex(void **state)
{
    (void)state;
    char text[8];
    uint8_t bytes[4];
    size_t n = 99;
    static const uint8_t in[] = {0x00, 0x9f, 0xAb};
    assert_int_equal(cad_hex_encode((cad_buf){in, 3}, text, 6), 0);
    assert_memory_equal(text, "009fab", 6);
    assert_int_equal(cad_hex_encode((cad_buf){in, 3}, text, 5), CAD_E_LIMIT);
    assert_int_equal(cad_hex_decode(CAD_STR("009FaB"), bytes, 4, &n), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(bytes, in, 3);
    n = 99;
    assert_int_equal(cad_hex_decode(CAD_STR("009"), bytes, 4, &n), CAD_E_DATA);
    assert_int_equal(cad_hex_decode(CAD_STR("0g"), bytes, 4, &n), CAD_E_DATA);
    assert_int_equal(cad_hex_decode(CAD_STR("0001020304"), bytes, 4, &n), CAD_E_LIMIT);
    assert_int_equal(n, 99);
    assert_int_equal(cad_hex_decode(CAD_STR(""), bytes, 0, &n), 0);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_rfc_4648_examples),
        cmocka_unit_test(test_base64_refuses_what_is_not_canonical),
        cmocka_unit_test(test_base64_alphabets_and_spaces),
        cmocka_unit_test(test_base64_sizes_are_checked),
        cmocka_unit_test(test_base64_random_round_trips),
        cmocka_unit_test(test_base64_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
