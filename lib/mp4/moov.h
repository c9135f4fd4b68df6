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
 * Sample entry n (from 1) of a stsd's payload, of a track of this type: fills the same fields.
 * CAD_E_NOTFOUND, CAD_E_DATA, CAD_E_UNSUPPORTED.
 */
CAD_MUST_CHECK int cad_mp4_stsd_entry(cad_buf stsd, enum cad_media_type type, uint32_t n,
                                      struct cad_mp4_init *out);

/*
 * Protection of a sample entry, among its boxes (8.12, 23001-7 8.2): encrypted, scheme,
 * has_protection, protection; *format becomes the format below it. Without a sinf nothing is set,
 * and *format must not be encv or enca. CAD_E_DATA.
 */
CAD_MUST_CHECK int cad_mp4_sinf_read(cad_buf boxes, uint32_t *format, struct cad_mp4_init *out);

/* A seig group entry (23001-7 6). CAD_E_DATA: *out is left. */
CAD_MUST_CHECK int cad_mp4_seig_read(cad_buf entry, struct cad_mp4_protection *out);

/* The payload of the first child of a type that groups samples by seig. Else as child_find. */
CAD_MUST_CHECK int cad_mp4_seig_find(cad_buf container, uint32_t type, cad_buf *out);

/*
 * Entry n (from 1) of a sgpd's payload of type seig; 0: the one that counts for samples in no group
 * (14496-12 8.9.3). CAD_E_NOTFOUND: n is 0 and there is none such. CAD_E_DATA, CAD_E_LIMIT.
 */
CAD_MUST_CHECK int cad_mp4_sgpd_entry(cad_buf sgpd, uint32_t n, cad_buf *out);

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
