#include "keys.h"

enum key_action key_action(SDL_Keycode key)
{
    switch (key) {
    case SDLK_SPACE:
    case SDLK_p: return KEY_PAUSE;
    case SDLK_LEFT: return KEY_BACK;
    case SDLK_RIGHT: return KEY_FORWARD;
    case SDLK_DOWN: return KEY_BACK_FAR;
    case SDLK_UP: return KEY_FORWARD_FAR;
    case SDLK_f: return KEY_FULL_SCREEN;
    case SDLK_ESCAPE: return KEY_ESCAPE;
    case SDLK_i:
    case SDLK_o: return KEY_OVERLAY;
    case SDLK_m: return KEY_MUTE;
    case SDLK_9:
    case SDLK_KP_DIVIDE: return KEY_QUIETER;
    case SDLK_0:
    case SDLK_KP_MULTIPLY: return KEY_LOUDER;
    case SDLK_q: return KEY_QUIT;
    default: return KEY_NONE;
    }
}
