/* window.h - playing in a window, with sound. */
#ifndef PLAYER_WINDOW_H
#define PLAYER_WINDOW_H

#include "args.h"

/* Plays until the end or until it is closed; the exit status. On the main thread. */
int window_run(const struct play_args *args);
/* What the window is called: the title's id or the last part of its path, without a query. */
void window_caption(const struct play_args *args, char *out, size_t size);

#endif
