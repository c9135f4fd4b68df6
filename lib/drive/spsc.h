/*
 * spsc.h - samples on their way from the drive thread to the sink's thread: a bounded ring with one
 * producer and one consumer, without locks.
 *
 *     producer                                    consumer
 *     if (cad_spsc_push(&ring, &item) == 1)       item = cad_spsc_peek(&ring);      NULL: empty
 *         wake the consumer;                      if (cad_spsc_pop(&ring)) wake the producer;
 *
 * Each side asks for a wake by finding nothing to do: the consumer by peeking into an empty ring,
 * the producer by pushing into a full one. The producer is woken when half of the ring is free
 * again, so that refilling costs two wakes a ring and not one a sample.
 *
 * An item owns what its sample holds (unlock.h); who pops it takes that over.
 */
#ifndef CAD_DRIVE_SPSC_H
#define CAD_DRIVE_SPSC_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cadmium/engine.h"

struct cad_spsc_item {
    int result;               /* of cad_engine_pull: 0, CAD_E_CONFIG, CAD_E_END */
    struct cad_sample sample; /* with CAD_E_END only its epoch */
};

struct cad_spsc {
    struct cad_alloc alloc;
    struct cad_spsc_item *items;
    uint32_t capacity;        /* a power of two */
    _Atomic uint32_t head;    /* items taken so far; written by the consumer */
    _Atomic uint32_t tail;    /* items put so far; written by the producer */
    _Atomic bool starved;     /* the consumer found it empty */
    _Atomic bool stuffed;     /* the producer found it full */
};

/* capacity: a power of two. CAD_E_NOMEM, CAD_E_INVAL. */
CAD_MUST_CHECK int cad_spsc_init(struct cad_spsc *ring, const struct cad_alloc *alloc,
                                 uint32_t capacity);
/* Drops what is in it. When both threads are done with it; also after a failed init. */
void cad_spsc_deinit(struct cad_spsc *ring);

/* Producer. True if an item would not fit now; the consumer then says when it does. */
bool cad_spsc_full(struct cad_spsc *ring);
/* Producer. 0; 1: the consumer waits for it, wake it; CAD_E_LIMIT: full. */
CAD_MUST_CHECK int cad_spsc_push(struct cad_spsc *ring, const struct cad_spsc_item *item);
/* Consumer. The oldest item, NULL when there is none; valid until it is popped. */
const struct cad_spsc_item *cad_spsc_peek(struct cad_spsc *ring);
/* Consumer. Drops the oldest item without touching its references. True: wake the producer. */
bool cad_spsc_pop(struct cad_spsc *ring);

#endif
