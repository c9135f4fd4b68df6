/*
 * canvas.h - a picture in memory with an alpha channel, and smooth shapes drawn onto it.
 *
 * What lies over the film is drawn here by the processor and handed to the renderer as one texture,
 * so that it looks the same with every renderer and in a test without any. Colours are 0xAARRGGBB,
 * not multiplied by alpha; the pixels are. Lengths are pixels, (0, 0) is the upper left corner.
 *
 *     canvas_resize(&canvas, 1280, 720)
 *     canvas_clear(&canvas)                 empty again: only rows that were drawn on are touched
 *     canvas_shape / canvas_path / text.h   draw
 *     canvas_row_straight(&canvas, y, out)  for rows where canvas_row_changed
 */
#ifndef PLAYER_CANVAS_H
#define PLAYER_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CANVAS_SIDE_MAX 16384
#define CANVAS_PATH_POINTS_MAX 4096 /* what goes beyond is not drawn */

struct canvas_rect {
    float x, y, w, h;
};

struct canvas {
    uint32_t *pixels;    /* width * height, multiplied by alpha; NULL before a size is set */
    uint8_t *drawn;      /* a row: 1 drawn on since the clear, 2 before it, 4 not shown yet */
    float *cover;        /* scratch of canvas_path */
    size_t cover_count;
    int width, height;
    uint32_t opacity;    /* 0..255, of all that is drawn */
    struct canvas_rect clip; /* nothing is drawn outside */
};

void canvas_init(struct canvas *canvas);
void canvas_deinit(struct canvas *canvas);
/* Empty, of that size. False: there is no memory, or a side is not 1 .. CANVAS_SIDE_MAX. */
bool canvas_resize(struct canvas *canvas, int width, int height);
/* Empty, opaque, without a clip. */
void canvas_clear(struct canvas *canvas);
void canvas_clip(struct canvas *canvas, struct canvas_rect clip);
void canvas_no_clip(struct canvas *canvas);
/* Whether the row may look different from what it was before the last clear. */
bool canvas_row_changed(const struct canvas *canvas, int y);
/* Whether something is on it now. */
bool canvas_row_drawn(const struct canvas *canvas, int y);
/* A row with colours that are not multiplied by alpha, as textures want them. */
void canvas_row_straight(const struct canvas *canvas, int y, uint32_t *out);

/* A rectangle with round corners. A radius of half its side makes a circle. */
struct canvas_shape {
    struct canvas_rect at;
    float radius;
    float line;  /* of an outline, inwards; 0: filled */
    float soft;  /* width of the edge; below 1 is 1; larger for shadows */
};
void canvas_shape(struct canvas *canvas, struct canvas_shape shape, uint32_t color);
/* The same for a plain rectangle. */
void canvas_fill(struct canvas *canvas, struct canvas_rect rect, uint32_t color);
/* From one colour at the top to another one at the bottom. */
void canvas_gradient(struct canvas *canvas, struct canvas_rect rect, uint32_t top, uint32_t bottom);

/* An outline of straight pieces; contours of the same direction are united. */
struct canvas_path {
    float x[CANVAS_PATH_POINTS_MAX], y[CANVAS_PATH_POINTS_MAX];
    bool begins[CANVAS_PATH_POINTS_MAX]; /* a contour */
    int count;
};
void canvas_path_move(struct canvas_path *path, float x, float y);
void canvas_path_line(struct canvas_path *path, float x, float y);
/* A contour around a line of that width, with round ends. */
void canvas_path_stroke(struct canvas_path *path, const float from[2], const float to[2],
                        float width);
/* Along a circle, as a line of that width; angles in radians, 0 to the right, rising clockwise. */
struct canvas_arc {
    float x, y, radius, from, to, width;
};
void canvas_path_arc(struct canvas_path *path, struct canvas_arc arc);
/* Fills it and empties it. */
void canvas_path(struct canvas *canvas, struct canvas_path *path, uint32_t color);

/* One byte of coverage a pixel, at whole pixels: a glyph. */
struct canvas_mask {
    const uint8_t *bytes;
    int width, height, stride;
};
void canvas_mask(struct canvas *canvas, int x, int y, const struct canvas_mask *mask,
                 uint32_t color);

#endif
