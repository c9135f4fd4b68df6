/* Goal: checked integers say no exactly at the edge, and scaling is exact in 128 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/checked.h"
#include "base/rand.h"
#include "base/util.h"

static void test_checked_sums_at_the_edges(void **state)
{
    (void)state;
    int64_t i = 1;
    uint64_t u = 1;
    size_t z = 1;
    assert_true(cad_add_i64(INT64_MAX - 1, 1, &i));
    assert_true(i == INT64_MAX);
    assert_false(cad_add_i64(INT64_MAX, 1, &i));
    assert_true(i == INT64_MAX); /* untouched */
    assert_false(cad_sub_i64(INT64_MIN, 1, &i));
    assert_false(cad_mul_i64(INT64_MIN, -1, &i));
    assert_true(cad_mul_i64(INT64_MIN / 2, 2, &i));
    assert_false(cad_add_u64(UINT64_MAX, 1, &u));
    assert_false(cad_sub_u64(0, 1, &u));
    assert_false(cad_mul_u64(UINT64_MAX, 2, &u));
    assert_false(cad_add_size(SIZE_MAX, 1, &z));
    assert_false(cad_mul_size(SIZE_MAX / 2 + 1, 2, &z));
    assert_true(cad_mul_size(SIZE_MAX / 2, 2, &z));
    assert_true(z == SIZE_MAX - 1);
}

static void test_checked_narrowing_at_the_edges(void **state)
{
    (void)state;
    uint32_t u32 = 9;
    int32_t i32 = 9;
    size_t z = 9;
    uint64_t u64 = 9;
    int64_t i64 = 9;
    int n = 9;
    assert_true(cad_i64_to_u32(UINT32_MAX, &u32));
    assert_false(cad_i64_to_u32((int64_t)UINT32_MAX + 1, &u32));
    assert_false(cad_i64_to_u32(-1, &u32));
    assert_true(u32 == UINT32_MAX);
    assert_true(cad_i64_to_i32(INT32_MIN, &i32));
    assert_false(cad_i64_to_i32((int64_t)INT32_MIN - 1, &i32));
    assert_false(cad_i64_to_size(-1, &z));
    assert_false(cad_i64_to_u64(INT64_MIN, &u64));
    assert_false(cad_u64_to_i64((uint64_t)INT64_MAX + 1, &i64));
    assert_true(cad_u64_to_i64(INT64_MAX, &i64));
    assert_false(cad_size_to_int((size_t)INT32_MAX + 1, &n));
    assert_false(cad_size_to_u32((size_t)UINT32_MAX + 1, &u32));
}

static void test_checked_saturation_spares_int64_min(void **state)
{
    (void)state;
    assert_true(cad_add_sat_i64(INT64_MAX, 1) == INT64_MAX);
    assert_true(cad_add_sat_i64(-INT64_MAX, -1) == -INT64_MAX);
    assert_true(cad_add_sat_i64(-INT64_MAX, -2) == -INT64_MAX);
    assert_true(cad_sub_sat_i64(-INT64_MAX, 1) == -INT64_MAX);
    assert_true(cad_sub_sat_i64(0, INT64_MIN) == INT64_MAX);
    assert_true(cad_mul_sat_i64(INT64_MAX, -2) == -INT64_MAX);
    assert_true(cad_mul_sat_i64(INT64_MIN, 1) == -INT64_MAX);
    assert_true(cad_mul_sat_i64(INT64_MIN, INT64_MIN) == INT64_MAX);
}

static void test_checked_muldiv_floors(void **state)
{
    (void)state;
    assert_true(cad_muldiv_floor_i64(7, 1, 2) == 3);
    assert_true(cad_muldiv_floor_i64(-7, 1, 2) == -4);
    assert_true(cad_muldiv_floor_i64(-8, 1, 2) == -4);
    assert_true(cad_muldiv_floor_i64(7, -1, 2) == -4);
    assert_true(cad_muldiv_floor_i64(INT64_MAX, INT64_MAX, INT64_MAX) == INT64_MAX);
    assert_true(cad_muldiv_floor_i64(INT64_MAX, 2, 1) == INT64_MAX);
    assert_true(cad_muldiv_floor_i64(INT64_MIN, 1, 1) == -INT64_MAX);
    assert_true(cad_muldiv_floor_i64(INT64_MIN, INT64_MIN, INT64_MAX) == INT64_MAX);
}

static void test_checked_muldiv_holds_its_definition(void **state)
{
    (void)state;
    /* q = floor(a b / c) means 0 <= a b - q c < c, which needs no division. */
    struct cad_rng r;
    cad_rng_init(&r, 1);
    for (int i = 0; i < 20000; i++) {
        int64_t a = (int64_t)(cad_rng_u64(&r) >> 1) >> cad_rng_below(&r, 63);
        int64_t c = 1 + ((int64_t)(cad_rng_u64(&r) >> 2) >> cad_rng_below(&r, 61));
        int64_t b = cad_rng_range_i64(&r, 0, c);
        if (cad_rng_chance(&r, 1, 2)) a = -a;
        int64_t q = cad_muldiv_floor_i64(a, b, c);
        cad_i128 rest = (cad_i128)a * b - (cad_i128)q * c;
        assert_true(rest >= 0);
        assert_true(rest < c);
    }
}

static void test_checked_util_macros(void **state)
{
    (void)state;
    int list[7];
    assert_int_equal(CAD_ARRAY_LEN(list), 7);
    assert_int_equal(CAD_MIN(3, -2), -2);
    assert_int_equal(CAD_MAX(3, -2), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checked_sums_at_the_edges),
        cmocka_unit_test(test_checked_narrowing_at_the_edges),
        cmocka_unit_test(test_checked_saturation_spares_int64_min),
        cmocka_unit_test(test_checked_muldiv_floors),
        cmocka_unit_test(test_checked_muldiv_holds_its_definition),
        cmocka_unit_test(test_checked_util_macros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
