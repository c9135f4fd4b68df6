/*
 * history.h - the last minute of buffer and throughput, for the graphs of the overlay.
 *
 * One entry a quarter of a second in a ring; drawing goes from the oldest to the newest.
 */
#ifndef PLAYER_HISTORY_H
#define PLAYER_HISTORY_H

#include <stdbool.h>

#include "cadmium/engine.h"

#define HISTORY_PERIOD (250 * CAD_MS)
#define HISTORY_COUNT 240 /* a minute */

struct history_entry {
    int32_t buffer_ms;       /* the smaller one of the slots that there are */
    int64_t throughput_bps;  /* the estimate; 0 unknown */
    int64_t rate_bps;        /* of what is fetched */
    bool stalled;            /* the clock waited */
};

struct history {
    struct history_entry entries[HISTORY_COUNT];
    uint32_t count, next;
    cad_time at;             /* of the newest; CAD_TIME_NONE none */
};

void history_init(struct history *history);
/* True: a new entry was made. Longer silences repeat the last one. */
bool history_add(struct history *history, const struct cad_engine_stats *stats, cad_time now);
/* 0 is the oldest of count. */
const struct history_entry *history_entry(const struct history *history, uint32_t index);

#endif
