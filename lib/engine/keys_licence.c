/*
 * Licences: from a message of the CDM to the answer that goes back into it.
 *
 * What a service answers is a secret from its first byte on: it is kept in memory of its own, wiped
 * before that is given back, never logged and never looked into but for the envelope around it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "engine/session.h"

_Static_assert(KEYS_MESSAGE_MAX / 3 * 4 + ENGINE_URL_MAX + 1024 <= ENGINE_TEXT_BYTES,
               "a request that fits no turn would be tried for ever");

#define ENVELOPE_TOKENS 256 /* of an answer that are looked at for the licence in it */

static struct key_session *session_of(struct cad_engine *e,
                                      const struct cad_fetch_request *request)
{
    for (uint32_t i = 0; i < KEYS_SESSIONS_MAX; i++) {
        if (e->keys.sessions[i].request == request) return &e->keys.sessions[i];
    }
    return NULL;
}

void keys_answer_wipe(struct cad_engine *e, struct key_session *s)
{
    cad_wipe(s->answer, s->answer_cap);
    cad_alloc_free(&e->alloc, s->answer, s->answer_cap, CAD_MEM_SESSION);
    s->answer = NULL;
    s->answer_n = s->answer_cap = 0;
}

/* Memory that is grown leaves a copy behind: so it never is, the old one is wiped. */
static int answer_grow(struct cad_engine *e, struct key_session *s)
{
    if (s->answer_cap >= KEYS_LICENCE_MAX) return CAD_E_LIMIT;
    size_t cap = s->answer_cap ? s->answer_cap * 4 : 4096;
    uint8_t *p = cad_alloc_new(&e->alloc, CAD_MIN(cap, KEYS_LICENCE_MAX), CAD_MEM_SESSION);
    if (!p) return CAD_E_NOMEM;
    size_t n = s->answer_n;
    if (n) memcpy(p, s->answer, n);
    keys_answer_wipe(e, s);
    s->answer = p;
    s->answer_n = n;
    s->answer_cap = CAD_MIN(cap, KEYS_LICENCE_MAX);
    return CAD_OK;
}

int keys_lease(struct cad_engine *e, const struct cad_fetch_request *request, size_t want,
               uint8_t **data, size_t *capacity)
{
    struct key_session *s = session_of(e, request);
    if (!s) return CAD_E_STALE;
    int rc = s->answer_n == s->answer_cap ? answer_grow(e, s) : CAD_OK;
    if (rc != 0) return rc;
    *data = s->answer + s->answer_n;
    *capacity = CAD_MIN(want, s->answer_cap - s->answer_n);
    return CAD_OK;
}

int keys_commit(struct cad_engine *e, const struct cad_fetch_request *request, size_t n)
{
    struct key_session *s = session_of(e, request);
    if (!s || n > s->answer_cap - s->answer_n) return CAD_E_STALE;
    s->answer_n += n;
    return CAD_OK;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Licensed manifest 5.7: the service's own form. */
static bool has_envelope(const struct cad_engine *e)
{
    const struct cad_presentation *p = e->manifest.presentation;
    return p && p->format == CAD_FORMAT_LICENSED && p->links.license.n > 0;
}

static cad_str licence_url(const struct cad_engine *e, const struct key_session *s)
{
    const struct cad_presentation *p = e->manifest.presentation;
    if (s->message_url && s->message_url[0]) return cad_str_from(s->message_url);
    if (s->url.n) return s->url;
    if (p && p->links.license.n) return p->links.license;
    return e->config.licence_url;
}

/* [{"drmSessionId":..,"clientTime":..,"challengeBase64":..,"xid":..}] in the turn's text. */
static int envelope(struct cad_engine *e, const struct key_session *s, cad_buf *body)
{
    struct cad_sb sb;
    struct cad_jsonw w;
    char id[16];
    size_t cap = cad_base64_encoded_size(s->message_n);
    char *text = cad_alloc_new(&e->alloc, cap + 1, CAD_MEM_SESSION);
    size_t n = 0;
    if (!text) return CAD_E_NOMEM;
    int rc = cad_base64_encode((cad_buf){s->message, s->message_n}, 0, text, cap, &n);
    cad_sb_init(&sb, &e->alloc, CAD_MEM_SESSION, 2 * KEYS_MESSAGE_MAX);
    cad_jsonw_init(&w, &sb);
    cad_jsonw_array(&w);
    cad_jsonw_object(&w);
    size_t id_n = cad_str_copyz(id, sizeof(id), CAD_STR("s"));
    struct cad_sb number;
    cad_sb_init_fixed(&number, id + id_n, sizeof(id) - id_n);
    cad_sb_u64(&number, s->id);
    (void)cad_sb_z(&number);
    cad_jsonw_key_string(&w, "drmSessionId", cad_str_from(id));
    cad_jsonw_key_i64(&w, "clientTime", engine_wall_ms(e) / 1000);
    cad_jsonw_key_string(&w, "challengeBase64", cad_str_make(text, n));
    cad_jsonw_key_string(&w, "xid", cad_str_from(e->manifest.xid));
    cad_jsonw_end(&w);
    cad_jsonw_end(&w);
    if (rc == 0) rc = cad_jsonw_error(&w);
    char *p = rc == 0 ? engine_text(e, cad_sb_str(&sb)) : NULL;
    if (rc == 0 && !p) rc = CAD_E_AGAIN;
    *body = (cad_buf){(const uint8_t *)p, p ? cad_sb_str(&sb).n : 0};
    cad_sb_deinit(&sb);
    cad_alloc_free(&e->alloc, text, cap + 1, CAD_MEM_SESSION);
    return rc;
}

int keys_post_body(struct cad_engine *e, const struct cad_fetch_request *request, cad_buf *body)
{
    const struct key_session *s = session_of(e, request);
    if (!s) return CAD_E_STALE;
    if (has_envelope(e)) return envelope(e, s, body);
    *body = (cad_buf){s->message, s->message_n};
    return CAD_OK;
}

/* Bodies of other systems are not for us to name. */
static cad_str body_type(const struct cad_engine *e, cad_buf body)
{
    if (has_envelope(e)) return CAD_STR("application/json");
    return body.n && body.p[0] == '{' ? CAD_STR("application/json")
                                      : CAD_STR("application/octet-stream");
}

static int start(struct cad_engine *e, struct key_session *s, cad_str url)
{
    struct cad_fetch_request *request = s->request;
    struct target *target = request_target(request);
    struct cad_header *type = engine_headers(e, 1);
    cad_buf body = {NULL, 0};
    char *place = type ? engine_text(e, url) : NULL;
    int rc = place ? keys_post_body(e, request, &body) : CAD_E_AGAIN;
    if (rc != 0) return rc;
    cad_fetch_start(e->fetch, request, 0, e->now);
    target->head = target->ended = target->discard = target->range_wrong = false;
    s->answer_n = 0;
    struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_START);
    if (!action) return CAD_E_AGAIN;
    *type = (struct cad_header){CAD_STR("Content-Type"), body_type(e, body)};
    struct cad_http_start *out = &action->u.start;
    out->id = request->id;
    out->purpose = CAD_PURPOSE_LICENCE;
    out->post = true;
    out->url = cad_str_make(place, url.n);
    out->headers = type;
    out->header_count = 1;
    out->body = body;
    out->range = (struct cad_range){-1, -1};
    out->size_max = KEYS_LICENCE_MAX;
    out->priority = 0;
    out->deadline = e->now;
    out->connect_timeout = 3 * CAD_SECOND;
    out->silence_timeout = cad_fetch_silence_limit(request, 0);
    /* The application's own word is not the manifest's: it may name a place farther in. */
    bool own = url.p == e->config.licence_url.p;
    out->address_max = own ? CAD_ADDRESS_UNKNOWN : redirect_address_max(e, CAD_PURPOSE_LICENCE);
    redirect_begin(e, target, out);
    engine_decide(e, "request licence id=%u session=%u attempt=%u", request->id, s->id,
                  request->attempts);
    return CAD_OK;
}

/* A licence that is at hand: the application's, or the one that came with the manifest. */
static cad_buf at_hand(const struct cad_engine *e)
{
    const struct cad_presentation *p = e->manifest.presentation;
    if (e->config.licence.n) return e->config.licence;
    return p ? p->licence : (cad_buf){NULL, 0};
}

static void give(struct cad_engine *e, struct key_session *s, cad_buf licence)
{
    struct cad_cdm_call *c = keys_call_update(e, s);
    if (c) c->data = licence;
}

/* It was for more time, which did not come: the keys go on until they end. */
static bool keys_go_on(struct cad_engine *e, struct key_session *s, enum cad_error_code code)
{
    if (s->key_count == 0) return false;
    s->state = KEY_SESSION_ACTIVE;
    e->keys.dirty = true;
    if (code != CAD_ERR_DRM_LICENCE_NET || s->asked_again) return true;
    s->renew_at = cad_time_add(e->now, KEYS_RENEW_RETRY);
    return true;
}

static void fail(struct cad_engine *e, struct key_session *s, enum cad_error_code code)
{
    struct cad_error err;
    e->keys.failed++;
    if (keys_go_on(e, s, code)) return;
    cad_error_init(&err, code);
    keys_session_dead(e, s, &err);
}

void keys_ask(struct cad_engine *e, struct key_session *s)
{
    cad_buf ready = at_hand(e);
    if (ready.n && !s->hand_tried) {
        struct cad_cdm_call *c = keys_call_update(e, s);
        if (!c) return;
        c->data = ready;
        s->hand_tried = true;
        return;
    }
    cad_str url = licence_url(e, s);
    if (url.n == 0 || url.n > ENGINE_URL_MAX) {
        fail(e, s, CAD_ERR_DRM_LICENCE_NET);
        if (s->state != KEY_SESSION_DEAD) return;
        engine_error(&s->error, CAD_ERR_DRM_LICENCE_NET, "%s",
                     url.n ? "the licence service's URL is too long"
                           : "nobody says where licences are given");
        return;
    }
    if (!s->request) {
        s->request = request_new(e, CAD_PURPOSE_LICENCE, -1);
        s->asked_at = e->now;
    }
    struct cad_fetch_request *request = s->request;
    if (!request) {
        e->more = true;
        return;
    }
    if (request->state == CAD_FETCH_IN_FLIGHT) return;
    if (request->state == CAD_FETCH_WAITING && request->not_before > e->now) return;
    if (!e->online || cad_ring_space(&e->actions) < 16) return;
    int rc = start(e, s, url);
    if (rc == CAD_E_AGAIN) e->more = true;
    else if (rc == CAD_E_NOMEM) fail(e, s, CAD_ERR_OUT_OF_MEMORY);
    else if (rc != 0) fail(e, s, CAD_ERR_DRM_LICENCE_BAD);
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* The first string of that name in an answer, escapes not undone; empty: there is none. */
static cad_str member(cad_buf body, const char *name)
{
    struct cad_json j;
    cad_json_init(&j, cad_str_make((const char *)body.p, body.n), NULL);
    for (int i = 0; i < ENVELOPE_TOKENS; i++) {
        enum cad_json_type type = cad_json_next(&j);
        if (type == CAD_JSON_END || type == CAD_JSON_ERROR) break;
        if (type != CAD_JSON_KEY || !cad_json_key_is(&j, name)) continue;
        if (cad_json_next(&j) == CAD_JSON_STRING) return cad_json_raw(&j);
    }
    return CAD_STR("");
}

/* The licence out of its envelope, in place. CAD_E_DATA: there is none. */
static int open_envelope(const struct cad_engine *e, struct key_session *s)
{
    if (!has_envelope(e)) return s->answer_n ? CAD_OK : CAD_E_DATA;
    cad_str text = member((cad_buf){s->answer, s->answer_n}, "licenseResponseBase64");
    size_t n = 0;
    if (text.n == 0) return CAD_E_DATA;
    /* Three bytes for each four characters: what is written never overtakes what is read. */
    memmove(s->answer, text.p, text.n);
    int rc = cad_base64_decode(cad_str_make((const char *)s->answer, text.n), CAD_BASE64_ANY,
                               s->answer, s->answer_cap, &n);
    if (rc != 0 || n == 0) return CAD_E_DATA;
    cad_wipe(s->answer + n, s->answer_cap - n);
    s->answer_n = n;
    return CAD_OK;
}

/* What the service says for people, without what a terminal would obey. */
static void take_words(const struct key_session *s, struct cad_error *err)
{
    cad_str words = member((cad_buf){s->answer, s->answer_n}, "message");
    char text[96];
    size_t n = cad_str_copyz(text, sizeof(text), words);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < 32 || (unsigned char)text[i] == 127) text[i] = ' ';
    }
    if (n) engine_error(err, err->code, "%s: %s", cad_error_text(err->code), text);
}

static void over(struct cad_engine *e, struct key_session *s)
{
    struct target *target = request_target(s->request);
    redirect_forget(e, target);
    target->used = false;
    cad_fetch_end(e->fetch, s->request);
    s->request = NULL;
}

void keys_end(struct cad_engine *e, struct cad_fetch_request *request,
              const struct cad_http_end *end)
{
    struct key_session *s = session_of(e, request);
    const struct target *target = request_target(request);
    const struct cad_http_head *head = &target->head_data;
    int32_t status = request->status;
    uint32_t id = request->id;
    if (!s) return;
    bool whole = target->head && (head->length < 0 || (int64_t)s->answer_n == head->length);
    if (end->cls == CAD_HTTP_OK && status >= 200 && status < 300 && whole) {
        facts_transfer(e, request, end, CAD_ERR_NONE);
        e->keys.licence_time = e->now - s->asked_at;
        over(e, s);
        if (open_envelope(e, s) != 0) {
            keys_answer_wipe(e, s);
            fail(e, s, CAD_ERR_DRM_LICENCE_BAD);
            return;
        }
        e->keys.licences++;
        give(e, s, (cad_buf){s->answer, s->answer_n});
        return;
    }
    enum cad_failure failure = request_failure(end, status);
    if (end->cls == CAD_HTTP_OK && status >= 200 && status < 300) failure = CAD_FAIL_RESET;
    struct cad_error err;
    struct cad_verdict verdict = request_fail(e, request, failure, head->retry_after, 1);
    cad_error_init(&err, verdict.error);
    if (end->cls == CAD_HTTP_TOO_LARGE) cad_error_init(&err, CAD_ERR_DRM_LICENCE_BAD);
    facts_transfer(e, request, end, verdict.error);
    if (verdict.kind == CAD_VERDICT_WAIT || verdict.kind == CAD_VERDICT_OTHER_SERVER) return;
    err.request = id;
    err.http_status = status;
    err.edge_code = end->edge_code;
    err.attempts = request->attempts;
    if (err.code == CAD_ERR_DRM_LICENCE_DENIED) take_words(s, &err);
    e->keys.failed++;
    over(e, s);
    if (!keys_go_on(e, s, err.code)) keys_session_dead(e, s, &err);
}

static bool has_one_of_its_kids(const struct key_session *s)
{
    for (uint32_t i = 0; i < s->kid_count; i++) {
        for (uint32_t k = 0; k < s->key_count; k++) {
            if (memcmp(s->kids[i], s->keys[k].kid, CAD_KEY_ID_SIZE) == 0) return true;
        }
    }
    return s->kid_count == 0;
}

void keys_updated(struct cad_engine *e, struct key_session *s, const struct cad_cdm_event *done)
{
    bool was_at_hand = s->answer == NULL;
    keys_answer_wipe(e, s);
    bool useless = done->result != 0 || (was_at_hand && !has_one_of_its_kids(s));
    if (!useless) {
        s->state = KEY_SESSION_ACTIVE;
        return;
    }
    if (was_at_hand && licence_url(e, s).n > 0) {
        s->state = KEY_SESSION_WAITING; /* it is of no use to it: the service is asked */
        e->more = true;
        return;
    }
    if (s->key_count || done->result == 0) {
        s->state = KEY_SESSION_ACTIVE; /* a licence that is refused leaves the keys as they were */
        return;
    }
    fail(e, s, done->result == CAD_E_LIMIT ? CAD_ERR_DRM_LIMIT : CAD_ERR_DRM_LICENCE_BAD);
}
