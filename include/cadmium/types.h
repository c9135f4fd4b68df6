/*
 * types.h - words that several headers share: kinds of media, codecs, byte ranges, purposes of a
 * request. It belongs to no layer: it declares types and contains no code.
 */
#ifndef CADMIUM_TYPES_H
#define CADMIUM_TYPES_H

#include "cadmium/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cad_media_type {
    CAD_MEDIA_VIDEO,
    CAD_MEDIA_AUDIO,
    CAD_MEDIA_TEXT,
    CAD_MEDIA_IMAGE,
    CAD_MEDIA_OTHER
};

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
const char *cad_media_type_name(enum cad_media_type type);

/* Bytes first..last of a resource, both inclusive. last -1: to the end. first -1: absent. */
struct cad_range {
    int64_t first;
    int64_t last;
};

/* What a request is for. X(name, text) */
#define CAD_PURPOSE_LIST(X)                                                                        \
    X(MANIFEST, "manifest")                                                                        \
    X(REFRESH, "refresh")   /* the manifest again, for fresh URLs */                               \
    X(HEADER, "header")     /* init and index, perhaps with the first media */                     \
    X(SEGMENT, "segment")
enum cad_purpose {
#define CAD_X(name, text) CAD_PURPOSE_##name,
    CAD_PURPOSE_LIST(CAD_X)
#undef CAD_X
};
const char *cad_purpose_name(enum cad_purpose purpose);

#ifdef __cplusplus
}
#endif
#endif
