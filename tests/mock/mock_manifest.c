/* The licensed manifest service: writes the manifest that answers a request. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "mock/mock_ask.h"
#include "mock/mock_ftl.h"

#define FILE_EXPIRY_MS INT64_C(4102444800000) /* 2100-01-01: manifests in files do not expire */

/* ---- writing: servers and URLs --------------------------------------------------------------- */

/* A manifest being written. */
struct writer {
    struct cad_jsonw w;
    struct mock_origin *origin;
    const bool *wanted;      /* per asset; NULL all */
    struct mock_grant grant;
    const char *base_url;    /* of a manifest in a file, unsigned; else NULL */
    int error;
};

static void member_str(struct writer *m, const char *key, const char *value)
{
    cad_jsonw_key_string(&m->w, key, cad_str_from(value));
}

static void member_int(struct writer *m, const char *key, int64_t value)
{
    cad_jsonw_key_i64(&m->w, key, value);
}

static void open_object(struct writer *m, const char *key)
{
    cad_jsonw_key(&m->w, cad_str_from(key));
    cad_jsonw_object(&m->w);
}

static void open_array(struct writer *m, const char *key)
{
    cad_jsonw_key(&m->w, cad_str_from(key));
    cad_jsonw_array(&m->w);
}

static bool is_wanted(const struct writer *m, uint32_t i)
{
    return !m->wanted || m->wanted[i];
}

/* From three hosts on the second half of them is a location of its own, further away. */
static uint32_t near_hosts(const struct mock_origin *origin)
{
    return origin->host_count >= 3 ? (origin->host_count + 1) / 2 : origin->host_count;
}

int64_t mock_cdn_id(const struct mock_origin *origin, uint32_t host)
{
    uint32_t near = near_hosts(origin);
    return host < near ? 11 + (int64_t)host : 21 + (int64_t)(host - near);
}

static const char *location_key(const struct mock_origin *origin, uint32_t host)
{
    return host < near_hosts(origin) ? "1-64500-high" : "2-64500-high";
}

static void write_locations(struct writer *m)
{
    open_array(m, "locations");
    uint32_t count = near_hosts(m->origin) < m->origin->host_count && !m->base_url ? 2 : 1;
    for (uint32_t i = 0; i < count; i++) {
        cad_jsonw_object(&m->w);
        member_str(m, "key", i == 0 ? "1-64500-high" : "2-64500-high");
        member_int(m, "rank", i == 0 ? 1 : 3);
        member_int(m, "level", i + 1);
        member_int(m, "weight", i == 0 ? 180 : 140);
        cad_jsonw_end(&m->w);
    }
    cad_jsonw_end(&m->w);
}

static cad_str base_host(const char *base_url)
{
    struct cad_uri uri;
    if (cad_uri_parse(cad_str_from(base_url), &uri) < 0) return CAD_STR("localhost");
    size_t n = uri.host.n + (uri.has_port ? uri.port.n + 1 : 0);
    return cad_str_make(uri.host.p, n);
}

static bool is_ipv4(cad_str host)
{
    for (size_t i = 0; i < host.n; i++) {
        if (!cad_is_digit(host.p[i]) && host.p[i] != '.') return false;
    }
    return host.n > 0;
}

static void write_server(struct writer *m, uint32_t i, cad_str host)
{
    char name[16];
    (void)snprintf(name, sizeof name, "mock%" PRIu32, i + 1);
    ptrdiff_t colon = cad_str_rfind_char(host, ':');
    cad_str bare = cad_str_sub(host, 0, colon < 0 ? host.n : (size_t)colon);
    cad_jsonw_object(&m->w);
    member_int(m, "id", mock_cdn_id(m->origin, i));
    member_str(m, "key", location_key(m->origin, i));
    member_str(m, "name", name);
    member_int(m, "rank", i + 1);
    member_str(m, "type", "OPEN_CONNECT_APPLIANCE");
    cad_jsonw_key_bool(&m->w, "lowgrade", false);
    open_object(m, "dns");
    cad_jsonw_key_string(&m->w, "host", host);
    cad_jsonw_key(&m->w, CAD_STR("ipv4"));
    if (is_ipv4(bare)) {
        cad_jsonw_string(&m->w, bare);
    } else {
        cad_jsonw_null(&m->w);
    }
    cad_jsonw_key(&m->w, CAD_STR("ipv6"));
    cad_jsonw_null(&m->w);
    cad_jsonw_key_bool(&m->w, "forceLookup", false);
    cad_jsonw_end(&m->w);
    cad_jsonw_end(&m->w);
}

static void write_servers(struct writer *m)
{
    open_array(m, "servers");
    if (m->base_url) {
        write_server(m, 0, base_host(m->base_url));
    } else {
        for (uint32_t i = 0; i < m->origin->host_count; i++) {
            write_server(m, i, cad_str_from(m->origin->hosts[i]));
        }
    }
    cad_jsonw_end(&m->w);
}

int mock_signed_target(struct mock_origin *origin, const struct mock_grant *grant, uint32_t asset,
                       char *out, size_t cap)
{
    char path[48] = "/", expiry[24], token[MOCK_TOKEN_CHARS], signature[MOCK_SIGNATURE_CHARS];
    if (origin->asset_in_path) {
        (void)snprintf(path, sizeof path, "/%s", origin->assets[asset].id);
    }
    (void)snprintf(expiry, sizeof expiry, "%" PRId64, grant->expiry_s);
    struct mock_token content = {origin->title_number, (uint16_t)asset, origin->generation,
                                 grant->session};
    mock_token_write(&content, token);
    struct mock_signed parts = {cad_str_from(path), CAD_STR("1"), CAD_STR("1"),
                                cad_str_from(expiry), {token, sizeof token}};
    int rc = mock_sign(&origin->signer, &parts, signature);
    if (rc < 0) return rc;
    int n = snprintf(out, cap, "%s?o=1&v=1&e=%s&t=%.*s&sc=%.*s", path, expiry, MOCK_TOKEN_CHARS,
                     token, MOCK_SIGNATURE_CHARS, signature);
    return n < 0 || (size_t)n >= cap ? CAD_E_LIMIT : 0;
}

static void write_url(struct writer *m, uint32_t host, const char *front, const char *target)
{
    char url[512];
    (void)snprintf(url, sizeof url, "%s%s", front, target);
    cad_jsonw_object(&m->w);
    member_int(m, "cdn_id", mock_cdn_id(m->origin, host));
    member_str(m, "url", url);
    cad_jsonw_end(&m->w);
}

static void write_urls(struct writer *m, uint32_t asset)
{
    const struct mock_origin *origin = m->origin;
    char target[MOCK_MESSAGE_MAX], front[MOCK_HOST_BYTES_MAX + 16];
    open_array(m, "urls");
    if (m->base_url) {
        (void)snprintf(target, sizeof target, "/%s%s", origin->assets[asset].id,
                       mock_file_ending(&origin->assets[asset]));
        write_url(m, 0, m->base_url, target);
    } else {
        int rc =
            mock_signed_target(m->origin, &m->grant, asset, target, sizeof target);
        if (rc < 0 && m->error == 0) m->error = rc;
        for (uint32_t i = 0; rc == 0 && i < origin->host_count; i++) {
            (void)snprintf(front, sizeof front, "%s://%s", origin->scheme, origin->hosts[i]);
            write_url(m, i, front, target);
        }
    }
    cad_jsonw_end(&m->w);
}

/* ---- writing: tracks ------------------------------------------------------------------------- */

static void write_box(struct writer *m, const char *key, struct cad_range range)
{
    if (range.first < 0) return;
    open_object(m, key);
    member_int(m, "offset", range.first);
    member_int(m, "size", range.last - range.first + 1);
    cad_jsonw_end(&m->w);
}

static void channels_text(const struct mock_asset *asset, char out[8])
{
    if (asset->channels == 6) {
        (void)snprintf(out, 8, "5.1");
    } else {
        (void)snprintf(out, 8, "%" PRIu32 ".0", CAD_MIN(asset->channels, 99u));
    }
}

/* Also what a drmHeader is called. */
static void kid_text(const uint8_t *kid, char out[2 * CAD_KEY_ID_SIZE + 1])
{
    out[0] = out[2 * CAD_KEY_ID_SIZE] = 0;
    if (cad_hex_encode((cad_buf){kid, CAD_KEY_ID_SIZE}, out, 2 * CAD_KEY_ID_SIZE) < 0) out[0] = 0;
}

static void write_stream(struct writer *m, uint32_t i)
{
    const struct mock_asset *asset = &m->origin->assets[i];
    cad_jsonw_object(&m->w);
    member_str(m, "downloadable_id", asset->id);
    member_str(m, "content_profile", asset->profile);
    member_int(m, "bitrate", asset->rate_kbps);
    if (asset->peak_kbps > 0) member_int(m, "peakBitrate", asset->peak_kbps);
    member_int(m, "size", asset->size_bytes);
    if (asset->type == CAD_MEDIA_VIDEO) {
        member_int(m, "res_w", asset->width);
        member_int(m, "res_h", asset->height);
        member_int(m, "pix_w", 1);
        member_int(m, "pix_h", 1);
        if (asset->frame_rate_num > 0 && asset->frame_rate_den > 0) {
            member_int(m, "framerate_value", asset->frame_rate_num);
            member_int(m, "framerate_scale", asset->frame_rate_den);
        }
    } else {
        char channels[8];
        channels_text(asset, channels);
        member_str(m, "channels", channels);
    }
    cad_jsonw_key_bool(&m->w, "isDrm", asset->scheme[0] != 0);
    if (asset->scheme[0]) {
        char id[2 * CAD_KEY_ID_SIZE + 1];
        kid_text(asset->kid, id);
        member_str(m, "drmHeaderId", id);
    }
    write_box(m, "moov", asset->moov);
    write_box(m, "sidx", asset->sidx);
    if (asset->header_bytes > 0) member_int(m, "startByteOffset", asset->header_bytes);
    write_urls(m, i);
    cad_jsonw_end(&m->w);
}

/* One video track, whatever its codecs: a player keeps to one of them. One audio track for each
 * language, channel count and codec: "A:en:2:heaac-2-dash". */
static void track_id(const struct mock_asset *asset, char out[128])
{
    if (asset->type == CAD_MEDIA_VIDEO) {
        (void)snprintf(out, 128, "V:1");
        return;
    }
    if (asset->type == CAD_MEDIA_TEXT) {
        (void)snprintf(out, 128, "T:%s", asset->lang[0] ? asset->lang : asset->id);
        return;
    }
    (void)snprintf(out, 128, "A:%s:%" PRIu32 ":%s", asset->lang[0] ? asset->lang : "und",
                   asset->channels, asset->profile);
}

static bool same_track(const struct mock_asset *a, const struct mock_asset *b)
{
    char id[2][128];
    if (a->type != b->type) return false;
    track_id(a, id[0]);
    track_id(b, id[1]);
    return strcmp(id[0], id[1]) == 0;
}

/* The first wanted asset of a type, or asset_count. */
static uint32_t first_wanted(const struct writer *m, enum cad_media_type type)
{
    uint32_t i = 0;
    while (i < m->origin->asset_count && (m->origin->assets[i].type != type || !is_wanted(m, i))) {
        i++;
    }
    return i;
}

static void write_video_size(struct writer *m, uint32_t first)
{
    const struct mock_asset *assets = m->origin->assets;
    uint32_t width = 0, height = 0;
    for (uint32_t i = first; i < m->origin->asset_count; i++) {
        if (!is_wanted(m, i) || !same_track(&assets[first], &assets[i])) continue;
        width = CAD_MAX(width, assets[i].width);
        height = CAD_MAX(height, assets[i].height);
    }
    member_int(m, "maxWidth", width);
    member_int(m, "maxHeight", height);
    member_int(m, "pixelAspectX", 1);
    member_int(m, "pixelAspectY", 1);
}

/* Language and, where it is one of a few, its name. */
static void write_language(struct writer *m, const struct mock_asset *asset)
{
    static const char *const names[][2] = {{"en", "English"}, {"de", "Deutsch"}};
    member_str(m, "language", asset->lang[0] ? asset->lang : "und");
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        if (strcmp(names[i][0], asset->lang) == 0) {
            member_str(m, "languageDescription", names[i][1]);
        }
    }
}

/* The first audio asset has the original language. */
static void write_native(struct writer *m, const struct mock_asset *asset)
{
    const struct mock_asset *assets = m->origin->assets;
    uint32_t first = 0;
    while (first < m->origin->asset_count && assets[first].type != CAD_MEDIA_AUDIO) first++;
    cad_jsonw_key_bool(&m->w, "isNative", strcmp(asset->lang, assets[first].lang) == 0);
}

/* What is said of a key: what to ask for it with, and the largest picture that it opens. */
static void write_header(struct writer *m, const struct mock_asset *first, const uint8_t *kid)
{
    char id[2 * CAD_KEY_ID_SIZE + 1], pssh[MOCK_PSSH_TEXT_MAX], text[32];
    uint32_t width = 0, height = 0;
    size_t n = 0;
    for (uint32_t i = 0; i < m->origin->asset_count; i++) {
        const struct mock_asset *asset = &m->origin->assets[i];
        if (!same_track(first, asset) || memcmp(asset->kid, kid, CAD_KEY_ID_SIZE) != 0) continue;
        width = CAD_MAX(width, asset->width);
        height = CAD_MAX(height, asset->height);
    }
    kid_text(kid, id);
    mock_pssh_text(m->origin, first->type, pssh);
    cad_jsonw_object(&m->w);
    member_str(m, "bytes", pssh);
    member_str(m, "checksum", "");
    member_str(m, "drmHeaderId", id);
    int rc = cad_base64_encode((cad_buf){kid, CAD_KEY_ID_SIZE}, 0, text, sizeof text, &n);
    if (rc == 0) cad_jsonw_key_string(&m->w, "keyId", cad_str_make(text, n));
    if (height > 0) {
        open_object(m, "resolution");
        member_int(m, "width", width);
        member_int(m, "height", height);
        cad_jsonw_end(&m->w);
    }
    cad_jsonw_end(&m->w);
}

/* The keys of a track that are wanted: the first is the default, each further one a header of its
 * own. The init data of each names all of its type, so that one licence opens the track. */
static void write_headers(struct writer *m, uint32_t first)
{
    const struct mock_asset *assets = m->origin->assets;
    uint8_t kids[MOCK_TRACK_KIDS_MAX][CAD_KEY_ID_SIZE];
    uint32_t count = mock_kids(m->origin, assets[first].type, kids), written = 0;
    for (uint32_t k = 0; k < count; k++) {
        bool used = false;
        for (uint32_t i = first; i < m->origin->asset_count && !used; i++) {
            used = is_wanted(m, i) && assets[i].scheme[0] &&
                   same_track(&assets[first], &assets[i]) &&
                   memcmp(assets[i].kid, kids[k], CAD_KEY_ID_SIZE) == 0;
        }
        if (!used) continue;
        if (written == 0) cad_jsonw_key(&m->w, CAD_STR("drmHeader"));
        if (written == 1) open_array(m, "prkDrmHeaders");
        write_header(m, &assets[first], kids[k]);
        written++;
    }
    if (written > 1) cad_jsonw_end(&m->w);
}

/* The track whose first wanted asset is `first`. */
static void write_track(struct writer *m, uint32_t first, uint32_t rank)
{
    const struct mock_asset *assets = m->origin->assets;
    const struct mock_asset *asset = &assets[first];
    char text[128];
    cad_jsonw_object(&m->w);
    track_id(asset, text);
    member_str(m, "new_track_id", text);
    member_int(m, "type", asset->type == CAD_MEDIA_VIDEO ? 1 : 0);
    member_str(m, "trackType", "PRIMARY");
    member_str(m, "profile", asset->profile);
    member_int(m, "rank", rank);
    cad_jsonw_key_bool(&m->w, "hydrated", true);
    if (asset->type == CAD_MEDIA_VIDEO) {
        write_video_size(m, first);
    } else {
        channels_text(asset, text);
        member_str(m, "channels", text);
        write_language(m, asset);
        write_native(m, asset);
        cad_jsonw_key_bool(&m->w, "isNoneTrack", false);
    }
    write_headers(m, first);
    open_array(m, "streams");
    for (uint32_t i = first; i < m->origin->asset_count; i++) {
        if (is_wanted(m, i) && same_track(asset, &assets[i])) write_stream(m, i);
    }
    cad_jsonw_end(&m->w);
    cad_jsonw_end(&m->w);
}

static void write_tracks(struct writer *m, const char *key, enum cad_media_type type)
{
    const struct mock_asset *assets = m->origin->assets;
    uint32_t rank = 0;
    open_array(m, key);
    for (uint32_t i = 0; i < m->origin->asset_count; i++) {
        if (assets[i].type != type || !is_wanted(m, i)) continue;
        bool written = false;
        for (uint32_t k = 0; k < i && !written; k++) {
            written = is_wanted(m, k) && same_track(&assets[k], &assets[i]);
        }
        if (!written) write_track(m, i, rank++);
    }
    cad_jsonw_end(&m->w);
}

/* ---- writing: timed text --------------------------------------------------------------------- */

/* "Off", which has no files. */
static void write_no_text(struct writer *m)
{
    cad_jsonw_object(&m->w);
    member_str(m, "new_track_id", "T:none");
    member_str(m, "type", "timedtext");
    member_str(m, "trackType", "PRIMARY");
    cad_jsonw_key_bool(&m->w, "isNoneTrack", true);
    cad_jsonw_key_bool(&m->w, "isForcedNarrative", false);
    open_object(m, "ttDownloadables");
    cad_jsonw_end(&m->w);
    member_int(m, "rank", -1);
    cad_jsonw_key_bool(&m->w, "hydrated", true);
    cad_jsonw_end(&m->w);
}

static void write_text(struct writer *m, uint32_t i, uint32_t rank)
{
    const struct mock_asset *asset = &m->origin->assets[i];
    char id[128];
    track_id(asset, id);
    cad_jsonw_object(&m->w);
    member_str(m, "new_track_id", id);
    member_str(m, "type", "timedtext");
    member_str(m, "trackType", "PRIMARY");
    write_language(m, asset);
    cad_jsonw_key_bool(&m->w, "isNoneTrack", false);
    cad_jsonw_key_bool(&m->w, "isForcedNarrative", false);
    cad_jsonw_key_bool(&m->w, "isLanguageLeftToRight", true);
    member_int(m, "rank", rank);
    cad_jsonw_key_bool(&m->w, "hydrated", true);
    open_object(m, "downloadableIds");
    member_str(m, asset->profile, asset->id);
    cad_jsonw_end(&m->w);
    open_object(m, "ttDownloadables");
    open_object(m, asset->profile);
    member_int(m, "size", asset->size_bytes);
    cad_jsonw_key_bool(&m->w, "isImage", false);
    write_urls(m, i);
    cad_jsonw_end(&m->w);
    cad_jsonw_end(&m->w);
    cad_jsonw_end(&m->w);
}

static void write_texts(struct writer *m)
{
    uint32_t rank = 0;
    open_array(m, "timedtexttracks");
    for (uint32_t i = 0; i < m->origin->asset_count; i++) {
        if (m->origin->assets[i].type != CAD_MEDIA_TEXT || !is_wanted(m, i)) continue;
        if (rank == 0) write_no_text(m);
        write_text(m, i, rank++);
    }
    cad_jsonw_end(&m->w);
}

static void write_recommended(struct writer *m)
{
    char id[128];
    open_object(m, "recommendedMedia");
    uint32_t video = first_wanted(m, CAD_MEDIA_VIDEO);
    uint32_t audio = first_wanted(m, CAD_MEDIA_AUDIO);
    if (video < m->origin->asset_count) {
        track_id(&m->origin->assets[video], id);
        member_str(m, "videoTrackId", id);
    }
    if (audio < m->origin->asset_count) {
        track_id(&m->origin->assets[audio], id);
        member_str(m, "audioTrackId", id);
    }
    cad_jsonw_end(&m->w);
}

/* ---- writing: the manifest ------------------------------------------------------------------- */

/* Wanted assets of picture and sound that are protected, or that are not. */
static uint32_t count_assets(const struct writer *m, bool is_protected)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->origin->asset_count; i++) {
        const struct mock_asset *asset = &m->origin->assets[i];
        if (asset->type == CAD_MEDIA_TEXT || !is_wanted(m, i)) continue;
        n += (asset->scheme[0] != 0) == is_protected;
    }
    return n;
}

static void write_link(struct writer *m, const char *name, const char *path, const char *context)
{
    char href[128];
    (void)snprintf(href, sizeof href, "%s%s", path, context);
    open_object(m, name);
    member_str(m, "href", href);
    member_str(m, "rel", name);
    cad_jsonw_end(&m->w);
}

/* Of a manifest in a file keys alone are linked to: whoever serves it has them. */
static void write_links(struct writer *m, const char *context)
{
    static const char license[] = MOCK_LICENCE_PATH "?licenseType=standard&playbackContextId=";
    open_object(m, "links");
    if (!m->base_url || count_assets(m, true) > 0) write_link(m, "license", license, context);
    if (!m->base_url) {
        write_link(m, "events", "/events?playbackContextId=", context);
        write_link(m, "logblob", "/log/cadmium/logblob/1", "");
        write_link(m, "probe", MOCK_FTL_RECIPE_PATH, "");
    }
    cad_jsonw_end(&m->w);
}

static void write_protection(struct writer *m)
{
    bool has_drm = count_assets(m, true) > 0, has_clear = count_assets(m, false) > 0;
    if (has_drm) {
        member_str(m, "drmContextId", "default");
        member_str(m, "drmType", "clearkey");
        member_int(m, "drmVersion", 1);
    }
    cad_jsonw_key_bool(&m->w, "hasDrmProfile", has_drm);
    cad_jsonw_key_bool(&m->w, "hasDrmStreams", has_drm);
    cad_jsonw_key_bool(&m->w, "hasClearProfile", has_clear);
    cad_jsonw_key_bool(&m->w, "hasClearStreams", has_clear);
}

static void write_expiry(struct writer *m)
{
    int64_t life_ms = m->origin->url_life_s * 1000;
    member_int(m, "expiration", m->base_url ? FILE_EXPIRY_MS : m->grant.expiry_s * 1000);
    if (m->base_url) return;
    member_int(m, "manifestExpirationDuration", life_ms / 3 * 2);
    member_int(m, "urlExpirationDuration", life_ms);
}

static void write_manifest(struct writer *m)
{
    struct mock_origin *origin = m->origin;
    char context[64];
    if (m->base_url) {
        (void)snprintf(context, sizeof context, "CTX-%s-file", origin->title);
    } else {
        (void)snprintf(context, sizeof context, "CTX-%s-%016" PRIx64, origin->title,
                       m->grant.session);
    }
    cad_jsonw_object(&m->w);
    cad_jsonw_key(&m->w, CAD_STR("movieId"));
    cad_jsonw_u64(&m->w, origin->title_number);
    member_str(m, "manifestVersion", "v2");
    member_str(m, "viewableType", "MOVIE");
    member_str(m, "streamingType", "VOD");
    member_int(m, "duration", origin->duration / CAD_MS);
    member_int(m, "bookmark", -1);
    member_str(m, "playbackContextId", context);
    write_expiry(m);
    write_protection(m);
    write_locations(m);
    write_servers(m);
    write_links(m, context);
    write_tracks(m, "video_tracks", CAD_MEDIA_VIDEO);
    write_tracks(m, "audio_tracks", CAD_MEDIA_AUDIO);
    write_texts(m);
    write_recommended(m);
    cad_jsonw_end(&m->w);
}

static void write_head(struct cad_jsonw *w, int64_t id, int64_t now_ms)
{
    cad_jsonw_object(w);
    cad_jsonw_key_i64(w, "id", id);
    cad_jsonw_key_i64(w, "version", 2);
    cad_jsonw_key_i64(w, "serverTime", now_ms);
    cad_jsonw_key(w, CAD_STR("result"));
}

int mock_origin_manifest(struct mock_origin *origin, const char *base_url, cad_str *out)
{
    if (!base_url[0] || strlen(base_url) >= MOCK_MESSAGE_MAX) return CAD_E_INVAL;
    struct writer m = {.origin = origin, .base_url = base_url};
    cad_sb_reset(&origin->body);
    cad_jsonw_init(&m.w, &origin->body);
    write_manifest(&m);
    cad_sb_putc(&origin->body, '\n');
    if (cad_jsonw_error(&m.w) < 0) return cad_jsonw_error(&m.w);
    *out = cad_sb_str(&origin->body);
    return 0;
}

/* ---- the service ----------------------------------------------------------------------------- */

struct denial {
    int32_t status;
    const char *code, *sub_code, *message;
    bool retryable;
};

static void deny(struct mock_origin *origin, const struct denial *denial, int64_t now_ms,
                 struct cad_origin_answer *answer)
{
    struct cad_jsonw w;
    origin->counts.denied++;
    cad_sb_reset(&origin->body);
    cad_jsonw_init(&w, &origin->body);
    write_head(&w, 0, now_ms);
    cad_jsonw_null(&w);
    cad_jsonw_key(&w, CAD_STR("error"));
    cad_jsonw_object(&w);
    cad_jsonw_key_string(&w, "code", cad_str_from(denial->code));
    cad_jsonw_key_string(&w, "subCode", cad_str_from(denial->sub_code));
    cad_jsonw_key_string(&w, "message", cad_str_from(denial->message));
    cad_jsonw_key_bool(&w, "retryable", denial->retryable);
    cad_jsonw_end(&w);
    cad_jsonw_key_string(&w, "from", CAD_STR("playapi"));
    cad_jsonw_end(&w);
    mock_answer_text(origin, answer, denial->status, "application/json");
}

static void deny_request(struct mock_origin *origin, const char *member, int64_t now_ms,
                         struct cad_origin_answer *answer)
{
    struct denial bad = {400, "BAD_REQUEST", member, "the request lacks a member or it is wrong",
                         false};
    deny(origin, &bad, now_ms, answer);
}

/* reqAttempt counts from 1 where it is given. */
static bool attempt_is_good(cad_str query)
{
    int64_t attempt = 1;
    cad_str value = cad_uri_query_value(query, CAD_STR("reqAttempt"));
    if (value.n > 0 && cad_str_to_i64(value, &attempt) < 0) return false;
    return attempt >= 1;
}

/* A playback attempt that was answered before asks again: for fresh URLs, unless its request id
 * is the same too: then it did not get the answer. */
static void count_manifest(struct mock_origin *origin, uint64_t xid, cad_str query)
{
    cad_str id = cad_uri_query_value(query, CAD_STR("reqId"));
    uint64_t req_id = id.n > 0 ? cad_hash64(id.p, id.n, 2) | 1 : 0;
    origin->counts.manifests++;
    for (uint32_t i = 0; i < origin->attempt_count; i++) {
        struct mock_attempt *attempt = &origin->attempts[i];
        if (attempt->xid != xid) continue;
        bool retry = req_id != 0 && req_id == attempt->req_id;
        if (retry) {
            origin->counts.retries++;
        } else {
            origin->counts.refreshes++;
        }
        attempt->req_id = req_id;
        return;
    }
    origin->attempts[origin->attempt_next] = (struct mock_attempt){xid, req_id};
    origin->attempt_next = (origin->attempt_next + 1) % MOCK_XIDS_MAX;
    origin->attempt_count = CAD_MIN(origin->attempt_count + 1, MOCK_XIDS_MAX);
}

static bool has_type(const struct mock_origin *origin, const bool *wanted, enum cad_media_type type)
{
    for (uint32_t i = 0; i < origin->asset_count; i++) {
        if (origin->assets[i].type == type && (!wanted || wanted[i])) return true;
    }
    return false;
}

/* True if each kind of media that the title has was asked for in a form that it has. */
static bool profiles_suffice(const struct mock_origin *origin, const bool *wanted)
{
    static const enum cad_media_type types[] = {CAD_MEDIA_VIDEO, CAD_MEDIA_AUDIO};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (has_type(origin, NULL, types[i]) && !has_type(origin, wanted, types[i])) return false;
    }
    return true;
}

static int grant(struct mock_origin *origin, const struct mock_ask *ask, int64_t now_ms,
                 struct cad_origin_answer *answer)
{
    struct writer m = {.origin = origin, .wanted = ask->wanted};
    m.grant.session = cad_hash_u64(ask->xid ^ origin->seed);
    m.grant.expiry_s = now_ms / 1000 + origin->url_life_s;
    cad_sb_reset(&origin->body);
    cad_jsonw_init(&m.w, &origin->body);
    if (!origin->bare_manifest) write_head(&m.w, ask->id, now_ms);
    write_manifest(&m);
    if (!origin->bare_manifest) {
        cad_jsonw_key_string(&m.w, "from", CAD_STR("playapi"));
        cad_jsonw_end(&m.w);
    }
    if (m.error < 0) return m.error;
    if (cad_jsonw_error(&m.w) < 0) return cad_jsonw_error(&m.w);
    mock_answer_text(origin, answer, 200, "application/json");
    return 0;
}

int mock_serve_manifest(struct mock_origin *origin, const struct cad_origin_request *request,
                        cad_str query, struct cad_origin_answer *answer)
{
    static const struct denial down = {503, "SERVICE_DOWN", "manifest", "the service is down",
                                       true};
    static const struct denial unknown = {404, "TITLE_NOT_FOUND", "viewableId",
                                          "there is no such title", false};
    static const struct denial unplayable = {200, "NO_STREAMS", "profiles",
                                             "no stream has a profile that was asked for", false};
    struct mock_ask ask = {0};
    int64_t now_ms = request->now_ms;
    if (origin->manifest_down) {
        deny(origin, &down, now_ms, answer);
        return 0;
    }
    if (!cad_str_eqz(request->method, "POST")) {
        struct denial method = {405, "METHOD", "POST", "manifests are asked for by POST", false};
        deny(origin, &method, now_ms, answer);
        answer->headers[0] = (struct cad_header){CAD_STR("Allow"), CAD_STR("POST")};
        answer->header_count = 1;
        return 0;
    }
    int rc = mock_ask_read(request->body, origin, &ask);
    /* A client that names no profile of text is told of what there is. */
    for (uint32_t i = 0; i < origin->asset_count && !ask.names_text; i++) {
        if (origin->assets[i].type == CAD_MEDIA_TEXT) ask.wanted[i] = true;
    }
    const char *member = rc < 0 ? "body" : mock_ask_missing(&ask);
    if (!member && !attempt_is_good(query)) member = "reqAttempt";
    if (member) {
        deny_request(origin, member, now_ms, answer);
    } else if (ask.viewable < 0 || (uint64_t)ask.viewable != origin->title_number) {
        deny(origin, &unknown, now_ms, answer);
    } else if (!profiles_suffice(origin, ask.wanted)) {
        deny(origin, &unplayable, now_ms, answer);
    } else {
        rc = grant(origin, &ask, now_ms, answer);
        if (rc == 0) count_manifest(origin, ask.xid, query);
        return rc;
    }
    return 0;
}
