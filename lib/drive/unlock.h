/*
 * unlock.h - between an engine, which hands out samples as they came, and a sink, which takes them
 * in the clear: decrypts one sample at a time on the sink's thread. Both drives use it.
 *
 *     cad_unlock_init(&unlock, &alloc, ops, cdm);          ops NULL: there is no CDM
 *     int rc = cad_unlock(&unlock, slot, &sample);         clear samples pass as they are
 *     if (cad_unlock_take_fail(&unlock, &fail)) ...        goes up as a report of the sink does
 *     cad_unlock_deinit(&unlock);                          before the CDM is destroyed
 *
 * A sample's bytes lie in a segment's buffer that is kept for seeking back: they stay encrypted,
 * and what is decrypted goes into a buffer of its own, from a pool of the sink's thread. What
 * cannot be decrypted is never handed on. A sample whose key is not usable stays where it is, and
 * so does everything behind it; whoever tells of new keys (an event KEYS) wakes the sink's thread.
 * A sample that is damaged is dropped. What the viewer would have to know is told once, until a
 * sample of that slot is decrypted again; a damaged sample is told each time.
 */
#ifndef CAD_DRIVE_UNLOCK_H
#define CAD_DRIVE_UNLOCK_H

#include <stdbool.h>

#include "cadmium/engine.h"

#define CAD_UNLOCK_IDLE_BYTES (1u << 20) /* of buffers that are kept to be used again */

struct cad_pool;

struct cad_unlock {
    const struct cad_cdm_ops *ops;  /* a table that was taken (drm/table.h); NULL: there is none */
    struct cad_cdm *cdm;            /* NULL with ops */
    struct cad_pool *pool;          /* of decrypted samples */
    struct cad_sink_fail fail;      /* the last, not taken yet; error NONE: none */
    enum cad_error_code told[CAD_ENGINE_SLOTS]; /* why a slot stands; NONE: it does not */
    uint64_t decrypted, dropped;    /* samples */
};

/* The table and the CDM outlive it; both may be NULL. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_unlock_init(struct cad_unlock *unlock, const struct cad_alloc *alloc,
                                   const struct cad_cdm_ops *ops, struct cad_cdm *cdm);
/* Buffers that were handed out stay valid. Also after a failed or no init of zeroed memory. */
void cad_unlock_deinit(struct cad_unlock *unlock);

/*
 * 0: *sample is clear, crypt and crypt_ref are gone; of a HOLE only the key was looked at.
 * CAD_E_AGAIN: *sample is as it was: no key yet, or no way to use it, or no memory; keep it and
 * everything behind it, and ask again. CAD_E_DATA: the sample was damaged and is released; go on
 * with the next.
 */
CAD_MUST_CHECK int cad_unlock(struct cad_unlock *unlock, uint32_t slot, struct cad_sample *sample);
/* What failed since the last call; false: nothing. Look after each cad_unlock. */
bool cad_unlock_take_fail(struct cad_unlock *unlock, struct cad_sink_fail *out);

/* Drops what a sample holds: its bytes and how they are encrypted. */
void cad_sample_release(struct cad_sample *sample);

#endif
