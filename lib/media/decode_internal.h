/*
 * decode_internal.h - what the media room knows of a decoder beside cadmium/decode.h.
 *
 * A backend (libavcodec.c, dav1d.c) carries a picture's pts through its reordering and no more: the
 * dispatcher in decode.c remembers epoch, duration, flags and rung of each sample it sent, and
 * finds them again by pts. So backends stay small and treat those fields alike.
 */
#ifndef CAD_MEDIA_DECODE_INTERNAL_H
#define CAD_MEDIA_DECODE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/decode.h"

#define CAD_DECODE_EXTRA_MAX (64u << 10)  /* bytes of a configuration record */
#define CAD_DECODE_SAMPLE_MAX (64u << 20) /* bytes of an access unit */
#define CAD_DECODE_INFLIGHT_MAX 64        /* samples remembered: above 16 reordered + 16 threads */
#define CAD_DECODE_THREADS_MAX 16         /* threads of one decoder */
#define CAD_DECODE_THREADS_AUTO 4         /* most that are taken when the caller lets us choose */
#define CAD_DECODE_CHANNELS_MAX 32        /* channels of sound */

/* As cad_decoder_open, but `own`, or NULL, is asked before the shipped decoders. */
CAD_MUST_CHECK int cad_decoder_open_with(const struct cad_alloc *alloc,
                                         const struct cad_decoder_ops *own,
                                         const struct cad_stream_config *config, uint32_t threads,
                                         struct cad_decoder **out);
/* Access units that were sent, are to be shown, and have not come out. Broken ones, which never
 * will, count until 64 others were sent. */
uint32_t cad_decoder_pending(const struct cad_decoder *decoder);
/* True if the open decoder may go on with samples of this configuration. */
bool cad_decoder_fits(const struct cad_decoder *decoder, const struct cad_stream_config *config);
/* Samples sent from now on belong to this rung. */
void cad_decoder_set_rung(struct cad_decoder *decoder, uint32_t rung);

#endif
