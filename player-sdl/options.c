#include "options.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define SECONDS_MAX INT64_C(31536000) /* a year */
#define BUFFER_S_MAX 3600             /* more than the memory limit ever lets it hold */
#define HELP_COLUMN 22                /* where the text of an option begins */

#define PLACE(field) offsetof(struct play_args, field)

/* An option is a row here, a field of struct play_args and a paragraph of the manual page. */
static const struct option options[] = {
    {"--title", OPTION_TITLE, OPTIONS_WHAT, OPTION_LINE_ONLY, 0, 0, 0, "ID BASE",
     "ask the service at BASE for the title ID"},
    {"--start", OPTION_SECONDS, OPTIONS_WHAT, 0, PLACE(seek), 0, SECONDS_MAX, "S",
     "begin at S seconds"},
    {"--seek", OPTION_SECONDS, OPTIONS_WHAT, OPTION_ALIAS, PLACE(seek), 0, SECONDS_MAX, "S", ""},
    {"--until", OPTION_SECONDS, OPTIONS_WHAT, 0, PLACE(until), 0, SECONDS_MAX, "S",
     "stop at S seconds of the title"},
    {"--audio-language", OPTION_TEXT, OPTIONS_WHAT, 0, PLACE(audio_language), 0, 0, "L",
     "sound in this language, where there is one: en, de, pt-BR"},
    {"--subtitles", OPTION_TEXT, OPTIONS_WHAT, 0, PLACE(subtitles), 0, 0, "L|off",
     "subtitles in this language from the beginning (default off)"},
    {"--list-tracks", OPTION_FLAG, OPTIONS_WHAT, OPTION_LINE_ONLY, PLACE(list_tracks), 0, 0, "",
     "print the tracks of the title and end; no window"},

    {"--rung", OPTION_NUMBER, OPTIONS_HOW, 0, PLACE(rung), 0, 63, "N",
     "always this rung of the video ladder, 0 to 63; 0 is the lowest,\n"
     "what is beyond the ladder is its highest (default: adaptive)"},
    {"--buffer-s", OPTION_SECONDS, OPTIONS_HOW, 0, PLACE(buffer), 2, BUFFER_S_MAX, "S",
     "keep S seconds of media ahead, 2 to 3600 (default 60)"},
    {"--memory-mb", OPTION_LARGE, OPTIONS_HOW, 0, PLACE(memory_mb), 4, 65536, "N",
     "at most N MiB of media in memory, 4 to 65536 (default 64)"},
    {"--speed", OPTION_SPEED, OPTIONS_HOW, 0, PLACE(speed_q16), 0, 0, "X",
     "how fast it plays, 0.5 to 2 (default 1)"},
    {"--ca", OPTION_TEXT, OPTIONS_HOW, 0, PLACE(ca_file), 0, 0, "FILE",
     "trust the certificates in this PEM file, not the system's"},

    {"--proxy", OPTION_TEXT, OPTIONS_HOW, 0, PLACE(proxy), 0, 0, "URL",
     "ask through this proxy, http: or socks5h: (default none, whatever\n"
     "the environment says)"},
    {"--key", OPTION_KEY, OPTIONS_HOW, OPTION_LINE_ONLY, 0, 0, 0, "KID:KEY",
     "a key of the title and its id, in hexadecimal; for tests, up to 64"},
    {"--licence-url", OPTION_TEXT, OPTIONS_HOW, 0, PLACE(licence_url), 0, 0, "URL",
     "where keys are asked for if the title does not say"},

    {"--report", OPTION_FLAG, OPTIONS_SERVICES, 0, PLACE(report), 0, 0, "",
     "tell the title's services what is played, and how it goes\n"
     "(default yes; --no-report tells nobody)"},
    {"--no-report", OPTION_FLAG, OPTIONS_SERVICES, OPTION_ALIAS | OPTION_OPPOSITE, PLACE(report), 0,
     0, "", ""},
    {"--events-url", OPTION_TEXT, OPTIONS_SERVICES, 0, PLACE(events_url), 0, 0, "URL",
     "where events go, in place of where the title says"},
    {"--logs-url", OPTION_TEXT, OPTIONS_SERVICES, 0, PLACE(logs_url), 0, 0, "URL",
     "the same of log batches"},
    {"--device", OPTION_TEXT, OPTIONS_SERVICES, 0, PLACE(device), 0, 0, "ID",
     "tell that this is the device ID, by its model (what is before\n"
     "the last '-') and a hash, never in full (default: nothing)"},
    {"--probe", OPTION_FLAG, OPTIONS_SERVICES, 0, PLACE(probe), 0, 0, "",
     "race the servers that the title's recipe names, and prefer the\n"
     "fastest (default yes; --no-probe asks for no recipe)"},
    {"--no-probe", OPTION_FLAG, OPTIONS_SERVICES, OPTION_ALIAS | OPTION_OPPOSITE, PLACE(probe), 0,
     0, "", ""},
    {"--probe-url", OPTION_TEXT, OPTIONS_SERVICES, 0, PLACE(probe_url), 0, 0, "URL",
     "where the recipe is, in place of where the title says"},
    {"--store", OPTION_TEXT, OPTIONS_SERVICES, 0, PLACE(store), 0, 0, "DIR",
     "keep here what could not be told yet (default\n"
     "$XDG_STATE_HOME/cadmium, else ~/.local/state/cadmium)"},
    {"--no-store", OPTION_FLAG, OPTIONS_SERVICES, 0, PLACE(no_store), 0, 0, "",
     "keep nothing"},

    {"--volume", OPTION_NUMBER, OPTIONS_WINDOW, 0, PLACE(volume), 0, 100, "N",
     "0 to 100 (default 100)"},
    {"--mute", OPTION_FLAG, OPTIONS_WINDOW, 0, PLACE(mute), 0, 0, "", "begin without sound"},
    {"--no-sound", OPTION_FLAG, OPTIONS_WINDOW, 0, PLACE(no_sound), 0, 0, "",
     "open no sound device"},
    {"--fullscreen", OPTION_FLAG, OPTIONS_WINDOW, 0, PLACE(full_screen), 0, 0, "",
     "begin in full screen"},
    {"--overlay", OPTION_FLAG, OPTIONS_WINDOW, 0, PLACE(overlay), 0, 0, "",
     "show the figures from the beginning"},
    {"--start-paused", OPTION_FLAG, OPTIONS_WINDOW, 0, PLACE(start_paused), 0, 0, "",
     "show the first picture and wait"},
    {"--subtitle-size", OPTION_NUMBER, OPTIONS_WINDOW, 0, PLACE(subtitle_size), 25, 400, "N",
     "size of subtitles, 25 to 400 percent of what they ask for"},

    {"--headless", OPTION_FLAG, OPTIONS_PROGRAM, 0, PLACE(headless), 0, 0, "",
     "no window and no sound device, in real time"},
    {"--fast", OPTION_FLAG, OPTIONS_PROGRAM, 0, PLACE(fast), 0, 0, "",
     "with --headless: not in real time, but as fast as it decodes"},
    {"--json-stats", OPTION_FLAG, OPTIONS_PROGRAM, 0, PLACE(json), 0, 0, "",
     "one JSON object a line on standard output"},
    {"--framemd5", OPTION_TEXT, OPTIONS_PROGRAM, 0, PLACE(framemd5), 0, 0, "FILE",
     "write a line \"pts_ns rung md5\" for every picture, and drop none"},
    {"--soundmd5", OPTION_TEXT, OPTIONS_PROGRAM, 0, PLACE(soundmd5), 0, 0, "FILE",
     "write a line \"pts_ns rate channels samples md5\" for every run\n"
     "of sound"},
    {"--dump-text", OPTION_TEXT, OPTIONS_PROGRAM, 0, PLACE(dump_text), 0, 0, "FILE",
     "write a line \"begin end text\" for all subtitles that are reached,\n"
     "and drop no picture"},
    {"--tape", OPTION_TEXT, OPTIONS_PROGRAM, 0, PLACE(tape), 0, 0, "FILE",
     "record the session, without secrets, for cadmium-sim --replay"},
    {"--log", OPTION_TEXT, OPTIONS_PROGRAM, 0, PLACE(log_path), 0, 0, "FILE|-",
     "write the log to a file, or to standard error"},
    {"--log-level", OPTION_LEVEL, OPTIONS_PROGRAM, 0, PLACE(log_level), 0, 0, "L",
     "error, warn, info (default), debug or trace"},
    {"--key-log", OPTION_TEXT, OPTIONS_PROGRAM, 0, PLACE(key_log), 0, 0, "FILE",
     "append the secrets of TLS connections, for debugging: whoever has\n"
     "them can read what was sent"},

    {"--config", OPTION_TEXT, OPTIONS_OTHER, OPTION_LINE_ONLY, PLACE(config_path), 0, 0, "FILE",
     "read this configuration, not $XDG_CONFIG_HOME/cadmium/play.conf"},
    {"--no-config", OPTION_FLAG, OPTIONS_OTHER, OPTION_LINE_ONLY, PLACE(no_config), 0, 0, "",
     "read no configuration"},
    {"--print-config", OPTION_FLAG, OPTIONS_OTHER, OPTION_LINE_ONLY, PLACE(print_config), 0, 0, "",
     "print what would be obeyed, as a configuration file"},
    {"--version", OPTION_FLAG, OPTIONS_OTHER, OPTION_LINE_ONLY, PLACE(version), 0, 0, "",
     "print the version"},
    {"--help", OPTION_FLAG, OPTIONS_OTHER, OPTION_LINE_ONLY, PLACE(help), 0, 0, "", "print this"},
    {"-h", OPTION_FLAG, OPTIONS_OTHER, OPTION_LINE_ONLY | OPTION_ALIAS, PLACE(help), 0, 0, "", ""},
};

static const char *const group_names[OPTIONS_GROUPS] = {
    "What to play", "How to play", "Services", "The window", "For programs", "Other"};

static const char *const level_names[] = {"off", "error", "warn", "info", "debug", "trace"};

const struct option *options_at(size_t index)
{
    return index < CAD_ARRAY_LEN(options) ? &options[index] : NULL;
}

const struct option *options_find(cad_str name)
{
    for (size_t i = 0; i < CAD_ARRAY_LEN(options); i++) {
        if (cad_str_eqz(name, options[i].name)) return &options[i];
    }
    return NULL;
}

int options_values(const struct option *option)
{
    return option->kind == OPTION_FLAG ? 0 : option->kind == OPTION_TITLE ? 2 : 1;
}

const char *options_level(size_t level)
{
    return level < CAD_ARRAY_LEN(level_names) ? level_names[level] : NULL;
}

/* ---- the help ------------------------------------------------------------------------------- */

static void pad(struct cad_sb *out, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) cad_sb_putc(out, ' ');
}

static void help_option(const struct option *option, struct cad_sb *out)
{
    size_t begin = cad_sb_str(out).n;
    cad_sb_printf(out, "  %s%s%s", option->name, option->value[0] ? " " : "", option->value);
    size_t used = cad_sb_str(out).n - begin;
    if (used + 2 > HELP_COLUMN) {
        cad_sb_putc(out, '\n');
        used = 0;
    }
    pad(out, used, HELP_COLUMN);
    for (const char *p = option->help; *p; p++) {
        cad_sb_putc(out, *p);
        if (*p == '\n') pad(out, 0, HELP_COLUMN);
    }
    cad_sb_putc(out, '\n');
}

void options_help(struct cad_sb *out)
{
    cad_sb_putz(out,
                "usage: cadmium-play [options] URL|FILE\n"
                "       cadmium-play [options] --title ID BASE\n"
                "       cadmium-play --headless --scenario FILE... (--scenario --help tells more)\n"
                "\n"
                "Plays a licensed manifest, a DASH manifest or a fragmented MP4, from http, https\n"
                "or a file.\n");
    for (int group = 0; group < OPTIONS_GROUPS; group++) {
        cad_sb_printf(out, "\n%s:\n", group_names[group]);
        for (size_t i = 0; i < CAD_ARRAY_LEN(options); i++) {
            bool shown = (int)options[i].group == group && !(options[i].flags & OPTION_ALIAS);
            if (shown) help_option(&options[i], out);
        }
    }
    cad_sb_putz(out,
                "  --                  what follows is no option\n"
                "\n"
                "--OPTION VALUE may be written --OPTION=VALUE; what is on or off, --OPTION=no.\n"
                "\n"
                "Keys in the window:\n"
                "  space, p            pause and go on       f           full screen\n"
                "  left, right         5 seconds             i, o        figures over the picture\n"
                "  Shift left, right   30 seconds            a           another sound track\n"
                "  up, down, 0, 9      volume                m           mute\n"
                "  [ and ]             speed                 v           other subtitles, or none\n"
                "  Tab, Enter          the controls          ?, h        help\n"
                "  q, Escape           quit (Escape first closes what is open)\n"
                "\n"
                "Without a window, these lines on standard input are obeyed:\n"
                "  seek SECONDS, pause, play, track ID, notext, rate X, quit\n"
                "\n"
                "Seconds may have decimals. Exit status: 0 the title ended or was quit, 1 it\n"
                "could not be played or what it prints could not be written, 2 wrong usage.\n");
}

/* ---- the configuration ---------------------------------------------------------------------- */

/* As few decimals as say it; three are enough for every speed and every second that is typed. */
static void put_decimal(struct cad_sb *out, int64_t value, int64_t unit)
{
    int64_t thousandths = (value % unit * 1000 + unit / 2) / unit;
    int64_t whole = value / unit + thousandths / 1000;
    cad_sb_i64(out, whole);
    thousandths %= 1000;
    if (thousandths == 0) return;
    char digits[8] = {'.', (char)('0' + thousandths / 100), (char)('0' + thousandths / 10 % 10),
                      (char)('0' + thousandths % 10), '\0'};
    for (size_t n = 3; n > 0 && digits[n] == '0'; n--) digits[n] = '\0';
    cad_sb_putz(out, digits);
}

/* False: there is nothing to say. */
static bool put_value(const struct play_args *args, const struct option *option,
                      struct cad_sb *out)
{
    const void *place = (const char *)args + option->place;
    const char *text = NULL;
    switch (option->kind) {
    case OPTION_FLAG: cad_sb_putz(out, *(const bool *)place ? "yes" : "no"); return true;
    case OPTION_TEXT:
        memcpy(&text, place, sizeof(text));
        if (text) cad_sb_putz(out, text);
        return text != NULL;
    case OPTION_SECONDS:
        if (*(const cad_time *)place == CAD_TIME_NONE) return false;
        put_decimal(out, *(const cad_time *)place, CAD_SECOND);
        return true;
    case OPTION_NUMBER:
        if (*(const int32_t *)place < 0) return false;
        cad_sb_i64(out, *(const int32_t *)place);
        return true;
    case OPTION_LARGE:
        if (*(const int64_t *)place == 0) return false;
        cad_sb_i64(out, *(const int64_t *)place);
        return true;
    case OPTION_SPEED: put_decimal(out, *(const uint32_t *)place, ARGS_RATE_NORMAL); return true;
    case OPTION_LEVEL: cad_sb_putz(out, level_names[args->log_level]); return true;
    case OPTION_TITLE:
    case OPTION_KEY: return false;
    }
    return false;
}

void options_config(const struct play_args *args, struct cad_sb *out)
{
    for (size_t i = 0; i < CAD_ARRAY_LEN(options); i++) {
        const struct option *option = &options[i];
        if (option->flags != 0) continue;
        size_t begin = cad_sb_str(out).n;
        cad_sb_printf(out, "%s = ", option->name + 2);
        if (put_value(args, option, out)) {
            cad_sb_putc(out, '\n');
        } else {
            cad_sb_truncate(out, begin);
            cad_sb_printf(out, "# %s =\n", option->name + 2);
        }
    }
}
