/* The JSON of reports: ftl.md 6. */
#include "base/jsonw.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "steer/ftl.h"

#define PLACE_BYTES_MAX 256
#define TRACE_PARTS_MAX 64 /* of a latency trace */

static void put_ms(struct cad_jsonw *w, const char *key, cad_time t)
{
    if (t != CAD_TIME_NONE) cad_jsonw_key_i64(w, key, t / CAD_MS);
}

static void put_text(struct cad_jsonw *w, const char *key, cad_str text)
{
    if (text.n > 0) cad_jsonw_key_string(w, key, text);
}

/* "a=1;b=2": what is no key=integer is left out, and what repeats a key. */
static void put_trace(struct cad_jsonw *w, cad_str trace)
{
    cad_str keys[TRACE_PARTS_MAX];
    uint32_t count = 0;
    cad_str part;
    if (trace.n == 0) return;
    cad_jsonw_key(w, CAD_STR("lt"));
    cad_jsonw_object(w);
    while (count < TRACE_PARTS_MAX && cad_str_split(&trace, ';', &part)) {
        int64_t value;
        ptrdiff_t equals = cad_str_find_char(part, '=');
        if (equals <= 0) continue;
        cad_str key = cad_str_trim(cad_str_sub(part, 0, (size_t)equals));
        cad_str number = cad_str_trim(cad_str_sub(part, (size_t)equals + 1, part.n));
        bool known = key.n == 0 || cad_str_to_i64(number, &value);
        for (uint32_t i = 0; i < count && !known; i++) known = cad_str_eq(keys[i], key);
        if (known) continue;
        keys[count++] = key;
        cad_jsonw_key(w, key);
        cad_jsonw_i64(w, value);
    }
    cad_jsonw_end(w);
}

static void put_pulse(struct cad_jsonw *w, const struct cad_ftl_pulse *pulse)
{
    cad_jsonw_object(w);
    put_ms(w, "start", pulse->start);
    put_ms(w, "d", pulse->d);
    put_ms(w, "ttfb", pulse->ttfb);
    put_ms(w, "dns", pulse->dns);
    put_ms(w, "tcp", pulse->tcp);
    put_ms(w, "tls", pulse->tls);
    cad_jsonw_key_i64(w, "sc", pulse->status);
    cad_jsonw_key_i64(w, "sz", pulse->bytes);
    put_text(w, "via", pulse->via);
    put_text(w, "pd", pulse->probe_data);
    put_text(w, "er", pulse->error);
    if (pulse->recv_ts >= 0) cad_jsonw_key_i64(w, "rts", pulse->recv_ts);
    put_trace(w, pulse->latency_trace);
    put_text(w, "ec", cad_str_from(cad_ftl_ec_name(pulse->ec)));
    if (pulse->held > 0) put_ms(w, "held", pulse->held);
    cad_jsonw_end(w);
}

/* The URL with of its query only data and pulse: the rest may be a signature. */
static void put_url(struct cad_jsonw *w, cad_str url)
{
    char text[CAD_FTL_URL_MAX + 1];
    struct cad_sb sb;
    struct cad_uri u;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    if (cad_uri_parse(url, &u)) return;
    cad_str query = u.query;
    u.has_query = false;
    u.query = (cad_str){NULL, 0};
    cad_uri_write(&u, &sb);
    bool first = true;
    cad_str part;
    while (cad_str_split(&query, '&', &part)) {
        if (!cad_str_starts(part, CAD_STR("data=")) && !cad_str_starts(part, CAD_STR("pulse="))) {
            continue;
        }
        cad_sb_putc(&sb, first ? '?' : '&');
        cad_sb_put(&sb, part);
        first = false;
    }
    cad_jsonw_key_string(w, "url", cad_sb_str(&sb));
}

static void put_target(struct cad_jsonw *w, const struct cad_ftl_target *target,
                       const struct ftl_probe *probe)
{
    cad_jsonw_object(w);
    cad_jsonw_key_string(w, "name", target->name);
    put_url(w, target->url);
    cad_jsonw_key_string(w, "method", CAD_STR("https"));
    cad_jsonw_key(w, CAD_STR("data"));
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < CAD_FTL_PULSES_MAX; i++) {
        if (probe->pulses[i].done) put_pulse(w, &probe->pulses[i]);
    }
    cad_jsonw_end(w);
    cad_jsonw_end(w);
}

int cad_ftl_report_write(const struct cad_ftl *ftl, bool partial, struct cad_sb *out)
{
    const struct cad_ftl_recipe *recipe = ftl->recipe;
    struct cad_jsonw w;
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("ctx"));
    cad_jsonw_raw(&w, recipe->ctx);
    put_text(&w, "name", recipe->name);
    put_text(&w, "type", recipe->type);
    cad_jsonw_key_i64(&w, "iter", ftl->iter_run);
    if (partial) cad_jsonw_key_bool(&w, "partial", true);
    cad_jsonw_key(&w, CAD_STR("data"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < recipe->target_count; i++) {
        if (ftl->probes[i].state == PROBE_DROPPED) continue;
        put_target(&w, &recipe->targets[i], &ftl->probes[i]);
    }
    cad_jsonw_end(&w);
    cad_jsonw_end(&w);
    return cad_jsonw_error(&w);
}

/* Host and path of a URL, cut at 256 bytes. */
static void put_place(cad_str url, struct cad_sb *out)
{
    struct cad_uri u;
    if (cad_uri_parse(url, &u)) return;
    cad_sb_put(out, cad_str_sub(u.host, 0, PLACE_BYTES_MAX));
    cad_sb_put(out, cad_str_sub(u.path, 0, PLACE_BYTES_MAX));
}

int cad_ftl_report_failure(const struct cad_ftl *ftl, const struct ftl_failure *failure,
                           struct cad_sb *out)
{
    char place[2 * PLACE_BYTES_MAX + 1];
    struct cad_sb sb;
    struct cad_jsonw w;
    cad_sb_init_fixed(&sb, place, sizeof(place));
    put_place(ftl->config.endpoint, &sb);
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key_string(&w, "url", cad_sb_str(&sb));
    cad_jsonw_key_i64(&w, "status", failure->status);
    cad_jsonw_key_string(&w, "ec", cad_str_from(failure->ec));
    cad_jsonw_key_string(&w, "msg", cad_str_from(failure->message));
    put_ms(&w, "d", failure->d);
    cad_jsonw_end(&w);
    return cad_jsonw_error(&w);
}
