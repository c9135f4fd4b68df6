/*
 * Protected files through the whole player: what the sink is given is what the clear file has, byte
 * for byte; whoever has no key gives nothing out and says why; and what one may do with a title
 * that is prepared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/str.h"
#include "cadmium/tape.h"
#include "cdm_unruly.h"
#include "player_stage.h"

#define LONG (20 * CAD_SECOND)
#define VIDEO "video-240.mp4"
#define AUDIO "audio-en.mp4"

static struct stage stage;
static char licence[2048];     /* every key of the title */
static const struct cad_cdm_ops *the_cdm;
static const char *key_system;

static bool has_titles(void)
{
    if (access(CAD_TITLE_DIR "-cenc/.keys", R_OK) == 0) return true;
    print_message("no protected title in %s-cenc\n", CAD_TITLE_DIR);
    return false;
}

static void put_text(const char *hex, char out[32])
{
    uint8_t bytes[16];
    size_t n = 0;
    for (size_t i = 0; i < 16; i++) {
        bytes[i] = (uint8_t)(cad_hex_value(hex[2 * i]) * 16 + cad_hex_value(hex[2 * i + 1]));
    }
    assert_int_equal(cad_base64_encode((cad_buf){bytes, 16}, CAD_BASE64_URL | CAD_BASE64_NO_PAD,
                                       out, 32, &n),
                     0);
    out[n] = '\0';
}

/* A licence of the title's keys, as the licence service would give it; wrong: of other key ids. */
static void read_keys(const char *suffix, bool wrong)
{
    char path[512], line[256], kid[32], key[32];
    snprintf(path, sizeof path, "%s%s/.keys", CAD_TITLE_DIR, suffix);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t n = (size_t)snprintf(licence, sizeof licence, "{\"keys\":[");
    for (int i = 0; fgets(line, sizeof line, file); i++) {
        if (wrong) line[0] = line[0] == '0' ? '1' : '0';
        assert_true(strlen(line) >= 65 && line[32] == ':');
        put_text(line, kid);
        put_text(line + 33, key);
        n += (size_t)snprintf(licence + n, sizeof licence - n,
                              "%s{\"kty\":\"oct\",\"kid\":\"%s\",\"k\":\"%s\"}", i ? "," : "", kid,
                              key);
    }
    fclose(file);
    snprintf(licence + n, sizeof licence - n, "]}");
}

static void with_keys(struct cad_player_config *config)
{
    config->cdm = the_cdm;
    config->key_system = key_system;
    config->engine.licence = cad_buf_from_str(cad_str_from(licence));
}

static const char *file_of(const char *suffix, const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s%s/%s", CAD_TITLE_DIR, suffix, name);
    return path;
}

static void load(const char *path)
{
    assert_int_equal(cad_player_load_url(stage.player, path, CAD_TIME_NONE, NULL), 0);
    assert_int_equal(cad_player_play(stage.player), 0);
}

struct played {
    uint64_t samples, hash;
};

static struct played play(const char *path, uint32_t slot,
                          void (*change)(struct cad_player_config *))
{
    stage_open(&stage, true, change);
    load(path);
    assert_non_null(stage_wait(&stage, CAD_APP_ENDED, LONG));
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 0);
    assert_false(stage.locked);
    struct played p = {stage.samples[slot], stage.hash[slot]};
    struct cad_engine_stats stats;
    cad_player_stats(stage.player, &stats);
    assert_int_equal(stats.bytes_twice, 0);
    assert_int_equal(stats.services.is_protected, change != NULL);
    stage_close(&stage);
    return p;
}

static void check_same(const char *name, uint32_t slot)
{
    static const char *const schemes[] = {"-cenc", "-cbcs"};
    struct played clear = play(file_of("", name), slot, NULL);
    assert_true(clear.samples > 100);
    for (size_t i = 0; i < 2; i++) {
        read_keys(schemes[i], false);
        struct played opened = play(file_of(schemes[i], name), slot, with_keys);
        assert_int_equal(opened.samples, clear.samples);
        assert_true(opened.hash == clear.hash);
    }
}

static void test_player_drm_same_bytes(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    the_cdm = cad_cdm_clearkey();
    check_same(VIDEO, CAD_SLOT_VIDEO);
    check_same(AUDIO, CAD_SLOT_AUDIO);
}

/* A CDM that answers late, and one that is busy at every other call: the same pictures. */
static void test_player_drm_slow_cdm(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    the_cdm = unruly_ops(UNRULY_LATE);
    check_same(VIDEO, CAD_SLOT_VIDEO);
    the_cdm = unruly_ops(UNRULY_BUSY);
    check_same(AUDIO, CAD_SLOT_AUDIO);
}

/* Fatal, with that code; nothing has reached the sink. */
static void check_refused(const char *path, void (*change)(struct cad_player_config *),
                          enum cad_error_code code)
{
    stage_open(&stage, true, change);
    load(path);
    const struct cad_app_event *event;
    do {
        event = stage_wait(&stage, CAD_APP_ERROR, LONG);
        assert_non_null(event);
    } while (event->error.cls != CAD_ERROR_FATAL);
    assert_string_equal(cad_error_name(event->error.code), cad_error_name(code));
    for (uint32_t slot = 0; slot < CAD_ENGINE_SLOTS; slot++) {
        assert_int_equal(stage.samples[slot], 0);
    }
    stage_close(&stage);
}

static void test_player_drm_without_cdm(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    check_refused(file_of("-cenc", VIDEO), NULL, CAD_ERR_DRM_UNSUPPORTED);
}

static void with_patience(struct cad_player_config *config)
{
    with_keys(config);
    config->engine.key_wait = CAD_SECOND;
}

static void test_player_drm_without_key(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    the_cdm = cad_cdm_clearkey();
    read_keys("-cenc", true);
    /* The keys that are at hand open something else, and nobody says where to ask. */
    check_refused(file_of("-cenc", VIDEO), with_patience, CAD_ERR_DRM_NO_KEY);
}

/* Segments are kept as they came: seeking back decrypts them again, and fetches nothing. */
static void test_player_drm_seeks(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    the_cdm = cad_cdm_clearkey();
    read_keys("-cbcs", false);
    stage_open(&stage, false, with_keys);
    load(file_of("-cbcs", VIDEO));
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    stage_watch(&stage, 300 * CAD_MS);
    for (int i = 0; i < 3; i++) {
        uint32_t ticket;
        assert_int_equal(cad_player_seek(stage.player, i * 3 * CAD_SECOND, &ticket), 0);
        const struct cad_app_event *done = stage_wait(&stage, CAD_APP_SEEK_DONE, LONG);
        assert_non_null(done);
        assert_int_equal(done->ticket, ticket);
    }
    struct cad_engine_stats stats;
    cad_player_stats(stage.player, &stats);
    assert_int_equal(stats.bytes_twice, 0);
    assert_int_equal(stats.services.keys, CAD_KEY_USABLE);
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 0);
    assert_false(stage.locked);
    stage_close(&stage);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static struct cad_cdm_ops spoilt;
static int (*true_decrypt)(struct cad_cdm *, const struct cad_cdm_sample *, uint8_t *, uint32_t *);

/* One sample in the middle cannot be read. */
static int decrypt_all_but_one(struct cad_cdm *cdm, const struct cad_cdm_sample *s, uint8_t *out,
                               uint32_t *system_code)
{
    *system_code = 77;
    if (s->pts >= 5 * CAD_SECOND && s->pts < 5 * CAD_SECOND + 40 * CAD_MS) return CAD_E_DATA;
    return true_decrypt(cdm, s, out, system_code);
}

static void test_player_drm_damaged_sample(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    the_cdm = cad_cdm_clearkey();
    read_keys("-cenc", false);
    struct played whole = play(file_of("-cenc", VIDEO), CAD_SLOT_VIDEO, with_keys);
    spoilt = *cad_cdm_clearkey();
    true_decrypt = spoilt.decrypt;
    spoilt.decrypt = decrypt_all_but_one;
    the_cdm = &spoilt;
    stage_open(&stage, true, with_keys);
    load(file_of("-cenc", VIDEO));
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_ERROR, LONG);
    assert_non_null(event);
    assert_int_equal(event->error.code, CAD_ERR_DRM_SAMPLE_BAD);
    assert_int_equal(event->error.cls, CAD_ERROR_DEGRADED);
    assert_int_equal(event->error.edge_code, 77);
    assert_non_null(stage_wait(&stage, CAD_APP_ENDED, LONG));
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 1);
    /* Nothing is shown that refers to it: what follows up to the next sync sample (2 s) goes. */
    assert_in_range(stage.samples[CAD_SLOT_VIDEO], whole.samples - 48, whole.samples - 2);
    stage_close(&stage);
}

/* ---- making it ------------------------------------------------------------------------------- */

static int destroyed;

static void count_destroy(void *self)
{
    (void)self;
    destroyed++;
}

static int poll_nothing(void *self, struct cad_store_done *done)
{
    (void)self;
    (void)done;
    return CAD_E_AGAIN;
}

static void test_player_drm_create(void **state)
{
    (void)state;
    struct cad_store_ops ops = {.size = sizeof ops, .name = "none", .destroy = count_destroy,
                                .poll = poll_nothing};
    struct cad_player_config config;
    struct cad_player *player = NULL;
    cad_player_config_init(&config);
    config.store = (struct cad_store){&ops, NULL};
    config.cdm = cad_cdm_clearkey();
    config.key_system = "com.example.unknown";
    assert_int_equal(cad_player_create(&config, &player), CAD_E_UNSUPPORTED);
    assert_null(player);
    assert_int_equal(destroyed, 0); /* it is still the application's */
    config.key_system = NULL;
    assert_int_equal(cad_player_create(&config, &player), 0);
    cad_player_destroy(&player);
    assert_int_equal(destroyed, 1);
    config.store.ops = NULL;
    config.proxy = "gopher://a";
    assert_int_equal(cad_player_create(&config, &player), CAD_E_INVAL);
    config.proxy = NULL;
    config.key_log = "/no/such/folder/keys";
    assert_int_equal(cad_player_create(&config, &player), CAD_E_IO);
    config.key_log = NULL;
    config.store_path = "/no/such/folder/store";
    assert_int_equal(cad_player_create(&config, &player), CAD_E_IO);
    assert_null(player);
}

/* ---- prepared titles ------------------------------------------------------------------------- */

static void test_player_prepare_file(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    uint32_t ticket = 0;
    struct cad_engine_stats stats;
    the_cdm = cad_cdm_clearkey();
    read_keys("-cenc", false);
    stage_open(&stage, true, with_keys);
    assert_int_equal(cad_player_prepare(stage.player, "", NULL, &ticket), CAD_E_INVAL);
    assert_int_equal(
        cad_player_prepare(stage.player, file_of("-cenc", VIDEO), NULL, &ticket), 0);
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_PREPARED, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    stage_watch(&stage, 100 * CAD_MS);
    for (uint32_t slot = 0; slot < CAD_ENGINE_SLOTS; slot++) {
        assert_int_equal(stage.samples[slot], 0);
    }
    cad_player_stats(stage.player, &stats);
    assert_true(stats.prepared);
    load(file_of("-cenc", VIDEO));
    assert_non_null(stage_wait(&stage, CAD_APP_ENDED, LONG));
    cad_player_stats(stage.player, &stats);
    assert_false(stats.prepared);
    assert_int_equal(stats.bytes_twice, 0);
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 0);
    assert_int_equal(stage_count(&stage, CAD_APP_FIRST_FRAME), 1);
    stage_close(&stage);
}

/* ---- a title beside the one that plays ------------------------------------------------------- */

static void prepare(const char *path, uint32_t *ticket)
{
    assert_int_equal(cad_player_prepare(stage.player, path, NULL, ticket), 0);
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_PREPARED, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, *ticket);
}

/* Once a paused sink is full nothing is pulled: from here on the hash is of what follows. */
static void forget_samples(void)
{
    uint64_t before;
    do {
        before = stage.samples[CAD_SLOT_VIDEO];
        stage_watch(&stage, 100 * CAD_MS);
    } while (stage.samples[CAD_SLOT_VIDEO] != before);
    stage.samples[CAD_SLOT_VIDEO] = stage.hash[CAD_SLOT_VIDEO] = 0;
}

/* Each state that was told begins where the one before it ended. */
static void check_states(void)
{
    enum cad_state state = CAD_STATE_IDLE;
    for (size_t i = 0; i < stage.count; i++) {
        if (stage.events[i].type != CAD_APP_STATE) continue;
        assert_int_equal(stage.events[i].state_old, state);
        state = stage.events[i].state;
    }
}

/* Loads what was prepared: it plays to its end, the same bytes as ever, nothing fetched twice. */
static void check_taken_over(const char *path, const struct played *expected)
{
    uint32_t ticket = 0;
    struct cad_engine_stats stats;
    size_t errors = stage_count(&stage, CAD_APP_ERROR);
    cad_player_stats(stage.player, &stats);
    assert_true(stats.prepared);
    assert_int_equal(cad_player_pause(stage.player), 0);
    forget_samples();
    cad_player_stats(stage.player, &stats);
    uint64_t frames = stats.frames;
    assert_int_equal(cad_player_load_url(stage.player, path, CAD_TIME_NONE, &ticket), 0);
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_LOADED, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    check_states();
    assert_int_equal(cad_player_play(stage.player), 0);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    assert_non_null(stage_wait(&stage, CAD_APP_ENDED, LONG));
    assert_int_equal(stage.samples[CAD_SLOT_VIDEO], expected->samples);
    assert_true(stage.hash[CAD_SLOT_VIDEO] == expected->hash);
    cad_player_stats(stage.player, &stats);
    assert_int_equal(stats.state, CAD_STATE_ENDED);
    assert_false(stats.prepared);
    assert_int_equal(stats.bytes_twice, 0);
    assert_int_equal(stats.frames - frames, expected->samples);
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), errors);
    assert_false(stage.locked);
}

static void test_player_prepare_beside(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    static char clear[512], locked[512];
    uint32_t ticket = 0;
    the_cdm = cad_cdm_clearkey();
    read_keys("-cenc", false);
    snprintf(clear, sizeof clear, "%s", file_of("", VIDEO));
    snprintf(locked, sizeof locked, "%s", file_of("-cenc", VIDEO));
    struct played expected = play(clear, CAD_SLOT_VIDEO, NULL);
    stage_open(&stage, true, with_keys);
    load(clear);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    prepare(locked, &ticket);
    check_taken_over(locked, &expected);
    /* And back: the first engine again, whose numbers go on. */
    prepare(clear, &ticket);
    check_taken_over(clear, &expected);
    prepare(locked, &ticket);
    check_taken_over(locked, &expected);
    stage_close(&stage);
}

/* What plays does not notice, whatever becomes of it. */
static void test_player_prepare_in_vain(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    uint32_t ticket = 0, other = 0;
    struct cad_engine_stats stats;
    the_cdm = cad_cdm_clearkey();
    read_keys("-cbcs", false);
    stage_open(&stage, false, with_keys);
    load(file_of("-cbcs", VIDEO));
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    assert_int_equal(cad_player_prepare(stage.player, "/no/such/file.mp4", NULL, &ticket), 0);
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_ERROR, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    assert_int_equal(event->error.code, CAD_ERR_FILE_NOT_FOUND);
    assert_int_equal(event->error.cls, CAD_ERROR_DEGRADED);
    /* Another one in its place; then one that was not prepared is loaded. */
    prepare(file_of("-cbcs", AUDIO), &ticket);
    stage_watch(&stage, 200 * CAD_MS);
    cad_player_stats(stage.player, &stats);
    assert_int_equal(stats.state, CAD_STATE_PLAYING);
    assert_true(stats.prepared);
    assert_int_equal(stage_count(&stage, CAD_APP_STALL_BEGIN), 0);
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 1);
    assert_int_equal(cad_player_load_url(stage.player, file_of("", VIDEO), 0, &other), 0);
    event = stage_wait(&stage, CAD_APP_LOADED, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, other);
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    cad_player_stats(stage.player, &stats);
    assert_false(stats.prepared);
    assert_false(stats.services.is_protected);
    /* Destroyed with one that is being prepared. */
    assert_int_equal(cad_player_prepare(stage.player, file_of("-cbcs", VIDEO), NULL, NULL), 0);
    assert_true(stage_close(&stage) < 50 * CAD_MS);
}

/* Loaded in the same breath: it is taken over unprepared, and plays all the same. */
static void test_player_prepare_at_once(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    uint32_t ticket = 0;
    the_cdm = cad_cdm_clearkey();
    read_keys("-cenc", false);
    stage_open(&stage, false, with_keys);
    load(file_of("", VIDEO));
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    assert_int_equal(cad_player_prepare(stage.player, file_of("-cenc", VIDEO), NULL, NULL), 0);
    assert_int_equal(
        cad_player_load_url(stage.player, file_of("-cenc", VIDEO), 5 * CAD_SECOND, &ticket), 0);
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_LOADED, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    event = stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG);
    assert_non_null(event);
    assert_true(event->position >= 4900 * CAD_MS && event->position <= 5100 * CAD_MS);
    assert_int_equal(cad_player_seek(stage.player, 10 * CAD_SECOND, &ticket), 0);
    event = stage_wait(&stage, CAD_APP_SEEK_DONE, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), 0);
    assert_int_equal(cad_player_stop(stage.player), 0);
    stage_watch(&stage, 100 * CAD_MS);
    assert_in_range(stage_count(&stage, CAD_APP_PREPARED), 0, 1); /* it may have been quicker */
    stage_close(&stage);
}

static int write_nothing(void *ctx, const uint8_t *p, size_t n)
{
    (void)ctx;
    (void)p;
    (void)n;
    return 0;
}

static struct cad_tape_recorder *tape;

static void with_tape(struct cad_player_config *config)
{
    config->tape = tape;
}

/* A tape is of one engine: what plays goes on, and nothing is prepared. */
static void test_player_prepare_taped(void **state)
{
    (void)state;
    if (!has_titles()) skip();
    uint32_t ticket = 0;
    struct cad_tape_config config;
    cad_tape_config_init(&config);
    config.write = write_nothing;
    config.full = true; /* it has no randomness to redact with */
    assert_int_equal(cad_tape_recorder_create(&config, &tape), 0);
    stage_open(&stage, false, with_tape);
    load(file_of("", VIDEO));
    assert_non_null(stage_wait(&stage, CAD_APP_FIRST_FRAME, LONG));
    assert_int_equal(cad_player_prepare(stage.player, file_of("", AUDIO), NULL, &ticket), 0);
    const struct cad_app_event *event = stage_wait(&stage, CAD_APP_ERROR, LONG);
    assert_non_null(event);
    assert_int_equal(event->ticket, ticket);
    assert_int_equal(event->error.code, CAD_ERR_PREPARE_BUSY);
    assert_int_equal(event->error.cls, CAD_ERROR_DEGRADED);
    struct cad_engine_stats stats;
    cad_player_stats(stage.player, &stats);
    assert_int_equal(stats.state, CAD_STATE_PLAYING);
    stage_close(&stage);
    cad_tape_recorder_destroy(&tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_player_drm_same_bytes),
        cmocka_unit_test(test_player_drm_slow_cdm),
        cmocka_unit_test(test_player_drm_without_cdm),
        cmocka_unit_test(test_player_drm_without_key),
        cmocka_unit_test(test_player_drm_seeks),
        cmocka_unit_test(test_player_drm_damaged_sample),
        cmocka_unit_test(test_player_drm_create),
        cmocka_unit_test(test_player_prepare_file),
        cmocka_unit_test(test_player_prepare_beside),
        cmocka_unit_test(test_player_prepare_in_vain),
        cmocka_unit_test(test_player_prepare_at_once),
        cmocka_unit_test(test_player_prepare_taped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
