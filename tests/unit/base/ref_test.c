/* Goal: buffers are aligned, recycled, never lost or freed twice, and holes are what was said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/ref.h"
#include "base/util.h"
#include "support/failing_alloc.h"

static struct cad_failing failing;
static struct cad_alloc alloc;
static struct cad_pool *pool;

static int setup(void **state)
{
    (void)state;
    cad_failing_init(&failing, 0);
    alloc = cad_failing_alloc(&failing);
    return cad_pool_create(&alloc, 1 << 20, &pool);
}

static int teardown(void **state)
{
    (void)state;
    cad_pool_destroy(&pool);
    return failing.live_blocks != 0 || failing.live_bytes != 0 || failing.mismatches != 0;
}

static struct cad_ref *get(size_t size)
{
    struct cad_ref *ref = NULL;
    assert_int_equal(cad_pool_get(pool, size, &ref), 0);
    return ref;
}

static void test_ref_data_is_aligned_and_writable_to_the_last_byte(void **state)
{
    (void)state;
    for (size_t size = 0; size < 300000; size = size * 9 / 7 + 1) {
        struct cad_ref *ref = get(size);
        assert_int_equal((uintptr_t)cad_ref_data(ref) % CAD_REF_ALIGN, 0);
        assert_int_equal(cad_ref_size(ref), size);
        assert_true(cad_ref_capacity(ref) >= size);
        memset(cad_ref_data(ref), 0x5A, cad_ref_capacity(ref));
        cad_ref_unref(&ref);
        assert_null(ref);
    }
}

static void test_ref_class_sizes_are_four_to_an_octave(void **state)
{
    (void)state;
    size_t last = cad_pool_class_size(0);
    int steps = 0;
    assert_int_equal(last, 1024);
    for (size_t size = 0; size <= 1 << 20; size += 64) {
        size_t cost = cad_pool_class_size(size);
        assert_true(cost > size);
        if (size >= 16384) assert_true(cost <= (size + 1024) * 5 / 4);
        if (cost == last) continue;
        assert_true(cost > last);
        steps++;
        last = cost;
    }
    assert_int_equal(steps, 41); /* ten octaves from 1 KiB to 1 MiB, and the one above */
    assert_true(cad_pool_class_size(CAD_REF_SIZE_MAX) > CAD_REF_SIZE_MAX);
    assert_int_equal(cad_pool_class_size((size_t)CAD_REF_SIZE_MAX + 1), 0);
}

static void test_ref_charge_is_what_the_allocator_gives(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 447, 448, 449, 1000, 65536, 1000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int64_t before = failing.live_bytes;
        struct cad_ref *ref = get(sizes[i]);
        assert_int_equal(failing.live_bytes - before, cad_pool_class_size(sizes[i]));
        assert_int_equal(cad_pool_used_bytes(pool), cad_pool_class_size(sizes[i]));
        cad_ref_unref(&ref);
        assert_int_equal(cad_pool_used_bytes(pool), 0);
        cad_pool_trim(pool, 0);
    }
}

static void test_ref_recycles_the_same_class(void **state)
{
    (void)state;
    struct cad_ref *a = get(100000);
    uint8_t *data = cad_ref_data(a);
    assert_int_equal(cad_ref_add_hole(a, 0, 100000), 0);
    cad_ref_unref(&a);
    assert_int_equal(cad_pool_idle_bytes(pool), cad_pool_class_size(100000));
    uint64_t calls = failing.calls;
    struct cad_ref *b = get(99990);
    assert_int_equal(failing.calls, calls);
    assert_ptr_equal(cad_ref_data(b), data);
    assert_int_equal(cad_ref_size(b), 99990);
    assert_int_equal(cad_ref_hole_count(b), 0);
    assert_false(cad_ref_is_hole(b, 0, 99990));
    assert_int_equal(cad_pool_idle_bytes(pool), 0);
    cad_ref_unref(&b);
}

static void test_ref_counts_references(void **state)
{
    (void)state;
    struct cad_ref *a = get(10);
    struct cad_ref *b = cad_ref_ref(a);
    assert_ptr_equal(a, b);
    cad_ref_unref(&a);
    assert_int_equal(cad_pool_idle_bytes(pool), 0);
    cad_ref_data(b)[9] = 1;
    cad_ref_unref(&b);
    assert_true(cad_pool_idle_bytes(pool) > 0);
    cad_ref_unref(&b); /* NULL by now */
    cad_ref_unref(NULL);
}

static void test_ref_idle_limit_is_kept_by_the_next_get(void **state)
{
    (void)state;
    struct cad_ref *refs[20];
    for (int i = 0; i < 20; i++) refs[i] = get(100000);
    for (int i = 0; i < 20; i++) cad_ref_unref(&refs[i]);
    struct cad_ref *one = get(5);
    assert_true(cad_pool_idle_bytes(pool) <= 1 << 20);
    assert_true(cad_pool_idle_bytes(pool) > (1 << 20) - cad_pool_class_size(100000));
    cad_pool_trim(pool, 300000);
    assert_true(cad_pool_idle_bytes(pool) <= 300000);
    cad_pool_trim(pool, 0);
    assert_int_equal(cad_pool_idle_bytes(pool), 0);
    assert_int_equal(failing.live_blocks, 2); /* the pool and one buffer */
    cad_ref_unref(&one);
}

static void test_ref_pool_outlives_its_owner(void **state)
{
    (void)state;
    struct cad_ref *a = get(5000);
    struct cad_ref *b = get(6000);
    struct cad_ref *idle = get(7000);
    cad_ref_unref(&idle);
    cad_pool_destroy(&pool);
    assert_null(pool);
    assert_int_equal(failing.live_blocks, 3); /* the pool and two buffers */
    memset(cad_ref_data(a), 1, 5000);
    cad_ref_unref(&a);
    assert_int_equal(failing.live_blocks, 2);
    cad_ref_unref(&b);
    assert_int_equal(failing.live_blocks, 0);
    cad_pool_destroy(&pool); /* NULL is fine */
    cad_pool_destroy(NULL);
}

static void test_ref_limit_and_out_of_memory(void **state)
{
    (void)state;
    struct cad_ref *ref = NULL;
    assert_int_equal(cad_pool_get(pool, (size_t)CAD_REF_SIZE_MAX + 1, &ref), CAD_E_LIMIT);
    assert_int_equal(cad_pool_get(pool, SIZE_MAX, &ref), CAD_E_LIMIT);
    failing.fail_at = failing.calls + 1;
    failing.fail_after = true;
    assert_int_equal(cad_pool_get(pool, 10, &ref), CAD_E_NOMEM);
    assert_null(ref);
    assert_int_equal(failing.failed, 2); /* asked once more after trimming */
    failing.fail_at = 1;
    struct cad_pool *none = NULL;
    assert_int_equal(cad_pool_create(&alloc, 0, &none), CAD_E_NOMEM);
    assert_null(none);
}

static void test_ref_idle_memory_is_given_up_before_failing(void **state)
{
    (void)state;
    struct cad_budget budget;
    cad_budget_init(&budget, &alloc, 300000);
    struct cad_alloc small = cad_budget_alloc(&budget);
    struct cad_pool *tight;
    assert_int_equal(cad_pool_create(&small, 1 << 30, &tight), 0);
    struct cad_ref *ref;
    assert_int_equal(cad_pool_get(tight, 150000, &ref), 0);
    cad_ref_unref(&ref);
    assert_int_equal(cad_pool_get(tight, 200000, &ref), 0); /* both do not fit */
    assert_int_equal(cad_pool_idle_bytes(tight), 0);
    assert_true(cad_budget_peak(&budget) <= 300000);
    struct cad_ref *more = NULL;
    assert_int_equal(cad_pool_get(tight, 150000, &more), CAD_E_NOMEM);
    cad_pool_destroy(&tight);
    cad_ref_unref(&ref);
    assert_int_equal(cad_budget_used(&budget), 0);
}

static void test_ref_set_size_stays_in_the_block(void **state)
{
    (void)state;
    struct cad_ref *ref = get(10);
    size_t capacity = cad_ref_capacity(ref);
    assert_int_equal(cad_ref_set_size(ref, capacity), 0);
    assert_int_equal(cad_ref_size(ref), capacity);
    assert_int_equal(cad_ref_set_size(ref, capacity + 1), CAD_E_LIMIT);
    assert_int_equal(cad_ref_size(ref), capacity);
    cad_ref_unref(&ref);
}

static void test_ref_holes_merge_when_they_touch(void **state)
{
    (void)state;
    struct cad_ref *ref = get(1000);
    assert_int_equal(cad_ref_add_hole(ref, 100, 200), 0);
    assert_int_equal(cad_ref_add_hole(ref, 300, 400), 0);
    assert_int_equal(cad_ref_hole_count(ref), 2);
    assert_false(cad_ref_is_hole(ref, 200, 300));
    assert_false(cad_ref_is_hole(ref, 0, 100));
    assert_false(cad_ref_is_hole(ref, 150, 150));
    assert_true(cad_ref_is_hole(ref, 199, 300));
    assert_true(cad_ref_is_hole(ref, 200, 301));
    assert_int_equal(cad_ref_add_hole(ref, 200, 300), 0);
    assert_int_equal(cad_ref_hole_count(ref), 1);
    assert_true(cad_ref_is_hole(ref, 200, 201));
    assert_int_equal(cad_ref_add_hole(ref, 50, 500), 0);
    assert_int_equal(cad_ref_hole_count(ref), 1);
    assert_true(cad_ref_is_hole(ref, 499, 1000));
    assert_false(cad_ref_is_hole(ref, 500, 1000));
    assert_int_equal(cad_ref_add_hole(ref, 7, 7), 0);
    assert_int_equal(cad_ref_hole_count(ref), 1);
    assert_int_equal(cad_ref_add_hole(ref, 0, 1001), CAD_E_INVAL);
    assert_int_equal(cad_ref_add_hole(ref, 5, 4), CAD_E_INVAL);
    cad_ref_unref(&ref);
}

static void test_ref_hole_limit(void **state)
{
    (void)state;
    struct cad_ref *ref = get(10000);
    for (size_t i = 0; i < CAD_REF_HOLES_MAX; i++) {
        assert_int_equal(cad_ref_add_hole(ref, i * 10, i * 10 + 1), 0);
    }
    assert_int_equal(cad_ref_add_hole(ref, 5, 6), CAD_E_LIMIT);
    assert_int_equal(cad_ref_hole_count(ref), CAD_REF_HOLES_MAX);
    assert_false(cad_ref_is_hole(ref, 5, 6));
    assert_int_equal(cad_ref_add_hole(ref, 1, 10), 0); /* touching ones still merge */
    assert_int_equal(cad_ref_hole_count(ref), CAD_REF_HOLES_MAX - 1);
    cad_ref_unref(&ref);
}

static void test_ref_holes_agree_with_a_byte_map(void **state)
{
    (void)state;
    struct cad_rng r;
    cad_rng_init(&r, 11);
    for (int round = 0; round < 200; round++) {
        uint8_t map[256] = {0};
        struct cad_ref *ref = get(sizeof(map));
        for (int i = 0; i < 30; i++) {
            size_t from = (size_t)cad_rng_below(&r, sizeof(map));
            size_t to = from + (size_t)cad_rng_below(&r, CAD_MIN(12, sizeof(map) - from) + 1);
            assert_int_equal(cad_ref_add_hole(ref, from, to), 0);
            memset(map + from, 1, to - from);
            from = (size_t)cad_rng_below(&r, sizeof(map));
            to = from + (size_t)cad_rng_below(&r, sizeof(map) - from + 1);
            bool want = memchr(map + from, 1, to - from) != NULL;
            assert_int_equal(cad_ref_is_hole(ref, from, to), want);
        }
        cad_ref_unref(&ref);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ref_data_is_aligned_and_writable_to_the_last_byte),
        TEST(test_ref_class_sizes_are_four_to_an_octave),
        TEST(test_ref_charge_is_what_the_allocator_gives),
        TEST(test_ref_recycles_the_same_class),
        TEST(test_ref_counts_references),
        TEST(test_ref_idle_limit_is_kept_by_the_next_get),
        TEST(test_ref_pool_outlives_its_owner),
        TEST(test_ref_limit_and_out_of_memory),
        TEST(test_ref_idle_memory_is_given_up_before_failing),
        TEST(test_ref_set_size_stays_in_the_block),
        TEST(test_ref_holes_merge_when_they_touch),
        TEST(test_ref_hole_limit),
        TEST(test_ref_holes_agree_with_a_byte_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
