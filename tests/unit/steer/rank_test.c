/* Goal: probes move servers inside a level, one place at a time and past noise only; without
 * results nothing changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/str.h"
#include "steer/steer.h"

#define S CAD_SECOND
#define ALL UINT64_MAX

#define SERVER(name, location, low)                                                                \
    {.id = CAD_STR_INIT(name), .host = CAD_STR_INIT(name ".test"), .location_rank = (location),    \
     .level = (location), .lowgrade = (low)}

/* Three servers in the first location, one of last resort, two in the second. */
static const struct cad_steer_server six[] = {
    SERVER("a", 1, false), SERVER("b", 1, false), SERVER("c", 1, false),
    SERVER("d", 1, true),  SERVER("e", 2, false), SERVER("f", 2, false)};

static struct cad_steer *create(void)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_steer *steer = NULL;
    assert_int_equal(cad_steer_create(&alloc, &steer), CAD_OK);
    assert_int_equal(cad_steer_set_servers(steer, six, 6), CAD_OK);
    return steer;
}

/* A server that answers in so many ms. */
static struct cad_steer_result answers(int64_t cost_ms, uint32_t n)
{
    return (struct cad_steer_result){
        .known = true,
        .score = {.n = n, .ok = n, .cost_us = cost_ms * 1000, .last3_n = n < 3 ? n : 3,
                  .last3_ok = n < 3 ? n : 3, .streak_at = CAD_TIME_NONE}};
}

static struct cad_steer_result fails(void)
{
    return (struct cad_steer_result){.known = true,
                                     .score = {.n = 3, .cost_us = CAD_FTL_COST_NONE, .last3_n = 3,
                                               .last3_ok = 1, .streak_at = CAD_TIME_NONE}};
}

static void assert_order(const struct cad_steer *steer, const char *ids)
{
    uint32_t order[CAD_STEER_SERVERS_MAX];
    char text[CAD_STEER_SERVERS_MAX + 1] = {0};
    uint32_t count = cad_steer_order(steer, order, CAD_STEER_SERVERS_MAX);
    for (uint32_t i = 0; i < count; i++) text[i] = cad_steer_id(steer, order[i]).p[0];
    assert_string_equal(text, ids);
}

static void test_rank_without_results_is_the_manifests(void **state)
{
    (void)state;
    struct cad_steer *steer = create();
    struct cad_steer_result none[6] = {0};
    assert_order(steer, "abcdef");
    assert_int_equal(cad_steer_rerank(steer, none, 6, S), 0);
    assert_order(steer, "abcdef");
    assert_int_equal(cad_steer_rerank(steer, none, 5, S), CAD_E_INVAL);
    assert_int_equal(cad_steer_rerank(steer, NULL, 6, S), CAD_E_INVAL);
    cad_steer_destroy(&steer);
}

static void test_rank_passes_one_place_at_a_time(void **state)
{
    (void)state;
    struct cad_steer *steer = create();
    struct cad_steer_result r[6] = {answers(100, 5), answers(100, 5), answers(20, 5),
                                    answers(1, 5),   answers(2, 5),   answers(3, 5)};
    assert_int_equal(cad_steer_rerank(steer, r, 6, S), 2);
    assert_order(steer, "acbdef");
    assert_int_equal(cad_steer_pick(steer, ALL, 0, -1, S), 0);
    assert_int_equal(cad_steer_rerank(steer, r, 6, 2 * S), 2);
    assert_order(steer, "cabdef"); /* d is the last resort, e and f are farther away */
    assert_int_equal(cad_steer_rerank(steer, r, 6, 3 * S), 0);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, -1, 3 * S), 2);
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 1, 3 * S), 2); /* upward: c never rested */
    assert_int_equal(cad_steer_pick(steer, ALL, 0, 2, 3 * S), 2); /* it stays where it is */
    assert_int_equal(cad_steer_pick(steer, ALL & ~UINT64_C(4), 0, 2, 3 * S), 0);
    assert_int_equal(cad_steer_pick(steer, 0x3, 0, -1, 3 * S), 0);
    /* The results are gone: the manifest's order. */
    struct cad_steer_result none[6] = {0};
    assert_int_equal(cad_steer_rerank(steer, none, 6, 4 * S), 3);
    assert_order(steer, "abcdef");
    cad_steer_destroy(&steer);
}

static void test_rank_hysteresis(void **state)
{
    (void)state;
    static const struct { int64_t front, behind; uint32_t n; const char *order; } rows[] = {
        {100, 69, 2, "bacdef"}, {100, 70, 2, "abcdef"}, {100, 69, 1, "abcdef"},
        {30, 19, 2, "bacdef"},  {29, 19, 2, "abcdef"}, /* 10 ms are noise */
        {15, 1, 2, "bacdef"},   {9, 0, 2, "abcdef"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cad_steer *steer = create();
        struct cad_steer_result r[6] = {answers(rows[i].front, 2), answers(rows[i].behind,
                                                                           rows[i].n)};
        (void)cad_steer_rerank(steer, r, 6, S);
        assert_order(steer, rows[i].order);
        cad_steer_destroy(&steer);
    }
    /* Having passed, it is not passed back but by the same margin; nor kept without a score. */
    struct cad_steer *steer = create();
    struct cad_steer_result r[6] = {answers(100, 5), answers(20, 5), answers(500, 5)};
    (void)cad_steer_rerank(steer, r, 6, S);
    r[1] = answers(120, 5);
    (void)cad_steer_rerank(steer, r, 6, 2 * S);
    assert_order(steer, "bacdef");
    r[1] = answers(150, 5);
    (void)cad_steer_rerank(steer, r, 6, 3 * S);
    assert_order(steer, "abcdef");
    r[1] = answers(20, 5);
    (void)cad_steer_rerank(steer, r, 6, 4 * S);
    assert_order(steer, "bacdef");
    r[1].known = false;
    (void)cad_steer_rerank(steer, r, 6, 5 * S);
    assert_order(steer, "abcdef");
    cad_steer_destroy(&steer);
}

static void test_rank_a_server_that_never_answers_is_passed(void **state)
{
    (void)state;
    struct cad_steer *steer = create();
    struct cad_steer_result r[6] = {fails(), answers(400, 2), fails()};
    (void)cad_steer_rerank(steer, r, 6, S);
    assert_order(steer, "bacdef");
    cad_steer_destroy(&steer);
}

static void test_rank_downloads_outweigh_probes(void **state)
{
    (void)state;
    struct cad_steer *steer = create();
    struct cad_steer_result r[6] = {answers(100, 5), answers(20, 5)};
    r[0].downloads = 3;
    assert_int_equal(cad_steer_rerank(steer, r, 6, S), 0);
    r[0].downloads = 2;
    assert_int_equal(cad_steer_rerank(steer, r, 6, S), 2);
    assert_order(steer, "bacdef");
    cad_steer_destroy(&steer);
}

/* A race orders those that it knows, where two scores do not. */
static void test_rank_a_race_orders_a_start(void **state)
{
    (void)state;
    struct cad_steer *steer = create();
    struct cad_steer_result r[6] = {{.place = 3}, {.place = 2}, {.place = 1}, {.place = 3},
                                    {.place = 0}, {.place = 1}};
    for (int i = 0; i < 6; i++) (void)cad_steer_rerank(steer, r, 6, S);
    assert_order(steer, "cbadef"); /* no one leaves its level; of e nothing is known */
    r[0] = answers(10, 2);
    r[1] = answers(200, 2);
    r[0].place = 3;
    r[1].place = 2;
    assert_int_equal(cad_steer_rerank(steer, r, 6, S), 2); /* scores come before it */
    assert_order(steer, "cabdef");
    cad_steer_destroy(&steer);
}

static void test_rank_a_level_sinks_only_as_a_whole(void **state)
{
    (void)state;
    struct cad_steer *steer = create();
    struct cad_steer_result r[6] = {fails(), fails(), fails(), fails(), answers(50, 3), fails()};
    (void)cad_steer_rerank(steer, r, 6, S);
    assert_order(steer, "efabcd");
    assert_int_equal(cad_steer_pick(steer, ALL, 0, -1, S), 4);
    r[3] = answers(900, 3);
    (void)cad_steer_rerank(steer, r, 6, 2 * S);
    assert_order(steer, "abcdef");
    r[3] = fails();
    r[3].downloads = 3; /* media flows from it */
    (void)cad_steer_rerank(steer, r, 6, 3 * S);
    assert_order(steer, "abcdef");
    r[3].downloads = 0;
    r[4] = fails(); /* all fail: the fault is ours, nothing changes */
    (void)cad_steer_rerank(steer, r, 6, 4 * S);
    assert_order(steer, "abcdef");
    r[4].known = r[5].known = false; /* nothing is known of the farther ones */
    (void)cad_steer_rerank(steer, r, 6, 5 * S);
    assert_order(steer, "abcdef");
    cad_steer_destroy(&steer);
}

static void test_rank_two_successes_end_a_rest(void **state)
{
    (void)state;
    struct cad_steer *steer = create();
    struct cad_steer_result r[6] = {answers(10, 2)};
    cad_steer_report(steer, 0, CAD_STEER_SILENT, 100 * S);
    r[0].score.streak = 2;
    r[0].score.streak_at = 99 * S; /* the first of them before the rest */
    (void)cad_steer_rerank(steer, r, 6, 102 * S);
    assert_false(cad_steer_healthy(steer, 0, 102 * S));
    r[0].score.streak_at = 101 * S;
    (void)cad_steer_rerank(steer, r, 6, 103 * S);
    assert_true(cad_steer_healthy(steer, 0, 103 * S));
    /* Half open: one failure sends it to the longer rest. */
    cad_steer_report(steer, 0, CAD_STEER_RESET, 104 * S);
    assert_true(cad_steer_rest_until(steer, 0, 104 * S) == 134 * S);
    (void)cad_steer_rerank(steer, r, 6, 105 * S);
    assert_false(cad_steer_healthy(steer, 0, 105 * S)); /* the same successes count once */
    cad_steer_destroy(&steer);
}

static void test_rank_identity_failures_count_once_each(void **state)
{
    (void)state;
    struct cad_steer *steer = create();
    struct cad_steer_result r[6] = {answers(10, 2)};
    r[0].score.identity_failures = 1;
    (void)cad_steer_rerank(steer, r, 6, S);
    (void)cad_steer_rerank(steer, r, 6, 2 * S);
    assert_true(cad_steer_healthy(steer, 0, 2 * S));
    assert_int_equal(cad_steer_set_servers(steer, six, 6), CAD_OK); /* a refresh forgets nothing */
    (void)cad_steer_rerank(steer, r, 6, 3 * S);
    assert_true(cad_steer_healthy(steer, 0, 3 * S));
    r[0].score.identity_failures = 2;
    (void)cad_steer_rerank(steer, r, 6, 4 * S);
    assert_false(cad_steer_healthy(steer, 0, 4 * S));
    cad_steer_destroy(&steer);
}

static void test_rank_outlives_a_refresh(void **state)
{
    (void)state;
    struct cad_steer *steer = create();
    struct cad_steer_result r[6] = {answers(100, 5), answers(20, 5)};
    (void)cad_steer_rerank(steer, r, 6, S);
    assert_order(steer, "bacdef");
    assert_int_equal(cad_steer_set_servers(steer, six, 6), CAD_OK);
    assert_order(steer, "bacdef");
    const struct cad_steer_server without[] = {six[0], six[2], six[4]};
    assert_int_equal(cad_steer_set_servers(steer, without, 3), CAD_OK);
    assert_order(steer, "ace");
    const struct cad_steer_server turned[] = {six[1], six[0], six[2]};
    assert_int_equal(cad_steer_set_servers(steer, turned, 3), CAD_OK);
    assert_order(steer, "bac");
    cad_steer_destroy(&steer);
}

/* Whatever the results: every server stands once, and none leaves its level's place. */
static void test_rank_is_always_a_permutation(void **state)
{
    (void)state;
    struct cad_rng rng;
    cad_rng_init(&rng, 7);
    struct cad_steer *steer = create();
    for (int i = 0; i < 3000; i++) {
        struct cad_steer_result r[6];
        uint32_t order[6];
        uint32_t seen = 0;
        for (int k = 0; k < 6; k++) {
            uint64_t draw = cad_rng_u64(&rng);
            r[k] = draw % 5 == 0 ? fails() : answers((int64_t)(draw >> 8) % 300, draw % 7 != 0);
            r[k].known = draw % 11 != 0;
            r[k].score.n = (uint32_t)(draw >> 20) % 5;
            r[k].downloads = (uint32_t)(draw >> 24) % 4;
        }
        assert_true(cad_steer_rerank(steer, r, 6, i * S) >= 0);
        assert_int_equal(cad_steer_order(steer, order, 6), 6);
        for (int k = 0; k < 6; k++) seen |= 1u << order[k];
        assert_int_equal(seen, 0x3f);
        if (order[0] < 4) assert_true(order[4] >= 4 && order[5] >= 4 && order[3] == 3);
        if (i % 100 == 99) assert_int_equal(cad_steer_set_servers(steer, six, 6), CAD_OK);
    }
    cad_steer_destroy(&steer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rank_without_results_is_the_manifests),
        cmocka_unit_test(test_rank_passes_one_place_at_a_time),
        cmocka_unit_test(test_rank_hysteresis),
        cmocka_unit_test(test_rank_a_server_that_never_answers_is_passed),
        cmocka_unit_test(test_rank_downloads_outweigh_probes),
        cmocka_unit_test(test_rank_a_race_orders_a_start),
        cmocka_unit_test(test_rank_a_level_sinks_only_as_a_whole),
        cmocka_unit_test(test_rank_two_successes_end_a_rest),
        cmocka_unit_test(test_rank_identity_failures_count_once_each),
        cmocka_unit_test(test_rank_outlives_a_refresh),
        cmocka_unit_test(test_rank_is_always_a_permutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
