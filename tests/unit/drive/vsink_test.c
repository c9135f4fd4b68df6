/* Goal: the virtual sink's clock is exact: it starts when every slot has a sample, stops at the
 * end of the shortest one however late it is stepped, and what it takes ahead is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drive/vsink.h"

/* A source of samples of 40 ms (video) and 20 ms (audio) up to `have`; END from `end` on. */
struct source {
    cad_time next[2], have[2], end;
    cad_time decode_only_until;
    uint32_t epoch;
    uint64_t pulls;
    bool config_due;
};

static int pull(void *ctx, uint32_t slot, struct cad_sample *out)
{
    struct source *s = ctx;
    cad_time duration = slot == CAD_SLOT_VIDEO ? 40 * CAD_MS : 20 * CAD_MS;
    s->pulls++;
    memset(out, 0, sizeof(*out));
    if (s->config_due) {
        s->config_due = false;
        return CAD_E_CONFIG;
    }
    if (s->next[slot] >= s->end) return CAD_E_END;
    if (s->next[slot] + duration > s->have[slot]) return CAD_E_AGAIN;
    out->epoch = s->epoch;
    out->pts = out->dts = s->next[slot];
    out->duration = duration;
    if (out->pts < s->decode_only_until) out->flags |= CAD_SAMPLE_DECODE_ONLY;
    s->next[slot] += duration;
    return 0;
}

struct rig {
    struct source source;
    struct cad_sink *sink;
    struct cad_sink_report report;
    cad_time wake;
};

static void rig_init(struct rig *r)
{
    memset(r, 0, sizeof(*r));
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_vsink_config config = {.anchor_period = 100 * CAD_MS, .seed = 1};
    assert_int_equal(cad_vsink_create(&alloc, &config, &r->sink), 0);
    r->sink->source = (struct cad_sink_source){pull, &r->source};
    r->source.epoch = 1;
    r->source.end = 3600 * CAD_SECOND;
}

static void configure(struct rig *r, uint32_t rate_q16, cad_time now)
{
    struct cad_sink_config config = {
        .epoch = r->source.epoch, .rate_q16 = rate_q16, .video = true, .audio = true};
    r->sink->ops->configure(r->sink, &config, now);
}

static void step(struct rig *r, cad_time now)
{
    r->wake = r->sink->ops->step(r->sink, now);
    r->sink->ops->report(r->sink, now, &r->report);
}

static void have(struct rig *r, cad_time video, cad_time audio)
{
    r->source.have[CAD_SLOT_VIDEO] = video;
    r->source.have[CAD_SLOT_AUDIO] = audio;
}

static void test_vsink_waits_for_every_slot(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    configure(&r, 65536, 0);
    have(&r, 400 * CAD_MS, 0);
    r.source.config_due = true;
    step(&r, 10 * CAD_MS);
    assert_true(r.report.has_level && r.report.level.first_frame);
    assert_int_equal(r.report.level.first_frame_pts, 0);
    assert_false(cad_vsink_running(r.sink));
    assert_int_equal(r.wake, CAD_TIME_NONE);
    have(&r, 400 * CAD_MS, 200 * CAD_MS);
    step(&r, 50 * CAD_MS);
    assert_true(cad_vsink_running(r.sink));
    assert_true(r.report.has_anchor);
    assert_int_equal(r.report.anchor.rate_q16, 65536);
    assert_int_equal(r.report.anchor.media, 0);
    assert_int_equal(r.report.anchor.at, 50 * CAD_MS);
    assert_false(r.report.has_level);
    assert_int_equal(cad_vsink_position(r.sink, 150 * CAD_MS), 100 * CAD_MS);
    r.sink->ops->destroy(r.sink);
}

static void test_vsink_first_frame_is_shown_while_it_holds(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    configure(&r, 0, 0);
    r.source.decode_only_until = 80 * CAD_MS;
    have(&r, 400 * CAD_MS, 400 * CAD_MS);
    step(&r, 0);
    assert_true(r.report.has_level && r.report.level.first_frame);
    assert_int_equal(r.report.level.first_frame_pts, 80 * CAD_MS);
    assert_false(cad_vsink_running(r.sink));
    step(&r, CAD_SECOND);
    assert_int_equal(cad_vsink_position(r.sink, CAD_SECOND), 0);
    r.sink->ops->destroy(r.sink);
}

static void test_vsink_stops_at_the_exact_end_of_the_shortest_slot(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    configure(&r, 65536, 0);
    have(&r, 800 * CAD_MS, 500 * CAD_MS);
    step(&r, 0);
    step(&r, 100 * CAD_MS);
    /* Far too late: 2 s instead of 0.5 s, and meanwhile more had come. */
    have(&r, 5 * CAD_SECOND, 5 * CAD_SECOND);
    assert_true(r.wake <= 500 * CAD_MS);
    r.wake = r.sink->ops->step(r.sink, 2 * CAD_SECOND);
    assert_true(cad_vsink_running(r.sink));
    assert_int_equal(cad_vsink_underrun_time(r.sink, 2 * CAD_SECOND), 1500 * CAD_MS);
    assert_int_equal(cad_vsink_position(r.sink, 2 * CAD_SECOND), 500 * CAD_MS);
    assert_int_equal(cad_vsink_position(r.sink, 2100 * CAD_MS), 600 * CAD_MS);
    r.sink->ops->destroy(r.sink);
}

static void test_vsink_reports_an_underrun_at_its_moment(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    configure(&r, 65536, 0);
    have(&r, 480 * CAD_MS, 800 * CAD_MS);
    step(&r, 0);
    step(&r, 480 * CAD_MS);
    assert_true(r.report.has_anchor && r.report.anchor.underrun);
    assert_int_equal(r.report.anchor.media, 480 * CAD_MS);
    assert_int_equal(r.report.anchor.at, 480 * CAD_MS);
    assert_int_equal(r.report.anchor.rate_q16, 0);
    assert_int_equal(r.wake, CAD_TIME_NONE);
    configure(&r, 0, 500 * CAD_MS);
    have(&r, 800 * CAD_MS, 800 * CAD_MS);
    step(&r, 600 * CAD_MS);
    assert_false(cad_vsink_running(r.sink));
    assert_false(r.report.anchor.underrun);
    configure(&r, 65536, 700 * CAD_MS);
    step(&r, 700 * CAD_MS);
    assert_true(cad_vsink_running(r.sink));
    assert_int_equal(cad_vsink_underrun_time(r.sink, 800 * CAD_MS), 220 * CAD_MS);
    r.sink->ops->destroy(r.sink);
}

static void test_vsink_takes_a_bounded_time_ahead(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    configure(&r, 65536, 0);
    have(&r, 60 * CAD_SECOND, 60 * CAD_SECOND);
    step(&r, 0);
    assert_int_equal(r.source.next[CAD_SLOT_VIDEO], CAD_VSINK_DEPTH);
    assert_int_equal(r.source.next[CAD_SLOT_AUDIO], CAD_VSINK_DEPTH);
    uint64_t pulls = r.source.pulls;
    cad_time now = 0;
    uint32_t anchors = 0, steps = 0;
    while (now < 10 * CAD_SECOND) {
        assert_true(r.wake > now);
        now = r.wake;
        step(&r, now);
        steps++;
        anchors += r.report.has_anchor;
        assert_true(r.source.next[CAD_SLOT_VIDEO] <= now + CAD_VSINK_DEPTH + 40 * CAD_MS);
        assert_int_equal(cad_vsink_position(r.sink, now), now);
    }
    /* An anchor every 100 ms, a refill every half depth and nothing else. */
    assert_int_equal(anchors, 100);
    assert_true(steps <= 100 + 20 + 20);
    assert_true(r.source.pulls - pulls <= 25 * 11 + 50 * 11);
    r.sink->ops->destroy(r.sink);
}

static void test_vsink_ends_and_is_drained_once(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    r.source.end = 400 * CAD_MS;
    configure(&r, 65536, 0);
    have(&r, CAD_SECOND, 400 * CAD_MS);
    step(&r, 0);
    assert_false(r.report.level.drained);
    uint32_t drained = 0;
    for (cad_time now = 0; r.wake != CAD_TIME_NONE && now < CAD_SECOND;) {
        now = r.wake;
        step(&r, now);
        if (r.report.has_level && r.report.level.drained) {
            drained++;
            assert_int_equal(now, 400 * CAD_MS);
        }
    }
    assert_int_equal(drained, 1);
    assert_false(r.report.anchor.underrun);
    assert_int_equal(cad_vsink_underrun_time(r.sink, CAD_SECOND), 0);
    assert_int_equal(r.report.level.frames, 10);
    r.sink->ops->destroy(r.sink);
}

static void test_vsink_flush_forgets_and_drops_stale_samples(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    configure(&r, 65536, 0);
    have(&r, 800 * CAD_MS, 800 * CAD_MS);
    step(&r, 0);
    r.sink->ops->flush(r.sink, 2, 30 * CAD_SECOND, 100 * CAD_MS);
    step(&r, 100 * CAD_MS); /* the source still gives epoch 1 */
    assert_false(cad_vsink_running(r.sink));
    assert_int_equal(r.report.anchor.epoch, 2);
    assert_int_equal(r.report.anchor.media, 30 * CAD_SECOND);
    r.source.epoch = 2;
    r.source.next[0] = r.source.next[1] = 30 * CAD_SECOND;
    have(&r, 31 * CAD_SECOND, 31 * CAD_SECOND);
    step(&r, 200 * CAD_MS);
    assert_true(r.report.level.first_frame);
    assert_true(cad_vsink_running(r.sink));
    assert_int_equal(cad_vsink_position(r.sink, 300 * CAD_MS), 30 * CAD_SECOND + 100 * CAD_MS);
    r.sink->ops->destroy(r.sink);
}

static void test_vsink_drifts(void **state)
{
    (void)state;
    for (int64_t ppm = -200; ppm <= 200; ppm += 400) {
        struct rig r;
        rig_init(&r);
        cad_vsink_mode(r.sink, CAD_SIM_SINK_DRIFT, ppm, 0);
        configure(&r, 65536, 0);
        have(&r, 2000 * CAD_SECOND, 2000 * CAD_SECOND);
        step(&r, 0);
        while (r.wake <= 1000 * CAD_SECOND) step(&r, r.wake);
        step(&r, 1000 * CAD_SECOND);
        assert_in_range(cad_vsink_position(r.sink, 1000 * CAD_SECOND),
                        1000 * CAD_SECOND + ppm * CAD_MS - 20 * CAD_US,
                        1000 * CAD_SECOND + ppm * CAD_MS + 20 * CAD_US);
        r.sink->ops->destroy(r.sink);
    }
}

static void test_vsink_slow_drops_and_null_does_not_count(void **state)
{
    (void)state;
    for (int null = 0; null <= 1; null++) {
        struct rig r;
        rig_init(&r);
        cad_vsink_mode(r.sink, null ? CAD_SIM_SINK_NULL : CAD_SIM_SINK_SLOW, 1250000, 0);
        configure(&r, 65536, 0);
        have(&r, 60 * CAD_SECOND, 60 * CAD_SECOND);
        step(&r, 0);
        while (r.wake < 40 * CAD_SECOND) step(&r, r.wake);
        cad_vsink_mode(r.sink, null ? CAD_SIM_SINK_NULL : CAD_SIM_SINK_SLOW, 1250000, r.wake);
        step(&r, r.wake);
        uint64_t frames = r.report.level.frames;
        assert_int_equal(null, frames == 0);
        /* Four of five pictures are ready in time. */
        assert_int_equal(r.report.level.dropped, frames - frames * 4 / 5);
        r.sink->ops->destroy(r.sink);
    }
}

static void test_vsink_eagain_takes_nothing_now_and_then(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    cad_vsink_mode(r.sink, CAD_SIM_SINK_EAGAIN, 500000, 0);
    configure(&r, 65536, 0);
    have(&r, 60 * CAD_SECOND, 60 * CAD_SECOND);
    cad_time now = 0;
    uint32_t refused = 0;
    step(&r, 0);
    while (now < 20 * CAD_SECOND) {
        assert_true(r.wake > now);
        now = r.wake;
        uint64_t before = r.source.pulls;
        step(&r, now);
        refused += r.source.pulls == before;
    }
    assert_true(refused > 10);
    assert_true(cad_vsink_position(r.sink, now) > 18 * CAD_SECOND);
    r.sink->ops->destroy(r.sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vsink_waits_for_every_slot),
        cmocka_unit_test(test_vsink_first_frame_is_shown_while_it_holds),
        cmocka_unit_test(test_vsink_stops_at_the_exact_end_of_the_shortest_slot),
        cmocka_unit_test(test_vsink_reports_an_underrun_at_its_moment),
        cmocka_unit_test(test_vsink_takes_a_bounded_time_ahead),
        cmocka_unit_test(test_vsink_ends_and_is_drained_once),
        cmocka_unit_test(test_vsink_flush_forgets_and_drops_stale_samples),
        cmocka_unit_test(test_vsink_drifts),
        cmocka_unit_test(test_vsink_slow_drops_and_null_does_not_count),
        cmocka_unit_test(test_vsink_eagain_takes_nothing_now_and_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
