/* Boxes of a media body, as far as a tape cares (ISO/IEC 14496-12 4.2). */
#include "drive/tape_boxes.h"

#include <string.h>

#include "cadmium/tape.h"

#include "base/bytes.h"
#include "base/util.h"

#define TYPE(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))
#define TO_THE_END UINT64_MAX
#define TEXT_LOOK 32 /* bytes by which text is told from binary data */

void tape_boxes_init(struct tape_boxes *boxes)
{
    memset(boxes, 0, sizeof(*boxes));
}

bool tape_boxes_fresh(const struct tape_boxes *boxes)
{
    return boxes->state == TAPE_BOXES_HEAD && boxes->head_n == 0;
}

bool tape_boxes_begin(const uint8_t *p, size_t n)
{
    static const uint32_t known[] = {
        TYPE('m', 'o', 'o', 'f'), TYPE('m', 'd', 'a', 't'), TYPE('s', 't', 'y', 'p'),
        TYPE('s', 'i', 'd', 'x'), TYPE('e', 'm', 's', 'g'), TYPE('p', 'r', 'f', 't'),
        TYPE('f', 't', 'y', 'p'), TYPE('m', 'o', 'o', 'v'), TYPE('f', 'r', 'e', 'e')};
    if (n < 8) return false;
    for (size_t i = 0; i < CAD_ARRAY_LEN(known); i++) {
        if (cad_be32(p + 4) == known[i]) return cad_be32(p) >= 8 || cad_be32(p) <= 1;
    }
    return false;
}

static bool reads_as_text(const uint8_t *p, size_t n)
{
    n = CAD_MIN(n, TEXT_LOOK);
    for (size_t i = 0; i < n; i++) {
        bool blank = p[i] == '\n' || p[i] == '\r' || p[i] == '\t';
        if (p[i] < 0x20 && !blank) return false;
    }
    return true;
}

static void give_up(struct tape_boxes *boxes)
{
    boxes->state = TAPE_BOXES_UNKNOWN;
    boxes->left = CAD_TAPE_UNKNOWN_MAX;
    boxes->text = reads_as_text(boxes->head, boxes->head_n);
}

static bool is_type(uint32_t type)
{
    for (int i = 0; i < 4; i++, type >>= 8) {
        uint32_t c = type & 0xff;
        if ((c < 0x20 || c > 0x7e) && c != 0xa9) return false;
    }
    return true;
}

/* The header is whole: what follows it? */
static void open_box(struct tape_boxes *boxes)
{
    uint64_t size = cad_be32(boxes->head);
    uint32_t type = cad_be32(boxes->head + 4);
    uint32_t head = boxes->head_n;
    if (size == 1) size = cad_be64(boxes->head + 8);
    if (size == 0) size = TO_THE_END;
    bool payload = type == TYPE('m', 'd', 'a', 't') || type == TYPE('f', 'r', 'e', 'e') ||
                   type == TYPE('s', 'k', 'i', 'p');
    /* A header box of more than this is none that anybody reads. */
    bool absurd = !payload && size - head > CAD_TAPE_CONTROL_MAX;
    if (!is_type(type) || size < head || absurd) {
        give_up(boxes);
        return;
    }
    boxes->state = payload ? TAPE_BOXES_SKIP : TAPE_BOXES_KEEP;
    boxes->left = size == TO_THE_END ? size : size - head;
    boxes->head_n = 0;
    if (boxes->left == 0) boxes->state = TAPE_BOXES_HEAD;
}

/* Bytes that are still missing in the header. */
static size_t head_wants(const struct tape_boxes *boxes)
{
    bool large = boxes->head_n >= 8 && cad_be32(boxes->head) == 1;
    return (large ? 16u : 8u) - boxes->head_n;
}

size_t tape_boxes_next(struct tape_boxes *boxes, const uint8_t *p, size_t n, bool *keep)
{
    if (!p && boxes->state != TAPE_BOXES_SKIP) give_up(boxes);
    *keep = boxes->state != TAPE_BOXES_SKIP;
    if (boxes->state == TAPE_BOXES_HEAD) {
        size_t take = CAD_MIN(n, head_wants(boxes));
        memcpy(boxes->head + boxes->head_n, p, take);
        boxes->head_n += (uint32_t)take;
        if (boxes->head_n >= 8 && head_wants(boxes) == 0) open_box(boxes);
        return take;
    }
    bool unknown = boxes->state == TAPE_BOXES_UNKNOWN;
    if (unknown && boxes->left == 0) {
        *keep = false;
        return n;
    }
    size_t take = boxes->left < n ? (size_t)boxes->left : n;
    if (boxes->left != TO_THE_END) boxes->left -= take;
    if (boxes->left == 0 && !unknown) tape_boxes_init(boxes);
    return take;
}
