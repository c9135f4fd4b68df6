#include "tapes/tape_file.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define ENTROPY_BYTES 32

static int write_bytes(void *ctx, const uint8_t *p, size_t n)
{
    return fwrite(p, 1, n, ctx) == n ? 0 : -1;
}

static int draw(uint8_t *out, size_t n)
{
    for (size_t have = 0; have < n;) {
        ssize_t got = getrandom(out + have, n - have, 0);
        if (got < 0 && errno != EINTR) return CAD_E_IO;
        if (got > 0) have += (size_t)got;
    }
    return 0;
}

int tape_file_open(struct tape_file *file, const char *path,
                   const struct tape_file_options *options)
{
    uint8_t entropy[ENTROPY_BYTES];
    struct cad_tape_config config;
    memset(file, 0, sizeof(*file));
    cad_tape_config_init(&config);
    config.write = write_bytes;
    config.log = options->log;
    config.full = options->full;
    config.entropy = options->entropy;
    if (!config.full && config.entropy.n == 0) {
        if (draw(entropy, sizeof(entropy))) return CAD_E_IO;
        config.entropy = (cad_buf){entropy, sizeof(entropy)};
    }
    file->file = fopen(path, "wb");
    if (!file->file) return CAD_E_IO;
    config.ctx = file->file;
    int rc = cad_tape_recorder_create(&config, &file->tape);
    explicit_bzero(entropy, sizeof(entropy));
    if (rc == 0) return 0;
    (void)fclose(file->file);
    file->file = NULL;
    return rc;
}

int tape_file_close(struct tape_file *file)
{
    if (!file->tape) return 0;
    int rc = cad_tape_recorder_end(file->tape);
    cad_tape_recorder_destroy(&file->tape);
    if (fclose(file->file) != 0 && rc == 0) rc = CAD_E_IO;
    file->file = NULL;
    return rc;
}
