/*
 * ttml.h - the model of a TTML document inside the room: elements with what was specified on them,
 * and when they are active.
 *
 * ttml_read.c makes it from XML events, ttml_time.c sets the times, ttml_style.c works out computed
 * styles, isd.c walks it. Everything lies in the document's arena.
 */
#ifndef CAD_TIMEDTEXT_TTML_H
#define CAD_TIMEDTEXT_TTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/text.h"

#include "base/arena.h"
#include "base/checked.h"

#define TTML_MICRO INT64_C(1000000)          /* numbers are kept in millionths */
#define TTML_NUMBER_MAX (INT64_C(1000000000) * TTML_MICRO) /* larger ones are no numbers */
#define TTML_ROOT (100 * CAD_TEXT_PERCENT)   /* the whole root container along one axis */
#define TTML_SHADOWS_MAX 4u                  /* of one tts:textShadow (IMSC) */
#define TTML_FAMILIES_MAX 16u                /* of one tts:fontFamily; the rest is not looked at */

/* Style properties; those a computation needs stand before it. */
enum ttml_prop {
    TTML_FONT_SIZE,
    TTML_COLOR,
    TTML_WRITING_MODE,
    TTML_DIRECTION,
    TTML_EXTENT,
    TTML_ORIGIN,
    TTML_POSITION,
    TTML_PADDING,
    TTML_BACKGROUND_COLOR,
    TTML_DISPLAY,
    TTML_DISPLAY_ALIGN,
    TTML_FILL_LINE_GAP,
    TTML_FONT_FAMILY,
    TTML_FONT_STYLE,
    TTML_FONT_WEIGHT,
    TTML_FORCED_DISPLAY,
    TTML_IMAGE,
    TTML_LINE_HEIGHT,
    TTML_LINE_PADDING,
    TTML_MULTI_ROW_ALIGN,
    TTML_OPACITY,
    TTML_OVERFLOW,
    TTML_RUBY,
    TTML_RUBY_ALIGN,
    TTML_RUBY_POSITION,
    TTML_RUBY_RESERVE,
    TTML_SHEAR,
    TTML_SHOW_BACKGROUND,
    TTML_TEXT_ALIGN,
    TTML_TEXT_COMBINE,
    TTML_TEXT_DECORATION,
    TTML_TEXT_EMPHASIS,
    TTML_TEXT_OUTLINE,
    TTML_TEXT_SHADOW,
    TTML_UNICODE_BIDI,
    TTML_VISIBILITY,
    TTML_WRAP_OPTION,
    TTML_Z_INDEX,
    TTML_PROPS
};

enum ttml_unit { TTML_PX, TTML_EM, TTML_C, TTML_PERCENT, TTML_RW, TTML_RH };

/* A length as written. */
struct ttml_length {
    int64_t value; /* millionths */
    enum ttml_unit unit;
};

enum ttml_edge { TTML_EDGE_LEFT, TTML_EDGE_TOP, TTML_EDGE_RIGHT, TTML_EDGE_BOTTOM };

/* tts:ruby */
enum ttml_ruby {
    TTML_RUBY_NONE,
    TTML_RUBY_CONTAINER,
    TTML_RUBY_BASE,
    TTML_RUBY_BASE_CONTAINER,
    TTML_RUBY_TEXT,
    TTML_RUBY_TEXT_CONTAINER,
    TTML_RUBY_DELIMITER
};

/* The on and off of tts:textDecoration; bits as in CAD_TEXT_UNDERLINE. */
struct ttml_decoration {
    uint32_t on, off; /* off: all bits for "none" */
};

/* A specified value; which member counts follows from the property. */
struct ttml_value {
    enum ttml_prop prop;
    bool automatic; /* auto, normal, none, or a colour that is that of the text */
    int64_t number; /* enumerations, colours, bits, millionths */
    struct ttml_length lengths[4];
    uint32_t length_count;
    union {
        struct cad_text_families families;
        cad_str text;
        struct ttml_decoration decoration;
        enum ttml_edge edges[2]; /* of lengths[0] and lengths[1]; horizontal, vertical */
        struct cad_text_emphasis emphasis;
        struct {
            const struct ttml_shadow *items;
            uint32_t count;
        } shadows;
    } u;
};

struct ttml_shadow {
    struct ttml_length x, y, blur;
    bool text_color;
    uint32_t color;
};

/* What one element says of itself: inline values, and the styles it refers to. */
struct ttml_specified {
    const struct ttml_value *const *values; /* inline; later ones win */
    uint32_t value_count;
    struct ttml_styleset *const *refs; /* in order; later ones win */
    uint32_t ref_count;
    const struct ttml_value **nested; /* TTML_PROPS of them: style elements in a region; or NULL */
};

/* A style element: after its chain was followed, all it brings. */
struct ttml_styleset {
    struct ttml_styleset *next;
    cad_str id;
    const struct ttml_value *values[TTML_PROPS]; /* NULL: nothing */
    const cad_str *names; /* of the styles it refers to */
    uint32_t name_count;  /* those not yet followed */
    struct ttml_styleset *up; /* while chains are followed */
};

enum ttml_kind {
    TTML_REGION,
    TTML_BODY,
    TTML_DIV,
    TTML_P,
    TTML_SPAN,
    TTML_BR,
    TTML_ANONYMOUS, /* text; a span of its own (TTML2 11.3.1) */
    TTML_IMAGE_ELEMENT,
    TTML_SET
};

#define TTML_INHERIT (-1) /* no region attribute, and none above: the default region */
#define TTML_NOWHERE (-2) /* a region attribute that names no region */

typedef cad_i128 ttml_exact; /* a time in units of struct ttml_clock; TTML_FOREVER has no end */

#define TTML_FOREVER (((ttml_exact)1) << 120)

/* Timing attributes and what follows from them. */
struct ttml_timing {
    ttml_exact begin, dur, end; /* as given; -1: not */
    ttml_exact start, stop;     /* resolved, not clipped by the parent */
    ttml_exact implicit;        /* the end so far that the children ask for */
    ttml_exact offset;          /* what begin and end count from */
    bool seq;                   /* timeContainer */
};

struct ttml_node;

/* A child in the order of the document, with what lets a search skip. */
struct ttml_child {
    struct ttml_node *node;
    cad_time last_end;    /* the latest end of this and all before */
    cad_time first_begin; /* the earliest begin of this and all behind */
};

struct ttml_node {
    struct ttml_node *next; /* sibling */
    enum ttml_kind kind;
    bool preserve;          /* xml:space */
    bool alone;             /* ANONYMOUS: all there is in a span, which it then is */
    int32_t region;         /* TTML_NOWHERE, TTML_INHERIT or an index of regions */
    cad_time begin, end;    /* CAD_TIME_MAX: indefinite */
    cad_str lang;
    cad_str text;           /* ANONYMOUS: as written; IMAGE_ELEMENT: source */
    struct ttml_specified specified;
    struct ttml_node *sets; /* SET elements */
    const struct ttml_child *children;
    uint32_t child_count;
};

/* How time expressions count. */
struct ttml_clock {
    int64_t second;    /* units of a second */
    int64_t frame;     /* of a frame */
    int64_t sub_frame; /* of a sub-frame */
    int64_t tick;      /* of a tick */
};

struct cad_text {
    struct cad_alloc alloc;
    struct cad_text_limits limits;
    struct cad_arena arena;
    cad_str lang;
    uint32_t aspect_w, aspect_h;
    uint32_t cell_columns, cell_rows;
    int64_t px_w, px_h; /* extent of the root in millionths of pixels; 0 unknown */
    const struct ttml_value *initials[TTML_PROPS];
    struct ttml_node *regions; /* in order; one with an empty id if there are none */
    struct ttml_node *body;    /* NULL: none */
    cad_time *boundaries;      /* ascending, unique; capacity boundary_max */
    size_t boundary_count;
    size_t boundary_max;
};

/* The value without surrounding white space, and its next word; false: none is left. */
bool ttml_word(cad_str *rest, cad_str *word);

/* What an attribute is, CAD_E_NOTFOUND for none of ours. */
CAD_MUST_CHECK int ttml_prop_find(cad_str ns, cad_str name, enum ttml_prop *out);
bool ttml_prop_inherited(enum ttml_prop prop);

/* *out NULL and 0: not a value of this property. CAD_E_NOMEM, CAD_E_LIMIT of the arena. */
CAD_MUST_CHECK int ttml_value_parse(struct cad_arena *arena, enum ttml_prop prop, cad_str text,
                                    const struct ttml_value **out);
/* Numbers with a fraction, in millionths, cut behind the sixth digit. */
bool ttml_number_parse(cad_str text, int64_t *out);
bool ttml_length_parse(cad_str text, struct ttml_length *out);
bool ttml_color_parse(cad_str text, uint32_t *out);
/* "4 3": two whole numbers above 0. */
bool ttml_pair_parse(cad_str text, uint32_t *first, uint32_t *second);

/* The parameters that clocks are made of; 0 stands for what was not given. */
struct ttml_rates {
    uint32_t frame_rate, sub_frame_rate, tick_rate;
    uint32_t multiplier, divisor; /* ttp:frameRateMultiplier */
};

void ttml_clock_init(struct ttml_clock *clock, const struct ttml_rates *rates);
bool ttml_time_parse(const struct ttml_clock *clock, cad_str text, ttml_exact *out);
/* At the start tag: when it begins; before is the sibling's end in a seq, else unused. */
void ttml_time_open(struct ttml_timing *t, const struct ttml_timing *parent);
/* At the end tag. leaf: nothing can stand in it, so that its end is implicit in the parent. */
void ttml_time_close(struct ttml_timing *t, struct ttml_timing *parent, bool leaf);
cad_time ttml_time_ns(const struct ttml_clock *clock, ttml_exact t);

#endif
