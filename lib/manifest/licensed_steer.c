/*
 * licensed_steer.c - servers in the order of 5.6 and URLs by the rules of 5.5.
 *
 * Published servers come first, by (location.rank, lowgrade, server.rank, -weight, id). A URL
 * whose cdn_id names none of them makes a server of its host, behind all published ones, in the
 * order in which usable streams name them.
 */
#include <string.h>

#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "manifest/licensed.h"

/* ---- servers --------------------------------------------------------------------------------- */

static const struct cad_raw_location *find_location(const struct cad_licensed *p, cad_str key)
{
    const struct cad_raw_item *item = p->manifest->locations.first;
    for (; item && key.p; item = item->next) {
        const struct cad_raw_location *location = (const struct cad_raw_location *)item;
        if (location->key.p && cad_str_eq(location->key, key)) return location;
    }
    return NULL;
}

/* Ids are numbers as a rule: 9 goes before 10. */
static int compare_ids(cad_str a, cad_str b)
{
    int64_t x = 0;
    int64_t y = 0;
    if (cad_str_to_i64(a, &x) == 0 && cad_str_to_i64(b, &y) == 0 && x != y) return x < y ? -1 : 1;
    return cad_str_cmp(a, b);
}

static bool server_before(const struct cad_server *a, const struct cad_server *b)
{
    if (a->location_rank != b->location_rank) return a->location_rank < b->location_rank;
    if (a->lowgrade != b->lowgrade) return b->lowgrade;
    if (a->rank != b->rank) return a->rank < b->rank;
    if (a->weight != b->weight) return a->weight > b->weight;
    return compare_ids(a->id, b->id) < 0;
}

static int64_t int32_or(int64_t value, int64_t fallback)
{
    return cad_raw_clamp(value, INT32_MIN, INT32_MAX, fallback);
}

static void fill_server(const struct cad_licensed *p, const struct cad_raw_server *raw,
                        struct cad_server *out)
{
    const struct cad_raw_location *location = find_location(p, raw->key);
    memset(out, 0, sizeof(*out));
    out->id = raw->id;
    out->name = raw->name;
    if (raw->dns) out->host = raw->dns->host;
    out->rank = (int32_t)int32_or(raw->rank, INT32_MAX);
    out->lowgrade = raw->lowgrade == 1;
    out->location_rank = INT32_MAX;
    if (!location) return;
    out->location_rank = (int32_t)int32_or(location->rank, INT32_MAX);
    out->level = (int32_t)int32_or(location->level, 0);
    out->weight = (int32_t)int32_or(location->weight, 0);
}

static bool has_server(const struct cad_licensed *p, cad_str id)
{
    for (uint32_t i = 0; i < p->server_count; i++) {
        if (cad_str_eq(p->servers[i].id, id)) return true;
    }
    return false;
}

/* Put it where it belongs among those before it: at most 64. */
static void insert_server(struct cad_licensed *p, struct cad_server server)
{
    uint32_t at = p->server_count++;
    for (; at > 0 && server_before(&server, &p->servers[at - 1]); at--) {
        p->servers[at] = p->servers[at - 1];
    }
    p->servers[at] = server;
}

int cad_licensed_servers(struct cad_licensed *p)
{
    p->servers = cad_arena_array(&p->scratch, struct cad_server, p->options->limits.servers);
    if (!p->servers) return cad_licensed_fail_memory(p);
    for (const struct cad_raw_item *item = p->manifest->servers.first; item; item = item->next) {
        const struct cad_raw_server *raw = (const struct cad_raw_server *)item;
        if (!raw->id.p) {
            cad_licensed_warn(p, "a server without id", raw->name);
        } else if (has_server(p, raw->id)) {
            cad_licensed_warn(p, "a server id that is taken", raw->id);
        } else {
            struct cad_server server;
            fill_server(p, raw, &server);
            insert_server(p, server);
        }
    }
    p->known_servers = p->server_count;
    if (p->server_count == 0) {
        cad_licensed_warn(p, "no servers: built from the hosts of URLs", CAD_STR(""));
    }
    return CAD_OK;
}

/* ---- URLs ------------------------------------------------------------------------------------ */

struct checked_url {
    cad_str text; /* absolute */
    cad_str host; /* host[:port], a view into text */
    struct cad_uri uri;
};

/* host[:port] as written. */
static cad_str authority_of(const struct cad_uri *uri)
{
    if (!uri->has_port || uri->port.n == 0) return uri->host;
    return cad_str_make(uri->host.p, (size_t)(uri->port.p + uri->port.n - uri->host.p));
}

/* A reference that is not absolute, against the document's own URL. */
static int resolve(struct cad_licensed *p, cad_str *url)
{
    struct cad_sb sb;
    cad_sb_init(&sb, &p->options->alloc, CAD_MEM_MANIFEST, CAD_URI_BYTES_MAX);
    int rc = cad_uri_resolve(p->options->base_url, *url, &sb);
    if (rc == 0) {
        *url = cad_arena_str(&p->scratch, cad_sb_str(&sb));
        if (!url->p) rc = CAD_E_NOMEM;
    }
    cad_sb_deinit(&sb);
    return rc == CAD_E_NOMEM ? cad_licensed_fail_memory(p) : rc;
}

/* 1: usable; 0: refused. */
static int check_url(struct cad_licensed *p, cad_str url, struct checked_url *out)
{
    struct cad_uri *uri = &out->uri;
    if (url.n == 0 || cad_str_find_char(url, '\\') >= 0) return 0;
    if (cad_uri_parse(url, uri) != 0) return 0;
    if (!uri->has_scheme) {
        if (p->options->base_url.n == 0) return 0;
        int rc = resolve(p, &url);
        if (rc == CAD_E_NOMEM) return rc;
        if (rc != 0 || cad_uri_parse(url, uri) != 0) return 0;
    }
    bool scheme = cad_uri_is_https(uri) || (p->options->allow_http && cad_uri_is_http(uri));
    if (!scheme || uri->has_userinfo || uri->has_fragment || cad_uri_port(uri) < 0) return 0;
    out->text = url;
    out->host = authority_of(uri);
    return 1;
}

static int64_t expiry_of(const struct cad_licensed *p, const struct cad_uri *uri)
{
    int64_t seconds = 0;
    cad_str e = cad_uri_query_value(uri->query, CAD_STR("e"));
    if (cad_str_to_i64(e, &seconds) == 0 && seconds > 0 && seconds <= INT64_MAX / CAD_SECOND) {
        return seconds * 1000;
    }
    return cad_raw_clamp(p->manifest->expiration, 1, CAD_JSON_EXACT_MAX, 0);
}

/* A published server by id, or by host where the URL has no id; -1 none. */
static int64_t find_known(const struct cad_licensed *p, cad_str cdn_id, cad_str host)
{
    for (uint32_t i = 0; i < p->known_servers; i++) {
        const struct cad_server *server = &p->servers[i];
        if (cdn_id.p ? cad_str_eq(server->id, cdn_id) : cad_str_ieq(server->host, host)) return i;
    }
    return -1;
}

/* The server of a URL: >= 0, or an error. */
static int64_t server_of(struct cad_licensed *p, cad_str cdn_id, cad_str host)
{
    int64_t known = find_known(p, cdn_id, host);
    if (known >= 0) {
        struct cad_server *server = &p->servers[known];
        if (server->host.n == 0) server->host = host;
        return known;
    }
    cad_str id = cdn_id.p ? cdn_id : host;
    for (uint32_t i = p->known_servers; i < p->server_count; i++) {
        const struct cad_server *server = &p->servers[i];
        if (cad_str_ieq(server->host, host) && (!cdn_id.p || cad_str_eq(server->id, id))) return i;
    }
    if (p->server_count >= p->options->limits.servers) {
        return cad_licensed_fail(p, CAD_E_LIMIT, CAD_ERR_MANIFEST_LIMIT, "hosts of URLs");
    }
    struct cad_server *server = &p->servers[p->server_count];
    memset(server, 0, sizeof(*server));
    server->id = id;
    server->host = host;
    server->location_rank = INT32_MAX;
    server->rank = INT32_MAX;
    return p->server_count++;
}

static void note_expiry(struct cad_licensed *p, int64_t expiry_ms)
{
    if (expiry_ms <= 0) return;
    if (p->first_expiry_ms == 0 || expiry_ms < p->first_expiry_ms) p->first_expiry_ms = expiry_ms;
}

/* Among n locations, behind those of the same or a better server; false if it is there already. */
static bool insert_location(struct cad_location *items, uint32_t n, struct cad_location item)
{
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].server == item.server && cad_str_eq(items[i].url, item.url)) return false;
    }
    uint32_t at = n;
    for (; at > 0 && items[at - 1].server > item.server; at--) items[at] = items[at - 1];
    items[at] = item;
    return true;
}

/* 1: out is filled; 0: the URL was refused. */
static int locate(struct cad_licensed *p, const struct cad_raw_url *raw, struct cad_location *out)
{
    struct checked_url url;
    int usable = check_url(p, raw->url, &url);
    if (usable < 0) return usable;
    if (usable == 0) {
        cad_licensed_warn(p, "a URL that may not be used", raw->cdn_id);
        return 0;
    }
    int64_t server = server_of(p, raw->cdn_id, url.host);
    if (server < 0) return (int)server;
    out->url = url.text;
    out->server = (uint32_t)server;
    out->expiry_ms = expiry_of(p, &url.uri);
    out->range_in_path = cad_uri_query_value(url.uri.query, CAD_STR("o")).p != NULL &&
                         cad_uri_query_value(url.uri.query, CAD_STR("t")).p != NULL;
    note_expiry(p, out->expiry_ms);
    return 1;
}

int cad_licensed_locations(struct cad_licensed *p, const struct cad_raw_list *urls,
                           const struct cad_location **out, uint32_t *count)
{
    *count = 0;
    p->track_cost += urls->count;
    if (urls->count == 0) return CAD_OK;
    struct cad_location *items = cad_arena_array(&p->model->arena, struct cad_location,
                                                 urls->count);
    if (!items) return cad_licensed_fail_memory(p);
    uint32_t n = 0;
    for (const struct cad_raw_item *item = urls->first; item; item = item->next) {
        struct cad_location location;
        int rc = locate(p, (const struct cad_raw_url *)item, &location);
        if (rc < 0) return rc;
        if (rc > 0 && insert_location(items, n, location)) n++;
    }
    bool failed = false;
    for (uint32_t i = 0; i < n; i++) items[i].url = cad_licensed_keep(p, items[i].url, &failed);
    *out = items;
    *count = n;
    return failed ? cad_licensed_fail_memory(p) : CAD_OK;
}

/* ---- the end --------------------------------------------------------------------------------- */

int cad_licensed_seal_servers(struct cad_licensed *p)
{
    bool failed = false;
    struct cad_server *servers = cad_arena_array(&p->model->arena, struct cad_server,
                                                 p->server_count);
    if (!servers) return cad_licensed_fail_memory(p);
    for (uint32_t i = 0; i < p->server_count; i++) {
        servers[i] = p->servers[i];
        servers[i].id = cad_licensed_keep(p, servers[i].id, &failed);
        servers[i].name = cad_licensed_keep(p, servers[i].name, &failed);
        servers[i].host = cad_licensed_keep(p, servers[i].host, &failed);
    }
    p->model->presentation.servers = servers;
    p->model->presentation.server_count = p->server_count;
    return failed ? cad_licensed_fail_memory(p) : CAD_OK;
}
