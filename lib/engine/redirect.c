/*
 * Redirects (RFC 9110 15.4): an answer that names another place is followed within the same
 * attempt, as a request of its own with an id of its own.
 *
 * What is followed: 301, 302, 303, 307 and 308 of a GET, 307 and 308 of a POST, over http and https
 * and never from https back to http, at most ENGINE_REDIRECTS_MAX times, and no farther into the
 * network than the first request might go. Everything else ends the attempt as CAD_FAIL_REDIRECT.
 *
 * Headers of ours go along (there is only the Content-Type of a POST); to another origin none but
 * Content-Type and Accept, so that what says who we are never gets there.
 */
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "engine/session.h"

/* ---- how far in ---- */

/* Who is on the internet may not send us into the house, who is in the house not into the device.
 * Who is in the device, or nobody knows where, may send us anywhere. */
static enum cad_address_class limit_of(enum cad_address_class where)
{
    bool outside = where == CAD_ADDRESS_PUBLIC || where == CAD_ADDRESS_PRIVATE;
    return outside ? where : CAD_ADDRESS_UNKNOWN;
}

/* The title's own URL, which is the application's word, and not a manifest's. */
static bool is_own(const struct cad_engine *e, enum cad_purpose purpose)
{
    bool own = purpose == CAD_PURPOSE_MANIFEST || purpose == CAD_PURPOSE_REFRESH;
    return own || e->manifest.from_mp4;
}

enum cad_address_class redirect_address_max(const struct cad_engine *e, enum cad_purpose purpose)
{
    return is_own(e, purpose) ? CAD_ADDRESS_UNKNOWN : limit_of(e->manifest.address);
}

/* ---- headers ---- */

/* A copy of the headers, or none and `lost`. */
static void keep_headers(struct kept_headers *kept, const struct cad_header *headers,
                         uint32_t count)
{
    memset(kept, 0, sizeof(*kept));
    size_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        const cad_str texts[2] = {headers[i].name, headers[i].value};
        for (int k = 0; k < 2; k++) {
            size_t n = texts[k].n;
            if (i == ENGINE_KEPT_HEADERS_MAX || n > sizeof(kept->text) - used) {
                memset(kept, 0, sizeof(*kept));
                kept->lost = true;
                return;
            }
            if (n) memcpy(kept->text + used, texts[k].p, n);
            kept->sizes[i][k] = (uint16_t)n;
            used += n;
        }
        kept->count++;
    }
}

static void view(const struct kept_headers *kept, struct cad_header *out)
{
    const char *p = kept->text;
    for (uint32_t i = 0; i < kept->count; i++) {
        out[i].name = cad_str_make(p, kept->sizes[i][0]);
        p += kept->sizes[i][0];
        out[i].value = cad_str_make(p, kept->sizes[i][1]);
        p += kept->sizes[i][1];
    }
}

/* What is told to another origin than the one that the headers were meant for. */
static void strip_headers(struct kept_headers *kept)
{
    struct kept_headers all = *kept;
    struct cad_header headers[ENGINE_KEPT_HEADERS_MAX];
    uint32_t count = 0;
    view(&all, headers);
    for (uint32_t i = 0; i < all.count; i++) {
        bool harmless = cad_str_ieq(headers[i].name, CAD_STR("Content-Type")) ||
                        cad_str_ieq(headers[i].name, CAD_STR("Accept"));
        if (harmless) headers[count++] = headers[i];
    }
    keep_headers(kept, headers, count);
    kept->lost = all.lost;
}

int redirect_give(struct cad_engine *e, const struct kept_headers *kept,
                  struct cad_http_start *start)
{
    if (kept->count == 0) return CAD_OK;
    struct cad_header *headers = engine_headers(e, kept->count);
    if (!headers) return CAD_E_AGAIN;
    view(kept, headers);
    for (uint32_t i = 0; i < kept->count; i++) {
        headers[i].name.p = engine_text(e, headers[i].name);
        headers[i].value.p = engine_text(e, headers[i].value);
        if (!headers[i].name.p || !headers[i].value.p) return CAD_E_AGAIN;
    }
    start->headers = headers;
    start->header_count = kept->count;
    return CAD_OK;
}

/* ---- the place that is asked ---- */

void redirect_forget(struct cad_engine *e, struct target *target)
{
    struct redirect *r = &target->redirect;
    cad_alloc_free(&e->alloc, r->url, r->url_size, CAD_MEM_SESSION);
    memset(r, 0, sizeof(*r));
}

void redirect_begin(struct cad_engine *e, struct target *target, const struct cad_http_start *start)
{
    struct redirect *r = &target->redirect;
    struct cad_uri uri;
    redirect_forget(e, target);
    r->start = *start;
    r->start.url = (cad_str){NULL, 0};
    r->start.body = (cad_buf){NULL, 0};
    r->start.headers = NULL;
    r->start.header_count = 0;
    keep_headers(&r->headers, start->headers, start->header_count);
    if (cad_uri_parse(start->url, &uri) != 0 || !cad_uri_is_http(&uri)) return;
    r->secure = cad_uri_is_https(&uri);
    /* Only what a relative place is resolved against; one too long serves absolute ones only. */
    uri.has_query = uri.has_fragment = false;
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, r->base, sizeof(r->base));
    cad_uri_write(&uri, &sb);
    if (cad_sb_error(&sb)) r->base[0] = '\0';
    else (void)cad_sb_z(&sb);
}

void redirect_take_url(struct cad_engine *e, struct target *target)
{
    struct manifest_part *m = &e->manifest;
    struct redirect *r = &target->redirect;
    cad_alloc_free(&e->alloc, m->moved_url, m->moved_url_size, CAD_MEM_SESSION);
    m->moved_url = r->url;
    m->moved_url_size = r->url_size;
    r->url = NULL;
    r->url_size = 0;
}

/* ---- the next place ---- */

static bool follows(const struct redirect *r, int32_t status)
{
    if (r->hops == ENGINE_REDIRECTS_MAX || r->headers.lost) return false;
    if (status == 307 || status == 308) return true;
    return !r->start.post && (status == 301 || status == 302 || status == 303);
}

/* What is being asked; of a first URL that is too long for r->base nothing is known. */
static cad_str place_of(const struct redirect *r)
{
    return r->url ? cad_str_make(r->url, r->url_size - 1) : cad_str_from(r->base);
}

static bool leaves_origin(const struct redirect *r, cad_str url)
{
    struct cad_uri here, there;
    cad_str place = place_of(r);
    if (place.n == 0 || cad_uri_parse(place, &here) != 0) return true;
    return cad_uri_parse(url, &there) != 0 || !cad_uri_same_origin(&here, &there);
}

/* Location as an absolute URL in sb. CAD_E_DATA: one that is not followed. */
static int resolve(const struct redirect *r, cad_str location, struct cad_sb *sb)
{
    char memory[ENGINE_URL_MAX + 1];
    struct cad_sb absolute;
    struct cad_uri uri;
    cad_sb_init_fixed(&absolute, memory, sizeof(memory));
    cad_str base = place_of(r);
    if (cad_uri_parse(location, &uri) != 0) return CAD_E_DATA;
    if (uri.has_scheme) cad_sb_put(&absolute, location);
    else if (cad_uri_resolve(base, location, &absolute) != 0) return CAD_E_DATA;
    if (cad_sb_error(&absolute) || cad_uri_parse(cad_sb_str(&absolute), &uri) != 0) {
        return CAD_E_DATA;
    }
    /* A name and password in it are someone else's idea of who we are. */
    if (!cad_uri_is_http(&uri) || uri.has_userinfo || cad_uri_port(&uri) < 0) return CAD_E_DATA;
    if (r->secure && !cad_uri_is_https(&uri)) return CAD_E_DATA;
    uri.has_fragment = false; /* nobody here looks at one */
    cad_uri_write(&uri, sb);
    return cad_sb_error(sb);
}

/* There is no room to follow it now: as if nothing had been answered, which is tried again. */
static void forget_answer(struct cad_fetch_request *request)
{
    request->status = 0;
}

void redirect_note(struct cad_engine *e, struct cad_fetch_request *request,
                   const struct cad_http_head *head)
{
    struct target *target = request_target(request);
    struct redirect *r = &target->redirect;
    char memory[ENGINE_URL_MAX + 1];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    if (head->status / 100 != 3) return;
    target->discard = true;
    if (!follows(r, head->status) || head->location.n == 0) return;
    if (resolve(r, head->location, &sb) != 0) return;
    cad_str url = cad_sb_str(&sb);
    char *kept = cad_alloc_new(&e->alloc, url.n + 1, CAD_MEM_SESSION);
    if (!kept) {
        forget_answer(request);
        return;
    }
    memcpy(kept, url.p, url.n);
    kept[url.n] = '\0';
    if (leaves_origin(r, url)) strip_headers(&r->headers);
    cad_alloc_free(&e->alloc, r->url, r->url_size, CAD_MEM_SESSION);
    r->url = kept;
    r->url_size = url.n + 1;
    r->wanted = true;
}

static int post_body(struct cad_engine *e, struct cad_fetch_request *request, cad_buf *body)
{
    if (request->purpose == CAD_PURPOSE_LICENCE) return keys_post_body(e, request, body);
    return title_post_body(e, request, body);
}

bool redirect_follow(struct cad_engine *e, struct cad_fetch_request *request,
                     const struct cad_http_end *end)
{
    struct target *target = request_target(request);
    struct redirect *r = &target->redirect;
    if (!r->wanted || end->cls != CAD_HTTP_OK) return false;
    r->wanted = false;
    struct cad_http_start start = r->start;
    bool bodiless = start.post && post_body(e, request, &start.body) != 0;
    start.url = place_of(r);
    start.url.p = bodiless ? NULL : engine_text(e, start.url);
    if (!start.url.p || redirect_give(e, &r->headers, &start) != 0) {
        forget_answer(request);
        return false;
    }
    uint32_t before = request->id;
    cad_fetch_moved(e->fetch, request, e->now);
    bool own = is_own(e, request->purpose) || request->purpose == CAD_PURPOSE_LICENCE;
    if (own && r->start.address_max == CAD_ADDRESS_UNKNOWN) {
        r->start.address_max = limit_of(target->head_data.address);
    }
    target->head = target->ended = target->discard = target->range_wrong = false;
    target->skip = 0;
    r->hops++;
    start.id = request->id;
    start.address_max = r->start.address_max;
    r->secure = r->url_size > 6 && cad_str_ieq(cad_str_make(r->url, 6), CAD_STR("https:"));
    struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_START);
    if (!action) return false;
    action->u.start = start;
    engine_decide(e, "redirect id=%u to=%u status=%d hop=%u", before, request->id,
                  (int)target->head_data.status, r->hops);
    return true;
}
