/*
 * What keys open: which representations are lost with a key, which samples wait for one.
 *
 * A key counts by what the CDM says of it, never by trying it. What is lost with a key is lost at
 * once, also what the sink has already of it: it is flushed, and goes on with what can be opened.
 */
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

#define DECRYPT_FAILS_MAX 3 /* samples that could not be decrypted, in that time (cdm 8) */
#define DECRYPT_FAILS_TIME (10 * CAD_SECOND)

static bool same_kid(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, CAD_KEY_ID_SIZE) == 0;
}

/* ---- what keys open ------------------------------------------------------------------------- */

enum verdict { KEY_OPENS, KEY_AWAITED, KEY_LOST };

static bool settled(const struct key_session *s)
{
    return s->state == KEY_SESSION_FREE || s->state == KEY_SESSION_ACTIVE ||
           s->state == KEY_SESSION_DEAD;
}

static enum verdict verdict_of_status(enum cad_key_status status, enum cad_error_code *why)
{
    switch (status) {
    case CAD_KEY_USABLE:
    case CAD_KEY_OUTPUT_DOWNSCALED: return KEY_OPENS;
    case CAD_KEY_UNKNOWN:
    case CAD_KEY_PENDING:
    case CAD_KEY_FUTURE: return KEY_AWAITED;
    case CAD_KEY_EXPIRED: *why = CAD_ERR_DRM_KEY_EXPIRED; return KEY_LOST;
    case CAD_KEY_OUTPUT_RESTRICTED: *why = CAD_ERR_DRM_OUTPUT; return KEY_LOST;
    case CAD_KEY_RELEASED:
    case CAD_KEY_ERROR: break;
    }
    *why = CAD_ERR_DRM_KEY_DENIED;
    return KEY_LOST;
}

/* What one session says of a key; AWAITED also where it says nothing. */
static enum verdict ask_session(const struct key_session *s, const uint8_t *kid,
                                struct cad_error *why)
{
    enum cad_error_code code = CAD_ERR_DRM_NO_KEY;
    for (uint32_t i = 0; i < s->key_count; i++) {
        if (!same_kid(s->keys[i].kid, kid)) continue;
        enum verdict v = verdict_of_status(s->keys[i].status, &code);
        if (v == KEY_LOST && !settled(s)) return KEY_AWAITED; /* it is being renewed */
        if (v == KEY_LOST) cad_error_init(why, code);
        return v;
    }
    if (!settled(s)) return KEY_AWAITED;
    cad_error_init(why, CAD_ERR_DRM_NO_KEY);
    if (s->state == KEY_SESSION_DEAD) *why = s->error;
    return KEY_LOST;
}

/* In several sessions: the one that opens counts, else what may still come. */
static enum verdict ask_kid(const struct cad_engine *e, const uint8_t *kid, struct cad_error *why)
{
    enum verdict verdict = KEY_AWAITED;
    bool asked = false;
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        const struct key_session *s = &e->keys.sessions[i];
        if (s->state == KEY_SESSION_FREE || !keys_covers(s, kid)) continue;
        enum verdict v = ask_session(s, kid, why);
        if (v == KEY_OPENS) return v;
        if (!asked || v == KEY_AWAITED) verdict = v;
        asked = true;
    }
    return verdict;
}

/* The key id of a representation: its header's, or the manifest's. */
static bool kid_of(const struct cad_engine *e, const struct rep *rep, uint8_t *kid)
{
    if (rep->state == REP_READY && rep->init.encrypted && rep->init.has_protection) {
        memcpy(kid, rep->init.protection.kid, CAD_KEY_ID_SIZE);
        return true;
    }
    if (!rep->model->encrypted || rep->state == REP_READY) return false;
    const struct cad_protection *p = keys_protection_of(&e->keys, rep->track, rep->model);
    if (!p || !p->has_key_id) return false;
    memcpy(kid, p->key_id, CAD_KEY_ID_SIZE);
    return true;
}

bool keys_in_use(const struct cad_engine *e, const struct key_session *session)
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        uint8_t kid[CAD_KEY_ID_SIZE];
        if (s->present && s->locked && keys_covers(session, s->locked_kid)) return true;
        for (uint32_t r = 0; s->present && r < s->rep_count; r++) {
            if (!s->reps[r] || !kid_of(e, s->reps[r], kid)) continue;
            if (keys_covers(session, kid)) return true;
        }
    }
    return false;
}

/* ---- what is lost ---------------------------------------------------------------------------- */

/* Has the sink something of it that was not shown yet? */
static bool was_given(const struct cad_engine *e, const struct slot *s, const struct rep *rep)
{
    cad_time position = clock_position(e);
    for (size_t i = 0; i < queue_count(s); i++) {
        const struct segment *seg = queue_at(s, i);
        bool pulled = seg->serial < s->cursor || seg->serial == s->reader_serial;
        if (seg->rep == rep->at && pulled && seg->end > position) return true;
    }
    return false;
}

/* What a key opens: a representation by its header, or (rep) one that a sample is of. */
struct lost_key {
    const uint8_t *kid;           /* NULL: whatever key will not come */
    const struct rep *rep;        /* besides; NULL */
    const struct cad_error *why;  /* of kid and rep */
};

static bool is_lost(const struct cad_engine *e, const struct rep *rep, const struct lost_key *key,
                    struct cad_error *why)
{
    uint8_t kid[CAD_KEY_ID_SIZE];
    if (!rep || rep->state == REP_LOST) return false;
    bool known = kid_of(e, rep, kid);
    if (!key->kid) return known && keys_session_of_kid(e, kid) && ask_kid(e, kid, why) == KEY_LOST;
    *why = *key->why;
    return rep == key->rep || (known && same_kid(kid, key->kid));
}

/* Representations whose key will not come are lost (cdm 9): nobody can read what is held of them
 * either. However many they are, it is told once. */
static void lose_reps(struct cad_engine *e, uint32_t slot, const struct lost_key *key)
{
    struct slot *s = &e->slots[slot];
    struct cad_error why, last;
    uint32_t lost = 0;
    bool given = false;
    for (uint32_t r = 0; s->present && r < s->rep_count; r++) {
        struct rep *rep = s->reps[r];
        if (!is_lost(e, rep, key, &why)) continue;
        why.track = (int32_t)slot;
        why.phase = e->clock.first_ever ? CAD_PHASE_PLAY : CAD_PHASE_START;
        why.cls = CAD_ERROR_FATAL; /* for the slot, if it was its last */
        given = given || was_given(e, s, rep);
        rep->key_lost = key->kid == NULL;
        rep->header_shut = rep->header_end;
        rep->header_end = 0;
        rep->back_at = 0;
        rep_drop(e, slot, r, &why);
        last = why;
        lost++;
    }
    if (lost == 0) return;
    s->locked = false;
    if (given) clock_begin(e, clock_position(e));
    if (s->rung_count == 0) return; /* the slot is: when what is held is over, the session ends */
    last.cls = CAD_ERROR_DEGRADED;
    engine_fail(e, &last);
}

/* The key of a sample that was given, other than that of its representation: it was rotated. */
static bool rotated(const struct cad_engine *e, const struct slot *s, struct rep **rep)
{
    uint8_t kid[CAD_KEY_ID_SIZE];
    if (!s->present || !s->locked || s->locked_rep >= s->rep_count) return false;
    *rep = s->reps[s->locked_rep];
    if (!*rep || (*rep)->state == REP_LOST) return false;
    return !kid_of(e, *rep, kid) || !same_kid(kid, s->locked_kid);
}

void keys_lose(struct cad_engine *e)
{
    struct lost_key any = {NULL, NULL, NULL};
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) lose_reps(e, i, &any);
}

/* Can the key of one that was lost with it be used again? */
static bool is_back(const struct cad_engine *e, const struct rep *rep)
{
    struct rep as_before = *rep;
    struct cad_error why;
    uint8_t kid[CAD_KEY_ID_SIZE];
    as_before.state = rep->header_shut ? REP_READY : REP_NEW;
    return kid_of(e, &as_before, kid) && ask_kid(e, kid, &why) == KEY_OPENS;
}

/* A cable that flaps must not make the picture flap: what is back stays away a while (cdm 9). */
void keys_return(struct cad_engine *e)
{
    e->keys.back_at = CAD_TIME_NONE;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct slot *s = &e->slots[i];
        bool any = false;
        for (uint32_t r = 0; s->present && r < s->rep_count; r++) {
            struct rep *rep = s->reps[r];
            if (!rep || rep->state != REP_LOST || !rep->key_lost) continue;
            bool back = is_back(e, rep);
            if (!back) rep->back_at = 0;
            else if (rep->back_at == 0) rep->back_at = cad_time_add(e->now, KEYS_BACK_AFTER);
            if (back && rep->back_at > e->now) {
                e->keys.back_at = cad_time_earlier(e->keys.back_at, rep->back_at);
            } else if (back) {
                rep->state = rep->header_shut ? REP_READY : REP_NEW;
                rep->header_end = rep->header_shut;
                rep->key_lost = false;
                any = true;
            }
        }
        if (!any) continue;
        if (s->lost.domain == CAD_DOMAIN_DRM) cad_error_init(&s->lost, CAD_ERR_NONE);
        engine_decide(e, "keys back slot=%u", i);
        slots_ladder(e, i);
        e->tracks_version++;
    }
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* A sample that was given out and cannot be opened yet, at or just before what is shown next. */
static bool slot_waits(const struct cad_engine *e, const struct slot *s)
{
    struct cad_error why;
    if (!s->present || !s->locked) return false;
    if (s->locked_pts > cad_time_add(clock_position(e), CAD_SECOND / 2)) return false;
    return ask_kid(e, s->locked_kid, &why) != KEY_OPENS;
}

bool keys_hold(const struct cad_engine *e)
{
    return slot_waits(e, &e->slots[CAD_SLOT_VIDEO]) || slot_waits(e, &e->slots[CAD_SLOT_AUDIO]);
}

/* A key that nobody has heard of: it was rotated. It is asked for at once (cdm 12). */
static void learn(struct cad_engine *e, const uint8_t *kid)
{
    struct cad_error why;
    bool known = keys_session_of_kid(e, kid) != NULL;
    if (known && ask_kid(e, kid, &why) != KEY_LOST) return;
    if (!known && e->keys.has_cdm) keys_need_kid(e, kid);
    e->keys.dirty = true;
}

void keys_given(struct cad_engine *e, struct slot *s, const uint8_t *kid, cad_time pts)
{
    struct cad_error why;
    if (s->locked && ask_kid(e, s->locked_kid, &why) == KEY_OPENS) s->locked = false;
    if (ask_kid(e, kid, &why) == KEY_OPENS) return;
    if (s->locked && same_kid(s->locked_kid, kid)) return;
    learn(e, kid);
    e->session_wake = e->now; /* the session is due: pulling is no turn */
    if (s->locked) return; /* the first of them counts */
    s->locked = true;
    s->locked_rep = (uint32_t)s->rep_config;
    s->locked_pts = pts;
    memcpy(s->locked_kid, kid, CAD_KEY_ID_SIZE);
}

/* A key that was rotated to will not come: what is under the one before is shown to its end. */
static void lose_rotated(struct cad_engine *e, uint32_t slot)
{
    struct slot *s = &e->slots[slot];
    struct rep *rep = NULL;
    struct cad_error why;
    uint8_t kid[CAD_KEY_ID_SIZE];
    if (!slot_waits(e, s) || !rotated(e, s, &rep)) return;
    memcpy(kid, s->locked_kid, sizeof kid);
    if (!keys_session_of_kid(e, kid) || ask_kid(e, kid, &why) != KEY_LOST) return;
    struct lost_key key = {kid, rep, &why};
    lose_reps(e, slot, &key);
}

/* Sessions that were to bring the key, and have brought none, will not be waited for again. */
static void give_up(struct cad_engine *e, const uint8_t *kid, struct cad_error *why)
{
    cad_error_init(why, CAD_ERR_DRM_NO_KEY);
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        struct key_session *s = &e->keys.sessions[i];
        if (settled(s) || s->key_count || !keys_covers(s, kid)) continue;
        if (s->request) cad_error_init(why, CAD_ERR_DRM_LICENCE_NET);
        keys_session_dead(e, s, why);
    }
}

/* Only a key was missing for too long: what needs it is given up. */
void keys_watch(struct cad_engine *e)
{
    struct keys_part *k = &e->keys;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) lose_rotated(e, i);
    bool hold = e->clock.state == CAD_STATE_BUFFERING && e->online && keys_hold(e);
    if (hold && k->hold_since == CAD_TIME_NONE) k->hold_since = e->now;
    if (!hold) k->hold_since = CAD_TIME_NONE;
    if (!hold || e->now - k->hold_since < e->config.key_wait) return;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct slot *s = &e->slots[i];
        uint8_t kid[CAD_KEY_ID_SIZE];
        struct cad_error why;
        struct rep *rep = NULL;
        if (!slot_waits(e, s)) continue;
        memcpy(kid, s->locked_kid, sizeof kid);
        if (!rotated(e, s, &rep)) rep = NULL;
        give_up(e, kid, &why);
        struct lost_key key = {kid, rep, &why};
        lose_reps(e, i, &key);
        s->locked = false;
    }
    k->hold_since = CAD_TIME_NONE;
}

/* Samples of a slot cannot be decrypted: the sessions of their key are opened again, once; then the
 * key is lost (cdm 8). True: that is told already. */
static bool doubt_key(struct cad_engine *e, uint32_t slot, struct cad_error *err)
{
    struct slot *s = &e->slots[CAD_MIN(slot, CAD_ENGINE_TRACKS - 1)];
    uint8_t kid[CAD_KEY_ID_SIZE];
    bool known = s->present && s->rep_config >= 0 && kid_of(e, s->reps[s->rep_config], kid);
    bool again = false;
    if (slot >= CAD_ENGINE_TRACKS || !known) return false;
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        struct key_session *session = &e->keys.sessions[i];
        if (session->state != KEY_SESSION_ACTIVE || session->doubted) continue;
        if (!keys_covers(session, kid)) continue;
        session->doubted = again = true;
        keys_session_again(e, session, (uint32_t)err->edge_code);
    }
    err->cls = CAD_ERROR_DEGRADED;
    if (again) return false;
    struct cad_error why = *err;
    struct lost_key key = {kid, NULL, &why};
    lose_reps(e, slot, &key);
    return true;
}

/* A sink that stands for a key says nothing new: the CDM has told it, or will, and what to do about
 * it is decided here. It is kept for the case that it was not so. */
bool keys_sink_fail(struct cad_engine *e, struct cad_error *err)
{
    struct keys_part *k = &e->keys;
    switch (err->code) {
    case CAD_ERR_DRM_KEY_EXPIRED:
    case CAD_ERR_DRM_KEY_DENIED:
    case CAD_ERR_DRM_OUTPUT:
        if (!k->has_cdm) return false;
        engine_decide(e, "sink stands for a key slot=%d code=%s", err->track,
                      cad_error_name(err->code));
        k->sink_stands = *err;
        k->sink_stands.cls = CAD_ERROR_FATAL;
        return true;
    case CAD_ERR_DRM_DECRYPT:
        if (k->decrypt_fails == 0 || e->now - k->decrypt_since > DECRYPT_FAILS_TIME) {
            k->decrypt_since = e->now;
            k->decrypt_fails = 0;
        }
        if (++k->decrypt_fails < DECRYPT_FAILS_MAX) {
            err->cls = CAD_ERROR_DEGRADED;
            return false;
        }
        k->decrypt_fails = 0;
        return doubt_key(e, (uint32_t)err->track, err);
    default: return false;
    }
}

bool keys_blamed(const struct cad_engine *e, struct cad_error *err)
{
    if (e->keys.sink_stands.code == CAD_ERR_NONE) return false;
    *err = e->keys.sink_stands;
    return true;
}

/* ---- what is told ---------------------------------------------------------------------------- */

/* The worst of what is needed for what is fetched now. */
enum cad_key_status keys_status(const struct cad_engine *e)
{
    enum cad_key_status status = CAD_KEY_UNKNOWN;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        uint8_t kid[CAD_KEY_ID_SIZE];
        struct cad_error why;
        if (!s->present || s->rep_now < 0 || !kid_of(e, s->reps[s->rep_now], kid)) continue;
        enum verdict v = ask_kid(e, kid, &why);
        if (v == KEY_LOST) return CAD_KEY_ERROR;
        if (v == KEY_AWAITED) status = CAD_KEY_PENDING;
        if (v == KEY_OPENS && status == CAD_KEY_UNKNOWN) status = CAD_KEY_USABLE;
    }
    return status;
}

bool keys_awaited(const struct cad_engine *e)
{
    return keys_status(e) == CAD_KEY_PENDING;
}
