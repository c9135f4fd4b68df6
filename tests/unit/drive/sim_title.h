/* A small virtual title with everything around it, for tests of the simulation. */
#ifndef SIM_TITLE_H
#define SIM_TITLE_H

#include "cadmium/sim.h"

#include "mock/mock_synth.h"

struct sim_title {
    struct cad_ladder ladder;
    struct cad_synth *synth;
    struct mock_synth *origin;
};

/* 2 s segments in four rungs of 300, 750, 1500 and 3000 kbit/s; two hosts, cdn1 and cdn2. */
void sim_title_init(struct sim_title *t, cad_time duration, cad_time url_life);
/* The same, protected by the key of sim_title_kid, with text in English and German. */
void sim_title_init_protected(struct sim_title *t, cad_time duration);
extern const uint8_t sim_title_kid[CAD_KEY_ID_SIZE];
void sim_title_deinit(struct sim_title *t);
/* Give a simulation the title's origin, hosts and a link. 0 or CAD_E_*. */
int sim_title_attach(struct sim_title *t, struct cad_sim *sim, const struct cad_trace *trace);
/* LOAD and PLAY. 0 or CAD_E_*. */
int sim_title_play(struct cad_sim *sim);

#endif
