/*
 * facts.h - what the session tells telemetry, and the orders of telemetry carried out.
 *
 * Most facts are read off the state and the application's events of a turn (facts_turn looks at the
 * actions that wait to be polled); transfers, choices and seeks have hooks of their own. Nothing
 * here changes what is played, but for one thing: a service may ask a playback to stop.
 */
#ifndef CAD_ENGINE_FACTS_H
#define CAD_ENGINE_FACTS_H

#include "cadmium/engine.h"

#define FACTS_WAITING_MAX 8           /* POSTs that telemetry wants and that may not begin yet */
#define FACTS_LOG_HELD (30 * CAD_SECOND) /* logs wait no longer for a link that media needs */
#define FACTS_FRAMES (10 * CAD_SECOND)   /* between two counts of frames */

struct exchange_answer;
struct cad_engine;
struct cad_fetch_request;

struct facts_waiting {
    struct cad_telemetry_order order;
    cad_time since;
};

struct facts_part {
    struct cad_telemetry *telemetry;  /* NULL: nothing is told */
    bool playing;                     /* a playback was told (CAD_FACT_PLAY) and not ended */
    bool over;                        /* the title's playback was ended */
    bool again;                       /* the title is played once more, under another xid */
    bool retell;                      /* what is known of the title has changed */
    bool unsure;                      /* an answer came: the service may have asked to stop */
    enum cad_play_state told;         /* last state */
    enum cad_stall_reason reason;     /* and why */
    uint32_t rate_q16;                /* and how fast */
    uint32_t tracks_told;             /* version */
    char text_track[CAD_TRACK_ID_SIZE];
    char server[CAD_APP_TEXT_SIZE];   /* that media came from last; empty: none yet */
    cad_time ready_at;                /* the sink could decode; CAD_TIME_NONE not yet */
    uint64_t frames_base, dropped_base; /* of the sink when the playback began */
    uint64_t wasted_base;             /* bytes_wasted that were told, or were before it */
    cad_time frames_at;               /* told again not before */
    struct cad_error fatal;           /* of this turn, or none */
    enum cad_address_class address_max; /* of services that a manifest names */
    bool own_events, own_logs;        /* the configuration names where they go */
    uint8_t xid_bytes[8];             /* for the id of the next playback; xid_n of them */
    size_t xid_n;
    bool has_wall;
    int64_t wall_offset_ms;           /* as told */
    struct facts_waiting waiting[FACTS_WAITING_MAX];
    uint32_t waiting_count;
};

CAD_MUST_CHECK int facts_create(struct cad_engine *e);
void facts_destroy(struct cad_engine *e);
/* The title is known: links of its services. */
void facts_title(struct cad_engine *e);
/* The title is about to be forgotten. */
void facts_stop(struct cad_engine *e);
/* An attempt of a media, manifest, licence or text request ended; `error`: as it would be told. */
void facts_transfer(struct cad_engine *e, const struct cad_fetch_request *request,
                    const struct cad_http_end *end, enum cad_error_code error);
/* Another rung was decided on: declared rates, media ahead. */
void facts_chosen(struct cad_engine *e, int64_t from_bps, int64_t to_bps, const char *reason,
                  cad_time ahead);
void facts_seek(struct cad_engine *e, cad_time from, cad_time to);
void facts_entropy(struct cad_engine *e, cad_buf bytes); /* what the session did not need */
void facts_wall(struct cad_engine *e);                     /* the wall clock is known better */
void facts_store(struct cad_engine *e, const struct cad_store_done *done);
void facts_answer(struct cad_engine *e, const struct exchange_answer *answer);
/* A report for the logs, a JSON object of a room (probes). */
void facts_report(struct cad_engine *e, cad_str type, cad_str json);
void facts_turn(struct cad_engine *e);                     /* last phase of a turn but checks */
cad_time facts_next_wake(const struct cad_engine *e);
void facts_figures(const struct cad_engine *e, struct cad_service_stats *out);

#endif
