/*
 * sim_head.h - the head of an answer that an origin of the virtual network gave.
 */
#ifndef CAD_DRIVE_SIM_HEAD_H
#define CAD_DRIVE_SIM_HEAD_H

#include "base/strbuf.h"
#include "cadmium/sim.h"

/* A head with a copy of what it shows: an answer's views live until the origin's next call, which
 * may come while the server thinks about this one. */
struct cad_sim_head {
    struct cad_http_head head;
    struct cad_header told[CAD_HTTP_HEADERS_MAX]; /* in text */
    struct cad_sb text;          /* the caller's, to be kept or freed */
};

/* out->text is an initialised builder. Headers that cannot be understood count as absent; an origin
 * of the virtual network speaks HTTP/1.1 and has no address. The date is the caller's to set.
 * CAD_E_NOMEM, CAD_E_LIMIT. */
CAD_MUST_CHECK int cad_sim_head(const struct cad_origin_answer *answer, uint32_t id,
                                struct cad_sim_head *out);

#endif
