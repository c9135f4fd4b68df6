/*
 * tape.h - recording what an engine took, and playing it back to another one.
 *
 * An engine decides by its inputs alone, so the list of them replays a session bit for bit on
 * another machine. A recorder stands between a driver and its engine: the driver calls
 * cad_tape_feed where it would call cad_engine_feed, and so on; with a NULL recorder these only
 * call the engine.
 *
 *     cad_tape_config_init(&config);                      write, ctx, entropy
 *     cad_tape_recorder_create(&config, &tape);
 *     player_config.tape = tape;                          or cad_sim_config.tape, or your driver
 *     ...                                                 the session
 *     cad_player_destroy(&player);
 *     cad_tape_recorder_destroy(&tape);                   writes what is left
 *
 * A tape is small: sizes and times, headers and indexes, no media. It is redacted unless asked
 * otherwise: tokens, signatures, ids and addresses of persons are replaced by pseudonyms of equal
 * length before they are written (docs/tape.md). Playing back (libcadmium-sim):
 *
 *     cad_tape_replay_create(bytes, &options, &replay);   an engine of the tape's configuration
 *     while ((rc = cad_tape_replay_step(replay)) == 1) {} one record
 *     cad_tape_replay_result(replay, &result);            the same decisions? which turn differs?
 *     cad_tape_replay_destroy(&replay);
 */
#ifndef CADMIUM_TAPE_H
#define CADMIUM_TAPE_H

#include "cadmium/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_TAPE_MAGIC "CADTAPE1"            /* the first 8 bytes */
#define CAD_TAPE_ENTROPY_MIN 16              /* bytes that pseudonyms are made from */
#define CAD_TAPE_CHECKPOINT 1024             /* records from one checkpoint to the next */
#define CAD_TAPE_CONTROL_MAX (8 * 1024 * 1024) /* bytes of a manifest that are recorded */
#define CAD_TAPE_REQUESTS_MAX 64             /* requests in flight that are followed */
#define CAD_TAPE_UNKNOWN_MAX (1024 * 1024)   /* bytes of one media body that are no boxes */

/* ---- recording ----------------------------------------------------------------------------- */

struct cad_tape_recorder;

/* How a session is recorded. */
struct cad_tape_config {
    size_t size;                 /* sizeof(struct cad_tape_config) */
    struct cad_alloc alloc;      /* of the recorder */
    struct cad_log log;          /* one line when a recording ends early, and why */
    /* Takes the next n bytes of the tape, on the driver's thread. Anything but 0 ends the
     * recording, never the session. */
    int (*write)(void *ctx, const uint8_t *p, size_t n);
    void *ctx;                   /* of write */
    cad_buf entropy;             /* CAD_TAPE_ENTROPY_MIN bytes or more from a cryptographic source;
                                    kept until the end, never written. Not needed when full */
    bool full;                   /* replace nothing: for tests only, marked in the header */
    cad_str commit;              /* of the source, for the header; may be empty */
};
/* The system's allocator, no log, redacted. */
void cad_tape_config_init(struct cad_tape_config *config);

/* CAD_E_INVAL: no write, or too little entropy. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_tape_recorder_create(const struct cad_tape_config *config,
                                            struct cad_tape_recorder **out);
/* Ends the recording and frees. NULL is accepted; the tape is whole if the result of
 * cad_tape_recorder_end was. */
void cad_tape_recorder_destroy(struct cad_tape_recorder **tape);
/* Write what is left and the last checkpoint; nothing is recorded after it. 0, or why the recording
 * ended before: what write answered, CAD_E_NOMEM, CAD_E_LIMIT. */
int cad_tape_recorder_end(struct cad_tape_recorder *tape);

/* Figures of a recording. */
struct cad_tape_stats {
    int error;                   /* 0, or why the recording ended early */
    uint64_t bytes, records, turns; /* of the tape, and what is on it */
    uint64_t body_bytes;         /* of response bodies that it stands for */
};
/* A copy of the figures. */
void cad_tape_recorder_stats(const struct cad_tape_recorder *tape, struct cad_tape_stats *out);

/* Whoever creates the engine says so, once, before its first event: writes the header. A failure
 * ends the recording and is told by cad_tape_recorder_end. */
void cad_tape_begin(struct cad_tape_recorder *tape, const struct cad_engine_config *config);

/* As the function of engine.h of the same name; results are the engine's. Between cad_tape_begin
 * and the end the engine must not be called past them (stats, tracks and next_wake may): */
CAD_MUST_CHECK int cad_tape_feed(struct cad_tape_recorder *tape, struct cad_engine *engine,
                                 const struct cad_event *event);
CAD_MUST_CHECK int cad_tape_commit(struct cad_tape_recorder *tape, struct cad_engine *engine,
                                   uint32_t id, size_t n, cad_time at);
CAD_MUST_CHECK int cad_tape_commit_hole(struct cad_tape_recorder *tape, struct cad_engine *engine,
                                        uint32_t id, size_t n, cad_time at);
CAD_MUST_CHECK int cad_tape_run(struct cad_tape_recorder *tape, struct cad_engine *engine,
                                cad_time now);
CAD_MUST_CHECK int cad_tape_poll(struct cad_tape_recorder *tape, struct cad_engine *engine,
                                 struct cad_action *out);
CAD_MUST_CHECK int cad_tape_pull(struct cad_tape_recorder *tape, struct cad_engine *engine,
                                 uint32_t slot, struct cad_sample *out);
/* What is leased is remembered until its commit. */
struct cad_tape_lease {
    uint32_t id;                 /* of the request */
    size_t want;                 /* bytes, at most */
    uint8_t *data;               /* out */
    size_t capacity;             /* out */
};
/* As cad_engine_lease. */
CAD_MUST_CHECK int cad_tape_lease(struct cad_tape_recorder *tape, struct cad_engine *engine,
                                  struct cad_tape_lease *lease);

/* ---- playing back (libcadmium-sim) ----------------------------------------------------------- */

struct cad_tape_replay;

/* How a tape is played back. */
struct cad_tape_options {
    size_t size;                 /* sizeof(struct cad_tape_options) */
    struct cad_alloc alloc;      /* of the engine and what is around it */
    struct cad_log log;          /* the engine's: decisions are its lines of level INFO */
    cad_time until;              /* stop this long after the first turn; CAD_TIME_NONE: the end */
    bool check;                  /* the engine tests its invariants */
    const struct cad_abr_ops *abr; /* instead of the controller that the tape names; NULL */
    /* NULL, or told of each input before the engine takes it, in words. */
    void (*on_input)(void *ctx, cad_time now, cad_str line);
    /* NULL, or told of each action; borrowed for the call. */
    void (*on_action)(void *ctx, cad_time now, const struct cad_action *action);
    void *ctx;                   /* of on_input and on_action */
};
/* Set the defaults. */
void cad_tape_options_init(struct cad_tape_options *options);

/* How far a tape was played. */
enum cad_tape_end {
    CAD_TAPE_GOES_ON, /* not over yet */
    CAD_TAPE_WHOLE,   /* up to the last checkpoint of a recording that was ended */
    CAD_TAPE_CUT,     /* the tape stops in mid-session: what there is was played */
    CAD_TAPE_UNTIL,   /* as far as was asked for */
    CAD_TAPE_BROKEN   /* a record does not hold what it should; played up to there */
};
const char *cad_tape_end_name(enum cad_tape_end end); /* "whole", "cut"... */

/* What came of playing a tape back. */
struct cad_tape_result {
    enum cad_tape_end end;       /* how far it went */
    size_t offset;               /* of the next record in the tape */
    uint64_t records, turns;     /* played */
    uint64_t checkpoints;        /* that were compared */
    uint64_t decisions, decision_hash; /* of the engine that was replayed */
    char version[32];            /* of the library that recorded */
    char commit[48];             /* of its source; may be empty */
    bool other_version;          /* it is not this one */
    bool full;                   /* the tape is not redacted */
    bool differs;                /* not the decisions that were recorded */
    uint64_t differs_turn;       /* the first turn, from 1, that differs */
    cad_time differs_at;         /* when that was, on the tape */
    cad_time begin, now;         /* of the first turn and of the last */
};

/* The tape is borrowed for life. CAD_E_DATA: no tape, or a header that is broken;
 * CAD_E_UNSUPPORTED: its controller is not known; CAD_E_LIMIT; CAD_E_NOMEM; CAD_E_INVAL. */
CAD_MUST_CHECK int cad_tape_replay_create(cad_buf tape, const struct cad_tape_options *options,
                                          struct cad_tape_replay **out);
/* Accepts NULL, leaves NULL. */
void cad_tape_replay_destroy(struct cad_tape_replay **replay);
/* Play a record. 1: go on. 0: over, see the result. CAD_E_NOMEM and what the engine answers. */
CAD_MUST_CHECK int cad_tape_replay_step(struct cad_tape_replay *replay);
/* What is known so far. */
void cad_tape_replay_result(const struct cad_tape_replay *replay, struct cad_tape_result *out);
/* The engine's figures; valid as cad_engine_stats. */
void cad_tape_replay_stats(const struct cad_tape_replay *replay, struct cad_engine_stats *out);

#ifdef __cplusplus
}
#endif
#endif
