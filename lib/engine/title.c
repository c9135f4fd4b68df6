/*
 * The title: from a LOAD command to a presentation, and fresh URLs before the old ones expire.
 *
 * Level-triggered: every turn looks at what there is (presentation, request, parser) and takes the
 * next step. A refresh that fails leaves the old model standing.
 */
#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "engine/session.h"
#include "manifest/manifest.h"

/* ---- load and stop ---- */

static void body_reset(struct cad_engine *e)
{
    struct body *b = &e->manifest.body;
    if (e->keys.has_cdm) cad_wipe(b->p, b->n); /* there may have been a licence in it */
    cad_alloc_free(&e->alloc, b->p, b->cap, CAD_MEM_MANIFEST);
    memset(b, 0, sizeof(*b));
}

static void presentation_drop(struct cad_engine *e)
{
    struct cad_presentation *p = e->manifest.presentation;
    if (p) cad_wipe((void *)(uintptr_t)p->licence.p, p->licence.n);
    cad_presentation_destroy(&e->manifest.presentation);
}

void title_stop(struct cad_engine *e)
{
    struct manifest_part *m = &e->manifest;
    facts_stop(e);
    slots_clear(e);
    keys_stop(e);
    words_stop(e);
    if (m->request) request_drop(e, m->request);
    cad_manifest_parser_destroy(&m->parser);
    presentation_drop(e);
    body_reset(e);
    cad_alloc_free(&e->alloc, m->title_text, m->title_text_size, CAD_MEM_SESSION);
    cad_alloc_free(&e->alloc, m->moved_url, m->moved_url_size, CAD_MEM_SESSION);
    memset(m, 0, sizeof(*m));
    m->refresh_at = m->refreshed_at = m->duration = CAD_TIME_NONE;
    e->clock.seek_pending = false;
    e->clock.stalled = false;
    e->clock.has_anchor = false;
}

static int keep_title(struct cad_engine *e, const struct cad_title *from)
{
    struct manifest_part *m = &e->manifest;
    size_t n = from->url.n + from->base.n + from->id.n + 1;
    m->title_text = cad_alloc_new(&e->alloc, n, CAD_MEM_SESSION);
    if (!m->title_text) return CAD_E_NOMEM;
    m->title_text_size = n;
    m->title = *from;
    cad_str *parts[] = {&m->title.url, &m->title.base, &m->title.id};
    char *at = m->title_text;
    for (size_t i = 0; i < CAD_ARRAY_LEN(parts); i++) {
        if (parts[i]->n) memcpy(at, parts[i]->p, parts[i]->n);
        parts[i]->p = at;
        at += parts[i]->n;
    }
    return CAD_OK;
}

/* File names that are media by themselves; anything else is asked for whole and looked at. */
static bool named_as_mp4(cad_str url)
{
    static const char *const endings[] = {".mp4", ".m4v", ".m4a", ".m4s", ".cmfv", ".cmfa", ".mov"};
    struct cad_uri uri;
    if (cad_uri_parse(url, &uri) != 0) return false;
    for (size_t i = 0; i < CAD_ARRAY_LEN(endings); i++) {
        cad_str ending = cad_str_from(endings[i]);
        if (uri.path.n < ending.n) continue;
        cad_str tail = cad_str_sub(uri.path, uri.path.n - ending.n, ending.n);
        if (cad_str_ieq(tail, ending)) return true;
    }
    return false;
}

static bool check_title(const struct cad_title *t, struct cad_error *err)
{
    struct cad_uri uri;
    cad_str url = t->url.n ? t->url : t->base;
    if (url.n == 0 || (!t->url.n && !t->id.n) || cad_uri_parse(url, &uri) != 0) {
        cad_error_init(err, CAD_ERR_TITLE_INVALID);
        return false;
    }
    bool file = cad_str_ieq(uri.scheme, CAD_STR("file"));
    if (!cad_uri_is_http(&uri) && !(file && t->url.n)) {
        engine_error(err, CAD_ERR_SCHEME_REFUSED, "the URL scheme \"%.*s\" is not allowed",
                     (int)CAD_MIN(uri.scheme.n, 20), uri.scheme.n ? uri.scheme.p : "");
        return false;
    }
    return true;
}

static void reset_clock(struct cad_engine *e, cad_time start)
{
    struct clock_part *c = &e->clock;
    if (start == CAD_TIME_NONE || start < 0) start = 0;
    clock_begin(e, CAD_MIN(start, ENGINE_POSITION_MAX));
    c->first_ever = false;
    c->stall_time = 0;
    c->stalls = 0;
    c->startup = CAD_TIME_NONE;
    c->loaded_at = e->now;
    c->anchor_nudges = 0;
    e->last_failure_at = CAD_TIME_NONE;
    e->buffer_ahead = e->config.buffer_ahead;
}

static bool same_title(const struct cad_title *a, const struct cad_title *b)
{
    return cad_str_eq(a->url, b->url) && cad_str_eq(a->base, b->base) && cad_str_eq(a->id, b->id);
}

/* The title that was prepared is to be played: all that came is kept. */
static void promote(struct cad_engine *e, const struct cad_command *command)
{
    struct manifest_part *m = &e->manifest;
    cad_time start = command->title.start;
    m->prepared = false;
    m->ticket = command->ticket;
    e->clock.loaded_at = e->clock.progress_at = e->now;
    engine_decide(e, "promote");
    /* Nothing was pulled: the epoch that PREPARE began is as good as a new one. */
    start = start == CAD_TIME_NONE ? e->clock.position
                                   : CAD_MIN(CAD_MAX(start, 0), ENGINE_POSITION_MAX);
    if (start != e->clock.position) {
        if (!lanes_fit(e, start)) slots_clear(e);
        clock_begin(e, start);
    }
    if (e->slots[0].present || e->slots[1].present) (void)engine_app(e, CAD_APP_LOADED);
}

/* Is a title played, or about to be? */
static bool is_busy(const struct cad_engine *e)
{
    if (!e->manifest.loaded || e->manifest.prepared) return false;
    return e->clock.state == CAD_STATE_LOADING || e->clock.state == CAD_STATE_BUFFERING ||
           e->clock.state == CAD_STATE_PLAYING || e->clock.state == CAD_STATE_PAUSED;
}

void title_load(struct cad_engine *e, const struct cad_command *command)
{
    struct manifest_part *m = &e->manifest;
    struct cad_error err;
    bool prepare = command->type == CAD_COMMAND_PREPARE;
    if (!prepare && m->prepared && e->clock.state != CAD_STATE_FAILED &&
        same_title(&m->title, &command->title)) {
        promote(e, command);
        return;
    }
    if (prepare && is_busy(e)) {
        struct cad_app_event *app = engine_app(e, CAD_APP_ERROR);
        if (!app) return;
        app->ticket = command->ticket;
        cad_error_init(&app->error, CAD_ERR_PREPARE_BUSY);
        return;
    }
    if (m->loaded) title_stop(e);
    memset(e->closed, 0, sizeof(e->closed));
    e->refreshes = 0;
    memset(e->wishes, 0, sizeof(e->wishes));
    words_stop(e);
    e->keys.licences = e->keys.failed = 0;
    e->keys.licence_time = CAD_TIME_NONE;
    m->loaded = true;
    m->prepared = prepare;
    m->ticket = command->ticket;
    reset_clock(e, command->title.start);
    engine_set_state(e, CAD_STATE_LOADING, "load");
    if (keep_title(e, &command->title) != 0) {
        cad_error_init(&err, CAD_ERR_OUT_OF_MEMORY);
        engine_fail(e, &err);
        return;
    }
    if (!check_title(&m->title, &err)) {
        err.phase = CAD_PHASE_MANIFEST;
        engine_fail(e, &err);
        return;
    }
    m->from_mp4 = m->title.url.n && named_as_mp4(m->title.url);
    engine_decide(e, "%s kind=%s", prepare ? "prepare" : "load",
                  m->from_mp4 ? "mp4" : m->title.url.n ? "manifest" : "service");
}

/* ---- the request ---- */

static int service_url(struct cad_engine *e, const struct cad_fetch_request *request,
                       struct cad_licensed_request *ask, cad_str *profiles)
{
    struct manifest_part *m = &e->manifest;
    /* Only what the sink decodes is claimed; before it has said what that is, everything. */
    uint32_t codecs = e->has_caps ? e->caps.codecs : UINT32_MAX;
    uint32_t profile_count = cad_licensed_profiles(codecs, profiles, CAD_LICENSED_PROFILES_MAX);
    if (e->keys.has_cdm) {
        profile_count += cad_licensed_profiles_protected(codecs, profiles + profile_count,
                                                         CAD_LICENSED_PROFILES_MAX);
    }
    if (profile_count == 0) return CAD_E_UNSUPPORTED;
    if (!m->xid[0] && !engine_draw(e, 8, m->xid)) return CAD_E_AGAIN;
    if (!m->req_id[0] && !engine_draw(e, 16, m->req_id)) return CAD_E_AGAIN;
    memset(ask, 0, sizeof(*ask));
    ask->base = m->title.base;
    ask->viewable_id = m->title.id;
    ask->xid = cad_str_from(m->xid);
    ask->req_id = cad_str_from(m->req_id);
    /* Of the attempt that is under way, or of the one that is about to be. */
    ask->attempt = m->asked + request->attempts + (request->state != CAD_FETCH_IN_FLIGHT);
    ask->refresh = m->presentation != NULL;
    ask->prefetch = m->prepared;
    ask->profiles = profiles;
    ask->profile_count = profile_count;
    ask->app_name = e->config.app_name;
    ask->app_version = e->config.app_version;
    ask->platform = e->config.platform;
    ask->language = e->config.language;
    ask->id = (int64_t)e->turns;
    return CAD_OK;
}

/* Write the URL and body of a service request into the turn's text. */
static int service_text(struct cad_engine *e, struct cad_fetch_request *request, cad_str *url,
                        cad_buf *body)
{
    struct cad_licensed_request ask;
    cad_str profiles[2 * CAD_LICENSED_PROFILES_MAX];
    struct cad_sb sb;
    int rc = service_url(e, request, &ask, profiles);
    if (rc != 0) return rc;
    cad_sb_init(&sb, &e->alloc, CAD_MEM_SESSION, 2 * ENGINE_URL_MAX);
    rc = cad_licensed_request_url(&ask, &sb);
    if (rc == 0) {
        char *p = engine_text(e, cad_sb_str(&sb));
        *url = cad_str_make(p, p ? cad_sb_str(&sb).n : 0);
        if (!p) rc = CAD_E_AGAIN;
    }
    cad_sb_reset(&sb);
    if (rc == 0) rc = cad_licensed_request_body(&ask, &sb);
    if (rc == 0) {
        char *p = engine_text(e, cad_sb_str(&sb));
        *body = (cad_buf){(const uint8_t *)p, p ? cad_sb_str(&sb).n : 0};
        if (!p) rc = CAD_E_AGAIN;
    }
    cad_sb_deinit(&sb);
    return rc;
}

int title_post_body(struct cad_engine *e, struct cad_fetch_request *request, cad_buf *body)
{
    cad_str url;
    return service_text(e, request, &url, body);
}

static int start_request(struct cad_engine *e)
{
    static const struct cad_header json[] = {
        {CAD_STR_INIT("Content-Type"), CAD_STR_INIT("application/json")}};
    struct manifest_part *m = &e->manifest;
    struct cad_fetch_request *request = m->request;
    cad_str url = m->title.url;
    cad_buf body = {NULL, 0};
    bool post = url.n == 0;
    if (post) {
        int rc = service_text(e, request, &url, &body);
        if (rc != 0) return rc;
    }
    m->body.n = 0;
    cad_fetch_start(e->fetch, request, 0, e->now);
    struct target *target = request_target(request);
    target->head = target->ended = target->discard = target->range_wrong = false;
    struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_START);
    if (!action) return CAD_E_LIMIT;
    struct cad_http_start *start = &action->u.start;
    start->id = request->id;
    start->purpose = request->purpose;
    start->post = post;
    start->url = url;
    start->headers = json;
    start->header_count = post ? 1 : 0;
    start->body = body;
    start->range = (struct cad_range){-1, -1};
    start->size_max = ENGINE_MANIFEST_MAX;
    start->priority = 0;
    start->deadline = e->now;
    start->connect_timeout = 3 * CAD_SECOND;
    start->silence_timeout = cad_fetch_silence_limit(request, 0);
    start->address_max = redirect_address_max(e, request->purpose);
    redirect_begin(e, target, start);
    engine_decide(e, "request %s id=%u attempt=%u", cad_purpose_name(request->purpose), request->id,
                  request->attempts);
    if (request->purpose == CAD_PURPOSE_MANIFEST && request->attempts == 1) warm_title(e, url);
    return CAD_OK;
}

int title_lease(struct cad_engine *e, size_t want, uint8_t **data, size_t *capacity)
{
    struct body *b = &e->manifest.body;
    if (b->n == b->cap) {
        if (b->cap >= ENGINE_MANIFEST_MAX) return CAD_E_LIMIT;
        size_t cap = b->cap ? CAD_MIN(b->cap * 2, ENGINE_MANIFEST_MAX) : 16384;
        uint8_t *p = cad_alloc_resize(&e->alloc, b->p, b->cap, cap, CAD_MEM_MANIFEST);
        if (!p) return CAD_E_NOMEM;
        b->p = p;
        b->cap = cap;
    }
    *data = b->p + b->n;
    *capacity = CAD_MIN(want, b->cap - b->n);
    return CAD_OK;
}

/* ---- failure ---- */

static void refresh_failed(struct cad_engine *e, const struct cad_error *err)
{
    struct manifest_part *m = &e->manifest;
    m->refresh_failures++;
    m->refresh_error = *err;
    m->refreshed_at = e->now;
    m->refresh_at = cad_time_add(e->now, ENGINE_REFRESH_SPACING);
    engine_decide(e, "refresh failed count=%u code=%s", m->refresh_failures,
                  cad_error_name(err->code));
    struct cad_error degraded = *err;
    degraded.cls = CAD_ERROR_DEGRADED;
    engine_fail(e, &degraded);
}

static void manifest_failed(struct cad_engine *e, const struct cad_error *err)
{
    struct manifest_part *m = &e->manifest;
    bool refresh = m->presentation != NULL;
    if (m->request) request_drop(e, m->request);
    cad_manifest_parser_destroy(&m->parser);
    body_reset(e);
    m->req_id[0] = '\0';
    m->asked = 0;
    m->refresh_wanted = false;
    if (refresh) {
        refresh_failed(e, err);
    } else {
        engine_fail(e, err);
    }
}

static void start_parser(struct cad_engine *e)
{
    struct manifest_part *m = &e->manifest;
    struct cad_manifest_options options;
    cad_manifest_options_init(&options);
    options.alloc = e->alloc;
    options.log = e->config.log;
    options.base_url = m->title.url.n ? m->title.url : m->title.base;
    if (m->moved_url) options.base_url = cad_str_from(m->moved_url);
    options.now_ms = engine_wall_ms(e);
    options.allow_http = e->config.allow_http;
    options.allow_drm = e->keys.has_cdm;
    if (cad_manifest_parser_create(&options, &m->parser) == 0) {
        e->more = true;
        return;
    }
    struct cad_error err;
    cad_error_init(&err, CAD_ERR_OUT_OF_MEMORY);
    err.phase = m->presentation ? CAD_PHASE_REFRESH : CAD_PHASE_MANIFEST;
    manifest_failed(e, &err);
}

void title_end(struct cad_engine *e, struct cad_fetch_request *request,
               const struct cad_http_end *end)
{
    struct manifest_part *m = &e->manifest;
    const struct target *target = request_target(request);
    const struct cad_http_head *head = &target->head_data;
    int32_t status = request->status;
    bool whole = head->length < 0 || (int64_t)m->body.n == head->length;
    if (target->head) m->http_version = head->http_version;
    if (end->cls == CAD_HTTP_OK && status >= 200 && status < 300 && whole) {
        struct cad_uri uri;
        cad_str origin = m->title.url.n ? m->title.url : m->title.base;
        if (head->date_ms > 0 && cad_uri_parse(origin, &uri) == 0 && cad_uri_is_https(&uri)) {
            e->wall_offset_ms = head->date_ms - e->now / CAD_MS;
            e->has_wall = e->wall_from_server = true;
        }
        m->asked += request->attempts;
        m->address = head->address;
        redirect_take_url(e, request_target(request));
        cad_fetch_end(e->fetch, request);
        m->request = NULL;
        start_parser(e);
        return;
    }
    enum cad_failure failure = request_failure(end, status);
    if (end->cls == CAD_HTTP_OK && status >= 200 && status < 300) failure = CAD_FAIL_RESET;
    uint32_t attempts = m->asked + request->attempts;
    uint32_t id = request->id;
    struct cad_verdict verdict = request_fail(e, request, failure, head->retry_after, 1);
    if (verdict.kind == CAD_VERDICT_WAIT || verdict.kind == CAD_VERDICT_OTHER_SERVER) return;
    struct cad_error err;
    cad_error_init(&err, end->cls == CAD_HTTP_BAD_FILE ? CAD_ERR_FILE_UNREADABLE : verdict.error);
    err.phase = m->presentation ? CAD_PHASE_REFRESH : CAD_PHASE_MANIFEST;
    err.request = id;
    err.http_status = status;
    err.edge_code = end->edge_code;
    err.attempts = attempts;
    manifest_failed(e, &err);
}

/* ---- success ---- */

static int set_servers(struct cad_engine *e, const struct cad_presentation *p)
{
    struct cad_steer_server list[CAD_STEER_SERVERS_MAX];
    uint32_t count = CAD_MIN(p->server_count, CAD_STEER_SERVERS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct cad_server *s = &p->servers[i];
        list[i] = (struct cad_steer_server){.id = s->id, .host = s->host,
                                            .location_rank = s->location_rank, .level = s->level,
                                            .rank = s->rank, .weight = s->weight,
                                            .lowgrade = s->lowgrade};
    }
    return cad_steer_set_servers(e->steer, list, count);
}

/* How long before expiry a URL counts as stale: a minute, less where URLs live shortly. */
static int64_t stale_margin_ms(int64_t life_ms)
{
    return CAD_MIN(ENGINE_STALE_MARGIN_MS, life_ms > 0 ? life_ms / 4 : 0);
}

static void set_refresh_time(struct cad_engine *e)
{
    struct manifest_part *m = &e->manifest;
    int64_t wall = engine_wall_ms(e);
    m->refresh_at = CAD_TIME_NONE;
    m->stale_margin_ms = 0;
    if (m->presentation->expiry_ms <= 0 || wall == 0) return;
    int64_t rest = CAD_MAX(m->presentation->expiry_ms - wall, 0);
    int64_t lead = CAD_MIN(ENGINE_REFRESH_LEAD_MS, rest / 2);
    m->stale_margin_ms = stale_margin_ms(rest);
    cad_time in = cad_mul_sat_i64(rest - lead, CAD_MS);
    m->refresh_at = cad_time_add(e->now, rest ? in : ENGINE_REFRESH_SPACING);
}

static void announce(struct cad_engine *e, bool first)
{
    struct manifest_part *m = &e->manifest;
    if (!first) {
        e->refreshes++;
        (void)engine_app(e, CAD_APP_REFRESHED);
        return;
    }
    cad_time bookmark = m->presentation->bookmark;
    if (m->title.start == CAD_TIME_NONE && bookmark > 0 && !e->clock.seek_pending) {
        clock_begin(e, bookmark);
    }
    cad_time begins = m->presentation->periods[0].start;
    if (e->clock.position < begins) clock_begin(e, begins);
    int64_t target_ms = m->presentation->overrides.buffer_target_ms;
    if (target_ms > 0) e->buffer_ahead = CAD_MAX(target_ms * CAD_MS, 2 * CAD_SECOND);
}

static void install(struct cad_engine *e, struct cad_presentation *fresh)
{
    struct manifest_part *m = &e->manifest;
    struct cad_error err;
    bool first = m->presentation == NULL;
    warm_reset(e);
    cad_error_init(&err, CAD_ERR_OUT_OF_MEMORY);
    if (fresh->live) {
        engine_error(&err, CAD_ERR_MANIFEST_UNSUPPORTED, "live presentations are not played yet");
    }
    if (fresh->live || set_servers(e, fresh) != 0) {
        cad_presentation_destroy(&fresh);
        err.phase = first ? CAD_PHASE_MANIFEST : CAD_PHASE_REFRESH;
        manifest_failed(e, &err);
        return;
    }
    if (fresh->server_time_ms > 0) {
        e->wall_offset_ms = fresh->server_time_ms - e->now / CAD_MS;
        e->has_wall = e->wall_from_server = true;
    }
    if (!first) {
        lanes_rebind(e, fresh);
        words_rebind(e, fresh);
        keys_rebind(e);
    }
    presentation_drop(e);
    m->presentation = fresh;
    if (first) m->duration = fresh->duration;
    m->refresh_wanted = false;
    m->refresh_failures = 0;
    /* The first manifest is no refresh: a refused URL may ask for one at once. */
    m->refreshed_at = first ? cad_time_sub(e->now, ENGINE_REFRESH_SPACING) : e->now;
    m->req_id[0] = '\0';
    m->asked = 0;
    set_refresh_time(e);
    engine_decide(e, "manifest servers=%u periods=%u warnings=%u", fresh->server_count,
                  fresh->period_count, fresh->warnings);
    announce(e, first);
    if (first) facts_title(e);
    probes_title(e);
}

/* The service said no, and that asking again may help: one more attempt of the same request
 * (licensed manifest 3). false: it was asked often enough. */
static bool ask_again(struct cad_engine *e, const struct cad_manifest_error *why)
{
    struct manifest_part *m = &e->manifest;
    if (!why->retryable || m->asked >= ENGINE_ASKED_MAX) return false;
    m->request = request_new(
        e, m->presentation ? CAD_PURPOSE_REFRESH : CAD_PURPOSE_MANIFEST, -1);
    if (!m->request) return false;
    cad_time wait = m->asked > 1 ? 2 * CAD_SECOND : CAD_SECOND / 2;
    if (why->retry_after != CAD_TIME_NONE) {
        wait = CAD_MIN(CAD_MAX(wait, why->retry_after), ENGINE_REFRESH_SPACING);
    }
    m->request->state = CAD_FETCH_WAITING;
    m->request->not_before = cad_time_add(e->now, wait);
    engine_decide(e, "denied attempts=%u wait_ms=%" PRId64, m->asked, wait / CAD_MS);
    cad_manifest_parser_destroy(&m->parser);
    body_reset(e);
    return true;
}

/* Why a document was refused, so that a person knows what is meant: "unclosed token" of what? */
static void parser_failed(const struct cad_manifest_error *why, struct cad_error *err)
{
    enum cad_error_code code = why->code == CAD_ERR_NONE ? CAD_ERR_MANIFEST_BAD : why->code;
    cad_error_init(err, code);
    if (code == CAD_ERR_MANIFEST_BAD && why->line > 0) {
        engine_error(err, code, "the manifest is broken in line %u: %s", why->line, why->message);
    } else if (why->message[0]) {
        cad_str_copyz(err->message, sizeof(err->message), cad_str_from(why->message));
    }
}

static void parse(struct cad_engine *e)
{
    struct manifest_part *m = &e->manifest;
    cad_buf document = {m->body.p, m->body.n};
    int rc = cad_manifest_parser_step(m->parser, document, ENGINE_PARSE_TOKENS);
    if (rc == CAD_E_AGAIN) {
        e->more = true;
        return;
    }
    struct cad_presentation *fresh = NULL;
    if (rc == 0) rc = cad_manifest_parser_take(m->parser, &fresh);
    if (rc == 0) {
        cad_manifest_parser_destroy(&m->parser);
        body_reset(e);
        install(e, fresh);
        return;
    }
    struct cad_manifest_error why;
    struct cad_error err;
    cad_manifest_parser_error(m->parser, &why);
    if (ask_again(e, &why)) return;
    parser_failed(&why, &err);
    err.phase = m->presentation ? CAD_PHASE_REFRESH : CAD_PHASE_MANIFEST;
    err.attempts = m->asked;
    manifest_failed(e, &err);
}

/* A media file needs no manifest: a model of one representation stands in. */
static void model_of_file(struct cad_engine *e)
{
    struct cad_presentation *fresh = NULL;
    int rc = cad_presentation_from_mp4(&e->alloc, e->manifest.title.url, &fresh);
    if (rc == 0) {
        install(e, fresh);
        return;
    }
    struct cad_error err;
    cad_error_init(&err, rc == CAD_E_NOMEM ? CAD_ERR_OUT_OF_MEMORY : CAD_ERR_TITLE_INVALID);
    err.phase = CAD_PHASE_MANIFEST;
    engine_fail(e, &err);
}

/* ---- the turn ---- */

/* When the next refresh is due; CAD_TIME_NONE: not at all. */
static cad_time refresh_due(const struct cad_engine *e)
{
    const struct manifest_part *m = &e->manifest;
    if (m->refresh_failures >= ENGINE_REFRESHES_MAX) return CAD_TIME_NONE;
    if (m->refresh_wanted) return cad_time_add(m->refreshed_at, ENGINE_REFRESH_SPACING);
    bool idle = e->clock.state == CAD_STATE_PAUSED || e->clock.state == CAD_STATE_ENDED;
    return idle ? CAD_TIME_NONE : m->refresh_at;
}

bool title_urls_usable(const struct cad_engine *e)
{
    const struct manifest_part *m = &e->manifest;
    if (!m->presentation) return false;
    if (m->presentation->expiry_ms <= 0 || !e->has_wall) return !m->refresh_wanted;
    return !m->refresh_wanted &&
           engine_wall_ms(e) + m->stale_margin_ms < m->presentation->expiry_ms;
}

/* Is anything left that needs a URL? A title that is held to its end needs no fresh ones. */
static bool refresh_useful(const struct cad_engine *e)
{
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *s = &e->slots[i];
        if (s->present && !queue_at_end(s)) return true;
    }
    return words_wanting(e);
}

static void want_request(struct cad_engine *e)
{
    struct manifest_part *m = &e->manifest;
    enum cad_purpose purpose = CAD_PURPOSE_MANIFEST;
    if (m->presentation) {
        cad_time due = refresh_due(e);
        if (due == CAD_TIME_NONE || due > e->now || !refresh_useful(e)) return;
        purpose = CAD_PURPOSE_REFRESH;
    }
    m->request = request_new(e, purpose, -1);
    if (!m->request) e->more = true;
}

static void pump_request(struct cad_engine *e)
{
    struct manifest_part *m = &e->manifest;
    struct cad_fetch_request *request = m->request;
    enum cad_manifest_format format;
    if (request->state == CAD_FETCH_IN_FLIGHT) {
        cad_buf head = {m->body.p, m->body.n};
        if (request->status / 100 == 2 && head.n && !m->presentation &&
            cad_manifest_sniff(head, &format) == 0 && format == CAD_FORMAT_MP4) {
            request_drop(e, request);
            body_reset(e);
            m->from_mp4 = true;
            e->more = true;
        }
        return;
    }
    if (request->state == CAD_FETCH_WAITING && request->not_before > e->now) return;
    int rc = start_request(e);
    if (rc == 0) return;
    struct cad_error err;
    cad_error_init(&err, rc == CAD_E_NOMEM ? CAD_ERR_OUT_OF_MEMORY : CAD_ERR_TITLE_INVALID);
    if (rc == CAD_E_AGAIN) { /* entropy or text is missing this turn */
        if (e->now - request->created < ENGINE_ENTROPY_LIMIT) return;
        engine_error(&err, CAD_ERR_LIMIT, "no entropy came for the request's id");
    }
    if (rc == CAD_E_UNSUPPORTED) cad_error_init(&err, CAD_ERR_MEDIA_CODEC);
    err.phase = m->presentation ? CAD_PHASE_REFRESH : CAD_PHASE_MANIFEST;
    manifest_failed(e, &err);
}

void title_turn(struct cad_engine *e)
{
    struct manifest_part *m = &e->manifest;
    if (m->parser) {
        parse(e);
    } else if (m->from_mp4) {
        if (!m->presentation) model_of_file(e);
    } else if (!m->request) {
        want_request(e);
    }
    if (m->request && e->clock.state != CAD_STATE_FAILED) pump_request(e);
    if (!m->presentation || e->clock.state == CAD_STATE_FAILED || !e->has_caps) return;
    if (e->slots[0].present || e->slots[1].present) return;
    int rc = lanes_select(e);
    if (rc == 0) return;
    struct cad_error err;
    cad_error_init(&err, rc == CAD_E_NOMEM ? CAD_ERR_OUT_OF_MEMORY : CAD_ERR_MANIFEST_NO_MEDIA);
    if (rc == CAD_E_UNSUPPORTED) cad_error_init(&err, CAD_ERR_MEDIA_CODEC);
    err.phase = CAD_PHASE_MANIFEST;
    engine_fail(e, &err);
}

cad_time title_next_wake(const struct cad_engine *e)
{
    const struct manifest_part *m = &e->manifest;
    if (m->request && m->request->state == CAD_FETCH_READY) {
        return cad_time_add(m->request->created, ENGINE_ENTROPY_LIMIT);
    }
    if (!m->presentation || m->request || m->parser || !refresh_useful(e)) return CAD_TIME_NONE;
    return refresh_due(e);
}
