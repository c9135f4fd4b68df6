/* What comes in: heads, bytes and ends of requests; what they make of a pulse and of the race. */
#include "base/checked.h"
#include "base/str.h"
#include "base/util.h"
#include "steer/ftl.h"

#define RACE_TIME (800 * CAD_MS)      /* nothing by then: no order for the start */
#define RACE_WINDOW_MIN (50 * CAD_MS)
CAD_DEFINE_NAME(cad_ftl_ec_name, enum cad_ftl_ec, CAD_FTL_EC_LIST)

static struct ftl_probe *probe_of(struct cad_ftl *ftl, uint32_t id)
{
    for (size_t i = 0; id != 0 && i < CAD_FTL_TARGETS_MAX; i++) {
        if (ftl->probes[i].flight.id == id) return &ftl->probes[i];
    }
    return NULL;
}

static struct ftl_flight *flight_of(struct cad_ftl *ftl, uint32_t id)
{
    struct ftl_probe *probe = probe_of(ftl, id);
    if (probe) return &probe->flight;
    bool recipe = id != 0 && ftl->recipe_flight.id == id && !ftl->recipe_over;
    return recipe ? &ftl->recipe_flight : NULL;
}

/* ---- heads and bytes ------------------------------------------------------------------------- */

/* A value, cut, in the arena of the run. */
static bool keep(struct cad_ftl *ftl, cad_str value, cad_str *out)
{
    if (value.n == 0) return true;
    cad_str kept = cad_arena_str(&ftl->arena, cad_str_sub(value, 0, CAD_FTL_HEADER_MAX));
    if (!kept.p) return false;
    *out = kept;
    return true;
}

int cad_ftl_head(struct cad_ftl *ftl, const struct cad_ftl_head *head)
{
    if (!ftl || !head) return CAD_E_INVAL;
    struct ftl_flight *flight = flight_of(ftl, head->id);
    if (!flight) return CAD_OK;
    flight->status = head->status;
    flight->address = head->address;
    struct ftl_probe *probe = probe_of(ftl, head->id);
    if (!probe) return CAD_OK;
    flight->refused = ftl->address_max != CAD_FTL_ADDRESS_UNKNOWN &&
                      head->address > ftl->address_max;
    struct cad_ftl_pulse *pulse = &probe->pulses[probe->pulse];
    int64_t ts;
    bool kept = keep(ftl, head->via, &pulse->via);
    kept = keep(ftl, head->probe_data, &pulse->probe_data) && kept;
    kept = keep(ftl, head->error, &pulse->error) && kept;
    kept = keep(ftl, head->latency_trace, &pulse->latency_trace) && kept;
    if (!cad_str_to_i64(head->recv_ts, &ts) && ts >= 0) pulse->recv_ts = ts;
    return kept ? CAD_OK : cad_arena_error(&ftl->arena);
}

int cad_ftl_body(struct cad_ftl *ftl, uint32_t id, cad_buf bytes)
{
    if (!ftl) return CAD_E_INVAL;
    struct ftl_flight *flight = flight_of(ftl, id);
    if (!flight) return CAD_OK;
    bool recipe = flight == &ftl->recipe_flight;
    int64_t max = recipe ? CAD_FTL_RECIPE_BYTES_MAX : CAD_FTL_BODY_MAX;
    /* A target that sends more than it was asked for does not do so beyond the budget. */
    if (flight->over || bytes.n > (size_t)(max - flight->bytes) ||
        !cad_ftl_budget_grow(ftl, flight->entry, flight->bytes + (int64_t)bytes.n)) {
        flight->over = true;
        return CAD_E_LIMIT;
    }
    flight->bytes += (int64_t)bytes.n;
    if (!recipe) return CAD_OK;
    if (!bytes.p && bytes.n > 0) return CAD_E_INVAL;
    cad_sb_put(&ftl->body, cad_str_from_buf(bytes));
    return cad_sb_error(&ftl->body);
}

/* ---- a pulse is over ------------------------------------------------------------------------ */

/* From one mark to the next; NONE: not reached. */
static cad_time leg(cad_time from, cad_time to)
{
    if (from == CAD_TIME_NONE || to == CAD_TIME_NONE) return CAD_TIME_NONE;
    return to > from ? cad_time_sub(to, from) : 0;
}

static void take_times(struct cad_ftl_pulse *pulse, cad_time sent, const struct cad_ftl_end *end)
{
    cad_time named = end->dns == CAD_TIME_NONE ? sent : end->dns;
    pulse->d = CAD_MAX(leg(sent, end->at), 0);
    pulse->ttfb = leg(sent, end->first_byte);
    pulse->reused = end->reused;
    pulse->dns = end->reused ? 0 : leg(sent, end->dns);
    pulse->tcp = end->reused ? 0 : leg(named, end->connect);
    pulse->tls = end->reused ? 0 : leg(end->connect, end->tls);
}

static enum cad_ftl_ec judge(const struct cad_ftl_target *target, const struct ftl_flight *flight,
                             enum cad_ftl_ec ec)
{
    if (flight->refused) return CAD_FTL_EC_ADDRESS;
    if (ec == CAD_FTL_EC_NONE && flight->over) return CAD_FTL_EC_SIZE;
    if (ec != CAD_FTL_EC_NONE) return ec;
    if (flight->status != 200) return CAD_FTL_EC_HTTP;
    bool whole = target->data_bytes < 0 || target->data_bytes == flight->bytes;
    return whole ? CAD_FTL_EC_NONE : CAD_FTL_EC_SIZE;
}

static void inherit(cad_str *value, cad_str earlier)
{
    if (value->n == 0) *value = earlier;
}

/* A header that this answer lacked has the value that was seen first. */
static void inherit_headers(struct ftl_probe *probe)
{
    struct cad_ftl_pulse *pulse = &probe->pulses[probe->pulse];
    for (uint32_t i = 0; i < probe->pulse; i++) {
        const struct cad_ftl_pulse *earlier = &probe->pulses[i];
        inherit(&pulse->via, earlier->via);
        inherit(&pulse->probe_data, earlier->probe_data);
        inherit(&pulse->error, earlier->error);
        inherit(&pulse->latency_trace, earlier->latency_trace);
        if (pulse->recv_ts < 0) pulse->recv_ts = earlier->recv_ts;
    }
}

static void race_finish(struct cad_ftl *ftl, uint32_t target, cad_time at)
{
    const struct cad_ftl_pulse *pulse = &ftl->probes[target].pulses[0];
    if (ftl->race != CAD_FTL_RACE_OPEN || pulse->ec != CAD_FTL_EC_NONE) return;
    if (cad_time_sub(at, ftl->began) > RACE_TIME) return;
    ftl->race = CAD_FTL_RACE_RUNNING;
    ftl->winner = target;
    ftl->winner_told = false;
    cad_time window = cad_add_sat_i64(pulse->d, pulse->d / 2);
    ftl->freeze_at = cad_time_add(at, CAD_MAX(RACE_WINDOW_MIN, window));
}

void cad_ftl_probe_finish(struct cad_ftl *ftl, uint32_t target, const struct cad_ftl_end *end)
{
    struct ftl_probe *probe = &ftl->probes[target];
    const struct cad_ftl_recipe *recipe = ftl->recipe;
    struct cad_ftl_pulse *pulse = &probe->pulses[probe->pulse];
    cad_time sent = probe->flight.sent;
    struct cad_ftl_end marks = *end;
    marks.at = CAD_MAX(marks.at, sent);
    take_times(pulse, sent, &marks);
    pulse->start = cad_time_sub(sent, ftl->began);
    pulse->status = probe->flight.status;
    pulse->bytes = probe->flight.bytes;
    pulse->ec = judge(&recipe->targets[target], &probe->flight, end->ec);
    cad_ftl_budget_settle(ftl, probe->flight.entry, pulse->bytes);
    ftl->stats.in_flight--;
    probe->flight = (struct ftl_flight){0};
    if (pulse->ec == CAD_FTL_EC_ADDRESS) {
        probe->state = PROBE_DROPPED;
        ftl->stats.targets_dropped++;
        return;
    }
    inherit_headers(probe);
    pulse->done = true;
    if (probe->pulse == 0) race_finish(ftl, target, marks.at);
    if (pulse->ec != CAD_FTL_EC_CANCEL) {
        cad_ftl_record_add(cad_ftl_record_of(&ftl->scores, &recipe->targets[target]), pulse, sent);
    }
    probe->pulse++;
    probe->state = probe->pulse < recipe->pulses ? PROBE_WAIT : PROBE_DONE;
    if (probe->state == PROBE_WAIT) {
        probe->due = cad_time_add(marks.at, recipe->delays[probe->pulse]);
    }
}

void cad_ftl_end(struct cad_ftl *ftl, const struct cad_ftl_end *end)
{
    if (!ftl || !end) return;
    struct ftl_probe *probe = probe_of(ftl, end->id);
    if (probe) {
        cad_ftl_probe_finish(ftl, (uint32_t)(probe - ftl->probes), end);
    } else if (flight_of(ftl, end->id)) {
        ftl->recipe_end = *end;
        ftl->recipe_over = true;
    }
}

/* ---- the race -------------------------------------------------------------------------------- */

static bool finished_in_race(const struct cad_ftl *ftl, uint32_t target)
{
    const struct ftl_probe *probe = &ftl->probes[target];
    if (!probe->pulses || !probe->pulses[0].done || probe->state == PROBE_DROPPED) return false;
    const struct cad_ftl_pulse *pulse = &probe->pulses[0];
    cad_time at = cad_time_add(ftl->began, cad_time_add(pulse->start, pulse->d));
    return pulse->ec == CAD_FTL_EC_NONE && at <= ftl->freeze_at;
}

/* By the time that each took of its own: they do not start in the same millisecond. */
static void sort_order(struct cad_ftl *ftl)
{
    ftl->order_count = 0;
    for (uint32_t i = 0; i < ftl->recipe->target_count; i++) {
        if (!finished_in_race(ftl, i)) continue;
        cad_time d = ftl->probes[i].pulses[0].d;
        uint32_t at = ftl->order_count++;
        while (at > 0 && ftl->probes[ftl->order[at - 1]].pulses[0].d > d) {
            ftl->order[at] = ftl->order[at - 1];
            at--;
        }
        ftl->order[at] = i;
    }
}

void cad_ftl_race_turn(struct cad_ftl *ftl)
{
    if (ftl->race == CAD_FTL_RACE_OPEN &&
        cad_time_sub(ftl->now, ftl->began) > RACE_TIME) {
        ftl->race = CAD_FTL_RACE_NONE;
    }
    if (ftl->race != CAD_FTL_RACE_RUNNING) return;
    sort_order(ftl);
    if (ftl->now >= ftl->freeze_at) ftl->race = CAD_FTL_RACE_FROZEN;
}

enum cad_ftl_race cad_ftl_order(const struct cad_ftl *ftl, uint32_t *out, uint32_t max,
                                uint32_t *count)
{
    for (uint32_t i = 0; i < ftl->order_count && i < max; i++) out[i] = ftl->order[i];
    if (count) *count = ftl->order_count;
    return ftl->race;
}

int cad_ftl_pulse_at(const struct cad_ftl *ftl, uint32_t target, uint32_t pulse,
                     struct cad_ftl_pulse *out)
{
    if (!ftl || !out) return CAD_E_INVAL;
    if (!ftl->recipe || target >= ftl->recipe->target_count) return CAD_E_NOTFOUND;
    if (pulse >= ftl->recipe->pulses || !ftl->probes[target].pulses) return CAD_E_NOTFOUND;
    *out = ftl->probes[target].pulses[pulse];
    return CAD_OK;
}
