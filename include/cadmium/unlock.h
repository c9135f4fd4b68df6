/*
 * unlock.h - between an engine, which hands out samples as they came, and a sink, which takes them
 * in the clear: decrypts one sample at a time, on the sink's thread. Both drives use it, and so
 * does whoever drives an engine himself.
 *
 *     cad_unlock_create(&alloc, ops, cdm, &unlock);        ops NULL: there is no CDM
 *     int rc = cad_unlock_sample(unlock, slot, &sample);   clear samples pass as they are
 *     if (cad_unlock_take_fail(unlock, &fail)) ...         goes up as a report of the sink does
 *     cad_unlock_destroy(&unlock);                         before the CDM is destroyed
 *
 * A sample's bytes lie in a segment's buffer that is kept for seeking back: they stay encrypted,
 * and what is decrypted goes into a buffer of its own, from a pool of the sink's thread. What
 * cannot be decrypted is never handed on. A sample whose key is not usable stays where it is, and
 * so does everything behind it; whoever tells of new keys (an event KEYS) wakes the sink's thread.
 * A sample that is damaged is dropped, and behind a picture all those up to the next one that
 * decoding can begin with. What the viewer would have to know is told once, until a sample of that
 * slot is decrypted again; a damaged sample is told each time.
 */
#ifndef CADMIUM_UNLOCK_H
#define CADMIUM_UNLOCK_H

#include <stdbool.h>

#include "cadmium/actions.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_UNLOCK_IDLE_BYTES (1u << 20) /* of buffers that are kept to be used again */

struct cad_unlock;

/* The CDM outlives it and is one that ops has made; both may be NULL. *out is the caller's.
 * CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_unlock_create(const struct cad_alloc *alloc, const struct cad_cdm_ops *ops,
                                     struct cad_cdm *cdm, struct cad_unlock **out);
/* Accepts NULL, leaves NULL. Samples that were handed out stay valid. */
void cad_unlock_destroy(struct cad_unlock **unlock);

/*
 * slot < CAD_ENGINE_SLOTS. 0: *sample is clear, crypt and crypt_ref are gone; of a HOLE only the
 * key was looked at. CAD_E_AGAIN: *sample is as it was: no key yet, or no way to use it, or no
 * memory; keep it and everything behind it, and ask again. CAD_E_DATA: the sample was damaged, or
 * follows a damaged one, and is released; go on with the next. Waits as long as the CDM's decrypt
 * does.
 */
CAD_MUST_CHECK int cad_unlock_sample(struct cad_unlock *unlock, uint32_t slot,
                                     struct cad_sample *sample);
/* What failed since the last call; false: nothing. Look after each cad_unlock_sample. */
bool cad_unlock_take_fail(struct cad_unlock *unlock, struct cad_sink_fail *out);

/* Samples so far. */
struct cad_unlock_counts {
    uint64_t decrypted; /* and holes whose key was there */
    uint64_t dropped;   /* damaged, or of no use without one that was */
};
/* A copy of the counts. */
void cad_unlock_counts(const struct cad_unlock *unlock, struct cad_unlock_counts *out);

/* Drops what a sample holds: its bytes and how they are encrypted. Any thread that owns it. */
void cad_sample_release(struct cad_sample *sample);

#ifdef __cplusplus
}
#endif
#endif
