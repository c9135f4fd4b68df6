/* Goal: nothing of a licence but its length, and whether its envelope was there, is on a tape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "drive/tape_licence.h"

/* What becomes of a text. */
static const char *hidden(const char *text, char *out, size_t cap)
{
    size_t n = strlen(text);
    assert_true(n < cap);
    memcpy(out, text, n + 1);
    tape_licence_hide((uint8_t *)out, n);
    assert_int_equal(out[n], '\0');
    return out;
}

static void test_tape_licence_keeps_the_envelope(void **state)
{
    (void)state;
    char out[256];
    assert_string_equal(hidden("{\"licenseResponseBase64\":\"c2VjcmV0\"}", out, sizeof(out)),
                        "{\"licenseResponseBase64\":\"AAAAAAAA\"}");
    const char *more = "{\"a\":\"secret\",\"licenseResponseBase64\":\"c2U=\",\"key\":1}";
    assert_string_equal(hidden(more, out, sizeof(out)),
                        "{\"licenseResponseBase64\":\"AAAA\"}                     ");
}

static void test_tape_licence_hides_all_else(void **state)
{
    (void)state;
    static const char *const others[] = {
        "{\"keys\":[{\"k\":\"c2VjcmV0\"}]}", "secret",
        "{\"licenseResponseBase64\":\"not base64!\"}",
        "{\"licenseResponseBase64\":\"\"}", "{\"licenseResponseBase64\":7}",
        "{\"licenseResponseBase64\":\"c2VjcmV0", "{\"licenseResponseBase64\":\"AAAAA\"}", ""};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        char out[256];
        (void)hidden(others[i], out, sizeof(out));
        for (size_t k = 0; k < strlen(others[i]); k++) assert_int_equal(out[k], 0);
    }
}

/* Whatever is cut off, no byte of the licence stays. */
static void test_tape_licence_cut_at_every_byte(void **state)
{
    (void)state;
    static const char whole[] =
        "{\"x\":{\"licenseResponseBase64\":\"QUJDREVGR0hJSktM\"},\"y\":null}";
    for (size_t n = 0; n < sizeof(whole); n++) {
        char out[sizeof(whole)];
        memcpy(out, whole, n);
        tape_licence_hide((uint8_t *)out, n);
        assert_int_equal(cad_str_find(cad_str_make(out, n), CAD_STR("QUJ")), -1);
        assert_int_equal(cad_str_find(cad_str_make(out, n), CAD_STR("S0w")), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape_licence_keeps_the_envelope),
        cmocka_unit_test(test_tape_licence_hides_all_else),
        cmocka_unit_test(test_tape_licence_cut_at_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
