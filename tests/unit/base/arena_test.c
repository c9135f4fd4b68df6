/* Goal: arena memory is zeroed, aligned, bounded, and all of it goes in one stroke. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/str.h"
#include "support/failing_alloc.h"

static void test_arena_gives_zeroed_aligned_memory_apart(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_arena a;
    cad_arena_init(&a, &alloc, CAD_MEM_MANIFEST, 1000, 0);
    struct cad_rng r;
    cad_rng_init(&r, 1);
    for (int i = 0; i < 3000; i++) {
        size_t align = (size_t)1 << cad_rng_below(&r, 7);
        size_t n = (size_t)cad_rng_below(&r, i % 50 ? 100 : 3000);
        uint8_t *p = cad_arena_alloc(&a, n, align);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % align, 0);
        for (size_t k = 0; k < n; k++) assert_int_equal(p[k], 0); /* nobody wrote here before */
        memset(p, 0xFF, n);
    }
    assert_int_equal(cad_arena_bytes(&a), f.live_bytes);
    cad_arena_deinit(&a);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
    assert_int_equal(cad_arena_bytes(&a), 0);
}

static void test_arena_large_objects_do_not_waste_the_open_chunk(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_arena a;
    cad_arena_init(&a, &alloc, CAD_MEM_OTHER, 1024, 0);
    uint64_t *before = cad_arena_new(&a, uint64_t);
    assert_non_null(cad_arena_alloc(&a, 5000, 8));
    uint64_t *after = cad_arena_new(&a, uint64_t);
    assert_ptr_equal(after, before + 1);
    assert_int_equal(f.live_blocks, 2);
    cad_arena_deinit(&a);
}

static void test_arena_macros_and_copies(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_arena a;
    cad_arena_init(&a, &alloc, CAD_MEM_OTHER, 0, 0);
    int64_t *list = cad_arena_array(&a, int64_t, 10);
    assert_non_null(list);
    list[9] = 1;
    cad_str s = cad_arena_str(&a, CAD_STR("hello"));
    assert_string_equal(s.p, "hello");
    assert_int_equal(s.n, 5);
    s = cad_arena_str(&a, cad_str_from(NULL));
    assert_non_null(s.p);
    assert_string_equal(s.p, "");
    cad_buf b = cad_arena_buf(&a, (cad_buf){(const uint8_t *)"xyz", 3});
    assert_memory_equal(b.p, "xyz", 3);
    assert_int_equal(cad_arena_error(&a), 0);
    cad_arena_deinit(&a);
}

static void test_arena_overflow_is_a_limit(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_arena a;
    cad_arena_init(&a, &alloc, CAD_MEM_OTHER, 4096, 0);
    assert_null(cad_arena_array(&a, int64_t, SIZE_MAX / 4));
    assert_int_equal(cad_arena_error(&a), CAD_E_LIMIT);
    assert_null(cad_arena_alloc(&a, SIZE_MAX - 8, 1));
    cad_arena_deinit(&a);
    assert_int_equal(cad_arena_error(&a), 0);
}

static void test_arena_limit_counts_whole_chunks(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_arena a;
    cad_arena_init(&a, &alloc, CAD_MEM_OTHER, 1024, 2500);
    int got = 0;
    while (cad_arena_alloc(&a, 100, 1)) got++;
    assert_true(got >= 20); /* 2500 bytes less three headers, in pieces of 100 */
    assert_true(f.peak_bytes <= 2500);
    assert_int_equal(cad_arena_error(&a), CAD_E_LIMIT);
    assert_int_equal(f.failed, 0);
    cad_arena_deinit(&a);
    assert_null(cad_arena_alloc(&a, 2490, 1)); /* the header does not fit beside it */
    assert_int_equal(cad_arena_error(&a), CAD_E_LIMIT);
    assert_int_equal(cad_arena_bytes(&a), 0);
    assert_non_null(cad_arena_alloc(&a, 100, 1)); /* usable again */
    cad_arena_deinit(&a);
    assert_int_equal(f.live_blocks, 0);
}

static void test_arena_survives_every_allocation_failure(void **state)
{
    (void)state;
    bool whole = false;
    for (uint64_t at = 1; !whole; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_arena a;
        cad_arena_init(&a, &alloc, CAD_MEM_OTHER, 512, 0);
        int missing = 0;
        for (int i = 0; i < 40; i++) missing += cad_arena_str(&a, CAD_STR("0123456789")).p == NULL;
        missing += cad_arena_alloc(&a, 2000, 16) == NULL;
        whole = f.failed == 0;
        assert_int_equal(missing, whole ? 0 : 1);
        assert_int_equal(cad_arena_error(&a), whole ? 0 : CAD_E_NOMEM);
        cad_arena_deinit(&a);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena_gives_zeroed_aligned_memory_apart),
        cmocka_unit_test(test_arena_large_objects_do_not_waste_the_open_chunk),
        cmocka_unit_test(test_arena_macros_and_copies),
        cmocka_unit_test(test_arena_overflow_is_a_limit),
        cmocka_unit_test(test_arena_limit_counts_whole_chunks),
        cmocka_unit_test(test_arena_survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
