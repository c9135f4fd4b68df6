/* Reading a recipe: ftl.md 3. Fields are found first, then read as they depend on each other. */
#include <string.h>

#include "base/arena.h"
#include "base/checked.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/uri.h"
#include "base/util.h"
#include "steer/ftl.h"

#define ARENA_CHUNK_BYTES 4096
#define ARENA_BYTES_MAX (512u << 10)  /* 16 URLs, the context and its map need less than 64 KiB */
#define DEPTH_MAX 8
#define STRING_BYTES_MAX 16384        /* raw; the longest that is wanted is a URL full of escapes */
#define DELAYS_MAX 64                 /* entries that are looked at */
#define DELAY_MS_MAX 3600000
#define TIMEOUT_MS_MIN 100
#define TIMEOUT_MS_MAX 60000
#define TIMEOUT_MS_DEFAULT 15000
#define NEXT_MS_MIN 10000
#define NEXT_MS_MAX 86400000          /* a day; ours */
#define SHORT_TEXT_MAX 256            /* bytes of name, type, server ids */

/* What is allocated: the arena lives behind the public part. */
struct owned {
    struct cad_ftl_recipe recipe; /* first */
    struct cad_arena arena;
};

/* A member: a copy of the reader that stands on its value. */
struct member {
    const char *key;
    bool present;
    struct cad_json at;
};

enum field {
    F_URLS, F_TARGETS, F_PULSES, F_DELAYS, F_DELAY, F_TIMEOUT, F_NEXT, F_LOGBLOB, F_CTX, F_NAME,
    F_TYPE, FIELDS
};

struct reader {
    struct owned *out;
    struct member members[FIELDS];
};

/* ---- small values ---------------------------------------------------------------------------- */

static bool plain_name(cad_str s)
{
    if (s.n == 0 || s.n > CAD_FTL_NAME_MAX) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!cad_is_alpha(c) && !cad_is_digit(c) && c != '.' && c != '_' && c != '-') return false;
    }
    return true;
}

/* The first of a repeated key counts. */
static int find_members(struct cad_json *j, struct member *members, size_t count)
{
    while (cad_json_next(j) == CAD_JSON_KEY) {
        struct member *member = NULL;
        for (size_t i = 0; i < count && !member; i++) {
            if (cad_json_key_is(j, members[i].key)) member = &members[i];
        }
        if (member && !member->present) {
            struct cad_json at = *j;
            (void)cad_json_next(&at);
            member->at = at;
            member->present = true;
        }
        int err = cad_json_skip(j);
        if (err) return err;
    }
    return cad_json_type(j) == CAD_JSON_OBJECT_END ? CAD_OK : cad_json_error(j);
}

static void warn(struct reader *r)
{
    r->out->recipe.warnings++;
}

/* An optional integer: absent, or of another type (a warning): the default. */
static int64_t optional_i64(struct reader *r, enum field field, int64_t otherwise)
{
    int64_t value = otherwise;
    if (r->members[field].present && cad_json_i64(&r->members[field].at, &value)) {
        warn(r);
        return otherwise;
    }
    return value;
}

/* An optional text of up to max bytes, in the arena. CAD_E_NOMEM, CAD_E_LIMIT: of the arena. */
static int optional_text(struct reader *r, enum field field, size_t max, cad_str *out)
{
    char buf[SHORT_TEXT_MAX];
    cad_str text;
    if (!r->members[field].present) return CAD_OK;
    if (cad_json_string(&r->members[field].at, buf, CAD_MIN(max, sizeof(buf)), &text) ||
        text.n > max) {
        warn(r);
        return CAD_OK;
    }
    *out = cad_arena_str(&r->out->arena, text);
    return out->p ? CAD_OK : cad_arena_error(&r->out->arena);
}

/* ---- targets --------------------------------------------------------------------------------- */

/* The parts of a usable URL. */
static bool split_url(cad_str url, struct cad_ftl_target *out)
{
    struct cad_uri u;
    if (url.n == 0 || url.n > CAD_FTL_URL_MAX || cad_uri_parse(url, &u)) return false;
    if (!cad_uri_is_http(&u) || u.has_userinfo || u.has_fragment || cad_uri_port(&u) < 0) {
        return false;
    }
    out->url = url;
    out->host = cad_uri_host(&u);
    const char *end = u.host.p + u.host.n;
    if (u.has_port) end = u.port.p + u.port.n;
    out->authority = cad_str_make(u.host.p, (size_t)(end - u.host.p));
    out->data_bytes = -1;
    cad_str data = cad_uri_query_value(u.query, CAD_STR("data"));
    int64_t bytes;
    if (data.n > 0 && !cad_str_to_i64(data, &bytes) && bytes >= 0) out->data_bytes = bytes;
    return true;
}

/* "cdn:<id>" names a server; beside that a name has no colon. */
static bool target_name(cad_str name)
{
    const cad_str prefix = CAD_STR(CAD_FTL_SERVER_PREFIX);
    if (name.n > CAD_FTL_NAME_MAX) return false;
    return plain_name(cad_str_starts(name, prefix) ? cad_str_sub(name, prefix.n, name.n) : name);
}

static bool known_name(const struct cad_ftl_recipe *recipe, cad_str name)
{
    for (uint32_t i = 0; i < recipe->target_count; i++) {
        if (cad_str_eq(recipe->targets[i].name, name)) return true;
    }
    return false;
}

/* What we can probe: an answer of a server. Nobody was promised "tcp". */
static bool known_method(const struct member *method)
{
    return !method->present || cad_json_key_is(&method->at, "https") ||
           cad_json_key_is(&method->at, "http");
}

/* One entry of the list. *good: it may be taken. Errors are those of memory and of the reader. */
static int read_target(struct reader *r, struct cad_json *j, const char *url_key, bool *good)
{
    struct member members[] = {{.key = "name"}, {.key = url_key}, {.key = "method"}};
    struct cad_ftl_recipe *recipe = &r->out->recipe;
    char buf[CAD_FTL_URL_MAX];
    char name_buf[CAD_FTL_NAME_MAX];
    cad_str name, url;
    struct cad_ftl_target target = {0};
    *good = false;
    int err = find_members(j, members, CAD_ARRAY_LEN(members));
    if (err) return err;
    if (!members[0].present || !members[1].present || !known_method(&members[2])) return CAD_OK;
    if (cad_json_string(&members[0].at, name_buf, sizeof(name_buf), &name)) return CAD_OK;
    if (cad_json_string(&members[1].at, buf, sizeof(buf), &url)) return CAD_OK;
    if (!target_name(name) || known_name(recipe, name) || !split_url(url, &target)) return CAD_OK;
    if (recipe->target_count == CAD_FTL_TARGETS_MAX) return CAD_OK;
    cad_str kept = cad_arena_str(&r->out->arena, url);
    target.name = cad_arena_str(&r->out->arena, name);
    if (!kept.p || !target.name.p) return cad_arena_error(&r->out->arena);
    *good = split_url(kept, &target);
    if (*good) recipe->targets[recipe->target_count++] = target;
    return CAD_OK;
}

static int read_targets(struct reader *r)
{
    bool urls = r->members[F_URLS].present;
    struct member *list = &r->members[urls ? F_URLS : F_TARGETS];
    if (!list->present || cad_json_type(&list->at) != CAD_JSON_ARRAY_BEGIN) return CAD_E_DATA;
    struct cad_json *j = &list->at;
    for (;;) {
        bool good = false;
        int err = CAD_OK;
        enum cad_json_type type = cad_json_next(j);
        if (type == CAD_JSON_ARRAY_END) break;
        if (type == CAD_JSON_OBJECT_BEGIN) {
            err = read_target(r, j, urls ? "url" : "target", &good);
        } else {
            err = cad_json_skip(j);
        }
        if (err) return err;
        if (!good) r->out->recipe.dropped++;
    }
    return r->out->recipe.target_count > 0 ? CAD_OK : CAD_E_DATA;
}

/* ---- pulses ---------------------------------------------------------------------------------- */

static int read_delay(const struct cad_json *j, cad_time *out)
{
    int64_t ms;
    if (cad_json_i64(j, &ms) || ms < 0 || ms > DELAY_MS_MAX) return CAD_E_DATA;
    *out = ms * CAD_MS;
    return CAD_OK;
}

static int read_delays(struct reader *r)
{
    struct cad_ftl_recipe *recipe = &r->out->recipe;
    if (r->members[F_DELAYS].present) {
        struct cad_json *j = &r->members[F_DELAYS].at;
        if (cad_json_type(j) != CAD_JSON_ARRAY_BEGIN) return CAD_E_DATA;
        for (uint32_t i = 0; cad_json_next(j) != CAD_JSON_ARRAY_END; i++) {
            cad_time delay;
            if (i == DELAYS_MAX || read_delay(j, &delay)) return CAD_E_DATA;
            if (i < CAD_FTL_PULSES_MAX) recipe->delays[i] = delay;
        }
        return CAD_OK;
    }
    if (!r->members[F_DELAY].present) return CAD_E_DATA;
    cad_time delay;
    if (read_delay(&r->members[F_DELAY].at, &delay)) return CAD_E_DATA;
    for (uint32_t i = 1; i < CAD_FTL_PULSES_MAX; i++) recipe->delays[i] = delay;
    return CAD_OK;
}

static int read_pulses(struct reader *r)
{
    struct cad_ftl_recipe *recipe = &r->out->recipe;
    int64_t pulses;
    const struct member *member = &r->members[F_PULSES];
    if (!member->present || cad_json_i64(&member->at, &pulses) || pulses < 1) return CAD_E_DATA;
    recipe->pulses = (uint32_t)CAD_MIN(pulses, CAD_FTL_PULSES_MAX);
    int64_t timeout = optional_i64(r, F_TIMEOUT, TIMEOUT_MS_DEFAULT);
    recipe->pulse_timeout = CAD_MAX(TIMEOUT_MS_MIN, CAD_MIN(timeout, TIMEOUT_MS_MAX)) * CAD_MS;
    int64_t next = optional_i64(r, F_NEXT, 0);
    if (next > 0) {
        recipe->next = CAD_MAX(NEXT_MS_MIN, CAD_MIN(next, NEXT_MS_MAX)) * CAD_MS;
    } else if (next < 0) {
        warn(r);
    }
    return read_delays(r);
}

/* ---- context --------------------------------------------------------------------------------- */

/* The network of an address as text: /24 of IPv4, /48 of IPv6; "" where it is neither. */
static int cut_address(struct cad_arena *arena, cad_str ip, cad_str *out)
{
    char text[64];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    cad_str rest = ip;
    cad_str part;
    bool v6 = cad_str_find_char(ip, ':') >= 0;
    for (int i = 0; i < 3 && cad_str_split(&rest, v6 ? ':' : '.', &part); i++) {
        if (part.n == 0 || part.n > 4) break;
        cad_sb_put(&sb, part);
        cad_sb_putc(&sb, v6 ? ':' : '.');
    }
    if (sb.n > 0) cad_sb_put(&sb, v6 ? CAD_STR(":") : CAD_STR("0"));
    if (cad_sb_error(&sb)) cad_sb_reset(&sb);
    *out = cad_arena_str(arena, cad_sb_str(&sb));
    return out->p ? CAD_OK : cad_arena_error(arena);
}

/* A string or a number as the text of a server's id; false: it is neither. */
static bool id_text(const struct cad_json *j, char *buf, size_t cap, cad_str *out)
{
    if (cad_json_type(j) == CAD_JSON_STRING) return !cad_json_string(j, buf, cap, out);
    if (cad_json_type(j) != CAD_JSON_NUMBER) return false;
    *out = cad_json_raw(j);
    return out->n <= cap;
}

/* {"target": [ids]}: which servers a target stands for. */
static int read_map(struct reader *r, cad_str name, struct cad_json *j)
{
    struct cad_ftl_recipe *recipe = &r->out->recipe;
    uint32_t target = 0;
    while (target < recipe->target_count && !cad_str_eq(recipe->targets[target].name, name)) {
        target++;
    }
    for (;;) {
        enum cad_json_type type = cad_json_next(j);
        if (type == CAD_JSON_ARRAY_END) return CAD_OK;
        char buf[SHORT_TEXT_MAX];
        cad_str id;
        if (id_text(j, buf, sizeof(buf), &id) && target < recipe->target_count &&
            recipe->map_count < CAD_FTL_MAP_MAX) {
            cad_str kept = cad_arena_str(&r->out->arena, id);
            if (!kept.p) return cad_arena_error(&r->out->arena);
            recipe->map[recipe->map_count++] = (struct cad_ftl_map){target, kept};
        }
        int err = cad_json_skip(j);
        if (err) return err;
    }
}

/* A member of the context that goes into the report. What would make it too long is left out. */
static void copy_member(struct cad_jsonw *w, cad_str key, const struct cad_json *j, char *buf,
                        size_t cap)
{
    cad_str text;
    size_t need = cad_json_raw(j).n * 2 + key.n * 6 + 8; /* a control of one byte becomes \u00xx */
    if (cad_json_type(j) == CAD_JSON_NUMBER) {
        if (w->sb->n + need > CAD_FTL_CTX_BYTES_MAX) return;
        cad_jsonw_key(w, key);
        cad_jsonw_raw(w, cad_json_raw(j));
        return;
    }
    if (cad_json_string(j, buf, cap, &text)) return;
    need += text.n * 6;
    if (w->sb->n + need > CAD_FTL_CTX_BYTES_MAX) return;
    cad_jsonw_key(w, key);
    cad_jsonw_string(w, text);
}

static int read_ctx_member(struct reader *r, struct cad_json *j, struct cad_jsonw *w)
{
    struct cad_ftl_recipe *recipe = &r->out->recipe;
    char key_buf[SHORT_TEXT_MAX];
    char buf[CAD_FTL_URL_MAX];
    cad_str key, text;
    if (cad_json_string(j, key_buf, sizeof(key_buf), &key)) return cad_json_skip(j);
    enum cad_json_type type = cad_json_next(j);
    if (type == CAD_JSON_ARRAY_BEGIN) return read_map(r, key, j);
    if (type != CAD_JSON_STRING && type != CAD_JSON_NUMBER) return cad_json_skip(j);
    copy_member(w, key, j, buf, sizeof(buf));
    if (type != CAD_JSON_STRING || cad_json_string(j, buf, SHORT_TEXT_MAX, &text)) return CAD_OK;
    if (cad_str_eqz(key, "ip")) return cut_address(&r->out->arena, text, &recipe->ctx_ip);
    if (!cad_str_eqz(key, "region")) return CAD_OK;
    recipe->ctx_region = cad_arena_str(&r->out->arena, text);
    return recipe->ctx_region.p ? CAD_OK : cad_arena_error(&r->out->arena);
}

static int read_ctx(struct reader *r)
{
    struct member *member = &r->members[F_CTX];
    r->out->recipe.ctx = CAD_STR("{}");
    if (!member->present) return CAD_OK;
    if (cad_json_type(&member->at) != CAD_JSON_OBJECT_BEGIN) {
        warn(r);
        return CAD_OK;
    }
    struct cad_sb sb;
    struct cad_jsonw w;
    int err = CAD_OK;
    cad_sb_init(&sb, &r->out->arena.alloc, CAD_MEM_SESSION, CAD_FTL_CTX_BYTES_MAX + 16);
    cad_jsonw_init(&w, &sb);
    cad_jsonw_object(&w);
    while (!err && cad_json_next(&member->at) == CAD_JSON_KEY) {
        err = read_ctx_member(r, &member->at, &w);
    }
    cad_jsonw_end(&w);
    if (!err) err = cad_jsonw_error(&w);
    if (!err) {
        r->out->recipe.ctx = cad_arena_str(&r->out->arena, cad_sb_str(&sb));
        if (!r->out->recipe.ctx.p) err = cad_arena_error(&r->out->arena);
    }
    cad_sb_deinit(&sb);
    return err;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int read_texts(struct reader *r)
{
    struct cad_ftl_recipe *recipe = &r->out->recipe;
    recipe->logblob = CAD_STR(CAD_FTL_LOG_TYPE);
    int err = optional_text(r, F_LOGBLOB, CAD_FTL_NAME_MAX, &recipe->logblob);
    if (!err && !plain_name(recipe->logblob)) {
        warn(r);
        recipe->logblob = CAD_STR(CAD_FTL_LOG_TYPE);
    }
    if (!err) err = optional_text(r, F_NAME, SHORT_TEXT_MAX, &recipe->name);
    if (!err) err = optional_text(r, F_TYPE, SHORT_TEXT_MAX, &recipe->type);
    return err;
}

static int read_all(struct reader *r, cad_str json)
{
    static const char *const keys[FIELDS] = {
        "urls", "targets", "pulses", "pulse_delays", "pulse_delay", "pulse_timeout", "next",
        "logblob", "ctx", "name", "type"};
    const struct cad_json_limits limits = {DEPTH_MAX, STRING_BYTES_MAX};
    struct cad_json j;
    for (size_t i = 0; i < FIELDS; i++) r->members[i].key = keys[i];
    cad_json_init(&j, json, &limits);
    if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) {
        return cad_json_error(&j) ? cad_json_error(&j) : CAD_E_DATA;
    }
    int err = find_members(&j, r->members, FIELDS);
    if (err) return err;
    /* Nothing may follow: from here on the whole text is known to be JSON. */
    if (cad_json_next(&j) != CAD_JSON_END) return cad_json_error(&j);
    err = read_targets(r);
    if (!err) err = read_pulses(r);
    if (!err) err = read_ctx(r);
    return err ? err : read_texts(r);
}

int cad_ftl_recipe_parse(const struct cad_alloc *alloc, cad_str json, struct cad_ftl_recipe **out)
{
    if (!alloc || !out) return CAD_E_INVAL;
    if (json.n > CAD_FTL_RECIPE_BYTES_MAX) return CAD_E_LIMIT;
    struct owned *owned = cad_alloc_new(alloc, sizeof(*owned), CAD_MEM_SESSION);
    if (!owned) return CAD_E_NOMEM;
    cad_arena_init(&owned->arena, alloc, CAD_MEM_SESSION, ARENA_CHUNK_BYTES, ARENA_BYTES_MAX);
    struct reader reader = {.out = owned};
    int err = read_all(&reader, json);
    struct cad_ftl_recipe *recipe = &owned->recipe;
    if (err) {
        cad_ftl_recipe_destroy(alloc, &recipe);
        return err;
    }
    recipe->bytes = sizeof(*owned) + cad_arena_bytes(&owned->arena);
    *out = recipe;
    return CAD_OK;
}

void cad_ftl_recipe_destroy(const struct cad_alloc *alloc, struct cad_ftl_recipe **recipe)
{
    if (!recipe || !*recipe) return;
    struct owned *owned = (struct owned *)*recipe;
    cad_arena_deinit(&owned->arena);
    cad_alloc_free(alloc, owned, sizeof(*owned), CAD_MEM_SESSION);
    *recipe = NULL;
}
