/*
 * scenario.h - a scenario file, read: what is played over which network, what is done, what must
 * hold.
 *
 * Parsing (scenario_parse.c), the stage (scenario_stage.c), playing (scenario_play.c) and checking
 * (scenario_check.c) share only these tables. Views point into the text of the scenario. Who plays
 * it, in virtual time (scenario_run.c) or in real time (cadmium-play), is a back end behind
 * scenario_play.h.
 */
#ifndef CAD_DRIVE_SCENARIO_H
#define CAD_DRIVE_SCENARIO_H

#include "cadmium/sim.h"

#define CAD_SCENARIO_ACTIONS_MAX 512
#define CAD_SCENARIO_EXPECTS_MAX 256
#define CAD_SCENARIO_HOSTS_MAX 8
#define CAD_SCENARIO_WORDS_MAX 16
#define CAD_SCENARIO_NAME_SIZE 64
#define CAD_SCENARIO_SEEN_SIZE 96
#define CAD_SCENARIO_TITLE_ID "900100" /* of a title made from a ladder */
#define CAD_SCENARIO_TIME_MAX (INT64_C(7) * 86400 * CAD_SECOND)

struct cad_scenario_link {
    cad_str name;
    cad_str trace;               /* file; empty: constant */
    struct cad_trace_period period; /* constant */
    uint32_t line;
};

struct cad_scenario_host {
    char name[CAD_SCENARIO_NAME_SIZE];
    uint32_t link;
};

enum cad_scenario_op { CAD_OP_EQ, CAD_OP_GE, CAD_OP_LE, CAD_OP_GT, CAD_OP_LT };

/* What an expectation looks at. The first group can be asked at any moment. */
enum cad_scenario_subject {
    CAD_SUBJECT_BUFFER,          /* seconds, as ns */
    CAD_SUBJECT_POSITION,
    CAD_SUBJECT_STATE,
    CAD_SUBJECT_RUNG,
    CAD_SUBJECT_STALLS,
    CAD_SUBJECT_STALL_TIME,
    CAD_SUBJECT_REFRESHES,
    CAD_SUBJECT_SWITCHES,
    CAD_SUBJECT_STARTUP,
    CAD_SUBJECT_DROPPED,
    CAD_SUBJECT_TWICE,           /* bytes */
    CAD_SUBJECT_LICENCES,        /* answers of the licence service that were used */
    CAD_SUBJECT_EVENTS,          /* of record, made */
    CAD_SUBJECT_DELIVERED,       /* and acknowledged */
    CAD_SUBJECT_WAITING,         /* and not yet */
    CAD_SUBJECT_PROBES,          /* targets of the last race */
    CAD_SUBJECT_TRACK,           /* text: what is selected, of type `media`; "off": none */
    CAD_SUBJECT_TEXT,            /* text: what is shown; "off": none */
    CAD_SUBJECT_KEYS,            /* text: status of the keys */
    CAD_SUBJECT_EVENT,           /* text, within [from, to] */
    CAD_SUBJECT_NO_STALL,        /* after from */
    CAD_SUBJECT_NO_ERROR,
    CAD_SUBJECT_NO_REQUEST,      /* started in [from, to] */
    CAD_SUBJECT_ENDED,
    CAD_SUBJECT_FAILED           /* text: the error's name, empty any */
};

struct cad_scenario_expect {
    enum cad_scenario_subject subject;
    enum cad_scenario_op op;
    int64_t value;               /* ns for times, else a count */
    cad_str text;
    enum cad_media_type media;   /* TRACK */
    cad_time from, to;           /* the span it is about; CAD_TIME_NONE: no bound */
    cad_time every;              /* > 0: at each multiple while playing */
    cad_time at;                 /* at that moment; CAD_TIME_NONE */
    uint32_t line;
    /* What came of it: filled in while it is played. */
    bool failed;
    uint32_t looks;              /* how often it was held against something */
    cad_time seen_at;            /* of the first failure, or else of the last look */
    char seen[CAD_SCENARIO_SEEN_SIZE]; /* then; empty: nothing worth telling */
};

enum cad_scenario_action_type {
    CAD_DO_PLAY, CAD_DO_PAUSE, CAD_DO_STOP, CAD_DO_SEEK, CAD_DO_HOST, CAD_DO_NETWORK,
    CAD_DO_SERVICE, CAD_DO_EXPECT, CAD_DO_AUDIO, CAD_DO_TEXT, CAD_DO_RATE, CAD_DO_SUSPEND,
    CAD_DO_PREPARE
};

struct cad_scenario_action {
    cad_time at;
    uint32_t line;
    enum cad_scenario_action_type type;
    cad_time position;           /* SEEK; SUSPEND: how long */
    uint32_t host;               /* HOST */
    enum cad_host_fault fault;
    int64_t value;               /* HOST; RATE: times 65536 */
    cad_str name;                /* AUDIO, TEXT */
    char service[CAD_SCENARIO_NAME_SIZE]; /* SERVICE: name, and what is wrong with it */
    bool up;                     /* SERVICE, NETWORK */
    uint32_t expect;             /* EXPECT: index */
};

struct cad_scenario {
    uint64_t seed;
    cad_str ladder, url;         /* one of them; the other is empty */
    uint32_t title_line;
    struct cad_scenario_audio audio[CAD_SCENARIO_AUDIO_MAX];
    uint32_t audio_count;        /* 0: one, in English, of two channels */
    bool is_protected;           /* the title is, by cbcs */
    char text[CAD_SCENARIO_TEXT_MAX][16]; /* languages of its text tracks */
    uint32_t text_count;
    bool prepares;               /* it is prepared by the script, and loaded by the first play */
    bool report, probe;          /* events and logs are told; servers are probed */
    cad_time duration;           /* 0: as long as the ladder */
    cad_time url_life;
    cad_time buffer;             /* forward goal; 0: the engine's default */
    enum cad_sink_mode sink;
    int64_t sink_ppm;
    struct cad_scenario_link links[CAD_SIM_LINKS_MAX];
    uint32_t link_count;
    struct cad_scenario_host hosts[CAD_SCENARIO_HOSTS_MAX];
    uint32_t host_count;
    struct cad_scenario_action actions[CAD_SCENARIO_ACTIONS_MAX]; /* by time, then line */
    uint32_t action_count;
    struct cad_scenario_expect expects[CAD_SCENARIO_EXPECTS_MAX];
    uint32_t expect_count;
};

/* CAD_E_DATA: result's line and message tell what is wrong. */
CAD_MUST_CHECK int cad_scenario_parse(cad_str text, struct cad_scenario *out,
                                      struct cad_scenario_result *result);

/* "buffer", "stalls"...: the word of a subject. */
const char *cad_scenario_subject_name(enum cad_scenario_subject subject);
/* True if the subject's value is a time in ns. */
bool cad_scenario_subject_is_time(enum cad_scenario_subject subject);
const char *cad_scenario_op_name(enum cad_scenario_op op);

/* Is this the track that a scenario calls `name`: its id, its label, its language, or language and
 * channels ("en-51", "de-20")? */
bool cad_scenario_track_is(const struct cad_track_info *track, cad_str name);
/* The text of a line, from 1, without comment and blanks around it. */
cad_str cad_scenario_line(cad_str text, uint32_t line);

#endif
