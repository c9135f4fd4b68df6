#include "base/shown.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

bool cad_shown(uint32_t cp)
{
    if (cp < 0x20 || (cp >= 0x7f && cp <= 0x9f)) return false;
    if (cp == 0x061c || cp == 0x200e || cp == 0x200f) return false;
    if (cp >= 0x2028 && cp <= 0x202e) return false;
    return cp < 0x2066 || cp > 0x2069;
}

size_t cad_shown_run(cad_str s, size_t *bad)
{
    size_t at = 0;
    while (at < s.n) {
        uint32_t cp = 0;
        int length = cad_utf8_decode(cad_str_sub(s, at, 4), &cp);
        if (length < 0 || !cad_shown(cp)) {
            *bad = length < 0 ? 1 : (size_t)length;
            return at;
        }
        at += (size_t)length;
    }
    *bad = 0;
    return at;
}

size_t cad_shown_copyz(char *dst, size_t cap, cad_str s)
{
    size_t used = 0;
    if (cap == 0) return 0;
    while (s.n > 0) {
        size_t bad = 0;
        size_t n = cad_shown_run(s, &bad);
        size_t fits = cad_utf8_cut(cad_str_sub(s, 0, n), cap - 1 - used);
        if (fits > 0) memcpy(dst + used, s.p, fits);
        used += fits;
        if (fits < n || used + 1 == cap) break;
        if (bad > 0) dst[used++] = '?';
        s = cad_str_sub(s, n + bad, s.n);
    }
    dst[used] = '\0';
    return used;
}

/* All of them lie below U+10000: one escape is enough. */
static void put_escape(struct cad_sb *sb, uint32_t cp)
{
    static const char digits[] = "0123456789abcdef";
    cad_sb_put(sb, CAD_STR("\\u"));
    for (uint32_t shift = 16; shift > 0; shift -= 4) {
        cad_sb_putc(sb, digits[cp >> (shift - 4) & 15]);
    }
}

void cad_shown_json(struct cad_sb *sb, cad_str json)
{
    while (json.n > 0) {
        size_t bad = 0;
        size_t n = cad_shown_run(json, &bad);
        uint32_t cp = CAD_UTF8_REPLACEMENT;
        cad_sb_put(sb, cad_str_sub(json, 0, n));
        json = cad_str_sub(json, n, json.n);
        /* A byte that is no UTF-8 leaves the replacement character. */
        if (bad > 0 && cad_utf8_decode(json, &cp) < 0) cp = CAD_UTF8_REPLACEMENT;
        if (bad > 0 && cp < 0x20) {
            cad_sb_putc(sb, (char)cp);
        } else if (bad > 0) {
            put_escape(sb, cp);
        }
        json = cad_str_sub(json, bad, json.n);
    }
}
