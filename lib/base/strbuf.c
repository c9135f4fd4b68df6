#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

#define FIRST_BYTES 64 /* of memory, on the first put */

void cad_sb_init(struct cad_sb *sb, const struct cad_alloc *alloc, enum cad_mem_class cls,
                 size_t limit_bytes)
{
    *sb = (struct cad_sb){.alloc = *alloc, .cls = cls};
    /* One byte is kept for the NUL, so that limit + 1 cannot overflow. */
    sb->limit = CAD_MIN(limit_bytes, SIZE_MAX / 2);
}

void cad_sb_init_fixed(struct cad_sb *sb, char *memory, size_t cap)
{
    CAD_ASSERT(cap > 0);
    *sb = (struct cad_sb){.cls = CAD_MEM_OTHER, .p = memory, .cap = cap, .limit = cap - 1};
    memory[0] = '\0';
}

void cad_sb_deinit(struct cad_sb *sb)
{
    if (sb->alloc.fn) cad_alloc_free(&sb->alloc, sb->p, sb->cap, sb->cls);
    *sb = (struct cad_sb){.alloc = sb->alloc, .cls = sb->cls};
}

void cad_sb_reset(struct cad_sb *sb)
{
    sb->n = 0;
    sb->error = 0;
    if (sb->p) sb->p[0] = '\0';
}

/* Room for n more bytes and a NUL, or the sticky error. */
static bool make_room(struct cad_sb *sb, size_t n)
{
    if (sb->error) return false;
    if (n > sb->limit - sb->n) {
        sb->error = CAD_E_LIMIT;
        return false;
    }
    size_t need = sb->n + n + 1;
    if (need <= sb->cap) return true;
    CAD_ASSERT(sb->alloc.fn);
    size_t cap = CAD_MAX(need, CAD_MIN(CAD_MAX(sb->cap * 2, FIRST_BYTES), sb->limit + 1));
    char *p = cad_alloc_resize(&sb->alloc, sb->p, sb->cap, cap, sb->cls);
    if (!p) {
        sb->error = CAD_E_NOMEM;
        return false;
    }
    p[sb->n] = '\0';
    sb->p = p;
    sb->cap = cap;
    return true;
}

void cad_sb_reserve(struct cad_sb *sb, size_t n)
{
    (void)make_room(sb, n);
}

void cad_sb_put(struct cad_sb *sb, cad_str s)
{
    if (s.n == 0 || !make_room(sb, s.n)) return;
    memcpy(sb->p + sb->n, s.p, s.n);
    sb->n += s.n;
    sb->p[sb->n] = '\0';
}

void cad_sb_putz(struct cad_sb *sb, const char *z)
{
    cad_sb_put(sb, cad_str_from(z));
}

void cad_sb_putc(struct cad_sb *sb, char c)
{
    cad_sb_put(sb, (cad_str){&c, 1});
}

void cad_sb_put_xml(struct cad_sb *sb, cad_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r'; /* XML 1.0 2.2 */
        switch (c) {
        case '&': cad_sb_putz(sb, "&amp;"); break;
        case '<': cad_sb_putz(sb, "&lt;"); break;
        case '>': cad_sb_putz(sb, "&gt;"); break;
        case '"': cad_sb_putz(sb, "&quot;"); break;
        default: cad_sb_putc(sb, control ? '?' : s.p[i]); break;
        }
    }
}

void cad_sb_u64(struct cad_sb *sb, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    cad_sb_put(sb, (cad_str){digits + at, sizeof(digits) - at});
}

void cad_sb_i64(struct cad_sb *sb, int64_t v)
{
    char text[21];
    struct cad_sb number;
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    if (v >= 0) {
        cad_sb_u64(sb, magnitude);
        return;
    }
    cad_sb_init_fixed(&number, text, sizeof(text));
    cad_sb_putc(&number, '-');
    cad_sb_u64(&number, magnitude);
    cad_sb_put(sb, cad_sb_str(&number));
}

void cad_sb_printf(struct cad_sb *sb, const char *fmt, ...)
{
    if (sb->error) return;
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0) {
        sb->error = CAD_E_LIMIT; /* the library found the result longer than INT_MAX */
        return;
    }
    if (n == 0 || !make_room(sb, (size_t)n)) return;
    va_start(args, fmt);
    vsnprintf(sb->p + sb->n, (size_t)n + 1, fmt, args);
    va_end(args);
    sb->n += (size_t)n;
}

void cad_sb_truncate(struct cad_sb *sb, size_t n)
{
    if (n >= sb->n) return;
    sb->n = n;
    sb->p[n] = '\0';
}

cad_str cad_sb_str(const struct cad_sb *sb)
{
    return (cad_str){cad_sb_z(sb), sb->n};
}

const char *cad_sb_z(const struct cad_sb *sb)
{
    return sb->p ? sb->p : "";
}

int cad_sb_error(const struct cad_sb *sb)
{
    return sb->error;
}
