/*
 * layout_text.c - runs to characters, characters to items of one face and direction, items to
 * glyphs; ruby and emphasis to notes.
 */
#include "timedtext/layout.h"

#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/utf8.h"
#include "base/util.h"

enum {
    LRE = 0x202a, RLE = 0x202b, PDF = 0x202c, LRO = 0x202d, RLO = 0x202e,
    LRI = 0x2066, RLI = 0x2067, PDI = 0x2069,
};

/* Characters on their way into a text. */
struct builder {
    struct layout *l;
    struct layout_text *text;
    const struct cad_text_look *open; /* whose embeddings are open; NULL: none */
    const struct layout_span *span;   /* of the run in hand */
    struct layout_note **note_end;
};

/* ---- characters ------------------------------------------------------------------------------ */

/* No text has more characters than this. */
static size_t count_most(const struct cad_text_run *runs)
{
    size_t n = 0;
    for (const struct cad_text_run *r = runs; r; r = r->next) {
        n += 1 + r->text.n + 2 * (size_t)r->look.embedding_count;
        if (r->kind != CAD_TEXT_RUN_RUBY) continue;
        for (const struct cad_text_ruby_item *item = r->ruby_items; item; item = item->next) {
            for (const struct cad_text_run *in = item->runs; in; in = in->next) {
                n += 1 + in->text.n + 2 * (size_t)in->look.embedding_count;
            }
        }
    }
    return n;
}

static int put(struct builder *b, uint32_t code, uint8_t flags)
{
    if (b->l->characters_left == 0) return CAD_E_LIMIT;
    b->l->characters_left--;
    struct layout_char *c = &b->text->chars[b->text->count++];
    c->code = code;
    c->span = b->span;
    c->flags = flags;
    return CAD_OK;
}

static uint32_t opening(const struct cad_text_embedding *e)
{
    if (e->bidi == CAD_TEXT_BIDI_EMBED) return e->rtl ? RLE : LRE;
    if (e->bidi == CAD_TEXT_BIDI_OVERRIDE) return e->rtl ? RLO : LRO;
    return e->rtl ? RLI : LRI;
}

/* How many outer embeddings a run shares with what is open. */
static uint32_t shared_embeddings(const struct builder *b, const struct cad_text_look *look)
{
    uint32_t open = b->open ? b->open->embedding_count : 0;
    uint32_t own = look ? look->embedding_count : 0;
    uint32_t most = CAD_MIN(open, own);
    if (most == 0) return 0;
    /* Siblings have lists of their own that are as long: the innermost is another span. */
    if (open == own && b->open->embeddings != look->embeddings) most--;
    uint32_t n = 0;
    while (n < most && b->open->embeddings[n].bidi == look->embeddings[n].bidi &&
           b->open->embeddings[n].rtl == look->embeddings[n].rtl) {
        n++;
    }
    return n;
}

/* Closes what is open and not of look (NULL: all), opens what is of it alone. */
static int embed(struct builder *b, const struct cad_text_look *look)
{
    uint32_t shared = shared_embeddings(b, look);
    int rc = CAD_OK;
    for (uint32_t i = b->open ? b->open->embedding_count : 0; i > shared && rc == 0; i--) {
        bool isolate = b->open->embeddings[i - 1].bidi == CAD_TEXT_BIDI_ISOLATE;
        rc = put(b, isolate ? PDI : PDF, 0);
    }
    for (uint32_t i = shared; look && i < look->embedding_count && rc == 0; i++) {
        rc = put(b, opening(&look->embeddings[i]), 0);
    }
    b->open = look;
    return rc;
}

static int put_text(struct builder *b, const struct cad_text_run *run, uint8_t flags)
{
    cad_str rest = run->text;
    int rc = CAD_OK;
    while (rest.n > 0 && rc == 0) {
        uint32_t code = CAD_UTF8_REPLACEMENT;
        int n = cad_utf8_decode(rest, &code);
        rest = cad_str_sub(rest, n > 0 ? (size_t)n : 1, rest.n);
        if (code == '\n' || code == '\r') code = run->preserve ? LAYOUT_LINE_SEPARATOR : ' ';
        if (code < ' ') code = ' ';
        rc = put(b, code, flags);
    }
    return rc;
}

static int add_marks(struct builder *b, const struct cad_text_run *run, uint32_t from);

static int add_text_run(struct builder *b, const struct cad_text_run *run, uint8_t flags)
{
    const struct cad_text_draw_options *options = b->l->options;
    struct layout_span *span = cad_arena_new(&b->l->scratch, struct layout_span);
    if (!span) return layout_no_memory(b->l);
    span->look = &run->look;
    span->lang = run->lang;
    span->size = layout_size(b->l, run->look.font_size);
    span->visible = run->look.visible && (run->look.forced || !options->forced_only);
    b->span = span;
    uint32_t from = b->text->count;
    int rc = embed(b, &run->look);
    if (rc == 0) rc = put_text(b, run, flags);
    if (rc == 0 && run->look.emphasis.on) rc = add_marks(b, run, from);
    return rc;
}

/* ---- notes ----------------------------------------------------------------------------------- */

static int add_note(struct builder *b, const struct layout_note *like, uint32_t from, uint32_t to)
{
    struct layout_note *note = cad_arena_new(&b->l->scratch, struct layout_note);
    if (!note) return layout_no_memory(b->l);
    *note = *like;
    note->next = NULL;
    note->from = from;
    note->to = to;
    *b->note_end = note;
    b->note_end = &note->next;
    return CAD_OK;
}

static int make_note(struct builder *b, const struct cad_text_run *runs, struct layout_note *note)
{
    note->text = cad_arena_new(&b->l->scratch, struct layout_text);
    if (!note->text) return layout_no_memory(b->l);
    int rc = layout_text_make(b->l, runs, false, false, note->text);
    for (uint32_t i = 0; i < note->text->item_count && rc == 0; i++) {
        note->ascent = CAD_MAX(note->ascent, note->text->items[i].ascent);
        note->descent = CAD_MAX(note->descent, note->text->items[i].descent);
    }
    for (uint32_t i = 0; i < note->text->count && rc == 0; i++) {
        note->width += note->text->chars[i].advance;
    }
    return rc;
}

/* A mark of emphasis at each character of a run. */
static int add_marks(struct builder *b, const struct cad_text_run *run, uint32_t from)
{
    static const cad_str marks[][2] = {
        [CAD_TEXT_CIRCLE] = {CAD_STR_INIT("\xe2\x97\x8f"), CAD_STR_INIT("\xe2\x97\x8b")},
        [CAD_TEXT_DOT] = {CAD_STR_INIT("\xe2\x80\xa2"), CAD_STR_INIT("\xe2\x97\xa6")},
        [CAD_TEXT_SESAME] = {CAD_STR_INIT("\xef\xb9\x85"), CAD_STR_INIT("\xef\xb9\x86")},
    };
    const struct cad_text_emphasis *e = &run->look.emphasis;
    struct cad_text_run *mark = cad_arena_new(&b->l->scratch, struct cad_text_run);
    if (!mark) return layout_no_memory(b->l);
    *mark = *run;
    mark->next = NULL;
    mark->text = marks[e->symbol][e->open ? 1 : 0];
    mark->look.color = e->color;
    mark->look.font_size.w /= 2;
    mark->look.font_size.h /= 2;
    mark->look.emphasis.on = false;
    mark->look.combine = false;
    mark->look.decoration = 0;
    mark->look.background_count = 0;
    mark->look.embedding_count = 0;
    struct layout_note note = {.position = e->position};
    int rc = make_note(b, mark, &note);
    for (uint32_t i = from; i < b->text->count && rc == 0; i++) {
        uint32_t code = b->text->chars[i].code;
        if (layout_is_space(code) || layout_is_attached(code)) continue;
        rc = add_note(b, &note, i, i + 1);
    }
    return rc;
}

/* Text of ruby finds its base in the order of both: the first text that of the first base. */
struct ruby {
    uint32_t (*bases)[2]; /* where they stand */
    uint32_t count, group; /* of bases; of those, where the group in hand begins */
    uint32_t next;         /* within the group, whose turn it is */
    bool texts;            /* the group had text */
    enum cad_text_position position; /* of that */
};

static int add_base(struct builder *b, struct ruby *ruby, const struct cad_text_run *runs)
{
    if (ruby->texts) {
        ruby->group = ruby->count;
        ruby->next = 0;
        ruby->texts = false;
    }
    uint32_t from = b->text->count;
    int rc = CAD_OK;
    for (const struct cad_text_run *r = runs; r && rc == 0; r = r->next) {
        if (r->kind == CAD_TEXT_RUN_TEXT) rc = add_text_run(b, r, LAYOUT_TIED);
    }
    /* The bases of one container stay on one line. */
    if (from < b->text->count && ruby->count == 0) b->text->chars[from].flags = 0;
    ruby->bases[ruby->count][0] = from;
    ruby->bases[ruby->count++][1] = b->text->count;
    return rc;
}

static int add_ruby_text(struct builder *b, struct ruby *ruby,
                         const struct cad_text_ruby_item *item, enum cad_text_ruby_align align)
{
    uint32_t bases = ruby->count - ruby->group;
    struct layout_note note = {.position = item->position, .align = align, .widens = true};
    if (note.position == CAD_TEXT_POSITION_NONE) note.position = CAD_TEXT_POSITION_BEFORE;
    int rc = make_note(b, item->runs, &note);
    if (rc != 0 || bases == 0) return rc;
    if (ruby->texts && note.position != ruby->position) ruby->next = 0;
    ruby->texts = true;
    ruby->position = note.position;
    const uint32_t *base = ruby->bases[ruby->group + ruby->next % bases];
    ruby->next++;
    return base[0] < base[1] ? add_note(b, &note, base[0], base[1]) : CAD_OK;
}

static int add_ruby(struct builder *b, const struct cad_text_run *run)
{
    size_t count = 0;
    for (const struct cad_text_ruby_item *i = run->ruby_items; i; i = i->next) count++;
    struct ruby ruby = {.bases = cad_arena_alloc_array(&b->l->scratch, count + 1,
                                                       sizeof(*ruby.bases), _Alignof(uint32_t))};
    int rc = ruby.bases ? CAD_OK : layout_no_memory(b->l);
    for (const struct cad_text_ruby_item *i = run->ruby_items; i && rc == 0; i = i->next) {
        if (i->role == CAD_TEXT_RUBY_BASE) rc = add_base(b, &ruby, i->runs);
        else if (i->role == CAD_TEXT_RUBY_TEXT) rc = add_ruby_text(b, &ruby, i, run->ruby_align);
    }
    return rc;
}

/* Shares extra room out among the clusters from..to, or puts half of it at either end. */
static void spread(struct layout_text *text, uint32_t from, uint32_t to, q6 extra,
                   enum cad_text_ruby_align align)
{
    q6 clusters = 0;
    uint32_t last = from;
    for (uint32_t i = from; i < to; i++) {
        if (text->chars[i].glyphs == 0) continue;
        clusters++;
        last = i;
    }
    bool between = align == CAD_TEXT_RUBY_SPACE_BETWEEN && clusters > 1;
    bool around = align == CAD_TEXT_RUBY_SPACE_AROUND && clusters > 1;
    bool rtl = (text->chars[from].level & 1) != 0;
    for (uint32_t i = from; i < to; i++) {
        struct layout_char *c = &text->chars[i];
        q6 before = 0;
        q6 after = 0;
        if (c->glyphs == 0) continue;
        if (between) after = i == last ? 0 : extra / (clusters - 1);
        else if (around) before = after = extra / (2 * clusters);
        else if (i == from) before = align == CAD_TEXT_RUBY_START ? 0 : extra / 2;
        if (!between && !around && i == last) {
            after = align == CAD_TEXT_RUBY_START ? extra : extra - extra / 2;
        }
        c->lead += rtl ? after : before;
        c->advance += before + after;
    }
}

/* Ruby and what it stands at become as wide as the wider of them. */
static void fit_notes(struct layout_text *text)
{
    for (struct layout_note *note = text->notes; note; note = note->next) {
        q6 width = 0;
        if (!note->widens || note->text->count == 0) continue;
        for (uint32_t i = note->from; i < note->to; i++) width += text->chars[i].advance;
        if (note->width > width) {
            spread(text, note->from, note->to, note->width - width, note->align);
        } else {
            spread(note->text, 0, note->text->count, width - note->width, note->align);
            note->width = width;
        }
    }
}

/* ---- faces and items ------------------------------------------------------------------------- */

static struct cad_font_want want_of(const struct layout *l, const struct layout_span *span)
{
    const struct cad_text_look *look = span->look;
    const struct cad_text_user *user = &l->options->user;
    struct cad_font_want want = {
        .families = look->families.names, .family_count = look->families.count,
        .bold = look->bold, .italic = look->font_style != CAD_TEXT_UPRIGHT, .lang = span->lang};
    if (user->families) {
        want.families = user->families;
        want.family_count = user->family_count;
    }
    return want;
}

/* What has no shape of its own is shown with the face of what is before it. */
static int choose_faces(struct layout *l, struct layout_text *text)
{
    const struct cad_fonts *fonts = &l->options->fonts;
    for (uint32_t i = 0; i < text->count; i++) {
        struct layout_char *c = &text->chars[i];
        const struct layout_char *before = i > 0 ? c - 1 : NULL;
        if (before && before->span == c->span &&
            (layout_is_space(c->code) || layout_is_attached(c->code))) {
            c->face = before->face;
            continue;
        }
        struct cad_font_want want = want_of(l, c->span);
        if (!layout_is_attached(c->code)) want.codepoint = c->code;
        int rc = fonts->ops->find(fonts->ctx, &want, &c->face);
        if (rc < 0) return rc;
    }
    return CAD_OK;
}

static int analyse(struct layout *l, struct layout_text *text, bool rtl, const uint32_t *codes)
{
    const struct cad_fonts *fonts = &l->options->fonts;
    uint8_t *levels = cad_arena_array(&l->scratch, uint8_t, text->count);
    uint32_t *scripts = cad_arena_array(&l->scratch, uint32_t, text->count);
    if (!levels || !scripts) return layout_no_memory(l);
    const struct cad_font_paragraph whole = {codes, text->count, rtl};
    int rc = fonts->ops->analyse(fonts->ctx, &whole, levels, scripts);
    for (uint32_t i = 0; i < text->count && rc == 0; i++) {
        text->chars[i].level = levels[i];
        text->chars[i].script = scripts[i];
    }
    return rc;
}

static bool stands_upright(const struct layout *l, const struct layout_text *text, uint32_t i)
{
    while (i > 0 && layout_is_attached(text->chars[i].code)) i--;
    return l->vertical && layout_is_upright(text->chars[i].code);
}

static bool begins_item(const struct layout *l, const struct layout_text *text, uint32_t i)
{
    const struct layout_char *c = &text->chars[i];
    if (i == 0) return true;
    if (c->span != c[-1].span || c->code == LAYOUT_LINE_SEPARATOR ||
        c[-1].code == LAYOUT_LINE_SEPARATOR) {
        return true;
    }
    if (l->vertical && c->span->look->combine) return false;
    return c->face != c[-1].face || c->level != c[-1].level || c->script != c[-1].script ||
           stands_upright(l, text, i) != stands_upright(l, text, i - 1);
}

static int measure(struct layout *l, struct layout_item *item)
{
    const struct cad_fonts *fonts = &l->options->fonts;
    struct cad_font_metrics m = {0};
    int rc = fonts->ops->metrics(fonts->ctx, item->face, (int32_t)item->size, &m);
    item->ascent = m.ascent;
    item->descent = m.descent;
    item->gap = CAD_MAX(m.line_gap, 0);
    if (l->vertical) {
        q6 height = item->ascent + item->descent;
        item->ascent = height / 2;
        item->descent = height - height / 2;
        item->drop = m.ascent - item->ascent;
    }
    item->underline = item->drop - m.underline;
    item->strike = item->drop - m.strike;
    item->thickness = CAD_MAX(m.thickness, 1);
    return rc;
}

static int shape(struct layout *l, struct layout_text *text, struct layout_item *item,
                 const uint32_t *codes)
{
    const struct cad_fonts *fonts = &l->options->fonts;
    uint32_t max = 4 * (item->to - item->from) + 16;
    struct cad_font_glyph *glyphs = cad_arena_array(&l->scratch, struct cad_font_glyph, max);
    if (!glyphs) return layout_no_memory(l);
    struct cad_font_shape piece = {
        .face = item->face, .size = (int32_t)item->size, .text = codes, .length = text->count,
        .from = item->from, .count = item->to - item->from, .rtl = (item->level & 1) != 0,
        .vertical = item->upright, .script = text->chars[item->from].script,
        .lang = item->span->lang};
    int n = fonts->ops->shape(fonts->ctx, &piece, glyphs, max);
    if (n < 0) return n;
    item->glyphs = glyphs;
    q6 sum = 0;
    for (uint32_t g = 0; g < (uint32_t)n; g++) {
        sum += glyphs[g].advance;
        if (item->combined) continue;
        uint32_t at = glyphs[g].cluster;
        if (at < item->from || at >= item->to) return CAD_E_DATA;
        struct layout_char *c = &text->chars[at];
        if (c->glyphs == 0) c->glyph = g;
        c->glyphs = g + 1 - c->glyph;
        c->advance += glyphs[g].advance;
    }
    if (!item->combined) return CAD_OK;
    struct layout_char *first = &text->chars[item->from];
    first->glyphs = (uint32_t)n;
    first->advance = item->span->size;
    if (sum <= item->span->size || item->size < item->span->size) return CAD_OK;
    /* Too wide to lie across the line: once more, smaller. */
    item->size = CAD_MAX(1, item->span->size * item->span->size / sum);
    int rc = measure(l, item);
    return rc == 0 ? shape(l, text, item, codes) : rc;
}

static int make_items(struct layout *l, struct layout_text *text, const uint32_t *codes)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < text->count; i++) count += begins_item(l, text, i) ? 1 : 0;
    text->items = cad_arena_array(&l->scratch, struct layout_item, count);
    if (!text->items) return layout_no_memory(l);
    int rc = CAD_OK;
    for (uint32_t from = 0; from < text->count && rc == 0;) {
        const struct layout_char *c = &text->chars[from];
        struct layout_item *item = &text->items[text->item_count];
        uint32_t to = from;
        do {
            text->chars[to].item = text->item_count;
        } while (++to < text->count && !begins_item(l, text, to));
        *item = (struct layout_item){
            .from = from, .to = to, .span = c->span, .face = c->face, .size = c->span->size,
            .level = c->level, .combined = l->vertical && c->span->look->combine};
        item->upright = !item->combined && stands_upright(l, text, from);
        rc = measure(l, item);
        if (rc == 0 && c->code != LAYOUT_LINE_SEPARATOR) rc = shape(l, text, item, codes);
        text->item_count++;
        from = to;
    }
    return rc;
}

/* ---- all together ---------------------------------------------------------------------------- */

static int add_runs(struct builder *b, const struct cad_text_run *runs)
{
    int rc = CAD_OK;
    for (const struct cad_text_run *r = runs; r && rc == 0; r = r->next) {
        uint32_t from = b->text->count;
        bool combined = b->l->vertical && r->look.combine;
        if (r->kind == CAD_TEXT_RUN_BREAK) rc = put(b, LAYOUT_LINE_SEPARATOR, 0);
        else if (r->kind == CAD_TEXT_RUN_RUBY) rc = add_ruby(b, r);
        else rc = add_text_run(b, r, combined ? LAYOUT_TIED : 0);
        if (combined && from < b->text->count) b->text->chars[from].flags = 0;
    }
    return rc == 0 ? embed(b, NULL) : rc;
}

/* The first look there is: a break at the beginning needs one. */
static const struct cad_text_look *first_look(const struct cad_text_run *runs)
{
    for (const struct cad_text_run *r = runs; r; r = r->next) {
        if (r->kind == CAD_TEXT_RUN_TEXT) return &r->look;
        if (r->kind == CAD_TEXT_RUN_RUBY && r->ruby_items && r->ruby_items->runs) {
            return &r->ruby_items->runs->look;
        }
    }
    return runs ? &runs->look : NULL;
}

int layout_text_make(struct layout *l, const struct cad_text_run *runs, bool rtl, bool override,
                     struct layout_text *out)
{
    struct layout_span none = {.look = first_look(runs), .size = 1};
    struct layout_span *span = cad_arena_new(&l->scratch, struct layout_span);
    struct builder b = {.l = l, .text = out, .span = span, .note_end = &out->notes};
    *out = (struct layout_text){0};
    if (!span) return layout_no_memory(l);
    if (!runs) return CAD_OK;
    *span = none;
    span->size = layout_size(l, none.look->font_size);
    out->chars = cad_arena_array(&l->scratch, struct layout_char, count_most(runs) + 2);
    if (!out->chars) return layout_no_memory(l);
    int rc = override ? put(&b, rtl ? RLO : LRO, 0) : CAD_OK;
    if (rc == 0) rc = add_runs(&b, runs);
    if (rc == 0 && override) rc = put(&b, PDF, 0);
    if (rc != 0 || out->count == 0) return rc;
    uint32_t *codes = cad_arena_array(&l->scratch, uint32_t, out->count);
    if (!codes) return layout_no_memory(l);
    for (uint32_t i = 0; i < out->count; i++) codes[i] = out->chars[i].code;
    rc = analyse(l, out, rtl, codes);
    if (rc == 0) rc = choose_faces(l, out);
    if (rc == 0) rc = make_items(l, out, codes);
    if (rc == 0) fit_notes(out);
    return rc;
}

int layout_strut(struct layout *l, const struct cad_text_paragraph *p, struct layout_item *out)
{
    struct cad_text_look look = {.families = p->families, .font_style = CAD_TEXT_UPRIGHT};
    struct layout_span span = {.look = &look, .lang = p->lang};
    const struct cad_fonts *fonts = &l->options->fonts;
    struct cad_font_want want = want_of(l, &span);
    *out = (struct layout_item){.size = layout_size(l, p->font_size)};
    int rc = fonts->ops->find(fonts->ctx, &want, &out->face);
    return rc < 0 ? rc : measure(l, out);
}

/* ---- order ----------------------------------------------------------------------------------- */

/* UAX #9, L2, for pieces in place of characters. */
static void reorder(struct layout_piece *pieces, uint32_t count)
{
    uint8_t highest = 0;
    for (uint32_t i = 0; i < count; i++) highest = CAD_MAX(highest, pieces[i].item->level);
    for (uint8_t level = highest; level > 0; level--) {
        for (uint32_t i = 0; i < count; i++) {
            uint32_t end = i;
            while (end < count && pieces[end].item->level >= level) end++;
            for (uint32_t a = i, z = end; a + 1 < z; a++) {
                struct layout_piece kept = pieces[a];
                pieces[a] = pieces[--z];
                pieces[z] = kept;
            }
            if (end > i) i = end - 1;
        }
    }
}

int layout_pieces(struct layout *l, const struct layout_text *text, struct layout_line *line)
{
    if (line->from >= line->to) return CAD_OK;
    uint32_t first = text->chars[line->from].item;
    uint32_t count = text->chars[line->to - 1].item - first + 1;
    line->pieces = cad_arena_array(&l->scratch, struct layout_piece, count);
    if (!line->pieces) return layout_no_memory(l);
    line->piece_count = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct layout_item *item = &text->items[first + i];
        struct layout_piece *piece = &line->pieces[i];
        piece->item = item;
        piece->from = CAD_MAX(item->from, line->from);
        piece->to = CAD_MIN(item->to, line->to);
    }
    reorder(line->pieces, count);
    return CAD_OK;
}

q6 layout_place(struct layout_text *text, struct layout_piece *pieces, uint32_t count, q6 i)
{
    for (uint32_t p = 0; p < count; p++) {
        struct layout_piece *piece = &pieces[p];
        bool rtl = (piece->item->level & 1) != 0;
        piece->position = i;
        for (uint32_t k = piece->from; k < piece->to; k++) {
            struct layout_char *c = &text->chars[rtl ? piece->to - 1 - (k - piece->from) : k];
            c->position = i;
            i += c->advance;
        }
        piece->width = i - piece->position;
    }
    return i;
}
