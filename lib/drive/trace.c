/*
 * trace.c - reads network traces (cadmium-trace-1): lines of duration_ms bandwidth_kbps latency_ms.
 */
#include <string.h>

#include "cadmium/sim.h"

#include "base/mem.h"
#include "base/str.h"

#define DURATION_MS_MAX INT64_C(1000000000000) /* 31 years, also for the whole trace */
#define RATE_KBPS_MAX INT64_C(1000000000)      /* 1 Tbit/s */
#define LATENCY_MS_MAX INT64_C(600000)

/* The next run of characters that are no white space; false at the end of the line. */
static bool next_word(cad_str *line, cad_str *word)
{
    *line = cad_str_trim(*line);
    size_t n = 0;
    while (n < line->n && !cad_is_space(line->p[n])) n++;
    *word = cad_str_sub(*line, 0, n);
    *line = cad_str_sub(*line, n, line->n);
    return n > 0;
}

static int read_whole(cad_str *line, int64_t max, int64_t *out)
{
    cad_str word;
    if (!next_word(line, &word)) return CAD_E_DATA;
    int err = cad_str_to_i64(word, out);
    if (err) return err;
    if (*out < 0) return CAD_E_DATA;
    return *out > max ? CAD_E_LIMIT : 0;
}

static int read_period(cad_str line, struct cad_trace_period *out)
{
    int64_t duration_ms, rate_kbps, latency_ms;
    int err = read_whole(&line, DURATION_MS_MAX, &duration_ms);
    if (!err) err = read_whole(&line, RATE_KBPS_MAX, &rate_kbps);
    if (!err) err = read_whole(&line, LATENCY_MS_MAX, &latency_ms);
    if (err) return err;
    if (cad_str_trim(line).n > 0) return CAD_E_DATA;
    out->duration = duration_ms * CAD_MS;
    out->rate_bps = rate_kbps * 1000;
    out->latency = latency_ms * CAD_MS;
    return 0;
}

static bool has_row(cad_str line)
{
    return line.n > 0 && line.p[0] != '#' && cad_str_trim(line).n > 0;
}

static uint32_t count_rows(cad_str text)
{
    uint32_t rows = 0;
    cad_str line;
    while (rows <= CAD_SIM_PERIODS_MAX && cad_str_split(&text, '\n', &line)) {
        if (has_row(line)) rows++;
    }
    return rows;
}

int cad_trace_parse(const struct cad_alloc *alloc, cad_str text, struct cad_trace *out)
{
    if (!alloc || !out) return CAD_E_INVAL;
    uint32_t rows = count_rows(text);
    if (rows == 0) return CAD_E_DATA;
    if (rows > CAD_SIM_PERIODS_MAX) return CAD_E_LIMIT;
    struct cad_trace trace = {NULL, rows};
    trace.periods = cad_alloc_array(alloc, rows, sizeof(*trace.periods), CAD_MEM_OTHER);
    if (!trace.periods) return CAD_E_NOMEM;
    int err = 0;
    uint32_t row = 0;
    cad_time total = 0;
    cad_str line;
    while (!err && cad_str_split(&text, '\n', &line)) {
        if (!has_row(line)) continue;
        err = read_period(line, &trace.periods[row]);
        if (!err) total += trace.periods[row].duration;
        if (!err && total > DURATION_MS_MAX * CAD_MS) err = CAD_E_LIMIT;
        row++;
    }
    /* A trace of no length would repeat for ever at one instant. */
    if (!err && total == 0) err = CAD_E_DATA;
    if (err) {
        cad_trace_deinit(alloc, &trace);
        return err;
    }
    *out = trace;
    return 0;
}

void cad_trace_deinit(const struct cad_alloc *alloc, struct cad_trace *trace)
{
    if (!trace) return;
    cad_alloc_free(alloc, trace->periods, (size_t)trace->count * sizeof(*trace->periods),
                   CAD_MEM_OTHER);
    memset(trace, 0, sizeof(*trace));
}
