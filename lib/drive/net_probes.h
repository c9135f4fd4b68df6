/*
 * net_probes.h - a transport for requests whose connections are to be measured: those of one group
 * share connections, those of different groups none, and nobody else's are used.
 *
 * Each group has a network transport (net.h) of its own, with its connections, names and TLS
 * sessions: the first request of a group is cold. The one that was silent longest makes room for a
 * new group; a group with nothing under way ends after CAD_NET_PROBES_IDLE.
 */
#ifndef CAD_DRIVE_NET_PROBES_H
#define CAD_DRIVE_NET_PROBES_H

#include "drive/net.h"

#define CAD_NET_PROBES_GROUPS 12                  /* at a time; with one more under way: LIMIT */
#define CAD_NET_PROBES_IDLE (90 * CAD_SECOND)     /* a probe comes again after up to 70 s */

/* Texts of the config are copied. CAD_E_NOMEM, CAD_E_IO; all else as cad_net_create, with the first
 * request of a group. */
CAD_MUST_CHECK int cad_net_probes_create(const struct cad_net_config *config,
                                         struct cad_transport **out);

#endif
