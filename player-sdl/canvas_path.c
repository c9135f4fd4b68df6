/*
 * Outlines. Each edge leaves in every cell that it crosses how much of the cell's height it covers
 * and how much of that lies to its right; summed up along a row that is the exact area.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "canvas.h"

#define PI 3.14159265f
#define ARC_STEP 1.5f /* pixels: longest straight piece of a circle */
#define CAP_PIECES 8  /* of a half circle */

void canvas_path_move(struct canvas_path *path, float x, float y)
{
    if (path->count >= CANVAS_PATH_POINTS_MAX) return;
    canvas_path_line(path, x, y);
    path->begins[path->count - 1] = true;
}

void canvas_path_line(struct canvas_path *path, float x, float y)
{
    if (path->count >= CANVAS_PATH_POINTS_MAX) return;
    path->x[path->count] = x;
    path->y[path->count] = y;
    path->begins[path->count] = path->count == 0;
    path->count++;
}

static void cap(struct canvas_path *path, const float at[2], float angle, float radius)
{
    for (int i = 0; i <= CAP_PIECES; i++) {
        float a = angle + PI * (float)i / CAP_PIECES;
        canvas_path_line(path, at[0] + cosf(a) * radius, at[1] + sinf(a) * radius);
    }
}

void canvas_path_stroke(struct canvas_path *path, const float from[2], const float to[2],
                        float width)
{
    if (path->count + 2 * CAP_PIECES + 2 > CANVAS_PATH_POINTS_MAX) return;
    float angle = atan2f(to[1] - from[1], to[0] - from[0]);
    int first = path->count;
    cap(path, to, angle - PI / 2, width / 2);
    cap(path, from, angle + PI / 2, width / 2);
    path->begins[first] = true;
}

void canvas_path_arc(struct canvas_path *path, struct canvas_arc arc)
{
    float outer = arc.radius + arc.width / 2;
    float inner = arc.radius - arc.width / 2;
    int pieces = (int)ceilf(fabsf(arc.to - arc.from) * outer / ARC_STEP);
    pieces = CAD_MAX(4, CAD_MIN(pieces, 256));
    if (path->count + 2 * pieces + 2 > CANVAS_PATH_POINTS_MAX) return;
    int first = path->count;
    for (int i = 0; i <= pieces; i++) {
        float a = arc.from + (arc.to - arc.from) * (float)i / (float)pieces;
        canvas_path_line(path, arc.x + cosf(a) * outer, arc.y + sinf(a) * outer);
    }
    for (int i = pieces; i >= 0; i--) {
        float a = arc.from + (arc.to - arc.from) * (float)i / (float)pieces;
        canvas_path_line(path, arc.x + cosf(a) * inner, arc.y + sinf(a) * inner);
    }
    path->begins[first] = true;
}

/* ---- filling -------------------------------------------------------------------------------- */

/* Cells of the rectangle around the path: `width` of them and one behind, for each row. */
struct cells {
    float *cover;
    float left, top;
    int width, height;
};

/* The part of an edge within one row: from x0 to x1 it covers `dy`, signed, of the row's height. */
static void add_piece(const struct cells *cells, int row, const float x[2], float dy)
{
    float *cover = cells->cover + (size_t)row * (size_t)(cells->width + 1);
    float low = CAD_MAX(0.0f, CAD_MIN(CAD_MIN(x[0], x[1]), (float)cells->width));
    float high = CAD_MAX(0.0f, CAD_MIN(CAD_MAX(x[0], x[1]), (float)cells->width));
    int first = (int)low;
    int last = (int)high;
    for (int i = first; i <= last; i++) {
        float from = CAD_MAX(low, (float)i);
        float to = CAD_MIN(high, (float)i + 1);
        float part = high > low ? dy * (to - from) / (high - low) : dy;
        float right = 1 - ((from + to) / 2 - (float)i); /* of the cell, beyond the edge */
        cover[i] += part * right;
        if (i < cells->width) cover[i + 1] += part * (1 - right);
    }
}

static void add_edge(const struct cells *cells, float x0, float y0, float x1, float y1)
{
    float sign = y0 < y1 ? 1.0f : -1.0f;
    float top = CAD_MAX(CAD_MIN(y0, y1), 0.0f);
    float bottom = CAD_MIN(CAD_MAX(y0, y1), (float)cells->height);
    if (!(top < bottom)) return;
    float slope = (x1 - x0) / (y1 - y0);
    for (int row = (int)top; row < cells->height && (float)row < bottom; row++) {
        float from = CAD_MAX(top, (float)row);
        float to = CAD_MIN(bottom, (float)row + 1);
        const float x[2] = {x0 + (from - y0) * slope, x0 + (to - y0) * slope};
        add_piece(cells, row, x, sign * (to - from));
    }
}

static void add_edges(const struct cells *cells, const struct canvas_path *path)
{
    int first = 0;
    for (int i = 0; i < path->count; i++) {
        if (path->begins[i]) first = i;
        bool last = i + 1 == path->count || path->begins[i + 1];
        int next = last ? first : i + 1;
        add_edge(cells, path->x[i] - cells->left, path->y[i] - cells->top,
                 path->x[next] - cells->left, path->y[next] - cells->top);
    }
}

/* False: the path is outside of the canvas. */
static bool bounds(const struct canvas *canvas, const struct canvas_path *path, struct cells *out)
{
    float x0 = (float)canvas->width;
    float y0 = (float)canvas->height;
    float x1 = 0;
    float y1 = 0;
    for (int i = 0; i < path->count; i++) {
        x0 = CAD_MIN(x0, path->x[i]);
        y0 = CAD_MIN(y0, path->y[i]);
        x1 = CAD_MAX(x1, path->x[i]);
        y1 = CAD_MAX(y1, path->y[i]);
    }
    out->left = floorf(CAD_MAX(x0, 0.0f));
    out->top = floorf(CAD_MAX(y0, 0.0f));
    out->width = (int)(ceilf(CAD_MIN(x1, (float)canvas->width)) - out->left);
    out->height = (int)(ceilf(CAD_MIN(y1, (float)canvas->height)) - out->top);
    return out->width > 0 && out->height > 0;
}

static bool make_room(struct canvas *canvas, struct cells *cells)
{
    size_t count = (size_t)(cells->width + 1) * (size_t)cells->height;
    if (count > canvas->cover_count) {
        float *cover = realloc(canvas->cover, count * sizeof(*cover));
        if (!cover) return false;
        canvas->cover = cover;
        canvas->cover_count = count;
    }
    cells->cover = canvas->cover;
    memset(cells->cover, 0, count * sizeof(*cells->cover));
    return true;
}

void canvas_path(struct canvas *canvas, struct canvas_path *path, uint32_t color)
{
    struct cells cells;
    if (bounds(canvas, path, &cells) && make_room(canvas, &cells)) {
        add_edges(&cells, path);
        uint8_t bytes[CANVAS_SIDE_MAX];
        struct canvas_mask mask = {bytes, cells.width, 1, cells.width};
        for (int row = 0; row < cells.height; row++) {
            const float *cover = cells.cover + (size_t)row * (size_t)(cells.width + 1);
            float sum = 0;
            for (int x = 0; x < cells.width; x++) {
                sum += cover[x];
                bytes[x] = (uint8_t)(CAD_MIN(fabsf(sum), 1.0f) * 255 + 0.5f);
            }
            canvas_mask(canvas, (int)cells.left, (int)cells.top + row, &mask, color);
        }
    }
    path->count = 0;
}
