#include "drive/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "drive/clock.h"

enum file_state {
    FILE_FREE,
    FILE_NEW,    /* to be opened */
    FILE_READING
};

struct file_transfer {
    enum file_state state;
    int fd;
    struct cad_transport_delivery delivery;
    struct cad_range range;  /* asked for; first -1 none */
    bool post;
    int64_t next, end;       /* bytes of the file still to be read: [next, end) */
    cad_time first_byte, last_byte;
    char path[CAD_FILE_PATH_MAX]; /* empty: the URL names no file */
};

struct files {
    struct cad_transport base;
    struct cad_alloc alloc;
    struct cad_log log;
    uint32_t active;         /* transfers that are not FREE */
    uint32_t turn;           /* whose slice is next */
    struct file_transfer *transfers[CAD_TRANSPORT_TRANSFERS_MAX]; /* made when first needed */
    uint32_t made;
};

/* ---- names ----------------------------------------------------------------------------------- */

bool cad_file_is_url(cad_str url)
{
    return (url.n > 0 && url.p[0] == '/') || cad_str_ieq(cad_str_sub(url, 0, 5), CAD_STR("file:"));
}

int cad_file_path(cad_str url, struct cad_sb *out)
{
    if (!cad_file_is_url(url)) return CAD_E_DATA;
    size_t before = cad_sb_str(out).n;
    if (url.p[0] == '/') {
        cad_sb_put(out, url);
    } else {
        struct cad_uri uri;
        int err = cad_uri_parse(url, &uri);
        if (err) return err;
        bool local = uri.host.n == 0 || cad_str_ieq(uri.host, CAD_STR("localhost"));
        if (!local || uri.path.n == 0 || uri.path.p[0] != '/') return CAD_E_DATA;
        err = cad_uri_percent_decode(uri.path, out);
        if (err) return err;
    }
    cad_str path = cad_sb_str(out);
    if (!cad_sb_error(out) && memchr(path.p + before, '\0', path.n - before)) {
        cad_sb_truncate(out, before);
        return CAD_E_DATA;
    }
    return cad_sb_error(out);
}

int cad_file_url(cad_str path, struct cad_sb *out)
{
    cad_sb_putz(out, "file://");
    cad_str part;
    bool first = true;
    while (cad_str_split(&path, '/', &part)) {
        if (!first) cad_sb_putc(out, '/');
        cad_uri_percent_encode(part, out);
        first = false;
    }
    return cad_sb_error(out);
}

/* ---- transfers ------------------------------------------------------------------------------- */

static void clear(struct files *files, struct file_transfer *t)
{
    if (t->state == FILE_FREE) return;
    if (t->fd >= 0) close(t->fd);
    t->fd = -1;
    t->state = FILE_FREE;
    files->active--;
}

/* Frees the place first, so that the door finds the transport at rest. */
static void finish(struct files *files, struct file_transfer *t, enum cad_http_class cls, int error)
{
    struct cad_http_end end = {
        .id = t->delivery.id,
        .cls = cls,
        .edge_code = error,
        .dns = CAD_TIME_NONE,
        .connect = CAD_TIME_NONE,
        .tls = CAD_TIME_NONE,
        .first_byte = t->first_byte,
        .last_byte = t->last_byte,
    };
    cad_transport_tell_reads(&t->delivery, &end);
    CAD_LOG(&files->log, DEBUG, cad_clock_now(), "file: end id=%u class=%s errno=%d bytes=%lld",
            end.id, cad_http_class_name(cls), error, (long long)t->delivery.received);
    clear(files, t);
    files->base.door.end(files->base.door.ctx, &end);
}

static int free_place(struct files *files, struct file_transfer **out)
{
    for (uint32_t i = 0; i < files->made; i++) {
        if (files->transfers[i]->state != FILE_FREE) continue;
        *out = files->transfers[i];
        return 0;
    }
    if (files->made == CAD_TRANSPORT_TRANSFERS_MAX) return CAD_E_LIMIT;
    struct file_transfer *t = cad_alloc_new(&files->alloc, sizeof *t, CAD_MEM_SESSION);
    if (!t) return CAD_E_NOMEM;
    files->transfers[files->made++] = *out = t;
    return 0;
}

static int file_start(struct cad_transport *transport, const struct cad_http_start *start)
{
    struct files *files = (struct files *)transport;
    struct file_transfer *t;
    int err = free_place(files, &t);
    if (err) return err;
    struct cad_sb path;
    cad_sb_init_fixed(&path, t->path, sizeof t->path);
    if (cad_file_path(start->url, &path)) t->path[0] = '\0';
    t->state = FILE_NEW;
    t->fd = -1;
    t->delivery = (struct cad_transport_delivery){.id = start->id, .size_max = start->size_max};
    t->range = start->range;
    t->post = start->post;
    t->first_byte = t->last_byte = CAD_TIME_NONE;
    files->active++;
    CAD_LOG(&files->log, DEBUG, cad_clock_now(), "file: start id=%u purpose=%s range=%lld-%lld",
            start->id, cad_purpose_name(start->purpose), (long long)start->range.first,
            (long long)start->range.last);
    return 0;
}

static void file_cancel(struct cad_transport *transport, uint32_t id)
{
    struct files *files = (struct files *)transport;
    for (uint32_t i = 0; i < files->made; i++) {
        struct file_transfer *t = files->transfers[i];
        if (t->state != FILE_FREE && t->delivery.id == id) clear(files, t);
    }
}

/* ---- answering ------------------------------------------------------------------------------- */

/* The size of the file that was opened; 0, or errno. O_NONBLOCK: a FIFO must not block the open. */
static int open_file(struct file_transfer *t, int64_t *size)
{
    if (t->post || t->path[0] == '\0') return EINVAL;
    t->fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (t->fd < 0) return errno;
    struct stat st;
    if (fstat(t->fd, &st)) return errno;
    if (S_ISDIR(st.st_mode)) return EISDIR;
    if (!S_ISREG(st.st_mode)) return EINVAL;
    *size = (int64_t)st.st_size;
    return 0;
}

/* RFC 9110 14.2: a range that begins in the file is cut at its end, any other is answered 416. */
static void answer(struct file_transfer *t, int64_t size, struct cad_http_head *head)
{
    *head = (struct cad_http_head){
        .id = t->delivery.id,
        .status = 200,
        .length = size,
        .range = {-1, -1},
        .total = -1,
        .retry_after = CAD_TIME_NONE,
    };
    t->next = 0;
    t->end = size;
    if (t->range.first < 0) return;
    head->total = size;
    int64_t last = t->range.last < 0 || t->range.last >= size ? size - 1 : t->range.last;
    if (last < t->range.first) {
        head->status = 416;
        head->length = 0;
        t->end = 0;
        return;
    }
    head->status = 206;
    head->range = (struct cad_range){t->range.first, last};
    head->length = last - t->range.first + 1;
    t->next = t->range.first;
    t->end = last + 1;
}

static void begin(struct files *files, struct file_transfer *t)
{
    int64_t size = 0;
    int error = open_file(t, &size);
    if (error) {
        bool absent = error == ENOENT || error == ENOTDIR;
        finish(files, t, absent ? CAD_HTTP_NO_FILE : CAD_HTTP_BAD_FILE, error);
        return;
    }
    struct cad_http_head head;
    answer(t, size, &head);
    t->state = FILE_READING;
    t->first_byte = t->last_byte = cad_clock_now();
    files->base.door.head(files->base.door.ctx, &head);
    if (t->next >= t->end) {
        finish(files, t, CAD_HTTP_OK, 0);
    } else if (t->delivery.size_max > 0 && head.length > t->delivery.size_max) {
        finish(files, t, CAD_HTTP_TOO_LARGE, EFBIG);
    }
}

static void refuse(struct files *files, struct file_transfer *t, int err)
{
    if (err == CAD_E_STALE) clear(files, t);
    else if (err == CAD_E_LIMIT) finish(files, t, CAD_HTTP_TOO_LARGE, EFBIG);
    else finish(files, t, CAD_HTTP_RESET, err == CAD_E_NOMEM ? ENOMEM : EIO);
}

/* One lease, read in place. Bytes read; 0: the transfer is over. */
static size_t read_lease(struct files *files, struct file_transfer *t, size_t most)
{
    const struct cad_transport_door *door = &files->base.door;
    uint8_t *data = NULL;
    size_t capacity = 0;
    size_t want = (uint64_t)(t->end - t->next) < most ? (size_t)(t->end - t->next) : most;
    int err = door->lease(door->ctx, t->delivery.id, want, &data, &capacity);
    if (!err && capacity == 0) err = CAD_E_LIMIT;
    if (err) {
        refuse(files, t, err);
        return 0;
    }
    ssize_t n;
    do {
        n = pread(t->fd, data, CAD_MIN(want, capacity), (off_t)t->next);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        /* Nothing where something was: the file was cut while it was read. */
        finish(files, t, CAD_HTTP_BAD_FILE, n < 0 ? errno : EIO);
        return 0;
    }
    t->last_byte = cad_clock_now();
    t->next += n;
    err = door->commit(door->ctx, t->delivery.id, (size_t)n, t->last_byte);
    if (err) {
        refuse(files, t, err);
        return 0;
    }
    t->delivery.received += n;
    cad_transport_note_read(&t->delivery, t->last_byte);
    return (size_t)n;
}

static void read_slice(struct files *files, struct file_transfer *t)
{
    size_t left = CAD_FILE_SLICE_BYTES;
    while (left > 0) {
        size_t n = read_lease(files, t, left);
        if (n == 0) return;
        left -= n;
        if (t->next >= t->end) {
            finish(files, t, CAD_HTTP_OK, 0);
            return;
        }
    }
}

static cad_time file_pump(struct cad_transport *transport)
{
    struct files *files = (struct files *)transport;
    if (files->active == 0) return CAD_TIME_NONE;
    for (uint32_t i = 0; i < files->made; i++) {
        struct file_transfer *t = files->transfers[i];
        if (t->state == FILE_NEW) begin(files, t);
    }
    for (uint32_t i = 0; i < files->made; i++) {
        struct file_transfer *t = files->transfers[files->turn++ % files->made];
        if (t->state != FILE_READING) continue;
        read_slice(files, t);
        break;
    }
    return files->active ? cad_clock_now() : CAD_TIME_NONE;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void file_destroy(struct cad_transport *transport)
{
    struct files *files = (struct files *)transport;
    struct cad_alloc alloc = files->alloc;
    for (uint32_t i = 0; i < files->made; i++) {
        clear(files, files->transfers[i]);
        cad_alloc_free(&alloc, files->transfers[i], sizeof *files->transfers[i], CAD_MEM_SESSION);
    }
    cad_alloc_free(&alloc, files, sizeof *files, CAD_MEM_SESSION);
}

static const struct cad_transport_ops file_ops = {
    .size = sizeof(struct cad_transport_ops),
    .name = "file",
    .destroy = file_destroy,
    .start = file_start,
    .cancel = file_cancel,
    .pump = file_pump,
};

int cad_file_create(const struct cad_file_config *config, struct cad_transport **out)
{
    struct files *files = cad_alloc_new(&config->alloc, sizeof *files, CAD_MEM_SESSION);
    if (!files) return CAD_E_NOMEM;
    files->base.ops = &file_ops;
    files->base.fd = -1;
    files->alloc = config->alloc;
    files->log = config->log;
    *out = &files->base;
    return 0;
}
