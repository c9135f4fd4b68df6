/*
 * sink.h - the edge where samples leave: decoders, clock, devices.
 *
 * A sink takes access units in decode order and shows them by a clock of its own, which it reports.
 * It is passive: its driver (the real-time player on a sink thread, the simulator on its only
 * thread) calls `step` with the time; the sink pulls what it has room for through the source it was
 * given and answers when it wants to be called again. It starts no thread that calls back.
 *
 *     sink->ops->configure(sink, &config)   from CAD_ACTION_SINK_CONFIG: epoch, rate, slots
 *     sink->ops->flush(sink, epoch, pos)    from CAD_ACTION_SINK_FLUSH: forget everything older
 *     wake = sink->ops->step(sink, now)     pull, decode, show
 *     sink->ops->report(sink, &report)      take the reports; level-triggered, cheap
 *
 * Contract (tests/contract/sink_contract.c, passed by every implementation):
 *  1. After flush(epoch) no sample of an older epoch is shown or counted in its level.
 *  2. The clock stands until `rate_q16` is above 0 and every configured slot has its first sample;
 *     it never runs past the end of what it has: it then stands and says `underrun`.
 *  3. Anchors of one epoch never go back; media time moves by rate x monotonic time between them,
 *     at any rate of caps.rate_min_q16 .. rate_max_q16 (a sink that names none is asked for 0 and
 *     normal speed only); a rate may change at any time. Sound keeps its pitch.
 *  4. The first picture of an epoch (first sound, without video) is shown as soon as it is decoded,
 *     even while the rate is 0, and is reported once as first_frame. Samples marked DECODE_ONLY are
 *     decoded and not shown.
 *  5. Samples and their references are released at the latest by flush or destroy.
 *  6. When the source answers END on every slot and the last sample has been shown: `drained`.
 *  7. Memory and queue are bounded: at most the named depth of samples a slot is pulled ahead.
 *  8. A configuration may come in mid-stream. What was pulled before it is shown to its end, what
 *     comes behind it follows without a gap; no picture is lost or shown twice. Times that overlap
 *     at such a seam are cut, so that nothing is heard twice; a hole is silence. caps.fixed_codec
 *     and fixed_resolution say where a sink cannot do that.
 *  9. Timed text (caps.text, with CAD_CODEC_TTML in caps.codecs) is pulled while the configuration
 *     says `text`, as soon as it comes, whatever the clock does and while it stands. What was
 *     pulled last counts: a document, shown by the sink's clock from its pts for its duration,
 *     until there is another, or a configuration without a codec, or a flush: then nothing is shown
 *     until the next. Neither the clock nor `drained` waits for text, and text has no end.
 *
 * Compressed sound: a sink always pulls access units as they are, with their configuration before
 * them. One that hands some of them on undecoded (S/PDIF, HDMI) names those codecs in
 * caps.passthrough beside caps.codecs. An access unit of AC-3 or E-AC-3 is one or more whole
 * syncframes (ETSI TS 102 366 E.1.2), which is what a burst of IEC 61937 holds; cad_sample.data
 * and config.extra (dac3, dec3) are valid as long as their references. The decoding sink gives them
 * to a callback: cad_sink_options.passthrough of decode.h.
 *
 * This header belongs to no layer and contains no code.
 */
#ifndef CADMIUM_SINK_H
#define CADMIUM_SINK_H

#include "cadmium/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where a sink pulls from. Results as cad_engine_pull; never blocks. */
struct cad_sink_source {
    int (*pull)(void *ctx, uint32_t slot, struct cad_sample *out); /* as cad_engine_pull */
    void *ctx;                                                     /* of pull */
};

/* What has happened since the last report. Valid fields are flagged. */
struct cad_sink_report {
    bool has_anchor, has_level, has_fail; /* which of these are valid */
    struct cad_sink_anchor anchor;        /* where the clock is */
    struct cad_sink_level level;          /* what was shown */
    struct cad_sink_fail fail;            /* what failed */
};

struct cad_sink;

/* The functions of a sink; all are required. */
struct cad_sink_ops {
    size_t size;      /* sizeof(struct cad_sink_ops) */
    const char *name; /* "null", "md5", "sdl" */
    void (*destroy)(struct cad_sink *sink); /* releases all it holds */
    /* What it decodes; constant over its life. */
    void (*caps)(const struct cad_sink *sink, struct cad_sink_caps *out);
    /* What will come, and whether the clock runs: contract 2. */
    void (*configure)(struct cad_sink *sink, const struct cad_sink_config *config, cad_time now);
    /* Forget everything older than the epoch, which begins at position: contract 1. */
    void (*flush)(struct cad_sink *sink, uint32_t epoch, cad_time position, cad_time now);
    /* Work for a bounded time; absolute time of the next step, CAD_TIME_NONE: only when more
     * samples, a configure or a flush come. */
    cad_time (*step)(struct cad_sink *sink, cad_time now);
    /* What has happened since the last report. */
    void (*report)(struct cad_sink *sink, cad_time now, struct cad_sink_report *out);
};

/* An implementation puts this first in its own struct. */
struct cad_sink {
    const struct cad_sink_ops *ops; /* what it can do */
    struct cad_sink_source source; /* set by the driver before the first call */
};

#ifdef __cplusplus
}
#endif
#endif
