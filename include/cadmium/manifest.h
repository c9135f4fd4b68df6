/*
 * manifest.h - what there is to play: one presentation model for every manifest format.
 *
 * Bytes of a manifest go into a parser, an immutable presentation comes out. The model has periods,
 * a period has tracks (what a viewer chooses between), a track has representations (what the ABR
 * controller chooses between), a representation has ranked URLs and byte ranges. Times of segments
 * are exact ticks in a run-length index (struct cad_index) that is never expanded.
 *
 *     struct cad_manifest_parser *parser;
 *     cad_manifest_parser_create(&options, &parser);
 *     while ((rc = cad_manifest_parser_step(parser, bytes, 4096)) == CAD_E_AGAIN) { other work }
 *     if (rc == 0) rc = cad_manifest_parser_take(parser, &presentation);
 *     cad_manifest_parser_destroy(&parser);
 *
 * A presentation lives in one arena, points into no input and is read-only: any number of threads
 * may read it. Formats now: licensed manifest JSON in clear form, DASH (ISO/IEC 23009-1), and the
 * bare fragmented MP4, which gives a model of one representation. Views in the model live as long
 * as the presentation.
 */
#ifndef CADMIUM_MANIFEST_H
#define CADMIUM_MANIFEST_H

#include <stdbool.h>

#include "cadmium/base.h"
#include "cadmium/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the model --------------------------------------------------------------------------- */

/* What kind of document a presentation came from. */
enum cad_manifest_format { CAD_FORMAT_LICENSED, CAD_FORMAT_MP4, CAD_FORMAT_DASH, CAD_FORMAT_HLS };

/* One address of a representation. */
struct cad_location {
    cad_str url;         /* absolute, byte for byte as published */
    uint32_t server;     /* index into cad_presentation.servers */
    int64_t expiry_ms;   /* Unix epoch, ms; 0: does not expire */
    bool range_in_path;  /* byte ranges go into the path (licensed manifest 5.5), not a header */
};

/* A server that holds media. Ordered as the manifest wants: index 0 is tried first. */
struct cad_server {
    cad_str id;             /* cdn id, or the host where the manifest names none */
    cad_str name;           /* for people; may be empty */
    cad_str host;           /* host[:port] */
    int32_t location_rank;  /* 1 best; INT32_MAX unknown */
    int32_t level;          /* distance class, 1 nearest; 0 unknown */
    int32_t rank;           /* global order, 1 best; INT32_MAX unknown */
    int32_t weight;         /* capacity share; ties only */
    bool lowgrade;          /* last resort inside its level */
};

/* Where the segments of a representation are. */
enum cad_addressing {
    CAD_ADDRESSING_INDEXED,  /* in one resource, whose sidx lists them */
    CAD_ADDRESSING_SEGMENTS, /* each at a URL (or range) of its own: `timeline`, cad_segment_url */
    CAD_ADDRESSING_SINGLE    /* the whole resource is one segment, as long as the period */
};

struct cad_index;
struct cad_segment_urls;  /* templates and lists of URLs; inside of the manifest room */

struct cad_representation {
    cad_str id;               /* stable over refreshes; unique in the presentation, in DASH only in
                                 the track */
    cad_str profile;          /* the manifest's own name of the profile; may be empty */
    cad_str codecs;           /* RFC 6381; may be empty */
    enum cad_codec codec;     /* of codecs or the profile */
    bool encrypted;           /* needs a key */
    bool dominated;           /* a cheaper representation looks better: not for ABR */
    bool fallback;            /* same rate as another: used only when that one is lost */
    int64_t bandwidth_bps;    /* average, bit/s, > 0; 0 only for CAD_FORMAT_MP4 */
    int64_t peak_bps;         /* worst segment, bit/s; 2 x bandwidth where not published */
    int64_t size_bytes;       /* whole resource; -1 unknown */
    struct cad_range init;    /* moov, absolute in the resource; first -1 unknown */
    struct cad_range index;   /* sidx; first -1 unknown */
    int64_t header_bytes;     /* bytes before the first media byte; -1 unknown */
    uint32_t width, height;   /* coded picture, pixels; 0 unknown or not video */
    uint32_t frame_rate_num, frame_rate_den; /* 0/1 unknown */
    int32_t vmaf_milli;       /* 0..100000; -1 unknown */
    uint32_t channels;        /* audio; 0 unknown */
    uint32_t sample_rate_hz;  /* audio; 0 unknown */
    struct cad_color color;   /* as the manifest tells; the init segment knows better */
    cad_str drm_header_id;    /* empty: the track's default */
    const struct cad_location *locations; /* in order of the servers' order; at least one */
    uint32_t location_count;  /* >= 1 */
    enum cad_addressing addressing; /* how segments are found */
    uint32_t timescale;       /* of what follows, > 0; 1 where none is published */
    int64_t time_offset_ticks;/* media time of the period's start (presentationTimeOffset) */
    bool time_offset_known;   /* else it is the first time that the sidx names */
    const struct cad_index *timeline;  /* SEGMENTS: in media ticks of timescale; else NULL */
    const struct cad_segment_urls *urls; /* SEGMENTS, or an init resource of its own; else NULL */
};

/* What a CDM needs to ask for keys: one drm header of a track, or one ContentProtection. */
struct cad_protection {
    cad_str id;          /* cad_representation.drm_header_id; may be empty for the default */
    cad_buf init_data;   /* a pssh box, or the bare data of the system; DASH: may be empty */
    bool has_system_id;  /* system_id is known */
    uint8_t system_id[16]; /* in the order of RFC 4122; zero unless has_system_id */
    cad_str scheme;      /* DASH: "cenc", "cbcs" (23001-7 11.1) of the entry that names it */
    cad_str license_url; /* DASH: as the manifest names it (Laurl); untrusted; may be empty */
    bool has_key_id;     /* key_id is known */
    uint8_t key_id[16];  /* in the order of RFC 4122; zero unless has_key_id */
    bool is_default;     /* of the track: for representations that name none */
};

/* A statement of a scheme (23009-1 5.8.2). */
struct cad_descriptor {
    cad_str scheme; /* schemeIdUri as published */
    cad_str value;  /* its meaning is the scheme's; may be empty */
};

/* What can be chosen: pictures, or sound in a language, or text. */
struct cad_track {
    cad_str id;             /* unique in the period */
    enum cad_media_type type; /* of media */
    cad_str lang;           /* BCP 47, "und" unknown */
    cad_str label;          /* for people; may be empty */
    cad_str role;           /* as published: PRIMARY, ASSISTIVE, COMMENTARY; DASH: the first of
                               roles; may be empty */
    const cad_str *roles;   /* DASH: main, alternate, commentary, dub... (23009-1 5.8.5.5) */
    uint32_t role_count;    /* 0 where there is none */
    const struct cad_descriptor *accessibility; /* DASH (23009-1 5.8.4.3) */
    uint32_t accessibility_count; /* 0 where there is none */
    int32_t rank;           /* lower is better */
    uint32_t channels;      /* audio; 0 unknown */
    bool is_default;        /* the manifest's own choice for this type */
    bool is_none;           /* the "off" entry of text; has no representations */
    bool is_forced;         /* forced narrative */
    bool is_trick;          /* for fast play only (23009-1 5.8.5.6: trick mode) */
    const struct cad_representation *representations; /* rising bandwidth_bps; text: best first */
    uint32_t representation_count; /* 0 only where is_none */
    const struct cad_protection *protections; /* only with allow_drm; the default first */
    uint32_t protection_count; /* 0 without protection */
};

/* A stretch of the presentation with tracks of its own. */
struct cad_period {
    cad_str id;        /* as published; may be empty */
    cad_time start;    /* on the presentation timeline, rising; the first is 0 but in DASH */
    cad_time duration; /* > 0; CAD_TIME_NONE unknown until the index is read */
    const struct cad_track *tracks; /* in the manifest's order */
    uint32_t track_count; /* may be 0 */
};

/* Skip ranges and the like: intro, recap, credits; unknown types are kept. */
struct cad_marker {
    cad_str type;        /* as published */
    cad_time start, end; /* start < end */
};

/* What there is to play. Read-only; released in one stroke. */
struct cad_presentation {
    enum cad_manifest_format format; /* it came from */
    bool live;                  /* it grows while it is played */
    cad_str id;                 /* movieId; empty for a bare file */
    cad_str context_id;         /* playbackContextId; empty where there is none */
    cad_time duration;          /* CAD_TIME_NONE unknown */
    cad_time bookmark;          /* resume point; CAD_TIME_NONE none */
    int64_t server_time_ms;     /* Unix epoch, ms, of the answer; 0 unknown */
    cad_buf licence;            /* that came with it (allow_drm): a secret; else empty */
    int64_t expiry_ms;          /* the manifest and its URLs are good until then; 0 for ever */
    cad_time keep;              /* how long from receipt it may be kept; CAD_TIME_NONE no limit */
    struct {                    /* absolute URLs; empty: that service is off */
        cad_str license, license_limited, events, logblob, probe;
    } links;
    struct {                    /* named settings a service may override; -1: not set */
        int64_t rate_max_bps, startup_rate_max_bps, connect_timeout_ms, buffer_target_ms;
    } overrides;
    const struct cad_server *servers; /* tried in this order */
    uint32_t server_count;      /* >= 1 */
    const struct cad_period *periods; /* in order of time */
    uint32_t period_count;      /* >= 1 */
    const struct cad_marker *markers; /* by start */
    uint32_t marker_count;      /* may be 0 */
    uint32_t warnings;          /* things that were wrong and could be lived with */
    uint32_t unknown_fields;    /* members this version does not know */
    uint32_t duplicate_keys;    /* the first one won */
    uint64_t arena_bytes;       /* memory of the model */
};

/* Release a presentation. Accepts NULL; leaves NULL. Any thread, once. */
void cad_presentation_destroy(struct cad_presentation **presentation);

/*
 * A model of one representation for a file or URL that is itself a fragmented MP4. The kind of
 * media is read from the file later: the track's type is CAD_MEDIA_OTHER. CAD_E_NOMEM, CAD_E_INVAL.
 */
CAD_MUST_CHECK int cad_presentation_from_mp4(const struct cad_alloc *alloc, cad_str url,
                                             struct cad_presentation **out);

/* ---- the parser -------------------------------------------------------------------------- */

/* Limits, each named and tested; zero fields take the default of cad_manifest_limits_default. */
struct cad_manifest_limits {
    uint32_t document_bytes;  /* 8 MiB */
    uint32_t depth;           /* 32 */
    uint32_t string_bytes;    /* 256 KiB */
    uint32_t audio_tracks;    /* 64 */
    uint32_t video_tracks;    /* 16 */
    uint32_t text_tracks;     /* 256 */
    uint32_t streams;         /* 64 a track */
    uint32_t urls;            /* 32 a stream */
    uint32_t servers;         /* 64 */
    uint32_t locations;       /* 16 */
};
/* Set the defaults, which stand behind each field. */
void cad_manifest_limits_default(struct cad_manifest_limits *limits);

/* How a document is read. */
struct cad_manifest_options {
    size_t size;              /* sizeof(struct cad_manifest_options) */
    struct cad_alloc alloc;   /* outlives parser and presentation */
    struct cad_log log;       /* of what was odd */
    struct cad_manifest_limits limits; /* zero fields: the defaults */
    cad_str base_url;         /* the document's own URL: relative references resolve against it */
    int64_t now_ms;           /* Unix epoch, ms, for defaults of missing expiry; 0 unknown */
    bool allow_http;          /* accept http: media URLs, not only https: */
    bool allow_drm;           /* keep encrypted representations */
};
/* Set the defaults. */
void cad_manifest_options_init(struct cad_manifest_options *options);

struct cad_manifest_parser;

/* options are copied; base_url too. CAD_E_NOMEM, CAD_E_INVAL. */
CAD_MUST_CHECK int cad_manifest_parser_create(const struct cad_manifest_options *options,
                                              struct cad_manifest_parser **out);
/* Accepts NULL, leaves NULL. */
void cad_manifest_parser_destroy(struct cad_manifest_parser **parser);

/*
 * Parse on, touching at most `tokens` tokens (> 0). `document` is the whole document, the same on
 * every call. 0: done, take the result. CAD_E_AGAIN: call again. CAD_E_DATA malformed, CAD_E_LIMIT
 * past a limit, CAD_E_UNSUPPORTED another format, CAD_E_NOTFOUND nothing playable or denied by the
 * service (a DASH model may have no tracks: that is for the caller to judge), CAD_E_NOMEM:
 * the parser is finished and cad_manifest_parser_error tells more.
 */
CAD_MUST_CHECK int cad_manifest_parser_step(struct cad_manifest_parser *parser, cad_buf document,
                                            uint32_t tokens);

/* The result of a finished parse; the caller owns it. CAD_E_INVAL if there is none (any more). */
CAD_MUST_CHECK int cad_manifest_parser_take(struct cad_manifest_parser *parser,
                                            struct cad_presentation **out);

/* Why a parse failed. */
struct cad_manifest_error {
    enum cad_error_code code;  /* CAD_ERR_MANIFEST_*, CAD_ERR_DRM_*, CAD_ERR_OUT_OF_MEMORY */
    uint32_t line;             /* of the document, from 1; 0 where none applies */
    const char *topic;         /* in a word: json, xml, root, period, attr, timeline, limit; may be
                                  NULL; static */
    bool retryable;            /* the service said that asking again may help */
    cad_time retry_after;      /* CAD_TIME_NONE not given */
    char message[CAD_ERROR_MESSAGE_SIZE]; /* for a person; never empty */
};
/* Copies what is known; code NONE if nothing failed. */
void cad_manifest_parser_error(const struct cad_manifest_parser *parser,
                               struct cad_manifest_error *out);

/* Which format a document is in by its first bytes; CAD_E_AGAIN too few, CAD_E_DATA none known. */
CAD_MUST_CHECK int cad_manifest_sniff(cad_buf head, enum cad_manifest_format *out);

/*
 * Write the canonical dump of a presentation: one JSON object and a final newline. *out is
 * allocated with alloc (class CAD_MEM_OTHER, out->n bytes); the caller frees it. CAD_E_NOMEM.
 */
CAD_MUST_CHECK int cad_presentation_dump(const struct cad_presentation *presentation,
                                         const struct cad_alloc *alloc, cad_buf *out);

/* ---- the segment index ------------------------------------------------------------------- */

/*
 * Segments of one representation in presentation order: runs of equal duration in exact ticks and,
 * where the source is a sidx, 4 bytes of size per segment. About 4 bytes a segment plus 24 a run.
 */
struct cad_segment {
    uint32_t index;           /* 0 .. count-1 */
    int64_t start_ticks;      /* on the media timeline of the representation */
    int64_t duration_ticks;   /* > 0 */
    struct cad_range bytes;   /* in the resource; first -1 where segments have no byte range */
};

/* timescale > 0; first_byte: where segment 0 starts, -1 for segments without byte ranges. */
CAD_MUST_CHECK int cad_index_create(const struct cad_alloc *alloc, uint32_t timescale,
                                    int64_t first_byte, struct cad_index **out);
/* Accepts NULL, leaves NULL. */
void cad_index_destroy(struct cad_index **index);
/* Append a segment that follows the last one. start_ticks counts for the first only, or after a
 * gap (then > the end of the last). CAD_E_NOMEM, CAD_E_INVAL, CAD_E_LIMIT past 2,000,000. */
CAD_MUST_CHECK int cad_index_add(struct cad_index *index, int64_t start_ticks,
                                 int64_t duration_ticks, uint32_t size_bytes);
/* How many segments it has. */
uint32_t cad_index_count(const struct cad_index *index);
/* Ticks a second. */
uint32_t cad_index_timescale(const struct cad_index *index);
/* Segment i in O(log runs). CAD_E_NOTFOUND past the end. */
CAD_MUST_CHECK int cad_index_at(const struct cad_index *index, uint32_t i,
                                struct cad_segment *out);
/* The segment that contains ticks; before the first, or in a gap: the next one. CAD_E_NOTFOUND at
 * or past the end. */
CAD_MUST_CHECK int cad_index_find(const struct cad_index *index, int64_t ticks,
                                  struct cad_segment *out);
int64_t cad_index_end_ticks(const struct cad_index *index); /* 0 when empty */
uint64_t cad_index_bytes(const struct cad_index *index);    /* memory it holds */

#ifdef __cplusplus
}
#endif
#endif
