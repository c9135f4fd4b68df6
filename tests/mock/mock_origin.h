/*
 * mock_origin.h - the services of a title as pure functions: licensed manifest and signed ranges.
 *
 * Request in, answer out (struct cad_origin_ops of sim.h); no socket, no clock: the time comes with
 * the request. The virtual network and cadmium-mockd serve from the same code. A title is a list of
 * assets; an asset's bytes come from a reader (a file in mockd, a synthesizer in the simulator).
 *
 *   POST {service}/msl/playapi/cadmium/licensedmanifest/1?...    licensed manifest 2 and 3
 *   GET  {host}/{asset}[/range/START-END]?o=1&v=1&e=SECONDS&t=TOKEN&sc=SIG
 *   GET  {service}/time                                          the server's time
 *
 * TOKEN names title, asset and session; SIG is base64url of an HMAC-SHA-256 over path (without
 * /range/...), o, v, e and t under the origin's secret. A wrong or expired one is answered 403.
 */
#ifndef MOCK_ORIGIN_H
#define MOCK_ORIGIN_H

#include "cadmium/sim.h"

#define MOCK_ASSETS_MAX 80
#define MOCK_HOSTS_MAX 8

struct mock_asset {
    char id[40];                 /* downloadable_id, and the name in the URL's path */
    enum cad_media_type type;
    char profile[48];            /* content_profile */
    char lang[16];               /* audio */
    uint32_t channels;           /* audio */
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
    const char *scheme;          /* "http" or "https" */
    cad_time url_life;           /* of signed URLs; 12 h */
    uint64_t seed;               /* of the secret and of session ids: tests only */
    bool bare_manifest;          /* answer without the envelope */
};

struct mock_origin;

int mock_origin_create(const struct mock_origin_config *config, struct mock_origin **out);
void mock_origin_destroy(struct mock_origin **origin);
const struct cad_origin_ops *mock_origin_ops(void); /* ctx: the struct mock_origin */

/* Counters for assertions. */
struct mock_origin_counts {
    uint64_t manifests, refreshes, ranges, refused; /* refused: 403 */
};
void mock_origin_counts(const struct mock_origin *origin, struct mock_origin_counts *out);
/* The manifest service answers 503 while down. Names: "manifest". CAD_E_NOTFOUND otherwise. */
int mock_origin_service(struct mock_origin *origin, cad_str name, bool up);
/* The manifest of the title as JSON for a file (assets named relative to base_url, unsigned). */
int mock_origin_manifest(struct mock_origin *origin, int64_t now_ms, cad_str *out);

#endif
