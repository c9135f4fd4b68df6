/* Goal: the heap gives entries in the order of (key, id) whatever was pushed and removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/rand.h"
#include "support/failing_alloc.h"

static void test_heap_orders_by_key_then_id(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_heap h;
    struct cad_heap_entry e = {0};
    assert_int_equal(cad_heap_init(&h, &alloc, CAD_MEM_SESSION, 4), 0);
    assert_false(cad_heap_pop(&h, &e));
    assert_false(cad_heap_peek(&h, &e));
    assert_int_equal(cad_heap_push(&h, 5, 2, 20), 0);
    assert_int_equal(cad_heap_push(&h, 5, 1, 10), 0);
    assert_int_equal(cad_heap_push(&h, -3, 9, 90), 0);
    assert_int_equal(cad_heap_push(&h, CAD_TIME_MAX, 0, 0), 0);
    assert_int_equal(cad_heap_push(&h, 1, 1, 1), CAD_E_LIMIT);
    assert_int_equal(cad_heap_count(&h), 4);
    assert_true(cad_heap_peek(&h, &e));
    assert_int_equal(e.id, 9);
    static const uint64_t ids[] = {9, 1, 2, 0};
    for (int i = 0; i < 4; i++) {
        assert_true(cad_heap_pop(&h, &e));
        assert_int_equal(e.id, ids[i]);
        assert_int_equal(e.value, ids[i] * 10);
    }
    assert_int_equal(cad_heap_push(&h, 1, 1, 1), 0);
    cad_heap_clear(&h);
    assert_int_equal(cad_heap_count(&h), 0);
    cad_heap_deinit(&h);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

static void test_heap_removes_by_id(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_rng r;
    cad_rng_init(&r, 21);
    for (int round = 0; round < 300; round++) {
        struct cad_heap h;
        bool in[40] = {false};
        cad_time keys[40];
        size_t left = 0;
        assert_int_equal(cad_heap_init(&h, &alloc, CAD_MEM_SESSION, 40), 0);
        for (uint64_t id = 0; id < 40; id++) {
            keys[id] = cad_rng_range_i64(&r, 0, 9);
            assert_int_equal(cad_heap_push(&h, keys[id], id, 0), 0);
            in[id] = true;
        }
        for (int i = 0; i < 25; i++) {
            uint64_t id = cad_rng_below(&r, 40);
            assert_int_equal(cad_heap_remove(&h, id), in[id]);
            in[id] = false;
        }
        for (int i = 0; i < 40; i++) left += in[i];
        assert_int_equal(cad_heap_count(&h), left);
        struct cad_heap_entry last = {-1, 0, 0};
        struct cad_heap_entry e;
        while (cad_heap_pop(&h, &e)) {
            assert_true(in[e.id] && keys[e.id] == e.key);
            assert_true(last.key < e.key || (last.key == e.key && last.id < e.id));
            in[e.id] = false;
            last = e;
            left--;
        }
        assert_int_equal(left, 0);
        cad_heap_deinit(&h);
    }
}

static void test_heap_init_out_of_memory(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 1);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_heap h;
    assert_int_equal(cad_heap_init(&h, &alloc, CAD_MEM_SESSION, 4), CAD_E_NOMEM);
    assert_int_equal(cad_heap_init(&h, &alloc, CAD_MEM_SESSION, SIZE_MAX / 2), CAD_E_NOMEM);
    assert_int_equal(f.live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap_orders_by_key_then_id),
        cmocka_unit_test(test_heap_removes_by_id),
        cmocka_unit_test(test_heap_init_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
