/* Goal: scores are the sums of ftl.md 7, in integers, and they age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "steer/ftl.h"

#define MS CAD_MS
#define S CAD_SECOND

static struct ftl_scores scores;

static struct cad_ftl_target target_of(const char *name, const char *url, const char *host)
{
    return (struct cad_ftl_target){cad_str_from(name), cad_str_from(url), cad_str_from(host),
                                   cad_str_from(host), -1};
}

static struct ftl_record *fresh(void)
{
    struct cad_ftl_target target = target_of("a", "https://a.test/", "a.test");
    scores = (struct ftl_scores){0};
    return cad_ftl_record_of(&scores, &target);
}

static void add(struct ftl_record *record, enum cad_ftl_ec ec, bool reused, cad_time ttfb,
                cad_time sent)
{
    struct cad_ftl_pulse pulse = {.done = true, .ec = ec, .reused = reused, .ttfb = ttfb,
                                  .d = 1 * MS, .dns = 0, .tcp = 0, .tls = 0, .recv_ts = -1};
    if (!reused) {
        pulse.dns = 5 * MS;
        pulse.tcp = 10 * MS;
        pulse.tls = CAD_TIME_NONE;
    }
    cad_ftl_record_add(record, &pulse, sent);
}

static struct cad_ftl_score score_at(const struct ftl_record *record, cad_time now)
{
    struct cad_ftl_score score;
    assert_true(cad_ftl_record_score(record, now, &score));
    return score;
}

static void test_score_of_cold_and_warm_answers(void **state)
{
    (void)state;
    struct ftl_record *r = fresh();
    struct cad_ftl_score score;
    assert_false(cad_ftl_record_score(r, 0, &score)); /* n < 1: no score */
    add(r, CAD_FTL_EC_NONE, false, 45 * MS, 0);
    score = score_at(r, S);
    assert_true(score.latency == 30 * MS && score.jitter == 0); /* without its connection */
    assert_int_equal(score.n, 1);
    assert_int_equal(score.warm, 0);
    assert_int_equal(score.availability_permille, 666);
    assert_int_equal(score.cost_us, 30000 * 9 / 4); /* 30 ms / (2/3)^2 */
    add(r, CAD_FTL_EC_NONE, true, 20 * MS, 2 * S); /* the first warm one begins anew */
    score = score_at(r, 3 * S);
    assert_true(score.latency == 20 * MS && score.jitter == 0 && score.warm == 1);
    add(r, CAD_FTL_EC_NONE, false, 900 * MS, 4 * S); /* a cold one says nothing any more */
    assert_true(score_at(r, 5 * S).latency == 20 * MS);
    add(r, CAD_FTL_EC_NONE, true, 30 * MS, 6 * S);
    score = score_at(r, 7 * S);
    assert_true(score.latency == 23 * MS); /* 20 + 0.3 * 10 */
    assert_true(score.jitter == 2500 * CAD_US); /* 0 + 0.25 * 10 */
    assert_int_equal(score.cost_us, (23000 + 5000) * 36 / 25); /* A = 5/6 */
}

static void test_score_counts_failures(void **state)
{
    (void)state;
    struct ftl_record *r = fresh();
    add(r, CAD_FTL_EC_TIMEOUT, false, CAD_TIME_NONE, 0);
    struct cad_ftl_score score = score_at(r, S);
    assert_true(score.cost_us == CAD_FTL_COST_NONE && score.latency == CAD_TIME_NONE);
    add(r, CAD_FTL_EC_NONE, true, 10 * MS, S);
    for (int i = 0; i < 19; i++) add(r, CAD_FTL_EC_RESET, true, CAD_TIME_NONE, (2 + i) * S);
    score = score_at(r, 30 * S);
    assert_int_equal(score.n, CAD_FTL_WINDOW); /* the first failure fell out */
    assert_int_equal(score.ok, 1);
    assert_int_equal(score.availability_permille, 90);
    assert_int_equal(score.cost_us, 10000 * 100); /* not below 0.1 */
    assert_int_equal(score.last3_n, 3);
    assert_int_equal(score.last3_ok, 0);
    add(r, CAD_FTL_EC_TLS, true, CAD_TIME_NONE, 30 * S);
    assert_int_equal(score_at(r, 31 * S).identity_failures, 1);
}

static void test_score_streak(void **state)
{
    (void)state;
    struct ftl_record *r = fresh();
    add(r, CAD_FTL_EC_NONE, true, MS, 1 * S);
    assert_int_equal(score_at(r, 2 * S).streak, 1);
    assert_true(score_at(r, 2 * S).streak_at == CAD_TIME_NONE);
    add(r, CAD_FTL_EC_NONE, true, MS, 3 * S);
    assert_true(score_at(r, 4 * S).streak_at == 1 * S);
    add(r, CAD_FTL_EC_NONE, true, MS, 5 * S);
    assert_true(score_at(r, 6 * S).streak_at == 3 * S);
    add(r, CAD_FTL_EC_HTTP, true, MS, 7 * S);
    assert_int_equal(score_at(r, 8 * S).streak, 0);
    assert_true(score_at(r, 8 * S).streak_at == CAD_TIME_NONE);
    add(r, CAD_FTL_EC_NONE, true, MS, 9 * S);
    assert_true(score_at(r, 10 * S).streak_at == CAD_TIME_NONE);
}

static void test_score_ages(void **state)
{
    (void)state;
    struct ftl_record *r = fresh();
    struct cad_ftl_score score;
    add(r, CAD_FTL_EC_RESET, true, CAD_TIME_NONE, 0);
    add(r, CAD_FTL_EC_NONE, true, MS, 3000 * S);
    assert_int_equal(score_at(r, 3600 * S).n, 2);
    assert_int_equal(score_at(r, 3601 * S + MS).n, 1); /* an hour */
    assert_true(cad_ftl_record_score(r, 4800 * S + MS, &score)); /* half an hour */
    assert_false(cad_ftl_record_score(r, 4800 * S + 2 * MS, &score));
}

static void test_score_places_are_limited(void **state)
{
    (void)state;
    char name[8];
    scores = (struct ftl_scores){0};
    for (int i = 0; i < CAD_FTL_SCORES_MAX; i++) {
        (void)snprintf(name, sizeof(name), "t%d", i);
        struct cad_ftl_target target = target_of(name, "https://t.test/", "t.test");
        add(cad_ftl_record_of(&scores, &target), CAD_FTL_EC_NONE, true, MS,
            (i == 5 ? 1 : 100 + i) * S);
    }
    struct cad_ftl_target more = target_of("more", "https://m.test/", "m.test");
    assert_int_equal(cad_ftl_record_of(&scores, &more)->sample_count, 0);
    assert_null(cad_ftl_record_named(&scores, CAD_STR("t5"))); /* heard of longest ago */
    assert_non_null(cad_ftl_record_named(&scores, CAD_STR("t6")));
    assert_non_null(cad_ftl_record_named(&scores, CAD_STR("more")));
    /* A name on another host is another target. */
    struct cad_ftl_target moved = target_of("t6", "https://x.test/", "x.test");
    assert_int_equal(cad_ftl_record_of(&scores, &moved)->sample_count, 0);
    moved.url = CAD_STR("https://x.test:8443/");
    add(cad_ftl_record_of(&scores, &moved), CAD_FTL_EC_NONE, true, MS, S);
    assert_int_equal(cad_ftl_record_of(&scores, &moved)->sample_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_score_of_cold_and_warm_answers),
        cmocka_unit_test(test_score_counts_failures),
        cmocka_unit_test(test_score_streak),
        cmocka_unit_test(test_score_ages),
        cmocka_unit_test(test_score_places_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
