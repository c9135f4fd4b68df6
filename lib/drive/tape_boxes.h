/*
 * tape_boxes.h - which bytes of a media body a tape must hold: everything but payload.
 *
 *     tape_boxes_init(&boxes);                             at the start of a box
 *     while (n > 0) {
 *         span = tape_boxes_next(&boxes, p, n, &keep);     at most n
 *         p += span; n -= span;
 *     }
 *
 * Follows the boxes of the top level. Headers of boxes and all boxes but mdat, free and skip are
 * kept; the payload of these is not. What cannot be a box is kept up to a limit. The state may be
 * copied: another attempt goes on where one broke off.
 */
#ifndef CAD_DRIVE_TAPE_BOXES_H
#define CAD_DRIVE_TAPE_BOXES_H

#include <stdbool.h>

#include "cadmium/base.h"

enum tape_boxes_state {
    TAPE_BOXES_HEAD,    /* head_n bytes of a box's header are in */
    TAPE_BOXES_KEEP,    /* `left` bytes of a box that is kept */
    TAPE_BOXES_SKIP,    /* `left` bytes of payload */
    TAPE_BOXES_UNKNOWN  /* no boxes; `left` bytes are kept before the rest is not */
};

struct tape_boxes {
    enum tape_boxes_state state;
    uint8_t head[16];
    uint32_t head_n;
    uint64_t left;
    bool text;          /* UNKNOWN: it reads as text */
};

void tape_boxes_init(struct tape_boxes *boxes);
/* The first bytes that are treated alike, 1..n; p NULL: bytes that have a length only. */
size_t tape_boxes_next(struct tape_boxes *boxes, const uint8_t *p, size_t n, bool *keep);
/* Do these bytes begin a box of the top level? Payload does so by chance once in 10^8 times. */
bool tape_boxes_begin(const uint8_t *p, size_t n);
/* At the start of a box, and no more is known than that. */
bool tape_boxes_fresh(const struct tape_boxes *boxes);

#endif
