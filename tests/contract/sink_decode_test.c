/* The decoding sink obeys the contract of cadmium/sink.h, with real H.264 and AAC. */
#include "cadmium/decode.h"

#include "sink_contract.h"

static int create(struct cad_sink **out)
{
    struct cad_sink_options options;
    cad_sink_options_init(&options);
    options.threads = 2;
    return cad_sink_decode_create(&options, out);
}

int main(void)
{
    const struct sink_kind kind = {
        .name = "decode", .create = create, .decodes = true, .tolerance = CAD_MS, .depth = 40};
    return sink_contract_run(&kind);
}
