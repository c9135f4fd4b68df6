#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static void scrub(char *line, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) line[i] = ' ';
    }
}

void cad_log_at(const struct cad_log *log, enum cad_log_level level, cad_time now, const char *fmt,
                ...)
{
    if (!cad_log_on(log, level)) return;
    char line[CAD_LOG_LINE_MAX + 1];
    va_list args;
    va_start(args, fmt);
    int written = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (written < 0) return;
    size_t n = (size_t)written;
    if (n > CAD_LOG_LINE_MAX) {
        /* The last byte was taken by the NUL; cut before a whole character and say that we did. */
        n = cad_utf8_cut((cad_str){line, CAD_LOG_LINE_MAX}, CAD_LOG_LINE_MAX - 3);
        memcpy(line + n, "...", 4);
        n += 3;
    }
    scrub(line, n);
    log->fn(log->ctx, level, now, (cad_str){line, n});
}

const char *cad_log_level_name(enum cad_log_level level)
{
    switch (level) {
    case CAD_LOG_OFF: return "off";
    case CAD_LOG_ERROR: return "error";
    case CAD_LOG_WARN: return "warn";
    case CAD_LOG_INFO: return "info";
    case CAD_LOG_DEBUG: return "debug";
    case CAD_LOG_TRACE: return "trace";
    default: return "?";
    }
}
