/*
 * error.h - what can go wrong, in one table.
 *
 * Two vocabularies live here and are never mixed:
 *
 *   result codes  (CAD_E_*)   what one call answers: 0 is success, a negative value is one of
 *                             these, a positive value is a count where the call says so.
 *   playback errors (CAD_ERR_*) why a viewer does not see what was asked for. They travel in a
 *                             struct cad_error with everything that support needs to know.
 *
 * Both lists are X-macros, so that the enum, the name and the text cannot drift apart. Two causes
 * never share a code. This header belongs to no layer: it declares data and contains no code.
 */
#ifndef CADMIUM_ERROR_H
#define CADMIUM_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, value, text). Values are part of the ABI: they are never renumbered. */
#define CAD_RESULT_LIST(X)                                                                         \
    X(OK, 0, "success")                                                                            \
    X(E_AGAIN, -1, "not now: come back with more input or later")                                  \
    X(E_END, -2, "end of stream")                                                                  \
    X(E_INVAL, -3, "invalid argument or call order")                                               \
    X(E_DATA, -4, "broken or hostile input")                                                       \
    X(E_LIMIT, -5, "a named limit was exceeded")                                                   \
    X(E_NOMEM, -6, "out of memory or over the byte ceiling")                                       \
    X(E_UNSUPPORTED, -7, "valid, but not supported here")                                          \
    X(E_NOTFOUND, -8, "no such thing")                                                             \
    X(E_STALE, -9, "belongs to an earlier epoch or a finished request")                            \
    X(E_IO, -10, "the operating system or a library reported a failure")                           \
    X(E_CONFIG, -11, "a new configuration precedes the next sample")                               \
    X(E_NO_KEY, -12, "no key for it yet")                                                          \
    X(E_KEY_EXPIRED, -13, "the key for it is over")                                                \
    X(E_OUTPUT, -14, "the output is not protected as the key demands")                             \
    X(E_LOST, -15, "the other side lost its state: begin anew")

/* What a call answers; a positive result is a count where the call says so. */
enum cad_result {
#define CAD_X(name, value, text) CAD_##name = (value),
    CAD_RESULT_LIST(CAD_X)
#undef CAD_X
};

/* How bad it is for the viewer. */
enum cad_error_class {
    CAD_ERROR_RETRY,    /* the engine is trying again by itself; informational */
    CAD_ERROR_DEGRADED, /* playback goes on with less (a rung, a track or a server fewer) */
    CAD_ERROR_FATAL     /* the session is over */
};

/* Where a failure arose. */
enum cad_error_domain {
    CAD_DOMAIN_NONE,
    CAD_DOMAIN_USER,     /* the application asked for something impossible */
    CAD_DOMAIN_NETWORK,  /* no answer, or a connection that failed */
    CAD_DOMAIN_HTTP,     /* an answer that refuses */
    CAD_DOMAIN_MANIFEST, /* what to play could not be understood or was refused */
    CAD_DOMAIN_MEDIA,    /* a container or an elementary stream is wrong */
    CAD_DOMAIN_DRM,      /* keys */
    CAD_DOMAIN_SINK,     /* decoders and devices */
    CAD_DOMAIN_INTERNAL  /* memory, limits, our own mistakes */
};

/* What the session was doing. */
enum cad_phase {
    CAD_PHASE_NONE,
    CAD_PHASE_MANIFEST,
    CAD_PHASE_HEADER,
    CAD_PHASE_START,
    CAD_PHASE_PLAY,
    CAD_PHASE_SEEK,
    CAD_PHASE_REFRESH
};

/* X(name, value, domain, class, text). Values are part of the ABI and go into telemetry. */
#define CAD_ERROR_LIST(X)                                                                          \
    X(NONE, 0, NONE, RETRY, "no error")                                                            \
    X(TITLE_INVALID, 100, USER, FATAL, "the title is neither a URL, a file nor a service id")      \
    X(SCHEME_REFUSED, 101, USER, FATAL, "the URL scheme is not allowed")                           \
    X(FILE_NOT_FOUND, 102, USER, FATAL, "the file does not exist")                                 \
    X(FILE_UNREADABLE, 103, USER, FATAL, "the file cannot be read")                                \
    X(NOTHING_LOADED, 104, USER, DEGRADED, "nothing is loaded")                                    \
    X(NO_SUCH_TRACK, 105, USER, DEGRADED, "there is no such track, or it cannot be played")        \
    X(FILE_UNWRITABLE, 106, USER, FATAL, "the file cannot be written")                             \
    X(STREAMS_REFUSED, 107, USER, FATAL, "the service ended this playback")                        \
    X(PREPARE_BUSY, 108, USER, DEGRADED, "another title plays: none can be prepared")              \
    X(NET_DNS, 200, NETWORK, FATAL, "the host name could not be resolved")                         \
    X(NET_CONNECT, 201, NETWORK, FATAL, "no server accepted a connection")                         \
    X(NET_TLS, 202, NETWORK, FATAL, "the TLS handshake failed")                                    \
    X(NET_CERTIFICATE, 203, NETWORK, FATAL, "the server's certificate is not trusted")             \
    X(NET_TIMEOUT, 204, NETWORK, FATAL, "no answer in time")                                       \
    X(NET_RESET, 205, NETWORK, FATAL, "the connection broke")                                      \
    X(NET_PROTOCOL, 206, NETWORK, FATAL, "the answer is not valid HTTP")                           \
    X(NET_ADDRESS, 207, NETWORK, FATAL, "the host is at an address that may not be asked")         \
    X(HTTP_REFUSED, 300, HTTP, FATAL, "the server refused the request")                            \
    X(HTTP_NOT_FOUND, 301, HTTP, FATAL, "the server does not have the resource")                   \
    X(HTTP_SERVER, 302, HTTP, FATAL, "the server failed")                                          \
    X(HTTP_RANGE, 303, HTTP, FATAL, "the server answered another byte range than was asked for")   \
    X(HTTP_REDIRECT, 304, HTTP, FATAL, "a redirect was refused or there were too many")            \
    X(HTTP_TOO_LARGE, 305, HTTP, FATAL, "the answer is larger than its limit")                     \
    X(MANIFEST_BAD, 400, MANIFEST, FATAL, "the manifest is malformed")                             \
    X(MANIFEST_LIMIT, 401, MANIFEST, FATAL, "the manifest exceeds a limit")                        \
    X(MANIFEST_NO_MEDIA, 402, MANIFEST, FATAL, "the manifest has nothing that this device plays")  \
    X(MANIFEST_DENIED, 403, MANIFEST, FATAL, "the service denied the title")                       \
    X(MANIFEST_EXPIRED, 404, MANIFEST, FATAL, "the manifest expired and was not renewed")          \
    X(MANIFEST_UNSUPPORTED, 405, MANIFEST, FATAL, "the manifest format is not supported")          \
    X(MEDIA_BAD, 500, MEDIA, FATAL, "the media container is malformed")                            \
    X(MEDIA_CODEC, 501, MEDIA, FATAL, "no decoder for the codec")                                  \
    X(MEDIA_DECODE, 502, MEDIA, FATAL, "the decoder rejected the stream")                          \
    X(MEDIA_SEGMENT_LOST, 503, MEDIA, FATAL, "a segment could not be had from any server")         \
    X(MEDIA_NO_INDEX, 504, MEDIA, FATAL, "the file has no segment index")                          \
    X(TEXT_LOST, 505, MEDIA, DEGRADED, "the document of timed text could not be had")              \
    X(DRM_MISMATCH, 600, DRM, FATAL, "the manifest asks for another CDM")                          \
    X(DRM_NO_KEY, 601, DRM, FATAL, "no usable key")                                                \
    X(DRM_UNSUPPORTED, 602, DRM, FATAL, "no CDM here can open the protection")                     \
    X(DRM_INIT, 603, DRM, FATAL, "the CDM could not be started")                                   \
    X(DRM_ABI, 604, DRM, FATAL, "the CDM speaks another version")                                  \
    X(DRM_INIT_DATA, 605, DRM, FATAL, "the init data for the licence is malformed")                \
    X(DRM_KEY_EXPIRED, 606, DRM, FATAL, "the key has expired and was not renewed")                 \
    X(DRM_KEY_DENIED, 607, DRM, FATAL, "the CDM refuses the key")                                  \
    X(DRM_OUTPUT, 608, DRM, DEGRADED, "the output is not protected as the key demands")            \
    X(DRM_LICENCE_BAD, 609, DRM, FATAL, "the licence is malformed")                                \
    X(DRM_LICENCE_NET, 610, DRM, FATAL, "the licence service did not answer")                      \
    X(DRM_LICENCE_DENIED, 611, DRM, FATAL, "the licence service denied the licence")               \
    X(DRM_DECRYPT, 612, DRM, FATAL, "decryption failed")                                           \
    X(DRM_SAMPLE_BAD, 613, DRM, DEGRADED, "protection data of a sample is malformed")              \
    X(DRM_LIMIT, 614, DRM, FATAL, "a limit of the CDM was exceeded")                               \
    X(DRM_RESET, 615, DRM, FATAL, "the CDM lost its state again and again")                        \
    X(DRM_CRASHED, 616, DRM, FATAL, "the CDM crashed again and again")                             \
    X(DRM_PERSIST, 617, DRM, DEGRADED, "a stored licence is broken")                               \
    X(SINK_FAILED, 700, SINK, FATAL, "an output device failed")                                    \
    X(SINK_STUCK, 701, SINK, FATAL, "the output clock stopped and did not recover")                \
    X(OUT_OF_MEMORY, 800, INTERNAL, FATAL, "out of memory")                                        \
    X(LIMIT, 801, INTERNAL, FATAL, "an internal limit was exceeded")                               \
    X(STUCK, 802, INTERNAL, FATAL, "playback made no progress and every recovery step was tried")

/* Why the viewer does not see what was asked for. */
enum cad_error_code {
#define CAD_X(name, value, domain, cls, text) CAD_ERR_##name = (value),
    CAD_ERROR_LIST(CAD_X)
#undef CAD_X
};

/* Bytes with the closing NUL; longer text is cut before a character. */
#define CAD_ERROR_MESSAGE_SIZE 160

/* A failure of playback: the "typed error". Plain data, copied by value, safe to keep. */
struct cad_error {
    enum cad_error_code code; /* what happened */
    enum cad_error_domain domain; /* where, by the table */
    enum cad_error_class cls; /* how bad it is here */
    enum cad_phase phase; /* what the session was doing */
    int32_t track;       /* track index in the presentation, -1 none */
    uint32_t request;    /* request id in the log, 0 none */
    int32_t http_status; /* 100..599, 0 none */
    int64_t edge_code;   /* the edge's own code (CURLcode, AVERROR, errno), 0 none */
    uint32_t attempts;   /* requests made for this purpose, 0 where none applies */
    char message[CAD_ERROR_MESSAGE_SIZE]; /* for a person; contains no secret; never empty */
};

/* Names and texts; never NULL ("?" for an unknown value); any thread: */
const char *cad_result_name(int result);
const char *cad_result_text(int result);
const char *cad_error_name(enum cad_error_code code); /* "NET_TIMEOUT" */
const char *cad_error_text(enum cad_error_code code);
const char *cad_error_domain_name(enum cad_error_domain domain);
const char *cad_error_class_name(enum cad_error_class cls);
const char *cad_phase_name(enum cad_phase phase);

/* Fill *err from the table (domain, class, default message); track -1, the rest zero. */
void cad_error_init(struct cad_error *err, enum cad_error_code code);

#ifdef __cplusplus
}
#endif
#endif
