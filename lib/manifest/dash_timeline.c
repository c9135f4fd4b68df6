/*
 * dash_timeline.c - when the segments of a representation are, as runs (23009-1 5.3.9.5, 5.3.9.6).
 *
 * A run is a start, a duration and a count; repeats are never written out. Bounds (the period, the
 * last number, the length of a list) cut a run by arithmetic. The published times go into runs for
 * the URLs; the index of the model has the same segments, and stays in order where the document
 * does not.
 */
#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"
#include "manifest/index.h"

#define NOW_MS_MAX INT64_C(9223372036000) /* 292 years: products with a timescale fit 128 bits */

struct builder {
    struct cad_dash *p;
    const struct cad_dash_node *node; /* for the line of an error */
    struct cad_dash_timeline *out;
    struct cad_url_run *runs;
    struct cad_index *index;
    int64_t published; /* segments before anything was cut */
    bool ends;         /* the period's end is known */
    cad_i128 end;      /* of the period behind `offset`: 10^-18 ticks */
};

/* ---- time in ticks --------------------------------------------------------------------------- */

/* A time behind the period's start in 10^-18 ticks. */
static cad_i128 in_ticks(const struct cad_dash_timeline *t, cad_dash_time time)
{
    return time * t->timescale;
}

/* How long before `time` (10^-18 ticks behind offset) the tick `start` lies. */
static cad_i128 behind(const struct cad_dash_timeline *t, int64_t start, cad_i128 time)
{
    return ((cad_i128)t->offset - start) * CAD_DASH_SECOND + time;
}

/* The time at which the document is judged, behind the start of the period. */
static cad_dash_time now_in_period(const struct cad_dash *p)
{
    int64_t ms = CAD_MIN(CAD_MAX(p->options->now_ms, 0), NOW_MS_MAX);
    cad_dash_time now = (cad_dash_time)ms * 1000000 * CAD_DASH_NANOSECOND;
    cad_dash_time zero = p->side->availability_start;
    if (zero == CAD_DASH_NONE) zero = 0;
    return now - zero - p->periods[p->period_at].start;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static int fail_limit(struct builder *b)
{
    return cad_dash_fail_limit(b->p, b->node, "too many segments");
}

/* Appends what is left of a run after cutting; contiguous runs become one. */
static int append(struct builder *b, struct cad_url_run run, uint32_t count)
{
    struct cad_dash_timeline *t = b->out;
    int rc = cad_index_add_run(b->index, run.start, run.duration, count);
    if (rc == CAD_E_NOMEM) return cad_dash_fail_memory(b->p);
    if (rc == CAD_E_LIMIT) return fail_limit(b);
    if (rc != 0) return cad_dash_fail(b->p, b->node, "timeline", "a segment past the end of time");
    if (t->run_count > 0) {
        const struct cad_url_run *last = &b->runs[t->run_count - 1];
        int64_t ahead = t->count - last->first;
        bool follows = last->duration == run.duration && last->number + ahead == run.number &&
                       last->item + ahead == run.item &&
                       last->start + ahead * last->duration == run.start;
        if (follows) {
            t->count += count;
            return CAD_OK;
        }
    }
    run.first = t->count;
    b->runs[t->run_count++] = run;
    t->count += count;
    return CAD_OK;
}

/* The part of a run that is inside the period, the numbers and the list. */
static int add_run(struct builder *b, struct cad_url_run run, cad_i128 count)
{
    const struct cad_dash_timeline *t = b->out;
    cad_i128 unit = (cad_i128)run.duration * CAD_DASH_SECOND;
    cad_i128 low = 0;
    if (count > CAD_DASH_SEGMENTS_MAX - b->published) return fail_limit(b);
    b->published += (int64_t)count;
    cad_i128 high = count;
    if (run.start < t->offset) low = ((cad_i128)t->offset - run.start) / run.duration;
    if (b->ends) high = CAD_MIN(high, cad_dash_div_up(behind(t, run.start, b->end), unit));
    if (t->end_number >= 0) high = CAD_MIN(high, (cad_i128)t->end_number - run.number + 1);
    if (t->items != UINT32_MAX) high = CAD_MIN(high, (cad_i128)t->items - run.item);
    if (low >= high) return CAD_OK;
    int64_t skip = (int64_t)low;
    int64_t offset = 0;
    if (!cad_mul_i64(run.duration, skip, &offset) || !cad_add_i64(run.start, offset, &run.start) ||
        !cad_add_i64(run.number, skip, &run.number)) {
        return cad_dash_fail(b->p, b->node, "timeline", "a segment past the end of time");
    }
    run.item += (uint32_t)skip;
    return append(b, run, (uint32_t)(high - low));
}

/* ---- SegmentTimeline ------------------------------------------------------------------------- */

/* How many segments a negative @r stands for. */
static cad_i128 fill_count(const struct builder *b, const struct cad_dash_s *s, int64_t start,
                           int64_t number, bool is_last)
{
    const struct cad_dash_timeline *t = b->out;
    cad_i128 unit = (cad_i128)s->d * CAD_DASH_SECOND;
    cad_i128 count = 0;
    if (!is_last) {
        count = cad_dash_div_up((cad_i128)s[1].t - start, s->d);
    } else if (b->ends) {
        count = cad_dash_div_up(behind(t, start, b->end), unit);
    } else if (b->p->model->presentation.live) {
        cad_i128 now = in_ticks(t, now_in_period(b->p));
        count = cad_dash_div_down(behind(t, start, now), unit);
    } else if (t->end_number >= 0) {
        count = (cad_i128)t->end_number - number + 1;
    }
    return CAD_MAX(count, 0);
}

static int add_timeline(struct builder *b, const struct cad_dash_node *timeline)
{
    int64_t at = 0;
    int64_t number = b->out->first_number;
    cad_i128 item = 0;
    for (uint32_t i = 0; i < timeline->s_count; i++) {
        const struct cad_dash_s *s = &timeline->s[i];
        bool is_last = i + 1 == timeline->s_count;
        if (s->t >= 0) at = s->t;
        if (s->n >= 0) number = s->n;
        cad_i128 count = s->r < 0 ? fill_count(b, s, at, number, is_last) : s->r + 1;
        struct cad_url_run run = {at, s->d, number, 0, (uint32_t)item};
        int rc = count > 0 ? add_run(b, run, count) : CAD_OK;
        if (rc != 0) return rc;
        int64_t span = 0;
        bool fits = cad_mul_i64(s->d, (int64_t)count, &span) && cad_add_i64(at, span, &at) &&
                    cad_add_i64(number, (int64_t)count, &number);
        if (!fits) {
            return cad_dash_fail(b->p, b->node, "timeline", "a segment past the end of time");
        }
        item += count;
    }
    return CAD_OK;
}

/* ---- @duration ------------------------------------------------------------------------------- */

static int add_durations(struct builder *b)
{
    const struct cad_dash_timeline *t = b->out;
    const struct cad_dash *p = b->p;
    cad_i128 unit = (cad_i128)t->duration * CAD_DASH_SECOND;
    cad_i128 low = 0;
    cad_i128 high = -1;
    if (b->ends) high = cad_dash_div_up(b->end, unit);
    if (t->whole) {
        high = 1;
    } else if (p->model->presentation.live) {
        cad_dash_time now = now_in_period(p);
        cad_i128 complete = cad_dash_div_down(in_ticks(t, now), unit);
        high = high < 0 ? complete : CAD_MIN(high, complete);
        if (p->side->time_shift_depth != CAD_DASH_NONE) {
            low = cad_dash_div_down(in_ticks(t, now - p->side->time_shift_depth), unit);
        }
    } else if (high < 0 && t->end_number >= 0) {
        high = (cad_i128)t->end_number - t->first_number + 1;
    } else if (high < 0 && t->items != UINT32_MAX) {
        high = t->items;
    }
    low = CAD_MAX(low, 0);
    if (low >= high) return CAD_OK;
    cad_i128 start = t->offset + low * t->duration;
    cad_i128 number = t->first_number + low;
    if (high - low > CAD_DASH_SEGMENTS_MAX) return fail_limit(b);
    if (start > INT64_MAX || number > INT64_MAX || (t->items != UINT32_MAX && low >= t->items)) {
        return CAD_OK;
    }
    struct cad_url_run run = {(int64_t)start, t->duration, (int64_t)number, 0,
                              t->items == UINT32_MAX ? 0 : (uint32_t)low};
    return add_run(b, run, high - low);
}

/*
 * The last segment ends with the period. The index says so in whole ticks, rounded up; who wants it
 * exact cuts at the period's end.
 */
static int cut_last(struct builder *b)
{
    struct cad_dash_timeline *t = b->out;
    if (!b->ends || t->count == 0) return CAD_OK;
    const struct cad_url_run *run = &b->runs[t->run_count - 1];
    int64_t before = t->count - 1 - run->first;
    int64_t start = run->start + before * run->duration;
    cad_i128 rest = cad_dash_div_up(behind(t, start, b->end), CAD_DASH_SECOND);
    if (rest <= 0 || rest >= run->duration) return CAD_OK;
    struct cad_index *index = NULL;
    int rc = cad_index_create(&b->p->options->alloc, t->timescale, -1, &index);
    if (rc == 0 && before > 0) {
        rc = cad_index_add_run(index, run->start, run->duration, (uint32_t)before);
    }
    if (rc == 0) rc = cad_index_add_run(index, start, (int64_t)rest, 1);
    if (rc != 0) {
        cad_index_destroy(&index);
        return cad_dash_fail_memory(b->p);
    }
    cad_index_destroy(&b->index);
    b->index = index;
    return CAD_OK;
}

/* ---- the timeline ---------------------------------------------------------------------------- */

static bool is_same(const struct cad_dash_timeline *a, const struct cad_dash_timeline *b)
{
    return a->source == b->source && a->duration == b->duration && a->offset == b->offset &&
           a->first_number == b->first_number && a->end_number == b->end_number &&
           a->timescale == b->timescale && a->items == b->items && a->whole == b->whole;
}

static int build(struct builder *b, const struct cad_dash_node *timeline)
{
    struct cad_dash *p = b->p;
    uint32_t most = timeline ? timeline->s_count : 1;
    b->runs = cad_arena_array(&p->model->arena, struct cad_url_run, CAD_MAX(most, 1));
    if (!b->runs) return cad_dash_fail_memory(p);
    if (cad_index_create(&p->options->alloc, b->out->timescale, -1, &b->index) != 0) {
        return cad_dash_fail_memory(p);
    }
    p->cost += most;
    int rc = timeline ? add_timeline(b, timeline) : add_durations(b);
    if (rc == 0 && !timeline) rc = cut_last(b);
    if (rc != 0) return rc;
    if (cad_model_own(p->model, b->index) != 0) return cad_dash_fail_memory(p);
    b->out->index = b->index;
    b->out->runs = b->runs;
    b->index = NULL;
    uint64_t bytes = cad_arena_bytes(&p->model->arena) + p->model->index_bytes;
    if (bytes <= CAD_DASH_MODEL_BYTES_MAX) return CAD_OK;
    return cad_dash_fail_limit(p, b->node, "the model becomes too large");
}

int cad_dash_timeline(struct cad_dash *p, const struct cad_dash_node *at,
                      const struct cad_dash_timeline *key)
{
    const struct cad_dash_period *period = &p->periods[p->period_at];
    if (p->timeline.source && is_same(&p->timeline, key)) return CAD_OK;
    p->timeline = *key;
    struct builder b = {.p = p, .node = at, .out = &p->timeline};
    b.ends = period->duration != CAD_DASH_NONE;
    if (b.ends) b.end = in_ticks(key, period->duration);
    int rc = build(&b, key->duration > 0 ? NULL : key->source);
    if (rc == 0) return CAD_OK;
    cad_index_destroy(&b.index);
    p->timeline.source = NULL;
    return rc;
}
