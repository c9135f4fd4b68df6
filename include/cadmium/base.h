/*
 * base.h - the words every other header uses: views, memory, time, log.
 *
 * A view (cad_str, cad_buf) is a pointer and a length; it owns nothing and is not NUL-terminated.
 * All memory comes from a struct cad_alloc: one realloc-shaped function with a context. Times are
 * int64 nanoseconds. Media bytes live in reference-counted buffers (struct cad_ref). Nothing here
 * does I/O.
 */
#ifndef CADMIUM_BASE_H
#define CADMIUM_BASE_H

#include <stddef.h>
#include <stdint.h>

#include "cadmium/error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_VERSION_MAJOR 0 /* the only place where the version is written: CMake reads it here */
#define CAD_VERSION_MINOR 1 /* while MAJOR is 0 a new one may break the ABI */
#define CAD_VERSION_PATCH 0 /* compatible with the others of this MINOR */

#if defined(__GNUC__) || defined(__clang__)
/* The result of the call must be looked at. */
#define CAD_MUST_CHECK __attribute__((warn_unused_result))
/* The arguments are those of printf. */
#define CAD_PRINTF(fmt_index, arg_index) __attribute__((format(printf, fmt_index, arg_index)))
#else
#define CAD_MUST_CHECK
#define CAD_PRINTF(fmt_index, arg_index)
#endif

/* "0.1.0". Any thread. */
const char *cad_version(void);

/* ---- views ------------------------------------------------------------------------------- */

/* Text: n bytes at p, UTF-8 unless said otherwise. p may be NULL only if n is 0. */
typedef struct cad_str {
    const char *p; /* first byte */
    size_t n;      /* bytes */
} cad_str;

/* Bytes: n bytes at p. p may be NULL only if n is 0. */
typedef struct cad_buf {
    const uint8_t *p; /* first byte */
    size_t n;         /* bytes */
} cad_buf;

/* ---- time -------------------------------------------------------------------------------- */

typedef int64_t cad_time; /* nanoseconds: monotonic time or presentation time */

#define CAD_TIME_NONE INT64_MIN /* no time */
#define CAD_TIME_MAX INT64_MAX /* the latest time; never */
#define CAD_US INT64_C(1000) /* a microsecond */
#define CAD_MS INT64_C(1000000) /* a millisecond */
#define CAD_SECOND INT64_C(1000000000) /* a second */

/* a + b, saturating at +-INT64_MAX; CAD_TIME_NONE in gives CAD_TIME_NONE out. */
cad_time cad_time_add(cad_time a, cad_time b);
/* a - b, likewise. */
cad_time cad_time_sub(cad_time a, cad_time b);

/*
 * Ticks of a timescale (per second, > 0) to nanoseconds, exactly, rounding down; saturating at
 * +-INT64_MAX. INT64_MIN in (no time) gives CAD_TIME_NONE out, here and below.
 */
cad_time cad_time_from_ticks(int64_t ticks, uint32_t timescale);
/* The last tick that is not after t; saturating. */
int64_t cad_time_to_ticks(cad_time t, uint32_t timescale);

/* ---- memory ------------------------------------------------------------------------------ */

/* What memory is for: accounts of the byte ceiling. */
enum cad_mem_class {
    CAD_MEM_SESSION,  /* objects of the session, tables, queues */
    CAD_MEM_MANIFEST, /* presentation models and segment indexes */
    CAD_MEM_MEDIA,    /* response bodies and media segments */
    CAD_MEM_OTHER,
    CAD_MEM_CLASSES
};

/*
 * The one door to memory. fn(ctx, NULL, 0, n) allocates, fn(ctx, p, old, n) resizes and
 * fn(ctx, p, old, 0) frees and returns NULL. On failure it returns NULL and p stays as it was.
 * Memory is aligned for any object. It must be safe to free on another thread than the one that
 * allocated. Not called from two threads for one context at a time unless the owner says so.
 */
typedef void *(*cad_alloc_fn)(void *ctx, void *p, size_t old_bytes, size_t new_bytes,
                              enum cad_mem_class cls);

/* An allocator: a function and its context. */
struct cad_alloc {
    cad_alloc_fn fn; /* never NULL */
    void *ctx;       /* of fn */
};

/* malloc, realloc and free of the C library. Any thread. */
struct cad_alloc cad_alloc_system(void);

/* ---- media buffers ------------------------------------------------------------------------ */

/*
 * A pooled, reference-counted run of bytes. The count is atomic: any thread may take or drop a
 * reference it can name. The bytes that were committed never change. The last unref gives the
 * memory back to the pool, from whatever thread.
 */
struct cad_ref;

struct cad_ref *cad_ref_ref(struct cad_ref *ref);  /* returns ref */
void cad_ref_unref(struct cad_ref **ref);          /* accepts NULL and *ref NULL; leaves NULL */

/* ---- log ----------------------------------------------------------------------------------- */

/* How much is logged: each level has all those above it. */
enum cad_log_level {
    CAD_LOG_OFF,
    CAD_LOG_ERROR,
    CAD_LOG_WARN,
    CAD_LOG_INFO,
    CAD_LOG_DEBUG,
    CAD_LOG_TRACE
};

/*
 * One line of log, without a line end: "room: event key=value ...". now is the time of the turn
 * (CAD_TIME_NONE outside of one). The text is valid during the call. It never contains keys,
 * tokens or whole signed URLs. The callback must not call back into the library.
 */
typedef void (*cad_log_fn)(void *ctx, enum cad_log_level level, cad_time now, cad_str line);

/* Where log lines go. */
struct cad_log {
    cad_log_fn fn; /* NULL: off */
    void *ctx;     /* of fn */
    enum cad_log_level level; /* lines above this level are not even formatted */
};

#ifdef __cplusplus
}
#endif
#endif
