/* Heads of HTTP answers, line by line: what is read, what is ignored, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "drive/net_head.h"

#define WALL_MS INT64_C(784111770000) /* 7 s before the Date below */

static struct cad_net_head head;

/* Feeds lines parted by '\n' with CRLF behind each; the result of the last one. */
static int feed(const char *text)
{
    cad_net_head_init(&head, 7);
    cad_str rest = cad_str_from(text);
    cad_str line;
    int result = 0;
    while (cad_str_split(&rest, '\n', &line)) {
        char crlf[512];
        size_t n = cad_str_copyz(crlf, sizeof crlf - 2, line);
        memcpy(crlf + n, "\r\n", 2);
        result = cad_net_head_line(&head, cad_str_make(crlf, n + 2), WALL_MS);
        if (result) break;
    }
    return result;
}

static void test_net_head_plain(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 200 OK\nContent-Length: 12345\nServer: x\n"), 1);
    assert_int_equal(head.http.id, 7);
    assert_int_equal(head.http.status, 200);
    assert_int_equal(head.http.length, 12345);
    assert_int_equal(head.http.range.first, -1);
    assert_int_equal(head.http.total, -1);
    assert_int_equal(head.http.date_ms, 0);
    assert_true(head.http.retry_after == CAD_TIME_NONE);
    assert_int_equal(head.http.location.n, 0);
    /* Trailers come too late to change anything. */
    assert_int_equal(cad_net_head_line(&head, CAD_STR("Content-Length: 1\r\n"), 0), 0);
    assert_int_equal(head.http.length, 12345);
}

static void test_net_head_range(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/2 206 \ncontent-range: bytes 100-199/4000\n"), 1);
    assert_int_equal(head.http.status, 206);
    assert_int_equal(head.http.range.first, 100);
    assert_int_equal(head.http.range.last, 199);
    assert_int_equal(head.http.total, 4000);
    assert_int_equal(feed("HTTP/1.1 206 x\nContent-Range: bytes 0-0/*\n"), 1);
    assert_int_equal(head.http.range.last, 0);
    assert_int_equal(head.http.total, -1);
    assert_int_equal(feed("HTTP/1.1 416 x\nContent-Range: bytes */4000\n"), 1);
    assert_int_equal(head.http.range.first, -1);
    assert_int_equal(head.http.total, 4000);
}

static void test_net_head_bad_range(void **state)
{
    (void)state;
    static const char *const bad[] = {"bytes 5-4/10", "bytes 0-10/10", "bytes -5/10", "bytes 5/10",
                                      "lines 0-1/10", "bytes 0-1",    "bytes a-b/10", "bytes",
                                      "",             "bytes 99999999999999999999-1/2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[128] = "HTTP/1.1 206 x\nContent-Range: ";
        strcat(strcat(text, bad[i]), "\n");
        assert_int_equal(feed(text), 1);
        assert_int_equal(head.http.range.first, -1);
    }
}

static void test_net_head_lengths(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 200 OK\nContent-Length: -5\n"), 1);
    assert_int_equal(head.http.length, -1);
    assert_int_equal(feed("HTTP/1.1 200 OK\nContent-Length: 1x\n"), 1);
    assert_int_equal(head.http.length, -1);
    assert_int_equal(feed("HTTP/1.1 200 OK\nContent-Length: 99999999999999999999\n"), 1);
    assert_int_equal(head.http.length, -1);
    assert_int_equal(feed("HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked\n"), 1);
    assert_int_equal(head.http.length, -1);
}

/* 100 Continue and the like are not the answer. */
static void test_net_head_informational(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 100 Continue\nContent-Length: 9\n\nHTTP/1.1 201 Made\n"), 1);
    assert_int_equal(head.http.status, 201);
    assert_int_equal(head.http.length, -1);
}

static void test_net_head_times(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 503 x\nRetry-After: 120\n"), 1);
    assert_int_equal(head.http.retry_after, 120 * CAD_SECOND);
    /* A date is counted from the answer's own Date, else from the wall clock; never backwards. */
    assert_int_equal(feed("HTTP/1.1 503 x\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\n"
                          "Date: Sun, 06 Nov 1994 08:49:27 GMT\n"), 1);
    assert_int_equal(head.http.date_ms, INT64_C(784111767000));
    assert_int_equal(head.http.retry_after, 10 * CAD_SECOND);
    assert_int_equal(feed("HTTP/1.1 503 x\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\n"), 1);
    assert_int_equal(head.http.retry_after, 7 * CAD_SECOND);
    assert_int_equal(feed("HTTP/1.1 503 x\nRetry-After: Sun, 06 Nov 1984 08:49:37 GMT\n"), 1);
    assert_int_equal(head.http.retry_after, 0);
    assert_int_equal(feed("HTTP/1.1 503 x\nRetry-After: soon\nDate: never\n"), 1);
    assert_true(head.http.retry_after == CAD_TIME_NONE);
    assert_int_equal(head.http.date_ms, 0);
    assert_int_equal(feed("HTTP/1.1 503 x\nRetry-After: 9223372036854775807\n"), 1);
    assert_true(head.http.retry_after == INT64_MAX);
}

static void test_net_head_location(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 302 x\nLOCATION:  https://a/b \n"), 1);
    assert_true(cad_str_eqz(head.http.location, "https://a/b"));
    cad_net_head_init(&head, 7);
    static char line[CAD_NET_LOCATION_MAX + 64] = "Location: ";
    memset(line + 10, 'x', CAD_NET_LOCATION_MAX);
    assert_int_equal(cad_net_head_line(&head, CAD_STR("HTTP/1.1 302 x"), 0), 0);
    assert_int_equal(cad_net_head_line(&head, cad_str_from(line), 0), 0);
    assert_int_equal(head.http.location.n, 0);
    line[10 + CAD_NET_LOCATION_MAX - 1] = '\0';
    assert_int_equal(cad_net_head_line(&head, cad_str_from(line), 0), 0);
    assert_int_equal(head.http.location.n, CAD_NET_LOCATION_MAX - 1);
}

static void test_net_head_broken(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1\n"), CAD_E_DATA);
    assert_int_equal(feed("HTTP/1.1 abc x\n"), CAD_E_DATA);
    assert_int_equal(feed("HTTP/1.1 999 x\n"), CAD_E_DATA);
    assert_int_equal(feed("Server: x\n"), CAD_E_DATA);
    assert_int_equal(feed("HTTP/1.1 200 OK\nno colon here\n: no name\n folded\n"), 1);
}

static uint32_t version(const char *line)
{
    assert_int_equal(feed(line), 1);
    return head.http.http_version;
}

static void test_net_head_told(void **state)
{
    (void)state;
    assert_int_equal(feed("HTTP/1.1 103 Early\nVia: early\n\nHTTP/1.1 200 OK\nVia: 1.1 a\n"
                          "via: 1.1 b\nX-Ichnaea: {\"a\":1}\nSet-Cookie: secret\n"
                          "X-FTL-Probe-Recv-TS: 12\nvia-x: no\nvi: no\n"),
                     1);
    assert_int_equal(head.http.header_count, 3);
    const struct cad_header *h = head.http.headers;
    assert_true(cad_str_eqz(h[0].name, "via") && cad_str_eqz(h[0].value, "1.1 a"));
    assert_true(cad_str_eqz(h[1].name, "x-ichnaea") && cad_str_eqz(h[1].value, "{\"a\":1}"));
    assert_true(cad_str_eqz(h[2].name, "x-ftl-probe-recv-ts") && cad_str_eqz(h[2].value, "12"));
    assert_int_equal(feed("HTTP/1.1 200 OK\nServer: x\n"), 1);
    assert_int_equal(head.http.header_count, 0);
}

static void test_net_head_version(void **state)
{
    (void)state;
    assert_int_equal(version("HTTP/1.0 200 OK\n"), 10);
    assert_int_equal(version("HTTP/1.1 200 OK\n"), 11);
    assert_int_equal(version("HTTP/2 200 \n"), 20);
    assert_int_equal(version("HTTP/3 200 \n"), 30);
    assert_int_equal(version("HTTP/x 200 OK\n"), 0);
    /* That of the answer, not of what was said before it. */
    assert_int_equal(version("HTTP/1.0 100 Go on\n\nHTTP/1.1 200 OK\n"), 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_head_plain),         cmocka_unit_test(test_net_head_range),
        cmocka_unit_test(test_net_head_bad_range),     cmocka_unit_test(test_net_head_lengths),
        cmocka_unit_test(test_net_head_informational), cmocka_unit_test(test_net_head_times),
        cmocka_unit_test(test_net_head_location),      cmocka_unit_test(test_net_head_broken),
        cmocka_unit_test(test_net_head_version),       cmocka_unit_test(test_net_head_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
