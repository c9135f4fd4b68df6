#include "fetch/policy.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/util.h"

/* Where moves need no waiting: a round over the servers. */
static const struct cad_backoff once = {
    .first = 0, .max = 0, .factor = 1, .rounds = 1, .budget = 30 * CAD_SECOND};
/* Licensed manifest 3: three attempts, waits 0.5 s and 2 s, 10 s in all. */
static const struct cad_backoff service = {
    .first = 500 * CAD_MS, .max = 2 * CAD_SECOND, .factor = 4, .rounds = 3,
    .budget = 10 * CAD_SECOND};
/* The same where nothing answers at all: a viewer who waits learns it within 5 s. */
static const struct cad_backoff absent = {
    .first = 500 * CAD_MS, .max = 2 * CAD_SECOND, .factor = 4, .rounds = 3,
    .budget = 5 * CAD_SECOND};
static const struct cad_backoff licence = {
    .first = 500 * CAD_MS, .max = 4 * CAD_SECOND, .factor = 2, .rounds = 5,
    .budget = 30 * CAD_SECOND};
/* Media: 0.25, 0.5, 1, 2, 4, 4 ... s; about half a minute until the matter is hopeless. */
static const struct cad_backoff media = {
    .first = 250 * CAD_MS, .max = 4 * CAD_SECOND, .factor = 2, .rounds = 12,
    .budget = 30 * CAD_SECOND};

#define GIVE_UP {0}
#define OTHER {CAD_MOVE_OTHER}
#define WAIT {CAD_MOVE_WAIT}
#define OTHER_WAIT {CAD_MOVE_OTHER, CAD_MOVE_WAIT}
#define OTHER_LOWER {CAD_MOVE_OTHER, CAD_MOVE_LOWER}
#define REFRESH {CAD_MOVE_REFRESH}
#define OTHER_REFRESH_LOWER {CAD_MOVE_OTHER, CAD_MOVE_REFRESH, CAD_MOVE_LOWER}
#define ROW(failure, moves, backoff, error) [failure] = {moves, &backoff, CAD_ERR_##error}

/* Media: a header and a segment fail alike but for the name of what is not there. */
#define MEDIA_ROWS(not_found)                                                                      \
    ROW(CAD_FAIL_DNS, OTHER_WAIT, media, NET_DNS),                                                 \
    ROW(CAD_FAIL_CONNECT, OTHER_WAIT, media, NET_CONNECT),                                         \
    ROW(CAD_FAIL_TLS, OTHER_WAIT, media, NET_TLS),                                                 \
    ROW(CAD_FAIL_CERTIFICATE, OTHER, once, NET_CERTIFICATE),                                       \
    ROW(CAD_FAIL_TIMEOUT, OTHER_WAIT, media, NET_TIMEOUT),                                         \
    ROW(CAD_FAIL_RESET, OTHER_WAIT, media, NET_RESET),                                             \
    ROW(CAD_FAIL_PROTOCOL, OTHER_WAIT, media, NET_PROTOCOL),                                       \
    ROW(CAD_FAIL_TOO_LARGE, OTHER_LOWER, once, HTTP_TOO_LARGE),                                    \
    ROW(CAD_FAIL_REDIRECT, OTHER, once, HTTP_REDIRECT),                                            \
    ROW(CAD_FAIL_RANGE, OTHER_LOWER, once, HTTP_RANGE),                                            \
    ROW(CAD_FAIL_EXPIRED, REFRESH, once, MANIFEST_EXPIRED),                                        \
    ROW(CAD_FAIL_REFUSED, OTHER_REFRESH_LOWER, once, HTTP_REFUSED),                                \
    ROW(CAD_FAIL_NOT_FOUND, OTHER_LOWER, once, not_found),                                         \
    ROW(CAD_FAIL_THROTTLED, OTHER_WAIT, media, HTTP_SERVER),                                       \
    ROW(CAD_FAIL_SERVER, OTHER_WAIT, media, HTTP_SERVER),                                          \
    ROW(CAD_FAIL_CONTENT, OTHER_LOWER, once, MEDIA_BAD),                                           \
    ROW(CAD_FAIL_FILE, GIVE_UP, once, FILE_NOT_FOUND),                                             \
    ROW(CAD_FAIL_SCHEME, GIVE_UP, once, SCHEME_REFUSED),                                           \
    ROW(CAD_FAIL_ADDRESS, OTHER, once, NET_ADDRESS),

/* Licences: cdm 8. Four more attempts; 0.5, 1, 2, 4 s. */
#define LICENCE_ROW(failure, moves, backoff) ROW(failure, moves, backoff, DRM_LICENCE_NET)

/* One row for every pair of purpose and failure. */
static const struct cad_policy table[][CAD_FAIL_COUNT] = {
    [CAD_PURPOSE_MANIFEST] = {
        ROW(CAD_FAIL_DNS, WAIT, absent, NET_DNS),
        ROW(CAD_FAIL_CONNECT, WAIT, absent, NET_CONNECT),
        ROW(CAD_FAIL_TLS, WAIT, absent, NET_TLS),
        ROW(CAD_FAIL_CERTIFICATE, GIVE_UP, once, NET_CERTIFICATE),
        ROW(CAD_FAIL_TIMEOUT, WAIT, service, NET_TIMEOUT),
        ROW(CAD_FAIL_RESET, WAIT, service, NET_RESET),
        ROW(CAD_FAIL_PROTOCOL, WAIT, service, NET_PROTOCOL),
        ROW(CAD_FAIL_TOO_LARGE, GIVE_UP, once, MANIFEST_LIMIT),
        ROW(CAD_FAIL_REDIRECT, GIVE_UP, once, HTTP_REDIRECT),
        ROW(CAD_FAIL_RANGE, GIVE_UP, once, HTTP_RANGE),
        ROW(CAD_FAIL_EXPIRED, GIVE_UP, once, HTTP_REFUSED),
        ROW(CAD_FAIL_REFUSED, GIVE_UP, once, HTTP_REFUSED),
        ROW(CAD_FAIL_NOT_FOUND, GIVE_UP, once, HTTP_NOT_FOUND),
        ROW(CAD_FAIL_THROTTLED, WAIT, service, HTTP_SERVER),
        ROW(CAD_FAIL_SERVER, WAIT, service, HTTP_SERVER),
        ROW(CAD_FAIL_CONTENT, GIVE_UP, once, MANIFEST_BAD),
        ROW(CAD_FAIL_FILE, GIVE_UP, once, FILE_NOT_FOUND),
        ROW(CAD_FAIL_SCHEME, GIVE_UP, once, SCHEME_REFUSED),
        ROW(CAD_FAIL_ADDRESS, GIVE_UP, once, NET_ADDRESS),
    },
    /* What ends a session whose URLs could not be renewed is that they expired. */
    [CAD_PURPOSE_REFRESH] = {
        ROW(CAD_FAIL_DNS, WAIT, service, NET_DNS),
        ROW(CAD_FAIL_CONNECT, WAIT, service, NET_CONNECT),
        ROW(CAD_FAIL_TLS, WAIT, service, NET_TLS),
        ROW(CAD_FAIL_CERTIFICATE, GIVE_UP, once, NET_CERTIFICATE),
        ROW(CAD_FAIL_TIMEOUT, WAIT, service, NET_TIMEOUT),
        ROW(CAD_FAIL_RESET, WAIT, service, NET_RESET),
        ROW(CAD_FAIL_PROTOCOL, WAIT, service, NET_PROTOCOL),
        ROW(CAD_FAIL_TOO_LARGE, GIVE_UP, once, MANIFEST_LIMIT),
        ROW(CAD_FAIL_REDIRECT, GIVE_UP, once, HTTP_REDIRECT),
        ROW(CAD_FAIL_RANGE, GIVE_UP, once, HTTP_RANGE),
        ROW(CAD_FAIL_EXPIRED, GIVE_UP, once, MANIFEST_EXPIRED),
        ROW(CAD_FAIL_REFUSED, GIVE_UP, once, MANIFEST_EXPIRED),
        ROW(CAD_FAIL_NOT_FOUND, GIVE_UP, once, MANIFEST_EXPIRED),
        ROW(CAD_FAIL_THROTTLED, WAIT, service, HTTP_SERVER),
        ROW(CAD_FAIL_SERVER, WAIT, service, HTTP_SERVER),
        ROW(CAD_FAIL_CONTENT, GIVE_UP, once, MANIFEST_BAD),
        ROW(CAD_FAIL_FILE, GIVE_UP, once, FILE_NOT_FOUND),
        ROW(CAD_FAIL_SCHEME, GIVE_UP, once, SCHEME_REFUSED),
        ROW(CAD_FAIL_ADDRESS, GIVE_UP, once, NET_ADDRESS),
    },
    [CAD_PURPOSE_HEADER] = {MEDIA_ROWS(HTTP_NOT_FOUND)},
    [CAD_PURPOSE_SEGMENT] = {MEDIA_ROWS(MEDIA_SEGMENT_LOST)},
    [CAD_PURPOSE_LICENCE] = {
        LICENCE_ROW(CAD_FAIL_DNS, WAIT, licence),
        LICENCE_ROW(CAD_FAIL_CONNECT, WAIT, licence),
        LICENCE_ROW(CAD_FAIL_TLS, WAIT, licence),
        LICENCE_ROW(CAD_FAIL_CERTIFICATE, GIVE_UP, once),
        LICENCE_ROW(CAD_FAIL_TIMEOUT, WAIT, licence),
        LICENCE_ROW(CAD_FAIL_RESET, WAIT, licence),
        LICENCE_ROW(CAD_FAIL_PROTOCOL, WAIT, licence),
        LICENCE_ROW(CAD_FAIL_TOO_LARGE, GIVE_UP, once),
        LICENCE_ROW(CAD_FAIL_REDIRECT, GIVE_UP, once),
        LICENCE_ROW(CAD_FAIL_RANGE, GIVE_UP, once),
        ROW(CAD_FAIL_EXPIRED, GIVE_UP, once, DRM_LICENCE_DENIED),
        ROW(CAD_FAIL_REFUSED, GIVE_UP, once, DRM_LICENCE_DENIED),
        ROW(CAD_FAIL_NOT_FOUND, GIVE_UP, once, DRM_LICENCE_DENIED),
        LICENCE_ROW(CAD_FAIL_THROTTLED, WAIT, licence),
        LICENCE_ROW(CAD_FAIL_SERVER, WAIT, licence),
        ROW(CAD_FAIL_CONTENT, GIVE_UP, once, DRM_LICENCE_BAD),
        LICENCE_ROW(CAD_FAIL_FILE, GIVE_UP, once),
        LICENCE_ROW(CAD_FAIL_SCHEME, GIVE_UP, once),
        LICENCE_ROW(CAD_FAIL_ADDRESS, GIVE_UP, once),
    },
    /* As media; but fresh URLs are wanted only where the old ones expire. */
    [CAD_PURPOSE_TEXT] = {
        ROW(CAD_FAIL_DNS, OTHER_WAIT, media, TEXT_LOST),
        ROW(CAD_FAIL_CONNECT, OTHER_WAIT, media, TEXT_LOST),
        ROW(CAD_FAIL_TLS, OTHER_WAIT, media, TEXT_LOST),
        ROW(CAD_FAIL_CERTIFICATE, OTHER, once, TEXT_LOST),
        ROW(CAD_FAIL_TIMEOUT, OTHER_WAIT, media, TEXT_LOST),
        ROW(CAD_FAIL_RESET, OTHER_WAIT, media, TEXT_LOST),
        ROW(CAD_FAIL_PROTOCOL, OTHER_WAIT, media, TEXT_LOST),
        ROW(CAD_FAIL_TOO_LARGE, OTHER_LOWER, once, TEXT_LOST),
        ROW(CAD_FAIL_REDIRECT, OTHER_LOWER, once, TEXT_LOST),
        ROW(CAD_FAIL_RANGE, OTHER_LOWER, once, TEXT_LOST),
        ROW(CAD_FAIL_EXPIRED, REFRESH, once, TEXT_LOST),
        ROW(CAD_FAIL_REFUSED, OTHER_LOWER, once, TEXT_LOST),
        ROW(CAD_FAIL_NOT_FOUND, OTHER_LOWER, once, TEXT_LOST),
        ROW(CAD_FAIL_THROTTLED, OTHER_WAIT, media, TEXT_LOST),
        ROW(CAD_FAIL_SERVER, OTHER_WAIT, media, TEXT_LOST),
        ROW(CAD_FAIL_CONTENT, OTHER_LOWER, once, TEXT_LOST),
        ROW(CAD_FAIL_FILE, GIVE_UP, once, TEXT_LOST),
        ROW(CAD_FAIL_SCHEME, GIVE_UP, once, TEXT_LOST),
        ROW(CAD_FAIL_ADDRESS, OTHER, once, TEXT_LOST),
    },
};

const struct cad_policy *cad_policy_row(enum cad_purpose purpose, enum cad_failure failure)
{
    CAD_ASSERT((size_t)purpose < CAD_ARRAY_LEN(table));
    CAD_ASSERT((size_t)failure < CAD_FAIL_COUNT);
    return &table[purpose][failure];
}

/* The wait before round `round` (1: the second round), without jitter. */
static cad_time backoff_wait(const struct cad_backoff *b, uint32_t round)
{
    cad_time wait = b->first;
    for (uint32_t i = 1; i < round && wait < b->max; i++) wait = cad_mul_sat_i64(wait, b->factor);
    return CAD_MIN(wait, b->max);
}

static cad_time jittered(cad_time wait, int32_t permille)
{
    return cad_muldiv_floor_i64(wait, 1000 + permille, 1000);
}

/* False: another round would be one too many, or begin too late. */
static bool back_off(const struct cad_backoff *b, const struct cad_policy_facts *f,
                     struct cad_policy_answer *answer)
{
    if (f->rounds >= b->rounds) return false;
    cad_time own = backoff_wait(b, f->rounds);
    cad_time told = f->retry_after;
    if (told != CAD_TIME_NONE) told = CAD_MIN(told, CAD_FETCH_RETRY_AFTER_MAX);
    if (told != CAD_TIME_NONE && told > own) {
        /* Never earlier than told; and what the server asks for does not use up our patience. */
        int32_t later = f->jitter < 0 ? -f->jitter : f->jitter;
        if (f->spent > b->budget) return false;
        *answer = (struct cad_policy_answer){CAD_MOVE_WAIT, jittered(told, later), 0};
        return true;
    }
    cad_time wait = jittered(own, f->jitter);
    if (cad_time_add(f->spent, wait) > b->budget) return false;
    *answer = (struct cad_policy_answer){CAD_MOVE_WAIT, wait, wait};
    return true;
}

struct cad_policy_answer cad_policy_apply(const struct cad_policy *row,
                                          const struct cad_policy_facts *facts)
{
    struct cad_policy_answer answer = {CAD_MOVE_NONE, 0, 0};
    for (uint32_t i = 0; i < CAD_FETCH_MOVES_MAX; i++) {
        enum cad_move move = (enum cad_move)row->moves[i];
        switch (move) {
        case CAD_MOVE_NONE: return answer;
        case CAD_MOVE_OTHER:
            if (!facts->untried || facts->spent > row->backoff->budget) continue;
            break;
        case CAD_MOVE_WAIT:
            if (!back_off(row->backoff, facts, &answer)) continue;
            return answer;
        case CAD_MOVE_REFRESH:
            if (facts->refreshes >= CAD_FETCH_REFRESHES_MAX) continue;
            break;
        case CAD_MOVE_LOWER: break;
        }
        answer.move = move;
        return answer;
    }
    return answer;
}
