#include "services.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "drive/store.h"
#include "engine/exchange.h"

/* ---- life ------------------------------------------------------------------------------------ */

void services_init(struct services *s)
{
    struct cad_alloc system = cad_alloc_system();
    memset(s, 0, sizeof(*s));
    s->latency = 20 * CAD_MS;
    s->store_due = CAD_TIME_NONE;
    mock_ingest_init(&s->ingest, &system);
    assert_int_equal(cad_store_memory_create(0, &system, &s->store), 0);
}

static void forget(struct services *s)
{
    for (uint32_t i = 0; i < s->count; i++) free(s->requests[i].body);
    s->count = 0;
}

void services_deinit(struct services *s)
{
    forget(s);
    s->store.ops->destroy(s->store.self);
    mock_ftl_destroy(&s->ftl);
    mock_ingest_deinit(&s->ingest);
    assert_false(s->saw_secret);
}

void services_probes(struct services *s, cad_time think0, cad_time think1)
{
    static const int64_t delays[] = {0, 1000, 1000};
    struct mock_ftl_target targets[] = {{.name = "cdn:1", .host = "h0", .step_count = 1},
                                        {.name = "cdn:2", .host = "h1", .step_count = 1}};
    targets[0].steps[0].think = think0;
    targets[1].steps[0].think = think1;
    struct mock_ftl_config config = {
        .targets = targets, .target_count = 2, .pulses = 3, .delays_ms = delays,
        .delay_count = CAD_ARRAY_LEN(delays), .data_bytes = 5120};
    mock_ftl_destroy(&s->ftl);
    assert_int_equal(mock_ftl_create(&config, &s->ftl), 0);
}

void services_options(struct drv_options *options, bool report, bool probe)
{
    drv_options_init(options);
    options->set_engine = true;
    options->engine.report = report;
    options->engine.probe = probe;
    options->links = probe ? SERVICES_LINKS "," SERVICES_PROBE_LINK : SERVICES_LINKS;
}

/* ---- what the engine wants ------------------------------------------------------------------- */

static void look_for_secrets(struct services *s, const char *p, size_t n)
{
    for (size_t i = 0; i + 6 <= n; i++) s->saw_secret |= memcmp(p + i, "SECRET", 6) == 0;
}

static void start(struct services *s, const struct cad_http_start *start_of)
{
    assert_true(s->count < SERVICES_REQUESTS_MAX);
    struct service_request *r = &s->requests[s->count++];
    struct cad_uri uri;
    *r = (struct service_request){
        .id = start_of->id, .purpose = start_of->purpose, .priority = start_of->priority,
        .group = start_of->group, .address_max = start_of->address_max, .started = s->d->now,
        .due = s->d->now + s->latency, .open = true, .body_n = start_of->body.n};
    assert_int_equal(start_of->post, r->purpose != CAD_PURPOSE_PROBE);
    cad_str_copyz(r->url, sizeof(r->url), start_of->url);
    assert_int_equal(strlen(r->url), start_of->url.n);
    assert_int_equal(cad_uri_parse(cad_str_from(r->url), &uri), 0);
    cad_str_copyz(r->host, sizeof(r->host), uri.host);
    r->body = drv_malloc(r->body_n + 1);
    if (r->body_n) memcpy(r->body, start_of->body.p, r->body_n);
    look_for_secrets(s, r->url, strlen(r->url));
    look_for_secrets(s, (const char *)r->body, r->body_n);
    for (uint32_t i = 0; i < start_of->header_count; i++) {
        if (cad_str_eqz(start_of->headers[i].name, "Content-Encoding")) r->gzip = true;
    }
    if (!start_of->post || s->no_entropy) return;
    s->d->salt++;
    drv_entropy(s->d, 64);
}

static void cancel(struct services *s, uint32_t id)
{
    s->cancels++;
    for (uint32_t i = 0; i < s->count; i++) {
        struct service_request *r = &s->requests[i];
        if (r->id != id || !r->open) continue;
        r->open = false;
        r->cancelled = true;
    }
}

static void order(struct services *s, const struct cad_store_order *o)
{
    const struct cad_store_ops *ops = s->store.ops;
    int rc = CAD_E_INVAL;
    s->orders++;
    switch (o->call) {
    case CAD_STORE_PUT: rc = ops->put(s->store.self, o->id, o->key, o->value, o->flags); break;
    case CAD_STORE_GET: rc = ops->get(s->store.self, o->id, o->key); break;
    case CAD_STORE_DELETE: rc = ops->del(s->store.self, o->id, o->key); break;
    case CAD_STORE_LIST: rc = ops->list(s->store.self, o->id, o->key); break;
    }
    assert_int_equal(rc, 0);
    look_for_secrets(s, (const char *)o->value.p, o->value.n);
    if (s->store_due == CAD_TIME_NONE) s->store_due = s->d->now + s->store_latency;
}

static bool on_action(struct drv *d, const struct cad_action *action)
{
    struct services *s = d->services;
    if (action->type == CAD_ACTION_HTTP_START && exchange_is(action->u.start.id)) {
        start(s, &action->u.start);
        return true;
    }
    if (action->type == CAD_ACTION_HTTP_CANCEL && exchange_is(action->u.cancel.id)) {
        cancel(s, action->u.cancel.id);
        return true;
    }
    if (action->type != CAD_ACTION_STORE) return false;
    order(s, &action->u.store);
    return true;
}

/* ---- what the services answer ---------------------------------------------------------------- */

struct reply {
    int32_t status;
    cad_time retry_after;
    struct cad_header headers[8];
    uint32_t header_count;
    cad_str body;
};

static void feed_end(struct services *s, const struct service_request *r, enum cad_http_class cls)
{
    struct cad_event event = {.type = CAD_EVENT_HTTP_END};
    event.u.end = (struct cad_http_end){
        .id = r->id, .cls = cls, .dns = r->started, .connect = r->started, .tls = CAD_TIME_NONE,
        .first_byte = s->d->now, .last_byte = s->d->now, .reused = true};
    drv_feed(s->d, &event);
}

static void feed_reply(struct services *s, const struct service_request *r,
                       const struct reply *reply)
{
    struct cad_event event = {.type = CAD_EVENT_HTTP_HEAD};
    event.u.head = (struct cad_http_head){
        .id = r->id, .status = reply->status, .length = (int64_t)reply->body.n, .range = {-1, -1},
        .total = -1, .retry_after = reply->retry_after, .headers = reply->headers,
        .header_count = reply->header_count};
    drv_feed(s->d, &event);
    size_t at = 0;
    while (at < reply->body.n) {
        uint8_t *data = NULL;
        size_t capacity = 0;
        int rc = cad_engine_lease(s->d->engine, r->id, reply->body.n - at, &data, &capacity);
        if (rc != 0) {
            feed_end(s, r, rc == CAD_E_LIMIT ? CAD_HTTP_TOO_LARGE : CAD_HTTP_RESET);
            return;
        }
        assert_true(capacity >= 1 && capacity <= reply->body.n - at);
        memcpy(data, reply->body.p + at, capacity);
        assert_int_equal(cad_engine_commit(s->d->engine, r->id, capacity, s->d->now), 0);
        at += capacity;
    }
    feed_end(s, r, CAD_HTTP_OK);
}

static cad_str target_of(const struct service_request *r)
{
    const char *path = strchr(strstr(r->url, "://") + 3, '/');
    return cad_str_from(path ? path : "/");
}

/* False: there is no answer (yet). */
static bool ingest(struct services *s, struct service_request *r, struct reply *reply)
{
    struct mock_ingest_answer a;
    struct mock_ingest_request request = {
        .channel = r->purpose == CAD_PURPOSE_LOG ? MOCK_INGEST_LOG : MOCK_INGEST_EVENTS,
        .method = CAD_STR("POST"), .target = target_of(r), .body = {r->body, r->body_n},
        .gzip = r->gzip};
    mock_ingest_serve(&s->ingest, &request, &a);
    look_for_secrets(s, s->ingest.last.p, s->ingest.last.n);
    bool has = s->look_for && cad_str_find(cad_sb_str(&s->ingest.last),
                                           cad_str_from(s->look_for)) >= 0;
    if (a.taken && has) s->found++;
    if (a.lost) return false;
    *reply = (struct reply){.status = a.status, .body = a.body, .retry_after = CAD_TIME_NONE};
    if (a.retry_after_s > 0) reply->retry_after = a.retry_after_s * CAD_SECOND;
    if (a.limits) {
        reply->headers[reply->header_count++] =
            (struct cad_header){CAD_STR("x-ichnaea"), cad_str_from(a.limits)};
    }
    return true;
}

/* The mock is asked when the request comes to it; its answer takes as long as it says. */
static bool probe(struct services *s, struct service_request *r, struct reply *reply)
{
    struct cad_origin_answer a;
    struct cad_origin_request request = {.method = CAD_STR("GET"), .host = cad_str_from(r->host),
                                         .path = target_of(r), .range = {-1, -1}};
    if (!s->ftl) return false;
    int rc = mock_ftl_ops()->serve(s->ftl, &request, &a);
    if (rc == CAD_E_AGAIN) r->lost = true;
    if (rc != 0) return false;
    *reply = (struct reply){.status = a.status, .retry_after = CAD_TIME_NONE,
                            .body = {(const char *)a.body.p, a.body.n},
                            .header_count = a.header_count};
    memcpy(reply->headers, a.headers, sizeof(a.headers));
    if (!r->asked) r->due += a.think;
    r->asked = true;
    return true;
}

static bool serve(struct services *s, struct service_request *r)
{
    struct reply reply;
    bool is_probe = r->purpose == CAD_PURPOSE_PROBE;
    bool asked = r->asked;
    bool answered = is_probe ? probe(s, r, &reply) : ingest(s, r, &reply);
    if (r->lost || (answered && is_probe && !asked && r->due > s->d->now)) return false;
    r->open = false;
    if (answered) feed_reply(s, r, &reply);
    else feed_end(s, r, CAD_HTTP_RESET);
    return true;
}

static bool feed_store(struct services *s)
{
    bool any = false;
    struct cad_event event = {.type = CAD_EVENT_STORE_DONE};
    if (s->store_due == CAD_TIME_NONE || s->store_due > s->d->now) return false;
    s->store_due = CAD_TIME_NONE;
    while (s->store.ops->poll(s->store.self, &event.u.store) == 0) {
        drv_feed(s->d, &event);
        any = true;
    }
    return any;
}

static bool on_pump(struct drv *d)
{
    struct services *s = d->services;
    bool any = feed_store(s);
    if (s->silent) return any;
    for (uint32_t i = 0; i < s->count; i++) {
        struct service_request *r = &s->requests[i];
        if (r->open && !r->lost && r->due <= d->now) any = serve(s, r) || any;
    }
    return any;
}

struct drv *services_renew(struct services *s, void **state, const struct drv_options *options)
{
    struct cad_store_done gone;
    (void)drv_teardown(state);
    for (uint32_t i = 0; i < s->count; i++) s->requests[i].open = false;
    while (s->store.ops->poll(s->store.self, &gone) == 0) {
        /* What nobody waits for any more. */
    }
    s->store_due = CAD_TIME_NONE;
    struct drv_options o = *options;
    o.salt = 100 * ++s->engines;
    struct drv *d = drv_new(&o);
    *state = d;
    s->d = d;
    if (!d) return NULL;
    d->services = s;
    d->on_action = on_action;
    d->on_pump = on_pump;
    return d;
}

/* ---- what was seen --------------------------------------------------------------------------- */

bool services_play_failing(struct services *s, void **state, struct drv_options *options,
                           uint64_t at, cad_time length)
{
    options->fail_at = at;
    struct drv *d = services_renew(s, state, options);
    if (!d) return false;
    d->strict_bytes = false;
    drv_load(d, 1);
    drv_play_for(d, length);
    bool over = d->fatal || d->state == CAD_STATE_FAILED;
    if (!over) assert_int_equal(d->state, CAD_STATE_PLAYING);
    return d->failing.failed == 0;
}

uint32_t services_of(const struct services *s, enum cad_purpose purpose)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->count; i++) n += s->requests[i].purpose == purpose;
    return n;
}

const struct service_request *services_first(const struct services *s, enum cad_purpose purpose)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (s->requests[i].purpose == purpose) return &s->requests[i];
    }
    return NULL;
}
