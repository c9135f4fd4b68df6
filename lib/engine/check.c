/* Invariants of a session, tested after every turn in tests, fuzzing and simulation. */
#include <string.h>

#include "base/checked.h"
#include "base/util.h"
#include "engine/session.h"

static const char *check_segment(const struct slot *s, const struct segment *seg)
{
    if (seg->rep >= s->rep_count || !s->reps[seg->rep]) {
        return "a segment belongs to a representation";
    }
    if (!seg->sized && seg->ref && seg->have > (int64_t)cad_ref_size(seg->ref)) {
        return "a segment of unknown size lies inside its buffer";
    }
    if (!seg->sized) return NULL;
    if (seg->size <= 0 || seg->have < 0 || seg->have > seg->size) return "0 <= have <= size";
    if (seg->end < seg->start) return "a segment does not end before it starts";
    if (seg->media < seg->start) return "a segment has no media before it starts";
    if (seg->have > 0 && !seg->ref) return "bytes that are there are somewhere";
    if (seg->ref && seg->ref_offset + (size_t)seg->have > cad_ref_size(seg->ref)) {
        return "a segment lies inside its buffer";
    }
    if (seg->request && segment_whole(seg) && seg->request->state != CAD_FETCH_IN_FLIGHT) {
        return "a whole segment is not asked for";
    }
    if (seg->request && request_target(seg->request)->serial != seg->serial) {
        return "a request knows its segment";
    }
    return NULL;
}

static const char *check_queue(const struct slot *s)
{
    size_t count = queue_count(s);
    for (size_t i = 0; i < count; i++) {
        const struct segment *seg = queue_at(s, i);
        const char *broken = check_segment(s, seg);
        if (broken) return broken;
        if (i + 1 < count && seg->request) return "only the tail is being fetched";
        if (i + 1 < count && !segment_whole(seg)) return "only the tail is not whole";
        if (i == 0) continue;
        const struct segment *before = queue_at(s, i - 1);
        if (seg->serial != before->serial + 1) return "serials rise by one";
        if (seg->start != before->end) return "the queue is contiguous in time";
    }
    if (count && queue_at(s, count - 1)->serial + 1 != s->serial_next) return "the next serial";
    if (s->cursor > s->serial_next) return "nobody pulls ahead of the queue";
    if (count && s->cursor < queue_at(s, 0)->serial) return "what is pulled is not evicted";
    return NULL;
}

static const char *check_requests(const struct cad_engine *e)
{
    uint32_t running = 0;
    uint32_t used = 0;
    uint32_t live = 0;
    for (size_t i = 0; i < CAD_ARRAY_LEN(e->targets); i++) {
        if (!e->targets[i].used) continue;
        used++;
        if (e->targets[i].running) running++;
    }
    if (running != e->busy_count) return "transfers that are counted are running";
    while (cad_fetch_at(e->fetch, live)) live++;
    if (live != used) return "every live request has a target";
    return NULL;
}

static const char *check_state(const struct cad_engine *e)
{
    const struct clock_part *c = &e->clock;
    if (c->stalled && c->state != CAD_STATE_BUFFERING && c->state != CAD_STATE_FAILED) {
        return "a stall is a kind of buffering";
    }
    if (c->state == CAD_STATE_PLAYING && !e->slots[0].present && !e->slots[1].present) {
        return "what plays has tracks";
    }
    if (c->state == CAD_STATE_PLAYING && c->sent.epoch != c->epoch) {
        return "the sink knows the epoch that plays";
    }
    if (cad_fetch_in_flight_bytes(e->fetch) > e->config.ceiling_bytes) {
        return "bytes in flight fit the ceiling";
    }
    if (cad_budget_used(&e->budget) > e->config.ceiling_bytes + ENGINE_MEMORY_OVERHEAD) {
        return "memory fits its budget";
    }
    return NULL;
}

const char *engine_check(struct cad_engine *e)
{
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (!e->slots[i].present) continue;
        const char *broken = check_queue(&e->slots[i]);
        if (broken) return broken;
    }
    const char *broken = check_requests(e);
    return broken ? broken : check_state(e);
}
