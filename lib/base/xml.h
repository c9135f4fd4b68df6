/*
 * xml.h - a pushed XML reader over expat: elements with resolved names, text, limits, line numbers.
 *
 *     struct cad_xml *xml;
 *     rc = cad_xml_create(&alloc, &limits, &handler, &xml);
 *     while (rc == 0 && bytes are left) rc = cad_xml_feed(xml, slice, is_last);
 *     cad_xml_destroy(&xml);
 *
 * Feed slices of any size; what the handler sees does not depend on where they end, but for how
 * text is cut into pieces. Encodings are those of expat (UTF-8, UTF-16 by BOM or declaration,
 * ISO-8859-1, US-ASCII); the handler sees UTF-8. A document type declaration is an error, so there
 * are no entities but the five of XML.
 *
 * Names are resolved here and not by expat, because published documents use prefixes they never
 * declared: xml, cenc, mspr, xlink, scte35, scte214 and dashif then have their usual namespace, any
 * other one none. Views given to the handler live until it returns.
 *
 * Expat takes its memory by malloc, past the allocator: about twice `token_bytes` and twice the
 * slice, and 64 KiB. Everything else comes from the allocator.
 */
#ifndef CAD_BASE_XML_H
#define CAD_BASE_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#define CAD_XML_ATTRIBUTES_MAX 128u /* of one element; limits.attributes is capped to it */
#define CAD_XML_MESSAGE_SIZE 96     /* bytes with the closing NUL */

/* Zero fields take the default. */
struct cad_xml_limits {
    uint32_t depth;       /* open elements; 64 */
    uint32_t attributes;  /* of one element, xmlns included; 128 */
    uint32_t name_bytes;  /* of one element or attribute name; 256 */
    uint32_t value_bytes; /* of one attribute value; 65,536 */
    uint32_t token_bytes; /* of one tag, comment or instruction as written; 262,144 */
    uint32_t elements;    /* of the document; 2,000,000 */
    uint32_t namespaces;  /* declarations in force at one time; 256 */
    uint64_t text_bytes;  /* character data of the document; 16 MiB */
    uint64_t total_bytes; /* of the document; 64 MiB */
};

struct cad_xml_attribute {
    cad_str ns;    /* namespace name; empty: none, as for every attribute without a prefix */
    cad_str name;  /* without prefix */
    cad_str value; /* normalized as XML 1.0 3.3.3 says for CDATA */
};

struct cad_xml_element {
    cad_str ns;   /* namespace name; empty: none */
    cad_str name; /* without prefix */
    const struct cad_xml_attribute *attributes; /* xmlns and xmlns:* are left out */
    uint32_t attribute_count;
    uint32_t depth; /* 1 for the root */
};

/* Each returns 0, or a negative CAD_E_* that ends the parse and comes out of cad_xml_feed. */
struct cad_xml_handler {
    void *ctx;
    int (*open)(void *ctx, const struct cad_xml_element *element);
    int (*close)(void *ctx);
    int (*text)(void *ctx, cad_str piece); /* NULL: nobody reads text */
};

struct cad_xml;

/* limits NULL: defaults. handler is copied. CAD_E_NOMEM, CAD_E_INVAL. */
CAD_MUST_CHECK int cad_xml_create(const struct cad_alloc *alloc,
                                  const struct cad_xml_limits *limits,
                                  const struct cad_xml_handler *handler, struct cad_xml **out);
void cad_xml_destroy(struct cad_xml **xml);

/*
 * The next bytes; last: no more follow. 0: go on, or with last: the document is well-formed and
 * whole. CAD_E_DATA: malformed. CAD_E_LIMIT, CAD_E_NOMEM, or what a handler returned. After an
 * error every further call returns the same.
 */
CAD_MUST_CHECK int cad_xml_feed(struct cad_xml *xml, cad_buf bytes, bool last);

/* The line of the element in hand or of the failure, from 1. In a handler and after a failure. */
uint32_t cad_xml_line(const struct cad_xml *xml);
/* Why it failed, for people; "" before. Not set for errors of handlers. */
const char *cad_xml_message(const struct cad_xml *xml);

#endif
