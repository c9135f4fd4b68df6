#include "base/jsonw.h"

#include "base/assert.h"
#include "base/str.h"
#include "base/utf8.h"

void cad_jsonw_init(struct cad_jsonw *w, struct cad_sb *sb)
{
    *w = (struct cad_jsonw){.sb = sb};
}

int cad_jsonw_error(const struct cad_jsonw *w)
{
    return w->error ? w->error : cad_sb_error(w->sb);
}

bool cad_jsonw_complete(const struct cad_jsonw *w)
{
    return w->done && w->depth == 0 && cad_jsonw_error(w) == CAD_OK;
}

static bool refuse(struct cad_jsonw *w, int error)
{
    if (!w->error) w->error = error;
    return false;
}

static uint64_t top_bit(const struct cad_jsonw *w)
{
    return UINT64_C(1) << (w->depth - 1);
}

static void separate(struct cad_jsonw *w)
{
    if (w->used & top_bit(w)) cad_sb_putc(w->sb, ',');
    w->used |= top_bit(w);
}

/* Before any value: is one allowed here, and does it need a comma? */
static bool begin_value(struct cad_jsonw *w)
{
    if (w->error) return false;
    if (w->depth == 0) {
        if (w->done) return refuse(w, CAD_E_INVAL);
        w->done = true;
        return true;
    }
    if (w->objects & top_bit(w)) {
        if (!w->after_key) return refuse(w, CAD_E_INVAL);
        w->after_key = false;
        return true;
    }
    separate(w);
    return true;
}

static void open_container(struct cad_jsonw *w, bool object)
{
    if (w->depth == CAD_JSONW_DEPTH_MAX) {
        refuse(w, CAD_E_LIMIT);
        return;
    }
    if (!begin_value(w)) return;
    w->depth++;
    w->used &= ~top_bit(w);
    if (object) {
        w->objects |= top_bit(w);
    } else {
        w->objects &= ~top_bit(w);
    }
    cad_sb_putc(w->sb, object ? '{' : '[');
}

void cad_jsonw_object(struct cad_jsonw *w)
{
    open_container(w, true);
}

void cad_jsonw_array(struct cad_jsonw *w)
{
    open_container(w, false);
}

void cad_jsonw_end(struct cad_jsonw *w)
{
    if (w->error) return;
    if (w->depth == 0 || w->after_key) {
        refuse(w, CAD_E_INVAL);
        return;
    }
    cad_sb_putc(w->sb, w->objects & top_bit(w) ? '}' : ']');
    w->depth--;
}

static void put_control(struct cad_sb *sb, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    switch (c) {
    case '\b': cad_sb_put(sb, CAD_STR("\\b")); break;
    case '\f': cad_sb_put(sb, CAD_STR("\\f")); break;
    case '\n': cad_sb_put(sb, CAD_STR("\\n")); break;
    case '\r': cad_sb_put(sb, CAD_STR("\\r")); break;
    case '\t': cad_sb_put(sb, CAD_STR("\\t")); break;
    default:
        cad_sb_put(sb, CAD_STR("\\u00"));
        cad_sb_putc(sb, digits[c >> 4]);
        cad_sb_putc(sb, digits[c & 15]);
        break;
    }
}

/* Text between quotes; runs that need no change are put in one piece. */
static void put_quoted(struct cad_sb *sb, cad_str s)
{
    size_t from = 0;
    size_t at = 0;
    cad_sb_putc(sb, '"');
    while (at < s.n) {
        unsigned char c = (unsigned char)s.p[at];
        uint32_t cp;
        int length = c < 0x80 ? 1 : cad_utf8_decode(cad_str_sub(s, at, 4), &cp);
        if (length > 0 && c >= 0x20 && c != 0x7f && c != '"' && c != '\\') {
            at += (size_t)length;
            continue;
        }
        cad_sb_put(sb, cad_str_sub(s, from, at - from));
        if (length < 0) {
            cad_sb_put(sb, CAD_STR("\xEF\xBF\xBD"));
        } else if (c == '"' || c == '\\') {
            cad_sb_putc(sb, '\\');
            cad_sb_putc(sb, (char)c);
        } else {
            put_control(sb, c);
        }
        from = ++at;
    }
    cad_sb_put(sb, cad_str_sub(s, from, s.n - from));
    cad_sb_putc(sb, '"');
}

void cad_jsonw_key(struct cad_jsonw *w, cad_str key)
{
    if (w->error) return;
    if (w->depth == 0 || !(w->objects & top_bit(w)) || w->after_key) {
        refuse(w, CAD_E_INVAL);
        return;
    }
    separate(w);
    put_quoted(w->sb, key);
    cad_sb_putc(w->sb, ':');
    w->after_key = true;
}

void cad_jsonw_string(struct cad_jsonw *w, cad_str s)
{
    if (begin_value(w)) put_quoted(w->sb, s);
}

void cad_jsonw_i64(struct cad_jsonw *w, int64_t v)
{
    if (begin_value(w)) cad_sb_i64(w->sb, v);
}

void cad_jsonw_u64(struct cad_jsonw *w, uint64_t v)
{
    if (begin_value(w)) cad_sb_u64(w->sb, v);
}

void cad_jsonw_raw(struct cad_jsonw *w, cad_str json)
{
    if (begin_value(w)) cad_sb_put(w->sb, json);
}

void cad_jsonw_bool(struct cad_jsonw *w, bool v)
{
    cad_jsonw_raw(w, v ? CAD_STR("true") : CAD_STR("false"));
}

void cad_jsonw_null(struct cad_jsonw *w)
{
    cad_jsonw_raw(w, CAD_STR("null"));
}

/* Digits of the magnitude, at least one before the point. */
static void put_fixed(struct cad_sb *sb, int64_t value, int digits, bool trim)
{
    char text[24];
    size_t at = sizeof(text);
    uint64_t v = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t end = at;
    for (int i = 0; i < digits; i++) {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    }
    size_t fraction = at;
    while (trim && end > fraction && text[end - 1] == '0') end--;
    if (value < 0) cad_sb_putc(sb, '-');
    cad_sb_u64(sb, v);
    if (end > fraction) cad_sb_putc(sb, '.');
    cad_sb_put(sb, (cad_str){text + fraction, end - fraction});
}

void cad_jsonw_fixed(struct cad_jsonw *w, int64_t value, int digits)
{
    CAD_ASSERT(digits >= 0);
    CAD_ASSERT(digits <= 18);
    if (begin_value(w)) put_fixed(w->sb, value, digits, false);
}

void cad_jsonw_fixed_trim(struct cad_jsonw *w, int64_t value, int digits)
{
    CAD_ASSERT(digits >= 0);
    CAD_ASSERT(digits <= 18);
    if (begin_value(w)) put_fixed(w->sb, value, digits, true);
}

void cad_jsonw_seconds(struct cad_jsonw *w, cad_time t)
{
    if (t == CAD_TIME_NONE) {
        cad_jsonw_null(w);
    } else {
        cad_jsonw_fixed_trim(w, t, 9);
    }
}

void cad_jsonw_key_string(struct cad_jsonw *w, const char *key, cad_str v)
{
    cad_jsonw_key(w, cad_str_from(key));
    cad_jsonw_string(w, v);
}

void cad_jsonw_key_i64(struct cad_jsonw *w, const char *key, int64_t v)
{
    cad_jsonw_key(w, cad_str_from(key));
    cad_jsonw_i64(w, v);
}

void cad_jsonw_key_bool(struct cad_jsonw *w, const char *key, bool v)
{
    cad_jsonw_key(w, cad_str_from(key));
    cad_jsonw_bool(w, v);
}

void cad_jsonw_key_seconds(struct cad_jsonw *w, const char *key, cad_time v)
{
    cad_jsonw_key(w, cad_str_from(key));
    cad_jsonw_seconds(w, v);
}
