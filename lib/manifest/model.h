/*
 * model.h - how a presentation is held: the public struct, and the arena that everything in it
 * lives in. A parser creates one, fills it and gives it away; cad_presentation_destroy ends it.
 */
#ifndef CAD_MANIFEST_MODEL_H
#define CAD_MANIFEST_MODEL_H

#include "cadmium/manifest.h"

#include "base/arena.h"

struct cad_model {
    struct cad_presentation presentation; /* first: the public pointer is a pointer to the model */
    struct cad_arena arena;
};

/* An empty model: times and settings "not set", everything else zero. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_model_create(const struct cad_alloc *alloc, struct cad_model **out);
/* Accepts NULL, leaves NULL. */
void cad_model_destroy(struct cad_model **model);
/* Fill in arena_bytes: the last step of building. */
void cad_model_seal(struct cad_model *model);

#endif
