#include "base/base64.h"

#include <stdbool.h>

#include "base/str.h"

size_t cad_base64_encoded_size(size_t n)
{
    size_t groups = n / 3 + (n % 3 != 0);
    return groups > SIZE_MAX / 4 ? SIZE_MAX : groups * 4;
}

size_t cad_base64_decoded_max(size_t n)
{
    return n / 4 * 3 + n % 4; /* three for whole groups, at most two for a rest */
}

static char digit_of(uint32_t v, unsigned flags)
{
    bool url = (flags & CAD_BASE64_URL) != 0;
    if (v < 26) return (char)('A' + v);
    if (v < 52) return (char)('a' + (v - 26));
    if (v < 62) return (char)('0' + (v - 52));
    if (v == 62) return url ? '-' : '+';
    return url ? '_' : '/';
}

/* 0..63, or -1 for a character that is not of the alphabet. */
static int value_of(char c, unsigned flags)
{
    bool any = (flags & CAD_BASE64_ANY) != 0;
    bool url = any || (flags & CAD_BASE64_URL) != 0;
    bool standard = any || !url;
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if ((c == '+' && standard) || (c == '-' && url)) return 62;
    if ((c == '/' && standard) || (c == '_' && url)) return 63;
    return -1;
}

int cad_base64_encode(cad_buf in, unsigned flags, char *out, size_t cap, size_t *n)
{
    bool pad = (flags & CAD_BASE64_NO_PAD) == 0;
    size_t rest = in.n % 3;
    size_t size = cad_base64_encoded_size(in.n);
    if (size == SIZE_MAX) return CAD_E_LIMIT;
    if (!pad && rest) size -= 3 - rest;
    if (size > cap) return CAD_E_LIMIT;
    size_t o = 0;
    for (size_t i = 0; i < in.n; i += 3) {
        size_t have = in.n - i < 3 ? in.n - i : 3;
        uint32_t group = (uint32_t)in.p[i] << 16;
        if (have > 1) group |= (uint32_t)in.p[i + 1] << 8;
        if (have > 2) group |= in.p[i + 2];
        for (size_t k = 0; k <= have; k++) out[o++] = digit_of(group >> (18 - 6 * k) & 63, flags);
        for (size_t k = have; pad && k < 3; k++) out[o++] = '=';
    }
    *n = o;
    return CAD_OK;
}

/* What decoding keeps between characters. */
struct decoder {
    uint32_t group;  /* bits not written yet, at the low end */
    uint32_t digits; /* in this group, 0..3 */
    uint32_t pads;   /* '=' seen */
    uint8_t *out;
    size_t cap;
    size_t n;
};

static int write_byte(struct decoder *d, uint32_t v)
{
    if (d->n == d->cap) return CAD_E_LIMIT;
    d->out[d->n++] = (uint8_t)v;
    return CAD_OK;
}

static int take_digit(struct decoder *d, uint32_t v)
{
    if (d->pads) return CAD_E_DATA;
    d->group = d->group << 6 | v;
    d->digits++;
    if (d->digits < 4) return CAD_OK;
    uint32_t group = d->group;
    d->group = 0;
    d->digits = 0;
    int err = write_byte(d, group >> 16 & 0xFF);
    if (!err) err = write_byte(d, group >> 8 & 0xFF);
    if (!err) err = write_byte(d, group & 0xFF);
    return err;
}

/* The last, short group: its spare bits must be zero and its padding whole or absent. */
static int finish(struct decoder *d)
{
    if (d->digits == 1) return CAD_E_DATA;
    if (d->pads && d->digits + d->pads != 4) return CAD_E_DATA;
    if (d->digits == 2) {
        return d->group & 0xF ? CAD_E_DATA : write_byte(d, d->group >> 4);
    }
    if (d->digits == 3) {
        if (d->group & 0x3) return CAD_E_DATA;
        int err = write_byte(d, d->group >> 10);
        return err ? err : write_byte(d, d->group >> 2 & 0xFF);
    }
    return CAD_OK;
}

int cad_base64_decode(cad_str in, unsigned flags, uint8_t *out, size_t cap, size_t *n)
{
    struct decoder d = {.out = out, .cap = cap};
    bool skip = (flags & CAD_BASE64_SKIP_SPACE) != 0;
    int err;
    for (size_t i = 0; i < in.n; i++) {
        char c = in.p[i];
        if (skip && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) continue;
        if (c == '=') {
            if (d.digits < 2 || ++d.pads > 4 - d.digits) return CAD_E_DATA;
            continue;
        }
        int v = value_of(c, flags);
        if (v < 0) return CAD_E_DATA;
        err = take_digit(&d, (uint32_t)v);
        if (err) return err;
    }
    err = finish(&d);
    if (err) return err;
    *n = d.n;
    return CAD_OK;
}

int cad_hex_encode(cad_buf in, char *out, size_t cap)
{
    static const char digits[] = "0123456789abcdef";
    if (in.n > cap / 2) return CAD_E_LIMIT;
    for (size_t i = 0; i < in.n; i++) {
        out[2 * i] = digits[in.p[i] >> 4];
        out[2 * i + 1] = digits[in.p[i] & 15];
    }
    return CAD_OK;
}

int cad_hex_decode(cad_str in, uint8_t *out, size_t cap, size_t *n)
{
    if (in.n % 2) return CAD_E_DATA;
    for (size_t i = 0; i < in.n; i++) {
        if (cad_hex_value(in.p[i]) < 0) return CAD_E_DATA;
    }
    if (in.n / 2 > cap) return CAD_E_LIMIT;
    for (size_t i = 0; i < in.n; i += 2) {
        out[i / 2] = (uint8_t)(cad_hex_value(in.p[i]) << 4 | cad_hex_value(in.p[i + 1]));
    }
    *n = in.n / 2;
    return CAD_OK;
}
