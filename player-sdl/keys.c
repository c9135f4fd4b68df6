#include "keys.h"

#include <string.h>

enum ui_key key_of(SDL_Keycode key, bool shift)
{
    switch (key) {
    case SDLK_SPACE:
    case SDLK_p:
    case SDLK_AUDIOPLAY: return UI_KEY_PAUSE;
    case SDLK_LEFT: return UI_KEY_LEFT;
    case SDLK_RIGHT: return UI_KEY_RIGHT;
    case SDLK_UP: return UI_KEY_UP;
    case SDLK_DOWN: return UI_KEY_DOWN;
    case SDLK_RETURN:
    case SDLK_KP_ENTER:
    case SDLK_SELECT: return UI_KEY_ENTER;
    case SDLK_ESCAPE:
    case SDLK_BACKSPACE:
    case SDLK_AC_BACK: return UI_KEY_ESCAPE;
    case SDLK_TAB: return UI_KEY_TAB;
    case SDLK_f:
    case SDLK_F11: return UI_KEY_FULL_SCREEN;
    case SDLK_m:
    case SDLK_AUDIOMUTE: return UI_KEY_MUTE;
    case SDLK_i:
    case SDLK_o: return UI_KEY_OVERLAY;
    case SDLK_h:
    case SDLK_F1:
    case SDLK_QUESTION: return UI_KEY_HELP;
    case SDLK_SLASH: return shift ? UI_KEY_HELP : UI_KEY_NONE;
    case SDLK_a: return UI_KEY_AUDIO;
    case SDLK_v: return UI_KEY_TEXT;
    case SDLK_LEFTBRACKET: return UI_KEY_SLOWER;
    case SDLK_RIGHTBRACKET: return UI_KEY_FASTER;
    case SDLK_9:
    case SDLK_VOLUMEDOWN:
    case SDLK_KP_DIVIDE: return UI_KEY_QUIETER;
    case SDLK_0:
    case SDLK_VOLUMEUP:
    case SDLK_KP_MULTIPLY: return UI_KEY_LOUDER;
    case SDLK_r: return UI_KEY_RETRY;
    case SDLK_q:
    case SDLK_AUDIOSTOP: return UI_KEY_QUIT;
    default: return UI_KEY_NONE;
    }
}

/* SDL makes a mouse of fingers too: those events are not for us. */
static bool is_finger(Uint32 which)
{
    return which == SDL_TOUCH_MOUSEID;
}

static bool mouse_event(const SDL_Event *event, struct input_scale scale, struct ui_event *out)
{
    if (event->type == SDL_MOUSEMOTION) {
        out->type = UI_MOVE;
        out->x = (float)event->motion.x * scale.x;
        out->y = (float)event->motion.y * scale.y;
        return !is_finger(event->motion.which);
    }
    if (event->type == SDL_MOUSEWHEEL) {
        bool turned = event->wheel.direction == SDL_MOUSEWHEEL_FLIPPED;
        out->type = UI_WHEEL;
        out->wheel = turned ? -event->wheel.y : event->wheel.y;
        return !is_finger(event->wheel.which) && out->wheel != 0;
    }
    out->type = event->type == SDL_MOUSEBUTTONDOWN ? UI_PRESS : UI_RELEASE;
    out->x = (float)event->button.x * scale.x;
    out->y = (float)event->button.y * scale.y;
    out->clicks = event->button.clicks;
    return event->button.button == SDL_BUTTON_LEFT && !is_finger(event->button.which);
}

static bool finger_event(const SDL_Event *event, struct input_scale scale, struct ui_event *out)
{
    out->type = event->type == SDL_FINGERDOWN ? UI_PRESS
                : event->type == SDL_FINGERUP ? UI_RELEASE
                                              : UI_MOVE;
    out->touch = true;
    out->clicks = 1;
    out->x = event->tfinger.x * scale.width;
    out->y = event->tfinger.y * scale.height;
    return true;
}

bool input_event(const SDL_Event *event, struct input_scale scale, struct ui_event *out)
{
    memset(out, 0, sizeof(*out));
    switch (event->type) {
    case SDL_MOUSEMOTION:
    case SDL_MOUSEWHEEL:
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: return mouse_event(event, scale, out);
    case SDL_FINGERDOWN:
    case SDL_FINGERUP:
    case SDL_FINGERMOTION: return finger_event(event, scale, out);
    case SDL_KEYDOWN:
        out->type = UI_KEY;
        out->shift = (event->key.keysym.mod & KMOD_SHIFT) != 0;
        out->key = key_of(event->key.keysym.sym, out->shift);
        return out->key != UI_KEY_NONE;
    case SDL_WINDOWEVENT:
        out->type = UI_LEAVE;
        return event->window.event == SDL_WINDOWEVENT_LEAVE;
    default: return false;
    }
}
