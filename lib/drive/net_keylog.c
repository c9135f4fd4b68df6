#include "drive/net_keylog.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/util.h"

#define APP_DATA 0 /* the place in an SSL_CTX that OpenSSL leaves to its user, and libcurl too */

/* What is needed of OpenSSL, by the names that it has there. */
struct openssl {
    void (*set_writer)(void *ssl_ctx, void (*writer)(const void *ssl, const char *line));
    int (*set_data)(void *ssl_ctx, int place, void *data);
    void *(*get_data)(const void *ssl_ctx, int place);
    void *(*ctx_of)(const void *ssl);
};

/* OpenSSL is libcurl's library, not ours: found where libcurl has loaded it, and linked with
 * nothing. */
static void *openssl_function(const char *name)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    if (found) return found;
    /* Loaded with libcurl by an application that keeps its libraries' names to itself. */
    static const char *const files[] = {"libssl.so.3", "libssl.so.1.1"};
    for (size_t i = 0; !found && i < CAD_ARRAY_LEN(files); i++) {
        void *library = dlopen(files[i], RTLD_NOW | RTLD_NOLOAD);
        if (!library) continue;
        found = dlsym(library, name);
        dlclose(library); /* libcurl holds it */
    }
    return found;
}

/* A function pointer out of an object pointer, as POSIX allows. */
#define LOOK_UP(pointer, name)                                                                     \
    do {                                                                                           \
        void *symbol = openssl_function(name);                                                     \
        memcpy(&(pointer), &symbol, sizeof symbol);                                                \
    } while (0)

static bool find_openssl(struct openssl *out)
{
    LOOK_UP(out->set_writer, "SSL_CTX_set_keylog_callback");
    LOOK_UP(out->set_data, "SSL_CTX_set_ex_data");
    LOOK_UP(out->get_data, "SSL_CTX_get_ex_data");
    LOOK_UP(out->ctx_of, "SSL_get_SSL_CTX");
    return out->set_writer && out->set_data && out->get_data && out->ctx_of;
}

int cad_net_keylog_open(struct net_keylog *log, const char *path)
{
    struct openssl openssl;
    struct stat st;
    log->fd = -1;
    if (!find_openssl(&openssl)) return CAD_E_UNSUPPORTED;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) return CAD_E_IO;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return CAD_E_IO;
    }
    log->fd = fd;
    return 0;
}

void cad_net_keylog_close(struct net_keylog *log)
{
    if (log->fd >= 0) close(log->fd);
    log->fd = -1;
}

/* In one call, so that lines of several writers do not mix. */
static void write_line(const void *ssl, const char *line)
{
    struct openssl openssl;
    if (!find_openssl(&openssl)) return;
    const struct net_keylog *log = openssl.get_data(openssl.ctx_of(ssl), APP_DATA);
    if (!log || log->fd < 0) return;
    char end[] = "\n";
    struct iovec parts[2];
    memcpy(&parts[0].iov_base, &line, sizeof line); /* it is only read */
    parts[0].iov_len = strlen(line);
    parts[1] = (struct iovec){end, 1};
    (void)!writev(log->fd, parts, 2);
}

void cad_net_keylog_put(struct net_keylog *log, void *ssl_ctx)
{
    struct openssl openssl;
    if (!log || !find_openssl(&openssl)) {
        LOOK_UP(openssl.set_writer, "SSL_CTX_set_keylog_callback");
        if (openssl.set_writer) openssl.set_writer(ssl_ctx, NULL);
        return;
    }
    /* Where somebody else uses the place after all, his data stays, and no keys are told. */
    bool ours = !openssl.get_data(ssl_ctx, APP_DATA) && openssl.set_data(ssl_ctx, APP_DATA, log);
    openssl.set_writer(ssl_ctx, ours ? write_line : NULL);
}
