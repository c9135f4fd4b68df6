/*
 * Walks the samples of a segment: moof, traf, tfhd, tfdt, trun (ISO/IEC 14496-12 8.8.4 to 8.8.12).
 *
 * The reader is always in one of four places, told by three fields: between top-level boxes (moof
 * is NONE), between the trafs of a moof (traf_size 0), between the runs of a traf (trun_left 0), or
 * at a sample. A step takes it to the next place or fails and leaves it where it was, so that a
 * call with more bytes goes on without doing work twice. A moof is only entered when it is whole.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "mp4/box.h"

enum {
    TFHD_BASE_DATA_OFFSET = 0x000001,
    TFHD_DESCRIPTION_INDEX = 0x000002,
    TFHD_DURATION = 0x000008,
    TFHD_SIZE = 0x000010,
    TFHD_FLAGS = 0x000020,
    TFHD_DURATION_IS_EMPTY = 0x010000,
    TFHD_BASE_IS_MOOF = 0x020000,

    TRUN_DATA_OFFSET = 0x000001,
    TRUN_FIRST_FLAGS = 0x000004,
    TRUN_DURATION = 0x000100,
    TRUN_SIZE = 0x000200,
    TRUN_FLAGS = 0x000400,
    TRUN_CTS = 0x000800,

    SAMPLE_IS_NON_SYNC = 0x010000,
};

/* A track fragment before its runs are walked. */
struct fragment {
    uint32_t flags; /* of the tfhd */
    uint32_t track_id;
    uint32_t description;
    uint64_t base;  /* base-data-offset, if the flags say so */
    uint32_t duration, size, sample_flags; /* defaults */
    bool has_size;  /* size is from the tfhd */
    bool has_time;
    int64_t time;   /* tfdt */
    uint32_t runs;
};

/* A track run before its rows are walked. */
struct run {
    uint8_t version;
    uint32_t flags;
    uint32_t count;
    int32_t data_offset;
    uint32_t first_flags;
    cad_buf rows; /* begins with the first row */
};

void cad_mp4_reader_init(struct cad_mp4_reader *reader, const struct cad_mp4_init *init)
{
    *reader = (struct cad_mp4_reader){.init = init, .moof = CAD_MP4_NONE, .trun = CAD_MP4_NONE};
    if (init == NULL) reader->error = CAD_E_INVAL;
}

static size_t row_bytes(uint32_t flags)
{
    size_t fields = 0;
    for (uint32_t bit = TRUN_DURATION; bit <= TRUN_CTS; bit <<= 1) fields += (flags & bit) != 0;
    return fields * 4;
}

static int read_tfhd(cad_buf body, const struct cad_mp4_init *init, struct fragment *f)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(body);
    cad_mp4_wire_skip(&wire, 1);
    f->flags = cad_mp4_wire_u24(&wire);
    f->track_id = cad_mp4_wire_u32(&wire);
    f->description = init->default_description;
    f->duration = init->default_duration;
    f->size = init->default_size;
    f->sample_flags = init->default_flags;
    f->has_size = (f->flags & TFHD_SIZE) != 0;
    if (f->flags & TFHD_BASE_DATA_OFFSET) f->base = cad_mp4_wire_u64(&wire);
    if (f->flags & TFHD_DESCRIPTION_INDEX) f->description = cad_mp4_wire_u32(&wire);
    if (f->flags & TFHD_DURATION) f->duration = cad_mp4_wire_u32(&wire);
    if (f->flags & TFHD_SIZE) f->size = cad_mp4_wire_u32(&wire);
    if (f->flags & TFHD_FLAGS) f->sample_flags = cad_mp4_wire_u32(&wire);
    if (wire.failed || f->track_id == 0) return CAD_E_DATA;
    return 0;
}

static int read_tfdt(cad_buf body, int64_t *time)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(body);
    uint8_t version = cad_mp4_wire_u8(&wire);
    cad_mp4_wire_skip(&wire, 3);
    uint64_t value = cad_mp4_wire_uint(&wire, version == 0 ? 4 : 8);
    if (wire.failed || !cad_u64_to_i64(value, time)) return CAD_E_DATA;
    return 0;
}

static int read_trun(cad_buf body, struct run *run)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(body);
    *run = (struct run){.version = cad_mp4_wire_u8(&wire)};
    run->flags = cad_mp4_wire_u24(&wire);
    run->count = cad_mp4_wire_u32(&wire);
    if (run->flags & TRUN_DATA_OFFSET) run->data_offset = (int32_t)cad_mp4_wire_u32(&wire);
    if (run->flags & TRUN_FIRST_FLAGS) run->first_flags = cad_mp4_wire_u32(&wire);
    run->rows = wire.b;
    size_t row = row_bytes(run->flags);
    if (wire.failed || (row > 0 && run->count > wire.b.n / row)) return CAD_E_DATA;
    return run->count > CAD_MP4_SAMPLES_MAX ? CAD_E_LIMIT : 0;
}

/* What a traf says besides its runs. Every box in it is looked at once. */
static int read_fragment(cad_buf traf, const struct cad_mp4_init *init, struct fragment *f)
{
    *f = (struct fragment){0};
    struct cad_mp4_child child;
    bool has_tfhd = false;
    size_t at = 0;
    int rc;
    while ((rc = cad_mp4_child_next(traf, &at, &child)) == 0) {
        if (child.type == CAD_FOURCC('t', 'f', 'h', 'd')) {
            if (has_tfhd) return CAD_E_DATA;
            has_tfhd = true;
            rc = read_tfhd(child.body, init, f);
        } else if (child.type == CAD_FOURCC('t', 'f', 'd', 't')) {
            if (f->has_time) return CAD_E_DATA;
            f->has_time = true;
            rc = read_tfdt(child.body, &f->time);
        } else if (child.type == CAD_FOURCC('t', 'r', 'u', 'n')) {
            if (++f->runs > CAD_MP4_TRUNS_MAX) return CAD_E_LIMIT;
        }
        if (rc != 0) return rc;
    }
    if (rc != CAD_E_END) return rc;
    return has_tfhd ? 0 : CAD_E_DATA;
}

/*
 * Where the data of a traf is counted from; NONE if that cannot be known. Without a word in the
 * tfhd it is r->data: the moof for the first traf, the end of the data before for the others.
 */
static int fragment_base(const struct cad_mp4_reader *r, const struct fragment *f, uint64_t *base)
{
    if (f->flags & TFHD_BASE_DATA_OFFSET) {
        *base = f->base;
        return 0;
    }
    if (f->flags & TFHD_BASE_IS_MOOF) {
        return cad_add_u64(r->origin, r->moof, base) ? 0 : CAD_E_DATA;
    }
    *base = r->data;
    return 0;
}

/* Where the data of a run starts. data: the end of the run before it. */
static int run_start(const struct run *run, uint64_t base, uint64_t *data)
{
    if (!(run->flags & TRUN_DATA_OFFSET)) return 0;
    uint64_t distance = (uint64_t)(run->data_offset < 0 ? -(int64_t)run->data_offset
                                                        : (int64_t)run->data_offset);
    bool fits = run->data_offset < 0 ? cad_sub_u64(base, distance, data)
                                     : cad_add_u64(base, distance, data);
    return fits ? 0 : CAD_E_DATA;
}

/* Adds the sizes of a run's samples to *data. */
static int run_end(const struct run *run, const struct fragment *f, uint64_t *data)
{
    uint64_t sum = (uint64_t)run->count * f->size; /* below 2^52: count is limited */
    if (run->flags & TRUN_SIZE) {
        size_t row = row_bytes(run->flags);
        const uint8_t *p = run->rows.p + (run->flags & TRUN_DURATION ? 4 : 0);
        sum = 0;
        for (uint32_t i = 0; i < run->count; i++) sum += cad_be32(p + i * row);
    } else if (!f->has_size && run->count > 0) {
        *data = CAD_MP4_NONE; /* its trex is not ours to know */
        return 0;
    }
    return cad_add_u64(*data, sum, data) ? 0 : CAD_E_DATA;
}

/* Passes over a traf of another track: only the end of its data matters, for the traf after it. */
static int skip_fragment(cad_buf traf, const struct fragment *f, uint64_t base, uint64_t *data)
{
    struct cad_mp4_child child;
    uint64_t end = base;
    size_t at = 0;
    int rc;
    while ((rc = cad_mp4_child_next(traf, &at, &child)) == 0) {
        if (child.type != CAD_FOURCC('t', 'r', 'u', 'n')) continue;
        struct run run;
        rc = read_trun(child.body, &run);
        if (rc == 0 && base != CAD_MP4_NONE) rc = run_start(&run, base, &end);
        if (rc == 0 && end != CAD_MP4_NONE) rc = run_end(&run, f, &end);
        if (rc != 0) return rc;
    }
    if (rc != CAD_E_END) return rc;
    *data = end;
    return 0;
}

static int enter_traf(struct cad_mp4_reader *r, cad_buf traf, uint64_t offset)
{
    struct fragment f;
    uint64_t base = 0;
    int rc = read_fragment(traf, r->init, &f);
    if (rc == 0) rc = fragment_base(r, &f, &base);
    if (rc != 0) return rc;
    if (r->init->track_id != 0 && f.track_id != r->init->track_id) {
        rc = skip_fragment(traf, &f, base, &r->data);
        if (rc == 0) r->traf = offset + traf.n;
        return rc;
    }
    if (base == CAD_MP4_NONE) return CAD_E_UNSUPPORTED;
    int64_t time = f.has_time ? f.time : r->dts_ticks;
    /* An interval without samples still takes its time (8.8.7). */
    if ((f.flags & TFHD_DURATION_IS_EMPTY) && f.runs == 0) {
        if (!cad_add_i64(time, f.duration, &time)) return CAD_E_DATA;
    }
    r->traf = offset;
    r->traf_size = traf.n;
    r->trun = CAD_MP4_NONE;
    r->base_data = base;
    r->data = base;
    r->dts_ticks = time;
    r->duration = f.duration;
    r->size = f.size;
    r->flags = f.sample_flags;
    r->description = f.description;
    r->index = 0;
    return 0;
}

/* The next child of a type between two offsets of the segment. CAD_E_END: none. */
static int find_between(cad_buf b, uint64_t from, uint64_t to, uint32_t type,
                        struct cad_mp4_child *out)
{
    cad_buf rest = {b.p + from, (size_t)(to - from)};
    size_t at = 0;
    int rc;
    do {
        rc = cad_mp4_child_next(rest, &at, out);
    } while (rc == 0 && out->type != type);
    return rc;
}

static int step_traf(struct cad_mp4_reader *r, cad_buf b)
{
    struct cad_mp4_child child;
    uint32_t type = CAD_FOURCC('t', 'r', 'a', 'f');
    int rc = find_between(b, r->traf, r->moof + r->moof_size, type, &child);
    if (rc == CAD_E_END) {
        r->moof = CAD_MP4_NONE;
        return 0;
    }
    if (rc != 0) return rc;
    return enter_traf(r, child.body, (uint64_t)(child.body.p - b.p));
}

static int step_run(struct cad_mp4_reader *r, cad_buf b)
{
    uint64_t end = r->traf + r->traf_size;
    uint64_t from = r->trun == CAD_MP4_NONE ? r->traf : r->trun_end;
    struct cad_mp4_child child;
    int rc = find_between(b, from, end, CAD_FOURCC('t', 'r', 'u', 'n'), &child);
    if (rc == CAD_E_END) {
        r->traf = end;
        r->traf_size = 0;
        return 0;
    }
    struct run run;
    uint64_t data = r->data;
    if (rc == 0) rc = read_trun(child.body, &run);
    if (rc == 0) rc = run_start(&run, r->base_data, &data);
    if (rc != 0) return rc;
    r->trun = from + child.offset;
    r->trun_end = r->trun + child.size;
    r->trun_next = (uint64_t)(run.rows.p - b.p);
    r->trun_left = run.count;
    r->trun_flags = run.flags;
    r->trun_first_flags = run.first_flags;
    r->trun_first = true;
    r->trun_version = run.version;
    r->data = data;
    return 0;
}

static int step_box(struct cad_mp4_reader *r, cad_buf b, uint64_t total)
{
    if (r->next_box >= total) return total == CAD_MP4_NONE ? CAD_E_AGAIN : CAD_E_END;
    if (r->next_box > b.n) return CAD_E_AGAIN;
    struct cad_mp4_box box;
    int rc = cad_mp4_box_read((cad_buf){b.p + r->next_box, b.n - (size_t)r->next_box}, &box);
    if (rc == CAD_E_AGAIN && b.n >= total) return CAD_E_DATA;
    if (rc != 0) return rc;
    uint64_t end = total;
    if (box.size != CAD_MP4_NONE && !cad_add_u64(r->next_box, box.size, &end)) return CAD_E_DATA;
    if (end > total) return CAD_E_DATA;
    if (box.type == CAD_FOURCC('m', 'o', 'o', 'f')) {
        /* One that runs to the end of the file has no media after it. */
        if (box.size == CAD_MP4_NONE) return CAD_E_DATA;
        if (box.size > CAD_MP4_MOOF_BYTES_MAX) return CAD_E_LIMIT;
        if (end > b.n) return CAD_E_AGAIN;
        if (!cad_add_u64(r->origin, r->next_box, &r->data)) return CAD_E_DATA;
        r->moof = r->next_box;
        r->moof_size = box.size;
        r->traf = r->moof + box.header;
        r->traf_size = 0;
        r->trun_left = 0;
    }
    r->next_box = end;
    return 0;
}

/* The row of a sample, with the defaults for what it does not say. */
static int64_t read_row(const struct cad_mp4_reader *r, const uint8_t *p,
                        struct cad_mp4_sample *out)
{
    uint32_t flags = r->flags;
    int64_t cts = 0;
    out->duration_ticks = r->duration;
    out->size = r->size;
    if (r->trun_first && (r->trun_flags & TRUN_FIRST_FLAGS)) flags = r->trun_first_flags;
    if (r->trun_flags & TRUN_DURATION) {
        out->duration_ticks = cad_be32(p);
        p += 4;
    }
    if (r->trun_flags & TRUN_SIZE) {
        out->size = cad_be32(p);
        p += 4;
    }
    if (r->trun_flags & TRUN_FLAGS) {
        flags = cad_be32(p);
        p += 4;
    }
    if (r->trun_flags & TRUN_CTS) {
        uint32_t word = cad_be32(p);
        cts = r->trun_version == 0 ? (int64_t)word : (int64_t)(int32_t)word;
    }
    out->sync = !(flags & SAMPLE_IS_NON_SYNC);
    return cts;
}

static int take_sample(struct cad_mp4_reader *r, cad_buf b, uint64_t total,
                       struct cad_mp4_sample *out)
{
    struct cad_mp4_sample sample;
    int64_t cts = read_row(r, b.p + r->trun_next, &sample);
    uint64_t end;
    int64_t next;
    if (!cad_sub_u64(r->data, r->origin, &sample.offset)) return CAD_E_DATA;
    if (!cad_add_u64(sample.offset, sample.size, &end) || end > total) return CAD_E_DATA;
    if (!cad_sub_i64(r->dts_ticks, r->init->edit_start_ticks, &sample.dts_ticks) ||
        !cad_add_i64(sample.dts_ticks, cts, &sample.pts_ticks) ||
        !cad_add_i64(r->dts_ticks, sample.duration_ticks, &next)) {
        return CAD_E_DATA;
    }
    if (end > b.n) return CAD_E_AGAIN;
    r->dts_ticks = next;
    r->data += sample.size;
    r->trun_next += row_bytes(r->trun_flags);
    r->trun_left--;
    r->trun_first = false;
    sample.index = r->index++;
    *out = sample;
    return 0;
}

/* A step that leads no further: what the call answers. */
static int finish(struct cad_mp4_reader *r, int rc)
{
    if (rc != CAD_E_AGAIN && rc != CAD_E_END) r->error = rc;
    return rc;
}

int cad_mp4_reader_next(struct cad_mp4_reader *r, cad_buf b, uint64_t total,
                        struct cad_mp4_sample *out)
{
    if (r->error != 0) return r->error;
    r->total = total;
    for (;;) {
        int rc;
        if (r->moof == CAD_MP4_NONE) {
            rc = step_box(r, b, total);
        } else if (r->moof + r->moof_size > b.n) {
            rc = CAD_E_AGAIN; /* a shorter view than before */
        } else if (r->traf_size == 0) {
            rc = step_traf(r, b);
        } else if (r->trun_left == 0) {
            rc = step_run(r, b);
        } else {
            rc = take_sample(r, b, total, out);
            return rc == 0 ? 0 : finish(r, rc);
        }
        if (rc != 0) return finish(r, rc);
    }
}
