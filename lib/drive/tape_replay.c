/*
 * Playing a tape back: the records become the calls that a driver made, in the same order.
 *
 * A tape is input from outside. What it feeds goes through the engine's own doors, which take
 * anything; what it makes the engine hold is bounded by the ceiling in its header.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/tape.h"

#define ENTROPY_MAX 4096u  /* bytes of one ENTROPY */
#define ZEROS_MAX (1u << 20) /* bytes of a message or a licence */

/* A request that is in flight in the engine that is replayed. */
struct live {
    uint32_t id;
    bool control;
    bool looked;           /* its BODY was looked for */
    cad_buf body;          /* what is left of its BODY */
};

struct cad_tape_replay {
    struct cad_tape_options options;
    cad_buf tape;
    size_t at;
    struct tape_header header;
    struct cad_engine *engine;
    struct tape_past past;
    struct live live[CAD_TAPE_REQUESTS_MAX];
    uint32_t live_next;
    int64_t id_last, at_last;
    uint64_t waiting;      /* actions that the recorded driver had not polled yet */
    bool cut;              /* a body is not on the tape any more */
    bool silent;           /* nothing is logged any more */
    uint64_t decisions;
    uint8_t *zeros;        /* zeros_n of them, for what is on a tape by its length only */
    size_t zeros_n;
    struct cad_tape_result result;
};

const char *cad_tape_end_name(enum cad_tape_end end)
{
    static const char *const names[] = {"goes on", "whole", "cut", "until", "broken"};
    return (size_t)end < CAD_ARRAY_LEN(names) ? names[end] : "?";
}

void cad_tape_options_init(struct cad_tape_options *options)
{
    memset(options, 0, sizeof(*options));
    options->size = sizeof(*options);
    options->alloc = cad_alloc_system();
    options->until = CAD_TIME_NONE;
}

/* ---- requests ---------------------------------------------------------------------------- */

static struct live *find(struct cad_tape_replay *r, uint32_t id)
{
    for (size_t i = 0; i < CAD_TAPE_REQUESTS_MAX; i++) {
        if (id != 0 && r->live[i].id == id) return &r->live[i];
    }
    return NULL;
}

static void started(struct cad_tape_replay *r, const struct cad_http_start *start)
{
    struct live *live = &r->live[r->live_next++ % CAD_TAPE_REQUESTS_MAX];
    bool media = start->purpose == CAD_PURPOSE_HEADER || start->purpose == CAD_PURPOSE_SEGMENT;
    *live = (struct live){.id = start->id, .control = !media};
}

/* Do what a driver does with actions: nothing, here. */
static uint64_t poll_all(struct cad_tape_replay *r)
{
    struct cad_action action;
    uint64_t n = 0;
    while (cad_engine_poll(r->engine, &action) == 0) {
        n++;
        if (action.type == CAD_ACTION_HTTP_START) started(r, &action.u.start);
        if (!r->options.on_action) continue;
        r->options.on_action(r->options.ctx, r->result.now, &action);
    }
    return n;
}

static bool body_of(cad_buf record, uint32_t *id, cad_buf *out)
{
    struct tape_reader reader = {record.p, record.n, false};
    *id = (uint32_t)tape_get_max(&reader, UINT32_MAX);
    *out = (cad_buf){reader.p, reader.n};
    return !reader.failed;
}

/* The BODY of a request, which comes when it is over: further on in the tape. */
static bool look_ahead(const struct cad_tape_replay *r, uint32_t id, cad_buf *out)
{
    cad_buf rest = {r->tape.p + r->at, r->tape.n - r->at};
    struct tape_record record;
    while (tape_get_record(rest, false, &record) == 0) {
        uint32_t of;
        bool right = record.kind == TAPE_BODY && body_of(record.body, &of, out) && of == id;
        if (right) return tape_get_record(rest, true, &record) == 0;
        rest.p += record.size;
        rest.n -= record.size;
    }
    return false;
}

static void take_body(struct cad_tape_replay *r, cad_buf record)
{
    uint32_t id;
    cad_buf body;
    if (!body_of(record, &id, &body)) return;
    struct live *live = find(r, id);
    if (!live || live->looked) return;
    live->looked = true;
    live->body = body;
}

/* ---- bytes ------------------------------------------------------------------------------- */

/* Commit n bytes: those of `bytes`, then zeros. What the engine refuses it refused before. */
static void commit(struct cad_tape_replay *r, uint32_t id, cad_buf bytes, size_t n, cad_time at)
{
    while (n > 0) {
        uint8_t *data = NULL;
        size_t capacity = 0;
        if (cad_engine_lease(r->engine, id, n, &data, &capacity) != 0) return;
        size_t take = CAD_MIN(n, capacity), have = CAD_MIN(take, bytes.n);
        if (have) memcpy(data, bytes.p, have);
        memset(data + have, 0, take - have);
        if (cad_engine_commit(r->engine, id, take, at) != 0) return;
        if (have) bytes = (cad_buf){bytes.p + have, bytes.n - have};
        n -= take;
    }
}

static void gap(struct cad_tape_replay *r, uint32_t id, size_t n, cad_time at)
{
    int rc = cad_engine_commit_hole(r->engine, id, n, at);
    /* A control body has no holes, and a buffer only so many. */
    if (rc == CAD_E_INVAL || rc == CAD_E_LIMIT) commit(r, id, (cad_buf){NULL, 0}, n, at);
}

static void control(struct cad_tape_replay *r, uint32_t id, size_t n, cad_time at)
{
    struct live *live = find(r, id);
    if (!live || !live->control) return;
    if (!live->looked) {
        live->looked = true;
        r->cut = !look_ahead(r, id, &live->body);
        if (r->cut) return;
    }
    commit(r, id, live->body, n, at);
    size_t used = CAD_MIN(n, live->body.n);
    if (used) live->body = (cad_buf){live->body.p + used, live->body.n - used};
}

/* ---- ops --------------------------------------------------------------------------------- */

static void say(struct cad_tape_replay *r, const struct cad_sb *sb)
{
    r->options.on_input(r->options.ctx, r->result.now, cad_sb_str(sb));
}

static void say_bytes(struct cad_tape_replay *r, const char *what, uint32_t id, size_t n)
{
    char text[96];
    struct cad_sb sb;
    if (!r->options.on_input) return;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    cad_sb_printf(&sb, "%s id=%u bytes=%llu", what, id, (unsigned long long)n);
    say(r, &sb);
}

static int play_bytes(struct cad_tape_replay *r, uint64_t op, struct tape_reader *ops)
{
    int64_t id = (int64_t)((uint64_t)r->id_last + (uint64_t)tape_get_i64(ops));
    size_t n = (size_t)tape_get_max(ops, CAD_MAX(TAPE_RECORD_MAX, 1u << 30));
    cad_time at = (int64_t)((uint64_t)r->at_last + (uint64_t)tape_get_i64(ops));
    cad_buf bytes = {NULL, 0};
    if (op == TAPE_OP_BYTES) bytes = tape_get_bytes(ops, n);
    if (ops->failed || id < 0 || id > UINT32_MAX || at < 0 || at > TAPE_NOW_MAX) return CAD_E_DATA;
    r->id_last = id;
    r->at_last = at;
    uint32_t of = (uint32_t)id;
    say_bytes(r, op == TAPE_OP_GAP ? "payload" : "bytes", of, n);
    if (op == TAPE_OP_BYTES) commit(r, of, bytes, n, at);
    else if (op == TAPE_OP_GAP) gap(r, of, n, at);
    else control(r, of, n, at);
    return r->cut ? CAD_E_AGAIN : CAD_OK;
}

static int play_pulls(struct cad_tape_replay *r, struct tape_reader *ops)
{
    uint32_t slot = (uint32_t)tape_get_max(ops, CAD_ENGINE_SLOTS - 1);
    uint64_t count = tape_get_max(ops, 1u << 24);
    if (ops->failed) return CAD_E_DATA;
    for (; count > 0; count--) {
        struct cad_sample sample;
        sample.ref = sample.crypt_ref = NULL;
        int rc = cad_engine_pull(r->engine, slot, &sample);
        if (rc != 0 && rc != CAD_E_CONFIG) continue;
        cad_ref_unref(&sample.ref);
        cad_ref_unref(&sample.crypt_ref);
    }
    return CAD_OK;
}

/* What no driver says, and an engine need not withstand: times far from all others. */
static bool is_sane(const struct cad_tape_replay *r, const struct cad_event *event)
{
    cad_time most = TAPE_NOW_MAX;
    const struct cad_sink_anchor *a = &event->u.anchor;
    const struct cad_http_end *end = &event->u.end;
    switch (event->type) {
    case CAD_EVENT_SINK_ANCHOR:
        return a->at >= 0 && a->at <= most && a->media > -most && a->media < most;
    case CAD_EVENT_HTTP_END:
        for (uint32_t i = 0; i < end->read_count; i++) {
            if (end->reads[i].at < 0 || end->reads[i].at > most) return false;
        }
        return end->id != 0;
    case CAD_EVENT_CDM: return event->u.cdm.data.n <= ZEROS_MAX;
    case CAD_EVENT_SINK_FAIL: return event->u.fail.slot < CAD_ENGINE_TRACKS;
    default: return r != NULL;
    }
}

/* At least n zeros, until the next call; NULL: no memory. */
static const uint8_t *zeros(struct cad_tape_replay *r, size_t n)
{
    if (n <= r->zeros_n) return r->zeros;
    uint8_t *p = cad_alloc_new(&r->options.alloc, n, CAD_MEM_OTHER);
    if (!p) return NULL;
    cad_alloc_free(&r->options.alloc, r->zeros, r->zeros_n, CAD_MEM_OTHER);
    r->zeros = p;
    r->zeros_n = n;
    return p;
}

static int play_event(struct cad_tape_replay *r, uint64_t op, struct tape_reader *ops)
{
    static const uint8_t noise[ENTROPY_MAX]; /* no decision depends on the bytes */
    struct cad_event event;
    if (op - TAPE_OP_EVENT >= TAPE_EVENTS) return CAD_E_DATA;
    int rc = tape_event_get(&r->past, (enum cad_event_type)(op - TAPE_OP_EVENT), ops, &event);
    if (rc != 0 || !is_sane(r, &event)) return CAD_E_DATA;
    if (event.type == CAD_EVENT_ENTROPY) {
        if (event.u.entropy.n > ENTROPY_MAX) return CAD_E_DATA;
        event.u.entropy.p = noise;
    }
    if (event.type == CAD_EVENT_CDM && event.u.cdm.data.n > 0) {
        event.u.cdm.data.p = zeros(r, event.u.cdm.data.n);
        if (!event.u.cdm.data.p) return CAD_E_NOMEM;
    }
    if (r->options.on_input) {
        char text[512];
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, text, sizeof(text));
        tape_event_text(&event, &sb);
        say(r, &sb);
    }
    rc = cad_engine_feed(r->engine, &event);
    return rc == CAD_E_NOMEM ? rc : rc ? CAD_E_DATA : CAD_OK; /* what is on a tape was taken */
}

static int play_ops(struct cad_tape_replay *r, struct tape_reader *ops)
{
    int rc = CAD_OK;
    while (rc == 0 && ops->n > 0 && !ops->failed) {
        uint64_t op = tape_get_u64(ops);
        switch (op) {
        case TAPE_OP_PULL: rc = play_pulls(r, ops); break;
        case TAPE_OP_BYTES:
        case TAPE_OP_GAP:
        case TAPE_OP_CONTROL: rc = play_bytes(r, op, ops); break;
        default: rc = op >= TAPE_OP_EVENT ? play_event(r, op, ops) : CAD_E_DATA; break;
        }
    }
    return rc == 0 && ops->failed ? CAD_E_DATA : rc;
}

/* ---- records ----------------------------------------------------------------------------- */

static void differs(struct cad_tape_replay *r)
{
    if (r->result.differs) return;
    r->result.differs = true;
    r->result.differs_turn = r->result.turns;
    r->result.differs_at = r->result.now;
}

/* Compare what was decided in this turn. */
static void compare_turn(struct cad_tape_replay *r, uint64_t flags, uint32_t hash)
{
    struct cad_engine_stats stats;
    cad_engine_stats(r->engine, &stats);
    bool decided = stats.decisions != r->decisions;
    r->decisions = stats.decisions;
    r->result.decisions = stats.decisions;
    r->result.decision_hash = stats.decision_hash;
    if (decided != ((flags & TAPE_DECIDED) != 0)) differs(r);
    else if (decided && (stats.decision_hash & 0xffff) != hash) differs(r);
}

/* Is the turn beyond what was asked for? */
static bool is_beyond(const struct cad_tape_replay *r, cad_time now)
{
    if (r->options.until == CAD_TIME_NONE || r->result.turns == 0) return false;
    return now > cad_time_add(r->result.begin, r->options.until);
}

static int play_turn(struct cad_tape_replay *r, const struct tape_record *record)
{
    struct tape_reader ops = {record->body.p, record->body.n, false};
    if (record->delta_ns > (uint64_t)(TAPE_NOW_MAX - r->result.now)) return CAD_E_DATA;
    cad_time now = r->result.now + (cad_time)record->delta_ns;
    if (is_beyond(r, now)) {
        r->result.end = CAD_TAPE_UNTIL;
        return CAD_OK;
    }
    uint64_t flags = tape_get_u64(&ops);
    cad_buf hash = {NULL, 0};
    if (flags & TAPE_DECIDED) hash = tape_get_bytes(&ops, 2);
    uint64_t polled = flags & TAPE_NOT_POLLED ? tape_get_u64(&ops) : r->waiting;
    if (ops.failed) return CAD_E_DATA;
    r->waiting -= CAD_MIN(polled, r->waiting);
    r->result.now = now;
    int rc = play_ops(r, &ops);
    if (rc != 0) return rc;
    if (r->result.turns++ == 0) r->result.begin = now;
    if (r->waiting > 0) return CAD_OK; /* the engine did nothing: actions waited to be polled */
    rc = cad_engine_run(r->engine, now);
    if (rc < 0) return rc;
    r->waiting = poll_all(r);
    /* What was recorded may have had services to tell something, which this engine has not. */
    if (rc == 1 && !(flags & TAPE_MORE)) differs(r);
    compare_turn(r, flags, hash.p ? cad_be16(hash.p) : 0);
    return CAD_OK;
}

static int compare_checkpoint(struct cad_tape_replay *r, cad_buf body)
{
    struct tape_reader reader = {body.p, body.n, false};
    uint64_t turns = tape_get_u64(&reader);
    uint64_t decisions = tape_get_u64(&reader);
    cad_buf hash = tape_get_bytes(&reader, 8);
    if (reader.failed || turns != r->result.turns) return CAD_E_DATA;
    r->result.checkpoints++;
    if (turns == 0) return CAD_OK;
    if (decisions != r->decisions || cad_be64(hash.p) != r->result.decision_hash) differs(r);
    return CAD_OK;
}

static int play(struct cad_tape_replay *r, const struct tape_record *record)
{
    struct tape_reader ops = {record->body.p, record->body.n, false};
    switch (record->kind) {
    case TAPE_TURN: return play_turn(r, record);
    case TAPE_INPUTS: return play_ops(r, &ops);
    case TAPE_BODY: take_body(r, record->body); return CAD_OK;
    case TAPE_CHECKPOINT: return compare_checkpoint(r, record->body);
    case TAPE_END:
        r->result.end = CAD_TAPE_WHOLE;
        return compare_checkpoint(r, record->body);
    default: return CAD_E_DATA;
    }
}

int cad_tape_replay_step(struct cad_tape_replay *replay)
{
    struct cad_tape_replay *r = replay;
    struct tape_record record;
    if (!r) return CAD_E_INVAL;
    if (r->result.end != CAD_TAPE_GOES_ON) return 0;
    cad_buf rest = {r->tape.p + r->at, r->tape.n - r->at};
    int rc = tape_get_record(rest, true, &record);
    if (rc == 0) rc = play(r, &record);
    if (rc == CAD_E_END || rc == CAD_E_AGAIN) {
        r->result.end = CAD_TAPE_CUT;
        rc = CAD_OK;
    } else if (rc == CAD_E_DATA || rc == CAD_E_LIMIT) {
        r->result.end = CAD_TAPE_BROKEN;
        rc = CAD_OK;
    }
    if (rc != 0) return rc;
    if (r->result.end != CAD_TAPE_GOES_ON && r->result.end != CAD_TAPE_WHOLE) return 0;
    r->at += record.size;
    r->result.records++;
    return r->result.end == CAD_TAPE_GOES_ON;
}

/* What an engine decides because it is destroyed is the end of a session that was recorded to its
 * end, and no part of one that was not. */
static void on_log(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    const struct cad_tape_replay *r = ctx;
    if (!r->silent) r->options.log.fn(r->options.log.ctx, level, now, line);
}

/* ---- life -------------------------------------------------------------------------------- */

/* Magic and header; r->at is behind them. */
static int open_tape(struct cad_tape_replay *r)
{
    if (r->tape.n < 8 || memcmp(r->tape.p, CAD_TAPE_MAGIC, 8) != 0) return CAD_E_DATA;
    const uint8_t *begin = r->tape.p + 8;
    struct tape_reader reader = {begin, r->tape.n - 8, false};
    cad_buf json = tape_get_bytes(&reader, (size_t)tape_get_max(&reader, TAPE_HEADER_MAX));
    size_t n = (size_t)(reader.p - begin);
    cad_buf crc = tape_get_bytes(&reader, 4);
    if (reader.failed || cad_be32(crc.p) != tape_crc((cad_buf){begin, n})) return CAD_E_DATA;
    r->at = 8 + n + 4;
    return tape_header_read(cad_str_from_buf(json), &r->header);
}

static int open_engine(struct cad_tape_replay *r)
{
    struct cad_engine_config *config = &r->header.config;
    config->abr = r->options.abr ? r->options.abr : cad_abr_find(cad_str_from(r->header.abr));
    if (!config->abr) return CAD_E_UNSUPPORTED;
    config->alloc = r->options.alloc;
    if (r->options.log.fn) config->log = (struct cad_log){on_log, r, r->options.log.level};
    config->check = r->options.check;
    config->report = false; /* what a session tells services changes nothing that is played */
    config->licence = (cad_buf){NULL, r->header.licence_n};
    if (config->licence.n > 0) config->licence.p = zeros(r, config->licence.n);
    if (config->licence.n > 0 && !config->licence.p) return CAD_E_NOMEM;
    int rc = cad_engine_create(config, &r->engine);
    return rc == CAD_E_INVAL ? CAD_E_DATA : rc;
}

int cad_tape_replay_create(cad_buf tape, const struct cad_tape_options *options,
                           struct cad_tape_replay **out)
{
    if (!options || options->size != sizeof(*options) || !options->alloc.fn || !out) {
        return CAD_E_INVAL;
    }
    struct cad_tape_replay *r = cad_alloc_new(&options->alloc, sizeof(*r), CAD_MEM_OTHER);
    if (!r) return CAD_E_NOMEM;
    r->options = *options;
    r->tape = tape;
    int rc = open_tape(r);
    if (rc == 0) rc = open_engine(r);
    if (rc != 0) {
        cad_tape_replay_destroy(&r);
        return rc;
    }
    struct cad_tape_result *result = &r->result;
    (void)cad_str_copyz(result->version, sizeof(result->version), cad_str_from(r->header.version));
    (void)cad_str_copyz(result->commit, sizeof(result->commit), cad_str_from(r->header.commit));
    result->other_version = !cad_str_eqz(cad_str_from(r->header.version), cad_version());
    result->full = r->header.full;
    *out = r;
    return CAD_OK;
}

void cad_tape_replay_destroy(struct cad_tape_replay **replay)
{
    if (!replay || !*replay) return;
    struct cad_tape_replay *r = *replay;
    r->silent = r->result.end != CAD_TAPE_WHOLE;
    cad_engine_destroy(&r->engine);
    cad_alloc_free(&r->options.alloc, r->zeros, r->zeros_n, CAD_MEM_OTHER);
    struct cad_alloc alloc = r->options.alloc;
    cad_alloc_free(&alloc, r, sizeof(*r), CAD_MEM_OTHER);
    *replay = NULL;
}

void cad_tape_replay_result(const struct cad_tape_replay *replay, struct cad_tape_result *out)
{
    *out = replay->result;
    out->offset = replay->at;
}

void cad_tape_replay_stats(const struct cad_tape_replay *replay, struct cad_engine_stats *out)
{
    cad_engine_stats(replay->engine, out);
}
