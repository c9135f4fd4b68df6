#include "canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define DRAWN_NOW 1
#define DRAWN_BEFORE 2
#define DRAWN_NEVER 4 /* whoever shows it has nothing yet */

/* ---- pixels --------------------------------------------------------------------------------- */

static uint32_t by_255(uint32_t x)
{
    return (x + 128) * 257 >> 16;
}

/* Over what is there; cover 0..255. */
static void put(uint32_t *pixel, uint32_t color, uint32_t cover)
{
    uint32_t alpha = by_255((color >> 24) * cover);
    if (alpha == 0) return;
    if (alpha == 255) {
        *pixel = color;
        return;
    }
    uint32_t keep = 255 - alpha;
    uint32_t old = *pixel;
    uint32_t out = (alpha + by_255((old >> 24) * keep)) << 24;
    for (int shift = 0; shift <= 16; shift += 8) {
        uint32_t mine = by_255((color >> shift & 0xff) * alpha);
        out |= CAD_MIN(mine + by_255((old >> shift & 0xff) * keep), 255u) << shift;
    }
    *pixel = out;
}

/* The pixels of a rectangle inside the clip: x0 <= x < x1. False: there are none. */
struct area {
    int x0, y0, x1, y1;
};

static bool area_of(const struct canvas *canvas, struct canvas_rect rect, struct area *out)
{
    const struct canvas_rect *clip = &canvas->clip;
    float left = CAD_MAX(rect.x, clip->x);
    float top = CAD_MAX(rect.y, clip->y);
    float right = CAD_MIN(rect.x + rect.w, clip->x + clip->w);
    float bottom = CAD_MIN(rect.y + rect.h, clip->y + clip->h);
    if (!canvas->pixels || !(left < right) || !(top < bottom)) return false;
    *out = (struct area){(int)floorf(left), (int)floorf(top), (int)ceilf(right),
                         (int)ceilf(bottom)};
    return true;
}

static uint32_t faded(const struct canvas *canvas, uint32_t color)
{
    return by_255((color >> 24) * canvas->opacity) << 24 | (color & 0xffffff);
}

static uint32_t *begin_row(struct canvas *canvas, int y)
{
    canvas->drawn[y] |= DRAWN_NOW;
    return canvas->pixels + (size_t)y * (size_t)canvas->width;
}

/* ---- life ----------------------------------------------------------------------------------- */

void canvas_init(struct canvas *canvas)
{
    memset(canvas, 0, sizeof(*canvas));
    canvas->opacity = 255;
}

void canvas_deinit(struct canvas *canvas)
{
    free(canvas->pixels);
    free(canvas->drawn);
    free(canvas->cover);
    canvas_init(canvas);
}

bool canvas_resize(struct canvas *canvas, int width, int height)
{
    if (width < 1 || height < 1 || width > CANVAS_SIDE_MAX || height > CANVAS_SIDE_MAX) {
        return false;
    }
    uint32_t *pixels = calloc((size_t)width * (size_t)height, sizeof(*pixels));
    uint8_t *drawn = malloc((size_t)height);
    if (!pixels || !drawn) {
        free(pixels);
        free(drawn);
        return false;
    }
    free(canvas->pixels);
    free(canvas->drawn);
    memset(drawn, DRAWN_NEVER, (size_t)height);
    canvas->pixels = pixels;
    canvas->drawn = drawn;
    canvas->width = width;
    canvas->height = height;
    canvas->opacity = 255;
    canvas_no_clip(canvas);
    return true;
}

void canvas_clear(struct canvas *canvas)
{
    for (int y = 0; y < canvas->height; y++) {
        if (canvas->drawn[y] & DRAWN_NOW) {
            memset(canvas->pixels + (size_t)y * (size_t)canvas->width, 0,
                   (size_t)canvas->width * sizeof(*canvas->pixels));
            canvas->drawn[y] = DRAWN_BEFORE;
        } else {
            canvas->drawn[y] = canvas->drawn[y] & DRAWN_NEVER ? DRAWN_BEFORE : 0;
        }
    }
    canvas->opacity = 255;
    canvas_no_clip(canvas);
}

void canvas_clip(struct canvas *canvas, struct canvas_rect clip)
{
    float right = CAD_MIN(clip.x + clip.w, (float)canvas->width);
    float bottom = CAD_MIN(clip.y + clip.h, (float)canvas->height);
    /* Whole pixels, so that no shape is cut within one. */
    canvas->clip.x = ceilf(CAD_MAX(clip.x, 0.0f));
    canvas->clip.y = ceilf(CAD_MAX(clip.y, 0.0f));
    canvas->clip.w = CAD_MAX(floorf(right) - canvas->clip.x, 0.0f);
    canvas->clip.h = CAD_MAX(floorf(bottom) - canvas->clip.y, 0.0f);
}

void canvas_no_clip(struct canvas *canvas)
{
    canvas->clip = (struct canvas_rect){0, 0, (float)canvas->width, (float)canvas->height};
}

bool canvas_row_changed(const struct canvas *canvas, int y)
{
    return canvas->drawn[y] != 0;
}

bool canvas_row_drawn(const struct canvas *canvas, int y)
{
    return (canvas->drawn[y] & DRAWN_NOW) != 0;
}

void canvas_row_straight(const struct canvas *canvas, int y, uint32_t *out)
{
    const uint32_t *row = canvas->pixels + (size_t)y * (size_t)canvas->width;
    for (int x = 0; x < canvas->width; x++) {
        uint32_t pixel = row[x];
        uint32_t alpha = pixel >> 24;
        if (alpha != 0 && alpha != 255) {
            uint32_t straight = alpha << 24;
            for (int shift = 0; shift <= 16; shift += 8) {
                uint32_t value = ((pixel >> shift & 0xff) * 255 + alpha / 2) / alpha;
                straight |= CAD_MIN(value, 255u) << shift;
            }
            pixel = straight;
        }
        out[x] = pixel;
    }
}

/* ---- shapes --------------------------------------------------------------------------------- */

/* How far a place is outside of the edge; negative: inside. */
static float distance(const struct canvas_shape *shape, float x, float y)
{
    float half_w = shape->at.w / 2;
    float half_h = shape->at.h / 2;
    float dx = fabsf(x - shape->at.x - half_w) - half_w + shape->radius;
    float dy = fabsf(y - shape->at.y - half_h) - half_h + shape->radius;
    float inside = CAD_MIN(CAD_MAX(dx, dy), 0.0f);
    return hypotf(CAD_MAX(dx, 0.0f), CAD_MAX(dy, 0.0f)) + inside - shape->radius;
}

static uint32_t cover_at(const struct canvas_shape *shape, float x, float y)
{
    float d = distance(shape, x, y);
    float cover = CAD_MAX(0.0f, CAD_MIN(1.0f, 0.5f - d / shape->soft));
    if (shape->line > 0) {
        cover -= CAD_MAX(0.0f, CAD_MIN(1.0f, 0.5f - (d + shape->line) / shape->soft));
    }
    if (shape->soft > 2) cover = cover * cover * (3 - 2 * cover); /* a shadow has no corners */
    return (uint32_t)(cover * 255 + 0.5f);
}

static void shape_row(struct canvas *canvas, const struct canvas_shape *shape, struct area area,
                      uint32_t color)
{
    float side = shape->radius + shape->soft + shape->line;
    float middle = shape->at.x + shape->at.w / 2;
    int left = (int)ceilf(shape->at.x + side);
    int right = (int)floorf(shape->at.x + shape->at.w - side);
    float y = (float)area.y0 + 0.5f;
    uint32_t *row = begin_row(canvas, area.y0);
    uint32_t same = cover_at(shape, middle, y); /* between the corners */
    for (int x = area.x0; x < area.x1; x++) {
        bool plain = x >= left && x < right;
        if (plain && same == 0) {
            x = CAD_MIN(right, area.x1) - 1;
            continue;
        }
        put(&row[x], color, plain ? same : cover_at(shape, (float)x + 0.5f, y));
    }
}

void canvas_shape(struct canvas *canvas, struct canvas_shape shape, uint32_t color)
{
    struct area area;
    shape.soft = CAD_MAX(shape.soft, 1.0f);
    float most = CAD_MIN(shape.at.w, shape.at.h) / 2;
    shape.radius = CAD_MIN(shape.radius, most);
    struct canvas_rect touched = {shape.at.x - shape.soft / 2, shape.at.y - shape.soft / 2,
                                  shape.at.w + shape.soft, shape.at.h + shape.soft};
    color = faded(canvas, color);
    if (color >> 24 == 0 || !area_of(canvas, touched, &area)) return;
    int bottom = area.y1;
    for (; area.y0 < bottom; area.y0++) shape_row(canvas, &shape, area, color);
}

void canvas_fill(struct canvas *canvas, struct canvas_rect rect, uint32_t color)
{
    canvas_shape(canvas, (struct canvas_shape){.at = rect}, color);
}

static uint32_t between(uint32_t a, uint32_t b, float part)
{
    uint32_t out = 0;
    for (int shift = 0; shift <= 24; shift += 8) {
        float from = (float)(a >> shift & 0xff);
        float to = (float)(b >> shift & 0xff);
        out |= (uint32_t)(from + (to - from) * part + 0.5f) << shift;
    }
    return out;
}

void canvas_gradient(struct canvas *canvas, struct canvas_rect rect, uint32_t top, uint32_t bottom)
{
    struct area area;
    if (!area_of(canvas, rect, &area)) return;
    for (int y = area.y0; y < area.y1; y++) {
        float part = ((float)y + 0.5f - rect.y) / rect.h;
        /* Slow at both ends: a shade without a visible border. */
        part = CAD_MAX(0.0f, CAD_MIN(1.0f, part));
        part = part * part * (3 - 2 * part);
        uint32_t color = faded(canvas, between(top, bottom, part));
        uint32_t *row = begin_row(canvas, y);
        for (int x = area.x0; x < area.x1; x++) put(&row[x], color, 255);
    }
}

void canvas_mask(struct canvas *canvas, int x, int y, const struct canvas_mask *mask,
                 uint32_t color)
{
    struct area area;
    struct canvas_rect rect = {(float)x, (float)y, (float)mask->width, (float)mask->height};
    color = faded(canvas, color);
    if (color >> 24 == 0 || !area_of(canvas, rect, &area)) return;
    for (int py = area.y0; py < area.y1; py++) {
        uint32_t *row = begin_row(canvas, py);
        const uint8_t *from = mask->bytes + (ptrdiff_t)(py - y) * mask->stride;
        for (int px = area.x0; px < area.x1; px++) put(&row[px], color, from[px - x]);
    }
}
