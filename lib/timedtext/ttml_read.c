/*
 * ttml_read.c - XML events to the element tree: which elements count where (TTML2 8), white
 * space, languages, regions, times.
 *
 * What is foreign, metadata or out of place is skipped with all it contains. Times are resolved
 * while reading: a begin depends on what came before, an end on what is inside.
 */
#include "timedtext/ttml_read.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "timedtext/ttml_model.h"

/* ---- which element --------------------------------------------------------------------------- */

struct name {
    cad_str name;
    enum ttml_place place;
    enum ttml_kind kind;
};

static const struct name names[] = {
    {CAD_STR_INIT("head"), TTML_AT_HEAD, TTML_BODY},
    {CAD_STR_INIT("styling"), TTML_AT_STYLING, TTML_BODY},
    {CAD_STR_INIT("style"), TTML_AT_STYLE, TTML_BODY},
    {CAD_STR_INIT("initial"), TTML_AT_INITIAL, TTML_BODY},
    {CAD_STR_INIT("layout"), TTML_AT_LAYOUT, TTML_BODY},
    {CAD_STR_INIT("region"), TTML_AT_REGION, TTML_REGION},
    {CAD_STR_INIT("body"), TTML_AT_CONTENT, TTML_BODY},
    {CAD_STR_INIT("div"), TTML_AT_CONTENT, TTML_DIV},
    {CAD_STR_INIT("p"), TTML_AT_CONTENT, TTML_P},
    {CAD_STR_INIT("span"), TTML_AT_CONTENT, TTML_SPAN},
    {CAD_STR_INIT("br"), TTML_AT_CONTENT, TTML_BR},
    {CAD_STR_INIT("image"), TTML_AT_CONTENT, TTML_IMAGE_ELEMENT},
    {CAD_STR_INIT("set"), TTML_AT_CONTENT, TTML_SET},
    {CAD_STR_INIT("source"), TTML_AT_SOURCE, TTML_BODY},
};

static const struct name *find_name(const struct cad_xml_element *element)
{
    if (!cad_str_eq(element->ns, TTML_NS)) return NULL;
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        if (cad_str_eq(element->name, names[i].name)) return &names[i];
    }
    return NULL;
}

static bool content_fits(enum ttml_kind parent, enum ttml_kind kind)
{
    switch (kind) {
    case TTML_DIV:
    case TTML_P: return parent == TTML_BODY || parent == TTML_DIV;
    case TTML_SPAN:
    case TTML_BR: return parent == TTML_P || parent == TTML_SPAN;
    case TTML_IMAGE_ELEMENT: return parent == TTML_DIV;
    case TTML_SET: return parent != TTML_SET;
    default: return false;
    }
}

static bool fits(const struct ttml_open *parent, const struct name *name)
{
    switch (name->place) {
    case TTML_AT_HEAD: return parent->place == TTML_AT_TT;
    case TTML_AT_STYLING:
    case TTML_AT_LAYOUT: return parent->place == TTML_AT_HEAD;
    case TTML_AT_INITIAL: return parent->place == TTML_AT_STYLING;
    case TTML_AT_STYLE: return parent->place == TTML_AT_STYLING || parent->place == TTML_AT_REGION;
    case TTML_AT_REGION: return parent->place == TTML_AT_LAYOUT;
    case TTML_AT_CONTENT:
        if (name->kind == TTML_BODY) return parent->place == TTML_AT_TT;
        return parent->node && content_fits(parent->node->kind, name->kind);
    case TTML_AT_SOURCE: return parent->node && parent->node->kind == TTML_IMAGE_ELEMENT;
    default: return false;
    }
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static int out_of_memory(const struct ttml_reader *r)
{
    return cad_arena_error(&r->text->arena);
}

static struct ttml_open *top(struct ttml_reader *r)
{
    return &r->open[r->open_count - 1];
}

static void add_child(struct ttml_open *parent, struct ttml_node *node)
{
    if (node->kind == TTML_SET) {
        if (parent->last_set) parent->last_set->next = node;
        else parent->node->sets = node;
        parent->last_set = node;
        return;
    }
    if (parent->last) parent->last->next = node;
    else parent->first = node;
    parent->last = node;
    parent->child_count++;
}

/* The times of a node whose timing is closed. */
static int note_times(struct ttml_reader *r, struct ttml_node *node, const struct ttml_timing *t)
{
    node->begin = ttml_time_ns(&r->clock, t->start);
    node->end = ttml_time_ns(&r->clock, t->stop);
    return ttml_model_note(r->text, node->begin, node->end);
}

/* Text that waits becomes an anonymous span of the element in hand. */
static int flush_text(struct ttml_reader *r)
{
    cad_str chars = cad_sb_str(&r->chars);
    if (cad_sb_error(&r->chars) != 0) return cad_sb_error(&r->chars);
    if (chars.n == 0) return CAD_OK;
    struct ttml_open *parent = top(r);
    struct ttml_timing t = {.begin = -1, .dur = -1, .end = -1};
    struct ttml_node *node = cad_arena_new(&r->text->arena, struct ttml_node);
    if (!node) return out_of_memory(r);
    node->kind = TTML_ANONYMOUS;
    node->preserve = parent->preserve;
    node->lang = parent->lang;
    node->region = TTML_INHERIT;
    node->text = cad_arena_str(&r->text->arena, chars);
    if (!node->text.p) return out_of_memory(r);
    cad_sb_reset(&r->chars);
    ttml_time_open(&t, &parent->timing);
    ttml_time_close(&t, &parent->timing, true);
    add_child(parent, node);
    return note_times(r, node, &t);
}

static int32_t find_region(const struct ttml_reader *r, cad_str id)
{
    int32_t i = 0;
    for (const struct ttml_node *n = r->text->regions; n; n = n->next, i++) {
        if (cad_str_eq(n->text, id)) return i;
    }
    return TTML_NOWHERE;
}

static void read_timing(const struct ttml_reader *r, const struct cad_xml_element *element,
                        struct ttml_timing *t)
{
    const struct {
        const char *name;
        ttml_exact *out;
    } fields[] = {{"begin", &t->begin}, {"dur", &t->dur}, {"end", &t->end}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(fields); i++) {
        cad_str text = ttml_attribute(element, TTML_NS_NONE, fields[i].name);
        if (!ttml_time_parse(&r->clock, text, fields[i].out)) *fields[i].out = -1;
    }
    t->seq = cad_str_eqz(ttml_attribute(element, TTML_NS_NONE, "timeContainer"), "seq");
}

/* A node for the element, its text the given one; timed and with its style. */
static int make_node(struct ttml_reader *r, const struct cad_xml_element *element,
                     struct ttml_open *open, enum ttml_kind kind)
{
    struct ttml_node *node = cad_arena_new(&r->text->arena, struct ttml_node);
    if (!node) return out_of_memory(r);
    const struct ttml_open *parent = top(r);
    cad_str region = ttml_attribute(element, TTML_NS_NONE, "region");
    open->node = node;
    node->kind = kind;
    node->preserve = open->preserve;
    node->lang = open->lang;
    node->region = TTML_INHERIT;
    if (region.n > 0 && kind != TTML_REGION && kind != TTML_SET) {
        node->region = find_region(r, region);
    }
    read_timing(r, element, &open->timing);
    ttml_time_open(&open->timing, parent->node ? &parent->timing : NULL);
    return ttml_specified_read(r, element, &node->specified);
}

/* ---- the head -------------------------------------------------------------------------------- */

static int open_style(struct ttml_reader *r, const struct cad_xml_element *element)
{
    struct ttml_open *parent = top(r);
    struct ttml_styleset *s = NULL;
    if (parent->place == TTML_AT_REGION) {
        return ttml_nested_style(r, element, &parent->node->specified);
    }
    if (r->chained || ttml_attribute(element, TTML_NS_XML, "id").n == 0) return CAD_OK;
    if (r->style_count == r->text->limits.styles) {
        r->problem = "too many styles";
        return CAD_E_LIMIT;
    }
    int rc = ttml_styleset_read(r, element, &s);
    if (rc != 0) return rc;
    r->style_count++;
    if (r->last_style) r->last_style->next = s;
    else r->styles = s;
    r->last_style = s;
    return CAD_OK;
}

/* CAD_E_NOTFOUND: a region without an id, or with one that was there: it is skipped. */
static int open_region(struct ttml_reader *r, const struct cad_xml_element *element,
                       struct ttml_open *open)
{
    cad_str id = ttml_attribute(element, TTML_NS_XML, "id");
    if (id.n == 0 || find_region(r, id) >= 0) return CAD_E_NOTFOUND;
    if (r->region_count == r->text->limits.regions) {
        r->problem = "too many regions";
        return CAD_E_LIMIT;
    }
    int rc = make_node(r, element, open, TTML_REGION);
    if (rc != 0) return rc;
    open->node->text = cad_arena_str(&r->text->arena, id);
    if (!open->node->text.p) return out_of_memory(r);
    if (r->last_region) r->last_region->next = open->node;
    else r->text->regions = open->node;
    r->last_region = open->node;
    r->region_count++;
    return CAD_OK;
}

/* ---- content --------------------------------------------------------------------------------- */

static int open_content(struct ttml_reader *r, const struct cad_xml_element *element,
                        struct ttml_open *open, enum ttml_kind kind)
{
    if (kind == TTML_BODY && r->text->body) return CAD_E_NOTFOUND;
    int rc = flush_text(r);
    if (rc == 0) rc = make_node(r, element, open, kind);
    if (rc != 0) return rc;
    if (kind == TTML_BODY) r->text->body = open->node;
    else add_child(top(r), open->node);
    if (kind != TTML_IMAGE_ELEMENT) return CAD_OK;
    open->node->text = cad_arena_str(&r->text->arena, ttml_attribute(element, TTML_NS_NONE, "src"));
    return open->node->text.p ? CAD_OK : out_of_memory(r);
}

static int open_source(struct ttml_reader *r, const struct cad_xml_element *element)
{
    struct ttml_node *image = top(r)->node;
    if (image->text.n > 0) return CAD_OK;
    image->text = cad_arena_str(&r->text->arena, ttml_attribute(element, TTML_NS_NONE, "src"));
    return image->text.p ? CAD_OK : out_of_memory(r);
}

static int open_place(struct ttml_reader *r, const struct cad_xml_element *element,
                      struct ttml_open *open, enum ttml_kind kind)
{
    switch (open->place) {
    case TTML_AT_STYLE: return open_style(r, element);
    case TTML_AT_INITIAL: return ttml_initial_read(r, element);
    case TTML_AT_REGION: return open_region(r, element, open);
    case TTML_AT_CONTENT: return open_content(r, element, open, kind);
    case TTML_AT_SOURCE: return open_source(r, element);
    default: return CAD_OK;
    }
}

/* Language and white space hold for what is inside (XML 1.0 2.10, 2.12). */
static int read_scope(struct ttml_reader *r, const struct cad_xml_element *element,
                      struct ttml_open *open)
{
    cad_str lang = ttml_attribute(element, TTML_NS_XML, "lang");
    cad_str space = ttml_attribute(element, TTML_NS_XML, "space");
    if (cad_str_eqz(space, "preserve")) open->preserve = true;
    if (cad_str_eqz(space, "default")) open->preserve = false;
    if (!lang.p || cad_str_eq(lang, open->lang)) return CAD_OK;
    open->lang = cad_arena_str(&r->text->arena, lang);
    return open->lang.p ? CAD_OK : out_of_memory(r);
}

static int open_root(struct ttml_reader *r, const struct cad_xml_element *element)
{
    struct ttml_open *open = &r->open[0];
    if (!cad_str_eq(element->ns, TTML_NS) || !cad_str_eqz(element->name, "tt")) {
        r->problem = "not a TTML document";
        return CAD_E_DATA;
    }
    memset(open, 0, sizeof(*open));
    open->place = TTML_AT_TT;
    open->depth = r->depth;
    int rc = ttml_params_read(r, element);
    if (rc == 0) rc = read_scope(r, element, open);
    r->open_count = 1;
    return rc;
}

int ttml_read_open(void *ctx, const struct cad_xml_element *element)
{
    struct ttml_reader *r = ctx;
    r->depth++;
    if (r->skip > 0) return CAD_OK;
    if (r->depth == 1) return open_root(r, element);
    const struct name *name = find_name(element);
    if (!name || !fits(top(r), name)) {
        r->skip = r->depth;
        return CAD_OK;
    }
    CAD_ASSERT(r->open_count < TTML_DEPTH_MAX);
    struct ttml_open *open = &r->open[r->open_count];
    *open = (struct ttml_open){.place = name->place, .lang = top(r)->lang,
                               .preserve = top(r)->preserve, .depth = r->depth};
    int rc = read_scope(r, element, open);
    if (rc == 0) rc = open_place(r, element, open, name->kind);
    if (rc == CAD_E_NOTFOUND) {
        r->skip = r->depth;
        return CAD_OK;
    }
    if (rc == 0) r->open_count++;
    return rc;
}

static bool is_leaf(enum ttml_kind kind)
{
    return kind == TTML_REGION || kind == TTML_BR || kind == TTML_SET || kind == TTML_IMAGE_ELEMENT;
}

static int close_node(struct ttml_reader *r, struct ttml_open *open)
{
    int rc = flush_text(r);
    if (rc != 0) return rc;
    struct ttml_open *parent = &r->open[r->open_count - 2];
    struct ttml_timing *above = parent->node ? &parent->timing : NULL;
    ttml_time_close(&open->timing, above, is_leaf(open->node->kind));
    rc = note_times(r, open->node, &open->timing);
    if (rc == 0 && open->child_count > 0) {
        rc = ttml_model_children(r->text, open->node, open->first, open->child_count);
    }
    return rc;
}

int ttml_read_close(void *ctx)
{
    struct ttml_reader *r = ctx;
    uint32_t depth = r->depth--;
    if (r->skip > 0) {
        if (r->skip == depth) r->skip = 0;
        return CAD_OK;
    }
    struct ttml_open *open = top(r);
    int rc = CAD_OK;
    if (open->node) rc = close_node(r, open);
    else if (open->place == TTML_AT_STYLING) rc = ttml_styles_chain(r);
    r->open_count--;
    return rc;
}

int ttml_read_text(void *ctx, cad_str piece)
{
    struct ttml_reader *r = ctx;
    if (r->skip > 0 || r->open_count == 0) return CAD_OK;
    const struct ttml_node *node = top(r)->node;
    if (!node || (node->kind != TTML_P && node->kind != TTML_SPAN)) return CAD_OK;
    cad_sb_put(&r->chars, piece);
    return cad_sb_error(&r->chars);
}
