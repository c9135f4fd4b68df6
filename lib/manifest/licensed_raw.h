/*
 * licensed_raw.h - a licensed manifest as it was written: the fields this library reads, unjudged.
 *
 * Reading (licensed_read.c) is driven by the tables of licensed_fields.c: for each kind of object
 * its keys, the type that each must have and where the value goes. The result is a tree of the
 * structs below in a scratch arena, with every value either of the right type or absent; "null", a
 * wrong type and a repeated key count as absent here. Judging comes after (licensed_steer.c,
 * licensed_streams.c...), so that no order of keys matters.
 */
#ifndef CAD_MANIFEST_LICENSED_RAW_H
#define CAD_MANIFEST_LICENSED_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#define CAD_RAW_ABSENT INT64_MIN /* an integer that was not given; texts are absent with p NULL */

/* What every element begins with; key is set for members of maps only. */
struct cad_raw_item {
    struct cad_raw_item *next;
    cad_str key;
};

struct cad_raw_list {
    struct cad_raw_item *first;
    struct cad_raw_item *last;
    uint32_t count;
};

/* Booleans are int8_t: -1 absent, 0, 1. */
struct cad_raw_text {
    struct cad_raw_item item;
    cad_str value;
};

struct cad_raw_box {
    struct cad_raw_item item;
    int64_t offset, size;
};

struct cad_raw_url {
    struct cad_raw_item item;
    cad_str cdn_id, url;
};

struct cad_raw_location {
    struct cad_raw_item item;
    cad_str key;
    int64_t rank, level, weight;
};

struct cad_raw_dns {
    struct cad_raw_item item;
    cad_str host;
};

struct cad_raw_server {
    struct cad_raw_item item;
    cad_str id, name, key;
    int64_t rank;
    struct cad_raw_dns *dns;
    int8_t lowgrade;
};

struct cad_raw_drm_header {
    struct cad_raw_item item;
    cad_str bytes, id, key_id;
    bool good; /* set when it was put into the model */
};

struct cad_raw_license {
    struct cad_raw_item item;
    cad_str response;
};

struct cad_raw_stream {
    struct cad_raw_item item;
    cad_str id, profile, channels, drm_header_id;
    int64_t bitrate, peak, size, header_bytes; /* kbit/s, kbit/s, bytes, bytes */
    int64_t width, height, rate_value, rate_scale, vmaf_milli;
    struct cad_raw_box *moov, *sidx, *ssix;
    struct cad_raw_list urls; /* cad_raw_url */
    int8_t is_drm;
};

/* One downloadable of a text track; the item's key is its profile. */
struct cad_raw_text_file {
    struct cad_raw_item item;
    int64_t size, width, height, midx_offset, midx_size;
    struct cad_raw_list urls;          /* cad_raw_url */
    struct cad_raw_list download_urls; /* cad_raw_text by cdn id, the older form */
    int8_t is_image;
};

/* Video, audio and text tracks; each reads the fields it has. */
struct cad_raw_track {
    struct cad_raw_item item;
    cad_str new_track_id, track_id, id;
    cad_str track_type, language, description, channels;
    int64_t rank, rate_value, rate_scale;
    struct cad_raw_drm_header *drm_header;
    struct cad_raw_license *license;
    struct cad_raw_list drm_headers; /* cad_raw_drm_header */
    struct cad_raw_list streams;     /* cad_raw_stream */
    struct cad_raw_list files;       /* cad_raw_text_file */
    struct cad_raw_list file_ids;    /* cad_raw_text by profile */
    int8_t is_native, is_none, is_forced, hydrated;
};

struct cad_raw_trickplay {
    struct cad_raw_item item;
    cad_str id, downloadable_id;
    int64_t size, width, height;
    struct cad_raw_list urls; /* cad_raw_url */
};

struct cad_raw_choice {
    struct cad_raw_item item;
    cad_str video, audio, text;
    int64_t order;
};

struct cad_raw_annotation {
    struct cad_raw_item item;
    cad_str type;
    int64_t start_ms, end_ms;
};

struct cad_raw_link {
    struct cad_raw_item item;
    cad_str href;
};

struct cad_raw_links {
    struct cad_raw_item item;
    struct cad_raw_link *license, *ldl, *events, *logblob, *probe;
};

struct cad_raw_config {
    struct cad_raw_item item;
    cad_str max_kbps, startup_max_kbps, connect_timeout_ms, buffer_target_s;
};

struct cad_raw_steering {
    struct cad_raw_item item;
    struct cad_raw_config *config;
};

struct cad_raw_error_data {
    struct cad_raw_item item;
    int8_t retryable;
};

struct cad_raw_error {
    struct cad_raw_item item;
    cad_str code, message, display_message;
    int64_t retry_after_ms;
    struct cad_raw_error_data *data;
    int8_t retryable;
};

/* The top level: the envelope, and the manifest itself where there is none. */
struct cad_raw_manifest {
    struct cad_raw_item item;
    int64_t server_time; /* envelope only, like the next two */
    struct cad_raw_manifest *result;
    struct cad_raw_error *error;

    cad_str movie_id, version, streaming_type, context_id;
    int64_t duration, bookmark, expiration, keep_ms, credits_offset;
    struct cad_raw_steering *steering;
    struct cad_raw_links *links;
    struct cad_raw_choice *recommended;
    struct cad_raw_list servers, locations;
    struct cad_raw_list video, audio, text; /* cad_raw_track */
    struct cad_raw_list trickplays;
    struct cad_raw_list choices;     /* cad_raw_choice */
    struct cad_raw_list annotations; /* cad_raw_annotation */
    int8_t live_metadata;            /* 1: there is such an object */
};

/* ---- the tables ---------------------------------------------------------------------------- */

enum cad_raw_type {
    CAD_RAW_KNOWN,    /* a name that the specification has and this version does not read */
    CAD_RAW_INT,      /* int64_t; an integer within 53 bits */
    CAD_RAW_MILLI,    /* int64_t; any number, times 1000 */
    CAD_RAW_ID,       /* cad_str; a text that is not empty, or an integer */
    CAD_RAW_STR,      /* cad_str */
    CAD_RAW_BOOL,     /* int8_t */
    CAD_RAW_BOOLISH,  /* int8_t; also "true" and "false" */
    CAD_RAW_MARK,     /* int8_t; 1 if an object stands here, which is not read */
    CAD_RAW_OBJECT,   /* a pointer to a struct of the child node */
    CAD_RAW_LIST,     /* cad_raw_list; an array of objects of the child node */
    CAD_RAW_URLS,     /* the same for URLs, where a text stands for an object with that url */
    CAD_RAW_MAP,      /* cad_raw_list; an object whose members are objects of the child node */
    CAD_RAW_TEXT_MAP  /* cad_raw_list of cad_raw_text; an object whose members are texts or ids */
};

/* Which limit bounds a list. The first ones are the caller's (struct cad_manifest_limits). */
enum cad_raw_limit {
    CAD_RAW_LIMIT_NONE,
    CAD_RAW_LIMIT_AUDIO_TRACKS,
    CAD_RAW_LIMIT_VIDEO_TRACKS,
    CAD_RAW_LIMIT_TEXT_TRACKS,
    CAD_RAW_LIMIT_STREAMS,
    CAD_RAW_LIMIT_URLS,
    CAD_RAW_LIMIT_SERVERS,
    CAD_RAW_LIMIT_LOCATIONS,
    CAD_RAW_LIMIT_TRICKPLAYS,
    CAD_RAW_LIMIT_DRM_HEADERS,
    CAD_RAW_LIMIT_CHOICES,
    CAD_RAW_LIMIT_ANNOTATIONS
};

#define CAD_LICENSED_TRICKPLAYS_MAX 64u
#define CAD_LICENSED_DRM_HEADERS_MAX 64u   /* a track */
#define CAD_LICENSED_CHOICES_MAX 1024u     /* entries of defaultTrackOrderList */
#define CAD_LICENSED_ANNOTATIONS_MAX 1024u /* entries of timecodeAnnotations */

enum cad_raw_node {
    CAD_NODE_NONE,
    CAD_NODE_ROOT,
    CAD_NODE_MANIFEST,
    CAD_NODE_ERROR,
    CAD_NODE_ERROR_DATA,
    CAD_NODE_LOCATION,
    CAD_NODE_SERVER,
    CAD_NODE_DNS,
    CAD_NODE_STEERING,
    CAD_NODE_CONFIG,
    CAD_NODE_LINKS,
    CAD_NODE_LINK,
    CAD_NODE_VIDEO,
    CAD_NODE_AUDIO,
    CAD_NODE_TEXT,
    CAD_NODE_STREAM,
    CAD_NODE_BOX,
    CAD_NODE_URL,
    CAD_NODE_DRM_HEADER,
    CAD_NODE_LICENSE,
    CAD_NODE_TEXT_FILE,
    CAD_NODE_TRICKPLAY,
    CAD_NODE_CHOICE,
    CAD_NODE_RECOMMENDED,
    CAD_NODE_ANNOTATION,
    CAD_NODE_COUNT
};

struct cad_raw_field {
    const char *name;
    uint8_t type;    /* enum cad_raw_type */
    uint8_t child;   /* enum cad_raw_node */
    uint8_t limit;   /* enum cad_raw_limit */
    uint16_t offset; /* of the value in the node's struct */
};

struct cad_raw_layout {
    const struct cad_raw_field *fields; /* at most 64: one bit each tells "seen" */
    uint32_t field_count;
    uint32_t size; /* bytes of the struct */
};

const struct cad_raw_layout *cad_raw_layout_of(enum cad_raw_node node);

#endif
