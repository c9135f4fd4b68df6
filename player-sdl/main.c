/*
 * cadmium-play - plays a title in a window, or without one for tests and measurements.
 */
#include <stdio.h>
#include <stdlib.h>

#include "args.h"
#include "base/str.h"
#include "config.h"
#include "headless.h"
#include "keep.h"
#include "options.h"
#include "scenario_main.h"
#include "tell.h"
#include "window.h"

#define ERROR_SIZE 480

/* The command line is read twice: it says where the configuration is, and it wins over it. */
static int read_arguments(struct play_args *args, int argc, char **argv, char *error)
{
    args_init(args);
    int rc = args_read(args, argc, argv, error, ERROR_SIZE);
    if (rc < 0) return rc;
    if (!args->no_config && !args->help && !args->version) {
        const char *path = args->config_path;
        args_init(args);
        args->config_path = path;
        rc = config_load(args, getenv("XDG_CONFIG_HOME"), getenv("HOME"), error, ERROR_SIZE);
        if (rc == 0) rc = args_read(args, argc, argv, error, ERROR_SIZE);
        if (rc < 0) return rc;
    }
    return args_check(args, error, ERROR_SIZE);
}

/* Where none was named; without memory or a place for it nothing is kept. */
static void choose_store(struct play_args *args)
{
    if (args->store || args->no_store || args->list_tracks) return;
    args->usual_store = malloc(KEEP_PATH_MAX);
    if (!args->usual_store) return;
    if (!keep_usual(getenv("XDG_STATE_HOME"), getenv("HOME"), args->usual_store, KEEP_PATH_MAX)) {
        free(args->usual_store);
        args->usual_store = NULL;
    }
}

static int print(const struct play_args *args)
{
    char text[OPTIONS_HELP_BYTES];
    struct cad_sb out;
    cad_sb_init_fixed(&out, text, sizeof(text));
    if (args->help) {
        options_help(&out);
    } else if (args->version) {
        cad_sb_printf(&out, "cadmium-play %s\n", cad_version());
    } else {
        options_config(args, &out);
    }
    fputs(cad_sb_z(&out), stdout);
    return tell_written() ? PLAY_EXIT_OK : PLAY_EXIT_ERROR;
}

int main(int argc, char **argv)
{
    struct play_args args;
    char error[ERROR_SIZE];
    int status = PLAY_EXIT_USAGE;
    if (scenario_is_asked_for(argc, argv)) return scenario_main(argc, argv);
    if (read_arguments(&args, argc, argv, error) < 0) {
        fputs("cadmium-play: ", stderr);
        tell_shown(stderr, cad_str_from(error));
        fputs("\nTry cadmium-play --help.\n", stderr);
    } else if (args.help || args.version || args.print_config) {
        status = print(&args);
    } else {
        args_take_keys(&args);
        choose_store(&args);
        status = args.headless || args.list_tracks ? headless_run(&args) : window_run(&args);
    }
    args_deinit(&args);
    return status;
}
