/* Goal: the map agrees with a plain array under any calls, and walks in the order of slots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/idmap.h"
#include "base/rand.h"
#include "support/failing_alloc.h"

static void test_idmap_puts_gets_and_removes(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_idmap m;
    uint64_t v = 5;
    assert_int_equal(cad_idmap_init(&m, &alloc, CAD_MEM_SESSION, 3), 0);
    assert_false(cad_idmap_get(&m, 0, &v));
    assert_int_equal(v, 5);
    assert_int_equal(cad_idmap_put(&m, 0, 100), 0);
    assert_int_equal(cad_idmap_put(&m, UINT64_MAX, 101), 0);
    assert_int_equal(cad_idmap_put_ptr(&m, 7, &v), 0);
    assert_int_equal(cad_idmap_put(&m, 8, 1), CAD_E_LIMIT);
    assert_int_equal(cad_idmap_put(&m, 0, 102), 0); /* replacing needs no room */
    assert_int_equal(cad_idmap_count(&m), 3);
    assert_true(cad_idmap_get(&m, 0, &v));
    assert_int_equal(v, 102);
    assert_ptr_equal(cad_idmap_get_ptr(&m, 7), &v);
    assert_null(cad_idmap_get_ptr(&m, 6));
    assert_true(cad_idmap_remove(&m, 7));
    assert_false(cad_idmap_remove(&m, 7));
    assert_int_equal(cad_idmap_put(&m, 8, 1), 0);
    cad_idmap_clear(&m);
    assert_int_equal(cad_idmap_count(&m), 0);
    assert_false(cad_idmap_get(&m, 8, NULL));
    assert_int_equal(cad_idmap_put(&m, 8, 1), 0);
    cad_idmap_deinit(&m);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

static void test_idmap_agrees_with_an_array(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_idmap m;
    struct cad_rng r;
    uint64_t values[128] = {0}; /* 0: not in the map */
    uint32_t count = 0;
    cad_rng_init(&r, 31);
    assert_int_equal(cad_idmap_init(&m, &alloc, CAD_MEM_SESSION, 64), 0);
    for (int i = 0; i < 200000; i++) {
        uint64_t id = cad_rng_below(&r, 128);
        uint64_t got = 0;
        if (cad_rng_chance(&r, 1, 2)) {
            assert_int_equal(cad_idmap_remove(&m, id << 40), values[id] != 0);
            count -= values[id] != 0;
            values[id] = 0;
        } else {
            int err = cad_idmap_put(&m, id << 40, (uint64_t)i + 1);
            assert_int_equal(err, count == 64 && !values[id] ? CAD_E_LIMIT : 0);
            count += !err && !values[id];
            if (!err) values[id] = (uint64_t)i + 1;
        }
        id = cad_rng_below(&r, 128);
        assert_int_equal(cad_idmap_get(&m, id << 40, &got), values[id] != 0);
        assert_true(got == values[id]);
        assert_int_equal(cad_idmap_count(&m), count);
    }
    cad_idmap_deinit(&m);
}

static void test_idmap_walks_in_slot_order(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_idmap m;
    static const uint64_t want[] = {90, 11, 20, 60};
    assert_int_equal(cad_idmap_init(&m, &alloc, CAD_MEM_SESSION, 10), 0);
    assert_int_equal(cad_idmap_put(&m, 90, 0), 0);
    assert_int_equal(cad_idmap_put(&m, 50, 0), 0);
    assert_int_equal(cad_idmap_put(&m, 70, 0), 0);
    assert_int_equal(cad_idmap_put(&m, 60, 0), 0);
    assert_true(cad_idmap_remove(&m, 50));
    assert_true(cad_idmap_remove(&m, 70));
    assert_int_equal(cad_idmap_put(&m, 20, 0), 0); /* the last freed slot: 70's */
    assert_int_equal(cad_idmap_put(&m, 11, 0), 0);
    uint32_t cursor = 0;
    uint64_t id;
    union cad_idmap_value value;
    for (int i = 0; i < 4; i++) {
        assert_true(cad_idmap_next(&m, &cursor, &id, &value));
        assert_int_equal(id, want[i]);
        assert_true(cad_idmap_remove(&m, id)); /* allowed while walking */
    }
    assert_false(cad_idmap_next(&m, &cursor, NULL, NULL));
    assert_int_equal(cad_idmap_count(&m), 0);
    cad_idmap_deinit(&m);
}

static void test_idmap_init_failures(void **state)
{
    (void)state;
    for (uint64_t at = 1; at <= 2; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_idmap m;
        assert_int_equal(cad_idmap_init(&m, &alloc, CAD_MEM_SESSION, 3), CAD_E_NOMEM);
        assert_int_equal(cad_idmap_init(&m, &alloc, CAD_MEM_SESSION, 0), CAD_E_INVAL);
        assert_int_equal(cad_idmap_init(&m, &alloc, CAD_MEM_SESSION, CAD_IDMAP_LIMIT_MAX + 1),
                         CAD_E_INVAL);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idmap_puts_gets_and_removes),
        cmocka_unit_test(test_idmap_agrees_with_an_array),
        cmocka_unit_test(test_idmap_walks_in_slot_order),
        cmocka_unit_test(test_idmap_init_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
