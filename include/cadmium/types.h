/*
 * types.h - words that several headers share: kinds of media, codecs, byte ranges, purposes of a
 * request. It belongs to no layer: it declares types and contains no code.
 */
#ifndef CADMIUM_TYPES_H
#define CADMIUM_TYPES_H

#include <stdbool.h>

#include "cadmium/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of media. */
enum cad_media_type {
    CAD_MEDIA_VIDEO,
    CAD_MEDIA_AUDIO,
    CAD_MEDIA_TEXT,
    CAD_MEDIA_IMAGE,
    CAD_MEDIA_OTHER
};

/* Codings of media, as far as they have a name here. */
enum cad_codec {
    CAD_CODEC_UNKNOWN,
    CAD_CODEC_AVC,
    CAD_CODEC_HEVC,
    CAD_CODEC_AV1,
    CAD_CODEC_VP9,
    CAD_CODEC_AAC, /* AAC-LC, HE-AAC, xHE-AAC: the configuration tells */
    CAD_CODEC_AC3,
    CAD_CODEC_EAC3,
    CAD_CODEC_OPUS,
    CAD_CODEC_FLAC,
    CAD_CODEC_TTML,
    CAD_CODEC_WEBVTT
};

/* "avc", "av1", "aac"...; never NULL. */
const char *cad_codec_name(enum cad_codec codec);
/* "video", "audio"...; never NULL. */
const char *cad_media_type_name(enum cad_media_type type);

/* Bytes first..last of a resource, both inclusive. last -1: to the end. first -1: absent. */
struct cad_range {
    int64_t first; /* offset of the first byte */
    int64_t last;  /* offset of the last byte */
};

/*
 * Colour of a picture and, for HDR, of the screen it was made on. Zero in every field: unknown.
 * Code points of ISO/IEC 23091-2; mastering display SMPTE ST 2086 (14496-12 mdcv), light level CTA
 * 861.3 (clli).
 */
struct cad_color {
    uint8_t primaries, transfer, matrix; /* 0 and 2: unspecified; transfer 16 PQ, 18 HLG */
    uint8_t bit_depth;                   /* of luma; 0 unknown */
    bool full_range;                     /* luma 0..255, else 16..235 */
    bool has_mastering, has_light;       /* the fields below are valid */
    uint16_t primary_x[3], primary_y[3]; /* green, blue, red; 0.00002 */
    uint16_t white_x, white_y;           /* 0.00002 */
    uint32_t luminance_max, luminance_min; /* 0.0001 cd/m2 */
    uint16_t light_max, light_average;   /* cd/m2: MaxCLL, MaxFALL */
};

/* What a request is for. X(name, text) */
#define CAD_PURPOSE_LIST(X)                                                                        \
    X(MANIFEST, "manifest")                                                                        \
    X(REFRESH, "refresh")   /* the manifest again, for fresh URLs */                               \
    X(HEADER, "header")     /* init and index, perhaps with the first media */                     \
    X(SEGMENT, "segment")                                                                          \
    X(LICENCE, "licence")   /* keys of a protected title */                                        \
    X(TEXT, "text")         /* a document of timed text */                                         \
    X(PROBE, "probe")       /* a recipe of probes, or one of them */                               \
    X(EVENT, "event")       /* an event of record, to its service */                               \
    X(LOG, "log")           /* a batch of log entries */
/* What a request is for. */
enum cad_purpose {
#define CAD_X(name, text) CAD_PURPOSE_##name,
    CAD_PURPOSE_LIST(CAD_X)
#undef CAD_X
};
/* "manifest", "segment"...; never NULL. */
const char *cad_purpose_name(enum cad_purpose purpose);

#ifdef __cplusplus
}
#endif
#endif
