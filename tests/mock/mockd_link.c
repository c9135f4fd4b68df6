/*
 * Links: what all connections of a link's hosts share, as the simulator's do. A body waits for its
 * turn piece by piece: a piece takes the link for as long as the link's rate wants, after those
 * that came before it. So the pieces of all bodies take turns, and each gets its share.
 */
#include "base/checked.h"
#include "base/util.h"
#include "mock/mockd.h"

#define PIECES_PER_S 50
#define PIECE_BYTES_MIN 512
#define PIECE_BYTES_MAX (32 << 10)
#define PERIODS_PER_PIECE_MAX 100000u /* a piece that takes longer is as good as lost */

static cad_time length_of(const struct cad_trace *trace)
{
    cad_time total = 0;
    for (uint32_t i = 0; i < trace->count; i++) total += trace->periods[i].duration;
    return total;
}

/* Where a link is in its trace: the period, and how much of it is left. */
static uint32_t period_at(const struct mockd_link *link, cad_time now, cad_time *left)
{
    cad_time total = length_of(&link->trace);
    cad_time into = now > link->start ? (now - link->start) % total : 0;
    uint32_t i = 0;
    while (into >= link->trace.periods[i].duration) into -= link->trace.periods[i++].duration;
    *left = link->trace.periods[i].duration - into;
    return i;
}

static int64_t rate_of(const struct mockd_link *link, uint32_t period)
{
    int64_t rate = link->trace.periods[period].rate_bps;
    return link->cap_bps > 0 ? CAD_MIN(rate, link->cap_bps) : rate;
}

cad_time mockd_link_latency(const struct mockd_link *link, cad_time now)
{
    cad_time left;
    return link->trace.periods[period_at(link, now, &left)].latency;
}

size_t mockd_link_piece(const struct mockd_link *link, cad_time now)
{
    cad_time left;
    int64_t bytes = rate_of(link, period_at(link, now, &left)) / 8 / PIECES_PER_S;
    return (size_t)CAD_MAX(CAD_MIN(bytes, PIECE_BYTES_MAX), PIECE_BYTES_MIN);
}

cad_time mockd_link_take(struct mockd_link *link, cad_time now, size_t n)
{
    cad_time at = CAD_MAX(now, link->free_at), left;
    int64_t bits = (int64_t)n * 8;
    uint32_t i = period_at(link, at, &left);
    for (uint32_t steps = 0; steps < PERIODS_PER_PIECE_MAX; steps++) {
        int64_t rate = rate_of(link, i);
        int64_t room = cad_muldiv_floor_i64(left, rate, CAD_SECOND);
        if (room >= bits) {
            at += cad_muldiv_floor_i64(bits, CAD_SECOND, CAD_MAX(rate, 1));
            break;
        }
        bits -= room;
        at += left;
        i = i + 1 == link->trace.count ? 0 : i + 1;
        left = link->trace.periods[i].duration;
    }
    link->free_at = at;
    return at;
}
