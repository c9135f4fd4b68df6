#include "scenario_real.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/player_impl.h"
#include "drive/scenario_play.h"
#include "drive/scenario_stage.h"
#include "drive/vsink.h"
#include "stage.h"

#define OVERTIME (30 * CAD_SECOND)     /* after title and script: it hangs */
#define LOOK_PERIOD (20 * CAD_MS)      /* events are waited for so long at a time */
#define SETTLE (200 * CAD_MS)          /* after a command the session is not taken to be over */
#define ANCHOR_PERIOD (100 * CAD_MS)
#define SINK_FIRST (20 * CAD_MS)       /* after a sleep the sink speaks before the engine thinks */
#define STARTS_MAX 65536               /* requests whose start is remembered */
#define EVENTS_MAX (1u << 16)
#define PATH_SIZE 256

struct run {
    const struct cad_scenario_options *options;
    const struct scenario_real_options *real;
    struct cad_scenario_result *result;
    struct cad_scenario *s;
    struct cad_scenario_stage files;
    struct cad_scenario_play play;
    struct cad_scenario_backend backend;
    struct stage stage;
    bool has_stage;
    enum cad_host_fault faults[CAD_SCENARIO_HOSTS_MAX];
    struct cad_player *player;
    struct cad_sink *sink;
    pthread_t thread;            /* steps the sink */
    bool has_thread;
    _Atomic bool stop;
    _Atomic int64_t asleep_until;/* the sink is not stepped before */
    cad_time zero;               /* monotonic time at which the scenario began */
    cad_time settled;            /* monotonic; see SETTLE */
    enum cad_state state;        /* by the last event */
    struct cad_app_event *events;/* taken from the player, not polled yet */
    uint32_t event_cap, event_head, event_count;
    pthread_mutex_t lock;        /* of starts */
    cad_time *starts;            /* of requests, as the log tells them */
    uint32_t start_count, start_done;
};

/* ---- threads of the player ---------------------------------------------------------------- */

/* Requests are counted by the engine's decisions: those that never reached a server too. */
static void log_line(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    struct run *r = ctx;
    const struct cad_log *log = &r->options->log;
    cad_time since = now == CAD_TIME_NONE ? now : CAD_MAX(now - r->zero, 0);
    if (cad_str_starts(line, CAD_STR("decide: request "))) {
        pthread_mutex_lock(&r->lock);
        if (r->start_count < STARTS_MAX) r->starts[r->start_count++] = since;
        pthread_mutex_unlock(&r->lock);
    }
    if (log->fn && level <= log->level) log->fn(log->ctx, level, since, line);
}

static void *sink_main(void *ctx)
{
    struct run *r = ctx;
    while (!atomic_load(&r->stop)) {
        cad_time now = cad_player_now(r->player);
        cad_time latest = cad_time_add(now, LOOK_PERIOD);
        cad_time wake = atomic_load(&r->asleep_until);
        if (wake <= now) wake = cad_player_sink_step(r->player, r->sink);
        if (wake == CAD_TIME_NONE || wake > latest) wake = latest;
        if (wake > cad_player_now(r->player)) cad_player_wait_sink(r->player, wake);
    }
    return NULL;
}

/* ---- the back end: time and events -------------------------------------------------------- */

static cad_time real_now(void *ctx)
{
    struct run *r = ctx;
    return cad_player_now(r->player) - r->zero;
}

static int keep_event(struct run *r, const struct cad_app_event *event)
{
    if (r->event_head == r->event_count) r->event_head = r->event_count = 0;
    if (r->event_count == r->event_cap) {
        uint32_t more = r->event_cap ? r->event_cap * 2 : 256;
        if (more > EVENTS_MAX) return CAD_E_LIMIT;
        void *p = cad_alloc_resize(&r->options->alloc, r->events, r->event_cap * sizeof(*event),
                                   more * sizeof(*event), CAD_MEM_OTHER);
        if (!p) return CAD_E_NOMEM;
        r->events = p;
        r->event_cap = more;
    }
    if (event->type == CAD_APP_STATE) r->state = event->state;
    r->events[r->event_count] = *event;
    r->events[r->event_count++].at -= r->zero;
    return 0;
}

/* Takes what there is, waiting at most `timeout` for the first. */
static int take_events(struct run *r, cad_time timeout)
{
    struct cad_app_event event;
    while (cad_player_wait_event(r->player, &event, timeout) == 0) {
        int err = keep_event(r, &event);
        if (err) return err;
        timeout = 0;
    }
    return 0;
}

static void take_starts(struct run *r)
{
    pthread_mutex_lock(&r->lock);
    while (r->start_done < r->start_count) {
        cad_scenario_play_request(&r->play, r->starts[r->start_done++]);
    }
    pthread_mutex_unlock(&r->lock);
}

static bool is_over(const struct run *r)
{
    bool last = r->state == CAD_STATE_ENDED || r->state == CAD_STATE_FAILED ||
                r->state == CAD_STATE_STOPPED;
    return last && cad_player_now(r->player) >= r->settled;
}

static int real_run(void *ctx, cad_time until)
{
    struct run *r = ctx;
    int err = take_events(r, 0);
    while (!err && !is_over(r)) {
        cad_time left = until - real_now(r);
        if (left <= 0) break;
        err = take_events(r, CAD_MIN(left, LOOK_PERIOD));
    }
    take_starts(r);
    return err ? err : is_over(r);
}

static void real_idle(void *ctx, cad_time until)
{
    struct run *r = ctx;
    for (;;) {
        cad_time left = until - real_now(r);
        if (left <= 0 || take_events(r, CAD_MIN(left, LOOK_PERIOD))) return;
    }
}

static int real_poll(void *ctx, struct cad_app_event *out)
{
    struct run *r = ctx;
    if (r->event_head == r->event_count) return CAD_E_AGAIN;
    *out = r->events[r->event_head++];
    return 0;
}

static void real_stats(void *ctx, struct cad_engine_stats *out)
{
    cad_player_stats(((struct run *)ctx)->player, out);
}

static uint32_t real_tracks(void *ctx, struct cad_track_info *out, uint32_t max)
{
    return cad_player_tracks(((struct run *)ctx)->player, out, max);
}

/* ---- the back end: what is done ----------------------------------------------------------- */

static int real_load(void *ctx)
{
    struct run *r = ctx;
    char text[1024];
    if (r->s->url.n > 0) {
        cad_str_copyz(text, sizeof(text), r->s->url);
        return cad_player_load_url(r->player, text, CAD_TIME_NONE, NULL);
    }
    (void)snprintf(text, sizeof(text), "http://%s", r->stage.hosts[0]);
    return cad_player_load_title(r->player, text, CAD_SCENARIO_TITLE_ID, CAD_TIME_NONE, NULL);
}

static int real_prepare(void *ctx)
{
    struct run *r = ctx;
    char base[1024];
    if (r->s->url.n > 0) {
        cad_str_copyz(base, sizeof(base), r->s->url);
        return cad_player_prepare(r->player, base, NULL, NULL);
    }
    (void)snprintf(base, sizeof(base), "http://%s", r->stage.hosts[0]);
    return cad_player_prepare(r->player, base, CAD_SCENARIO_TITLE_ID, NULL);
}

static int real_command(void *ctx, const struct cad_command *c)
{
    struct run *r = ctx;
    r->settled = cad_time_add(cad_player_now(r->player), SETTLE);
    switch (c->type) {
    case CAD_COMMAND_PLAY: return cad_player_play(r->player);
    case CAD_COMMAND_PAUSE: return cad_player_pause(r->player);
    case CAD_COMMAND_STOP: return cad_player_stop(r->player);
    case CAD_COMMAND_SEEK: return cad_player_seek(r->player, c->position, NULL);
    case CAD_COMMAND_TRACK: return cad_player_select_track(r->player, c->track, NULL);
    case CAD_COMMAND_RATE: return cad_player_set_rate(r->player, c->rate_q16);
    default: return CAD_E_INVAL;
    }
}

/* A server that refuses what it is told is the end of the scenario: why is told. */
static int post(struct run *r, const char *path, cad_str body)
{
    int err = stage_post(&r->stage, path, body);
    if (err) {
        (void)snprintf(r->result->message, sizeof(r->result->message), "%s", r->stage.error);
    }
    return err ? CAD_E_IO : 0;
}

static int post_host(struct run *r, uint32_t host, const char *verb)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof(path), "/host/%u/%s", (unsigned)host + 1, verb);
    return post(r, path, (cad_str){NULL, 0});
}

static int real_host(void *ctx, uint32_t host, enum cad_host_fault fault, int64_t value)
{
    struct run *r = ctx;
    char verb[64] = "";
    int err = post_host(r, host, "ok");
    if (!err && r->faults[host] == CAD_HOST_REFUSE && fault != CAD_HOST_REFUSE) {
        err = post_host(r, host, "open");
    }
    r->faults[host] = fault;
    switch (fault) {
    case CAD_HOST_UP: return err;
    case CAD_HOST_REFUSE: (void)snprintf(verb, sizeof(verb), "close"); break;
    case CAD_HOST_BLACKHOLE: (void)snprintf(verb, sizeof(verb), "blackhole"); break;
    case CAD_HOST_RESET_AT:
        (void)snprintf(verb, sizeof(verb), "reset?at=%lld", (long long)value);
        break;
    case CAD_HOST_STATUS:
        (void)snprintf(verb, sizeof(verb), "status?code=%lld", (long long)value);
        break;
    case CAD_HOST_RATE:
        (void)snprintf(verb, sizeof(verb), "cap?bps=%lld", (long long)value);
        break;
    }
    return err ? err : post_host(r, host, verb);
}

static int real_network(void *ctx, bool online)
{
    struct run *r = ctx;
    int err = 0;
    if (r->has_stage) err = post(r, online ? "/network/on" : "/network/off", (cad_str){NULL, 0});
    return err ? err : cad_player_set_online(r->player, online);
}

/* What the server's control port has besides services that go up and down. A name that ends in a
 * dash is followed by milliseconds. */
static const struct service {
    const char *name, *down, *up;
} services[] = {
    {"licence-slow-", "/licence/delay?ms=", "/licence/delay?ms=0"},
    {"events", "/ingest/status?code=503&for=events", "/ingest/ok?for=events"},
    {"events-refused", "/ingest/refuse?for=events", "/ingest/ok?for=events"},
    {"events-cut", "/ingest/drop?for=events", "/ingest/ok?for=events"},
    {"events-slow-", "/ingest/delay?for=events&ms=", "/ingest/delay?for=events&ms=0"},
    {"log", "/ingest/status?code=503&for=log", "/ingest/ok?for=log"},
    {"log-refused", "/ingest/refuse?for=log", "/ingest/ok?for=log"},
    {"log-cut", "/ingest/drop?for=log", "/ingest/ok?for=log"},
    {"log-slow-", "/ingest/delay?for=log&ms=", "/ingest/delay?for=log&ms=0"},
    {"probe", "/ftl/recipe/status?code=503", "/ftl/recipe/ok"},
    {"probe-garbage", "/ftl/recipe/garbage", "/ftl/recipe/ok"},
    {"probe-slow-", "/ftl/recipe/slow?ms=", "/ftl/recipe/ok"},
};

static void service_path(cad_str name, bool up, char path[PATH_SIZE])
{
    for (size_t i = 0; i < CAD_ARRAY_LEN(services); i++) {
        const struct service *s = &services[i];
        cad_str own = cad_str_from(s->name);
        bool timed = own.p[own.n - 1] == '-';
        if (timed ? !cad_str_starts(name, own) : !cad_str_eq(name, own)) continue;
        cad_str ms = cad_str_sub(name, own.n, name.n);
        (void)snprintf(path, PATH_SIZE, "%s%.*s", up ? s->up : s->down,
                       up ? 0 : (int)CAD_MIN(ms.n, (size_t)16), ms.p);
        return;
    }
    (void)snprintf(path, PATH_SIZE, "/service/%.*s/%s", (int)CAD_MIN(name.n, (size_t)64), name.p,
                   up ? "up" : "down");
}

static int real_service(void *ctx, cad_str name, bool up)
{
    struct run *r = ctx;
    char path[PATH_SIZE];
    service_path(name, up, path);
    if (!r->has_stage) return CAD_E_NOTFOUND;
    int err = stage_post(&r->stage, path, (cad_str){NULL, 0});
    return err == CAD_E_INVAL ? CAD_E_NOTFOUND : err;
}

/* The whole player stands; only the world goes on. As in virtual time the sink is stepped before
 * the engine's first turn, so that the position is where the clock stopped. */
static int real_suspend(void *ctx, cad_time duration)
{
    struct run *r = ctx;
    cad_time until = cad_time_add(cad_player_now(r->player), duration);
    atomic_store(&r->asleep_until, until);
    cad_player_suspend(r->player, cad_time_add(until, SINK_FIRST));
    for (;;) {
        cad_time left = until - cad_player_now(r->player);
        if (left <= 0) return 0;
        struct timespec spec = {.tv_sec = (time_t)(left / CAD_SECOND),
                                .tv_nsec = (long)(left % CAD_SECOND)};
        (void)nanosleep(&spec, NULL);
    }
}

static void connect_backend(struct run *r)
{
    r->backend = (struct cad_scenario_backend){
        .ctx = r, .now = real_now, .load = real_load, .prepare = real_prepare,
        .run = real_run, .idle = real_idle,
        .command = real_command, .host = real_host, .network = real_network,
        .service = real_service, .suspend = real_suspend, .poll = real_poll, .stats = real_stats,
        .tracks = real_tracks, .overtime = OVERTIME};
    r->play.backend = &r->backend;
    r->play.duration = r->files.duration;
}

/* ---- setting the stage -------------------------------------------------------------------- */

static int no_stage(struct run *r, int err)
{
    (void)snprintf(r->result->message, sizeof(r->result->message), "%s", r->stage.error);
    return err == CAD_E_INVAL ? CAD_E_IO : err;
}

static int open_stage(struct run *r)
{
    const struct scenario_real_options *real = r->real;
    int err = real->mockd_control ? stage_attach(&r->stage, real->mockd_control)
                                  : stage_start(&r->stage, real->mockd, r->s->host_count);
    if (err) return no_stage(r, err);
    r->has_stage = true;
    if (r->stage.host_count >= r->s->host_count) return 0;
    (void)snprintf(r->stage.error, sizeof(r->stage.error), "cadmium-mockd has %u hosts, not %u",
                   (unsigned)r->stage.host_count, (unsigned)r->s->host_count);
    return no_stage(r, CAD_E_IO);
}

static int post_title(struct run *r)
{
    const struct cad_scenario *s = r->s;
    char path[1024];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, path, sizeof(path));
    cad_sb_printf(&sb, "/stage/title?hosts=%u&duration_ms=%lld&life_s=%lld&seed=%llu",
                  (unsigned)s->host_count, (long long)(r->files.duration / CAD_MS),
                  (long long)(s->url_life / CAD_SECOND),
                  (unsigned long long)(r->result->seed & INT64_MAX));
    for (uint32_t i = 0; i < s->audio_count; i++) {
        cad_sb_printf(&sb, "%s%s:%u", i == 0 ? "&audio=" : ",", s->audio[i].lang,
                      (unsigned)s->audio[i].channels);
    }
    for (uint32_t i = 0; i < s->text_count; i++) {
        cad_sb_printf(&sb, "%s%s", i == 0 ? "&text=" : ",", s->text[i]);
    }
    if (s->is_protected) {
        uint8_t kid[CAD_KEY_ID_SIZE];
        cad_scenario_kid(r->result->seed, kid);
        cad_sb_putz(&sb, "&kid=");
        for (size_t i = 0; i < sizeof(kid); i++) cad_sb_printf(&sb, "%02x", kid[i]);
    }
    return post(r, cad_sb_z(&sb), r->files.ladder_text);
}

static int post_link(struct run *r, uint32_t i)
{
    char path[PATH_SIZE], constant[PATH_SIZE];
    const struct cad_trace_period *p = &r->s->links[i].period;
    cad_str text = r->files.trace_text[i];
    (void)snprintf(path, sizeof(path), "/stage/link/%u", (unsigned)i + 1);
    if (!text.p) {
        (void)snprintf(constant, sizeof(constant), "600000 %lld %lld\n",
                       (long long)(p->rate_bps / 1000), (long long)(p->latency / CAD_MS));
        text = cad_str_from(constant);
    }
    return post(r, path, text);
}

static int set_stage(struct run *r)
{
    if (r->s->url.n > 0) return 0;
    int err = open_stage(r);
    if (!err) err = post_title(r);
    for (uint32_t i = 0; !err && i < r->s->link_count; i++) err = post_link(r, i);
    for (uint32_t i = 0; !err && i < r->s->host_count; i++) {
        char verb[64];
        (void)snprintf(verb, sizeof(verb), "link?link=%u", (unsigned)r->s->hosts[i].link + 1);
        err = post_host(r, i, verb);
    }
    return err ? err : post(r, "/stage/start", (cad_str){NULL, 0});
}

/* ---- the player --------------------------------------------------------------------------- */

static int make_player(struct run *r)
{
    const struct cad_scenario_options *o = r->options;
    struct cad_player_config config;
    cad_player_config_init(&config);
    config.engine.seed = r->result->seed;
    config.engine.alloc = o->alloc;
    config.engine.log = (struct cad_log){log_line, r, CAD_MAX(o->log.level, CAD_LOG_INFO)};
    config.engine.check = o->check;
    config.tape = o->tape;
    config.ca_file = r->real->ca_file;
    if (r->s->buffer > 0) config.engine.buffer_ahead = r->s->buffer;
    if (r->s->is_protected) config.cdm = cad_cdm_clearkey();
    config.engine.report = r->s->report; /* the manifest links to where */
    config.engine.probe = r->s->probe;
    r->zero = cad_player_now(NULL);
    int err = cad_player_create(&config, &r->player);
    if (err) return err;
    struct cad_vsink_config sink = {.anchor_period = ANCHOR_PERIOD, .seed = r->result->seed};
    err = cad_vsink_create(&o->alloc, &sink, &r->sink);
    if (err) return err;
    cad_vsink_mode(r->sink, r->s->sink, r->s->sink_ppm, cad_player_now(r->player));
    r->has_thread = pthread_create(&r->thread, NULL, sink_main, r) == 0;
    return r->has_thread ? 0 : CAD_E_IO;
}

static void clear(struct run *r)
{
    const struct cad_alloc *alloc = &r->options->alloc;
    atomic_store(&r->stop, true);
    if (r->has_thread) pthread_join(r->thread, NULL);
    if (r->sink) r->sink->ops->destroy(r->sink);
    cad_player_destroy(&r->player);
    if (r->has_stage) stage_stop(&r->stage);
    cad_scenario_stage_deinit(&r->files, r->options);
    cad_scenario_play_deinit(&r->play);
    cad_alloc_free(alloc, r->events, r->event_cap * sizeof(*r->events), CAD_MEM_OTHER);
    cad_alloc_free(alloc, r->starts, STARTS_MAX * sizeof(*r->starts), CAD_MEM_OTHER);
    cad_alloc_free(alloc, r->s, sizeof(*r->s), CAD_MEM_OTHER);
}

static int run_parsed(struct run *r, cad_str text)
{
    const struct cad_scenario_options *o = r->options;
    int err = cad_scenario_stage_load(&r->files, r->s, o, r->result);
    if (!err) err = set_stage(r);
    if (!err) err = make_player(r);
    if (err) return err;
    connect_backend(r);
    err = cad_scenario_play_run(&r->play);
    if (!err && o->point) cad_scenario_play_tell(&r->play, text, o->point, o->ctx);
    return err;
}

int scenario_real_run(cad_str text, const struct cad_scenario_options *options,
                      const struct scenario_real_options *real, struct cad_scenario_result *out)
{
    struct run run = {.options = options, .real = real, .result = out, .state = CAD_STATE_IDLE};
    memset(out, 0, sizeof(*out));
    if (pthread_mutex_init(&run.lock, NULL)) return CAD_E_IO;
    run.s = cad_alloc_new(&options->alloc, sizeof(*run.s), CAD_MEM_OTHER);
    run.starts = cad_alloc_array(&options->alloc, STARTS_MAX, sizeof(*run.starts), CAD_MEM_OTHER);
    cad_scenario_play_init(&run.play, &options->alloc, run.s, out);
    int err = run.s && run.starts ? cad_scenario_parse(text, run.s, out) : CAD_E_NOMEM;
    if (!err) {
        out->seed = options->seed ? options->seed : run.s->seed;
        out->expectations = run.s->expect_count;
        err = run_parsed(&run, text);
    }
    clear(&run);
    (void)pthread_mutex_destroy(&run.lock);
    return err;
}
