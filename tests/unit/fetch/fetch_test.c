/* Goal: the request table, the byte budget and the ladder of retries as one machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "fetch/fetch.h"
#include "support/failing_alloc.h"

#define S CAD_SECOND
#define MIB (INT64_C(1) << 20)

static struct cad_fetch *create(uint64_t seed)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_fetch *fetch = NULL;
    assert_int_equal(cad_fetch_create(&alloc, seed, 10 * MIB, &fetch), CAD_OK);
    return fetch;
}

/* Servers 0 .. count - 1 can serve it. */
static struct cad_verdict fail_after(struct cad_fetch *fetch, struct cad_fetch_request *r,
                                     enum cad_failure kind, cad_time now, uint32_t count)
{
    struct cad_fetch_failure why = {kind, CAD_TIME_NONE, (UINT64_C(1) << count) - 1};
    return cad_fetch_fail(fetch, r, &why, now);
}

static void test_fetch_request_begins_ready_and_empty(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_HEADER, 5 * S);
    assert_int_equal(r->state, CAD_FETCH_READY);
    assert_int_equal(r->id, 0);
    assert_int_equal(r->serial, 1);
    assert_int_equal(r->purpose, CAD_PURPOSE_HEADER);
    assert_int_equal(r->track, -1);
    assert_int_equal(r->created, 5 * S);
    assert_int_equal(r->not_before, 5 * S);
    assert_true(r->deadline == CAD_TIME_NONE);
    assert_true(r->first_byte == CAD_TIME_NONE);
    assert_int_equal(r->bytes, 0);
    assert_null(cad_fetch_find(fetch, 0)); /* no attempt has been made: 0 finds nothing */
    cad_fetch_destroy(&fetch);
    assert_null(fetch);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_finds_the_live_attempt_only(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    cad_fetch_start(fetch, r, 3, S);
    uint32_t first = r->id;
    assert_ptr_equal(cad_fetch_find(fetch, first), r);
    assert_int_equal(r->state, CAD_FETCH_IN_FLIGHT);
    assert_int_equal(r->attempts, 1);
    assert_int_equal(r->tried, 8);
    assert_int_equal(r->started, S);
    r->received = 100;
    r->status = 206;
    r->first_byte = r->last_byte = S;
    struct cad_verdict v = fail_after(fetch, r, CAD_FAIL_RESET, 2 * S, 2);
    assert_int_equal(v.kind, CAD_VERDICT_OTHER_SERVER);
    assert_int_equal(v.until, 2 * S);
    assert_int_equal(r->state, CAD_FETCH_READY);
    assert_null(cad_fetch_find(fetch, first)); /* a late answer dies here */
    cad_fetch_start(fetch, r, 1, 2 * S);
    assert_int_not_equal(r->id, first);
    assert_int_equal(r->received, 0);
    assert_int_equal(r->status, 0);
    assert_true(r->last_byte == CAD_TIME_NONE);
    assert_null(cad_fetch_find(fetch, first));
    uint32_t second = r->id;
    cad_fetch_end(fetch, r);
    assert_null(cad_fetch_find(fetch, second));
    assert_null(cad_fetch_at(fetch, 0));
    cad_fetch_destroy(&fetch);
}

/* Sent on to another place: the same attempt under a fresh id, and its time goes on counting. */
static void test_fetch_moved_goes_on_with_the_attempt(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_MANIFEST, 0);
    cad_fetch_start(fetch, r, 0, 0);
    uint32_t first = r->id;
    r->status = 302;
    r->received = 7;
    r->first_byte = r->last_byte = S;
    cad_fetch_moved(fetch, r, 4 * S);
    assert_int_equal(r->state, CAD_FETCH_IN_FLIGHT);
    assert_int_not_equal(r->id, first);
    assert_null(cad_fetch_find(fetch, first));
    assert_ptr_equal(cad_fetch_find(fetch, r->id), r);
    assert_int_equal(r->attempts, 1);
    assert_int_equal(r->status, 0);
    assert_int_equal(r->received, 0);
    assert_int_equal(r->started, 4 * S);
    assert_true(r->first_byte == CAD_TIME_NONE && r->last_byte == CAD_TIME_NONE);
    /* A manifest that nothing answers is given up after 5 s: 4 went by on the way. */
    assert_int_equal(fail_after(fetch, r, CAD_FAIL_CONNECT, 5 * S, 1).kind, CAD_VERDICT_GIVE_UP);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_table_is_limited_and_walks_in_order(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r[CAD_FETCH_REQUESTS_MAX];
    for (int i = 0; i < CAD_FETCH_REQUESTS_MAX; i++) {
        r[i] = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, i);
        assert_non_null(r[i]);
    }
    assert_null(cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 99));
    cad_fetch_end(fetch, r[7]);
    cad_fetch_end(fetch, r[0]);
    struct cad_fetch_request *late = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 99);
    assert_non_null(late);
    uint32_t serial = 0;
    uint32_t count = 0;
    for (struct cad_fetch_request *x; (x = cad_fetch_at(fetch, count)); count++) {
        assert_true(x->serial > serial); /* rising, and none twice */
        serial = x->serial;
    }
    assert_int_equal(count, CAD_FETCH_REQUESTS_MAX - 1);
    assert_ptr_equal(cad_fetch_at(fetch, count - 1), late);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_admits_up_to_the_ceiling(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *a = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    struct cad_fetch_request *b = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    assert_true(cad_fetch_admit(fetch, a, 4 * MIB, 6 * MIB));
    assert_false(cad_fetch_admit(fetch, b, 4 * MIB, 1));
    assert_int_equal(b->bytes, 0);
    assert_true(cad_fetch_admit(fetch, b, 3 * MIB, MIB));
    assert_false(cad_fetch_admit(fetch, b, 3 * MIB + 1, 0));
    assert_true(cad_fetch_admit(fetch, b, 2 * MIB, MIB)); /* more for the same one */
    assert_int_equal(b->bytes, 2 * MIB);
    assert_int_equal(cad_fetch_in_flight_bytes(fetch), 8 * MIB);
    assert_false(cad_fetch_admit(fetch, b, INT64_MAX, INT64_MAX));
    cad_fetch_start(fetch, a, 0, 0);
    (void)fail_after(fetch, a, CAD_FAIL_CONNECT, 0, 1);
    assert_int_equal(a->bytes, 6 * MIB); /* a retry is booked already */
    cad_fetch_end(fetch, a);
    assert_int_equal(cad_fetch_in_flight_bytes(fetch), 2 * MIB);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_budget_holds_in_any_order(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_rng rng;
    cad_rng_init(&rng, 9);
    uint32_t id_highest = 0;
    uint32_t serial_highest = 0;
    for (int i = 0; i < 20000; i++) {
        int64_t held = cad_rng_range_i64(&rng, 0, 6 * MIB);
        struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, i);
        if (r) {
            assert_true(r->serial > serial_highest);
            serial_highest = r->serial;
            if (cad_fetch_admit(fetch, r, held, cad_rng_range_i64(&rng, 0, 2 * MIB))) {
                assert_true(cad_fetch_in_flight_bytes(fetch) + held <= 10 * MIB);
                cad_fetch_start(fetch, r, 0, i);
                assert_true(r->id > id_highest); /* never used before */
                id_highest = r->id;
            }
        }
        while (cad_fetch_at(fetch, 0) && cad_rng_chance(&rng, 1, 2)) {
            uint32_t live = 0;
            while (cad_fetch_at(fetch, live)) live++;
            r = cad_fetch_at(fetch, (uint32_t)cad_rng_below(&rng, live));
            uint32_t id = r->id;
            cad_fetch_end(fetch, r);
            assert_null(cad_fetch_find(fetch, id));
        }
    }
    while (cad_fetch_at(fetch, 0)) cad_fetch_end(fetch, cad_fetch_at(fetch, 0));
    assert_int_equal(cad_fetch_in_flight_bytes(fetch), 0);
    cad_fetch_destroy(&fetch);
}

/* A request whose every attempt fails the same way at once; how it went. */
struct story {
    uint32_t attempts;
    cad_time took;
    struct cad_verdict last;
};

static struct story play(enum cad_purpose purpose, enum cad_failure failure, uint32_t servers,
                         cad_time each, uint64_t seed)
{
    struct cad_fetch *fetch = create(seed);
    struct cad_fetch_request *r = cad_fetch_new(fetch, purpose, 0);
    struct story story = {0, 0, {CAD_VERDICT_WAIT, 0, CAD_ERR_NONE}};
    cad_time now = 0;
    for (;;) {
        uint32_t server = 0;
        while (server < servers - 1 && (r->tried >> server & 1)) server++;
        cad_fetch_start(fetch, r, server, now);
        story.attempts++;
        assert_int_equal(r->attempts, story.attempts);
        assert_true(story.attempts < 1000);
        now += each;
        struct cad_verdict v = fail_after(fetch, r, failure, now, servers);
        assert_true(v.until >= now);
        story.last = v;
        story.took = now;
        if (v.kind == CAD_VERDICT_GIVE_UP || v.kind == CAD_VERDICT_LOWER_RUNG) break;
        assert_int_equal(r->not_before, v.until);
        assert_int_equal(r->state, v.until > now ? CAD_FETCH_WAITING : CAD_FETCH_READY);
        now = v.until;
    }
    assert_int_equal(r->state, CAD_FETCH_IN_FLIGHT); /* until its owner ends it */
    cad_fetch_end(fetch, r);
    cad_fetch_destroy(&fetch);
    return story;
}

static void test_fetch_every_row_ends_in_time(void **state)
{
    (void)state;
    for (int p = CAD_PURPOSE_MANIFEST; p <= CAD_PURPOSE_SEGMENT; p++) {
        bool service = p == CAD_PURPOSE_MANIFEST || p == CAD_PURPOSE_REFRESH;
        for (int f = 0; f < CAD_FAIL_COUNT; f++) {
            for (uint32_t servers = 1; servers <= 4; servers++) {
                for (cad_time each = 0; each <= 8 * S; each += 4 * S) {
                    struct story s = play((enum cad_purpose)p, (enum cad_failure)f, servers, each,
                                          servers);
                    assert_int_not_equal(s.last.error, CAD_ERR_NONE);
                    if (f != CAD_FAIL_EXPIRED && f != CAD_FAIL_REFUSED) {
                        assert_true(s.took <= (service ? 10 : 30) * S + each);
                    }
                    if (service) assert_true(s.attempts <= 3);
                }
            }
        }
    }
}

static void test_fetch_manifest_failures_within_5_s(void **state)
{
    (void)state;
    static const enum cad_failure at_once[] = {CAD_FAIL_NOT_FOUND, CAD_FAIL_CERTIFICATE,
                                               CAD_FAIL_SCHEME, CAD_FAIL_FILE, CAD_FAIL_CONTENT};
    for (size_t i = 0; i < sizeof(at_once) / sizeof(at_once[0]); i++) {
        struct story s = play(CAD_PURPOSE_MANIFEST, at_once[i], 1, 0, 1);
        assert_int_equal(s.attempts, 1);
        assert_int_equal(s.took, 0);
        assert_int_equal(s.last.kind, CAD_VERDICT_GIVE_UP);
    }
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct story s = play(CAD_PURPOSE_MANIFEST, CAD_FAIL_CONNECT, 1, 100 * CAD_MS, seed);
        assert_int_equal(s.attempts, 3);
        assert_true(s.took <= 5 * S);
        assert_int_equal(s.last.error, CAD_ERR_NET_CONNECT);
    }
}

static void test_fetch_media_goes_round_the_servers(void **state)
{
    (void)state;
    struct story one = play(CAD_PURPOSE_SEGMENT, CAD_FAIL_CONNECT, 1, 0, 1);
    struct story four = play(CAD_PURPOSE_SEGMENT, CAD_FAIL_CONNECT, 4, 0, 1);
    assert_in_range(one.attempts, 9, 12);
    assert_in_range(four.attempts, 4 + 3 * 8, 4 + 3 * 11);
    assert_true(one.took > 20 * S);
    assert_true(four.took > 20 * S);
    assert_int_equal(four.last.kind, CAD_VERDICT_GIVE_UP);
    struct story lost = play(CAD_PURPOSE_SEGMENT, CAD_FAIL_NOT_FOUND, 4, 0, 1);
    assert_int_equal(lost.attempts, 4);
    assert_int_equal(lost.took, 0);
    assert_int_equal(lost.last.kind, CAD_VERDICT_LOWER_RUNG);
    assert_int_equal(lost.last.error, CAD_ERR_MEDIA_SEGMENT_LOST);
    struct story range = play(CAD_PURPOSE_SEGMENT, CAD_FAIL_RANGE, 2, 0, 1);
    assert_int_equal(range.attempts, 2);
    assert_int_equal(range.last.error, CAD_ERR_HTTP_RANGE);
}

static void test_fetch_wait_begins_a_new_round(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    cad_fetch_start(fetch, r, 0, 0);
    (void)fail_after(fetch, r, CAD_FAIL_CONNECT, 0, 2);
    assert_int_equal(r->tried, 1);
    cad_fetch_start(fetch, r, 1, 0);
    struct cad_verdict v = fail_after(fetch, r, CAD_FAIL_CONNECT, 0, 2);
    assert_int_equal(v.kind, CAD_VERDICT_OTHER_SERVER);
    assert_in_range(v.until, 200 * CAD_MS, 300 * CAD_MS);
    assert_int_equal(r->state, CAD_FETCH_WAITING);
    assert_int_equal(r->tried, 2); /* not at once the one that failed last */
    cad_fetch_start(fetch, r, 0, v.until); /* from WAITING */
    assert_int_equal(r->tried, 3);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_server_that_lost_it_counts_no_more(void **state)
{
    (void)state;
    /* Of three servers one answers 404 and is taken off the list: the other two are still asked. */
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    struct cad_fetch_failure why = {CAD_FAIL_NOT_FOUND, CAD_TIME_NONE, 6};
    cad_fetch_start(fetch, r, 0, 0);
    assert_int_equal(cad_fetch_fail(fetch, r, &why, 0).kind, CAD_VERDICT_OTHER_SERVER);
    cad_fetch_start(fetch, r, 1, 0);
    why.servers = 4;
    assert_int_equal(cad_fetch_fail(fetch, r, &why, 0).kind, CAD_VERDICT_OTHER_SERVER);
    cad_fetch_start(fetch, r, 2, 0);
    why.servers = 0;
    assert_int_equal(cad_fetch_fail(fetch, r, &why, 0).kind, CAD_VERDICT_LOWER_RUNG);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_time_held_back_is_not_spent(void **state)
{
    (void)state;
    /* The device was offline for an hour between two attempts. */
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    cad_fetch_start(fetch, r, 0, 0);
    (void)fail_after(fetch, r, CAD_FAIL_CONNECT, 0, 1);
    cad_fetch_start(fetch, r, 0, 3600 * S);
    struct cad_verdict v = fail_after(fetch, r, CAD_FAIL_CONNECT, 3600 * S, 1);
    assert_int_equal(v.kind, CAD_VERDICT_WAIT);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_refresh_begins_anew(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    for (uint32_t i = 1; i <= 5; i++) {
        cad_fetch_start(fetch, r, 1, i * S);
        struct cad_verdict v = fail_after(fetch, r, CAD_FAIL_EXPIRED, i * S, 1);
        assert_int_equal(v.kind, CAD_VERDICT_REFRESH);
        assert_int_equal(v.until, i * S);
        assert_int_equal(r->refreshes, i);
        assert_int_equal(r->tried, 0);
        assert_int_equal(r->state, CAD_FETCH_READY);
    }
    cad_fetch_start(fetch, r, 1, 6 * S);
    struct cad_verdict v = fail_after(fetch, r, CAD_FAIL_EXPIRED, 6 * S, 1);
    assert_int_equal(v.kind, CAD_VERDICT_GIVE_UP);
    assert_int_equal(v.error, CAD_ERR_MANIFEST_EXPIRED);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_refresh_gives_new_time(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    cad_fetch_start(fetch, r, 0, 0);
    assert_int_equal(fail_after(fetch, r, CAD_FAIL_EXPIRED, 25 * S, 1).kind, CAD_VERDICT_REFRESH);
    cad_fetch_start(fetch, r, 0, 25 * S); /* 25 s before it and 8 s after it: not 33 s */
    assert_int_equal(fail_after(fetch, r, CAD_FAIL_TIMEOUT, 33 * S, 1).kind, CAD_VERDICT_WAIT);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_jitter_is_bounded_and_repeatable(void **state)
{
    (void)state;
    cad_time least = CAD_TIME_MAX;
    cad_time most = 0;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        cad_time waits[2];
        for (int again = 0; again < 2; again++) {
            struct cad_fetch *fetch = create(seed);
            struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_MANIFEST, 0);
            cad_fetch_start(fetch, r, 0, 0);
            waits[again] = fail_after(fetch, r, CAD_FAIL_SERVER, 0, 1).until;
            cad_fetch_destroy(&fetch);
        }
        assert_int_equal(waits[0], waits[1]);
        assert_in_range(waits[0], 400 * CAD_MS, 600 * CAD_MS);
        if (waits[0] < least) least = waits[0];
        if (waits[0] > most) most = waits[0];
    }
    assert_true(least < 410 * CAD_MS);
    assert_true(most > 590 * CAD_MS);
}

static void test_fetch_retry_after_is_a_floor(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_MANIFEST, 0);
    struct cad_fetch_failure why = {CAD_FAIL_THROTTLED, 20 * S, 1};
    for (int i = 0; i < 2; i++) {
        cad_time now = i * 100 * S;
        cad_fetch_start(fetch, r, 0, now);
        struct cad_verdict v = cad_fetch_fail(fetch, r, &why, now);
        assert_int_equal(v.kind, CAD_VERDICT_WAIT);
        assert_in_range(v.until, now + 20 * S, now + 24 * S);
    }
    cad_fetch_start(fetch, r, 0, 200 * S);
    struct cad_verdict v = cad_fetch_fail(fetch, r, &why, 200 * S);
    assert_int_equal(v.kind, CAD_VERDICT_GIVE_UP);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_silence_follows_the_deadline(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    struct cad_fetch_request *r = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    assert_true(cad_fetch_admit(fetch, r, 0, 1000000));
    cad_fetch_start(fetch, r, 0, 10 * S);
    assert_int_equal(cad_fetch_silence_limit(r, 0), 8 * S);
    r->deadline = 20 * S; /* 10 s to spare: half of it */
    assert_int_equal(cad_fetch_silence_limit(r, 0), 5 * S);
    assert_int_equal(cad_fetch_silence_limit(r, 4000000), 4 * S); /* 2 s go on the bytes */
    r->deadline = 100 * S;
    assert_int_equal(cad_fetch_silence_limit(r, 4000000), 8 * S); /* never more */
    r->deadline = 0;
    assert_int_equal(cad_fetch_silence_limit(r, 4000000), 3 * S); /* never less */
    struct cad_fetch_request *m = cad_fetch_new(fetch, CAD_PURPOSE_MANIFEST, 0);
    cad_fetch_start(fetch, m, 0, 0);
    assert_int_equal(cad_fetch_silence_limit(m, 0), 4 * S);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_wakes_for_the_first_that_is_due(void **state)
{
    (void)state;
    struct cad_fetch *fetch = create(1);
    assert_true(cad_fetch_next_wake(fetch, 0) == CAD_TIME_NONE);
    struct cad_fetch_request *a = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    assert_true(cad_fetch_next_wake(fetch, 0) == CAD_TIME_NONE); /* ready: the plan's matter */
    cad_fetch_start(fetch, a, 0, S);
    assert_int_equal(cad_fetch_next_wake(fetch, 0), 9 * S);
    a->first_byte = a->last_byte = 3 * S;
    assert_int_equal(cad_fetch_next_wake(fetch, 0), 11 * S);
    struct cad_fetch_request *b = cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0);
    cad_fetch_start(fetch, b, 0, 3 * S);
    struct cad_verdict v = fail_after(fetch, b, CAD_FAIL_CONNECT, 3 * S, 1);
    assert_int_equal(cad_fetch_next_wake(fetch, 0), v.until);
    cad_fetch_end(fetch, b);
    assert_int_equal(cad_fetch_next_wake(fetch, 0), 11 * S);
    cad_fetch_destroy(&fetch);
}

static void test_fetch_failure_names(void **state)
{
    (void)state;
    for (int f = 0; f < CAD_FAIL_COUNT; f++) {
        const char *name = cad_failure_name((enum cad_failure)f);
        assert_non_null(name);
        for (int g = 0; g < f; g++) {
            assert_int_not_equal(strcmp(name, cad_failure_name((enum cad_failure)g)), 0);
        }
    }
    assert_string_equal(cad_failure_name(CAD_FAIL_NOT_FOUND), "not_found");
    assert_string_equal(cad_failure_name(CAD_FAIL_COUNT), "?");
}

static void test_fetch_create_survives_failing_allocation(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 1);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_fetch *fetch = NULL;
    assert_int_equal(cad_fetch_create(&alloc, 1, MIB, &fetch), CAD_E_NOMEM);
    assert_null(fetch);
    cad_failing_init(&f, 2); /* it takes one block and nothing afterwards */
    f.fail_after = true;
    alloc = cad_failing_alloc(&f);
    assert_int_equal(cad_fetch_create(&alloc, 1, MIB, &fetch), CAD_OK);
    while (cad_fetch_new(fetch, CAD_PURPOSE_SEGMENT, 0)) {}
    cad_fetch_destroy(&fetch);
    assert_int_equal(f.calls, 1);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
    assert_int_equal(cad_fetch_create(&alloc, 1, 0, &fetch), CAD_E_INVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fetch_request_begins_ready_and_empty),
        cmocka_unit_test(test_fetch_finds_the_live_attempt_only),
        cmocka_unit_test(test_fetch_moved_goes_on_with_the_attempt),
        cmocka_unit_test(test_fetch_table_is_limited_and_walks_in_order),
        cmocka_unit_test(test_fetch_admits_up_to_the_ceiling),
        cmocka_unit_test(test_fetch_budget_holds_in_any_order),
        cmocka_unit_test(test_fetch_every_row_ends_in_time),
        cmocka_unit_test(test_fetch_manifest_failures_within_5_s),
        cmocka_unit_test(test_fetch_media_goes_round_the_servers),
        cmocka_unit_test(test_fetch_wait_begins_a_new_round),
        cmocka_unit_test(test_fetch_server_that_lost_it_counts_no_more),
        cmocka_unit_test(test_fetch_time_held_back_is_not_spent),
        cmocka_unit_test(test_fetch_refresh_begins_anew),
        cmocka_unit_test(test_fetch_refresh_gives_new_time),
        cmocka_unit_test(test_fetch_jitter_is_bounded_and_repeatable),
        cmocka_unit_test(test_fetch_retry_after_is_a_floor),
        cmocka_unit_test(test_fetch_silence_follows_the_deadline),
        cmocka_unit_test(test_fetch_wakes_for_the_first_that_is_due),
        cmocka_unit_test(test_fetch_failure_names),
        cmocka_unit_test(test_fetch_create_survives_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
