/*
 * driver.h - an engine with its edges in the hands of a test.
 *
 * A driver owns an engine (invariants checked), a title of synthesized files, a clock that only a
 * test moves, a transport that answers from tables under a script of faults, and a sink that takes
 * samples and reports like a real one. What the engine did is kept for the test to look at:
 * requests, application events, samples.
 *
 *     struct drv *d = *state;                   from drv_setup; other options: drv_renew
 *     drv_load(d, 7);                           the service's title, ticket 7
 *     drv_play_for(d, 3 * CAD_SECOND);          time goes on, edges answer
 *     assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 1);
 *
 * drv_teardown asserts that nothing leaks.
 *
 * Standing assertions, made all the time: no request for a byte that is in flight or held while
 * `strict_bytes` is set; URLs come back byte for byte; a head's range inside the file; samples of
 * an epoch follow each other without gap or repeat; a configuration precedes the first sample of a
 * rung; next_wake lies in the future once a turn says that no work is left.
 */
#ifndef CAD_TESTS_ENGINE_DRIVER_H
#define CAD_TESTS_ENGINE_DRIVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cadmium/sim.h"

#include "support/failing_alloc.h"

#define DRV_RUNGS 3                /* 200, 400 and 800 kbit/s: 50, 100 and 200 kB a segment */
#define DRV_AUDIO DRV_RUNGS        /* the stream after the video rungs: 96 kbit/s */
#define DRV_DUB (DRV_RUNGS + 1)    /* the same sound once more, as another language */
#define DRV_STREAMS (DRV_RUNGS + 2)
#define DRV_SEGMENT (2 * CAD_SECOND)
#define DRV_TEXT_NONE 0            /* tracks of text; the file of T:n is http://hN/tn */
#define DRV_TEXT_EN 1
#define DRV_TEXT_DE 2
#define DRV_TEXT_FORCED 3
#define DRV_TEXT_VTT 4
#define DRV_TEXT_IT 5              /* its best file is t5, the other one t6 */
#define DRV_TEXT_IT_OTHER 6
#define DRV_TEXTS 7
#define DRV_TEXT_BYTES 3000        /* of a document; each has its number more */
#define DRV_SERVERS_MAX 4
#define DRV_REQUESTS_MAX 2048
#define DRV_EVENTS_MAX 2048
#define DRV_TICK (10 * CAD_MS)
#define DRV_EPOCH_MS INT64_C(1772324400000) /* the server's Unix time at monotonic 0 */

enum drv_fault {
    DRV_SERVE,       /* as it should be */
    DRV_CLASS,       /* no head; ends in class `value` */
    DRV_CUT,         /* `value` bytes of body, then CAD_HTTP_RESET */
    DRV_SILENT,      /* `value` bytes of body, then nothing; -1: no head either */
    DRV_STATUS,      /* status `value` and a short body */
    DRV_SHIFTED,     /* 206 and a Content-Range one byte later than asked for */
    DRV_WHOLE,       /* 200 and the whole file; to a Range header without a length */
    DRV_SHORT,       /* no length; `value` bytes too few; ends well */
    DRV_ELSEWHERE,   /* as asked for, but the bytes are those from `value` on */
    DRV_GARBAGE      /* the right length, but 0xAA from byte `value` on */
};

struct drv_answer {
    enum drv_fault fault;
    int64_t value;
    cad_time retry_after;          /* of DRV_STATUS; 0: none */
    bool has_date;                 /* carry a Date header of the server's clock */
    const char *location;          /* of DRV_STATUS; NULL: none */
    enum cad_address_class address; /* where the server is; a request that may not go there ends */
};

struct drv_request {
    uint32_t id;
    enum cad_purpose purpose;
    bool post;
    bool service;                  /* the manifest service, or a manifest's own URL */
    char url[640];
    char host[64];
    char *body;                    /* POST, NUL-terminated; else NULL */
    char content_type[64];
    int32_t stream;                /* -1: not one of the title's files */
    int32_t document;              /* of timed text, DRV_TEXT_EN...; -1 none */
    int32_t server;                /* h<server>; -1 */
    uint32_t generation;           /* of the manifest that the URL comes from */
    bool range_in_header;
    struct cad_range range;        /* in the file; last as asked for; first -1: all */
    struct cad_range window;       /* of the file, that is the resource; first -1: the file */
    int32_t segment;               /* of a window: -1 the header */
    uint32_t priority, group;
    int64_t size_max;
    cad_time deadline, connect_timeout, silence_timeout;
    enum cad_address_class address_max;
    cad_time started;
    uint64_t turn;                 /* number of the turn that asked for it */
    /* how it went */
    struct drv_answer answer;
    bool begun, head_sent, open, cancelled, stale, ended_ok;
    int64_t total, sent;           /* of body */
    int64_t origin;                /* where in the file the body begins */
    char *text;                    /* the body of an answer that is no file */
    cad_time first_byte, last_byte;
};

struct drv_warm {
    char url[128];
    cad_time at;
    uint32_t requests;             /* made before it */
    uint32_t connections;
    enum cad_address_class address_max;
};
#define DRV_WARMS_MAX 32

struct drv;
typedef struct drv_answer (*drv_script)(struct drv *d, const struct drv_request *request);

/* A fault on media requests that match; the first rule that does counts. */
struct drv_rule {
    int32_t server;                /* -1: any */
    int32_t stream;                /* -1: any */
    int64_t first_min;             /* requests whose range begins at or after it */
    int64_t left;                  /* how often still */
    struct drv_answer answer;
};
#define DRV_RULES_MAX 4
#define DRV_FOR_EVER INT64_MAX

/* A sample as it was pulled. */
struct drv_sample {
    uint32_t epoch, flags, rung;
    cad_time pts, dts, duration;
    size_t size;
};

struct drv_slot {
    struct drv_sample *samples;    /* of the whole session */
    uint32_t count, cap;
    uint32_t configs;
    bool wanted, started, ended, has_config;
    bool run_in;                   /* after a configuration in mid-epoch */
    uint32_t rung;                 /* of the configuration in force */
    struct cad_stream_config config; /* extra is not kept */
    cad_time end;                  /* of the last sample of this epoch */
    uint32_t of_epoch;             /* samples of this epoch */
    bool holds;                    /* `held` waits for its key */
    struct cad_sample held;
};

#define DRV_KID 0x11               /* each byte of the key id of a protected title */
#define DRV_HD_KID 0x12            /* and of its best rung, with hd_key */
#define DRV_LICENCE "a licence"    /* what the service gives and the CDM takes */
#define DRV_CDM_CALLS_MAX 128

/* A CDM that does as it is told: it answers calls at once, by the results that are set here. */
struct drv_cdm {
    struct cad_cdm_call calls[DRV_CDM_CALLS_MAX]; /* data.p is not kept */
    cad_time at[DRV_CDM_CALLS_MAX];
    uint32_t call_count;
    uint32_t timers;               /* calls of TIMER, which are not among those */
    int open, request, update;     /* results in DONE */
    bool silent;                   /* calls are not answered at all */
    bool no_message;               /* request has nothing to say */
    cad_buf message;               /* what it says; empty: a challenge of its own */
    enum cad_key_status status;    /* that a licence gives; default usable */
    uint8_t kid;                   /* and of which key; default DRV_KID */
    cad_time expiry;               /* Unix, ns; 0: none is told */
    bool opens;                    /* samples can be decrypted */
    enum cad_key_status hd_status; /* of the best rung's key in a licence; UNKNOWN (default): it is
                                      not in it */
    bool hd_opens;
    struct cad_cdm_tag session;    /* the last that was opened */
    const char *answer;            /* body of the service's answer; NULL: the licence, wrapped */
};

/* Timed text as it was pulled. */
struct drv_words {
    uint32_t configs, documents;
    struct cad_stream_config config; /* the last */
    bool has_config;               /* in this epoch; the document may be waiting */
    bool shown;                    /* a document was given in this epoch and not taken back */
    int32_t document;              /* which; -1 another one */
    cad_time pts, duration;
};

struct drv_sink {
    bool stuck;                    /* takes nothing, shows nothing, says nothing */
    bool mute_clock;               /* takes samples, but the clock stands and no anchor comes */
    bool hungry;                   /* takes everything at once instead of pull_ahead */
    cad_time pull_ahead;           /* default 1 s */
    uint32_t epoch, rate_q16;
    cad_time media, at;
    bool running, underrun, first_frame, drained;
    cad_time next_anchor;
    uint32_t flushes, configures;
    cad_time flush_position;
    struct cad_sink_config config;
    uint64_t frames;
    struct drv_slot slot[CAD_ENGINE_TRACKS];
    struct drv_words words;
};

struct drv_options {
    struct cad_engine_config engine; /* alloc is replaced; check is set */
    bool set_engine;               /* false: the defaults */
    cad_time duration;             /* of the title; default 60 s */
    bool no_audio;
    bool dub;                      /* a second audio track, A:2, "de" */
    bool text;                     /* tracks of timed text: T:0 off, T:1 en, T:2 de, T:3 en forced,
                                      T:4 fr in WebVTT, T:5 it in two files; and a sink for them */
    bool no_text_sink;             /* the tracks, but no sink for them */
    uint32_t servers;              /* default 2 */
    cad_time url_life;             /* default 12 h */
    int64_t rate_bps;              /* of the link, shared; 0: whole bodies at once */
    cad_time latency;              /* default 10 ms */
    uint32_t rungs;                /* that the manifest lists; default DRV_RUNGS */
    int64_t device_error_ms;       /* of the device's wall clock */
    uint64_t fail_at;              /* of the allocator; 0 never */
    bool no_introduction;          /* no caps, entropy, wall clock */
    bool plain_http;               /* URLs without o= and t=: ranges go into a header */
    const char *video_profile;     /* default h264mpl40-dash-clear */
    bool no_boxes;                 /* the manifest does not say where moov and sidx are */
    bool drm;                      /* media are protected: cbcs, one key */
    bool no_cdm;                   /* and there is no CDM */
    bool hd_key;                   /* the best rung has a key of its own, which the manifest does
                                      not name */
    bool no_licence_link;          /* the manifest does not say where licences are given */
    const char *inline_licence;    /* in the manifest; NULL: none */
    uint32_t salt;                 /* of randomness, to begin with */
    const char *links;             /* members of its links; NULL: none but the licence's */
};

struct drv {
    struct drv_options options;
    struct cad_failing failing;
    struct cad_engine *engine;
    struct cad_ladder ladder;
    uint32_t *segment_bytes;
    struct cad_synth *synth;
    struct cad_synth_stream stream[DRV_STREAMS];
    cad_time now;
    bool due;                      /* something was fed since the last turn */
    int fatal;                     /* negative result of a turn */
    uint64_t turns;
    /* transport */
    drv_script script;
    void *script_ctx;
    int64_t script_value;
    struct drv_rule rules[DRV_RULES_MAX];
    uint32_t rule_count;
    struct drv_request *requests;  /* DRV_REQUESTS_MAX */
    uint32_t request_count;
    uint32_t cancels;
    struct drv_warm warms[DRV_WARMS_MAX];
    uint32_t warm_count;
    int64_t credit;                /* bytes the link may still move in this tick, times 8e9 */
    bool offline;                  /* nothing moves, nothing ends */
    uint8_t *asked[DRV_STREAMS];   /* per byte: in flight or held */
    uint8_t *header[DRV_STREAMS];  /* bytes before the first fragment, as they are served */
    bool strict_bytes;             /* default true */
    bool strict_time;              /* samples follow each other without a hole; default true */
    uint64_t bytes_twice;          /* asked for while in flight or held */
    uint64_t bytes_media;          /* delivered, of the title's files */
    /* the service */
    char *manifest;                /* what it answers; NULL: built for each request */
    uint32_t generation;           /* of the manifest: 0 none yet */
    uint32_t manifests;            /* answered with 200 */
    bool bare_manifest;            /* without the envelope */
    bool strange_sizes;            /* every video stream one byte longer than it is */
    int64_t server_skew_ms;        /* of the server's clock from DRV_EPOCH_MS */
    /* what is around playback (services.h) */
    bool (*on_action)(struct drv *d, const struct cad_action *action); /* true: it is done */
    bool (*on_pump)(struct drv *d); /* moves what is due; true: something was fed */
    void *services;
    uint32_t salt;                 /* of randomness: other bytes for another one */
    /* keys */
    struct drv_cdm cdm;
    /* sink */
    struct drv_sink sink;
    /* what the application was told */
    struct cad_app_event *events;  /* DRV_EVENTS_MAX */
    uint32_t event_count;
    enum cad_state state;
    /* log */
    bool saw_secret;               /* a signed URL's value was in a log line */
};

void drv_options_init(struct drv_options *options);
/* NULL: defaults. NULL comes back only if fail_at made the creation of the engine fail. */
struct drv *drv_new(const struct drv_options *options);
void drv_free(struct drv **d);

/* Setup and teardown of a test: *state is a driver of the defaults, always freed. */
int drv_setup(void **state);
int drv_teardown(void **state);
/* The same test with other options. */
struct drv *drv_renew(void **state, const struct drv_options *options);
#define DRV_TEST(name) cmocka_unit_test_setup_teardown(name, drv_setup, drv_teardown)

/* ---- in -------------------------------------------------------------------------------------- */

void drv_feed(struct drv *d, const struct cad_event *event);
/* As drives do: 256 bytes at the start, 64 with each POST. */
void drv_entropy(struct drv *d, size_t n);
void drv_command(struct drv *d, enum cad_command_type type, uint32_t ticket);
void drv_seek(struct drv *d, cad_time position, uint32_t ticket);
void drv_pin(struct drv *d, int32_t rung);
/* The service's title 900100, and PLAY. */
void drv_load(struct drv *d, uint32_t ticket);
void drv_load_title(struct drv *d, const struct cad_title *title, uint32_t ticket);
void drv_prepare(struct drv *d, uint32_t ticket); /* the same title, without PLAY */
void drv_load_url(struct drv *d, const char *url, uint32_t ticket);
void drv_play(struct drv *d);
void drv_pause(struct drv *d);

/* Adds a rule: on requests of `stream` (-1 any) to `server` (-1 any), for ever unless `left` is
 * set. */
struct drv_rule *drv_rule(struct drv *d, int32_t server, int32_t stream, enum drv_fault fault,
                          int64_t value);

/* ---- time ------------------------------------------------------------------------------------ */

/* Turns until nothing is left to do at this instant; nothing is answered by the network. */
void drv_turns(struct drv *d);
/* The network and the sink as well; time stands still. */
void drv_settle(struct drv *d);
void drv_play_for(struct drv *d, cad_time duration);
/* Until an event of the type comes (not counting those that came before); false: not in time. */
bool drv_until(struct drv *d, enum cad_app_event_type type, cad_time limit);
bool drv_until_state(struct drv *d, enum cad_state state, cad_time limit);

/* ---- what was seen --------------------------------------------------------------------------- */

uint32_t drv_count(const struct drv *d, enum cad_app_event_type type);
/* The last event of the type, NULL none. */
const struct cad_app_event *drv_last(const struct drv *d, enum cad_app_event_type type);
const struct cad_app_event *drv_first(const struct drv *d, enum cad_app_event_type type);
int32_t drv_index(const struct drv *d, const struct cad_app_event *event);
uint32_t drv_errors(const struct drv *d, enum cad_error_class cls);
/* The one fatal error; asserts that there is exactly one. */
const struct cad_error *drv_fatal(const struct drv *d);
struct cad_engine_stats drv_stats(const struct drv *d);
struct cad_slot_stats drv_slot_stats(const struct drv *d, uint32_t slot);
uint32_t drv_open_requests(const struct drv *d);
/* Requests of a purpose from index `from` on; -1 in stream: any. */
uint32_t drv_requests_of(const struct drv *d, uint32_t from, enum cad_purpose purpose);
uint32_t drv_requests_on(const struct drv *d, uint32_t from, int32_t server);
/* Which segments of a stream a byte belongs to; asserts that it is media. */
struct cad_synth_segment drv_segment(const struct drv *d, int32_t stream, int64_t byte);
cad_time drv_sink_position(const struct drv *d);
/* Segment bytes of a rung. */
int64_t drv_rung_bytes(uint32_t rung);

/* Everything that was seen, printed: for whoever looks into a failure. */
void drv_dump(const struct drv *d);

/* ---- parts (driver_cdm.c, driver_net.c, driver_sink.c, driver_title.c) ----------------------- */

void drv_net_start(struct drv *d, const struct cad_http_start *start);
void drv_net_cancel(struct drv *d, uint32_t id);
void drv_net_warm(struct drv *d, const struct cad_http_warm *warm);
/* Moves what is due; true: something was fed or committed. */
bool drv_net_pump(struct drv *d);
void drv_net_tick(struct drv *d);
/* Forget what is held of all files: after STOP, or when a test expects bytes again. */
void drv_net_forget(struct drv *d);

void drv_cdm_caps(struct drv *d);
void drv_cdm_call(struct drv *d, const struct cad_cdm_call *call);
/* Something that no call asked for, of the session that was opened last. */
void drv_cdm_tell(struct drv *d, enum cad_cdm_event_type type, int result);
void drv_cdm_keys(struct drv *d, uint8_t kid, enum cad_key_status status);
uint32_t drv_cdm_calls(const struct drv *d, enum cad_cdm_call_type type);
/* The text of a licence service's answer; free it. */
char *drv_licence_text(struct drv *d);
/* A pssh box of the common system with the title's key id, in base64. */
void drv_pssh(char *out, size_t cap);

bool drv_sink_step(struct drv *d);
void drv_sink_config(struct drv *d, const struct cad_sink_config *config);
void drv_sink_drop_held(struct drv *d, uint32_t slot);
void drv_sink_flush(struct drv *d, uint32_t epoch, cad_time position);
void drv_anchor(struct drv *d, cad_time media, uint32_t rate_q16, bool underrun);

/* Zeroed; not of cmocka's accounts, which end with a test and not with its teardown. */
void *drv_malloc(size_t n);
/* The document of timed text that http://hN/t<n> is; free it. */
char *drv_document(int32_t n);
/* The manifest that the service would answer now; free it. Counts as a new generation. */
char *drv_manifest_text(struct drv *d);
/* The first box type or codec name `from` in a stream's header becomes `to`; four bytes each. */
void drv_patch(struct drv *d, int32_t stream, const char *from, const char *to);
void drv_title_init(struct drv *d);
void drv_title_deinit(struct drv *d);
int64_t drv_server_ms(const struct drv *d);

#endif
