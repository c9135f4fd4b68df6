/*
 * request.c - the request for a licensed manifest, and URLs with a byte range in the path.
 */
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/uri.h"
#include "manifest/manifest.h"

#define ENDPOINT "/msl/playapi/cadmium/licensedmanifest/1"

static bool is_req_id(cad_str id)
{
    if (id.n != CAD_LICENSED_REQ_ID_BYTES) return false;
    for (size_t i = 0; i < id.n; i++) {
        if (cad_hex_value(id.p[i]) < 0 || cad_to_lower(id.p[i]) != id.p[i]) return false;
    }
    return true;
}

static bool is_good(const struct cad_licensed_request *request)
{
    return request->base.n > 0 && request->viewable_id.n > 0 && request->xid.n > 0 &&
           is_req_id(request->req_id) && request->attempt > 0 && request->profile_count > 0 &&
           request->id >= 0 && request->id <= CAD_JSON_EXACT_MAX;
}

/* "&name=value", percent-encoded; nothing for an empty value. */
static void add_query(struct cad_sb *out, const char *name, cad_str value)
{
    if (value.n == 0) return;
    cad_sb_putc(out, '&');
    cad_sb_putz(out, name);
    cad_sb_putc(out, '=');
    cad_uri_percent_encode(value, out);
}

int cad_licensed_request_url(const struct cad_licensed_request *request, struct cad_sb *out)
{
    struct cad_uri base;
    if (!is_good(request)) return CAD_E_INVAL;
    if (cad_uri_parse(request->base, &base) != 0 || !cad_uri_is_http(&base)) return CAD_E_INVAL;
    if (base.has_query || base.has_fragment || base.has_userinfo) return CAD_E_INVAL;
    cad_str root = request->base;
    while (root.n > 0 && root.p[root.n - 1] == '/') root.n--;
    cad_sb_put(out, root);
    cad_sb_putz(out, ENDPOINT "?reqAttempt=");
    cad_sb_u64(out, request->attempt);
    add_query(out, "reqName", request->prefetch ? CAD_STR("prefetch/licensedManifest")
                                                : CAD_STR("licensedManifest"));
    add_query(out, "reqId", request->req_id);
    add_query(out, "mainContentViewableId", request->viewable_id);
    cad_sb_putz(out, "&clienttype=cadmium-c");
    add_query(out, "uiversion", request->app_version);
    add_query(out, "browsername", request->app_name);
    add_query(out, "browserversion", cad_str_from(cad_version()));
    add_query(out, "osname", request->platform);
    return cad_sb_error(out);
}

/* The title's id is a number on the wire wherever it is one. */
static void write_viewable_id(struct cad_jsonw *w, cad_str id)
{
    int64_t number = 0;
    bool plain = id.p[0] != '0' || id.n == 1;
    cad_jsonw_key(w, CAD_STR("viewableId"));
    if (plain && cad_str_to_i64(id, &number) == 0 && number >= 0 && number <= CAD_JSON_EXACT_MAX) {
        cad_jsonw_i64(w, number);
    } else {
        cad_jsonw_string(w, id);
    }
}

static void write_params(struct cad_jsonw *w, const struct cad_licensed_request *request)
{
    struct cad_uri base;
    bool https = cad_uri_parse(request->base, &base) == 0 && cad_uri_is_https(&base);
    cad_jsonw_object(w);
    cad_jsonw_key_string(w, "type", CAD_STR("standard"));
    cad_jsonw_key_string(w, "manifestVersion", CAD_STR("v2"));
    write_viewable_id(w, request->viewable_id);
    cad_jsonw_key(w, CAD_STR("profiles"));
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < request->profile_count; i++) cad_jsonw_string(w, request->profiles[i]);
    cad_jsonw_end(w);
    cad_jsonw_key_string(w, "flavor",
                         request->prefetch ? CAD_STR("PRE_FETCH") : CAD_STR("STANDARD"));
    cad_jsonw_key_bool(w, "useHttpsStreams", https);
    cad_jsonw_key_bool(w, "supportsUnequalizedDownloadables", true);
    cad_jsonw_key_string(w, "xid", request->xid);
    cad_jsonw_key_string(w, "clientVersion", cad_str_from(cad_version()));
    if (request->platform.n > 0) cad_jsonw_key_string(w, "platform", request->platform);
    if (request->app_version.n > 0) cad_jsonw_key_string(w, "uiVersion", request->app_version);
    cad_jsonw_end(w);
}

int cad_licensed_request_body(const struct cad_licensed_request *request, struct cad_sb *out)
{
    if (!is_good(request)) return CAD_E_INVAL;
    struct cad_jsonw w;
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key_i64(&w, "version", 2);
    cad_jsonw_key_string(&w, "url", CAD_STR("licensedManifest"));
    cad_jsonw_key_i64(&w, "id", request->id);
    cad_jsonw_key(&w, CAD_STR("languages"));
    cad_jsonw_array(&w);
    if (request->language.n > 0) cad_jsonw_string(&w, request->language);
    cad_jsonw_end(&w);
    cad_jsonw_key(&w, CAD_STR("params"));
    write_params(&w, request);
    cad_jsonw_end(&w);
    return cad_jsonw_error(&w);
}

int cad_range_url(cad_str url, bool range_in_path, int64_t first, int64_t last, struct cad_sb *out)
{
    struct cad_uri uri;
    if (first < 0 || (last >= 0 && last < first) || last < -1) return CAD_E_INVAL;
    if (!range_in_path) {
        cad_sb_put(out, url);
        return cad_sb_error(out);
    }
    if (last < 0 || cad_uri_parse(url, &uri) != 0 || !uri.has_scheme || !uri.has_authority ||
        uri.host.n == 0 || uri.has_fragment) {
        return CAD_E_INVAL;
    }
    cad_str before = url;
    if (uri.has_query) before.n = url.n - uri.query.n - 1;
    /* Slashes at the end of the path become one; the authority's own are not in reach. */
    size_t path_bytes = uri.path.n;
    while (path_bytes > 0 && before.p[before.n - 1] == '/') {
        before.n--;
        path_bytes--;
    }
    cad_sb_put(out, before);
    cad_sb_putz(out, "/range/");
    cad_sb_i64(out, first);
    cad_sb_putc(out, '-');
    cad_sb_i64(out, last);
    cad_sb_put(out, cad_str_sub(url, url.n - (uri.has_query ? uri.query.n + 1 : 0), SIZE_MAX));
    return cad_sb_error(out);
}
