/*
 * layout.h - inside layout: paragraphs to lines, lines to images.
 *
 * layout.c walks the regions, layout_text.c makes characters with glyphs out of runs,
 * layout_break.c says where lines may break, layout_line.c breaks and aligns them,
 * layout_paint.c paints a line, layout_image.c makes images out of glyphs and rectangles.
 *
 * A line has an inline axis (i, along the line) and an over-under axis (d, down from its over edge;
 * the over edge is the one that letters' tops point to: the right one of a vertical line). Only
 * layout.c and layout_image.c know how these lie on the screen. Scratch memory is an arena that
 * dies with the call.
 */
#ifndef CAD_TIMEDTEXT_LAYOUT_H
#define CAD_TIMEDTEXT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/draw.h"

#include "base/arena.h"

typedef int64_t q6; /* 1/64 pixel */

#define LAYOUT_SIZE_MAX (INT64_C(2048) * 64)      /* of an em */
#define LAYOUT_DISTANCE_MAX (INT64_C(1) << 26)    /* any length of a document, a million pixels */
#define LAYOUT_DEPTH_MAX 128u                     /* of div in div */
#define LAYOUT_BLUR_MAX (INT64_C(64) * 64)        /* radius of a shadow */
#define LAYOUT_STROKE_MAX (INT64_C(256) * 64)     /* of an outline */
#define LAYOUT_LINE_SEPARATOR 0x2028u             /* how a forced break stands in text */

/* Pixels; x1 and y1 exclusive. */
struct layout_rect {
    int64_t x0, y0, x1, y1;
};

/* One call of cad_text_layout. */
struct layout {
    const struct cad_text_draw_options *options;
    struct cad_arena scratch;
    struct cad_arena *arena; /* of the picture */
    struct cad_text_picture *picture;
    struct cad_text_image **image_end;
    struct cad_text_word **word_end;
    uint32_t characters_left, images_left;
    uint32_t line_number;
    /* of the region in hand */
    struct layout_rect clip; /* nothing is painted outside */
    int64_t opacity;         /* 0..1000000 */
    bool vertical;
    bool under_first;        /* tblr: lines come with their under edge first */
    q6 inline_size;          /* of the content */
};

/* ---- text ------------------------------------------------------------------------------------ */

/* What the characters of one run share. */
struct layout_span {
    const struct cad_text_look *look;
    cad_str lang;
    q6 size;      /* of the em */
    bool visible;
};

enum { LAYOUT_BREAK_BEFORE = 1, LAYOUT_FORCED = 2, LAYOUT_TIED = 4 };

/* A character of a paragraph. */
struct layout_char {
    uint32_t code;
    uint32_t script;
    uint32_t face;
    uint32_t glyph, glyphs; /* of its cluster, in its item; none: it belongs to the one before */
    uint32_t item;
    q6 advance;             /* of its cluster, with what was added for ruby and justification */
    q6 lead;                /* of that, before its glyphs */
    q6 position;            /* on its line, of its left (upper) end */
    const struct layout_span *span; /* NULL: of the paragraph's own bidi controls */
    uint8_t level;          /* bidi */
    uint8_t flags;          /* a line may, or must, begin with it; it stays with the one before */
};

/* Characters that were shaped together. */
struct layout_item {
    uint32_t from, to;
    const struct layout_span *span;
    const struct cad_font_glyph *glyphs; /* from the left */
    uint32_t face;
    q6 size;             /* of the em; smaller than the span's where characters are combined */
    q6 ascent, descent;  /* from the line's base line, on a vertical line its middle */
    q6 gap;              /* between lines */
    q6 drop;             /* of the glyphs' own base line below the line's */
    q6 underline, strike, thickness; /* middle of the lines below the base line */
    bool upright;        /* vertical: glyphs stand */
    bool combined;       /* vertical: characters side by side */
    uint8_t level;
};

/* Shaped characters. */
struct layout_text {
    struct layout_char *chars;
    uint32_t count;
    struct layout_item *items;
    uint32_t item_count;
    struct layout_note *notes;
};

/* Text that stands over or under other text: ruby, marks of emphasis. */
struct layout_note {
    struct layout_note *next;
    uint32_t from, to;               /* what it stands at */
    enum cad_text_position position; /* not NONE */
    enum cad_text_ruby_align align;
    bool widens;                     /* what it stands at is made as wide as it is */
    struct layout_text *text;        /* one line */
    q6 width, ascent, descent;       /* of text */
};

/* ---- lines ----------------------------------------------------------------------------------- */

/* A part of an item on a line, in visual order. */
struct layout_piece {
    const struct layout_item *item;
    uint32_t from, to;
    q6 position, width;
};

struct layout_line {
    struct layout_line *next;
    struct layout_text *text;
    struct layout_piece *pieces; /* from the left */
    uint32_t piece_count;
    uint32_t from, to;           /* without white space at the end */
    const struct layout_note *notes; /* that stand at it, note_count in a row */
    uint32_t note_count;
    bool forced;                 /* ends at a forced break or with the paragraph */
    bool first;                  /* of its paragraph */
    bool fill_gap;               /* backgrounds reach from edge to edge */
    q6 position, width;          /* inline, padding included */
    q6 padding;                  /* of the background at either end */
    q6 top, height;              /* block axis, from the top of the region's content */
    q6 base;                     /* over edge to base line */
    q6 over, under;              /* what letters take, without notes: ascent and descent */
    q6 slant;                    /* of the paragraph, as in struct cad_font_picture */
    q6 x, y;                     /* on the screen: the over edge at i = 0; set before painting */
};

/* ---- layout.c -------------------------------------------------------------------------------- */

/* In 1/64 pixel, of width and height of the root container. */
q6 layout_length(const struct layout *l, struct cad_text_length length);
/* Of an em, with the user's wish. */
q6 layout_size(const struct layout *l, struct cad_text_length length);
/* The failure of the scratch arena. */
int layout_no_memory(const struct layout *l);

/* ---- layout_text.c --------------------------------------------------------------------------- */

/* Shaped text and notes of all runs. */
int layout_text_make(struct layout *l, const struct cad_text_run *runs, bool rtl, bool override,
                     struct layout_text *out);
/* ascent, descent, gap as on a line; of the first face of families. */
int layout_strut(struct layout *l, const struct cad_text_paragraph *p, struct layout_item *out);
/* Gives the characters from..to their places, from the left at i; returns the end. */
q6 layout_place(struct layout_text *text, struct layout_piece *pieces, uint32_t count, q6 i);
/* The pieces of from..to in visual order; CAD_E_*. */
int layout_pieces(struct layout *l, const struct layout_text *text, struct layout_line *line);

/* ---- layout_break.c -------------------------------------------------------------------------- */

/* Sets LAYOUT_BREAK_BEFORE and LAYOUT_FORCED. */
void layout_breaks(struct layout_text *text);
bool layout_is_space(uint32_t code);
/* It has no place of its own: marks, joiners, bidi controls. */
bool layout_is_attached(uint32_t code);
/* A script without spaces between words. */
bool layout_is_unspaced(uint32_t code);
/* On a vertical line it stands. */
bool layout_is_upright(uint32_t code);

/* ---- layout_line.c --------------------------------------------------------------------------- */

/* Does what has this position stand over the line? */
bool layout_is_over(const struct layout *l, const struct layout_line *line,
                    enum cad_text_position position);
/* The lines of a paragraph behind *end, from *top on, which moves on. */
int layout_lines(struct layout *l, const struct cad_text_paragraph *p, q6 *top,
                 struct layout_line ***end);

/* ---- layout_paint.c -------------------------------------------------------------------------- */

/* line->x and y are set. */
int layout_paint(struct layout *l, struct layout_line *line);

/* ---- layout_image.c -------------------------------------------------------------------------- */

/* A rectangle in pixels, clipped; nothing if it has no colour. */
int layout_fill(struct layout *l, const struct layout_rect *rect, uint32_t color);
/* The picture called src, in rect. */
int layout_external(struct layout *l, const struct layout_rect *rect, cad_str src);

/* One layer of a piece. */
struct layout_ink {
    const struct layout_line *line;
    const struct layout_text *text;
    const struct layout_piece *piece;
    q6 base;      /* d of the base line */
    q6 x, y;      /* moved to the right and down */
    q6 stroke, blur;
    uint32_t color;
};

int layout_glyphs(struct layout *l, const struct layout_ink *ink);
/* Of a line: from i0 to i1 and d0 to d1, in pixels. */
struct layout_rect layout_rect_of(const struct layout *l, const struct layout_line *line,
                                  const q6 i[2], const q6 d[2]);

#endif
