#include "sessions/session_play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/store.h"
#include "scenarios/sim_origin.h"

#define TITLE_ID "900100"
#define SERVICE_HOST "services"
#define LATEST (4 * 3600 * CAD_SECOND) /* a session that is not over then hangs */
#define SHORTEST (600 * CAD_SECOND)    /* of a session that ends */
#define LINGER (60 * CAD_SECOND)
#define LINGERS 120                    /* two hours for what is still to be told */
#define WALL_MS INT64_C(1767225600000)

static const char *const hosts[PLAN_HOSTS_MAX] = {"cdn1", "cdn2", "cdn3"};
static const char *const targets[PLAN_HOSTS_MAX] = {"probe1", "probe2", "probe3"};

struct session {
    const struct plan *plan;
    struct session_outcome *out;
    struct cad_log log;
    bool quiet;
    struct cad_tape_recorder *tape;
    struct cad_synth *synth;
    struct sim_origin *origin;
    struct cad_store store;
    struct cad_sim *sim;
    cad_time zero;           /* of this life, on the session's clock */
    uint32_t next;           /* step of the plan */
    bool over;
};

static void fail(struct session *s, int err)
{
    if (err < 0 && !s->out->failure) s->out->failure = err;
}

/* ---- the stage ------------------------------------------------------------------------------- */

static void draw_kid(uint64_t seed, uint8_t kid[CAD_KEY_ID_SIZE])
{
    for (size_t i = 0; i < CAD_KEY_ID_SIZE; i++) kid[i] = (uint8_t)cad_hash_u64(seed + i);
}

static int make_origin(struct session *s)
{
    static const char text[2][16] = {"en", "de"};
    const struct plan *p = s->plan;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_synth_config synth;
    cad_synth_config_init(&synth);
    synth.ladder = &p->ladder;
    synth.duration = p->duration;
    struct cad_scenario_title title = {
        .id = CAD_STR(TITLE_ID), .hosts = hosts, .host_count = p->hosts,
        .url_life = 12 * 3600 * CAD_SECOND, .seed = p->seed, .text = text,
        .text_count = p->has_text ? 2 : 0};
    if (p->is_protected) {
        synth.scheme = title.scheme = CAD_SCHEME_CBCS;
        draw_kid(p->seed, synth.kid);
        draw_kid(p->seed, title.kid);
    }
    int err = cad_synth_create(&alloc, &synth, &s->synth);
    if (err) return err;
    title.synth = s->synth;
    const struct sim_origin_config config = {.title = &title,
                                             .probe_hosts = p->apart ? targets : NULL,
                                             .probe_host_count = p->apart ? p->hosts : 0};
    err = sim_origin_create(&config, &s->origin);
    return err ? err : cad_store_memory_create(0, &alloc, &s->store);
}

static int make_network(struct session *s)
{
    const struct plan *p = s->plan;
    uint32_t media, service;
    cad_sim_set_origin(s->sim, sim_origin_ops(), s->origin);
    int err = cad_sim_add_link(s->sim, &p->trace, &media);
    if (!err) err = cad_sim_add_link(s->sim, &p->service_trace, &service);
    for (uint32_t i = 0; !err && i < p->hosts; i++) {
        err = cad_sim_add_host(s->sim, hosts[i], media);
    }
    if (!err) err = cad_sim_add_host(s->sim, SERVICE_HOST, p->apart ? service : media);
    for (uint32_t i = 0; !err && p->apart && i < p->hosts; i++) {
        err = cad_sim_add_host(s->sim, targets[i], service);
    }
    return err;
}

static int make_sim(struct session *s, uint64_t life)
{
    const struct plan *p = s->plan;
    struct cad_sim_config config;
    cad_sim_config_init(&config);
    config.seed = config.engine.seed = p->seed + life;
    config.engine.log = s->log;
    config.engine.check = true;
    config.engine.text_language = p->shows_text ? CAD_STR("en") : CAD_STR("");
    config.engine.report = config.engine.probe = !s->quiet;
    config.engine.telemetry.event_url = CAD_STR("http://" SERVICE_HOST "/events");
    config.engine.telemetry.log_url = CAD_STR("http://" SERVICE_HOST "/logblob");
    config.engine.ftl.endpoint = CAD_STR("http://" SERVICE_HOST MOCK_FTL_RECIPE_PATH);
    config.tls = p->tls;
    config.fault_every = p->fault_every;
    config.wall_ms = WALL_MS + s->zero / CAD_MS;
    config.cdm = cad_cdm_clearkey();
    config.cdm_latency = p->cdm_latency;
    config.store = s->store;
    config.store_latency = p->store_latency;
    config.tape = life == 0 ? s->tape : NULL;
    int err = cad_sim_create(&config, &s->sim);
    return err ? err : make_network(s);
}

/* ---- what is done ---------------------------------------------------------------------------- */

static int send(struct session *s, enum cad_command_type type, cad_time position)
{
    struct cad_command c = {.type = type, .position = position, .rung = -1};
    c.title.start = CAD_TIME_NONE;
    if (type == CAD_COMMAND_LOAD) {
        c.ticket = 1;
        c.title = (struct cad_title){.base = CAD_STR("http://cdn1"), .id = CAD_STR(TITLE_ID),
                                     .start = position};
    }
    return cad_sim_command(s->sim, &c);
}

static int select_text(struct session *s, const char *lang)
{
    const uint32_t most = CAD_TRACK_LIST_MAX;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_command c = {.type = CAD_COMMAND_TRACK, .rung = -1};
    struct cad_track_info *tracks = cad_alloc_array(&alloc, most, sizeof(*tracks), CAD_MEM_OTHER);
    if (!tracks) return CAD_E_NOMEM;
    uint32_t count = CAD_MIN(cad_sim_tracks(s->sim, tracks, most), most);
    bool found = lang[0] == '\0';
    for (uint32_t i = 0; i < count && !found; i++) {
        found = tracks[i].type == CAD_MEDIA_TEXT && strcmp(tracks[i].lang, lang) == 0;
        if (found) memcpy(c.track, tracks[i].id, sizeof(c.track));
    }
    cad_alloc_free(&alloc, tracks, most * sizeof(*tracks), CAD_MEM_OTHER);
    c.title.start = CAD_TIME_NONE;
    return found ? cad_sim_command(s->sim, &c) : 0;
}

static int do_step(struct session *s, const struct plan_step *step)
{
    struct cad_engine_stats stats;
    switch (step->type) {
    case PLAN_SERVICE: return sim_origin_service(s->origin, cad_str_from(step->name), step->up);
    case PLAN_PAUSE: return send(s, CAD_COMMAND_PAUSE, 0);
    case PLAN_PLAY: return send(s, CAD_COMMAND_PLAY, 0);
    case PLAN_SEEK:
        cad_sim_stats(s->sim, &stats);
        return send(s, CAD_COMMAND_SEEK, CAD_MAX(stats.position + step->by, 0));
    case PLAN_TEXT: return select_text(s, step->name);
    case PLAN_NETWORK: return cad_sim_online(s->sim, step->up);
    }
    return CAD_E_INVAL;
}

static void take_events(struct session *s)
{
    struct cad_app_event event;
    while (cad_sim_poll(s->sim, &event) == 0) {
        bool fatal = event.type == CAD_APP_ERROR && event.error.cls == CAD_ERROR_FATAL;
        if (fatal) s->out->error = event.error.code;
        if (event.type == CAD_APP_STATE) s->out->ended = event.state == CAD_STATE_ENDED;
    }
}

/* Runs to `to` on the session's clock, doing what the plan says on the way. */
static void run_to(struct session *s, cad_time to)
{
    const struct plan *p = s->plan;
    while (!s->over && !s->out->failure) {
        bool step = s->next < p->step_count && p->steps[s->next].at <= to;
        cad_time at = step ? p->steps[s->next].at : to;
        int rc = cad_sim_run(s->sim, CAD_MAX(at - s->zero, cad_sim_now(s->sim)));
        take_events(s);
        fail(s, rc);
        s->over = rc == 1;
        if (!step || s->over) return;
        fail(s, do_step(s, &p->steps[s->next++]));
    }
}

/* What the plan has while nobody plays: services only. */
static void pass(struct session *s, cad_time to)
{
    const struct plan *p = s->plan;
    for (; s->next < p->step_count && p->steps[s->next].at <= to; s->next++) {
        if (p->steps[s->next].type == PLAN_SERVICE) fail(s, do_step(s, &p->steps[s->next]));
    }
}

/* All is well again, and there is time for all that was not told yet. */
static void linger(struct session *s)
{
    struct cad_engine_stats stats;
    fail(s, cad_sim_online(s->sim, true));
    for (; s->next < s->plan->step_count; s->next++) {
        const struct plan_step *step = &s->plan->steps[s->next];
        if (step->type == PLAN_SERVICE && step->up) fail(s, do_step(s, step));
    }
    for (int i = 0; i < LINGERS && !s->out->failure; i++) {
        fail(s, cad_sim_linger(s->sim, cad_sim_now(s->sim) + LINGER));
        cad_sim_stats(s->sim, &stats);
        if (i > 0 && stats.services.events_waiting == 0) return;
    }
}

/* ---- lives ----------------------------------------------------------------------------------- */

static void count_playing(struct session *s)
{
    struct session_outcome *out = s->out;
    struct cad_engine_stats stats;
    struct cad_sim_text text;
    cad_sim_stats(s->sim, &stats);
    cad_sim_text(s->sim, &text);
    if (!out->killed) out->startup = stats.startup;
    out->played += cad_sim_now(s->sim);
    out->stall_time += stats.stall_time;
    out->stalls += stats.stalls;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) out->bytes += stats.slot[i].bytes_fetched;
    out->licences += stats.services.licences;
    out->documents += (uint32_t)text.documents;
    out->probes += stats.services.probe_count;
}

static void count_told(struct session *s)
{
    struct cad_engine_stats stats;
    cad_sim_stats(s->sim, &stats);
    s->out->hash = stats.decision_hash;
    s->out->events += stats.services.events;
    s->out->logs += stats.services.logs;
}

/* The process dies: nothing is said, nothing is closed. Where it was is what an application would
 * remember. */
static cad_time kill_life(struct session *s)
{
    struct cad_engine_stats stats;
    cad_sim_stats(s->sim, &stats);
    cad_time position = CAD_MAX(stats.position, 0);
    cad_sim_destroy(&s->sim);
    s->out->killed = true;
    s->out->ended = false;
    s->out->error = CAD_ERR_NONE;
    return position;
}

/* True: it was killed, and *position is where. */
static bool live(struct session *s, bool dies, cad_time *position)
{
    fail(s, make_sim(s, dies ? 0 : s->zero > 0));
    if (s->out->failure) return false;
    pass(s, s->zero);
    fail(s, send(s, CAD_COMMAND_LOAD, *position));
    fail(s, send(s, CAD_COMMAND_PLAY, 0));
    run_to(s, dies ? s->plan->kill_at : s->zero + LATEST);
    count_playing(s);
    if (!s->over && dies) {
        count_told(s);
        *position = kill_life(s);
        return true;
    }
    if (!s->quiet) linger(s);
    count_told(s);
    return false;
}

static void play(struct session *s)
{
    const struct plan *p = s->plan;
    cad_time position = CAD_TIME_NONE;
    if (!live(s, p->kill_at != CAD_TIME_NONE, &position) || s->out->failure) return;
    s->zero = p->kill_at + p->away;
    s->over = false;
    (void)live(s, false, &position);
}

/* ---- what must hold -------------------------------------------------------------------------- */

static int by_playback(const void *a, const void *b)
{
    const struct mock_ingest_item *const *x = a, *const *y = b;
    int order = strcmp((*x)->xid, (*y)->xid);
    if (order) return order;
    if ((*x)->seq != (*y)->seq) return (*x)->seq < (*y)->seq ? -1 : 1;
    return (*x)->order < (*y)->order ? -1 : (*x)->order > (*y)->order;
}

/* The events of one playback, by their numbers: from the start to the stop, none twice. */
static const char *check_playback(const struct mock_ingest_item *const *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (items[i]->mismatched) return "an event's body is another's";
        if (items[i]->seq < (int64_t)i) return "an event of record came twice";
        if (items[i]->seq > (int64_t)i) return "an event of record is missing";
        bool start = strcmp(items[i]->name, "events/start") == 0;
        bool stop = strcmp(items[i]->name, "events/stop") == 0;
        if (start != (i == 0)) return "a playback does not begin with its start";
        if (stop != (i + 1 == n)) return "a playback does not end with its stop";
    }
    return NULL;
}

static void log_item(const struct session *s, const struct mock_ingest_item *item)
{
    char line[256];
    if (!s->log.fn) return;
    int n = snprintf(line, sizeof(line), "service: %s xid=%.8s seq=%lld position_ms=%lld reason=%s"
                     " arrivals=%u", item->name, item->xid, (long long)item->seq,
                     (long long)item->position_ms, item->reason, (unsigned)item->arrivals);
    s->log.fn(s->log.ctx, CAD_LOG_INFO, CAD_TIME_NONE, cad_str_make(line, (size_t)CAD_MAX(n, 0)));
}

static const char *check_events(struct session *s)
{
    struct cad_alloc alloc = cad_alloc_system();
    const struct mock_ingest *m = sim_origin_ingest(s->origin);
    struct session_outcome *out = s->out;
    const char *what = NULL;
    const struct mock_ingest_item *bad;
    size_t count = 0;
    if (m->count == 0) return out->events > 0 ? "no event of record came" : NULL;
    const struct mock_ingest_item **items =
        cad_alloc_array(&alloc, m->count, sizeof(*items), CAD_MEM_OTHER);
    if (!items) return "out of memory";
    for (size_t i = 0; i < m->count; i++) {
        if (!mock_ingest_is_event(&m->items[i])) continue;
        items[count++] = &m->items[i];
        log_item(s, &m->items[i]);
        out->repeated += m->items[i].arrivals - 1;
    }
    qsort(items, count, sizeof(*items), by_playback);
    for (size_t i = 0, n; i < count && !what; i += n) {
        for (n = 1; i + n < count && strcmp(items[i]->xid, items[i + n]->xid) == 0; n++) {}
        what = check_playback(&items[i], n);
    }
    cad_alloc_free(&alloc, items, m->count * sizeof(*items), CAD_MEM_OTHER);
    out->held = count;
    out->logs_held = mock_ingest_entries(m);
    if (!what && !mock_ingest_in_order(m, &bad)) what = "events came in another order";
    if (!what && out->held < out->events) what = "fewer events came than were made";
    if (!what && out->held > out->events) what = "more events came than were made";
    return what;
}

static const char *check(struct session *s)
{
    struct session_outcome *out = s->out;
    if (!s->over) return "it neither ended nor failed";
    if (!out->ended && out->error == CAD_ERR_NONE) return "it failed without an error";
    if (out->ended && out->played < SHORTEST) return "it ended too early";
    return s->quiet ? NULL : check_events(s);
}

void session_play(const struct plan *plan, const struct session_how *how,
                  struct session_outcome *out)
{
    struct session s = {.plan = plan, .out = out, .log = how->log, .quiet = how->quiet,
                        .tape = how->tape};
    memset(out, 0, sizeof(*out));
    out->startup = CAD_TIME_NONE;
    fail(&s, make_origin(&s));
    if (!out->failure) play(&s);
    out->broken = out->failure ? cad_result_text(out->failure) : check(&s);
    cad_sim_destroy(&s.sim);
    if (s.store.ops) s.store.ops->destroy(s.store.self);
    sim_origin_destroy(&s.origin);
    cad_synth_destroy(&s.synth);
}
