/* The virtual sink obeys the contract of cadmium/sink.h. */
#include "drive/vsink.h"
#include "sink_contract.h"

static int create(struct cad_sink **out)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_vsink_config config = {.anchor_period = 100 * CAD_MS, .seed = 1};
    return cad_vsink_create(&alloc, &config, out);
}

int main(void)
{
    const struct sink_kind kind = {
        .name = "virtual", .create = create, .tolerance = CAD_US, .depth = 64,
        .text = cad_vsink_text};
    return sink_contract_run(&kind);
}
