/*
 * cadmium-play - plays a title in a window, or without one for tests and measurements.
 */
#include <stdio.h>

#include "args.h"
#include "headless.h"
#include "window.h"

int main(int argc, char **argv)
{
    struct play_args args;
    char error[160];
    if (args_parse(&args, argc, argv, error, sizeof(error)) < 0) {
        fprintf(stderr, "cadmium-play: %s\nTry cadmium-play --help.\n", error);
        return PLAY_EXIT_USAGE;
    }
    if (args.help) {
        fputs(args_help(), stdout);
        return PLAY_EXIT_OK;
    }
    if (args.version) {
        printf("cadmium-play %s\n", cad_version());
        return PLAY_EXIT_OK;
    }
    return args.headless ? headless_run(&args) : window_run(&args);
}
