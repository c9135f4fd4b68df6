/*
 * dump.c - all ISDs of a document as JSON, "cadmium-isd/1".
 *
 * One ISD is worked out and written at a time. Its regions are text, so that neighbours that show
 * the same are told by comparing text, whatever boundaries lie between them.
 */
#include <string.h>

#include "cadmium/text.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "timedtext/isd.h"
#include "timedtext/ttml.h"

#define DUMP_BYTES_MAX (UINT64_C(256) << 20)  /* of the JSON */
#define WORK_BYTES_MAX (UINT64_C(256) << 20)  /* of all ISDs, those that are joined too */
#define WORK_VISITS_MAX UINT64_C(10000000)    /* elements looked at for all ISDs */

static void key(struct cad_jsonw *w, const char *name)
{
    cad_jsonw_key(w, cad_str_from(name));
}

static void put_word(struct cad_jsonw *w, const char *name, const char *word)
{
    cad_jsonw_key_string(w, name, cad_str_from(word));
}

/* Millionths with four decimals, rounded to the nearest. */
static void put_number(struct cad_jsonw *w, int64_t millionths)
{
    int64_t half = millionths < 0 ? -50 : 50;
    cad_jsonw_fixed_trim(w, cad_add_sat_i64(millionths, half) / 100, 4);
}

static void put_length(struct cad_jsonw *w, struct cad_text_length l)
{
    cad_jsonw_array(w);
    put_number(w, l.w);
    put_number(w, l.h);
    cad_jsonw_end(w);
}

static void put_key_length(struct cad_jsonw *w, const char *name, struct cad_text_length l)
{
    key(w, name);
    put_length(w, l);
}

static void put_color(struct cad_jsonw *w, uint32_t color)
{
    static const char digits[] = "0123456789abcdef";
    char text[9] = {'#'};
    for (size_t i = 0; i < 8; i++) text[i + 1] = digits[color >> (28 - 4 * i) & 15u];
    cad_jsonw_string(w, cad_str_make(text, sizeof(text)));
}

static void put_key_color(struct cad_jsonw *w, const char *name, uint32_t color)
{
    key(w, name);
    put_color(w, color);
}

static const char *const aligns[] = {"start", "center", "end", "justify", "auto"};
static const char *const bidis[] = {"normal", "embed", "bidiOverride", "isolate"};
static const char *const positions[] = {"none", "before", "after", "outside", "both"};

static const char *direction(bool rtl)
{
    return rtl ? "rtl" : "ltr";
}

static void put_shown(struct cad_jsonw *w, bool visible, bool forced)
{
    put_word(w, "visibility", visible ? "visible" : "hidden");
    cad_jsonw_key_bool(w, "forced", forced);
}

static void put_families(struct cad_jsonw *w, const struct cad_text_families *families)
{
    key(w, "fontFamily");
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < families->count; i++) cad_jsonw_string(w, families->names[i]);
    cad_jsonw_end(w);
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void put_outline(struct cad_jsonw *w, const struct cad_text_outline *o)
{
    key(w, "outline");
    if (!o->on) {
        cad_jsonw_null(w);
        return;
    }
    cad_jsonw_object(w);
    put_key_color(w, "color", o->color);
    put_key_length(w, "thickness", o->thickness);
    cad_jsonw_end(w);
}

static void put_shadows(struct cad_jsonw *w, const struct cad_text_look *look)
{
    key(w, "shadow");
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < look->shadow_count; i++) {
        cad_jsonw_object(w);
        put_key_length(w, "x", look->shadows[i].x);
        put_key_length(w, "y", look->shadows[i].y);
        put_key_length(w, "blur", look->shadows[i].blur);
        put_key_color(w, "color", look->shadows[i].color);
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
}

static void put_emphasis(struct cad_jsonw *w, const struct cad_text_emphasis *e)
{
    static const char *const symbols[] = {"circle", "dot", "sesame"};
    key(w, "emphasis");
    if (!e->on) {
        cad_jsonw_null(w);
        return;
    }
    cad_jsonw_object(w);
    put_word(w, "style", e->open ? "open" : "filled");
    put_word(w, "symbol", symbols[e->symbol]);
    put_word(w, "position", positions[e->position]);
    put_key_color(w, "color", e->color);
    cad_jsonw_end(w);
}

static void put_decoration(struct cad_jsonw *w, uint32_t decoration)
{
    key(w, "decoration");
    cad_jsonw_array(w);
    if (decoration & CAD_TEXT_LINE_THROUGH) cad_jsonw_string(w, CAD_STR("lineThrough"));
    if (decoration & CAD_TEXT_OVERLINE) cad_jsonw_string(w, CAD_STR("overline"));
    if (decoration & CAD_TEXT_UNDERLINE) cad_jsonw_string(w, CAD_STR("underline"));
    cad_jsonw_end(w);
}

static void put_spans(struct cad_jsonw *w, const struct cad_text_look *look)
{
    key(w, "bg");
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < look->background_count; i++) put_color(w, look->backgrounds[i]);
    cad_jsonw_end(w);
    put_word(w, "direction", direction(look->rtl));
    key(w, "bidi");
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < look->embedding_count; i++) {
        cad_jsonw_array(w);
        cad_jsonw_string(w, cad_str_from(bidis[look->embeddings[i].bidi]));
        cad_jsonw_string(w, cad_str_from(direction(look->embeddings[i].rtl)));
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
}

static void put_text(struct cad_jsonw *w, const struct cad_text_run *run)
{
    static const char *const styles[] = {"normal", "italic", "oblique"};
    const struct cad_text_look *look = &run->look;
    cad_jsonw_key_string(w, "text", run->text);
    put_word(w, "space", run->preserve ? "preserve" : "default");
    cad_jsonw_key_string(w, "lang", run->lang);
    put_key_color(w, "color", look->color);
    put_families(w, &look->families);
    put_key_length(w, "fontSize", look->font_size);
    put_word(w, "fontStyle", styles[look->font_style]);
    put_word(w, "fontWeight", look->bold ? "bold" : "normal");
    put_decoration(w, look->decoration);
    put_spans(w, look);
    put_word(w, "wrap", look->wrap ? "wrap" : "noWrap");
    put_word(w, "combine", look->combine ? "all" : "none");
    put_outline(w, &look->outline);
    put_shadows(w, look);
    put_emphasis(w, &look->emphasis);
    put_shown(w, look->visible, look->forced);
}

/* Text and breaks; ruby does not nest. */
static void put_plain_runs(struct cad_jsonw *w, const struct cad_text_run *run)
{
    key(w, "runs");
    cad_jsonw_array(w);
    for (; run; run = run->next) {
        cad_jsonw_object(w);
        if (run->kind == CAD_TEXT_RUN_BREAK) cad_jsonw_key_bool(w, "br", true);
        else put_text(w, run);
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
}

static void put_ruby(struct cad_jsonw *w, const struct cad_text_run *run)
{
    static const char *const ruby_aligns[] = {"center", "spaceAround", "start", "spaceBetween",
                                              "withBase"};
    static const char *const roles[] = {"base", "text", "delimiter"};
    key(w, "ruby");
    cad_jsonw_object(w);
    put_word(w, "align", ruby_aligns[run->ruby_align]);
    key(w, "items");
    cad_jsonw_array(w);
    for (const struct cad_text_ruby_item *item = run->ruby_items; item; item = item->next) {
        cad_jsonw_object(w);
        put_word(w, "role", roles[item->role]);
        if (item->role != CAD_TEXT_RUBY_BASE) put_word(w, "position", positions[item->position]);
        put_plain_runs(w, item->runs);
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
    cad_jsonw_end(w);
}

static void put_runs(struct cad_jsonw *w, const struct cad_text_run *run)
{
    key(w, "runs");
    cad_jsonw_array(w);
    for (; run; run = run->next) {
        cad_jsonw_object(w);
        if (run->kind == CAD_TEXT_RUN_BREAK) cad_jsonw_key_bool(w, "br", true);
        else if (run->kind == CAD_TEXT_RUN_RUBY) put_ruby(w, run);
        else put_text(w, run);
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
}

/* ---- blocks and regions ---------------------------------------------------------------------- */

static void put_paragraph(struct cad_jsonw *w, const struct cad_text_paragraph *p)
{
    cad_jsonw_key_string(w, "lang", p->lang);
    put_word(w, "textAlign", aligns[p->align]);
    put_word(w, "direction", direction(p->rtl));
    put_word(w, "unicodeBidi", bidis[p->bidi]);
    put_families(w, &p->families);
    put_key_length(w, "fontSize", p->font_size);
    if (p->line_height_normal) put_word(w, "lineHeight", "normal");
    else put_key_length(w, "lineHeight", p->line_height);
    put_key_length(w, "linePadding", p->line_padding);
    put_word(w, "multiRowAlign", aligns[p->multi_row]);
    cad_jsonw_key_bool(w, "fillLineGap", p->fill_line_gap);
    key(w, "rubyReserve");
    if (p->reserve == CAD_TEXT_POSITION_NONE) {
        cad_jsonw_null(w);
    } else {
        cad_jsonw_array(w);
        cad_jsonw_string(w, cad_str_from(positions[p->reserve]));
        put_length(w, p->reserve_length);
        cad_jsonw_end(w);
    }
    key(w, "shear");
    put_number(w, p->shear);
    put_runs(w, p->runs);
}

/* What stands before the blocks of a div, or all of another block. */
static void put_block(struct cad_jsonw *w, const struct cad_text_block *block)
{
    static const char *const kinds[] = {"p", "div", "image"};
    put_word(w, "kind", kinds[block->kind]);
    if (block->kind == CAD_TEXT_BLOCK_IMAGE) cad_jsonw_key_string(w, "src", block->src);
    else put_key_color(w, "bg", block->background);
    put_shown(w, block->visible, block->forced && !block->element);
    if (block->kind == CAD_TEXT_BLOCK_P) put_paragraph(w, &block->p);
}

/* Divs nest as deep as elements may: the way back up is kept here. */
static void put_blocks(struct cad_jsonw *w, const struct cad_text_block *block)
{
    const struct cad_text_block *above[CAD_JSONW_DEPTH_MAX];
    uint32_t depth = 0;
    key(w, "blocks");
    cad_jsonw_array(w);
    while (block || depth > 0) {
        if (!block) {
            cad_jsonw_end(w);
            cad_jsonw_end(w);
            block = above[--depth]->next;
            continue;
        }
        cad_jsonw_object(w);
        put_block(w, block);
        if (block->kind == CAD_TEXT_BLOCK_DIV && depth < CAD_ARRAY_LEN(above)) {
            key(w, "blocks");
            cad_jsonw_array(w);
            above[depth++] = block;
            block = block->blocks;
            continue;
        }
        cad_jsonw_end(w);
        block = block->next;
    }
    cad_jsonw_end(w);
}

static void put_region(struct cad_jsonw *w, const struct cad_text_region *r)
{
    static const char *const display_aligns[] = {"before", "center", "after"};
    static const char *const modes[] = {"lrtb", "rltb", "tbrl", "tblr"};
    cad_jsonw_object(w);
    cad_jsonw_key_string(w, "id", r->id);
    key(w, "origin");
    cad_jsonw_array(w);
    put_length(w, r->x);
    put_length(w, r->y);
    cad_jsonw_end(w);
    key(w, "extent");
    cad_jsonw_array(w);
    put_length(w, r->width);
    put_length(w, r->height);
    cad_jsonw_end(w);
    key(w, "padding");
    cad_jsonw_array(w);
    for (size_t i = 0; i < 4; i++) put_length(w, r->padding[i]);
    cad_jsonw_end(w);
    put_word(w, "displayAlign", display_aligns[r->display_align]);
    put_word(w, "writingMode", modes[r->writing_mode]);
    put_word(w, "overflow", r->overflow_visible ? "visible" : "hidden");
    put_word(w, "showBackground", r->show_always ? "always" : "whenActive");
    put_key_color(w, "bg", r->background);
    key(w, "opacity");
    put_number(w, r->opacity);
    put_shown(w, r->visible, r->forced);
    key(w, "zIndex");
    if (r->z_auto) cad_jsonw_null(w);
    else cad_jsonw_i64(w, r->z_index);
    put_blocks(w, r->blocks);
    cad_jsonw_end(w);
}

/* ---- the document ---------------------------------------------------------------------------- */

struct dump {
    const struct cad_text *text;
    struct cad_sb out;
    struct cad_jsonw w;
    struct cad_sb shown; /* regions of the interval that waits; empty: none does */
    struct cad_sb next;  /* of the one in hand */
    uint64_t bytes, visits;   /* so far, against the limits of work */
    int64_t begin_us, end_us; /* of the one that waits; end -1: it stays */
};

static int64_t microseconds(cad_time t)
{
    return t == CAD_TIME_MAX ? -1 : cad_add_sat_i64(t, 500) / 1000;
}

static void write_waiting(struct dump *d)
{
    if (d->shown.n == 0) return;
    cad_jsonw_object(&d->w);
    cad_jsonw_key_i64(&d->w, "begin", d->begin_us);
    key(&d->w, "end");
    if (d->end_us < 0) cad_jsonw_null(&d->w);
    else cad_jsonw_i64(&d->w, d->end_us);
    key(&d->w, "regions");
    cad_jsonw_raw(&d->w, cad_sb_str(&d->shown));
    cad_jsonw_end(&d->w);
    cad_sb_reset(&d->shown);
}

/* Writes the regions of an ISD that has some. */
static int write_regions(struct dump *d, const struct cad_text_isd *isd)
{
    struct cad_jsonw w;
    cad_sb_reset(&d->next);
    if (!isd->regions) return CAD_OK;
    cad_jsonw_init(&w, &d->next);
    cad_jsonw_array(&w);
    for (const struct cad_text_region *r = isd->regions; r; r = r->next) put_region(&w, r);
    cad_jsonw_end(&w);
    return cad_jsonw_error(&w);
}

static int add_isd(struct dump *d, cad_time at)
{
    struct cad_text_isd *isd = NULL;
    int rc = cad_text_isd_at(d->text, at, &isd);
    if (rc != 0) return rc;
    int64_t begin = microseconds(isd->begin);
    int64_t end = microseconds(isd->end);
    rc = write_regions(d, isd);
    d->visits += isd_visits(isd);
    d->bytes += d->next.n;
    cad_text_isd_destroy(&isd);
    if (d->visits > WORK_VISITS_MAX || d->bytes > WORK_BYTES_MAX) return CAD_E_LIMIT;
    if (rc != 0 || begin == end) return rc;
    bool same = d->next.n > 0 && cad_str_eq(cad_sb_str(&d->next), cad_sb_str(&d->shown));
    if (same && d->end_us == begin) {
        d->end_us = end;
        return CAD_OK;
    }
    write_waiting(d);
    if (d->next.n == 0) return CAD_OK;
    struct cad_sb empty = d->shown;
    d->shown = d->next;
    d->next = empty;
    d->begin_us = begin;
    d->end_us = end;
    return CAD_OK;
}

static void put_aspect(struct dump *d)
{
    uint32_t width = 0;
    uint32_t height = 0;
    key(&d->w, "aspectRatio");
    if (!cad_text_aspect_ratio(d->text, &width, &height)) {
        cad_jsonw_null(&d->w);
        return;
    }
    int64_t twice = cad_muldiv_floor_i64(width, 2 * TTML_MICRO, height);
    cad_jsonw_fixed_trim(&d->w, (twice + 1) / 2, 6);
}

static int write_document(struct dump *d)
{
    cad_jsonw_object(&d->w);
    put_word(&d->w, "format", "cadmium-isd/1");
    cad_jsonw_key_string(&d->w, "lang", cad_text_lang(d->text));
    put_aspect(d);
    key(&d->w, "isds");
    cad_jsonw_array(&d->w);
    for (size_t i = 0; i < cad_text_boundary_count(d->text); i++) {
        int rc = add_isd(d, cad_text_boundary(d->text, i));
        if (rc != 0) return rc;
    }
    write_waiting(d);
    cad_jsonw_end(&d->w);
    cad_jsonw_end(&d->w);
    return cad_jsonw_error(&d->w);
}

/* Exactly as much memory as there is text: the caller frees by its length. */
static int give(struct dump *d, cad_buf *out)
{
    cad_str text = cad_sb_str(&d->out);
    uint8_t *copy = cad_alloc_new(&d->text->alloc, text.n, CAD_MEM_OTHER);
    if (!copy) return CAD_E_NOMEM;
    memcpy(copy, text.p, text.n);
    *out = (cad_buf){copy, text.n};
    return CAD_OK;
}

int cad_text_dump(const struct cad_text *text, cad_buf *out)
{
    if (!text || !out) return CAD_E_INVAL;
    struct dump d = {.text = text};
    size_t max = (size_t)DUMP_BYTES_MAX;
    cad_sb_init(&d.out, &text->alloc, CAD_MEM_OTHER, max);
    cad_sb_init(&d.shown, &text->alloc, CAD_MEM_OTHER, max);
    cad_sb_init(&d.next, &text->alloc, CAD_MEM_OTHER, max);
    cad_jsonw_init(&d.w, &d.out);
    int rc = write_document(&d);
    if (rc == 0) rc = give(&d, out);
    cad_sb_deinit(&d.out);
    cad_sb_deinit(&d.shown);
    cad_sb_deinit(&d.next);
    return rc;
}
