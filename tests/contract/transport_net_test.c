/* The network transport keeps the contract of transports; and what only HTTP knows. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "drive/net.h"
#include "transport_http.h"

static struct transport_server *server;
static struct transport_kind kind;

static int create(struct cad_transport **out)
{
    struct cad_net_config config = {.alloc = cad_alloc_system()};
    return cad_net_create(&config, out);
}

static struct bench_record *get(struct bench *bench, uint32_t id, const char *path)
{
    char text[256];
    struct cad_http_start start;
    transport_http_url(path, text, sizeof text);
    bench_request(id, text, &start);
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, id, 5 * CAD_SECOND));
    return &bench->records[id];
}

static void test_net_chunked(void **state)
{
    struct bench_record *r = get(*state, 1, "/chunked/30000");
    assert_int_equal(r->end.cls, CAD_HTTP_OK);
    assert_int_equal(r->head.length, -1);
    assert_int_equal(r->heads, 1);
    assert_true(bench_is_pattern(r, 0, 30000));
}

/* A redirect is an answer: it is the engine that follows it, or not. */
static void test_net_redirect(void **state)
{
    struct bench_record *r = get(*state, 1, "/redirect");
    assert_int_equal(r->end.cls, CAD_HTTP_OK);
    assert_int_equal(r->head.status, 302);
    assert_string_equal(r->location, "/whole/1");
}

static void test_net_busy(void **state)
{
    struct bench_record *r = get(*state, 1, "/busy");
    assert_int_equal(r->head.status, 503);
    assert_int_equal(r->head.retry_after, 7 * CAD_SECOND);
    assert_int_equal(r->head.date_ms, INT64_C(784111777000));
}

static void test_net_garbage(void **state)
{
    struct bench_record *r = get(*state, 1, "/garbage");
    assert_int_equal(r->end.cls, CAD_HTTP_PROTOCOL);
    assert_int_equal(r->heads, 0);
}

/* Headers have a limit as well: 256 KiB are 5242 of these lines. */
static void test_net_headers_limit(void **state)
{
    struct bench_record *r = get(*state, 1, "/headers/5000");
    assert_int_equal(r->end.cls, CAD_HTTP_OK);
    assert_int_equal(r->head.status, 200);
    r = get(*state, 2, "/headers/5300");
    assert_int_equal(r->end.cls, CAD_HTTP_PROTOCOL);
    assert_int_equal(r->heads, 0);
}

static void test_net_post(void **state)
{
    struct bench *bench = *state;
    char text[256];
    uint8_t body[3000];
    for (size_t i = 0; i < sizeof body; i++) body[i] = transport_pattern((int64_t)i);
    struct cad_header header = {{"X-One", 5}, {"1", 1}};
    struct cad_http_start start;
    transport_http_url("/echo", text, sizeof text);
    bench_request(1, text, &start);
    start.post = true;
    start.body = (cad_buf){body, sizeof body};
    start.headers = &header;
    start.header_count = 1;
    assert_int_equal(bench_start(bench, &start), 0);
    memset(body, 0, sizeof body); /* it was copied */
    memset(text, 0, sizeof text);
    assert_true(bench_run(bench, 1, 5 * CAD_SECOND));
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_OK);
    assert_true(bench_is_pattern(&bench->records[1], 0, sizeof body));
    /* The same handle is good for a GET afterwards. */
    assert_true(bench_is_pattern(get(bench, 2, "/whole/10"), 0, 10));
}

/* A header cannot smuggle another one in. */
static void test_net_bad_header(void **state)
{
    struct bench *bench = *state;
    static const struct cad_header bad[] = {
        {{"X", 1}, {"a\r\nY: b", 7}}, {{"", 0}, {"a", 1}}, {{"X: y", 4}, {"a", 1}}};
    char text[256];
    transport_http_url("/whole/1", text, sizeof text);
    for (uint32_t i = 0; i < 3; i++) {
        struct cad_http_start start;
        bench_request(i + 1, text, &start);
        start.headers = &bad[i];
        start.header_count = 1;
        assert_int_equal(bench_start(bench, &start), 0);
        assert_true(bench_run(bench, i + 1, 5 * CAD_SECOND));
        assert_int_equal(bench->records[i + 1].end.cls, CAD_HTTP_PROTOCOL);
        assert_int_equal(bench->records[i + 1].heads, 0);
    }
}

static void test_net_userinfo(void **state)
{
    struct bench *bench = *state;
    char text[128];
    struct cad_http_start start;
    snprintf(text, sizeof text, "http://a:b@127.0.0.1:%d/whole/1", transport_server_port(server));
    bench_request(1, text, &start);
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, 1, 5 * CAD_SECOND));
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_SCHEME);
}

static void test_net_no_memory(void **state)
{
    CAD_UNUSED(state);
    transport_http_no_memory(cad_net_create);
}

static void test_net_reuse(void **state)
{
    struct bench *bench = *state;
    struct bench_record *first = get(bench, 1, "/whole/1000");
    uint32_t accepted = transport_server_accepted(server);
    assert_false(first->end.reused);
    assert_true(first->end.connect != CAD_TIME_NONE);
    assert_true(first->end.tls == CAD_TIME_NONE);
    for (uint32_t id = 2; id < 20; id++) {
        struct bench_record *r = get(bench, id, "/whole/1000");
        assert_true(r->end.reused);
        assert_true(r->end.connect == CAD_TIME_NONE);
    }
    assert_int_equal(transport_server_accepted(server), accepted);
}

static void test_net_dns(void **state)
{
    struct bench *bench = *state;
    struct cad_http_start start;
    bench_request(1, "http://no-such-host.invalid/x", &start);
    start.connect_timeout = 20 * CAD_SECOND;
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, 1, 20 * CAD_SECOND));
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_DNS);
    assert_int_equal(bench->records[1].end.edge_code, 6);
}

/* A listener whose backlog is full answers no SYN: the connection neither opens nor fails. */
static void test_net_connect_timeout(void **state)
{
    struct bench *bench = *state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int fill[4];
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    for (int i = 0; i < 4; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fill[i], (struct sockaddr *)&address, size);
    }
    char text[64];
    struct cad_http_start start;
    snprintf(text, sizeof text, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    bench_request(1, text, &start);
    start.connect_timeout = 400 * CAD_MS;
    cad_time from = bench_now(bench);
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, 1, 5 * CAD_SECOND));
    cad_time took = bench_now(bench) - from;
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_TIMEOUT);
    assert_true(took >= 400 * CAD_MS && took < CAD_SECOND);
    for (int i = 0; i < 4; i++) close(fill[i]);
    close(fd);
}

/* Cancelling while the resolver's thread is at work does not wait for it. */
static void test_net_cancel_dns(void **state)
{
    struct bench *bench = *state;
    struct cad_http_start start;
    bench_request(1, "http://another-host.invalid/x", &start);
    assert_int_equal(bench_start(bench, &start), 0);
    bench->transport->ops->pump(bench->transport);
    cad_time from = bench_now(bench);
    bench_cancel(bench, 1);
    assert_true(bench_now(bench) - from < 50 * CAD_MS);
    bench_idle(bench, 20 * CAD_MS);
    assert_int_equal(bench->records[1].ends, 0);
}

/* A request on its own connection, and one to warm beside it: the next transfer finds that. */
static void test_net_warm_spare(void **state)
{
    struct bench *bench = *state;
    char silent[128], warm[128];
    struct cad_http_start start;
    uint32_t before = transport_server_accepted(server);
    transport_http_url("/silent", silent, sizeof silent);
    transport_http_url("/", warm, sizeof warm);
    bench_request(1, silent, &start);
    assert_int_equal(bench_start(bench, &start), 0);
    for (int i = 0; i < 5; i++) bench_warm(bench, warm); /* one at a time */
    bench_idle(bench, 100 * CAD_MS);
    assert_int_equal(transport_server_accepted(server), before + 2);
    assert_true(get(bench, 2, "/whole/1000")->end.reused);
    /* An idle one is enough: it is asked again, not doubled. */
    bench_warm(bench, warm);
    bench_idle(bench, 100 * CAD_MS);
    assert_true(get(bench, 3, "/whole/1000")->end.reused);
    assert_int_equal(transport_server_accepted(server), before + 2);
    assert_int_equal(bench->records[1].ends, 0);
}

/* With a warm request out, the second of two waits for its connection, but not for ever; and while
 * it waits it can be cancelled, be one of two, and be destroyed. */
static void test_net_held(void **state)
{
    struct bench *bench = *state;
    char silent[128], text[128];
    struct cad_http_start start;
    transport_http_url("/silent", silent, sizeof silent);
    transport_http_url("/whole/1000", text, sizeof text);
    get(bench, 1, "/whole/10"); /* now it is known to speak HTTP/1.1 */
    bench_request(2, silent, &start); /* takes the connection of the first */
    assert_int_equal(bench_start(bench, &start), 0);
    bench_warm(bench, silent);
    bench_idle(bench, 50 * CAD_MS);
    uint32_t before = transport_server_accepted(server);
    cad_time from = bench_now(bench);
    for (uint32_t id = 3; id <= 5; id++) {
        bench_request(id, text, &start);
        assert_int_equal(bench_start(bench, &start), 0);
        if (id == 3) bench_cancel(bench, 3);
    }
    assert_true(bench_run(bench, 5, 5 * CAD_SECOND)); /* one connection is worth one wait */
    assert_true(bench_now(bench) - from < 200 * CAD_MS);
    assert_int_equal(bench->records[4].ends, 0);
    assert_true(bench_run(bench, 4, 5 * CAD_SECOND));
    assert_true(bench_now(bench) - from >= 250 * CAD_MS);
    assert_true(bench_now(bench) - from < CAD_SECOND);
    assert_true(bench_is_pattern(&bench->records[4], 0, 1000));
    assert_int_equal(bench->records[3].heads + bench->records[3].ends, 0);
    assert_int_equal(transport_server_accepted(server), before + 1);
    bench_request(6, text, &start);
    assert_int_equal(bench_start(bench, &start), 0); /* held when everything ends */
}

/* Where the server may not be asked, it is not even connected to. */
static void test_net_address_untouched(void **state)
{
    struct bench *bench = *state;
    char text[128];
    struct cad_http_start start;
    uint32_t before = transport_server_accepted(server);
    transport_http_url("/whole/1", text, sizeof text);
    bench_request(1, text, &start);
    start.address_max = CAD_ADDRESS_PRIVATE;
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, 1, 5 * CAD_SECOND));
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_ADDRESS);
    assert_int_equal(transport_server_accepted(server), before);
    /* A connection that another request made is looked at too, and stays usable. */
    get(bench, 2, "/whole/1");
    bench_request(3, text, &start);
    start.address_max = CAD_ADDRESS_PUBLIC;
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, 3, 5 * CAD_SECOND));
    assert_int_equal(bench->records[3].end.cls, CAD_HTTP_ADDRESS);
    assert_int_equal(bench->records[3].heads, 0);
    assert_int_equal(get(bench, 4, "/whole/1")->end.cls, CAD_HTTP_OK);
}

/* ---- proxies --------------------------------------------------------------------------------- */

static struct transport_server *proxy;

static struct bench *behind_proxy(const char *text)
{
    struct cad_net_config config = {.alloc = cad_alloc_system(), .proxy = text};
    struct bench *bench = NULL;
    assert_int_equal(bench_setup(&kind, &bench), 0);
    struct cad_transport_door door = bench->transport->door;
    bench->transport->ops->destroy(bench->transport);
    assert_int_equal(cad_net_create(&config, &bench->transport), 0);
    bench->transport->door = door;
    return bench;
}

static struct bench *behind(struct transport_server *through)
{
    char text[64];
    snprintf(text, sizeof text, "http://127.0.0.1:%d", transport_server_port(through));
    return behind_proxy(text);
}

static struct bench_record *ask(struct bench *bench, uint32_t id, const char *text,
                                enum cad_address_class most)
{
    struct cad_http_start start;
    bench_request(id, text, &start);
    start.address_max = most;
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, id, 5 * CAD_SECOND));
    return &bench->records[id];
}

/* The name is not looked up here: it goes to the proxy, whose address is nobody's business. */
static void test_proxy_is_asked(void **state)
{
    CAD_UNUSED(state);
    struct bench *bench = behind(proxy);
    uint32_t before = transport_server_accepted(proxy);
    struct bench_record *r = ask(bench, 1, "http://title.invalid/whole/1000", CAD_ADDRESS_PUBLIC);
    assert_int_equal(r->end.cls, CAD_HTTP_OK);
    assert_true(bench_is_pattern(r, 0, 1000));
    assert_int_equal(r->head.address, CAD_ADDRESS_UNKNOWN);
    assert_int_equal(transport_server_accepted(proxy), before + 1);
    assert_true(ask(bench, 2, "http://title.invalid/whole/10", CAD_ADDRESS_UNKNOWN)->end.reused);
    char direct[64];
    uint32_t own = transport_server_accepted(server);
    transport_http_url("/whole/10", direct, sizeof direct);
    assert_int_equal(ask(bench, 3, direct, CAD_ADDRESS_LOOPBACK)->end.cls, CAD_HTTP_OK);
    assert_int_equal(transport_server_accepted(server), own);
    bench_teardown(bench);
}

/* What can be seen of a host without looking it up still counts. */
static void test_proxy_hosts_farther_in(void **state)
{
    CAD_UNUSED(state);
    static const char *const inside[] = {"http://127.0.0.1/whole/1", "http://localhost/whole/1",
                                         "http://a.LocalHost/whole/1", "http://127.1/whole/1",
                                         "http://2130706433/whole/1", "http://[::1]/whole/1"};
    struct bench *bench = behind(proxy);
    uint32_t before = transport_server_accepted(proxy);
    for (uint32_t i = 0; i < CAD_ARRAY_LEN(inside); i++) {
        struct bench_record *r = ask(bench, i + 1, inside[i], CAD_ADDRESS_PRIVATE);
        assert_int_equal(r->end.cls, CAD_HTTP_ADDRESS);
    }
    assert_int_equal(ask(bench, 20, "http://10.0.0.1/whole/1", CAD_ADDRESS_PUBLIC)->end.cls,
                     CAD_HTTP_ADDRESS);
    assert_int_equal(transport_server_accepted(proxy), before);
    assert_int_equal(ask(bench, 21, "http://10.0.0.1/whole/1", CAD_ADDRESS_PRIVATE)->end.cls,
                     CAD_HTTP_OK);
    assert_int_equal(ask(bench, 22, "http://notlocalhost/whole/1", CAD_ADDRESS_PUBLIC)->end.cls,
                     CAD_HTTP_OK);
    bench_teardown(bench);
}

static void test_proxy_is_gone(void **state)
{
    CAD_UNUSED(state);
    struct bench *bench = behind_proxy("http://127.0.0.1:1");
    struct bench_record *r = ask(bench, 1, "http://title.invalid/whole/1", CAD_ADDRESS_UNKNOWN);
    assert_int_equal(r->end.cls, CAD_HTTP_CONNECT);
    bench_teardown(bench);
    bench = behind_proxy("http://no-such-proxy.invalid:80");
    r = ask(bench, 1, "http://title.invalid/whole/1", CAD_ADDRESS_UNKNOWN);
    assert_int_equal(r->end.cls, CAD_HTTP_CONNECT);
    bench_teardown(bench);
}

static void test_proxy_must_be_one(void **state)
{
    CAD_UNUSED(state);
    static const char *const bad[] = {"", "127.0.0.1:80", "ftp://127.0.0.1", "socks4://127.0.0.1",
                                      "http://", "http:", "//127.0.0.1", "http://a b/"};
    static const char *const good[] = {"http://127.0.0.1", "HTTPS://u:p@h:1", "socks5://h",
                                       "socks5h://h:1080"};
    struct cad_net_config config = {.alloc = cad_alloc_system()};
    struct cad_transport *transport = NULL;
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        config.proxy = bad[i];
        assert_int_equal(cad_net_create(&config, &transport), CAD_E_INVAL);
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(good); i++) {
        config.proxy = good[i];
        assert_int_equal(cad_net_create(&config, &transport), 0);
        transport->ops->destroy(transport);
    }
}

/* The environment's is nobody's wish. */
static void test_proxy_of_the_environment(void **state)
{
    CAD_UNUSED(state);
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    char text[64];
    snprintf(text, sizeof text, "http://127.0.0.1:%d", transport_server_port(proxy));
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) setenv(names[i], text, 1);
    setenv("no_proxy", "*", 1); /* nor is where it says that none is to be used */
    uint32_t before = transport_server_accepted(proxy);
    struct bench *bench = NULL;
    assert_int_equal(bench_setup(&kind, &bench), 0);
    assert_int_equal(get(bench, 1, "/whole/10")->end.cls, CAD_HTTP_OK);
    bench_teardown(bench);
    assert_int_equal(transport_server_accepted(proxy), before);
    bench = behind(proxy);
    assert_int_equal(ask(bench, 1, "http://title.invalid/", CAD_ADDRESS_UNKNOWN)->heads, 1);
    bench_teardown(bench);
    assert_int_equal(transport_server_accepted(proxy), before + 1);
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) unsetenv(names[i]);
    unsetenv("no_proxy");
}

static int run_proxies(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proxy_is_asked),
        cmocka_unit_test(test_proxy_hosts_farther_in),
        cmocka_unit_test(test_proxy_is_gone),
        cmocka_unit_test(test_proxy_must_be_one),
        cmocka_unit_test(test_proxy_of_the_environment),
    };
    proxy = transport_server_start();
    if (!proxy) return 1;
    int failed = cmocka_run_group_tests_name("transport_net_proxy", tests, NULL, NULL);
    transport_server_stop(proxy);
    return failed;
}

static int run_own(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_net_##name, transport_http_setup, \
                                                   transport_http_teardown)
    const struct CMUnitTest tests[] = {
        TEST(chunked), TEST(redirect), TEST(busy),  TEST(garbage),
        TEST(post),    TEST(bad_header), TEST(reuse), TEST(dns),
        TEST(connect_timeout), TEST(cancel_dns), TEST(userinfo), TEST(no_memory),
        TEST(headers_limit), TEST(warm_spare), TEST(address_untouched), TEST(held),
    };
#undef TEST
    return cmocka_run_group_tests_name("transport_net_http", tests, NULL, NULL);
}

int main(void)
{
    kind = (struct transport_kind){.name = "transport_net", .create = create};
    server = transport_http_open(&kind);
    if (!server) return 1;
    kind.warm = kind.missing;
    int failed = transport_contract_run(&kind);
    failed += run_own();
    failed += run_proxies();
    transport_http_close();
    return failed != 0;
}
