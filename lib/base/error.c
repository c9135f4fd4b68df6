/*
 * error.c - the functions behind the two tables of error.h.
 *
 * Lookups are switches made from the X-macros, so that a row added there is known here.
 */
#include "cadmium/error.h"

#include <string.h>

#include "cadmium/base.h"

#include "base/str.h"

const char *cad_result_name(int result)
{
    switch (result) {
#define CAD_X(name, value, text) case (value): return #name;
        CAD_RESULT_LIST(CAD_X)
#undef CAD_X
    default: return "?";
    }
}

const char *cad_result_text(int result)
{
    switch (result) {
#define CAD_X(name, value, text) case (value): return (text);
        CAD_RESULT_LIST(CAD_X)
#undef CAD_X
    default: return "?";
    }
}

const char *cad_error_name(enum cad_error_code code)
{
    switch (code) {
#define CAD_X(name, value, domain, cls, text) case CAD_ERR_##name: return #name;
        CAD_ERROR_LIST(CAD_X)
#undef CAD_X
    default: return "?";
    }
}

const char *cad_error_text(enum cad_error_code code)
{
    switch (code) {
#define CAD_X(name, value, domain, cls, text) case CAD_ERR_##name: return (text);
        CAD_ERROR_LIST(CAD_X)
#undef CAD_X
    default: return "?";
    }
}

const char *cad_error_domain_name(enum cad_error_domain domain)
{
    switch (domain) {
    case CAD_DOMAIN_NONE: return "none";
    case CAD_DOMAIN_USER: return "user";
    case CAD_DOMAIN_NETWORK: return "network";
    case CAD_DOMAIN_HTTP: return "http";
    case CAD_DOMAIN_MANIFEST: return "manifest";
    case CAD_DOMAIN_MEDIA: return "media";
    case CAD_DOMAIN_DRM: return "drm";
    case CAD_DOMAIN_SINK: return "sink";
    case CAD_DOMAIN_INTERNAL: return "internal";
    default: return "?";
    }
}

const char *cad_error_class_name(enum cad_error_class cls)
{
    switch (cls) {
    case CAD_ERROR_RETRY: return "retry";
    case CAD_ERROR_DEGRADED: return "degraded";
    case CAD_ERROR_FATAL: return "fatal";
    default: return "?";
    }
}

const char *cad_phase_name(enum cad_phase phase)
{
    switch (phase) {
    case CAD_PHASE_NONE: return "none";
    case CAD_PHASE_MANIFEST: return "manifest";
    case CAD_PHASE_HEADER: return "header";
    case CAD_PHASE_START: return "start";
    case CAD_PHASE_PLAY: return "play";
    case CAD_PHASE_SEEK: return "seek";
    case CAD_PHASE_REFRESH: return "refresh";
    default: return "?";
    }
}

void cad_error_init(struct cad_error *err, enum cad_error_code code)
{
    memset(err, 0, sizeof(*err));
    err->code = code;
    err->domain = CAD_DOMAIN_INTERNAL;
    err->cls = CAD_ERROR_FATAL;
    err->track = -1;
    switch (code) {
#define CAD_X(name, value, dom, c, text)                                                           \
    case CAD_ERR_##name:                                                                           \
        err->domain = CAD_DOMAIN_##dom;                                                            \
        err->cls = CAD_ERROR_##c;                                                                  \
        break;
        CAD_ERROR_LIST(CAD_X)
#undef CAD_X
    default: break; /* an unknown code stays an internal, fatal one */
    }
    cad_str_copyz(err->message, sizeof(err->message), cad_str_from(cad_error_text(code)));
}
