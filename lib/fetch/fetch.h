/*
 * fetch.h - which request, when, and when again.
 *
 * A table of logical requests. A logical request (say, "segment 12 of video") may take several
 * attempts on several servers; each attempt has its own id, which is what the transport sees, so
 * that a late answer to an old attempt is recognised in one place (cad_fetch_find). When an
 * attempt fails, cad_fetch_fail looks the failure up in one policy table and answers a verdict;
 * the owner of the matter (server, rung, manifest) acts on it. The byte budget is admitted here:
 * a request starts only if bytes in flight plus bytes held fit under the ceiling.
 */
#ifndef CAD_FETCH_FETCH_H
#define CAD_FETCH_FETCH_H

#include <stdbool.h>

#include "base/rand.h"
#include "cadmium/types.h"

#define CAD_FETCH_REQUESTS_MAX 32   /* logical requests alive at a time */

enum cad_fetch_state {
    CAD_FETCH_FREE,
    CAD_FETCH_READY,      /* to be started as soon as the plan lets it */
    CAD_FETCH_WAITING,    /* not before `not_before` */
    CAD_FETCH_IN_FLIGHT
};

struct cad_fetch_request {
    enum cad_fetch_state state;
    uint32_t id;              /* of the current attempt; 0 before the first */
    uint32_t serial;          /* of the logical request; never reused in a session */
    enum cad_purpose purpose;
    int32_t track;            /* engine's track slot, -1 none */
    uint32_t epoch;           /* of the track or session it was asked under */
    uint32_t attempts;        /* attempts started */
    uint32_t refreshes;       /* manifest refreshes it has asked for */
    uint64_t tried;           /* servers tried, bits */
    uint32_t server;
    cad_time created;
    cad_time not_before;
    cad_time started;         /* of the current attempt */
    cad_time deadline;        /* CAD_TIME_NONE none */
    int64_t bytes;            /* admitted for it */
    int64_t received;         /* body bytes of the current attempt */
    cad_time first_byte, last_byte; /* CAD_TIME_NONE none yet */
    int32_t status;           /* of the current attempt's head; 0 none yet */
    void *owner;              /* the engine's own, opaque here */
};

/* How an attempt failed, as the policy table sees it. */
enum cad_failure {
    CAD_FAIL_DNS, CAD_FAIL_CONNECT, CAD_FAIL_TLS, CAD_FAIL_CERTIFICATE, CAD_FAIL_TIMEOUT,
    CAD_FAIL_RESET, CAD_FAIL_PROTOCOL, CAD_FAIL_TOO_LARGE, CAD_FAIL_REDIRECT, CAD_FAIL_RANGE,
    CAD_FAIL_EXPIRED,     /* 403/410 while the URL is stale, or the second such answer */
    CAD_FAIL_REFUSED,     /* 401, 403, 410 and other 4xx */
    CAD_FAIL_NOT_FOUND,   /* 404 */
    CAD_FAIL_THROTTLED,   /* 420, 429, 503 with Retry-After */
    CAD_FAIL_SERVER,      /* 5xx */
    CAD_FAIL_CONTENT,     /* the body is not what it should be */
    CAD_FAIL_FILE,        /* a local file that is absent or unreadable */
    CAD_FAIL_SCHEME,
    CAD_FAIL_ADDRESS,     /* the host is at an address that may not be asked */
    CAD_FAIL_COUNT
};
const char *cad_failure_name(enum cad_failure failure);

enum cad_verdict_kind {
    CAD_VERDICT_WAIT,         /* the same server again at `until` */
    CAD_VERDICT_OTHER_SERVER, /* the next server, at `until` */
    CAD_VERDICT_LOWER_RUNG,   /* this representation's resource is lost: another one */
    CAD_VERDICT_REFRESH,      /* a fresh manifest, then again */
    CAD_VERDICT_GIVE_UP
};
struct cad_verdict {
    enum cad_verdict_kind kind;
    cad_time until;           /* earliest time of the next attempt */
    enum cad_error_code error;/* what it is if the session ends by it */
};

/* An attempt that failed. */
struct cad_fetch_failure {
    enum cad_failure kind;
    cad_time retry_after;     /* a duration, of the answer; CAD_TIME_NONE none */
    uint64_t servers;         /* bits of the servers that can serve the request from now on */
};

struct cad_fetch;

/* ceiling_bytes: what may be in flight plus held. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_fetch_create(const struct cad_alloc *alloc, uint64_t seed,
                                    int64_t ceiling_bytes, struct cad_fetch **out);
void cad_fetch_destroy(struct cad_fetch **fetch);

/* A new logical request in state READY; NULL if CAD_FETCH_REQUESTS_MAX are alive. */
struct cad_fetch_request *cad_fetch_new(struct cad_fetch *fetch, enum cad_purpose purpose,
                                        cad_time now);
/* The attempt starts: gives it a fresh id, state IN_FLIGHT, marks `server` as tried. */
void cad_fetch_start(struct cad_fetch *fetch, struct cad_fetch_request *request, uint32_t server,
                     cad_time now);
/* The attempt goes on at another place: a fresh id, and nothing has come yet. The time it took so
 * far counts. */
void cad_fetch_moved(struct cad_fetch *fetch, struct cad_fetch_request *request, cad_time now);
/* The live attempt with this id; NULL: stale. */
struct cad_fetch_request *cad_fetch_find(struct cad_fetch *fetch, uint32_t id);
/* The logical request is over (done, cancelled, given up); its bytes are given back. */
void cad_fetch_end(struct cad_fetch *fetch, struct cad_fetch_request *request);
/* Walk the live ones in order of serial: i from 0; NULL past the last. */
struct cad_fetch_request *cad_fetch_at(struct cad_fetch *fetch, uint32_t i);

/* Bytes came on the current attempt: the patience with this request begins anew. */
void cad_fetch_progress(struct cad_fetch_request *request, cad_time now);

/*
 * Room for `bytes` more: bytes in flight + held (what the engine says it keeps) + bytes <= ceiling.
 * On true they are added to what is booked on the request. The booking outlives failed attempts: a
 * retry is not admitted again.
 */
bool cad_fetch_admit(struct cad_fetch *fetch, struct cad_fetch_request *request, int64_t held_bytes,
                     int64_t bytes);
int64_t cad_fetch_in_flight_bytes(const struct cad_fetch *fetch);

/*
 * The policy table: an attempt failed. Moves the request to READY or WAITING (verdict WAIT or
 * OTHER_SERVER, REFRESH) or leaves it IN_FLIGHT for cad_fetch_end (LOWER_RUNG, GIVE_UP). A WAITING
 * request may be started once not_before has come. Waits carry +-20 % jitter. When all servers were
 * tried and another round begins after a wait, `tried` keeps the last server only; REFRESH clears
 * it. The rows, the limits and what they mean are in docs/fetch.md.
 */
struct cad_verdict cad_fetch_fail(struct cad_fetch *fetch, struct cad_fetch_request *request,
                                  const struct cad_fetch_failure *failure, cad_time now);

/* Time-outs of an attempt from its deadline: connect, silence between bytes, whole. Named limits:
 * silence 8 s at most (licensed manifest 5.6 rule 4). */
cad_time cad_fetch_silence_limit(const struct cad_fetch_request *request, int64_t estimate_bps);
/* The earliest time at which a waiting request becomes ready or an attempt goes silent. */
cad_time cad_fetch_next_wake(const struct cad_fetch *fetch, int64_t estimate_bps);

#endif
