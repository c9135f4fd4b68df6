#include <string.h>

#include "base/mem.h"
#include "base/util.h"
#include "cadmium/decode.h"
#include "media/convert_table.h"

#define LINES 4 /* two of luma, one of each chroma */

struct cad_converter {
    struct cad_alloc alloc;
    struct cad_convert_table *table; /* NULL before it is needed */
    struct cad_convert_kind kind;    /* of table */
    uint16_t *lines;                 /* LINES lines of `width` codes of 10 bits; NULL none */
    uint32_t width;
};

int cad_converter_create(const struct cad_alloc *alloc, struct cad_converter **out)
{
    if (!alloc || !alloc->fn || !out) return CAD_E_INVAL;
    struct cad_converter *c = cad_alloc_new(alloc, sizeof(*c), CAD_MEM_OTHER);
    if (!c) return CAD_E_NOMEM;
    c->alloc = *alloc;
    *out = c;
    return 0;
}

static void drop_lines(struct cad_converter *c)
{
    cad_alloc_free(&c->alloc, c->lines, (size_t)c->width * LINES * sizeof(*c->lines),
                   CAD_MEM_OTHER);
    c->lines = NULL;
    c->width = 0;
}

void cad_converter_destroy(struct cad_converter **converter)
{
    if (!converter || !*converter) return;
    struct cad_converter *c = *converter;
    struct cad_alloc alloc = c->alloc;
    drop_lines(c);
    cad_alloc_free(&alloc, c->table, sizeof(*c->table), CAD_MEM_OTHER);
    cad_alloc_free(&alloc, c, sizeof(*c), CAD_MEM_OTHER);
    *converter = NULL;
}

/* ---- a plane --------------------------------------------------------------------------------- */

/* Where a plane of the result is found in the frame. */
struct place {
    uint32_t width, height;  /* of the result's plane */
    uint32_t step_x, step_y; /* samples of the frame for each of those */
    bool missing;            /* chroma of a grey picture */
};

static struct place place_of(const struct cad_frame *frame, uint32_t plane)
{
    struct place place = {frame->width, frame->height, 1, 1, false};
    if (plane == 0) return place;
    place.width = (frame->width + 1) / 2;
    place.height = (frame->height + 1) / 2;
    bool tall = frame->format == CAD_PIXEL_I422 || frame->format == CAD_PIXEL_I444;
    place.step_x = frame->format == CAD_PIXEL_I444 ? 2 : 1;
    place.step_y = tall ? 2 : 1;
    place.missing = frame->format == CAD_PIXEL_GRAY;
    return place;
}

static const uint8_t *row_of(const struct cad_frame *frame, uint32_t plane, uint32_t y)
{
    return frame->plane[plane] + (ptrdiff_t)y * frame->stride[plane];
}

/* 10 bits to 8, to the nearest; in full range both ends meet, in limited range it is a quarter. */
static void round_row(const uint8_t *from, uint32_t width, bool full, uint8_t *out)
{
    for (uint32_t x = 0; x < width; x++) {
        uint32_t v = (from[2 * x] | (uint32_t)from[2 * x + 1] << 8) & 1023u;
        v = full ? (v * 255 + 511) / 1023 : (v + 2) >> 2;
        out[x] = (uint8_t)CAD_MIN(v, 255u);
    }
}

static void copy_plane(const struct cad_frame *frame, uint32_t plane, uint8_t *out, int32_t stride)
{
    struct place place = place_of(frame, plane);
    for (uint32_t y = 0; y < place.height; y++, out += stride) {
        if (place.missing) {
            memset(out, 128, place.width);
            continue;
        }
        const uint8_t *from = row_of(frame, plane, y * place.step_y);
        if (frame->format == CAD_PIXEL_I420_10) {
            round_row(from, place.width, frame->full_range, out);
        } else if (place.step_x == 1) {
            memcpy(out, from, place.width);
        } else {
            for (uint32_t x = 0; x < place.width; x++) out[x] = from[x * place.step_x];
        }
    }
}

/* ---- through the table ----------------------------------------------------------------------- */

/* A row as codes of 10 bits, one more than there are where their number is odd. */
static void load_row(const struct cad_frame *frame, uint32_t plane, uint32_t y, uint16_t *out)
{
    struct place place = place_of(frame, plane);
    uint32_t n = place.width;
    if (place.missing) {
        for (uint32_t x = 0; x < n; x++) out[x] = 512;
        return;
    }
    const uint8_t *from = row_of(frame, plane, y * place.step_y);
    if (frame->format == CAD_PIXEL_I420_10) {
        for (uint32_t x = 0; x < n; x++) {
            out[x] = (uint16_t)((from[2 * x] | (uint32_t)from[2 * x + 1] << 8) & 1023u);
        }
    } else {
        for (uint32_t x = 0; x < n; x++) out[x] = (uint16_t)(from[x * place.step_x] << 2);
    }
    if (plane == 0 && n % 2 != 0) out[n] = out[n - 1];
}

/* The cell of the cube that a pair of chroma lies in: its corners and their weights, sum 256. */
struct cell {
    uint32_t u, v;
    uint32_t weight[4]; /* u v: low low, high low, low high, high high */
};

static inline struct cell cell_of(uint32_t cb, uint32_t cr)
{
    uint32_t fu = cb & 15, fv = cr & 15;
    return (struct cell){cb >> 4, cr >> 4,
                         {(16 - fu) * (16 - fv), fu * (16 - fv), (16 - fu) * fv, fu * fv}};
}

/* Four of luma that share their chroma. Neighbours mostly lie between the same two nodes. */
static inline void map_luma(const struct cad_convert_table *table, const struct cell *cell,
                            const uint32_t y[4], uint8_t out[4])
{
    const uint16_t *a = table->luma[cell->v][cell->u];
    const uint16_t *b = table->luma[cell->v][cell->u + 1];
    const uint16_t *c = table->luma[cell->v + 1][cell->u];
    const uint16_t *d = table->luma[cell->v + 1][cell->u + 1];
    const uint32_t *w = cell->weight;
    uint32_t node = UINT32_MAX;
    uint32_t low = 0, high = 0;
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t at = y[i] >> 4;
        uint32_t f = y[i] & 15;
        if (at != node) {
            node = at;
            low = a[at] * w[0] + b[at] * w[1] + c[at] * w[2] + d[at] * w[3];
            at++;
            high = a[at] * w[0] + b[at] * w[1] + c[at] * w[2] + d[at] * w[3];
        }
        /* 16 bits, 8 of weight and 4 of distance; what comes out has 8. */
        out[i] = (uint8_t)((low * (16 - f) + high * f + (1u << 19)) >> 20);
    }
}

static inline void map_chroma(const struct cad_convert_table *table, const struct cell *cell,
                              uint32_t y, uint8_t *cb, uint8_t *cr)
{
    uint32_t f = y & 31;
    uint32_t sum[2] = {0, 0};
    for (uint32_t i = 0; i < 4; i++) {
        const uint16_t(*at)[2] = &table->chroma[cell->v + (i >> 1)][cell->u + (i & 1)][y >> 5];
        for (uint32_t k = 0; k < 2; k++) {
            sum[k] += (at[0][k] * (32 - f) + at[1][k] * f) * cell->weight[i];
        }
    }
    /* 16 bits, 8 of weight and 5 of distance. */
    *cb = (uint8_t)((sum[0] + (1u << 20)) >> 21);
    *cr = (uint8_t)((sum[1] + (1u << 20)) >> 21);
}

/* Two rows of luma and one of each chroma, from c->lines; both of luma may go to the same place. */
static void map_rows(const struct cad_converter *c, uint32_t width, uint8_t *const out[LINES])
{
    const uint16_t *first = c->lines;
    const uint16_t *second = first + c->width;
    const uint16_t *cb = second + c->width;
    const uint16_t *cr = cb + c->width;
    for (uint32_t x = 0; x < width; x += 2) {
        struct cell cell = cell_of(cb[x / 2], cr[x / 2]);
        const uint32_t y[4] = {first[x], first[x + 1], second[x], second[x + 1]};
        uint8_t mapped[4];
        map_luma(c->table, &cell, y, mapped);
        map_chroma(c->table, &cell, (y[0] + y[1] + y[2] + y[3] + 2) >> 2, &out[2][x / 2],
                   &out[3][x / 2]);
        out[0][x] = mapped[0];
        out[1][x] = mapped[2];
        if (x + 1 == width) break;
        out[0][x + 1] = mapped[1];
        out[1][x + 1] = mapped[3];
    }
}

static void map_picture(struct cad_converter *c, const struct cad_frame *frame,
                        uint8_t *const plane[3], const int32_t stride[3])
{
    for (uint32_t y = 0; y < frame->height; y += 2) {
        uint32_t next = y + 1 < frame->height ? y + 1 : y;
        load_row(frame, 0, y, c->lines);
        load_row(frame, 0, next, c->lines + c->width);
        load_row(frame, 1, y / 2, c->lines + (size_t)2 * c->width);
        load_row(frame, 2, y / 2, c->lines + (size_t)3 * c->width);
        uint8_t *const out[LINES] = {
            plane[0] + (ptrdiff_t)y * stride[0], plane[0] + (ptrdiff_t)next * stride[0],
            plane[1] + (ptrdiff_t)(y / 2) * stride[1], plane[2] + (ptrdiff_t)(y / 2) * stride[2]};
        map_rows(c, frame->width, out);
    }
}

/* Lines for this width and the table for this kind. */
static int prepare(struct cad_converter *c, const struct cad_frame *frame)
{
    uint32_t width = frame->width + 1;
    if (c->width < width) {
        drop_lines(c);
        c->lines = cad_alloc_array(&c->alloc, (size_t)width * LINES, sizeof(*c->lines),
                                   CAD_MEM_OTHER);
        if (!c->lines) return CAD_E_NOMEM;
        c->width = width;
    }
    struct cad_convert_kind kind = cad_convert_kind_of(frame);
    if (c->table && cad_convert_kind_equal(&kind, &c->kind)) return 0;
    if (!c->table) c->table = cad_alloc_new(&c->alloc, sizeof(*c->table), CAD_MEM_OTHER);
    if (!c->table) return CAD_E_NOMEM;
    c->kind = kind;
    cad_convert_table_fill(c->table, &kind);
    return 0;
}

static bool is_picture(const struct cad_frame *frame)
{
    if (frame->format == CAD_PIXEL_NONE || frame->width == 0 || frame->height == 0) return false;
    bool chroma = frame->plane[1] && frame->plane[2];
    return frame->plane[0] && (chroma || frame->format == CAD_PIXEL_GRAY);
}

int cad_converter_run(struct cad_converter *converter, const struct cad_frame *frame,
                      uint8_t *const plane[3], const int32_t stride[3])
{
    if (!converter || !frame || !plane || !stride || !is_picture(frame)) return CAD_E_INVAL;
    for (uint32_t i = 0; i < 3; i++) {
        struct place place = place_of(frame, i);
        if (!plane[i] || stride[i] < 0 || (uint32_t)stride[i] < place.width) return CAD_E_INVAL;
    }
    uint32_t steps = cad_frame_convert_steps(frame);
    if (steps & (CAD_CONVERT_HDR | CAD_CONVERT_GAMUT)) {
        int rc = prepare(converter, frame);
        if (rc < 0) return rc;
        map_picture(converter, frame, plane, stride);
    } else {
        for (uint32_t i = 0; i < 3; i++) copy_plane(frame, i, plane[i], stride[i]);
    }
    return (int)steps;
}
