/* Goal: memory that the XML library takes for itself may run out too, at any place. */
#include "text_support.h"

#include "unit/base/failing_malloc.h"

static void test_malloc_every_allocation_fails(void **state)
{
    static const char document[] =
        TT("", "", "<body><div><p begin='1s'>a &amp; b</p></div></body>");
    uint64_t at = 1;
    (void)state;
    for (;; at++) {
        struct cad_text_options options;
        struct cad_text *text = NULL;
        cad_text_options_init(&options);
        failing_malloc_arm(at);
        int rc = text_parse(&options, CAD_STR(document), 32, &text);
        uint64_t failed = failing_malloc_disarm();
        assert_int_equal(rc, failed > 0 ? CAD_E_NOMEM : 0);
        cad_text_destroy(&text);
        if (failed == 0) break;
    }
    assert_true(at > 8);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malloc_every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
