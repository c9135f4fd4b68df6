/*
 * gzip.h - RFC 1952 by zlib, the same bytes for the same input: level 6, no name, no time.
 */
#ifndef CAD_TELEMETRY_GZIP_H
#define CAD_TELEMETRY_GZIP_H

#include "base/strbuf.h"
#include "cadmium/base.h"

#define TEL_GZIP_FROM 1024 /* bytes; what is shorter is sent as it is */

/*
 * Appends the compressed bytes to out; zlib's memory (264 KiB) comes from alloc and is given back.
 * CAD_E_NOMEM; CAD_E_LIMIT: out's limit, or more than 2^30 bytes.
 */
CAD_MUST_CHECK int tel_gzip(cad_buf in, const struct cad_alloc *alloc, struct cad_sb *out);

#endif
