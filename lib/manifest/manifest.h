/*
 * manifest.h - what the engine uses besides the public header: the request for a licensed manifest
 * and the URLs of byte ranges (licensed manifest sections 2 and 5.5).
 *
 * All functions append to a builder and return its error, CAD_E_INVAL for what cannot be asked.
 */
#ifndef CAD_MANIFEST_MANIFEST_H
#define CAD_MANIFEST_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/manifest.h"

#include "base/strbuf.h"

#define CAD_LICENSED_REQ_ID_BYTES 32 /* lower-case hexadecimal digits of a reqId */
#define CAD_LICENSED_PROFILES_MAX 16 /* names that cad_licensed_profiles knows at most */

struct cad_licensed_request {
    cad_str base;        /* "https://host[:port][/path]", with or without a closing slash */
    cad_str viewable_id; /* the title */
    cad_str xid;         /* one per playback attempt */
    cad_str req_id;      /* 32 lower-case hex digits, the same on every attempt */
    uint32_t attempt;    /* from 1 */
    bool prefetch;       /* flavor PRE_FETCH: kept for later, starts nothing */
    bool refresh;        /* of a manifest in use; the wire form is that of a first request */
    const cad_str *profiles; /* what the device can decode, best effort order; at least one */
    uint32_t profile_count;
    cad_str app_name, app_version, platform; /* may be empty */
    int64_t id;          /* of the JSON envelope, 0..2^53 */
    cad_str language;    /* BCP 47; empty: the service chooses */
};

CAD_MUST_CHECK int cad_licensed_request_url(const struct cad_licensed_request *request,
                                            struct cad_sb *out);
CAD_MUST_CHECK int cad_licensed_request_body(const struct cad_licensed_request *request,
                                             struct cad_sb *out);

/*
 * profiles.c: the profiles without protection that a service is asked for (licensed manifest 6),
 * those whose codec has its bit (1 << enum cad_codec) in codecs, in our order. Views of constant
 * text into out; how many of them, at most max.
 */
uint32_t cad_licensed_profiles(uint32_t codecs, cad_str *out, uint32_t max);
/* The same of pictures under protection; at most CAD_LICENSED_PROFILES_MAX more. */
uint32_t cad_licensed_profiles_protected(uint32_t codecs, cad_str *out, uint32_t max);

/*
 * The absolute URL of segment `index` of a representation on one of its locations, and the bytes of
 * it that are the segment (first -1: all). Only for CAD_ADDRESSING_SEGMENTS; O(log runs). Appended
 * to out. CAD_E_NOTFOUND: past the end. CAD_E_INVAL: another addressing, or no URL comes of it.
 */
CAD_MUST_CHECK int cad_segment_url(const struct cad_representation *representation,
                                   const struct cad_location *location, uint32_t index,
                                   struct cad_sb *out, struct cad_range *bytes);

/*
 * The same for the initialisation segment where it is a resource of its own (23009-1 5.3.9.4.3).
 * CAD_E_NOTFOUND: there is none: the init is in the media resource, or in every segment.
 */
CAD_MUST_CHECK int cad_init_url(const struct cad_representation *representation,
                                const struct cad_location *location, struct cad_sb *out,
                                struct cad_range *bytes);

/*
 * The URL of bytes first..last of url. In the path: "range/FIRST-LAST" behind the path, before the
 * query, which is copied byte for byte; last must be known then. Else url as it is: the range goes
 * into a header. CAD_E_INVAL: not a range, or a URL without host or with a fragment.
 */
CAD_MUST_CHECK int cad_range_url(cad_str url, bool range_in_path, int64_t first, int64_t last,
                                 struct cad_sb *out);

#endif
