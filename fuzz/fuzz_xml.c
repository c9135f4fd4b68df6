/*
 * fuzz_xml.c - any bytes through the XML reader, whole and in slices.
 *
 * The first byte is the size of the slices and the second chooses limits; the rest is the document.
 * Held to: every view can be read, elements open and close in balance, limits hold, and what is
 * seen does not depend on the slices.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#include "base/str.h"
#include "base/utf8.h"
#include "base/xml.h"

#define INPUT_MAX (1u << 16) /* bytes; more finds nothing new and is slow */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t hash;
    uint64_t elements, text_bytes;
    uint32_t depth;
    const struct cad_xml_limits *limits;
};

static void require(bool holds)
{
    if (!holds) __builtin_trap();
}

static void note(struct seen *s, cad_str text)
{
    require(cad_utf8_valid(text));
    s->hash = cad_hash64(text.p, text.n, s->hash + text.n);
}

static int on_open(void *ctx, const struct cad_xml_element *e)
{
    struct seen *s = ctx;
    require(e->depth == s->depth + 1);
    s->depth++;
    s->elements++;
    s->hash = cad_hash_u64(s->hash + s->text_bytes);
    require(e->name.n > 0 && e->attribute_count <= s->limits->attributes);
    require(s->depth <= s->limits->depth && s->elements <= s->limits->elements);
    note(s, e->ns);
    note(s, e->name);
    for (uint32_t i = 0; i < e->attribute_count; i++) {
        require(e->attributes[i].value.n <= s->limits->value_bytes);
        note(s, e->attributes[i].ns);
        note(s, e->attributes[i].name);
        note(s, e->attributes[i].value);
    }
    return 0;
}

static int on_close(void *ctx)
{
    struct seen *s = ctx;
    require(s->depth > 0);
    s->depth--;
    s->hash = cad_hash_u64(s->hash + s->text_bytes);
    return 0;
}

/* Pieces may be cut anywhere between characters: only their bytes count. */
static int on_text(void *ctx, cad_str piece)
{
    struct seen *s = ctx;
    require(piece.n > 0 && cad_utf8_valid(piece));
    for (size_t i = 0; i < piece.n; i++) {
        s->text_bytes = s->text_bytes * 31 + (uint8_t)piece.p[i];
    }
    return 0;
}

static int parse(cad_buf document, size_t slice, struct seen *seen)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_xml_handler handler = {seen, on_open, on_close, on_text};
    struct cad_xml *xml = NULL;
    require(cad_xml_create(&alloc, seen->limits, &handler, &xml) == 0);
    int rc = 0;
    size_t at = 0;
    do {
        size_t n = document.n - at < slice ? document.n - at : slice;
        rc = cad_xml_feed(xml, (cad_buf){document.p + at, n}, at + n == document.n);
        at += n;
    } while (rc == 0 && at < document.n);
    require(rc == 0 || rc == CAD_E_DATA || rc == CAD_E_LIMIT);
    require((rc == 0) == (cad_xml_message(xml)[0] == '\0'));
    require(rc != 0 || seen->depth == 0);
    if (rc != 0) require(cad_xml_line(xml) >= 1);
    cad_xml_destroy(&xml);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_MAX) return 0;
    struct cad_xml_limits limits = {
        .depth = data[1] & 1 ? 3 : 64,
        .attributes = data[1] & 2 ? 2 : 128,
        .name_bytes = data[1] & 4 ? 8 : 256,
        .value_bytes = data[1] & 8 ? 16 : 65536,
        .token_bytes = data[1] & 16 ? 64 : 262144,
        .elements = data[1] & 32 ? 5 : 2000000,
        .namespaces = data[1] & 64 ? 2 : 256,
    };
    cad_buf document = {data + 2, size - 2};
    struct seen whole = {.limits = &limits};
    struct seen parts = {.limits = &limits};
    int a = parse(document, document.n + 1, &whole);
    int b = parse(document, (size_t)data[0] + 1, &parts);
    /* A token past its limit may be found out before what is wrong inside of it is, or after. */
    require((a == 0) == (b == 0));
    if (a == 0) require(whole.hash == parts.hash && whole.text_bytes == parts.text_bytes);
    return 0;
}
