/*
 * Shells are used again, what lies idle is bounded, and those that are out survive their pool, from
 * whatever thread they come back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "media/shells.h"
#include "support/failing_alloc.h"

#define LENT 24 /* bytes that each owner keeps while it is idle */

struct owner {
    struct cad_shell shell;
    uint32_t used;
    void *lent;
};

static void deinit(const struct cad_alloc *alloc, void *of_frame)
{
    struct owner *owner = of_frame;
    cad_alloc_free(alloc, owner->lent, owner->lent ? LENT : 0, CAD_MEM_OTHER);
}

static struct owner *get(struct cad_shells *shells, const struct cad_alloc *alloc)
{
    struct owner *owner = cad_shells_get(shells);
    if (!owner) return NULL;
    owner->used++;
    if (!owner->lent) owner->lent = cad_alloc_new(alloc, LENT, CAD_MEM_OTHER);
    return owner;
}

static void test_shells_are_used_again(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_shells *shells = NULL;
    assert_int_equal(cad_shells_create(&alloc, sizeof(struct owner), deinit, &shells), 0);
    struct owner *a = get(shells, &alloc);
    struct owner *b = get(shells, &alloc);
    assert_ptr_not_equal(a, b);
    assert_int_equal(a->used, 1);
    uint64_t calls = f.calls;
    for (uint32_t i = 0; i < 1000; i++) {
        cad_shells_put(a);
        a = get(shells, &alloc);
    }
    assert_int_equal(a->used, 1001);
    assert_int_equal(f.calls, calls);
    cad_shells_put(a);
    cad_shells_put(b);
    cad_shells_destroy(&shells);
    cad_shells_destroy(&shells);
    assert_null(shells);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

static void test_shells_idle_are_bounded(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_shells *shells = NULL;
    struct owner *out[2 * CAD_SHELLS_IDLE_MAX];
    assert_int_equal(cad_shells_create(&alloc, sizeof(struct owner), deinit, &shells), 0);
    for (uint32_t i = 0; i < 2 * CAD_SHELLS_IDLE_MAX; i++) out[i] = get(shells, &alloc);
    for (uint32_t i = 0; i < 2 * CAD_SHELLS_IDLE_MAX; i++) cad_shells_put(out[i]);
    struct owner *owner = get(shells, &alloc);
    /* The pool itself, and an owner and what it keeps for each that is left. */
    assert_int_equal(f.live_blocks, 1 + 2 * CAD_SHELLS_IDLE_MAX);
    cad_shells_put(owner);
    cad_shells_destroy(&shells);
    assert_int_equal(f.live_blocks, 0);
}

static void test_shells_outlive_their_pool(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_shells *shells = NULL;
    assert_int_equal(cad_shells_create(&alloc, sizeof(struct owner), deinit, &shells), 0);
    struct owner *a = get(shells, &alloc);
    struct owner *b = get(shells, &alloc);
    cad_shells_put(get(shells, &alloc));
    cad_shells_destroy(&shells);
    assert_int_equal(f.live_blocks, 5); /* the idle one is gone */
    cad_shells_put(a);
    assert_int_equal(f.live_blocks, 3);
    assert_int_equal(b->used, 1);
    cad_shells_put(b);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

static void test_shells_without_memory(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 1);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_shells *shells = NULL;
    assert_int_equal(cad_shells_create(&alloc, sizeof(struct owner), NULL, &shells), CAD_E_NOMEM);
    assert_null(shells);
    f.fail_at = 3;
    assert_int_equal(cad_shells_create(&alloc, sizeof(struct owner), NULL, &shells), 0);
    assert_null(cad_shells_get(shells));
    void *owner = cad_shells_get(shells);
    assert_non_null(owner);
    cad_shells_put(owner);
    cad_shells_destroy(&shells);
    assert_int_equal(f.live_blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shells_are_used_again),
        cmocka_unit_test(test_shells_idle_are_bounded),
        cmocka_unit_test(test_shells_outlive_their_pool),
        cmocka_unit_test(test_shells_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
