#include "ftl/ftl_edge.h"

#include <poll.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "drive/clock.h"

#define WAIT_MS_MAX 1000

/* ---- the door -------------------------------------------------------------------------------- */

static void on_head(void *ctx, const struct cad_http_head *head)
{
    struct ftl_edge_slot *slot = ctx;
    struct cad_ftl_head out = {.id = head->id, .status = head->status,
                               .address = (enum cad_ftl_address)head->address};
    /* Only headers can fail to be kept, and the transport gives none. */
    int err = cad_ftl_head(slot->edge->ftl, &out);
    CAD_UNUSED(err);
}

static int on_lease(void *ctx, uint32_t id, size_t want, uint8_t **data, size_t *capacity)
{
    struct ftl_edge_slot *slot = ctx;
    CAD_UNUSED(id);
    *data = slot->lease;
    *capacity = CAD_MIN(want, sizeof(slot->lease));
    return CAD_OK;
}

static int on_commit(void *ctx, uint32_t id, size_t n, cad_time at)
{
    struct ftl_edge_slot *slot = ctx;
    CAD_UNUSED(at);
    return cad_ftl_body(slot->edge->ftl, id, (cad_buf){slot->lease, n});
}

static enum cad_ftl_ec class_of(enum cad_http_class cls)
{
    switch (cls) {
    case CAD_HTTP_OK: return CAD_FTL_EC_NONE;
    case CAD_HTTP_DNS: return CAD_FTL_EC_DNS;
    case CAD_HTTP_CONNECT: return CAD_FTL_EC_CONNECT;
    case CAD_HTTP_TLS:
    case CAD_HTTP_CERTIFICATE: return CAD_FTL_EC_TLS;
    case CAD_HTTP_TIMEOUT: return CAD_FTL_EC_TIMEOUT;
    case CAD_HTTP_RESET: return CAD_FTL_EC_RESET;
    case CAD_HTTP_TOO_LARGE: return CAD_FTL_EC_SIZE;
    case CAD_HTTP_ADDRESS: return CAD_FTL_EC_ADDRESS;
    case CAD_HTTP_PROTOCOL:
    case CAD_HTTP_NO_FILE:
    case CAD_HTTP_BAD_FILE:
    case CAD_HTTP_SCHEME: break;
    }
    return CAD_FTL_EC_HTTP;
}

static void on_end(void *ctx, const struct cad_http_end *end)
{
    struct ftl_edge_slot *slot = ctx;
    struct cad_ftl_end out = {.id = end->id, .ec = class_of(end->cls), .dns = end->dns,
                              .connect = end->connect, .tls = end->tls,
                              .first_byte = end->first_byte, .at = end->last_byte,
                              .reused = end->reused};
    if (end->cls != CAD_HTTP_OK || out.at == CAD_TIME_NONE) out.at = cad_clock_now();
    cad_ftl_end(slot->edge->ftl, &out);
}

/* ---- making and ending ----------------------------------------------------------------------- */

int ftl_edge_init(struct ftl_edge *edge, const char *ca_file)
{
    const struct cad_net_config config = {.alloc = cad_alloc_system(), .ca_file = ca_file};
    memset(edge, 0, sizeof(*edge));
    for (size_t i = 0; i < FTL_EDGE_SLOTS; i++) {
        struct ftl_edge_slot *slot = &edge->slots[i];
        int err = cad_net_create(&config, &slot->transport);
        if (err) {
            ftl_edge_deinit(edge);
            return err;
        }
        slot->edge = edge;
        slot->transport->door =
            (struct cad_transport_door){slot, on_head, on_lease, on_commit, on_end};
    }
    return CAD_OK;
}

void ftl_edge_deinit(struct ftl_edge *edge)
{
    for (size_t i = 0; i < FTL_EDGE_SLOTS; i++) {
        struct cad_transport *transport = edge->slots[i].transport;
        if (transport) transport->ops->destroy(transport);
        edge->slots[i].transport = NULL;
    }
}

/* ---- requests -------------------------------------------------------------------------------- */

int ftl_edge_request(struct ftl_edge *edge, const struct cad_ftl_request *request)
{
    if (request->connection >= FTL_EDGE_SLOTS) return CAD_E_LIMIT;
    const struct cad_header header = {CAD_STR("Accept-Encoding"), request->accept_encoding};
    const struct cad_http_start start = {.id = request->id,
                                         .purpose = CAD_PURPOSE_SEGMENT,
                                         .url = request->url,
                                         .headers = &header,
                                         .header_count = 1,
                                         .range = {-1, -1},
                                         .size_max = request->size_max,
                                         .priority = 7,
                                         .deadline = CAD_TIME_NONE,
                                         .connect_timeout = request->timeout,
                                         .silence_timeout = request->timeout,
                                         .address_max =
                                             (enum cad_address_class)request->address_max};
    struct cad_transport *transport = edge->slots[request->connection].transport;
    return transport->ops->start(transport, &start);
}

void ftl_edge_cancel(struct ftl_edge *edge, uint32_t id)
{
    for (size_t i = 0; i < FTL_EDGE_SLOTS; i++) {
        struct cad_transport *transport = edge->slots[i].transport;
        transport->ops->cancel(transport, id);
    }
}

void ftl_edge_wait(struct ftl_edge *edge, cad_time until)
{
    struct pollfd fds[FTL_EDGE_SLOTS];
    for (size_t i = 0; i < FTL_EDGE_SLOTS; i++) {
        struct cad_transport *transport = edge->slots[i].transport;
        cad_time wake = transport->ops->pump(transport);
        if (wake != CAD_TIME_NONE && (until == CAD_TIME_NONE || wake < until)) until = wake;
        fds[i] = (struct pollfd){.fd = transport->fd, .events = POLLIN};
    }
    /* What came in may want a turn before anything else. */
    cad_time due = cad_ftl_next_wake(edge->ftl);
    if (due != CAD_TIME_NONE && (until == CAD_TIME_NONE || due < until)) until = due;
    int64_t ms = WAIT_MS_MAX;
    if (until != CAD_TIME_NONE) {
        cad_time left = cad_time_sub(until, cad_clock_now());
        ms = left <= 0 ? 0 : CAD_MIN(left / CAD_MS + 1, WAIT_MS_MAX);
    }
    (void)poll(fds, FTL_EDGE_SLOTS, (int)ms);
}
