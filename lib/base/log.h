/*
 * log.h - writing one line to a struct cad_log (cadmium/base.h).
 *
 *     CAD_LOG(log, INFO, now, "fetch: start id=%u url=%s", id, redacted);
 *
 * A line that is off costs one branch: its arguments are not evaluated. Longer lines are cut before
 * a character and end in "...". Line ends and other controls in the text become spaces, so that
 * outside text cannot forge a line. URLs go through cad_uri_redact first.
 */
#ifndef CAD_BASE_LOG_H
#define CAD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "cadmium/base.h"

#define CAD_LOG_LINE_MAX 512 /* bytes of a line */

static inline bool cad_log_on(const struct cad_log *log, enum cad_log_level level)
{
    return log && log->fn && level <= log->level && level != CAD_LOG_OFF;
}

/* Format and hand over; does nothing when the level is off. */
void cad_log_at(const struct cad_log *log, enum cad_log_level level, cad_time now, const char *fmt,
                ...) CAD_PRINTF(4, 5);

/* level is ERROR, WARN, INFO, DEBUG or TRACE. */
#define CAD_LOG(log, level, now, ...)                                                              \
    do {                                                                                           \
        if (cad_log_on((log), CAD_LOG_##level)) {                                                  \
            cad_log_at((log), CAD_LOG_##level, (now), __VA_ARGS__);                                \
        }                                                                                          \
    } while (0)

/* "error", "warn"...; "?" for an unknown level. */
const char *cad_log_level_name(enum cad_log_level level);

#endif
