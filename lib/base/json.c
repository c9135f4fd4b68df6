/*
 * json.c - the JSON reader: one token a call, nesting in the bits of one word.
 *
 * `expect` says what the grammar allows next. Reading a value or a key sets it from the container
 * that is open then; nothing else is remembered, so a reader may be copied at any place.
 */
#include "base/json.h"

#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/str.h"
#include "base/utf8.h"
#include "base/util.h"

enum expect {
    EXPECT_VALUE,        /* the document's value, or an element after a comma */
    EXPECT_VALUE_OR_END, /* an array was just opened */
    EXPECT_KEY_OR_END,   /* an object was just opened */
    EXPECT_COLON,        /* a key was read */
    EXPECT_COMMA_OR_END, /* a member or an element was read */
    EXPECT_EOF           /* the document's value was read */
};

void cad_json_init(struct cad_json *j, cad_str text, const struct cad_json_limits *limits)
{
    *j = (struct cad_json){.text = text,
                           .type = CAD_JSON_END,
                           .depth_max = CAD_JSON_DEPTH_DEFAULT,
                           .string_bytes_max = CAD_JSON_STRING_DEFAULT,
                           .expect = EXPECT_VALUE};
    if (limits && limits->depth_max) {
        j->depth_max = CAD_MIN(limits->depth_max, (uint32_t)CAD_JSON_DEPTH_MAX);
    }
    if (limits && limits->string_bytes_max) j->string_bytes_max = limits->string_bytes_max;
}

/* ---- failing --------------------------------------------------------------------------------- */

static enum cad_json_type fail(struct cad_json *j, int error)
{
    j->error = error;
    j->token_at = j->at;
    j->raw = (cad_str){NULL, 0};
    j->type = CAD_JSON_ERROR;
    return CAD_JSON_ERROR;
}

/* The byte at j->at is wrong, or is missing. */
static enum cad_json_type fail_here(struct cad_json *j)
{
    j->truncated = j->at >= j->text.n;
    return fail(j, CAD_E_DATA);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool in_object(const struct cad_json *j)
{
    return j->depth > 0 && (j->stack >> (j->depth - 1) & 1) != 0;
}

static enum cad_json_type done(struct cad_json *j, enum cad_json_type type, size_t from, size_t to)
{
    j->raw = (cad_str){j->text.p + from, to - from};
    j->type = type;
    return type;
}

static void expect_after_value(struct cad_json *j)
{
    j->expect = j->depth == 0 ? EXPECT_EOF : EXPECT_COMMA_OR_END;
}

static void skip_space(struct cad_json *j)
{
    while (j->at < j->text.n) {
        char c = j->text.p[j->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') break;
        j->at++;
    }
}

static enum cad_json_type open_container(struct cad_json *j, bool object)
{
    if (j->depth == j->depth_max) return fail(j, CAD_E_LIMIT);
    uint64_t bit = UINT64_C(1) << j->depth;
    j->stack = object ? j->stack | bit : j->stack & ~bit;
    j->depth++;
    j->at++;
    j->expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return done(j, object ? CAD_JSON_OBJECT_BEGIN : CAD_JSON_ARRAY_BEGIN, j->at - 1, j->at);
}

/* The bracket at j->at is the right one for the open container. */
static enum cad_json_type close_container(struct cad_json *j)
{
    bool object = in_object(j);
    j->depth--;
    j->at++;
    expect_after_value(j);
    return done(j, object ? CAD_JSON_OBJECT_END : CAD_JSON_ARRAY_END, j->at - 1, j->at);
}

/* Past an escape whose backslash is at j->at; false, with j->at at the offending byte. */
static bool scan_escape(struct cad_json *j)
{
    j->at++;
    if (j->at >= j->text.n) return false;
    char c = j->text.p[j->at];
    if (c != 'u') {
        if (cad_str_find_char(CAD_STR("\"\\/bfnrt"), c) < 0) return false;
        j->at++;
        return true;
    }
    j->at++;
    for (int i = 0; i < 4; i++, j->at++) {
        if (j->at >= j->text.n || cad_hex_value(j->text.p[j->at]) < 0) return false;
    }
    return true;
}

/* Past a character of two bytes or more; false, with j->at at the offending byte. */
static bool scan_utf8(struct cad_json *j)
{
    uint32_t cp;
    int length = cad_utf8_decode(cad_str_sub(j->text, j->at, 4), &cp);
    if (length == CAD_E_AGAIN) j->at = j->text.n;
    if (length < 0) return false;
    j->at += (size_t)length;
    return true;
}

/* The string whose opening quote is at j->at, as a STRING or a KEY. */
static enum cad_json_type read_string(struct cad_json *j, enum cad_json_type type)
{
    size_t from = ++j->at;
    j->escaped = false;
    for (;;) {
        if (j->at - from > j->string_bytes_max) return fail(j, CAD_E_LIMIT);
        if (j->at >= j->text.n) return fail_here(j);
        unsigned char c = (unsigned char)j->text.p[j->at];
        if (c == '"') break;
        if (c < 0x20) return fail_here(j);
        if (c == '\\') {
            j->escaped = true;
            if (!scan_escape(j)) return fail_here(j);
        } else if (c < 0x80) {
            j->at++;
        } else if (!scan_utf8(j)) {
            return fail_here(j);
        }
    }
    j->at++;
    if (type == CAD_JSON_KEY) {
        j->expect = EXPECT_COLON;
    } else {
        expect_after_value(j);
    }
    return done(j, type, from, j->at - 1);
}

/* Past one or more digits; false, with j->at at what is no digit. */
static bool scan_digits(struct cad_json *j)
{
    size_t from = j->at;
    while (j->at < j->text.n && cad_is_digit(j->text.p[j->at])) j->at++;
    return j->at > from;
}

static bool at_char(const struct cad_json *j, char c)
{
    return j->at < j->text.n && j->text.p[j->at] == c;
}

static enum cad_json_type read_number(struct cad_json *j)
{
    size_t from = j->at;
    if (at_char(j, '-')) j->at++;
    if (at_char(j, '0')) {
        j->at++;
    } else if (!scan_digits(j)) {
        return fail_here(j);
    }
    if (at_char(j, '.')) {
        j->at++;
        if (!scan_digits(j)) return fail_here(j);
    }
    if (at_char(j, 'e') || at_char(j, 'E')) {
        j->at++;
        if (at_char(j, '+') || at_char(j, '-')) j->at++;
        if (!scan_digits(j)) return fail_here(j);
    }
    if (j->at - from > CAD_JSON_NUMBER_BYTES_MAX) return fail(j, CAD_E_LIMIT);
    expect_after_value(j);
    return done(j, CAD_JSON_NUMBER, from, j->at);
}

static enum cad_json_type read_word(struct cad_json *j, cad_str word, enum cad_json_type type)
{
    size_t from = j->at;
    for (size_t i = 0; i < word.n; i++, j->at++) {
        if (!at_char(j, word.p[i])) return fail_here(j);
    }
    expect_after_value(j);
    return done(j, type, from, j->at);
}

static enum cad_json_type read_value(struct cad_json *j)
{
    if (j->at >= j->text.n) return fail_here(j);
    switch (j->text.p[j->at]) {
    case '{': return open_container(j, true);
    case '[': return open_container(j, false);
    case '"': return read_string(j, CAD_JSON_STRING);
    case 't': return read_word(j, CAD_STR("true"), CAD_JSON_TRUE);
    case 'f': return read_word(j, CAD_STR("false"), CAD_JSON_FALSE);
    case 'n': return read_word(j, CAD_STR("null"), CAD_JSON_NULL);
    default: return read_number(j);
    }
}

/* A key, where the object's end is not allowed (after a comma). */
static enum cad_json_type read_key(struct cad_json *j)
{
    return at_char(j, '"') ? read_string(j, CAD_JSON_KEY) : fail_here(j);
}

enum cad_json_type cad_json_next(struct cad_json *j)
{
    if (j->error) return CAD_JSON_ERROR;
    skip_space(j);
    j->token_at = j->at;
    switch ((enum expect)j->expect) {
    case EXPECT_VALUE: return read_value(j);
    case EXPECT_VALUE_OR_END: return at_char(j, ']') ? close_container(j) : read_value(j);
    case EXPECT_KEY_OR_END: return at_char(j, '}') ? close_container(j) : read_key(j);
    case EXPECT_COLON:
        if (!at_char(j, ':')) return fail_here(j);
        j->at++;
        skip_space(j);
        j->token_at = j->at;
        return read_value(j);
    case EXPECT_COMMA_OR_END:
        if (at_char(j, in_object(j) ? '}' : ']')) return close_container(j);
        if (!at_char(j, ',')) return fail_here(j);
        j->at++;
        skip_space(j);
        j->token_at = j->at;
        return in_object(j) ? read_key(j) : read_value(j);
    case EXPECT_EOF: break;
    }
    if (j->at < j->text.n) return fail_here(j);
    return done(j, CAD_JSON_END, j->at, j->at);
}

int cad_json_skip(struct cad_json *j)
{
    if (j->error) return j->error;
    if (j->type == CAD_JSON_KEY) (void)cad_json_next(j);
    switch (j->type) {
    case CAD_JSON_OBJECT_BEGIN:
    case CAD_JSON_ARRAY_BEGIN: break;
    case CAD_JSON_STRING:
    case CAD_JSON_NUMBER:
    case CAD_JSON_TRUE:
    case CAD_JSON_FALSE:
    case CAD_JSON_NULL: return CAD_OK;
    case CAD_JSON_ERROR: return j->error;
    default: return CAD_E_INVAL;
    }
    uint32_t outside = j->depth - 1;
    while (j->depth > outside) {
        if (cad_json_next(j) == CAD_JSON_ERROR) return j->error;
    }
    return CAD_OK;
}

/* ---- where we are ---------------------------------------------------------------------------- */

enum cad_json_type cad_json_type(const struct cad_json *j)
{
    return j->type;
}

uint32_t cad_json_depth(const struct cad_json *j)
{
    return j->depth;
}

cad_str cad_json_raw(const struct cad_json *j)
{
    return j->raw;
}

int cad_json_error(const struct cad_json *j)
{
    return j->error;
}

bool cad_json_truncated(const struct cad_json *j)
{
    return j->truncated;
}

size_t cad_json_offset(const struct cad_json *j)
{
    return j->token_at;
}

uint32_t cad_json_line(const struct cad_json *j)
{
    uint32_t line = 1;
    for (size_t i = 0; i < j->token_at && i < j->text.n; i++) {
        if (j->text.p[i] == '\n' && line < UINT32_MAX) line++;
    }
    return line;
}

const char *cad_json_type_name(enum cad_json_type type)
{
    switch (type) {
    case CAD_JSON_ERROR: return "error";
    case CAD_JSON_END: return "end";
    case CAD_JSON_OBJECT_BEGIN: return "object";
    case CAD_JSON_OBJECT_END: return "end of object";
    case CAD_JSON_ARRAY_BEGIN: return "array";
    case CAD_JSON_ARRAY_END: return "end of array";
    case CAD_JSON_KEY: return "key";
    case CAD_JSON_STRING: return "string";
    case CAD_JSON_NUMBER: return "number";
    case CAD_JSON_TRUE: return "true";
    case CAD_JSON_FALSE: return "false";
    case CAD_JSON_NULL: return "null";
    default: return "?";
    }
}

/* ---- strings --------------------------------------------------------------------------------- */

static bool is_text(const struct cad_json *j)
{
    return j->type == CAD_JSON_STRING || j->type == CAD_JSON_KEY;
}

/* Four hex digits; the reader has checked that they are. */
static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) v = v << 4 | (uint32_t)cad_hex_value(p[i]);
    return v;
}

/* \uXXXX at the start of *rest, with its second half if it is a surrogate. */
static int take_unicode(cad_str *rest, uint32_t *cp)
{
    uint32_t high = hex4(rest->p + 2);
    *rest = cad_str_sub(*rest, 6, rest->n);
    if (high < 0xD800 || high > 0xDFFF) {
        *cp = high;
        return CAD_OK;
    }
    if (high > 0xDBFF || !cad_str_starts(*rest, CAD_STR("\\u"))) return CAD_E_DATA;
    uint32_t low = hex4(rest->p + 2);
    if (low < 0xDC00 || low > 0xDFFF) return CAD_E_DATA;
    *rest = cad_str_sub(*rest, 6, rest->n);
    *cp = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return CAD_OK;
}

/*
 * The next run of a raw string with escapes undone: a piece of the text up to an escape, or one
 * character in tmp. *rest must not be empty.
 */
static int take_piece(cad_str *rest, char tmp[4], cad_str *piece)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    if (rest->p[0] != '\\') {
        ptrdiff_t run = cad_str_find_char(*rest, '\\');
        *piece = run < 0 ? *rest : cad_str_sub(*rest, 0, (size_t)run);
        *rest = cad_str_sub(*rest, piece->n, rest->n);
        return CAD_OK;
    }
    if (rest->p[1] == 'u') {
        uint32_t cp;
        int err = take_unicode(rest, &cp);
        if (err) return err;
        *piece = (cad_str){tmp, cad_utf8_encode(cp, tmp)};
        return CAD_OK;
    }
    ptrdiff_t which = cad_str_find_char((cad_str){from, sizeof(from) - 1}, rest->p[1]);
    tmp[0] = which < 0 ? rest->p[1] : to[which];
    *rest = cad_str_sub(*rest, 2, rest->n);
    *piece = (cad_str){tmp, 1};
    return CAD_OK;
}

static int unescape(cad_str raw, char *buf, size_t cap, size_t *n)
{
    char tmp[4];
    cad_str piece;
    size_t used = 0;
    while (raw.n > 0) {
        int err = take_piece(&raw, tmp, &piece);
        if (err) return err;
        if (piece.n > cap - used) return CAD_E_LIMIT;
        memcpy(buf + used, piece.p, piece.n);
        used += piece.n;
    }
    *n = used;
    return CAD_OK;
}

int cad_json_string(const struct cad_json *j, char *buf, size_t cap, cad_str *out)
{
    if (!is_text(j)) return CAD_E_INVAL;
    if (!j->escaped) {
        *out = j->raw;
        return CAD_OK;
    }
    size_t n;
    int err = unescape(j->raw, buf, cap, &n);
    if (err) return err;
    *out = (cad_str){buf, n};
    return CAD_OK;
}

/* Bytes of a raw string once its escapes are undone. */
static int unescaped_size(cad_str raw, size_t *n)
{
    char tmp[4];
    cad_str piece;
    size_t size = 0;
    while (raw.n > 0) {
        int err = take_piece(&raw, tmp, &piece);
        if (err) return err;
        size += piece.n;
    }
    *n = size;
    return CAD_OK;
}

int cad_json_string_arena(const struct cad_json *j, struct cad_arena *arena, cad_str *out)
{
    if (!is_text(j)) return CAD_E_INVAL;
    size_t n;
    int err = unescaped_size(j->raw, &n);
    if (err) return err;
    char *copy = cad_arena_alloc(arena, n + 1, 1);
    if (!copy) return cad_arena_error(arena);
    err = unescape(j->raw, copy, n, &n);
    if (err) return err;
    *out = (cad_str){copy, n};
    return CAD_OK;
}

bool cad_json_key_is(const struct cad_json *j, const char *name)
{
    if (!is_text(j)) return false;
    if (!j->escaped) return cad_str_eqz(j->raw, name);
    cad_str raw = j->raw;
    cad_str rest = cad_str_from(name);
    char tmp[4];
    cad_str piece;
    while (raw.n > 0) {
        if (take_piece(&raw, tmp, &piece) || !cad_str_starts(rest, piece)) return false;
        rest = cad_str_sub(rest, piece.n, rest.n);
    }
    return rest.n == 0;
}

/* ---- numbers --------------------------------------------------------------------------------- */

#define EXPONENT_MAX 100000 /* where exponents saturate: far beyond what any number here can use */

struct decimal {
    char digits[CAD_JSON_NUMBER_BYTES_MAX]; /* significant digits, no leading zero */
    int count;                              /* of digits; 0 for zero */
    int exponent;                           /* value = digits * 10^exponent */
    bool negative;
};

static int exponent_of(cad_str s)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    int e = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (cad_is_digit(s.p[i])) e = CAD_MIN(e * 10 + (s.p[i] - '0'), EXPONENT_MAX);
    }
    return negative ? -e : e;
}

/* Take a number apart; the reader has checked its form. */
static void take_apart(cad_str raw, struct decimal *d)
{
    *d = (struct decimal){.negative = raw.p[0] == '-'};
    bool fraction = false;
    for (size_t i = d->negative ? 1 : 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '.') {
            fraction = true;
        } else if (!cad_is_digit(c)) {
            d->exponent += exponent_of(cad_str_sub(raw, i + 1, raw.n));
            return;
        } else {
            if (fraction) d->exponent--;
            if (c != '0' || d->count > 0) d->digits[d->count++] = c;
        }
    }
}

/*
 * d * 10^shift as an integer, rounded half away from zero. *exact says whether nothing was cut.
 * CAD_E_LIMIT: outside of +-INT64_MAX.
 */
static int scale(const struct decimal *d, int shift, int64_t *out, bool *exact)
{
    int64_t v = 0;
    int places = d->count + d->exponent + shift; /* digits before the point */
    *exact = true;
    if (d->count > 0 && places > 19) return CAD_E_LIMIT;
    for (int i = 0; d->count > 0 && i < places; i++) {
        int digit = i < d->count ? d->digits[i] - '0' : 0;
        if (!cad_mul_i64(v, 10, &v) || !cad_add_i64(v, digit, &v)) return CAD_E_LIMIT;
    }
    for (int i = CAD_MAX(places, 0); i < d->count; i++) {
        if (d->digits[i] != '0') *exact = false;
    }
    bool up = places >= 0 && places < d->count && d->digits[places] >= '5';
    if (up && !cad_add_i64(v, 1, &v)) return CAD_E_LIMIT;
    *out = d->negative ? -v : v;
    return CAD_OK;
}

int cad_json_fixed(const struct cad_json *j, int digits, int64_t *out)
{
    CAD_ASSERT(digits >= 0);
    CAD_ASSERT(digits <= 18);
    if (j->type != CAD_JSON_NUMBER) return CAD_E_INVAL;
    struct decimal d;
    bool exact;
    take_apart(j->raw, &d);
    return scale(&d, digits, out, &exact);
}

int cad_json_i64(const struct cad_json *j, int64_t *out)
{
    if (j->type != CAD_JSON_NUMBER) return CAD_E_INVAL;
    struct decimal d;
    bool exact;
    int64_t v;
    take_apart(j->raw, &d);
    if (scale(&d, 0, &v, &exact) || !exact) return CAD_E_DATA;
    if (v > CAD_JSON_EXACT_MAX || v < -CAD_JSON_EXACT_MAX) return CAD_E_DATA;
    *out = v;
    return CAD_OK;
}

int cad_json_bool(const struct cad_json *j, bool *out)
{
    if (j->type != CAD_JSON_TRUE && j->type != CAD_JSON_FALSE) return CAD_E_INVAL;
    *out = j->type == CAD_JSON_TRUE;
    return CAD_OK;
}
