/* Goal: a synthesized title is a true fragmented MP4 to the reader of lib/mp4, with segments of
 * exactly the ladder's sizes and times without gap, whatever the steps it is read in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/sim.h"

#include "mp4/mp4.h"
#include "support/failing_alloc.h"

static uint32_t sizes[] = {30000, 60000, 41234, 82345, 20001, 40003};
static struct cad_ladder ladder = {
    .segment_duration = 2 * CAD_SECOND, .rung_count = 2, .segment_count = 3,
    .rate_bps = {120000, 240000}, .height = {240, 0}, .segment_bytes = sizes};

static struct cad_synth *make(cad_time duration)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    config.ladder = &ladder;
    config.duration = duration;
    struct cad_synth *s = NULL;
    assert_int_equal(cad_synth_create(&alloc, &config, &s), 0);
    return s;
}

/* Bytes [first, last] with holes as zeros, read in steps of `step`. */
static uint8_t *fetch(const struct cad_synth *s, uint32_t i, struct cad_range r, size_t step)
{
    size_t size = (size_t)(r.last - r.first + 1);
    uint8_t *p = test_calloc(1, size);
    for (size_t at = 0; at < size;) {
        size_t done = 0;
        size_t n = size - at < step ? size - at : step;
        int64_t from = r.first + (int64_t)at;
        struct cad_range bytes = {from, from + (int64_t)n - 1};
        int kind = cad_synth_read(s, i, bytes, p + at, &done);
        assert_true(kind == 0 || kind == 1);
        assert_true(done > 0 && done <= n);
        at += done;
    }
    return p;
}

static int read_byte(const struct cad_synth *s, uint32_t i, int64_t at, size_t *done)
{
    uint8_t byte;
    return cad_synth_read(s, i, (struct cad_range){at, at}, &byte, done);
}

struct totals {
    int64_t next_dts;
    uint32_t samples;
    uint64_t bytes;
};

/* Every sample of a segment: contiguous in time and place, the first one a sync sample. */
static void walk_segment(const uint8_t *p, size_t n, const struct cad_mp4_init *init,
                         struct totals *t)
{
    struct cad_mp4_reader reader;
    cad_mp4_reader_init(&reader, init);
    uint64_t next_offset = 0;
    uint32_t count = 0;
    for (;;) {
        struct cad_mp4_sample sample;
        int rc = cad_mp4_reader_next(&reader, (cad_buf){p, n}, n, &sample);
        if (rc == CAD_E_END) break;
        assert_int_equal(rc, 0);
        assert_int_equal(sample.dts_ticks, t->next_dts);
        assert_int_equal(sample.pts_ticks, t->next_dts);
        assert_true(sample.size > 0);
        assert_true(sample.sync == (count == 0) || init->type == CAD_MEDIA_AUDIO);
        if (count > 0) assert_int_equal(sample.offset, next_offset);
        next_offset = sample.offset + sample.size;
        t->next_dts += sample.duration_ticks;
        t->bytes += sample.size;
        count++;
    }
    assert_int_equal(next_offset, n);
    t->samples += count;
}

static void walk_stream(const struct cad_synth *s, uint32_t i, size_t step, struct totals *t)
{
    struct cad_synth_stream info;
    assert_int_equal(cad_synth_stream_at(s, i, &info), 0);
    struct cad_range all = {0, info.size_bytes - 1};
    uint8_t *file = fetch(s, i, all, step);
    struct cad_mp4_init init;
    size_t end = 0;
    cad_buf head = {file, (size_t)info.header_bytes};
    assert_int_equal(cad_mp4_init_read(head, &init, &end), 0);
    assert_int_equal(end, info.moov.last + 1);
    assert_int_equal(init.type, info.type);
    assert_int_equal(init.width, info.width);
    assert_int_equal(init.height, info.height);
    assert_true(init.config.n >= 2);
    struct cad_mp4_sidx sidx;
    cad_buf index = {file + info.sidx.first, (size_t)(info.sidx.last - info.sidx.first + 1)};
    assert_int_equal(cad_mp4_sidx_read(index, &sidx), 0);
    assert_int_equal(sidx.count, info.segment_count);
    assert_int_equal(sidx.timescale, init.timescale);
    assert_int_equal(sidx.first_offset, 0);
    int64_t at = info.header_bytes;
    memset(t, 0, sizeof(*t));
    for (uint32_t k = 0; k < sidx.count; k++) {
        struct cad_mp4_reference ref;
        cad_mp4_sidx_reference(&sidx, k, &ref);
        int64_t before = t->next_dts;
        walk_segment(file + at, ref.size_bytes, &init, t);
        assert_int_equal(t->next_dts - before, ref.duration_ticks);
        struct cad_synth_segment seg;
        assert_int_equal(cad_synth_segment_at(s, i, at + ref.size_bytes - 1, &seg), 0);
        assert_int_equal(seg.index, k);
        assert_int_equal(seg.bytes.first, at);
        at += ref.size_bytes;
        assert_int_equal(seg.bytes.last, at - 1);
        if (info.type == CAD_MEDIA_VIDEO && k + 1 < sidx.count) {
            assert_int_equal(ref.size_bytes, sizes[k % 3 * 2 + i]);
        }
    }
    assert_int_equal(at, info.size_bytes);
    test_free(file);
}

static void test_synth_reads_as_mp4(void **state)
{
    (void)state;
    struct cad_synth *s = make(21 * CAD_SECOND);
    assert_int_equal(cad_synth_stream_count(s), 3);
    struct totals t;
    for (uint32_t i = 0; i < 2; i++) {
        walk_stream(s, i, 1 << 16, &t);
        assert_int_equal(t.next_dts, 21 * 90000);
        assert_int_equal(t.samples, 21 * 24);
    }
    walk_stream(s, 2, 1 << 16, &t);
    /* Whole frames that fit into 21 s; 12 kB a second. */
    assert_int_equal(t.next_dts, 21 * 48000 / 1024 * 1024);
    assert_int_equal(t.bytes, t.next_dts * 96000 / 8 / 48000);
    cad_synth_destroy(&s);
    assert_null(s);
}

static void test_synth_bytes_do_not_depend_on_steps(void **state)
{
    (void)state;
    struct cad_synth *s = make(5 * CAD_SECOND);
    for (uint32_t i = 0; i < 3; i++) {
        struct cad_synth_stream info;
        assert_int_equal(cad_synth_stream_at(s, i, &info), 0);
        struct cad_range r = {0, info.size_bytes - 1};
        uint8_t *whole = fetch(s, i, r, 1 << 20);
        for (size_t step = 1; step < 12; step += 5) {
            uint8_t *p = fetch(s, i, r, step);
            assert_memory_equal(p, whole, (size_t)info.size_bytes);
            test_free(p);
        }
        test_free(whole);
    }
    cad_synth_destroy(&s);
}

/* 2.002 s in 24 pictures a second is no whole number of equal pictures. */
static void test_synth_uneven_durations(void **state)
{
    (void)state;
    ladder.segment_duration = 2002 * CAD_MS;
    struct cad_synth *s = make(9009 * CAD_MS);
    ladder.segment_duration = 2 * CAD_SECOND;
    struct totals t;
    struct cad_synth_stream info;
    assert_int_equal(cad_synth_stream_at(s, 0, &info), 0);
    assert_int_equal(info.segment_count, 5);
    cad_synth_destroy(&s);
    ladder.segment_duration = 2002 * CAD_MS;
    s = make(9009 * CAD_MS);
    walk_stream(s, 0, 1 << 16, &t);
    assert_int_equal(t.next_dts, 9009 * 90);
    cad_synth_destroy(&s);
    ladder.segment_duration = 2 * CAD_SECOND;
}

/* A ladder that asks for less than boxes need gets the least there can be: a byte a sample. */
static void test_synth_tiny_segments(void **state)
{
    (void)state;
    uint32_t tiny[] = {0, 1, 2, 3, 4, 5};
    ladder.segment_bytes = tiny;
    struct cad_synth *s = make(2 * CAD_SECOND);
    struct cad_synth_segment seg;
    struct cad_synth_stream info;
    assert_int_equal(cad_synth_stream_at(s, 0, &info), 0);
    assert_int_equal(cad_synth_segment_at(s, 0, info.header_bytes - 1, &seg), CAD_E_NOTFOUND);
    assert_int_equal(cad_synth_segment_at(s, 0, info.size_bytes, &seg), CAD_E_NOTFOUND);
    assert_int_equal(cad_synth_segment_at(s, 0, info.header_bytes, &seg), 0);
    uint8_t *p = fetch(s, 0, seg.bytes, 4096);
    uint8_t *header = fetch(s, 0, (struct cad_range){0, info.header_bytes - 1}, 4096);
    struct cad_mp4_init init;
    size_t end;
    assert_int_equal(
        cad_mp4_init_read((cad_buf){header, (size_t)info.header_bytes}, &init, &end), 0);
    struct totals t = {0, 0, 0};
    walk_segment(p, (size_t)(seg.bytes.last - seg.bytes.first + 1), &init, &t);
    assert_int_equal(t.samples, 48);
    assert_int_equal(t.bytes, 48);
    test_free(p);
    test_free(header);
    cad_synth_destroy(&s);
    ladder.segment_bytes = sizes;
}

static void test_synth_says_what_codec_it_is(void **state)
{
    (void)state;
    struct cad_synth *s = make(2 * CAD_SECOND);
    static const char *const codecs[] = {"avc1.4d401e", "avc1.4d401e", "mp4a.40.2"};
    for (uint32_t i = 0; i < 3; i++) {
        struct cad_synth_stream info;
        assert_int_equal(cad_synth_stream_at(s, i, &info), 0);
        uint8_t *p = fetch(s, i, info.moov, 64);
        struct cad_mp4_init init;
        size_t end;
        cad_buf moov = {p, (size_t)(info.moov.last - info.moov.first + 1)};
        assert_int_equal(cad_mp4_init_read(moov, &init, &end), 0);
        assert_string_equal(init.codecs, codecs[i]);
        if (info.type == CAD_MEDIA_AUDIO) {
            assert_int_equal(init.sample_rate_hz, 48000);
            assert_int_equal(init.channels, 2);
        }
        test_free(p);
    }
    cad_synth_destroy(&s);
}

static void test_synth_keeps_its_limits(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    struct cad_synth *s = NULL;
    assert_int_equal(cad_synth_create(&alloc, &config, &s), CAD_E_INVAL);
    config.ladder = &ladder;
    config.duration = INT64_C(65536) * 2 * CAD_SECOND;
    assert_int_equal(cad_synth_create(&alloc, &config, &s), CAD_E_LIMIT);
    config.duration = INT64_C(65535) * 2 * CAD_SECOND;
    assert_int_equal(cad_synth_create(&alloc, &config, &s), 0);
    struct cad_synth_stream info;
    assert_int_equal(cad_synth_stream_at(s, 3, &info), CAD_E_NOTFOUND);
    size_t done = 7;
    assert_int_equal(cad_synth_stream_at(s, 0, &info), 0);
    assert_int_equal(read_byte(s, 0, info.size_bytes, &done), 0);
    assert_int_equal(done, 0);
    assert_int_equal(read_byte(s, 3, 0, &done), CAD_E_INVAL);
    assert_int_equal(read_byte(s, 0, -1, &done), CAD_E_INVAL);
    uint8_t byte;
    struct cad_range backwards = {9, 8};
    assert_int_equal(cad_synth_read(s, 0, backwards, &byte, &done), CAD_E_INVAL);
    cad_synth_destroy(&s);
    config.frame_rate = 0;
    assert_int_equal(cad_synth_create(&alloc, &config, &s), CAD_E_INVAL);
}

/* Under protection the files are the same but for their headers: keys by the height of the picture,
 * and of sound another. */
static void test_synth_protects(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    config.ladder = &ladder;
    config.scheme = CAD_SCHEME_CENC;
    struct cad_synth *s = NULL;
    assert_int_equal(cad_synth_create(&alloc, &config, &s), CAD_E_UNSUPPORTED);
    config.scheme = CAD_SCHEME_CBCS;
    config.kid[0] = 1;
    config.audio_kid[0] = 3;
    assert_int_equal(cad_synth_create(&alloc, &config, &s), 0);
    struct cad_synth *clear = make(config.duration);
    for (uint32_t i = 0; i < cad_synth_stream_count(s); i++) {
        struct cad_synth_stream info, plain;
        assert_int_equal(cad_synth_stream_at(s, i, &info), 0);
        assert_int_equal(cad_synth_stream_at(clear, i, &plain), 0);
        bool audio = info.type == CAD_MEDIA_AUDIO;
        assert_int_equal(plain.scheme, CAD_SCHEME_CLEAR);
        assert_int_equal(info.scheme, CAD_SCHEME_CBCS);
        assert_int_equal(info.kid[0], audio ? 3 : 1);
        assert_int_equal(info.size_bytes - info.header_bytes,
                         plain.size_bytes - plain.header_bytes);
        uint8_t *head = fetch(s, i, (struct cad_range){0, info.header_bytes - 1}, 333);
        struct cad_mp4_init init;
        struct cad_cenc_pssh pssh;
        size_t end = 0, at = 0;
        cad_buf bytes = {head, (size_t)info.header_bytes};
        assert_int_equal(cad_mp4_init_read(bytes, &init, &end), 0);
        assert_true(init.has_protection && init.protection.is_protected);
        assert_int_equal(init.codec, audio ? CAD_CODEC_AAC : CAD_CODEC_AVC);
        assert_int_equal(init.protection.crypt_byte_block, audio ? 0 : 1);
        assert_int_equal(init.protection.skip_byte_block, audio ? 0 : 9);
        assert_int_equal(cad_mp4_pssh_next(init.moov, &at, &pssh), 0);
        assert_int_equal(pssh.kid_count, 1);
        assert_memory_equal(pssh.kids.p, info.kid, CAD_KEY_ID_SIZE);
        test_free(head);
    }
    cad_synth_destroy(&clear);
    cad_synth_destroy(&s);
}

static void test_synth_survives_failing_allocation(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_synth_config config;
        cad_synth_config_init(&config);
        config.ladder = &ladder;
        struct cad_synth *s = NULL;
        int err = cad_synth_create(&alloc, &config, &s);
        assert_int_equal(err, f.failed ? CAD_E_NOMEM : 0);
        cad_synth_destroy(&s);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_synth_reads_as_mp4),
        cmocka_unit_test(test_synth_bytes_do_not_depend_on_steps),
        cmocka_unit_test(test_synth_uneven_durations),
        cmocka_unit_test(test_synth_tiny_segments),
        cmocka_unit_test(test_synth_says_what_codec_it_is),
        cmocka_unit_test(test_synth_keeps_its_limits),
        cmocka_unit_test(test_synth_protects),
        cmocka_unit_test(test_synth_survives_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
