/*
 * tell.h - telling what happens: JSON lines for programs, short lines for people, errors in words.
 */
#ifndef PLAYER_TELL_H
#define PLAYER_TELL_H

#include "cadmium/engine.h"

/* CLOCK_MONOTONIC. */
cad_time tell_now(void);

/* One JSON object and a line end on standard output. `to`: of a seek, else CAD_TIME_NONE. */
void tell_json_event(const struct cad_app_event *event, cad_time to);
void tell_json_error(const struct cad_error *error, cad_time at);
void tell_json_end(const struct cad_engine_stats *stats, cad_time at);

/* A line for a person on standard output; nothing for what only programs want to know. */
void tell_text_event(const struct cad_app_event *event, cad_time to);
void tell_text_end(const struct cad_engine_stats *stats);

/* A typed error as one sentence with its circumstances. */
void tell_error_text(const struct cad_error *error, char *out, size_t size);
/* The same on standard error. */
void tell_error_words(const struct cad_error *error);

#endif
