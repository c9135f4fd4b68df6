/* Goal: a table of an earlier version has what it has, and one that lacks what is required, or is
 * of another ABI, is not taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drm/table.h"

static void test_table_of_every_size(void **state)
{
    (void)state;
    const struct cad_cdm_ops *clearkey = cad_cdm_clearkey();
    for (size_t n = 0; n <= sizeof *clearkey; n += sizeof(void *)) {
        struct cad_cdm_ops out = {.size = 7};
        size_t bytes = n < sizeof(size_t) ? sizeof(size_t) : n;
        struct cad_cdm_ops *copy = malloc(bytes); /* no byte more than it says */
        assert_non_null(copy);
        memcpy(copy, clearkey, bytes);
        copy->size = n;
        bool whole = n >= offsetof(struct cad_cdm_ops, submit);
        assert_int_equal(cad_drm_table_take(copy, &out), whole ? 0 : CAD_E_INVAL);
        assert_int_equal(out.size, whole ? sizeof out : 7);
        assert_true(!whole || (out.decrypt == clearkey->decrypt && out.flush == NULL));
        free(copy);
    }
    assert_int_equal(cad_drm_table_take(NULL, NULL), CAD_E_INVAL);
}

static void test_table_of_a_later_version_or_another_abi(void **state)
{
    (void)state;
    struct {
        struct cad_cdm_ops ops;
        void (*more)(void);
    } later = {.ops = *cad_cdm_clearkey()};
    struct cad_cdm_ops out;
    later.ops.size = sizeof later;
    assert_int_equal(cad_drm_table_take(&later.ops, &out), 0);
    assert_int_equal(out.size, sizeof out);
    later.ops.abi++;
    assert_int_equal(cad_drm_table_take(&later.ops, &out), CAD_E_UNSUPPORTED);
}

static void test_table_without_a_required_function(void **state)
{
    (void)state;
    struct cad_cdm_ops out;
    struct cad_cdm_ops ops = *cad_cdm_clearkey();
    ops.update = NULL;
    assert_int_equal(cad_drm_table_take(&ops, &out), CAD_E_INVAL);
    ops = *cad_cdm_clearkey();
    ops.decrypt = NULL;
    assert_int_equal(cad_drm_table_take(&ops, &out), CAD_E_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_of_every_size),
        cmocka_unit_test(test_table_of_a_later_version_or_another_abi),
        cmocka_unit_test(test_table_without_a_required_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
