/* Secrets and their pseudonyms; the rules are in tape_names.h and docs/tape.md. */
#include "drive/tape_names.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"

/* ---- the keyed hash ---------------------------------------------------------------------- */

static uint64_t rotate(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t tape_names_hash(const uint64_t key[2], uint64_t extra, cad_str text)
{
    uint64_t v[4] = {key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
                     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u};
    sip_word(v, extra);
    uint64_t word = 0;
    for (size_t i = 0; i < text.n; i++) {
        word |= (uint64_t)(uint8_t)text.p[i] << (8 * (i & 7));
        if ((i & 7) != 7) continue;
        sip_word(v, word);
        word = 0;
    }
    sip_word(v, word | (uint64_t)(text.n + 8) << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- one pseudonym ----------------------------------------------------------------------- */

static char pseudonym_of(char c, uint8_t with, bool first_of_number)
{
    if (c >= '0' && c <= '9') {
        if (first_of_number && c != '0') return (char)('1' + with % 9);
        return (char)('0' + with % 10);
    }
    if (c >= 'a' && c <= 'z') return (char)('a' + with % 26);
    if (c >= 'A' && c <= 'Z') return (char)('A' + with % 26);
    return c;
}

/* p[at] is the last byte of a UTF-8 character of several: its low bits are free. */
static bool ends_character(const char *p, size_t n, size_t at)
{
    bool inside = (p[at] & 0xc0) == 0x80;
    return inside && (at + 1 == n || (p[at + 1] & 0xc0) != 0x80);
}

/* Replace a secret in place. A "%2F" stays an escape, of a letter. */
static void replace(const struct tape_names *names, char *p, size_t n, bool number)
{
    uint64_t base[2] = {tape_names_hash(names->key, 0, cad_str_make(p, n)),
                        tape_names_hash(names->key, 1, cad_str_make(p, n))};
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0) word = tape_names_hash(base, i, (cad_str){NULL, 0});
        uint8_t with = (uint8_t)(word >> (8 * (i % 8)));
        bool escape = i >= 1 && p[i - 1] == '%' && i + 1 < n && cad_hex_value(p[i]) >= 0 &&
                      cad_hex_value(p[i + 1]) >= 0;
        if (escape) {
            p[i] = '4';
            p[i + 1] = (char)('1' + with % 9);
            i++;
            if (i % 8 == 0) word = tape_names_hash(base, i, (cad_str){NULL, 0});
        } else if (ends_character(p, n, i)) {
            p[i] = (char)(uint8_t)(0x80 | (with & 0x3f));
        } else {
            p[i] = pseudonym_of(p[i], with, number && i == 0);
        }
    }
}

void tape_names_blank(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (cad_is_digit(p[i])) p[i] = '0';
        else if (cad_is_alpha(p[i])) p[i] = 'x';
    }
}

/* ---- what is secret by its name ---------------------------------------------------------- */

/* Does the name contain the word, whatever the case? */
static bool contains(cad_str name, const char *word)
{
    cad_str w = cad_str_from(word);
    for (size_t i = 0; i + w.n <= name.n; i++) {
        if (cad_str_ieq(cad_str_sub(name, i, w.n), w)) return true;
    }
    return false;
}

/* Names of JSON members and of query values alike. */
static bool is_secret_name(cad_str name)
{
    static const char *const whole[] = {"esn", "xid", "clientipaddress"};
    static const char *const parts[] = {
        "token", "cookie", "mail", "authorization", "passw", "secret", "credential", "signature",
        "reqid", "contextid", "accountid", "profileguid", "customerid", "userid", "licenseresponse",
        "challenge", "sessionid", "sessionkey", "encryptionkey", "hmackey", "privatekey",
        "cryptokey", "contentkey", "userauthdata", "keyrequest", "keyresponse", "deviceid"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(whole); i++) {
        if (cad_str_ieq(name, cad_str_from(whole[i]))) return true;
    }
    if (name.n > 3 && cad_str_ieq(cad_str_sub(name, name.n - 3, 3), CAD_STR("esn"))) return true;
    for (size_t i = 0; i < CAD_ARRAY_LEN(parts); i++) {
        if (contains(name, parts[i])) return true;
    }
    return false;
}

/* Names of query values; as members of JSON these words mean other things. */
static bool is_secret_query(cad_str name)
{
    static const char *const whole[] = {"t", "sc", "sig", "policy", "key-pair-id", "auth", "key"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(whole); i++) {
        if (cad_str_ieq(name, cad_str_from(whole[i]))) return true;
    }
    return is_secret_name(name);
}

static bool is_digits(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!cad_is_digit(p[i])) return false;
    }
    return n > 0;
}

/* ---- URLs in texts ------------------------------------------------------------------------- */

/* Nothing of a URL goes past it. */
static bool ends_url(char c)
{
    return (uint8_t)c <= ' ' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`' ||
           c == '\\';
}

static bool has_at(const char *p, size_t n)
{
    cad_str s = cad_str_make(p, n);
    return cad_str_find_char(s, '@') >= 0 || cad_str_find(s, CAD_STR("%40")) >= 0;
}

/* "name=value" or a word between the separators of a query or fragment. */
static void piece(const struct tape_names *names, char *p, size_t n)
{
    ptrdiff_t mark = cad_str_find_char(cad_str_make(p, n), '=');
    cad_str name = cad_str_make(p, mark < 0 ? 0 : (size_t)mark);
    size_t at = mark < 0 ? 0 : (size_t)mark + 1;
    if (n == at) return;
    if (cad_str_eqz(name, "e") && is_digits(p + at, n - at)) return;
    bool parted = memchr(p + at, ';', n - at) != NULL; /* by a separator that some servers know */
    bool secret = n - at > CAD_URI_REDACT_VALUE_MAX || is_secret_query(name) || parted ||
                  has_at(p + at, n - at);
    if (secret) replace(names, p + at, n - at, false);
}

/* How much of p, which is behind an "&", belongs to that character in XML. */
static size_t entity(const char *p, size_t n)
{
    static const char *const rests[] = {"amp;", "#38;", "#x26;", "#X26;"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(rests); i++) {
        cad_str rest = cad_str_from(rests[i]);
        if (cad_str_starts(cad_str_make(p, n), rest)) return rest.n;
    }
    return 0;
}

/* A query or fragment from p[0] on; how long it is. */
static size_t query(const struct tape_names *names, char *p, size_t n)
{
    size_t i = 0, begin = 0;
    while (i < n && !ends_url(p[i])) {
        bool amp = p[i] == '&', other = p[i] == '#' || p[i] == '?';
        if (amp || other) {
            piece(names, p + begin, i - begin);
            i++;
            if (amp) i += entity(p + i, n - i);
            begin = i;
            continue;
        }
        i++;
    }
    piece(names, p + begin, i - begin);
    return i;
}

/* "//user:password@host" behind a scheme; p is behind the slashes. */
static void userinfo(const struct tape_names *names, char *p, size_t n)
{
    for (size_t i = 0; i < n && !ends_url(p[i]); i++) {
        if (p[i] == '/' || p[i] == '?' || p[i] == '#') return;
        if (p[i] != '@') continue;
        replace(names, p, i, false);
        return;
    }
}

static void urls(const struct tape_names *names, char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '/' && i >= 2 && p[i - 1] == '/' && p[i - 2] == ':') {
            userinfo(names, p + i + 1, n - i - 1);
        } else if (p[i] == '?' || p[i] == '#') {
            i += query(names, p + i + 1, n - i - 1);
        }
    }
}

/* An address and nothing else: "name@host.example". */
static bool is_mail(const char *p, size_t n)
{
    cad_str s = cad_str_make(p, n);
    ptrdiff_t at = cad_str_find_char(s, '@');
    if (at <= 0 || cad_str_find_char(cad_str_sub(s, (size_t)at, n), '.') < 0) return false;
    for (size_t i = 0; i < n; i++) {
        if ((uint8_t)p[i] <= ' ' || p[i] == '/') return false;
    }
    return true;
}

static void learnt(const struct tape_names *names, char *p, size_t n)
{
    for (uint32_t k = 0; k < TAPE_LEARNT_MAX; k++) {
        size_t size = names->learnt_n[k];
        if (size == 0 || size > n) continue;
        const char *secret = names->learnt[k];
        for (char *at = p; (size_t)(p + n - at) >= size; at++) {
            at = memchr(at, secret[0], (size_t)(p + n - at) - size + 1);
            if (!at) break;
            if (memcmp(at, secret, size) != 0) continue;
            replace(names, at, size, false);
            at += size - 1;
        }
    }
}

void tape_names_text(struct tape_names *names, char *p, size_t n)
{
    if (n == 0) return;
    if (is_mail(p, n)) {
        replace(names, p, n, false);
        return;
    }
    urls(names, p, n);
    learnt(names, p, n);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

/*
 * A tolerant walk: what is broken is refused by the parser that the bytes are for, and its secrets
 * are no less secret. Strings are undone into names->plain; what changed there is written back to
 * where it came from.
 */
struct walk {
    struct tape_names *names;
    char *p;
    size_t n, at;
    cad_str name;          /* of the member whose value is next; in key_memory */
    char key_memory[64];
    uint32_t depth, secret_depth; /* everything from secret_depth on is secret; 0 none */
    bool learn;            /* nothing is replaced, secrets are learnt */
    int error;
};

static int make_room(struct tape_names *names, size_t n)
{
    if (n <= names->room) return CAD_OK;
    size_t room = CAD_MAX(n, 4096); /* strings of a manifest are shorter than that, nearly all */
    uint8_t *plain = cad_alloc_new(&names->alloc, room, CAD_MEM_OTHER);
    uint32_t *from = cad_alloc_array(&names->alloc, room, sizeof(*from), CAD_MEM_OTHER);
    if (!plain || !from) {
        cad_alloc_free(&names->alloc, plain, room, CAD_MEM_OTHER);
        cad_alloc_free(&names->alloc, from, room * sizeof(*from), CAD_MEM_OTHER);
        return CAD_E_NOMEM;
    }
    tape_names_shrink(names, 0);
    names->plain = plain;
    names->from = from;
    names->room = room;
    return CAD_OK;
}

/* Four hex digits at p, or -1. */
static int32_t hex4(const char *p, size_t n)
{
    int32_t v = 0;
    if (n < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int digit = cad_hex_value(p[i]);
        if (digit < 0) return -1;
        v = v << 4 | digit;
    }
    return v;
}

static size_t put_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n; i-- > 1; c >>= 6) out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(leads[n] | c);
    return n;
}

/* The escape at p (n bytes up to the string's end), its character and its length. */
static size_t read_escape(const char *p, size_t n, uint32_t *out)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    if (n < 2) {
        *out = (uint8_t)p[0];
        return n;
    }
    if (p[1] != 'u') {
        const char *at = memchr(letters, p[1], 5);
        *out = (uint8_t)(at ? meant[at - letters] : p[1]);
        return 2;
    }
    int32_t high = hex4(p + 2, n - 2);
    if (high < 0) {
        *out = '?';
        return 2;
    }
    *out = (uint32_t)high;
    if (high < 0xd800 || high > 0xdbff || n < 12 || p[6] != '\\' || p[7] != 'u') return 6;
    int32_t low = hex4(p + 8, n - 8);
    if (low < 0xdc00 || low > 0xdfff) return 6;
    *out = 0x10000 + (((uint32_t)high - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
    return 12;
}

/* p[begin, end) with escapes undone; the bytes of an escape point at its backslash. */
static size_t undo(struct walk *w, size_t begin, size_t end)
{
    struct tape_names *names = w->names;
    size_t n = 0;
    for (size_t i = begin; i < end;) {
        if (w->p[i] != '\\') {
            names->from[n] = (uint32_t)i;
            names->plain[n++] = (uint8_t)w->p[i++];
            continue;
        }
        uint32_t c;
        size_t used = read_escape(w->p + i, end - i, &c);
        size_t wide = put_utf8(names->plain + n, c);
        for (size_t k = 0; k < wide; k++) names->from[n + k] = (uint32_t)i;
        n += wide;
        i += used;
    }
    return n;
}

/* An escape whose character was given another last byte keeps its length. */
static void write_escape(char *raw, size_t used, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    if (used < 6) return; /* a short escape is of no letter or digit */
    char *last = raw + used - 2;
    /* Of an ASCII character all, of others the low six bits. */
    int high = byte < 0x80 ? byte >> 4 : (cad_hex_value(last[0]) & 12) | (byte >> 4 & 3);
    last[0] = digits[high];
    last[1] = digits[byte & 15];
}

/* plain has n other bytes now: change what they came from. */
static void write_back(struct walk *w, size_t n, size_t end)
{
    const struct tape_names *names = w->names;
    for (size_t k = 0; k < n;) {
        size_t at = names->from[k];
        uint8_t before[4];
        uint32_t c;
        if (w->p[at] != '\\') {
            w->p[at] = (char)names->plain[k++];
            continue;
        }
        size_t used = read_escape(w->p + at, end - at, &c);
        size_t wide = put_utf8(before, c);
        if (memcmp(before, names->plain + k, wide) != 0) {
            write_escape(w->p + at, used, names->plain[k + wide - 1]);
        }
        k += wide;
    }
}

/* A string of the document, without its quotes. */
static void string(struct walk *w, size_t begin, size_t end, bool secret)
{
    struct tape_names *names = w->names;
    if (begin == end) return;
    /* An escape is never shorter than its character; two unpaired bytes more for a broken one. */
    w->error = make_room(names, end - begin + 8);
    if (w->error) return;
    size_t n = undo(w, begin, end);
    char *plain = (char *)names->plain;
    if (w->learn) {
        if (secret) tape_names_learn(names, cad_str_make(plain, n));
        return;
    }
    if (secret) {
        replace(names, plain, n, false);
    } else {
        tape_names_text(names, plain, n);
    }
    write_back(w, n, end);
}

static size_t string_end(const struct walk *w, size_t at)
{
    while (at < w->n && w->p[at] != '"') at += w->p[at] == '\\' && at + 1 < w->n ? 2 : 1;
    return CAD_MIN(at, w->n);
}

static size_t skip_space(const struct walk *w, size_t at)
{
    while (at < w->n && cad_is_space(w->p[at])) at++;
    return at;
}

static bool is_secret_here(const struct walk *w)
{
    return w->secret_depth > 0 || is_secret_name(w->name);
}

static void one_string(struct walk *w)
{
    size_t begin = w->at + 1, end = string_end(w, begin);
    w->at = CAD_MIN(end + 1, w->n);
    size_t next = skip_space(w, w->at);
    if (next >= w->n || w->p[next] != ':') {
        string(w, begin, end, is_secret_here(w));
        if (w->secret_depth == 0) w->name = (cad_str){NULL, 0};
        return;
    }
    w->at = next + 1;
    size_t n = CAD_MIN(end - begin, sizeof(w->key_memory));
    memcpy(w->key_memory, w->p + begin, n);
    w->name = cad_str_make(w->key_memory, n);
    string(w, begin, end, false); /* what was learnt may stand in a name too */
}

static void one_number(struct walk *w)
{
    size_t begin = w->at;
    while (w->at < w->n && cad_is_digit(w->p[w->at])) w->at++;
    size_t n = w->at - begin;
    bool secret = is_secret_here(w);
    if (secret && w->learn) tape_names_learn(w->names, cad_str_make(w->p + begin, n));
    if (secret && !w->learn) replace(w->names, w->p + begin, n, true);
    /* A fraction or exponent belongs to no id. */
    while (w->at < w->n && (cad_is_alpha(w->p[w->at]) || w->p[w->at] == '.')) w->at++;
}

static int json(struct walk *w)
{
    while (w->at < w->n && !w->error) {
        switch (w->p[w->at]) {
        case '"': one_string(w); break;
        case '{':
        case '[':
            w->depth++;
            if (w->secret_depth == 0 && is_secret_name(w->name)) w->secret_depth = w->depth;
            w->at++;
            break;
        case '}':
        case ']':
            if (w->depth > 0 && w->depth-- == w->secret_depth) w->secret_depth = 0;
            w->name = (cad_str){NULL, 0};
            w->at++;
            break;
        case ',':
            if (w->secret_depth == 0) w->name = (cad_str){NULL, 0};
            w->at++;
            break;
        default:
            if (cad_is_digit(w->p[w->at])) one_number(w);
            else w->at++;
            break;
        }
    }
    return w->error;
}

int tape_names_body(struct tape_names *names, char *p, size_t n)
{
    size_t at = 0;
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) at = 3;
    while (at < n && cad_is_space(p[at])) at++;
    if (at < n && (p[at] == '{' || p[at] == '[')) {
        struct walk w = {.names = names, .p = p, .n = n};
        return json(&w);
    }
    urls(names, p, n);
    learnt(names, p, n);
    return CAD_OK;
}

/* ---- learning ---------------------------------------------------------------------------- */

void tape_names_learn(struct tape_names *names, cad_str secret)
{
    if (secret.n < TAPE_LEARNT_BYTES_MIN || secret.n > TAPE_LEARNT_BYTES_MAX) return;
    for (uint32_t k = 0; k < TAPE_LEARNT_MAX; k++) {
        if (cad_str_eq(cad_str_make(names->learnt[k], names->learnt_n[k]), secret)) return;
    }
    uint32_t k = names->next++ % TAPE_LEARNT_MAX;
    memcpy(names->learnt[k], secret.p, secret.n);
    names->learnt_n[k] = secret.n;
}

void tape_names_learn_url(struct tape_names *names, cad_str url)
{
    ptrdiff_t mark = cad_str_find_char(url, '?');
    if (mark < 0) return;
    cad_str rest = cad_str_sub(url, (size_t)mark + 1, url.n), field;
    while (cad_str_split(&rest, '&', &field)) {
        cad_str name;
        if (cad_str_split(&field, '=', &name) && field.p && is_secret_query(name)) {
            tape_names_learn(names, field);
        }
    }
}

int tape_names_learn_json(struct tape_names *names, cad_str text)
{
    /* With `learn` the walk writes nothing. */
    struct walk w = {.names = names, .p = (char *)(uintptr_t)text.p, .n = text.n, .learn = true};
    return json(&w);
}

/* ---- life -------------------------------------------------------------------------------- */

void tape_names_init(struct tape_names *names, const struct cad_alloc *alloc, cad_buf entropy)
{
    memset(names, 0, sizeof(*names));
    names->alloc = *alloc;
    cad_str text = cad_str_from_buf(entropy);
    for (size_t i = 0; i < entropy.n; i++) {
        names->key[i / 8 % 2] ^= (uint64_t)entropy.p[i] << (8 * (i % 8));
    }
    const uint64_t key[2] = {names->key[0], names->key[1]};
    names->key[0] = tape_names_hash(key, 2, text);
    names->key[1] = tape_names_hash(key, 3, text);
}

void tape_names_shrink(struct tape_names *names, size_t keep)
{
    if (names->room <= keep) return;
    cad_alloc_free(&names->alloc, names->plain, names->room, CAD_MEM_OTHER);
    cad_alloc_free(&names->alloc, names->from, names->room * sizeof(*names->from), CAD_MEM_OTHER);
    names->plain = NULL;
    names->from = NULL;
    names->room = 0;
}

void tape_names_deinit(struct tape_names *names)
{
    tape_names_shrink(names, 0);
    /* Through a volatile pointer, so that it is not optimized away. */
    volatile uint8_t *p = (volatile uint8_t *)names;
    for (size_t i = 0; i < sizeof(*names); i++) p[i] = 0;
}
