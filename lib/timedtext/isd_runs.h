/*
 * isd_runs.h - lists of runs while an ISD is made: white space, empty runs, equal neighbours.
 */
#ifndef CAD_TIMEDTEXT_ISD_RUNS_H
#define CAD_TIMEDTEXT_ISD_RUNS_H

#include "cadmium/text.h"

#include "base/arena.h"

/* A run of text or a break, in the list in which its white space is handled. */
struct isd_leaf {
    struct cad_text_run run; /* first: what the user sees */
    struct isd_leaf *next_leaf;
};

struct isd_runs {
    struct cad_text_run *first, *last;
};

struct isd_leaves {
    struct isd_leaf *first, *last;
};

void isd_runs_init(struct isd_runs *runs);
void isd_runs_add(struct isd_runs *runs, struct cad_text_run *run);
void isd_leaves_init(struct isd_leaves *leaves);
void isd_leaves_add(struct isd_leaves *leaves, struct isd_leaf *leaf);
/* All of `more` behind the others; `more` must not be used any longer. */
void isd_leaves_append(struct isd_leaves *leaves, const struct isd_leaves *more);

/*
 * Linear white space where xml:space is default: runs of it become one space, none stays at the
 * beginning and end of the list and around breaks. Texts may become empty. CAD_E_NOMEM,
 * CAD_E_LIMIT.
 */
CAD_MUST_CHECK int isd_space(struct isd_leaves *leaves, struct cad_arena *arena);

/* Empty runs, items and ruby are taken out, neighbours of one look are joined. */
CAD_MUST_CHECK int isd_runs_finish(struct cad_text_run **first, struct cad_arena *arena);

#endif
