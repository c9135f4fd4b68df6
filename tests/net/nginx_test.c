/*
 * The network transport against nginx: the contract over HTTP/2 and over HTTP/1.1 with TLS, then
 * what only shows with a real server. nginx.sh starts the server and reads its log afterwards.
 *
 *     nginx_test --pattern N              writes N bytes of the pattern to standard output
 *     nginx_test ADDRESS PORT CA          PORT: HTTP/2; the next ones: HTTP/1.1 TLS, plain, TLS 1.2
 *     nginx_test --times ADDRESS PORT CA ROUND_TRIP_MS    what a request takes, in round trips
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drive/net.h"
#include "transport_contract.h"
#include "transport_server.h"

#define LONG (10 * CAD_SECOND)

enum port { PORT_H2, PORT_TLS, PORT_PLAIN, PORT_OLD };

static const char *address;
static const char *authority;
static int first_port;
static cad_time round_trip;
static enum port contract_port;

static int create(struct cad_transport **out)
{
    struct cad_net_config config = {.alloc = cad_alloc_system(), .ca_file = authority};
    return cad_net_create(&config, out);
}

static void url_of(enum port port, const char *path, char *out, size_t cap)
{
    snprintf(out, cap, "%s://%s:%d%s", port == PORT_PLAIN ? "http" : "https", address,
             first_port + (int)port, path);
}

static void contract_url(int64_t n, char *out, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/files/%lld?t=contract", (long long)n);
    url_of(contract_port, path, out, cap);
}

static struct transport_kind kind = {.create = create};

static int setup(void **state)
{
    return bench_setup(&kind, (struct bench **)state);
}

static int teardown(void **state)
{
    bench_teardown(*state);
    return 0;
}

static void begin(struct bench *bench, uint32_t id, enum port port, const char *path)
{
    char text[256];
    struct cad_http_start start;
    url_of(port, path, text, sizeof text);
    bench_request(id, text, &start);
    assert_int_equal(bench_start(bench, &start), 0);
}

static struct bench_record *get(struct bench *bench, uint32_t id, enum port port, const char *path)
{
    begin(bench, id, port, path);
    assert_true(bench_run(bench, id, LONG));
    assert_int_equal(bench->records[id].end.cls, CAD_HTTP_OK);
    return &bench->records[id];
}

static void warm(struct bench *bench, enum port port, const char *path)
{
    char text[256];
    url_of(port, path, text, sizeof text);
    bench_warm(bench, text);
}

static void wait_for_bytes(struct bench *bench, uint32_t id)
{
    cad_time limit = bench_now(bench) + LONG;
    while (bench->records[id].n == 0 && bench_now(bench) < limit) bench_pump(bench);
    assert_true(bench->records[id].n > 0);
    assert_int_equal(bench->records[id].ends, 0);
}

/* ---- HTTP/2 ---------------------------------------------------------------------------------- */

static void test_nginx_share(void **state)
{
    struct bench *bench = *state;
    struct bench_record *r = bench->records;
    begin(bench, 1, PORT_H2, "/slow/100000?t=share1");
    begin(bench, 2, PORT_H2, "/slow/100000?t=share2");
    wait_for_bytes(bench, 1);
    wait_for_bytes(bench, 2); /* both under way at once */
    assert_true(bench_run(bench, 1, LONG) && bench_run(bench, 2, LONG));
    assert_true(bench_is_pattern(&r[1], 0, 100000) && bench_is_pattern(&r[2], 0, 100000));
    assert_int_equal(r[1].head.http_version, 20);
    assert_int_equal(r[1].head.address, CAD_ADDRESS_LOOPBACK);
    assert_int_equal(r[1].end.reused + r[2].end.reused, 1);
    const struct cad_http_end *made = r[1].end.reused ? &r[2].end : &r[1].end;
    assert_true(made->connect != CAD_TIME_NONE && made->tls > made->connect);
    assert_true(made->first_byte >= made->tls && made->last_byte > made->first_byte);
    assert_true(made->read_count >= 2);
}

static void test_nginx_cancel(void **state)
{
    struct bench *bench = *state;
    begin(bench, 1, PORT_H2, "/slow/600000?t=cancel1");
    begin(bench, 2, PORT_H2, "/slow/600000?t=cancel2");
    wait_for_bytes(bench, 1);
    wait_for_bytes(bench, 2);
    size_t n = bench->records[1].n;
    bench_cancel(bench, 1);
    assert_true(bench_run(bench, 2, LONG));
    assert_int_equal(bench->records[1].n, n);
    assert_int_equal(bench->records[1].ends, 0);
    assert_true(bench_is_pattern(&bench->records[2], 0, 600000));
    assert_true(get(bench, 3, PORT_H2, "/files/10?t=cancel3")->end.reused);
}

static void test_nginx_range(void **state)
{
    struct bench *bench = *state;
    struct bench_record *r = &bench->records[1];
    char text[256];
    struct cad_http_start start;
    url_of(PORT_H2, "/files/100000?t=range", text, sizeof text);
    bench_request(1, text, &start);
    start.range = (struct cad_range){1000, 4999};
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, 1, LONG));
    assert_int_equal(r->head.status, 206);
    assert_int_equal(r->head.range.first, 1000);
    assert_int_equal(r->head.range.last, 4999);
    assert_int_equal(r->head.total, 100000);
    assert_true(bench_is_pattern(r, 1000, 4000));
}

static void test_nginx_redirect(void **state)
{
    struct bench_record *r = get(*state, 1, PORT_H2, "/found?t=redirect");
    char text[256];
    assert_int_equal(r->head.status, 302);
    url_of(PORT_H2, "/files/10", text, sizeof text);
    assert_string_equal(r->location, text);
    r = get(*state, 2, PORT_H2, "/kept?t=redirect");
    assert_int_equal(r->head.status, 307);
    assert_string_equal(r->location, "https://elsewhere.example/a");
}

static void test_nginx_older(void **state)
{
    struct bench_record *r = get(*state, 1, PORT_OLD, "/files/10?t=older");
    assert_int_equal(r->head.http_version, 20);
    assert_true(bench_is_pattern(r, 0, 10));
}

/* ---- warm connections ------------------------------------------------------------------------ */

static void test_nginx_spare(void **state)
{
    struct bench *bench = *state;
    begin(bench, 1, PORT_TLS, "/slow/600000?t=spare1");
    wait_for_bytes(bench, 1);
    warm(bench, PORT_TLS, "/?t=spare2");
    bench_idle(bench, 300 * CAD_MS);
    struct bench_record *r = get(bench, 3, PORT_TLS, "/files/100000?t=spare3");
    assert_int_equal(r->head.http_version, 11);
    assert_true(r->end.reused);
    assert_int_equal(bench->records[1].ends, 0); /* it was in use all the time */
}

static void test_nginx_known(void **state)
{
    struct bench *bench = *state;
    get(bench, 1, PORT_H2, "/files/10?t=known1");
    warm(bench, PORT_H2, "/?t=known2");
    bench_idle(bench, 200 * CAD_MS);
    assert_true(get(bench, 3, PORT_H2, "/files/10?t=known3")->end.reused);
}

/* Together with the first request nobody knows yet what the server speaks. */
static void test_nginx_beside(void **state)
{
    struct bench *bench = *state;
    begin(bench, 1, PORT_H2, "/slow/100000?t=beside1");
    warm(bench, PORT_H2, "/?t=beside2");
    assert_true(bench_run(bench, 1, LONG));
    bench_idle(bench, 100 * CAD_MS);
    for (uint32_t id = 2; id < 5; id++) begin(bench, id, PORT_H2, "/files/10?t=beside3");
    for (uint32_t id = 2; id < 5; id++) {
        assert_true(bench_run(bench, id, LONG));
        assert_true(bench->records[id].end.reused);
    }
}

static void test_nginx_first(void **state)
{
    struct bench *bench = *state;
    warm(bench, PORT_H2, "/?t=first1");
    bench_idle(bench, 300 * CAD_MS);
    assert_true(get(bench, 1, PORT_H2, "/files/10?t=first2")->end.reused);
}

/* ---- round trips ----------------------------------------------------------------------------- */

static double trips(cad_time from, cad_time to)
{
    return (double)cad_time_sub(to, from) / (double)round_trip;
}

/* TCP one, TLS 1.3 one, the answer one; with a connection at hand only the last. Half a round trip
 * more is left to the machine. */
static void check_trips(const char *what, double seen, int expected)
{
    print_message("%s: %.2f round trips\n", what, seen);
    assert_true(seen > expected - 0.05 && seen < expected + 0.5);
}

static void test_times_cold_and_shared(void **state)
{
    struct bench *bench = *state;
    struct bench_record *r = bench->records;
    cad_time from = bench_now(bench);
    begin(bench, 1, PORT_H2, "/files/1?t=cold1");
    begin(bench, 2, PORT_H2, "/files/1?t=cold2");
    assert_true(bench_run(bench, 1, LONG) && bench_run(bench, 2, LONG));
    const struct cad_http_end *made = r[1].end.reused ? &r[2].end : &r[1].end;
    check_trips("connect", trips(from, made->connect), 1);
    check_trips("TLS 1.3", trips(made->connect, made->tls), 1);
    check_trips("answer, cold", trips(from, r[1].end.first_byte), 3);
    check_trips("answer, shared at once", trips(from, r[2].end.first_byte), 3);
    from = bench_now(bench);
    get(bench, 3, PORT_H2, "/files/1?t=cold3");
    check_trips("answer, open", trips(from, r[3].end.first_byte), 1);
}

/* The first request of HTTP/1.1 is in use; what comes next has a connection, or makes one. */
static void test_times_spare(void **state)
{
    struct bench *bench = *state;
    struct bench_record *r = bench->records;
    begin(bench, 1, PORT_TLS, "/slow/600000?t=time1");
    warm(bench, PORT_TLS, "/?t=time2");
    wait_for_bytes(bench, 1);
    bench_idle(bench, round_trip / 2);
    cad_time from = bench_now(bench);
    get(bench, 2, PORT_TLS, "/files/1?t=time3");
    check_trips("HTTP/1.1 with a spare", trips(from, r[2].end.first_byte), 1);
    begin(bench, 3, PORT_TLS, "/slow/100000?t=time4"); /* takes the spare */
    from = bench_now(bench);
    get(bench, 4, PORT_TLS, "/files/1?t=time5");
    check_trips("HTTP/1.1 without", trips(from, r[4].end.first_byte), 3);
}

/* As a title begins: the manifest with a warm request beside it, then sound and picture at once.
 * The two answers come together, so the connection of the second is free a moment too late. */
static void test_times_pair(void **state)
{
    struct bench *bench = *state;
    struct bench_record *r = bench->records;
    begin(bench, 1, PORT_TLS, "/files/10000?t=pair1");
    warm(bench, PORT_TLS, "/?t=pair2");
    assert_true(bench_run(bench, 1, LONG));
    cad_time from = bench_now(bench);
    begin(bench, 2, PORT_TLS, "/files/1?t=pair3");
    begin(bench, 3, PORT_TLS, "/files/1?t=pair3");
    assert_true(bench_run(bench, 2, LONG) && bench_run(bench, 3, LONG));
    check_trips("HTTP/1.1, picture", trips(from, r[2].end.first_byte), 1);
    check_trips("HTTP/1.1, sound", trips(from, r[3].end.first_byte), 1);
}

/* ---- key logs -------------------------------------------------------------------------------- */

/* Two transports to one file beside the authority's: "<ca>.keys". */
static void test_nginx_keys(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s.keys", authority);
    for (uint32_t i = 0; i < 2; i++) {
        struct cad_net_config config = {.alloc = cad_alloc_system(), .ca_file = authority,
                                        .key_log = path};
        struct bench *bench = NULL;
        assert_int_equal(bench_setup(&kind, &bench), 0);
        struct cad_transport_door door = bench->transport->door;
        bench->transport->ops->destroy(bench->transport);
        assert_int_equal(cad_net_create(&config, &bench->transport), 0);
        bench->transport->door = door;
        get(bench, 1, PORT_H2, "/files/10?t=keys");
        get(bench, 2, PORT_OLD, "/files/10?t=keys");
        bench_teardown(bench);
    }
}

/* ---- main ------------------------------------------------------------------------------------ */

static int run_contract(enum port port, const char *name, uint32_t version)
{
    static char missing[128], warm_url[128];
    contract_port = port;
    url_of(port, "/missing?t=contract", missing, sizeof missing);
    url_of(port, "/?t=contract", warm_url, sizeof warm_url);
    return transport_contract_run(&(struct transport_kind){
        .name = name, .create = create, .url = contract_url, .missing = missing,
        .missing_is_answer = true, .refused = "https://127.0.0.1:1/", .warm = warm_url,
        .address = CAD_ADDRESS_LOOPBACK, .http_version = version});
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

static int run_times(void)
{
    const struct CMUnitTest tests[] = {TEST(times_cold_and_shared), TEST(times_spare),
                                       TEST(times_pair)};
    return cmocka_run_group_tests_name("nginx_times", tests, NULL, NULL);
}

static int run_all(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nginx_share), TEST(nginx_cancel), TEST(nginx_range), TEST(nginx_redirect),
        TEST(nginx_older), TEST(nginx_spare),  TEST(nginx_known), TEST(nginx_beside),
        TEST(nginx_first),
        cmocka_unit_test(test_nginx_keys),
    };
    int failed = cmocka_run_group_tests_name("nginx", tests, NULL, NULL);
    failed += run_contract(PORT_H2, "nginx_h2", 20);
    failed += run_contract(PORT_TLS, "nginx_tls", 11);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--pattern") == 0) {
        long n = strtol(argv[2], NULL, 10);
        for (long i = 0; i < n; i++) putchar(transport_pattern(i));
        return fflush(stdout) != 0;
    }
    bool times = argc == 6 && strcmp(argv[1], "--times") == 0;
    if (!times && argc != 4) {
        puts("nginx.sh runs this");
        return 77;
    }
    address = argv[times ? 2 : 1];
    first_port = (int)strtol(argv[times ? 3 : 2], NULL, 10);
    authority = argv[times ? 4 : 3];
    if (times) round_trip = strtol(argv[5], NULL, 10) * CAD_MS;
    return (times ? run_times() : run_all()) != 0;
}
