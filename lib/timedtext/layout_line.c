/*
 * layout_line.c - a paragraph's characters to lines: breaking, heights, alignment.
 */
#include "timedtext/layout.h"

#include "base/util.h"

/* A paragraph while it is broken into lines. */
struct breaking {
    struct layout *l;
    const struct cad_text_paragraph *p;
    struct layout_text *text;
    struct layout_item strut;
    q6 room;    /* for the text of a line */
    q6 padding; /* at either end of a line */
    q6 height;  /* of a line; -1: normal */
    q6 reserve; /* for ruby */
    bool rtl;   /* lines start at the right */
    const struct layout_note *notes; /* those of lines to come */
};

/* ---- breaking -------------------------------------------------------------------------------- */

/*
 * From `from` on: the first character that is no more of the line. *end: behind its last one that
 * is no white space.
 */
static uint32_t break_line(const struct breaking *k, uint32_t from, uint32_t *end)
{
    const struct layout_char *chars = k->text->chars;
    uint32_t can = from; /* where it can break; from: nowhere */
    uint32_t could = from; /* where it can if it must */
    uint32_t i = from;
    q6 width = 0;
    for (; i < k->text->count && !(chars[i].flags & LAYOUT_FORCED); i++) {
        if (i > from && (chars[i].flags & LAYOUT_BREAK_BEFORE)) can = i;
        if (i > from && chars[i].glyphs > 0 && chars[i].span->look->wrap &&
            layout_is_unspaced(chars[i].code)) {
            could = i;
        }
        width += chars[i].advance;
        if (layout_is_space(chars[i].code) || width <= k->room) continue;
        if (can == from) can = could;
        if (can > from) {
            i = can;
            break;
        }
    }
    *end = i;
    while (*end > from && layout_is_space(chars[*end - 1].code)) (*end)--;
    return i;
}

/* ---- heights --------------------------------------------------------------------------------- */

static void take_height(const struct breaking *k, const struct layout_item *item, q6 *over,
                        q6 *under)
{
    q6 lead = item->gap;
    if (k->height >= 0) lead = k->height - item->ascent - item->descent;
    *over = CAD_MAX(*over, item->ascent + lead / 2);
    *under = CAD_MAX(*under, item->descent + lead - lead / 2);
}

bool layout_is_over(const struct layout *l, const struct layout_line *line,
                    enum cad_text_position position)
{
    bool before = position == CAD_TEXT_POSITION_BEFORE ||
                  (position == CAD_TEXT_POSITION_OUTSIDE && line->first);
    return before != l->under_first;
}

/* How much room ruby and emphasis take above and below the letters. */
static void take_notes(struct breaking *k, struct layout_line *line, q6 *above, q6 *below)
{
    if (k->p->reserve != CAD_TEXT_POSITION_NONE) {
        bool both = k->p->reserve == CAD_TEXT_POSITION_BOTH;
        bool is_above = layout_is_over(k->l, line, k->p->reserve);
        if (both || is_above) *above = k->reserve;
        if (both || !is_above) *below = k->reserve;
    }
    line->notes = k->notes;
    for (; k->notes && k->notes->from < line->to; k->notes = k->notes->next) {
        const struct layout_note *n = k->notes;
        line->note_count++;
        if (layout_is_over(k->l, line, n->position)) {
            *above = CAD_MAX(*above, n->ascent + n->descent);
        } else {
            *below = CAD_MAX(*below, n->ascent + n->descent);
        }
    }
}

static void set_height(struct breaking *k, struct layout_line *line)
{
    q6 over = 0;
    q6 under = 0;
    take_height(k, &k->strut, &over, &under);
    line->over = k->strut.ascent;
    line->under = k->strut.descent;
    for (uint32_t i = 0; i < line->piece_count; i++) {
        const struct layout_item *item = line->pieces[i].item;
        take_height(k, item, &over, &under);
        line->over = CAD_MAX(line->over, item->ascent);
        line->under = CAD_MAX(line->under, item->descent);
    }
    q6 above = 0;
    q6 below = 0;
    take_notes(k, line, &above, &below);
    if (above > 0) over = CAD_MAX(over, line->over + above);
    if (below > 0) under = CAD_MAX(under, line->under + below);
    line->base = over;
    line->height = CAD_MAX(over + under, 0);
}

/* ---- alignment ------------------------------------------------------------------------------- */

static q6 align(enum cad_text_align how, bool rtl, q6 slack)
{
    if (how == CAD_TEXT_ALIGN_CENTER) return slack / 2;
    return (how == CAD_TEXT_ALIGN_END) != rtl ? slack : 0;
}

/* What is missing to the full width goes to the spaces. */
static void justify(const struct breaking *k, struct layout_line *line)
{
    struct layout_char *chars = k->text->chars;
    q6 slack = k->room + 2 * k->padding - line->width;
    q6 spaces = 0;
    if (line->forced || slack <= 0) return;
    for (uint32_t i = line->from; i < line->to; i++) {
        if (layout_is_space(chars[i].code) && chars[i].glyphs > 0) spaces++;
    }
    if (spaces == 0) return;
    for (uint32_t i = line->from; i < line->to; i++) {
        if (layout_is_space(chars[i].code) && chars[i].glyphs > 0) {
            q6 share = slack / spaces--;
            chars[i].advance += share;
            slack -= share;
        }
    }
    line->width = k->room + 2 * k->padding;
}

static void align_lines(const struct breaking *k, struct layout_line *first)
{
    enum cad_text_align rows = k->p->multi_row;
    q6 whole = k->room + 2 * k->padding;
    q6 widest = 0;
    if (k->p->align == CAD_TEXT_ALIGN_JUSTIFY) {
        for (struct layout_line *line = first; line; line = line->next) justify(k, line);
    }
    for (struct layout_line *line = first; line; line = line->next) {
        widest = CAD_MAX(widest, line->width);
    }
    for (struct layout_line *line = first; line; line = line->next) {
        if (rows == CAD_TEXT_ALIGN_AUTO) {
            line->position = align(k->p->align, k->rtl, whole - line->width);
        } else {
            line->position = align(k->p->align, k->rtl, whole - widest) +
                             align(rows, k->rtl, widest - line->width);
        }
        (void)layout_place(line->text, line->pieces, line->piece_count,
                           line->position + line->padding);
    }
}

/* ---- paragraphs ------------------------------------------------------------------------------ */

/* tan of tts:shear, which is in parts of a right angle: good to 2 % up to 45 degrees. */
static q6 slant_of(int64_t shear)
{
    const int64_t whole = 100 * CAD_TEXT_PERCENT;
    int64_t s = CAD_MAX(-whole / 2, CAD_MIN(shear, whole / 2)) * 65536 / whole;
    int64_t a = s * 102944 / 65536; /* in radians, times 65536 */
    int64_t a2 = a * a / 65536;
    return a + a * a2 / 65536 / 3 + a * a2 / 65536 * a2 / 65536 * 2 / 15;
}

static int add_line(struct breaking *k, uint32_t from, uint32_t to, struct layout_line ***end)
{
    struct layout_line *line = cad_arena_new(&k->l->scratch, struct layout_line);
    if (!line) return layout_no_memory(k->l);
    line->text = k->text;
    line->from = from;
    line->to = to;
    line->fill_gap = k->p->fill_line_gap;
    if (!k->l->vertical) line->slant = slant_of(k->p->shear);
    for (uint32_t i = from; i < to; i++) line->width += k->text->chars[i].advance;
    if (line->width > 0) line->padding = k->padding;
    line->width += 2 * line->padding;
    **end = line;
    *end = &line->next;
    return layout_pieces(k->l, k->text, line);
}

static int make_lines(struct breaking *k, struct layout_line ***end)
{
    struct layout_line **first = *end;
    int rc = CAD_OK;
    uint32_t from = 0;
    for (bool more = true; more && rc == 0;) {
        uint32_t stop = from;
        struct layout_line **at = *end;
        uint32_t next = break_line(k, from, &stop);
        rc = add_line(k, from, stop, end);
        if (rc != 0) return rc;
        struct layout_line *last = *at;
        last->forced = next >= k->text->count || (k->text->chars[next].flags & LAYOUT_FORCED);
        /* Behind a break at the end there is no line. */
        if (last->forced && next < k->text->count) next++;
        more = next < k->text->count;
        from = next;
    }
    (*first)->first = true;
    align_lines(k, *first);
    return rc;
}

int layout_lines(struct layout *l, const struct cad_text_paragraph *p, q6 *top,
                 struct layout_line ***end)
{
    struct breaking k = {.l = l, .p = p, .rtl = p->rtl};
    struct layout_line **first = *end;
    k.text = cad_arena_new(&l->scratch, struct layout_text);
    if (!k.text) return layout_no_memory(l);
    int rc = layout_strut(l, p, &k.strut);
    if (rc == 0) {
        rc = layout_text_make(l, p->runs, p->rtl, p->bidi == CAD_TEXT_BIDI_OVERRIDE, k.text);
    }
    if (rc != 0) return rc;
    int64_t percent = l->options->user.size_percent;
    k.padding = CAD_MAX(layout_length(l, p->line_padding), 0);
    k.room = l->inline_size - 2 * k.padding;
    k.height = -1;
    if (!p->line_height_normal) {
        k.height = CAD_MAX(layout_length(l, p->line_height), 0);
        if (percent > 0) k.height = k.height * CAD_MAX(25, CAD_MIN(percent, 400)) / 100;
    }
    k.reserve = CAD_MAX(layout_length(l, p->reserve_length), 0);
    layout_breaks(k.text);
    k.notes = k.text->notes;
    rc = make_lines(&k, end);
    for (struct layout_line *line = *first; line && rc == 0; line = line->next) {
        set_height(&k, line);
        line->top = *top;
        *top += line->height;
    }
    return rc;
}
