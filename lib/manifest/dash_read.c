/*
 * dash_read.c - an MPD as it was written: known elements and attributes in a tree.
 *
 * Elements of other namespaces than the root's are skipped with all below them, but for the few of
 * CAD_DASH_FOREIGN_LIST. S elements, of which a long timeline has hundreds of thousands, become 32
 * bytes in an array of their SegmentTimeline and are judged here.
 */
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"

#define S_CAPACITY_MIN 16u

/* ---- S --------------------------------------------------------------------------------------- */

static int fail_here(struct cad_dash *p, const char *topic, const char *text)
{
    p->error->line = cad_xml_line(p->xml);
    return cad_dash_fail(p, NULL, topic, text);
}

static struct cad_dash_s *new_s(struct cad_dash *p, struct cad_dash_node *timeline)
{
    if (timeline->s_count == timeline->s_capacity) {
        uint32_t capacity = CAD_MAX(S_CAPACITY_MIN, timeline->s_capacity * 2);
        struct cad_dash_s *grown = cad_arena_array(&p->scratch, struct cad_dash_s, capacity);
        if (!grown) return NULL;
        if (timeline->s_count > 0) memcpy(grown, timeline->s, timeline->s_count * sizeof(*grown));
        timeline->s = grown;
        timeline->s_capacity = capacity;
    }
    return &timeline->s[timeline->s_count++];
}

/* False: unreadable. */
static bool s_attribute(struct cad_dash_s *s, cad_str name, cad_str value)
{
    if (name.n != 1) return true;
    switch (name.p[0]) {
    case 't': return cad_dash_parse_number(value, &s->t);
    case 'n': return cad_dash_parse_number(value, &s->n);
    case 'd': return cad_dash_parse_number(value, &s->d) && s->d > 0;
    case 'r': return cad_dash_parse_integer(value, &s->r);
    default: return true;
    }
}

static int open_s(struct cad_dash *p, const struct cad_xml_element *e)
{
    struct cad_dash_s s = {-1, 0, 0, -1};
    p->skip_depth = 1;
    for (uint32_t i = 0; i < e->attribute_count; i++) {
        const struct cad_xml_attribute *a = &e->attributes[i];
        if (a->ns.n == 0 && !s_attribute(&s, a->name, a->value)) {
            return fail_here(p, "timeline", "an S with an unreadable attribute");
        }
    }
    if (s.d == 0) return fail_here(p, "timeline", "an S without d");
    if (s.r < 0) s.r = -1;
    if (s.r >= CAD_DASH_SEGMENTS_MAX) {
        p->error->line = cad_xml_line(p->xml);
        return cad_dash_fail_limit(p, NULL, "an S with too many repeats");
    }
    struct cad_dash_node *timeline = p->node;
    if (s.t < 0 && timeline->s_count > 0 && timeline->s[timeline->s_count - 1].r < 0) {
        return fail_here(p, "timeline", "a negative r before an S without t");
    }
    struct cad_dash_s *kept = new_s(p, timeline);
    if (!kept) return cad_dash_fail_memory(p);
    *kept = s;
    return CAD_OK;
}

/* ---- elements -------------------------------------------------------------------------------- */

static enum cad_dash_element element_of(const struct cad_dash *p, const struct cad_xml_element *e)
{
    if (cad_str_eq(e->ns, p->ns)) return cad_dash_element_find(e->name);
    return cad_dash_foreign_find(e->ns, e->name);
}

static enum cad_dash_attribute attribute_of(const struct cad_xml_attribute *a)
{
    if (a->ns.n == 0) return cad_dash_attribute_find(a->name);
    return cad_dash_foreign_attribute_find(a->ns, a->name);
}

static bool keep_attributes(struct cad_dash *p, const struct cad_xml_element *e,
                            struct cad_dash_node *node)
{
    struct cad_dash_attr known[CAD_XML_ATTRIBUTES_MAX];
    uint32_t n = 0;
    for (uint32_t i = 0; i < e->attribute_count; i++) {
        enum cad_dash_attribute name = attribute_of(&e->attributes[i]);
        if (name == CAD_DASH_AT_UNKNOWN) continue;
        known[n].name = name;
        known[n].value = cad_arena_str(&p->scratch, e->attributes[i].value);
        if (!known[n++].value.p) return false;
    }
    if (n == 0) return true;
    struct cad_dash_attr *attrs = cad_arena_array(&p->scratch, struct cad_dash_attr, n);
    if (!attrs) return false;
    memcpy(attrs, known, n * sizeof(*attrs));
    node->attrs = attrs;
    node->attr_count = n;
    return true;
}

static struct cad_dash_group *find_group(const struct cad_dash_node *node,
                                         enum cad_dash_element name)
{
    struct cad_dash_group *group = node->groups;
    while (group && group->name != name) group = group->next;
    return group;
}

static bool link_child(struct cad_dash *p, struct cad_dash_node *parent,
                       struct cad_dash_node *node)
{
    struct cad_dash_group *group = find_group(parent, node->name);
    if (!group) {
        group = cad_arena_new(&p->scratch, struct cad_dash_group);
        if (!group) return false;
        group->name = node->name;
        group->first = node;
        group->next = parent->groups;
        parent->groups = group;
    } else {
        group->last->next = node;
    }
    group->last = node;
    group->count++;
    return true;
}

static int open_node(struct cad_dash *p, const struct cad_xml_element *e,
                     enum cad_dash_element name)
{
    if (++p->node_count > CAD_DASH_NODES_MAX) {
        p->error->line = cad_xml_line(p->xml);
        return cad_dash_fail_limit(p, NULL, "too many elements");
    }
    struct cad_dash_node *node = cad_arena_new(&p->scratch, struct cad_dash_node);
    if (!node || !keep_attributes(p, e, node)) return cad_dash_fail_memory(p);
    node->name = name;
    node->line = cad_xml_line(p->xml);
    node->parent = p->node;
    if (!p->node) p->root = node;
    else if (!link_child(p, p->node, node)) return cad_dash_fail_memory(p);
    p->node = node;
    cad_sb_reset(&p->text);
    return CAD_OK;
}

static int on_open(void *ctx, const struct cad_xml_element *e)
{
    struct cad_dash *p = ctx;
    if (p->skip_depth > 0) {
        p->skip_depth++;
        return CAD_OK;
    }
    if (!p->node) {
        if (!cad_str_eq(e->name, CAD_STR("MPD"))) return fail_here(p, "root", "the root is no MPD");
        p->ns = cad_arena_str(&p->scratch, e->ns);
        if (!p->ns.p) return cad_dash_fail_memory(p);
        return open_node(p, e, CAD_DASH_MPD);
    }
    enum cad_dash_element name = element_of(p, e);
    if (name == CAD_DASH_S && p->node->name == CAD_DASH_SEGMENT_TIMELINE) return open_s(p, e);
    if (name == CAD_DASH_UNKNOWN || name == CAD_DASH_S) {
        p->skip_depth = 1;
        return CAD_OK;
    }
    return open_node(p, e, name);
}

static bool has_text(enum cad_dash_element name)
{
    switch (name) {
    case CAD_DASH_BASE_URL:
    case CAD_DASH_LABEL:
    case CAD_DASH_LOCATION:
    case CAD_DASH_PATCH_LOCATION:
    case CAD_DASH_CONTENT_STEERING:
    case CAD_DASH_CENC_PSSH:
    case CAD_DASH_DASHIF_LAURL:
    case CAD_DASH_DASHIF_LAURL_OLD:
    case CAD_DASH_CLEARKEY_LAURL: return true;
    default: return false;
    }
}

static int on_close(void *ctx)
{
    struct cad_dash *p = ctx;
    if (p->skip_depth > 0) {
        p->skip_depth--;
        return CAD_OK;
    }
    struct cad_dash_node *node = p->node;
    if (has_text(node->name)) {
        node->text = cad_arena_str(&p->scratch, cad_str_trim(cad_sb_str(&p->text)));
        if (!node->text.p) return cad_dash_fail_memory(p);
    }
    p->node = node->parent;
    return CAD_OK;
}

static int on_text(void *ctx, cad_str piece)
{
    struct cad_dash *p = ctx;
    if (p->skip_depth > 0 || !p->node || !has_text(p->node->name)) return CAD_OK;
    cad_sb_put(&p->text, piece);
    if (cad_sb_error(&p->text) == 0) return CAD_OK;
    if (cad_sb_error(&p->text) == CAD_E_NOMEM) return cad_dash_fail_memory(p);
    p->error->line = cad_xml_line(p->xml);
    return cad_dash_fail_limit(p, NULL, "a too long text");
}

/* ---- the whole document ---------------------------------------------------------------------- */

int cad_dash_read_begin(struct cad_dash *p)
{
    const struct cad_manifest_limits *limits = &p->options->limits;
    struct cad_xml_limits xml = {
        .depth = limits->depth,
        .value_bytes = limits->string_bytes,
        .token_bytes = limits->string_bytes,
        .text_bytes = limits->document_bytes * UINT64_C(2),
        .total_bytes = limits->document_bytes,
    };
    struct cad_xml_handler handler = {p, on_open, on_close, on_text};
    cad_sb_init(&p->text, &p->options->alloc, CAD_MEM_MANIFEST, limits->string_bytes);
    int rc = cad_xml_create(&p->options->alloc, &xml, &handler, &p->xml);
    return rc == 0 ? CAD_OK : cad_dash_fail_memory(p);
}

/* Why the reader failed, unless it was a handler, which told itself. */
static int fail_xml(struct cad_dash *p, int rc)
{
    if (p->error->code != CAD_ERR_NONE) return rc;
    if (rc == CAD_E_NOMEM) return cad_dash_fail_memory(p);
    p->error->line = cad_xml_line(p->xml);
    if (rc == CAD_E_LIMIT) return cad_dash_fail_limit(p, NULL, cad_xml_message(p->xml));
    return cad_dash_fail(p, NULL, "xml", cad_xml_message(p->xml));
}

int cad_dash_read(struct cad_dash *p, cad_buf document, size_t bytes)
{
    size_t n = CAD_MIN(bytes, document.n - p->fed);
    cad_buf slice = {document.p + p->fed, n};
    p->fed += n;
    bool last = p->fed == document.n;
    int rc = cad_xml_feed(p->xml, slice, last);
    if (rc != 0) return fail_xml(p, rc);
    if (!last) return CAD_OK;
    cad_xml_destroy(&p->xml);
    cad_sb_deinit(&p->text);
    return 1;
}

/* ---- looking into the tree ------------------------------------------------------------------- */

const struct cad_dash_node *cad_dash_child(const struct cad_dash_node *node,
                                           enum cad_dash_element name)
{
    const struct cad_dash_group *group = node ? find_group(node, name) : NULL;
    return group ? group->first : NULL;
}

const struct cad_dash_node *cad_dash_next(const struct cad_dash_node *node)
{
    return node->next;
}

uint32_t cad_dash_count(const struct cad_dash_node *node, enum cad_dash_element name)
{
    const struct cad_dash_group *group = node ? find_group(node, name) : NULL;
    return group ? group->count : 0;
}

cad_str cad_dash_attr(const struct cad_dash_node *node, enum cad_dash_attribute name)
{
    for (uint32_t i = 0; node && i < node->attr_count; i++) {
        if (node->attrs[i].name == name) return node->attrs[i].value;
    }
    return (cad_str){NULL, 0};
}

int cad_dash_unreadable(struct cad_dash *p, const struct cad_dash_node *node,
                        enum cad_dash_attribute name)
{
    char memory[CAD_ERROR_MESSAGE_SIZE];
    struct cad_sb text;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    cad_sb_put(&text, CAD_STR("unreadable "));
    cad_sb_putz(&text, cad_dash_attribute_name(name));
    return cad_dash_fail(p, node, "attr", cad_sb_z(&text));
}

int cad_dash_get_number(struct cad_dash *p, const struct cad_dash_node *node,
                        enum cad_dash_attribute name, int64_t *out)
{
    cad_str text = cad_dash_attr(node, name);
    if (!text.p) return 0;
    return cad_dash_parse_number(text, out) ? 1 : cad_dash_unreadable(p, node, name);
}

int cad_dash_get_duration(struct cad_dash *p, const struct cad_dash_node *node,
                          enum cad_dash_attribute name, cad_dash_time *out)
{
    cad_str text = cad_dash_attr(node, name);
    if (!text.p) return 0;
    return cad_dash_parse_duration(text, out) ? 1 : cad_dash_unreadable(p, node, name);
}

int cad_dash_get_range(struct cad_dash *p, const struct cad_dash_node *node,
                       enum cad_dash_attribute name, struct cad_range *out)
{
    cad_str text = cad_dash_attr(node, name);
    if (!text.p) return 0;
    return cad_dash_parse_range(text, out) ? 1 : cad_dash_unreadable(p, node, name);
}
