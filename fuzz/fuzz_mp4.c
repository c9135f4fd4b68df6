/*
 * The mp4 room over any bytes: headers, moov, sidx and the samples of fragments.
 *
 * Besides crashes and sanitizer reports, it looks for answers that contradict each other: a reader
 * that sees the bytes arrive in pieces, each piece in a block of exactly its size, must give the
 * samples that a reader of the whole gives, none of them outside of what is there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mp4/moov.h"
#include "mp4/mp4.h"

enum {
    SAMPLES_MAX = 2048, /* of one input; runs without rows would have a million */
    PIECES_MAX = 12,
    TRACKS_MAX = 4,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond) ((cond) ? (void)0 : __builtin_trap())

static struct cad_mp4_sample samples[SAMPLES_MAX];

static void read_indexes(cad_buf b)
{
    uint64_t at = 0;
    while (cad_mp4_find_box(b, CAD_FOURCC('s', 'i', 'd', 'x'), &at) == 0) {
        struct cad_mp4_sidx sidx;
        struct cad_mp4_box box;
        cad_buf rest = {b.p + at, b.n - (size_t)at};
        CHECK(cad_mp4_box_read(rest, &box) == 0);
        if (cad_mp4_sidx_read(rest, &sidx) == 0) {
            uint64_t bytes = 0;
            for (uint32_t i = 0; i < sidx.count; i++) {
                struct cad_mp4_reference ref;
                cad_mp4_sidx_reference(&sidx, i, &ref);
                bytes += ref.size_bytes;
            }
            CHECK(bytes <= (uint64_t)sidx.count * 0x7fffffff);
        }
        if (box.size > b.n - at) return;
        at += box.size;
    }
}

/* The init of the input's own moov, or one that takes every track. */
static struct cad_mp4_init read_init(cad_buf b)
{
    struct cad_mp4_init init = {.track_id = 0};
    struct cad_mp4_init found;
    size_t end = 0;
    int rc = cad_mp4_init_read(b, &found, &end);
    if (rc == 0 || rc == CAD_E_UNSUPPORTED) {
        CHECK(end <= b.n);
        CHECK(memchr(found.codecs, 0, sizeof found.codecs) != NULL);
        CHECK(found.config.n <= b.n);
        init = found;
    }
    CHECK(rc != 0 || (found.timescale > 0 && found.track_id > 0));
    CHECK(rc != 0 || found.codec != CAD_CODEC_UNKNOWN);
    return init;
}

static size_t read_whole(const struct cad_mp4_init *init, cad_buf b, uint64_t total, int *rc)
{
    struct cad_mp4_reader reader;
    size_t count = 0;
    cad_mp4_reader_init(&reader, init);
    *rc = 0;
    while (count < SAMPLES_MAX) {
        *rc = cad_mp4_reader_next(&reader, b, total, &samples[count]);
        if (*rc != 0) break;
        CHECK(samples[count].offset <= b.n);
        CHECK(samples[count].size <= b.n - samples[count].offset);
        count++;
    }
    struct cad_mp4_sample other;
    CHECK(*rc == 0 || cad_mp4_reader_next(&reader, b, total, &other) == *rc);
    return count;
}

static bool is_same(const struct cad_mp4_sample *a, const struct cad_mp4_sample *b)
{
    return a->dts_ticks == b->dts_ticks && a->pts_ticks == b->pts_ticks &&
           a->duration_ticks == b->duration_ticks && a->size == b->size &&
           a->offset == b->offset && a->sync == b->sync;
}

/* Pieces of growing size; the first byte of the input says how it is cut. */
static void read_pieces(const struct cad_mp4_init *init, cad_buf b, uint64_t total, size_t count,
                        int end)
{
    struct cad_mp4_reader reader;
    size_t at = 0;
    int rc = 0;
    cad_mp4_reader_init(&reader, init);
    for (size_t piece = 1; piece <= PIECES_MAX && at < SAMPLES_MAX; piece++) {
        size_t cut = b.n / PIECES_MAX * piece + b.p[0] % PIECES_MAX;
        size_t n = piece == PIECES_MAX || cut > b.n ? b.n : cut;
        uint8_t *copy = malloc(n > 0 ? n : 1);
        if (copy == NULL) return;
        memcpy(copy, b.p, n);
        struct cad_mp4_sample sample;
        while (at < SAMPLES_MAX) {
            rc = cad_mp4_reader_next(&reader, (cad_buf){copy, n}, total, &sample);
            if (rc != 0) break;
            CHECK(at < count);
            CHECK(is_same(&sample, &samples[at]));
            at++;
        }
        free(copy);
        if (rc != CAD_E_AGAIN) break;
    }
    CHECK(at == count);
    CHECK(at == SAMPLES_MAX || rc == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cad_buf b = {data, size};
    if (size == 0) return 0;
    read_indexes(b);
    for (uint32_t n = 0; n < TRACKS_MAX; n++) {
        struct cad_mp4_init track;
        (void)!cad_mp4_moov_track(b, n, &track);
    }
    struct cad_mp4_init init = read_init(b);
    const uint64_t totals[] = {size, UINT64_MAX, size / 2};
    for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
        int rc;
        cad_buf part = {data, totals[i] < size ? (size_t)totals[i] : size};
        if (part.n == 0) continue;
        size_t count = read_whole(&init, part, totals[i], &rc);
        if (count < SAMPLES_MAX) CHECK(rc != CAD_E_AGAIN || totals[i] == UINT64_MAX);
        read_pieces(&init, part, totals[i], count, rc);
    }
    return 0;
}
