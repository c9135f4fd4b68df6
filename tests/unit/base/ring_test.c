/* Goal: the ring is first-in first-out across its seam and refuses what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/ring.h"
#include "support/failing_alloc.h"

struct item {
    int a;
    char b;
};

static void test_ring_keeps_order_across_the_seam(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    for (size_t capacity = 1; capacity <= 5; capacity++) {
        struct cad_ring r;
        assert_int_equal(
            cad_ring_init(&r, &alloc, CAD_MEM_SESSION, sizeof(struct item), capacity), 0);
        int in = 0;
        int out = 0;
        for (int round = 0; round < 50; round++) {
            for (size_t i = 0; i < 1 + (size_t)round % capacity; i++) {
                struct item it = {in, 'x'};
                int err = cad_ring_push(&r, &it);
                assert_int_equal(err, in - out == (int)capacity ? CAD_E_LIMIT : 0);
                in += !err;
            }
            assert_int_equal(cad_ring_count(&r), in - out);
            assert_int_equal(cad_ring_space(&r), capacity - (size_t)(in - out));
            for (int i = 0; i < in - out; i++) {
                assert_int_equal(((struct item *)cad_ring_at(&r, (size_t)i))->a, out + i);
            }
            assert_null(cad_ring_at(&r, cad_ring_count(&r)));
            struct item it;
            assert_int_equal(((struct item *)cad_ring_peek(&r))->a, out);
            assert_true(cad_ring_pop(&r, &it));
            assert_int_equal(it.a, out);
            assert_int_equal(it.b, 'x');
            out++;
        }
        cad_ring_deinit(&r);
    }
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

static void test_ring_empty_and_places(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_ring r;
    int v = 7;
    assert_int_equal(cad_ring_init(&r, &alloc, CAD_MEM_SESSION, sizeof(int), 2), 0);
    assert_false(cad_ring_pop(&r, &v));
    assert_null(cad_ring_peek(&r));
    assert_int_equal(cad_ring_push(&r, &v), 0);
    assert_true(cad_ring_pop(&r, NULL));
    *(int *)cad_ring_push_place(&r) = 8;
    int *place = cad_ring_push_place(&r); /* the memory that held 7 */
    assert_int_equal(*place, 0);
    assert_null(cad_ring_push_place(&r));
    assert_int_equal(*(int *)cad_ring_peek(&r), 8);
    cad_ring_clear(&r);
    assert_int_equal(cad_ring_count(&r), 0);
    cad_ring_deinit(&r);
}

static void test_ring_init_failures(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 1);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_ring r;
    assert_int_equal(cad_ring_init(&r, &alloc, CAD_MEM_SESSION, 4, 4), CAD_E_NOMEM);
    assert_int_equal(cad_ring_init(&r, &alloc, CAD_MEM_SESSION, SIZE_MAX, 2), CAD_E_LIMIT);
    assert_int_equal(f.live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_keeps_order_across_the_seam),
        cmocka_unit_test(test_ring_empty_and_places),
        cmocka_unit_test(test_ring_init_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
