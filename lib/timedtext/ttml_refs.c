/*
 * ttml_refs.c - what elements specify: inline attributes, references to styles, chains of them.
 *
 * Of several sources of one property the later wins in this order (TTML2 10.4.4): referenced styles
 * in the order of their names, each with what it refers to itself below its own attributes; style
 * elements nested in a region; inline attributes.
 */
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "timedtext/ttml_read.h"

static int out_of_memory(const struct ttml_reader *r)
{
    return cad_arena_error(&r->text->arena);
}

/* All values among the attributes, at most one of each property. */
static int read_values(struct ttml_reader *r, const struct cad_xml_element *element,
                       const struct ttml_value *table[TTML_PROPS])
{
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        const struct cad_xml_attribute *a = &element->attributes[i];
        const struct ttml_value *value = NULL;
        enum ttml_prop prop = TTML_PROPS;
        if (ttml_prop_find(a->ns, a->name, &prop) != 0) continue;
        int rc = ttml_value_parse(&r->text->arena, prop, a->value, &value);
        if (rc != 0) return rc;
        if (value) table[prop] = value;
    }
    return CAD_OK;
}

static void merge(const struct ttml_value *into[TTML_PROPS],
                  const struct ttml_value *const over[TTML_PROPS])
{
    for (size_t i = 0; i < TTML_PROPS; i++) {
        if (over[i]) into[i] = over[i];
    }
}

/* ---- styles ---------------------------------------------------------------------------------- */

/* Views of the names of a style attribute; CAD_E_LIMIT. */
static int split_names(struct ttml_reader *r, const struct cad_xml_element *element,
                       struct ttml_styleset *s)
{
    cad_str rest = ttml_attribute(element, TTML_NS_NONE, "style");
    cad_str word;
    uint32_t count = 0;
    for (cad_str all = rest; ttml_word(&all, &word);) {
        if (++count > r->text->limits.references) {
            r->problem = "too many references to styles";
            return CAD_E_LIMIT;
        }
    }
    if (count == 0) return CAD_OK;
    cad_str *names = cad_arena_array(&r->text->arena, cad_str, count);
    if (!names) return out_of_memory(r);
    for (uint32_t i = 0; i < count && ttml_word(&rest, &word); i++) {
        names[i] = cad_arena_str(&r->text->arena, word);
        if (!names[i].p) return out_of_memory(r);
    }
    s->names = names;
    s->name_count = count;
    return CAD_OK;
}

int ttml_styleset_read(struct ttml_reader *r, const struct cad_xml_element *element,
                       struct ttml_styleset **out)
{
    struct ttml_styleset *s = cad_arena_new(&r->text->arena, struct ttml_styleset);
    if (!s) return out_of_memory(r);
    s->id = cad_arena_str(&r->text->arena, ttml_attribute(element, TTML_NS_XML, "id"));
    if (!s->id.p) return out_of_memory(r);
    int rc = split_names(r, element, s);
    if (rc == 0) rc = read_values(r, element, s->values);
    if (rc == 0) *out = s;
    return rc;
}

static uint32_t slot_of(const struct ttml_reader *r, cad_str id)
{
    uint32_t slot = (uint32_t)cad_hash64(id.p, id.n, 0) & (r->table_size - 1);
    while (r->table[slot] && !cad_str_eq(r->table[slot]->id, id)) {
        slot = (slot + 1) & (r->table_size - 1);
    }
    return slot;
}

/* A table at most half full; of styles with one id the last counts. */
static int fill_table(struct ttml_reader *r)
{
    r->table_size = 2;
    while (r->table_size < r->style_count * 2) r->table_size *= 2;
    r->table = cad_arena_array(&r->text->arena, struct ttml_styleset *, r->table_size);
    if (!r->table) return out_of_memory(r);
    for (struct ttml_styleset *s = r->styles; s; s = s->next) r->table[slot_of(r, s->id)] = s;
    return CAD_OK;
}

static struct ttml_styleset *find_style(const struct ttml_reader *r, cad_str id)
{
    return r->table[slot_of(r, id)];
}

/* What s brings and does not specify itself. */
static void inherit(struct ttml_styleset *s, const struct ttml_styleset *from)
{
    for (size_t i = 0; i < TTML_PROPS; i++) {
        if (!s->values[i]) s->values[i] = from->values[i];
    }
}

/*
 * Depth first without recursion: names are used up from the last, so that later ones win and every
 * loop (an error) ends; the style in which it closes brings what it has by then.
 */
static void chain(const struct ttml_reader *r, struct ttml_styleset *s)
{
    s->up = s;
    while (true) {
        if (s->name_count > 0) {
            struct ttml_styleset *next = find_style(r, s->names[--s->name_count]);
            if (!next) continue;
            if (next->up || next->name_count == 0) {
                inherit(s, next);
            } else {
                next->up = s;
                s = next;
            }
            continue;
        }
        struct ttml_styleset *up = s->up;
        s->up = NULL;
        if (up == s) return;
        inherit(up, s);
        s = up;
    }
}

int ttml_styles_chain(struct ttml_reader *r)
{
    if (r->chained) return CAD_OK;
    int rc = fill_table(r);
    if (rc != 0) return rc;
    r->chained = true;
    for (struct ttml_styleset *s = r->styles; s; s = s->next) chain(r, s);
    return CAD_OK;
}

/* ---- elements -------------------------------------------------------------------------------- */

static int read_refs(struct ttml_reader *r, const struct cad_xml_element *element,
                     struct ttml_specified *out)
{
    cad_str rest = ttml_attribute(element, TTML_NS_NONE, "style");
    struct ttml_styleset *found[TTML_REFERENCES_MAX];
    uint32_t max = r->text->limits.references;
    uint32_t count = 0;
    cad_str word;
    if (!rest.p) return CAD_OK;
    int rc = ttml_styles_chain(r);
    if (rc != 0) return rc;
    while (ttml_word(&rest, &word)) {
        struct ttml_styleset *s = find_style(r, word);
        if (!s) continue;
        if (count == max) {
            r->problem = "too many references to styles";
            return CAD_E_LIMIT;
        }
        found[count++] = s;
    }
    if (count == 0) return CAD_OK;
    struct ttml_styleset **refs = cad_arena_array(&r->text->arena, struct ttml_styleset *, count);
    if (!refs) return out_of_memory(r);
    memcpy(refs, found, count * sizeof(*refs));
    out->refs = refs;
    out->ref_count = count;
    return CAD_OK;
}

int ttml_specified_read(struct ttml_reader *r, const struct cad_xml_element *element,
                        struct ttml_specified *out)
{
    const struct ttml_value *table[TTML_PROPS] = {0};
    uint32_t count = 0;
    int rc = read_values(r, element, table);
    if (rc == 0) rc = read_refs(r, element, out);
    if (rc != 0) return rc;
    for (size_t i = 0; i < TTML_PROPS; i++) {
        if (table[i]) table[count++] = table[i];
    }
    if (count == 0) return CAD_OK;
    const struct ttml_value **values = cad_arena_array(&r->text->arena, const struct ttml_value *,
                                                       count);
    if (!values) return out_of_memory(r);
    memcpy(values, table, count * sizeof(*values));
    out->values = values;
    out->value_count = count;
    return CAD_OK;
}

int ttml_initial_read(struct ttml_reader *r, const struct cad_xml_element *element)
{
    return read_values(r, element, r->text->initials);
}

int ttml_nested_style(struct ttml_reader *r, const struct cad_xml_element *element,
                      struct ttml_specified *out)
{
    struct ttml_specified refs = {0};
    const struct ttml_value *own[TTML_PROPS] = {0};
    int rc = read_refs(r, element, &refs);
    if (rc == 0) rc = read_values(r, element, own);
    if (rc != 0) return rc;
    if (!out->nested) {
        out->nested = cad_arena_array(&r->text->arena, const struct ttml_value *, TTML_PROPS);
        if (!out->nested) return out_of_memory(r);
    }
    for (uint32_t i = 0; i < refs.ref_count; i++) merge(out->nested, refs.refs[i]->values);
    merge(out->nested, own);
    return CAD_OK;
}
