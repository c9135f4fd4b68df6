/*
 * session.h - what playing with and without a window have in common.
 *
 * A session owns the player, its sink and the thread that steps the sink. The main thread polls:
 *
 *     session_init(&session, &args)
 *     session_open(&session, sink)         takes the sink; starts its thread; loads the title
 *     while (session_poll(&session)) ...   events are told on standard output; false: it is over
 *     status = session_close(&session)     the end line; everything released
 */
#ifndef PLAYER_SESSION_H
#define PLAYER_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "cadmium/decode.h"
#include "cadmium/player.h"

#include "args.h"
#include "text_dump.h"
#include "tapes/tape_file.h"

#define SESSION_SEEKS_MAX 16 /* seeks whose answer is awaited; older ones are forgotten */
#define SESSION_STALLS_MAX 24 /* places where it stalled that are remembered */

struct session_seek {
    uint32_t ticket; /* 0: free */
    cad_time to;
};

struct session {
    const struct play_args *args;
    struct cad_player *player;
    struct cad_sink *sink;
    pthread_t thread;            /* steps the sink */
    bool has_thread;
    atomic_bool stop;            /* the thread must end */
    atomic_bool reached;         /* a picture at or after --until was shown */
    FILE *md5;                   /* of --framemd5; written by the sink's thread alone */
    FILE *sound_md5;             /* of --soundmd5; likewise */
    FILE *text;                  /* of --dump-text; likewise */
    struct text_dump dump;       /* with it */
    bool has_dump;
    struct subtitles *subtitles; /* who shows them; NULL: nobody */
    FILE *log;                   /* of --log; stderr or our own */
    struct tape_file tape;       /* of --tape; written by the player's thread */
    int wake[2];                 /* a pipe that says: there are events */
    int signals;                 /* signalfd of SIGINT, SIGTERM and SIGHUP */
    bool quit;                   /* asked for by the user */
    bool ended;
    bool failed;
    struct cad_error error;      /* with failed */
    bool paused;                 /* the user's wish */
    bool first_told;             /* the first picture was announced */
    bool rung_looked_at;         /* --rung was compared with the ladder */
    struct session_seek seeks[SESSION_SEEKS_MAX];
    uint32_t seek_next;
    uint32_t seek_last;          /* ticket of the newest seek that was not answered; 0 none */
    cad_time seek_to;            /* where that one goes */
    uint32_t tracks_version;     /* of cad_engine_stats, as of what follows */
    struct cad_track_info tracks[CAD_TRACK_LIST_MAX];
    uint32_t track_count;
    struct cad_rung_info rungs[CAD_ABR_RUNGS_MAX]; /* of the same time */
    uint32_t rung_count;
    bool language_wished;        /* --audio-language and --subtitles were looked at */
    uint32_t speed_q16;          /* the user's wish */
    int32_t rung;                /* likewise; -1 adaptive */
    uint64_t bytes_seen;         /* of media that came, all slots */
    cad_time bytes_at;           /* since when none came while it waits; CAD_TIME_NONE no wait */
    cad_time stalls[SESSION_STALLS_MAX]; /* positions */
    uint32_t stall_count;
    cad_time shown_at;           /* newest position before a failure; to try again from there */
    cad_time end_at;             /* when it ended or failed; CAD_TIME_NONE before */
};

/* Signals are blocked in all threads that come later. CAD_E_IO with a line on standard error. */
CAD_MUST_CHECK int session_init(struct session *session, const struct play_args *args);
/* Options of the sink as the command line wants them: framemd5 sets on_frame, soundmd5
 * on_sound. */
void session_sink_options(struct session *session, struct cad_sink_options *options);
/* Takes the sink, which may be NULL on failure. CAD_E_*: session->error says why. */
CAD_MUST_CHECK int session_open(struct session *session, struct cad_sink *sink);
/* Takes events and signals. False: ended, failed, quit, or --until was reached. */
bool session_poll(struct session *session);
/* After a failure: only signals are looked at. False: one came. */
bool session_poll_signals(struct session *session);
/* Tells the end, releases everything, answers the exit status. Also after a failed init or open. */
int session_close(struct session *session);
/* It could not even begin. */
void session_fail(struct session *session, enum cad_error_code code, const char *message);

/* After a failure while there is a player: load the title again, from where it was. False: not even
 * that can be done. */
bool session_retry(struct session *session);
void session_pause(struct session *session, bool paused);
/* 32768 .. 131072. */
void session_speed(struct session *session, uint32_t speed_q16);
/* -1: adaptive. */
void session_rung(struct session *session, int32_t rung);
/* By cad_track_info.id; empty: no text. */
void session_track(struct session *session, const char *id);
/* Notes whether media still comes; to be called now and then. */
void session_watch(struct session *session, const struct cad_engine_stats *stats, cad_time now);
/* Where it is, or where the newest seek goes. */
cad_time session_position(const struct session *session, const struct cad_engine_stats *stats);
/* To an absolute position; negative ones are the beginning. */
void session_seek(struct session *session, cad_time to);
/* By so much from where it is, or from where the last seek goes. */
void session_seek_by(struct session *session, cad_time by);

#endif
