/* Goal: every row of the error table is reachable by name, text, domain and class. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/error.h"

static const int results[] = {
#define CAD_X(name, value, text) CAD_##name,
    CAD_RESULT_LIST(CAD_X)
#undef CAD_X
};

static const enum cad_error_code codes[] = {
#define CAD_X(name, value, domain, cls, text) CAD_ERR_##name,
    CAD_ERROR_LIST(CAD_X)
#undef CAD_X
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void test_error_results_have_names_and_texts(void **state)
{
    (void)state;
    assert_string_equal(cad_result_name(CAD_OK), "OK");
    assert_string_equal(cad_result_name(CAD_E_DATA), "E_DATA");
    assert_string_equal(cad_result_name(-99), "?");
    assert_string_equal(cad_result_text(-99), "?");
    for (size_t i = 0; i < COUNT(results); i++) {
        assert_string_not_equal(cad_result_name(results[i]), "?");
        assert_true(strlen(cad_result_text(results[i])) > 4);
        assert_true(results[i] <= 0);
    }
}

static void test_error_codes_are_distinct_in_name_and_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(codes); i++) {
        for (size_t k = i + 1; k < COUNT(codes); k++) {
            assert_int_not_equal(codes[i], codes[k]);
            assert_string_not_equal(cad_error_name(codes[i]), cad_error_name(codes[k]));
            assert_string_not_equal(cad_error_text(codes[i]), cad_error_text(codes[k]));
        }
    }
    assert_string_equal(cad_error_name((enum cad_error_code)12345), "?");
    assert_string_equal(cad_error_text((enum cad_error_code)12345), "?");
}

static void test_error_init_fills_from_the_table(void **state)
{
    (void)state;
    struct cad_error err;
    memset(&err, 0xff, sizeof(err));
    cad_error_init(&err, CAD_ERR_NET_TIMEOUT);
    assert_int_equal(err.code, CAD_ERR_NET_TIMEOUT);
    assert_int_equal(err.domain, CAD_DOMAIN_NETWORK);
    assert_int_equal(err.cls, CAD_ERROR_FATAL);
    assert_int_equal(err.phase, CAD_PHASE_NONE);
    assert_int_equal(err.track, -1);
    assert_int_equal(err.request, 0);
    assert_int_equal(err.http_status, 0);
    assert_int_equal(err.edge_code, 0);
    assert_int_equal(err.attempts, 0);
    assert_string_equal(err.message, "no answer in time");
    for (size_t i = 0; i < COUNT(codes); i++) {
        cad_error_init(&err, codes[i]);
        assert_string_equal(err.message, cad_error_text(codes[i])); /* none is cut */
        assert_int_equal(err.domain == CAD_DOMAIN_NONE, codes[i] == CAD_ERR_NONE);
    }
}

static void test_error_unknown_code_is_internal_and_fatal(void **state)
{
    (void)state;
    struct cad_error err;
    cad_error_init(&err, (enum cad_error_code)12345);
    assert_int_equal(err.domain, CAD_DOMAIN_INTERNAL);
    assert_int_equal(err.cls, CAD_ERROR_FATAL);
    assert_true(strlen(err.message) > 0);
}

static void test_error_small_enums_have_names(void **state)
{
    (void)state;
    for (int i = CAD_DOMAIN_NONE; i <= CAD_DOMAIN_INTERNAL; i++) {
        assert_string_not_equal(cad_error_domain_name((enum cad_error_domain)i), "?");
    }
    for (int i = CAD_ERROR_RETRY; i <= CAD_ERROR_FATAL; i++) {
        assert_string_not_equal(cad_error_class_name((enum cad_error_class)i), "?");
    }
    for (int i = CAD_PHASE_NONE; i <= CAD_PHASE_REFRESH; i++) {
        assert_string_not_equal(cad_phase_name((enum cad_phase)i), "?");
    }
    assert_string_equal(cad_error_domain_name((enum cad_error_domain)99), "?");
    assert_string_equal(cad_error_class_name((enum cad_error_class)99), "?");
    assert_string_equal(cad_phase_name((enum cad_phase)99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_results_have_names_and_texts),
        cmocka_unit_test(test_error_codes_are_distinct_in_name_and_text),
        cmocka_unit_test(test_error_init_fills_from_the_table),
        cmocka_unit_test(test_error_unknown_code_is_internal_and_fatal),
        cmocka_unit_test(test_error_small_enums_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
