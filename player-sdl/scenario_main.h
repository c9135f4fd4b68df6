/*
 * scenario_main.h - cadmium-play --headless --scenario FILE...: scenarios in real time.
 */
#ifndef PLAYER_SCENARIO_MAIN_H
#define PLAYER_SCENARIO_MAIN_H

#include <stdbool.h>

/* Is this a command line of scenarios? */
bool scenario_is_asked_for(int argc, char *const *argv);
/* Obeys it: an exit status of the program. */
int scenario_main(int argc, char **argv);

#endif
