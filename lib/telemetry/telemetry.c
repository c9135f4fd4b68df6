#include "cadmium/telemetry.h"

#include <string.h>

#include "base/checked.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

#include "telemetry/internal.h"

#define ARENA_CHUNK 1024
#define ARENA_MAX 65536
#define SCRATCH_MAX 65536          /* bytes of one entry or body while it is made */
#define PAUSED_KEEP_ALIVE (1800 * CAD_SECOND) /* a pause tells no more after that */
#define MIDPLAY (60 * CAD_SECOND)

const char *cad_play_state_name(enum cad_play_state state)
{
    static const char *const names[CAD_PLAY_STATES] = {
        "idle", "starting", "playing", "paused", "seeking", "rebuffering", "ended", "failed"};
    return (unsigned)state < CAD_PLAY_STATES ? names[state] : "?";
}

CAD_DEFINE_NAME(cad_leg_name, enum cad_leg, CAD_LEG_LIST)

/* ---- small things -------------------------------------------------------------------------- */

uint32_t tel_next_id(struct cad_telemetry *t)
{
    t->next_id++;
    if (t->next_id == 0) t->next_id = 1;
    return t->next_id;
}

int tel_reqid(struct cad_telemetry *t, uint8_t out[TEL_REQID_BYTES])
{
    if (t->entropy_n < TEL_REQID_BYTES) return CAD_E_AGAIN;
    t->entropy_n -= TEL_REQID_BYTES;
    memcpy(out, t->entropy + t->entropy_n, TEL_REQID_BYTES);
    memset(t->entropy + t->entropy_n, 0, TEL_REQID_BYTES);
    return 0;
}

int64_t tel_wall_ms(const struct cad_telemetry *t, cad_time at)
{
    if (!t->wall_known || at == CAD_TIME_NONE) return 0;
    return CAD_MAX(cad_add_sat_i64(at / CAD_MS, t->wall_offset_ms), 0);
}

const char *tel_app_id(struct cad_telemetry *t)
{
    if (t->app_id[0]) return t->app_id;
    struct cad_sb sb;
    int64_t seconds = tel_wall_ms(t, t->now) / 1000;
    t->app_started_s = CAD_MIN(seconds, INT64_C(9999999999));
    cad_sb_init_fixed(&sb, t->app_id, sizeof(t->app_id));
    cad_sb_i64(&sb, t->app_started_s * 10000 + cad_rng_range_i64(&t->rng, 1, 10000));
    return t->app_id;
}

bool tel_has_store(const struct cad_telemetry *t)
{
    return t->config.store;
}

/* ---- life ---------------------------------------------------------------------------------- */

void cad_telemetry_config_init(struct cad_telemetry_config *config)
{
    *config = (struct cad_telemetry_config){
        .size = sizeof(*config),
        .alloc = cad_alloc_system(),
        .seed = 1,
        .client_type = CAD_STR("cadmium"),
        .store = true,
        .ring_bytes = 512u << 10,
        .ring_entries = 4096,
        .batch_age = 5 * CAD_SECOND,
        .batch_bytes = 64u << 10,
        .batch_entries = 256,
        .log_rate = 2048,
        .keep_alive = 60 * CAD_SECOND,
        .event_copies = 3,
    };
}

static bool within(uint32_t v, uint32_t least, uint32_t most)
{
    return v >= least && v <= most;
}

static bool config_ok(const struct cad_telemetry_config *c)
{
    const cad_str texts[] = {c->event_url, c->log_url, c->client_type, c->ui_version, c->ui_name,
                             c->os_name, c->os_version, c->device, c->device_model, c->group,
                             c->languages};
    if (c->size != sizeof(*c) || !c->alloc.fn) return false;
    for (size_t i = 0; i < CAD_ARRAY_LEN(texts); i++) {
        size_t most = i < 2 ? TEL_CONFIG_TEXT_MAX : CAD_TELEMETRY_ID_MAX;
        if (texts[i].n > most || (texts[i].n && !texts[i].p)) return false;
    }
    return within(c->ring_bytes, 16u << 10, 4u << 20) && within(c->ring_entries, 16, 65536) &&
           within(c->batch_bytes, 4u << 10, 256u << 10) && within(c->batch_entries, 1, 4096) &&
           within(c->event_copies, 1, 10) && c->batch_age > 0 &&
           c->batch_age <= 3600 * CAD_SECOND && c->keep_alive >= CAD_SECOND;
}

static int copy_texts(struct cad_telemetry *t)
{
    struct cad_telemetry_config *c = &t->config;
    cad_str *const texts[] = {&c->event_url, &c->log_url, &c->client_type, &c->ui_version,
                              &c->ui_name, &c->os_name, &c->os_version, &c->device,
                              &c->device_model, &c->group, &c->languages};
    for (size_t i = 0; i < CAD_ARRAY_LEN(texts); i++) {
        char *copy = cad_arena_alloc(&t->arena, texts[i]->n + 1, 1);
        if (!copy) return CAD_E_NOMEM;
        if (texts[i]->n) memcpy(copy, texts[i]->p, texts[i]->n);
        texts[i]->p = copy;
    }
    return 0;
}

int cad_telemetry_create(const struct cad_telemetry_config *config, struct cad_telemetry **out)
{
    if (!config || !out || !config_ok(config)) return CAD_E_INVAL;
    struct cad_telemetry *t = cad_alloc_new(&config->alloc, sizeof(*t), CAD_MEM_SESSION);
    if (!t) return CAD_E_NOMEM;
    t->alloc = config->alloc;
    t->config = *config;
    cad_arena_init(&t->arena, &t->alloc, CAD_MEM_SESSION, ARENA_CHUNK, ARENA_MAX);
    tel_ring_init(&t->ring, &t->alloc, config->ring_bytes, config->ring_entries);
    cad_sb_init(&t->scratch, &t->alloc, CAD_MEM_SESSION, SCRATCH_MAX);
    cad_sb_init(&t->common, &t->alloc, CAD_MEM_SESSION, SCRATCH_MAX);
    cad_rng_init(&t->rng, config->seed);
    t->now = CAD_TIME_NONE;
    t->position = 0;
    t->seek_from = t->seek_to = CAD_TIME_NONE;
    t->tokens_at = t->send_bytes_at = t->limit_until = CAD_TIME_NONE;
    t->limit_left = -1;
    tel_play_begin(&t->play, 0);
    t->play.state = CAD_PLAY_IDLE;
    tel_keys_init(&t->journal_keys, "pb-");
    tel_keys_init(&t->log_keys, "lb-");
    int err = copy_texts(t);
    if (!err) err = tel_log_common(t);
    if (err) {
        cad_telemetry_destroy(&t);
        return err;
    }
    *out = t;
    return 0;
}

void cad_telemetry_destroy(struct cad_telemetry **t)
{
    if (!t || !*t) return;
    struct cad_telemetry *gone = *t;
    struct cad_alloc alloc = gone->alloc;
    tel_journal_deinit(gone);
    tel_send_deinit(gone);
    tel_ring_deinit(&gone->ring);
    cad_sb_deinit(&gone->scratch);
    cad_sb_deinit(&gone->common);
    cad_arena_deinit(&gone->arena);
    memset(gone->entropy, 0, sizeof(gone->entropy));
    cad_alloc_free(&alloc, gone, sizeof(*gone), CAD_MEM_SESSION);
    *t = NULL;
}

/* ---- facts --------------------------------------------------------------------------------- */

static struct tel_owed owed(const struct cad_telemetry *t, enum tel_event_type type)
{
    return (struct tel_owed){.type = type, .at = t->now, .position = t->position,
        .from = CAD_TIME_NONE, .to = CAD_TIME_NONE, .state = t->play.state,
        .rate_q16 = t->play.rate_q16};
}

/* Events are only told of a playback that came to a picture. */
static void owe(struct cad_telemetry *t, enum tel_event_type type)
{
    struct tel_owed o = owed(t, type);
    if (t->play.first_frame != CAD_TIME_NONE) tel_owe(t, &o);
}

/* The facts go on to `now`, at which the owner is. */
static void advance(struct cad_telemetry *t, cad_time now)
{
    if (t->now == CAD_TIME_NONE || now > t->now) t->now = now;
    if (!t->playing) return;
    enum cad_play_state state = t->play.state;
    cad_time before = t->play.last;
    tel_play_advance(&t->play, t->now);
    if (state == CAD_PLAY_PLAYING && t->play.last > before) {
        cad_time media = cad_muldiv_floor_i64(t->play.last - before, t->play.rate_q16, 65536);
        t->position = cad_time_add(t->position, media);
    }
    if (t->play.tick >= t->config.keep_alive) {
        t->play.tick = 0;
        bool asleep = state == CAD_PLAY_PAUSED && t->play.paused_for > PAUSED_KEEP_ALIVE;
        if (!asleep) owe(t, TEL_EVENT_KEEP_ALIVE);
    }
    if (t->play.midplay >= MIDPLAY) {
        t->play.midplay = 0;
        tel_log_midplay(t);
    }
}

static void end_play(struct cad_telemetry *t, cad_str reason, int32_t error, cad_str message)
{
    if (!t->playing) return;
    cad_time stall = 0;
    struct cad_fact state = {.type = CAD_FACT_STATE};
    state.u.state.state = error ? CAD_PLAY_FAILED : CAD_PLAY_ENDED;
    state.u.state.rate_q16 = t->play.rate_q16;
    tel_play_state(&t->play, &state, &stall);
    struct tel_owed o = owed(t, TEL_EVENT_STOP);
    o.error = error;
    cad_str_copyz(o.reason, sizeof(o.reason), reason);
    if (t->play.first_frame != CAD_TIME_NONE) tel_owe(t, &o);
    tel_log_endplay(t, reason, error, message);
    t->playing = false;
}

static void set_text(struct tel_text *out, cad_str s)
{
    cad_str_copyz(out->p, sizeof(out->p), s);
}

/* What is known of the title by now. A link that does not fit is none. */
static void on_title(struct cad_telemetry *t, const struct cad_fact *f)
{
    if (f->u.play.title.n) set_text(&t->title, f->u.play.title);
    if (f->u.play.link.n && f->u.play.link.n <= CAD_TELEMETRY_LINK_MAX) {
        cad_str_copyz(t->link.p, sizeof(t->link.p), f->u.play.link);
    }
    set_text(&t->video, f->u.play.video);
    set_text(&t->audio, f->u.play.audio);
    set_text(&t->text, f->u.play.text);
}

static int on_play(struct cad_telemetry *t, const struct cad_fact *f)
{
    if (f->u.play.xid.n == 0 || f->u.play.xid.n > CAD_TELEMETRY_ID_MAX) return CAD_E_INVAL;
    end_play(t, CAD_STR("stopped"), 0, CAD_STR(""));
    /* What could not be made by now would be made with the ids of another playback. */
    t->stats.events_lost += t->owed_count;
    t->owed_count = 0;
    tel_play_begin(&t->play, t->now);
    set_text(&t->xid, f->u.play.xid);
    t->title.p[0] = t->link.p[0] = '\0';
    on_title(t, f);
    t->autoplay = f->u.play.autoplay;
    t->play_wall_ms = tel_wall_ms(t, t->now);
    t->playing = true;
    t->paused = false;
    t->stop = (struct cad_telemetry_stop){.asked = false};
    t->position = f->position == CAD_TIME_NONE ? 0 : f->position;
    return 0;
}

static void on_state(struct cad_telemetry *t, const struct cad_fact *f)
{
    enum cad_play_state next = f->u.state.state;
    cad_time stall = 0;
    if (tel_play_state(&t->play, f, &stall)) tel_log_stall(t, stall);
    if (next == CAD_PLAY_PAUSED && !t->paused) {
        t->paused = true;
        t->play.tick = 0;
        owe(t, TEL_EVENT_PAUSE);
    }
    if (next == CAD_PLAY_PLAYING && t->paused) {
        t->paused = false;
        t->play.tick = 0;
        owe(t, TEL_EVENT_RESUME);
    }
}

static void on_shown(struct cad_telemetry *t, const struct cad_fact *f)
{
    int64_t from = 0;
    if (tel_play_shown(&t->play, f, &from)) tel_log_rung(t, from, f->u.shown.rate_bps);
}

static void on_first_frame(struct cad_telemetry *t)
{
    if (t->play.first_frame != CAD_TIME_NONE) return;
    tel_play_first_frame(&t->play);
    owe(t, TEL_EVENT_START);
    /* What was a pause before there was anything to see is one from here on, or none. */
    t->paused = t->play.state == CAD_PLAY_PAUSED;
    if (t->paused) owe(t, TEL_EVENT_PAUSE);
    tel_log_first_frame(t);
}

static void on_seek(struct cad_telemetry *t, const struct cad_fact *f)
{
    if (t->play.seek_at == CAD_TIME_NONE) t->seek_from = f->u.seek.from;
    t->seek_to = f->u.seek.to;
    tel_play_seek(&t->play);
}

static void on_seek_done(struct cad_telemetry *t)
{
    if (t->play.seek_at == CAD_TIME_NONE) return;
    tel_play_seek_done(&t->play);
    struct tel_owed o = owed(t, TEL_EVENT_SEEK);
    o.from = t->seek_from;
    o.to = t->seek_to;
    if (t->play.first_frame != CAD_TIME_NONE) tel_owe(t, &o);
}

static void on_engage(struct cad_telemetry *t, const struct cad_fact *f)
{
    struct tel_owed o = owed(t, TEL_EVENT_ENGAGE);
    cad_str_copyz(o.reason, sizeof(o.reason), f->u.text);
    if (t->play.first_frame != CAD_TIME_NONE) tel_owe(t, &o);
}

static bool fact_ok(const struct cad_telemetry *t, const struct cad_fact *f)
{
    if ((unsigned)f->type >= CAD_FACT_TYPES) return false;
    switch (f->type) {
    case CAD_FACT_PLAY:
    case CAD_FACT_TRANSFER:
    case CAD_FACT_SERVER: return true;
    case CAD_FACT_LICENCE:
    case CAD_FACT_NOTE: return (unsigned)f->u.note.severity < CAD_SEVERITIES;
    case CAD_FACT_REPORT: return f->u.report.type.n > 0 && f->u.report.json.n > 0;
    case CAD_FACT_STATE:
        if ((unsigned)f->u.state.state >= CAD_PLAY_STATES) return false;
        if ((unsigned)f->u.state.reason >= CAD_STALL_REASONS) return false;
        break;
    case CAD_FACT_LEG:
        if ((unsigned)f->u.leg.leg >= CAD_LEGS || f->u.leg.end < f->u.leg.begin) return false;
        break;
    case CAD_FACT_SHOWN:
        if ((unsigned)f->u.shown.kind >= CAD_SHOWN_KINDS) return false;
        break;
    default: break;
    }
    return t->playing;
}

static int take_fact(struct cad_telemetry *t, const struct cad_fact *f)
{
    switch (f->type) {
    case CAD_FACT_PLAY: return on_play(t, f);
    case CAD_FACT_STATE: on_state(t, f); break;
    case CAD_FACT_LEG: tel_play_leg(&t->play, f->u.leg.leg, f->u.leg.begin, f->u.leg.end); break;
    case CAD_FACT_FIRST_FRAME: on_first_frame(t); break;
    case CAD_FACT_SHOWN: on_shown(t, f); break;
    case CAD_FACT_SERVER:
        if (t->playing) tel_play_server(&t->play, f->u.server.to);
        break;
    case CAD_FACT_TRANSFER:
        if (t->playing) tel_play_transfer(&t->play, f);
        break;
    case CAD_FACT_SEEK: on_seek(t, f); break;
    case CAD_FACT_SEEK_DONE: on_seek_done(t); break;
    case CAD_FACT_ENGAGE: on_engage(t, f); break;
    case CAD_FACT_FRAMES:
        t->play.q.frames = f->u.frames.shown;
        t->play.q.frames_dropped = f->u.frames.dropped;
        break;
    case CAD_FACT_WASTED: t->play.q.bytes_wasted += f->u.count; break;
    case CAD_FACT_END: end_play(t, f->u.end.reason, f->u.end.error, f->u.end.message); break;
    case CAD_FACT_TITLE: on_title(t, f); break;
    default: break;
    }
    return 0;
}

int cad_telemetry_fact(struct cad_telemetry *t, const struct cad_fact *fact)
{
    if (!t || !fact || fact->at == CAD_TIME_NONE || !fact_ok(t, fact)) return CAD_E_INVAL;
    advance(t, fact->at);
    if (fact->position != CAD_TIME_NONE) t->position = CAD_MAX(fact->position, 0);
    int err = take_fact(t, fact);
    if (!err) tel_log_fact(t, fact);
    return err;
}

/* ---- turns and orders ---------------------------------------------------------------------- */

void cad_telemetry_turn(struct cad_telemetry *t, cad_time now)
{
    if (!t || now == CAD_TIME_NONE) return;
    advance(t, now);
    tel_journal_turn(t);
    tel_log_dropped(t);
    tel_send_turn(t);
}

static int entropy_poll(struct cad_telemetry *t, struct cad_telemetry_order *order)
{
    if (t->entropy_id || t->entropy_n >= CAD_TELEMETRY_ENTROPY_MAX / 2) return CAD_E_AGAIN;
    t->entropy_id = tel_next_id(t);
    *order = (struct cad_telemetry_order){.type = CAD_TELEMETRY_ENTROPY, .id = t->entropy_id,
        .bytes = CAD_TELEMETRY_ENTROPY_MAX - t->entropy_n};
    return 0;
}

int cad_telemetry_poll(struct cad_telemetry *t, struct cad_telemetry_order *order)
{
    if (!t || !order) return CAD_E_INVAL;
    if (t->now == CAD_TIME_NONE) return CAD_E_AGAIN; /* not turned yet */
    if (entropy_poll(t, order) == 0 || tel_journal_poll(t, order) == 0) return 0;
    if (tel_send_poll(t, order) == 0) return 0;
    return tel_keys_poll(t, order);
}

/* When a keepAlive or a midplay is due, if things go on as they do. */
static cad_time play_wake(const struct cad_telemetry *t)
{
    enum cad_play_state s = t->play.state;
    if (!t->playing || (s != CAD_PLAY_PLAYING && s != CAD_PLAY_PAUSED)) return CAD_TIME_MAX;
    if (s == CAD_PLAY_PAUSED && t->play.paused_for > PAUSED_KEEP_ALIVE) return CAD_TIME_MAX;
    cad_time wake = cad_time_add(t->now, t->config.keep_alive - t->play.tick);
    if (s == CAD_PLAY_PLAYING) {
        wake = CAD_MIN(wake, cad_time_add(t->now, MIDPLAY - t->play.midplay));
    }
    return wake;
}

cad_time cad_telemetry_next_wake(const struct cad_telemetry *t)
{
    if (!t || t->now == CAD_TIME_NONE) return CAD_TIME_MAX;
    cad_time wake = CAD_MIN(play_wake(t), tel_journal_wake(t));
    wake = CAD_MIN(wake, tel_send_wake(t));
    return CAD_MIN(wake, tel_keys_wake(t));
}

void cad_telemetry_wall(struct cad_telemetry *t, int64_t offset_ms)
{
    if (!t) return;
    t->wall_offset_ms = offset_ms;
    t->wall_known = true;
    if (t->playing && t->play_wall_ms == 0) t->play_wall_ms = tel_wall_ms(t, t->play.begun);
}

int cad_telemetry_log_url(struct cad_telemetry *t, cad_str url)
{
    if (!t || url.n > TEL_CONFIG_TEXT_MAX) return CAD_E_INVAL;
    cad_str_copyz(t->log_url, sizeof(t->log_url), url);
    t->config.log_url = cad_str_from(t->log_url);
    return 0;
}

void cad_telemetry_flush(struct cad_telemetry *t)
{
    if (t) t->flush = true;
}

/* ---- answers ------------------------------------------------------------------------------- */

void cad_telemetry_entropy(struct cad_telemetry *t, cad_buf bytes)
{
    if (!t) return;
    t->entropy_id = 0;
    size_t n = CAD_MIN(bytes.n, CAD_TELEMETRY_ENTROPY_MAX - t->entropy_n);
    if (n) memcpy(t->entropy + t->entropy_n, bytes.p, n);
    t->entropy_n += n;
    if (!t->seeded && t->entropy_n >= TEL_REQID_BYTES + 8) {
        /* Ids of log entries need not be secret, but differ from those of other devices. */
        uint64_t seed;
        t->entropy_n -= sizeof(seed);
        memcpy(&seed, t->entropy + t->entropy_n, sizeof(seed));
        cad_rng_init(&t->rng, seed ^ t->config.seed);
        t->seeded = true;
    }
    if (t->now != CAD_TIME_NONE) tel_journal_turn(t);
}

int cad_telemetry_http_done(struct cad_telemetry *t, uint32_t id,
                            const struct cad_telemetry_answer *answer)
{
    if (!t || !answer || id == 0) return CAD_E_INVAL;
    if (tel_journal_http(t, id, answer) == 0) return 0;
    return tel_send_http(t, id, answer);
}

int cad_telemetry_store_done(struct cad_telemetry *t, uint32_t id, int result, cad_buf value)
{
    if (!t || id == 0) return CAD_E_INVAL;
    if (tel_journal_stored(t, id, result) == 0 || tel_send_stored(t, id, result) == 0) return 0;
    return tel_keys_done(t, id, result, value);
}

int cad_telemetry_store_listed(struct cad_telemetry *t, uint32_t id, int result,
                               const cad_str *keys, size_t count)
{
    if (!t || id == 0 || (count && !keys)) return CAD_E_INVAL;
    return tel_keys_listed(t, id, result, keys, count);
}

/* ---- figures ------------------------------------------------------------------------------- */

void cad_telemetry_stop_asked(const struct cad_telemetry *t, struct cad_telemetry_stop *out)
{
    *out = t->stop;
}

void cad_telemetry_qoe(const struct cad_telemetry *t, struct cad_qoe *out)
{
    tel_play_figures(&t->play, out);
}

void cad_telemetry_stats(const struct cad_telemetry *t, struct cad_telemetry_stats *out)
{
    struct cad_telemetry_stats s = t->stats;
    for (uint32_t i = 0; i < CAD_TELEMETRY_PLAYBACKS_MAX; i++) {
        if (t->journals[i].used) s.events_waiting += t->journals[i].d.event_count;
    }
    for (uint32_t i = 0; i < TEL_BATCHES_MAX; i++) {
        s.batches_waiting += t->batches[i].used && !t->batches[i].done;
    }
    s.events_waiting += t->owed_count;
    s.ring_bytes = (uint32_t)t->ring.n;
    s.ring_entries = (uint32_t)t->ring.count;
    s.size = out->size ? CAD_MIN(out->size, sizeof(s)) : sizeof(s);
    memcpy(out, &s, s.size);
}
