/*
 * events.h - what goes into an engine: commands, answers, reports of edges; and the words that they
 * share with what comes out of it (actions.h).
 *
 * Plain data. Views in events are borrowed for the call that feeds them. This header belongs to no
 * layer: it declares types and contains no code.
 */
#ifndef CADMIUM_EVENTS_H
#define CADMIUM_EVENTS_H

#include "cadmium/cdm.h"
#include "cadmium/error.h"
#include "cadmium/store.h"
#include "cadmium/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_ENGINE_TRACKS 2 /* slots of media: CAD_SLOT_VIDEO, CAD_SLOT_AUDIO */
#define CAD_ENGINE_SLOTS 3  /* all that samples are pulled of: these and CAD_SLOT_TEXT */
#define CAD_SLOT_VIDEO 0    /* the slot of pictures */
#define CAD_SLOT_AUDIO 1    /* the slot of sound */
#define CAD_SLOT_TEXT 2     /* the slot of timed text: a sample is a whole document */

/* A bit that no engine sets in the numbers it gives requests, CDM sessions and store orders: who
 * drives two of them by the same edges tells them apart by it. */
#define CAD_ENGINE_ID_FREE 0x20000000u

/* ---- state ------------------------------------------------------------------------------- */

/* X(name, text) */
#define CAD_STATE_LIST(X)                                                                          \
    X(IDLE, "idle")           /* nothing loaded */                                                 \
    X(LOADING, "loading")     /* manifest, headers */                                              \
    X(BUFFERING, "buffering") /* the clock waits for media: start, seek or stall */                \
    X(PLAYING, "playing")                                                                          \
    X(PAUSED, "paused")                                                                            \
    X(ENDED, "ended")                                                                              \
    X(FAILED, "failed")       /* a fatal error was reported */                                     \
    X(STOPPED, "stopped")
/* What a session is doing. */
enum cad_state {
#define CAD_X(name, text) CAD_STATE_##name,
    CAD_STATE_LIST(CAD_X)
#undef CAD_X
};
/* "idle", "loading"...; never NULL. */
const char *cad_state_name(enum cad_state state);

/* ---- tracks ------------------------------------------------------------------------------ */

#define CAD_TRACK_ID_SIZE 64        /* with the NUL; a longer id is cut */
#define CAD_TRACK_LIST_MAX 128      /* tracks that are listed */

/* A track of the period that is played. Plain data. */
struct cad_track_info {
    char id[CAD_TRACK_ID_SIZE];     /* for CAD_COMMAND_TRACK */
    enum cad_media_type type;       /* video, audio or text */
    char lang[24];                  /* BCP 47; "und" unknown */
    char label[64];                 /* for people; may be empty */
    char role[32];                  /* as published; may be empty */
    char codecs[48];                /* RFC 6381, of the best representation; may be empty */
    enum cad_codec codec;           /* of the best representation */
    uint32_t channels;              /* audio; 0 unknown */
    uint32_t width, height;         /* video: the largest; 0 unknown */
    int64_t rate_bps;               /* of the best representation */
    bool is_default, is_forced;     /* as the manifest says */
    bool playable;                  /* the sink can take it */
    bool selected;                  /* it is played, or will be from the next sample that can be */
};

/* A rung of the video ladder. Plain data. */
struct cad_rung_info {
    uint32_t width, height;         /* 0 unknown */
    int64_t rate_bps;               /* declared */
    enum cad_codec codec;           /* of its samples */
};

/* ---- in: commands and events ------------------------------------------------------------- */

/* What an application can ask for. */
enum cad_command_type {
    CAD_COMMAND_LOAD,   /* title; play or pause follows the wish that is set */
    CAD_COMMAND_PLAY,
    CAD_COMMAND_PAUSE,
    CAD_COMMAND_SEEK,   /* to `position`, clamped to the title. A seek that a later one replaces has
                           no SEEK_DONE of its own: tickets rise, the later one answers both */
    CAD_COMMAND_STOP,   /* drop everything; the engine can load again */
    CAD_COMMAND_PIN,    /* always `rung` of the video ladder; -1: free again */
    CAD_COMMAND_TRACK,  /* play `track` from as soon as can be; it is kept over periods by what it
                           is (language, channels, role). An unknown one: error NO_SUCH_TRACK.
                           Empty: no text is shown */
    CAD_COMMAND_RATE,   /* playback at `rate_q16` whenever it plays */
    CAD_COMMAND_PREPARE /* as LOAD, but nothing is shown: manifest, licence, headers and the first
                           seconds are fetched, and PREPARED answers. A LOAD of the same title then
                           plays it without fetching anything again; any other one drops it. Error
                           PREPARE_BUSY: another title is loaded and not over */
};

/* What to play: a URL or file (url), or a title of a service (base and id). */
struct cad_title {
    cad_str url;        /* http:, https: or file: URL of a licensed manifest, an MPD or an fMP4;
                           or empty */
    cad_str base;       /* service: its base URL */
    cad_str id;         /* service: the title */
    cad_time start;     /* where to begin; CAD_TIME_NONE: the manifest's bookmark, or 0 */
};

/* A wish of the application. Fields that the type does not name are not looked at. */
struct cad_command {
    enum cad_command_type type; /* tells which fields count */
    uint32_t ticket;        /* the caller's; comes back in events that answer it; 0 none */
    struct cad_title title; /* LOAD, PREPARE: views are copied */
    cad_time position;      /* SEEK */
    int32_t rung;           /* PIN */
    char track[CAD_TRACK_ID_SIZE]; /* TRACK: cad_track_info.id, NUL-terminated */
    uint32_t rate_q16;      /* RATE: 65536 normal; 32768 .. 131072, clamped to what the sink can */
};

/* X(name, text). The class is what the engine decides by; the edge's code is for people. */
#define CAD_HTTP_CLASS_LIST(X)                                                                     \
    X(OK, "ok")                                                                                    \
    X(DNS, "dns")                 /* no address of the host */                                     \
    X(CONNECT, "connect")         /* nobody there took a connection */                             \
    X(TLS, "tls")                 /* the handshake failed */                                       \
    X(CERTIFICATE, "certificate") /* it is not trusted */                                          \
    X(TIMEOUT, "timeout")         /* no byte in time */                                            \
    X(RESET, "reset")             /* the connection broke */                                       \
    X(PROTOCOL, "protocol")       /* no valid HTTP */                                              \
    X(TOO_LARGE, "too-large")     /* a body above size_max */                                      \
    X(NO_FILE, "no-file")         /* it does not exist */                                          \
    X(BAD_FILE, "bad-file")       /* it cannot be read */                                          \
    X(SCHEME, "scheme")           /* not one that is asked */                                      \
    X(ADDRESS, "address")         /* farther in than address_max */
/* How a request ended. */
enum cad_http_class {
#define CAD_X(name, text) CAD_HTTP_##name,
    CAD_HTTP_CLASS_LIST(CAD_X)
#undef CAD_X
};
/* "ok", "dns"...; never NULL. */
const char *cad_http_class_name(enum cad_http_class cls);

/* Where a host turned out to be: of the address that was connected to. */
enum cad_address_class {
    CAD_ADDRESS_UNKNOWN,    /* a file, or nobody looked */
    CAD_ADDRESS_PUBLIC,
    CAD_ADDRESS_PRIVATE,    /* RFC 1918, link-local, unique local, shared (RFC 6598) */
    CAD_ADDRESS_LOOPBACK
};

#define CAD_HTTP_READS_MAX 16 /* read marks of a transfer, at most */

/* Up to `at`, `bytes` of the body had come. */
struct cad_http_read {
    cad_time at; /* monotonic */
    int64_t bytes; /* of the body, from its beginning */
};

/* A line of an HTTP head: name without the colon, value without blanks around it. */
struct cad_header {
    cad_str name, value; /* the value may be empty */
};

#define CAD_HTTP_HEADERS_MAX 8 /* header lines that a head tells, at most */
/* Those lines, by their names in lower case; of several the first. Separated by blanks. */
#define CAD_HTTP_HEADERS_TOLD                                                                      \
    "via x-ftl-probe-data x-ftl-error x-ftl-probe-recv-ts latency-trace x-ichnaea"

/* The head of an answer. */
struct cad_http_head {
    uint32_t id;              /* of the request */
    int32_t status;           /* 100..599; files answer 200 or 206 */
    int64_t length;           /* Content-Length of this body; -1 unknown */
    struct cad_range range;   /* Content-Range; first -1 none */
    int64_t total;            /* of Content-Range; -1 unknown; advisory */
    int64_t date_ms;          /* Date, Unix epoch, ms; 0 none */
    cad_time retry_after;     /* CAD_TIME_NONE none */
    cad_str location;         /* of a redirect, as sent; may be empty */
    enum cad_address_class address; /* of the peer */
    uint32_t http_version;    /* 10, 11, 20, 30; 0 unknown */
    const struct cad_header *headers; /* of CAD_HTTP_HEADERS_TOLD; borrowed for the call */
    uint32_t header_count;    /* 0 .. CAD_HTTP_HEADERS_MAX */
};

/* A request is over. */
struct cad_http_end {
    uint32_t id;              /* of the request */
    enum cad_http_class cls;  /* how it ended */
    int64_t edge_code;        /* CURLcode, errno */
    cad_time dns, connect, tls; /* monotonic; CAD_TIME_NONE not passed; advisory */
    cad_time first_byte, last_byte; /* monotonic; CAD_TIME_NONE none came */
    bool reused;              /* on a connection that was open; advisory */
    struct cad_http_read reads[CAD_HTTP_READS_MAX]; /* rising; the last is the whole body */
    uint32_t read_count;      /* reads are merged when there are more; 0 unknown */
};

/* The sink's clock: at monotonic `at` it shows presentation time `media` and runs at rate_q16. */
struct cad_sink_anchor {
    uint32_t epoch;           /* of the flush it belongs to */
    cad_time media;           /* presentation time */
    cad_time at;              /* <= now of the turn */
    uint32_t rate_q16;        /* 65536 normal, 0 stands */
    bool underrun;            /* it stands because it has nothing to show */
};

/* What a sink has shown. */
struct cad_sink_level {
    uint32_t epoch;           /* of the flush it belongs to */
    bool first_frame;         /* the first picture (or sound, without video) of the epoch is out */
    cad_time first_frame_pts; /* presentation time of that picture */
    bool drained;             /* after the end was pulled: the last sample has been shown */
    uint64_t frames;          /* pictures decoded since the session began */
    uint64_t dropped;         /* pictures not shown in time, decoded or passed over */
};

/* What a sink can take. */
struct cad_sink_caps {
    uint32_t codecs;          /* bit 1 << enum cad_codec: what can be decoded */
    uint32_t width_max, height_max; /* 0: no limit */
    bool video, audio, text;  /* false: samples of that kind are not wanted at all */
    bool fixed_codec;         /* a change of codec in mid-play would be seen or heard */
    bool fixed_resolution;    /* so would a change of picture size */
    uint32_t passthrough;     /* codecs taken as they are (S/PDIF, HDMI): a subset of codecs */
    uint32_t rate_min_q16, rate_max_q16; /* of playback; 0: normal speed only */
};

/* Something in a sink failed; it goes on where it can. */
struct cad_sink_fail {
    uint32_t slot;             /* CAD_SLOT_VIDEO or CAD_SLOT_AUDIO */
    enum cad_error_code error; /* MEDIA_CODEC, MEDIA_DECODE or SINK_FAILED */
    int64_t edge_code;         /* the decoder's or the device's own; 0 none */
    char message[CAD_ERROR_MESSAGE_SIZE]; /* for a person; may be empty */
};

/* What an engine is told; the member of the union that counts has the same name. */
enum cad_event_type {
    CAD_EVENT_COMMAND, CAD_EVENT_HTTP_HEAD, CAD_EVENT_HTTP_END, CAD_EVENT_SINK_CAPS,
    CAD_EVENT_SINK_ANCHOR, CAD_EVENT_SINK_LEVEL, CAD_EVENT_SINK_FAIL, CAD_EVENT_NET_CHANGE,
    CAD_EVENT_WALL_OFFSET, CAD_EVENT_ENTROPY, CAD_EVENT_CDM_CAPS, CAD_EVENT_CDM,
    CAD_EVENT_STORE_DONE
};

/* An input of the engine. */
struct cad_event {
    enum cad_event_type type; /* tells which member of u counts */
    union {
        struct cad_command command;
        struct cad_http_head head;
        struct cad_http_end end;
        struct cad_sink_caps caps;
        struct cad_sink_anchor anchor;
        struct cad_sink_level level;
        struct cad_sink_fail fail;
        struct { bool online; } net;
        struct { int64_t offset_ms; int64_t error_ms; } wall; /* Unix ms = monotonic ms + offset */
        cad_buf entropy;      /* copied; up to 512 bytes from a cryptographic source */
        const struct cad_cdm_caps *cdm_caps; /* of the CDM there is; before the first LOAD */
        struct cad_cdm_event cdm; /* one at a time: next is not looked at; data is copied */
        struct cad_store_done store; /* what came of an order to the store; copied */
    } u;                      /* what happened */
};

#ifdef __cplusplus
}
#endif
#endif
