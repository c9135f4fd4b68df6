/*
 * draw.h - what timed text looks like: an ISD (text.h) laid out into images with places.
 *
 *     cad_text_draw_options_init(&options);
 *     options.fonts = fonts;                          font.h; font_freetype.h has a backend
 *     cad_text_root_of(text, video width, video height, &root);
 *     options.width = root.width, options.height = root.height;
 *     cad_text_isd_at(text, now, &isd);               text.h
 *     cad_text_layout(isd, &options, &picture);
 *     cad_text_isd_destroy(&isd);                     the picture needs it no more
 *     ... blend picture->images in their order at root.x, root.y, or cad_text_blend ...
 *     cad_text_picture_destroy(&picture);
 *
 * Once for each ISD is enough: a picture is valid as long as its ISD and the size are. It is
 * read-only, may be used on another thread than the one that made it, and its memory comes from the
 * allocator given, class CAD_MEM_OTHER. The same input gives the same picture, bit for bit, as far
 * as the fonts do. There is no floating point and no system call in it.
 */
#ifndef CADMIUM_DRAW_H
#define CADMIUM_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"
#include "cadmium/font.h"
#include "cadmium/text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the root container lies in a video's rectangle, pixels. */
struct cad_text_root {
    uint32_t x, y;          /* of its corner, left above */
    uint32_t width, height; /* of it */
};

/* The largest of the document's aspect ratio, in the middle; else all of the rectangle. */
void cad_text_root_of(const struct cad_text *text, uint32_t width, uint32_t height,
                      struct cad_text_root *out);

/* Bounds of one picture; a zero field takes the default. */
struct cad_text_draw_limits {
    uint32_t characters; /* with breaks and bidi controls; 20,000 */
    uint32_t images;     /* 16,384 */
    uint64_t bytes;      /* of the picture, and as many again while it is made; 64 MiB */
};

/* What sets letters off from what is behind them. */
enum cad_text_edge {
    CAD_TEXT_EDGE_AUTHORED, /* as the document has it */
    CAD_TEXT_EDGE_NONE,
    CAD_TEXT_EDGE_OUTLINE,  /* around, in edge_color */
    CAD_TEXT_EDGE_SHADOW,   /* soft, below and to the right */
    CAD_TEXT_EDGE_RAISED,   /* hard, below and to the right */
    CAD_TEXT_EDGE_DEPRESSED /* hard, above and to the left */
};

/* Bits of cad_text_user.set. */
#define CAD_TEXT_USER_COLOR 1u      /* color counts */
#define CAD_TEXT_USER_BACKGROUND 2u /* background counts */
#define CAD_TEXT_USER_WINDOW 4u     /* window counts */

/* Wishes of the user, which go above what the document says. All zero: none. */
struct cad_text_user {
    uint32_t set;            /* which of the colours below count */
    uint32_t color;          /* of all text */
    uint32_t background;     /* right behind the text, instead of spans' backgrounds */
    uint32_t window;         /* instead of the backgrounds of regions, body, div and p */
    enum cad_text_edge edge; /* instead of outline and shadows */
    uint32_t edge_color;     /* of it */
    uint32_t size_percent;   /* of the text, 25..400; 0 is 100 */
    const cad_str *families; /* instead of the document's; NULL: none */
    uint32_t family_count;   /* of families */
};

#define CAD_TEXT_SIDE_MAX 16384u /* pixels: the largest width and height of a root container */

/* How to lay out. */
struct cad_text_draw_options {
    size_t size;                        /* bytes of this struct, set by the init function */
    struct cad_alloc alloc;             /* default: the C library's */
    struct cad_fonts fonts;             /* must be given */
    uint32_t width, height;             /* of the root container, pixels, 1..CAD_TEXT_SIDE_MAX */
    bool forced_only;                   /* show only what has itts:forcedDisplay */
    struct cad_text_user user;          /* default: none */
    struct cad_text_draw_limits limits; /* see there */
};

/*
 * One image, inside the root container. What is painted at a pixel is color with its alpha times
 * coverage / 255. Neither colour nor coverage is premultiplied.
 */
struct cad_text_image {
    struct cad_text_image *next;   /* above it; NULL: last */
    int32_t x, y;                  /* pixels from the upper left corner of the root container */
    uint32_t width, height;        /* pixels, > 0 */
    uint32_t color;                /* 0xrrggbbaa; alpha > 0 */
    const uint8_t *coverage;       /* NULL: 255 everywhere, a rectangle */
    size_t stride;                 /* of coverage: bytes from row to row */
    cad_str src;                   /* not empty: no colour but the picture of this name, as the
                                      document wrote it, scaled to the rectangle, with color's
                                      alpha; the application loads it or leaves it out */
};

/* A word, or what stands between two places where a line may break. */
struct cad_text_word {
    struct cad_text_word *next; /* NULL: last; in the order of the document */
    int32_t x, y;               /* pixels, as drawn; y from the top of the letters' box */
    uint32_t width, height;     /* pixels */
    cad_str text;               /* UTF-8, without white space */
    uint32_t line;              /* counts up over the whole picture, from 0 */
};

/* An ISD, laid out. */
struct cad_text_picture {
    uint32_t width, height;        /* of the root container, pixels */
    cad_time begin, end;           /* of the ISD */
    struct cad_text_image *images; /* in the order in which they are painted; NULL: nothing */
    uint32_t image_count;          /* of images */
    struct cad_text_word *words;   /* NULL: none */
    uint32_t word_count;           /* of words */
    bool overflowed;               /* text did not fit into its region: cut off, or it sticks out */
};

/* The defaults; fonts, width and height must be set. */
void cad_text_draw_options_init(struct cad_text_draw_options *options);

/*
 * Lays out isd. CAD_E_INVAL: options are not usable; CAD_E_NOMEM; CAD_E_LIMIT: larger than
 * options->limits; or what the fonts answered. The picture refers to neither isd nor options.
 */
CAD_MUST_CHECK int cad_text_layout(const struct cad_text_isd *isd,
                                   const struct cad_text_draw_options *options,
                                   struct cad_text_picture **out);
/* Accepts NULL, and *picture NULL. */
void cad_text_picture_destroy(struct cad_text_picture **picture);

/* Where to blend: rows of bytes red, green, blue, alpha, premultiplied. */
struct cad_text_canvas {
    uint8_t *pixels;        /* of the upper left corner */
    uint32_t width, height; /* pixels; what lies outside is not drawn */
    size_t stride;          /* bytes from row to row, >= 4 * width */
};

/* All images of picture but those with a src, one over the other, onto what canvas holds. */
void cad_text_blend(const struct cad_text_picture *picture, const struct cad_text_canvas *canvas);

#ifdef __cplusplus
}
#endif
#endif
