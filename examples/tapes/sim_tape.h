/*
 * sim_tape.h - cadmium-sim --replay: plays a tape back and says whether the decisions are the same.
 */
#ifndef SIM_TAPE_H
#define SIM_TAPE_H

#include <stdbool.h>

#include "cadmium/tape.h"

struct sim_tape_options {
    const char *path;
    cad_time until;     /* CAD_TIME_NONE: to its end */
    bool explain;       /* inputs and actions between the decisions, on standard output */
    bool check;
    struct cad_log log; /* the decision log; off: decisions go to standard output */
};

/* 0: the same decisions, or others of another library version; 1: others, or the tape is broken;
 * 2: it is no tape or cannot be read. Tells in words on standard output and error. */
int sim_tape_replay(const struct sim_tape_options *options);

#endif
