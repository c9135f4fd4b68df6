/* Events of record: a journal a playback, stored before it is sent, gone when all is taken. */
#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

#include "telemetry/gzip.h"
#include "telemetry/internal.h"
#include "telemetry/retry.h"

#define FAST_TIMEOUT (4 * CAD_SECOND)
#define SLOW_TIMEOUT (10 * CAD_SECOND)
#define CONNECT_TIMEOUT (3 * CAD_SECOND)
#define FAST_WAIT CAD_SECOND
#define SLOW_WAIT (5 * CAD_SECOND)
#define SLOW_WAIT_MAX (300 * CAD_SECOND)
#define ANSWER_MAX 65536   /* bytes of an answer's body that are looked at */
#define DELETE_TRIES 3     /* then the key stays: its events have their old request ids */

/* ---- making events ------------------------------------------------------------------------- */

static void touch(struct tel_journal *j)
{
    j->version++;
}

static void drop_event(struct cad_telemetry *t, struct tel_journal *j, uint32_t i)
{
    struct tel_event *e = &j->d.events[i];
    cad_alloc_free(&t->alloc, e->body, e->body_n, CAD_MEM_SESSION);
    j->d.event_count--;
    memmove(e, e + 1, (j->d.event_count - i) * sizeof(*e));
    touch(j);
}

static size_t bytes_of(const struct tel_journal *j)
{
    size_t n = 0;
    for (uint32_t i = 0; i < j->d.event_count; i++) n += j->d.events[i].body_n;
    return n;
}

/* Which event goes first when there are too many: keepAlives, then all but start and stop; -1. */
static int32_t least_event(const struct tel_journal *j)
{
    int32_t other = -1;
    for (uint32_t i = j->http_id ? 1 : 0; i < j->d.event_count; i++) {
        enum tel_event_type type = j->d.events[i].type;
        if (type == TEL_EVENT_KEEP_ALIVE) return (int32_t)i;
        if (other < 0 && type != TEL_EVENT_START && type != TEL_EVENT_STOP) other = (int32_t)i;
    }
    return other;
}

static bool make_room(struct cad_telemetry *t, struct tel_journal *j, size_t body_n)
{
    while (j->d.event_count == CAD_TELEMETRY_EVENTS_MAX || bytes_of(j) + body_n > TEL_JOURNAL_MAX) {
        int32_t least = least_event(j);
        if (least < 0) return false;
        drop_event(t, j, (uint32_t)least);
        t->stats.events_lost++;
    }
    return true;
}

/* The last event, if it is a keepAlive that nobody has seen: a newer one takes its place. */
static struct tel_event *collapsible(struct tel_journal *j, enum tel_event_type type)
{
    if (type != TEL_EVENT_KEEP_ALIVE || j->d.event_count == 0) return NULL;
    struct tel_event *e = &j->d.events[j->d.event_count - 1];
    return e->type == TEL_EVENT_KEEP_ALIVE && e->attempts == 0 ? e : NULL;
}

/* What t->scratch holds becomes the body of an event of the journal. */
static int append(struct cad_telemetry *t, struct tel_journal *j, enum tel_event_type type,
                  int64_t wall_ms)
{
    cad_str text = cad_sb_str(&t->scratch);
    struct tel_event event = {.type = type, .seq = j->d.seq_next, .wall_ms = wall_ms};
    struct tel_event *old = collapsible(j, type);
    if (text.n > TEL_BODY_MAX) return CAD_E_LIMIT;
    if (!old && !make_room(t, j, text.n)) return CAD_E_LIMIT;
    char *body = cad_alloc_resize(&t->alloc, NULL, 0, text.n, CAD_MEM_SESSION);
    if (!body) return CAD_E_NOMEM;
    int err = 0;
    if (old) {
        memcpy(event.reqid, old->reqid, sizeof(event.reqid));
        event.seq = old->seq;
    } else if (type == TEL_EVENT_STOP) {
        memcpy(event.reqid, j->d.stop_id, sizeof(event.reqid));
    } else {
        err = tel_reqid(t, event.reqid);
    }
    if (err) {
        cad_alloc_free(&t->alloc, body, text.n, CAD_MEM_SESSION);
        return err;
    }
    memcpy(body, text.p, text.n);
    event.body = body;
    event.body_n = text.n;
    touch(j);
    event.version = j->version;
    if (old) {
        cad_alloc_free(&t->alloc, old->body, old->body_n, CAD_MEM_SESSION);
        *old = event;
    } else {
        j->d.events[j->d.event_count++] = event;
        j->d.seq_next++;
        t->stats.events++;
    }
    if (type == TEL_EVENT_STOP) j->d.stopped = true;
    return 0;
}

static struct tel_journal *free_journal(struct cad_telemetry *t, uint32_t spare)
{
    struct tel_journal *found = NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) {
        if (t->journals[i].used) continue;
        if (!found) found = &t->journals[i];
        n++;
    }
    return n > spare ? found : NULL;
}

bool tel_journal_has_room(const struct cad_telemetry *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) n += !t->journals[i].used;
    return n > 2; /* two playbacks of our own can always begin */
}

static void init_journal(struct cad_telemetry *t, struct tel_journal *j)
{
    memset(j, 0, sizeof(*j));
    j->used = true;
    j->gone = true;
    j->send_after = j->put_after = CAD_TIME_NONE;
    cad_sb_init(&j->put, &t->alloc, CAD_MEM_SESSION, CAD_TELEMETRY_VALUE_MAX);
    cad_sb_init(&j->url, &t->alloc, CAD_MEM_SESSION, TEL_URL_MAX);
    cad_sb_init(&j->wire, &t->alloc, CAD_MEM_SESSION, TEL_BODY_MAX + 1024);
}

static void release(struct cad_telemetry *t, struct tel_journal *j)
{
    tel_journal_clear(&j->d, &t->alloc);
    cad_sb_deinit(&j->put);
    cad_sb_deinit(&j->url);
    cad_sb_deinit(&j->wire);
    if (t->journal == j) t->journal = NULL;
    memset(j, 0, sizeof(*j));
}

/* The journal of the playback; its stop has its request id from the beginning. */
static int open_journal(struct cad_telemetry *t)
{
    struct tel_journal *j = free_journal(t, 0);
    if (!j) return CAD_E_LIMIT;
    uint8_t id[TEL_REQID_BYTES];
    char hex[33];
    int err = tel_reqid(t, id);
    if (err) return err;
    init_journal(t, j);
    memcpy(j->d.stop_id, id, sizeof(id));
    j->d.xid = t->xid;
    j->d.title = t->title;
    j->d.link = t->link;
    j->d.started_ms = CAD_MAX(t->play_wall_ms, 0);
    err = tel_event_fixed(t, &j->d);
    if (err) {
        release(t, j);
        return err;
    }
    tel_hex(id, hex);
    struct cad_sb key;
    cad_sb_init_fixed(&key, j->key, sizeof(j->key));
    cad_sb_printf(&key, "pb-%013" PRId64 "-%.16s", j->d.started_ms, hex);
    j->current = true;
    t->journal = j;
    return 0;
}

static int make(struct cad_telemetry *t, const struct tel_owed *o)
{
    int err = 0;
    if (o->type == TEL_EVENT_START && !t->journal) err = open_journal(t);
    if (err) return err;
    struct tel_journal *j = t->journal;
    if (!j) return CAD_E_LIMIT;
    const struct tel_event *old = collapsible(j, o->type);
    err = tel_event_body(t, j, o, old ? old->seq : j->d.seq_next);
    if (err) return err;
    err = append(t, j, o->type, tel_wall_ms(t, o->at));
    if (err) return err;
    j->d.position_ms = CAD_MAX(o->position, 0) / CAD_MS;
    j->d.rendered_ms = t->play.q.rendered / CAD_MS;
    if (o->type == TEL_EVENT_STOP) {
        j->current = false;
        t->journal = NULL;
    }
    return 0;
}

/* Where the events of a playback go; empty: nowhere, as far as is known. */
static cad_str place_of(const struct cad_telemetry *t, const struct tel_link *link)
{
    cad_str url = t->config.event_url.n ? t->config.event_url : cad_str_from(link->p);
    return cad_str_starts(url, CAD_STR("http")) ? url : CAD_STR("");
}

void tel_owe(struct cad_telemetry *t, const struct tel_owed *o)
{
    if (place_of(t, &t->link).n == 0) return;
    if (t->owed_count == TEL_OWED_MAX) {
        t->stats.events_lost++;
        /* A start and a stop are worth more than what lies between. */
        if (o->type != TEL_EVENT_STOP) return;
        t->owed_count--;
    }
    t->owed[t->owed_count++] = *o;
    tel_journal_turn(t);
}

/* An event is too old, or its playback is over and nothing is left of it. */
static void expire(struct cad_telemetry *t, struct tel_journal *j)
{
    int64_t now = tel_wall_ms(t, t->now);
    while (now > 0 && j->d.event_count > 0 && j->http_id == 0) {
        const struct tel_event *e = &j->d.events[0];
        if (e->wall_ms <= 0 || now - e->wall_ms <= TEL_EVENT_KEEP_MS) break;
        drop_event(t, j, 0);
        t->stats.events_expired++;
    }
    bool over = !j->current && j->d.stopped && j->d.event_count == 0;
    if (over && j->gone && !j->put_id && !j->del_id && !j->http_id) release(t, j);
}

void tel_journal_turn(struct cad_telemetry *t)
{
    uint32_t made = 0;
    while (made < t->owed_count) {
        int err = make(t, &t->owed[made]);
        if (err == CAD_E_NOMEM || err == CAD_E_AGAIN) break;
        if (err) t->stats.events_lost++;
        made++;
    }
    t->owed_count -= made;
    memmove(t->owed, t->owed + made, t->owed_count * sizeof(t->owed[0]));
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) {
        if (t->journals[i].used) expire(t, &t->journals[i]);
    }
}

/* ---- what former processes left ------------------------------------------------------------ */

bool tel_journal_has_key(const struct cad_telemetry *t, const char *key)
{
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) {
        if (t->journals[i].used && strcmp(t->journals[i].key, key) == 0) return true;
    }
    return false;
}

int tel_journal_load(struct cad_telemetry *t, const char *key, cad_buf value)
{
    struct tel_journal *j = free_journal(t, 0);
    if (!j) return CAD_E_NOMEM;
    init_journal(t, j);
    int err = tel_journal_read(value, &t->alloc, &j->d);
    if (err) goto fail;
    j->gone = false;
    j->version = j->stored = 1;
    cad_str_copyz(j->key, sizeof(j->key), cad_str_from(key));
    for (uint32_t i = 0; i < j->d.event_count; i++) {
        struct tel_event *e = &j->d.events[i];
        e->attempts = CAD_MAX(e->attempts, 1u); /* it may have been sent before the end came */
        e->version = 1;
    }
    if (!j->d.stopped) {
        err = tel_recovered_body(t, j);
        if (!err) err = append(t, j, TEL_EVENT_STOP, tel_wall_ms(t, t->now));
        if (err) goto fail;
        j->d.events[j->d.event_count - 1].attempts = 1; /* likewise */
        t->stats.events_recovered++;
    }
    return 0;
fail:
    release(t, j);
    return err;
}

/* ---- orders -------------------------------------------------------------------------------- */

static bool put_order(struct cad_telemetry *t, struct tel_journal *j,
                      struct cad_telemetry_order *order)
{
    if (!tel_has_store(t) || j->put_id || j->del_id || j->stored >= j->version) return false;
    if (t->now < j->put_after || (j->d.stopped && j->d.event_count == 0)) return false;
    cad_sb_reset(&j->put);
    tel_journal_write(&j->d, &j->put);
    if (cad_sb_error(&j->put) != 0) {
        j->put_failed = true;
        j->put_after = cad_time_add(t->now, TEL_STORE_AGAIN);
        return false;
    }
    j->put_id = tel_next_id(t);
    j->put_version = j->version;
    j->put_since = t->now;
    j->gone = false;
    *order = (struct cad_telemetry_order){.type = CAD_TELEMETRY_STORE_PUT, .id = j->put_id,
        .key = cad_str_from(j->key), .value = cad_buf_from_str(cad_sb_str(&j->put)),
        .durable = true};
    return true;
}

static bool delete_order(struct cad_telemetry *t, struct tel_journal *j,
                         struct cad_telemetry_order *order)
{
    bool over = !j->current && j->d.stopped && j->d.event_count == 0;
    if (!over || j->gone || j->put_id || j->del_id || t->now < j->put_after) return false;
    j->del_id = tel_next_id(t);
    *order = (struct cad_telemetry_order){.type = CAD_TELEMETRY_STORE_DELETE, .id = j->del_id,
        .key = cad_str_from(j->key)};
    return true;
}

/* An event waits until it is durable, but not for a store that is slow or broken. */
static bool may_send(const struct cad_telemetry *t, const struct tel_journal *j)
{
    if (j->d.event_count == 0 || j->http_id || t->now < j->send_after) return false;
    if (place_of(t, &j->d.link).n == 0) return false;
    if (!tel_has_store(t) || j->stored >= j->d.events[0].version || j->put_failed) return true;
    return j->put_id && t->now >= cad_time_add(j->put_since, TEL_STORE_SLOW);
}

static bool http_order(struct cad_telemetry *t, struct tel_journal *j,
                       struct cad_telemetry_order *order)
{
    if (!may_send(t, j)) return false;
    struct tel_event *e = &j->d.events[0];
    char name[32] = "events/";
    cad_str_copyz(name + 7, sizeof(name) - 7, cad_str_from(tel_event_name(e->type)));
    struct tel_url_parts parts = {.base = place_of(t, &j->d.link), .name = cad_str_from(name),
        .title = cad_str_from(j->d.title.p), .reqid = e->reqid, .attempt = e->attempts + 1};
    cad_sb_reset(&j->url);
    if (tel_url_write(t, &parts, &j->url) != 0) {
        j->send_after = cad_time_add(t->now, SLOW_WAIT);
        return false;
    }
    cad_buf body = {(const uint8_t *)e->body, e->body_n};
    cad_sb_reset(&j->wire);
    /* Without memory to compress it goes as it is: the body lives until the event is done. */
    bool gzip = body.n >= TEL_GZIP_FROM && tel_gzip(body, &t->alloc, &j->wire) == 0;
    if (gzip) body = cad_buf_from_str(cad_sb_str(&j->wire));
    bool fast = e->attempts < t->config.event_copies;
    e->attempts++;
    j->http_id = tel_next_id(t);
    *order = (struct cad_telemetry_order){.type = CAD_TELEMETRY_HTTP_POST, .id = j->http_id,
        .url = cad_sb_str(&j->url), .body = body, .gzip = gzip,
        .connect_timeout = CONNECT_TIMEOUT, .timeout = fast ? FAST_TIMEOUT : SLOW_TIMEOUT};
    return true;
}

/* The playback that runs goes first; what was left over does not meet a start. */
static bool is_its_turn(const struct cad_telemetry *t, const struct tel_journal *j)
{
    if (!j->used) return false;
    if (j->current || !t->playing || t->flush) return true;
    cad_time first = t->play.first_frame;
    return first != CAD_TIME_NONE && t->now >= cad_time_add(first, TEL_LEFTOVER_WAIT);
}

int tel_journal_poll(struct cad_telemetry *t, struct cad_telemetry_order *order)
{
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) {
        struct tel_journal *j = &t->journals[i];
        if (!j->used) continue;
        if (put_order(t, j, order) || delete_order(t, j, order)) return 0;
        if (is_its_turn(t, j) && http_order(t, j, order)) return 0;
    }
    return CAD_E_AGAIN;
}

cad_time tel_journal_wake(const struct cad_telemetry *t)
{
    cad_time wake = t->owed_count ? cad_time_add(t->now, CAD_SECOND) : CAD_TIME_MAX;
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) {
        const struct tel_journal *j = &t->journals[i];
        if (!j->used) continue;
        bool over = !j->current && j->d.stopped && j->d.event_count == 0;
        bool dirty = tel_has_store(t) && (over ? !j->gone : j->stored < j->version);
        if (dirty && !j->put_id && !j->del_id) wake = CAD_MIN(wake, CAD_MAX(j->put_after, t->now));
        if (j->d.event_count == 0 || j->http_id || place_of(t, &j->d.link).n == 0) continue;
        cad_time send = CAD_MAX(j->send_after, t->now);
        if (j->put_id) send = CAD_MAX(send, cad_time_add(j->put_since, TEL_STORE_SLOW));
        if (!is_its_turn(t, j)) {
            cad_time first = t->play.first_frame;
            send = first == CAD_TIME_NONE ? CAD_TIME_MAX
                                          : CAD_MAX(send, cad_time_add(first, TEL_LEFTOVER_WAIT));
        }
        wake = CAD_MIN(wake, send);
    }
    return wake;
}

/* ---- answers ------------------------------------------------------------------------------- */

/* {"stop":{"code":..,"message":..}} in an answer to the playback that runs. */
static void read_stop(struct cad_telemetry *t, cad_str body)
{
    struct cad_json j;
    char text[512];
    cad_str s;
    struct cad_telemetry_stop stop = {.asked = true};
    bool found = false;
    if (body.n == 0 || body.n > ANSWER_MAX) return;
    cad_json_init(&j, body, NULL);
    if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) return;
    while (cad_json_next(&j) == CAD_JSON_KEY) {
        if (!cad_json_key_is(&j, "stop")) {
            if (cad_json_skip(&j) != 0) return;
            continue;
        }
        if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) return;
        found = true;
        while (cad_json_next(&j) == CAD_JSON_KEY) {
            bool code = cad_json_key_is(&j, "code"), message = cad_json_key_is(&j, "message");
            cad_json_next(&j);
            if (cad_json_string(&j, text, sizeof(text), &s) != 0) s = cad_json_raw(&j);
            if (code) cad_str_copyz(stop.code, sizeof(stop.code), s);
            if (message) cad_str_copyz(stop.message, sizeof(stop.message), s);
            if (cad_json_skip(&j) != 0) return;
        }
    }
    if (found && cad_json_error(&j) == 0) t->stop = stop;
}

static void retry(struct cad_telemetry *t, struct tel_journal *j,
                  const struct cad_telemetry_answer *a)
{
    uint32_t attempts = j->d.events[0].attempts, fast = t->config.event_copies;
    cad_time base = attempts < fast ? FAST_WAIT : SLOW_WAIT;
    uint32_t n = attempts < fast ? 1 : attempts - fast + 1;
    cad_time most = attempts < fast ? FAST_WAIT : SLOW_WAIT_MAX;
    cad_time wait = tel_retry_wait(&t->rng, n, base, most, a->retry_after);
    j->send_after = cad_time_add(t->now, wait);
}

int tel_journal_http(struct cad_telemetry *t, uint32_t id, const struct cad_telemetry_answer *a)
{
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) {
        struct tel_journal *j = &t->journals[i];
        if (!j->used || j->http_id != id) continue;
        j->http_id = 0;
        j->send_after = t->now;
        switch (tel_verdict_of(a->status)) {
        case TEL_DELIVERED:
            t->stats.events_delivered++;
            if (j->current) read_stop(t, a->body);
            drop_event(t, j, 0);
            break;
        case TEL_RETRY: retry(t, j, a); break;
        case TEL_SPLIT:
        case TEL_GONE:
        case TEL_REFUSED:
            t->stats.events_refused++;
            drop_event(t, j, 0);
            break;
        }
        tel_journal_turn(t);
        return 0;
    }
    return CAD_E_STALE;
}

static void put_done(struct cad_telemetry *t, struct tel_journal *j, int result)
{
    j->put_id = 0;
    j->put_failed = result != 0;
    if (result == 0) {
        j->stored = CAD_MAX(j->stored, j->put_version);
        return;
    }
    t->stats.store_failures++;
    j->put_after = cad_time_add(t->now, TEL_STORE_AGAIN);
}

static void delete_done(struct cad_telemetry *t, struct tel_journal *j, int result)
{
    j->del_id = 0;
    if (result == 0 || result == CAD_E_NOTFOUND) {
        j->gone = true;
        return;
    }
    t->stats.store_failures++;
    j->put_after = cad_time_add(t->now, TEL_STORE_AGAIN);
    if (++j->del_failures == DELETE_TRIES) j->gone = true;
}

int tel_journal_stored(struct cad_telemetry *t, uint32_t id, int result)
{
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) {
        struct tel_journal *j = &t->journals[i];
        if (!j->used || (j->put_id != id && j->del_id != id)) continue;
        if (j->put_id == id) {
            put_done(t, j, result);
        } else {
            delete_done(t, j, result);
        }
        tel_journal_turn(t);
        return 0;
    }
    return CAD_E_STALE;
}

void tel_journal_deinit(struct cad_telemetry *t)
{
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) {
        if (t->journals[i].used) release(t, &t->journals[i]);
    }
}
