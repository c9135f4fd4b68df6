/* Names of the words in types.h and cdm.h. */
#include "cadmium/cdm.h"
#include "cadmium/types.h"

#include "base/util.h"

const char *cad_codec_name(enum cad_codec codec)
{
    static const char *const names[] = {"unknown", "avc",  "hevc", "av1",  "vp9",  "aac",
                                        "ac3",     "eac3", "opus", "flac", "ttml", "webvtt"};
    return (size_t)codec < CAD_ARRAY_LEN(names) ? names[codec] : "?";
}

const char *cad_media_type_name(enum cad_media_type type)
{
    static const char *const names[] = {"video", "audio", "text", "image", "other"};
    return (size_t)type < CAD_ARRAY_LEN(names) ? names[type] : "?";
}

CAD_DEFINE_NAME(cad_purpose_name, enum cad_purpose, CAD_PURPOSE_LIST)
CAD_DEFINE_NAME(cad_scheme_name, enum cad_scheme, CAD_SCHEME_LIST)
CAD_DEFINE_NAME(cad_key_status_name, enum cad_key_status, CAD_KEY_STATUS_LIST)
CAD_DEFINE_NAME(cad_cdm_event_name, enum cad_cdm_event_type, CAD_CDM_EVENT_LIST)
