/*
 * model.h - how a presentation is held: the public struct, and the arena that everything in it
 * lives in. A parser creates one, fills it and gives it away; cad_presentation_destroy ends it.
 */
#ifndef CAD_MANIFEST_MODEL_H
#define CAD_MANIFEST_MODEL_H

#include "cadmium/manifest.h"

#include "base/arena.h"

struct cad_dash_side;

/* A timeline of the model, which is no part of the arena. */
struct cad_model_index {
    struct cad_model_index *next;
    struct cad_index *index;
};

struct cad_model {
    struct cad_presentation presentation; /* first: the public pointer is a pointer to the model */
    struct cad_arena arena;
    struct cad_model_index *indexes;      /* released with the model */
    uint64_t index_bytes;                 /* of all of them */
    const struct cad_dash_side *dash;     /* what only the dump tells of an MPD; else NULL */
};

/* An empty model: times and settings "not set", everything else zero. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_model_create(const struct cad_alloc *alloc, struct cad_model **out);
/* Accepts NULL, leaves NULL. */
void cad_model_destroy(struct cad_model **model);
/* Give an index to the model; on failure (CAD_E_NOMEM) it stays the caller's. */
CAD_MUST_CHECK int cad_model_own(struct cad_model *model, struct cad_index *index);
/* A representation with nothing known. */
void cad_representation_blank(struct cad_representation *out);
/* Fill in arena_bytes: the last step of building. */
void cad_model_seal(struct cad_model *model);

#endif
