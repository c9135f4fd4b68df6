/* MPEG-4 audio: descriptors, and AudioSpecificConfigs of every way to signal SBR and PS. */
#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "mp4/moov.h"

static struct build b;

/* Writes bits from the first to the last. */
struct bit_writer {
    uint8_t bytes[64];
    size_t at;
};

static void put(struct bit_writer *w, unsigned n, uint32_t value)
{
    for (unsigned i = n; i-- > 0; w->at++) {
        assert_true(w->at / 8 < sizeof w->bytes);
        w->bytes[w->at / 8] |= (uint8_t)((value >> i & 1) << (7 - w->at % 8));
    }
}

static void put_length(size_t n, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        build_u8(&b, (uint8_t)((n >> 7 * i & 0x7f) | (i > 0 ? 0x80u : 0)));
    }
}

/* An esds payload around a DecoderSpecificInfo; lengths take `bytes` bytes each. */
static void build_esds(uint8_t oti, cad_buf config, int bytes, uint8_t es_flags)
{
    size_t length = (size_t)bytes + 1;
    size_t specific = length + config.n;
    size_t decoder = 13 + specific;
    size_t optional = (es_flags & 0x80 ? 2u : 0) + (es_flags & 0x40 ? 4u : 0) +
                      (es_flags & 0x20 ? 2u : 0);
    build_init(&b);
    build_u32(&b, 0);
    build_u8(&b, 3);
    put_length(3 + optional + length + decoder + 3, bytes);
    build_u16(&b, 1);
    build_u8(&b, es_flags);
    if (es_flags & 0x80) build_u16(&b, 9);
    if (es_flags & 0x40) build_data(&b, "\3url", 4);
    if (es_flags & 0x20) build_u16(&b, 8);
    build_u8(&b, 4);
    put_length(decoder, bytes);
    build_u8(&b, oti);
    build_zeros(&b, 12);
    build_u8(&b, 5);
    put_length(config.n, bytes);
    build_data(&b, config.p, config.n);
    build_data(&b, "\6\1\2", 3); /* SLConfigDescriptor, short form */
}

struct expected {
    const char *codecs;
    uint32_t rate_hz;
    uint32_t channels;
};

static void check_asc(cad_buf config, struct expected want)
{
    struct cad_mp4_init init = {.codec = CAD_CODEC_AAC, .codecs = "mp4a", .channels = 99};
    build_esds(0x40, config, 1, 0);
    assert_int_equal(cad_mp4_esds_read(build_view(&b), &init), 0);
    assert_string_equal(init.codecs, want.codecs);
    assert_int_equal(init.sample_rate_hz, want.rate_hz);
    assert_int_equal(init.channels, want.channels);
    assert_int_equal(init.codec, CAD_CODEC_AAC);
    assert_int_equal(init.config.n, config.n);
    assert_memory_equal(init.config.p, config.p, config.n);
}

#define ASC(...) ((cad_buf){(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})})

static void test_esds_low_complexity(void **state)
{
    (void)state;
    check_asc(ASC(0x12, 0x10), (struct expected){"mp4a.40.2", 44100, 2});
    check_asc(ASC(0x11, 0xb0), (struct expected){"mp4a.40.2", 48000, 6});
    check_asc(ASC(0x11, 0xb8), (struct expected){"mp4a.40.2", 48000, 8}); /* configuration 7 */
    check_asc(ASC(0x0a, 0x08), (struct expected){"mp4a.40.1", 44100, 1});
}

/* Real ones of both ways: AOT 5 and 29 in front, and the sync extension behind. */
static void test_esds_sbr_and_ps(void **state)
{
    (void)state;
    check_asc(ASC(0x2b, 0x92, 0x08, 0x00), (struct expected){"mp4a.40.5", 44100, 2});
    check_asc(ASC(0xeb, 0x8a, 0x08, 0x00), (struct expected){"mp4a.40.29", 44100, 2});
    check_asc(ASC(0x13, 0x90, 0x56, 0xe5, 0xa0), (struct expected){"mp4a.40.5", 44100, 2});
    check_asc(ASC(0x13, 0x88, 0x56, 0xe5, 0xa5, 0x48, 0x80),
              (struct expected){"mp4a.40.29", 44100, 2});
    /* The extension is there and says that there is no SBR, or no PS. */
    check_asc(ASC(0x13, 0x90, 0x56, 0xe5, 0x00), (struct expected){"mp4a.40.2", 22050, 2});
    check_asc(ASC(0x13, 0x88, 0x56, 0xe5, 0xa5, 0x48, 0x00),
              (struct expected){"mp4a.40.5", 44100, 1});
}

static void test_esds_escapes(void **state)
{
    (void)state;
    struct bit_writer usac = {.at = 0};
    put(&usac, 5, 31);
    put(&usac, 6, 42 - 32);
    put(&usac, 4, 15);
    put(&usac, 24, 44123);
    put(&usac, 4, 1);
    check_asc((cad_buf){usac.bytes, (usac.at + 7) / 8},
              (struct expected){"mp4a.40.42", 44123, 1});
}

/* Channels of a program_config_element: 1 + 2 in front, 2 at the back, one LFE. */
static void test_esds_program_config(void **state)
{
    (void)state;
    struct bit_writer w = {.at = 0};
    put(&w, 5, 2);
    put(&w, 4, 3);
    put(&w, 4, 0);
    put(&w, 3, 0);
    put(&w, 10, 0);
    put(&w, 4, 2);
    put(&w, 4, 0);
    put(&w, 4, 1);
    put(&w, 2, 1);
    put(&w, 3, 1);
    put(&w, 4, 1);
    put(&w, 1, 1), put(&w, 4, 3);
    put(&w, 1, 0);
    put(&w, 1, 1), put(&w, 3, 5);
    put(&w, 5, 0x00), put(&w, 5, 0x11); /* front: single, pair */
    put(&w, 5, 0x12);                   /* back: pair */
    put(&w, 4, 3);                      /* LFE */
    put(&w, 4, 4);                      /* data */
    put(&w, 5, 0x15);                   /* coupling */
    w.at = (w.at + 7) / 8 * 8;
    put(&w, 8, 2), put(&w, 8, 'h'), put(&w, 8, 'i');
    cad_buf config = {w.bytes, w.at / 8};
    check_asc(config, (struct expected){"mp4a.40.2", 48000, 6});
    for (size_t n = 0; n < config.n; n++) {
        struct cad_mp4_init init = {.codecs = "mp4a"};
        build_esds(0x40, (cad_buf){config.p, n}, 1, 0);
        assert_int_equal(cad_mp4_esds_read(build_view(&b), &init), CAD_E_DATA);
    }
}

static void test_esds_descriptor_forms(void **state)
{
    (void)state;
    for (int bytes = 1; bytes <= 4; bytes++) {
        for (unsigned flags = 0; flags < 8; flags++) {
            struct cad_mp4_init init = {.codecs = "mp4a"};
            build_esds(0x40, ASC(0x12, 0x10), bytes, (uint8_t)(flags << 5));
            assert_int_equal(cad_mp4_esds_read(build_view(&b), &init), 0);
            assert_string_equal(init.codecs, "mp4a.40.2");
        }
    }
}

/* The SLConfigDescriptor at the end is not read; all that is before must be there. */
static void test_esds_every_truncation_is_refused(void **state)
{
    (void)state;
    for (int bytes = 1; bytes <= 4; bytes += 3) {
        build_esds(0x40, ASC(0x13, 0x88, 0x56, 0xe5, 0xa5, 0x48, 0x80), bytes, 0xe0);
        for (size_t n = 0; n < b.n; n++) {
            struct cad_mp4_init init = {.codecs = "mp4a"};
            uint8_t *copy = build_copy(&b, n);
            assert_int_equal(cad_mp4_esds_read((cad_buf){copy, n}, &init), CAD_E_DATA);
            free(copy);
        }
    }
}

static void test_esds_object_types(void **state)
{
    (void)state;
    const struct {
        uint8_t oti;
        int result;
        enum cad_codec codec;
        const char *codecs;
    } cases[] = {
        {0x66, 0, CAD_CODEC_AAC, "mp4a.66"},
        {0x67, 0, CAD_CODEC_AAC, "mp4a.67"},
        {0x68, 0, CAD_CODEC_AAC, "mp4a.68"},
        {0xa5, 0, CAD_CODEC_AC3, "mp4a.a5"},
        {0xa6, 0, CAD_CODEC_EAC3, "mp4a.a6"},
        {0x6b, CAD_E_UNSUPPORTED, CAD_CODEC_UNKNOWN, "mp4a.6b"},
        {0x00, CAD_E_UNSUPPORTED, CAD_CODEC_UNKNOWN, "mp4a.0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct cad_mp4_init init = {.codec = CAD_CODEC_AAC, .codecs = "mp4a"};
        build_esds(cases[i].oti, ASC(0x12, 0x10), 1, 0);
        assert_int_equal(cad_mp4_esds_read(build_view(&b), &init), cases[i].result);
        assert_int_equal(init.codec, cases[i].codec);
        assert_string_equal(init.codecs, cases[i].codecs);
    }
}

static void test_esds_object_type_zero_is_refused(void **state)
{
    (void)state;
    struct cad_mp4_init init = {.codecs = "mp4a"};
    build_esds(0x40, ASC(0x02, 0x10), 1, 0);
    assert_int_equal(cad_mp4_esds_read(build_view(&b), &init), CAD_E_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_esds_low_complexity),
        cmocka_unit_test(test_esds_sbr_and_ps),
        cmocka_unit_test(test_esds_escapes),
        cmocka_unit_test(test_esds_program_config),
        cmocka_unit_test(test_esds_descriptor_forms),
        cmocka_unit_test(test_esds_every_truncation_is_refused),
        cmocka_unit_test(test_esds_object_types),
        cmocka_unit_test(test_esds_object_type_zero_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
