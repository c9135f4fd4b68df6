/*
 * sim.h - playback in virtual time (libcadmium-sim).
 *
 * A simulation owns a virtual clock, links (rate and latency by trace), hosts on those links, an
 * origin that answers requests, one engine and one virtual sink. Nothing sleeps: time jumps to the
 * next thing that happens. Everything is drawn from one seed; two runs are equal to the byte.
 *
 *     cad_sim_create(&config, &sim);
 *     cad_sim_add_link(sim, &link, &index);  cad_sim_add_host(sim, "cdn1", index);
 *     cad_sim_set_origin(sim, &ops, ctx);
 *     cad_sim_command(sim, &command);                  at the current time
 *     cad_sim_run(sim, until);                         or until ended, failed, stopped
 *     cad_sim_stats(sim, &stats);
 *     cad_sim_destroy(&sim);
 *
 * The link model: a request to a host costs one round trip of latency before its first byte (two
 * more round trips on a cold connection when `tls`, one when not), then bytes arrive at the link's
 * rate, shared equally by the transfers on the link. A link trace is a list of periods and loops.
 */
#ifndef CADMIUM_SIM_H
#define CADMIUM_SIM_H

#include "cadmium/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_SIM_LINKS_MAX 16 /* links of a simulation */
#define CAD_SIM_HOSTS_MAX 32 /* hosts on them */
#define CAD_SIM_PERIODS_MAX 1000000 /* rows of a trace */
#define CAD_SIM_TRANSFERS_MAX 64 /* transfers in flight */

/* ---- the origin: mocks as pure functions -------------------------------------------------- */

/* What an origin is asked. */
struct cad_origin_request {
    cad_str method;          /* "GET", "POST" */
    cad_str host;            /* host[:port] */
    cad_str path;            /* with the query, from the first slash */
    cad_buf body;            /* of a POST; may be empty */
    struct cad_range range;  /* of a Range header; first -1 none */
    int64_t now_ms;          /* Unix epoch, ms, on the server's clock */
};

/* Where the bytes of an answer come from. Views live until the next call of the same origin. */
struct cad_origin_answer {
    int32_t status;          /* 100..599 */
    const char *content_type; /* NULL: none */
    struct cad_header headers[8]; /* beside the type and the length */
    uint32_t header_count;   /* 0..8 */
    cad_buf body;            /* the bytes; or, for media too large to hold: */
    int64_t body_size;       /* bytes of the whole body; equals body.n when all are in `body` */
    /* Copy body bytes [offset, offset + n) to out; 1: those n bytes are a hole (nothing copied).
     * NULL when `body` is whole. `token` is the answer's own and stays valid until `release`. */
    int (*read)(void *token, int64_t offset, size_t n, uint8_t *out, size_t *done);
    void (*release)(void *token); /* the answer is no longer needed; may be NULL */
    void *token;             /* the answer's own */
    cad_time think;          /* time the server takes before the first byte */
};

/* An origin serves any host. request and answer are borrowed for the call. */
struct cad_origin_ops {
    size_t size;             /* sizeof(struct cad_origin_ops) */
    /* fills *answer; not 0: there is none */
    int (*serve)(void *ctx, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer);
};

/* ---- titles without media files ------------------------------------------------------------ */

/* A ladder file (cadmium-ladder-1): declared rates and true segment sizes. */
struct cad_ladder {
    cad_time segment_duration;   /* of every row */
    uint32_t rung_count;         /* 1 .. CAD_ABR_RUNGS_MAX */
    uint32_t segment_count;      /* rows; a longer title starts again */
    int64_t rate_bps[CAD_ABR_RUNGS_MAX]; /* declared, rising */
    uint32_t height[CAD_ABR_RUNGS_MAX];  /* 0 unknown */
    uint32_t *segment_bytes;     /* [segment * rung_count + rung] */
};
/* Parse; the caller frees with cad_ladder_deinit. CAD_E_DATA, CAD_E_LIMIT, CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_ladder_parse(const struct cad_alloc *alloc, cad_str json,
                                    struct cad_ladder *out);
/* Free what parse allocated. */
void cad_ladder_deinit(const struct cad_alloc *alloc, struct cad_ladder *ladder);

/* A trace (cadmium-trace-1): lines of duration_ms bandwidth_kbps latency_ms. */
struct cad_trace_period {
    cad_time duration;           /* > 0 */
    int64_t rate_bps;            /* 0: nothing comes through */
    cad_time latency;            /* round trip */
};
/* How a link behaves in time; it begins again at its end. */
struct cad_trace {
    struct cad_trace_period *periods; /* one after another */
    uint32_t count;              /* >= 1 */
};
/* Parse; the caller frees with cad_trace_deinit. CAD_E_DATA, CAD_E_LIMIT, CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_trace_parse(const struct cad_alloc *alloc, cad_str text,
                                   struct cad_trace *out);
/* Free what parse allocated; leaves zeros. */
void cad_trace_deinit(const struct cad_alloc *alloc, struct cad_trace *trace);

/*
 * A synthesizer: the files of a title made from a ladder. Header boxes, sidx and every moof are
 * true and readable by any MP4 reader; the payload of every mdat is a hole. It only makes bytes:
 * the services around it (manifest, signing) are an origin's matter. Read-only after create.
 */
struct cad_synth;
/* What a synthesizer makes. */
struct cad_synth_config {
    size_t size;                 /* sizeof(struct cad_synth_config) */
    const struct cad_ladder *ladder; /* borrowed for life */
    cad_time duration;           /* of the title */
    uint32_t frame_rate;         /* pictures a second; default 24 */
    int64_t audio_rate_bps;      /* default 96000; 0: no audio */
    enum cad_scheme scheme;      /* CLEAR (default); CBCS: each sample whole, with a constant IV, so
                                    that nothing in a fragment tells of it */
    uint8_t kid[CAD_KEY_ID_SIZE]; /* of the key, unless it is clear */
    uint8_t hd_kid[CAD_KEY_ID_SIZE], audio_kid[CAD_KEY_ID_SIZE]; /* of the keys of pictures above
                                    576 lines, and of sound; zeros: the same key (default) */
};
/* Set the defaults. */
void cad_synth_config_init(struct cad_synth_config *config);
/* *out is the caller's. CAD_E_INVAL, CAD_E_LIMIT, CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_synth_create(const struct cad_alloc *alloc,
                                    const struct cad_synth_config *config,
                                    struct cad_synth **out);
/* Accepts NULL, leaves NULL. */
void cad_synth_destroy(struct cad_synth **synth);

/* One file of the title: streams 0.. are video rungs in rising order, the last one is audio. */
struct cad_synth_stream {
    enum cad_media_type type;    /* video or audio */
    int64_t rate_bps;            /* declared */
    uint32_t width, height;      /* video */
    int64_t size_bytes;          /* of the file */
    struct cad_range moov, sidx; /* in the file */
    int64_t header_bytes;        /* first media byte */
    uint32_t segment_count;      /* >= 1 */
    enum cad_scheme scheme;      /* CLEAR or CBCS */
    uint8_t kid[CAD_KEY_ID_SIZE]; /* of its key, unless it is clear */
};
/* How many files the title has. */
uint32_t cad_synth_stream_count(const struct cad_synth *synth);
/* File i. CAD_E_NOTFOUND: there is none. */
CAD_MUST_CHECK int cad_synth_stream_at(const struct cad_synth *synth, uint32_t i,
                                       struct cad_synth_stream *out);
/* A segment of a file. */
struct cad_synth_segment {
    uint32_t index;              /* from 0 */
    struct cad_range bytes;      /* in the file */
    cad_time start, duration;    /* of the segment on the video's grid */
};
/* The segment of stream i that holds the byte at offset. CAD_E_NOTFOUND: a byte of the header, or
 * past the end. */
CAD_MUST_CHECK int cad_synth_segment_at(const struct cad_synth *synth, uint32_t i, int64_t offset,
                                        struct cad_synth_segment *out);
/* Bytes first..last of stream i. The first *done of them are in out (0), or are a hole (1). */
CAD_MUST_CHECK int cad_synth_read(const struct cad_synth *synth, uint32_t i,
                                  struct cad_range bytes, uint8_t *out, size_t *done);

/* ---- the simulation ------------------------------------------------------------------------ */

struct cad_tape_recorder;

/* How a simulation runs. */
struct cad_sim_config {
    size_t size;                  /* sizeof(struct cad_sim_config) */
    struct cad_engine_config engine; /* of the engine in it */
    uint64_t seed;                /* of faults and of a sink that is drawn; default 1 */
    cad_time fault_every;         /* mean time between faults of hosts drawn from seed: refusals,
                                     black holes, cut bodies, 5xx, slowness, 1 to 30 s each;
                                     0 none (default) */
    cad_time anchor_period;       /* how often the sink reports while it plays; default 100 ms */
    bool tls;                     /* cold connections cost the round trips of TLS 1.3 */
    int64_t wall_ms;              /* Unix epoch, ms, at time 0; the device's clock */
    int64_t device_clock_error_ms;/* what the device's wall clock is wrong by */
    struct cad_tape_recorder *tape; /* records the session (tape.h); NULL: none. Lives longer than
                                       the simulation */
    const struct cad_cdm_ops *cdm; /* opens protected titles; it has to answer on the thread that
                                       calls it. NULL: there is none (default) */
    cad_str key_system;           /* of cdm; borrowed; default "org.w3.clearkey" */
    cad_time cdm_latency;         /* from a call of the CDM to what it tells; default 0 */
    struct cad_store store;       /* outlives the simulation, so that another one finds what this
                                       one kept; orders that nobody took the answer of are carried
                                       out first. ops NULL: nothing is kept (default) */
    cad_time store_latency;       /* from an order to its answer; default 0 */
};
/* Set the defaults. */
void cad_sim_config_init(struct cad_sim_config *config);

/* What is wrong with a host from now on. */
enum cad_host_fault {
    CAD_HOST_UP, CAD_HOST_REFUSE, CAD_HOST_BLACKHOLE, CAD_HOST_RESET_AT, CAD_HOST_STATUS,
    CAD_HOST_RATE
};

/* How the virtual sink behaves. */
enum cad_sink_mode { CAD_SIM_SINK_REALTIME, CAD_SIM_SINK_SLOW, CAD_SIM_SINK_DRIFT,
                     CAD_SIM_SINK_EAGAIN, CAD_SIM_SINK_NULL };

struct cad_sim;

/* *out is the caller's. CAD_E_INVAL, CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_sim_create(const struct cad_sim_config *config, struct cad_sim **out);
/* Accepts NULL, leaves NULL. */
void cad_sim_destroy(struct cad_sim **sim);
/* A link with a trace (borrowed for life). */
CAD_MUST_CHECK int cad_sim_add_link(struct cad_sim *sim, const struct cad_trace *trace,
                                    uint32_t *index);
/* A host on a link, by the name it has in URLs. CAD_E_LIMIT, CAD_E_INVAL: no such link. */
CAD_MUST_CHECK int cad_sim_add_host(struct cad_sim *sim, const char *name, uint32_t link);
/* Who answers requests; borrowed for life. */
void cad_sim_set_origin(struct cad_sim *sim, const struct cad_origin_ops *ops, void *ctx);
/* value: byte count (RESET_AT), status (STATUS), bit/s (RATE). CAD_E_NOTFOUND: no such host. */
CAD_MUST_CHECK int cad_sim_host_fault(struct cad_sim *sim, const char *name,
                                      enum cad_host_fault fault, int64_t value);
/* How the sink behaves from now on, and how much of it: parts of a million. */
void cad_sim_sink_mode(struct cad_sim *sim, enum cad_sink_mode mode, int64_t parameter_ppm);
/* What the application wants, at the current time. Results as cad_engine_feed. */
CAD_MUST_CHECK int cad_sim_command(struct cad_sim *sim, const struct cad_command *command);
/* Take the whole network away or give it back; the device notices (NET_CHANGE). */
CAD_MUST_CHECK int cad_sim_online(struct cad_sim *sim, bool online);
/* The current time; 0 at the beginning. */
cad_time cad_sim_now(const struct cad_sim *sim);
/* Run until `until`, or until the engine has ended, failed or stopped and nothing is in flight.
 * 0 reached `until`; 1 over; negative: failure of the simulation itself. */
CAD_MUST_CHECK int cad_sim_run(struct cad_sim *sim, cad_time until);
/* Run until `until`, over or not: what is still to be told to services gets its time. */
CAD_MUST_CHECK int cad_sim_linger(struct cad_sim *sim, cad_time until);
/* The device sleeps until then: no turn of engine or sink while time and network go on. */
CAD_MUST_CHECK int cad_sim_suspend(struct cad_sim *sim, cad_time until);
/* Let time pass up to `until` after cad_sim_run answered 1: nothing happens in it. */
void cad_sim_idle(struct cad_sim *sim, cad_time until);
/* Events that the application would have had, oldest first; CAD_E_AGAIN none. */
CAD_MUST_CHECK int cad_sim_poll(struct cad_sim *sim, struct cad_app_event *out);
/* A copy of the engine's figures. */
void cad_sim_stats(const struct cad_sim *sim, struct cad_engine_stats *out);
/* As cad_engine_tracks. */
uint32_t cad_sim_tracks(const struct cad_sim *sim, struct cad_track_info *out, uint32_t max);
/* How long the sink's clock stood for want of samples: its own account, beside stats.stall_time. */
cad_time cad_sim_underrun_time(const struct cad_sim *sim);
/* What the sink holds of timed text. */
struct cad_sim_text {
    uint64_t documents;       /* that were pulled since the simulation began */
    char lang[24];            /* that is shown; empty: none */
};
/* A copy of that. */
void cad_sim_text(const struct cad_sim *sim, struct cad_sim_text *out);

/* One line of the access log: what an origin was asked and how it went. */
struct cad_sim_access {
    cad_time start, end;      /* when it was asked, and when it was over */
    cad_str host, path;       /* valid until the simulation goes on */
    int32_t status;           /* that was answered; 0 none */
    int64_t bytes;            /* of body that went out */
    bool cancelled;           /* by the engine */
    uint32_t id;              /* of the engine's request */
    enum cad_purpose purpose; /* what it was for */
    enum cad_http_class cls;  /* how it ended; OK where it was cancelled */
    cad_time ahead;           /* video in front of the viewer when it was started */
};
/* Told of each request when it is over; must not call the simulation. */
typedef void (*cad_sim_access_fn)(void *ctx, const struct cad_sim_access *access);
/* From now on; fn NULL: nobody listens. */
void cad_sim_on_access(struct cad_sim *sim, cad_sim_access_fn fn, void *ctx);

/* ---- scenarios ------------------------------------------------------------------------------- */

/* How a scenario file (docs/scenarios.md) went. */
struct cad_scenario_result {
    uint32_t expectations, failed; /* looked at, and not held */
    uint64_t seed;             /* that it ran with */
    uint32_t line;             /* of the first failure or error; 0 none */
    char message[256];         /* of the first failure; else empty */
    cad_time duration;         /* how long it took, on its own clock */
    struct cad_engine_stats stats; /* at the end */
};
/* An expectation after the scenario: what came of it. */
struct cad_scenario_point {
    uint32_t line;             /* in the file */
    cad_str statement;         /* as it stands in the file, without a comment */
    bool held;                 /* it was true */
    uint32_t looks;            /* how often it was looked at: 0 with "every" if it never played */
    cad_time at;               /* of the first failure, or else of the last look */
    const char *seen;          /* then; may be empty */
};

#define CAD_SCENARIO_AUDIO_MAX 8 /* sound tracks of a title, at most */

/* A sound track of a scenario's title. */
struct cad_scenario_audio {
    char lang[16];             /* BCP 47 */
    uint32_t channels;         /* >= 1 */
};

#define CAD_SCENARIO_TEXT_MAX 8  /* text tracks of a title, at most */

/* What a scenario asks an origin to serve. */
struct cad_scenario_title {
    cad_str id;                  /* for the manifest service */
    const struct cad_synth *synth; /* its files */
    const char *const *hosts;    /* ranked; the first is the manifest service too */
    uint32_t host_count;         /* >= 1 */
    cad_time url_life;           /* until a signed URL expires */
    uint64_t seed;               /* of tokens and the like */
    const struct cad_scenario_audio *audio; /* the synthesizer's sound is offered as each of them */
    uint32_t audio_count;        /* 0: once, in English, of two channels */
    const char (*text)[16];      /* languages of text tracks, BCP 47: a document in each */
    uint32_t text_count;         /* 0: none */
    enum cad_scheme scheme;      /* of the synthesizer's media */
    uint8_t kid[CAD_KEY_ID_SIZE]; /* of its key, unless it is clear */
};
/* What a scenario needs of its caller. */
struct cad_scenario_options {
    size_t size;               /* sizeof(struct cad_scenario_options) */
    struct cad_alloc alloc;    /* of all that it makes */
    struct cad_log log;        /* the engine's log goes here */
    /* The text of a ladder or trace that the scenario names, allocated with alloc; run frees it. */
    int (*load)(void *ctx, cad_str name, cad_str *text);
    /* An origin for the scenario's title: manifest service under id `title` on the first host, and
     * signed byte ranges on every host. drop releases it. */
    int (*make_origin)(void *ctx, const struct cad_scenario_title *title,
                       const struct cad_origin_ops **ops, void **origin);
    void (*drop_origin)(void *ctx, void *origin); /* releases what make_origin made */
    /* "at T service NAME down|up": CAD_E_NOTFOUND if there is no such service. */
    int (*service)(void *ctx, void *origin, cad_str name, bool up);
    void *ctx;                 /* of these functions */
    uint64_t seed;             /* 0: the scenario's own */
    bool check;                /* engine invariants */
    /* Called for each expectation, in the order of the file, when it is over; may be NULL. */
    void (*point)(void *ctx, const struct cad_scenario_point *point);
    struct cad_tape_recorder *tape; /* records the session (tape.h); NULL: none */
};
/* Run the scenario in text. 0: *out tells how it went; the first expectation that did not hold is
 * described in out->message, with line, time and what was seen. CAD_E_DATA: a syntax error,
 * described likewise. CAD_E_NOMEM, and what load or make_origin answers. */
CAD_MUST_CHECK int cad_scenario_run(cad_str text, const struct cad_scenario_options *options,
                                    struct cad_scenario_result *out);

#ifdef __cplusplus
}
#endif
#endif
