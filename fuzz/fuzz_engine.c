/*
 * fuzz_engine.c - a byte string drives a whole engine: commands, answers, reports, pulls and time.
 *
 * The first 4 bytes configure (seed, buffer and what there is around it, which allocation fails),
 * then come operations: one byte, its lower 4 bits say what (enum op), the upper 4 are a small
 * argument, and further bytes follow where the operation takes them. SERVE answers as a true server
 * would (the mocks over a synthesized title), whole or in pieces or with a byte changed; HEAD, BODY
 * and END answer with whatever the input says. Beside the service's title there is the same one as
 * a DASH presentation: four periods, addressed in three ways, two languages, one period without
 * sound. Both exist clear and under protection, with a CDM, subtitles and the services around
 * playback (engine_edges.h). The engine checks its invariants after every turn; at the end nothing
 * may be left allocated.
 *
 * What the caller of an engine owes is kept: time does not go back, no more is committed than
 * leased, anchors are not from the future, nothing is said of a request after its end.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cadmium/engine.h"

#include "base/base64.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/exchange.h"
#include "engine_edges.h"
#include "mock/mock_licence.h"
#include "mock/mock_synth.h"
#include "support/failing_alloc.h"

#define INPUT_MAX 8192
#define REQUESTS_MAX 48
#define URL_MAX 1024
#define TURNS_MAX 64          /* turns in a row while the engine says there is more */
#define PULLS_MAX 64
#define SERVE_MAX (1 << 20)   /* bytes of a body that one operation hands over */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum op {
    OP_RUN, OP_LOAD, OP_PLAY, OP_PAUSE, OP_SEEK, OP_STOP, OP_SERVE, OP_SERVE_ALL, OP_HEAD, OP_BODY,
    OP_END, OP_ANCHOR, OP_LEVEL, OP_PULL, OP_DEVICE, OP_SERVE_BAD
};

struct request {
    uint32_t id;
    bool live, asked;
    struct cad_range range;
    bool post;
    char host[128];
    char path[URL_MAX];
    uint8_t *body;           /* of a POST; freed with the request */
    size_t body_n;
    struct cad_origin_answer answer;
    int64_t sent;
    uint32_t stream;         /* of the presentation: where its bytes lie */
    int64_t origin;
    const struct cad_synth *synth; /* and whose they are */
};

/* A title: its files, and a presentation of them. */
struct title {
    struct cad_synth *synth;
    char mpd[16384];
};

struct fuzz {
    struct input input;
    uint8_t seed, goal;      /* of the configuration */
    struct cad_failing failing;
    struct cad_engine *engine;
    struct edges edges;
    const struct title *title;
    struct mock_synth *origin;
    cad_time now;
    uint32_t epoch;          /* of the last flush or configuration */
    cad_time position;
    struct request requests[REQUESTS_MAX];
    uint32_t last_id;        /* of media and what leads to it */
    uint32_t last_other[2];  /* of what is around playback, and of probes */
    bool broken;             /* the engine said so: nothing more is asked of it */
};

static struct title titles[2]; /* clear, protected; made once, read-only afterwards */

/* ---- input --------------------------------------------------------------------------------- */

static uint32_t take(struct fuzz *f, size_t bytes)
{
    return input_take(&f->input, bytes);
}

static cad_time take_time(struct fuzz *f)
{
    return input_time(&f->input);
}

static struct request *pick(struct fuzz *f, uint32_t k)
{
    uint32_t live = 0;
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) live += f->requests[i].live;
    if (live == 0) return NULL;
    k %= live;
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
        if (f->requests[i].live && k-- == 0) return &f->requests[i];
    }
    return NULL;
}

static void feed(struct fuzz *f, const struct cad_event *event)
{
    /* A full queue and no memory are answers like others; the event is lost, as on a bad day. */
    if (cad_engine_feed(f->engine, event)) return;
}

/* ---- requests ------------------------------------------------------------------------------ */

static void forget(struct request *r)
{
    if (r->answer.release) r->answer.release(r->answer.token);
    memset(&r->answer, 0, sizeof(r->answer));
    free(r->body);
    r->body = NULL;
    r->live = false;
}

/* Never 0, never again: each of the three sorts counts by itself. */
static void check_id(struct fuzz *f, const struct cad_http_start *s)
{
    bool probe = s->purpose == CAD_PURPOSE_PROBE;
    bool other = probe || s->purpose == CAD_PURPOSE_EVENT || s->purpose == CAD_PURPOSE_LOG;
    uint32_t *last = other ? &f->last_other[probe] : &f->last_id;
    if (exchange_is(s->id) != other || s->id <= *last) abort();
    *last = s->id;
}

/* What is given can be read. */
static void touch(cad_str text)
{
    volatile char last = text.n ? text.p[text.n - 1] : 0;
    CAD_UNUSED(last);
}

static void start(struct fuzz *f, const struct cad_http_start *start_)
{
    struct request *r = NULL;
    for (uint32_t i = 0; i < REQUESTS_MAX && !r; i++) {
        if (!f->requests[i].live) r = &f->requests[i];
    }
    check_id(f, start_);
    for (uint32_t i = 0; i < start_->header_count; i++) touch(start_->headers[i].value);
    if (!r) return; /* a transport that has lost it: no word ever comes */
    memset(r, 0, offsetof(struct request, host));
    r->id = start_->id;
    r->live = true;
    r->post = start_->post;
    r->range = start_->range;
    r->sent = 0;
    ptrdiff_t mark = cad_str_find(start_->url, CAD_STR("://"));
    cad_str rest = cad_str_sub(start_->url, mark < 0 ? 0 : (size_t)mark + 3, start_->url.n);
    ptrdiff_t slash = cad_str_find_char(rest, '/');
    size_t host = slash < 0 ? rest.n : (size_t)slash;
    cad_str_copyz(r->host, sizeof(r->host), cad_str_sub(rest, 0, host));
    cad_str_copyz(r->path, sizeof(r->path), cad_str_sub(rest, host, rest.n));
    r->body_n = start_->body.n;
    if (r->body_n == 0) return;
    r->body = malloc(r->body_n);
    if (!r->body) abort();
    memcpy(r->body, start_->body.p, r->body_n);
}

static void cancel(struct fuzz *f, uint32_t id)
{
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
        if (f->requests[i].live && f->requests[i].id == id) forget(&f->requests[i]);
    }
}

static void end(struct fuzz *f, struct request *r, enum cad_http_class cls)
{
    struct cad_event e = {.type = CAD_EVENT_HTTP_END};
    e.u.end = (struct cad_http_end){
        .id = r->id, .cls = cls, .dns = CAD_TIME_NONE, .connect = CAD_TIME_NONE,
        .tls = CAD_TIME_NONE, .first_byte = f->now, .last_byte = f->now, .reused = true};
    feed(f, &e);
    forget(r);
}

/* Hand n bytes over; p NULL: a hole. False: the request is over. */
static bool commit(struct fuzz *f, struct request *r, const uint8_t *p, size_t n)
{
    while (n > 0) {
        int err;
        size_t done = n;
        if (p) {
            uint8_t *data;
            size_t capacity;
            err = cad_engine_lease(f->engine, r->id, n, &data, &capacity);
            if (!err) {
                if (capacity == 0 || capacity > n) abort();
                done = capacity;
                memcpy(data, p, done);
                p += done;
                err = cad_engine_commit(f->engine, r->id, done, f->now);
            }
        } else {
            err = cad_engine_commit_hole(f->engine, r->id, n, f->now);
        }
        if (err == CAD_E_STALE) {
            forget(r);
            return false;
        }
        if (err) {
            end(f, r, err == CAD_E_LIMIT ? CAD_HTTP_TOO_LARGE : CAD_HTTP_RESET);
            return false;
        }
        n -= done;
        r->sent += (int64_t)done;
    }
    return true;
}

/* ---- the title as DASH --------------------------------------------------------------------- */

#define STREAMS 3            /* two of picture, one of sound; sound again as number 3 */
#define SEGMENT_MS 2000

static uint32_t source_of(uint32_t stream)
{
    return CAD_MIN(stream, STREAMS - 1);
}

/* The data that a CDM makes a request of, and perhaps a service to ask. */
static size_t put_pssh(char *to, size_t room, const uint8_t *kid, bool service)
{
    uint8_t pssh[MOCK_PSSH_BYTES(1)];
    char text[128];
    size_t n = 0;
    mock_pssh_write((const uint8_t(*)[CAD_KEY_ID_SIZE])kid, 1, pssh);
    if (cad_base64_encode((cad_buf){pssh, sizeof(pssh)}, 0, text, sizeof(text), &n)) abort();
    return (size_t)snprintf(to, room,
        "<ContentProtection schemeIdUri=\"urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b\">"
        "<cenc:pssh>%.*s</cenc:pssh>%s</ContentProtection>", (int)n, text,
        service ? "<dashif:laurl>http://cdn2/license?of=set</dashif:laurl>" : "");
}

/* Its key id; and but for one way the rest, so that some keys are asked for by their ids alone. */
static size_t put_protection(char *to, size_t room, const struct cad_synth_stream *s, uint32_t way)
{
    const uint8_t *k = s->kid;
    if (s->scheme == CAD_SCHEME_CLEAR) return 0;
    int n = snprintf(to, room,
        "<ContentProtection schemeIdUri=\"urn:mpeg:dash:mp4protection:2011\" value=\"cbcs\" "
        "cenc:default_KID=\"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
        "%02x%02x%02x%02x%02x%02x\"/>",
        k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7], k[8], k[9], k[10], k[11], k[12], k[13],
        k[14], k[15]);
    if (way != 2) n += (int)put_pssh(to + n, room - (size_t)n, k, way == 1);
    return (size_t)n;
}

struct set {
    uint32_t stream, way, from_ms;
};

static size_t put_set(char *to, size_t room, const struct cad_synth *synth, const struct set *set)
{
    uint32_t stream = set->stream, way = set->way, from_ms = set->from_ms;
    struct cad_synth_stream s;
    if (cad_synth_stream_at(synth, source_of(stream), &s)) abort();
    bool sound = stream >= STREAMS - 1;
    int n = snprintf(to, room,
        "<AdaptationSet contentType=\"%s\" mimeType=\"%s/mp4\" codecs=\"%s\" lang=\"%s\">",
        sound ? "audio" : "video", sound ? "audio" : "video", sound ? "mp4a.40.2" : "avc1.64001f",
        stream == 3 ? "de" : "en");
    n += (int)put_protection(to + n, room - (size_t)n, &s, way);
    n += snprintf(to + n, room - (size_t)n, "<Representation id=\"r%u\" bandwidth=\"%u\">", stream,
                  (unsigned)s.rate_bps);
    char *at = to + n;
    size_t left = room - (size_t)n;
    if (way == 0) {
        n = snprintf(at, left, "<BaseURL>/v%u.mp4</BaseURL><SegmentBase timescale=\"1000\" "
            "presentationTimeOffset=\"%u\" indexRange=\"%u-%u\"/>", stream, from_ms,
            (unsigned)s.sidx.first, (unsigned)s.sidx.last);
    } else {
        n = snprintf(at, left, "<SegmentTemplate timescale=\"1000\" startNumber=\"%u\" "
            "presentationTimeOffset=\"%u\" initialization=\"/v%u-i.mp4\" media=\"/v%u-%s.m4s\"%s>"
            "%s</SegmentTemplate>", from_ms / SEGMENT_MS, from_ms, stream, stream,
            way == 1 ? "n$Number$" : "t$Time$", way == 1 ? " duration=\"2000\"" : "",
            way == 1 ? "" : "<SegmentTimeline><S t=\"0\" d=\"2000\" r=\"-1\"/></SegmentTimeline>");
    }
    left -= (size_t)n;
    at += n;
    at += snprintf(at, left, "</Representation></AdaptationSet>");
    return (size_t)(at - to);
}

static void make_mpd(struct title *t)
{
    static const uint32_t starts_ms[] = {0, 8000, 15000, 21500};
    size_t n = (size_t)snprintf(t->mpd, sizeof(t->mpd),
        "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" xmlns:cenc=\"urn:mpeg:cenc:2013\" "
        "xmlns:dashif=\"https://dashif.org/CPS\" type=\"static\" "
        "mediaPresentationDuration=\"PT30S\" minBufferTime=\"PT2S\">");
    for (uint32_t i = 0; i < CAD_ARRAY_LEN(starts_ms); i++) {
        uint32_t at = starts_ms[i];
        n += (size_t)snprintf(t->mpd + n, sizeof(t->mpd) - n, "<Period start=\"PT%u.%03uS\">",
                              at / 1000, at % 1000);
        for (uint32_t k = 0; k < 4; k++) {
            if (k == 1 || (i == 2 && k >= 2)) continue; /* one rung; the third has no sound */
            n += put_set(t->mpd + n, sizeof(t->mpd) - n, t->synth,
                         &(struct set){k, (i + k) % 3, at});
        }
        n += (size_t)snprintf(t->mpd + n, sizeof(t->mpd) - n, "</Period>");
    }
    n += (size_t)snprintf(t->mpd + n, sizeof(t->mpd) - n, "</MPD>");
    if (n >= sizeof(t->mpd)) abort();
}

static int read_dash(void *token, int64_t offset, size_t n, uint8_t *out, size_t *done)
{
    const struct request *r = token;
    struct cad_range bytes = {r->origin + offset, r->origin + offset + (int64_t)n - 1};
    return cad_synth_read(r->synth, r->stream, bytes, out, done);
}

/* The bytes of a file that a path of the presentation means; false: there is no such thing. */
static bool window_of(const struct request *r, const char *p, struct cad_range *out)
{
    struct cad_synth_stream s;
    struct cad_synth_segment seg;
    if (cad_synth_stream_at(r->synth, r->stream, &s)) abort();
    *out = (struct cad_range){0, s.size_bytes - 1};
    if (*p == '.') return true;
    if (strncmp(p, "-i", 2) == 0) {
        out->last = s.header_bytes - 1;
        return true;
    }
    int64_t at = s.header_bytes;
    int64_t wanted = strtoll(p + 2, NULL, 10);
    for (int64_t i = 0; at < s.size_bytes; i++) {
        if (cad_synth_segment_at(r->synth, r->stream, at, &seg)) return false;
        *out = seg.bytes;
        if (p[1] == 'n' ? i == wanted : seg.start / CAD_MS == wanted) return true;
        at = seg.bytes.last + 1;
    }
    return false;
}

/* False: it is not for this origin. */
static bool answer_dash(const struct fuzz *f, struct request *r)
{
    struct cad_range window;
    struct cad_origin_answer *a = &r->answer;
    if (strcmp(r->path, "/title.mpd") == 0) {
        cad_str mpd = cad_str_from(f->title->mpd);
        *a = (struct cad_origin_answer){.status = 200, .body = cad_buf_from_str(mpd)};
        a->body_size = (int64_t)a->body.n;
        return true;
    }
    if (r->path[0] != '/' || r->path[1] != 'v' || !cad_is_digit(r->path[2])) return false;
    r->stream = source_of((uint32_t)(r->path[2] - '0'));
    r->synth = f->title->synth;
    a->status = 404;
    if (!window_of(r, r->path + 3, &window)) return true;
    r->origin = window.first + CAD_MAX(r->range.first, 0);
    int64_t last = r->range.last < 0 ? window.last
                                     : CAD_MIN(window.first + r->range.last, window.last);
    if (last < r->origin) return true;
    a->status = r->range.first >= 0 ? 206 : 200;
    a->body_size = last - r->origin + 1;
    a->read = read_dash;
    a->token = r;
    return true;
}

static void ask(struct fuzz *f, struct request *r)
{
    struct cad_origin_request request = {
        .method = r->post ? CAD_STR("POST") : CAD_STR("GET"), .host = cad_str_from(r->host),
        .path = cad_str_from(r->path), .body = {r->body, r->body_n}, .range = r->range,
        .now_ms = 1700000000000 + f->now / CAD_MS};
    memset(&r->answer, 0, sizeof(r->answer));
    r->asked = true;
    bool done = edges_serve(&f->edges, &request, &r->answer) ||
                (is_locked(f->edges.variant) && edges_file(&request, &r->answer));
    if (!done && !answer_dash(f, r) &&
        mock_synth_ops()->serve(f->origin, &request, &r->answer)) {
        r->answer.status = 500;
    }
    struct cad_event e = {.type = CAD_EVENT_HTTP_HEAD};
    e.u.head = (struct cad_http_head){
        .id = r->id, .status = r->answer.status, .length = r->answer.body_size,
        .range = {-1, -1}, .total = -1, .retry_after = CAD_TIME_NONE,
        .headers = r->answer.headers, .header_count = r->answer.header_count};
    feed(f, &e);
}

/* Hand over up to `most` bytes of the true answer; byte `change` of it (if there) inverted. */
static void serve(struct fuzz *f, struct request *r, int64_t most, int64_t change)
{
    static uint8_t bytes[SERVE_MAX];
    if (!r->asked) {
        ask(f, r);
        if (!r->answer.read) {
            /* A whole body lives until the origin is asked again: it goes over at once. */
            size_t n = CAD_MIN(r->answer.body.n, sizeof(bytes));
            if (n) memcpy(bytes, r->answer.body.p, n);
            if (change >= 0 && (size_t)change < n) bytes[change] = (uint8_t)~bytes[change];
            if (commit(f, r, bytes, n)) end(f, r, CAD_HTTP_OK);
            return;
        }
    }
    if (!r->answer.read) return;
    most = CAD_MIN(most, SERVE_MAX);
    while (most > 0 && r->sent < r->answer.body_size) {
        size_t done = 0;
        size_t n = (size_t)CAD_MIN(most, r->answer.body_size - r->sent);
        int kind = r->answer.read(r->answer.token, r->sent, n, bytes, &done);
        if (kind < 0 || done == 0) break;
        if (kind == 0 && change >= r->sent && change < r->sent + (int64_t)done) {
            bytes[change - r->sent] = (uint8_t)~bytes[change - r->sent];
        }
        if (!commit(f, r, kind == 1 ? NULL : bytes, done)) return;
        most -= (int64_t)done;
    }
    if (r->sent >= r->answer.body_size) end(f, r, CAD_HTTP_OK);
}

/* Some of the header lines that a head tells, each with whatever is in it. */
static void tell_headers(struct fuzz *f, struct cad_header *told, struct cad_http_head *h)
{
    static const char *const names[CAD_HTTP_HEADERS_MAX] = {
        "via", "x-ftl-probe-data", "x-ftl-error", "x-ftl-probe-recv-ts", "latency-trace",
        "x-ichnaea", "X-Ichnaea", ""};
    uint32_t v = take(f, 1);
    for (uint32_t i = 0; i < CAD_HTTP_HEADERS_MAX; i++) {
        if (!(v >> i & 1)) continue;
        cad_buf value = input_bytes(&f->input);
        told[h->header_count++] = (struct cad_header){cad_str_from(names[i]),
                                                      {(const char *)value.p, value.n}};
    }
    h->headers = told;
    h->address = (enum cad_address_class)(v % (CAD_ADDRESS_PUBLIC + 1));
}

static void head(struct fuzz *f, struct request *r)
{
    static const int32_t statuses[] = {200, 206, 204, 301, 302, 304, 400, 401,
                                       403, 404, 410, 416, 429, 500, 503, 307};
    struct cad_event e = {.type = CAD_EVENT_HTTP_HEAD};
    uint32_t v = take(f, 1);
    if (!r && v == 0) return;
    e.u.head = (struct cad_http_head){
        .id = r ? r->id : f->last_id + v, .status = statuses[v & 15], .length = -1,
        .range = {-1, -1}, .total = -1, .retry_after = CAD_TIME_NONE};
    if (v & 64) e.u.head.retry_after = (cad_time)v * CAD_SECOND;
    if (v & 16) e.u.head.length = (int32_t)take(f, 4);
    if (v & 32) {
        e.u.head.range.first = (int32_t)take(f, 4);
        e.u.head.range.last = (int32_t)take(f, 4);
        e.u.head.total = (int32_t)take(f, 4);
    }
    char place[URL_MAX + 16] = "http://cdn2/elsewhere";
    /* The same on the other server, which answers; or nowhere, of a request that is gone. */
    if (r) (void)snprintf(place, sizeof(place), "http://cdn2%s", r->path);
    if (v & 128) e.u.head.location = cad_str_from(place);
    struct cad_header told[CAD_HTTP_HEADERS_MAX];
    if (f->edges.variant != PLAIN) tell_headers(f, told, &e.u.head);
    if (r) r->asked = true;
    feed(f, &e);
}

static void body(struct fuzz *f, struct request *r)
{
    size_t n = take(f, 2);
    n = CAD_MIN(n, f->input.n);
    const uint8_t *p = f->input.p;
    f->input.p += n;
    f->input.n -= n;
    if (r) (void)commit(f, r, p, n);
}

/* ---- the device ---------------------------------------------------------------------------- */

static void poll_actions(struct fuzz *f)
{
    struct cad_action a;
    while (cad_engine_poll(f->engine, &a) == 0) {
        switch (a.type) {
        case CAD_ACTION_HTTP_START: start(f, &a.u.start); break;
        case CAD_ACTION_HTTP_WARM: break;
        case CAD_ACTION_CDM_CALL: edges_call(&f->edges, &a.u.cdm, f->now); break;
        case CAD_ACTION_STORE: edges_order(&f->edges, f->engine, &a.u.store); break;
        case CAD_ACTION_HTTP_CANCEL: cancel(f, a.u.cancel.id); break;
        case CAD_ACTION_SINK_CONFIG: f->epoch = a.u.sink.epoch; break;
        case CAD_ACTION_SINK_FLUSH:
            f->epoch = a.u.flush.epoch;
            f->position = a.u.flush.position;
            break;
        case CAD_ACTION_APP_EVENT:
            if (a.u.app.type == CAD_APP_ERROR && a.u.app.error.message[0] == '\0') abort();
            break;
        }
    }
}

/* What an application shows. */
static void look(struct fuzz *f)
{
    struct cad_engine_stats stats;
    struct cad_rung_info rungs[4];
    cad_engine_stats(f->engine, &stats);
    if (cad_engine_rungs(f->engine, rungs, CAD_ARRAY_LEN(rungs)) > CAD_ABR_RUNGS_MAX) abort();
}

static void run(struct fuzz *f)
{
    for (uint32_t i = 0; i < TURNS_MAX; i++) {
        int more = cad_engine_run(f->engine, f->now);
        poll_actions(f);
        if (more < 0) f->broken = true;
        if (more > 0) continue;
        look(f);
        return;
    }
}

static void pass_time(struct fuzz *f, uint32_t argument)
{
    cad_time wake = cad_engine_next_wake(f->engine);
    cad_time step = take_time(f);
    /* Half of the time exactly when the engine wants it. */
    if ((argument & 1) && wake != CAD_TIME_NONE && wake > f->now) step = wake - f->now;
    f->now += CAD_MIN(step, 7200 * CAD_SECOND);
    run(f);
}

/* A sample is protected in whole runs. */
static void check_crypt(const struct cad_sample *s)
{
    uint64_t sum = 0;
    if (!s->crypt || s->crypt->subsample_count == 0) return;
    for (uint32_t i = 0; i < s->crypt->subsample_count; i++) {
        const struct cad_cdm_subsample *sub = &s->crypt->subsamples[i];
        sum += (uint64_t)sub->clear_bytes + sub->cipher_bytes;
    }
    if (sum != s->size) abort();
}

static void pull(struct fuzz *f, uint32_t slot)
{
    for (uint32_t i = 0; i < PULLS_MAX; i++) {
        struct cad_sample sample;
        memset(&sample, 0, sizeof(sample));
        int rc = cad_engine_pull(f->engine, slot, &sample);
        if (rc == 0 && !(sample.flags & CAD_SAMPLE_HOLE) && sample.size > 0) {
            volatile uint8_t last = sample.data[sample.size - 1];
            CAD_UNUSED(last);
        }
        if (rc == 0 && slot == CAD_SLOT_VIDEO) f->position = sample.pts;
        if (rc == 0) check_crypt(&sample);
        cad_ref_unref(&sample.ref);
        cad_ref_unref(&sample.crypt_ref);
        if (rc != 0 && rc != CAD_E_CONFIG) return;
    }
}

static void anchor(struct fuzz *f, uint32_t argument)
{
    struct cad_event e = {.type = CAD_EVENT_SINK_ANCHOR};
    cad_time back = argument & 1 ? take_time(f) : 0;
    e.u.anchor = (struct cad_sink_anchor){
        .epoch = argument & 8 ? take(f, 1) : f->epoch, .media = f->position,
        .at = f->now - CAD_MIN(back, f->now), .rate_q16 = argument & 2 ? 65536 : 0,
        .underrun = (argument & 4) != 0};
    if (argument == 15) e.u.anchor.media = (cad_time)(int32_t)take(f, 4) * INT32_MAX;
    feed(f, &e);
}

static void level(struct fuzz *f, uint32_t argument)
{
    struct cad_event e = {.type = CAD_EVENT_SINK_LEVEL};
    e.u.level = (struct cad_sink_level){
        .epoch = argument & 8 ? take(f, 1) : f->epoch, .first_frame = (argument & 1) != 0,
        .first_frame_pts = f->position, .drained = (argument & 2) != 0, .frames = take(f, 2),
        .dropped = argument & 4 ? take(f, 2) : 0};
    feed(f, &e);
}

/* The CDM, the store and the services: what they have to say, or whatever the input says. */
static void edge(struct fuzz *f, uint32_t argument)
{
    struct edges *x = &f->edges;
    switch (argument) {
    case 5: edges_cdm_false(x, f->engine, &f->input); break;
    case 13: edges_cdm_true(x, f->engine, 1); break;
    case 6: edges_store_false(x, f->engine, &f->input); break;
    case 14: edges_store_true(x, f->engine); break;
    case 7: edges_cdm_true(x, f->engine, 4 + take(f, 1) % 16); break;
    default: edges_mischief(x, take(f, 1)); break;
    }
}

static void device(struct fuzz *f, uint32_t argument)
{
    static const uint8_t entropy[64] = {1, 2, 3};
    struct cad_event e = {.type = CAD_EVENT_ENTROPY};
    e.u.entropy = (cad_buf){entropy, sizeof(entropy)};
    switch (argument & 7) {
    case 0: break;
    case 1:
        e.type = CAD_EVENT_NET_CHANGE;
        e.u.net.online = (argument & 8) != 0;
        break;
    case 2:
        e.type = CAD_EVENT_WALL_OFFSET;
        e.u.wall.offset_ms = (int64_t)(int32_t)take(f, 4) * 1000000;
        e.u.wall.error_ms = 1000;
        break;
    case 3:
        e.type = CAD_EVENT_SINK_CAPS;
        e.u.caps = (struct cad_sink_caps){.codecs = take(f, 2), .width_max = take(f, 1) * 16,
                                          .height_max = 0, .video = argument & 8, .audio = true,
                                          .text = true};
        break;
    case 4:
        e.type = CAD_EVENT_SINK_FAIL;
        memset(&e.u.fail, 0, sizeof(e.u.fail));
        e.u.fail.slot = argument >> 3;
        e.u.fail.error = take(f, 1) & 1 ? CAD_ERR_MEDIA_DECODE : CAD_ERR_SINK_FAILED;
        break;
    default:
        if (f->edges.variant == PLAIN) break;
        edge(f, argument);
        return;
    }
    feed(f, &e);
}

static void name_track(struct fuzz *f, uint32_t i, char name[CAD_TRACK_ID_SIZE])
{
    struct cad_track_info list[16];
    uint32_t n = cad_engine_tracks(f->engine, list, CAD_ARRAY_LEN(list));
    if (n > CAD_TRACK_LIST_MAX) abort();
    if (n) memcpy(name, list[i % CAD_MIN(n, CAD_ARRAY_LEN(list))].id, CAD_TRACK_ID_SIZE);
}

static void command(struct fuzz *f, enum op op, uint32_t argument)
{
    static const char *const urls[] = {"http://cdn1/file.mp4", "http://cdn2/sound.mp4", "ftp://x/",
                                       "http://cdn1/title.mpd",
                                       "http://cdn2/title.mpd"};
    struct cad_event e = {.type = CAD_EVENT_COMMAND};
    struct cad_command *c = &e.u.command;
    *c = (struct cad_command){.ticket = argument, .rung = -1, .title = {.start = CAD_TIME_NONE}};
    c->type = op == OP_PLAY ? CAD_COMMAND_PLAY : op == OP_STOP ? CAD_COMMAND_STOP
                                                               : CAD_COMMAND_PAUSE;
    if (op == OP_PAUSE && (argument == 6 || argument == 7)) {
        c->type = CAD_COMMAND_TRACK; /* none, or one that nobody knows */
        if (argument == 7) c->track[0] = 'x';
    } else if (op == OP_PAUSE && argument >= 8) {
        c->type = CAD_COMMAND_PIN;
        c->rung = (int32_t)(argument - 9);
    } else if (op == OP_PLAY && argument >= 12) {
        c->type = CAD_COMMAND_RATE;
        c->rate_q16 = take(f, 1) << 10;
    } else if (op == OP_PLAY && argument >= 4) {
        c->type = CAD_COMMAND_TRACK;
        name_track(f, argument - 4, c->track);
    } else if (op == OP_SEEK) {
        c->type = CAD_COMMAND_SEEK;
        c->position = argument == 15 ? (cad_time)(int32_t)take(f, 4) * INT32_MAX : take_time(f);
        if (argument == 14) c->position = -c->position;
    } else if (op == OP_LOAD || (op == OP_STOP && argument >= 8)) {
        c->type = op == OP_LOAD ? CAD_COMMAND_LOAD : CAD_COMMAND_PREPARE;
        c->title.base = argument < 10 ? CAD_STR("http://cdn1") : CAD_STR("");
        c->title.id = argument < 9 ? CAD_STR("900100") : CAD_STR("1");
        if (argument >= 10) c->title.url = cad_str_from(urls[argument % CAD_ARRAY_LEN(urls)]);
        if (argument & 1) c->title.start = take_time(f);
    }
    feed(f, &e);
}

/* ---- one input ----------------------------------------------------------------------------- */

static void operate(struct fuzz *f)
{
    uint32_t v = take(f, 1);
    uint32_t argument = v >> 4;
    enum op op = (enum op)(v & 15);
    struct request *r = op >= OP_SERVE ? pick(f, argument) : NULL;
    switch (op) {
    case OP_RUN: pass_time(f, argument); break;
    case OP_LOAD: case OP_PLAY: case OP_PAUSE: case OP_SEEK: case OP_STOP:
        command(f, op, argument);
        break;
    case OP_SERVE:
        if (r) serve(f, r, (int64_t)take(f, 2) * 16, -1);
        break;
    case OP_SERVE_ALL:
        for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
            if (f->requests[i].live) serve(f, &f->requests[i], SERVE_MAX, -1);
        }
        if (argument >= 8) break;
        edges_cdm_true(&f->edges, f->engine, UINT32_MAX);
        edges_store_true(&f->edges, f->engine);
        break;
    case OP_SERVE_BAD:
        if (r) serve(f, r, SERVE_MAX, take(f, 2));
        break;
    case OP_HEAD: head(f, r); break;
    case OP_BODY: body(f, r); break;
    case OP_END:
        if (r) end(f, r, (enum cad_http_class)(take(f, 1) % (CAD_HTTP_ADDRESS + 1)));
        break;
    case OP_ANCHOR: anchor(f, argument); break;
    case OP_LEVEL: level(f, argument); break;
    case OP_PULL: pull(f, argument >= 12 ? CAD_SLOT_TEXT : argument & 1); break;
    case OP_DEVICE: device(f, argument); break;
    }
}

static void make_titles(void)
{
    static uint32_t sizes[] = {3000, 9000, 4000, 12000};
    static struct cad_ladder ladder = {.segment_duration = 2 * CAD_SECOND, .rung_count = 2,
                                       .segment_count = 2, .rate_bps = {14000, 42000},
                                       .height = {360, 720}, .segment_bytes = sizes};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    config.ladder = &ladder;
    config.duration = 30 * CAD_SECOND;
    config.frame_rate = 10;
    config.audio_rate_bps = 16000;
    for (size_t i = 0; i < CAD_ARRAY_LEN(titles); i++) {
        config.scheme = i ? CAD_SCHEME_CBCS : CAD_SCHEME_CLEAR;
        memcpy(config.kid, edges_kids[0], CAD_KEY_ID_SIZE);
        memcpy(config.hd_kid, edges_kids[1], CAD_KEY_ID_SIZE);
        memcpy(config.audio_kid, edges_kids[2], CAD_KEY_ID_SIZE);
        if (cad_synth_create(&alloc, &config, &titles[i].synth)) abort();
        make_mpd(&titles[i]);
    }
    edges_make_files(titles[0].synth, STREAMS - 1);
}

/* A broken invariant says its name before it traps. */
static void log_line(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    CAD_UNUSED(ctx);
    CAD_UNUSED(level);
    CAD_UNUSED(now);
    if (cad_str_starts(line, CAD_STR("engine: invariant"))) {
        (void)fprintf(stderr, "%.*s\n", CAD_STR_ARG(line));
    }
}

/* An engine in the place of what was before: another run of the program finds the same store. */
static int create(struct fuzz *f)
{
    struct cad_engine_config config;
    cad_engine_config_init(&config);
    config.seed = f->seed + 1u;
    config.buffer_ahead = (2 + f->goal) * CAD_SECOND;
    config.alloc = cad_failing_alloc(&f->failing);
    config.ceiling_bytes = 8 << 20;
    config.check = true;
    config.log = (struct cad_log){log_line, NULL, CAD_LOG_ERROR};
    edges_configure(&f->edges, &config);
    int err = cad_engine_create(&config, &f->engine);
    if (err) return err;
    f->last_id = f->last_other[0] = f->last_other[1] = 0;
    edges_caps(&f->edges, f->engine);
    device(f, 0);
    struct cad_event caps = {.type = CAD_EVENT_SINK_CAPS};
    caps.u.caps = (struct cad_sink_caps){.codecs = UINT32_MAX, .video = true, .audio = true,
                                         .text = true, .rate_min_q16 = 32768,
                                         .rate_max_q16 = 131072};
    feed(f, &caps);
    return 0;
}

static void drop(struct fuzz *f)
{
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
        if (f->requests[i].live) forget(&f->requests[i]);
    }
    cad_engine_destroy(&f->engine);
    if (f->failing.live_blocks != 0 || f->failing.mismatches != 0) abort();
}

static void make_origin(struct fuzz *f)
{
    static const char *const hosts[] = {"cdn1", "cdn2"};
    static const char texts[][16] = {"en", "de"};
    struct cad_scenario_title title = {.id = CAD_STR("900100"), .synth = f->title->synth,
                                       .hosts = hosts, .host_count = 2,
                                       .url_life = 300 * CAD_SECOND, .seed = 1};
    if (f->edges.variant != PLAIN) {
        title.text = texts;
        title.text_count = CAD_ARRAY_LEN(texts);
    }
    if (mock_synth_create(&title, &f->origin)) abort();
}

static void play(struct fuzz *f)
{
    while (f->input.n > 0 && !f->broken) operate(f);
    if (f->broken) return;
    drop(f);
    /* What was kept is found, or is not, by the next one. */
    if (!is_served(f->edges.variant) || create(f) != 0) return;
    for (uint32_t i = 0; i < 4; i++) {
        run(f);
        edges_store_true(&f->edges, f->engine);
        for (uint32_t k = 0; k < REQUESTS_MAX; k++) {
            if (f->requests[k].live) serve(f, &f->requests[k], SERVE_MAX, -1);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4 || size > INPUT_MAX) return 0;
    if (!titles[0].synth) make_titles();
    struct fuzz *f = calloc(1, sizeof(*f));
    if (!f) abort();
    f->input = (struct input){data, size};
    f->seed = (uint8_t)take(f, 1);
    uint32_t v = take(f, 1);
    f->goal = (uint8_t)(v % 60);
    edges_init(&f->edges, (enum variant)(v / 60));
    f->title = &titles[is_locked(f->edges.variant)];
    cad_failing_init(&f->failing, take(f, 2));
    make_origin(f);
    if (create(f) == 0) play(f);
    drop(f);
    mock_synth_destroy(&f->origin);
    edges_deinit(&f->edges);
    free(f);
    return 0;
}
