/*
 * avc.h - where slice data begins in a NAL unit of H.264 (ISO/IEC 14496-10 7.3).
 *
 * Common encryption leaves slice headers in the clear (23001-7 10.2), so that whoever has no key
 * still finds the pictures; to know how long one is, it has to be read.
 */
#ifndef MUX_AVC_H
#define MUX_AVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#define MUX_AVC_SPS_MAX 32
#define MUX_AVC_PPS_MAX 64 /* of the 256 that there may be */

/* What a slice header's form depends on. */
struct mux_avc_sps {
    bool known;
    bool separate_planes, frame_mbs_only, delta_always_zero;
    uint32_t chroma_format, frame_num_bits, order_type, order_bits;
};
struct mux_avc_pps {
    bool known;
    bool cabac, order_present, weighted, deblocking_control, redundant_present;
    uint32_t sps, weighted_bi, refs[2];
};

struct mux_avc {
    uint32_t length_size; /* bytes of a NAL unit's length: 1, 2, 4 */
    struct mux_avc_sps sps[MUX_AVC_SPS_MAX];
    struct mux_avc_pps pps[MUX_AVC_PPS_MAX];
};

/* The payload of an avcC. CAD_E_DATA, CAD_E_UNSUPPORTED (slice groups). */
CAD_MUST_CHECK int mux_avc_init(struct mux_avc *avc, cad_buf config);
/* Bytes of a NAL unit (without its length) before slice data; all of one that has none. Parameter
 * sets among samples count from there on. CAD_E_DATA, CAD_E_UNSUPPORTED. */
CAD_MUST_CHECK int mux_avc_clear(struct mux_avc *avc, cad_buf nal, size_t *out);

#endif
