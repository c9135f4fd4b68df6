/* Goal: the account of the mock ingestion tells each playback, the logs and the requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "mock/mock_ingest.h"

#define ID_A "00112233445566778899aabbccddeeff"
#define ID_B "ffeeddccbbaa99887766554433221100"
#define ID_C "cccccccccccccccccccccccccccccccc"
#define ID_D "dddddddddddddddddddddddddddddddd"

static int32_t post(struct mock_ingest *m, const char *target, const char *body)
{
    return mock_ingest_post(m, cad_str_from(target), cad_buf_from_str(cad_str_from(body)), false);
}

static void fill(struct mock_ingest *m)
{
    struct cad_alloc alloc = cad_alloc_system();
    mock_ingest_init(m, &alloc);
    assert_int_equal(post(m, "/e?playbackContextId=c&reqAttempt=1&reqName=events/start&reqId=" ID_A,
                          "{\"params\":{\"xid\":\"x\",\"seq\":0,\"position\":7,"
                          "\"playTimes\":{\"total\":3}}}"), 200);
    assert_int_equal(post(m, "/e?reqAttempt=1&reqName=events/start&reqId=" ID_C,
                          "{\"params\":{\"xid\":\"y\",\"seq\":4}}"), 200);
    assert_int_equal(post(m, "/e?reqAttempt=2&reqName=events/stop&reqId=" ID_D,
                          "{\"params\":{\"xid\":\"y\",\"seq\":3,\"reason\":\"ended\"}}"), 200);
    assert_int_equal(post(m, "/e?reqAttempt=3&reqName=events/start&reqId=" ID_A, "?"), 200);
    assert_int_equal(post(m, "/l?reqAttempt=1&reqName=logblob&reqId=" ID_B,
                          "{\"entries\":[{\"type\":\"startup\",\"sev\":\"info\"},"
                          "{\"type\":\"httperr\",\"sev\":\"warn\"},{\"type\":\"startup\"}]}"), 200);
    assert_int_equal(post(m, "/l?reqAttempt=1&reqName=logblob&reqId=" ID_B "0", "{}"), 400);
}

static void test_mock_ingest_report_of_all(void **state)
{
    (void)state;
    struct mock_ingest m;
    char text[4096];
    struct cad_sb sb;
    fill(&m);
    cad_sb_init_fixed(&sb, text, sizeof(text));
    assert_int_equal(mock_ingest_report(&m, NULL, &sb), 0);
    assert_string_equal(text,
        "{\"events\":{\"held\":3,\"types\":{\"start\":2,\"stop\":1}},\"playbacks\":["
        "{\"xid\":\"x\",\"events\":[{\"type\":\"start\",\"xid\":\"x\",\"seq\":0,\"position\":7,"
        "\"rendered\":3,\"reqId\":\"" ID_A "\",\"reqAttempt\":1,\"lastAttempt\":3,\"arrivals\":2,"
        "\"playbackContextId\":\"c\"}],\"inOrder\":true},"
        "{\"xid\":\"y\",\"events\":[{\"type\":\"start\",\"xid\":\"y\",\"seq\":4,\"position\":0,"
        "\"rendered\":0,\"reqId\":\"" ID_C "\",\"reqAttempt\":1,\"lastAttempt\":1,\"arrivals\":1},"
        "{\"type\":\"stop\",\"xid\":\"y\",\"seq\":3,\"position\":0,\"rendered\":0,"
        "\"reqId\":\"" ID_D "\",\"reqAttempt\":2,\"lastAttempt\":2,\"arrivals\":1,"
        "\"reason\":\"ended\"}],\"inOrder\":false}],"
        "\"logs\":{\"batches\":1,\"entries\":3,\"repeated\":0,\"types\":{\"startup\":{\"info\":1,"
        "\"other\":1},\"httperr\":{\"warn\":1}},"
        "\"severities\":{\"info\":1,\"warn\":1,\"other\":1}},"
        "\"requests\":{\"arrivals\":6,\"duplicates\":1,\"refused\":1,\"broken\":0,\"gzip\":0,"
        "\"faults\":0,\"lost\":0}}");
    mock_ingest_deinit(&m);
}

static void test_mock_ingest_report_of_one(void **state)
{
    (void)state;
    struct mock_ingest m;
    char text[4096];
    struct cad_sb sb;
    fill(&m);
    cad_sb_init_fixed(&sb, text, sizeof(text));
    assert_int_equal(mock_ingest_report(&m, "y", &sb), 0);
    assert_non_null(strstr(text, "{\"held\":2,\"types\":{\"start\":1,\"stop\":1}}"));
    assert_non_null(strstr(text, "\"playbacks\":[{\"xid\":\"y\""));
    assert_null(strstr(text, "\"xid\":\"x\""));
    cad_sb_init_fixed(&sb, text, 64);
    assert_int_not_equal(mock_ingest_report(&m, NULL, &sb), 0);
    mock_ingest_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mock_ingest_report_of_all),
        cmocka_unit_test(test_mock_ingest_report_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
