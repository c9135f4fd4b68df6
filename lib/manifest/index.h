/*
 * index.h - what the room's parsers do with an index besides the public header.
 */
#ifndef CAD_MANIFEST_INDEX_H
#define CAD_MANIFEST_INDEX_H

#include "cadmium/manifest.h"

/*
 * Append `count` (> 0) segments of equal duration, in constant time; only for an index without byte
 * ranges. A start at or before that of the last segment is moved to the end of that one; one inside
 * it stays, so that segments may overlap. Errors as cad_index_add; *index is unchanged then.
 */
CAD_MUST_CHECK int cad_index_add_run(struct cad_index *index, int64_t start_ticks,
                                     int64_t duration_ticks, uint32_t count);

#endif
