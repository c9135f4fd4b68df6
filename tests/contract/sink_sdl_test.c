/* The window's sink obeys the contract of cadmium/sink.h; SDL's dummy devices run in real time. */
#include <string.h>

#include <SDL.h>

#include "sink_contract.h"
#include "sink_sdl.h"

static struct screen screen;

/* A viewer who looks at once. */
static void look(void *ctx)
{
    struct cad_frame frame;
    (void)ctx;
    if (screen_take(&screen, &frame)) cad_frame_unref(&frame);
}

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
    memset(shown, 0, sizeof(shown));
    struct sound *sound = sound_open();
    if (!sound) return CAD_E_IO;
    int rc = sink_sdl_create(&options, &screen, sound, out);
    if (rc < 0) sound_close(&sound);
    return rc;
}

int main(void)
{
    const struct sink_kind kind = {
        .name = "sdl", .create = create, .decodes = true, .real_time = true,
        .tolerance = 150 * CAD_MS, .depth = 60, .text = text_of};
    if (SDL_Init(SDL_INIT_AUDIO) != 0 || !screen_init(&screen, look, NULL)) return 1;
    int failed = sink_contract_run(&kind);
    screen_deinit(&screen);
    SDL_Quit();
    return failed;
}
