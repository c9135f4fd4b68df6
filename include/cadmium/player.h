/*
 * player.h - the application's face: play a title in real time.
 *
 * A player owns an engine (two while a title is prepared beside another), one drive thread
 * (network, files, timers) and talks to one sink, which the application drives on a thread of its
 * own. Every call here is thread-safe, asynchronous and returns in bounded time; what comes of it
 * is told by events, which carry the ticket of the call they answer. Typical use:
 *
 *     struct cad_player_config config;
 *     cad_player_config_init(&config);
 *     cad_player_create(&config, &player);
 *     cad_player_load_url(player, "https://...", CAD_TIME_NONE, &ticket);
 *     cad_player_play(player);
 *     for (;;) {
 *         struct cad_app_event event;
 *         cad_player_sink_step(player, sink);     the sink thread's turn
 *         while (cad_player_wait_event(player, &event, 0) == 0) { ... }
 *     }
 *     cad_player_destroy(&player);      never waits for the network
 *
 * State, error and metadata events are never dropped: when CAD_PLAYER_EVENTS_MAX wait unread, the
 * engine stands still until some are read.
 */
#ifndef CADMIUM_PLAYER_H
#define CADMIUM_PLAYER_H

#include "cadmium/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_PLAYER_EVENTS_MAX 256   /* events that may wait to be read */
#define CAD_PLAYER_COMMANDS_MAX 64  /* calls that may wait for the drive thread */
#define CAD_PLAYER_RING_SAMPLES 64  /* access units between the engine and the sink, a slot */

struct cad_tape_recorder;

/* How a player works. */
struct cad_player_config {
    size_t size;                     /* sizeof(struct cad_player_config) */
    struct cad_engine_config engine; /* alloc must be safe for concurrent use */
    const char *ca_file;             /* PEM file of trusted roots; NULL: the system's */
    bool offline;                    /* refuse every URL but files; default false */
    const char *proxy;               /* URL of a proxy for all requests, http: or socks5h:; NULL:
                                        none. The environment's is never used */
    const char *key_log;             /* file that TLS secrets are appended to, in NSS form; NULL:
                                        none. For debugging: who has it can read the traffic */
    const struct cad_cdm_ops *cdm;   /* opens protected titles; NULL: none is played */
    const char *key_system;          /* of cdm; NULL: "org.w3.clearkey" */
    struct cad_store store;          /* outlives the process; used on the drive thread and destroyed
                                        with the player; ops NULL: store_path counts */
    const char *store_path;          /* a directory to keep things in, made if it is not there;
                                        NULL: nothing outlives the process */
    void (*wakeup)(void *ctx);       /* NULL, or may only signal: any thread */
    void *wakeup_ctx;                /* of wakeup */
    struct cad_tape_recorder *tape;  /* records the session (tape.h), lives longer than the player;
                                        NULL: none */
};
/* Set the defaults. */
void cad_player_config_init(struct cad_player_config *config);

struct cad_player;

/* Starts the drive thread. CAD_E_NOMEM, CAD_E_IO, CAD_E_INVAL. Strings are copied. */
CAD_MUST_CHECK int cad_player_create(const struct cad_player_config *config,
                                     struct cad_player **out);
/* Stops everything; within 50 ms whatever the network does. The sink must not be stepped any
 * more. */
void cad_player_destroy(struct cad_player **player);

/* Load a URL or a file, to begin at `start` (CAD_TIME_NONE: the manifest's bookmark, or 0). As of
 * all commands: ticket may be NULL; CAD_E_LIMIT: too many unread commands; CAD_E_INVAL. */
CAD_MUST_CHECK int cad_player_load_url(struct cad_player *player, const char *url_or_path,
                                       cad_time start, uint32_t *ticket);
/* Load a title of a service: its base URL, and the title's id there. */
CAD_MUST_CHECK int cad_player_load_title(struct cad_player *player, const char *base,
                                         const char *id, cad_time start, uint32_t *ticket);
/* Fetch what is needed to start a title without showing anything (event PREPARED), also while
 * another one plays; a load of the same title then begins at once. base_or_url: a URL or a file, or
 * with an id (else NULL) the base of a service. One title is prepared at a time: the next prepare,
 * a load of something else and a stop drop it. What goes wrong is an ERROR that ends nothing;
 * PREPARE_BUSY: beside the title that is loaded there is no memory for it, or a tape is recorded.
 * CAD_E_INVAL. */
CAD_MUST_CHECK int cad_player_prepare(struct cad_player *player, const char *base_or_url,
                                      const char *id, uint32_t *ticket);
/* Play, now or as soon as there is something to play. */
CAD_MUST_CHECK int cad_player_play(struct cad_player *player);
/* Hold where it is. */
CAD_MUST_CHECK int cad_player_pause(struct cad_player *player);
/* Go to a position, clamped to the title; the event SEEK_DONE answers. */
CAD_MUST_CHECK int cad_player_seek(struct cad_player *player, cad_time position, uint32_t *ticket);
/* Drop everything; the player can load again. */
CAD_MUST_CHECK int cad_player_stop(struct cad_player *player);
/* Always this rung of the video ladder (0 lowest); -1: adaptive. */
CAD_MUST_CHECK int cad_player_pin(struct cad_player *player, int32_t rung);

/* Play this track (cad_track_info.id) from as soon as can be. An unknown one is answered by an
 * ERROR that ends nothing: NO_SUCH_TRACK. */
CAD_MUST_CHECK int cad_player_select_track(struct cad_player *player, const char *id,
                                           uint32_t *ticket);
/* Speed of playback, 65536 normal, 32768 .. 131072; sound keeps its pitch where the sink can. */
CAD_MUST_CHECK int cad_player_set_rate(struct cad_player *player, uint32_t rate_q16);

/* A copy of the tracks there are: up to max; returns how many. At most one turn old; it changed
 * when an event TRACKS or TRACK came. */
uint32_t cad_player_tracks(struct cad_player *player, struct cad_track_info *out, uint32_t max);
/* The same of the rungs of the video ladder, 0 the lowest: what cad_player_pin pins. */
uint32_t cad_player_rungs(struct cad_player *player, struct cad_rung_info *out, uint32_t max);

/* The device says that its network is gone or back: while it is gone no request is started, and
 * what was measured before counts for less. Saying nothing is no mistake, only slower.
 * CAD_E_INVAL. */
CAD_MUST_CHECK int cad_player_set_online(struct cad_player *player, bool online);

/* The next event, waiting at most `timeout` (0: not at all). CAD_E_AGAIN: none. */
CAD_MUST_CHECK int cad_player_wait_event(struct cad_player *player, struct cad_app_event *out,
                                         cad_time timeout);
/* A copy of the newest figures; at most one turn old. */
void cad_player_stats(struct cad_player *player, struct cad_engine_stats *out);

/* CLOCK_MONOTONIC, the clock of every time in events and anchors. */
cad_time cad_player_now(const struct cad_player *player);

/* ---- the sink's thread ------------------------------------------------------------------- */

/* The next access unit for the sink. Results as cad_engine_pull. One thread at a time. */
CAD_MUST_CHECK int cad_player_pull(struct cad_player *player, uint32_t slot,
                                   struct cad_sample *out);
/*
 * One step of a sink: hands it pending configurations and flushes in order, steps it, takes its
 * report to the engine. Sets sink->source. Returns the absolute time of the next step that is due;
 * call again then or after cad_player_wait_sink.
 */
cad_time cad_player_sink_step(struct cad_player *player, struct cad_sink *sink);
/* Sleep until `until`, or until there is something for the sink to do. */
void cad_player_wait_sink(struct cad_player *player, cad_time until);

#ifdef __cplusplus
}
#endif
#endif
