/*
 * profiles.h - what a content profile's name says about codec, level and channels
 * (licensed manifest section 6).
 */
#ifndef CAD_MANIFEST_PROFILES_H
#define CAD_MANIFEST_PROFILES_H

#include "cadmium/manifest.h"

#define CAD_PROFILE_CODECS_SIZE 24 /* bytes with the closing NUL */

struct cad_profile {
    enum cad_media_type type;
    enum cad_codec codec;
    uint32_t channels;    /* audio; 0 not told by the name */
    uint32_t text_choice; /* text: our order of choice, 0 first */
    bool image_text;      /* text that is an archive of pictures */
    char codecs[CAD_PROFILE_CODECS_SIZE]; /* RFC 6381; empty where the name does not tell */
};

/* False for a name outside the table; *out is untouched then. */
bool cad_profile_parse(cad_str name, struct cad_profile *out);

/* "2.0" is 2, "5.1" is 6, "5.1.4" is 10; 0 for anything else. */
uint32_t cad_channels_parse(cad_str text);

#endif
