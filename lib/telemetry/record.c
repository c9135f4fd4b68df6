#include "telemetry/record.h"

#include <string.h>

#include <zlib.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"

#define VERSION 1
#define FLAG_STOPPED 1u
#define FLAG_GZIP 1u

bool tel_is_json(cad_str text)
{
    struct cad_json j;
    cad_json_init(&j, text, NULL);
    if (cad_json_next(&j) == CAD_JSON_ERROR || cad_json_skip(&j) != 0) return false;
    return cad_json_next(&j) == CAD_JSON_END;
}

/* ---- writing ------------------------------------------------------------------------------- */

static void put_bytes(struct cad_sb *sb, const void *p, size_t n)
{
    cad_sb_put(sb, (cad_str){p, n});
}

static void put_u8(struct cad_sb *sb, uint8_t v)
{
    put_bytes(sb, &v, 1);
}

static void put_u32(struct cad_sb *sb, uint32_t v)
{
    uint8_t b[4];
    cad_put_be32(b, v);
    put_bytes(sb, b, sizeof(b));
}

static void put_i64(struct cad_sb *sb, int64_t v)
{
    uint8_t b[8];
    cad_put_be64(b, (uint64_t)v);
    put_bytes(sb, b, sizeof(b));
}

static void put_text(struct cad_sb *sb, cad_str s)
{
    put_u32(sb, (uint32_t)s.n);
    cad_sb_put(sb, s);
}

/* The head is written last, over the place that was left for it. */
static size_t begin(struct cad_sb *sb)
{
    static const char empty[TEL_HEAD_BYTES] = {0};
    size_t at = sb->n;
    put_bytes(sb, empty, sizeof(empty));
    return at;
}

static void finish(struct cad_sb *sb, size_t at, const char magic[4])
{
    if (cad_sb_error(sb) != 0) return;
    uint8_t *head = (uint8_t *)sb->p + at;
    size_t n = sb->n - at - TEL_HEAD_BYTES;
    memcpy(head, magic, 4);
    cad_put_be32(head + 4, (uint32_t)n);
    cad_put_be32(head + 8, (uint32_t)crc32(0, head + TEL_HEAD_BYTES, (uInt)n));
}

static void put_event(struct cad_sb *sb, const struct tel_event *e)
{
    put_u8(sb, (uint8_t)e->type);
    put_u32(sb, e->seq);
    put_u32(sb, e->attempts);
    put_i64(sb, e->wall_ms);
    put_bytes(sb, e->reqid, sizeof(e->reqid));
    put_text(sb, (cad_str){e->body, e->body_n});
}

void tel_journal_write(const struct tel_journal_data *data, struct cad_sb *out)
{
    size_t at = begin(out);
    put_u8(out, VERSION);
    put_u8(out, data->stopped ? FLAG_STOPPED : 0);
    put_u32(out, data->seq_next);
    put_i64(out, data->position_ms);
    put_i64(out, data->rendered_ms);
    put_i64(out, data->started_ms);
    put_bytes(out, data->stop_id, sizeof(data->stop_id));
    put_text(out, cad_str_from(data->xid.p));
    put_text(out, cad_str_from(data->title.p));
    put_text(out, cad_str_from(data->link.p));
    put_text(out, (cad_str){data->fixed, data->fixed_n});
    put_u8(out, (uint8_t)data->event_count);
    for (uint32_t i = 0; i < data->event_count; i++) put_event(out, &data->events[i]);
    finish(out, at, "CEV1");
}

void tel_batch_write(const struct tel_batch_data *data, struct cad_sb *out)
{
    size_t at = begin(out);
    put_u8(out, VERSION);
    put_u8(out, data->gzip ? FLAG_GZIP : 0);
    put_u32(out, data->entries);
    put_u32(out, data->attempts);
    put_bytes(out, data->reqid, sizeof(data->reqid));
    put_text(out, cad_str_from_buf(data->body));
    finish(out, at, "CLB1");
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Sticky: after the end everything is zero and bad is set. */
struct reader {
    const uint8_t *p;
    size_t n;
    bool bad;
};

static const uint8_t *take(struct reader *r, size_t n)
{
    static const uint8_t zeros[TEL_REQID_BYTES] = {0};
    if (r->bad || n > r->n) {
        r->bad = true;
        return n <= sizeof(zeros) ? zeros : NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    r->n -= n;
    return p;
}

static uint8_t get_u8(struct reader *r) { return *take(r, 1); }
static uint32_t get_u32(struct reader *r) { return cad_be32(take(r, 4)); }
static int64_t get_i64(struct reader *r) { return (int64_t)cad_be64(take(r, 8)); }

static int64_t get_time(struct reader *r)
{
    int64_t v = get_i64(r);
    if (v < 0) r->bad = true;
    return r->bad ? 0 : v;
}

static cad_str get_text(struct reader *r, size_t most)
{
    uint32_t n = get_u32(r);
    if (n > most) r->bad = true;
    if (r->bad) return (cad_str){"", 0};
    const uint8_t *p = take(r, n);
    if (r->bad || !p) return (cad_str){"", 0};
    return (cad_str){(const char *)p, n};
}

/* A text without controls, of valid UTF-8: it goes into URLs and JSON as it is. */
static void get_id(struct reader *r, char *out, size_t cap)
{
    cad_str s = get_text(r, cap - 1);
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20) r->bad = true;
    }
    if (!cad_utf8_valid(s)) r->bad = true;
    if (!r->bad) cad_str_copyz(out, cap, s);
}

/* What a record of this magic holds; CAD_E_DATA when it is torn or another thing. */
static int open_record(cad_buf in, const char magic[4], size_t most, struct reader *r)
{
    if (in.n < TEL_HEAD_BYTES || in.n > most || memcmp(in.p, magic, 4) != 0) return CAD_E_DATA;
    size_t n = in.n - TEL_HEAD_BYTES;
    if (cad_be32(in.p + 4) != n) return CAD_E_DATA;
    if (cad_be32(in.p + 8) != crc32(0, in.p + TEL_HEAD_BYTES, (uInt)n)) return CAD_E_DATA;
    *r = (struct reader){in.p + TEL_HEAD_BYTES, n, false};
    if (get_u8(r) != VERSION) return CAD_E_DATA;
    return 0;
}

static void get_fixed(struct reader *r, struct tel_journal_data *data)
{
    char object[TEL_FIXED_MAX + 2];
    cad_str s = get_text(r, TEL_FIXED_MAX);
    if (r->bad) return;
    object[0] = '{';
    memcpy(object + 1, s.p, s.n);
    object[s.n + 1] = '}';
    if (s.n == 0 || !tel_is_json((cad_str){object, s.n + 2})) {
        r->bad = true;
        return;
    }
    memcpy(data->fixed, s.p, s.n);
    data->fixed_n = s.n;
}

static int get_event(struct reader *r, const struct cad_alloc *alloc, struct tel_event *e)
{
    uint8_t type = get_u8(r);
    e->seq = get_u32(r);
    e->attempts = get_u32(r);
    e->wall_ms = get_time(r);
    memcpy(e->reqid, take(r, sizeof(e->reqid)), sizeof(e->reqid));
    cad_str body = get_text(r, TEL_BODY_MAX);
    if (r->bad || type >= TEL_EVENT_TYPES || body.n == 0 || !tel_is_json(body)) return CAD_E_DATA;
    e->type = (enum tel_event_type)type;
    e->body = cad_alloc_resize(alloc, NULL, 0, body.n, CAD_MEM_SESSION);
    if (!e->body) return CAD_E_NOMEM;
    memcpy(e->body, body.p, body.n);
    e->body_n = body.n;
    return 0;
}

/* Sequence numbers rise, only the last may be a stop, and a stop says that it stopped. */
static bool events_make_sense(const struct tel_journal_data *data)
{
    for (uint32_t i = 0; i < data->event_count; i++) {
        const struct tel_event *e = &data->events[i];
        if (e->seq >= data->seq_next) return false;
        if (i > 0 && e->seq <= data->events[i - 1].seq) return false;
        if (e->type == TEL_EVENT_STOP && (!data->stopped || i + 1 != data->event_count)) {
            return false;
        }
    }
    return true;
}

int tel_journal_read(cad_buf in, const struct cad_alloc *alloc, struct tel_journal_data *data)
{
    struct reader r;
    int err = open_record(in, "CEV1", CAD_TELEMETRY_VALUE_MAX, &r);
    if (err) return err;
    data->stopped = (get_u8(&r) & FLAG_STOPPED) != 0;
    data->seq_next = get_u32(&r);
    data->position_ms = get_time(&r);
    data->rendered_ms = get_time(&r);
    data->started_ms = get_time(&r);
    memcpy(data->stop_id, take(&r, sizeof(data->stop_id)), sizeof(data->stop_id));
    get_id(&r, data->xid.p, sizeof(data->xid.p));
    get_id(&r, data->title.p, sizeof(data->title.p));
    get_id(&r, data->link.p, sizeof(data->link.p));
    get_fixed(&r, data);
    uint8_t count = get_u8(&r);
    if (r.bad || count > CAD_TELEMETRY_EVENTS_MAX || !data->xid.p[0]) return CAD_E_DATA;
    for (uint32_t i = 0; i < count && !err; i++) {
        err = get_event(&r, alloc, &data->events[i]);
        if (!err) data->event_count++;
    }
    if (!err && (r.bad || r.n != 0 || !events_make_sense(data))) err = CAD_E_DATA;
    if (err) tel_journal_clear(data, alloc);
    return err;
}

void tel_journal_clear(struct tel_journal_data *data, const struct cad_alloc *alloc)
{
    for (uint32_t i = 0; i < data->event_count; i++) {
        cad_alloc_free(alloc, data->events[i].body, data->events[i].body_n, CAD_MEM_SESSION);
    }
    data->event_count = 0;
}

int tel_batch_read(cad_buf in, struct tel_batch_data *data)
{
    struct reader r;
    int err = open_record(in, "CLB1", CAD_TELEMETRY_VALUE_MAX, &r);
    if (err) return err;
    struct tel_batch_data d = {.gzip = (get_u8(&r) & FLAG_GZIP) != 0};
    d.entries = get_u32(&r);
    d.attempts = get_u32(&r);
    memcpy(d.reqid, take(&r, sizeof(d.reqid)), sizeof(d.reqid));
    d.body = cad_buf_from_str(get_text(&r, TEL_BATCH_MAX));
    if (r.bad || r.n != 0 || d.body.n == 0) return CAD_E_DATA;
    *data = d;
    return 0;
}
