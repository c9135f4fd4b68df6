/*
 * bytes.h - numbers in and out of byte strings, big- and little-endian, at any alignment.
 *
 * The caller has checked that the bytes are there. Big-endian is the wire order of ISO BMFF.
 */
#ifndef CAD_BASE_BYTES_H
#define CAD_BASE_BYTES_H

#include <stdint.h>

static inline uint16_t cad_be16(const uint8_t *p)
{
    return (uint16_t)((uint32_t)p[0] << 8 | (uint32_t)p[1]);
}

static inline uint32_t cad_be24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | (uint32_t)p[2];
}

static inline uint32_t cad_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline uint64_t cad_be64(const uint8_t *p)
{
    return (uint64_t)cad_be32(p) << 32 | (uint64_t)cad_be32(p + 4);
}

static inline uint16_t cad_le16(const uint8_t *p)
{
    return (uint16_t)((uint32_t)p[1] << 8 | (uint32_t)p[0]);
}

static inline uint32_t cad_le24(const uint8_t *p)
{
    return (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | (uint32_t)p[0];
}

static inline uint32_t cad_le32(const uint8_t *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | (uint32_t)p[0];
}

static inline uint64_t cad_le64(const uint8_t *p)
{
    return (uint64_t)cad_le32(p + 4) << 32 | (uint64_t)cad_le32(p);
}

static inline void cad_put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void cad_put_be24(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 16);
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)v;
}

static inline void cad_put_be32(uint8_t *p, uint32_t v)
{
    cad_put_be16(p, (uint16_t)(v >> 16));
    cad_put_be16(p + 2, (uint16_t)v);
}

static inline void cad_put_be64(uint8_t *p, uint64_t v)
{
    cad_put_be32(p, (uint32_t)(v >> 32));
    cad_put_be32(p + 4, (uint32_t)v);
}

#endif
