/*
 * scenario_files.h - what the programs that play scenario files have in common: finding and reading
 * files, telling outcomes (in words, as TAP, as JUnit), exit statuses.
 *
 *     struct scenario_files_options o = {.program = "cadmium-sim", .play = play, ...};
 *     status = scenario_files_run(&o);
 */
#ifndef SCENARIO_FILES_H
#define SCENARIO_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/sim.h"

#define SCENARIO_FILES_MAX 64
#define SCENARIO_DIRS_MAX 8

enum { SCENARIO_GOOD, SCENARIO_BAD, SCENARIO_USAGE };

/* One file that is to be played. */
struct scenario_job {
    const char *file;
    cad_str text;
    struct cad_scenario_options options; /* load, point, seed and check are set: add the rest */
    struct cad_scenario_result result;   /* for play to fill in */
};

struct scenario_files_options {
    const char *program;             /* for messages and the command that repeats */
    const char *repeat;              /* words between program and --scenario; "" or " --headless" */
    const char *files[SCENARIO_FILES_MAX];
    uint32_t file_count;
    const char *dirs[SCENARIO_DIRS_MAX]; /* of --data */
    uint32_t dir_count;
    bool tap, check;
    const char *junit;               /* NULL: none */
    int64_t seed;                    /* 0: the scenario's own */
    const char *tape;                /* record the session there; NULL: not. With one file only */
    bool tape_from_seed;             /* its pseudonyms are drawn from the seed: always the same */
    /* Plays one and fills in job->result. Results as cad_scenario_run. */
    int (*play)(void *ctx, struct scenario_job *job);
    void *ctx;
};

/* All files in their order. SCENARIO_GOOD: every expectation of all of them held; SCENARIO_BAD: one
 * did not, or something could not be written; SCENARIO_USAGE: a file is missing or wrong. */
int scenario_files_run(const struct scenario_files_options *options);

/* "PROGRAM: FILE:LINE: WHAT" on standard error, fit to be shown; line 0: of the file as a whole. */
void scenario_files_complain(const char *program, const char *file, uint32_t line,
                             const char *what);
/* The whole file, allocated; CAD_E_NOTFOUND and CAD_E_IO with errno, CAD_E_LIMIT, CAD_E_NOMEM. */
CAD_MUST_CHECK int scenario_files_read(const char *path, cad_str *out);
void scenario_files_free(cad_str text);
/* What is wrong with a text that cad_ladder_parse or cad_trace_parse refused with err, and in which
 * line; 0: as a whole. */
const char *scenario_files_bad_ladder(cad_str text, int err, uint32_t *line);
const char *scenario_files_bad_trace(cad_str text, int err, uint32_t *line);
/* Why scenario_files_read failed with err; errno counts. */
const char *scenario_files_bad_read(int err);

#endif
