/*
 * box.h - how the files of this room walk boxes and read their fields.
 *
 * cad_mp4_child_next walks the boxes inside a container that is whole. struct cad_mp4_wire reads
 * the fields of a box's payload in order: past the end it answers zeros and stays failed, so that
 * a reader tests once when it is done. Nothing is copied: all results are views into the input.
 */
#ifndef CAD_MP4_BOX_H
#define CAD_MP4_BOX_H

#include <stdbool.h>

#include "mp4/mp4.h"

#define CAD_MP4_NONE UINT64_MAX /* an offset that is not there; a size that runs to the end */

/* A box inside a container. */
struct cad_mp4_child {
    uint32_t type;
    size_t offset; /* of the box, in the container */
    size_t size;   /* of the whole box */
    cad_buf body;  /* payload */
};

/*
 * The box at *at of a container's payload; *at moves behind it. CAD_E_END: none is left.
 * CAD_E_DATA: it does not fit in its container, or bytes are left over that cannot be a box.
 */
CAD_MUST_CHECK int cad_mp4_child_next(cad_buf container, size_t *at, struct cad_mp4_child *out);

/*
 * The payload of the first child of a type. Every child is looked at. CAD_E_NOTFOUND: *out is
 * empty. CAD_E_DATA.
 */
CAD_MUST_CHECK int cad_mp4_child_find(cad_buf container, uint32_t type, cad_buf *out);

/* Reads fields in order; sticky on failure. */
struct cad_mp4_wire {
    cad_buf b;   /* what is left */
    bool failed; /* something was read past the end */
};

struct cad_mp4_wire cad_mp4_wire_of(cad_buf b);
/* The next n bytes, n in 1..8, as a big-endian number. */
uint64_t cad_mp4_wire_uint(struct cad_mp4_wire *wire, unsigned n);
uint8_t cad_mp4_wire_u8(struct cad_mp4_wire *wire);
uint16_t cad_mp4_wire_u16(struct cad_mp4_wire *wire);
uint32_t cad_mp4_wire_u24(struct cad_mp4_wire *wire);
uint32_t cad_mp4_wire_u32(struct cad_mp4_wire *wire);
uint64_t cad_mp4_wire_u64(struct cad_mp4_wire *wire);
void cad_mp4_wire_skip(struct cad_mp4_wire *wire, size_t n);

#endif
