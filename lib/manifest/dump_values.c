/*
 * dump_values.c - members of the canonical dump, for every format.
 */
#include "manifest/dump.h"

#include "base/checked.h"
#include "base/str.h"

#define UUID_BYTES 16u
#define UUID_TEXT 36u

/* ---- values ---------------------------------------------------------------------------------- */

void cad_dump_micros(struct cad_dump *d, const char *key, cad_i128 a, cad_i128 b)
{
    cad_i128 size = a < 0 ? -a : a;
    cad_i128 q = size / b;
    cad_i128 rest = size - q * b;
    if (rest >= b - rest) q++;
    if (q > INT64_MAX) q = INT64_MAX;
    cad_jsonw_key(&d->json, cad_str_from(key));
    cad_jsonw_fixed_trim(&d->json, a < 0 ? -(int64_t)q : (int64_t)q, 6);
}

void cad_dump_ratio(struct cad_dump *d, const char *key, int64_t a, int64_t b)
{
    cad_dump_micros(d, key, (cad_i128)a * 1000000, b);
}

void cad_dump_time(struct cad_dump *d, const char *key, cad_time t)
{
    if (t != CAD_TIME_NONE) cad_dump_ratio(d, key, t, CAD_SECOND);
}

void cad_dump_text(struct cad_dump *d, const char *key, cad_str text)
{
    if (text.n > 0) cad_jsonw_key_string(&d->json, key, text);
}

void cad_dump_number(struct cad_dump *d, const char *key, int64_t value, int64_t absent)
{
    if (value != absent) cad_jsonw_key_i64(&d->json, key, value);
}

void cad_dump_flag(struct cad_dump *d, const char *key, bool value)
{
    if (value) cad_jsonw_key_bool(&d->json, key, true);
}

/* Bytes that may stand in a dumped URL as they are. */
static bool is_plain(unsigned char c)
{
    if (c <= 0x20 || c >= 0x7f) return false;
    return cad_str_find_char(CAD_STR("\"<>\\^`{|}"), (char)c) < 0;
}

void cad_dump_url(struct cad_dump *d, const char *key, cad_str url)
{
    static const char digits[] = "0123456789ABCDEF";
    cad_sb_reset(&d->url);
    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];
        if (is_plain(c)) {
            cad_sb_putc(&d->url, (char)c);
        } else {
            cad_sb_putc(&d->url, '%');
            cad_sb_putc(&d->url, digits[c >> 4]);
            cad_sb_putc(&d->url, digits[c & 15]);
        }
    }
    if (d->url_error == 0) d->url_error = cad_sb_error(&d->url);
    cad_dump_text(d, key, cad_sb_str(&d->url));
}

void cad_dump_range(struct cad_dump *d, const char *key, struct cad_range range)
{
    char memory[48];
    struct cad_sb sb;
    if (range.first < 0) return;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    cad_sb_i64(&sb, range.first);
    cad_sb_putc(&sb, '-');
    if (range.last >= 0) cad_sb_i64(&sb, range.last);
    cad_jsonw_key_string(&d->json, key, cad_sb_str(&sb));
}

void cad_dump_open_array(struct cad_dump *d, const char *key)
{
    cad_jsonw_key(&d->json, cad_str_from(key));
    cad_jsonw_array(&d->json);
}

void cad_dump_place(struct cad_dump *d, cad_str url, cad_str service_location)
{
    cad_jsonw_object(&d->json);
    cad_dump_url(d, "url", url);
    cad_dump_text(d, "service_location", service_location);
    cad_jsonw_end(&d->json);
}

void cad_dump_uuid(struct cad_dump *d, const char *key, const uint8_t *uuid)
{
    static const char digits[] = "0123456789abcdef";
    char text[UUID_TEXT];
    size_t n = 0;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text[n++] = '-';
        text[n++] = digits[uuid[i] >> 4];
        text[n++] = digits[uuid[i] & 15];
    }
    cad_jsonw_key_string(&d->json, key, cad_str_make(text, n));
}
