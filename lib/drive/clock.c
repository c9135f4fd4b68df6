#include "drive/clock.h"

cad_time cad_clock_now(void)
{
    struct timespec ts = {0, 0};
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (cad_time)ts.tv_sec * CAD_SECOND + ts.tv_nsec;
}

int64_t cad_clock_wall_ms(void)
{
    struct timespec ts = {0, 0};
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct timespec cad_clock_spec(cad_time t)
{
    struct timespec ts = {0, 0};
    if (t > 0) {
        ts.tv_sec = (time_t)(t / CAD_SECOND);
        ts.tv_nsec = (long)(t % CAD_SECOND);
    }
    return ts;
}
