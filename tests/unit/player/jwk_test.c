/* Keys of the command line come out as a licence that Clear Key reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drm/licence.h"
#include "jwk.h"

static void test_jwk_is_the_text_of_the_specification(void **state)
{
    (void)state;
    static const struct play_key key = {
        {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
         0xff},
        {0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0xf9, 0xf8, 0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1,
         0xf0}};
    static const char want[] = "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"ABEiM0RVZneImaq7zN3u_w\","
                               "\"k\":\"__79_Pv6-fj39vX08_Lx8A\"}],\"type\":\"temporary\"}";
    char text[JWK_BYTES];
    size_t n = 1;
    assert_int_equal(jwk_write(&key, 1, text, &n), 0);
    assert_int_equal(n, sizeof(want) - 1);
    assert_memory_equal(text, want, n);
    assert_int_equal(jwk_write(NULL, 0, text, &n), 0);
    assert_int_equal(n, 0);
}

/* As many as may be given; the CDM's own reader answers the same ids and keys. */
static void test_jwk_is_read_by_clear_key(void **state)
{
    (void)state;
    static struct play_key keys[ARGS_KEYS_MAX];
    static struct cad_key_row rows[CAD_LICENCE_KEYS_MAX];
    char text[JWK_BYTES];
    size_t n = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < ARGS_KEYS_MAX; i++) {
        for (uint32_t byte = 0; byte < ARGS_KEY_BYTES; byte++) {
            keys[i].kid[byte] = (uint8_t)(i * 7 + byte * 31);
            keys[i].key[byte] = (uint8_t)(255 - i * 3 - byte * 17);
        }
    }
    assert_int_equal(jwk_write(keys, ARGS_KEYS_MAX, text, &n), 0);
    assert_int_equal(cad_licence_read((cad_buf){(const uint8_t *)text, n}, rows, &count), 0);
    assert_int_equal(count, ARGS_KEYS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        assert_memory_equal(rows[i].kid, keys[i].kid, ARGS_KEY_BYTES);
        assert_memory_equal(rows[i].key, keys[i].key, ARGS_KEY_BYTES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jwk_is_the_text_of_the_specification),
        cmocka_unit_test(test_jwk_is_read_by_clear_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
