/*
 * synth_boxes.h - writes the boxes of a synthesized CMAF file (ISO/IEC 14496-12, -14, -15).
 *
 * A window is a pen that draws a whole box but only leaves ink where its window is: any part of a
 * moof can be had without memory for the rest.
 */
#ifndef CAD_DRIVE_SYNTH_BOXES_H
#define CAD_DRIVE_SYNTH_BOXES_H

#include "cadmium/sim.h"

struct cad_window {
    uint8_t *out;     /* byte `from` goes here */
    int64_t from, to; /* what is wanted: [from, to) */
    int64_t at;       /* where the pen is */
};

/* What the header of a stream says. */
struct cad_synth_header {
    enum cad_media_type type;
    uint32_t timescale;
    int64_t duration_ticks;
    int64_t rate_bps;
    uint32_t width, height;
    uint32_t sample_rate_hz, channels;
    const uint8_t *kid;      /* CAD_KEY_ID_SIZE bytes; NULL: clear */
    const uint8_t *pssh_kids; /* of its pssh: pssh_count of them, one after another */
    uint32_t pssh_count;
};

/* A fragment: one moof and the header of its mdat. Sizes of samples follow from payload. */
struct cad_synth_fragment {
    enum cad_media_type type;
    uint32_t index;          /* from 0 */
    int64_t start_ticks;
    int64_t duration_ticks;
    uint32_t samples;        /* >= 1 */
    int64_t payload;         /* bytes of mdat, >= samples */
};

#define CAD_SYNTH_MOOV_BYTES_MAX 2048 /* ftyp and moov of cad_synth_write_init */

/* Bytes written. w starts at 0 and has room for CAD_SYNTH_MOOV_BYTES_MAX; *moov is the moov. */
int64_t cad_synth_write_init(struct cad_window *w, const struct cad_synth_header *header,
                             struct cad_range *moov);
/* A sidx without its references, which follow one by one. */
int64_t cad_synth_sidx_bytes(uint32_t references);
void cad_synth_write_sidx(struct cad_window *w, uint32_t timescale, uint32_t references);
void cad_synth_write_reference(struct cad_window *w, int64_t bytes, int64_t duration_ticks);
/* moof and mdat header: their length, and the bytes. */
int64_t cad_synth_fragment_head(const struct cad_synth_fragment *f);
void cad_synth_write_fragment(struct cad_window *w, const struct cad_synth_fragment *f);

#endif
