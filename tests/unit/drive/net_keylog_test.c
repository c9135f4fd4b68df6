/*
 * Logs of TLS secrets: the file is private, appended to and a plain file; lines go where the
 * connection's transport says, or nowhere.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <curl/curl.h>

#include "drive/net_keylog.h"

static char folder[] = "/tmp/keylog-test-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void assert_content(const char *expected)
{
    char text[512] = "";
    FILE *file = fopen(in_folder("keys"), "rb");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = '\0';
    assert_string_equal(text, expected);
}

static void test_net_keylog_file(void **state)
{
    (void)state;
    struct net_keylog log = {-1};
    struct stat st;
    umask(0);
    assert_int_equal(cad_net_keylog_open(&log, in_folder("keys")), 0);
    assert_int_equal(stat(in_folder("keys"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(fcntl(log.fd, F_GETFL) & O_APPEND);
    assert_true(fcntl(log.fd, F_GETFD) & FD_CLOEXEC);
    cad_net_keylog_close(&log);
    assert_int_equal(log.fd, -1);
    cad_net_keylog_close(&log);
    assert_int_equal(cad_net_keylog_open(&log, folder), CAD_E_IO);
    assert_int_equal(cad_net_keylog_open(&log, "/no/such/folder/keys"), CAD_E_IO);
    assert_int_equal(symlink("keys", in_folder("link")), 0);
    assert_int_equal(cad_net_keylog_open(&log, in_folder("link")), CAD_E_IO);
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(cad_net_keylog_open(&log, in_folder("fifo")), CAD_E_IO);
    assert_int_equal(log.fd, -1);
}

/* ---- what OpenSSL does in a handshake, by hand ----------------------------------------------- */

typedef void (*writer_fn)(const void *ssl, const char *line);

static struct {
    const void *(*method)(void);
    void *(*ctx_new)(const void *method);
    void (*ctx_free)(void *ctx);
    void *(*ssl_new)(void *ctx);
    void (*ssl_free)(void *ssl);
    writer_fn (*get_writer)(const void *ctx);
    int (*set_data)(void *ctx, int place, void *data);
} tls;

static void find(void *function, const char *name)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);
    assert_non_null(symbol);
    memcpy(function, &symbol, sizeof symbol);
}

static void test_net_keylog_lines(void **state)
{
    (void)state;
    struct net_keylog log = {-1};
    find(&tls.method, "TLS_client_method");
    find(&tls.ctx_new, "SSL_CTX_new");
    find(&tls.ctx_free, "SSL_CTX_free");
    find(&tls.ssl_new, "SSL_new");
    find(&tls.ssl_free, "SSL_free");
    find(&tls.get_writer, "SSL_CTX_get_keylog_callback");
    find(&tls.set_data, "SSL_CTX_set_ex_data");
    assert_int_equal(cad_net_keylog_open(&log, in_folder("keys")), 0);
    void *ctx = tls.ctx_new(tls.method());
    assert_non_null(ctx);
    cad_net_keylog_put(&log, ctx);
    void *ssl = tls.ssl_new(ctx);
    writer_fn writer = tls.get_writer(ctx);
    assert_true(writer != NULL);
    writer(ssl, "CLIENT_RANDOM 01 02");
    writer(ssl, "EXPORTER_SECRET 03 04");
    assert_content("CLIENT_RANDOM 01 02\nEXPORTER_SECRET 03 04\n");
    tls.ssl_free(ssl);
    tls.ctx_free(ctx);
    cad_net_keylog_close(&log);
    /* It is appended to. */
    assert_int_equal(cad_net_keylog_open(&log, in_folder("keys")), 0);
    ctx = tls.ctx_new(tls.method());
    cad_net_keylog_put(&log, ctx);
    ssl = tls.ssl_new(ctx);
    tls.get_writer(ctx)(ssl, "MORE 05 06");
    assert_content("CLIENT_RANDOM 01 02\nEXPORTER_SECRET 03 04\nMORE 05 06\n");
    /* Taken off again: nobody is told. */
    cad_net_keylog_put(NULL, ctx);
    assert_true(tls.get_writer(ctx) == NULL);
    tls.ssl_free(ssl);
    tls.ctx_free(ctx);
    /* What somebody else has put into the context's place stays there. */
    ctx = tls.ctx_new(tls.method());
    assert_int_equal(tls.set_data(ctx, 0, &tls), 1);
    cad_net_keylog_put(&log, ctx);
    assert_true(tls.get_writer(ctx) == NULL);
    tls.ctx_free(ctx);
    cad_net_keylog_close(&log);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"keys", "link", "fifo"};
    for (size_t i = 0; i < 3; i++) unlink(in_folder(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_keylog_file),
        cmocka_unit_test(test_net_keylog_lines),
    };
    /* OpenSSL is there because libcurl is. */
    if (!curl_version_info(CURLVERSION_NOW)->ssl_version ||
        strncmp(curl_version_info(CURLVERSION_NOW)->ssl_version, "OpenSSL", 7) != 0) {
        puts("libcurl does not speak through OpenSSL: skipped");
        return 77;
    }
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
