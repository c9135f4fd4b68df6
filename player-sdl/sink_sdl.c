#include "sink_sdl.h"

#include <stdlib.h>

#include "media/presenter.h"

/* What the presenter's output knows. */
struct output {
    struct screen *screen;
    struct sound *sound; /* NULL: none */
};

static uint32_t put_picture(void *ctx, struct cad_frame *frame)
{
    struct output *output = ctx;
    return screen_put(output->screen, frame);
}

static int put_sound(void *ctx, const struct cad_frame *frame)
{
    struct output *output = ctx;
    return sound_write(output->sound, frame);
}

static bool read_clock(void *ctx, cad_time *media, cad_time *at)
{
    struct output *output = ctx;
    return sound_clock(output->sound, media, at);
}

static void run(void *ctx, bool running)
{
    struct output *output = ctx;
    sound_run(output->sound, running);
}

static void rate(void *ctx, uint32_t rate_q16)
{
    struct output *output = ctx;
    sound_rate(output->sound, rate_q16);
}

static void flush(void *ctx)
{
    struct output *output = ctx;
    sound_flush(output->sound);
}

static void destroy(void *ctx)
{
    struct output *output = ctx;
    sound_close(&output->sound);
    free(output);
}

int sink_sdl_create(const struct cad_sink_options *options, struct screen *screen,
                    struct sound *sound, struct cad_sink **out)
{
    static const struct cad_sink_ops ops = {.name = "sdl", CAD_PRESENTER_OPS};
    static const struct cad_output_ops heard = {
        .picture = put_picture, .sound = put_sound, .clock = read_clock, .run = run,
        .rate = rate, .flush = flush, .destroy = destroy};
    static const struct cad_output_ops silent = {.picture = put_picture, .destroy = destroy};
    if (!options || !screen) return CAD_E_INVAL;
    struct output *output = calloc(1, sizeof(*output));
    if (!output) return CAD_E_NOMEM;
    output->screen = screen;
    output->sound = sound;
    struct cad_presenter_config config = {
        .options = *options, .output = sound ? &heard : &silent, .ctx = output};
    int rc = cad_presenter_create(&config, &ops, out);
    if (rc < 0) free(output);
    return rc;
}
