/*
 * scenario_stage.h - the files that a scenario names, loaded and read: its ladder and its traces.
 *
 *     cad_scenario_stage_load(&stage, scenario, options, result);
 *     cad_scenario_stage_deinit(&stage, options);      also after a failed load
 */
#ifndef CAD_DRIVE_SCENARIO_STAGE_H
#define CAD_DRIVE_SCENARIO_STAGE_H

#include "drive/scenario.h"

struct cad_scenario_stage {
    cad_str ladder_text;         /* as in the file; empty with a title by URL */
    struct cad_ladder ladder;
    cad_time duration;           /* of the title; 0 not known beforehand */
    cad_str trace_text[CAD_SIM_LINKS_MAX];  /* empty: a constant link */
    struct cad_trace traces[CAD_SIM_LINKS_MAX];
    uint32_t trace_count;        /* links that are loaded */
};

/* traces of constant links point into the scenario, which must outlive the stage. CAD_E_DATA: a
 * file is missing or no good, told in result; CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_scenario_stage_load(struct cad_scenario_stage *stage,
                                           struct cad_scenario *scenario,
                                           const struct cad_scenario_options *options,
                                           struct cad_scenario_result *result);
void cad_scenario_stage_deinit(struct cad_scenario_stage *stage,
                               const struct cad_scenario_options *options);

/* The key id of a protected title, which follows from the seed; the origin makes the key of it. */
void cad_scenario_kid(uint64_t seed, uint8_t out[CAD_KEY_ID_SIZE]);

/* A mistake of the script that only shows when it runs: CAD_E_DATA, told in result. */
CAD_MUST_CHECK int cad_scenario_refuse(struct cad_scenario_result *result, uint32_t line,
                                       const char *what);

#endif
