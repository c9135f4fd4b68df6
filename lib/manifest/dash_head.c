/*
 * dash_head.c - what an MPD says of the whole presentation, the times of its periods, its events.
 */
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"

#define RESOLVE_TO_ZERO "urn:mpeg:dash:resolve-to-zero:2013"

/* ---- attributes of MPD ----------------------------------------------------------------------- */

/* An unreadable one counts as absent. */
static cad_dash_time lenient_duration(const struct cad_dash_node *node,
                                      enum cad_dash_attribute name)
{
    cad_dash_time value = CAD_DASH_NONE;
    (void)cad_dash_parse_duration(cad_dash_attr(node, name), &value);
    return value;
}

static cad_dash_time lenient_date(const struct cad_dash_node *node, enum cad_dash_attribute name)
{
    cad_dash_time value = CAD_DASH_NONE;
    (void)cad_dash_parse_date(cad_dash_attr(node, name), &value);
    return value;
}

static int64_t lenient_number(const struct cad_dash_node *node, enum cad_dash_attribute name)
{
    int64_t value = INT64_MIN;
    (void)cad_dash_parse_number(cad_dash_attr(node, name), &value);
    return value;
}

static cad_dash_time lenient_decimal(const struct cad_dash_node *node,
                                     enum cad_dash_attribute name)
{
    cad_dash_time value = CAD_DASH_NONE;
    (void)cad_dash_parse_decimal(cad_dash_attr(node, name), &value);
    return value;
}

static int read_times(struct cad_dash *p)
{
    const struct cad_dash_node *mpd = p->root;
    struct cad_dash_side *side = p->side;
    cad_str start = cad_dash_attr(mpd, CAD_DASH_AT_AVAILABILITY_START_TIME);
    side->duration = CAD_DASH_NONE;
    side->availability_start = CAD_DASH_NONE;
    int rc = cad_dash_get_duration(p, mpd, CAD_DASH_AT_MEDIA_PRESENTATION_DURATION,
                                   &side->duration);
    if (rc < 0) return rc;
    if (start.p && !cad_dash_parse_date(start, &side->availability_start)) {
        return cad_dash_unreadable(p, mpd, CAD_DASH_AT_AVAILABILITY_START_TIME);
    }
    side->availability_end = lenient_date(mpd, CAD_DASH_AT_AVAILABILITY_END_TIME);
    side->publish_time = lenient_date(mpd, CAD_DASH_AT_PUBLISH_TIME);
    side->min_buffer = lenient_duration(mpd, CAD_DASH_AT_MIN_BUFFER_TIME);
    side->time_shift_depth = lenient_duration(mpd, CAD_DASH_AT_TIME_SHIFT_BUFFER_DEPTH);
    side->suggested_delay = lenient_duration(mpd, CAD_DASH_AT_SUGGESTED_PRESENTATION_DELAY);
    side->min_update = lenient_duration(mpd, CAD_DASH_AT_MINIMUM_UPDATE_PERIOD);
    side->max_segment = lenient_duration(mpd, CAD_DASH_AT_MAX_SEGMENT_DURATION);
    p->model->presentation.live = cad_str_eq(cad_str_trim(cad_dash_attr(mpd, CAD_DASH_AT_TYPE)),
                                             CAD_STR("dynamic"));
    return cad_dash_split(p, cad_dash_attr(mpd, CAD_DASH_AT_PROFILES), ",", &side->profiles);
}

/* ---- children of MPD ------------------------------------------------------------------------- */

static int read_locations(struct cad_dash *p)
{
    uint32_t n = cad_dash_count(p->root, CAD_DASH_LOCATION);
    if (n == 0) return CAD_OK;
    cad_str *items = cad_arena_array(&p->model->arena, cad_str, n);
    if (!items) return cad_dash_fail_memory(p);
    p->side->locations = (struct cad_dash_texts){items, n};
    const struct cad_dash_node *node = cad_dash_child(p->root, CAD_DASH_LOCATION);
    for (; node; node = cad_dash_next(node)) {
        int rc = cad_dash_resolve(p, p->options->base_url, node->text, items++);
        if (rc != 0) return rc;
    }
    return CAD_OK;
}

static int read_patches(struct cad_dash *p)
{
    uint32_t n = cad_dash_count(p->root, CAD_DASH_PATCH_LOCATION);
    if (n == 0) return CAD_OK;
    struct cad_dash_patch *items = cad_arena_array(&p->model->arena, struct cad_dash_patch, n);
    if (!items) return cad_dash_fail_memory(p);
    p->side->patches = items;
    p->side->patch_count = n;
    const struct cad_dash_node *node = cad_dash_child(p->root, CAD_DASH_PATCH_LOCATION);
    for (; node; node = cad_dash_next(node), items++) {
        items->ttl = lenient_decimal(node, CAD_DASH_AT_TTL);
        int rc = cad_dash_resolve(p, p->options->base_url, node->text, &items->url);
        if (rc != 0) return rc;
    }
    return CAD_OK;
}

static int read_steering(struct cad_dash *p)
{
    const struct cad_dash_node *node = cad_dash_child(p->root, CAD_DASH_CONTENT_STEERING);
    struct cad_dash_side *side = p->side;
    bool failed = false;
    if (!node) return CAD_OK;
    cad_str before = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_QUERY_BEFORE_START));
    cad_str proxy = cad_dash_attr(node, CAD_DASH_AT_PROXY_SERVER_URL);
    side->has_steering = true;
    side->steering_query = cad_str_eq(before, CAD_STR("true")) || cad_str_eq(before, CAD_STR("1"));
    side->steering_default = cad_dash_keep(
        p, cad_dash_attr(node, CAD_DASH_AT_DEFAULT_SERVICE_LOCATION), &failed);
    if (failed) return cad_dash_fail_memory(p);
    int rc = cad_dash_resolve(p, p->options->base_url, node->text, &side->steering_url);
    if (rc == 0 && proxy.n > 0) {
        rc = cad_dash_resolve(p, p->options->base_url, proxy, &side->steering_proxy);
    }
    return rc;
}

static int read_services(struct cad_dash *p)
{
    uint32_t n = cad_dash_count(p->root, CAD_DASH_SERVICE_DESCRIPTION);
    bool failed = false;
    if (n == 0) return CAD_OK;
    struct cad_dash_service *items = cad_arena_array(&p->model->arena, struct cad_dash_service, n);
    if (!items) return cad_dash_fail_memory(p);
    p->side->services = items;
    p->side->service_count = n;
    const struct cad_dash_node *node = cad_dash_child(p->root, CAD_DASH_SERVICE_DESCRIPTION);
    for (; node; node = cad_dash_next(node), items++) {
        const struct cad_dash_node *latency = cad_dash_child(node, CAD_DASH_LATENCY);
        const struct cad_dash_node *rate = cad_dash_child(node, CAD_DASH_PLAYBACK_RATE);
        items->id = cad_dash_keep(p, cad_dash_attr(node, CAD_DASH_AT_ID), &failed);
        items->latency_target = lenient_number(latency, CAD_DASH_AT_TARGET);
        items->latency_min = lenient_number(latency, CAD_DASH_AT_MIN);
        items->latency_max = lenient_number(latency, CAD_DASH_AT_MAX);
        items->rate_min = lenient_decimal(rate, CAD_DASH_AT_MIN);
        items->rate_max = lenient_decimal(rate, CAD_DASH_AT_MAX);
    }
    return failed ? cad_dash_fail_memory(p) : CAD_OK;
}

static int read_bases(struct cad_dash *p)
{
    struct cad_dash_base *own = cad_arena_new(&p->model->arena, struct cad_dash_base);
    bool failed = false;
    if (!own) return cad_dash_fail_memory(p);
    own->url = cad_dash_keep(p, p->options->base_url, &failed);
    own->service_location = CAD_STR("");
    own->time_offset = CAD_DASH_NONE;
    if (failed) return cad_dash_fail_memory(p);
    struct cad_dash_bases document = {own, 1};
    return cad_dash_bases(p, p->root, &document, &p->mpd_bases);
}

int cad_dash_head(struct cad_dash *p)
{
    p->model->presentation.format = CAD_FORMAT_DASH;
    p->side = cad_arena_new(&p->model->arena, struct cad_dash_side);
    p->servers = cad_arena_array(&p->scratch, struct cad_server, CAD_DASH_SERVERS_MAX);
    if (!p->side || !p->servers) return cad_dash_fail_memory(p);
    p->model->dash = p->side;
    bool failed = false;
    p->model->presentation.id = cad_dash_keep(p, cad_dash_attr(p->root, CAD_DASH_AT_ID), &failed);
    p->model->presentation.context_id = CAD_STR("");
    if (failed) return cad_dash_fail_memory(p);
    int rc = read_times(p);
    if (rc == 0) rc = read_bases(p);
    if (rc == 0) rc = read_locations(p);
    if (rc == 0) rc = read_patches(p);
    if (rc == 0) rc = read_steering(p);
    if (rc == 0) rc = read_services(p);
    if (rc == 0) {
        rc = cad_dash_descriptors(p, p->root, CAD_DASH_UTC_TIMING, &p->side->utc_timing);
    }
    return rc;
}

/* ---- periods (5.3.2.1) ----------------------------------------------------------------------- */

/* Start and own duration; the start follows from the period before where it is not given. */
static int period_start(struct cad_dash *p, const struct cad_dash_node *node, uint32_t at)
{
    struct cad_dash_period *period = &p->periods[at];
    period->start = CAD_DASH_NONE;
    period->duration = CAD_DASH_NONE;
    int rc = cad_dash_get_duration(p, node, CAD_DASH_AT_START, &period->start);
    if (rc >= 0) rc = cad_dash_get_duration(p, node, CAD_DASH_AT_DURATION, &period->duration);
    if (rc < 0) return rc;
    if (at == 0) {
        if (period->start == CAD_DASH_NONE) period->start = 0;
        return CAD_OK;
    }
    const struct cad_dash_period *before = &p->periods[at - 1];
    if (period->start == CAD_DASH_NONE) {
        if (before->duration == CAD_DASH_NONE) {
            return cad_dash_fail(p, node, "period", "a period of unknown start");
        }
        period->start = before->start + before->duration;
    }
    if (cad_dash_to_time(period->start) == INT64_MAX) {
        return cad_dash_fail(p, node, "period", "a period that starts too late");
    }
    if (period->start < before->start) {
        return cad_dash_fail(p, node, "period", "a period before the one that precedes it");
    }
    return CAD_OK;
}

/* By the next period, by the end of the presentation, by its own word. */
static void period_lengths(struct cad_dash *p)
{
    uint32_t n = p->side->period_count;
    struct cad_dash_side *side = p->side;
    for (uint32_t i = 0; i < n; i++) {
        struct cad_dash_period *period = &p->periods[i];
        if (i + 1 < n) {
            period->duration = p->periods[i + 1].start - period->start;
        } else if (side->duration != CAD_DASH_NONE) {
            cad_dash_time rest = side->duration - period->start;
            period->duration = CAD_MAX(rest, 0);
        }
    }
    const struct cad_dash_period *last = &p->periods[n - 1];
    if (side->duration == CAD_DASH_NONE && !p->model->presentation.live &&
        last->duration != CAD_DASH_NONE) {
        side->duration = last->start + last->duration;
    }
    p->model->presentation.duration = cad_dash_to_time(side->duration);
}

static bool is_removed(const struct cad_dash_node *node)
{
    cad_str href = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_XLINK_HREF));
    return cad_str_eq(href, CAD_STR(RESOLVE_TO_ZERO));
}

int cad_dash_times(struct cad_dash *p)
{
    uint32_t most = cad_dash_count(p->root, CAD_DASH_PERIOD);
    p->period_nodes = cad_arena_array(&p->scratch, const struct cad_dash_node *, most + 1);
    p->periods = cad_arena_array(&p->model->arena, struct cad_dash_period, most + 1);
    p->model_periods = cad_arena_array(&p->model->arena, struct cad_period, most + 1);
    if (!p->period_nodes || !p->periods || !p->model_periods) return cad_dash_fail_memory(p);
    p->side->periods = p->periods;
    p->model->presentation.periods = p->model_periods;
    const struct cad_dash_node *node = cad_dash_child(p->root, CAD_DASH_PERIOD);
    for (; node; node = cad_dash_next(node)) {
        if (is_removed(node)) continue;
        int rc = period_start(p, node, p->side->period_count);
        if (rc != 0) return rc;
        p->period_nodes[p->side->period_count++] = node;
    }
    if (p->side->period_count == 0) return cad_dash_fail(p, p->root, "period", "no Period");
    p->cost += p->side->period_count;
    period_lengths(p);
    return CAD_OK;
}

/* ---- events (5.10) --------------------------------------------------------------------------- */

/* ticks / timescale of a number that was read; NONE for one that was not. */
static cad_dash_time seconds(int64_t ticks, int64_t timescale)
{
    if (ticks == INT64_MIN) return CAD_DASH_NONE;
    return (cad_dash_time)ticks * CAD_DASH_SECOND / timescale;
}

static int read_events(struct cad_dash *p, const struct cad_dash_node *node,
                       const struct cad_dash_period *period, struct cad_dash_event_stream *out)
{
    bool failed = false;
    int64_t scale = out->timescale > 0 ? out->timescale : 1;
    int64_t offset = lenient_number(node, CAD_DASH_AT_PRESENTATION_TIME_OFFSET);
    uint32_t n = cad_dash_count(node, CAD_DASH_EVENT);
    if (n == 0) return CAD_OK;
    struct cad_dash_event *items = cad_arena_array(&p->model->arena, struct cad_dash_event, n);
    if (!items) return cad_dash_fail_memory(p);
    out->events = items;
    out->event_count = n;
    p->cost += n;
    const struct cad_dash_node *event = cad_dash_child(node, CAD_DASH_EVENT);
    for (; event; event = cad_dash_next(event), items++) {
        int64_t at = lenient_number(event, CAD_DASH_AT_PRESENTATION_TIME);
        if (at == INT64_MIN) at = 0;
        if (offset != INT64_MIN) at -= offset;
        items->id = cad_dash_keep(p, cad_dash_attr(event, CAD_DASH_AT_ID), &failed);
        items->start = period->start + seconds(at, scale);
        items->duration = seconds(lenient_number(event, CAD_DASH_AT_DURATION), scale);
    }
    return failed ? cad_dash_fail_memory(p) : CAD_OK;
}

int cad_dash_events(struct cad_dash *p, const struct cad_dash_node *node,
                    struct cad_dash_period *out)
{
    uint32_t n = cad_dash_count(node, CAD_DASH_EVENT_STREAM);
    bool failed = false;
    if (n == 0) return CAD_OK;
    struct cad_dash_event_stream *items = cad_arena_array(&p->model->arena,
                                                          struct cad_dash_event_stream, n);
    if (!items) return cad_dash_fail_memory(p);
    out->event_streams = items;
    out->event_stream_count = n;
    const struct cad_dash_node *stream = cad_dash_child(node, CAD_DASH_EVENT_STREAM);
    for (; stream; stream = cad_dash_next(stream), items++) {
        items->scheme.scheme = cad_dash_keep(p, cad_dash_attr(stream, CAD_DASH_AT_SCHEME_ID_URI),
                                             &failed);
        items->scheme.value = cad_dash_keep(p, cad_dash_attr(stream, CAD_DASH_AT_VALUE), &failed);
        items->timescale = lenient_number(stream, CAD_DASH_AT_TIMESCALE);
        int rc = failed ? cad_dash_fail_memory(p) : read_events(p, stream, out, items);
        if (rc != 0) return rc;
    }
    return CAD_OK;
}
