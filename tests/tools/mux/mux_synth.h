/*
 * mux_synth.h - a stream of a synthesized title as a file whose payload can be taken apart: samples
 * of pictures are one slice each, of bytes that tell where they stand; and the same protected.
 */
#ifndef MUX_SYNTH_H
#define MUX_SYNTH_H

#include "cadmium/sim.h"
#include "mux.h"

/* Appends the whole clear file of a stream to `clear`. CAD_E_NOMEM, CAD_E_DATA. */
CAD_MUST_CHECK int mux_synth_clear(const struct cad_synth *synth, uint32_t stream,
                                   struct cad_sb *clear);
/* Appends a clear file, protected. Results as of mux_open. */
CAD_MUST_CHECK int mux_synth_protect(const struct mux_options *options, cad_buf clear,
                                     struct cad_sb *out);

#endif
