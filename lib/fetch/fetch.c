#include "fetch/fetch.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"
#include "base/util.h"
#include "fetch/policy.h"

/* Silence of an attempt: the longest, that of a service, and the least that is worth anything. */
#define SILENCE_MAX (8 * CAD_SECOND)
#define SILENCE_SERVICE (4 * CAD_SECOND)
#define SILENCE_MIN (3 * CAD_SECOND)

struct entry {
    struct cad_fetch_request request; /* first: a request is its entry */
    uint32_t rounds;                  /* over the servers, begun; 1 the first */
    cad_time spent;                   /* on attempts and waits; not on being held back */
    cad_time since;                   /* attempts count from here on: bytes came until then */
};

struct cad_fetch {
    struct cad_alloc alloc;
    struct cad_rng rng;               /* of the jitter */
    int64_t ceiling_bytes;
    uint32_t id_last;
    uint32_t serial_last;
    uint32_t count;                   /* live requests */
    uint8_t order[CAD_FETCH_REQUESTS_MAX]; /* entries of the live ones, rising serial */
    struct entry entries[CAD_FETCH_REQUESTS_MAX];
};

static const char *const failure_names[CAD_FAIL_COUNT] = {
    [CAD_FAIL_DNS] = "dns",
    [CAD_FAIL_CONNECT] = "connect",
    [CAD_FAIL_TLS] = "tls",
    [CAD_FAIL_CERTIFICATE] = "certificate",
    [CAD_FAIL_TIMEOUT] = "timeout",
    [CAD_FAIL_RESET] = "reset",
    [CAD_FAIL_PROTOCOL] = "protocol",
    [CAD_FAIL_TOO_LARGE] = "too_large",
    [CAD_FAIL_REDIRECT] = "redirect",
    [CAD_FAIL_RANGE] = "range",
    [CAD_FAIL_EXPIRED] = "expired",
    [CAD_FAIL_REFUSED] = "refused",
    [CAD_FAIL_NOT_FOUND] = "not_found",
    [CAD_FAIL_THROTTLED] = "throttled",
    [CAD_FAIL_SERVER] = "server",
    [CAD_FAIL_CONTENT] = "content",
    [CAD_FAIL_FILE] = "file",
    [CAD_FAIL_SCHEME] = "scheme",
    [CAD_FAIL_ADDRESS] = "address",
};

const char *cad_failure_name(enum cad_failure failure)
{
    return (size_t)failure < CAD_FAIL_COUNT ? failure_names[failure] : "?";
}

int cad_fetch_create(const struct cad_alloc *alloc, uint64_t seed, int64_t ceiling_bytes,
                     struct cad_fetch **out)
{
    if (!alloc || !out || ceiling_bytes <= 0) return CAD_E_INVAL;
    struct cad_fetch *fetch = cad_alloc_new(alloc, sizeof(*fetch), CAD_MEM_SESSION);
    if (!fetch) return CAD_E_NOMEM;
    fetch->alloc = *alloc;
    fetch->ceiling_bytes = ceiling_bytes;
    cad_rng_init(&fetch->rng, seed);
    *out = fetch;
    return CAD_OK;
}

void cad_fetch_destroy(struct cad_fetch **fetch)
{
    if (!fetch || !*fetch) return;
    struct cad_alloc alloc = (*fetch)->alloc;
    cad_alloc_free(&alloc, *fetch, sizeof(**fetch), CAD_MEM_SESSION);
    *fetch = NULL;
}

/* ---- the table --------------------------------------------------------------------------- */

struct cad_fetch_request *cad_fetch_new(struct cad_fetch *fetch, enum cad_purpose purpose,
                                        cad_time now)
{
    if (fetch->count == CAD_FETCH_REQUESTS_MAX) return NULL;
    uint8_t free_entry = 0;
    while (fetch->entries[free_entry].request.state != CAD_FETCH_FREE) free_entry++;
    struct entry *entry = &fetch->entries[free_entry];
    *entry = (struct entry){
        .rounds = 1,
        .since = now,
        .request = {
            .state = CAD_FETCH_READY,
            .serial = ++fetch->serial_last,
            .purpose = purpose,
            .track = -1,
            .created = now,
            .not_before = now,
            .started = CAD_TIME_NONE,
            .deadline = CAD_TIME_NONE,
            .first_byte = CAD_TIME_NONE,
            .last_byte = CAD_TIME_NONE,
        },
    };
    CAD_ASSERT(entry->request.serial != 0);
    fetch->order[fetch->count++] = free_entry;
    return &entry->request;
}

static uint64_t server_bit(uint32_t server)
{
    return server < 64 ? UINT64_C(1) << server : 0;
}

void cad_fetch_start(struct cad_fetch *fetch, struct cad_fetch_request *request, uint32_t server,
                     cad_time now)
{
    CAD_ASSERT(request->state == CAD_FETCH_READY || request->state == CAD_FETCH_WAITING);
    CAD_ASSERT(fetch->id_last < UINT32_MAX);
    request->state = CAD_FETCH_IN_FLIGHT;
    request->id = ++fetch->id_last;
    request->attempts++;
    request->server = server;
    request->tried |= server_bit(server);
    request->started = now;
    request->received = 0;
    request->status = 0;
    request->first_byte = CAD_TIME_NONE;
    request->last_byte = CAD_TIME_NONE;
}

void cad_fetch_moved(struct cad_fetch *fetch, struct cad_fetch_request *request, cad_time now)
{
    CAD_ASSERT(request->state == CAD_FETCH_IN_FLIGHT);
    CAD_ASSERT(fetch->id_last < UINT32_MAX);
    struct entry *entry = (struct entry *)request;
    cad_time took = cad_time_sub(now, CAD_MAX(request->started, entry->since));
    entry->spent = cad_time_add(entry->spent, CAD_MAX(took, 0));
    request->id = ++fetch->id_last;
    request->started = now;
    request->received = 0;
    request->status = 0;
    request->first_byte = request->last_byte = CAD_TIME_NONE;
}

struct cad_fetch_request *cad_fetch_find(struct cad_fetch *fetch, uint32_t id)
{
    for (uint32_t i = 0; i < fetch->count; i++) {
        struct cad_fetch_request *request = &fetch->entries[fetch->order[i]].request;
        if (request->state == CAD_FETCH_IN_FLIGHT && request->id == id) return request;
    }
    return NULL;
}

void cad_fetch_end(struct cad_fetch *fetch, struct cad_fetch_request *request)
{
    CAD_ASSERT(request->state != CAD_FETCH_FREE);
    uint32_t i = 0;
    while (i < fetch->count && &fetch->entries[fetch->order[i]].request != request) i++;
    CAD_ASSERT(i < fetch->count);
    if (i == fetch->count) return;
    request->state = CAD_FETCH_FREE;
    request->bytes = 0;
    request->owner = NULL;
    fetch->count--;
    for (; i < fetch->count; i++) fetch->order[i] = fetch->order[i + 1];
}

struct cad_fetch_request *cad_fetch_at(struct cad_fetch *fetch, uint32_t i)
{
    return i < fetch->count ? &fetch->entries[fetch->order[i]].request : NULL;
}

/* ---- the byte budget --------------------------------------------------------------------- */

int64_t cad_fetch_in_flight_bytes(const struct cad_fetch *fetch)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < fetch->count; i++) {
        sum = cad_add_sat_i64(sum, fetch->entries[fetch->order[i]].request.bytes);
    }
    return sum;
}

bool cad_fetch_admit(struct cad_fetch *fetch, struct cad_fetch_request *request, int64_t held_bytes,
                     int64_t bytes)
{
    CAD_ASSERT(held_bytes >= 0);
    CAD_ASSERT(bytes >= 0);
    CAD_ASSERT(request->state != CAD_FETCH_FREE);
    if (held_bytes < 0 || bytes < 0) return false;
    int64_t used = cad_add_sat_i64(cad_fetch_in_flight_bytes(fetch), held_bytes);
    if (cad_add_sat_i64(used, bytes) > fetch->ceiling_bytes) return false;
    request->bytes = cad_add_sat_i64(request->bytes, bytes);
    return true;
}

/* ---- failure ----------------------------------------------------------------------------- */

/* Carries a move out on the request. */
static void apply(struct entry *entry, const struct cad_policy_answer *answer, cad_time now,
                  uint64_t servers, struct cad_verdict *verdict)
{
    struct cad_fetch_request *request = &entry->request;
    uint64_t here = server_bit(request->server);
    switch (answer->move) {
    case CAD_MOVE_NONE: return;
    case CAD_MOVE_LOWER: verdict->kind = CAD_VERDICT_LOWER_RUNG; return;
    case CAD_MOVE_OTHER: verdict->kind = CAD_VERDICT_OTHER_SERVER; break;
    case CAD_MOVE_WAIT:
        entry->rounds++;
        entry->spent = cad_time_add(entry->spent, answer->charge);
        verdict->kind = servers & ~here ? CAD_VERDICT_OTHER_SERVER : CAD_VERDICT_WAIT;
        verdict->until = cad_time_add(now, answer->wait);
        /* A new round: all but the server that failed last may be asked again. */
        request->tried = here;
        break;
    case CAD_MOVE_REFRESH:
        verdict->kind = CAD_VERDICT_REFRESH;
        request->refreshes++;
        request->tried = 0;
        entry->rounds = 1;
        entry->spent = 0;
        break;
    }
    request->not_before = verdict->until;
    request->state = verdict->until > now ? CAD_FETCH_WAITING : CAD_FETCH_READY;
}

struct cad_verdict cad_fetch_fail(struct cad_fetch *fetch, struct cad_fetch_request *request,
                                  const struct cad_fetch_failure *failure, cad_time now)
{
    CAD_ASSERT(request->state == CAD_FETCH_IN_FLIGHT);
    struct entry *entry = (struct entry *)request;
    cad_time took = cad_time_sub(now, CAD_MAX(request->started, entry->since));
    entry->spent = cad_time_add(entry->spent, CAD_MAX(took, 0));
    const struct cad_policy *row = cad_policy_row(request->purpose, failure->kind);
    struct cad_policy_facts facts = {
        .untried = (failure->servers & ~request->tried) != 0,
        .rounds = entry->rounds,
        .refreshes = request->refreshes,
        .spent = entry->spent,
        .retry_after = failure->retry_after,
        .jitter = (int32_t)cad_rng_range_i64(&fetch->rng, -CAD_FETCH_JITTER_PERMILLE,
                                             CAD_FETCH_JITTER_PERMILLE),
    };
    struct cad_policy_answer answer = cad_policy_apply(row, &facts);
    struct cad_verdict verdict = {CAD_VERDICT_GIVE_UP, now, row->error};
    apply(entry, &answer, now, failure->servers, &verdict);
    return verdict;
}

/* ---- time-outs --------------------------------------------------------------------------- */

cad_time cad_fetch_silence_limit(const struct cad_fetch_request *request, int64_t estimate_bps)
{
    if (request->purpose == CAD_PURPOSE_MANIFEST || request->purpose == CAD_PURPOSE_REFRESH) {
        return SILENCE_SERVICE;
    }
    if (request->deadline == CAD_TIME_NONE || request->started == CAD_TIME_NONE) return SILENCE_MAX;
    /* So that after half of the time to spare another server can still be asked. */
    cad_time spare = cad_time_sub(request->deadline, request->started);
    if (estimate_bps > 0) {
        int64_t bits = cad_mul_sat_i64(request->bytes, 8);
        spare = cad_time_sub(spare, cad_muldiv_floor_i64(bits, CAD_SECOND, estimate_bps));
    }
    return CAD_MIN(CAD_MAX(spare / 2, SILENCE_MIN), SILENCE_MAX);
}

cad_time cad_fetch_next_wake(const struct cad_fetch *fetch, int64_t estimate_bps)
{
    cad_time wake = CAD_TIME_NONE;
    for (uint32_t i = 0; i < fetch->count; i++) {
        const struct cad_fetch_request *request = &fetch->entries[fetch->order[i]].request;
        cad_time at = CAD_TIME_NONE;
        if (request->state == CAD_FETCH_WAITING) at = request->not_before;
        if (request->state == CAD_FETCH_IN_FLIGHT) {
            cad_time heard = CAD_MAX(request->started, request->last_byte);
            at = cad_time_add(heard, cad_fetch_silence_limit(request, estimate_bps));
        }
        if (at != CAD_TIME_NONE && (wake == CAD_TIME_NONE || at < wake)) wake = at;
    }
    return wake;
}

void cad_fetch_progress(struct cad_fetch_request *request, cad_time now)
{
    struct entry *entry = (struct entry *)request;
    request->created = now;
    entry->since = now;
    entry->rounds = 1;
    entry->spent = 0;
}
