/*
 * Goal: whatever a viewer, a network and a sink do in whatever order, the invariants hold, samples
 * follow each other, and when the trouble is over the session plays or has said why it cannot.
 *
 * A failure prints its seed: `test_engine_soak SEED` repeats it, `test_engine_soak SEED COUNT` goes
 * on.
 */
#include "driver_mpd.h"

#include <stdlib.h>

#include "base/rand.h"
#include "base/str.h"

#define SEEDS 40
#define STEPS 60

static uint64_t seed_first = 1, seed_count = SEEDS;

static void random_fault(struct drv *d, struct cad_rng *rng)
{
    static const struct drv_answer faults[] = {
        {.fault = DRV_CLASS, .value = CAD_HTTP_CONNECT},
        {.fault = DRV_CLASS, .value = CAD_HTTP_DNS}, {.fault = DRV_CLASS, .value = CAD_HTTP_TLS},
        {.fault = DRV_CLASS, .value = CAD_HTTP_TIMEOUT},
        {.fault = DRV_CUT, .value = 3000}, {.fault = DRV_CUT, .value = 0},
        {.fault = DRV_SILENT, .value = 2000}, {.fault = DRV_SILENT, .value = -1},
        {.fault = DRV_STATUS, .value = 500}, {.fault = DRV_STATUS, .value = 404},
        {.fault = DRV_STATUS, .value = 403}, {.fault = DRV_STATUS, .value = 429},
        {.fault = DRV_SHIFTED}, {.fault = DRV_WHOLE}, {.fault = DRV_SHORT, .value = 700}};
    struct drv_rule *rule = &d->rules[0];
    d->rule_count = 1;
    *rule = (struct drv_rule){
        .server = (int32_t)cad_rng_below(rng, 3) - 1, .stream = (int32_t)cad_rng_below(rng, 5) - 1,
        .left = (int64_t)cad_rng_below(rng, 4),
        .answer = faults[cad_rng_below(rng, sizeof faults / sizeof faults[0])]};
    /* A file that is nowhere is no trouble that passes. */
    if (rule->answer.value == 404 && rule->server < 0) rule->server = 0;
}

static cad_time random_time(struct cad_rng *rng, cad_time below)
{
    return (cad_time)cad_rng_below(rng, (uint32_t)(below / CAD_MS)) * CAD_MS;
}

static void random_step(struct drv *d, struct cad_rng *rng, uint32_t step)
{
    static const int64_t rates[] = {0, 300000, 800000, 2000000, 6000000};
    static const char *const texts[] = {"", "T:1", "T:2", "T:3", "T:4", "T:5"};
    struct cad_event event = {.type = CAD_EVENT_NET_CHANGE};
    switch (cad_rng_below(rng, d->options.text ? 16 : 14)) {
    case 0:
    case 1: drv_seek(d, random_time(rng, 62 * CAD_SECOND), 100 + step); break;
    case 2: drv_pause(d); break;
    case 3:
    case 4: drv_play(d); break;
    case 5: drv_pin(d, (int32_t)cad_rng_below(rng, 5) - 1); break;
    case 6: d->options.rate_bps = rates[cad_rng_below(rng, 5)]; break;
    case 7:
    case 8: random_fault(d, rng); break;
    case 9: d->offline = !d->offline; break;
    case 10:
        d->offline = cad_rng_below(rng, 2) == 0;
        event.u.net.online = !d->offline;
        drv_feed(d, &event);
        break;
    case 11: d->sink.pull_ahead = random_time(rng, 5 * CAD_SECOND) + 100 * CAD_MS; break;
    case 12:
        if (cad_rng_below(rng, 4) == 0) drv_command(d, CAD_COMMAND_STOP, 0);
        if (cad_rng_below(rng, 2) == 0) drv_load(d, step);
        break;
    case 13: d->failing.fail_at = d->failing.calls + 1 + cad_rng_below(rng, 30); break;
    default: drv_choose(d, texts[cad_rng_below(rng, 6)], step); break;
    }
    if (cad_rng_below(rng, 3)) drv_play_for(d, random_time(rng, 4 * CAD_SECOND));
    else drv_turns(d);
}

/* Text that is chosen now comes. */
static void settle_text(struct drv *d)
{
    drv_play_for(d, 10 * CAD_SECOND);
    if (!d->options.text || d->state == CAD_STATE_FAILED) return;
    drv_choose(d, "T:2", 1);
    drv_choose(d, "T:1", 2);
    drv_play_for(d, 10 * CAD_SECOND);
    if (d->state == CAD_STATE_FAILED) return;
    assert_true(d->sink.words.shown);
    assert_int_equal(d->sink.words.document, DRV_TEXT_EN);
}

/* No trouble from here on: in a minute it plays, has ended, or has said why not. */
static void settle_down(struct drv *d)
{
    d->rule_count = 0;
    d->offline = false;
    d->options.rate_bps = 4000000;
    d->failing.fail_at = 0;
    struct cad_event event = {.type = CAD_EVENT_NET_CHANGE};
    event.u.net.online = true;
    drv_feed(d, &event);
    drv_pin(d, -1);
    if (d->state == CAD_STATE_STOPPED) drv_load(d, 9000);
    drv_play(d);
    settle_text(d);
    drv_play_for(d, 60 * CAD_SECOND);
    if (d->state == CAD_STATE_FAILED) {
        assert_true(drv_errors(d, CAD_ERROR_FATAL) >= 1);
        assert_int_equal(drv_open_requests(d), 0);
        drv_load(d, 9001);
    } else {
        assert_true(d->state == CAD_STATE_PLAYING || d->state == CAD_STATE_ENDED);
    }
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 80 * CAD_SECOND));
}

static void run_seed(void **state, uint64_t seed)
{
    struct drv_options o;
    drv_options_init(&o);
    o.set_engine = true;
    o.text = seed % 2 == 0;
    o.engine.text_language = CAD_STR("de");
    o.engine.seed = seed;
    if (seed % 3 == 0) o.engine.buffer_ahead = 10 * CAD_SECOND;
    if (seed % 4 == 0) o.engine.ceiling_bytes = 4 * 1024 * 1024;
    if (seed % 5 == 0) o.url_life = 90 * CAD_SECOND;
    o.latency = (cad_time)(seed % 7) * 20 * CAD_MS;
    struct drv *d = drv_renew(state, &o);
    d->strict_bytes = false;
    struct cad_rng rng;
    cad_rng_init(&rng, seed);
    drv_load(d, 1);
    for (uint32_t step = 0; step < STEPS; step++) random_step(d, &rng, step + 2);
    settle_down(d);
}

static void test_soak(void **state)
{
    for (uint64_t i = 0; i < seed_count; i++) {
        /* Said before, so that even an abort tells which one it was. */
        if (seed_count != SEEDS || i % 10 == 0) {
            print_message("seed %llu\n", (unsigned long long)(seed_first + i));
        }
        run_seed(state, seed_first + i);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) seed_first = strtoull(argv[1], NULL, 10);
    if (argc > 1) seed_count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    const struct CMUnitTest tests[] = {DRV_TEST(test_soak)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
