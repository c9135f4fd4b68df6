#include "cadmium/base.h"

#include "base/checked.h"

cad_time cad_time_add(cad_time a, cad_time b)
{
    if (a == CAD_TIME_NONE || b == CAD_TIME_NONE) return CAD_TIME_NONE;
    return cad_add_sat_i64(a, b);
}

cad_time cad_time_sub(cad_time a, cad_time b)
{
    if (a == CAD_TIME_NONE || b == CAD_TIME_NONE) return CAD_TIME_NONE;
    return cad_sub_sat_i64(a, b);
}

cad_time cad_time_from_ticks(int64_t ticks, uint32_t timescale)
{
    if (ticks == CAD_TIME_NONE) return CAD_TIME_NONE;
    return cad_muldiv_floor_i64(ticks, CAD_SECOND, timescale);
}

int64_t cad_time_to_ticks(cad_time t, uint32_t timescale)
{
    if (t == CAD_TIME_NONE) return CAD_TIME_NONE;
    return cad_muldiv_floor_i64(t, timescale, CAD_SECOND);
}
