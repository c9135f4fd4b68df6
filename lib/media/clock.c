#include "media/clock.h"

#include "base/checked.h"
#include "base/util.h"

void cad_clock_reset(struct cad_play_clock *clock, cad_time position)
{
    *clock = (struct cad_play_clock){
        .media = position, .last = position, .rate_q16 = CAD_CLOCK_RATE_ONE};
}

cad_time cad_clock_natural(const struct cad_play_clock *clock, cad_time now)
{
    if (!clock->running) return clock->media;
    int64_t passed = cad_sub_sat_i64(now, clock->at);
    return cad_add_sat_i64(
        clock->media, cad_muldiv_floor_i64(passed, clock->rate_q16, CAD_CLOCK_RATE_ONE));
}

cad_time cad_clock_read(struct cad_play_clock *clock, cad_time now, cad_time limit)
{
    cad_time media = CAD_MIN(cad_clock_natural(clock, now), limit);
    clock->last = CAD_MAX(clock->last, media);
    return clock->last;
}

void cad_clock_set(struct cad_play_clock *clock, cad_time now, cad_time media)
{
    clock->media = CAD_MAX(media, clock->last);
    clock->at = now;
}

void cad_clock_start(struct cad_play_clock *clock, cad_time now, uint32_t rate_q16)
{
    if (clock->running) cad_clock_set(clock, now, cad_clock_natural(clock, now));
    clock->media = CAD_MAX(clock->media, clock->last);
    clock->at = now;
    clock->rate_q16 = rate_q16;
    clock->running = true;
}

void cad_clock_stop(struct cad_play_clock *clock, cad_time now, cad_time limit)
{
    if (!clock->running) return;
    clock->media = cad_clock_read(clock, now, limit);
    clock->at = now;
    clock->running = false;
}

void cad_clock_discipline(struct cad_play_clock *clock, cad_time media, cad_time at)
{
    if (!clock->running) return;
    int64_t error = cad_sub_sat_i64(media, cad_clock_natural(clock, at));
    if (error > CAD_CLOCK_JUMP || error < -CAD_CLOCK_JUMP) {
        clock->media = media;
        clock->at = at;
        return;
    }
    clock->media = cad_add_sat_i64(clock->media, error / CAD_CLOCK_SMOOTH);
}

cad_time cad_clock_when(const struct cad_play_clock *clock, cad_time media)
{
    if (!clock->running || clock->rate_q16 == 0) return CAD_TIME_NONE;
    int64_t ahead = cad_sub_sat_i64(media, clock->media);
    int64_t wait = cad_muldiv_floor_i64(ahead, CAD_CLOCK_RATE_ONE, clock->rate_q16);
    /* Rounded up: at that time it must be there. */
    return cad_add_sat_i64(clock->at, cad_add_sat_i64(wait, 1));
}
