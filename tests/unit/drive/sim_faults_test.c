/* Goal: faults come from the seed alone, hit known hosts with values the network takes, and every
 * host is well again in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drive/sim_faults.h"

#define HOSTS 3
#define CHANGES 400

struct log {
    struct cad_sim_change change[CHANGES];
    cad_time at[CHANGES];
};

static void record(uint64_t seed, struct log *log)
{
    struct cad_sim_faults faults;
    memset(log, 0, sizeof(*log));
    cad_sim_faults_init(&faults, seed, 20 * CAD_SECOND);
    size_t n = 0;
    while (n < CHANGES) {
        cad_time now = cad_sim_faults_next(&faults);
        assert_true(now != CAD_TIME_NONE);
        while (n < CHANGES && cad_sim_faults_take(&faults, now, HOSTS, &log->change[n])) {
            log->at[n++] = now;
        }
        assert_true(n == CHANGES || cad_sim_faults_next(&faults) > now);
    }
}

static void test_sim_faults_come_from_the_seed(void **state)
{
    static struct log a, b, c;
    (void)state;
    record(7, &a);
    record(7, &b);
    record(8, &c);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_memory_not_equal(&a, &c, sizeof(a));
}

static void test_sim_faults_are_of_every_kind_and_end(void **state)
{
    static struct log log;
    uint32_t kinds[CAD_HOST_RATE + 1] = {0};
    cad_time since[HOSTS] = {0};
    (void)state;
    record(1, &log);
    for (size_t i = 0; i < CHANGES; i++) {
        const struct cad_sim_change *change = &log.change[i];
        assert_true(change->host < HOSTS);
        kinds[change->fault]++;
        if (change->fault == CAD_HOST_STATUS) assert_in_range(change->value, 500, 503);
        if (change->fault == CAD_HOST_RATE) assert_true(change->value > 0);
        if (change->fault == CAD_HOST_UP) {
            assert_true(log.at[i] - since[change->host] <= 30 * CAD_SECOND);
        }
        since[change->host] = log.at[i];
    }
    for (size_t i = 0; i <= CAD_HOST_RATE; i++) assert_true(kinds[i] > 0);
    cad_time mean = log.at[CHANGES - 1] / (CHANGES - kinds[CAD_HOST_UP]);
    assert_in_range(mean, 15 * CAD_SECOND, 25 * CAD_SECOND);
}

static void test_sim_faults_can_be_none(void **state)
{
    struct cad_sim_faults faults;
    struct cad_sim_change change;
    (void)state;
    cad_sim_faults_init(&faults, 1, 0);
    assert_true(cad_sim_faults_next(&faults) == CAD_TIME_NONE);
    assert_false(cad_sim_faults_take(&faults, 1000 * CAD_SECOND, HOSTS, &change));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sim_faults_come_from_the_seed),
        cmocka_unit_test(test_sim_faults_are_of_every_kind_and_end),
        cmocka_unit_test(test_sim_faults_can_be_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
