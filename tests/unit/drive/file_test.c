/* Paths and file: URLs, and what the file transport says of files that cannot be read. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "drive/file.h"
#include "support/failing_alloc.h"

static char text[256];

static int path_of(const char *url)
{
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof text);
    text[0] = '\0';
    return cad_file_path(cad_str_from(url), &sb);
}

static void test_file_is_url(void **state)
{
    (void)state;
    assert_true(cad_file_is_url(CAD_STR("/a")));
    assert_true(cad_file_is_url(CAD_STR("file:///a")));
    assert_true(cad_file_is_url(CAD_STR("FILE:/a")));
    assert_false(cad_file_is_url(CAD_STR("http://a")));
    assert_false(cad_file_is_url(CAD_STR("a/b")));
    assert_false(cad_file_is_url(CAD_STR("")));
}

static void test_file_path(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"/a b%20", "/a b%20"},                {"file:///a%20b", "/a b"},
        {"file:/a", "/a"},                     {"file://localhost/a", "/a"},
        {"file:///a?x=1#y", "/a"},             {"file:///%C3%A4%2f%25", "/\xc3\xa4/%"},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(path_of(good[i][0]), 0);
        assert_string_equal(text, good[i][1]);
    }
    static const char *const bad[] = {"file://server/a", "file:a",       "file:", "file:///a%0",
                                      "file:///a%00b",   "file:///a b", "http://a/b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(path_of(bad[i]), CAD_E_DATA);
    }
}

/* A path becomes a URL and a path again, whatever bytes it has. */
static void test_file_round_trip(void **state)
{
    (void)state;
    char path[80] = "/";
    for (int c = 1; c < 256; c += 60) {
        for (int i = 0; i < 60; i++) path[1 + i] = (char)(c + i < 256 ? c + i : 'x');
        path[61] = '\0';
        char url[256];
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, url, sizeof url);
        assert_int_equal(cad_file_url(cad_str_from(path), &sb), 0);
        assert_int_equal(path_of(cad_sb_z(&sb)), 0);
        assert_string_equal(text, path);
    }
}

/* ---- the transport --------------------------------------------------------------------------- */

struct seen {
    int heads, ends;
    struct cad_http_end end;
};

static void on_head(void *ctx, const struct cad_http_head *head)
{
    (void)head;
    ((struct seen *)ctx)->heads++;
}

static int on_lease(void *ctx, uint32_t id, size_t want, uint8_t **data, size_t *capacity)
{
    (void)ctx, (void)id, (void)want, (void)data, (void)capacity;
    return CAD_E_NOMEM;
}

static int on_commit(void *ctx, uint32_t id, size_t n, cad_time at)
{
    (void)ctx, (void)id, (void)n, (void)at;
    return 0;
}

static void on_end(void *ctx, const struct cad_http_end *end)
{
    struct seen *seen = ctx;
    seen->ends++;
    seen->end = *end;
}

static struct seen ask(const char *url, bool post)
{
    struct seen seen = {0, 0, {0}};
    struct cad_file_config config = {.alloc = cad_alloc_system()};
    struct cad_transport *transport;
    assert_int_equal(cad_file_create(&config, &transport), 0);
    transport->door = (struct cad_transport_door){&seen, on_head, on_lease, on_commit, on_end};
    struct cad_http_start start = {.id = 1, .url = cad_str_from(url), .range = {-1, -1},
                                   .post = post};
    assert_int_equal(transport->ops->start(transport, &start), 0);
    for (int i = 0; i < 4 && !seen.ends; i++) transport->ops->pump(transport);
    assert_true(transport->ops->pump(transport) == CAD_TIME_NONE);
    transport->ops->destroy(transport);
    assert_int_equal(seen.ends, 1);
    return seen;
}

static void check(const char *url, enum cad_http_class cls, int error)
{
    struct seen seen = ask(url, false);
    assert_int_equal(seen.end.cls, cls);
    assert_int_equal(seen.end.edge_code, error);
    assert_int_equal(seen.heads, 0);
}

static void test_file_failures(void **state)
{
    (void)state;
    char folder[] = "/tmp/file-test-XXXXXX";
    char path[64];
    assert_non_null(mkdtemp(folder));
    check(folder, CAD_HTTP_BAD_FILE, EISDIR);
    snprintf(path, sizeof path, "%s/none", folder);
    check(path, CAD_HTTP_NO_FILE, ENOENT);
    /* Opening a FIFO must not wait for a writer. */
    snprintf(path, sizeof path, "%s/fifo", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    check(path, CAD_HTTP_BAD_FILE, EINVAL);
    unlink(path);
    snprintf(path, sizeof path, "%s/file", folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0000);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "abc", 3), 3);
    close(fd);
    if (geteuid() != 0) check(path, CAD_HTTP_BAD_FILE, EACCES); /* root may read anything */
    chmod(path, 0600);
    struct seen seen = ask(path, true);
    assert_int_equal(seen.end.cls, CAD_HTTP_BAD_FILE);
    /* The door has no room: head, then the end. */
    seen = ask(path, false);
    assert_int_equal(seen.heads, 1);
    assert_int_equal(seen.end.cls, CAD_HTTP_RESET);
    strcat(path, "/below");
    check(path, CAD_HTTP_NO_FILE, ENOTDIR);
    path[strlen(path) - strlen("/below")] = '\0';
    unlink(path);
    rmdir(folder);
    check("file://server/a", CAD_HTTP_BAD_FILE, EINVAL);
    check("file:///a%00", CAD_HTTP_BAD_FILE, EINVAL);
    char longest[CAD_FILE_PATH_MAX + 10];
    memset(longest, '/', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    check(longest, CAD_HTTP_BAD_FILE, EINVAL);
}

static void test_file_no_memory(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_file_config config = {.alloc = cad_failing_alloc(&f)};
        struct cad_transport *transport = NULL;
        int err = cad_file_create(&config, &transport);
        struct cad_http_start start = {.id = 1, .url = CAD_STR("/none"), .range = {-1, -1}};
        if (!err) {
            err = transport->ops->start(transport, &start);
            transport->ops->destroy(transport);
        }
        assert_int_equal(err, f.failed ? CAD_E_NOMEM : 0);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_is_url),     cmocka_unit_test(test_file_path),
        cmocka_unit_test(test_file_round_trip), cmocka_unit_test(test_file_failures),
        cmocka_unit_test(test_file_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
