/* The sample ring: order, bounds, who wakes whom, references; and two threads at once. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/ref.h"
#include "drive/spsc.h"
#include "support/failing_alloc.h"

#define CAPACITY 8

static struct cad_spsc ring;
static struct cad_failing f;

static int setup(void **state)
{
    (void)state;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    return cad_spsc_init(&ring, &alloc, CAPACITY);
}

static int teardown(void **state)
{
    (void)state;
    cad_spsc_deinit(&ring);
    return f.live_blocks != 0;
}

static int push(int64_t pts)
{
    struct cad_spsc_item item;
    memset(&item, 0, sizeof item);
    item.sample.pts = pts;
    return cad_spsc_push(&ring, &item);
}

static void test_spsc_order(void **state)
{
    (void)state;
    assert_null(cad_spsc_peek(&ring));
    for (int64_t i = 0; i < 1000; i++) {
        int woken = push(3 * i);
        assert_int_equal(woken, i == 0); /* only the first one is waited for */
        assert_int_equal(push(3 * i + 1), 0);
        assert_int_equal(push(3 * i + 2), 0);
        for (int64_t k = 0; k < 3; k++) {
            assert_int_equal(cad_spsc_peek(&ring)->sample.pts, 3 * i + k);
            assert_false(cad_spsc_pop(&ring));
        }
    }
}

/* Full: the producer is refused, and woken once, when half is free again. */
static void test_spsc_full(void **state)
{
    (void)state;
    for (int i = 0; i < CAPACITY; i++) {
        assert_false(cad_spsc_full(&ring));
        assert_int_equal(push(i), 0);
    }
    assert_int_equal(push(99), CAD_E_LIMIT);
    int woken = 0;
    for (int i = 0; i < CAPACITY; i++) {
        bool wake = cad_spsc_pop(&ring);
        if (wake) assert_int_equal(i + 1, CAPACITY / 2);
        woken += wake;
    }
    assert_int_equal(woken, 1);
    assert_null(cad_spsc_peek(&ring));
    assert_int_equal(push(1), 1);
    assert_int_equal(push(2), 0);
}

static void test_spsc_references(void **state)
{
    (void)state;
    struct cad_pool *pool;
    struct cad_alloc alloc = cad_failing_alloc(&f);
    assert_int_equal(cad_pool_create(&alloc, 0, &pool), 0);
    for (int i = 0; i < 5; i++) {
        struct cad_spsc_item item;
        memset(&item, 0, sizeof item);
        assert_int_equal(cad_pool_get(pool, 100, &item.sample.ref), 0);
        assert_int_equal(cad_pool_get(pool, 100, &item.sample.crypt_ref), 0);
        assert_int_equal(cad_spsc_push(&ring, &item), 0);
    }
    assert_true(cad_pool_used_bytes(pool) > 0);
    cad_spsc_deinit(&ring); /* drops what is in it */
    assert_int_equal(cad_pool_used_bytes(pool), 0);
    cad_pool_destroy(&pool);
}

static void test_spsc_limits(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_spsc other;
    assert_int_equal(cad_spsc_init(&other, &alloc, 0), CAD_E_INVAL);
    assert_int_equal(cad_spsc_init(&other, &alloc, 6), CAD_E_INVAL);
    cad_spsc_deinit(&other);
    f.fail_at = f.calls + 1;
    assert_int_equal(cad_spsc_init(&other, &alloc, 8), CAD_E_NOMEM);
    cad_spsc_deinit(&other);
}

/* ---- two threads ----------------------------------------------------------------------------- */

#define MANY 200000

/* Each side goes on only when it was told to, so a lost wake hangs the test. */
static _Atomic uint32_t consumer_wakes, producer_wakes;

static void wait_for(_Atomic uint32_t *wakes)
{
    while (atomic_load(wakes) == 0) sched_yield();
    atomic_store(wakes, 0);
}

static void *produce(void *arg)
{
    (void)arg;
    for (int64_t i = 0; i < MANY;) {
        int result = push(i);
        if (result == 1) atomic_fetch_add(&consumer_wakes, 1);
        if (result == CAD_E_LIMIT) wait_for(&producer_wakes);
        else i++;
    }
    return NULL;
}

static void test_spsc_threads(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce, NULL), 0);
    for (int64_t i = 0; i < MANY; i++) {
        const struct cad_spsc_item *item;
        while ((item = cad_spsc_peek(&ring)) == NULL) wait_for(&consumer_wakes);
        assert_int_equal(item->sample.pts, i);
        if (cad_spsc_pop(&ring)) atomic_fetch_add(&producer_wakes, 1);
    }
    pthread_join(thread, NULL);
    assert_null(cad_spsc_peek(&ring));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_spsc_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spsc_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spsc_references, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spsc_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spsc_threads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
