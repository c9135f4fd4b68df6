/* How things end: each failure with one typed error in good time, and destroying at any moment. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "player_stage.h"
#include "transport_server.h"

#define FILE_TITLE CAD_TITLE_DIR "/video-240.mp4"

#define SLOW_HOST "slow.invalid"
#define SLOW_SECONDS 3

static struct stage stage;
static _Atomic uint32_t slow_lookups;

/* In place of the C library's: one name takes long, as with a name server that does not answer. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    if (node && strcmp(node, SLOW_HOST) == 0) {
        atomic_fetch_add(&slow_lookups, 1);
        sleep(SLOW_SECONDS);
        return EAI_AGAIN;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&real, &symbol, sizeof real);
    return real(node, service, hints, result);
}
static struct transport_server *server;

static const char *server_url(const char *path)
{
    static char url[128];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", transport_server_port(server), path);
    return url;
}

/* Exactly one fatal error within 5 s, with the load's ticket, and nothing fatal after it. */
static void check_error(const char *url, enum cad_error_code code)
{
    uint32_t ticket;
    cad_time from = cad_player_now(stage.player);
    assert_int_equal(cad_player_load_url(stage.player, url, CAD_TIME_NONE, &ticket), 0);
    const struct cad_app_event *event;
    do {
        event = stage_wait(&stage, CAD_APP_ERROR, from + 5 * CAD_SECOND - cad_player_now(NULL));
        if (!event) fail_msg("%s: no error within 5 s", url);
    } while (event->error.cls != CAD_ERROR_FATAL);
    if (event->error.code != code) {
        fail_msg("%s: %s, not %s", url, cad_error_name(event->error.code), cad_error_name(code));
    }
    print_message("%s: %s after %lld ms (%u attempts)\n", url, cad_error_name(code),
                  (long long)((cad_player_now(NULL) - from) / CAD_MS), event->error.attempts);
    assert_int_equal(event->ticket, ticket);
    assert_true(event->error.message[0] != '\0');
    size_t errors = stage_count(&stage, CAD_APP_ERROR);
    stage_watch(&stage, 100 * CAD_MS);
    assert_int_equal(stage_count(&stage, CAD_APP_ERROR), errors);
    struct cad_engine_stats stats;
    cad_player_stats(stage.player, &stats);
    assert_int_equal(stats.state, CAD_STATE_FAILED);
}

static void test_player_errors(void **state)
{
    (void)state;
    stage_open(&stage, false, NULL);
    check_error("/no/such/file.mp4", CAD_ERR_FILE_NOT_FOUND);
    check_error("no such file", CAD_ERR_FILE_NOT_FOUND);
    check_error("/", CAD_ERR_FILE_UNREADABLE);
    check_error("/dev/null", CAD_ERR_FILE_UNREADABLE);
    check_error("ftp://127.0.0.1/a", CAD_ERR_SCHEME_REFUSED);
    check_error(server_url("/missing"), CAD_ERR_HTTP_NOT_FOUND);
    check_error(server_url("/whole/5000"), CAD_ERR_MANIFEST_BAD);
    check_error("http://127.0.0.1:1/a", CAD_ERR_NET_CONNECT);
    stage_close(&stage);
}

static void set_offline(struct cad_player_config *config)
{
    config->offline = true;
}

static void test_player_offline(void **state)
{
    (void)state;
    stage_open(&stage, false, set_offline);
    check_error(server_url("/missing"), CAD_ERR_SCHEME_REFUSED);
    check_error("/no/such/file.mp4", CAD_ERR_FILE_NOT_FOUND);
    stage_close(&stage);
}

/* ---- destroying ------------------------------------------------------------------------------ */

/* Longest time that cad_player_destroy took, after several waits. */
static void check_destroy(const char *what, const char *url)
{
    static const cad_time waits[] = {0, CAD_MS, 20 * CAD_MS, 300 * CAD_MS};
    cad_time longest = 0;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        stage_open(&stage, false, NULL);
        assert_int_equal(cad_player_play(stage.player), 0);
        assert_int_equal(cad_player_load_url(stage.player, url, CAD_TIME_NONE, NULL), 0);
        stage_watch(&stage, waits[i]);
        cad_time took = stage_close(&stage);
        if (took > longest) longest = took;
    }
    print_message("destroy, %s: %lld us at most\n", what, (long long)(longest / CAD_US));
    assert_true(longest < 50 * CAD_MS);
}

static void test_player_destroy(void **state)
{
    (void)state;
    check_destroy("silent server", server_url("/silent"));
    check_destroy("stalled server", server_url("/stall/100000"));
    check_destroy("refused", "http://127.0.0.1:1/");
    atomic_store(&slow_lookups, 0);
    check_destroy("resolving", "http://" SLOW_HOST "/");
    assert_true(atomic_load(&slow_lookups) > 0);
    check_destroy("unroutable", "http://203.0.113.1/");
    char tls[64];
    snprintf(tls, sizeof tls, "https://127.0.0.1:%d/", transport_server_port(server));
    check_destroy("TLS to a server that says nothing", tls);
    check_destroy("missing file", "/no/such/file");
    if (access(FILE_TITLE, R_OK) == 0) check_destroy("playing a file", FILE_TITLE);
}

/* A listener that takes no connection: its backlog is full, no SYN is answered. */
static void test_player_destroy_connecting(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int fill[4];
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    for (int i = 0; i < 4; i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(fill[i], (struct sockaddr *)&address, size);
    }
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(address.sin_port));
    check_destroy("connecting", url);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", ntohs(address.sin_port));
    check_destroy("connecting for TLS", url);
    for (int i = 0; i < 4; i++) close(fill[i]);
    close(fd);
}

/* Destroyed while the engine stands still because nobody reads events. */
static void test_player_destroy_unread(void **state)
{
    (void)state;
    if (access(FILE_TITLE, R_OK) != 0) skip();
    stage_open(&stage, false, NULL);
    assert_int_equal(cad_player_load_url(stage.player, FILE_TITLE, CAD_TIME_NONE, NULL), 0);
    bool full = false;
    for (int i = 0; i < 3000 && !full; i++) {
        full = (i % 2 ? cad_player_pause(stage.player) : cad_player_play(stage.player)) != 0;
        usleep(1000);
    }
    assert_true(full);
    cad_time took = stage_close(&stage);
    print_message("destroy, events unread: %lld us\n", (long long)(took / CAD_US));
    assert_true(took < 50 * CAD_MS);
}

int main(void)
{
    server = transport_server_start();
    if (!server) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_player_errors),
        cmocka_unit_test(test_player_offline),
        cmocka_unit_test(test_player_destroy),
        cmocka_unit_test(test_player_destroy_connecting),
        cmocka_unit_test(test_player_destroy_unread),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    transport_server_stop(server);
    return failed;
}
