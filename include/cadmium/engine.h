/*
 * engine.h - the session: a state machine without I/O.
 *
 * Events go in, actions come out, samples are pulled. The engine opens nothing, sleeps never,
 * starts no thread and asks nobody the time; nothing is called back out of it but the log. Whoever
 * drives it (the real-time drive, the simulator, a fuzzer) does this, on one thread:
 *
 *     cad_engine_create(&config, &engine);
 *     cad_engine_feed(engine, &event);                  commands, answers, reports of the sink
 *     cad_engine_lease / cad_engine_commit              bytes of a response body, in place
 *     more = cad_engine_run(engine, now);               one bounded turn; 1: run again soon
 *     while (cad_engine_poll(engine, &action) == 0)     do what it says
 *     rc = cad_engine_pull(engine, slot, &sample);      0 or CAD_E_CONFIG: sample.ref is yours
 *     wake = cad_engine_next_wake(engine);              run again then, or when something happens
 *     cad_engine_destroy(&engine);
 *
 * `now` never decreases. Same events at the same times, same actions, bit for bit. Views in actions
 * and events out live until the next cad_engine_run. Out of memory is an ordinary failure at every
 * call. The application's thread-safe face is player.h.
 */
#ifndef CADMIUM_ENGINE_H
#define CADMIUM_ENGINE_H

#include "cadmium/abr.h"
#include "cadmium/manifest.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_ENGINE_INPUTS_MAX 256   /* events that may wait for a turn */
#define CAD_ENGINE_ACTIONS_MAX 256  /* actions that may wait to be polled */
#define CAD_ENGINE_TRACKS 2         /* slots: CAD_SLOT_VIDEO, CAD_SLOT_AUDIO */
#define CAD_SLOT_VIDEO 0
#define CAD_SLOT_AUDIO 1

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
enum cad_state {
#define CAD_X(name, text) CAD_STATE_##name,
    CAD_STATE_LIST(CAD_X)
#undef CAD_X
};
const char *cad_state_name(enum cad_state state);

/* ---- in: commands and events ------------------------------------------------------------- */

enum cad_command_type {
    CAD_COMMAND_LOAD,   /* title; play or pause follows the wish that is set */
    CAD_COMMAND_PLAY,
    CAD_COMMAND_PAUSE,
    CAD_COMMAND_SEEK,   /* to `position`, clamped to the title. A seek that a later one replaces has
                           no SEEK_DONE of its own: tickets rise, the later one answers both */
    CAD_COMMAND_STOP,   /* drop everything; the engine can load again */
    CAD_COMMAND_PIN     /* always `rung` of the video ladder; -1: free again */
};

/* What to play: a URL or file (url), or a title of a service (base and id). */
struct cad_title {
    cad_str url;        /* http:, https: or file: URL of a licensed manifest or an fMP4; or empty */
    cad_str base;       /* service: its base URL */
    cad_str id;         /* service: the title */
    cad_time start;     /* where to begin; CAD_TIME_NONE: the manifest's bookmark, or 0 */
};

struct cad_command {
    enum cad_command_type type;
    uint32_t ticket;        /* the caller's; comes back in events that answer it; 0 none */
    struct cad_title title; /* LOAD: views are copied */
    cad_time position;      /* SEEK */
    int32_t rung;           /* PIN */
};

/* How a request ended. The class is what the engine decides by; the edge's code is for people. */
enum cad_http_class {
    CAD_HTTP_OK, CAD_HTTP_DNS, CAD_HTTP_CONNECT, CAD_HTTP_TLS, CAD_HTTP_CERTIFICATE,
    CAD_HTTP_TIMEOUT, CAD_HTTP_RESET, CAD_HTTP_PROTOCOL, CAD_HTTP_TOO_LARGE, CAD_HTTP_NO_FILE,
    CAD_HTTP_BAD_FILE, CAD_HTTP_SCHEME
};

struct cad_http_head {
    uint32_t id;
    int32_t status;           /* 100..599; files answer 200 or 206 */
    int64_t length;           /* Content-Length of this body; -1 unknown */
    struct cad_range range;   /* Content-Range; first -1 none */
    int64_t total;            /* of Content-Range; -1 unknown; advisory */
    int64_t date_ms;          /* Date, Unix epoch, ms; 0 none */
    cad_time retry_after;     /* CAD_TIME_NONE none */
    cad_str location;         /* of a redirect; not followed yet, may be empty */
};

struct cad_http_end {
    uint32_t id;
    enum cad_http_class cls;
    int64_t edge_code;        /* CURLcode, errno */
    cad_time dns, connect, tls; /* monotonic; CAD_TIME_NONE not passed; advisory */
    cad_time first_byte, last_byte; /* monotonic; CAD_TIME_NONE none came */
    bool reused;              /* on a connection that was open; advisory */
};

/* The sink's clock: at monotonic `at` it shows presentation time `media` and runs at rate_q16. */
struct cad_sink_anchor {
    uint32_t epoch;           /* of the flush it belongs to */
    cad_time media;
    cad_time at;              /* <= now of the turn */
    uint32_t rate_q16;        /* 65536 normal, 0 stands */
    bool underrun;            /* it stands because it has nothing to show */
};

struct cad_sink_level {
    uint32_t epoch;
    bool first_frame;         /* the first picture (or sound, without video) of the epoch is out */
    cad_time first_frame_pts;
    bool drained;             /* after the end was pulled: the last sample has been shown */
    uint64_t frames;          /* pictures decoded since the session began */
    uint64_t dropped;         /* pictures not shown in time, decoded or passed over */
};

struct cad_sink_caps {
    uint32_t codecs;          /* bit 1 << enum cad_codec: what can be decoded */
    uint32_t width_max, height_max; /* 0: no limit */
    bool video, audio;        /* false: samples of that kind are not wanted at all */
};

struct cad_sink_fail {
    uint32_t slot;
    enum cad_error_code error; /* MEDIA_CODEC, MEDIA_DECODE or SINK_FAILED */
    int64_t edge_code;
    char message[CAD_ERROR_MESSAGE_SIZE];
};

enum cad_event_type {
    CAD_EVENT_COMMAND, CAD_EVENT_HTTP_HEAD, CAD_EVENT_HTTP_END, CAD_EVENT_SINK_CAPS,
    CAD_EVENT_SINK_ANCHOR, CAD_EVENT_SINK_LEVEL, CAD_EVENT_SINK_FAIL, CAD_EVENT_NET_CHANGE,
    CAD_EVENT_WALL_OFFSET, CAD_EVENT_ENTROPY
};

struct cad_event {
    enum cad_event_type type;
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
        cad_buf entropy;      /* copied; up to 256 bytes from a cryptographic source */
    } u;
};

/* ---- out: actions ------------------------------------------------------------------------ */

struct cad_header { cad_str name, value; };

struct cad_http_start {
    uint32_t id;                    /* never 0, never reused */
    enum cad_purpose purpose;
    bool post;
    cad_str url;
    const struct cad_header *headers;
    uint32_t header_count;
    cad_buf body;                   /* POST */
    struct cad_range range;         /* to ask by a Range header; first -1: none */
    int64_t size_max;               /* a larger body ends in CAD_HTTP_TOO_LARGE */
    uint32_t priority;              /* 0 most urgent .. 7 (RFC 9218 urgency) */
    cad_time deadline;              /* CAD_TIME_NONE none; advisory: for ordering, not a time-out */
    cad_time connect_timeout;       /* duration */
    cad_time silence_timeout;       /* duration without a byte */
    uint32_t group;                 /* requests of one group may share a connection; advisory */
};

/* The sink's clock and devices. Issued when anything in it changes. */
struct cad_sink_config {
    uint32_t epoch;
    uint32_t rate_q16;              /* wanted rate; 0: hold */
    cad_time position;              /* where the epoch begins */
    bool video, audio;              /* which slots will deliver samples */
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
    X(ERROR, "error")             /* error */                                                      \
    X(ENDED, "end")
enum cad_app_event_type {
#define CAD_X(name, text) CAD_APP_##name,
    CAD_APP_EVENT_LIST(CAD_X)
#undef CAD_X
};
const char *cad_app_event_name(enum cad_app_event_type type);

#define CAD_APP_TEXT_SIZE 64

/* Plain data: safe to copy and keep. */
struct cad_app_event {
    enum cad_app_event_type type;
    uint32_t ticket;             /* of the load or seek it answers; 0 none */
    cad_time at;                 /* monotonic */
    enum cad_state state, state_old;
    cad_time position;           /* presentation time */
    cad_time duration;
    uint32_t slot, rung;         /* rung: index in the ladder, 0 lowest */
    int64_t rate_bps;
    uint32_t width, height;
    char text[CAD_APP_TEXT_SIZE];/* reason, server id or codec; NUL-terminated */
    struct cad_error error;
};

enum cad_action_type {
    CAD_ACTION_HTTP_START, CAD_ACTION_HTTP_CANCEL, CAD_ACTION_SINK_CONFIG, CAD_ACTION_SINK_FLUSH,
    CAD_ACTION_APP_EVENT
};

struct cad_action {
    enum cad_action_type type;
    union {
        struct cad_http_start start;
        struct { uint32_t id; } cancel;
        struct cad_sink_config sink;
        struct { uint32_t epoch; cad_time position; } flush;
        struct cad_app_event app;
    } u;
};

/* ---- samples ----------------------------------------------------------------------------- */

enum cad_sample_flags {
    CAD_SAMPLE_SYNC = 1,         /* decoding can begin here */
    CAD_SAMPLE_DECODE_ONLY = 2,  /* before the wanted position: decode, do not show */
    CAD_SAMPLE_HOLE = 4          /* virtual media: the bytes do not exist, do not read data */
};

/* What a decoder must know before the samples that follow. */
struct cad_stream_config {
    enum cad_media_type type;
    enum cad_codec codec;
    char codecs[48];
    cad_buf extra;               /* avcC, hvcC, av1C payload or AudioSpecificConfig */
    uint32_t width, height, channels, sample_rate_hz;
    uint32_t timescale;
    uint32_t rung;
    int64_t rate_bps;
};

/* An access unit, or (result CAD_E_CONFIG) a configuration. `ref` is owned by the caller. */
struct cad_sample {
    uint32_t epoch;
    uint32_t flags;              /* enum cad_sample_flags */
    cad_time pts, dts, duration;
    const uint8_t *data;         /* size bytes in ref */
    size_t size;
    struct cad_ref *ref;
    struct cad_stream_config config; /* with CAD_E_CONFIG only; config.extra lies in ref */
};

/* ---- the engine -------------------------------------------------------------------------- */

struct cad_engine_config {
    size_t size;                   /* sizeof(struct cad_engine_config) */
    struct cad_alloc alloc;
    struct cad_log log;            /* decisions are lines of level INFO that begin "decide:" */
    uint64_t seed;                 /* of jitter and tie-breaks; any value; default 1 */
    int64_t ceiling_bytes;         /* media in flight plus held; 4 MiB .. ; default 64 MiB */
    cad_time buffer_ahead;         /* forward goal; 2 s .. ; default 60 s */
    cad_time buffer_behind;        /* kept for seeking back; default 20 s */
    cad_time start_goal;           /* media ahead to start or leave a seek; 0 .. ; default 2 s */
    cad_time resume_goal;          /* media ahead to leave a stall; 0 .. ; default 4 s */
    bool check;                    /* test invariants after every turn and abort on a breach */
    bool allow_http;               /* accept http: URLs in manifests beside https:; default true */
    const struct cad_abr_ops *abr; /* NULL: cad_abr_hybrid() */
    struct cad_abr_config abr_config; /* see abr.h */
    cad_str app_name, app_version, platform, language; /* for service requests; copied */
};
void cad_engine_config_init(struct cad_engine_config *config);

struct cad_engine;

CAD_MUST_CHECK int cad_engine_create(const struct cad_engine_config *config,
                                     struct cad_engine **out);
void cad_engine_destroy(struct cad_engine **engine);

/* Queue an event for the next turn; HTTP_HEAD and ENTROPY take effect at once. CAD_E_LIMIT: the
 * queue is full, run first. CAD_E_INVAL: an unknown event, or a LOAD with a text over 8192 bytes.
 * CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_engine_feed(struct cad_engine *engine, const struct cad_event *event);

/* Space for body bytes of a request: at least 1, at most `want`. CAD_E_STALE: the request is over,
 * stop it. CAD_E_LIMIT: more bytes than were asked for. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_engine_lease(struct cad_engine *engine, uint32_t id, size_t want,
                                    uint8_t **data, size_t *capacity);
/* The first n bytes of the lease are there since `at`. n <= capacity. */
CAD_MUST_CHECK int cad_engine_commit(struct cad_engine *engine, uint32_t id, size_t n, cad_time at);
/* n bytes that exist in length only (virtual media payload). */
CAD_MUST_CHECK int cad_engine_commit_hole(struct cad_engine *engine, uint32_t id, size_t n,
                                          cad_time at);

/* One turn. 1: work is left, run again soon; or actions of the last turn wait to be polled, and
 * nothing was done. 0: wait for events or cad_engine_next_wake. CAD_E_INVAL: now is negative.
 * Failures of the session are APP_EVENTs, never results of this call. */
CAD_MUST_CHECK int cad_engine_run(struct cad_engine *engine, cad_time now);
/* The next action; CAD_E_AGAIN: none. */
CAD_MUST_CHECK int cad_engine_poll(struct cad_engine *engine, struct cad_action *out);
/* Absolute time of the next turn that is due without events; CAD_TIME_NONE: none. */
cad_time cad_engine_next_wake(const struct cad_engine *engine);

/* The next access unit of a slot. 0: *out is a sample. CAD_E_CONFIG: *out is a configuration.
 * CAD_E_AGAIN: none yet. CAD_E_END: that was the last. */
CAD_MUST_CHECK int cad_engine_pull(struct cad_engine *engine, uint32_t slot,
                                   struct cad_sample *out);

struct cad_slot_stats {
    bool present;
    uint32_t rung, rung_count;      /* being fetched */
    int64_t rate_bps;
    uint32_t width, height;
    cad_time ahead;                 /* contiguous media in front of the viewer */
    int64_t bytes_held;
    uint64_t bytes_fetched;
    uint32_t requests, switches;    /* switches: changes of rung as delivered */
    char server[CAD_APP_TEXT_SIZE];
    int64_t played_rate_bps;        /* mean declared rate, weighted by media time delivered */
};

struct cad_engine_stats {
    enum cad_state state;
    cad_time position, duration;
    struct cad_slot_stats slot[CAD_ENGINE_TRACKS];
    int64_t estimate_bps;
    uint64_t frames, dropped;
    uint32_t stalls, refreshes, errors;
    cad_time stall_time;            /* without the start */
    cad_time startup;               /* load to first frame; CAD_TIME_NONE not yet */
    uint64_t turns, decisions;
    uint64_t decision_hash;         /* of all decision lines so far */
    uint64_t bytes_twice;           /* media bytes that were asked for again while held */
    int64_t memory_used, memory_peak; /* through the allocator, media included, bytes */
};
void cad_engine_stats(const struct cad_engine *engine, struct cad_engine_stats *out);

#ifdef __cplusplus
}
#endif
#endif
