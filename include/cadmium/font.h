/*
 * font.h - where text gets its shapes from: a table of calls that a font backend fills.
 *
 * Layout (draw.h) finds faces, shapes runs and fetches the pictures of glyphs through it, and asks
 * it for what Unicode knows of characters. libcadmium has no backend of its own; font_freetype.h
 * (libcadmium-media) is one on FreeType, HarfBuzz and FriBidi.
 *
 * Distances are in 1/64 pixel. A face is a number that the backend chose; it means a file with,
 * where no better one is there, emboldening or slanting of its own making. All calls for one
 * backend are made on one thread at a time. The same calls give the same answers, in any order.
 *
 * A call answers 0 or a negative CAD_E_*, with which layout fails as a whole.
 */
#ifndef CADMIUM_FONT_H
#define CADMIUM_FONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which face is wanted. */
struct cad_font_want {
    const cad_str *families; /* in order of preference; generic names as TTML has them */
    uint32_t family_count;   /* 0: any */
    bool bold, italic;       /* wished for; a face without them is better than none */
    cad_str lang;            /* BCP 47; "" unknown */
    uint32_t codepoint;      /* a character it must have; 0: none in particular */
};

/* Of a face at a size, 1/64 pixel. */
struct cad_font_metrics {
    int32_t ascent, descent;           /* from the base line up and down; both > 0 as a rule */
    int32_t line_gap;                  /* between the lines, >= 0 */
    int32_t underline, strike;         /* middle of the line, above the base line; underline < 0 */
    int32_t thickness;                 /* of both lines, > 0 */
};

/* A paragraph, of which the levels and scripts are asked for. */
struct cad_font_paragraph {
    const uint32_t *text; /* code points, with bidi controls as they stand in the text */
    uint32_t count;       /* of text, > 0 */
    bool rtl;             /* its base direction */
};

/* A piece of a paragraph of one face, size, script and direction. */
struct cad_font_shape {
    uint32_t face;        /* from find */
    int32_t size;         /* of the em, 1/64 pixel, > 0 */
    const uint32_t *text; /* the paragraph, code points; what stands around the piece counts */
    uint32_t length;      /* of text */
    uint32_t from, count; /* the piece, count > 0 */
    bool rtl;             /* right to left */
    bool vertical;        /* glyphs stand upright, one below the other */
    uint32_t script;      /* ISO 15924, four characters, the first in the highest byte */
    cad_str lang;         /* BCP 47; "" unknown */
};

/* A glyph that shaping chose. */
struct cad_font_glyph {
    uint32_t id;      /* within the face */
    uint32_t cluster; /* index in text of the first character it stands for */
    int32_t advance;  /* along the line, 1/64 pixel, >= 0 */
    int32_t x, y;     /* of its origin from the pen: right and up, 1/64 pixel */
};

/* Which picture is wanted. */
struct cad_font_picture {
    uint32_t face, id; /* of the glyph */
    int32_t size;      /* of the em, 1/64 pixel */
    int32_t x;         /* 0..63: where in its pixel the origin lies */
    int32_t stroke;    /* 1/64 pixel: the glyph grown by so much on all sides; 0: as it is */
    int32_t slant;     /* to the right for each 65536 upwards; 0: upright */
};

/* The picture of a glyph; valid until the next call of the backend. */
struct cad_font_bitmap {
    const uint8_t *coverage; /* rows from the top, 0 nothing, 255 all; NULL if it has no ink */
    uint32_t width, height;  /* pixels */
    size_t stride;           /* bytes from row to row */
    int32_t left, top;       /* pixels: of the first byte, right of the origin and above it */
};

/* A backend. New members are added at the end; size says which are there. */
struct cad_font_ops {
    size_t size; /* bytes of this struct */
    /* A face: 0; 1: none has want->codepoint, this is the one to show that with. CAD_E_NOTFOUND:
     * there are no fonts. */
    int (*find)(void *ctx, const struct cad_font_want *want, uint32_t *face);
    /* size as in struct cad_font_shape. */
    int (*metrics)(void *ctx, uint32_t face, int32_t size, struct cad_font_metrics *out);
    /*
     * For each of the p->count characters its bidi level (UAX #9), at most 126, and its script;
     * one without a script has that of what stands around it.
     */
    int (*analyse)(void *ctx, const struct cad_font_paragraph *p, uint8_t *levels,
                   uint32_t *scripts);
    /*
     * The glyphs in the order in which they are painted from the left (or top), at most max of
     * them: their count. With rtl, clusters descend, else they ascend. CAD_E_LIMIT: more than max.
     */
    int (*shape)(void *ctx, const struct cad_font_shape *piece, struct cad_font_glyph *out,
                 uint32_t max);
    /* CAD_E_LIMIT: larger than the backend draws. */
    int (*picture)(void *ctx, const struct cad_font_picture *want, struct cad_font_bitmap *out);
};

/* A backend and its context. It must outlive what is in use of it. */
struct cad_fonts {
    const struct cad_font_ops *ops; /* no member NULL */
    void *ctx;                      /* of the calls */
};

#ifdef __cplusplus
}
#endif
#endif
