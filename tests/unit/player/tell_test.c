/* What is printed: JSON lines with their members, and errors in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "tell.h"

#define OUTPUT "tell-test-output.txt"

static int saved = -1;

static void begin(void)
{
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    assert_non_null(freopen(OUTPUT, "w", stdout));
}

static const char *end(void)
{
    static char text[16384];
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    clearerr(stdout);
    FILE *file = fopen(OUTPUT, "r");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    text[n] = '\0';
    fclose(file);
    remove(OUTPUT);
    return text;
}

static void check_event(const struct cad_app_event *event, cad_time to, const char *expected)
{
    begin();
    tell_json_event(event, to);
    assert_string_equal(end(), expected);
}

static void check_text(const struct cad_app_event *event, const char *expected)
{
    begin();
    tell_text_event(event, CAD_TIME_NONE);
    assert_string_equal(end(), expected);
}

static void test_tell_writes_json_lines(void **state)
{
    (void)state;
    struct cad_app_event event = {.type = CAD_APP_FIRST_FRAME, .at = 12345678901, .position = 0};
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":12.345678901,\"event\":\"first_frame\",\"position\":0}\n");
    event = (struct cad_app_event){.type = CAD_APP_RUNG, .at = CAD_SECOND, .rung = 2,
                                   .rate_bps = 1200500, .width = 1280, .height = 720};
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":1.000000000,\"event\":\"rung\",\"track\":\"video\",\"rung\":2,"
                "\"kbps\":1200.5,\"width\":1280,\"height\":720}\n");
    event = (struct cad_app_event){.type = CAD_APP_SEEK_DONE, .at = CAD_SECOND, .position = 5};
    check_event(&event, 30 * CAD_SECOND,
                "{\"t\":1.000000000,\"event\":\"seek_done\",\"to\":30,\"position\":0.000000005}\n");
    event = (struct cad_app_event){.type = CAD_APP_SERVER, .at = CAD_SECOND, .slot = 1,
                                   .text = "cdn\"1"};
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":1.000000000,\"event\":\"server\",\"track\":\"audio\","
                "\"id\":\"cdn\\\"1\"}\n");
    event = (struct cad_app_event){.type = CAD_APP_STALL_END, .at = CAD_SECOND,
                                   .position = 2 * CAD_SECOND, .duration = CAD_SECOND / 2};
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":1.000000000,\"event\":\"stall_end\",\"position\":2,\"duration\":0.5}\n");
}

/* A title of sound alone has rungs without a size; a length that is not known is null. */
static void test_tell_leaves_out_what_is_not_known(void **state)
{
    (void)state;
    struct cad_app_event event = {.type = CAD_APP_RUNG, .at = CAD_SECOND, .slot = CAD_SLOT_AUDIO,
                                  .rung = 1, .rate_bps = 96000};
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":1.000000000,\"event\":\"rung\",\"track\":\"audio\",\"rung\":1,"
                "\"kbps\":96}\n");
    check_text(&event, "sound: 96 kbit/s\n");
    event = (struct cad_app_event){.type = CAD_APP_LOADED, .at = CAD_SECOND, .duration = 0};
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":1.000000000,\"event\":\"load\",\"duration\":null}\n");
    check_text(&event, "loaded\n");
    event.duration = 90 * CAD_SECOND;
    check_text(&event, "loaded: 90.0 s\n");
    struct cad_engine_stats stats = {.startup = CAD_TIME_NONE, .position = CAD_TIME_NONE};
    begin();
    tell_text_end(&stats);
    assert_string_equal(end(), "nothing was played\n");
    begin();
    tell_json_end(&stats, CAD_SECOND);
    assert_non_null(strstr(end(), "\"startup_s\":null,\"stalls\":0,\"stall_s\":0,"
                                  "\"mean_kbps\":null,"));
}

/* What a server says is not obeyed by the terminal: ESC, CSI in one byte pair, right-to-left. */
static void test_tell_shows_no_controls(void **state)
{
    (void)state;
    struct cad_app_event event = {.type = CAD_APP_SERVER, .at = CAD_SECOND,
                                  .text = "a\x1b[1m\xc2\x9b" "2J\xe2\x80\xae" "z\xc3\xa9"};
    check_text(&event, "picture from a?[1m?2J?z\xc3\xa9\n");
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":1.000000000,\"event\":\"server\",\"track\":\"video\","
                "\"id\":\"a\\u001b[1m\\u009b2J\\u202ez\xc3\xa9\"}\n");
    struct cad_error error;
    cad_error_init(&error, CAD_ERR_MANIFEST_DENIED);
    cad_str_copyz(error.message, sizeof(error.message), CAD_STR("no\xc2\x9d" "0;x\x07"));
    char text[256];
    tell_error_text(&error, text, sizeof(text));
    assert_string_equal(text, "no?0;x? (MANIFEST_DENIED)");
}

static void test_tell_speaks_of_services(void **state)
{
    (void)state;
    struct cad_app_event event = {.type = CAD_APP_KEYS, .at = CAD_SECOND, .text = "usable"};
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":1.000000000,\"event\":\"keys\",\"status\":\"usable\"}\n");
    check_text(&event, "keys: usable\n");
    event = (struct cad_app_event){.type = CAD_APP_PROBES, .at = CAD_SECOND, .text = "near",
                                   .duration = 12 * CAD_MS};
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":1.000000000,\"event\":\"probes\",\"target\":\"near\","
                "\"latency\":0.012}\n");
    check_text(&event, "the fastest server is near (12 ms)\n");
    event = (struct cad_app_event){.type = CAD_APP_PREPARED, .at = CAD_SECOND};
    check_event(&event, CAD_TIME_NONE, "{\"t\":1.000000000,\"event\":\"prepared\"}\n");
    check_text(&event, "prepared\n");
    event = (struct cad_app_event){.type = CAD_APP_TRACK, .at = CAD_SECOND, .slot = CAD_SLOT_TEXT,
                                   .text = "en"};
    check_event(&event, CAD_TIME_NONE,
                "{\"t\":1.000000000,\"event\":\"track\",\"track\":\"text\",\"id\":\"en\"}\n");
    check_text(&event, "subtitles: en\n");
    event.text[0] = '\0';
    check_text(&event, "subtitles: off\n");
}

/* The end says what the services were told; a name that is all controls does not break the line. */
static void test_tell_ends_with_services(void **state)
{
    (void)state;
    struct cad_engine_stats stats = {.startup = CAD_SECOND, .position = CAD_SECOND};
    struct cad_service_stats *services = &stats.services;
    begin();
    tell_json_end(&stats, CAD_SECOND);
    assert_non_null(strstr(end(), ",\"protected\":false,\"keys\":null,\"licences\":0,"
                                  "\"licences_failed\":0,\"licence_s\":null,\"text_track\":\"\","
                                  "\"probes\":[],\"events\":0,\"events_delivered\":0,"
                                  "\"events_waiting\":0,\"logs\":0,\"logs_dropped\":0,"
                                  "\"batches_delivered\":0}\n"));
    *services = (struct cad_service_stats){
        .is_protected = true, .keys = CAD_KEY_USABLE, .licences = 1, .licence_time = 80 * CAD_MS,
        .text_track = "de", .probe_count = CAD_PROBE_FIGURES_MAX, .events = 5,
        .events_delivered = 4, .events_waiting = 1, .logs = 9, .batches_delivered = 2};
    for (int i = 0; i < CAD_PROBE_FIGURES_MAX; i++) {
        memset(services->probes[i].name, 1, CAD_APP_TEXT_SIZE - 1);
        services->probes[i].latency = i == 0 ? 7 * CAD_MS : CAD_TIME_NONE;
        services->probes[i].pulses = 3;
        services->probes[i].ok = i == 0 ? 3 : 0;
    }
    begin();
    tell_json_end(&stats, CAD_SECOND);
    const char *line = end();
    assert_non_null(strstr(line, "\"protected\":true,\"keys\":\"usable\",\"licences\":1,"));
    assert_non_null(strstr(line, "\"licence_s\":0.08,\"text_track\":\"de\","));
    assert_non_null(strstr(line, "\"latency\":0.007,\"pulses\":3,\"ok\":3},{\"target\":"));
    assert_non_null(strstr(line, "\"events\":5,\"events_delivered\":4,\"events_waiting\":1,"
                                 "\"logs\":9,\"logs_dropped\":0,\"batches_delivered\":2}\n"));
    begin();
    tell_text_end(&stats);
    line = end();
    assert_non_null(strstr(line, "keys usable, licence in 80 ms\n"));
    assert_non_null(strstr(line, "4 of 5 events delivered, 2 log batches\n"));
}

/* The vocabulary is closed: what is not in it is not printed. */
static void test_tell_keeps_to_its_words(void **state)
{
    (void)state;
    struct cad_app_event event = {.type = CAD_APP_STATE, .at = CAD_SECOND};
    check_event(&event, CAD_TIME_NONE, "");
    event.type = CAD_APP_REFRESHED;
    check_event(&event, CAD_TIME_NONE, "");
    event.type = CAD_APP_ENDED;
    check_event(&event, CAD_TIME_NONE, "");
}

static void test_tell_describes_an_error(void **state)
{
    (void)state;
    struct cad_error error;
    cad_error_init(&error, CAD_ERR_HTTP_NOT_FOUND);
    error.http_status = 404;
    error.attempts = 4;
    error.phase = CAD_PHASE_MANIFEST;
    begin();
    tell_json_error(&error, CAD_SECOND);
    assert_string_equal(end(),
        "{\"t\":1.000000000,\"event\":\"error\",\"code\":\"HTTP_NOT_FOUND\",\"domain\":\"http\","
        "\"class\":\"fatal\",\"phase\":\"manifest\",\"http_status\":404,\"edge_code\":0,"
        "\"attempts\":4,\"message\":\"the server does not have the resource\",\"fatal\":true}\n");
    char text[256];
    tell_error_text(&error, text, sizeof(text));
    assert_string_equal(text, "the server does not have the resource (HTTP_NOT_FOUND, HTTP 404, "
                              "after 4 attempts)");
    for (size_t size = 1; size < 100; size++) {
        memset(text, 'x', sizeof(text));
        tell_error_text(&error, text, size);
        assert_true(strlen(text) < size);
        assert_int_equal(text[size], 'x');
    }
}

static void test_tell_sums_up(void **state)
{
    (void)state;
    struct cad_engine_stats stats = {.startup = 250 * CAD_MS, .stalls = 1,
        .stall_time = 1500 * CAD_MS, .frames = 100, .dropped = 3, .position = 4 * CAD_SECOND};
    stats.slot[0] = (struct cad_slot_stats){
        .present = true, .switches = 2, .played_rate_bps = 987654};
    static const char want[] =
        "{\"t\":2.000000000,\"event\":\"end\",\"startup_s\":0.25,\"stalls\":1,\"stall_s\":1.5,"
        "\"mean_kbps\":987.654,\"switches\":2,\"frames\":100,\"dropped\":3,\"position\":4,";
    begin();
    tell_json_end(&stats, 2 * CAD_SECOND);
    assert_memory_equal(end(), want, sizeof(want) - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tell_writes_json_lines),
        cmocka_unit_test(test_tell_leaves_out_what_is_not_known),
        cmocka_unit_test(test_tell_shows_no_controls),
        cmocka_unit_test(test_tell_speaks_of_services),
        cmocka_unit_test(test_tell_ends_with_services),
        cmocka_unit_test(test_tell_keeps_to_its_words),
        cmocka_unit_test(test_tell_describes_an_error),
        cmocka_unit_test(test_tell_sums_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
