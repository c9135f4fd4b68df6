/*
 * tell.h - telling what happens: JSON lines for programs, short lines for people, errors in words.
 */
#ifndef PLAYER_TELL_H
#define PLAYER_TELL_H

#include <stdbool.h>
#include <stdio.h>

#include "cadmium/engine.h"

/* CLOCK_MONOTONIC. */
cad_time tell_now(void);

/* Of a title: CAD_TIME_NONE where it is not known, which some files say by 0. */
cad_time tell_duration(cad_time duration);

/* Text of others on `file`, with '?' for what a terminal would obey. */
void tell_shown(FILE *file, cad_str text);
/* False, with a line on standard error: something on standard output was not written. */
CAD_MUST_CHECK bool tell_written(void);

/* One JSON object and a line end on standard output. `to`: of a seek, else CAD_TIME_NONE. */
void tell_json_event(const struct cad_app_event *event, cad_time to);
void tell_json_error(const struct cad_error *error, cad_time at);
/* `tracks`: the list. `rate`: the speed that was asked for. */
void tell_json_tracks(const struct cad_track_info *tracks, uint32_t count, cad_time at);
void tell_json_rate(uint32_t rate_q16, cad_time at);
void tell_json_end(const struct cad_engine_stats *stats, cad_time at);

/* A line for a person on standard output; nothing for what only programs want to know. At the end
 * only what is known. */
void tell_text_event(const struct cad_app_event *event, cad_time to);
void tell_text_tracks(const struct cad_track_info *tracks, uint32_t count);
void tell_text_end(const struct cad_engine_stats *stats);

/* A typed error as one sentence with its circumstances, fit to be shown. */
void tell_error_text(const struct cad_error *error, char *out, size_t size);
/* The same on standard error. */
void tell_error_words(const struct cad_error *error);

#endif
