#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "drive/clock.h"
#include "drive/file.h"
#include "drive/net.h"
#include "drive/net_probes.h"
#include "drive/player_impl.h"

/* ---- the door: from transports to the engine ------------------------------------------------- */

static void door_head(void *ctx, const struct cad_http_head *head)
{
    struct cad_player *p = ctx;
    struct cad_event event = {.type = CAD_EVENT_HTTP_HEAD, .u.head = *head};
    event.u.head.id &= ~PLAYER_TAG;
    /* A head takes effect at the door and is never queued. */
    if (cad_pair_feed(p, cad_pair_engine(p, head->id), &event)) {
        CAD_LOG(&p->log, WARN, p->drive.now, "drive: head lost id=%u", head->id);
    }
}

static int door_lease(void *ctx, uint32_t id, size_t want, uint8_t **data, size_t *capacity)
{
    struct cad_player *p = ctx;
    struct cad_engine *engine = cad_pair_engine(p, id);
    struct cad_tape_lease lease = {.id = id & ~PLAYER_TAG, .want = want};
    if (!engine) return CAD_E_STALE;
    int rc = cad_tape_lease(cad_pair_tape(p, engine), engine, &lease);
    *data = lease.data;
    *capacity = lease.capacity;
    return rc;
}

static int door_commit(void *ctx, uint32_t id, size_t n, cad_time at)
{
    struct cad_player *p = ctx;
    struct cad_engine *engine = cad_pair_engine(p, id);
    if (!engine) return CAD_E_STALE;
    p->drive.fed = true;
    return cad_tape_commit(cad_pair_tape(p, engine), engine, id & ~PLAYER_TAG, n, at);
}

/* An end must not be lost: it waits here if the engine's queue is full. */
static void door_end(void *ctx, const struct cad_http_end *end)
{
    struct cad_player *p = ctx;
    p->drive.fed = true;
    if (cad_ring_push(&p->drive.ends, end)) {
        CAD_LOG(&p->log, ERROR, p->drive.now, "drive: end lost id=%u", end->id);
    }
}

static int join(struct cad_player *p, struct cad_transport *transport)
{
    transport->door = (struct cad_transport_door){p, door_head, door_lease, door_commit, door_end};
    return cad_loop_add(&p->loop, transport->fd);
}

static struct cad_net_config net_config(const struct cad_player *p)
{
    return (struct cad_net_config){.alloc = p->alloc,
                                   .log = p->log,
                                   .ca_file = p->ca_file.z,
                                   .proxy = p->proxy.z,
                                   .key_log = p->key_log.z};
}

static void drop(struct cad_transport **transport)
{
    if (*transport) (*transport)->ops->destroy(*transport);
    *transport = NULL;
}

static int make_probes(struct cad_player *p)
{
    struct cad_net_config net = net_config(p);
    int err = cad_net_probes_create(&net, &p->drive.probes);
    if (!err) err = join(p, p->drive.probes);
    if (err) drop(&p->drive.probes);
    return err;
}

/* ---- feeding --------------------------------------------------------------------------------- */

static void feed(struct cad_player *p, const struct cad_event *event)
{
    int err = cad_tape_feed(p->tape, p->drive.engine, event);
    if (err) {
        CAD_LOG(&p->log, WARN, p->drive.now, "drive: event lost type=%d result=%s",
                (int)event->type, cad_result_name(err));
    }
    p->drive.fed = true;
}

void cad_player_feed_entropy(struct cad_player *p, struct cad_engine *engine, size_t n)
{
    uint8_t bytes[PLAYER_ENTROPY_START];
    size_t have = 0;
    while (have < n) {
        ssize_t got = getrandom(bytes + have, n - have, 0);
        if (got > 0) have += (size_t)got;
        else if (errno != EINTR) break;
    }
    struct cad_event event = {.type = CAD_EVENT_ENTROPY, .u.entropy = {bytes, have}};
    int err = have ? cad_pair_feed(p, engine, &event) : CAD_E_IO;
    if (err) {
        CAD_LOG(&p->log, WARN, p->drive.now, "drive: no entropy result=%s", cad_result_name(err));
    }
    explicit_bzero(bytes, sizeof bytes);
}

/* The device's clock, for what it is worth: it is believed until a server tells the time. */
static void feed_wall(struct cad_player *p)
{
    if (p->drive.now < p->drive.wall_at) return;
    struct cad_event event = {.type = CAD_EVENT_WALL_OFFSET};
    event.u.wall.offset_ms = cad_clock_wall_ms() - p->drive.now / CAD_MS;
    event.u.wall.error_ms = INT64_MAX;
    cad_pair_tell(p, &event);
    p->drive.wall_at = cad_time_add(p->drive.now, PLAYER_WALL_PERIOD);
}

static void feed_network(struct cad_player *p)
{
    struct cad_event event = {.type = CAD_EVENT_NET_CHANGE};
    if (cad_player_network_changed(p, &event.u.net.online)) cad_pair_tell(p, &event);
}

static void feed_ends(struct cad_player *p)
{
    struct cad_http_end *end;
    while ((end = cad_ring_peek(&p->drive.ends)) != NULL) {
        struct cad_event event = {.type = CAD_EVENT_HTTP_END, .u.end = *end};
        event.u.end.id &= ~PLAYER_TAG;
        if (cad_pair_feed(p, cad_pair_engine(p, end->id), &event)) return;
        (void)cad_ring_pop(&p->drive.ends, NULL);
    }
}

/* Of the engine that plays, and not of the one that did before. */
static bool is_of_stage(const struct cad_player *p, uint32_t epoch)
{
    return (int32_t)(epoch - p->drive.pair.first_epoch) >= 0;
}

static void feed_level(struct cad_player *p, const struct cad_sink_level *level)
{
    struct player_pair *pair = &p->drive.pair;
    struct cad_event event = {.type = CAD_EVENT_SINK_LEVEL, .u.level = *level};
    pair->seen = (struct player_frames){level->frames, level->dropped};
    if (!is_of_stage(p, level->epoch)) return;
    event.u.level.epoch -= pair->epoch_base;
    event.u.level.frames -= pair->base.frames;
    event.u.level.dropped -= pair->base.dropped;
    feed(p, &event);
}

static void feed_reports(struct cad_player *p)
{
    struct cad_mail_reports reports;
    cad_mailbox_take_reports(&p->mailbox, &reports);
    struct cad_event event = {.type = CAD_EVENT_SINK_CAPS};
    if (reports.has_caps) {
        event.u.caps = reports.caps;
        cad_pair_tell(p, &event);
    }
    if (reports.has_anchor && is_of_stage(p, reports.anchor.epoch)) {
        event.type = CAD_EVENT_SINK_ANCHOR;
        event.u.anchor = reports.anchor;
        event.u.anchor.epoch -= p->drive.pair.epoch_base;
        feed(p, &event);
    }
    if (reports.has_level) feed_level(p, &reports.level);
    for (uint32_t i = 0; i < reports.fail_count; i++) {
        event.type = CAD_EVENT_SINK_FAIL;
        event.u.fail = reports.fails[i];
        feed(p, &event);
    }
}

/* ---- what the application is told ------------------------------------------------------------ */

bool cad_player_tell(struct cad_player *p, const struct cad_app_event *event)
{
    if (event->type == CAD_APP_STATE) p->drive.pair.state_told = event->state;
    if (cad_player_events_push(p, event) == 0) {
        if (p->wakeup) p->wakeup(p->wakeup_ctx);
        return true;
    }
    p->drive.event = *event;
    p->drive.has_event = true;
    CAD_LOG(&p->log, DEBUG, p->drive.now, "drive: event queue full");
    return false;
}

/* A command that could not even be handed over for want of memory is answered all the same. */
static bool tell_no_memory(struct cad_player *p, const struct cad_command *command)
{
    struct cad_app_event event;
    memset(&event, 0, sizeof event);
    event.type = CAD_APP_ERROR;
    event.ticket = command->ticket;
    event.at = p->drive.now;
    event.position = event.duration = CAD_TIME_NONE;
    cad_error_init(&event.error, CAD_ERR_OUT_OF_MEMORY);
    return cad_player_tell(p, &event);
}

/* For the names of a title that begins. */
static void feed_title_entropy(struct cad_player *p, enum cad_command_type type)
{
    if (type != CAD_COMMAND_LOAD && type != CAD_COMMAND_PREPARE) return;
    cad_player_feed_entropy(p, p->drive.engine, PLAYER_ENTROPY_FRESH);
    struct cad_engine *spare = p->drive.pair.spare;
    if (spare) cad_player_feed_entropy(p, spare, PLAYER_ENTROPY_FRESH);
}

static void feed_commands(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    while (d->has_held || cad_mailbox_take(&p->mailbox, &d->held)) {
        struct cad_event event = {.type = CAD_EVENT_COMMAND, .u.command = d->held.command};
        int err = cad_pair_command(p, &event);
        d->has_held = err == CAD_E_LIMIT;
        if (d->has_held) return;
        feed_title_entropy(p, event.u.command.type);
        cad_mail_release(&p->mailbox, &d->held);
        if (err && !tell_no_memory(p, &event.u.command)) return;
    }
}

/* ---- actions --------------------------------------------------------------------------------- */

static struct cad_transport *route(struct cad_player *p, cad_str url)
{
    return cad_file_is_url(url) ? p->drive.file : p->drive.net;
}

/* Probes have connections of their own, made when the first one goes out; NULL: no memory. */
static struct cad_transport *probes(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    if (!d->probes && d->net && make_probes(p)) {
        CAD_LOG(&p->log, WARN, d->now, "drive: no transport for probes");
    }
    return d->probes;
}

static void start(struct cad_player *p, const struct cad_http_start *request, uint32_t tag)
{
    struct cad_http_start wire = *request;
    wire.id |= tag;
    wire.group |= tag;
    bool probe = request->purpose == CAD_PURPOSE_PROBE;
    struct cad_transport *transport = probe ? probes(p) : route(p, request->url);
    int err = transport ? transport->ops->start(transport, &wire) : CAD_E_UNSUPPORTED;
    if (request->post) {
        cad_player_feed_entropy(p, cad_pair_engine(p, tag), PLAYER_ENTROPY_FRESH);
    }
    if (!err) return;
    /* No transfer came of it, so its end is told here: the engine tries again or gives up. */
    struct cad_http_end end = {
        .id = wire.id,
        .cls = err == CAD_E_UNSUPPORTED ? CAD_HTTP_SCHEME : CAD_HTTP_RESET,
        .edge_code = err,
        .dns = CAD_TIME_NONE,
        .connect = CAD_TIME_NONE,
        .tls = CAD_TIME_NONE,
        .first_byte = CAD_TIME_NONE,
        .last_byte = CAD_TIME_NONE,
    };
    CAD_LOG(&p->log, WARN, p->drive.now, "drive: not started id=%u result=%s", request->id,
            cad_result_name(err));
    door_end(p, &end);
}

static void cancel(struct cad_player *p, uint32_t id)
{
    if (p->drive.net) p->drive.net->ops->cancel(p->drive.net, id);
    if (p->drive.probes) p->drive.probes->ops->cancel(p->drive.probes, id);
    p->drive.file->ops->cancel(p->drive.file, id);
}

static void warm(struct cad_player *p, const struct cad_http_warm *warm)
{
    struct cad_transport *transport = route(p, warm->url);
    if (transport && transport->ops->warm) transport->ops->warm(transport, warm);
}

void cad_player_act(struct cad_player *p, const struct cad_action *action, uint32_t tag)
{
    struct cad_cdm_call call;
    switch (action->type) {
    case CAD_ACTION_HTTP_START: start(p, &action->u.start, tag); break;
    case CAD_ACTION_HTTP_CANCEL: cancel(p, action->u.cancel.id | tag); break;
    case CAD_ACTION_HTTP_WARM: warm(p, &action->u.warm); break;
    case CAD_ACTION_CDM_CALL:
        call = action->u.cdm;
        if (call.tag.session) call.tag.session |= tag;
        if (p->cdm) cad_cdm_desk_call(p->cdm, &call);
        break;
    case CAD_ACTION_STORE: cad_player_order(p, &action->u.store, tag); break;
    default: break;
    }
}

/* Does what the engine says. False: an event had no room, the rest is polled later. */
static bool poll_actions(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    struct cad_action action;
    bool room = cad_pair_news(p);
    while (room && cad_tape_poll(p->tape, d->engine, &action) == 0) {
        switch (action.type) {
        case CAD_ACTION_SINK_CONFIG:
            action.u.sink.epoch += d->pair.epoch_base;
            d->epoch = action.u.sink.epoch;
            cad_orders_config(&d->orders, &action.u.sink);
            break;
        case CAD_ACTION_SINK_FLUSH:
            d->epoch = action.u.flush.epoch + d->pair.epoch_base;
            memset(d->ended, 0, sizeof d->ended);
            cad_orders_flush(&d->orders, d->epoch, action.u.flush.position);
            break;
        case CAD_ACTION_APP_EVENT: room = cad_player_tell(p, &action.u.app); break;
        default: cad_player_act(p, &action, d->pair.tag); break;
        }
    }
    if (!room) return false;
    /* All of a turn at once, so that the sink never acts on half of it. */
    cad_orderbox_post(&p->orderbox, &d->orders);
    memset(&d->orders, 0, sizeof d->orders);
    return true;
}

/* ---- samples --------------------------------------------------------------------------------- */

/* True: the sink's thread waits for what was put in. */
static bool fill_ring(struct cad_player *p, uint32_t slot)
{
    struct player_drive *d = &p->drive;
    bool wake = false;
    while (!cad_spsc_full(&p->rings[slot])) {
        struct cad_spsc_item item;
        memset(&item, 0, sizeof item);
        item.result = cad_tape_pull(p->tape, d->engine, slot, &item.sample);
        bool end = item.result == CAD_E_END;
        if (item.result != 0 && item.result != CAD_E_CONFIG && !end) break;
        if (end && d->ended[slot]) break;
        d->ended[slot] = end;
        if (end) memset(&item.sample, 0, sizeof item.sample);
        item.sample.epoch = d->epoch;
        if (cad_spsc_push(&p->rings[slot], &item) == 1) wake = true;
        if (end) break;
    }
    return wake;
}

static void fill_rings(struct cad_player *p)
{
    bool wake = false;
    for (uint32_t slot = 0; slot < CAD_ENGINE_SLOTS; slot++) {
        if (fill_ring(p, slot)) wake = true;
    }
    if (wake) cad_orderbox_signal(&p->orderbox);
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void publish_stats(struct cad_player *p)
{
    struct cad_engine_stats stats;
    struct player_pair *pair = &p->drive.pair;
    cad_engine_stats(p->drive.engine, &stats);
    cad_pair_figures(p, &stats);
    pthread_mutex_lock(&p->stats_mutex);
    if (stats.tracks_version != p->stats.tracks_version || pair->tracks_stale) {
        pair->tracks_stale = false;
        p->rung_count = cad_engine_rungs(p->drive.engine, p->rungs, CAD_ABR_RUNGS_MAX);
        p->track_count = cad_engine_tracks(p->drive.engine, p->tracks, CAD_TRACK_LIST_MAX);
    }
    p->stats = stats;
    pthread_mutex_unlock(&p->stats_mutex);
}

/* What waits for room in the event queue goes first: no turn is taken over its head. */
static bool unblock(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    if (!d->has_event) return true;
    struct cad_app_event event = d->event;
    d->has_event = false;
    return cad_player_tell(p, &event) && poll_actions(p) && cad_pair_poll(p);
}

/* One turn of the engine. True: another one is due at once. */
static bool turn(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    d->now = cad_clock_now();
    d->fed = false;
    feed_ends(p);
    cad_player_feed_cdm(p);
    cad_player_feed_store(p);
    feed_reports(p);
    feed_commands(p);
    feed_wall(p);
    feed_network(p);
    if (d->has_event || d->broken) return false;
    int more = cad_tape_run(p->tape, d->engine, d->now);
    if (more < 0) {
        d->broken = true;
        CAD_LOG(&p->log, ERROR, d->now, "drive: engine broken result=%s", cad_result_name(more));
    }
    d->fed = false;
    if (more >= 0 && d->has_stored) cad_player_feed_store(p); /* before an order ends its views */
    publish_stats(p); /* first: who reads an event finds figures that are not older */
    bool room = poll_actions(p);
    fill_rings(p);
    bool more_of_spare = room && cad_pair_turn(p);
    if (more_of_spare) more = 1;
    return room && !d->has_event && (more == 1 || d->has_held || cad_ring_count(&d->ends) > 0);
}

static cad_time pump(struct cad_player *p)
{
    struct cad_transport *const all[] = {p->drive.file, p->drive.net, p->drive.probes};
    cad_time wake = CAD_TIME_NONE;
    for (size_t i = 0; i < CAD_ARRAY_LEN(all); i++) {
        if (all[i]) wake = cad_time_earlier(wake, all[i]->ops->pump(all[i]));
    }
    return wake;
}

static void drive_once(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    cad_player_sleep(p);
    if (!unblock(p)) {
        cad_loop_wait(&p->loop, CAD_TIME_NONE); /* the reader of events wakes it, or the end */
        return;
    }
    bool more = true;
    for (int i = 0; more && i < PLAYER_TURNS_MAX && !atomic_load(&p->stop); i++) more = turn(p);
    if (d->has_event) return;
    cad_time wake = pump(p);
    if (more || d->fed) return;
    if (!d->broken) {
        cad_time due = cad_time_earlier(cad_engine_next_wake(d->engine), cad_pair_wake(p));
        if (due != CAD_TIME_NONE) due = CAD_MAX(due, cad_time_add(d->now, PLAYER_WAKE_FLOOR));
        wake = cad_time_earlier(wake, due);
        wake = cad_time_earlier(wake, d->wall_at);
        wake = cad_time_earlier(wake, cad_player_edges_wake(p));
    }
    cad_loop_wait(&p->loop, wake);
}

/* Of an engine that nobody plays any more only keys and the store are served. */
static void poll_farewell(struct cad_player *p, struct cad_engine *engine)
{
    struct cad_action action;
    uint32_t tag = p->drive.pair.tag ^ (engine == p->drive.engine ? 0 : PLAYER_TAG);
    while (cad_tape_poll(cad_pair_tape(p, engine), engine, &action) == 0) {
        bool served = action.type == CAD_ACTION_CDM_CALL || action.type == CAD_ACTION_STORE;
        if (served) cad_player_act(p, &action, tag);
    }
}

/* 1: another turn is due. */
static int run_farewell(struct cad_player *p, struct cad_engine *engine, bool broken)
{
    if (!engine || broken) return 0;
    int more = cad_tape_run(cad_pair_tape(p, engine), engine, p->drive.now);
    if (more >= 0) poll_farewell(p, engine);
    return more;
}

/*
 * The session ends as if it were stopped: what is to be told of that is in the store when the
 * player is gone, and goes out with the next one. A slow disk is given a short time; what was
 * ordered then is carried out behind it.
 */
static void farewell(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    const struct cad_event stop = {.type = CAD_EVENT_COMMAND,
                                   .u.command = {.type = CAD_COMMAND_STOP}};
    cad_time until = cad_time_add(cad_clock_now(), PLAYER_FAREWELL);
    bool told = false;
    for (int i = 0; i < PLAYER_FAREWELL_TURNS; i++) {
        d->now = cad_clock_now();
        cad_player_feed_cdm(p);
        cad_player_feed_store(p);
        if (!told) told = cad_pair_command(p, &stop) == 0;
        int more = run_farewell(p, d->engine, d->broken);
        int more_of_spare = run_farewell(p, d->pair.spare, d->pair.broken);
        if (d->now >= until) return;
        if (more == 1 || more_of_spare == 1 || !told) continue;
        if (d->orders_open == 0) return;
        cad_loop_wait(&p->loop, cad_time_add(d->now, CAD_MS));
    }
}

void *cad_player_drive_main(void *player)
{
    struct cad_player *p = player;
    /* The application's signals are its own; a SIGPIPE of a TLS write stays pending here. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_setname_np(pthread_self(), "cadmium-drive");
    p->drive.now = cad_clock_now();
    cad_player_feed_caps(p);
    cad_player_feed_entropy(p, p->drive.engine, PLAYER_ENTROPY_START);
    while (!atomic_load(&p->stop)) drive_once(p);
    drop(&p->drive.net);
    drop(&p->drive.probes);
    farewell(p);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

int cad_player_drive_init(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    d->now = d->wall_at = cad_clock_now();
    int err = cad_ring_init(&d->ends, &p->alloc, CAD_MEM_SESSION, sizeof(struct cad_http_end),
                            PLAYER_ENDS_MAX);
    if (err) return err;
    struct cad_file_config file = {p->alloc, p->log};
    err = cad_file_create(&file, &d->file);
    if (!err) err = join(p, d->file);
    if (err || p->offline) return err;
    struct cad_net_config net = net_config(p);
    err = cad_net_create(&net, &d->net);
    return err ? err : join(p, d->net);
}

void cad_player_drive_deinit(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    if (d->has_held) cad_mail_release(&p->mailbox, &d->held);
    drop(&d->net);
    drop(&d->probes);
    drop(&d->file);
    cad_ring_deinit(&d->ends);
}
