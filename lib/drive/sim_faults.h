/*
 * sim_faults.h - faults of hosts drawn from one seed.
 *
 * At random times a host refuses, swallows, cuts bodies, answers 5xx or slows down, for a while,
 * and is well again. The same seed gives the same faults at the same times, whatever the session
 * does.
 */
#ifndef CAD_DRIVE_SIM_FAULTS_H
#define CAD_DRIVE_SIM_FAULTS_H

#include "base/rand.h"
#include "cadmium/sim.h"

struct cad_sim_faults {
    struct cad_rng rng;
    cad_time every;                     /* mean time between two faults; 0: none at all */
    cad_time next;                      /* when the next one begins; CAD_TIME_NONE none */
    cad_time until[CAD_SIM_HOSTS_MAX];  /* when a host is well again; CAD_TIME_NONE it is */
};

/* A host changes. */
struct cad_sim_change {
    uint32_t host;
    enum cad_host_fault fault;
    int64_t value;                      /* as cad_sim_host_fault takes it */
};

void cad_sim_faults_init(struct cad_sim_faults *faults, uint64_t seed, cad_time every);
/* When something changes next; CAD_TIME_NONE: never. */
cad_time cad_sim_faults_next(const struct cad_sim_faults *faults);
/* A change that is due at `now` among `hosts` of them (> 0); false: none is (any more). */
bool cad_sim_faults_take(struct cad_sim_faults *faults, cad_time now, uint32_t hosts,
                         struct cad_sim_change *out);

#endif
