/* headless.h - playing in real time without a window or a sound device. */
#ifndef PLAYER_HEADLESS_H
#define PLAYER_HEADLESS_H

#include "args.h"

/* Plays until the end; the exit status. */
int headless_run(const struct play_args *args);

#endif
