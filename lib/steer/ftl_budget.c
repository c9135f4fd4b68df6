/* What may be spent in an hour: a ring of what was, oldest first. */
#include "base/assert.h"
#include "base/checked.h"
#include "steer/ftl.h"

#define HOUR (3600 * CAD_SECOND)

static struct ftl_spent *entry_at(struct cad_ftl *ftl, uint64_t number)
{
    return &ftl->spent[number % CAD_FTL_BUDGET_REQUESTS_MAX];
}

void cad_ftl_budget_prune(struct cad_ftl *ftl, cad_time now)
{
    while (ftl->spent_first < ftl->spent_end &&
           cad_time_sub(now, entry_at(ftl, ftl->spent_first)->at) >= HOUR) {
        ftl->spent_first++;
    }
    ftl->stats.requests_hour = (uint32_t)(ftl->spent_end - ftl->spent_first);
    ftl->stats.bytes_hour = 0;
    for (uint64_t i = ftl->spent_first; i < ftl->spent_end; i++) {
        ftl->stats.bytes_hour = cad_add_sat_i64(ftl->stats.bytes_hour, entry_at(ftl, i)->bytes);
    }
}

bool cad_ftl_budget_allows(const struct cad_ftl *ftl, int64_t bytes)
{
    return ftl->stats.requests_hour < ftl->config.requests_per_hour &&
           cad_add_sat_i64(ftl->stats.bytes_hour, bytes) <= ftl->config.bytes_per_hour;
}

uint64_t cad_ftl_budget_spend(struct cad_ftl *ftl, int64_t bytes)
{
    CAD_ASSERT(ftl->spent_end - ftl->spent_first < CAD_FTL_BUDGET_REQUESTS_MAX);
    uint64_t number = ftl->spent_end++;
    *entry_at(ftl, number) = (struct ftl_spent){ftl->now, bytes};
    ftl->stats.requests_hour++;
    ftl->stats.bytes_hour = cad_add_sat_i64(ftl->stats.bytes_hour, bytes);
    return number;
}

bool cad_ftl_budget_grow(struct cad_ftl *ftl, uint64_t entry, int64_t bytes)
{
    if (entry < ftl->spent_first || entry >= ftl->spent_end) return true;
    int64_t more = bytes - entry_at(ftl, entry)->bytes;
    if (more <= 0) return true;
    if (cad_add_sat_i64(ftl->stats.bytes_hour, more) > ftl->config.bytes_per_hour) return false;
    cad_ftl_budget_settle(ftl, entry, bytes);
    return true;
}

void cad_ftl_budget_settle(struct cad_ftl *ftl, uint64_t entry, int64_t bytes)
{
    if (entry < ftl->spent_first || entry >= ftl->spent_end) return;
    struct ftl_spent *spent = entry_at(ftl, entry);
    ftl->stats.bytes_hour = cad_add_sat_i64(ftl->stats.bytes_hour, bytes - spent->bytes);
    spent->bytes = bytes;
}

cad_time cad_ftl_budget_wake(const struct cad_ftl *ftl)
{
    if (ftl->spent_first == ftl->spent_end) return CAD_TIME_NONE;
    return cad_time_add(ftl->spent[ftl->spent_first % CAD_FTL_BUDGET_REQUESTS_MAX].at, HOUR);
}
