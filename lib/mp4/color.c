/*
 * What a sample entry says of its colours: colr (ISO/IEC 14496-12 12.1.5), mastering display and
 * light level (12.1.8, 12.1.9), and the boxes that VP9 has of its own for the latter two.
 */
#include "mp4/box.h"
#include "mp4/moov.h"

enum {
    UNSPECIFIED = 2,          /* code point of ISO/IEC 23091-2 */
    CHROMATICITY_ONE = 50000, /* a coordinate of 1 in units of 0.00002 */
    LUMINANCE_ONE = 10000,    /* 1 cd/m2 in units of 0.0001 */
};

/* Code points are bytes wherever they count; what is larger means nothing. */
static uint8_t code_point(struct cad_mp4_wire *wire)
{
    uint16_t v = cad_mp4_wire_u16(wire);
    return v <= UINT8_MAX ? (uint8_t)v : UNSPECIFIED;
}

/* Only nclx and QuickTime's nclc name code points; an ICC profile is passed over. */
static int read_colr(cad_buf colr, struct cad_color *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(colr);
    uint32_t kind = cad_mp4_wire_u32(&wire);
    bool nclx = kind == CAD_FOURCC('n', 'c', 'l', 'x');
    if (wire.failed) return CAD_E_DATA;
    if (!nclx && kind != CAD_FOURCC('n', 'c', 'l', 'c')) return CAD_E_NOTFOUND;
    struct cad_color c = *out;
    c.primaries = code_point(&wire);
    c.transfer = code_point(&wire);
    c.matrix = code_point(&wire);
    if (nclx) c.full_range = (cad_mp4_wire_u8(&wire) & 0x80) != 0;
    if (wire.failed) return CAD_E_DATA;
    *out = c;
    return 0;
}

/* The first colr that says something; there may be one of each kind. */
static int find_colr(cad_buf boxes, struct cad_color *out)
{
    struct cad_mp4_child child;
    size_t at = 0;
    int rc;
    while ((rc = cad_mp4_child_next(boxes, &at, &child)) == 0) {
        if (child.type != CAD_FOURCC('c', 'o', 'l', 'r')) continue;
        rc = read_colr(child.body, out);
        if (rc != CAD_E_NOTFOUND) return rc;
    }
    return rc == CAD_E_END ? 0 : rc;
}

static int read_mdcv(cad_buf mdcv, struct cad_color *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(mdcv);
    struct cad_color c = *out;
    for (unsigned i = 0; i < 3; i++) {
        c.primary_x[i] = cad_mp4_wire_u16(&wire);
        c.primary_y[i] = cad_mp4_wire_u16(&wire);
    }
    c.white_x = cad_mp4_wire_u16(&wire);
    c.white_y = cad_mp4_wire_u16(&wire);
    c.luminance_max = cad_mp4_wire_u32(&wire);
    c.luminance_min = cad_mp4_wire_u32(&wire);
    if (wire.failed) return CAD_E_DATA;
    c.has_mastering = true;
    *out = c;
    return 0;
}

static int read_clli(cad_buf clli, struct cad_color *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(clli);
    uint16_t most = cad_mp4_wire_u16(&wire);
    uint16_t average = cad_mp4_wire_u16(&wire);
    if (wire.failed) return CAD_E_DATA;
    out->light_max = most;
    out->light_average = average;
    out->has_light = true;
    return 0;
}

/* 16 fraction bits to units of 0.00002, to the nearest. */
static uint16_t chromaticity(struct cad_mp4_wire *wire)
{
    uint32_t v = cad_mp4_wire_u16(wire);
    return (uint16_t)((v * CHROMATICITY_ONE + 0x8000u) >> 16);
}

static uint32_t luminance(struct cad_mp4_wire *wire, unsigned fraction_bits)
{
    uint64_t v = cad_mp4_wire_u32(wire);
    v = (v * LUMINANCE_ONE + (UINT64_C(1) << (fraction_bits - 1))) >> fraction_bits;
    return v <= UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

/* SmDm of VP9 (webmproject vp9-dash 2.4): red, green, blue of 65536; luminance 24.8 and 18.14. */
static int read_smdm(cad_buf smdm, struct cad_color *out)
{
    static const uint8_t place[] = {2, 0, 1}; /* of red, green, blue in cad_color */
    struct cad_mp4_wire wire = cad_mp4_wire_of(smdm);
    struct cad_color c = *out;
    cad_mp4_wire_skip(&wire, 4);
    for (unsigned i = 0; i < 3; i++) {
        c.primary_x[place[i]] = chromaticity(&wire);
        c.primary_y[place[i]] = chromaticity(&wire);
    }
    c.white_x = chromaticity(&wire);
    c.white_y = chromaticity(&wire);
    c.luminance_max = luminance(&wire, 8);
    c.luminance_min = luminance(&wire, 14);
    if (wire.failed) return CAD_E_DATA;
    c.has_mastering = true;
    *out = c;
    return 0;
}

static int read_coll(cad_buf coll, struct cad_color *out)
{
    if (coll.n < 4) return CAD_E_DATA;
    return read_clli((cad_buf){coll.p + 4, coll.n - 4}, out);
}

int cad_mp4_color_read(cad_buf boxes, struct cad_color *out)
{
    static const struct {
        uint32_t type;
        int (*read)(cad_buf body, struct cad_color *out);
    } readers[] = {
        {CAD_FOURCC('S', 'm', 'D', 'm'), read_smdm},
        {CAD_FOURCC('C', 'o', 'L', 'L'), read_coll},
        {CAD_FOURCC('m', 'd', 'c', 'v'), read_mdcv},
        {CAD_FOURCC('c', 'l', 'l', 'i'), read_clli},
    };
    int rc = find_colr(boxes, out);
    for (size_t i = 0; rc == 0 && i < sizeof readers / sizeof readers[0]; i++) {
        cad_buf body;
        rc = cad_mp4_child_find(boxes, readers[i].type, &body);
        if (rc == 0) rc = readers[i].read(body, out);
        if (rc == CAD_E_NOTFOUND) rc = 0;
    }
    return rc;
}
