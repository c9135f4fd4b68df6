#include "drive/sim_cdm.h"

#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "base/util.h"

/* An event that was posted, with a copy of all that it shows. */
struct told {
    cad_time due;
    struct cad_cdm_event event;
    uint8_t *memory;         /* size bytes: keys, then url, name, data */
    size_t size;
};

struct cad_sim_cdm {
    struct cad_alloc alloc;
    struct cad_sim_cdm_config config;
    struct cad_cdm *cdm;
    struct cad_rng rng;
    cad_time now;
    struct told told[CAD_SIM_CDM_EVENTS_MAX]; /* count from first on, in order */
    uint32_t first, count;
    struct told taken;       /* the last that was taken */
};

static void forget(struct cad_sim_cdm *c, struct told *told)
{
    cad_alloc_free(&c->alloc, told->memory, told->size, CAD_MEM_OTHER);
    memset(told, 0, sizeof(*told));
}

/* ---- the host ------------------------------------------------------------------------------ */

/* *p moves on behind the copy, which is returned. */
static const uint8_t *keep(uint8_t **p, const void *from, size_t n)
{
    const uint8_t *kept = *p;
    if (n) memcpy(*p, from, n);
    *p += n;
    return kept;
}

static int copy_event(struct cad_sim_cdm *c, const struct cad_cdm_event *event, struct told *out)
{
    size_t keys = event->key_count * sizeof(*event->keys);
    memset(out, 0, sizeof(*out));
    out->due = cad_time_add(c->now, c->config.latency);
    out->size = keys + event->url.n + event->name.n + event->data.n;
    out->memory = cad_alloc_resize(&c->alloc, NULL, 0, CAD_MAX(out->size, 1), CAD_MEM_OTHER);
    if (!out->memory) return CAD_E_NOMEM;
    out->size = CAD_MAX(out->size, 1);
    out->event = *event;
    out->event.next = NULL;
    uint8_t *p = out->memory;
    out->event.keys = (const struct cad_cdm_key *)(const void *)keep(&p, event->keys, keys);
    out->event.url.p = (const char *)keep(&p, event->url.p, event->url.n);
    out->event.name.p = (const char *)keep(&p, event->name.p, event->name.n);
    out->event.data.p = keep(&p, event->data.p, event->data.n);
    return 0;
}

static int host_post(void *ctx, const struct cad_cdm_event *events)
{
    struct cad_sim_cdm *c = ctx;
    uint32_t added = 0;
    for (const struct cad_cdm_event *e = events; e; e = e->next, added++) {
        uint32_t place = (c->first + c->count + added) % CAD_SIM_CDM_EVENTS_MAX;
        bool room = c->count + added < CAD_SIM_CDM_EVENTS_MAX;
        if (room && copy_event(c, e, &c->told[place]) == 0) continue;
        while (added-- > 0) {
            forget(c, &c->told[(c->first + c->count + added) % CAD_SIM_CDM_EVENTS_MAX]);
        }
        return CAD_E_NOMEM;
    }
    c->count += added;
    return 0;
}

static cad_time host_now(void *ctx)
{
    return ((const struct cad_sim_cdm *)ctx)->now;
}

static cad_time host_wall(void *ctx)
{
    const struct cad_sim_cdm *c = ctx;
    return cad_time_add(c->config.wall_ms * CAD_MS, c->now);
}

static int host_random(void *ctx, uint8_t *out, size_t n)
{
    struct cad_sim_cdm *c = ctx;
    for (size_t i = 0; i < n; i++) out[i] = (uint8_t)cad_rng_u64(&c->rng);
    return 0;
}

/* ---- calls and events ---------------------------------------------------------------------- */

static int perform(struct cad_sim_cdm *c, const struct cad_cdm_call *call)
{
    const struct cad_cdm_ops *ops = c->config.ops;
    switch (call->type) {
    case CAD_CDM_CALL_OPEN: return ops->open(c->cdm, &call->tag, call->session_type);
    case CAD_CDM_CALL_REQUEST:
        return ops->request(c->cdm, &call->tag, call->init_type, call->data);
    case CAD_CDM_CALL_UPDATE: return ops->update(c->cdm, &call->tag, call->data);
    case CAD_CDM_CALL_FEED_INIT:
        return ops->feed_init ? ops->feed_init(c->cdm, &call->tag, call->data) : CAD_E_UNSUPPORTED;
    case CAD_CDM_CALL_CLOSE: return ops->close(c->cdm, &call->tag);
    case CAD_CDM_CALL_TIMER:
        if (ops->timer) ops->timer(c->cdm, c->now);
        return 0;
    }
    return CAD_E_INVAL;
}

int cad_sim_cdm_call(struct cad_sim_cdm *cdm, const struct cad_cdm_call *call)
{
    int rc = perform(cdm, call);
    if (rc >= 0) return 0;
    const struct cad_cdm_event done = {.size = sizeof(done), .type = CAD_CDM_EVENT_DONE,
                                       .tag = call->tag, .result = rc};
    return host_post(cdm, &done);
}

static bool is_of_store(enum cad_cdm_event_type type)
{
    return type == CAD_CDM_EVENT_STORE_GET || type == CAD_CDM_EVENT_STORE_PUT ||
           type == CAD_CDM_EVENT_STORE_DELETE;
}

bool cad_sim_cdm_take(struct cad_sim_cdm *cdm, struct cad_cdm_event *out)
{
    while (cdm->count > 0 && cdm->told[cdm->first].due <= cdm->now) {
        forget(cdm, &cdm->taken);
        cdm->taken = cdm->told[cdm->first];
        memset(&cdm->told[cdm->first], 0, sizeof(cdm->taken));
        cdm->first = (cdm->first + 1) % CAD_SIM_CDM_EVENTS_MAX;
        cdm->count--;
        *out = cdm->taken.event;
        if (!is_of_store(out->type)) return true;
        const struct cad_cdm_ops *ops = cdm->config.ops;
        if (ops->store_done) {
            ops->store_done(cdm->cdm, out->tag.op, CAD_E_IO, (cad_buf){NULL, 0});
        }
    }
    return false;
}

cad_time cad_sim_cdm_next(const struct cad_sim_cdm *cdm)
{
    return cdm->count > 0 ? cdm->told[cdm->first].due : CAD_TIME_NONE;
}

void cad_sim_cdm_advance(struct cad_sim_cdm *cdm, cad_time now)
{
    cdm->now = now;
}

struct cad_cdm *cad_sim_cdm_instance(struct cad_sim_cdm *cdm)
{
    return cdm->cdm;
}

/* ---- life ---------------------------------------------------------------------------------- */

int cad_sim_cdm_create(const struct cad_alloc *alloc, const struct cad_sim_cdm_config *config,
                       struct cad_sim_cdm **out)
{
    const struct cad_cdm_ops *ops = config->ops;
    if (ops->size < sizeof(*ops) || ops->abi != CAD_CDM_ABI) return CAD_E_INVAL;
    struct cad_sim_cdm *c = cad_alloc_new(alloc, sizeof(*c), CAD_MEM_OTHER);
    if (!c) return CAD_E_NOMEM;
    c->alloc = *alloc;
    c->config = *config;
    c->config.key_system = (cad_str){NULL, 0};
    cad_rng_init(&c->rng, config->seed);
    const struct cad_cdm_host host = {
        .size = sizeof(host), .alloc = *alloc, .log = config->log, .ctx = c, .post = host_post,
        .now = host_now, .wall = host_wall, .random = host_random};
    int err = ops->create(&host, config->key_system, &c->cdm);
    if (err) {
        cad_alloc_free(alloc, c, sizeof(*c), CAD_MEM_OTHER);
        return err;
    }
    *out = c;
    return 0;
}

void cad_sim_cdm_destroy(struct cad_sim_cdm **cdm)
{
    if (!cdm || !*cdm) return;
    struct cad_sim_cdm *c = *cdm;
    c->config.ops->destroy(c->cdm);
    forget(c, &c->taken);
    for (uint32_t i = 0; i < CAD_SIM_CDM_EVENTS_MAX; i++) forget(c, &c->told[i]);
    struct cad_alloc alloc = c->alloc;
    cad_alloc_free(&alloc, c, sizeof(*c), CAD_MEM_OTHER);
    *cdm = NULL;
}
