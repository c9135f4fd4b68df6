#include "args.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define SECONDS_MAX INT64_C(31536000) /* a year */
#define BUFFER_S_MAX 3600             /* more than the memory limit ever lets it hold */

const char *args_help(void)
{
    return
        "usage: cadmium-play [options] URL|FILE\n"
        "       cadmium-play [options] --title ID BASE\n"
        "\n"
        "Plays a licensed manifest or a fragmented MP4, from http, https or a file.\n"
        "\n"
        "  --title ID BASE   ask the service at BASE for the title ID\n"
        "  --seek S          begin at S seconds\n"
        "  --until S         stop at S seconds of the title\n"
        "  --rung N          always this rung of the video ladder, 0 to 63; 0 is the lowest,\n"
        "                    what is beyond the ladder is its highest (default: adaptive)\n"
        "  --buffer-s S      keep S seconds of media ahead, 2 to 3600 (default 60)\n"
        "  --memory-mb N     at most N MiB of media in memory, 4 to 65536 (default 64)\n"
        "  --ca FILE         trust the certificates in this PEM file, not the system's\n"
        "  --start-paused    show the first picture and wait\n"
        "  --volume N        0 to 100 (default 100)\n"
        "  --no-sound        open no sound device\n"
        "  --fullscreen      begin in full screen\n"
        "  --overlay         show the figures from the beginning\n"
        "  --headless        no window and no sound device, in real time\n"
        "  --fast            with --headless: not in real time, but as fast as it decodes\n"
        "  --json-stats      one JSON object a line on standard output\n"
        "  --framemd5 FILE   write a line \"pts_ns rung md5\" for every picture, and drop none\n"
        "  --log FILE|-      write the log to a file, or to standard error\n"
        "  --log-level L     error, warn, info (default), debug or trace\n"
        "  --version         print the version\n"
        "  --help            print this\n"
        "  --                what follows is no option\n"
        "\n"
        "Keys in the window:\n"
        "  space, p          pause and go on       f            full screen\n"
        "  left, right       5 seconds             i, o         figures over the picture\n"
        "  down, up          60 seconds            m            mute\n"
        "  9, 0              volume                q, Escape    quit (Escape leaves full screen)\n"
        "\n"
        "Without a window, these lines on standard input are obeyed:\n"
        "  seek SECONDS, pause, play, quit\n"
        "\n"
        "Seconds may have decimals. Exit status: 0 the title ended or was quit, 1 it could not be\n"
        "played or what it prints could not be written, 2 wrong usage.\n";
}

int args_seconds(cad_str text, cad_time *out)
{
    cad_str whole = text;
    cad_str part = {"", 0};
    ptrdiff_t dot = cad_str_find_char(text, '.');
    if (dot >= 0) {
        whole = cad_str_sub(text, 0, (size_t)dot);
        part = cad_str_sub(text, (size_t)dot + 1, text.n);
        if (part.n == 0 || part.n > 9) return CAD_E_DATA;
    }
    uint64_t seconds = 0;
    uint64_t fraction = 0;
    if (cad_str_to_u64(whole, &seconds) < 0 || seconds > SECONDS_MAX) return CAD_E_DATA;
    if (part.n > 0 && cad_str_to_u64(part, &fraction) < 0) return CAD_E_DATA;
    for (size_t i = part.n; i < 9; i++) fraction *= 10;
    *out = (cad_time)(seconds * CAD_SECOND + fraction);
    return 0;
}

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_SECONDS, OPTION_NUMBER, OPTION_TITLE,
                   OPTION_LEVEL };

struct option {
    const char *name;
    enum option_kind kind;
    size_t place;          /* offset in struct play_args */
    int64_t least, most;   /* of a number or of seconds */
};

#define PLACE(field) offsetof(struct play_args, field)

static const struct option *find_option(const char *name)
{
    static const struct option options[] = {
        {"--title", OPTION_TITLE, 0, 0, 0},
        {"--seek", OPTION_SECONDS, PLACE(seek), 0, SECONDS_MAX},
        {"--until", OPTION_SECONDS, PLACE(until), 0, SECONDS_MAX},
        {"--buffer-s", OPTION_SECONDS, PLACE(buffer), 2, BUFFER_S_MAX},
        {"--rung", OPTION_NUMBER, PLACE(rung), 0, 63},
        {"--volume", OPTION_NUMBER, PLACE(volume), 0, 100},
        {"--memory-mb", OPTION_NUMBER, PLACE(memory_mb), 4, 65536},
        {"--ca", OPTION_TEXT, PLACE(ca_file), 0, 0},
        {"--framemd5", OPTION_TEXT, PLACE(framemd5), 0, 0},
        {"--log", OPTION_TEXT, PLACE(log_path), 0, 0},
        {"--log-level", OPTION_LEVEL, PLACE(log_level), 0, 0},
        {"--headless", OPTION_FLAG, PLACE(headless), 0, 0},
        {"--json-stats", OPTION_FLAG, PLACE(json), 0, 0},
        {"--fullscreen", OPTION_FLAG, PLACE(full_screen), 0, 0},
        {"--start-paused", OPTION_FLAG, PLACE(start_paused), 0, 0},
        {"--fast", OPTION_FLAG, PLACE(fast), 0, 0},
        {"--overlay", OPTION_FLAG, PLACE(overlay), 0, 0},
        {"--no-sound", OPTION_FLAG, PLACE(no_sound), 0, 0},
        {"--help", OPTION_FLAG, PLACE(help), 0, 0},
        {"-h", OPTION_FLAG, PLACE(help), 0, 0},
        {"--version", OPTION_FLAG, PLACE(version), 0, 0},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(options); i++) {
        if (strcmp(options[i].name, name) == 0) return &options[i];
    }
    return NULL;
}

static bool set_number(struct play_args *args, const struct option *option, cad_str text)
{
    int64_t value = 0;
    if (cad_str_to_i64(text, &value) < 0) return false;
    if (value < option->least || value > option->most) return false;
    char *place = (char *)args + option->place;
    if (option->place == PLACE(memory_mb)) {
        memcpy(place, &value, sizeof(value));
    } else {
        int32_t small = (int32_t)value;
        memcpy(place, &small, sizeof(small));
    }
    return true;
}

static bool set_level(struct play_args *args, cad_str text)
{
    static const char *const names[] = {"off", "error", "warn", "info", "debug", "trace"};
    for (size_t i = 1; i < CAD_ARRAY_LEN(names); i++) {
        if (!cad_str_eqz(text, names[i])) continue;
        args->log_level = (enum cad_log_level)i;
        return true;
    }
    return false;
}

/* Set an option from its values, values[0] being the first. False: a value is wrong. */
static bool set_option(struct play_args *args, const struct option *option, char *const *values)
{
    char *place = (char *)args + option->place;
    cad_time seconds = 0;
    bool yes = true;
    switch (option->kind) {
    case OPTION_FLAG: memcpy(place, &yes, sizeof(yes)); return true;
    case OPTION_TEXT: memcpy(place, &values[0], sizeof(values[0])); return values[0][0] != '\0';
    case OPTION_TITLE:
        args->title = values[0];
        args->base = values[1];
        return values[0][0] != '\0' && values[1][0] != '\0';
    case OPTION_NUMBER: return set_number(args, option, cad_str_from(values[0]));
    case OPTION_LEVEL: return set_level(args, cad_str_from(values[0]));
    case OPTION_SECONDS:
        if (args_seconds(cad_str_from(values[0]), &seconds) < 0) return false;
        if (seconds < option->least * CAD_SECOND) return false;
        if (seconds > option->most * CAD_SECOND) return false;
        memcpy(place, &seconds, sizeof(seconds));
        return true;
    }
    return false;
}

/* What an option takes, after a value that it does not. */
static void explain(const struct option *option, const char *value, char *error, size_t size)
{
    int n = snprintf(error, size, "%s wants ", option->name);
    char *out = n < 0 || (size_t)n >= size ? error + size - 1 : error + n;
    size_t left = size - (size_t)(out - error);
    switch (option->kind) {
    case OPTION_NUMBER:
    case OPTION_SECONDS:
        snprintf(out, left, "%s from %lld to %lld, not \"%.40s\"",
                 option->kind == OPTION_NUMBER ? "a whole number" : "seconds",
                 (long long)option->least, (long long)option->most, value);
        break;
    case OPTION_LEVEL:
        snprintf(out, left, "error, warn, info, debug or trace, not \"%.40s\"", value);
        break;
    case OPTION_TITLE: snprintf(out, left, "an id and the address of a service"); break;
    case OPTION_TEXT:
    case OPTION_FLAG: snprintf(out, left, "the name of a file"); break;
    }
}

static int check(const struct play_args *args, char *error, size_t size)
{
    const char *what = NULL;
    if (args->help || args->version) return 0;
    if (!args->target && !args->title) what = "nothing to play was named";
    if (args->target && args->title) what = "either a URL or file, or --title";
    if (args->fast && !args->headless) what = "--fast needs --headless";
    if (args->until != CAD_TIME_NONE && args->seek != CAD_TIME_NONE && args->until <= args->seek) {
        what = "--until must be after --seek";
    }
    if (!what) return 0;
    snprintf(error, size, "%s", what);
    return CAD_E_INVAL;
}

int args_parse(struct play_args *args, int argc, char *const *argv, char *error, size_t size)
{
    *args = (struct play_args){
        .rung = -1, .seek = CAD_TIME_NONE, .until = CAD_TIME_NONE, .buffer = CAD_TIME_NONE,
        .volume = 100, .log_level = CAD_LOG_INFO};
    bool options = true;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (options && strcmp(word, "--") == 0) {
            options = false;
            continue;
        }
        if (!options || word[0] != '-') {
            if (args->target) {
                snprintf(error, size, "only one thing can be played, not \"%.60s\" too", word);
                return CAD_E_INVAL;
            }
            args->target = word;
            continue;
        }
        const struct option *option = find_option(word);
        if (!option) {
            snprintf(error, size, "unknown option %.60s", word);
            return CAD_E_INVAL;
        }
        int values = option->kind == OPTION_FLAG ? 0 : option->kind == OPTION_TITLE ? 2 : 1;
        if (values > argc - 1 - i) {
            snprintf(error, size, "%s: its value is missing", word);
            return CAD_E_INVAL;
        }
        if (!set_option(args, option, argv + i + 1)) {
            explain(option, argv[i + 1], error, size);
            return CAD_E_INVAL;
        }
        i += values;
    }
    return check(args, error, size);
}
