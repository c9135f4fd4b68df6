#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive/clock.h"
#include "transport_contract.h"
#include "transport_server.h"

static struct bench_record *record_of(struct bench *bench, uint32_t id)
{
    if (id == 0 || id >= BENCH_IDS) abort();
    if (bench->inside) bench->records[id].disorder = true;
    bench->calls++;
    return &bench->records[id];
}

static void on_head(void *ctx, const struct cad_http_head *head)
{
    struct bench_record *r = record_of(ctx, head->id);
    if (r->ends || r->n || r->heads) r->disorder = true;
    r->heads++;
    r->head = *head;
    size_t n = head->location.n < sizeof r->location ? head->location.n : 0;
    if (n) memcpy(r->location, head->location.p, n);
    r->location[n] = '\0';
    for (uint32_t i = 0; i < head->header_count && i < CAD_HTTP_HEADERS_MAX; i++) {
        const struct cad_header *h = &head->headers[i];
        snprintf(r->told[i].name, sizeof r->told[i].name, "%.*s", (int)h->name.n, h->name.p);
        snprintf(r->told[i].value, sizeof r->told[i].value, "%.*s", (int)h->value.n,
                 h->value.n ? h->value.p : "");
    }
}

static int on_lease(void *ctx, uint32_t id, size_t want, uint8_t **data, size_t *capacity)
{
    struct bench *bench = ctx;
    struct bench_record *r = record_of(bench, id);
    if (!r->heads || r->ends || want == 0) r->disorder = true;
    if (bench->fail_after >= 0 && (int64_t)r->n >= bench->fail_after) return bench->fail_with;
    if (r->n == BENCH_BYTES) return CAD_E_LIMIT;
    if (!r->bytes) r->bytes = malloc(BENCH_BYTES);
    if (!r->bytes) return CAD_E_NOMEM;
    size_t room = BENCH_BYTES - r->n;
    if (bench->fail_after >= 0 && room > (size_t)bench->fail_after - r->n) {
        room = (size_t)bench->fail_after - r->n;
    }
    if (bench->lease_max && room > bench->lease_max) room = bench->lease_max;
    *data = r->bytes + r->n;
    *capacity = bench->leased = want < room ? want : room;
    return 0;
}

static int on_commit(void *ctx, uint32_t id, size_t n, cad_time at)
{
    struct bench *bench = ctx;
    struct bench_record *r = record_of(bench, id);
    if (n > bench->leased) bench->overrun = true;
    if (at < r->at_last || at > bench_now(bench)) r->at_back = true;
    bench->leased = 0;
    r->at_last = at;
    r->n += n;
    return 0;
}

static void on_end(void *ctx, const struct cad_http_end *end)
{
    struct bench_record *r = record_of(ctx, end->id);
    if (r->ends) r->disorder = true;
    r->ends++;
    r->end = *end;
}

int bench_setup(const struct transport_kind *kind, struct bench **out)
{
    struct bench *bench = calloc(1, sizeof *bench);
    if (!bench) return -1;
    bench->kind = kind;
    bench->fail_after = -1;
    int err = kind->create(&bench->transport);
    if (err) {
        free(bench);
        return err;
    }
    bench->transport->door =
        (struct cad_transport_door){bench, on_head, on_lease, on_commit, on_end};
    *out = bench;
    return 0;
}

void bench_teardown(struct bench *bench)
{
    bench->transport->ops->destroy(bench->transport);
    for (int i = 0; i < BENCH_IDS; i++) free(bench->records[i].bytes);
    free(bench);
}

void bench_request(uint32_t id, const char *url, struct cad_http_start *out)
{
    memset(out, 0, sizeof *out);
    out->id = id;
    out->purpose = CAD_PURPOSE_SEGMENT;
    out->url = (cad_str){url, strlen(url)};
    out->range.first = out->range.last = -1;
    out->size_max = BENCH_BYTES;
    out->deadline = CAD_TIME_NONE;
    out->connect_timeout = out->silence_timeout = 2 * CAD_SECOND;
}

int bench_start(struct bench *bench, const struct cad_http_start *start)
{
    bench->inside = true;
    int err = bench->transport->ops->start(bench->transport, start);
    bench->inside = false;
    return err;
}

void bench_cancel(struct bench *bench, uint32_t id)
{
    bench->inside = true;
    bench->transport->ops->cancel(bench->transport, id);
    bench->inside = false;
}

void bench_warm(struct bench *bench, const char *url)
{
    struct cad_http_warm warm = {.url = {url, strlen(url)}, .connect_timeout = 2 * CAD_SECOND};
    bench->inside = true;
    bench->transport->ops->warm(bench->transport, &warm);
    bench->inside = false;
}

cad_time bench_now(const struct bench *bench)
{
    return bench->kind->now ? bench->kind->now() : cad_clock_now();
}

static void wait_real(struct cad_transport *transport, cad_time until)
{
    cad_time left = cad_time_sub(until, cad_clock_now());
    struct pollfd fd = {transport->fd, POLLIN, 0};
    if (left > 0) poll(&fd, 1, (int)(left / CAD_MS) + 1);
}

static void wait_until(struct bench *bench, cad_time wake, cad_time limit)
{
    if (wake == CAD_TIME_NONE || wake > limit) wake = limit;
    if (bench->kind->wait) bench->kind->wait(bench->transport, wake);
    else wait_real(bench->transport, wake);
}

void bench_pump(struct bench *bench)
{
    cad_time wake = bench->transport->ops->pump(bench->transport);
    wait_until(bench, wake, bench_now(bench) + CAD_MS);
}

bool bench_run(struct bench *bench, uint32_t id, cad_time timeout)
{
    cad_time limit = cad_time_add(bench_now(bench), timeout);
    while (!bench->records[id].ends) {
        cad_time wake = bench->transport->ops->pump(bench->transport);
        if (bench->records[id].ends) break;
        if (bench_now(bench) >= limit) return false;
        wait_until(bench, wake, limit);
    }
    return true;
}

void bench_idle(struct bench *bench, cad_time duration)
{
    cad_time limit = cad_time_add(bench_now(bench), duration);
    while (bench_now(bench) < limit) {
        wait_until(bench, bench->transport->ops->pump(bench->transport), limit);
    }
}

bool bench_is_pattern(const struct bench_record *record, int64_t first, size_t n)
{
    if (record->n != n) return false;
    for (size_t i = 0; i < n; i++) {
        if (record->bytes[i] != transport_pattern(first + (int64_t)i)) return false;
    }
    return true;
}
