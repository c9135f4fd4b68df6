/*
 * index.c - the segment index: runs of equal duration and, where bytes are known, one size each.
 *
 * Times cost one run (24 bytes) per change of duration. Sizes cost 4 bytes a segment; every 64th
 * segment has a checkpoint with its byte offset, so that a lookup adds at most 63 sizes.
 */
#include <stdbool.h>
#include <stdint.h>

#include "cadmium/manifest.h"

#include "base/checked.h"
#include "base/mem.h"
#include "base/util.h"
#include "manifest/index.h"

#define SEGMENTS_MAX 2000000u
#define CHECKPOINT_SEGMENTS 64u
#define RUNS_MIN 8u
#define SIZES_MIN 128u

struct run {
    int64_t start;    /* ticks of its first segment */
    int64_t duration; /* ticks of each segment, > 0 */
    uint32_t first;   /* index of its first segment */
};

struct cad_index {
    struct cad_alloc alloc;
    struct run *runs;     /* rising in start and first */
    uint32_t *sizes;      /* bytes of each segment; NULL without byte ranges */
    int64_t *checkpoints; /* byte offset of segments 0, 64, 128... */
    int64_t end_ticks;    /* end of the last segment */
    int64_t first_byte;   /* -1 without byte ranges */
    int64_t end_byte;     /* behind the last segment */
    uint32_t timescale;
    uint32_t count;
    uint32_t run_count;
    uint32_t run_capacity;
    uint32_t size_capacity; /* a multiple of CHECKPOINT_SEGMENTS */
};

int cad_index_create(const struct cad_alloc *alloc, uint32_t timescale, int64_t first_byte,
                     struct cad_index **out)
{
    if (!alloc || !alloc->fn || timescale == 0 || first_byte < -1 || !out) return CAD_E_INVAL;
    struct cad_index *index = cad_alloc_new(alloc, sizeof(*index), CAD_MEM_MANIFEST);
    if (!index) return CAD_E_NOMEM;
    index->alloc = *alloc;
    index->timescale = timescale;
    index->first_byte = first_byte;
    index->end_byte = first_byte;
    *out = index;
    return CAD_OK;
}

static size_t runs_bytes(const struct cad_index *index)
{
    return index->run_capacity * sizeof(*index->runs);
}

static size_t sizes_bytes(const struct cad_index *index)
{
    return index->size_capacity * sizeof(*index->sizes);
}

static size_t checkpoints_bytes(const struct cad_index *index)
{
    return index->size_capacity / CHECKPOINT_SEGMENTS * sizeof(*index->checkpoints);
}

void cad_index_destroy(struct cad_index **index)
{
    if (!index || !*index) return;
    struct cad_index *gone = *index;
    struct cad_alloc alloc = gone->alloc;
    cad_alloc_free(&alloc, gone->runs, runs_bytes(gone), CAD_MEM_MANIFEST);
    cad_alloc_free(&alloc, gone->sizes, sizes_bytes(gone), CAD_MEM_MANIFEST);
    cad_alloc_free(&alloc, gone->checkpoints, checkpoints_bytes(gone), CAD_MEM_MANIFEST);
    cad_alloc_free(&alloc, gone, sizeof(*gone), CAD_MEM_MANIFEST);
    *index = NULL;
}

static int reserve_run(struct cad_index *index)
{
    if (index->run_count < index->run_capacity) return CAD_OK;
    uint32_t capacity = index->run_capacity ? index->run_capacity * 2 : RUNS_MIN;
    struct run *runs = cad_alloc_resize(&index->alloc, index->runs, runs_bytes(index),
                                        capacity * sizeof(*runs), CAD_MEM_MANIFEST);
    if (!runs) return CAD_E_NOMEM;
    index->runs = runs;
    index->run_capacity = capacity;
    return CAD_OK;
}

/* The capacity counts for both arrays, so the second failing gives the first its old size back. */
static int reserve_size(struct cad_index *index)
{
    if (index->count < index->size_capacity) return CAD_OK;
    uint32_t capacity = index->size_capacity ? index->size_capacity * 2 : SIZES_MIN;
    size_t marks = capacity / CHECKPOINT_SEGMENTS;
    int64_t *checkpoints = cad_alloc_new(&index->alloc, marks * sizeof(*checkpoints),
                                         CAD_MEM_MANIFEST);
    if (!checkpoints) return CAD_E_NOMEM;
    uint32_t *sizes = cad_alloc_resize(&index->alloc, index->sizes, sizes_bytes(index),
                                       capacity * sizeof(*sizes), CAD_MEM_MANIFEST);
    if (!sizes) {
        cad_alloc_free(&index->alloc, checkpoints, marks * sizeof(*checkpoints),
                       CAD_MEM_MANIFEST);
        return CAD_E_NOMEM;
    }
    size_t used = index->size_capacity / CHECKPOINT_SEGMENTS;
    for (size_t i = 0; i < used; i++) checkpoints[i] = index->checkpoints[i];
    cad_alloc_free(&index->alloc, index->checkpoints, checkpoints_bytes(index), CAD_MEM_MANIFEST);
    index->checkpoints = checkpoints;
    index->sizes = sizes;
    index->size_capacity = capacity;
    return CAD_OK;
}

int cad_index_add(struct cad_index *index, int64_t start_ticks, int64_t duration_ticks,
                  uint32_t size_bytes)
{
    if (!index || duration_ticks <= 0) return CAD_E_INVAL;
    bool has_bytes = index->first_byte >= 0;
    if (has_bytes && size_bytes == 0) return CAD_E_INVAL;
    if (index->count >= SEGMENTS_MAX) return CAD_E_LIMIT;

    bool jump = index->count == 0 || start_ticks > index->end_ticks;
    int64_t start = jump ? start_ticks : index->end_ticks;
    int64_t end = 0;
    int64_t end_byte = index->end_byte;
    if (!cad_add_i64(start, duration_ticks, &end)) return CAD_E_INVAL;
    if (has_bytes && !cad_add_i64(index->end_byte, size_bytes, &end_byte)) return CAD_E_INVAL;

    bool opens_run = jump || index->runs[index->run_count - 1].duration != duration_ticks;
    if (opens_run && reserve_run(index) != 0) return CAD_E_NOMEM;
    if (has_bytes && reserve_size(index) != 0) return CAD_E_NOMEM;

    if (opens_run) {
        index->runs[index->run_count++] = (struct run){start, duration_ticks, index->count};
    }
    if (has_bytes) {
        if (index->count % CHECKPOINT_SEGMENTS == 0) {
            index->checkpoints[index->count / CHECKPOINT_SEGMENTS] = index->end_byte;
        }
        index->sizes[index->count] = size_bytes;
    }
    index->count++;
    index->end_ticks = end;
    index->end_byte = end_byte;
    return CAD_OK;
}

int cad_index_add_run(struct cad_index *index, int64_t start_ticks, int64_t duration_ticks,
                      uint32_t count)
{
    if (!index || index->first_byte >= 0 || duration_ticks <= 0 || count == 0) return CAD_E_INVAL;
    if (count > SEGMENTS_MAX - index->count) return CAD_E_LIMIT;
    const struct run *last = index->run_count > 0 ? &index->runs[index->run_count - 1] : NULL;
    int64_t span = 0;
    int64_t end = 0;
    if (last) {
        int64_t last_start = last->start + (int64_t)(index->count - 1 - last->first) *
                                               last->duration;
        if (start_ticks <= last_start) start_ticks = last_start + last->duration;
    }
    if (!cad_mul_i64(duration_ticks, count, &span)) return CAD_E_INVAL;
    if (!cad_add_i64(start_ticks, span, &end)) return CAD_E_INVAL;
    bool follows = last && start_ticks == index->end_ticks && last->duration == duration_ticks;
    if (!follows) {
        if (reserve_run(index) != 0) return CAD_E_NOMEM;
        index->runs[index->run_count++] = (struct run){start_ticks, duration_ticks, index->count};
    }
    index->count += count;
    index->end_ticks = CAD_MAX(index->end_ticks, end);
    if (!last) index->end_ticks = end;
    return CAD_OK;
}

uint32_t cad_index_count(const struct cad_index *index)
{
    return index ? index->count : 0;
}

uint32_t cad_index_timescale(const struct cad_index *index)
{
    return index ? index->timescale : 0;
}

int64_t cad_index_end_ticks(const struct cad_index *index)
{
    return index && index->count > 0 ? index->end_ticks : 0;
}

uint64_t cad_index_bytes(const struct cad_index *index)
{
    if (!index) return 0;
    return sizeof(*index) + runs_bytes(index) + sizes_bytes(index) + checkpoints_bytes(index);
}

static struct cad_range segment_bytes(const struct cad_index *index, uint32_t i)
{
    if (index->first_byte < 0) return (struct cad_range){-1, -1};
    int64_t first = index->checkpoints[i / CHECKPOINT_SEGMENTS];
    for (uint32_t k = i - i % CHECKPOINT_SEGMENTS; k < i; k++) first += index->sizes[k];
    return (struct cad_range){first, first + index->sizes[i] - 1};
}

static void fill_segment(const struct cad_index *index, const struct run *run, uint32_t i,
                         struct cad_segment *out)
{
    out->index = i;
    out->start_ticks = run->start + (int64_t)(i - run->first) * run->duration;
    out->duration_ticks = run->duration;
    out->bytes = segment_bytes(index, i);
}

int cad_index_at(const struct cad_index *index, uint32_t i, struct cad_segment *out)
{
    if (!index || !out) return CAD_E_INVAL;
    if (i >= index->count) return CAD_E_NOTFOUND;
    uint32_t low = 0;
    uint32_t high = index->run_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (index->runs[middle].first <= i) low = middle;
        else high = middle;
    }
    fill_segment(index, &index->runs[low], i, out);
    return CAD_OK;
}

int cad_index_find(const struct cad_index *index, int64_t ticks, struct cad_segment *out)
{
    if (!index || !out) return CAD_E_INVAL;
    if (index->count == 0 || ticks >= index->end_ticks) return CAD_E_NOTFOUND;
    uint32_t low = 0;
    uint32_t high = index->run_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (index->runs[middle].start <= ticks) low = middle;
        else high = middle;
    }
    const struct run *run = &index->runs[low];
    uint32_t i = run->first;
    if (ticks > run->start) {
        /* ticks lies behind start, so that the difference fits 64 unsigned bits. */
        uint64_t ahead = ((uint64_t)ticks - (uint64_t)run->start) / (uint64_t)run->duration;
        uint32_t next = low + 1 < index->run_count ? index->runs[low + 1].first : index->count;
        /* In a gap between two runs: the segment behind the gap is the next to play. */
        if (ahead >= next - run->first) return cad_index_at(index, next, out);
        i += (uint32_t)ahead;
    }
    fill_segment(index, run, i, out);
    return CAD_OK;
}
