/*
 * steer.h - probes of servers ("faster than light"): which path answers fast, which not at all.
 *
 * A recipe names targets and how often to ask each of them. The probe is a state machine without
 * I/O: the owner tells it what happened and does what it says, on one thread. It is usable without
 * the rest of the library.
 *
 *     cad_ftl_config_init(&config);  config.endpoint = ...;
 *     cad_ftl_create(&config, &ftl);
 *     cad_ftl_start(ftl, now);
 *     more = cad_ftl_run(ftl, now);                  one bounded turn; 1: actions wait
 *     while (cad_ftl_poll(ftl, &action) == 0) ...    requests to begin and to drop, results
 *     cad_ftl_head(ftl, &head);  cad_ftl_body(ftl, id, bytes);  cad_ftl_end(ftl, &end);
 *     wake = cad_ftl_next_wake(ftl);                 run again then, or when something happened
 *     cad_ftl_score(ftl, id, host, now, &score);     what is known of a server
 *     cad_ftl_destroy(&ftl);
 *
 * Nothing is ever in the way of playback: no more requests than CAD_FTL_FLIGHT_MAX at a time, none
 * while a reason to hold is set, a budget for an hour. Same calls at the same times, same actions
 * and scores. `now` never decreases. Views in actions live until the next cad_ftl_run.
 */
#ifndef CADMIUM_STEER_H
#define CADMIUM_STEER_H

#include <stdbool.h>

#include "cadmium/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_FTL_RECIPE_BYTES_MAX 65536 /* of a recipe; a longer one is refused */
#define CAD_FTL_TARGETS_MAX 16         /* of a recipe; those beyond are dropped and counted */
#define CAD_FTL_PULSES_MAX 10          /* of a target; more are clipped */
#define CAD_FTL_NAME_MAX 64            /* bytes of a target's name, and of logblob */
#define CAD_FTL_URL_MAX 2048           /* bytes of a target's URL */
#define CAD_FTL_BODY_MAX 65536         /* bytes of a probe's answer; then it is cut */
#define CAD_FTL_HEADER_MAX 256         /* bytes of a header's value that are kept */
#define CAD_FTL_CTX_BYTES_MAX 8192     /* of the recipe's context; what is over is left out */
#define CAD_FTL_MAP_MAX 64             /* server ids that the context gives to targets */
#define CAD_FTL_FLIGHT_MAX 8           /* requests at a time */
#define CAD_FTL_SCORES_MAX 32          /* targets whose results are remembered */
#define CAD_FTL_WINDOW 20              /* latest pulses of a target that availability counts */
#define CAD_FTL_ENDPOINT_MAX 2048      /* bytes of the recipe's URL, without what is added */
#define CAD_FTL_BUDGET_REQUESTS_MAX 256 /* the most that requests_per_hour may be */

/* ---- the recipe ---------------------------------------------------------------------------- */

/* One thing to be asked. */
struct cad_ftl_target {
    cad_str name;            /* [A-Za-z0-9._-]+, or that after "cdn:"; unique in the recipe */
    cad_str url;             /* absolute, http or https, as published */
    cad_str host;            /* in url, without port */
    cad_str authority;       /* in url: host[:port] */
    int64_t data_bytes;      /* that the URL asks for (data=N); -1 it does not say */
};

/* A server id that the context gives to a target. */
struct cad_ftl_map {
    uint32_t target;         /* index into targets */
    cad_str id;              /* of a server */
};

/* What to do. Read-only; released in one stroke. */
struct cad_ftl_recipe {
    struct cad_ftl_target targets[CAD_FTL_TARGETS_MAX]; /* in the recipe's order */
    uint32_t target_count;   /* 1 .. CAD_FTL_TARGETS_MAX */
    uint32_t dropped;        /* targets that were left out: bad, double or too many */
    uint32_t warnings;       /* optional fields that were wrong and took their default */
    uint32_t pulses;         /* 1 .. CAD_FTL_PULSES_MAX, of each target */
    cad_time delays[CAD_FTL_PULSES_MAX]; /* before pulse i, from the end of the one before */
    cad_time pulse_timeout;  /* 100 ms .. 60 s; default 15 s */
    cad_time next;           /* until the next recipe, from the report; 0 none; >= 10 s */
    cad_str logblob;         /* type of the report; default "ftlProbe" */
    cad_str name, type;      /* as published; may be empty */
    cad_str ctx;             /* JSON object of the strings and numbers of the context, "{}" */
    cad_str ctx_ip, ctx_region; /* of the context, for logs; the address is cut to its network */
    struct cad_ftl_map map[CAD_FTL_MAP_MAX]; /* from members of ctx: {"target": [id, ...]} */
    uint32_t map_count;      /* 0 .. CAD_FTL_MAP_MAX */
    uint64_t bytes;          /* of memory that it holds */
};

/* Read a recipe. CAD_E_DATA: not JSON, a required field is missing or of another type, a delay out
 * of range, no target left. CAD_E_LIMIT: longer than CAD_FTL_RECIPE_BYTES_MAX, or nested too deep.
 * CAD_E_NOMEM. The caller destroys *out. */
CAD_MUST_CHECK int cad_ftl_recipe_parse(const struct cad_alloc *alloc, cad_str json,
                                        struct cad_ftl_recipe **out);
/* Accepts NULL, leaves NULL. */
void cad_ftl_recipe_destroy(const struct cad_alloc *alloc, struct cad_ftl_recipe **recipe);

/* ---- in and out ---------------------------------------------------------------------------- */

/* Why a request failed. X(name, text): the text stands in the report. */
#define CAD_FTL_EC_LIST(X)                                                                         \
    X(NONE, "")                                                                                    \
    X(DNS, "dns")                                                                                  \
    X(CONNECT, "connect")                                                                          \
    X(TLS, "tls")         /* handshake or identity */                                              \
    X(TIMEOUT, "timeout")                                                                          \
    X(RESET, "reset")                                                                              \
    X(HTTP, "http")       /* a status other than 200, or no valid HTTP */                          \
    X(CANCEL, "cancel")   /* dropped by us: says nothing of the target */                          \
    X(SIZE, "size")       /* not as many bytes as were asked for */                                \
    X(ADDRESS, "address") /* farther in than address_max allows: the target is dropped */
/* Why a request failed. */
enum cad_ftl_ec {
#define CAD_X(name, text) CAD_FTL_EC_##name,
    CAD_FTL_EC_LIST(CAD_X)
#undef CAD_X
};
/* "dns", "connect"...; empty for NONE; never NULL. */
const char *cad_ftl_ec_name(enum cad_ftl_ec ec);

/* How far in an address lies; the values are those of enum cad_address_class (events.h). */
enum cad_ftl_address {
    CAD_FTL_ADDRESS_UNKNOWN, /* nobody looked; as a limit: anywhere */
    CAD_FTL_ADDRESS_PUBLIC,
    CAD_FTL_ADDRESS_PRIVATE,
    CAD_FTL_ADDRESS_LOOPBACK
};

/* Reasons not to send. Bits. */
enum cad_ftl_hold {
    CAD_FTL_HOLD_STARTING = 1,
    CAD_FTL_HOLD_REBUFFERING = 2, /* requests in flight are dropped, too */
    CAD_FTL_HOLD_SEEKING = 4,
    CAD_FTL_HOLD_LOW_BUFFER = 8,  /* less than 10 s of media ahead */
    CAD_FTL_HOLD_METERED = 16,    /* the application says that the network costs money */
    CAD_FTL_HOLD_IDLE = 32        /* the device is idle or asleep */
};

/* What is wanted done or told. X(name, text) */
#define CAD_FTL_ACTION_LIST(X)                                                                     \
    X(REQUEST, "request")       /* begin one: request */                                           \
    X(CANCEL, "cancel")         /* drop request.id: nothing more is to be told of it */            \
    X(RECIPE, "recipe")         /* a recipe was accepted: cad_ftl_recipe */                        \
    X(RACE_WON, "race_won")     /* target, duration: the first whole answer of a first pulse */    \
    X(RACE_ORDER, "race_order") /* the order is frozen: cad_ftl_order */                           \
    X(PULSE, "pulse")           /* target, pulse: one is over; see cad_ftl_pulse_at */             \
    X(REPORT, "report")         /* log_type, body: for the log service */                          \
    X(FAILED, "failed")         /* log_type, body: no recipe; nothing more until NET_CHANGE */
/* What is wanted done or told; which fields count is said behind each. */
enum cad_ftl_action_type {
#define CAD_X(name, text) CAD_FTL_##name,
    CAD_FTL_ACTION_LIST(CAD_X)
#undef CAD_X
};

/* A GET to be made: without cookies, credentials, Referer; redirects are not followed. */
struct cad_ftl_request {
    uint32_t id;             /* never 0, never used again */
    bool recipe;             /* the recipe: body bytes are wanted; else only their number */
    cad_str url;             /* absolute */
    cad_str accept_encoding; /* "identity" */
    int64_t size_max;        /* a longer body is cut, and ends with SIZE */
    cad_time timeout;        /* duration; kept here as well: a CANCEL follows */
    uint32_t connection;     /* requests with different numbers never share a connection; 0: the
                                recipe's */
    enum cad_ftl_address address_max; /* farthest in that may be connected to */
};

/* An output. */
struct cad_ftl_action {
    enum cad_ftl_action_type type;  /* tells which fields count */
    struct cad_ftl_request request; /* of REQUEST; its id, of CANCEL */
    uint32_t target, pulse;         /* indexes */
    cad_time duration;              /* of the pulse that won */
    cad_str log_type, body;         /* JSON */
};

/* An answer began. Views are borrowed for the call. */
struct cad_ftl_head {
    uint32_t id;             /* of the request */
    int32_t status;          /* 100..599 */
    enum cad_ftl_address address; /* of the peer */
    cad_str via;             /* header Via; all of these may be empty */
    cad_str probe_data;      /* x-ftl-probe-data: opaque */
    cad_str error;           /* x-ftl-error */
    cad_str recv_ts;         /* x-ftl-probe-recv-ts */
    cad_str latency_trace;   /* latency-trace */
};

/* A request is over. Marks are monotonic times; CAD_TIME_NONE: not reached. */
struct cad_ftl_end {
    uint32_t id;             /* of the request */
    enum cad_ftl_ec ec;      /* NONE: the answer is whole, whatever its status */
    cad_time dns, connect, tls; /* name known, connected, TLS established */
    cad_time first_byte;     /* of the answer */
    cad_time at;             /* last byte, or when it failed */
    bool reused;             /* on a connection that was open */
};

/* ---- the probe ----------------------------------------------------------------------------- */

/* How probes run. Copied. */
struct cad_ftl_config {
    size_t size;             /* sizeof(struct cad_ftl_config) */
    struct cad_alloc alloc;  /* outlives it; default cad_alloc_system() */
    struct cad_log log;      /* of runs; no URL is logged but host and path */
    cad_str endpoint;        /* of the recipe, http or https; empty: recipes come by
                                cad_ftl_start_recipe only */
    cad_str device;          /* default "cadmium-c"; up to CAD_FTL_NAME_MAX bytes */
    bool allow_private;      /* targets may be as far in as they like; default false: no farther
                                than the recipe's own host was */
    uint32_t flight_max;     /* requests at a time; 1 .. CAD_FTL_FLIGHT_MAX, the default */
    uint32_t pulses_max;     /* pulses of a target; 1 .. CAD_FTL_PULSES_MAX, the default */
    cad_time pulse_timeout;  /* in place of the recipe's, 100 ms .. 60 s; 0: the recipe's */
    int64_t bytes_per_hour;  /* of bodies; 64 KiB ..; default 256 KiB */
    uint32_t requests_per_hour; /* 1 .. CAD_FTL_BUDGET_REQUESTS_MAX; default 64 */
};
/* Set the defaults. */
void cad_ftl_config_init(struct cad_ftl_config *config);

struct cad_ftl;

/* *out is the caller's. CAD_E_INVAL: something is out of range. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_ftl_create(const struct cad_ftl_config *config, struct cad_ftl **out);
/* Accepts NULL, leaves NULL. Tells nothing: requests in flight are the owner's to drop. */
void cad_ftl_destroy(struct cad_ftl **ftl);

/* Begin with the next turn: ask for a recipe. Nothing happens while a run is under way, or after a
 * recipe failed. CAD_E_INVAL: there is no endpoint. */
CAD_MUST_CHECK int cad_ftl_start(struct cad_ftl *ftl, cad_time now);
/* Begin with a recipe of the caller's. from: how far in its source lies. CAD_E_INVAL: a run is
 * under way. Else as cad_ftl_recipe_parse. */
CAD_MUST_CHECK int cad_ftl_start_recipe(struct cad_ftl *ftl, cad_str json,
                                        enum cad_ftl_address from, cad_time now);
/* End: what is in flight is dropped, no further recipe is fetched. A report, marked partial,
 * follows only if each target has had a pulse. */
void cad_ftl_stop(struct cad_ftl *ftl, cad_time now);
/* The viewer wants to play: a run that has not begun waits 200 ms. */
void cad_ftl_played(struct cad_ftl *ftl, cad_time now);
/* Reasons not to send from now on: bits of enum cad_ftl_hold, 0 none. */
void cad_ftl_hold(struct cad_ftl *ftl, uint32_t reasons, cad_time now);
/* The device is on another network: scores are dropped, and a new run begins in 500 ms if none
 * began within the last 10 s and it was started at all. id names the network (the application's
 * hash; 0 unknown): the id it has already changes nothing, but 0 always does. */
void cad_ftl_network(struct cad_ftl *ftl, uint64_t id, cad_time now);

/* Of a request: at most one head, then bytes, then one end. Those of a finished one are ignored.
 * CAD_E_NOMEM: a header, or the recipe, could not be kept. CAD_E_LIMIT: the body is too long; the
 * request ends by a CANCEL of the next turn, or by its own end. */
CAD_MUST_CHECK int cad_ftl_head(struct cad_ftl *ftl, const struct cad_ftl_head *head);
/* The next bytes of a body. For a probe p may be NULL: only n counts. */
CAD_MUST_CHECK int cad_ftl_body(struct cad_ftl *ftl, uint32_t id, cad_buf bytes);
/* It is over. */
void cad_ftl_end(struct cad_ftl *ftl, const struct cad_ftl_end *end);

/* One turn. 1: actions wait to be polled (and while they do nothing else is done), or work is left.
 * 0: wait. CAD_E_INVAL: now is negative. */
CAD_MUST_CHECK int cad_ftl_run(struct cad_ftl *ftl, cad_time now);
/* The next action; CAD_E_AGAIN: none. */
CAD_MUST_CHECK int cad_ftl_poll(struct cad_ftl *ftl, struct cad_ftl_action *out);
/* When the next turn is due without anything happening; CAD_TIME_NONE: never. */
cad_time cad_ftl_next_wake(const struct cad_ftl *ftl);

/* ---- results ------------------------------------------------------------------------------- */

/* The recipe of the run, or of the last one; NULL none. Until the next one, or cad_ftl_start. */
const struct cad_ftl_recipe *cad_ftl_recipe(const struct cad_ftl *ftl);

/* One pulse. Durations; CAD_TIME_NONE: not reached; 0 on a connection that was open. */
struct cad_ftl_pulse {
    bool done;               /* it was sent, and is over */
    cad_time start;          /* since the run began */
    cad_time d;              /* from start to the end */
    cad_time ttfb, dns, tcp, tls; /* to the first byte; of the legs before it */
    int32_t status;          /* HTTP; 0 none */
    int64_t bytes;           /* of body */
    cad_time held;           /* how long it waited for a reason to hold to go */
    enum cad_ftl_ec ec;      /* NONE: it succeeded */
    bool reused;             /* on a connection that was open */
    cad_str via, probe_data, error, latency_trace; /* as cad_ftl_head; an earlier pulse's where this
                                one had none */
    int64_t recv_ts;         /* -1 none */
};
/* A pulse of the run, or of the last one. CAD_E_NOTFOUND: no such target or pulse. */
CAD_MUST_CHECK int cad_ftl_pulse_at(const struct cad_ftl *ftl, uint32_t target, uint32_t pulse,
                                    struct cad_ftl_pulse *out);

/* How far the race of the first pulses is. */
enum cad_ftl_race {
    CAD_FTL_RACE_OPEN,       /* nothing finished yet */
    CAD_FTL_RACE_RUNNING,    /* there is a winner; others may still come in */
    CAD_FTL_RACE_FROZEN,     /* the order stands */
    CAD_FTL_RACE_NONE        /* nothing finished within 800 ms, or there is no run */
};
/* Targets whose first pulse succeeded in the race, fastest first: writes up to `max` indexes, says
 * in *count how many there are. */
enum cad_ftl_race cad_ftl_order(const struct cad_ftl *ftl, uint32_t *out, uint32_t max,
                                uint32_t *count);

/* The place of a server in the race of the last run once its order stands, 1 the first; those that
 * were not in by then share the last one. 0: there is no order, or no target of the recipe is the
 * server's. id and host as of cad_ftl_score. */
uint32_t cad_ftl_place(const struct cad_ftl *ftl, cad_str id, cad_str host);

#define CAD_FTL_COST_NONE INT64_MAX /* no answer ever came */

/* What probes say of a target, or of a server. Integers; cost: lower is better. */
struct cad_ftl_score {
    uint32_t n;              /* pulses it rests on, 0..CAD_FTL_WINDOW; 0: no score. Confidence:
                                the order of servers changes from 2 on */
    uint32_t ok;             /* of those, how many succeeded */
    uint32_t warm;           /* answers on an open connection that latency rests on; 0: cold ones */
    cad_time latency;        /* moving average of the first byte; CAD_TIME_NONE: no answer ever */
    cad_time jitter;         /* moving average of its distance from that */
    uint32_t availability_permille; /* (ok + 1) / (n + 2) */
    int64_t cost_us;         /* (latency + 2 jitter) / max(availability, 0.1)^2; or COST_NONE */
    uint32_t last3_n, last3_ok; /* of the last three pulses */
    cad_time at;             /* of the last pulse */
    uint32_t streak;         /* successes in a row up to the last pulse */
    cad_time streak_at;      /* when the last but one of them was sent; CAD_TIME_NONE: streak < 2 */
    uint32_t identity_failures; /* pulses that ended with TLS, ever */
};
/* The score of a server: of the target that the recipe maps to it (name "cdn:<id>", or the
 * context's map), or else of the first target on its host (host[:port], as the target's).
 * CAD_E_NOTFOUND: there is none, or it is older than 30 min. id and host may be empty. */
CAD_MUST_CHECK int cad_ftl_score(const struct cad_ftl *ftl, cad_str id, cad_str host, cad_time now,
                                 struct cad_ftl_score *out);
/* The score of a target by its name; likewise. */
CAD_MUST_CHECK int cad_ftl_target_score(const struct cad_ftl *ftl, cad_str name, cad_time now,
                                        struct cad_ftl_score *out);

/* Figures. */
struct cad_ftl_stats {
    bool running;            /* a run, or its recipe, is under way */
    uint32_t runs, recipes_failed, reports; /* since create */
    uint32_t reports_lost;   /* for want of memory */
    uint32_t in_flight, in_flight_peak; /* requests */
    uint32_t requests_hour;  /* of the budget, in the hour up to the last turn */
    int64_t bytes_hour;      /* likewise */
    uint32_t targets_failed; /* of the last run: not one pulse succeeded */
    uint32_t targets_dropped; /* of the last run: by the recipe, or by their address */
};
/* A copy of the figures. */
void cad_ftl_stats(const struct cad_ftl *ftl, struct cad_ftl_stats *out);

#ifdef __cplusplus
}
#endif
#endif
