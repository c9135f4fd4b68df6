/*
 * mock_synth.h - the mock origin of a synthesized title: manifest service and signed ranges over a
 * struct cad_synth, as cadmium-sim, the tests of the virtual drive and the engine's fuzzer need it.
 *
 *     mock_synth_create(&title, &m);
 *     cad_sim_set_origin(sim, mock_synth_ops(), m);
 *
 * Assets are named video-N and audio-N after their stream, text-LANG where the title has subtitles
 * (mock_ttml.h); URLs name them ("/video-3/range/0-99?...").
 *
 * A title that is protected (cad_synth_config.scheme) has playready-h264mpl40-dash pictures, drm
 * headers, and a licence service that gives each key id the key of mock_synth_key.
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
/* The key that licences give for a key id: 16 bytes that follow from it. Tests only. */
void mock_synth_key(const uint8_t *kid, uint8_t *out);
/* For its counters and switches. */
struct mock_origin *mock_synth_origin(struct mock_synth *synth);

#endif
