/*
 * The key machine: which sessions a title needs, what each of them lacks, what their keys open.
 *
 * Level-triggered like the rest: a turn walks the sessions and calls what is due; events of the CDM
 * only change what is known. Licences travel in keys_licence.c.
 */
#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/cenc.h"
#include "base/checked.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

#define KID_TEXT_BYTES 40 /* of a key id in init data of type keyids */
#define RENEW_LEAD_MAX (60 * CAD_SECOND) /* before a key ends: cdm 12 */

/* ---- words ----------------------------------------------------------------------------------- */

static bool same_kid(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, CAD_KEY_ID_SIZE) == 0;
}

static void add_kid(struct key_session *s, const uint8_t *kid)
{
    for (uint32_t i = 0; i < s->kid_count; i++) {
        if (same_kid(s->kids[i], kid)) return;
    }
    if (s->kid_count == KEYS_KIDS_MAX) return;
    memcpy(s->kids[s->kid_count++], kid, CAD_KEY_ID_SIZE);
}

bool keys_covers(const struct key_session *s, const uint8_t *kid)
{
    for (uint32_t i = 0; i < s->kid_count; i++) {
        if (same_kid(s->kids[i], kid)) return true;
    }
    for (uint32_t i = 0; i < s->key_count; i++) {
        if (same_kid(s->keys[i].kid, kid)) return true;
    }
    return false;
}

static bool system_known(const struct keys_part *k, const uint8_t *id)
{
    for (uint32_t i = 0; i < k->system_count; i++) {
        if (memcmp(k->systems[i], id, CAD_SYSTEM_ID_SIZE) == 0) return true;
    }
    return false;
}

static bool scheme_known(const struct keys_part *k, enum cad_scheme scheme)
{
    return (k->schemes >> scheme & 1) != 0;
}

static bool takes(const struct keys_part *k, enum cad_init_type type)
{
    return (k->init_types >> type & 1) != 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

void keys_init(struct cad_engine *e)
{
    struct keys_part *k = &e->keys;
    k->timer_at = k->hold_since = k->licence_time = k->back_at = CAD_TIME_NONE;
}

/* The body of a request that was begun in this very turn is the session's message, which is about
 * to go: nothing is asked then. */
static void request_withdraw(struct cad_engine *e, uint32_t id)
{
    for (size_t i = 0; i < cad_ring_count(&e->actions); i++) {
        struct cad_action *action = cad_ring_at(&e->actions, i);
        if (action->type != CAD_ACTION_HTTP_START || action->u.start.id != id) continue;
        action->type = CAD_ACTION_HTTP_CANCEL;
        action->u.cancel.id = id;
    }
}

static void request_forget(struct cad_engine *e, struct key_session *s)
{
    if (s->request) {
        request_withdraw(e, s->request->id);
        request_drop(e, s->request);
    }
    s->request = NULL;
}

static void message_forget(struct cad_engine *e, struct key_session *s)
{
    cad_alloc_free(&e->alloc, s->message, s->message_n, CAD_MEM_SESSION);
    cad_alloc_free(&e->alloc, s->message_url, s->message_url_size, CAD_MEM_SESSION);
    s->message = NULL;
    s->message_url = NULL;
    s->message_n = s->message_url_size = 0;
}

static void session_free(struct cad_engine *e, struct key_session *s)
{
    request_forget(e, s);
    keys_answer_wipe(e, s);
    message_forget(e, s);
    cad_alloc_free(&e->alloc, s->init, s->init_n, CAD_MEM_SESSION);
    memset(s, 0, sizeof(*s));
    s->renew_at = CAD_TIME_NONE;
}

/* NULL: no room in this turn. */
static struct cad_cdm_call *call(struct cad_engine *e, struct key_session *s,
                                 enum cad_cdm_call_type type)
{
    if (cad_ring_space(&e->actions) < 16) {
        e->more = true;
        return NULL;
    }
    struct cad_action *action = engine_action(e, CAD_ACTION_CDM_CALL);
    if (!action) return NULL;
    struct cad_cdm_call *c = &action->u.cdm;
    c->type = type;
    if (!s) return c;
    s->op = ++e->keys.next_op;
    c->tag = (struct cad_cdm_tag){s->id, e->keys.epoch, s->op};
    engine_decide(e, "cdm %s session=%u", cad_cdm_call_name(type), s->id);
    return c;
}

static bool is_open(const struct key_session *s)
{
    return s->state > KEY_SESSION_NEW && s->state < KEY_SESSION_DEAD;
}

/* What was called in this very turn shows bytes that are about to go: it closes instead. */
static bool call_withdraw(struct cad_engine *e, const struct key_session *s)
{
    for (size_t i = 0; i < cad_ring_count(&e->actions); i++) {
        struct cad_action *action = cad_ring_at(&e->actions, i);
        struct cad_cdm_call *c = &action->u.cdm;
        if (action->type != CAD_ACTION_CDM_CALL || c->tag.session != s->id) continue;
        if (c->type != CAD_CDM_CALL_REQUEST && c->type != CAD_CDM_CALL_UPDATE) continue;
        c->type = CAD_CDM_CALL_CLOSE;
        c->data = (cad_buf){NULL, 0};
        return true;
    }
    return false;
}

/* The CDM has no more to do with it. */
static void session_close(struct cad_engine *e, struct key_session *s)
{
    if (!call_withdraw(e, s)) (void)call(e, s, CAD_CDM_CALL_CLOSE);
}

void keys_stop(struct cad_engine *e)
{
    struct keys_part *k = &e->keys;
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        struct key_session *s = &k->sessions[i];
        if (is_open(s) && e->actions.memory) session_close(e, s);
        session_free(e, s);
    }
    k->epoch++;
    k->hold_since = k->back_at = CAD_TIME_NONE;
    k->holding = k->told_any = k->dirty = false;
    k->lanes[0] = k->lanes[1] = 0;
    cad_error_init(&k->sink_stands, CAD_ERR_NONE);
    k->decrypt_fails = 0;
}

void keys_caps(struct cad_engine *e, const struct cad_cdm_caps *caps)
{
    struct keys_part *k = &e->keys;
    if (!caps) return;
    k->has_cdm = true;
    k->schemes = caps->schemes;
    k->init_types = caps->init_types;
    k->system_count = CAD_MIN(caps->system_id_count, KEYS_SYSTEMS_MAX);
    for (uint32_t i = 0; i < k->system_count; i++) {
        memcpy(k->systems[i], caps->system_ids[i], CAD_SYSTEM_ID_SIZE);
    }
}

void keys_rebind(struct cad_engine *e)
{
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) e->keys.sessions[i].url = CAD_STR("");
}

/* ---- sessions that are needed ---------------------------------------------------------------- */

/* Key ids that pssh boxes name; true: one of them is of a system of the CDM. */
static bool read_init(const struct keys_part *k, cad_buf init, struct key_session *s)
{
    struct cad_cenc_pssh pssh;
    size_t at = 0;
    bool known = false;
    for (;;) {
        int rc = cad_cenc_pssh_next(init, &at, &pssh);
        if (rc == CAD_E_UNSUPPORTED) continue;
        if (rc != 0) return known;
        if (!system_known(k, pssh.system_id)) continue;
        known = true;
        for (uint32_t i = 0; s && i < pssh.kid_count; i++) {
            add_kid(s, pssh.kids.p + (size_t)i * CAD_KEY_ID_SIZE);
        }
    }
}

static struct key_session *session_of_init(struct cad_engine *e, cad_buf init)
{
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        struct key_session *s = &e->keys.sessions[i];
        if (s->state != KEY_SESSION_FREE && s->init_n == init.n &&
            memcmp(s->init, init.p, init.n) == 0) {
            return s;
        }
    }
    return NULL;
}

const struct key_session *keys_session_of_kid(const struct cad_engine *e, const uint8_t *kid)
{
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        const struct key_session *s = &e->keys.sessions[i];
        if (s->state != KEY_SESSION_FREE && keys_covers(s, kid)) return s;
    }
    return NULL;
}

/* A place that is free, or that of the oldest session whose keys nobody needs (cdm 4). */
static struct key_session *session_place(struct cad_engine *e)
{
    struct key_session *oldest = NULL;
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        struct key_session *s = &e->keys.sessions[i];
        if (s->state == KEY_SESSION_FREE) return s;
        if ((!oldest || s->id < oldest->id) && !keys_in_use(e, s)) oldest = s;
    }
    if (!oldest) return NULL;
    if (is_open(oldest)) session_close(e, oldest);
    session_free(e, oldest);
    return oldest;
}

/* NULL: there are too many, or no memory. */
static struct key_session *session_new(struct cad_engine *e, enum cad_init_type type, cad_buf init)
{
    if (init.n == 0 || init.n > KEYS_INIT_MAX) return NULL;
    struct key_session *s = session_place(e);
    uint8_t *copy = s ? cad_alloc_new(&e->alloc, init.n, CAD_MEM_SESSION) : NULL;
    if (!copy) return NULL;
    memcpy(copy, init.p, init.n);
    s->state = KEY_SESSION_NEW;
    s->id = ++e->keys.next_session;
    s->type = type;
    s->init = copy;
    s->init_n = init.n;
    s->renew_at = CAD_TIME_NONE;
    cad_error_init(&s->error, CAD_ERR_NONE);
    e->keys.dirty = true;
    return s;
}

/* {"kids":["..."]} of key ids (W3C "keyids"). */
static int kids_text(const uint8_t (*kids)[CAD_KEY_ID_SIZE], uint32_t count, struct cad_sb *sb)
{
    struct cad_jsonw w;
    cad_jsonw_init(&w, sb);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("kids"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < count; i++) {
        char text[KID_TEXT_BYTES];
        size_t n = 0;
        int rc = cad_base64_encode((cad_buf){kids[i], CAD_KEY_ID_SIZE},
                                   CAD_BASE64_URL | CAD_BASE64_NO_PAD, text, sizeof(text), &n);
        if (rc != 0) return rc;
        cad_jsonw_string(&w, cad_str_make(text, n));
    }
    cad_jsonw_end(&w);
    cad_jsonw_end(&w);
    return cad_jsonw_error(&w);
}

void keys_need_kid(struct cad_engine *e, const uint8_t *kid)
{
    char memory[128];
    struct cad_sb sb;
    if (keys_session_of_kid(e, kid) || !takes(&e->keys, CAD_INIT_KEYIDS)) return;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    if (kids_text((const uint8_t(*)[CAD_KEY_ID_SIZE])kid, 1, &sb) != 0) return;
    cad_str text = cad_sb_str(&sb);
    struct key_session *s = session_new(e, CAD_INIT_KEYIDS, cad_buf_from_str(text));
    if (s) add_kid(s, kid);
}

/* One that the CDM can make a request of. */
static bool can_ask(const struct keys_part *k, const struct cad_protection *p)
{
    if (p->scheme.n > 0) {
        bool known = false;
        for (uint32_t i = CAD_SCHEME_CENC; i <= CAD_SCHEME_CBCS; i++) {
            enum cad_scheme scheme = (enum cad_scheme)i;
            if (cad_str_eqz(p->scheme, cad_scheme_name(scheme))) known = scheme_known(k, scheme);
        }
        if (!known) return false;
    }
    if (p->init_data.n > 0 && read_init(k, p->init_data, NULL)) return takes(k, CAD_INIT_CENC);
    return p->has_key_id && takes(k, CAD_INIT_KEYIDS);
}

static void need_protection(struct cad_engine *e, const struct cad_protection *p)
{
    struct keys_part *k = &e->keys;
    if (p->init_data.n > 0 && read_init(k, p->init_data, NULL)) {
        struct key_session *s = session_of_init(e, p->init_data);
        if (!s && p->has_key_id && keys_session_of_kid(e, p->key_id)) return;
        if (!s) s = session_new(e, CAD_INIT_CENC, p->init_data);
        if (!s) return;
        (void)read_init(k, p->init_data, s);
        if (p->has_key_id) add_kid(s, p->key_id);
        if (s->url.n == 0) s->url = p->license_url;
    } else if (p->has_key_id) {
        keys_need_kid(e, p->key_id);
    }
}

const struct cad_protection *keys_protection_of(const struct keys_part *k,
                                                const struct cad_track *track,
                                                const struct cad_representation *model)
{
    const struct cad_protection *best = NULL;
    for (uint32_t i = 0; i < track->protection_count; i++) {
        const struct cad_protection *p = &track->protections[i];
        bool its = model->drm_header_id.n ? cad_str_eq(p->id, model->drm_header_id)
                                          : p->is_default || p->id.n == 0;
        if (!its || !can_ask(k, p)) continue;
        if (!best || (best->init_data.n == 0 && p->init_data.n > 0)) best = p;
    }
    return best;
}

bool keys_can_open(const struct cad_engine *e, const struct cad_track *track,
                   const struct cad_representation *model)
{
    if (!model->encrypted) return true;
    if (!e->keys.has_cdm) return false;
    /* Where the manifest names nothing, the init segment may. */
    return track->protection_count == 0 || keys_protection_of(&e->keys, track, model) != NULL;
}

static void need_rep(struct cad_engine *e, const struct cad_track *track, uint32_t i)
{
    const struct cad_representation *model = &track->representations[i];
    if (!model->encrypted) return;
    const struct cad_protection *p = keys_protection_of(&e->keys, track, model);
    if (p) need_protection(e, p);
}

/* The key of the lowest rung first, then that of the sound, then the rest (cdm 9). */
static void need_tracks(struct cad_engine *e)
{
    struct keys_part *k = &e->keys;
    bool same = true;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        uint64_t lane = s->present ? ((uint64_t)s->period << 32 | s->lane) + 1 : 0;
        if (k->lanes[i] != lane) same = false;
        k->lanes[i] = lane;
    }
    if (same || !k->has_cdm) return;
    k->dirty = true;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        if (s->present && s->model->representation_count) need_rep(e, s->model, 0);
    }
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        for (uint32_t r = 1; s->present && r < s->model->representation_count; r++) {
            need_rep(e, s->model, r);
        }
    }
}

void keys_header(struct cad_engine *e, const struct rep *rep)
{
    const struct cad_mp4_init *init = &rep->init;
    if (!init->encrypted || !init->has_protection || !e->keys.has_cdm) return;
    const uint8_t *kid = init->protection.kid;
    e->keys.dirty = true;
    if (keys_session_of_kid(e, kid)) return;
    struct cad_cenc_pssh pssh;
    size_t at = 0;
    for (int rc = 0; rc != CAD_E_END && takes(&e->keys, CAD_INIT_CENC);) {
        rc = cad_mp4_pssh_next(init->moov, &at, &pssh);
        if (rc != 0 || !system_known(&e->keys, pssh.system_id)) continue;
        struct key_session *s = session_of_init(e, pssh.box);
        if (!s) s = session_new(e, CAD_INIT_CENC, pssh.box);
        if (!s || s->state == KEY_SESSION_DEAD) continue; /* it has shown that it gives no key */
        (void)read_init(&e->keys, pssh.box, s);
        if (s->kid_count == 0) add_kid(s, kid); /* it names none: ours is hoped for */
    }
    keys_need_kid(e, kid);
}

enum cad_error_code keys_init_problem(const struct cad_engine *e, const struct rep *rep)
{
    enum cad_scheme scheme;
    if (!rep->init.encrypted) return CAD_ERR_NONE;
    if (!e->keys.has_cdm || cad_mp4_scheme(rep->init.scheme, &scheme) != 0) {
        return CAD_ERR_DRM_UNSUPPORTED;
    }
    return scheme_known(&e->keys, scheme) ? CAD_ERR_NONE : CAD_ERR_DRM_UNSUPPORTED;
}

/* ---- what the CDM tells ---------------------------------------------------------------------- */

void keys_session_dead(struct cad_engine *e, struct key_session *s, const struct cad_error *err)
{
    engine_decide(e, "cdm dead session=%u code=%s", s->id, cad_error_name(err->code));
    bool opening = s->state == KEY_SESSION_OPENING && s->op; /* nobody said that it is not open */
    if (e->keys.has_cdm && (opening || s->state > KEY_SESSION_OPENING)) session_close(e, s);
    request_forget(e, s);
    keys_answer_wipe(e, s);
    s->state = KEY_SESSION_DEAD;
    s->key_count = 0; /* they are closed with it */
    s->error = *err;
    s->renew_at = CAD_TIME_NONE;
    s->op = 0;
    e->keys.dirty = true;
}

static void dead_by(struct cad_engine *e, struct key_session *s, enum cad_error_code code,
                    uint32_t system_code)
{
    struct cad_error err;
    cad_error_init(&err, code);
    err.edge_code = system_code;
    keys_session_dead(e, s, &err);
}

void keys_session_again(struct cad_engine *e, struct key_session *s, uint32_t system_code)
{
    s->key_count = 0;
    if (s->lost == 0 || e->now - s->lost_since > KEYS_LOST_TIME) {
        s->lost = 0;
        s->lost_since = e->now;
    }
    if (++s->lost > KEYS_LOST_MAX) {
        dead_by(e, s, CAD_ERR_DRM_RESET, system_code);
        return;
    }
    session_close(e, s); /* one that says that it failed is open still */
    request_forget(e, s);
    keys_answer_wipe(e, s);
    s->state = KEY_SESSION_NEW;
    s->id = ++e->keys.next_session;
    s->op = 0;
    s->hand_tried = false;
    s->renew_at = CAD_TIME_NONE;
    e->keys.dirty = true;
}

/* Init data that names no key ids for a system which needs them: those that are known. */
static bool ask_by_kids(struct cad_engine *e, struct key_session *s)
{
    struct cad_sb sb;
    if (s->by_kids || s->kid_count == 0 || !takes(&e->keys, CAD_INIT_KEYIDS)) return false;
    cad_sb_init(&sb, &e->alloc, CAD_MEM_SESSION, KEYS_INIT_MAX);
    bool good = kids_text((const uint8_t(*)[CAD_KEY_ID_SIZE])s->kids, s->kid_count, &sb) == 0;
    cad_str text = cad_sb_str(&sb);
    uint8_t *copy = good ? cad_alloc_new(&e->alloc, text.n, CAD_MEM_SESSION) : NULL;
    if (copy) {
        memcpy(copy, text.p, text.n);
        cad_alloc_free(&e->alloc, s->init, s->init_n, CAD_MEM_SESSION);
        s->init = copy;
        s->init_n = text.n;
        s->type = CAD_INIT_KEYIDS;
        s->by_kids = true;
        s->state = KEY_SESSION_OPEN;
    }
    cad_sb_deinit(&sb);
    return copy != NULL;
}

static void take_done(struct cad_engine *e, struct key_session *s, const struct cad_cdm_event *ev)
{
    int rc = ev->result;
    if (ev->tag.op != s->op) return;
    s->op = 0;
    e->keys.dirty = true;
    if (rc != 0) engine_decide(e, "cdm done session=%u result=%d", s->id, rc);
    switch (s->state) {
    case KEY_SESSION_OPENING:
        if (rc == 0) s->state = KEY_SESSION_OPEN;
        else dead_by(e, s, rc == CAD_E_LIMIT ? CAD_ERR_DRM_LIMIT : CAD_ERR_DRM_INIT,
                     ev->system_code);
        return;
    case KEY_SESSION_REQUESTING:
        if (rc == 0) s->state = s->message ? KEY_SESSION_WAITING : KEY_SESSION_ACTIVE;
        else if (s->key_count) s->state = KEY_SESSION_ACTIVE; /* it was for more time */
        else if (rc != CAD_E_NOTFOUND || !ask_by_kids(e, s)) {
            dead_by(e, s, CAD_ERR_DRM_INIT_DATA, ev->system_code);
        }
        return;
    case KEY_SESSION_UPDATING: keys_updated(e, s, ev); return;
    default: return;
    }
}

static void take_message(struct cad_engine *e, struct key_session *s,
                         const struct cad_cdm_event *ev)
{
    if (ev->result == CAD_E_LIMIT && s->state == KEY_SESSION_REQUESTING && s->key_count == 0) {
        dead_by(e, s, CAD_ERR_DRM_LIMIT, ev->system_code);
        return;
    }
    if (s->request || ev->data.n == 0 || s->state == KEY_SESSION_UPDATING) return; /* in order */
    bool more_time = s->state == KEY_SESSION_ACTIVE && ev->message == CAD_CDM_MESSAGE_RENEWAL;
    if (s->state != KEY_SESSION_REQUESTING && !more_time) return;
    uint8_t *copy = cad_alloc_new(&e->alloc, ev->data.n, CAD_MEM_SESSION);
    char *url = cad_alloc_new(&e->alloc, ev->url.n + 1, CAD_MEM_SESSION);
    if (!copy || !url) {
        cad_alloc_free(&e->alloc, copy, ev->data.n, CAD_MEM_SESSION);
        cad_alloc_free(&e->alloc, url, ev->url.n + 1, CAD_MEM_SESSION);
        dead_by(e, s, CAD_ERR_OUT_OF_MEMORY, 0);
        return;
    }
    memcpy(copy, ev->data.p, ev->data.n);
    if (ev->url.n) memcpy(url, ev->url.p, ev->url.n);
    message_forget(e, s);
    s->message = copy;
    s->message_n = ev->data.n;
    s->message_url = url;
    s->message_url_size = ev->url.n + 1;
    if (more_time) s->state = KEY_SESSION_WAITING;
}

/* Whose time is over is asked for once more before it is given up (cdm 4). */
static void take_keys(struct cad_engine *e, struct key_session *s, const struct cad_cdm_event *ev)
{
    bool expired = false, usable = false;
    e->keys.dirty = true;
    s->key_count = ev->key_count;
    if (ev->key_count) memcpy(s->keys, ev->keys, ev->key_count * sizeof(*ev->keys));
    engine_decide(e, "cdm keys session=%u count=%u", s->id, s->key_count);
    for (uint32_t i = 0; i < s->key_count; i++) {
        if (s->keys[i].status == CAD_KEY_EXPIRED) expired = true;
        if (s->keys[i].status == CAD_KEY_USABLE) usable = true;
    }
    if (usable) s->asked_again = false;
    if (!expired || s->asked_again || s->state != KEY_SESSION_ACTIVE) return;
    s->asked_again = true;
    s->renew_at = CAD_TIME_NONE;
    s->state = KEY_SESSION_OPEN;
}

/* When more time should be asked for; without a known wall clock nobody can tell. */
static void take_expiry(struct cad_engine *e, struct key_session *s, cad_time expiry)
{
    int64_t wall = engine_wall_ms(e);
    s->renew_at = CAD_TIME_NONE;
    if (expiry == CAD_TIME_MAX || wall == 0) return;
    cad_time left = cad_time_sub(expiry, cad_mul_sat_i64(wall, CAD_MS));
    if (left <= 0) return;
    s->renew_at = cad_time_add(e->now, left - CAD_MIN(RENEW_LEAD_MAX, left / 10));
}

static void cdm_failed(struct cad_engine *e, uint32_t system_code)
{
    e->keys.has_cdm = false;
    e->keys.timer_at = CAD_TIME_NONE;
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        struct key_session *s = &e->keys.sessions[i];
        if (s->state == KEY_SESSION_FREE) continue;
        s->key_count = 0;
        dead_by(e, s, CAD_ERR_DRM_CRASHED, system_code);
    }
}

void keys_take(struct cad_engine *e, const struct cad_cdm_event *ev)
{
    struct keys_part *k = &e->keys;
    struct key_session *s = NULL;
    if (!k->has_cdm) return; /* there is none, or it is gone */
    if (ev->type == CAD_CDM_EVENT_TIMER) k->timer_at = ev->time;
    if (ev->type == CAD_CDM_EVENT_FAILED && ev->tag.session == 0) cdm_failed(e, ev->system_code);
    if (ev->tag.epoch != k->epoch || ev->tag.session == 0) return; /* of a title that is gone */
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        if (k->sessions[i].id == ev->tag.session) s = &k->sessions[i];
    }
    if (!s || !is_open(s)) return;
    switch (ev->type) {
    case CAD_CDM_EVENT_DONE: take_done(e, s, ev); break;
    case CAD_CDM_EVENT_MESSAGE: take_message(e, s, ev); break;
    case CAD_CDM_EVENT_KEYS: take_keys(e, s, ev); break;
    case CAD_CDM_EVENT_EXPIRY: take_expiry(e, s, ev->time); break;
    case CAD_CDM_EVENT_CLOSED:
    case CAD_CDM_EVENT_FAILED: keys_session_again(e, s, ev->system_code); break;
    default: break; /* outputs, timers and the store are the drive's or come with later calls */
    }
}

/* ---- the turn -------------------------------------------------------------------------------- */

static void step_session(struct cad_engine *e, struct key_session *s)
{
    struct cad_cdm_call *c;
    switch (s->state) {
    case KEY_SESSION_NEW:
        c = call(e, s, CAD_CDM_CALL_OPEN);
        if (!c) return;
        c->session_type = CAD_SESSION_TEMPORARY;
        s->state = KEY_SESSION_OPENING;
        return;
    case KEY_SESSION_OPEN:
        c = call(e, s, CAD_CDM_CALL_REQUEST);
        if (!c) return;
        c->init_type = s->type;
        c->data = (cad_buf){s->init, s->init_n};
        message_forget(e, s);
        s->state = KEY_SESSION_REQUESTING;
        return;
    case KEY_SESSION_WAITING: keys_ask(e, s); return;
    case KEY_SESSION_ACTIVE:
        if (s->renew_at == CAD_TIME_NONE || s->renew_at > e->now) return;
        s->renew_at = CAD_TIME_NONE;
        s->state = KEY_SESSION_OPEN; /* the same request again: cdm 12 */
        e->more = true;
        return;
    default: return;
    }
}

struct cad_cdm_call *keys_call_update(struct cad_engine *e, struct key_session *s)
{
    struct cad_cdm_call *c = call(e, s, CAD_CDM_CALL_UPDATE);
    if (c) s->state = KEY_SESSION_UPDATING;
    return c;
}

static void tell_status(struct cad_engine *e)
{
    struct keys_part *k = &e->keys;
    enum cad_key_status status = keys_status(e);
    if (status == CAD_KEY_UNKNOWN || (k->told_any && k->told == status)) return;
    k->told = status;
    k->told_any = true;
    struct cad_app_event *app = engine_app(e, CAD_APP_KEYS);
    if (app) cad_str_copyz(app->text, sizeof(app->text), cad_str_from(cad_key_status_name(status)));
}

void keys_turn(struct cad_engine *e)
{
    struct keys_part *k = &e->keys;
    need_tracks(e);
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) step_session(e, &k->sessions[i]);
    bool due = k->timer_at != CAD_TIME_NONE && k->timer_at <= e->now;
    if (due && call(e, NULL, CAD_CDM_CALL_TIMER)) k->timer_at = CAD_TIME_NONE;
    if (k->dirty) keys_lose(e);
    if (k->dirty || (k->back_at != CAD_TIME_NONE && k->back_at <= e->now)) keys_return(e);
    k->dirty = false;
    keys_watch(e);
    tell_status(e);
}

cad_time keys_next_wake(const struct cad_engine *e)
{
    const struct keys_part *k = &e->keys;
    cad_time wake = cad_time_earlier(k->timer_at, k->back_at);
    if (k->hold_since != CAD_TIME_NONE) {
        wake = cad_time_earlier(wake, cad_time_add(k->hold_since, e->config.key_wait));
    }
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        const struct key_session *s = &k->sessions[i];
        if (s->state == KEY_SESSION_ACTIVE) wake = cad_time_earlier(wake, s->renew_at);
    }
    return wake;
}

void keys_figures(const struct cad_engine *e, struct cad_service_stats *out)
{
    const struct keys_part *k = &e->keys;
    out->keys = keys_status(e);
    out->is_protected = out->keys != CAD_KEY_UNKNOWN;
    out->licences = k->licences;
    out->licences_failed = k->failed;
    out->licence_time = k->licence_time;
}
