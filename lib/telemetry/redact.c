/* What must not leave the device is cut out of free text, word by word. */
#include <string.h>

#include "base/str.h"
#include "base/util.h"

#include "telemetry/internal.h"

#define LONG_WORD 24    /* characters of hexadecimal or base64 that are no plain word */
#define WORD_MAX 4096   /* characters that are looked at as one */

struct out {
    char *p;
    size_t cap, n;
    bool cut; /* something did not fit */
};

static void put(struct out *o, cad_str s)
{
    size_t room = o->cap - 1 - o->n;
    size_t n = CAD_MIN(s.n, room);
    if (n) memcpy(o->p + o->n, s.p, n);
    o->n += n;
    o->cut = o->cut || n < s.n;
}

static bool is_break(char c)
{
    return cad_is_space(c) || c == '"' || c == '\'' || c == '(' || c == ')' || c == '<' ||
           c == '>' || c == '[' || c == ']' || c == '{' || c == '}' || c == ',' || c == ';' ||
           c == '|' || c == '`';
}

static bool is_coded(char c)
{
    return cad_is_alpha(c) || cad_is_digit(c) || c == '+' || c == '/' || c == '-' || c == '_' ||
           c == '=' || c == '.' || c == '%';
}

static bool is_secret_name(cad_str s)
{
    static const char *const names[] = {
        "t", "sc", "sig", "signature", "token", "access_token", "key", "k", "kid", "iv", "nonce",
        "cookie", "set-cookie", "authorization", "bearer", "password", "passwd", "secret",
        "challenge", "licence", "license", "policy", "key-pair-id", "esn", "auth", "session"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        if (cad_str_ieq(s, cad_str_from(names[i]))) return true;
    }
    return false;
}

/* Digits and dots, four parts; or hexadecimal and two colons at least. A port may follow. */
static bool is_address(cad_str s)
{
    size_t digits = 0, dots = 0, colons = 0, hex = 0;
    for (size_t i = 0; i < s.n; i++) {
        digits += cad_is_digit(s.p[i]);
        dots += s.p[i] == '.';
        colons += s.p[i] == ':';
        hex += cad_hex_value(s.p[i]) >= 0;
    }
    if (dots >= 3 && digits >= 4 && digits + dots + colons == s.n) return true;
    return colons >= 2 && hex >= 1 && hex + colons + dots == s.n;
}

/* A digit in it, or both cases: names of things rarely are so. */
static bool is_long_code(cad_str s)
{
    bool digit = false, upper = false, lower = false;
    if (s.n < LONG_WORD) return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_coded(s.p[i])) return false;
        digit = digit || cad_is_digit(s.p[i]);
        upper = upper || (s.p[i] >= 'A' && s.p[i] <= 'Z');
        lower = lower || (s.p[i] >= 'a' && s.p[i] <= 'z');
    }
    return digit || (upper && lower);
}

static bool is_path(cad_str s)
{
    bool drive = s.n > 2 && cad_is_alpha(s.p[0]) && s.p[1] == ':' &&
                 (s.p[2] == '\\' || s.p[2] == '/');
    bool unix_path = s.n > 1 && s.p[0] == '/' && cad_str_find_char(cad_str_sub(s, 1, s.n), '/') > 0;
    bool home = s.n > 1 && s.p[0] == '~' && s.p[1] == '/';
    return drive || unix_path || home || cad_str_starts(s, CAD_STR("\\\\"));
}

/* Something like a host name with a path or a query behind it. */
static bool has_query(cad_str s)
{
    ptrdiff_t q = cad_str_find_char(s, '?');
    return q >= 0 && cad_str_find_char(cad_str_sub(s, (size_t)q, s.n), '=') > 0;
}

static cad_str clean_plain(cad_str s)
{
    if (cad_str_find(s, CAD_STR("://")) >= 0 || has_query(s)) return CAD_STR("[url]");
    if (is_path(s)) return CAD_STR("[path]");
    if (is_address(s)) return CAD_STR("[address]");
    if (is_long_code(s)) return CAD_STR("[redacted]");
    return s;
}

/* name=value, name:value and & between them. */
static void clean_word(struct out *o, cad_str word, bool *named, bool *secret)
{
    cad_str whole = clean_plain(word);
    bool was_named = *named;
    *named = is_secret_name(word);
    if (whole.p != word.p) {
        put(o, whole);
        *secret = false;
        return;
    }
    if (was_named && (cad_str_eqz(word, ":") || cad_str_eqz(word, "="))) {
        put(o, word);
        *secret = true;
        return;
    }
    cad_str rest = word, pair;
    bool first = true, was_secret = *secret;
    *secret = false;
    while (cad_str_split(&rest, '&', &pair)) {
        if (!first) put(o, CAD_STR("&"));
        first = false;
        ptrdiff_t cut = cad_str_find_char(pair, '=');
        if (cut < 0) cut = cad_str_find_char(pair, ':');
        cad_str name = cut < 0 ? pair : cad_str_sub(pair, 0, (size_t)cut);
        cad_str value = cut < 0 ? cad_str_sub(pair, pair.n, 0)
                                : cad_str_sub(pair, (size_t)cut + 1, pair.n);
        bool hide = is_secret_name(name);
        bool scheme = cad_str_ieq(name, CAD_STR("bearer")) || cad_str_ieq(name, CAD_STR("basic"));
        if (was_secret && !scheme && cut < 0) {
            put(o, CAD_STR("[redacted]"));
            continue;
        }
        put(o, name);
        if (cut >= 0) put(o, cad_str_sub(pair, (size_t)cut, 1));
        if (value.n) put(o, hide ? CAD_STR("[redacted]") : clean_plain(value));
        /* "token: abc", "Bearer abc", "Authorization: Bearer abc" */
        *secret = (hide && cut >= 0 && value.n == 0) || scheme;
    }
}

size_t cad_telemetry_redact(cad_str text, char *out, size_t cap)
{
    struct out o = {out, cap, 0, false};
    bool named = false;  /* the word before was a secret name, as in "key" : "..." */
    bool secret = false; /* the next word is a secret */
    if (cap == 0) return 0;
    size_t i = 0;
    while (i < text.n && !o.cut) {
        size_t from = i;
        if (is_break(text.p[i])) {
            put(&o, cad_str_sub(text, i++, 1));
            continue;
        }
        while (i < text.n && i - from < WORD_MAX && !is_break(text.p[i])) i++;
        while (i < text.n && ((unsigned char)text.p[i] & 0xc0) == 0x80) i++; /* a whole character */
        clean_word(&o, cad_str_sub(text, from, i - from), &named, &secret);
    }
    /* A character that was cut in the middle goes altogether. */
    while (o.cut && o.n > 0 && ((unsigned char)out[o.n - 1] & 0xc0) == 0x80) o.n--;
    if (o.cut && o.n > 0 && ((unsigned char)out[o.n - 1] & 0xc0) == 0xc0) o.n--;
    out[o.n] = '\0';
    return o.n;
}
