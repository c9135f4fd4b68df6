/* Goal: the host of a CDM in virtual time copies what it is told, keeps its order, hands it out
 * when it is due, answers for a CDM that refuses, and has no store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "drive/sim_cdm.h"

/* A CDM that does as it is told by the test. */
struct cad_cdm {
    struct cad_cdm_host host;
    int answer;              /* of every call */
    uint32_t stored_op;
    int stored_result;
    cad_time timer;
    struct cad_cdm_caps caps;
};

static int create(const struct cad_cdm_host *host, cad_str key_system, struct cad_cdm **out)
{
    if (!cad_str_eqz(key_system, "test")) return CAD_E_UNSUPPORTED;
    struct cad_cdm *cdm = cad_alloc_new(&host->alloc, sizeof(*cdm), CAD_MEM_OTHER);
    if (!cdm) return CAD_E_NOMEM;
    cdm->host = *host;
    *out = cdm;
    return 0;
}

static void destroy(struct cad_cdm *cdm)
{
    struct cad_alloc alloc = cdm->host.alloc;
    cad_alloc_free(&alloc, cdm, sizeof(*cdm), CAD_MEM_OTHER);
}

static const struct cad_cdm_caps *caps(const struct cad_cdm *cdm)
{
    return &cdm->caps;
}

/* Two events that lie in memory that does not last: a MESSAGE, then the DONE. */
static int request(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, enum cad_init_type type,
                   cad_buf data)
{
    (void)type;
    if (cdm->answer) return cdm->answer;
    uint8_t copy[64];
    memcpy(copy, data.p, data.n);
    const struct cad_cdm_key key = {{1, 2}, CAD_KEY_PENDING, 3};
    struct cad_cdm_event done = {.size = sizeof(done), .type = CAD_CDM_EVENT_DONE, .tag = *tag};
    struct cad_cdm_event message = {
        .size = sizeof(message), .next = &done, .type = CAD_CDM_EVENT_MESSAGE, .tag = *tag,
        .data = {copy, data.n}, .url = CAD_STR("http://a"), .keys = &key, .key_count = 1};
    int rc = cdm->host.post(cdm->host.ctx, &message);
    memset(copy, 0, sizeof(copy));
    return rc;
}

static int open_session(struct cad_cdm *cdm, const struct cad_cdm_tag *tag,
                        enum cad_session_type type)
{
    (void)type;
    const struct cad_cdm_event get = {.size = sizeof(get), .type = CAD_CDM_EVENT_STORE_GET,
                                      .tag = {0, 0, 99}};
    const struct cad_cdm_event done = {.size = sizeof(done), .type = CAD_CDM_EVENT_DONE,
                                       .tag = *tag};
    int rc = cdm->host.post(cdm->host.ctx, &get);
    return rc ? rc : cdm->host.post(cdm->host.ctx, &done);
}

static int update(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, cad_buf data)
{
    (void)tag;
    (void)data;
    return cdm->answer;
}

static int close_session(struct cad_cdm *cdm, const struct cad_cdm_tag *tag)
{
    (void)tag;
    return cdm->answer;
}

static void timer(struct cad_cdm *cdm, cad_time now)
{
    cdm->timer = now;
}

static void store_done(struct cad_cdm *cdm, uint32_t op, int result, cad_buf data)
{
    (void)data;
    cdm->stored_op = op;
    cdm->stored_result = result;
}

static int key_ready(struct cad_cdm *cdm, const uint8_t kid[CAD_KEY_ID_SIZE])
{
    (void)cdm;
    (void)kid;
    return CAD_KEY_UNKNOWN;
}

static const struct cad_cdm_ops ops = {
    .size = sizeof(ops), .abi = CAD_CDM_ABI, .name = "test", .create = create,
    .destroy = destroy, .caps = caps, .open = open_session, .request = request,
    .update = update, .close = close_session, .timer = timer, .store_done = store_done,
    .key_ready = key_ready};

static struct cad_sim_cdm *make(cad_time latency)
{
    struct cad_alloc alloc = cad_alloc_system();
    const struct cad_sim_cdm_config config = {.ops = &ops, .key_system = CAD_STR("test"),
                                              .latency = latency, .wall_ms = 5000, .seed = 1};
    struct cad_sim_cdm *c = NULL;
    assert_int_equal(cad_sim_cdm_create(&alloc, &config, &c), 0);
    return c;
}

static void test_sim_cdm_copies_and_keeps_the_order(void **state)
{
    (void)state;
    struct cad_sim_cdm *c = make(20 * CAD_MS);
    struct cad_cdm_event event;
    const struct cad_cdm_call call = {.type = CAD_CDM_CALL_REQUEST, .tag = {7, 1, 3},
                                      .data = {(const uint8_t *)"hello", 5}};
    cad_sim_cdm_advance(c, 100 * CAD_MS);
    assert_int_equal(cad_sim_cdm_next(c), CAD_TIME_NONE);
    assert_int_equal(cad_sim_cdm_call(c, &call), 0);
    assert_int_equal(cad_sim_cdm_next(c), 120 * CAD_MS);
    assert_false(cad_sim_cdm_take(c, &event));
    cad_sim_cdm_advance(c, 120 * CAD_MS);
    assert_true(cad_sim_cdm_take(c, &event));
    assert_int_equal(event.type, CAD_CDM_EVENT_MESSAGE);
    assert_null(event.next);
    assert_memory_equal(event.data.p, "hello", 5);
    assert_true(cad_str_eqz(event.url, "http://a"));
    assert_int_equal(event.key_count, 1);
    assert_int_equal(event.keys[0].kid[1], 2);
    assert_true(cad_sim_cdm_take(c, &event));
    assert_int_equal(event.type, CAD_CDM_EVENT_DONE);
    assert_int_equal(event.tag.session, 7);
    assert_int_equal(event.result, 0);
    assert_false(cad_sim_cdm_take(c, &event));
    cad_sim_cdm_destroy(&c);
    assert_null(c);
}

static void test_sim_cdm_answers_for_one_that_refuses(void **state)
{
    (void)state;
    static const enum cad_cdm_call_type types[] = {CAD_CDM_CALL_REQUEST, CAD_CDM_CALL_UPDATE,
                                                   CAD_CDM_CALL_CLOSE, CAD_CDM_CALL_FEED_INIT};
    struct cad_sim_cdm *c = make(0);
    struct cad_cdm_event event;
    cad_sim_cdm_instance(c)->answer = CAD_E_LIMIT;
    for (uint32_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const struct cad_cdm_call call = {.type = types[i], .tag = {1, 1, i + 1}};
        assert_int_equal(cad_sim_cdm_call(c, &call), 0);
        assert_true(cad_sim_cdm_take(c, &event));
        assert_int_equal(event.type, CAD_CDM_EVENT_DONE);
        assert_int_equal(event.tag.op, i + 1);
        /* It has no feed_init at all. */
        bool missing = types[i] == CAD_CDM_CALL_FEED_INIT;
        assert_int_equal(event.result, missing ? CAD_E_UNSUPPORTED : CAD_E_LIMIT);
    }
    cad_sim_cdm_destroy(&c);
}

static void test_sim_cdm_host_has_time_but_no_store(void **state)
{
    (void)state;
    struct cad_sim_cdm *c = make(0);
    struct cad_cdm *cdm = cad_sim_cdm_instance(c);
    struct cad_cdm_event event;
    uint8_t a[16], b[16];
    cad_sim_cdm_advance(c, 3 * CAD_SECOND);
    assert_int_equal(cdm->host.now(cdm->host.ctx), 3 * CAD_SECOND);
    assert_int_equal(cdm->host.wall(cdm->host.ctx), 8 * CAD_SECOND);
    assert_int_equal(cdm->host.random(cdm->host.ctx, a, sizeof(a)), 0);
    assert_int_equal(cdm->host.random(cdm->host.ctx, b, sizeof(b)), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    const struct cad_cdm_call open = {.type = CAD_CDM_CALL_OPEN, .tag = {1, 1, 1}};
    assert_int_equal(cad_sim_cdm_call(c, &open), 0);
    assert_true(cad_sim_cdm_take(c, &event)); /* the engine does not hear of the store */
    assert_int_equal(event.type, CAD_CDM_EVENT_DONE);
    assert_int_equal(cdm->stored_op, 99);
    assert_int_equal(cdm->stored_result, CAD_E_IO);
    const struct cad_cdm_call tick = {.type = CAD_CDM_CALL_TIMER};
    assert_int_equal(cad_sim_cdm_call(c, &tick), 0);
    assert_int_equal(cdm->timer, 3 * CAD_SECOND);
    assert_false(cad_sim_cdm_take(c, &event));
    cad_sim_cdm_destroy(&c);
}

/* All events of one post are taken, or none. */
static void test_sim_cdm_takes_no_more_than_it_can_hold(void **state)
{
    (void)state;
    struct cad_sim_cdm *c = make(0);
    struct cad_cdm *cdm = cad_sim_cdm_instance(c);
    struct cad_cdm_event second = {.size = sizeof(second), .type = CAD_CDM_EVENT_KEYS};
    const struct cad_cdm_event first = {.size = sizeof(first), .next = &second,
                                        .type = CAD_CDM_EVENT_KEYS};
    for (uint32_t i = 1; i < CAD_SIM_CDM_EVENTS_MAX; i++) {
        assert_int_equal(cdm->host.post(cdm->host.ctx, &second), 0);
    }
    assert_int_equal(cdm->host.post(cdm->host.ctx, &first), CAD_E_NOMEM);
    assert_int_equal(cdm->host.post(cdm->host.ctx, &second), 0);
    assert_int_equal(cdm->host.post(cdm->host.ctx, &second), CAD_E_NOMEM);
    struct cad_cdm_event event;
    uint32_t n = 0;
    while (cad_sim_cdm_take(c, &event)) n++;
    assert_int_equal(n, CAD_SIM_CDM_EVENTS_MAX);
    cad_sim_cdm_destroy(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sim_cdm_copies_and_keeps_the_order),
        cmocka_unit_test(test_sim_cdm_answers_for_one_that_refuses),
        cmocka_unit_test(test_sim_cdm_host_has_time_but_no_store),
        cmocka_unit_test(test_sim_cdm_takes_no_more_than_it_can_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
