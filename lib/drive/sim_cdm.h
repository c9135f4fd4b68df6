/*
 * sim_cdm.h - a CDM in virtual time: its host, and what it has told until that is due.
 *
 *     cad_sim_cdm_create(&alloc, &config, &cdm);
 *     cad_sim_cdm_advance(cdm, now);                time never goes back
 *     cad_sim_cdm_call(cdm, &call);                 from CAD_ACTION_CDM_CALL
 *     while (cad_sim_cdm_take(cdm, &event)) feed    views live until the next take
 *     wake = cad_sim_cdm_next(cdm);
 *     cad_sim_cdm_destroy(&cdm);
 *
 * The CDM must answer on the thread that calls it, as Clear Key does. Its random bytes are drawn
 * from the seed: nothing that it makes is a secret. It has no store: what it asks of one fails.
 */
#ifndef CAD_DRIVE_SIM_CDM_H
#define CAD_DRIVE_SIM_CDM_H

#include "cadmium/actions.h"

#define CAD_SIM_CDM_EVENTS_MAX 256 /* that are not due yet, or not taken */

struct cad_sim_cdm_config {
    const struct cad_cdm_ops *ops;
    cad_str key_system;
    cad_time latency;        /* from a call to what it causes */
    int64_t wall_ms;         /* Unix epoch, ms, at time 0, as the device has it */
    uint64_t seed;
    struct cad_log log;
};

struct cad_sim_cdm;

/* Results as of ops->create; CAD_E_INVAL: the table is not of this version. */
CAD_MUST_CHECK int cad_sim_cdm_create(const struct cad_alloc *alloc,
                                      const struct cad_sim_cdm_config *config,
                                      struct cad_sim_cdm **out);
/* Accepts NULL, leaves NULL. */
void cad_sim_cdm_destroy(struct cad_sim_cdm **cdm);
/* For decrypting and for its caps. */
struct cad_cdm *cad_sim_cdm_instance(struct cad_sim_cdm *cdm);
void cad_sim_cdm_advance(struct cad_sim_cdm *cdm, cad_time now);
/* A refused call is answered by an event DONE. CAD_E_NOMEM, CAD_E_LIMIT: not even that. */
CAD_MUST_CHECK int cad_sim_cdm_call(struct cad_sim_cdm *cdm, const struct cad_cdm_call *call);
/* What is due; false: nothing. */
bool cad_sim_cdm_take(struct cad_sim_cdm *cdm, struct cad_cdm_event *out);
/* When something is due; CAD_TIME_NONE: nothing is to come. */
cad_time cad_sim_cdm_next(const struct cad_sim_cdm *cdm);

#endif
