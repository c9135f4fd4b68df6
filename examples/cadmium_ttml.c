/*
 * cadmium-ttml - prints what a TTML document shows, and when, as JSON.
 *
 * An example of text.h: feed a file in slices, finish, dump.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cadmium/text.h"

#include "base/shown.h"
#include "base/str.h"

enum {
    EXIT_USAGE = 1,
    EXIT_FILE = 3,
    SLICE_BYTES = 65536,
    FINISH_WORK = 65536,
    DUMP_BYTES_MAX = 1 << 30,
};

/* Of a document that cannot be processed. */
#define ERROR_OBJECT "{\"format\":\"cadmium-isd/1\",\"error\":\"document\"}"

static const char usage[] =
    "usage: cadmium-ttml dump --json FILE\n"
    "       cadmium-ttml --help | --version\n"
    "\n"
    "Prints the intermediate synchronic documents of FILE (\"-\": standard input), a TTML or\n"
    "IMSC document, as one JSON object.\n"
    "\n"
    "Exit status: 0 an object was printed, also for a document that cannot be processed, with\n"
    "one line on standard error; 1 usage; 3 the file could not be read or nothing written.\n";

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

static int fail(const char *name, const char *why)
{
    (void)fputs("cadmium-ttml: ", stderr);
    put_safe(name);
    (void)fprintf(stderr, ": %s\n", why);
    return EXIT_FILE;
}

/* The JSON with the same meaning, without what a terminal obeys. */
static int print(cad_str json)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb shown;
    cad_sb_init(&shown, &alloc, CAD_MEM_OTHER, DUMP_BYTES_MAX);
    cad_shown_json(&shown, json);
    cad_sb_putc(&shown, '\n');
    errno = ENOMEM;
    bool good = cad_sb_error(&shown) == 0;
    cad_str text = cad_sb_str(&shown);
    if (good) good = fwrite(text.p, 1, text.n, stdout) == text.n && fflush(stdout) == 0;
    int why = errno;
    cad_sb_deinit(&shown);
    return good ? EXIT_SUCCESS : fail("standard output", strerror(why));
}

static int print_text(const struct cad_text *text)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_buf json = {NULL, 0};
    int rc = cad_text_dump(text, &json);
    if (rc == CAD_E_LIMIT) {
        (void)fail("the dump", cad_result_text(rc));
        return print(CAD_STR(ERROR_OBJECT));
    }
    if (rc != 0) return fail("the dump", cad_result_text(rc));
    int status = print(cad_str_from_buf(json));
    (void)alloc.fn(alloc.ctx, (void *)(uintptr_t)json.p, json.n, 0, CAD_MEM_OTHER);
    return status;
}

static int report(const char *name, const struct cad_text_parser *parser)
{
    struct cad_text_error error;
    cad_text_parser_error(parser, &error);
    (void)fputs("cadmium-ttml: ", stderr);
    put_safe(name);
    (void)fprintf(stderr, ":%" PRIu32 ": ", error.line);
    put_safe(error.message);
    (void)fputc('\n', stderr);
    return print(CAD_STR(ERROR_OBJECT));
}

/* CAD_E_IO where reading failed; errno says why. */
static int feed_all(struct cad_text_parser *parser, FILE *stream)
{
    static uint8_t slice[SLICE_BYTES];
    int rc = 0;
    bool last = false;
    while (rc == 0 && !last) {
        size_t n = fread(slice, 1, sizeof(slice), stream);
        if (ferror(stream)) return CAD_E_IO;
        last = n < sizeof(slice);
        rc = cad_text_parser_feed(parser, (cad_buf){slice, n}, last);
    }
    return rc;
}

static int dump(const char *name, FILE *stream)
{
    struct cad_text_options options;
    struct cad_text_parser *parser = NULL;
    struct cad_text *text = NULL;
    cad_text_options_init(&options);
    int rc = cad_text_parser_create(&options, &parser);
    if (rc != 0) return fail(name, cad_result_text(rc));
    rc = feed_all(parser, stream);
    if (rc == CAD_E_IO) {
        cad_text_parser_destroy(&parser);
        return fail(name, strerror(errno));
    }
    do {
        rc = cad_text_parser_finish(parser, FINISH_WORK, &text);
    } while (rc == CAD_E_AGAIN);
    int status = rc == 0 ? print_text(text) : report(name, parser);
    cad_text_destroy(&text);
    cad_text_parser_destroy(&parser);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return fputs(usage, stdout) < 0 ? EXIT_FILE : EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return printf("cadmium-ttml %s\n", cad_version()) < 0 ? EXIT_FILE : EXIT_SUCCESS;
    }
    if (argc != 4 || strcmp(argv[1], "dump") != 0 || strcmp(argv[2], "--json") != 0) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[3], "-") == 0) return dump(argv[3], stdin);
    FILE *stream = fopen(argv[3], "rb");
    if (!stream) return fail(argv[3], strerror(errno));
    int status = dump(argv[3], stream);
    (void)fclose(stream);
    return status;
}
