/*
 * player_impl.h - the inside of a player: who owns what, and on which thread.
 *
 * player.c is the application's side, player_drive.c the drive thread with player_edges.c (CDM and
 * store), player_sink.c the sink's thread, player_url.c turns what a person types into a URL.
 * Between them are only the mailbox, the order box, the sample rings, the event queue, the copy of
 * the figures and a few atomic flags. The CDM's threads reach the desk of cdm_host.h, a store's its
 * own queues.
 */
#ifndef CAD_DRIVE_PLAYER_IMPL_H
#define CAD_DRIVE_PLAYER_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/ring.h"
#include "base/strbuf.h"
#include "cadmium/player.h"
#include "cadmium/tape.h"
#include "cadmium/unlock.h"
#include "drive/cdm_host.h"
#include "drive/loop.h"
#include "drive/mailbox.h"
#include "drive/spsc.h"
#include "drive/transport.h"

#define PLAYER_ENDS_MAX (2 * CAD_TRANSPORT_TRANSFERS_MAX) /* ends that wait for the engine */
#define PLAYER_TURNS_MAX 16       /* turns in a row before the network is looked at again */
#define PLAYER_ENTROPY_START 512  /* bytes of the first ENTROPY event: the most there may be */
#define PLAYER_ENTROPY_FRESH 64   /* bytes with each title, and after each POST */
#define PLAYER_WALL_PERIOD (60 * CAD_SECOND)
#define PLAYER_WAKE_FLOOR CAD_MS  /* the engine's own timers are not served more often */
#define PLAYER_LOCKED_LOOK (100 * CAD_MS) /* how often a sample that waits is looked at, at least */
#define PLAYER_STORE_LOOK (5 * CAD_MS) /* how often a store that wakes nobody is asked */
#define PLAYER_FAREWELL (20 * CAD_MS) /* for what an ending session has to store */
#define PLAYER_FAREWELL_TURNS 64
#define PLAYER_REFUSED_MAX 64     /* refused orders to the store whose answers wait */

enum { PLAYER_NETWORK_SAME, PLAYER_NETWORK_ON, PLAYER_NETWORK_OFF };

/* Events that wait to be read. */
struct player_events {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    struct cad_ring ring;         /* struct cad_app_event */
    bool blocked;                 /* the drive thread waits for room */
};

#define PLAYER_TAG CAD_ENGINE_ID_FREE /* of numbers of the second engine that was made */
#define PLAYER_NEWS_STATE 1u
#define PLAYER_NEWS_TRACKS 2u

/* The engine beside the one that plays (player_pair.c). */
struct player_pair {
    struct cad_engine *spare;     /* NULL: not made yet */
    uint32_t tag;                 /* of the one that plays: 0 or PLAYER_TAG */
    bool broken;                  /* the spare one is not run any more */
    bool has_title;               /* it was told to prepare `title` */
    bool told;                    /* PREPARED was told */
    struct cad_mail title;
    struct cad_orders orders;     /* what it would have of the sink; epochs as it counts them */
    uint32_t spare_epoch;         /* its last one */
    uint32_t epoch_base;          /* sink's epochs are those of the engine that plays plus this */
    uint32_t first_epoch;         /* of the sink: older ones are of the engine before */
    /* Pictures as the sink counts them: `seen` at its last report, less `base` for the engine that
     * plays; `spare` is what the other one was told last. */
    struct player_frames {
        uint64_t frames, dropped;
    } seen, base, spare_seen;
    bool loaded;                  /* LOAD was the last of LOAD and STOP */
    bool want_play;               /* wishes of the application that hold for any title */
    uint32_t rate_q16;
    int32_t rung;
    bool has_caps, online;
    struct cad_sink_caps caps;    /* of the sink */
    uint32_t news;                /* PLAYER_NEWS_*: the application is to be told */
    enum cad_state state_told;    /* the last state that the application was told */
    enum cad_state spare_state;   /* of the spare one, by its own events */
    enum cad_state taken_state;   /* of it when it took over */
    bool tracks_stale;            /* the copy of tracks and rungs is of the engine before */
    struct cad_engine_config config; /* for the spare one; texts are in `text` */
    char *text;
    size_t text_size;
};

/* What only the drive thread touches while it runs. */
struct player_drive {
    struct cad_engine *engine;    /* that plays */
    struct player_pair pair;
    struct cad_transport *net;    /* NULL: offline */
    struct cad_transport *file;
    struct cad_transport *probes; /* NULL: none was sent yet */
    struct cad_ring refused;      /* struct cad_store_done: orders that the store did not take */
    struct cad_store_done stored; /* an answer that the engine had no room for */
    bool has_stored;
    uint32_t orders_open;         /* of the store, not answered */
    struct cad_ring ends;         /* struct cad_http_end, not fed yet */
    struct cad_mail held;         /* a command that the engine had no room for */
    bool has_held;
    struct cad_app_event event;   /* an event that the queue had no room for */
    bool has_event;
    bool fed;                     /* the engine got something: a turn is due */
    bool broken;                  /* the engine said so; it is not run any more */
    uint32_t epoch;               /* of the last order */
    bool ended[CAD_ENGINE_SLOTS]; /* the ring's last item of this epoch is the end */
    struct cad_orders orders;     /* of this turn */
    cad_time wall_at;             /* when the wall clock is told again */
    cad_time now;
};

/* What only the sink's thread touches. */
struct player_sink {
    struct cad_sink *sink;        /* the last one that was stepped; NULL none */
    struct cad_sink_config config;/* the last one, for a sink that comes later */
    bool has_config;
    uint32_t epoch;               /* that its orders have reached; 0 none */
    bool ended[CAD_ENGINE_SLOTS];
    bool locked;                  /* a sample waits for its key, since the last step */
};

/* A copy of a text of the configuration. */
struct player_text {
    char *z;                      /* NUL-terminated; NULL: none */
    size_t size;                  /* with the NUL */
};

struct cad_player {
    struct cad_alloc alloc;
    struct cad_log log;
    void (*wakeup)(void *ctx);
    void *wakeup_ctx;
    struct cad_tape_recorder *tape; /* NULL: nothing is recorded */
    bool offline;
    struct player_text ca_file, proxy, key_log;
    struct cad_cdm_desk *cdm;     /* NULL: there is none */
    struct cad_unlock *unlock;    /* the sink's thread alone */
    struct cad_store store;       /* the drive thread alone */
    bool store_wakes;             /* it wakes the loop when there is an answer */
    pthread_t thread;
    bool has_thread, has_events, has_stats, has_mailbox, has_orderbox, has_loop;
    _Atomic bool stop;
    _Atomic uint32_t ticket;      /* the last one given */
    _Atomic int network;          /* PLAYER_NETWORK_*: what the device said, not fed yet */
    _Atomic int64_t asleep_until; /* no turn before */
    struct cad_loop loop;
    struct cad_mailbox mailbox;
    struct cad_orderbox orderbox;
    struct cad_spsc rings[CAD_ENGINE_SLOTS];
    struct player_events events;
    pthread_mutex_t stats_mutex;
    struct cad_engine_stats stats;
    struct cad_track_info tracks[CAD_TRACK_LIST_MAX]; /* with stats, under its mutex */
    uint32_t track_count;
    struct cad_rung_info rungs[CAD_ABR_RUNGS_MAX]; /* likewise */
    uint32_t rung_count;
    struct player_drive drive;
    struct player_sink sink;
};

/* ---- player_drive.c ---- */
/* Transports and queues of the drive thread. CAD_E_NOMEM, CAD_E_IO. */
CAD_MUST_CHECK int cad_player_drive_init(struct cad_player *player);
void cad_player_drive_deinit(struct cad_player *player);
void *cad_player_drive_main(void *player);

/* False: the queue is full; the event is held and the engines stand still. */
bool cad_player_tell(struct cad_player *player, const struct cad_app_event *event);
void cad_player_feed_entropy(struct cad_player *player, struct cad_engine *engine, size_t n);
/* An action that has to do with neither sink nor application; tag: of its engine. */
void cad_player_act(struct cad_player *player, const struct cad_action *action, uint32_t tag);

/* ---- player_pair.c ---- */
/* The configuration is copied. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_pair_init(struct cad_player *player, const struct cad_engine_config *config);
void cad_pair_deinit(struct cad_player *player);
/* Whose a number is that went out with a tag; NULL: nobody's. */
struct cad_engine *cad_pair_engine(const struct cad_player *player, uint32_t number);
/* The recorder of that engine; NULL: none. */
struct cad_tape_recorder *cad_pair_tape(const struct cad_player *player,
                                        const struct cad_engine *engine);
/* As cad_engine_feed. CAD_E_STALE: engine NULL. */
CAD_MUST_CHECK int cad_pair_feed(struct cad_player *player, struct cad_engine *engine,
                                 const struct cad_event *event);
void cad_pair_tell(struct cad_player *player, const struct cad_event *event); /* both */
/* A command to the engine that it is for. As cad_engine_feed; on a failure nothing has changed. */
CAD_MUST_CHECK int cad_pair_command(struct cad_player *player, const struct cad_event *event);
/* The spare one: its turn (true: another one is due at once), its actions, when it wants to run. */
bool cad_pair_turn(struct cad_player *player);
bool cad_pair_poll(struct cad_player *player);
cad_time cad_pair_wake(const struct cad_player *player);
/* Figures of the one that plays as they are of both: pictures of the sink, what was told. */
void cad_pair_figures(const struct cad_player *player, struct cad_engine_stats *out);
/* Tells the application what changed when the other one took over. False: no room. */
bool cad_pair_news(struct cad_player *player);

/* ---- player_edges.c ---- */
/* The CDM and the store, with what belongs to them. CAD_E_NOMEM, CAD_E_IO, what a CDM says. */
CAD_MUST_CHECK int cad_player_edges_init(struct cad_player *player,
                                         const struct cad_player_config *config);
/* After the engine, before the loop and the order box. */
void cad_player_edges_deinit(struct cad_player *player);
/* The drive thread, before anything else: what the CDM can do. */
void cad_player_feed_caps(struct cad_player *player);
/* What the CDM and the store have told, as far as the engine has room. */
void cad_player_feed_cdm(struct cad_player *player);
void cad_player_feed_store(struct cad_player *player);
/* CAD_ACTION_STORE. */
void cad_player_order(struct cad_player *player, const struct cad_store_order *order, uint32_t tag);
/* When to look at them again; CAD_TIME_NONE: they say so themselves. */
cad_time cad_player_edges_wake(const struct cad_player *player);

/* ---- player_device.c ---- */
/* For tests: the drive thread takes no turn before `until`, as on a device that sleeps; network and
 * clock go on. Any thread. */
void cad_player_suspend(struct cad_player *player, cad_time until);
/* The drive thread: sleeps while it is suspended. */
void cad_player_sleep(struct cad_player *player);
/* The drive thread: did the device say something about its network since the last call? */
bool cad_player_network_changed(struct cad_player *player, bool *online);

/* ---- player.c ---- */
/* CAD_E_LIMIT: no room; the reader then wakes the drive thread. */
CAD_MUST_CHECK int cad_player_events_push(struct cad_player *player,
                                          const struct cad_app_event *event);

/* ---- player_url.c ---- */
/*
 * What a person gives to be played, as an absolute URL: text with a scheme and "//", and file:
 * URLs, as they are; everything else is a path, made absolute against the working directory.
 * Appended to out. CAD_E_INVAL: empty; CAD_E_LIMIT; CAD_E_IO: the working directory is gone.
 */
CAD_MUST_CHECK int cad_player_title_url(cad_str text, struct cad_sb *out);

#endif
