/*
 * jsonw.h - writing JSON (RFC 8259) into a struct cad_sb.
 *
 *     struct cad_jsonw w;
 *     cad_jsonw_init(&w, &sb);
 *     cad_jsonw_object(&w);
 *     cad_jsonw_key(&w, CAD_STR("t"));
 *     cad_jsonw_seconds(&w, now);
 *     cad_jsonw_end(&w);
 *     if (cad_jsonw_error(&w)) ...
 *
 * Output has no white space and is the same for the same calls. The error is sticky: the builder's,
 * or CAD_E_INVAL for a call out of order (a value without key in an object, an end too many), or
 * CAD_E_LIMIT for nesting above CAD_JSONW_DEPTH_MAX; nothing is written after it.
 */
#ifndef CAD_BASE_JSONW_H
#define CAD_BASE_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#include "base/strbuf.h"

#define CAD_JSONW_DEPTH_MAX 64

struct cad_jsonw {
    struct cad_sb *sb;
    uint64_t objects; /* bit d: the container at depth d + 1 is an object */
    uint64_t used;    /* bit d: it has a member already */
    uint32_t depth;
    bool after_key; /* a key waits for its value */
    bool done;      /* a whole value was written at depth 0 */
    int error;      /* CAD_E_INVAL or CAD_E_LIMIT of the writer itself */
};

/* Appends to sb, which is borrowed. */
void cad_jsonw_init(struct cad_jsonw *w, struct cad_sb *sb);
void cad_jsonw_object(struct cad_jsonw *w);
void cad_jsonw_array(struct cad_jsonw *w);
/* Closes the innermost container, whichever it is. */
void cad_jsonw_end(struct cad_jsonw *w);
void cad_jsonw_key(struct cad_jsonw *w, cad_str key);
void cad_jsonw_string(struct cad_jsonw *w, cad_str s); /* invalid UTF-8 becomes U+FFFD, per byte */
void cad_jsonw_i64(struct cad_jsonw *w, int64_t v);
void cad_jsonw_u64(struct cad_jsonw *w, uint64_t v);
void cad_jsonw_bool(struct cad_jsonw *w, bool v);
void cad_jsonw_null(struct cad_jsonw *w);
/* value / 10^digits (0..18), with all digits or with trailing zeros (and a bare point) cut. */
void cad_jsonw_fixed(struct cad_jsonw *w, int64_t value, int digits);
void cad_jsonw_fixed_trim(struct cad_jsonw *w, int64_t value, int digits);
/* Seconds with up to nine decimals, trailing zeros cut; CAD_TIME_NONE is null. */
void cad_jsonw_seconds(struct cad_jsonw *w, cad_time t);
/* Text that is JSON already, as one value. */
void cad_jsonw_raw(struct cad_jsonw *w, cad_str json);

/* Member shorthands: key, then value. */
void cad_jsonw_key_string(struct cad_jsonw *w, const char *key, cad_str v);
void cad_jsonw_key_i64(struct cad_jsonw *w, const char *key, int64_t v);
void cad_jsonw_key_bool(struct cad_jsonw *w, const char *key, bool v);
void cad_jsonw_key_seconds(struct cad_jsonw *w, const char *key, cad_time v);

/* 0, or the first error of the writer or its builder. */
int cad_jsonw_error(const struct cad_jsonw *w);
/* One whole value was written and nothing is open. */
bool cad_jsonw_complete(const struct cad_jsonw *w);

#endif
