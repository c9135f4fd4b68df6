/*
 * moov.h - the boxes inside a moov, for the files of this room and its tools.
 *
 * cad_mp4_init_read of mp4.h is what others call: it takes the one track that a CMAF file has.
 * These read any track of a moov, and a sample description on its own.
 */
#ifndef CAD_MP4_MOOV_H
#define CAD_MP4_MOOV_H

#include "mp4/mp4.h"

/*
 * Track n (from 0, in the order of the file) of a moov's payload. CAD_E_NOTFOUND: there are fewer.
 * CAD_E_DATA, CAD_E_UNSUPPORTED as in cad_mp4_init_read.
 */
CAD_MUST_CHECK int cad_mp4_moov_track(cad_buf moov, uint32_t n, struct cad_mp4_init *out);

/*
 * The first sample entry of a stsd's payload, for a track with this handler_type (14496-12 8.5.2):
 * fills type, codec, sample_entry and all from width on.
 * CAD_E_DATA, CAD_E_UNSUPPORTED.
 */
CAD_MUST_CHECK int cad_mp4_stsd_read(cad_buf stsd, uint32_t handler, struct cad_mp4_init *out);

/*
 * Colour, mastering display and light level of a visual sample entry's boxes; fields that no box
 * tells are left as they are. CAD_E_DATA: a box is too short.
 */
CAD_MUST_CHECK int cad_mp4_color_read(cad_buf boxes, struct cad_color *out);

/*
 * codec, codecs (behind the first four characters, which are there), sample rate and channels of
 * an esds payload (14496-1 7.2.6, 14496-3 1.6.2.1); config becomes the AudioSpecificConfig.
 * CAD_E_DATA, CAD_E_UNSUPPORTED (an object type other than those of enum cad_codec).
 */
CAD_MUST_CHECK int cad_mp4_esds_read(cad_buf esds, struct cad_mp4_init *out);

#endif
