/*
 * scenario_play.h - plays a parsed scenario through a back end and holds it against its
 * expectations: the same code in virtual and in real time.
 *
 *     struct cad_scenario_play play;
 *     cad_scenario_play_init(&play, &alloc, scenario, result);
 *     play.backend = &backend;  play.duration = ...;
 *     cad_scenario_play_run(&play);         loads, does what the script says, checks
 *     cad_scenario_play_tell(&play, ...);   each expectation's outcome
 *     cad_scenario_play_deinit(&play);
 *
 * All times are since the scenario began. Nothing here sleeps or asks a clock: the back end does.
 */
#ifndef CAD_DRIVE_SCENARIO_PLAY_H
#define CAD_DRIVE_SCENARIO_PLAY_H

#include "drive/scenario.h"

/* Who plays. Every function gets ctx. */
struct cad_scenario_backend {
    void *ctx;
    cad_time (*now)(void *ctx);
    /* Start loading the title. */
    int (*load)(void *ctx);
    /* Start preparing it; NULL: it cannot. */
    int (*prepare)(void *ctx);
    /* Let it play up to `until`. 0: that is now; 1: the session is over, perhaps before. */
    int (*run)(void *ctx, cad_time until);
    /* The session is over: let time pass all the same. */
    void (*idle)(void *ctx, cad_time until);
    int (*command)(void *ctx, const struct cad_command *command);
    int (*host)(void *ctx, uint32_t host, enum cad_host_fault fault, int64_t value);
    int (*network)(void *ctx, bool online);
    /* CAD_E_NOTFOUND: there is no such service. */
    int (*service)(void *ctx, cad_str name, bool up);
    /* No turn of engine and sink for so long, from now. */
    int (*suspend)(void *ctx, cad_time duration);
    /* What the application was told, oldest first, `at` since the beginning; CAD_E_AGAIN: no
     * more. */
    int (*poll)(void *ctx, struct cad_app_event *out);
    void (*stats)(void *ctx, struct cad_engine_stats *out);
    uint32_t (*tracks)(void *ctx, struct cad_track_info *out, uint32_t max);
    cad_time overtime;           /* after script and twice the title: it hangs, and is ended */
};

/* Something that happened, small enough to keep all of them. */
struct cad_scenario_note {
    cad_time at;
    enum cad_app_event_type type;
    enum cad_state state;        /* STATE */
    uint32_t rung;               /* RUNG */
    enum cad_error_code error;   /* ERROR */
    enum cad_error_class error_class;
};

struct cad_scenario_play {
    const struct cad_alloc *alloc;
    struct cad_scenario *s;
    struct cad_scenario_result *result;
    const struct cad_scenario_backend *backend;
    cad_time duration;           /* of the title; 0: as the session says */
    struct cad_scenario_note *notes;
    uint32_t note_count, note_cap;
    cad_time *starts;            /* of requests, in any order */
    uint32_t start_count, start_cap;
    bool loaded;                 /* the title is, or is being */
    int32_t rung;                /* of the last RUNG event of video; -1 none */
    int error;                   /* of a callback; sticky */
};

void cad_scenario_play_init(struct cad_scenario_play *play, const struct cad_alloc *alloc,
                            struct cad_scenario *scenario, struct cad_scenario_result *result);
void cad_scenario_play_deinit(struct cad_scenario_play *play);
/* A request was started then: the back end tells, before or while it runs, on the same thread. */
void cad_scenario_play_request(struct cad_scenario_play *play, cad_time start);
/* The whole scenario; result says what came of it. CAD_E_DATA: the script is wrong; others: the
 * back end failed. */
CAD_MUST_CHECK int cad_scenario_play_run(struct cad_scenario_play *play);
/* Calls fn for each expectation in the order of the file; text is that of the scenario. */
void cad_scenario_play_tell(const struct cad_scenario_play *play, cad_str text,
                            void (*fn)(void *ctx, const struct cad_scenario_point *point),
                            void *ctx);

/* ---- scenario_check.c ---- */
/* Hold an expectation against what is now; `at` is the moment that is meant. */
void cad_scenario_check_now(struct cad_scenario_play *play, struct cad_scenario_expect *e,
                            cad_time at);
/* Hold one without a moment of its own against all that happened. */
void cad_scenario_check_end(struct cad_scenario_play *play, struct cad_scenario_expect *e,
                            cad_time at);

#endif
