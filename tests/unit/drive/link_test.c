/* Goal: a link hands out exactly rate x time, equally, across periods without bits and round and
 * round the trace, and the moment a body is whole does not depend on how often one looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "drive/link.h"

static struct cad_trace_period constant_rows[] = {{CAD_SECOND, 8000, 40 * CAD_MS}};
static struct cad_trace_period stepped_rows[] = {
    {CAD_SECOND, 8000, 10 * CAD_MS}, {CAD_SECOND, 0, 20 * CAD_MS}, {0, 1, 1},
    {2 * CAD_SECOND, 16000, 30 * CAD_MS}};
static const struct cad_trace constant = {constant_rows, 1};
static const struct cad_trace stepped = {stepped_rows, 4};

/* Run to the moment at which `bytes` are in. */
static cad_time finish(struct cad_link *link, struct cad_flow *flow, int64_t bytes)
{
    while (cad_link_received(flow) < bytes) cad_link_advance(link, cad_link_reach(flow, bytes));
    return link->now;
}

static void test_link_one_flow_gets_the_rate(void **state)
{
    (void)state;
    struct cad_link link;
    struct cad_flow flow = {NULL, 0};
    cad_link_init(&link, &constant, 0);
    assert_int_equal(cad_link_latency(&link), 40 * CAD_MS);
    cad_link_join(&link, &flow, 0);
    assert_int_equal(finish(&link, &flow, 2500), 2500 * CAD_MS);
    assert_int_equal(cad_link_received(&flow), 2500);
}

static void test_link_two_flows_share(void **state)
{
    (void)state;
    struct cad_link link;
    struct cad_flow a = {NULL, 0};
    struct cad_flow b = {NULL, 0};
    cad_link_init(&link, &constant, 0);
    cad_link_join(&link, &a, 0);
    cad_link_advance(&link, 500 * CAD_MS);
    cad_link_join(&link, &b, 0);
    /* a has 500 of 1000 bytes and half the speed: 1 s more. */
    assert_int_equal(finish(&link, &a, 1000), 1500 * CAD_MS);
    assert_int_equal(cad_link_received(&b), 500);
    cad_link_leave(&a);
    assert_int_equal(finish(&link, &b, 1000), 2000 * CAD_MS);
    cad_link_leave(&b);
    assert_int_equal(link.flows, 0);
}

static void test_link_waits_through_periods_without_bits(void **state)
{
    (void)state;
    struct cad_link link;
    struct cad_flow flow = {NULL, 0};
    cad_link_init(&link, &stepped, 0);
    cad_link_join(&link, &flow, 0);
    assert_int_equal(cad_link_reach(&flow, 1500), CAD_SECOND);
    /* 1000 bytes in the first second, none in the second, 2000 a second after it. */
    assert_int_equal(finish(&link, &flow, 1500), 2250 * CAD_MS);
    assert_int_equal(cad_link_latency(&link), 30 * CAD_MS);
    /* The trace begins again after 4 s: 5000 bytes a round. */
    assert_int_equal(finish(&link, &flow, 3 * 5000 + 600), 12600 * CAD_MS);
}

static void test_link_idle_time_passes_in_one_step(void **state)
{
    (void)state;
    struct cad_link link;
    cad_link_init(&link, &stepped, 0);
    cad_link_advance(&link, INT64_C(1000000) * 4 * CAD_SECOND + 1500 * CAD_MS);
    assert_int_equal(cad_link_rate(&link), 0);
    assert_int_equal(link.period_end, INT64_C(1000000) * 4 * CAD_SECOND + 2 * CAD_SECOND);
    cad_link_advance(&link, link.period_end);
    assert_int_equal(cad_link_rate(&link), 16000);
}

static void test_link_cap_and_move_keep_what_was_received(void **state)
{
    (void)state;
    struct cad_link link;
    struct cad_link own;
    struct cad_flow flow = {NULL, 0};
    cad_link_init(&link, &constant, 0);
    cad_link_join(&link, &flow, 0);
    cad_link_advance(&link, 1234567891);
    cad_link_init(&own, &constant, 0);
    cad_link_cap(&own, 800);
    cad_link_advance(&own, 1234567891);
    int64_t before = cad_link_received(&flow);
    cad_link_move(&flow, &own);
    assert_int_equal(link.flows, 0);
    assert_int_equal(cad_link_received(&flow), before);
    /* 2000 bytes are 16000 bits; 9876.543128 are there, the rest comes at 800 bit/s. */
    assert_int_equal(finish(&own, &flow, 2000), INT64_C(1234567891) + INT64_C(7654321090));
}

/* Stepping at odd moments gives the same end as jumping: nothing is lost in rounding. */
static void test_link_end_does_not_depend_on_steps(void **state)
{
    (void)state;
    struct cad_trace_period rows[] = {{CAD_SECOND, 3333333, 0}, {CAD_SECOND / 3, 7777777, 0}};
    struct cad_trace trace = {rows, 2};
    struct cad_rng rng;
    cad_rng_init(&rng, 7);
    for (int round = 0; round < 20; round++) {
        cad_time ends[2];
        for (int stepping = 0; stepping < 2; stepping++) {
            struct cad_link link;
            struct cad_flow flows[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
            cad_link_init(&link, &trace, 0);
            for (int i = 0; i < 3; i++) cad_link_join(&link, &flows[i], 0);
            int64_t bytes = 1000000 + round * 77777;
            while (cad_link_received(&flows[0]) < bytes) {
                cad_time to = cad_link_reach(&flows[0], bytes);
                cad_time odd = link.now + cad_rng_range_i64(&rng, 1, 5000000);
                cad_link_advance(&link, stepping && odd < to ? odd : to);
            }
            ends[stepping] = link.now;
            assert_int_equal(cad_link_received(&flows[2]), bytes);
        }
        assert_int_equal(ends[0], ends[1]);
    }
}

/* 64 flows at 1 Tbit/s for a day: the numbers that need 128 bits. */
static void test_link_large_numbers(void **state)
{
    (void)state;
    struct cad_trace_period rows[] = {{INT64_C(1000000) * CAD_SECOND, INT64_C(1000000000000), 0}};
    struct cad_trace trace = {rows, 1};
    struct cad_link link;
    struct cad_flow flows[64];
    memset(flows, 0, sizeof(flows));
    cad_link_init(&link, &trace, 0);
    for (int i = 0; i < 64; i++) cad_link_join(&link, &flows[i], 0);
    cad_time day = INT64_C(86400) * CAD_SECOND;
    cad_link_advance(&link, day);
    int64_t each = INT64_C(1000000000000) / 8 / 64 * 86400;
    assert_int_equal(cad_link_received(&flows[63]), each);
    assert_int_equal(cad_link_reach(&flows[0], 2 * each), 2 * day);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_link_one_flow_gets_the_rate),
        cmocka_unit_test(test_link_two_flows_share),
        cmocka_unit_test(test_link_waits_through_periods_without_bits),
        cmocka_unit_test(test_link_idle_time_passes_in_one_step),
        cmocka_unit_test(test_link_cap_and_move_keep_what_was_received),
        cmocka_unit_test(test_link_end_does_not_depend_on_steps),
        cmocka_unit_test(test_link_large_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
