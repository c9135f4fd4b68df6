/*
 * steer.h - which server: a ranked list with timed penalties.
 *
 * Servers are small indexes (those of the presentation) in the order the manifest wants. Outcomes
 * of requests are reported; a server that fails rests for 10 s, 30 s, 120 s, then 600 s (licensed
 * manifest 5.6 rule 4). A ban is always lifted. When every candidate rests, the one whose rest
 * ends first is tried at once. The list outlives a manifest refresh: health follows the host.
 */
#ifndef CAD_STEER_STEER_H
#define CAD_STEER_STEER_H

#include <stdbool.h>

#include "cadmium/base.h"
#include "cadmium/steer.h"

#define CAD_STEER_SERVERS_MAX 64

struct cad_steer_server {
    cad_str id;             /* for the log */
    cad_str host;           /* host[:port]: the identity health is kept under */
    int32_t location_rank, level, rank, weight;
    bool lowgrade;
};

enum cad_steer_outcome {
    CAD_STEER_OK,           /* a whole answer: clears the count of failures */
    CAD_STEER_CONNECT,      /* refused, unreachable, DNS: unhealthy after 2 in a row */
    CAD_STEER_TLS,          /* identity failure: at once */
    CAD_STEER_STATUS_5XX,   /* unhealthy after 3 in 30 s */
    CAD_STEER_SILENT,       /* no byte for 8 s, or a broken transfer: at once */
    CAD_STEER_RESET         /* broken in mid-transfer: unhealthy after 2 in a row */
};

struct cad_steer;

CAD_MUST_CHECK int cad_steer_create(const struct cad_alloc *alloc, struct cad_steer **out);
void cad_steer_destroy(struct cad_steer **steer);

/*
 * Replace the list: servers[0] is the manifest's first choice. Health of hosts that stay is kept.
 * Views are copied. CAD_E_LIMIT past CAD_STEER_SERVERS_MAX, CAD_E_NOMEM: the old list stays.
 */
CAD_MUST_CHECK int cad_steer_set_servers(struct cad_steer *steer,
                                         const struct cad_steer_server *servers, uint32_t count);
uint32_t cad_steer_count(const struct cad_steer *steer);

/* A request to a server ended. */
void cad_steer_report(struct cad_steer *steer, uint32_t server, enum cad_steer_outcome outcome,
                      cad_time now);

/*
 * The server to use among the candidates (bit i = server i; not 0). `avoid` (bits) is passed over
 * while another healthy candidate exists: the servers that this request already tried. `sticky`:
 * the server in use or -1; it is kept while it is healthy and nothing in its own location is
 * better than it by rule 2 (going back up happens 60 s after the better one's rest ended).
 */
uint32_t cad_steer_pick(struct cad_steer *steer, uint64_t candidates, uint64_t avoid,
                        int32_t sticky, cad_time now);

/* What is known of a server beside its health. */
struct cad_steer_result {
    bool known;                 /* score is valid */
    struct cad_ftl_score score; /* of probes: cad_ftl_score */
    uint32_t downloads;         /* whole answers of media that it gave in this session */
    uint32_t place;             /* in the race that is over, for a start: cad_ftl_place; 0 none */
};
/*
 * Results of probes, one for each server of the list, once for each iteration. Servers change their
 * order inside a level, by one place at a time (ftl.md 7), by the race where there are no two
 * scores (ftl.md 5); a level goes behind another only when all of it fails; a resting host whose
 * last two probes succeeded comes back early. Until the first call, and when nothing is known, the
 * order is the list's. Returns how many servers have another place than before; CAD_E_INVAL: count
 * is not that of the list.
 */
int cad_steer_rerank(struct cad_steer *steer, const struct cad_steer_result *results,
                     uint32_t count, cad_time now);
/* The servers in the order in which they are tried: writes up to `max`, returns how many there
 * are. */
uint32_t cad_steer_order(const struct cad_steer *steer, uint32_t *out, uint32_t max);
bool cad_steer_healthy(const struct cad_steer *steer, uint32_t server, cad_time now);
/* When the server's rest ends; CAD_TIME_NONE if it is not resting. */
cad_time cad_steer_rest_until(const struct cad_steer *steer, uint32_t server, cad_time now);
cad_str cad_steer_id(const struct cad_steer *steer, uint32_t server);

#endif
