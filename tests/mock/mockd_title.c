/* Reads a title's folder: every MP4 file of it becomes an asset, described by its own boxes, and so
 * does every file of timed text. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "mock/mock_ttml.h"
#include "mock/mockd.h"
#include "mp4/mp4.h"

#define HEAD_BYTES_MAX (32u << 20) /* moov, sidx and the first fragment fit in there */
#define HEAD_BYTES_FIRST (1u << 20)
#define TEXT_BYTES_MAX (16u << 20)
#define KEYS_BYTES_MAX 8192
#define KEYS_FILE ".keys"          /* a name that is not served: is_plain_path */
#define ORIGINAL_LANGUAGE "en"     /* of titles that have several */

static bool complain(const char *name, const char *what)
{
    (void)fprintf(stderr, "cadmium-mockd: %s: %s\n", name, what);
    return false;
}

int mockd_file_read(void *ctx, int64_t offset, size_t n, uint8_t *out, size_t *done)
{
    const struct mockd_file *file = ctx;
    ssize_t got;
    do {
        got = pread(file->fd, out, n, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return CAD_E_IO;
    *done = (size_t)got;
    return 0;
}

/* ---- one file -------------------------------------------------------------------------------- */

/* What the boxes of a file say. */
struct facts {
    struct cad_mp4_init init;
    struct cad_mp4_sidx sidx;
    struct cad_range moov_at, sidx_at;
    int64_t header_bytes;
    uint32_t frame_ticks;    /* of the first sample */
};

static bool find_range(cad_buf head, uint32_t type, struct cad_range *out)
{
    struct cad_mp4_box box;
    uint64_t at = 0;
    if (cad_mp4_find_box(head, type, &at) != 0 || at >= head.n) return false;
    if (cad_mp4_box_read((cad_buf){head.p + at, head.n - (size_t)at}, &box) != 0) return false;
    if (box.size > (uint64_t)INT64_MAX - at) return false;
    out->first = (int64_t)at;
    out->last = (int64_t)(at + box.size) - 1;
    return true;
}

/* 0, CAD_E_AGAIN where more of the file may help, or CAD_E_DATA. */
static int read_head(cad_buf head, struct facts *out)
{
    size_t end = 0;
    int rc = cad_mp4_init_read(head, &out->init, &end);
    if (rc < 0) return rc;
    if (!find_range(head, CAD_FOURCC('m', 'o', 'o', 'v'), &out->moov_at)) return CAD_E_DATA;
    if (!find_range(head, CAD_FOURCC('s', 'i', 'd', 'x'), &out->sidx_at)) return CAD_E_AGAIN;
    size_t at = (size_t)out->sidx_at.first;
    rc = cad_mp4_sidx_read((cad_buf){head.p + at, head.n - at}, &out->sidx);
    if (rc < 0) return rc;
    if (out->sidx.first_offset > HEAD_BYTES_MAX) return CAD_E_DATA;
    out->header_bytes = out->sidx_at.last + 1 + (int64_t)out->sidx.first_offset;
    if (out->header_bytes >= (int64_t)head.n) return CAD_E_AGAIN;
    struct cad_mp4_reader reader;
    struct cad_mp4_sample sample;
    cad_mp4_reader_init(&reader, &out->init);
    reader.origin = (uint64_t)out->header_bytes;
    size_t start = (size_t)out->header_bytes;
    rc = cad_mp4_reader_next(&reader, (cad_buf){head.p + start, head.n - start}, UINT64_MAX,
                             &sample);
    if (rc == 0) out->frame_ticks = sample.duration_ticks;
    return rc;
}

/* Length, mean and peak rate from the index; false: it is not an index of this file. */
static bool measure(const struct facts *facts, struct mock_asset *asset, cad_time *duration)
{
    uint64_t bytes = 0, ticks = 0;
    int64_t peak_bps = 0;
    for (uint32_t i = 0; i < facts->sidx.count; i++) {
        struct cad_mp4_reference one;
        cad_mp4_sidx_reference(&facts->sidx, i, &one);
        if (one.is_index || one.duration_ticks == 0) return false;
        bytes += one.size_bytes;
        ticks += one.duration_ticks;
        /* A last piece of a few frames says nothing about the rate. */
        if (one.duration_ticks < facts->sidx.timescale && i > 0) continue;
        int64_t bps = (int64_t)((uint64_t)one.size_bytes * 8 * facts->sidx.timescale /
                                one.duration_ticks);
        peak_bps = CAD_MAX(peak_bps, bps);
    }
    if (ticks == 0 || (int64_t)bytes != asset->size_bytes - facts->header_bytes) return false;
    *duration = cad_time_from_ticks((int64_t)ticks, facts->sidx.timescale);
    asset->rate_kbps = (int64_t)(bytes * 8 * facts->sidx.timescale / ticks + 999) / 1000;
    asset->peak_kbps = (peak_bps + 999) / 1000;
    /* The rate that a rung is known by is the one in its name: video-750 is declared as 750. */
    int64_t named = 0;
    cad_str id = cad_str_from(asset->id);
    if (cad_str_starts(id, CAD_STR("video-")) &&
        cad_str_to_i64(cad_str_sub(id, 6, id.n), &named) == 0 && named > 0) {
        asset->rate_kbps = named;
        asset->peak_kbps = CAD_MAX(asset->peak_kbps, named);
    }
    return true;
}

/* heaac-2-dash is what AAC in two channels is called here, low complexity too: who decodes the one
 * decodes the other, and no free encoder makes the former. Of protected pictures the name differs;
 * that of AV1 tells the scheme. */
static const char *profile_of(const struct cad_mp4_init *init)
{
    switch (init->codec) {
    case CAD_CODEC_AVC:
        return init->encrypted ? "playready-h264mpl40-dash" : "h264mpl40-dash-clear";
    case CAD_CODEC_AV1:
        if (!init->encrypted) return "av1-main-L40-dash-clear";
        return init->scheme == CAD_FOURCC('c', 'b', 'c', 's') ? "av1-main-L40-dash-cbcs-prk"
                                                              : "av1-main-L40-dash-cenc-prk";
    case CAD_CODEC_AAC: return "heaac-2-dash";
    case CAD_CODEC_EAC3: return init->channels > 2 ? "ddplus-5.1-dash" : "ddplus-2.0-dash";
    case CAD_CODEC_OPUS: return "opus-2-dash";
    case CAD_CODEC_FLAC: return "flac-2-dash";
    default: return NULL;
    }
}

static bool describe_protection(const struct cad_mp4_init *init, struct mock_asset *asset)
{
    bool cbcs = init->scheme == CAD_FOURCC('c', 'b', 'c', 's');
    if (!init->has_protection || (!cbcs && init->scheme != CAD_FOURCC('c', 'e', 'n', 'c'))) {
        return false;
    }
    (void)snprintf(asset->scheme, sizeof asset->scheme, "%s", cbcs ? "cbcs" : "cenc");
    memcpy(asset->kid, init->protection.kid, sizeof asset->kid);
    return true;
}

static bool describe(const char *name, const struct facts *facts, struct mock_asset *asset)
{
    const char *profile = profile_of(&facts->init);
    if (facts->init.encrypted && !describe_protection(&facts->init, asset)) {
        return complain(name, "protected in a way that is not known here");
    }
    if (!profile) return complain(name, "a codec that licensed manifests have no profile for");
    (void)snprintf(asset->profile, sizeof asset->profile, "%s", profile);
    asset->type = facts->init.type;
    asset->width = facts->init.width;
    asset->height = facts->init.height;
    asset->channels = facts->init.channels;
    asset->sample_rate_hz = facts->init.sample_rate_hz;
    asset->timescale = facts->sidx.timescale;
    (void)snprintf(asset->codecs, sizeof asset->codecs, "%s", facts->init.codecs);
    asset->moov = facts->moov_at;
    asset->sidx = facts->sidx_at;
    asset->header_bytes = facts->header_bytes;
    if (asset->type == CAD_MEDIA_VIDEO && facts->frame_ticks > 0) {
        uint32_t a = facts->init.timescale, b = facts->frame_ticks;
        while (b != 0) { /* greatest common divisor */
            uint32_t rest = a % b;
            a = b;
            b = rest;
        }
        asset->frame_rate_num = facts->init.timescale / a;
        asset->frame_rate_den = facts->frame_ticks / a;
    }
    return true;
}

/* The file's name up to the point is the asset's id; what follows "audio-" or "text-", up to a "_",
 * is its language. */
static void name_asset(const char *name, struct mock_asset *asset)
{
    cad_str stem = cad_str_from(name);
    stem = cad_str_sub(stem, 0, (size_t)cad_str_rfind_char(stem, '.'));
    cad_str_copyz(asset->id, sizeof asset->id, stem);
    size_t start = strncmp(name, "audio-", 6) == 0 ? 6 : strncmp(name, "text-", 5) == 0 ? 5 : 0;
    if (start > 0) {
        ptrdiff_t mark = cad_str_find_char(stem, '_');
        size_t end = mark < 0 ? stem.n : (size_t)mark;
        cad_str_copyz(asset->lang, sizeof asset->lang, cad_str_sub(stem, start, end - start));
    }
}

static bool is_text_name(const char *name)
{
    return strncmp(name, "text-", 5) == 0;
}

/* Its rate is that of the whole file over the title, which is not known yet. */
static void describe_text(struct mock_asset *asset, int64_t size_bytes)
{
    asset->type = CAD_MEDIA_TEXT;
    asset->size_bytes = size_bytes;
    asset->rate_kbps = 1;
    asset->moov = asset->sidx = (struct cad_range){-1, -1};
    (void)snprintf(asset->profile, sizeof asset->profile, "%s", MOCK_TTML_PROFILE);
}

static bool read_file(const char *name, struct mockd_file *file, struct mock_asset *asset,
                      cad_time *duration)
{
    struct facts facts = {0};
    int rc = CAD_E_AGAIN;
    size_t limit = CAD_MIN(HEAD_BYTES_MAX, (size_t)file->size_bytes), n = 0;
    uint8_t *head = malloc(limit);
    if (!head) return complain(name, "out of memory");
    size_t goal = HEAD_BYTES_FIRST;
    while (rc == CAD_E_AGAIN && n < limit) {
        goal = CAD_MIN(goal, limit);
        while (n < goal) {
            size_t done = 0;
            int err = mockd_file_read(file, (int64_t)n, goal - n, head + n, &done);
            if (err < 0 || done == 0) break;
            n += done;
        }
        if (n < goal) break;
        rc = read_head((cad_buf){head, n}, &facts);
        goal *= 2;
    }
    asset->size_bytes = file->size_bytes;
    bool good = rc == 0;
    if (!good) {
        (void)complain(name, rc == CAD_E_AGAIN ? "no moov, sidx and fragment at the front"
                                               : cad_result_text(rc));
    } else if (!measure(&facts, asset, duration)) {
        good = complain(name, "its sidx does not describe it");
    } else {
        good = describe(name, &facts, asset);
    }
    free(head);
    return good;
}

/* ---- the folder ------------------------------------------------------------------------------ */

static bool is_media_name(const char *name)
{
    cad_str s = cad_str_from(name);
    if (s.n >= sizeof((struct mock_asset *)0)->id) return false;
    if (is_text_name(name)) return cad_str_ends(s, CAD_STR(".ttml"));
    if (!cad_str_ends(s, CAD_STR(".mp4"))) return false;
    return cad_str_starts(s, CAD_STR("video-")) || cad_str_starts(s, CAD_STR("audio-"));
}

static bool add_file(struct mockd_title *title, const char *name)
{
    struct stat st;
    uint32_t i = title->asset_count;
    cad_time duration = 0;
    if (i == MOCK_ASSETS_MAX) return complain(name, "too many files");
    struct mockd_file *file = &title->files[i];
    file->fd = openat(title->folder_fd, name, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0) return complain(name, strerror(errno));
    title->asset_count++;
    if (fstat(file->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
        return complain(name, "not a file with anything in it");
    }
    file->size_bytes = (int64_t)st.st_size;
    struct mock_asset *asset = &title->assets[i];
    name_asset(name, asset);
    asset->index = i;
    asset->read = mockd_file_read;
    asset->ctx = file;
    if (is_text_name(name)) {
        describe_text(asset, file->size_bytes);
        return true;
    }
    if (!read_file(name, file, asset, &duration)) return false;
    title->duration = CAD_MAX(title->duration, duration);
    return true;
}

static int rank_of(const struct mock_asset *asset)
{
    if (asset->type == CAD_MEDIA_VIDEO) return 0;
    int rank = strcmp(asset->lang, ORIGINAL_LANGUAGE) == 0 ? 1 : 2;
    return asset->type == CAD_MEDIA_TEXT ? rank + 2 : rank;
}

/* Pictures by rate; sound by language, the original one first, and by channels; so is text. */
static int compare_assets(const void *left, const void *right)
{
    const struct mock_asset *a = left, *b = right;
    int difference = rank_of(a) - rank_of(b);
    if (difference == 0) difference = strcmp(a->lang, b->lang);
    if (difference != 0) return difference;
    if (a->channels != b->channels) return a->channels < b->channels ? -1 : 1;
    if (a->rate_kbps != b->rate_kbps) return a->rate_kbps < b->rate_kbps ? -1 : 1;
    return strcmp(a->id, b->id);
}

/* Lines KID:KEY, 32 hexadecimal digits each; what stands behind a blank is for people. */
static bool read_key_line(cad_str line, struct mockd_title *title)
{
    struct mock_key *key = &title->keys[title->key_count];
    cad_str text, kid;
    size_t n[2] = {0, 0};
    if (line.n == 0 || line.p[0] == '#') return true;
    if (title->key_count == MOCK_KEYS_MAX || !cad_str_split(&line, ' ', &text)) return false;
    if (!cad_str_split(&text, ':', &kid) || !text.p) return false;
    if (cad_hex_decode(kid, key->kid, sizeof key->kid, &n[0]) < 0) return false;
    if (cad_hex_decode(text, key->key, sizeof key->key, &n[1]) < 0) return false;
    if (n[0] != sizeof key->kid || n[1] != sizeof key->key) return false;
    title->key_count++;
    return true;
}

/* A folder without the file has no keys. */
static bool read_keys(struct mockd_title *title)
{
    char text[KEYS_BYTES_MAX];
    struct mockd_file file = {.fd = openat(title->folder_fd, KEYS_FILE, O_RDONLY | O_CLOEXEC)};
    size_t n = 0;
    if (file.fd < 0) return errno == ENOENT || complain(KEYS_FILE, strerror(errno));
    int rc = mockd_file_read(&file, 0, sizeof text, (uint8_t *)text, &n);
    (void)close(file.fd);
    bool good = rc == 0 && n < sizeof text;
    cad_str rest = cad_str_make(text, n), line;
    while (good && cad_str_split(&rest, '\n', &line)) good = read_key_line(line, title);
    return good || complain(KEYS_FILE, "not lines of KID:KEY");
}

bool mockd_title_write_text(const struct mockd_title *title)
{
    static const char *const languages[] = {"en", "de"};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb text;
    bool good = true;
    cad_sb_init(&text, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
    for (size_t i = 0; good && i < CAD_ARRAY_LEN(languages); i++) {
        char name[sizeof title->folder + 16];
        (void)snprintf(name, sizeof name, "%s/text-%s.ttml", title->folder, languages[i]);
        cad_sb_reset(&text);
        mock_ttml_write(&text, languages[i], title->duration);
        good = cad_sb_error(&text) == 0 && mockd_write_whole(name, cad_sb_str(&text));
    }
    cad_sb_deinit(&text);
    return good;
}

bool mockd_title_open(struct mockd_title *title, const char *folder)
{
    memset(title, 0, sizeof *title);
    title->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (title->folder_fd < 0) return complain(folder, strerror(errno));
    (void)snprintf(title->folder, sizeof title->folder, "%s", folder);
    DIR *list = opendir(folder);
    if (!list) {
        (void)complain(folder, strerror(errno));
        mockd_title_close(title);
        return false;
    }
    const struct dirent *entry;
    bool good = read_keys(title);
    while (good && (entry = readdir(list))) {
        if (is_media_name(entry->d_name)) good = add_file(title, entry->d_name);
    }
    (void)closedir(list);
    if (good && title->duration == 0) {
        good = complain(folder, "no video-*.mp4 or audio-*.mp4 in it (scripts/make-title.sh)");
    }
    if (!good) {
        mockd_title_close(title);
        return false;
    }
    qsort(title->assets, title->asset_count, sizeof title->assets[0], compare_assets);
    return true;
}

void mockd_title_close(struct mockd_title *title)
{
    for (uint32_t i = 0; i < title->asset_count; i++) (void)close(title->files[i].fd);
    title->asset_count = 0;
    if (title->folder_fd >= 0) (void)close(title->folder_fd);
    title->folder_fd = -1;
}
