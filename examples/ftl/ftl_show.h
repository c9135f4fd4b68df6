/*
 * ftl_show.h - what cadmium-ftl prints: rows for people while pulses come in, or one JSON object.
 */
#ifndef FTL_SHOW_H
#define FTL_SHOW_H

#include "cadmium/steer.h"

#include "base/strbuf.h"

/* The line above the rows. */
void ftl_show_heading(void);
void ftl_show_pulse(const struct cad_ftl *ftl, uint32_t target, uint32_t pulse);
/* The race and the scores. */
void ftl_show_summary(const struct cad_ftl *ftl, cad_time now);
/* All of it, with the report as it would be sent. Times are microseconds. */
int ftl_show_json(const struct cad_ftl *ftl, cad_str report, cad_time now, struct cad_sb *out);

#endif
