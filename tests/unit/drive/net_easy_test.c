/* What libcurl's codes mean to the engine, and which folder of authorities may be used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "drive/net_easy.h"

static void test_net_easy_classes(void **state)
{
    (void)state;
    static const struct {
        CURLcode code;
        enum cad_http_class before, after; /* a connection */
    } rows[] = {
        {CURLE_OK, CAD_HTTP_OK, CAD_HTTP_OK},
        {CURLE_COULDNT_RESOLVE_HOST, CAD_HTTP_DNS, CAD_HTTP_DNS},
        {CURLE_COULDNT_CONNECT, CAD_HTTP_CONNECT, CAD_HTTP_CONNECT},
        {CURLE_SSL_CONNECT_ERROR, CAD_HTTP_TLS, CAD_HTTP_TLS},
        {CURLE_PEER_FAILED_VERIFICATION, CAD_HTTP_CERTIFICATE, CAD_HTTP_CERTIFICATE},
        {CURLE_SSL_CACERT_BADFILE, CAD_HTTP_CERTIFICATE, CAD_HTTP_CERTIFICATE},
        {CURLE_OPERATION_TIMEDOUT, CAD_HTTP_TIMEOUT, CAD_HTTP_TIMEOUT},
        {CURLE_PARTIAL_FILE, CAD_HTTP_RESET, CAD_HTTP_RESET},
        {CURLE_RECV_ERROR, CAD_HTTP_RESET, CAD_HTTP_RESET},
        {CURLE_SEND_ERROR, CAD_HTTP_RESET, CAD_HTTP_RESET},
        {CURLE_GOT_NOTHING, CAD_HTTP_RESET, CAD_HTTP_RESET},
        {CURLE_HTTP2_STREAM, CAD_HTTP_RESET, CAD_HTTP_RESET},
        {CURLE_HTTP2, CAD_HTTP_PROTOCOL, CAD_HTTP_PROTOCOL},
        {CURLE_WEIRD_SERVER_REPLY, CAD_HTTP_PROTOCOL, CAD_HTTP_PROTOCOL},
        {CURLE_FILESIZE_EXCEEDED, CAD_HTTP_TOO_LARGE, CAD_HTTP_TOO_LARGE},
        /* Before a connection it is our URL that is wrong, afterwards their answer. */
        {CURLE_UNSUPPORTED_PROTOCOL, CAD_HTTP_SCHEME, CAD_HTTP_PROTOCOL},
        {CURLE_URL_MALFORMAT, CAD_HTTP_SCHEME, CAD_HTTP_PROTOCOL},
        {CURLE_FAILED_INIT, CAD_HTTP_PROTOCOL, CAD_HTTP_PROTOCOL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(cad_net_class(rows[i].code, false), rows[i].before);
        assert_int_equal(cad_net_class(rows[i].code, true), rows[i].after);
    }
}

static void touch(const char *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

/* Only a folder that was prepared for looking up by hash is trusted to hold all roots. */
static void test_net_easy_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"5443e9e3.1", "5443e9e3.r0", "5443e9e.0", "5443e9e3z.0",
                                        "root.pem",   "5443e9e3.01", "g443e9e3.0"};
    char folder[] = "/tmp/net-easy-XXXXXX";
    char path[128];
    assert_null(cad_net_system_folder(NULL));
    assert_null(cad_net_system_folder("/no/such/folder"));
    assert_non_null(mkdtemp(folder));
    assert_null(cad_net_system_folder(folder));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) touch(folder, names[i]);
    assert_null(cad_net_system_folder(folder));
    touch(folder, "5443e9e3.0");
    assert_ptr_equal(cad_net_system_folder(folder), folder);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/5443e9e3.0", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_easy_classes),
        cmocka_unit_test(test_net_easy_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
