/*
 * ttml_read.h - from XML events to the model.
 */
#ifndef CAD_TIMEDTEXT_TTML_READ_H
#define CAD_TIMEDTEXT_TTML_READ_H

#include "base/strbuf.h"
#include "base/xml.h"
#include "timedtext/ttml.h"

#define TTML_DEPTH_MAX 128u      /* limits.depth is capped to it */
#define TTML_REFERENCES_MAX 256u /* limits.references likewise */

/* What an open element is to us. */
enum ttml_place {
    TTML_AT_SKIP, /* foreign, metadata, or out of place: nothing below it counts */
    TTML_AT_TT,
    TTML_AT_HEAD,
    TTML_AT_STYLING,
    TTML_AT_STYLE,
    TTML_AT_INITIAL,
    TTML_AT_LAYOUT,
    TTML_AT_REGION,
    TTML_AT_CONTENT, /* body, div, p, span, br, image, set */
    TTML_AT_SOURCE   /* of an image */
};

struct ttml_open {
    enum ttml_place place;
    struct ttml_node *node; /* REGION, CONTENT */
    struct ttml_timing timing;
    struct ttml_node *first, *last; /* children */
    struct ttml_node *last_set;
    uint32_t child_count;
    cad_str lang;
    bool preserve;
    uint32_t depth; /* of XML */
};

/* A document being read. */
struct ttml_reader {
    struct cad_text *text; /* the model */
    const char *problem;   /* why a handler failed; NULL: memory or a limit of base */
    struct ttml_clock clock;
    struct ttml_styleset *styles, *last_style; /* in order */
    struct ttml_styleset **table; /* by hash of the id, when the styling is whole; power of two */
    uint32_t table_size;
    uint32_t style_count;
    uint32_t region_count;
    struct ttml_node *last_region;
    bool chained;   /* the references among styles were followed */
    bool seen_tt;
    bool seen_layout;
    struct cad_sb chars; /* text not yet a node */
    uint32_t depth;      /* of XML */
    uint32_t skip;       /* depth of the element below which all is skipped; 0 none */
    uint32_t open_count;
    struct ttml_open open[TTML_DEPTH_MAX];
};

CAD_MUST_CHECK int ttml_read_open(void *ctx, const struct cad_xml_element *element);
CAD_MUST_CHECK int ttml_read_close(void *ctx);
CAD_MUST_CHECK int ttml_read_text(void *ctx, cad_str piece);

/* ---- of ttml_refs.c -------------------------------------------------------------------------- */

/* A style element with its own attributes and the names it refers to. */
CAD_MUST_CHECK int ttml_styleset_read(struct ttml_reader *r, const struct cad_xml_element *element,
                                      struct ttml_styleset **out);
/* Follow the references among all styles of the head; once, when the first reference is met. */
CAD_MUST_CHECK int ttml_styles_chain(struct ttml_reader *r);
/* Inline values and references of an element. */
CAD_MUST_CHECK int ttml_specified_read(struct ttml_reader *r,
                                       const struct cad_xml_element *element,
                                       struct ttml_specified *out);
/* The initial element's values over those before. */
CAD_MUST_CHECK int ttml_initial_read(struct ttml_reader *r, const struct cad_xml_element *element);
/* A style element inside a region: its values lie between references and inline ones. */
CAD_MUST_CHECK int ttml_nested_style(struct ttml_reader *r, const struct cad_xml_element *element,
                                     struct ttml_specified *out);

/* ---- of ttml_params.c ------------------------------------------------------------------------ */

/* The attributes of tt. CAD_E_DATA with r->problem: a document we may not process. */
CAD_MUST_CHECK int ttml_params_read(struct ttml_reader *r, const struct cad_xml_element *element);
/* The value of an attribute; p NULL: it is not there. ns empty: without prefix. */
cad_str ttml_attribute(const struct cad_xml_element *element, cad_str ns, const char *name);

#define TTML_NS CAD_STR("http://www.w3.org/ns/ttml")
#define TTML_NS_PARAMETER CAD_STR("http://www.w3.org/ns/ttml#parameter")
#define TTML_NS_STYLING CAD_STR("http://www.w3.org/ns/ttml#styling")
#define TTML_NS_ITTP CAD_STR("http://www.w3.org/ns/ttml/profile/imsc1#parameter")
#define TTML_NS_XML CAD_STR("http://www.w3.org/XML/1998/namespace")
#define TTML_NS_NONE CAD_STR("")

#endif
