/*
 * clock.h - the clock by which a sink shows: media time over monotonic time.
 *
 *     cad_clock_reset(&clock, position)      stands at position
 *     cad_clock_start(&clock, now, rate)     runs from where it stood
 *     cad_clock_discipline(&clock, m, at)    a device heard media time m at `at`
 *     cad_clock_read(&clock, now, limit)     never back, never past limit
 *     cad_clock_stop(&clock, now, limit)     stands where it was read
 */
#ifndef CAD_MEDIA_CLOCK_H
#define CAD_MEDIA_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/base.h"

#define CAD_CLOCK_RATE_ONE 65536u
#define CAD_CLOCK_JUMP (40 * CAD_MS) /* a device further off than this is followed at once */
#define CAD_CLOCK_SMOOTH 8           /* else by this part of the difference */

struct cad_play_clock {
    cad_time media, at;   /* at monotonic `at` it was at `media` */
    cad_time last;        /* the highest that was read: it never gives out less */
    uint32_t rate_q16;    /* while it runs */
    bool running;
};

void cad_clock_reset(struct cad_play_clock *clock, cad_time position);
void cad_clock_start(struct cad_play_clock *clock, cad_time now, uint32_t rate_q16);
void cad_clock_stop(struct cad_play_clock *clock, cad_time now, cad_time limit);
/* Where it would be without a limit. */
cad_time cad_clock_natural(const struct cad_play_clock *clock, cad_time now);
/* Presentation time at now, at most limit. */
cad_time cad_clock_read(struct cad_play_clock *clock, cad_time now, cad_time limit);
/* Go on from here: it has fallen behind, or jumps ahead. Never back. */
void cad_clock_set(struct cad_play_clock *clock, cad_time now, cad_time media);
/* Follow a device. */
void cad_clock_discipline(struct cad_play_clock *clock, cad_time media, cad_time at);
/* When it will be at media; CAD_TIME_NONE: it stands. */
cad_time cad_clock_when(const struct cad_play_clock *clock, cad_time media);

#endif
