/*
 * sim_head.h - the head of an answer that an origin of the virtual network gave.
 */
#ifndef CAD_DRIVE_SIM_HEAD_H
#define CAD_DRIVE_SIM_HEAD_H

#include "cadmium/sim.h"

/* Views in *head are the answer's and told's, which has room for CAD_HTTP_HEADERS_MAX. Headers that
 * cannot be understood count as absent; an origin of the virtual network speaks HTTP/1.1 and has no
 * address. The date is the caller's to set. */
void cad_sim_head(const struct cad_origin_answer *answer, uint32_t id, struct cad_http_head *head,
                  struct cad_header *told);

#endif
