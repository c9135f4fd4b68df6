/*
 * config.h - the configuration file of cadmium-play: lines `option = value`.
 *
 * The names are the long options without their dashes. A line may be empty; what follows a '#' at
 * the beginning of a line is a comment. What is on or off is yes or no. A value may stand in double
 * quotes. The file is text in UTF-8 of at most CONFIG_BYTES_MAX.
 */
#ifndef PLAYER_CONFIG_H
#define PLAYER_CONFIG_H

#include "args.h"

#define CONFIG_BYTES_MAX 65536
#define CONFIG_PATH_SIZE 4096

/* The text of a file, which is written into and must outlive args. `path` is for messages: 0, or
 * CAD_E_INVAL with "path:line: what is wrong" in error[size]. */
CAD_MUST_CHECK int config_parse(struct play_args *args, char *text, const char *path, char *error,
                                size_t size);
/*
 * The file that args->config_path names, which must be there; else cadmium/play.conf below
 * `config_home`, or below `home`/.config where that is NULL or empty, which need not be there.
 * 0, CAD_E_INVAL, CAD_E_IO or CAD_E_NOMEM with a sentence in error[size].
 */
CAD_MUST_CHECK int config_load(struct play_args *args, const char *config_home, const char *home,
                               char *error, size_t size);

#endif
