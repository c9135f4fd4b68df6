/*
 * net_head.h - the head of an HTTP answer, built line by line as it arrives.
 *
 *     cad_net_head_init(&head, id);
 *     cad_net_head_line(&head, line, wall_ms)    every header line; 1: the head is whole
 *
 * A status line begins the head anew (after 100 Continue and the like). Lines after the whole head
 * (trailers) are ignored. Headers that cannot be understood count as absent.
 */
#ifndef CAD_DRIVE_NET_HEAD_H
#define CAD_DRIVE_NET_HEAD_H

#include <stdbool.h>

#include "drive/transport.h"

#define CAD_NET_LOCATION_MAX 8192 /* bytes of a Location; a longer one counts as absent */

struct cad_net_head {
    struct cad_http_head http; /* location and headers are views in here */
    bool whole;                /* handed over */
    bool chunked;              /* Transfer-Encoding: Content-Length says nothing */
    int64_t retry_at_ms;       /* Retry-After as a date, Unix ms; 0 none */
    struct cad_transport_told told;
    char location[CAD_NET_LOCATION_MAX];
};

void cad_net_head_init(struct cad_net_head *head, uint32_t id);
/*
 * One line with or without its line end. wall_ms: Unix time for a Retry-After date in an answer
 * that has no Date. 1: the head is whole, head->http is filled; 0: go on; CAD_E_DATA: no status
 * line.
 */
CAD_MUST_CHECK int cad_net_head_line(struct cad_net_head *head, cad_str line, int64_t wall_ms);

#endif
