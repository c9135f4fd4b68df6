/*
 * mock_origin.h - the services of a title as pure functions: licensed manifest and signed ranges.
 *
 * Request in, answer out (struct cad_origin_ops of sim.h); no socket, no clock: the time comes with
 * the request. The virtual network and cadmium-mockd serve from the same code. A title is a list of
 * assets; an asset's bytes come from a reader (a file in mockd, a synthesizer in the simulator).
 *
 *   POST {service}/msl/playapi/cadmium/licensedmanifest/1?...    licensed manifest 2 and 3
 *   GET  {host}/[range/START-END]?o=1&v=1&e=SECONDS&t=TOKEN&sc=SIG
 *   GET  {host}/{asset}[/range/START-END]?o=1&v=1&e=SECONDS&t=TOKEN&sc=SIG   with asset_in_path
 *   GET  {service}/time                                          {"serverTime":MS}
 *   HEAD {host}/                                                 204: opens a connection, no more
 *   POST {service}/events, {service}/log/cadmium/logblob/1       counted, 204
 *   POST {service}/license?...                                   mock_licence.h
 *
 * TOKEN names title, asset and session; SIG is base64url of an HMAC-SHA-256 over path (without
 * /range/...), o, v, e and t under the origin's secret. The query must come back byte for byte. A
 * wrong or expired one is answered 403, a title's missing asset 404, a range past the end 416, a
 * range in the path 200 with exactly its bytes, a Range header 206.
 *
 * One origin is used by one thread at a time. Bodies of media are read with the answer's own read,
 * which may run on any thread if the asset's may; release is a call of the origin like any other.
 */
#ifndef MOCK_ORIGIN_H
#define MOCK_ORIGIN_H

#include "cadmium/sim.h"
#include "mock/mock_licence.h"

#define MOCK_ASSETS_MAX 80
#define MOCK_HOSTS_MAX 8
#define MOCK_HOST_BYTES_MAX 128      /* of a host[:port], NUL included */
#define MOCK_XIDS_MAX 64             /* playback attempts that are remembered */
#define MOCK_MANIFEST_PATH "/msl/playapi/cadmium/licensedmanifest/1"
#define MOCK_URL_LIFE_DEFAULT (INT64_C(12) * 3600 * CAD_SECOND)

struct mock_asset {
    char id[40];                 /* downloadable_id, and the name in the URL's path */
    enum cad_media_type type;
    char profile[48];            /* content_profile */
    char lang[16];               /* audio and text */
    char scheme[8];              /* "cenc", "cbcs"; empty: clear */
    uint8_t kid[CAD_KEY_ID_SIZE];/* of the key that opens it, unless it is clear */
    uint32_t channels;           /* audio */
    uint32_t sample_rate_hz;     /* audio; 0 unknown */
    char codecs[48];             /* RFC 6381, of MPDs; may be empty */
    uint32_t timescale;          /* of the media and its sidx; of MPDs */
    int64_t rate_kbps, peak_kbps;
    uint32_t width, height;
    uint32_t frame_rate_num, frame_rate_den;
    int64_t size_bytes;
    struct cad_range moov, sidx;
    int64_t header_bytes;
    /* As struct cad_origin_answer.read, but with the asset's own context. */
    int (*read)(void *ctx, int64_t offset, size_t n, uint8_t *out, size_t *done);
    void *ctx;
    uint32_t index;              /* given to nobody; for the reader's use */
};

struct mock_origin_config {
    const char *title;           /* viewable id, decimal: "900100" */
    cad_time duration;
    const struct mock_asset *assets; /* copied */
    uint32_t asset_count;
    const char *hosts[MOCK_HOSTS_MAX]; /* "127.0.0.1:8081"; ranked, first is best */
    uint32_t host_count;
    const char *scheme;          /* "http" or "https"; NULL: http */
    cad_time url_life;           /* of signed URLs, whole seconds; 0: 12 h */
    uint64_t seed;               /* of the secret and of session ids: tests only */
    bool bare_manifest;          /* answer without the envelope */
    bool asset_in_path;          /* URLs name the asset: http://host/video-750?o=... */
    const struct mock_key *keys; /* that the licence service gives; copied */
    uint32_t key_count;          /* 0: it knows none */
};

struct mock_origin;

/* CAD_E_INVAL: no title number, no host, no asset, or too many. CAD_E_NOMEM. */
CAD_MUST_CHECK int mock_origin_create(const struct mock_origin_config *config,
                                      struct mock_origin **out);
/* Every answer was released before. Accepts NULL; leaves NULL. */
void mock_origin_destroy(struct mock_origin **origin);
const struct cad_origin_ops *mock_origin_ops(void); /* ctx: the struct mock_origin */

/* Counters for assertions. */
struct mock_origin_counts {
    uint64_t manifests, refreshes, ranges, refused; /* refused: 403 */
    uint64_t retries;            /* of manifests: the reqId of an answer was asked again */
    uint64_t denied;             /* manifest requests answered with an error envelope */
    uint64_t wholes;             /* answers of an asset that were no range in the path */
    uint64_t events, logs;       /* posts that were taken */
    uint64_t texts;              /* answers of timed text; of wholes */
};
void mock_origin_counts(const struct mock_origin *origin, struct mock_origin_counts *out);
/*
 * A service goes down, and is well again. Names: "manifest", "licence" (both answer 503 while
 * down), "licence-refused", "licence-garbage", "licence-cut" (what they do while down:
 * mock_licence.h), "licence-slow-800" (so many ms late), "text" (404). CAD_E_NOTFOUND otherwise.
 */
CAD_MUST_CHECK int mock_origin_service(struct mock_origin *origin, cad_str name, bool up);
/* The licence service, for its faults and counters. */
struct mock_licence *mock_origin_licence(struct mock_origin *origin);
/* Every URL signed so far is expired from now on. */
void mock_origin_expire(struct mock_origin *origin);
/*
 * The manifest of the title as JSON for a file: a bare object whose URLs are base_url/ID.mp4
 * ("http://127.0.0.1:8081/files"), unsigned, on one server, good until the year 2100. Valid until
 * the next call on the origin. CAD_E_INVAL: base_url is empty or too long.
 */
CAD_MUST_CHECK int mock_origin_manifest(struct mock_origin *origin, const char *base_url,
                                        cad_str *out);

/*
 * The title as a static MPD (ISO/IEC 23009-1): one resource for each representation, SegmentBase.
 * base_url is what the URLs of the files start with, "." next to the MPD; NULL: signed URLs good
 * from now_ms on, one BaseURL for each host. Valid until the next call on the origin. CAD_E_INVAL:
 * base_url is empty or too long, or an asset has no codecs, index or timescale.
 */
CAD_MUST_CHECK int mock_origin_mpd(struct mock_origin *origin, const char *base_url, int64_t now_ms,
                                   cad_str *out);

/* What the last request was about, for an access log. */
enum mock_kind {
    MOCK_KIND_OTHER,
    MOCK_KIND_MANIFEST,
    MOCK_KIND_RANGE,             /* an asset, by a range in the path or by a Range header */
    MOCK_KIND_WHOLE,             /* an asset, all of it */
    MOCK_KIND_TIME,
    MOCK_KIND_EVENTS,
    MOCK_KIND_LOG,
    MOCK_KIND_LICENCE,
    MOCK_KIND_TEXT               /* a file of timed text */
};
struct mock_origin_seen {
    enum mock_kind kind;
    const char *asset;           /* id; NULL where no asset was found */
    struct cad_range range;      /* asked for, in the asset; first -1 none */
    const uint8_t (*kids)[CAD_KEY_ID_SIZE]; /* of a licence, that were asked for */
    uint32_t kid_count;
};
void mock_origin_seen(const struct mock_origin *origin, struct mock_origin_seen *out);
const char *mock_kind_name(enum mock_kind kind);

#endif
