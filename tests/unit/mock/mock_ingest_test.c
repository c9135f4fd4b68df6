/* Goal: the mock ingestion holds each request once, in what order and how often it came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

static struct mock_ingest_answer serve(struct mock_ingest *m, enum mock_ingest_channel channel,
                                       const char *target, const char *body)
{
    struct mock_ingest_answer answer;
    struct mock_ingest_request request = {.channel = channel, .method = CAD_STR("POST"),
                                          .target = cad_str_from(target),
                                          .body = cad_buf_from_str(cad_str_from(body))};
    mock_ingest_serve(m, &request, &answer);
    return answer;
}

/* A start of playback x under an id of 32 times c. */
static struct mock_ingest_answer start(struct mock_ingest *m, char c)
{
    char target[] = START;
    memset(target + sizeof(target) - 33, c, 32);
    return serve(m, MOCK_INGEST_EVENTS, target, BODY);
}

static struct mock_ingest fresh(void)
{
    struct mock_ingest m;
    struct cad_alloc alloc = cad_alloc_system();
    mock_ingest_init(&m, &alloc);
    return m;
}

static void test_mock_ingest_an_event_under_another_name(void **state)
{
    (void)state;
    struct mock_ingest m = fresh();
    assert_int_equal(post(&m, START, "{\"params\":{\"event\":\"stop\",\"xid\":\"x\"}}"), 400);
    assert_int_equal(m.count, 0);
    assert_int_equal(m.broken, 1);
    assert_int_equal(post(&m, START, "{\"params\":{\"event\":\"start\",\"xid\":\"x\"}}"), 200);
    assert_int_equal(m.count, 1);
    mock_ingest_deinit(&m);
}

static void test_mock_ingest_channels(void **state)
{
    (void)state;
    struct mock_ingest m = fresh();
    assert_int_equal(mock_ingest_channel(CAD_STR("/events")), MOCK_INGEST_EVENTS);
    assert_int_equal(mock_ingest_channel(CAD_STR("/logblob")), MOCK_INGEST_LOG);
    assert_int_equal(mock_ingest_channel(CAD_STR("/log/cadmium/logblob/1")), MOCK_INGEST_LOG);
    assert_int_equal(mock_ingest_channel(CAD_STR("/eventss")), -1);
    assert_int_equal(serve(&m, MOCK_INGEST_LOG, START, BODY).status, 400);
    assert_int_equal(m.refused, 1);
    struct mock_ingest_request get = {.method = CAD_STR("GET"), .target = CAD_STR(START)};
    struct mock_ingest_answer answer;
    mock_ingest_serve(&m, &get, &answer);
    assert_int_equal(answer.status, 405);
    answer = serve(&m, MOCK_INGEST_EVENTS, START, BODY);
    assert_int_equal(answer.status, 200);
    assert_true(answer.taken);
    assert_true(cad_str_eqz(answer.body, "{}"));
    assert_null(answer.limits);
    answer = serve(&m, MOCK_INGEST_LOG, "/l?reqAttempt=1&reqName=logblob&reqId=" ID_B, "{}");
    assert_string_equal(answer.limits, "~0=true~RL=2212");
    mock_ingest_deinit(&m);
}

static void test_mock_ingest_faults_for_so_many(void **state)
{
    (void)state;
    struct mock_ingest m = fresh();
    m.scripts[MOCK_INGEST_EVENTS] = (struct mock_ingest_script){
        .fault = MOCK_INGEST_STATUS, .left = 1, .status = 503, .retry_after_s = 7, .think = 5};
    struct mock_ingest_answer answer = start(&m, 'a');
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.retry_after_s, 7);
    assert_int_equal(answer.think, 5);
    assert_false(answer.taken);
    assert_int_equal(start(&m, 'a').status, 200);
    m.scripts[MOCK_INGEST_EVENTS].fault = MOCK_INGEST_REFUSE;
    m.scripts[MOCK_INGEST_EVENTS].left = -1;
    for (int i = 0; i < 3; i++) assert_true(start(&m, 'b').lost);
    assert_int_equal(m.count, 1);
    assert_int_equal(m.faults, 4);
    assert_int_equal(m.lost, 3);
    assert_int_equal(m.arrivals, 5);
    mock_ingest_deinit(&m);
}

static void test_mock_ingest_a_lost_answer_is_taken_once(void **state)
{
    (void)state;
    struct mock_ingest m = fresh();
    m.scripts[MOCK_INGEST_EVENTS] =
        (struct mock_ingest_script){.fault = MOCK_INGEST_DROP, .left = 1};
    struct mock_ingest_answer answer = start(&m, 'a');
    assert_true(answer.lost);
    assert_true(answer.taken);
    answer = start(&m, 'a');
    assert_false(answer.lost);
    assert_false(answer.taken);
    assert_int_equal(answer.status, 200);
    assert_int_equal(mock_ingest_events(&m, "x", "start"), 1);
    assert_int_equal(m.duplicates, 1);
    mock_ingest_deinit(&m);
}

static void test_mock_ingest_asks_to_stop(void **state)
{
    (void)state;
    struct mock_ingest m = fresh();
    m.stop = (struct mock_ingest_stop){.xid = "y", .code = "C", .message = "enough", .left = 1};
    assert_true(cad_str_eqz(start(&m, 'a').body, "{}"));
    cad_str_copyz(m.stop.xid, sizeof(m.stop.xid), CAD_STR("x"));
    assert_true(cad_str_eqz(start(&m, 'a').body,
                            "{\"stop\":{\"code\":\"C\",\"message\":\"enough\"}}"));
    assert_true(cad_str_eqz(start(&m, 'a').body, "{}"));
    mock_ingest_deinit(&m);
}

/* More ids than the table has room for at first, each twice. */
static void test_mock_ingest_knows_an_entry_again(void **state)
{
    (void)state;
    struct mock_ingest m = fresh();
    for (int i = 0; i < 1000; i++) {
        char target[128], body[256];
        (void)snprintf(target, sizeof(target), "/l?reqAttempt=1&reqName=logblob&reqId=%032d", i);
        (void)snprintf(body, sizeof(body),
                       "{\"entries\":[{\"type\":\"t%d\",\"sev\":\"info\",\"x\":[{}],"
                       "\"uniqueLogId\":\"id-%d\"}]}", i % 100, i % 500);
        assert_int_equal(post(&m, target, body), 200);
    }
    assert_int_equal(m.repeated, 500);
    assert_int_equal(m.id_count, 500);
    assert_int_equal(m.type_count, MOCK_INGEST_TYPES_MAX);
    assert_string_equal(m.types[MOCK_INGEST_TYPES_MAX - 1].name, "...");
    assert_int_equal(m.types[MOCK_INGEST_TYPES_MAX - 1].counts[MOCK_INGEST_INFO], 370);
    assert_int_equal(mock_ingest_entries(&m), 1000);
    mock_ingest_clear(&m);
    assert_int_equal(m.count + m.id_count + m.type_count, 0);
    assert_int_equal(start(&m, 'a').status, 200);
    mock_ingest_deinit(&m);
}

static void test_mock_ingest_reads_a_wrapped_batch(void **state)
{
    (void)state;
    struct mock_ingest m = fresh();
    assert_int_equal(post(&m, "/l?reqAttempt=1&reqName=logblob&reqId=" ID_B,
                          "{\"logblobs\":\"{\\\"entries\\\":[{\\\"type\\\":\\\"startup\\\","
                          "\\\"sev\\\":\\\"warn\\\"}]}\"}"), 200);
    assert_int_equal(mock_ingest_entries(&m), 1);
    assert_string_equal(m.types[0].name, "startup");
    assert_int_equal(m.types[0].counts[MOCK_INGEST_WARN], 1);
    mock_ingest_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mock_ingest_holds_each_request_once),
        cmocka_unit_test(test_mock_ingest_refuses),
        cmocka_unit_test(test_mock_ingest_sees_disorder),
        cmocka_unit_test(test_mock_ingest_an_event_under_another_name),
        cmocka_unit_test(test_mock_ingest_channels),
        cmocka_unit_test(test_mock_ingest_faults_for_so_many),
        cmocka_unit_test(test_mock_ingest_a_lost_answer_is_taken_once),
        cmocka_unit_test(test_mock_ingest_asks_to_stop),
        cmocka_unit_test(test_mock_ingest_knows_an_entry_again),
        cmocka_unit_test(test_mock_ingest_reads_a_wrapped_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
