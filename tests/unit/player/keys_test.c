/* Keys, mouse and fingers of SDL come out as events of the controls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "keys.h"

static const struct input_scale scale = {.x = 2, .y = 2, .width = 1280, .height = 720};

static void test_keys_are_those_of_the_help(void **state)
{
    (void)state;
    static const struct { SDL_Keycode key; enum ui_key means; } keys[] = {
        {SDLK_SPACE, UI_KEY_PAUSE}, {SDLK_p, UI_KEY_PAUSE}, {SDLK_LEFT, UI_KEY_LEFT},
        {SDLK_RIGHT, UI_KEY_RIGHT}, {SDLK_UP, UI_KEY_UP}, {SDLK_DOWN, UI_KEY_DOWN},
        {SDLK_RETURN, UI_KEY_ENTER}, {SDLK_ESCAPE, UI_KEY_ESCAPE}, {SDLK_TAB, UI_KEY_TAB},
        {SDLK_f, UI_KEY_FULL_SCREEN}, {SDLK_m, UI_KEY_MUTE}, {SDLK_i, UI_KEY_OVERLAY},
        {SDLK_o, UI_KEY_OVERLAY}, {SDLK_h, UI_KEY_HELP}, {SDLK_QUESTION, UI_KEY_HELP},
        {SDLK_a, UI_KEY_AUDIO}, {SDLK_v, UI_KEY_TEXT}, {SDLK_LEFTBRACKET, UI_KEY_SLOWER},
        {SDLK_RIGHTBRACKET, UI_KEY_FASTER}, {SDLK_9, UI_KEY_QUIETER}, {SDLK_0, UI_KEY_LOUDER},
        {SDLK_q, UI_KEY_QUIT}, {SDLK_r, UI_KEY_RETRY}, {SDLK_AC_BACK, UI_KEY_ESCAPE},
        {SDLK_SELECT, UI_KEY_ENTER}, {SDLK_x, UI_KEY_NONE}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(keys); i++) {
        assert_int_equal(key_of(keys[i].key, false), keys[i].means);
    }
    assert_int_equal(key_of(SDLK_SLASH, true), UI_KEY_HELP);
    assert_int_equal(key_of(SDLK_SLASH, false), UI_KEY_NONE);
}

static void test_keys_take_the_mouse(void **state)
{
    (void)state;
    struct ui_event out;
    SDL_Event event = {.button = {.type = SDL_MOUSEBUTTONDOWN, .button = SDL_BUTTON_LEFT,
                                  .clicks = 2, .x = 100, .y = 50}};
    assert_true(input_event(&event, scale, &out));
    assert_int_equal(out.type, UI_PRESS);
    assert_int_equal(out.clicks, 2);
    assert_int_equal((int)out.x, 200);
    assert_int_equal((int)out.y, 100);
    assert_false(out.touch);
    event.button.button = SDL_BUTTON_RIGHT;
    assert_false(input_event(&event, scale, &out));
    event = (SDL_Event){.motion = {.type = SDL_MOUSEMOTION, .x = 3, .y = 4}};
    assert_true(input_event(&event, scale, &out));
    assert_int_equal(out.type, UI_MOVE);
    /* SDL's mouse that a finger makes. */
    event.motion.which = SDL_TOUCH_MOUSEID;
    assert_false(input_event(&event, scale, &out));
    event = (SDL_Event){.wheel = {.type = SDL_MOUSEWHEEL, .y = -2}};
    assert_true(input_event(&event, scale, &out));
    assert_int_equal(out.wheel, -2);
    event.wheel.direction = SDL_MOUSEWHEEL_FLIPPED;
    assert_true(input_event(&event, scale, &out));
    assert_int_equal(out.wheel, 2);
    event = (SDL_Event){.window = {.type = SDL_WINDOWEVENT, .event = SDL_WINDOWEVENT_LEAVE}};
    assert_true(input_event(&event, scale, &out));
    assert_int_equal(out.type, UI_LEAVE);
    event.window.event = SDL_WINDOWEVENT_EXPOSED;
    assert_false(input_event(&event, scale, &out));
}

static void test_keys_take_fingers(void **state)
{
    (void)state;
    struct ui_event out;
    SDL_Event event = {.tfinger = {.type = SDL_FINGERDOWN, .x = 0.5f, .y = 0.25f}};
    assert_true(input_event(&event, scale, &out));
    assert_int_equal(out.type, UI_PRESS);
    assert_true(out.touch);
    assert_int_equal((int)out.x, 640);
    assert_int_equal((int)out.y, 180);
    event.tfinger.type = SDL_FINGERUP;
    assert_true(input_event(&event, scale, &out));
    assert_int_equal(out.type, UI_RELEASE);
    event.tfinger.type = SDL_FINGERMOTION;
    assert_true(input_event(&event, scale, &out));
    assert_int_equal(out.type, UI_MOVE);
}

static void test_keys_carry_shift(void **state)
{
    (void)state;
    struct ui_event out;
    SDL_Event event = {.key = {.type = SDL_KEYDOWN,
                               .keysym = {.sym = SDLK_LEFT, .mod = KMOD_LSHIFT}}};
    assert_true(input_event(&event, scale, &out));
    assert_int_equal(out.type, UI_KEY);
    assert_int_equal(out.key, UI_KEY_LEFT);
    assert_true(out.shift);
    event.key.keysym.sym = SDLK_x;
    assert_false(input_event(&event, scale, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_those_of_the_help),
        cmocka_unit_test(test_keys_take_the_mouse),
        cmocka_unit_test(test_keys_take_fingers),
        cmocka_unit_test(test_keys_carry_shift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
