/*
 * json.h - a strict RFC 8259 pull reader over a view.
 *
 *     struct cad_json j;
 *     cad_json_init(&j, text, NULL);
 *     if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) ...
 *     while (cad_json_next(&j) == CAD_JSON_KEY) {
 *         if (cad_json_key_is(&j, "size")) { cad_json_next(&j); err = cad_json_i64(&j, &size); }
 *         else err = cad_json_skip(&j);            // a KEY with its value
 *     }
 *
 * It allocates nothing, never writes to the text, needs no NUL, and holds its nesting in 64 bits,
 * so it may be copied to remember a place. Each cad_json_next costs one token, so that a caller
 * with a work budget counts calls. Refused with CAD_E_DATA: a byte order mark, trailing commas,
 * comments, bare controls, invalid UTF-8, text after the value, truncated text (cad_json_truncated
 * tells). Refused with CAD_E_LIMIT: nesting and strings above the limits. After an error every call
 * answers it again. Repeated keys are reported as they come: the caller decides.
 */
#ifndef CAD_BASE_JSON_H
#define CAD_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#include "base/arena.h"

#define CAD_JSON_DEPTH_MAX 64        /* the most that limits may ask for */
#define CAD_JSON_DEPTH_DEFAULT 32    /* containers inside each other */
#define CAD_JSON_STRING_DEFAULT (1u << 20) /* raw bytes of one key or string */
#define CAD_JSON_NUMBER_BYTES_MAX 64 /* characters of one number */
#define CAD_JSON_EXACT_MAX (INT64_C(1) << 53) /* integers beyond are not exact everywhere */

enum cad_json_type {
    CAD_JSON_ERROR,
    CAD_JSON_END, /* the document is whole and nothing follows */
    CAD_JSON_OBJECT_BEGIN,
    CAD_JSON_OBJECT_END,
    CAD_JSON_ARRAY_BEGIN,
    CAD_JSON_ARRAY_END,
    CAD_JSON_KEY,
    CAD_JSON_STRING,
    CAD_JSON_NUMBER,
    CAD_JSON_TRUE,
    CAD_JSON_FALSE,
    CAD_JSON_NULL
};

struct cad_json_limits {
    uint32_t depth_max;      /* 1..CAD_JSON_DEPTH_MAX; 0 is the default */
    size_t string_bytes_max; /* raw bytes between the quotes; 0 is the default */
};

struct cad_json {
    cad_str text;
    size_t at;               /* next byte to read */
    size_t token_at;         /* first byte of the current token, quote included */
    cad_str raw;             /* current token */
    uint64_t stack;          /* bit d: the container at depth d + 1 is an object */
    size_t string_bytes_max;
    uint32_t depth_max;
    uint32_t depth;          /* open containers */
    enum cad_json_type type; /* current token */
    uint8_t expect;          /* what may come next; internal */
    bool escaped;            /* the current string has escapes */
    bool truncated;          /* the error was the end of the text */
    int error;               /* 0 or CAD_E_DATA, CAD_E_LIMIT */
};

/* The text is borrowed until the last use of j. limits NULL: defaults. */
void cad_json_init(struct cad_json *j, cad_str text, const struct cad_json_limits *limits);
/* The next token. After END it is END, after ERROR it is ERROR. */
enum cad_json_type cad_json_next(struct cad_json *j);
/* The token that the last cad_json_next returned; END before the first call. */
enum cad_json_type cad_json_type(const struct cad_json *j);
/* Open containers, the one just begun included. */
uint32_t cad_json_depth(const struct cad_json *j);
/* The current token as written: strings and keys without quotes, escapes not undone. */
cad_str cad_json_raw(const struct cad_json *j);
/*
 * Skip the value whose first token is current (or the value of the current KEY): afterwards its
 * last token is current. Work is proportional to the value. 0 or the reader's error; CAD_E_INVAL if
 * no value starts here.
 */
CAD_MUST_CHECK int cad_json_skip(struct cad_json *j);

/* 0, CAD_E_DATA or CAD_E_LIMIT. */
int cad_json_error(const struct cad_json *j);
bool cad_json_truncated(const struct cad_json *j);
/* Byte offset of the current token, or of the byte that was refused. */
size_t cad_json_offset(const struct cad_json *j);
/* Line of that offset, from 1. Counts line ends from the start: for messages only. */
uint32_t cad_json_line(const struct cad_json *j);

/* ---- values of the current token; CAD_E_INVAL when it has another type --------------------- */

/*
 * The string or key with escapes undone, in buf (no NUL) or, when there were no escapes, as a view
 * into the text. CAD_E_DATA: a lone surrogate. CAD_E_LIMIT: cap is too small. No error here is
 * sticky.
 */
CAD_MUST_CHECK int cad_json_string(const struct cad_json *j, char *buf, size_t cap, cad_str *out);
/* The same as a NUL-terminated copy in an arena. Also CAD_E_NOMEM and the arena's CAD_E_LIMIT. */
CAD_MUST_CHECK int cad_json_string_arena(const struct cad_json *j, struct cad_arena *arena,
                                         cad_str *out);
/* True if the current token is a key (or string) that reads name once escapes are undone. */
bool cad_json_key_is(const struct cad_json *j, const char *name);
/* An integer in any notation (10, 1e1, 10.0) within +-CAD_JSON_EXACT_MAX, else CAD_E_DATA. */
CAD_MUST_CHECK int cad_json_i64(const struct cad_json *j, int64_t *out);
/*
 * The number times 10^digits (0..18), rounded half away from zero: with digits 9, seconds become
 * nanoseconds. CAD_E_LIMIT: outside of +-INT64_MAX.
 */
CAD_MUST_CHECK int cad_json_fixed(const struct cad_json *j, int digits, int64_t *out);
/* TRUE or FALSE. */
CAD_MUST_CHECK int cad_json_bool(const struct cad_json *j, bool *out);

/* "object", "string"...: what a type is called in a message. */
const char *cad_json_type_name(enum cad_json_type type);

#endif
