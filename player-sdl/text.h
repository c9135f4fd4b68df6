/*
 * text.h - smooth text on a canvas, UTF-8, from left to right.
 *
 * Glyphs are kept in a cache. Where no font is found the bitmap font is used, in whole dots.
 */
#ifndef PLAYER_TEXT_H
#define PLAYER_TEXT_H

#include "canvas.h"
#include "cadmium/base.h"
#include "typeface.h"

struct text;

struct text_style {
    float size;            /* of an em, pixels; 4 .. 400 */
    enum text_weight weight;
    uint32_t color;        /* 0xAARRGGBB */
};

/* With the system's fonts, or with none but the bitmap font. NULL: no memory. */
struct text *text_open(bool system_fonts);
void text_close(struct text **text);
/* What is drawn with. */
const char *text_font_name(const struct text *text);

/* Pixels from the first pen position to the last one. */
float text_width(struct text *text, const struct text_style *style, cad_str words);
/* From the pen at x on the base line y; returns the new x. */
float text_draw(struct text *text, struct canvas *canvas, const float pen[2],
                const struct text_style *style, cad_str words);
/* As much of it as fits box[2] pixels from the pen at box[0], box[1], with an ellipsis where it was
 * cut. Returns as text_draw. */
float text_draw_cut(struct text *text, struct canvas *canvas, const float box[3],
                    const struct text_style *style, cad_str words);
/* Bytes of the first line of `words` that fits `width`, broken between words where that is
 * possible; *skip: bytes to the next line. */
size_t text_line(struct text *text, const struct text_style *style, cad_str words, float width,
                 size_t *skip);
/* How high capitals stand above the base line. */
float text_capital(const struct text_style *style);

#endif
