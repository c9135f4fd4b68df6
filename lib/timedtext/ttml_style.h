/*
 * ttml_style.h - the computed style of an element at a time.
 */
#ifndef CAD_TIMEDTEXT_TTML_STYLE_H
#define CAD_TIMEDTEXT_TTML_STYLE_H

#include "timedtext/ttml.h"

/* Every property's computed value; those of regions and paragraphs only count there. */
struct ttml_style {
    /* Inherited. */
    struct cad_text_look look; /* backgrounds and embeddings: of the spans around */
    bool emphasis_current;     /* its colour is that of the text */
    bool vertical;             /* the region's writing mode */
    enum cad_text_ruby_align ruby_align;
    enum cad_text_position ruby_position;
    struct cad_text_paragraph p; /* runs and lang are not used; bidi is not inherited */
    /* Not inherited. */
    uint32_t background;
    bool displayed;
    enum ttml_ruby ruby;
    cad_str image;
    struct cad_text_region region;
};

/* Where a style is worked out. */
struct ttml_style_context {
    const struct cad_text *text;
    cad_time at;
    struct cad_arena *arena; /* of the ISD */
};

/*
 * parent NULL: node is a region. CAD_E_NOMEM, CAD_E_LIMIT of the arena.
 */
CAD_MUST_CHECK int ttml_style_compute(const struct ttml_style_context *context,
                                      const struct ttml_node *node,
                                      const struct ttml_style *parent, struct ttml_style *out);

#endif
