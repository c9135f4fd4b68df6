/*
 * typeface.h - where the shapes of characters come from: FreeType with the system's fonts, or,
 * where there are none, the bitmap font of font.h.
 */
#ifndef PLAYER_TYPEFACE_H
#define PLAYER_TYPEFACE_H

#include <stdbool.h>
#include <stdint.h>

#define TYPEFACE_PLACES 4 /* within a pixel, where a glyph may begin */

enum text_weight { TEXT_REGULAR, TEXT_BOLD, TEXT_WEIGHTS };

struct glyph_key {
    uint32_t c;              /* Unicode */
    uint16_t size_q4;        /* of an em, pixels / 16 */
    uint8_t weight;          /* enum text_weight */
    uint8_t place;           /* 0 .. TYPEFACE_PLACES - 1 */
};

struct glyph {
    uint8_t *bytes;          /* coverage, width * height; NULL of a space */
    int width, height;
    int left, top;           /* of the first byte: right of the pen, above the base line */
    float advance;
};

struct typeface;

/* NULL: there are no fonts. */
struct typeface *typeface_open(void);
void typeface_close(struct typeface **face);
/* False: no font has it, or there is no memory. glyph->bytes is the caller's, for free(). */
bool typeface_glyph(struct typeface *face, struct glyph_key key, struct glyph *out);
/* To be added between two characters. */
float typeface_kerning(struct typeface *face, struct glyph_key left, struct glyph_key right);
/* What the fonts are called; for messages. */
const char *typeface_name(const struct typeface *face);

#endif
