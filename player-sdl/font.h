/*
 * font.h - a small bitmap font of our own: printable ASCII, 5 by 8 dots.
 */
#ifndef PLAYER_FONT_H
#define PLAYER_FONT_H

#include <SDL.h>

#define FONT_WIDTH 5
#define FONT_HEIGHT 8
#define FONT_ADVANCE 6 /* dots from one character to the next */
#define FONT_LINE 11   /* dots from one line to the next */

/* The dots of a row, bit 4 is the left one; 0 outside the font. Unknown characters are a box. */
uint8_t font_row(char c, int row);
/* Draw text with dots of `scale` pixels in the renderer's colour; '\n' begins a line. */
void font_draw(SDL_Renderer *renderer, int x, int y, int scale, const char *text);
/* Columns of the longest line, and lines. */
void font_measure(const char *text, int *columns, int *lines);

#endif
