/*
 * ttml.c - the public parser: limits, life, feeding and finishing; and what a document answers
 * without working out an ISD.
 */
#include <string.h>

#include "cadmium/text.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "base/xml.h"
#include "timedtext/ttml_model.h"
#include "timedtext/ttml_read.h"

#define CHUNK_BYTES 16384u

enum state { STATE_FEEDING, STATE_SORTING, STATE_TAKEN, STATE_FAILED };

struct cad_text_parser {
    struct cad_alloc alloc;
    struct cad_xml *xml;
    struct ttml_reader reader; /* reader.text: until it is taken */
    struct ttml_sort sort;
    enum state state;
    int result; /* of STATE_FAILED */
    struct cad_text_error error;
};

/* ---- options --------------------------------------------------------------------------------- */

static struct cad_text_limits default_limits(void)
{
    return (struct cad_text_limits){
        .document_bytes = UINT64_C(16) << 20,
        .memory_bytes = UINT64_C(64) << 20,
        .depth = 64,
        .elements = 500000,
        .regions = 1024,
        .styles = 4096,
        .references = 64,
        .isd_bytes = UINT64_C(16) << 20,
    };
}

void cad_text_options_init(struct cad_text_options *options)
{
    memset(options, 0, sizeof(*options));
    options->size = sizeof(*options);
    options->alloc = cad_alloc_system();
    options->limits = default_limits();
}

static void or_default(uint32_t *value, uint32_t fallback)
{
    if (*value == 0) *value = fallback;
}

static void complete(struct cad_text_limits *l)
{
    struct cad_text_limits d = default_limits();
    if (l->document_bytes == 0) l->document_bytes = d.document_bytes;
    if (l->memory_bytes == 0) l->memory_bytes = d.memory_bytes;
    if (l->isd_bytes == 0) l->isd_bytes = d.isd_bytes;
    or_default(&l->depth, d.depth);
    or_default(&l->elements, d.elements);
    or_default(&l->regions, d.regions);
    or_default(&l->styles, d.styles);
    or_default(&l->references, d.references);
    l->depth = CAD_MIN(l->depth, TTML_DEPTH_MAX);
    l->references = CAD_MIN(l->references, TTML_REFERENCES_MAX);
}

/* ---- life ------------------------------------------------------------------------------------ */

static int create_text(const struct cad_text_options *options, struct cad_text **out)
{
    struct cad_text *text = cad_alloc_new(&options->alloc, sizeof(*text), CAD_MEM_OTHER);
    if (!text) return CAD_E_NOMEM;
    text->alloc = options->alloc;
    text->limits = options->limits;
    cad_arena_init(&text->arena, &text->alloc, CAD_MEM_OTHER, CHUNK_BYTES,
                   (size_t)CAD_MIN(options->limits.memory_bytes, (uint64_t)SIZE_MAX));
    *out = text;
    return CAD_OK;
}

static int create_xml(struct cad_text_parser *parser, const struct cad_text_limits *limits)
{
    struct cad_xml_limits xml = {
        .depth = limits->depth,
        .elements = limits->elements,
        .text_bytes = limits->document_bytes,
        .total_bytes = limits->document_bytes,
    };
    struct cad_xml_handler handler = {&parser->reader, ttml_read_open, ttml_read_close,
                                      ttml_read_text};
    return cad_xml_create(&parser->alloc, &xml, &handler, &parser->xml);
}

int cad_text_parser_create(const struct cad_text_options *options, struct cad_text_parser **out)
{
    if (!options || !out || options->size < sizeof(size_t) || options->size > sizeof(*options)) {
        return CAD_E_INVAL;
    }
    struct cad_text_options own;
    cad_text_options_init(&own);
    memcpy(&own, options, options->size);
    if (!own.alloc.fn) return CAD_E_INVAL;
    complete(&own.limits);
    struct cad_text_parser *parser = cad_alloc_new(&own.alloc, sizeof(*parser), CAD_MEM_OTHER);
    if (!parser) return CAD_E_NOMEM;
    parser->alloc = own.alloc;
    cad_sb_init(&parser->reader.chars, &parser->alloc, CAD_MEM_OTHER,
                (size_t)CAD_MIN(own.limits.document_bytes, (uint64_t)SIZE_MAX / 2));
    int rc = create_text(&own, &parser->reader.text);
    if (rc == 0) rc = create_xml(parser, &own.limits);
    if (rc != 0) {
        cad_text_parser_destroy(&parser);
        return rc;
    }
    *out = parser;
    return CAD_OK;
}

void cad_text_parser_destroy(struct cad_text_parser **parser)
{
    if (!parser || !*parser) return;
    struct cad_text_parser *gone = *parser;
    struct cad_alloc alloc = gone->alloc;
    cad_xml_destroy(&gone->xml);
    cad_sb_deinit(&gone->reader.chars);
    cad_text_destroy(&gone->reader.text);
    cad_alloc_free(&alloc, gone, sizeof(*gone), CAD_MEM_OTHER);
    *parser = NULL;
}

void cad_text_destroy(struct cad_text **text)
{
    if (!text || !*text) return;
    struct cad_text *gone = *text;
    struct cad_alloc alloc = gone->alloc;
    cad_arena_deinit(&gone->arena);
    cad_alloc_free(&alloc, gone->boundaries, gone->boundary_max * sizeof(*gone->boundaries),
                   CAD_MEM_OTHER);
    cad_alloc_free(&alloc, gone, sizeof(*gone), CAD_MEM_OTHER);
    *text = NULL;
}

/* ---- feeding --------------------------------------------------------------------------------- */

static int fail(struct cad_text_parser *parser, int rc)
{
    const char *message = cad_xml_message(parser->xml);
    if (parser->reader.problem) message = parser->reader.problem;
    else if (message[0] == '\0') message = cad_result_text(rc);
    (void)cad_str_copyz(parser->error.message, sizeof(parser->error.message),
                        cad_str_from(message));
    parser->error.line = cad_xml_line(parser->xml);
    parser->state = STATE_FAILED;
    parser->result = rc;
    return rc;
}

/* Content without any region goes to one of its own (TTML2 11.3). */
static int add_default_region(struct cad_text *text)
{
    if (text->regions) return CAD_OK;
    struct ttml_node *region = cad_arena_new(&text->arena, struct ttml_node);
    if (!region) return cad_arena_error(&text->arena);
    region->kind = TTML_REGION;
    region->region = TTML_INHERIT;
    region->lang = text->lang;
    region->text = CAD_STR("");
    region->end = CAD_TIME_MAX;
    text->regions = region;
    return ttml_model_note(text, 0, CAD_TIME_MAX);
}

int cad_text_parser_feed(struct cad_text_parser *parser, cad_buf bytes, bool last)
{
    if (!parser || (bytes.n > 0 && !bytes.p)) return CAD_E_INVAL;
    if (parser->state == STATE_FAILED) return parser->result;
    if (parser->state != STATE_FEEDING) return CAD_E_INVAL;
    int rc = cad_xml_feed(parser->xml, bytes, last);
    if (rc == 0 && last) rc = add_default_region(parser->reader.text);
    if (rc != 0) return fail(parser, rc);
    if (last) {
        ttml_sort_init(&parser->sort, parser->reader.text);
        parser->state = STATE_SORTING;
    }
    return CAD_OK;
}

int cad_text_parser_finish(struct cad_text_parser *parser, uint32_t work, struct cad_text **out)
{
    if (!parser || !out || work == 0) return CAD_E_INVAL;
    if (parser->state == STATE_FAILED) return parser->result;
    if (parser->state != STATE_SORTING) return CAD_E_INVAL;
    if (!ttml_sort_step(&parser->sort, parser->reader.text, work)) return CAD_E_AGAIN;
    *out = parser->reader.text;
    parser->reader.text = NULL;
    parser->state = STATE_TAKEN;
    return CAD_OK;
}

void cad_text_parser_error(const struct cad_text_parser *parser, struct cad_text_error *out)
{
    if (!out) return;
    memset(out, 0, sizeof(*out));
    if (parser) *out = parser->error;
}

/* ---- the document ---------------------------------------------------------------------------- */

cad_str cad_text_lang(const struct cad_text *text)
{
    return text ? text->lang : CAD_STR("");
}

bool cad_text_aspect_ratio(const struct cad_text *text, uint32_t *width, uint32_t *height)
{
    *width = text ? text->aspect_w : 0;
    *height = text ? text->aspect_h : 0;
    return *height > 0;
}

size_t cad_text_boundary_count(const struct cad_text *text)
{
    return text ? text->boundary_count : 0;
}

cad_time cad_text_boundary(const struct cad_text *text, size_t i)
{
    return i < cad_text_boundary_count(text) ? text->boundaries[i] : CAD_TIME_NONE;
}

cad_time cad_text_next_change(const struct cad_text *text, cad_time t)
{
    size_t low = 0;
    size_t high = cad_text_boundary_count(text);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (text->boundaries[middle] <= t) low = middle + 1;
        else high = middle;
    }
    return cad_text_boundary(text, low);
}
