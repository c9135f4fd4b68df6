/*
 * Goal: a store on a thread of its own keeps the contract, makes nobody wait for its disk, says
 * when there is an answer, and at its end keeps what was given to it.
 */
#include "store_contract.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "drive/clock.h"
#include "drive/store.h"

static char folder[64];

static void empty(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    assert_int_equal(system(command), 0);
}

static int again(int64_t bytes_max, const struct cad_alloc *alloc, struct cad_store *out)
{
    struct cad_store file = {0};
    int err = cad_store_file_create(folder, bytes_max, alloc, &file);
    if (err) return err;
    err = cad_store_thread_create(&file, NULL, alloc, out);
    if (err) file.ops->destroy(file.self);
    return err;
}

static int create(int64_t bytes_max, const struct cad_alloc *alloc, struct cad_store *out)
{
    empty();
    return again(bytes_max, alloc, out);
}

/* ---- a disk that is slow --------------------------------------------------------------------- */

/* A memory store whose answers wait until it is let go. */
struct slow {
    struct cad_store memory;
    pthread_mutex_t gate; /* held by the test: nothing is answered */
    _Atomic int puts, flagged;
};

static int slow_put(void *self, uint32_t id, cad_str key, cad_buf value, uint32_t flags)
{
    struct slow *slow = self;
    slow->puts++;
    if (flags & CAD_STORE_DURABLE) slow->flagged++;
    return slow->memory.ops->put(slow->memory.self, id, key, value, flags);
}

static int slow_get(void *self, uint32_t id, cad_str key)
{
    struct slow *slow = self;
    return slow->memory.ops->get(slow->memory.self, id, key);
}

static int slow_poll(void *self, struct cad_store_done *done)
{
    struct slow *slow = self;
    pthread_mutex_lock(&slow->gate);
    int rc = slow->memory.ops->poll(slow->memory.self, done);
    pthread_mutex_unlock(&slow->gate);
    return rc;
}

static const struct cad_store_ops slow_ops = {
    .size = sizeof(slow_ops),
    .name = "slow",
    .put = slow_put,
    .get = slow_get,
    .poll = slow_poll,
};

static void count_wake(void *ctx)
{
    _Atomic int *wakes = ctx;
    (*wakes)++;
}

static void test_store_thread_waits_for_no_disk(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct slow slow = {.gate = PTHREAD_MUTEX_INITIALIZER};
    _Atomic int wakes = 0;
    struct cad_store_waker waker = {count_wake, &wakes};
    struct cad_store inner = {&slow_ops, &slow}, s = {0};
    struct cad_store_done done;
    assert_int_equal(cad_store_memory_create(0, &alloc, &slow.memory), 0);
    assert_int_equal(cad_store_thread_create(&inner, &waker, &alloc, &s), 0);
    pthread_mutex_lock(&slow.gate);
    cad_buf value = cad_buf_from_str(CAD_STR("kept"));
    assert_int_equal(s.ops->put(s.self, 1, CAD_STR("a"), value, CAD_STORE_DURABLE), 0);
    assert_int_equal(s.ops->get(s.self, 2, CAD_STR("a")), 0);
    assert_int_equal(s.ops->poll(s.self, &done), CAD_E_AGAIN); /* the disk hangs, we do not */
    assert_int_equal(wakes, 0);
    pthread_mutex_unlock(&slow.gate);
    assert_int_equal(store_poll(&s, &done), 0);
    assert_int_equal(done.id, 1);
    assert_int_equal(done.result, 0);
    assert_int_equal(store_poll(&s, &done), 0);
    assert_int_equal(done.id, 2);
    assert_memory_equal(done.value.p, "kept", 4);
    s.ops->destroy(s.self);
    assert_int_equal(wakes, 2);
    assert_int_equal(slow.flagged, 1);
    slow.memory.ops->destroy(slow.memory.self);
}

static void *destroy(void *ctx)
{
    struct cad_store *s = ctx;
    s->ops->destroy(s->self);
    return NULL;
}

/* What waits at the end is carried out, but not waited for until it is on the disk. */
static void test_store_thread_ends_with_all_puts(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct slow slow = {.gate = PTHREAD_MUTEX_INITIALIZER};
    struct cad_store inner = {&slow_ops, &slow}, s = {0};
    struct cad_store_done done;
    char key[8];
    assert_int_equal(cad_store_memory_create(0, &alloc, &slow.memory), 0);
    assert_int_equal(cad_store_thread_create(&inner, NULL, &alloc, &s), 0);
    pthread_mutex_lock(&slow.gate);
    cad_buf value = cad_buf_from_str(CAD_STR("v"));
    for (uint32_t i = 0; i < 5; i++) {
        snprintf(key, sizeof(key), "k-%u", i);
        assert_int_equal(s.ops->put(s.self, i, cad_str_from(key), value, CAD_STORE_DURABLE), 0);
    }
    while (slow.puts == 0) usleep(100); /* the first one is in hand */
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, destroy, &s), 0);
    usleep(20000);
    assert_int_equal(slow.puts, 1); /* it waits for what is in hand */
    pthread_mutex_unlock(&slow.gate);
    pthread_join(thread, NULL);
    assert_int_equal(slow.puts, 5);
    assert_int_equal(slow.flagged, 1);
    for (uint32_t i = 0; i < 5; i++) {
        snprintf(key, sizeof(key), "k-%u", i);
        assert_int_equal(slow.memory.ops->get(slow.memory.self, i, cad_str_from(key)), 0);
        assert_int_equal(slow.memory.ops->poll(slow.memory.self, &done), 0);
        assert_int_equal(done.result, 0);
    }
    slow.memory.ops->destroy(slow.memory.self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_thread_waits_for_no_disk),
        cmocka_unit_test(test_store_thread_ends_with_all_puts),
    };
    snprintf(folder, sizeof(folder), "/tmp/store-thread-%ld", (long)getpid());
    int failed = store_contract_run(
        &(struct store_kind){.name = "thread", .create = create, .again = again});
    failed += cmocka_run_group_tests_name("store on a thread alone", tests, NULL, NULL);
    empty();
    return failed;
}
