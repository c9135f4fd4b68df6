/* What probes say of targets: ftl.md 7, in integers. */
#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "steer/ftl.h"

#define SAMPLE_LIFE (3600 * CAD_SECOND)
#define SCORE_LIFE (1800 * CAD_SECOND)

/* ---- finding --------------------------------------------------------------------------------- */

const struct ftl_record *cad_ftl_record_named(const struct ftl_scores *scores, cad_str name)
{
    for (size_t i = 0; name.n > 0 && i < CAD_FTL_SCORES_MAX; i++) {
        const struct ftl_record *record = &scores->records[i];
        if (cad_str_eq(cad_str_make(record->name, record->name_n), name)) return record;
    }
    return NULL;
}

static cad_time heard_at(const struct ftl_record *record)
{
    return record->sample_count > 0 ? record->samples[record->sample_count - 1].at : CAD_TIME_NONE;
}

static int32_t port_of(cad_str url)
{
    struct cad_uri u;
    return cad_uri_parse(url, &u) ? -1 : cad_uri_port(&u);
}

static bool same_place(const struct ftl_record *record, const struct cad_ftl_target *target)
{
    return record->port == port_of(target->url) &&
           (target->host.n > CAD_FTL_HOST_MAX ||
            cad_str_ieq(cad_str_make(record->host, record->host_n), target->host));
}

static void begin_record(struct ftl_record *record, const struct cad_ftl_target *target)
{
    *record = (struct ftl_record){
        .name_n = CAD_MIN(target->name.n, sizeof(record->name)),
        .port = port_of(target->url),
        .latency = CAD_TIME_NONE,
        .sent_last = CAD_TIME_NONE,
        .sent_before = CAD_TIME_NONE,
    };
    memcpy(record->name, target->name.p, record->name_n);
    if (target->host.n <= sizeof(record->host)) {
        record->host_n = target->host.n;
        memcpy(record->host, target->host.p, record->host_n);
    }
}

struct ftl_record *cad_ftl_record_of(struct ftl_scores *scores, const struct cad_ftl_target *target)
{
    struct ftl_record *oldest = &scores->records[0];
    for (size_t i = 0; i < CAD_FTL_SCORES_MAX; i++) {
        struct ftl_record *record = &scores->records[i];
        if (cad_str_eq(cad_str_make(record->name, record->name_n), target->name)) {
            /* A name that moved to another host is another target. */
            if (!same_place(record, target)) begin_record(record, target);
            return record;
        }
        if (oldest->name_n == 0) continue;
        if (record->name_n == 0 || heard_at(record) < heard_at(oldest)) oldest = record;
    }
    begin_record(oldest, target);
    return oldest;
}

/* ---- adding ---------------------------------------------------------------------------------- */

/* average += share * (value - average), rounding down; share is num/den. */
static cad_time move(cad_time average, cad_time value, int64_t num, int64_t den)
{
    return cad_add_sat_i64(average,
                           cad_muldiv_floor_i64(cad_sub_sat_i64(value, average), num, den));
}

/*
 * Latency rests on answers over a connection that was open. Until there is one, what a cold answer
 * took without the legs of its connection stands in; the first warm one begins anew.
 */
static void add_latency(struct ftl_record *record, const struct cad_ftl_pulse *pulse)
{
    if (pulse->ttfb == CAD_TIME_NONE) return;
    cad_time value = pulse->ttfb;
    if (!pulse->reused) {
        if (record->warm > 0) return;
        const cad_time legs[] = {pulse->dns, pulse->tcp, pulse->tls};
        for (size_t i = 0; i < CAD_ARRAY_LEN(legs); i++) {
            if (legs[i] != CAD_TIME_NONE) value -= CAD_MIN(legs[i], value);
        }
    }
    if (record->latency == CAD_TIME_NONE || (pulse->reused && record->warm == 0)) {
        record->latency = value;
        record->jitter = 0;
    } else {
        cad_time distance = value > record->latency ? value - record->latency
                                                    : record->latency - value;
        record->jitter = move(record->jitter, distance, 1, 4);
        record->latency = move(record->latency, value, 3, 10);
    }
    if (pulse->reused && record->warm < UINT32_MAX) record->warm++;
}

void cad_ftl_record_add(struct ftl_record *record, const struct cad_ftl_pulse *pulse,
                        cad_time sent)
{
    bool ok = pulse->ec == CAD_FTL_EC_NONE;
    if (record->sample_count == CAD_FTL_WINDOW) {
        memmove(&record->samples[0], &record->samples[1],
                (CAD_FTL_WINDOW - 1) * sizeof(record->samples[0]));
        record->sample_count--;
    }
    cad_time at = cad_time_add(sent, pulse->d);
    record->samples[record->sample_count++] = (struct ftl_sample){at, ok};
    if (pulse->ec == CAD_FTL_EC_TLS) record->identity_failures++;
    if (!ok) {
        record->streak = 0;
        record->sent_last = record->sent_before = CAD_TIME_NONE;
        return;
    }
    if (record->streak < UINT32_MAX) record->streak++;
    record->sent_before = record->sent_last;
    record->sent_last = sent;
    add_latency(record, pulse);
}

/* ---- scores ---------------------------------------------------------------------------------- */

/* (latency + 2 jitter) / max(ok + 1 / n + 2, 1/10)^2, microseconds. */
static int64_t cost_of(const struct ftl_record *record, const struct cad_ftl_score *score)
{
    if (record->latency == CAD_TIME_NONE) return CAD_FTL_COST_NONE;
    int64_t num = (int64_t)score->n + 2;
    int64_t den = (int64_t)score->ok + 1;
    if (den * 10 < num) {
        num = 10;
        den = 1;
    }
    cad_time time = cad_add_sat_i64(record->latency, cad_mul_sat_i64(record->jitter, 2));
    int64_t cost = cad_muldiv_floor_i64(time / CAD_US, num * num, den * den);
    return CAD_MIN(cost, CAD_FTL_COST_NONE - 1);
}

bool cad_ftl_record_score(const struct ftl_record *record, cad_time now,
                          struct cad_ftl_score *out)
{
    struct cad_ftl_score score = {.warm = record->warm,
                                  .latency = record->latency,
                                  .jitter = record->jitter,
                                  .at = heard_at(record),
                                  .streak = record->streak,
                                  .streak_at = record->sent_before,
                                  .identity_failures = record->identity_failures};
    if (record->sample_count == 0 || cad_time_sub(now, score.at) > SCORE_LIFE) return false;
    for (uint32_t i = record->sample_count; i-- > 0;) {
        const struct ftl_sample *sample = &record->samples[i];
        if (cad_time_sub(now, sample->at) > SAMPLE_LIFE) break;
        score.n++;
        if (sample->ok) score.ok++;
        if (score.n > 3) continue;
        score.last3_n = score.n;
        score.last3_ok = score.ok;
    }
    score.availability_permille = (score.ok + 1) * 1000 / (score.n + 2);
    score.cost_us = cost_of(record, &score);
    *out = score;
    return true;
}

/* host[:port] of a server, where no port stands for that of its scheme. */
static bool is_host(const struct ftl_record *record, cad_str server)
{
    ptrdiff_t colon = cad_str_rfind_char(server, ':');
    int64_t port = -1;
    if (server.n > 0 && server.p[server.n - 1] == ']') colon = -1; /* IPv6 without a port */
    cad_str host = server;
    if (colon >= 0) {
        cad_str digits = cad_str_sub(server, (size_t)colon + 1, server.n);
        if (cad_str_to_i64(digits, &port)) return false;
        host = cad_str_sub(server, 0, (size_t)colon);
    }
    if (host.n > 2 && host.p[0] == '[') host = cad_str_sub(host, 1, host.n - 2);
    if (record->host_n == 0 ||
        !cad_str_ieq(host, cad_str_make(record->host, record->host_n))) {
        return false;
    }
    return port < 0 ? record->port == 443 || record->port == 80 : record->port == port;
}

/* The target that stands for a server by its name or by the context's map. */
static const struct ftl_record *mapped(const struct cad_ftl *ftl, cad_str id)
{
    char name[CAD_FTL_NAME_MAX + 1];
    struct cad_sb sb;
    if (id.n == 0) return NULL;
    cad_sb_init_fixed(&sb, name, sizeof(name));
    cad_sb_putz(&sb, CAD_FTL_SERVER_PREFIX);
    cad_sb_put(&sb, id);
    const struct ftl_record *record = NULL;
    if (!cad_sb_error(&sb)) record = cad_ftl_record_named(&ftl->scores, cad_sb_str(&sb));
    const struct cad_ftl_recipe *recipe = ftl->recipe;
    for (uint32_t i = 0; !record && recipe && i < recipe->map_count; i++) {
        if (!cad_str_eq(recipe->map[i].id, id)) continue;
        cad_str target = recipe->targets[recipe->map[i].target].name;
        record = cad_ftl_record_named(&ftl->scores, target);
    }
    return record;
}

int cad_ftl_score(const struct cad_ftl *ftl, cad_str id, cad_str host, cad_time now,
                  struct cad_ftl_score *out)
{
    if (!ftl || !out) return CAD_E_INVAL;
    const struct ftl_record *record = mapped(ftl, id);
    if (record) return cad_ftl_record_score(record, now, out) ? CAD_OK : CAD_E_NOTFOUND;
    /* Of several targets on a host the recipe's first: places are taken in its order. */
    for (size_t i = 0; i < CAD_FTL_SCORES_MAX; i++) {
        record = &ftl->scores.records[i];
        if (is_host(record, host) && cad_ftl_record_score(record, now, out)) return CAD_OK;
    }
    return CAD_E_NOTFOUND;
}

/* The target that is a server's: by its name, the context's map, or the first on its host; -1. */
static int32_t target_of(const struct cad_ftl_recipe *recipe, cad_str id, cad_str host)
{
    cad_str prefix = CAD_STR(CAD_FTL_SERVER_PREFIX);
    for (uint32_t i = 0; id.n > 0 && i < recipe->target_count; i++) {
        cad_str name = recipe->targets[i].name;
        if (!cad_str_starts(name, prefix)) continue;
        if (cad_str_eq(cad_str_sub(name, prefix.n, name.n), id)) return (int32_t)i;
    }
    for (uint32_t i = 0; id.n > 0 && i < recipe->map_count; i++) {
        if (cad_str_eq(recipe->map[i].id, id)) return (int32_t)recipe->map[i].target;
    }
    for (uint32_t i = 0; i < recipe->target_count; i++) {
        struct ftl_record record;
        begin_record(&record, &recipe->targets[i]);
        if (is_host(&record, host)) return (int32_t)i;
    }
    return -1;
}

uint32_t cad_ftl_place(const struct cad_ftl *ftl, cad_str id, cad_str host)
{
    if (!ftl || !ftl->recipe || ftl->race != CAD_FTL_RACE_FROZEN) return 0;
    int32_t target = target_of(ftl->recipe, id, host);
    if (target < 0) return 0;
    uint32_t i = 0;
    while (i < ftl->order_count && ftl->order[i] != (uint32_t)target) i++;
    return i + 1;
}

int cad_ftl_target_score(const struct cad_ftl *ftl, cad_str name, cad_time now,
                         struct cad_ftl_score *out)
{
    if (!ftl || !out) return CAD_E_INVAL;
    const struct ftl_record *record = cad_ftl_record_named(&ftl->scores, name);
    if (!record || !cad_ftl_record_score(record, now, out)) return CAD_E_NOTFOUND;
    return CAD_OK;
}
