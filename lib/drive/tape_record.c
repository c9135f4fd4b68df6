/*
 * The recorder: what a driver hands to its engine goes through here and onto the tape.
 *
 * Ops gather until the turn that takes them; then they and the turn are one record. Bodies of
 * control requests (manifests) are kept until they are over, so that a secret that came in two
 * pieces is seen whole, and follow in a record of their own; media bodies are followed box by box.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/tape.h"
#include "drive/tape_boxes.h"
#include "drive/tape_licence.h"
#include "drive/tape_names.h"

#define PLACES 32              /* ends of attempts in mid-box that are remembered */
#define BINARY_KEPT 65536u     /* bytes of a control body that is no text */
#define URL_MAX 8192u
#define ROOM_KEPT (4 * TAPE_BATCH) /* bytes of a buffer that stay allocated */

/* What a body is to the tape. */
enum use {
    USE_FREE,
    USE_NONE,    /* telling services what happened: nothing of it is recorded */
    USE_BLANK,   /* its bytes do not matter: no answer that the engine takes, or text */
    USE_LICENCE, /* kept until it is over, then written over */
    USE_PROBE,   /* CONTROL if it is a recipe, else BLANK: its first byte tells */
    USE_CONTROL, /* kept until it is over */
    USE_MEDIA    /* followed box by box */
};

struct request {
    uint32_t id;
    enum use use;
    uint32_t group;
    bool in_path, head;
    bool resumed;              /* boxes are those of another attempt, and no byte has come yet */
    int64_t first, last;       /* bytes of the resource; last -1: to the end */
    int64_t at;                /* of the next byte in the resource */
    struct tape_boxes boxes;
    struct cad_sb body;        /* CONTROL */
    uint8_t *lease;
    size_t lease_n;
};

/* Where an attempt ended within a box. */
struct place {
    uint32_t group;
    int64_t at, last;
    struct tape_boxes boxes;
};

struct cad_tape_recorder {
    struct cad_tape_config config;
    bool begun, ended;
    int error;
    struct cad_sb ops, frame, scratch, text;
    struct tape_past past;
    struct tape_names names;
    struct request requests[CAD_TAPE_REQUESTS_MAX];
    struct place places[PLACES];
    struct cad_header headers[CAD_HTTP_HEADERS_MAX]; /* of the head that is being recorded */
    uint32_t place_next;
    int64_t id_last, at_last;  /* of the last commit, for differences */
    cad_time now;              /* of the last turn */
    uint64_t decisions, decision_hash;
    uint64_t checked;          /* records at the last checkpoint */
    uint32_t polled;           /* actions since the last turn */
    bool drained;              /* and then there was none */
    uint32_t pull_slot, pull_count; /* pulls that are not an op yet */
    struct cad_tape_stats stats;
};

void cad_tape_config_init(struct cad_tape_config *config)
{
    memset(config, 0, sizeof(*config));
    config->size = sizeof(*config);
    config->alloc = cad_alloc_system();
}

static bool is_on(const struct cad_tape_recorder *t)
{
    return t && t->begun && !t->ended && !t->error;
}

static void release(struct request *r)
{
    if (r->use == USE_LICENCE && r->body.p) cad_wipe(r->body.p, r->body.cap);
    cad_sb_deinit(&r->body);
    memset(r, 0, sizeof(*r));
}

/* The recording is over, the session goes on. */
static void give_up(struct cad_tape_recorder *t, int error)
{
    if (!error || t->error) return;
    t->error = error;
    CAD_LOG(&t->config.log, ERROR, t->now, "tape: recording ended result=%s records=%llu",
            cad_result_name(error), (unsigned long long)t->stats.records);
    for (size_t i = 0; i < CAD_TAPE_REQUESTS_MAX; i++) release(&t->requests[i]);
    cad_sb_deinit(&t->ops);
    cad_sb_deinit(&t->frame);
    cad_sb_deinit(&t->scratch);
    cad_sb_deinit(&t->text);
}

/* ---- records ----------------------------------------------------------------------------- */

static void write_out(struct cad_tape_recorder *t)
{
    int err = cad_sb_error(&t->frame);
    cad_buf bytes = cad_buf_from_str(cad_sb_str(&t->frame));
    if (!err && t->config.write(t->config.ctx, bytes.p, bytes.n)) err = CAD_E_IO;
    if (err) {
        give_up(t, err);
        return;
    }
    t->stats.bytes += bytes.n;
}

static void record(struct cad_tape_recorder *t, enum tape_kind kind, uint64_t delta, cad_buf body)
{
    tape_put_record(&t->frame, kind, delta, body);
    write_out(t);
    t->stats.records++;
}

static void checkpoint(struct cad_tape_recorder *t, enum tape_kind kind)
{
    uint8_t hash[8];
    cad_sb_reset(&t->scratch);
    tape_put_u64(&t->scratch, t->stats.turns);
    tape_put_u64(&t->scratch, t->decisions);
    cad_put_be64(hash, t->decision_hash);
    tape_put_bytes(&t->scratch, hash, sizeof(hash));
    if (cad_sb_error(&t->scratch)) give_up(t, cad_sb_error(&t->scratch));
    if (t->error) return;
    record(t, kind, 0, cad_buf_from_str(cad_sb_str(&t->scratch)));
    t->checked = t->stats.records;
}

static void flush_pulls(struct cad_tape_recorder *t)
{
    if (t->pull_count == 0) return;
    tape_put_u64(&t->ops, TAPE_OP_PULL);
    tape_put_u64(&t->ops, t->pull_slot);
    tape_put_u64(&t->ops, t->pull_count);
    t->pull_count = 0;
}

static void flush_inputs(struct cad_tape_recorder *t)
{
    flush_pulls(t);
    if (cad_sb_error(&t->ops)) give_up(t, cad_sb_error(&t->ops));
    if (t->error || t->ops.n == 0) return;
    record(t, TAPE_INPUTS, 0, cad_buf_from_str(cad_sb_str(&t->ops)));
    if (!t->error) cad_sb_reset(&t->ops);
}

/* After an op: no memory, or a batch that is large enough. */
static void op_done(struct cad_tape_recorder *t)
{
    if (cad_sb_error(&t->ops)) give_up(t, cad_sb_error(&t->ops));
    else if (t->ops.n > TAPE_BATCH) flush_inputs(t);
}

/* ---- requests ---------------------------------------------------------------------------- */

static struct request *find(struct cad_tape_recorder *t, uint32_t id)
{
    for (size_t i = 0; i < CAD_TAPE_REQUESTS_MAX; i++) {
        if (t->requests[i].use != USE_FREE && t->requests[i].id == id) return &t->requests[i];
    }
    return NULL;
}

/* A buffer that a manifest made large is given back; it is empty. */
static void shrink(struct cad_sb *sb)
{
    if (sb->cap <= ROOM_KEPT) return;
    size_t limit = sb->limit;
    struct cad_alloc alloc = sb->alloc;
    cad_sb_deinit(sb);
    cad_sb_init(sb, &alloc, CAD_MEM_OTHER, limit);
}

static void flush_body(struct cad_tape_recorder *t, struct request *r)
{
    cad_str body = cad_sb_str(&r->body);
    bool licence = r->use == USE_LICENCE;
    if ((r->use != USE_CONTROL && !licence) || body.n == 0) return;
    if (licence) tape_licence_hide((uint8_t *)r->body.p, body.n);
    bool binary = !licence && memchr(body.p, 0, CAD_MIN(body.n, 512)) != NULL;
    if (binary) body.n = CAD_MIN(body.n, BINARY_KEPT);
    if (!binary && !licence && !t->config.full) {
        /* Its bytes are this recorder's own. */
        give_up(t, tape_names_body(&t->names, r->body.p, r->body.n));
        if (t->error) return;
    }
    cad_sb_reset(&t->scratch);
    tape_put_u64(&t->scratch, r->id);
    cad_sb_put(&t->scratch, body);
    if (cad_sb_error(&t->scratch)) give_up(t, cad_sb_error(&t->scratch));
    if (t->error) return;
    record(t, TAPE_BODY, 0, cad_buf_from_str(cad_sb_str(&t->scratch)));
    shrink(&t->scratch);
    shrink(&t->frame);
    tape_names_shrink(&t->names, ROOM_KEPT);
}

/* The request is over: remember where in its boxes it was, another attempt may go on there. */
static void forget(struct cad_tape_recorder *t, struct request *r)
{
    flush_body(t, r);
    if (r->use == USE_MEDIA && !tape_boxes_fresh(&r->boxes)) {
        t->places[t->place_next++ % PLACES] = (struct place){r->group, r->at, r->last, r->boxes};
    }
    release(r);
}

/* "/range/100-200" at the end of a path. */
static void range_in_path(cad_str url, struct request *r)
{
    cad_str mark = CAD_STR("/range/"), first, last;
    ptrdiff_t query = cad_str_find_char(url, '?');
    cad_str path = query < 0 ? url : cad_str_sub(url, 0, (size_t)query);
    ptrdiff_t slash = cad_str_rfind_char(path, '/');
    if (slash < (ptrdiff_t)mark.n - 1) return;
    cad_str before = cad_str_sub(path, 0, (size_t)slash + 1);
    cad_str rest = cad_str_sub(path, (size_t)slash + 1, path.n);
    if (!cad_str_ends(before, mark)) return;
    if (!cad_str_split(&rest, '-', &first) || !cad_str_split(&rest, '-', &last)) return;
    if (cad_str_to_i64(first, &r->first) || cad_str_to_i64(last, &r->last)) return;
    r->in_path = true;
}

/* Does the attempt begin where another one of its group ended within a box? The box must end
 * within what is asked for now. */
static void resume(const struct cad_tape_recorder *t, struct request *r)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        const struct place *place = &t->places[(t->place_next + PLACES - 1 - i) % PLACES];
        if (place->group != r->group || place->at != r->first || place->at == 0) continue;
        uint64_t room = r->last < 0 ? UINT64_MAX : (uint64_t)(r->last - r->first + 1);
        if (place->boxes.state == TAPE_BOXES_SKIP && place->boxes.left > room) continue;
        r->boxes = place->boxes;
        r->resumed = true;
        return;
    }
}

static enum use use_of(enum cad_purpose purpose)
{
    switch (purpose) {
    case CAD_PURPOSE_HEADER:
    case CAD_PURPOSE_SEGMENT: return USE_MEDIA;
    case CAD_PURPOSE_LICENCE: return USE_LICENCE;
    case CAD_PURPOSE_TEXT: return USE_BLANK;
    case CAD_PURPOSE_PROBE: return USE_PROBE;
    case CAD_PURPOSE_EVENT:
    case CAD_PURPOSE_LOG: return USE_NONE;
    case CAD_PURPOSE_MANIFEST:
    case CAD_PURPOSE_REFRESH: break;
    }
    return USE_CONTROL;
}

/* A recipe is JSON, padding is not. */
static enum use use_of_probe(cad_buf bytes)
{
    for (size_t i = 0; bytes.p && i < bytes.n; i++) {
        if (bytes.p[i] > ' ') return bytes.p[i] == '{' ? USE_CONTROL : USE_BLANK;
    }
    return bytes.p ? USE_CONTROL : USE_BLANK;
}

static void started(struct cad_tape_recorder *t, const struct cad_http_start *start)
{
    struct request *r = NULL;
    for (size_t i = 0; i < CAD_TAPE_REQUESTS_MAX; i++) {
        struct request *one = &t->requests[i];
        if (one->use == USE_FREE) {
            r = one;
            break;
        }
        if (!r || one->id < r->id) r = one;
    }
    if (r->use != USE_FREE) forget(t, r); /* ids rise: the oldest is one that nobody ended */
    if (t->error) return;
    enum use use = use_of(start->purpose);
    bool media = use == USE_MEDIA;
    *r = (struct request){.id = start->id, .use = use,
                          .group = start->group, .first = CAD_MAX(start->range.first, 0),
                          .last = start->range.first >= 0 ? start->range.last : -1};
    /* One that is secret never moves: nothing of it is left behind anywhere. */
    size_t most = use == USE_LICENCE ? TAPE_LICENCE_MAX : CAD_TAPE_CONTROL_MAX;
    cad_sb_init(&r->body, &t->config.alloc, CAD_MEM_OTHER, most);
    if (media && start->range.first < 0) range_in_path(start->url, r);
    r->at = r->first;
    if (media) resume(t, r);
    if (t->config.full || use == USE_NONE) return;
    if (!media) tape_names_learn_url(&t->names, start->url);
    if (!media) give_up(t, tape_names_learn_json(&t->names, cad_str_from_buf(start->body)));
}

/* What the engine does not take (lib/engine/request.c, request_head) need not be kept. */
static void answered(struct cad_tape_recorder *t, const struct cad_http_head *head)
{
    struct request *r = find(t, head->id);
    if (!r || r->head) return;
    r->head = true;
    if (r->use != USE_MEDIA) return;
    bool good = head->status >= 200 && head->status < 300;
    bool other = head->status == 206 && head->range.first >= 0 && head->range.first != r->first;
    bool whole = head->status == 200 && !r->in_path && r->first != 0;
    if (!good || other || whole) r->use = USE_BLANK;
}

/* ---- bodies ------------------------------------------------------------------------------ */

static void put_op(struct cad_tape_recorder *t, enum tape_op op, uint32_t id, size_t n, cad_time at)
{
    tape_put_u64(&t->ops, op);
    tape_put_i64(&t->ops, (int64_t)id - t->id_last);
    tape_put_u64(&t->ops, n);
    tape_put_i64(&t->ops, (int64_t)((uint64_t)at - (uint64_t)t->at_last));
    t->id_last = id;
    t->at_last = at;
}

static void put_bytes(struct cad_tape_recorder *t, struct request *r, cad_buf bytes, cad_time at)
{
    put_op(t, TAPE_OP_BYTES, r->id, bytes.n, at);
    size_t begin = t->ops.n;
    tape_put_bytes(&t->ops, bytes.p, bytes.n);
    bool text = r->boxes.state == TAPE_BOXES_UNKNOWN && r->boxes.text;
    if (!text || t->config.full || cad_sb_error(&t->ops)) return;
    /* A page instead of media, say of a captive portal: only its shape is kept. */
    tape_names_blank(t->ops.p + begin, bytes.n);
}

/* n bytes of media at `at`; p NULL: they have a length only. */
static void media(struct cad_tape_recorder *t, struct request *r, cad_buf bytes, cad_time at)
{
    const uint8_t *p = bytes.p;
    size_t n = bytes.n, run = 0;
    bool kept = false;
    r->at += (int64_t)n;
    /* What broke off there was not what it said: this is another segment's beginning. */
    if (r->resumed && p && tape_boxes_begin(p, n)) tape_boxes_init(&r->boxes);
    r->resumed = false;
    while (n > 0) {
        bool keep;
        size_t span = tape_boxes_next(&r->boxes, p ? p + run : NULL, n, &keep);
        keep = keep && p;
        if (run > 0 && keep != kept) {
            if (kept) put_bytes(t, r, (cad_buf){p, run}, at);
            else put_op(t, TAPE_OP_GAP, r->id, run, at);
            if (p) p += run;
            run = 0;
        }
        kept = keep;
        run += span;
        n -= span;
    }
    if (run > 0 && kept) put_bytes(t, r, (cad_buf){p, run}, at);
    else if (run > 0) put_op(t, TAPE_OP_GAP, r->id, run, at);
}

/* After the engine's commit, which answered rc. */
static void committed(struct cad_tape_recorder *t, uint32_t id, cad_buf bytes, cad_time at, int rc)
{
    struct request *r = find(t, id);
    if (!r || r->use == USE_NONE || rc == CAD_E_STALE || bytes.n == 0) return;
    if (r->use == USE_PROBE) r->use = use_of_probe(bytes);
    flush_pulls(t);
    t->stats.body_bytes += bytes.n;
    bool counts = rc == 0 && r->head; /* without a head, or refused, its bytes go nowhere */
    if (!counts || r->use == USE_BLANK) {
        put_op(t, TAPE_OP_GAP, id, bytes.n, at);
    } else if (r->use == USE_MEDIA) {
        media(t, r, bytes, at);
    } else if (bytes.p) {
        if (r->use == USE_LICENCE && r->body.n == 0) cad_sb_reserve(&r->body, TAPE_LICENCE_MAX);
        cad_sb_put(&r->body, cad_str_from_buf(bytes));
        put_op(t, TAPE_OP_CONTROL, id, bytes.n, at);
        if (cad_sb_error(&r->body)) give_up(t, cad_sb_error(&r->body));
    }
    if (!t->error) op_done(t);
}

int cad_tape_lease(struct cad_tape_recorder *tape, struct cad_engine *engine,
                   struct cad_tape_lease *lease)
{
    int rc = cad_engine_lease(engine, lease->id, lease->want, &lease->data, &lease->capacity);
    if (rc != 0 || !is_on(tape)) return rc;
    struct request *r = find(tape, lease->id);
    if (!r) return rc;
    r->lease = lease->data;
    r->lease_n = lease->capacity;
    return rc;
}

int cad_tape_commit(struct cad_tape_recorder *tape, struct cad_engine *engine, uint32_t id,
                    size_t n, cad_time at)
{
    int rc = cad_engine_commit(engine, id, n, at);
    if (!is_on(tape)) return rc;
    struct request *r = find(tape, id);
    bool leased = r && r->lease && n <= r->lease_n;
    committed(tape, id, (cad_buf){leased ? r->lease : NULL, n}, at, leased ? rc : CAD_E_INVAL);
    return rc;
}

int cad_tape_commit_hole(struct cad_tape_recorder *tape, struct cad_engine *engine, uint32_t id,
                         size_t n, cad_time at)
{
    int rc = cad_engine_commit_hole(engine, id, n, at);
    if (is_on(tape)) committed(tape, id, (cad_buf){NULL, n}, at, rc);
    return rc;
}

/* ---- events ------------------------------------------------------------------------------ */

#define TEXTS_MAX (1 + CAD_HTTP_HEADERS_MAX)

/* The texts of an event that may hold secrets; what is in the event itself is replaced at once. */
static uint32_t texts_of(struct cad_tape_recorder *t, struct cad_event *event,
                         cad_str *texts[TEXTS_MAX])
{
    struct cad_command *command = &event->u.command;
    uint32_t n = 0;
    if (event->type == CAD_EVENT_COMMAND) {
        char *track = command->track;
        if (command->type == CAD_COMMAND_TRACK) {
            tape_names_text(&t->names, track, cad_str_from(track).n);
        }
        if (command->type != CAD_COMMAND_LOAD && command->type != CAD_COMMAND_PREPARE) return 0;
        texts[n++] = &command->title.url;
        texts[n++] = &command->title.base;
        texts[n++] = &command->title.id;
    } else if (event->type == CAD_EVENT_HTTP_HEAD) {
        texts[n++] = &event->u.head.location;
        for (uint32_t i = 0; i < event->u.head.header_count; i++) {
            texts[n++] = &t->headers[i].value;
        }
    } else if (event->type == CAD_EVENT_SINK_FAIL) {
        char *message = event->u.fail.message;
        tape_names_text(&t->names, message, cad_str_from(message).n);
    } else if (event->type == CAD_EVENT_CDM) {
        texts[n++] = &event->u.cdm.url;
    }
    return n;
}

/* Texts of the event without secrets, in t->text; they live until the next call. */
static void redact(struct cad_tape_recorder *t, struct cad_event *event)
{
    cad_str *texts[TEXTS_MAX];
    uint32_t count = texts_of(t, event, texts);
    cad_sb_reset(&t->text);
    for (uint32_t i = 0; i < count; i++) cad_sb_put(&t->text, *texts[i]);
    if (cad_sb_error(&t->text)) give_up(t, cad_sb_error(&t->text));
    if (t->error || t->text.n == 0) return;
    char *p = t->text.p;
    for (uint32_t i = 0; i < count; i++) {
        if (texts[i]->n == 0) continue;
        tape_names_text(&t->names, p, texts[i]->n);
        texts[i]->p = p;
        p += texts[i]->n;
    }
}

/* Headers that are told are told of probes, which nothing else looks at. */
static void take_headers(struct cad_tape_recorder *t, const struct request *r,
                         struct cad_http_head *head)
{
    bool probe = r && (r->use == USE_PROBE);
    head->header_count = probe ? CAD_MIN(head->header_count, CAD_HTTP_HEADERS_MAX) : 0;
    for (uint32_t i = 0; i < head->header_count; i++) t->headers[i] = head->headers[i];
    head->headers = t->headers;
}

/* Of what services are told nothing is recorded: a replay tells them nothing. */
static bool is_told(const struct request *r, const struct cad_event *event)
{
    return event->type == CAD_EVENT_STORE_DONE || (r && r->use == USE_NONE);
}

static struct request *request_of(struct cad_tape_recorder *t, const struct cad_event *event)
{
    if (event->type == CAD_EVENT_HTTP_HEAD) return find(t, event->u.head.id);
    if (event->type == CAD_EVENT_HTTP_END) return find(t, event->u.end.id);
    return NULL;
}

static void fed(struct cad_tape_recorder *t, const struct cad_event *event)
{
    struct cad_event copy = *event;
    struct request *r = request_of(t, event);
    if (is_told(r, event)) {
        if (event->type == CAD_EVENT_HTTP_END) release(r);
        return;
    }
    flush_pulls(t);
    if (event->type == CAD_EVENT_HTTP_HEAD) take_headers(t, r, &copy.u.head);
    if (!t->config.full) redact(t, &copy);
    if (t->error) return;
    tape_put_u64(&t->ops, (uint64_t)TAPE_OP_EVENT + copy.type);
    give_up(t, tape_event_put(&t->past, &copy, &t->scratch, &t->ops));
    if (!t->error) op_done(t);
    if (t->error) return;
    if (event->type == CAD_EVENT_HTTP_HEAD) answered(t, &event->u.head);
    if (event->type == CAD_EVENT_HTTP_END && r) forget(t, r);
}

int cad_tape_feed(struct cad_tape_recorder *tape, struct cad_engine *engine,
                  const struct cad_event *event)
{
    int rc = cad_engine_feed(engine, event);
    if (rc == 0 && is_on(tape)) fed(tape, event);
    return rc;
}

/* ---- turns ------------------------------------------------------------------------------- */

static void turned(struct cad_tape_recorder *t, const struct cad_engine *engine, cad_time now,
                   int rc)
{
    struct cad_engine_stats stats;
    uint64_t flags = rc > 0 ? TAPE_MORE : 0;
    cad_engine_stats(engine, &stats);
    flush_pulls(t);
    if (stats.decisions != t->decisions) flags |= TAPE_DECIDED;
    if (!t->drained) flags |= TAPE_NOT_POLLED;
    cad_sb_reset(&t->scratch);
    tape_put_u64(&t->scratch, flags);
    if (flags & TAPE_DECIDED) {
        uint8_t hash[2];
        cad_put_be16(hash, (uint16_t)stats.decision_hash);
        tape_put_bytes(&t->scratch, hash, sizeof(hash));
    }
    if (flags & TAPE_NOT_POLLED) tape_put_u64(&t->scratch, t->polled);
    cad_sb_put(&t->scratch, cad_sb_str(&t->ops));
    int err = cad_sb_error(&t->ops) ? cad_sb_error(&t->ops) : cad_sb_error(&t->scratch);
    if (err) {
        give_up(t, err);
        return;
    }
    t->stats.turns++;
    t->decisions = stats.decisions;
    t->decision_hash = stats.decision_hash;
    uint64_t delta = now > t->now ? (uint64_t)(now - t->now) : 0;
    t->now = CAD_MAX(t->now, now);
    record(t, TAPE_TURN, delta, cad_buf_from_str(cad_sb_str(&t->scratch)));
    if (t->error) return;
    cad_sb_reset(&t->ops);
    t->polled = 0;
    t->drained = false;
    if (t->stats.records - t->checked >= CAD_TAPE_CHECKPOINT) checkpoint(t, TAPE_CHECKPOINT);
}

int cad_tape_run(struct cad_tape_recorder *tape, struct cad_engine *engine, cad_time now)
{
    int rc = cad_engine_run(engine, now);
    if (rc >= 0 && is_on(tape)) turned(tape, engine, now, rc);
    return rc;
}

int cad_tape_poll(struct cad_tape_recorder *tape, struct cad_engine *engine, struct cad_action *out)
{
    int rc = cad_engine_poll(engine, out);
    if (!is_on(tape)) return rc;
    tape->drained = rc == CAD_E_AGAIN;
    if (rc != 0 || out->type == CAD_ACTION_STORE) return rc;
    struct request *r = NULL;
    if (out->type == CAD_ACTION_HTTP_START) {
        started(tape, &out->u.start);
        if (!is_on(tape)) return rc;
        r = find(tape, out->u.start.id);
    } else if (out->type == CAD_ACTION_HTTP_CANCEL) {
        r = find(tape, out->u.cancel.id);
    }
    if (!r || r->use != USE_NONE) tape->polled++;
    if (r && out->type == CAD_ACTION_HTTP_CANCEL) forget(tape, r);
    return rc;
}

int cad_tape_pull(struct cad_tape_recorder *tape, struct cad_engine *engine, uint32_t slot,
                  struct cad_sample *out)
{
    int rc = cad_engine_pull(engine, slot, out);
    if (!is_on(tape)) return rc;
    if (tape->pull_count > 0 && tape->pull_slot != slot) flush_pulls(tape);
    tape->pull_slot = slot;
    tape->pull_count++;
    return rc;
}

/* ---- life -------------------------------------------------------------------------------- */

int cad_tape_recorder_create(const struct cad_tape_config *config, struct cad_tape_recorder **out)
{
    if (!config || !out || config->size != sizeof(*config) || !config->alloc.fn || !config->write) {
        return CAD_E_INVAL;
    }
    if (!config->full && config->entropy.n < CAD_TAPE_ENTROPY_MIN) return CAD_E_INVAL;
    struct cad_tape_recorder *t = cad_alloc_new(&config->alloc, sizeof(*t), CAD_MEM_OTHER);
    if (!t) return CAD_E_NOMEM;
    t->config = *config;
    cad_sb_init(&t->ops, &config->alloc, CAD_MEM_OTHER, TAPE_RECORD_MAX / 2);
    cad_sb_init(&t->scratch, &config->alloc, CAD_MEM_OTHER, TAPE_RECORD_MAX);
    cad_sb_init(&t->frame, &config->alloc, CAD_MEM_OTHER, TAPE_RECORD_MAX + 64);
    cad_sb_init(&t->text, &config->alloc, CAD_MEM_OTHER, 4 * URL_MAX);
    tape_names_init(&t->names, &config->alloc, config->entropy);
    t->config.entropy = (cad_buf){NULL, 0};
    *out = t;
    return CAD_OK;
}

static void redact_url(struct cad_tape_recorder *t, cad_str *url, char out[TAPE_NAME_SIZE])
{
    if (t->config.full) return;
    size_t n = cad_str_copyz(out, TAPE_NAME_SIZE, *url);
    tape_names_text(&t->names, out, n);
    *url = cad_str_make(out, n);
}

void cad_tape_begin(struct cad_tape_recorder *tape, const struct cad_engine_config *config)
{
    struct cad_tape_recorder *t = tape;
    if (!t || t->error || t->ended) return;
    if (t->begun) {
        give_up(t, CAD_E_INVAL); /* a tape is of one engine */
        return;
    }
    t->begun = true;
    struct cad_sb *head = &t->scratch;
    struct cad_engine_config shown = *config;
    char urls[2][TAPE_NAME_SIZE];
    redact_url(t, &shown.licence_url, urls[0]);
    redact_url(t, &shown.ftl.endpoint, urls[1]);
    int err = tape_header_write(&shown, t->config.commit, t->config.full, head);
    if (!err && head->n > TAPE_HEADER_MAX) err = CAD_E_LIMIT;
    cad_sb_reset(&t->frame);
    tape_put_u64(&t->frame, head->n);
    cad_sb_put(&t->frame, cad_sb_str(head));
    tape_put_crc(&t->frame);
    if (!err && t->config.write(t->config.ctx, (const uint8_t *)CAD_TAPE_MAGIC, 8)) err = CAD_E_IO;
    t->stats.bytes = 8;
    t->decision_hash = 0;
    give_up(t, err);
    if (!t->error) write_out(t);
}

int cad_tape_recorder_end(struct cad_tape_recorder *tape)
{
    struct cad_tape_recorder *t = tape;
    if (!t) return CAD_E_INVAL;
    if (is_on(t)) {
        for (size_t i = 0; i < CAD_TAPE_REQUESTS_MAX && !t->error; i++) {
            if (t->requests[i].use != USE_FREE) flush_body(t, &t->requests[i]);
        }
        if (!t->error) flush_inputs(t);
        if (!t->error) checkpoint(t, TAPE_END);
    }
    t->ended = true;
    return t->error;
}

void cad_tape_recorder_destroy(struct cad_tape_recorder **tape)
{
    if (!tape || !*tape) return;
    struct cad_tape_recorder *t = *tape;
    (void)cad_tape_recorder_end(t);
    for (size_t i = 0; i < CAD_TAPE_REQUESTS_MAX; i++) release(&t->requests[i]);
    cad_sb_deinit(&t->ops);
    cad_sb_deinit(&t->frame);
    cad_sb_deinit(&t->scratch);
    cad_sb_deinit(&t->text);
    tape_names_deinit(&t->names);
    struct cad_alloc alloc = t->config.alloc;
    cad_alloc_free(&alloc, t, sizeof(*t), CAD_MEM_OTHER);
    *tape = NULL;
}

void cad_tape_recorder_stats(const struct cad_tape_recorder *tape, struct cad_tape_stats *out)
{
    *out = tape->stats;
    out->error = tape->error;
}
