/* Goal: the generator gives the published numbers, and its helpers are fair and in range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/util.h"

static void test_rand_matches_the_reference_sequence(void **state)
{
    (void)state;
    /* Computed with an independent implementation in another language. */
    static const uint64_t raw[] = {UINT64_C(11520),
                                   UINT64_C(0),
                                   UINT64_C(1509978240),
                                   UINT64_C(1215971899390074240),
                                   UINT64_C(1216172134540287360),
                                   UINT64_C(607988272756665600),
                                   UINT64_C(16172922978634559625),
                                   UINT64_C(8476171486693032832)};
    static const uint64_t seeded[] = {UINT64_C(0x99ec5f36cb75f2b4), UINT64_C(0xbf6e1f784956452a),
                                      UINT64_C(0x1a5f849d4933e6e0), UINT64_C(0x6aa594f1262d2d2c)};
    struct cad_rng r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(raw); i++) assert_true(cad_rng_u64(&r) == raw[i]);
    cad_rng_init(&r, 0);
    for (size_t i = 0; i < CAD_ARRAY_LEN(seeded); i++) assert_true(cad_rng_u64(&r) == seeded[i]);
    cad_rng_init(&r, UINT64_C(12345678901234567890));
    assert_true(cad_rng_u64(&r) == UINT64_C(0x1aa60a5817c7040d));
}

static void test_rand_below_is_in_range_and_even(void **state)
{
    (void)state;
    struct cad_rng r;
    cad_rng_init(&r, 3);
    assert_true(cad_rng_below(&r, 0) == 0);
    assert_true(cad_rng_below(&r, 1) == 0);
    int counts[10] = {0};
    for (int i = 0; i < 100000; i++) counts[cad_rng_below(&r, 10)]++;
    /* Six standard deviations (95 each) around 10000. */
    for (int i = 0; i < 10; i++) assert_in_range(counts[i], 9430, 10570);
}

static void test_rand_below_is_unbiased_where_modulo_is_not(void **state)
{
    (void)state;
    /* With n = 3/4 of 2^64, plain modulo would give the lower third twice as often. */
    uint64_t n = UINT64_C(3) << 62;
    struct cad_rng r;
    cad_rng_init(&r, 4);
    int low = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t v = cad_rng_below(&r, n);
        assert_true(v < n);
        low += v < n / 3;
    }
    assert_in_range(low, 9500, 10500);
}

static void test_rand_range_covers_the_whole_of_i64(void **state)
{
    (void)state;
    struct cad_rng r;
    cad_rng_init(&r, 5);
    bool seen[5] = {false};
    for (int i = 0; i < 1000; i++) {
        int64_t v = cad_rng_range_i64(&r, -2, 2);
        assert_true(v >= -2 && v <= 2);
        seen[v + 2] = true;
    }
    for (int i = 0; i < 5; i++) assert_true(seen[i]);
    int negative = 0;
    for (int i = 0; i < 1000; i++) negative += cad_rng_range_i64(&r, INT64_MIN, INT64_MAX) < 0;
    assert_in_range(negative, 400, 600);
    assert_true(cad_rng_range_i64(&r, 7, 7) == 7);
    assert_true(cad_rng_range_i64(&r, 7, 3) == 7);
    for (int i = 0; i < 100; i++) {
        assert_true(cad_rng_range_i64(&r, INT64_MAX - 1, INT64_MAX) >= INT64_MAX - 1);
        assert_true(cad_rng_range_i64(&r, INT64_MIN, INT64_MIN + 1) <= INT64_MIN + 1);
    }
}

static void test_rand_chance(void **state)
{
    (void)state;
    struct cad_rng r;
    cad_rng_init(&r, 6);
    int hits = 0;
    for (int i = 0; i < 10000; i++) {
        assert_false(cad_rng_chance(&r, 0, 5));
        assert_true(cad_rng_chance(&r, 5, 5));
        assert_false(cad_rng_chance(&r, 1, 0));
        hits += cad_rng_chance(&r, 1, 4);
    }
    assert_in_range(hits, 2200, 2800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rand_matches_the_reference_sequence),
        cmocka_unit_test(test_rand_below_is_in_range_and_even),
        cmocka_unit_test(test_rand_below_is_unbiased_where_modulo_is_not),
        cmocka_unit_test(test_rand_range_covers_the_whole_of_i64),
        cmocka_unit_test(test_rand_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
