/*
 * layout_paint.c - a line in layers: backgrounds, shadows, outlines, lines under and over, letters,
 * lines through; and its words.
 */
#include "timedtext/layout.h"

#include <string.h>

#include "base/utf8.h"
#include "base/util.h"

enum layer { BACKGROUND, SHADOW, OUTLINE, UNDER, FILL, THROUGH, LAYERS };

/* A line's text, or that of a note on it. */
struct strip {
    const struct layout_line *line;
    const struct layout_text *text;
    const struct layout_piece *pieces;
    uint32_t count;
    q6 base;    /* d */
    bool whole; /* the line's own text, with its padding */
};

/* ---- edges ----------------------------------------------------------------------------------- */

/* Outline and shadows of a span: the document's, or the user's. */
struct edge {
    q6 stroke;
    uint32_t stroke_color;
    const struct cad_text_shadow *shadows; /* NULL: x, y, blur and color, if that has any */
    uint32_t shadow_count;
    q6 x, y, blur;
    uint32_t color;
};

static struct edge edge_of(const struct layout *l, const struct layout_span *span)
{
    const struct cad_text_look *look = span->look;
    const struct cad_text_user *user = &l->options->user;
    struct edge e = {0};
    q6 small = CAD_MAX(span->size / 24, 48);
    switch (user->edge) {
    case CAD_TEXT_EDGE_AUTHORED:
        e.shadows = look->shadows;
        e.shadow_count = look->shadow_count;
        if (!look->outline.on) break;
        e.stroke = CAD_MIN(layout_length(l, look->outline.thickness), LAYOUT_STROKE_MAX);
        e.stroke_color = look->outline.color;
        break;
    case CAD_TEXT_EDGE_OUTLINE:
        e.stroke = small;
        e.stroke_color = user->edge_color;
        break;
    case CAD_TEXT_EDGE_SHADOW:
        e = (struct edge){.shadow_count = 1, .x = 2 * small, .y = 2 * small, .blur = 2 * small};
        break;
    case CAD_TEXT_EDGE_RAISED:
        e = (struct edge){.shadow_count = 1, .x = small, .y = small};
        break;
    case CAD_TEXT_EDGE_DEPRESSED:
        e = (struct edge){.shadow_count = 1, .x = -small, .y = -small};
        break;
    case CAD_TEXT_EDGE_NONE:
        break;
    }
    if (!e.shadows) e.color = user->edge_color;
    return e;
}

/* ---- layers ---------------------------------------------------------------------------------- */

static uint32_t color_of(const struct layout *l, const struct layout_span *span)
{
    const struct cad_text_user *user = &l->options->user;
    return user->set & CAD_TEXT_USER_COLOR ? user->color : span->look->color;
}

static int paint_back(struct layout *l, const struct strip *s, uint32_t p)
{
    const struct layout_piece *piece = &s->pieces[p];
    const struct cad_text_look *look = piece->item->span->look;
    const struct cad_text_user *user = &l->options->user;
    q6 i[2] = {piece->position, piece->position + piece->width};
    q6 d[2] = {s->base - piece->item->ascent, s->base + piece->item->descent};
    if (s->whole && p == 0) i[0] -= s->line->padding;
    if (s->whole && p + 1 == s->count) i[1] += s->line->padding;
    if (s->whole && s->line->fill_gap) {
        d[0] = 0;
        d[1] = s->line->height;
    }
    struct layout_rect rect = layout_rect_of(l, s->line, i, d);
    if (user->set & CAD_TEXT_USER_BACKGROUND) return layout_fill(l, &rect, user->background);
    int rc = CAD_OK;
    for (uint32_t b = 0; b < look->background_count && rc == 0; b++) {
        rc = layout_fill(l, &rect, look->backgrounds[b]);
    }
    return rc;
}

static int paint_shadows(struct layout *l, const struct edge *e, struct layout_ink *ink)
{
    int rc = CAD_OK;
    for (uint32_t i = e->shadow_count; i > 0 && rc == 0; i--) { /* the first one is on top */
        ink->x = e->x;
        ink->y = e->y;
        ink->blur = e->blur;
        ink->color = e->color;
        if (e->shadows) {
            ink->x = layout_length(l, e->shadows[i - 1].x);
            ink->y = layout_length(l, e->shadows[i - 1].y);
            ink->blur = layout_length(l, e->shadows[i - 1].blur);
            ink->color = e->shadows[i - 1].color;
        }
        ink->blur = CAD_MAX(0, CAD_MIN(ink->blur, LAYOUT_BLUR_MAX));
        rc = layout_glyphs(l, ink);
    }
    return rc;
}

/* A straight line `middle` below the base line. */
static int paint_rule(struct layout *l, const struct strip *s, const struct layout_piece *piece,
                      q6 middle)
{
    q6 thick = CAD_MAX((piece->item->thickness + 32) & ~(q6)63, 64);
    q6 top = (s->base + middle - thick / 2 + 32) & ~(q6)63;
    const q6 i[2] = {piece->position, piece->position + piece->width};
    const q6 d[2] = {top, top + thick};
    struct layout_rect rect = layout_rect_of(l, s->line, i, d);
    return layout_fill(l, &rect, color_of(l, piece->item->span));
}

static int paint_rules(struct layout *l, const struct strip *s, const struct layout_piece *piece,
                       uint32_t which)
{
    const struct layout_item *item = piece->item;
    uint32_t wanted = item->span->look->decoration & which;
    int rc = CAD_OK;
    if (wanted & CAD_TEXT_UNDERLINE) rc = paint_rule(l, s, piece, item->underline);
    if (rc == 0 && (wanted & CAD_TEXT_OVERLINE)) {
        rc = paint_rule(l, s, piece, item->thickness / 2 - item->ascent);
    }
    if (rc == 0 && (wanted & CAD_TEXT_LINE_THROUGH)) rc = paint_rule(l, s, piece, item->strike);
    return rc;
}

static int paint_layer(struct layout *l, const struct strip *s, enum layer layer)
{
    int rc = CAD_OK;
    for (uint32_t p = 0; p < s->count && rc == 0; p++) {
        const struct layout_piece *piece = &s->pieces[p];
        const struct layout_span *span = piece->item->span;
        struct layout_ink ink = {.line = s->line, .text = s->text, .piece = piece,
                                 .base = s->base};
        if (!span->visible) continue;
        struct edge e = edge_of(l, span);
        switch (layer) {
        case BACKGROUND:
            rc = paint_back(l, s, p);
            break;
        case SHADOW:
            ink.stroke = e.stroke;
            rc = paint_shadows(l, &e, &ink);
            break;
        case OUTLINE:
            ink.stroke = e.stroke;
            ink.color = e.stroke_color;
            if (e.stroke > 0) rc = layout_glyphs(l, &ink);
            break;
        case UNDER:
            rc = paint_rules(l, s, piece, CAD_TEXT_UNDERLINE | CAD_TEXT_OVERLINE);
            break;
        case FILL:
            ink.color = color_of(l, span);
            rc = layout_glyphs(l, &ink);
            break;
        case THROUGH:
        case LAYERS:
            rc = paint_rules(l, s, piece, CAD_TEXT_LINE_THROUGH);
            break;
        }
    }
    return rc;
}

/* ---- notes ----------------------------------------------------------------------------------- */

/* A note's text in the middle of what it stands at. */
static int place_note(struct layout *l, const struct layout_line *line,
                      const struct layout_note *note, struct strip *out)
{
    struct layout_line own = {.text = note->text, .to = note->text->count};
    q6 from = INT64_MAX;
    q6 to = INT64_MIN;
    for (uint32_t i = note->from; i < note->to; i++) {
        const struct layout_char *c = &line->text->chars[i];
        from = CAD_MIN(from, c->position);
        to = CAD_MAX(to, c->position + c->advance);
    }
    int rc = layout_pieces(l, note->text, &own);
    if (rc != 0) return rc;
    (void)layout_place(note->text, own.pieces, own.piece_count, (from + to - note->width) / 2);
    *out = (struct strip){.line = line, .text = note->text, .pieces = own.pieces,
                          .count = own.piece_count};
    out->base = line->base + line->under + note->ascent;
    if (layout_is_over(l, line, note->position)) {
        out->base = line->base - line->over - note->descent;
    }
    return CAD_OK;
}

static int paint_note(struct layout *l, const struct layout_line *line,
                      const struct layout_note *note)
{
    struct strip strip;
    int rc = place_note(l, line, note, &strip);
    for (int layer = BACKGROUND; layer < LAYERS && rc == 0; layer++) {
        rc = paint_layer(l, &strip, (enum layer)layer);
    }
    return rc;
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool is_control(uint32_t code)
{
    return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static int add_word(struct layout *l, const struct layout_line *line, uint32_t from, uint32_t to)
{
    const struct layout_char *chars = line->text->chars;
    const struct layout_item *item = &line->text->items[chars[from].item];
    struct cad_text_word *word = cad_arena_new(l->arena, struct cad_text_word);
    char *text = cad_arena_alloc(l->arena, (size_t)(to - from) * 4, 1);
    if (!word || !text) return layout_no_memory(l);
    size_t n = 0;
    q6 i[2] = {INT64_MAX, INT64_MIN};
    const q6 d[2] = {line->base - item->ascent, line->base + item->descent};
    for (uint32_t k = from; k < to; k++) {
        i[0] = CAD_MIN(i[0], chars[k].position);
        i[1] = CAD_MAX(i[1], chars[k].position + chars[k].advance);
        if (!is_control(chars[k].code)) n += cad_utf8_encode(chars[k].code, text + n);
    }
    if (n == 0) return CAD_OK;
    struct layout_rect rect = layout_rect_of(l, line, i, d);
    word->x = (int32_t)rect.x0;
    word->y = (int32_t)rect.y0;
    word->width = (uint32_t)(rect.x1 - rect.x0);
    word->height = (uint32_t)(rect.y1 - rect.y0);
    word->text = (cad_str){text, n};
    word->line = l->line_number;
    *l->word_end = word;
    l->word_end = &word->next;
    l->picture->word_count++;
    return CAD_OK;
}

static int add_words(struct layout *l, const struct layout_line *line)
{
    const struct layout_char *chars = line->text->chars;
    int rc = CAD_OK;
    for (uint32_t from = line->from; from < line->to && rc == 0;) {
        uint32_t to = from + 1;
        if (layout_is_space(chars[from].code)) {
            from = to;
            continue;
        }
        while (to < line->to && !layout_is_space(chars[to].code) &&
               !(chars[to].flags & LAYOUT_BREAK_BEFORE)) {
            to++;
        }
        if (chars[from].span->visible) rc = add_word(l, line, from, to);
        from = to;
    }
    l->line_number++;
    return rc;
}

/* ---- lines ----------------------------------------------------------------------------------- */

int layout_paint(struct layout *l, struct layout_line *line)
{
    const struct strip own = {.line = line, .text = line->text, .pieces = line->pieces,
                              .count = line->piece_count, .base = line->base, .whole = true};
    int rc = CAD_OK;
    for (int layer = BACKGROUND; layer < LAYERS && rc == 0; layer++) {
        rc = paint_layer(l, &own, (enum layer)layer);
    }
    const struct layout_note *note = line->notes;
    for (uint32_t i = 0; i < line->note_count && rc == 0; i++, note = note->next) {
        rc = paint_note(l, line, note);
    }
    return rc == 0 ? add_words(l, line) : rc;
}
