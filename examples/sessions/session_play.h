/*
 * session_play.h - plays a drawn session, and tells what came of it.
 */
#ifndef SESSION_PLAY_H
#define SESSION_PLAY_H

#include "sessions/session_plan.h"

/* What came of a session. */
struct session_outcome {
    bool ended;
    enum cad_error_code error; /* fatal; NONE: none */
    const char *broken;        /* what must never be; NULL: nothing. A literal */
    int failure;               /* of the simulation itself; 0 none */
    cad_time played;           /* virtual time, over both lives */
    cad_time startup;          /* of the first life; CAD_TIME_NONE: no picture */
    cad_time stall_time;       /* of all lives */
    uint32_t stalls;
    uint64_t bytes;            /* of media */
    uint64_t hash;             /* of the decisions of the last life, when it was over */
    uint64_t events;           /* of record, made */
    uint64_t held, repeated;   /* at the service; arrivals of what was held already */
    uint64_t logs, logs_held;  /* entries made, and at the service */
    uint32_t licences, documents, probes;
    bool killed;               /* there were two lives */
};

/* How it is played. */
struct session_how {
    bool quiet;                /* without reports and probes, and nothing else changed */
    struct cad_log log;        /* may be off */
    struct cad_tape_recorder *tape; /* of the first life; NULL: none */
};

void session_play(const struct plan *plan, const struct session_how *how,
                  struct session_outcome *out);

#endif
