/* Goal: byte order is right in both directions at odd addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static void test_bytes_reads_both_orders(void **state)
{
    (void)state;
    static const uint8_t d[] = {0xee, 0xf1, 0x02, 0x83, 0x04, 0x95, 0x06, 0x87, 0xa8};
    assert_int_equal(cad_be16(d + 1), 0xf102);
    assert_int_equal(cad_be24(d + 1), 0xf10283);
    assert_true(cad_be32(d + 1) == 0xf1028304u);
    assert_true(cad_be64(d + 1) == UINT64_C(0xf1028304950687a8));
    assert_int_equal(cad_le16(d + 1), 0x02f1);
    assert_int_equal(cad_le24(d + 1), 0x8302f1);
    assert_true(cad_le32(d + 1) == 0x048302f1u);
    assert_true(cad_le64(d + 1) == UINT64_C(0xa8870695048302f1));
}

static void test_bytes_writes_what_it_reads(void **state)
{
    (void)state;
    uint8_t d[9] = {0};
    cad_put_be64(d + 1, UINT64_C(0xf1028304950687a8));
    assert_true(cad_be64(d + 1) == UINT64_C(0xf1028304950687a8));
    cad_put_be32(d + 1, 0x89abcdefu);
    assert_true(cad_be32(d + 1) == 0x89abcdefu);
    cad_put_be24(d + 1, 0xff123456u); /* the top byte is not written */
    assert_true(cad_be32(d + 1) == 0x123456efu);
    cad_put_be16(d + 1, 0xfffe);
    assert_int_equal(cad_be16(d + 1), 0xfffe);
    assert_int_equal(d[0], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_reads_both_orders),
        cmocka_unit_test(test_bytes_writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
