/*
 * dash_values.h - the lexical forms of an MPD: numbers, durations, dates, ranges, ratios.
 *
 * All are pure. White space around a value is dropped (XML Schema collapses it). Each returns false
 * for what is not of its form, and leaves *out alone then.
 */
#ifndef CAD_MANIFEST_DASH_VALUES_H
#define CAD_MANIFEST_DASH_VALUES_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/types.h"

#include "base/checked.h"

/*
 * Time exactly as written: units of 10^-18 s (further digits are dropped). Values read here lie
 * within +-292 years, so that a product with a timescale and sums of two fit 128 bits.
 */
typedef cad_i128 cad_dash_time;
#define CAD_DASH_SECOND ((cad_dash_time)INT64_C(1000000000000000000))
#define CAD_DASH_NANOSECOND ((cad_dash_time)INT64_C(1000000000))
#define CAD_DASH_NONE (-(((cad_dash_time)1) << 126)) /* absent */

/* xs:unsignedLong up to INT64_MAX; a leading "+" is allowed. */
bool cad_dash_parse_number(cad_str text, int64_t *out);
/* xs:integer; what does not fit is the nearest that does. */
bool cad_dash_parse_integer(cad_str text, int64_t *out);
/* xs:duration that is not negative; a year is 365 days and a month 30. */
bool cad_dash_parse_duration(cad_str text, cad_dash_time *out);
/* xs:dateTime as time since 1970; no zone means UTC. */
bool cad_dash_parse_date(cad_str text, cad_dash_time *out);
/* xs:decimal of seconds; an exponent is allowed (xs:double). */
bool cad_dash_parse_decimal(cad_str text, cad_dash_time *out);
/* "FIRST-LAST", "FIRST-" (last -1). */
bool cad_dash_parse_range(cad_str text, struct cad_range *out);
/* "30", "30000/1001", "29.97" (as 2997/100); both parts > 0. */
bool cad_dash_parse_ratio(cad_str text, uint32_t *num, uint32_t *den);
/* 16 bytes of "8-4-4-4-12" hexadecimal digits, with or without hyphens. */
bool cad_dash_parse_uuid(cad_str text, uint8_t out[16]);

/* Nanoseconds, rounded down; saturating. CAD_DASH_NONE gives CAD_TIME_NONE. */
cad_time cad_dash_to_time(cad_dash_time t);
/* a / b rounded up; b > 0. */
cad_i128 cad_dash_div_up(cad_i128 a, cad_i128 b);
/* a / b rounded down; b > 0. */
cad_i128 cad_dash_div_down(cad_i128 a, cad_i128 b);

#endif
