#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "transport_contract.h"

#define SIZE 100000
#define LONG (5 * CAD_SECOND) /* far more than anything here takes */

static const struct transport_kind *the_kind;

static int setup(void **state)
{
    return bench_setup(the_kind, (struct bench **)state);
}

static int teardown(void **state)
{
    bench_teardown(*state);
    return 0;
}

static void begin(struct bench *bench, uint32_t id, int64_t size, struct cad_range range)
{
    char url[512];
    struct cad_http_start start;
    the_kind->url(size, url, sizeof url);
    bench_request(id, url, &start);
    start.range = range;
    assert_int_equal(bench_start(bench, &start), 0);
}

static void begin_url(struct bench *bench, uint32_t id, const char *url)
{
    struct cad_http_start start;
    bench_request(id, url, &start);
    assert_int_equal(bench_start(bench, &start), 0);
}

static const struct cad_range WHOLE = {-1, -1};

/* Rule 7: reads. */
static void check_reads(const struct bench_record *r)
{
    const struct cad_http_end *end = &r->end;
    assert_true(end->read_count <= CAD_HTTP_READS_MAX);
    if (r->n == 0) assert_int_equal(end->read_count, 0);
    if (r->n == 0) return;
    assert_true(end->read_count > 0);
    for (uint32_t i = 1; i < end->read_count; i++) {
        assert_true(end->reads[i].at > end->reads[i - 1].at);
        assert_true(end->reads[i].bytes > end->reads[i - 1].bytes);
    }
    assert_true(end->reads[0].at >= end->first_byte && end->reads[0].bytes > 0);
    assert_true(end->reads[end->read_count - 1].at <= end->last_byte);
    assert_int_equal(end->reads[end->read_count - 1].bytes, r->n);
}

/* Rules 1, 3, 6 and 7 for a transfer that has ended. */
static void check_order(struct bench *bench, const struct bench_record *r)
{
    assert_false(r->disorder);
    assert_false(bench->overrun);
    assert_false(r->at_back);
    assert_true(r->heads <= 1);
    assert_int_equal(r->ends, 1);
    cad_time marks[] = {r->end.dns, r->end.connect, r->end.tls, r->end.first_byte,
                        r->end.last_byte};
    cad_time before = 0;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (marks[i] == CAD_TIME_NONE) continue;
        assert_true(marks[i] >= before);
        before = marks[i];
    }
    assert_true(before <= bench_now(bench));
    if (r->heads) assert_true(r->end.first_byte != CAD_TIME_NONE);
    if (r->heads) assert_int_equal(r->head.address, the_kind->address);
    if (r->heads) assert_int_equal(r->head.http_version, the_kind->http_version);
    check_reads(r);
}

static void test_transport_whole(void **state)
{
    struct bench *bench = *state;
    struct bench_record *r = &bench->records[1];
    begin(bench, 1, SIZE, WHOLE);
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, r);
    assert_int_equal(r->end.cls, CAD_HTTP_OK);
    assert_int_equal(r->heads, 1);
    assert_int_equal(r->head.status, 200);
    assert_int_equal(r->head.length, SIZE);
    assert_int_equal(r->head.range.first, -1);
    assert_true(bench_is_pattern(r, 0, SIZE));
}

/* Leases smaller than what arrives: several a delivery, no byte lost or doubled. */
static void test_transport_small_leases(void **state)
{
    struct bench *bench = *state;
    bench->lease_max = 777;
    begin(bench, 1, SIZE, WHOLE);
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, &bench->records[1]);
    assert_true(bench_is_pattern(&bench->records[1], 0, SIZE));
}

static void check_range(struct bench *bench, uint32_t id, struct cad_range ask, int64_t last)
{
    struct bench_record *r = &bench->records[id];
    begin(bench, id, SIZE, ask);
    assert_true(bench_run(bench, id, LONG));
    check_order(bench, r);
    assert_int_equal(r->end.cls, CAD_HTTP_OK);
    assert_int_equal(r->head.status, 206);
    assert_int_equal(r->head.range.first, ask.first);
    assert_int_equal(r->head.range.last, last);
    assert_int_equal(r->head.total, SIZE);
    assert_int_equal(r->head.length, last - ask.first + 1);
    assert_true(bench_is_pattern(r, ask.first, (size_t)(last - ask.first + 1)));
}

static void test_transport_ranges(void **state)
{
    struct bench *bench = *state;
    check_range(bench, 1, (struct cad_range){1000, 4999}, 4999);
    check_range(bench, 2, (struct cad_range){0, 0}, 0);
    check_range(bench, 3, (struct cad_range){SIZE - 1, SIZE - 1}, SIZE - 1);
    check_range(bench, 4, (struct cad_range){SIZE - 10, -1}, SIZE - 1);
    check_range(bench, 5, (struct cad_range){SIZE - 10, SIZE + 500}, SIZE - 1);
    check_range(bench, 6, (struct cad_range){0, SIZE - 1}, SIZE - 1);
}

static void test_transport_range_past_the_end(void **state)
{
    struct bench *bench = *state;
    struct bench_record *r = &bench->records[1];
    begin(bench, 1, SIZE, (struct cad_range){SIZE, SIZE + 9});
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, r);
    assert_int_equal(r->end.cls, CAD_HTTP_OK);
    assert_int_equal(r->head.status, 416);
    assert_int_equal(r->head.total, SIZE);
    assert_int_equal(r->head.range.first, -1);
    assert_int_equal(r->n, r->head.length); /* a page of words, or nothing */
}

static void test_transport_empty(void **state)
{
    struct bench *bench = *state;
    begin(bench, 1, 0, WHOLE);
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, &bench->records[1]);
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_OK);
    assert_int_equal(bench->records[1].head.status, 200);
    assert_int_equal(bench->records[1].head.length, 0);
    assert_int_equal(bench->records[1].n, 0);
}

static void test_transport_missing(void **state)
{
    struct bench *bench = *state;
    struct bench_record *r = &bench->records[1];
    begin_url(bench, 1, the_kind->missing);
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, r);
    if (the_kind->missing_is_answer) {
        assert_int_equal(r->end.cls, CAD_HTTP_OK);
        assert_int_equal(r->head.status, 404);
    } else {
        assert_int_equal(r->end.cls, CAD_HTTP_NO_FILE);
        assert_int_equal(r->heads, 0);
        assert_int_not_equal(r->end.edge_code, 0);
    }
}

static void test_transport_cancel_before(void **state)
{
    struct bench *bench = *state;
    begin(bench, 1, SIZE, WHOLE);
    bench_cancel(bench, 1);
    bench_cancel(bench, 1);
    bench_cancel(bench, 60); /* never started */
    begin(bench, 2, SIZE, WHOLE);
    assert_true(bench_run(bench, 2, LONG));
    assert_int_equal(bench->records[1].heads + bench->records[1].ends, 0);
    assert_int_equal(bench->records[1].n, 0);
    assert_true(bench_is_pattern(&bench->records[2], 0, SIZE));
}

/* Cancelled in the middle of the body: nothing of that id afterwards, the others are untouched. */
static void test_transport_cancel_in_the_middle(void **state)
{
    struct bench *bench = *state;
    enum { MANY = 3 * 1024 * 1024 };
    begin(bench, 1, MANY, WHOLE);
    begin(bench, 2, MANY, WHOLE);
    cad_time limit = bench_now(bench) + LONG;
    while (bench->records[1].n == 0 && bench_now(bench) < limit) bench_pump(bench);
    assert_int_equal(bench->records[1].ends, 0);
    size_t n = bench->records[1].n;
    bench_cancel(bench, 1);
    assert_true(bench_run(bench, 2, LONG));
    bench_idle(bench, 50 * CAD_MS);
    assert_int_equal(bench->records[1].n, n);
    assert_int_equal(bench->records[1].ends, 0);
    assert_true(bench_is_pattern(&bench->records[2], 0, MANY));
}

static void test_transport_stale(void **state)
{
    struct bench *bench = *state;
    bench->fail_after = 5000;
    bench->fail_with = CAD_E_STALE;
    begin(bench, 1, SIZE, WHOLE);
    assert_false(bench_run(bench, 1, 100 * CAD_MS));
    assert_int_equal(bench->records[1].heads, 1);
    assert_int_equal(bench->records[1].n, 5000);
    bench->fail_after = -1;
    begin(bench, 2, SIZE, WHOLE);
    assert_true(bench_run(bench, 2, LONG));
    assert_true(bench_is_pattern(&bench->records[2], 0, SIZE));
    assert_int_equal(bench->records[1].ends, 0);
}

static void test_transport_lease_limit(void **state)
{
    struct bench *bench = *state;
    bench->fail_after = 5000;
    bench->fail_with = CAD_E_LIMIT;
    begin(bench, 1, SIZE, WHOLE);
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, &bench->records[1]);
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_TOO_LARGE);
    assert_true(bench_is_pattern(&bench->records[1], 0, 5000));
}

static void test_transport_lease_no_memory(void **state)
{
    struct bench *bench = *state;
    bench->fail_after = 0;
    bench->fail_with = CAD_E_NOMEM;
    begin(bench, 1, SIZE, WHOLE);
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, &bench->records[1]);
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_RESET);
}

static void test_transport_size_max(void **state)
{
    struct bench *bench = *state;
    char url[512];
    struct cad_http_start start;
    the_kind->url(SIZE, url, sizeof url);
    bench_request(1, url, &start);
    start.size_max = SIZE - 1;
    assert_int_equal(bench_start(bench, &start), 0);
    bench_request(2, url, &start);
    start.size_max = SIZE;
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, 1, LONG));
    assert_true(bench_run(bench, 2, LONG));
    check_order(bench, &bench->records[1]);
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_TOO_LARGE);
    assert_true(bench->records[1].n < SIZE);
    assert_int_equal(bench->records[2].end.cls, CAD_HTTP_OK);
    assert_true(bench_is_pattern(&bench->records[2], 0, SIZE));
}

static void test_transport_scheme(void **state)
{
    struct bench *bench = *state;
    static const char *const urls[] = {"ftp://127.0.0.1/x", "data:,x", "", "http://", "gopher:x"};
    for (uint32_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        begin_url(bench, i + 1, urls[i]);
        assert_true(bench_run(bench, i + 1, LONG));
        check_order(bench, &bench->records[i + 1]);
        assert_int_equal(bench->records[i + 1].heads, 0);
        enum cad_http_class cls = bench->records[i + 1].end.cls;
        assert_true(cls == CAD_HTTP_SCHEME || cls == CAD_HTTP_BAD_FILE);
    }
}

static void test_transport_refused(void **state)
{
    struct bench *bench = *state;
    if (!the_kind->refused) skip();
    begin_url(bench, 1, the_kind->refused);
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, &bench->records[1]);
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_CONNECT);
    assert_int_not_equal(bench->records[1].end.edge_code, 0);
    assert_int_equal(bench->records[1].heads, 0);
}

static void check_silence(struct bench *bench, const char *url, size_t bytes)
{
    struct cad_http_start start;
    bench_request(1, url, &start);
    start.silence_timeout = 300 * CAD_MS;
    cad_time from = bench_now(bench);
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, 1, LONG));
    cad_time took = bench_now(bench) - from;
    check_order(bench, &bench->records[1]);
    assert_int_equal(bench->records[1].end.cls, CAD_HTTP_TIMEOUT);
    assert_int_equal(bench->records[1].n, bytes);
    assert_true(took >= 300 * CAD_MS);
    assert_true(took < 800 * CAD_MS);
}

static void test_transport_stall(void **state)
{
    if (!the_kind->stall) skip();
    check_silence(*state, the_kind->stall, 5000);
}

static void test_transport_silent(void **state)
{
    if (!the_kind->silent) skip();
    check_silence(*state, the_kind->silent, 0);
}

static void test_transport_broken(void **state)
{
    struct bench *bench = *state;
    if (!the_kind->reset) skip();
    begin_url(bench, 1, the_kind->reset);
    begin_url(bench, 2, the_kind->cut);
    for (uint32_t id = 1; id <= 2; id++) {
        assert_true(bench_run(bench, id, LONG));
        check_order(bench, &bench->records[id]);
        assert_int_equal(bench->records[id].end.cls, CAD_HTTP_RESET);
        assert_int_equal(bench->records[id].head.status, 200);
        assert_true(bench->records[id].n <= 5000);
    }
    assert_int_equal(bench->records[2].n, 5000);
}

/* Enough pieces that some of the reads have to be merged, or at least a few. */
static void test_transport_reads(void **state)
{
    struct bench *bench = *state;
    enum { MANY = 3 * 1024 * 1024 };
    begin(bench, 1, MANY, WHOLE);
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, &bench->records[1]);
    assert_true(bench->records[1].end.read_count >= 4);
}

/* A peer that is farther in than the request may reach is not asked. */
static void test_transport_address(void **state)
{
    struct bench *bench = *state;
    char url[512];
    struct cad_http_start start;
    if (the_kind->address == CAD_ADDRESS_UNKNOWN) skip();
    the_kind->url(100, url, sizeof url);
    for (uint32_t most = CAD_ADDRESS_UNKNOWN; most <= CAD_ADDRESS_LOOPBACK; most++) {
        uint32_t id = most + 1;
        bench_request(id, url, &start);
        start.address_max = (enum cad_address_class)most;
        assert_int_equal(bench_start(bench, &start), 0);
        assert_true(bench_run(bench, id, LONG));
        check_order(bench, &bench->records[id]);
        bool allowed = most == CAD_ADDRESS_UNKNOWN || most >= the_kind->address;
        assert_int_equal(bench->records[id].heads, allowed);
        assert_int_equal(bench->records[id].end.cls, allowed ? CAD_HTTP_OK : CAD_HTTP_ADDRESS);
    }
}

/* Rule 7: header lines. */
static void test_transport_told(void **state)
{
    struct bench *bench = *state;
    const struct bench_record *r = &bench->records[1];
    static const char *const names[] = {"via", "x-ftl-probe-data", "x-ftl-error", "latency-trace"};
    if (!the_kind->told) skip();
    begin_url(bench, 1, the_kind->told);
    assert_true(bench_run(bench, 1, LONG));
    check_order(bench, r);
    assert_int_equal(r->head.status, 200);
    assert_int_equal(r->head.header_count, 4);
    for (size_t i = 0; i < 4; i++) assert_string_equal(r->told[i].name, names[i]);
    assert_string_equal(r->told[0].value, "1.1 first");
    assert_string_equal(r->told[1].value, "abc");
    assert_string_equal(r->told[2].value, "");
    assert_int_equal(strlen(r->told[3].value), CAD_TRANSPORT_TOLD_BYTES);
    assert_memory_equal(r->told[3].value, TRANSPORT_TOLD_LONG, CAD_TRANSPORT_TOLD_BYTES);
    /* The next answer has none of them. */
    begin(bench, 2, 10, WHOLE);
    assert_true(bench_run(bench, 2, LONG));
    assert_int_equal(bench->records[2].head.header_count, 0);
}

/* Rule 8: nothing is heard of it, whatever becomes of it and however often it is asked for. */
static void test_transport_warm(void **state)
{
    struct bench *bench = *state;
    if (!the_kind->warm) {
        assert_null(bench->transport->ops->warm);
        return;
    }
    const char *const urls[] = {the_kind->warm, the_kind->refused, the_kind->silent,
                                the_kind->cut, "ftp://127.0.0.1/", "", "http://"};
    for (int times = 0; times < 20; times++) {
        for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
            if (urls[i]) bench_warm(bench, urls[i]);
        }
    }
    bench_idle(bench, 100 * CAD_MS);
    assert_int_equal(bench->calls, 0);
    /* Every place of a transfer is still free. */
    for (uint32_t i = 1; i < BENCH_IDS; i++) begin(bench, i, 10, WHOLE);
    bench_warm(bench, the_kind->warm);
    for (uint32_t i = 1; i < BENCH_IDS; i++) {
        assert_true(bench_run(bench, i, LONG));
        check_order(bench, &bench->records[i]);
        assert_true(bench_is_pattern(&bench->records[i], 0, 10));
    }
}

static void test_transport_many(void **state)
{
    struct bench *bench = *state;
    enum { MANY = 32 };
    for (uint32_t i = 1; i <= MANY; i++) {
        begin(bench, i, SIZE, (struct cad_range){(int64_t)i * 100, (int64_t)i * 100 + 49999});
    }
    for (uint32_t i = 1; i <= MANY; i++) {
        assert_true(bench_run(bench, i, 2 * LONG));
        check_order(bench, &bench->records[i]);
        assert_int_equal(bench->records[i].end.cls, CAD_HTTP_OK);
        assert_true(bench_is_pattern(&bench->records[i], (int64_t)i * 100, 50000));
    }
}

/* One transfer too many is refused at once; the others are not disturbed. */
static void test_transport_too_many(void **state)
{
    struct bench *bench = *state;
    char url[512];
    struct cad_http_start start;
    the_kind->url(10, url, sizeof url);
    uint32_t started = 0;
    int err = 0;
    for (uint32_t i = 0; i < CAD_TRANSPORT_TRANSFERS_MAX + 1 && !err; i++) {
        bench_request(1 + i % (BENCH_IDS - 1), url, &start);
        err = bench_start(bench, &start);
        if (!err) started++;
    }
    assert_int_equal(started, CAD_TRANSPORT_TRANSFERS_MAX);
    assert_int_equal(err, CAD_E_LIMIT);
    bench_cancel(bench, 1); /* two of them, by the same id */
    bench_request(1, url, &start);
    assert_int_equal(bench_start(bench, &start), 0);
    assert_true(bench_run(bench, 1, LONG));
    assert_true(bench_is_pattern(&bench->records[1], 0, 10));
}

/* Destroyed with everything under way: quick, and without a word to the door. */
static void test_transport_destroy_busy(void **state)
{
    struct bench *bench = *state;
    for (uint32_t i = 1; i <= 8; i++) begin(bench, i, SIZE, WHOLE);
    if (the_kind->silent) begin_url(bench, 9, the_kind->silent);
    if (the_kind->silent && the_kind->warm) bench_warm(bench, the_kind->silent);
    bench_idle(bench, CAD_MS);
    cad_time from = bench_now(bench);
    bench->inside = true;
    bench->transport->ops->destroy(bench->transport);
    bench->inside = false;
    assert_true(bench_now(bench) - from < 50 * CAD_MS);
    for (uint32_t i = 1; i <= 9; i++) assert_false(bench->records[i].disorder);
    assert_int_equal(the_kind->create(&bench->transport), 0); /* for teardown */
}

int transport_contract_run(const struct transport_kind *kind)
{
    the_kind = kind;
#define TEST(name) cmocka_unit_test_setup_teardown(test_transport_##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(whole),         TEST(small_leases),   TEST(ranges),
        TEST(range_past_the_end), TEST(empty),     TEST(missing),
        TEST(cancel_before), TEST(cancel_in_the_middle), TEST(stale),
        TEST(lease_limit),   TEST(lease_no_memory), TEST(size_max),
        TEST(scheme),        TEST(refused),        TEST(stall),
        TEST(silent),        TEST(broken),         TEST(many),
        TEST(too_many),      TEST(destroy_busy),
        TEST(reads),         TEST(address),        TEST(warm),
        TEST(told),
    };
#undef TEST
    return cmocka_run_group_tests_name(kind->name, tests, NULL, NULL);
}
