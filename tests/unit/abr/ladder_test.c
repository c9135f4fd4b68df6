/* Goal: places and rung numbers are never confused, whatever is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abr/ladder.h"

/* Rungs 1, 3 and 4 of five are allowed. */
static const struct cad_abr_rung holes[] = {
    {100, 0, -1, false}, {200, 0, -1, true}, {300, 0, -1, false},
    {400, 0, -1, true},  {500, 0, -1, true},
};

static void test_ladder_lists_what_is_allowed(void **state)
{
    (void)state;
    struct cad_abr_ladder l;
    cad_abr_ladder_init(&l, holes, 5);
    assert_int_equal(l.count, 3);
    assert_int_equal(l.place[0], 1);
    assert_int_equal(l.place[1], 3);
    assert_int_equal(l.place[2], 4);
    assert_int_equal(cad_abr_ladder_rate(&l, 1), 400);
    cad_abr_ladder_init(&l, holes, 1); /* none is allowed: all are */
    assert_int_equal(l.count, 1);
    assert_int_equal(l.place[0], 0);
}

static void test_ladder_highest_below_a_limit(void **state)
{
    (void)state;
    struct cad_abr_ladder l;
    cad_abr_ladder_init(&l, holes, 5);
    assert_int_equal(cad_abr_ladder_highest(&l, -1), 0);
    assert_int_equal(cad_abr_ladder_highest(&l, 199), 0); /* nothing fits: the lowest */
    assert_int_equal(cad_abr_ladder_highest(&l, 399), 0);
    assert_int_equal(cad_abr_ladder_highest(&l, 400), 1);
    assert_int_equal(cad_abr_ladder_highest(&l, 10000), 2);
}

static void test_ladder_nearest_rung(void **state)
{
    (void)state;
    struct cad_abr_ladder l;
    cad_abr_ladder_init(&l, holes, 5);
    assert_int_equal(cad_abr_ladder_nearest(&l, 0), 0);
    assert_int_equal(cad_abr_ladder_nearest(&l, 1), 0);
    assert_int_equal(cad_abr_ladder_nearest(&l, 2), 0); /* 1 and 3 are as near: the lower */
    assert_int_equal(cad_abr_ladder_nearest(&l, 3), 1);
    assert_int_equal(cad_abr_ladder_nearest(&l, 4), 2);
    assert_int_equal(cad_abr_ladder_nearest(&l, 4000000000u), 2);
    assert_int_equal(cad_abr_ladder_at_or_below(&l, 2), 0);
    assert_int_equal(cad_abr_ladder_at_or_below(&l, 0), 0);
    assert_int_equal(cad_abr_ladder_at_or_below(&l, 3), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladder_lists_what_is_allowed),
        cmocka_unit_test(test_ladder_highest_below_a_limit),
        cmocka_unit_test(test_ladder_nearest_rung),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
