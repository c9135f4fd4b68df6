/* Goal: the budget never passes its ceiling, accounts every byte, and gives all of it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/failing_alloc.h"

static void test_mem_new_is_zeroed(void **state)
{
    (void)state;
    struct cad_failing f; /* fills fresh memory with 0xA5 */
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    uint8_t *p = cad_alloc_new(&alloc, 100, CAD_MEM_OTHER);
    for (int i = 0; i < 100; i++) assert_int_equal(p[i], 0);
    cad_alloc_free(&alloc, p, 100, CAD_MEM_OTHER);
    p = cad_alloc_new(&alloc, 0, CAD_MEM_OTHER);
    assert_non_null(p);
    cad_alloc_free(&alloc, p, 0, CAD_MEM_OTHER);
    cad_alloc_free(&alloc, NULL, 5, CAD_MEM_OTHER);
    assert_null(cad_alloc_array(&alloc, SIZE_MAX / 2, 3, CAD_MEM_OTHER));
    assert_int_equal(f.calls, 2);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

static void test_mem_system_allocates_grows_and_frees(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    char *p = cad_alloc_new(&alloc, 10, CAD_MEM_OTHER);
    assert_non_null(p);
    memcpy(p, "012345678", 10);
    p = cad_alloc_resize(&alloc, p, 10, 10000, CAD_MEM_OTHER);
    assert_non_null(p);
    assert_string_equal(p, "012345678");
    cad_alloc_free(&alloc, p, 10000, CAD_MEM_OTHER);
    assert_null(alloc.fn(alloc.ctx, NULL, 0, 0, CAD_MEM_OTHER));
}

static void test_mem_budget_accounts_per_class(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc parent = cad_failing_alloc(&f);
    struct cad_budget b;
    cad_budget_init(&b, &parent, 1000);
    struct cad_alloc a = cad_budget_alloc(&b);
    void *p = cad_alloc_new(&a, 300, CAD_MEM_MEDIA);
    void *q = cad_alloc_new(&a, 200, CAD_MEM_SESSION);
    assert_int_equal(cad_budget_used(&b), 500);
    assert_int_equal(cad_budget_used_class(&b, CAD_MEM_MEDIA), 300);
    assert_int_equal(cad_budget_used_class(&b, CAD_MEM_SESSION), 200);
    p = cad_alloc_resize(&a, p, 300, 100, CAD_MEM_MEDIA);
    assert_int_equal(cad_budget_used(&b), 300);
    p = cad_alloc_resize(&a, p, 100, 150, CAD_MEM_MEDIA);
    assert_int_equal(cad_budget_used_class(&b, CAD_MEM_MEDIA), 150);
    assert_int_equal(cad_budget_peak(&b), 500);
    assert_int_equal(cad_budget_peak_class(&b, CAD_MEM_MEDIA), 300);
    assert_int_equal(f.live_bytes, cad_budget_used(&b));
    cad_alloc_free(&a, p, 150, CAD_MEM_MEDIA);
    cad_alloc_free(&a, q, 200, CAD_MEM_SESSION);
    assert_int_equal(cad_budget_used(&b), 0);
    assert_int_equal(cad_budget_used_class(&b, CAD_MEM_MEDIA), 0);
    assert_int_equal(cad_budget_failures(&b), 0);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

static void test_mem_budget_ceiling_is_exact(void **state)
{
    (void)state;
    struct cad_alloc parent = cad_alloc_system();
    struct cad_budget b;
    cad_budget_init(&b, &parent, 1000);
    struct cad_alloc a = cad_budget_alloc(&b);
    assert_null(cad_alloc_new(&a, 1001, CAD_MEM_OTHER));
    void *p = cad_alloc_new(&a, 1000, CAD_MEM_OTHER);
    assert_non_null(p);
    assert_null(cad_alloc_new(&a, 1, CAD_MEM_OTHER));
    assert_null(cad_alloc_resize(&a, p, 1000, 1001, CAD_MEM_OTHER));
    assert_null(cad_alloc_resize(&a, p, 1000, SIZE_MAX, CAD_MEM_OTHER));
    assert_int_equal(cad_budget_failures(&b), 4);
    assert_int_equal(cad_budget_used(&b), 1000);
    assert_int_equal(cad_budget_peak(&b), 1000);
    cad_alloc_free(&a, p, 1000, CAD_MEM_OTHER);
    assert_int_equal(cad_budget_used(&b), 0);
}

static void test_mem_budget_takes_back_when_the_parent_fails(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 2);
    struct cad_alloc parent = cad_failing_alloc(&f);
    struct cad_budget b;
    cad_budget_init(&b, &parent, 0); /* no ceiling */
    struct cad_alloc a = cad_budget_alloc(&b);
    char *p = cad_alloc_new(&a, 100, CAD_MEM_OTHER);
    assert_null(cad_alloc_resize(&a, p, 100, 200, CAD_MEM_OTHER));
    assert_int_equal(cad_budget_used(&b), 100);
    assert_int_equal(cad_budget_used_class(&b, CAD_MEM_OTHER), 100);
    assert_int_equal(cad_budget_failures(&b), 1);
    cad_alloc_free(&a, p, 100, CAD_MEM_OTHER);
    assert_int_equal(f.live_blocks, 0);
}

static void test_mem_budget_charges_foreign_memory(void **state)
{
    (void)state;
    struct cad_alloc parent = cad_alloc_system();
    struct cad_budget b;
    cad_budget_init(&b, &parent, 100);
    assert_int_equal(cad_budget_charge(&b, 60, CAD_MEM_MANIFEST), 0);
    assert_int_equal(cad_budget_charge(&b, 41, CAD_MEM_MANIFEST), CAD_E_NOMEM);
    assert_int_equal(cad_budget_used_class(&b, CAD_MEM_MANIFEST), 60);
    assert_int_equal(cad_budget_charge(&b, 40, CAD_MEM_OTHER), 0);
    cad_budget_uncharge(&b, 60, CAD_MEM_MANIFEST);
    assert_int_equal(cad_budget_used(&b), 40);
    assert_int_equal(cad_budget_failures(&b), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mem_new_is_zeroed),
        cmocka_unit_test(test_mem_system_allocates_grows_and_frees),
        cmocka_unit_test(test_mem_budget_accounts_per_class),
        cmocka_unit_test(test_mem_budget_ceiling_is_exact),
        cmocka_unit_test(test_mem_budget_takes_back_when_the_parent_fails),
        cmocka_unit_test(test_mem_budget_charges_foreign_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
