/*
 * What says how samples are protected: sinf with its schm and tenc, seig group entries, pssh boxes
 * (ISO/IEC 14496-12 8.12, 8.9.3; 23001-7 6, 8).
 */
#include "base/bytes.h"
#include "mp4/box.h"
#include "mp4/moov.h"

enum {
    FULL_BOX_BYTES = 4,
    SEIG = CAD_FOURCC('s', 'e', 'i', 'g'),
    SEIG_BYTES = 20, /* without a constant IV: what a sgpd of version 0 holds */
};

int cad_mp4_scheme(uint32_t fourcc, enum cad_scheme *out)
{
    switch (fourcc) {
    case CAD_FOURCC('c', 'e', 'n', 'c'): *out = CAD_SCHEME_CENC; return 0;
    case CAD_FOURCC('c', 'e', 'n', 's'): *out = CAD_SCHEME_CENS; return 0;
    case CAD_FOURCC('c', 'b', 'c', '1'): *out = CAD_SCHEME_CBC1; return 0;
    case CAD_FOURCC('c', 'b', 'c', 's'): *out = CAD_SCHEME_CBCS; return 0;
    default: return CAD_E_UNSUPPORTED;
    }
}

/*
 * What tenc and seig end in, from the pattern on. An IV is needed for what is protected; other
 * values of isProtected than 0 and 1 are reserved.
 */
static int read_protection(struct cad_mp4_wire *wire, bool has_pattern,
                           struct cad_mp4_protection *out)
{
    struct cad_mp4_protection p = {.is_protected = false};
    uint8_t pattern = cad_mp4_wire_u8(wire);
    uint8_t is_protected = cad_mp4_wire_u8(wire);
    uint8_t iv_size = cad_mp4_wire_u8(wire);
    cad_buf rest = wire->b;
    cad_mp4_wire_skip(wire, CAD_KEY_ID_SIZE);
    if (wire->failed || is_protected > 1) return CAD_E_DATA;
    if (is_protected == 0) {
        *out = p;
        return 0;
    }
    p.is_protected = true;
    p.per_sample_iv_size = iv_size;
    for (size_t i = 0; i < CAD_KEY_ID_SIZE; i++) p.kid[i] = rest.p[i];
    if (has_pattern) {
        p.crypt_byte_block = pattern >> 4;
        p.skip_byte_block = pattern & 15;
    }
    if (iv_size == 0) {
        iv_size = cad_mp4_wire_u8(wire);
        p.constant_iv = (cad_buf){wire->b.p, iv_size};
        cad_mp4_wire_skip(wire, iv_size);
    }
    if (wire->failed || (iv_size != 8 && iv_size != 16)) return CAD_E_DATA;
    *out = p;
    return 0;
}

static int read_tenc(cad_buf tenc, struct cad_mp4_protection *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(tenc);
    uint8_t version = cad_mp4_wire_u8(&wire);
    cad_mp4_wire_skip(&wire, FULL_BOX_BYTES - 1 + 1);
    return read_protection(&wire, version > 0, out);
}

int cad_mp4_seig_read(cad_buf entry, struct cad_mp4_protection *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(entry);
    cad_mp4_wire_skip(&wire, 1);
    return read_protection(&wire, true, out);
}

/* Of another scheme a tenc says nothing that is known here. */
static int read_schi(cad_buf sinf, struct cad_mp4_init *out)
{
    cad_buf schi, tenc;
    enum cad_scheme scheme;
    if (cad_mp4_scheme(out->scheme, &scheme) != 0) return 0;
    int rc = cad_mp4_child_find(sinf, CAD_FOURCC('s', 'c', 'h', 'i'), &schi);
    if (rc == 0) rc = cad_mp4_child_find(schi, CAD_FOURCC('t', 'e', 'n', 'c'), &tenc);
    if (rc == 0) rc = read_tenc(tenc, &out->protection);
    out->has_protection = rc == 0;
    return rc == CAD_E_NOTFOUND ? 0 : rc;
}

int cad_mp4_sinf_read(cad_buf boxes, uint32_t *format, struct cad_mp4_init *out)
{
    cad_buf sinf, frma, schm;
    int rc = cad_mp4_child_find(boxes, CAD_FOURCC('s', 'i', 'n', 'f'), &sinf);
    if (rc == CAD_E_NOTFOUND) {
        bool must = *format == CAD_FOURCC('e', 'n', 'c', 'v') ||
                    *format == CAD_FOURCC('e', 'n', 'c', 'a');
        return must ? CAD_E_DATA : 0;
    }
    if (rc != 0) return rc;
    out->encrypted = true;
    rc = cad_mp4_child_find(sinf, CAD_FOURCC('f', 'r', 'm', 'a'), &frma);
    if (rc != 0 || frma.n < 4) return CAD_E_DATA;
    *format = cad_be32(frma.p);
    rc = cad_mp4_child_find(sinf, CAD_FOURCC('s', 'c', 'h', 'm'), &schm);
    if (rc == CAD_E_NOTFOUND) return 0;
    if (rc != 0 || schm.n < FULL_BOX_BYTES + 4) return CAD_E_DATA;
    out->scheme = cad_be32(schm.p + FULL_BOX_BYTES);
    return read_schi(sinf, out);
}

int cad_mp4_seig_find(cad_buf container, uint32_t type, cad_buf *out)
{
    cad_buf found = {NULL, 0};
    struct cad_mp4_child child;
    size_t at = 0;
    int rc;
    while ((rc = cad_mp4_child_next(container, &at, &child)) == 0) {
        if (child.type != type || found.p != NULL) continue;
        if (child.body.n < FULL_BOX_BYTES + 4) continue; /* it groups by nothing */
        if (cad_be32(child.body.p + FULL_BOX_BYTES) == SEIG) found = child.body;
    }
    if (rc != CAD_E_END) return rc;
    *out = found;
    return found.p != NULL ? 0 : CAD_E_NOTFOUND;
}

int cad_mp4_sgpd_entry(cad_buf sgpd, uint32_t n, cad_buf *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(sgpd);
    uint8_t version = cad_mp4_wire_u8(&wire);
    cad_mp4_wire_skip(&wire, 3 + 4);
    uint32_t length = version >= 1 ? cad_mp4_wire_u32(&wire) : SEIG_BYTES;
    uint32_t fallback = version >= 2 ? cad_mp4_wire_u32(&wire) : 0;
    uint32_t count = cad_mp4_wire_u32(&wire);
    if (wire.failed) return CAD_E_DATA;
    if (count > CAD_MP4_GROUPS_MAX) return CAD_E_LIMIT;
    if (n == 0 && fallback == 0) return CAD_E_NOTFOUND;
    if (n == 0) n = fallback;
    if (n > count) return CAD_E_DATA;
    for (uint32_t i = 1; i <= n; i++) {
        uint32_t bytes = length != 0 ? length : cad_mp4_wire_u32(&wire);
        *out = (cad_buf){wire.b.p, bytes};
        cad_mp4_wire_skip(&wire, bytes);
        if (wire.failed) return CAD_E_DATA;
    }
    return 0;
}

int cad_mp4_pssh_next(cad_buf container, size_t *at, struct cad_cenc_pssh *out)
{
    struct cad_mp4_child child;
    int rc;
    do {
        rc = cad_mp4_child_next(container, at, &child);
    } while (rc == 0 && child.type != CAD_FOURCC('p', 's', 's', 'h'));
    if (rc == CAD_E_DATA) *at = container.n; /* where the next box begins cannot be known */
    if (rc != 0) return rc;
    size_t begin = 0;
    rc = cad_cenc_pssh_next((cad_buf){container.p + child.offset, child.size}, &begin, out);
    return rc == CAD_E_END ? CAD_E_DATA : rc;
}
