/*
 * overlay.h - text over the picture: figures of the playback, and messages.
 */
#ifndef PLAYER_OVERLAY_H
#define PLAYER_OVERLAY_H

#include <SDL.h>

#include "cadmium/engine.h"

#define OVERLAY_TEXT_SIZE 640

/* The figures as lines of text. */
void overlay_figures(const struct cad_engine_stats *stats, bool paused, char *out, size_t size);
/* Text in the upper left corner of an area, on a dark ground. */
void overlay_draw(SDL_Renderer *renderer, int width, const char *text);
/* Text in the middle of an area, broken into lines between words. */
void overlay_message(SDL_Renderer *renderer, int width, int height, const char *text);
/* The same without drawing: text with line ends, at most `columns` characters a line. */
void overlay_wrap(const char *text, int columns, char *out, size_t size);

#endif
