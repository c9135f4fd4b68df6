/* Goal: transfers take exactly the time that round trips and rates ask for, connections are kept
 * and limited, and each fault does to a transfer what it does on a real network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "drive/sim_net.h"

#define MS CAD_MS
#define WALL INT64_C(1700000000000)

/* One transfer as the door saw it. */
struct seen {
    bool has_head, has_end, stale;
    struct cad_http_head head;
    struct cad_http_end end;
    int64_t bytes, holes;
    cad_time first, last;
    uint32_t steps;
};

struct rig {
    struct cad_sim_net *net;
    struct cad_transport *transport;
    struct seen seen[80];
    uint8_t data[4096];
    uint32_t served, released, accesses, cancelled;
    cad_time now;
    int64_t served_at_ms;
    char location[64];       /* of the last head */
    char via[64];            /* of the last head that had one */
    uint32_t told;           /* headers of the last head */
    char probe[64];          /* header of the last answer to a probe */
    int64_t body;            /* size of every answer */
    cad_time think;
};

static struct cad_trace_period rows[] = {{3600 * CAD_SECOND, 8000000, 100 * MS}}; /* 1 kB a ms */
static struct cad_trace_period gap_rows[] = {
    {CAD_SECOND, 8000000, 100 * MS}, {5 * CAD_SECOND, 0, 100 * MS},
    {CAD_SECOND, 8000000, 100 * MS}};
static const struct cad_trace plain = {rows, 1};
static const struct cad_trace gap = {gap_rows, 3};

static void door_head(void *ctx, const struct cad_http_head *head)
{
    struct rig *r = ctx;
    assert_false(r->seen[head->id].has_head);
    r->seen[head->id].has_head = true;
    r->seen[head->id].head = *head;
    cad_str_copyz(r->location, sizeof r->location, head->location);
    r->told = head->header_count;
    for (uint32_t i = 0; i < head->header_count; i++) {
        if (!cad_str_eqz(head->headers[i].name, "via")) continue;
        cad_str_copyz(r->via, sizeof(r->via), head->headers[i].value);
    }
}

static int door_lease(void *ctx, uint32_t id, size_t want, uint8_t **data, size_t *capacity)
{
    struct rig *r = ctx;
    assert_true(r->seen[id].has_head && !r->seen[id].has_end);
    if (r->seen[id].stale) return CAD_E_STALE;
    *data = r->data;
    *capacity = want < sizeof(r->data) ? want : sizeof(r->data);
    return 0;
}

static int count(struct rig *r, uint32_t id, size_t n, cad_time at)
{
    struct seen *s = &r->seen[id];
    assert_int_equal(at, r->now);
    if (s->bytes == 0) s->first = at;
    if (s->last != at) s->steps++;
    s->bytes += (int64_t)n;
    s->last = at;
    return 0;
}

static int door_commit(void *ctx, uint32_t id, size_t n, cad_time at)
{
    return count(ctx, id, n, at);
}

static int door_hole(void *ctx, uint32_t id, size_t n, cad_time at)
{
    struct rig *r = ctx;
    if (r->seen[id].stale) return CAD_E_STALE;
    r->seen[id].holes += (int64_t)n;
    return count(ctx, id, n, at);
}

static void door_end(void *ctx, const struct cad_http_end *end)
{
    struct rig *r = ctx;
    assert_false(r->seen[end->id].has_end);
    r->seen[end->id].has_end = true;
    r->seen[end->id].end = *end;
}

/* The first 100 bytes are real, the rest is a hole. */
static int read_body(void *token, int64_t offset, size_t n, uint8_t *out, size_t *done)
{
    (void)token;
    *done = n;
    if (offset >= 100) return 1;
    if ((int64_t)n > 100 - offset) *done = (size_t)(100 - offset);
    memset(out, 'x', *done);
    return 0;
}

static void release(void *token)
{
    ((struct rig *)token)->released++;
}

static int serve(void *ctx, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer)
{
    struct rig *r = ctx;
    r->served++;
    r->served_at_ms = request->now_ms;
    answer->status = 200;
    if (cad_str_eqz(request->path, "/small?a=1")) {
        answer->body = (cad_buf){(const uint8_t *)"hello", 5};
        answer->status = 206;
        answer->headers[0] = (struct cad_header){CAD_STR("content-range"),
                                                 CAD_STR("bytes 10-14/900")};
        answer->headers[1] = (struct cad_header){CAD_STR("Retry-After"), CAD_STR("7")};
        answer->header_count = 2;
        return 0;
    }
    if (cad_str_eqz(request->path, "/never")) return CAD_E_AGAIN;
    if (cad_str_eqz(request->path, "/broken")) return CAD_E_IO;
    if (cad_str_starts(request->path, CAD_STR("/probe"))) {
        /* The text is gone with the next call, as an origin's may be. */
        (void)snprintf(r->probe, sizeof(r->probe), "1.1 %.*s", CAD_STR_ARG(request->path));
        answer->body = (cad_buf){(const uint8_t *)"hello", 5};
        answer->headers[0] = (struct cad_header){CAD_STR("Via"), cad_str_from(r->probe)};
        answer->headers[1] = (struct cad_header){CAD_STR("X-Other"), CAD_STR("not told")};
        answer->header_count = 2;
        answer->think = r->think;
        return 0;
    }
    if (cad_str_eqz(request->path, "/moved")) {
        answer->status = 302;
        answer->headers[0] = (struct cad_header){CAD_STR("Location"), CAD_STR("//b/media")};
        answer->header_count = 1;
        return 0;
    }
    answer->body_size = r->body;
    answer->read = read_body;
    answer->release = release;
    answer->token = r;
    answer->think = r->think;
    return 0;
}

static const struct cad_origin_ops origin = {sizeof(origin), serve};

static void on_access(void *ctx, const struct cad_sim_access *access)
{
    struct rig *r = ctx;
    r->accesses++;
    r->cancelled += access->cancelled;
    assert_int_equal(access->bytes, r->seen[access->id].bytes);
    assert_true(access->host.n > 0 || access->cls == CAD_HTTP_SCHEME);
}

static void rig_init(struct rig *r, const struct cad_trace *trace, bool tls)
{
    memset(r, 0, sizeof(*r));
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sim_net_config config = {.tls = tls, .wall_ms = WALL};
    assert_int_equal(cad_sim_net_create(&alloc, &config, &r->net), 0);
    r->transport = cad_sim_net_transport(r->net);
    r->transport->door =
        (struct cad_transport_door){r, door_head, door_lease, door_commit, door_end};
    cad_sim_net_on_hole(r->net, door_hole);
    cad_sim_net_on_access(r->net, on_access, r);
    cad_sim_net_set_origin(r->net, &origin, r);
    uint32_t link;
    assert_int_equal(cad_sim_net_add_link(r->net, trace, &link), 0);
    assert_int_equal(cad_sim_net_add_host(r->net, CAD_STR("a"), link), 0);
    assert_int_equal(cad_sim_net_add_host(r->net, CAD_STR("b"), link), 0);
    r->body = 1000000;
}

static void start_url(struct rig *r, uint32_t id, const char *url)
{
    struct cad_http_start start = {
        .id = id, .url = cad_str_from(url), .range = {-1, -1}, .size_max = 1 << 30,
        .priority = 3, .deadline = CAD_TIME_NONE, .connect_timeout = 4 * CAD_SECOND,
        .silence_timeout = 3 * CAD_SECOND};
    assert_int_equal(r->transport->ops->start(r->transport, &start), 0);
}

static void start_probe(struct rig *r, uint32_t id, const char *url, uint32_t group)
{
    struct cad_http_start start = {
        .id = id, .purpose = CAD_PURPOSE_PROBE, .url = cad_str_from(url), .range = {-1, -1},
        .priority = 7, .deadline = CAD_TIME_NONE, .connect_timeout = 4 * CAD_SECOND,
        .silence_timeout = 3 * CAD_SECOND, .group = group};
    assert_int_equal(r->transport->ops->start(r->transport, &start), 0);
}

static void start(struct rig *r, uint32_t id)
{
    start_url(r, id, "http://a/media");
}

/* Let everything happen up to `to`. */
static void run(struct rig *r, cad_time to)
{
    for (;;) {
        (void)r->transport->ops->pump(r->transport);
        cad_time next = cad_sim_net_next(r->net);
        if (next == CAD_TIME_NONE || next > to) break;
        assert_true(next > r->now);
        r->now = next;
        cad_sim_net_advance(r->net, next);
    }
    r->now = to;
    cad_sim_net_advance(r->net, to);
}

static void rig_deinit(struct rig *r)
{
    r->transport->ops->destroy(r->transport);
}

static void test_sim_net_round_trips_and_rate(void **state)
{
    (void)state;
    for (int tls = 0; tls <= 1; tls++) {
        struct rig r;
        rig_init(&r, &plain, tls != 0);
        cad_time connect = (tls ? 200 : 100) * MS;
        start(&r, 1);
        run(&r, 10 * CAD_SECOND);
        const struct cad_http_end *end = &r.seen[1].end;
        assert_int_equal(end->cls, CAD_HTTP_OK);
        assert_int_equal(end->connect, 100 * MS);
        assert_int_equal(end->tls, tls ? 200 * MS : CAD_TIME_NONE);
        assert_int_equal(end->first_byte, connect + 100 * MS);
        assert_int_equal(end->last_byte, connect + 100 * MS + CAD_SECOND);
        assert_false(end->reused);
        assert_int_equal(r.seen[1].bytes, 1000000);
        assert_int_equal(r.seen[1].holes, 1000000 - 100);
        assert_int_equal(r.seen[1].head.length, 1000000);
        assert_int_equal(r.seen[1].head.date_ms, WALL);
        assert_int_equal(r.served_at_ms, WALL + (connect + 50 * MS) / MS);
        /* In steps of an eighth: 125 ms each. */
        assert_int_equal(r.seen[1].steps, 8);
        assert_int_equal(r.seen[1].first, connect + 225 * MS);
        /* The connection is kept. */
        start(&r, 2);
        run(&r, 20 * CAD_SECOND);
        assert_true(r.seen[2].end.reused);
        assert_int_equal(r.seen[2].end.first_byte, 10100 * MS);
        assert_int_equal(r.seen[2].end.last_byte, 11100 * MS);
        assert_int_equal(r.released, 2);
        assert_int_equal(cad_sim_net_in_flight(r.net), 0);
        rig_deinit(&r);
    }
}

static void warm_several(struct rig *r, const char *url, uint32_t connections)
{
    struct cad_http_warm ask = {.url = cad_str_from(url), .connections = connections,
                                .connect_timeout = 4 * CAD_SECOND};
    r->transport->ops->warm(r->transport, &ask);
}

static void warm(struct rig *r, const char *url)
{
    warm_several(r, url, 0);
}

/* As many as are wanted, and no more while they are under way. */
static void test_sim_net_warm_several(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    warm_several(&r, "http://a/x", 2);
    warm_several(&r, "http://a/x", 2);
    run(&r, CAD_SECOND);
    for (uint32_t id = 1; id <= 3; id++) start_url(&r, id, "http://a/small?a=1");
    run(&r, 10 * CAD_SECOND);
    assert_true(r.seen[1].end.reused);
    assert_true(r.seen[2].end.reused);
    assert_false(r.seen[3].end.reused);
    rig_deinit(&r);
}

/* A connection that was made ready saves the round trips of making it; nobody is asked. */
static void test_sim_net_warm(void **state)
{
    (void)state;
    for (int tls = 0; tls <= 1; tls++) {
        struct rig r;
        rig_init(&r, &plain, tls != 0);
        cad_time connect = (tls ? 200 : 100) * MS;
        start_url(&r, 1, "http://a/small?a=1");
        for (int i = 0; i < 5; i++) warm(&r, "http://a/x"); /* one at a time */
        warm(&r, "http://b/x");
        warm(&r, "http://nobody/x");
        warm(&r, "ftp://a/x");
        run(&r, connect + 150 * MS);
        assert_int_equal(r.served, 1);
        assert_true(r.seen[1].has_end);
        for (uint32_t id = 2; id <= 4; id++) start_url(&r, id, "http://a/small?a=1");
        start_url(&r, 5, "http://b/small?a=1");
        run(&r, 10 * CAD_SECOND);
        cad_time from = connect + 150 * MS;
        /* The first's connection, the spare one, a new one; and that of the other host. */
        assert_int_equal(r.seen[2].end.first_byte, from + 100 * MS);
        assert_int_equal(r.seen[3].end.first_byte, from + 100 * MS);
        assert_int_equal(r.seen[4].end.first_byte, from + connect + 100 * MS);
        assert_int_equal(r.seen[5].end.first_byte, from + 100 * MS);
        assert_int_equal(r.accesses, 5);
        rig_deinit(&r);
    }
}

/* While it is asked, the connection is taken; what is lost on the way leaves none behind. */
static void test_sim_net_warm_takes_and_loses(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start_url(&r, 1, "http://a/small?a=1");
    run(&r, CAD_SECOND);
    warm(&r, "http://a/x"); /* on the idle one */
    start_url(&r, 2, "http://a/small?a=1");
    run(&r, 2 * CAD_SECOND);
    assert_false(r.seen[2].end.reused);
    static const enum cad_host_fault faults[] = {CAD_HOST_REFUSE, CAD_HOST_BLACKHOLE};
    for (uint32_t i = 0; i < 2; i++) {
        /* Before it begins, and while it is under way. */
        warm(&r, "http://b/x");
        assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("b"), faults[i], 0), 0);
        run(&r, r.now + 6 * CAD_SECOND);
        warm(&r, "http://b/x");
        run(&r, r.now + 6 * CAD_SECOND);
        assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("b"), CAD_HOST_UP, 0), 0);
        start_url(&r, 3 + i, "http://b/small?a=1");
        run(&r, r.now + CAD_SECOND);
        assert_false(r.seen[3 + i].end.reused);
        start_url(&r, 10 + i, "http://b/small?a=1");
        run(&r, r.now + CAD_SECOND);
        assert_true(r.seen[10 + i].end.reused);
        /* None is idle for the next round. */
        assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("b"), CAD_HOST_REFUSE, 0), 0);
        assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("b"), CAD_HOST_UP, 0), 0);
    }
    warm(&r, "http://b/x"); /* under way when everything ends */
    rig_deinit(&r);
}

/* A redirect is an answer: it is the engine that follows it. */
static void test_sim_net_redirect(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start_url(&r, 1, "http://a/moved");
    run(&r, CAD_SECOND);
    assert_int_equal(r.seen[1].head.status, 302);
    assert_int_equal(r.seen[1].head.http_version, 11);
    assert_string_equal(r.location, "//b/media");
    assert_int_equal(r.seen[1].end.cls, CAD_HTTP_OK);
    assert_int_equal(r.seen[1].bytes, 0);
    rig_deinit(&r);
}

static void test_sim_net_shares_the_link_between_hosts(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start_url(&r, 1, "http://a/media");
    start_url(&r, 2, "https://b:8443/media#x");
    run(&r, 10 * CAD_SECOND);
    assert_int_equal(r.seen[1].end.last_byte, 2200 * MS);
    assert_int_equal(r.seen[2].end.last_byte, 2200 * MS);
    rig_deinit(&r);
}

static void test_sim_net_small_bodies_and_heads(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start_url(&r, 1, "http://a/small?a=1");
    run(&r, CAD_SECOND);
    assert_int_equal(r.seen[1].bytes, 5);
    assert_memory_equal(r.data, "hello", 5);
    assert_int_equal(r.seen[1].head.status, 206);
    assert_int_equal(r.seen[1].head.range.first, 10);
    assert_int_equal(r.seen[1].head.range.last, 14);
    assert_int_equal(r.seen[1].head.total, 900);
    assert_int_equal(r.seen[1].head.retry_after, 7 * CAD_SECOND);
    r.body = 0;
    r.think = 250 * MS;
    start(&r, 2);
    run(&r, 2 * CAD_SECOND);
    assert_int_equal(r.seen[2].end.cls, CAD_HTTP_OK);
    assert_int_equal(r.seen[2].end.last_byte, CAD_SECOND + 350 * MS);
    rig_deinit(&r);
}

static void test_sim_net_keeps_to_six_connections(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    r.body = 8000;
    for (uint32_t id = 1; id <= 8; id++) {
        struct cad_http_start s = {.id = id, .url = CAD_STR("http://a/x"), .range = {-1, -1},
                                   .priority = id == 8 ? 0 : 3};
        assert_int_equal(r.transport->ops->start(r.transport, &s), 0);
    }
    run(&r, CAD_SECOND);
    uint32_t cold = 0;
    for (uint32_t id = 1; id <= 8; id++) {
        assert_int_equal(r.seen[id].end.cls, CAD_HTTP_OK);
        cold += !r.seen[id].end.reused;
    }
    assert_int_equal(cold, CAD_SIM_CONNECTIONS_MAX);
    /* The urgent one went first of those that waited. */
    assert_true(r.seen[8].end.first_byte <= r.seen[7].end.first_byte);
    assert_true(r.seen[7].end.reused && r.seen[8].end.reused);
    rig_deinit(&r);
}

static void test_sim_net_cancel_is_final_and_closes(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start(&r, 1);
    run(&r, 500 * MS);
    assert_true(r.seen[1].bytes > 0);
    r.transport->ops->cancel(r.transport, 1);
    r.transport->ops->cancel(r.transport, 77);
    assert_int_equal(cad_sim_net_in_flight(r.net), 0);
    assert_int_equal(r.cancelled, 1);
    assert_int_equal(r.released, 1);
    start(&r, 2);
    run(&r, 10 * CAD_SECOND);
    assert_false(r.seen[1].has_end);
    assert_false(r.seen[2].end.reused);
    assert_int_equal(r.seen[2].end.last_byte, 500 * MS + 1200 * MS);
    rig_deinit(&r);
}

static void test_sim_net_stale_lease_drops_without_an_end(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start(&r, 1);
    r.seen[1].stale = true;
    run(&r, 10 * CAD_SECOND);
    assert_true(r.seen[1].has_head);
    assert_false(r.seen[1].has_end);
    assert_int_equal(cad_sim_net_in_flight(r.net), 0);
    rig_deinit(&r);
}

static void test_sim_net_size_max_and_bad_urls(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    struct cad_http_start s = {.id = 1, .url = CAD_STR("http://a/x"), .range = {-1, -1},
                               .size_max = 999999};
    assert_int_equal(r.transport->ops->start(r.transport, &s), 0);
    start_url(&r, 2, "http://nowhere/x");
    start_url(&r, 3, "file:///x");
    start_url(&r, 4, "x");
    run(&r, CAD_SECOND);
    assert_int_equal(r.seen[1].end.cls, CAD_HTTP_TOO_LARGE);
    assert_int_equal(r.seen[1].bytes, 0);
    assert_int_equal(r.seen[2].end.cls, CAD_HTTP_DNS);
    assert_int_equal(r.seen[3].end.cls, CAD_HTTP_SCHEME);
    assert_int_equal(r.seen[4].end.cls, CAD_HTTP_SCHEME);
    rig_deinit(&r);
}

static void test_sim_net_refuse(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start(&r, 1);
    run(&r, 700 * MS);
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("a"), CAD_HOST_REFUSE, 0), 0);
    run(&r, 700 * MS);
    assert_int_equal(r.seen[1].end.cls, CAD_HTTP_RESET);
    /* 500 ms of body had arrived, and all of it was handed on. */
    assert_int_equal(r.seen[1].bytes, 500000);
    start(&r, 2);
    run(&r, CAD_SECOND);
    assert_int_equal(r.seen[2].end.cls, CAD_HTTP_CONNECT);
    assert_false(r.seen[2].has_head);
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("a"), CAD_HOST_UP, 0), 0);
    start(&r, 3);
    run(&r, 3 * CAD_SECOND);
    assert_int_equal(r.seen[3].end.cls, CAD_HTTP_OK);
    assert_false(r.seen[3].end.reused);
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("z"), CAD_HOST_UP, 0), CAD_E_NOTFOUND);
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("a"), CAD_HOST_STATUS, 99), CAD_E_INVAL);
    rig_deinit(&r);
}

static void test_sim_net_blackhole_runs_into_the_time_limits(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start(&r, 1);
    run(&r, 650 * MS);
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("a"), CAD_HOST_BLACKHOLE, 0), 0);
    start(&r, 2);
    run(&r, 10 * CAD_SECOND);
    assert_int_equal(r.seen[1].end.cls, CAD_HTTP_TIMEOUT);
    assert_int_equal(r.seen[1].bytes, 450000);
    assert_int_equal(r.seen[1].last, 650 * MS);
    assert_int_equal(r.accesses, 2);
    /* No connection: 4 s. */
    assert_int_equal(r.seen[2].end.cls, CAD_HTTP_TIMEOUT);
    assert_int_equal(r.seen[2].end.connect, CAD_TIME_NONE);
    rig_deinit(&r);
}

static void test_sim_net_offline_is_a_blackhole_everywhere(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start(&r, 1);
    run(&r, 150 * MS);
    cad_sim_net_online(r.net, false);
    start_url(&r, 2, "http://b/x");
    run(&r, 4149 * MS);
    assert_int_equal(r.seen[1].end.cls, CAD_HTTP_TIMEOUT);
    assert_false(r.seen[2].has_end);
    run(&r, 4150 * MS);
    assert_int_equal(r.seen[2].end.cls, CAD_HTTP_TIMEOUT);
    cad_sim_net_online(r.net, true);
    start_url(&r, 3, "http://b/x");
    run(&r, 9 * CAD_SECOND);
    assert_int_equal(r.seen[3].end.cls, CAD_HTTP_OK);
    rig_deinit(&r);
}

static void test_sim_net_reset_at_and_status(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("a"), CAD_HOST_RESET_AT, 5000), 0);
    start(&r, 1);
    start_url(&r, 2, "http://a/small?a=1");
    run(&r, CAD_SECOND);
    assert_int_equal(r.seen[1].end.cls, CAD_HTTP_RESET);
    assert_int_equal(r.seen[1].bytes, 5000);
    assert_int_equal(r.seen[2].end.cls, CAD_HTTP_OK);
    uint32_t served = r.served;
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("a"), CAD_HOST_STATUS, 503), 0);
    start(&r, 3);
    run(&r, 2 * CAD_SECOND);
    assert_int_equal(r.seen[3].end.cls, CAD_HTTP_OK);
    assert_int_equal(r.seen[3].head.status, 503);
    assert_int_equal(r.served, served);
    rig_deinit(&r);
}

static void test_sim_net_rate_of_a_host(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start(&r, 1);
    run(&r, 700 * MS);
    /* Half is in; the rest at 800 kbit/s takes 5 s. */
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("a"), CAD_HOST_RATE, 800000), 0);
    start_url(&r, 2, "http://b/x");
    run(&r, 3 * CAD_SECOND);
    assert_int_equal(r.seen[2].end.last_byte, 1900 * MS);
    run(&r, 10 * CAD_SECOND);
    assert_int_equal(r.seen[1].end.last_byte, 5700 * MS);
    rig_deinit(&r);
}

static void test_sim_net_silence_on_a_dead_link(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &gap, false);
    start(&r, 1);
    run(&r, 20 * CAD_SECOND);
    /* 800 ms of body until 1 s, then nothing for 3 s. */
    assert_int_equal(r.seen[1].bytes, 800000);
    assert_int_equal(r.seen[1].end.cls, CAD_HTTP_TIMEOUT);
    assert_int_equal(r.seen[1].last, CAD_SECOND);
    rig_deinit(&r);
}

/* Slower than a step in each time limit, but not silent. */
static void test_sim_net_a_trickle_is_no_silence(void **state)
{
    (void)state;
    struct cad_trace_period slow_rows[] = {{100000 * CAD_SECOND, 80, 100 * MS}};
    struct cad_trace slow = {slow_rows, 1};
    struct rig r;
    rig_init(&r, &slow, false);
    r.body = 1000;
    start(&r, 1);
    run(&r, 200 * CAD_SECOND);
    assert_int_equal(r.seen[1].end.cls, CAD_HTTP_OK);
    assert_int_equal(r.seen[1].end.last_byte, 100 * CAD_SECOND + 200 * MS);
    rig_deinit(&r);
}

static void test_sim_net_keeps_its_limits(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    for (uint32_t id = 1; id <= CAD_SIM_TRANSFERS_MAX; id++) start(&r, id);
    struct cad_http_start s = {.id = 79, .url = CAD_STR("http://a/x")};
    assert_int_equal(r.transport->ops->start(r.transport, &s), CAD_E_LIMIT);
    uint32_t link;
    for (uint32_t i = 1; i < CAD_SIM_LINKS_MAX; i++) {
        assert_int_equal(cad_sim_net_add_link(r.net, &plain, &link), 0);
    }
    assert_int_equal(cad_sim_net_add_link(r.net, &plain, &link), CAD_E_LIMIT);
    assert_int_equal(cad_sim_net_add_host(r.net, CAD_STR("c"), CAD_SIM_LINKS_MAX), CAD_E_INVAL);
    for (uint32_t i = 2; i < CAD_SIM_HOSTS_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "h%u", (unsigned)i);
        assert_int_equal(cad_sim_net_add_host(r.net, cad_str_from(name), 0), 0);
    }
    assert_int_equal(cad_sim_net_add_host(r.net, CAD_STR("d"), 0), CAD_E_LIMIT);
    rig_deinit(&r); /* with everything in flight */
}

/* Probes neither wait for media nor are waited for, and share connections in their group only. */
static void test_sim_net_probes_have_connections_of_their_own(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    for (uint32_t id = 1; id <= CAD_SIM_CONNECTIONS_MAX + 1; id++) start(&r, id);
    start_probe(&r, 20, "http://a/probe?1", 1);
    start_probe(&r, 21, "http://a/probe?2", 2);
    run(&r, 60 * CAD_SECOND);
    for (uint32_t id = 20; id <= 21; id++) {
        assert_int_equal(r.seen[id].end.cls, CAD_HTTP_OK);
        assert_int_equal(r.seen[id].end.first_byte, 200 * MS); /* cold, and at once */
        assert_false(r.seen[id].end.reused);
    }
    /* Later: the connection of a group is there for it, and for nobody else. */
    start_probe(&r, 22, "http://a/probe?3", 1);
    start_probe(&r, 23, "http://a/probe?4", 3);
    start_probe(&r, 24, "http://b/probe?5", 1);
    run(&r, 70 * CAD_SECOND);
    assert_true(r.seen[22].end.reused);
    assert_int_equal(r.seen[22].end.first_byte, 60 * CAD_SECOND + 100 * MS);
    assert_false(r.seen[23].end.reused);
    assert_false(r.seen[24].end.reused);
    /* Refused: what was kept is gone. */
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("a"), CAD_HOST_REFUSE, 0), 0);
    start_probe(&r, 25, "http://a/probe?6", 1);
    run(&r, 80 * CAD_SECOND);
    assert_int_equal(r.seen[25].end.cls, CAD_HTTP_CONNECT);
    assert_int_equal(cad_sim_net_fault(r.net, CAD_STR("a"), CAD_HOST_UP, 0), 0);
    start_probe(&r, 26, "http://a/probe?7", 1);
    run(&r, 90 * CAD_SECOND);
    assert_false(r.seen[26].end.reused);
    /* More groups than are kept: they are served all the same. */
    for (uint32_t id = 30; id < 30 + CAD_SIM_SIDES_MAX + 4; id++) {
        start_probe(&r, id, "http://a/probe?8", id);
    }
    run(&r, 100 * CAD_SECOND);
    for (uint32_t id = 30; id < 30 + CAD_SIM_SIDES_MAX + 4; id++) {
        assert_int_equal(r.seen[id].end.cls, CAD_HTTP_OK);
        assert_false(r.seen[id].end.reused);
    }
    rig_deinit(&r);
}

/* Headers that are told are those of the answer, however long it was thought about. */
static void test_sim_net_tells_headers(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    r.think = CAD_SECOND;
    start_probe(&r, 1, "http://a/probe?one", 1);
    run(&r, 500 * MS);
    r.think = 0;
    start_probe(&r, 2, "http://a/probe?two", 2); /* asked while the first is thought about */
    run(&r, 900 * MS);
    assert_string_equal(r.via, "1.1 /probe?two");
    run(&r, 10 * CAD_SECOND);
    assert_string_equal(r.via, "1.1 /probe?one");
    assert_int_equal(r.told, 1);
    assert_int_equal(r.seen[1].head.date_ms, WALL + 1000);
    start(&r, 3);
    run(&r, 20 * CAD_SECOND);
    assert_int_equal(r.told, 0);
    rig_deinit(&r);
}

static void test_sim_net_origins_that_do_not_answer(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, &plain, false);
    start_url(&r, 1, "http://a/never");
    start_url(&r, 2, "http://a/broken");
    run(&r, 10 * CAD_SECOND);
    assert_false(r.seen[1].has_head);
    assert_int_equal(r.seen[1].end.cls, CAD_HTTP_TIMEOUT);
    assert_int_equal(r.accesses, 2);
    assert_false(r.seen[2].has_head);
    assert_int_equal(r.seen[2].end.cls, CAD_HTTP_RESET);
    rig_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sim_net_round_trips_and_rate),
        cmocka_unit_test(test_sim_net_warm),
        cmocka_unit_test(test_sim_net_warm_several),
        cmocka_unit_test(test_sim_net_warm_takes_and_loses),
        cmocka_unit_test(test_sim_net_redirect),
        cmocka_unit_test(test_sim_net_shares_the_link_between_hosts),
        cmocka_unit_test(test_sim_net_small_bodies_and_heads),
        cmocka_unit_test(test_sim_net_keeps_to_six_connections),
        cmocka_unit_test(test_sim_net_cancel_is_final_and_closes),
        cmocka_unit_test(test_sim_net_stale_lease_drops_without_an_end),
        cmocka_unit_test(test_sim_net_size_max_and_bad_urls),
        cmocka_unit_test(test_sim_net_refuse),
        cmocka_unit_test(test_sim_net_blackhole_runs_into_the_time_limits),
        cmocka_unit_test(test_sim_net_offline_is_a_blackhole_everywhere),
        cmocka_unit_test(test_sim_net_reset_at_and_status),
        cmocka_unit_test(test_sim_net_rate_of_a_host),
        cmocka_unit_test(test_sim_net_silence_on_a_dead_link),
        cmocka_unit_test(test_sim_net_a_trickle_is_no_silence),
        cmocka_unit_test(test_sim_net_keeps_its_limits),
        cmocka_unit_test(test_sim_net_probes_have_connections_of_their_own),
        cmocka_unit_test(test_sim_net_tells_headers),
        cmocka_unit_test(test_sim_net_origins_that_do_not_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
