#include "media/presenter.h"

/* There is no screen to be in time for; what a viewer would have seen late counts as dropped. */
#define DECODE_LATE_MAX (100 * CAD_MS)

int cad_sink_decode_create(const struct cad_sink_options *options, struct cad_sink **out)
{
    static const struct cad_sink_ops ops = {.name = "decode", CAD_PRESENTER_OPS};
    if (!options) return CAD_E_INVAL;
    struct cad_presenter_config config = {.options = *options, .late_max = DECODE_LATE_MAX};
    return cad_presenter_create(&config, &ops, out);
}
