#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/player_impl.h"
#include "drive/store.h"

/* ---- the CDM --------------------------------------------------------------------------------- */

void cad_player_feed_caps(struct cad_player *p)
{
    if (!p->cdm) return;
    const struct cad_cdm_ops *ops = cad_cdm_desk_ops(p->cdm);
    struct cad_event event = {.type = CAD_EVENT_CDM_CAPS};
    event.u.cdm_caps = ops->caps(cad_cdm_desk_cdm(p->cdm));
    cad_pair_tell(p, &event);
}

/* True: the event was taken, or never will be. number: tells whose it is. */
static bool feed(struct cad_player *p, uint32_t number, const struct cad_event *event)
{
    int err = cad_pair_feed(p, cad_pair_engine(p, number), event);
    if (err == CAD_E_LIMIT || err == CAD_E_NOMEM) return false;
    if (err) {
        CAD_LOG(&p->log, WARN, p->drive.now, "drive: event lost type=%d result=%s",
                (int)event->type, cad_result_name(err));
    }
    return true;
}

/* What is of no session concerns whoever plays; of a lost CDM or a changed output both hear. */
static bool feed_cdm_event(struct cad_player *p, const struct cad_cdm_event *told)
{
    struct cad_event event = {.type = CAD_EVENT_CDM, .u.cdm = *told};
    uint32_t number = told->tag.session;
    event.u.cdm.tag.session &= ~PLAYER_TAG;
    if (number == 0) number = p->drive.pair.tag;
    if (!feed(p, number, &event)) return false;
    bool both = told->type == CAD_CDM_EVENT_FAILED || told->type == CAD_CDM_EVENT_HDCP;
    if (both && told->tag.session == 0 && p->drive.pair.spare) {
        (void)feed(p, number ^ PLAYER_TAG, &event);
    }
    return true;
}

void cad_player_feed_cdm(struct cad_player *p)
{
    const struct cad_cdm_event *told;
    if (p->cdm) (void)cad_cdm_desk_turn(p->cdm);
    while (p->cdm && (told = cad_cdm_desk_peek(p->cdm)) != NULL) {
        if (!feed_cdm_event(p, told)) return;
        cad_cdm_desk_pop(p->cdm);
    }
}

static void wake_loop(void *ctx)
{
    struct cad_player *p = ctx;
    cad_loop_wake(&p->loop);
}

/* What waits for a key goes on at once, without a turn of the drive thread. */
static void wake_sink(void *ctx)
{
    struct cad_player *p = ctx;
    cad_orderbox_signal(&p->orderbox);
}

static int make_cdm(struct cad_player *p, const struct cad_player_config *config)
{
    if (!config->cdm) return 0;
    struct cad_cdm_desk_config desk = {
        .alloc = p->alloc,
        .log = p->log,
        .ops = config->cdm,
        .key_system = config->key_system ? cad_str_from(config->key_system)
                                         : CAD_STR("org.w3.clearkey"),
        .wake = wake_loop,
        .keys = wake_sink,
        .ctx = p,
    };
    return cad_cdm_desk_create(&desk, &p->cdm);
}

/* ---- the store ------------------------------------------------------------------------------- */

/* Answers that no longer have to be polled for: they have no views but those of `stored`. */
static bool feed_done(struct cad_player *p, const struct cad_store_done *done)
{
    struct cad_event event = {.type = CAD_EVENT_STORE_DONE, .u.store = *done};
    event.u.store.id &= ~PLAYER_TAG;
    return feed(p, done->id, &event);
}

void cad_player_feed_store(struct cad_player *p)
{
    struct player_drive *d = &p->drive;
    const struct cad_store_done *refused;
    while ((refused = cad_ring_peek(&d->refused)) != NULL) {
        if (!feed_done(p, refused)) return;
        (void)cad_ring_pop(&d->refused, NULL);
    }
    while (d->has_stored || p->store.ops->poll(p->store.self, &d->stored) == 0) {
        if (!d->has_stored && d->orders_open) d->orders_open--;
        d->has_stored = !feed_done(p, &d->stored);
        if (d->has_stored) return;
    }
}

static int give(struct cad_player *p, const struct cad_store_order *o)
{
    const struct cad_store_ops *ops = p->store.ops;
    void *self = p->store.self;
    switch (o->call) {
    case CAD_STORE_PUT: return ops->put(self, o->id, o->key, o->value, o->flags);
    case CAD_STORE_GET: return ops->get(self, o->id, o->key);
    case CAD_STORE_DELETE: return ops->del(self, o->id, o->key);
    case CAD_STORE_LIST: return ops->list(self, o->id, o->key);
    }
    return CAD_E_INVAL;
}

/* The views of an answer end with the next call of the store. */
static void keep_without_views(struct cad_player *p)
{
    struct cad_store_done *held = &p->drive.stored;
    if (!p->drive.has_stored) return;
    if (held->result == 0 && (held->value.n || held->count)) held->result = CAD_E_NOMEM;
    held->value = (cad_buf){NULL, 0};
    held->keys = NULL;
    held->count = 0;
}

/* What former processes left is for the first engine alone: else it would be told twice. */
void cad_player_order(struct cad_player *p, const struct cad_store_order *order, uint32_t tag)
{
    struct player_drive *d = &p->drive;
    struct cad_store_order wire = *order;
    wire.id |= tag;
    bool empty = tag && order->call == CAD_STORE_LIST;
    keep_without_views(p);
    int rc = empty ? 0 : give(p, &wire);
    d->fed = true; /* look for the answer before the loop sleeps */
    if (rc == 0 && !empty) {
        d->orders_open++;
        return;
    }
    struct cad_store_done done = {.id = wire.id, .call = order->call, .result = rc};
    if (cad_ring_push(&d->refused, &done)) {
        CAD_LOG(&p->log, ERROR, d->now, "drive: refused order not answered id=%u", order->id);
    }
}

cad_time cad_player_edges_wake(const struct cad_player *p)
{
    cad_time wake = p->cdm ? cad_cdm_desk_turn(p->cdm) : CAD_TIME_NONE;
    if (p->store_wakes || p->drive.orders_open == 0) return wake;
    return cad_time_earlier(wake, cad_time_add(p->drive.now, PLAYER_STORE_LOOK));
}

/* A disk is waited for on a thread of its own. */
static int make_file_store(struct cad_player *p, const char *folder)
{
    struct cad_store file = {NULL, NULL};
    struct cad_store_waker waker = {wake_loop, p};
    int err = cad_store_file_create(folder, 0, &p->alloc, &file);
    if (err) return err;
    err = cad_store_thread_create(&file, &waker, &p->alloc, &p->store);
    if (err) file.ops->destroy(file.self);
    else p->store_wakes = true;
    return err;
}

static int make_store(struct cad_player *p, const struct cad_player_config *config)
{
    int err = cad_ring_init(&p->drive.refused, &p->alloc, CAD_MEM_SESSION,
                            sizeof(struct cad_store_done), PLAYER_REFUSED_MAX);
    if (err) return err;
    if (config->store_path && !config->store.ops) return make_file_store(p, config->store_path);
    if (!config->store.ops) return cad_store_memory_create(0, &p->alloc, &p->store);
    p->store = config->store;
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The application's store is taken over last: a failure leaves it the application's. */
int cad_player_edges_init(struct cad_player *p, const struct cad_player_config *config)
{
    int err = make_cdm(p, config);
    const struct cad_cdm_ops *ops = p->cdm ? cad_cdm_desk_ops(p->cdm) : NULL;
    struct cad_cdm *cdm = p->cdm ? cad_cdm_desk_cdm(p->cdm) : NULL;
    if (!err) err = cad_unlock_create(&p->alloc, ops, cdm, &p->unlock);
    return err ? err : make_store(p, config);
}

void cad_player_edges_deinit(struct cad_player *p)
{
    cad_unlock_destroy(&p->unlock);
    cad_cdm_desk_destroy(&p->cdm);
    if (p->store.ops && p->store.ops->destroy) p->store.ops->destroy(p->store.self);
    cad_ring_deinit(&p->drive.refused);
}
