/*
 * MPEG-4 audio: the descriptors of an esds (ISO/IEC 14496-1 7.2.6) and the AudioSpecificConfig
 * (ISO/IEC 14496-3 1.6.2.1) with both explicit ways of signalling SBR and PS (1.6.5).
 */
#include <stdio.h>

#include "base/assert.h"
#include "mp4/box.h"
#include "mp4/moov.h"

enum {
    TAG_ES = 3,
    TAG_DECODER_CONFIG = 4,
    TAG_DECODER_SPECIFIC = 5,

    OTI_AAC = 0x40,            /* 14496-3 audio */
    OTI_MPEG2_AAC_MAIN = 0x66, /* 13818-7 main, LC, SSR */
    OTI_MPEG2_AAC_SSR = 0x68,
    OTI_AC3 = 0xa5,
    OTI_EAC3 = 0xa6,

    AOT_LC = 2,
    AOT_SBR = 5,
    AOT_SCALABLE = 6,
    AOT_ER_LC = 17,
    AOT_ER_SCALABLE = 20,
    AOT_ER_BSAC = 22,
    AOT_ER_LD = 23,
    AOT_PS = 29,
    AOT_ESCAPE = 31,

    SYNC_SBR = 0x2b7,
    SYNC_PS = 0x548,
};

/* Reads bits from the first to the last; zeros past the end, and failed. */
struct bits {
    cad_buf b;
    size_t at; /* bits */
    bool failed;
};

static size_t bits_left(const struct bits *bits)
{
    return bits->b.n * 8 - bits->at;
}

/* n: 1 to 24. */
static uint32_t get(struct bits *bits, unsigned n)
{
    CAD_ASSERT(n <= 24);
    if (bits->failed || n > bits_left(bits)) {
        bits->failed = true;
        return 0;
    }
    uint32_t value = 0;
    for (unsigned i = 0; i < n; i++, bits->at++) {
        uint32_t byte = bits->b.p[bits->at / 8];
        value = value << 1 | (byte >> (7 - bits->at % 8) & 1);
    }
    return value;
}

/* What an AudioSpecificConfig says. */
struct asc {
    uint32_t object;   /* audio object type of the core */
    uint32_t extension; /* AOT_SBR, AOT_PS; 0 none */
    uint32_t rate_hz;  /* of the core; 0 unknown */
    uint32_t extension_rate_hz; /* with SBR */
    uint32_t channels; /* of the core; 0 unknown */
};

static uint32_t get_object(struct bits *bits)
{
    uint32_t object = get(bits, 5);
    return object == AOT_ESCAPE ? 32 + get(bits, 6) : object;
}

static uint32_t get_rate(struct bits *bits)
{
    static const uint32_t rates[] = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                     22050, 16000, 12000, 11025, 8000,  7350};
    uint32_t index = get(bits, 4);
    if (index == 15) return get(bits, 24);
    return index < sizeof rates / sizeof rates[0] ? rates[index] : 0;
}

/* Channels of `count` elements that are single or paired. */
static uint32_t get_elements(struct bits *bits, uint32_t count)
{
    uint32_t channels = 0;
    for (uint32_t i = 0; i < count; i++) {
        channels += get(bits, 1) ? 2 : 1;
        (void)get(bits, 4);
    }
    return channels;
}

/* program_config_element, 4.4.1.1: its channels. */
static uint32_t get_program(struct bits *bits)
{
    (void)get(bits, 10); /* tag, object type, frequency index */
    uint32_t front = get(bits, 4);
    uint32_t side = get(bits, 4);
    uint32_t back = get(bits, 4);
    uint32_t lfe = get(bits, 2);
    uint32_t data = get(bits, 3);
    uint32_t coupling = get(bits, 4);
    if (get(bits, 1)) (void)get(bits, 4); /* mono mixdown */
    if (get(bits, 1)) (void)get(bits, 4); /* stereo mixdown */
    if (get(bits, 1)) (void)get(bits, 3); /* matrix mixdown */
    uint32_t channels = get_elements(bits, front + side + back) + lfe;
    for (uint32_t i = 0; i < lfe + data; i++) (void)get(bits, 4);
    (void)get_elements(bits, coupling);
    if (bits->at % 8 != 0) (void)get(bits, (unsigned)(8 - bits->at % 8));
    uint32_t comment = get(bits, 8);
    for (uint32_t i = 0; i < comment; i++) (void)get(bits, 8);
    return channels;
}

static uint32_t channels_of(uint32_t configuration)
{
    static const uint8_t channels[16] = {0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8, 0};
    return channels[configuration & 15];
}

/* Whether a GASpecificConfig follows (table 1.15). */
static bool is_general_audio(uint32_t object)
{
    return (object >= 1 && object <= 4) || object == AOT_SCALABLE || object == 7 ||
           object == AOT_ER_LC || (object >= 19 && object <= AOT_ER_LD);
}

/* GASpecificConfig, 4.4.1. */
static void get_general_audio(struct bits *bits, uint32_t configuration, struct asc *asc)
{
    (void)get(bits, 1);                       /* frameLengthFlag */
    if (get(bits, 1)) (void)get(bits, 14);    /* coreCoderDelay */
    bool extension = get(bits, 1) != 0;
    if (configuration == 0) asc->channels = get_program(bits);
    if (asc->object == AOT_SCALABLE || asc->object == AOT_ER_SCALABLE) (void)get(bits, 3);
    if (!extension) return;
    if (asc->object == AOT_ER_BSAC) (void)get(bits, 16);
    if (asc->object == AOT_ER_LC || asc->object == 19 || asc->object == AOT_ER_SCALABLE ||
        asc->object == AOT_ER_LD) {
        (void)get(bits, 3);
    }
    (void)get(bits, 1);
}

/* SBR and PS told behind the core's configuration, which older decoders do not read (1.6.6.1). */
static void get_sync_extension(struct bits *bits, struct asc *asc)
{
    if (bits->failed || bits_left(bits) < 16 || get(bits, 11) != SYNC_SBR) return;
    if (get_object(bits) != AOT_SBR || !get(bits, 1)) return;
    asc->extension = AOT_SBR;
    asc->extension_rate_hz = get_rate(bits);
    if (bits->failed || bits_left(bits) < 12 || get(bits, 11) != SYNC_PS) return;
    if (get(bits, 1)) asc->extension = AOT_PS;
}

static int read_asc(cad_buf config, struct asc *asc)
{
    struct bits bits = {.b = config};
    *asc = (struct asc){.object = get_object(&bits)};
    asc->rate_hz = get_rate(&bits);
    uint32_t configuration = get(&bits, 4);
    asc->channels = channels_of(configuration);
    if (asc->object == AOT_SBR || asc->object == AOT_PS) {
        asc->extension = asc->object;
        asc->extension_rate_hz = get_rate(&bits);
        asc->object = get_object(&bits);
        if (asc->object == AOT_ER_BSAC) (void)get(&bits, 4);
    }
    if (bits.failed || asc->object == 0) return CAD_E_DATA;
    if (!is_general_audio(asc->object)) return 0;
    get_general_audio(&bits, configuration, asc);
    if (bits.failed) return CAD_E_DATA;
    if (asc->extension == 0) get_sync_extension(&bits, asc);
    return 0;
}

static int describe_asc(cad_buf config, bool is_mpeg2, struct cad_mp4_init *out)
{
    struct asc asc;
    if (read_asc(config, &asc) != 0) return CAD_E_DATA;
    out->config = config;
    uint32_t name = asc.extension != 0 ? asc.extension : asc.object;
    if (!is_mpeg2) (void)snprintf(out->codecs, sizeof out->codecs, "mp4a.40.%u", (unsigned)name);
    uint32_t rate = asc.extension != 0 ? asc.extension_rate_hz : asc.rate_hz;
    if (rate != 0) out->sample_rate_hz = rate;
    if (asc.channels != 0) out->channels = asc.channels;
    /* Parametric stereo makes two channels out of one. */
    if (asc.extension == AOT_PS && asc.channels == 1) out->channels = 2;
    return 0;
}

/* A descriptor's tag and payload; up to four bytes of length (14496-1 8.3.3). */
static int next_descriptor(cad_buf *b, uint8_t *tag, cad_buf *body)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(*b);
    uint32_t length = 0;
    *tag = cad_mp4_wire_u8(&wire);
    for (int i = 0; i < 4; i++) {
        uint8_t byte = cad_mp4_wire_u8(&wire);
        length = length << 7 | (byte & 0x7fu);
        if (!(byte & 0x80)) break;
    }
    if (wire.failed || length > wire.b.n) return CAD_E_DATA;
    *body = (cad_buf){wire.b.p, length};
    cad_mp4_wire_skip(&wire, length);
    *b = wire.b;
    return 0;
}

/* The first descriptor with a tag. */
static int find_descriptor(cad_buf b, uint8_t tag, cad_buf *body)
{
    uint8_t found = 0;
    while (b.n > 0) {
        if (next_descriptor(&b, &found, body) != 0) return CAD_E_DATA;
        if (found == tag) return 0;
    }
    return CAD_E_DATA;
}

/* The descriptors inside an ES_Descriptor. */
static int inside_es(cad_buf es, cad_buf *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(es);
    cad_mp4_wire_skip(&wire, 2);
    uint8_t flags = cad_mp4_wire_u8(&wire);
    if (flags & 0x80) cad_mp4_wire_skip(&wire, 2);                      /* depends on a stream */
    if (flags & 0x40) cad_mp4_wire_skip(&wire, cad_mp4_wire_u8(&wire)); /* URL */
    if (flags & 0x20) cad_mp4_wire_skip(&wire, 2);                      /* clock stream */
    *out = wire.b;
    return wire.failed ? CAD_E_DATA : 0;
}

int cad_mp4_esds_read(cad_buf esds, struct cad_mp4_init *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(esds);
    cad_buf es, config;
    cad_mp4_wire_skip(&wire, 4);
    if (wire.failed || find_descriptor(wire.b, TAG_ES, &es) != 0) return CAD_E_DATA;
    if (inside_es(es, &es) != 0) return CAD_E_DATA;
    if (find_descriptor(es, TAG_DECODER_CONFIG, &config) != 0) return CAD_E_DATA;
    wire = cad_mp4_wire_of(config);
    uint8_t oti = cad_mp4_wire_u8(&wire);
    cad_mp4_wire_skip(&wire, 12); /* stream type, buffer, rates */
    if (wire.failed) return CAD_E_DATA;
    (void)snprintf(out->codecs + 4, sizeof out->codecs - 4, ".%x", (unsigned)oti);
    out->config = (cad_buf){NULL, 0};
    if (oti == OTI_AC3 || oti == OTI_EAC3) {
        out->codec = oti == OTI_AC3 ? CAD_CODEC_AC3 : CAD_CODEC_EAC3;
        return 0;
    }
    bool is_mpeg2 = oti >= OTI_MPEG2_AAC_MAIN && oti <= OTI_MPEG2_AAC_SSR;
    if (oti != OTI_AAC && !is_mpeg2) {
        out->codec = CAD_CODEC_UNKNOWN;
        return CAD_E_UNSUPPORTED;
    }
    if (find_descriptor(wire.b, TAG_DECODER_SPECIFIC, &config) != 0) return CAD_E_DATA;
    return describe_asc(config, is_mpeg2, out);
}
