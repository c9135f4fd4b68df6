/*
 * strbuf.h - a growing text with a hard limit.
 *
 *     struct cad_sb sb;
 *     cad_sb_init(&sb, alloc, CAD_MEM_OTHER, 4096);
 *     cad_sb_put(&sb, CAD_STR("a="));
 *     cad_sb_i64(&sb, 7);
 *     if (cad_sb_error(&sb)) ...          // once, at the end
 *     use(cad_sb_str(&sb));               // or cad_sb_z for an OS edge
 *     cad_sb_deinit(&sb);
 *
 * The error is sticky: after CAD_E_NOMEM or CAD_E_LIMIT further text is ignored, and what was put
 * before the failing call stays. cad_sb_init_fixed writes into the caller's memory and never
 * allocates. Text put in must not be a view into the same builder.
 */
#ifndef CAD_BASE_STRBUF_H
#define CAD_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

struct cad_sb {
    struct cad_alloc alloc; /* fn NULL: fixed memory of the caller */
    enum cad_mem_class cls;
    char *p;      /* cap bytes, NULL until the first put */
    size_t n;     /* bytes of text; p[n] is NUL once p is set */
    size_t cap;   /* bytes of memory */
    size_t limit; /* n never exceeds it */
    int error;    /* 0 or CAD_E_* */
};

/* Empty; allocates on the first put. limit_bytes bounds the text without its closing NUL. */
void cad_sb_init(struct cad_sb *sb, const struct cad_alloc *alloc, enum cad_mem_class cls,
                 size_t limit_bytes);
/* Over memory of the caller; holds at most cap - 1 bytes of text (cap > 0). */
void cad_sb_init_fixed(struct cad_sb *sb, char *memory, size_t cap);
void cad_sb_deinit(struct cad_sb *sb);
/* Empty again, error cleared, memory kept. */
void cad_sb_reset(struct cad_sb *sb);

void cad_sb_put(struct cad_sb *sb, cad_str s);
void cad_sb_putz(struct cad_sb *sb, const char *z);
void cad_sb_putc(struct cad_sb *sb, char c);
/* Text of an XML element or quoted attribute; a byte that XML cannot hold becomes '?'. */
void cad_sb_put_xml(struct cad_sb *sb, cad_str s);
void cad_sb_i64(struct cad_sb *sb, int64_t v);
void cad_sb_u64(struct cad_sb *sb, uint64_t v);
/* Formats of the C library without locale-dependent ones; integers and strings only. */
void cad_sb_printf(struct cad_sb *sb, const char *fmt, ...) CAD_PRINTF(2, 3);
/* Cut back to n bytes (no effect when it is shorter). */
void cad_sb_truncate(struct cad_sb *sb, size_t n);
/* Make room for n more bytes now; the error is sticky as for a put. */
void cad_sb_reserve(struct cad_sb *sb, size_t n);

/* The text; valid until the next change. */
cad_str cad_sb_str(const struct cad_sb *sb);
/* The text with its closing NUL, never NULL; valid until the next change. */
const char *cad_sb_z(const struct cad_sb *sb);
/* 0, CAD_E_NOMEM or CAD_E_LIMIT. */
int cad_sb_error(const struct cad_sb *sb);

#endif
