/*
 * sim_net.h - the transport of virtual time: hosts on links, connections, faults, an origin.
 *
 *     cad_sim_net_create(&alloc, &config, &net);
 *     cad_sim_net_transport(net)->door = door;  net->hole where the taker knows holes
 *     cad_sim_net_advance(net, now);            time never goes back
 *     transport->ops->start / cancel / pump     as transport.h says; pump answers the next event
 *
 * A request takes a connection of its host: an idle one, or a new one if there are fewer than
 * CAD_SIM_CONNECTIONS_MAX, or it waits for one (most urgent first). A new connection costs one
 * round trip, with TLS 1.3 two. The request costs one more before its first byte; then its body
 * shares the link. Bytes are handed on in steps: at each period of the trace and at least every
 * CAD_SIM_STEP of time or eighth of the body, whichever takes longer. A connection whose transfer
 * was cancelled or broke is closed. A warm request holds an idle connection for a round trip, or
 * opens one that is idle afterwards; no origin hears of it. Probes wait for nobody: they have
 * connections of their own, one a group, which are kept beside those and shared with no other. An
 * origin that answers CAD_E_AGAIN leaves its client without an answer; CAD_E_IO breaks it off.
 *
 * A fault of a host touches what is under way: REFUSE resets it; in a BLACKHOLE it is lost for good
 * and runs into its time limit; RESET_AT holds for each body from now on; STATUS is for requests
 * that are not answered yet; with RATE the host leaves the link it shared for one of its own that
 * follows the same trace but is no faster than the cap.
 */
#ifndef CAD_DRIVE_SIM_NET_H
#define CAD_DRIVE_SIM_NET_H

#include "cadmium/sim.h"

#include "drive/link.h"
#include "drive/transport.h"

#define CAD_SIM_CONNECTIONS_MAX 6          /* to one host */
#define CAD_SIM_WARMS_MAX 4                /* connections that are being made ready at a time */
#define CAD_SIM_SIDES_MAX 32               /* connections of probes that are kept */
#define CAD_SIM_STEP (100 * CAD_MS)
#define CAD_SIM_STEPS_OF_BODY 8
#define CAD_SIM_UNKNOWN_HOST_DELAY (20 * CAD_MS) /* how long a name takes to be unknown */

struct cad_sim_net_config {
    bool tls;
    int64_t wall_ms;         /* Unix epoch, ms, at time 0, on the servers' clock */
};

struct cad_sim_net;

CAD_MUST_CHECK int cad_sim_net_create(const struct cad_alloc *alloc,
                                      const struct cad_sim_net_config *config,
                                      struct cad_sim_net **out);
struct cad_transport *cad_sim_net_transport(struct cad_sim_net *net); /* destroy through it */
/* Who takes holes; without one a hole is committed as zeros. ctx is the door's. */
void cad_sim_net_on_hole(struct cad_sim_net *net,
                         int (*hole)(void *ctx, uint32_t id, size_t n, cad_time at));
/* Who hears of each transfer when it is over. */
void cad_sim_net_on_access(struct cad_sim_net *net, cad_sim_access_fn fn, void *ctx);
/* A remark on a transfer that has just been started; it comes back as `ahead` of its access. */
void cad_sim_net_note(struct cad_sim_net *net, uint32_t id, cad_time note);
void cad_sim_net_set_origin(struct cad_sim_net *net, const struct cad_origin_ops *ops, void *ctx);
CAD_MUST_CHECK int cad_sim_net_add_link(struct cad_sim_net *net, const struct cad_trace *trace,
                                        uint32_t *index);
CAD_MUST_CHECK int cad_sim_net_add_host(struct cad_sim_net *net, cad_str name, uint32_t link);
/* The name of host i in the order they were added; empty past the last. */
cad_str cad_sim_net_host(const struct cad_sim_net *net, uint32_t i);
CAD_MUST_CHECK int cad_sim_net_fault(struct cad_sim_net *net, cad_str host,
                                     enum cad_host_fault fault, int64_t value);
/* false: no packet gets anywhere, as if every host were a black hole. */
void cad_sim_net_online(struct cad_sim_net *net, bool online);
void cad_sim_net_advance(struct cad_sim_net *net, cad_time now);
/* When pump has something to do; CAD_TIME_NONE: nothing is in flight. */
cad_time cad_sim_net_next(const struct cad_sim_net *net);
uint32_t cad_sim_net_in_flight(const struct cad_sim_net *net);

#endif
