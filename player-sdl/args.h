/*
 * args.h - what the command line of cadmium-play says.
 */
#ifndef PLAYER_ARGS_H
#define PLAYER_ARGS_H

#include <stdbool.h>

#include "cadmium/base.h"

#define PLAY_EXIT_OK 0
#define PLAY_EXIT_ERROR 1
#define PLAY_EXIT_USAGE 2

struct play_args {
    const char *target;        /* URL or file; NULL with a title */
    const char *title, *base;  /* of a service; NULL with a target */
    bool headless, json, full_screen, start_paused, fast, no_sound, overlay;
    bool help, version;
    int32_t rung;              /* -1 adaptive */
    cad_time seek, until;      /* CAD_TIME_NONE none */
    cad_time buffer;           /* CAD_TIME_NONE the engine's default */
    int64_t memory_mb;         /* 0 the engine's default */
    int32_t volume;            /* 0..100 */
    const char *framemd5;      /* file; NULL none */
    const char *ca_file;       /* NULL the system's */
    const char *log_path;      /* "-" standard error; NULL none */
    enum cad_log_level log_level;
};

/* 0, or CAD_E_INVAL with a sentence about what is wrong in error[size]. Views argv. */
CAD_MUST_CHECK int args_parse(struct play_args *args, int argc, char *const *argv, char *error,
                              size_t size);
/* "12", "12.5", "0.001" to nanoseconds; at most nine decimals, at most a year. CAD_E_DATA. */
CAD_MUST_CHECK int args_seconds(cad_str text, cad_time *out);
/* What --help prints. */
const char *args_help(void);

#endif
