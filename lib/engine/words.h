/*
 * words.h - timed text of a session: which track is shown, its document fetched whole, given out
 * through the slot CAD_SLOT_TEXT.
 *
 * A document belongs to a period. What is stored is what was wished for (off, a language, a track
 * by what it is) and what there is: the documents of the viewer's period and, near its end, of the
 * one behind it, and what the sink should have. A document is given out once an epoch (a flush
 * makes a sink forget it) and when another takes its place; until the one of another track is
 * whole the old one goes on. Losing text never stops playback: an ERROR of class degraded tells it.
 */
#ifndef CAD_ENGINE_WORDS_H
#define CAD_ENGINE_WORDS_H

#include "base/ref.h"
#include "cadmium/engine.h"

#define WORDS_BYTES_MAX (16 * 1024 * 1024) /* of a document; and a share of the ceiling */
#define WORDS_BYTES_GUESS (64 * 1024)      /* of one whose size nobody tells */
#define WORDS_AHEAD (10 * CAD_SECOND)      /* before a period ends the next one's is asked for */

struct cad_engine;
struct cad_fetch_request;

enum words_wish {
    WORDS_BY_LANGUAGE,                /* of the configuration; none if that is empty */
    WORDS_OFF,
    WORDS_CHOSEN                      /* by a command: words_part.id, lang, role, forced */
};

/* What is to be shown in a period. */
struct words_document {
    bool used;                        /* it was looked at what the period has */
    uint32_t period;
    const struct cad_track *track;    /* NULL: nothing is to be shown */
    const struct cad_representation *model; /* of track, that is fetched; NULL with track only */
    struct cad_fetch_request *request;
    struct cad_ref *ref;              /* being filled, or whole; NULL no space yet */
    size_t have;                      /* bytes of it */
    bool whole;
    bool lost;                        /* could not be had; not asked for again in this period */
    uint64_t servers_lost;            /* bits of servers that answered 404 */
    uint32_t mismatches;              /* bodies of another size than the manifest tells */
};

struct words_part {
    enum words_wish wish;
    char id[CAD_TRACK_ID_SIZE];       /* of the track that was chosen */
    char lang[24], role[32];          /* the same */
    bool forced;                      /* the same */
    struct words_document now, next;  /* of the viewer's period, of the one behind it */
    bool open;                        /* the slot has, or will have, something to say */
    struct cad_ref *shown;            /* that the sink should have; NULL: none */
    uint32_t shown_period;            /* its period */
    cad_time pts, duration;           /* of it */
    char shown_id[CAD_TRACK_ID_SIZE]; /* its track, as the application was told; empty: none */
    char shown_lang[24];              /* its language */
    bool pending;                     /* the sink has not been given what `shown` says ... */
    uint32_t given_epoch;             /* ... in this epoch */
    bool config_given;                /* its configuration was pulled, the document not yet */
};

void words_stop(struct cad_engine *e);                     /* the title is dropped */
/* The command names a track of text (true: taken), or no track at all. */
bool words_choose(struct cad_engine *e, const struct cad_command *command);
void words_rebind(struct cad_engine *e, const struct cad_presentation *fresh);
void words_turn(struct cad_engine *e);                     /* after the plan: headers go first */
cad_time words_next_wake(const struct cad_engine *e);
/* Bodies and ends of requests with purpose TEXT. */
int words_lease(struct cad_engine *e, const struct cad_fetch_request *request, size_t want,
                uint8_t **data, size_t *capacity);
int words_commit(struct cad_engine *e, const struct cad_fetch_request *request, size_t n);
void words_end(struct cad_engine *e, struct cad_fetch_request *request,
               const struct cad_http_end *end);
int words_pull(struct cad_engine *e, struct cad_sample *out);
bool words_present(const struct cad_engine *e);            /* the slot will deliver samples */
bool words_wanting(const struct cad_engine *e);            /* a document is still to come */
/* Can a track of text be shown here? */
bool words_playable(const struct cad_engine *e, const struct cad_track *track);
/* Is it what a period shows? */
bool words_selected(const struct cad_engine *e, uint32_t period, const struct cad_track *track);
void words_figures(const struct cad_engine *e, struct cad_service_stats *out);

#endif
