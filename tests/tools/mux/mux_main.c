/* cadmium-mux: protects a fragmented MP4 by common encryption, for tests. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/str.h"
#include "mux.h"

#define EXIT_USAGE 2
#define OUT_BYTES_MAX (1u << 30) /* of one fragment */

static const char usage[] =
    "usage: cadmium-mux --scheme cenc|cbcs --key KID:KEY [option...] IN OUT\n"
    "\n"
    "Writes the fragmented MP4 file IN, one track with its index at the front, as OUT: the same\n"
    "samples protected by common encryption (ISO/IEC 23001-7). For tests: keys stand on the\n"
    "command line.\n"
    "\n"
    "  --scheme cenc      AES-CTR, an IV of 8 bytes for each sample\n"
    "  --scheme cbcs      AES-CBC, one constant IV; of pictures one block in ten\n"
    "  --key KID:KEY      32 hexadecimal digits each\n"
    "  --pssh-kid KID     a key id that the pssh box names, instead of the one of --key; up to 16\n"
    "                     times\n"
    "  --iv-seed N        IVs follow from it; files with one key need different ones (0)\n"
    "  --help             this text\n";

enum option_id { OPT_SCHEME, OPT_KEY, OPT_PSSH_KID, OPT_IV_SEED, OPT_HELP };
static const struct option long_options[] = {
    {"scheme", required_argument, NULL, OPT_SCHEME},
    {"key", required_argument, NULL, OPT_KEY},
    {"pssh-kid", required_argument, NULL, OPT_PSSH_KID},
    {"iv-seed", required_argument, NULL, OPT_IV_SEED},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static bool read_id(cad_str text, uint8_t out[CAD_KEY_ID_SIZE])
{
    size_t n = 0;
    return cad_hex_decode(text, out, CAD_KEY_ID_SIZE, &n) == 0 && n == CAD_KEY_ID_SIZE;
}

static bool read_key(cad_str text, struct mux_options *options)
{
    cad_str kid;
    return cad_str_split(&text, ':', &kid) && text.p && read_id(kid, options->kid) &&
           read_id(text, options->key);
}

static bool add_pssh_kid(cad_str text, struct mux_options *options)
{
    if (options->pssh_kid_count == MUX_KIDS_MAX) return false;
    return read_id(text, options->pssh_kids[options->pssh_kid_count++]);
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct mux_options *options)
{
    bool has_key = false;
    const char *wrong = NULL;
    int id;
    while (!wrong && (id = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
        cad_str text = cad_str_from(optarg);
        switch (id) {
        case OPT_SCHEME:
            options->scheme = cad_str_eqz(text, "cbcs") ? CAD_SCHEME_CBCS : CAD_SCHEME_CENC;
            if (options->scheme == CAD_SCHEME_CENC && !cad_str_eqz(text, "cenc")) {
                wrong = "--scheme takes cenc or cbcs";
            }
            break;
        case OPT_KEY:
            has_key = read_key(text, options);
            if (!has_key) wrong = "--key takes KID:KEY, 32 hexadecimal digits each";
            break;
        case OPT_PSSH_KID:
            if (!add_pssh_kid(text, options)) wrong = "--pssh-kid takes 32 hexadecimal digits";
            break;
        case OPT_IV_SEED:
            if (cad_str_to_u64(text, &options->iv_seed) < 0) wrong = "--iv-seed takes a number";
            break;
        case OPT_HELP: (void)fputs(usage, stdout); return EXIT_SUCCESS;
        default: return EXIT_USAGE;
        }
    }
    if (!wrong && options->scheme == CAD_SCHEME_CLEAR) wrong = "--scheme is missing";
    if (!wrong && !has_key) wrong = "--key is missing";
    if (!wrong && argc - optind != 2) wrong = "it takes two files: IN and OUT";
    if (!wrong) return -1;
    (void)fprintf(stderr, "cadmium-mux: %s\ncadmium-mux: try --help\n", wrong);
    return EXIT_USAGE;
}

static bool complain(const char *name, const char *what)
{
    (void)fprintf(stderr, "cadmium-mux: %s: %s\n", name, what);
    return false;
}

static bool map_file(const char *name, cad_buf *out)
{
    struct stat st;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return complain(name, strerror(errno));
    bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
    void *p = good ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    (void)close(fd);
    if (p == MAP_FAILED) return complain(name, "not a file with anything in it");
    *out = (cad_buf){p, (size_t)st.st_size};
    return true;
}

static bool write_all(FILE *file, struct cad_sb *sb)
{
    bool good = fwrite(sb->p, 1, sb->n, file) == sb->n;
    cad_sb_reset(sb);
    return good;
}

/* Header, fragments, and then the index that is right. */
static bool write_file(struct mux *mux, FILE *file, const char *in, const char *name)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb out;
    int64_t offset = 0;
    cad_sb_init(&out, &alloc, CAD_MEM_OTHER, OUT_BYTES_MAX);
    int rc = mux_header(mux, &out);
    bool written = true;
    while (rc == 0 && written) {
        written = write_all(file, &out);
        rc = mux_fragment(mux, &out);
    }
    if (rc == CAD_E_END) rc = mux_index(mux, &out, &offset);
    if (rc == 0 && written) {
        written = fseeko(file, (off_t)offset, SEEK_SET) == 0 && write_all(file, &out);
    }
    cad_sb_deinit(&out);
    if (!written) return complain(name, strerror(errno));
    return rc == 0 || complain(in, mux_message(mux));
}

int main(int argc, char **argv)
{
    struct mux_options options = {.scheme = CAD_SCHEME_CLEAR};
    int status = read_options(argc, argv, &options);
    if (status >= 0) return status;
    const char *in = argv[optind], *out = argv[optind + 1];
    char message[MUX_MESSAGE_MAX] = "";
    struct mux *mux = NULL;
    cad_buf bytes;
    if (!map_file(in, &bytes)) return EXIT_FAILURE;
    bool good = mux_open(&options, bytes, &mux, message) == 0 || complain(in, message);
    FILE *file = good ? fopen(out, "wbe") : NULL;
    if (good && !file) good = complain(out, strerror(errno));
    if (good) good = write_file(mux, file, in, out);
    if (file && fclose(file) != 0 && good) good = complain(out, strerror(errno));
    if (file && !good) (void)unlink(out);
    mux_close(&mux);
    (void)munmap((void *)(uintptr_t)bytes.p, bytes.n);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
