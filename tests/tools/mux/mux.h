/*
 * mux.h - protects a fragmented MP4 by common encryption (ISO/IEC 23001-7), for tests.
 *
 *     mux_open(&mux, &options, file);
 *     mux_header(mux, &out);                          ftyp, moov, sidx
 *     while ((rc = mux_fragment(mux, &out)) == 0) {}  moof and mdat, one after another
 *     mux_index(mux, &index);                         the sidx as it must be
 *     mux_close(&mux);
 *
 * The file is as scripts/make-title.sh makes it: one track, moov and sidx at the front, each
 * reference whole fragments, offsets that count from the moof. Sizes of fragments grow, so the sidx
 * that mux_header writes has to be replaced by that of mux_index, which is as long, at the end.
 */
#ifndef MUX_H
#define MUX_H

#include "base/strbuf.h"
#include "cadmium/cdm.h"

#define MUX_KIDS_MAX 16
#define MUX_MESSAGE_MAX 120

struct mux_options {
    enum cad_scheme scheme;      /* CENC or CBCS */
    uint8_t kid[CAD_KEY_ID_SIZE], key[16];
    uint64_t iv_seed;            /* IVs follow from it */
    uint8_t pssh_kids[MUX_KIDS_MAX][CAD_KEY_ID_SIZE]; /* that the pssh names; */
    uint32_t pssh_kid_count;     /* 0: kid alone */
};

struct mux;

/* The file is borrowed for life. CAD_E_DATA, CAD_E_UNSUPPORTED, CAD_E_NOMEM; message says what is
 * wrong (MUX_MESSAGE_MAX bytes). */
CAD_MUST_CHECK int mux_open(const struct mux_options *options, cad_buf file, struct mux **out,
                            char *message);
void mux_close(struct mux **mux);
/* Appends. Failures as of mux_open; mux_message tells. */
CAD_MUST_CHECK int mux_header(struct mux *mux, struct cad_sb *out);
/* Appends the next fragment. CAD_E_END: there is none. */
CAD_MUST_CHECK int mux_fragment(struct mux *mux, struct cad_sb *out);
/* After the last fragment: the sidx, and where in the new file it stands. */
CAD_MUST_CHECK int mux_index(struct mux *mux, struct cad_sb *out, int64_t *offset);
const char *mux_message(const struct mux *mux);

#endif
