/*
 * mock_internal.h - what the files of the mock origin share.
 *
 * mock_origin.c answers requests and serves media, mock_manifest.c reads manifest requests and
 * writes manifests, mock_mpd.c writes them as MPDs, mock_sign.c signs and checks URLs,
 * mock_licence.c gives keys, mock_ttml.c writes subtitles.
 */
#ifndef MOCK_INTERNAL_H
#define MOCK_INTERNAL_H

#include "base/strbuf.h"
#include "mock/mock_origin.h"
#include "mock/mock_sign.h"

#define MOCK_MANIFEST_BYTES_MAX (8u << 20)
#define MOCK_XID_BYTES_MAX 128
#define MOCK_TRACK_KIDS_MAX 8    /* key ids of the assets of one type */
#define MOCK_PSSH_TEXT_MAX 256   /* of their pssh in base64 */

/* The body of one media answer: what cad_origin_answer.token points to. */
struct mock_body {
    struct mock_origin *origin;
    const struct mock_asset *asset;
    int64_t first, size;     /* bytes of the asset */
    struct mock_body *next;  /* in the list of free ones */
};

/* One playback attempt, as hashes: a client chooses how long its ids are. */
struct mock_attempt {
    uint64_t xid;
    uint64_t req_id;         /* of the last answer */
};

struct mock_origin {
    struct cad_alloc alloc;
    struct mock_asset assets[MOCK_ASSETS_MAX];
    uint32_t asset_count;
    char hosts[MOCK_HOSTS_MAX][MOCK_HOST_BYTES_MAX];
    uint32_t host_count;
    char title[24];          /* decimal */
    uint64_t title_number;
    char scheme[8];
    cad_time duration;
    int64_t url_life_s;
    uint64_t seed;
    bool bare_manifest, asset_in_path;
    bool manifest_down, text_down;
    struct mock_licence licence;
    uint16_t generation;     /* of URLs; older ones are refused */
    struct mock_signer signer;
    struct cad_sb body;      /* of the last answer that is text */
    char range_text[80];     /* Content-Range of the last answer */
    struct mock_body *free_bodies;
    struct mock_attempt attempts[MOCK_XIDS_MAX];
    uint32_t attempt_count, attempt_next; /* a ring of the newest */
    struct mock_origin_counts counts;
    struct mock_origin_seen seen;
};

/* Sets status, type and body of a text answer; the body is what stands in origin->body. */
void mock_answer_text(struct mock_origin *origin, struct cad_origin_answer *answer, int32_t status,
                      const char *content_type);
/* A short plain body that says what the status means. */
void mock_answer_status(struct mock_origin *origin, struct cad_origin_answer *answer,
                        int32_t status, const char *text);

/* Key ids of all assets of a type, in the order of assets, none twice. */
uint32_t mock_kids(const struct mock_origin *origin, enum cad_media_type type,
                   uint8_t (*kids)[CAD_KEY_ID_SIZE]);
/* Their pssh box, in base64; as cadmium-mux puts it into files, when it is told of them in this
 * order. Empty without. */
void mock_pssh_text(const struct mock_origin *origin, enum cad_media_type type,
                    char out[MOCK_PSSH_TEXT_MAX]);
/* ".mp4", or ".ttml" of text: what files of assets end with. */
const char *mock_file_ending(const struct mock_asset *asset);

/* What a signed URL grants, and to whom. */
struct mock_grant {
    uint64_t session;
    int64_t expiry_s;        /* Unix epoch */
};
/* Path and query of an asset's signed URL, with a NUL. CAD_E_LIMIT: it does not fit. CAD_E_IO. */
CAD_MUST_CHECK int mock_signed_target(struct mock_origin *origin, const struct mock_grant *grant,
                                      uint32_t asset, char *out, size_t cap);

/* The id of a server in the manifest; host from 0. */
int64_t mock_cdn_id(const struct mock_origin *origin, uint32_t host);

/* The manifest service: any method; `query` is without the question mark. CAD_E_NOMEM. */
CAD_MUST_CHECK int mock_serve_manifest(struct mock_origin *origin,
                                       const struct cad_origin_request *request, cad_str query,
                                       struct cad_origin_answer *answer);

#endif
