/*
 * ladder.h - the order of a track's representations and which of them are for ABR
 * (licensed manifest 5.3).
 */
#ifndef CAD_MANIFEST_LADDER_H
#define CAD_MANIFEST_LADDER_H

#include "cadmium/manifest.h"

/*
 * Sort by rising bandwidth_bps; of equal ones the better (higher vmaf, else higher picture, else
 * the earlier) comes first and the others become fallback. One whose vmaf is lower than that of a
 * cheaper one becomes dominated. Both rules compare representations of one codec only, because
 * which codecs can be decoded is not known here. Where encrypted and clear ones are mixed, the
 * clear ones become fallback.
 */
void cad_ladder_arrange(struct cad_representation *items, uint32_t count);

#endif
