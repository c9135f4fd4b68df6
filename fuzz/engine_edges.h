/*
 * engine_edges.h - what is around an engine under test besides HTTP and the sink: a CDM, a store,
 * services that take reports and are probed. Each tells the truth when it is asked to, and anything
 * at all when the input says so.
 */
#ifndef CAD_FUZZ_ENGINE_EDGES_H
#define CAD_FUZZ_ENGINE_EDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/engine.h"
#include "cadmium/sim.h"

#include "drive/sim_cdm.h"
#include "drive/store.h"
#include "mock/mock_ftl.h"
#include "mock/mock_ingest.h"

/* What is left of an input. */
struct input {
    const uint8_t *p;
    size_t n;
};

/* The next bytes as a number, most significant first; zeros behind the end. */
uint32_t input_take(struct input *in, size_t bytes);
/* A time of any size: 0 to about two hours, from one byte. */
cad_time input_time(struct input *in);
/* A length from one byte, and as many bytes as that, or what is left. */
cad_buf input_bytes(struct input *in);

/* Sorts of input, by what an engine has around it. */
enum variant { PLAIN, LOCKED, SERVED, LOCKED_SERVED, LOCKED_AT_HAND, VARIANTS };

struct edges {
    enum variant variant;
    struct cad_sim_cdm *cdm;     /* NULL: there is none */
    struct cad_cdm_tag tag;      /* of its last call */
    struct cad_store store;
    uint32_t store_id;           /* of the last order */
    enum cad_store_call store_call;
    struct mock_ftl *ftl;        /* NULL: nobody is probed */
    struct mock_ingest ingest;
};

static inline bool is_locked(enum variant v)
{
    return v == LOCKED || v == LOCKED_SERVED || v == LOCKED_AT_HAND;
}

static inline bool is_served(enum variant v)
{
    return v == SERVED || v == LOCKED_SERVED;
}

void edges_init(struct edges *x, enum variant variant);
void edges_deinit(struct edges *x);
/* What an engine is configured with, and told before its first title. */
void edges_configure(const struct edges *x, struct cad_engine_config *config);
void edges_caps(const struct edges *x, struct cad_engine *engine);

/* Actions. */
void edges_call(struct edges *x, const struct cad_cdm_call *call, cad_time now);
void edges_order(struct edges *x, struct cad_engine *engine, const struct cad_store_order *order);
/* A true answer of a service around playback; false: the request is not for one. */
bool edges_serve(struct edges *x, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer);

/* A clear title's pictures and sound as protected files, /file.mp4 and /sound.mp4. */
void edges_make_files(const struct cad_synth *synth, uint32_t sound);
bool edges_file(const struct cad_origin_request *request, struct cad_origin_answer *answer);

/* The next `most` things that the CDM has to tell, and all that the store has. */
void edges_cdm_true(struct edges *x, struct cad_engine *engine, uint32_t most);
void edges_store_true(struct edges *x, struct cad_engine *engine);
/* Whatever the input says. */
void edges_cdm_false(struct edges *x, struct cad_engine *engine, struct input *in);
void edges_store_false(struct edges *x, struct cad_engine *engine, struct input *in);
/* Events and logs are refused, lost, answered by a wish to stop. */
void edges_mischief(struct edges *x, uint32_t how);

/* Key ids of the protected title: of its lower pictures, its higher ones, its sound. */
#define EDGES_KIDS 3
extern const uint8_t edges_kids[EDGES_KIDS][CAD_KEY_ID_SIZE];

#endif
