/*
 * util.h - small things that C forgot.
 *
 * CAD_MIN and CAD_MAX evaluate the chosen argument twice: pass no side effects.
 */
#ifndef CAD_BASE_UTIL_H
#define CAD_BASE_UTIL_H

#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#define CAD_MIN(a, b) ((a) < (b) ? (a) : (b))
#define CAD_MAX(a, b) ((a) > (b) ? (a) : (b))
#define CAD_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* An argument that a function type demands and this body does not need. */
#define CAD_UNUSED(x) ((void)(x))

/*
 * Defines `const char *function(type value)`, which names the values of an X-macro list X(name,
 * text) that begins at 0 and has no gaps; "?" for any other.
 */
#define CAD_NAME_TEXT(name, text) text,
#define CAD_DEFINE_NAME(function, type, LIST)                                                      \
    const char *function(type value)                                                               \
    {                                                                                              \
        static const char *const names[] = {LIST(CAD_NAME_TEXT)};                                  \
        return (size_t)value < CAD_ARRAY_LEN(names) ? names[value] : "?";                          \
    }

/* The earlier of two times; one that is CAD_TIME_NONE does not count. */
static inline cad_time cad_time_earlier(cad_time a, cad_time b)
{
    if (a == CAD_TIME_NONE) return b;
    return b == CAD_TIME_NONE ? a : CAD_MIN(a, b);
}

#endif
