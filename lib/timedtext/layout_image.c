/*
 * layout_image.c - glyphs and rectangles to images.
 */
#include "timedtext/layout.h"

#include <string.h>

#include "base/util.h"

/* ---- images ---------------------------------------------------------------------------------- */

static struct layout_rect cut(const struct layout_rect *a, const struct layout_rect *b)
{
    return (struct layout_rect){CAD_MAX(a->x0, b->x0), CAD_MAX(a->y0, b->y0),
                                CAD_MIN(a->x1, b->x1), CAD_MIN(a->y1, b->y1)};
}

static bool is_empty(const struct layout_rect *r)
{
    return r->x0 >= r->x1 || r->y0 >= r->y1;
}

/* With the opacity of the region. */
static uint32_t faded(const struct layout *l, uint32_t color)
{
    int64_t alpha = ((int64_t)(color & 0xffu) * l->opacity + 500000) / 1000000;
    return (color & 0xffffff00u) | (uint32_t)alpha;
}

/* Of what is in image: its colour, its source and, for the rectangle r, its coverage. */
static int add(struct layout *l, const struct layout_rect *r, const struct cad_text_image *image)
{
    struct layout_rect seen = cut(r, &l->clip);
    uint32_t color = faded(l, image->color);
    if (is_empty(&seen) || (color & 0xffu) == 0) return CAD_OK;
    if (l->images_left == 0) return CAD_E_LIMIT;
    l->images_left--;
    struct cad_text_image *out = cad_arena_new(l->arena, struct cad_text_image);
    if (!out) return layout_no_memory(l);
    *out = *image;
    out->color = color;
    out->x = (int32_t)seen.x0;
    out->y = (int32_t)seen.y0;
    out->width = (uint32_t)(seen.x1 - seen.x0);
    out->height = (uint32_t)(seen.y1 - seen.y0);
    if (out->coverage) {
        out->coverage += (size_t)(seen.y0 - r->y0) * out->stride + (size_t)(seen.x0 - r->x0);
    }
    *l->image_end = out;
    l->image_end = &out->next;
    l->picture->image_count++;
    return CAD_OK;
}

int layout_fill(struct layout *l, const struct layout_rect *rect, uint32_t color)
{
    return add(l, rect, &(struct cad_text_image){.color = color});
}

int layout_external(struct layout *l, const struct layout_rect *rect, cad_str src)
{
    struct cad_text_image image = {.color = 0xffffffffu};
    /* It is scaled to its rectangle, which must therefore be whole. */
    struct layout_rect clip = l->clip;
    l->clip = (struct layout_rect){INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX};
    image.src = cad_arena_str(l->arena, src);
    int rc = image.src.p ? add(l, rect, &image) : layout_no_memory(l);
    l->clip = clip;
    return rc;
}

static int64_t pixel(q6 v)
{
    return (v + 32) >> 6;
}

struct layout_rect layout_rect_of(const struct layout *l, const struct layout_line *line,
                                  const q6 i[2], const q6 d[2])
{
    if (l->vertical) {
        return (struct layout_rect){pixel(line->x - d[1]), pixel(line->y + i[0]),
                                    pixel(line->x - d[0]), pixel(line->y + i[1])};
    }
    return (struct layout_rect){pixel(line->x + i[0]), pixel(line->y + d[0]),
                                pixel(line->x + i[1]), pixel(line->y + d[1])};
}

/* ---- glyphs ---------------------------------------------------------------------------------- */

/* Where glyphs are stamped: first only box grows, then pixels takes them. */
struct stamp {
    struct layout_rect box;
    uint8_t *pixels; /* of box; NULL: only measure */
    size_t stride;
};

/* a * b / 255 to the nearest, without a division: these are the inner loops. */
static uint32_t part(uint32_t a, uint32_t b)
{
    uint32_t t = a * b + 128;
    return (t + (t >> 8)) >> 8;
}

static void put_row(uint8_t *to, const uint8_t *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        /* As if the two were independent: what is covered twice is covered more. */
        to[i] = (uint8_t)(255u - part(255u - to[i], 255u - from[i]));
    }
}

/* A bitmap with its origin at the pixel x, y; turned: clockwise, its top to the right. */
static void put_bitmap(struct stamp *s, const struct cad_font_bitmap *b, const int64_t at[2],
                       bool turned)
{
    struct layout_rect r = {at[0] + b->left, at[1] - b->top, 0, 0};
    if (turned) {
        r.x0 = at[0] + b->top - (int64_t)b->height;
        r.y0 = at[1] + b->left;
    }
    r.x1 = r.x0 + (turned ? b->height : b->width);
    r.y1 = r.y0 + (turned ? b->width : b->height);
    if (!b->coverage || is_empty(&r)) return;
    if (!s->pixels) {
        bool first = is_empty(&s->box);
        struct layout_rect *box = &s->box;
        *box = first ? r : (struct layout_rect){CAD_MIN(box->x0, r.x0), CAD_MIN(box->y0, r.y0),
                                                CAD_MAX(box->x1, r.x1), CAD_MAX(box->y1, r.y1)};
        return;
    }
    struct layout_rect in = cut(&r, &s->box);
    for (int64_t y = in.y0; y < in.y1; y++) {
        uint8_t *to = s->pixels + (size_t)(y - s->box.y0) * s->stride;
        if (!turned) {
            put_row(to + (in.x0 - s->box.x0),
                    b->coverage + (size_t)(y - r.y0) * b->stride + (in.x0 - r.x0), in.x1 - in.x0);
            continue;
        }
        for (int64_t x = in.x0; x < in.x1; x++) {
            put_row(to + (x - s->box.x0),
                    b->coverage + (size_t)(r.x1 - 1 - x) * b->stride + (y - r.y0), 1);
        }
    }
}

static int put_glyph(struct layout *l, const struct layout_ink *ink, struct stamp *s,
                     const struct cad_font_glyph *glyph, q6 pen)
{
    const struct layout_item *item = ink->piece->item;
    const struct layout_line *line = ink->line;
    bool turned = l->vertical && !item->upright && !item->combined;
    struct cad_font_picture want = {.face = item->face, .id = glyph->id,
                                    .size = (int32_t)item->size, .stroke = (int32_t)ink->stroke,
                                    .slant = (int32_t)line->slant};
    q6 x = line->x + ink->x;
    q6 y = line->y + ink->y;
    if (turned) {
        x += glyph->y - ink->base - item->drop;
        y += pen + glyph->x;
    } else if (item->upright) {
        x += glyph->x - ink->base;
        y += pen - glyph->y;
    } else if (item->combined) {
        q6 up = item->drop + item->ascent;
        q6 middle = (item->span->size - item->ascent - item->descent) / 2;
        x += pen + glyph->x - ink->base;
        y += ink->text->chars[item->from].position + middle + up - glyph->y;
    } else {
        x += pen + glyph->x;
        y += ink->base + item->drop - glyph->y;
    }
    q6 along = (turned ? y : x) + 8; /* a quarter of a pixel counts along the line */
    want.x = (int32_t)(along & 48);
    const int64_t at[2] = {turned ? pixel(x) : along >> 6, turned ? along >> 6 : pixel(y)};
    struct cad_font_bitmap bitmap = {0};
    const struct cad_fonts *fonts = &l->options->fonts;
    int rc = fonts->ops->picture(fonts->ctx, &want, &bitmap);
    if (rc == 0) put_bitmap(s, &bitmap, at, turned);
    return rc;
}

static int put_glyphs(struct layout *l, const struct layout_ink *ink, struct stamp *s)
{
    const struct layout_item *item = ink->piece->item;
    int rc = CAD_OK;
    for (uint32_t k = ink->piece->from; k < ink->piece->to; k++) {
        const struct layout_char *c = &ink->text->chars[k];
        q6 pen = c->position + c->lead;
        if (item->combined) {
            pen = 0;
            for (uint32_t g = 0; g < c->glyphs; g++) pen -= item->glyphs[g].advance;
            pen /= 2;
        }
        for (uint32_t g = c->glyph; g < c->glyph + c->glyphs && rc == 0; g++) {
            rc = put_glyph(l, ink, s, &item->glyphs[g], pen);
            pen += item->glyphs[g].advance;
        }
    }
    return rc;
}

/* ---- blur ------------------------------------------------------------------------------------ */

/* n samples, `step` apart, each to the mean of itself and `half` on either side. */
static void blur_row(uint8_t *p, size_t step, size_t n, size_t half, uint8_t *copy)
{
    size_t sum = 0;
    size_t window = 2 * half + 1;
    for (size_t i = 0; i < n; i++) copy[i] = p[i * step];
    for (size_t i = 0; i < CAD_MIN(half, n); i++) sum += copy[i];
    for (size_t i = 0; i < n; i++) {
        if (i + half < n) sum += copy[i + half];
        if (i > half) sum -= copy[i - half - 1];
        p[i * step] = (uint8_t)((sum + window / 2) / window);
    }
}

static int blur(struct layout *l, const struct stamp *s, size_t half)
{
    size_t width = (size_t)(s->box.x1 - s->box.x0);
    size_t height = (size_t)(s->box.y1 - s->box.y0);
    uint8_t *copy = cad_arena_array(&l->scratch, uint8_t, CAD_MAX(width, height));
    if (!copy) return layout_no_memory(l);
    for (int pass = 0; pass < 2; pass++) { /* two boxes make a tent, near enough to a bell */
        for (size_t y = 0; y < height; y++) {
            blur_row(s->pixels + y * s->stride, 1, width, half, copy);
        }
        for (size_t x = 0; x < width; x++) blur_row(s->pixels + x, s->stride, height, half, copy);
    }
    return CAD_OK;
}

int layout_glyphs(struct layout *l, const struct layout_ink *ink)
{
    struct stamp s = {.pixels = NULL};
    if ((faded(l, ink->color) & 0xffu) == 0) return CAD_OK;
    int rc = put_glyphs(l, ink, &s);
    if (rc != 0 || is_empty(&s.box)) return rc;
    int64_t half = (ink->blur + 64) >> 7;
    int64_t reach = 2 * half;
    const struct layout_rect near = {l->clip.x0 - reach, l->clip.y0 - reach, l->clip.x1 + reach,
                                     l->clip.y1 + reach};
    s.box = cut(&s.box, &near);
    if (is_empty(&s.box)) return CAD_OK;
    s.box = (struct layout_rect){s.box.x0 - reach, s.box.y0 - reach, s.box.x1 + reach,
                                 s.box.y1 + reach};
    s.stride = (size_t)(s.box.x1 - s.box.x0);
    s.pixels = cad_arena_alloc_array(l->arena, (size_t)(s.box.y1 - s.box.y0), s.stride, 1);
    if (!s.pixels) return layout_no_memory(l);
    rc = put_glyphs(l, ink, &s);
    if (rc == 0 && half > 0) rc = blur(l, &s, (size_t)half);
    if (rc != 0) return rc;
    return add(l, &s.box, &(struct cad_text_image){.color = ink->color, .coverage = s.pixels,
                                                    .stride = s.stride});
}
