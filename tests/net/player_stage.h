/*
 * player_stage.h - a player with a null sink on a thread of its own, for tests.
 */
#ifndef CAD_TESTS_PLAYER_STAGE_H
#define CAD_TESTS_PLAYER_STAGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cadmium/player.h"

#define STAGE_EVENTS_MAX 1024

struct stage {
    struct cad_player *player;
    struct cad_sink *sink;
    pthread_t thread;
    _Atomic bool ready, stop;                      /* ready: what the sink pulls is watched */
    /* What the sink was given, by slot: access units, a hash of their bytes and times in order. */
    _Atomic uint64_t samples[CAD_ENGINE_SLOTS], hash[CAD_ENGINE_SLOTS];
    _Atomic bool locked;                           /* one of them was encrypted: a breach */
    struct cad_app_event events[STAGE_EVENTS_MAX]; /* what was read so far */
    size_t count;
};

/* fast: the sink's clock does not wait. change: may edit the configuration; or NULL. */
void stage_open(struct stage *stage, bool fast, void (*change)(struct cad_player_config *config));
/* How long cad_player_destroy took. */
cad_time stage_close(struct stage *stage);
/* Reads events until one of that type comes; NULL: not within `timeout`. */
const struct cad_app_event *stage_wait(struct stage *stage, enum cad_app_event_type type,
                                       cad_time timeout);
/* Reads events for that long. */
void stage_watch(struct stage *stage, cad_time duration);
/* Events of a type among those read. */
size_t stage_count(const struct stage *stage, enum cad_app_event_type type);

#endif
