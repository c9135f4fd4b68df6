/*
 * scenario_run.c - plays a parsed scenario in virtual time and holds it against its expectations.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/scenario.h"

#define TITLE_ID "900100"
#define NOTES_MAX (1u << 20)             /* events or requests that are remembered */
#define END_SLACK (100 * CAD_MS)         /* of the title's end: all is buffered */
#define OVERTIME (3600 * CAD_SECOND)     /* after title and script: the scenario hangs */
#define SEEN_SIZE 80

/* Something that happened, small enough to keep all of them. */
struct note {
    cad_time at;
    enum cad_app_event_type type;
    enum cad_state state;                /* STATE */
    uint32_t rung;                       /* RUNG */
    enum cad_error_code error;           /* ERROR */
    enum cad_error_class error_class;
};

struct notes {
    struct note *p;
    uint32_t count, cap;
};

struct run {
    const struct cad_scenario_options *options;
    struct cad_scenario_result *result;
    struct cad_scenario *s;
    struct cad_ladder ladder;
    struct cad_trace traces[CAD_SIM_LINKS_MAX];
    uint32_t trace_count;
    struct cad_synth *synth;
    cad_time duration;
    void *origin;
    struct cad_sim *sim;
    struct notes notes;
    cad_time *starts;                    /* of requests, in order of their ends */
    uint32_t start_count, start_cap;
    int32_t rung;                        /* of the last RUNG event of video; -1 none */
    int error;                           /* of a callback */
};

/* ---- what happened ------------------------------------------------------------------------- */

/* Room for one more element; what was there is kept. */
static bool grow(const struct run *r, void **p, uint32_t *cap, uint32_t count, size_t size)
{
    if (count < *cap) return true;
    if (*cap >= NOTES_MAX) return false;
    uint32_t more = *cap ? *cap * 2 : 256;
    void *q = cad_alloc_resize(&r->options->alloc, *p, *cap * size, more * size, CAD_MEM_OTHER);
    if (!q) return false;
    *p = q;
    *cap = more;
    return true;
}

static void on_access(void *ctx, const struct cad_sim_access *access)
{
    struct run *r = ctx;
    void *p = r->starts;
    if (!grow(r, &p, &r->start_cap, r->start_count, sizeof(*r->starts))) {
        r->error = CAD_E_NOMEM;
        return;
    }
    r->starts = p;
    r->starts[r->start_count++] = access->start;
}

static void take_events(struct run *r)
{
    struct cad_app_event e;
    while (cad_sim_poll(r->sim, &e) == 0) {
        void *p = r->notes.p;
        if (!grow(r, &p, &r->notes.cap, r->notes.count, sizeof(*r->notes.p))) {
            r->error = CAD_E_NOMEM;
            return;
        }
        r->notes.p = p;
        if (e.type == CAD_APP_RUNG && e.slot != CAD_SLOT_VIDEO) continue;
        if (e.type == CAD_APP_RUNG) r->rung = (int32_t)e.rung;
        r->notes.p[r->notes.count++] = (struct note){
            .at = e.at, .type = e.type, .state = e.state, .rung = e.rung, .error = e.error.code,
            .error_class = e.error.cls};
    }
}

static bool note_is(const struct note *n, cad_str name)
{
    if (cad_str_eqz(name, cad_app_event_name(n->type))) return true;
    return n->type == CAD_APP_STATE && cad_str_eqz(name, cad_state_name(n->state));
}

/* ---- expectations -------------------------------------------------------------------------- */

static void print_seconds(char *out, size_t cap, cad_time t)
{
    if (t == CAD_TIME_NONE) {
        (void)snprintf(out, cap, "nothing");
        return;
    }
    (void)snprintf(out, cap, "%lld.%03lld", (long long)(t / CAD_SECOND),
                   (long long)(t % CAD_SECOND / CAD_MS));
}

/* The expectation did not hold: the first of all is described. */
static void miss(struct run *r, struct cad_scenario_expect *e, const char *seen)
{
    struct cad_scenario_result *out = r->result;
    if (!e->failed) out->failed++;
    e->failed = true;
    if (out->line != 0) return;
    out->line = e->line;
    char value[SEEN_SIZE] = "";
    char at[SEEN_SIZE];
    print_seconds(at, sizeof(at), cad_sim_now(r->sim));
    if (e->text.n > 0) {
        (void)snprintf(value, sizeof(value), " %.*s", (int)CAD_MIN(e->text.n, (size_t)60),
                       e->text.p);
    } else if (cad_scenario_subject_is_time(e->subject)) {
        char seconds[32];
        print_seconds(seconds, sizeof(seconds), e->value);
        (void)snprintf(value, sizeof(value), " %s %s", cad_scenario_op_name(e->op), seconds);
    } else if (e->subject < CAD_SUBJECT_EVENT) {
        (void)snprintf(value, sizeof(value), " %s %lld", cad_scenario_op_name(e->op),
                       (long long)e->value);
    }
    (void)snprintf(out->message, sizeof(out->message), "line %u, at %s s: expected %s%s, saw %s",
                   (unsigned)e->line, at, cad_scenario_subject_name(e->subject), value, seen);
}

static bool holds(enum cad_scenario_op op, int64_t seen, int64_t value)
{
    switch (op) {
    case CAD_OP_EQ: return seen == value;
    case CAD_OP_GE: return seen >= value;
    case CAD_OP_LE: return seen <= value;
    case CAD_OP_GT: return seen > value;
    case CAD_OP_LT: return seen < value;
    }
    return false;
}

/* Media in front of the viewer on the slot that has least of it. */
static cad_time buffer_of(const struct cad_engine_stats *stats)
{
    cad_time least = CAD_TIME_MAX;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (stats->slot[i].present) least = CAD_MIN(least, stats->slot[i].ahead);
    }
    return least == CAD_TIME_MAX ? 0 : least;
}

static int64_t value_of(const struct run *r, enum cad_scenario_subject subject,
                        const struct cad_engine_stats *stats)
{
    switch (subject) {
    case CAD_SUBJECT_BUFFER: return buffer_of(stats);
    case CAD_SUBJECT_POSITION: return stats->position;
    case CAD_SUBJECT_RUNG: return r->rung;
    case CAD_SUBJECT_STALLS: return stats->stalls;
    case CAD_SUBJECT_STALL_TIME: return stats->stall_time;
    case CAD_SUBJECT_REFRESHES: return stats->refreshes;
    case CAD_SUBJECT_SWITCHES: return stats->slot[CAD_SLOT_VIDEO].switches;
    case CAD_SUBJECT_STARTUP: return stats->startup;
    case CAD_SUBJECT_DROPPED: return (int64_t)stats->dropped;
    case CAD_SUBJECT_TWICE: return (int64_t)stats->bytes_twice;
    default: return 0;
    }
}

/* A value against a bound, now. */
static void check_value(struct run *r, struct cad_scenario_expect *e)
{
    struct cad_engine_stats stats;
    cad_sim_stats(r->sim, &stats);
    char seen[SEEN_SIZE];
    if (e->subject == CAD_SUBJECT_STATE) {
        const char *state = cad_state_name(stats.state);
        if (!cad_str_eqz(e->text, state)) miss(r, e, state);
        return;
    }
    int64_t value = value_of(r, e->subject, &stats);
    if (e->subject == CAD_SUBJECT_STARTUP && value == CAD_TIME_NONE) {
        miss(r, e, "no first picture");
        return;
    }
    if (holds(e->op, value, e->value)) return;
    /* No buffer can be longer than what is left of the title. */
    if (e->subject == CAD_SUBJECT_BUFFER && e->op == CAD_OP_GE &&
        stats.position + value >= r->duration - END_SLACK) {
        return;
    }
    if (cad_scenario_subject_is_time(e->subject)) {
        print_seconds(seen, sizeof(seen), value);
    } else {
        (void)snprintf(seen, sizeof(seen), "%lld", (long long)value);
    }
    miss(r, e, seen);
}

/* "rung >= N from A to B": the one shown at A, and each that comes up to B. */
static void check_rungs(struct run *r, struct cad_scenario_expect *e)
{
    const struct note *first = NULL;
    char seen[SEEN_SIZE];
    for (uint32_t i = 0; i < r->notes.count; i++) {
        const struct note *n = &r->notes.p[i];
        if (n->type != CAD_APP_RUNG || n->at > e->to) continue;
        if (n->at <= e->from) {
            first = n;
            continue;
        }
        if (holds(e->op, n->rung, e->value)) continue;
        char at[32];
        print_seconds(at, sizeof(at), n->at);
        (void)snprintf(seen, sizeof(seen), "%u at %s s", (unsigned)n->rung, at);
        miss(r, e, seen);
        return;
    }
    if (!first) {
        miss(r, e, "no rung yet at the span's beginning");
    } else if (!holds(e->op, first->rung, e->value)) {
        (void)snprintf(seen, sizeof(seen), "%u at its beginning", (unsigned)first->rung);
        miss(r, e, seen);
    }
}

static void check_event(struct run *r, struct cad_scenario_expect *e)
{
    const struct note *other = NULL;
    for (uint32_t i = 0; i < r->notes.count; i++) {
        const struct note *n = &r->notes.p[i];
        if (!note_is(n, e->text)) continue;
        if (n->at >= e->from && n->at <= e->to) return;
        if (!other || n->at <= e->to) other = n;
    }
    char seen[SEEN_SIZE] = "none";
    if (other) print_seconds(seen, sizeof(seen), other->at);
    miss(r, e, seen);
}

static void check_absence(struct run *r, struct cad_scenario_expect *e)
{
    char seen[SEEN_SIZE];
    cad_time from = e->from == CAD_TIME_NONE ? 0 : e->from;
    bool stall = e->subject == CAD_SUBJECT_NO_STALL;
    for (uint32_t i = 0; i < r->notes.count; i++) {
        const struct note *n = &r->notes.p[i];
        if (n->type != (stall ? CAD_APP_STALL_BEGIN : CAD_APP_ERROR) || n->at < from) continue;
        char at[32];
        print_seconds(at, sizeof(at), n->at);
        (void)snprintf(seen, sizeof(seen), "%s at %s s",
                       stall ? "a stall" : cad_error_name(n->error), at);
        miss(r, e, seen);
        return;
    }
}

static void check_requests(struct run *r, struct cad_scenario_expect *e)
{
    for (uint32_t i = 0; i < r->start_count; i++) {
        if (r->starts[i] < e->from || r->starts[i] > e->to) continue;
        char at[32];
        char seen[SEEN_SIZE];
        print_seconds(at, sizeof(at), r->starts[i]);
        (void)snprintf(seen, sizeof(seen), "one at %s s", at);
        miss(r, e, seen);
        return;
    }
}

static void check_failed(struct run *r, struct cad_scenario_expect *e)
{
    const char *seen = "no fatal error";
    for (uint32_t i = 0; i < r->notes.count; i++) {
        const struct note *n = &r->notes.p[i];
        if (n->type != CAD_APP_ERROR || n->error_class != CAD_ERROR_FATAL) continue;
        seen = cad_error_name(n->error);
        if (e->text.n == 0 || cad_str_eqz(e->text, seen)) return;
    }
    miss(r, e, seen);
}

static void check_ended(struct run *r, struct cad_scenario_expect *e)
{
    struct cad_engine_stats stats;
    cad_sim_stats(r->sim, &stats);
    if (stats.state != CAD_STATE_ENDED) miss(r, e, cad_state_name(stats.state));
}

static void check_at_end(struct run *r, struct cad_scenario_expect *e)
{
    switch (e->subject) {
    case CAD_SUBJECT_EVENT: check_event(r, e); break;
    case CAD_SUBJECT_NO_STALL:
    case CAD_SUBJECT_NO_ERROR: check_absence(r, e); break;
    case CAD_SUBJECT_NO_REQUEST: check_requests(r, e); break;
    case CAD_SUBJECT_ENDED: check_ended(r, e); break;
    case CAD_SUBJECT_FAILED: check_failed(r, e); break;
    default:
        if (e->from != CAD_TIME_NONE) {
            check_rungs(r, e);
        } else {
            check_value(r, e);
        }
        break;
    }
}

/* ---- the script ---------------------------------------------------------------------------- */

static int command(struct run *r, enum cad_command_type type, cad_time position)
{
    struct cad_command c = {.type = type, .position = position, .rung = -1};
    c.title.start = CAD_TIME_NONE;
    return cad_sim_command(r->sim, &c);
}

/* A mistake of the script that only shows when it runs. */
static int refuse(struct run *r, uint32_t line, const char *what)
{
    r->result->line = line;
    (void)snprintf(r->result->message, sizeof(r->result->message), "%s", what);
    return CAD_E_DATA;
}

static int do_action(struct run *r, const struct cad_scenario_action *a)
{
    const struct cad_scenario_options *o = r->options;
    switch (a->type) {
    case CAD_DO_PLAY: return command(r, CAD_COMMAND_PLAY, 0);
    case CAD_DO_PAUSE: return command(r, CAD_COMMAND_PAUSE, 0);
    case CAD_DO_STOP: return command(r, CAD_COMMAND_STOP, 0);
    case CAD_DO_SEEK: return command(r, CAD_COMMAND_SEEK, a->position);
    case CAD_DO_NETWORK: return cad_sim_online(r->sim, a->up);
    case CAD_DO_HOST:
        return cad_sim_host_fault(r->sim, r->s->hosts[a->host].name, a->fault, a->value);
    case CAD_DO_SERVICE: {
        int err = o->service ? o->service(o->ctx, r->origin, a->name, a->up) : CAD_E_NOTFOUND;
        return err == CAD_E_NOTFOUND ? refuse(r, a->line, "no such service") : err;
    }
    case CAD_DO_EXPECT:
        check_value(r, &r->s->expects[a->expect]);
        return 0;
    }
    return 0;
}

/* The next moment at which an "every" expectation looks, after now; NONE: there is none. */
static cad_time next_tick(const struct run *r)
{
    cad_time now = cad_sim_now(r->sim);
    cad_time next = CAD_TIME_NONE;
    for (uint32_t i = 0; i < r->s->expect_count; i++) {
        cad_time every = r->s->expects[i].every;
        if (every == 0) continue;
        cad_time at = (now / every + 1) * every;
        if (next == CAD_TIME_NONE || at < next) next = at;
    }
    return next;
}

static void check_ticks(struct run *r)
{
    struct cad_engine_stats stats;
    cad_time now = cad_sim_now(r->sim);
    cad_sim_stats(r->sim, &stats);
    if (stats.state != CAD_STATE_PLAYING) return;
    for (uint32_t i = 0; i < r->s->expect_count; i++) {
        struct cad_scenario_expect *e = &r->s->expects[i];
        if (e->every > 0 && now % e->every == 0) check_value(r, e);
    }
}

/* Run to `to`; 1: it is over and time stands there all the same if `pass`. */
static int run_to(struct run *r, cad_time to, bool pass)
{
    int rc = cad_sim_run(r->sim, to);
    take_events(r);
    if (rc < 0) return rc;
    if (r->error) return r->error;
    if (rc == 1 && pass) cad_sim_idle(r->sim, to);
    return rc;
}

static int play_script(struct run *r)
{
    struct cad_scenario *s = r->s;
    struct cad_command load = {
        .type = CAD_COMMAND_LOAD, .ticket = 1,
        .title = {.id = CAD_STR(TITLE_ID), .start = CAD_TIME_NONE}};
    char base[CAD_SCENARIO_NAME_SIZE + 16];
    (void)snprintf(base, sizeof(base), "http://%s", s->hosts[0].name);
    load.title.base = cad_str_from(base);
    int err = cad_sim_command(r->sim, &load);
    if (err) return err;
    uint32_t next = 0;
    cad_time last = s->action_count ? s->actions[s->action_count - 1].at : 0;
    cad_time limit = last + 2 * r->duration + OVERTIME;
    for (;;) {
        cad_time tick = next_tick(r);
        bool script = next < s->action_count;
        cad_time to = script ? s->actions[next].at : limit;
        if (tick != CAD_TIME_NONE && tick < to) to = tick;
        int rc = run_to(r, to, script);
        if (rc < 0) return rc;
        if (rc == 1 && !script) return 0;
        if (to == tick) check_ticks(r);
        while (next < s->action_count && s->actions[next].at <= cad_sim_now(r->sim)) {
            err = do_action(r, &s->actions[next++]);
            if (err) return err;
        }
        if (cad_sim_now(r->sim) >= limit) return 0;
    }
}

/* ---- the stage ----------------------------------------------------------------------------- */

static void free_text(const struct cad_scenario_options *o, cad_str text)
{
    cad_alloc_free(&o->alloc, (void *)(uintptr_t)text.p, text.n, CAD_MEM_OTHER);
}

/* A file the scenario names; errors are told as mistakes of that line. */
static int load_file(struct run *r, cad_str name, uint32_t line, cad_str *text)
{
    int err = r->options->load(r->options->ctx, name, text);
    if (!err || err == CAD_E_NOMEM) return err;
    char what[160];
    (void)snprintf(what, sizeof(what), "cannot load \"%.*s\": %s",
                   (int)CAD_MIN(name.n, (size_t)80), name.p, cad_result_text(err));
    return refuse(r, line, what);
}

static int load_ladder(struct run *r)
{
    const struct cad_alloc *alloc = &r->options->alloc;
    cad_str text;
    int err = load_file(r, r->s->ladder, 0, &text);
    if (err) return err;
    err = cad_ladder_parse(alloc, text, &r->ladder);
    free_text(r->options, text);
    if (err == CAD_E_NOMEM) return err;
    if (err) return refuse(r, 0, "the ladder cannot be read");
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    config.ladder = &r->ladder;
    config.duration = r->s->duration;
    if (config.duration == 0) {
        config.duration = r->ladder.segment_duration * r->ladder.segment_count;
    }
    r->duration = config.duration;
    err = cad_synth_create(alloc, &config, &r->synth);
    if (err && err != CAD_E_NOMEM) return refuse(r, 0, "no title can be made of the ladder");
    return err;
}

static int load_traces(struct run *r)
{
    for (uint32_t i = 0; i < r->s->link_count; i++) {
        struct cad_scenario_link *link = &r->s->links[i];
        if (link->trace.n == 0) {
            r->traces[i] = (struct cad_trace){&link->period, 1};
            r->trace_count++;
            continue;
        }
        cad_str text;
        int err = load_file(r, link->trace, link->line, &text);
        if (err) return err;
        err = cad_trace_parse(&r->options->alloc, text, &r->traces[i]);
        free_text(r->options, text);
        if (err == CAD_E_NOMEM) return err;
        if (err) return refuse(r, link->line, "the trace cannot be read");
        r->trace_count++;
    }
    return 0;
}

static int make_sim(struct run *r)
{
    const struct cad_scenario_options *o = r->options;
    struct cad_sim_config config;
    cad_sim_config_init(&config);
    config.seed = config.engine.seed = r->result->seed;
    config.engine.alloc = o->alloc;
    config.engine.log = o->log;
    config.engine.check = o->check;
    if (r->s->buffer > 0) config.engine.buffer_ahead = r->s->buffer;
    int err = cad_sim_create(&config, &r->sim);
    if (err) return err;
    cad_sim_on_access(r->sim, on_access, r);
    cad_sim_sink_mode(r->sim, r->s->sink, r->s->sink_ppm);
    for (uint32_t i = 0; !err && i < r->s->link_count; i++) {
        uint32_t index;
        err = cad_sim_add_link(r->sim, &r->traces[i], &index);
    }
    for (uint32_t i = 0; !err && i < r->s->host_count; i++) {
        err = cad_sim_add_host(r->sim, r->s->hosts[i].name, r->s->hosts[i].link);
    }
    return err;
}

static int make_origin(struct run *r)
{
    const char *hosts[CAD_SCENARIO_HOSTS_MAX];
    for (uint32_t i = 0; i < r->s->host_count; i++) hosts[i] = r->s->hosts[i].name;
    struct cad_scenario_title title = {
        .id = CAD_STR(TITLE_ID), .synth = r->synth, .hosts = hosts,
        .host_count = r->s->host_count, .url_life = r->s->url_life, .seed = r->result->seed};
    const struct cad_origin_ops *ops = NULL;
    int err = r->options->make_origin(r->options->ctx, &title, &ops, &r->origin);
    if (!err) cad_sim_set_origin(r->sim, ops, r->origin);
    return err;
}

static void clear(struct run *r)
{
    const struct cad_alloc *alloc = &r->options->alloc;
    cad_sim_destroy(&r->sim);
    if (r->origin) r->options->drop_origin(r->options->ctx, r->origin);
    cad_synth_destroy(&r->synth);
    for (uint32_t i = 0; i < r->trace_count; i++) {
        if (r->s->links[i].trace.n > 0) cad_trace_deinit(alloc, &r->traces[i]);
    }
    cad_ladder_deinit(alloc, &r->ladder);
    cad_alloc_free(alloc, r->notes.p, r->notes.cap * sizeof(*r->notes.p), CAD_MEM_OTHER);
    cad_alloc_free(alloc, r->starts, r->start_cap * sizeof(*r->starts), CAD_MEM_OTHER);
    cad_alloc_free(alloc, r->s, sizeof(*r->s), CAD_MEM_OTHER);
}

static int run_parsed(struct run *r)
{
    int err = load_ladder(r);
    if (!err) err = load_traces(r);
    if (!err) err = make_sim(r);
    if (!err) err = make_origin(r);
    if (!err) err = play_script(r);
    if (err) return err;
    for (uint32_t i = 0; i < r->s->expect_count; i++) {
        struct cad_scenario_expect *e = &r->s->expects[i];
        if (e->every == 0 && e->at == CAD_TIME_NONE) check_at_end(r, e);
    }
    cad_sim_stats(r->sim, &r->result->stats);
    return 0;
}

int cad_scenario_run(cad_str text, const struct cad_scenario_options *options,
                     struct cad_scenario_result *out)
{
    if (!options || options->size < sizeof(*options) || !out) return CAD_E_INVAL;
    if (!options->load || !options->make_origin || !options->drop_origin) return CAD_E_INVAL;
    memset(out, 0, sizeof(*out));
    struct run run = {.options = options, .result = out, .rung = -1};
    run.s = cad_alloc_new(&options->alloc, sizeof(*run.s), CAD_MEM_OTHER);
    if (!run.s) return CAD_E_NOMEM;
    int err = cad_scenario_parse(text, run.s, out);
    if (!err) {
        out->seed = options->seed ? options->seed : run.s->seed;
        out->expectations = run.s->expect_count;
        err = run_parsed(&run);
    }
    clear(&run);
    return err;
}
