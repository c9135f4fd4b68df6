#include "mock/mock_ingest.h"

#include <string.h>

#include <zlib.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"

void mock_ingest_init(struct mock_ingest *m, const struct cad_alloc *alloc)
{
    memset(m, 0, sizeof(*m));
    m->alloc = *alloc;
    cad_sb_init(&m->last, alloc, CAD_MEM_OTHER, MOCK_INGEST_BODY_MAX + 1);
}

void mock_ingest_deinit(struct mock_ingest *m)
{
    cad_alloc_free(&m->alloc, m->items, m->cap * sizeof(*m->items), CAD_MEM_OTHER);
    cad_sb_deinit(&m->last);
    memset(m, 0, sizeof(*m));
}

static int32_t inflate_body(struct mock_ingest *m, cad_buf body)
{
    z_stream z;
    memset(&z, 0, sizeof(z));
    if (inflateInit2(&z, 15 + 16) != Z_OK) return 500;
    int32_t status = 200;
    int rc = Z_OK;
    z.next_in = (z_const Bytef *)body.p;
    z.avail_in = (uInt)body.n;
    while (rc == Z_OK && status == 200) {
        uint8_t piece[4096];
        z.next_out = piece;
        z.avail_out = sizeof(piece);
        rc = inflate(&z, Z_NO_FLUSH);
        size_t n = sizeof(piece) - z.avail_out;
        if (m->last.n + n > MOCK_INGEST_BODY_MAX) status = 413;
        cad_sb_put(&m->last, (cad_str){(const char *)piece, n});
        if (rc == Z_OK && n == 0) break; /* the input ended */
    }
    if (status == 200 && (rc != Z_STREAM_END || z.avail_in != 0)) status = 400;
    inflateEnd(&z);
    return status;
}

static int64_t number(const struct cad_json *j)
{
    int64_t v;
    return cad_json_i64(j, &v) == 0 ? v : -1;
}

static void text(const struct cad_json *j, char *out, size_t cap)
{
    char memory[512];
    cad_str s;
    if (cad_json_string(j, memory, sizeof(memory), &s) == 0) cad_str_copyz(out, cap, s);
}

/* The members of an event, wherever they are: params, playTimes, or the body itself. */
static void read_members(struct mock_ingest_item *item, cad_str body)
{
    struct cad_json j;
    cad_json_init(&j, body, NULL);
    enum cad_json_type type;
    bool in_entries = false;
    while ((type = cad_json_next(&j)) != CAD_JSON_END && type != CAD_JSON_ERROR) {
        if (in_entries && type == CAD_JSON_OBJECT_BEGIN && cad_json_depth(&j) == 3) item->entries++;
        if (type != CAD_JSON_KEY) continue;
        bool xid = cad_json_key_is(&j, "xid"), reason = cad_json_key_is(&j, "reason");
        bool seq = cad_json_key_is(&j, "seq"), at = cad_json_key_is(&j, "position");
        bool total = cad_json_key_is(&j, "total");
        in_entries = in_entries || cad_json_key_is(&j, "entries");
        if (strcmp(item->name, "logblob") == 0) continue;
        if (!xid && !reason && !seq && !at && !total) continue;
        cad_json_next(&j);
        if (xid) text(&j, item->xid, sizeof(item->xid));
        if (reason) text(&j, item->reason, sizeof(item->reason));
        if (seq) item->seq = number(&j);
        if (at) item->position_ms = number(&j);
        if (total) item->rendered_ms = number(&j);
    }
}

static bool is_json(cad_str s)
{
    struct cad_json j;
    cad_json_init(&j, s, NULL);
    if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN || cad_json_skip(&j) != 0) return false;
    return cad_json_next(&j) == CAD_JSON_END;
}

static struct mock_ingest_item *find(struct mock_ingest *m, cad_str reqid)
{
    for (size_t i = m->count; i-- > 0;) {
        if (cad_str_eqz(reqid, m->items[i].reqid)) return &m->items[i];
    }
    return NULL;
}

static struct mock_ingest_item *append(struct mock_ingest *m)
{
    if (m->count == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 64;
        if (cap > MOCK_INGEST_EVENTS_MAX) return NULL;
        void *p = cad_alloc_resize(&m->alloc, m->items, m->cap * sizeof(*m->items),
                                   cap * sizeof(*m->items), CAD_MEM_OTHER);
        if (!p) return NULL;
        m->items = p;
        m->cap = cap;
    }
    struct mock_ingest_item *item = &m->items[m->count];
    *item = (struct mock_ingest_item){.order = (int64_t)m->count};
    m->count++;
    return item;
}

static int32_t take(struct mock_ingest *m, cad_str query, cad_buf body, bool gzip)
{
    cad_str reqid = cad_uri_query_value(query, CAD_STR("reqId"));
    cad_str name = cad_uri_query_value(query, CAD_STR("reqName"));
    uint64_t attempt;
    cad_str number_text = cad_uri_query_value(query, CAD_STR("reqAttempt"));
    if (cad_str_to_u64(number_text, &attempt) != 0) return 400;
    if (reqid.n != 32 || attempt == 0 || attempt > UINT32_MAX) return 400;
    if (!cad_str_eqz(name, "logblob") && !cad_str_starts(name, CAD_STR("events/"))) return 400;
    struct mock_ingest_item *item = find(m, reqid);
    if (item) {
        item->arrivals++;
        item->attempt_last = (uint32_t)attempt;
        m->duplicates++;
        return 200;
    }
    cad_sb_reset(&m->last);
    int32_t status = 200;
    if (gzip) {
        status = inflate_body(m, body);
    } else {
        if (body.n > MOCK_INGEST_BODY_MAX) return 413;
        cad_sb_put(&m->last, cad_str_from_buf(body));
    }
    if (status != 200) return status;
    if (cad_sb_error(&m->last) != 0) return 507;
    if (!is_json(cad_sb_str(&m->last))) return 400;
    item = append(m);
    if (!item) return 507;
    cad_str_copyz(item->reqid, sizeof(item->reqid), reqid);
    cad_str_copyz(item->name, sizeof(item->name), name);
    item->arrivals = 1;
    item->attempt_last = (uint32_t)attempt;
    read_members(item, cad_sb_str(&m->last));
    return 200;
}

int32_t mock_ingest_post(struct mock_ingest *m, cad_str target, cad_buf body, bool gzip)
{
    ptrdiff_t q = cad_str_find_char(target, '?');
    m->arrivals++;
    int32_t status = 400;
    if (q >= 0) status = take(m, cad_str_sub(target, (size_t)q + 1, SIZE_MAX), body, gzip);
    if (status != 200) m->refused++;
    return status;
}

static bool is_event(const struct mock_ingest_item *item)
{
    return strncmp(item->name, "events/", 7) == 0;
}

size_t mock_ingest_events(const struct mock_ingest *m, const char *xid, const char *type)
{
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++) {
        const struct mock_ingest_item *item = &m->items[i];
        if (!is_event(item)) continue;
        if (xid && strcmp(item->xid, xid) != 0) continue;
        if (type && strcmp(item->name + 7, type) != 0) continue;
        n++;
    }
    return n;
}

uint64_t mock_ingest_entries(const struct mock_ingest *m)
{
    uint64_t n = 0;
    for (size_t i = 0; i < m->count; i++) n += m->items[i].entries;
    return n;
}

bool mock_ingest_in_order(const struct mock_ingest *m, const struct mock_ingest_item **bad)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct mock_ingest_item *a = &m->items[i];
        if (!is_event(a)) continue;
        for (size_t k = i + 1; k < m->count; k++) {
            const struct mock_ingest_item *b = &m->items[k];
            if (!is_event(b) || strcmp(a->xid, b->xid) != 0 || b->seq > a->seq) continue;
            if (bad) *bad = b;
            return false;
        }
    }
    return true;
}

int mock_ingest_report(const struct mock_ingest *m, struct cad_sb *out)
{
    struct cad_jsonw w;
    size_t batches = 0;
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("events"));
    cad_jsonw_array(&w);
    for (size_t i = 0; i < m->count; i++) {
        const struct mock_ingest_item *item = &m->items[i];
        batches += !is_event(item);
        if (!is_event(item)) continue;
        cad_jsonw_object(&w);
        cad_jsonw_key_string(&w, "reqId", cad_str_from(item->reqid));
        cad_jsonw_key_string(&w, "type", cad_str_from(item->name + 7));
        cad_jsonw_key_string(&w, "xid", cad_str_from(item->xid));
        cad_jsonw_key_i64(&w, "seq", item->seq);
        cad_jsonw_key_i64(&w, "position", item->position_ms);
        cad_jsonw_key_i64(&w, "arrivals", item->arrivals);
        if (item->reason[0]) cad_jsonw_key_string(&w, "reason", cad_str_from(item->reason));
        cad_jsonw_end(&w);
    }
    cad_jsonw_end(&w);
    cad_jsonw_key_i64(&w, "batches", (int64_t)batches);
    cad_jsonw_key_i64(&w, "entries", (int64_t)mock_ingest_entries(m));
    cad_jsonw_key_i64(&w, "duplicates", (int64_t)m->duplicates);
    cad_jsonw_key_i64(&w, "refused", (int64_t)m->refused);
    cad_jsonw_end(&w);
    return cad_jsonw_error(&w);
}
