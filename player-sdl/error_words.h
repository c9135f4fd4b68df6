/*
 * error_words.h - a failure of playback for the viewer: what happened and what one can do.
 */
#ifndef PLAYER_ERROR_WORDS_H
#define PLAYER_ERROR_WORDS_H

#include "cadmium/error.h"

#include <stddef.h>

struct error_words {
    const char *title;  /* a few words */
    const char *what;   /* one sentence */
    const char *advice; /* one or two sentences */
};

/* Never NULL inside; sensible for every code, also for unknown ones. */
struct error_words error_words(const struct cad_error *error);
/* For whoever is asked for help: "NET_TIMEOUT, HTTP 503, after 4 attempts", and the message of the
 * error; safe to be shown. */
void error_code_line(const struct cad_error *error, char *out, size_t size);

#endif
