#include "drive/scenario_stage.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

struct loader {
    struct cad_scenario_stage *stage;
    struct cad_scenario *s;
    const struct cad_scenario_options *options;
    struct cad_scenario_result *result;
};

int cad_scenario_refuse(struct cad_scenario_result *result, uint32_t line, const char *what)
{
    result->line = line;
    (void)snprintf(result->message, sizeof(result->message), "%s", what);
    return CAD_E_DATA;
}

void cad_scenario_kid(uint64_t seed, uint8_t out[CAD_KEY_ID_SIZE])
{
    for (size_t i = 0; i < CAD_KEY_ID_SIZE; i++) {
        seed = cad_hash_u64(seed + 1);
        out[i] = (uint8_t)seed;
    }
}

static void free_text(const struct cad_scenario_options *o, cad_str *text)
{
    cad_alloc_free(&o->alloc, (void *)(uintptr_t)text->p, text->n, CAD_MEM_OTHER);
    *text = (cad_str){NULL, 0};
}

/* A file the scenario names; errors are told as mistakes of that line. */
static int load_file(const struct loader *l, cad_str name, uint32_t line, cad_str *text)
{
    int err = l->options->load(l->options->ctx, name, text);
    if (!err || err == CAD_E_NOMEM) return err;
    char what[160];
    (void)snprintf(what, sizeof(what), "cannot load \"%.*s\": %s",
                   (int)CAD_MIN(name.n, (size_t)80), name.p, cad_result_text(err));
    return cad_scenario_refuse(l->result, line, what);
}

static int load_ladder(const struct loader *l)
{
    struct cad_scenario_stage *stage = l->stage;
    if (l->s->ladder.n == 0) return 0;
    int err = load_file(l, l->s->ladder, 0, &stage->ladder_text);
    if (err) return err;
    err = cad_ladder_parse(&l->options->alloc, stage->ladder_text, &stage->ladder);
    if (err == CAD_E_NOMEM) return err;
    if (err) return cad_scenario_refuse(l->result, 0, "the ladder cannot be read");
    stage->duration = l->s->duration;
    if (stage->duration == 0) {
        stage->duration = stage->ladder.segment_duration * stage->ladder.segment_count;
    }
    return 0;
}

static int load_traces(const struct loader *l)
{
    struct cad_scenario_stage *stage = l->stage;
    for (uint32_t i = 0; i < l->s->link_count; i++) {
        struct cad_scenario_link *link = &l->s->links[i];
        stage->trace_count++;
        if (link->trace.n == 0) {
            stage->traces[i] = (struct cad_trace){&link->period, 1};
            continue;
        }
        int err = load_file(l, link->trace, link->line, &stage->trace_text[i]);
        if (err) return err;
        err = cad_trace_parse(&l->options->alloc, stage->trace_text[i], &stage->traces[i]);
        if (err == CAD_E_NOMEM) return err;
        if (err) return cad_scenario_refuse(l->result, link->line, "the trace cannot be read");
    }
    return 0;
}

int cad_scenario_stage_load(struct cad_scenario_stage *stage, struct cad_scenario *scenario,
                            const struct cad_scenario_options *options,
                            struct cad_scenario_result *result)
{
    const struct loader loader = {stage, scenario, options, result};
    memset(stage, 0, sizeof(*stage));
    int err = load_ladder(&loader);
    return err ? err : load_traces(&loader);
}

void cad_scenario_stage_deinit(struct cad_scenario_stage *stage,
                               const struct cad_scenario_options *options)
{
    for (uint32_t i = 0; i < stage->trace_count; i++) {
        if (stage->trace_text[i].p) {
            cad_trace_deinit(&options->alloc, &stage->traces[i]);
            free_text(options, &stage->trace_text[i]);
        }
    }
    stage->trace_count = 0;
    cad_ladder_deinit(&options->alloc, &stage->ladder);
    if (stage->ladder_text.p) free_text(options, &stage->ladder_text);
}
