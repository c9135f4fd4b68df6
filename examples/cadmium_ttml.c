/*
 * cadmium-ttml - prints what a TTML document shows, and when, as JSON; draws it at a time.
 *
 * An example of text.h: feed a file in slices, finish, dump; and of draw.h: lay out what is shown
 * at a time with the fonts of font_freetype.h, blend, write.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cadmium/draw.h"
#include "cadmium/font_freetype.h"
#include "cadmium/text.h"

#include "base/shown.h"
#include "base/str.h"

enum {
    EXIT_USAGE = 1,
    EXIT_DOCUMENT = 2,
    EXIT_FILE = 3,
    SLICE_BYTES = 65536,
    FINISH_WORK = 65536,
    DUMP_BYTES_MAX = 1 << 30,
    FONTS_MAX = 64,
    SIDE_MAX = 8192,
    BACKDROP = 0x60, /* grey, behind what a PPM shows */
};

/* Of a document that cannot be processed. */
#define ERROR_OBJECT "{\"format\":\"cadmium-isd/1\",\"error\":\"document\"}"

static const char usage[] =
    "usage: cadmium-ttml dump --json FILE\n"
    "       cadmium-ttml render --time T --size WxH [option ...] --out IMAGE FILE\n"
    "       cadmium-ttml --help | --version\n"
    "\n"
    "dump prints the intermediate synchronic documents of FILE (\"-\": standard input), a TTML\n"
    "or IMSC document, as one JSON object. render draws what FILE shows at a time.\n"
    "\n"
    "  --time T          seconds, or hours:minutes:seconds, with a fraction or without\n"
    "  --size WxH        of the image, that is of the video, pixels, each 1 to 8192\n"
    "  --out IMAGE       .png or .pam: with transparency; .ppm: on grey\n"
    "  --font FILE       a font file; may be given again; then the system's are not used\n"
    "  --fonts FOLDER    fonts of this folder and below, in place of /usr/share/fonts\n"
    "  --text-size N     of letters, percent of what the document says, 25 to 400\n"
    "  --forced          only what is marked as forced\n"
    "  --words           print place, size and text of each word\n"
    "\n"
    "Exit status: 0 an object or image was written, by dump also for a document that cannot be\n"
    "processed, with one line on standard error; 1 usage; 2 render could not process the\n"
    "document; 3 a file could not be read, nothing written, or there are no fonts.\n";

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

static void report(const char *name, const struct cad_text_parser *parser)
{
    struct cad_text_error error;
    cad_text_parser_error(parser, &error);
    (void)fputs("cadmium-ttml: ", stderr);
    put_safe(name);
    (void)fprintf(stderr, ":%" PRIu32 ": ", error.line);
    put_safe(error.message);
    (void)fputc('\n', stderr);
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

/* *out: the document. EXIT_DOCUMENT: it cannot be processed, which was said. */
static int load(const char *name, FILE *stream, struct cad_text **out)
{
    struct cad_text_options options;
    struct cad_text_parser *parser = NULL;
    cad_text_options_init(&options);
    int rc = cad_text_parser_create(&options, &parser);
    if (rc != 0) return fail(name, cad_result_text(rc));
    rc = feed_all(parser, stream);
    if (rc == CAD_E_IO) {
        cad_text_parser_destroy(&parser);
        return fail(name, strerror(errno));
    }
    do {
        rc = cad_text_parser_finish(parser, FINISH_WORK, out);
    } while (rc == CAD_E_AGAIN);
    if (rc != 0) report(name, parser);
    cad_text_parser_destroy(&parser);
    return rc == 0 ? EXIT_SUCCESS : EXIT_DOCUMENT;
}

static int load_file(const char *name, struct cad_text **out)
{
    if (strcmp(name, "-") == 0) return load(name, stdin, out);
    FILE *stream = fopen(name, "rb");
    if (!stream) return fail(name, strerror(errno));
    int status = load(name, stream, out);
    (void)fclose(stream);
    return status;
}

static int dump(const char *name)
{
    struct cad_text *text = NULL;
    int status = load_file(name, &text);
    if (status == EXIT_DOCUMENT) return print(CAD_STR(ERROR_OBJECT));
    if (status == EXIT_SUCCESS) status = print_text(text);
    cad_text_destroy(&text);
    return status;
}

/* ---- images ---------------------------------------------------------------------------------- */

/* Red, green, blue and alpha, not premultiplied, row by row. */
struct picture {
    uint8_t *pixels;
    uint32_t width, height;
};

static uint32_t crc_of(uint32_t crc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return crc;
}

static void put_u32(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* A part of the chunk that crc goes over. */
static void put_part(FILE *out, uint32_t *crc, const uint8_t *p, size_t n)
{
    *crc = crc_of(*crc, p, n);
    (void)fwrite(p, 1, n, out);
}

static void put_word(FILE *out, uint32_t v)
{
    uint8_t bytes[4];
    put_u32(bytes, v);
    (void)fwrite(bytes, 1, sizeof(bytes), out);
}

/* The rows as one zlib stream of stored blocks, a row each: larger than need be, but simple. */
static void put_png_rows(FILE *out, const struct picture *pic)
{
    size_t row = 1 + 4 * (size_t)pic->width;
    uint32_t crc = 0xffffffffu;
    uint32_t a = 1;
    uint32_t b = 0;
    put_word(out, (uint32_t)(2 + pic->height * (5 + row) + 4));
    put_part(out, &crc, (const uint8_t *)"IDAT\x78\x01", 6);
    for (uint32_t y = 0; y < pic->height; y++) {
        const uint8_t *pixels = pic->pixels + y * (row - 1);
        uint8_t head[6] = {y + 1 == pic->height, (uint8_t)row, (uint8_t)(row >> 8),
                           (uint8_t)~row, (uint8_t)(~row >> 8), 0};
        put_part(out, &crc, head, sizeof(head));
        put_part(out, &crc, pixels, row - 1);
        b = (b + a) % 65521; /* the filter byte, 0 */
        for (size_t i = 0; i + 1 < row; i++) {
            a = (a + pixels[i]) % 65521;
            b = (b + a) % 65521;
        }
    }
    uint8_t sum[4];
    put_u32(sum, (b << 16) | a);
    put_part(out, &crc, sum, sizeof(sum));
    put_word(out, ~crc);
}

static void put_png(FILE *out, const struct picture *pic)
{
    uint8_t head[17] = "IHDR\0\0\0\0\0\0\0\0\x08\x06\0\0";
    uint32_t crc = 0xffffffffu;
    put_u32(head + 4, pic->width);
    put_u32(head + 8, pic->height);
    (void)fwrite("\x89PNG\r\n\x1a\n\0\0\0\x0d", 1, 12, out);
    put_part(out, &crc, head, sizeof(head));
    put_word(out, ~crc);
    put_png_rows(out, pic);
    (void)fwrite("\0\0\0\0IEND\xae\x42\x60\x82", 1, 12, out);
}

static void put_pam(FILE *out, const struct picture *pic)
{
    (void)fprintf(out,
                  "P7\nWIDTH %" PRIu32 "\nHEIGHT %" PRIu32
                  "\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n",
                  pic->width, pic->height);
    (void)fwrite(pic->pixels, 4, (size_t)pic->width * pic->height, out);
}

static void put_ppm(FILE *out, const struct picture *pic)
{
    (void)fprintf(out, "P6\n%" PRIu32 " %" PRIu32 "\n255\n", pic->width, pic->height);
    for (size_t i = 0; i < (size_t)pic->width * pic->height; i++) {
        const uint8_t *p = pic->pixels + 4 * i;
        for (int k = 0; k < 3; k++) {
            (void)fputc((p[k] * p[3] + BACKDROP * (255 - p[3]) + 127) / 255, out);
        }
    }
}

typedef void (*put_fn)(FILE *out, const struct picture *pic);

/* By the end of a name; NULL: none of them. */
static put_fn format_of(const char *name)
{
    cad_str s = cad_str_from(name);
    if (cad_str_ends(s, CAD_STR(".png"))) return put_png;
    if (cad_str_ends(s, CAD_STR(".pam"))) return put_pam;
    return cad_str_ends(s, CAD_STR(".ppm")) ? put_ppm : NULL;
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* What render was asked for. */
struct job {
    const char *file, *out;
    cad_time at;
    const char *fonts[FONTS_MAX];
    uint32_t font_count;
    const char *folder; /* NULL: the default, unless there are fonts */
    struct cad_text_draw_options options; /* width and height: of the image */
    struct cad_text_root root;            /* in the image */
    bool words;
};

static int open_fonts(struct job *job)
{
    struct cad_font_config config;
    cad_font_config_init(&config);
    config.files = job->fonts;
    config.file_count = job->font_count;
    if (job->folder) {
        config.folders = &job->folder;
        config.folder_count = 1;
    } else if (job->font_count > 0) {
        config.folder_count = 0;
    }
    return cad_font_freetype_create(&job->options.alloc, &config, &job->options.fonts);
}

static void print_words(const struct cad_text_picture *picture, const struct cad_text_root *root)
{
    for (const struct cad_text_word *w = picture->words; w; w = w->next) {
        cad_str rest = w->text;
        (void)printf("%" PRId64 " %" PRId64 " %" PRIu32 " %" PRIu32 " ",
                     (int64_t)w->x + root->x, (int64_t)w->y + root->y, w->width, w->height);
        while (rest.n > 0) {
            size_t bad = 0;
            size_t n = cad_shown_run(rest, &bad);
            (void)fwrite(rest.p, 1, n, stdout);
            if (bad > 0) (void)fputc('?', stdout);
            rest = cad_str_sub(rest, n + bad, rest.n);
        }
        (void)putchar('\n');
    }
}

static int write_picture(const struct job *job, const struct cad_text_picture *picture)
{
    struct picture made = {NULL, job->options.width, job->options.height};
    struct cad_text_root root = job->root;
    size_t count = (size_t)made.width * made.height;
    made.pixels = calloc(count, 4);
    if (!made.pixels) return fail(job->out, cad_result_text(CAD_E_NOMEM));
    size_t stride = 4 * (size_t)made.width;
    struct cad_text_canvas canvas = {made.pixels + root.y * stride + 4 * (size_t)root.x,
                                     root.width, root.height, stride};
    cad_text_blend(picture, &canvas);
    for (uint8_t *p = made.pixels; p < made.pixels + 4 * count; p += 4) {
        for (int k = 0; k < 3 && p[3] > 0; k++) {
            unsigned whole = (p[k] * 255u + p[3] / 2u) / p[3];
            p[k] = (uint8_t)(whole < 255 ? whole : 255);
        }
    }
    FILE *out = fopen(job->out, "wb");
    bool good = out != NULL;
    if (out) {
        format_of(job->out)(out, &made);
        good = !ferror(out);
        if (fclose(out) != 0) good = false;
    }
    int why = errno;
    free(made.pixels);
    return good ? EXIT_SUCCESS : fail(job->out, strerror(why));
}

static int render_text(struct job *job, const struct cad_text *text)
{
    struct cad_text_isd *isd = NULL;
    struct cad_text_picture *picture = NULL;
    int rc = open_fonts(job);
    if (rc != 0) return fail("fonts", cad_result_text(rc));
    rc = cad_text_isd_at(text, job->at, &isd);
    cad_text_root_of(text, job->options.width, job->options.height, &job->root);
    struct cad_text_draw_options options = job->options;
    options.width = job->root.width;
    options.height = job->root.height;
    if (rc == 0) rc = cad_text_layout(isd, &options, &picture);
    int status = rc == 0 ? write_picture(job, picture) : fail("layout", cad_result_text(rc));
    if (rc == 0 && job->words) print_words(picture, &job->root);
    cad_text_picture_destroy(&picture);
    cad_text_isd_destroy(&isd);
    cad_font_freetype_destroy(&job->options.fonts);
    return status;
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* A decimal number of at most six digits at *p, which moves behind it; -1: none. */
static int64_t number(const char **p)
{
    int64_t v = 0;
    int digits = 0;
    for (; cad_is_digit(**p) && digits < 7; (*p)++, digits++) v = 10 * v + (**p - '0');
    return digits > 0 && digits < 7 ? v : -1;
}

/* Seconds, minutes:seconds or hours:minutes:seconds with up to nine decimals. */
static bool read_time(const char *p, cad_time *out)
{
    int64_t seconds = 0;
    for (int part = 0; part < 3; part++) {
        int64_t v = number(&p);
        if (v < 0) return false;
        seconds = 60 * seconds + v;
        if (*p != ':') break;
        if (part == 2) return false;
        p++;
    }
    cad_time t = seconds * CAD_SECOND;
    if (*p == '.') {
        int64_t unit = CAD_SECOND / 10;
        for (p++; cad_is_digit(*p); p++, unit /= 10) t += unit * (*p - '0');
    }
    *out = t;
    return *p == 0;
}

static bool read_size(const char *p, struct cad_text_draw_options *options)
{
    int64_t w = number(&p);
    if (w < 1 || w > SIDE_MAX || *p++ != 'x') return false;
    int64_t h = number(&p);
    if (h < 1 || h > SIDE_MAX || *p != 0) return false;
    options->width = (uint32_t)w;
    options->height = (uint32_t)h;
    return true;
}

static bool take_option(struct job *job, const char *name, const char *value)
{
    if (strcmp(name, "--time") == 0) return read_time(value, &job->at);
    if (strcmp(name, "--size") == 0) return read_size(value, &job->options);
    if (strcmp(name, "--out") == 0) {
        job->out = value;
        return format_of(value) != NULL;
    }
    if (strcmp(name, "--fonts") == 0) {
        job->folder = value;
        return true;
    }
    if (strcmp(name, "--text-size") == 0) {
        int64_t percent = number(&value);
        job->options.user.size_percent = (uint32_t)percent;
        return percent >= 25 && percent <= 400 && *value == 0;
    }
    if (strcmp(name, "--font") != 0 || job->font_count == FONTS_MAX) return false;
    job->fonts[job->font_count++] = value;
    return true;
}

static bool read_job(int argc, char **argv, struct job *job)
{
    job->at = CAD_TIME_NONE;
    cad_text_draw_options_init(&job->options);
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--forced") == 0) job->options.forced_only = true;
        else if (strcmp(argv[i], "--words") == 0) job->words = true;
        else if (strncmp(argv[i], "--", 2) == 0) {
            if (i + 1 == argc || !take_option(job, argv[i], argv[i + 1])) return false;
            i++;
        } else if (job->file) return false;
        else job->file = argv[i];
    }
    return job->file && job->out && job->at != CAD_TIME_NONE && job->options.width > 0;
}

static int render(int argc, char **argv)
{
    struct job job = {.file = NULL};
    struct cad_text *text = NULL;
    if (!read_job(argc, argv, &job)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    int status = load_file(job.file, &text);
    if (status == EXIT_SUCCESS) status = render_text(&job, text);
    cad_text_destroy(&text);
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
    if (argc > 2 && strcmp(argv[1], "render") == 0) return render(argc, argv);
    if (argc != 4 || strcmp(argv[1], "dump") != 0 || strcmp(argv[2], "--json") != 0) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return dump(argv[3]);
}
