/* keys.h - what the keys of the window mean. */
#ifndef PLAYER_KEYS_H
#define PLAYER_KEYS_H

#include <SDL.h>

enum key_action {
    KEY_NONE, KEY_PAUSE, KEY_BACK, KEY_FORWARD, KEY_BACK_FAR, KEY_FORWARD_FAR, KEY_FULL_SCREEN,
    KEY_ESCAPE, KEY_OVERLAY, KEY_MUTE, KEY_QUIETER, KEY_LOUDER, KEY_QUIT
};

enum key_action key_action(SDL_Keycode key);

#endif
