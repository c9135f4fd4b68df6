/* The movie box: which track is taken, times and edits, and all that can be missing or cut. */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mp4/moov.h"

static struct build b;

struct edit {
    uint64_t duration;
    int64_t media_time;
};

/* What a moov of these tests is made of; zeros leave boxes out or take version 0. */
struct track_spec {
    uint32_t id;
    const char *handler;
    const char *entry; /* "avc1", "mp4v" or "stpp" */
    uint8_t version;   /* of tkhd, mdhd and elst */
    uint32_t timescale;
    uint64_t duration;
    struct edit edits[4];
    uint32_t edit_count;
};

static const struct track_spec video = {
    .id = 3, .handler = "vide", .entry = "avc1", .timescale = 90000, .duration = 1234};

static void put_entry(const char *entry)
{
    static const uint8_t avcc[] = {1, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0, 0};
    size_t stsd = build_full(&b, "stsd", 0, 0);
    build_u32(&b, 1);
    size_t at = build_open(&b, entry);
    build_zeros(&b, 8);
    if (strcmp(entry, "stpp") != 0) {
        build_zeros(&b, 16);
        build_u16(&b, 640);
        build_u16(&b, 360);
        build_zeros(&b, 50);
        build_box_of(&b, "avcC", avcc, sizeof avcc);
    }
    build_close(&b, at);
    build_close(&b, stsd);
}

static void put_edits(const struct track_spec *t)
{
    unsigned width = t->version == 0 ? 4 : 8;
    size_t edts = build_open(&b, "edts");
    size_t elst = build_full(&b, "elst", t->version, 0);
    build_u32(&b, t->edit_count);
    for (uint32_t i = 0; i < t->edit_count; i++) {
        build_uint(&b, width, t->edits[i].duration);
        build_uint(&b, width, (uint64_t)t->edits[i].media_time);
        build_u32(&b, 0x10000);
    }
    build_close(&b, elst);
    build_close(&b, edts);
}

static void put_trak(const struct track_spec *t)
{
    unsigned width = t->version == 0 ? 4 : 8;
    size_t trak = build_open(&b, "trak");
    size_t at = build_full(&b, "tkhd", t->version, 7);
    build_zeros(&b, 2 * width);
    build_u32(&b, t->id);
    build_zeros(&b, 60 + width);
    build_close(&b, at);
    if (t->edit_count > 0) put_edits(t);
    size_t mdia = build_open(&b, "mdia");
    at = build_full(&b, "mdhd", t->version, 0);
    build_zeros(&b, 2 * width);
    build_u32(&b, t->timescale);
    build_uint(&b, width, t->duration);
    build_u32(&b, 0);
    build_close(&b, at);
    at = build_full(&b, "hdlr", 0, 0);
    build_u32(&b, 0);
    build_data(&b, t->handler, 4);
    build_zeros(&b, 13);
    build_close(&b, at);
    size_t minf = build_open(&b, "minf");
    size_t stbl = build_open(&b, "stbl");
    put_entry(t->entry);
    build_close(&b, stbl);
    build_close(&b, minf);
    build_close(&b, mdia);
    build_close(&b, trak);
}

static void put_mvhd(uint8_t version, uint32_t timescale)
{
    size_t at = build_full(&b, "mvhd", version, 0);
    build_zeros(&b, version == 0 ? 8 : 16);
    build_u32(&b, timescale);
    build_zeros(&b, 80 + (version == 0 ? 4 : 8));
    build_close(&b, at);
}

static void put_trex(uint32_t track_id, uint32_t base)
{
    size_t at = build_full(&b, "trex", 0, 0);
    build_u32(&b, track_id);
    build_u32(&b, 1);
    build_u32(&b, base);
    build_u32(&b, base + 1);
    build_u32(&b, base + 2);
    build_close(&b, at);
}

/* mvhd and mvex around the tracks; two trex, of which one is that of the track. */
static size_t open_moov(void)
{
    size_t moov = build_open(&b, "moov");
    put_mvhd(0, 1000);
    return moov;
}

static void close_moov(size_t moov, uint32_t track_id)
{
    size_t mvex = build_open(&b, "mvex");
    put_trex(track_id + 1, 100);
    put_trex(track_id, 200);
    build_close(&b, mvex);
    build_close(&b, moov);
}

static size_t build_moov(const struct track_spec *t)
{
    size_t moov = open_moov();
    put_trak(t);
    close_moov(moov, t->id);
    return moov;
}

static int read_init(struct cad_mp4_init *init, size_t *end)
{
    return cad_mp4_init_read(build_view(&b), init, end);
}

static int read_spec(const struct track_spec *t, struct cad_mp4_init *init)
{
    size_t end = 0;
    build_init(&b);
    build_moov(t);
    int rc = read_init(init, &end);
    if (rc == 0 || rc == CAD_E_UNSUPPORTED) assert_int_equal(end, b.n);
    return rc;
}

static void test_moov_fields(void **state)
{
    (void)state;
    for (uint8_t version = 0; version < 2; version++) {
        struct track_spec t = video;
        struct cad_mp4_init init;
        t.version = version;
        assert_int_equal(read_spec(&t, &init), 0);
        assert_int_equal(init.type, CAD_MEDIA_VIDEO);
        assert_int_equal(init.codec, CAD_CODEC_AVC);
        assert_string_equal(init.codecs, "avc1.64001f");
        assert_int_equal(init.track_id, 3);
        assert_int_equal(init.timescale, 90000);
        assert_int_equal(init.duration_ticks, 1234);
        assert_int_equal(init.edit_start_ticks, 0);
        assert_int_equal(init.default_duration, 200);
        assert_int_equal(init.default_size, 201);
        assert_int_equal(init.default_flags, 202);
        assert_int_equal(init.width, 640);
        assert_int_equal(init.height, 360);
    }
}

static void test_moov_boxes_before_it_are_passed(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    size_t end = 0;
    build_init(&b);
    build_box(&b, "ftyp", 20);
    size_t large = build_open_large(&b, "free");
    build_zeros(&b, 5);
    build_close(&b, large);
    build_box(&b, "uuid", 16);
    build_moov(&video);
    size_t behind = b.n;
    build_box(&b, "sidx", 40);
    assert_int_equal(read_init(&init, &end), 0);
    assert_int_equal(end, behind);
    assert_int_equal(init.track_id, 3);
}

static void test_moov_every_prefix_asks_for_more(void **state)
{
    (void)state;
    build_init(&b);
    build_box(&b, "ftyp", 12);
    build_moov(&video);
    for (size_t n = 0; n < b.n; n++) {
        struct cad_mp4_init init = {.track_id = 77};
        size_t end = 99;
        uint8_t *copy = build_copy(&b, n);
        assert_int_equal(cad_mp4_init_read((cad_buf){copy, n}, &init, &end), CAD_E_AGAIN);
        assert_int_equal(end, 99);
        assert_int_equal(init.track_id, 77);
        free(copy);
    }
}

/* A moov whose own size was cut: its children stand out of it. At a border of children it is whole
 * again, with one child less. */
static void test_moov_every_shorter_box_is_refused(void **state)
{
    (void)state;
    build_init(&b);
    build_moov(&video);
    size_t trak = 8 + cad_be32(b.bytes + 8);
    size_t mvex = trak + cad_be32(b.bytes + trak);
    for (uint32_t n = 8; n < b.n; n++) {
        struct cad_mp4_init init;
        size_t end = 0;
        uint8_t *copy = build_copy(&b, n);
        cad_put_be32(copy, n);
        int rc = cad_mp4_init_read((cad_buf){copy, n}, &init, &end);
        if (n == mvex) {
            assert_int_equal(rc, 0);
            assert_int_equal(init.default_duration, 0);
        } else {
            assert_int_equal(rc, n == trak ? CAD_E_UNSUPPORTED : CAD_E_DATA);
        }
        free(copy);
    }
}

/* Every box renamed in turn: mandatory ones are missed, the others are not. */
static void test_moov_every_missing_box(void **state)
{
    (void)state;
    static const char *const needed[] = {"mvhd", "tkhd", "mdia", "mdhd", "hdlr", "minf", "stbl",
                                         "stsd"};
    struct track_spec t = video;
    t.edit_count = 1;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        struct cad_mp4_init init;
        size_t end = 0;
        size_t at = 0;
        build_init(&b);
        build_moov(&t);
        while (memcmp(b.bytes + at, needed[i], 4) != 0) at++;
        memcpy(b.bytes + at, "skip", 4);
        assert_int_equal(read_init(&init, &end), CAD_E_DATA);
    }
    static const char *const optional[] = {"edts", "elst", "mvex", "trex"};
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        struct cad_mp4_init init;
        size_t end = 0;
        size_t at = 0;
        build_init(&b);
        build_moov(&t);
        while (memcmp(b.bytes + at, optional[i], 4) != 0) at++;
        memcpy(b.bytes + at, "skip", 4);
        assert_int_equal(read_init(&init, &end), 0);
    }
}

/* No byte set to anything may do more than change the answer. */
static void test_moov_survives_every_changed_byte(void **state)
{
    (void)state;
    struct track_spec t = video;
    t.edit_count = 2;
    build_init(&b);
    build_moov(&t);
    uint8_t *copy = build_copy(&b, b.n);
    const uint8_t masks[] = {0x01, 0x80, 0xff};
    for (size_t i = 0; i < b.n; i++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            struct cad_mp4_init init;
            size_t end = 0;
            copy[i] ^= masks[m];
            int rc = cad_mp4_init_read((cad_buf){copy, b.n}, &init, &end);
            assert_true(rc == 0 || rc == CAD_E_DATA || rc == CAD_E_UNSUPPORTED ||
                        rc == CAD_E_AGAIN || rc == CAD_E_LIMIT);
            copy[i] ^= masks[m];
        }
    }
    free(copy);
}

static void test_moov_limit_and_endless_boxes(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    size_t end = 0;
    build_init(&b);
    build_u32(&b, CAD_MP4_MOOV_BYTES_MAX);
    build_data(&b, "moov", 4);
    assert_int_equal(read_init(&init, &end), CAD_E_AGAIN);
    cad_put_be32(b.bytes, CAD_MP4_MOOV_BYTES_MAX + 1);
    assert_int_equal(read_init(&init, &end), CAD_E_LIMIT);
    cad_put_be32(b.bytes, 0);
    assert_int_equal(read_init(&init, &end), CAD_E_DATA);
    build_init(&b);
    build_u32(&b, 0);
    build_data(&b, "mdat", 4);
    assert_int_equal(read_init(&init, &end), CAD_E_DATA);
}

static void test_moov_durations(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    struct track_spec t = video;
    t.duration = UINT32_MAX;
    assert_int_equal(read_spec(&t, &init), 0);
    assert_int_equal(init.duration_ticks, 0);
    t.version = 1;
    assert_int_equal(read_spec(&t, &init), 0);
    assert_int_equal(init.duration_ticks, UINT32_MAX);
    t.duration = UINT64_MAX;
    assert_int_equal(read_spec(&t, &init), 0);
    assert_int_equal(init.duration_ticks, 0);
    /* A mehd counts more; 7 movie ticks of 1/1000 s are 630 of 1/90000 s. */
    for (uint8_t version = 0; version < 2; version++) {
        size_t end = 0;
        build_init(&b);
        size_t moov = open_moov();
        put_trak(&video);
        size_t mvex = build_open(&b, "mvex");
        size_t mehd = build_full(&b, "mehd", version, 0);
        build_uint(&b, version == 0 ? 4 : 8, 7);
        build_close(&b, mehd);
        build_close(&b, mvex);
        build_close(&b, moov);
        assert_int_equal(read_init(&init, &end), 0);
        assert_int_equal(init.duration_ticks, 630);
    }
}

static int64_t edit_start(uint8_t version, uint32_t timescale, struct edit a, struct edit c)
{
    struct cad_mp4_init init;
    struct track_spec t = video;
    t.version = version;
    t.timescale = timescale;
    t.edits[0] = a;
    t.edits[1] = c;
    t.edits[2] = (struct edit){9, 555}; /* not followed */
    t.edit_count = 3;
    assert_int_equal(read_spec(&t, &init), 0);
    return init.edit_start_ticks;
}

static void test_moov_edits(void **state)
{
    (void)state;
    for (uint8_t version = 0; version < 2; version++) {
        struct edit none = {0, -1};
        assert_int_equal(edit_start(version, 90000, (struct edit){0, 1024}, none), 1024);
        assert_int_equal(edit_start(version, 90000, (struct edit){0, 0}, none), 0);
        /* An empty edit of 700 ms delays the media. */
        assert_int_equal(
            edit_start(version, 90000, (struct edit){700, -1}, (struct edit){0, 1024}),
            1024 - 63000);
        /* 1/1000 s in ticks of 1/44100 s is 44.1, 5/1000 s is 220.5: to the nearest, halves up. */
        assert_int_equal(edit_start(version, 44100, (struct edit){1, -1}, (struct edit){0, 0}),
                         -44);
        assert_int_equal(edit_start(version, 44100, (struct edit){5, -1}, (struct edit){0, 0}),
                         -221);
        /* Empty edits add up. */
        assert_int_equal(edit_start(version, 90000, (struct edit){1, -1}, (struct edit){2, -1}),
                         555 - 270);
    }
    struct edit far = {0, INT64_MAX};
    assert_true(edit_start(1, 90000, far, far) == INT64_MAX);
}

static int read_edit(struct edit a, struct edit c)
{
    struct cad_mp4_init init;
    struct track_spec t = video;
    t.version = 1;
    t.edits[0] = a;
    t.edits[1] = c;
    t.edit_count = 2;
    return read_spec(&t, &init);
}

static void test_moov_edits_that_do_not_fit(void **state)
{
    (void)state;
    assert_int_equal(read_edit((struct edit){0, -2}, (struct edit){0, 0}), CAD_E_DATA);
    assert_int_equal(read_edit((struct edit){UINT64_C(1) << 63, -1}, (struct edit){0, 0}),
                     CAD_E_DATA);
    assert_int_equal(read_edit((struct edit){INT64_MAX, -1}, (struct edit){1, -1}), CAD_E_DATA);
    assert_int_equal(read_edit((struct edit){INT64_MAX / 2, -1}, (struct edit){0, 0}), CAD_E_DATA);
    /* A count that the box cannot hold. */
    struct cad_mp4_init init;
    size_t end = 0;
    size_t at = 0;
    struct track_spec t = video;
    t.edit_count = 2;
    build_init(&b);
    build_moov(&t);
    while (memcmp(b.bytes + at, "elst", 4) != 0) at++;
    cad_put_be32(b.bytes + at + 8, 3);
    assert_int_equal(read_init(&init, &end), CAD_E_DATA);
    cad_put_be32(b.bytes + at + 8, UINT32_MAX);
    assert_int_equal(read_init(&init, &end), CAD_E_DATA);
}

static void test_moov_zeros_that_must_not_be(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    struct track_spec t = video;
    t.id = 0;
    assert_int_equal(read_spec(&t, &init), CAD_E_DATA);
    t = video;
    t.timescale = 0;
    assert_int_equal(read_spec(&t, &init), CAD_E_DATA);
    size_t end = 0;
    build_init(&b);
    size_t moov = build_open(&b, "moov");
    put_mvhd(1, 0);
    put_trak(&video);
    close_moov(moov, 3);
    assert_int_equal(read_init(&init, &end), CAD_E_DATA);
}

static const struct track_spec text = {
    .id = 5, .handler = "subt", .entry = "stpp", .timescale = 1000};
static const struct track_spec unknown = {
    .id = 6, .handler = "vide", .entry = "mp4v", .timescale = 25};

static void test_moov_of_several_tracks_takes_the_best(void **state)
{
    (void)state;
    const struct {
        const struct track_spec *tracks[3];
        int result;
        uint32_t id;
    } cases[] = {
        {{&text, &unknown, &video}, 0, 3},
        {{&text, &unknown, NULL}, 0, 5},
        {{&unknown, &text, NULL}, 0, 5},
        {{&unknown, NULL, NULL}, CAD_E_UNSUPPORTED, 6},
        {{NULL, NULL, NULL}, CAD_E_UNSUPPORTED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cad_mp4_init init;
        size_t end = 0;
        build_init(&b);
        size_t moov = open_moov();
        for (int n = 0; n < 3 && cases[i].tracks[n] != NULL; n++) put_trak(cases[i].tracks[n]);
        close_moov(moov, 3);
        assert_int_equal(read_init(&init, &end), cases[i].result);
        assert_int_equal(init.track_id, cases[i].id);
        assert_int_equal(end, b.n);
    }
}

static void test_moov_track_by_number(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    build_init(&b);
    size_t moov = open_moov();
    put_trak(&unknown);
    put_trak(&video);
    close_moov(moov, 3);
    cad_buf body = {b.bytes + 8, b.n - 8};
    assert_int_equal(cad_mp4_moov_track(body, 0, &init), CAD_E_UNSUPPORTED);
    assert_string_equal(init.codecs, "mp4v");
    assert_int_equal(cad_mp4_moov_track(body, 1, &init), 0);
    assert_int_equal(init.track_id, 3);
    assert_int_equal(cad_mp4_moov_track(body, 2, &init), CAD_E_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moov_fields),
        cmocka_unit_test(test_moov_boxes_before_it_are_passed),
        cmocka_unit_test(test_moov_every_prefix_asks_for_more),
        cmocka_unit_test(test_moov_every_shorter_box_is_refused),
        cmocka_unit_test(test_moov_every_missing_box),
        cmocka_unit_test(test_moov_survives_every_changed_byte),
        cmocka_unit_test(test_moov_limit_and_endless_boxes),
        cmocka_unit_test(test_moov_durations),
        cmocka_unit_test(test_moov_edits),
        cmocka_unit_test(test_moov_edits_that_do_not_fit),
        cmocka_unit_test(test_moov_zeros_that_must_not_be),
        cmocka_unit_test(test_moov_of_several_tracks_takes_the_best),
        cmocka_unit_test(test_moov_track_by_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
