#include "drive/sim_net.h"

#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "drive/sim_head.h"

#define SCRATCH_BYTES (1u << 20)    /* bytes asked of an origin at once */
#define HOST_NAME_SIZE 128
#define URL_BYTES_MAX 16384u
#define BODY_BYTES_MAX (16u << 20)  /* of a POST, and of an answer that comes whole */
#define HEAD_BYTES_MAX 65536u       /* texts of an answer's head */
#define NEVER CAD_TIME_MAX

enum state {
    QUEUED,   /* waits for a connection */
    CONNECT,
    WAIT,     /* the request is out, nothing came back */
    THINK,    /* the server takes its time */
    BODY,
    FAIL,     /* ends with `ending` when it is due */
    OVER
};

struct host {
    char name[HOST_NAME_SIZE];
    uint32_t link;
    enum cad_host_fault fault;
    int64_t value;
    struct cad_link own;     /* with a cap, for RATE */
    uint32_t open, idle;     /* connections: all, and those without a transfer; not of probes */
};

/* A connection of probes: of one group, shared with nobody else. */
struct side {
    struct host *host;       /* NULL: free */
    uint32_t group;
    bool busy;
};

struct transfer {
    enum state state;
    enum cad_http_class ending; /* FAIL */
    struct host *host;       /* NULL: unknown */
    bool connected;          /* holds a connection */
    struct side *side;       /* which is this one; NULL: of the host's own */
    bool dead;               /* its packets go nowhere */
    cad_time ready;          /* when its state goes on by itself */
    cad_time limit;          /* when it gives up */
    cad_time started;
    struct cad_http_start start; /* without its views: see text and post */
    struct cad_sb text;      /* the URL */
    cad_str authority, path; /* in text */
    struct cad_sb post;      /* body of a POST */
    struct cad_http_end end;
    int32_t status;
    struct cad_sim_head head; /* of the answer, while it is thought about */
    struct cad_origin_answer answer; /* read, release and token count; views do not */
    bool answered;           /* release is due */
    bool from_copy;          /* the body is in copy */
    struct cad_sb copy;
    int64_t body_size;
    int64_t body_end;        /* where it breaks; body_size if it does not */
    int64_t arrived;         /* bytes, once it is on no link any more */
    int64_t sent;            /* bytes handed on */
    struct cad_flow flow;
    cad_time note;
    struct cad_transport_delivery reads; /* received and reads count */
};

/* A connection that is being made ready. */
struct warm {
    struct host *host;       /* NULL: free */
    bool lost;               /* nothing will come of it */
    cad_time ready;
};

struct cad_sim_net {
    struct cad_transport base;
    struct cad_alloc alloc;
    struct cad_sim_net_config config;
    int (*hole)(void *ctx, uint32_t id, size_t n, cad_time at);
    cad_sim_access_fn access;
    void *access_ctx;
    const struct cad_origin_ops *origin;
    void *origin_ctx;
    cad_time now;
    bool online;
    struct cad_link links[CAD_SIM_LINKS_MAX];
    cad_time link_start[CAD_SIM_LINKS_MAX];
    uint32_t link_count;
    struct host hosts[CAD_SIM_HOSTS_MAX];
    uint32_t host_count;
    struct transfer slots[CAD_SIM_TRANSFERS_MAX];
    struct transfer *active[CAD_SIM_TRANSFERS_MAX]; /* in order of start; the rest are free */
    uint32_t active_count;
    struct warm warms[CAD_SIM_WARMS_MAX];
    struct side sides[CAD_SIM_SIDES_MAX];
    uint8_t *scratch;
};

/* ---- hosts and links ----------------------------------------------------------------------- */

/* By the whole authority, else by the name without the port. */
static struct host *find_host(struct cad_sim_net *net, cad_str authority)
{
    ptrdiff_t colon = cad_str_rfind_char(authority, ':');
    cad_str name = colon < 0 ? authority : cad_str_sub(authority, 0, (size_t)colon);
    struct host *found = NULL;
    for (uint32_t i = 0; i < net->host_count; i++) {
        if (cad_str_eqz(authority, net->hosts[i].name)) return &net->hosts[i];
        if (cad_str_eqz(name, net->hosts[i].name)) found = &net->hosts[i];
    }
    return found;
}

/* "http://authority/path?query#fragment" into its parts; false: another scheme, or no host. */
static bool split_url(cad_str url, cad_str *authority, cad_str *path)
{
    ptrdiff_t colon = cad_str_find(url, CAD_STR("://"));
    if (colon < 0) return false;
    cad_str scheme = cad_str_sub(url, 0, (size_t)colon);
    if (!cad_str_ieq(scheme, CAD_STR("http")) && !cad_str_ieq(scheme, CAD_STR("https"))) {
        return false;
    }
    cad_str rest = cad_str_sub(url, (size_t)colon + 3, url.n);
    ptrdiff_t hash = cad_str_find_char(rest, '#');
    if (hash >= 0) rest = cad_str_sub(rest, 0, (size_t)hash);
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?') n++;
    *authority = cad_str_sub(rest, 0, n);
    *path = n < rest.n ? cad_str_sub(rest, n, rest.n) : CAD_STR("/");
    return n > 0;
}

static bool is_dead(const struct cad_sim_net *net, const struct host *host)
{
    return !net->online || host->fault == CAD_HOST_BLACKHOLE;
}

/* The link that a host's bodies use, brought up to now. */
static struct cad_link *link_of(struct cad_sim_net *net, struct host *host)
{
    struct cad_link *link = host->fault == CAD_HOST_RATE ? &host->own : &net->links[host->link];
    cad_link_advance(link, net->now);
    return link;
}

static cad_time round_trip(struct cad_sim_net *net, struct host *host)
{
    return cad_link_latency(link_of(net, host));
}

void cad_sim_net_advance(struct cad_sim_net *net, cad_time now)
{
    CAD_ASSERT(now >= net->now);
    net->now = now;
    for (uint32_t i = 0; i < net->link_count; i++) {
        if (net->links[i].flows > 0) cad_link_advance(&net->links[i], now);
    }
    for (uint32_t i = 0; i < net->host_count; i++) {
        if (net->hosts[i].own.flows > 0) cad_link_advance(&net->hosts[i].own, now);
    }
}

/* ---- connections --------------------------------------------------------------------------- */

static cad_time after(cad_time now, cad_time duration)
{
    return duration > 0 ? cad_time_add(now, duration) : NEVER;
}

static void fail_at(struct transfer *t, enum cad_http_class cls, cad_time at)
{
    t->state = FAIL;
    t->ending = cls;
    t->ready = at;
    t->limit = NEVER;
}

static void send_request(struct cad_sim_net *net, struct transfer *t)
{
    t->state = WAIT;
    t->ready = t->dead ? NEVER : net->now + round_trip(net, t->host);
    t->limit = after(net->now, t->start.silence_timeout);
}

/* A probe's connection: the idle one of its group, or a free place; NULL: none is free, and what is
 * opened is not kept. */
static struct side *find_side(struct cad_sim_net *net, const struct transfer *t, bool *open)
{
    struct side *place = NULL;
    *open = false;
    for (size_t i = 0; i < CAD_SIM_SIDES_MAX; i++) {
        struct side *side = &net->sides[i];
        if (!side->host) place = side;
        if (side->host != t->host || side->group != t->start.group || side->busy) continue;
        *open = true;
        return side;
    }
    return place;
}

/* A connection for t: true, an open one; else it is to be opened. */
static bool find_connection(struct cad_sim_net *net, struct transfer *t)
{
    struct host *host = t->host;
    if (t->start.purpose == CAD_PURPOSE_PROBE) {
        bool open;
        t->side = find_side(net, t, &open);
        if (t->side) *t->side = (struct side){host, t->start.group, true};
        return open;
    }
    if (host->idle == 0) {
        host->open++;
        return false;
    }
    host->idle--;
    return true;
}

static void take_connection(struct cad_sim_net *net, struct transfer *t)
{
    struct host *host = t->host;
    t->connected = true;
    t->dead = is_dead(net, host);
    if (find_connection(net, t)) {
        t->end.reused = true;
        send_request(net, t);
        return;
    }
    cad_time trip = round_trip(net, host);
    if (host->fault == CAD_HOST_REFUSE && !t->dead) {
        fail_at(t, CAD_HTTP_CONNECT, net->now + trip);
        return;
    }
    t->state = CONNECT;
    t->end.dns = net->now;
    t->end.connect = net->now + trip;
    t->end.tls = net->config.tls ? t->end.connect + trip : CAD_TIME_NONE;
    t->ready = net->config.tls ? t->end.tls : t->end.connect;
    t->limit = after(net->now, t->start.connect_timeout);
    if (t->dead) {
        t->ready = NEVER;
        t->end.connect = t->end.tls = CAD_TIME_NONE;
    }
}

/* Give connections that are to be had to those who wait, the most urgent first, then the oldest. */
static void serve_queue(struct cad_sim_net *net, struct host *host)
{
    while (host->idle > 0 || host->open < CAD_SIM_CONNECTIONS_MAX) {
        struct transfer *next = NULL;
        for (uint32_t i = 0; i < net->active_count; i++) {
            struct transfer *t = net->active[i];
            if (t->state != QUEUED || t->host != host) continue;
            if (!next || t->start.priority < next->start.priority) next = t;
        }
        if (!next) return;
        take_connection(net, next);
    }
}

static void leave_connection(struct cad_sim_net *net, struct transfer *t, bool keep)
{
    if (!t->connected) return;
    t->connected = false;
    if (t->start.purpose == CAD_PURPOSE_PROBE) {
        if (t->side) *t->side = (struct side){keep ? t->host : NULL, t->start.group, false};
        return;
    }
    if (keep) {
        t->host->idle++;
    } else {
        t->host->open--;
    }
    serve_queue(net, t->host);
}

/* ---- warm connections ---------------------------------------------------------------------- */

/* The request goes out on an idle connection or on one that is made for it; in both cases the
 * connection is idle when its answer is there. Nobody reads that, so no origin is asked. */
static void warm_one(struct cad_sim_net *net, struct host *host, const struct cad_http_warm *ask)
{
    struct warm *warm = NULL;
    uint32_t under_way = 0;
    for (size_t i = 0; i < CAD_SIM_WARMS_MAX; i++) {
        if (net->warms[i].host == host) under_way++;
        if (!net->warms[i].host) warm = &net->warms[i];
    }
    if (!warm || under_way >= CAD_MAX(ask->connections, 1u)) return;
    bool fresh = host->idle == 0;
    if (fresh && host->open == CAD_SIM_CONNECTIONS_MAX) return;
    cad_time trip = round_trip(net, host);
    bool dead = is_dead(net, host);
    bool refused = host->fault == CAD_HOST_REFUSE;
    int trips = 1 + (fresh ? 1 + net->config.tls : 0);
    if (fresh) host->open++;
    else host->idle--;
    *warm = (struct warm){host, dead || refused, net->now + trip * (refused ? 1 : trips)};
    if (dead) warm->ready = cad_time_add(net->now, CAD_MAX(ask->connect_timeout, trip));
}

static void net_warm(struct cad_transport *transport, const struct cad_http_warm *ask)
{
    struct cad_sim_net *net = (struct cad_sim_net *)transport;
    cad_str authority, path;
    if (!split_url(ask->url, &authority, &path)) return;
    struct host *host = find_host(net, authority);
    for (uint32_t i = 0; host && i < CAD_MAX(ask->connections, 1u) && i < CAD_SIM_WARMS_MAX; i++) {
        warm_one(net, host, ask);
    }
}

/* Nothing comes of those that are under way to a host. */
static void lose_warms(struct cad_sim_net *net, const struct host *host)
{
    for (size_t i = 0; i < CAD_SIM_WARMS_MAX; i++) {
        if (net->warms[i].host == host) net->warms[i].lost = true;
    }
}

static bool end_warms(struct cad_sim_net *net)
{
    bool any = false;
    for (size_t i = 0; i < CAD_SIM_WARMS_MAX; i++) {
        struct warm *warm = &net->warms[i];
        struct host *host = warm->host;
        if (!host || warm->ready > net->now) continue;
        warm->host = NULL;
        if (warm->lost) host->open--;
        else host->idle++;
        serve_queue(net, host);
        any = true;
    }
    return any;
}

/* ---- the end of a transfer ----------------------------------------------------------------- */

static void leave_link(struct transfer *t)
{
    if (!t->flow.link) return;
    t->arrived = cad_link_received(&t->flow);
    cad_link_leave(&t->flow);
}

/* Everything but the word to the door. The slot is free after the next sweep. */
static void close_transfer(struct cad_sim_net *net, struct transfer *t, enum cad_http_class cls,
                           bool cancelled)
{
    leave_link(t);
    t->state = OVER;
    if (net->access) {
        struct cad_sim_access access = {
            .start = t->started, .end = net->now, .host = t->authority, .path = t->path,
            .status = t->status, .bytes = t->sent, .cancelled = cancelled, .id = t->start.id,
            .purpose = t->start.purpose, .cls = cls, .ahead = t->note};
        net->access(net->access_ctx, &access);
    }
    if (t->answered && t->answer.release) t->answer.release(t->answer.token);
    t->answered = false;
    leave_connection(net, t, cls == CAD_HTTP_OK && !cancelled);
}

static void finish(struct cad_sim_net *net, struct transfer *t, enum cad_http_class cls,
                   int64_t edge_code)
{
    t->end.cls = cls;
    t->end.edge_code = edge_code;
    cad_transport_tell_reads(&t->reads, &t->end);
    if (t->sent > 0 || cls == CAD_HTTP_OK) t->end.last_byte = net->now;
    close_transfer(net, t, cls, false);
    net->base.door.end(net->base.door.ctx, &t->end);
}

static void sweep(struct cad_sim_net *net)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < net->active_count; i++) {
        struct transfer *t = net->active[i];
        if (t->state == OVER) continue;
        /* Swap, so that the tail of the array goes on naming every free slot once. */
        net->active[i] = net->active[kept];
        net->active[kept++] = t;
    }
    net->active_count = kept;
}

/* ---- the answer ---------------------------------------------------------------------------- */

static int ask_origin(struct cad_sim_net *net, struct transfer *t, cad_time asked)
{
    memset(&t->answer, 0, sizeof(t->answer));
    if (t->host->fault == CAD_HOST_STATUS) {
        t->answer.status = (int32_t)t->host->value;
        return cad_sim_head(&t->answer, t->start.id, &t->head);
    }
    if (!net->origin) return CAD_E_NOTFOUND;
    struct cad_origin_request request = {
        .method = t->start.post ? CAD_STR("POST") : CAD_STR("GET"),
        .host = t->authority, .path = t->path, .body = cad_buf_from_str(cad_sb_str(&t->post)),
        .range = t->start.range, .now_ms = net->config.wall_ms + asked / CAD_MS};
    int err = net->origin->serve(net->origin_ctx, &request, &t->answer);
    if (err) return err;
    t->answered = true;
    if (!t->answer.read) t->answer.body_size = (int64_t)t->answer.body.n;
    err = cad_sim_head(&t->answer, t->start.id, &t->head);
    if (err || t->answer.read) return err;
    /* A whole body lives only until the origin's next call. */
    t->from_copy = true;
    cad_sb_reset(&t->copy);
    cad_sb_put(&t->copy, cad_str_from_buf(t->answer.body));
    return cad_sb_error(&t->copy);
}

/* The first byte is here: the head goes to the door and the body begins. */
static void begin_body(struct cad_sim_net *net, struct transfer *t)
{
    t->head.head.date_ms = (net->config.wall_ms + net->now / CAD_MS) / 1000 * 1000;
    t->status = t->answer.status;
    t->body_size = t->body_end = CAD_MAX(t->answer.body_size, 0);
    if (t->host->fault == CAD_HOST_RESET_AT) t->body_end = CAD_MIN(t->body_end, t->host->value);
    t->end.first_byte = net->now;
    net->base.door.head(net->base.door.ctx, &t->head.head);
    if (t->start.size_max > 0 && t->body_size > t->start.size_max) {
        finish(net, t, CAD_HTTP_TOO_LARGE, 0);
        return;
    }
    t->state = BODY;
    t->limit = after(net->now, t->start.silence_timeout);
    t->ready = net->now;
    if (t->body_end > 0) cad_link_join(link_of(net, t->host), &t->flow, 0);
}

static void hear_answer(struct cad_sim_net *net, struct transfer *t)
{
    cad_time trip = round_trip(net, t->host);
    int err = ask_origin(net, t, net->now - trip / 2);
    if (err == CAD_E_AGAIN) {
        t->dead = true; /* it never answers */
        t->ready = NEVER;
    } else if (err) {
        enum cad_http_class cls = err == CAD_E_IO ? CAD_HTTP_RESET : CAD_HTTP_PROTOCOL;
        finish(net, t, err == CAD_E_LIMIT ? CAD_HTTP_TOO_LARGE : cls, err);
    } else if (t->answer.think > 0) {
        t->state = THINK;
        t->ready = cad_time_add(net->now, t->answer.think);
    } else {
        begin_body(net, t);
    }
}

/* ---- bytes --------------------------------------------------------------------------------- */

/* Commit n bytes; p NULL: zeros. */
static int hand_on(struct cad_sim_net *net, struct transfer *t, const uint8_t *p, size_t n)
{
    const struct cad_transport_door *door = &net->base.door;
    while (n > 0) {
        uint8_t *data = NULL;
        size_t capacity = 0;
        int err = door->lease(door->ctx, t->start.id, n, &data, &capacity);
        if (err) return err;
        size_t take = CAD_MIN(n, capacity);
        if (take == 0) return CAD_E_LIMIT;
        if (p) {
            memcpy(data, p, take);
            p += take;
        } else {
            memset(data, 0, take);
        }
        err = door->commit(door->ctx, t->start.id, take, net->now);
        if (err) return err;
        t->sent += (int64_t)take;
        n -= take;
    }
    return 0;
}

static int hand_on_hole(struct cad_sim_net *net, struct transfer *t, size_t n)
{
    if (!net->hole) return hand_on(net, t, NULL, n);
    int err = net->hole(net->base.door.ctx, t->start.id, n, net->now);
    if (!err) t->sent += (int64_t)n;
    return err;
}

/* Hand on what has arrived. 0 or what the door said. */
static int deliver(struct cad_sim_net *net, struct transfer *t)
{
    int64_t arrived = t->flow.link ? cad_link_received(&t->flow) : t->arrived;
    arrived = CAD_MIN(arrived, t->body_end);
    while (t->sent < arrived) {
        size_t n = (size_t)CAD_MIN(arrived - t->sent, (int64_t)SCRATCH_BYTES);
        int err;
        if (t->from_copy) {
            err = hand_on(net, t, (const uint8_t *)t->copy.p + t->sent, n);
        } else {
            size_t done = 0;
            int kind = t->answer.read(t->answer.token, t->sent, n, net->scratch, &done);
            if (kind < 0 || done == 0 || done > n) return CAD_E_IO;
            err = kind == 1 ? hand_on_hole(net, t, done) : hand_on(net, t, net->scratch, done);
        }
        if (err) return err;
    }
    return 0;
}

/* deliver, and end the transfer if the door did not want it. False: it is over. */
static bool deliver_or_end(struct cad_sim_net *net, struct transfer *t)
{
    int err = deliver(net, t);
    if (t->sent > t->reads.received) {
        t->reads.received = t->sent;
        cad_transport_note_read(&t->reads, net->now);
    }
    if (!err) return true;
    if (err == CAD_E_STALE) {
        close_transfer(net, t, CAD_HTTP_OK, true);
    } else {
        finish(net, t, err == CAD_E_LIMIT ? CAD_HTTP_TOO_LARGE : CAD_HTTP_RESET, err);
    }
    return false;
}

/* When the next step of a body is due. */
static void plan_step(struct transfer *t)
{
    const struct cad_link *link = t->flow.link;
    if (!link) return;
    int64_t in_step = cad_link_rate(link) / (8 * (CAD_SECOND / CAD_SIM_STEP)) / link->flows;
    int64_t step = CAD_MAX(t->body_size / CAD_SIM_STEPS_OF_BODY, in_step);
    int64_t mark = CAD_MIN(t->sent + CAD_MAX(step, 1), t->body_end);
    t->ready = cad_link_reach(&t->flow, mark);
}

static void body_step(struct cad_sim_net *net, struct transfer *t)
{
    int64_t before = t->sent;
    bool late = net->now >= t->limit;
    if (!deliver_or_end(net, t)) return;
    if (t->sent > before) t->limit = after(net->now, t->start.silence_timeout);
    if (t->sent >= t->body_end) {
        finish(net, t, t->body_end < t->body_size ? CAD_HTTP_RESET : CAD_HTTP_OK, 0);
    } else if (late && t->sent == before) {
        finish(net, t, CAD_HTTP_TIMEOUT, 0);
    } else if (t->dead) {
        t->ready = NEVER;
    }
}

/* ---- the pump ------------------------------------------------------------------------------ */

static void step(struct cad_sim_net *net, struct transfer *t)
{
    bool ready = net->now >= t->ready;
    switch (t->state) {
    case BODY:
        body_step(net, t);
        break;
    case FAIL:
        if (deliver_or_end(net, t)) finish(net, t, t->ending, CAD_E_IO);
        break;
    case CONNECT:
        if (ready) {
            send_request(net, t);
        } else {
            finish(net, t, CAD_HTTP_TIMEOUT, 0);
        }
        break;
    case WAIT:
    case THINK:
        if (!ready) {
            finish(net, t, CAD_HTTP_TIMEOUT, 0);
        } else if (t->state == WAIT) {
            hear_answer(net, t);
        } else {
            begin_body(net, t);
        }
        break;
    case QUEUED:
    case OVER:
        break;
    }
}

static cad_time due(const struct transfer *t)
{
    return t->state == QUEUED || t->state == OVER ? NEVER : CAD_MIN(t->ready, t->limit);
}

/* How bodies go on depends on who shares their link: work it out again for all of them. */
static void plan_steps(struct cad_sim_net *net)
{
    for (uint32_t i = 0; i < net->active_count; i++) {
        struct transfer *t = net->active[i];
        if (t->state == BODY && !t->dead) plan_step(t);
    }
}

cad_time cad_sim_net_next(const struct cad_sim_net *net)
{
    cad_time next = NEVER;
    for (uint32_t i = 0; i < net->active_count; i++) {
        cad_time at = due(net->active[i]);
        if (at < next) next = at;
    }
    for (size_t i = 0; i < CAD_SIM_WARMS_MAX; i++) {
        if (net->warms[i].host) next = CAD_MIN(next, net->warms[i].ready);
    }
    return next == NEVER ? CAD_TIME_NONE : next;
}

static cad_time net_pump(struct cad_transport *transport)
{
    struct cad_sim_net *net = (struct cad_sim_net *)transport;
    bool again = true;
    while (again) {
        again = end_warms(net);
        for (uint32_t i = 0; i < net->active_count; i++) {
            if (due(net->active[i]) > net->now) continue;
            step(net, net->active[i]);
            again = true;
        }
        if (again) {
            sweep(net);
            plan_steps(net);
        }
    }
    return cad_sim_net_next(net);
}

/* ---- start and cancel ---------------------------------------------------------------------- */

static int net_start(struct cad_transport *transport, const struct cad_http_start *start)
{
    struct cad_sim_net *net = (struct cad_sim_net *)transport;
    if (net->active_count == CAD_SIM_TRANSFERS_MAX) return CAD_E_LIMIT;
    struct transfer *t = net->active[net->active_count];
    struct cad_sb text = t->text;
    struct cad_sb post = t->post;
    struct cad_sb copy = t->copy;
    struct cad_sb head_text = t->head.text;
    cad_sb_reset(&text);
    cad_sb_reset(&post);
    cad_sb_put(&text, start->url);
    cad_sb_put(&post, cad_str_from_buf(start->body));
    *t = (struct transfer){
        .state = QUEUED, .ready = NEVER, .limit = NEVER, .started = net->now, .start = *start,
        .text = text, .post = post, .copy = copy, .head.text = head_text, .note = CAD_TIME_NONE,
        .end = {.id = start->id, .dns = CAD_TIME_NONE, .connect = CAD_TIME_NONE,
                .tls = CAD_TIME_NONE, .first_byte = CAD_TIME_NONE, .last_byte = CAD_TIME_NONE}};
    t->start.url = (cad_str){NULL, 0};
    t->start.headers = NULL;
    t->start.header_count = 0;
    t->start.body = (cad_buf){NULL, 0};
    int err = cad_sb_error(&text);
    if (!err) err = cad_sb_error(&post);
    if (err) return err;
    net->active_count++;
    if (!split_url(cad_sb_str(&t->text), &t->authority, &t->path)) {
        fail_at(t, CAD_HTTP_SCHEME, net->now);
        return 0;
    }
    t->host = find_host(net, t->authority);
    if (t->host && t->start.purpose == CAD_PURPOSE_PROBE) {
        take_connection(net, t);
    } else if (t->host) {
        serve_queue(net, t->host);
    } else {
        fail_at(t, CAD_HTTP_DNS, net->now + CAD_SIM_UNKNOWN_HOST_DELAY);
    }
    return 0;
}

static struct transfer *find_transfer(struct cad_sim_net *net, uint32_t id)
{
    for (uint32_t i = 0; i < net->active_count; i++) {
        if (net->active[i]->start.id == id) return net->active[i];
    }
    return NULL;
}

static void net_cancel(struct cad_transport *transport, uint32_t id)
{
    struct cad_sim_net *net = (struct cad_sim_net *)transport;
    for (uint32_t i = 0; i < net->active_count; i++) {
        if (net->active[i]->start.id == id) close_transfer(net, net->active[i], CAD_HTTP_OK, true);
    }
    sweep(net);
    plan_steps(net);
}

void cad_sim_net_note(struct cad_sim_net *net, uint32_t id, cad_time note)
{
    struct transfer *t = find_transfer(net, id);
    if (t) t->note = note;
}

uint32_t cad_sim_net_in_flight(const struct cad_sim_net *net)
{
    return net->active_count;
}

/* ---- faults -------------------------------------------------------------------------------- */

static void lose(struct transfer *t)
{
    if (t->dead || t->state == QUEUED || t->state == FAIL || t->state == OVER) return;
    /* What had arrived is handed on before the silence begins. */
    t->ready = t->flow.link ? t->flow.link->now : NEVER;
    leave_link(t);
    t->dead = true;
    if (t->state == CONNECT) t->end.connect = t->end.tls = CAD_TIME_NONE;
}

static void break_off(struct cad_sim_net *net, struct transfer *t)
{
    if (t->state == QUEUED || t->state == FAIL || t->state == OVER) return;
    leave_link(t);
    fail_at(t, t->state == CONNECT ? CAD_HTTP_CONNECT : CAD_HTTP_RESET, net->now);
}

static void touch(struct cad_sim_net *net, struct host *host, struct transfer *t)
{
    switch (host->fault) {
    case CAD_HOST_REFUSE:
        break_off(net, t);
        break;
    case CAD_HOST_BLACKHOLE:
        lose(t);
        break;
    case CAD_HOST_RESET_AT:
        if (t->state == BODY) t->body_end = CAD_MAX(t->sent, CAD_MIN(t->body_end, host->value));
        break;
    case CAD_HOST_UP:
    case CAD_HOST_RATE:
    case CAD_HOST_STATUS:
        break;
    }
}

cad_str cad_sim_net_host(const struct cad_sim_net *net, uint32_t i)
{
    return cad_str_from(i < net->host_count ? net->hosts[i].name : NULL);
}

int cad_sim_net_fault(struct cad_sim_net *net, cad_str name, enum cad_host_fault fault,
                      int64_t value)
{
    struct host *host = find_host(net, name);
    if (!host) return CAD_E_NOTFOUND;
    if (value < 0 || (fault == CAD_HOST_RATE && value == 0)) return CAD_E_INVAL;
    if (fault == CAD_HOST_STATUS && (value < 100 || value > 599)) return CAD_E_INVAL;
    host->fault = fault;
    host->value = value;
    if (fault == CAD_HOST_RATE) {
        if (host->own.flows == 0) {
            cad_link_init(&host->own, net->links[host->link].trace, net->link_start[host->link]);
        }
        cad_link_advance(&host->own, net->now);
        cad_link_cap(&host->own, value);
    }
    for (uint32_t i = 0; i < net->active_count; i++) {
        struct transfer *t = net->active[i];
        if (t->host != host) continue;
        if (t->flow.link) cad_link_move(&t->flow, link_of(net, host));
        touch(net, host, t);
    }
    if (fault == CAD_HOST_REFUSE || fault == CAD_HOST_BLACKHOLE) lose_warms(net, host);
    if (fault == CAD_HOST_REFUSE) {
        host->open -= host->idle;
        host->idle = 0;
        for (size_t i = 0; i < CAD_SIM_SIDES_MAX; i++) {
            struct side *side = &net->sides[i];
            if (side->host == host && !side->busy) side->host = NULL;
        }
        serve_queue(net, host);
    }
    plan_steps(net);
    return 0;
}

void cad_sim_net_online(struct cad_sim_net *net, bool online)
{
    if (net->online && !online) {
        for (uint32_t i = 0; i < net->active_count; i++) lose(net->active[i]);
        for (uint32_t i = 0; i < net->host_count; i++) lose_warms(net, &net->hosts[i]);
    }
    net->online = online;
    plan_steps(net);
}

/* ---- making one ---------------------------------------------------------------------------- */

static void net_destroy(struct cad_transport *transport)
{
    if (!transport) return;
    struct cad_sim_net *net = (struct cad_sim_net *)transport;
    for (uint32_t i = 0; i < CAD_SIM_TRANSFERS_MAX; i++) {
        struct transfer *t = &net->slots[i];
        if (t->answered && t->answer.release) t->answer.release(t->answer.token);
        cad_sb_deinit(&t->text);
        cad_sb_deinit(&t->post);
        cad_sb_deinit(&t->copy);
        cad_sb_deinit(&t->head.text);
    }
    struct cad_alloc alloc = net->alloc;
    cad_alloc_free(&alloc, net->scratch, SCRATCH_BYTES, CAD_MEM_OTHER);
    cad_alloc_free(&alloc, net, sizeof(*net), CAD_MEM_OTHER);
}

static const struct cad_transport_ops net_ops = {
    .size = sizeof(struct cad_transport_ops),
    .name = "virtual",
    .destroy = net_destroy,
    .start = net_start,
    .cancel = net_cancel,
    .pump = net_pump,
    .warm = net_warm,
};

int cad_sim_net_create(const struct cad_alloc *alloc, const struct cad_sim_net_config *config,
                       struct cad_sim_net **out)
{
    struct cad_sim_net *net = cad_alloc_new(alloc, sizeof(*net), CAD_MEM_OTHER);
    if (!net) return CAD_E_NOMEM;
    net->base.ops = &net_ops;
    net->base.fd = -1;
    net->alloc = *alloc;
    net->config = *config;
    net->online = true;
    for (uint32_t i = 0; i < CAD_SIM_TRANSFERS_MAX; i++) {
        struct transfer *t = &net->slots[i];
        net->active[i] = t;
        t->state = OVER;
        cad_sb_init(&t->text, alloc, CAD_MEM_OTHER, URL_BYTES_MAX);
        cad_sb_init(&t->post, alloc, CAD_MEM_OTHER, BODY_BYTES_MAX);
        cad_sb_init(&t->copy, alloc, CAD_MEM_OTHER, BODY_BYTES_MAX);
        cad_sb_init(&t->head.text, alloc, CAD_MEM_OTHER, HEAD_BYTES_MAX);
    }
    net->scratch = cad_alloc_new(alloc, SCRATCH_BYTES, CAD_MEM_OTHER);
    if (!net->scratch) {
        net_destroy(&net->base);
        return CAD_E_NOMEM;
    }
    *out = net;
    return 0;
}

struct cad_transport *cad_sim_net_transport(struct cad_sim_net *net)
{
    return &net->base;
}

void cad_sim_net_on_hole(struct cad_sim_net *net,
                         int (*hole)(void *ctx, uint32_t id, size_t n, cad_time at))
{
    net->hole = hole;
}

void cad_sim_net_on_access(struct cad_sim_net *net, cad_sim_access_fn fn, void *ctx)
{
    net->access = fn;
    net->access_ctx = ctx;
}

void cad_sim_net_set_origin(struct cad_sim_net *net, const struct cad_origin_ops *ops, void *ctx)
{
    net->origin = ops;
    net->origin_ctx = ctx;
}

int cad_sim_net_add_link(struct cad_sim_net *net, const struct cad_trace *trace, uint32_t *index)
{
    if (net->link_count == CAD_SIM_LINKS_MAX) return CAD_E_LIMIT;
    uint32_t i = net->link_count;
    cad_link_init(&net->links[i], trace, net->now);
    net->link_start[i] = net->now;
    net->link_count++;
    *index = i;
    return 0;
}

int cad_sim_net_add_host(struct cad_sim_net *net, cad_str name, uint32_t link)
{
    if (net->host_count == CAD_SIM_HOSTS_MAX) return CAD_E_LIMIT;
    if (link >= net->link_count || name.n == 0 || name.n >= HOST_NAME_SIZE) return CAD_E_INVAL;
    struct host *host = &net->hosts[net->host_count];
    cad_str_copyz(host->name, sizeof(host->name), name);
    host->link = link;
    net->host_count++;
    return 0;
}
