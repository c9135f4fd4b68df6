/*
 * The plain rule: a share of the estimate, with the buffer deciding how strictly it is meant.
 * What it does, in the order of the tests, is in docs/abr.md; each test has one function here.
 */
#include "abr/estimate.h"
#include "abr/ladder.h"
#include "base/checked.h"
#include "base/mem.h"
#include "base/util.h"

struct hybrid {
    struct cad_alloc alloc;
    struct cad_abr_config config;
    struct cad_abr_estimate estimate;
    cad_time raised_at;   /* when the last rung above its predecessor was asked for; NONE never */
    cad_time chosen_at;   /* of the choice before; NONE none */
    int32_t rung_seen;    /* rung_last of the choice before; -1 none */
    cad_time stalled_at;  /* a stall that no transfer has answered yet; NONE none */
    bool filled;          /* since the start, seek or stall the buffer has been above panic */
};

/* One choice on its way. */
struct question {
    const struct cad_abr_state *state;
    struct cad_abr_ladder ladder;
    bool has_last;
    uint32_t last;        /* place of the rung in use; 0 if there is none */
    cad_time panic;       /* the buffer below which it is nearly empty */
    int64_t estimate_bps;
    int64_t usable_bps;   /* the estimate less the margin and the time lost to first bytes */
};

static int hybrid_create(const struct cad_alloc *alloc, const struct cad_abr_config *config,
                         void **self)
{
    struct hybrid *h = cad_alloc_new(alloc, sizeof(*h), CAD_MEM_SESSION);
    if (!h) return CAD_E_NOMEM;
    h->alloc = *alloc;
    h->config = *config;
    cad_abr_estimate_init(&h->estimate, config);
    h->raised_at = h->chosen_at = h->stalled_at = CAD_TIME_NONE;
    h->rung_seen = -1;
    *self = h;
    return CAD_OK;
}

static void hybrid_destroy(void *self)
{
    struct hybrid *h = self;
    struct cad_alloc alloc = h->alloc;
    cad_alloc_free(&alloc, h, sizeof(*h), CAD_MEM_SESSION);
}

static void hybrid_observe(void *self, const struct cad_abr_transfer *transfer)
{
    struct hybrid *h = self;
    cad_abr_estimate_add(&h->estimate, transfer);
    bool answers = transfer->complete && !transfer->audio;
    if (answers && h->stalled_at != CAD_TIME_NONE && transfer->start >= h->stalled_at) {
        h->stalled_at = CAD_TIME_NONE;
    }
}

static void hybrid_note(void *self, enum cad_abr_note note, cad_time now)
{
    struct hybrid *h = self;
    switch (note) {
    case CAD_ABR_NOTE_PLAY: h->stalled_at = CAD_TIME_NONE; break;
    case CAD_ABR_NOTE_STALL:
        h->stalled_at = now;
        h->filled = false;
        break;
    case CAD_ABR_NOTE_SEEK:
        h->stalled_at = CAD_TIME_NONE;
        h->filled = false;
        break;
    case CAD_ABR_NOTE_NETWORK: cad_abr_estimate_reset(&h->estimate); break;
    }
}

static int64_t hybrid_estimate_bps(const void *self, cad_time now)
{
    const struct hybrid *h = self;
    CAD_UNUSED(now);
    return cad_abr_estimate_get(&h->estimate);
}

/*
 * What happened since the choice before, read off the state: a choice that was never acted upon (no
 * room, a later turn asks again) leaves rung_last as it was and so counts as nothing.
 */
static void catch_up(struct hybrid *h, const struct question *q)
{
    const struct cad_abr_state *s = q->state;
    if (s->rung_last >= 0 && h->rung_seen >= 0 && s->rung_last > h->rung_seen) {
        h->raised_at = h->chosen_at;
    }
    h->rung_seen = s->rung_last;
    h->chosen_at = s->now;
    if (s->playing && s->buffer >= q->panic) h->filled = true;
}

static void ask(const struct hybrid *h, const struct cad_abr_state *s, struct question *q)
{
    q->state = s;
    cad_abr_ladder_init(&q->ladder, s->rungs, s->rung_count);
    q->has_last = s->rung_last >= 0;
    q->last = q->has_last ? cad_abr_ladder_at_or_below(&q->ladder, (uint32_t)s->rung_last) : 0;
    q->panic = CAD_MIN(h->config.panic_buffer, s->buffer_target / 2);
    q->estimate_bps = cad_abr_estimate_get(&h->estimate);
    q->usable_bps = cad_muldiv_floor_i64(q->estimate_bps, h->config.safety_permille, 1000);
    if (s->segment_duration > 0) {
        /* Requests follow one another: each spends its first moments waiting. At most half. */
        cad_time lost = CAD_MIN(cad_abr_estimate_ttfb(&h->estimate), s->segment_duration / 2);
        q->usable_bps =
            cad_muldiv_floor_i64(q->usable_bps, s->segment_duration - lost, s->segment_duration);
    }
}

static bool is_rich(const struct question *q)
{
    return q->state->buffer >= q->state->buffer_target / 2;
}

/* Without an estimate: what is cheap, but not above what is shown, unless the buffer is rich. */
static uint32_t without_estimate(const struct hybrid *h, const struct question *q)
{
    if (q->has_last && is_rich(q)) return q->last;
    /* Nothing is known of the link: cheap in itself, and in the lower half of what there is. */
    uint32_t start = cad_abr_ladder_highest(&q->ladder, h->config.start_rate_max_bps);
    start = CAD_MIN(start, (q->ladder.count - 1) / 2);
    return q->has_last ? CAD_MIN(start, q->last) : start;
}

/* The place that the estimate carries: below the margin, or held where a rich buffer bears it. */
static uint32_t carried(const struct question *q)
{
    if (!is_rich(q)) return cad_abr_ladder_highest(&q->ladder, q->usable_bps - 1);
    uint32_t fit = cad_abr_ladder_highest(&q->ladder, q->usable_bps);
    bool keeps = q->has_last && cad_abr_ladder_rate(&q->ladder, q->last) <= q->estimate_bps;
    return keeps ? CAD_MAX(fit, q->last) : fit;
}

/* Whether the next segment of a place would be in before a part of the buffer is used up. */
static bool arrives_in_time(const struct hybrid *h, const struct question *q, uint32_t place)
{
    const struct cad_abr_state *s = q->state;
    if (!s->playing) return true;
    int64_t bytes = s->size_of ? s->size_of(s->size_ctx, 0, q->ladder.place[place]) : -1;
    int64_t bits = bytes >= 0 ? cad_mul_sat_i64(bytes, 8)
                              : cad_muldiv_floor_i64(cad_abr_ladder_rate(&q->ladder, place),
                                                     s->segment_duration, CAD_SECOND);
    cad_time takes = cad_muldiv_floor_i64(bits, CAD_SECOND, CAD_MAX(q->usable_bps, 1));
    takes = cad_time_add(takes, cad_abr_estimate_ttfb(&h->estimate));
    return takes <= s->buffer / 4 * 3;
}

static uint32_t step_up(const struct hybrid *h, const struct question *q, uint32_t target,
                        enum cad_abr_reason *reason)
{
    cad_time now = q->state->now;
    if (h->raised_at != CAD_TIME_NONE && cad_time_sub(now, h->raised_at) < h->config.dwell) {
        *reason = CAD_ABR_DWELL;
        return q->last;
    }
    while (target > q->last && !arrives_in_time(h, q, target)) target--;
    *reason = target > q->last ? CAD_ABR_UP : CAD_ABR_STEADY;
    return target;
}

static uint32_t step_down(const struct hybrid *h, const struct question *q, uint32_t target,
                          enum cad_abr_reason *reason)
{
    const struct cad_abr_state *s = q->state;
    if (s->playing && s->buffer < q->panic) {
        *reason = CAD_ABR_PANIC;
        return 0;
    }
    *reason = CAD_ABR_DOWN;
    /* After a seek there is no picture to keep steady: straight to what is carried. */
    if (s->buffer < q->panic || q->last - target <= h->config.step_down_max) return target;
    return q->last - h->config.step_down_max;
}

static uint32_t decide(const struct hybrid *h, const struct question *q,
                       enum cad_abr_reason *reason)
{
    const struct cad_abr_state *s = q->state;
    *reason = CAD_ABR_ONLY;
    if (q->ladder.count == 1) return 0;
    *reason = CAD_ABR_REBUFFER;
    if (h->stalled_at != CAD_TIME_NONE) return 0;
    *reason = CAD_ABR_PANIC;
    if (h->filled && s->playing && s->buffer < q->panic) return 0;
    *reason = CAD_ABR_START;
    if (q->estimate_bps <= 0) return without_estimate(h, q);
    uint32_t target = carried(q);
    if (!q->has_last) return target;
    if (target > q->last) return step_up(h, q, target, reason);
    if (target < q->last) return step_down(h, q, target, reason);
    *reason = CAD_ABR_STEADY;
    return target;
}

static void hybrid_choose(void *self, const struct cad_abr_state *state, struct cad_abr_choice *out)
{
    struct hybrid *h = self;
    struct question q;
    ask(h, state, &q);
    catch_up(h, &q);
    uint32_t place = decide(h, &q, &out->reason);
    out->rung = q.ladder.place[place];
    out->estimate_bps = q.estimate_bps;
    out->wait = 0;
}

static const struct cad_abr_ops hybrid_ops = {
    .size = sizeof(struct cad_abr_ops),
    .name = "hybrid",
    .create = hybrid_create,
    .destroy = hybrid_destroy,
    .observe = hybrid_observe,
    .note = hybrid_note,
    .estimate_bps = hybrid_estimate_bps,
    .choose = hybrid_choose,
};

const struct cad_abr_ops *cad_abr_hybrid(void)
{
    return &hybrid_ops;
}
