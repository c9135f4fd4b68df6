/*
 * dash_names.h - the element and attribute names of an MPD that this library reads.
 *
 * X(id, name), in the order of (length, bytes): dash_names.c searches them by halving.
 */
#ifndef CAD_MANIFEST_DASH_NAMES_H
#define CAD_MANIFEST_DASH_NAMES_H

#include "cadmium/base.h"

#define CAD_DASH_ELEMENT_LIST(X)                                                                   \
    X(S, "S")                                                                                      \
    X(MPD, "MPD")                                                                                  \
    X(ROLE, "Role")                                                                                \
    X(EVENT, "Event")                                                                              \
    X(LABEL, "Label")                                                                              \
    X(PERIOD, "Period")                                                                            \
    X(BASE_URL, "BaseURL")                                                                         \
    X(LATENCY, "Latency")                                                                          \
    X(LOCATION, "Location")                                                                        \
    X(UTC_TIMING, "UTCTiming")                                                                     \
    X(SEGMENT_URL, "SegmentURL")                                                                   \
    X(EVENT_STREAM, "EventStream")                                                                 \
    X(SEGMENT_BASE, "SegmentBase")                                                                 \
    X(SEGMENT_LIST, "SegmentList")                                                                 \
    X(PLAYBACK_RATE, "PlaybackRate")                                                               \
    X(ACCESSIBILITY, "Accessibility")                                                              \
    X(ADAPTATION_SET, "AdaptationSet")                                                             \
    X(PATCH_LOCATION, "PatchLocation")                                                             \
    X(INITIALIZATION, "Initialization")                                                            \
    X(REPRESENTATION, "Representation")                                                            \
    X(CONTENT_STEERING, "ContentSteering")                                                         \
    X(SEGMENT_TEMPLATE, "SegmentTemplate")                                                         \
    X(SEGMENT_TIMELINE, "SegmentTimeline")                                                         \
    X(CONTENT_COMPONENT, "ContentComponent")                                                       \
    X(CONTENT_PROTECTION, "ContentProtection")                                                     \
    X(ESSENTIAL_PROPERTY, "EssentialProperty")                                                     \
    X(INBAND_EVENT_STREAM, "InbandEventStream")                                                    \
    X(SERVICE_DESCRIPTION, "ServiceDescription")                                                   \
    X(REPRESENTATION_INDEX, "RepresentationIndex")                                                 \
    X(SUPPLEMENTAL_PROPERTY, "SupplementalProperty")                                               \
    X(AUDIO_CHANNEL_CONFIGURATION, "AudioChannelConfiguration")

/* Elements of other namespaces. */
#define CAD_DASH_FOREIGN_LIST(X)                                                                   \
    X(CENC_PSSH, "urn:mpeg:cenc:2013", "pssh")                                                     \
    X(DASHIF_LAURL, "https://dashif.org/CPS", "Laurl")                                             \
    X(DASHIF_LAURL_OLD, "https://dashif.org/CPS", "laurl")                                         \
    X(CLEARKEY_LAURL, "http://dashif.org/guidelines/clearKey", "Laurl")

#define CAD_DASH_ATTRIBUTE_LIST(X)                                                                 \
    X(D, "d")                                                                                      \
    X(N, "n")                                                                                      \
    X(R, "r")                                                                                      \
    X(T, "t")                                                                                      \
    X(ID, "id")                                                                                    \
    X(MAX, "max")                                                                                  \
    X(MIN, "min")                                                                                  \
    X(TTL, "ttl")                                                                                  \
    X(LANG, "lang")                                                                                \
    X(TYPE, "type")                                                                                \
    X(INDEX, "index")                                                                              \
    X(LABEL, "label")                                                                              \
    X(MEDIA, "media")                                                                              \
    X(RANGE, "range")                                                                              \
    X(START, "start")                                                                              \
    X(VALUE, "value")                                                                              \
    X(WIDTH, "width")                                                                              \
    X(CODECS, "codecs")                                                                            \
    X(HEIGHT, "height")                                                                            \
    X(TARGET, "target")                                                                            \
    X(DURATION, "duration")                                                                        \
    X(MIME_TYPE, "mimeType")                                                                       \
    X(PROFILES, "profiles")                                                                        \
    X(BANDWIDTH, "bandwidth")                                                                      \
    X(END_NUMBER, "endNumber")                                                                     \
    X(FRAME_RATE, "frameRate")                                                                     \
    X(SOURCE_URL, "sourceURL")                                                                     \
    X(TIMESCALE, "timescale")                                                                      \
    X(INDEX_RANGE, "indexRange")                                                                   \
    X(MEDIA_RANGE, "mediaRange")                                                                   \
    X(CONTENT_TYPE, "contentType")                                                                 \
    X(PUBLISH_TIME, "publishTime")                                                                 \
    X(SCHEME_ID_URI, "schemeIdUri")                                                                \
    X(START_NUMBER, "startNumber")                                                                 \
    X(DEPENDENCY_ID, "dependencyId")                                                               \
    X(MIN_BUFFER_TIME, "minBufferTime")                                                            \
    X(INITIALIZATION, "initialization")                                                            \
    X(PROXY_SERVER_URL, "proxyServerURL")                                                          \
    X(QUALITY_RANKING, "qualityRanking")                                                           \
    X(SERVICE_LOCATION, "serviceLocation")                                                         \
    X(PRESENTATION_TIME, "presentationTime")                                                       \
    X(QUERY_BEFORE_START, "queryBeforeStart")                                                      \
    X(AUDIO_SAMPLING_RATE, "audioSamplingRate")                                                    \
    X(SELECTION_PRIORITY, "selectionPriority")                                                     \
    X(MAX_SEGMENT_DURATION, "maxSegmentDuration")                                                  \
    X(AVAILABILITY_END_TIME, "availabilityEndTime")                                                \
    X(MINIMUM_UPDATE_PERIOD, "minimumUpdatePeriod")                                                \
    X(TIME_SHIFT_BUFFER_DEPTH, "timeShiftBufferDepth")                                             \
    X(AVAILABILITY_START_TIME, "availabilityStartTime")                                            \
    X(AVAILABILITY_TIME_OFFSET, "availabilityTimeOffset")                                          \
    X(DEFAULT_SERVICE_LOCATION, "defaultServiceLocation")                                          \
    X(PRESENTATION_TIME_OFFSET, "presentationTimeOffset")                                          \
    X(AVAILABILITY_TIME_COMPLETE, "availabilityTimeComplete")                                      \
    X(MEDIA_PRESENTATION_DURATION, "mediaPresentationDuration")                                    \
    X(SUGGESTED_PRESENTATION_DELAY, "suggestedPresentationDelay")

/* Attributes of other namespaces. */
#define CAD_DASH_FOREIGN_ATTRIBUTE_LIST(X)                                                         \
    X(XLINK_HREF, "http://www.w3.org/1999/xlink", "href")                                          \
    X(CENC_DEFAULT_KID, "urn:mpeg:cenc:2013", "default_KID")

enum cad_dash_element {
    CAD_DASH_UNKNOWN,
#define CAD_X(id, name) CAD_DASH_##id,
    CAD_DASH_ELEMENT_LIST(CAD_X)
#undef CAD_X
#define CAD_X(id, ns, name) CAD_DASH_##id,
    CAD_DASH_FOREIGN_LIST(CAD_X)
#undef CAD_X
};

enum cad_dash_attribute {
    CAD_DASH_AT_UNKNOWN,
#define CAD_X(id, name) CAD_DASH_AT_##id,
    CAD_DASH_ATTRIBUTE_LIST(CAD_X)
#undef CAD_X
#define CAD_X(id, ns, name) CAD_DASH_AT_##id,
    CAD_DASH_FOREIGN_ATTRIBUTE_LIST(CAD_X)
#undef CAD_X
};

/* CAD_DASH_UNKNOWN for any other; case counts. */
enum cad_dash_element cad_dash_element_find(cad_str name);
enum cad_dash_element cad_dash_foreign_find(cad_str ns, cad_str name);
enum cad_dash_attribute cad_dash_attribute_find(cad_str name);
enum cad_dash_attribute cad_dash_foreign_attribute_find(cad_str ns, cad_str name);
/* As published; "" for an unknown one. */
const char *cad_dash_attribute_name(enum cad_dash_attribute attribute);

#endif
