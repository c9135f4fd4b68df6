/* The null sink obeys the contract of cadmium/sink.h. */
#include "cadmium/decode.h"

#include "sink_contract.h"

static int create(struct cad_sink **out)
{
    struct cad_sink_options options;
    cad_sink_options_init(&options);
    return cad_sink_null_create(&options, out);
}

int main(void)
{
    const struct sink_kind kind = {
        .name = "null", .create = create, .tolerance = CAD_MS, .depth = 20};
    return sink_contract_run(&kind);
}
