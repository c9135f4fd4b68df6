/*
 * Requests: attempts on servers, where their bytes go, and what their end means.
 *
 * Every answer enters by an id; cad_fetch_find knows the live ones, and this is the one place where
 * a stale answer dies. A media request fills a range of one representation; what has arrived is
 * kept when an attempt breaks, and the next attempt asks for the rest only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "engine/session.h"
#include "fetch/policy.h"
#include "manifest/manifest.h"

struct target *request_target(const struct cad_fetch_request *request)
{
    return request->owner;
}

static bool is_media(const struct cad_fetch_request *request)
{
    return request->purpose == CAD_PURPOSE_HEADER || request->purpose == CAD_PURPOSE_SEGMENT;
}

struct cad_fetch_request *request_new(struct cad_engine *e, enum cad_purpose purpose, int32_t slot)
{
    struct target *target = NULL;
    for (size_t i = 0; i < CAD_ARRAY_LEN(e->targets) && !target; i++) {
        if (!e->targets[i].used) target = &e->targets[i];
    }
    if (!target) return NULL;
    struct cad_fetch_request *request = cad_fetch_new(e->fetch, purpose, e->now);
    if (!request) return NULL;
    memset(target, 0, sizeof(*target));
    target->used = true;
    request->owner = target;
    request->track = slot;
    request->epoch = e->clock.epoch;
    return request;
}

/* ---- link time shared by transfers of media ---- */

static void busy_begin(struct cad_engine *e, struct target *target)
{
    if (e->busy_count++ == 0) e->busy_since = e->now;
    target->busy_start = e->busy_total + (e->now - e->busy_since);
    target->busy_bytes = e->media_bytes;
    target->shared = e->busy_count > 1;
    if (!target->shared) return;
    for (size_t i = 0; i < CAD_ARRAY_LEN(e->targets); i++) {
        if (e->targets[i].used && e->targets[i].running) e->targets[i].shared = true;
    }
}

static void busy_end(struct cad_engine *e, struct target *target)
{
    if (!target->running) return;
    target->running = false;
    CAD_ASSERT(e->busy_count > 0);
    if (--e->busy_count == 0) e->busy_total += e->now - e->busy_since;
}

static cad_time busy_of(const struct cad_engine *e, const struct target *target)
{
    cad_time running = e->busy_count ? e->now - e->busy_since : 0;
    return e->busy_total + running - target->busy_start;
}

/* ---- forget ---- */

/* Take the request off what it fills. */
static void unlink_request(struct cad_engine *e, struct cad_fetch_request *request)
{
    struct target *target = request_target(request);
    busy_end(e, target);
    if (e->manifest.request == request) e->manifest.request = NULL;
    if (target->rep && target->rep->request == request) target->rep->request = NULL;
    if (request->purpose == CAD_PURPOSE_SEGMENT && request->track >= 0) {
        struct segment *seg = queue_find(&e->slots[request->track], target->serial);
        if (seg && seg->request == request) seg->request = NULL;
    }
    redirect_forget(e, target);
    target->used = false;
    cad_fetch_end(e->fetch, request);
}

void request_drop(struct cad_engine *e, struct cad_fetch_request *request)
{
    if (request->state == CAD_FETCH_IN_FLIGHT) {
        struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_CANCEL);
        if (action) action->u.cancel.id = request->id;
        engine_decide(e, "cancel id=%u", request->id);
    }
    unlink_request(e, request);
}

/* ---- start ---- */

/* One attempt at some bytes of a representation. */
struct attempt {
    struct rep *rep;
    const struct cad_location *location;
    struct segment *segment; /* NULL: the header */
    struct cad_range bytes;
};

uint64_t rep_servers(const struct rep *rep)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < rep->model->location_count; i++) {
        uint32_t server = rep->model->locations[i].server;
        if (server < CAD_STEER_SERVERS_MAX) bits |= UINT64_C(1) << server;
    }
    return bits & ~rep->servers_lost;
}

const struct cad_location *rep_location(const struct rep *rep, uint32_t server)
{
    for (uint32_t i = 0; i < rep->model->location_count; i++) {
        if (rep->model->locations[i].server == server) return &rep->model->locations[i];
    }
    return NULL;
}

uint32_t request_pick_server(struct cad_engine *e, const struct cad_fetch_request *request,
                             uint64_t servers, int32_t sticky)
{
    /* Where another one is to be asked at once, also one that rests: the healthy one that has just
     * failed would be asked without end. */
    uint64_t untried = servers & ~request->tried;
    if (request_target(request)->elsewhere && untried) servers = untried;
    return cad_steer_pick(e->steer, servers, request->tried, sticky, e->now);
}

static uint32_t choose_server(struct cad_engine *e, const struct cad_fetch_request *request,
                              const struct rep *rep)
{
    struct slot *s = &e->slots[request->track];
    const struct slot *video = &e->slots[CAD_SLOT_VIDEO];
    int32_t sticky = s->server;
    if (s != video && video->present && video->server >= 0) sticky = video->server;
    return request_pick_server(e, request, rep_servers(rep), sticky);
}

static void note_server(struct cad_engine *e, int32_t slot, uint32_t server)
{
    struct slot *s = &e->slots[slot];
    if (s->server == (int32_t)server) return;
    s->server = (int32_t)server;
    cad_str id = cad_steer_id(e->steer, server);
    engine_decide(e, "server slot=%d id=%.*s", slot, CAD_STR_ARG(id));
    if (!s->provisional) slot_tell_server(e, (uint32_t)slot);
}

/* The URL of an attempt in the turn's text, and the part of that resource which is meant (first -1:
 * all of it). */
static int attempt_url(struct cad_engine *e, const struct attempt *a, cad_str *url,
                       struct cad_range *part)
{
    char memory[ENGINE_URL_MAX + 64];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    *part = (struct cad_range){-1, -1};
    int rc;
    if (!rep_fetched_apart(a->rep)) {
        rc = cad_range_url(a->location->url, a->location->range_in_path, a->bytes.first,
                           a->bytes.last, &sb);
    } else if (a->segment) {
        rc = cad_segment_url(a->rep->model, a->location, a->segment->index, &sb, part);
    } else {
        rc = cad_init_url(a->rep->model, a->location, &sb, part);
    }
    if (rc != 0) return rc;
    char *p = engine_text(e, cad_sb_str(&sb));
    if (!p) return CAD_E_AGAIN;
    *url = cad_str_make(p, cad_sb_str(&sb).n);
    return CAD_OK;
}

/* What the request asks for, on the wire. */
static void fill_bytes(const struct cad_engine *e, const struct attempt *a,
                       const struct target *target, struct cad_http_start *start)
{
    int64_t limit = a->segment ? segment_limit(e) : ENGINE_HEADER_MAX;
    start->size_max = target->last >= 0 ? target->last - target->first + 1 : limit;
    start->range = (struct cad_range){-1, -1};
    if (target->in_path) return;
    bool all = target->base + target->first == 0 && target->last < 0;
    if (all) return;
    start->range.first = target->base + target->first;
    if (target->last >= 0) start->range.last = target->base + target->last;
    /* A server may answer with the whole resource. */
    if (target->last < 0) start->size_max = limit;
}

void request_fill_start(const struct cad_engine *e, const struct cad_fetch_request *request,
                        struct cad_http_start *start)
{
    start->id = request->id;
    start->purpose = request->purpose;
    start->priority = request->purpose == CAD_PURPOSE_HEADER ? 0
                      : request->track == CAD_SLOT_AUDIO     ? 1
                                                             : 2;
    start->deadline = request->deadline;
    start->connect_timeout = 3 * CAD_SECOND;
    if (e->manifest.presentation->overrides.connect_timeout_ms > 0) {
        start->connect_timeout = e->manifest.presentation->overrides.connect_timeout_ms * CAD_MS;
    }
    start->silence_timeout =
        cad_fetch_silence_limit(request, cad_abr_estimate_bps(e->abr, e->now));
    start->group = (uint32_t)(request->track + 1);
    start->address_max = redirect_address_max(e, request->purpose);
}

/* The published range of a segment or init of its own is now known: its size with it. */
static int settle_part(struct cad_engine *e, struct attempt *a, struct cad_range part)
{
    if (part.first < 0) return CAD_OK;
    if (a->segment) a->segment->base = part.first;
    if (a->segment) a->segment->scan.origin = (uint64_t)part.first;
    if (part.last < part.first) return CAD_OK;
    int64_t size = part.last - part.first + 1;
    a->bytes.last = size - 1;
    if (!a->segment) return size > ENGINE_HEADER_MAX ? CAD_E_LIMIT : header_space(e, a->rep, size);
    int rc = queue_grow(e, a->segment, size);
    if (rc != 0) return rc;
    a->segment->size = size;
    a->segment->sized = true;
    return CAD_OK;
}

static void log_request(struct cad_engine *e, const struct cad_fetch_request *request,
                        const struct attempt *a, uint32_t server)
{
    cad_str host = cad_steer_id(e->steer, server);
    char which[32] = "";
    if (a->segment && rep_fetched_apart(a->rep)) {
        snprintf(which, sizeof(which), " segment=%u", a->segment->index);
    }
    engine_decide(e,
                  "request %s id=%u slot=%d rep=%u%s bytes=%" PRId64 "-%" PRId64
                  " server=%.*s attempt=%u",
                  cad_purpose_name(request->purpose), request->id, request->track, a->rep->at,
                  which, a->bytes.first, a->bytes.last, CAD_STR_ARG(host), request->attempts);
}

int request_start_media(struct cad_engine *e, struct cad_fetch_request *request, struct rep *rep,
                        struct cad_range bytes)
{
    if (cad_ring_space(&e->actions) < 16) return CAD_E_AGAIN;
    if (rep_servers(rep) == 0) return CAD_E_NOTFOUND;
    uint32_t server = choose_server(e, request, rep);
    struct attempt a = {.rep = rep, .location = rep_location(rep, server), .bytes = bytes};
    struct target *target = request_target(request);
    cad_str url = {NULL, 0};
    struct cad_range part;
    if (!a.location) return CAD_E_NOTFOUND;
    if (request->purpose == CAD_PURPOSE_SEGMENT) {
        a.segment = queue_find(&e->slots[request->track], target->serial);
    }
    int rc = attempt_url(e, &a, &url, &part);
    if (rc == 0) rc = settle_part(e, &a, part);
    if (rc != 0) return rc == CAD_E_NOMEM ? CAD_E_AGAIN : rc;
    cad_fetch_start(e->fetch, request, server, e->now);
    struct target fresh = {.used = true, .rep = rep, .serial = target->serial,
                           .first = a.bytes.first, .last = a.bytes.last,
                           .base = CAD_MAX(part.first, 0),
                           .in_path = a.location->range_in_path};
    redirect_forget(e, target);
    *target = fresh;
    struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_START);
    if (!action) return CAD_E_AGAIN;
    request_fill_start(e, request, &action->u.start);
    fill_bytes(e, &a, target, &action->u.start);
    action->u.start.url = url;
    redirect_begin(e, target, &action->u.start);
    warm_used(e, server);
    busy_begin(e, target);
    target->running = true;
    struct slot *s = &e->slots[request->track];
    s->requests++;
    note_server(e, request->track, server);
    log_request(e, request, &a, server);
    return CAD_OK;
}

/* ---- bodies ---- */

static bool answers_other_range(const struct target *target, const struct cad_http_head *head)
{
    int64_t first = target->base + target->first;
    if (head->status == 206) return head->range.first >= 0 && head->range.first != first;
    if (head->status != 200) return false;
    if (target->in_path) {
        return head->length >= 0 && head->length != target->last - target->first + 1;
    }
    /* The whole of a resource that is one segment: what is held of it is passed over. */
    if (rep_fetched_apart(target->rep) && target->base == 0) return false;
    return first != 0;
}

/* What the head says of the size of a resource that was asked for to its end; -1: nothing. */
static int64_t size_told(const struct target *target)
{
    const struct cad_http_head *head = &target->head_data;
    if (target->last >= 0 || head->length < 0) return -1;
    if (head->status == 200) return head->length;
    return cad_add_sat_i64(target->first, head->length);
}

/* The head of a segment (or init) of its own tells how long it is. */
static void learn_size(struct cad_engine *e, const struct cad_fetch_request *request,
                       const struct cad_http_head *head)
{
    struct target *target = request_target(request);
    if (head->status == 200) target->skip = target->first;
    if (request->purpose != CAD_PURPOSE_SEGMENT) return;
    struct segment *seg = queue_find(&e->slots[request->track], target->serial);
    if (!seg) return;
    /* Of servers that tell different lengths the one that answers now is believed. */
    int64_t size = size_told(target);
    if (size < seg->have || size <= 0 || size > segment_limit(e)) return;
    seg->size = size;
    seg->sized = true;
}

void request_head(struct cad_engine *e, const struct cad_http_head *head)
{
    struct cad_fetch_request *request = cad_fetch_find(e->fetch, head->id);
    if (!request) return;
    struct target *target = request_target(request);
    if (target->head || target->ended) return; /* one head a request, and before its end */
    request->status = head->status;
    target->head = true;
    target->head_data = *head;
    target->head_data.location = (cad_str){NULL, 0};
    redirect_note(e, request, head);
    bool good = head->status >= 200 && head->status < 300;
    if (request->purpose == CAD_PURPOSE_TEXT) target->discard = !good;
    if (!is_media(request)) return;
    target->discard = !good;
    if (!good) return;
    /* 206 must be the range that was asked for; a 200 to a Range header is the whole resource,
     * which serves only a range that starts at its first byte, or a segment that is a resource. In
     * a path the range is the resource. */
    target->range_wrong = answers_other_range(target, head);
    target->discard = target->range_wrong;
    if (!target->discard && rep_fetched_apart(target->rep)) learn_size(e, request, head);
}

/* Body bytes that may still come; of what has no known size as much as there may ever be. */
static int64_t bytes_left(const struct target *target, const struct cad_fetch_request *request,
                          const struct segment *seg)
{
    if (target->last >= 0) return target->last - target->first + 1 - request->received;
    if (seg && seg->sized) return seg->size - seg->have;
    return INT64_MAX;
}

/* Space for n bytes more of a segment of unknown, or wrongly guessed, size. */
static int room_for_more(struct cad_engine *e, struct segment *seg, int64_t n)
{
    int64_t room = (int64_t)cad_ref_size(seg->ref);
    int64_t limit = segment_limit(e);
    if (seg->sized) return queue_grow(e, seg, seg->size);
    int64_t want = CAD_MAX(seg->size, room);
    if (seg->have + n > room) want = CAD_MAX(room * 2, seg->have + n);
    if (want > limit && seg->have + n <= limit) want = limit;
    return queue_grow(e, seg, want);
}

static int room_for_init(struct cad_engine *e, struct rep *rep)
{
    if (rep->header_have < rep->header_size) return CAD_OK;
    if (rep->header_size >= ENGINE_HEADER_MAX) return CAD_E_LIMIT;
    return header_space(e, rep, CAD_MIN(rep->header_size * 2, ENGINE_HEADER_MAX));
}

static int media_lease(struct cad_engine *e, struct cad_fetch_request *request, size_t want,
                       uint8_t **data, size_t *capacity)
{
    struct target *target = request_target(request);
    struct segment *seg = NULL;
    size_t at = (size_t)target->rep->header_have;
    if (request->purpose == CAD_PURPOSE_SEGMENT) {
        seg = queue_find(&e->slots[request->track], target->serial);
        if (!seg || !seg->ref) return CAD_E_STALE;
        at = seg->ref_offset + (size_t)seg->have;
    }
    int64_t left = bytes_left(target, request, seg);
    if (left <= 0 || (seg && size_told(target) > segment_limit(e))) return CAD_E_LIMIT;
    if (rep_fetched_apart(target->rep)) {
        int rc = seg ? room_for_more(e, seg, 1) : room_for_init(e, target->rep);
        if (rc != 0) return rc;
        int64_t room = seg ? (int64_t)cad_ref_size(seg->ref) - seg->have
                           : target->rep->header_size - target->rep->header_have;
        left = CAD_MIN(left, room);
    }
    struct cad_ref *ref = seg ? seg->ref : target->rep->header;
    if (!ref || at + (size_t)left > cad_ref_size(ref)) return CAD_E_STALE;
    *data = cad_ref_data(ref) + at;
    *capacity = CAD_MIN(want, (size_t)left);
    return CAD_OK;
}

int cad_engine_lease(struct cad_engine *engine, uint32_t id, size_t want, uint8_t **data,
                     size_t *capacity)
{
    struct cad_engine *e = engine;
    if (!e || !data || !capacity || want == 0) return CAD_E_INVAL;
    if (exchange_is(id)) return exchange_lease(e, id, want, data, capacity);
    struct cad_fetch_request *request = cad_fetch_find(e->fetch, id);
    if (!request) return CAD_E_STALE;
    struct target *target = request_target(request);
    if (target->ended) return CAD_E_STALE;
    if (!target->head || target->discard || target->skip > 0) {
        *data = e->discard;
        *capacity = CAD_MIN(want, sizeof(e->discard));
        if (target->head && !target->discard) {
            *capacity = CAD_MIN(*capacity, (size_t)CAD_MIN(target->skip, INT32_MAX));
        }
        return CAD_OK;
    }
    switch (request->purpose) {
    case CAD_PURPOSE_LICENCE: return keys_lease(e, request, want, data, capacity);
    case CAD_PURPOSE_TEXT: return words_lease(e, request, want, data, capacity);
    case CAD_PURPOSE_HEADER:
    case CAD_PURPOSE_SEGMENT: break;
    default: return title_lease(e, want, data, capacity);
    }
    return media_lease(e, request, want, data, capacity);
}

/* Bytes of a manifest, a licence or a document of text. */
static int service_commit(struct cad_engine *e, struct cad_fetch_request *request, size_t n)
{
    int rc = CAD_OK;
    if (request->purpose == CAD_PURPOSE_LICENCE) {
        rc = keys_commit(e, request, n);
    } else if (request->purpose == CAD_PURPOSE_TEXT) {
        rc = words_commit(e, request, n);
    } else {
        if (n > e->manifest.body.cap - e->manifest.body.n) return CAD_E_INVAL;
        e->manifest.body.n += n;
        if (e->clock.state == CAD_STATE_LOADING) e->clock.progress_at = e->now;
    }
    if (rc == 0) request->received += (int64_t)n;
    return rc;
}

static int commit(struct cad_engine *e, uint32_t id, size_t n, cad_time at, bool hole)
{
    if (exchange_is(id)) return hole ? CAD_E_INVAL : exchange_commit(e, id, n);
    struct cad_fetch_request *request = cad_fetch_find(e->fetch, id);
    if (!request) return CAD_E_STALE;
    struct target *target = request_target(request);
    if (target->ended) return CAD_E_STALE;
    e->touched = true;
    if (request->first_byte == CAD_TIME_NONE) request->first_byte = at;
    request->last_byte = at;
    if (!target->head || target->discard) return CAD_OK;
    if (!is_media(request)) return hole ? CAD_E_INVAL : service_commit(e, request, n);
    struct segment *seg = NULL;
    struct slot *s = &e->slots[request->track];
    if (target->skip > 0) {
        if ((int64_t)n > target->skip) return CAD_E_INVAL;
        target->skip -= (int64_t)n;
        e->bytes_twice += n;
        return CAD_OK;
    }
    if (request->purpose == CAD_PURPOSE_SEGMENT) {
        seg = queue_find(s, target->serial);
        if (!seg || !seg->ref) return CAD_E_STALE;
    } else if (!target->rep->header) {
        return CAD_E_STALE;
    }
    if ((int64_t)n > bytes_left(target, request, seg)) return CAD_E_LIMIT;
    if (hole && seg && rep_fetched_apart(target->rep)) {
        int rc = room_for_more(e, seg, (int64_t)n); /* nobody leased it */
        if (rc != 0) return rc;
    }
    struct cad_ref *ref = seg ? seg->ref : target->rep->header;
    size_t from = seg ? seg->ref_offset + (size_t)seg->have : (size_t)target->rep->header_have;
    if (from + n > cad_ref_size(ref)) return CAD_E_LIMIT;
    if (hole) {
        int rc = cad_ref_add_hole(ref, from, from + n);
        if (rc != 0) return rc;
    }
    if (seg) {
        seg->have += (int64_t)n;
    } else {
        target->rep->header_have += (int64_t)n;
    }
    request->received += (int64_t)n;
    s->bytes_fetched += n;
    e->media_bytes += (int64_t)n;
    e->clock.progress_at = CAD_MAX(e->clock.progress_at, e->now);
    return CAD_OK;
}

int cad_engine_commit(struct cad_engine *engine, uint32_t id, size_t n, cad_time at)
{
    return engine ? commit(engine, id, n, at, false) : CAD_E_INVAL;
}

int cad_engine_commit_hole(struct cad_engine *engine, uint32_t id, size_t n, cad_time at)
{
    return engine ? commit(engine, id, n, at, true) : CAD_E_INVAL;
}

/* ---- end ---- */

enum cad_failure request_failure(const struct cad_http_end *end, int32_t status)
{
    switch (end->cls) {
    case CAD_HTTP_DNS: return CAD_FAIL_DNS;
    case CAD_HTTP_CONNECT: return CAD_FAIL_CONNECT;
    case CAD_HTTP_TLS: return CAD_FAIL_TLS;
    case CAD_HTTP_CERTIFICATE: return CAD_FAIL_CERTIFICATE;
    case CAD_HTTP_TIMEOUT: return CAD_FAIL_TIMEOUT;
    case CAD_HTTP_RESET: return CAD_FAIL_RESET;
    case CAD_HTTP_PROTOCOL: return CAD_FAIL_PROTOCOL;
    case CAD_HTTP_TOO_LARGE: return CAD_FAIL_TOO_LARGE;
    case CAD_HTTP_NO_FILE:
    case CAD_HTTP_BAD_FILE: return CAD_FAIL_FILE;
    case CAD_HTTP_SCHEME: return CAD_FAIL_SCHEME;
    case CAD_HTTP_ADDRESS: return CAD_FAIL_ADDRESS;
    case CAD_HTTP_OK: break;
    }
    if (status == 404) return CAD_FAIL_NOT_FOUND;
    if (status == 416) return CAD_FAIL_RANGE;
    if (status == 420 || status == 429) return CAD_FAIL_THROTTLED;
    if (status >= 500) return CAD_FAIL_SERVER;
    if (status >= 400) return CAD_FAIL_REFUSED;
    if (status >= 300) return CAD_FAIL_REDIRECT;
    return CAD_FAIL_PROTOCOL;
}

struct cad_verdict request_fail(struct cad_engine *e, struct cad_fetch_request *request,
                                enum cad_failure failure, cad_time retry_after, uint64_t servers)
{
    uint32_t id = request->id;
    struct cad_fetch_failure why = {failure, retry_after, servers};
    struct cad_verdict verdict = cad_fetch_fail(e->fetch, request, &why, e->now);
    engine_decide(e, "failed id=%u why=%s verdict=%d", id, cad_failure_name(failure),
                  (int)verdict.kind);
    return verdict;
}

void request_tell_steer(struct cad_engine *e, const struct cad_fetch_request *request,
                        enum cad_failure failure)
{
    enum cad_steer_outcome outcome = CAD_STEER_OK;
    switch (failure) {
    case CAD_FAIL_DNS:
    case CAD_FAIL_CONNECT: outcome = CAD_STEER_CONNECT; break;
    case CAD_FAIL_TLS:
    case CAD_FAIL_CERTIFICATE: outcome = CAD_STEER_TLS; break;
    case CAD_FAIL_TIMEOUT:
        outcome = request->first_byte == CAD_TIME_NONE && request->status == 0 ? CAD_STEER_CONNECT
                                                                               : CAD_STEER_SILENT;
        break;
    case CAD_FAIL_RESET:
    case CAD_FAIL_PROTOCOL: outcome = CAD_STEER_RESET; break;
    case CAD_FAIL_SERVER: outcome = CAD_STEER_STATUS_5XX; break;
    default: return; /* about the resource, not the server */
    }
    cad_steer_report(e->steer, request->server, outcome, e->now);
}

/* URLs that came a moment ago have not expired: it is the server that refuses. */
static bool urls_fresh(const struct cad_engine *e)
{
    return e->now < cad_time_add(e->manifest.refreshed_at, ENGINE_REFRESH_SPACING);
}

bool request_near_expiry(const struct cad_engine *e, const struct cad_fetch_request *request)
{
    if (request->status != 403 && request->status != 410) return false;
    const struct cad_presentation *p = e->manifest.presentation;
    if (!p || p->expiry_ms <= 0) return false;
    int64_t wall = engine_wall_ms(e);
    return !urls_fresh(e) && (wall == 0 || wall + ENGINE_EXPIRY_NEAR_MS >= p->expiry_ms);
}

/* 403 and 410 are about expiry when the URL is stale or near to it, or when a second server says so
 * too (licensed manifest 9). */
static bool about_expiry(const struct cad_engine *e, const struct cad_fetch_request *request)
{
    if (request_near_expiry(e, request)) return true;
    const struct cad_presentation *p = e->manifest.presentation;
    return p && p->expiry_ms > 0 && !urls_fresh(e) && request_target(request)->refusals >= 2;
}

/* The network or a server may come back; the resource itself was not refused. */
static bool may_pass(enum cad_failure failure)
{
    switch (failure) {
    case CAD_FAIL_DNS:
    case CAD_FAIL_CONNECT:
    case CAD_FAIL_TLS:
    case CAD_FAIL_TIMEOUT:
    case CAD_FAIL_RESET:
    case CAD_FAIL_PROTOCOL:
    case CAD_FAIL_THROTTLED:
    case CAD_FAIL_SERVER: return true;
    default: return false;
    }
}

/* The error that a failure would end in, should it come to that. */
static void name_failure(struct cad_engine *e, const struct cad_fetch_request *request,
                         const struct cad_http_end *end, enum cad_error_code code,
                         struct cad_error *err)
{
    cad_error_init(err, code ? code : CAD_ERR_MEDIA_SEGMENT_LOST);
    if (end->cls == CAD_HTTP_BAD_FILE) cad_error_init(err, CAD_ERR_FILE_UNREADABLE);
    if (request->status == 416 && e->manifest.from_mp4) {
        engine_error(err, CAD_ERR_MEDIA_BAD, "the file is shorter than its index says");
    }
    err->track = request->track;
    err->request = request->id;
    err->http_status = request->status;
    err->edge_code = end->edge_code;
    err->attempts = request->attempts;
    err->phase = e->clock.first_ever ? CAD_PHASE_PLAY : CAD_PHASE_HEADER;
    e->last_failure = *err;
    e->last_failure_at = e->now;
}

/* A header request that broke: is there anything left to ask for under its name? */
static bool header_wanted(struct cad_engine *e, struct cad_fetch_request *request)
{
    struct rep *rep = request_target(request)->rep;
    rep_header_progress(e, (uint32_t)request->track, rep); /* it may settle or lose the slot */
    if (rep->state == REP_LOST) return false;
    struct slot *s = &e->slots[request->track];
    bool queued = queue_count(s) && queue_at(s, queue_count(s) - 1)->rep == rep->at;
    bool spare = (int32_t)rep->at != s->rep_now && !queued;
    if (rep->state == REP_NEW && !spare) return true;
    /* What came with the header goes on as segments; a header ahead of need is asked for later. */
    if (spare) rep->prefetch_at = cad_time_add(e->now, ENGINE_SPARE_RETRY);
    engine_decide(e, "header left id=%u ready=%d", request->id, rep->state == REP_READY);
    unlink_request(e, request);
    e->more = true;
    return false;
}

/* Nothing more is tried for this request. */
static void media_over(struct cad_engine *e, struct cad_fetch_request *request, bool resource,
                       bool passing, const struct cad_error *err)
{
    struct rep *rep = request_target(request)->rep;
    struct slot *s = &e->slots[request->track];
    unlink_request(e, request);
    if (resource) {
        rep_lost(e, (uint32_t)(s - e->slots), rep->at, err);
    } else if (passing && clock_ahead(e, s) > 0) {
        s->decide_at = cad_time_add(e->now, ENGINE_OUTAGE_RETRY); /* nobody notices yet */
    } else {
        s->lost = *err; /* what is held is played first */
    }
}

static void media_failed(struct cad_engine *e, struct cad_fetch_request *request,
                         const struct cad_http_end *end, enum cad_failure failure)
{
    struct target *target = request_target(request);
    struct rep *rep = target->rep;
    request_tell_steer(e, request, failure);
    if (failure == CAD_FAIL_NOT_FOUND) rep->servers_lost |= UINT64_C(1) << request->server;
    target->refusals += request->status == 403 || request->status == 410;
    if (failure == CAD_FAIL_REFUSED && about_expiry(e, request)) failure = CAD_FAIL_EXPIRED;
    busy_end(e, target);
    if (request->purpose == CAD_PURPOSE_HEADER && !header_wanted(e, request)) return;
    uint64_t left = rep_servers(rep);
    if (request->received > 0) cad_fetch_progress(request, e->now);
    /* A file's own server has no other beside it, and no viewer should wait long to learn that. */
    bool absent = e->manifest.from_mp4 && rep->state == REP_NEW && may_pass(failure) &&
                  e->now - request->created >= ENGINE_FILE_PATIENCE;
    struct cad_verdict verdict =
        request_fail(e, request, failure, target->head_data.retry_after, left);
    /* A file has no manifest to ask again; and where fresh URLs were refused too before anything
     * was shown, a viewer is told instead of waiting for more of them. */
    bool useless = e->manifest.from_mp4 || (!e->clock.first_ever && e->refreshes > 0);
    if (verdict.kind == CAD_VERDICT_REFRESH && useless) verdict.kind = CAD_VERDICT_GIVE_UP;
    target->elsewhere = verdict.kind == CAD_VERDICT_OTHER_SERVER && verdict.until <= e->now;
    struct cad_error err;
    name_failure(e, request, end, verdict.error, &err);
    if (verdict.kind == CAD_VERDICT_REFRESH) e->manifest.refresh_wanted = true;
    bool over = absent || verdict.kind == CAD_VERDICT_LOWER_RUNG ||
                verdict.kind == CAD_VERDICT_GIVE_UP;
    if (left && !over) return;
    bool resource = !left || (verdict.kind != CAD_VERDICT_GIVE_UP && !absent);
    media_over(e, request, resource, may_pass(failure), &err);
}

static void observe(struct cad_engine *e, const struct cad_fetch_request *request,
                    const struct cad_http_end *end, bool complete)
{
    const struct target *target = request_target(request);
    struct cad_abr_transfer transfer = {
        .start = request->started,
        .first_byte = end->first_byte != CAD_TIME_NONE ? end->first_byte : request->first_byte,
        .end = end->last_byte != CAD_TIME_NONE ? end->last_byte : e->now,
        .bytes = request->received,
        .server = request->server,
        .audio = request->track == CAD_SLOT_AUDIO,
        .complete = complete,
        .shared = target->shared,
        .busy = busy_of(e, target),
        .bytes_all = e->media_bytes - target->busy_bytes,
    };
    if (transfer.first_byte != CAD_TIME_NONE && transfer.first_byte < transfer.start) {
        transfer.first_byte = transfer.start;
    }
    if (transfer.end < transfer.start) transfer.end = e->now;
    cad_abr_observe(e->abr, &transfer);
}

/* Is a segment of its own whole? One of unknown size is when its answer ends well, or when there is
 * nothing behind what is held. */
static bool segment_complete(struct cad_engine *e, const struct cad_fetch_request *request,
                             const struct cad_http_end *end, bool good)
{
    const struct target *target = request_target(request);
    struct segment *seg = queue_find(&e->slots[request->track], target->serial);
    if (!seg || seg->have == 0) return false;
    bool nothing_more = request->status == 416 && target->first == seg->have;
    bool ended = nothing_more || (good && target->skip == 0);
    if (!seg->sized && ended && end->cls == CAD_HTTP_OK) {
        seg->size = seg->have;
        seg->sized = true;
    }
    return segment_whole(seg);
}

static void media_end(struct cad_engine *e, struct cad_fetch_request *request,
                      const struct cad_http_end *end)
{
    struct target *target = request_target(request);
    struct slot *s = &e->slots[request->track];
    struct rep *rep = target->rep;
    bool header = request->purpose == CAD_PURPOSE_HEADER;
    bool good = request->status >= 200 && request->status < 300 && !target->discard;
    bool apart = rep_fetched_apart(rep);
    int64_t asked = target->last - target->first + 1;
    /* A header request may ask past the end of a small file: a short whole answer is an answer. */
    bool short_file = header && end->cls == CAD_HTTP_OK && rep->model->size_bytes < 0;
    int64_t received = request->received;
    bool whole = good && (received == asked || (short_file && received > 0));
    if (apart && !header) whole = segment_complete(e, request, end, good);
    if (received > 0) observe(e, request, end, whole);
    if (whole) {
        cad_steer_report(e->steer, request->server, CAD_STEER_OK, e->now);
        probes_download(e, request->server);
        unlink_request(e, request);
        if (header) rep_header_closed(e, s, rep, apart || (short_file && received < asked));
        return;
    }
    enum cad_failure failure = request_failure(end, request->status);
    if (target->range_wrong) failure = CAD_FAIL_RANGE;
    else if (end->cls == CAD_HTTP_OK && good) failure = CAD_FAIL_RESET;
    media_failed(e, request, end, failure);
}

/* Licences and texts are told of where it is known what their answers were worth. */
static void tell_transfer(struct cad_engine *e, const struct cad_fetch_request *request,
                          const struct cad_http_end *end)
{
    if (request->purpose == CAD_PURPOSE_LICENCE || request->purpose == CAD_PURPOSE_TEXT) return;
    bool good = end->cls == CAD_HTTP_OK && request->status >= 200 && request->status < 300;
    enum cad_failure failure = request_failure(end, request->status);
    facts_transfer(e, request, end,
                   good ? CAD_ERR_NONE : cad_policy_row(request->purpose, failure)->error);
}

void request_end(struct cad_engine *e, const struct cad_http_end *end)
{
    struct cad_fetch_request *request = cad_fetch_find(e->fetch, end->id);
    if (!request || redirect_follow(e, request, end)) return;
    tell_transfer(e, request, end);
    if (is_media(request)) {
        media_end(e, request, end);
        return;
    }
    switch (request->purpose) {
    case CAD_PURPOSE_LICENCE: keys_end(e, request, end); return;
    case CAD_PURPOSE_TEXT: words_end(e, request, end); return;
    default: break;
    }
    struct target *target = request_target(request);
    title_end(e, request, end);
    if (e->manifest.request == request) return;
    redirect_forget(e, target);
    target->used = false;
}

void request_mark_end(struct cad_engine *e, uint32_t id)
{
    struct cad_fetch_request *request = cad_fetch_find(e->fetch, id);
    if (request) request_target(request)->ended = true;
}

/* Attempts on which nothing arrives for too long are broken off here, whatever the edge does. */
void request_silences(struct cad_engine *e)
{
    int64_t estimate = cad_abr_estimate_bps(e->abr, e->now);
    for (uint32_t i = 0;; i++) {
        struct cad_fetch_request *request = cad_fetch_at(e->fetch, i);
        if (!request) return;
        if (request->state != CAD_FETCH_IN_FLIGHT) continue;
        cad_time since = CAD_MAX(request->started, request->last_byte);
        cad_time limit = cad_time_add(since, cad_fetch_silence_limit(request, estimate));
        if (limit > e->now) continue;
        struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_CANCEL);
        if (action) action->u.cancel.id = request->id;
        struct cad_http_end end = {.id = request->id, .cls = CAD_HTTP_TIMEOUT,
                                   .dns = CAD_TIME_NONE, .connect = CAD_TIME_NONE,
                                   .tls = CAD_TIME_NONE, .first_byte = request->first_byte,
                                   .last_byte = request->last_byte};
        request_end(e, &end);
        e->more = true; /* the table has changed: look again next turn */
        return;
    }
}
