/*
 * dash.h - the DASH half of the parser, and what its parts share.
 *
 * parser.c calls init, step until it is done, take. A parse runs in two stages, both resumable:
 * the document is fed to the XML reader in slices and becomes a tree of the elements and attributes
 * this library knows (dash_read.c); then the model is built, a representation at a time
 * (dash_build.c). The tree is scratch and dies with the parse.
 *
 * What only the dump needs goes into a side structure behind the public model
 * (struct cad_dash_side), which keeps everything in the order of the document.
 */
#ifndef CAD_MANIFEST_DASH_H
#define CAD_MANIFEST_DASH_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/manifest.h"

#include "base/arena.h"
#include "base/strbuf.h"
#include "base/xml.h"
#include "manifest/dash_names.h"
#include "manifest/dash_values.h"
#include "manifest/model.h"
#include "manifest/urls.h"

/* Limits besides those of the options. Each has a test. */
#define CAD_DASH_NODES_MAX 131072u     /* known elements but S */
#define CAD_DASH_MODEL_BYTES_MAX (64u << 20) /* of the model and its timelines */
#define CAD_DASH_SEGMENTS_MAX 2000000  /* of one representation */
#define CAD_DASH_BASES_MAX 64u         /* combinations of BaseURLs at one level */
#define CAD_DASH_SETS_MAX 512u         /* adaptation sets of a period */
#define CAD_DASH_REPRESENTATIONS_MAX 1024u /* of an adaptation set */
#define CAD_DASH_SERVERS_MAX 256u      /* distinct locations of the document */

/* ---- the tree ------------------------------------------------------------------------------- */

struct cad_dash_attr {
    cad_str value;
    enum cad_dash_attribute name;
};

/* One S element. */
struct cad_dash_s {
    int64_t t; /* -1: not given */
    int64_t d; /* > 0 */
    int64_t r; /* -1: as long as fits */
    int64_t n; /* -1: not given */
};

/* The children of one name, in document order: a lookup costs as many steps as there are names. */
struct cad_dash_group {
    struct cad_dash_group *next;
    struct cad_dash_node *first, *last;
    uint32_t count;
    enum cad_dash_element name;
};

struct cad_dash_node {
    struct cad_dash_node *parent;
    struct cad_dash_node *next;    /* of the same name */
    struct cad_dash_group *groups; /* the children */
    const struct cad_dash_attr *attrs;
    cad_str text;              /* without white space around it; of elements that have text only */
    struct cad_dash_s *s;      /* of a SegmentTimeline */
    uint32_t s_count, s_capacity;
    uint32_t attr_count;
    uint32_t line;
    enum cad_dash_element name;
};

/* ---- the side structure ----------------------------------------------------------------------*/

struct cad_dash_texts {
    const cad_str *items;
    uint32_t count;
};

struct cad_dash_descriptors {
    const struct cad_descriptor *items;
    uint32_t count;
};

/* What a set says for all of its representations. */
struct cad_dash_shared {
    struct cad_color color;
    uint32_t tile_columns, tile_rows; /* 0: none */
    uint32_t channels;                /* 0 unknown */
};

/* What is left out is empty, CAD_DASH_NONE, or INT64_MIN. */
struct cad_dash_patch {
    cad_str url;
    cad_dash_time ttl;
};

struct cad_dash_service {
    cad_str id;
    int64_t latency_target, latency_min, latency_max; /* ms */
    cad_dash_time rate_min, rate_max;                 /* ratios in the form of times */
};

struct cad_dash_event {
    cad_str id;
    cad_dash_time start, duration; /* start on the presentation timeline */
};

struct cad_dash_event_stream {
    struct cad_descriptor scheme;
    int64_t timescale; /* as written */
    const struct cad_dash_event *events;
    uint32_t event_count;
};

struct cad_dash_protection {
    cad_str scheme, scheme_uri, pssh, license_url;
    cad_str system_text, key_text; /* as written, where they are no UUIDs */
    bool has_system_id, has_key_id;
    uint8_t system_id[16], key_id[16];
};

struct cad_dash_protections {
    const struct cad_dash_protection *items;
    uint32_t count;
};

/* One combination of BaseURLs. */
struct cad_dash_base {
    cad_str url;
    cad_str service_location;
    cad_dash_time time_offset; /* availabilityTimeOffset of all levels added up; NONE: not given */
    bool offset_infinite;
    bool incomplete;           /* availabilityTimeComplete is false */
};

struct cad_dash_bases {
    const struct cad_dash_base *items;
    uint32_t count;
};

struct cad_dash_rep {
    struct cad_representation r;  /* locations: all bases; what a copy of goes into the model */
    cad_str id;                   /* as written */
    cad_str mime;
    bool has_bandwidth;
    bool has_timescale;
    bool offset_infinite, incomplete;
    int64_t quality_ranking;
    struct cad_dash_texts dependency_ids;
    uint32_t tile_columns, tile_rows; /* 0: none */
    struct cad_dash_protections protections;
    struct cad_dash_bases bases;
    cad_dash_time time_offset;    /* availability */
    struct cad_range index_range; /* first -1: none */
    cad_str index_url;            /* empty: none */
    struct cad_range index_bytes;
    cad_str index_template;
    bool has_init;                /* and its URL is that of urls, or the location */
    bool shows_url;               /* the location is the media resource */
    bool cuts;                    /* segments end with the period at the latest (@duration) */
    bool whole;                   /* one segment as long as the period */
};

struct cad_dash_track {
    cad_str id; /* as written */
    enum cad_media_type type;
    cad_str lang, label, xlink;
    struct cad_dash_texts roles;
    struct cad_dash_descriptors accessibility;
    struct cad_dash_descriptors inband_events;
    struct cad_dash_texts switchable_with;
    int64_t selection_priority;
    bool trick_mode;
    struct cad_dash_protections protections;
    const struct cad_dash_rep *reps; /* document order */
    uint32_t rep_count;
};

struct cad_dash_period {
    cad_str id, xlink;
    cad_dash_time start, duration;
    const struct cad_dash_event_stream *event_streams;
    uint32_t event_stream_count;
    const struct cad_dash_track *tracks;
    uint32_t track_count;
};

struct cad_dash_side {
    cad_dash_time duration, publish_time, availability_start, availability_end;
    cad_dash_time min_buffer, time_shift_depth, suggested_delay, min_update, max_segment;
    struct cad_dash_texts profiles, locations;
    struct cad_dash_descriptors utc_timing;
    const struct cad_dash_patch *patches;
    uint32_t patch_count;
    bool has_steering, steering_query;
    cad_str steering_url, steering_default, steering_proxy;
    const struct cad_dash_service *services;
    uint32_t service_count;
    const struct cad_dash_period *periods;
    uint32_t period_count;
};

/* ---- the parser ----------------------------------------------------------------------------- */

enum cad_dash_stage {
    CAD_DASH_READ,
    CAD_DASH_BEGIN,
    CAD_DASH_BUILD,
    CAD_DASH_FINISH,
    CAD_DASH_DONE
};

/* A timeline that the next representation can share. */
struct cad_dash_timeline {
    const void *source;   /* SegmentTimeline or the element with @duration; NULL: none */
    int64_t duration;     /* @duration; 0: a SegmentTimeline */
    int64_t offset, first_number, end_number;
    uint32_t timescale;
    uint32_t items;       /* of a SegmentList; UINT32_MAX: a template */
    const struct cad_index *index;
    const struct cad_url_run *runs;
    uint32_t run_count;
    uint32_t count;
    bool whole;           /* one segment as long as the period, whenever that is */
};

struct cad_dash {
    const struct cad_manifest_options *options; /* the parser's copy */
    struct cad_manifest_error *error;           /* the parser's; set once, on failure */
    struct cad_arena scratch;
    enum cad_dash_stage stage;

    /* Reading. */
    struct cad_xml *xml;
    size_t fed;               /* bytes of the document */
    struct cad_sb text;       /* of the element in hand */
    cad_str ns;               /* of the root */
    struct cad_dash_node *root, *node; /* node: the innermost open one */
    uint32_t skip_depth;      /* open elements inside a skipped one, itself included */
    uint32_t node_count;

    /* Building. */
    struct cad_model *model;
    struct cad_dash_side *side;
    struct cad_dash_bases mpd_bases, period_bases, set_bases;
    struct cad_server *servers; /* scratch, CAD_DASH_SERVERS_MAX */
    uint32_t server_count;
    const struct cad_dash_node **period_nodes; /* scratch, one for each of side->periods */
    struct cad_dash_period *periods;           /* model */
    struct cad_period *model_periods;          /* model; those with a length */
    uint32_t period_at;
    struct cad_dash_track *tracks;             /* of the period in hand, model */
    struct cad_track *model_tracks;            /* of the period in hand, model */
    uint32_t model_track_count;
    const struct cad_dash_node *set;           /* the next AdaptationSet; NULL: done */
    uint32_t track_at;
    struct cad_dash_rep *reps;                 /* of the set in hand, model; NULL: not begun */
    const struct cad_dash_node *rep;           /* the next Representation */
    uint32_t rep_at;
    bool period_open;
    struct cad_dash_shared shared;             /* of the set in hand */
    struct cad_dash_timeline timeline;         /* the last one built */
    const struct cad_dash_base *located;       /* the last bases that became locations */
    const struct cad_location *locations;      /* what they became */
    uint32_t location_count;
    uint32_t cost;                             /* of the unit in hand, in tokens */
};

/* options and error are borrowed for life. CAD_E_NOMEM. */
void cad_dash_init(struct cad_dash *p, const struct cad_manifest_options *options,
                   struct cad_manifest_error *error);
void cad_dash_deinit(struct cad_dash *p);
/* 0: whole. CAD_E_AGAIN: tokens used up. Else as cad_manifest_parser_step, with *error set. */
CAD_MUST_CHECK int cad_dash_step(struct cad_dash *p, cad_buf document, uint32_t tokens);
/* The model, once; the caller owns it. NULL if there is none. */
struct cad_model *cad_dash_take(struct cad_dash *p);

/* ---- between the parts ---------------------------------------------------------------------- */

/* Note why the parse fails at a node (NULL: no line); returns rc. topic as in the header. */
int cad_dash_fail(struct cad_dash *p, const struct cad_dash_node *node, const char *topic,
                  const char *text);
int cad_dash_fail_limit(struct cad_dash *p, const struct cad_dash_node *node, const char *text);
int cad_dash_fail_memory(struct cad_dash *p);
void cad_dash_warn(struct cad_dash *p, const char *what, cad_str id);
/* A copy in the model; sets *failed when memory ran out. An absent text (p NULL) stays absent. */
cad_str cad_dash_keep(struct cad_dash *p, cad_str s, bool *failed);

/* dash_read.c: starts the reader, feeds the next slice. 1: the tree is whole. */
CAD_MUST_CHECK int cad_dash_read_begin(struct cad_dash *p);
CAD_MUST_CHECK int cad_dash_read(struct cad_dash *p, cad_buf document, size_t bytes);

/* Children and attributes; p NULL means absent (an empty value is not). */
const struct cad_dash_node *cad_dash_child(const struct cad_dash_node *node,
                                           enum cad_dash_element name);
const struct cad_dash_node *cad_dash_next(const struct cad_dash_node *node); /* of the same name */
uint32_t cad_dash_count(const struct cad_dash_node *node, enum cad_dash_element name);
cad_str cad_dash_attr(const struct cad_dash_node *node, enum cad_dash_attribute name);

/* Attributes that timing or addressing needs: 1 given, 0 not, else the failure of the parse. */
int cad_dash_get_number(struct cad_dash *p, const struct cad_dash_node *node,
                        enum cad_dash_attribute name, int64_t *out);
int cad_dash_get_duration(struct cad_dash *p, const struct cad_dash_node *node,
                          enum cad_dash_attribute name, cad_dash_time *out);
int cad_dash_get_range(struct cad_dash *p, const struct cad_dash_node *node,
                       enum cad_dash_attribute name, struct cad_range *out);
int cad_dash_unreadable(struct cad_dash *p, const struct cad_dash_node *node,
                        enum cad_dash_attribute name);

/* dash_describe.c: descriptors, texts, protection. CAD_E_NOMEM with the error set. */
CAD_MUST_CHECK int cad_dash_descriptors(struct cad_dash *p, const struct cad_dash_node *node,
                                        enum cad_dash_element name,
                                        struct cad_dash_descriptors *out);
CAD_MUST_CHECK int cad_dash_split(struct cad_dash *p, cad_str list, const char *separators,
                                  struct cad_dash_texts *out);
CAD_MUST_CHECK int cad_dash_describe_track(struct cad_dash *p, const struct cad_dash_node *set,
                                           struct cad_dash_track *out);
CAD_MUST_CHECK int cad_dash_describe_rep(struct cad_dash *p, const struct cad_dash_node *rep,
                                         struct cad_dash_rep *out);
/* dash_keys.c: ContentProtection as written; then one for a CDM: 1, or 0 if it is no use. */
CAD_MUST_CHECK int cad_dash_protections(struct cad_dash *p, const struct cad_dash_node *node,
                                        struct cad_dash_protections *out);
CAD_MUST_CHECK int cad_dash_protection(struct cad_dash *p, const struct cad_dash_protection *from,
                                       struct cad_protection *out);
/* The next field that is not empty, cut at any of the separators, without white space around it. */
bool cad_dash_next_field(cad_str *rest, const char *separators, cad_str *field);
/* What the codecs string or the MIME type says; text is checked before the type. */
enum cad_codec cad_dash_codec(cad_str codecs, cad_str mime);
enum cad_media_type cad_dash_type(cad_str content_type, cad_str codecs, cad_str mime);
/* A property of another scheme than those known here makes an element unusable (5.8.4.8). */
bool cad_dash_has_unknown_essential(const struct cad_dash_node *node);

/* dash_head.c: the attributes and children of MPD; event streams of a period. */
CAD_MUST_CHECK int cad_dash_head(struct cad_dash *p);
CAD_MUST_CHECK int cad_dash_times(struct cad_dash *p);
CAD_MUST_CHECK int cad_dash_events(struct cad_dash *p, const struct cad_dash_node *node,
                                   struct cad_dash_period *out);

/* dash_bases.c: BaseURLs of a level against those of the level above; then servers. */
CAD_MUST_CHECK int cad_dash_bases(struct cad_dash *p, const struct cad_dash_node *node,
                                  const struct cad_dash_bases *above, struct cad_dash_bases *out);
/* Adds availabilityTimeOffset and -Complete of one element or two; either may be NULL. */
CAD_MUST_CHECK int cad_dash_add_offset(struct cad_dash *p, const struct cad_dash_node *offset,
                                       const struct cad_dash_node *complete,
                                       struct cad_dash_base *base);
/* A reference against a base, in the model; *out empty where no URL comes of it. */
CAD_MUST_CHECK int cad_dash_resolve(struct cad_dash *p, cad_str base, cad_str ref, cad_str *out);
CAD_MUST_CHECK int cad_dash_locate(struct cad_dash *p, struct cad_dash_rep *rep);
CAD_MUST_CHECK int cad_dash_seal_servers(struct cad_dash *p);

/* dash_segments.c: addressing of a representation. */
CAD_MUST_CHECK int cad_dash_segments(struct cad_dash *p, const struct cad_dash_node *rep,
                                     struct cad_dash_rep *out);
/* dash_timeline.c: p->timeline from its key fields, in a period. */
CAD_MUST_CHECK int cad_dash_timeline(struct cad_dash *p, const struct cad_dash_node *at,
                                     const struct cad_dash_timeline *key);

/* dash_build.c: one unit of the model; 1: all is built. */
CAD_MUST_CHECK int cad_dash_build(struct cad_dash *p);

#endif
