/*
 * keys.h - the key machine: sessions of the CDM, licences, which representation can be opened.
 *
 * One session per init data. It is opened in the turn in which the manifest (or an init segment)
 * names the data, beside the requests for headers and media: nothing waits for a key but the sink,
 * and the clock that watches it. A turn looks at what each session lacks and takes the next step.
 */
#ifndef CAD_ENGINE_KEYS_H
#define CAD_ENGINE_KEYS_H

#include "cadmium/engine.h"

#define KEYS_SESSIONS_MAX 16      /* of a title */
#define KEYS_KIDS_MAX 64          /* key ids of a session */
#define KEYS_SYSTEMS_MAX 8        /* systems of a CDM that are looked at */
#define KEYS_INIT_MAX 65536       /* bytes of init data */
#define KEYS_MESSAGE_MAX 40960    /* bytes of a message to the licence service: in an envelope, and
                                     with a URL, it fits into the texts of a turn */
#define KEYS_LICENCE_MAX (256 * 1024) /* bytes of its answer */
#define KEYS_LOST_MAX 3           /* times a session is opened again after it was lost, in */
#define KEYS_LOST_TIME (600 * CAD_SECOND)
#define KEYS_BACK_AFTER (10 * CAD_SECOND) /* a key that was lost can be used again: cdm 9 */
#define KEYS_RENEW_RETRY (30 * CAD_SECOND) /* after asking for more time in vain */

struct cad_engine;
struct cad_fetch_request;
struct rep;
struct slot;

enum key_session_state {
    KEY_SESSION_FREE,
    KEY_SESSION_NEW,              /* to be opened */
    KEY_SESSION_OPENING,          /* OPEN was called */
    KEY_SESSION_OPEN,             /* a request is to be made */
    KEY_SESSION_REQUESTING,       /* REQUEST was called */
    KEY_SESSION_WAITING,          /* a message is out for a licence */
    KEY_SESSION_UPDATING,         /* UPDATE was called */
    KEY_SESSION_ACTIVE,
    KEY_SESSION_DEAD              /* it failed: error tells why */
};

struct key_session {
    enum key_session_state state;
    uint32_t id;                  /* of the CDM; never given twice */
    uint32_t op;                  /* of the call whose DONE is awaited; 0 none */
    enum cad_init_type type;
    uint8_t *init;                /* init_n bytes */
    size_t init_n;
    cad_str url;                  /* DASH: of the ContentProtection; a view into the model */
    bool by_kids;                 /* the CDM wanted key ids instead of the init data */
    uint8_t kids[KEYS_KIDS_MAX][CAD_KEY_ID_SIZE]; /* that are hoped for */
    uint32_t kid_count;
    struct cad_cdm_key keys[KEYS_KIDS_MAX];       /* as the CDM told last */
    uint32_t key_count;
    uint8_t *message;             /* to be sent, or being answered */
    size_t message_n;
    char *message_url;            /* that came with it, NUL-terminated; NULL none */
    size_t message_url_size;
    struct cad_fetch_request *request;
    uint8_t *answer;              /* body; answer_cap bytes; wiped before it is freed */
    size_t answer_n, answer_cap;
    cad_time asked_at;
    cad_time renew_at;            /* CAD_TIME_NONE: never */
    bool hand_tried;              /* a licence that was at hand was given to it */
    uint32_t lost;                /* times it was opened again since lost_since */
    cad_time lost_since;
    bool asked_again;             /* a key had expired; until one is usable */
    bool doubted;                 /* its keys decrypted nothing: it was opened again for that */
    struct cad_error error;       /* of DEAD; NONE else */
};

struct keys_part {
    bool has_cdm;
    uint32_t schemes, init_types;
    uint8_t systems[KEYS_SYSTEMS_MAX][CAD_SYSTEM_ID_SIZE];
    uint32_t system_count;
    uint32_t epoch;               /* of tags: rises with every title */
    uint32_t next_session, next_op;
    struct key_session sessions[KEYS_SESSIONS_MAX];
    uint64_t lanes[CAD_ENGINE_TRACKS]; /* of the slots, that sessions were made for */
    bool dirty;                   /* something changed: look at the representations */
    cad_time back_at;             /* a representation returns with its key; CAD_TIME_NONE never */
    cad_time timer_at;            /* the CDM wants to be called; CAD_TIME_NONE never */
    cad_time hold_since;          /* only a key is missing; CAD_TIME_NONE not */
    bool holding;                 /* at the last turn */
    enum cad_key_status told;     /* last APP event */
    bool told_any;
    struct cad_error sink_stands; /* the sink's word for it, of this title; NONE */
    uint32_t decrypt_fails;       /* samples, since decrypt_since */
    cad_time decrypt_since;
    uint32_t licences, failed;
    cad_time licence_time;        /* CAD_TIME_NONE none yet */
};

void keys_init(struct cad_engine *e);
void keys_stop(struct cad_engine *e);                      /* closes what is open, frees all */
void keys_caps(struct cad_engine *e, const struct cad_cdm_caps *caps);
void keys_take(struct cad_engine *e, const struct cad_cdm_event *event);
/* Another model takes the place of the one that views were kept of. */
void keys_rebind(struct cad_engine *e);
/* A header was read: its tenc and pssh. */
void keys_header(struct cad_engine *e, const struct rep *rep);
void keys_turn(struct cad_engine *e);
cad_time keys_next_wake(const struct cad_engine *e);
/* An encrypted sample was pulled; CAD_TIME_NONE: nothing that is shown came before it. */
void keys_given(struct cad_engine *e, struct slot *s, const uint8_t *kid, cad_time pts);
/* The sink cannot open what it has. True: nobody is told, the key machine sees to it. */
bool keys_sink_fail(struct cad_engine *e, struct cad_error *err);
/* A sink that stands said that it is for a key. */
bool keys_blamed(const struct cad_engine *e, struct cad_error *err);
/* A key is missing for what is to be shown next: the sink cannot go on. */
bool keys_hold(const struct cad_engine *e);
/* A licence is on the way for what is fetched now. */
bool keys_awaited(const struct cad_engine *e);
/* May the representation be opened at all, as far as is known? */
bool keys_can_open(const struct cad_engine *e, const struct cad_track *track,
                   const struct cad_representation *model);
/* Why an init segment cannot be used; NONE. */
enum cad_error_code keys_init_problem(const struct cad_engine *e, const struct rep *rep);
/* Bodies and ends of requests with purpose LICENCE. */
int keys_lease(struct cad_engine *e, const struct cad_fetch_request *request, size_t want,
               uint8_t **data, size_t *capacity);
int keys_commit(struct cad_engine *e, const struct cad_fetch_request *request, size_t n);
void keys_end(struct cad_engine *e, struct cad_fetch_request *request,
              const struct cad_http_end *end);
/* The body of a licence request once more, in the turn's text. */
int keys_post_body(struct cad_engine *e, const struct cad_fetch_request *request, cad_buf *body);
void keys_figures(const struct cad_engine *e, struct cad_service_stats *out);

/* ---- between keys.c and keys_reps.c ---- */
/* It is lost: the same init data again, in a new session (cdm 8). */
void keys_session_again(struct cad_engine *e, struct key_session *s, uint32_t system_code);
/* Does a session hope for, or have, this key? */
bool keys_covers(const struct key_session *s, const uint8_t *kid);
const struct key_session *keys_session_of_kid(const struct cad_engine *e, const uint8_t *kid);
/* A session for it, if there is none. */
void keys_need_kid(struct cad_engine *e, const uint8_t *kid);
/* What opens a representation: of its header's id, or the track's default; the one that the CDM can
 * ask with best. NULL: nothing. */
const struct cad_protection *keys_protection_of(const struct keys_part *k,
                                                const struct cad_track *track,
                                                const struct cad_representation *model);
/* Is a representation that is played opened by one of its keys? */
bool keys_in_use(const struct cad_engine *e, const struct key_session *s);
void keys_lose(struct cad_engine *e);  /* representations whose key will not come */
void keys_return(struct cad_engine *e); /* and those whose key has come back */
void keys_watch(struct cad_engine *e); /* a key is missing for too long */
enum cad_key_status keys_status(const struct cad_engine *e);

/* ---- between keys.c and keys_licence.c ---- */
void keys_ask(struct cad_engine *e, struct key_session *s);    /* WAITING: send its message */
void keys_updated(struct cad_engine *e, struct key_session *s, const struct cad_cdm_event *done);
void keys_answer_wipe(struct cad_engine *e, struct key_session *s);
void keys_session_dead(struct cad_engine *e, struct key_session *s, const struct cad_error *err);
/* UPDATE, its data to be filled in; NULL: no room in this turn. */
struct cad_cdm_call *keys_call_update(struct cad_engine *e, struct key_session *s);

#endif
