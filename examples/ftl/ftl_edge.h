/*
 * ftl_edge.h - a probe's requests over the real network.
 *
 * Each connection number of the probe has a transport of its own: connections and addresses that
 * were looked up are never shared between targets, so that cold figures stay cold.
 */
#ifndef FTL_EDGE_H
#define FTL_EDGE_H

#include "cadmium/steer.h"

#include "drive/net.h"

#define FTL_EDGE_SLOTS (1 + CAD_FTL_TARGETS_MAX) /* the recipe's, and one for each target */
#define FTL_EDGE_LEASE 16384

struct ftl_edge;

struct ftl_edge_slot {
    struct ftl_edge *edge;
    struct cad_transport *transport;
    uint8_t lease[FTL_EDGE_LEASE];
};

struct ftl_edge {
    struct cad_ftl *ftl;                       /* told what happens */
    struct ftl_edge_slot slots[FTL_EDGE_SLOTS];
};

/* ca_file: PEM file of the only trusted roots, NULL the system's. CAD_E_NOMEM, CAD_E_IO. */
CAD_MUST_CHECK int ftl_edge_init(struct ftl_edge *edge, const char *ca_file);
void ftl_edge_deinit(struct ftl_edge *edge);
/* What a REQUEST asks for. CAD_E_NOMEM, CAD_E_LIMIT: it is not under way. */
CAD_MUST_CHECK int ftl_edge_request(struct ftl_edge *edge, const struct cad_ftl_request *request);
void ftl_edge_cancel(struct ftl_edge *edge, uint32_t id);
/* Move bytes, and then sleep until something happens or until `until` (CAD_TIME_NONE: no limit). */
void ftl_edge_wait(struct ftl_edge *edge, cad_time until);

#endif
