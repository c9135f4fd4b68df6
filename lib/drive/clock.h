/*
 * clock.h - the two clocks of the real-time drive. Any thread.
 */
#ifndef CAD_DRIVE_CLOCK_H
#define CAD_DRIVE_CLOCK_H

#include <time.h>

#include "cadmium/base.h"

/* CLOCK_MONOTONIC, ns. */
cad_time cad_clock_now(void);
/* CLOCK_REALTIME, ms of the Unix epoch: what the device believes, never what is true. */
int64_t cad_clock_wall_ms(void);
/* t as the struct timespec of waits on CLOCK_MONOTONIC; CAD_TIME_NONE or less than 0 gives 0. */
struct timespec cad_clock_spec(cad_time t);

#endif
