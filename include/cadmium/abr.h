/*
 * abr.h - which representation next: controllers behind one vtable.
 *
 * A controller sees finished transfers (observe), what happened to the viewer (note) and, when a
 * segment is to be asked for, the state of the session (choose). It works in integers, allocates
 * nothing after create, knows no clock but the times it is given, and returns the same answer for
 * the same history. An application may bring its own: fill a struct cad_abr_ops.
 *
 *     cad_abr_create(cad_abr_hybrid(), &config, &abr);
 *     cad_abr_observe(abr, &transfer);
 *     cad_abr_choose(abr, &state, &choice);      choice.rung is always a rung of the state
 *     cad_abr_destroy(&abr);
 *
 * One thread. The engine owns one controller per session.
 */
#ifndef CADMIUM_ABR_H
#define CADMIUM_ABR_H

#include <stdbool.h>

#include "cadmium/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_ABR_RUNGS_MAX 64 /* rungs a controller is shown at most */

/* One rung of the ladder, lowest first. */
struct cad_abr_rung {
    int64_t rate_bps;        /* declared average, > 0, not falling from rung to rung */
    uint32_t height;         /* pixels; 0 unknown */
    int32_t vmaf_milli;      /* -1 unknown */
    bool allowed;            /* false: the device or the session cannot use it now */
};

/* Size of segment `ahead` (0 = the one to choose now) on a rung, bytes; -1 unknown. */
typedef int64_t (*cad_abr_size_fn)(const void *ctx, uint32_t ahead, uint32_t rung);

/* What the controller may know when it chooses. */
struct cad_abr_state {
    size_t size;                     /* sizeof(struct cad_abr_state) */
    cad_time now;                    /* monotonic */
    const struct cad_abr_rung *rungs; /* in rising order */
    uint32_t rung_count;             /* 1 .. CAD_ABR_RUNGS_MAX; at least one is allowed */
    int32_t rung_last;               /* of the segment before; -1 none */
    cad_time buffer;                 /* media ahead of the viewer */
    cad_time buffer_target;          /* what the buffer is filled up to */
    cad_time segment_duration;       /* of the segment to choose */
    uint32_t segments_left;          /* with this one; 0 unknown (live) */
    bool playing;                    /* the viewer's clock runs */
    cad_abr_size_fn size_of;         /* NULL: sizes unknown, rates stand in */
    const void *size_ctx;            /* of size_of */
    int64_t rate_cap_bps;            /* configuration or manifest; 0 none */
    int32_t rung_pin;                /* absolute; -1 none */
};

/* Why a rung was chosen. X(name, text) */
#define CAD_ABR_REASON_LIST(X)                                                                     \
    X(START, "conservative start")                                                                 \
    X(STEADY, "the estimate asks for the rung it has")                                             \
    X(UP, "the estimate carries more")                                                             \
    X(DOWN, "the estimate carries less")                                                           \
    X(DWELL, "held: the last change is too recent")                                                \
    X(PANIC, "the buffer is nearly empty")                                                         \
    X(REBUFFER, "lowest after a stall")                                                            \
    X(CAP, "limited by a cap")                                                                     \
    X(PIN, "pinned")                                                                               \
    X(ONLY, "no other rung is allowed")

/* Why a rung was chosen. */
enum cad_abr_reason {
#define CAD_X(name, text) CAD_ABR_##name,
    CAD_ABR_REASON_LIST(CAD_X)
#undef CAD_X
};
const char *cad_abr_reason_name(enum cad_abr_reason reason); /* "dwell"; never NULL */

/* What a controller answers. */
struct cad_abr_choice {
    uint32_t rung;           /* chosen: an index into the rungs */
    enum cad_abr_reason reason; /* why, for the log */
    int64_t estimate_bps;    /* what the decision rested on; 0 none yet */
    cad_time wait;           /* >= 0: ask for it that much later */
};

/* A transfer, finished or broken off. Times are monotonic. */
struct cad_abr_transfer {
    cad_time start;          /* request handed to the transport */
    cad_time first_byte;     /* CAD_TIME_NONE: none came */
    cad_time end;            /* last byte, or when it broke */
    int64_t bytes;           /* of body that arrived */
    uint32_t server;         /* index in the presentation */
    bool audio;              /* another stream shared the link while this one ran */
    bool complete;           /* all of it arrived */
    bool shared;             /* another transfer of media overlapped it */
    cad_time busy;           /* time between start and end during which any media transfer ran alone
                                or together, counted once; equals end - start for one stream */
    int64_t bytes_all;       /* bytes of all media transfers that arrived between start and end */
};

/* What a controller is told beside transfers. */
enum cad_abr_note {
    CAD_ABR_NOTE_PLAY,       /* the clock started */
    CAD_ABR_NOTE_STALL,      /* the buffer ran dry */
    CAD_ABR_NOTE_SEEK,       /* the buffer was dropped */
    CAD_ABR_NOTE_NETWORK     /* the device changed its network */
};

/* Tuning. Defaults by cad_abr_config_init; a controller ignores what it does not use. */
struct cad_abr_config {
    size_t size;                  /* sizeof(struct cad_abr_config) */
    uint32_t safety_permille;     /* share of the estimate that is used; 1..1000; 700 */
    cad_time dwell;               /* least time between two upward changes; 10 s */
    uint32_t step_down_max;       /* rungs down at once; >= 1; 2 */
    cad_time panic_buffer;        /* below this straight to the lowest; 5 s */
    int64_t start_rate_max_bps;   /* ceiling of the first choice without an estimate; 1.5 Mbit/s */
    int64_t rate_seed_bps;        /* estimate to begin with; 0 none */
    cad_time half_life_fast;      /* of the estimator pair, in transfer time; 3 s */
    cad_time half_life_slow;      /* 8 s */
};
/* Set the defaults. */
void cad_abr_config_init(struct cad_abr_config *config);

/* A controller. `self` is what create returned. Every function but destroy is required. */
struct cad_abr_ops {
    size_t size;                  /* sizeof(struct cad_abr_ops) */
    const char *name;             /* "hybrid" */
    /* makes one; *self is handed to the others */
    int (*create)(const struct cad_alloc *alloc, const struct cad_abr_config *config, void **self);
    void (*destroy)(void *self);  /* may be NULL */
    void (*observe)(void *self, const struct cad_abr_transfer *transfer); /* a transfer ended */
    void (*note)(void *self, enum cad_abr_note note, cad_time now); /* something happened */
    int64_t (*estimate_bps)(const void *self, cad_time now); /* 0 none yet */
    /* fills *out */
    void (*choose)(void *self, const struct cad_abr_state *state, struct cad_abr_choice *out);
};

struct cad_abr;

/* ops and the controller's code must outlive it. CAD_E_NOMEM, CAD_E_INVAL. */
CAD_MUST_CHECK int cad_abr_create(const struct cad_alloc *alloc, const struct cad_abr_ops *ops,
                                  const struct cad_abr_config *config, struct cad_abr **out);
/* Accepts NULL, leaves NULL. */
void cad_abr_destroy(struct cad_abr **abr);
/* A transfer ended. */
void cad_abr_observe(struct cad_abr *abr, const struct cad_abr_transfer *transfer);
/* Something else happened that a choice may depend on. */
void cad_abr_note(struct cad_abr *abr, enum cad_abr_note note, cad_time now);
/* The throughput that it reckons with; 0 none yet. */
int64_t cad_abr_estimate_bps(const struct cad_abr *abr, cad_time now);
/* Pins and caps are enforced here, whatever the controller answers. */
void cad_abr_choose(struct cad_abr *abr, const struct cad_abr_state *state,
                    struct cad_abr_choice *out);

/*
 * The controllers. hybrid: safety margin 0.7 of the lower of two exponential averages; strictly
 * below it while the buffer is under half its target; lowest after a stall; dwell; at most two
 * rungs down at once but straight to the lowest when the buffer, once filled, is nearly empty;
 * conservative start. docs/abr.md has the rule step by step.
 */
const struct cad_abr_ops *cad_abr_hybrid(void);
/* Always the rung given by rate_seed_bps (the highest not above it), for tests. */
const struct cad_abr_ops *cad_abr_fixed(void);
/* By name; NULL if there is none. */
const struct cad_abr_ops *cad_abr_find(cad_str name);

#ifdef __cplusplus
}
#endif
#endif
