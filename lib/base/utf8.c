#include "base/utf8.h"

#include "base/util.h"

/*
 * Well-formed sequences (Unicode table 3-7): what the second byte may be depends on the first,
 * which is how overlong forms, surrogates and values above U+10FFFF are shut out.
 */
struct lead {
    uint8_t first, last;   /* first byte, inclusive */
    uint8_t low, high;     /* second byte, inclusive */
    uint8_t length;        /* bytes of the whole sequence */
};

static const struct lead leads[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static int decode_long(const uint8_t *p, size_t n, uint32_t *cp)
{
    const struct lead *lead = NULL;
    for (size_t i = 0; i < CAD_ARRAY_LEN(leads); i++) {
        if (p[0] >= leads[i].first && p[0] <= leads[i].last) lead = &leads[i];
    }
    if (!lead) return CAD_E_DATA;
    uint32_t v = p[0] & (0x7Fu >> lead->length);
    for (size_t i = 1; i < lead->length; i++) {
        if (i >= n) return CAD_E_AGAIN;
        uint8_t low = i == 1 ? lead->low : 0x80;
        uint8_t high = i == 1 ? lead->high : 0xBF;
        if (p[i] < low || p[i] > high) return CAD_E_DATA;
        v = v << 6 | (p[i] & 0x3Fu);
    }
    *cp = v;
    return lead->length;
}

int cad_utf8_decode(cad_str s, uint32_t *cp)
{
    if (s.n == 0) return CAD_E_AGAIN;
    const uint8_t *p = (const uint8_t *)s.p;
    if (p[0] >= 0x80) return decode_long(p, s.n, cp);
    *cp = p[0];
    return 1;
}

bool cad_utf8_valid(cad_str s)
{
    const uint8_t *p = (const uint8_t *)s.p;
    size_t i = 0;
    while (i < s.n) {
        if (p[i] < 0x80) {
            i++;
            continue;
        }
        uint32_t cp;
        int length = decode_long(p + i, s.n - i, &cp);
        if (length < 0) return false;
        i += (size_t)length;
    }
    return true;
}

size_t cad_utf8_encode(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0u | cp >> 6);
        out[1] = (char)(0x80u | (cp & 0x3Fu));
        return 2;
    }
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) return 0;
    if (cp < 0x10000) {
        out[0] = (char)(0xE0u | cp >> 12);
        out[1] = (char)(0x80u | (cp >> 6 & 0x3Fu));
        out[2] = (char)(0x80u | (cp & 0x3Fu));
        return 3;
    }
    out[0] = (char)(0xF0u | cp >> 18);
    out[1] = (char)(0x80u | (cp >> 12 & 0x3Fu));
    out[2] = (char)(0x80u | (cp >> 6 & 0x3Fu));
    out[3] = (char)(0x80u | (cp & 0x3Fu));
    return 4;
}

size_t cad_utf8_cut(cad_str s, size_t max)
{
    if (s.n <= max) return s.n;
    size_t n = max;
    /* A character has at most three continuation bytes; more of them is not UTF-8, cut anywhere. */
    for (int back = 0; back < 4 && n > 0; back++, n--) {
        if (((uint8_t)s.p[n] & 0xC0u) != 0x80u) return n;
    }
    return n > 0 ? max : 0;
}
