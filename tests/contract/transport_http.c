#include "transport_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/util.h"
#include "support/failing_alloc.h"

#define URL_SIZE 64

static struct transport_server *server;
static const struct transport_kind *opened;

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
    opened = kind;
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
    opened = NULL;
}

int transport_http_setup(void **state)
{
    return bench_setup(opened, (struct bench **)state);
}

int transport_http_teardown(void **state)
{
    bench_teardown(*state);
    return 0;
}

void transport_http_no_memory(int (*create)(const struct cad_net_config *config,
                                            struct cad_transport **out))
{
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_net_config config = {.alloc = cad_failing_alloc(&f), .ca_file = "/none",
                                        .proxy = "http://127.0.0.1:1"};
        struct cad_transport *transport = NULL;
        int err = create(&config, &transport);
        if (!err) {
            struct cad_http_start start;
            bench_request(1, "http://127.0.0.1:1/", &start);
            err = transport->ops->start(transport, &start);
            transport->ops->destroy(transport);
        }
        assert_int_equal(err, f.failed ? CAD_E_NOMEM : 0);
        assert_int_equal(f.live_blocks, 0);
        if (!f.failed) break;
    }
}
