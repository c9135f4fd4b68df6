/*
 * Two engines: one plays, the other one has a title prepared, or what it has left to tell.
 *
 * The second one is made when a title is to be prepared while another one is loaded, and stays. The
 * two share transports, CDM and store: what numbers requests, sessions and orders has a bit that
 * tells whose they are. Only the one that plays has to do with the sink; when the other one takes
 * its place, epochs go on rising for the sink, whatever the engines count.
 */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/clock.h"
#include "drive/player_impl.h"

/* ---- the configuration of an engine that may come later -------------------------------------- */

/* Texts of a configuration, which are borrowed for the call that makes an engine. */
static const size_t texts[] = {
    offsetof(struct cad_engine_config, app_name),
    offsetof(struct cad_engine_config, app_version),
    offsetof(struct cad_engine_config, platform),
    offsetof(struct cad_engine_config, language),
    offsetof(struct cad_engine_config, audio_language),
    offsetof(struct cad_engine_config, text_language),
    offsetof(struct cad_engine_config, licence_url),
    offsetof(struct cad_engine_config, telemetry.event_url),
    offsetof(struct cad_engine_config, telemetry.log_url),
    offsetof(struct cad_engine_config, telemetry.client_type),
    offsetof(struct cad_engine_config, telemetry.ui_version),
    offsetof(struct cad_engine_config, telemetry.ui_name),
    offsetof(struct cad_engine_config, telemetry.os_name),
    offsetof(struct cad_engine_config, telemetry.os_version),
    offsetof(struct cad_engine_config, telemetry.device),
    offsetof(struct cad_engine_config, telemetry.device_model),
    offsetof(struct cad_engine_config, telemetry.group),
    offsetof(struct cad_engine_config, telemetry.languages),
    offsetof(struct cad_engine_config, ftl.endpoint),
    offsetof(struct cad_engine_config, ftl.device),
};

static cad_str *text_at(struct cad_engine_config *config, size_t i)
{
    return (cad_str *)(void *)((char *)config + texts[i]);
}

int cad_pair_init(struct cad_player *p, const struct cad_engine_config *config)
{
    struct player_pair *pair = &p->drive.pair;
    pair->config = *config;
    size_t n = 1 + config->licence.n;
    for (size_t i = 0; i < CAD_ARRAY_LEN(texts); i++) n += text_at(&pair->config, i)->n;
    pair->text = cad_alloc_new(&p->alloc, n, CAD_MEM_SESSION);
    if (!pair->text) return CAD_E_NOMEM;
    pair->text_size = n;
    char *at = pair->text;
    for (size_t i = 0; i < CAD_ARRAY_LEN(texts); i++) {
        cad_str *text = text_at(&pair->config, i);
        if (text->n) memcpy(at, text->p, text->n);
        text->p = at;
        at += text->n;
    }
    if (config->licence.n) memcpy(at, config->licence.p, config->licence.n);
    pair->config.licence.p = (const uint8_t *)at;
    pair->rate_q16 = 65536;
    pair->rung = -1;
    pair->online = true;
    return 0;
}

static void forget_title(struct cad_player *p)
{
    struct player_pair *pair = &p->drive.pair;
    cad_mail_release(&p->mailbox, &pair->title);
    memset(&pair->title, 0, sizeof pair->title);
    pair->has_title = pair->told = false;
}

void cad_pair_deinit(struct cad_player *p)
{
    struct player_pair *pair = &p->drive.pair;
    if (pair->has_title) forget_title(p);
    cad_engine_destroy(&pair->spare);
    if (pair->text) explicit_bzero(pair->text, pair->text_size); /* there may be a licence in it */
    cad_alloc_free(&p->alloc, pair->text, pair->text_size, CAD_MEM_SESSION);
    pair->text = NULL;
}

/* ---- whose is it ----------------------------------------------------------------------------- */

struct cad_engine *cad_pair_engine(const struct cad_player *p, uint32_t number)
{
    const struct player_drive *d = &p->drive;
    return (number & PLAYER_TAG) == d->pair.tag ? d->engine : d->pair.spare;
}

struct cad_tape_recorder *cad_pair_tape(const struct cad_player *p, const struct cad_engine *engine)
{
    return engine == p->drive.engine ? p->tape : NULL;
}

int cad_pair_feed(struct cad_player *p, struct cad_engine *engine, const struct cad_event *event)
{
    if (!engine) return CAD_E_STALE;
    int err = cad_tape_feed(cad_pair_tape(p, engine), engine, event);
    if (!err) p->drive.fed = true;
    return err;
}

/* What both have to know. */
void cad_pair_tell(struct cad_player *p, const struct cad_event *event)
{
    struct player_pair *pair = &p->drive.pair;
    struct cad_engine *const both[] = {p->drive.engine, pair->spare};
    if (event->type == CAD_EVENT_SINK_CAPS) {
        pair->caps = event->u.caps;
        pair->has_caps = true;
    }
    if (event->type == CAD_EVENT_NET_CHANGE) pair->online = event->u.net.online;
    for (size_t i = 0; i < CAD_ARRAY_LEN(both); i++) {
        int err = both[i] ? cad_pair_feed(p, both[i], event) : 0;
        if (err) {
            CAD_LOG(&p->log, WARN, p->drive.now, "drive: event lost type=%d result=%s",
                    (int)event->type, cad_result_name(err));
        }
    }
}

/* ---- the second engine ----------------------------------------------------------------------- */

static int feed_spare(struct cad_player *p, const struct cad_event *event)
{
    return cad_pair_feed(p, p->drive.pair.spare, event);
}

/* What the first one was told so far. */
static int introduce(struct cad_player *p)
{
    struct player_pair *pair = &p->drive.pair;
    struct cad_event event = {.type = CAD_EVENT_CDM_CAPS};
    int err = 0;
    if (p->cdm) {
        event.u.cdm_caps = cad_cdm_desk_ops(p->cdm)->caps(cad_cdm_desk_cdm(p->cdm));
        err = feed_spare(p, &event);
    }
    event = (struct cad_event){.type = CAD_EVENT_SINK_CAPS, .u.caps = pair->caps};
    if (!err && pair->has_caps) err = feed_spare(p, &event);
    event = (struct cad_event){.type = CAD_EVENT_NET_CHANGE};
    event.u.net.online = pair->online;
    if (!err && !pair->online) err = feed_spare(p, &event);
    p->drive.wall_at = p->drive.now; /* and the time, with the next turn */
    return err;
}

static bool make_spare(struct cad_player *p)
{
    struct player_pair *pair = &p->drive.pair;
    if (pair->spare) return !pair->broken;
    if (p->tape) return false; /* a tape is of one engine */
    if (cad_engine_create(&pair->config, &pair->spare)) return false;
    cad_player_feed_entropy(p, pair->spare, PLAYER_ENTROPY_START);
    if (introduce(p) == 0) return true;
    cad_engine_destroy(&pair->spare);
    return false;
}

/* A copy, to know it again. */
static bool keep_title(struct cad_player *p, const struct cad_command *command)
{
    struct player_pair *pair = &p->drive.pair;
    if (pair->has_title) forget_title(p);
    pair->has_title = cad_mail_copy(&p->mailbox, command, &pair->title) == 0;
    return pair->has_title;
}

static bool same_title(const struct cad_title *a, const struct cad_title *b)
{
    return cad_str_eq(a->url, b->url) && cad_str_eq(a->base, b->base) && cad_str_eq(a->id, b->id);
}

static int stop_spare(struct cad_player *p)
{
    const struct cad_event stop = {.type = CAD_EVENT_COMMAND,
                                   .u.command = {.type = CAD_COMMAND_STOP}};
    if (!p->drive.pair.has_title) return 0;
    int err = feed_spare(p, &stop);
    if (!err) forget_title(p);
    return err;
}

/* What the application wishes whatever is loaded. */
static int repeat_wishes(struct cad_player *p)
{
    const struct player_pair *pair = &p->drive.pair;
    struct cad_event event = {.type = CAD_EVENT_COMMAND};
    event.u.command.type = pair->want_play ? CAD_COMMAND_PLAY : CAD_COMMAND_PAUSE;
    int err = feed_spare(p, &event);
    event.u.command.type = CAD_COMMAND_RATE;
    event.u.command.rate_q16 = pair->rate_q16;
    if (!err) err = feed_spare(p, &event);
    event.u.command.type = CAD_COMMAND_PIN;
    event.u.command.rung = pair->rung;
    return err ? err : feed_spare(p, &event);
}

/*
 * The prepared title is loaded: its engine plays from here on. The other one stops, and goes on
 * telling what there was to tell. The sink hears of the new epoch with the orders of this turn.
 */
static int take_over(struct cad_player *p, const struct cad_event *load)
{
    struct player_drive *d = &p->drive;
    struct player_pair *pair = &d->pair;
    const struct cad_event stop = {.type = CAD_EVENT_COMMAND,
                                   .u.command = {.type = CAD_COMMAND_STOP}};
    int err = cad_pair_feed(p, d->engine, &stop);
    if (!err) err = repeat_wishes(p);
    if (!err) err = feed_spare(p, load);
    if (err) return err;
    struct cad_engine *before = d->engine;
    uint32_t before_epoch = d->epoch - pair->epoch_base;
    d->engine = pair->spare;
    pair->spare = before;
    pair->tag ^= PLAYER_TAG;
    pair->epoch_base = d->epoch + 1 - pair->spare_epoch;
    pair->spare_epoch = before_epoch;
    struct player_frames before_seen = {pair->seen.frames - pair->base.frames,
                                        pair->seen.dropped - pair->base.dropped};
    pair->base.frames = pair->seen.frames - pair->spare_seen.frames;
    pair->base.dropped = pair->seen.dropped - pair->spare_seen.dropped;
    pair->spare_seen = before_seen;
    d->epoch++;
    pair->first_epoch = d->epoch;
    d->orders = pair->orders;
    cad_orders_shift(&d->orders, pair->epoch_base);
    memset(&pair->orders, 0, sizeof pair->orders);
    memset(d->ended, 0, sizeof d->ended);
    pair->taken_state = pair->spare_state;
    pair->news = PLAYER_NEWS_STATE | PLAYER_NEWS_TRACKS;
    pair->tracks_stale = true;
    forget_title(p);
    CAD_LOG(&p->log, INFO, d->now, "drive: prepared title plays epoch=%u", d->epoch);
    return 0;
}

/* ---- commands -------------------------------------------------------------------------------- */

static void remember(struct cad_player *p, const struct cad_command *command)
{
    struct player_pair *pair = &p->drive.pair;
    switch (command->type) {
    case CAD_COMMAND_LOAD: pair->loaded = true; break;
    case CAD_COMMAND_STOP: pair->loaded = false; break;
    case CAD_COMMAND_PLAY: pair->want_play = true; break;
    case CAD_COMMAND_PAUSE: pair->want_play = false; break;
    case CAD_COMMAND_RATE: pair->rate_q16 = command->rate_q16; break;
    case CAD_COMMAND_PIN: pair->rung = command->rung; break;
    default: break;
    }
}

static int prepare_beside(struct cad_player *p, const struct cad_event *event)
{
    int err = keep_title(p, &event->u.command) ? feed_spare(p, event) : CAD_E_NOMEM;
    if (err && p->drive.pair.has_title) forget_title(p);
    return err;
}

int cad_pair_command(struct cad_player *p, const struct cad_event *event)
{
    struct player_pair *pair = &p->drive.pair;
    const struct cad_command *command = &event->u.command;
    int err = 0;
    if (command->type == CAD_COMMAND_PREPARE && pair->loaded && make_spare(p)) {
        return prepare_beside(p, event);
    }
    bool load = command->type == CAD_COMMAND_LOAD;
    if (load && pair->has_title && same_title(&pair->title.command.title, &command->title)) {
        err = take_over(p, event);
    } else {
        if (load || command->type == CAD_COMMAND_STOP) err = stop_spare(p);
        if (!err) err = cad_pair_feed(p, p->drive.engine, event);
    }
    if (!err) remember(p, command);
    return err;
}

/* ---- turns of the second one ----------------------------------------------------------------- */

/* While the one that plays has nothing to show, the network is its alone. */
static bool may_run(const struct cad_player *p)
{
    const struct player_pair *pair = &p->drive.pair;
    enum cad_state state = p->stats.state;
    if (!pair->spare || pair->broken) return false;
    return !pair->has_title || (state != CAD_STATE_LOADING && state != CAD_STATE_BUFFERING);
}

/* False: the event had no room. */
static bool tell(struct cad_player *p, const struct cad_app_event *event)
{
    struct player_pair *pair = &p->drive.pair;
    if (event->type == CAD_APP_STATE) pair->spare_state = event->state;
    if (!pair->has_title) return true; /* of a title that nobody waits for any more */
    struct cad_app_event copy = *event;
    if (event->type == CAD_APP_PREPARED) {
        pair->told = true;
        pthread_mutex_lock(&p->stats_mutex); /* who reads the event finds it in the figures */
        p->stats.prepared = true;
        pthread_mutex_unlock(&p->stats_mutex);
    } else if (event->type != CAD_APP_ERROR) {
        return true;
    }
    /* Whatever became of it, what plays goes on. */
    if (copy.error.cls == CAD_ERROR_FATAL) copy.error.cls = CAD_ERROR_DEGRADED;
    return cad_player_tell(p, &copy);
}

bool cad_pair_poll(struct cad_player *p)
{
    struct player_pair *pair = &p->drive.pair;
    struct cad_action action;
    bool room = true;
    while (room && pair->spare && cad_engine_poll(pair->spare, &action) == 0) {
        switch (action.type) {
        case CAD_ACTION_SINK_CONFIG:
            pair->spare_epoch = action.u.sink.epoch;
            cad_orders_config(&pair->orders, &action.u.sink);
            break;
        case CAD_ACTION_SINK_FLUSH:
            pair->spare_epoch = action.u.flush.epoch;
            cad_orders_flush(&pair->orders, action.u.flush.epoch, action.u.flush.position);
            break;
        case CAD_ACTION_APP_EVENT: room = tell(p, &action.u.app); break;
        default: cad_player_act(p, &action, pair->tag ^ PLAYER_TAG); break;
        }
    }
    return room;
}

/* True: another turn is due at once. */
bool cad_pair_turn(struct cad_player *p)
{
    struct player_pair *pair = &p->drive.pair;
    if (!may_run(p)) return false;
    int more = cad_engine_run(pair->spare, p->drive.now);
    if (more < 0) {
        pair->broken = true;
        CAD_LOG(&p->log, ERROR, p->drive.now, "drive: second engine broken result=%s",
                cad_result_name(more));
        return false;
    }
    return cad_pair_poll(p) && more == 1;
}

cad_time cad_pair_wake(const struct cad_player *p)
{
    return may_run(p) ? cad_engine_next_wake(p->drive.pair.spare) : CAD_TIME_NONE;
}

void cad_pair_figures(const struct cad_player *p, struct cad_engine_stats *out)
{
    const struct player_pair *pair = &p->drive.pair;
    struct cad_engine_stats other;
    struct cad_service_stats *sum = &out->services;
    out->frames += pair->base.frames;
    out->dropped += pair->base.dropped;
    if (pair->told) out->prepared = true;
    if (!pair->spare) return;
    cad_engine_stats(pair->spare, &other);
    sum->events += other.services.events;
    sum->events_delivered += other.services.events_delivered;
    sum->events_waiting += other.services.events_waiting;
    sum->logs += other.services.logs;
    sum->logs_dropped += other.services.logs_dropped;
    sum->batches_delivered += other.services.batches_delivered;
}

/* ---- what changes for the application -------------------------------------------------------- */

bool cad_pair_news(struct cad_player *p)
{
    struct player_pair *pair = &p->drive.pair;
    while (pair->news) {
        struct cad_app_event event;
        memset(&event, 0, sizeof event);
        event.at = p->drive.now;
        event.position = event.duration = CAD_TIME_NONE;
        if (pair->news & PLAYER_NEWS_STATE) {
            event.type = CAD_APP_STATE;
            event.state = pair->taken_state;
            event.state_old = pair->state_told;
            cad_str_copyz(event.text, sizeof event.text, CAD_STR("prepared"));
            pair->news &= ~PLAYER_NEWS_STATE;
        } else {
            event.type = CAD_APP_TRACKS;
            pair->news &= ~PLAYER_NEWS_TRACKS;
        }
        if (!cad_player_tell(p, &event)) return false;
    }
    return true;
}
