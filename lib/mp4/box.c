#include "mp4/box.h"

#include "base/bytes.h"
#include "base/checked.h"

enum {
    HEADER_BYTES = 8,
    LARGESIZE_BYTES = 8,
    USERTYPE_BYTES = 16,
};

int cad_mp4_box_read(cad_buf b, struct cad_mp4_box *out)
{
    if (b.n < HEADER_BYTES) return CAD_E_AGAIN;
    struct cad_mp4_box box = {.type = cad_be32(b.p + 4), .header = HEADER_BYTES};
    box.size = cad_be32(b.p);
    if (box.size == 1) {
        if (b.n < HEADER_BYTES + LARGESIZE_BYTES) return CAD_E_AGAIN;
        box.header += LARGESIZE_BYTES;
        box.size = cad_be64(b.p + HEADER_BYTES);
        /* File offsets are signed; no box of 2^63 bytes is meant to be read. */
        if (box.size > INT64_MAX) return CAD_E_DATA;
    } else if (box.size == 0) {
        box.size = CAD_MP4_NONE;
    }
    if (box.type == CAD_FOURCC('u', 'u', 'i', 'd')) box.header += USERTYPE_BYTES;
    if (box.size < box.header) return CAD_E_DATA;
    if (b.n < box.header) return CAD_E_AGAIN;
    *out = box;
    return 0;
}

int cad_mp4_find_box(cad_buf b, uint32_t type, uint64_t *offset)
{
    uint64_t at = *offset;
    int rc = CAD_E_AGAIN;
    while (at <= b.n) {
        struct cad_mp4_box box;
        rc = cad_mp4_box_read((cad_buf){b.p + at, b.n - (size_t)at}, &box);
        if (rc != 0 || box.type == type) break;
        rc = CAD_E_NOTFOUND;
        if (box.size == CAD_MP4_NONE) break;
        rc = CAD_E_DATA;
        if (!cad_add_u64(at, box.size, &at)) break;
        rc = CAD_E_AGAIN;
    }
    *offset = at;
    return rc;
}

int cad_mp4_child_next(cad_buf container, size_t *at, struct cad_mp4_child *out)
{
    CAD_ASSERT(*at <= container.n);
    size_t left = container.n - *at;
    if (left == 0) return CAD_E_END;
    struct cad_mp4_box box;
    const uint8_t *p = container.p + *at;
    if (cad_mp4_box_read((cad_buf){p, left}, &box) != 0) return CAD_E_DATA;
    /* Size 0, "to the end of the file", is for the top level only (14496-12 4.2). */
    if (box.size > left) return CAD_E_DATA;
    out->type = box.type;
    out->offset = *at;
    out->size = (size_t)box.size;
    out->body = (cad_buf){p + box.header, out->size - box.header};
    *at += out->size;
    return 0;
}

int cad_mp4_child_find(cad_buf container, uint32_t type, cad_buf *out)
{
    cad_buf found = {NULL, 0};
    bool is_found = false;
    struct cad_mp4_child child;
    size_t at = 0;
    int rc;
    while ((rc = cad_mp4_child_next(container, &at, &child)) == 0) {
        if (child.type != type || is_found) continue;
        found = child.body;
        is_found = true;
    }
    if (rc != CAD_E_END) return rc;
    *out = found;
    return is_found ? 0 : CAD_E_NOTFOUND;
}

struct cad_mp4_wire cad_mp4_wire_of(cad_buf b)
{
    return (struct cad_mp4_wire){.b = b};
}

void cad_mp4_wire_skip(struct cad_mp4_wire *wire, size_t n)
{
    if (n > wire->b.n) {
        wire->failed = true;
        n = wire->b.n;
    }
    if (n == 0) return;
    wire->b.p += n;
    wire->b.n -= n;
}

uint64_t cad_mp4_wire_uint(struct cad_mp4_wire *wire, unsigned n)
{
    CAD_ASSERT(n >= 1);
    CAD_ASSERT(n <= 8);
    const uint8_t *p = wire->b.p;
    if (wire->b.n < n) {
        wire->failed = true;
        wire->b.n = 0;
        return 0;
    }
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++) value = value << 8 | p[i];
    cad_mp4_wire_skip(wire, n);
    return value;
}

uint8_t cad_mp4_wire_u8(struct cad_mp4_wire *wire)
{
    return (uint8_t)cad_mp4_wire_uint(wire, 1);
}

uint16_t cad_mp4_wire_u16(struct cad_mp4_wire *wire)
{
    return (uint16_t)cad_mp4_wire_uint(wire, 2);
}

uint32_t cad_mp4_wire_u24(struct cad_mp4_wire *wire)
{
    return (uint32_t)cad_mp4_wire_uint(wire, 3);
}

uint32_t cad_mp4_wire_u32(struct cad_mp4_wire *wire)
{
    return (uint32_t)cad_mp4_wire_uint(wire, 4);
}

uint64_t cad_mp4_wire_u64(struct cad_mp4_wire *wire)
{
    return cad_mp4_wire_uint(wire, 8);
}
