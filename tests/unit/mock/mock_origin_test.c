/* Media requests: exact bytes for a right signature, a reason for everything else. */
#include "unit/mock/mock_fixture.h"

/* Asks for a range in the path of the URL looked up last. */
static int32_t ask_range(struct fixture *f, const char *range)
{
    char path[600];
    fixture_ranged(f, range, path);
    return fixture_ask(f, "GET", path, "");
}

static void check_bytes(struct fixture *f, uint32_t asset, int64_t first, int64_t size)
{
    uint8_t bytes[FIXTURE_ASSET_BYTES];
    int64_t at = 0;
    assert_int_equal(f->answer.body_size, size);
    assert_non_null(f->answer.read);
    while (at < size) { /* in odd pieces, and asking for more than is left */
        size_t done = 0;
        assert_int_equal(f->answer.read(f->answer.token, at, 77, bytes, &done), 0);
        assert_true(done > 0);
        assert_true((int64_t)done <= size - at);
        for (size_t i = 0; i < done; i++) {
            assert_int_equal(bytes[i], fixture_byte(asset, first + at + (int64_t)i));
        }
        at += (int64_t)done;
    }
    size_t done = 1;
    assert_int_equal(f->answer.read(f->answer.token, size, 1, bytes, &done), 0);
    assert_int_equal(done, 0);
}

static void check_header(const struct fixture *f, const char *name, const char *value)
{
    for (uint32_t i = 0; i < f->answer.header_count; i++) {
        if (!cad_str_eqz(f->answer.headers[i].name, name)) continue;
        assert_true(cad_str_eqz(f->answer.headers[i].value, value));
        return;
    }
    fail_msg("no header %s", name);
}

static void test_range_in_path(void **state)
{
    struct fixture *f = *state;
    struct mock_origin_seen seen;
    struct mock_origin_counts counts;
    fixture_look_up(f, "video-750");
    assert_memory_equal(f->url, "/?o=1&v=1&e=1700000600&t=", 25);
    assert_int_equal(ask_range(f, "0-0"), 200);
    check_bytes(f, 1, 0, 1);
    assert_int_equal(ask_range(f, "100-299"), 200);
    check_bytes(f, 1, 100, 200);
    mock_origin_seen(f->origin, &seen);
    assert_int_equal(seen.kind, MOCK_KIND_RANGE);
    assert_string_equal(seen.asset, "video-750");
    assert_int_equal(seen.range.first, 100);
    assert_int_equal(seen.range.last, 299);
    assert_int_equal(ask_range(f, "0-999"), 200);
    check_bytes(f, 1, 0, 1000);
    fixture_look_up(f, "audio-en");
    assert_int_equal(ask_range(f, "998-999"), 200);
    check_bytes(f, 3, 998, 2);
    assert_string_equal(f->answer.content_type, "audio/mp4");
    mock_origin_counts(f->origin, &counts);
    assert_int_equal(counts.ranges, 4);
    assert_int_equal(counts.refused, 0);
}

static void test_bad_ranges(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {"0-1000", "1000-1000", "5-4", "-5", "5-", "-", "", "a-b",
                                      "1", "1-2-3", "0--1", "1-2/", "+1-2", "0x1-2", " 1-2",
                                      "99999999999999999999-99999999999999999999"};
    fixture_look_up(f, "video-300");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ask_range(f, bad[i]), 416);
        check_header(f, "Content-Range", "bytes */1000");
        assert_null(f->answer.read);
    }
}

static int32_t ask_header_range(struct fixture *f, int64_t first, int64_t last)
{
    struct cad_origin_request request = {
        .method = CAD_STR("GET"), .path = cad_str_from(f->url), .range = {first, last},
        .now_ms = f->now_ms,
    };
    fixture_drop_answer(f);
    assert_int_equal(mock_origin_ops()->serve(f->origin, &request, &f->answer), 0);
    return f->answer.status;
}

static void test_range_header(void **state)
{
    struct fixture *f = *state;
    fixture_look_up(f, "video-300");
    assert_int_equal(ask_header_range(f, 10, 19), 206);
    check_header(f, "Content-Range", "bytes 10-19/1000");
    check_bytes(f, 0, 10, 10);
    assert_int_equal(ask_header_range(f, 990, 2000), 206);
    check_header(f, "Content-Range", "bytes 990-999/1000");
    check_bytes(f, 0, 990, 10);
    assert_int_equal(ask_header_range(f, 999, -1), 206);
    check_bytes(f, 0, 999, 1);
    assert_int_equal(ask_header_range(f, 1000, -1), 416);
    assert_int_equal(ask_header_range(f, 9, 8), 416);
    assert_int_equal(fixture_ask(f, "GET", f->url, ""), 200);
    check_header(f, "Accept-Ranges", "bytes");
    check_bytes(f, 0, 0, 1000);
    assert_int_equal(fixture_ask(f, "HEAD", f->url, ""), 200);
    assert_int_equal(f->answer.body_size, 1000);
    assert_int_equal(fixture_ask(f, "POST", f->url, ""), 405);
}

static void test_expiry(void **state)
{
    struct fixture *f = *state;
    struct mock_origin_counts counts;
    fixture_look_up(f, "video-300");
    f->now_ms = INT64_C(1700000599999);
    assert_int_equal(ask_range(f, "0-9"), 200);
    f->now_ms = INT64_C(1700000600000);
    assert_int_equal(ask_range(f, "0-9"), 403);
    assert_true(fixture_has(f, "expired"));
    mock_origin_counts(f->origin, &counts);
    assert_int_equal(counts.refused, 1);
}

static void test_expire_all(void **state)
{
    struct fixture *f = *state;
    fixture_look_up(f, "video-300");
    mock_origin_expire(f->origin);
    assert_int_equal(ask_range(f, "0-9"), 403);
    fixture_look_up(f, "video-300");
    assert_int_equal(ask_range(f, "0-9"), 200);
}

/* Every single byte of the query matters, and of the path too. */
static void test_tampering(void **state)
{
    struct fixture *f = *state;
    char path[600];
    fixture_look_up(f, "video-300");
    fixture_ranged(f, "0-9", path);
    size_t n = strlen(path);
    for (size_t i = (size_t)(strchr(path, '?') - path) + 1; i < n; i++) {
        path[i] = (char)(path[i] ^ 1);
        assert_int_equal(fixture_ask(f, "GET", path, ""), 403);
        path[i] = (char)(path[i] ^ 1);
    }
    assert_int_equal(fixture_ask(f, "GET", path, ""), 200);
    for (size_t cut = (size_t)(strchr(path, '?') - path); cut < n; cut++) {
        char shorter[600];
        memcpy(shorter, path, cut);
        shorter[cut] = 0;
        assert_int_equal(fixture_ask(f, "GET", shorter, ""), 403);
    }
    (void)snprintf(path + n, sizeof path - n, "&x=1");
    assert_int_equal(fixture_ask(f, "GET", path, ""), 403);
}

static void test_order_of_the_query_matters(void **state)
{
    struct fixture *f = *state;
    char path[600];
    fixture_look_up(f, "video-300");
    const char *rest = strstr(f->url, "&e=");
    assert_non_null(rest);
    (void)snprintf(path, sizeof path, "/range/0-9?v=1&o=1%s", rest);
    assert_int_equal(fixture_ask(f, "GET", path, ""), 403);
    (void)snprintf(path, sizeof path, "/range/0-9?o=1&v=1%s", rest);
    assert_int_equal(fixture_ask(f, "GET", path, ""), 200);
}

/* An origin of the same key that no longer has the asset, and one of another title. */
static void test_missing_asset(void **state)
{
    struct fixture *f = *state;
    fixture_look_up(f, "audio-en");
    f->config.asset_count = 3;
    fixture_restart(f);
    assert_int_equal(ask_range(f, "0-9"), 404);
    f->config.asset_count = 4;
    f->config.title = "900101";
    fixture_restart(f);
    assert_int_equal(ask_range(f, "0-9"), 404);
    f->config.seed = 8;
    fixture_restart(f);
    assert_int_equal(ask_range(f, "0-9"), 403);
    assert_int_equal(fixture_ask(f, "GET", "/nothing", ""), 404);
    assert_int_equal(fixture_ask(f, "GET", "/nothing/range/0-9?o=1", ""), 404);
}

static void test_asset_in_path(void **state)
{
    struct fixture *f = *state;
    char path[600];
    f->config.asset_in_path = true;
    fixture_restart(f);
    fixture_look_up(f, "video-750");
    assert_memory_equal(f->url, "/video-750?o=1&", 15);
    assert_int_equal(ask_range(f, "5-14"), 200);
    check_bytes(f, 1, 5, 10);
    assert_int_equal(fixture_ask(f, "GET", f->url, ""), 200);
    check_bytes(f, 1, 0, 1000);
    (void)snprintf(path, sizeof path, "/video-300/range/5-14%s", strchr(f->url, '?'));
    assert_int_equal(fixture_ask(f, "GET", path, ""), 403);
    (void)snprintf(path, sizeof path, "/range/5-14%s", strchr(f->url, '?'));
    assert_int_equal(fixture_ask(f, "GET", path, ""), 403);
}

/* Several bodies may be open at a time; the memory of a released one is used again. */
static void test_bodies_are_independent(void **state)
{
    struct fixture *f = *state;
    struct cad_origin_answer held;
    fixture_look_up(f, "video-300");
    assert_int_equal(ask_range(f, "0-9"), 200);
    held = f->answer;
    f->answer = (struct cad_origin_answer){0};
    assert_int_equal(ask_range(f, "500-599"), 200);
    check_bytes(f, 0, 500, 100);
    assert_ptr_not_equal(held.token, f->answer.token);
    void *first = f->answer.token;
    assert_int_equal(ask_range(f, "1-2"), 200);
    assert_ptr_equal(f->answer.token, first);
    fixture_drop_answer(f);
    f->answer = held;
    check_bytes(f, 0, 0, 10);
}

static void test_time_and_posts(void **state)
{
    struct fixture *f = *state;
    struct mock_origin_counts counts;
    assert_int_equal(fixture_ask(f, "GET", "/time", ""), 200);
    assert_true(cad_str_eqz(fixture_text(f), "{\"serverTime\":1700000000500}\n"));
    assert_int_equal(fixture_ask(f, "POST", "/events?playbackContextId=a", "{}"), 204);
    assert_int_equal(fixture_ask(f, "POST", "/log/cadmium/logblob/1", "{}"), 204);
    assert_int_equal(fixture_ask(f, "POST", "/log/cadmium/logblob/1", "{}"), 204);
    assert_int_equal(fixture_ask(f, "GET", "/events", ""), 405);
    mock_origin_counts(f->origin, &counts);
    assert_int_equal(counts.events, 1);
    assert_int_equal(counts.logs, 2);
}

static void test_create_refuses(void **state)
{
    (void)state;
    struct fixture f = {0};
    struct mock_origin *origin = NULL;
    struct mock_origin_config bad[7];
    fixture_make(&f);
    for (size_t i = 0; i < 7; i++) bad[i] = f.config;
    bad[0].title = "nine";
    bad[1].asset_count = 0;
    bad[2].asset_count = MOCK_ASSETS_MAX + 1;
    bad[3].host_count = 0;
    bad[4].host_count = MOCK_HOSTS_MAX + 1;
    bad[5].scheme = "ftp";
    bad[6].hosts[1] = NULL;
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(mock_origin_create(&bad[i], &origin), CAD_E_INVAL);
        assert_null(origin);
    }
    assert_int_equal(mock_origin_create(NULL, &origin), CAD_E_INVAL);
    mock_origin_destroy(&origin);
    mock_origin_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_range_in_path, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bad_ranges, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_range_header, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_expiry, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_expire_all, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_tampering, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_order_of_the_query_matters, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_missing_asset, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_asset_in_path, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(test_bodies_are_independent, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_time_and_posts, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_create_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
