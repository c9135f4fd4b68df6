/*
 * licensed_fields.c - the tables of the licensed manifest: every name of the specification's
 * sections 3 and 5, with the type of what is read.
 */
#include "base/util.h"
#include "manifest/licensed_raw.h"

#define KNOWN(name) {name, CAD_RAW_KNOWN, CAD_NODE_NONE, CAD_RAW_LIMIT_NONE, 0}
#define VALUE(name, type, node, member)                                                            \
    {name, CAD_RAW_##type, CAD_NODE_NONE, CAD_RAW_LIMIT_NONE,                                      \
     (uint16_t)offsetof(struct cad_raw_##node, member)}
#define OBJECT(name, child, node, member)                                                          \
    {name, CAD_RAW_OBJECT, CAD_NODE_##child, CAD_RAW_LIMIT_NONE,                                   \
     (uint16_t)offsetof(struct cad_raw_##node, member)}
#define MANY(name, type, child, bound, node, member)                                               \
    {name, CAD_RAW_##type, CAD_NODE_##child, CAD_RAW_LIMIT_##bound,                                \
     (uint16_t)offsetof(struct cad_raw_##node, member)}

/* 5.1. */
#define MANIFEST_FIELDS                                                                            \
    VALUE("movieId", ID, manifest, movie_id), VALUE("manifestVersion", STR, manifest, version),    \
        VALUE("streamingType", STR, manifest, streaming_type),                                     \
        VALUE("duration", INT, manifest, duration), VALUE("bookmark", INT, manifest, bookmark),    \
        VALUE("playbackContextId", STR, manifest, context_id),                                     \
        VALUE("expiration", INT, manifest, expiration),                                            \
        VALUE("manifestExpirationDuration", INT, manifest, keep_ms),                               \
        VALUE("creditsOffset", INT, manifest, credits_offset),                                     \
        VALUE("liveMetadata", MARK, manifest, live_metadata),                                      \
        OBJECT("steeringAdditionalInfo", STEERING, manifest, steering),                            \
        OBJECT("links", LINKS, manifest, links),                                                   \
        OBJECT("recommendedMedia", RECOMMENDED, manifest, recommended),                            \
        MANY("servers", LIST, SERVER, SERVERS, manifest, servers),                                 \
        MANY("locations", LIST, LOCATION, LOCATIONS, manifest, locations),                         \
        MANY("video_tracks", LIST, VIDEO, VIDEO_TRACKS, manifest, video),                          \
        MANY("audio_tracks", LIST, AUDIO, AUDIO_TRACKS, manifest, audio),                          \
        MANY("timedtexttracks", LIST, TEXT, TEXT_TRACKS, manifest, text),                          \
        MANY("trickplays", LIST, TRICKPLAY, TRICKPLAYS, manifest, trickplays),                     \
        MANY("defaultTrackOrderList", LIST, CHOICE, CHOICES, manifest, choices),                   \
        MANY("timecodeAnnotations", LIST, ANNOTATION, ANNOTATIONS, manifest, annotations),         \
        KNOWN("viewableType"), KNOWN("packageId"), KNOWN("drmContextId"),                          \
        KNOWN("urlExpirationDuration"), KNOWN("prefetchTtl"), KNOWN("drmType"),                    \
        KNOWN("drmVersion"), KNOWN("hasDrmProfile"), KNOWN("hasDrmStreams"),                       \
        KNOWN("hasClearProfile"), KNOWN("hasClearStreams"), KNOWN("clientIpAddress"),              \
        KNOWN("cdnResponseData"), KNOWN("eligibleABTestMap"), KNOWN("media"),                      \
        KNOWN("audioTextShortcuts"), KNOWN("maxRecommendedAudioRank"),                             \
        KNOWN("maxRecommendedTextRank"), KNOWN("partiallyHydrated"), KNOWN("badgingInfo"),         \
        KNOWN("watermarkInfo"), KNOWN("chapters"), KNOWN("choiceMap"), KNOWN("contentPlaygraph"),  \
        KNOWN("auxiliaryManifests"), KNOWN("adverts"), KNOWN("isAd"), KNOWN("isBranching"),        \
        KNOWN("isSupplemental"), KNOWN("mediaEventTracks"), KNOWN("ella"), KNOWN("relayServers")

static const struct cad_raw_field manifest_fields[] = {MANIFEST_FIELDS};

/* Section 3: the envelope, or a bare manifest. */
static const struct cad_raw_field root_fields[] = {
    MANIFEST_FIELDS,
    KNOWN("id"),
    KNOWN("version"),
    KNOWN("from"),
    VALUE("serverTime", INT, manifest, server_time),
    OBJECT("result", MANIFEST, manifest, result),
    OBJECT("error", ERROR, manifest, error),
};

static const struct cad_raw_field error_fields[] = {
    VALUE("code", ID, error, code),
    VALUE("message", STR, error, message),
    VALUE("errorDisplayMessage", STR, error, display_message),
    VALUE("retryable", BOOLISH, error, retryable),
    VALUE("retryAfterMs", INT, error, retry_after_ms),
    OBJECT("data", ERROR_DATA, error, data),
    KNOWN("subCode"),
    KNOWN("errorSubCode"),
    KNOWN("errorExternalCode"),
    KNOWN("errorEdgeCode"),
};

static const struct cad_raw_field error_data_fields[] = {
    VALUE("CLIENT_RETRYABLE", BOOLISH, error_data, retryable),
};

/* 5.6. */
static const struct cad_raw_field location_fields[] = {
    VALUE("key", STR, location, key),
    VALUE("rank", INT, location, rank),
    VALUE("level", INT, location, level),
    VALUE("weight", INT, location, weight),
};

static const struct cad_raw_field server_fields[] = {
    VALUE("id", ID, server, id),
    VALUE("name", STR, server, name),
    VALUE("key", STR, server, key),
    VALUE("rank", INT, server, rank),
    VALUE("lowgrade", BOOL, server, lowgrade),
    OBJECT("dns", DNS, server, dns),
    KNOWN("type"),
};

static const struct cad_raw_field dns_fields[] = {
    VALUE("host", STR, dns, host),
    KNOWN("ipv4"),
    KNOWN("ipv6"),
    KNOWN("forceLookup"),
};

static const struct cad_raw_field steering_fields[] = {
    OBJECT("streamingClientConfig", CONFIG, steering, config),
    KNOWN("steeringId"),
    KNOWN("additionalGroupNames"),
    KNOWN("stickySteeringMetadata"),
    KNOWN("slowInitialBufferingSignal"),
    KNOWN("liveEdgeCushionMs"),
    KNOWN("liveEdgeCushionWithSpreadMs"),
};

static const struct cad_raw_field config_fields[] = {
    VALUE("maxBitrateKbps", STR, config, max_kbps),
    VALUE("startupMaxKbps", STR, config, startup_max_kbps),
    VALUE("connectTimeoutMs", STR, config, connect_timeout_ms),
    VALUE("bufferTargetSec", STR, config, buffer_target_s),
    KNOWN("downloadReportDenominator"),
};

/* 5.9. */
static const struct cad_raw_field links_fields[] = {
    OBJECT("license", LINK, links, license), OBJECT("ldl", LINK, links, ldl),
    OBJECT("events", LINK, links, events),   OBJECT("logblob", LINK, links, logblob),
    OBJECT("probe", LINK, links, probe),     KNOWN("releaseLicense"),
};

static const struct cad_raw_field link_fields[] = {
    VALUE("href", STR, link, href),
    KNOWN("rel"),
};

/* 5.2 and 5.4: what the kinds of tracks share. */
#define TRACK_FIELDS                                                                               \
    VALUE("new_track_id", ID, track, new_track_id), VALUE("track_id", ID, track, track_id),        \
        VALUE("id", ID, track, id), VALUE("trackType", STR, track, track_type),                    \
        VALUE("rank", INT, track, rank), VALUE("hydrated", BOOL, track, hydrated), KNOWN("type"),  \
        KNOWN("rawTrackType"), KNOWN("profile"), KNOWN("profileType")

#define DRM_FIELDS                                                                                 \
    OBJECT("drmHeader", DRM_HEADER, track, drm_header),                                            \
        OBJECT("license", LICENSE, track, license),                                                \
        MANY("prkDrmHeaders", LIST, DRM_HEADER, DRM_HEADERS, track, drm_headers),                  \
        MANY("streams", LIST, STREAM, STREAMS, track, streams)

static const struct cad_raw_field video_fields[] = {
    TRACK_FIELDS,
    DRM_FIELDS,
    VALUE("max_framerate_value", INT, track, rate_value),
    VALUE("max_framerate_scale", INT, track, rate_scale),
    KNOWN("flavor"),
    KNOWN("groupName"),
    KNOWN("ict"),
    KNOWN("stereo"),
    KNOWN("maxWidth"),
    KNOWN("maxHeight"),
    KNOWN("minWidth"),
    KNOWN("minHeight"),
    KNOWN("maxCroppedX"),
    KNOWN("maxCroppedY"),
    KNOWN("maxCroppedWidth"),
    KNOWN("maxCroppedHeight"),
    KNOWN("pixelAspectX"),
    KNOWN("pixelAspectY"),
};

static const struct cad_raw_field audio_fields[] = {
    TRACK_FIELDS,
    DRM_FIELDS,
    VALUE("language", STR, track, language),
    VALUE("languageDescription", STR, track, description),
    VALUE("channels", STR, track, channels),
    VALUE("isNative", BOOL, track, is_native),
    VALUE("isNoneTrack", BOOL, track, is_none),
    KNOWN("channelsFormat"),
    KNOWN("surroundFormatLabel"),
    KNOWN("codecName"),
    KNOWN("bitrates"),
    KNOWN("disallowedSubtitleTracks"),
    KNOWN("defaultTimedText"),
    KNOWN("offTrackDisallowed"),
    KNOWN("allowedVideoTrackId"),
};

static const struct cad_raw_field text_fields[] = {
    TRACK_FIELDS,
    VALUE("language", STR, track, language),
    VALUE("languageDescription", STR, track, description),
    VALUE("isNoneTrack", BOOL, track, is_none),
    VALUE("isForcedNarrative", BOOL, track, is_forced),
    MANY("ttDownloadables", MAP, TEXT_FILE, STREAMS, track, files),
    MANY("downloadableIds", TEXT_MAP, NONE, STREAMS, track, file_ids),
    KNOWN("isLanguageLeftToRight"),
    KNOWN("encodingProfileNames"),
};

/* 5.3. */
static const struct cad_raw_field stream_fields[] = {
    VALUE("downloadable_id", ID, stream, id),
    VALUE("content_profile", STR, stream, profile),
    VALUE("bitrate", INT, stream, bitrate),
    VALUE("peakBitrate", INT, stream, peak),
    VALUE("size", INT, stream, size),
    VALUE("startByteOffset", INT, stream, header_bytes),
    VALUE("res_w", INT, stream, width),
    VALUE("res_h", INT, stream, height),
    VALUE("framerate_value", INT, stream, rate_value),
    VALUE("framerate_scale", INT, stream, rate_scale),
    VALUE("vmaf", MILLI, stream, vmaf_milli),
    VALUE("isDrm", BOOL, stream, is_drm),
    VALUE("drmHeaderId", STR, stream, drm_header_id),
    VALUE("channels", STR, stream, channels),
    OBJECT("moov", BOX, stream, moov),
    OBJECT("sidx", BOX, stream, sidx),
    OBJECT("ssix", BOX, stream, ssix),
    MANY("urls", LIST, URL, URLS, stream, urls),
    KNOWN("pix_w"),
    KNOWN("pix_h"),
    KNOWN("crop_x"),
    KNOWN("crop_y"),
    KNOWN("crop_w"),
    KNOWN("crop_h"),
    KNOWN("segmentVmaf"),
    KNOWN("tags"),
    KNOWN("representationId"),
    KNOWN("new_stream_id"),
    KNOWN("trackType"),
    KNOWN("type"),
    KNOWN("audioKey"),
};

static const struct cad_raw_field box_fields[] = {
    VALUE("offset", INT, box, offset),
    VALUE("size", INT, box, size),
};

/* 5.5. */
static const struct cad_raw_field url_fields[] = {
    VALUE("cdn_id", ID, url, cdn_id),
    VALUE("url", STR, url, url),
    KNOWN("liveOcaCapabilities"),
};

/* 5.7. */
static const struct cad_raw_field drm_header_fields[] = {
    VALUE("bytes", STR, drm_header, bytes),
    VALUE("drmHeaderId", STR, drm_header, id),
    VALUE("keyId", STR, drm_header, key_id),
    KNOWN("checksum"),
    KNOWN("resolution"),
};

static const struct cad_raw_field license_fields[] = {
    VALUE("licenseResponseBase64", STR, license, response),
    KNOWN("drmSessionId"),
    KNOWN("drmGroupId"),
    KNOWN("providerSessionToken"),
    KNOWN("secureStopExpected"),
    KNOWN("links"),
};

static const struct cad_raw_field text_file_fields[] = {
    VALUE("size", INT, text_file, size),
    VALUE("width", INT, text_file, width),
    VALUE("height", INT, text_file, height),
    VALUE("midxOffset", INT, text_file, midx_offset),
    VALUE("midxSize", INT, text_file, midx_size),
    VALUE("isImage", BOOL, text_file, is_image),
    MANY("urls", LIST, URL, URLS, text_file, urls),
    MANY("downloadUrls", TEXT_MAP, NONE, URLS, text_file, download_urls),
    KNOWN("hashAlgo"),
    KNOWN("hashValue"),
};

/* Section 8. */
static const struct cad_raw_field trickplay_fields[] = {
    VALUE("id", ID, trickplay, id),
    VALUE("downloadable_id", ID, trickplay, downloadable_id),
    VALUE("size", INT, trickplay, size),
    VALUE("width", INT, trickplay, width),
    VALUE("height", INT, trickplay, height),
    MANY("urls", URLS, URL, URLS, trickplay, urls),
    KNOWN("interval"),
    KNOWN("imageCount"),
    KNOWN("pixelsAspectX"),
    KNOWN("pixelsAspectY"),
    KNOWN("headIdentDuration"),
};

static const struct cad_raw_field choice_fields[] = {
    VALUE("videoTrackId", ID, choice, video),
    VALUE("audioTrackId", ID, choice, audio),
    VALUE("subtitleTrackId", ID, choice, text),
    VALUE("preferenceOrder", INT, choice, order),
    KNOWN("mediaId"),
};

static const struct cad_raw_field recommended_fields[] = {
    VALUE("videoTrackId", ID, choice, video),
    VALUE("audioTrackId", ID, choice, audio),
    VALUE("timedTextTrackId", ID, choice, text),
};

static const struct cad_raw_field annotation_fields[] = {
    VALUE("type", STR, annotation, type),
    VALUE("startOffsetMs", INT, annotation, start_ms),
    VALUE("endOffsetMs", INT, annotation, end_ms),
};

#define LAYOUT(table, node) {table, CAD_ARRAY_LEN(table), sizeof(struct cad_raw_##node)}

static const struct cad_raw_layout layouts[CAD_NODE_COUNT] = {
    [CAD_NODE_NONE] = {NULL, 0, sizeof(struct cad_raw_text)},
    [CAD_NODE_ROOT] = LAYOUT(root_fields, manifest),
    [CAD_NODE_MANIFEST] = LAYOUT(manifest_fields, manifest),
    [CAD_NODE_ERROR] = LAYOUT(error_fields, error),
    [CAD_NODE_ERROR_DATA] = LAYOUT(error_data_fields, error_data),
    [CAD_NODE_LOCATION] = LAYOUT(location_fields, location),
    [CAD_NODE_SERVER] = LAYOUT(server_fields, server),
    [CAD_NODE_DNS] = LAYOUT(dns_fields, dns),
    [CAD_NODE_STEERING] = LAYOUT(steering_fields, steering),
    [CAD_NODE_CONFIG] = LAYOUT(config_fields, config),
    [CAD_NODE_LINKS] = LAYOUT(links_fields, links),
    [CAD_NODE_LINK] = LAYOUT(link_fields, link),
    [CAD_NODE_VIDEO] = LAYOUT(video_fields, track),
    [CAD_NODE_AUDIO] = LAYOUT(audio_fields, track),
    [CAD_NODE_TEXT] = LAYOUT(text_fields, track),
    [CAD_NODE_STREAM] = LAYOUT(stream_fields, stream),
    [CAD_NODE_BOX] = LAYOUT(box_fields, box),
    [CAD_NODE_URL] = LAYOUT(url_fields, url),
    [CAD_NODE_DRM_HEADER] = LAYOUT(drm_header_fields, drm_header),
    [CAD_NODE_LICENSE] = LAYOUT(license_fields, license),
    [CAD_NODE_TEXT_FILE] = LAYOUT(text_file_fields, text_file),
    [CAD_NODE_TRICKPLAY] = LAYOUT(trickplay_fields, trickplay),
    [CAD_NODE_CHOICE] = LAYOUT(choice_fields, choice),
    [CAD_NODE_RECOMMENDED] = LAYOUT(recommended_fields, choice),
    [CAD_NODE_ANNOTATION] = LAYOUT(annotation_fields, annotation),
};

const struct cad_raw_layout *cad_raw_layout_of(enum cad_raw_node node)
{
    return &layouts[node];
}
