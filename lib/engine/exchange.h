/*
 * exchange.h - requests around playback whose owners have retry rules of their own: probes, events
 * of record, logs.
 *
 * They are in no request table and no byte budget, choose no server and touch no media. Their ids
 * have EXCHANGE_BIT set, so that what comes of them is told from media at the door, and a session
 * without them gives its media the same ids. Owners (probes.c, facts.c) name theirs by numbers of
 * their own. Redirects are not followed: to them such an answer is a failure.
 */
#ifndef CAD_ENGINE_EXCHANGE_H
#define CAD_ENGINE_EXCHANGE_H

#include "cadmium/engine.h"

#define ENGINE_EXCHANGES_MAX 16       /* at a time */
#define EXCHANGE_BIT 0x80000000u      /* of the ids of requests that are exchanges */
#define EXCHANGE_PROBE_BIT 0x40000000u /* and of those that are probes: a run of them has the same
                                          ids whatever else is told or not */
#define EXCHANGE_KEPT_MAX 65536       /* bytes of a body that can be kept */
#define EXCHANGE_ACTIONS 24           /* left free for others by one that begins */
#define EXCHANGE_AHEAD (10 * CAD_SECOND) /* media in hand that leaves the link to others */

/* What is to be asked. */
struct exchange_ask {
    enum cad_purpose purpose;         /* PROBE, EVENT or LOG: tells who owns it */
    uint32_t owner;                   /* the owner's number for it, not 0 */
    cad_str url;
    bool post;                        /* with body, else GET */
    cad_buf body;                     /* not copied: lives until the exchange is over */
    const struct cad_header *headers; /* the same */
    uint32_t header_count;
    int64_t size_max;                 /* a longer answer ends in TOO_LARGE */
    size_t keep;                      /* bytes of the answer that the owner wants to see */
    cad_time connect_timeout, timeout; /* durations; the whole exchange ends in TIMEOUT after it */
    uint32_t priority, group;         /* as of a cad_http_start */
    enum cad_address_class address_max;
};

/* How it ended, as its owner is told: views are valid during the call. */
struct exchange_answer {
    enum cad_purpose purpose;
    uint32_t owner;
    const struct cad_http_end *end;
    int32_t status;                   /* of HTTP; 0: no head came */
    cad_time retry_after;             /* CAD_TIME_NONE none */
    cad_str limits;                   /* header x-ichnaea; cut at 255 bytes */
    cad_buf body;                     /* what was kept */
};

struct exchange;                      /* one of them */

struct exchange_part {
    struct exchange *live;            /* ENGINE_EXCHANGES_MAX places; NULL before the first */
    uint32_t next_id, next_probe_id;
};

struct cad_engine;

/* CAD_E_LIMIT: no place. CAD_E_AGAIN: no room in this turn. CAD_E_INVAL: a URL that is not asked.
 * CAD_E_NOMEM. */
CAD_MUST_CHECK int exchange_start(struct cad_engine *e, const struct exchange_ask *ask);
/* Nothing more is told of it; owner 0: of none with the purpose. */
void exchange_cancel(struct cad_engine *e, enum cad_purpose purpose, uint32_t owner);
void exchanges_drop(struct cad_engine *e); /* all, with their memory */
/* Media does not need the link now: nothing plays, or enough is in hand. */
bool exchange_link_spare(struct cad_engine *e);

static inline bool exchange_is(uint32_t id)
{
    return (id & EXCHANGE_BIT) != 0;
}

/* The doors of the engine, for ids that are exchanges. */
void exchange_head(struct cad_engine *e, const struct cad_http_head *head);
int exchange_lease(struct cad_engine *e, uint32_t id, size_t want, uint8_t **data,
                   size_t *capacity);
int exchange_commit(struct cad_engine *e, uint32_t id, size_t n);
void exchange_mark_end(struct cad_engine *e, uint32_t id);
void exchange_end(struct cad_engine *e, const struct cad_http_end *end);
void exchange_turn(struct cad_engine *e);                  /* time-outs */
cad_time exchange_next_wake(const struct cad_engine *e);

#endif
