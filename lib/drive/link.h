/*
 * link.h - a link of the virtual network: rate and latency by trace, shared equally, exactly.
 *
 *     cad_link_init(&link, &trace, now);
 *     cad_link_join(&link, &flow);                  at link.now; it gets its share from there on
 *     at = cad_link_reach(&link, &flow, bytes);     when that much is in, or the period ends
 *     cad_link_advance(&link, at);
 *     bytes = cad_link_received(&flow);
 *     cad_link_leave(&link, &flow);
 *
 * All flows of a link move at one speed (rate / flows), so the link keeps one number: how much a
 * flow that had been there from the beginning would have got. A flow remembers that number from
 * when it joined. The unit is the nanobit (1e-9 bit): rate x nanoseconds is whole in it; what a
 * division by the number of flows leaves over is carried on. No rounding ever adds up.
 */
#ifndef CAD_DRIVE_LINK_H
#define CAD_DRIVE_LINK_H

#include "cadmium/sim.h"

#include "base/checked.h"

struct cad_link {
    const struct cad_trace *trace; /* borrowed */
    int64_t cap_bps;       /* no faster than this; 0: as the trace says */
    cad_time total;        /* length of the trace */
    cad_time now;          /* everything below is true at this instant */
    uint32_t period;       /* current period */
    cad_time period_end;   /* absolute; > now */
    uint32_t flows;
    cad_i128 served;       /* nanobits that each flow has got since the beginning */
    uint64_t rest;         /* nanobits not handed out yet, < flows */
};

struct cad_flow {
    struct cad_link *link; /* NULL: on none */
    cad_i128 origin;       /* `served` of the link when this flow had nothing */
};

/* trace has at least one period that lasts; position 0 of it is at `start`. */
void cad_link_init(struct cad_link *link, const struct cad_trace *trace, cad_time start);
/* Let time pass up to now (>= link->now). */
void cad_link_advance(struct cad_link *link, cad_time now);
/* Bit/s and round trip at link->now. */
int64_t cad_link_rate(const struct cad_link *link);
cad_time cad_link_latency(const struct cad_link *link);
/* Cap the rate from link->now on; 0: no cap. */
void cad_link_cap(struct cad_link *link, int64_t cap_bps);

/* From link->now on the flow takes its share; it starts with `bytes` received. */
void cad_link_join(struct cad_link *link, struct cad_flow *flow, int64_t bytes);
void cad_link_leave(struct cad_flow *flow);
/* Go on with another link, keeping what was received to the bit. Both stand at the same time. */
void cad_link_move(struct cad_flow *flow, struct cad_link *to);
/* Whole bytes received up to link->now. */
int64_t cad_link_received(const struct cad_flow *flow);
/* The first nanosecond at which `bytes` are in, but at most the end of the period. */
cad_time cad_link_reach(const struct cad_flow *flow, int64_t bytes);

#endif
