/*
 * probes.h - the race of servers (steer.h, FTL) joined to the session: when it may run, its
 * requests, what its scores mean for the order of servers.
 *
 * Unlike telemetry, probes do change what is decided later: which server of a level is asked. They
 * never hold anything back: the session does not know of them.
 */
#ifndef CAD_ENGINE_PROBES_H
#define CAD_ENGINE_PROBES_H

#include "cadmium/engine.h"

#include "steer/steer.h"

struct exchange_answer;
struct cad_engine;

struct probes_part {
    struct cad_ftl *ftl;              /* NULL: there are no probes */
    char *endpoint;                   /* of the title's link that ftl was made for; NULL: ftl is of
                                         the configuration's, and stays */
    size_t endpoint_size;             /* with the NUL */
    uint32_t held;                    /* reasons that were told last: enum cad_ftl_hold */
    bool due;                         /* something was told since its last turn */
    bool rerank;                      /* scores have changed since servers were ordered */
    bool wanted;                      /* the viewer's wish to play was told */
    bool raced;                       /* a race was over when the title came: it orders the start */
    uint32_t downloads[CAD_STEER_SERVERS_MAX]; /* whole answers of media, by server */
    uint32_t server_count;            /* of the list they are counted for */
};

CAD_MUST_CHECK int probes_create(struct cad_engine *e);
void probes_destroy(struct cad_engine *e);
void probes_title(struct cad_engine *e);                   /* a title is installed: its link */
void probes_network(struct cad_engine *e);                 /* the device is on another network */
void probes_download(struct cad_engine *e, uint32_t server); /* a whole answer of media came */
/* Of a request with purpose PROBE; n bytes of its body came. */
void probes_head(struct cad_engine *e, uint32_t owner, const struct cad_http_head *head);
void probes_body(struct cad_engine *e, uint32_t owner, cad_buf bytes);
void probes_answer(struct cad_engine *e, const struct exchange_answer *answer);
void probes_turn(struct cad_engine *e);
cad_time probes_next_wake(const struct cad_engine *e);
void probes_figures(const struct cad_engine *e, struct cad_service_stats *out);

#endif
