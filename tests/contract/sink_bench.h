/*
 * sink_bench.h - a sink on a bench: its source, its time and what it has reported.
 *
 * Time is virtual and goes in steps that the sink asks for, or is the real one where devices run by
 * themselves. Every report is checked on the way against what must hold always (rules 1, 3).
 */
#ifndef CAD_TESTS_SINK_BENCH_H
#define CAD_TESTS_SINK_BENCH_H

#include "sink_contract.h"
#include "track_data.h"

struct bench {
    const struct sink_kind *kind;
    struct cad_sink *sink;
    struct sample_source source;
    struct cad_sink_config config; /* as it was set last */
    cad_time now;
    struct cad_sink_anchor anchor; /* newest; media CAD_TIME_NONE before the first */
    struct cad_sink_level level;   /* newest */
    struct cad_sink_fail fail;
    uint32_t fails;                /* how often it was reported */
    uint32_t anchors, underruns;
    uint32_t rate_low, rate_high;  /* that were wanted since the last anchor */
};

void bench_open(struct bench *bench, const struct sink_kind *kind, const struct track_data *video,
                const struct track_data *audio);
void bench_close(struct bench *bench);
/* Configure with another rate; slots as the source has them. */
void bench_rate(struct bench *bench, uint32_t rate_q16);
/* Flush to another epoch and let the source go there; the rate stays. */
void bench_seek(struct bench *bench, uint32_t epoch, cad_time position);
/* Step for so long. */
void bench_run(struct bench *bench, cad_time duration);
/* Step until the condition holds, at most `limit`. */
bool bench_until(struct bench *bench, bool (*done)(const struct bench *), cad_time limit);
/* One step and one report. */
void bench_step(struct bench *bench);

bool bench_is_running(const struct bench *bench);
bool bench_is_first_out(const struct bench *bench);
bool bench_is_drained(const struct bench *bench);
bool bench_is_underrun(const struct bench *bench);
bool bench_has_failed(const struct bench *bench);

#endif
