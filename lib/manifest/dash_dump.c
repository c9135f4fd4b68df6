/*
 * dash_dump.c - the canonical dump of an MPD, out of the side structure, in document order.
 *
 * Times are worked out from exact numbers here: ticks over a timescale and 10^-18 s, rounded once.
 */
#include <string.h>

#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "manifest/dash.h"
#include "manifest/dump.h"

/* ---- values ---------------------------------------------------------------------------------- */

static void key_seconds(struct cad_dump *d, const char *key, cad_dash_time t)
{
    if (t != CAD_DASH_NONE) cad_dump_micros(d, key, t, CAD_DASH_SECOND / 1000000);
}

/* t is in 10^-18 ticks. */
static void key_ticks(struct cad_dump *d, const char *key, cad_i128 t, uint32_t timescale)
{
    cad_dump_micros(d, key, t, (cad_i128)timescale * (CAD_DASH_SECOND / 1000000));
}

/* An attribute as written, even if it is empty. */
static void key_attr(struct cad_dump *d, const char *key, cad_str text)
{
    if (text.p) cad_jsonw_key_string(&d->json, key, text);
}

static void key_texts(struct cad_dump *d, const char *key, const struct cad_dash_texts *texts)
{
    if (texts->count == 0) return;
    cad_dump_open_array(d, key);
    for (uint32_t i = 0; i < texts->count; i++) cad_jsonw_string(&d->json, texts->items[i]);
    cad_jsonw_end(&d->json);
}

static void key_descriptors(struct cad_dump *d, const char *key,
                            const struct cad_dash_descriptors *list)
{
    if (list->count == 0) return;
    cad_dump_open_array(d, key);
    for (uint32_t i = 0; i < list->count; i++) {
        cad_jsonw_object(&d->json);
        key_attr(d, "scheme", list->items[i].scheme);
        key_attr(d, "value", list->items[i].value);
        cad_jsonw_end(&d->json);
    }
    cad_jsonw_end(&d->json);
}

static void open_object(struct cad_dump *d, const char *key)
{
    cad_jsonw_key(&d->json, cad_str_from(key));
    cad_jsonw_object(&d->json);
}

static void key_protections(struct cad_dump *d, const struct cad_dash_protections *list)
{
    if (list->count == 0) return;
    cad_dump_open_array(d, "protection");
    for (uint32_t i = 0; i < list->count; i++) {
        const struct cad_dash_protection *item = &list->items[i];
        cad_jsonw_object(&d->json);
        key_attr(d, "scheme", item->scheme);
        if (item->has_system_id) cad_dump_uuid(d, "system_id", item->system_id);
        cad_dump_text(d, "system_id", item->system_text);
        key_attr(d, "scheme_uri", item->scheme_uri);
        if (item->has_key_id) cad_dump_uuid(d, "key_id", item->key_id);
        cad_dump_text(d, "key_id", item->key_text);
        cad_dump_text(d, "pssh", item->pssh);
        cad_dump_url(d, "license_url", item->license_url);
        cad_jsonw_end(&d->json);
    }
    cad_jsonw_end(&d->json);
}

/* ---- segments -------------------------------------------------------------------------------- */

/* The location that the dump shows: the first base, whether it may be asked for or not. */
static struct cad_location first_location(const struct cad_dash_rep *rep)
{
    struct cad_location location = {.url = CAD_STR_INIT("")};
    if (rep->bases.count > 0) location.url = rep->bases.items[0].url;
    return location;
}

/* Start and end behind `time_offset` in 10^-18 ticks to members; the end is cut where asked. */
static void segment_times(struct cad_dump *d, const struct cad_dash_period *period,
                          const struct cad_dash_rep *rep, const struct cad_url_segment *at)
{
    const struct cad_representation *r = &rep->r;
    cad_i128 start = ((cad_i128)at->start - r->time_offset_ticks) * CAD_DASH_SECOND;
    cad_i128 length = (cad_i128)at->duration * CAD_DASH_SECOND;
    bool bounded = period->duration != CAD_DASH_NONE;
    if (rep->cuts && bounded) length = CAD_MIN(length, period->duration * r->timescale - start);
    key_ticks(d, "start_s", start + period->start * r->timescale, r->timescale);
    if (bounded || !rep->whole) key_ticks(d, "duration_s", length, r->timescale);
}

static void dump_segment(struct cad_dump *d, const struct cad_dash_period *period,
                         const struct cad_dash_rep *rep, uint32_t index)
{
    char memory[CAD_URI_BYTES_MAX + 1];
    struct cad_sb url;
    struct cad_url_segment at = {0};
    struct cad_range bytes = {-1, -1};
    struct cad_location location = first_location(rep);
    if (cad_urls_at(rep->r.urls, index, &at) != 0) return;
    cad_sb_init_fixed(&url, memory, sizeof(memory));
    bool has_url = cad_segment_url(&rep->r, &location, index, &url, &bytes) == 0;
    cad_jsonw_object(&d->json);
    cad_jsonw_key_i64(&d->json, "number", at.number);
    segment_times(d, period, rep, &at);
    if (has_url) cad_dump_url(d, "url", cad_sb_str(&url));
    cad_dump_range(d, "byte_range", bytes);
    cad_jsonw_end(&d->json);
}

/* The whole resource, as long as the period. */
static void dump_whole(struct cad_dump *d, const struct cad_dash_period *period,
                       const struct cad_dash_rep *rep)
{
    cad_dump_open_array(d, "segments");
    cad_jsonw_object(&d->json);
    key_seconds(d, "start_s", period->start);
    key_seconds(d, "duration_s", period->duration);
    cad_dump_url(d, "url", first_location(rep).url);
    cad_jsonw_end(&d->json);
    cad_jsonw_end(&d->json);
}

static void dump_segments(struct cad_dump *d, const struct cad_dash_period *period,
                          const struct cad_dash_rep *rep)
{
    if (rep->r.addressing == CAD_ADDRESSING_INDEXED) return;
    if (rep->r.addressing == CAD_ADDRESSING_SINGLE) {
        dump_whole(d, period, rep);
        return;
    }
    if (rep->r.urls->count == 0) return;
    cad_dump_open_array(d, "segments");
    for (uint32_t i = 0; i < rep->r.urls->count && cad_sb_error(&d->text) == 0; i++) {
        dump_segment(d, period, rep, i);
    }
    cad_jsonw_end(&d->json);
}

/* ---- representations ------------------------------------------------------------------------- */

static void dump_init(struct cad_dump *d, const struct cad_dash_rep *rep)
{
    char memory[CAD_URI_BYTES_MAX + 1];
    struct cad_sb url;
    struct cad_range bytes = rep->r.init;
    struct cad_location location = first_location(rep);
    cad_sb_init_fixed(&url, memory, sizeof(memory));
    if (!rep->has_init) return;
    if (!rep->r.urls) cad_sb_put(&url, location.url);
    else if (cad_init_url(&rep->r, &location, &url, &bytes) != 0) return;
    open_object(d, "init");
    cad_dump_url(d, "url", cad_sb_str(&url));
    cad_dump_range(d, "byte_range", bytes);
    cad_jsonw_end(&d->json);
}

static void dump_bases(struct cad_dump *d, const struct cad_dash_bases *bases)
{
    if (bases->count == 0) return;
    cad_dump_text(d, "service_location", bases->items[0].service_location);
    if (bases->count < 2) return;
    cad_dump_open_array(d, "base_urls");
    for (uint32_t i = 0; i < bases->count; i++) {
        cad_dump_place(d, bases->items[i].url, bases->items[i].service_location);
    }
    cad_jsonw_end(&d->json);
}

static void dump_media(struct cad_dump *d, const struct cad_dash_rep *rep)
{
    const struct cad_representation *r = &rep->r;
    cad_dump_number(d, "width", r->width, 0);
    cad_dump_number(d, "height", r->height, 0);
    if (r->frame_rate_num > 0) {
        cad_dump_ratio(d, "frame_rate", r->frame_rate_num, r->frame_rate_den);
    }
    cad_dump_number(d, "channels", r->channels, 0);
    cad_dump_number(d, "sample_rate", r->sample_rate_hz, 0);
    cad_dump_number(d, "quality_ranking", rep->quality_ranking, INT64_MIN);
    key_texts(d, "dependency_ids", &rep->dependency_ids);
    if (rep->tile_columns > 0) {
        open_object(d, "tiles");
        cad_jsonw_key_i64(&d->json, "columns", rep->tile_columns);
        cad_jsonw_key_i64(&d->json, "rows", rep->tile_rows);
        cad_jsonw_end(&d->json);
    }
}

static void dump_clock(struct cad_dump *d, const struct cad_dash_rep *rep)
{
    const struct cad_representation *r = &rep->r;
    if (rep->has_timescale) cad_jsonw_key_i64(&d->json, "timescale", r->timescale);
    if (r->time_offset_ticks != 0) {
        key_ticks(d, "presentation_time_offset_s", (cad_i128)r->time_offset_ticks *
                                                       CAD_DASH_SECOND, r->timescale);
    }
    if (rep->offset_infinite) {
        cad_jsonw_key_string(&d->json, "availability_time_offset_s", CAD_STR("INF"));
    } else {
        key_seconds(d, "availability_time_offset_s", rep->time_offset);
    }
    if (rep->incomplete) cad_jsonw_key_bool(&d->json, "availability_time_complete", false);
}

static void dump_rep(struct cad_dump *d, const struct cad_dash_period *period,
                     const struct cad_dash_rep *rep)
{
    const struct cad_representation *r = &rep->r;
    cad_jsonw_object(&d->json);
    key_attr(d, "id", rep->id);
    if (rep->has_bandwidth) cad_jsonw_key_i64(&d->json, "bandwidth", r->bandwidth_bps);
    key_attr(d, "mime", rep->mime);
    key_attr(d, "codecs", r->codecs);
    dump_media(d, rep);
    key_protections(d, &rep->protections);
    dump_bases(d, &rep->bases);
    dump_clock(d, rep);
    dump_init(d, rep);
    if (rep->index_url.n > 0) {
        open_object(d, "index");
        cad_dump_url(d, "url", rep->index_url);
        cad_dump_range(d, "byte_range", rep->index_bytes);
        cad_jsonw_end(&d->json);
    }
    cad_dump_range(d, "index_range", rep->index_range);
    cad_dump_text(d, "index_template", rep->index_template);
    if (rep->shows_url) cad_dump_url(d, "url", first_location(rep).url);
    dump_segments(d, period, rep);
    if (r->codec != CAD_CODEC_UNKNOWN) {
        cad_dump_text(d, "x_codec", cad_str_from(cad_codec_name(r->codec)));
    }
    cad_jsonw_end(&d->json);
}

/* ---- tracks and periods ---------------------------------------------------------------------- */

static void dump_track(struct cad_dump *d, const struct cad_dash_period *period,
                       const struct cad_dash_track *track)
{
    cad_jsonw_object(&d->json);
    key_attr(d, "id", track->id);
    cad_dump_text(d, "type", cad_str_from(cad_media_type_name(track->type)));
    key_attr(d, "lang", track->lang);
    cad_dump_text(d, "label", track->label);
    key_texts(d, "roles", &track->roles);
    key_descriptors(d, "accessibility", &track->accessibility);
    cad_dump_number(d, "selection_priority", track->selection_priority, INT64_MIN);
    cad_dump_flag(d, "trick_mode", track->trick_mode);
    key_texts(d, "switchable_with", &track->switchable_with);
    key_descriptors(d, "inband_events", &track->inband_events);
    cad_dump_url(d, "xlink", track->xlink);
    key_protections(d, &track->protections);
    if (track->rep_count > 0) {
        cad_dump_open_array(d, "representations");
        for (uint32_t i = 0; i < track->rep_count; i++) dump_rep(d, period, &track->reps[i]);
        cad_jsonw_end(&d->json);
    }
    cad_jsonw_end(&d->json);
}

static void dump_events(struct cad_dump *d, const struct cad_dash_event_stream *stream)
{
    cad_jsonw_object(&d->json);
    key_attr(d, "scheme", stream->scheme.scheme);
    key_attr(d, "value", stream->scheme.value);
    cad_dump_number(d, "timescale", stream->timescale, INT64_MIN);
    if (stream->event_count > 0) cad_dump_open_array(d, "events");
    for (uint32_t i = 0; i < stream->event_count; i++) {
        cad_jsonw_object(&d->json);
        key_attr(d, "id", stream->events[i].id);
        key_seconds(d, "start_s", stream->events[i].start);
        key_seconds(d, "duration_s", stream->events[i].duration);
        cad_jsonw_end(&d->json);
    }
    if (stream->event_count > 0) cad_jsonw_end(&d->json);
    cad_jsonw_end(&d->json);
}

static void dump_period(struct cad_dump *d, const struct cad_dash_period *period)
{
    cad_jsonw_object(&d->json);
    key_attr(d, "id", period->id);
    key_seconds(d, "start_s", period->start);
    key_seconds(d, "duration_s", period->duration);
    cad_dump_url(d, "xlink", period->xlink);
    if (period->event_stream_count > 0) {
        cad_dump_open_array(d, "event_streams");
        for (uint32_t i = 0; i < period->event_stream_count; i++) {
            dump_events(d, &period->event_streams[i]);
        }
        cad_jsonw_end(&d->json);
    }
    cad_dump_open_array(d, "tracks");
    for (uint32_t i = 0; i < period->track_count; i++) dump_track(d, period, &period->tracks[i]);
    cad_jsonw_end(&d->json);
    cad_jsonw_end(&d->json);
}

/* ---- the top --------------------------------------------------------------------------------- */

static void dump_services(struct cad_dump *d, const struct cad_dash_side *side)
{
    if (side->service_count == 0) return;
    cad_dump_open_array(d, "service_descriptions");
    for (uint32_t i = 0; i < side->service_count; i++) {
        const struct cad_dash_service *s = &side->services[i];
        cad_jsonw_object(&d->json);
        key_attr(d, "id", s->id);
        if (s->latency_target >= 0 || s->latency_min >= 0 || s->latency_max >= 0) {
            open_object(d, "latency");
            cad_dump_number(d, "target_ms", s->latency_target, INT64_MIN);
            cad_dump_number(d, "min_ms", s->latency_min, INT64_MIN);
            cad_dump_number(d, "max_ms", s->latency_max, INT64_MIN);
            cad_jsonw_end(&d->json);
        }
        if (s->rate_min != CAD_DASH_NONE || s->rate_max != CAD_DASH_NONE) {
            open_object(d, "playback_rate");
            key_seconds(d, "min", s->rate_min);
            key_seconds(d, "max", s->rate_max);
            cad_jsonw_end(&d->json);
        }
        cad_jsonw_end(&d->json);
    }
    cad_jsonw_end(&d->json);
}

static void dump_places(struct cad_dump *d, const struct cad_dash_side *side)
{
    if (side->locations.count > 0) {
        cad_dump_open_array(d, "locations");
        for (uint32_t i = 0; i < side->locations.count; i++) {
            cad_jsonw_string(&d->json, side->locations.items[i]);
        }
        cad_jsonw_end(&d->json);
    }
    if (side->patch_count > 0) {
        cad_dump_open_array(d, "patch_locations");
        for (uint32_t i = 0; i < side->patch_count; i++) {
            cad_jsonw_object(&d->json);
            cad_dump_url(d, "url", side->patches[i].url);
            key_seconds(d, "ttl_s", side->patches[i].ttl);
            cad_jsonw_end(&d->json);
        }
        cad_jsonw_end(&d->json);
    }
    if (side->has_steering) {
        open_object(d, "steering");
        cad_dump_url(d, "url", side->steering_url);
        key_attr(d, "default", side->steering_default);
        cad_jsonw_key_bool(&d->json, "query_before_start", side->steering_query);
        cad_dump_url(d, "proxy_url", side->steering_proxy);
        cad_jsonw_end(&d->json);
    }
}

void cad_dump_dash(struct cad_dump *d, const struct cad_dash_side *side)
{
    key_texts(d, "profiles", &side->profiles);
    key_seconds(d, "publish_time_s", side->publish_time);
    key_seconds(d, "availability_start_s", side->availability_start);
    key_seconds(d, "availability_end_s", side->availability_end);
    key_seconds(d, "min_buffer_s", side->min_buffer);
    key_seconds(d, "time_shift_depth_s", side->time_shift_depth);
    key_seconds(d, "suggested_delay_s", side->suggested_delay);
    key_seconds(d, "min_update_s", side->min_update);
    key_seconds(d, "max_segment_s", side->max_segment);
    key_seconds(d, "duration_s", side->duration);
    key_descriptors(d, "utc_timing", &side->utc_timing);
    dump_places(d, side);
    dump_services(d, side);
    cad_dump_open_array(d, "periods");
    for (uint32_t i = 0; i < side->period_count; i++) dump_period(d, &side->periods[i]);
    cad_jsonw_end(&d->json);
}
