/* Goal: every nanosecond is in one state, figures follow from a simulated session, legs overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/str.h"
#include "telemetry/qoe.h"

#define S CAD_SECOND

static struct tel_play p;

static struct cad_fact state_fact(enum cad_play_state state, enum cad_stall_reason reason)
{
    struct cad_fact f = {.type = CAD_FACT_STATE};
    f.u.state.state = state;
    f.u.state.reason = reason;
    return f;
}

static bool to_state(cad_time at, enum cad_play_state state)
{
    struct cad_fact f = state_fact(state, CAD_STALL_NETWORK);
    cad_time stall = 0;
    tel_play_advance(&p, at);
    return tel_play_state(&p, &f, &stall);
}

static bool show(cad_time at, const char *id, int64_t rate_bps, int32_t vmaf)
{
    struct cad_fact f = {.type = CAD_FACT_SHOWN};
    int64_t from;
    f.u.shown.kind = CAD_SHOWN_VIDEO;
    f.u.shown.id = cad_str_from(id);
    f.u.shown.rate_bps = rate_bps;
    f.u.shown.vmaf_milli = vmaf;
    tel_play_advance(&p, at);
    return tel_play_shown(&p, &f, &from);
}

static struct cad_qoe figures(void)
{
    struct cad_qoe q = {.size = 0};
    tel_play_figures(&p, &q);
    return q;
}

static void test_qoe_ledger_of_a_start(void **state)
{
    (void)state;
    tel_play_begin(&p, 10 * S);
    tel_play_leg(&p, CAD_LEG_MANIFEST, 10 * S, 11 * S);
    tel_play_leg(&p, CAD_LEG_DNS, 10 * S, 10 * S + S / 10);
    tel_play_leg(&p, CAD_LEG_LICENCE, 12 * S, 14 * S);
    tel_play_leg(&p, CAD_LEG_SEGMENT, 12 * S, 13 * S);
    tel_play_leg(&p, CAD_LEG_SEGMENT, 13 * S, 15 * S);
    tel_play_advance(&p, 16 * S);
    tel_play_first_frame(&p);
    tel_play_leg(&p, CAD_LEG_DECODE, 16 * S, 17 * S); /* not of the start any more */
    struct cad_qoe q = figures();
    assert_int_equal(q.play_delay, 6 * S);
    assert_int_equal(q.leg_begin[CAD_LEG_SEGMENT], 2 * S);
    assert_int_equal(q.leg_end[CAD_LEG_SEGMENT], 5 * S);
    assert_int_equal(q.leg_end[CAD_LEG_DECODE], -1);
    assert_int_equal(q.leg_critical, CAD_LEG_SEGMENT);
    assert_int_equal(q.leg_wait, 2 * S); /* 11..12 and 15..16 */
}

/* The union of random spans, told in any order, against counting cells. */
static void test_qoe_wait_is_what_no_leg_covers(void **state)
{
    (void)state;
    struct cad_rng rng;
    cad_rng_init(&rng, 7);
    for (int round = 0; round < 300; round++) {
        bool cells[100] = {false};
        tel_play_begin(&p, 0);
        uint64_t n = cad_rng_below(&rng, 12);
        for (uint64_t i = 0; i < n; i++) {
            int64_t a = cad_rng_range_i64(&rng, 0, 99), b = cad_rng_range_i64(&rng, a, 99);
            tel_play_leg(&p, (enum cad_leg)(i % CAD_LEGS), a * CAD_MS, b * CAD_MS);
            for (int64_t c = a; c < b; c++) cells[c] = true;
        }
        tel_play_advance(&p, 100 * CAD_MS);
        tel_play_first_frame(&p);
        int64_t open = 0;
        for (int c = 0; c < 100; c++) open += !cells[c];
        assert_int_equal(figures().leg_wait, open * CAD_MS);
    }
}

static void test_qoe_stalls(void **state)
{
    (void)state;
    tel_play_begin(&p, 0);
    to_state(2 * S, CAD_PLAY_PLAYING);
    to_state(12 * S, CAD_PLAY_REBUFFERING);
    /* 50 ms is none: it was playing. */
    assert_false(to_state(12 * S + 50 * CAD_MS, CAD_PLAY_PLAYING));
    assert_int_equal(figures().rebuffers, 0);
    assert_int_equal(figures().in_state[CAD_PLAY_PLAYING], 10 * S + 50 * CAD_MS);
    to_state(20 * S, CAD_PLAY_REBUFFERING);
    to_state(21 * S, CAD_PLAY_PAUSED);
    to_state(50 * S, CAD_PLAY_REBUFFERING);
    tel_play_advance(&p, 51 * S);
    assert_int_equal(figures().rebuffers, 1); /* it is open, and counts */
    assert_true(to_state(52 * S, CAD_PLAY_PLAYING));
    to_state(60 * S, CAD_PLAY_SEEKING);
    to_state(65 * S, CAD_PLAY_PLAYING);
    struct cad_qoe q = figures();
    assert_int_equal(q.rebuffers, 1); /* a pause inside of it does not make two */
    assert_int_equal(q.rebuffer, 3 * S);
    assert_int_equal(q.rebuffer_by[CAD_STALL_NETWORK], 3 * S);
    assert_int_equal(q.in_state[CAD_PLAY_PAUSED], 29 * S);
    assert_int_equal(q.in_state[CAD_PLAY_SEEKING], 5 * S);
    assert_int_equal(q.in_state[CAD_PLAY_STARTING], 2 * S);
    /* 26 s played, 3 s stalled. */
    assert_int_equal(q.in_state[CAD_PLAY_PLAYING], 26 * S);
    assert_int_equal(q.rebuffer_ppm, 3 * 1000000 / 29);
    assert_int_equal(q.rendered, 25 * S + 950 * CAD_MS);
}

static void test_qoe_rungs(void **state)
{
    (void)state;
    struct cad_qoe q;
    tel_play_begin(&p, 0);
    to_state(0, CAD_PLAY_PLAYING);
    assert_false(show(S, "a", 1000, 60000)); /* the first second is its own, too */
    assert_true(show(10 * S, "b", 3000, 90000));
    assert_false(show(20 * S, "b", 3000, 90000));
    assert_true(show(30 * S, "a", 1000, -1));
    tel_play_advance(&p, 40 * S);
    q = figures();
    assert_int_equal(q.rung_count[CAD_SHOWN_VIDEO], 2);
    assert_int_equal(q.rungs[CAD_SHOWN_VIDEO][0].shown, 20 * S);
    assert_int_equal(q.rungs[CAD_SHOWN_VIDEO][1].shown, 20 * S);
    assert_int_equal(q.rate_mean_bps, 2000);
    assert_int_equal(q.rate_start_bps, 1000);
    assert_int_equal(q.switches, 2);
    assert_int_equal(q.switch_bps, 4000);
    assert_int_equal(q.vmaf_mean_milli, (9 * 60000 + 20 * 90000) / 29);
    assert_int_equal(q.vmaf_p10_milli, 60000);
    assert_int_equal(q.vmaf_low, 9 * S);
    assert_int_equal(q.vmaf_cover_ppm, 29 * 1000000 / 40);
    for (int i = 0; i < 2 * CAD_TELEMETRY_RUNGS_MAX; i++) {
        char id[8] = {'r', (char)('0' + i / 10 % 10), (char)('0' + i % 10), (char)('A' + i / 100)};
        show((41 + i) * S, id, 5000, -1);
    }
    q = figures();
    assert_int_equal(q.rung_count[CAD_SHOWN_VIDEO], CAD_TELEMETRY_RUNGS_MAX);
    cad_time sum = 0;
    for (int i = 0; i < CAD_TELEMETRY_RUNGS_MAX; i++) sum += q.rungs[CAD_SHOWN_VIDEO][i].shown;
    assert_int_equal(sum, q.rendered);
}

/* Random sessions: states add up to the time that passed, rungs to what was rendered. */
static void test_qoe_sums_add_up(void **state)
{
    (void)state;
    struct cad_rng rng;
    cad_rng_init(&rng, 11);
    for (int round = 0; round < 200; round++) {
        cad_time now = 0, rendered = 0, played = 0;
        tel_play_begin(&p, 0);
        for (int i = 0; i < 100; i++) {
            now += cad_rng_range_i64(&rng, 0, 3 * S);
            struct cad_fact f = state_fact((enum cad_play_state)cad_rng_below(&rng, 6) + 1,
                                           (enum cad_stall_reason)cad_rng_below(&rng, 4));
            f.u.state.rate_q16 = 32768u << cad_rng_below(&rng, 3);
            cad_time stall;
            tel_play_advance(&p, now);
            tel_play_state(&p, &f, &stall);
            char id[2] = {(char)('a' + cad_rng_below(&rng, 5)), '\0'};
            if (cad_rng_chance(&rng, 1, 2)) show(now, id, 1000, 50000);
            assert_true(p.q.rendered >= rendered);
            rendered = p.q.rendered;
        }
        struct cad_qoe q = figures();
        for (int i = 0; i < CAD_PLAY_STATES; i++) played += q.in_state[i];
        assert_int_equal(played, now);
        cad_time rungs = 0;
        for (uint32_t i = 0; i < q.rung_count[0]; i++) rungs += q.rungs[0][i].shown;
        if (q.rung_count[0]) assert_int_equal(rungs, q.rendered);
        cad_time by = 0;
        for (int i = 0; i < CAD_STALL_REASONS; i++) by += q.rebuffer_by[i];
        assert_int_equal(by, q.rebuffer);
    }
}

static void test_qoe_quantiles_are_near(void **state)
{
    (void)state;
    static struct tel_hist h;
    memset(&h, 0, sizeof(h));
    assert_int_equal(tel_hist_at(&h, 500), -1);
    for (int64_t v = 1; v <= 100000; v++) tel_hist_add(&h, v);
    for (uint32_t permille = 1; permille <= 1000; permille++) {
        int64_t got = tel_hist_at(&h, permille), want = (int64_t)permille * 100;
        assert_true(got * 100 >= want * 91 && got * 100 <= want * 109);
    }
    tel_hist_add(&h, INT64_MAX);
    tel_hist_add(&h, -5); /* no value */
    assert_int_equal(h.count, 100001);
}

static void test_qoe_seeks_and_transfers(void **state)
{
    (void)state;
    struct cad_fact f = {.type = CAD_FACT_TRANSFER};
    tel_play_begin(&p, 0);
    tel_play_seek(&p);
    tel_play_advance(&p, S);
    tel_play_seek(&p); /* another target: the wait goes on */
    tel_play_advance(&p, 2 * S);
    tel_play_seek_done(&p);
    tel_play_seek_done(&p);
    f.u.transfer.begin = 0;
    f.u.transfer.first_byte = S;
    f.u.transfer.end = 2 * S;
    f.u.transfer.bytes = 1000000;
    tel_play_transfer(&p, &f);
    struct cad_qoe q = figures();
    assert_int_equal(q.seeks, 1);
    assert_true(q.seek_p50 > 19 * S / 10 && q.seek_p50 < 22 * S / 10);
    assert_true(q.throughput_p50_bps > 7300000 && q.throughput_p50_bps < 8700000);
    assert_int_equal(q.bytes, 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_qoe_ledger_of_a_start),
        cmocka_unit_test(test_qoe_wait_is_what_no_leg_covers),
        cmocka_unit_test(test_qoe_stalls),
        cmocka_unit_test(test_qoe_rungs),
        cmocka_unit_test(test_qoe_sums_add_up),
        cmocka_unit_test(test_qoe_quantiles_are_near),
        cmocka_unit_test(test_qoe_seeks_and_transfers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
