/*
 * Plays a tape back (cadmium/tape.h) and tells what became of the session: what the application was
 * told, and whether this library decides as the one that recorded.
 *
 *     example-tape_replay FILE
 */
#include <stdio.h>
#include <stdlib.h>

#include "cadmium/sim.h"
#include "cadmium/tape.h"

#define TAPE_MAX ((size_t)64 << 20)

static void on_action(void *ctx, cad_time now, const struct cad_action *action)
{
    (void)ctx;
    if (action->type != CAD_ACTION_APP_EVENT) return;
    const struct cad_app_event *app = &action->u.app;
    printf("%9.3f  %-12s %s", (double)now / 1e9, cad_app_event_name(app->type),
           cad_state_name(app->state));
    if (app->type == CAD_APP_ERROR) printf("  %s", cad_error_name(app->error.code));
    printf("\n");
}

static int play(cad_buf tape)
{
    struct cad_tape_options options;
    struct cad_tape_replay *replay = NULL;
    struct cad_tape_result result;
    cad_tape_options_init(&options);
    options.on_action = on_action;
    int rc = cad_tape_replay_create(tape, &options, &replay);
    if (rc == 0) {
        do {
            rc = cad_tape_replay_step(replay);
        } while (rc == 1);
        cad_tape_replay_result(replay, &result);
        printf("%s: %llu turns, %s decisions\n", cad_tape_end_name(result.end),
               (unsigned long long)result.turns, result.differs ? "other" : "the same");
    }
    if (rc != 0) fprintf(stderr, "%s\n", cad_result_text(rc));
    cad_tape_replay_destroy(&replay);
    return rc == 0 && !result.differs ? 0 : 1;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    uint8_t *bytes = file ? malloc(TAPE_MAX) : NULL;
    if (!bytes) {
        fprintf(stderr, "usage: example-tape_replay FILE\n");
        if (file) fclose(file);
        return 2;
    }
    size_t n = fread(bytes, 1, TAPE_MAX, file);
    fclose(file);
    int status = play((cad_buf){bytes, n});
    free(bytes);
    return status;
}
