/* The driver's transport: answers from the title's files and the manifest, with faults by
 * script. */
#include "driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define BODY_REFUSED "no"

/* ---- reading a request ----------------------------------------------------------------------- */

static void copy_text(char *out, size_t cap, const void *p, size_t n)
{
    assert_true(n < cap);
    if (n) memcpy(out, p, n);
    out[n] = '\0';
}

/* The number at *p; steps over it. */
static int64_t number(const char **p)
{
    char *end = NULL;
    long long value = strtoll(*p, &end, 10);
    assert_ptr_not_equal(end, *p);
    *p = end;
    return value;
}

/* ?o=1&v=31&e=E&t=SECRETg&sc=%2B=g, byte for byte. */
static uint32_t check_query(const char *query)
{
    const char *t = strstr(query, "&t=SECRET");
    assert_non_null(t);
    t += strlen("&t=SECRET");
    uint32_t generation = (uint32_t)number(&t);
    const char *e = query + strlen("?o=1&v=31&e=");
    int64_t expiry = number(&e);
    char expected[128];
    (void)snprintf(expected, sizeof expected, "?o=1&v=31&e=%" PRId64 "&t=SECRET%u&sc=%%2B=%u",
                   expiry, generation, generation);
    assert_string_equal(query, expected);
    return generation;
}

static void check_range(const struct drv *d, const struct drv_request *r)
{
    if (r->range.first < 0) return;
    assert_true(r->range.first < d->stream[r->stream].size_bytes);
    assert_true(r->range.last == -1 || r->range.first <= r->range.last);
    /* In a path the end must exist (licensed manifest 5.5); a header may ask for more. */
    if (r->range_in_header) return;
    assert_true(r->range.last >= 0);
    assert_true(r->range.last < d->stream[r->stream].size_bytes);
}

/* The segment of a stream that begins at `ticks` (milliseconds) or, ticks -1, has an index. */
static struct cad_range segment_bytes(const struct drv *d, int32_t stream, int64_t index,
                                      int64_t ticks)
{
    struct cad_synth_segment seg;
    int64_t at = d->stream[stream].header_bytes;
    uint32_t source = CAD_MIN((uint32_t)stream, DRV_AUDIO);
    for (int64_t i = 0; at < d->stream[stream].size_bytes; i++) {
        assert_int_equal(cad_synth_segment_at(d->synth, source, at, &seg), 0);
        if (ticks < 0 ? i == index : seg.start / CAD_MS == ticks) return seg.bytes;
        at = seg.bytes.last + 1;
    }
    return (struct cad_range){-1, -1};
}

/* S-i.mp4: the header; S-nN.m4s: segment N from 0; S-tMS.m4s: the one that begins at MS. */
static const char *read_window(struct drv *d, struct drv_request *r, const char *p)
{
    char kind = p[1];
    p += 2;
    r->segment = -1;
    if (kind == 'i') {
        r->window = (struct cad_range){0, d->stream[r->stream].header_bytes - 1};
    } else {
        int64_t n = number(&p);
        r->window = segment_bytes(d, r->stream, n, kind == 't' ? n : -1);
        r->segment = (int32_t)n;
        if (r->window.first < 0) fail_msg("no such segment: %s", r->url);
    }
    int64_t first = CAD_MAX(r->range.first, 0) + r->window.first;
    int64_t last = r->range.last < 0 ? r->window.last : r->window.first + r->range.last;
    r->range = (struct cad_range){first, CAD_MIN(last, r->window.last)};
    assert_true(r->range.first <= r->range.last);
    return p + 4;
}

/* http://hN/vS[.mp4][/range/A-B][?query] or file:///vS.mp4 */
static void read_media_url(struct drv *d, struct drv_request *r, const char *path)
{
    const char *p = path + 2;
    r->stream = (int32_t)number(&p);
    assert_true(r->stream < DRV_STREAMS);
    r->window = (struct cad_range){-1, -1};
    if (*p == '-') {
        p = read_window(d, r, p);
        assert_string_equal(p, "");
        return;
    }
    if (strncmp(p, ".mp4", 4) == 0) p += 4;
    if (strncmp(p, "/range/", 7) == 0) {
        p += 7;
        r->range.first = number(&p);
        assert_int_equal(*p, '-');
        p++;
        r->range.last = number(&p);
        assert_false(r->range_in_header);
    }
    if (strncmp(p, "?o=", 3) == 0) r->generation = check_query(p);
    else if (strncmp(p, "?g=", 3) == 0) r->generation = (uint32_t)atoi(p + 3);
    else assert_string_equal(p, "");
    check_range(d, r);
}

/* http://hN/tD[?query]: a document is asked for whole. */
static void read_text_url(struct drv_request *r, const char *path)
{
    const char *p = path + 2;
    r->document = (int32_t)number(&p);
    assert_true(r->document < DRV_TEXTS);
    assert_int_equal(r->purpose, CAD_PURPOSE_TEXT);
    assert_int_equal(r->range.first, -1);
    if (*p == '?') r->generation = check_query(p);
    else assert_string_equal(p, "");
}

static void read_url(struct drv *d, struct drv_request *r)
{
    const char *p = strstr(r->url, "://");
    assert_non_null(p);
    p += 3;
    const char *path = strchr(p, '/');
    assert_non_null(path);
    copy_text(r->host, sizeof r->host, p, (size_t)(path - p));
    r->stream = -1;
    r->server = -1;
    r->document = -1;
    if (r->host[0] == 'h' && r->host[1] >= '0' && r->host[1] <= '9') r->server = r->host[1] - '0';
    if (path[1] == 'v' && path[2] >= '0' && path[2] <= '9') read_media_url(d, r, path);
    else if (path[1] == 't' && path[2] >= '0' && path[2] <= '9') read_text_url(r, path);
    else r->service = true;
}

/* ---- the byte map ---------------------------------------------------------------------------- */

static int64_t last_byte_of(const struct drv *d, const struct drv_request *r)
{
    int64_t end = d->stream[r->stream].size_bytes - 1;
    if (r->range.first < 0 || r->range.last < 0) return end;
    return CAD_MIN(r->range.last, end);
}

static void mark_asked(struct drv *d, struct drv_request *r)
{
    int64_t first = CAD_MAX(r->range.first, 0);
    uint8_t *map = d->asked[r->stream];
    for (int64_t i = first; i <= last_byte_of(d, r); i++) {
        if (map[i]) {
            d->bytes_twice++;
            if (d->strict_bytes) {
                fail_msg("byte %" PRId64 " of stream %d asked for again: %s", i, r->stream, r->url);
            }
        }
        map[i] = 1;
    }
}

/* What did not come, or was of no use, is nobody's any more. */
static void unmark_rest(struct drv *d, const struct drv_request *r)
{
    if (r->stream < 0) return;
    bool useless = r->text || r->answer.fault == DRV_SHIFTED || r->answer.fault == DRV_WHOLE;
    int64_t from = CAD_MAX(r->range.first, 0) + (useless ? 0 : r->sent);
    for (int64_t i = from; i <= last_byte_of(d, r); i++) d->asked[r->stream][i] = 0;
}

void drv_net_forget(struct drv *d)
{
    for (uint32_t i = 0; i < DRV_STREAMS; i++) {
        memset(d->asked[i], 0, (size_t)d->stream[i].size_bytes);
    }
}

/* ---- start and cancel ------------------------------------------------------------------------ */

static struct drv_request *find(struct drv *d, uint32_t id)
{
    for (uint32_t i = d->request_count; i > 0; i--) {
        if (d->requests[i - 1].id == id) return &d->requests[i - 1];
    }
    return NULL;
}

static void read_headers(struct drv_request *r, const struct cad_http_start *start)
{
    for (uint32_t i = 0; i < start->header_count; i++) {
        const struct cad_header *h = &start->headers[i];
        if (h->name.n == 12 && (h->name.p[0] | 0x20) == 'c') {
            copy_text(r->content_type, sizeof r->content_type, h->value.p, h->value.n);
        }
    }
}

static struct drv_answer by_rule(struct drv *d, const struct drv_request *r)
{
    for (uint32_t i = 0; i < d->rule_count; i++) {
        struct drv_rule *rule = &d->rules[i];
        if (rule->left <= 0 || (r->stream < 0 && r->document < 0)) continue;
        if (rule->server >= 0 && rule->server != r->server) continue;
        if (rule->stream >= 0 && rule->stream != r->stream) continue;
        if (r->document < 0 && r->range.first < rule->first_min) continue;
        if (r->document >= 0 && rule->answer.fault >= DRV_SHIFTED &&
            rule->answer.fault != DRV_SHORT) {
            continue; /* of ranges */
        }
        rule->left--;
        return rule->answer;
    }
    return (struct drv_answer){.fault = DRV_SERVE};
}

void drv_net_start(struct drv *d, const struct cad_http_start *start)
{
    assert_true(start->id != 0);
    assert_null(find(d, start->id));
    assert_true(d->request_count < DRV_REQUESTS_MAX);
    assert_true(start->priority <= 7);
    assert_true(start->size_max > 0);
    struct drv_request *r = &d->requests[d->request_count++];
    *r = (struct drv_request){
        .id = start->id, .purpose = start->purpose, .post = start->post, .range = start->range,
        .range_in_header = start->range.first >= 0, .priority = start->priority,
        .group = start->group, .size_max = start->size_max, .deadline = start->deadline,
        .connect_timeout = start->connect_timeout, .silence_timeout = start->silence_timeout,
        .address_max = start->address_max, .started = d->now, .turn = d->turns, .open = true,
        .first_byte = CAD_TIME_NONE, .last_byte = CAD_TIME_NONE};
    copy_text(r->url, sizeof r->url, start->url.p, start->url.n);
    if (start->post) {
        r->body = drv_malloc(start->body.n + 1);
        copy_text(r->body, start->body.n + 1, start->body.p, start->body.n);
        drv_entropy(d, 64);
    }
    read_headers(r, start);
    read_url(d, r);
    r->answer = d->script ? d->script(d, r) : by_rule(d, r);
    if (r->stream >= 0) mark_asked(d, r);
}

void drv_net_cancel(struct drv *d, uint32_t id)
{
    struct drv_request *r = find(d, id);
    assert_non_null(r);
    /* An end that is queued while a cancel is on its way crosses it: that is no mistake. */
    d->cancels++;
    if (!r->open) return;
    r->open = false;
    r->cancelled = true;
    unmark_rest(d, r);
}

void drv_net_warm(struct drv *d, const struct cad_http_warm *warm)
{
    assert_true(d->warm_count < DRV_WARMS_MAX);
    assert_true(warm->connect_timeout > 0);
    struct drv_warm *w = &d->warms[d->warm_count++];
    *w = (struct drv_warm){
        .at = d->now, .requests = d->request_count,
        .connections = warm->connections, .address_max = warm->address_max};
    copy_text(w->url, sizeof w->url, warm->url.p, warm->url.n);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void feed_end(struct drv *d, struct drv_request *r, enum cad_http_class cls)
{
    struct cad_event event = {.type = CAD_EVENT_HTTP_END};
    event.u.end = (struct cad_http_end){
        .id = r->id, .cls = cls, .edge_code = cls == CAD_HTTP_OK ? 0 : 7,
        .dns = CAD_TIME_NONE, .connect = CAD_TIME_NONE, .tls = CAD_TIME_NONE,
        .first_byte = r->first_byte, .last_byte = r->last_byte, .reused = true};
    r->open = false;
    r->ended_ok = cls == CAD_HTTP_OK;
    unmark_rest(d, r);
    drv_feed(d, &event);
}

/* The body of an answer: total and origin, or text. */
static int32_t prepare(struct drv *d, struct drv_request *r)
{
    if (r->answer.fault == DRV_STATUS) { /* a body of its own */
        r->text = drv_malloc(sizeof BODY_REFUSED);
        memcpy(r->text, BODY_REFUSED, sizeof BODY_REFUSED);
        r->total = (int64_t)strlen(BODY_REFUSED);
        return (int32_t)r->answer.value;
    }
    if (r->document >= 0) {
        r->text = drv_document(r->document);
        r->total = (int64_t)strlen(r->text);
        return 200;
    }
    if (r->purpose == CAD_PURPOSE_LICENCE) {
        r->text = drv_licence_text(d);
        r->total = (int64_t)strlen(r->text);
        return 200;
    }
    if (r->service) {
        r->text = d->manifest ? drv_malloc(strlen(d->manifest) + 1) : drv_manifest_text(d);
        if (d->manifest) memcpy(r->text, d->manifest, strlen(d->manifest) + 1);
        r->total = (int64_t)strlen(r->text);
        d->manifests++;
        return 200;
    }
    bool whole = r->range.first < 0 || r->answer.fault == DRV_WHOLE;
    if (r->window.first >= 0) {
        r->origin = whole ? r->window.first : r->range.first;
        r->total = (whole ? r->window.last : last_byte_of(d, r)) + 1 - r->origin;
        return !whole && r->range_in_header ? 206 : 200;
    }
    r->origin = whole ? 0 : r->range.first;
    r->total = (whole ? d->stream[r->stream].size_bytes : last_byte_of(d, r) + 1) - r->origin;
    if (r->answer.fault == DRV_ELSEWHERE) r->origin = r->answer.value;
    return !whole && r->range_in_header ? 206 : 200;
}

static void feed_head(struct drv *d, struct drv_request *r)
{
    int32_t status = prepare(d, r);
    struct cad_event event = {.type = CAD_EVENT_HTTP_HEAD};
    event.u.head = (struct cad_http_head){
        .id = r->id, .status = status, .length = r->total, .range = {-1, -1}, .total = -1,
        .retry_after = CAD_TIME_NONE};
    struct cad_http_head *head = &event.u.head;
    if (status == 206 && r->stream >= 0) {
        int64_t from = r->origin - CAD_MAX(r->window.first, 0);
        head->range = (struct cad_range){from, from + r->total - 1};
        head->total = d->stream[r->stream].size_bytes;
    }
    if (r->answer.fault == DRV_SHIFTED) {
        head->status = 206;
        head->range = (struct cad_range){r->origin + 1, r->origin + r->total};
        head->total = d->stream[r->stream].size_bytes;
    }
    bool whole = r->answer.fault == DRV_WHOLE && r->range_in_header;
    if (r->answer.fault == DRV_SHORT || whole) head->length = -1;
    if (r->answer.has_date) head->date_ms = drv_server_ms(d) / 1000 * 1000;
    head->address = r->answer.address;
    if (r->answer.location) head->location = cad_str_from(r->answer.location);
    if (r->answer.retry_after > 0) head->retry_after = r->answer.retry_after;
    r->head_sent = true;
    drv_feed(d, &event);
}

/* Bytes of the body at `at`: copied to out, or (1) a hole. */
static int read_body(struct drv *d, struct drv_request *r, uint8_t *out, size_t n, size_t *done)
{
    *done = n;
    if (r->text) {
        memcpy(out, r->text + r->sent, n);
        return 0;
    }
    if (r->answer.fault == DRV_GARBAGE && r->origin + r->sent >= r->answer.value) {
        memset(out, 0xAA, n);
        return 0;
    }
    int64_t limit = r->answer.fault == DRV_GARBAGE ? r->answer.value - r->origin - r->sent
                                                   : INT64_MAX;
    if ((int64_t)n > limit) n = (size_t)limit;
    int64_t at = r->origin + r->sent, header_left = d->stream[r->stream].header_bytes - at;
    if (header_left > 0) {
        *done = CAD_MIN(n, (size_t)header_left);
        memcpy(out, d->header[r->stream] + at, *done);
        return 0;
    }
    struct cad_range bytes = {r->origin + r->sent, r->origin + r->sent + (int64_t)n - 1};
    uint32_t source = CAD_MIN((uint32_t)r->stream, DRV_AUDIO);
    int rc = cad_synth_read(d->synth, source, bytes, out, done);
    assert_true(rc == 0 || rc == 1);
    assert_true(*done > 0);
    return rc;
}

/* Up to n bytes into the engine. 0, or what the engine's door said. */
static int deliver(struct drv *d, struct drv_request *r, int64_t n)
{
    while (n > 0) {
        uint8_t *data = NULL;
        size_t capacity = 0, done = 0;
        int rc = cad_engine_lease(d->engine, r->id, (size_t)n, &data, &capacity);
        if (rc) return rc;
        assert_true(capacity >= 1 && capacity <= (size_t)n);
        int hole = read_body(d, r, data, capacity, &done);
        rc = hole ? cad_engine_commit_hole(d->engine, r->id, done, d->now)
                  : cad_engine_commit(d->engine, r->id, done, d->now);
        if (rc) return rc;
        if (r->first_byte == CAD_TIME_NONE) r->first_byte = d->now;
        r->last_byte = d->now;
        r->sent += (int64_t)done;
        n -= (int64_t)done;
        d->due = true;
        if (r->stream >= 0) d->bytes_media += done;
    }
    return 0;
}

/* Where the script lets the body break; total where it does not. */
static int64_t body_limit(const struct drv_request *r)
{
    enum drv_fault fault = r->answer.fault;
    if (fault == DRV_CUT || fault == DRV_SILENT) return CAD_MIN(r->answer.value, r->total);
    if (fault == DRV_SHORT) return CAD_MAX(r->total - r->answer.value, 0);
    return r->total;
}

static bool finish(struct drv *d, struct drv_request *r)
{
    if (r->answer.fault == DRV_SILENT && r->answer.value < r->total) return false;
    bool cut = r->answer.fault == DRV_CUT && r->answer.value < r->total;
    feed_end(d, r, cut ? CAD_HTTP_RESET : CAD_HTTP_OK);
    return true;
}

/* One request; share: bytes it may have. true: something happened. */
static bool serve(struct drv *d, struct drv_request *r, int64_t share)
{
    if (r->answer.fault == DRV_CLASS) {
        feed_end(d, r, (enum cad_http_class)r->answer.value);
        return true;
    }
    if (r->answer.fault == DRV_SILENT && r->answer.value < 0) return false;
    if (r->address_max != CAD_ADDRESS_UNKNOWN && r->answer.address > r->address_max) {
        feed_end(d, r, CAD_HTTP_ADDRESS);
        return true;
    }
    bool moved = !r->head_sent;
    if (!r->head_sent) feed_head(d, r);
    /* A length that was told is refused at once, else when the limit is reached. */
    bool told = r->answer.fault != DRV_WHOLE || !r->range_in_header;
    if (r->total > r->size_max && (told || r->sent >= r->size_max)) {
        feed_end(d, r, CAD_HTTP_TOO_LARGE);
        return true;
    }
    int64_t n = CAD_MIN(share, CAD_MIN(body_limit(r), r->size_max) - r->sent);
    if (n > 0) {
        int rc = deliver(d, r, n);
        moved = true;
        if (rc == CAD_E_STALE) {
            r->open = false;
            r->stale = true;
            unmark_rest(d, r);
            return true;
        }
        if (rc) {
            feed_end(d, r, rc == CAD_E_LIMIT ? CAD_HTTP_TOO_LARGE : CAD_HTTP_RESET);
            return true;
        }
    }
    if (r->sent >= body_limit(r)) moved = finish(d, r) || moved;
    return moved;
}

static bool is_moving(const struct drv *d, const struct drv_request *r)
{
    if (!r->open || d->now < r->started + d->options.latency) return false;
    if (r->answer.fault != DRV_SILENT) return true;
    return r->answer.value >= 0 && (!r->head_sent || r->sent < body_limit(r));
}

void drv_net_tick(struct drv *d)
{
    d->credit = d->options.rate_bps / 8 * DRV_TICK / CAD_SECOND;
}

bool drv_net_pump(struct drv *d)
{
    if (d->offline) return false;
    uint32_t moving = 0;
    for (uint32_t i = 0; i < d->request_count; i++) moving += is_moving(d, &d->requests[i]);
    bool any = false;
    int64_t share = INT64_MAX;
    if (d->options.rate_bps > 0) share = moving ? d->credit / moving : 0;
    for (uint32_t i = 0; i < d->request_count; i++) {
        struct drv_request *r = &d->requests[i];
        if (!is_moving(d, r)) continue;
        int64_t before = r->sent;
        any = serve(d, r, share) || any;
        if (d->options.rate_bps > 0) d->credit -= r->sent - before;
    }
    return any;
}
