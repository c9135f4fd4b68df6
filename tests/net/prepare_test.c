/*
 * A title of a service is prepared while another one plays, and loaded: it begins at once, without
 * a request to the service, and each playback is told once. prepare.sh runs it against the mocks.
 *
 *     prepare_test BASE STORE_DIR
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "player_stage.h"

#define LONG (10 * CAD_SECOND)
#define TITLE "900100"

static struct stage stage;
static const char *base;
static const char *folder;

static void with_services(struct cad_player_config *config)
{
    config->cdm = cad_cdm_clearkey();
    config->store_path = folder;
    config->engine.report = true;
    config->engine.probe = true;
}

static void load(uint32_t *ticket)
{
    assert_int_equal(cad_player_load_title(stage.player, base, TITLE, CAD_TIME_NONE, ticket), 0);
}

static void prepare_and_load(void)
{
    uint32_t ticket;
    struct cad_engine_stats stats;
    assert_int_equal(cad_player_prepare(stage.player, base, TITLE, &ticket), 0);
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_PREPARED, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    stage_watch(&stage, 500 * CAD_MS);
    cad_player_stats(stage.player, &stats);
    assert_true(stats.prepared);
    assert_int_equal(stats.state, CAD_STATE_PLAYING);
    assert_true(stats.position > 500 * CAD_MS);
    cad_time from = cad_player_now(stage.player);
    load(&ticket);
    event = stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    print_message("begins after %lld ms\n", (long long)((event->at - from) / CAD_MS));
    stage_watch(&stage, CAD_SECOND);
    cad_player_stats(stage.player, &stats);
    assert_int_equal(stats.state, CAD_STATE_PLAYING);
    assert_true(stats.position > 500 * CAD_MS && stats.position < 2 * CAD_SECOND);
    assert_int_equal(stats.bytes_twice, 0);
    assert_int_equal(stats.services.keys, CAD_KEY_USABLE);
}

static void test_prepare_service(void **state)
{
    (void)state;
    uint32_t ticket;
    struct cad_engine_stats stats;
    stage_open(&stage, false, with_services);
    /* First the wish: a title that is loaded before it shows its first picture as a pause. */
    assert_int_equal(cad_player_play(stage.player), 0);
    load(&ticket);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    stage_watch(&stage, CAD_SECOND);
    for (int i = 0; i < 3; i++) prepare_and_load();
    assert_int_equal(cad_player_stop(stage.player), 0);
    for (int i = 0; i < 100; i++) {
        stage_watch(&stage, 50 * CAD_MS);
        cad_player_stats(stage.player, &stats);
        if (stats.services.events_delivered == 8) break;
    }
    /* Four playbacks, each with a start and a stop, of both engines. */
    assert_int_equal(stats.services.events, 8);
    assert_int_equal(stats.services.events_delivered, 8);
    assert_int_equal(stats.services.events_waiting, 0);
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 0);
    assert_int_equal(stage_count(&stage, CAD_APP_STALL_BEGIN), 0);
    assert_true(stage_count(&stage, CAD_APP_PROBES) >= 1);
    stage_close(&stage);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_prepare_service)};
    if (argc != 3) {
        puts("prepare.sh runs this");
        return 77;
    }
    base = argv[1];
    folder = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
