#include "drive/link.h"

#include "base/assert.h"
#include "base/util.h"

#define NANOBITS_PER_BYTE INT64_C(8000000000)

static cad_time period_length(const struct cad_link *link)
{
    return link->trace->periods[link->period].duration;
}

/* Enter periods until one ends after now; periods without length are passed over. */
static void enter_periods(struct cad_link *link)
{
    while (link->period_end <= link->now) {
        link->period = link->period + 1 == link->trace->count ? 0 : link->period + 1;
        link->period_end += period_length(link);
    }
}

void cad_link_init(struct cad_link *link, const struct cad_trace *trace, cad_time start)
{
    *link = (struct cad_link){.trace = trace, .now = start};
    for (uint32_t i = 0; i < trace->count; i++) link->total += trace->periods[i].duration;
    CAD_ASSERT(link->total > 0);
    link->period_end = start + trace->periods[0].duration;
    enter_periods(link);
}

int64_t cad_link_rate(const struct cad_link *link)
{
    int64_t rate = link->trace->periods[link->period].rate_bps;
    return link->cap_bps > 0 && link->cap_bps < rate ? link->cap_bps : rate;
}

cad_time cad_link_latency(const struct cad_link *link)
{
    return link->trace->periods[link->period].latency;
}

void cad_link_cap(struct cad_link *link, int64_t cap_bps)
{
    link->cap_bps = cap_bps;
}

/* Hand out what arrives in dt nanoseconds inside one period. */
static void serve(struct cad_link *link, cad_time dt)
{
    uint64_t rate = (uint64_t)cad_link_rate(link);
    uint64_t arrived;
    if (!__builtin_mul_overflow(rate, (uint64_t)dt, &arrived) &&
        !__builtin_add_overflow(arrived, link->rest, &arrived)) {
        link->served += arrived / link->flows;
        link->rest = arrived % link->flows;
        return;
    }
    cad_i128 wide = (cad_i128)rate * dt + (cad_i128)link->rest;
    link->served += wide / link->flows;
    link->rest = (uint64_t)(wide % link->flows);
}

void cad_link_advance(struct cad_link *link, cad_time now)
{
    CAD_ASSERT(now >= link->now);
    if (now <= link->now) return;
    if (link->flows == 0) {
        cad_time late = now - link->period_end;
        if (late >= link->total) link->period_end += late / link->total * link->total;
        link->now = now;
        enter_periods(link);
        return;
    }
    while (link->now < now) {
        cad_time to = CAD_MIN(now, link->period_end);
        serve(link, to - link->now);
        link->now = to;
        enter_periods(link);
    }
}

/* Another number of flows: what is left over of the old sharing (under one nanobit each) is
 * lost. */
static void set_flows(struct cad_link *link, uint32_t flows)
{
    link->flows = flows;
    link->rest = 0;
}

void cad_link_join(struct cad_link *link, struct cad_flow *flow, int64_t bytes)
{
    CAD_ASSERT(!flow->link);
    set_flows(link, link->flows + 1);
    flow->link = link;
    flow->origin = link->served - (cad_i128)bytes * NANOBITS_PER_BYTE;
}

void cad_link_leave(struct cad_flow *flow)
{
    if (!flow->link) return;
    set_flows(flow->link, flow->link->flows - 1);
    flow->link = NULL;
}

void cad_link_move(struct cad_flow *flow, struct cad_link *to)
{
    if (flow->link == to) return;
    CAD_ASSERT(flow->link->now == to->now);
    cad_i128 received = flow->link->served - flow->origin;
    cad_link_leave(flow);
    cad_link_join(to, flow, 0);
    flow->origin -= received;
}

int64_t cad_link_received(const struct cad_flow *flow)
{
    cad_i128 nanobits = flow->link->served - flow->origin;
    if (nanobits <= INT64_MAX) return (int64_t)nanobits / NANOBITS_PER_BYTE;
    return (int64_t)(nanobits / NANOBITS_PER_BYTE);
}

cad_time cad_link_reach(const struct cad_flow *flow, int64_t bytes)
{
    const struct cad_link *link = flow->link;
    cad_i128 need = flow->origin + (cad_i128)bytes * NANOBITS_PER_BYTE - link->served;
    if (need <= 0) return link->now;
    int64_t rate = cad_link_rate(link);
    if (rate == 0) return link->period_end;
    need = need * link->flows - (cad_i128)link->rest;
    cad_i128 room = (cad_i128)(link->period_end - link->now) * rate;
    if (need >= room) return link->period_end;
    /* need < room, and a period is far under 2^63 ns: the quotient fits. */
    if (need <= INT64_MAX - rate) return link->now + ((int64_t)need + rate - 1) / rate;
    return link->now + (cad_time)((need + rate - 1) / rate);
}
