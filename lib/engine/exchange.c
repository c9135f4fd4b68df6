/*
 * Requests around playback. One is a place in a small table from its HTTP_START to its end, which
 * comes from the edge or, when its time is over, from here. What it means is its owner's matter.
 */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "engine/session.h"

#define BODY_FIRST 1024 /* bytes of the first buffer of a body that is kept */
#define LIMITS_HEADER "x-ichnaea"

struct exchange {
    uint32_t id;           /* 0: the place is free */
    enum cad_purpose purpose;
    uint32_t owner;
    bool head, ended;      /* ended: its HTTP_END waits for the turn, nothing may follow */
    int32_t status;
    cad_time until;        /* absolute: TIMEOUT then */
    cad_time retry_after;
    int64_t left;          /* bytes of body that may still come */
    size_t keep;
    uint8_t *body;         /* body_n of body_cap bytes */
    size_t body_n, body_cap;
    char limits[256];
    size_t limits_n;
};

static struct exchange *find(const struct cad_engine *e, uint32_t id)
{
    for (size_t i = 0; e->exchange.live && i < ENGINE_EXCHANGES_MAX; i++) {
        if (e->exchange.live[i].id == id) return &e->exchange.live[i];
    }
    return NULL;
}

static struct exchange *place(struct cad_engine *e)
{
    struct exchange_part *part = &e->exchange;
    if (!part->live) {
        part->live = cad_alloc_new(&e->alloc, ENGINE_EXCHANGES_MAX * sizeof(*part->live),
                                   CAD_MEM_SESSION);
    }
    return find(e, 0);
}

static void release(struct cad_engine *e, struct exchange *x)
{
    cad_alloc_free(&e->alloc, x->body, x->body_cap, CAD_MEM_SESSION);
    memset(x, 0, sizeof(*x));
}

static uint32_t next_id(struct cad_engine *e, enum cad_purpose purpose)
{
    bool probe = purpose == CAD_PURPOSE_PROBE;
    uint32_t *last = probe ? &e->exchange.next_probe_id : &e->exchange.next_id;
    *last = (*last + 1) & (CAD_ENGINE_ID_FREE - 1);
    return *last | EXCHANGE_BIT | (probe ? EXCHANGE_PROBE_BIT : 0);
}

/* ---- begin and end --------------------------------------------------------------------------- */

static bool may_be_asked(cad_str url)
{
    struct cad_uri uri;
    return url.n <= ENGINE_URL_MAX && cad_uri_parse(url, &uri) == 0 && cad_uri_is_http(&uri);
}

int exchange_start(struct cad_engine *e, const struct exchange_ask *ask)
{
    if (!may_be_asked(ask->url)) return CAD_E_INVAL;
    if (cad_ring_space(&e->actions) < EXCHANGE_ACTIONS) return CAD_E_AGAIN;
    if (ask->url.n + 1 >= ENGINE_TEXT_BYTES - e->text_used) return CAD_E_AGAIN;
    struct exchange *x = place(e);
    if (!x) return e->exchange.live ? CAD_E_LIMIT : CAD_E_NOMEM;
    struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_START);
    if (!action) return CAD_E_AGAIN;
    *x = (struct exchange){.id = next_id(e, ask->purpose), .purpose = ask->purpose,
                           .owner = ask->owner, .until = cad_time_add(e->now, ask->timeout),
                           .retry_after = CAD_TIME_NONE, .left = ask->size_max,
                           .keep = CAD_MIN(ask->keep, EXCHANGE_KEPT_MAX)};
    action->u.start = (struct cad_http_start){
        .id = x->id, .purpose = ask->purpose, .post = ask->post,
        .url = {engine_text(e, ask->url), ask->url.n}, .headers = ask->headers,
        .header_count = ask->header_count, .body = ask->body, .range = {-1, -1},
        .size_max = ask->size_max, .priority = ask->priority, .deadline = CAD_TIME_NONE,
        .connect_timeout = ask->connect_timeout, .silence_timeout = ask->timeout,
        .group = ask->group, .address_max = ask->address_max};
    return CAD_OK;
}

void exchange_cancel(struct cad_engine *e, enum cad_purpose purpose, uint32_t owner)
{
    for (size_t i = 0; e->exchange.live && i < ENGINE_EXCHANGES_MAX; i++) {
        struct exchange *x = &e->exchange.live[i];
        if (x->id == 0 || x->purpose != purpose || (owner && x->owner != owner)) continue;
        struct cad_action *action = x->ended ? NULL : engine_action(e, CAD_ACTION_HTTP_CANCEL);
        if (action) action->u.cancel.id = x->id;
        release(e, x);
    }
}

void exchanges_drop(struct cad_engine *e)
{
    struct exchange_part *part = &e->exchange;
    for (size_t i = 0; part->live && i < ENGINE_EXCHANGES_MAX; i++) release(e, &part->live[i]);
    cad_alloc_free(&e->alloc, part->live, ENGINE_EXCHANGES_MAX * sizeof(*part->live),
                   CAD_MEM_SESSION);
    part->live = NULL;
}

/* Its place is free before the owner hears of it, who may begin another one. */
static void finish(struct cad_engine *e, struct exchange *x, const struct cad_http_end *end)
{
    struct exchange over = *x;
    memset(x, 0, sizeof(*x));
    struct exchange_answer answer = {
        .purpose = over.purpose, .owner = over.owner, .end = end, .status = over.status,
        .retry_after = over.retry_after, .limits = {over.limits, over.limits_n},
        .body = {over.body, over.body_n}};
    if (over.purpose == CAD_PURPOSE_PROBE) probes_answer(e, &answer);
    else facts_answer(e, &answer);
    release(e, &over);
}

void exchange_mark_end(struct cad_engine *e, uint32_t id)
{
    struct exchange *x = find(e, id);
    if (x) x->ended = true;
}

void exchange_end(struct cad_engine *e, const struct cad_http_end *end)
{
    struct exchange *x = find(e, end->id);
    if (x) finish(e, x, end);
}

/* ---- head and body --------------------------------------------------------------------------- */

void exchange_head(struct cad_engine *e, const struct cad_http_head *head)
{
    struct exchange *x = find(e, head->id);
    if (!x || x->head || x->ended) return;
    x->head = true;
    x->status = head->status;
    x->retry_after = head->retry_after;
    for (uint32_t i = 0; i < CAD_MIN(head->header_count, CAD_HTTP_HEADERS_MAX); i++) {
        const struct cad_header *h = &head->headers[i];
        if (!cad_str_ieq(h->name, CAD_STR(LIMITS_HEADER))) continue;
        x->limits_n = cad_str_copyz(x->limits, sizeof(x->limits), h->value);
    }
    if (x->purpose == CAD_PURPOSE_PROBE) probes_head(e, x->owner, head);
}

static int make_room(struct cad_engine *e, struct exchange *x)
{
    size_t cap = CAD_MIN(x->body_cap ? 2 * x->body_cap : BODY_FIRST, x->keep);
    uint8_t *p = cad_alloc_resize(&e->alloc, x->body, x->body_cap, cap, CAD_MEM_SESSION);
    if (!p) return CAD_E_NOMEM;
    x->body = p;
    x->body_cap = cap;
    return CAD_OK;
}

int exchange_lease(struct cad_engine *e, uint32_t id, size_t want, uint8_t **data,
                   size_t *capacity)
{
    struct exchange *x = find(e, id);
    if (!x || x->ended) return CAD_E_STALE;
    if (x->left <= 0) return CAD_E_LIMIT;
    *data = e->discard;
    *capacity = sizeof(e->discard);
    if (x->body_n < x->keep) {
        int rc = x->body_n == x->body_cap ? make_room(e, x) : CAD_OK;
        if (rc != 0) return rc;
        *data = x->body + x->body_n;
        *capacity = x->body_cap - x->body_n;
    }
    *capacity = CAD_MIN(*capacity, want);
    *capacity = (size_t)CAD_MIN((int64_t)*capacity, x->left);
    return CAD_OK;
}

int exchange_commit(struct cad_engine *e, uint32_t id, size_t n)
{
    struct exchange *x = find(e, id);
    if (!x || x->ended) return CAD_E_STALE;
    bool kept = x->body_n < x->keep;
    size_t room = kept ? x->body_cap - x->body_n : sizeof(e->discard);
    if (n > room || (int64_t)n > x->left) return CAD_E_INVAL;
    x->left -= (int64_t)n;
    if (kept) x->body_n += n;
    else if (x->purpose == CAD_PURPOSE_PROBE) probes_body(e, x->owner, (cad_buf){e->discard, n});
    return CAD_OK;
}

/* ---- the turn -------------------------------------------------------------------------------- */

void exchange_turn(struct cad_engine *e)
{
    for (size_t i = 0; e->exchange.live && i < ENGINE_EXCHANGES_MAX; i++) {
        struct exchange *x = &e->exchange.live[i];
        if (x->id == 0 || x->ended || x->until > e->now) continue;
        if (cad_ring_space(&e->actions) < EXCHANGE_ACTIONS) {
            e->service_more = true;
            return;
        }
        struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_CANCEL);
        if (action) action->u.cancel.id = x->id;
        struct cad_http_end end = {.id = x->id, .cls = CAD_HTTP_TIMEOUT, .dns = CAD_TIME_NONE,
                                   .connect = CAD_TIME_NONE, .tls = CAD_TIME_NONE,
                                   .first_byte = CAD_TIME_NONE, .last_byte = CAD_TIME_NONE};
        finish(e, x, &end);
    }
}

cad_time exchange_next_wake(const struct cad_engine *e)
{
    cad_time wake = CAD_TIME_NONE;
    for (size_t i = 0; e->exchange.live && i < ENGINE_EXCHANGES_MAX; i++) {
        const struct exchange *x = &e->exchange.live[i];
        if (x->id != 0 && !x->ended) wake = cad_time_earlier(wake, x->until);
    }
    return wake;
}

bool exchange_link_spare(struct cad_engine *e)
{
    enum cad_state state = e->clock.state;
    if (state == CAD_STATE_LOADING || state == CAD_STATE_BUFFERING) return false;
    if (state != CAD_STATE_PLAYING) return true;
    cad_time position = clock_position(e);
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct slot *s = &e->slots[i];
        if (!s->present || queue_at_end(s)) continue;
        if (queue_buffered_end(s, position, false) - position < EXCHANGE_AHEAD) return false;
    }
    return true;
}
