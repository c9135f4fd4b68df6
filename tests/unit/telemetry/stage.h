/*
 * stage.h - an owner for telemetry in tests: a store that lives over restarts, the mock service, a
 * clock, and a count of performed orders after which the process is "killed".
 */
#ifndef CAD_TESTS_TELEMETRY_STAGE_H
#define CAD_TESTS_TELEMETRY_STAGE_H

#include "cadmium/telemetry.h"
#include "mock/mock_ingest.h"

#define STAGE_KEYS 256
#define STAGE_T0 (100 * CAD_SECOND)
#define STAGE_WALL INT64_C(1700000000000) /* Unix ms of monotonic 0 */

struct stage_item {
    char key[65];
    uint8_t *value;
    size_t n;
};

struct stage {
    struct cad_alloc alloc;
    struct cad_telemetry_config config;
    struct cad_telemetry *t;  /* NULL after a kill */
    struct mock_ingest ingest;
    struct stage_item items[STAGE_KEYS]; /* what the store holds */
    size_t count;
    cad_time now;
    uint64_t random;          /* of entropy: never the same */
    uint64_t steps, kill_at;  /* half-steps of orders; 0 never */
    int32_t status;           /* what the service answers; 0 no answer, 200 the mock decides */
    bool lost_answers;        /* the service takes it, and the answer is lost */
    int store_result;         /* of every put; 0 it works */
    bool no_entropy;
    const char *answer_body;  /* of events */
    const char *limits;       /* header of batches */
    cad_time retry_after;
    uint32_t spins;           /* wake-ups for now, though all that could be done was done */
    uint32_t posts, low_posts, puts, gets, deletes; /* performed */
    struct cad_telemetry_order last_post; /* views are not valid any more */
    char last_url[4096];
    struct cad_sb wire;       /* all bodies and URLs that were sent */
};

void stage_init(struct stage *s, const struct cad_alloc *alloc);
/* Over the memory of the system. */
void stage_init_system(struct stage *s);
void stage_deinit(struct stage *s);
/* A new process over what the store holds. */
int stage_start(struct stage *s);
/* Perform all orders there are; false: killed on the way. */
bool stage_run(struct stage *s);
/* Facts; they give false when the process was killed by then. */
bool stage_fact(struct stage *s, struct cad_fact f);
/* Let time pass by its own wake-ups, performing. */
bool stage_until(struct stage *s, cad_time until);
struct cad_telemetry_stats stage_stats(const struct stage *s);

struct cad_fact stage_play(const char *xid);
struct cad_fact stage_state(enum cad_play_state state);
struct cad_fact stage_simple(enum cad_fact_type type);
struct cad_fact stage_shown(const char *id, int64_t rate_bps);
struct cad_fact stage_end(const char *reason);
/* Play and its first frame; and that it is playing from then on. */
bool stage_begin(struct stage *s, const char *xid);
bool stage_begin_playing(struct stage *s, const char *xid);
/* play, first frame, ... of a small session: start, pause, resume, seek, two keepAlives, stop. */
bool stage_session(struct stage *s, const char *xid);
#define STAGE_SESSION_EVENTS 7

#endif
