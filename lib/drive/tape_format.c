/* Numbers, checksums and records of a tape. */
#include <string.h>

#include "base/bytes.h"
#include "base/str.h"
#include "drive/tape.h"

#define VARINT_BYTES 10 /* of 64 bits */

void tape_put_u64(struct cad_sb *sb, uint64_t v)
{
    char bytes[VARINT_BYTES];
    size_t n = 0;
    while (v >= 0x80) {
        bytes[n++] = (char)(uint8_t)(v | 0x80);
        v >>= 7;
    }
    bytes[n++] = (char)(uint8_t)v;
    cad_sb_put(sb, cad_str_make(bytes, n));
}

void tape_put_i64(struct cad_sb *sb, int64_t v)
{
    uint64_t u = (uint64_t)v << 1;
    tape_put_u64(sb, v < 0 ? ~u : u);
}

void tape_put_bytes(struct cad_sb *sb, const uint8_t *p, size_t n)
{
    if (n) cad_sb_put(sb, cad_str_from_buf((cad_buf){p, n}));
}

uint64_t tape_get_u64(struct tape_reader *r)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < VARINT_BYTES && i < r->n; i++) {
        uint8_t byte = r->p[i];
        if (i == VARINT_BYTES - 1 && byte > 1) break;
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte & 0x80) continue;
        r->p += i + 1;
        r->n -= i + 1;
        return v;
    }
    r->n = 0;
    r->failed = true;
    return 0;
}

int64_t tape_get_i64(struct tape_reader *r)
{
    uint64_t u = tape_get_u64(r);
    return (int64_t)(u & 1 ? ~(u >> 1) : u >> 1);
}

uint64_t tape_get_max(struct tape_reader *r, uint64_t most)
{
    uint64_t v = tape_get_u64(r);
    if (v <= most) return v;
    r->failed = true;
    return 0;
}

cad_buf tape_get_bytes(struct tape_reader *r, size_t n)
{
    if (n > r->n) {
        r->n = 0;
        r->failed = true;
        return (cad_buf){NULL, 0};
    }
    cad_buf bytes = {r->p, n};
    if (n) r->p += n;
    r->n -= n;
    return bytes;
}

/* CRC-32 of IEEE 802.3, four bits at a time: polynomial 0xedb88320, reflected. */
uint32_t tape_crc(cad_buf bytes)
{
    static const uint32_t table[16] = {
        0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
        0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
        0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu};
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < bytes.n; i++) {
        crc ^= bytes.p[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

void tape_put_crc(struct cad_sb *sb)
{
    uint8_t crc[4];
    cad_put_be32(crc, tape_crc(cad_buf_from_str(cad_sb_str(sb))));
    tape_put_bytes(sb, crc, sizeof(crc));
}

void tape_put_record(struct cad_sb *sb, enum tape_kind kind, uint64_t delta_ns, cad_buf body)
{
    cad_sb_reset(sb);
    tape_put_u64(sb, kind);
    tape_put_u64(sb, delta_ns);
    tape_put_u64(sb, body.n);
    tape_put_bytes(sb, body.p, body.n);
    tape_put_crc(sb);
}

/* The end of what there is, or a number that cannot be one? */
static int short_or_broken(cad_buf bytes, const struct tape_reader *r)
{
    if (!r->failed) return CAD_OK;
    /* Three numbers are never longer than this: past it the bytes are wrong, not missing. */
    return bytes.n >= 3 * VARINT_BYTES ? CAD_E_DATA : CAD_E_AGAIN;
}

int tape_get_record(cad_buf bytes, bool check, struct tape_record *out)
{
    if (bytes.n == 0) return CAD_E_END;
    struct tape_reader r = {bytes.p, bytes.n, false};
    uint64_t kind = tape_get_u64(&r);
    uint64_t delta = tape_get_u64(&r);
    uint64_t size = tape_get_u64(&r);
    int rc = short_or_broken(bytes, &r);
    if (rc != 0) return rc;
    if (size > TAPE_RECORD_MAX || kind > UINT32_MAX) return CAD_E_DATA;
    if (r.n < 4 || size > r.n - 4) return CAD_E_AGAIN;
    cad_buf body = tape_get_bytes(&r, (size_t)size);
    size_t n = (size_t)(r.p - bytes.p);
    if (check && tape_crc((cad_buf){bytes.p, n}) != cad_be32(r.p)) return CAD_E_DATA;
    *out = (struct tape_record){(uint32_t)kind, delta, body, n + 4};
    return CAD_OK;
}
