#include "args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "options.h"

#define SECONDS_MAX UINT64_C(31536000) /* a year */

void args_init(struct play_args *args)
{
    *args = (struct play_args){
        .rung = -1, .speed_q16 = ARGS_RATE_NORMAL, .seek = CAD_TIME_NONE, .until = CAD_TIME_NONE,
        .buffer = CAD_TIME_NONE, .volume = 100, .log_level = CAD_LOG_INFO, .report = true,
        .probe = true, .subtitle_size = 100};
}

void args_deinit(struct play_args *args)
{
    free(args->file_text);
    free(args->usual_store);
    cad_wipe(args, sizeof(*args));
}

bool args_wants_subtitles(const struct play_args *args)
{
    return args->subtitles && strcmp(args->subtitles, "off") != 0;
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

int args_speed(cad_str text, uint32_t *out)
{
    cad_time value = 0;
    if (args_seconds(text, &value) < 0 || value > 100 * CAD_SECOND) return CAD_E_DATA;
    int64_t q16 = (value * ARGS_RATE_NORMAL + CAD_SECOND / 2) / CAD_SECOND;
    if (q16 < ARGS_RATE_NORMAL / 2 || q16 > ARGS_RATE_NORMAL * 2) return CAD_E_DATA;
    *out = (uint32_t)q16;
    return 0;
}

/* ---- values --------------------------------------------------------------------------------- */

static bool set_number(char *place, const struct option *option, cad_str text)
{
    int64_t value = 0;
    if (cad_str_to_i64(text, &value) < 0) return false;
    if (value < option->least || value > option->most) return false;
    int32_t small = (int32_t)value;
    if (option->kind == OPTION_LARGE) {
        memcpy(place, &value, sizeof(value));
    } else {
        memcpy(place, &small, sizeof(small));
    }
    return true;
}

static bool set_speed(char *place, cad_str text)
{
    uint32_t speed = 0;
    if (args_speed(text, &speed) < 0) return false;
    memcpy(place, &speed, sizeof(speed));
    return true;
}

static bool set_seconds(char *place, const struct option *option, cad_str text)
{
    cad_time seconds = 0;
    if (args_seconds(text, &seconds) < 0) return false;
    if (seconds < option->least * CAD_SECOND) return false;
    if (seconds > option->most * CAD_SECOND) return false;
    memcpy(place, &seconds, sizeof(seconds));
    return true;
}

static bool set_level(struct play_args *args, cad_str text)
{
    for (size_t i = 1; options_level(i); i++) {
        if (!cad_str_eqz(text, options_level(i))) continue;
        args->log_level = (enum cad_log_level)i;
        return true;
    }
    return false;
}

static bool set_flag(char *place, cad_str text)
{
    bool yes = cad_str_eqz(text, "yes") || cad_str_eqz(text, "true");
    if (!yes && !cad_str_eqz(text, "no") && !cad_str_eqz(text, "false")) return false;
    memcpy(place, &yes, sizeof(yes));
    return true;
}

/* 32 hexadecimal digits, perhaps with dashes between them, as key ids are often written. */
static bool read_hex(cad_str text, uint8_t out[ARGS_KEY_BYTES])
{
    char digits[2 * ARGS_KEY_BYTES];
    size_t count = 0;
    size_t n = 0;
    bool good = true;
    for (size_t i = 0; i < text.n && good; i++) {
        if (text.p[i] == '-') continue;
        good = count < sizeof(digits);
        if (good) digits[count++] = text.p[i];
    }
    good = good && count == sizeof(digits) &&
           cad_hex_decode(cad_str_make(digits, count), out, ARGS_KEY_BYTES, &n) == 0;
    cad_wipe(digits, sizeof(digits));
    return good;
}

static bool read_key(cad_str text, struct play_key *out)
{
    ptrdiff_t colon = cad_str_find_char(text, ':');
    return colon >= 0 && read_hex(cad_str_sub(text, 0, (size_t)colon), out->kid) &&
           read_hex(cad_str_sub(text, (size_t)colon + 1, text.n), out->key);
}

static bool add_key(struct play_args *args, char *text)
{
    struct play_key key;
    bool good = args->key_count < ARGS_KEYS_MAX && read_key(cad_str_from(text), &key);
    cad_wipe(&key, sizeof(key));
    if (good) args->key_texts[args->key_count++] = text;
    return good;
}

void args_take_keys(struct play_args *args)
{
    for (uint32_t i = 0; i < args->key_count; i++) {
        char *text = args->key_texts[i];
        if (!text) continue;
        bool good = read_key(cad_str_from(text), &args->keys[i]);
        CAD_UNUSED(good); /* it was read once already */
        memset(text, 'x', strlen(text));
        args->key_texts[i] = NULL;
    }
}

/* Set an option from its values, values[0] being the first. False: a value is wrong. */
static bool set_option(struct play_args *args, const struct option *option, char *const *values)
{
    char *place = (char *)args + option->place;
    cad_str text = cad_str_from(values[0]);
    switch (option->kind) {
    case OPTION_FLAG:
        if (!set_flag(place, text)) return false;
        if (option->flags & OPTION_OPPOSITE) *(bool *)place = !*(bool *)place;
        return true;
    case OPTION_KEY: return add_key(args, values[0]);
    case OPTION_TEXT: memcpy(place, &values[0], sizeof(values[0])); return text.n > 0;
    case OPTION_TITLE:
        args->title = values[0];
        args->base = values[1];
        return values[0][0] != '\0' && values[1][0] != '\0';
    case OPTION_NUMBER:
    case OPTION_LARGE: return set_number(place, option, text);
    case OPTION_SPEED: return set_speed(place, text);
    case OPTION_LEVEL: return set_level(args, text);
    case OPTION_SECONDS: return set_seconds(place, option, text);
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
    case OPTION_LARGE:
    case OPTION_SECONDS:
        snprintf(out, left, "%s from %lld to %lld, not \"%.40s\"",
                 option->kind == OPTION_SECONDS ? "seconds" : "a whole number",
                 (long long)option->least, (long long)option->most, value);
        break;
    case OPTION_SPEED: snprintf(out, left, "a number from 0.5 to 2, not \"%.40s\"", value); break;
    case OPTION_LEVEL:
        snprintf(out, left, "error, warn, info, debug or trace, not \"%.40s\"", value);
        break;
    case OPTION_TITLE: snprintf(out, left, "an id and the address of a service"); break;
    case OPTION_FLAG: snprintf(out, left, "yes or no, not \"%.40s\"", value); break;
    case OPTION_KEY: /* what was given is not repeated: it may be a key in part */
        snprintf(out, left, "KID:KEY, 32 hexadecimal digits each, at most %d times",
                 ARGS_KEYS_MAX);
        break;
    case OPTION_TEXT:
        snprintf(out, left, "%s",
                 option->value[0] == 'F' ? "the name of a file" : "a value that is not empty");
        break;
    }
}

/* ---- words ---------------------------------------------------------------------------------- */

/* Where a sentence about what is wrong goes. */
struct sentence {
    char *text;
    size_t size;
};

/* Its value, which may be a secret, is not repeated. */
static int unknown(const char *word, char *error, size_t size)
{
    int length = (int)CAD_MIN(strcspn(word, "="), (size_t)60);
    snprintf(error, size, "unknown option %.*s", length, word);
    return CAD_E_INVAL;
}

/* The option that begins at argv[*i]; *i is left at its last word. */
static int read_option(struct play_args *args, int *i, int argc, char *const *argv,
                       const struct sentence *error)
{
    char yes[] = "yes";
    char *const flag[] = {yes};
    char *word = argv[*i];
    char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct option *option = options_find(cad_str_make(word, length));
    if (!option || (equals && option->kind == OPTION_TITLE)) {
        return unknown(word, error->text, error->size);
    }
    int values = equals ? 0 : options_values(option);
    char *joined[] = {equals ? equals + 1 : NULL};
    char *const *from = equals ? joined : option->kind == OPTION_FLAG ? flag : argv + *i + 1;
    if (values > argc - 1 - *i) {
        snprintf(error->text, error->size, "%s: its value is missing", word);
        return CAD_E_INVAL;
    }
    if (!set_option(args, option, from)) {
        explain(option, from[0], error->text, error->size);
        return CAD_E_INVAL;
    }
    *i += values;
    return 0;
}

int args_read(struct play_args *args, int argc, char *const *argv, char *error, size_t size)
{
    bool options = true;
    const struct sentence sentence = {error, size};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (options && strcmp(word, "--") == 0) {
            options = false;
        } else if (options && word[0] == '-') {
            int rc = read_option(args, &i, argc, argv, &sentence);
            if (rc < 0) return rc;
        } else if (args->target) {
            snprintf(error, size, "only one thing can be played, not \"%.60s\" too", word);
            return CAD_E_INVAL;
        } else {
            args->target = word;
        }
    }
    return 0;
}

int args_check(const struct play_args *args, char *error, size_t size)
{
    const char *what = NULL;
    if (args->help || args->version || args->print_config) return 0;
    if (!args->target && !args->title) what = "nothing to play was named";
    if (args->target && args->title) what = "either a URL or file, or --title";
    if (args->fast && !args->headless) what = "--fast needs --headless";
    if (args->store && args->no_store) what = "either --store or --no-store";
    if (args->until != CAD_TIME_NONE && args->seek != CAD_TIME_NONE && args->until <= args->seek) {
        what = "--until must be after --start";
    }
    if (!what) return 0;
    snprintf(error, size, "%s", what);
    return CAD_E_INVAL;
}

int args_parse(struct play_args *args, int argc, char *const *argv, char *error, size_t size)
{
    args_init(args);
    int rc = args_read(args, argc, argv, error, size);
    return rc < 0 ? rc : args_check(args, error, size);
}

int args_set(struct play_args *args, const char *name, char *value, char *error, size_t size)
{
    char full[64];
    char *const values[] = {value, NULL};
    snprintf(full, sizeof(full), "--%.60s", name);
    const struct option *option = options_find(cad_str_from(full));
    if (!option) {
        snprintf(error, size, "unknown option %.60s", name);
    } else if (option->flags & OPTION_LINE_ONLY) {
        snprintf(error, size, "%s is for the command line only", option->name);
    } else if (!set_option(args, option, values)) {
        explain(option, value, error, size);
    } else {
        return 0;
    }
    return CAD_E_INVAL;
}
