/*
 * mock_ingest.h - the service that takes events of record and log batches, as a pure function.
 *
 *   POST {service}/events?playbackContextId=ID&reqAttempt=N&reqName=events/TYPE&reqId=ID...
 *   POST {service}/logblob?reqAttempt=N&reqName=logblob&reqId=ID...
 *
 * A request is known by its reqId: a second arrival is answered 200 and counted, and changes
 * nothing. What is held can be asked for: each event once, with how often it came, and how many log
 * entries of which type and severity. Bodies are inflated, must be JSON, and are bounded. What goes
 * wrong with the service (a script of each channel) is part of it, so that both fronts have it.
 * Nothing is printed or sent here; no clock, no randomness.
 */
#ifndef MOCK_INGEST_H
#define MOCK_INGEST_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "cadmium/base.h"

#define MOCK_INGEST_EVENTS_MAX 65536  /* requests that are remembered */
#define MOCK_INGEST_BODY_MAX (1u << 20) /* bytes of an inflated body; more is answered 413 */
#define MOCK_INGEST_TEXT 96           /* bytes of an id, with its NUL */
#define MOCK_INGEST_TYPES_MAX 64      /* types of log entries told apart; the others are "..." */
#define MOCK_INGEST_IDS_MAX (1u << 20) /* ids of log entries that are compared */
#define MOCK_INGEST_EVENTS_PATH "/events"
#define MOCK_INGEST_LOG_PATH "/logblob"
#define MOCK_INGEST_LIMITS_DEFAULT "~0=true~RL=2212"

/* A request that was taken, once. */
struct mock_ingest_item {
    char reqid[33];
    char name[32];                /* "logblob", "events/start" */
    char xid[MOCK_INGEST_TEXT];   /* of an event */
    char context[MOCK_INGEST_TEXT]; /* playbackContextId of the URL; may be empty */
    char reason[MOCK_INGEST_TEXT];/* of a stop */
    int64_t seq, position_ms, rendered_ms; /* of an event */
    uint32_t entries;             /* of a batch */
    uint32_t arrivals;            /* the first and all others */
    uint32_t attempt_first, attempt_last; /* reqAttempt of the first and the last arrival */
    bool mismatched;              /* the body tells another event than reqName: not taken */
    int64_t order;                /* of its first arrival, from 0 */
};

enum mock_ingest_severity { MOCK_INGEST_INFO, MOCK_INGEST_WARN, MOCK_INGEST_ERROR,
                            MOCK_INGEST_OTHER, MOCK_INGEST_SEVERITIES };

/* Log entries of one type. */
struct mock_ingest_type {
    char name[40];
    uint64_t counts[MOCK_INGEST_SEVERITIES];
};

enum mock_ingest_channel { MOCK_INGEST_EVENTS, MOCK_INGEST_LOG, MOCK_INGEST_CHANNELS };

enum mock_ingest_fault {
    MOCK_INGEST_OK,
    MOCK_INGEST_STATUS,           /* answered so, and not taken */
    MOCK_INGEST_REFUSE,           /* not taken, and the connection ends without an answer */
    MOCK_INGEST_DROP              /* taken, and the connection ends without an answer */
};

/* What happens to the requests of a channel. */
struct mock_ingest_script {
    enum mock_ingest_fault fault;
    int64_t left;                 /* requests it will still meet; negative: all */
    int32_t status;               /* of MOCK_INGEST_STATUS */
    int32_t retry_after_s;        /* beside the status; 0: not said */
    cad_time think;               /* before each answer, whatever the fault */
};

/* Answers to events of a playback ask it to stop. */
struct mock_ingest_stop {
    char xid[MOCK_INGEST_TEXT];   /* empty: of every playback */
    char code[MOCK_INGEST_TEXT];
    char message[MOCK_INGEST_TEXT];
    int64_t left;                 /* answers that will still say so; negative: all; 0: none */
};

struct mock_ingest {
    struct cad_alloc alloc;
    struct mock_ingest_item *items; /* count of cap, in order of arrival */
    size_t count, cap;
    struct mock_ingest_type types[MOCK_INGEST_TYPES_MAX];
    size_t type_count;
    uint64_t *ids;                /* hashes of entries' ids, id_count of id_cap (a power of two) */
    size_t id_count, id_cap;
    uint64_t arrivals, duplicates, refused;
    uint64_t broken;              /* bodies that are no gzip or no JSON, or tell another event */
    uint64_t zipped;              /* bodies that came compressed */
    uint64_t faults, lost;        /* requests that met the script; answers that it ate */
    uint64_t repeated;            /* log entries that are held already, under another reqId */
    struct mock_ingest_script scripts[MOCK_INGEST_CHANNELS];
    struct mock_ingest_stop stop;
    char limits[MOCK_INGEST_TEXT]; /* x-ichnaea of answers to batches; empty: none */
    struct cad_sb last;           /* body of the last one that was taken, as JSON */
    struct cad_sb answer;         /* body of the last answer */
};

void mock_ingest_init(struct mock_ingest *m, const struct cad_alloc *alloc);
void mock_ingest_deinit(struct mock_ingest *m);
/* Forgets what came; scripts, stop and limits stay. */
void mock_ingest_clear(struct mock_ingest *m);
/*
 * A POST; target: path and query. Returns the status: 200, 400 (no reqId, a foreign name, a body
 * that is no JSON or tells another event), 413, 507 (the table is full). Scripts are not asked.
 */
int32_t mock_ingest_post(struct mock_ingest *m, cad_str target, cad_buf body, bool gzip);

/* One request as a front hands it over. */
struct mock_ingest_request {
    enum mock_ingest_channel channel;
    cad_str method;
    cad_str target;               /* path and query */
    cad_buf body;
    bool gzip;                    /* Content-Encoding */
};

struct mock_ingest_answer {
    bool lost;                    /* there is none: the connection ends */
    bool taken;                   /* held now, for the first time; m->last is its body */
    int32_t status;
    int32_t retry_after_s;        /* 0: no such header */
    const char *limits;           /* x-ichnaea; NULL: no such header */
    cad_str body;                 /* JSON; until the next call */
    cad_time think;
};

/* Takes the request as the script says. 405 for another method than POST. */
void mock_ingest_serve(struct mock_ingest *m, const struct mock_ingest_request *request,
                       struct mock_ingest_answer *out);
/* The channel of a path (without query), "/log/cadmium/logblob/1" among them; -1: none. */
int mock_ingest_channel(cad_str path);

/* How many different events of a type ("start"; NULL all) of a playback (NULL all) are held. */
size_t mock_ingest_events(const struct mock_ingest *m, const char *xid, const char *type);
/* Log entries of all batches held. */
uint64_t mock_ingest_entries(const struct mock_ingest *m);
/* Events of each playback came with rising seq; false and the first that did not. */
bool mock_ingest_in_order(const struct mock_ingest *m, const struct mock_ingest_item **bad);
/* Whether an item is an event, and not a batch. */
bool mock_ingest_is_event(const struct mock_ingest_item *item);
/* The account, as JSON: docs/mocks.md. xid: of this playback only; NULL: all. */
int mock_ingest_report(const struct mock_ingest *m, const char *xid, struct cad_sb *out);

#endif
