/*
 * scenario_real.h - a scenario in real time: the player against cadmium-mockd.
 *
 * The same file, script and expectations as in virtual time (drive/scenario_play.h). Hosts are
 * those of a cadmium-mockd on loopback that is started for the scenario, links and faults are its
 * too; the sink is the simulator's, which decodes nothing, on a thread of its own.
 */
#ifndef PLAYER_SCENARIO_REAL_H
#define PLAYER_SCENARIO_REAL_H

#include "cadmium/player.h"
#include "cadmium/sim.h"

struct scenario_real_options {
    const char *mockd;           /* the program; NULL: beside this one */
    const char *mockd_control;   /* attach to the one whose control port this is; NULL: start one */
    const char *ca_file;         /* of a title by URL; NULL the system's */
};

/* Of options: alloc, log, load, ctx, seed, check and point count. Results as of cad_scenario_run;
 * CAD_E_IO: no server, told in out->message. */
CAD_MUST_CHECK int scenario_real_run(cad_str text, const struct cad_scenario_options *options,
                                     const struct scenario_real_options *real,
                                     struct cad_scenario_result *out);

#endif
