/*
 * xml.c - expat with limits, and namespaces by a stack of declarations.
 *
 * Expat calls back in the middle of a feed; a failure is noted, expat is stopped, and the feed
 * returns it. Old versions of expat scan a token that is not whole yet again with every slice:
 * `token_bytes` bounds the square of that.
 */
#include "base/xml.h"

#include <stdio.h>
#include <string.h>

#include <expat.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"

#define NAMESPACE_BYTES_MAX 65536u /* of all declarations in force */
#define FEED_BYTES_MAX (1 << 20)   /* expat counts in int */

/* A declaration in force: xmlns:prefix="uri" at depth. Offsets into the text of all of them. */
struct binding {
    uint32_t prefix_at, prefix_n;
    uint32_t uri_at, uri_n;
    uint32_t depth;
};

struct cad_xml {
    struct cad_alloc alloc;
    struct cad_xml_limits limits;
    struct cad_xml_handler handler;
    XML_Parser expat;
    struct cad_sb names; /* text of the bindings */
    struct binding *bindings;
    uint32_t binding_count;
    uint32_t depth;
    uint32_t elements;
    uint64_t text_bytes;
    uint64_t total_bytes; /* fed */
    int error;            /* the first failure; sticky */
    bool done;
    uint32_t line; /* of the failure */
    char message[CAD_XML_MESSAGE_SIZE];
    struct cad_xml_attribute attributes[CAD_XML_ATTRIBUTES_MAX];
};

/* ---- failures -------------------------------------------------------------------------------- */

static uint32_t current_line(const struct cad_xml *xml)
{
    XML_Size line = XML_GetCurrentLineNumber(xml->expat);
    return line > UINT32_MAX ? UINT32_MAX : (uint32_t)line;
}

static void fail(struct cad_xml *xml, int rc, const char *message)
{
    if (xml->error != 0) return;
    xml->error = rc;
    xml->line = current_line(xml);
    (void)cad_str_copyz(xml->message, sizeof(xml->message), cad_str_from(message));
    (void)XML_StopParser(xml->expat, XML_FALSE);
}

static void fail_limit(struct cad_xml *xml, const char *message)
{
    fail(xml, CAD_E_LIMIT, message);
}

/* ---- namespaces ------------------------------------------------------------------------------ */

struct usual {
    cad_str prefix, uri;
};

static const struct usual usual_prefixes[] = {
    {CAD_STR_INIT("xml"), CAD_STR_INIT("http://www.w3.org/XML/1998/namespace")},
    {CAD_STR_INIT("cenc"), CAD_STR_INIT("urn:mpeg:cenc:2013")},
    {CAD_STR_INIT("mspr"), CAD_STR_INIT("urn:microsoft:playready")},
    {CAD_STR_INIT("xlink"), CAD_STR_INIT("http://www.w3.org/1999/xlink")},
    {CAD_STR_INIT("dashif"), CAD_STR_INIT("https://dashif.org/CPS")},
    {CAD_STR_INIT("scte35"), CAD_STR_INIT("http://www.scte.org/schemas/35/2016")},
    {CAD_STR_INIT("scte214"), CAD_STR_INIT("urn:scte:dash:scte214-extensions")},
};

static cad_str resolve(const struct cad_xml *xml, cad_str prefix)
{
    for (uint32_t i = xml->binding_count; i > 0; i--) {
        const struct binding *b = &xml->bindings[i - 1];
        if (b->prefix_n != prefix.n) continue;
        if (prefix.n > 0 && memcmp(xml->names.p + b->prefix_at, prefix.p, prefix.n) != 0) continue;
        return cad_str_sub(cad_sb_str(&xml->names), b->uri_at, b->uri_n);
    }
    for (size_t i = 0; prefix.n > 0 && i < CAD_ARRAY_LEN(usual_prefixes); i++) {
        if (cad_str_eq(prefix, usual_prefixes[i].prefix)) return usual_prefixes[i].uri;
    }
    return CAD_STR("");
}

static void bind(struct cad_xml *xml, cad_str prefix, cad_str uri)
{
    if (xml->binding_count >= xml->limits.namespaces) {
        fail_limit(xml, "too many namespace declarations");
        return;
    }
    struct binding *b = &xml->bindings[xml->binding_count];
    *b = (struct binding){(uint32_t)xml->names.n, (uint32_t)prefix.n,
                          (uint32_t)(xml->names.n + prefix.n), (uint32_t)uri.n, xml->depth};
    cad_sb_put(&xml->names, prefix);
    cad_sb_put(&xml->names, uri);
    int rc = cad_sb_error(&xml->names);
    if (rc != 0) {
        fail(xml, rc, rc == CAD_E_NOMEM ? "out of memory" : "too long namespace declarations");
        return;
    }
    xml->binding_count++;
}

static void unbind(struct cad_xml *xml, uint32_t depth)
{
    while (xml->binding_count > 0 && xml->bindings[xml->binding_count - 1].depth >= depth) {
        xml->binding_count--;
        cad_sb_truncate(&xml->names, xml->bindings[xml->binding_count].prefix_at);
    }
}

/* The part before a colon that is neither first nor last; name becomes what follows. */
static cad_str cut_prefix(cad_str *name)
{
    const char *colon = memchr(name->p, ':', name->n);
    if (!colon || colon == name->p || colon + 1 == name->p + name->n) return CAD_STR("");
    cad_str prefix = cad_str_make(name->p, (size_t)(colon - name->p));
    *name = cad_str_make(colon + 1, name->n - prefix.n - 1);
    return prefix;
}

/* ---- what expat calls ------------------------------------------------------------------------ */

static bool is_declaration(cad_str name)
{
    return name.n >= 5 && memcmp(name.p, "xmlns", 5) == 0 && (name.n == 5 || name.p[5] == ':');
}

/* Checks names and values, takes the declarations and collects the rest. False: failed. */
static bool take_attributes(struct cad_xml *xml, const char **atts, uint32_t *count)
{
    uint32_t n = 0;
    uint32_t seen = 0;
    for (; *atts; atts += 2) {
        cad_str name = cad_str_from(atts[0]);
        cad_str value = cad_str_from(atts[1]);
        if (++seen > xml->limits.attributes) fail_limit(xml, "too many attributes");
        if (name.n > xml->limits.name_bytes) fail_limit(xml, "a too long attribute name");
        if (value.n > xml->limits.value_bytes) fail_limit(xml, "a too long attribute value");
        if (xml->error != 0) return false;
        if (is_declaration(name)) {
            bind(xml, cad_str_sub(name, 6, name.n), value);
        } else {
            xml->attributes[n++] = (struct cad_xml_attribute){CAD_STR(""), name, value};
        }
    }
    *count = n;
    return xml->error == 0;
}

static void check_token(struct cad_xml *xml)
{
    if ((uint32_t)XML_GetCurrentByteCount(xml->expat) > xml->limits.token_bytes) {
        fail_limit(xml, "a too long tag, comment or instruction");
    }
}

static void XMLCALL on_open(void *ctx, const char *name, const char **atts)
{
    struct cad_xml *xml = ctx;
    struct cad_xml_element element = {.name = cad_str_from(name)};
    if (xml->error != 0) return;
    check_token(xml);
    if (++xml->depth > xml->limits.depth) fail_limit(xml, "elements nested too deep");
    if (++xml->elements > xml->limits.elements) fail_limit(xml, "too many elements");
    if (element.name.n > xml->limits.name_bytes) fail_limit(xml, "a too long element name");
    if (xml->error != 0 || !take_attributes(xml, atts, &element.attribute_count)) return;
    element.ns = resolve(xml, cut_prefix(&element.name));
    for (uint32_t i = 0; i < element.attribute_count; i++) {
        struct cad_xml_attribute *a = &xml->attributes[i];
        cad_str prefix = cut_prefix(&a->name);
        if (prefix.n > 0) a->ns = resolve(xml, prefix);
    }
    element.attributes = xml->attributes;
    element.depth = xml->depth;
    int rc = xml->handler.open(xml->handler.ctx, &element);
    if (rc != 0) fail(xml, rc, "");
}

static void XMLCALL on_close(void *ctx, const char *name)
{
    struct cad_xml *xml = ctx;
    CAD_UNUSED(name);
    if (xml->error != 0) return;
    check_token(xml); /* "</a", white space without end, ">" */
    if (xml->error != 0) return;
    int rc = xml->handler.close(xml->handler.ctx);
    if (rc != 0) fail(xml, rc, "");
    unbind(xml, xml->depth);
    xml->depth--;
}

static void XMLCALL on_text(void *ctx, const char *p, int n)
{
    struct cad_xml *xml = ctx;
    if (xml->error != 0 || n <= 0) return;
    xml->text_bytes += (uint64_t)n;
    if (xml->text_bytes > xml->limits.text_bytes) {
        fail_limit(xml, "too much text");
        return;
    }
    if (!xml->handler.text) return;
    int rc = xml->handler.text(xml->handler.ctx, cad_str_make(p, (size_t)n));
    if (rc != 0) fail(xml, rc, "");
}

static void XMLCALL on_doctype(void *ctx, const char *name, const char *system_id,
                               const char *public_id, int has_internal_subset)
{
    CAD_UNUSED(name);
    CAD_UNUSED(system_id);
    CAD_UNUSED(public_id);
    CAD_UNUSED(has_internal_subset);
    fail(ctx, CAD_E_DATA, "a document type declaration");
}

static void XMLCALL on_comment(void *ctx, const char *text)
{
    CAD_UNUSED(text);
    check_token(ctx);
}

static void XMLCALL on_instruction(void *ctx, const char *target, const char *text)
{
    CAD_UNUSED(target);
    CAD_UNUSED(text);
    check_token(ctx);
}

/* ---- feeding --------------------------------------------------------------------------------- */

static void fail_expat(struct cad_xml *xml)
{
    enum XML_Error code = XML_GetErrorCode(xml->expat);
    const char *text = XML_ErrorString(code);
    fail(xml, code == XML_ERROR_NO_MEMORY ? CAD_E_NOMEM : CAD_E_DATA, text ? text : "malformed");
}

/*
 * A token that is not whole and is already over the limit. Newer versions of expat look at it again
 * only when its bytes have doubled, so that up to half of what waits may lie behind its end.
 */
static void check_pending(struct cad_xml *xml)
{
    XML_Index at = XML_GetCurrentByteIndex(xml->expat);
    if (at < 0 || (uint64_t)at > xml->total_bytes) return;
    if ((xml->total_bytes - (uint64_t)at) / 2 > xml->limits.token_bytes) {
        fail_limit(xml, "a too long tag, comment or instruction");
    }
}

static void feed_part(struct cad_xml *xml, cad_buf bytes, bool last)
{
    xml->total_bytes += bytes.n;
    if (xml->total_bytes > xml->limits.total_bytes) {
        fail_limit(xml, "a too long document");
        return;
    }
    enum XML_Status status = XML_Parse(xml->expat, (const char *)bytes.p, (int)bytes.n,
                                       last ? XML_TRUE : XML_FALSE);
    if (status != XML_STATUS_OK) fail_expat(xml);
    else check_pending(xml);
}

int cad_xml_feed(struct cad_xml *xml, cad_buf bytes, bool last)
{
    if (!xml || (bytes.n > 0 && !bytes.p)) return CAD_E_INVAL;
    if (xml->error != 0) return xml->error;
    if (xml->done) return CAD_E_INVAL;
    do {
        cad_buf part = {bytes.p, CAD_MIN(bytes.n, (size_t)FEED_BYTES_MAX)};
        bytes.n -= part.n;
        feed_part(xml, part, last && bytes.n == 0);
        if (part.n > 0) bytes.p += part.n;
    } while (xml->error == 0 && bytes.n > 0);
    xml->done = last;
    return xml->error;
}

uint32_t cad_xml_line(const struct cad_xml *xml)
{
    if (!xml) return 0;
    return xml->error != 0 ? xml->line : current_line(xml);
}

const char *cad_xml_message(const struct cad_xml *xml)
{
    return xml ? xml->message : "";
}

/* ---- life ------------------------------------------------------------------------------------ */

static void or_default(uint32_t *value, uint32_t fallback)
{
    if (*value == 0) *value = fallback;
}

static struct cad_xml_limits complete(const struct cad_xml_limits *given)
{
    struct cad_xml_limits l = {0};
    if (given) l = *given;
    or_default(&l.depth, 64);
    or_default(&l.attributes, CAD_XML_ATTRIBUTES_MAX);
    or_default(&l.name_bytes, 256);
    or_default(&l.value_bytes, 65536);
    or_default(&l.token_bytes, 262144);
    or_default(&l.elements, 2000000);
    or_default(&l.namespaces, 256);
    if (l.text_bytes == 0) l.text_bytes = UINT64_C(16) << 20;
    if (l.total_bytes == 0) l.total_bytes = UINT64_C(64) << 20;
    l.attributes = CAD_MIN(l.attributes, CAD_XML_ATTRIBUTES_MAX);
    return l;
}

static bool open_expat(struct cad_xml *xml)
{
    xml->expat = XML_ParserCreate(NULL);
    if (!xml->expat) return false;
    XML_SetUserData(xml->expat, xml);
    XML_SetElementHandler(xml->expat, on_open, on_close);
    XML_SetCharacterDataHandler(xml->expat, on_text);
    XML_SetCommentHandler(xml->expat, on_comment);
    XML_SetProcessingInstructionHandler(xml->expat, on_instruction);
    XML_SetStartDoctypeDeclHandler(xml->expat, on_doctype);
    return true;
}

int cad_xml_create(const struct cad_alloc *alloc, const struct cad_xml_limits *limits,
                   const struct cad_xml_handler *handler, struct cad_xml **out)
{
    if (!alloc || !alloc->fn || !handler || !handler->open || !handler->close || !out) {
        return CAD_E_INVAL;
    }
    struct cad_xml *xml = cad_alloc_new(alloc, sizeof(*xml), CAD_MEM_OTHER);
    if (!xml) return CAD_E_NOMEM;
    xml->alloc = *alloc;
    xml->limits = complete(limits);
    xml->handler = *handler;
    cad_sb_init(&xml->names, alloc, CAD_MEM_OTHER, NAMESPACE_BYTES_MAX);
    xml->bindings = cad_alloc_array(alloc, xml->limits.namespaces, sizeof(*xml->bindings),
                                    CAD_MEM_OTHER);
    if (!xml->bindings || !open_expat(xml)) {
        cad_xml_destroy(&xml);
        return CAD_E_NOMEM;
    }
    *out = xml;
    return CAD_OK;
}

void cad_xml_destroy(struct cad_xml **xml)
{
    if (!xml || !*xml) return;
    struct cad_xml *gone = *xml;
    struct cad_alloc alloc = gone->alloc;
    if (gone->expat) XML_ParserFree(gone->expat);
    cad_sb_deinit(&gone->names);
    cad_alloc_free(&alloc, gone->bindings,
                   (size_t)gone->limits.namespaces * sizeof(*gone->bindings), CAD_MEM_OTHER);
    cad_alloc_free(&alloc, gone, sizeof(*gone), CAD_MEM_OTHER);
    *xml = NULL;
}
