/*
 * policy.h - the one table of retries: what follows which failure of which kind of request.
 *
 * A row gives the moves in the order in which they are tried; the first that is possible is the
 * verdict, and when none is left the request is given up with the row's error. The function here is
 * pure: it looks at the row and at what the request has used up. docs/fetch.md shows the table.
 */
#ifndef CAD_FETCH_POLICY_H
#define CAD_FETCH_POLICY_H

#include "fetch/fetch.h"

#define CAD_FETCH_MOVES_MAX 3
#define CAD_FETCH_REFRESHES_MAX 5                    /* by one request (licensed manifest 9) */
#define CAD_FETCH_RETRY_AFTER_MAX (30 * CAD_SECOND)  /* a longer Retry-After counts as this */
#define CAD_FETCH_JITTER_PERMILLE 200                /* of every wait, both ways */

enum cad_move {
    CAD_MOVE_NONE,
    CAD_MOVE_OTHER,   /* a server that was not tried, at once */
    CAD_MOVE_WAIT,    /* back off, then a new round over the servers */
    CAD_MOVE_REFRESH, /* fresh URLs */
    CAD_MOVE_LOWER    /* without this representation's resource */
};

/* How waits grow and where they end. Durations. */
struct cad_backoff {
    cad_time first, max;
    uint32_t factor;
    uint32_t rounds;  /* over the servers, with the first one; with one server: attempts */
    cad_time budget;  /* of attempts and waits together: no attempt starts after it */
};

struct cad_policy {
    uint8_t moves[CAD_FETCH_MOVES_MAX]; /* enum cad_move */
    const struct cad_backoff *backoff;
    enum cad_error_code error;
};

/* What a request has used up when an attempt fails. */
struct cad_policy_facts {
    bool untried;         /* a server can serve it that was not asked in this round */
    uint32_t rounds;      /* begun, >= 1 */
    uint32_t refreshes;
    cad_time spent;       /* on attempts and waits, this attempt included */
    cad_time retry_after; /* of the answer; CAD_TIME_NONE none */
    int32_t jitter;       /* permille, -CAD_FETCH_JITTER_PERMILLE .. +CAD_FETCH_JITTER_PERMILLE */
};

struct cad_policy_answer {
    enum cad_move move;   /* NONE: give up */
    cad_time wait;        /* of CAD_MOVE_WAIT, else 0 */
    cad_time charge;      /* the part of the wait that counts as spent: none of a Retry-After */
};

/* Never NULL. */
const struct cad_policy *cad_policy_row(enum cad_purpose purpose, enum cad_failure failure);
struct cad_policy_answer cad_policy_apply(const struct cad_policy *row,
                                          const struct cad_policy_facts *facts);

#endif
