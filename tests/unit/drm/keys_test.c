/* Goal: readers see one table or the other, whole; what is replaced is wiped and used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drm/keys.h"
#include "support/failing_alloc.h"

static struct cad_key_row row_of(uint8_t id, uint8_t key)
{
    struct cad_key_row row = {.status = CAD_KEY_USABLE};
    memset(row.kid, id, sizeof row.kid);
    memset(row.key, key, sizeof row.key);
    return row;
}

static int look(struct cad_keys *keys, uint8_t id, uint8_t *key)
{
    uint8_t kid[CAD_KEY_ID_SIZE];
    uint8_t out[CAD_KEY_SIZE];
    memset(kid, id, sizeof kid);
    int status = cad_keys_find(keys, kid, out);
    for (size_t i = 1; i < sizeof out; i++) assert_int_equal(out[i], out[0]);
    *key = out[0];
    return status;
}

static void test_keys_replace_undo_and_settle(void **state)
{
    (void)state;
    struct cad_failing f;
    struct cad_keys keys;
    uint64_t before = 0;
    uint8_t key = 9;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    assert_int_equal(cad_keys_init(&keys, &alloc), 0);
    assert_int_equal(look(&keys, 0, &key), CAD_KEY_UNKNOWN); /* though unused rows are zeros */
    assert_int_equal(key, 0);
    struct cad_key_row one = row_of(1, 0x11);
    assert_int_equal(cad_keys_replace(&keys, &one, 1, &before), 0);
    assert_int_equal(look(&keys, 1, &key), CAD_KEY_USABLE);
    assert_int_equal(key, 0x11);
    cad_keys_undo(&keys, before);
    assert_int_equal(look(&keys, 1, &key), CAD_KEY_UNKNOWN);
    /* Far more often than there are tables: each is free again after its time. */
    for (uint8_t i = 1; i < 100; i++) {
        struct cad_key_row rows[2] = {row_of(1, i), row_of(2, (uint8_t)(i + 100))};
        assert_int_equal(cad_keys_replace(&keys, rows, 2, &before), 0);
        assert_int_equal(look(&keys, 2, &key), CAD_KEY_USABLE);
        assert_int_equal(key, i + 100);
        if (i % 3 == 0) cad_keys_undo(&keys, before);
        else cad_keys_settle(&keys, before);
        assert_int_equal(look(&keys, 1, &key), CAD_KEY_USABLE);
        assert_int_equal(key, i % 3 == 0 ? i - 1 : i);
    }
    assert_true(f.live_blocks <= 3);
    cad_keys_deinit(&keys);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

static void test_keys_limits_and_allocation(void **state)
{
    (void)state;
    struct cad_key_row rows[CAD_KEYS_MAX + 1];
    for (uint64_t at = 1; at <= 3; at++) {
        struct cad_failing f;
        struct cad_keys keys;
        uint64_t before = 0;
        uint8_t key;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        int rc = cad_keys_init(&keys, &alloc);
        assert_int_equal(rc, at <= 2 ? CAD_E_NOMEM : 0);
        if (rc == 0) {
            for (size_t i = 0; i <= CAD_KEYS_MAX; i++) rows[i] = row_of((uint8_t)(i + 1), 7);
            assert_int_equal(cad_keys_replace(&keys, rows, CAD_KEYS_MAX + 1, &before),
                             CAD_E_LIMIT);
            assert_int_equal(cad_keys_replace(&keys, rows, CAD_KEYS_MAX, &before), 0);
            cad_keys_settle(&keys, before);
            assert_int_equal(look(&keys, CAD_KEYS_MAX, &key), CAD_KEY_USABLE);
            cad_keys_deinit(&keys);
        }
        assert_int_equal(f.live_blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_replace_undo_and_settle),
        cmocka_unit_test(test_keys_limits_and_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
