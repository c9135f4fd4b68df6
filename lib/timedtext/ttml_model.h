/*
 * ttml_model.h - the finished parts of a model: children that can be searched by time, and the list
 * of boundaries.
 *
 * Boundaries are kept as a binary heap with the largest on top while a document is read; `sort`
 * then takes them out one by one, so that the list is sorted in steps.
 */
#ifndef CAD_TIMEDTEXT_TTML_MODEL_H
#define CAD_TIMEDTEXT_TTML_MODEL_H

#include "timedtext/ttml.h"

/* Something is active from begin to end: two boundaries. CAD_E_NOMEM. */
CAD_MUST_CHECK int ttml_model_note(struct cad_text *text, cad_time begin, cad_time end);
/* The children of a node, `count` of them from first on. */
CAD_MUST_CHECK int ttml_model_children(struct cad_text *text, struct ttml_node *node,
                                       struct ttml_node *first, uint32_t count);
/* Those children that may be active at t: [*from, *to). */
void ttml_model_search(const struct ttml_node *node, cad_time t, uint32_t *from, uint32_t *to);

/* Where the sort stands: `heap` entries still in the heap, the sorted ones from `sorted` on. */
struct ttml_sort {
    size_t heap, sorted;
};

void ttml_sort_init(struct ttml_sort *sort, const struct cad_text *text);
/* Takes out up to `work` boundaries; true: the list is sorted, without doubles. */
bool ttml_sort_step(struct ttml_sort *sort, struct cad_text *text, uint32_t work);

#endif
