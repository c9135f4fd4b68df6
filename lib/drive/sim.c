/*
 * sim.c - the virtual drive: one engine, one virtual sink, one virtual network, and time that
 * jumps.
 *
 * An instant is settled before time goes on: the network hands over what is due, the sink takes and
 * reports, the engine takes its turns, what it asks for is done, until nothing moves any more. Then
 * time jumps to the first of: network, sink, engine, the caller's limit.
 */
#include <string.h>

#include "cadmium/sim.h"
#include "cadmium/tape.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/sim_faults.h"
#include "drive/sim_net.h"
#include "drive/vsink.h"

#define TURNS_MAX 10000u         /* turns of the engine at one instant: more is a livelock */
#define EVENTS_MAX (1u << 16)    /* app events that nobody has polled */
#define EVENTS_FIRST 64u
#define ENTROPY_FIRST 256        /* bytes given at the start */
#define ENTROPY_MORE 64          /* and again with each request that used some up */
#define CLOCK_ERROR_MS 1000      /* what the device claims its wall clock to be good for */

struct cad_sim {
    struct cad_sim_config config;
    struct cad_alloc alloc;
    struct cad_engine *engine;
    struct cad_sim_net *net;
    struct cad_transport *transport;
    struct cad_sink *sink;
    cad_time now;
    cad_time sink_wake;          /* CAD_TIME_NONE: none */
    bool turn_due;               /* something was fed since the last turn */
    int error;                   /* of a callback; sticky */
    enum cad_state state;
    struct cad_sim_faults faults;
    struct cad_rng entropy;      /* stands in for the device's own source */
    struct cad_app_event *events;
    uint32_t events_cap, events_head, events_count;
    cad_sim_access_fn access;
    void *access_ctx;
};

void cad_sim_config_init(struct cad_sim_config *config)
{
    *config = (struct cad_sim_config){.size = sizeof(*config)};
    cad_engine_config_init(&config->engine);
    config->seed = 1;
    config->anchor_period = 100 * CAD_MS;
    config->wall_ms = INT64_C(1767225600000); /* 2026-01-01T00:00:00Z */
}

/* ---- into the engine ----------------------------------------------------------------------- */

static void note_error(struct cad_sim *sim, int err)
{
    if (err && !sim->error) sim->error = err;
}

static void feed(struct cad_sim *sim, const struct cad_event *event)
{
    note_error(sim, cad_tape_feed(sim->config.tape, sim->engine, event));
    sim->turn_due = true;
}

static void door_head(void *ctx, const struct cad_http_head *head)
{
    struct cad_event event = {.type = CAD_EVENT_HTTP_HEAD};
    event.u.head = *head;
    feed(ctx, &event);
}

static void door_end(void *ctx, const struct cad_http_end *end)
{
    struct cad_event event = {.type = CAD_EVENT_HTTP_END};
    event.u.end = *end;
    feed(ctx, &event);
}

static int door_lease(void *ctx, uint32_t id, size_t want, uint8_t **data, size_t *capacity)
{
    struct cad_sim *sim = ctx;
    struct cad_tape_lease lease = {.id = id, .want = want};
    int err = cad_tape_lease(sim->config.tape, sim->engine, &lease);
    *data = lease.data;
    *capacity = lease.capacity;
    return err;
}

static int door_commit(void *ctx, uint32_t id, size_t n, cad_time at)
{
    struct cad_sim *sim = ctx;
    sim->turn_due = true;
    return cad_tape_commit(sim->config.tape, sim->engine, id, n, at);
}

static int door_hole(void *ctx, uint32_t id, size_t n, cad_time at)
{
    struct cad_sim *sim = ctx;
    sim->turn_due = true;
    return cad_tape_commit_hole(sim->config.tape, sim->engine, id, n, at);
}

static int source_pull(void *ctx, uint32_t slot, struct cad_sample *out)
{
    struct cad_sim *sim = ctx;
    return cad_tape_pull(sim->config.tape, sim->engine, slot, out);
}

/* ---- out of the engine --------------------------------------------------------------------- */

static int grow_events(struct cad_sim *sim)
{
    if (sim->events_cap >= EVENTS_MAX) return CAD_E_LIMIT;
    uint32_t cap = sim->events_cap ? sim->events_cap * 2 : EVENTS_FIRST;
    struct cad_app_event *p = cad_alloc_array(&sim->alloc, cap, sizeof(*p), CAD_MEM_OTHER);
    if (!p) return CAD_E_NOMEM;
    for (uint32_t i = 0; i < sim->events_count; i++) {
        p[i] = sim->events[(sim->events_head + i) % sim->events_cap];
    }
    cad_alloc_free(&sim->alloc, sim->events, sim->events_cap * sizeof(*p), CAD_MEM_OTHER);
    sim->events = p;
    sim->events_cap = cap;
    sim->events_head = 0;
    return 0;
}

static void keep_event(struct cad_sim *sim, const struct cad_app_event *event)
{
    if (event->type == CAD_APP_STATE) sim->state = event->state;
    if (sim->events_count == sim->events_cap) {
        int err = grow_events(sim);
        if (err) {
            note_error(sim, err);
            return;
        }
    }
    sim->events[(sim->events_head + sim->events_count) % sim->events_cap] = *event;
    sim->events_count++;
}

static int feed_entropy(struct cad_sim *sim, size_t n)
{
    uint8_t bytes[ENTROPY_FIRST];
    CAD_ASSERT(n <= sizeof(bytes));
    for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)cad_rng_u64(&sim->entropy);
    struct cad_event event = {.type = CAD_EVENT_ENTROPY};
    event.u.entropy = (cad_buf){bytes, n};
    return cad_tape_feed(sim->config.tape, sim->engine, &event);
}

static void start_transfer(struct cad_sim *sim, const struct cad_http_start *start)
{
    if (start->purpose == CAD_PURPOSE_MANIFEST || start->purpose == CAD_PURPOSE_REFRESH) {
        note_error(sim, feed_entropy(sim, ENTROPY_MORE));
    }
    note_error(sim, sim->transport->ops->start(sim->transport, start));
    if (!sim->access) return;
    struct cad_engine_stats stats;
    cad_engine_stats(sim->engine, &stats);
    cad_sim_net_note(sim->net, start->id, stats.slot[CAD_SLOT_VIDEO].ahead);
}

static void do_actions(struct cad_sim *sim)
{
    struct cad_action action;
    while (cad_tape_poll(sim->config.tape, sim->engine, &action) == 0) {
        switch (action.type) {
        case CAD_ACTION_HTTP_START:
            start_transfer(sim, &action.u.start);
            break;
        case CAD_ACTION_HTTP_WARM:
            sim->transport->ops->warm(sim->transport, &action.u.warm);
            break;
        case CAD_ACTION_HTTP_CANCEL:
            sim->transport->ops->cancel(sim->transport, action.u.cancel.id);
            break;
        case CAD_ACTION_SINK_CONFIG:
            sim->sink->ops->configure(sim->sink, &action.u.sink, sim->now);
            break;
        case CAD_ACTION_SINK_FLUSH:
            sim->sink->ops->flush(sim->sink, action.u.flush.epoch, action.u.flush.position,
                                  sim->now);
            break;
        case CAD_ACTION_APP_EVENT:
            keep_event(sim, &action.u.app);
            break;
        }
    }
}

/* ---- an instant ---------------------------------------------------------------------------- */

static void pump_net(struct cad_sim *sim)
{
    cad_time next = cad_sim_net_next(sim->net);
    if (next == CAD_TIME_NONE || next > sim->now) return;
    (void)sim->transport->ops->pump(sim->transport);
}

static void step_sink(struct cad_sim *sim)
{
    sim->sink_wake = sim->sink->ops->step(sim->sink, sim->now);
    struct cad_sink_report report;
    sim->sink->ops->report(sim->sink, sim->now, &report);
    if (report.has_anchor) {
        struct cad_event event = {.type = CAD_EVENT_SINK_ANCHOR};
        event.u.anchor = report.anchor;
        feed(sim, &event);
    }
    if (report.has_level) {
        struct cad_event event = {.type = CAD_EVENT_SINK_LEVEL};
        event.u.level = report.level;
        feed(sim, &event);
    }
}

static bool is_turn_due(const struct cad_sim *sim)
{
    if (sim->turn_due) return true;
    cad_time wake = cad_engine_next_wake(sim->engine);
    return wake != CAD_TIME_NONE && wake <= sim->now;
}

static int settle(struct cad_sim *sim)
{
    pump_net(sim);
    step_sink(sim);
    for (uint32_t turns = 0; is_turn_due(sim); turns++) {
        if (turns == TURNS_MAX) return CAD_E_LIMIT;
        sim->turn_due = false;
        int more = cad_tape_run(sim->config.tape, sim->engine, sim->now);
        do_actions(sim);
        if (more < 0) return more;
        if (more > 0) sim->turn_due = true;
        pump_net(sim);
        step_sink(sim);
        if (sim->error) return sim->error;
    }
    return sim->error;
}

static bool is_over(const struct cad_sim *sim)
{
    bool last = sim->state == CAD_STATE_ENDED || sim->state == CAD_STATE_FAILED ||
                sim->state == CAD_STATE_STOPPED;
    return last && cad_sim_net_in_flight(sim->net) == 0;
}

static void jump(struct cad_sim *sim, cad_time to)
{
    if (to <= sim->now) return;
    sim->now = to;
    cad_sim_net_advance(sim->net, to);
}

/* Faults that are drawn and due. */
static void strike(struct cad_sim *sim)
{
    uint32_t hosts = 0;
    while (cad_sim_net_host(sim->net, hosts).n > 0) hosts++;
    struct cad_sim_change c;
    while (hosts > 0 && cad_sim_faults_take(&sim->faults, sim->now, hosts, &c)) {
        cad_str name = cad_sim_net_host(sim->net, c.host);
        note_error(sim, cad_sim_net_fault(sim->net, name, c.fault, c.value));
    }
}

int cad_sim_run(struct cad_sim *sim, cad_time until)
{
    uint32_t still = 0;
    for (;;) {
        int err = settle(sim);
        if (err) return err;
        if (is_over(sim)) return 1;
        cad_time next = cad_time_earlier(cad_sim_net_next(sim->net), sim->sink_wake);
        next = cad_time_earlier(next, cad_engine_next_wake(sim->engine));
        next = cad_time_earlier(next, cad_sim_faults_next(&sim->faults));
        if (next == CAD_TIME_NONE || next > until) break;
        still = next > sim->now ? 0 : still + 1;
        if (still > TURNS_MAX) return CAD_E_LIMIT;
        jump(sim, next);
        strike(sim);
    }
    if (until != CAD_TIME_MAX) jump(sim, until);
    return 0;
}

/* What is under way arrives meanwhile, as it would in a system's socket buffers. */
int cad_sim_suspend(struct cad_sim *sim, cad_time until)
{
    for (uint32_t still = 0; !sim->error; still++) {
        cad_time next = cad_sim_net_next(sim->net);
        next = cad_time_earlier(next, cad_sim_faults_next(&sim->faults));
        if (next == CAD_TIME_NONE || next > until) break;
        if (next > sim->now) still = 0;
        if (still > TURNS_MAX) return CAD_E_LIMIT;
        jump(sim, next);
        strike(sim);
        pump_net(sim);
    }
    jump(sim, until);
    return sim->error;
}

void cad_sim_idle(struct cad_sim *sim, cad_time until)
{
    if (is_over(sim)) jump(sim, until);
}

/* ---- making one ---------------------------------------------------------------------------- */

/* What the device says about itself before anything else. */
static int introduce(struct cad_sim *sim)
{
    cad_rng_init(&sim->entropy, sim->config.seed ^ cad_hash_u64(sim->config.engine.seed));
    int err = feed_entropy(sim, ENTROPY_FIRST);
    if (err) return err;
    struct cad_event event = {.type = CAD_EVENT_WALL_OFFSET};
    event.u.wall.offset_ms = sim->config.wall_ms + sim->config.device_clock_error_ms;
    event.u.wall.error_ms = CLOCK_ERROR_MS;
    err = cad_tape_feed(sim->config.tape, sim->engine, &event);
    if (err) return err;
    event = (struct cad_event){.type = CAD_EVENT_SINK_CAPS};
    sim->sink->ops->caps(sim->sink, &event.u.caps);
    sim->turn_due = true;
    return cad_tape_feed(sim->config.tape, sim->engine, &event);
}

static int create_parts(struct cad_sim *sim)
{
    const struct cad_sim_config *c = &sim->config;
    int err = cad_engine_create(&c->engine, &sim->engine);
    if (err) return err;
    cad_tape_begin(c->tape, &c->engine);
    struct cad_sim_net_config net = {.tls = c->tls, .wall_ms = c->wall_ms};
    err = cad_sim_net_create(&sim->alloc, &net, &sim->net);
    if (err) return err;
    sim->transport = cad_sim_net_transport(sim->net);
    sim->transport->door = (struct cad_transport_door){
        .ctx = sim, .head = door_head, .lease = door_lease, .commit = door_commit,
        .end = door_end};
    cad_sim_net_on_hole(sim->net, door_hole);
    struct cad_vsink_config sink = {.anchor_period = c->anchor_period, .seed = c->seed};
    err = cad_vsink_create(&sim->alloc, &sink, &sim->sink);
    if (err) return err;
    sim->sink->source = (struct cad_sink_source){source_pull, sim};
    return introduce(sim);
}

int cad_sim_create(const struct cad_sim_config *config, struct cad_sim **out)
{
    if (!config || config->size < sizeof(*config) || !out) return CAD_E_INVAL;
    if (config->anchor_period <= 0 || config->fault_every < 0) return CAD_E_INVAL;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sim *sim = cad_alloc_new(&alloc, sizeof(*sim), CAD_MEM_OTHER);
    if (!sim) return CAD_E_NOMEM;
    sim->alloc = alloc;
    sim->config = *config;
    sim->sink_wake = CAD_TIME_NONE;
    cad_sim_faults_init(&sim->faults, config->seed, config->fault_every);
    int err = create_parts(sim);
    if (err) {
        cad_sim_destroy(&sim);
        return err;
    }
    *out = sim;
    return 0;
}

void cad_sim_destroy(struct cad_sim **sim)
{
    if (!sim || !*sim) return;
    struct cad_sim *s = *sim;
    if (s->transport) s->transport->ops->destroy(s->transport);
    if (s->sink) s->sink->ops->destroy(s->sink);
    cad_engine_destroy(&s->engine);
    cad_alloc_free(&s->alloc, s->events, s->events_cap * sizeof(*s->events), CAD_MEM_OTHER);
    struct cad_alloc alloc = s->alloc;
    cad_alloc_free(&alloc, s, sizeof(*s), CAD_MEM_OTHER);
    *sim = NULL;
}

/* ---- the caller's side --------------------------------------------------------------------- */

int cad_sim_add_link(struct cad_sim *sim, const struct cad_trace *trace, uint32_t *index)
{
    if (!trace || trace->count == 0) return CAD_E_INVAL;
    return cad_sim_net_add_link(sim->net, trace, index);
}

int cad_sim_add_host(struct cad_sim *sim, const char *name, uint32_t link)
{
    return cad_sim_net_add_host(sim->net, cad_str_from(name), link);
}

void cad_sim_set_origin(struct cad_sim *sim, const struct cad_origin_ops *ops, void *ctx)
{
    cad_sim_net_set_origin(sim->net, ops, ctx);
}

int cad_sim_host_fault(struct cad_sim *sim, const char *name, enum cad_host_fault fault,
                       int64_t value)
{
    return cad_sim_net_fault(sim->net, cad_str_from(name), fault, value);
}

int cad_sim_online(struct cad_sim *sim, bool online)
{
    cad_sim_net_online(sim->net, online);
    struct cad_event event = {.type = CAD_EVENT_NET_CHANGE};
    event.u.net.online = online;
    sim->turn_due = true;
    return cad_tape_feed(sim->config.tape, sim->engine, &event);
}

void cad_sim_sink_mode(struct cad_sim *sim, enum cad_sink_mode mode, int64_t parameter_ppm)
{
    cad_vsink_mode(sim->sink, mode, parameter_ppm, sim->now);
}

int cad_sim_command(struct cad_sim *sim, const struct cad_command *command)
{
    struct cad_event event = {.type = CAD_EVENT_COMMAND};
    event.u.command = *command;
    sim->turn_due = true;
    return cad_tape_feed(sim->config.tape, sim->engine, &event);
}

cad_time cad_sim_now(const struct cad_sim *sim)
{
    return sim->now;
}

int cad_sim_poll(struct cad_sim *sim, struct cad_app_event *out)
{
    if (sim->events_count == 0) return CAD_E_AGAIN;
    *out = sim->events[sim->events_head];
    sim->events_head = (sim->events_head + 1) % sim->events_cap;
    sim->events_count--;
    return 0;
}

void cad_sim_stats(const struct cad_sim *sim, struct cad_engine_stats *out)
{
    cad_engine_stats(sim->engine, out);
}

uint32_t cad_sim_tracks(const struct cad_sim *sim, struct cad_track_info *out, uint32_t max)
{
    return cad_engine_tracks(sim->engine, out, max);
}

cad_time cad_sim_underrun_time(const struct cad_sim *sim)
{
    return cad_vsink_underrun_time(sim->sink, sim->now);
}

void cad_sim_on_access(struct cad_sim *sim, cad_sim_access_fn fn, void *ctx)
{
    sim->access = fn;
    sim->access_ctx = ctx;
    cad_sim_net_on_access(sim->net, fn, ctx);
}
