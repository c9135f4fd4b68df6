/*
 * str.h - working with views (cad_str): compare, cut, search, read numbers, hash.
 *
 * A view owns nothing; every function here is pure and returns views into its arguments. Bytes are
 * compared as unsigned. Nothing depends on the locale.
 */
#ifndef CAD_BASE_STR_H
#define CAD_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

/* A view of a string literal, as an expression and as an initializer of a static table. */
#define CAD_STR(lit) ((cad_str){(lit), sizeof(lit) - 1})
#define CAD_STR_INIT(lit) {(lit), sizeof(lit) - 1}

/* For "%.*s": CAD_STR_ARG(s). Views longer than INT_MAX are shown cut. */
#define CAD_STR_ARG(s) ((s).n > 0x7fffffff ? 0x7fffffff : (int)(s).n), ((s).n ? (s).p : "")

/* The view of a NUL-terminated string; NULL gives the empty view. */
cad_str cad_str_from(const char *z);
cad_str cad_str_make(const char *p, size_t n);
cad_str cad_str_from_buf(cad_buf b);
cad_buf cad_buf_from_str(cad_str s);

bool cad_str_eq(cad_str a, cad_str b);
bool cad_str_eqz(cad_str a, const char *z);
/* < 0, 0, > 0 in the order of unsigned bytes, a prefix before the longer one. */
int cad_str_cmp(cad_str a, cad_str b);
/* Equal but for the case of ASCII letters. */
bool cad_str_ieq(cad_str a, cad_str b);
bool cad_str_starts(cad_str s, cad_str prefix);
bool cad_str_ends(cad_str s, cad_str suffix);

/* At most n bytes from offset from; both are clamped to the view. */
cad_str cad_str_sub(cad_str s, size_t from, size_t n);
/* Offset of the first c, or of the first occurrence of needle; -1 none. Empty needle: 0. */
ptrdiff_t cad_str_find_char(cad_str s, char c);
ptrdiff_t cad_str_find(cad_str s, cad_str needle);
ptrdiff_t cad_str_rfind_char(cad_str s, char c);
/* Without leading and trailing space, tab, CR, LF, VT and FF. */
cad_str cad_str_trim(cad_str s);
/*
 * The next field of *rest up to sep, which is taken away with its separator. False when *rest was
 * used up: rest->p is NULL then. "a,,b" gives a, "", b; an empty view with p not NULL gives one "".
 */
bool cad_str_split(cad_str *rest, char sep, cad_str *field);

/*
 * The whole view as a decimal number: digits, with an optional '-' for the signed form; no white
 * space, no '+'. CAD_E_DATA: not a number. CAD_E_LIMIT: does not fit.
 */
CAD_MUST_CHECK int cad_str_to_i64(cad_str s, int64_t *out);
CAD_MUST_CHECK int cad_str_to_u64(cad_str s, uint64_t *out);

/*
 * Copy to dst[cap] with a closing NUL; text that does not fit is cut before the UTF-8 character
 * that would be split. Returns the bytes copied without the NUL. cap 0 writes nothing.
 */
size_t cad_str_copyz(char *dst, size_t cap, cad_str s);

/* A 64-bit hash, the same on every platform. For tables only: it resists no attacker. */
uint64_t cad_hash64(const void *p, size_t n, uint64_t seed);
/* A bijective mix of 64 bits, for integer keys. */
uint64_t cad_hash_u64(uint64_t v);

/* ASCII only, no locale. */
bool cad_is_space(char c);
bool cad_is_digit(char c);
bool cad_is_alpha(char c);
char cad_to_lower(char c);
/* 0..15, or -1. */
int cad_hex_value(char c);

#endif
