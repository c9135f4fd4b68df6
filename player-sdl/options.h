/*
 * options.h - the options of cadmium-play: one table for the command line, the configuration file
 * and the help.
 */
#ifndef PLAYER_OPTIONS_H
#define PLAYER_OPTIONS_H

#include "args.h"
#include "base/strbuf.h"

#define OPTIONS_HELP_BYTES 12288 /* enough for the help, and for a configuration */

enum option_kind {
    OPTION_FLAG,    /* bool; in a file yes or no */
    OPTION_TEXT,    /* const char *, not empty */
    OPTION_SECONDS, /* cad_time; least and most in seconds */
    OPTION_NUMBER,  /* int32_t */
    OPTION_LARGE,   /* int64_t */
    OPTION_SPEED,   /* uint32_t, 65536 normal; see args_speed */
    OPTION_TITLE,   /* two values: title and base */
    OPTION_LEVEL,   /* enum cad_log_level */
    OPTION_KEY      /* KID:KEY; may come several times; a secret */
};

enum option_group {
    OPTIONS_WHAT, OPTIONS_HOW, OPTIONS_SERVICES, OPTIONS_WINDOW, OPTIONS_PROGRAM,
    OPTIONS_OTHER, OPTIONS_GROUPS
};

enum option_flags {
    OPTION_LINE_ONLY = 1, /* not in a configuration file */
    OPTION_ALIAS = 2,     /* another name of the option before it: not in the help */
    OPTION_OPPOSITE = 4   /* a flag that turns off what its place says */
};

struct option {
    const char *name;      /* with its dashes */
    enum option_kind kind;
    enum option_group group;
    uint32_t flags;        /* enum option_flags */
    size_t place;          /* offset in struct play_args */
    int64_t least, most;   /* of numbers */
    const char *value;     /* what the help calls the value; "" of a flag */
    const char *help;      /* lines are told apart by '\n' */
};

/* Row `index` of the table; NULL behind its end. */
const struct option *options_at(size_t index);
/* By its name with dashes; NULL: there is none. */
const struct option *options_find(cad_str name);
/* Values that it takes: 0, 1 or 2. */
int options_values(const struct option *option);

/* What --help prints. */
void options_help(struct cad_sb *out);
/* What --print-config prints: a configuration file that says what these arguments say. */
void options_config(const struct play_args *args, struct cad_sb *out);
/* The name of a level, as --log-level takes it; NULL behind the last. 0 is "off". */
const char *options_level(size_t level);

#endif
