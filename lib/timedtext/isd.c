/*
 * isd.c - the intermediate synchronic document at a time (TTML2 11.3.1).
 *
 * For each region the content is walked from the body down; what is not active, not of the region
 * or not displayed falls away with all it contains. What is left becomes blocks and runs.
 */
#include "timedtext/isd.h"

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "timedtext/isd_runs.h"
#include "timedtext/ttml_model.h"
#include "timedtext/ttml_style.h"

#define CHUNK_BYTES 8192u
#define VISITS_MAX 2000000u /* elements looked at for one ISD, all regions together */

/* An ISD and the arena it lies in. */
struct isd {
    struct cad_text_isd isd; /* first: what the user sees */
    uint32_t visits;
    struct cad_alloc alloc;
    struct cad_arena arena;
};

struct walk {
    struct ttml_style_context style;
    int32_t region; /* in hand: its index; TTML_INHERIT for the default region */
    uint32_t visits;
};

/* Where blocks go. */
struct block_list {
    struct cad_text_block **end;
};

/* Where the content of an inline element goes. */
struct line {
    struct isd_runs *runs;               /* in the order of the document */
    struct isd_leaves *leaves;           /* white space is handled among these */
    struct cad_text_ruby_item ***items;  /* inside a ruby container: the end of its items */
};

static int out_of_memory(const struct walk *w)
{
    return cad_arena_error(w->style.arena);
}

/* ---- pruning --------------------------------------------------------------------------------- */

/* Is it there at all? *region: the region it belongs to, at first that of its parent. */
static bool keeps(struct walk *w, const struct ttml_node *node, int32_t *region)
{
    bool empty = node->child_count == 0;
    if (w->style.at < node->begin || w->style.at >= node->end) return false;
    if (node->region != TTML_INHERIT) *region = node->region;
    return *region == w->region || (!empty && *region == TTML_INHERIT);
}

static int visit(struct walk *w)
{
    return ++w->visits > VISITS_MAX ? CAD_E_LIMIT : CAD_OK;
}

/* ---- inline content -------------------------------------------------------------------------- */

/* Backgrounds and embeddings of a span, behind those of the spans around. */
static int add_span(struct walk *w, struct ttml_style *s)
{
    struct cad_text_look *look = &s->look;
    if ((s->background & 0xffu) != 0) {
        uint32_t n = look->background_count;
        uint32_t *all = cad_arena_array(w->style.arena, uint32_t, n + 1);
        if (!all) return out_of_memory(w);
        if (n > 0) memcpy(all, look->backgrounds, n * sizeof(*all));
        all[n] = s->background;
        look->backgrounds = all;
        look->background_count = n + 1;
    }
    if (s->p.bidi != CAD_TEXT_BIDI_NORMAL) {
        uint32_t n = look->embedding_count;
        struct cad_text_embedding *all = cad_arena_array(w->style.arena, struct cad_text_embedding,
                                                         n + 1);
        if (!all) return out_of_memory(w);
        if (n > 0) memcpy(all, look->embeddings, n * sizeof(*all));
        all[n] = (struct cad_text_embedding){s->p.bidi, look->rtl};
        look->embeddings = all;
        look->embedding_count = n + 1;
    }
    return CAD_OK;
}

static int add_leaf(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                    const struct line *line)
{
    struct isd_leaf *leaf = cad_arena_new(w->style.arena, struct isd_leaf);
    if (!leaf) return out_of_memory(w);
    leaf->run.kind = node->kind == TTML_BR ? CAD_TEXT_RUN_BREAK : CAD_TEXT_RUN_TEXT;
    leaf->run.preserve = node->preserve;
    leaf->run.text = node->text;
    leaf->run.lang = node->lang;
    leaf->run.look = s->look;
    if (s->emphasis_current) leaf->run.look.emphasis.color = s->look.color;
    isd_runs_add(line->runs, &leaf->run);
    isd_leaves_add(line->leaves, leaf);
    return CAD_OK;
}

static int walk_inline(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                       int32_t region, const struct line *line);

static int walk_children(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                         int32_t region, const struct line *line)
{
    uint32_t from = 0;
    uint32_t to = 0;
    int rc = CAD_OK;
    ttml_model_search(node, w->style.at, &from, &to);
    for (uint32_t i = from; rc == 0 && i < to; i++) {
        rc = walk_inline(w, node->children[i].node, s, region, line);
    }
    return rc;
}

/* A ruby container: what stands in it directly is no run but counts for white space. */
static int walk_ruby(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                     int32_t region, const struct line *line)
{
    struct cad_text_run *run = cad_arena_new(w->style.arena, struct cad_text_run);
    if (!run) return out_of_memory(w);
    struct isd_runs nowhere;
    struct cad_text_ruby_item **items = &run->ruby_items;
    struct line inside = {&nowhere, line->leaves, &items};
    isd_runs_init(&nowhere);
    run->kind = CAD_TEXT_RUN_RUBY;
    run->ruby_align = s->ruby_align;
    isd_runs_add(line->runs, run);
    return walk_children(w, node, s, region, &inside);
}

/*
 * A base, text or delimiter. Bases and texts handle white space for themselves; a base then counts
 * in the line as well, where it stands.
 */
static int walk_item(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                     int32_t region, const struct line *line)
{
    struct cad_text_ruby_item *item = cad_arena_new(w->style.arena, struct cad_text_ruby_item);
    if (!item) return out_of_memory(w);
    struct isd_runs runs;
    struct isd_leaves leaves;
    bool delimiter = s->ruby == TTML_RUBY_DELIMITER;
    struct line inside = {&runs, delimiter ? line->leaves : &leaves, NULL};
    isd_runs_init(&runs);
    isd_leaves_init(&leaves);
    item->role = CAD_TEXT_RUBY_BASE;
    if (s->ruby == TTML_RUBY_TEXT) item->role = CAD_TEXT_RUBY_TEXT;
    if (delimiter) item->role = CAD_TEXT_RUBY_DELIMITER;
    item->position = s->ruby_position;
    **line->items = item;
    *line->items = &item->next;
    int rc = walk_children(w, node, s, region, &inside);
    if (rc == 0) rc = isd_space(&leaves, w->style.arena);
    if (s->ruby == TTML_RUBY_BASE) isd_leaves_append(line->leaves, &leaves);
    item->runs = runs.first;
    return rc;
}

static int walk_span(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                     int32_t region, const struct line *line)
{
    if (s->ruby == TTML_RUBY_CONTAINER && !line->items) return walk_ruby(w, node, s, region, line);
    if (line->items && (s->ruby == TTML_RUBY_BASE || s->ruby == TTML_RUBY_TEXT ||
                        s->ruby == TTML_RUBY_DELIMITER)) {
        return walk_item(w, node, s, region, line);
    }
    return walk_children(w, node, s, region, line);
}

static int walk_inline(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                       int32_t region, const struct line *line)
{
    struct ttml_style own;
    int rc = visit(w);
    if (rc != 0 || !keeps(w, node, &region)) return rc;
    if (node->alone) return add_leaf(w, node, s, line);
    rc = ttml_style_compute(&w->style, node, s, &own);
    if (rc != 0 || !own.displayed) return rc;
    if (node->kind == TTML_BR) return add_leaf(w, node, &own, line);
    rc = add_span(w, &own);
    if (rc != 0) return rc;
    if (node->kind == TTML_ANONYMOUS) return add_leaf(w, node, &own, line);
    return walk_span(w, node, &own, region, line);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static struct cad_text_block *new_block(struct walk *w, enum cad_text_block_kind kind,
                                        const struct ttml_style *s)
{
    struct cad_text_block *block = cad_arena_new(w->style.arena, struct cad_text_block);
    if (!block) return NULL;
    block->kind = kind;
    block->background = kind == CAD_TEXT_BLOCK_IMAGE ? 0 : s->background;
    block->visible = s->look.visible;
    block->forced = s->look.forced;
    return block;
}

static void add_block(struct block_list *list, struct cad_text_block *block)
{
    *list->end = block;
    list->end = &block->next;
}

static int add_image(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                     struct block_list *list)
{
    struct cad_text_block *block = new_block(w, CAD_TEXT_BLOCK_IMAGE, s);
    if (!block) return out_of_memory(w);
    block->element = node->kind == TTML_IMAGE_ELEMENT;
    block->src = block->element ? node->text : s->image;
    add_block(list, block);
    return CAD_OK;
}

static int walk_p(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                  int32_t region, struct block_list *list)
{
    struct isd_runs runs;
    struct isd_leaves leaves;
    struct line line = {&runs, &leaves, NULL};
    isd_runs_init(&runs);
    isd_leaves_init(&leaves);
    int rc = walk_children(w, node, s, region, &line);
    if (rc == 0) rc = isd_space(&leaves, w->style.arena);
    if (rc == 0) rc = isd_runs_finish(&runs.first, w->style.arena);
    if (rc != 0 || !runs.first) return rc;
    struct cad_text_block *block = new_block(w, CAD_TEXT_BLOCK_P, s);
    if (!block) return out_of_memory(w);
    block->p = s->p;
    block->p.lang = node->lang;
    block->p.rtl = s->look.rtl;
    block->p.families = s->look.families;
    block->p.font_size = s->look.font_size;
    block->p.runs = runs.first;
    add_block(list, block);
    return CAD_OK;
}

static int walk_block(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                      int32_t region, struct block_list *list);

static int walk_div(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                    int32_t region, struct block_list *list)
{
    uint32_t from = 0;
    uint32_t to = 0;
    int rc = CAD_OK;
    /* A background image belongs to the region of its div, not to those of the div's content. */
    if (node->kind == TTML_DIV && s->image.n > 0 && region == w->region) {
        rc = add_image(w, node, s, list);
    }
    ttml_model_search(node, w->style.at, &from, &to);
    for (uint32_t i = from; rc == 0 && i < to; i++) {
        rc = walk_block(w, node->children[i].node, s, region, list);
    }
    return rc;
}

/* A body or div stands for itself only where its background is seen. */
static int walk_boxed(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                      int32_t region, struct block_list *list)
{
    struct cad_text_block *block = new_block(w, CAD_TEXT_BLOCK_DIV, s);
    if (!block) return out_of_memory(w);
    struct block_list inside = {&block->blocks};
    int rc = walk_div(w, node, s, region, &inside);
    if (rc == 0 && block->blocks) add_block(list, block);
    return rc;
}

static int walk_block(struct walk *w, const struct ttml_node *node, const struct ttml_style *s,
                      int32_t region, struct block_list *list)
{
    struct ttml_style own;
    int rc = visit(w);
    if (rc != 0 || !keeps(w, node, &region)) return rc;
    rc = ttml_style_compute(&w->style, node, s, &own);
    if (rc != 0 || !own.displayed) return rc;
    if (node->kind == TTML_IMAGE_ELEMENT) {
        return node->text.n > 0 ? add_image(w, node, &own, list) : CAD_OK;
    }
    if (node->kind == TTML_P) return walk_p(w, node, &own, region, list);
    if ((own.background & 0xffu) != 0) return walk_boxed(w, node, &own, region, list);
    return walk_div(w, node, &own, region, list);
}

/* ---- regions --------------------------------------------------------------------------------- */

/* *out NULL: nothing of it is shown. */
static int walk_region(struct walk *w, const struct ttml_node *node, struct cad_text_region **out)
{
    struct ttml_style s;
    struct cad_text_block *blocks = NULL;
    struct block_list list = {&blocks};
    *out = NULL;
    if (w->style.at < node->begin || w->style.at >= node->end) return CAD_OK;
    int rc = ttml_style_compute(&w->style, node, NULL, &s);
    if (rc != 0 || !s.displayed) return rc;
    if (w->style.text->body) rc = walk_block(w, w->style.text->body, &s, TTML_INHERIT, &list);
    if (rc != 0) return rc;
    if (!blocks && (!s.region.show_always || (s.background & 0xffu) == 0)) return CAD_OK;
    struct cad_text_region *region = cad_arena_new(w->style.arena, struct cad_text_region);
    if (!region) return out_of_memory(w);
    *region = s.region;
    region->id = node->text;
    region->visible = s.look.visible;
    region->forced = s.look.forced;
    region->background = s.background;
    region->blocks = blocks;
    *out = region;
    return CAD_OK;
}

static int walk_regions(struct walk *w, struct cad_text_isd *isd)
{
    struct cad_text_region **end = &isd->regions;
    int32_t index = 0;
    int rc = CAD_OK;
    for (const struct ttml_node *n = w->style.text->regions; n && rc == 0; n = n->next, index++) {
        w->region = n->text.n == 0 ? TTML_INHERIT : index;
        rc = walk_region(w, n, end);
        if (*end) end = &(*end)->next;
    }
    return rc;
}

static cad_time begin_of(const struct cad_text *text, cad_time t)
{
    size_t low = 0;
    size_t high = text->boundary_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (text->boundaries[middle] <= t) low = middle + 1;
        else high = middle;
    }
    return low > 0 ? text->boundaries[low - 1] : CAD_TIME_NONE;
}

int cad_text_isd_at(const struct cad_text *text, cad_time t, struct cad_text_isd **out)
{
    if (!text || !out || t == CAD_TIME_NONE) return CAD_E_INVAL;
    struct isd *isd = cad_alloc_new(&text->alloc, sizeof(*isd), CAD_MEM_OTHER);
    if (!isd) return CAD_E_NOMEM;
    isd->alloc = text->alloc;
    cad_arena_init(&isd->arena, &isd->alloc, CAD_MEM_OTHER, CHUNK_BYTES,
                   (size_t)CAD_MIN(text->limits.isd_bytes, (uint64_t)SIZE_MAX));
    struct walk w = {.style = {text, t, &isd->arena}};
    struct cad_text_isd *made = &isd->isd;
    made->begin = begin_of(text, t);
    made->end = cad_text_next_change(text, t);
    if (made->end == CAD_TIME_NONE) made->end = CAD_TIME_MAX;
    int rc = walk_regions(&w, made);
    isd->visits = w.visits;
    if (rc != 0) {
        cad_text_isd_destroy(&made);
        return rc;
    }
    *out = made;
    return CAD_OK;
}

uint32_t isd_visits(const struct cad_text_isd *isd)
{
    return ((const struct isd *)(const void *)isd)->visits;
}

void cad_text_isd_destroy(struct cad_text_isd **isd)
{
    if (!isd || !*isd) return;
    struct isd *gone = (struct isd *)(void *)*isd;
    struct cad_alloc alloc = gone->alloc;
    cad_arena_deinit(&gone->arena);
    cad_alloc_free(&alloc, gone, sizeof(*gone), CAD_MEM_OTHER);
    *isd = NULL;
}
