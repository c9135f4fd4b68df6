#include "sink_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define STEP_MAX (20 * CAD_MS) /* a driver looks in at least so often */

static cad_time monotonic(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (cad_time)ts.tv_sec * CAD_SECOND + ts.tv_nsec;
}

static void wait_until(struct bench *bench, cad_time until)
{
    if (!bench->kind->real_time) {
        if (until > bench->now) bench->now = until;
        return;
    }
    cad_time left = until - monotonic();
    if (left > 0) {
        struct timespec ts = {.tv_sec = left / CAD_SECOND, .tv_nsec = left % CAD_SECOND};
        nanosleep(&ts, NULL);
    }
    bench->now = monotonic();
}

void bench_open(struct bench *bench, const struct sink_kind *kind, const struct track_data *video,
                const struct track_data *audio)
{
    memset(bench, 0, sizeof(*bench));
    bench->kind = kind;
    bench->now = kind->real_time ? monotonic() : 1000 * CAD_SECOND;
    bench->anchor.media = CAD_TIME_NONE;
    sample_source_init(&bench->source, video, audio);
    assert_int_equal(kind->create(&bench->sink), 0);
    bench->sink->source = sample_source_edge(&bench->source);
    bench->config = (struct cad_sink_config){
        .epoch = 1, .position = 0, .video = video != NULL, .audio = audio != NULL,
        .text = kind->text != NULL};
}

void bench_close(struct bench *bench)
{
    bench->sink->ops->destroy(bench->sink);
    assert_int_equal(sample_source_held(&bench->source), 0);
    sample_source_deinit(&bench->source);
}

void bench_rate(struct bench *bench, uint32_t rate_q16)
{
    bench->config.rate_q16 = rate_q16;
    if (rate_q16 < bench->rate_low) bench->rate_low = rate_q16;
    if (rate_q16 > bench->rate_high) bench->rate_high = rate_q16;
    bench->sink->ops->configure(bench->sink, &bench->config, bench->now);
}

void bench_seek(struct bench *bench, uint32_t epoch, cad_time position)
{
    sample_source_seek(&bench->source, epoch, position);
    bench->config.epoch = epoch;
    bench->config.position = position;
    bench->sink->ops->flush(bench->sink, epoch, position, bench->now);
    bench->sink->ops->configure(bench->sink, &bench->config, bench->now);
}

/* Rules 1 and 3: of the right epoch; never back; by rate x time from the anchor before. */
static void check_anchor(struct bench *bench, const struct cad_sink_anchor *next)
{
    const struct cad_sink_anchor *last = &bench->anchor;
    assert_int_equal(next->epoch, bench->config.epoch);
    assert_true(next->at <= bench->now);
    if (last->media != CAD_TIME_NONE && last->epoch == next->epoch) {
        assert_true(next->media >= last->media);
        assert_true(next->at >= last->at);
        if (last->rate_q16 == 0 && next->rate_q16 == 0) {
            assert_int_equal(next->media, last->media);
        }
        cad_time moved = next->media - last->media;
        double passed = (double)(next->at - last->at) / 65536;
        cad_time most = (cad_time)(passed * bench->rate_high);
        assert_true(moved <= most + bench->kind->tolerance);
        if (last->rate_q16 > 0 && next->rate_q16 > 0) {
            cad_time least = (cad_time)(passed * bench->rate_low);
            assert_true(moved >= least - bench->kind->tolerance);
        }
    }
    if (next->underrun && !last->underrun) bench->underruns++;
    bench->anchor = *next;
    bench->anchors++;
    bench->rate_low = bench->rate_high = bench->config.rate_q16;
}

static void check_level(struct bench *bench, const struct cad_sink_level *next)
{
    assert_int_equal(next->epoch, bench->config.epoch);
    assert_true(next->frames >= bench->level.frames);
    assert_true(next->dropped >= bench->level.dropped);
    if (next->epoch == bench->level.epoch) {
        assert_true(next->first_frame || !bench->level.first_frame);
        assert_true(next->drained || !bench->level.drained);
    }
    bench->level = *next;
}

static cad_time step(struct bench *bench)
{
    struct cad_sink_report report;
    if (bench->kind->real_time) bench->now = monotonic();
    cad_time wake = bench->sink->ops->step(bench->sink, bench->now);
    bench->sink->ops->report(bench->sink, bench->now, &report);
    if (report.has_anchor) check_anchor(bench, &report.anchor);
    if (report.has_level) check_level(bench, &report.level);
    if (report.has_fail) {
        bench->fail = report.fail;
        bench->fails++;
    }
    return wake;
}

void bench_step(struct bench *bench)
{
    (void)step(bench);
}

static bool never(const struct bench *bench)
{
    (void)bench;
    return false;
}

bool bench_until(struct bench *bench, bool (*done)(const struct bench *), cad_time limit)
{
    cad_time end = bench->now + limit;
    uint32_t idle = 0;
    while (bench->now <= end) {
        cad_time wake = step(bench);
        if (done(bench)) return true;
        /* "Now" is an answer while there is work; it must not be one for ever. */
        idle = wake != CAD_TIME_NONE && wake <= bench->now ? idle + 1 : 0;
        assert_true(idle < 1000);
        if (idle > 0) continue;
        cad_time next = bench->now + STEP_MAX;
        if (wake != CAD_TIME_NONE && wake < next) next = wake;
        if (bench->now == end) break;
        wait_until(bench, next < end || bench->kind->real_time ? next : end);
    }
    return false;
}

void bench_run(struct bench *bench, cad_time duration)
{
    (void)bench_until(bench, never, duration);
}

bool bench_is_running(const struct bench *bench)
{
    return bench->anchor.rate_q16 > 0;
}

bool bench_is_first_out(const struct bench *bench)
{
    return bench->level.epoch == bench->config.epoch && bench->level.first_frame;
}

bool bench_is_drained(const struct bench *bench)
{
    return bench->level.epoch == bench->config.epoch && bench->level.drained;
}

bool bench_is_underrun(const struct bench *bench)
{
    return bench->anchor.underrun;
}

bool bench_has_failed(const struct bench *bench)
{
    return bench->fails > 0;
}
