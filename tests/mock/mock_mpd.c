/* The title as an MPD (ISO/IEC 23009-1): static, one period, on-demand profile. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/str.h"
#include "base/util.h"
#include "mock/mock_internal.h"
#include "mock/mock_ttml.h"

#define MIN_BUFFER_S 2 /* the longest segment: at @bandwidth it is in before the next is needed */

struct writer {
    struct cad_sb *sb;
    struct mock_origin *origin;
    const char *base_url;    /* NULL: signed */
    struct mock_grant grant;
    int error;
};

static void put_attr(struct cad_sb *sb, const char *name, const char *value)
{
    cad_sb_printf(sb, " %s=\"", name);
    cad_sb_put_xml(sb, cad_str_from(value));
    cad_sb_putc(sb, '"');
}

/* Seconds with as many decimals as it takes. */
static void put_duration(struct cad_sb *sb, const char *name, cad_time duration)
{
    char text[40];
    int n = snprintf(text, sizeof text, "PT%" PRId64 ".%09" PRId64, duration / CAD_SECOND,
                     duration % CAD_SECOND);
    while (n > 0 && text[n - 1] == '0') n--;
    if (n > 0 && text[n - 1] == '.') n--;
    text[n] = 0;
    cad_sb_printf(sb, " %s=\"%sS\"", name, text);
}

static void put_frame_rate(struct cad_sb *sb, const char *name, const struct mock_asset *asset)
{
    if (asset->frame_rate_num == 0 || asset->frame_rate_den == 0) return;
    cad_sb_printf(sb, " %s=\"%" PRIu32, name, asset->frame_rate_num);
    if (asset->frame_rate_den != 1) cad_sb_printf(sb, "/%" PRIu32, asset->frame_rate_den);
    cad_sb_putc(sb, '"');
}

/* ---- representations ------------------------------------------------------------------------- */

static void put_base_urls(struct writer *w, uint32_t i)
{
    struct mock_origin *origin = w->origin;
    char target[MOCK_MESSAGE_MAX];
    if (w->base_url) {
        cad_sb_putz(w->sb, "        <BaseURL>");
        if (strcmp(w->base_url, ".") != 0) {
            cad_sb_put_xml(w->sb, cad_str_from(w->base_url));
            cad_sb_putc(w->sb, '/');
        }
        cad_sb_put_xml(w->sb, cad_str_from(origin->assets[i].id));
        cad_sb_putz(w->sb, mock_file_ending(&origin->assets[i]));
        cad_sb_putz(w->sb, "</BaseURL>\n");
        return;
    }
    int rc = mock_signed_target(origin, &w->grant, i, target, sizeof target);
    if (rc < 0 && w->error == 0) w->error = rc;
    for (uint32_t host = 0; rc == 0 && host < origin->host_count; host++) {
        cad_sb_printf(w->sb, "        <BaseURL serviceLocation=\"mock%" PRIu32 "\">", host + 1);
        cad_sb_printf(w->sb, "%s://", origin->scheme);
        cad_sb_put_xml(w->sb, cad_str_from(origin->hosts[host]));
        cad_sb_put_xml(w->sb, cad_str_from(target));
        cad_sb_putz(w->sb, "</BaseURL>\n");
    }
}

/* The scheme that a codec's packagers use: Dolby's mask of speakers, or a number of ISO/IEC
 * 23091-3. */
static void put_channels(struct cad_sb *sb, const struct mock_asset *asset)
{
    const char *scheme = "urn:mpeg:mpegB:cicp:ChannelConfiguration";
    char value[16];
    (void)snprintf(value, sizeof value, "%" PRIu32, asset->channels == 8 ? 7 : asset->channels);
    if (cad_str_starts(cad_str_from(asset->profile), CAD_STR("ddplus"))) {
        scheme = "tag:dolby.com,2014:dash:audio_channel_configuration:2011";
        /* Left, centre, right, the surround pair and LFE; or left and right. */
        (void)snprintf(value, sizeof value, "%s", asset->channels == 6 ? "F801" : "A000");
    }
    cad_sb_putz(sb, "        <AudioChannelConfiguration");
    put_attr(sb, "schemeIdUri", scheme);
    put_attr(sb, "value", value);
    cad_sb_putz(sb, "/>\n");
}

/* The sidx lists the segments; what stands before it is the initialisation. */
static void put_segment_base(struct cad_sb *sb, const struct mock_asset *asset)
{
    cad_sb_printf(sb,
                  "        <SegmentBase timescale=\"%" PRIu32 "\" presentationTimeOffset=\"0\""
                  " indexRange=\"%" PRId64 "-%" PRId64 "\" indexRangeExact=\"true\">\n"
                  "          <Initialization range=\"0-%" PRId64 "\"/>\n"
                  "        </SegmentBase>\n",
                  asset->timescale, asset->sidx.first, asset->sidx.last, asset->sidx.first - 1);
}

/* 23001-7 11.1: which scheme, and which key. Nothing of what is clear. */
static void put_scheme(struct cad_sb *sb, const struct mock_asset *asset, const char *indent)
{
    char hex[2 * CAD_KEY_ID_SIZE];
    if (!asset->scheme[0]) return;
    if (cad_hex_encode((cad_buf){asset->kid, CAD_KEY_ID_SIZE}, hex, sizeof hex) < 0) return;
    cad_sb_putz(sb, indent);
    cad_sb_putz(sb, "<ContentProtection schemeIdUri=\"urn:mpeg:dash:mp4protection:2011\"");
    put_attr(sb, "value", asset->scheme);
    cad_sb_printf(sb, " cenc:default_KID=\"%.8s-%.4s-%.4s-%.4s-%.12s\"/>\n", hex, hex + 8, hex + 12,
                  hex + 16, hex + 20);
}

/* Of a set: the scheme with the first one's key, and how all of its keys are asked for. Where keys
 * differ inside of it, each representation says which is its own. */
static void put_protection(struct writer *w, const struct mock_asset *asset)
{
    char pssh[MOCK_PSSH_TEXT_MAX];
    mock_pssh_text(w->origin, asset->type, pssh);
    if (!asset->scheme[0] || !pssh[0]) return;
    put_scheme(w->sb, asset, "      ");
    cad_sb_putz(w->sb, "      <ContentProtection"
                       " schemeIdUri=\"urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b\">\n");
    cad_sb_printf(w->sb, "        <cenc:pssh>%s</cenc:pssh>\n", pssh);
    cad_sb_putz(w->sb, "        <dashif:Laurl>");
    if (!w->base_url) {
        cad_sb_printf(w->sb, "%s://", w->origin->scheme);
        cad_sb_put_xml(w->sb, cad_str_from(w->origin->hosts[0]));
    }
    cad_sb_putz(w->sb, MOCK_LICENCE_PATH "</dashif:Laurl>\n      </ContentProtection>\n");
}

static void put_representation(struct writer *w, uint32_t i)
{
    const struct mock_asset *asset = &w->origin->assets[i];
    struct cad_sb *sb = w->sb;
    cad_sb_putz(sb, "      <Representation");
    put_attr(sb, "id", asset->id);
    if (asset->type != CAD_MEDIA_TEXT) put_attr(sb, "codecs", asset->codecs);
    cad_sb_printf(sb, " bandwidth=\"%" PRId64 "\"",
                  1000 * CAD_MAX(asset->rate_kbps, asset->peak_kbps));
    if (asset->type == CAD_MEDIA_VIDEO) {
        cad_sb_printf(sb, " width=\"%" PRIu32 "\" height=\"%" PRIu32 "\" sar=\"1:1\"", asset->width,
                      asset->height);
        put_frame_rate(sb, "frameRate", asset);
    } else if (asset->sample_rate_hz > 0) {
        cad_sb_printf(sb, " audioSamplingRate=\"%" PRIu32 "\"", asset->sample_rate_hz);
    }
    cad_sb_putz(sb, ">\n");
    if (asset->type == CAD_MEDIA_AUDIO) put_channels(sb, asset);
    put_scheme(sb, asset, "        ");
    put_base_urls(w, i);
    if (asset->type != CAD_MEDIA_TEXT) put_segment_base(sb, asset);
    cad_sb_putz(sb, "      </Representation>\n");
}

/* ---- adaptation sets ------------------------------------------------------------------------- */

/* Codecs of video that cannot be switched between are sets of their own. */
static bool same_set(const struct mock_asset *a, const struct mock_asset *b)
{
    if (a->type != b->type || strcmp(a->profile, b->profile) != 0) return false;
    return a->type == CAD_MEDIA_VIDEO ||
           (strcmp(a->lang, b->lang) == 0 && a->channels == b->channels);
}

static void put_video_set(struct writer *w, uint32_t first)
{
    const struct mock_asset *assets = w->origin->assets, *largest = &assets[first];
    for (uint32_t i = first; i < w->origin->asset_count; i++) {
        if (same_set(&assets[first], &assets[i]) && assets[i].width > largest->width) {
            largest = &assets[i];
        }
    }
    cad_sb_printf(w->sb, " maxWidth=\"%" PRIu32 "\" maxHeight=\"%" PRIu32 "\"", largest->width,
                  largest->height);
    put_frame_rate(w->sb, "maxFrameRate", &assets[first]);
}

/* A file beside the media (23009-1 5.3.5.3): no segments. */
static void put_text_set(struct writer *w, uint32_t i, uint32_t number)
{
    const struct mock_asset *asset = &w->origin->assets[i];
    cad_sb_printf(w->sb, "    <AdaptationSet id=\"%" PRIu32 "\" contentType=\"text\"", number);
    put_attr(w->sb, "mimeType", MOCK_TTML_TYPE);
    put_attr(w->sb, "lang", asset->lang[0] ? asset->lang : "und");
    cad_sb_putz(w->sb, ">\n      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\""
                       " value=\"subtitle\"/>\n");
    put_representation(w, i);
    cad_sb_putz(w->sb, "    </AdaptationSet>\n");
}

/* The set whose first asset is `first`; `main`: the one that most will want of its kind. */
static void put_set(struct writer *w, uint32_t first, uint32_t number, bool is_main)
{
    const struct mock_asset *assets = w->origin->assets, *asset = &assets[first];
    struct cad_sb *sb = w->sb;
    bool audio = asset->type == CAD_MEDIA_AUDIO;
    if (asset->type == CAD_MEDIA_TEXT) {
        put_text_set(w, first, number);
        return;
    }
    cad_sb_printf(sb, "    <AdaptationSet id=\"%" PRIu32 "\"", number);
    put_attr(sb, "contentType", audio ? "audio" : "video");
    put_attr(sb, "mimeType", audio ? "audio/mp4" : "video/mp4");
    if (audio) put_attr(sb, "lang", asset->lang[0] ? asset->lang : "und");
    cad_sb_putz(sb, " segmentAlignment=\"true\" subsegmentAlignment=\"true\" startWithSAP=\"1\""
                    " subsegmentStartsWithSAP=\"1\"");
    if (!audio) put_video_set(w, first);
    cad_sb_putz(sb, ">\n");
    cad_sb_printf(sb, "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"%s\"/>\n",
                  is_main ? "main" : audio ? "dub" : "alternate");
    put_protection(w, asset);
    for (uint32_t i = first; i < w->origin->asset_count; i++) {
        if (same_set(asset, &assets[i])) put_representation(w, i);
    }
    cad_sb_putz(sb, "    </AdaptationSet>\n");
}

/* The first set of a kind is its main one; so is sound in the first one's language. */
static void put_sets(struct writer *w)
{
    const struct mock_asset *assets = w->origin->assets;
    const struct mock_asset *main_of[CAD_MEDIA_TEXT + 1] = {NULL};
    uint32_t number = 0;
    for (uint32_t i = 0; i < w->origin->asset_count; i++) {
        enum cad_media_type type = assets[i].type;
        bool written = false;
        for (uint32_t k = 0; k < i && !written; k++) written = same_set(&assets[k], &assets[i]);
        if (written || type > CAD_MEDIA_TEXT) continue;
        bool is_main = !main_of[type] || (type == CAD_MEDIA_AUDIO &&
                                          strcmp(main_of[type]->lang, assets[i].lang) == 0);
        if (!main_of[type]) main_of[type] = &assets[i];
        put_set(w, i, number++, is_main);
    }
}

static bool can_be_described(const struct mock_origin *origin)
{
    for (uint32_t i = 0; i < origin->asset_count; i++) {
        const struct mock_asset *asset = &origin->assets[i];
        if (asset->type == CAD_MEDIA_TEXT) continue;
        if (!asset->codecs[0] || asset->sidx.first <= 0 || asset->timescale == 0) return false;
    }
    return true;
}

static bool is_protected(const struct mock_origin *origin)
{
    uint8_t kids[MOCK_TRACK_KIDS_MAX][CAD_KEY_ID_SIZE];
    return mock_kids(origin, CAD_MEDIA_VIDEO, kids) + mock_kids(origin, CAD_MEDIA_AUDIO, kids) > 0;
}

int mock_origin_mpd(struct mock_origin *origin, const char *base_url, int64_t now_ms, cad_str *out)
{
    if (base_url && (!base_url[0] || strlen(base_url) >= MOCK_MESSAGE_MAX)) return CAD_E_INVAL;
    if (!can_be_described(origin)) return CAD_E_INVAL;
    struct writer w = {.sb = &origin->body, .origin = origin, .base_url = base_url};
    w.grant.session = cad_hash_u64((uint64_t)now_ms ^ origin->seed);
    w.grant.expiry_s = now_ms / 1000 + origin->url_life_s;
    cad_sb_reset(w.sb);
    cad_sb_putz(w.sb, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                      "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"");
    if (is_protected(origin)) {
        cad_sb_putz(w.sb, " xmlns:cenc=\"urn:mpeg:cenc:2013\""
                          " xmlns:dashif=\"https://dashif.org/CPS\"");
    }
    cad_sb_putz(w.sb, " profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\" type=\"static\"");
    put_duration(w.sb, "mediaPresentationDuration", origin->duration);
    cad_sb_printf(w.sb, " minBufferTime=\"PT%dS\">\n", MIN_BUFFER_S);
    cad_sb_putz(w.sb, "  <Period id=\"p0\" start=\"PT0S\">\n");
    put_sets(&w);
    cad_sb_putz(w.sb, "  </Period>\n</MPD>\n");
    if (w.error < 0) return w.error;
    if (cad_sb_error(w.sb) < 0) return cad_sb_error(w.sb);
    *out = cad_sb_str(w.sb);
    return 0;
}
