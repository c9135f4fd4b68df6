/* Goal: a run as a whole, in virtual time: what is sent when, the race, the report, and that
 * nothing goes out when it must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "base/str.h"
#include "ftl_stage.h"
#include "support/failing_alloc.h"

#define S CAD_SECOND
#define MS CAD_MS

static const int64_t seen_delays[] = {0, 2000, 70000};

/* As in the seen example: four targets, one cold pulse, one warm, one later. */
static const struct mock_ftl_target four[] = {
    {.name = "resolver", .host = "r.test"},
    {.name = "oc.anycast", .host = "a.test"},
    {.name = "cdn:7", .host = "i.test"},
    {.name = "aws", .host = "w.test"}};

static const struct stage_path four_paths[] = {
    {.host = "svc.test", .dns = 5 * MS, .rtt = 30 * MS, .address = CAD_FTL_ADDRESS_PUBLIC},
    {.host = "r.test", .dns = 5 * MS, .rtt = 80 * MS, .tls = true},
    {.host = "a.test", .dns = 5 * MS, .rtt = 10 * MS, .tls = true},
    {.host = "i.test", .dns = 5 * MS, .rtt = 20 * MS, .tls = true},
    {.host = "w.test", .dns = 5 * MS, .rtt = 200 * MS, .tls = true}};

static struct mock_ftl_config mock_of(const struct mock_ftl_target *targets, uint32_t count)
{
    return (struct mock_ftl_config){.targets = targets, .target_count = count, .pulses = 3,
                                    .delays_ms = seen_delays, .delay_count = 3,
                                    .data_bytes = 5120};
}

static void open_stage(struct stage *stage, const struct mock_ftl_config *mock,
                       const struct stage_path *paths, uint32_t count)
{
    struct cad_ftl_config config;
    cad_ftl_config_init(&config);
    assert_int_equal(stage_open(stage, mock, &config, paths, count), CAD_OK);
}

static void open_four(struct stage *stage)
{
    struct mock_ftl_config mock = mock_of(four, 4);
    open_stage(stage, &mock, four_paths, 5);
    assert_int_equal(cad_ftl_start(stage->ftl, 0), CAD_OK);
}

static struct cad_ftl_pulse pulse_at(const struct stage *stage, uint32_t target, uint32_t pulse)
{
    struct cad_ftl_pulse out;
    assert_int_equal(cad_ftl_pulse_at(stage->ftl, target, pulse, &out), CAD_OK);
    return out;
}

static struct cad_ftl_stats stats_of(const struct stage *stage)
{
    struct cad_ftl_stats stats;
    cad_ftl_stats(stage->ftl, &stats);
    return stats;
}

static void test_ftl_follows_the_seen_recipe(void **state)
{
    (void)state;
    struct stage s;
    struct mock_ftl_counts counts;
    open_four(&s);
    stage_run(&s, 200 * S);
    mock_ftl_counts(s.mock, &counts);
    assert_int_equal(counts.recipes, 1);
    assert_int_equal(counts.iter, 0);
    assert_int_equal(counts.bad, 0);
    for (uint32_t t = 0; t < 4; t++) {
        assert_int_equal(counts.pulses[t], 3);
        struct cad_ftl_pulse cold = pulse_at(&s, t, 0);
        struct cad_ftl_pulse warm = pulse_at(&s, t, 1);
        struct cad_ftl_pulse late = pulse_at(&s, t, 2);
        cad_time rtt = four_paths[t + 1].rtt;
        /* Cold: name, TCP, TLS, answer. Warm: the answer alone. */
        assert_true(!cold.reused && warm.reused);
        assert_true(cold.dns == 5 * MS && cold.tcp == rtt && cold.tls == rtt);
        assert_true(cold.ttfb == 5 * MS + 3 * rtt && warm.ttfb == rtt && warm.tls == 0);
        /* The delay counts from the end of the pulse before. */
        assert_true(warm.start >= cold.start + cold.d + 2 * S);
        assert_true(warm.start < cold.start + cold.d + 2 * S + 80 * MS);
        assert_true(late.start >= warm.start + warm.d + 70 * S);
        assert_int_equal(late.ec, CAD_FTL_EC_NONE);
        assert_int_equal(late.bytes, 5120);
    }
    assert_int_equal(s.pulses, 12);
    assert_true(s.gap_least >= 20 * MS);
    assert_int_equal(s.reports, 1);
    assert_int_equal(s.failures + s.cancelled, 0);
    assert_false(stats_of(&s).running);
    stage_close(&s);
}

static void test_ftl_race_is_won_and_frozen(void **state)
{
    (void)state;
    struct stage s;
    uint32_t order[4];
    uint32_t count = 0;
    open_four(&s);
    stage_run(&s, 75 * MS);
    assert_int_equal(cad_ftl_order(s.ftl, order, 4, &count), CAD_FTL_RACE_OPEN);
    assert_int_equal(cad_ftl_place(s.ftl, CAD_STR("7"), CAD_STR("")), 0);
    stage_run(&s, 200 * S);
    /* The second target is sent 20 ms late and answers in 5 + 3 * 10 ms and 5120 bytes. */
    assert_int_equal(s.won, 1);
    assert_int_equal(s.winner, 1);
    assert_true(s.won_in == 35 * MS + 5120 * 800);
    assert_int_equal(s.orders, 1);
    assert_true(s.order_at >= s.won_at + s.won_in * 3 / 2);
    assert_true(s.order_at < s.won_at + s.won_in * 3 / 2 + MS);
    assert_int_equal(cad_ftl_order(s.ftl, order, 4, &count), CAD_FTL_RACE_FROZEN);
    assert_int_equal(count, 2); /* the others took longer than the window */
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 2);
    const cad_str none = CAD_STR("");
    assert_int_equal(cad_ftl_place(s.ftl, none, CAD_STR("a.test")), 1);
    assert_int_equal(cad_ftl_place(s.ftl, CAD_STR("7"), none), 2); /* by its name */
    assert_int_equal(cad_ftl_place(s.ftl, CAD_STR("7"), CAD_STR("a.test")), 2);
    assert_int_equal(cad_ftl_place(s.ftl, none, CAD_STR("w.test")), 3); /* not in by then */
    assert_int_equal(cad_ftl_place(s.ftl, CAD_STR("8"), CAD_STR("x.test")), 0);
    stage_close(&s);
}

static void test_ftl_race_without_answers_gives_no_order(void **state)
{
    (void)state;
    struct stage s;
    struct mock_ftl_target slow[4];
    memcpy(slow, four, sizeof(slow));
    for (int i = 0; i < 4; i++) {
        slow[i].steps[0].think = 900 * MS;
        slow[i].step_count = 1;
    }
    struct mock_ftl_config mock = mock_of(slow, 4);
    open_stage(&s, &mock, four_paths, 5);
    assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
    stage_run(&s, 200 * S);
    uint32_t count = 9;
    assert_int_equal(cad_ftl_order(s.ftl, NULL, 0, &count), CAD_FTL_RACE_NONE);
    assert_int_equal(count, 0);
    assert_int_equal(s.won + s.orders, 0);
    assert_int_equal(s.reports, 1);
    stage_close(&s);
}

static void assert_has(const struct stage *s, const char *text)
{
    if (!strstr(s->body, text)) fail_msg("no %s in %s", text, s->body);
}

static void test_ftl_report_has_everything_once(void **state)
{
    (void)state;
    struct stage s;
    struct mock_ftl_config mock = mock_of(four, 4);
    mock.pulses = 1;
    mock.extra = ",\"name\":\"n\",\"type\":\"http_get\",\"logblob\":\"probe.X\","
                 "\"ctx\":{\"ip\":\"192.0.2.77\",\"n\":1e2,\"b\":true,\"oc.anycast\":[\"4\",5]}";
    open_stage(&s, &mock, four_paths, 5);
    assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
    stage_run(&s, 20 * S);
    assert_int_equal(s.reports, 1);
    assert_string_equal(s.log_type, "probe.X");
    assert_has(&s, "{\"ctx\":{\"ip\":\"192.0.2.77\",\"n\":1e2},\"name\":\"n\","
                   "\"type\":\"http_get\",\"iter\":0,\"data\":[{\"name\":\"resolver\","
                   "\"url\":\"http://r.test/ftl/probe?data=5120\",\"method\":\"https\",\"data\":["
                   "{\"start\":0,\"d\":249,\"ttfb\":245,\"dns\":5,\"tcp\":80,\"tls\":80,\"sc\":200,"
                   "\"sz\":5120,\"via\":\"1.1 mock\",\"pd\":\"v1.c2VydmVkLWJ5LWEtbW9jaw\","
                   "\"rts\":1772324400000,\"lt\":{\"edge\":1,\"origin\":4}}]}");
    assert_null(strstr(s.body, "partial"));
    assert_string_equal(cad_ftl_recipe(s.ftl)->ctx_ip.p, "192.0.2.0");
    /* The context maps servers 4 and 5 to a target; the name "cdn:7" and the host map as well. */
    struct cad_ftl_score by_map, by_name, by_host;
    const cad_str none = {NULL, 0};
    assert_int_equal(cad_ftl_score(s.ftl, CAD_STR("5"), none, s.now, &by_map), CAD_OK);
    assert_int_equal(cad_ftl_score(s.ftl, CAD_STR("7"), none, s.now, &by_name), CAD_OK);
    assert_int_equal(cad_ftl_score(s.ftl, CAD_STR("9"), CAD_STR("A.test:80"), s.now, &by_host),
                     CAD_OK);
    assert_true(by_map.n == by_host.n && by_map.ok == by_host.ok && by_map.at == by_host.at);
    assert_true(by_map.latency == by_host.latency && by_map.cost_us == by_host.cost_us);
    assert_true(by_map.latency == 10 * MS && by_name.latency == 20 * MS);
    assert_int_equal(cad_ftl_score(s.ftl, CAD_STR("9"), CAD_STR("a.test:81"), s.now, &by_host),
                     CAD_E_NOTFOUND);
    stage_close(&s);
}

/* Every fault of a target: what it is called, that it counts, that the others do not care. */
static void test_ftl_faults_stay_with_their_target(void **state)
{
    (void)state;
    static const struct {
        enum mock_ftl_fault fault;
        int64_t value;
        enum cad_ftl_ec ec;
        int32_t status;
    } rows[] = {{MOCK_FTL_LOSS, 0, CAD_FTL_EC_TIMEOUT, 0},
                {MOCK_FTL_RESET, 0, CAD_FTL_EC_RESET, 0},
                {MOCK_FTL_STATUS, 302, CAD_FTL_EC_HTTP, 302},
                {MOCK_FTL_STATUS, 503, CAD_FTL_EC_HTTP, 503},
                {MOCK_FTL_SHORT, 1, CAD_FTL_EC_SIZE, 200},
                {MOCK_FTL_LONG, 1, CAD_FTL_EC_SIZE, 200},
                {MOCK_FTL_LONG, 100000, CAD_FTL_EC_SIZE, 200},
                {MOCK_FTL_PORTAL, 0, CAD_FTL_EC_SIZE, 200}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        struct mock_ftl_target targets[4];
        memcpy(targets, four, sizeof(targets));
        targets[1].steps[0] = (struct mock_ftl_step){0, rows[i].fault, rows[i].value};
        targets[1].steps[1] = (struct mock_ftl_step){0, MOCK_FTL_OK, 0};
        targets[1].step_count = 2;
        struct mock_ftl_config mock = mock_of(targets, 4);
        mock.timeout_ms = 3000;
        open_stage(&s, &mock, four_paths, 5);
        assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
        stage_run(&s, 200 * S);
        struct cad_ftl_pulse bad = pulse_at(&s, 1, 0);
        assert_int_equal(bad.ec, rows[i].ec);
        assert_int_equal(bad.status, rows[i].status);
        assert_int_equal(pulse_at(&s, 1, 1).ec, CAD_FTL_EC_NONE); /* not the end of the target */
        assert_int_equal(pulse_at(&s, 2, 2).ec, CAD_FTL_EC_NONE);
        assert_int_equal(s.winner, 2);
        assert_int_equal(s.reports, 1);
        assert_true(bad.d <= 3 * S);
        struct cad_ftl_score score;
        assert_int_equal(cad_ftl_target_score(s.ftl, CAD_STR("oc.anycast"), s.now, &score), CAD_OK);
        assert_int_equal(score.n, 3);
        assert_int_equal(score.ok, 2);
        assert_int_equal(stats_of(&s).targets_failed, 0);
        stage_close(&s);
    }
}

static void test_ftl_edge_failures_have_their_class(void **state)
{
    (void)state;
    static const enum cad_ftl_ec classes[] = {CAD_FTL_EC_DNS, CAD_FTL_EC_CONNECT, CAD_FTL_EC_TLS};
    for (size_t i = 0; i < 3; i++) {
        struct stage s;
        struct stage_path paths[5];
        struct cad_ftl_score score;
        memcpy(paths, four_paths, sizeof(paths));
        paths[2].fault = classes[i];
        struct mock_ftl_config mock = mock_of(four, 4);
        open_stage(&s, &mock, paths, 5);
        assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
        stage_run(&s, S);
        struct cad_ftl_pulse pulse = pulse_at(&s, 1, 0);
        assert_int_equal(pulse.ec, classes[i]);
        assert_int_equal(pulse.status, 0);
        assert_true(pulse.ttfb == CAD_TIME_NONE);
        assert_true((pulse.dns == CAD_TIME_NONE) == (classes[i] == CAD_FTL_EC_DNS));
        assert_int_equal(cad_ftl_target_score(s.ftl, CAD_STR("oc.anycast"), s.now, &score), CAD_OK);
        assert_int_equal(score.identity_failures, classes[i] == CAD_FTL_EC_TLS ? 1 : 0);
        assert_true(score.cost_us == CAD_FTL_COST_NONE);
        stage_close(&s);
    }
}

/* A public recipe does not lead into a private network; a private one may. */
static void test_ftl_private_targets_are_dropped(void **state)
{
    (void)state;
    struct stage_path paths[5];
    struct mock_ftl_config mock = mock_of(four, 4);
    memcpy(paths, four_paths, sizeof(paths));
    for (int i = 2; i < 5; i++) paths[i].address = CAD_FTL_ADDRESS_PRIVATE;
    for (int step = 0; step < 3; step++) {
        struct stage s;
        struct cad_ftl_config config;
        cad_ftl_config_init(&config);
        config.allow_private = step == 1;
        if (step == 2) paths[0].address = CAD_FTL_ADDRESS_LOOPBACK;
        assert_int_equal(stage_open(&s, &mock, &config, paths, 5), CAD_OK);
        assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
        stage_run(&s, 200 * S);
        assert_int_equal(s.reports, 1);
        assert_int_equal(stats_of(&s).targets_dropped, step == 0 ? 3 : 0);
        assert_int_equal(s.pulses, step == 0 ? 3 : 12);
        assert_true((strstr(s.body, "\"aws\"") == NULL) == (step == 0));
        stage_close(&s);
        paths[0].address = CAD_FTL_ADDRESS_PUBLIC;
    }
    struct stage s;
    paths[1].address = CAD_FTL_ADDRESS_LOOPBACK;
    open_stage(&s, &mock, paths, 5);
    assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
    stage_run(&s, 200 * S);
    assert_int_equal(s.reports, 0);
    assert_int_equal(s.failures, 1);
    assert_has(&s, "\"ec\":\"address\"");
    stage_close(&s);
}

static void test_ftl_recipe_failures_are_told_once(void **state)
{
    (void)state;
    static const struct {
        int32_t status;
        int64_t pulses;
        enum cad_ftl_ec fault;
        const char *text;
    } rows[] = {{404, 1, CAD_FTL_EC_NONE, "\"status\":404,\"ec\":\"http\""},
                {302, 1, CAD_FTL_EC_NONE, "\"status\":302,\"ec\":\"http\""},
                {200, 0, CAD_FTL_EC_NONE, "\"status\":200,\"ec\":\"data\""},
                {200, 1, CAD_FTL_EC_DNS, "\"status\":0,\"ec\":\"dns\""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stage s;
        struct stage_path paths[5];
        struct mock_ftl_config mock = mock_of(four, 4);
        memcpy(paths, four_paths, sizeof(paths));
        mock.recipe_status = rows[i].status;
        mock.pulses = rows[i].pulses;
        paths[0].fault = rows[i].fault;
        open_stage(&s, &mock, paths, 5);
        assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
        stage_run(&s, 100 * S);
        assert_int_equal(s.failures, 1);
        assert_string_equal(s.log_type, "ftlProbeError");
        assert_has(&s, "{\"url\":\"svc.test/api/ftl/probe\",");
        assert_has(&s, rows[i].text);
        /* No retry, whatever is asked; until the network changes. */
        assert_int_equal(cad_ftl_start(s.ftl, s.now), CAD_OK);
        stage_run(&s, 200 * S);
        assert_int_equal(s.failures, 1);
        cad_ftl_network(s.ftl, 5, s.now);
        stage_run(&s, 300 * S);
        assert_int_equal(s.failures, 2);
        stage_close(&s);
    }
}

static void test_ftl_recipe_that_never_comes_times_out(void **state)
{
    (void)state;
    struct cad_ftl_config config;
    struct cad_ftl *ftl = NULL;
    struct cad_ftl_action action;
    cad_ftl_config_init(&config);
    config.endpoint = CAD_STR("https://svc.test/p?x=1");
    config.device = CAD_STR("tv set");
    assert_int_equal(cad_ftl_create(&config, &ftl), CAD_OK);
    assert_int_equal(cad_ftl_start(ftl, 0), CAD_OK);
    assert_int_equal(cad_ftl_run(ftl, 0), 1);
    assert_int_equal(cad_ftl_poll(ftl, &action), CAD_OK);
    assert_true(cad_str_eqz(action.request.url,
                            "https://svc.test/p?x=1&monotonic=true&device=tv%20set&iter=0"));
    assert_true(action.request.recipe && action.request.timeout == 5 * S);
    assert_int_equal(action.request.size_max, CAD_FTL_RECIPE_BYTES_MAX);
    assert_true(cad_ftl_next_wake(ftl) == 5 * S);
    assert_int_equal(cad_ftl_run(ftl, 5 * S - 1), 0);
    assert_int_equal(cad_ftl_run(ftl, 5 * S), 1);
    assert_int_equal(cad_ftl_poll(ftl, &action), CAD_OK);
    assert_int_equal(action.type, CAD_FTL_CANCEL);
    assert_int_equal(cad_ftl_poll(ftl, &action), CAD_OK);
    assert_int_equal(action.type, CAD_FTL_FAILED);
    assert_non_null(strstr(action.body.p, "\"timeout\""));
    assert_non_null(strstr(action.body.p, "\"d\":5000"));
    assert_int_equal(cad_ftl_poll(ftl, &action), CAD_E_AGAIN);
    assert_true(cad_ftl_next_wake(ftl) == CAD_TIME_NONE);
    cad_ftl_destroy(&ftl);
}

/* ---- holding --------------------------------------------------------------------------------- */

static void test_ftl_nothing_is_sent_while_held(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 6; bit++) {
        struct stage s;
        open_four(&s);
        stage_hold(&s, 1u << bit);
        stage_run(&s, 10 * S);
        assert_int_equal(s.sent + s.recipes, 0); /* not even the recipe */
        assert_true(cad_ftl_next_wake(s.ftl) == CAD_TIME_NONE);
        stage_hold(&s, 0);
        stage_run(&s, 11 * S);
        assert_int_equal(s.sent, 4);
        /* The second pulses fall due while it is held, and go out in order when it is over. */
        stage_hold(&s, 1u << bit);
        stage_run(&s, 100 * S);
        assert_int_equal(s.sent, 4);
        stage_hold(&s, 0);
        stage_run(&s, 100 * S + 200 * MS);
        assert_int_equal(s.sent, 8);
        stage_run(&s, 300 * S);
        assert_int_equal(s.reports, 1);
        assert_int_equal(s.pulses, 12);
        struct cad_ftl_pulse pulse = pulse_at(&s, 1, 1);
        assert_true(pulse.held > 86 * S && pulse.held < 89 * S);
        assert_has(&s, "\"held\":8");
        stage_close(&s);
    }
}

static void test_ftl_rebuffering_cancels_and_does_not_count(void **state)
{
    (void)state;
    struct stage s;
    struct cad_ftl_score score;
    open_four(&s);
    stage_run(&s, 150 * MS); /* targets are in flight */
    stage_hold(&s, CAD_FTL_HOLD_STARTING);
    stage_run(&s, 160 * MS);
    assert_int_equal(s.cancelled, 0); /* left alone */
    stage_hold(&s, CAD_FTL_HOLD_REBUFFERING);
    stage_run(&s, 170 * MS);
    assert_true(s.cancelled >= 2);
    struct cad_ftl_pulse pulse = pulse_at(&s, 0, 0);
    assert_int_equal(pulse.ec, CAD_FTL_EC_CANCEL);
    assert_int_equal(cad_ftl_target_score(s.ftl, CAD_STR("resolver"), s.now, &score),
                     CAD_E_NOTFOUND);
    stage_hold(&s, 0);
    stage_run(&s, 200 * S);
    assert_int_equal(s.reports, 1);
    assert_has(&s, "\"ec\":\"cancel\"");
    assert_int_equal(cad_ftl_target_score(s.ftl, CAD_STR("resolver"), s.now, &score), CAD_OK);
    assert_int_equal(score.n, 2);
    assert_int_equal(score.ok, 2);
    stage_close(&s);
}

static void test_ftl_waits_a_moment_after_play(void **state)
{
    (void)state;
    struct stage s;
    struct mock_ftl_counts counts;
    open_four(&s);
    cad_ftl_played(s.ftl, 0);
    stage_run(&s, 199 * MS);
    mock_ftl_counts(s.mock, &counts);
    assert_int_equal(counts.recipes, 0);
    stage_run(&s, 201 * MS);
    mock_ftl_counts(s.mock, &counts);
    assert_int_equal(counts.recipes, 1);
    stage_close(&s);
}

/* ---- limits ---------------------------------------------------------------------------------- */

static void test_ftl_largest_recipe_keeps_all_limits(void **state)
{
    (void)state;
    struct stage s;
    struct mock_ftl_target targets[16];
    struct stage_path paths[17] = {{.host = "svc.test", .address = CAD_FTL_ADDRESS_PUBLIC}};
    char names[16][16];
    char hosts[16][24];
    for (int i = 0; i < 16; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "t%d", i);
        (void)snprintf(hosts[i], sizeof(hosts[i]), "h%d.test", i);
        targets[i] = (struct mock_ftl_target){.name = names[i], .host = hosts[i]};
        paths[i + 1] = (struct stage_path){.host = hosts[i], .rtt = 500 * MS};
    }
    struct mock_ftl_config mock = mock_of(targets, 16);
    mock.pulses = 10;
    mock.delay_count = 0;
    open_stage(&s, &mock, paths, 17);
    assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
    cad_time most = 0;
    while (s.reports == 0 && s.now < 1000 * S) {
        stage_run(&s, s.now + S);
        struct cad_ftl_stats stats = stats_of(&s);
        assert_true(stats.bytes_hour <= 256 * 1024 && stats.requests_hour <= 64);
        most = s.now;
    }
    assert_int_equal(s.flight_most, 8);
    assert_true(s.gap_least >= 20 * MS);
    assert_true(s.sent <= 63 && s.sent >= 44); /* what 256 KiB carry */
    assert_true(most <= 161 * S + 10 * 15 * S); /* pulses * timeout + 10 s */
    assert_int_equal(s.reports, 1);
    assert_int_equal(s.result, 0);
    stage_close(&s);
}

/* Headers are cut; the first value of each stays for later pulses; a trace is taken apart. */
static void test_ftl_headers_are_cut_and_kept(void **state)
{
    (void)state;
    struct cad_ftl_config config;
    struct cad_ftl *ftl = NULL;
    struct cad_ftl_action action;
    struct cad_ftl_pulse pulse;
    char via[300];
    cad_time now = 0;
    char report[STAGE_TEXT] = "";
    memset(via, 'v', sizeof(via));
    cad_ftl_config_init(&config);
    assert_int_equal(cad_ftl_create(&config, &ftl), CAD_OK);
    assert_int_equal(cad_ftl_start_recipe(
        ftl, CAD_STR("{\"urls\":[{\"name\":\"a\",\"url\":\"https://a.test/p?sig=secret&data=3\"}],"
                     "\"pulses\":2,\"pulse_delay\":10}"), CAD_FTL_ADDRESS_PUBLIC, 0), CAD_OK);
    for (int turns = 0; turns < 20 && now != CAD_TIME_NONE; turns++) {
        assert_true(cad_ftl_run(ftl, now) >= 0);
        while (cad_ftl_poll(ftl, &action) == CAD_OK) {
            if (action.type == CAD_FTL_REPORT) cad_str_copyz(report, sizeof(report), action.body);
            if (action.type != CAD_FTL_REQUEST) continue;
            bool first = !strstr(action.request.url.p, "pulse=2");
            struct cad_ftl_head head = {.id = action.request.id, .status = 200};
            if (first) {
                head.via = cad_str_make(via, sizeof(via));
                head.recv_ts = CAD_STR("17");
                head.latency_trace = CAD_STR("a=1; b = -2 ;c;=3;d=x;a=9;;e=5");
            } else {
                head.recv_ts = CAD_STR("not a number");
                head.error = CAD_STR("late\x01\xff\"");
            }
            assert_true(action.request.address_max == CAD_FTL_ADDRESS_PUBLIC);
            assert_int_equal(cad_ftl_head(ftl, &head), CAD_OK);
            assert_int_equal(cad_ftl_body(ftl, head.id, (cad_buf){NULL, 3}), CAD_OK);
            struct cad_ftl_end end = {.id = head.id, .dns = CAD_TIME_NONE,
                                      .connect = CAD_TIME_NONE, .tls = CAD_TIME_NONE,
                                      .first_byte = now + MS, .at = now + 2 * MS};
            cad_ftl_end(ftl, &end);
        }
        now = cad_ftl_next_wake(ftl);
    }
    assert_int_equal(cad_ftl_pulse_at(ftl, 0, 1, &pulse), CAD_OK);
    assert_int_equal(pulse.via.n, CAD_FTL_HEADER_MAX);
    assert_true(pulse.recv_ts == 17 && pulse.done);
    assert_non_null(strstr(report, "\"url\":\"https://a.test/p?data=3\"")); /* no signature */
    assert_non_null(strstr(report, "\"lt\":{\"a\":1,\"b\":-2,\"e\":5}"));
    assert_non_null(strstr(report, "\"er\":\"late\\u0001\xEF\xBF\xBD\\\"\""));
    assert_null(strstr(report, "secret"));
    cad_ftl_destroy(&ftl);
}

static void test_ftl_recipe_body_is_limited(void **state)
{
    (void)state;
    struct cad_ftl_config config;
    struct cad_ftl *ftl = NULL;
    struct cad_ftl_action action;
    static uint8_t bytes[CAD_FTL_RECIPE_BYTES_MAX];
    memset(bytes, ' ', sizeof(bytes));
    for (int over = 0; over < 2; over++) {
        cad_ftl_config_init(&config);
        config.endpoint = CAD_STR("https://svc.test/p");
        assert_int_equal(cad_ftl_create(&config, &ftl), CAD_OK);
        assert_int_equal(cad_ftl_start(ftl, 0), CAD_OK);
        assert_int_equal(cad_ftl_run(ftl, 0), 1);
        assert_int_equal(cad_ftl_poll(ftl, &action), CAD_OK);
        uint32_t id = action.request.id;
        assert_int_equal(cad_ftl_body(ftl, id, (cad_buf){bytes, sizeof(bytes)}), CAD_OK);
        if (over) {
            assert_int_equal(cad_ftl_body(ftl, id, (cad_buf){bytes, 1}), CAD_E_LIMIT);
            assert_int_equal(cad_ftl_body(ftl, id, (cad_buf){bytes, 1}), CAD_E_LIMIT);
        } else {
            struct cad_ftl_head head = {.id = id, .status = 200};
            struct cad_ftl_end end = {.id = id, .at = MS};
            assert_int_equal(cad_ftl_head(ftl, &head), CAD_OK);
            cad_ftl_end(ftl, &end);
        }
        assert_int_equal(cad_ftl_run(ftl, 2 * MS), 1);
        assert_int_equal(cad_ftl_poll(ftl, &action), CAD_OK);
        if (over) {
            assert_int_equal(action.type, CAD_FTL_CANCEL);
            assert_int_equal(cad_ftl_poll(ftl, &action), CAD_OK);
        }
        assert_int_equal(action.type, CAD_FTL_FAILED);
        assert_non_null(strstr(action.body.p, over ? "\"size\"" : "\"data\""));
        cad_ftl_destroy(&ftl);
    }
}

static void test_ftl_next_recipe_comes_when_it_says(void **state)
{
    (void)state;
    struct stage s;
    struct mock_ftl_counts counts;
    struct mock_ftl_config mock = mock_of(four, 4);
    mock.pulses = 1;
    mock.next_ms = 1; /* raised to 10 s */
    open_stage(&s, &mock, four_paths, 5);
    assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
    stage_run(&s, 10 * S);
    mock_ftl_counts(s.mock, &counts);
    assert_int_equal(counts.recipes, 1);
    stage_run(&s, 12 * S);
    mock_ftl_counts(s.mock, &counts);
    assert_int_equal(counts.recipes, 2);
    assert_int_equal(counts.iter, 1);
    stage_run(&s, 15 * S);
    cad_ftl_stop(s.ftl, s.now);
    stage_run(&s, 100 * S);
    mock_ftl_counts(s.mock, &counts);
    assert_int_equal(counts.recipes, 2);
    assert_int_equal(s.reports, 2);
    /* A new iteration is cold again, and its scores go on from the old ones. */
    assert_false(pulse_at(&s, 1, 0).reused);
    struct cad_ftl_score score;
    assert_int_equal(cad_ftl_target_score(s.ftl, CAD_STR("oc.anycast"), s.now, &score), CAD_OK);
    assert_int_equal(score.n, 2);
    stage_close(&s);
}

static void test_ftl_stop_reports_only_what_is_whole(void **state)
{
    (void)state;
    static const struct { cad_time at; uint32_t reports; } rows[] = {
        {0, 0}, {20 * MS, 0}, {150 * MS, 0}, {5 * S, 1}};
    for (size_t i = 0; i < 4; i++) {
        struct stage s;
        open_four(&s);
        stage_run(&s, rows[i].at);
        cad_ftl_stop(s.ftl, s.now);
        stage_run(&s, 300 * S);
        assert_int_equal(s.reports, rows[i].reports);
        if (rows[i].reports) assert_has(&s, "\"partial\":true");
        assert_int_equal(stats_of(&s).in_flight, 0);
        assert_true(cad_ftl_next_wake(s.ftl) == CAD_TIME_NONE);
        /* It can be started again. */
        assert_int_equal(cad_ftl_start(s.ftl, s.now), CAD_OK);
        stage_run(&s, 600 * S);
        assert_int_equal(s.reports, rows[i].reports + 1);
        stage_close(&s);
    }
}

static void test_ftl_network_change_drops_scores_and_runs_again(void **state)
{
    (void)state;
    struct stage s;
    struct mock_ftl_counts counts;
    struct cad_ftl_score score;
    open_four(&s);
    cad_ftl_network(s.ftl, 1, 0);
    stage_run(&s, 5 * S);
    assert_int_equal(cad_ftl_target_score(s.ftl, CAD_STR("aws"), s.now, &score), CAD_OK);
    cad_ftl_network(s.ftl, 1, s.now); /* the same one */
    assert_int_equal(cad_ftl_target_score(s.ftl, CAD_STR("aws"), s.now, &score), CAD_OK);
    cad_ftl_network(s.ftl, 2, s.now); /* the run is younger than 10 s */
    assert_int_equal(cad_ftl_target_score(s.ftl, CAD_STR("aws"), s.now, &score), CAD_E_NOTFOUND);
    stage_run(&s, 20 * S);
    mock_ftl_counts(s.mock, &counts);
    assert_int_equal(counts.recipes, 1);
    cad_ftl_network(s.ftl, 3, s.now);
    stage_run(&s, 20 * S + 499 * MS);
    mock_ftl_counts(s.mock, &counts);
    assert_int_equal(counts.recipes, 1);
    stage_run(&s, 21 * S);
    mock_ftl_counts(s.mock, &counts);
    assert_int_equal(counts.recipes, 2);
    assert_int_equal(counts.iter, 1);
    stage_close(&s);
}

static void test_ftl_is_the_same_twice(void **state)
{
    (void)state;
    static struct stage a, b;
    for (int i = 0; i < 2; i++) {
        struct stage *s = i == 0 ? &a : &b;
        open_four(s);
        stage_run(s, 30 * S);
        stage_hold(s, CAD_FTL_HOLD_REBUFFERING);
        stage_run(s, 80 * S);
        stage_hold(s, 0);
        stage_run(s, 200 * S);
    }
    assert_string_equal(a.body, b.body);
    assert_int_equal(a.turns, b.turns);
    stage_close(&a);
    stage_close(&b);
}

/* What belongs to no request, or to one that is over, changes nothing. */
static void test_ftl_ignores_strangers(void **state)
{
    (void)state;
    struct stage s;
    open_four(&s);
    struct cad_ftl_end end = {.id = 77, .at = 5};
    struct cad_ftl_head head = {.id = 0, .status = 200};
    cad_ftl_end(s.ftl, &end);
    assert_int_equal(cad_ftl_head(s.ftl, &head), CAD_OK);
    assert_int_equal(cad_ftl_body(s.ftl, 78, (cad_buf){NULL, 5}), CAD_OK);
    stage_run(&s, 200 * S);
    end.id = 2;
    cad_ftl_end(s.ftl, &end);
    stage_run(&s, 201 * S);
    assert_int_equal(s.reports, 1);
    assert_int_equal(s.pulses, 12);
    assert_int_equal(cad_ftl_run(s.ftl, -1), CAD_E_INVAL);
    assert_int_equal(cad_ftl_start_recipe(s.ftl, CAD_STR("{}"), CAD_FTL_ADDRESS_PUBLIC, s.now),
                     CAD_E_DATA);
    stage_close(&s);
}

static void test_ftl_config_is_checked(void **state)
{
    (void)state;
    struct cad_ftl_config config;
    struct cad_ftl *ftl = NULL;
    cad_ftl_config_init(&config);
    assert_int_equal(cad_ftl_create(&config, &ftl), CAD_OK);
    assert_int_equal(cad_ftl_start(ftl, 0), CAD_E_INVAL); /* no endpoint */
    cad_ftl_destroy(&ftl);
    cad_ftl_destroy(&ftl);
#define REFUSED(field, value)                                                                      \
    do {                                                                                           \
        cad_ftl_config_init(&config);                                                              \
        config.field = value;                                                                      \
        assert_int_equal(cad_ftl_create(&config, &ftl), CAD_E_INVAL);                              \
    } while (0)
    REFUSED(size, 1);
    REFUSED(endpoint, CAD_STR("file:///etc/passwd"));
    REFUSED(endpoint, CAD_STR("https://a.test/#x"));
    REFUSED(flight_max, 0);
    REFUSED(flight_max, 9);
    REFUSED(pulses_max, 11);
    REFUSED(pulse_timeout, 99 * MS);
    REFUSED(pulse_timeout, 61 * S);
    REFUSED(bytes_per_hour, 65535);
    REFUSED(requests_per_hour, 0);
    REFUSED(requests_per_hour, 257);
    REFUSED(device.n, 65);
#undef REFUSED
}

/* ---- anything at all ------------------------------------------------------------------------- */

#define RANDOM_TARGETS 12

struct random_net {
    struct mock_ftl_target targets[RANDOM_TARGETS];
    struct stage_path paths[RANDOM_TARGETS + 1];
    char names[RANDOM_TARGETS][16];
    char hosts[RANDOM_TARGETS][24];
    int64_t delays[MOCK_FTL_PULSES_MAX];
    struct mock_ftl_config mock;
};

static void draw_target(struct cad_rng *rng, struct random_net *net, uint32_t i)
{
    struct mock_ftl_target *t = &net->targets[i];
    (void)snprintf(net->names[i], sizeof(net->names[i]), "t%u", (unsigned)i);
    (void)snprintf(net->hosts[i], sizeof(net->hosts[i]), "h%u.test", (unsigned)i);
    *t = (struct mock_ftl_target){.name = net->names[i], .host = net->hosts[i]};
    t->step_count = (uint32_t)cad_rng_below(rng, MOCK_FTL_PULSES_MAX);
    for (uint32_t k = 0; k < t->step_count; k++) {
        t->steps[k].think = (cad_time)cad_rng_below(rng, 400) * MS;
        if (cad_rng_chance(rng, 1, 2)) continue;
        t->steps[k].fault = (enum mock_ftl_fault)cad_rng_below(rng, MOCK_FTL_PORTAL + 1);
        t->steps[k].value = t->steps[k].fault == MOCK_FTL_STATUS
                                ? cad_rng_range_i64(rng, 200, 599)
                                : cad_rng_range_i64(rng, 1, 100000);
    }
    struct stage_path *path = &net->paths[i + 1];
    *path = (struct stage_path){.host = net->hosts[i], .tls = cad_rng_chance(rng, 1, 2)};
    path->dns = (cad_time)cad_rng_below(rng, 50) * MS;
    path->rtt = (cad_time)cad_rng_below(rng, 300) * MS;
    if (cad_rng_chance(rng, 1, 6)) path->fault = (enum cad_ftl_ec)cad_rng_range_i64(rng, 1, 3);
    if (cad_rng_chance(rng, 1, 9)) path->address = CAD_FTL_ADDRESS_PRIVATE;
}

static void draw_net(struct cad_rng *rng, struct random_net *net)
{
    uint32_t count = 1 + (uint32_t)cad_rng_below(rng, RANDOM_TARGETS);
    net->paths[0] = (struct stage_path){.host = "svc.test", .rtt = 20 * MS};
    for (uint32_t i = 0; i < count; i++) draw_target(rng, net, i);
    net->mock = mock_of(net->targets, count);
    net->mock.pulses = cad_rng_range_i64(rng, 1, 10);
    net->mock.delay_count = (uint32_t)cad_rng_below(rng, 10);
    net->mock.delays_ms = net->delays;
    for (uint32_t i = 0; i < net->mock.delay_count; i++) {
        net->delays[i] = (int64_t)cad_rng_below(rng, 5000);
    }
    net->mock.timeout_ms = cad_rng_range_i64(rng, 100, 3000);
}

static void disturb(struct cad_rng *rng, struct stage *s)
{
    switch (cad_rng_below(rng, 8)) {
    case 0: stage_hold(s, 1u << cad_rng_below(rng, 6)); break;
    case 1: cad_ftl_network(s->ftl, cad_rng_below(rng, 3), s->now); break;
    case 2: cad_ftl_played(s->ftl, s->now); break;
    case 3:
        if (cad_rng_chance(rng, 1, 4)) cad_ftl_stop(s->ftl, s->now);
        break;
    case 4: assert_int_equal(cad_ftl_start(s->ftl, s->now), CAD_OK); break;
    default: stage_hold(s, 0); break;
    }
}

/* Networks, faults, holds, stops and changes as they come: every rule holds, every run ends. */
static void test_ftl_random_runs_keep_the_rules(void **state)
{
    (void)state;
    static struct stage s;
    static struct random_net net;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct cad_rng rng;
        cad_rng_init(&rng, seed);
        draw_net(&rng, &net);
        open_stage(&s, &net.mock, net.paths, net.mock.target_count + 1);
        assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
        for (int step = 0; step < 30; step++) {
            stage_run(&s, s.now + (cad_time)cad_rng_below(&rng, 3000) * MS);
            struct cad_ftl_stats stats = stats_of(&s);
            assert_true(stats.requests_hour <= 64 && stats.bytes_hour <= 256 * 1024);
            disturb(&rng, &s);
        }
        stage_hold(&s, 0);
        stage_run(&s, s.now + 20000 * S); /* the budget may make it wait for hours */
        if (stats_of(&s).running || stats_of(&s).in_flight || s.sent_held || s.result ||
            s.flight_most > 8 || s.gap_least < 20 * MS ||
            cad_ftl_next_wake(s.ftl) != CAD_TIME_NONE) {
            fail_msg("seed %u: running %d in flight %u held %d result %d most %u gap %lld",
                     (unsigned)seed, stats_of(&s).running, stats_of(&s).in_flight, s.sent_held,
                     s.result, s.flight_most, (long long)s.gap_least);
        }
        stage_close(&s);
    }
}

/* Whatever allocation fails: no leak, no crash, and the run ends. */
static void test_ftl_survives_failing_allocation(void **state)
{
    (void)state;
    bool clean = false;
    for (uint64_t at = 1; !clean; at++) {
        struct cad_failing failing;
        struct cad_ftl_config config;
        struct stage s;
        struct mock_ftl_config mock = mock_of(four, 4);
        cad_failing_init(&failing, at);
        cad_ftl_config_init(&config);
        config.alloc = cad_failing_alloc(&failing);
        int err = stage_open(&s, &mock, &config, four_paths, 5);
        if (!err) {
            assert_int_equal(cad_ftl_start(s.ftl, 0), CAD_OK);
            stage_run(&s, 300 * S);
            assert_true(s.result == 0 || s.result == CAD_E_NOMEM);
            assert_int_equal(stats_of(&s).in_flight, 0);
            assert_false(stats_of(&s).running);
            assert_true(s.reports + s.failures + stats_of(&s).reports_lost >= 1);
            stage_close(&s);
        } else {
            assert_int_equal(err, CAD_E_NOMEM);
        }
        clean = failing.failed == 0;
        if (clean) assert_true(at > 8 && s.reports == 1);
        assert_int_equal(failing.live_blocks, 0);
        assert_int_equal(failing.mismatches, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ftl_follows_the_seen_recipe),
        cmocka_unit_test(test_ftl_race_is_won_and_frozen),
        cmocka_unit_test(test_ftl_race_without_answers_gives_no_order),
        cmocka_unit_test(test_ftl_report_has_everything_once),
        cmocka_unit_test(test_ftl_faults_stay_with_their_target),
        cmocka_unit_test(test_ftl_edge_failures_have_their_class),
        cmocka_unit_test(test_ftl_private_targets_are_dropped),
        cmocka_unit_test(test_ftl_recipe_failures_are_told_once),
        cmocka_unit_test(test_ftl_recipe_that_never_comes_times_out),
        cmocka_unit_test(test_ftl_nothing_is_sent_while_held),
        cmocka_unit_test(test_ftl_rebuffering_cancels_and_does_not_count),
        cmocka_unit_test(test_ftl_waits_a_moment_after_play),
        cmocka_unit_test(test_ftl_largest_recipe_keeps_all_limits),
        cmocka_unit_test(test_ftl_headers_are_cut_and_kept),
        cmocka_unit_test(test_ftl_recipe_body_is_limited),
        cmocka_unit_test(test_ftl_next_recipe_comes_when_it_says),
        cmocka_unit_test(test_ftl_stop_reports_only_what_is_whole),
        cmocka_unit_test(test_ftl_network_change_drops_scores_and_runs_again),
        cmocka_unit_test(test_ftl_is_the_same_twice),
        cmocka_unit_test(test_ftl_ignores_strangers),
        cmocka_unit_test(test_ftl_config_is_checked),
        cmocka_unit_test(test_ftl_random_runs_keep_the_rules),
        cmocka_unit_test(test_ftl_survives_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
