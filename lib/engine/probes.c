/* The race of servers: its holds, its requests, its results. */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"
#include "manifest/manifest.h"

#define PROBE_PRIORITY 6
#define TURNS_MAX 4          /* of the probes in one turn of the session */
#define PROBE_ACTIONS 64     /* that one of their turns may issue: cancels and requests */
#define CONNECT_TIMEOUT (3 * CAD_SECOND)

/* ---- life ------------------------------------------------------------------------------------ */

static int make(struct cad_engine *e, cad_str endpoint)
{
    struct cad_ftl_config config = e->config.ftl;
    config.alloc = e->alloc;
    config.log = e->config.log;
    config.endpoint = endpoint;
    int rc = cad_ftl_create(&config, &e->probes.ftl);
    if (rc == 0) rc = cad_ftl_start(e->probes.ftl, e->now);
    if (rc != 0) cad_ftl_destroy(&e->probes.ftl);
    return rc;
}

int probes_create(struct cad_engine *e)
{
    bool own = e->config.probe && e->config.ftl.endpoint.n > 0;
    return own ? make(e, e->config.ftl.endpoint) : CAD_OK;
}

static void forget(struct cad_engine *e)
{
    struct probes_part *p = &e->probes;
    cad_alloc_free(&e->alloc, p->endpoint, p->endpoint_size, CAD_MEM_SESSION);
    p->endpoint = NULL;
    p->held = 0;
    cad_ftl_destroy(&p->ftl);
}

void probes_destroy(struct cad_engine *e)
{
    forget(e);
}

/* ---- the order of servers -------------------------------------------------------------------- */

static int rerank(struct cad_engine *e)
{
    struct probes_part *p = &e->probes;
    const struct cad_presentation *model = e->manifest.presentation;
    struct cad_steer_result results[CAD_STEER_SERVERS_MAX];
    uint32_t count = cad_steer_count(e->steer);
    p->rerank = false;
    if (!model || model->server_count < count) return 0;
    memset(results, 0, sizeof(results));
    for (uint32_t i = 0; i < count; i++) {
        const struct cad_server *s = &model->servers[i];
        results[i].known = cad_ftl_score(p->ftl, s->id, s->host, e->now, &results[i].score) == 0;
        results[i].downloads = p->downloads[i];
        if (p->raced) results[i].place = cad_ftl_place(p->ftl, s->id, s->host);
    }
    int changed = cad_steer_rerank(e->steer, results, count, e->now);
    if (changed > 0) engine_decide(e, "servers ranked changed=%d", changed);
    return changed;
}

/* What is known already is of use for the first request: nobody is used yet who could be left. */
static void rank_start(struct cad_engine *e)
{
    struct probes_part *p = &e->probes;
    bool starts = !e->clock.first_ever;
    if (starts) p->raced = cad_ftl_order(p->ftl, NULL, 0, NULL) == CAD_FTL_RACE_FROZEN;
    uint32_t steps = starts && p->raced ? cad_steer_count(e->steer) : 1;
    while (steps > 0 && rerank(e) > 0) steps--;
}

void probes_title(struct cad_engine *e)
{
    struct probes_part *p = &e->probes;
    const struct cad_presentation *model = e->manifest.presentation;
    /* A refresh that lists as many servers lists the same ones. */
    bool same_list = e->refreshes > 0 && p->server_count == model->server_count;
    if (!same_list) memset(p->downloads, 0, sizeof(p->downloads));
    p->server_count = model->server_count;
    if (!e->config.probe) return;
    cad_str link = model->links.probe;
    bool own = p->ftl && !p->endpoint;
    bool same = own || (p->endpoint && cad_str_eqz(link, p->endpoint));
    if (!same && link.n > 0) {
        exchange_cancel(e, CAD_PURPOSE_PROBE, 0);
        forget(e);
        p->endpoint = cad_alloc_new(&e->alloc, link.n + 1, CAD_MEM_SESSION);
        if (!p->endpoint) return;
        p->endpoint_size = link.n + 1;
        cad_str_copyz(p->endpoint, p->endpoint_size, link);
        int rc = make(e, link);
        if (rc != 0) {
            CAD_LOG(&e->config.log, WARN, e->now, "engine: no probes result=%d", rc);
        }
    }
    p->due = p->ftl != NULL;
    if (p->ftl) rank_start(e);
}

void probes_network(struct cad_engine *e)
{
    if (!e->probes.ftl || !e->online) return;
    cad_ftl_network(e->probes.ftl, 0, e->now);
    e->probes.due = true;
}

void probes_download(struct cad_engine *e, uint32_t server)
{
    if (server < CAD_STEER_SERVERS_MAX) e->probes.downloads[server]++;
}

/* ---- holding --------------------------------------------------------------------------------- */

/* Reasons not to send. */
static uint32_t holds(struct cad_engine *e)
{
    const struct clock_part *c = &e->clock;
    const struct manifest_part *m = &e->manifest;
    bool waits = c->state == CAD_STATE_LOADING || c->state == CAD_STATE_BUFFERING;
    bool plays = c->state == CAD_STATE_PLAYING;
    if (!m->loaded || (!waits && !plays) || (m->prepared && m->prepared_told)) return 0;
    if (!c->first_ever) return CAD_FTL_HOLD_STARTING;
    if (c->seek_pending) return CAD_FTL_HOLD_SEEKING;
    if (waits) return CAD_FTL_HOLD_REBUFFERING;
    return exchange_link_spare(e) ? 0 : CAD_FTL_HOLD_LOW_BUFFER;
}

static void hold(struct cad_engine *e)
{
    struct probes_part *p = &e->probes;
    uint32_t reasons = holds(e);
    bool starting = reasons == CAD_FTL_HOLD_STARTING;
    if (starting && !p->wanted) cad_ftl_played(p->ftl, e->now);
    p->wanted = starting;
    if (reasons == p->held) return;
    cad_ftl_hold(p->ftl, reasons, e->now);
    p->held = reasons;
    p->due = true;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void start_request(struct cad_engine *e, const struct cad_ftl_request *r)
{
    static const struct cad_header plain[] = {
        {CAD_STR_INIT("Accept-Encoding"), CAD_STR_INIT("identity")}};
    struct exchange_ask ask = {
        .purpose = CAD_PURPOSE_PROBE, .owner = r->id, .url = r->url, .headers = plain,
        .header_count = 1, .size_max = r->size_max, .connect_timeout = CONNECT_TIMEOUT,
        .timeout = cad_time_add(r->timeout, CAD_SECOND), /* they watch it themselves */
        .priority = PROBE_PRIORITY, .group = r->connection,
        .address_max = (enum cad_address_class)r->address_max};
    if (exchange_start(e, &ask) == 0) return;
    struct cad_ftl_end end = {.id = r->id, .ec = CAD_FTL_EC_CANCEL, .dns = CAD_TIME_NONE,
                              .connect = CAD_TIME_NONE, .tls = CAD_TIME_NONE,
                              .first_byte = CAD_TIME_NONE, .at = e->now};
    cad_ftl_end(e->probes.ftl, &end);
}

void probes_head(struct cad_engine *e, uint32_t owner, const struct cad_http_head *head)
{
    static const char names[][20] = {"via", "x-ftl-probe-data", "x-ftl-error",
                                     "x-ftl-probe-recv-ts", "latency-trace"};
    struct cad_ftl_head h = {.id = owner, .status = head->status,
                             .address = (enum cad_ftl_address)head->address};
    cad_str *const values[] = {&h.via, &h.probe_data, &h.error, &h.recv_ts, &h.latency_trace};
    if (!e->probes.ftl) return;
    for (uint32_t i = 0; i < CAD_MIN(head->header_count, CAD_HTTP_HEADERS_MAX); i++) {
        for (size_t k = 0; k < CAD_ARRAY_LEN(names); k++) {
            if (cad_str_ieq(head->headers[i].name, cad_str_from(names[k]))) {
                *values[k] = head->headers[i].value;
            }
        }
    }
    if (cad_ftl_head(e->probes.ftl, &h) != 0) {
        CAD_LOG(&e->config.log, WARN, e->now, "engine: headers of a probe were not kept");
    }
    e->probes.due = true;
}

void probes_body(struct cad_engine *e, uint32_t owner, cad_buf bytes)
{
    if (!e->probes.ftl) return;
    /* What is too long is dropped by their next turn. */
    if (cad_ftl_body(e->probes.ftl, owner, bytes) != 0) e->probes.due = true;
}

static enum cad_ftl_ec ec_of(enum cad_http_class cls)
{
    switch (cls) {
    case CAD_HTTP_OK: return CAD_FTL_EC_NONE;
    case CAD_HTTP_DNS: return CAD_FTL_EC_DNS;
    case CAD_HTTP_CONNECT: return CAD_FTL_EC_CONNECT;
    case CAD_HTTP_TLS:
    case CAD_HTTP_CERTIFICATE: return CAD_FTL_EC_TLS;
    case CAD_HTTP_TIMEOUT: return CAD_FTL_EC_TIMEOUT;
    case CAD_HTTP_RESET: return CAD_FTL_EC_RESET;
    case CAD_HTTP_TOO_LARGE: return CAD_FTL_EC_SIZE;
    case CAD_HTTP_ADDRESS: return CAD_FTL_EC_ADDRESS;
    default: return CAD_FTL_EC_HTTP;
    }
}

void probes_answer(struct cad_engine *e, const struct exchange_answer *answer)
{
    const struct cad_http_end *http = answer->end;
    if (!e->probes.ftl) return;
    struct cad_ftl_end end = {
        .id = answer->owner, .ec = ec_of(http->cls), .dns = http->dns, .connect = http->connect,
        .tls = http->tls, .first_byte = http->first_byte, .at = e->now, .reused = http->reused};
    if (http->cls == CAD_HTTP_OK && http->last_byte != CAD_TIME_NONE) {
        end.at = CAD_MIN(http->last_byte, e->now);
    }
    cad_ftl_end(e->probes.ftl, &end);
    e->probes.due = true;
}

/* ---- results --------------------------------------------------------------------------------- */

static void tell_race(struct cad_engine *e, const struct cad_ftl_action *action)
{
    const struct cad_ftl_recipe *recipe = cad_ftl_recipe(e->probes.ftl);
    struct cad_app_event *app = recipe ? engine_app(e, CAD_APP_PROBES) : NULL;
    if (!app) return;
    cad_str_copyz(app->text, sizeof(app->text), recipe->targets[action->target].name);
    app->duration = action->duration;
}

static void carry_out(struct cad_engine *e)
{
    struct cad_ftl_action action;
    while (cad_ftl_poll(e->probes.ftl, &action) == 0) {
        switch (action.type) {
        case CAD_FTL_REQUEST: start_request(e, &action.request); break;
        case CAD_FTL_CANCEL: exchange_cancel(e, CAD_PURPOSE_PROBE, action.request.id); break;
        case CAD_FTL_RACE_WON: tell_race(e, &action); break;
        case CAD_FTL_PULSE: e->probes.rerank = true; break;
        case CAD_FTL_REPORT:
        case CAD_FTL_FAILED: facts_report(e, action.log_type, action.body); break;
        case CAD_FTL_RECIPE:
        case CAD_FTL_RACE_ORDER: break; /* of use for a title that comes later */
        }
    }
}

/* ---- the turn -------------------------------------------------------------------------------- */

void probes_turn(struct cad_engine *e)
{
    struct probes_part *p = &e->probes;
    if (!p->ftl) return;
    hold(e);
    cad_time wake = cad_ftl_next_wake(p->ftl);
    if (!p->due && (wake == CAD_TIME_NONE || wake > e->now)) return;
    p->due = false;
    for (int i = 0; i < TURNS_MAX; i++) {
        if (cad_ring_space(&e->actions) < PROBE_ACTIONS) break;
        bool more = cad_ftl_run(p->ftl, e->now) > 0;
        carry_out(e);
        if (!more) break;
    }
    if (p->rerank) (void)rerank(e);
}

cad_time probes_next_wake(const struct cad_engine *e)
{
    if (!e->probes.ftl) return CAD_TIME_NONE;
    return e->probes.due ? e->now : cad_ftl_next_wake(e->probes.ftl);
}

static void put_figure(struct cad_service_stats *out, const struct cad_probe_figure *figure)
{
    uint32_t at = CAD_MIN(out->probe_count, CAD_PROBE_FIGURES_MAX - 1);
    bool full = out->probe_count == CAD_PROBE_FIGURES_MAX;
    cad_time key = figure->latency == CAD_TIME_NONE ? CAD_TIME_MAX : figure->latency;
    if (full && out->probes[at].latency != CAD_TIME_NONE && out->probes[at].latency <= key) return;
    for (; at > 0; at--) {
        cad_time before = out->probes[at - 1].latency;
        if (before != CAD_TIME_NONE && before <= key) break;
        out->probes[at] = out->probes[at - 1];
    }
    out->probes[at] = *figure;
    if (!full) out->probe_count++;
}

void probes_figures(const struct cad_engine *e, struct cad_service_stats *out)
{
    const struct cad_ftl *ftl = e->probes.ftl;
    const struct cad_ftl_recipe *recipe = ftl ? cad_ftl_recipe(ftl) : NULL;
    struct cad_ftl_stats stats;
    if (!ftl) return;
    cad_ftl_stats(ftl, &stats);
    out->probes_running = stats.running;
    for (uint32_t i = 0; recipe && i < recipe->target_count; i++) {
        struct cad_probe_figure figure = {.latency = CAD_TIME_NONE};
        struct cad_ftl_score score;
        cad_str name = recipe->targets[i].name;
        cad_str_copyz(figure.name, sizeof(figure.name), name);
        if (cad_ftl_target_score(ftl, name, e->now, &score) == 0) {
            figure.latency = score.latency;
            figure.pulses = score.n;
            figure.ok = score.ok;
        }
        put_figure(out, &figure);
    }
}
