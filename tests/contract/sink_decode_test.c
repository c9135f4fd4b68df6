/* The decoding sink obeys the contract of cadmium/sink.h, with real H.264 and AAC. */
#include <string.h>

#include "cadmium/decode.h"

#include "sink_contract.h"

static char shown[24]; /* language of the text that is shown */

static void on_text(void *ctx, const struct cad_sample *text)
{
    (void)ctx;
    memset(shown, 0, sizeof(shown));
    if (text->size > 0) memcpy(shown, text->config.lang, sizeof(shown) - 1);
}

static const char *text_of(const struct cad_sink *sink)
{
    (void)sink;
    return shown;
}

static int create(struct cad_sink **out)
{
    struct cad_sink_options options;
    cad_sink_options_init(&options);
    options.on_text = on_text;
    shown[0] = '\0';
    options.threads = 2;
    return cad_sink_decode_create(&options, out);
}

int main(void)
{
    const struct sink_kind kind = {
        .name = "decode", .create = create, .decodes = true, .tolerance = CAD_MS, .depth = 40,
        .text = text_of};
    return sink_contract_run(&kind);
}
