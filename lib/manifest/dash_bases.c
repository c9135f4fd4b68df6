/*
 * dash_bases.c - BaseURLs and what becomes of them: bases of each level, servers, locations.
 *
 * Each BaseURL of a level resolves against each one of the level above; the first combination is
 * the one a viewer starts with (23009-1 5.6). A level without BaseURL shares the list above.
 */
#include <string.h>

#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "manifest/dash.h"

/* ---- bases ----------------------------------------------------------------------------------- */

int cad_dash_resolve(struct cad_dash *p, cad_str base, cad_str ref, cad_str *out)
{
    char memory[CAD_URI_BYTES_MAX + 1];
    struct cad_sb sb;
    bool failed = false;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    *out = CAD_STR("");
    if (cad_urls_resolve(base, ref, &sb) != 0) {
        cad_dash_warn(p, "a reference that is no URL", CAD_STR(""));
        return CAD_OK;
    }
    *out = cad_dash_keep(p, cad_sb_str(&sb), &failed);
    return failed ? cad_dash_fail_memory(p) : CAD_OK;
}

int cad_dash_add_offset(struct cad_dash *p, const struct cad_dash_node *offset,
                        const struct cad_dash_node *complete, struct cad_dash_base *base)
{
    cad_str text = cad_str_trim(cad_dash_attr(offset, CAD_DASH_AT_AVAILABILITY_TIME_OFFSET));
    cad_str word = cad_dash_attr(complete, CAD_DASH_AT_AVAILABILITY_TIME_COMPLETE);
    cad_dash_time seconds = 0;
    word = cad_str_trim(word);
    if (cad_str_eqz(word, "false") || cad_str_eqz(word, "0")) base->incomplete = true;
    if (!text.p) return CAD_OK;
    if (cad_str_eqz(text, "INF")) {
        base->offset_infinite = true;
        return CAD_OK;
    }
    if (!cad_dash_parse_decimal(text, &seconds)) {
        return cad_dash_unreadable(p, offset, CAD_DASH_AT_AVAILABILITY_TIME_OFFSET);
    }
    if (base->time_offset == CAD_DASH_NONE) base->time_offset = 0;
    base->time_offset += seconds;
    return CAD_OK;
}

static int combine(struct cad_dash *p, const struct cad_dash_base *above,
                   const struct cad_dash_node *node, struct cad_dash_base *out)
{
    bool failed = false;
    cad_str location = cad_dash_attr(node, CAD_DASH_AT_SERVICE_LOCATION);
    *out = *above;
    if (location.n > 0) out->service_location = cad_dash_keep(p, location, &failed);
    if (failed) return cad_dash_fail_memory(p);
    int rc = cad_dash_resolve(p, above->url, node->text, &out->url);
    if (rc == 0) rc = cad_dash_add_offset(p, node, node, out);
    return rc;
}

int cad_dash_bases(struct cad_dash *p, const struct cad_dash_node *node,
                   const struct cad_dash_bases *above, struct cad_dash_bases *out)
{
    uint32_t own = cad_dash_count(node, CAD_DASH_BASE_URL);
    *out = *above;
    if (own == 0) return CAD_OK;
    uint64_t most = CAD_MIN((uint64_t)own * above->count, CAD_DASH_BASES_MAX);
    struct cad_dash_base *items = cad_arena_array(&p->model->arena, struct cad_dash_base,
                                                  (size_t)most);
    if (!items) return cad_dash_fail_memory(p);
    uint32_t n = 0;
    for (uint32_t i = 0; i < above->count; i++) {
        const struct cad_dash_node *child = cad_dash_child(node, CAD_DASH_BASE_URL);
        for (; child && n < most; child = cad_dash_next(child)) {
            int rc = combine(p, &above->items[i], child, &items[n]);
            if (rc != 0) return rc;
            n++;
        }
    }
    p->cost += n;
    *out = (struct cad_dash_bases){items, n};
    return CAD_OK;
}

/* ---- servers --------------------------------------------------------------------------------- */

/* host[:port] as written; empty for a file or a relative reference. */
static cad_str authority_of(const struct cad_uri *uri)
{
    if (!uri->has_port || uri->port.n == 0) return uri->host;
    return cad_str_make(uri->host.p, (size_t)(uri->port.p + uri->port.n - uri->host.p));
}

/* The server of a location: by serviceLocation, else by host. -1: there are too many. */
static int64_t server_of(struct cad_dash *p, const struct cad_dash_base *base, cad_str host)
{
    cad_str id = base->service_location.n > 0 ? base->service_location : host;
    if (id.n == 0) id = CAD_STR("file");
    for (uint32_t i = 0; i < p->server_count; i++) {
        if (cad_str_eq(p->servers[i].id, id)) return i;
    }
    if (p->server_count == CAD_DASH_SERVERS_MAX) return -1;
    p->servers[p->server_count] = (struct cad_server){
        .id = id, .host = host, .location_rank = INT32_MAX, .rank = INT32_MAX};
    return p->server_count++;
}

static bool is_file(cad_str url)
{
    struct cad_uri uri;
    return cad_uri_parse(url, &uri) == 0 && cad_str_ieq(uri.scheme, CAD_STR("file"));
}

/* May the player ask for it? Files only for a document that is one itself. */
static bool is_usable(const struct cad_dash *p, const struct cad_uri *uri)
{
    if (uri->has_userinfo || uri->has_fragment) return false;
    if (cad_str_ieq(uri->scheme, CAD_STR("file"))) return is_file(p->options->base_url);
    if (cad_uri_port(uri) < 0) return false;
    return cad_uri_is_https(uri) || (p->options->allow_http && cad_uri_is_http(uri));
}

/* The usable ones in their order, each URL once. */
static int make_locations(struct cad_dash *p, const struct cad_dash_bases *bases)
{
    uint32_t n = 0;
    struct cad_location *items = cad_arena_array(&p->model->arena, struct cad_location,
                                                 bases->count);
    if (!items) return cad_dash_fail_memory(p);
    for (uint32_t i = 0; i < bases->count; i++) {
        struct cad_uri uri;
        bool again = false;
        for (uint32_t k = 0; k < i && !again; k++) {
            again = cad_str_eq(bases->items[k].url, bases->items[i].url);
        }
        if (again || cad_uri_parse(bases->items[i].url, &uri) != 0 || !is_usable(p, &uri)) continue;
        int64_t server = server_of(p, &bases->items[i], authority_of(&uri));
        if (server < 0) return cad_dash_fail_limit(p, NULL, "too many servers");
        items[n].url = bases->items[i].url;
        items[n++].server = (uint32_t)server;
    }
    p->cost += bases->count;
    p->located = bases->items;
    p->locations = items;
    p->location_count = n;
    return CAD_OK;
}

/* Representations that share their bases share what became of them. */
int cad_dash_locate(struct cad_dash *p, struct cad_dash_rep *rep)
{
    if (p->located != rep->bases.items) {
        int rc = make_locations(p, &rep->bases);
        if (rc != 0) return rc;
    }
    rep->r.locations = p->locations;
    rep->r.location_count = p->location_count;
    return CAD_OK;
}

int cad_dash_seal_servers(struct cad_dash *p)
{
    uint32_t n = CAD_MAX(p->server_count, 1);
    struct cad_server *servers = cad_arena_array(&p->model->arena, struct cad_server, n);
    if (!servers) return cad_dash_fail_memory(p);
    if (p->server_count > 0) {
        memcpy(servers, p->servers, p->server_count * sizeof(*servers));
    } else {
        *servers = (struct cad_server){.id = CAD_STR_INIT("none"), .location_rank = INT32_MAX,
                                       .rank = INT32_MAX};
    }
    p->model->presentation.servers = servers;
    p->model->presentation.server_count = n;
    return CAD_OK;
}
