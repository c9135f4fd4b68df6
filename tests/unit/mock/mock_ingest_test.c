/* Goal: the mock ingestion holds each request once, in what order and how often it came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "mock/mock_ingest.h"

#define ID_A "00112233445566778899aabbccddeeff"
#define ID_B "ffeeddccbbaa99887766554433221100"
#define START "/e?reqAttempt=1&reqName=events/start&reqId=" ID_A
#define BODY "{\"params\":{\"xid\":\"x\",\"seq\":0,\"position\":7}}"

static int32_t post(struct mock_ingest *m, const char *target, const char *body)
{
    return mock_ingest_post(m, cad_str_from(target), cad_buf_from_str(cad_str_from(body)), false);
}

static void test_mock_ingest_holds_each_request_once(void **state)
{
    (void)state;
    struct mock_ingest m;
    struct cad_alloc alloc = cad_alloc_system();
    char report[1024];
    struct cad_sb sb;
    mock_ingest_init(&m, &alloc);
    assert_int_equal(post(&m, START, BODY), 200);
    assert_int_equal(post(&m, "/e?reqAttempt=2&reqName=events/start&reqId=" ID_A, BODY), 200);
    assert_int_equal(mock_ingest_events(&m, "x", "start"), 1);
    assert_int_equal(mock_ingest_events(&m, "y", NULL), 0);
    assert_int_equal(m.items[0].arrivals, 2);
    assert_int_equal(m.items[0].attempt_last, 2);
    assert_int_equal(m.items[0].position_ms, 7);
    assert_int_equal(m.duplicates, 1);
    assert_int_equal(post(&m, "/l?reqAttempt=1&reqName=logblob&reqId=" ID_B,
                          "{\"entries\":[{\"a\":{}},{\"b\":1}]}"), 200);
    assert_int_equal(mock_ingest_entries(&m), 2);
    cad_sb_init_fixed(&sb, report, sizeof(report));
    assert_int_equal(mock_ingest_report(&m, &sb), 0);
    assert_string_equal(report,
        "{\"events\":[{\"reqId\":\"" ID_A "\",\"type\":\"start\",\"xid\":\"x\",\"seq\":0,"
        "\"position\":7,\"arrivals\":2}],\"batches\":1,\"entries\":2,\"duplicates\":1,"
        "\"refused\":0}");
    mock_ingest_deinit(&m);
}

static void test_mock_ingest_refuses(void **state)
{
    (void)state;
    struct mock_ingest m;
    struct cad_alloc alloc = cad_alloc_system();
    mock_ingest_init(&m, &alloc);
    assert_int_equal(post(&m, "/e", BODY), 400);
    assert_int_equal(post(&m, "/e?reqAttempt=0&reqName=logblob&reqId=" ID_A, BODY), 400);
    assert_int_equal(post(&m, "/e?reqAttempt=1&reqName=other&reqId=" ID_A, BODY), 400);
    assert_int_equal(post(&m, "/e?reqAttempt=1&reqName=logblob&reqId=abc", BODY), 400);
    assert_int_equal(post(&m, START, "not json"), 400);
    assert_int_equal(mock_ingest_post(&m, CAD_STR(START), (cad_buf){(const uint8_t *)"x", 1}, true),
                     400);
    assert_int_equal(m.count, 0);
    assert_int_equal(m.refused, 6);
    mock_ingest_deinit(&m);
}

static void test_mock_ingest_sees_disorder(void **state)
{
    (void)state;
    struct mock_ingest m;
    struct cad_alloc alloc = cad_alloc_system();
    const struct mock_ingest_item *bad = NULL;
    mock_ingest_init(&m, &alloc);
    assert_int_equal(post(&m, START, "{\"params\":{\"xid\":\"x\",\"seq\":3}}"), 200);
    assert_true(mock_ingest_in_order(&m, &bad));
    assert_int_equal(post(&m, "/e?reqAttempt=1&reqName=events/stop&reqId=" ID_B,
                          "{\"params\":{\"xid\":\"x\",\"seq\":2}}"), 200);
    assert_false(mock_ingest_in_order(&m, &bad));
    assert_string_equal(bad->reqid, ID_B);
    mock_ingest_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mock_ingest_holds_each_request_once),
        cmocka_unit_test(test_mock_ingest_refuses),
        cmocka_unit_test(test_mock_ingest_sees_disorder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
