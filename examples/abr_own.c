/*
 * abr_own.c - an application brings its own controller.
 *
 * The controller here looks at the buffer alone: the lowest rung with an empty buffer, the highest
 * with a full one, in between in proportion. It is put behind the same face as the shipped ones,
 * then both play a minute over a link that falls from 6 to 1 Mbit/s, and the rungs are printed side
 * by side. To use it in a session, point cad_engine_config.abr at `buffer_ops`.
 */
#include <stdio.h>

#include "cadmium/abr.h"

/* It keeps nothing between choices, so there is nothing to create: self is never looked at. */
static int buffer_create(const struct cad_alloc *alloc, const struct cad_abr_config *config,
                         void **self)
{
    (void)alloc;
    (void)config;
    *self = NULL;
    return CAD_OK;
}

static void buffer_observe(void *self, const struct cad_abr_transfer *transfer)
{
    (void)self;
    (void)transfer;
}

static void buffer_note(void *self, enum cad_abr_note note, cad_time now)
{
    (void)self;
    (void)note;
    (void)now;
}

static int64_t buffer_estimate(const void *self, cad_time now)
{
    (void)self;
    (void)now;
    return 0; /* it has none */
}

static void buffer_choose(void *self, const struct cad_abr_state *state, struct cad_abr_choice *out)
{
    (void)self;
    int64_t rung = 0;
    if (state->buffer_target > 0) {
        rung = state->buffer / CAD_MS * state->rung_count / (state->buffer_target / CAD_MS);
    }
    if (rung >= state->rung_count) rung = state->rung_count - 1;
    /* A rung that is not allowed, or above a cap, is put right by the library. */
    out->rung = (uint32_t)rung;
    out->reason = CAD_ABR_STEADY;
}

static const struct cad_abr_ops buffer_ops = {
    .size = sizeof(struct cad_abr_ops),
    .name = "buffer",
    .create = buffer_create,
    .observe = buffer_observe,
    .note = buffer_note,
    .estimate_bps = buffer_estimate,
    .choose = buffer_choose,
};

#define SEGMENTS 30
#define DURATION (2 * CAD_SECOND)

static const struct cad_abr_rung ladder[] = {
    {.rate_bps = 400000, .height = 360, .vmaf_milli = -1, .allowed = true},
    {.rate_bps = 1000000, .height = 480, .vmaf_milli = -1, .allowed = true},
    {.rate_bps = 2500000, .height = 720, .vmaf_milli = -1, .allowed = true},
    {.rate_bps = 5000000, .height = 1080, .vmaf_milli = -1, .allowed = true},
};

/* Plays SEGMENTS segments one after another; rungs[i] is what was chosen. */
static int play(const struct cad_abr_ops *ops, uint32_t *rungs)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_abr *abr = NULL;
    int err = cad_abr_create(&alloc, ops, NULL, &abr);
    if (err < 0) return err;
    struct cad_abr_state state = {.size = sizeof(state), .rungs = ladder, .rung_count = 4,
                                  .rung_last = -1, .buffer_target = 20 * CAD_SECOND,
                                  .segment_duration = DURATION, .rung_pin = -1};
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        struct cad_abr_choice choice;
        cad_abr_choose(abr, &state, &choice);
        rungs[i] = choice.rung;
        int64_t bytes = ladder[choice.rung].rate_bps / 8 * (DURATION / CAD_SECOND);
        int64_t link_bps = i < SEGMENTS / 2 ? 6000000 : 1000000;
        cad_time takes = bytes * 8 * CAD_MS / link_bps * 1000;
        struct cad_abr_transfer transfer = {.start = state.now, .first_byte = state.now,
                                            .end = state.now + takes, .bytes = bytes,
                                            .complete = true};
        cad_abr_observe(abr, &transfer);
        state.now += takes;
        state.buffer += DURATION;
        if (state.playing) state.buffer -= takes < state.buffer ? takes : state.buffer;
        if (state.buffer > state.buffer_target) {
            state.now += state.buffer - state.buffer_target;
            state.buffer = state.buffer_target;
        }
        if (!state.playing) cad_abr_note(abr, CAD_ABR_NOTE_PLAY, state.now);
        state.playing = true;
        state.rung_last = (int32_t)choice.rung;
    }
    cad_abr_destroy(&abr);
    return CAD_OK;
}

int main(void)
{
    const struct cad_abr_ops *controllers[] = {cad_abr_hybrid(), &buffer_ops};
    uint32_t rungs[2][SEGMENTS];
    for (int c = 0; c < 2; c++) {
        int err = play(controllers[c], rungs[c]);
        if (err < 0) {
            fprintf(stderr, "%s: %s\n", controllers[c]->name, cad_result_text(err));
            return 1;
        }
    }
    printf("segment %8s %8s\n", controllers[0]->name, controllers[1]->name);
    for (int i = 0; i < SEGMENTS; i++) {
        printf("%7d %7up %7up\n", i, ladder[rungs[0][i]].height, ladder[rungs[1][i]].height);
    }
    return 0;
}
