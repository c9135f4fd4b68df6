/*
 * Events as bytes. Every number of an event is a row of a table; a row that changed since the last
 * event of its type is told as a difference. A new field is a new row at the end of its table: an
 * older tape leaves it as it was in nothing (0), an older reader passes over it.
 *
 *     varint rows  varint bits of the rows that changed  zigzag difference of each
 *     then what is no number: texts (varint size, bytes), the reads of an HTTP_END
 *
 * A difference of 0 stands for CAD_TIME_NONE, which is far from every time.
 */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/tape.h"

enum type { T_I64, T_U64, T_U32, T_I32, T_BOOL, T_ENUM };

struct row {
    const char *name;
    uint16_t place;   /* in struct cad_event */
    uint8_t type;
    uint8_t most;     /* of an enum */
};

#define ROW(text, field, kind) {text, offsetof(struct cad_event, u.field), kind, 0}
#define ENUM(text, field, most) {text, offsetof(struct cad_event, u.field), T_ENUM, most}

static const struct row command_rows[] = {
    ENUM("type", command.type, CAD_COMMAND_PREPARE),
    ROW("ticket", command.ticket, T_U32),
    ROW("start", command.title.start, T_I64),
    ROW("position", command.position, T_I64),
    ROW("rung", command.rung, T_I32),
    ROW("rate_q16", command.rate_q16, T_U32),
};
static const struct row head_rows[] = {
    ROW("id", head.id, T_U32),
    ROW("status", head.status, T_I32),
    ROW("length", head.length, T_I64),
    ROW("first", head.range.first, T_I64),
    ROW("last", head.range.last, T_I64),
    ROW("total", head.total, T_I64),
    ROW("date_ms", head.date_ms, T_I64),
    ROW("retry_after", head.retry_after, T_I64),
    ENUM("address", head.address, CAD_ADDRESS_LOOPBACK),
    ROW("http", head.http_version, T_U32),
};
static const struct row end_rows[] = {
    ROW("id", end.id, T_U32),
    ENUM("class", end.cls, CAD_HTTP_ADDRESS),
    ROW("edge_code", end.edge_code, T_I64),
    ROW("dns", end.dns, T_I64),
    ROW("connect", end.connect, T_I64),
    ROW("tls", end.tls, T_I64),
    ROW("first_byte", end.first_byte, T_I64),
    ROW("last_byte", end.last_byte, T_I64),
    ROW("reused", end.reused, T_BOOL),
};
static const struct row caps_rows[] = {
    ROW("codecs", caps.codecs, T_U32),
    ROW("width_max", caps.width_max, T_U32),
    ROW("height_max", caps.height_max, T_U32),
    ROW("video", caps.video, T_BOOL),
    ROW("audio", caps.audio, T_BOOL),
    ROW("fixed_codec", caps.fixed_codec, T_BOOL),
    ROW("fixed_resolution", caps.fixed_resolution, T_BOOL),
    ROW("passthrough", caps.passthrough, T_U32),
    ROW("rate_min_q16", caps.rate_min_q16, T_U32),
    ROW("rate_max_q16", caps.rate_max_q16, T_U32),
    ROW("text", caps.text, T_BOOL),
};
static const struct row anchor_rows[] = {
    ROW("epoch", anchor.epoch, T_U32),
    ROW("media", anchor.media, T_I64),
    ROW("at", anchor.at, T_I64),
    ROW("rate_q16", anchor.rate_q16, T_U32),
    ROW("underrun", anchor.underrun, T_BOOL),
};
static const struct row level_rows[] = {
    ROW("epoch", level.epoch, T_U32),
    ROW("first_frame", level.first_frame, T_BOOL),
    ROW("first_frame_pts", level.first_frame_pts, T_I64),
    ROW("drained", level.drained, T_BOOL),
    ROW("frames", level.frames, T_U64),
    ROW("dropped", level.dropped, T_U64),
};
static const struct row fail_rows[] = {
    ROW("slot", fail.slot, T_U32),
    ROW("error", fail.error, T_I32),
    ROW("edge_code", fail.edge_code, T_I64),
};
static const struct row net_rows[] = {ROW("online", net.online, T_BOOL)};
static const struct row wall_rows[] = {
    ROW("offset_ms", wall.offset_ms, T_I64),
    ROW("error_ms", wall.error_ms, T_I64),
};

/* A CDM is somebody else's: its words may be any number, and an engine takes them. */
static const struct row cdm_rows[] = {
    ROW("type", cdm.type, T_U32),
    ROW("session", cdm.tag.session, T_U32),
    ROW("epoch", cdm.tag.epoch, T_U32),
    ROW("op", cdm.tag.op, T_U32),
    ROW("result", cdm.result, T_I32),
    ROW("code", cdm.system_code, T_U32),
    ROW("message", cdm.message, T_U32),
    ROW("closed", cdm.closed, T_U32),
    ROW("time", cdm.time, T_I64),
    ROW("hdcp", cdm.hdcp, T_I32),
};

#undef ROW
#define ROW(text, field, kind) {text, offsetof(struct cad_cdm_caps, field), kind, 0}

/* Of what the event shows. */
static const struct row cdm_caps_rows[] = {
    ROW("schemes", schemes, T_U32),
    ROW("session_types", session_types, T_U32),
    ROW("init_types", init_types, T_U32),
    ROW("flags", flags, T_U32),
    ROW("sessions_max", sessions_max, T_U32),
    ROW("keys_max", keys_max, T_U32),
    ROW("subsamples_max", subsamples_max, T_U32),
    ROW("init_bytes_max", init_bytes_max, T_U32),
    ROW("licence_bytes_max", licence_bytes_max, T_U32),
    ROW("block_max", block_max, T_I64),
};

#undef ROW
#undef ENUM

#define TABLE(name, rows) {name, rows, CAD_ARRAY_LEN(rows)}

static const struct table {
    const char *name;
    const struct row *rows;
    size_t count;
} tables[TAPE_EVENTS] = {
    [CAD_EVENT_COMMAND] = TABLE("command", command_rows),
    [CAD_EVENT_HTTP_HEAD] = TABLE("head", head_rows),
    [CAD_EVENT_HTTP_END] = TABLE("end", end_rows),
    [CAD_EVENT_SINK_CAPS] = TABLE("caps", caps_rows),
    [CAD_EVENT_SINK_ANCHOR] = TABLE("anchor", anchor_rows),
    [CAD_EVENT_SINK_LEVEL] = TABLE("level", level_rows),
    [CAD_EVENT_SINK_FAIL] = TABLE("fail", fail_rows),
    [CAD_EVENT_NET_CHANGE] = TABLE("net", net_rows),
    [CAD_EVENT_WALL_OFFSET] = TABLE("wall", wall_rows),
    [CAD_EVENT_ENTROPY] = {"entropy", NULL, 0},
    [CAD_EVENT_CDM_CAPS] = TABLE("cdm-caps", cdm_caps_rows),
    [CAD_EVENT_CDM] = TABLE("cdm", cdm_rows),
};

#undef TABLE

static int64_t load(const struct cad_event *event, const struct row *row)
{
    bool shown = event->type == CAD_EVENT_CDM_CAPS;
    const char *p = shown ? (const char *)event->u.cdm_caps : (const char *)event;
    p += row->place;
    int64_t v = 0;
    uint32_t u;
    int32_t i;
    bool b;
    switch ((enum type)row->type) {
    case T_I64:
    case T_U64: memcpy(&v, p, sizeof(v)); return v;
    case T_ENUM:
    case T_U32: memcpy(&u, p, sizeof(u)); return u;
    case T_I32: memcpy(&i, p, sizeof(i)); return i;
    case T_BOOL: memcpy(&b, p, sizeof(b)); return b;
    }
    return 0;
}

/* False: the number is none that this field can have. */
static bool store(void *object, const struct row *row, int64_t v)
{
    char *p = (char *)object + row->place;
    uint32_t u;
    int32_t i;
    bool b = v != 0;
    switch ((enum type)row->type) {
    case T_I64:
    case T_U64: memcpy(p, &v, sizeof(v)); return true;
    case T_ENUM:
    case T_U32:
        if (cad_i64_to_u32(v, &u) == false || (row->type == T_ENUM && u > row->most)) return false;
        memcpy(p, &u, sizeof(u));
        return true;
    case T_I32:
        if (cad_i64_to_i32(v, &i) == false) return false;
        memcpy(p, &i, sizeof(i));
        return true;
    case T_BOOL:
        memcpy(p, &b, sizeof(b));
        return v == 0 || v == 1;
    }
    return false;
}

/* ---- out ---- */

static void put_rows(const struct table *t, int64_t *past, const struct cad_event *event,
                     struct cad_sb *out)
{
    int64_t values[TAPE_FIELDS_MAX];
    uint64_t changed = 0;
    for (size_t i = 0; i < t->count; i++) {
        values[i] = load(event, &t->rows[i]);
        if (values[i] != past[i]) changed |= UINT64_C(1) << i;
    }
    tape_put_u64(out, t->count);
    tape_put_u64(out, changed);
    for (size_t i = 0; i < t->count; i++) {
        if (!(changed >> i & 1)) continue;
        if (values[i] == INT64_MIN) {
            tape_put_i64(out, 0);
            continue; /* the next one is told from the last that was one */
        }
        tape_put_i64(out, (int64_t)((uint64_t)values[i] - (uint64_t)past[i]));
        past[i] = values[i];
    }
}

static void put_text(struct cad_sb *out, cad_str text)
{
    tape_put_u64(out, text.n);
    cad_sb_put(out, text);
}

static void put_reads(struct cad_sb *out, const struct cad_http_end *end)
{
    uint32_t count = CAD_MIN(end->read_count, CAD_HTTP_READS_MAX);
    struct cad_http_read last = {end->last_byte, 0};
    tape_put_u64(out, count);
    for (uint32_t i = 0; i < count; i++) {
        tape_put_i64(out, (int64_t)((uint64_t)end->reads[i].at - (uint64_t)last.at));
        tape_put_i64(out, (int64_t)((uint64_t)end->reads[i].bytes - (uint64_t)last.bytes));
        last = end->reads[i];
    }
}

static void put_head_texts(struct cad_sb *out, const struct cad_http_head *head)
{
    uint32_t count = CAD_MIN(head->header_count, CAD_HTTP_HEADERS_MAX);
    put_text(out, head->location);
    tape_put_u64(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_text(out, head->headers[i].name);
        put_text(out, head->headers[i].value);
    }
}

static void put_systems(struct cad_sb *out, const struct cad_cdm_caps *caps)
{
    uint32_t count = CAD_MIN(caps->system_id_count, TAPE_SYSTEMS_MAX);
    tape_put_u64(out, count);
    for (uint32_t i = 0; i < count; i++) {
        tape_put_bytes(out, caps->system_ids[i], CAD_SYSTEM_ID_SIZE);
    }
    put_text(out, caps->robustness);
    put_text(out, caps->version);
}

/* Key ids and what can be said of them; of data the length alone. */
static void put_cdm(struct cad_sb *out, const struct cad_cdm_event *event)
{
    uint32_t count = CAD_MIN(event->key_count, TAPE_KEYS_MAX);
    put_text(out, event->url);
    tape_put_u64(out, event->data.n);
    tape_put_u64(out, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct cad_cdm_key *key = &event->keys[i];
        tape_put_bytes(out, key->kid, sizeof(key->kid));
        tape_put_u64(out, key->status);
        tape_put_u64(out, key->system_code);
    }
}

static void put_rest(struct cad_sb *out, const struct cad_event *event)
{
    const struct cad_command *c = &event->u.command;
    cad_str none = {NULL, 0};
    bool load = event->type == CAD_EVENT_COMMAND &&
                (c->type == CAD_COMMAND_LOAD || c->type == CAD_COMMAND_PREPARE);
    bool track = event->type == CAD_EVENT_COMMAND && c->type == CAD_COMMAND_TRACK;
    switch (event->type) {
    case CAD_EVENT_COMMAND:
        put_text(out, load ? c->title.url : none);
        put_text(out, load ? c->title.base : none);
        put_text(out, load ? c->title.id : none);
        put_text(out, track ? cad_str_from(c->track) : none);
        break;
    case CAD_EVENT_HTTP_HEAD: put_head_texts(out, &event->u.head); break;
    case CAD_EVENT_CDM_CAPS: put_systems(out, event->u.cdm_caps); break;
    case CAD_EVENT_CDM: put_cdm(out, &event->u.cdm); break;
    case CAD_EVENT_HTTP_END: put_reads(out, &event->u.end); break;
    case CAD_EVENT_SINK_FAIL: put_text(out, cad_str_from(event->u.fail.message)); break;
    case CAD_EVENT_ENTROPY: tape_put_u64(out, event->u.entropy.n); break;
    default: break;
    }
}

int tape_event_put(struct tape_past *past, const struct cad_event *event, struct cad_sb *scratch,
                   struct cad_sb *out)
{
    if ((size_t)event->type >= TAPE_EVENTS || !tables[event->type].name) return CAD_E_UNSUPPORTED;
    const struct table *t = &tables[event->type];
    cad_sb_reset(scratch);
    if (t->count) put_rows(t, past->fields[event->type], event, scratch);
    put_rest(scratch, event);
    if (cad_sb_error(scratch)) return cad_sb_error(scratch);
    put_text(out, cad_sb_str(scratch));
    return cad_sb_error(out);
}

/* ---- in ---- */

static bool get_rows(const struct table *t, int64_t *past, struct tape_reader *r, void *out)
{
    uint64_t count = tape_get_max(r, 63);
    uint64_t changed = tape_get_u64(r);
    bool good = true;
    for (uint64_t i = 0; i < count; i++) {
        bool new = changed >> i & 1;
        int64_t difference = new ? tape_get_i64(r) : 0;
        if (i >= t->count) continue;
        int64_t v = past[i];
        if (new && difference == 0) {
            v = INT64_MIN;
        } else if (new) {
            v = past[i] = (int64_t)((uint64_t)past[i] + (uint64_t)difference);
        }
        good = store(out, &t->rows[i], v) && good;
    }
    return good && !r->failed;
}

static cad_str get_text(struct tape_reader *r)
{
    uint64_t n = tape_get_max(r, TAPE_RECORD_MAX);
    cad_buf bytes = tape_get_bytes(r, (size_t)n);
    return cad_str_from_buf(bytes);
}

static void get_reads(struct tape_reader *r, struct cad_http_end *end)
{
    end->read_count = (uint32_t)tape_get_max(r, CAD_HTTP_READS_MAX);
    struct cad_http_read last = {end->last_byte, 0};
    for (uint32_t i = 0; i < end->read_count; i++) {
        last.at = (int64_t)((uint64_t)last.at + (uint64_t)tape_get_i64(r));
        last.bytes = (int64_t)((uint64_t)last.bytes + (uint64_t)tape_get_i64(r));
        end->reads[i] = last;
    }
}

/* A tape of before they were told has none. */
static void get_head_texts(struct tape_past *past, struct tape_reader *r,
                           struct cad_http_head *head)
{
    head->location = get_text(r);
    if (r->n == 0) return;
    head->header_count = (uint32_t)tape_get_max(r, CAD_HTTP_HEADERS_MAX);
    head->headers = past->headers;
    for (uint32_t i = 0; i < head->header_count; i++) {
        past->headers[i].name = get_text(r);
        past->headers[i].value = get_text(r);
    }
}

static void get_systems(struct tape_past *past, struct tape_reader *r)
{
    struct cad_cdm_caps *caps = &past->caps;
    caps->size = sizeof(*caps);
    caps->system_id_count = (uint32_t)tape_get_max(r, TAPE_SYSTEMS_MAX);
    caps->system_ids = past->systems;
    for (uint32_t i = 0; i < caps->system_id_count; i++) {
        cad_buf id = tape_get_bytes(r, CAD_SYSTEM_ID_SIZE);
        if (id.n == CAD_SYSTEM_ID_SIZE) memcpy(past->systems[i], id.p, id.n);
    }
    caps->robustness = get_text(r);
    caps->version = get_text(r);
}

static void get_cdm(struct tape_past *past, struct tape_reader *r, struct cad_cdm_event *event)
{
    event->size = sizeof(*event);
    event->url = get_text(r);
    event->data.n = (size_t)tape_get_max(r, TAPE_RECORD_MAX);
    event->key_count = (uint32_t)tape_get_max(r, TAPE_KEYS_MAX);
    event->keys = past->keys;
    for (uint32_t i = 0; i < event->key_count; i++) {
        struct cad_cdm_key *key = &past->keys[i];
        cad_buf kid = tape_get_bytes(r, sizeof(key->kid));
        if (kid.n == sizeof(key->kid)) memcpy(key->kid, kid.p, kid.n);
        key->status = (enum cad_key_status)tape_get_max(r, UINT32_MAX);
        key->system_code = (uint32_t)tape_get_max(r, UINT32_MAX);
    }
}

static void get_rest(struct tape_past *past, struct tape_reader *r, struct cad_event *out)
{
    struct cad_command *c = &out->u.command;
    switch (out->type) {
    case CAD_EVENT_COMMAND:
        c->title.url = get_text(r);
        c->title.base = get_text(r);
        c->title.id = get_text(r);
        (void)cad_str_copyz(c->track, sizeof(c->track), get_text(r));
        break;
    case CAD_EVENT_HTTP_HEAD: get_head_texts(past, r, &out->u.head); break;
    case CAD_EVENT_CDM_CAPS: get_systems(past, r); break;
    case CAD_EVENT_CDM: get_cdm(past, r, &out->u.cdm); break;
    case CAD_EVENT_HTTP_END: get_reads(r, &out->u.end); break;
    case CAD_EVENT_SINK_FAIL:
        (void)cad_str_copyz(out->u.fail.message, sizeof(out->u.fail.message), get_text(r));
        break;
    case CAD_EVENT_ENTROPY: out->u.entropy.n = (size_t)tape_get_max(r, TAPE_RECORD_MAX); break;
    default: break;
    }
}

int tape_event_get(struct tape_past *past, enum cad_event_type type, struct tape_reader *r,
                   struct cad_event *out)
{
    if ((size_t)type >= TAPE_EVENTS || !tables[type].name) return CAD_E_DATA;
    const struct table *t = &tables[type];
    cad_str text = get_text(r);
    struct tape_reader fields = {cad_buf_from_str(text).p, text.n, r->failed};
    memset(out, 0, sizeof(*out));
    out->type = type;
    void *object = out;
    if (type == CAD_EVENT_CDM_CAPS) {
        out->u.cdm_caps = &past->caps;
        object = &past->caps;
    }
    bool good = t->count == 0 || get_rows(t, past->fields[type], &fields, object);
    get_rest(past, &fields, out);
    return good && !fields.failed && !r->failed ? CAD_OK : CAD_E_DATA;
}

/* ---- for people ---- */

void tape_event_text(const struct cad_event *event, struct cad_sb *out)
{
    if ((size_t)event->type >= TAPE_EVENTS) return;
    const struct table *t = &tables[event->type];
    cad_sb_putz(out, t->name);
    for (size_t i = 0; i < t->count; i++) {
        int64_t v = load(event, &t->rows[i]);
        if (v == INT64_MIN) continue;
        cad_sb_printf(out, " %s=", t->rows[i].name);
        bool is_class = event->type == CAD_EVENT_HTTP_END && strcmp(t->rows[i].name, "class") == 0;
        bool is_cdm = event->type == CAD_EVENT_CDM && i == 0;
        if (is_class) cad_sb_putz(out, cad_http_class_name(event->u.end.cls));
        else if (is_cdm) cad_sb_putz(out, cad_cdm_event_name(event->u.cdm.type));
        else cad_sb_printf(out, "%" PRId64, v);
    }
    if (event->type == CAD_EVENT_HTTP_END) {
        cad_sb_printf(out, " reads=%u", event->u.end.read_count);
    }
    if (event->type == CAD_EVENT_ENTROPY) {
        cad_sb_printf(out, " bytes=%u", (unsigned)event->u.entropy.n);
    }
    if (event->type == CAD_EVENT_CDM) {
        cad_sb_printf(out, " bytes=%u keys=%u", (unsigned)event->u.cdm.data.n,
                      event->u.cdm.key_count);
    }
}
