/*
 * vsink.h - a sink of virtual time: takes samples, decodes nothing, keeps an exact clock.
 *
 *     cad_vsink_create(&alloc, &config, &sink);     a struct cad_sink, see sink.h
 *     cad_vsink_mode(sink, mode, parameter_ppm, now);
 *
 * Samples are given back as soon as they are taken; what is kept is how far each slot reaches. It
 * takes samples until a slot is CAD_VSINK_DEPTH ahead of the clock and again when it has fallen to
 * half of that. Text is taken as it comes and keeps nobody waiting. The clock stops at the exact
 * end of the shortest slot, however late step is called.
 *
 *   REALTIME  the clock runs as the time does; decoding takes none
 *   SLOW      decoding a picture takes parameter (ppm) times its duration: the clock runs on, and
 *             pictures that are not ready in time are dropped
 *   DRIFT     the clock is fast by parameter ppm (slow if negative), as sound devices are
 *   EAGAIN    one step in (10^6 / parameter) takes nothing, and is tried again 10 ms later
 *   NULL      as REALTIME, but pictures are not counted
 */
#ifndef CAD_DRIVE_VSINK_H
#define CAD_DRIVE_VSINK_H

#include "cadmium/sim.h"

#define CAD_VSINK_DEPTH CAD_SECOND        /* media that is taken ahead of the clock */
#define CAD_VSINK_BATCH_MAX 4096          /* samples of a slot that one step takes at most */

struct cad_vsink_config {
    cad_time anchor_period;  /* > 0 */
    uint64_t seed;           /* of EAGAIN */
};

CAD_MUST_CHECK int cad_vsink_create(const struct cad_alloc *alloc,
                                    const struct cad_vsink_config *config, struct cad_sink **out);
void cad_vsink_mode(struct cad_sink *sink, enum cad_sink_mode mode, int64_t parameter_ppm,
                    cad_time now);
/* Presentation time that the viewer sees. */
cad_time cad_vsink_position(const struct cad_sink *sink, cad_time now);
/* True while the clock runs. */
bool cad_vsink_running(const struct cad_sink *sink);
/* How long the clock has stood for want of samples, exactly, over all epochs. */
cad_time cad_vsink_underrun_time(const struct cad_sink *sink, cad_time now);
/* Documents of timed text that were taken since it was created. */
uint64_t cad_vsink_documents(const struct cad_sink *sink);
/* Language of the text that is shown; empty: none. Until the next step. */
const char *cad_vsink_text(const struct cad_sink *sink);

#endif
