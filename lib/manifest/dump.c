/*
 * dump.c - the canonical dump of a presentation, as docs/manifest.md maps it.
 *
 * Keys that start with x_ are this library's additions: what the model knows and the common shape
 * has no key for.
 */
#include "cadmium/manifest.h"

#include "base/base64.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "manifest/dump.h"
#include "manifest/model.h"

#define DUMP_BYTES_MAX (256u << 20)
#define VALUE_BYTES_MAX (16u << 20) /* of one URL or base64 text: above any document's limit */

/* ---- representations ------------------------------------------------------------------------- */

static void dump_locations(struct cad_dump *d, const struct cad_representation *r)
{
    if (r->location_count == 0) return;
    cad_dump_url(d, "url", r->locations[0].url);
    if (r->location_count < 2) return;
    cad_dump_open_array(d, "base_urls");
    for (uint32_t i = 0; i < r->location_count; i++) {
        const struct cad_server *server = &d->presentation->servers[r->locations[i].server];
        cad_dump_place(d, r->locations[i].url, server->id);
    }
    cad_jsonw_end(&d->json);
}

static void dump_representation(struct cad_dump *d, const struct cad_representation *r)
{
    cad_jsonw_object(&d->json);
    cad_dump_text(d, "id", r->id);
    cad_dump_number(d, "bandwidth", r->bandwidth_bps, 0);
    cad_dump_text(d, "codecs", r->codecs);
    cad_dump_number(d, "width", r->width, 0);
    cad_dump_number(d, "height", r->height, 0);
    if (r->frame_rate_num > 0) {
        cad_dump_ratio(d, "frame_rate", r->frame_rate_num, r->frame_rate_den);
    }
    cad_dump_number(d, "channels", r->channels, 0);
    cad_dump_number(d, "sample_rate", r->sample_rate_hz, 0);
    dump_locations(d, r);
    if (r->codec != CAD_CODEC_UNKNOWN) {
        cad_dump_text(d, "x_codec", cad_str_from(cad_codec_name(r->codec)));
    }
    cad_dump_text(d, "x_profile", r->profile);
    cad_dump_flag(d, "x_encrypted", r->encrypted);
    cad_dump_text(d, "x_drm_header", r->drm_header_id);
    cad_dump_flag(d, "x_dominated", r->dominated);
    cad_dump_flag(d, "x_fallback", r->fallback);
    cad_dump_number(d, "x_peak_bps", r->peak_bps, 0);
    cad_dump_number(d, "x_size_bytes", r->size_bytes, -1);
    cad_dump_range(d, "x_init_range", r->init);
    cad_dump_range(d, "x_index_range", r->index);
    cad_dump_number(d, "x_header_bytes", r->header_bytes, -1);
    if (r->vmaf_milli >= 0) cad_dump_ratio(d, "x_vmaf", r->vmaf_milli, 1000);
    if (r->location_count > 0) {
        cad_dump_number(d, "x_expiry_ms", r->locations[0].expiry_ms, 0);
        cad_dump_flag(d, "x_range_in_path", r->locations[0].range_in_path);
    }
    cad_jsonw_end(&d->json);
}

/* ---- keys ------------------------------------------------------------------------------------*/

#define PSSH_HEADER_BYTES 28u /* size, type, version and flags, system id (ISO 23001-7 8.1) */

static bool is_pssh(cad_buf data)
{
    return data.n >= PSSH_HEADER_BYTES && cad_be32(data.p) == data.n &&
           cad_be32(data.p + 4) == 0x70737368; /* "pssh" */
}

/* Base64 of at most a text's length: the builder's memory serves as in cad_dump_url. */
static void key_base64(struct cad_dump *d, const char *key, cad_buf data)
{
    char chunk[64];
    cad_sb_reset(&d->url);
    for (size_t at = 0; at < data.n; at += 48) {
        cad_buf part = {data.p + at, data.n - at < 48 ? data.n - at : 48};
        size_t n = 0;
        /* 48 bytes are 64 digits without padding: it fits and only the last part is padded. */
        if (cad_base64_encode(part, 0, chunk, sizeof(chunk), &n) != 0) return;
        cad_sb_put(&d->url, cad_str_make(chunk, n));
    }
    if (d->url_error == 0) d->url_error = cad_sb_error(&d->url);
    cad_dump_text(d, key, cad_sb_str(&d->url));
}

static void dump_protections(struct cad_dump *d, const struct cad_track *track)
{
    if (track->protection_count == 0) return;
    cad_dump_open_array(d, "protection");
    for (uint32_t i = 0; i < track->protection_count; i++) {
        const struct cad_protection *protection = &track->protections[i];
        bool pssh = is_pssh(protection->init_data);
        cad_jsonw_object(&d->json);
        if (pssh) cad_dump_uuid(d, "system_id", protection->init_data.p + 12);
        if (protection->has_key_id) cad_dump_uuid(d, "key_id", protection->key_id);
        key_base64(d, pssh ? "pssh" : "x_init_data", protection->init_data);
        cad_dump_text(d, "x_drm_header", protection->id);
        cad_dump_flag(d, "x_default", protection->is_default);
        cad_jsonw_end(&d->json);
    }
    cad_jsonw_end(&d->json);
}

static void dump_track(struct cad_dump *d, const struct cad_track *track)
{
    cad_jsonw_object(&d->json);
    cad_dump_text(d, "id", track->id);
    cad_dump_text(d, "type", cad_str_from(cad_media_type_name(track->type)));
    if (!cad_str_eqz(track->lang, "und")) cad_dump_text(d, "lang", track->lang);
    cad_dump_text(d, "label", track->label);
    if (track->role.n > 0) {
        cad_dump_open_array(d, "roles");
        cad_jsonw_string(&d->json, track->role);
        cad_jsonw_end(&d->json);
    }
    cad_dump_number(d, "x_rank", track->rank, INT32_MAX);
    cad_dump_flag(d, "x_default", track->is_default);
    cad_dump_flag(d, "x_none", track->is_none);
    cad_dump_flag(d, "x_forced", track->is_forced);
    dump_protections(d, track);
    if (track->representation_count > 0) {
        cad_dump_open_array(d, "representations");
        for (uint32_t i = 0; i < track->representation_count; i++) {
            dump_representation(d, &track->representations[i]);
        }
        cad_jsonw_end(&d->json);
    }
    cad_jsonw_end(&d->json);
}

static void dump_periods(struct cad_dump *d)
{
    const struct cad_presentation *p = d->presentation;
    cad_dump_open_array(d, "periods");
    for (uint32_t i = 0; i < p->period_count; i++) {
        cad_jsonw_object(&d->json);
        cad_dump_text(d, "id", p->periods[i].id);
        cad_dump_time(d, "start_s", p->periods[i].start);
        cad_dump_time(d, "duration_s", p->periods[i].duration);
        cad_dump_open_array(d, "tracks");
        for (uint32_t t = 0; t < p->periods[i].track_count; t++) {
            dump_track(d, &p->periods[i].tracks[t]);
        }
        cad_jsonw_end(&d->json);
        cad_jsonw_end(&d->json);
    }
    cad_jsonw_end(&d->json);
}

/* ---- the rest of the model ------------------------------------------------------------------- */

static void dump_servers(struct cad_dump *d)
{
    const struct cad_presentation *p = d->presentation;
    cad_dump_open_array(d, "x_servers");
    for (uint32_t i = 0; i < p->server_count; i++) {
        const struct cad_server *server = &p->servers[i];
        cad_jsonw_object(&d->json);
        cad_dump_text(d, "id", server->id);
        cad_dump_text(d, "name", server->name);
        cad_dump_text(d, "host", server->host);
        cad_dump_number(d, "location_rank", server->location_rank, INT32_MAX);
        cad_dump_number(d, "level", server->level, 0);
        cad_dump_number(d, "rank", server->rank, INT32_MAX);
        cad_dump_number(d, "weight", server->weight, 0);
        cad_dump_flag(d, "lowgrade", server->lowgrade);
        cad_jsonw_end(&d->json);
    }
    cad_jsonw_end(&d->json);
}

static void dump_markers(struct cad_dump *d)
{
    const struct cad_presentation *p = d->presentation;
    if (p->marker_count == 0) return;
    cad_dump_open_array(d, "x_markers");
    for (uint32_t i = 0; i < p->marker_count; i++) {
        cad_jsonw_object(&d->json);
        cad_dump_text(d, "type", p->markers[i].type);
        cad_dump_time(d, "start_s", p->markers[i].start);
        cad_dump_time(d, "end_s", p->markers[i].end);
        cad_jsonw_end(&d->json);
    }
    cad_jsonw_end(&d->json);
}

static void dump_additions(struct cad_dump *d)
{
    const struct cad_presentation *p = d->presentation;
    cad_dump_text(d, "x_id", p->id);
    cad_dump_text(d, "x_context_id", p->context_id);
    cad_dump_time(d, "x_bookmark_s", p->bookmark);
    cad_dump_number(d, "x_server_time_ms", p->server_time_ms, 0);
    cad_dump_number(d, "x_expiry_ms", p->expiry_ms, 0);
    cad_dump_time(d, "x_keep_s", p->keep);
    cad_dump_url(d, "x_link_license", p->links.license);
    cad_dump_url(d, "x_link_license_limited", p->links.license_limited);
    cad_dump_url(d, "x_link_events", p->links.events);
    cad_dump_url(d, "x_link_logblob", p->links.logblob);
    cad_dump_number(d, "x_rate_max_bps", p->overrides.rate_max_bps, -1);
    cad_dump_number(d, "x_startup_rate_max_bps", p->overrides.startup_rate_max_bps, -1);
    cad_dump_number(d, "x_connect_timeout_ms", p->overrides.connect_timeout_ms, -1);
    cad_dump_number(d, "x_buffer_target_ms", p->overrides.buffer_target_ms, -1);
    cad_dump_number(d, "x_warnings", p->warnings, 0);
    cad_dump_number(d, "x_unknown_fields", p->unknown_fields, 0);
    cad_dump_number(d, "x_duplicate_keys", p->duplicate_keys, 0);
    dump_servers(d);
    dump_markers(d);
}

static const char *format_name(enum cad_manifest_format format)
{
    switch (format) {
    case CAD_FORMAT_LICENSED: return "licensed";
    case CAD_FORMAT_MP4: return "mp4";
    case CAD_FORMAT_DASH: return "dash";
    case CAD_FORMAT_HLS: return "hls";
    }
    return "licensed";
}

/* What of an MPD became the model that is played. */
static void dump_model(struct cad_dump *d)
{
    const struct cad_presentation *p = d->presentation;
    cad_dump_number(d, "x_warnings", p->warnings, 0);
    dump_servers(d);
}

static void dump_all(struct cad_dump *d)
{
    const struct cad_presentation *p = d->presentation;
    const struct cad_model *model = (const struct cad_model *)(const void *)p;
    cad_jsonw_object(&d->json);
    cad_dump_text(d, "format", cad_str_from(format_name(p->format)));
    cad_dump_text(d, "type", p->live ? CAD_STR("live") : CAD_STR("vod"));
    if (model->dash) {
        cad_dump_dash(d, model->dash);
        dump_model(d);
    } else {
        cad_dump_time(d, "duration_s", p->duration);
        dump_additions(d);
        dump_periods(d);
    }
    cad_jsonw_end(&d->json);
    cad_sb_putc(&d->text, '\n');
}

/* The builder's memory cut to its text, so that the caller can free it by its length. */
static int give(struct cad_dump *d, const struct cad_alloc *alloc, cad_buf *out)
{
    int rc = cad_jsonw_error(&d->json);
    if (rc == 0) rc = cad_sb_error(&d->text);
    if (rc == 0) rc = d->url_error;
    if (rc != 0) return rc;
    char *exact = cad_alloc_resize(alloc, d->text.p, d->text.cap, d->text.n, CAD_MEM_OTHER);
    if (!exact) return CAD_E_NOMEM;
    out->p = (const uint8_t *)exact;
    out->n = d->text.n;
    d->text.p = NULL;
    d->text.cap = 0;
    d->text.n = 0;
    return CAD_OK;
}

int cad_presentation_dump(const struct cad_presentation *presentation,
                          const struct cad_alloc *alloc, cad_buf *out)
{
    if (!presentation || !alloc || !alloc->fn || !out) return CAD_E_INVAL;
    struct cad_dump d;
    d.presentation = presentation;
    d.url_error = 0;
    cad_sb_init(&d.text, alloc, CAD_MEM_OTHER, DUMP_BYTES_MAX);
    cad_sb_init(&d.url, alloc, CAD_MEM_OTHER, VALUE_BYTES_MAX);
    cad_jsonw_init(&d.json, &d.text);
    dump_all(&d);
    int rc = give(&d, alloc, out);
    cad_sb_deinit(&d.url);
    cad_sb_deinit(&d.text);
    return rc;
}
