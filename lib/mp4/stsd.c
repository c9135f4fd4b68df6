/*
 * The sample description: codec, its configuration and its name (ISO/IEC 14496-12 8.5.2, 8.12;
 * names after RFC 6381, 14496-15 annex E and the bindings of AV1, VP9, Opus and FLAC).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "mp4/box.h"
#include "mp4/moov.h"

enum {
    ENTRY_BYTES = 8,          /* SampleEntry: reserved, data_reference_index */
    VISUAL_ENTRY_BYTES = 78,
    AUDIO_ENTRY_BYTES = 28,
    QUICKTIME_V1_BYTES = 16,  /* more of a version 1 sound description */
    QUICKTIME_V2_BYTES = 36,
    FULL_BOX_BYTES = 4,
    DESCRIPTIONS_LOOKED_AT = 16, /* for a protected one behind a clear lead */
    OPUS_RATE_HZ = 48000,     /* Opus decodes at this rate, whatever went in (RFC 7845 5.1) */
};

/* Reads what a codec's configuration says: codecs, bit depth, or channels and rate. */
typedef int (*describe_fn)(struct cad_mp4_init *init);

struct entry {
    uint32_t type;        /* of the sample entry, or frma */
    enum cad_media_type media;
    enum cad_codec codec;
    uint32_t config;      /* box with the configuration; 0: none is needed */
    describe_fn describe; /* with config */
};

static void put_fourcc(uint32_t type, char *out)
{
    for (unsigned i = 0; i < 4; i++) {
        char c = (char)(type >> (24 - 8 * i) & 0x7f);
        out[i] = c > ' ' && c < 0x7f ? c : '.';
    }
    out[4] = '\0';
}

#define DESCRIBE(init, ...)                                                                        \
    (void)snprintf((init)->codecs + 4, sizeof (init)->codecs - 4, __VA_ARGS__)

/*
 * 14496-15 5.3.3.1: behind the parameter sets the High profiles have chroma_format,
 * bit_depth_luma_minus8 and more. Writers leave them out; 0: then only those of 8 bits are known.
 */
static uint8_t avc_bit_depth(cad_buf avcc)
{
    uint8_t profile = avcc.p[1];
    bool fixed = profile == 66 || profile == 77 || profile == 88 || profile == 100;
    struct cad_mp4_wire wire = cad_mp4_wire_of(avcc);
    cad_mp4_wire_skip(&wire, 5);
    for (unsigned kind = 0; kind < 2; kind++) {
        unsigned count = cad_mp4_wire_u8(&wire) & (kind == 0 ? 0x1fu : 0xffu);
        for (; count > 0 && !wire.failed; count--) {
            cad_mp4_wire_skip(&wire, cad_mp4_wire_u16(&wire));
        }
    }
    cad_mp4_wire_skip(&wire, 1);
    unsigned depth = (cad_mp4_wire_u8(&wire) & 7u) + 8;
    if (fixed) return 8;
    return wire.failed ? 0 : (uint8_t)depth;
}

static int describe_avc(struct cad_mp4_init *init)
{
    const uint8_t *p = init->config.p;
    if (init->config.n < 7 || p[0] != 1) return CAD_E_DATA;
    DESCRIBE(init, ".%02x%02x%02x", (unsigned)p[1], (unsigned)p[2], (unsigned)p[3]);
    init->color.bit_depth = avc_bit_depth(init->config);
    return 0;
}

static uint32_t reverse_bits(uint32_t v)
{
    uint32_t out = 0;
    for (unsigned i = 0; i < 32; i++) out |= (v >> i & 1) << (31 - i);
    return out;
}

/* 14496-15 E.3: profile, compatibility in reverse order, tier and level, constraint bytes. */
static int describe_hevc(struct cad_mp4_init *init)
{
    static const char *const spaces[] = {"", "A", "B", "C"};
    const uint8_t *p = init->config.p;
    if (init->config.n < 23) return CAD_E_DATA;
    char constraints[6 * 3 + 1] = "";
    size_t bytes = 6;
    while (bytes > 0 && p[6 + bytes - 1] == 0) bytes--;
    for (size_t i = 0; i < bytes; i++) {
        size_t used = i == 0 ? 0 : strlen(constraints);
        (void)snprintf(constraints + used, sizeof constraints - used, ".%X", (unsigned)p[6 + i]);
    }
    DESCRIBE(init, ".%s%u.%" PRIX32 ".%c%u%s", spaces[p[1] >> 6], p[1] & 0x1fu,
             reverse_bits(cad_be32(p + 2)), p[1] & 0x20 ? 'H' : 'L', (unsigned)p[12], constraints);
    init->color.bit_depth = (uint8_t)((p[17] & 7u) + 8);
    return 0;
}

static int describe_av1(struct cad_mp4_init *init)
{
    const uint8_t *p = init->config.p;
    /* FFmpeg 5.1 leaves it empty when it remuxes to be encrypted; the samples tell it as well. */
    if (init->config.n == 0 && init->encrypted) return 0;
    if (init->config.n < 4 || p[0] != 0x81) return CAD_E_DATA;
    unsigned profile = p[1] >> 5;
    unsigned depth = 8;
    if (p[2] & 0x40) depth = profile == 2 && (p[2] & 0x20) ? 12 : 10;
    DESCRIBE(init, ".%u.%02u%c.%02u", profile, p[1] & 0x1fu, p[2] & 0x80 ? 'H' : 'M', depth);
    init->color.bit_depth = (uint8_t)depth;
    return 0;
}

static int describe_vp9(struct cad_mp4_init *init)
{
    const uint8_t *p = init->config.p;
    if (init->config.n < FULL_BOX_BYTES + 6) return CAD_E_DATA;
    p += FULL_BOX_BYTES;
    DESCRIBE(init, ".%02u.%02u.%02u", (unsigned)p[0], (unsigned)p[1], (unsigned)p[2] >> 4);
    /* It has colours of its own; a colr, which is read later, counts more. */
    init->color.bit_depth = p[2] >> 4;
    init->color.full_range = (p[2] & 1) != 0;
    init->color.primaries = p[3];
    init->color.transfer = p[4];
    init->color.matrix = p[5];
    return 0;
}

static int describe_aac(struct cad_mp4_init *init)
{
    return cad_mp4_esds_read(init->config, init);
}

/* OpusSpecificBox: version, channels, pre-skip, input rate, gain, mapping family. */
static int describe_opus(struct cad_mp4_init *init)
{
    const uint8_t *p = init->config.p;
    if (init->config.n < 11 || p[0] != 0 || p[1] == 0) return CAD_E_DATA;
    init->channels = p[1];
    init->sample_rate_hz = OPUS_RATE_HZ;
    memcpy(init->codecs, "opus", 5); /* as players and manifests write it, unlike the entry */
    return 0;
}

/* The first metadata block is STREAMINFO: rate and channels stand at bit 80 of it. */
static int describe_flac(struct cad_mp4_init *init)
{
    const uint8_t *p = init->config.p;
    if (init->config.n < FULL_BOX_BYTES + 4 + 34) return CAD_E_DATA;
    p += FULL_BOX_BYTES;
    if ((p[0] & 0x7f) != 0) return CAD_E_DATA;
    p += 4 + 10;
    init->sample_rate_hz = cad_be24(p) >> 4;
    init->channels = (p[2] >> 1 & 7u) + 1;
    return 0;
}

/* ETSI TS 102 366: channels of an acmod with or without LFE, and the rate of a fscod. */
static void describe_dolby(struct cad_mp4_init *init, unsigned fscod, unsigned acmod, bool lfe)
{
    static const uint8_t channels[] = {2, 1, 2, 3, 3, 4, 4, 5};
    static const uint32_t rates[] = {48000, 44100, 32000};
    init->channels = channels[acmod & 7] + (lfe ? 1u : 0u);
    if (fscod < 3) init->sample_rate_hz = rates[fscod];
}

/* dac3, F.4: fscod 2, bsid 5, bsmod 3, acmod 3, lfeon 1. */
static int describe_ac3(struct cad_mp4_init *init)
{
    const uint8_t *p = init->config.p;
    if (init->config.n < 3) return CAD_E_DATA;
    describe_dolby(init, p[0] >> 6, p[1] >> 3 & 7u, (p[1] & 4) != 0);
    return 0;
}

/*
 * TS 103 420 B: flag_ec3_extension_type_a and its complexity stand behind the substreams, which
 * are of 3 bytes, or of 4 where dependent ones follow.
 */
static void describe_joc(struct cad_mp4_init *init)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(init->config);
    unsigned substreams = (cad_mp4_wire_u16(&wire) & 7u) + 1;
    for (; substreams > 0; substreams--) {
        cad_mp4_wire_skip(&wire, 2);
        if ((cad_mp4_wire_u8(&wire) >> 1 & 0x0f) != 0) cad_mp4_wire_skip(&wire, 1);
    }
    bool joc = (cad_mp4_wire_u8(&wire) & 1) != 0;
    uint8_t complexity = cad_mp4_wire_u8(&wire);
    if (wire.failed || !joc) return;
    init->joc = true;
    init->joc_complexity = complexity;
}

/* dec3, F.6: the first independent substream and the channels its dependent ones add. */
static int describe_eac3(struct cad_mp4_init *init)
{
    /* Lc/Rc, Lrs/Rrs, Cs, Ts, Lsd/Rsd, Lw/Rw, Lvh/Rvh, Cvh, LFE2 from bit 0 of chan_loc. */
    static const uint8_t added[] = {2, 2, 1, 1, 2, 2, 2, 1, 1};
    const uint8_t *p = init->config.p;
    if (init->config.n < 5) return CAD_E_DATA;
    describe_dolby(init, p[2] >> 6, p[3] >> 1 & 7u, (p[3] & 1) != 0);
    describe_joc(init);
    if ((p[4] >> 1 & 0x0f) == 0) return 0;
    if (init->config.n < 6) return CAD_E_DATA;
    uint32_t places = (p[4] & 1u) << 8 | p[5];
    for (unsigned i = 0; i < 9; i++) init->channels += places >> i & 1 ? added[i] : 0u;
    return 0;
}

static const struct entry entries[] = {
    {CAD_FOURCC('a', 'v', 'c', '1'), CAD_MEDIA_VIDEO, CAD_CODEC_AVC,
     CAD_FOURCC('a', 'v', 'c', 'C'), describe_avc},
    {CAD_FOURCC('a', 'v', 'c', '3'), CAD_MEDIA_VIDEO, CAD_CODEC_AVC,
     CAD_FOURCC('a', 'v', 'c', 'C'), describe_avc},
    {CAD_FOURCC('h', 'v', 'c', '1'), CAD_MEDIA_VIDEO, CAD_CODEC_HEVC,
     CAD_FOURCC('h', 'v', 'c', 'C'), describe_hevc},
    {CAD_FOURCC('h', 'e', 'v', '1'), CAD_MEDIA_VIDEO, CAD_CODEC_HEVC,
     CAD_FOURCC('h', 'v', 'c', 'C'), describe_hevc},
    {CAD_FOURCC('a', 'v', '0', '1'), CAD_MEDIA_VIDEO, CAD_CODEC_AV1,
     CAD_FOURCC('a', 'v', '1', 'C'), describe_av1},
    {CAD_FOURCC('v', 'p', '0', '9'), CAD_MEDIA_VIDEO, CAD_CODEC_VP9,
     CAD_FOURCC('v', 'p', 'c', 'C'), describe_vp9},
    {CAD_FOURCC('m', 'p', '4', 'a'), CAD_MEDIA_AUDIO, CAD_CODEC_AAC,
     CAD_FOURCC('e', 's', 'd', 's'), describe_aac},
    {CAD_FOURCC('O', 'p', 'u', 's'), CAD_MEDIA_AUDIO, CAD_CODEC_OPUS,
     CAD_FOURCC('d', 'O', 'p', 's'), describe_opus},
    {CAD_FOURCC('f', 'L', 'a', 'C'), CAD_MEDIA_AUDIO, CAD_CODEC_FLAC,
     CAD_FOURCC('d', 'f', 'L', 'a'), describe_flac},
    {CAD_FOURCC('a', 'c', '-', '3'), CAD_MEDIA_AUDIO, CAD_CODEC_AC3,
     CAD_FOURCC('d', 'a', 'c', '3'), describe_ac3},
    {CAD_FOURCC('e', 'c', '-', '3'), CAD_MEDIA_AUDIO, CAD_CODEC_EAC3,
     CAD_FOURCC('d', 'e', 'c', '3'), describe_eac3},
    {CAD_FOURCC('s', 't', 'p', 'p'), CAD_MEDIA_TEXT, CAD_CODEC_TTML, 0, NULL},
    {CAD_FOURCC('w', 'v', 't', 't'), CAD_MEDIA_TEXT, CAD_CODEC_WEBVTT, 0, NULL},
};

static const struct entry *entry_of(uint32_t type)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        if (entries[i].type == type) return &entries[i];
    }
    return NULL;
}

/* The boxes of a sample entry end at up to 7 zero bytes, which QuickTime leaves there. */
static cad_buf without_padding(cad_buf boxes)
{
    struct cad_mp4_child child;
    size_t at = 0;
    int rc;
    do {
        rc = cad_mp4_child_next(boxes, &at, &child);
    } while (rc == 0);
    size_t left = boxes.n - at;
    if (rc == CAD_E_END || left >= 8) return boxes;
    for (size_t i = 0; i < left; i++) {
        if (boxes.p[at + i] != 0) return boxes;
    }
    boxes.n = at;
    return boxes;
}

/* The fields in front of a sample entry's boxes; body becomes the boxes (12.1.3, 12.2.3). */
static int read_fixed(cad_buf *body, uint8_t stsd_version, struct cad_mp4_init *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(*body);
    cad_mp4_wire_skip(&wire, ENTRY_BYTES);
    if (out->type == CAD_MEDIA_VIDEO) {
        cad_mp4_wire_skip(&wire, 16);
        out->width = cad_mp4_wire_u16(&wire);
        out->height = cad_mp4_wire_u16(&wire);
        cad_mp4_wire_skip(&wire, VISUAL_ENTRY_BYTES - ENTRY_BYTES - 20);
    } else if (out->type == CAD_MEDIA_AUDIO) {
        uint16_t version = cad_mp4_wire_u16(&wire);
        cad_mp4_wire_skip(&wire, 6);
        out->channels = cad_mp4_wire_u16(&wire);
        cad_mp4_wire_skip(&wire, 6);
        out->sample_rate_hz = cad_mp4_wire_u32(&wire) >> 16;
        /* In a version 1 stsd, version 1 is ISO's AudioSampleEntryV1, which is no longer. */
        if (stsd_version == 0 && version == 1) cad_mp4_wire_skip(&wire, QUICKTIME_V1_BYTES);
        if (stsd_version == 0 && version == 2) cad_mp4_wire_skip(&wire, QUICKTIME_V2_BYTES);
    }
    *body = wire.b;
    return wire.failed ? CAD_E_DATA : 0;
}

/* The configuration box; QuickTime puts esds into a wave box. */
static int read_config(cad_buf boxes, const struct entry *entry, struct cad_mp4_init *out)
{
    cad_buf wave;
    int rc = cad_mp4_child_find(boxes, entry->config, &out->config);
    if (rc == CAD_E_NOTFOUND && entry->codec == CAD_CODEC_AAC) {
        rc = cad_mp4_child_find(boxes, CAD_FOURCC('w', 'a', 'v', 'e'), &wave);
        if (rc == 0) rc = cad_mp4_child_find(wave, entry->config, &out->config);
    }
    return rc == CAD_E_NOTFOUND ? CAD_E_DATA : rc;
}

static int read_entry(cad_buf body, uint8_t stsd_version, struct cad_mp4_init *out)
{
    uint32_t format = out->sample_entry;
    int rc = read_fixed(&body, stsd_version, out);
    if (rc != 0) return rc;
    cad_buf boxes = without_padding(body);
    const struct entry *entry = entry_of(format);
    if (out->type == CAD_MEDIA_VIDEO || out->type == CAD_MEDIA_AUDIO) {
        rc = cad_mp4_sinf_read(boxes, &format, out);
        entry = entry_of(format);
    }
    put_fourcc(format, out->codecs);
    if (rc != 0) return rc;
    if (entry == NULL) return CAD_E_UNSUPPORTED;
    if (entry->media != out->type) return CAD_E_DATA;
    out->codec = entry->codec;
    if (entry->config == 0) return 0;
    rc = read_config(boxes, entry, out);
    if (rc == 0) rc = entry->describe(out);
    return rc == 0 && out->type == CAD_MEDIA_VIDEO ? cad_mp4_color_read(boxes, &out->color) : rc;
}

static enum cad_media_type type_of(uint32_t handler)
{
    switch (handler) {
    case CAD_FOURCC('v', 'i', 'd', 'e'): return CAD_MEDIA_VIDEO;
    case CAD_FOURCC('s', 'o', 'u', 'n'): return CAD_MEDIA_AUDIO;
    case CAD_FOURCC('t', 'e', 'x', 't'):
    case CAD_FOURCC('s', 'u', 'b', 't'):
    case CAD_FOURCC('s', 'u', 'b', 'p'): return CAD_MEDIA_TEXT;
    case CAD_FOURCC('p', 'i', 'c', 't'): return CAD_MEDIA_IMAGE;
    default: return CAD_MEDIA_OTHER;
    }
}

int cad_mp4_stsd_entry(cad_buf stsd, enum cad_media_type type, uint32_t n,
                       struct cad_mp4_init *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(stsd);
    uint8_t version = cad_mp4_wire_u8(&wire);
    cad_mp4_wire_skip(&wire, 3);
    uint32_t count = cad_mp4_wire_u32(&wire);
    if (wire.failed) return CAD_E_DATA;
    if (n == 0 || n > count) return CAD_E_NOTFOUND;
    struct cad_mp4_child child;
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (cad_mp4_child_next(wire.b, &at, &child) != 0) return CAD_E_DATA;
    }
    out->type = type;
    out->sample_entry = child.type;
    return read_entry(child.body, version, out);
}

/*
 * A track may begin with a clear lead: its first description is clear, a later one is not. That one
 * says with which key it goes on.
 */
static int find_protected(cad_buf stsd, struct cad_mp4_init *out)
{
    struct cad_mp4_init entry;
    for (uint32_t n = 2; n <= DESCRIPTIONS_LOOKED_AT && !out->encrypted; n++) {
        entry = (struct cad_mp4_init){.type = out->type};
        int rc = cad_mp4_stsd_entry(stsd, out->type, n, &entry);
        if (rc == CAD_E_NOTFOUND) return 0;
        if (!entry.encrypted) continue; /* what is wrong with a clear one has never mattered */
        if (rc != 0 && rc != CAD_E_UNSUPPORTED) return rc;
        out->encrypted = true;
        out->scheme = entry.scheme;
        out->has_protection = entry.has_protection;
        out->protection = entry.protection;
    }
    return 0;
}

int cad_mp4_stsd_read(cad_buf stsd, uint32_t handler, struct cad_mp4_init *out)
{
    int rc = cad_mp4_stsd_entry(stsd, type_of(handler), 1, out);
    if (rc == CAD_E_NOTFOUND) return CAD_E_DATA;
    /* Of several descriptions the first is taken: no change of codec inside a track is followed. */
    out->stsd = stsd;
    return rc == 0 ? find_protected(stsd, out) : rc;
}
