/*
 * layout.c - the regions of an ISD, in the order in which they are painted, and what is in them.
 */
#include "timedtext/layout.h"

#include "base/checked.h"
#include "base/mem.h"
#include "base/util.h"

#define CHUNK_BYTES 8192u
#define CHARACTERS 20000u
#define IMAGES 16384u
#define BYTES (UINT64_C(64) << 20)
#define PERCENT_MIN 25
#define PERCENT_MAX 400

/* A picture and the arena it lies in. */
struct picture {
    struct cad_text_picture picture; /* first: what the user sees */
    struct cad_alloc alloc;
    struct cad_arena arena;
};

/* The background of a block. */
struct box {
    struct box *next;
    q6 from, to; /* along the block axis, from the top of the content */
    uint32_t color;
};

/* The content of a region while it is stacked up. */
struct flow {
    struct layout *l;
    struct layout_rect region; /* pixels */
    q6 top;                    /* where the next block begins */
    struct layout_line *lines, **line_end;
    struct box *boxes, **box_end;
};

int layout_no_memory(const struct layout *l)
{
    int rc = cad_arena_error(&l->scratch);
    return rc != 0 ? rc : cad_arena_error(l->arena);
}

/* ---- lengths --------------------------------------------------------------------------------- */

q6 layout_length(const struct layout *l, struct cad_text_length length)
{
    const int64_t whole = 100 * CAD_TEXT_PERCENT;
    int64_t w = cad_muldiv_floor_i64(length.w, (int64_t)l->options->width * 128, whole);
    int64_t h = cad_muldiv_floor_i64(length.h, (int64_t)l->options->height * 128, whole);
    int64_t sum = cad_add_sat_i64(w, h);
    if (sum > 2 * LAYOUT_DISTANCE_MAX) return LAYOUT_DISTANCE_MAX;
    if (sum < -2 * LAYOUT_DISTANCE_MAX) return -LAYOUT_DISTANCE_MAX;
    return (sum + 1) >> 1;
}

q6 layout_size(const struct layout *l, struct cad_text_length length)
{
    int64_t percent = l->options->user.size_percent;
    q6 size = layout_length(l, length);
    if (percent == 0) percent = 100;
    percent = CAD_MAX(PERCENT_MIN, CAD_MIN(percent, PERCENT_MAX));
    size = size * percent / 100;
    return CAD_MAX(1, CAD_MIN(size, LAYOUT_SIZE_MAX));
}

static int64_t pixel(q6 v)
{
    return (v + 32) >> 6;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static bool is_shown(const struct layout *l, bool visible, bool forced)
{
    return visible && (forced || !l->options->forced_only);
}

static int add_box(struct flow *flow, const struct cad_text_block *block, struct box **out)
{
    struct box *box = cad_arena_new(&flow->l->scratch, struct box);
    *out = box;
    if (!box) return layout_no_memory(flow->l);
    box->from = box->to = flow->top;
    box->color = is_shown(flow->l, block->visible, block->forced) &&
                 !(flow->l->options->user.set & CAD_TEXT_USER_WINDOW) ? block->background : 0;
    *flow->box_end = box;
    flow->box_end = &box->next;
    return CAD_OK;
}

static int stack_blocks(struct flow *flow, const struct cad_text_block *first, uint32_t depth)
{
    int rc = depth > LAYOUT_DEPTH_MAX ? CAD_E_LIMIT : CAD_OK;
    for (const struct cad_text_block *b = first; b && rc == 0; b = b->next) {
        struct box *box = NULL;
        if (b->kind == CAD_TEXT_BLOCK_IMAGE) {
            /* As imscJS and the image profile have it: the image is as large as its region. */
            if (is_shown(flow->l, b->visible, b->forced)) {
                rc = layout_external(flow->l, &flow->region, b->src);
            }
            continue;
        }
        rc = add_box(flow, b, &box);
        if (rc != 0) return rc;
        if (b->kind == CAD_TEXT_BLOCK_DIV) rc = stack_blocks(flow, b->blocks, depth + 1);
        else rc = layout_lines(flow->l, &b->p, &flow->top, &flow->line_end);
        box->to = flow->top;
    }
    return rc;
}

/* ---- painting -------------------------------------------------------------------------------- */

static int paint_box(struct layout *l, enum cad_text_writing_mode mode, const struct box *box,
                     const q6 content[4], q6 offset)
{
    struct layout_rect r = {pixel(content[0]), pixel(content[1]), pixel(content[2]),
                            pixel(content[3])};
    q6 from = offset + box->from;
    q6 to = offset + box->to;
    if (mode == CAD_TEXT_TBRL) {
        r.x0 = pixel(content[2] - to);
        r.x1 = pixel(content[2] - from);
    } else if (mode == CAD_TEXT_TBLR) {
        r.x0 = pixel(content[0] + from);
        r.x1 = pixel(content[0] + to);
    } else {
        r.y0 = pixel(content[1] + from);
        r.y1 = pixel(content[1] + to);
    }
    return layout_fill(l, &r, box->color);
}

/* content: left, top, right and bottom, 1/64 pixel. */
static int paint_flow(struct flow *flow, const struct cad_text_region *region, const q6 content[4])
{
    struct layout *l = flow->l;
    q6 room = l->vertical ? content[2] - content[0] : content[3] - content[1];
    q6 offset = 0;
    int rc = CAD_OK;
    if (region->display_align == CAD_TEXT_AFTER) offset = room - flow->top;
    else if (region->display_align == CAD_TEXT_CENTER) offset = (room - flow->top) / 2;
    if (flow->top > room) l->picture->overflowed = true;
    for (const struct box *b = flow->boxes; b && rc == 0; b = b->next) {
        rc = paint_box(l, region->writing_mode, b, content, offset);
    }
    for (struct layout_line *line = flow->lines; line && rc == 0; line = line->next) {
        q6 top = offset + line->top;
        line->x = content[0];
        line->y = content[1];
        if (region->writing_mode == CAD_TEXT_TBRL) line->x = content[2] - top;
        else if (region->writing_mode == CAD_TEXT_TBLR) line->x += top + line->height;
        else line->y += top;
        if (line->width > l->inline_size) l->picture->overflowed = true;
        rc = layout_paint(l, line);
    }
    return rc;
}

static void clip_to(struct layout_rect *r, const struct layout_rect *by)
{
    r->x0 = CAD_MAX(r->x0, by->x0);
    r->y0 = CAD_MAX(r->y0, by->y0);
    r->x1 = CAD_MIN(r->x1, by->x1);
    r->y1 = CAD_MIN(r->y1, by->y1);
}

static int draw_region(struct layout *l, const struct cad_text_region *region)
{
    q6 x = layout_length(l, region->x);
    q6 y = layout_length(l, region->y);
    q6 right = x + layout_length(l, region->width);
    q6 bottom = y + layout_length(l, region->height);
    const q6 content[4] = {
        x + layout_length(l, region->padding[3]), y + layout_length(l, region->padding[0]),
        right - layout_length(l, region->padding[1]),
        bottom - layout_length(l, region->padding[2])};
    struct flow flow = {.l = l, .region = {pixel(x), pixel(y), pixel(right), pixel(bottom)}};
    flow.line_end = &flow.lines;
    flow.box_end = &flow.boxes;
    l->clip = (struct layout_rect){0, 0, l->options->width, l->options->height};
    if (!region->overflow_visible) clip_to(&l->clip, &flow.region);
    l->opacity = CAD_MAX(0, CAD_MIN(region->opacity, 1000000));
    l->vertical = region->writing_mode >= CAD_TEXT_TBRL;
    l->under_first = region->writing_mode == CAD_TEXT_TBLR;
    l->inline_size = l->vertical ? content[3] - content[1] : content[2] - content[0];
    uint32_t color = region->background;
    if (l->options->user.set & CAD_TEXT_USER_WINDOW) color = l->options->user.window;
    int rc = CAD_OK;
    if (is_shown(l, region->visible, region->forced)) rc = layout_fill(l, &flow.region, color);
    if (rc == 0) rc = stack_blocks(&flow, region->blocks, 0);
    return rc == 0 ? paint_flow(&flow, region, content) : rc;
}

/* By zIndex; those that are equal stay in the order of the document. */
static int draw_regions(struct layout *l, const struct cad_text_isd *isd)
{
    size_t count = 0;
    for (const struct cad_text_region *r = isd->regions; r; r = r->next) count++;
    const struct cad_text_region **all =
        cad_arena_array(&l->scratch, const struct cad_text_region *, count + 1);
    if (!all) return layout_no_memory(l);
    size_t n = 0;
    for (const struct cad_text_region *r = isd->regions; r; r = r->next, n++) {
        size_t at = n;
        for (; at > 0 && all[at - 1]->z_index > r->z_index; at--) all[at] = all[at - 1];
        all[at] = r;
    }
    int rc = CAD_OK;
    for (size_t i = 0; i < count && rc == 0; i++) rc = draw_region(l, all[i]);
    return rc;
}

void cad_text_root_of(const struct cad_text *text, uint32_t width, uint32_t height,
                      struct cad_text_root *out)
{
    uint32_t w = 0;
    uint32_t h = 0;
    *out = (struct cad_text_root){0, 0, width, height};
    if (!cad_text_aspect_ratio(text, &w, &h) || w == 0 || h == 0) return;
    uint64_t wide = (uint64_t)height * w / h;
    uint64_t high = (uint64_t)width * h / w;
    if (wide < width) out->width = (uint32_t)CAD_MAX(wide, 1);
    else out->height = (uint32_t)CAD_MIN(CAD_MAX(high, 1), height);
    out->x = (width - out->width) / 2;
    out->y = (height - out->height) / 2;
}

/* ---- the picture ----------------------------------------------------------------------------- */

void cad_text_draw_options_init(struct cad_text_draw_options *options)
{
    *options = (struct cad_text_draw_options){.size = sizeof(*options),
                                              .alloc = cad_alloc_system(),
                                              .limits = {CHARACTERS, IMAGES, BYTES}};
}

static bool is_usable(const struct cad_text_draw_options *o)
{
    return o->size >= sizeof(*o) && o->alloc.fn && o->fonts.ops &&
           o->fonts.ops->size >= sizeof(*o->fonts.ops) && o->width > 0 && o->height > 0 &&
           o->width <= CAD_TEXT_SIDE_MAX && o->height <= CAD_TEXT_SIDE_MAX;
}

int cad_text_layout(const struct cad_text_isd *isd, const struct cad_text_draw_options *options,
                    struct cad_text_picture **out)
{
    if (!isd || !options || !out || !is_usable(options)) return CAD_E_INVAL;
    struct cad_alloc alloc = options->alloc;
    struct picture *made = cad_alloc_new(&alloc, sizeof(*made), CAD_MEM_OTHER);
    if (!made) return CAD_E_NOMEM;
    uint64_t bytes = options->limits.bytes != 0 ? options->limits.bytes : BYTES;
    size_t limit = (size_t)CAD_MIN(bytes, (uint64_t)SIZE_MAX);
    made->alloc = alloc;
    cad_arena_init(&made->arena, &made->alloc, CAD_MEM_OTHER, CHUNK_BYTES, limit);
    struct cad_text_picture *picture = &made->picture;
    picture->width = options->width;
    picture->height = options->height;
    picture->begin = isd->begin;
    picture->end = isd->end;
    struct layout l = {.options = options, .arena = &made->arena, .picture = picture};
    l.image_end = &picture->images;
    l.word_end = &picture->words;
    l.characters_left = options->limits.characters;
    if (l.characters_left == 0) l.characters_left = CHARACTERS;
    l.images_left = options->limits.images != 0 ? options->limits.images : IMAGES;
    cad_arena_init(&l.scratch, &alloc, CAD_MEM_OTHER, CHUNK_BYTES, limit);
    int rc = draw_regions(&l, isd);
    cad_arena_deinit(&l.scratch);
    if (rc != 0) cad_text_picture_destroy(&picture);
    else *out = picture;
    return rc;
}

void cad_text_picture_destroy(struct cad_text_picture **picture)
{
    if (!picture || !*picture) return;
    struct picture *gone = (struct picture *)(void *)*picture;
    struct cad_alloc alloc = gone->alloc;
    cad_arena_deinit(&gone->arena);
    cad_alloc_free(&alloc, gone, sizeof(*gone), CAD_MEM_OTHER);
    *picture = NULL;
}
