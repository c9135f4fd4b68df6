/*
 * Goal: each row of the policy table says what the specification says. The expectations below were
 * written from docs/fetch.md, not from the table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "fetch/policy.h"

#define S CAD_SECOND

/* Moves as letters: o other server, w wait, r refresh, l lower rung; "" gives up at once. */
struct expected {
    enum cad_failure failure;
    const char *moves;
    uint32_t rounds;
    cad_time budget;
    enum cad_error_code error;
};

static const struct expected manifest[] = {
    {CAD_FAIL_DNS, "w", 3, 5 * S, CAD_ERR_NET_DNS},
    {CAD_FAIL_CONNECT, "w", 3, 5 * S, CAD_ERR_NET_CONNECT},
    {CAD_FAIL_TLS, "w", 3, 5 * S, CAD_ERR_NET_TLS},
    {CAD_FAIL_CERTIFICATE, "", 1, 30 * S, CAD_ERR_NET_CERTIFICATE},
    {CAD_FAIL_TIMEOUT, "w", 3, 10 * S, CAD_ERR_NET_TIMEOUT},
    {CAD_FAIL_RESET, "w", 3, 10 * S, CAD_ERR_NET_RESET},
    {CAD_FAIL_PROTOCOL, "w", 3, 10 * S, CAD_ERR_NET_PROTOCOL},
    {CAD_FAIL_TOO_LARGE, "", 1, 30 * S, CAD_ERR_MANIFEST_LIMIT},
    {CAD_FAIL_REDIRECT, "", 1, 30 * S, CAD_ERR_HTTP_REDIRECT},
    {CAD_FAIL_RANGE, "", 1, 30 * S, CAD_ERR_HTTP_RANGE},
    {CAD_FAIL_EXPIRED, "", 1, 30 * S, CAD_ERR_HTTP_REFUSED},
    {CAD_FAIL_REFUSED, "", 1, 30 * S, CAD_ERR_HTTP_REFUSED},
    {CAD_FAIL_NOT_FOUND, "", 1, 30 * S, CAD_ERR_HTTP_NOT_FOUND},
    {CAD_FAIL_THROTTLED, "w", 3, 10 * S, CAD_ERR_HTTP_SERVER},
    {CAD_FAIL_SERVER, "w", 3, 10 * S, CAD_ERR_HTTP_SERVER},
    {CAD_FAIL_CONTENT, "", 1, 30 * S, CAD_ERR_MANIFEST_BAD},
    {CAD_FAIL_FILE, "", 1, 30 * S, CAD_ERR_FILE_NOT_FOUND},
    {CAD_FAIL_SCHEME, "", 1, 30 * S, CAD_ERR_SCHEME_REFUSED},
    {CAD_FAIL_ADDRESS, "", 1, 30 * S, CAD_ERR_NET_ADDRESS},
};

/* Where a refresh differs from the first manifest. */
static const struct expected refresh[] = {
    {CAD_FAIL_DNS, "w", 3, 10 * S, CAD_ERR_NET_DNS},
    {CAD_FAIL_CONNECT, "w", 3, 10 * S, CAD_ERR_NET_CONNECT},
    {CAD_FAIL_TLS, "w", 3, 10 * S, CAD_ERR_NET_TLS},
    {CAD_FAIL_EXPIRED, "", 1, 30 * S, CAD_ERR_MANIFEST_EXPIRED},
    {CAD_FAIL_REFUSED, "", 1, 30 * S, CAD_ERR_MANIFEST_EXPIRED},
    {CAD_FAIL_NOT_FOUND, "", 1, 30 * S, CAD_ERR_MANIFEST_EXPIRED},
};

static const struct expected segment[] = {
    {CAD_FAIL_DNS, "ow", 12, 30 * S, CAD_ERR_NET_DNS},
    {CAD_FAIL_CONNECT, "ow", 12, 30 * S, CAD_ERR_NET_CONNECT},
    {CAD_FAIL_TLS, "ow", 12, 30 * S, CAD_ERR_NET_TLS},
    {CAD_FAIL_CERTIFICATE, "o", 1, 30 * S, CAD_ERR_NET_CERTIFICATE},
    {CAD_FAIL_TIMEOUT, "ow", 12, 30 * S, CAD_ERR_NET_TIMEOUT},
    {CAD_FAIL_RESET, "ow", 12, 30 * S, CAD_ERR_NET_RESET},
    {CAD_FAIL_PROTOCOL, "ow", 12, 30 * S, CAD_ERR_NET_PROTOCOL},
    {CAD_FAIL_TOO_LARGE, "ol", 1, 30 * S, CAD_ERR_HTTP_TOO_LARGE},
    {CAD_FAIL_REDIRECT, "o", 1, 30 * S, CAD_ERR_HTTP_REDIRECT},
    {CAD_FAIL_RANGE, "ol", 1, 30 * S, CAD_ERR_HTTP_RANGE},
    {CAD_FAIL_EXPIRED, "r", 1, 30 * S, CAD_ERR_MANIFEST_EXPIRED},
    {CAD_FAIL_REFUSED, "orl", 1, 30 * S, CAD_ERR_HTTP_REFUSED},
    {CAD_FAIL_NOT_FOUND, "ol", 1, 30 * S, CAD_ERR_MEDIA_SEGMENT_LOST},
    {CAD_FAIL_THROTTLED, "ow", 12, 30 * S, CAD_ERR_HTTP_SERVER},
    {CAD_FAIL_SERVER, "ow", 12, 30 * S, CAD_ERR_HTTP_SERVER},
    {CAD_FAIL_CONTENT, "ol", 1, 30 * S, CAD_ERR_MEDIA_BAD},
    {CAD_FAIL_FILE, "", 1, 30 * S, CAD_ERR_FILE_NOT_FOUND},
    {CAD_FAIL_SCHEME, "", 1, 30 * S, CAD_ERR_SCHEME_REFUSED},
    {CAD_FAIL_ADDRESS, "o", 1, 30 * S, CAD_ERR_NET_ADDRESS},
};

/* Text is lost where media would go to another rung, and asks for fresh URLs only when they end. */
static const struct expected text[] = {
    {CAD_FAIL_DNS, "ow", 12, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_CONNECT, "ow", 12, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_TLS, "ow", 12, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_CERTIFICATE, "o", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_TIMEOUT, "ow", 12, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_RESET, "ow", 12, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_PROTOCOL, "ow", 12, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_TOO_LARGE, "ol", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_REDIRECT, "ol", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_RANGE, "ol", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_EXPIRED, "r", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_REFUSED, "ol", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_NOT_FOUND, "ol", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_THROTTLED, "ow", 12, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_SERVER, "ow", 12, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_CONTENT, "ol", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_FILE, "", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_SCHEME, "", 1, 30 * S, CAD_ERR_TEXT_LOST},
    {CAD_FAIL_ADDRESS, "o", 1, 30 * S, CAD_ERR_TEXT_LOST},
};

static const struct expected header[] = {
    {CAD_FAIL_NOT_FOUND, "ol", 1, 30 * S, CAD_ERR_HTTP_NOT_FOUND},
};

/* The expectation for a pair: the differing list first, then the list it differs from. */
static const struct expected *expected_of(enum cad_purpose purpose, enum cad_failure failure)
{
    static const struct {
        const struct expected *rows[2];
        size_t count[2];
    } lists[] = {
        [CAD_PURPOSE_MANIFEST] = {{manifest}, {CAD_ARRAY_LEN(manifest)}},
        [CAD_PURPOSE_REFRESH] = {{refresh, manifest},
                                 {CAD_ARRAY_LEN(refresh), CAD_ARRAY_LEN(manifest)}},
        [CAD_PURPOSE_HEADER] = {{header, segment},
                                {CAD_ARRAY_LEN(header), CAD_ARRAY_LEN(segment)}},
        [CAD_PURPOSE_SEGMENT] = {{segment}, {CAD_ARRAY_LEN(segment)}},
        [CAD_PURPOSE_TEXT] = {{text}, {CAD_ARRAY_LEN(text)}},
    };
    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < lists[purpose].count[i]; k++) {
            const struct expected *row = &lists[purpose].rows[i][k];
            if (row->failure == failure) return row;
        }
    }
    return NULL;
}

static void test_policy_has_every_row_as_documented(void **state)
{
    (void)state;
    static const char letters[] = {[CAD_MOVE_NONE] = 0, [CAD_MOVE_OTHER] = 'o',
                                   [CAD_MOVE_WAIT] = 'w', [CAD_MOVE_REFRESH] = 'r',
                                   [CAD_MOVE_LOWER] = 'l'};
    for (int p = CAD_PURPOSE_MANIFEST; p <= CAD_PURPOSE_TEXT; p++) {
        if (p == CAD_PURPOSE_LICENCE) continue;
        for (int f = 0; f < CAD_FAIL_COUNT; f++) {
            const struct expected *want = expected_of((enum cad_purpose)p, (enum cad_failure)f);
            const struct cad_policy *row = cad_policy_row((enum cad_purpose)p, (enum cad_failure)f);
            assert_non_null(want);
            char moves[CAD_FETCH_MOVES_MAX + 1] = "";
            for (int i = 0; i < CAD_FETCH_MOVES_MAX; i++) moves[i] = letters[row->moves[i]];
            assert_string_equal(moves, want->moves);
            assert_non_null(row->backoff);
            assert_int_equal(row->backoff->rounds, want->rounds);
            assert_int_equal(row->backoff->budget, want->budget);
            assert_int_equal(row->error, want->error);
        }
    }
}

/* Facts of a first failure with one server. */
static struct cad_policy_facts first_failure(void)
{
    return (struct cad_policy_facts){.rounds = 1, .retry_after = CAD_TIME_NONE};
}

static void test_policy_waits_of_a_service(void **state)
{
    (void)state;
    const struct cad_policy *row = cad_policy_row(CAD_PURPOSE_MANIFEST, CAD_FAIL_SERVER);
    struct cad_policy_facts f = first_failure();
    struct cad_policy_answer a = cad_policy_apply(row, &f);
    assert_int_equal(a.move, CAD_MOVE_WAIT);
    assert_int_equal(a.wait, 500 * CAD_MS);
    assert_int_equal(a.charge, 500 * CAD_MS);
    f.rounds = 2;
    assert_int_equal(cad_policy_apply(row, &f).wait, 2 * S);
    f.jitter = 200;
    assert_int_equal(cad_policy_apply(row, &f).wait, 2400 * CAD_MS);
    f.jitter = -200;
    assert_int_equal(cad_policy_apply(row, &f).wait, 1600 * CAD_MS);
    f.spent = 8400 * CAD_MS; /* 10 s are just enough */
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_WAIT);
    f.spent += 1;
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_NONE);
    f = first_failure();
    f.rounds = 3;
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_NONE);
}

static void test_policy_waits_of_media(void **state)
{
    (void)state;
    static const cad_time waits[] = {250 * CAD_MS, 500 * CAD_MS, S,     2 * S, 4 * S, 4 * S,
                                     4 * S,        4 * S,        4 * S, 4 * S, 4 * S};
    const struct cad_policy *row = cad_policy_row(CAD_PURPOSE_SEGMENT, CAD_FAIL_CONNECT);
    struct cad_policy_facts f = first_failure();
    for (uint32_t i = 0; i < CAD_ARRAY_LEN(waits); i++) {
        f.rounds = i + 1;
        struct cad_policy_answer a = cad_policy_apply(row, &f);
        assert_int_equal(a.move, CAD_MOVE_WAIT);
        assert_int_equal(a.wait, waits[i]);
    }
    f.rounds = 12;
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_NONE);
    f.rounds = 1;
    f.untried = true; /* a server that was not asked comes first, at once */
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_OTHER);
    assert_int_equal(cad_policy_apply(row, &f).wait, 0);
    f.spent = 30 * S + 1;
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_NONE);
}

static void test_policy_honours_retry_after(void **state)
{
    (void)state;
    const struct cad_policy *row = cad_policy_row(CAD_PURPOSE_MANIFEST, CAD_FAIL_THROTTLED);
    struct cad_policy_facts f = first_failure();
    f.retry_after = 20 * S; /* longer than the budget: it is the server's time, not ours */
    struct cad_policy_answer a = cad_policy_apply(row, &f);
    assert_int_equal(a.move, CAD_MOVE_WAIT);
    assert_int_equal(a.wait, 20 * S);
    assert_int_equal(a.charge, 0);
    f.jitter = -100; /* never earlier than told */
    assert_int_equal(cad_policy_apply(row, &f).wait, 22 * S);
    f.jitter = 0;
    f.retry_after = 31 * S;
    assert_int_equal(cad_policy_apply(row, &f).wait, 30 * S);
    f.retry_after = 100 * CAD_MS; /* shorter than our own */
    assert_int_equal(cad_policy_apply(row, &f).wait, 500 * CAD_MS);
    f.retry_after = -5 * S;
    assert_int_equal(cad_policy_apply(row, &f).wait, 500 * CAD_MS);
    f.retry_after = CAD_TIME_MAX;
    f.spent = 11 * S;
    a = cad_policy_apply(row, &f);
    assert_int_equal(a.move, CAD_MOVE_NONE);
    assert_int_equal(a.wait, 0);
    f.spent = 0;
    f.rounds = 3;
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_NONE);
}

static void test_policy_refreshes_are_limited(void **state)
{
    (void)state;
    const struct cad_policy *row = cad_policy_row(CAD_PURPOSE_SEGMENT, CAD_FAIL_EXPIRED);
    struct cad_policy_facts f = first_failure();
    f.refreshes = CAD_FETCH_REFRESHES_MAX - 1;
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_REFRESH);
    f.refreshes++;
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_NONE);
    row = cad_policy_row(CAD_PURPOSE_SEGMENT, CAD_FAIL_REFUSED);
    assert_int_equal(cad_policy_apply(row, &f).move, CAD_MOVE_LOWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy_has_every_row_as_documented),
        cmocka_unit_test(test_policy_waits_of_a_service),
        cmocka_unit_test(test_policy_waits_of_media),
        cmocka_unit_test(test_policy_honours_retry_after),
        cmocka_unit_test(test_policy_refreshes_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
