/*
 * Connections that are made before they are needed (CAD_ACTION_HTTP_WARM): one to the title's own
 * origin beside the first request, so that sound and picture both find one where a connection
 * carries one request at a time; and one to the server that would be next if this one failed.
 *
 * The root of an origin is asked for: that resource means nothing to a service, and no signed URL
 * is used up.
 */
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "base/uri.h"
#include "engine/session.h"

/* "https://host:port/" of a URL in the turn's text; empty: of no server. */
static cad_str origin_of(struct cad_engine *e, cad_str url)
{
    char memory[ENGINE_URL_MAX + 1];
    struct cad_sb sb;
    struct cad_uri uri;
    const cad_str none = {NULL, 0};
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    if (cad_uri_parse(url, &uri) != 0 || !cad_uri_is_http(&uri)) return none;
    uri.has_userinfo = uri.has_query = uri.has_fragment = false;
    uri.path = CAD_STR("/");
    cad_uri_write(&uri, &sb);
    if (cad_sb_error(&sb)) return none;
    const char *p = engine_text(e, cad_sb_str(&sb));
    return p ? cad_str_make(p, cad_sb_str(&sb).n) : none;
}

static bool warm(struct cad_engine *e, cad_str url, enum cad_purpose purpose)
{
    cad_str origin = origin_of(e, url);
    if (origin.n == 0) return false;
    struct cad_action *action = engine_action(e, CAD_ACTION_HTTP_WARM);
    if (!action) return false;
    action->u.warm.url = origin;
    action->u.warm.connections = 1;
    /* A title may need a licence beside its picture and its sound. */
    if (purpose == CAD_PURPOSE_MANIFEST && e->keys.has_cdm) action->u.warm.connections = 2;
    action->u.warm.connect_timeout = 3 * CAD_SECOND;
    action->u.warm.address_max = redirect_address_max(e, purpose);
    return true;
}

void warm_title(struct cad_engine *e, cad_str url)
{
    if (warm(e, url, CAD_PURPOSE_MANIFEST)) engine_decide(e, "warm title");
}

void warm_reset(struct cad_engine *e)
{
    e->warm_at = CAD_TIME_NONE;
    for (size_t i = 0; i < CAD_STEER_SERVERS_MAX; i++) e->server_used[i] = CAD_TIME_NONE;
}

void warm_used(struct cad_engine *e, uint32_t server)
{
    if (server < CAD_STEER_SERVERS_MAX) e->server_used[server] = e->now;
}

/* The server that would be next for the representation; NULL: none that is worth a connection. */
static const struct cad_location *next_place(struct cad_engine *e, const struct slot *s,
                                             const struct rep *rep)
{
    uint64_t others = rep_servers(rep) & ~(UINT64_C(1) << s->server);
    if (others == 0) return NULL;
    uint32_t server = cad_steer_pick(e->steer, others, 0, -1, e->now);
    if (!cad_steer_healthy(e->steer, server, e->now)) return NULL;
    cad_time used = e->server_used[server];
    if (used != CAD_TIME_NONE && e->now < cad_time_add(used, ENGINE_WARM_STALE)) return NULL;
    const struct cad_location *here = rep_location(rep, (uint32_t)s->server);
    const struct cad_location *there = rep_location(rep, server);
    struct cad_uri a, b;
    if (!here || !there) return NULL;
    if (cad_uri_parse(here->url, &a) != 0 || cad_uri_parse(there->url, &b) != 0) return NULL;
    return cad_uri_same_origin(&a, &b) ? NULL : there;
}

void warm_turn(struct cad_engine *e)
{
    struct slot *s = &e->slots[CAD_SLOT_VIDEO];
    if (e->clock.state != CAD_STATE_PLAYING || !s->present || s->rep_now < 0) return;
    if (s->server < 0 || s->server >= CAD_STEER_SERVERS_MAX) return;
    if (e->warm_at != CAD_TIME_NONE && e->now < e->warm_at) return;
    if (clock_ahead(e, s) < ENGINE_WARM_AHEAD) return;
    const struct cad_location *place = next_place(e, s, s->reps[s->rep_now]);
    e->warm_at = cad_time_add(e->now, place ? ENGINE_WARM_SPACING : ENGINE_WARM_LOOK);
    if (!place || !warm(e, place->url, CAD_PURPOSE_SEGMENT)) return;
    warm_used(e, place->server);
    cad_str id = cad_steer_id(e->steer, place->server);
    engine_decide(e, "warm server=%.*s", CAD_STR_ARG(id));
}
