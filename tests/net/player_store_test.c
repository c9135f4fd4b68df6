/*
 * What a player keeps: what could not be told when it ended is in its store, and the next one tells
 * it; a store that is slow holds up neither playing nor ending.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cadmium/tape.h"

#include "base/str.h"
#include "drive/store.h"
#include "player_stage.h"
#include "transport_server.h"

#define FILE_TITLE CAD_TITLE_DIR "/video-240.mp4"
#define LONG (20 * CAD_SECOND)

static struct stage stage;
static char folder[] = "/tmp/player-store-XXXXXX";
static char event_url[64];

static bool has_title(void)
{
    if (access(FILE_TITLE, R_OK) == 0) return true;
    print_message("no title in %s\n", CAD_TITLE_DIR);
    return false;
}

static void with_report(struct cad_player_config *config)
{
    config->engine.report = true;
    config->engine.telemetry.event_url = cad_str_from(event_url);
    config->store_path = folder;
}

static void play_a_little(void)
{
    assert_int_equal(cad_player_load_url(stage.player, FILE_TITLE, CAD_TIME_NONE, NULL), 0);
    assert_int_equal(cad_player_play(stage.player), 0);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    stage_watch(&stage, 200 * CAD_MS);
}

/* How many values of the folder hold that text. */
static int kept(const char *text)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_store s = {0};
    struct cad_store_done done;
    char keys[64][CAD_STORE_KEY_MAX + 1];
    size_t count = 0;
    int found = 0;
    assert_int_equal(cad_store_file_create(folder, 0, &alloc, &s), 0);
    assert_int_equal(s.ops->list(s.self, 1, CAD_STR("")), 0);
    assert_int_equal(s.ops->poll(s.self, &done), 0);
    for (size_t i = 0; i < done.count && i < 64; i++) {
        cad_str_copyz(keys[count++], sizeof keys[0], done.keys[i]);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(s.ops->get(s.self, 2, cad_str_from(keys[i])), 0);
        assert_int_equal(s.ops->poll(s.self, &done), 0);
        assert_int_equal(done.result, 0);
        cad_str value = {(const char *)done.value.p, done.value.n};
        if (cad_str_find(value, cad_str_from(text)) >= 0) found++;
    }
    s.ops->destroy(s.self);
    return found;
}

/* Nobody listens, and the player is destroyed in mid-play: start and stop are kept. */
static void test_player_store_keeps_the_end(void **state)
{
    (void)state;
    if (!has_title()) skip();
    snprintf(event_url, sizeof event_url, "http://127.0.0.1:1/events");
    stage_open(&stage, false, with_report);
    play_a_little();
    assert_true(stage_close(&stage) < 50 * CAD_MS);
    assert_int_equal(kept("\"stop\""), 1);
    assert_int_equal(kept("\"start\""), 1);
}

/* The next player finds somebody who takes them: then nothing is left. */
static void test_player_store_tells_later(void **state)
{
    (void)state;
    if (!has_title()) skip();
    struct transport_server *server = transport_server_start();
    assert_non_null(server);
    snprintf(event_url, sizeof event_url, "http://127.0.0.1:%d/whole/2",
             transport_server_port(server));
    stage_open(&stage, false, with_report);
    struct cad_engine_stats stats;
    for (int i = 0; i < 100; i++) {
        stage_watch(&stage, 20 * CAD_MS);
        cad_player_stats(stage.player, &stats);
        if (stats.services.events_delivered >= 2) break;
    }
    assert_int_equal(stats.services.events_delivered, 2);
    assert_int_equal(stats.services.events_waiting, 0);
    stage_watch(&stage, 100 * CAD_MS); /* what was told is forgotten */
    stage_close(&stage);
    transport_server_stop(server);
    assert_int_equal(kept("\"start\""), 0);
    assert_int_equal(kept("\"stop\""), 0);
}

/* ---- an application's store that answers nothing --------------------------------------------- */

static int orders;

static int take(void *self, uint32_t id, cad_str key)
{
    (void)self;
    (void)id;
    (void)key;
    orders++;
    return 0;
}

static int take_put(void *self, uint32_t id, cad_str key, cad_buf value, uint32_t flags)
{
    (void)value;
    (void)flags;
    return take(self, id, key);
}

static int poll_nothing(void *self, struct cad_store_done *done)
{
    (void)self;
    (void)done;
    return CAD_E_AGAIN;
}

static const struct cad_store_ops mute_ops = {
    .size = sizeof mute_ops, .name = "mute", .put = take_put, .get = take, .del = take,
    .list = take, .poll = poll_nothing};

static void with_mute_store(struct cad_player_config *config)
{
    with_report(config);
    config->store_path = NULL;
    config->store = (struct cad_store){&mute_ops, NULL};
}

static void test_player_store_mute(void **state)
{
    (void)state;
    if (!has_title()) skip();
    orders = 0;
    stage_open(&stage, false, with_mute_store);
    play_a_little();
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 0);
    assert_true(stage_close(&stage) < 50 * CAD_MS);
    assert_true(orders > 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static int count_bytes(void *ctx, const uint8_t *p, size_t n)
{
    (void)p;
    *(size_t *)ctx += n;
    return 0;
}

/* A store that somebody holds makes no player; the recorder that it was to have serves the next. */
static void test_player_store_held(void **state)
{
    (void)state;
    if (!has_title()) skip();
    size_t bytes = 0;
    struct cad_tape_config tape;
    struct cad_tape_recorder *recorder = NULL;
    cad_tape_config_init(&tape);
    tape.write = count_bytes;
    tape.ctx = &bytes;
    tape.full = true;
    assert_int_equal(cad_tape_recorder_create(&tape, &recorder), 0);
    stage_open(&stage, false, with_report);
    struct cad_player_config config;
    struct cad_player *player = NULL;
    cad_player_config_init(&config);
    config.store_path = folder;
    config.tape = recorder;
    assert_true(cad_player_create(&config, &player) < 0);
    assert_null(player);
    config.store_path = NULL;
    assert_int_equal(cad_player_create(&config, &player), 0);
    assert_int_equal(cad_player_load_url(player, FILE_TITLE, CAD_TIME_NONE, NULL), 0);
    struct cad_app_event event;
    assert_int_equal(cad_player_wait_event(player, &event, LONG), 0);
    cad_player_destroy(&player);
    assert_int_equal(cad_tape_recorder_end(recorder), 0);
    assert_true(bytes > 0);
    cad_tape_recorder_destroy(&recorder);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_player_store_keeps_the_end),
        cmocka_unit_test(test_player_store_tells_later),
        cmocka_unit_test(test_player_store_mute),
        cmocka_unit_test(test_player_store_held),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
