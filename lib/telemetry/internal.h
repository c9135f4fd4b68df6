/*
 * internal.h - the object behind telemetry.h, shared by the files of this room.
 *
 * Everything is level-triggered: what is to be done follows from the journals, the batches and the
 * lists of keys as they are; what is under way is the id of its order, 0 when it is not.
 */
#ifndef CAD_TELEMETRY_INTERNAL_H
#define CAD_TELEMETRY_INTERNAL_H

#include "base/arena.h"
#include "base/jsonw.h"
#include "base/rand.h"
#include "cadmium/telemetry.h"

#include "telemetry/logring.h"
#include "telemetry/qoe.h"
#include "telemetry/record.h"

#define TEL_KEY_SIZE 65              /* with the NUL */
#define TEL_URL_MAX 4096             /* bytes of a URL with its query */
#define TEL_CONFIG_TEXT_MAX 2048     /* bytes of a URL of the configuration */
#define TEL_OWED_MAX 32              /* events that could not be made yet */
#define TEL_BATCHES_MADE 4           /* batches in memory */
#define TEL_BATCHES_MAX 12           /* and with the halves of those that were too large */
#define TEL_LOGS_STORED_MAX 90       /* batches kept in the store, oldest out */
#define TEL_LOG_KEEP_S (7 * 86400)   /* and for so long */
#define TEL_EVENT_KEEP_MS INT64_C(86400000) /* an event that nobody takes */
#define TEL_STORE_SLOW (2 * CAD_SECOND) /* an event does not wait longer for the store */
#define TEL_STORE_AGAIN (5 * CAD_SECOND) /* after a put that failed */
#define TEL_LIST_AGAIN (30 * CAD_SECOND) /* after a list that failed */
#define TEL_LEFTOVER_WAIT (15 * CAD_SECOND) /* leftovers do not meet a start */
#define TEL_DUP_SLOTS 32             /* (code, where) pairs remembered */
#define TEL_LOG_BURST 200            /* entries at once */
#define TEL_LOG_PER_SECOND 20        /* entries on average */

/* An event that is to be made, with what it was at its time. */
struct tel_owed {
    enum tel_event_type type;
    cad_time at;
    cad_time position, from, to;
    enum cad_play_state state;
    uint32_t rate_q16;
    int32_t error;
    char reason[64]; /* of stop; action of engage */
};

/* A playback whose events are not all acknowledged, or that runs. */
struct tel_journal {
    bool used, current;
    struct tel_journal_data d;
    char key[TEL_KEY_SIZE];
    uint64_t version;         /* of d; rises with each change that must be kept */
    uint64_t stored;          /* the version that is durable; 0 none */
    bool gone;                /* deleted, or never stored: nothing of it is in the store */
    uint32_t put_id, del_id, http_id;
    uint64_t put_version;     /* of the put under way */
    cad_time put_since;       /* of the put under way */
    cad_time put_after;       /* not sooner */
    bool put_failed;          /* the last one did: events do not wait for the store */
    uint32_t del_failures;
    cad_time send_after;      /* not sooner */
    struct cad_sb put, url, wire;
};

/* A batch of log entries. */
struct tel_batch {
    bool used, leftover;      /* leftover: read back from the store */
    uint64_t order;           /* the smallest goes first */
    char key[TEL_KEY_SIZE];
    uint8_t reqid[TEL_REQID_BYTES];
    uint32_t entries, attempts;
    uint32_t tries;           /* attempts of this process since the last spill */
    bool gzip, stored, done;
    bool put_tried;           /* it is not tried again: a log may be lost */
    cad_time made_at, first_at; /* of its first try; CAD_TIME_NONE none */
    cad_time send_after, put_since;
    uint32_t put_id, del_id, http_id;
    struct cad_sb raw;        /* [entries]; empty for a leftover */
    struct cad_sb body;       /* as sent */
    struct cad_sb record, url;
};

/* Keys in the store that were not looked at yet. */
struct tel_keys {
    const char *prefix;
    uint32_t list_id;
    bool listed, more;
    cad_time list_after;
    uint32_t count, next;
    char keys[CAD_TELEMETRY_KEYS_MAX][TEL_KEY_SIZE];
    uint32_t busy_id;         /* get or delete under way */
    bool deleting;            /* it is a delete of keys[next] */
};

struct tel_dup {
    uint64_t hash;
    cad_time at;
    uint32_t count;           /* since then */
};

struct cad_telemetry {
    struct cad_alloc alloc;
    struct cad_arena arena;   /* texts of the configuration */
    char log_url[TEL_CONFIG_TEXT_MAX + 1]; /* the one that was told later */
    struct cad_telemetry_config config;
    struct cad_rng rng;
    cad_time now;             /* the latest time told */
    bool wall_known;
    int64_t wall_offset_ms;
    uint32_t next_id;
    uint8_t entropy[CAD_TELEMETRY_ENTROPY_MAX];
    size_t entropy_n;
    uint32_t entropy_id;
    bool seeded;              /* the generator has had real randomness */
    char app_id[24];          /* empty until the first use */
    int64_t app_started_s;

    /* the playback */
    bool playing;             /* there is one, and it has not ended */
    bool paused;              /* as the viewer wants it */
    struct tel_play play;
    struct tel_text xid, title, video, audio, text;
    struct tel_link link;
    bool autoplay;
    int64_t play_wall_ms;
    cad_time position;
    cad_time seek_from, seek_to;
    struct tel_owed owed[TEL_OWED_MAX];
    uint32_t owed_count;
    struct tel_journal journals[CAD_TELEMETRY_PLAYBACKS_MAX];
    struct tel_journal *journal; /* of the playback; NULL: none yet */
    uint64_t journal_seq;
    struct cad_telemetry_stop stop;

    /* logs */
    struct tel_ring ring;
    struct cad_sb scratch;    /* one entry, or the body of an event */
    struct cad_sb common;     /* members that all entries share */
    uint64_t log_seq, batch_seq;
    bool logs_off, flush, urgent;
    int64_t tokens_milli;     /* of the rate limit, thousandths of an entry */
    cad_time tokens_at;
    int64_t send_bytes;       /* may be sent; negative: too many were */
    cad_time send_bytes_at;
    int64_t limit_left;       /* entries the service takes until limit_until; -1 no limit */
    cad_time limit_until;
    struct tel_dup dups[TEL_DUP_SLOTS];
    struct tel_batch batches[TEL_BATCHES_MAX];
    uint64_t batch_order;
    uint64_t drop_told[CAD_SEVERITIES]; /* of entries_dropped, by telemetrydrop */

    struct tel_keys journal_keys, log_keys;
    struct cad_telemetry_stats stats;
};

/* ---- telemetry.c ---- */
uint32_t tel_next_id(struct cad_telemetry *t);
/* 16 bytes of the pool; CAD_E_AGAIN: too few are there. */
CAD_MUST_CHECK int tel_reqid(struct cad_telemetry *t, uint8_t out[TEL_REQID_BYTES]);
int64_t tel_wall_ms(const struct cad_telemetry *t, cad_time at); /* 0 unknown */
const char *tel_app_id(struct cad_telemetry *t);
bool tel_has_store(const struct cad_telemetry *t);

/* ---- body.c: texts of requests ---- */
/* The body of an event into t->scratch. */
CAD_MUST_CHECK int tel_event_body(struct cad_telemetry *t, const struct tel_journal *j,
                                  const struct tel_owed *o, uint32_t seq);
/* Body of the stop of a journal that was left over. */
CAD_MUST_CHECK int tel_recovered_body(struct cad_telemetry *t, const struct tel_journal *j);
/* Members that all events of the playback share, into j->d.fixed. */
CAD_MUST_CHECK int tel_event_fixed(struct cad_telemetry *t, struct tel_journal_data *d);
const char *tel_event_name(enum tel_event_type type);

struct tel_url_parts {
    cad_str base, name, title;
    const uint8_t *reqid;
    uint32_t attempt;
};
CAD_MUST_CHECK int tel_url_write(const struct cad_telemetry *t, const struct tel_url_parts *parts,
                                 struct cad_sb *out);

/* ---- encode.c: JSON that events and logs share ---- */
void tel_json_ms(struct cad_jsonw *w, const char *key, cad_time v); /* negative: null */
void tel_json_play_times(struct cad_jsonw *w, const struct cad_qoe *q);
void tel_json_qoe(struct cad_jsonw *w, const struct cad_qoe *q);
void tel_json_text(struct cad_jsonw *w, const char *key, cad_str v); /* redacted */
void tel_hex(const uint8_t reqid[TEL_REQID_BYTES], char out[33]);

/* ---- journal.c: events of record ---- */
void tel_owe(struct cad_telemetry *t, const struct tel_owed *o);
/* Make the events that are owed, as far as memory and randomness allow. */
void tel_journal_turn(struct cad_telemetry *t);
/* A journal from the store; err: CAD_E_NOMEM keeps its key for later. */
CAD_MUST_CHECK int tel_journal_load(struct cad_telemetry *t, const char *key, cad_buf value);
bool tel_journal_has_key(const struct cad_telemetry *t, const char *key);
bool tel_journal_has_room(const struct cad_telemetry *t);
int tel_journal_poll(struct cad_telemetry *t, struct cad_telemetry_order *order);
int tel_journal_http(struct cad_telemetry *t, uint32_t id, const struct cad_telemetry_answer *a);
int tel_journal_stored(struct cad_telemetry *t, uint32_t id, int result);
cad_time tel_journal_wake(const struct cad_telemetry *t);
void tel_journal_deinit(struct cad_telemetry *t);

/* ---- log.c, logfacts.c, logsend.c ---- */
/* Begin an entry in t->scratch; false: it is not to be written. Close it with tel_log_end. */
bool tel_log_begin(struct cad_telemetry *t, struct cad_jsonw *w, const char *type,
                   enum cad_severity severity);
void tel_log_end(struct cad_telemetry *t, struct cad_jsonw *w, enum cad_severity severity,
                 bool keep);
bool tel_log_repeated(struct cad_telemetry *t, const struct cad_fact *fact, uint32_t *count);
CAD_MUST_CHECK int tel_log_common(struct cad_telemetry *t);
void tel_log_dropped(struct cad_telemetry *t);

void tel_log_fact(struct cad_telemetry *t, const struct cad_fact *fact);
void tel_log_stall(struct cad_telemetry *t, cad_time length);
void tel_log_rung(struct cad_telemetry *t, int64_t from_bps, int64_t to_bps);
void tel_log_first_frame(struct cad_telemetry *t);
void tel_log_midplay(struct cad_telemetry *t);
void tel_log_endplay(struct cad_telemetry *t, cad_str reason, int32_t error, cad_str message);

void tel_send_turn(struct cad_telemetry *t);
int tel_send_poll(struct cad_telemetry *t, struct cad_telemetry_order *order);
int tel_send_http(struct cad_telemetry *t, uint32_t id, const struct cad_telemetry_answer *a);
int tel_send_stored(struct cad_telemetry *t, uint32_t id, int result);
CAD_MUST_CHECK int tel_send_load(struct cad_telemetry *t, const char *key, cad_buf value);
bool tel_send_has_key(const struct cad_telemetry *t, const char *key);
bool tel_send_has_room(const struct cad_telemetry *t);
cad_time tel_send_wake(const struct cad_telemetry *t);
void tel_send_deinit(struct cad_telemetry *t);

/* ---- store.c: what former processes left ---- */
void tel_keys_init(struct tel_keys *k, const char *prefix);
int tel_keys_poll(struct cad_telemetry *t, struct cad_telemetry_order *order);
int tel_keys_listed(struct cad_telemetry *t, uint32_t id, int result, const cad_str *keys,
                    size_t count);
int tel_keys_done(struct cad_telemetry *t, uint32_t id, int result, cad_buf value);
void tel_keys_add(struct tel_keys *k, const char *key);
cad_time tel_keys_wake(const struct cad_telemetry *t);

#endif
