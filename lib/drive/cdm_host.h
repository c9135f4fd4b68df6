/*
 * cdm_host.h - the host of a CDM in real time: takes its events from any thread, keeps them in
 * order for the drive thread, and gives it the calls that the engine asks for.
 *
 *     cad_cdm_desk_create(&config, &desk);            the CDM exists from here on
 *     while ((event = cad_cdm_desk_peek(desk)) != NULL) {        the drive thread
 *         if (cad_engine_feed(engine, event)) break;             no room: it waits
 *         cad_cdm_desk_pop(desk);
 *     }
 *     cad_cdm_desk_call(desk, &action.u.cdm);         CAD_ACTION_CDM_CALL
 *     wake = cad_cdm_desk_turn(desk);                 calls that found the CDM busy
 *     cad_cdm_desk_destroy(&desk);                    nobody decrypts any more
 *
 * A call that the CDM refuses is answered by a DONE of our own with its result. One that finds it
 * busy (CAD_E_AGAIN) is kept, with those behind it, and given again until CAD_CDM_BUSY_MAX is over:
 * then its result is that. What the CDM asks
 * to be stored is refused here (nothing was found, nothing can be kept): sessions are temporary.
 */
#ifndef CAD_DRIVE_CDM_HOST_H
#define CAD_DRIVE_CDM_HOST_H

#include "cadmium/engine.h"

#define CAD_CDM_EVENTS_MAX 256         /* that may wait; more are CAD_E_NOMEM to the CDM */
#define CAD_CDM_EVENT_BYTES_MAX (1u << 20) /* of what waits, with data and keys */
#define CAD_CDM_BUSY_MAX (2 * CAD_SECOND)  /* how long a busy CDM is asked again */
#define CAD_CDM_BUSY_LOOK (5 * CAD_MS)     /* how often */
#define CAD_CDM_HELD_MAX 64                /* calls that are kept; more are refused */

struct cad_cdm_desk_config {
    struct cad_alloc alloc;            /* safe for use by several threads */
    struct cad_log log;                /* the same */
    const struct cad_cdm_ops *ops;     /* a constant */
    cad_str key_system;                /* "org.w3.clearkey" */
    /* Any thread, may only signal: there is an event; there are keys, which decrypt knows. */
    void (*wake)(void *ctx);
    void (*keys)(void *ctx);
    void *ctx;
};

struct cad_cdm_desk;

/* The CDM is made as well. CAD_E_INVAL, CAD_E_UNSUPPORTED, CAD_E_NOMEM, CAD_E_IO: what it says. */
CAD_MUST_CHECK int cad_cdm_desk_create(const struct cad_cdm_desk_config *config,
                                       struct cad_cdm_desk **out);
/* Accepts NULL, leaves NULL. Waits for the CDM's own threads. */
void cad_cdm_desk_destroy(struct cad_cdm_desk **desk);

/* The table, without functions that the CDM does not have, and the CDM: for decrypting. */
const struct cad_cdm_ops *cad_cdm_desk_ops(const struct cad_cdm_desk *desk);
struct cad_cdm *cad_cdm_desk_cdm(const struct cad_cdm_desk *desk);

/* The drive thread. */
void cad_cdm_desk_call(struct cad_cdm_desk *desk, const struct cad_cdm_call *call);
/* Gives what was kept. When to be called again; CAD_TIME_NONE: nothing is kept. */
cad_time cad_cdm_desk_turn(struct cad_cdm_desk *desk);
/* The oldest event, whose next is NULL; NULL: none. Valid until it is popped. */
const struct cad_cdm_event *cad_cdm_desk_peek(struct cad_cdm_desk *desk);
void cad_cdm_desk_pop(struct cad_cdm_desk *desk);

#endif
