/* The run: what should be under way now, and the requests that make it so. */
#include "steer/ftl.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"

#define RECIPE_TIMEOUT (5 * CAD_SECOND)
#define PLAY_REST (200 * CAD_MS)        /* after a wish to play */
#define NETWORK_REST (500 * CAD_MS)     /* after a change of network */
#define NETWORK_YOUNG (10 * CAD_SECOND) /* a run as young as this is not begun again */
#define RUN_SLACK (10 * CAD_SECOND)
#define PACE (20 * CAD_MS)              /* between two sends */
#define TIMEOUT_MIN (100 * CAD_MS)
#define TIMEOUT_MAX (60 * CAD_SECOND)
#define ARENA_CHUNK_BYTES 8192
#define ARENA_BYTES_MAX (1u << 20)      /* 160 pulses with 4 headers of 256 bytes: 160 KiB */
#define URL_TAIL_BYTES 12               /* "?pulse=10", NUL */
#define REQUEST_URL_MAX (CAD_FTL_ENDPOINT_MAX + 3 * CAD_FTL_NAME_MAX + 96)

/* ---- making and ending ----------------------------------------------------------------------- */

void cad_ftl_config_init(struct cad_ftl_config *config)
{
    *config = (struct cad_ftl_config){.size = sizeof(*config),
                                      .alloc = cad_alloc_system(),
                                      .device = CAD_STR("cadmium-c"),
                                      .flight_max = CAD_FTL_FLIGHT_MAX,
                                      .pulses_max = CAD_FTL_PULSES_MAX,
                                      .bytes_per_hour = 256 << 10,
                                      .requests_per_hour = 64};
}

static bool usable_endpoint(cad_str url)
{
    struct cad_uri u;
    if (url.n == 0) return true;
    if (url.n > CAD_FTL_ENDPOINT_MAX || cad_uri_parse(url, &u)) return false;
    return cad_uri_is_http(&u) && !u.has_fragment && cad_uri_port(&u) >= 0;
}

static bool usable(const struct cad_ftl_config *c)
{
    if (c->size != sizeof(*c) || !c->alloc.fn || !usable_endpoint(c->endpoint)) return false;
    if (c->device.n > CAD_FTL_NAME_MAX) return false;
    if (c->flight_max < 1 || c->flight_max > CAD_FTL_FLIGHT_MAX) return false;
    if (c->pulses_max < 1 || c->pulses_max > CAD_FTL_PULSES_MAX) return false;
    /* Less would let a recipe, or a probe of unknown size, wait for ever. */
    if (c->requests_per_hour < 1 || c->bytes_per_hour < CAD_FTL_RECIPE_BYTES_MAX) return false;
    if (c->requests_per_hour > CAD_FTL_BUDGET_REQUESTS_MAX) return false;
    return c->pulse_timeout == 0 ||
           (c->pulse_timeout >= TIMEOUT_MIN && c->pulse_timeout <= TIMEOUT_MAX);
}

int cad_ftl_create(const struct cad_ftl_config *config, struct cad_ftl **out)
{
    if (!config || !out || !usable(config)) return CAD_E_INVAL;
    const struct cad_alloc *alloc = &config->alloc;
    struct cad_ftl *ftl = cad_alloc_new(alloc, sizeof(*ftl), CAD_MEM_SESSION);
    if (!ftl) return CAD_E_NOMEM;
    ftl->config = *config;
    ftl->began = ftl->sent_last = ftl->played_at = CAD_TIME_NONE;
    ftl->race = CAD_FTL_RACE_NONE;
    cad_arena_init(&ftl->texts, alloc, CAD_MEM_SESSION, CAD_ARENA_CHUNK_MIN, 0);
    cad_arena_init(&ftl->arena, alloc, CAD_MEM_SESSION, ARENA_CHUNK_BYTES, ARENA_BYTES_MAX);
    cad_sb_init(&ftl->url, alloc, CAD_MEM_SESSION, REQUEST_URL_MAX);
    cad_sb_init(&ftl->body, alloc, CAD_MEM_SESSION, CAD_FTL_RECIPE_BYTES_MAX);
    cad_sb_init(&ftl->report, alloc, CAD_MEM_SESSION, CAD_FTL_REPORT_BYTES_MAX);
    ftl->config.endpoint = cad_arena_str(&ftl->texts, config->endpoint);
    ftl->config.device = cad_arena_str(&ftl->texts, config->device);
    if (!ftl->config.endpoint.p || !ftl->config.device.p) {
        cad_ftl_destroy(&ftl);
        return CAD_E_NOMEM;
    }
    *out = ftl;
    return CAD_OK;
}

void cad_ftl_destroy(struct cad_ftl **ftl)
{
    if (!ftl || !*ftl) return;
    struct cad_alloc alloc = (*ftl)->config.alloc;
    cad_ftl_recipe_destroy(&alloc, &(*ftl)->recipe);
    cad_sb_deinit(&(*ftl)->url);
    cad_sb_deinit(&(*ftl)->body);
    cad_sb_deinit(&(*ftl)->report);
    cad_arena_deinit(&(*ftl)->arena);
    cad_arena_deinit(&(*ftl)->texts);
    cad_alloc_free(&alloc, *ftl, sizeof(**ftl), CAD_MEM_SESSION);
    *ftl = NULL;
}

static void set_state(struct cad_ftl *ftl, enum ftl_state state, const char *reason)
{
    static const char *const names[] = {"idle", "scheduled", "recipe", "running", "failed"};
    if (ftl->state == state) return;
    CAD_LOG(&ftl->config.log, DEBUG, ftl->now, "steer: ftl state=%s was=%s reason=%s",
            names[state], names[ftl->state], reason);
    ftl->state = state;
}

/* ---- wishes of the owner --------------------------------------------------------------------- */

static cad_time not_before(const struct cad_ftl *ftl, cad_time at)
{
    if (ftl->played_at == CAD_TIME_NONE) return at;
    return CAD_MAX(at, cad_time_add(ftl->played_at, PLAY_REST));
}

int cad_ftl_start(struct cad_ftl *ftl, cad_time now)
{
    if (!ftl || ftl->config.endpoint.n == 0) return CAD_E_INVAL;
    ftl->started = true;
    if (ftl->stopping) {
        ftl->again = true;
        ftl->begin_at = not_before(ftl, now);
    } else if (ftl->state == FTL_IDLE) {
        ftl->begin_at = not_before(ftl, now);
        set_state(ftl, FTL_SCHEDULED, "start");
    }
    return CAD_OK;
}

void cad_ftl_stop(struct cad_ftl *ftl, cad_time now)
{
    CAD_UNUSED(now);
    ftl->started = ftl->again = false;
    ftl->stopping = true;
}

void cad_ftl_played(struct cad_ftl *ftl, cad_time now)
{
    ftl->played_at = now;
    if (ftl->state == FTL_SCHEDULED) ftl->begin_at = not_before(ftl, ftl->begin_at);
}

void cad_ftl_hold(struct cad_ftl *ftl, uint32_t reasons, cad_time now)
{
    uint32_t before = ftl->hold;
    ftl->hold = reasons;
    if (before == 0) ftl->hold_since = now;
    if (before == 0 || reasons != 0 || ftl->state != FTL_RUNNING) return;
    for (uint32_t i = 0; i < ftl->recipe->target_count; i++) {
        struct ftl_probe *probe = &ftl->probes[i];
        if (probe->state != PROBE_WAIT || probe->due >= now) continue;
        cad_time *held = &probe->pulses[probe->pulse].held;
        *held += cad_time_sub(now, CAD_MAX(probe->due, ftl->hold_since));
    }
    /* A run does nothing while it is held: its limit waits with it. */
    cad_time since = CAD_MAX(ftl->hold_since, ftl->began);
    if (now > since) ftl->limit = cad_time_add(ftl->limit, cad_time_sub(now, since));
}

void cad_ftl_network(struct cad_ftl *ftl, uint64_t id, cad_time now)
{
    if (id != 0 && id == ftl->network) return;
    ftl->network = id;
    ftl->scores = (struct ftl_scores){0};
    if (!ftl->started) return;
    bool young = ftl->began != CAD_TIME_NONE && cad_time_sub(now, ftl->began) < NETWORK_YOUNG;
    if (young && ftl->state != FTL_FAILED) return;
    ftl->stopping = ftl->again = true;
    ftl->begin_at = not_before(ftl, cad_time_add(now, NETWORK_REST));
}

/* ---- actions --------------------------------------------------------------------------------- */

static struct cad_ftl_action *push(struct cad_ftl *ftl, enum cad_ftl_action_type type)
{
    CAD_ASSERT(ftl->action_count < CAD_FTL_ACTIONS_MAX);
    struct cad_ftl_action *action = &ftl->actions[ftl->action_count++];
    *action = (struct cad_ftl_action){.type = type};
    return action;
}

int cad_ftl_poll(struct cad_ftl *ftl, struct cad_ftl_action *out)
{
    if (!ftl || !out) return CAD_E_INVAL;
    if (ftl->action_at == ftl->action_count) return CAD_E_AGAIN;
    *out = ftl->actions[ftl->action_at++];
    return CAD_OK;
}

static void cancel(struct cad_ftl *ftl, uint32_t id)
{
    push(ftl, CAD_FTL_CANCEL)->request.id = id;
}

static void push_body(struct cad_ftl *ftl, enum cad_ftl_action_type type, cad_str log_type)
{
    struct cad_ftl_action *action = push(ftl, type);
    action->log_type = log_type;
    action->body = cad_sb_str(&ftl->report);
}

/* What happened since the last turn. */
static void tell_turn(struct cad_ftl *ftl)
{
    for (uint32_t i = 0; i < ftl->recipe->target_count; i++) {
        for (; ftl->probes[i].told < ftl->probes[i].pulse; ftl->probes[i].told++) {
            struct cad_ftl_action *action = push(ftl, CAD_FTL_PULSE);
            action->target = i;
            action->pulse = ftl->probes[i].told;
        }
    }
    cad_ftl_race_turn(ftl);
    if (!ftl->winner_told) {
        struct cad_ftl_action *action = push(ftl, CAD_FTL_RACE_WON);
        action->target = ftl->winner;
        action->duration = ftl->probes[ftl->winner].pulses[0].d;
        ftl->winner_told = true;
        ftl->order_told = false;
    }
    if (ftl->race == CAD_FTL_RACE_FROZEN && !ftl->order_told) {
        push(ftl, CAD_FTL_RACE_ORDER);
        ftl->order_told = true;
    }
}

/* ---- the end of a run ------------------------------------------------------------------------ */

static void tell_report(struct cad_ftl *ftl, bool partial)
{
    cad_sb_reset(&ftl->report);
    int err = cad_ftl_report_write(ftl, partial, &ftl->report);
    if (err) {
        ftl->stats.reports_lost++;
        CAD_LOG(&ftl->config.log, WARN, ftl->now, "steer: ftl report lost result=%d", err);
        return;
    }
    ftl->stats.reports++;
    push_body(ftl, CAD_FTL_REPORT, ftl->recipe->logblob);
}

static void tell_failure(struct cad_ftl *ftl, const struct ftl_failure *failure)
{
    ftl->stats.recipes_failed++;
    CAD_LOG(&ftl->config.log, WARN, ftl->now, "steer: ftl failed status=%d class=%s reason=\"%s\"",
            (int)failure->status, failure->ec, failure->message);
    set_state(ftl, FTL_FAILED, failure->message);
    ftl->race = CAD_FTL_RACE_NONE;
    cad_sb_reset(&ftl->report);
    if (cad_ftl_report_failure(ftl, failure, &ftl->report)) {
        ftl->stats.reports_lost++;
        return;
    }
    push_body(ftl, CAD_FTL_FAILED, CAD_STR(CAD_FTL_LOG_ERROR));
}

static bool succeeded(const struct ftl_probe *probe)
{
    for (uint32_t i = 0; i < probe->pulse; i++) {
        if (probe->pulses[i].ec == CAD_FTL_EC_NONE) return true;
    }
    return false;
}

static void count_failed(struct cad_ftl *ftl)
{
    ftl->stats.targets_failed = 0;
    for (uint32_t i = 0; i < ftl->recipe->target_count; i++) {
        const struct ftl_probe *probe = &ftl->probes[i];
        if (probe->state != PROBE_DROPPED && !succeeded(probe)) ftl->stats.targets_failed++;
    }
}

/* What is in flight is dropped and leaves no pulse. */
static void drop_flights(struct cad_ftl *ftl)
{
    for (uint32_t i = 0; i < CAD_FTL_TARGETS_MAX; i++) {
        struct ftl_probe *probe = &ftl->probes[i];
        if (probe->flight.id == 0) continue;
        cancel(ftl, probe->flight.id);
        cad_ftl_budget_settle(ftl, probe->flight.entry, probe->flight.bytes);
        probe->flight = (struct ftl_flight){0};
        probe->state = PROBE_DONE;
        ftl->stats.in_flight--;
    }
}

static void finish_run(struct cad_ftl *ftl)
{
    drop_flights(ftl);
    count_failed(ftl);
    if (ftl->race != CAD_FTL_RACE_FROZEN) ftl->race = CAD_FTL_RACE_NONE;
    bool next = ftl->recipe->next > 0 && ftl->config.endpoint.n > 0 && ftl->started;
    ftl->begin_at = cad_time_add(ftl->now, ftl->recipe->next);
    CAD_LOG(&ftl->config.log, INFO, ftl->now, "steer: ftl run iter=%u targets=%u failed=%u",
            (unsigned)ftl->iter_run, (unsigned)ftl->recipe->target_count,
            (unsigned)ftl->stats.targets_failed);
    set_state(ftl, next ? FTL_SCHEDULED : FTL_IDLE, "run is over");
    tell_report(ftl, false);
}

static bool reportable(const struct cad_ftl *ftl)
{
    uint32_t with_pulse = 0;
    for (uint32_t i = 0; i < ftl->recipe->target_count; i++) {
        if (ftl->probes[i].state == PROBE_DROPPED) continue;
        if (ftl->probes[i].pulse == 0) return false;
        with_pulse++;
    }
    return with_pulse > 0;
}

static void stop_turn(struct cad_ftl *ftl)
{
    if (ftl->recipe_flight.id != 0) {
        if (!ftl->recipe_over) cancel(ftl, ftl->recipe_flight.id);
        cad_ftl_budget_settle(ftl, ftl->recipe_flight.entry, ftl->recipe_flight.bytes);
        ftl->recipe_flight = (struct ftl_flight){0};
        ftl->recipe_over = false;
        ftl->stats.in_flight--;
    }
    if (ftl->state == FTL_RUNNING) {
        tell_turn(ftl);
        drop_flights(ftl);
        count_failed(ftl);
        if (ftl->race != CAD_FTL_RACE_FROZEN) ftl->race = CAD_FTL_RACE_NONE;
        if (reportable(ftl)) tell_report(ftl, true);
    }
    if (ftl->again) set_state(ftl, FTL_SCHEDULED, "again");
    else if (ftl->state != FTL_FAILED) set_state(ftl, FTL_IDLE, "stop");
    ftl->stopping = ftl->again = false;
}

/* ---- the beginning --------------------------------------------------------------------------- */

/* The URL of target i with room for the number of a pulse behind it. */
static int prepare_probe(struct cad_ftl *ftl, uint32_t i)
{
    cad_str url = ftl->recipe->targets[i].url;
    struct ftl_probe *probe = &ftl->probes[i];
    struct cad_sb sb;
    probe->pulses = cad_arena_array(&ftl->arena, struct cad_ftl_pulse, CAD_FTL_PULSES_MAX);
    probe->url = cad_arena_alloc(&ftl->arena, url.n + URL_TAIL_BYTES, 1);
    if (!probe->pulses || !probe->url) return cad_arena_error(&ftl->arena);
    for (uint32_t p = 0; p < CAD_FTL_PULSES_MAX; p++) probe->pulses[p].recv_ts = -1;
    cad_sb_init_fixed(&sb, probe->url, url.n + URL_TAIL_BYTES);
    cad_sb_put(&sb, url);
    cad_sb_putc(&sb, cad_str_find_char(url, '?') < 0 ? '?' : '&');
    cad_sb_put(&sb, CAD_STR("pulse="));
    probe->url_n = sb.n;
    return CAD_OK;
}

/* The recipe becomes ours on success. */
static int begin_run(struct cad_ftl *ftl, struct cad_ftl_recipe *recipe, cad_time now)
{
    struct cad_ftl_recipe *before = ftl->recipe;
    cad_arena_deinit(&ftl->arena);
    for (uint32_t i = 0; i < CAD_FTL_TARGETS_MAX; i++) ftl->probes[i] = (struct ftl_probe){0};
    ftl->race = CAD_FTL_RACE_NONE;
    ftl->order_count = 0;
    ftl->recipe = recipe;
    recipe->pulses = CAD_MIN(recipe->pulses, ftl->config.pulses_max);
    if (ftl->config.pulse_timeout > 0) recipe->pulse_timeout = ftl->config.pulse_timeout;
    cad_time most = cad_time_add(now, recipe->pulses * recipe->pulse_timeout + RUN_SLACK);
    for (uint32_t p = 0; p < recipe->pulses; p++) most = cad_time_add(most, recipe->delays[p]);
    for (uint32_t i = 0; i < recipe->target_count; i++) {
        int err = prepare_probe(ftl, i);
        if (err) {
            ftl->recipe = before; /* its pulses are gone, its targets are not */
            for (uint32_t k = 0; k <= i; k++) ftl->probes[k] = (struct ftl_probe){0};
            return err;
        }
        ftl->probes[i].due = cad_time_add(now, recipe->delays[0]);
    }
    cad_ftl_recipe_destroy(&ftl->config.alloc, &before);
    ftl->began = now;
    ftl->limit = most;
    ftl->race = CAD_FTL_RACE_OPEN;
    ftl->winner_told = ftl->order_told = true;
    ftl->connection_base = ftl->connection_last + 1;
    ftl->connection_last += recipe->target_count;
    ftl->stats.runs++;
    ftl->stats.targets_dropped = recipe->dropped;
    CAD_LOG(&ftl->config.log, INFO, now,
            "steer: ftl recipe targets=%u dropped=%u pulses=%u ip=%.*s region=%.*s",
            (unsigned)recipe->target_count, (unsigned)recipe->dropped, (unsigned)recipe->pulses,
            CAD_STR_ARG(recipe->ctx_ip), CAD_STR_ARG(recipe->ctx_region));
    set_state(ftl, FTL_RUNNING, "recipe");
    return CAD_OK;
}

static enum cad_ftl_address limit_of(const struct cad_ftl *ftl, enum cad_ftl_address from)
{
    if (ftl->config.allow_private) return CAD_FTL_ADDRESS_UNKNOWN;
    return from == CAD_FTL_ADDRESS_UNKNOWN ? CAD_FTL_ADDRESS_PUBLIC : from;
}

int cad_ftl_start_recipe(struct cad_ftl *ftl, cad_str json, enum cad_ftl_address from,
                         cad_time now)
{
    struct cad_ftl_recipe *recipe = NULL;
    if (!ftl || ftl->stopping) return CAD_E_INVAL;
    if (ftl->state != FTL_IDLE && ftl->state != FTL_FAILED) return CAD_E_INVAL;
    int err = cad_ftl_recipe_parse(&ftl->config.alloc, json, &recipe);
    if (!err) err = begin_run(ftl, recipe, now);
    if (err) {
        cad_ftl_recipe_destroy(&ftl->config.alloc, &recipe);
        return err;
    }
    ftl->address_max = limit_of(ftl, from);
    ftl->iter_run = ftl->iter++;
    return CAD_OK;
}

static int write_recipe_url(struct cad_ftl *ftl)
{
    cad_str endpoint = ftl->config.endpoint;
    struct cad_sb *sb = &ftl->url;
    cad_sb_reset(sb);
    cad_sb_put(sb, endpoint);
    cad_sb_putc(sb, cad_str_find_char(endpoint, '?') < 0 ? '?' : '&');
    cad_sb_put(sb, CAD_STR("monotonic=true&device="));
    cad_uri_percent_encode(ftl->config.device, sb);
    cad_sb_put(sb, CAD_STR("&iter="));
    cad_sb_u64(sb, ftl->iter);
    return cad_sb_error(sb);
}

/* A request goes out: everything that all of them have in common. */
static struct cad_ftl_request *begin_request(struct cad_ftl *ftl, struct ftl_flight *flight,
                                             int64_t bytes)
{
    struct cad_ftl_request *request = &push(ftl, CAD_FTL_REQUEST)->request;
    *flight = (struct ftl_flight){.id = ++ftl->id_last, .sent = ftl->now,
                                  .entry = cad_ftl_budget_spend(ftl, bytes)};
    request->id = flight->id;
    request->accept_encoding = CAD_STR("identity");
    ftl->stats.in_flight++;
    ftl->stats.in_flight_peak = CAD_MAX(ftl->stats.in_flight_peak, ftl->stats.in_flight);
    return request;
}

static void ask_recipe(struct cad_ftl *ftl)
{
    if (ftl->now < ftl->begin_at || ftl->hold != 0) return;
    if (!cad_ftl_budget_allows(ftl, CAD_FTL_RECIPE_BYTES_MAX)) return;
    if (write_recipe_url(ftl)) {
        tell_failure(ftl, &(struct ftl_failure){0, "memory", "out of memory", 0});
        return;
    }
    cad_sb_reset(&ftl->body);
    ftl->recipe_over = false;
    struct cad_ftl_request *request =
        begin_request(ftl, &ftl->recipe_flight, CAD_FTL_RECIPE_BYTES_MAX);
    request->recipe = true;
    request->url = cad_sb_str(&ftl->url);
    request->size_max = CAD_FTL_RECIPE_BYTES_MAX;
    request->timeout = RECIPE_TIMEOUT;
    ftl->iter_run = ftl->iter++;
    set_state(ftl, FTL_RECIPE, "asked");
}

/* ---- the recipe's answer --------------------------------------------------------------------- */

static const char *why_refused(int err)
{
    switch (err) {
    case CAD_E_NOMEM: return "out of memory";
    case CAD_E_LIMIT: return "the recipe exceeds a limit";
    default: return "the recipe is malformed or has no target";
    }
}

/* Reads what came. NULL: a run has begun; else what went wrong. */
static const char *read_recipe(struct cad_ftl *ftl, const char **ec)
{
    *ec = cad_ftl_ec_name(ftl->recipe_end.ec);
    if (ftl->recipe_end.ec != CAD_FTL_EC_NONE) return "no answer";
    *ec = cad_ftl_ec_name(CAD_FTL_EC_HTTP);
    if (ftl->recipe_flight.status != 200) return "the service refused";
    struct cad_ftl_recipe *recipe = NULL;
    int err = cad_sb_error(&ftl->body);
    if (!err) {
        err = cad_ftl_recipe_parse(&ftl->config.alloc, cad_sb_str(&ftl->body), &recipe);
    }
    if (!err) err = begin_run(ftl, recipe, ftl->now);
    if (!err) return NULL;
    cad_ftl_recipe_destroy(&ftl->config.alloc, &recipe);
    *ec = err == CAD_E_NOMEM ? "memory" : "data";
    return why_refused(err);
}

static void recipe_turn(struct cad_ftl *ftl)
{
    struct ftl_flight *flight = &ftl->recipe_flight;
    cad_time late = cad_time_add(flight->sent, RECIPE_TIMEOUT);
    if (!ftl->recipe_over) {
        if (!flight->over && ftl->now < late) return;
        cancel(ftl, flight->id);
        ftl->recipe_end = (struct cad_ftl_end){
            .ec = flight->over ? CAD_FTL_EC_SIZE : CAD_FTL_EC_TIMEOUT, .at = ftl->now};
    } else if (flight->over && ftl->recipe_end.ec == CAD_FTL_EC_NONE) {
        ftl->recipe_end.ec = CAD_FTL_EC_SIZE;
    }
    ftl->address_max = limit_of(ftl, flight->address);
    cad_ftl_budget_settle(ftl, flight->entry, flight->bytes);
    ftl->stats.in_flight--;
    const char *ec;
    const char *message = read_recipe(ftl, &ec);
    int32_t status = flight->status;
    cad_time d = cad_time_sub(CAD_MAX(ftl->recipe_end.at, flight->sent), flight->sent);
    *flight = (struct ftl_flight){0};
    ftl->recipe_over = false;
    if (message) tell_failure(ftl, &(struct ftl_failure){status, ec, message, d});
    else push(ftl, CAD_FTL_RECIPE);
}

/* ---- a turn of the run ----------------------------------------------------------------------- */

/* Why a pulse in flight must be dropped; NONE: it need not. */
static enum cad_ftl_ec must_drop(const struct cad_ftl *ftl, const struct ftl_flight *flight,
                                 cad_time *at)
{
    cad_time late = cad_time_add(flight->sent, ftl->recipe->pulse_timeout);
    *at = ftl->now;
    if (flight->refused) return CAD_FTL_EC_ADDRESS;
    if (flight->over) return CAD_FTL_EC_SIZE;
    if (ftl->now >= late) {
        *at = late;
        return CAD_FTL_EC_TIMEOUT;
    }
    return ftl->hold & CAD_FTL_HOLD_REBUFFERING ? CAD_FTL_EC_CANCEL : CAD_FTL_EC_NONE;
}

static void drop_turn(struct cad_ftl *ftl)
{
    for (uint32_t i = 0; i < ftl->recipe->target_count; i++) {
        const struct ftl_flight *flight = &ftl->probes[i].flight;
        struct cad_ftl_end end = {.dns = CAD_TIME_NONE, .connect = CAD_TIME_NONE,
                                  .tls = CAD_TIME_NONE, .first_byte = CAD_TIME_NONE};
        if (flight->id == 0) continue;
        end.ec = must_drop(ftl, flight, &end.at);
        if (end.ec == CAD_FTL_EC_NONE) continue;
        cancel(ftl, flight->id);
        cad_ftl_probe_finish(ftl, i, &end);
    }
}

static int64_t bytes_of(const struct cad_ftl *ftl, uint32_t target)
{
    int64_t bytes = ftl->recipe->targets[target].data_bytes;
    return bytes < 0 ? CAD_FTL_BODY_MAX : CAD_MIN(bytes, CAD_FTL_BODY_MAX);
}

/* The target whose pulse has been due for longest; -1: none waits. */
static int first_due(const struct cad_ftl *ftl)
{
    int best = -1;
    for (uint32_t i = 0; i < ftl->recipe->target_count; i++) {
        if (ftl->probes[i].state != PROBE_WAIT) continue;
        if (best < 0 || ftl->probes[i].due < ftl->probes[best].due) best = (int)i;
    }
    return best;
}

/* When the next pulse may go out: its time has come and the last one is far enough away. */
static cad_time send_at(const struct cad_ftl *ftl, uint32_t target)
{
    cad_time due = ftl->probes[target].due;
    if (ftl->sent_last == CAD_TIME_NONE) return due;
    return CAD_MAX(due, cad_time_add(ftl->sent_last, PACE));
}

static void send_pulse(struct cad_ftl *ftl, uint32_t i)
{
    struct ftl_probe *probe = &ftl->probes[i];
    struct cad_ftl_request *request = begin_request(ftl, &probe->flight, bytes_of(ftl, i));
    struct cad_sb number;
    cad_sb_init_fixed(&number, probe->url + probe->url_n, 4);
    cad_sb_u64(&number, probe->pulse + 1);
    request->url = cad_str_make(probe->url, probe->url_n + number.n);
    request->size_max = CAD_FTL_BODY_MAX;
    request->timeout = ftl->recipe->pulse_timeout;
    request->connection = ftl->connection_base + i;
    request->address_max = ftl->address_max;
    probe->state = PROBE_FLIGHT;
    ftl->sent_last = ftl->now;
}

static void send_turn(struct cad_ftl *ftl)
{
    int i = first_due(ftl);
    if (i < 0 || ftl->hold != 0 || ftl->stats.in_flight >= ftl->config.flight_max) return;
    if (send_at(ftl, (uint32_t)i) > ftl->now) return;
    if (cad_ftl_budget_allows(ftl, bytes_of(ftl, (uint32_t)i))) send_pulse(ftl, (uint32_t)i);
}

static bool all_in(const struct cad_ftl *ftl, bool (*test)(const struct ftl_probe *probe))
{
    for (uint32_t i = 0; i < ftl->recipe->target_count; i++) {
        if (!test(&ftl->probes[i])) return false;
    }
    return true;
}

static bool is_over(const struct ftl_probe *probe)
{
    return probe->state == PROBE_DONE || probe->state == PROBE_DROPPED;
}

static bool is_dropped(const struct ftl_probe *probe)
{
    return probe->state == PROBE_DROPPED;
}

static void run_turn(struct cad_ftl *ftl)
{
    drop_turn(ftl);
    tell_turn(ftl);
    if (all_in(ftl, is_dropped)) {
        tell_failure(ftl, &(struct ftl_failure){0, cad_ftl_ec_name(CAD_FTL_EC_ADDRESS),
                                                "no target may be reached", 0});
    } else if (all_in(ftl, is_over) || (ftl->now >= ftl->limit && ftl->hold == 0)) {
        /* The order stands before the run is put away. */
        if (ftl->race == CAD_FTL_RACE_RUNNING) ftl->freeze_at = ftl->now;
        tell_turn(ftl);
        finish_run(ftl);
    } else {
        send_turn(ftl);
    }
}

int cad_ftl_run(struct cad_ftl *ftl, cad_time now)
{
    if (!ftl || now < 0) return CAD_E_INVAL;
    if (ftl->action_at < ftl->action_count) return 1;
    ftl->action_at = ftl->action_count = 0;
    ftl->now = CAD_MAX(ftl->now, now);
    cad_ftl_budget_prune(ftl, ftl->now);
    if (ftl->stopping) stop_turn(ftl);
    if (ftl->state == FTL_RECIPE) recipe_turn(ftl);
    if (ftl->state == FTL_SCHEDULED) ask_recipe(ftl);
    if (ftl->state == FTL_RUNNING) run_turn(ftl);
    return ftl->action_count > 0;
}

/* ---- when the next turn is due --------------------------------------------------------------- */

static void sooner(cad_time *wake, cad_time at)
{
    if (at != CAD_TIME_NONE && (*wake == CAD_TIME_NONE || at < *wake)) *wake = at;
}

static void wake_to_send(const struct cad_ftl *ftl, cad_time *wake)
{
    int i = first_due(ftl);
    if (i < 0 || ftl->hold != 0 || ftl->stats.in_flight >= ftl->config.flight_max) return;
    cad_time at = send_at(ftl, (uint32_t)i);
    if (!cad_ftl_budget_allows(ftl, bytes_of(ftl, (uint32_t)i))) {
        at = CAD_MAX(at, cad_ftl_budget_wake(ftl));
    }
    sooner(wake, at);
}

static void wake_of_run(const struct cad_ftl *ftl, cad_time *wake)
{
    for (uint32_t i = 0; i < ftl->recipe->target_count; i++) {
        const struct ftl_probe *probe = &ftl->probes[i];
        if (probe->told < probe->pulse || probe->flight.over || probe->flight.refused) {
            sooner(wake, ftl->now);
        }
        if (probe->flight.id == 0) continue;
        bool drop = (ftl->hold & CAD_FTL_HOLD_REBUFFERING) != 0;
        sooner(wake, drop ? ftl->now
                          : cad_time_add(probe->flight.sent, ftl->recipe->pulse_timeout));
    }
    if (all_in(ftl, is_over)) sooner(wake, ftl->now);
    if (ftl->hold == 0) sooner(wake, ftl->limit);
    if (ftl->race == CAD_FTL_RACE_RUNNING) sooner(wake, ftl->freeze_at);
    wake_to_send(ftl, wake);
}

cad_time cad_ftl_next_wake(const struct cad_ftl *ftl)
{
    cad_time wake = CAD_TIME_NONE;
    if (ftl->stopping || ftl->action_at < ftl->action_count) return ftl->now;
    if (ftl->state == FTL_SCHEDULED && ftl->hold == 0) {
        wake = ftl->begin_at;
        if (!cad_ftl_budget_allows(ftl, CAD_FTL_RECIPE_BYTES_MAX)) {
            wake = CAD_MAX(wake, cad_ftl_budget_wake(ftl));
        }
    } else if (ftl->state == FTL_RECIPE) {
        bool now = ftl->recipe_over || ftl->recipe_flight.over;
        wake = now ? ftl->now : cad_time_add(ftl->recipe_flight.sent, RECIPE_TIMEOUT);
    } else if (ftl->state == FTL_RUNNING) {
        wake_of_run(ftl, &wake);
    }
    return wake;
}

const struct cad_ftl_recipe *cad_ftl_recipe(const struct cad_ftl *ftl)
{
    return ftl->recipe;
}

void cad_ftl_stats(const struct cad_ftl *ftl, struct cad_ftl_stats *out)
{
    *out = ftl->stats;
    out->running = ftl->state == FTL_RECIPE || ftl->state == FTL_RUNNING;
}
