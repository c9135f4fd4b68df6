#include "scenarios/sim_scenario.h"

#include "base/util.h"
#include "scenarios/sim_origin.h"

int sim_origin_make(void *ctx, const struct cad_scenario_title *title,
                    const struct cad_origin_ops **ops, void **origin)
{
    CAD_UNUSED(ctx);
    const struct sim_origin_config config = {.title = title};
    struct sim_origin *o = NULL;
    int err = sim_origin_create(&config, &o);
    if (err) return err;
    *ops = sim_origin_ops();
    *origin = o;
    return 0;
}

void sim_origin_drop(void *ctx, void *origin)
{
    CAD_UNUSED(ctx);
    struct sim_origin *o = origin;
    sim_origin_destroy(&o);
}

static int service(void *ctx, void *origin, cad_str name, bool up)
{
    CAD_UNUSED(ctx);
    return sim_origin_service(origin, name, up);
}

static int play(void *ctx, struct scenario_job *job)
{
    const struct cad_log *log = ctx;
    job->options.log = *log;
    job->options.make_origin = sim_origin_make;
    job->options.drop_origin = sim_origin_drop;
    job->options.service = service;
    return cad_scenario_run(job->text, &job->options, &job->result);
}

int sim_scenario_run(struct scenario_files_options *options, struct cad_log log)
{
    options->play = play;
    options->ctx = &log;
    return scenario_files_run(options);
}
