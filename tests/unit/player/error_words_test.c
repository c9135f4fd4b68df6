/* Every failure has words for the viewer: what happened, what to do, and never a bare code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "error_words.h"

static void check_words(const struct cad_error *error)
{
    struct error_words words = error_words(error);
    const char *all[] = {words.title, words.what, words.advice};
    for (size_t i = 0; i < CAD_ARRAY_LEN(all); i++) {
        assert_non_null(all[i]);
        size_t n = strlen(all[i]);
        assert_in_range(n, 10, 130);
        assert_true(all[i][0] >= 'A' && all[i][0] <= 'Z');
        assert_null(strchr(all[i], '_'));
        assert_true((all[i][n - 1] == '.') == (i > 0));
    }
    assert_in_range(strlen(words.title), 10, 40);
}

static void test_error_words_are_there_for_every_code(void **state)
{
    (void)state;
    static const enum cad_error_code codes[] = {
#define CAD_X(name, value, domain, cls, text) CAD_ERR_##name,
        CAD_ERROR_LIST(CAD_X)
#undef CAD_X
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(codes); i++) {
        struct cad_error error;
        cad_error_init(&error, codes[i]);
        check_words(&error);
    }
    struct cad_error unknown;
    cad_error_init(&unknown, CAD_ERR_NONE);
    unknown.code = (enum cad_error_code)9999;
    check_words(&unknown);
    for (int domain = CAD_DOMAIN_USER; domain <= CAD_DOMAIN_INTERNAL; domain++) {
        unknown.domain = (enum cad_error_domain)domain;
        check_words(&unknown);
    }
}

static void test_error_words_line_carries_the_code(void **state)
{
    (void)state;
    char line[CAD_ERROR_MESSAGE_SIZE + 96];
    struct cad_error error;
    cad_error_init(&error, CAD_ERR_HTTP_SERVER);
    error.http_status = 503;
    error.attempts = 4;
    error_code_line(&error, line, sizeof(line));
    assert_string_equal(line, "HTTP_SERVER, HTTP 503, after 4 attempts: the server failed");
    cad_error_init(&error, CAD_ERR_LIMIT);
    memcpy(error.message, "a\x1b" "b", 4);
    error_code_line(&error, line, sizeof(line));
    assert_string_equal(line, "LIMIT: a?b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_words_are_there_for_every_code),
        cmocka_unit_test(test_error_words_line_carries_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
