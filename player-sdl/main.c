/*
 * cadmium-play - plays a title in a window, or without one for tests and measurements.
 */
#include <stdio.h>

#include "args.h"
#include "base/str.h"
#include "headless.h"
#include "tell.h"
#include "window.h"

int main(int argc, char **argv)
{
    struct play_args args;
    char error[160];
    if (args_parse(&args, argc, argv, error, sizeof(error)) < 0) {
        fputs("cadmium-play: ", stderr);
        tell_shown(stderr, cad_str_from(error));
        fputs("\nTry cadmium-play --help.\n", stderr);
        return PLAY_EXIT_USAGE;
    }
    if (args.help) {
        fputs(args_help(), stdout);
        return tell_written() ? PLAY_EXIT_OK : PLAY_EXIT_ERROR;
    }
    if (args.version) {
        printf("cadmium-play %s\n", cad_version());
        return tell_written() ? PLAY_EXIT_OK : PLAY_EXIT_ERROR;
    }
    return args.headless ? headless_run(&args) : window_run(&args);
}
