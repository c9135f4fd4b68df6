/*
 * tempo.h - sound faster or slower at the same pitch, through libavfilter's atempo.
 *
 *     cad_tempo_create(&alloc, 48000, 2, &tempo)
 *     cad_tempo_set(tempo, rate_q16)       at any time; what comes out from now on is of that rate
 *     cad_tempo_put(tempo, pcm, n)         sound of the stream's time, in small portions
 *     while ((n = cad_tempo_take(tempo, out, max)) > 0) play      sound of the device's time
 *     cad_tempo_lag(tempo)                 samples that were put and have not come out
 *     cad_tempo_finish(tempo)              nothing follows: take gives the rest
 *     cad_tempo_reset(tempo)               forget what is inside
 *
 * Sample k that comes out belongs to sample k x rate that went in, within the 40 ms by which the
 * filter moves its windows to fit; cad_tempo_lag keeps count over changes of rate. The filter would
 * add those moves up at each change. So a change begins another filter at the exact place, with
 * what has not been heard, and 5 ms of the old one fade out under it. Inside wait at most some 130
 * ms of sound. One thread at a time. The filter's own memory is libavutil's.
 */
#ifndef CAD_MEDIA_TEMPO_H
#define CAD_MEDIA_TEMPO_H

#include <stdint.h>

#include "cadmium/base.h"

#define CAD_TEMPO_ONE 65536u
#define CAD_TEMPO_MIN 32768u        /* 0.5 */
#define CAD_TEMPO_MAX 131072u       /* 2 */
#define CAD_TEMPO_CHANNELS_MAX 32u
#define CAD_TEMPO_PUT_MAX 4096u     /* samples of one put */

struct cad_tempo;

/* pcm is interleaved 32-bit float. CAD_E_INVAL, CAD_E_UNSUPPORTED (no such filter), CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_tempo_create(const struct cad_alloc *alloc, uint32_t rate_hz,
                                    uint32_t channels, struct cad_tempo **out);
/* Accepts NULL, leaves NULL. */
void cad_tempo_destroy(struct cad_tempo **tempo);
/* Clamped to CAD_TEMPO_MIN .. MAX. */
void cad_tempo_set(struct cad_tempo *tempo, uint32_t rate_q16);
/* Copied. CAD_E_INVAL: n is 0 or above CAD_TEMPO_PUT_MAX. CAD_E_NOMEM, CAD_E_UNSUPPORTED: nothing
 * was taken. CAD_E_LIMIT: take first. */
CAD_MUST_CHECK int cad_tempo_put(struct cad_tempo *tempo, const float *pcm, uint32_t n);
/* Writes up to max samples of each channel; how many. 0: put more. */
uint32_t cad_tempo_take(struct cad_tempo *tempo, float *out, uint32_t max);
/* Samples of the stream's time that were put and have not come out: 0 .. */
uint32_t cad_tempo_lag(const struct cad_tempo *tempo);
void cad_tempo_finish(struct cad_tempo *tempo);
void cad_tempo_reset(struct cad_tempo *tempo);

#endif
