#include "transport_http.h"

#include <stdio.h>

#include "base/util.h"

#define URL_SIZE 64

static struct transport_server *server;

void transport_http_url(const char *path, char *out, size_t cap)
{
    snprintf(out, cap, "http://127.0.0.1:%d%s", transport_server_port(server), path);
}

static void url_of_bytes(int64_t n, char *out, size_t cap)
{
    char path[URL_SIZE];
    snprintf(path, sizeof path, "/whole/%lld", (long long)n);
    transport_http_url(path, out, cap);
}

struct transport_server *transport_http_open(struct transport_kind *kind)
{
    static const char *const paths[] = {"/missing", "/stall/10000", "/silent", "/reset/10000",
                                        "/cut/10000", "/told"};
    static char urls[CAD_ARRAY_LEN(paths)][URL_SIZE];
    const char **const places[] = {&kind->missing, &kind->stall, &kind->silent, &kind->reset,
                                   &kind->cut, &kind->told};
    server = transport_server_start();
    if (!server) return NULL;
    for (size_t i = 0; i < CAD_ARRAY_LEN(paths); i++) {
        transport_http_url(paths[i], urls[i], sizeof urls[i]);
        *places[i] = urls[i];
    }
    kind->url = url_of_bytes;
    kind->missing_is_answer = true;
    kind->refused = "http://127.0.0.1:1/"; /* tcpmux: nobody runs it */
    kind->address = CAD_ADDRESS_LOOPBACK;
    kind->http_version = 11;
    return server;
}

void transport_http_close(void)
{
    transport_server_stop(server);
    server = NULL;
}
