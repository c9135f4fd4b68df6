/*
 * mock_ingest.h - the service that takes events of record and log batches, as a pure function.
 *
 * A request is known by its reqId: a second arrival is answered 200 and counted, and changes
 * nothing. What is held can be asked for: each event once, with how often it came. Bodies are
 * inflated, must be JSON, and are bounded. Nothing is printed or sent here.
 */
#ifndef MOCK_INGEST_H
#define MOCK_INGEST_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "cadmium/base.h"

#define MOCK_INGEST_EVENTS_MAX 65536  /* requests that are remembered */
#define MOCK_INGEST_BODY_MAX (1u << 20) /* bytes of an inflated body; more is answered 413 */
#define MOCK_INGEST_TEXT 96           /* bytes of an id, with its NUL */

/* A request that was taken, once. */
struct mock_ingest_item {
    char reqid[33];
    char name[32];                /* "logblob", "events/start" */
    char xid[MOCK_INGEST_TEXT];   /* of an event */
    char reason[MOCK_INGEST_TEXT];/* of a stop */
    int64_t seq, position_ms, rendered_ms; /* of an event */
    uint32_t entries;             /* of a batch */
    uint32_t arrivals;            /* the first and all others */
    uint32_t attempt_last;        /* reqAttempt of the last arrival */
    int64_t order;                /* of its first arrival, from 0 */
};

struct mock_ingest {
    struct cad_alloc alloc;
    struct mock_ingest_item *items; /* count of cap, in order of arrival */
    size_t count, cap;
    uint64_t arrivals, duplicates, refused;
    struct cad_sb last;           /* body of the last one that was taken, as JSON */
};

void mock_ingest_init(struct mock_ingest *m, const struct cad_alloc *alloc);
void mock_ingest_deinit(struct mock_ingest *m);
/*
 * A POST; target: path and query. Returns the status: 200, 400 (no reqId, a foreign name, a body
 * that is no JSON), 413, 507 (the table is full).
 */
int32_t mock_ingest_post(struct mock_ingest *m, cad_str target, cad_buf body, bool gzip);
/* How many different events of a type ("start"; NULL all) of a playback (NULL all) are held. */
size_t mock_ingest_events(const struct mock_ingest *m, const char *xid, const char *type);
/* Log entries of all batches held. */
uint64_t mock_ingest_entries(const struct mock_ingest *m);
/* Events of each playback came with rising seq; false and the first that did not. */
bool mock_ingest_in_order(const struct mock_ingest *m, const struct mock_ingest_item **bad);
/* What is held, as JSON: {"events":[..],"batches":n,"entries":n,"duplicates":n,"refused":n}. */
int mock_ingest_report(const struct mock_ingest *m, struct cad_sb *out);

#endif
