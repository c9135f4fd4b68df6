/*
 * font.h - a small bitmap font of our own: printable ASCII, 5 by 8 dots. It is what is left where
 * the system has no fonts.
 */
#ifndef PLAYER_FONT_H
#define PLAYER_FONT_H

#include <stdint.h>

#define FONT_WIDTH 5
#define FONT_HEIGHT 8
#define FONT_ADVANCE 6 /* dots from one character to the next */
#define FONT_BASE 7    /* rows above the base line */

/* The dots of a row, bit 4 is the left one; 0 outside the font. Unknown characters are a box. */
uint8_t font_row(uint32_t c, int row);

#endif
