#include "mock/mock_origin.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "mock/mock_internal.h"
#include "mock/mock_ttml.h"

#define LICENCE_SLOW_MS_MAX 600000

/* ---- answers --------------------------------------------------------------------------------- */

void mock_answer_text(struct mock_origin *origin, struct cad_origin_answer *answer, int32_t status,
                      const char *content_type)
{
    cad_str text = cad_sb_str(&origin->body);
    answer->status = status;
    answer->content_type = content_type;
    answer->body = cad_buf_from_str(text);
    answer->body_size = (int64_t)text.n;
}

void mock_answer_status(struct mock_origin *origin, struct cad_origin_answer *answer,
                        int32_t status, const char *text)
{
    cad_sb_reset(&origin->body);
    cad_sb_putz(&origin->body, text);
    cad_sb_putc(&origin->body, '\n');
    mock_answer_text(origin, answer, status, "text/plain");
}

static void add_header(struct cad_origin_answer *answer, const char *name, const char *value)
{
    struct cad_header *header = &answer->headers[answer->header_count++];
    header->name = cad_str_from(name);
    header->value = cad_str_from(value);
}

static bool is_get(const struct cad_origin_request *request)
{
    return cad_str_eqz(request->method, "GET") || cad_str_eqz(request->method, "HEAD");
}

static void refuse_method(struct mock_origin *origin, struct cad_origin_answer *answer,
                          const char *allowed)
{
    mock_answer_status(origin, answer, 405, "method not allowed");
    add_header(answer, "Allow", allowed);
}

/* ---- bodies of media ------------------------------------------------------------------------- */

static int body_read(void *token, int64_t offset, size_t n, uint8_t *out, size_t *done)
{
    const struct mock_body *body = token;
    if (offset < 0 || offset >= body->size) {
        *done = 0;
        return offset == body->size ? 0 : CAD_E_INVAL;
    }
    size_t left = (size_t)CAD_MIN(body->size - offset, (int64_t)n);
    return body->asset->read(body->asset->ctx, body->first + offset, left, out, done);
}

static void body_release(void *token)
{
    struct mock_body *body = token;
    body->next = body->origin->free_bodies;
    body->origin->free_bodies = body;
}

/* Bodies are used again: in steady state a request takes no memory. */
static struct mock_body *body_take(struct mock_origin *origin)
{
    struct mock_body *body = origin->free_bodies;
    if (body) {
        origin->free_bodies = body->next;
        return body;
    }
    return cad_alloc_new(&origin->alloc, sizeof *body, CAD_MEM_OTHER);
}

static const char *asset_content_type(const struct mock_asset *asset)
{
    if (asset->type == CAD_MEDIA_TEXT) return MOCK_TTML_TYPE;
    return asset->type == CAD_MEDIA_AUDIO ? "audio/mp4" : "video/mp4";
}

static int answer_asset(struct mock_origin *origin, const struct mock_asset *asset,
                        struct cad_range range, struct cad_origin_answer *answer)
{
    struct mock_body *body = body_take(origin);
    if (!body) return CAD_E_NOMEM;
    *body = (struct mock_body){.origin = origin, .asset = asset, .first = range.first};
    body->size = range.last - range.first + 1;
    answer->status = 200;
    answer->content_type = asset_content_type(asset);
    answer->body_size = body->size;
    answer->read = body_read;
    answer->release = body_release;
    answer->token = body;
    return 0;
}

static void answer_bad_range(struct mock_origin *origin, const struct mock_asset *asset,
                             struct cad_origin_answer *answer)
{
    mock_answer_status(origin, answer, 416, "range not satisfiable");
    (void)snprintf(origin->range_text, sizeof origin->range_text, "bytes */%lld",
                   (long long)asset->size_bytes);
    add_header(answer, "Content-Range", origin->range_text);
}

/* ---- media requests -------------------------------------------------------------------------- */

/* A media URL taken apart. */
struct media_url {
    struct mock_signed parts;
    cad_str signature;
    bool has_range;          /* in the path */
    cad_str range_text;      /* "START-END" */
};

/* Takes name=value from the front of the query; a value ends at "&", the last one at the end. */
static bool take_field(cad_str *query, const char *name, bool last, cad_str *value)
{
    size_t n = strlen(name);
    if (query->n <= n || memcmp(query->p, name, n) != 0 || query->p[n] != '=') return false;
    cad_str rest = cad_str_sub(*query, n + 1, query->n);
    ptrdiff_t end = cad_str_find_char(rest, '&');
    if ((end < 0) != last) return false;
    *value = last ? rest : cad_str_sub(rest, 0, (size_t)end);
    *query = last ? cad_str_sub(rest, rest.n, 0) : cad_str_sub(rest, (size_t)end + 1, rest.n);
    return true;
}

/* The query must be what was published, field for field: clients copy it byte for byte. */
static bool take_query(cad_str query, struct media_url *url)
{
    return take_field(&query, "o", false, &url->parts.o) &&
           take_field(&query, "v", false, &url->parts.v) &&
           take_field(&query, "e", false, &url->parts.e) &&
           take_field(&query, "t", false, &url->parts.t) &&
           take_field(&query, "sc", true, &url->signature);
}

/* "/range/A-B" is taken off the path; what is left of "/range/..." alone is "/". */
static void take_range(cad_str path, struct media_url *url)
{
    static const cad_str mark = CAD_STR_INIT("/range/");
    ptrdiff_t at = cad_str_find(path, mark);
    url->has_range = at >= 0;
    url->parts.path = path;
    if (at < 0) return;
    url->range_text = cad_str_sub(path, (size_t)at + mark.n, path.n);
    url->parts.path = cad_str_sub(path, 0, at == 0 ? 1 : (size_t)at);
}

static const struct mock_asset *asset_of_path(const struct mock_origin *origin, cad_str path)
{
    for (uint32_t i = 0; path.n > 1 && i < origin->asset_count; i++) {
        if (cad_str_eqz(cad_str_sub(path, 1, path.n), origin->assets[i].id)) {
            return &origin->assets[i];
        }
    }
    return NULL;
}

/* START-END, decimal, START <= END < size. */
static bool read_path_range(cad_str text, int64_t size, struct cad_range *out)
{
    ptrdiff_t dash = cad_str_find_char(text, '-');
    if (dash <= 0) return false;
    if (cad_str_to_i64(cad_str_sub(text, 0, (size_t)dash), &out->first) < 0) return false;
    if (cad_str_to_i64(cad_str_sub(text, (size_t)dash + 1, text.n), &out->last) < 0) return false;
    return out->first <= out->last && out->last < size;
}

/* A Range header (RFC 9110 14.1.2): an end past the size is cut, a start past it is refused. */
static bool clip_header_range(struct cad_range *range, int64_t size)
{
    if (range->first >= size || (range->last >= 0 && range->last < range->first)) return false;
    if (range->last < 0 || range->last >= size) range->last = size - 1;
    return true;
}

static int serve_asset(struct mock_origin *origin, const struct cad_origin_request *request,
                       const struct media_url *url, const struct mock_asset *asset,
                       struct cad_origin_answer *answer)
{
    struct cad_range range = {0, asset->size_bytes - 1};
    bool good = true;
    if (url->has_range) {
        good = read_path_range(url->range_text, asset->size_bytes, &range);
    } else if (request->range.first >= 0) {
        range = request->range;
        good = clip_header_range(&range, asset->size_bytes);
    }
    origin->seen.asset = asset->id;
    bool part = url->has_range || request->range.first >= 0;
    origin->seen.kind = part ? MOCK_KIND_RANGE : MOCK_KIND_WHOLE;
    if (asset->type == CAD_MEDIA_TEXT) origin->seen.kind = MOCK_KIND_TEXT;
    if (asset->type == CAD_MEDIA_TEXT && origin->text_down) {
        mock_answer_status(origin, answer, 404, "not found");
        return 0;
    }
    if (!good) {
        answer_bad_range(origin, asset, answer);
        return 0;
    }
    if (part) origin->seen.range = range;
    int rc = answer_asset(origin, asset, range, answer);
    if (rc < 0) return rc;
    if (url->has_range) {
        origin->counts.ranges++;
        return 0;
    }
    origin->counts.wholes++;
    if (asset->type == CAD_MEDIA_TEXT) origin->counts.texts++;
    add_header(answer, "Accept-Ranges", "bytes");
    if (part) {
        answer->status = 206;
        (void)snprintf(origin->range_text, sizeof origin->range_text, "bytes %lld-%lld/%lld",
                       (long long)range.first, (long long)range.last,
                       (long long)asset->size_bytes);
        add_header(answer, "Content-Range", origin->range_text);
    }
    return 0;
}

/* NULL, or why the URL is refused. */
static const char *refusal(struct mock_origin *origin, const struct media_url *url, int64_t now_ms,
                           struct mock_token *token)
{
    int64_t expiry_s = 0;
    if (!mock_verify(&origin->signer, &url->parts, url->signature)) return "wrong signature";
    if (mock_token_read(url->parts.t, token) < 0) return "no token";
    if (cad_str_to_i64(url->parts.e, &expiry_s) < 0) return "no expiry";
    if (now_ms / 1000 >= expiry_s || token->generation != origin->generation) return "expired";
    return NULL;
}

static int serve_media(struct mock_origin *origin, const struct cad_origin_request *request,
                       cad_str path, cad_str query, struct cad_origin_answer *answer)
{
    struct media_url url = {0};
    struct mock_token token = {0};
    take_range(path, &url);
    const struct mock_asset *named = asset_of_path(origin, url.parts.path);
    if (!named && !cad_str_eqz(url.parts.path, "/")) {
        mock_answer_status(origin, answer, 404, "not found");
        return 0;
    }
    origin->seen.kind = url.has_range ? MOCK_KIND_RANGE : MOCK_KIND_WHOLE;
    if (!is_get(request)) {
        refuse_method(origin, answer, "GET, HEAD");
        return 0;
    }
    const char *why = "not signed";
    if (take_query(query, &url)) why = refusal(origin, &url, request->now_ms, &token);
    if (why) {
        origin->counts.refused++;
        mock_answer_status(origin, answer, 403, why);
        return 0;
    }
    const struct mock_asset *asset = NULL;
    if (token.title == origin->title_number && token.asset < origin->asset_count) {
        asset = &origin->assets[token.asset];
    }
    if (!asset || (named && named != asset)) {
        mock_answer_status(origin, answer, 404, "no such asset");
        return 0;
    }
    return serve_asset(origin, request, &url, asset, answer);
}

/* ---- the other services ---------------------------------------------------------------------- */

static void serve_time(struct mock_origin *origin, const struct cad_origin_request *request,
                       struct cad_origin_answer *answer)
{
    origin->seen.kind = MOCK_KIND_TIME;
    if (!is_get(request)) {
        refuse_method(origin, answer, "GET, HEAD");
        return;
    }
    cad_sb_reset(&origin->body);
    cad_sb_putz(&origin->body, "{\"serverTime\":");
    cad_sb_i64(&origin->body, request->now_ms);
    cad_sb_putz(&origin->body, "}\n");
    mock_answer_text(origin, answer, 200, "application/json");
}

static void take_post(struct mock_origin *origin, const struct cad_origin_request *request,
                      enum mock_kind kind, struct cad_origin_answer *answer)
{
    origin->seen.kind = kind;
    if (!cad_str_eqz(request->method, "POST")) {
        refuse_method(origin, answer, "POST");
        return;
    }
    uint64_t *count = kind == MOCK_KIND_LOG ? &origin->counts.logs : &origin->counts.events;
    (*count)++;
    answer->status = 204;
}

static void serve_licence(struct mock_origin *origin, const struct cad_origin_request *request,
                          struct cad_origin_answer *answer)
{
    cad_sb_reset(&origin->body);
    mock_licence_serve(&origin->licence, request, &origin->body, answer);
    mock_answer_text(origin, answer, answer->status, answer->content_type);
    origin->seen.kind = MOCK_KIND_LICENCE;
    origin->seen.kids = (const uint8_t (*)[CAD_KEY_ID_SIZE])origin->licence.asked;
    origin->seen.kid_count = origin->licence.asked_count;
}

static int serve(void *ctx, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer)
{
    struct mock_origin *origin = ctx;
    memset(answer, 0, sizeof *answer);
    origin->seen = (struct mock_origin_seen){.range = {-1, -1}};
    ptrdiff_t mark = cad_str_find_char(request->path, '?');
    size_t end = mark < 0 ? request->path.n : (size_t)mark;
    cad_str path = cad_str_sub(request->path, 0, end);
    cad_str query = cad_str_sub(request->path, end + 1, request->path.n);
    int rc = 0;
    if (cad_str_eqz(path, MOCK_MANIFEST_PATH)) {
        origin->seen.kind = MOCK_KIND_MANIFEST;
        rc = mock_serve_manifest(origin, request, query, answer);
    } else if (cad_str_eqz(path, MOCK_LICENCE_PATH)) {
        serve_licence(origin, request, answer);
    } else if (cad_str_eqz(path, "/time")) {
        serve_time(origin, request, answer);
    } else if (cad_str_eqz(path, "/events")) {
        take_post(origin, request, MOCK_KIND_EVENTS, answer);
    } else if (cad_str_eqz(path, "/log/cadmium/logblob/1")) {
        take_post(origin, request, MOCK_KIND_LOG, answer);
    } else if (cad_str_eqz(request->method, "HEAD") && cad_str_eqz(path, "/") && query.n == 0) {
        answer->status = 204; /* a client has a connection ready */
    } else {
        rc = serve_media(origin, request, path, query, answer);
    }
    if (rc == 0 && cad_sb_error(&origin->body) < 0) rc = cad_sb_error(&origin->body);
    return rc;
}

const struct cad_origin_ops *mock_origin_ops(void)
{
    static const struct cad_origin_ops ops = {.size = sizeof ops, .serve = serve};
    return &ops;
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool asset_is_good(const struct mock_asset *asset)
{
    return asset->id[0] && memchr(asset->id, 0, sizeof asset->id) && asset->size_bytes > 0 &&
           !strchr(asset->id, '/') && asset->read;
}

static bool config_is_good(const struct mock_origin_config *config)
{
    if (!config->title || config->duration <= 0 || config->url_life < 0) return false;
    if (config->asset_count == 0 || config->asset_count > MOCK_ASSETS_MAX) return false;
    if (config->host_count == 0 || config->host_count > MOCK_HOSTS_MAX) return false;
    if (config->key_count > MOCK_KEYS_MAX) return false;
    for (uint32_t i = 0; i < config->asset_count; i++) {
        if (!asset_is_good(&config->assets[i])) return false;
    }
    for (uint32_t i = 0; i < config->host_count; i++) {
        size_t n = config->hosts[i] ? strlen(config->hosts[i]) : 0;
        if (n == 0 || n >= MOCK_HOST_BYTES_MAX) return false;
    }
    return !config->scheme || strcmp(config->scheme, "http") == 0 ||
           strcmp(config->scheme, "https") == 0;
}

static void copy_config(struct mock_origin *origin, const struct mock_origin_config *config)
{
    cad_time life = config->url_life > 0 ? config->url_life : MOCK_URL_LIFE_DEFAULT;
    memcpy(origin->assets, config->assets, config->asset_count * sizeof config->assets[0]);
    origin->asset_count = config->asset_count;
    for (uint32_t i = 0; i < config->host_count; i++) {
        cad_str_copyz(origin->hosts[i], sizeof origin->hosts[i], cad_str_from(config->hosts[i]));
    }
    origin->host_count = config->host_count;
    cad_str_copyz(origin->title, sizeof origin->title, cad_str_from(config->title));
    cad_str_copyz(origin->scheme, sizeof origin->scheme,
                  cad_str_from(config->scheme ? config->scheme : "http"));
    origin->duration = config->duration;
    origin->url_life_s = CAD_MAX(life / CAD_SECOND, 1);
    origin->seed = config->seed;
    origin->bare_manifest = config->bare_manifest;
    origin->asset_in_path = config->asset_in_path;
}

int mock_origin_create(const struct mock_origin_config *config, struct mock_origin **out)
{
    uint64_t title = 0;
    if (!config || !out || !config_is_good(config)) return CAD_E_INVAL;
    if (cad_str_to_u64(cad_str_from(config->title), &title) < 0) return CAD_E_INVAL;
    struct cad_alloc alloc = cad_alloc_system();
    struct mock_origin *origin = cad_alloc_new(&alloc, sizeof *origin, CAD_MEM_OTHER);
    if (!origin) return CAD_E_NOMEM;
    origin->alloc = alloc;
    origin->title_number = title;
    cad_sb_init(&origin->body, &origin->alloc, CAD_MEM_OTHER, MOCK_MANIFEST_BYTES_MAX);
    int rc = mock_licence_init(&origin->licence, config->keys, config->key_count);
    if (rc == 0) rc = mock_signer_init(&origin->signer, config->seed);
    if (rc < 0) {
        cad_alloc_free(&alloc, origin, sizeof *origin, CAD_MEM_OTHER);
        return rc;
    }
    copy_config(origin, config);
    *out = origin;
    return 0;
}

void mock_origin_destroy(struct mock_origin **pointer)
{
    if (!pointer || !*pointer) return;
    struct mock_origin *origin = *pointer;
    struct cad_alloc alloc = origin->alloc;
    *pointer = NULL;
    while (origin->free_bodies) {
        struct mock_body *body = origin->free_bodies;
        origin->free_bodies = body->next;
        cad_alloc_free(&alloc, body, sizeof *body, CAD_MEM_OTHER);
    }
    mock_signer_deinit(&origin->signer);
    mock_licence_deinit(&origin->licence);
    cad_sb_deinit(&origin->body);
    cad_alloc_free(&alloc, origin, sizeof *origin, CAD_MEM_OTHER);
}

void mock_origin_counts(const struct mock_origin *origin, struct mock_origin_counts *out)
{
    *out = origin->counts;
}

/* "licence", "licence-..."; CAD_E_NOTFOUND. */
static int switch_licence(struct mock_licence *service, cad_str name, bool up)
{
    static const struct { const char *name; enum mock_licence_mode mode; } faults[] = {
        {"licence", MOCK_LICENCE_DOWN}, {"licence-refused", MOCK_LICENCE_REFUSED},
        {"licence-garbage", MOCK_LICENCE_GARBAGE}, {"licence-cut", MOCK_LICENCE_CUT}};
    static const cad_str slow = CAD_STR_INIT("licence-slow-");
    int64_t ms = 0;
    if (cad_str_starts(name, slow)) {
        if (cad_str_to_i64(cad_str_sub(name, slow.n, name.n), &ms) < 0) return CAD_E_NOTFOUND;
        if (ms < 0 || ms > LICENCE_SLOW_MS_MAX) return CAD_E_NOTFOUND;
        service->delay = up ? 0 : ms * CAD_MS;
        return 0;
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(faults); i++) {
        if (!cad_str_eqz(name, faults[i].name)) continue;
        service->fault = (struct mock_licence_fault){.mode = up ? MOCK_LICENCE_OK : faults[i].mode};
        return 0;
    }
    return CAD_E_NOTFOUND;
}

int mock_origin_service(struct mock_origin *origin, cad_str name, bool up)
{
    if (cad_str_eqz(name, "manifest")) {
        origin->manifest_down = !up;
    } else if (cad_str_eqz(name, "text")) {
        origin->text_down = !up;
    } else {
        return switch_licence(&origin->licence, name, up);
    }
    return 0;
}

struct mock_licence *mock_origin_licence(struct mock_origin *origin)
{
    return &origin->licence;
}

/* ---- keys and names -------------------------------------------------------------------------- */

uint32_t mock_kids(const struct mock_origin *origin, enum cad_media_type type,
                   uint8_t (*kids)[CAD_KEY_ID_SIZE])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < origin->asset_count && n < MOCK_TRACK_KIDS_MAX; i++) {
        const struct mock_asset *asset = &origin->assets[i];
        if (asset->type != type || !asset->scheme[0]) continue;
        uint32_t k = 0;
        while (k < n && memcmp(kids[k], asset->kid, CAD_KEY_ID_SIZE) != 0) k++;
        if (k == n) memcpy(kids[n++], asset->kid, CAD_KEY_ID_SIZE);
    }
    return n;
}

void mock_pssh_text(const struct mock_origin *origin, enum cad_media_type type,
                    char out[MOCK_PSSH_TEXT_MAX])
{
    uint8_t kids[MOCK_TRACK_KIDS_MAX][CAD_KEY_ID_SIZE];
    uint8_t box[MOCK_PSSH_BYTES(MOCK_TRACK_KIDS_MAX)];
    size_t n = 0;
    uint32_t count = mock_kids(origin, type, kids);
    out[0] = 0;
    if (count == 0) return;
    mock_pssh_write((const uint8_t (*)[CAD_KEY_ID_SIZE])kids, count, box);
    cad_buf whole = {box, MOCK_PSSH_BYTES(count)};
    if (cad_base64_encode(whole, 0, out, MOCK_PSSH_TEXT_MAX - 1, &n) == 0) out[n] = 0;
}

const char *mock_file_ending(const struct mock_asset *asset)
{
    return asset->type == CAD_MEDIA_TEXT ? ".ttml" : ".mp4";
}

void mock_origin_expire(struct mock_origin *origin)
{
    origin->generation++;
}

void mock_origin_seen(const struct mock_origin *origin, struct mock_origin_seen *out)
{
    *out = origin->seen;
}

const char *mock_kind_name(enum mock_kind kind)
{
    switch (kind) {
    case MOCK_KIND_MANIFEST: return "manifest";
    case MOCK_KIND_RANGE: return "range";
    case MOCK_KIND_WHOLE: return "whole";
    case MOCK_KIND_TIME: return "time";
    case MOCK_KIND_EVENTS: return "events";
    case MOCK_KIND_LOG: return "log";
    case MOCK_KIND_LICENCE: return "licence";
    case MOCK_KIND_TEXT: return "text";
    case MOCK_KIND_OTHER: break;
    }
    return "other";
}
