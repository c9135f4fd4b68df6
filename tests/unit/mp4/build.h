/*
 * build.h - writes boxes for the tests of the mp4 room.
 *
 *     struct build b;
 *     build_init(&b);
 *     size_t moov = build_open(&b, "moov");
 *     build_full(&b, "mvhd", 0, 0) ... build_close(&b, at);
 *     build_close(&b, moov);
 *
 * The bytes live in the struct; a test that writes more than fits ends at once.
 */
#ifndef TESTS_UNIT_MP4_BUILD_H
#define TESTS_UNIT_MP4_BUILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mp4/mp4.h"

enum { BUILD_BYTES_MAX = 1 << 20 };

struct build {
    uint8_t bytes[BUILD_BYTES_MAX];
    size_t n;
};

void build_init(struct build *b);
cad_buf build_view(const struct build *b);
/* A copy of exactly n of the bytes, so that a sanitizer sees a read behind them; free() it. */
uint8_t *build_copy(const struct build *b, size_t n);

void build_uint(struct build *b, unsigned bytes, uint64_t value);
void build_u8(struct build *b, uint8_t value);
void build_u16(struct build *b, uint16_t value);
void build_u32(struct build *b, uint32_t value);
void build_u64(struct build *b, uint64_t value);
void build_zeros(struct build *b, size_t n);
void build_data(struct build *b, const void *p, size_t n);

/* Opens a box; the answer goes to build_close, which writes its size. */
size_t build_open(struct build *b, const char *type);
size_t build_full(struct build *b, const char *type, uint8_t version, uint32_t flags);
/* With a 64-bit size. */
size_t build_open_large(struct build *b, const char *type);
void build_close(struct build *b, size_t at);
/* A box with a payload of n zeros. */
void build_box(struct build *b, const char *type, size_t n);
/* A box with a payload. */
void build_box_of(struct build *b, const char *type, const void *p, size_t n);

#endif
