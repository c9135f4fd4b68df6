/* The title of the driver: three video files and one of sound, and the service's manifest of
 * them. */
#include "driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/str.h"
#include "base/util.h"

#define TEXT_MAX (64 * 1024)

struct text {
    char *p;
    size_t n;
};

static void put(struct text *t, const char *format, ...) CAD_PRINTF(2, 3);

static void put(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->p + t->n, TEXT_MAX - t->n, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < TEXT_MAX - t->n);
    t->n += (size_t)n;
}

int64_t drv_rung_bytes(uint32_t rung)
{
    return INT64_C(50000) << rung;
}

int64_t drv_server_ms(const struct drv *d)
{
    return DRV_EPOCH_MS + d->server_skew_ms + d->now / CAD_MS;
}

static void put_urls(struct text *t, const struct drv *d, char kind, uint32_t stream)
{
    int64_t expiry_s = (drv_server_ms(d) + d->options.url_life / CAD_MS) / 1000;
    put(t, "\"urls\":[");
    for (uint32_t h = 0; h < d->options.servers; h++) {
        put(t, "%s{\"cdn_id\":%u,\"url\":\"http://h%u/%c%u", h ? "," : "", h + 1, h, kind,
            stream);
        if (d->options.plain_http && kind == 'v') {
            put(t, ".mp4?g=%u\"}", d->generation);
        } else {
            put(t, "?o=1&v=31&e=%" PRId64 "&t=SECRET%u&sc=%%2B=%u\"}", expiry_s, d->generation,
                d->generation);
        }
    }
    put(t, "]");
}

static void put_stream(struct text *t, const struct drv *d, uint32_t stream)
{
    const struct cad_synth_stream *s = &d->stream[stream];
    bool audio = s->type == CAD_MEDIA_AUDIO;
    const char *profile = audio ? "heaac-2-dash" : d->options.video_profile;
    put(t, "{\"downloadable_id\":\"%u\",\"content_profile\":\"%s\",\"bitrate\":%" PRId64
        ",\"size\":%" PRId64 ",\"isDrm\":%s,", 100 + stream, profile, s->rate_bps / 1000,
        s->size_bytes + (d->strange_sizes && !audio ? 1 : 0), d->options.drm ? "true" : "false");
    if (d->options.drm) put(t, "\"drmHeaderId\":\"1\",");
    if (audio) put(t, "\"channels\":\"2.0\",");
    else put(t, "\"res_w\":%u,\"res_h\":%u,\"vmaf\":%u,", s->width, s->height, 70 + 10 * stream);
    if (!d->options.no_boxes) {
        put(t, "\"moov\":{\"offset\":%" PRId64 ",\"size\":%" PRId64 "},", s->moov.first,
            s->moov.last - s->moov.first + 1);
        put(t, "\"sidx\":{\"offset\":%" PRId64 ",\"size\":%" PRId64 "},", s->sidx.first,
            s->sidx.last - s->sidx.first + 1);
        put(t, "\"startByteOffset\":%" PRId64 ",", s->header_bytes);
    }
    put_urls(t, d, 'v', stream);
    put(t, "}");
}

static void put_text(struct text *t, const struct drv *d, uint32_t n, const char *profile)
{
    put(t, "\"%s\":{\"size\":%u,\"isImage\":false,", profile, DRV_TEXT_BYTES + n);
    put_urls(t, d, 't', n);
    put(t, "}");
}

/* The tracks of timed text, each with its file; T:5 has two. */
static void put_texts(struct text *t, const struct drv *d)
{
    static const struct {
        const char *lang, *profile;
        bool forced;
    } tracks[] = {{NULL, NULL, false}, {"en", "dfxp-ls-sdh", false}, {"de", "simplesdh", false},
                  {"en", "imsc1.1", true}, {"fr", "webvtt-lssdh-ios8", false},
                  {"it", "imsc1.1", false}};
    for (uint32_t n = 0; n < CAD_ARRAY_LEN(tracks); n++) {
        put(t, "%s{\"new_track_id\":\"T:%u\",\"type\":\"timedtext\","
            "\"trackType\":\"PRIMARY\",\"isNoneTrack\":%s,\"isForcedNarrative\":%s,"
            "\"rank\":%u,\"hydrated\":true,",
            n ? "," : "", n, n ? "false" : "true", tracks[n].forced ? "true" : "false", n);
        if (n) put(t, "\"language\":\"%s\",", tracks[n].lang);
        put(t, "\"ttDownloadables\":{");
        if (n) put_text(t, d, n, tracks[n].profile);
        if (n == DRV_TEXT_IT) {
            put(t, ",");
            put_text(t, d, DRV_TEXT_IT_OTHER, "simplesdh");
        }
        put(t, "}}");
    }
}

char *drv_document(int32_t n)
{
    size_t size = DRV_TEXT_BYTES + (size_t)n;
    char *p = drv_malloc(size + 1);
    memset(p, ' ', size);
    int head = snprintf(p, size, "<tt>document %d</tt>", (int)n);
    assert_true(head > 0);
    p[head] = ' ';
    return p;
}

static void put_servers(struct text *t, const struct drv *d)
{
    put(t, "\"locations\":[{\"key\":\"near\",\"rank\":1,\"level\":1,\"weight\":100}],");
    put(t, "\"servers\":[");
    for (uint32_t h = 0; h < d->options.servers; h++) {
        put(t, "%s{\"id\":%u,\"key\":\"near\",\"name\":\"server%u\",\"rank\":%u,"
            "\"type\":\"OPEN_CONNECT_APPLIANCE\",\"lowgrade\":false,\"dns\":{\"host\":\"h%u\","
            "\"ipv4\":null,\"ipv6\":null,\"forceLookup\":false}}",
            h ? "," : "", h + 1, h, h + 1, h);
    }
    put(t, "],");
}

/* What opens the streams of a track. */
static void put_drm(struct text *t, const struct drv *d)
{
    char box[160], kid[32], licence[160];
    uint8_t bytes[CAD_KEY_ID_SIZE];
    size_t n = 0;
    if (!d->options.drm) return;
    drv_pssh(box, sizeof box);
    memset(bytes, DRV_KID, sizeof bytes);
    assert_int_equal(cad_base64_encode((cad_buf){bytes, sizeof bytes}, 0, kid, sizeof kid, &n), 0);
    put(t, "\"drmHeader\":{\"bytes\":\"%s\",\"drmHeaderId\":\"1\",\"keyId\":\"%.*s\"},", box,
        (int)n, kid);
    if (!d->options.inline_licence) return;
    cad_buf text = cad_buf_from_str(cad_str_from(d->options.inline_licence));
    assert_int_equal(cad_base64_encode(text, 0, licence, sizeof licence, &n), 0);
    put(t, "\"license\":{\"licenseResponseBase64\":\"%.*s\"},", (int)n, licence);
}

static void put_tracks(struct text *t, const struct drv *d)
{
    put(t, "\"video_tracks\":[{\"new_track_id\":\"V:1\",\"type\":1,\"profile\":\"%s\",",
        d->options.video_profile);
    put_drm(t, d);
    put(t, "\"streams\":[");
    for (uint32_t r = 0; r < d->options.rungs; r++) {
        if (r) put(t, ",");
        put_stream(t, d, r);
    }
    put(t, "]}],\"audio_tracks\":[");
    if (!d->options.no_audio) {
        put(t, "{\"new_track_id\":\"A:1\",\"language\":\"en\",\"channels\":\"2.0\","
            "\"profile\":\"heaac-2-dash\",\"isNative\":true,\"rank\":0,");
        put_drm(t, d);
        put(t, "\"streams\":[");
        put_stream(t, d, DRV_AUDIO);
        put(t, "]}");
    }
    if (d->options.dub) {
        put(t, ",{\"new_track_id\":\"A:2\",\"language\":\"de\",\"channels\":\"2.0\","
            "\"profile\":\"heaac-2-dash\",\"isNative\":false,\"rank\":1,\"streams\":[");
        put_stream(t, d, DRV_DUB);
        put(t, "]}");
    }
    put(t, "],\"timedtexttracks\":[");
    if (d->options.text) put_texts(t, d);
    put(t, "]");
}

char *drv_manifest_text(struct drv *d)
{
    struct text t = {drv_malloc(TEXT_MAX), 0};
    d->generation++;
    int64_t server_ms = drv_server_ms(d);
    if (!d->bare_manifest) {
        put(&t, "{\"id\":1,\"version\":2,\"serverTime\":%" PRId64 ",\"from\":\"playapi\","
            "\"result\":", server_ms);
    }
    put(&t, "{\"movieId\":900100,\"manifestVersion\":\"v2\",\"viewableType\":\"MOVIE\","
        "\"duration\":%" PRId64 ",\"playbackContextId\":\"CTX-%u\",\"expiration\":%" PRId64 ",",
        d->options.duration / CAD_MS, d->generation, server_ms + d->options.url_life / CAD_MS);
    put(&t, "\"hasDrmStreams\":false,\"hasClearStreams\":true,\"links\":{");
    if (d->options.drm && !d->options.no_licence_link) {
        put(&t, "\"license\":{\"href\":\"/license?a=1\",\"rel\":\"license\"}%s",
            d->options.links ? "," : "");
    }
    if (d->options.links) put(&t, "%s", d->options.links);
    put(&t, "},");
    put_servers(&t, d);
    put_tracks(&t, d);
    put(&t, d->bare_manifest ? "}" : "}}");
    return t.p;
}

void drv_title_init(struct drv *d)
{
    static const uint32_t heights[DRV_RUNGS] = {240, 360, 480};
    d->segment_bytes = drv_malloc(DRV_RUNGS * sizeof(*d->segment_bytes));
    d->ladder = (struct cad_ladder){
        .segment_duration = DRV_SEGMENT, .rung_count = DRV_RUNGS, .segment_count = 1,
        .segment_bytes = d->segment_bytes};
    for (uint32_t r = 0; r < DRV_RUNGS; r++) {
        d->ladder.rate_bps[r] = drv_rung_bytes(r) * 8 * CAD_SECOND / DRV_SEGMENT;
        d->ladder.height[r] = heights[r];
        d->segment_bytes[r] = (uint32_t)drv_rung_bytes(r);
    }
    if (d->options.hd_key) d->ladder.height[DRV_RUNGS - 1] = 1080;
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    config.ladder = &d->ladder;
    config.duration = d->options.duration;
    config.frame_rate = 25;
    if (d->options.drm) config.scheme = CAD_SCHEME_CBCS;
    memset(config.kid, DRV_KID, sizeof config.kid);
    if (d->options.hd_key) memset(config.hd_kid, DRV_HD_KID, sizeof config.hd_kid);
    struct cad_alloc alloc = cad_alloc_system();
    assert_int_equal(cad_synth_create(&alloc, &config, &d->synth), 0);
    for (uint32_t i = 0; i < DRV_STREAMS; i++) {
        uint32_t source = CAD_MIN(i, DRV_AUDIO);
        assert_int_equal(cad_synth_stream_at(d->synth, source, &d->stream[i]), 0);
        d->asked[i] = drv_malloc((size_t)d->stream[i].size_bytes + 1);
        size_t n = (size_t)d->stream[i].header_bytes, done = 0;
        d->header[i] = drv_malloc(n);
        struct cad_range all = {0, (int64_t)n - 1};
        assert_int_equal(cad_synth_read(d->synth, source, all, d->header[i], &done), 0);
        assert_int_equal(done, n);
    }
}

void drv_patch(struct drv *d, int32_t stream, const char *from, const char *to)
{
    uint8_t *p = d->header[stream];
    for (int64_t i = 0; i + 4 <= d->stream[stream].header_bytes; i++) {
        if (memcmp(p + i, from, 4) != 0) continue;
        memcpy(p + i, to, 4);
        return;
    }
    fail_msg("no %s in stream %d", from, stream);
}

void drv_title_deinit(struct drv *d)
{
    cad_synth_destroy(&d->synth);
    for (uint32_t i = 0; i < DRV_STREAMS; i++) {
        free(d->asked[i]);
        free(d->header[i]);
    }
    free(d->segment_bytes);
    free(d->manifest);
}
