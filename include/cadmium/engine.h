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
#include "cadmium/actions.h"
#include "cadmium/manifest.h"
#include "cadmium/steer.h"
#include "cadmium/telemetry.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_ENGINE_INPUTS_MAX 256   /* events that may wait for a turn */
#define CAD_ENGINE_ACTIONS_MAX 256  /* actions that may wait to be polled */

/* ---- the engine -------------------------------------------------------------------------- */

/* How an engine works. It is copied. */
struct cad_engine_config {
    size_t size;                   /* sizeof(struct cad_engine_config) */
    struct cad_alloc alloc;        /* outlives the engine; default cad_alloc_system() */
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
    cad_str audio_language;        /* BCP 47, wanted of sound where there is a choice; copied;
                                      default empty: the manifest's default */
    cad_str text_language;         /* BCP 47, of the text that is shown from the start; copied;
                                      default empty: none */
    cad_str licence_url;           /* where keys are asked for if the title does not say; copied;
                                      default empty */
    cad_buf licence;               /* one that is at hand, in the CDM's form: used instead of asking
                                      a service; copied, wiped; default empty */
    cad_time key_wait;             /* how long a key may be waited for while nothing else is
                                      missing; 1 s ..; default 10 s */
    bool report;                   /* tell playback events and logs, to the services that the title
                                      links to or `telemetry` names; default false */
    bool probe;                    /* race the servers that a recipe names, of the title's link or
                                      `ftl.endpoint`; default false */
    struct cad_telemetry_config telemetry; /* alloc and seed are the engine's; texts are copied */
    struct cad_ftl_config ftl;     /* alloc and log are the engine's; texts are copied */
};
/* Set the defaults. */
void cad_engine_config_init(struct cad_engine_config *config);

struct cad_engine;

/* The config is copied; *out is the caller's. CAD_E_INVAL: something is out of range.
 * CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_engine_create(const struct cad_engine_config *config,
                                     struct cad_engine **out);
/* Accepts NULL, leaves NULL. Samples that were pulled stay valid. */
void cad_engine_destroy(struct cad_engine **engine);

/* Queue an event for the next turn; HTTP_HEAD, ENTROPY and CDM_CAPS take effect at once. Of a CDM's
 * event data over 40 KiB and texts over 8192 bytes are dropped, of a store's answer what is beyond
 * the limits of store.h; its result becomes CAD_E_LIMIT. CAD_E_LIMIT: the queue is full, run first.
 * CAD_E_INVAL: an unknown event, or a LOAD with a text over 8192 bytes. CAD_E_NOMEM. */
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
 * CAD_E_AGAIN: none yet. CAD_E_END: that was the last. Text has no end: CAD_E_AGAIN while there is
 * nothing new; each document, once an epoch, comes behind its configuration, whose ref is NULL. */
CAD_MUST_CHECK int cad_engine_pull(struct cad_engine *engine, uint32_t slot,
                                   struct cad_sample *out);

/* Figures of a slot. */
struct cad_slot_stats {
    bool present;                   /* the title has it; else all is zero */
    char track[CAD_TRACK_ID_SIZE];  /* being fetched */
    uint32_t rung, rung_count;      /* being fetched */
    int64_t rate_bps;               /* declared rate of the rung */
    uint32_t width, height;         /* of the rung, pixels; 0 unknown */
    cad_time ahead;                 /* contiguous media in front of the viewer */
    int64_t bytes_held;             /* media that is buffered */
    uint64_t bytes_fetched;         /* media since the load */
    uint32_t requests, switches;    /* switches: changes of rung as delivered */
    char server[CAD_APP_TEXT_SIZE]; /* id of the server of the last request */
    int64_t played_rate_bps;        /* mean declared rate, weighted by media time delivered */
};

#define CAD_PROBE_FIGURES_MAX 8 /* targets of a race that are told */

/* What probes say of a target. */
struct cad_probe_figure {
    char name[CAD_APP_TEXT_SIZE];   /* of the target */
    cad_time latency;               /* to the first byte; CAD_TIME_NONE: no answer yet */
    uint32_t pulses, ok;            /* that were sent, and succeeded */
};

/* Figures of the services around playback. */
struct cad_service_stats {
    bool is_protected;              /* what is played needs keys */
    enum cad_key_status keys;       /* of the worst that is needed now */
    uint32_t licences, licences_failed; /* requests answered, and not */
    cad_time licence_time;          /* the last answer took; CAD_TIME_NONE none yet */
    char text_track[CAD_TRACK_ID_SIZE]; /* that is shown; empty: none */
    bool probes_running;            /* a race is under way */
    uint32_t probe_count;           /* targets told below */
    struct cad_probe_figure probes[CAD_PROBE_FIGURES_MAX]; /* fastest first */
    uint64_t events, events_delivered; /* of record, of the engine's life */
    uint32_t events_waiting;        /* not acknowledged yet */
    uint64_t logs, logs_dropped, batches_delivered; /* entries; batches */
};

/* Figures of a session since its load. */
struct cad_engine_stats {
    enum cad_state state;           /* see cad_state */
    cad_time position, duration;    /* of the viewer; of the title, CAD_TIME_NONE unknown */
    uint32_t rate_q16;              /* wanted while it plays */
    uint32_t period, period_count;  /* that is being fetched; 0 before the manifest */
    uint32_t tracks_version;        /* rises when cad_engine_tracks answers something new */
    struct cad_slot_stats slot[CAD_ENGINE_TRACKS]; /* by CAD_SLOT_VIDEO, CAD_SLOT_AUDIO */
    int64_t estimate_bps;           /* of the throughput; 0 none yet */
    uint64_t frames, dropped;       /* as the sink counts them */
    uint32_t stalls, refreshes, errors; /* how often each happened */
    cad_time stall_time;            /* without the start */
    cad_time startup;               /* load to first frame; CAD_TIME_NONE not yet */
    uint64_t turns, decisions;      /* of the engine, and decision lines */
    uint64_t decision_hash;         /* of all decision lines so far */
    uint64_t bytes_twice;           /* media bytes that were asked for again while held */
    int64_t memory_used, memory_peak; /* through the allocator, media included, bytes */
    bool prepared;                  /* it was prepared and waits to be loaded */
    struct cad_service_stats services; /* around playback */
};
/* A copy of the figures as of the last turn. */
void cad_engine_stats(const struct cad_engine *engine, struct cad_engine_stats *out);

/* The tracks of the period that is fetched, in the manifest's order: writes up to `max`, returns
 * how many there are (at most CAD_TRACK_LIST_MAX); 0 before the manifest. */
uint32_t cad_engine_tracks(const struct cad_engine *engine, struct cad_track_info *out,
                           uint32_t max);
/* The video ladder, 0 the lowest: writes up to `max`, returns how many there are (at most
 * CAD_ABR_RUNGS_MAX); 0 where there is no picture, or not yet. */
uint32_t cad_engine_rungs(const struct cad_engine *engine, struct cad_rung_info *out,
                          uint32_t max);

#ifdef __cplusplus
}
#endif
#endif
