/* Goal: the loop around the engine settles each instant, is deterministic however it is cut into
 * pieces, and its own account of stalls agrees with the engine's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim_title.h"

static struct cad_trace_period good_rows[] = {{3600 * CAD_SECOND, 5000000, 40 * CAD_MS}};
/* 20 s on, 20 s off: no buffer of 10 s outlasts it. */
static struct cad_trace_period gap_rows[] = {{20 * CAD_SECOND, 5000000, 40 * CAD_MS},
                                             {20 * CAD_SECOND, 0, 40 * CAD_MS}};
static const struct cad_trace good = {good_rows, 1};
static const struct cad_trace gap = {gap_rows, 2};

struct outcome {
    struct cad_engine_stats stats;
    cad_time end, underrun;
    uint32_t events, accesses;
    int rc;
};

static void on_access(void *ctx, const struct cad_sim_access *access)
{
    struct outcome *o = ctx;
    o->accesses++;
    assert_true(access->end >= access->start);
    assert_true(access->path.p[0] == '/');
}

struct how {
    const struct cad_trace *trace;
    cad_time duration, buffer, piece;
    bool listen;
    uint64_t seed;
};

static void play(const struct how *how, struct outcome *o)
{
    memset(o, 0, sizeof(*o));
    struct sim_title title;
    struct cad_sim_config config;
    struct cad_sim *sim = NULL;
    sim_title_init(&title, how->duration, 3600 * CAD_SECOND);
    cad_sim_config_init(&config);
    config.seed = config.engine.seed = how->seed;
    config.engine.check = true;
    config.engine.buffer_ahead = how->buffer;
    assert_int_equal(cad_sim_create(&config, &sim), 0);
    if (how->listen) cad_sim_on_access(sim, on_access, o);
    assert_int_equal(sim_title_attach(&title, sim, how->trace), 0);
    assert_int_equal(sim_title_play(sim), 0);
    cad_time before = 0;
    while (o->rc == 0 && cad_sim_now(sim) < 2000 * CAD_SECOND) {
        o->rc = cad_sim_run(sim, cad_sim_now(sim) + how->piece);
        struct cad_app_event event;
        while (cad_sim_poll(sim, &event) == 0) {
            assert_true(event.at >= before);
            before = event.at;
            o->events++;
        }
    }
    cad_sim_stats(sim, &o->stats);
    o->end = cad_sim_now(sim);
    o->underrun = cad_sim_underrun_time(sim);
    cad_sim_destroy(&sim);
    assert_null(sim);
    sim_title_deinit(&title);
}

static void test_sim_plays_to_the_end(void **state)
{
    (void)state;
    struct outcome o;
    play(&(struct how){&good, 60 * CAD_SECOND, 30 * CAD_SECOND, 3600 * CAD_SECOND, true, 1}, &o);
    assert_int_equal(o.rc, 1);
    assert_int_equal(o.stats.state, CAD_STATE_ENDED);
    assert_int_equal(o.stats.stalls, 0);
    assert_int_equal(o.underrun, 0);
    assert_int_equal(o.stats.frames, 60 * 24);
    assert_true(o.accesses >= 60);
    assert_in_range(o.end, 60 * CAD_SECOND, 62 * CAD_SECOND);
}

static void test_sim_is_the_same_in_pieces(void **state)
{
    (void)state;
    struct outcome a, b;
    play(&(struct how){&gap, 120 * CAD_SECOND, 10 * CAD_SECOND, 3600 * CAD_SECOND, false, 3}, &a);
    play(&(struct how){&gap, 120 * CAD_SECOND, 10 * CAD_SECOND, 7 * CAD_MS + 13, true, 3}, &b);
    assert_int_equal(a.stats.decision_hash, b.stats.decision_hash);
    assert_int_equal(a.stats.decisions, b.stats.decisions);
    assert_int_equal(a.stats.turns, b.stats.turns);
    assert_int_equal(a.stats.stall_time, b.stats.stall_time);
    assert_int_equal(a.events, b.events);
    assert_int_equal(a.end, b.end);
    assert_int_equal(a.rc, 1);
}

/* Two independent computations: the engine's from anchors and its own decisions, the sink's from
 * its clock. */
static void test_sim_sink_and_engine_agree_on_stalls(void **state)
{
    (void)state;
    struct outcome o;
    play(&(struct how){&gap, 200 * CAD_SECOND, 10 * CAD_SECOND, 3600 * CAD_SECOND, false, 1}, &o);
    assert_int_equal(o.stats.state, CAD_STATE_ENDED);
    assert_true(o.stats.stalls >= 3);
    assert_true(o.stats.stall_time > 30 * CAD_SECOND);
    assert_int_equal(o.underrun, o.stats.stall_time);
    /* Nothing else took time: start, media, stalls. */
    cad_time rest = o.end - 200 * CAD_SECOND - o.stats.stall_time;
    assert_in_range(rest, 0, 2 * CAD_SECOND);
}

static void test_sim_waits_for_ever_where_nothing_happens(void **state)
{
    (void)state;
    struct cad_sim_config config;
    struct cad_sim *sim = NULL;
    cad_sim_config_init(&config);
    assert_int_equal(cad_sim_create(&config, &sim), 0);
    assert_int_equal(cad_sim_run(sim, 100 * CAD_SECOND), 0);
    assert_int_equal(cad_sim_now(sim), 100 * CAD_SECOND);
    assert_int_equal(cad_sim_run(sim, CAD_TIME_MAX), 0);
    assert_int_equal(cad_sim_now(sim), 100 * CAD_SECOND);
    struct cad_app_event event;
    assert_int_equal(cad_sim_poll(sim, &event), CAD_E_AGAIN);
    cad_sim_idle(sim, 200 * CAD_SECOND); /* not over: no effect */
    assert_int_equal(cad_sim_now(sim), 100 * CAD_SECOND);
    cad_sim_destroy(&sim);
}

static void test_sim_stops_and_plays_again(void **state)
{
    (void)state;
    struct sim_title title;
    struct cad_sim_config config;
    struct cad_sim *sim = NULL;
    sim_title_init(&title, 20 * CAD_SECOND, 3600 * CAD_SECOND);
    cad_sim_config_init(&config);
    config.tls = true;
    config.device_clock_error_ms = -INT64_C(86400000) * 400;
    config.engine.check = true;
    assert_int_equal(cad_sim_create(&config, &sim), 0);
    assert_int_equal(sim_title_attach(&title, sim, &good), 0);
    assert_int_equal(sim_title_play(sim), 0);
    assert_int_equal(cad_sim_run(sim, 5 * CAD_SECOND), 0);
    struct cad_command stop = {.type = CAD_COMMAND_STOP};
    assert_int_equal(cad_sim_command(sim, &stop), 0);
    assert_int_equal(cad_sim_run(sim, 10 * CAD_SECOND), 1);
    assert_int_equal(cad_sim_now(sim), 5 * CAD_SECOND);
    cad_sim_idle(sim, 9 * CAD_SECOND);
    assert_int_equal(cad_sim_now(sim), 9 * CAD_SECOND);
    assert_int_equal(sim_title_play(sim), 0);
    assert_int_equal(cad_sim_run(sim, 60 * CAD_SECOND), 1);
    struct cad_engine_stats stats;
    cad_sim_stats(sim, &stats);
    assert_int_equal(stats.state, CAD_STATE_ENDED);
    cad_sim_destroy(&sim);
    sim_title_deinit(&title);
}

static void test_sim_refuses_bad_configurations(void **state)
{
    (void)state;
    struct cad_sim_config config;
    struct cad_sim *sim = NULL;
    assert_int_equal(cad_sim_create(NULL, &sim), CAD_E_INVAL);
    cad_sim_config_init(&config);
    config.size = 1;
    assert_int_equal(cad_sim_create(&config, &sim), CAD_E_INVAL);
    cad_sim_config_init(&config);
    config.anchor_period = 0;
    assert_int_equal(cad_sim_create(&config, &sim), CAD_E_INVAL);
    cad_sim_config_init(&config);
    assert_int_equal(cad_sim_create(&config, &sim), 0);
    uint32_t link;
    assert_int_equal(cad_sim_add_link(sim, NULL, &link), CAD_E_INVAL);
    assert_int_equal(cad_sim_add_host(sim, "x", 0), CAD_E_INVAL);
    assert_int_equal(cad_sim_host_fault(sim, "x", CAD_HOST_REFUSE, 0), CAD_E_NOTFOUND);
    cad_sim_destroy(&sim);
    cad_sim_destroy(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sim_plays_to_the_end),
        cmocka_unit_test(test_sim_is_the_same_in_pieces),
        cmocka_unit_test(test_sim_sink_and_engine_agree_on_stalls),
        cmocka_unit_test(test_sim_waits_for_ever_where_nothing_happens),
        cmocka_unit_test(test_sim_stops_and_plays_again),
        cmocka_unit_test(test_sim_refuses_bad_configurations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
