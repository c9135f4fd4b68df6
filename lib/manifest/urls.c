/*
 * urls.c - from a segment's index to its URL: templates filled in, references resolved.
 */
#include "manifest/urls.h"

#include "base/checked.h"
#include "base/str.h"
#include "base/uri.h"

#define WIDTH_MAX 20 /* digits that %0Nd may ask for; more is cut to it */

/* ---- the published timeline ------------------------------------------------------------------ */

int cad_urls_at(const struct cad_segment_urls *urls, uint32_t index, struct cad_url_segment *out)
{
    if (!urls || !out) return CAD_E_INVAL;
    if (index >= urls->count || urls->run_count == 0) return CAD_E_NOTFOUND;
    uint32_t low = 0;
    uint32_t high = urls->run_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (urls->runs[middle].first <= index) low = middle;
        else high = middle;
    }
    const struct cad_url_run *run = &urls->runs[low];
    uint32_t ahead = index - run->first;
    int64_t offset = cad_mul_sat_i64(run->duration, ahead);
    *out = (struct cad_url_segment){cad_add_sat_i64(run->start, offset), run->duration,
                                    cad_add_sat_i64(run->number, ahead), run->item + ahead};
    return CAD_OK;
}

/* ---- templates (5.3.9.4.4) ------------------------------------------------------------------- */

/* "%0Nd" behind an identifier; 0 is "no width", -1 is not of this form. */
static int width_of(cad_str format)
{
    int64_t width = 0;
    if (format.n == 0) return 0;
    if (format.n < 4 || !cad_str_starts(format, CAD_STR("%0"))) return -1;
    if (format.p[format.n - 1] != 'd') return -1;
    cad_str digits = cad_str_sub(format, 2, format.n - 3);
    if (!cad_is_digit(digits.p[0]) || cad_str_to_i64(digits, &width) != 0) return -1;
    return width > WIDTH_MAX ? WIDTH_MAX : (int)width;
}

static void put_number(struct cad_sb *out, int64_t value, int width)
{
    char memory[32];
    struct cad_sb digits;
    cad_sb_init_fixed(&digits, memory, sizeof(memory));
    cad_sb_i64(&digits, value);
    for (int n = (int)digits.n; n < width; n++) cad_sb_putc(out, '0');
    cad_sb_put(out, cad_sb_str(&digits));
}

/* The text between two dollars; false if it is no identifier. */
static bool put_identifier(const struct cad_segment_urls *urls, const struct cad_url_segment *at,
                           cad_str name, struct cad_sb *out)
{
    if (cad_str_eq(name, CAD_STR("RepresentationID"))) {
        cad_sb_put(out, urls->id);
        return true;
    }
    ptrdiff_t percent = cad_str_find_char(name, '%');
    cad_str format = percent < 0 ? CAD_STR("") : cad_str_sub(name, (size_t)percent, name.n);
    if (percent >= 0) name = cad_str_sub(name, 0, (size_t)percent);
    int width = width_of(format);
    if (width < 0) return false;
    if (cad_str_eq(name, CAD_STR("Bandwidth"))) {
        put_number(out, urls->bandwidth, width);
        return true;
    }
    if (at && cad_str_eq(name, CAD_STR("Number"))) {
        put_number(out, at->number, width);
        return true;
    }
    if (at && cad_str_eq(name, CAD_STR("Time"))) {
        put_number(out, at->start, width);
        return true;
    }
    return false;
}

/* at NULL: an initialisation segment, which has neither number nor time. */
static void expand(const struct cad_segment_urls *urls, const struct cad_url_segment *at,
                   cad_str text, struct cad_sb *out)
{
    while (text.n > 0) {
        ptrdiff_t open = cad_str_find_char(text, '$');
        if (open < 0) break;
        cad_sb_put(out, cad_str_sub(text, 0, (size_t)open));
        cad_str rest = cad_str_sub(text, (size_t)open + 1, text.n);
        ptrdiff_t close = cad_str_find_char(rest, '$');
        if (close < 0) {
            text = cad_str_sub(text, (size_t)open, text.n);
            break;
        }
        cad_str name = cad_str_sub(rest, 0, (size_t)close);
        if (name.n == 0) {
            cad_sb_putc(out, '$');
        } else if (!put_identifier(urls, at, name, out)) {
            cad_sb_putc(out, '$');
            cad_sb_put(out, name);
            cad_sb_putc(out, '$');
        }
        text = cad_str_sub(rest, (size_t)close + 1, rest.n);
    }
    cad_sb_put(out, text);
}

/* ---- references ------------------------------------------------------------------------------ */

/* Bytes that published references have and no URL may. */
static bool is_plain(char c)
{
    unsigned char u = (unsigned char)c;
    return u > 0x20 && u < 0x7f && cad_str_find_char(CAD_STR("\"<>\\^`{|}"), c) < 0;
}

static void escape(cad_str text, struct cad_sb *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t from = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (is_plain(text.p[i])) continue;
        unsigned char u = (unsigned char)text.p[i];
        cad_sb_put(out, cad_str_sub(text, from, i - from));
        cad_sb_putc(out, '%');
        cad_sb_putc(out, digits[u >> 4]);
        cad_sb_putc(out, digits[u & 15]);
        from = i + 1;
    }
    cad_sb_put(out, cad_str_sub(text, from, text.n));
}

/* Both are relative: as if below a host, which (or whose scheme) is then cut off again. */
static int resolve_relative(cad_str base, cad_str ref, struct cad_sb *out)
{
    static const char dummy[] = "x://x/";
    char memory[CAD_URI_BYTES_MAX + sizeof(dummy)];
    struct cad_sb whole;
    size_t from = out->n;
    cad_sb_init_fixed(&whole, memory, sizeof(memory));
    bool rooted = base.n > 0 && base.p[0] == '/';
    cad_sb_put(&whole, cad_str_make(dummy, sizeof(dummy) - (rooted ? 2 : 1)));
    cad_sb_put(&whole, base);
    int rc = cad_sb_error(&whole);
    if (rc == 0) rc = cad_uri_resolve(cad_sb_str(&whole), ref, out);
    if (rc != 0) return rc;
    bool other_host = cad_str_starts(ref, CAD_STR("//"));
    bool was_rooted = rooted || (ref.n > 0 && ref.p[0] == '/');
    size_t cut = sizeof(dummy) - (was_rooted ? 2 : 1);
    if (other_host) cut = 2;
    for (size_t i = from; i + cut < out->n; i++) out->p[i] = out->p[i + cut];
    cad_sb_truncate(out, out->n - cut);
    return CAD_OK;
}

static bool has_scheme(cad_str text)
{
    struct cad_uri uri;
    return cad_uri_parse(text, &uri) == 0 && uri.has_scheme;
}

int cad_urls_resolve(cad_str base, cad_str ref, struct cad_sb *out)
{
    char memory[CAD_URI_BYTES_MAX + 1];
    struct cad_sb escaped;
    cad_sb_init_fixed(&escaped, memory, sizeof(memory));
    escape(cad_str_trim(ref), &escaped);
    int rc = cad_sb_error(&escaped);
    if (rc != 0) return rc;
    ref = cad_sb_str(&escaped);
    if (has_scheme(base)) return cad_uri_resolve(base, ref, out);
    if (has_scheme(ref)) return cad_uri_resolve(ref, ref, out);
    return resolve_relative(base, ref, out);
}

/* ---- for the engine -------------------------------------------------------------------------- */

static int template_url(const struct cad_segment_urls *urls, const struct cad_url_segment *at,
                        cad_str text, cad_str base, struct cad_sb *out)
{
    char memory[CAD_URI_BYTES_MAX + 1];
    struct cad_sb reference;
    cad_sb_init_fixed(&reference, memory, sizeof(memory));
    expand(urls, at, text, &reference);
    int rc = cad_sb_error(&reference);
    if (rc == 0) rc = cad_urls_resolve(base, cad_sb_str(&reference), out);
    return rc;
}

/* What went wrong in the words of the header: a URL that cannot be made is to be skipped. */
static int result_of(int rc, struct cad_sb *out, size_t from)
{
    if (rc == 0) return CAD_OK;
    cad_sb_truncate(out, from);
    return rc == CAD_E_NOMEM ? rc : CAD_E_INVAL;
}

int cad_segment_url(const struct cad_representation *representation,
                    const struct cad_location *location, uint32_t index, struct cad_sb *out,
                    struct cad_range *bytes)
{
    struct cad_url_segment at = {0};
    if (!representation || !location || !out || !bytes) return CAD_E_INVAL;
    const struct cad_segment_urls *urls = representation->urls;
    if (representation->addressing != CAD_ADDRESSING_SEGMENTS || !urls) return CAD_E_INVAL;
    int rc = cad_urls_at(urls, index, &at);
    if (rc != 0) return rc;
    struct cad_range range = {-1, -1};
    size_t from = out->n;
    if (urls->media.n > 0) {
        rc = template_url(urls, &at, urls->media, location->url, out);
    } else if (at.item < urls->item_count) {
        const struct cad_url_item *item = &urls->items[at.item];
        range = item->bytes;
        if (item->url.n > 0) rc = cad_urls_resolve(location->url, item->url, out);
        else cad_sb_put(out, location->url);
    } else {
        cad_sb_put(out, location->url);
    }
    if (rc == 0) rc = cad_sb_error(out);
    if (rc == 0) *bytes = range;
    return result_of(rc, out, from);
}

int cad_init_url(const struct cad_representation *representation,
                 const struct cad_location *location, struct cad_sb *out, struct cad_range *bytes)
{
    if (!representation || !location || !out || !bytes) return CAD_E_INVAL;
    const struct cad_segment_urls *urls = representation->urls;
    if (!urls || !urls->has_init) return CAD_E_NOTFOUND;
    size_t from = out->n;
    int rc = CAD_OK;
    if (urls->init.n > 0) rc = template_url(urls, NULL, urls->init, location->url, out);
    else cad_sb_put(out, location->url);
    if (rc == 0) rc = cad_sb_error(out);
    if (rc == 0) *bytes = urls->init_bytes;
    return result_of(rc, out, from);
}
