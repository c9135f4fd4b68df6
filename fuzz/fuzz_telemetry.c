/*
 * Telemetry with hostile bytes from its store, from the service and in facts.
 *
 * The first byte chooses:
 *   0  the rest is a stored journal, 1 a stored batch; length and CRC are made here
 *   2  the rest is text to be redacted
 *   3  the rest drives an object: facts, answers, stored values, time. What is sent must be JSON.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "base/util.h"
#include "telemetry/record.h"

#define INPUT_MAX 65536
#define BUDGET (INT64_C(32) << 20)
#define ORDERS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *p;
    size_t n;
};

static uint8_t byte(struct input *in)
{
    if (in->n == 0) return 0;
    in->n--;
    return *in->p++;
}

static cad_str text(struct input *in)
{
    size_t n = byte(in);
    n = CAD_MIN(n, in->n);
    cad_str s = {(const char *)in->p, n};
    in->p += n;
    in->n -= n;
    return s;
}

/* A value whose head is as it should be around bytes that need not be. */
static cad_buf seal(struct input *in, size_t n, const char *magic, uint8_t *out)
{
    n = CAD_MIN(n, in->n);
    memcpy(out, magic, 4);
    cad_put_be32(out + 4, (uint32_t)n);
    if (n) memcpy(out + TEL_HEAD_BYTES, in->p, n);
    cad_put_be32(out + 8, (uint32_t)crc32(0, out + TEL_HEAD_BYTES, (uInt)n));
    in->p += n;
    in->n -= n;
    return (cad_buf){out, n + TEL_HEAD_BYTES};
}

static void records(struct input *in, bool batch)
{
    static struct tel_journal_data journal;
    struct tel_batch_data data;
    struct cad_alloc system = cad_alloc_system();
    struct cad_budget budget;
    cad_budget_init(&budget, &system, BUDGET);
    struct cad_alloc alloc = cad_budget_alloc(&budget);
    size_t n = in->n;
    uint8_t *value = malloc(n + TEL_HEAD_BYTES);
    if (!value) abort();
    cad_buf buf = seal(in, n, batch ? "CLB1" : "CEV1", value);
    memset(&journal, 0, sizeof(journal));
    if (batch) {
        if (tel_batch_read(buf, &data) == 0 && data.body.n > buf.n) abort();
    } else if (tel_journal_read(buf, &alloc, &journal) == 0) {
        /* What was read is written as the same bytes, and read again. */
        struct cad_sb sb;
        cad_sb_init(&sb, &system, CAD_MEM_OTHER, CAD_TELEMETRY_VALUE_MAX);
        tel_journal_write(&journal, &sb);
        tel_journal_clear(&journal, &alloc);
        memset(&journal, 0, sizeof(journal));
        if (tel_journal_read(cad_buf_from_str(cad_sb_str(&sb)), &alloc, &journal) != 0) abort();
        cad_sb_deinit(&sb);
        tel_journal_clear(&journal, &alloc);
    }
    if (cad_budget_used(&budget) != 0) abort();
    free(value);
}

static void redact(struct input *in)
{
    size_t cap = (size_t)byte(in) * 8 + 1;
    char *out = malloc(cap);
    if (!out) abort();
    cad_str s = {(const char *)in->p, in->n};
    size_t n = cad_telemetry_redact(s, out, cap);
    if (n >= cap || out[n] != '\0') abort();
    if (cad_utf8_valid(s) && !cad_utf8_valid((cad_str){out, n})) abort();
    free(out);
}

static struct cad_fact fact(struct input *in, cad_time now)
{
    struct cad_fact f = {.type = (enum cad_fact_type)(byte(in) % (CAD_FACT_TYPES + 1)), .at = now};
    uint8_t a = byte(in), b = byte(in);
    f.position = a & 1 ? CAD_TIME_NONE : (cad_time)a * CAD_SECOND;
    switch (f.type) {
    case CAD_FACT_PLAY:
        f.u.play.xid = text(in);
        f.u.play.title = text(in);
        f.u.play.link = text(in);
        break;
    case CAD_FACT_STATE:
        f.u.state.state = (enum cad_play_state)(a % 9);
        f.u.state.reason = (enum cad_stall_reason)(b % 5);
        f.u.state.rate_q16 = (uint32_t)b << 24;
        break;
    case CAD_FACT_LEG:
        f.u.leg.leg = (enum cad_leg)(a % 9);
        f.u.leg.begin = now - (cad_time)b * CAD_SECOND;
        f.u.leg.end = now;
        break;
    case CAD_FACT_SHOWN:
        f.u.shown.kind = (enum cad_shown_kind)(a % 4);
        f.u.shown.rate_bps = (int64_t)b << (a % 56);
        f.u.shown.vmaf_milli = (int32_t)a * 1000;
        f.u.shown.id = text(in);
        break;
    case CAD_FACT_SERVER: f.u.server.to = text(in); break;
    case CAD_FACT_TRANSFER:
        f.u.transfer.bytes = (int64_t)b << (a % 56);
        f.u.transfer.begin = f.u.transfer.first_byte = now - a;
        f.u.transfer.end = now;
        f.u.transfer.error = a;
        f.u.transfer.server = text(in);
        break;
    case CAD_FACT_SEEK: f.u.seek.to = (cad_time)b * CAD_SECOND; break;
    case CAD_FACT_ENGAGE: f.u.text = text(in); break;
    case CAD_FACT_LICENCE:
    case CAD_FACT_NOTE:
        f.u.note.severity = (enum cad_severity)(a % 4);
        f.u.note.code = b;
        f.u.note.type = text(in);
        f.u.note.where = text(in);
        f.u.note.message = text(in);
        break;
    case CAD_FACT_END:
        f.u.end.reason = text(in);
        f.u.end.error = a & 1;
        f.u.end.message = text(in);
        break;
    default: break;
    }
    return f;
}

static void check_post(const struct cad_telemetry_order *o)
{
    cad_str body = cad_str_from_buf(o->body);
    if (!o->gzip && !tel_is_json(body)) abort();
    if (o->gzip && (body.n < 18 || memcmp(body.p, "\x1f\x8b\x08", 3) != 0)) abort();
    for (size_t i = 0; i < o->url.n; i++) {
        if ((unsigned char)o->url.p[i] <= 0x20 || (unsigned char)o->url.p[i] >= 0x7f) abort();
    }
}

static void answer(struct cad_telemetry *t, const struct cad_telemetry_order *o, struct input *in)
{
    static const int32_t statuses[] = {200, 0, 400, 408, 410, 413, 429, 500};
    static uint8_t value[1024 + TEL_HEAD_BYTES];
    static const cad_str keys[] = {CAD_STR_INIT("pb-1"), CAD_STR_INIT("lb-1700000000-0-a"),
                                   CAD_STR_INIT("lb-x")};
    uint8_t choice = byte(in);
    struct cad_telemetry_answer a = {.status = statuses[choice % 8], .retry_after = CAD_TIME_NONE};
    switch (o->type) {
    case CAD_TELEMETRY_ENTROPY: cad_telemetry_entropy(t, (cad_buf){value, o->bytes}); break;
    case CAD_TELEMETRY_STORE_LIST:
        if (cad_telemetry_store_listed(t, o->id, choice % 4 ? 0 : CAD_E_IO, keys, 3)) abort();
        break;
    case CAD_TELEMETRY_STORE_GET: {
        bool batch = o->key.p[0] == 'l';
        cad_buf v = seal(in, (size_t)byte(in) * 4, batch ? "CLB1" : "CEV1", value);
        if (cad_telemetry_store_done(t, o->id, choice % 4 ? 0 : CAD_E_DATA, v)) abort();
        break;
    }
    case CAD_TELEMETRY_HTTP_POST:
        check_post(o);
        a.limits = a.body = text(in);
        if (cad_telemetry_http_done(t, o->id, &a)) abort();
        break;
    case CAD_TELEMETRY_STORE_PUT:
        if (o->value.n > CAD_TELEMETRY_VALUE_MAX || o->key.n > 64) abort();
        /* fall through */
    case CAD_TELEMETRY_STORE_DELETE:
        if (cad_telemetry_store_done(t, o->id, choice % 8 ? 0 : CAD_E_IO, (cad_buf){0})) abort();
        break;
    }
}

static void drive(struct input *in)
{
    struct cad_alloc system = cad_alloc_system();
    struct cad_budget budget;
    struct cad_telemetry_config config;
    struct cad_telemetry *t = NULL;
    struct cad_telemetry_order o;
    struct cad_qoe q = {.size = 0};
    cad_time now = CAD_SECOND;
    cad_budget_init(&budget, &system, BUDGET);
    cad_telemetry_config_init(&config);
    config.alloc = cad_budget_alloc(&budget);
    config.event_url = config.log_url = CAD_STR("http://t.test/e");
    config.ring_bytes = 16u << 10;
    config.log_string = (byte(in) & 1) != 0;
    if (cad_telemetry_create(&config, &t) != 0) abort();
    cad_telemetry_wall(t, INT64_C(1700000000000));
    while (in->n > 0) {
        struct cad_fact f = fact(in, now);
        (void)cad_telemetry_fact(t, &f);
        now = cad_time_add(now, (cad_time)byte(in) * byte(in) * 10 * CAD_MS);
        cad_telemetry_turn(t, now);
        for (int i = 0; i < ORDERS_MAX && cad_telemetry_poll(t, &o) == 0; i++) answer(t, &o, in);
        if (cad_telemetry_next_wake(t) < now) abort();
        cad_telemetry_qoe(t, &q);
        if (q.rendered < 0 || q.rebuffer < 0) abort();
    }
    cad_telemetry_destroy(&t);
    if (cad_budget_used(&budget) != 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX) return 0;
    struct input in = {data + 1, size - 1};
    switch (data[0] % 4) {
    case 0: records(&in, false); break;
    case 1: records(&in, true); break;
    case 2: redact(&in); break;
    default: drive(&in); break;
    }
    return 0;
}
