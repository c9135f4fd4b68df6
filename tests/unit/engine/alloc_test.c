/*
 * Goal: whichever allocation fails between creation and the first seconds of play, the session goes
 * on or ends in one typed error; nothing leaks, nothing hangs.
 */
#include "driver.h"

#include <string.h>

static void check_outcome(struct drv *d)
{
    if (d->fatal) {
        assert_int_equal(d->fatal, CAD_E_NOMEM);
        return;
    }
    if (d->state == CAD_STATE_FAILED) {
        assert_int_equal(drv_fatal(d)->code, CAD_ERR_OUT_OF_MEMORY);
        assert_int_equal(drv_open_requests(d), 0);
        return;
    }
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_true(drv_count(d, CAD_APP_FIRST_FRAME) == 1);
}

typedef void (*session)(struct drv *d);

/* Fails allocation 1, 2, 3... until one run needs none of them; the driver checks for leaks. */
static void fail_each(void **state, session run, uint64_t first)
{
    uint64_t failures = 0;
    for (uint64_t at = first;; at++) {
        struct drv_options o;
        drv_options_init(&o);
        o.duration = 20 * CAD_SECOND;
        o.fail_at = at;
        struct drv *d = drv_renew(state, &o);
        if (!d) {
            failures++;
            continue;
        }
        d->strict_bytes = false;
        run(d);
        check_outcome(d);
        if (!d->failing.failed) break;
        failures++;
    }
    assert_true(failures > 20);
}

static void play(struct drv *d)
{
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
}

static void test_alloc_service(void **state)
{
    fail_each(state, play, 1);
}

static void play_url(struct drv *d)
{
    d->bare_manifest = true;
    drv_load_url(d, "http://svc/title.json", 1);
    drv_play(d);
    drv_play_for(d, 3 * CAD_SECOND);
}

static void test_alloc_url(void **state)
{
    fail_each(state, play_url, 1);
}

static void play_bare(struct drv *d)
{
    drv_load_url(d, "http://h0/v0.mp4", 1);
    drv_play(d);
    drv_play_for(d, 3 * CAD_SECOND);
}

static void test_alloc_bare(void **state)
{
    fail_each(state, play_bare, 1);
}

static void play_and_seek(struct drv *d)
{
    d->options.rate_bps = 4000000;
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    drv_seek(d, 15 * CAD_SECOND, 2);
    drv_play_for(d, CAD_SECOND);
    drv_seek(d, CAD_SECOND, 3);
    drv_play_for(d, 3 * CAD_SECOND);
}

static void test_alloc_seek(void **state)
{
    fail_each(state, play_and_seek, 1);
}

static void play_over_a_refresh(struct drv *d)
{
    d->options.url_life = 3 * CAD_SECOND;
    drv_load(d, 1);
    drv_play_for(d, 500 * CAD_MS);
    d->options.url_life = 3600 * CAD_SECOND;
    drv_play_for(d, 4 * CAD_SECOND);
}

static void test_alloc_refresh(void **state)
{
    fail_each(state, play_over_a_refresh, 1);
}

static struct drv_answer behind_two(struct drv *d, const struct drv_request *r)
{
    (void)d;
    struct drv_answer answer = {.fault = DRV_SERVE};
    if (!r->service || strstr(r->url, "third")) return answer;
    answer.fault = DRV_STATUS;
    answer.value = 307;
    answer.location = strstr(r->url, "second") ? "https://svc/a/third" : "/a/second";
    return answer;
}

static void play_redirected(struct drv *d)
{
    d->script = behind_two;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND); /* with a second attempt */
}

static void test_alloc_redirect(void **state)
{
    fail_each(state, play_redirected, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_alloc_service),
        DRV_TEST(test_alloc_url),
        DRV_TEST(test_alloc_bare),
        DRV_TEST(test_alloc_seek),
        DRV_TEST(test_alloc_refresh),
        DRV_TEST(test_alloc_redirect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
