/*
 * Values as files: <key>.v in one folder, held open by its descriptor, so that no path is ever put
 * together from a key. A value is written to "new.tmp", synced if it must be, and renamed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "drive/store.h"
#include "drive/tape.h"

#define HEAD 12               /* "CSV1", bytes of the value, CRC-32 of it */
#define NAME_SIZE (CAD_STORE_KEY_MAX + 8)
#define TEMPORARY "new.tmp"
#define LOCK "lock"
#define SUFFIX ".v"

struct file_store {
    struct store_queue queue;
    struct store_order order;
    struct store_keys keys;
    uint8_t *value;           /* of the last get: value_n bytes */
    size_t value_n;
    int folder, lock;         /* descriptors; -1 none */
    int64_t bytes, bytes_max; /* of all files with their heads */
    size_t files;
};

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void name_of(const char *key, char out[NAME_SIZE])
{
    size_t n = cad_str_copyz(out, NAME_SIZE, cad_str_from(key));
    cad_str_copyz(out + n, NAME_SIZE - n, CAD_STR(SUFFIX));
}

/* Bytes of the file of a key; -1: there is none. */
static int64_t size_of(struct file_store *f, const char *name)
{
    struct stat st;
    if (fstatat(f->folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) return -1;
    return S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
}

/* ---- put ----------------------------------------------------------------------------------- */

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t wrote = write(fd, p, n);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        p += wrote;
        n -= (size_t)wrote;
    }
    return true;
}

static bool write_temporary(struct file_store *f, const struct store_order *o)
{
    uint8_t head[HEAD];
    memcpy(head, "CSV1", 4);
    cad_put_be32(head + 4, (uint32_t)o->value_n);
    cad_put_be32(head + 8, tape_crc((cad_buf){o->value, o->value_n}));
    int fd = openat(f->folder, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    if (fd < 0) return false;
    bool ok = write_all(fd, head, sizeof(head)) && write_all(fd, o->value, o->value_n);
    if (ok && (o->flags & CAD_STORE_DURABLE)) ok = fsync(fd) == 0;
    if (close(fd) != 0) ok = false;
    return ok;
}

static int do_put(struct file_store *f)
{
    const struct store_order *o = &f->order;
    char name[NAME_SIZE];
    name_of(o->key, name);
    int64_t before = size_of(f, name);
    int64_t bytes = f->bytes - (before > 0 ? before : 0) + HEAD + (int64_t)o->value_n;
    if (bytes > f->bytes_max) return CAD_E_LIMIT;
    if (before < 0 && f->files == CAD_STORE_KEYS_MAX) return CAD_E_LIMIT;
    if (!write_temporary(f, o) || renameat(f->folder, TEMPORARY, f->folder, name) != 0) {
        unlinkat(f->folder, TEMPORARY, 0);
        return CAD_E_IO;
    }
    f->bytes = bytes;
    f->files += before < 0;
    if ((o->flags & CAD_STORE_DURABLE) && fsync(f->folder) != 0) return CAD_E_IO;
    return 0;
}

/* ---- get, delete, list --------------------------------------------------------------------- */

static bool read_all(int fd, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, p, n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        p += got;
        n -= (size_t)got;
    }
    return true;
}

static void drop_value(struct file_store *f)
{
    cad_alloc_free(&f->queue.alloc, f->value, f->value_n, CAD_MEM_OTHER);
    f->value = NULL;
    f->value_n = 0;
}

/* The value behind its head, checked. */
static int read_value(struct file_store *f, int fd)
{
    struct stat st;
    uint8_t head[HEAD];
    if (fstat(fd, &st) != 0) return CAD_E_IO;
    if (!S_ISREG(st.st_mode) || st.st_size < HEAD) return CAD_E_DATA;
    int64_t n = (int64_t)st.st_size - HEAD;
    if (n > CAD_STORE_VALUE_MAX) return CAD_E_DATA;
    if (!read_all(fd, head, sizeof(head))) return CAD_E_IO;
    if (memcmp(head, "CSV1", 4) != 0 || cad_be32(head + 4) != (uint32_t)n) return CAD_E_DATA;
    f->value = cad_alloc_new(&f->queue.alloc, n ? (size_t)n : 1, CAD_MEM_OTHER);
    if (!f->value) return CAD_E_NOMEM;
    f->value_n = n ? (size_t)n : 1;
    if (!read_all(fd, f->value, (size_t)n)) return CAD_E_IO;
    if (tape_crc((cad_buf){f->value, (size_t)n}) != cad_be32(head + 8)) return CAD_E_DATA;
    return (int)n;
}

static int do_get(struct file_store *f, struct cad_store_done *done)
{
    char name[NAME_SIZE];
    name_of(f->order.key, name);
    int fd = openat(f->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) return CAD_E_NOTFOUND;
    if (fd < 0) return errno == ELOOP ? CAD_E_DATA : CAD_E_IO;
    int n = read_value(f, fd);
    close(fd);
    if (n < 0) return n;
    done->value = (cad_buf){f->value, (size_t)n};
    return 0;
}

static int do_delete(struct file_store *f)
{
    char name[NAME_SIZE];
    name_of(f->order.key, name);
    int64_t before = size_of(f, name);
    if (unlinkat(f->folder, name, 0) != 0) return errno == ENOENT ? 0 : CAD_E_IO;
    if (before >= 0) {
        f->bytes -= before;
        f->files--;
    }
    return fsync(f->folder) == 0 ? 0 : CAD_E_IO;
}

/* Calls fn with every key in the folder. */
static int each_key(struct file_store *f, void (*fn)(struct file_store *f, cad_str key))
{
    int fd = openat(f->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        close_fd(&fd);
        return CAD_E_IO;
    }
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        cad_str name = cad_str_from(entry->d_name);
        if (!cad_str_ends(name, CAD_STR(SUFFIX))) continue;
        cad_str key = cad_str_sub(name, 0, name.n - strlen(SUFFIX));
        if (store_key_ok(key)) fn(f, key);
    }
    closedir(dir);
    return 0;
}

static void list_key(struct file_store *f, cad_str key)
{
    if (cad_str_starts(key, cad_str_from(f->order.key))) store_keys_add(&f->keys, key);
}

static int do_list(struct file_store *f, struct cad_store_done *done)
{
    f->keys.count = 0;
    int err = each_key(f, list_key);
    if (err) return err;
    done->keys = f->keys.views;
    done->count = f->keys.count;
    return 0;
}

/* ---- the table ----------------------------------------------------------------------------- */

static int file_poll(void *self, struct cad_store_done *done)
{
    struct file_store *f = self;
    drop_value(f);
    store_order_free(&f->queue, &f->order);
    if (!store_pop(&f->queue, &f->order)) return CAD_E_AGAIN;
    *done = (struct cad_store_done){.id = f->order.id, .call = f->order.call};
    switch (f->order.call) {
    case CAD_STORE_PUT: done->result = do_put(f); break;
    case CAD_STORE_GET: done->result = do_get(f, done); break;
    case CAD_STORE_DELETE: done->result = do_delete(f); break;
    case CAD_STORE_LIST: done->result = do_list(f, done); break;
    }
    return 0;
}

static int file_put(void *self, uint32_t id, cad_str key, cad_buf value, uint32_t flags)
{
    struct file_store *f = self;
    struct store_order o = {.id = id, .call = CAD_STORE_PUT, .flags = flags};
    return store_push(&f->queue, &o, key, value);
}

static int order(struct file_store *f, uint32_t id, enum cad_store_call call, cad_str key)
{
    struct store_order o = {.id = id, .call = call};
    return store_push(&f->queue, &o, key, (cad_buf){NULL, 0});
}

static int file_get(void *self, uint32_t id, cad_str key)
{
    return order(self, id, CAD_STORE_GET, key);
}

static int file_del(void *self, uint32_t id, cad_str key)
{
    return order(self, id, CAD_STORE_DELETE, key);
}

static int file_list(void *self, uint32_t id, cad_str prefix)
{
    return order(self, id, CAD_STORE_LIST, prefix);
}

static void file_destroy(void *self)
{
    struct file_store *f = self;
    if (!f) return;
    struct cad_alloc alloc = f->queue.alloc;
    drop_value(f);
    store_order_free(&f->queue, &f->order);
    store_queue_clear(&f->queue);
    store_keys_deinit(&f->keys, &alloc);
    close_fd(&f->lock);
    close_fd(&f->folder);
    cad_alloc_free(&alloc, f, sizeof(*f), CAD_MEM_OTHER);
}

static const struct cad_store_ops file_ops = {
    .size = sizeof(file_ops),
    .name = "file",
    .destroy = file_destroy,
    .put = file_put,
    .get = file_get,
    .del = file_del,
    .list = file_list,
    .poll = file_poll,
};

static void count_key(struct file_store *f, cad_str key)
{
    char name[NAME_SIZE], text[CAD_STORE_KEY_MAX + 1];
    cad_str_copyz(text, sizeof(text), key);
    name_of(text, name);
    int64_t n = size_of(f, name);
    if (n < 0) return;
    f->bytes += n;
    f->files++;
}

/* The folder, alone; what is in it is counted, and what was half written is removed. */
static int open_folder(struct file_store *f, const char *folder)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return CAD_E_IO;
    f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->folder < 0) return CAD_E_IO;
    f->lock = openat(f->folder, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (f->lock < 0 || flock(f->lock, LOCK_EX | LOCK_NB) != 0) return CAD_E_IO;
    if (unlinkat(f->folder, TEMPORARY, 0) != 0 && errno != ENOENT) return CAD_E_IO;
    return each_key(f, count_key);
}

int cad_store_file_create(const char *folder, int64_t bytes_max, const struct cad_alloc *alloc,
                          struct cad_store *out)
{
    struct file_store *f = cad_alloc_new(alloc, sizeof(*f), CAD_MEM_OTHER);
    if (!f) return CAD_E_NOMEM;
    f->queue.alloc = *alloc;
    f->bytes_max = bytes_max > 0 ? bytes_max : STORE_BYTES_DEFAULT;
    f->folder = f->lock = -1;
    int err = store_keys_init(&f->keys, alloc);
    if (!err) err = open_folder(f, folder);
    if (err) {
        file_destroy(f);
        return err;
    }
    *out = (struct cad_store){&file_ops, f};
    return 0;
}
