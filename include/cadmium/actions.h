/*
 * actions.h - what comes out of an engine: what it wants done, what it tells the application, and
 * samples.
 *
 * Plain data. Views in actions and in application events live until the next cad_engine_run. This
 * header belongs to no layer: it declares types and contains no code.
 */
#ifndef CADMIUM_ACTIONS_H
#define CADMIUM_ACTIONS_H

#include "cadmium/events.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- out: actions ------------------------------------------------------------------------ */

/* A request to be made. */
struct cad_http_start {
    uint32_t id;                    /* never 0, never reused */
    enum cad_purpose purpose;       /* for logs and the order of things */
    bool post;                      /* POST with body, else GET */
    cad_str url;                    /* absolute */
    const struct cad_header *headers; /* beside those that the transport sets */
    uint32_t header_count;          /* how many */
    cad_buf body;                   /* POST */
    struct cad_range range;         /* to ask by a Range header; first -1: none */
    int64_t size_max;               /* a larger body ends in CAD_HTTP_TOO_LARGE */
    uint32_t priority;              /* 0 most urgent .. 7 (RFC 9218 urgency) */
    cad_time deadline;              /* CAD_TIME_NONE none; advisory: for ordering, not a time-out */
    cad_time connect_timeout;       /* duration */
    cad_time silence_timeout;       /* duration without a byte */
    uint32_t group;                 /* requests of one group may share a connection; advisory, but
                                       for PROBE: those share none with others at all */
    enum cad_address_class address_max; /* farthest in that may be connected to: PUBLIC, PRIVATE
                                       too, or LOOPBACK too; UNKNOWN: anywhere. Else the transfer
                                       ends in CAD_HTTP_ADDRESS, before the request is sent */
};

/* Have connections ready: tiny requests (HEAD) whose answers nobody reads. On HTTP/1.1 each opens a
 * spare connection to the origin; where one of HTTP/2 is open nothing is done. Best effort. */
struct cad_http_warm {
    cad_str url;                    /* of a resource of the origin; asked for with HEAD */
    uint32_t connections;           /* to be made ready at a time; 0 counts as 1; at most 4 */
    cad_time connect_timeout;       /* duration */
    enum cad_address_class address_max; /* as of a request */
};

/* The sink's clock and devices. Issued when anything in it changes. */
struct cad_sink_config {
    uint32_t epoch;                 /* of the flush before it */
    uint32_t rate_q16;              /* wanted rate; 0: hold */
    cad_time position;              /* where the epoch begins */
    bool video, audio, text;        /* which slots will deliver samples */
};

/* X(name, text, function): calls of a CDM's table (cdm.h). */
#define CAD_CDM_CALL_LIST(X)                                                                       \
    X(OPEN, "open")       /* session_type */                                                       \
    X(REQUEST, "request") /* init_type, data */                                                    \
    X(UPDATE, "update")   /* data: a licence. Never to be logged or recorded */                    \
    X(FEED_INIT, "feed-init") /* data */                                                           \
    X(CLOSE, "close")                                                                              \
    X(TIMER, "timer")     /* nothing: the time is that of the call */
/* A call of a CDM's table. */
enum cad_cdm_call_type {
#define CAD_X(name, text) CAD_CDM_CALL_##name,
    CAD_CDM_CALL_LIST(CAD_X)
#undef CAD_X
};
/* "open", "request"...; never NULL. */
const char *cad_cdm_call_name(enum cad_cdm_call_type type);

/* A call that the CDM is to be given. One that it refuses (a negative result) is answered by an
 * event DONE with that result, as if the CDM had posted it. */
struct cad_cdm_call {
    enum cad_cdm_call_type type;    /* tells which fields count */
    struct cad_cdm_tag tag;         /* of all but TIMER */
    enum cad_session_type session_type; /* of OPEN */
    enum cad_init_type init_type;   /* of REQUEST */
    cad_buf data;                   /* bytes */
};

/* An order to the store: one call of struct cad_store_ops. A refused one is answered by an event
 * STORE_DONE with that result. */
struct cad_store_order {
    enum cad_store_call call;       /* tells which fields count */
    uint32_t id;                    /* to answer with */
    cad_str key;                    /* of LIST: what the keys begin with */
    cad_buf value;                  /* of PUT */
    uint32_t flags;                 /* of PUT */
};

/* X(name, text): what the application is told. */
#define CAD_APP_EVENT_LIST(X)                                                                      \
    X(STATE, "state")             /* state, state_old, reason */                                   \
    X(LOADED, "load")             /* it is known what there is to play: duration */                \
    X(FIRST_FRAME, "first_frame") /* position */                                                   \
    X(STALL_BEGIN, "stall_begin") /* position */                                                   \
    X(STALL_END, "stall_end")     /* position, duration = how long */                              \
    X(RUNG, "rung")               /* slot, rung, rate_bps, width, height */                        \
    X(SERVER, "server")           /* slot, server */                                               \
    X(SEEK_DONE, "seek_done")     /* position: of the first picture shown */                       \
    X(REFRESHED, "refreshed")     /* fresh URLs are in */                                          \
    X(TRACKS, "tracks")           /* the list of tracks changed: cad_engine_tracks */              \
    X(TRACK, "track")             /* another track is heard or seen: slot, text = id; "": none */  \
    X(KEYS, "keys")               /* text = status of the keys: "pending", "usable"... */          \
    X(PROBES, "probes")           /* a race of servers was won: text = target, duration */         \
    X(PREPARED, "prepared")       /* the title that was to be prepared can start at once */        \
    X(ERROR, "error")             /* error */                                                      \
    X(ENDED, "end")
/* What the application is told; which fields count is said behind each. */
enum cad_app_event_type {
#define CAD_X(name, text) CAD_APP_##name,
    CAD_APP_EVENT_LIST(CAD_X)
#undef CAD_X
};
/* "state", "load"...; never NULL. */
const char *cad_app_event_name(enum cad_app_event_type type);

#define CAD_APP_TEXT_SIZE 64 /* bytes with the closing NUL */

/* Plain data: safe to copy and keep. */
struct cad_app_event {
    enum cad_app_event_type type; /* tells which fields count */
    uint32_t ticket;             /* of the load or seek it answers; 0 none */
    cad_time at;                 /* monotonic */
    enum cad_state state, state_old; /* now, and before */
    cad_time position;           /* presentation time */
    cad_time duration;           /* of the title, or of a stall */
    uint32_t slot, rung;         /* rung: index in the ladder, 0 lowest */
    int64_t rate_bps;            /* declared rate of the rung */
    uint32_t width, height;      /* of the rung, pixels; 0 unknown */
    char text[CAD_APP_TEXT_SIZE];/* reason, codec, id of a server or track; NUL-terminated */
    struct cad_error error;      /* of ERROR */
};

/* What an engine wants done; the member of the union that counts goes by the name. */
enum cad_action_type {
    CAD_ACTION_HTTP_START, CAD_ACTION_HTTP_CANCEL, CAD_ACTION_HTTP_WARM, CAD_ACTION_SINK_CONFIG,
    CAD_ACTION_SINK_FLUSH, CAD_ACTION_APP_EVENT, CAD_ACTION_CDM_CALL, CAD_ACTION_STORE
};

/* An output of the engine. Views live until the next cad_engine_run. */
struct cad_action {
    enum cad_action_type type; /* tells which member of u counts */
    union {
        struct cad_http_start start;
        struct { uint32_t id; } cancel;
        struct cad_http_warm warm;
        struct cad_sink_config sink;
        struct { uint32_t epoch; cad_time position; } flush;
        struct cad_app_event app;
        struct cad_cdm_call cdm;
        struct cad_store_order store;
    } u;                       /* what is to be done */
};

/* ---- samples ----------------------------------------------------------------------------- */

/* Bits of cad_sample.flags. */
enum cad_sample_flags {
    CAD_SAMPLE_SYNC = 1,         /* decoding can begin here */
    CAD_SAMPLE_DECODE_ONLY = 2,  /* before the wanted position: decode, do not show */
    CAD_SAMPLE_HOLE = 4          /* virtual media: the bytes do not exist, do not read data */
};

/* What a decoder must know before the samples that follow. */
struct cad_stream_config {
    enum cad_media_type type;    /* video, audio or text */
    enum cad_codec codec;        /* of the samples */
    char lang[24];               /* of text: BCP 47; may be empty */
    char codecs[48];             /* RFC 6381; may be empty */
    cad_buf extra;               /* payload of avcC, hvcC, vpcC, av1C, dac3, dec3, dOps or dfLa, or
                                    the AudioSpecificConfig of AAC */
    uint32_t width, height, channels, sample_rate_hz; /* of the picture, of the sound; 0 unknown */
    uint32_t timescale;          /* of the container, ticks a second */
    uint32_t rung;               /* index in the ladder */
    int64_t rate_bps;            /* declared */
    struct cad_color color;      /* of the picture */
};

/*
 * An access unit, or (result CAD_E_CONFIG) a configuration. `ref` is owned by the caller. Of text
 * it is a document (TTML) that counts from pts for duration; its times are of the period that
 * begins at pts. A configuration without a codec says that no text is shown from there on.
 *
 * What an engine gives may be encrypted; what a sink pulls from its source is not: the drive
 * decrypts in between, on the sink's thread, and answers CAD_E_AGAIN while a key is awaited.
 */
struct cad_sample {
    uint32_t epoch;              /* of the last flush */
    uint32_t flags;              /* enum cad_sample_flags */
    cad_time pts, dts, duration; /* presentation timeline; duration 0 unknown */
    const uint8_t *data;         /* size bytes in ref */
    size_t size;                 /* bytes at data */
    struct cad_ref *ref;         /* to be dropped with cad_ref_unref */
    const struct cad_cdm_sample *crypt; /* how it is encrypted; NULL: clear; lies in crypt_ref */
    struct cad_ref *crypt_ref;   /* NULL: clear; else dropped like ref */
    struct cad_stream_config config; /* with CAD_E_CONFIG only; config.extra lies in ref */
};

#ifdef __cplusplus
}
#endif
#endif
