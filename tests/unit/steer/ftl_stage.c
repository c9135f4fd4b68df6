#include "ftl_stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/uri.h"

#define NS_PER_BYTE 800 /* 10 Mbit/s */

int stage_open(struct stage *stage, const struct mock_ftl_config *mock,
               struct cad_ftl_config *config, const struct stage_path *paths, uint32_t count)
{
    char endpoint[256];
    memset(stage, 0, sizeof(*stage));
    stage->paths = paths;
    stage->path_count = count;
    stage->sent_last = CAD_TIME_NONE;
    stage->gap_least = CAD_TIME_MAX;
    (void)snprintf(endpoint, sizeof(endpoint), "http://%s%s", paths[0].host, MOCK_FTL_RECIPE_PATH);
    config->endpoint = cad_str_from(endpoint);
    int err = mock_ftl_create(mock, &stage->mock);
    if (!err) err = cad_ftl_create(config, &stage->ftl);
    if (err) stage_close(stage);
    return err;
}

void stage_close(struct stage *stage)
{
    cad_ftl_destroy(&stage->ftl);
    mock_ftl_destroy(&stage->mock);
}

/* ---- the network ----------------------------------------------------------------------------- */

static bool is_open(const struct stage *stage, uint32_t connection)
{
    for (uint32_t i = 0; i < stage->open_count; i++) {
        if (stage->open[i] == connection) return true;
    }
    return false;
}

static const struct stage_path *path_of(const struct stage *stage, cad_str host)
{
    for (uint32_t i = 0; i < stage->path_count; i++) {
        if (cad_str_eqz(host, stage->paths[i].host)) return &stage->paths[i];
    }
    abort();
}

/* The legs before the request; false: the transfer ends in them. */
static bool connect_legs(struct stage_transfer *t, bool open, cad_time *at)
{
    const struct stage_path *path = t->path;
    t->end.reused = open;
    if (open) return true;
    *at += path->dns;
    if (path->fault == CAD_FTL_EC_DNS) return false;
    t->end.dns = *at;
    *at += path->rtt;
    if (path->fault == CAD_FTL_EC_CONNECT) return false;
    t->end.connect = *at;
    if (!path->tls) return true;
    *at += path->rtt;
    if (path->fault == CAD_FTL_EC_TLS) return false;
    t->end.tls = *at;
    return true;
}

static void begin(struct stage *stage, struct stage_transfer *t)
{
    char authority[256];
    struct cad_uri u;
    cad_time at = stage->now;
    if (cad_uri_parse(t->request.url, &u)) abort();
    (void)snprintf(authority, sizeof(authority), "%.*s%s%.*s", CAD_STR_ARG(u.host),
                   u.has_port ? ":" : "", CAD_STR_ARG(u.port));
    cad_str host = cad_str_from(authority);
    t->path = path_of(stage, host);
    t->end = (struct cad_ftl_end){.id = t->request.id, .dns = CAD_TIME_NONE,
                                  .connect = CAD_TIME_NONE, .tls = CAD_TIME_NONE,
                                  .first_byte = CAD_TIME_NONE};
    t->head_at = CAD_TIME_NONE;
    if (!connect_legs(t, is_open(stage, t->request.connection), &at)) {
        t->end.ec = t->path->fault;
        t->end_at = at;
        return;
    }
    if (!t->end.reused) {
        if (stage->open_count == STAGE_OPEN) abort();
        stage->open[stage->open_count++] = t->request.connection;
    }
    struct cad_origin_request request = {
        CAD_STR("GET"), host,
        cad_str_make(u.path.p, (size_t)(u.query.p + u.query.n - u.path.p)), {NULL, 0}, {-1, -1}, 0};
    if (t->request.address_max != CAD_FTL_ADDRESS_UNKNOWN &&
        t->path->address > t->request.address_max) {
        t->end.ec = CAD_FTL_EC_ADDRESS;
        t->end_at = at;
        return;
    }
    int rc = mock_ftl_ops()->serve(stage->mock, &request, &t->answer);
    at += t->path->rtt + t->answer.think;
    t->end_at = rc == CAD_E_AGAIN ? CAD_TIME_NONE : at;
    if (rc == CAD_E_IO) t->end.ec = CAD_FTL_EC_RESET;
    if (rc) return;
    t->head_at = t->end.first_byte = at;
    t->end_at = at + (cad_time)t->answer.body.n * NS_PER_BYTE;
}

static cad_str header_of(const struct cad_origin_answer *answer, const char *name)
{
    for (uint32_t i = 0; i < answer->header_count; i++) {
        if (cad_str_eqz(answer->headers[i].name, name)) return answer->headers[i].value;
    }
    return (cad_str){NULL, 0};
}

static void note(struct stage *stage, int rc)
{
    if (rc < 0 && stage->result == 0) stage->result = rc;
}

static void deliver_head(struct stage *stage, struct stage_transfer *t)
{
    struct cad_ftl_head head = {.id = t->request.id, .status = t->answer.status,
                                .address = t->path->address,
                                .via = header_of(&t->answer, "Via"),
                                .probe_data = header_of(&t->answer, "x-ftl-probe-data"),
                                .recv_ts = header_of(&t->answer, "x-ftl-probe-recv-ts"),
                                .latency_trace = header_of(&t->answer, "latency-trace")};
    t->headed = true;
    note(stage, cad_ftl_head(stage->ftl, &head));
}

static void deliver_end(struct stage *stage, struct stage_transfer *t)
{
    int rc = 0;
    if (t->headed) rc = cad_ftl_body(stage->ftl, t->request.id, t->answer.body);
    t->end.at = stage->now;
    /* Too long: like a transport that was told to stop, it waits for the cancel. */
    t->end_at = CAD_TIME_NONE;
    if (rc == CAD_E_LIMIT) return;
    note(stage, rc);
    struct cad_ftl_end end = t->end;
    t->request.id = 0;
    cad_ftl_end(stage->ftl, &end);
}

/* ---- actions --------------------------------------------------------------------------------- */

static void take_request(struct stage *stage, const struct cad_ftl_request *request)
{
    uint32_t flying = 1;
    struct stage_transfer *place = NULL;
    for (uint32_t i = 0; i < STAGE_TRANSFERS; i++) {
        if (stage->transfers[i].request.id != 0) flying++;
        else if (!place) place = &stage->transfers[i];
    }
    if (!place) abort();
    if (stage->hold != 0) stage->sent_held = true;
    if (flying > stage->flight_most) stage->flight_most = flying;
    if (!request->recipe) {
        cad_time gap = cad_time_sub(stage->now, stage->sent_last);
        if (stage->sent_last != CAD_TIME_NONE && gap < stage->gap_least) stage->gap_least = gap;
        stage->sent_last = stage->now;
        stage->sent++;
    }
    *place = (struct stage_transfer){.request = *request};
    begin(stage, place);
}

static void take_cancel(struct stage *stage, uint32_t id)
{
    for (uint32_t i = 0; i < STAGE_TRANSFERS; i++) {
        if (stage->transfers[i].request.id != id) continue;
        stage->transfers[i].request.id = 0;
        stage->cancelled++;
        return;
    }
    abort(); /* of something that is not in flight */
}

static void take_body(struct stage *stage, const struct cad_ftl_action *action)
{
    cad_str_copyz(stage->log_type, sizeof(stage->log_type), action->log_type);
    if (action->body.n >= sizeof(stage->body)) abort();
    cad_str_copyz(stage->body, sizeof(stage->body), action->body);
}

static void take_action(struct stage *stage, const struct cad_ftl_action *action)
{
    switch (action->type) {
    case CAD_FTL_REQUEST: take_request(stage, &action->request); break;
    case CAD_FTL_CANCEL: take_cancel(stage, action->request.id); break;
    case CAD_FTL_RECIPE: stage->recipes++; break;
    case CAD_FTL_RACE_WON:
        stage->won++;
        stage->winner = action->target;
        stage->won_at = stage->now;
        stage->won_in = action->duration;
        break;
    case CAD_FTL_RACE_ORDER:
        stage->orders++;
        stage->order_at = stage->now;
        break;
    case CAD_FTL_PULSE: stage->pulses++; break;
    case CAD_FTL_REPORT: stage->reports++; take_body(stage, action); break;
    case CAD_FTL_FAILED: stage->failures++; take_body(stage, action); break;
    }
}

static void turn(struct stage *stage)
{
    struct cad_ftl_action action;
    note(stage, cad_ftl_run(stage->ftl, stage->now));
    stage->turns++;
    while (cad_ftl_poll(stage->ftl, &action) == CAD_OK) take_action(stage, &action);
}

static void sooner(cad_time *next, cad_time at)
{
    if (at != CAD_TIME_NONE && (*next == CAD_TIME_NONE || at < *next)) *next = at;
}

void stage_hold(struct stage *stage, uint32_t reasons)
{
    stage->hold = reasons;
    cad_ftl_hold(stage->ftl, reasons, stage->now);
}

void stage_run(struct stage *stage, cad_time until)
{
    for (;;) {
        turn(stage);
        cad_time next = cad_ftl_next_wake(stage->ftl);
        for (uint32_t i = 0; i < STAGE_TRANSFERS; i++) {
            const struct stage_transfer *t = &stage->transfers[i];
            if (t->request.id == 0) continue;
            sooner(&next, t->headed ? CAD_TIME_NONE : t->head_at);
            sooner(&next, t->end_at);
        }
        if (next == CAD_TIME_NONE || next > until) break;
        if (next > stage->now) stage->now = next;
        else if (stage->turns > 1000000) abort(); /* it turns on the spot */
        for (uint32_t i = 0; i < STAGE_TRANSFERS; i++) {
            struct stage_transfer *t = &stage->transfers[i];
            if (t->request.id == 0) continue;
            if (!t->headed && t->head_at != CAD_TIME_NONE && t->head_at <= stage->now) {
                deliver_head(stage, t);
            }
            if (t->end_at != CAD_TIME_NONE && t->end_at <= stage->now) deliver_end(stage, t);
        }
    }
    if (stage->now < until) stage->now = until;
}
