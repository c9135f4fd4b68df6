/*
 * sim_scenario.h - cadmium-sim --scenario: scenario files in virtual time, served by the mocks.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "scenarios/scenario_files.h"

/* An origin for a title, and its end: of struct cad_scenario_options. */
int sim_origin_make(void *ctx, const struct cad_scenario_title *title,
                    const struct cad_origin_ops **ops, void **origin);
void sim_origin_drop(void *ctx, void *origin);

/* Plays the files of options, whose play and ctx are set here. An exit status. */
int sim_scenario_run(struct scenario_files_options *options, struct cad_log log);

#endif
