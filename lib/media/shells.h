/*
 * shells.h - the small objects that own a frame's memory, used again and again.
 *
 * A decoder gives each frame an owner: a shell around what its library lent, or around memory of
 * our own. Shells come from a pool, so that a stream in its stride allocates none:
 *
 *     struct owner { struct cad_shell shell; ...what is lent... };     the shell comes first
 *     cad_shells_create(&alloc, sizeof(struct owner), deinit, &shells)
 *     struct owner *owner = cad_shells_get(shells)     zeroed when new, as it was put when used
 *     cad_shells_put(owner)                            give back what is lent first; any thread
 *     cad_shells_destroy(&shells)                      shells that are out stay valid
 *
 * One thread calls create, get and destroy; that one alone calls the allocator while the pool
 * lives. After destroy the last put frees shell and pool on its own thread.
 */
#ifndef CAD_MEDIA_SHELLS_H
#define CAD_MEDIA_SHELLS_H

#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

/* Shells that lie idle for longer than until the next get: above the frames a sink queues. */
#define CAD_SHELLS_IDLE_MAX 80

struct cad_shells;

/* The first member of an owner. */
struct cad_shell {
    struct cad_shells *pool;
    struct cad_shell *next; /* in the idle list */
};

/*
 * bytes: of one owner, at least sizeof(struct cad_shell). deinit, or NULL, gives back what an owner
 * keeps while it is idle; it is told the pool's allocator. CAD_E_NOMEM.
 */
CAD_MUST_CHECK int cad_shells_create(const struct cad_alloc *alloc, size_t bytes,
                                     void (*deinit)(const struct cad_alloc *alloc, void *owner),
                                     struct cad_shells **out);
/* An owner; NULL: out of memory. */
CAD_MUST_CHECK void *cad_shells_get(struct cad_shells *shells);
/* Any thread. */
void cad_shells_put(void *owner);
/* Accepts NULL, leaves NULL. */
void cad_shells_destroy(struct cad_shells **shells);

#endif
