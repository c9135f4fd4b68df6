/*
 * uri.c - splitting and resolving URI references (RFC 3986), and hiding their secrets.
 *
 * The authority is where parsers disagree and attackers live: more than one "@", a backslash, or a
 * port that is no number is refused instead of guessed.
 */
#include "base/uri.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define NO_SUCH ((cad_str){NULL, 0})

/*
 * ---- splitting ---------------------------------------------------------------------------------
 */

static bool has_only_uri_bytes(cad_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f || c == '\\') return false;
    }
    return true;
}

/* The part of *rest before the first of `stops`; *rest then begins with that stop, or is empty. */
static cad_str take_until(cad_str *rest, cad_str stops)
{
    size_t n = 0;
    while (n < rest->n && cad_str_find_char(stops, rest->p[n]) < 0) n++;
    cad_str head = cad_str_sub(*rest, 0, n);
    *rest = cad_str_sub(*rest, n, rest->n);
    return head;
}

static bool skip_char(cad_str *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c) return false;
    *rest = cad_str_sub(*rest, 1, rest->n);
    return true;
}

static bool is_scheme(cad_str s)
{
    if (s.n == 0 || !cad_is_alpha(s.p[0])) return false;
    for (size_t i = 1; i < s.n; i++) {
        char c = s.p[i];
        if (!cad_is_alpha(c) && !cad_is_digit(c) && c != '+' && c != '-' && c != '.') return false;
    }
    return true;
}

/*
 * Unreserved, sub-delims and escapes: a reg-name; with ":" userinfo or the inside of an IP literal.
 */
static bool is_name(cad_str s, bool with_colon)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (cad_is_alpha(c) || cad_is_digit(c)) continue;
        if (cad_str_find_char(CAD_STR("-._~!$&'()*+,;=%"), c) >= 0) continue;
        if (!with_colon || c != ':') return false;
    }
    return true;
}

static bool is_digits(cad_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!cad_is_digit(s.p[i])) return false;
    }
    return true;
}

static int split_authority(cad_str authority, struct cad_uri *u)
{
    ptrdiff_t at = cad_str_find_char(authority, '@');
    if (at >= 0) {
        u->has_userinfo = true;
        u->userinfo = cad_str_sub(authority, 0, (size_t)at);
        authority = cad_str_sub(authority, (size_t)at + 1, authority.n);
        if (!is_name(u->userinfo, true)) return CAD_E_DATA;
    }
    bool literal = cad_str_starts(authority, CAD_STR("["));
    if (literal) {
        ptrdiff_t close = cad_str_find_char(authority, ']');
        if (close < 0) return CAD_E_DATA;
        u->host = cad_str_sub(authority, 0, (size_t)close + 1);
        authority = cad_str_sub(authority, (size_t)close + 1, authority.n);
    } else {
        u->host = take_until(&authority, CAD_STR(":"));
    }
    cad_str name = cad_uri_host(u);
    if (!is_name(name, literal) || (literal && name.n == 0)) return CAD_E_DATA;
    if (authority.n == 0) return CAD_OK;
    if (!skip_char(&authority, ':') || !is_digits(authority)) return CAD_E_DATA;
    u->has_port = true;
    u->port = authority;
    return CAD_OK;
}

int cad_uri_parse(cad_str text, struct cad_uri *out)
{
    struct cad_uri u = {0};
    if (text.n > CAD_URI_BYTES_MAX) return CAD_E_LIMIT;
    if (!has_only_uri_bytes(text)) return CAD_E_DATA;
    cad_str rest = text;
    cad_str head = take_until(&rest, CAD_STR(":/?#"));
    if (skip_char(&rest, ':')) {
        if (!is_scheme(head)) return CAD_E_DATA;
        u.has_scheme = true;
        u.scheme = head;
    } else {
        rest = text;
    }
    if (cad_str_starts(rest, CAD_STR("//"))) {
        rest = cad_str_sub(rest, 2, rest.n);
        u.has_authority = true;
        int err = split_authority(take_until(&rest, CAD_STR("/?#")), &u);
        if (err) return err;
    }
    u.path = take_until(&rest, CAD_STR("?#"));
    if (skip_char(&rest, '?')) {
        u.has_query = true;
        u.query = take_until(&rest, CAD_STR("#"));
    }
    if (skip_char(&rest, '#')) {
        u.has_fragment = true;
        u.fragment = rest;
    }
    *out = u;
    return CAD_OK;
}

/*
 * ---- putting together --------------------------------------------------------------------------
 */

static void put_authority(const struct cad_uri *u, struct cad_sb *out)
{
    if (!u->has_authority) return;
    cad_sb_put(out, CAD_STR("//"));
    if (u->has_userinfo) {
        cad_sb_put(out, u->userinfo);
        cad_sb_putc(out, '@');
    }
    cad_sb_put(out, u->host);
    if (u->has_port) {
        cad_sb_putc(out, ':');
        cad_sb_put(out, u->port);
    }
}

static void put_scheme(const struct cad_uri *u, struct cad_sb *out)
{
    if (!u->has_scheme) return;
    cad_sb_put(out, u->scheme);
    cad_sb_putc(out, ':');
}

static void put_tail(const struct cad_uri *u, struct cad_sb *out)
{
    if (u->has_query) {
        cad_sb_putc(out, '?');
        cad_sb_put(out, u->query);
    }
    if (u->has_fragment) {
        cad_sb_putc(out, '#');
        cad_sb_put(out, u->fragment);
    }
}

void cad_uri_write(const struct cad_uri *u, struct cad_sb *out)
{
    put_scheme(u, out);
    put_authority(u, out);
    cad_sb_put(out, u->path);
    put_tail(u, out);
}

/*
 * ---- resolving ---------------------------------------------------------------------------------
 */

/* Is the segment after the "/" at the start of s (or s itself, at the very start) this one? */
static bool is_segment(cad_str s, cad_str segment)
{
    return cad_str_starts(s, segment) && (s.n == segment.n || s.p[segment.n] == '/');
}

/*
 * RFC 3986 5.2.4 in place: p[0..n) becomes the path without dot segments; returns its length. What
 * is written never passes what is still to be read.
 */
static size_t remove_dot_segments(char *p, size_t n)
{
    size_t r = 0;
    size_t w = 0;
    while (r < n) {
        cad_str in = {p + r, n - r};
        if (cad_str_starts(in, CAD_STR("../"))) {
            r += 3;
        } else if (cad_str_starts(in, CAD_STR("./"))) {
            r += 2;
        } else if (is_segment(in, CAD_STR("/.")) || is_segment(in, CAD_STR("/.."))) {
            bool up = is_segment(in, CAD_STR("/.."));
            r += up ? 2 : 1;
            /* Either the "/" that follows stands there already, or the path ends in one. */
            if (r + 1 < n) r++;
            p[r] = '/';
            while (up && w > 0 && p[--w] != '/') {
            }
        } else if (cad_str_eq(in, CAD_STR(".")) || cad_str_eq(in, CAD_STR(".."))) {
            r = n;
        } else {
            do {
                p[w++] = p[r++];
            } while (r < n && p[r] != '/');
        }
    }
    return w;
}

/* Append the merged path (5.2.3) without dot segments. */
static void put_path(const struct cad_uri *base, cad_str path, struct cad_sb *out)
{
    size_t from = out->n;
    if (base && base->has_authority && base->path.n == 0) {
        cad_sb_putc(out, '/');
    } else if (base) {
        ptrdiff_t slash = cad_str_rfind_char(base->path, '/');
        cad_sb_put(out, cad_str_sub(base->path, 0, (size_t)(slash + 1)));
    }
    cad_sb_put(out, path);
    if (cad_sb_error(out) || out->n == from) return;
    cad_sb_truncate(out, from + remove_dot_segments(out->p + from, out->n - from));
}

/* The target's parts, 5.2.2; the path is what put_path makes of *path and *merge_with. */
static void transform(const struct cad_uri *base, const struct cad_uri *ref, struct cad_uri *t,
                      const struct cad_uri **merge_with)
{
    *t = *ref;
    *merge_with = NULL;
    if (ref->has_scheme) return;
    t->has_scheme = true;
    t->scheme = base->scheme;
    if (ref->has_authority) return;
    t->has_authority = base->has_authority;
    t->has_userinfo = base->has_userinfo;
    t->userinfo = base->userinfo;
    t->host = base->host;
    t->has_port = base->has_port;
    t->port = base->port;
    if (ref->path.n == 0) {
        t->path = base->path;
        if (!ref->has_query) {
            t->has_query = base->has_query;
            t->query = base->query;
        }
    } else if (ref->path.p[0] != '/') {
        *merge_with = base;
    }
}

int cad_uri_resolve(cad_str base, cad_str ref, struct cad_sb *out)
{
    struct cad_uri b;
    struct cad_uri r;
    struct cad_uri t;
    const struct cad_uri *merge_with;
    int err = cad_uri_parse(base, &b);
    if (!err) err = cad_uri_parse(ref, &r);
    if (err) return err;
    if (!b.has_scheme) return CAD_E_DATA;
    transform(&b, &r, &t, &merge_with);
    if (cad_sb_error(out)) return cad_sb_error(out);
    size_t from = out->n;
    put_scheme(&t, out);
    put_authority(&t, out);
    size_t path_at = out->n;
    if (!r.has_scheme && !r.has_authority && r.path.n == 0) {
        cad_sb_put(out, t.path);
    } else {
        put_path(merge_with, t.path, out);
    }
    /* Without authority a path must not begin like one. */
    cad_str path = cad_str_sub(cad_sb_str(out), path_at, out->n);
    if (!t.has_authority && cad_str_starts(path, CAD_STR("//"))) {
        cad_sb_truncate(out, from);
        return CAD_E_DATA;
    }
    put_tail(&t, out);
    err = cad_sb_error(out);
    if (!err && out->n - from > CAD_URI_BYTES_MAX) err = CAD_E_LIMIT;
    if (err) cad_sb_truncate(out, from);
    return err;
}

/*
 * ---- questions ---------------------------------------------------------------------------------
 */

cad_str cad_uri_host(const struct cad_uri *u)
{
    if (u->host.n >= 2 && u->host.p[0] == '[') return cad_str_sub(u->host, 1, u->host.n - 2);
    return u->host;
}

int32_t cad_uri_port(const struct cad_uri *u)
{
    if (u->port.n > 0) {
        uint64_t v;
        if (cad_str_to_u64(u->port, &v) || v == 0 || v > 65535) return -1;
        return (int32_t)v;
    }
    if (cad_str_ieq(u->scheme, CAD_STR("http"))) return 80;
    return cad_str_ieq(u->scheme, CAD_STR("https")) ? 443 : 0;
}

bool cad_uri_is_https(const struct cad_uri *u)
{
    return cad_str_ieq(u->scheme, CAD_STR("https")) && u->host.n > 0;
}

bool cad_uri_is_http(const struct cad_uri *u)
{
    return cad_uri_is_https(u) || (cad_str_ieq(u->scheme, CAD_STR("http")) && u->host.n > 0);
}

bool cad_uri_same_origin(const struct cad_uri *a, const struct cad_uri *b)
{
    return cad_str_ieq(a->scheme, b->scheme) && cad_str_ieq(a->host, b->host) &&
           a->has_authority == b->has_authority && cad_uri_port(a) == cad_uri_port(b) &&
           cad_uri_port(a) >= 0;
}

/*
 * ---- percent coding and queries ----------------------------------------------------------------
 */

void cad_uri_percent_encode(cad_str s, struct cad_sb *out)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        unsigned char byte = (unsigned char)c;
        if (cad_is_alpha(c) || cad_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
            cad_sb_putc(out, c);
        } else {
            char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};
            cad_sb_put(out, (cad_str){escape, sizeof(escape)});
        }
    }
}

int cad_uri_percent_decode(cad_str s, struct cad_sb *out)
{
    if (cad_sb_error(out)) return cad_sb_error(out);
    size_t from = out->n;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            cad_sb_putc(out, s.p[i]);
            continue;
        }
        int high = s.n - i > 2 ? cad_hex_value(s.p[i + 1]) : -1;
        int low = s.n - i > 2 ? cad_hex_value(s.p[i + 2]) : -1;
        if (high < 0 || low < 0) {
            cad_sb_truncate(out, from);
            return CAD_E_DATA;
        }
        cad_sb_putc(out, (char)(high << 4 | low));
        i += 2;
    }
    if (cad_sb_error(out)) cad_sb_truncate(out, from);
    return cad_sb_error(out);
}

/* "name=value" apart; without "=" the value has p NULL. */
static void split_pair(cad_str pair, cad_str *name, cad_str *value)
{
    ptrdiff_t equals = cad_str_find_char(pair, '=');
    *name = equals < 0 ? pair : cad_str_sub(pair, 0, (size_t)equals);
    *value = equals < 0 ? NO_SUCH : cad_str_sub(pair, (size_t)equals + 1, pair.n);
}

cad_str cad_uri_query_value(cad_str query, cad_str name)
{
    cad_str pair;
    while (cad_str_split(&query, '&', &pair)) {
        cad_str key;
        cad_str value;
        split_pair(pair, &key, &value);
        if (value.p && cad_str_eq(key, name)) return value;
    }
    return NO_SUCH;
}

/*
 * ---- hiding ------------------------------------------------------------------------------------
 */

static bool is_secret(cad_str name, cad_str value)
{
    static const cad_str names[] = {
        CAD_STR_INIT("t"),         CAD_STR_INIT("sc"),     CAD_STR_INIT("sig"),
        CAD_STR_INIT("token"),     CAD_STR_INIT("policy"), CAD_STR_INIT("key-pair-id"),
        CAD_STR_INIT("signature"),
    };
    if (value.n > CAD_URI_REDACT_VALUE_MAX) return true;
    /* An escaped name, or another separator within the value, may be a secret in disguise. */
    if (cad_str_find_char(name, '%') >= 0 || cad_str_find_char(value, ';') >= 0) return true;
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        if (cad_str_ieq(name, names[i])) return true;
    }
    return false;
}

static void put_redacted_query(cad_str query, struct cad_sb *out)
{
    cad_str pair;
    char before = '?';
    while (cad_str_split(&query, '&', &pair)) {
        cad_str name;
        cad_str value;
        cad_sb_putc(out, before);
        before = '&';
        split_pair(pair, &name, &value);
        if (!value.p) {
            /* A bare word may be a token as a whole. */
            cad_sb_put(out, name.n > CAD_URI_REDACT_VALUE_MAX ? CAD_STR("*") : name);
            continue;
        }
        cad_sb_put(out, name);
        cad_sb_putc(out, '=');
        cad_sb_put(out, is_secret(name, value) ? CAD_STR("*") : value);
    }
}

int cad_uri_redact(cad_str url, struct cad_sb *out)
{
    struct cad_uri u;
    if (cad_uri_parse(url, &u)) {
        cad_sb_put(out, CAD_STR("(bad url)"));
        return cad_sb_error(out);
    }
    put_scheme(&u, out);
    if (u.has_scheme && !u.has_authority) {
        cad_sb_putc(out, '*'); /* data: and the like carry their contents in the path */
        return cad_sb_error(out);
    }
    u.has_userinfo = false;
    put_authority(&u, out);
    cad_sb_put(out, u.path);
    if (u.has_query) put_redacted_query(u.query, out);
    if (u.has_fragment) cad_sb_put(out, CAD_STR("#*"));
    return cad_sb_error(out);
}
