/*
 * dash_segments.c - where the segments of a representation are (23009-1 5.3.9).
 *
 * The innermost level that has SegmentTemplate, SegmentList or SegmentBase decides which it is; its
 * attributes come one by one from the representation, the set or the period, whichever is the first
 * to give one, and its child elements as a whole.
 */
#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"

#define LEVELS 3 /* representation, set, period */

struct info {
    struct cad_dash *p;
    enum cad_dash_element kind; /* CAD_DASH_UNKNOWN: none of the three */
    const struct cad_dash_node *at[LEVELS]; /* NULL: that level has none */
    const struct cad_dash_node *first;      /* the innermost: for the line of an error */
};

/* ---- levels ---------------------------------------------------------------------------------- */

static enum cad_dash_element kind_of(const struct cad_dash_node *level)
{
    static const enum cad_dash_element kinds[] = {CAD_DASH_SEGMENT_TEMPLATE, CAD_DASH_SEGMENT_LIST,
                                                  CAD_DASH_SEGMENT_BASE};
    for (size_t i = 0; i < CAD_ARRAY_LEN(kinds); i++) {
        if (cad_dash_child(level, kinds[i])) return kinds[i];
    }
    return CAD_DASH_UNKNOWN;
}

static struct info gather(struct cad_dash *p, const struct cad_dash_node *rep)
{
    struct info info = {.p = p, .first = rep};
    const struct cad_dash_node *level = rep;
    for (int i = 0; i < LEVELS; i++, level = level->parent) {
        if (info.kind == CAD_DASH_UNKNOWN) info.kind = kind_of(level);
        if (info.kind == CAD_DASH_UNKNOWN) continue;
        info.at[i] = cad_dash_child(level, info.kind);
        if (info.first == rep && info.at[i]) info.first = info.at[i];
    }
    return info;
}

/* The innermost element that gives an attribute; NULL none. */
static const struct cad_dash_node *giver(const struct info *info, enum cad_dash_attribute name)
{
    for (int i = 0; i < LEVELS; i++) {
        if (cad_dash_attr(info->at[i], name).p) return info->at[i];
    }
    return NULL;
}

static const struct cad_dash_node *child_of(const struct info *info, enum cad_dash_element name)
{
    for (int i = 0; i < LEVELS; i++) {
        const struct cad_dash_node *child = cad_dash_child(info->at[i], name);
        if (child) return child;
    }
    return NULL;
}

static int number_of(const struct info *info, enum cad_dash_attribute name, int64_t *out)
{
    const struct cad_dash_node *node = giver(info, name);
    return node ? cad_dash_get_number(info->p, node, name, out) : 0;
}

/* ---- what all kinds share -------------------------------------------------------------------- */

static int read_clock(const struct info *info, struct cad_dash_rep *out)
{
    int64_t scale = 1;
    int64_t offset = 0;
    struct cad_dash_base base = {.time_offset = CAD_DASH_NONE};
    int rc = number_of(info, CAD_DASH_AT_TIMESCALE, &scale);
    if (rc < 0) return rc;
    out->has_timescale = rc > 0;
    if (!cad_i64_to_u32(scale, &out->r.timescale) || scale == 0) {
        return cad_dash_unreadable(info->p, info->first, CAD_DASH_AT_TIMESCALE);
    }
    rc = number_of(info, CAD_DASH_AT_PRESENTATION_TIME_OFFSET, &offset);
    if (rc < 0) return rc;
    out->r.time_offset_ticks = offset;
    out->r.time_offset_known = true;
    if (out->bases.count > 0) base = out->bases.items[0];
    rc = cad_dash_add_offset(info->p, giver(info, CAD_DASH_AT_AVAILABILITY_TIME_OFFSET),
                             giver(info, CAD_DASH_AT_AVAILABILITY_TIME_COMPLETE), &base);
    out->time_offset = base.time_offset;
    out->offset_infinite = base.offset_infinite;
    out->incomplete = base.incomplete;
    return rc;
}

static struct cad_segment_urls *new_urls(const struct info *info, const struct cad_dash_rep *rep)
{
    struct cad_segment_urls *urls = cad_arena_new(&info->p->model->arena, struct cad_segment_urls);
    if (!urls) return NULL;
    urls->id = rep->id;
    urls->bandwidth = rep->r.bandwidth_bps;
    urls->init_bytes = (struct cad_range){-1, -1};
    return urls;
}

/* An Initialization element (or RepresentationIndex): a reference, a range, or both. 1: given. */
static int read_url(const struct info *info, const struct cad_dash_node *node, cad_str *url,
                    struct cad_range *bytes)
{
    bool failed = false;
    *bytes = (struct cad_range){-1, -1};
    cad_str source = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_SOURCE_URL));
    int rc = cad_dash_get_range(info->p, node, CAD_DASH_AT_RANGE, bytes);
    if (rc < 0) return rc;
    *url = cad_dash_keep(info->p, source, &failed);
    if (failed) return cad_dash_fail_memory(info->p);
    return node && (source.n > 0 || bytes->first >= 0) ? 1 : 0;
}

/* By @initialization, else by the element. */
static int read_init(const struct info *info, struct cad_segment_urls *urls)
{
    const struct cad_dash_node *node = giver(info, CAD_DASH_AT_INITIALIZATION);
    bool failed = false;
    if (node && info->kind == CAD_DASH_SEGMENT_TEMPLATE) {
        cad_str text = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_INITIALIZATION));
        urls->init = cad_dash_keep(info->p, text, &failed);
        urls->has_init = text.n > 0;
        return failed ? cad_dash_fail_memory(info->p) : CAD_OK;
    }
    int rc = read_url(info, child_of(info, CAD_DASH_INITIALIZATION), &urls->init,
                      &urls->init_bytes);
    urls->has_init = rc > 0;
    return CAD_MIN(rc, 0);
}

static int read_index_url(const struct info *info, struct cad_dash_rep *out)
{
    const struct cad_dash_node *node = child_of(info, CAD_DASH_REPRESENTATION_INDEX);
    cad_str source = CAD_STR("");
    int rc = read_url(info, node, &source, &out->index_bytes);
    if (rc <= 0) return rc;
    if (source.n > 0) {
        return cad_dash_resolve(info->p, out->bases.items[0].url, source, &out->index_url);
    }
    out->index_url = out->bases.items[0].url;
    return CAD_OK;
}

/* ---- one resource ---------------------------------------------------------------------------- */

static void fill_header(struct cad_representation *r)
{
    if (r->index.last < 0) return;
    r->header_bytes = CAD_MAX(r->index.last, r->init.last) + 1;
}

/* SegmentBase, or none of the three: the location is the resource. */
static int one_resource(const struct info *info, struct cad_dash_rep *out)
{
    struct cad_representation *r = &out->r;
    struct cad_segment_urls *urls = new_urls(info, out);
    if (!urls) return cad_dash_fail_memory(info->p);
    const struct cad_dash_node *node = giver(info, CAD_DASH_AT_INDEX_RANGE);
    int rc = node ? cad_dash_get_range(info->p, node, CAD_DASH_AT_INDEX_RANGE, &r->index) : 0;
    if (rc >= 0) rc = read_init(info, urls);
    if (rc < 0) return rc;
    out->index_range = r->index;
    out->shows_url = true;
    out->has_init = urls->has_init;
    r->addressing = r->index.first >= 0 ? CAD_ADDRESSING_INDEXED : CAD_ADDRESSING_SINGLE;
    if (urls->has_init && urls->init.n == 0) {
        r->init = urls->init_bytes;
    } else if (urls->has_init) {
        r->urls = urls;
    }
    fill_header(r);
    return CAD_OK;
}

/* ---- many segments --------------------------------------------------------------------------- */

static int read_items(const struct info *info, struct cad_segment_urls *urls)
{
    struct cad_dash *p = info->p;
    const struct cad_dash_node *node = child_of(info, CAD_DASH_SEGMENT_URL);
    uint32_t n = node ? cad_dash_count(node->parent, CAD_DASH_SEGMENT_URL) : 0;
    bool failed = false;
    if (n == 0) return CAD_OK;
    struct cad_url_item *items = cad_arena_array(&p->model->arena, struct cad_url_item, n);
    if (!items) return cad_dash_fail_memory(p);
    urls->items = items;
    urls->item_count = n;
    p->cost += n;
    for (; node; node = cad_dash_next(node), items++) {
        items->bytes = (struct cad_range){-1, -1};
        int rc = cad_dash_get_range(p, node, CAD_DASH_AT_MEDIA_RANGE, &items->bytes);
        if (rc < 0) return rc;
        cad_str media = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_MEDIA));
        items->url = cad_dash_keep(p, media, &failed);
    }
    return failed ? cad_dash_fail_memory(p) : CAD_OK;
}

/* Which timeline: 1 there is one, 0 the segment is as long as the period. */
static int read_key(const struct info *info, const struct cad_dash_rep *rep,
                    struct cad_dash_timeline *key)
{
    const struct cad_dash_node *timeline = child_of(info, CAD_DASH_SEGMENT_TIMELINE);
    const struct cad_dash_node *lasting = giver(info, CAD_DASH_AT_DURATION);
    *key = (struct cad_dash_timeline){.source = timeline,
                                      .offset = rep->r.time_offset_ticks,
                                      .timescale = rep->r.timescale,
                                      .first_number = 1,
                                      .end_number = -1,
                                      .items = UINT32_MAX};
    int rc = number_of(info, CAD_DASH_AT_START_NUMBER, &key->first_number);
    if (rc >= 0) rc = number_of(info, CAD_DASH_AT_END_NUMBER, &key->end_number);
    if (rc >= 0 && lasting) {
        rc = cad_dash_get_number(info->p, lasting, CAD_DASH_AT_DURATION, &key->duration);
        if (rc > 0 && key->duration == 0) {
            rc = cad_dash_unreadable(info->p, lasting, CAD_DASH_AT_DURATION);
        }
    }
    if (rc < 0) return rc;
    if (timeline) key->duration = 0;
    else key->source = lasting;
    return key->source ? 1 : 0;
}

/* One segment as long as the period, in whole ticks, rounded up. */
static void whole_period(const struct info *info, struct cad_dash_timeline *key)
{
    const struct cad_dash_period *period = &info->p->periods[info->p->period_at];
    key->source = info->first;
    key->whole = true;
    key->duration = INT64_MAX / 2;
    if (period->duration != CAD_DASH_NONE) {
        cad_i128 ticks = cad_dash_div_up(period->duration * key->timescale, CAD_DASH_SECOND);
        if (ticks > 0 && ticks < key->duration) key->duration = (int64_t)ticks;
    }
}

static int read_media(const struct info *info, struct cad_segment_urls *urls)
{
    const struct cad_dash_node *node = giver(info, CAD_DASH_AT_MEDIA);
    bool failed = false;
    cad_str text = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_MEDIA));
    urls->media = cad_dash_keep(info->p, text, &failed);
    return failed ? cad_dash_fail_memory(info->p) : CAD_OK;
}

static int read_index_template(const struct info *info, struct cad_dash_rep *out)
{
    const struct cad_dash_node *node = giver(info, CAD_DASH_AT_INDEX);
    bool failed = false;
    out->index_template = cad_dash_keep(info->p, cad_dash_attr(node, CAD_DASH_AT_INDEX), &failed);
    return failed ? cad_dash_fail_memory(info->p) : CAD_OK;
}

static int many_segments(const struct info *info, struct cad_dash_rep *out)
{
    struct cad_dash *p = info->p;
    struct cad_dash_timeline key;
    bool is_list = info->kind == CAD_DASH_SEGMENT_LIST;
    struct cad_segment_urls *urls = new_urls(info, out);
    if (!urls) return cad_dash_fail_memory(p);
    int rc = is_list ? read_items(info, urls) : read_media(info, urls);
    if (rc == 0) rc = read_init(info, urls);
    if (rc == 0 && !is_list) rc = read_index_template(info, out);
    if (rc < 0) return rc;
    int timed = read_key(info, out, &key);
    if (timed < 0) return timed;
    if (is_list) key.items = urls->item_count;
    if (timed == 0 && is_list && urls->item_count > 1) {
        return cad_dash_fail(p, info->first, "timeline", "several SegmentURLs without duration");
    }
    if (timed == 0) whole_period(info, &key);
    rc = cad_dash_timeline(p, info->first, &key);
    if (rc != 0) return rc;
    urls->runs = p->timeline.runs;
    urls->run_count = p->timeline.run_count;
    urls->count = p->timeline.count;
    out->cuts = key.duration > 0;
    out->whole = key.whole;
    out->has_init = urls->has_init;
    out->r.addressing = CAD_ADDRESSING_SEGMENTS;
    out->r.timeline = p->timeline.index;
    out->r.urls = urls;
    return CAD_OK;
}

int cad_dash_segments(struct cad_dash *p, const struct cad_dash_node *rep,
                      struct cad_dash_rep *out)
{
    struct info info = gather(p, rep);
    out->index_range = (struct cad_range){-1, -1};
    out->index_url = CAD_STR("");
    out->index_template = CAD_STR("");
    int rc = read_clock(&info, out);
    if (rc == 0) rc = read_index_url(&info, out);
    if (rc != 0) return rc;
    bool many = info.kind == CAD_DASH_SEGMENT_TEMPLATE || info.kind == CAD_DASH_SEGMENT_LIST;
    return many ? many_segments(&info, out) : one_resource(&info, out);
}
