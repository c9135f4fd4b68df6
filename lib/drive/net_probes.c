#include "drive/net_probes.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <string.h>

#include "base/mem.h"
#include "base/util.h"
#include "drive/clock.h"

/* The connections of a group. */
struct group {
    struct cad_transport *net; /* NULL: a free place */
    uint32_t number;
    uint32_t active;           /* transfers under way */
    cad_time used;             /* when one began or ended last */
};

enum { TEXT_CA, TEXT_PROXY, TEXT_KEYS, TEXTS };

struct probes {
    struct cad_transport base;
    struct cad_net_config config; /* its texts are those below */
    char *texts[TEXTS];        /* NULL: none */
    size_t sizes[TEXTS];
    struct group groups[CAD_NET_PROBES_GROUPS];
    struct {
        uint32_t id;           /* 0: free */
        uint32_t group;        /* index */
    } transfers[CAD_TRANSPORT_TRANSFERS_MAX];
};

/* ---- the doors of the groups, which lead to ours --------------------------------------------- */

static void forget(struct probes *p, uint32_t id)
{
    for (size_t i = 0; i < CAD_TRANSPORT_TRANSFERS_MAX; i++) {
        if (p->transfers[i].id != id) continue;
        struct group *g = &p->groups[p->transfers[i].group];
        g->active--;
        g->used = cad_clock_now();
        p->transfers[i].id = 0;
        return;
    }
}

static void door_head(void *ctx, const struct cad_http_head *head)
{
    struct probes *p = ctx;
    p->base.door.head(p->base.door.ctx, head);
}

/* A transfer that is not wanted any more ends without a word. */
static int door_lease(void *ctx, uint32_t id, size_t want, uint8_t **data, size_t *capacity)
{
    struct probes *p = ctx;
    int rc = p->base.door.lease(p->base.door.ctx, id, want, data, capacity);
    if (rc == CAD_E_STALE) forget(p, id);
    return rc;
}

static int door_commit(void *ctx, uint32_t id, size_t n, cad_time at)
{
    struct probes *p = ctx;
    int rc = p->base.door.commit(p->base.door.ctx, id, n, at);
    if (rc == CAD_E_STALE) forget(p, id);
    return rc;
}

static void door_end(void *ctx, const struct cad_http_end *end)
{
    struct probes *p = ctx;
    forget(p, end->id);
    p->base.door.end(p->base.door.ctx, end);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void close_group(struct probes *p, struct group *g)
{
    if (!g->net) return;
    epoll_ctl(p->base.fd, EPOLL_CTL_DEL, g->net->fd, NULL);
    g->net->ops->destroy(g->net);
    g->net = NULL;
}

static int open_group(struct probes *p, struct group *g, uint32_t number)
{
    struct cad_transport *net;
    int err = cad_net_create(&p->config, &net);
    if (err) return err;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = net->fd};
    if (epoll_ctl(p->base.fd, EPOLL_CTL_ADD, net->fd, &event)) {
        net->ops->destroy(net);
        return CAD_E_IO;
    }
    net->door = (struct cad_transport_door){p, door_head, door_lease, door_commit, door_end};
    *g = (struct group){.net = net, .number = number};
    return 0;
}

/* The group of that number, or a place for it. NULL: all are busy. */
static struct group *place_of(struct probes *p, uint32_t number)
{
    struct group *free_place = NULL, *idle = NULL;
    for (size_t i = 0; i < CAD_NET_PROBES_GROUPS; i++) {
        struct group *g = &p->groups[i];
        if (g->net && g->number == number) return g;
        if (!g->net) free_place = g;
        else if (g->active == 0 && (!idle || g->used < idle->used)) idle = g;
    }
    if (free_place) return free_place;
    if (idle) close_group(p, idle);
    return idle;
}

/* ---- the table ------------------------------------------------------------------------------- */

static int probes_start(struct cad_transport *transport, const struct cad_http_start *start)
{
    struct probes *p = (struct probes *)transport;
    size_t i = 0;
    while (i < CAD_TRANSPORT_TRANSFERS_MAX && p->transfers[i].id != 0) i++;
    if (i == CAD_TRANSPORT_TRANSFERS_MAX) return CAD_E_LIMIT;
    struct group *g = place_of(p, start->group);
    if (!g) return CAD_E_LIMIT;
    int err = g->net ? 0 : open_group(p, g, start->group);
    if (!err) err = g->net->ops->start(g->net, start);
    if (err) return err;
    g->active++;
    g->used = cad_clock_now();
    p->transfers[i].id = start->id;
    p->transfers[i].group = (uint32_t)(g - p->groups);
    return 0;
}

static void probes_cancel(struct cad_transport *transport, uint32_t id)
{
    struct probes *p = (struct probes *)transport;
    for (size_t i = 0; i < CAD_TRANSPORT_TRANSFERS_MAX; i++) {
        if (id == 0 || p->transfers[i].id != id) continue;
        struct cad_transport *net = p->groups[p->transfers[i].group].net;
        net->ops->cancel(net, id);
        forget(p, id);
    }
}

static cad_time probes_pump(struct cad_transport *transport)
{
    struct probes *p = (struct probes *)transport;
    cad_time wake = CAD_TIME_NONE;
    cad_time now = cad_clock_now();
    for (size_t i = 0; i < CAD_NET_PROBES_GROUPS; i++) {
        struct group *g = &p->groups[i];
        if (!g->net) continue;
        wake = cad_time_earlier(wake, g->net->ops->pump(g->net));
        if (g->active > 0) continue;
        cad_time end = cad_time_add(g->used, CAD_NET_PROBES_IDLE);
        if (now >= end) close_group(p, g);
        else wake = cad_time_earlier(wake, end);
    }
    return wake;
}

static void probes_destroy(struct cad_transport *transport)
{
    struct probes *p = (struct probes *)transport;
    for (size_t i = 0; i < CAD_NET_PROBES_GROUPS; i++) close_group(p, &p->groups[i]);
    if (p->base.fd >= 0) close(p->base.fd);
    struct cad_alloc alloc = p->config.alloc;
    for (size_t i = 0; i < TEXTS; i++) {
        if (p->texts[i]) explicit_bzero(p->texts[i], p->sizes[i]);
        cad_alloc_free(&alloc, p->texts[i], p->sizes[i], CAD_MEM_SESSION);
    }
    cad_alloc_free(&alloc, p, sizeof *p, CAD_MEM_SESSION);
}

/* Nothing is made warm: a probe measures how cold it is. */
static const struct cad_transport_ops probes_ops = {
    .size = sizeof(struct cad_transport_ops),
    .name = "probes",
    .destroy = probes_destroy,
    .start = probes_start,
    .cancel = probes_cancel,
    .pump = probes_pump,
};

static int copy_texts(struct probes *p, const struct cad_net_config *config)
{
    const char *const from[TEXTS] = {config->ca_file, config->proxy, config->key_log};
    for (size_t i = 0; i < TEXTS; i++) {
        if (!from[i]) continue;
        size_t n = strlen(from[i]) + 1;
        p->texts[i] = cad_alloc_new(&p->config.alloc, n, CAD_MEM_SESSION);
        if (!p->texts[i]) return CAD_E_NOMEM;
        memcpy(p->texts[i], from[i], n);
        p->sizes[i] = n;
    }
    p->config.ca_file = p->texts[TEXT_CA];
    p->config.proxy = p->texts[TEXT_PROXY];
    p->config.key_log = p->texts[TEXT_KEYS];
    return 0;
}

int cad_net_probes_create(const struct cad_net_config *config, struct cad_transport **out)
{
    struct probes *p = cad_alloc_new(&config->alloc, sizeof *p, CAD_MEM_SESSION);
    if (!p) return CAD_E_NOMEM;
    p->base.ops = &probes_ops;
    p->config.alloc = config->alloc;
    p->config.log = config->log;
    p->base.fd = epoll_create1(EPOLL_CLOEXEC);
    int err = p->base.fd < 0 ? CAD_E_IO : copy_texts(p, config);
    if (err) {
        probes_destroy(&p->base);
        return err;
    }
    *out = &p->base;
    return 0;
}
