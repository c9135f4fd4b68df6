#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define REASON_SIZE 160

/* Spaces at both ends go; the text is cut in place. */
static char *trim(char *text)
{
    text += strspn(text, " \t\r");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r", text[n - 1])) n--;
    text[n] = '\0';
    return text;
}

static char *unquote(char *text)
{
    size_t n = strlen(text);
    if (n < 2 || text[0] != '"' || text[n - 1] != '"') return text;
    text[n - 1] = '\0';
    return text + 1;
}

/* One line without its end. */
static int take_line(struct play_args *args, char *line, char *error, size_t size)
{
    line = trim(line);
    if (line[0] == '\0' || line[0] == '#') return 0;
    char *equals = strchr(line, '=');
    if (!equals) {
        snprintf(error, size, "a line is: option = value");
        return CAD_E_INVAL;
    }
    *equals = '\0';
    return args_set(args, trim(line), unquote(trim(equals + 1)), error, size);
}

int config_parse(struct play_args *args, char *text, const char *path, char *error, size_t size)
{
    char reason[REASON_SIZE] = "";
    for (int number = 1; text; number++) {
        char *end = strchr(text, '\n');
        if (end) *end = '\0';
        if (take_line(args, text, reason, sizeof(reason)) < 0) {
            snprintf(error, size, "%.200s:%d: %s", path, number, reason);
            return CAD_E_INVAL;
        }
        text = end ? end + 1 : NULL;
    }
    return 0;
}

/* The whole file as a text; *out is the caller's. `absent` CAD_E_NOTFOUND alone means: no file. */
static int read_file(const char *path, char **out)
{
    FILE *file = fopen(path, "rb");
    if (!file) return errno == ENOENT || errno == ENOTDIR ? CAD_E_NOTFOUND : CAD_E_IO;
    char *text = malloc(CONFIG_BYTES_MAX + 1);
    size_t n = text ? fread(text, 1, CONFIG_BYTES_MAX + 1, file) : 0;
    bool good = !ferror(file);
    fclose(file);
    if (!text) return CAD_E_NOMEM;
    if (!good || n > CONFIG_BYTES_MAX || memchr(text, '\0', n)) {
        free(text);
        return !good ? CAD_E_IO : CAD_E_DATA;
    }
    text[n] = '\0';
    *out = text;
    return 0;
}

/* False: there is no place for such files, or its name is too long. */
static bool usual_path(const char *config_home, const char *home, char *out, size_t size)
{
    int n = -1;
    /* The XDG rules: a relative path counts as none. */
    if (config_home && config_home[0] == '/') {
        n = snprintf(out, size, "%s/cadmium/play.conf", config_home);
    } else if (home && home[0] == '/') {
        n = snprintf(out, size, "%s/.config/cadmium/play.conf", home);
    }
    return n > 0 && (size_t)n < size;
}

int config_load(struct play_args *args, const char *config_home, const char *home, char *error,
                size_t size)
{
    char usual[CONFIG_PATH_SIZE];
    const char *path = args->config_path;
    bool wanted = path != NULL;
    if (!path && !usual_path(config_home, home, usual, sizeof(usual))) return 0;
    if (!path) path = usual;
    char *text = NULL;
    int rc = read_file(path, &text);
    if (rc == CAD_E_NOTFOUND && !wanted) return 0;
    if (rc < 0) {
        snprintf(error, size, "%.200s cannot be read: %s", path,
                 rc == CAD_E_NOTFOUND ? "there is no such file"
                 : rc == CAD_E_DATA   ? "it is no text, or too long"
                 : rc == CAD_E_NOMEM  ? "out of memory"
                                      : strerror(errno));
        return rc;
    }
    free(args->file_text);
    args->file_text = text;
    return config_parse(args, text, path, error, size);
}
