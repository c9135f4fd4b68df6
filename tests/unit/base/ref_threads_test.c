/* Goal: buffers dropped on other threads come back whole, also after the pool's owner is gone. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/ref.h"

#define READERS 3
#define BUFFERS 3000 /* given to each reader */

/* A buffer for each reader passes through one slot; NULL means empty. */
struct reader {
    pthread_t thread;
    _Atomic(struct cad_ref *) slot;
    uint64_t sum; /* of the first bytes seen */
};

static void *read_buffers(void *ctx)
{
    struct reader *me = ctx;
    for (int i = 0; i < BUFFERS; i++) {
        struct cad_ref *ref;
        while ((ref = atomic_exchange(&me->slot, NULL)) == NULL) sched_yield();
        struct cad_ref *second = cad_ref_ref(ref);
        cad_ref_unref(&ref);
        me->sum += cad_ref_data(second)[0];
        cad_ref_unref(&second);
    }
    return NULL;
}

static void hand_over(struct reader *reader, struct cad_ref *ref)
{
    struct cad_ref *empty = NULL;
    while (!atomic_compare_exchange_weak(&reader->slot, &empty, ref)) {
        empty = NULL;
        sched_yield();
    }
}

static void test_ref_threads_share_and_drop(void **state)
{
    (void)state;
    struct cad_alloc system = cad_alloc_system();
    struct cad_budget budget;
    cad_budget_init(&budget, &system, 0);
    struct cad_alloc alloc = cad_budget_alloc(&budget);
    struct cad_pool *pool;
    struct reader readers[READERS];
    uint64_t sum = 0;
    assert_int_equal(cad_pool_create(&alloc, 4096, &pool), 0);
    for (int r = 0; r < READERS; r++) {
        atomic_init(&readers[r].slot, NULL);
        readers[r].sum = 0;
        assert_int_equal(pthread_create(&readers[r].thread, NULL, read_buffers, &readers[r]), 0);
    }
    for (int i = 0; i < BUFFERS; i++) {
        struct cad_ref *ref;
        assert_int_equal(cad_pool_get(pool, (size_t)(1 + i % 5 * 700), &ref), 0);
        cad_ref_data(ref)[0] = (uint8_t)i;
        sum += (uint8_t)i;
        for (int r = 1; r < READERS; r++) hand_over(&readers[r], cad_ref_ref(ref));
        hand_over(&readers[0], ref);
    }
    cad_pool_destroy(&pool); /* while the last buffers are still out */
    for (int r = 0; r < READERS; r++) {
        assert_int_equal(pthread_join(readers[r].thread, NULL), 0);
        assert_true(readers[r].sum == sum);
    }
    assert_int_equal(cad_budget_used(&budget), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ref_threads_share_and_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
