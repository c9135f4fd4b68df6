#include "drive/net.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/uri.h"
#include "base/util.h"
#include "drive/clock.h"
#include "drive/net_easy.h"

#define NET_SOCKETS_A_PUMP 32
/* How long a request waits for a connection that is being made ready. */
#define NET_HOLD_MAX (250 * CAD_MS)
#define NET_WARMS_MAX 4 /* connections that are being made ready at a time */

struct net {
    struct cad_transport base;
    struct cad_alloc alloc;
    struct cad_log log;
    CURLM *multi;
    struct net_setup setup; /* its texts are those below */
    char *ca_file;          /* NULL: the system's roots */
    size_t ca_file_size;
    char *proxy;            /* NULL: none */
    size_t proxy_size;
    struct net_keylog key_log;
    cad_time timer;         /* when curl wants to be called; CAD_TIME_NONE never */
    uint32_t active;        /* transfers that are not FREE */
    /* Made when first needed, then used again and again: most sessions need a handful. */
    struct net_transfer *transfers[CAD_TRANSPORT_TRANSFERS_MAX];
    uint32_t made;          /* transfers[0 .. made) exist */
    struct net_transfer *warms[NET_WARMS_MAX]; /* the same; NULL: not made */
    struct cad_net_origins origins;
};

/* ---- what curl tells the loop ---------------------------------------------------------------- */

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct net *net = ctx;
    CAD_UNUSED(easy);
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(net->base.fd, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    struct epoll_event event = {.data.fd = fd};
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    /* A closed descriptor has left the set without a word, and its number may come back. */
    int failed = epoll_ctl(net->base.fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
    if (failed && errno == ENOENT) failed = epoll_ctl(net->base.fd, EPOLL_CTL_ADD, fd, &event);
    if (failed && errno == EEXIST) failed = epoll_ctl(net->base.fd, EPOLL_CTL_MOD, fd, &event);
    if (failed) return -1;
    if (!known) curl_multi_assign(net->multi, fd, net);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
    struct net *net = ctx;
    CAD_UNUSED(multi);
    net->timer = ms < 0 ? CAD_TIME_NONE : cad_time_add(cad_clock_now(), ms * CAD_MS);
    return 0;
}

/* ---- transfers ------------------------------------------------------------------------------- */

static void clear(struct net *net, struct net_transfer *t)
{
    if (t->state == NET_FREE) return;
    bool in_multi = t->state == NET_CONNECTING || t->state == NET_SENT;
    if (in_multi) curl_multi_remove_handle(net->multi, t->easy);
    if (t->easy) {
        curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, NULL);
        /* Gives back the copy of a POST's body. */
        curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS, NULL);
    }
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    t->state = NET_FREE;
    if (!t->warm) net->active--;
}

/* Microseconds from the start of the request; -1 where the mark was not passed. */
static long long mark_us(const struct net_transfer *t, cad_time at)
{
    return at == CAD_TIME_NONE ? -1 : (long long)((at - t->started) / CAD_US);
}

/* What each leg of the request cost: the ledger of a start is read from these lines. */
static void log_marks(const struct net *net, const struct net_transfer *t,
                      const struct cad_http_end *end)
{
    CAD_LOG(&net->log, DEBUG, cad_clock_now(),
            "net: marks id=%u dns_us=%lld connect_us=%lld tls_us=%lld first_us=%lld last_us=%lld",
            end->id, mark_us(t, end->dns), mark_us(t, end->connect), mark_us(t, end->tls),
            mark_us(t, end->first_byte), mark_us(t, end->last_byte));
}

/* Frees the place first, so that the door finds the transport at rest. */
static void finish(struct net *net, struct net_transfer *t, CURLcode code)
{
    struct cad_http_end end;
    cad_net_easy_end(t, code, &end);
    if (t->warm) {
        CAD_LOG(&net->log, DEBUG, cad_clock_now(), "net: warm end class=%s code=%lld reused=%d",
                cad_http_class_name(end.cls), (long long)end.edge_code, (int)end.reused);
        clear(net, t);
        return;
    }
    bool tell = !t->stale;
    CAD_LOG(&net->log, DEBUG, cad_clock_now(),
            "net: end id=%u class=%s code=%lld status=%d bytes=%lld reused=%d", end.id,
            tell ? cad_http_class_name(end.cls) : "stale", (long long)end.edge_code,
            t->head.whole ? (int)t->head.http.status : 0, (long long)t->delivery.received,
            (int)end.reused);
    log_marks(net, t, &end);
    clear(net, t);
    if (tell) net->base.door.end(net->base.door.ctx, &end);
}

static void log_start(struct net *net, const struct cad_http_start *start)
{
    if (!cad_log_on(&net->log, CAD_LOG_DEBUG)) return;
    char text[256];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof text);
    if (cad_uri_redact(start->url, &sb)) {
        cad_sb_reset(&sb);
        cad_sb_putz(&sb, "(long url)");
    }
    CAD_LOG(&net->log, DEBUG, cad_clock_now(), "net: start id=%u purpose=%s range=%lld-%lld url=%s",
            start->id, cad_purpose_name(start->purpose), (long long)start->range.first,
            (long long)start->range.last, cad_sb_z(&sb));
}

static int free_place(struct net *net, struct net_transfer **out)
{
    for (uint32_t i = 0; i < net->made; i++) {
        if (net->transfers[i]->state != NET_FREE) continue;
        *out = net->transfers[i];
        return 0;
    }
    if (net->made == CAD_TRANSPORT_TRANSFERS_MAX) return CAD_E_LIMIT;
    struct net_transfer *t = cad_alloc_new(&net->alloc, sizeof *t, CAD_MEM_SESSION);
    if (!t) return CAD_E_NOMEM;
    t->door = &net->base.door;
    t->origins = &net->origins;
    net->transfers[net->made++] = *out = t;
    return 0;
}

/*
 * With HTTP/1.1 a request that finds every connection in use makes one, in two round trips over TLS
 * (TCP, TLS) before its own. A warm connection that is under way has been so for at least the round
 * trip of the answer that told the version, and is free within as many: the second of two requests
 * waits for it, and the third for another one.
 */
static uint32_t warms_coming(const struct net *net, uint64_t origin)
{
    uint32_t count = 0;
    for (size_t i = 0; i < NET_WARMS_MAX; i++) {
        const struct net_transfer *t = net->warms[i];
        bool under_way = t && (t->state == NET_CONNECTING || t->state == NET_SENT);
        if (under_way && t->origin == origin) count++;
    }
    return count;
}

static uint32_t held_of(const struct net *net, uint64_t origin)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < net->made; i++) {
        const struct net_transfer *t = net->transfers[i];
        if (t->state == NET_HELD && t->origin == origin) count++;
    }
    return count;
}

static bool worth_holding(const struct net *net, const struct net_transfer *t)
{
    uint32_t version = cad_net_origin_version(&net->origins, t->origin);
    if (version == 0 || version >= 20) return false;
    if (warms_coming(net, t->origin) <= held_of(net, t->origin)) return false; /* all promised */
    bool in_use = false; /* else the connection that told the version is free */
    for (uint32_t i = 0; i < net->made; i++) {
        const struct net_transfer *other = net->transfers[i];
        if (other == t || other->state == NET_FREE || other->origin != t->origin) continue;
        in_use = true;
    }
    return in_use;
}

static int hand_over(struct net *net, struct net_transfer *t)
{
    if (curl_multi_add_handle(net->multi, t->easy)) return CAD_E_NOMEM;
    t->state = NET_CONNECTING;
    t->asked = cad_clock_now();
    return 0;
}

static int net_start(struct cad_transport *transport, const struct cad_http_start *start)
{
    struct net *net = (struct net *)transport;
    struct net_transfer *t;
    int err = free_place(net, &t);
    if (!err) err = cad_net_easy_make(t, &net->setup);
    if (err) return err;
    log_start(net, start);
    cad_net_easy_reset(t, start);
    t->state = NET_REFUSED;
    net->active++;
    err = cad_net_easy_ask(t, start);
    if (err == CAD_E_INVAL) return 0; /* told by the next pump */
    if (!err && worth_holding(net, t)) {
        t->state = NET_HELD;
        t->held_until = cad_time_add(t->started, NET_HOLD_MAX);
        return 0;
    }
    if (!err) err = hand_over(net, t);
    if (err) clear(net, t);
    return err;
}

static void net_cancel(struct cad_transport *transport, uint32_t id)
{
    struct net *net = (struct net *)transport;
    for (uint32_t i = 0; i < net->made; i++) {
        struct net_transfer *t = net->transfers[i];
        if (t->state == NET_FREE || t->delivery.id != id) continue;
        CAD_LOG(&net->log, DEBUG, cad_clock_now(), "net: cancel id=%u bytes=%lld", id,
                (long long)t->delivery.received);
        clear(net, t);
    }
}

/* ---- warm connections ------------------------------------------------------------------------ */

static void head_nowhere(void *ctx, const struct cad_http_head *head)
{
    CAD_UNUSED(ctx);
    CAD_UNUSED(head);
}

/* The answer to a HEAD has no body: a server that sends one is dropped. */
static int lease_nowhere(void *ctx, uint32_t id, size_t want, uint8_t **data, size_t *capacity)
{
    CAD_UNUSED(ctx);
    CAD_UNUSED(id);
    CAD_UNUSED(want);
    CAD_UNUSED(data);
    CAD_UNUSED(capacity);
    return CAD_E_STALE;
}

static const struct cad_transport_door door_nowhere = {.head = head_nowhere,
                                                       .lease = lease_nowhere};

/* A free place; NULL: none, or as many as are wanted for that origin are under way already. */
static struct net_transfer *warm_place(struct net *net, uint64_t origin, uint32_t wanted)
{
    struct net_transfer **place = NULL;
    uint32_t under_way = 0;
    for (size_t i = 0; i < NET_WARMS_MAX; i++) {
        struct net_transfer *t = net->warms[i];
        if (!t || t->state == NET_FREE) place = &net->warms[i];
        else if (t->origin == origin) under_way++;
    }
    if (!place || under_way >= CAD_MAX(wanted, 1u)) return NULL;
    if (!*place) {
        *place = cad_alloc_new(&net->alloc, sizeof **place, CAD_MEM_SESSION);
        if (!*place) return NULL;
        (*place)->door = &door_nowhere;
        (*place)->origins = &net->origins;
        (*place)->warm = true;
    }
    return *place;
}

/*
 * libcurl gives the request an idle connection, which is then known to be good, or opens another
 * one: either way there is one more than are in use. It stays in the pool.
 */
static bool warm_one(struct net *net, const struct cad_http_warm *warm, uint64_t origin)
{
    struct net_transfer *t = warm_place(net, origin, warm->connections);
    if (!t || cad_net_easy_make(t, &net->setup)) return false;
    struct cad_http_start start = {.url = warm->url, .range = {-1, -1},
                                   .connect_timeout = warm->connect_timeout,
                                   .address_max = warm->address_max};
    cad_net_easy_reset(t, &start);
    t->state = NET_REFUSED;
    t->beside = false;
    for (uint32_t i = 0; i < net->made; i++) {
        const struct net_transfer *other = net->transfers[i];
        if (other->state != NET_FREE && other->origin == origin) t->beside = true;
    }
    bool failed = cad_net_easy_ask(t, &start) || cad_net_easy_warm(t, warm->connect_timeout) ||
                  curl_multi_add_handle(net->multi, t->easy);
    if (failed) clear(net, t);
    else t->state = NET_CONNECTING;
    return !failed;
}

static void net_warm(struct cad_transport *transport, const struct cad_http_warm *warm)
{
    struct net *net = (struct net *)transport;
    struct cad_uri uri;
    if (cad_uri_parse(warm->url, &uri) || !cad_uri_is_http(&uri)) return;
    uint64_t origin = cad_net_origin_key(&uri);
    if (cad_net_origin_multiplexes(&net->origins, origin, cad_clock_now())) return;
    uint32_t made = 0;
    while (made < NET_WARMS_MAX && warm_one(net, warm, origin)) made++;
    CAD_LOG(&net->log, DEBUG, cad_clock_now(), "net: warm host=%.*s connections=%u",
            CAD_STR_ARG(uri.host), made);
}

/* ---- the pump -------------------------------------------------------------------------------- */

static void pump_sockets(struct net *net)
{
    struct epoll_event events[NET_SOCKETS_A_PUMP];
    int running = 0;
    int n = epoll_wait(net->base.fd, events, NET_SOCKETS_A_PUMP, 0);
    for (int i = 0; i < n; i++) {
        int what = 0;
        if (events[i].events & EPOLLIN) what |= CURL_CSELECT_IN;
        if (events[i].events & EPOLLOUT) what |= CURL_CSELECT_OUT;
        if (events[i].events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_ERR;
        curl_multi_socket_action(net->multi, events[i].data.fd, what, &running);
    }
    if (net->timer != CAD_TIME_NONE && cad_clock_now() >= net->timer) {
        net->timer = CAD_TIME_NONE;
        curl_multi_socket_action(net->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

static void pump_finished(struct net *net)
{
    int left = 0;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(net->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) continue;
        char *t = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
        if (t) finish(net, (struct net_transfer *)(void *)t, code);
    }
}

/* What was held goes on when its connection is ready, or takes too long; when to look again. */
static cad_time pump_held(struct net *net)
{
    cad_time now = cad_clock_now();
    cad_time next = CAD_TIME_NONE;
    for (uint32_t i = 0; i < net->made; i++) {
        struct net_transfer *t = net->transfers[i];
        if (t->state != NET_HELD) continue;
        bool promised = held_of(net, t->origin) <= warms_coming(net, t->origin);
        if (now < t->held_until && promised) {
            next = cad_time_earlier(next, t->held_until);
        } else if (hand_over(net, t)) {
            finish(net, t, CURLE_OUT_OF_MEMORY);
        }
    }
    return next;
}

/* Ends what was refused or has been silent too long; the time of the next limit. */
static cad_time pump_limits(struct net *net)
{
    cad_time now = cad_clock_now();
    cad_time next = CAD_TIME_NONE;
    for (uint32_t i = 0; i < net->made; i++) {
        struct net_transfer *t = net->transfers[i];
        if (t->state == NET_FREE) continue;
        if (t->state == NET_REFUSED) {
            finish(net, t, CURLE_OK);
            continue;
        }
        cad_time limit = cad_net_easy_limit(t);
        if (limit == CAD_TIME_NONE) continue;
        if (now >= limit) finish(net, t, CURLE_OPERATION_TIMEDOUT);
        else next = cad_time_earlier(next, limit);
    }
    return next;
}

static cad_time net_pump(struct cad_transport *transport)
{
    struct net *net = (struct net *)transport;
    pump_sockets(net);
    pump_finished(net);
    if (net->active == 0) return net->timer;
    cad_time held = pump_held(net);
    cad_time next = cad_time_earlier(held, pump_limits(net));
    return cad_time_earlier(next, net->timer);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void unmake(struct net *net, struct net_transfer *t)
{
    if (!t) return;
    clear(net, t);
    if (t->easy) curl_easy_cleanup(t->easy);
    cad_alloc_free(&net->alloc, t, sizeof *t, CAD_MEM_SESSION);
}

static void net_destroy(struct cad_transport *transport)
{
    struct net *net = (struct net *)transport;
    for (uint32_t i = 0; i < net->made; i++) unmake(net, net->transfers[i]);
    for (size_t i = 0; i < NET_WARMS_MAX; i++) unmake(net, net->warms[i]);
    if (net->multi) curl_multi_cleanup(net->multi);
    if (net->base.fd >= 0) close(net->base.fd);
    cad_net_keylog_close(&net->key_log);
    curl_global_cleanup();
    struct cad_alloc alloc = net->alloc;
    cad_alloc_free(&alloc, net->ca_file, net->ca_file_size, CAD_MEM_SESSION);
    if (net->proxy) explicit_bzero(net->proxy, net->proxy_size);
    cad_alloc_free(&alloc, net->proxy, net->proxy_size, CAD_MEM_SESSION);
    cad_alloc_free(&alloc, net, sizeof *net, CAD_MEM_SESSION);
}

static const struct cad_transport_ops net_ops = {
    .size = sizeof(struct cad_transport_ops),
    .name = "net",
    .destroy = net_destroy,
    .start = net_start,
    .cancel = net_cancel,
    .pump = net_pump,
    .warm = net_warm,
};

static int make_multi(struct net *net)
{
    net->multi = curl_multi_init();
    if (!net->multi) return CAD_E_NOMEM;
    CURLMcode err = curl_multi_setopt(net->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    if (!err) err = curl_multi_setopt(net->multi, CURLMOPT_SOCKETDATA, net);
    if (!err) err = curl_multi_setopt(net->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    if (!err) err = curl_multi_setopt(net->multi, CURLMOPT_TIMERDATA, net);
    if (!err) err = curl_multi_setopt(net->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    /* Idle connections worth keeping: a few hosts, each with an audio and a video one. */
    if (!err) err = curl_multi_setopt(net->multi, CURLMOPT_MAXCONNECTS, 16L);
    return err ? CAD_E_NOMEM : 0;
}

/* NULL stays NULL. */
static int copy_text(const struct net *net, const char *z, char **out, size_t *size)
{
    if (!z) return 0;
    size_t n = strlen(z) + 1;
    *out = cad_alloc_new(&net->alloc, n, CAD_MEM_SESSION);
    if (!*out) return CAD_E_NOMEM;
    memcpy(*out, z, n);
    *size = n;
    return 0;
}

/* libcurl would take a text without a scheme, and schemes that nobody meant. */
static bool proxy_ok(const char *z)
{
    static const char *const schemes[] = {"http", "https", "socks5", "socks5h"};
    struct cad_uri uri;
    if (!z) return true;
    if (cad_uri_parse(cad_str_from(z), &uri) || uri.host.n == 0) return false;
    for (size_t i = 0; i < CAD_ARRAY_LEN(schemes); i++) {
        if (cad_str_ieq(uri.scheme, cad_str_from(schemes[i]))) return true;
    }
    return false;
}

static int set_up(struct net *net, const struct cad_net_config *config)
{
    if (!proxy_ok(config->proxy)) return CAD_E_INVAL;
    int err = copy_text(net, config->ca_file, &net->ca_file, &net->ca_file_size);
    if (!err) err = copy_text(net, config->proxy, &net->proxy, &net->proxy_size);
    if (!err && config->key_log) {
        err = cad_net_keylog_open(&net->key_log, config->key_log);
        net->setup.key_log = &net->key_log;
    }
    net->setup.proxy = net->proxy;
    net->setup.roots.file = net->ca_file;
    /* The string is libcurl's own and lives as long as the library. */
    net->setup.roots.folder = cad_net_system_folder(curl_version_info(CURLVERSION_NOW)->capath);
    return err;
}

int cad_net_create(const struct cad_net_config *config, struct cad_transport **out)
{
    struct net *net = cad_alloc_new(&config->alloc, sizeof *net, CAD_MEM_SESSION);
    if (!net) return CAD_E_NOMEM;
    net->base.ops = &net_ops;
    net->alloc = config->alloc;
    net->log = config->log;
    net->timer = CAD_TIME_NONE;
    net->base.fd = -1;
    net->key_log.fd = -1;
    if (curl_global_init(CURL_GLOBAL_DEFAULT)) {
        cad_alloc_free(&config->alloc, net, sizeof *net, CAD_MEM_SESSION);
        return CAD_E_NOMEM;
    }
    int err = set_up(net, config);
    net->base.fd = epoll_create1(EPOLL_CLOEXEC);
    if (!err && net->base.fd < 0) err = CAD_E_IO;
    if (!err) err = make_multi(net);
    if (err) {
        net_destroy(&net->base);
        return err;
    }
    *out = &net->base;
    return 0;
}
