/* Pictures of the buttons, as outlines in a square from -1 to 1. */
#include <math.h>

#include "base/util.h"
#include "draw.h"

#define PI 3.14159265f
#define STROKE 0.2f

/* The square in pixels. */
struct square {
    struct canvas_path *path;
    float x, y, half;
};

static void contour(const struct square *in, const float (*points)[2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float x = in->x + points[i][0] * in->half;
        float y = in->y + points[i][1] * in->half;
        if (i == 0) {
            canvas_path_move(in->path, x, y);
        } else {
            canvas_path_line(in->path, x, y);
        }
    }
}

#define CONTOUR(in, ...)                                                                           \
    contour(in, (const float[][2]){__VA_ARGS__},                                                   \
            CAD_ARRAY_LEN(((const float[][2]){__VA_ARGS__})))

static void stroke(const struct square *in, float x0, float y0, float x1, float y1)
{
    const float from[2] = {in->x + x0 * in->half, in->y + y0 * in->half};
    const float to[2] = {in->x + x1 * in->half, in->y + y1 * in->half};
    canvas_path_stroke(in->path, from, to, STROKE * in->half);
}

static void arc(const struct square *in, float x, float radius, float from, float to)
{
    canvas_path_arc(in->path, (struct canvas_arc){in->x + x * in->half, in->y, radius * in->half,
                                                  from, to, STROKE * in->half});
}

static void speaker(const struct square *in)
{
    CONTOUR(in, {-0.95f, -0.3f}, {-0.55f, -0.3f}, {-0.05f, -0.75f}, {-0.05f, 0.75f},
            {-0.55f, 0.3f}, {-0.95f, 0.3f});
}

/* Corners that point outwards, or inwards. */
static void corners(const struct square *in, float tip, float ends)
{
    for (int x = -1; x <= 1; x += 2) {
        for (int y = -1; y <= 1; y += 2) {
            float dx = (float)x;
            float dy = (float)y;
            stroke(in, dx * tip, dy * tip, dx * ends, dy * tip);
            stroke(in, dx * tip, dy * tip, dx * tip, dy * ends);
        }
    }
}

/* Three sliders. */
static void sliders(const struct square *in)
{
    static const float knobs[] = {0.35f, -0.35f, 0.15f};
    for (int i = 0; i < 3; i++) {
        float y = -0.62f + 0.62f * (float)i;
        stroke(in, -0.85f, y, knobs[i] - 0.32f, y);
        stroke(in, knobs[i] + 0.32f, y, 0.85f, y);
        canvas_path_arc(in->path, (struct canvas_arc){in->x + knobs[i] * in->half,
                                                      in->y + y * in->half, 0.17f * in->half, 0,
                                                      2 * PI, 0.17f * in->half});
    }
}

/* Bars of a sound's level. */
static void bars(const struct square *in)
{
    static const float heights[] = {0.35f, 0.8f, 0.5f, 0.95f, 0.3f};
    for (int i = 0; i < 5; i++) {
        float x = -0.8f + 0.4f * (float)i;
        stroke(in, x, -heights[i] * 0.8f, x, heights[i] * 0.8f);
    }
}

/* A screen with two lines of text. */
static void caption(const struct square *in)
{
    static const float ends[4][2] = {{-0.92f, -0.72f}, {0.92f, -0.72f}, {0.92f, 0.72f},
                                     {-0.92f, 0.72f}};
    for (int i = 0; i < 4; i++) {
        const float *to = ends[(i + 1) % 4];
        stroke(in, ends[i][0], ends[i][1], to[0], to[1]);
    }
    stroke(in, -0.5f, 0.02f, 0.12f, 0.02f);
    stroke(in, 0.42f, 0.02f, 0.5f, 0.02f);
    stroke(in, -0.5f, 0.36f, -0.28f, 0.36f);
    stroke(in, 0.02f, 0.36f, 0.5f, 0.36f);
}

static void again(const struct square *in)
{
    arc(in, 0, 0.72f, -PI * 0.42f, PI * 1.25f);
    CONTOUR(in, {0.02f, -1.08f}, {0.62f, -0.72f}, {0.02f, -0.36f});
}

static void outline(const struct square *in, enum icon icon)
{
    switch (icon) {
    case ICON_PLAY: CONTOUR(in, {-0.6f, -0.85f}, {0.85f, 0}, {-0.6f, 0.85f}); break;
    case ICON_PAUSE:
        CONTOUR(in, {-0.65f, -0.8f}, {-0.2f, -0.8f}, {-0.2f, 0.8f}, {-0.65f, 0.8f});
        CONTOUR(in, {0.2f, -0.8f}, {0.65f, -0.8f}, {0.65f, 0.8f}, {0.2f, 0.8f});
        break;
    case ICON_AGAIN: again(in); break;
    case ICON_SOUND: arc(in, 0.0f, 0.8f, -PI / 4, PI / 4); /* fall through */
    case ICON_SOUND_LOW:
        arc(in, 0.0f, 0.42f, -PI / 4, PI / 4);
        speaker(in);
        break;
    case ICON_MUTED:
        speaker(in);
        stroke(in, 0.3f, -0.32f, 0.9f, 0.32f);
        stroke(in, 0.3f, 0.32f, 0.9f, -0.32f);
        break;
    case ICON_FULL: corners(in, 0.75f, 0.28f); break;
    case ICON_SMALL: corners(in, 0.25f, 0.78f); break;
    case ICON_TRACKS: bars(in); break;
    case ICON_TEXT: caption(in); break;
    case ICON_SLIDERS: sliders(in); break;
    case ICON_CHECK:
        stroke(in, -0.7f, 0.05f, -0.2f, 0.55f);
        stroke(in, -0.2f, 0.55f, 0.75f, -0.5f);
        break;
    case ICON_ALERT:
        arc(in, 0, 0.9f, 0, 2 * PI);
        stroke(in, 0, -0.42f, 0, 0.1f);
        stroke(in, 0, 0.42f, 0, 0.43f);
        break;
    }
}

void draw_icon(struct painter *painter, enum icon icon, struct draw_mark mark)
{
    struct square in = {painter->path, mark.x, mark.y, mark.size / 2 * painter->s};
    outline(&in, icon);
    canvas_path(painter->canvas, painter->path, mark.color);
}
