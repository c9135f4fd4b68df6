/* The transport of virtual time keeps the contract of transports; its clock is the test's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "drive/sim_net.h"
#include "transport_contract.h"
#include "transport_server.h"

#define FAULTY_BYTES 10000

static cad_time now;
static char range_text[80];

/* 10 ms each way twice, then 1 byte a microsecond: 5000 bytes at 45 ms, and nothing after. */
static struct cad_trace_period stall_rows[] = {
    {45 * CAD_MS, 8000000, 20 * CAD_MS}, {3600 * CAD_SECOND, 0, 20 * CAD_MS}};
static struct cad_trace_period plain_rows[] = {{3600 * CAD_SECOND, 80000000, 2 * CAD_MS}};
static const struct cad_trace stall = {stall_rows, 2};
static const struct cad_trace plain = {plain_rows, 1};

static int read_pattern(void *token, int64_t offset, size_t n, uint8_t *out, size_t *done)
{
    int64_t first = (int64_t)(intptr_t)token;
    for (size_t i = 0; i < n; i++) out[i] = transport_pattern(first + offset + (int64_t)i);
    *done = n;
    return 0;
}

static void add_range(struct cad_origin_answer *answer)
{
    answer->headers[0] =
        (struct cad_header){CAD_STR("Content-Range"), cad_str_from(range_text)};
    answer->header_count = 1;
}

static int serve(void *ctx, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer)
{
    (void)ctx;
    int64_t size = FAULTY_BYTES;
    struct cad_range range = request->range;
    memset(answer, 0, sizeof *answer);
    answer->status = 404;
    if (cad_str_eqz(request->path, "/missing")) return 0;
    if (cad_str_eqz(request->path, "/silent")) answer->think = 3600 * CAD_SECOND;
    if (cad_str_to_i64(cad_str_sub(request->path, 1, request->path.n), &size)) {
        size = FAULTY_BYTES;
    }
    answer->status = range.first < 0 ? 200 : 206;
    if (range.first >= 0 && range.first >= size) {
        answer->status = 416;
        snprintf(range_text, sizeof range_text, "bytes */%lld", (long long)size);
        add_range(answer);
        return 0;
    }
    if (range.first < 0) range = (struct cad_range){0, size - 1};
    if (range.last < 0 || range.last >= size) range.last = size - 1;
    if (answer->status == 206) {
        snprintf(range_text, sizeof range_text, "bytes %lld-%lld/%lld", (long long)range.first,
                 (long long)range.last, (long long)size);
        add_range(answer);
    }
    answer->body_size = range.last - range.first + 1;
    answer->read = read_pattern;
    answer->token = (void *)(intptr_t)range.first;
    return 0;
}

static int create(struct cad_transport **out)
{
    static const struct cad_origin_ops origin = {sizeof origin, serve};
    static const char *const hosts[] = {"plain", "refused", "reset", "stall"};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sim_net_config config = {.wall_ms = 1};
    struct cad_sim_net *net = NULL;
    uint32_t link = 0;
    now = 0;
    int err = cad_sim_net_create(&alloc, &config, &net);
    if (err) return err;
    cad_sim_net_set_origin(net, &origin, NULL);
    err = cad_sim_net_add_link(net, &plain, &link);
    for (int i = 0; !err && i < 4; i++) {
        if (i == 3) err = cad_sim_net_add_link(net, &stall, &link);
        if (!err) err = cad_sim_net_add_host(net, cad_str_from(hosts[i]), link);
    }
    if (!err) err = cad_sim_net_fault(net, CAD_STR("refused"), CAD_HOST_REFUSE, 0);
    if (!err) err = cad_sim_net_fault(net, CAD_STR("reset"), CAD_HOST_RESET_AT, 5000);
    if (err) abort();
    *out = cad_sim_net_transport(net);
    return 0;
}

static void url(int64_t n, char *out, size_t cap)
{
    snprintf(out, cap, "http://plain/%lld", (long long)n);
}

static void wait_until(struct cad_transport *transport, cad_time until)
{
    if (until <= now) return;
    now = until;
    cad_sim_net_advance((struct cad_sim_net *)transport, now);
}

static cad_time time_now(void)
{
    return now;
}

int main(void)
{
    return transport_contract_run(&(struct transport_kind){
        .name = "transport_virtual", .create = create, .url = url, .wait = wait_until,
        .now = time_now, .missing = "http://plain/missing", .missing_is_answer = true,
        .refused = "http://refused/x", .stall = "http://stall/x", .silent = "http://plain/silent",
        .reset = "http://reset/x", .cut = "http://reset/y",
        .warm = "http://plain/missing", .http_version = 11});
}
