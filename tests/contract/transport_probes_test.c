/* The transport of probes keeps the contract of transports, and groups apart from each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "drive/net_probes.h"
#include "transport_http.h"

static struct transport_server *server;
static struct transport_kind kind;

static int create(struct cad_transport **out)
{
    struct cad_net_config config = {.alloc = cad_alloc_system()};
    return cad_net_probes_create(&config, out);
}

static int begin(struct bench *bench, uint32_t id, uint32_t group, const char *path)
{
    char text[128];
    struct cad_http_start start;
    transport_http_url(path, text, sizeof text);
    bench_request(id, text, &start);
    start.purpose = CAD_PURPOSE_PROBE;
    start.group = group;
    return bench_start(bench, &start);
}

static const struct bench_record *probe(struct bench *bench, uint32_t id, uint32_t group)
{
    assert_int_equal(begin(bench, id, group, "/whole/5120"), 0);
    assert_true(bench_run(bench, id, 5 * CAD_SECOND));
    assert_int_equal(bench->records[id].end.cls, CAD_HTTP_OK);
    return &bench->records[id];
}

/* The same server under several names: each is cold once, and warm from then on. */
static void test_probes_share_nothing(void **state)
{
    struct bench *bench = *state;
    uint32_t before = transport_server_accepted(server);
    uint32_t id = 1;
    for (uint32_t group = 1; group <= 4; group++, id++) {
        const struct bench_record *r = probe(bench, id, group);
        assert_false(r->end.reused);
        assert_true(r->end.connect != CAD_TIME_NONE);
    }
    for (uint32_t group = 4; group >= 1; group--, id++) {
        assert_true(probe(bench, id, group)->end.reused);
    }
    assert_int_equal(transport_server_accepted(server), before + 4);
}

/* One group too many: the one that was silent longest goes, and is cold when it comes again. */
static void test_probes_make_room(void **state)
{
    struct bench *bench = *state;
    uint32_t id = 1;
    for (uint32_t group = 1; group <= CAD_NET_PROBES_GROUPS; group++, id++) probe(bench, id, group);
    assert_true(probe(bench, id++, 1)->end.reused);
    assert_false(probe(bench, id++, 100)->end.reused);
    assert_true(probe(bench, id++, 1)->end.reused);
    assert_true(probe(bench, id++, 3)->end.reused);
    assert_false(probe(bench, id++, 2)->end.reused);
}

/* While all are busy there is no room, and what is under way is left alone; cancelling makes it. */
static void test_probes_all_busy(void **state)
{
    struct bench *bench = *state;
    uint32_t id = 1;
    for (uint32_t group = 1; group <= CAD_NET_PROBES_GROUPS; group++, id++) {
        assert_int_equal(begin(bench, id, group, "/silent"), 0);
    }
    assert_int_equal(begin(bench, id, 100, "/whole/10"), CAD_E_LIMIT);
    bench_idle(bench, 20 * CAD_MS);
    bench_cancel(bench, 5);
    assert_false(probe(bench, id, 100)->end.reused);
    assert_int_equal(bench->records[5].ends, 0);
    assert_int_equal(bench->records[4].ends, 0);
}

static void test_probes_no_memory(void **state)
{
    CAD_UNUSED(state);
    transport_http_no_memory(cad_net_probes_create);
}

static int run_own(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_probes_##name, transport_http_setup, \
                                                   transport_http_teardown)
    const struct CMUnitTest tests[] = {
        TEST(share_nothing), TEST(make_room), TEST(all_busy), TEST(no_memory),
    };
#undef TEST
    return cmocka_run_group_tests_name("transport_probes_groups", tests, NULL, NULL);
}

int main(void)
{
    kind = (struct transport_kind){.name = "transport_probes", .create = create};
    server = transport_http_open(&kind);
    if (!server) return 1;
    int failed = transport_contract_run(&kind);
    failed += run_own();
    transport_http_close();
    return failed != 0;
}
