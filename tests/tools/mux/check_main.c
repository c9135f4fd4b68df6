/*
 * mux_check KEYS CLEAR PROTECTED: a protected file plays as the clear one that it was made of.
 *
 * It goes the way of a player: the init's pssh to the Clear Key CDM, its request to the licence
 * service of the mocks, which has the keys of the file KEYS, the licence back to the CDM, and each
 * sample through its decrypt. Samples must be the same, byte for byte and in time; the index must
 * be that of the file; and what is said to be protected must differ from what it was.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cenc.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "mock/mock_licence.h"
#include "mp4/mp4.h"

#define FILE_BYTES_MAX (256u << 20)
#define SAMPLE_BYTES_MAX (8u << 20)

struct file {
    uint8_t *p;
    size_t n, media_at;
    struct cad_mp4_init init;
    struct cad_mp4_reader reader;
};

struct bench {
    struct mock_licence service;
    struct cad_cdm *cdm;
    uint8_t message[4096];
    size_t message_bytes;
    int result;              /* of the last call */
    uint8_t *out;            /* SAMPLE_BYTES_MAX: a decrypted sample */
    struct cad_cdm_subsample runs[CAD_CDM_SUBSAMPLES_MAX];
    uint32_t count, changed; /* samples; those that protection changed */
};

static bool complain(const char *name, const char *what)
{
    (void)fprintf(stderr, "mux_check: %s: %s\n", name, what);
    return false;
}

static bool load(const char *name, struct file *file)
{
    FILE *in = fopen(name, "rb");
    if (!in) return complain(name, "cannot be read");
    file->p = malloc(FILE_BYTES_MAX);
    file->n = file->p ? fread(file->p, 1, FILE_BYTES_MAX, in) : 0;
    (void)fclose(in);
    return file->n > 0 || complain(name, "nothing in it");
}

/* Moov and sidx; the references of the latter cover the rest of the file exactly. */
static bool open_file(const char *name, struct file *file)
{
    struct cad_mp4_sidx sidx;
    struct cad_mp4_box box;
    uint64_t at = 0, total = 0;
    size_t end = 0;
    cad_buf b = {file->p, file->n};
    if (cad_mp4_init_read(b, &file->init, &end) < 0) return complain(name, "no init");
    int rc = cad_mp4_find_box(b, CAD_FOURCC('s', 'i', 'd', 'x'), &at);
    if (rc < 0) return complain(name, "no sidx");
    cad_buf rest = {b.p + at, b.n - (size_t)at};
    if (cad_mp4_sidx_read(rest, &sidx) < 0 || cad_mp4_box_read(rest, &box) < 0) {
        return complain(name, "a broken sidx");
    }
    file->media_at = (size_t)(at + box.size);
    for (uint32_t i = 0; i < sidx.count; i++) {
        struct cad_mp4_reference one;
        uint64_t start = file->media_at + total;
        cad_mp4_sidx_reference(&sidx, i, &one);
        cad_buf from = {b.p + start, start < b.n ? b.n - (size_t)start : 0};
        if (start >= b.n || cad_mp4_box_read(from, &box) < 0 ||
            box.type != CAD_FOURCC('m', 'o', 'o', 'f')) {
            return complain(name, "an index that does not point at fragments");
        }
        total += one.size_bytes;
    }
    if (file->media_at + total != b.n) return complain(name, "an index of another file");
    cad_mp4_reader_init(&file->reader, &file->init);
    file->reader.origin = file->media_at;
    return true;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static bool load_keys(const char *name, struct bench *b)
{
    struct mock_key keys[MOCK_KEYS_MAX];
    uint32_t count = 0;
    char line[256];
    FILE *in = fopen(name, "r");
    if (!in) return complain(name, "cannot be read");
    while (count < MOCK_KEYS_MAX && fgets(line, sizeof line, in)) {
        size_t n = 0, k = 0;
        cad_str text = cad_str_from(line);
        if (text.n < 65) continue;
        if (cad_hex_decode(cad_str_sub(text, 0, 32), keys[count].kid, 16, &n) < 0) continue;
        if (cad_hex_decode(cad_str_sub(text, 33, 32), keys[count].key, 16, &k) < 0) continue;
        count++;
    }
    (void)fclose(in);
    return count > 0 && mock_licence_init(&b->service, keys, count) == 0;
}

static int post(void *ctx, const struct cad_cdm_event *events)
{
    struct bench *b = ctx;
    for (; events; events = events->next) {
        if (events->type == CAD_CDM_EVENT_DONE) b->result = events->result;
        if (events->type != CAD_CDM_EVENT_MESSAGE) continue;
        if (events->data.n > sizeof b->message) return CAD_E_NOMEM;
        memcpy(b->message, events->data.p, events->data.n);
        b->message_bytes = events->data.n;
    }
    return 0;
}

/* From the file's pssh to keys that can be used. */
static bool get_licence(const struct file *file, struct bench *b)
{
    const struct cad_cdm_ops *ops = cad_cdm_clearkey();
    struct cad_cdm_host host = {.size = sizeof host, .alloc = cad_alloc_system(), .ctx = b,
                                .post = post};
    struct cad_cdm_tag tag = {.session = 1, .epoch = 1, .op = 1};
    struct cad_cenc_pssh pssh;
    struct cad_origin_answer answer = {0};
    struct cad_sb body;
    size_t at = 0;
    if (cad_mp4_pssh_next(file->init.moov, &at, &pssh) < 0) return complain("pssh", "none");
    if (ops->create(&host, CAD_STR("org.w3.clearkey"), &b->cdm) < 0) return false;
    if (ops->open(b->cdm, &tag, CAD_SESSION_TEMPORARY) < 0) return false;
    tag.op = 2;
    if (ops->request(b->cdm, &tag, CAD_INIT_CENC, pssh.box) < 0 || b->result < 0) {
        return complain("pssh", "refused by the CDM");
    }
    struct cad_origin_request request = {.method = CAD_STR("POST"), .range = {-1, -1},
                                         .body = {b->message, b->message_bytes}};
    cad_sb_init(&body, &host.alloc, CAD_MEM_OTHER, 65536);
    mock_licence_serve(&b->service, &request, &body, &answer);
    tag.op = 3;
    int rc = ops->update(b->cdm, &tag, cad_buf_from_str(cad_sb_str(&body)));
    bool good = answer.status == 200 && rc == 0 && b->result == 0;
    if (!good) (void)complain("licence", cad_sb_z(&body));
    cad_sb_deinit(&body);
    return good;
}

/* ---- samples --------------------------------------------------------------------------------- */

static bool decrypt(struct bench *b, const struct cad_mp4_sample_crypt *crypt, cad_buf data)
{
    struct cad_cdm_sample s = {.size = sizeof s, .pts = CAD_TIME_NONE, .data = data};
    uint32_t code = 0;
    if (!crypt->protection.is_protected || data.n > SAMPLE_BYTES_MAX) return false;
    if (cad_mp4_scheme(crypt->scheme, &s.scheme) < 0) return false;
    memcpy(s.kid, crypt->protection.kid, sizeof s.kid);
    memcpy(s.iv, crypt->iv.p, crypt->iv.n);
    s.iv_size = (uint32_t)crypt->iv.n;
    s.crypt_blocks = crypt->protection.crypt_byte_block;
    s.skip_blocks = crypt->protection.skip_byte_block;
    int n = cad_cenc_unpack(crypt->subsamples, b->runs, CAD_CDM_SUBSAMPLES_MAX);
    if (n < 0) return false;
    s.subsamples = b->runs;
    s.subsample_count = (uint32_t)n;
    return cad_cdm_clearkey()->decrypt(b->cdm, &s, b->out, &code) == 0;
}

static bool same_time(const struct cad_mp4_sample *a, const struct cad_mp4_sample *b)
{
    return a->dts_ticks == b->dts_ticks && a->pts_ticks == b->pts_ticks && a->size == b->size &&
           a->duration_ticks == b->duration_ticks && a->sync == b->sync;
}

static bool compare(struct bench *b, struct file *clear, struct file *locked)
{
    struct cad_mp4_crypt cursor;
    cad_buf want = {clear->p + clear->media_at, clear->n - clear->media_at};
    cad_buf have = {locked->p + locked->media_at, locked->n - locked->media_at};
    memset(&cursor, 0, sizeof cursor);
    for (;; b->count++) {
        struct cad_mp4_sample one, other;
        struct cad_mp4_sample_crypt crypt;
        int rc = cad_mp4_reader_next(&clear->reader, want, want.n, &one);
        int other_rc = cad_mp4_reader_next(&locked->reader, have, have.n, &other);
        if (rc != other_rc) return complain("samples", "fewer or more than there were");
        if (rc == CAD_E_END) return true;
        if (rc < 0) return complain("samples", "a broken fragment");
        if (!same_time(&one, &other)) return complain("samples", "another time or size");
        cad_buf data = {have.p + other.offset, other.size};
        if (cad_mp4_crypt_next(&cursor, &locked->reader, have, &other, &crypt) < 0) {
            return complain("samples", "no word of how they are protected");
        }
        if (!decrypt(b, &crypt, data)) return complain("samples", "one that is not decrypted");
        if (memcmp(b->out, want.p + one.offset, one.size) != 0) {
            return complain("samples", "one that is not what it was");
        }
        b->changed += memcmp(data.p, want.p + one.offset, one.size) != 0;
    }
}

int main(int argc, char **argv)
{
    struct file clear = {.n = 0}, locked = {.n = 0};
    struct bench *b = calloc(1, sizeof *b);
    if (argc != 4) {
        (void)fputs("usage: mux_check KEYS CLEAR PROTECTED\n", stderr);
        free(b);
        return 2;
    }
    bool good = b && (b->out = malloc(SAMPLE_BYTES_MAX)) != NULL && load_keys(argv[1], b) &&
                load(argv[2], &clear) && load(argv[3], &locked) && open_file(argv[2], &clear) &&
                open_file(argv[3], &locked) && get_licence(&locked, b) &&
                compare(b, &clear, &locked);
    if (good && b->changed == 0) good = complain(argv[3], "nothing in it is encrypted");
    if (good) (void)printf("%u samples, %u of them encrypted\n", b->count, b->changed);
    if (b && b->cdm) cad_cdm_clearkey()->destroy(b->cdm);
    if (b) free(b->out);
    free(b);
    free(clear.p);
    free(locked.p);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
