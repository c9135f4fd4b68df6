/*
 * isd_runs.c - white space among the leaves of a line, and the joining of runs.
 */
#include "timedtext/isd_runs.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

void isd_runs_init(struct isd_runs *runs)
{
    *runs = (struct isd_runs){NULL, NULL};
}

void isd_runs_add(struct isd_runs *runs, struct cad_text_run *run)
{
    if (runs->last) runs->last->next = run;
    else runs->first = run;
    runs->last = run;
}

void isd_leaves_init(struct isd_leaves *leaves)
{
    *leaves = (struct isd_leaves){NULL, NULL};
}

void isd_leaves_add(struct isd_leaves *leaves, struct isd_leaf *leaf)
{
    if (leaves->last) leaves->last->next_leaf = leaf;
    else leaves->first = leaf;
    leaves->last = leaf;
}

void isd_leaves_append(struct isd_leaves *leaves, const struct isd_leaves *more)
{
    if (!more->first) return;
    if (leaves->last) leaves->last->next_leaf = more->first;
    else leaves->first = more->first;
    leaves->last = more->last;
}

/* ---- white space ----------------------------------------------------------------------------- */

static bool is_lwsp(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Into dst, which has room for all of text; returns the bytes. */
static size_t collapse(char *dst, cad_str text, bool after_space)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        bool space = is_lwsp(text.p[i]);
        if (space && after_space) continue;
        dst[n++] = space ? ' ' : text.p[i];
        after_space = space;
    }
    return n;
}

static bool ends_in_space(const struct isd_leaf *leaf)
{
    if (leaf->run.kind == CAD_TEXT_RUN_BREAK) return true;
    cad_str text = leaf->run.text;
    return text.n > 0 && is_lwsp(text.p[text.n - 1]);
}

static bool is_collapsed(const struct isd_leaf *leaf)
{
    return leaf->run.kind == CAD_TEXT_RUN_TEXT && !leaf->run.preserve;
}

static bool begins_with_line_end(const struct isd_leaf *leaf)
{
    if (leaf->run.kind == CAD_TEXT_RUN_BREAK) return true;
    cad_str text = leaf->run.text;
    return leaf->run.preserve && text.n > 0 && (text.p[0] == '\n' || text.p[0] == '\r');
}

static bool is_empty(const struct isd_leaf *leaf)
{
    return leaf->run.kind == CAD_TEXT_RUN_TEXT && leaf->run.text.n == 0;
}

int isd_space(struct isd_leaves *leaves, struct cad_arena *arena)
{
    const struct isd_leaf *before = NULL;
    for (struct isd_leaf *leaf = leaves->first; leaf; leaf = leaf->next_leaf) {
        if (is_collapsed(leaf) && leaf->run.text.n > 0) {
            char *text = cad_arena_alloc(arena, leaf->run.text.n, 1);
            if (!text) return cad_arena_error(arena);
            size_t n = collapse(text, leaf->run.text, !before || ends_in_space(before));
            leaf->run.text = cad_str_make(text, n);
        }
        if (!is_empty(leaf)) before = leaf;
    }
    struct isd_leaf *last = NULL; /* not empty, and what follows it is not known yet */
    for (struct isd_leaf *leaf = leaves->first; leaf; leaf = leaf->next_leaf) {
        if (is_empty(leaf)) continue;
        if (last && is_collapsed(last) && begins_with_line_end(leaf) && ends_in_space(last)) {
            last->run.text.n--;
        }
        last = leaf;
    }
    if (last && is_collapsed(last) && ends_in_space(last)) last->run.text.n--;
    return CAD_OK;
}

/* ---- joining --------------------------------------------------------------------------------- */

static bool same_length(struct cad_text_length a, struct cad_text_length b)
{
    return a.w == b.w && a.h == b.h;
}

static bool same_families(const struct cad_text_families *a, const struct cad_text_families *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!cad_str_eq(a->names[i], b->names[i])) return false;
    }
    return true;
}

static bool same_shadows(const struct cad_text_look *a, const struct cad_text_look *b)
{
    if (a->shadow_count != b->shadow_count) return false;
    for (uint32_t i = 0; i < a->shadow_count; i++) {
        const struct cad_text_shadow *x = &a->shadows[i];
        const struct cad_text_shadow *y = &b->shadows[i];
        if (!same_length(x->x, y->x) || !same_length(x->y, y->y) ||
            !same_length(x->blur, y->blur) || x->color != y->color) {
            return false;
        }
    }
    return true;
}

static bool same_backgrounds(const struct cad_text_look *a, const struct cad_text_look *b)
{
    if (a->background_count != b->background_count) return false;
    for (uint32_t i = 0; i < a->background_count; i++) {
        if (a->backgrounds[i] != b->backgrounds[i]) return false;
    }
    return true;
}

static bool same_marks(const struct cad_text_look *a, const struct cad_text_look *b)
{
    const struct cad_text_emphasis *e = &a->emphasis;
    const struct cad_text_emphasis *f = &b->emphasis;
    return a->decoration == b->decoration && a->outline.on == b->outline.on &&
           a->outline.color == b->outline.color &&
           same_length(a->outline.thickness, b->outline.thickness) && e->on == f->on &&
           e->open == f->open && e->symbol == f->symbol && e->position == f->position &&
           e->color == f->color && same_shadows(a, b);
}

static bool same_look(const struct cad_text_look *a, const struct cad_text_look *b)
{
    return a->color == b->color && same_length(a->font_size, b->font_size) &&
           a->font_style == b->font_style && a->bold == b->bold && a->rtl == b->rtl &&
           a->wrap == b->wrap && a->visible == b->visible && a->forced == b->forced &&
           same_families(&a->families, &b->families) && same_marks(a, b) &&
           same_backgrounds(a, b);
}

/* Combined and embedded text keeps its borders. */
static bool joins(const struct cad_text_run *a, const struct cad_text_run *b)
{
    if (a->kind != CAD_TEXT_RUN_TEXT || b->kind != CAD_TEXT_RUN_TEXT) return false;
    if (a->preserve != b->preserve || !cad_str_eq(a->lang, b->lang)) return false;
    if (a->look.combine || b->look.combine) return false;
    if (a->look.embedding_count > 0 || b->look.embedding_count > 0) return false;
    return same_look(&a->look, &b->look);
}

/* All that join to `first` from first->next on. */
static int join(struct cad_text_run *first, struct cad_arena *arena)
{
    size_t bytes = first->text.n;
    struct cad_text_run *end = first->next;
    for (; end && joins(first, end); end = end->next) bytes += end->text.n;
    if (end == first->next) return CAD_OK;
    char *text = cad_arena_alloc(arena, bytes, 1);
    if (!text) return cad_arena_error(arena);
    size_t at = 0;
    for (const struct cad_text_run *r = first; r != end; r = r->next) {
        if (r->text.n > 0) memcpy(text + at, r->text.p, r->text.n);
        at += r->text.n;
    }
    first->text = cad_str_make(text, bytes);
    first->next = end;
    return CAD_OK;
}

/* One list, without looking into ruby. */
static int finish_list(struct cad_text_run **first, struct cad_arena *arena)
{
    for (struct cad_text_run **at = first; *at;) {
        struct cad_text_run *run = *at;
        bool empty = run->kind == CAD_TEXT_RUN_TEXT && run->text.n == 0;
        if (empty || (run->kind == CAD_TEXT_RUN_RUBY && !run->ruby_items)) *at = run->next;
        else at = &run->next;
    }
    for (struct cad_text_run *run = *first; run; run = run->next) {
        int rc = join(run, arena);
        if (rc != 0) return rc;
    }
    return CAD_OK;
}

static int finish_items(struct cad_text_ruby_item **first, struct cad_arena *arena)
{
    for (struct cad_text_ruby_item **at = first; *at;) {
        struct cad_text_ruby_item *item = *at;
        int rc = finish_list(&item->runs, arena);
        if (rc != 0) return rc;
        if (item->runs) at = &item->next;
        else *at = item->next;
    }
    return CAD_OK;
}

int isd_runs_finish(struct cad_text_run **first, struct cad_arena *arena)
{
    for (struct cad_text_run *run = *first; run; run = run->next) {
        if (run->kind != CAD_TEXT_RUN_RUBY) continue;
        int rc = finish_items(&run->ruby_items, arena);
        if (rc != 0) return rc;
    }
    return finish_list(first, arena);
}
