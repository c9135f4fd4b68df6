/*
 * mp4_dump [--pad N] FILE: what the mp4 room reads in a file, as one JSON object.
 *
 * The form is that of the corpus of the conformance test as far as this room goes: top-level boxes,
 * segment indexes, tracks and the samples of fragments. --pad lets N bytes follow the file, for
 * segments whose media was cut off. Exit status 1 and a line on stderr: the file is refused.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "mp4/box.h"
#include "mp4/moov.h"

enum { TRACKS_MAX = 16, FILE_BYTES_MAX = 64 << 20 };

struct file {
    cad_buf bytes;  /* with the padding */
    uint64_t size;  /* without */
    cad_buf moov;   /* payload; empty without */
    struct cad_mp4_init inits[TRACKS_MAX];
    struct cad_mp4_reader readers[TRACKS_MAX];
    uint32_t track_count;
};

static _Noreturn void refuse(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

static void print_fourcc(uint32_t type)
{
    (void)putchar('"');
    for (int i = 0; i < 4; i++) {
        int c = (int)(type >> (24 - 8 * i) & 0xff);
        if (c < ' ' || c > '~' || c == '"' || c == '\\') {
            (void)printf("\\u%04x", (unsigned)c);
        } else {
            (void)putchar(c);
        }
    }
    (void)putchar('"');
}

/* The top-level box at an offset; false at the end of the file. */
static bool box_at(const struct file *file, uint64_t at, struct cad_mp4_box *box)
{
    if (at >= file->size) return false;
    cad_buf rest = {file->bytes.p + at, (size_t)(file->size - at)};
    int rc = cad_mp4_box_read(rest, box);
    if (rc != 0) refuse("box at %" PRIu64 ": %d", at, rc);
    if (box->size == CAD_MP4_NONE) box->size = rest.n;
    if (box->size > rest.n) refuse("box at %" PRIu64 ": larger than the file", at);
    return true;
}

static void dump_boxes(const struct file *file)
{
    struct cad_mp4_box box;
    (void)printf("{\"size\":%" PRIu64 ",\"boxes\":[", file->size);
    for (uint64_t at = 0; box_at(file, at, &box); at += box.size) {
        (void)printf("%s[", at > 0 ? "," : "");
        print_fourcc(box.type);
        (void)printf(",%" PRIu64 ",%" PRIu64 "]", at, box.size);
    }
    (void)printf("]");
}

static void dump_sidx(const struct file *file, uint64_t at)
{
    struct cad_mp4_sidx sidx;
    int rc = cad_mp4_sidx_read((cad_buf){file->bytes.p + at, (size_t)(file->size - at)}, &sidx);
    struct cad_mp4_box box;
    if (rc != 0 || !box_at(file, at, &box)) refuse("sidx at %" PRIu64 ": %d", at, rc);
    (void)printf("{\"offset\":%" PRIu64 ",\"size\":%" PRIu64 ",\"version\":%u,\"reference_id\":%u,"
                 "\"timescale\":%u,\"earliest_presentation_time\":%" PRIu64
                 ",\"first_offset\":%" PRIu64 ",\"references\":[",
                 at, box.size, (unsigned)file->bytes.p[at + box.header], sidx.reference_id,
                 sidx.timescale, sidx.earliest_time, sidx.first_offset);
    uint64_t first = at + box.size + sidx.first_offset;
    uint64_t start = sidx.earliest_time;
    for (uint32_t i = 0; i < sidx.count; i++) {
        struct cad_mp4_reference ref;
        cad_mp4_sidx_reference(&sidx, i, &ref);
        (void)printf("%s{\"type\":\"%s\",\"first\":%" PRIu64 ",\"size\":%u,\"start\":%" PRIu64
                     ",\"duration\":%u,\"sap\":%s,\"sap_type\":%u,\"sap_delta\":%u}",
                     i > 0 ? "," : "", ref.is_index ? "index" : "media", first, ref.size_bytes,
                     start, ref.duration_ticks, ref.starts_with_sap ? "true" : "false",
                     (unsigned)ref.sap_type, ref.sap_delta_ticks);
        first += ref.size_bytes;
        start += ref.duration_ticks;
    }
    (void)printf("]}");
}

static void dump_indexes(const struct file *file)
{
    struct cad_mp4_box box;
    const char *before = ",\"sidx\":[";
    const char *after = "";
    for (uint64_t at = 0; box_at(file, at, &box); at += box.size) {
        if (box.type != CAD_FOURCC('s', 'i', 'd', 'x')) continue;
        (void)printf("%s", before);
        dump_sidx(file, at);
        before = ",";
        after = "]";
    }
    (void)printf("%s", after);
}

static const char *type_name(enum cad_media_type type)
{
    switch (type) {
    case CAD_MEDIA_VIDEO: return "video";
    case CAD_MEDIA_AUDIO: return "audio";
    case CAD_MEDIA_TEXT: return "text";
    default: return "other";
    }
}

static void dump_track(const struct cad_mp4_init *init, int rc)
{
    (void)printf("{\"id\":%u,\"type\":\"%s\",\"timescale\":%u,\"duration\":%" PRId64
                 ",\"edit_start\":%" PRId64 ",\"understood\":%s,\"encrypted\":%s,\"codecs\":\"%s\","
                 "\"width\":%u,\"height\":%u,\"channels\":%u,\"rate\":%u,\"config\":%zu,"
                 "\"sample_entry\":",
                 init->track_id, type_name(init->type), init->timescale, init->duration_ticks,
                 init->edit_start_ticks, rc == 0 ? "true" : "false",
                 init->encrypted ? "true" : "false", init->codecs, init->width, init->height,
                 init->channels, init->sample_rate_hz, init->config.n);
    print_fourcc(init->sample_entry);
    (void)printf("}");
}

/* Every track of the moov; the first function that must accept it is the one of the interface. */
static void dump_tracks(struct file *file)
{
    struct cad_mp4_init init;
    size_t end = 0;
    uint64_t at = 0;
    cad_buf whole = {file->bytes.p, (size_t)file->size};
    if (cad_mp4_find_box(whole, CAD_FOURCC('m', 'o', 'o', 'v'), &at) != 0) return;
    int rc = cad_mp4_init_read(whole, &init, &end);
    if (rc != 0 && rc != CAD_E_UNSUPPORTED) refuse("moov at %" PRIu64 ": %d", at, rc);
    struct cad_mp4_box box;
    if (!box_at(file, at, &box) || end != at + box.size) refuse("moov: wrong end %zu", end);
    cad_buf moov = {whole.p + at + box.header, (size_t)box.size - box.header};
    (void)printf(",\"tracks\":[");
    for (uint32_t n = 0; n < TRACKS_MAX; n++) {
        rc = cad_mp4_moov_track(moov, n, &init);
        if (rc == CAD_E_NOTFOUND) break;
        if (rc != 0 && rc != CAD_E_UNSUPPORTED) refuse("track %u: %d", n, rc);
        (void)printf("%s", n > 0 ? "," : "");
        dump_track(&init, rc);
        init.edit_start_ticks = 0; /* the corpus has times of the media */
        file->inits[file->track_count++] = init;
    }
    (void)printf("]");
}

/* The reader of a track; a track without a moov gets one with no defaults. */
static struct cad_mp4_reader *reader_of(struct file *file, uint32_t track_id)
{
    uint32_t i = 0;
    while (i < file->track_count && file->inits[i].track_id != track_id) i++;
    if (i == TRACKS_MAX) refuse("more than %d tracks", TRACKS_MAX);
    if (i == file->track_count) {
        file->inits[i] = (struct cad_mp4_init){.track_id = track_id};
        file->track_count++;
    }
    if (file->readers[i].init == NULL) cad_mp4_reader_init(&file->readers[i], &file->inits[i]);
    return &file->readers[i];
}

/* The samples of the traf whose payload is at an offset. */
static void dump_samples(const struct file *file, struct cad_mp4_reader *reader, uint64_t traf)
{
    const char *before = "";
    for (;;) {
        struct cad_mp4_reader place = *reader;
        struct cad_mp4_sample sample;
        int rc = cad_mp4_reader_next(reader, file->bytes, file->bytes.n, &sample);
        if (rc == CAD_E_END) return;
        if (rc != 0) refuse("traf at %" PRIu64 ": %d", traf, rc);
        if (reader->traf != traf) {
            *reader = place;
            return;
        }
        (void)printf("%s{\"dts\":%" PRId64 ",\"duration\":%u,\"cts\":%" PRId64
                     ",\"size\":%u,\"offset\":%" PRIu64 ",\"sync\":%s}",
                     before, sample.dts_ticks, sample.duration_ticks,
                     sample.pts_ticks - sample.dts_ticks, sample.size, sample.offset,
                     sample.sync ? "true" : "false");
        before = ",";
    }
}

static void dump_moof(struct file *file, uint64_t at, const struct cad_mp4_box *box)
{
    cad_buf body = {file->bytes.p + at + box->header, (size_t)box->size - box->header};
    struct cad_mp4_child child;
    const char *before = "";
    size_t next = 0;
    int rc;
    (void)printf("{\"offset\":%" PRIu64 ",\"tracks\":[", at);
    while ((rc = cad_mp4_child_next(body, &next, &child)) == 0) {
        cad_buf tfhd;
        if (child.type != CAD_FOURCC('t', 'r', 'a', 'f')) continue;
        if (cad_mp4_child_find(child.body, CAD_FOURCC('t', 'f', 'h', 'd'), &tfhd) != 0 ||
            tfhd.n < 8) {
            refuse("moof at %" PRIu64 ": no tfhd", at);
        }
        uint32_t track_id = cad_be32(tfhd.p + 4);
        (void)printf("%s{\"id\":%u,\"samples\":[", before, track_id);
        dump_samples(file, reader_of(file, track_id), (uint64_t)(child.body.p - file->bytes.p));
        (void)printf("]}");
        before = ",";
    }
    if (rc != CAD_E_END) refuse("moof at %" PRIu64 ": %d", at, rc);
    (void)printf("]}");
}

static void dump_fragments(struct file *file)
{
    struct cad_mp4_box box;
    const char *before = ",\"fragments\":[";
    const char *after = "";
    for (uint64_t at = 0; box_at(file, at, &box); at += box.size) {
        if (box.type != CAD_FOURCC('m', 'o', 'o', 'f')) continue;
        (void)printf("%s", before);
        dump_moof(file, at, &box);
        before = ",";
        after = "]";
    }
    for (uint32_t i = 0; i < file->track_count; i++) {
        struct cad_mp4_sample sample;
        if (file->readers[i].init == NULL) continue;
        int rc = cad_mp4_reader_next(&file->readers[i], file->bytes, file->bytes.n, &sample);
        if (rc != CAD_E_END) refuse("track %u: %d where its end was due", i, rc);
    }
    (void)printf("%s}\n", after);
}

static void load(const char *path, size_t pad, struct file *file)
{
    FILE *stream = fopen(path, "rb");
    if (stream == NULL || fseek(stream, 0, SEEK_END) != 0) refuse("%s: cannot be read", path);
    long size = ftell(stream);
    if (size < 0 || size > FILE_BYTES_MAX || pad > FILE_BYTES_MAX) refuse("%s: too large", path);
    rewind(stream);
    file->size = (uint64_t)size;
    file->bytes.n = (size_t)size + pad;
    uint8_t *bytes = calloc(file->bytes.n > 0 ? file->bytes.n : 1, 1);
    if (bytes == NULL || fread(bytes, 1, (size_t)size, stream) != (size_t)size) {
        refuse("%s: cannot be read", path);
    }
    file->bytes.p = bytes;
    (void)fclose(stream);
}

int main(int argc, char **argv)
{
    static struct file file;
    size_t pad = 0;
    if (argc == 4 && strcmp(argv[1], "--pad") == 0) {
        pad = (size_t)strtoull(argv[2], NULL, 10);
    } else if (argc != 2) {
        refuse("usage: mp4_dump [--pad N] FILE");
    }
    load(argv[argc - 1], pad, &file);
    dump_boxes(&file);
    dump_indexes(&file);
    dump_tracks(&file);
    dump_fragments(&file);
    free((void *)(uintptr_t)file.bytes.p);
    return EXIT_SUCCESS;
}
