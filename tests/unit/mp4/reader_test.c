/*
 * The samples of fragments: every combination of flags against samples worked out apart, every
 * prefix, every limit, and numbers that do not fit.
 */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mp4/box.h"

enum {
    SAMPLES_MAX = 64,
    NON_SYNC = 0x10000,
    DATA_OFFSET = 0x1,
    FIRST_FLAGS = 0x4,
    DURATION = 0x100,
    SIZE = 0x200,
    FLAGS = 0x400,
    CTS = 0x800,
    BASE_OFFSET = 0x1,
    BASE_IS_MOOF = 0x20000,
};

static struct build b;
static struct cad_mp4_sample want[SAMPLES_MAX];
static size_t want_count;

static const struct cad_mp4_init init = {.track_id = 1,
                                         .timescale = 1000,
                                         .edit_start_ticks = 30,
                                         .default_duration = 11,
                                         .default_size = 7,
                                         .default_flags = NON_SYNC};

/* How one fragment of these tests is written. */
struct form {
    uint32_t tfhd;       /* BASE_OFFSET, BASE_IS_MOOF */
    uint32_t trun;       /* flags of its runs */
    uint8_t version;     /* of tfdt and trun */
    bool has_tfdt;
    uint64_t time;       /* tfdt */
    uint64_t origin;
    bool is_large;       /* 64-bit sizes of moof, traf and trun */
};

static size_t open_box(const struct form *f, const char *type)
{
    return f->is_large ? build_open_large(&b, type) : build_open(&b, type);
}

/* Samples with numbers that depend on i; what the trun does not carry is the default. */
static void put_run(const struct form *f, uint32_t count, int64_t *dts, uint64_t *data,
                    uint64_t base)
{
    size_t at = open_box(f, "trun");
    build_u32(&b, (uint32_t)f->version << 24 | f->trun);
    build_u32(&b, count);
    if (f->trun & DATA_OFFSET) build_u32(&b, (uint32_t)(int32_t)(*data - base));
    if (f->trun & FIRST_FLAGS) build_u32(&b, 0x02000000);
    for (uint32_t i = 0; i < count; i++) {
        struct cad_mp4_sample *s = &want[want_count++];
        uint32_t flags = i % 2 == 1 ? NON_SYNC : 0;
        int32_t cts = (int32_t)(40 * i) - (f->version == 1 ? 50 : 0);
        s->duration_ticks = f->trun & DURATION ? 20 + i : 11;
        s->size = f->trun & SIZE ? i * 3 : 7; /* the first has no bytes */
        s->sync = f->trun & FLAGS ? i % 2 == 0 : (f->trun & FIRST_FLAGS) && i == 0;
        s->dts_ticks = *dts - 30;
        s->pts_ticks = s->dts_ticks + (f->trun & CTS ? cts : 0);
        s->offset = *data - f->origin;
        if (f->trun & DURATION) build_u32(&b, s->duration_ticks);
        if (f->trun & SIZE) build_u32(&b, s->size);
        if (f->trun & FLAGS) build_u32(&b, flags);
        if (f->trun & CTS) build_u32(&b, (uint32_t)cts);
        *dts += s->duration_ticks;
        *data += s->size;
    }
    build_close(&b, at);
}

static void put_tfhd(uint32_t flags, uint32_t track_id, uint64_t base)
{
    size_t at = build_full(&b, "tfhd", 0, flags);
    build_u32(&b, track_id);
    if (flags & BASE_OFFSET) build_u64(&b, base);
    build_close(&b, at);
}

/*
 * moof (two runs of `count` samples) and mdat. dts goes in as the end of the fragment before and
 * comes out as the end of this one. The media starts 8 bytes into the mdat where the run says so,
 * and at the base where it cannot.
 */
static void put_fragment(const struct form *f, uint32_t count, int64_t *dts)
{
    uint64_t start = f->origin + b.n;
    size_t first = want_count;
    size_t begin = b.n;
    uint64_t data = start;
    /* Written twice: the first time tells how large the moof is. */
    for (int pass = 0; pass < 2; pass++) {
        uint64_t base = f->tfhd & BASE_OFFSET ? start + 3 : start;
        uint64_t at_data = f->trun & DATA_OFFSET ? data : base;
        int64_t time = f->has_tfdt ? (int64_t)f->time : *dts;
        b.n = begin;
        want_count = first;
        size_t moof = open_box(f, "moof");
        build_box(&b, "mfhd", 8);
        size_t traf = open_box(f, "traf");
        put_tfhd(f->tfhd, 1, base);
        build_box(&b, "uuid", 20);
        if (f->has_tfdt) {
            size_t at = build_full(&b, "tfdt", f->version, 0);
            build_uint(&b, f->version == 0 ? 4 : 8, f->time);
            build_close(&b, at);
        }
        put_run(f, count, &time, &at_data, base);
        build_box(&b, "sbgp", 4);
        put_run(f, count, &time, &at_data, base);
        build_close(&b, traf);
        build_close(&b, moof);
        data = f->origin + b.n + 8;
        if (pass == 1) *dts = time;
    }
    build_box(&b, "mdat", 1000);
}

static void assert_sample(const struct cad_mp4_sample *got, const struct cad_mp4_sample *expected)
{
    assert_int_equal(got->dts_ticks, expected->dts_ticks);
    assert_int_equal(got->pts_ticks, expected->pts_ticks);
    assert_int_equal(got->duration_ticks, expected->duration_ticks);
    assert_int_equal(got->size, expected->size);
    assert_int_equal(got->offset, expected->offset);
    assert_int_equal(got->sync, expected->sync);
}

/* Reads on from sample `at` until something else than a sample comes; *rc is that. */
static size_t read_on(struct cad_mp4_reader *r, cad_buf view, uint64_t total, size_t at, int *rc)
{
    struct cad_mp4_sample got;
    while ((*rc = cad_mp4_reader_next(r, view, total, &got)) == 0) {
        assert_true(at < want_count);
        assert_sample(&got, &want[at++]);
    }
    return at;
}

static void read_whole(uint64_t origin)
{
    struct cad_mp4_reader r;
    int rc;
    cad_mp4_reader_init(&r, &init);
    r.origin = origin;
    assert_int_equal(read_on(&r, build_view(&b), b.n, 0, &rc), want_count);
    assert_int_equal(rc, CAD_E_END);
    assert_int_equal(read_on(&r, build_view(&b), b.n, want_count, &rc), want_count);
    assert_int_equal(rc, CAD_E_END);
    /* With an unknown length all samples come, and the end does not. */
    cad_mp4_reader_init(&r, &init);
    r.origin = origin;
    assert_int_equal(read_on(&r, build_view(&b), UINT64_MAX, 0, &rc), want_count);
    assert_int_equal(rc, CAD_E_AGAIN);
}

static void begin(void)
{
    build_init(&b);
    want_count = 0;
}

static void test_reader_every_form(void **state)
{
    (void)state;
    const uint32_t bases[] = {0, BASE_OFFSET, BASE_IS_MOOF, BASE_OFFSET | BASE_IS_MOOF};
    for (uint32_t bits = 0; bits < 64; bits++) {
        for (uint32_t base = 0; base < 4; base++) {
            for (uint32_t more = 0; more < 8; more++) {
                struct form f = {.tfhd = bases[base], .version = more & 1};
                f.trun = (bits & 1 ? DATA_OFFSET : 0u) | (bits & 2 ? FIRST_FLAGS : 0u) |
                         (bits >> 2) << 8;
                f.has_tfdt = (more & 2) != 0;
                f.is_large = (more & 4) != 0;
                f.time = f.version == 0 ? UINT32_MAX : UINT64_C(1) << 40;
                f.origin = f.tfhd & BASE_OFFSET ? 5000 : 0;
                int64_t dts = 0;
                begin();
                build_box(&b, "styp", 8);
                put_fragment(&f, 3, &dts);
                read_whole(f.origin);
            }
        }
    }
}

static const struct form plain = {.tfhd = BASE_IS_MOOF,
                                  .trun = DATA_OFFSET | FIRST_FLAGS | DURATION | SIZE | CTS,
                                  .version = 1,
                                  .has_tfdt = true,
                                  .time = 9000};

/* Three fragments: the second has no tfdt and goes on, the third jumps. */
static void build_three(void)
{
    int64_t dts = 0;
    struct form f = plain;
    begin();
    build_box(&b, "styp", 8);
    build_box(&b, "sidx", 40);
    put_fragment(&f, 3, &dts);
    f.has_tfdt = false;
    build_box(&b, "emsg", 30);
    put_fragment(&f, 2, &dts);
    f.has_tfdt = true;
    f.time = 100000;
    put_fragment(&f, 4, &dts);
    build_box(&b, "free", 3);
}

/* How many samples lie within the first n bytes, behind a moof that does as well. */
static size_t samples_within(size_t n)
{
    size_t count = 0;
    uint64_t at = 0;
    size_t per_moof[] = {6, 4, 8};
    for (int i = 0; i < 3; i++) {
        struct cad_mp4_box box;
        assert_int_equal(cad_mp4_find_box(build_view(&b), CAD_FOURCC('m', 'o', 'o', 'f'), &at), 0);
        assert_int_equal(cad_mp4_box_read((cad_buf){b.bytes + at, b.n - at}, &box), 0);
        at += box.size;
        if (n < at) return count;
        for (size_t k = 0; k < per_moof[i]; k++, count++) {
            if (want[count].offset + want[count].size > n) return count;
        }
        if (n < at + 8) return count; /* the mdat's header leads to the next moof */
    }
    return count;
}

static void test_reader_samples_come_as_soon_as_their_bytes(void **state)
{
    (void)state;
    build_three();
    struct cad_mp4_reader growing;
    cad_mp4_reader_init(&growing, &init);
    size_t at = 0;
    for (size_t n = 0; n <= b.n; n++) {
        uint8_t *copy = build_copy(&b, n);
        struct cad_mp4_reader fresh;
        int rc;
        cad_mp4_reader_init(&fresh, &init);
        size_t due = samples_within(n);
        assert_int_equal(read_on(&fresh, (cad_buf){copy, n}, UINT64_MAX, 0, &rc), due);
        assert_int_equal(rc, CAD_E_AGAIN);
        at = read_on(&growing, (cad_buf){copy, n}, b.n, at, &rc);
        assert_int_equal(at, due);
        /* The header of the last box, of 11 bytes, tells that nothing follows it. */
        assert_int_equal(rc, n >= b.n - 3 ? CAD_E_END : CAD_E_AGAIN);
        free(copy);
    }
    assert_int_equal(at, 18);
}

/* Whether the first n bytes are whole boxes, and no moof whose media is cut off. */
static bool is_whole(size_t n)
{
    size_t at = 0;
    uint32_t last = 0;
    while (at < n) {
        last = cad_be32(b.bytes + at + 4);
        at += cad_be32(b.bytes + at);
    }
    return at == n && last != CAD_FOURCC('m', 'o', 'o', 'f');
}

/* A segment that ends early: the right samples, then the end if it is whole, else a refusal. */
static void test_reader_every_truncation(void **state)
{
    (void)state;
    build_three();
    size_t ends = 0;
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *copy = build_copy(&b, n);
        struct cad_mp4_reader r;
        int rc;
        cad_mp4_reader_init(&r, &init);
        assert_int_equal(read_on(&r, (cad_buf){copy, n}, n, 0, &rc), samples_within(n));
        assert_int_equal(rc, is_whole(n) ? CAD_E_END : CAD_E_DATA);
        ends += rc == CAD_E_END;
        free(copy);
    }
    assert_int_equal(ends, 7); /* none, styp, sidx, mdat, emsg, mdat, mdat */
}

/* The bytes of the media may be anything, or not be there at all: they are never looked at. */
static void test_reader_never_reads_media(void **state)
{
    (void)state;
    int64_t dts = 0;
    begin();
    put_fragment(&plain, 3, &dts);
    size_t moof = cad_be32(b.bytes);
    uint8_t *copy = build_copy(&b, moof); /* a sanitizer sees any step behind it */
    struct cad_mp4_reader r;
    cad_mp4_reader_init(&r, &init);
    for (size_t i = 0; i < want_count; i++) {
        struct cad_mp4_sample got;
        assert_int_equal(cad_mp4_reader_next(&r, (cad_buf){copy, b.n}, b.n, &got), 0);
        assert_sample(&got, &want[i]);
    }
    free(copy);
}

static void test_reader_copy_remembers_a_place(void **state)
{
    (void)state;
    build_three();
    struct cad_mp4_reader r;
    struct cad_mp4_sample got;
    int rc;
    cad_mp4_reader_init(&r, &init);
    for (size_t i = 0; i < want_count; i++) {
        struct cad_mp4_reader place = r;
        assert_int_equal(read_on(&place, build_view(&b), b.n, i, &rc), want_count);
        assert_int_equal(cad_mp4_reader_next(&r, build_view(&b), b.n, &got), 0);
    }
}

static void test_reader_mdat_that_runs_to_the_end(void **state)
{
    (void)state;
    int64_t dts = 0;
    begin();
    put_fragment(&plain, 3, &dts);
    cad_put_be32(b.bytes + cad_be32(b.bytes), 0);
    read_whole(0);
}

/* A run of one sample with all fields; enough where the numbers matter and not the form. */
struct sample_spec {
    uint64_t time;
    int32_t data_offset;
    uint32_t duration, size, cts;
    uint8_t version;
    uint64_t base; /* 0: the moof */
};

static void build_one(const struct sample_spec *s)
{
    begin();
    size_t moof = build_open(&b, "moof");
    size_t traf = build_open(&b, "traf");
    put_tfhd(s->base != 0 ? BASE_OFFSET : BASE_IS_MOOF, 1, s->base);
    size_t at = build_full(&b, "tfdt", 1, 0);
    build_u64(&b, s->time);
    build_close(&b, at);
    at = build_full(&b, "trun", s->version, DATA_OFFSET | DURATION | SIZE | CTS);
    build_u32(&b, 1);
    build_u32(&b, (uint32_t)s->data_offset);
    build_u32(&b, s->duration);
    build_u32(&b, s->size);
    build_u32(&b, s->cts);
    build_close(&b, at);
    build_close(&b, traf);
    build_close(&b, moof);
    build_box(&b, "mdat", 20);
}

static int read_one(const struct sample_spec *s, int64_t edit_start, uint64_t origin,
                    struct cad_mp4_sample *got)
{
    struct cad_mp4_reader r;
    struct cad_mp4_init with_edit = {.track_id = 1, .edit_start_ticks = edit_start};
    build_one(s);
    cad_mp4_reader_init(&r, &with_edit);
    r.origin = origin;
    int rc = cad_mp4_reader_next(&r, build_view(&b), b.n, got);
    if (rc < 0 && rc != CAD_E_AGAIN) {
        struct cad_mp4_sample other;
        assert_int_equal(cad_mp4_reader_next(&r, build_view(&b), b.n, &other), rc); /* sticky */
    }
    return rc;
}

static void test_reader_times_at_the_edges(void **state)
{
    (void)state;
    struct cad_mp4_sample got;
    struct sample_spec s = {.time = INT64_MAX, .version = 1};
    assert_int_equal(read_one(&s, 0, 0, &got), 0);
    assert_true(got.pts_ticks == INT64_MAX);
    s.cts = (uint32_t)-5;
    assert_int_equal(read_one(&s, 0, 0, &got), 0);
    assert_true(got.pts_ticks == INT64_MAX - 5);
    s.cts = 1;
    assert_int_equal(read_one(&s, 0, 0, &got), CAD_E_DATA);
    s = (struct sample_spec){.time = INT64_MAX, .duration = 1};
    assert_int_equal(read_one(&s, 0, 0, &got), CAD_E_DATA);
    s = (struct sample_spec){.time = (uint64_t)INT64_MAX + 1};
    assert_int_equal(read_one(&s, 0, 0, &got), CAD_E_DATA);
    s = (struct sample_spec){.time = INT64_MAX};
    assert_int_equal(read_one(&s, -1, 0, &got), CAD_E_DATA);
    s = (struct sample_spec){.time = 0};
    assert_int_equal(read_one(&s, INT64_MAX, 0, &got), 0);
    assert_true(got.dts_ticks == -INT64_MAX);
    assert_int_equal(read_one(&s, -63000, 0, &got), 0);
    assert_int_equal(got.dts_ticks, 63000);
    /* Version 0 has no negative offsets. */
    s = (struct sample_spec){.cts = UINT32_MAX};
    assert_int_equal(read_one(&s, 0, 0, &got), 0);
    assert_int_equal(got.pts_ticks, UINT32_MAX);
}

static void test_reader_places_at_the_edges(void **state)
{
    (void)state;
    struct cad_mp4_sample got;
    struct sample_spec s = {.size = 20};
    build_one(&s);
    int32_t media = (int32_t)b.n - 20;
    s.data_offset = media;
    assert_int_equal(read_one(&s, 0, 0, &got), 0);
    assert_int_equal(got.offset, media);
    s.size = 21; /* one byte behind the segment */
    assert_int_equal(read_one(&s, 0, 0, &got), CAD_E_DATA);
    s.size = UINT32_MAX;
    assert_int_equal(read_one(&s, 0, 0, &got), CAD_E_DATA);
    s.size = 0;
    s.data_offset = -1; /* before the segment */
    assert_int_equal(read_one(&s, 0, 0, &got), CAD_E_DATA);
    s.data_offset = INT32_MIN;
    assert_int_equal(read_one(&s, 0, 0, &got), CAD_E_DATA);
    s.base = 1000;
    s.data_offset = -10; /* in a file of which the segment begins at 900, and at 991 */
    assert_int_equal(read_one(&s, 0, 900, &got), 0);
    assert_int_equal(got.offset, 90);
    assert_int_equal(read_one(&s, 0, 991, &got), CAD_E_DATA);
    s.base = UINT64_MAX - 5;
    s.data_offset = 10;
    assert_int_equal(read_one(&s, 0, 0, &got), CAD_E_DATA);
    s.data_offset = 0;
    s.size = 10;
    assert_int_equal(read_one(&s, 0, 0, &got), CAD_E_DATA);
}

/* ---- more than one track ------------------------------------------------------------------ */

/* A traf with one run of two samples of `size` bytes each, told by the run, the tfhd or no one. */
enum size_from { FROM_RUN, FROM_TFHD, FROM_TREX };

static void put_track(uint32_t track_id, uint32_t tfhd, uint32_t size, enum size_from from)
{
    size_t traf = build_open(&b, "traf");
    size_t at = build_full(&b, "tfhd", 0, tfhd | (from == FROM_TFHD ? 0x10 : 0));
    build_u32(&b, track_id);
    if (from == FROM_TFHD) build_u32(&b, size);
    build_close(&b, at);
    at = build_full(&b, "trun", 0, from == FROM_RUN ? DURATION | SIZE : 0);
    build_u32(&b, 2);
    for (int i = 0; from == FROM_RUN && i < 2; i++) {
        build_u32(&b, 5);
        build_u32(&b, size);
    }
    build_close(&b, at);
    build_close(&b, traf);
}

/* Offset of the first sample of track 1 behind another's, or what was answered. */
static int64_t behind_another(uint32_t other_tfhd, uint32_t own_tfhd, enum size_from from)
{
    struct cad_mp4_reader r;
    struct cad_mp4_sample got;
    begin();
    size_t moof = build_open(&b, "moof");
    put_track(2, other_tfhd, 6, from);
    put_track(1, own_tfhd, 4, FROM_RUN);
    build_close(&b, moof);
    build_box(&b, "mdat", 100);
    cad_mp4_reader_init(&r, &init);
    int rc = cad_mp4_reader_next(&r, build_view(&b), b.n, &got);
    return rc == 0 ? (int64_t)got.offset : rc;
}

static void test_reader_base_behind_another_track(void **state)
{
    (void)state;
    assert_int_equal(behind_another(0, 0, FROM_RUN), 12);
    assert_int_equal(behind_another(0, 0, FROM_TFHD), 12);
    assert_int_equal(behind_another(BASE_IS_MOOF, BASE_IS_MOOF, FROM_RUN), 0);
    /* The trex of the other track is not known: where its data ends cannot be told. */
    assert_int_equal(behind_another(0, 0, FROM_TREX), CAD_E_UNSUPPORTED);
    assert_int_equal(behind_another(0, BASE_IS_MOOF, FROM_TREX), 0);
}

static void test_reader_takes_its_track_or_any(void **state)
{
    (void)state;
    struct cad_mp4_init any = init;
    any.track_id = 0;
    const struct cad_mp4_init *inits[] = {&init, &any};
    const size_t counts[] = {4, 6};
    begin();
    size_t moof = build_open(&b, "moof");
    put_track(1, BASE_IS_MOOF, 6, FROM_RUN);
    put_track(2, BASE_IS_MOOF, 6, FROM_RUN);
    put_track(1, BASE_IS_MOOF, 6, FROM_RUN);
    build_close(&b, moof);
    for (int i = 0; i < 2; i++) {
        struct cad_mp4_reader r;
        struct cad_mp4_sample got;
        size_t count = 0;
        int rc;
        cad_mp4_reader_init(&r, inits[i]);
        while ((rc = cad_mp4_reader_next(&r, build_view(&b), b.n, &got)) == 0) {
            assert_int_equal(got.dts_ticks, (int64_t)count * 5 - 30);
            count++;
        }
        assert_int_equal(rc, CAD_E_END);
        assert_int_equal(count, counts[i]);
    }
}

static void test_reader_empty_duration_takes_its_time(void **state)
{
    (void)state;
    struct cad_mp4_reader r;
    struct cad_mp4_sample got;
    begin();
    size_t moof = build_open(&b, "moof");
    size_t traf = build_open(&b, "traf");
    size_t at = build_full(&b, "tfhd", 0, 0x10008);
    build_u32(&b, 1);
    build_u32(&b, 700);
    build_close(&b, at);
    build_close(&b, traf);
    put_track(1, BASE_IS_MOOF, 1, FROM_RUN);
    build_close(&b, moof);
    cad_mp4_reader_init(&r, &init);
    assert_int_equal(cad_mp4_reader_next(&r, build_view(&b), b.n, &got), 0);
    assert_int_equal(got.dts_ticks, 700 - 30);
}

/* ---- limits and contradictions ------------------------------------------------------------- */

static int first_answer(void)
{
    struct cad_mp4_reader r;
    struct cad_mp4_sample got;
    cad_mp4_reader_init(&r, &init);
    return cad_mp4_reader_next(&r, build_view(&b), b.n, &got);
}

static int answer_for_runs(uint32_t runs, uint32_t flags, uint32_t count)
{
    begin();
    size_t moof = build_open(&b, "moof");
    size_t traf = build_open(&b, "traf");
    put_tfhd(BASE_IS_MOOF, 1, 0);
    for (uint32_t i = 0; i < runs; i++) {
        size_t at = build_full(&b, "trun", 0, flags);
        build_u32(&b, count);
        build_close(&b, at);
    }
    build_close(&b, traf);
    build_close(&b, moof);
    build_box(&b, "mdat", 8);
    return first_answer();
}

static void test_reader_limits(void **state)
{
    (void)state;
    assert_int_equal(answer_for_runs(CAD_MP4_TRUNS_MAX, 0, 1), 0);
    assert_int_equal(answer_for_runs(CAD_MP4_TRUNS_MAX + 1, 0, 1), CAD_E_LIMIT);
    assert_int_equal(answer_for_runs(1, 0, CAD_MP4_SAMPLES_MAX), 0);
    assert_int_equal(answer_for_runs(1, 0, CAD_MP4_SAMPLES_MAX + 1), CAD_E_LIMIT);
    /* Rows that are not there are a contradiction before they are a limit. */
    assert_int_equal(answer_for_runs(1, SIZE, 1), CAD_E_DATA);
    assert_int_equal(answer_for_runs(1, SIZE, UINT32_MAX), CAD_E_DATA);
    struct cad_mp4_reader r;
    struct cad_mp4_sample got;
    begin();
    build_u32(&b, CAD_MP4_MOOF_BYTES_MAX);
    build_data(&b, "moof", 4);
    cad_mp4_reader_init(&r, &init);
    assert_int_equal(cad_mp4_reader_next(&r, build_view(&b), UINT64_MAX, &got), CAD_E_AGAIN);
    cad_put_be32(b.bytes, CAD_MP4_MOOF_BYTES_MAX + 1);
    assert_int_equal(cad_mp4_reader_next(&r, build_view(&b), UINT64_MAX, &got), CAD_E_LIMIT);
    assert_int_equal(cad_mp4_reader_next(&r, build_view(&b), UINT64_MAX, &got), CAD_E_LIMIT);
}

static int answer_for_traf(const char *first, const char *second, size_t stray)
{
    begin();
    size_t moof = build_open(&b, "moof");
    size_t traf = build_open(&b, "traf");
    const char *boxes[] = {first, second};
    for (int i = 0; i < 2; i++) {
        if (strcmp(boxes[i], "tfhd") == 0) {
            put_tfhd(BASE_IS_MOOF, 1, 0);
        } else {
            build_box(&b, boxes[i], 8);
        }
    }
    build_zeros(&b, stray);
    build_close(&b, traf);
    build_close(&b, moof);
    return first_answer();
}

static void test_reader_contradictions_in_a_fragment(void **state)
{
    (void)state;
    assert_int_equal(answer_for_traf("tfhd", "free", 0), CAD_E_END);
    assert_int_equal(answer_for_traf("free", "free", 0), CAD_E_DATA); /* no tfhd */
    assert_int_equal(answer_for_traf("tfhd", "tfhd", 0), CAD_E_DATA);
    assert_int_equal(answer_for_traf("tfhd", "tfdt", 0), CAD_E_END);
    assert_int_equal(answer_for_traf("tfdt", "tfdt", 0), CAD_E_DATA);
    assert_int_equal(answer_for_traf("tfhd", "free", 3), CAD_E_DATA);
    begin();
    size_t moof = build_open(&b, "moof");
    put_track(0, BASE_IS_MOOF, 1, FROM_RUN); /* track 0 does not exist */
    build_close(&b, moof);
    assert_int_equal(first_answer(), CAD_E_DATA);
    begin();
    moof = build_open(&b, "moof");
    build_box(&b, "traf", 0);
    build_close(&b, moof);
    assert_int_equal(first_answer(), CAD_E_DATA);
    begin();
    moof = build_open(&b, "moof");
    put_track(1, BASE_IS_MOOF, 1, FROM_RUN);
    build_close(&b, moof);
    cad_put_be32(b.bytes, 0); /* a moof that runs to the end */
    assert_int_equal(first_answer(), CAD_E_DATA);
    begin();
    build_box(&b, "mdat", 20);
    b.bytes[3]++; /* a box larger than the segment */
    assert_int_equal(first_answer(), CAD_E_DATA);
}

static void test_reader_survives_every_changed_byte(void **state)
{
    (void)state;
    build_three();
    uint8_t *copy = build_copy(&b, b.n);
    const uint8_t masks[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < b.n; i++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            struct cad_mp4_reader r;
            struct cad_mp4_sample got;
            int rc;
            cad_mp4_reader_init(&r, &init);
            copy[i] ^= masks[m];
            while ((rc = cad_mp4_reader_next(&r, (cad_buf){copy, b.n}, b.n, &got)) == 0) {
                assert_true(got.offset <= b.n);
                assert_true(got.size <= b.n - got.offset);
            }
            assert_true(rc == CAD_E_END || rc == CAD_E_DATA || rc == CAD_E_LIMIT ||
                        rc == CAD_E_UNSUPPORTED);
            copy[i] ^= masks[m];
        }
    }
    free(copy);
}

static void test_reader_misuse(void **state)
{
    (void)state;
    struct cad_mp4_reader r;
    struct cad_mp4_sample got;
    begin();
    cad_mp4_reader_init(&r, NULL);
    assert_int_equal(cad_mp4_reader_next(&r, build_view(&b), 0, &got), CAD_E_INVAL);
    /* A view that shrinks is only asked to grow again. */
    int64_t dts = 0;
    put_fragment(&plain, 3, &dts);
    cad_mp4_reader_init(&r, &init);
    assert_int_equal(cad_mp4_reader_next(&r, build_view(&b), b.n, &got), 0);
    assert_int_equal(cad_mp4_reader_next(&r, (cad_buf){b.bytes, 20}, b.n, &got), CAD_E_AGAIN);
    assert_int_equal(cad_mp4_reader_next(&r, build_view(&b), b.n, &got), 0);
    assert_sample(&got, &want[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader_every_form),
        cmocka_unit_test(test_reader_samples_come_as_soon_as_their_bytes),
        cmocka_unit_test(test_reader_every_truncation),
        cmocka_unit_test(test_reader_never_reads_media),
        cmocka_unit_test(test_reader_copy_remembers_a_place),
        cmocka_unit_test(test_reader_mdat_that_runs_to_the_end),
        cmocka_unit_test(test_reader_times_at_the_edges),
        cmocka_unit_test(test_reader_places_at_the_edges),
        cmocka_unit_test(test_reader_base_behind_another_track),
        cmocka_unit_test(test_reader_takes_its_track_or_any),
        cmocka_unit_test(test_reader_empty_duration_takes_its_time),
        cmocka_unit_test(test_reader_limits),
        cmocka_unit_test(test_reader_contradictions_in_a_fragment),
        cmocka_unit_test(test_reader_survives_every_changed_byte),
        cmocka_unit_test(test_reader_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
