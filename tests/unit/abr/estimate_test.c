/* Goal: the averages are what the formula says, and only bytes that tell about the link count. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "abr/estimate.h"
#include "base/rand.h"
#include "base/util.h"

static struct cad_abr_transfer transfer_of(cad_time start, cad_time first, cad_time end,
                                           int64_t bytes)
{
    return (struct cad_abr_transfer){.start = start,
                                     .first_byte = first,
                                     .end = end,
                                     .bytes = bytes,
                                     .complete = true,
                                     .busy = end - start,
                                     .bytes_all = bytes};
}

static struct cad_abr_estimate fresh(void)
{
    struct cad_abr_config config;
    cad_abr_config_init(&config);
    struct cad_abr_estimate e;
    cad_abr_estimate_init(&e, &config);
    return e;
}

static void test_decay_is_a_power_of_two(void **state)
{
    (void)state;
    assert_true(cad_abr_decay_q32(0, CAD_SECOND) == UINT64_C(1) << 32);
    assert_true(cad_abr_decay_q32(-5, CAD_SECOND) == UINT64_C(1) << 32);
    assert_true(cad_abr_decay_q32(CAD_SECOND, CAD_SECOND) == UINT64_C(1) << 31);
    assert_true(cad_abr_decay_q32(31 * CAD_SECOND, CAD_SECOND) == 2);
    assert_true(cad_abr_decay_q32(32 * CAD_SECOND, CAD_SECOND) == 0);
    assert_true(cad_abr_decay_q32(CAD_TIME_MAX, 1) == 0);
    struct cad_rng r;
    cad_rng_init(&r, 1);
    for (int i = 0; i < 5000; i++) {
        cad_time half_life = cad_rng_range_i64(&r, CAD_MS, 20 * CAD_SECOND);
        cad_time t = cad_rng_range_i64(&r, 0, 8 * half_life);
        double want = exp2(-(double)t / (double)half_life);
        double got = (double)cad_abr_decay_q32(t, half_life) / 4294967296.0;
        assert_true(fabs(got - want) < 0.00002);
    }
}

static void test_sample_leaves_the_first_byte_out(void **state)
{
    (void)state;
    /* 125,000 bytes in 500 ms after 100 ms of waiting: 2 Mbit/s for 500 ms. */
    struct cad_abr_transfer t = transfer_of(0, 100 * CAD_MS, 600 * CAD_MS, 125000);
    cad_time duration = 0;
    assert_int_equal(cad_abr_sample_bps(&t, &duration), 2000000);
    assert_int_equal(duration, 500 * CAD_MS);
    /* The same in one burst at the end: over the whole of it. */
    t = transfer_of(0, 590 * CAD_MS, 600 * CAD_MS, 75000);
    assert_int_equal(cad_abr_sample_bps(&t, &duration), 1000000);
    assert_int_equal(duration, 600 * CAD_MS);
}

static void test_sample_ignores_what_tells_nothing(void **state)
{
    (void)state;
    cad_time duration = 7;
    struct cad_abr_transfer t =
        transfer_of(0, CAD_MS, CAD_SECOND, CAD_ABR_SAMPLE_BYTES_MIN - 1);
    assert_int_equal(cad_abr_sample_bps(&t, &duration), 0);
    t.bytes++;
    assert_true(cad_abr_sample_bps(&t, &duration) > 0);
    t.first_byte = CAD_TIME_NONE;
    assert_int_equal(cad_abr_sample_bps(&t, &duration), 0);
    t = transfer_of(CAD_SECOND, CAD_SECOND, CAD_MS, 100000);
    assert_int_equal(cad_abr_sample_bps(&t, &duration), 0);
    t = transfer_of(CAD_SECOND, CAD_MS, 2 * CAD_SECOND, 100000);
    assert_int_equal(cad_abr_sample_bps(&t, &duration), 0);
}

static void test_sample_counts_all_streams_of_a_shared_link(void **state)
{
    (void)state;
    /* Audio took 25 kB of the 250 kB that came in this second. */
    struct cad_abr_transfer t = transfer_of(0, 0, CAD_SECOND, 25000);
    t.shared = true;
    t.bytes_all = 250000;
    cad_time duration = 0;
    assert_int_equal(cad_abr_sample_bps(&t, &duration), 2000000);
    t.shared = false;
    assert_int_equal(cad_abr_sample_bps(&t, &duration), 200000);
    /* All waited 900 ms, then all came in 100 ms: its own rate is the better bound. */
    t = transfer_of(0, 800 * CAD_MS, CAD_SECOND, 50000);
    t.shared = true;
    t.bytes_all = 60000;
    assert_int_equal(cad_abr_sample_bps(&t, &duration), 2000000);
}

static void test_sample_is_cut_where_numbers_end(void **state)
{
    (void)state;
    struct cad_abr_transfer t = transfer_of(0, 0, 0, INT64_MAX);
    cad_time duration = 0;
    assert_true(cad_abr_sample_bps(&t, &duration) == CAD_ABR_RATE_MAX_BPS);
    assert_int_equal(duration, CAD_ABR_SAMPLE_TIME_MIN);
    struct cad_abr_estimate e = fresh();
    for (int i = 0; i < 100; i++) cad_abr_estimate_add(&e, &t);
    int64_t got = cad_abr_estimate_get(&e);
    assert_true(got < CAD_ABR_RATE_MAX_BPS / 1000 * 1001); /* weights of 1 ms are rounded, too */
    assert_true(got > CAD_ABR_RATE_MAX_BPS / 1000 * 999);
}

static void test_estimate_counts_the_first_sample_in_full(void **state)
{
    (void)state;
    struct cad_abr_estimate e = fresh();
    assert_int_equal(cad_abr_estimate_get(&e), 0);
    assert_int_equal(cad_abr_estimate_ttfb(&e), 0);
    struct cad_abr_transfer t = transfer_of(0, 40 * CAD_MS, 540 * CAD_MS, 125000);
    cad_abr_estimate_add(&e, &t);
    assert_in_range(cad_abr_estimate_get(&e), 1999990, 2000000);
    assert_int_equal(cad_abr_estimate_ttfb(&e), 40 * CAD_MS);
}

/* The same sums in floating point, by the definition. */
struct reference {
    double sum, weight, half_life;
};

static void reference_add(struct reference *r, double rate, double seconds)
{
    double keep = exp2(-seconds / r->half_life);
    r->sum = r->sum * keep + rate * (1 - keep);
    r->weight = r->weight * keep + (1 - keep);
}

static void test_estimate_is_the_lower_of_two_averages(void **state)
{
    (void)state;
    struct cad_rng rng;
    cad_rng_init(&rng, 2);
    struct cad_abr_estimate e = fresh();
    struct reference fast = {0, 0, 3};
    struct reference slow = {0, 0, 8};
    cad_time now = 0;
    for (int i = 0; i < 2000; i++) {
        int64_t rate = cad_rng_range_i64(&rng, 300000, 30000000);
        cad_time takes = cad_rng_range_i64(&rng, 500 * CAD_MS, 4 * CAD_SECOND);
        int64_t bytes = (int64_t)((double)rate * (double)takes / 8e9);
        struct cad_abr_transfer t = transfer_of(now, now, now + takes, bytes);
        cad_abr_estimate_add(&e, &t);
        now += takes;
        double seconds = (double)takes / 1e9;
        reference_add(&fast, (double)bytes * 8 / seconds, seconds);
        reference_add(&slow, (double)bytes * 8 / seconds, seconds);
        double want = CAD_MIN(fast.sum / fast.weight, slow.sum / slow.weight);
        double got = (double)cad_abr_estimate_get(&e);
        assert_true(fabs(got - want) < want * 0.001);
    }
}

static void test_estimate_falls_fast_and_rises_slowly(void **state)
{
    (void)state;
    struct cad_abr_estimate e = fresh();
    struct cad_abr_transfer high = transfer_of(0, 0, 3 * CAD_SECOND, 3000000); /* 8 Mbit/s */
    struct cad_abr_transfer low = transfer_of(0, 0, 3 * CAD_SECOND, 375000);   /* 1 Mbit/s */
    for (int i = 0; i < 30; i++) cad_abr_estimate_add(&e, &high);
    cad_abr_estimate_add(&e, &low);
    assert_in_range(cad_abr_estimate_get(&e), 4400000, 4600000); /* half way in one half life */
    for (int i = 0; i < 30; i++) cad_abr_estimate_add(&e, &low);
    cad_abr_estimate_add(&e, &high);
    assert_in_range(cad_abr_estimate_get(&e), 2500000, 2650000); /* 1 + 7 (1 - 2^-(3/8)) */
}

static void test_estimate_seed_stands_until_the_first_sample(void **state)
{
    (void)state;
    struct cad_abr_config config;
    cad_abr_config_init(&config);
    config.rate_seed_bps = 5000000;
    struct cad_abr_estimate e;
    cad_abr_estimate_init(&e, &config);
    assert_int_equal(cad_abr_estimate_get(&e), 5000000);
    struct cad_abr_transfer t = transfer_of(0, 0, CAD_SECOND, 125000);
    cad_abr_estimate_add(&e, &t);
    assert_in_range(cad_abr_estimate_get(&e), 999990, 1000000);
    cad_abr_estimate_reset(&e);
    assert_int_equal(cad_abr_estimate_get(&e), 0);
}

static void test_estimate_first_byte_average(void **state)
{
    (void)state;
    struct cad_abr_estimate e = fresh();
    struct cad_abr_transfer t = transfer_of(0, 100 * CAD_MS, 200 * CAD_MS, 100);
    cad_abr_estimate_add(&e, &t); /* too small for a rate, not for this */
    assert_int_equal(cad_abr_estimate_get(&e), 0);
    assert_int_equal(cad_abr_estimate_ttfb(&e), 100 * CAD_MS);
    t.first_byte = 20 * CAD_MS;
    cad_abr_estimate_add(&e, &t);
    assert_int_equal(cad_abr_estimate_ttfb(&e), 80 * CAD_MS);
    t.first_byte = CAD_TIME_NONE;
    cad_abr_estimate_add(&e, &t);
    assert_int_equal(cad_abr_estimate_ttfb(&e), 80 * CAD_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decay_is_a_power_of_two),
        cmocka_unit_test(test_sample_leaves_the_first_byte_out),
        cmocka_unit_test(test_sample_ignores_what_tells_nothing),
        cmocka_unit_test(test_sample_counts_all_streams_of_a_shared_link),
        cmocka_unit_test(test_sample_is_cut_where_numbers_end),
        cmocka_unit_test(test_estimate_counts_the_first_sample_in_full),
        cmocka_unit_test(test_estimate_is_the_lower_of_two_averages),
        cmocka_unit_test(test_estimate_falls_fast_and_rises_slowly),
        cmocka_unit_test(test_estimate_seed_stands_until_the_first_sample),
        cmocka_unit_test(test_estimate_first_byte_average),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
