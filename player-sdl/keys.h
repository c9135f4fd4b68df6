/*
 * keys.h - what keys, mouse and fingers of SDL mean to the controls.
 */
#ifndef PLAYER_KEYS_H
#define PLAYER_KEYS_H

#include <SDL.h>

#include "ui.h"

/* Keys of keyboards and of remote controls. */
enum ui_key key_of(SDL_Keycode key, bool shift);

/* Pixels of the area for a unit of mouse positions, and its size for those of fingers. */
struct input_scale {
    float x, y;
    float width, height;
};
/* True: *out is what the event means; false: it is none for the controls. */
bool input_event(const SDL_Event *event, struct input_scale scale, struct ui_event *out);

#endif
