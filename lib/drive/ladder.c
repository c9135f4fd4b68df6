/*
 * ladder.c - reads ladder files (cadmium-ladder-1): declared rates and true segment sizes.
 *
 * The keys may come in any order and unknown ones are skipped, so rows are collected as they come,
 * the first one telling how wide they are, and are compared with the rungs at the end.
 */
#include <string.h>

#include "cadmium/sim.h"

#include "base/checked.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define ROWS_MAX 200000u                        /* segments of a ladder file */
#define SEGMENT_DURATION_MAX (60 * CAD_SECOND)
#define RATE_BPS_MAX INT64_C(1000000000000)     /* 1 Tbit/s */
#define SEGMENT_BYTES_MAX INT64_C(0x3fffffff)   /* what one buffer of media may hold */

struct reader {
    const struct cad_alloc *alloc;
    struct cad_json json;
    struct cad_ladder ladder;
    uint32_t row_width;      /* sizes in a row; 0 before the first */
    size_t sizes_held;       /* elements of ladder.segment_bytes that are allocated */
    size_t sizes;            /* elements of it in use */
};

static size_t ladder_bytes(uint32_t segments, uint32_t rungs)
{
    return (size_t)segments * rungs * sizeof(uint32_t);
}

/* The next token must be of this type. */
static int expect(struct reader *r, enum cad_json_type type)
{
    if (cad_json_next(&r->json) == type) return 0;
    int err = cad_json_error(&r->json);
    return err ? err : CAD_E_DATA;
}

static int add_size(struct reader *r)
{
    int64_t bytes;
    int err = cad_json_i64(&r->json, &bytes);
    if (err) return err == CAD_E_INVAL ? CAD_E_DATA : err;
    if (bytes < 0) return CAD_E_DATA;
    if (bytes > SEGMENT_BYTES_MAX) return CAD_E_LIMIT;
    if (r->sizes == r->sizes_held) {
        size_t held = r->sizes_held ? r->sizes_held * 2 : 1024;
        uint32_t *p = cad_alloc_resize(r->alloc, r->ladder.segment_bytes,
                                       r->sizes_held * sizeof(uint32_t), held * sizeof(uint32_t),
                                       CAD_MEM_OTHER);
        if (!p) return CAD_E_NOMEM;
        r->ladder.segment_bytes = p;
        r->sizes_held = held;
    }
    r->ladder.segment_bytes[r->sizes++] = (uint32_t)bytes;
    return 0;
}

static int read_row(struct reader *r)
{
    uint32_t width = 0;
    for (;;) {
        enum cad_json_type type = cad_json_next(&r->json);
        if (type == CAD_JSON_ARRAY_END) break;
        if (type == CAD_JSON_ERROR) return cad_json_error(&r->json);
        if (++width > CAD_ABR_RUNGS_MAX) return CAD_E_LIMIT;
        int err = add_size(r);
        if (err) return err;
    }
    if (width == 0 || (r->row_width && width != r->row_width)) return CAD_E_DATA;
    if (r->ladder.segment_count == ROWS_MAX) return CAD_E_LIMIT;
    r->row_width = width;
    r->ladder.segment_count++;
    return 0;
}

static int read_rows(struct reader *r)
{
    if (r->row_width) return CAD_E_DATA;
    int err = expect(r, CAD_JSON_ARRAY_BEGIN);
    while (!err) {
        enum cad_json_type type = cad_json_next(&r->json);
        if (type == CAD_JSON_ARRAY_END) break;
        if (type == CAD_JSON_ERROR) return cad_json_error(&r->json);
        err = type == CAD_JSON_ARRAY_BEGIN ? read_row(r) : CAD_E_DATA;
    }
    return err;
}

/* A value that must be a number, times 10^digits, within 1..max. */
static int read_number(struct reader *r, int digits, int64_t max, int64_t *out)
{
    int err = expect(r, CAD_JSON_NUMBER);
    if (err) return err;
    int64_t value;
    err = cad_json_fixed(&r->json, digits, &value);
    if (err) return err;
    if (value < 1) return CAD_E_DATA;
    if (value > max) return CAD_E_LIMIT;
    *out = value;
    return 0;
}

static int read_rung(struct reader *r)
{
    struct cad_ladder *l = &r->ladder;
    if (l->rung_count == CAD_ABR_RUNGS_MAX) return CAD_E_LIMIT;
    uint32_t i = l->rung_count;
    for (;;) {
        enum cad_json_type type = cad_json_next(&r->json);
        if (type == CAD_JSON_OBJECT_END) break;
        if (type != CAD_JSON_KEY) return cad_json_error(&r->json);
        int err;
        if (cad_json_key_is(&r->json, "bitrate_kbps")) {
            err = read_number(r, 3, RATE_BPS_MAX, &l->rate_bps[i]);
        } else if (cad_json_key_is(&r->json, "height")) {
            int64_t height;
            err = read_number(r, 0, 16384, &height);
            if (!err) l->height[i] = (uint32_t)height;
        } else {
            err = cad_json_skip(&r->json);
        }
        if (err) return err;
    }
    if (l->rate_bps[i] == 0) return CAD_E_DATA;
    if (i > 0 && l->rate_bps[i] < l->rate_bps[i - 1]) return CAD_E_DATA;
    l->rung_count++;
    return 0;
}

static int read_rungs(struct reader *r)
{
    if (r->ladder.rung_count) return CAD_E_DATA;
    int err = expect(r, CAD_JSON_ARRAY_BEGIN);
    while (!err) {
        enum cad_json_type type = cad_json_next(&r->json);
        if (type == CAD_JSON_ARRAY_END) break;
        if (type == CAD_JSON_ERROR) return cad_json_error(&r->json);
        err = type == CAD_JSON_OBJECT_BEGIN ? read_rung(r) : CAD_E_DATA;
    }
    return err;
}

static int read_format(struct reader *r)
{
    int err = expect(r, CAD_JSON_STRING);
    if (err) return err;
    return cad_json_key_is(&r->json, "cadmium-ladder-1") ? 0 : CAD_E_UNSUPPORTED;
}

static int read_document(struct reader *r)
{
    int err = expect(r, CAD_JSON_OBJECT_BEGIN);
    if (err) return err;
    for (;;) {
        enum cad_json_type type = cad_json_next(&r->json);
        if (type == CAD_JSON_OBJECT_END) break;
        if (type != CAD_JSON_KEY) return cad_json_error(&r->json);
        if (cad_json_key_is(&r->json, "format")) {
            err = read_format(r);
        } else if (cad_json_key_is(&r->json, "segment_duration_ms")) {
            err = read_number(r, 6, SEGMENT_DURATION_MAX, &r->ladder.segment_duration);
        } else if (cad_json_key_is(&r->json, "rungs")) {
            err = read_rungs(r);
        } else if (cad_json_key_is(&r->json, "segment_bytes")) {
            err = read_rows(r);
        } else {
            err = cad_json_skip(&r->json);
        }
        if (err) return err;
    }
    return expect(r, CAD_JSON_END);
}

int cad_ladder_parse(const struct cad_alloc *alloc, cad_str json, struct cad_ladder *out)
{
    if (!alloc || !out) return CAD_E_INVAL;
    struct reader r;
    memset(&r, 0, sizeof(r));
    r.alloc = alloc;
    cad_json_init(&r.json, json, NULL);
    int err = read_document(&r);
    struct cad_ladder *l = &r.ladder;
    if (!err && (l->segment_duration == 0 || l->rung_count == 0 || l->segment_count == 0)) {
        err = CAD_E_DATA;
    }
    if (!err && l->rung_count != r.row_width) err = CAD_E_DATA;
    if (!err) {
        /* Exactly as large as cad_ladder_deinit will say. */
        size_t used = ladder_bytes(l->segment_count, l->rung_count);
        uint32_t *p = cad_alloc_resize(alloc, l->segment_bytes, r.sizes_held * sizeof(uint32_t),
                                       used, CAD_MEM_OTHER);
        if (p) {
            l->segment_bytes = p;
            *out = *l;
            return 0;
        }
        err = CAD_E_NOMEM;
    }
    cad_alloc_free(alloc, l->segment_bytes, r.sizes_held * sizeof(uint32_t), CAD_MEM_OTHER);
    return err;
}

void cad_ladder_deinit(const struct cad_alloc *alloc, struct cad_ladder *ladder)
{
    if (!ladder) return;
    cad_alloc_free(alloc, ladder->segment_bytes,
                   ladder_bytes(ladder->segment_count, ladder->rung_count), CAD_MEM_OTHER);
    memset(ladder, 0, sizeof(*ladder));
}
