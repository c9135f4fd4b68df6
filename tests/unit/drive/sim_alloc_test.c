/* Goal: a whole virtual start-up lives through any allocation of the engine's failing: it goes
 * on, or it ends in CAD_E_NOMEM or a typed error, and nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim_title.h"
#include "support/failing_alloc.h"

#define ALLOCATIONS_MAX 20000

static struct cad_trace_period rows[] = {{3600 * CAD_SECOND, 5000000, 40 * CAD_MS}};
static const struct cad_trace trace = {rows, 1};

enum ending { CREATE_FAILED, COMMAND_FAILED, RUN_FAILED, ERROR_EVENT, PLAYED, HUNG };

static enum ending ending_of(struct cad_sim *sim, int rc)
{
    enum ending ending = HUNG;
    struct cad_app_event event;
    while (cad_sim_poll(sim, &event) == 0) {
        if (event.type == CAD_APP_ERROR && event.error.cls == CAD_ERROR_FATAL) {
            assert_true(event.error.code != CAD_ERR_NONE);
            assert_true(event.error.message[0] != '\0');
            ending = ERROR_EVENT;
        }
    }
    struct cad_engine_stats stats;
    cad_sim_stats(sim, &stats);
    if (stats.state == CAD_STATE_ENDED) ending = PLAYED;
    if (stats.state == CAD_STATE_FAILED) assert_int_equal(ending, ERROR_EVENT);
    if (rc < 0) {
        assert_int_equal(rc, CAD_E_NOMEM);
        ending = RUN_FAILED;
    }
    return ending;
}

static enum ending start_up(struct sim_title *title, const struct cad_alloc *alloc)
{
    struct cad_sim_config config;
    struct cad_sim *sim = NULL;
    cad_sim_config_init(&config);
    config.engine.alloc = *alloc;
    config.engine.check = true;
    int err = cad_sim_create(&config, &sim);
    if (err) {
        assert_int_equal(err, CAD_E_NOMEM);
        assert_null(sim);
        return CREATE_FAILED;
    }
    enum ending ending;
    assert_int_equal(sim_title_attach(title, sim, &trace), 0);
    err = sim_title_play(sim);
    if (err) {
        assert_int_equal(err, CAD_E_NOMEM);
        ending = COMMAND_FAILED;
    } else {
        ending = ending_of(sim, cad_sim_run(sim, 120 * CAD_SECOND));
    }
    cad_sim_destroy(&sim);
    return ending;
}

/* after: everything from the n-th allocation on fails, else only that one. */
static void loop(bool after)
{
    struct sim_title title;
    sim_title_init(&title, 6 * CAD_SECOND, 3600 * CAD_SECOND);
    uint32_t endings[HUNG + 1] = {0};
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        f.fail_after = after;
        struct cad_alloc alloc = cad_failing_alloc(&f);
        enum ending ending = start_up(&title, &alloc);
        if (ending == HUNG) fail_msg("hung after allocation %u failed", (unsigned)at);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.live_bytes, 0);
        assert_int_equal(f.mismatches, 0);
        endings[ending]++;
        if (!f.failed) {
            assert_int_equal(ending, PLAYED);
            break;
        }
        assert_true(at < ALLOCATIONS_MAX);
    }
    assert_true(endings[CREATE_FAILED] > 0);
    print_message("create %u, command %u, run %u, typed %u, played %u\n", endings[CREATE_FAILED],
                  endings[COMMAND_FAILED], endings[RUN_FAILED], endings[ERROR_EVENT],
                  endings[PLAYED]);
    sim_title_deinit(&title);
}

static void test_sim_alloc_one_allocation_fails(void **state)
{
    (void)state;
    loop(false);
}

static void test_sim_alloc_all_later_allocations_fail(void **state)
{
    (void)state;
    loop(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sim_alloc_one_allocation_fails),
        cmocka_unit_test(test_sim_alloc_all_later_allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
