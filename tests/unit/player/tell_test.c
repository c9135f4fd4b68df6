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
    static char text[4096];
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
    begin();
    tell_json_end(&stats, 2 * CAD_SECOND);
    assert_string_equal(end(),
        "{\"t\":2.000000000,\"event\":\"end\",\"startup_s\":0.25,\"stalls\":1,\"stall_s\":1.5,"
        "\"mean_kbps\":987.654,\"switches\":2,\"frames\":100,\"dropped\":3,\"position\":4}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tell_writes_json_lines),
        cmocka_unit_test(test_tell_keeps_to_its_words),
        cmocka_unit_test(test_tell_describes_an_error),
        cmocka_unit_test(test_tell_sums_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
