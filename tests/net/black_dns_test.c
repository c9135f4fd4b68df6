/*
 * A name server that takes every question and answers none: stop, seek and destroy do not wait for
 * it. black-dns.sh runs this in a network of its own, whose only name server is here.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "player_stage.h"

#define AT_ONCE (50 * CAD_MS)

static struct stage stage;
static int name_server;

/* The first is a manifest, the second a file of media: other parts of the engine wait for them. */
static const char *const urls[] = {"http://title.example/manifest", "https://media.example/a.mp4"};
/* Before the lookup begins, and in the middle of it. */
static const cad_time waits[] = {0, 2 * CAD_MS, 20 * CAD_MS, 300 * CAD_MS};

static uint32_t questions(void)
{
    uint32_t n = 0;
    char packet[512];
    while (recv(name_server, packet, sizeof packet, MSG_DONTWAIT) > 0) n++;
    return n;
}

/* A macro would measure twice. */
static void keep_longest(cad_time *longest, cad_time took)
{
    if (took > *longest) *longest = took;
}

static void load(const char *url)
{
    assert_int_equal(cad_player_play(stage.player), 0);
    assert_int_equal(cad_player_load_url(stage.player, url, CAD_TIME_NONE, NULL), 0);
}

static void check_at_once(const char *what, cad_time took)
{
    print_message("%s: %lld us at most\n", what, (long long)(took / CAD_US));
    assert_true(took < AT_ONCE);
}

/* The name server is what this test says it is: without our care a lookup takes its time. */
static void test_dns_is_black(void **state)
{
    CAD_UNUSED(state);
    struct addrinfo *found = NULL;
    cad_time from = cad_player_now(NULL);
    assert_int_not_equal(getaddrinfo("control.example", "80", NULL, &found), 0);
    cad_time took = cad_player_now(NULL) - from;
    print_message("a plain lookup: %lld ms, %u questions\n", (long long)(took / CAD_MS),
                  questions());
    assert_true(took > CAD_SECOND);
}

static cad_time stop_once(void)
{
    cad_time from = cad_player_now(NULL);
    assert_int_equal(cad_player_stop(stage.player), 0);
    for (;;) {
        const struct cad_app_event *event = stage_wait(&stage, CAD_APP_STATE, CAD_SECOND);
        assert_non_null(event);
        if (event->state == CAD_STATE_STOPPED) break;
    }
    return cad_player_now(NULL) - from;
}

static void test_dns_stop(void **state)
{
    CAD_UNUSED(state);
    cad_time longest = 0;
    stage_open(&stage, false, NULL);
    for (size_t u = 0; u < CAD_ARRAY_LEN(urls); u++) {
        for (size_t i = 0; i < CAD_ARRAY_LEN(waits); i++) {
            load(urls[u]);
            stage_watch(&stage, waits[i]);
            keep_longest(&longest, stop_once());
        }
    }
    assert_true(questions() > 0);
    check_at_once("destroy after stops", stage_close(&stage));
    check_at_once("stop", longest);
}

/* Until the figures tell the new place; the drive thread has turned by then. */
static cad_time seek_once(cad_time position)
{
    struct cad_engine_stats stats;
    cad_time from = cad_player_now(NULL);
    assert_int_equal(cad_player_seek(stage.player, position, NULL), 0);
    do {
        cad_player_stats(stage.player, &stats);
        if (cad_player_now(NULL) - from > CAD_SECOND) fail_msg("the seek is not taken up");
    } while (stats.position != position);
    return cad_player_now(NULL) - from;
}

static void test_dns_seek(void **state)
{
    CAD_UNUSED(state);
    cad_time longest = 0;
    for (size_t u = 0; u < CAD_ARRAY_LEN(urls); u++) {
        stage_open(&stage, false, NULL);
        load(urls[u]);
        for (size_t i = 0; i < CAD_ARRAY_LEN(waits); i++) {
            stage_watch(&stage, waits[i]);
            keep_longest(&longest, seek_once((cad_time)(i + 1) * CAD_SECOND));
        }
        assert_true(questions() > 0);
        check_at_once("destroy after seeks", stage_close(&stage));
    }
    check_at_once("seek", longest);
}

static void test_dns_destroy(void **state)
{
    CAD_UNUSED(state);
    cad_time longest = 0;
    for (size_t u = 0; u < CAD_ARRAY_LEN(urls); u++) {
        for (size_t i = 0; i < CAD_ARRAY_LEN(waits); i++) {
            stage_open(&stage, false, NULL);
            load(urls[u]);
            stage_watch(&stage, waits[i]);
            keep_longest(&longest, stage_close(&stage));
        }
    }
    assert_true(questions() > 0);
    check_at_once("destroy", longest);
}

/* And what a viewer is told in the end, from a manifest's host that has no name. */
static void test_dns_error(void **state)
{
    CAD_UNUSED(state);
    stage_open(&stage, false, NULL);
    cad_time from = cad_player_now(NULL);
    load(urls[0]);
    const struct cad_app_event *event = NULL;
    do {
        event = stage_wait(&stage, CAD_APP_ERROR, 6 * CAD_SECOND);
        assert_non_null(event);
    } while (event->error.cls != CAD_ERROR_FATAL);
    print_message("%s after %lld ms\n", cad_error_name(event->error.code),
                  (long long)((cad_player_now(NULL) - from) / CAD_MS));
    assert_true(event->error.code == CAD_ERR_NET_DNS || event->error.code == CAD_ERR_NET_TIMEOUT);
    check_at_once("destroy after an error", stage_close(&stage));
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(53)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    name_server = socket(AF_INET, SOCK_DGRAM, 0);
    if (name_server < 0 || bind(name_server, (struct sockaddr *)&address, sizeof address)) {
        puts("black-dns.sh runs this");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dns_is_black), cmocka_unit_test(test_dns_stop),
        cmocka_unit_test(test_dns_seek),     cmocka_unit_test(test_dns_destroy),
        cmocka_unit_test(test_dns_error),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close(name_server);
    return failed;
}
