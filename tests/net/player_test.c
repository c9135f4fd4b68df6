/* The player's promises to an application: events, tickets, order, quiet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "player_stage.h"
#include "support/failing_alloc.h"

#define FILE_TITLE CAD_TITLE_DIR "/video-240.mp4"
#define TITLE_DURATION (20 * CAD_SECOND)
#define LONG (20 * CAD_SECOND)

static struct stage stage;

static bool has_title(void)
{
    if (access(FILE_TITLE, R_OK) == 0) return true;
    print_message("no title in %s\n", CAD_TITLE_DIR);
    return false;
}

/* Within a few pictures. */
static bool near(cad_time a, cad_time b)
{
    return a > b - 150 * CAD_MS && a < b + 150 * CAD_MS;
}

static void load(const char *url, uint32_t *ticket)
{
    assert_int_equal(cad_player_load_url(stage.player, url, CAD_TIME_NONE, ticket), 0);
}

/* A file plays to its end, as fast as the sink takes it: every event once and in order. */
static void test_player_file(void **state)
{
    (void)state;
    if (!has_title()) skip();
    uint32_t ticket = 0;
    stage_open(&stage, true, NULL);
    load(FILE_TITLE, &ticket);
    assert_int_not_equal(ticket, 0);
    assert_int_equal(cad_player_play(stage.player), 0);
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_LOADED, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    assert_non_null(stage_wait(&stage, CAD_APP_ENDED, LONG));
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 0);
    assert_int_equal(stage_count(&stage, CAD_APP_LOADED), 1);
    assert_int_equal(stage_count(&stage, CAD_APP_FIRST_FRAME), 1);
    struct cad_engine_stats stats;
    cad_player_stats(stage.player, &stats);
    assert_int_equal(stats.state, CAD_STATE_ENDED);
    assert_int_equal(stats.bytes_twice, 0);
    assert_true(near(stats.duration, TITLE_DURATION));
    stage_close(&stage);
}

/* A relative path is a title too; a bare audio file as well. */
static void test_player_relative_audio(void **state)
{
    (void)state;
    if (!has_title()) skip();
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(CAD_TITLE_DIR), 0);
    stage_open(&stage, true, NULL);
    load("audio-en.mp4", NULL);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(cad_player_play(stage.player), 0);
    assert_non_null(stage_wait(&stage, CAD_APP_ENDED, LONG));
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 0);
    stage_close(&stage);
}

/* In real time: the clock runs as fast as the wall's, a seek answers its ticket, stop stops. */
static void test_player_real_time(void **state)
{
    (void)state;
    if (!has_title()) skip();
    uint32_t ticket;
    struct cad_engine_stats stats;
    stage_open(&stage, false, NULL);
    load(FILE_TITLE, NULL);
    assert_int_equal(cad_player_play(stage.player), 0);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    stage_watch(&stage, 2 * CAD_SECOND);
    cad_player_stats(stage.player, &stats);
    assert_true(stats.position > 1500 * CAD_MS && stats.position < 2500 * CAD_MS);
    assert_int_equal(cad_player_seek(stage.player, 15 * CAD_SECOND, &ticket), 0);
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_SEEK_DONE, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    assert_true(near(event->position, 15 * CAD_SECOND));
    assert_non_null(stage_wait(&stage, CAD_APP_ENDED, 8 * CAD_SECOND));
    /* Seeking out of the end, then stopping: the player can load again. */
    assert_int_equal(cad_player_seek(stage.player, 0, &ticket), 0);
    event = stage_wait(&stage, CAD_APP_SEEK_DONE, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    assert_int_equal(cad_player_stop(stage.player), 0);
    load(FILE_TITLE, &ticket);
    event = stage_wait(&stage, CAD_APP_LOADED, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 0);
    assert_int_equal(stage_count(&stage, CAD_APP_STALL_BEGIN), 0);
    stage_close(&stage);
}

static cad_time cpu_time(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (cad_time)ts.tv_sec * CAD_SECOND + ts.tv_nsec;
}

/* Paused with everything fetched: nobody turns in circles. */
static void test_player_quiet(void **state)
{
    (void)state;
    if (!has_title()) skip();
    stage_open(&stage, false, NULL);
    load(FILE_TITLE, NULL);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    stage_watch(&stage, CAD_SECOND);
    struct cad_engine_stats before, after;
    cad_player_stats(stage.player, &before);
    cad_time cpu = cpu_time();
    stage_watch(&stage, 3 * CAD_SECOND);
    cpu = cpu_time() - cpu;
    cad_player_stats(stage.player, &after);
    uint64_t turns = after.turns - before.turns;
    print_message("paused: %lld us of CPU and %llu turns in 3 s\n", (long long)(cpu / CAD_US),
                  (unsigned long long)turns);
    assert_true(turns < 200);
    stage_close(&stage);
}

/* ---- the queue of events --------------------------------------------------------------------- */

/* Nobody reads: the engine stands still, calls still return, and afterwards nothing is missing. */
static void test_player_events_full(void **state)
{
    (void)state;
    if (!has_title()) skip();
    stage_open(&stage, false, NULL);
    load(FILE_TITLE, NULL);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    uint32_t sent = 0;
    uint32_t refused = 0;
    for (int i = 0; i < 2000 && refused < 3; i++) {
        /* Each one is a change of state, if a turn lies between. */
        int err = i % 2 ? cad_player_pause(stage.player) : cad_player_play(stage.player);
        if (err) assert_int_equal(err, CAD_E_LIMIT);
        refused += err != 0;
        sent += err == 0;
        usleep(2000);
    }
    assert_true(refused > 0); /* the mailbox fills because the engine stands */
    assert_true(sent >= CAD_PLAYER_EVENTS_MAX + CAD_PLAYER_COMMANDS_MAX - 8);
    stage_watch(&stage, CAD_SECOND);
    enum cad_state at = CAD_STATE_IDLE;
    uint32_t changes = 0;
    for (size_t i = 0; i < stage.count; i++) {
        if (stage.events[i].type != CAD_APP_STATE) continue;
        assert_int_equal(stage.events[i].state_old, at);
        at = stage.events[i].state;
        changes++;
    }
    print_message("%u commands, %u changes of state, all told\n", sent, changes);
    assert_true(changes > CAD_PLAYER_EVENTS_MAX);
    cad_time took = stage_close(&stage);
    assert_true(took < 50 * CAD_MS);
}

static _Atomic uint32_t wakeups;

static void on_wakeup(void *ctx)
{
    assert_ptr_equal(ctx, &stage);
    atomic_fetch_add(&wakeups, 1);
}

static void set_wakeup(struct cad_player_config *config)
{
    config->wakeup = on_wakeup;
    config->wakeup_ctx = &stage;
}

static void test_player_wakeup(void **state)
{
    (void)state;
    atomic_store(&wakeups, 0);
    stage_open(&stage, false, set_wakeup);
    load("/no/such/file", NULL);
    for (int i = 0; i < 1000 && atomic_load(&wakeups) == 0; i++) usleep(1000);
    assert_true(atomic_load(&wakeups) > 0);
    struct cad_app_event event;
    assert_int_equal(cad_player_wait_event(stage.player, &event, 0), 0);
    stage_close(&stage);
}

static void test_player_arguments(void **state)
{
    (void)state;
    struct cad_player_config config;
    struct cad_player *player = NULL;
    struct cad_app_event event;
    struct cad_sample sample;
    cad_player_config_init(&config);
    config.size--;
    assert_int_equal(cad_player_create(&config, &player), CAD_E_INVAL);
    assert_null(player);
    cad_player_destroy(&player);
    cad_player_destroy(NULL);
    stage_open(&stage, false, NULL);
    assert_int_equal(cad_player_load_url(stage.player, "", 0, NULL), CAD_E_INVAL);
    assert_int_equal(cad_player_load_url(stage.player, NULL, 0, NULL), CAD_E_INVAL);
    assert_int_equal(cad_player_load_title(stage.player, "http://a", "", 0, NULL), CAD_E_INVAL);
    assert_int_equal(cad_player_pin(stage.player, -2), CAD_E_INVAL);
    assert_int_equal(cad_player_seek(stage.player, CAD_TIME_NONE, NULL), CAD_E_INVAL);
    assert_int_equal(cad_player_wait_event(stage.player, &event, 0), CAD_E_AGAIN);
    assert_int_equal(cad_player_pull(stage.player, CAD_ENGINE_SLOTS, &sample), CAD_E_INVAL);
    cad_time from = cad_player_now(stage.player);
    assert_int_equal(cad_player_wait_event(stage.player, &event, 30 * CAD_MS), CAD_E_AGAIN);
    assert_true(cad_player_now(stage.player) - from >= 30 * CAD_MS);
    static char longest[20000];
    memset(longest, 'a', sizeof longest - 1);
    assert_int_equal(cad_player_load_url(stage.player, longest, 0, NULL), CAD_E_LIMIT);
    stage_close(&stage);
}

/* Refused memory while a player is made: an answer, and nothing left behind. */
static void test_player_no_memory(void **state)
{
    (void)state;
    uint64_t at = 0;
    bool failed = true;
    while (failed) {
        struct cad_failing f;
        cad_failing_init(&f, ++at);
        struct cad_player_config config;
        struct cad_player *player = NULL;
        cad_player_config_init(&config);
        config.engine.alloc = cad_failing_alloc(&f);
        config.ca_file = "/none";
        int err = cad_player_create(&config, &player);
        failed = err != 0;
        if (failed) assert_int_equal(err, CAD_E_NOMEM);
        if (failed) assert_null(player);
        cad_player_destroy(&player);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
    }
    print_message("%llu allocations make a player\n", (unsigned long long)at - 1);
    assert_true(at > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_player_file),       cmocka_unit_test(test_player_relative_audio),
        cmocka_unit_test(test_player_real_time),  cmocka_unit_test(test_player_quiet),
        cmocka_unit_test(test_player_events_full), cmocka_unit_test(test_player_wakeup),
        cmocka_unit_test(test_player_arguments),  cmocka_unit_test(test_player_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
