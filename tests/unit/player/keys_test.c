/* The keys are mpv's, and the help names them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keys.h"

static void test_keys_are_mpvs(void **state)
{
    (void)state;
    assert_int_equal(key_action(SDLK_SPACE), KEY_PAUSE);
    assert_int_equal(key_action(SDLK_p), KEY_PAUSE);
    assert_int_equal(key_action(SDLK_LEFT), KEY_BACK);
    assert_int_equal(key_action(SDLK_RIGHT), KEY_FORWARD);
    assert_int_equal(key_action(SDLK_UP), KEY_FORWARD_FAR);
    assert_int_equal(key_action(SDLK_DOWN), KEY_BACK_FAR);
    assert_int_equal(key_action(SDLK_f), KEY_FULL_SCREEN);
    assert_int_equal(key_action(SDLK_q), KEY_QUIT);
    assert_int_equal(key_action(SDLK_ESCAPE), KEY_ESCAPE);
    assert_int_equal(key_action(SDLK_i), KEY_OVERLAY);
    assert_int_equal(key_action(SDLK_m), KEY_MUTE);
    assert_int_equal(key_action(SDLK_9), KEY_QUIETER);
    assert_int_equal(key_action(SDLK_0), KEY_LOUDER);
    assert_int_equal(key_action(SDLK_LEFTBRACKET), KEY_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys_are_mpvs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
