/*
 * sim_sessions.h - cadmium-sim --sessions: many sessions drawn from one seed, in virtual time.
 *
 * Each is played over a drawn link and ladder, protected or clear, with text or without, with
 * events of record, logs and probes, while hosts and services fail; some are killed and begin
 * again. What must hold: the engine's invariants; an end, or a typed error; each event of record
 * at its service exactly once; the same playback, to the nanosecond, without reports and probes,
 * and from a tape.
 */
#ifndef SIM_SESSIONS_H
#define SIM_SESSIONS_H

#include "cadmium/sim.h"

#define SIM_SESSIONS_MAX 1000000
#define SIM_JOBS_MAX 64

struct sim_sessions_options {
    int64_t count;           /* sessions */
    int64_t jobs;            /* threads */
    uint64_t seed;
    int64_t only;            /* play this one alone, from 1; 0: all */
    struct cad_log log;      /* decisions, with `only` */
};

/* Plays them and prints the counts. An exit status: 0 if all held. */
int sim_sessions_run(const struct sim_sessions_options *options);

#endif
