/*
 * How samples are protected: tenc, senc, saiz and saio, seig groups, several sample entries.
 * Goal: each sample's IV and subsamples are the ones that were written, or it is refused.
 */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "mp4/moov.h"

enum { VIDE = CAD_FOURCC('v', 'i', 'd', 'e'), SAMPLES = 3 };

static struct build b;
static const uint32_t sizes[SAMPLES] = {40, 30, 50};

/* What a fragment is made of. */
struct plan {
    uint8_t tenc_version, tenc_protected, tenc_iv, tenc_constant; /* constant: its size */
    const char *scheme;
    bool senc, maps, aux, aux_first; /* aux: saiz and saio, information before the samples */
    uint32_t senc_count;
    bool sbgp;
    uint32_t groups[SAMPLES]; /* with sbgp */
    bool sgpd_in_traf;
    bool clear_entry;         /* a second sample entry, which is clear */
    uint32_t description;     /* tfhd; 0 none */
};

static const struct plan plain = {.tenc_protected = 1, .tenc_iv = 8, .scheme = "cenc",
                                  .senc = true, .maps = true, .senc_count = SAMPLES};

static void put_tenc(const struct plan *p)
{
    size_t at = build_full(&b, "tenc", p->tenc_version, 0);
    build_u8(&b, 0);
    build_u8(&b, 0x19);
    build_u8(&b, p->tenc_protected);
    build_u8(&b, p->tenc_iv);
    for (uint8_t i = 0; i < 16; i++) build_u8(&b, (uint8_t)(0xa0 + i));
    if (p->tenc_constant > 0) {
        build_u8(&b, p->tenc_constant);
        for (uint8_t i = 0; i < p->tenc_constant; i++) build_u8(&b, (uint8_t)(0xc0 + i));
    }
    build_close(&b, at);
}

static void put_entry(const struct plan *p, bool clear)
{
    static const uint8_t avcc[] = {1, 0x42, 0x00, 0x1f, 0xff, 0xe0, 0};
    size_t at = build_open(&b, clear ? "avc1" : "encv");
    build_zeros(&b, 78);
    build_box_of(&b, "avcC", avcc, sizeof avcc);
    if (!clear) {
        size_t sinf = build_open(&b, "sinf");
        build_box_of(&b, "frma", "avc1", 4);
        size_t schm = build_full(&b, "schm", 0, 0);
        build_data(&b, p->scheme, 4);
        build_u32(&b, 0x10000);
        build_close(&b, schm);
        size_t schi = build_open(&b, "schi");
        put_tenc(p);
        build_close(&b, schi);
        build_close(&b, sinf);
    }
    build_close(&b, at);
}

/* Two entries: clear, and protected with another key and a constant IV. */
static void put_sgpd(void)
{
    size_t at = build_full(&b, "sgpd", 1, 0);
    build_data(&b, "seig", 4);
    build_u32(&b, 0);
    build_u32(&b, 2);
    build_u32(&b, 20);
    build_zeros(&b, 20);
    build_u32(&b, 29);
    build_u8(&b, 0);
    build_u8(&b, 0x19);
    build_u8(&b, 1);
    build_u8(&b, 0);
    for (int i = 0; i < 16; i++) build_u8(&b, 0xbb);
    build_u8(&b, 8);
    for (uint8_t i = 0; i < 8; i++) build_u8(&b, (uint8_t)(0xd0 + i));
    build_close(&b, at);
}

/* The init that a moov with these boxes would give. */
static void make_init(const struct plan *p, struct cad_mp4_init *init, int want)
{
    static uint8_t stsd[4096];
    static uint8_t sgpd[256];
    build_init(&b);
    build_u32(&b, 0);
    build_u32(&b, p->clear_entry ? 2 : 1);
    put_entry(p, false);
    if (p->clear_entry) put_entry(p, true);
    memcpy(stsd, b.bytes, b.n);
    *init = (struct cad_mp4_init){.type = CAD_MEDIA_OTHER};
    assert_int_equal(cad_mp4_stsd_read((cad_buf){stsd, b.n}, VIDE, init), want);
    init->track_id = 1;
    init->timescale = 1000;
    init->default_description = 1;
    if (p->sbgp && !p->sgpd_in_traf) {
        build_init(&b);
        put_sgpd();
        memcpy(sgpd, b.bytes + 8, b.n - 8);
        init->sgpd = (cad_buf){sgpd, b.n - 8};
    }
}

/* Whether a group's samples have an IV of their own. */
static bool has_iv(const struct plan *p, uint32_t i)
{
    uint32_t group = p->sbgp ? p->groups[i] & 0xffff : 0;
    return group == 0 && p->tenc_protected && p->tenc_iv > 0;
}

static void put_info(const struct plan *p, uint32_t i)
{
    if (has_iv(p, i)) {
        for (uint8_t k = 0; k < p->tenc_iv; k++) build_u8(&b, (uint8_t)(16 * i + k));
    }
    if (!p->maps) return;
    build_u16(&b, 2);
    build_u16(&b, 4);
    build_u32(&b, 16);
    build_u16(&b, 0);
    build_u32(&b, sizes[i] - 20);
}

static void put_groups(const struct plan *p)
{
    size_t at = build_full(&b, "sbgp", 0, 0);
    build_data(&b, "seig", 4);
    build_u32(&b, SAMPLES);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        build_u32(&b, 1);
        build_u32(&b, p->groups[i]);
    }
    build_close(&b, at);
    if (p->sgpd_in_traf) put_sgpd();
}

static void put_fragment(const struct plan *p, uint32_t data_offset, uint32_t aux_offset)
{
    build_init(&b);
    size_t moof = build_open(&b, "moof");
    size_t traf = build_open(&b, "traf");
    size_t at = build_full(&b, "tfhd", 0, 0x020000 | (p->description ? 2 : 0));
    build_u32(&b, 1);
    if (p->description) build_u32(&b, p->description);
    build_close(&b, at);
    at = build_full(&b, "trun", 0, 0x201);
    build_u32(&b, SAMPLES);
    build_u32(&b, data_offset);
    for (uint32_t i = 0; i < SAMPLES; i++) build_u32(&b, sizes[i]);
    build_close(&b, at);
    if (p->sbgp) put_groups(p);
    if (p->senc) {
        at = build_full(&b, "senc", 0, p->maps ? 2 : 0);
        build_u32(&b, p->senc_count);
        for (uint32_t i = 0; i < SAMPLES; i++) put_info(p, i);
        build_close(&b, at);
    }
    if (p->aux) {
        at = build_full(&b, "saiz", 0, 0);
        build_u8(&b, 0);
        build_u32(&b, SAMPLES);
        for (uint32_t i = 0; i < SAMPLES; i++) {
            build_u8(&b, (uint8_t)((has_iv(p, i) ? p->tenc_iv : 0) + (p->maps ? 14 : 0)));
        }
        build_close(&b, at);
        at = build_full(&b, "saio", 0, 0);
        build_u32(&b, 1);
        build_u32(&b, aux_offset);
        build_close(&b, at);
    }
    build_close(&b, traf);
    build_close(&b, moof);
    size_t mdat = build_open(&b, "mdat");
    for (uint32_t i = 0; p->aux && i < SAMPLES; i++) put_info(p, i);
    build_zeros(&b, 120);
    build_close(&b, mdat);
}

static void make_fragment(const struct plan *p)
{
    put_fragment(p, 0, 0);
    uint32_t end = (uint32_t)b.n;
    uint32_t info = 0;
    for (uint32_t i = 0; p->aux && i < SAMPLES; i++) {
        info += (has_iv(p, i) ? p->tenc_iv : 0u) + (p->maps ? 14u : 0u);
    }
    put_fragment(p, end - 120, end - 120 - info);
}

struct result {
    int rc[SAMPLES];
    struct cad_mp4_sample_crypt crypt[SAMPLES];
    uint32_t count;
    int end;
};

static void read_bytes(const struct cad_mp4_init *init, cad_buf bytes, struct result *out)
{
    struct cad_mp4_reader reader;
    struct cad_mp4_crypt cursor;
    struct cad_mp4_sample sample;
    memset(out, 0, sizeof *out);
    memset(&cursor, 0, sizeof cursor);
    cad_mp4_reader_init(&reader, init);
    while ((out->end = cad_mp4_reader_next(&reader, bytes, bytes.n, &sample)) == 0) {
        assert_true(out->count < SAMPLES);
        assert_int_equal(sample.index, out->count);
        out->rc[out->count] =
            cad_mp4_crypt_next(&cursor, &reader, bytes, &sample, &out->crypt[out->count]);
        out->count++;
    }
}

static void read_plan(const struct plan *p, struct result *out)
{
    static struct cad_mp4_init init;
    make_init(p, &init, 0);
    make_fragment(p);
    read_bytes(&init, build_view(&b), out);
    assert_int_equal(out->count, SAMPLES);
    assert_int_equal(out->end, CAD_E_END);
}

/* A sample under the tenc, as put_info wrote it. */
static void check_tenc(const struct plan *p, const struct result *r, uint32_t i)
{
    const struct cad_mp4_sample_crypt *c = &r->crypt[i];
    assert_int_equal(r->rc[i], 0);
    assert_true(c->protection.is_protected);
    assert_int_equal(c->protection.kid[15], 0xaf);
    assert_int_equal(c->iv.n, p->tenc_iv > 0 ? p->tenc_iv : p->tenc_constant);
    assert_int_equal(c->iv.p[1], p->tenc_iv > 0 ? 16 * i + 1 : 0xc1);
    assert_int_equal(cad_cenc_subsample_count(c->subsamples), p->maps ? 2 : 0);
    if (p->maps) assert_int_equal(cad_cenc_subsample(c->subsamples, 1).cipher_bytes, sizes[i] - 20);
}

static void test_crypt_senc_and_saio(void **state)
{
    (void)state;
    static const struct plan plans[] = {
        {.tenc_protected = 1, .tenc_iv = 8, .senc = true, .maps = true},
        {.tenc_protected = 1, .tenc_iv = 16, .senc = true},
        {.tenc_protected = 1, .tenc_iv = 16, .aux = true, .maps = true},
        {.tenc_protected = 1, .tenc_iv = 8, .aux = true},
        {.tenc_protected = 1, .tenc_constant = 16, .senc = true, .maps = true},
        {.tenc_protected = 1, .tenc_constant = 8, .aux = true, .maps = true},
        {.tenc_protected = 1, .tenc_constant = 16}, /* nothing but the tenc */
        {.tenc_protected = 1, .tenc_iv = 8, .senc = true, .aux = true, .maps = true},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(plans); i++) {
        struct plan p = plans[i];
        struct result r;
        p.senc_count = SAMPLES;
        p.scheme = "cbcs";
        p.tenc_version = 1;
        read_plan(&p, &r);
        for (uint32_t k = 0; k < SAMPLES; k++) {
            check_tenc(&p, &r, k);
            assert_int_equal(r.crypt[k].protection.crypt_byte_block, 1);
            assert_int_equal(r.crypt[k].protection.skip_byte_block, 9);
            assert_int_equal(r.crypt[k].scheme, CAD_FOURCC('c', 'b', 'c', 's'));
        }
    }
}

/* Groups count before the tenc: in no group, in a clear one, in one with another key. */
static void test_crypt_groups(void **state)
{
    (void)state;
    for (int in_traf = 0; in_traf < 2; in_traf++) {
        struct plan p = plain;
        struct result r;
        uint32_t base = in_traf ? 0x10000 : 0;
        p.sbgp = true;
        p.sgpd_in_traf = in_traf;
        p.groups[1] = base + 1;
        p.groups[2] = base + 2;
        read_plan(&p, &r);
        check_tenc(&p, &r, 0);
        assert_int_equal(r.rc[1], 0);
        assert_false(r.crypt[1].protection.is_protected);
        assert_int_equal(r.crypt[1].subsamples.n, 0);
        assert_int_equal(r.rc[2], 0);
        assert_int_equal(r.crypt[2].protection.kid[0], 0xbb);
        assert_int_equal(r.crypt[2].iv.n, 8);
        assert_int_equal(r.crypt[2].iv.p[7], 0xd7);
        p.groups[1] = base + 3; /* there is none: no sample behind it can be had */
        read_plan(&p, &r);
        assert_int_equal(r.rc[0], 0);
        assert_int_equal(r.rc[1], CAD_E_DATA);
        assert_int_equal(r.rc[2], CAD_E_DATA);
    }
}

/* A fragment names its sample entry: the clear one beside the protected one. */
static void test_crypt_clear_lead(void **state)
{
    (void)state;
    struct plan p = plain;
    struct result r;
    p.clear_entry = true;
    for (p.description = 0; p.description <= 1; p.description++) {
        read_plan(&p, &r);
        check_tenc(&p, &r, 2);
    }
    p.description = 2;
    p.senc = false;
    read_plan(&p, &r);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        assert_int_equal(r.rc[i], 0);
        assert_false(r.crypt[i].protection.is_protected);
    }
    p.description = 3;
    read_plan(&p, &r);
    assert_int_equal(r.rc[0], CAD_E_DATA);
}

static void test_crypt_tenc_that_contradicts_itself(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    struct plan p = plain;
    p.tenc_iv = 5;
    make_init(&p, &init, CAD_E_DATA);
    p.tenc_iv = 0;
    make_init(&p, &init, CAD_E_DATA);
    p.tenc_constant = 7;
    make_init(&p, &init, CAD_E_DATA);
    p = plain;
    p.tenc_protected = 2;
    make_init(&p, &init, CAD_E_DATA);
    p.scheme = "abcd"; /* of a scheme that is not known nothing is known */
    make_init(&p, &init, 0);
    assert_true(init.encrypted);
    assert_false(init.has_protection);
    p = plain;
    p.tenc_protected = 0;
    make_init(&p, &init, 0);
    assert_true(init.has_protection);
    assert_false(init.protection.is_protected);
}

static void test_crypt_information_that_is_missing_or_too_much(void **state)
{
    (void)state;
    struct result r;
    struct plan p = plain;
    p.senc = false; /* an IV is promised and not there */
    read_plan(&p, &r);
    assert_int_equal(r.rc[0], CAD_E_DATA);
    p = plain;
    for (p.senc_count = 0; p.senc_count < 6; p.senc_count++) {
        if (p.senc_count == SAMPLES) continue;
        read_plan(&p, &r);
        for (uint32_t i = 0; i < SAMPLES; i++) assert_int_equal(r.rc[i], CAD_E_DATA);
    }
}

/* A map that does not cover its sample spoils that sample alone. */
static void test_crypt_sum_of_subsamples(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    struct result r;
    make_init(&plain, &init, 0);
    make_fragment(&plain);
    read_bytes(&init, build_view(&b), &r);
    size_t at = (size_t)(r.crypt[1].subsamples.p - b.bytes);
    b.bytes[at + 5]++;
    read_bytes(&init, build_view(&b), &r);
    assert_int_equal(r.rc[0], 0);
    assert_int_equal(r.rc[1], CAD_E_DATA);
    check_tenc(&plain, &r, 2);
}

/* Bytes of saio come later than those of its sample. */
static void test_crypt_information_behind_the_samples(void **state)
{
    (void)state;
    struct plan p = {.tenc_protected = 1, .tenc_iv = 8, .aux = true, .scheme = "cenc"};
    struct cad_mp4_init init;
    struct cad_mp4_reader reader;
    struct cad_mp4_crypt cursor;
    struct cad_mp4_sample sample;
    struct cad_mp4_sample_crypt crypt;
    make_init(&p, &init, 0);
    make_fragment(&p);
    uint32_t end = (uint32_t)b.n;
    put_fragment(&p, end - 120 - 24, end - 24); /* first the samples, then what is told of them */
    memset(&cursor, 0, sizeof cursor);
    cad_mp4_reader_init(&reader, &init);
    cad_buf part = {b.bytes, end - 24 + 7};
    assert_int_equal(cad_mp4_reader_next(&reader, part, end, &sample), 0);
    assert_int_equal(cad_mp4_crypt_next(&cursor, &reader, part, &sample, &crypt), CAD_E_AGAIN);
    part.n++;
    assert_int_equal(cad_mp4_crypt_next(&cursor, &reader, part, &sample, &crypt), 0);
    assert_int_equal(crypt.iv.n, 8);
    assert_int_equal(cad_mp4_reader_next(&reader, part, end, &sample), 0);
    assert_int_equal(cad_mp4_crypt_next(&cursor, &reader, part, &sample, &crypt), CAD_E_AGAIN);
    put_fragment(&p, end - 120 - 24, end - 23); /* past the end of the segment */
    memset(&cursor, 0, sizeof cursor);
    struct result r;
    read_bytes(&init, build_view(&b), &r);
    assert_int_equal(r.rc[1], 0);
    assert_int_equal(r.rc[2], CAD_E_DATA);
}

/* Whatever is cut off or changed: no byte outside is read, and what is given covers its sample. */
static void test_crypt_truncated_and_changed_everywhere(void **state)
{
    (void)state;
    struct plan p = plain;
    p.sbgp = true;
    p.sgpd_in_traf = true;
    p.groups[2] = 0x10002;
    p.aux = true;
    struct cad_mp4_init init;
    struct result r;
    make_init(&p, &init, 0);
    make_fragment(&p);
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *copy = build_copy(&b, n);
        read_bytes(&init, (cad_buf){copy, n}, &r);
        free(copy);
    }
    uint8_t *copy = build_copy(&b, b.n);
    for (size_t i = 0; i < b.n - 120; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1u << bit);
            read_bytes(&init, (cad_buf){copy, b.n}, &r);
            copy[i] ^= (uint8_t)(1u << bit);
        }
    }
    free(copy);
}

/* A header may be moved to another place while its samples are read: nothing shows the old one. */
static void test_crypt_header_that_moves(void **state)
{
    (void)state;
    struct plan p = {.tenc_version = 1, .tenc_protected = 1, .tenc_constant = 16, .scheme = "cbcs"};
    struct cad_mp4_init init;
    struct cad_mp4_reader reader;
    struct cad_mp4_crypt cursor;
    struct cad_mp4_sample sample;
    struct cad_mp4_sample_crypt crypt;
    make_init(&p, &init, 0);
    make_fragment(&p);
    memset(&cursor, 0, sizeof cursor);
    cad_mp4_reader_init(&reader, &init);
    uint8_t *moved = malloc(init.stsd.n);
    assert_non_null(moved);
    for (int i = 0; i < SAMPLES; i++) {
        assert_int_equal(cad_mp4_reader_next(&reader, build_view(&b), b.n, &sample), 0);
        assert_int_equal(cad_mp4_crypt_next(&cursor, &reader, build_view(&b), &sample, &crypt), 0);
        assert_int_equal(crypt.iv.n, 16);
        assert_int_equal(crypt.iv.p[1], 0xc1);
        if (i > 0) continue;
        memcpy(moved, init.stsd.p, init.stsd.n);
        memset((void *)(uintptr_t)init.stsd.p, 0, init.stsd.n);
        init.stsd.p = moved;
    }
    free(moved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crypt_senc_and_saio),
        cmocka_unit_test(test_crypt_groups),
        cmocka_unit_test(test_crypt_clear_lead),
        cmocka_unit_test(test_crypt_tenc_that_contradicts_itself),
        cmocka_unit_test(test_crypt_information_that_is_missing_or_too_much),
        cmocka_unit_test(test_crypt_sum_of_subsamples),
        cmocka_unit_test(test_crypt_information_behind_the_samples),
        cmocka_unit_test(test_crypt_header_that_moves),
        cmocka_unit_test(test_crypt_truncated_and_changed_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
