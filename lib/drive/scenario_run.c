/*
 * scenario_run.c - plays a scenario in virtual time: the back end over the simulator.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/scenario_play.h"
#include "drive/scenario_stage.h"
#include "drive/store.h"

#define OVERTIME (3600 * CAD_SECOND)     /* after title and script: the scenario hangs */

struct run {
    const struct cad_scenario_options *options;
    struct cad_scenario_result *result;
    struct cad_scenario *s;
    struct cad_scenario_stage stage;
    struct cad_synth *synth;
    void *origin;
    struct cad_sim *sim;
    struct cad_store store;
    struct cad_scenario_play play;
    struct cad_scenario_backend backend;
};

/* ---- the back end -------------------------------------------------------------------------- */

static cad_time sim_now(void *ctx)
{
    return cad_sim_now(((struct run *)ctx)->sim);
}

static int send_title(struct run *r, enum cad_command_type type)
{
    struct cad_command load = {
        .type = type, .ticket = 1,
        .title = {.id = CAD_STR(CAD_SCENARIO_TITLE_ID), .start = CAD_TIME_NONE}};
    char base[CAD_SCENARIO_NAME_SIZE + 16];
    (void)snprintf(base, sizeof(base), "http://%s", r->s->hosts[0].name);
    load.title.base = cad_str_from(base);
    return cad_sim_command(r->sim, &load);
}

static int sim_load(void *ctx)
{
    return send_title(ctx, CAD_COMMAND_LOAD);
}

static int sim_prepare(void *ctx)
{
    return send_title(ctx, CAD_COMMAND_PREPARE);
}

static int sim_run(void *ctx, cad_time until)
{
    return cad_sim_run(((struct run *)ctx)->sim, until);
}

static void sim_idle(void *ctx, cad_time until)
{
    cad_sim_idle(((struct run *)ctx)->sim, until);
}

static int sim_command(void *ctx, const struct cad_command *command)
{
    return cad_sim_command(((struct run *)ctx)->sim, command);
}

static int sim_host(void *ctx, uint32_t host, enum cad_host_fault fault, int64_t value)
{
    struct run *r = ctx;
    return cad_sim_host_fault(r->sim, r->s->hosts[host].name, fault, value);
}

static int sim_network(void *ctx, bool online)
{
    return cad_sim_online(((struct run *)ctx)->sim, online);
}

static int sim_service(void *ctx, cad_str name, bool up)
{
    struct run *r = ctx;
    const struct cad_scenario_options *o = r->options;
    return o->service ? o->service(o->ctx, r->origin, name, up) : CAD_E_NOTFOUND;
}

static int sim_suspend(void *ctx, cad_time duration)
{
    struct run *r = ctx;
    return cad_sim_suspend(r->sim, cad_time_add(cad_sim_now(r->sim), duration));
}

static int sim_poll(void *ctx, struct cad_app_event *out)
{
    return cad_sim_poll(((struct run *)ctx)->sim, out);
}

static void sim_stats(void *ctx, struct cad_engine_stats *out)
{
    cad_sim_stats(((struct run *)ctx)->sim, out);
}

static uint32_t sim_tracks(void *ctx, struct cad_track_info *out, uint32_t max)
{
    return cad_sim_tracks(((struct run *)ctx)->sim, out, max);
}

static void on_access(void *ctx, const struct cad_sim_access *access)
{
    struct run *r = ctx;
    cad_scenario_play_request(&r->play, access->start);
}

static void connect_backend(struct run *r)
{
    r->backend = (struct cad_scenario_backend){
        .ctx = r, .now = sim_now, .load = sim_load, .prepare = sim_prepare,
        .run = sim_run, .idle = sim_idle,
        .command = sim_command, .host = sim_host, .network = sim_network, .service = sim_service,
        .suspend = sim_suspend, .poll = sim_poll, .stats = sim_stats, .tracks = sim_tracks,
        .overtime = OVERTIME};
    r->play.backend = &r->backend;
    r->play.duration = r->stage.duration;
}

/* ---- the stage ----------------------------------------------------------------------------- */

static int load_stage(struct run *r)
{
    if (r->s->url.n > 0) {
        return cad_scenario_refuse(r->result, r->s->title_line,
                                   "title url is for real time: cadmium-play --scenario");
    }
    return cad_scenario_stage_load(&r->stage, r->s, r->options, r->result);
}

static void set_scheme(const struct run *r, enum cad_scheme *scheme, uint8_t kid[CAD_KEY_ID_SIZE])
{
    *scheme = CAD_SCHEME_CBCS;
    cad_scenario_kid(r->result->seed, kid);
}

static int make_synth(struct run *r)
{
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    config.ladder = &r->stage.ladder;
    config.duration = r->stage.duration;
    if (r->s->is_protected) set_scheme(r, &config.scheme, config.kid);
    int err = cad_synth_create(&r->options->alloc, &config, &r->synth);
    if (!err || err == CAD_E_NOMEM) return err;
    return cad_scenario_refuse(r->result, 0, "no title can be made of the ladder");
}

/* Who is told what: the first host, as it is for the manifest. */
static int set_services(struct run *r, struct cad_sim_config *config,
                        char urls[3][CAD_SCENARIO_NAME_SIZE + 32])
{
    static const char *const paths[3] = {"events", "logblob", "api/ftl/probe"};
    struct cad_engine_config *engine = &config->engine;
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(urls[i], sizeof(urls[i]), "http://%s/%s", r->s->hosts[0].name, paths[i]);
    }
    engine->report = r->s->report;
    engine->probe = r->s->probe;
    engine->telemetry.event_url = cad_str_from(urls[0]);
    engine->telemetry.log_url = cad_str_from(urls[1]);
    engine->ftl.endpoint = cad_str_from(urls[2]);
    if (!r->s->report) return 0;
    int err = cad_store_memory_create(0, &r->options->alloc, &r->store);
    config->store = r->store;
    return err;
}

static int make_sim(struct run *r)
{
    const struct cad_scenario_options *o = r->options;
    struct cad_sim_config config;
    cad_sim_config_init(&config);
    config.seed = config.engine.seed = r->result->seed;
    config.engine.alloc = o->alloc;
    config.engine.log = o->log;
    config.engine.check = o->check;
    config.tape = o->tape;
    if (r->s->buffer > 0) config.engine.buffer_ahead = r->s->buffer;
    if (r->s->is_protected) config.cdm = cad_cdm_clearkey();
    char urls[3][CAD_SCENARIO_NAME_SIZE + 32];
    int err = set_services(r, &config, urls);
    if (!err) err = cad_sim_create(&config, &r->sim);
    if (err) return err;
    cad_sim_on_access(r->sim, on_access, r);
    cad_sim_sink_mode(r->sim, r->s->sink, r->s->sink_ppm);
    for (uint32_t i = 0; !err && i < r->s->link_count; i++) {
        uint32_t index;
        err = cad_sim_add_link(r->sim, &r->stage.traces[i], &index);
    }
    for (uint32_t i = 0; !err && i < r->s->host_count; i++) {
        err = cad_sim_add_host(r->sim, r->s->hosts[i].name, r->s->hosts[i].link);
    }
    return err;
}

static int make_origin(struct run *r)
{
    const char *hosts[CAD_SCENARIO_HOSTS_MAX];
    for (uint32_t i = 0; i < r->s->host_count; i++) hosts[i] = r->s->hosts[i].name;
    struct cad_scenario_title title = {
        .id = CAD_STR(CAD_SCENARIO_TITLE_ID), .synth = r->synth, .hosts = hosts,
        .host_count = r->s->host_count, .url_life = r->s->url_life, .seed = r->result->seed,
        .audio = r->s->audio, .audio_count = r->s->audio_count,
        .text = (const char (*)[16])r->s->text, .text_count = r->s->text_count};
    if (r->s->is_protected) set_scheme(r, &title.scheme, title.kid);
    const struct cad_origin_ops *ops = NULL;
    int err = r->options->make_origin(r->options->ctx, &title, &ops, &r->origin);
    if (!err) cad_sim_set_origin(r->sim, ops, r->origin);
    return err;
}

static int run_parsed(struct run *r, cad_str text)
{
    const struct cad_scenario_options *o = r->options;
    int err = load_stage(r);
    if (!err) err = make_synth(r);
    if (!err) err = make_sim(r);
    if (!err) err = make_origin(r);
    if (err) return err;
    connect_backend(r);
    err = cad_scenario_play_run(&r->play);
    if (!err && o->point) cad_scenario_play_tell(&r->play, text, o->point, o->ctx);
    return err;
}

static void clear(struct run *r)
{
    const struct cad_alloc *alloc = &r->options->alloc;
    cad_sim_destroy(&r->sim);
    if (r->store.ops) r->store.ops->destroy(r->store.self);
    if (r->origin) r->options->drop_origin(r->options->ctx, r->origin);
    cad_synth_destroy(&r->synth);
    cad_scenario_stage_deinit(&r->stage, r->options);
    cad_scenario_play_deinit(&r->play);
    cad_alloc_free(alloc, r->s, sizeof(*r->s), CAD_MEM_OTHER);
}

int cad_scenario_run(cad_str text, const struct cad_scenario_options *options,
                     struct cad_scenario_result *out)
{
    if (!options || options->size < sizeof(*options) || !out) return CAD_E_INVAL;
    if (!options->load || !options->make_origin || !options->drop_origin) return CAD_E_INVAL;
    memset(out, 0, sizeof(*out));
    struct run run = {.options = options, .result = out};
    run.s = cad_alloc_new(&options->alloc, sizeof(*run.s), CAD_MEM_OTHER);
    if (!run.s) return CAD_E_NOMEM;
    cad_scenario_play_init(&run.play, &options->alloc, run.s, out);
    int err = cad_scenario_parse(text, run.s, out);
    if (!err) {
        out->seed = options->seed ? options->seed : run.s->seed;
        out->expectations = run.s->expect_count;
        err = run_parsed(&run, text);
    }
    clear(&run);
    return err;
}
