/*
 * telemetry.h - facts of playback in; events of record, log batches and figures of quality out.
 *
 * Usable alone: it asks for no engine. It opens nothing, knows no clock but the times it is given,
 * and decides nothing. The owner tells facts, lets it turn, and performs the orders it polls:
 *
 *     cad_telemetry_create(&config, &t);
 *     cad_telemetry_fact(t, &fact);                what happened, when, at which position
 *     cad_telemetry_turn(t, now);
 *     while (cad_telemetry_poll(t, &order) == 0) perform(&order);
 *     cad_telemetry_http_done / _store_done / _store_listed / _entropy    the answers
 *     cad_telemetry_next_wake(t);                  when to turn again if nothing else happens
 *     cad_telemetry_destroy(&t);
 *
 * Events of record (start, keepAlive, pause, resume, seek, engage, stop) reach the service exactly
 * once: one stored journal a playback holds every event that was not acknowledged, each with the
 * request id it will always have, and the id that its stop will have. An event is sent when the
 * store says its journal is durable. After a kill the journals of former processes are read back;
 * one with a start and no stop gets its stop. Logs are batched, bounded and may be lost, counted.
 *
 * Where events go is config.event_url or, where that is empty, the link of the playback they are
 * of; logs go to config.log_url, or to what cad_telemetry_log_url names later.
 *
 * One thread. Nothing here fails playback: a fact that cannot be kept is counted in the stats.
 */
#ifndef CADMIUM_TELEMETRY_H
#define CADMIUM_TELEMETRY_H

#include <stdbool.h>

#include "cadmium/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_TELEMETRY_ID_MAX 128      /* bytes of a text in a fact or the configuration */
#define CAD_TELEMETRY_LINK_MAX 1024   /* bytes of a playback's link */
#define CAD_TELEMETRY_MESSAGE_MAX 512 /* bytes of a message in a fact; more is cut */
#define CAD_TELEMETRY_REPORT_MAX (48u << 10) /* bytes of a report; a longer one is dropped */
#define CAD_TELEMETRY_EVENTS_MAX 48   /* unacknowledged events of one playback */
#define CAD_TELEMETRY_RUNGS_MAX 64    /* representations told apart per kind of media */
#define CAD_TELEMETRY_SERVERS_MAX 16  /* servers told apart in one playback */
#define CAD_TELEMETRY_PLAYBACKS_MAX 8 /* journals in memory: the playback, and what was left */
#define CAD_TELEMETRY_ENTROPY_MAX 512 /* random bytes kept for request ids */
#define CAD_TELEMETRY_KEYS_MAX 128    /* keys looked at in one listing of a kind */
#define CAD_TELEMETRY_VALUE_MAX (384u << 10) /* bytes of a stored value */

struct cad_telemetry;

/* ---- facts --------------------------------------------------------------------------------- */

/* What the viewer sees, for the figures. A wait for a key is REBUFFERING, reason KEY. */
enum cad_play_state {
    CAD_PLAY_IDLE, CAD_PLAY_STARTING, CAD_PLAY_PLAYING, CAD_PLAY_PAUSED, CAD_PLAY_SEEKING,
    CAD_PLAY_REBUFFERING, CAD_PLAY_ENDED, CAD_PLAY_FAILED, CAD_PLAY_STATES
};
/* "idle", "starting"...; never NULL. */
const char *cad_play_state_name(enum cad_play_state state);

/* Why nothing is rendered. */
enum cad_stall_reason {
    CAD_STALL_NETWORK, CAD_STALL_KEY, CAD_STALL_DECODE, CAD_STALL_OTHER, CAD_STALL_REASONS
};

/* Legs of a start. X(name, text) */
#define CAD_LEG_LIST(X)                                                                            \
    X(MANIFEST, "manifest")                                                                        \
    X(DNS, "dns")                                                                                  \
    X(CONNECT, "tcp")                                                                              \
    X(TLS, "tls")                                                                                  \
    X(HEADER, "header")                                                                            \
    X(LICENCE, "licence")                                                                          \
    X(SEGMENT, "segment")                                                                          \
    X(DECODE, "decode")
/* A leg of the start. */
enum cad_leg {
#define CAD_X(name, text) CAD_LEG_##name,
    CAD_LEG_LIST(CAD_X)
#undef CAD_X
    CAD_LEGS
};
const char *cad_leg_name(enum cad_leg leg); /* "tcp"; never NULL */

/* How bad a log entry is. */
enum cad_severity {
    CAD_SEVERITY_INFO, CAD_SEVERITY_WARN, CAD_SEVERITY_ERROR, CAD_SEVERITIES
};

/* Kinds of media in figures. */
enum cad_shown_kind {
    CAD_SHOWN_VIDEO, CAD_SHOWN_AUDIO, CAD_SHOWN_TEXT, CAD_SHOWN_KINDS
};

/* What happened; behind each the member of the union that counts. */
enum cad_fact_type {
    CAD_FACT_PLAY,        /* play: a playback was asked for; ends the one before as stopped */
    CAD_FACT_STATE,       /* state */
    CAD_FACT_LEG,         /* leg; after the first frame it is not looked at */
    CAD_FACT_FIRST_FRAME, /* none; the second of a playback is not looked at */
    CAD_FACT_SHOWN,       /* shown: from here on this representation is what is rendered */
    CAD_FACT_CHOSEN,      /* chosen: another rung was decided on */
    CAD_FACT_SERVER,      /* server: media come from there from here on */
    CAD_FACT_TRANSFER,    /* transfer: a request ended */
    CAD_FACT_SEEK,        /* seek: the viewer asked for another position */
    CAD_FACT_SEEK_DONE,   /* none; the first picture there is shown */
    CAD_FACT_ENGAGE,      /* text: what the viewer did */
    CAD_FACT_FRAMES,      /* frames: totals of the playback */
    CAD_FACT_WASTED,      /* count: bytes that were fetched and never rendered */
    CAD_FACT_LICENCE,     /* note: code (0 ok), text phase and message */
    CAD_FACT_NOTE,        /* note: anything for the logs */
    CAD_FACT_END,         /* end: the playback is over */
    CAD_FACT_TITLE,       /* play: what has become known of it since; xid is not looked at */
    CAD_FACT_REPORT,      /* report: an entry of its own, with or without a playback */
    CAD_FACT_TYPES
};

/* A fact. Views are borrowed for the call. */
struct cad_fact {
    enum cad_fact_type type; /* tells which member of u counts */
    cad_time at;             /* monotonic; an earlier one than before counts as the latest seen */
    cad_time position;       /* presentation time; CAD_TIME_NONE: as last told */
    union {
        struct {
            cad_str xid;      /* of the playback: not empty */
            cad_str title;    /* id of the title at the service */
            cad_str link;     /* links.events of the manifest, absolute; may be empty */
            cad_str video, audio, text; /* ids of the tracks; may be empty. TITLE: an empty title
                                 or link stays what it was */
            bool autoplay;    /* nobody pressed play */
        } play;
        struct {
            enum cad_play_state state; /* now */
            enum cad_stall_reason reason; /* of REBUFFERING */
            uint32_t rate_q16; /* of playback; 0 counts as 65536 */
        } state;
        struct { enum cad_leg leg; cad_time begin, end; } leg; /* monotonic, begin <= end */
        struct {
            enum cad_shown_kind kind;
            cad_str id;        /* downloadable id */
            int64_t rate_bps;  /* declared; 0 unknown */
            int32_t vmaf_milli; /* -1 unknown */
            bool top;          /* the highest that this device may reach */
        } shown;
        struct {
            int64_t from_bps, to_bps; /* declared; from 0: the first */
            cad_str reason;    /* as abr.h names it */
            cad_time buffer;   /* media ahead */
            int64_t estimate_bps; /* 0 none yet */
        } chosen;
        struct { cad_str from, to, reason; } server; /* ids, never host names */
        struct {
            cad_str server, purpose; /* id of the server; "segment", "manifest"... */
            cad_time begin, first_byte, end; /* monotonic; first_byte NONE: none came */
            int64_t bytes;     /* of the body */
            int32_t status;    /* of HTTP; 0 none */
            int32_t error;     /* enum cad_error_code; 0: it went well */
            uint32_t attempt;  /* from 1 */
        } transfer;
        struct { cad_time from, to; } seek; /* presentation time */
        struct { uint64_t shown, dropped; } frames; /* since the playback began */
        struct {
            enum cad_severity severity;
            cad_str type;      /* of the log entry: "warn", "error", "hdcp"... */
            int32_t code;      /* enum cad_error_code or the owner's; 0 none */
            cad_str where;     /* room and place */
            cad_str message;   /* redacted here; may be empty */
        } note;
        struct {
            cad_str type;      /* of the log entry: "ftlProbe" */
            cad_str json;      /* an object, which its maker has redacted; goes out as it is */
        } report;
        struct {
            cad_str reason;    /* "ended", "stopped", "error", "timeout" */
            int32_t error;     /* enum cad_error_code; 0 none */
            cad_str message;   /* redacted here; may be empty */
        } end;
        cad_str text;
        uint64_t count;
    } u;                     /* what is told */
};

/* ---- the object ---------------------------------------------------------------------------- */

/* What is told about the device, and the limits. Defaults by cad_telemetry_config_init. */
struct cad_telemetry_config {
    size_t size;              /* sizeof(struct cad_telemetry_config) */
    struct cad_alloc alloc;   /* the C library's */
    uint64_t seed;            /* of jitter only; 1 */
    cad_str event_url;        /* of POST for events; empty: the link of the playback, and no events
                                 where that is no URL */
    cad_str log_url;          /* of POST for batches; empty: there are no logs, or see logs_later */
    bool logs_later;          /* entries wait for cad_telemetry_log_url; false */
    cad_str client_type;      /* "cadmium" */
    cad_str ui_version, ui_name; /* of the application; empty */
    cad_str os_name, os_version; /* empty */
    cad_str device;           /* esn; told as its model, up to the last '-', and a hash; empty */
    cad_str device_model;     /* empty */
    cad_str group;            /* of an experiment; empty */
    cad_str languages;        /* BCP 47, joined by commas; empty */
    bool store;               /* there is one; true. false: what is unsent dies with the process */
    bool log_string;          /* the log body as {"logblobs":"..."}; false */
    uint32_t ring_bytes;      /* log entries that wait; 16 KiB .. 4 MiB; 512 KiB */
    uint32_t ring_entries;    /* 16 .. 65536; 4096 */
    cad_time batch_age;       /* an entry waits at most, 12 times that when idle; .. 1 h; 5 s */
    uint32_t batch_bytes;     /* of JSON in a batch, hard; 4 KiB .. 256 KiB; 64 KiB */
    uint32_t batch_entries;   /* in a batch; 1 .. 4096; 256 */
    uint32_t log_rate;        /* bytes of batches sent a second on average; 2048; 0 no limit */
    cad_time keep_alive;      /* between two; 1 s ..; 60 s */
    uint32_t event_copies;    /* fast attempts of an event; 1 .. 10; 3 */
};
/* Set the defaults. */
void cad_telemetry_config_init(struct cad_telemetry_config *config);

/* Texts are copied. CAD_E_INVAL: a field is out of its range. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_telemetry_create(const struct cad_telemetry_config *config,
                                        struct cad_telemetry **out);
/* Accepts NULL and *t NULL; leaves NULL. What is unsent stays in the store. */
void cad_telemetry_destroy(struct cad_telemetry **t);

/*
 * Tell a fact. 0 also when it was only counted (a full ring, a limit). CAD_E_INVAL: the fact is
 * malformed, or belongs to a playback and there is none.
 */
int cad_telemetry_fact(struct cad_telemetry *t, const struct cad_fact *fact);
/* Let time pass to `now`: sums, keepAlives, batches that are due. */
void cad_telemetry_turn(struct cad_telemetry *t, cad_time now);
/* When the next turn has something to do by itself; CAD_TIME_MAX: never. */
cad_time cad_telemetry_next_wake(const struct cad_telemetry *t);
/* Unix time in ms is monotonic time in ms plus this. Untold: times of the wall are 0. */
void cad_telemetry_wall(struct cad_telemetry *t, int64_t offset_ms);
/* Where batches go from now on. CAD_E_INVAL: longer than 2048 bytes. */
CAD_MUST_CHECK int cad_telemetry_log_url(struct cad_telemetry *t, cad_str url);
/* Nothing of it may wait for its age any more: the application is about to end. */
void cad_telemetry_flush(struct cad_telemetry *t);

/* ---- orders -------------------------------------------------------------------------------- */

/* What is to be done; behind each the fields that count beside id. */
enum cad_telemetry_order_type {
    CAD_TELEMETRY_STORE_LIST,   /* key: what the keys begin with; answer: _store_listed */
    CAD_TELEMETRY_STORE_GET,    /* key; answer: _store_done with the value */
    CAD_TELEMETRY_STORE_PUT,    /* key, value, durable; answer: _store_done */
    CAD_TELEMETRY_STORE_DELETE, /* key; answer: _store_done */
    CAD_TELEMETRY_HTTP_POST,    /* the rest; answer: _http_done */
    CAD_TELEMETRY_ENTROPY       /* bytes; answer: _entropy */
};

/* An order. Views live until its answer. */
struct cad_telemetry_order {
    enum cad_telemetry_order_type type; /* tells which fields count */
    uint32_t id;          /* to answer with; never 0, rising */
    cad_str key;          /* of the store: [a-z0-9-], at most 64 bytes */
    cad_buf value;        /* to be stored, at most CAD_TELEMETRY_VALUE_MAX */
    bool durable;         /* answered only when it survives a power cut; else when a kill */
    cad_str url;          /* whole, with its query */
    cad_buf body;         /* Content-Type: text/plain */
    bool gzip;            /* Content-Encoding: gzip */
    bool low_priority;    /* a batch of logs: behind all media; false: an event of record */
    cad_time connect_timeout, timeout; /* durations */
    size_t bytes;         /* of randomness that are wanted */
};
/* The next order that is not under way; CAD_E_AGAIN: none. Issuing it makes it under way. */
CAD_MUST_CHECK int cad_telemetry_poll(struct cad_telemetry *t, struct cad_telemetry_order *order);

/* How a POST ended. */
struct cad_telemetry_answer {
    int32_t status;       /* of HTTP; 0: it did not come to an answer */
    cad_time retry_after; /* duration; CAD_TIME_NONE none */
    cad_str limits;       /* header x-ichnaea; may be empty */
    cad_str body;         /* of an event's answer, at most 64 KiB are looked at; may be empty */
};
/* CAD_E_STALE: no such POST is under way, here and below. */
int cad_telemetry_http_done(struct cad_telemetry *t, uint32_t id,
                            const struct cad_telemetry_answer *answer);
/* result: 0, CAD_E_NOTFOUND (get, delete) or what failed. value: of a get, borrowed. */
int cad_telemetry_store_done(struct cad_telemetry *t, uint32_t id, int result, cad_buf value);
/* keys in rising order; borrowed; may be NULL with count 0. */
int cad_telemetry_store_listed(struct cad_telemetry *t, uint32_t id, int result,
                               const cad_str *keys, size_t count);
/* Bytes of a cryptographic generator; kept up to CAD_TELEMETRY_ENTROPY_MAX. Any time. */
void cad_telemetry_entropy(struct cad_telemetry *t, cad_buf bytes);

/* The service wants playback to stop (too many streams...). */
struct cad_telemetry_stop {
    bool asked;           /* the rest counts */
    char code[64];        /* of the service; NUL-terminated */
    char message[160];    /* for the viewer; NUL-terminated */
};
/* What the service asked of the playback that runs; *out is all zero otherwise. */
void cad_telemetry_stop_asked(const struct cad_telemetry *t, struct cad_telemetry_stop *out);

/* ---- figures ------------------------------------------------------------------------------- */

/* Of one representation. */
struct cad_qoe_rung {
    char id[48];          /* downloadable id, cut; NUL-terminated */
    int64_t rate_bps;     /* declared */
    cad_time shown;       /* how long it was rendered */
};

/* Figures of a playback. Durations are nanoseconds; -1 where a figure does not exist yet. */
struct cad_qoe {
    size_t size;               /* sizeof(struct cad_qoe) */
    cad_time in_state[CAD_PLAY_STATES]; /* how long */
    cad_time play_delay;       /* play to the first frame; -1 none was shown */
    cad_time leg_begin[CAD_LEGS], leg_end[CAD_LEGS]; /* since play; first, last; -1 none */
    cad_time leg_wait;         /* of the play delay no leg covers */
    int32_t leg_critical;      /* enum cad_leg: the one that ended last; -1 none */
    cad_time rendered;         /* media time that was rendered; never falls */
    uint32_t rebuffers;        /* stalls of more than 50 ms while playing */
    uint32_t rebuffers_by[CAD_STALL_REASONS]; /* by reason */
    cad_time rebuffer;         /* their length */
    cad_time rebuffer_by[CAD_STALL_REASONS]; /* by reason */
    int64_t rebuffer_ppm;      /* rebuffer / (playing + rebuffer), millionths */
    int64_t rate_mean_bps;     /* of the video, weighted by time */
    uint32_t switches;         /* changes of the video's rung on screen */
    int64_t switch_bps;        /* sum of their sizes */
    int64_t rate_start_bps;    /* of the first rung; -1 */
    cad_time time_to_top;      /* first frame to the top rung; -1 */
    int64_t vmaf_mean_milli;   /* weighted by time; -1 no rung had one */
    int64_t vmaf_p10_milli;    /* a tenth of the time was at or below; whole steps; -1 */
    cad_time vmaf_low;         /* time below 70 */
    int64_t vmaf_cover_ppm;    /* share of the time whose rung had one */
    uint64_t frames, frames_dropped; /* of the sink */
    uint32_t seeks;            /* that came to a picture */
    cad_time seek_p50, seek_p95; /* ask to picture; within 9 %; -1 */
    int64_t throughput_p10_bps, throughput_p50_bps; /* of transfers; within 9 %; -1 */
    uint64_t bytes, bytes_wasted; /* fetched, and never rendered */
    uint32_t rung_count[CAD_SHOWN_KINDS]; /* of rungs */
    struct cad_qoe_rung rungs[CAD_SHOWN_KINDS][CAD_TELEMETRY_RUNGS_MAX]; /* in order of use */
    uint32_t server_count;     /* of servers */
    struct cad_qoe_rung servers[CAD_TELEMETRY_SERVERS_MAX]; /* id and time; the rate is 0 */
};
/*
 * Of the playback that runs, or of the last one; up to the latest time told. out->size: what is
 * there to be filled, 0 for all of the struct; here and in cad_telemetry_stats.
 */
void cad_telemetry_qoe(const struct cad_telemetry *t, struct cad_qoe *out);

/* Counts of the object's life. */
struct cad_telemetry_stats {
    size_t size;                   /* sizeof(struct cad_telemetry_stats) */
    uint64_t events, events_delivered, events_refused; /* made, acknowledged, dropped by a 4xx */
    uint64_t events_expired, events_lost; /* older than 24 h; over a limit */
    uint64_t events_recovered;     /* stops made for playbacks that were killed */
    uint64_t entries, batches, batches_delivered, batches_refused, batches_lost; /* logs */
    uint64_t entries_dropped[CAD_SEVERITIES]; /* by limits and overflow */
    uint64_t records_broken;       /* stored values that could not be read */
    uint64_t store_failures;       /* puts, gets and lists that failed */
    uint32_t events_waiting, batches_waiting; /* now */
    uint32_t ring_bytes, ring_entries; /* now */
};
/* The counts as they are now. */
void cad_telemetry_stats(const struct cad_telemetry *t, struct cad_telemetry_stats *out);

/*
 * Text without what must not leave the device: URLs, file paths, addresses, values of secret names
 * (t, sc, token, key, cookie...) and long words of base64 or hexadecimal become words in brackets.
 * Returns the bytes written without the NUL; what does not fit is cut. cap 0 writes nothing.
 */
size_t cad_telemetry_redact(cad_str text, char *out, size_t cap);

/* ---- CMCD ---------------------------------------------------------------------------------- */

/* Where a key goes in the header form: CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status. */
enum cad_cmcd_header {
    CAD_CMCD_OBJECT, CAD_CMCD_REQUEST, CAD_CMCD_SESSION, CAD_CMCD_STATUS, CAD_CMCD_HEADERS
};

/* What is told with a request for media (CTA-5004 version 1), by its names. Absent: -1, empty. */
struct cad_cmcd {
    size_t size;          /* sizeof(struct cad_cmcd) */
    int64_t br_kbps, tb_kbps; /* of the rung; of the highest */
    int64_t d_ms;         /* of the segment */
    int64_t bl_ms, dl_ms; /* buffer; time to the deadline */
    int64_t mtp_kbps, rtp_kbps; /* estimate; asked for at most */
    int64_t pr_milli;     /* rate of playback, thousandths */
    cad_str cid, sid;     /* content; session. Printable ASCII, as all texts here */
    cad_str ot, sf, st;   /* tokens: v a av i c k m o; d h o; v l */
    cad_str nor, nrr;     /* next object, percent-coded; next range */
    bool bs, su;          /* starved since the last request; wanted at once */
};
/* Nothing is told. */
void cad_cmcd_init(struct cad_cmcd *c);
/*
 * The value of a header, NUL-terminated; returns its bytes, 0 if there is nothing to tell. The
 * query form is one whole parameter, "CMCD=...". CAD_E_LIMIT: cap, or 1 KiB. CAD_E_INVAL: a text.
 */
int cad_cmcd_header(const struct cad_cmcd *c, enum cad_cmcd_header header, char *out, size_t cap);
/* Likewise, for a URL without a signature. */
int cad_cmcd_query(const struct cad_cmcd *c, char *out, size_t cap);

#ifdef __cplusplus
}
#endif
#endif
