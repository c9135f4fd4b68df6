#include "media/presenter.h"

/* Nothing is decoded, so nothing is slow: pictures drop only after a long sleep of the driver. */
#define NULL_LATE_MAX (100 * CAD_MS)

int cad_sink_null_create(const struct cad_sink_options *options, struct cad_sink **out)
{
    static const struct cad_sink_ops ops = {.name = "null", CAD_PRESENTER_OPS};
    if (!options) return CAD_E_INVAL;
    struct cad_presenter_config config = {
        .options = *options, .raw = true, .late_max = NULL_LATE_MAX};
    return cad_presenter_create(&config, &ops, out);
}
