/* Goal: every store keeps what it says it kept, whole, within limits, and answers each order. */
#include "store_contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "support/failing_alloc.h"

#define BYTES (1 << 20)

#define WAITS_MAX 50000 /* of 200 us each: a store may work on a thread of its own */

int store_poll(struct cad_store *s, struct cad_store_done *done)
{
    const struct timespec a_while = {.tv_nsec = 200000};
    for (int i = 0; i < WAITS_MAX; i++) {
        int rc = s->ops->poll(s->self, done);
        if (rc != CAD_E_AGAIN) return rc;
        nanosleep(&a_while, NULL);
    }
    return CAD_E_AGAIN;
}

static struct cad_store_done answer(struct cad_store *s, uint32_t id)
{
    struct cad_store_done done;
    assert_int_equal(store_poll(s, &done), 0);
    assert_int_equal(done.id, id);
    return done;
}

int store_put(struct cad_store *s, const char *key, cad_buf value, uint32_t flags)
{
    int err = s->ops->put(s->self, 7, cad_str_from(key), value, flags);
    return err ? err : answer(s, 7).result;
}

int store_get(struct cad_store *s, const char *key, cad_buf *value)
{
    int err = s->ops->get(s->self, 8, cad_str_from(key));
    if (err) return err;
    struct cad_store_done done = answer(s, 8);
    *value = done.value;
    return done.result;
}

int store_del(struct cad_store *s, const char *key)
{
    int err = s->ops->del(s->self, 9, cad_str_from(key));
    return err ? err : answer(s, 9).result;
}

int store_list(struct cad_store *s, const char *prefix, const cad_str **keys, size_t *count)
{
    int err = s->ops->list(s->self, 10, cad_str_from(prefix));
    if (err) return err;
    struct cad_store_done done = answer(s, 10);
    *keys = done.keys;
    *count = done.count;
    return done.result;
}

static const struct store_kind *kind_of(void **state)
{
    return *state;
}

static struct cad_store make(void **state)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_store s = {0};
    assert_int_equal(kind_of(state)->create(BYTES, &alloc, &s), 0);
    assert_int_equal(s.ops->size, sizeof(struct cad_store_ops));
    assert_string_equal(s.ops->name, kind_of(state)->name);
    return s;
}

static cad_buf text(const char *z)
{
    return cad_buf_from_str(cad_str_from(z));
}

static void assert_value(struct cad_store *s, const char *key, const char *expected)
{
    cad_buf v;
    assert_int_equal(store_get(s, key, &v), 0);
    assert_int_equal(v.n, strlen(expected));
    assert_memory_equal(v.p, expected, v.n);
}

static void test_store_keeps_replaces_and_forgets(void **state)
{
    struct cad_store s = make(state);
    cad_buf v;
    assert_int_equal(store_get(&s, "a", &v), CAD_E_NOTFOUND);
    assert_int_equal(store_put(&s, "a", text("one"), CAD_STORE_DURABLE), 0);
    assert_value(&s, "a", "one");
    assert_int_equal(store_put(&s, "a", text("another"), 0), 0);
    assert_int_equal(store_put(&s, "empty", text(""), 0), 0);
    assert_value(&s, "a", "another");
    assert_value(&s, "empty", "");
    assert_int_equal(store_del(&s, "a"), 0);
    assert_int_equal(store_get(&s, "a", &v), CAD_E_NOTFOUND);
    assert_int_equal(store_del(&s, "a"), 0); /* what is not there is deleted already */
    s.ops->destroy(s.self);
}

static void test_store_keeps_any_bytes(void **state)
{
    struct cad_store s = make(state);
    uint8_t bytes[1000];
    cad_buf v;
    for (size_t i = 0; i < sizeof(bytes); i++) bytes[i] = (uint8_t)(i * 7 + i / 256);
    assert_int_equal(store_put(&s, "b", (cad_buf){bytes, sizeof(bytes)}, 0), 0);
    assert_int_equal(store_get(&s, "b", &v), 0);
    assert_int_equal(v.n, sizeof(bytes));
    assert_memory_equal(v.p, bytes, sizeof(bytes));
    s.ops->destroy(s.self);
}

static void test_store_lists_in_order(void **state)
{
    struct cad_store s = make(state);
    const cad_str *keys;
    size_t n;
    const char *const put[] = {"x-2", "y-1", "x-10", "x-1", "x"};
    assert_int_equal(store_list(&s, "", &keys, &n), 0);
    assert_int_equal(n, 0);
    for (size_t i = 0; i < 5; i++) assert_int_equal(store_put(&s, put[i], text("v"), 0), 0);
    assert_int_equal(store_list(&s, "x-", &keys, &n), 0);
    assert_int_equal(n, 3);
    assert_true(cad_str_eqz(keys[0], "x-1"));
    assert_true(cad_str_eqz(keys[1], "x-10"));
    assert_true(cad_str_eqz(keys[2], "x-2"));
    assert_int_equal(store_list(&s, "", &keys, &n), 0);
    assert_int_equal(n, 5);
    s.ops->destroy(s.self);
}

static void test_store_refuses_what_is_no_key(void **state)
{
    struct cad_store s = make(state);
    char long_key[CAD_STORE_KEY_MAX + 2];
    memset(long_key, 'k', sizeof(long_key));
    long_key[CAD_STORE_KEY_MAX + 1] = '\0';
    const char *const bad[] = {"", "..", ".", "a/b", "../a", "/etc/passwd", "A", "a.b", "-a",
                               "a b", "a\\b", "\xc3\xa4", "a\n", "c:", long_key};
    cad_buf v;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(store_put(&s, bad[i], text("v"), 0), CAD_E_INVAL);
        assert_int_equal(store_get(&s, bad[i], &v), CAD_E_INVAL);
        assert_int_equal(store_del(&s, bad[i]), CAD_E_INVAL);
    }
    cad_str nul = {"a\0b", 3};
    assert_int_equal(s.ops->put(s.self, 1, nul, text("v"), 0), CAD_E_INVAL);
    long_key[CAD_STORE_KEY_MAX] = '\0';
    assert_int_equal(store_put(&s, long_key, text("v"), 0), 0);
    assert_value(&s, long_key, "v");
    s.ops->destroy(s.self);
}

static void test_store_limits_values(void **state)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_store s = {0};
    size_t n = CAD_STORE_VALUE_MAX + 1;
    uint8_t *big = cad_alloc_new(&alloc, n, CAD_MEM_OTHER);
    assert_non_null(big);
    assert_int_equal(kind_of(state)->create(600 << 10, &alloc, &s), 0);
    assert_int_equal(store_put(&s, "a", (cad_buf){big, n}, 0), CAD_E_INVAL);
    assert_int_equal(store_put(&s, "a", (cad_buf){big, n - 1}, 0), 0);
    assert_int_equal(store_put(&s, "b", (cad_buf){big, 200 << 10}, 0), CAD_E_LIMIT);
    assert_int_equal(store_put(&s, "a", (cad_buf){big, 300 << 10}, 0), 0); /* it makes room */
    assert_int_equal(store_put(&s, "b", (cad_buf){big, 200 << 10}, 0), 0);
    assert_int_equal(store_put(&s, "b", (cad_buf){big, 400 << 10}, 0), CAD_E_LIMIT);
    cad_buf v;
    assert_int_equal(store_get(&s, "b", &v), 0); /* a refused put changes nothing */
    assert_int_equal(v.n, 200 << 10);
    assert_int_equal(store_del(&s, "a"), 0);
    assert_int_equal(store_put(&s, "b", (cad_buf){big, 400 << 10}, 0), 0);
    cad_alloc_free(&alloc, big, n, CAD_MEM_OTHER);
    s.ops->destroy(s.self);
}

static void test_store_limits_keys(void **state)
{
    struct cad_store s = make(state);
    char key[32];
    const cad_str *keys;
    size_t n;
    for (int i = 0; i < (int)CAD_STORE_KEYS_MAX; i++) {
        snprintf(key, sizeof(key), "k-%d", i);
        assert_int_equal(store_put(&s, key, text("v"), 0), 0);
    }
    assert_int_equal(store_put(&s, "more", text("v"), 0), CAD_E_LIMIT);
    assert_int_equal(store_put(&s, "k-0", text("w"), 0), 0);
    assert_int_equal(store_list(&s, "", &keys, &n), 0);
    assert_int_equal(n, CAD_STORE_KEYS_MAX);
    s.ops->destroy(s.self);
}

static void test_store_queues_orders(void **state)
{
    struct cad_store s = make(state);
    struct cad_store_done done;
    char value[2] = "0";
    for (uint32_t i = 0; i < CAD_STORE_PENDING_MAX / 2; i++) {
        value[0] = (char)('0' + i % 10); /* the bytes are used up during the call */
        assert_int_equal(s.ops->put(s.self, 2 * i + 1, CAD_STR("q"), text(value), 0), 0);
        assert_int_equal(s.ops->get(s.self, 2 * i + 2, CAD_STR("q")), 0);
    }
    assert_int_equal(s.ops->get(s.self, 999, CAD_STR("q")), CAD_E_LIMIT);
    for (uint32_t i = 0; i < CAD_STORE_PENDING_MAX / 2; i++) {
        assert_int_equal(store_poll(&s, &done), 0);
        assert_int_equal(done.id, 2 * i + 1);
        assert_int_equal(done.call, CAD_STORE_PUT);
        assert_int_equal(done.result, 0);
        assert_int_equal(store_poll(&s, &done), 0);
        assert_int_equal(done.id, 2 * i + 2);
        assert_int_equal(done.value.n, 1);
        assert_int_equal(done.value.p[0], '0' + i % 10);
    }
    assert_int_equal(s.ops->poll(s.self, &done), CAD_E_AGAIN);
    assert_int_equal(s.ops->put(s.self, 1, CAD_STR("q"), text("x"), 0), 0);
    s.ops->destroy(s.self); /* with an order under way */
}

static void test_store_outlives_its_object(void **state)
{
    if (!kind_of(state)->again) skip();
    struct cad_store s = make(state);
    struct cad_alloc alloc = cad_alloc_system();
    cad_buf v;
    assert_int_equal(store_put(&s, "a", text("kept"), CAD_STORE_DURABLE), 0);
    assert_int_equal(store_put(&s, "b", text("kept too"), 0), 0);
    assert_int_equal(store_put(&s, "c", text("gone"), CAD_STORE_DURABLE), 0);
    assert_int_equal(store_del(&s, "c"), 0);
    s.ops->destroy(s.self);
    assert_int_equal(kind_of(state)->again(BYTES, &alloc, &s), 0);
    assert_value(&s, "a", "kept");
    assert_value(&s, "b", "kept too");
    assert_int_equal(store_get(&s, "c", &v), CAD_E_NOTFOUND);
    s.ops->destroy(s.self);
}

static int some_work(void **state, const struct cad_alloc *alloc)
{
    struct cad_store s = {0};
    cad_buf v;
    const cad_str *keys;
    size_t n;
    int err = kind_of(state)->create(BYTES, alloc, &s);
    if (err) return err;
    int results[] = {store_put(&s, "a", text("1"), 0), store_put(&s, "a", text("22"), 0),
                     store_get(&s, "a", &v), store_list(&s, "", &keys, &n), store_del(&s, "a")};
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        bool fine = results[i] == 0 || results[i] == CAD_E_NOMEM || results[i] == CAD_E_NOTFOUND;
        assert_true(fine);
    }
    s.ops->destroy(s.self);
    return 0;
}

static void test_store_survives_failing_memory(void **state)
{
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        int err = some_work(state, &alloc);
        assert_true(err == 0 || err == CAD_E_NOMEM);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
        assert_in_range(at, 1, 100);
    }
}

int store_contract_run(const struct store_kind *kind)
{
    struct CMUnitTest tests[] = {
        cmocka_unit_test(test_store_keeps_replaces_and_forgets),
        cmocka_unit_test(test_store_keeps_any_bytes),
        cmocka_unit_test(test_store_lists_in_order),
        cmocka_unit_test(test_store_refuses_what_is_no_key),
        cmocka_unit_test(test_store_limits_values),
        cmocka_unit_test(test_store_limits_keys),
        cmocka_unit_test(test_store_queues_orders),
        cmocka_unit_test(test_store_outlives_its_object),
        cmocka_unit_test(test_store_survives_failing_memory),
    };
    struct store_kind copy = *kind;
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) tests[i].initial_state = &copy;
    return cmocka_run_group_tests_name(kind->name, tests, NULL, NULL);
}
