/*
 * sim_origin.h - all services of a title in virtual time behind one origin: manifest, media, text
 * and licences (mock_synth.h), probes (mock_ftl.h), events of record and logs (mock_ingest.h).
 *
 *     sim_origin_create(&config, &origin);
 *     cad_sim_set_origin(sim, sim_origin_ops(), origin);
 *     sim_origin_service(origin, CAD_STR("licence-slow-800"), false);
 *
 * Paths tell the services apart; every host has all of them. What came in outlives a simulation: a
 * session that is killed and begun again meets the same services.
 */
#ifndef SIM_ORIGIN_H
#define SIM_ORIGIN_H

#include "mock/mock_ftl.h"
#include "mock/mock_ingest.h"
#include "mock/mock_synth.h"

struct sim_origin;

struct sim_origin_config {
    const struct cad_scenario_title *title; /* its synth must outlive the origin */
    const char *const *probe_hosts; /* targets of probes, of nothing else; NULL: the title's hosts,
                                       by the ids that the manifest gives them */
    uint32_t probe_host_count;
};

/* CAD_E_NOMEM, CAD_E_LIMIT, CAD_E_INVAL. */
CAD_MUST_CHECK int sim_origin_create(const struct sim_origin_config *config,
                                     struct sim_origin **out);
/* Accepts NULL, leaves NULL. */
void sim_origin_destroy(struct sim_origin **origin);
const struct cad_origin_ops *sim_origin_ops(void); /* ctx: the struct sim_origin */

/*
 * What is wrong with a service from now on; up: that no more. CAD_E_NOTFOUND: no such name.
 *
 *   manifest, licence, text        answer 503 (text 404); see mock_origin_service
 *   licence-refused, -garbage, -cut
 *   events, log                    answer 503 and take nothing
 *   events-refused, log-refused    break off and take nothing
 *   events-cut, log-cut            take it, and break off
 *   probe                          no recipe: 503
 *   probe-garbage                  a page in place of the recipe
 *   probe-refused, probe-cut       the pulses: 403; fewer bytes than there should be
 *   NAME-slow-MS                   licence, events, log, probe: each answer comes later
 */
CAD_MUST_CHECK int sim_origin_service(struct sim_origin *origin, cad_str name, bool up);
/* For their counters and scripts. */
struct mock_ingest *sim_origin_ingest(struct sim_origin *origin);
struct mock_ftl *sim_origin_ftl(struct sim_origin *origin);
struct mock_origin *sim_origin_mock(struct sim_origin *origin);

#endif
