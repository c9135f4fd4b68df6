/*
 * transport.h - the edge that fetches bytes: one small vtable for the network, files and whatever
 * else can answer a struct cad_http_start.
 *
 *     err = transport->ops->start(transport, &start);     from CAD_ACTION_HTTP_START
 *     transport->ops->cancel(transport, id);              from CAD_ACTION_HTTP_CANCEL
 *     wake = transport->ops->pump(transport);             moves bytes, calls the door
 *
 * What a transfer brings goes through the door, which the driver of the engine puts on
 * cad_engine_feed, _lease and _commit. The transport belongs to one thread, the driver's; the door
 * is called on that thread, from pump only.
 *
 * Contract (tests/contract/transport, passed by every implementation):
 *  1. For each start that answered 0: at most one head, then bytes, then exactly one end; without a
 *     head (no answer came) there are no bytes. After cancel(id) nothing of that id comes any more.
 *  2. The door is never called from start or cancel, and never calls back into the transport.
 *  3. A body's bytes are copied once, from the edge into leased space, and committed in order; a
 *     lease may be smaller than what was wanted. Nothing is ever paused to wait for space.
 *  4. lease answers CAD_E_STALE: the transfer is dropped without an end. CAD_E_LIMIT, or a body
 *     over size_max: it ends with CAD_HTTP_TOO_LARGE. Another failure of the door: CAD_HTTP_RESET.
 *  5. An answer that was refused by its status is still an answer: it ends with CAD_HTTP_OK.
 *  6. Timing marks are in order (dns, connect, tls, first byte, last byte) and not in the future.
 *  7. The reads of an end rise in time and bytes; the last is what was committed in all. The head
 *     says where the peer is (files, simulated hosts: UNKNOWN) and which HTTP it spoke (0: none).
 *     A peer farther in than address_max allows is asked nothing: CAD_HTTP_ADDRESS, no head.
 *     It tells the header lines of CAD_HTTP_HEADERS_TOLD, each name once and in lower case, values
 *     cut at CAD_TRANSPORT_TOLD_BYTES, and no others.
 *  8. Nothing of warm() comes through the door or is counted as a transfer; destroy drops it too.
 *  9. pump works for a bounded time; it returns the absolute time at which it wants to be called
 *     again, CAD_TIME_NONE if only `fd` becoming readable matters. destroy never waits.
 */
#ifndef CAD_DRIVE_TRANSPORT_H
#define CAD_DRIVE_TRANSPORT_H

#include "cadmium/engine.h"

#define CAD_TRANSPORT_TRANSFERS_MAX 64 /* transfers of one transport at a time */
#define CAD_TRANSPORT_TOLD_BYTES 256   /* of the value of a header line that a head tells */

struct cad_transport_door {
    void *ctx;
    /* Borrowed for the call. */
    void (*head)(void *ctx, const struct cad_http_head *head);
    /* As cad_engine_lease and cad_engine_commit. */
    int (*lease)(void *ctx, uint32_t id, size_t want, uint8_t **data, size_t *capacity);
    int (*commit)(void *ctx, uint32_t id, size_t n, cad_time at);
    void (*end)(void *ctx, const struct cad_http_end *end);
};

struct cad_transport;

struct cad_transport_ops {
    size_t size;      /* sizeof(struct cad_transport_ops) */
    const char *name; /* "net", "file" */
    /* Drops all transfers without a word. */
    void (*destroy)(struct cad_transport *transport);
    /* Everything in start is copied. CAD_E_NOMEM; CAD_E_LIMIT: too many transfers. What is wrong
     * with the request itself comes as an end. */
    int (*start)(struct cad_transport *transport, const struct cad_http_start *start);
    /* Unknown ids are ignored. */
    void (*cancel)(struct cad_transport *transport, uint32_t id);
    cad_time (*pump)(struct cad_transport *transport);
    /* From CAD_ACTION_HTTP_WARM: nothing of it comes through the door. NULL: it has no
     * connections. */
    void (*warm)(struct cad_transport *transport, const struct cad_http_warm *warm);
};

/* An implementation puts this first in its own struct. */
struct cad_transport {
    const struct cad_transport_ops *ops;
    struct cad_transport_door door; /* set by the driver before the first start */
    int fd;                         /* readable: pump has something to do; -1 none */
};

/* What a transfer has brought so far. */
struct cad_transport_delivery {
    uint32_t id;
    int64_t size_max;  /* <= 0: no limit but the lease's */
    int64_t received;
    struct cad_http_read reads[CAD_HTTP_READS_MAX]; /* as in cad_http_end */
    uint32_t read_count;
};
/* Header lines that a head tells, with room for their values. */
struct cad_transport_told {
    struct cad_header headers[CAD_HTTP_HEADERS_MAX]; /* names are constants */
    uint32_t count;
    char text[CAD_HTTP_HEADERS_MAX][CAD_TRANSPORT_TOLD_BYTES];
};
/* Keeps a line if it is one to be told and the first of its name. The value is copied. */
void cad_transport_tell_header(struct cad_transport_told *told, cad_str name, cad_str value);

/* Copies n bytes through the door: as many leases as it takes. received counts what was committed,
 * reads remembers when. 0, or what the door answered (CAD_E_STALE, CAD_E_LIMIT...). at: when the
 * bytes came. */
CAD_MUST_CHECK int cad_transport_deliver(const struct cad_transport_door *door,
                                         struct cad_transport_delivery *delivery, const uint8_t *p,
                                         size_t n, cad_time at);
/* For who commits by himself: `received` has grown, at `at`. When all places are taken, every other
 * read is given up, so that what is left goes on to span the whole body. */
void cad_transport_note_read(struct cad_transport_delivery *delivery, cad_time at);
/* The reads of the end. */
void cad_transport_tell_reads(const struct cad_transport_delivery *delivery,
                              struct cad_http_end *end);

#endif
