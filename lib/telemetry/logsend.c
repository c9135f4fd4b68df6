/* Batches of log entries: made, stored, sent one at a time, and given up when it must be. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/json.h"
#include "base/str.h"
#include "base/util.h"

#include "telemetry/gzip.h"
#include "telemetry/internal.h"
#include "telemetry/retry.h"

#define IDLE_FACTOR 12              /* of the age of a batch when nothing plays */
#define TRIES_MAX 10
#define TRY_TIME (600 * CAD_SECOND)
#define REST (60 * CAD_SECOND)      /* of a batch that is left to the store */
#define HOLD_MAX (30 * CAD_SECOND)  /* a batch waits no longer for a busy link */
#define WAIT_FIRST CAD_SECOND
#define WAIT_MAX (60 * CAD_SECOND)
#define BURST_BYTES 65536           /* of sending at once */
#define CONNECT_TIMEOUT (3 * CAD_SECOND)
#define TIMEOUT (10 * CAD_SECOND)
#define LIMIT_TIME (3600 * CAD_SECOND)
#define WRAP_FACTOR 2u              /* the escapes of a body as a string add less than that */

/* ---- slots --------------------------------------------------------------------------------- */

static struct tel_batch *free_batch(struct cad_telemetry *t)
{
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        if (!t->batches[i].used) return &t->batches[i];
    }
    return NULL;
}

static uint32_t free_batches(const struct cad_telemetry *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) n += !t->batches[i].used;
    return n;
}

/* How many more may be made, as long as nothing has to be split. */
static uint32_t room_for(const struct cad_telemetry *t)
{
    uint32_t used = TEL_BATCHES_MAX - free_batches(t);
    return used < TEL_BATCHES_MADE ? TEL_BATCHES_MADE - used : 0;
}

/* Room for one that was left over, and still for two of our own. */
bool tel_send_has_room(const struct cad_telemetry *t)
{
    return room_for(t) > 2 && !t->logs_off;
}

bool tel_send_has_key(const struct cad_telemetry *t, const char *key)
{
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        if (t->batches[i].used && strcmp(t->batches[i].key, key) == 0) return true;
    }
    return false;
}

static void init_batch(struct cad_telemetry *t, struct tel_batch *b)
{
    memset(b, 0, sizeof(*b));
    b->used = true;
    b->order = ++t->batch_order;
    b->made_at = t->now;
    b->first_at = b->send_after = CAD_TIME_NONE;
    cad_sb_init(&b->raw, &t->alloc, CAD_MEM_SESSION, TEL_BATCH_MAX);
    cad_sb_init(&b->body, &t->alloc, CAD_MEM_SESSION, TEL_BATCH_MAX);
    cad_sb_init(&b->record, &t->alloc, CAD_MEM_SESSION, CAD_TELEMETRY_VALUE_MAX);
    cad_sb_init(&b->url, &t->alloc, CAD_MEM_SESSION, TEL_URL_MAX);
}

static void release(struct tel_batch *b)
{
    cad_sb_deinit(&b->raw);
    cad_sb_deinit(&b->body);
    cad_sb_deinit(&b->record);
    cad_sb_deinit(&b->url);
    memset(b, 0, sizeof(*b));
}

void tel_send_deinit(struct cad_telemetry *t)
{
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        if (t->batches[i].used) release(&t->batches[i]);
    }
}

/* ---- making -------------------------------------------------------------------------------- */

/* The body as it is sent, from b->raw. */
static int encode(struct cad_telemetry *t, struct tel_batch *b)
{
    struct cad_sb text, wrapped;
    cad_sb_init(&text, &t->alloc, CAD_MEM_SESSION, TEL_BATCH_MAX + 64);
    cad_sb_init(&wrapped, &t->alloc, CAD_MEM_SESSION, WRAP_FACTOR * TEL_BATCH_MAX);
    cad_sb_putz(&text, "{\"entries\":");
    cad_sb_put(&text, cad_sb_str(&b->raw));
    cad_sb_putc(&text, '}');
    int err = cad_sb_error(&text);
    const struct cad_sb *plain = &text;
    if (!err && t->config.log_string) {
        struct cad_jsonw w;
        cad_jsonw_init(&w, &wrapped);
        cad_jsonw_object(&w);
        cad_jsonw_key_string(&w, "logblobs", cad_sb_str(&text));
        cad_jsonw_end(&w);
        err = cad_jsonw_error(&w);
        plain = &wrapped;
    }
    cad_sb_reset(&b->body);
    b->gzip = !err && plain->n >= TEL_GZIP_FROM &&
              tel_gzip(cad_buf_from_str(cad_sb_str(plain)), &t->alloc, &b->body) == 0;
    if (!err && !b->gzip) {
        cad_sb_reset(&b->body);
        cad_sb_put(&b->body, cad_sb_str(plain));
        err = cad_sb_error(&b->body);
    }
    cad_sb_deinit(&text);
    cad_sb_deinit(&wrapped);
    return err;
}

static int name_batch(struct cad_telemetry *t, struct tel_batch *b)
{
    int err = tel_reqid(t, b->reqid);
    if (err) return err;
    char hex[33];
    struct cad_sb key;
    tel_hex(b->reqid, hex);
    (void)tel_app_id(t);
    cad_sb_init_fixed(&key, b->key, sizeof(b->key));
    cad_sb_printf(&key, "lb-%010" PRId64 "-%06" PRIu64 "-%.8s", t->app_started_s, t->batch_seq++,
                  hex);
    return 0;
}

/* How many of the oldest entries go into one batch, and their bytes with commas. */
static size_t measure(const struct cad_telemetry *t, size_t *bytes)
{
    size_t n = 0, sum = 2;
    while (n < t->ring.count && n < t->config.batch_entries) {
        size_t next = t->ring.slots[n].bytes + 1;
        if (n > 0 && sum + next > t->config.batch_bytes) break;
        sum += next;
        n++;
    }
    *bytes = sum;
    return n;
}

static int make(struct cad_telemetry *t)
{
    size_t bytes, at = 0, n = measure(t, &bytes);
    struct tel_batch *b = room_for(t) ? free_batch(t) : NULL;
    if (!b || n == 0) return CAD_E_AGAIN;
    init_batch(t, b);
    cad_sb_putc(&b->raw, '[');
    for (size_t i = 0; i < n; i++) {
        if (i) cad_sb_putc(&b->raw, ',');
        cad_sb_put(&b->raw, (cad_str){t->ring.text + at, t->ring.slots[i].bytes});
        at += t->ring.slots[i].bytes;
    }
    cad_sb_putc(&b->raw, ']');
    b->entries = (uint32_t)n;
    int err = cad_sb_error(&b->raw);
    if (!err) err = encode(t, b);
    if (!err) err = name_batch(t, b);
    if (err) {
        release(b);
        return err;
    }
    tel_ring_pop(&t->ring, n);
    t->stats.batches++;
    return 0;
}

static cad_time age_of(const struct cad_telemetry *t)
{
    bool idle = !t->playing || t->play.state == CAD_PLAY_PAUSED;
    return idle ? cad_mul_sat_i64(t->config.batch_age, IDLE_FACTOR) : t->config.batch_age;
}

static bool is_due(const struct cad_telemetry *t)
{
    const struct tel_ring *r = &t->ring;
    if (r->count == 0 || t->config.log_url.n == 0) return false;
    return t->flush || t->urgent || r->n >= t->config.batch_bytes ||
           r->count >= t->config.batch_entries ||
           t->now >= cad_time_add(r->slots[0].at, age_of(t));
}

/* ---- giving up ----------------------------------------------------------------------------- */

static void finish(struct tel_batch *b)
{
    b->done = true;
}

static void spill(struct cad_telemetry *t, struct tel_batch *b)
{
    if (b->stored) {
        tel_keys_add(&t->log_keys, b->key);
        t->log_keys.list_after = cad_time_add(t->now, REST);
    } else {
        t->stats.batches_lost++;
    }
    release(b);
}

/* A done batch leaves when nothing of it is under way and nothing of it is stored. */
static void tidy(struct cad_telemetry *t, struct tel_batch *b)
{
    if (!b->used || b->http_id || b->put_id || b->del_id) return;
    if (b->done) {
        if (!b->stored) release(b);
        return;
    }
    bool tired = b->tries >= TRIES_MAX ||
                 (b->first_at != CAD_TIME_NONE && t->now >= cad_time_add(b->first_at, TRY_TIME));
    if (tired) spill(t, b);
}

void tel_send_turn(struct cad_telemetry *t)
{
    while (!t->logs_off && is_due(t) && make(t) == 0) {
        /* One after the other, as long as there is a slot. */
    }
    if (t->ring.count == 0) t->urgent = false;
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) tidy(t, &t->batches[i]);
}

/* ---- orders -------------------------------------------------------------------------------- */

static bool put_order(struct cad_telemetry *t, struct tel_batch *b,
                      struct cad_telemetry_order *order)
{
    if (!tel_has_store(t) || b->stored || b->put_tried || b->done) return false;
    struct tel_batch_data d = {.entries = b->entries, .attempts = b->attempts, .gzip = b->gzip,
        .body = cad_buf_from_str(cad_sb_str(&b->body))};
    memcpy(d.reqid, b->reqid, sizeof(d.reqid));
    b->put_tried = true;
    cad_sb_reset(&b->record);
    tel_batch_write(&d, &b->record);
    if (cad_sb_error(&b->record) != 0) return false;
    b->put_id = tel_next_id(t);
    b->put_since = t->now;
    *order = (struct cad_telemetry_order){.type = CAD_TELEMETRY_STORE_PUT, .id = b->put_id,
        .key = cad_str_from(b->key), .value = cad_buf_from_str(cad_sb_str(&b->record))};
    return true;
}

static bool delete_order(struct cad_telemetry *t, struct tel_batch *b,
                         struct cad_telemetry_order *order)
{
    if (!b->done || !b->stored || b->put_id || b->del_id) return false;
    b->del_id = tel_next_id(t);
    *order = (struct cad_telemetry_order){.type = CAD_TELEMETRY_STORE_DELETE, .id = b->del_id,
        .key = cad_str_from(b->key)};
    return true;
}

/* Media come first: while the viewer waits a batch does too, for a time. */
static bool link_is_busy(const struct cad_telemetry *t)
{
    enum cad_play_state s = t->play.state;
    return t->playing && (s == CAD_PLAY_STARTING || s == CAD_PLAY_SEEKING ||
                          s == CAD_PLAY_REBUFFERING);
}

static void earn(struct cad_telemetry *t)
{
    if (t->send_bytes_at == CAD_TIME_NONE) {
        t->send_bytes = BURST_BYTES;
    } else {
        int64_t earned = cad_muldiv_floor_i64(cad_time_sub(t->now, t->send_bytes_at),
                                              t->config.log_rate, CAD_SECOND);
        if (earned == 0) return;
        t->send_bytes = CAD_MIN(cad_add_sat_i64(t->send_bytes, earned), BURST_BYTES);
    }
    t->send_bytes_at = t->now;
}

/* When this batch may be sent; CAD_TIME_MAX: not by time alone. */
static cad_time send_at(const struct cad_telemetry *t, const struct tel_batch *b)
{
    if (b->done || b->http_id) return CAD_TIME_MAX;
    cad_time at = CAD_MAX(b->send_after, t->now);
    if (tel_has_store(t) && !b->stored) {
        if (!b->put_tried) return t->now;
        if (b->put_id) at = CAD_MAX(at, cad_time_add(b->put_since, TEL_STORE_SLOW));
    }
    if (t->limit_left == 0 && t->now < t->limit_until) at = CAD_MAX(at, t->limit_until);
    if (t->flush) return at;
    if (link_is_busy(t)) at = CAD_MAX(at, cad_time_add(b->made_at, HOLD_MAX));
    if (t->config.log_rate && t->send_bytes <= 0) {
        cad_time wait = cad_muldiv_floor_i64(1 - t->send_bytes, CAD_SECOND, t->config.log_rate);
        at = CAD_MAX(at, cad_time_add(t->send_bytes_at, wait + 1));
    }
    return at;
}

static bool http_order(struct cad_telemetry *t, struct tel_batch *b,
                       struct cad_telemetry_order *order)
{
    earn(t);
    bool waits_for_put = tel_has_store(t) && !b->stored && !b->put_tried;
    if (waits_for_put || send_at(t, b) > t->now) return false;
    struct tel_url_parts parts = {.base = t->config.log_url, .name = CAD_STR("logblob"),
        .reqid = b->reqid, .attempt = b->attempts + 1};
    cad_sb_reset(&b->url);
    if (tel_url_write(t, &parts, &b->url) != 0) {
        b->send_after = cad_time_add(t->now, WAIT_MAX);
        return false;
    }
    b->attempts++;
    b->tries++;
    if (b->first_at == CAD_TIME_NONE) b->first_at = t->now;
    t->send_bytes = cad_sub_sat_i64(t->send_bytes, (int64_t)b->body.n);
    b->http_id = tel_next_id(t);
    *order = (struct cad_telemetry_order){.type = CAD_TELEMETRY_HTTP_POST, .id = b->http_id,
        .url = cad_sb_str(&b->url), .body = cad_buf_from_str(cad_sb_str(&b->body)),
        .gzip = b->gzip, .low_priority = true,
        .connect_timeout = CONNECT_TIMEOUT, .timeout = TIMEOUT};
    return true;
}

/* The one to be sent now: the oldest that is not done. NULL: one is under way, or there is none. */
static struct tel_batch *next_batch(struct cad_telemetry *t)
{
    struct tel_batch *next = NULL;
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        struct tel_batch *b = &t->batches[i];
        if (!b->used) continue;
        if (b->http_id) return NULL;
        if (!b->done && (!next || b->order < next->order)) next = b;
    }
    return next;
}

int tel_send_poll(struct cad_telemetry *t, struct cad_telemetry_order *order)
{
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        struct tel_batch *b = &t->batches[i];
        if (b->used && (put_order(t, b, order) || delete_order(t, b, order))) return 0;
    }
    struct tel_batch *b = t->logs_off || t->config.log_url.n == 0 ? NULL : next_batch(t);
    return b && http_order(t, b, order) ? 0 : CAD_E_AGAIN;
}

cad_time tel_send_wake(const struct cad_telemetry *t)
{
    cad_time wake = CAD_TIME_MAX;
    const struct tel_ring *r = &t->ring;
    bool off = t->logs_off || t->config.log_url.n == 0;
    bool slot = room_for(t) > 0 && t->entropy_n >= TEL_REQID_BYTES && !off;
    if (slot && r->count) {
        wake = is_due(t) ? cad_time_add(t->now, CAD_SECOND)
                         : cad_time_add(r->slots[0].at, age_of(t));
    }
    bool under_way = false;
    const struct tel_batch *next = NULL;
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        const struct tel_batch *b = &t->batches[i];
        if (!b->used) continue;
        under_way = under_way || b->http_id;
        if (!b->done && (!next || b->order < next->order)) next = b;
    }
    if (next && !under_way && !off) wake = CAD_MIN(wake, send_at(t, next));
    return wake;
}

/* ---- answers ------------------------------------------------------------------------------- */

/* "~0=true~RL=2212": RL entries are still taken in this hour. What is not understood is ignored. */
static void read_limits(struct cad_telemetry *t, cad_str header)
{
    cad_str part;
    if (header.n == 0 || header.n > 1024) return;
    while (cad_str_split(&header, '~', &part)) {
        uint64_t n;
        if (!cad_str_starts(part, CAD_STR("RL="))) continue;
        if (cad_str_to_u64(cad_str_sub(part, 3, SIZE_MAX), &n) != 0) continue;
        t->limit_left = (int64_t)CAD_MIN(n, UINT64_C(1000000000));
        t->limit_until = cad_time_add(t->now, LIMIT_TIME);
    }
}

/*
 * Half of a batch's entries as a batch of its own, under a request id of its own. It goes before
 * later ones, so that the halves of halves stay few.
 */
static int make_half(struct cad_telemetry *t, const struct tel_batch *whole, cad_str first,
                     cad_str second)
{
    struct tel_batch *b = free_batch(t);
    if (!b) return CAD_E_AGAIN;
    uint32_t half = whole->entries / 2;
    init_batch(t, b);
    b->order = whole->order;
    cad_sb_put(&b->raw, first);
    cad_sb_put(&b->raw, second);
    b->entries = first.n == 1 ? whole->entries - half : half;
    int err = cad_sb_error(&b->raw);
    if (!err) err = encode(t, b);
    if (!err) err = name_batch(t, b);
    if (err) release(b);
    return err;
}

/* Where the first `entries` entries of [a,b,...] end. */
static size_t cut_at(cad_str raw, uint32_t entries)
{
    struct cad_json j;
    cad_json_init(&j, raw, NULL);
    if (cad_json_next(&j) != CAD_JSON_ARRAY_BEGIN) return 0;
    for (uint32_t i = 0; i < entries; i++) {
        if (cad_json_next(&j) == CAD_JSON_ERROR || cad_json_skip(&j) != 0) return 0;
    }
    return j.at;
}

/* False: it cannot be split. Only with room for both halves. */
static bool split(struct cad_telemetry *t, struct tel_batch *b)
{
    cad_str raw = cad_sb_str(&b->raw);
    uint32_t half = b->entries / 2;
    size_t cut = half ? cut_at(raw, half) : 0;
    if (cut == 0 || free_batches(t) < 2 || t->entropy_n < 2 * TEL_REQID_BYTES) return false;
    cad_str rest = cad_str_sub(raw, cut + 1, SIZE_MAX);
    if (make_half(t, b, cad_str_sub(raw, 0, cut), CAD_STR("]")) != 0) return false;
    if (make_half(t, b, CAD_STR("["), rest) != 0) {
        t->stats.batches_lost++;
    }
    t->stats.batches++;
    return true;
}

static void delivered(struct cad_telemetry *t, struct tel_batch *b)
{
    t->stats.batches_delivered++;
    if (t->limit_left > 0) t->limit_left = CAD_MAX(t->limit_left - (int64_t)b->entries, 0);
    finish(b);
}

static void gone(struct cad_telemetry *t)
{
    t->logs_off = true;
    tel_ring_pop(&t->ring, t->ring.count);
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        if (t->batches[i].used) finish(&t->batches[i]);
    }
}

int tel_send_http(struct cad_telemetry *t, uint32_t id, const struct cad_telemetry_answer *a)
{
    struct tel_batch *b = NULL;
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        if (t->batches[i].used && t->batches[i].http_id == id) b = &t->batches[i];
    }
    if (!b) return CAD_E_STALE;
    b->http_id = 0;
    bool split_it = false;
    switch (tel_verdict_of(a->status)) {
    case TEL_DELIVERED: delivered(t, b); break;
    case TEL_RETRY:
        b->send_after = cad_time_add(t->now, tel_retry_wait(&t->rng, b->tries, WAIT_FIRST, WAIT_MAX,
                                                            a->retry_after));
        break;
    case TEL_SPLIT:
        split_it = split(t, b);
        if (!split_it) t->stats.batches_refused++;
        finish(b);
        break;
    case TEL_GONE:
        t->stats.batches_refused++;
        gone(t);
        break;
    case TEL_REFUSED:
        t->stats.batches_refused++;
        finish(b);
        break;
    }
    read_limits(t, a->limits);
    tel_send_turn(t);
    return 0;
}

int tel_send_stored(struct cad_telemetry *t, uint32_t id, int result)
{
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        struct tel_batch *b = &t->batches[i];
        if (!b->used || (b->put_id != id && b->del_id != id)) continue;
        if (b->put_id == id) {
            b->put_id = 0;
            b->stored = result == 0;
            cad_sb_deinit(&b->record);
        } else {
            b->del_id = 0;
            b->stored = false; /* or it is tried again by the next process */
        }
        if (result != 0 && result != CAD_E_NOTFOUND) t->stats.store_failures++;
        tidy(t, b);
        return 0;
    }
    return CAD_E_STALE;
}

int tel_send_load(struct cad_telemetry *t, const char *key, cad_buf value)
{
    struct tel_batch_data d;
    int err = tel_batch_read(value, &d);
    if (err) return err;
    struct tel_batch *b = free_batch(t);
    if (!b) return CAD_E_AGAIN;
    init_batch(t, b);
    cad_sb_put(&b->body, cad_str_from_buf(d.body));
    err = cad_sb_error(&b->body);
    if (err) {
        release(b);
        return err;
    }
    memcpy(b->reqid, d.reqid, sizeof(b->reqid));
    cad_str_copyz(b->key, sizeof(b->key), cad_str_from(key));
    b->leftover = b->stored = true;
    b->gzip = d.gzip;
    b->entries = d.entries;
    b->attempts = CAD_MAX(d.attempts, 1u); /* it may have been sent before the end came */
    return 0;
}
