/* One picture fits; a newer one pushes the older away, and nothing is lost or freed twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "screen.h"

static void count_release(void *owner)
{
    int *released = owner;
    (*released)++;
}

static void count_notice(void *ctx)
{
    int *notices = ctx;
    (*notices)++;
}

static void test_screen_keeps_the_newest(void **state)
{
    (void)state;
    struct screen screen;
    int notices = 0;
    int released = 0;
    assert_true(screen_init(&screen, count_notice, &notices));
    struct cad_frame out = {0};
    assert_false(screen_take(&screen, &out));
    for (int i = 0; i < 3; i++) {
        struct cad_frame frame = {.pts = i, .owner = &released, .release = count_release};
        assert_int_equal(screen_put(&screen, &frame), i > 0 ? 1 : 0);
        assert_null(frame.release);
    }
    assert_int_equal(notices, 3);
    assert_int_equal(released, 2);
    assert_true(screen_take(&screen, &out));
    assert_int_equal(out.pts, 2);
    assert_false(screen_take(&screen, &out));
    cad_frame_unref(&out);
    assert_int_equal(released, 3);
    struct cad_frame last = {.owner = &released, .release = count_release};
    assert_int_equal(screen_put(&screen, &last), 0);
    screen_deinit(&screen);
    assert_int_equal(released, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_screen_keeps_the_newest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
