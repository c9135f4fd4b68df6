/*
 * ttml_style.c - specified, inherited, initial and computed values (TTML2 10.4.4).
 *
 * Computation is made where a value is specified; what is inherited is the computed value. A length
 * that cannot be computed (pixels without tts:extent on tt) gives way to the initial value.
 */
#include "timedtext/ttml_style.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

static const cad_str default_families[] = {CAD_STR_INIT("monospaceSerif")};

/* ---- lengths --------------------------------------------------------------------------------- */

enum axis { AXIS_W, AXIS_H };

/* What a length is of. */
struct basis {
    const struct cad_text *text;
    enum axis axis;                         /* of cells and pixels */
    const struct cad_text_length *em;       /* NULL: em is no unit here */
    const struct cad_text_length *percent;  /* NULL: % is no unit here */
};

static const struct cad_text_length root_w = {TTML_ROOT, 0};
static const struct cad_text_length root_h = {0, TTML_ROOT};

static struct cad_text_length times(const struct cad_text_length *l, int64_t by, int64_t of)
{
    return (struct cad_text_length){cad_muldiv_floor_i64(l->w, by, of),
                                    cad_muldiv_floor_i64(l->h, by, of)};
}

static struct cad_text_length along(enum axis axis, int64_t value)
{
    struct cad_text_length l = {0, 0};
    if (axis == AXIS_W) l.w = value;
    else l.h = value;
    return l;
}

static bool compute(const struct basis *b, const struct ttml_length *l, struct cad_text_length *out)
{
    const struct cad_text *text = b->text;
    int64_t px = b->axis == AXIS_W ? text->px_w : text->px_h;
    int64_t cells = b->axis == AXIS_W ? text->cell_columns : text->cell_rows;
    switch (l->unit) {
    case TTML_EM:
        if (!b->em) return false;
        *out = times(b->em, l->value, TTML_MICRO);
        return true;
    case TTML_PERCENT:
        if (!b->percent) return false;
        *out = times(b->percent, l->value, 100 * TTML_MICRO);
        return true;
    case TTML_C:
        *out = along(b->axis, cad_muldiv_floor_i64(l->value, TTML_ROOT, cells * TTML_MICRO));
        return true;
    case TTML_PX:
        if (px == 0) return false;
        *out = along(b->axis, cad_muldiv_floor_i64(l->value, TTML_ROOT, px));
        return true;
    case TTML_RW: *out = along(AXIS_W, l->value); return true;
    case TTML_RH: *out = along(AXIS_H, l->value); return true;
    }
    return false;
}

static struct cad_text_length minus(struct cad_text_length a, struct cad_text_length b)
{
    return (struct cad_text_length){cad_sub_sat_i64(a.w, b.w), cad_sub_sat_i64(a.h, b.h)};
}

static struct basis of_font(const struct cad_text *text, const struct ttml_style *s, enum axis axis)
{
    return (struct basis){text, axis, &s->look.font_size, &s->look.font_size};
}

/* ---- regions --------------------------------------------------------------------------------- */

static void compute_extent(const struct cad_text *text, const struct ttml_value *v,
                           struct cad_text_region *r)
{
    struct basis w = {text, AXIS_W, NULL, &root_w};
    struct basis h = {text, AXIS_H, NULL, &root_h};
    struct cad_text_length lengths[2];
    if (v->automatic || !compute(&w, &v->lengths[0], &lengths[0]) ||
        !compute(&h, &v->lengths[1], &lengths[1])) {
        lengths[0] = root_w;
        lengths[1] = root_h;
    }
    r->width = lengths[0];
    r->height = lengths[1];
}

static void compute_origin(const struct cad_text *text, const struct ttml_value *v,
                           struct cad_text_region *r)
{
    struct basis w = {text, AXIS_W, NULL, &root_w};
    struct basis h = {text, AXIS_H, NULL, &root_h};
    struct cad_text_length lengths[2];
    if (v->automatic || !compute(&w, &v->lengths[0], &lengths[0]) ||
        !compute(&h, &v->lengths[1], &lengths[1])) {
        memset(lengths, 0, sizeof(lengths));
    }
    r->x = lengths[0];
    r->y = lengths[1];
}

/* Percentages are of what the extent leaves free; right and bottom count from the far edge. */
static void compute_position(const struct cad_text *text, const struct ttml_value *v,
                             struct cad_text_region *r)
{
    struct cad_text_length free_w = minus(root_w, r->width);
    struct cad_text_length free_h = minus(root_h, r->height);
    struct basis w = {text, AXIS_W, NULL, &free_w};
    struct basis h = {text, AXIS_H, NULL, &free_h};
    struct cad_text_length x;
    struct cad_text_length y;
    if (!compute(&w, &v->lengths[0], &x) || !compute(&h, &v->lengths[1], &y)) return;
    r->x = v->u.edges[0] == TTML_EDGE_RIGHT ? minus(free_w, x) : x;
    r->y = v->u.edges[1] == TTML_EDGE_BOTTOM ? minus(free_h, y) : y;
}

/* Which of before, end, after, start (0 to 3) is top, right, bottom, left. */
static const uint8_t sides[][4] = {
    [CAD_TEXT_LRTB] = {0, 1, 2, 3},
    [CAD_TEXT_RLTB] = {0, 3, 2, 1},
    [CAD_TEXT_TBRL] = {3, 0, 1, 2},
    [CAD_TEXT_TBLR] = {3, 2, 1, 0},
};

static void compute_padding(const struct cad_text *text, const struct ttml_value *v,
                            struct ttml_style *s)
{
    /* One to four lengths: before, end, after, start. */
    static const uint8_t given[5][4] = {
        {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 1, 0, 1}, {0, 1, 2, 1}, {0, 1, 2, 3}};
    struct cad_text_region *r = &s->region;
    struct cad_text_length padding[4];
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t logical = sides[r->writing_mode][i];
        const struct ttml_length *l = &v->lengths[given[v->length_count][logical]];
        bool vertical = i == 0 || i == 2;
        struct basis b = {text, vertical ? AXIS_H : AXIS_W, &s->look.font_size,
                          vertical ? &r->height : &r->width};
        padding[i] = (struct cad_text_length){0, 0};
        if (l->value != 0 && !compute(&b, l, &padding[i])) return;
    }
    memcpy(r->padding, padding, sizeof(padding));
}

/* ---- text ------------------------------------------------------------------------------------ */

static void compute_font_size(const struct cad_text *text, const struct ttml_value *v,
                              const struct ttml_style *parent, struct ttml_style *s)
{
    struct cad_text_length cell = along(AXIS_H, TTML_ROOT / text->cell_rows);
    const struct cad_text_length *of = parent ? &parent->look.font_size : &cell;
    struct basis b = {text, AXIS_H, of, of};
    struct cad_text_length size;
    s->look.font_size = compute(&b, &v->lengths[0], &size) ? size : cell;
}

static void compute_line_height(const struct cad_text *text, const struct ttml_value *v,
                                struct ttml_style *s)
{
    struct basis b = of_font(text, s, AXIS_H);
    s->p.line_height = (struct cad_text_length){0, 0};
    s->p.line_height_normal = v->automatic || !compute(&b, &v->lengths[0], &s->p.line_height);
}

static void compute_outline(const struct cad_text *text, const struct ttml_value *v,
                            struct ttml_style *s)
{
    struct cad_text_outline o = {0};
    struct basis b = of_font(text, s, AXIS_H);
    if (v->length_count > 0 && compute(&b, &v->lengths[0], &o.thickness)) {
        o.on = true;
        o.color = v->number < 0 ? s->look.color : (uint32_t)v->number;
    }
    s->look.outline = o;
}

static int compute_shadows(const struct ttml_style_context *c, const struct ttml_value *v,
                           struct ttml_style *s)
{
    struct basis w = of_font(c->text, s, AXIS_W);
    struct basis h = of_font(c->text, s, AXIS_H);
    struct cad_text_shadow *made = NULL;
    s->look.shadows = NULL;
    s->look.shadow_count = 0;
    if (v->u.shadows.count == 0) return CAD_OK;
    made = cad_arena_array(c->arena, struct cad_text_shadow, v->u.shadows.count);
    if (!made) return cad_arena_error(c->arena);
    for (uint32_t i = 0; i < v->u.shadows.count; i++) {
        const struct ttml_shadow *from = &v->u.shadows.items[i];
        if (!compute(&w, &from->x, &made[i].x) || !compute(&h, &from->y, &made[i].y)) return CAD_OK;
        if (from->blur.value != 0 && !compute(&h, &from->blur, &made[i].blur)) return CAD_OK;
        made[i].color = from->text_color ? s->look.color : from->color;
    }
    s->look.shadows = made;
    s->look.shadow_count = v->u.shadows.count;
    return CAD_OK;
}

static void compute_emphasis(const struct ttml_value *v, struct ttml_style *s)
{
    struct cad_text_emphasis e = v->u.emphasis;
    if (e.on && v->automatic) {
        e.open = false; /* auto follows the writing mode */
        e.symbol = s->vertical ? CAD_TEXT_SESAME : CAD_TEXT_CIRCLE;
    }
    if (!e.on) memset(&e, 0, sizeof(e));
    s->emphasis_current = e.on && v->number < 0;
    if (e.on && v->number >= 0) e.color = (uint32_t)v->number;
    s->look.emphasis = e;
}

static void compute_reserve(const struct cad_text *text, const struct ttml_value *v,
                            struct ttml_style *s)
{
    struct basis b = of_font(text, s, AXIS_H);
    s->p.reserve = (enum cad_text_position)v->number;
    s->p.reserve_length = (struct cad_text_length){0, 0};
    if (s->p.reserve == CAD_TEXT_POSITION_NONE) return;
    if (v->length_count == 0) {
        s->p.reserve_length = times(&s->look.font_size, 1, 2);
    } else if (!compute(&b, &v->lengths[0], &s->p.reserve_length)) {
        s->p.reserve = CAD_TEXT_POSITION_NONE;
    }
}

static void compute_line_padding(const struct cad_text *text, const struct ttml_value *v,
                                 struct ttml_style *s)
{
    struct basis b = {text, AXIS_W, NULL, NULL};
    s->p.line_padding = (struct cad_text_length){0, 0};
    (void)compute(&b, &v->lengths[0], &s->p.line_padding);
}

/* ---- the cascade ----------------------------------------------------------------------------- */

static void put(const struct ttml_value *table[TTML_PROPS], const struct ttml_specified *from)
{
    for (uint32_t i = 0; i < from->ref_count; i++) {
        for (size_t k = 0; k < TTML_PROPS; k++) {
            if (from->refs[i]->values[k]) table[k] = from->refs[i]->values[k];
        }
    }
    for (size_t k = 0; from->nested && k < TTML_PROPS; k++) {
        if (from->nested[k]) table[k] = from->nested[k];
    }
    for (uint32_t i = 0; i < from->value_count; i++) table[from->values[i]->prop] = from->values[i];
}

static void put_initials(const struct cad_text *text, const struct ttml_value *table[TTML_PROPS],
                         bool is_region)
{
    bool has_origin = table[TTML_ORIGIN] != NULL;
    bool has_position = table[TTML_POSITION] != NULL;
    for (size_t i = 0; i < TTML_PROPS; i++) {
        if (table[i] || !text->initials[i]) continue;
        if (!is_region && ttml_prop_inherited((enum ttml_prop)i)) continue;
        if (i == TTML_ORIGIN && has_position) continue;
        if (i == TTML_POSITION && has_origin) continue;
        table[i] = text->initials[i];
    }
}

static void set_initial(const struct cad_text *text, struct ttml_style *s)
{
    memset(s, 0, sizeof(*s));
    s->look.color = 0xffffffffu;
    s->look.families = (struct cad_text_families){default_families, 1};
    s->look.font_size = along(AXIS_H, TTML_ROOT / text->cell_rows);
    s->look.wrap = s->look.visible = true;
    s->ruby_position = CAD_TEXT_POSITION_OUTSIDE;
    s->p.line_height_normal = true;
    s->p.multi_row = CAD_TEXT_ALIGN_AUTO;
}

static void set_not_inherited(struct ttml_style *s)
{
    s->background = 0;
    s->displayed = true;
    s->ruby = TTML_RUBY_NONE;
    s->image = CAD_STR("");
    s->p.bidi = CAD_TEXT_BIDI_NORMAL;
    s->region = (struct cad_text_region){
        .width = root_w, .height = root_h, .show_always = true, .z_auto = true,
        .opacity = TTML_MICRO};
}

/* Ruby text is half as large as what it stands over unless it says so. */
static void ruby_font_size(const struct ttml_value *ruby, const struct ttml_style *parent,
                           struct ttml_style *s)
{
    bool container = ruby->number == TTML_RUBY_TEXT_CONTAINER;
    bool text = ruby->number == TTML_RUBY_TEXT && parent->ruby != TTML_RUBY_TEXT_CONTAINER;
    if (container || text) s->look.font_size = times(&parent->look.font_size, 1, 2);
}

/* ---- one property ---------------------------------------------------------------------------- */

static void apply_region(const struct cad_text *text, const struct ttml_value *v,
                         struct ttml_style *s)
{
    struct cad_text_region *r = &s->region;
    switch (v->prop) {
    case TTML_WRITING_MODE: r->writing_mode = (enum cad_text_writing_mode)v->number; break;
    case TTML_EXTENT: compute_extent(text, v, r); break;
    case TTML_ORIGIN: compute_origin(text, v, r); break;
    case TTML_POSITION: compute_position(text, v, r); break;
    case TTML_PADDING: compute_padding(text, v, s); break;
    case TTML_DISPLAY_ALIGN: r->display_align = (enum cad_text_display_align)v->number; break;
    case TTML_OPACITY: r->opacity = v->number; break;
    case TTML_OVERFLOW: r->overflow_visible = v->number != 0; break;
    case TTML_SHOW_BACKGROUND: r->show_always = v->number != 0; break;
    case TTML_Z_INDEX:
        r->z_auto = v->automatic;
        r->z_index = (int32_t)v->number;
        break;
    default: break;
    }
}

static void apply_paragraph(const struct cad_text *text, const struct ttml_value *v,
                            struct ttml_style *s)
{
    switch (v->prop) {
    case TTML_FILL_LINE_GAP: s->p.fill_line_gap = v->number != 0; break;
    case TTML_LINE_HEIGHT: compute_line_height(text, v, s); break;
    case TTML_LINE_PADDING: compute_line_padding(text, v, s); break;
    case TTML_MULTI_ROW_ALIGN: s->p.multi_row = (enum cad_text_align)v->number; break;
    case TTML_RUBY_RESERVE: compute_reserve(text, v, s); break;
    case TTML_SHEAR: s->p.shear = v->number; break;
    case TTML_TEXT_ALIGN: s->p.align = (enum cad_text_align)v->number; break;
    case TTML_UNICODE_BIDI: s->p.bidi = (enum cad_text_bidi)v->number; break;
    default: break;
    }
}

static int apply_text(const struct ttml_style_context *c, const struct ttml_value *v,
                      struct ttml_style *s)
{
    struct cad_text_look *look = &s->look;
    switch (v->prop) {
    case TTML_COLOR: look->color = (uint32_t)v->number; break;
    case TTML_DIRECTION: look->rtl = v->number != 0; break;
    case TTML_BACKGROUND_COLOR: s->background = (uint32_t)v->number; break;
    case TTML_DISPLAY: s->displayed = v->number != 0; break;
    case TTML_FONT_FAMILY: look->families = v->u.families; break;
    case TTML_FONT_STYLE: look->font_style = (enum cad_text_font_style)v->number; break;
    case TTML_FONT_WEIGHT: look->bold = v->number != 0; break;
    case TTML_FORCED_DISPLAY: look->forced = v->number != 0; break;
    case TTML_IMAGE: s->image = v->u.text; break;
    case TTML_RUBY: s->ruby = (enum ttml_ruby)v->number; break;
    case TTML_RUBY_ALIGN: s->ruby_align = (enum cad_text_ruby_align)v->number; break;
    case TTML_RUBY_POSITION: s->ruby_position = (enum cad_text_position)v->number; break;
    case TTML_TEXT_COMBINE: look->combine = v->number != 0; break;
    case TTML_TEXT_DECORATION:
        look->decoration = (look->decoration & ~v->u.decoration.off) | v->u.decoration.on;
        break;
    case TTML_TEXT_EMPHASIS: compute_emphasis(v, s); break;
    case TTML_TEXT_OUTLINE: compute_outline(c->text, v, s); break;
    case TTML_TEXT_SHADOW: return compute_shadows(c, v, s);
    case TTML_VISIBILITY: look->visible = v->number != 0; break;
    case TTML_WRAP_OPTION: look->wrap = v->number != 0; break;
    default: break;
    }
    return CAD_OK;
}

static void gather(const struct ttml_style_context *c, const struct ttml_node *node,
                   const struct ttml_value *table[TTML_PROPS])
{
    put(table, &node->specified);
    for (const struct ttml_node *set = node->sets; set; set = set->next) {
        if (c->at >= set->begin && c->at < set->end) put(table, &set->specified);
    }
}

/* XSL 7.29.1: a writing mode brings its direction, unless one is given. */
static void direction_of_mode(const struct ttml_value *const table[TTML_PROPS],
                              struct ttml_style *s)
{
    const struct ttml_value *mode = table[TTML_WRITING_MODE];
    if (!mode || table[TTML_DIRECTION]) return;
    if (mode->number == CAD_TEXT_LRTB) s->look.rtl = false;
    if (mode->number == CAD_TEXT_RLTB) s->look.rtl = true;
}

int ttml_style_compute(const struct ttml_style_context *context, const struct ttml_node *node,
                       const struct ttml_style *parent, struct ttml_style *out)
{
    const struct ttml_value *table[TTML_PROPS] = {0};
    gather(context, node, table);
    if (parent) *out = *parent;
    else set_initial(context->text, out);
    set_not_inherited(out);
    direction_of_mode(table, out);
    put_initials(context->text, table, !parent);
    if (table[TTML_FONT_SIZE]) {
        compute_font_size(context->text, table[TTML_FONT_SIZE], parent, out);
    } else if (parent && node->kind == TTML_SPAN && table[TTML_RUBY]) {
        ruby_font_size(table[TTML_RUBY], parent, out);
    }
    if (!parent && table[TTML_WRITING_MODE]) {
        out->vertical = table[TTML_WRITING_MODE]->number >= CAD_TEXT_TBRL;
    }
    for (size_t i = 0; i < TTML_PROPS; i++) {
        if (!table[i]) continue;
        if (!parent) apply_region(context->text, table[i], out);
        apply_paragraph(context->text, table[i], out);
        int rc = apply_text(context, table[i], out);
        if (rc != 0) return rc;
    }
    return CAD_OK;
}
