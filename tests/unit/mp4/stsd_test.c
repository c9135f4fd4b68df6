/* Sample entries: the codec, its name and its configuration, clear and protected. */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mp4/moov.h"

static struct build b;

static const uint8_t avcc[] = {1, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0, 0};
static const uint8_t av1c[] = {0x81, 0x04, 0x0c, 0x00};
static const uint8_t dops[] = {0, 2, 1, 0x38, 0, 0, 0xac, 0x44, 0, 0, 0};
static const uint8_t esds[] = {0, 0, 0, 0, 3, 22, 0, 1, 0, 4, 17, 0x40, 0x15, 0, 0, 0,
                               0, 0, 0, 0, 0, 0, 0, 0, 5, 2, 0x12, 0x10};

enum { VIDE = CAD_FOURCC('v', 'i', 'd', 'e'), SOUN = CAD_FOURCC('s', 'o', 'u', 'n') };

/* Begins a stsd payload with one entry of a type; the fixed fields of audio or video are in. */
static size_t open_entry(const char *type, uint32_t handler)
{
    build_init(&b);
    build_u32(&b, 0);
    build_u32(&b, 1);
    size_t at = build_open(&b, type);
    build_zeros(&b, 6);
    build_u16(&b, 1);
    if (handler == VIDE) {
        build_zeros(&b, 16);
        build_u16(&b, 1920);
        build_u16(&b, 1080);
        build_zeros(&b, 50);
    } else if (handler == SOUN) {
        build_zeros(&b, 8);
        build_u16(&b, 3);
        build_u16(&b, 16);
        build_u32(&b, 0);
        build_u32(&b, 12345u << 16);
    }
    return at;
}

static int read_stsd(uint32_t handler, struct cad_mp4_init *init)
{
    *init = (struct cad_mp4_init){.type = CAD_MEDIA_OTHER};
    uint8_t *copy = build_copy(&b, b.n);
    int rc = cad_mp4_stsd_read((cad_buf){copy, b.n}, handler, init);
    if (init->config.p != NULL) init->config.p = b.bytes + (init->config.p - copy);
    free(copy);
    return rc;
}

/* An entry with one configuration box. */
static int read_one(const char *type, uint32_t handler, const char *box, cad_buf config,
                    struct cad_mp4_init *init)
{
    size_t at = open_entry(type, handler);
    build_box(&b, "btrt", 12);
    build_box_of(&b, box, config.p, config.n);
    build_close(&b, at);
    return read_stsd(handler, init);
}

#define VIEW(array) ((cad_buf){array, sizeof(array)})

struct expected {
    const char *type;
    uint32_t handler;
    const char *box;
    cad_buf config;
    enum cad_codec codec;
    const char *codecs;
    uint32_t channels, rate_hz;
    size_t least; /* bytes that the configuration must have */
};

static void check_entry(const struct expected *want)
{
    struct cad_mp4_init init;
    assert_int_equal(read_one(want->type, want->handler, want->box, want->config, &init), 0);
    assert_int_equal(init.codec, want->codec);
    assert_string_equal(init.codecs, want->codecs);
    assert_int_equal(init.sample_entry, cad_be32((const uint8_t *)want->type));
    assert_int_equal(init.type, want->handler == VIDE ? CAD_MEDIA_VIDEO : CAD_MEDIA_AUDIO);
    assert_int_equal(init.channels, want->channels);
    assert_int_equal(init.sample_rate_hz, want->rate_hz);
    assert_int_equal(init.width, want->handler == VIDE ? 1920 : 0);
    assert_int_equal(init.height, want->handler == VIDE ? 1080 : 0);
    assert_false(init.encrypted);
    assert_int_equal(init.scheme, 0);
    if (want->codec != CAD_CODEC_AAC) {
        assert_int_equal(init.config.n, want->config.n);
        assert_memory_equal(init.config.p, want->config.p, want->config.n);
    }
    for (size_t n = 0; n < want->least; n++) {
        cad_buf cut = {want->config.p, n};
        assert_int_equal(read_one(want->type, want->handler, want->box, cut, &init), CAD_E_DATA);
    }
    /* Without its configuration the entry is refused. */
    assert_int_equal(read_one(want->type, want->handler, "free", want->config, &init), CAD_E_DATA);
}

static void test_stsd_video_codecs(void **state)
{
    (void)state;
    uint8_t hvcc[23] = {1, 0x01, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 93};
    uint8_t high[23] = {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xab, 0, 0xcd, 0xef, 0x01, 0xff, 255};
    uint8_t plain[23] = {1, 0x42, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 150};
    uint8_t vpcc[12] = {1, 0, 0, 0, 2, 31, 0xa2, 1, 1, 1, 0, 0};
    const uint8_t av1_10[] = {0x81, 0x2d, 0xcc, 0x00, 0xff};
    const uint8_t av1_12[] = {0x81, 0x5f, 0x60, 0x00};
    const struct expected cases[] = {
        {"avc1", VIDE, "avcC", VIEW(avcc), CAD_CODEC_AVC, "avc1.64001f", 0, 0, 7},
        {"avc3", VIDE, "avcC", VIEW(avcc), CAD_CODEC_AVC, "avc3.64001f", 0, 0, 7},
        {"hvc1", VIDE, "hvcC", VIEW(hvcc), CAD_CODEC_HEVC, "hvc1.1.6.L93.90", 0, 0, 23},
        {"hev1", VIDE, "hvcC", VIEW(high), CAD_CODEC_HEVC,
         "hev1.C31.FFFFFFFF.H255.AB.0.CD.EF.1.FF", 0, 0, 23},
        {"hev1", VIDE, "hvcC", VIEW(plain), CAD_CODEC_HEVC, "hev1.A2.4000000.L150", 0, 0, 23},
        {"av01", VIDE, "av1C", VIEW(av1c), CAD_CODEC_AV1, "av01.0.04M.08", 0, 0, 4},
        {"av01", VIDE, "av1C", VIEW(av1_10), CAD_CODEC_AV1, "av01.1.13H.10", 0, 0, 4},
        {"av01", VIDE, "av1C", VIEW(av1_12), CAD_CODEC_AV1, "av01.2.31M.12", 0, 0, 4},
        {"vp09", VIDE, "vpcC", VIEW(vpcc), CAD_CODEC_VP9, "vp09.02.31.10", 0, 0, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_entry(&cases[i]);
}

/* Bit depth of each codec's configuration. */
static void test_stsd_bit_depth(void **state)
{
    (void)state;
    uint8_t hvcc[23] = {1, 2, 0x20, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 123, 0xf0, 0, 0xfc, 0xfd, 0xfa};
    uint8_t vpcc[12] = {1, 0, 0, 0, 0, 51, 0x82, 1, 1, 1, 0, 0};
    const uint8_t main8[] = {1, 77, 0, 31, 0xff, 0xe0, 0};
    const uint8_t high10[] = {1, 110, 0, 31, 0xff, 0xe1, 0, 2, 0x67, 0x6e, 1, 0, 1, 0x68,
                              0xfd, 0xfa, 0xfa, 0};
    const uint8_t silent10[] = {1, 110, 0, 31, 0xff, 0xe1, 0, 2, 0x67, 0x6e, 1, 0, 1, 0x68};
    const uint8_t cut10[] = {1, 110, 0, 31, 0xff, 0xe2, 0, 2, 0x67, 0x6e};
    const uint8_t av1_10[] = {0x81, 0x2d, 0xcc, 0x00};
    const struct {
        const char *type, *box;
        cad_buf config;
        const char *codecs;
        unsigned depth;
    } cases[] = {
        {"hvc1", "hvcC", VIEW(hvcc), "hvc1.2.4.L123.B0", 10},
        {"vp09", "vpcC", VIEW(vpcc), "vp09.00.51.08", 8},
        {"avc1", "avcC", VIEW(main8), "avc1.4d001f", 8},
        {"avc1", "avcC", VIEW(high10), "avc1.6e001f", 10},
        {"avc1", "avcC", VIEW(silent10), "avc1.6e001f", 0},
        {"avc1", "avcC", VIEW(cut10), "avc1.6e001f", 0},
        {"av01", "av1C", VIEW(av1_10), "av01.1.13H.10", 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cad_mp4_init init;
        assert_int_equal(read_one(cases[i].type, VIDE, cases[i].box, cases[i].config, &init), 0);
        assert_string_equal(init.codecs, cases[i].codecs);
        assert_int_equal(init.color.bit_depth, cases[i].depth);
    }
}

/* Objects in E-AC-3: the flag stands behind the substreams, however many there are. */
static void test_stsd_joc(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    const uint8_t joc[] = {0, 0, 0x20, 0x0f, 0x00, 1, 16};
    const uint8_t wide[] = {0, 0, 0x20, 0x0f, 0x02, 0x02, 1, 12};
    const uint8_t two[] = {0, 1, 0x20, 0x0f, 0x00, 0x20, 0x04, 0x00, 1, 9};
    const uint8_t none[] = {0, 0, 0x20, 0x0f, 0x00, 0, 16};
    assert_int_equal(read_one("ec-3", SOUN, "dec3", VIEW(joc), &init), 0);
    assert_true(init.joc && init.joc_complexity == 16 && init.channels == 6);
    assert_int_equal(read_one("ec-3", SOUN, "dec3", VIEW(wide), &init), 0);
    assert_true(init.joc && init.joc_complexity == 12 && init.channels == 8);
    assert_int_equal(read_one("ec-3", SOUN, "dec3", VIEW(two), &init), 0);
    assert_true(init.joc && init.joc_complexity == 9);
    assert_int_equal(read_one("ec-3", SOUN, "dec3", VIEW(none), &init), 0);
    assert_true(!init.joc && init.joc_complexity == 0);
    for (size_t n = 5; n < sizeof joc; n++) { /* cut: no objects, as from older writers */
        cad_buf cut = {joc, n};
        assert_int_equal(read_one("ec-3", SOUN, "dec3", cut, &init), 0);
        assert_false(init.joc);
    }
}

/* The longest name that a hvcC can make fits. */
static void test_stsd_longest_name(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    uint8_t hvcc[23];
    memset(hvcc, 0xff, sizeof hvcc);
    assert_int_equal(read_one("hvc1", VIDE, "hvcC", VIEW(hvcc), &init), 0);
    assert_string_equal(init.codecs, "hvc1.C31.FFFFFFFF.H255.FF.FF.FF.FF.FF.FF");
}

static void test_stsd_audio_codecs(void **state)
{
    (void)state;
    uint8_t dfla[4 + 4 + 34] = {0, 0, 0, 0, 0x80, 0, 0, 34};
    cad_put_be32(dfla + 18, 96000u << 12 | 5u << 9); /* 20 bits of rate, 3 of channels - 1 */
    const uint8_t dac3[] = {0x10, 0x3d, 0x40};       /* 48 kHz, 3/2 and LFE */
    const uint8_t mono[] = {0x50, 0x08, 0x00};       /* 44.1 kHz, 1/0 */
    const uint8_t dec3[] = {0, 0, 0x20, 0x0f, 0x00};
    const uint8_t wide[] = {0, 0, 0x20, 0x0f, 0x02, 0x02}; /* and Lrs/Rrs in a dependent one */
    const struct expected cases[] = {
        {"mp4a", SOUN, "esds", VIEW(esds), CAD_CODEC_AAC, "mp4a.40.2", 2, 44100, sizeof esds},
        {"Opus", SOUN, "dOps", VIEW(dops), CAD_CODEC_OPUS, "opus", 2, 48000, 11},
        {"fLaC", SOUN, "dfLa", VIEW(dfla), CAD_CODEC_FLAC, "fLaC", 6, 96000, 42},
        {"ac-3", SOUN, "dac3", VIEW(dac3), CAD_CODEC_AC3, "ac-3", 6, 48000, 3},
        {"ac-3", SOUN, "dac3", VIEW(mono), CAD_CODEC_AC3, "ac-3", 1, 44100, 3},
        {"ec-3", SOUN, "dec3", VIEW(dec3), CAD_CODEC_EAC3, "ec-3", 6, 48000, 5},
        {"ec-3", SOUN, "dec3", VIEW(wide), CAD_CODEC_EAC3, "ec-3", 8, 48000, 6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_entry(&cases[i]);
}

static void test_stsd_wrong_configuration_is_refused(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    uint8_t bytes[64] = {0};
    cad_buf config = {bytes, sizeof bytes};
    assert_int_equal(read_one("avc1", VIDE, "avcC", config, &init), CAD_E_DATA);
    assert_int_equal(read_one("av01", VIDE, "av1C", config, &init), CAD_E_DATA);
    assert_int_equal(read_one("Opus", SOUN, "dOps", config, &init), CAD_E_DATA);
    bytes[4] = 4; /* VORBIS_COMMENT where STREAMINFO is due */
    assert_int_equal(read_one("fLaC", SOUN, "dfLa", config, &init), CAD_E_DATA);
}

static void test_stsd_text(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    size_t at = open_entry("stpp", 0);
    build_data(&b, "http://www.w3.org/ns/ttml\0\0", 28);
    build_close(&b, at);
    assert_int_equal(read_stsd(CAD_FOURCC('s', 'u', 'b', 't'), &init), 0);
    assert_int_equal(init.type, CAD_MEDIA_TEXT);
    assert_int_equal(init.codec, CAD_CODEC_TTML);
    assert_string_equal(init.codecs, "stpp");
    at = open_entry("wvtt", 0);
    build_box_of(&b, "vttC", "WEBVTT", 6);
    build_close(&b, at);
    assert_int_equal(read_stsd(CAD_FOURCC('t', 'e', 'x', 't'), &init), 0);
    assert_int_equal(init.codec, CAD_CODEC_WEBVTT);
}

static void build_sinf(const char *format, const char *scheme)
{
    size_t sinf = build_open(&b, "sinf");
    if (format != NULL) build_box_of(&b, "frma", format, 4);
    if (scheme != NULL) {
        size_t at = build_full(&b, "schm", 0, 0);
        build_data(&b, scheme, 4);
        build_u32(&b, 0x10000);
        build_close(&b, at);
    }
    build_box(&b, "schi", 0);
    build_close(&b, sinf);
}

static int read_protected(const char *type, const char *format, const char *scheme,
                          struct cad_mp4_init *init)
{
    uint32_t handler = type[3] == 'v' ? VIDE : SOUN;
    size_t at = open_entry(type, handler);
    build_box_of(&b, "avcC", avcc, sizeof avcc);
    build_box_of(&b, "esds", esds, sizeof esds);
    if (format != NULL || scheme != NULL) build_sinf(format, scheme);
    build_close(&b, at);
    return read_stsd(handler, init);
}

static void test_stsd_protected(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    assert_int_equal(read_protected("encv", "avc1", "cbcs", &init), 0);
    assert_true(init.encrypted);
    assert_int_equal(init.scheme, CAD_FOURCC('c', 'b', 'c', 's'));
    assert_int_equal(init.sample_entry, CAD_FOURCC('e', 'n', 'c', 'v'));
    assert_int_equal(init.codec, CAD_CODEC_AVC);
    assert_string_equal(init.codecs, "avc1.64001f");
    assert_int_equal(read_protected("enca", "mp4a", "cenc", &init), 0);
    assert_int_equal(init.scheme, CAD_FOURCC('c', 'e', 'n', 'c'));
    assert_string_equal(init.codecs, "mp4a.40.2");
    assert_int_equal(read_protected("enca", "mp4a", NULL, &init), 0);
    assert_true(init.encrypted);
    assert_int_equal(init.scheme, 0);
    /* The format under the protection is not known. */
    assert_int_equal(read_protected("enca", "ac-4", "cenc", &init), CAD_E_UNSUPPORTED);
    assert_true(init.encrypted);
    assert_string_equal(init.codecs, "ac-4");
    /* Protected, but nothing says what. */
    assert_int_equal(read_protected("encv", NULL, "cenc", &init), CAD_E_DATA);
    assert_int_equal(read_protected("encv", NULL, NULL, &init), CAD_E_DATA);
    /* Audio under a video handler. */
    assert_int_equal(read_protected("encv", "mp4a", "cenc", &init), CAD_E_DATA);
}

static void test_stsd_unknown_entries(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    assert_int_equal(read_one("dvh1", VIDE, "dvcC", VIEW(avcc), &init), CAD_E_UNSUPPORTED);
    assert_int_equal(init.type, CAD_MEDIA_VIDEO);
    assert_int_equal(init.width, 1920);
    assert_int_equal(init.codec, CAD_CODEC_UNKNOWN);
    assert_string_equal(init.codecs, "dvh1");
    size_t at = open_entry("\1\xff\"z", 0);
    build_close(&b, at);
    assert_int_equal(read_stsd(CAD_FOURCC('m', 'e', 't', 'a'), &init), CAD_E_UNSUPPORTED);
    assert_int_equal(init.type, CAD_MEDIA_OTHER);
    assert_string_equal(init.codecs, "..\"z");
    build_init(&b);
    build_u64(&b, 0);
    assert_int_equal(read_stsd(VIDE, &init), CAD_E_DATA); /* no entry */
    assert_int_equal(read_one("avc1", SOUN, "avcC", VIEW(avcc), &init), CAD_E_DATA);
}

/* Sound descriptions of QuickTime: longer fixed fields, esds inside wave. */
static void test_stsd_quicktime_sound(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        struct cad_mp4_init init;
        size_t at = open_entry("mp4a", SOUN);
        b.bytes[at + 17] = version;
        build_zeros(&b, version == 1 ? 16 : 36);
        size_t wave = build_open(&b, "wave");
        build_box_of(&b, "frma", "mp4a", 4);
        build_box_of(&b, "esds", esds, sizeof esds);
        build_u64(&b, UINT64_C(8) << 32); /* terminator */
        build_close(&b, wave);
        build_zeros(&b, 4);
        build_close(&b, at);
        assert_int_equal(read_stsd(SOUN, &init), 0);
        assert_string_equal(init.codecs, "mp4a.40.2");
        assert_int_equal(init.sample_rate_hz, 44100);
    }
    /* In a version 1 stsd the same entry version is ISO's own, without more fields. */
    struct cad_mp4_init init;
    size_t at = open_entry("mp4a", SOUN);
    b.bytes[0] = 1;
    b.bytes[at + 17] = 1;
    build_box_of(&b, "esds", esds, sizeof esds);
    build_close(&b, at);
    assert_int_equal(read_stsd(SOUN, &init), 0);
}

static void test_stsd_padding_of_an_entry(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    for (size_t n = 1; n < 8; n++) {
        size_t at = open_entry("avc1", VIDE);
        build_box_of(&b, "avcC", avcc, sizeof avcc);
        build_zeros(&b, n);
        build_close(&b, at);
        assert_int_equal(read_stsd(VIDE, &init), 0);
        b.bytes[b.n - 1] = 1; /* not zeros: bytes that cannot be a box */
        assert_int_equal(read_stsd(VIDE, &init), CAD_E_DATA);
    }
}

/* Cut anywhere, sizes left as they were: never accepted, never read past the end. */
static void test_stsd_every_truncation_is_refused(void **state)
{
    (void)state;
    struct cad_mp4_init init;
    assert_int_equal(read_protected("encv", "avc1", "cbcs", &init), 0);
    for (size_t whole = b.n; b.n > 0;) {
        b.n = --whole;
        assert_int_equal(read_stsd(VIDE, &init), CAD_E_DATA);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stsd_video_codecs),
        cmocka_unit_test(test_stsd_bit_depth),
        cmocka_unit_test(test_stsd_joc),
        cmocka_unit_test(test_stsd_longest_name),
        cmocka_unit_test(test_stsd_audio_codecs),
        cmocka_unit_test(test_stsd_wrong_configuration_is_refused),
        cmocka_unit_test(test_stsd_text),
        cmocka_unit_test(test_stsd_protected),
        cmocka_unit_test(test_stsd_unknown_entries),
        cmocka_unit_test(test_stsd_quicktime_sound),
        cmocka_unit_test(test_stsd_padding_of_an_entry),
        cmocka_unit_test(test_stsd_every_truncation_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
