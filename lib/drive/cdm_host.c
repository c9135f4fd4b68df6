#include "drive/cdm_host.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/util.h"
#include "drive/clock.h"
#include "drm/table.h"

/* Answers to refused calls that need no memory: a turn of the engine makes fewer calls. */
#define SPARE_MAX 64

/* A copy of an event with what it points to behind it. */
struct item {
    struct item *next;
    size_t bytes;              /* of the allocation; 0: a spare one */
    struct cad_cdm_event event;
};

/* A call that is to be given again, with its data behind it. */
struct held {
    struct held *next;
    size_t bytes;              /* of the allocation */
    cad_time until;            /* then it is refused */
    struct cad_cdm_call call;
};

struct cad_cdm_desk {
    struct cad_alloc alloc;
    struct cad_log log;
    struct cad_cdm_ops ops;
    struct cad_cdm *cdm;
    void (*wake)(void *ctx);
    void (*keys)(void *ctx);
    void *ctx;
    struct held *held;         /* in order; the drive thread alone */
    uint32_t held_count;
    cad_time look_at;          /* when they are given again */
    pthread_mutex_t mutex;     /* of all below */
    struct item *first, **last; /* in order; NULL: none */
    uint32_t count;
    size_t bytes;
    struct item spare[SPARE_MAX];
    struct item *spares;       /* that are free */
};

/* ---- events ---------------------------------------------------------------------------------- */

/* Looks at no member beyond the size that the event says it has. */
static void read_event(const struct cad_cdm_event *from, struct cad_cdm_event *out)
{
    *out = (struct cad_cdm_event){.time = CAD_TIME_NONE, .hdcp = CAD_HDCP_UNKNOWN};
    memcpy(out, from, CAD_MIN(from->size, sizeof *out));
    out->size = sizeof *out;
    out->next = NULL;
}

/* Bytes behind the item. Keys come first: they have the strictest alignment. */
static size_t tail_bytes(const struct cad_cdm_event *e)
{
    return e->key_count * sizeof *e->keys + e->url.n + e->name.n + e->data.n;
}

static const void *put(uint8_t **at, const void *p, size_t n)
{
    void *here = *at;
    if (n) memcpy(here, p, n);
    *at += n;
    return here;
}

/* NULL: no memory, or it is larger than anything that may wait. */
static struct item *copy_event(struct cad_cdm_desk *desk, const struct cad_cdm_event *from)
{
    struct cad_cdm_event event;
    read_event(from, &event);
    if (event.key_count > CAD_CDM_EVENT_BYTES_MAX / sizeof *event.keys) return NULL;
    if (event.url.n > CAD_CDM_EVENT_BYTES_MAX || event.name.n > CAD_CDM_EVENT_BYTES_MAX ||
        event.data.n > CAD_CDM_EVENT_BYTES_MAX) {
        return NULL;
    }
    size_t bytes = sizeof(struct item) + tail_bytes(&event);
    struct item *item = cad_alloc_new(&desk->alloc, bytes, CAD_MEM_SESSION);
    if (!item) return NULL;
    item->bytes = bytes;
    item->event = event;
    uint8_t *at = (uint8_t *)(item + 1);
    struct cad_cdm_event *copy = &item->event;
    copy->keys = put(&at, event.keys, event.key_count * sizeof *event.keys);
    copy->url.p = put(&at, event.url.p, event.url.n);
    copy->name.p = put(&at, event.name.p, event.name.n);
    copy->data.p = put(&at, event.data.p, event.data.n);
    return item;
}

/* What a CDM says may be what it wants kept to itself. */
static void free_item(struct cad_cdm_desk *desk, struct item *item)
{
    size_t bytes = item->bytes;
    if (!bytes) return;
    explicit_bzero(item, bytes);
    cad_alloc_free(&desk->alloc, item, bytes, CAD_MEM_SESSION);
}

static void free_items(struct cad_cdm_desk *desk, struct item *item)
{
    while (item) {
        struct item *next = item->next;
        free_item(desk, item);
        item = next;
    }
}

/* A chain of copies. CAD_E_NOMEM: nothing is left of it. */
static int copy_chain(struct cad_cdm_desk *desk, const struct cad_cdm_event *events,
                      struct item **out)
{
    struct item *first = NULL, **last = &first;
    uint32_t n = 0;
    for (const struct cad_cdm_event *e = events; e; e = e->next) {
        struct item *item = n++ < CAD_CDM_EVENTS_MAX ? copy_event(desk, e) : NULL;
        if (!item) {
            free_items(desk, first);
            return CAD_E_NOMEM;
        }
        *last = item;
        last = &item->next;
    }
    *out = first;
    return 0;
}

/* Under the mutex. */
static void append(struct cad_cdm_desk *desk, struct item *item)
{
    while (item) {
        struct item *next = item->next;
        item->next = NULL;
        *desk->last = item;
        desk->last = &item->next;
        desk->count++;
        desk->bytes += item->bytes;
        item = next;
    }
}

static int host_post(void *ctx, const struct cad_cdm_event *events)
{
    struct cad_cdm_desk *desk = ctx;
    struct item *chain = NULL;
    if (copy_chain(desk, events, &chain)) return CAD_E_NOMEM;
    uint32_t n = 0;
    size_t bytes = 0;
    bool keys = false;
    for (const struct item *i = chain; i; i = i->next) {
        n++;
        bytes += i->bytes;
        if (i->event.type == CAD_CDM_EVENT_KEYS) keys = true;
    }
    pthread_mutex_lock(&desk->mutex);
    bool room = desk->count + n <= CAD_CDM_EVENTS_MAX &&
                desk->bytes + bytes <= CAD_CDM_EVENT_BYTES_MAX;
    if (room) append(desk, chain);
    pthread_mutex_unlock(&desk->mutex);
    if (!room) {
        free_items(desk, chain);
        return CAD_E_NOMEM;
    }
    if (keys && desk->keys) desk->keys(desk->ctx);
    if (desk->wake) desk->wake(desk->ctx);
    return 0;
}

static cad_time host_now(void *ctx)
{
    CAD_UNUSED(ctx);
    return cad_clock_now();
}

static cad_time host_wall(void *ctx)
{
    CAD_UNUSED(ctx);
    return cad_clock_wall_ms() * CAD_MS;
}

static int host_random(void *ctx, uint8_t *out, size_t n)
{
    CAD_UNUSED(ctx);
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return CAD_E_AGAIN;
        out += got;
        n -= (size_t)got;
    }
    return 0;
}

/* ---- the drive thread ------------------------------------------------------------------------ */

static struct item *peek(struct cad_cdm_desk *desk)
{
    pthread_mutex_lock(&desk->mutex);
    struct item *item = desk->first;
    pthread_mutex_unlock(&desk->mutex);
    return item;
}

void cad_cdm_desk_pop(struct cad_cdm_desk *desk)
{
    pthread_mutex_lock(&desk->mutex);
    struct item *item = desk->first;
    if (item) {
        desk->first = item->next;
        if (!desk->first) desk->last = &desk->first;
        desk->count--;
        desk->bytes -= item->bytes;
    }
    if (item && !item->bytes) {
        item->next = desk->spares;
        desk->spares = item;
    }
    pthread_mutex_unlock(&desk->mutex);
    if (item) free_item(desk, item);
}

static bool is_store(enum cad_cdm_event_type type)
{
    return type == CAD_CDM_EVENT_STORE_GET || type == CAD_CDM_EVENT_STORE_PUT ||
           type == CAD_CDM_EVENT_STORE_DELETE;
}

const struct cad_cdm_event *cad_cdm_desk_peek(struct cad_cdm_desk *desk)
{
    struct item *item;
    while ((item = peek(desk)) != NULL && is_store(item->event.type)) {
        bool get = item->event.type == CAD_CDM_EVENT_STORE_GET;
        uint32_t op = item->event.tag.op;
        cad_cdm_desk_pop(desk);
        if (!desk->ops.store_done) continue;
        desk->ops.store_done(desk->cdm, op, get ? CAD_E_NOTFOUND : CAD_E_IO, (cad_buf){NULL, 0});
    }
    return item ? &item->event : NULL;
}

static int call(struct cad_cdm_desk *desk, const struct cad_cdm_call *c)
{
    const struct cad_cdm_ops *ops = &desk->ops;
    switch (c->type) {
    case CAD_CDM_CALL_OPEN: return ops->open(desk->cdm, &c->tag, c->session_type);
    case CAD_CDM_CALL_REQUEST: return ops->request(desk->cdm, &c->tag, c->init_type, c->data);
    case CAD_CDM_CALL_UPDATE: return ops->update(desk->cdm, &c->tag, c->data);
    case CAD_CDM_CALL_FEED_INIT:
        if (!ops->feed_init) return CAD_E_UNSUPPORTED;
        return ops->feed_init(desk->cdm, &c->tag, c->data);
    case CAD_CDM_CALL_CLOSE: return ops->close(desk->cdm, &c->tag);
    case CAD_CDM_CALL_TIMER:
        if (ops->timer) ops->timer(desk->cdm, cad_clock_now());
        return 0;
    }
    return CAD_E_INVAL;
}

static int call_and_log(struct cad_cdm_desk *desk, const struct cad_cdm_call *c)
{
    int rc = call(desk, c);
    CAD_LOG(&desk->log, DEBUG, cad_clock_now(), "drive: cdm call=%s session=%u op=%u result=%s",
            cad_cdm_call_name(c->type), c->tag.session, c->tag.op, cad_result_name(rc));
    return rc;
}

static void refuse(struct cad_cdm_desk *desk, const struct cad_cdm_call *c, int rc)
{
    pthread_mutex_lock(&desk->mutex);
    struct item *item = desk->spares;
    if (item) {
        desk->spares = item->next;
        *item = (struct item){.event = {.size = sizeof item->event,
                                        .type = CAD_CDM_EVENT_DONE,
                                        .tag = c->tag,
                                        .result = rc,
                                        .time = CAD_TIME_NONE,
                                        .hdcp = CAD_HDCP_UNKNOWN}};
        append(desk, item);
    }
    pthread_mutex_unlock(&desk->mutex);
    if (!item) CAD_LOG(&desk->log, ERROR, cad_clock_now(), "drive: refused call not answered");
    if (desk->wake) desk->wake(desk->ctx);
}

/* False: there is no room, or no memory. */
static bool hold(struct cad_cdm_desk *desk, const struct cad_cdm_call *c)
{
    size_t bytes = sizeof(struct held) + c->data.n;
    if (desk->held_count == CAD_CDM_HELD_MAX) return false;
    struct held *h = cad_alloc_new(&desk->alloc, bytes, CAD_MEM_SESSION);
    if (!h) return false;
    *h = (struct held){.bytes = bytes, .call = *c};
    h->until = cad_time_add(cad_clock_now(), CAD_CDM_BUSY_MAX);
    if (c->data.n) memcpy(h + 1, c->data.p, c->data.n);
    h->call.data.p = (const uint8_t *)(h + 1);
    struct held **last = &desk->held;
    while (*last) last = &(*last)->next;
    *last = h;
    desk->held_count++;
    return true;
}

/* It may have held a licence. */
static void drop_held(struct cad_cdm_desk *desk)
{
    struct held *h = desk->held;
    size_t bytes = h->bytes;
    desk->held = h->next;
    desk->held_count--;
    explicit_bzero(h, bytes);
    cad_alloc_free(&desk->alloc, h, bytes, CAD_MEM_SESSION);
}

void cad_cdm_desk_call(struct cad_cdm_desk *desk, const struct cad_cdm_call *c)
{
    bool waits = desk->held && c->type != CAD_CDM_CALL_TIMER;
    int rc = waits ? CAD_E_AGAIN : call_and_log(desk, c);
    if (rc >= 0) return;
    if (!waits) desk->look_at = cad_time_add(cad_clock_now(), CAD_CDM_BUSY_LOOK);
    if (rc != CAD_E_AGAIN || !hold(desk, c)) refuse(desk, c, rc);
}

cad_time cad_cdm_desk_turn(struct cad_cdm_desk *desk)
{
    cad_time now = cad_clock_now();
    while (desk->held && now >= desk->look_at) {
        const struct held *h = desk->held;
        int rc = call_and_log(desk, &h->call);
        if (rc == CAD_E_AGAIN && now < h->until) {
            desk->look_at = cad_time_add(now, CAD_CDM_BUSY_LOOK);
            break;
        }
        if (rc < 0) refuse(desk, &h->call, rc);
        drop_held(desk);
    }
    return desk->held ? desk->look_at : CAD_TIME_NONE;
}

/* ---- life ------------------------------------------------------------------------------------ */

const struct cad_cdm_ops *cad_cdm_desk_ops(const struct cad_cdm_desk *desk)
{
    return &desk->ops;
}

struct cad_cdm *cad_cdm_desk_cdm(const struct cad_cdm_desk *desk)
{
    return desk->cdm;
}

int cad_cdm_desk_create(const struct cad_cdm_desk_config *config, struct cad_cdm_desk **out)
{
    struct cad_cdm_desk *desk = cad_alloc_new(&config->alloc, sizeof *desk, CAD_MEM_SESSION);
    if (!desk) return CAD_E_NOMEM;
    desk->alloc = config->alloc;
    desk->log = config->log;
    desk->wake = config->wake;
    desk->keys = config->keys;
    desk->ctx = config->ctx;
    desk->last = &desk->first;
    for (size_t i = 0; i < SPARE_MAX; i++) {
        desk->spare[i].next = desk->spares;
        desk->spares = &desk->spare[i];
    }
    int err = cad_drm_table_take(config->ops, &desk->ops);
    if (!err && pthread_mutex_init(&desk->mutex, NULL)) err = CAD_E_IO;
    if (err) {
        cad_alloc_free(&config->alloc, desk, sizeof *desk, CAD_MEM_SESSION);
        return err;
    }
    struct cad_cdm_host host = {sizeof host,  desk->alloc, desk->log, desk,
                                host_post, host_now,    host_wall, host_random};
    err = desk->ops.create(&host, config->key_system, &desk->cdm);
    if (err) {
        cad_cdm_desk_destroy(&desk);
        return err;
    }
    *out = desk;
    return 0;
}

void cad_cdm_desk_destroy(struct cad_cdm_desk **desk)
{
    if (!desk || !*desk) return;
    struct cad_cdm_desk *d = *desk;
    *desk = NULL;
    if (d->cdm) d->ops.destroy(d->cdm);
    while (d->held) drop_held(d);
    free_items(d, d->first);
    pthread_mutex_destroy(&d->mutex);
    struct cad_alloc alloc = d->alloc;
    cad_alloc_free(&alloc, d, sizeof *d, CAD_MEM_SESSION);
}
