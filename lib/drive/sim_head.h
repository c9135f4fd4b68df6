/*
 * sim_head.h - the head of an answer that an origin of the virtual network gave.
 */
#ifndef CAD_DRIVE_SIM_HEAD_H
#define CAD_DRIVE_SIM_HEAD_H

#include "cadmium/sim.h"

/* wall_ms: the server's clock. Views in *head are the answer's. Headers that cannot be understood
 * count as absent; an origin of the virtual network speaks HTTP/1.1 and has no address. */
void cad_sim_head(const struct cad_origin_answer *answer, uint32_t id, int64_t wall_ms,
                  struct cad_http_head *head);

#endif
