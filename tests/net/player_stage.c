#include "player_stage.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cadmium/decode.h"

static uint64_t add(uint64_t hash, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    for (size_t i = 0; i < n; i++) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return hash;
}

/* Between the player and its sink. */
static int watch_pull(void *ctx, uint32_t slot, struct cad_sample *out)
{
    struct stage *stage = ctx;
    int rc = cad_player_pull(stage->player, slot, out);
    if (rc != 0) return rc;
    if (out->crypt || out->crypt_ref) atomic_store(&stage->locked, true);
    uint64_t hash = atomic_load(&stage->hash[slot]);
    hash = add(hash, &out->pts, sizeof out->pts);
    hash = add(hash, &out->size, sizeof out->size);
    atomic_store(&stage->hash[slot], add(hash, out->data, out->size));
    atomic_fetch_add(&stage->samples[slot], 1);
    return rc;
}

static void *sink_main(void *ctx)
{
    struct stage *stage = ctx;
    while (!atomic_load(&stage->stop)) {
        cad_time wake = cad_player_sink_step(stage->player, stage->sink);
        /* The first step, which sets its own, comes before there is anything to pull. */
        stage->sink->source = (struct cad_sink_source){watch_pull, stage};
        atomic_store(&stage->ready, true);
        cad_time latest = cad_player_now(stage->player) + 20 * CAD_MS;
        if (wake == CAD_TIME_NONE || wake > latest) wake = latest;
        cad_player_wait_sink(stage->player, wake);
    }
    return NULL;
}

void stage_open(struct stage *stage, bool fast, void (*change)(struct cad_player_config *config))
{
    memset(stage, 0, sizeof *stage);
    struct cad_player_config config;
    cad_player_config_init(&config);
    config.engine.check = true;
    if (change) change(&config);
    struct cad_sink_options options;
    cad_sink_options_init(&options);
    options.as_fast_as_possible = fast;
    if (cad_player_create(&config, &stage->player) ||
        cad_sink_null_create(&options, &stage->sink) ||
        pthread_create(&stage->thread, NULL, sink_main, stage)) {
        abort();
    }
    while (!atomic_load(&stage->ready)) usleep(100);
}

cad_time stage_close(struct stage *stage)
{
    atomic_store(&stage->stop, true);
    pthread_join(stage->thread, NULL);
    stage->sink->ops->destroy(stage->sink);
    cad_time from = cad_player_now(stage->player);
    cad_player_destroy(&stage->player);
    return cad_player_now(NULL) - from;
}

static const struct cad_app_event *next(struct stage *stage, cad_time until)
{
    struct cad_app_event event;
    cad_time left = until - cad_player_now(stage->player);
    if (left < 0 || cad_player_wait_event(stage->player, &event, left)) return NULL;
    if (stage->count == STAGE_EVENTS_MAX) abort();
    stage->events[stage->count] = event;
    return &stage->events[stage->count++];
}

const struct cad_app_event *stage_wait(struct stage *stage, enum cad_app_event_type type,
                                       cad_time timeout)
{
    cad_time until = cad_player_now(stage->player) + timeout;
    const struct cad_app_event *event;
    while ((event = next(stage, until)) != NULL) {
        if (event->type == type) return event;
    }
    return NULL;
}

void stage_watch(struct stage *stage, cad_time duration)
{
    cad_time until = cad_player_now(stage->player) + duration;
    while (cad_player_now(stage->player) < until) (void)next(stage, until);
}

size_t stage_count(const struct stage *stage, enum cad_app_event_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < stage->count; i++) n += stage->events[i].type == type;
    return n;
}
