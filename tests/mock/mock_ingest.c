#include "mock/mock_ingest.h"

#include <string.h>

#include <zlib.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"

#define ANSWER_BYTES_MAX 1024
#define EVENT_PREFIX_BYTES 7 /* of "events/" */
#define IDS_FIRST 256 /* room of the table of ids when it is made */

/* ---- life ------------------------------------------------------------------------------------ */

void mock_ingest_init(struct mock_ingest *m, const struct cad_alloc *alloc)
{
    memset(m, 0, sizeof(*m));
    m->alloc = *alloc;
    cad_sb_init(&m->last, alloc, CAD_MEM_OTHER, MOCK_INGEST_BODY_MAX + 1);
    cad_sb_init(&m->answer, alloc, CAD_MEM_OTHER, ANSWER_BYTES_MAX);
    cad_str_copyz(m->limits, sizeof(m->limits), CAD_STR(MOCK_INGEST_LIMITS_DEFAULT));
}

static void forget(struct mock_ingest *m)
{
    cad_alloc_free(&m->alloc, m->items, m->cap * sizeof(*m->items), CAD_MEM_OTHER);
    cad_alloc_free(&m->alloc, m->ids, m->id_cap * sizeof(*m->ids), CAD_MEM_OTHER);
    cad_sb_deinit(&m->last);
    cad_sb_deinit(&m->answer);
}

void mock_ingest_deinit(struct mock_ingest *m)
{
    forget(m);
    memset(m, 0, sizeof(*m));
}

void mock_ingest_clear(struct mock_ingest *m)
{
    struct mock_ingest fresh;
    forget(m);
    mock_ingest_init(&fresh, &m->alloc);
    memcpy(fresh.scripts, m->scripts, sizeof(fresh.scripts));
    memcpy(fresh.limits, m->limits, sizeof(fresh.limits));
    fresh.stop = m->stop;
    *m = fresh;
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
    while ((type = cad_json_next(&j)) != CAD_JSON_END && type != CAD_JSON_ERROR) {
        if (type != CAD_JSON_KEY) continue;
        bool xid = cad_json_key_is(&j, "xid"), reason = cad_json_key_is(&j, "reason");
        bool seq = cad_json_key_is(&j, "seq"), at = cad_json_key_is(&j, "position");
        bool total = cad_json_key_is(&j, "total"), event = cad_json_key_is(&j, "event");
        if (!xid && !reason && !seq && !at && !total && !event) continue;
        cad_json_next(&j);
        if (xid) text(&j, item->xid, sizeof(item->xid));
        if (reason) text(&j, item->reason, sizeof(item->reason));
        if (seq) item->seq = number(&j);
        if (at) item->position_ms = number(&j);
        if (total) item->rendered_ms = number(&j);
        if (!event) continue;
        char name[32] = "";
        text(&j, name, sizeof(name));
        item->mismatched = strcmp(name, item->name + EVENT_PREFIX_BYTES) != 0;
    }
}

/* ---- log entries ----------------------------------------------------------------------------- */

/* true: the id is new. Ids are compared by their hashes; 0 stands for an empty place. */
static bool place_id(uint64_t *ids, size_t cap, uint64_t hash)
{
    size_t i = (size_t)hash & (cap - 1);
    while (ids[i] != 0 && ids[i] != hash) i = (i + 1) & (cap - 1);
    bool fresh = ids[i] == 0;
    ids[i] = hash;
    return fresh;
}

static bool grow_ids(struct mock_ingest *m)
{
    if (2 * m->id_count < m->id_cap) return true;
    size_t cap = m->id_cap ? 2 * m->id_cap : IDS_FIRST;
    if (cap > 2 * MOCK_INGEST_IDS_MAX) return false;
    size_t bytes = cap * sizeof(*m->ids);
    uint64_t *ids = cad_alloc_resize(&m->alloc, NULL, 0, bytes, CAD_MEM_OTHER);
    if (!ids) return false;
    memset(ids, 0, bytes);
    for (size_t i = 0; i < m->id_cap; i++) {
        if (m->ids[i] != 0) (void)place_id(ids, cap, m->ids[i]);
    }
    cad_alloc_free(&m->alloc, m->ids, m->id_cap * sizeof(*m->ids), CAD_MEM_OTHER);
    m->ids = ids;
    m->id_cap = cap;
    return true;
}

static void compare_id(struct mock_ingest *m, const char *id)
{
    if (id[0] == 0 || !grow_ids(m)) return;
    uint64_t hash = cad_hash64(id, strlen(id), 0);
    bool fresh = place_id(m->ids, m->id_cap, hash ? hash : 1);
    m->id_count += fresh;
    m->repeated += !fresh;
}

static void count_entry(struct mock_ingest *m, const char *name, const char *severity)
{
    static const char *const severities[] = {"info", "warn", "error"};
    size_t which = 0;
    while (which < MOCK_INGEST_OTHER && strcmp(severity, severities[which]) != 0) which++;
    size_t i = 0;
    while (i < m->type_count && strcmp(m->types[i].name, name) != 0) i++;
    if (i == MOCK_INGEST_TYPES_MAX) i--;
    if (i == m->type_count) {
        bool full = ++m->type_count == MOCK_INGEST_TYPES_MAX;
        cad_str_copyz(m->types[i].name, sizeof(m->types[i].name),
                      full ? CAD_STR("...") : cad_str_from(name));
    }
    m->types[i].counts[which]++;
}

/* j stands on an entry's brace. */
static void read_entry(struct mock_ingest *m, struct cad_json *j)
{
    char type[sizeof(m->types[0].name)] = "", severity[8] = "", id[64] = "";
    while (cad_json_next(j) == CAD_JSON_KEY) {
        bool is_type = cad_json_key_is(j, "type"), is_sev = cad_json_key_is(j, "sev");
        bool is_id = cad_json_key_is(j, "uniqueLogId");
        cad_json_next(j);
        if (is_type) text(j, type, sizeof(type));
        if (is_sev) text(j, severity, sizeof(severity));
        if (is_id) text(j, id, sizeof(id));
        if (cad_json_skip(j) != 0) return;
    }
    count_entry(m, type, severity);
    compare_id(m, id);
}

/* {"entries":[{..},..]}; another body has none. */
static void read_entries(struct mock_ingest *m, struct mock_ingest_item *item, cad_str body)
{
    struct cad_json j;
    cad_json_init(&j, body, NULL);
    if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) return;
    while (cad_json_next(&j) == CAD_JSON_KEY) {
        bool entries = cad_json_key_is(&j, "entries");
        if (cad_json_next(&j) != CAD_JSON_ARRAY_BEGIN || !entries) {
            if (cad_json_skip(&j) != 0) return;
            continue;
        }
        while (cad_json_next(&j) == CAD_JSON_OBJECT_BEGIN) {
            read_entry(m, &j);
            item->entries++;
        }
        if (cad_json_type(&j) != CAD_JSON_ARRAY_END) return;
    }
}

/* The batch, or what is in its one string: {"logblobs":"{\"entries\":[..]}"}. */
static void read_batch(struct mock_ingest *m, struct mock_ingest_item *item, cad_str body)
{
    struct cad_json j;
    cad_str inner;
    cad_json_init(&j, body, NULL);
    bool wrapped = cad_json_next(&j) == CAD_JSON_OBJECT_BEGIN &&
                   cad_json_next(&j) == CAD_JSON_KEY &&
                   cad_json_key_is(&j, "logblobs") && cad_json_next(&j) == CAD_JSON_STRING;
    if (!wrapped) {
        read_entries(m, item, body);
        return;
    }
    char *memory = cad_alloc_resize(&m->alloc, NULL, 0, body.n, CAD_MEM_OTHER);
    if (!memory) return;
    if (cad_json_string(&j, memory, body.n, &inner) == 0) read_entries(m, item, inner);
    cad_alloc_free(&m->alloc, memory, body.n, CAD_MEM_OTHER);
}

/* ---- requests -------------------------------------------------------------------------------- */

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

/* The body as JSON in m->last, or a status. */
static int32_t unpack(struct mock_ingest *m, cad_buf body, bool gzip)
{
    int32_t status = 200;
    cad_sb_reset(&m->last);
    m->zipped += gzip;
    if (gzip) {
        status = inflate_body(m, body);
    } else if (body.n > MOCK_INGEST_BODY_MAX) {
        status = 413;
    } else {
        cad_sb_put(&m->last, cad_str_from_buf(body));
    }
    if (status == 200 && cad_sb_error(&m->last) != 0) return 507;
    if (status == 200 && !is_json(cad_sb_str(&m->last))) status = 400;
    m->broken += status == 400;
    return status;
}

static int32_t take(struct mock_ingest *m, cad_str query, cad_buf body, bool gzip)
{
    cad_str reqid = cad_uri_query_value(query, CAD_STR("reqId"));
    cad_str name = cad_uri_query_value(query, CAD_STR("reqName"));
    uint64_t attempt;
    cad_str number_text = cad_uri_query_value(query, CAD_STR("reqAttempt"));
    bool event = cad_str_starts(name, CAD_STR("events/"));
    if (cad_str_to_u64(number_text, &attempt) != 0) return 400;
    if (reqid.n != 32 || attempt == 0 || attempt > UINT32_MAX) return 400;
    if (!cad_str_eqz(name, "logblob") && !event) return 400;
    if (name.n >= sizeof(m->items->name)) return 400;
    struct mock_ingest_item *item = find(m, reqid);
    if (item) {
        item->arrivals++;
        item->attempt_last = (uint32_t)attempt;
        m->duplicates++;
        return 200;
    }
    int32_t status = unpack(m, body, gzip);
    if (status != 200) return status;
    item = append(m);
    if (!item) return 507;
    cad_str_copyz(item->reqid, sizeof(item->reqid), reqid);
    cad_str_copyz(item->name, sizeof(item->name), name);
    cad_str_copyz(item->context, sizeof(item->context),
                  cad_uri_query_value(query, CAD_STR("playbackContextId")));
    item->arrivals = 1;
    item->attempt_first = item->attempt_last = (uint32_t)attempt;
    if (!event) {
        read_batch(m, item, cad_sb_str(&m->last));
        return 200;
    }
    read_members(item, cad_sb_str(&m->last));
    if (!item->mismatched) return 200;
    m->count--;
    m->broken++;
    return 400;
}

static cad_str query_of(cad_str target)
{
    ptrdiff_t q = cad_str_find_char(target, '?');
    return q < 0 ? (cad_str){NULL, 0} : cad_str_sub(target, (size_t)q + 1, SIZE_MAX);
}

int32_t mock_ingest_post(struct mock_ingest *m, cad_str target, cad_buf body, bool gzip)
{
    m->arrivals++;
    int32_t status = take(m, query_of(target), body, gzip);
    if (status != 200) m->refused++;
    return status;
}

/* ---- serving, as the script says ------------------------------------------------------------- */

int mock_ingest_channel(cad_str path)
{
    if (cad_str_eqz(path, MOCK_INGEST_EVENTS_PATH)) return MOCK_INGEST_EVENTS;
    if (cad_str_eqz(path, MOCK_INGEST_LOG_PATH)) return MOCK_INGEST_LOG;
    if (cad_str_eqz(path, "/log/cadmium/logblob/1")) return MOCK_INGEST_LOG;
    return -1;
}

/* Whether this request meets the script's fault. */
static enum mock_ingest_fault meet(struct mock_ingest *m, struct mock_ingest_script *script)
{
    if (script->fault == MOCK_INGEST_OK || script->left == 0) return MOCK_INGEST_OK;
    if (script->left > 0) script->left--;
    m->faults++;
    return script->fault;
}

/* "{}", or the wish that the playback of this event stops. */
static void write_answer(struct mock_ingest *m, cad_str query)
{
    struct cad_jsonw w;
    struct mock_ingest_stop *stop = &m->stop;
    const struct mock_ingest_item *item =
        find(m, cad_uri_query_value(query, CAD_STR("reqId")));
    cad_sb_reset(&m->answer);
    cad_jsonw_init(&w, &m->answer);
    cad_jsonw_object(&w);
    if (stop->left != 0 && item && mock_ingest_is_event(item) &&
        (stop->xid[0] == 0 || strcmp(stop->xid, item->xid) == 0)) {
        if (stop->left > 0) stop->left--;
        cad_jsonw_key(&w, CAD_STR("stop"));
        cad_jsonw_object(&w);
        cad_jsonw_key_string(&w, "code", cad_str_from(stop->code));
        cad_jsonw_key_string(&w, "message", cad_str_from(stop->message));
        cad_jsonw_end(&w);
    }
    cad_jsonw_end(&w);
}

/* A request under the other channel's name is as wrong as one under a foreign name. */
static bool is_named_for(enum mock_ingest_channel channel, cad_str query)
{
    cad_str name = cad_uri_query_value(query, CAD_STR("reqName"));
    return cad_str_eqz(name, "logblob") == (channel == MOCK_INGEST_LOG);
}

void mock_ingest_serve(struct mock_ingest *m, const struct mock_ingest_request *request,
                       struct mock_ingest_answer *out)
{
    struct mock_ingest_script *script = &m->scripts[request->channel];
    cad_str query = query_of(request->target);
    *out = (struct mock_ingest_answer){.status = 405, .think = script->think};
    if (!cad_str_eqz(request->method, "POST")) return;
    enum mock_ingest_fault fault = meet(m, script);
    if (fault == MOCK_INGEST_STATUS || fault == MOCK_INGEST_REFUSE) {
        m->arrivals++;
        m->lost += fault == MOCK_INGEST_REFUSE;
        out->lost = fault == MOCK_INGEST_REFUSE;
        out->status = script->status;
        out->retry_after_s = script->retry_after_s;
        return;
    }
    size_t before = m->count;
    if (is_named_for(request->channel, query)) {
        out->status = mock_ingest_post(m, request->target, request->body, request->gzip);
    } else {
        out->status = 400;
        m->arrivals++;
        m->refused++;
    }
    out->taken = m->count > before;
    out->lost = fault == MOCK_INGEST_DROP;
    m->lost += out->lost;
    if (out->lost) return;
    if (request->channel == MOCK_INGEST_LOG && m->limits[0]) out->limits = m->limits;
    if (out->status != 200) return;
    write_answer(m, query);
    out->body = cad_sb_str(&m->answer);
}

/* ---- what is held ---------------------------------------------------------------------------- */

bool mock_ingest_is_event(const struct mock_ingest_item *item)
{
    return strncmp(item->name, "events/", EVENT_PREFIX_BYTES) == 0;
}

size_t mock_ingest_events(const struct mock_ingest *m, const char *xid, const char *type)
{
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++) {
        const struct mock_ingest_item *item = &m->items[i];
        if (!mock_ingest_is_event(item)) continue;
        if (xid && strcmp(item->xid, xid) != 0) continue;
        if (type && strcmp(item->name + EVENT_PREFIX_BYTES, type) != 0) continue;
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
        if (!mock_ingest_is_event(a)) continue;
        for (size_t k = i + 1; k < m->count; k++) {
            const struct mock_ingest_item *b = &m->items[k];
            if (!mock_ingest_is_event(b) || strcmp(a->xid, b->xid) != 0) continue;
            if (b->seq > a->seq) continue;
            if (bad) *bad = b;
            return false;
        }
    }
    return true;
}
