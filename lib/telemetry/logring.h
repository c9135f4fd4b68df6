/*
 * logring.h - log entries that wait: encoded, in order, bounded by bytes and by number.
 *
 * When it is full the oldest info goes first, then the oldest warn, then the oldest error; entries
 * that are `keep` only when nothing else is left. Memory grows by doubling up to the limits.
 */
#ifndef CAD_TELEMETRY_LOGRING_H
#define CAD_TELEMETRY_LOGRING_H

#include "cadmium/telemetry.h"

struct tel_slot {
    size_t bytes;
    enum cad_severity severity;
    bool keep;
    cad_time at;
};

struct tel_ring {
    struct cad_alloc alloc;
    size_t bytes_max, entries_max;
    char *text;             /* the entries one behind the other, from the oldest; n of cap bytes */
    size_t n, cap;
    struct tel_slot *slots; /* one an entry, count of slot_cap */
    size_t count, slot_cap;
};

void tel_ring_init(struct tel_ring *r, const struct cad_alloc *alloc, size_t bytes, size_t entries);
void tel_ring_deinit(struct tel_ring *r);
/*
 * Append an entry of slot->bytes bytes; older ones may be dropped for it. dropped[severity] counts
 * what was lost, the new one too. CAD_E_LIMIT: nothing less important was there; CAD_E_NOMEM.
 */
int tel_ring_push(struct tel_ring *r, const char *entry, const struct tel_slot *slot,
                  uint64_t dropped[CAD_SEVERITIES]);
/* Take the oldest `count` entries off. */
void tel_ring_pop(struct tel_ring *r, size_t count);

#endif
