/*
 * mock_synth.h - the mock origin of a synthesized title: manifest service and signed ranges over a
 * struct cad_synth, as cadmium-sim, the tests of the virtual drive and the engine's fuzzer need it.
 *
 *     mock_synth_create(&title, &m);
 *     cad_sim_set_origin(sim, mock_synth_ops(), m);
 *
 * Assets are named video-N and audio-N after their stream; URLs name them
 * ("/video-3/range/0-99?...").
 */
#ifndef MOCK_SYNTH_H
#define MOCK_SYNTH_H

#include "mock/mock_origin.h"

struct mock_synth;

/* title's synth must outlive it; the rest is copied. CAD_E_NOMEM, CAD_E_LIMIT, CAD_E_INVAL. */
CAD_MUST_CHECK int mock_synth_create(const struct cad_scenario_title *title,
                                     struct mock_synth **out);
void mock_synth_destroy(struct mock_synth **synth);
const struct cad_origin_ops *mock_synth_ops(void); /* ctx: the struct mock_synth */
/* For its counters and switches. */
struct mock_origin *mock_synth_origin(struct mock_synth *synth);

#endif
