/*
 * checked.h - sums, products and narrowings of numbers that came from outside.
 *
 * Every function returns true on success and stores the result; on overflow it returns false and
 * leaves *out as it was. cad_muldiv_floor_i64 is the one place where a product is scaled: it keeps
 * 128 bits in between.
 */
#ifndef CAD_BASE_CHECKED_H
#define CAD_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#include "base/assert.h"

__extension__ typedef __int128 cad_i128;

#define CAD_CHECKED_OP(name, type, builtin)                                                        \
    CAD_MUST_CHECK static inline bool name(type a, type b, type *out)                              \
    {                                                                                              \
        type r;                                                                                    \
        if (builtin(a, b, &r)) return false;                                                       \
        *out = r;                                                                                  \
        return true;                                                                               \
    }

CAD_CHECKED_OP(cad_add_i64, int64_t, __builtin_add_overflow)
CAD_CHECKED_OP(cad_sub_i64, int64_t, __builtin_sub_overflow)
CAD_CHECKED_OP(cad_mul_i64, int64_t, __builtin_mul_overflow)
CAD_CHECKED_OP(cad_add_u64, uint64_t, __builtin_add_overflow)
CAD_CHECKED_OP(cad_sub_u64, uint64_t, __builtin_sub_overflow)
CAD_CHECKED_OP(cad_mul_u64, uint64_t, __builtin_mul_overflow)
CAD_CHECKED_OP(cad_add_u32, uint32_t, __builtin_add_overflow)
CAD_CHECKED_OP(cad_mul_u32, uint32_t, __builtin_mul_overflow)
CAD_CHECKED_OP(cad_add_size, size_t, __builtin_add_overflow)
CAD_CHECKED_OP(cad_sub_size, size_t, __builtin_sub_overflow)
CAD_CHECKED_OP(cad_mul_size, size_t, __builtin_mul_overflow)

/* Adding 0 in the target type is how the builtin says "does it fit". */
#define CAD_CHECKED_CAST(name, from, to)                                                           \
    CAD_MUST_CHECK static inline bool name(from v, to *out)                                        \
    {                                                                                              \
        to r;                                                                                      \
        if (__builtin_add_overflow(v, (from)0, &r)) return false;                                  \
        *out = r;                                                                                  \
        return true;                                                                               \
    }

CAD_CHECKED_CAST(cad_i64_to_u32, int64_t, uint32_t)
CAD_CHECKED_CAST(cad_i64_to_i32, int64_t, int32_t)
CAD_CHECKED_CAST(cad_i64_to_u64, int64_t, uint64_t)
CAD_CHECKED_CAST(cad_i64_to_size, int64_t, size_t)
CAD_CHECKED_CAST(cad_u64_to_u32, uint64_t, uint32_t)
CAD_CHECKED_CAST(cad_u64_to_i64, uint64_t, int64_t)
CAD_CHECKED_CAST(cad_u64_to_size, uint64_t, size_t)
CAD_CHECKED_CAST(cad_size_to_u32, size_t, uint32_t)
CAD_CHECKED_CAST(cad_size_to_i64, size_t, int64_t)
CAD_CHECKED_CAST(cad_size_to_int, size_t, int)

/* a + b and a - b, saturating at +-INT64_MAX, so that INT64_MIN stays free to mean "none". */
static inline int64_t cad_add_sat_i64(int64_t a, int64_t b)
{
    int64_t r;
    if (__builtin_add_overflow(a, b, &r)) return b > 0 ? INT64_MAX : -INT64_MAX;
    return r == INT64_MIN ? -INT64_MAX : r;
}

static inline int64_t cad_sub_sat_i64(int64_t a, int64_t b)
{
    int64_t r;
    if (__builtin_sub_overflow(a, b, &r)) return b < 0 ? INT64_MAX : -INT64_MAX;
    return r == INT64_MIN ? -INT64_MAX : r;
}

/* a * b, saturating at +-INT64_MAX. */
static inline int64_t cad_mul_sat_i64(int64_t a, int64_t b)
{
    int64_t r;
    if (__builtin_mul_overflow(a, b, &r)) return (a < 0) != (b < 0) ? -INT64_MAX : INT64_MAX;
    return r == INT64_MIN ? -INT64_MAX : r;
}

/* floor(a * b / c) with 128 bits in between, saturating at +-INT64_MAX; c must be > 0. */
static inline int64_t cad_muldiv_floor_i64(int64_t a, int64_t b, int64_t c)
{
    CAD_ASSERT(c > 0);
    if (c <= 0) return 0;
    int64_t narrow;
    if (!__builtin_mul_overflow(a, b, &narrow) && narrow > -INT64_MAX) {
        int64_t floored = narrow / c; /* a division of 128 bits costs many times this */
        return narrow % c < 0 ? floored - 1 : floored;
    }
    cad_i128 product = (cad_i128)a * b;
    cad_i128 q = product / c;
    if (product % c < 0) q--;
    if (q > INT64_MAX) return INT64_MAX;
    if (q < -INT64_MAX) return -INT64_MAX;
    return (int64_t)q;
}

#endif
