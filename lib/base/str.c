#include "base/str.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/utf8.h"
#include "base/util.h"

cad_str cad_str_from(const char *z)
{
    return z ? (cad_str){z, strlen(z)} : (cad_str){NULL, 0};
}

cad_str cad_str_make(const char *p, size_t n)
{
    return (cad_str){p, n};
}

cad_str cad_str_from_buf(cad_buf b)
{
    return (cad_str){(const char *)b.p, b.n};
}

cad_buf cad_buf_from_str(cad_str s)
{
    return (cad_buf){(const uint8_t *)s.p, s.n};
}

bool cad_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool cad_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool cad_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char cad_to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int cad_hex_value(char c)
{
    if (cad_is_digit(c)) return c - '0';
    c = cad_to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool cad_str_eq(cad_str a, cad_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool cad_str_eqz(cad_str a, const char *z)
{
    return cad_str_eq(a, cad_str_from(z));
}

int cad_str_cmp(cad_str a, cad_str b)
{
    size_t n = CAD_MIN(a.n, b.n);
    int order = n ? memcmp(a.p, b.p, n) : 0;
    if (order != 0) return order;
    return (a.n > b.n) - (a.n < b.n);
}

bool cad_str_ieq(cad_str a, cad_str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++) {
        if (cad_to_lower(a.p[i]) != cad_to_lower(b.p[i])) return false;
    }
    return true;
}

bool cad_str_starts(cad_str s, cad_str prefix)
{
    return prefix.n <= s.n && cad_str_eq(cad_str_sub(s, 0, prefix.n), prefix);
}

bool cad_str_ends(cad_str s, cad_str suffix)
{
    return suffix.n <= s.n && cad_str_eq(cad_str_sub(s, s.n - suffix.n, suffix.n), suffix);
}

cad_str cad_str_sub(cad_str s, size_t from, size_t n)
{
    if (!s.p) return s;
    if (from > s.n) from = s.n;
    return (cad_str){s.p + from, CAD_MIN(n, s.n - from)};
}

ptrdiff_t cad_str_find_char(cad_str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? hit - s.p : -1;
}

ptrdiff_t cad_str_find(cad_str s, cad_str needle)
{
    if (needle.n == 0) return 0;
    for (size_t i = 0; needle.n <= s.n - i; i++) {
        ptrdiff_t hit = cad_str_find_char(cad_str_sub(s, i, s.n), needle.p[0]);
        if (hit < 0) return -1;
        i += (size_t)hit;
        if (cad_str_starts(cad_str_sub(s, i, s.n), needle)) return (ptrdiff_t)i;
    }
    return -1;
}

ptrdiff_t cad_str_rfind_char(cad_str s, char c)
{
    for (size_t i = s.n; i > 0; i--) {
        if (s.p[i - 1] == c) return (ptrdiff_t)(i - 1);
    }
    return -1;
}

cad_str cad_str_trim(cad_str s)
{
    while (s.n > 0 && cad_is_space(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && cad_is_space(s.p[s.n - 1])) s.n--;
    return s;
}

bool cad_str_split(cad_str *rest, char sep, cad_str *field)
{
    if (!rest->p) return false;
    ptrdiff_t at = cad_str_find_char(*rest, sep);
    if (at < 0) {
        *field = *rest;
        *rest = (cad_str){NULL, 0};
        return true;
    }
    *field = cad_str_sub(*rest, 0, (size_t)at);
    *rest = cad_str_sub(*rest, (size_t)at + 1, rest->n);
    return true;
}

int cad_str_to_u64(cad_str s, uint64_t *out)
{
    uint64_t v = 0;
    bool fits = true;
    if (s.n == 0) return CAD_E_DATA;
    for (size_t i = 0; i < s.n; i++) {
        if (!cad_is_digit(s.p[i])) return CAD_E_DATA;
        fits = fits && cad_mul_u64(v, 10, &v) && cad_add_u64(v, (uint64_t)(s.p[i] - '0'), &v);
    }
    if (!fits) return CAD_E_LIMIT;
    *out = v;
    return CAD_OK;
}

int cad_str_to_i64(cad_str s, int64_t *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    uint64_t v;
    int err = cad_str_to_u64(negative ? cad_str_sub(s, 1, s.n) : s, &v);
    if (err) return err;
    if (v > (uint64_t)INT64_MAX + (negative ? 1 : 0)) return CAD_E_LIMIT;
    /* Negating before the cast keeps INT64_MIN within range on the way. */
    *out = negative && v > 0 ? -(int64_t)(v - 1) - 1 : (int64_t)v;
    return CAD_OK;
}

size_t cad_str_copyz(char *dst, size_t cap, cad_str s)
{
    if (cap == 0) return 0;
    size_t n = cad_utf8_cut(s, cap - 1);
    if (n > 0) memmove(dst, s.p, n);
    dst[n] = '\0';
    return n;
}

uint64_t cad_hash_u64(uint64_t v)
{
    v ^= v >> 32;
    v *= UINT64_C(0xd6e8feb86659fd93);
    v ^= v >> 32;
    v *= UINT64_C(0xd6e8feb86659fd93);
    v ^= v >> 32;
    return v;
}

uint64_t cad_hash64(const void *p, size_t n, uint64_t seed)
{
    const uint8_t *at = p;
    uint64_t h = cad_hash_u64(seed ^ ((uint64_t)n * UINT64_C(0x9e3779b97f4a7c15)));
    while (n >= 8) {
        h = cad_hash_u64(h ^ cad_le64(at)) + UINT64_C(0x9e3779b97f4a7c15);
        at += 8;
        n -= 8;
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < n; i++) tail |= (uint64_t)at[i] << (8 * i);
    return cad_hash_u64(h ^ tail);
}
