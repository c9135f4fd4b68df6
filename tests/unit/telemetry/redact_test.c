/* Goal: what is secret leaves no trace in free text, and what is not stays readable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/utf8.h"
#include "cadmium/telemetry.h"

static void test_redact_cuts_secrets_out(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"no answer in time (28)", "no answer in time (28)"},
        {"", ""},
        {"failed: https://cdn.test/a?t=SECRET&o=1 gave 403", "failed: [url] gave 403"},
        {"cdn.test/a?t=SECRET", "[url]"},
        {"token=SECRET", "token=[redacted]"},
        {"a=1&sc=SECRET&b=2", "a=1&sc=[redacted]&b=2"},
        {"Authorization: Bearer SECRET", "Authorization: Bearer [redacted]"},
        {"bearer SECRET.more", "bearer [redacted]"},
        {"\"key\":\"SECRET\"", "\"key\":\"[redacted]\""},
        {"key:SECRET", "key:[redacted]"},
        {"cannot open /home/user/film.mp4", "cannot open [path]"},
        {"C:\\Users\\x\\film", "[path]"},
        {"connect to 192.168.1.20:443 refused", "connect to [address] refused"},
        {"connect to 2001:db8::1 refused", "connect to [address] refused"},
        {"kid 00112233445566778899aabbccddeeff unusable", "kid [redacted] unusable"},
        {"blob QmFzZTY0QmFzZTY0QmFzZTY0QmFzZTY0", "blob [redacted]"},
        {"segment 17 of period 2 is late by 40 ms", "segment 17 of period 2 is late by 40 ms"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[256];
        size_t n = cad_telemetry_redact(cad_str_from(cases[i][0]), out, sizeof(out));
        assert_string_equal(out, cases[i][1]);
        assert_int_equal(n, strlen(out));
    }
}

/* A name and its value in quotes: JSON in a message. */
static void test_redact_knows_quoted_names(void **state)
{
    (void)state;
    char out[256];
    cad_telemetry_redact(CAD_STR("{\"key\":\"SECRET\", \"n\":\"plain\"}"), out, sizeof(out));
    assert_null(strstr(out, "SECRET"));
    assert_non_null(strstr(out, "plain"));
}

static void test_redact_cuts_between_characters(void **state)
{
    (void)state;
    const char *text = "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 ok";
    char out[32];
    for (size_t cap = 1; cap < sizeof(out); cap++) {
        size_t n = cad_telemetry_redact(cad_str_from(text), out, cap);
        assert_true(n < cap);
        assert_true(cad_utf8_valid((cad_str){out, n}));
        assert_memory_equal(out, text, n);
    }
    assert_int_equal(cad_telemetry_redact(cad_str_from(text), out, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redact_cuts_secrets_out),
        cmocka_unit_test(test_redact_knows_quoted_names),
        cmocka_unit_test(test_redact_cuts_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
