/*
 * text.h - timed text: TTML (IMSC text and image profile) as documents one can ask "what is shown
 * now".
 *
 *     cad_text_options_init(&options);
 *     cad_text_parser_create(&options, &parser);
 *     while (bytes are left) rc = cad_text_parser_feed(parser, slice, is_last);
 *     do rc = cad_text_parser_finish(parser, 4096, &text); while (rc == CAD_E_AGAIN);
 *     cad_text_parser_destroy(&parser);
 *
 *     cad_text_isd_at(text, now, &isd);       what is shown, from isd->begin until isd->end
 *     ... walk isd->regions ...
 *     cad_text_isd_destroy(&isd);
 *     cad_text_destroy(&text);
 *
 * A document is read-only once it is made. Nothing is expanded: an intermediate synchronic document
 * (ISD, TTML2 11.3.1) is worked out when it is asked for, from what is active then. All values in
 * it are computed: percentages, cells, pixels and font sizes have become parts of the root
 * container. Lists follow the order of the document. Calls for one document that allocate (isd_at,
 * dump, destroy) are made from one thread at a time, or the allocator must be safe to share.
 */
#ifndef CADMIUM_TEXT_H
#define CADMIUM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parsing ------------------------------------------------------------------------------ */

/* Bounds of a document; a zero field takes the default. */
struct cad_text_limits {
    uint64_t document_bytes; /* of the document as it is fed; 16 MiB */
    uint64_t memory_bytes;   /* of the model in memory; 64 MiB */
    uint32_t depth;          /* open elements; 64, at most 128 */
    uint32_t elements;       /* of the document; 500,000 */
    uint32_t regions;        /* 1,024 */
    uint32_t styles;         /* style elements with an id; 4,096 */
    uint32_t references;     /* names in one style attribute; 64, at most 256 */
    uint64_t isd_bytes;      /* of one ISD in memory; 16 MiB */
};

/* How to parse. */
struct cad_text_options {
    size_t size;                   /* bytes of this struct, set by cad_text_options_init */
    struct cad_alloc alloc;        /* of parser, document and ISDs; default: the C library's */
    struct cad_text_limits limits; /* see there */
};

#define CAD_TEXT_MESSAGE_SIZE 96 /* bytes of a message with its closing NUL */

/* Why a document was refused. */
struct cad_text_error {
    uint32_t line; /* where, from 1; 0 unknown */
    char message[CAD_TEXT_MESSAGE_SIZE]; /* for people; "" none */
};

struct cad_text;        /* a document */
struct cad_text_parser; /* makes one */

/* The defaults. */
void cad_text_options_init(struct cad_text_options *options);

/* CAD_E_INVAL, CAD_E_NOMEM. options is copied. */
CAD_MUST_CHECK int cad_text_parser_create(const struct cad_text_options *options,
                                          struct cad_text_parser **out);
/* Accepts NULL, and *parser NULL. A document that was taken lives on. */
void cad_text_parser_destroy(struct cad_text_parser **parser);

/*
 * The next bytes, in slices of any size; last: no more follow. The work is in proportion to the
 * slice. CAD_E_DATA: not well-formed, no TTML, or a time base other than media. CAD_E_LIMIT,
 * CAD_E_NOMEM. After an error every further call returns the same. A value that cannot be
 * understood is no error: it counts as not given.
 */
CAD_MUST_CHECK int cad_text_parser_feed(struct cad_text_parser *parser, cad_buf bytes, bool last);

/*
 * After the last slice: makes the document ready, `work` boundaries a call (> 0). CAD_E_AGAIN: call
 * again. 0: *out is the caller's. CAD_E_INVAL: not all was fed, or it was taken already. Else what
 * feed returned.
 */
CAD_MUST_CHECK int cad_text_parser_finish(struct cad_text_parser *parser, uint32_t work,
                                          struct cad_text **out);

/* Why feed failed; all zero before. */
void cad_text_parser_error(const struct cad_text_parser *parser, struct cad_text_error *out);

/* Accepts NULL, and *text NULL. Its ISDs must be gone before. */
void cad_text_destroy(struct cad_text **text);

/* ---- the document ------------------------------------------------------------------------- */

/* xml:lang of the document; "" none. Valid as long as the document. */
cad_str cad_text_lang(const struct cad_text *text);
/* ittp:aspectRatio or ttp:displayAspectRatio; false, and both 0: none. */
bool cad_text_aspect_ratio(const struct cad_text *text, uint32_t *width, uint32_t *height);
/* How many times there are at which something may change. */
size_t cad_text_boundary_count(const struct cad_text *text);
/* The i-th of them, ascending, no two the same; CAD_TIME_NONE past the end. */
cad_time cad_text_boundary(const struct cad_text *text, size_t i);
/* The first boundary after t, by binary search; CAD_TIME_NONE: nothing changes any more. */
cad_time cad_text_next_change(const struct cad_text *text, cad_time t);

/* ---- ISDs --------------------------------------------------------------------------------- */

#define CAD_TEXT_PERCENT INT64_C(1000000) /* 1 % of the root container in a length */

/* A length, with a part along either axis of the root container; their sum is meant. */
struct cad_text_length {
    int64_t w; /* of the width, in 1 / CAD_TEXT_PERCENT percent */
    int64_t h; /* of the height, likewise */
};

/* tts:displayAlign. */
enum cad_text_display_align { CAD_TEXT_BEFORE, CAD_TEXT_CENTER, CAD_TEXT_AFTER };
/* tts:writingMode; lr, rl and tb are mapped. */
enum cad_text_writing_mode { CAD_TEXT_LRTB, CAD_TEXT_RLTB, CAD_TEXT_TBRL, CAD_TEXT_TBLR };
/* Also multiRowAlign, where auto is of its own; justify is of textAlign only. */
enum cad_text_align {
    CAD_TEXT_ALIGN_START,
    CAD_TEXT_ALIGN_CENTER,
    CAD_TEXT_ALIGN_END,
    CAD_TEXT_ALIGN_JUSTIFY,
    CAD_TEXT_ALIGN_AUTO
};
/* tts:unicodeBidi. */
enum cad_text_bidi { CAD_TEXT_BIDI_NORMAL, CAD_TEXT_BIDI_EMBED, CAD_TEXT_BIDI_OVERRIDE,
                     CAD_TEXT_BIDI_ISOLATE };
/* tts:fontStyle. */
enum cad_text_font_style { CAD_TEXT_UPRIGHT, CAD_TEXT_ITALIC, CAD_TEXT_OBLIQUE };
/* Where ruby, emphasis and the room kept for ruby stand; NONE: no room is kept. */
enum cad_text_position {
    CAD_TEXT_POSITION_NONE,
    CAD_TEXT_POSITION_BEFORE,
    CAD_TEXT_POSITION_AFTER,
    CAD_TEXT_POSITION_OUTSIDE,
    CAD_TEXT_POSITION_BOTH
};
/* tts:rubyAlign. */
enum cad_text_ruby_align { CAD_TEXT_RUBY_CENTER, CAD_TEXT_RUBY_SPACE_AROUND, CAD_TEXT_RUBY_START,
                           CAD_TEXT_RUBY_SPACE_BETWEEN, CAD_TEXT_RUBY_WITH_BASE };
/* What an item of ruby is. */
enum cad_text_ruby_role { CAD_TEXT_RUBY_BASE, CAD_TEXT_RUBY_TEXT, CAD_TEXT_RUBY_DELIMITER };
/* The shape of an emphasis mark. */
enum cad_text_symbol { CAD_TEXT_CIRCLE, CAD_TEXT_DOT, CAD_TEXT_SESAME };

/* Bits of decoration. */
#define CAD_TEXT_UNDERLINE 1u /* a line below */
#define CAD_TEXT_LINE_THROUGH 2u /* a line through the middle */
#define CAD_TEXT_OVERLINE 4u /* a line above */

/* Font families in order of preference, quotes removed; generic names as TTML has them. */
struct cad_text_families {
    const cad_str *names; /* `count` of them */
    uint32_t count;       /* > 0 */
};

/* tts:textOutline. */
struct cad_text_outline {
    bool on;                          /* false: none, the rest is 0 */
    uint32_t color;                   /* 0xrrggbbaa, as every colour here */
    struct cad_text_length thickness; /* of the line */
};

/* One shadow of tts:textShadow. */
struct cad_text_shadow {
    struct cad_text_length x, y, blur; /* offset to the right and down, radius */
    uint32_t color;                    /* 0xrrggbbaa */
};

/* tts:textEmphasis. */
struct cad_text_emphasis {
    bool on;                         /* false: none, the rest is 0 */
    bool open;                       /* else filled */
    enum cad_text_symbol symbol;     /* its shape */
    enum cad_text_position position; /* BEFORE, AFTER or OUTSIDE */
    uint32_t color;                  /* 0xrrggbbaa */
};

/* An embedding by an ancestor span. */
struct cad_text_embedding {
    enum cad_text_bidi bidi; /* not NORMAL */
    bool rtl;                /* its direction */
};

/* What text looks like. */
struct cad_text_look {
    uint32_t color;                             /* 0xrrggbbaa */
    struct cad_text_families families;          /* tts:fontFamily */
    struct cad_text_length font_size;           /* of the em */
    enum cad_text_font_style font_style;        /* tts:fontStyle */
    bool bold, rtl, wrap, combine;              /* fontWeight, direction, wrapOption, textCombine */
    bool visible, forced;                       /* tts:visibility, itts:forcedDisplay */
    uint32_t decoration;                        /* CAD_TEXT_UNDERLINE and so on */
    struct cad_text_outline outline;            /* tts:textOutline */
    const struct cad_text_shadow *shadows;      /* first one on top */
    uint32_t shadow_count;                      /* 0: none */
    struct cad_text_emphasis emphasis;          /* tts:textEmphasis */
    const uint32_t *backgrounds;                /* visible ones of the spans around, outer first */
    uint32_t background_count;                  /* 0: none */
    const struct cad_text_embedding *embeddings; /* of the spans around, outer first */
    uint32_t embedding_count;                   /* 0: none */
};

/* What a run is. */
enum cad_text_run_kind { CAD_TEXT_RUN_TEXT, CAD_TEXT_RUN_BREAK, CAD_TEXT_RUN_RUBY };

struct cad_text_ruby_item;

/* A piece of a line: text of one look, a forced line break, or ruby. */
struct cad_text_run {
    struct cad_text_run *next;             /* NULL: last */
    enum cad_text_run_kind kind;           /* which of what follows is set */
    bool preserve;                         /* TEXT: xml:space */
    cad_str text, lang;                    /* TEXT: UTF-8 after white space handling; xml:lang */
    struct cad_text_look look;             /* TEXT */
    enum cad_text_ruby_align ruby_align;   /* RUBY */
    struct cad_text_ruby_item *ruby_items; /* RUBY: not empty */
};

/* A base or an annotation of ruby. */
struct cad_text_ruby_item {
    struct cad_text_ruby_item *next; /* NULL: last */
    enum cad_text_ruby_role role;    /* what it is */
    enum cad_text_position position; /* of text and delimiters */
    struct cad_text_run *runs;       /* TEXT and BREAK only */
};

/* What a block is. */
enum cad_text_block_kind { CAD_TEXT_BLOCK_P, CAD_TEXT_BLOCK_DIV, CAD_TEXT_BLOCK_IMAGE };

/* What only a paragraph has. */
struct cad_text_paragraph {
    cad_str lang;                      /* xml:lang */
    enum cad_text_align align;         /* left and right are start and end (XSL 7.16.9) */
    bool rtl;                          /* tts:direction */
    enum cad_text_bidi bidi;           /* tts:unicodeBidi */
    struct cad_text_families families; /* tts:fontFamily */
    struct cad_text_length font_size;  /* tts:fontSize */
    bool line_height_normal;           /* line_height is 0 */
    struct cad_text_length line_height, line_padding; /* tts:lineHeight, ebutts:linePadding */
    enum cad_text_align multi_row;     /* ebutts:multiRowAlign */
    bool fill_line_gap;                /* itts:fillLineGap */
    enum cad_text_position reserve;    /* tts:rubyReserve; NONE: no room is kept */
    struct cad_text_length reserve_length; /* how much room */
    int64_t shear;                     /* tts:shear, in 1 / CAD_TEXT_PERCENT percent */
    struct cad_text_run *runs;         /* not empty */
};

/* A paragraph, a div or body with a background, or an image. */
struct cad_text_block {
    struct cad_text_block *next;     /* NULL: last */
    enum cad_text_block_kind kind;   /* which of what follows is set */
    uint32_t background;             /* P, DIV: 0xrrggbbaa */
    bool visible, forced;            /* tts:visibility, itts:forcedDisplay */
    struct cad_text_block *blocks;   /* DIV: not empty */
    cad_str src;                     /* IMAGE: as written */
    bool element;                    /* IMAGE: an image element; forced is what it inherits, though
                                        itts:forcedDisplay is not said to apply to it */
    struct cad_text_paragraph p;     /* P */
};

/* A region and what is shown in it. */
struct cad_text_region {
    struct cad_text_region *next;              /* NULL: last */
    cad_str id;                                /* "": the default region */
    struct cad_text_length x, y, width, height; /* origin (tts:position resolved) and extent */
    struct cad_text_length padding[4];         /* top, right, bottom, left */
    enum cad_text_display_align display_align; /* tts:displayAlign */
    enum cad_text_writing_mode writing_mode;   /* tts:writingMode */
    bool overflow_visible;                     /* tts:overflow */
    bool show_always;                          /* tts:showBackground */
    bool visible, forced;                      /* tts:visibility, itts:forcedDisplay */
    bool z_auto;                               /* tts:zIndex is auto: z_index is 0 */
    int32_t z_index;                           /* tts:zIndex */
    uint32_t background;                       /* 0xrrggbbaa */
    int64_t opacity;                           /* 0..1000000 */
    struct cad_text_block *blocks;             /* NULL: only the background is shown */
};

/* What is shown in an interval. */
struct cad_text_isd {
    cad_time begin;                  /* CAD_TIME_NONE: before the first boundary */
    cad_time end;                    /* exclusive; CAD_TIME_MAX: it stays */
    struct cad_text_region *regions; /* NULL: nothing is shown */
};

/*
 * What is shown at media time t. CAD_E_NOMEM; CAD_E_LIMIT: more than limits.isd_bytes. Its strings
 * may be views into the document.
 */
CAD_MUST_CHECK int cad_text_isd_at(const struct cad_text *text, cad_time t,
                                   struct cad_text_isd **out);
/* Accepts NULL, and *isd NULL. */
void cad_text_isd_destroy(struct cad_text_isd **isd);

/*
 * All ISDs as one JSON object ("cadmium-isd/1"), neighbours that show the same joined; for tools.
 * out is freed with the document's allocator as CAD_MEM_OTHER. CAD_E_NOMEM; CAD_E_LIMIT: more than
 * 256 MiB before joining, or 10,000,000 elements looked at.
 */
CAD_MUST_CHECK int cad_text_dump(const struct cad_text *text, cad_buf *out);

#ifdef __cplusplus
}
#endif
#endif
