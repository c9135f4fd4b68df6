#include "telemetry/logring.h"

#include <string.h>

#include "base/mem.h"
#include "base/util.h"

#define TEXT_FIRST 4096  /* bytes of the first memory */
#define SLOTS_FIRST 64
#define ROOM_SHARE 8     /* a full ring makes an eighth of itself free at once: a move costs */
#define LEVELS 4         /* info, warn, error, keep */

void tel_ring_init(struct tel_ring *r, const struct cad_alloc *alloc, size_t bytes, size_t entries)
{
    *r = (struct tel_ring){.alloc = *alloc, .bytes_max = bytes, .entries_max = entries};
}

void tel_ring_deinit(struct tel_ring *r)
{
    if (!r->alloc.fn) return;
    cad_alloc_free(&r->alloc, r->text, r->cap, CAD_MEM_SESSION);
    cad_alloc_free(&r->alloc, r->slots, r->slot_cap * sizeof(*r->slots), CAD_MEM_SESSION);
    tel_ring_init(r, &r->alloc, r->bytes_max, r->entries_max);
}

static unsigned level_of(const struct tel_slot *s)
{
    return s->keep ? LEVELS - 1 : (unsigned)s->severity;
}

/*
 * Drops the oldest entries of a level until at most bytes_keep and entries_keep are left; one pass
 * over the ring.
 */
static void drop_level(struct tel_ring *r, unsigned level, size_t bytes_keep, size_t entries_keep,
                       uint64_t dropped[CAD_SEVERITIES])
{
    size_t from = 0, to = 0, kept = 0, n = r->n, count = r->count;
    for (size_t i = 0; i < r->count; i++) {
        struct tel_slot slot = r->slots[i];
        bool full = n > bytes_keep || count > entries_keep;
        if (full && level_of(&slot) == level) {
            n -= slot.bytes;
            count--;
            dropped[slot.severity]++;
        } else {
            if (to != from) memmove(r->text + to, r->text + from, slot.bytes);
            to += slot.bytes;
            r->slots[kept++] = slot;
        }
        from += slot.bytes;
    }
    r->n = to;
    r->count = kept;
}

/* Makes room for an entry at the cost of those that are not more important. */
static bool make_room(struct tel_ring *r, const struct tel_slot *slot,
                      uint64_t dropped[CAD_SEVERITIES])
{
    if (slot->bytes > r->bytes_max) return false;
    size_t bytes_keep = r->bytes_max - slot->bytes;
    size_t entries_keep = r->entries_max - 1;
    for (unsigned level = 0; level <= level_of(slot); level++) {
        if (r->n <= bytes_keep && r->count <= entries_keep) return true;
        drop_level(r, level, bytes_keep - bytes_keep / ROOM_SHARE,
                   entries_keep - entries_keep / ROOM_SHARE, dropped);
    }
    return r->n <= bytes_keep && r->count <= entries_keep;
}

/* Memory of at least `want` of `size` each, doubled up to `most`. */
static bool grow(struct tel_ring *r, void **p, size_t *cap, size_t want, size_t size)
{
    size_t most = size == 1 ? r->bytes_max : r->entries_max;
    size_t next = *cap ? *cap : size == 1 ? TEXT_FIRST : SLOTS_FIRST;
    if (want <= *cap) return true;
    while (next < want) next *= 2;
    next = CAD_MIN(next, most);
    void *moved = cad_alloc_resize(&r->alloc, *p, *cap * size, next * size, CAD_MEM_SESSION);
    if (!moved) return false;
    *p = moved;
    *cap = next;
    return true;
}

int tel_ring_push(struct tel_ring *r, const char *entry, const struct tel_slot *slot,
                  uint64_t dropped[CAD_SEVERITIES])
{
    int err = CAD_E_LIMIT;
    if (!make_room(r, slot, dropped)) goto fail;
    err = CAD_E_NOMEM;
    void *text = r->text, *slots = r->slots;
    bool grown = grow(r, &text, &r->cap, r->n + slot->bytes, 1);
    r->text = text;
    grown = grown && grow(r, &slots, &r->slot_cap, r->count + 1, sizeof(*r->slots));
    r->slots = slots;
    if (!grown) goto fail;
    memcpy(r->text + r->n, entry, slot->bytes);
    r->n += slot->bytes;
    r->slots[r->count++] = *slot;
    return 0;
fail:
    dropped[slot->severity]++;
    return err;
}

void tel_ring_pop(struct tel_ring *r, size_t count)
{
    size_t bytes = 0;
    count = CAD_MIN(count, r->count);
    for (size_t i = 0; i < count; i++) bytes += r->slots[i].bytes;
    if (count == 0) return;
    memmove(r->text, r->text + bytes, r->n - bytes);
    memmove(r->slots, r->slots + count, (r->count - count) * sizeof(*r->slots));
    r->n -= bytes;
    r->count -= count;
}
