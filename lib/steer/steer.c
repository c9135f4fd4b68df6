#include "steer/steer.h"

#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "steer/health.h"
#include "steer/rank.h"

struct server {
    cad_str id;              /* in the text of the list */
    cad_str host;            /* in the text of the list */
    int32_t location_rank, level;
    bool lowgrade;
    uint32_t identity_seen;  /* probes that failed with its identity, as last told */
    uint32_t health;         /* index into healths: servers of one host share it */
};

/* One block: this struct, then the text of all ids and hosts. */
struct list {
    size_t block_bytes;
    uint32_t count;
    uint32_t health_count;
    struct server servers[CAD_STEER_SERVERS_MAX];
    struct cad_health healths[CAD_STEER_SERVERS_MAX];
    struct cad_rank rank;
};

struct cad_steer {
    struct cad_alloc alloc;
    struct list *list;       /* NULL until servers are set */
};

int cad_steer_create(const struct cad_alloc *alloc, struct cad_steer **out)
{
    if (!alloc || !out) return CAD_E_INVAL;
    struct cad_steer *steer = cad_alloc_new(alloc, sizeof(*steer), CAD_MEM_SESSION);
    if (!steer) return CAD_E_NOMEM;
    steer->alloc = *alloc;
    *out = steer;
    return CAD_OK;
}

static void list_free(const struct cad_alloc *alloc, struct list *list)
{
    if (list) cad_alloc_free(alloc, list, list->block_bytes, CAD_MEM_SESSION);
}

void cad_steer_destroy(struct cad_steer **steer)
{
    if (!steer || !*steer) return;
    struct cad_alloc alloc = (*steer)->alloc;
    list_free(&alloc, (*steer)->list);
    cad_alloc_free(&alloc, *steer, sizeof(**steer), CAD_MEM_SESSION);
    *steer = NULL;
}

uint32_t cad_steer_count(const struct cad_steer *steer)
{
    return steer->list ? steer->list->count : 0;
}

static cad_str keep(char **at, cad_str s)
{
    if (s.n > 0) memcpy(*at, s.p, s.n);
    cad_str kept = {*at, s.n};
    *at += s.n;
    return kept;
}

/* The health of a host in a list; NULL if it is not there. */
static const struct cad_health *host_health(const struct list *list, cad_str host)
{
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct server *server = &list->servers[i];
        if (cad_str_ieq(server->host, host)) return &list->healths[server->health];
    }
    return NULL;
}

/* Gives server i of a new list its health: shared within the list, kept from the old, or new. */
static void attach_health(struct list *list, uint32_t i, const struct list *old)
{
    struct server *server = &list->servers[i];
    for (uint32_t j = 0; j < i; j++) {
        if (!cad_str_ieq(list->servers[j].host, server->host)) continue;
        server->health = list->servers[j].health;
        return;
    }
    server->health = list->health_count++;
    const struct cad_health *before = host_health(old, server->host);
    if (before) {
        list->healths[server->health] = *before;
    } else {
        cad_health_init(&list->healths[server->health]);
    }
}

static void levels_of(const struct list *list, struct cad_rank_level *out)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct server *server = &list->servers[i];
        out[i] = (struct cad_rank_level){server->location_rank, server->level, server->lowgrade};
    }
}

/* What probes had found out stays with the servers that stay. */
static void keep_order(struct list *list, const struct list *old)
{
    struct cad_rank_level levels[CAD_STEER_SERVERS_MAX];
    int32_t was[CAD_STEER_SERVERS_MAX];
    for (uint32_t i = 0; i < list->count; i++) {
        struct server *server = &list->servers[i];
        was[i] = -1;
        for (uint32_t j = 0; j < old->count && was[i] < 0; j++) {
            const struct server *before = &old->servers[j];
            if (!cad_str_eq(before->id, server->id)) continue;
            if (!cad_str_ieq(before->host, server->host)) continue;
            was[i] = (int32_t)j;
            server->identity_seen = before->identity_seen;
        }
    }
    levels_of(list, levels);
    cad_rank_keep(&list->rank, levels, &old->rank, was);
}

int cad_steer_set_servers(struct cad_steer *steer, const struct cad_steer_server *servers,
                          uint32_t count)
{
    if (count > 0 && !servers) return CAD_E_INVAL;
    if (count > CAD_STEER_SERVERS_MAX) return CAD_E_LIMIT;
    size_t bytes = sizeof(struct list);
    for (uint32_t i = 0; i < count; i++) {
        if (!cad_add_size(bytes, servers[i].id.n, &bytes)) return CAD_E_LIMIT;
        if (!cad_add_size(bytes, servers[i].host.n, &bytes)) return CAD_E_LIMIT;
    }
    struct list *list = cad_alloc_new(&steer->alloc, bytes, CAD_MEM_SESSION);
    if (!list) return CAD_E_NOMEM;
    list->block_bytes = bytes;
    char *text = (char *)(list + 1);
    for (uint32_t i = 0; i < count; i++) {
        list->servers[i] = (struct server){
            .id = keep(&text, servers[i].id),
            .host = keep(&text, servers[i].host),
            .location_rank = servers[i].location_rank,
            .level = servers[i].level,
            .lowgrade = servers[i].lowgrade,
        };
        attach_health(list, i, steer->list);
        list->count++;
    }
    cad_rank_init(&list->rank, count);
    if (steer->list) keep_order(list, steer->list);
    list_free(&steer->alloc, steer->list);
    steer->list = list;
    return CAD_OK;
}

static struct cad_health *health_of(const struct cad_steer *steer, uint32_t server)
{
    if (server >= cad_steer_count(steer)) return NULL;
    return &steer->list->healths[steer->list->servers[server].health];
}

void cad_steer_report(struct cad_steer *steer, uint32_t server, enum cad_steer_outcome outcome,
                      cad_time now)
{
    /* A report may concern a server that a refresh took off the list. */
    struct cad_health *health = health_of(steer, server);
    if (health) cad_health_report(health, outcome, now);
}

bool cad_steer_healthy(const struct cad_steer *steer, uint32_t server, cad_time now)
{
    const struct cad_health *health = health_of(steer, server);
    return health && !cad_health_resting(health, now);
}

cad_time cad_steer_rest_until(const struct cad_steer *steer, uint32_t server, cad_time now)
{
    const struct cad_health *health = health_of(steer, server);
    return health && cad_health_resting(health, now) ? health->rest_until : CAD_TIME_NONE;
}

cad_str cad_steer_id(const struct cad_steer *steer, uint32_t server)
{
    return server < cad_steer_count(steer) ? steer->list->servers[server].id : (cad_str){NULL, 0};
}

/* ---- the pick ------------------------------------------------------------------------------ */

#define BIT(i) (UINT64_C(1) << (i))

static uint64_t healthy_of(const struct cad_steer *steer, uint64_t candidates, cad_time now)
{
    uint64_t healthy = 0;
    for (uint32_t i = 0; i < cad_steer_count(steer); i++) {
        if ((candidates & BIT(i)) && cad_steer_healthy(steer, i, now)) healthy |= BIT(i);
    }
    return healthy;
}

/* The first in order; the caller knows that there is one. */
static uint32_t first_of(const struct cad_steer *steer, uint64_t set)
{
    CAD_ASSERT(set != 0);
    for (uint32_t i = 0; i < cad_steer_count(steer); i++) {
        uint32_t server = steer->list->rank.order[i];
        if (set & BIT(server)) return server;
    }
    return 0;
}

/* The candidate whose rest ends first, to be tried before it ends; of several, the first. */
static uint32_t pick_resting(struct cad_steer *steer, uint64_t candidates)
{
    uint32_t best = first_of(steer, candidates);
    for (uint32_t i = 0; i < cad_steer_count(steer); i++) {
        uint32_t server = steer->list->rank.order[i];
        if (!(candidates & BIT(server))) continue;
        if (health_of(steer, server)->rest_until < health_of(steer, best)->rest_until) {
            best = server;
        }
    }
    health_of(steer, best)->on_trial = true;
    return best;
}

/* A server before `sticky` that has long been well again, or sticky itself. */
static uint32_t pick_sticky(const struct cad_steer *steer, uint64_t usable, uint32_t sticky,
                            cad_time now)
{
    for (uint32_t i = 0; i < steer->list->count; i++) {
        uint32_t server = steer->list->rank.order[i];
        if (server == sticky) break;
        if ((usable & BIT(server)) && cad_health_settled(health_of(steer, server), now)) {
            return server;
        }
    }
    return sticky;
}

/* Failover from `left`: the same location, then the ones after it, then whatever there is. */
static uint32_t pick_next(const struct cad_steer *steer, uint64_t usable, uint32_t left)
{
    int32_t here = steer->list->servers[left].location_rank;
    uint64_t same = 0;
    uint64_t after = 0;
    for (uint32_t i = 0; i < steer->list->count; i++) {
        if (!(usable & BIT(i))) continue;
        int32_t there = steer->list->servers[i].location_rank;
        if (there == here) same |= BIT(i);
        if (there > here) after |= BIT(i);
    }
    if (same) return first_of(steer, same);
    return first_of(steer, after ? after : usable);
}

uint32_t cad_steer_pick(struct cad_steer *steer, uint64_t candidates, uint64_t avoid,
                        int32_t sticky, cad_time now)
{
    uint32_t count = cad_steer_count(steer);
    if (count < CAD_STEER_SERVERS_MAX) candidates &= BIT(count) - 1;
    CAD_ASSERT(candidates != 0);
    if (candidates == 0) return 0;
    uint64_t healthy = healthy_of(steer, candidates, now);
    if (healthy == 0) return pick_resting(steer, candidates);
    uint64_t usable = healthy & ~avoid ? healthy & ~avoid : healthy;
    if (sticky < 0 || (uint32_t)sticky >= count) return first_of(steer, usable);
    if (usable & BIT(sticky)) return pick_sticky(steer, usable, (uint32_t)sticky, now);
    return pick_next(steer, usable, (uint32_t)sticky);
}

/* ---- results of probes ----------------------------------------------------------------------- */

/* A pulse that failed with the server's identity counts as one failed connection; two successes in
 * a row end a rest. */
static void hear_probe(struct cad_steer *steer, uint32_t server, const struct cad_ftl_score *score,
                       cad_time now)
{
    struct server *entry = &steer->list->servers[server];
    struct cad_health *health = health_of(steer, server);
    bool failed = score->identity_failures > entry->identity_seen;
    entry->identity_seen = score->identity_failures;
    if (failed) cad_health_report(health, CAD_STEER_CONNECT, now);
    if (score->streak_at != CAD_TIME_NONE) cad_health_probed(health, score->streak_at, now);
}

int cad_steer_rerank(struct cad_steer *steer, const struct cad_steer_result *results,
                     uint32_t count, cad_time now)
{
    struct cad_rank_level levels[CAD_STEER_SERVERS_MAX];
    if (count != cad_steer_count(steer) || (count > 0 && !results)) return CAD_E_INVAL;
    if (count == 0) return 0;
    for (uint32_t i = 0; i < count; i++) {
        if (results[i].known) hear_probe(steer, i, &results[i].score, now);
    }
    struct cad_rank before = steer->list->rank;
    levels_of(steer->list, levels);
    cad_rank_step(&steer->list->rank, levels, results);
    int changed = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (before.order[i] != steer->list->rank.order[i]) changed++;
    }
    return changed;
}

uint32_t cad_steer_order(const struct cad_steer *steer, uint32_t *out, uint32_t max)
{
    uint32_t count = cad_steer_count(steer);
    for (uint32_t i = 0; i < count && i < max; i++) out[i] = steer->list->rank.order[i];
    return count;
}
