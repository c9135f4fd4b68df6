/*
 * cadmium-manifest - prints what the library understood of a manifest, as canonical JSON.
 *
 * An example of manifest.h: read a file whole, parse it in steps, dump the presentation.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cadmium/manifest.h"

#include "base/shown.h"
#include "base/str.h"

enum {
    EXIT_USAGE = 1,
    EXIT_UNUSABLE = 2,
    EXIT_FILE = 3,
    STEP_TOKENS = 65536,
    READ_BYTES = 65536,
    DUMP_BYTES_MAX = 1 << 30,
    FILE_BYTES_MAX = 64 << 20, /* the parser's own limit is lower and says so itself */
};

struct arguments {
    const char *file;
    const char *base_url;
    int64_t now_ms;
    bool json;
};

static const char usage[] =
    "usage: cadmium-manifest dump --json [--base-url URL] [--now EPOCH_MS] FILE\n"
    "       cadmium-manifest --help | --version\n"
    "\n"
    "Prints what the library understood of FILE (\"-\": standard input), a licensedManifest or\n"
    "a DASH MPD, as one JSON object.\n"
    "\n"
    "  --base-url URL   the document's own URL, which relative references resolve against\n"
    "  --now EPOCH_MS   the time to judge by, in milliseconds since 1970; else the clock\n"
    "\n"
    "Exit status: 0 a dump was printed; 1 usage; 2 the document is not usable, with one line\n"
    "on standard error; 3 the file could not be read.\n";

/* ---- what is printed ------------------------------------------------------------------------- */

/* Names and texts come from outside: a terminal would obey their controls. */
static void put_safe(const char *text)
{
    cad_str s = cad_str_from(text);
    while (s.n > 0) {
        size_t bad = 0;
        size_t n = cad_shown_run(s, &bad);
        (void)fwrite(s.p, 1, n, stderr);
        if (bad > 0) (void)fputc('?', stderr);
        s = cad_str_sub(s, n + bad, s.n);
    }
}

/* The JSON with the same meaning, without what a terminal obeys. False: errno says why not. */
static bool print_safe(cad_str json)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb shown;
    cad_sb_init(&shown, &alloc, CAD_MEM_OTHER, DUMP_BYTES_MAX);
    cad_shown_json(&shown, json);
    errno = ENOMEM;
    bool good = cad_sb_error(&shown) == 0;
    cad_str text = cad_sb_str(&shown);
    if (good) good = fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0;
    int why = errno;
    cad_sb_deinit(&shown);
    errno = why;
    return good;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static bool parse_now(const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < 0) return false;
    *out = (int64_t)value;
    return true;
}

/* False: the usage is wrong; why is on stderr. */
static bool parse_arguments(int argc, char **argv, struct arguments *out)
{
    if (argc < 2 || strcmp(argv[1], "dump") != 0) return false;
    for (int i = 2; i < argc; i++) {
        const char *arg = argv[i];
        bool more = i + 1 < argc;
        if (strcmp(arg, "--json") == 0) {
            out->json = true;
        } else if (strcmp(arg, "--base-url") == 0 && more) {
            out->base_url = argv[++i];
        } else if (strcmp(arg, "--now") == 0 && more) {
            if (!parse_now(argv[++i], &out->now_ms)) return false;
        } else if (!out->file && (arg[0] != '-' || arg[1] == '\0')) {
            out->file = arg;
        } else {
            (void)fputs("cadmium-manifest: unexpected argument: ", stderr);
            put_safe(arg);
            (void)fputc('\n', stderr);
            return false;
        }
    }
    return out->file && out->json;
}

static int64_t clock_ms(void)
{
    struct timespec now;
    if (timespec_get(&now, TIME_UTC) != TIME_UTC) return 0;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The rest of a stream; NULL with errno set. */
static uint8_t *read_all(FILE *stream, size_t *n)
{
    uint8_t *bytes = NULL;
    size_t have = 0;
    for (;;) {
        uint8_t *more = realloc(bytes, have + READ_BYTES);
        if (!more || have > FILE_BYTES_MAX) {
            free(more ? more : bytes);
            errno = more ? EFBIG : ENOMEM;
            return NULL;
        }
        bytes = more;
        size_t got = fread(bytes + have, 1, READ_BYTES, stream);
        have += got;
        if (got < READ_BYTES) break;
    }
    if (ferror(stream)) {
        free(bytes);
        return NULL;
    }
    *n = have;
    return bytes;
}

static uint8_t *read_file(const char *name, size_t *n)
{
    if (strcmp(name, "-") == 0) return read_all(stdin, n);
    FILE *stream = fopen(name, "rb");
    if (!stream) return NULL;
    uint8_t *bytes = read_all(stream, n);
    int why = errno;
    (void)fclose(stream);
    errno = why;
    return bytes;
}

/* ---- parsing --------------------------------------------------------------------------------- */

static const char *code_of(const struct cad_manifest_error *error)
{
    switch (error->code) {
    case CAD_ERR_MANIFEST_LIMIT: return "limit";
    case CAD_ERR_MANIFEST_UNSUPPORTED: return "unsupported";
    case CAD_ERR_MANIFEST_NO_MEDIA: return "unsupported";
    default: return error->topic ? error->topic : "json";
    }
}

static void report(const char *file, const struct cad_manifest_parser *parser)
{
    struct cad_manifest_error error;
    cad_manifest_parser_error(parser, &error);
    (void)fputs("cadmium-manifest: ", stderr);
    put_safe(file);
    (void)fprintf(stderr, ":%" PRIu32 ": %s: ", error.line, code_of(&error));
    put_safe(error.message);
    (void)fputc('\n', stderr);
}

static int print(const struct cad_presentation *presentation)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_buf text = {NULL, 0};
    if (cad_presentation_dump(presentation, &alloc, &text) != 0) {
        (void)fputs("cadmium-manifest: out of memory\n", stderr);
        return EXIT_FILE;
    }
    bool written = print_safe(cad_str_from_buf(text));
    int why = errno;
    (void)alloc.fn(alloc.ctx, (void *)(uintptr_t)text.p, text.n, 0, CAD_MEM_OTHER);
    if (written) return EXIT_SUCCESS;
    (void)fprintf(stderr, "cadmium-manifest: standard output: %s\n", strerror(why));
    return EXIT_FILE;
}

static int parse_and_print(const struct arguments *arguments, cad_buf document)
{
    struct cad_manifest_options options;
    struct cad_manifest_parser *parser = NULL;
    struct cad_presentation *presentation = NULL;
    cad_manifest_options_init(&options);
    options.now_ms = arguments->now_ms;
    options.allow_http = true;
    options.allow_drm = true;
    if (arguments->base_url) {
        options.base_url = (cad_str){arguments->base_url, strlen(arguments->base_url)};
    }
    int rc = cad_manifest_parser_create(&options, &parser);
    while (parser) {
        rc = cad_manifest_parser_step(parser, document, STEP_TOKENS);
        if (rc != CAD_E_AGAIN) break;
    }
    if (parser && rc == 0) rc = cad_manifest_parser_take(parser, &presentation);
    int status = EXIT_UNUSABLE;
    if (presentation) status = print(presentation);
    else if (parser) report(arguments->file, parser);
    else (void)fprintf(stderr, "cadmium-manifest: %s\n", cad_result_text(rc));
    cad_presentation_destroy(&presentation);
    cad_manifest_parser_destroy(&parser);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {NULL, NULL, -1, false};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return fputs(usage, stdout) < 0 ? EXIT_FILE : EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return printf("cadmium-manifest %s\n", cad_version()) < 0 ? EXIT_FILE : EXIT_SUCCESS;
    }
    if (!parse_arguments(argc, argv, &arguments)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (arguments.now_ms < 0) arguments.now_ms = clock_ms();
    size_t n = 0;
    uint8_t *bytes = read_file(arguments.file, &n);
    if (!bytes) {
        int why = errno;
        (void)fputs("cadmium-manifest: ", stderr);
        put_safe(arguments.file);
        (void)fprintf(stderr, ": %s\n", strerror(why));
        return EXIT_FILE;
    }
    int status = parse_and_print(&arguments, (cad_buf){bytes, n});
    free(bytes);
    return status;
}
