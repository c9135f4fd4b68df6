#include "build.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

void build_init(struct build *b)
{
    b->n = 0;
}

cad_buf build_view(const struct build *b)
{
    return (cad_buf){b->bytes, b->n};
}

uint8_t *build_copy(const struct build *b, size_t n)
{
    assert_true(n <= b->n);
    uint8_t *copy = malloc(n > 0 ? n : 1);
    assert_non_null(copy);
    memcpy(copy, b->bytes, n);
    return copy;
}

void build_uint(struct build *b, unsigned bytes, uint64_t value)
{
    assert_true(bytes <= BUILD_BYTES_MAX - b->n);
    for (unsigned i = 0; i < bytes; i++) {
        b->bytes[b->n++] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
}

void build_u8(struct build *b, uint8_t value)
{
    build_uint(b, 1, value);
}

void build_u16(struct build *b, uint16_t value)
{
    build_uint(b, 2, value);
}

void build_u32(struct build *b, uint32_t value)
{
    build_uint(b, 4, value);
}

void build_u64(struct build *b, uint64_t value)
{
    build_uint(b, 8, value);
}

void build_zeros(struct build *b, size_t n)
{
    assert_true(n <= BUILD_BYTES_MAX - b->n);
    memset(b->bytes + b->n, 0, n);
    b->n += n;
}

void build_data(struct build *b, const void *p, size_t n)
{
    assert_true(n <= BUILD_BYTES_MAX - b->n);
    memcpy(b->bytes + b->n, p, n);
    b->n += n;
}

size_t build_open(struct build *b, const char *type)
{
    size_t at = b->n;
    build_u32(b, 0);
    build_data(b, type, 4);
    return at;
}

size_t build_full(struct build *b, const char *type, uint8_t version, uint32_t flags)
{
    size_t at = build_open(b, type);
    build_u32(b, (uint32_t)version << 24 | flags);
    return at;
}

size_t build_open_large(struct build *b, const char *type)
{
    size_t at = b->n;
    build_u32(b, 1);
    build_data(b, type, 4);
    build_u64(b, 0);
    return at;
}

void build_close(struct build *b, size_t at)
{
    if (cad_be32(b->bytes + at) == 1) {
        cad_put_be64(b->bytes + at + 8, b->n - at);
    } else {
        cad_put_be32(b->bytes + at, (uint32_t)(b->n - at));
    }
}

void build_box(struct build *b, const char *type, size_t n)
{
    size_t at = build_open(b, type);
    build_zeros(b, n);
    build_close(b, at);
}

void build_box_of(struct build *b, const char *type, const void *p, size_t n)
{
    size_t at = build_open(b, type);
    build_data(b, p, n);
    build_close(b, at);
}
