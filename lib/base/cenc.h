/*
 * cenc.h - words of common encryption (ISO/IEC 23001-7) that the rooms share: pssh boxes and the
 * packed form of subsamples.
 *
 * The packed form is that of senc boxes, 6 bytes each: it travels with a sample as a view, and is
 * unpacked where the sample is decrypted.
 */
#ifndef CAD_BASE_CENC_H
#define CAD_BASE_CENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/cdm.h"

#define CAD_CENC_SUBSAMPLE_BYTES 6   /* BytesOfClearData 16, BytesOfProtectedData 32 */
#define CAD_CENC_INIT_BYTES_MAX 65536 /* of init data: all pssh boxes together */

/* Systems of W3C "cenc" Initialization Data Format: the common one, and Clear Key's before it. */
extern const uint8_t cad_cenc_system_common[CAD_SYSTEM_ID_SIZE];
extern const uint8_t cad_cenc_system_clearkey[CAD_SYSTEM_ID_SIZE];

/* A pssh box (8.1.2). Views into the box. */
struct cad_cenc_pssh {
    uint8_t version;          /* 0: kids is empty */
    const uint8_t *system_id; /* CAD_SYSTEM_ID_SIZE bytes */
    cad_buf kids;             /* kid_count x CAD_KEY_ID_SIZE bytes */
    uint32_t kid_count;
    cad_buf data;             /* of the system; may be empty */
    cad_buf box;              /* the whole of it */
};

/*
 * The pssh box at *at of init data; *at moves behind it. CAD_E_END: none is left. CAD_E_DATA: what
 * is there is no whole pssh box, or its counts do not fit. CAD_E_UNSUPPORTED: a version above 1;
 * *at has moved, only box and version are filled. Other failures leave *at and *out alone.
 */
CAD_MUST_CHECK int cad_cenc_pssh_next(cad_buf init_data, size_t *at, struct cad_cenc_pssh *out);

/* How many subsamples a packed view holds. */
static inline uint32_t cad_cenc_subsample_count(cad_buf packed)
{
    return (uint32_t)(packed.n / CAD_CENC_SUBSAMPLE_BYTES);
}

/* Subsample i of a packed view; i is below the count. */
struct cad_cdm_subsample cad_cenc_subsample(cad_buf packed, uint32_t i);

/* All of them to out. Returns how many, CAD_E_LIMIT: more than max. */
CAD_MUST_CHECK int cad_cenc_unpack(cad_buf packed, struct cad_cdm_subsample *out, uint32_t max);

/* True if they cover exactly `size` bytes; an empty view covers any sample. Sums have 64 bits. */
bool cad_cenc_covers(cad_buf packed, uint64_t size);

#endif
