/*
 * Goal: files that others and we encrypted come out as they went in, byte for byte, and damaged
 * ones are refused where they are damaged. The path is that of the player: the boxes are read by
 * lib/mp4, the keys go as a licence through the Clear Key CDM, each sample through its decrypt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/md5.h>

#include "base/base64.h"
#include "base/cenc.h"
#include "base/json.h"
#include "base/str.h"
#include "base/util.h"
#include "mp4/moov.h"
#include "mp4/mp4.h"

#define DATA CAD_SHARED_DATA "/cenc"

enum {
    SAMPLES_MAX = 4096,
    FILE_BYTES_MAX = 4 << 20,
    KEYS_MAX = 8,
    PATH_MAX_BYTES = 512,
};

struct key {
    uint8_t kid[16], key[16];
};

/* A sample with all that is needed to decrypt it alone. */
struct item {
    struct cad_mp4_sample sample;
    struct cad_mp4_sample_crypt crypt;
    uint32_t track;
    int rc; /* of cad_mp4_crypt_next */
};

struct file {
    uint8_t *bytes;
    size_t n;
    struct item *items;
    size_t count;
    int end; /* what the reader ended with */
};

static int post(void *ctx, const struct cad_cdm_event *events)
{
    int *result = ctx;
    for (; events != NULL; events = events->next) {
        if (events->type == CAD_CDM_EVENT_DONE) *result = events->result;
    }
    return 0;
}

static struct file load(const char *path)
{
    struct file file = {.bytes = malloc(FILE_BYTES_MAX)};
    assert_non_null(file.bytes);
    file.items = calloc(SAMPLES_MAX, sizeof *file.items);
    assert_non_null(file.items);
    FILE *in = fopen(path, "rb");
    if (in == NULL) print_message("cannot open %s\n", path);
    assert_non_null(in);
    file.n = fread(file.bytes, 1, FILE_BYTES_MAX, in);
    assert_int_equal(fclose(in), 0);
    return file;
}

/* Appends another file, as segments follow an init. */
static void append(struct file *file, const char *path)
{
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    file->n += fread(file->bytes + file->n, 1, FILE_BYTES_MAX - file->n, in);
    assert_int_equal(fclose(in), 0);
}

static void unload(struct file *file)
{
    free(file->bytes);
    free(file->items);
}

/* Reads the samples of one track behind those that are there. */
static void read_track(struct file *file, const struct cad_mp4_init *init)
{
    struct cad_mp4_reader reader;
    struct cad_mp4_crypt cursor;
    cad_buf b = {file->bytes, file->n};
    memset(&cursor, 0, sizeof cursor);
    cad_mp4_reader_init(&reader, init);
    for (;;) {
        struct item *item = &file->items[file->count];
        assert_true(file->count < SAMPLES_MAX);
        file->end = cad_mp4_reader_next(&reader, b, b.n, &item->sample);
        if (file->end != 0) break;
        item->track = init->track_id;
        item->rc = cad_mp4_crypt_next(&cursor, &reader, b, &item->sample, &item->crypt);
        file->count++;
    }
}

static void read_all(struct file *file)
{
    struct cad_mp4_init init;
    size_t end = 0;
    assert_int_equal(cad_mp4_init_read((cad_buf){file->bytes, file->n}, &init, &end), 0);
    assert_true(init.encrypted);
    assert_true(init.has_protection);
    read_track(file, &init);
}

static struct cad_cdm *open_cdm(const struct key *keys, size_t n, int *done)
{
    struct cad_cdm_host host = {.size = sizeof host, .alloc = cad_alloc_system(), .ctx = done,
                                .post = post};
    struct cad_cdm *cdm = NULL;
    const struct cad_cdm_ops *ops = cad_cdm_clearkey();
    char licence[2048] = "{\"keys\":[";
    for (size_t i = 0; i < n; i++) {
        char kid[32] = "";
        char key[32] = "";
        size_t got;
        size_t at = strlen(licence);
        unsigned flags = CAD_BASE64_URL | CAD_BASE64_NO_PAD;
        assert_int_equal(cad_base64_encode((cad_buf){keys[i].kid, 16}, flags, kid, 31, &got), 0);
        assert_int_equal(cad_base64_encode((cad_buf){keys[i].key, 16}, flags, key, 31, &got), 0);
        (void)snprintf(licence + at, sizeof licence - at,
                       "%s{\"kty\":\"oct\",\"k\":\"%s\",\"kid\":\"%s\"}", i ? "," : "", key, kid);
    }
    (void)snprintf(licence + strlen(licence), 4, "]}");
    assert_int_equal(ops->create(&host, CAD_STR("org.w3.clearkey"), &cdm), 0);
    struct cad_cdm_tag tag = {.session = 1, .epoch = 1, .op = 1};
    assert_int_equal(ops->open(cdm, &tag, CAD_SESSION_TEMPORARY), 0);
    *done = -1;
    assert_int_equal(ops->update(cdm, &tag, cad_buf_from_str(cad_str_from(licence))), 0);
    assert_int_equal(*done, 0);
    return cdm;
}

static void fill(const struct file *file, const struct item *item,
                 struct cad_cdm_subsample *subsamples, struct cad_cdm_sample *out)
{
    const struct cad_mp4_protection *p = &item->crypt.protection;
    *out = (struct cad_cdm_sample){.size = sizeof *out, .pts = CAD_TIME_NONE};
    out->data = (cad_buf){file->bytes + item->sample.offset, item->sample.size};
    if (!p->is_protected) return;
    assert_int_equal(cad_mp4_scheme(item->crypt.scheme, &out->scheme), 0);
    memcpy(out->kid, p->kid, 16);
    memcpy(out->iv, item->crypt.iv.p, item->crypt.iv.n);
    out->iv_size = (uint32_t)item->crypt.iv.n;
    out->crypt_blocks = p->crypt_byte_block;
    out->skip_blocks = p->skip_byte_block;
    int n = cad_cenc_unpack(item->crypt.subsamples, subsamples, CAD_CDM_SUBSAMPLES_MAX);
    assert_true(n >= 0);
    out->subsamples = subsamples;
    out->subsample_count = (uint32_t)n;
}

/* Decrypts a sample, apart or in place of a copy, and compares its MD5. */
static void check_item(struct cad_cdm *cdm, const struct file *file, const struct item *item,
                       const char *want, bool in_place)
{
    static struct cad_cdm_subsample subsamples[CAD_CDM_SUBSAMPLES_MAX];
    const struct cad_cdm_ops *ops = cad_cdm_clearkey();
    struct cad_cdm_sample sample;
    uint32_t code = 0;
    fill(file, item, subsamples, &sample);
    uint8_t *out = malloc(sample.data.n + 1);
    assert_non_null(out);
    if (in_place) {
        memcpy(out, sample.data.p, sample.data.n);
        sample.data.p = out;
    }
    assert_int_equal(ops->decrypt(cdm, &sample, out, &code), 0);
    uint8_t md5[16];
    char text[33] = "";
    assert_int_equal(mbedtls_md5_ret(out, sample.data.n, md5), 0);
    assert_int_equal(cad_hex_encode((cad_buf){md5, 16}, text, 32), 0);
    assert_string_equal(text, want);
    free(out);
}

struct expected {
    char md5[33];
    char kid[40];
    unsigned track, index, size;
};

static size_t load_expected(const char *path, struct expected *out)
{
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t n = 0;
    char line[160];
    while (n < SAMPLES_MAX && fgets(line, sizeof line, in) != NULL) {
        struct expected *e = &out[n];
        if (sscanf(line, "%u %u %u %32s %39s", &e->track, &e->index, &e->size, e->md5, e->kid) == 5)
            n++;
    }
    assert_int_equal(fclose(in), 0);
    return n;
}

/* The item that a line of the list is about. */
static const struct item *find_item(const struct file *file, const struct expected *want)
{
    unsigned index = 0;
    for (size_t i = 0; i < file->count; i++) {
        if (file->items[i].track != want->track) continue;
        if (index++ == want->index) return &file->items[i];
    }
    return NULL;
}

static void check_samples(const struct file *file, const char *list, const struct key *keys,
                          size_t key_count)
{
    struct expected *want = calloc(SAMPLES_MAX, sizeof *want);
    assert_non_null(want);
    int done = 0;
    size_t n = load_expected(list, want);
    assert_int_equal(file->end, CAD_E_END);
    assert_int_equal(file->count, n);
    assert_true(n > 0);
    struct cad_cdm *cdm = open_cdm(keys, key_count, &done);
    /* In order, then backwards and in place: each sample stands for itself. */
    for (size_t i = 0; i < 2 * n; i++) {
        const struct expected *e = &want[i < n ? i : 2 * n - 1 - i];
        const struct item *item = find_item(file, e);
        assert_non_null(item);
        assert_int_equal(item->rc, 0);
        assert_int_equal(item->sample.size, e->size);
        assert_int_equal(item->crypt.protection.is_protected, strlen(e->kid) == 32);
        check_item(cdm, file, item, e->md5, i >= n);
    }
    cad_cdm_clearkey()->destroy(cdm);
    free(want);
}

/* ---- the vectors of our own ------------------------------------------------------------------ */

static size_t read_keys(struct cad_json *j, struct key *keys)
{
    size_t count = 0;
    size_t n;
    assert_int_equal(cad_json_next(j), CAD_JSON_OBJECT_BEGIN);
    while (cad_json_next(j) == CAD_JSON_KEY) {
        assert_true(count < KEYS_MAX);
        assert_int_equal(cad_hex_decode(cad_json_raw(j), keys[count].kid, 16, &n), 0);
        assert_int_equal(cad_json_next(j), CAD_JSON_STRING);
        assert_int_equal(cad_hex_decode(cad_json_raw(j), keys[count].key, 16, &n), 0);
        count++;
    }
    return count;
}

static void check_vector(struct cad_json *j)
{
    char path[PATH_MAX_BYTES];
    char list[PATH_MAX_BYTES];
    struct key keys[KEYS_MAX];
    size_t key_count = 0;
    cad_str name = cad_json_raw(j);
    print_message("%.*s\n", CAD_STR_ARG(name));
    (void)snprintf(path, sizeof path, DATA "/own/%.*s.mp4", CAD_STR_ARG(name));
    (void)snprintf(list, sizeof list, DATA "/own/%.*s.samples", CAD_STR_ARG(name));
    assert_int_equal(cad_json_next(j), CAD_JSON_OBJECT_BEGIN);
    while (cad_json_next(j) == CAD_JSON_KEY) {
        if (cad_json_key_is(j, "keys")) {
            key_count = read_keys(j, keys);
        } else {
            assert_int_equal(cad_json_skip(j), 0);
        }
    }
    struct file file = load(path);
    read_all(&file);
    check_samples(&file, list, keys, key_count);
    unload(&file);
}

static void test_cenc_vectors_decrypt_byte_for_byte(void **state)
{
    (void)state;
    struct file index = load(DATA "/own/index.json");
    struct cad_json j;
    size_t count = 0;
    cad_json_init(&j, cad_str_from_buf((cad_buf){index.bytes, index.n}), NULL);
    assert_int_equal(cad_json_next(&j), CAD_JSON_OBJECT_BEGIN);
    while (cad_json_next(&j) == CAD_JSON_KEY) {
        if (!cad_json_key_is(&j, "vectors")) {
            assert_int_equal(cad_json_skip(&j), 0);
            continue;
        }
        assert_int_equal(cad_json_next(&j), CAD_JSON_OBJECT_BEGIN);
        for (; cad_json_next(&j) == CAD_JSON_KEY; count++) check_vector(&j);
    }
    print_message("%zu vectors\n", count);
    assert_true(count >= 20);
    unload(&index);
}

/* ---- files of other makers ------------------------------------------------------------------- */

static void check_other(struct file *file, const char *list, const char *kid, const char *key)
{
    struct key pair;
    size_t n;
    assert_int_equal(cad_hex_decode(cad_str_from(kid), pair.kid, 16, &n), 0);
    assert_int_equal(cad_hex_decode(cad_str_from(key), pair.key, 16, &n), 0);
    check_samples(file, list, &pair, 1);
    unload(file);
}

static void test_cenc_files_of_other_makers(void **state)
{
    (void)state;
    const char *kid = "cd7eb9ff88f34caeb06185b00024e4c2";
    const char *key = "63cb5f7184dd4b689a5c5ff11ee6a328";
#define OTHER DATA "/third-party/"
    struct file file = load(OTHER "av1-white/sample_av1c_fragmented_clearkey.mp4");
    read_all(&file);
    check_other(&file, OTHER "av1-white/expected.samples", kid, key);

    file = load(OTHER "tos-clearkey/video-H264-288-400k_init.mp4");
    for (char c = '1'; c <= '5'; c++) {
        char path[PATH_MAX_BYTES];
        (void)snprintf(path, sizeof path, OTHER "tos-clearkey/video-H264-288-400k_%c.m4s", c);
        append(&file, path);
    }
    read_all(&file);
    check_other(&file, OTHER "tos-clearkey/expected.samples", "4060a865887842679cbf91ae5bae1e72",
                "fc35340837310cc0fb53de97e22a69e0");

    /* Picture and sound in one file. */
    struct cad_mp4_init init;
    size_t end = 0;
    file = load(OTHER "bars-cenc/prog_8s_enc_dashinit.mp4");
    cad_buf whole = {file.bytes, file.n};
    assert_int_equal(cad_mp4_init_read(whole, &init, &end), 0);
    for (uint32_t n = 0; n < 2; n++) {
        struct cad_mp4_init track;
        assert_int_equal(cad_mp4_moov_track(init.moov, n, &track), 0);
        read_track(&file, &track);
    }
    check_other(&file, OTHER "bars-cenc/expected.samples", kid, key);

    /* A key is asked for nowhere: two sample entries, of which the segments name the clear one. */
    file = load(OTHER "sintel-two-entries/enc-v-init.mp4");
    append(&file, OTHER "sintel-two-entries/enc-v-s1.mp4");
    append(&file, OTHER "sintel-two-entries/enc-v-s2.mp4");
    read_all(&file);
    check_other(&file, OTHER "sintel-two-entries/expected-v.samples", kid, key);
    file = load(OTHER "sintel-two-entries/enc-a-init.mp4");
    append(&file, OTHER "sintel-two-entries/enc-a-s1.mp4");
    append(&file, OTHER "sintel-two-entries/enc-a-s2.mp4");
    read_all(&file);
    check_other(&file, OTHER "sintel-two-entries/expected-a.samples", kid, key);
#undef OTHER
}

/* ---- damaged files --------------------------------------------------------------------------- */

/* The samples that cad_mp4_crypt_next refuses in a file of 24 samples in one fragment. */
static size_t count_refused(const char *name, int *end)
{
    char path[PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, DATA "/bad/%s.mp4", name);
    struct file file = load(path);
    size_t refused = 0;
    read_all(&file);
    for (size_t i = 0; i < file.count; i++) refused += file.items[i].rc != 0;
    *end = file.end;
    assert_true(refused == 0 || file.count > refused || refused == file.count);
    size_t count = file.count;
    unload(&file);
    print_message("%s: %zu of %zu refused\n", name, refused, count);
    return refused == count && count > 0 ? SIZE_MAX : refused;
}

static int read_init(const char *name, struct cad_mp4_init *init, struct file *file)
{
    char path[PATH_MAX_BYTES];
    size_t end = 0;
    (void)snprintf(path, sizeof path, DATA "/bad/%s.mp4", name);
    *file = load(path);
    return cad_mp4_init_read((cad_buf){file->bytes, file->n}, init, &end);
}

static void test_cenc_damage_in_the_init(void **state)
{
    (void)state;
    static const char *const bad[] = {"tenc-iv-size-5", "tenc-no-iv-at-all", "tenc-protected-2"};
    struct cad_mp4_init init;
    struct file file;
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        assert_int_equal(read_init(bad[i], &init, &file), CAD_E_DATA);
        unload(&file);
    }
    assert_int_equal(read_init("frma-unknown", &init, &file), CAD_E_UNSUPPORTED);
    unload(&file);
    enum cad_scheme scheme;
    assert_int_equal(read_init("schm-unknown", &init, &file), 0);
    assert_int_equal(cad_mp4_scheme(init.scheme, &scheme), CAD_E_UNSUPPORTED);
    assert_false(init.has_protection);
    read_track(&file, &init);
    assert_int_equal(file.items[0].rc, CAD_E_UNSUPPORTED);
    unload(&file);
    static const char *const pssh[] = {"pssh-kid-count-huge", "pssh-data-size-huge"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(pssh); i++) {
        struct cad_cenc_pssh box;
        size_t at = 0;
        assert_int_equal(read_init(pssh[i], &init, &file), 0);
        assert_int_equal(cad_mp4_pssh_next(init.moov, &at, &box), CAD_E_DATA);
        unload(&file);
    }
}

static void test_cenc_damage_in_a_fragment(void **state)
{
    (void)state;
    int end = 0;
    /* The whole fragment. */
    assert_true(count_refused("senc-count-too-big", &end) == SIZE_MAX);
    assert_true(count_refused("senc-count-too-small", &end) == SIZE_MAX);
    /* One sample, or from one sample on. */
    static const char *const samples[] = {"subsample-sum-too-big", "subsample-sum-too-small",
                                          "subsample-sum-wraps"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(samples); i++) {
        assert_int_equal(count_refused(samples[i], &end), 1);
        assert_int_equal(end, CAD_E_END);
    }
    assert_true(count_refused("subsample-count-overrun", &end) > 0);
    /* senc is whole, so that what saiz and saio say does not matter. */
    assert_int_equal(count_refused("saiz-count-mismatch", &end), 0);
    assert_int_equal(count_refused("saio-out-of-range", &end), 0);
    /* Nothing can be had of a moof that is not whole. */
    assert_int_equal(count_refused("cut-inside-senc", &end), 0);
    assert_int_equal(end, CAD_E_DATA);
}

static void test_cenc_damage_wrong_kid(void **state)
{
    (void)state;
    struct key key = {.kid = {1}, .key = {2}};
    struct cad_cdm_subsample subsamples[64];
    struct cad_cdm_sample sample;
    uint8_t out[64 * 1024];
    uint32_t code = 1;
    int done;
    struct file file = load(DATA "/bad/wrong-kid.mp4");
    read_all(&file);
    struct cad_cdm *cdm = open_cdm(&key, 1, &done);
    fill(&file, &file.items[0], subsamples, &sample);
    assert_int_equal(cad_cdm_clearkey()->key_ready(cdm, sample.kid), CAD_KEY_UNKNOWN);
    assert_int_equal(cad_cdm_clearkey()->decrypt(cdm, &sample, out, &code), CAD_E_NO_KEY);
    assert_int_equal(code, 0);
    cad_cdm_clearkey()->destroy(cdm);
    unload(&file);
}

int main(void)
{
    FILE *in = fopen(DATA "/own/index.json", "rb");
    if (in == NULL) {
        print_message("SKIP: no corpus at " DATA "\n");
        return 77;
    }
    (void)fclose(in);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cenc_vectors_decrypt_byte_for_byte),
        cmocka_unit_test(test_cenc_files_of_other_makers),
        cmocka_unit_test(test_cenc_damage_in_the_init),
        cmocka_unit_test(test_cenc_damage_in_a_fragment),
        cmocka_unit_test(test_cenc_damage_wrong_kid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
