/*
 * tape_file.h - a tape recorded into a file.
 *
 *     tape_file_open(&file, path, &options);   config.tape = file.tape;
 *     ...                                      the session
 *     tape_file_close(&file);                  after the player or the simulation is gone
 */
#ifndef TAPE_FILE_H
#define TAPE_FILE_H

#include <stdio.h>

#include "cadmium/tape.h"

struct tape_file {
    FILE *file;
    struct cad_tape_recorder *tape; /* NULL: not open */
};

struct tape_file_options {
    struct cad_log log;
    cad_buf entropy; /* of the pseudonyms; empty: the system's */
    bool full;       /* replace no secret */
};

/* 0; CAD_E_IO with errno: the file cannot be written; CAD_E_NOMEM. */
CAD_MUST_CHECK int tape_file_open(struct tape_file *file, const char *path,
                                  const struct tape_file_options *options);
/* 0, or why the tape is not whole. Nothing is done if it is not open. */
int tape_file_close(struct tape_file *file);

#endif
