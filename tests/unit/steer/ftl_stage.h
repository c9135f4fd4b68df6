/*
 * ftl_stage.h - a probe over a small network in virtual time, for tests.
 *
 * Each host has a path: time for its name, a round trip, TLS or not. A request over a connection
 * number that is new costs name, one round trip for TCP, one for TLS and one for the answer; over
 * one that was used for the host before, only the last. Bodies come at 10 Mbit/s. mock_ftl answers.
 * Nothing is drawn: the same stage gives the same marks.
 */
#ifndef FTL_STAGE_H
#define FTL_STAGE_H

#include "mock/mock_ftl.h"
#include "steer/ftl.h"

#define STAGE_TRANSFERS 16
#define STAGE_OPEN 512
#define STAGE_TEXT 65536

struct stage_path {
    const char *host;      /* host[:port]; the first path serves the recipe */
    cad_time dns, rtt;
    bool tls;
    enum cad_ftl_address address;
    enum cad_ftl_ec fault; /* DNS, CONNECT, TLS: it ends like this, after the legs before it */
};

struct stage_transfer {
    struct cad_ftl_request request; /* id 0: free */
    struct cad_ftl_end end;
    cad_time head_at, end_at;       /* NONE: never */
    bool headed;
    struct cad_origin_answer answer;
    const struct stage_path *path;
};

struct stage {
    struct cad_ftl *ftl;
    struct mock_ftl *mock;
    const struct stage_path *paths;
    uint32_t path_count;
    cad_time now;
    struct stage_transfer transfers[STAGE_TRANSFERS];
    uint32_t open[STAGE_OPEN];      /* connection numbers that were used */
    uint32_t open_count;
    uint32_t sent, cancelled, flight_most;
    uint32_t hold;                  /* reasons, by stage_hold */
    bool sent_held;                 /* something was sent in spite of one */
    cad_time sent_last, gap_least;  /* between probes */
    uint32_t won, orders, pulses, recipes, reports, failures; /* actions */
    uint32_t winner;
    cad_time won_at, won_in, order_at;
    char log_type[CAD_FTL_NAME_MAX + 1];
    char body[STAGE_TEXT];          /* of the last report or failure */
    uint64_t turns;
    int result;                     /* of the first call that failed */
};

/* The configuration is completed by the endpoint http://<first path>/api/ftl/probe. */
int stage_open(struct stage *stage, const struct mock_ftl_config *mock,
               struct cad_ftl_config *config, const struct stage_path *paths, uint32_t count);
void stage_close(struct stage *stage);
/* cad_ftl_hold, now. */
void stage_hold(struct stage *stage, uint32_t reasons);
/* Until then, or until nothing is to happen any more. */
void stage_run(struct stage *stage, cad_time until);

#endif
