/*
 * args.h - what the command line and the configuration file of cadmium-play say.
 *
 *     args_init(&args)                    what goes without saying
 *     config_load(&args, ...)             config.h: the file, if there is one
 *     args_read(&args, argc, argv, ...)   the command line, which wins
 *     args_check(&args, ...)              whether it makes sense as a whole
 *     args_take_keys(&args)               the keys among it, out of argv
 *     args_deinit(&args)
 *
 * Every option is one row of the table in options.c, from which the help and the names of the
 * configuration file are made too.
 */
#ifndef PLAYER_ARGS_H
#define PLAYER_ARGS_H

#include <stdbool.h>

#include "cadmium/base.h"

#define PLAY_EXIT_OK 0
#define PLAY_EXIT_ERROR 1
#define PLAY_EXIT_USAGE 2

#define ARGS_RATE_NORMAL 65536 /* of speed_q16 */
#define ARGS_KEYS_MAX 64       /* keys that may be given */
#define ARGS_KEY_BYTES 16      /* of a key, and of a key id */

/* A key of --key. A secret. */
struct play_key {
    uint8_t kid[ARGS_KEY_BYTES], key[ARGS_KEY_BYTES];
};

struct play_args {
    const char *target;        /* URL or file; NULL with a title */
    const char *title, *base;  /* of a service; NULL with a target */
    bool headless, json, full_screen, start_paused, fast, no_sound, overlay, mute;
    bool help, version, print_config, no_config, list_tracks;
    bool report, probe, no_store; /* report and probe are on unless they are turned off */
    int32_t rung;              /* -1 adaptive */
    uint32_t speed_q16;        /* of playback; 65536 normal */
    cad_time seek, until;      /* CAD_TIME_NONE none */
    cad_time buffer;           /* CAD_TIME_NONE the engine's default */
    int64_t memory_mb;         /* 0 the engine's default */
    int32_t volume;            /* 0..100 */
    const char *audio_language;/* BCP 47; NULL as the title wants */
    const char *subtitles;     /* BCP 47; NULL or "off": none */
    int32_t subtitle_size;     /* percent of what the document says */
    char *key_texts[ARGS_KEYS_MAX]; /* as they were given, checked, until args_take_keys */
    struct play_key keys[ARGS_KEYS_MAX]; /* from then on */
    uint32_t key_count;
    const char *licence_url;   /* where keys are asked for; NULL where the title says */
    const char *events_url, *logs_url, *probe_url; /* in place of the title's; NULL those */
    const char *device; /* its id; NULL: none is told */
    const char *store;         /* a folder; NULL none */
    char *usual_store;         /* the same where none was named; NULL none; owned */
    const char *proxy;         /* URL; NULL none */
    const char *key_log;       /* file; NULL none */
    const char *dump_text;     /* file; NULL none */
    const char *framemd5;      /* file; NULL none */
    const char *soundmd5;      /* file; NULL none */
    const char *tape;          /* file; NULL none */
    const char *ca_file;       /* NULL the system's */
    const char *log_path;      /* "-" standard error; NULL none */
    enum cad_log_level log_level;
    const char *config_path;   /* NULL: where such files usually are */
    char *file_text;           /* of the configuration file; values point into it; NULL none */
};

void args_init(struct play_args *args);
/* Releases what the configuration file holds; wipes the keys. */
void args_deinit(struct play_args *args);
/* Reads the keys that were given, once, and overwrites their texts, so that no list of processes
 * shows them any longer. */
void args_take_keys(struct play_args *args);
/* Whether subtitles are wanted from the beginning. */
bool args_wants_subtitles(const struct play_args *args);

/* What the words say, over what is there. 0, or CAD_E_INVAL with a sentence about what is wrong in
 * error[size]. Views argv. */
CAD_MUST_CHECK int args_read(struct play_args *args, int argc, char *const *argv, char *error,
                             size_t size);
/* Whether it can be obeyed; results as of args_read. */
CAD_MUST_CHECK int args_check(const struct play_args *args, char *error, size_t size);
/* The command line alone: init, read and check. */
CAD_MUST_CHECK int args_parse(struct play_args *args, int argc, char *const *argv, char *error,
                              size_t size);
/* One option of the configuration file by its long name without dashes. Views the value. */
CAD_MUST_CHECK int args_set(struct play_args *args, const char *name, char *value, char *error,
                            size_t size);

/* "12", "12.5", "0.001" to nanoseconds; at most nine decimals, at most a year. CAD_E_DATA. */
CAD_MUST_CHECK int args_seconds(cad_str text, cad_time *out);
/* "0.5" .. "2" to 65536ths, rounded to the nearest. CAD_E_DATA. */
CAD_MUST_CHECK int args_speed(cad_str text, uint32_t *out);

#endif
