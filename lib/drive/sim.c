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
#include "cadmium/unlock.h"

#include "base/assert.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/sim_cdm.h"
#include "drive/sim_faults.h"
#include "drive/sim_net.h"
#include "drive/vsink.h"

#define TURNS_MAX 10000u         /* turns of the engine at one instant: more is a livelock */
#define EVENTS_MAX (1u << 16)    /* app events that nobody has polled */
#define EVENTS_FIRST 64u
#define ENTROPY_FIRST 256        /* bytes given at the start */
#define ENTROPY_MORE 64          /* and again with each request that used some up */
#define STORE_REFUSED_MAX 16u     /* orders to the store that wait to be told as refused */
#define CLOCK_ERROR_MS 1000      /* what the device claims its wall clock to be good for */

struct cad_sim {
    struct cad_sim_config config;
    struct cad_alloc alloc;
    struct cad_engine *engine;
    struct cad_sim_net *net;
    struct cad_transport *transport;
    struct cad_sink *sink;
    struct cad_sim_cdm *cdm;     /* NULL: there is none */
    struct cad_unlock *unlock;
    struct cad_sample held[CAD_ENGINE_SLOTS]; /* pulled, and waits for its key; ref NULL: none */
    cad_time store_at;           /* answers of the store are due; CAD_TIME_NONE: none is awaited */
    struct cad_store_done refused[STORE_REFUSED_MAX]; /* orders that the store did not take */
    uint32_t refused_count;
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
    config->key_system = CAD_STR("org.w3.clearkey");
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

/* What the sink takes is clear: a sample whose key is missing waits here, and all behind it. */
static int source_pull(void *ctx, uint32_t slot, struct cad_sample *out)
{
    struct cad_sim *sim = ctx;
    struct cad_sample *held = &sim->held[slot];
    for (;;) {
        int rc = 0;
        if (held->ref) *out = *held;
        else rc = cad_tape_pull(sim->config.tape, sim->engine, slot, out);
        held->ref = NULL;
        if (rc) return rc;
        rc = cad_unlock_sample(sim->unlock, slot, out);
        struct cad_event fail = {.type = CAD_EVENT_SINK_FAIL};
        if (cad_unlock_take_fail(sim->unlock, &fail.u.fail)) feed(sim, &fail);
        if (rc == CAD_E_DATA) continue;
        if (rc == CAD_E_AGAIN) *held = *out;
        return rc;
    }
}

static void drop_held(struct cad_sim *sim)
{
    for (size_t i = 0; i < CAD_ENGINE_SLOTS; i++) {
        if (sim->held[i].ref) cad_sample_release(&sim->held[i]);
    }
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
    if (start->post) note_error(sim, feed_entropy(sim, ENTROPY_MORE)); /* it has drawn an id */
    note_error(sim, sim->transport->ops->start(sim->transport, start));
    if (!sim->access) return;
    struct cad_engine_stats stats;
    cad_engine_stats(sim->engine, &stats);
    cad_sim_net_note(sim->net, start->id, stats.slot[CAD_SLOT_VIDEO].ahead);
}

/* An order that is refused is answered as if it had been carried out in vain. */
static void order_store(struct cad_sim *sim, const struct cad_store_order *order)
{
    const struct cad_store *store = &sim->config.store;
    int rc = CAD_E_UNSUPPORTED;
    if (store->ops) {
        switch (order->call) {
        case CAD_STORE_PUT:
            rc = store->ops->put(store->self, order->id, order->key, order->value, order->flags);
            break;
        case CAD_STORE_GET: rc = store->ops->get(store->self, order->id, order->key); break;
        case CAD_STORE_DELETE: rc = store->ops->del(store->self, order->id, order->key); break;
        case CAD_STORE_LIST: rc = store->ops->list(store->self, order->id, order->key); break;
        }
    }
    if (rc && sim->refused_count == STORE_REFUSED_MAX) {
        note_error(sim, CAD_E_LIMIT);
    } else if (rc) {
        sim->refused[sim->refused_count++] =
            (struct cad_store_done){.id = order->id, .call = order->call, .result = rc};
    }
    if (sim->store_at == CAD_TIME_NONE) {
        sim->store_at = cad_time_add(sim->now, sim->config.store_latency);
    }
}

static void call_cdm(struct cad_sim *sim, const struct cad_cdm_call *call)
{
    if (sim->cdm) {
        note_error(sim, cad_sim_cdm_call(sim->cdm, call));
        return;
    }
    if (call->type == CAD_CDM_CALL_TIMER) return;
    struct cad_event event = {.type = CAD_EVENT_CDM};
    event.u.cdm = (struct cad_cdm_event){.size = sizeof(event.u.cdm), .type = CAD_CDM_EVENT_DONE,
                                         .tag = call->tag, .result = CAD_E_UNSUPPORTED};
    feed(sim, &event);
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
            drop_held(sim);
            sim->sink->ops->flush(sim->sink, action.u.flush.epoch, action.u.flush.position,
                                  sim->now);
            break;
        case CAD_ACTION_APP_EVENT:
            keep_event(sim, &action.u.app);
            break;
        case CAD_ACTION_CDM_CALL:
            call_cdm(sim, &action.u.cdm);
            break;
        case CAD_ACTION_STORE:
            order_store(sim, &action.u.store);
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

/* What the CDM tells and the store answers, where it is due. */
static void pump_services(struct cad_sim *sim)
{
    struct cad_event event = {.type = CAD_EVENT_CDM};
    while (sim->cdm && cad_sim_cdm_take(sim->cdm, &event.u.cdm)) feed(sim, &event);
    if (sim->store_at == CAD_TIME_NONE || sim->store_at > sim->now) return;
    sim->store_at = CAD_TIME_NONE;
    event = (struct cad_event){.type = CAD_EVENT_STORE_DONE};
    for (uint32_t i = 0; i < sim->refused_count; i++) {
        event.u.store = sim->refused[i];
        feed(sim, &event);
    }
    sim->refused_count = 0;
    const struct cad_store *store = &sim->config.store;
    while (store->ops && store->ops->poll(store->self, &event.u.store) == 0) feed(sim, &event);
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
    pump_services(sim);
    step_sink(sim);
    for (uint32_t turns = 0; is_turn_due(sim); turns++) {
        if (turns == TURNS_MAX) return CAD_E_LIMIT;
        sim->turn_due = false;
        int more = cad_tape_run(sim->config.tape, sim->engine, sim->now);
        do_actions(sim);
        if (more < 0) return more;
        if (more > 0) sim->turn_due = true;
        pump_net(sim);
        pump_services(sim);
        step_sink(sim);
        if (sim->error) return sim->error;
    }
    return sim->error;
}

static bool is_over(const struct cad_sim *sim)
{
    bool last = sim->state == CAD_STATE_ENDED || sim->state == CAD_STATE_FAILED ||
                sim->state == CAD_STATE_STOPPED;
    bool waits = sim->store_at != CAD_TIME_NONE;
    return last && !waits && cad_sim_net_in_flight(sim->net) == 0;
}

static void jump(struct cad_sim *sim, cad_time to)
{
    if (to <= sim->now) return;
    sim->now = to;
    cad_sim_net_advance(sim->net, to);
    if (sim->cdm) cad_sim_cdm_advance(sim->cdm, to);
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

/* lingers: whether it is over does not matter. */
static int run(struct cad_sim *sim, cad_time until, bool lingers)
{
    uint32_t still = 0;
    for (;;) {
        int err = settle(sim);
        if (err) return err;
        if (!lingers && is_over(sim)) return 1;
        cad_time next = cad_time_earlier(cad_sim_net_next(sim->net), sim->sink_wake);
        next = cad_time_earlier(next, cad_engine_next_wake(sim->engine));
        next = cad_time_earlier(next, cad_sim_faults_next(&sim->faults));
        next = cad_time_earlier(next, sim->store_at);
        if (sim->cdm) next = cad_time_earlier(next, cad_sim_cdm_next(sim->cdm));
        if (next == CAD_TIME_NONE || next > until) break;
        still = next > sim->now ? 0 : still + 1;
        if (still > TURNS_MAX) return CAD_E_LIMIT;
        jump(sim, next);
        strike(sim);
    }
    if (until != CAD_TIME_MAX) jump(sim, until);
    return 0;
}

int cad_sim_run(struct cad_sim *sim, cad_time until)
{
    return run(sim, until, false);
}

int cad_sim_linger(struct cad_sim *sim, cad_time until)
{
    return run(sim, until, true);
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
    err = cad_tape_feed(sim->config.tape, sim->engine, &event);
    if (err || !sim->cdm) return err;
    event = (struct cad_event){.type = CAD_EVENT_CDM_CAPS};
    event.u.cdm_caps = sim->config.cdm->caps(cad_sim_cdm_instance(sim->cdm));
    return cad_tape_feed(sim->config.tape, sim->engine, &event);
}

static int create_cdm(struct cad_sim *sim)
{
    const struct cad_sim_config *c = &sim->config;
    if (!c->cdm) return cad_unlock_create(&sim->alloc, NULL, NULL, &sim->unlock);
    const struct cad_sim_cdm_config config = {
        .ops = c->cdm, .key_system = c->key_system, .latency = c->cdm_latency,
        .wall_ms = c->wall_ms + c->device_clock_error_ms, .seed = c->seed, .log = c->engine.log};
    int err = cad_sim_cdm_create(&sim->alloc, &config, &sim->cdm);
    if (err) return err;
    struct cad_cdm *cdm = cad_sim_cdm_instance(sim->cdm);
    return cad_unlock_create(&sim->alloc, c->cdm, cdm, &sim->unlock);
}

/* Carry out what an earlier user ordered; nobody hears of it. */
static void settle_store(const struct cad_store *store)
{
    struct cad_store_done done;
    while (store->ops && store->ops->poll(store->self, &done) == 0) {}
}

static int create_parts(struct cad_sim *sim)
{
    struct cad_sim_config *c = &sim->config;
    if (!c->store.ops) c->engine.telemetry.store = false;
    settle_store(&c->store);
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
    err = create_cdm(sim);
    return err ? err : introduce(sim);
}

int cad_sim_create(const struct cad_sim_config *config, struct cad_sim **out)
{
    if (!config || config->size < sizeof(*config) || !out) return CAD_E_INVAL;
    if (config->anchor_period <= 0 || config->fault_every < 0) return CAD_E_INVAL;
    if (config->cdm_latency < 0 || config->store_latency < 0) return CAD_E_INVAL;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sim *sim = cad_alloc_new(&alloc, sizeof(*sim), CAD_MEM_OTHER);
    if (!sim) return CAD_E_NOMEM;
    sim->alloc = alloc;
    sim->config = *config;
    sim->sink_wake = sim->store_at = CAD_TIME_NONE;
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
    drop_held(s);
    cad_unlock_destroy(&s->unlock);
    cad_sim_cdm_destroy(&s->cdm);
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

void cad_sim_text(const struct cad_sim *sim, struct cad_sim_text *out)
{
    out->documents = cad_vsink_documents(sim->sink);
    cad_str_copyz(out->lang, sizeof(out->lang), cad_str_from(cad_vsink_text(sim->sink)));
}
