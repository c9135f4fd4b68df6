/*
 * keep.h - where cadmium-play keeps what must outlive it.
 */
#ifndef PLAYER_KEEP_H
#define PLAYER_KEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "cadmium/base.h"

#define KEEP_PATH_MAX 4096 /* with the NUL */

/* "cadmium" below state_home ($XDG_STATE_HOME), or below home/.local/state where that is NULL,
 * empty or relative. False: there is no such place, or its name does not fit; out is then "". */
bool keep_usual(const char *state_home, const char *home, char *out, size_t size);
/* Makes the folders above the last part of a path, for the user alone. CAD_E_IO: errno says why;
 * CAD_E_LIMIT: the path is too long. */
CAD_MUST_CHECK int keep_make_parents(const char *path);

#endif
