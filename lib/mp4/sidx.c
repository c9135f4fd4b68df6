/* The segment index, ISO/IEC 14496-12 8.16.3. */
#include "base/assert.h"
#include "base/bytes.h"
#include "mp4/box.h"

enum { REFERENCE_BYTES = 12 };

/* The fields of the payload. */
static int read_fields(cad_buf body, struct cad_mp4_sidx *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(body);
    uint8_t version = cad_mp4_wire_u8(&wire);
    cad_mp4_wire_skip(&wire, 3);
    if (version > 1) return CAD_E_UNSUPPORTED;
    out->reference_id = cad_mp4_wire_u32(&wire);
    out->timescale = cad_mp4_wire_u32(&wire);
    out->earliest_time = cad_mp4_wire_uint(&wire, version == 0 ? 4 : 8);
    out->first_offset = cad_mp4_wire_uint(&wire, version == 0 ? 4 : 8);
    cad_mp4_wire_skip(&wire, 2);
    out->count = cad_mp4_wire_u16(&wire);
    if (wire.failed || out->timescale == 0) return CAD_E_DATA;
    if (out->count > wire.b.n / REFERENCE_BYTES) return CAD_E_DATA;
    out->references = (cad_buf){wire.b.p, (size_t)out->count * REFERENCE_BYTES};
    return 0;
}

int cad_mp4_sidx_read(cad_buf b, struct cad_mp4_sidx *out)
{
    struct cad_mp4_box box;
    int rc = cad_mp4_box_read(b, &box);
    if (rc != 0) return rc;
    if (box.type != CAD_FOURCC('s', 'i', 'd', 'x')) return CAD_E_DATA;
    if (box.size == CAD_MP4_NONE) return CAD_E_DATA;
    if (box.size > CAD_MP4_SIDX_BYTES_MAX) return CAD_E_LIMIT;
    if (box.size > b.n) return CAD_E_AGAIN;
    struct cad_mp4_sidx sidx = {0};
    rc = read_fields((cad_buf){b.p + box.header, (size_t)box.size - box.header}, &sidx);
    if (rc == 0) *out = sidx;
    return rc;
}

void cad_mp4_sidx_reference(const struct cad_mp4_sidx *sidx, uint32_t i,
                            struct cad_mp4_reference *out)
{
    *out = (struct cad_mp4_reference){0};
    CAD_ASSERT(i < sidx->count);
    if (i >= sidx->count) return;
    const uint8_t *p = sidx->references.p + (size_t)i * REFERENCE_BYTES;
    uint32_t sap = cad_be32(p + 8);
    out->is_index = p[0] >> 7 != 0;
    out->size_bytes = cad_be32(p) & 0x7fffffff;
    out->duration_ticks = cad_be32(p + 4);
    out->starts_with_sap = sap >> 31 != 0;
    out->sap_type = (uint8_t)(sap >> 28 & 7);
    out->sap_delta_ticks = sap & 0x0fffffff;
}
